"""``python -m chuk_fsspec``: the command line."""

import sys

from chuk_fsspec.cli.starting import start

if __name__ == "__main__":
    sys.exit(start())
