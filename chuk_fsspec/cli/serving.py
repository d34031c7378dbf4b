"""The process behind a mount: in the foreground, or started in the background."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, Any

from chuk_adapters.fuse import Mount, MountOptions
from chuk_adapters.fuse.mounting import check_mountpoint
from chuk_adapters.fuse.unmounting import unmount
from chuk_fsspec.cli.collector import calm_collector
from chuk_fsspec.cli.directories import open_directory
from chuk_fsspec.cli.mounts import find_mount
from chuk_fsspec.cli.output import PROGRAM, CommandError, complain, say, say_json
from chuk_fsspec.cli.trees import open_tree

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a server to end."""
_READY = "mounted"
_LEFT_EARLY = 130
_PATIENCE = 3.0
"""Seconds after which somebody who wants it to end is told why it has not."""


def serve(args: argparse.Namespace, storage_options: dict[str, Any]) -> int:
    """Mount, say so in one line, and serve until the mount is over or a signal asks to end it.

    Returns:
        0 after everything is written back; 130 if a second signal did not wait for that.
    """
    path = check_mountpoint(args.mountpoint)
    check_is_free(Path(os.path.realpath(path)))
    tree = open_tree(args.url, storage_options)
    if tree.inward(str(path)) is not None:
        raise CommandError(f"{path} is inside of {tree.directory}, which cannot be shown in itself; mount it elsewhere")
    options = MountOptions(
        readonly=args.read_only,
        allow_other=args.allow_other,
        debug=args.debug,
        cache_timeout=args.cache_timeout,
        writeback=args.writeback,
        direct_io=args.direct_io,
        transport=args.transport,
        fsname=tree.name,
    )
    nodes = open_directory(tree.fs, tree.path, options.cache_timeout)
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    impatience = threading.Timer(
        _PATIENCE, complain, [f"{path} is in use or being written back; a second signal ends it now"]
    )
    impatience.daemon = True
    # A signal while mounting waits: it must find either nothing mounted, or a mount that can be taken down.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    calm_collector()
    try:
        with Mount(nodes, path, options) as mounted:
            ends = "; its files end with the unmount" if tree.is_volatile else ""
            try:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
                if args.json:
                    known = {"source": tree.name, "process": os.getpid(), "volatile": tree.is_volatile}
                    say_json({_READY: str(path), **known})
                else:
                    say(f"{_READY} {tree.name} on {path} (process {os.getpid()}{ends})")
                mounted.wait()
            except KeyboardInterrupt:
                impatience.start()
    except KeyboardInterrupt:
        complain(f"left {path} without waiting; what was not yet written back is lost")
        with contextlib.suppress(OSError):
            unmount(path, lazy=True)
        return _LEFT_EARLY
    finally:
        impatience.cancel()
    return 0


def start_server(args: argparse.Namespace) -> int:
    """Start the same command in a session of its own, and return when it has mounted or failed.

    Returns:
        0, or the exit code of the server, after its one line about what is wrong.
    """
    command = [sys.executable, "-m", "chuk_fsspec", "mount", "--foreground", *args.argv[1:]]
    with contextlib.ExitStack() as stack:
        messages = stack.enter_context(_messages(args))
        before = messages.seek(0, os.SEEK_END)
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if args.debug else messages,
            start_new_session=True,
            text=True,
            env=_environment(),
        )
        assert server.stdout is not None
        with server.stdout:
            try:
                ready = next((line for line in server.stdout if line.startswith((_READY, f'{{"{_READY}"'))), "")
            except KeyboardInterrupt:
                server.terminate()
                raise
        if ready:
            say(ready.rstrip("\n"))
            server.returncode = 0  # it lives on; without this, Python would warn that nobody waits for it
            return 0
        code = server.wait()
        messages.seek(before)
        sys.stderr.write(messages.read().decode(errors="replace"))
        if code < 0:
            complain(f"the server ended by signal {-code} before it had mounted")
        return abs(code)


def check_is_free(path: Path) -> None:
    """Refuse to cover another FUSE mount, which nobody would find again. CommandError."""
    mounted = find_mount(path)
    if mounted is not None and mounted.kind.startswith("fuse"):
        raise CommandError(f"{path}: {mounted.source} is mounted there already; first: {PROGRAM} umount {path}")


def _messages(args: argparse.Namespace) -> IO[bytes]:
    """Where the server writes its messages: a file of the user's, or one without a name."""
    return Path(args.log).open("a+b") if args.log else tempfile.TemporaryFile()


def _environment() -> dict[str, str]:
    """The server must not find modules in the current directory unless this process does (Python 3.11 and later)."""
    finds_them = "" in sys.path or os.getcwd() in sys.path
    return {**os.environ, **({} if finds_them else {"PYTHONSAFEPATH": "1"})}
