"""The door to a ``chuklocal``, in a cheroot: the WSGI server that somebody may have already.

Run as a program with the root (an absolute path of the machine) it prints its port, and serves until it is terminated.
"""

from __future__ import annotations

import sys

from cheroot.wsgi import Server

from chuk_adapters.webdav import WebDAVOptions, make_application
from chuk_fsspec.backends.local import LocalFileSystem


def main(root: str) -> None:
    application = make_application(LocalFileSystem(root=root), WebDAVOptions())
    server = Server(("127.0.0.1", 0), application, numthreads=4)
    server.prepare()
    sys.stdout.write(f"{server.bind_addr[1]}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main(sys.argv[1])
