"""The books against the store, after each of many random operations by path, handle and node."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
import uuid
from contextlib import suppress
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.wrappers.security import SecureFileSystem, Usage

PATHS = st.sampled_from(["/a", "/b", "/d", "/d/a", "/d/e", "/d/e/f", "/.env", "/link/x", "/deep/er/x"])
SIZES = st.integers(0, 700)
MAX_SIZE, MAX_FILES, MAX_FILE = 2000, 8, 900
EXPECTED = frozenset({errno.EDQUOT, errno.ENOSPC, errno.EFBIG, errno.EACCES, errno.ENOENT, errno.EEXIST})
EXPECTED |= {errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EINVAL, errno.ELOOP, errno.EPERM, errno.EBUSY}


class Accounting(RuleBasedStateMachine):
    """Two users of one store, one of them at a mount's door; each operation may fail as it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.open_store()
        profile = {"max_total_size": MAX_SIZE, "max_files": MAX_FILES, "max_file_size": MAX_FILE}
        self.fs: Any = SecureFileSystem(self.store, profile={**profile, "denied_patterns": [r"\.env"]})
        self.nodes = self.fs.posix.nodes
        self.held: dict[int, Any] = {}
        self.end_holding = self.nodes.hold(self.held)
        self.handles: list[Any] = []
        self.files: list[Any] = []
        self.in_transaction = False

    def teardown(self) -> None:
        if self.in_transaction:
            self.end(commit=False)
        self.let_go()
        self.compare()
        self.end_holding()
        self.nodes.close()
        self.drop_store()

    def open_store(self) -> Any:
        return MemoryFileSystem(name=uuid.uuid4().hex)

    def drop_store(self) -> None:
        drop_store(self.store.name)

    def let_go(self) -> None:
        for handle in self.handles:
            handle.close()
        for file in self.files:
            file.discard()
            file.close()
        self.handles, self.files = [], []
        for node in list(self.held.values()):
            del self.held[node.ino]
            self.nodes.forget(node)

    def attempt(self, operation: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return operation(*arguments, **options)
        except OSError as error:
            if error.errno not in EXPECTED and not isinstance(error, FileNotFoundError):
                raise
            return None

    # ---- by path

    @rule(path=PATHS, size=SIZES)
    def pipe(self, path: str, size: int) -> None:
        self.attempt(self.fs.pipe_file, path, bytes(size))

    @rule(first=PATHS, second=PATHS, size=SIZES)
    def pipe_two(self, first: str, second: str, size: int) -> None:
        self.attempt(self.fs.pipe, {first: bytes(size), second: b"1"})

    @rule(path=PATHS, truncate=st.booleans())
    def touch(self, path: str, truncate: bool) -> None:
        self.attempt(self.fs.touch, path, truncate=truncate)

    @rule(path=PATHS)
    def mkdir(self, path: str) -> None:
        self.attempt(self.fs.makedirs, path, exist_ok=True)

    @rule(path=PATHS, recursive=st.booleans())
    def remove(self, path: str, recursive: bool) -> None:
        self.attempt(self.fs.rm, path, recursive=recursive)

    @rule(path=PATHS, name=st.sampled_from(["unlink", "rmdir"]))
    def remove_one(self, path: str, name: str) -> None:
        self.attempt(getattr(self.fs.posix, name), path)

    @rule(source=PATHS, to=PATHS)
    def move(self, source: str, to: str) -> None:
        self.attempt(self.fs.mv, source, to)

    @rule(source=PATHS, to=PATHS, flags=st.sampled_from([0, 1, 2]))
    def rename(self, source: str, to: str, flags: int) -> None:
        self.attempt(self.fs.posix.rename, source, to, flags)

    @rule(source=PATHS, to=PATHS)
    def copy(self, source: str, to: str) -> None:
        self.attempt(self.fs.copy, source, to, recursive=True)

    @rule(source=PATHS, to=PATHS)
    def link(self, source: str, to: str) -> None:
        self.attempt(self.fs.posix.link, source, to)

    @rule(to=PATHS, path=st.sampled_from(["/link", "/a", "/d/a"]))
    def symlink(self, to: str, path: str) -> None:
        self.attempt(self.fs.posix.symlink, to, path)

    @rule(path=PATHS, size=SIZES)
    def truncate(self, path: str, size: int) -> None:
        self.attempt(self.fs.posix.truncate, path, size)

    # ---- open files and handles

    @rule(path=PATHS, mode=st.sampled_from(["wb", "ab", "xb", "r+b", "a+b"]))
    def open_file(self, path: str, mode: str) -> None:
        file = self.attempt(self.fs.open, path, mode)
        if file is not None:
            self.files.append(file)

    @precondition(lambda self: self.files)
    @rule(number=st.integers(0, 9), size=SIZES)
    def write_file(self, number: int, size: int) -> None:
        file = self.files[number % len(self.files)]
        if not file.closed:
            self.attempt(file.write, bytes(size))

    @precondition(lambda self: self.files)
    @rule(number=st.integers(0, 9), discard=st.booleans())
    def close_file(self, number: int, discard: bool) -> None:
        file = self.files.pop(number % len(self.files))
        if discard:
            file.discard()
        self.attempt(file.close)

    @rule(
        path=PATHS,
        flags=st.sampled_from(
            [os.O_RDONLY, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_TRUNC, os.O_TMPFILE | os.O_RDWR]
        ),
    )
    def open_handle(self, path: str, flags: int) -> None:
        handle = self.attempt(self.fs.posix.open_handle, path, flags)
        if handle is not None:
            self.handles.append(handle)

    @precondition(lambda self: self.handles)
    @rule(number=st.integers(0, 9), size=SIZES, offset=SIZES)
    def write_handle(self, number: int, size: int, offset: int) -> None:
        handle = self.handles[number % len(self.handles)]
        with suppress(OSError):
            handle.pwrite(bytes(size), offset)

    @precondition(lambda self: self.handles)
    @rule(number=st.integers(0, 9), size=SIZES)
    def truncate_handle(self, number: int, size: int) -> None:
        with suppress(OSError):
            self.handles[number % len(self.handles)].truncate(size)

    @precondition(lambda self: self.handles)
    @rule(number=st.integers(0, 9))
    def close_handle(self, number: int) -> None:
        self.handles.pop(number % len(self.handles)).close()

    # ---- at a door

    @rule(name=st.sampled_from(["a", "b", "d", ".env", "link"]), below=st.booleans())
    def look_up(self, name: str, below: bool) -> None:
        directory = self.nodes.root
        if below:
            directory = self.attempt(self.nodes.lookup, directory, "d") or directory
            if not stat.S_ISDIR(directory.mode):
                return
        node = self.attempt(self.nodes.lookup, directory, name)
        if node is not None:
            self.held[node.ino] = node

    @rule(
        name=st.sampled_from(["a", "b", "n", ".env"]), kind=st.sampled_from(["create", "mkdir", "symlink", "temporary"])
    )
    def make_node(self, name: str, kind: str) -> None:
        root = self.nodes.root
        arguments = {
            "create": (root, name, stat.S_IFREG | 0o644, 0, 0),
            "mkdir": (root, name, 0o755, 0, 0),
            "symlink": (root, name, "d", 0, 0),
            "temporary": (root, 0o600, 0, 0),
        }[kind]
        node = self.attempt(getattr(self.nodes, kind), *arguments)
        if node is not None:
            self.held[node.ino] = node

    @precondition(lambda self: self.held)
    @rule(
        number=st.integers(0, 9),
        size=SIZES,
        offset=SIZES,
        how=st.sampled_from(["write", "append", "setattr", "allocate", "open"]),
    )
    def change_node(self, number: int, size: int, offset: int, how: str) -> None:
        node = list(self.held.values())[number % len(self.held)]
        if not stat.S_ISREG(node.mode):
            return
        if how == "write":
            self.attempt(self.nodes.write, node, bytes(size), offset)
        elif how == "append":
            self.attempt(self.nodes.append, node, bytes(size))
        elif how == "setattr":
            self.attempt(self.nodes.setattr, node, size=size)
        elif how == "allocate":
            self.attempt(self.nodes.allocate, node, offset, size + 1, 0)
        else:
            handle = self.attempt(self.nodes.open, node, os.O_RDWR | (os.O_TRUNC if size % 2 else 0))
            if handle is not None:
                self.handles.append(handle)

    @rule(name=st.sampled_from(["a", "b", "d", "n"]), kind=st.sampled_from(["unlink", "rmdir"]))
    def remove_node(self, name: str, kind: str) -> None:
        self.attempt(getattr(self.nodes, kind), self.nodes.root, name)

    @rule(
        name=st.sampled_from(["a", "b", "d", "n"]),
        new=st.sampled_from(["a", "b", "d", ".env"]),
        flags=st.sampled_from([0, 2]),
    )
    def rename_node(self, name: str, new: str, flags: int) -> None:
        self.attempt(self.nodes.rename, self.nodes.root, name, self.nodes.root, new, flags)

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 9), name=st.sampled_from(["a", "m"]))
    def link_node(self, number: int, name: str) -> None:
        self.attempt(self.nodes.link, list(self.held.values())[number % len(self.held)], self.nodes.root, name)

    @precondition(lambda self: self.held)
    @rule(number=st.integers(0, 9))
    def forget(self, number: int) -> None:
        node = self.held.pop(list(self.held)[number % len(self.held)])
        self.nodes.forget(node)

    # ---- transactions

    @precondition(lambda self: not self.in_transaction)
    @rule()
    def begin(self) -> None:
        """What is open or held may have been made in a transaction that is undone, and then is nowhere."""
        self.let_go()
        self.fs.start_transaction()
        self.in_transaction = True

    @precondition(lambda self: self.in_transaction)
    @rule(commit=st.booleans())
    def end(self, commit: bool) -> None:
        self.let_go()
        self.in_transaction = False
        self.attempt(self.fs.transaction.complete, commit=commit)

    # ---- the books

    @invariant()
    def compare(self) -> None:
        if self.in_transaction:
            return  # what is not published holds its room; it is compared when all is done
        sizes = {}
        for path in self.store.find("/", withdirs=True):
            status = self.store.posix.lstat(path)
            sizes[status.st_ino] = status.st_size if stat.S_ISREG(status.st_mode) else 0
        for handle in self.handles:
            status = handle.stat()
            sizes[status.st_ino] = status.st_size
        for node in map(self.nodes.getattr, self.held.values()):
            sizes[node.ino] = node.size if stat.S_ISREG(node.mode) else 0
        sizes.pop(self.store.posix.stat("/").st_ino, None)
        used = self.fs.usage()
        claimed = self.fs._books.ledger._claimed
        assert used - claimed == Usage(sum(sizes.values()), len(sizes))
        assert used.size <= MAX_SIZE
        assert used.files <= MAX_FILES
        assert all(size <= MAX_FILE for size in sizes.values())
        if not any(not file.closed for file in self.files):
            assert claimed == Usage()


class AccountingOnTheHost(Accounting):
    """A directory of the host, which puts new files in the place of old ones."""

    def open_store(self) -> Any:
        self.directory = tempfile.TemporaryDirectory(dir="/dev/shm")
        return LocalFileSystem(self.directory.name, durable=False)

    def drop_store(self) -> None:
        self.directory.cleanup()


TestAccounting = Accounting.TestCase
TestAccounting.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
if sys.platform == "linux" and os.access("/dev/shm", os.W_OK):
    TestAccountingOnTheHost = AccountingOnTheHost.TestCase
    TestAccountingOnTheHost.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
