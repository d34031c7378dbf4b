"""Random POSIX calls on two filesystems at once, whose answers must agree.

The reference is a directory on a real tmpfs, driven by system calls. The subject is an engine through ``fs.posix``, or
a mount, driven by the same system calls as the reference. After each step the answers, the error numbers, and all that
can be seen of the two trees and of the open files are compared.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from chuk_fsspec.contract.posix import (
    FALLOC_KEEP_SIZE,
    FALLOC_PUNCH_HOLE,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    Buffer,
    Handle,
    Posix,
)
from chuk_fsspec.engine.filesystem import InodeFileSystem

IS_ROOT = os.geteuid() == 0
CHUNK = 64 * 1024
EXPLICIT_BEFORE_NS = 10**18
"""Times before September 2001 were set by a step; later ones are stamps of the moment, which nobody can compare."""
NAME_MAX = 255
XATTR_SIZE_MAX = 64 * 1024


# ---- deliberate deviations


@dataclass(frozen=True)
class Call:
    """One call and its two answers; a failure is an ``OSError``, a handle the kind of what was opened."""

    operation: str
    arguments: tuple[Any, ...]
    expected: Any
    actual: Any

    @property
    def errors(self) -> tuple[str, str]:
        """Names of the two error numbers; empty for a success."""
        return _error_name(self.expected), _error_name(self.actual)


@dataclass(frozen=True)
class Deviation:
    """Where the subject may differ from tmpfs, and why. Without ``explains``, a thing that is never compared."""

    name: str
    reason: str
    explains: Callable[[Call], bool] = lambda call: False


NEVER_COMPARED = (
    Deviation("size of a directory", "every filesystem counts it in its own way"),
    Deviation("change time", "nobody can set it, so it is always a stamp of the moment"),
    Deviation("access time after a read", "the engine stamps none, as mounts with noatime do"),
    Deviation(
        "where SEEK_DATA and SEEK_HOLE land", "data is kept in 64 KiB chunks, in tmpfs in pages; both must be true"
    ),
)

# When an argument besides the file deserves an error of its own.
_FAULTS: dict[str, Callable[..., bool]] = {
    "open_handle": lambda path, flags, mode: bool(flags & os.O_DIRECTORY and flags & (os.O_CREAT | os.O_TMPFILE)),
    "pread": lambda size, offset: offset < 0,
    "pwrite": lambda data, offset: offset < 0,
    "fallocate": lambda mode, offset, length: offset < 0 or length <= 0 or mode == FALLOC_PUNCH_HOLE,
    "truncate": lambda *arguments: arguments[-1] < 0,
    "rename": lambda source, path, flags: flags == RENAME_NOREPLACE | RENAME_EXCHANGE,
    "symlink": lambda target, path: not 0 < len(target) < 4096,
    "mknod": lambda path, mode: stat.S_ISDIR(mode),
    "setxattr": lambda path, name, value, flags: len(name) > NAME_MAX or len(value) > XATTR_SIZE_MAX,
    "getxattr": lambda path, name: len(name) > NAME_MAX,
    "removexattr": lambda path, name: len(name) > NAME_MAX,
}


def _has_two_faults(call: Call) -> bool:
    is_faulty = _FAULTS.get(call.operation)
    return all(call.errors) and is_faulty is not None and is_faulty(*call.arguments)


BY_PATH = (
    Deviation(
        "the first of two errors",
        "the engine looks for the file first, Linux at the other arguments; POSIX leaves the order open",
        _has_two_faults,
    ),
    Deviation(
        "ftruncate of a file that is not open for writing",
        "POSIX allows EBADF and EINVAL; EBADF is what every other call says then",
        lambda call: call.operation == "truncate" and call.errors == ("EINVAL", "EBADF"),
    ),
    Deviation(
        "mknod of a directory",
        "EINVAL says more than Linux's EPERM, which sounds as if somebody else were allowed to",
        lambda call: call.operation == "mknod" and call.errors == ("EPERM", "EINVAL"),
    ),
    Deviation(
        "opening a directory",
        "handles are for regular files; to read a directory by handle is for doors",
        lambda call: call.operation == "open_handle" and call.expected == "directory" and call.errors[1] == "EISDIR",
    ),
    Deviation(
        "opening a FIFO or a socket",
        "there is nobody at the other end; a mount leaves them to the kernel",
        lambda call: call.operation == "open_handle" and call.errors[1] == "EINVAL" and call.errors[0] in ("", "ENXIO"),
    ),
    Deviation(
        "making a file through a link that ends in a slash",
        "Linux says EISDIR whatever is there; the engine says what is missing or in the way",
        lambda call: (
            call.operation == "open_handle"
            and call.errors[0] == "EISDIR"
            and call.errors[1] in ("ENOENT", "ENOTDIR", "ELOOP")
        ),
    ),
    Deviation(
        "a name that is too long",
        "paths are checked whole before anything is looked up, so this error comes before any other",
        lambda call: call.errors[1] == "ENAMETOOLONG" and any(map(_has_long_name, call.arguments)),
    ),
)


def _error_name(answer: Any) -> str:
    return errno.errorcode[answer.errno] if isinstance(answer, OSError) else ""


def _has_long_name(argument: Any) -> bool:
    return isinstance(argument, str) and any(len(os.fsencode(name)) > NAME_MAX for name in argument.split("/"))


# ---- what is driven


@dataclass(frozen=True)
class PosixCalls:
    """A filesystem as the machine drives it: ``contract.Posix``, and what that has only for doors."""

    posix: Posix
    listdir: Callable[[str], list[str]]
    allocate: Callable[[Any, int, int, int], None]
    seek: Callable[[Any, int, int], int]
    deviations: tuple[Deviation, ...] = ()


def engine_calls(fs: InodeFileSystem) -> PosixCalls:
    """An engine through ``fs.posix``; ranges of a file are reserved and searched through ``fs.posix.nodes``."""
    posix = fs.posix
    nodes = posix.nodes

    def listdir(path: str) -> list[str]:
        if not stat.S_ISDIR(posix.stat(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
        return [below.rpartition("/")[2] for below in fs.ls(path, detail=False)]

    def allocate(handle: Any, mode: int, offset: int, length: int) -> None:
        handle.pwrite(b"", 0)  # whether it is open for writing is for whoever calls ``nodes`` to know
        nodes.allocate(handle._inode, offset, length, mode)

    def seek(handle: Any, offset: int, whence: int) -> int:
        return nodes.seek(handle._inode, offset, whence)

    return PosixCalls(posix, listdir, allocate, seek, BY_PATH)


def host_calls(root: str) -> PosixCalls:
    """System calls below a directory of this machine."""
    posix = HostPosix(root)
    return PosixCalls(posix, posix.listdir, _fallocate, lambda handle, *where: os.lseek(handle.fd, *where))


class HostHandle(Handle):
    """A file descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def pread(self, size: int, offset: int) -> bytes:
        return os.pread(self.fd, size, offset)

    def pwrite(self, data: Buffer, offset: int) -> int:
        return os.pwrite(self.fd, data, offset)

    def truncate(self, size: int) -> None:
        os.ftruncate(self.fd, size)

    def fsync(self) -> None:
        os.fsync(self.fd)

    def stat(self) -> os.stat_result:
        return os.fstat(self.fd)

    def close(self) -> None:
        os.close(self.fd)


class HostPosix(Posix):
    """``contract.Posix`` by system calls, with paths that count from a directory.

    Nothing here waits or leaves traces: FIFOs are opened without blocking, and reading leaves access times alone where
    that may be asked for.
    """

    def __init__(self, root: str) -> None:
        self._root = root

    def _at(self, path: str) -> str:
        return self._root + path

    def stat(self, path: str) -> os.stat_result:
        return os.stat(self._at(path))

    def lstat(self, path: str) -> os.stat_result:
        return os.lstat(self._at(path))

    def symlink(self, target: str, path: str) -> None:
        os.symlink(target, self._at(path))

    def readlink(self, path: str) -> str:
        return os.readlink(self._at(path))

    def link(self, source: str, path: str) -> None:
        os.link(self._at(source), self._at(path), follow_symlinks=False)

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        os.mkdir(self._at(path), mode)

    def rename(self, source: str, path: str, flags: int = 0) -> None:
        here = -100  # AT_FDCWD
        _checked(_libc.renameat2(here, os.fsencode(self._at(source)), here, os.fsencode(self._at(path)), flags))

    def unlink(self, path: str) -> None:
        os.unlink(self._at(path))

    def rmdir(self, path: str) -> None:
        os.rmdir(self._at(path))

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self._at(path), mode)

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool = True) -> None:
        os.chown(self._at(path), uid, gid, follow_symlinks=follow_symlinks)

    def utime(self, path: str, *, ns: tuple[int, int] | None = None, follow_symlinks: bool = True) -> None:
        if ns is None:
            os.utime(self._at(path), follow_symlinks=follow_symlinks)
        else:
            os.utime(self._at(path), ns=ns, follow_symlinks=follow_symlinks)

    def truncate(self, path: str, size: int) -> None:
        os.truncate(self._at(path), size)

    def mknod(self, path: str, mode: int, rdev: int = 0) -> None:
        os.mknod(self._at(path), mode, rdev)

    def setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        os.setxattr(self._at(path), name, value, flags)

    def getxattr(self, path: str, name: str) -> bytes:
        return os.getxattr(self._at(path), name)

    def listxattr(self, path: str) -> list[str]:
        return os.listxattr(self._at(path))

    def removexattr(self, path: str, name: str) -> None:
        os.removexattr(self._at(path), name)

    def open_handle(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> HostHandle:
        return HostHandle(os.open(self._at(path), flags | os.O_NONBLOCK, mode))

    def listdir(self, path: str) -> list[str]:
        return os.listdir(self._at(path))


_libc = ctypes.CDLL(None, use_errno=True)


def _fallocate(handle: HostHandle, mode: int, offset: int, length: int) -> None:
    _checked(_libc.fallocate(handle.fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length)))


def _checked(result: int) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


# ---- what is compared


@dataclass
class Entry:
    """All that is compared of one file, under one of its names or through a handle."""

    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    mtime_ns: int | None
    atime_ns: int | None
    first_name: str = ""
    holds: bytes | str | None = None
    xattrs: dict[str, bytes] | None = None


def describe(status: os.stat_result) -> Entry:
    """The attributes that are compared (see ``NEVER_COMPARED``)."""
    return Entry(
        mode=status.st_mode,
        nlink=status.st_nlink,
        uid=status.st_uid,
        gid=status.st_gid,
        size=0 if stat.S_ISDIR(status.st_mode) else status.st_size,
        mtime_ns=explicit(status.st_mtime_ns),
        atime_ns=explicit(status.st_atime_ns),
    )


def explicit(time_ns: int) -> int | None:
    """A time that a step has set; None for a stamp of the moment."""
    return time_ns if time_ns < EXPLICIT_BEFORE_NS else None


def snapshot(calls: PosixCalls) -> dict[str, Entry]:
    """The whole tree by path. Names of one file have the same ``first_name``."""
    entries: dict[str, Entry] = {}
    first_names: dict[int, str] = {}
    pending = ["/"]
    while pending:
        directory = pending.pop()
        for name in sorted(calls.listdir(directory)):
            path = directory + name
            status = calls.posix.lstat(path)
            entry = entries[path] = describe(status)
            entry.first_name = first_names.setdefault(status.st_ino, path)
            if stat.S_ISDIR(status.st_mode):
                pending.append(path + "/")
            if stat.S_ISLNK(status.st_mode):
                entry.holds = calls.posix.readlink(path)
                continue
            if stat.S_ISREG(status.st_mode):
                entry.holds = content(calls, path, status.st_size)
            names = calls.posix.listxattr(path)
            entry.xattrs = {name: calls.posix.getxattr(path, name) for name in names if name.startswith("user.")}
    return entries


def content(calls: PosixCalls, path: str, size: int) -> bytes:
    handle = calls.posix.open_handle(path, os.O_RDONLY | os.O_NOATIME)
    try:
        return handle.pread(size + 1, 0)
    finally:
        handle.close()


def differences(expected: dict[str, Entry], actual: dict[str, Entry]) -> Iterator[str]:
    """What is not alike in two snapshots, one line each."""
    for path in sorted(expected.keys() - actual.keys()):
        yield f"{path}: missing"
    for path in sorted(actual.keys() - expected.keys()):
        yield f"{path}: should not be there"
    for path in sorted(expected.keys() & actual.keys()):
        for field, wanted in vars(expected[path]).items():
            found = getattr(actual[path], field)
            if found != wanted and not (field == "atime_ns" and wanted is None):
                yield f"{path}: {field} is {shown(found)}, not {shown(wanted)}"


def shown(value: Any) -> str:
    """A value in a message: numbers in octal too, for modes and flags; what is long by its length and its start."""
    if isinstance(value, (bytes, str)) and len(value) > 60:
        return f"{value[:30]!r}… (length {len(value)}, hash {hash(value):x})"
    return f"{value} (0o{value:o})" if isinstance(value, int) and value > 7 else repr(value)


# ---- what is drawn

LONG_NAMES = ["n" * 255, "n" * 256, "é" * 127, "é" * 128]
# The same names again and again, so that calls meet; then one accented letter in two forms, and no UTF-8.
ODD_NAMES = ["é", "e\u0301", "\udcff", *LONG_NAMES]

names = st.sampled_from([*"aaabbbccd" * 8, *ODD_NAMES])
directories = st.sampled_from(["/w"] * 6 + ["/w/a"] * 3 + ["/w/b", "/w/c", "/w/d", "/w/a/a", "/w/a/b", "/w/c/a"])
entries = st.builds("{}/{}".format, directories, names)
paths = st.integers(0, 9).flatmap(lambda number: entries if number else st.just("/w"))
# One ".." leads out of the directory that the paths lie in, and no further: nothing but files can come to be there.
link_targets = st.one_of(
    names,
    st.builds("../{}".format, names),
    st.builds("{}/{}".format, names, names),
    st.builds("./{}/../{}".format, names, names),
    st.builds("{}/".format, names),
    st.builds("{}/.".format, names),
    st.sampled_from([".", "", "t" * 4095, "t" * 4096]),
)

_EXTRA_FLAGS = [
    os.O_CREAT,
    os.O_CREAT,
    os.O_EXCL,
    os.O_TRUNC,
    os.O_APPEND,
    os.O_NOFOLLOW,
    os.O_DIRECTORY,
    os.O_TMPFILE,
]


def _combined(access: int, extra: list[int]) -> int:
    for flag in extra:
        access |= flag
    return access


_access = st.sampled_from([os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR])
all_flags = st.builds(_combined, _access, st.lists(st.sampled_from(_EXTRA_FLAGS), max_size=4))
# As programs open files: these mostly succeed.
usual_flags = st.builds(
    _combined, _access, st.sampled_from([[], [os.O_CREAT], [os.O_CREAT], [os.O_CREAT, os.O_APPEND]])
)
nameless_flags = st.sampled_from([os.O_TMPFILE | os.O_RDWR, os.O_TMPFILE | os.O_WRONLY | os.O_EXCL])

# The engine keeps permissions and enforces none, so whoever is not root leaves all to the owner. The sticky bit stays
# away from directories that others may write to, where the kernel has rules of its own (fs.protected_* in sysctl).
_OWNER_MODES = [0o700, 0o711, 0o755, 0o777]
_ROOT_MODES = [0o000, 0o444, 0o600, 0o644, 0o1755, 0o2755, 0o2644, 0o4755, 0o4644, 0o6777, 0o6711]
modes = st.sampled_from(_OWNER_MODES + _ROOT_MODES * IS_ROOT)

# The same few places again and again, so that a file is cut where it ends and read where it was written.
_PLACES = [0, 0, 0, 1, 5, 20, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5, -1]
offsets = st.sampled_from(_PLACES) | st.integers(0, 4 * CHUNK)
sizes = st.sampled_from(_PLACES) | st.integers(0, 20)
data = st.binary(max_size=12) | st.builds(lambda size, byte: byte * size, sizes, st.sampled_from([b"x", b"y"]))
types = st.sampled_from([stat.S_IFIFO, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFREG, 0, stat.S_IFDIR])
times = st.integers(-(10**12), EXPLICIT_BEFORE_NS - 1)
owners = st.sampled_from([-1, 0, 1, 1234])
xattr_names = st.sampled_from(["user.a", "user.a", "user.b", "user.é", "user." + "n" * 250, "user." + "n" * 251])
xattr_flags = st.sampled_from([0, 0, os.XATTR_CREATE, os.XATTR_REPLACE])
xattr_values = st.binary(max_size=8) | st.sampled_from([bytes(XATTR_SIZE_MAX), bytes(XATTR_SIZE_MAX + 1)])


# ---- the machine


@dataclass(frozen=True)
class OpenPair:
    """One file, open on both sides."""

    reference: Handle
    subject: Handle


class PosixMachine(RuleBasedStateMachine):
    """Does the same to both sides, and compares."""

    handles = Bundle("handles")
    known = Bundle("known")  # names that were made, and may be gone by now

    def __init__(self, reference: PosixCalls, subject: PosixCalls) -> None:
        super().__init__()
        self.reference, self.subject = reference, subject
        self.open_pairs: list[OpenPair] = []
        self.both("mkdir", "/w", 0o755)

    def teardown(self) -> None:
        for pair in self.open_pairs:
            pair.reference.close()
            pair.subject.close()

    # ---- comparing

    def both(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """Make a call on both sides; their answers must agree. Returns the reference's."""
        expected = answer(getattr(self.reference.posix, operation), *arguments, **options)
        actual = answer(getattr(self.subject.posix, operation), *arguments, **options)
        self.agree(Call(operation, arguments, expected, actual))
        return expected

    def on_both(self, operation: str, call: Callable[[PosixCalls], Any], *arguments: Any) -> Any:
        """As ``both``, for what takes more than one call."""
        expected, actual = answer(call, self.reference), answer(call, self.subject)
        self.agree(Call(operation, arguments, expected, actual))
        return expected

    def on_pair(self, pair: OpenPair, operation: str, *arguments: Any) -> Any:
        """Make a call on an open file of both sides; their answers must agree. Returns the reference's."""
        expected = answer(getattr(pair.reference, operation), *arguments)
        actual = answer(getattr(pair.subject, operation), *arguments)
        self.agree(Call(operation, arguments, expected, actual))
        return expected

    def agree(self, call: Call) -> None:
        """Fail unless both answers are the same or a deviation explains the difference."""
        event(f"{call.operation} {call.errors[0]}")
        if isinstance(call.expected, OSError) or isinstance(call.actual, OSError):
            same = call.errors[0] == call.errors[1]
        else:
            same = call.expected == call.actual
        if same or any(deviation.explains(call) for deviation in self.subject.deviations):
            return
        raise AssertionError(
            f"{call.operation}({', '.join(map(shown, call.arguments))}): "
            f"got {shown(call.actual)}, expected {shown(call.expected)}"
        )

    @invariant()
    def trees_are_alike(self):
        found = list(differences(snapshot(self.reference), snapshot(self.subject)))
        assert not found, "\n".join(found)

    @invariant()
    def open_files_are_alike(self):
        expected = {f"open file {i}": describe(pair.reference.stat()) for i, pair in enumerate(self.open_pairs)}
        actual = {f"open file {i}": describe(pair.subject.stat()) for i, pair in enumerate(self.open_pairs)}
        found = list(differences(expected, actual))
        assert not found, "\n".join(found)

    # ---- open files

    @rule(target=handles, path=known | paths, flags=all_flags, mode=modes)
    def open_somehow(self, path, flags, mode):
        return self.open(path, flags, mode)

    @rule(target=handles, path=known | entries, flags=usual_flags, mode=modes)
    def open_as_usual(self, path, flags, mode):
        return self.open(path, flags, mode)

    @rule(target=handles, path=known | paths, flags=nameless_flags, mode=modes)
    def open_nameless(self, path, flags, mode):
        return self.open(path, flags, mode)

    def open(self, path: str, flags: int, mode: int) -> Any:
        """Open on both sides; what is no regular file is closed again."""
        expected = answer(self.reference.posix.open_handle, path, flags, mode)
        actual = answer(self.subject.posix.open_handle, path, flags, mode)
        self.agree(Call("open_handle", (path, flags, mode), kind(expected), kind(actual)))
        if kind(expected) == kind(actual) == "file":
            pair = OpenPair(expected, actual)
            self.open_pairs.append(pair)
            return pair
        for handle in (expected, actual):
            if not isinstance(handle, OSError):
                handle.close()
        return multiple()

    @rule(pair=consumes(handles))
    def close(self, pair):
        self.open_pairs.remove(pair)
        self.on_pair(pair, "close")

    @rule(pair=handles, size=sizes, offset=offsets)
    def pread(self, pair, size, offset):
        if size >= 0:  # Python has no system call for less
            self.on_pair(pair, "pread", size, offset)

    @rule(pair=handles, data=data, offset=offsets)
    def pwrite(self, pair, data, offset):
        self.on_pair(pair, "pwrite", data, offset)

    @rule(pair=handles, size=sizes)
    def ftruncate(self, pair, size):
        self.on_pair(pair, "truncate", size)

    @rule(pair=handles)
    def fsync(self, pair):
        self.on_pair(pair, "fsync")

    @rule(
        pair=handles,
        mode=st.sampled_from([0, FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE]),
        offset=offsets,
        length=sizes,
    )
    def fallocate(self, pair, mode, offset, length):
        arguments = mode, offset, length
        expected = answer(self.reference.allocate, pair.reference, *arguments)
        actual = answer(self.subject.allocate, pair.subject, *arguments)
        self.agree(Call("fallocate", arguments, expected, actual))

    @rule(pair=handles, offset=offsets, whence=st.sampled_from([os.SEEK_DATA, os.SEEK_HOLE]))
    def seek(self, pair, offset, whence):
        size = pair.reference.stat().st_size
        whole = answer(pair.reference.pread, size, 0)
        if isinstance(whole, OSError):
            return  # not open for reading: nothing to hold the answer against
        found = answer(self.subject.seek, pair.subject, offset, whence)
        if 0 <= offset < size:
            assert_true_place(whole, offset, whence, found)
        else:
            self.agree(
                Call("seek", (offset, whence), answer(self.reference.seek, pair.reference, offset, whence), found)
            )

    # ---- names

    @initialize(target=known)
    def begin_with_a_few_names(self):
        self.both("mkdir", "/w/a", 0o755)
        self.both("symlink", "a", "/w/c")
        return multiple("/w/a", "/w/b", "/w/c")

    @initialize(target=handles)
    def begin_with_an_open_file(self):
        return self.open("/w/b", os.O_RDWR | os.O_CREAT, 0o644)

    @rule(target=known, path=entries, mode=modes)
    def mkdir(self, path, mode):
        return self.made(path, self.both("mkdir", path, mode))

    @rule(path=known | entries)
    def rmdir(self, path):
        self.both("rmdir", path)

    @rule(path=known | entries)
    def unlink(self, path):
        self.both("unlink", path)

    @rule(
        target=known,
        source=known | entries,
        path=known | paths,
        flags=st.sampled_from([0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE, 3]),
    )
    def rename(self, source, path, flags):
        return self.made(path, self.both("rename", source, path, flags))

    @rule(target=known, source=known | paths, path=known | entries)
    def link(self, source, path):
        return self.made(path, self.both("link", source, path))

    @rule(target=known, points_to=link_targets, path=entries)
    def symlink(self, points_to, path):
        return self.made(path, self.both("symlink", points_to, path))

    @rule(path=known | paths)
    def readlink(self, path):
        self.both("readlink", path)

    @rule(target=known, path=entries, type_bits=types, mode=modes)
    def mknod(self, path, type_bits, mode):
        return self.made(path, self.both("mknod", path, type_bits | mode))

    def made(self, path: str, result: Any) -> Any:
        """What joins the known names: a path, if making it did not fail."""
        return multiple() if isinstance(result, OSError) or path == "/w" else path

    # ---- attributes

    @rule(path=known | paths, operation=st.sampled_from(["stat", "lstat"]))
    def look_at(self, path, operation):
        def attributes(calls: PosixCalls) -> Entry:
            return replace(describe(getattr(calls.posix, operation)(path)), atime_ns=None)

        self.on_both(operation, attributes, path)

    @rule(path=known | paths)
    def listdir(self, path):
        self.on_both("listdir", lambda calls: sorted(calls.listdir(path)), path)

    @rule(path=known | entries, mode=modes)
    def chmod(self, path, mode):
        self.both("chmod", path, mode)

    @rule(path=known | entries, uid=owners, gid=owners, follow=st.booleans())
    def chown(self, path, uid, gid, follow):
        if not IS_ROOT:
            uid = gid = -1
        self.both("chown", path, uid, gid, follow_symlinks=follow)

    @rule(path=known | entries, ns=st.tuples(times, times), follow=st.booleans())
    def utime(self, path, ns, follow):
        self.both("utime", path, ns=ns, follow_symlinks=follow)

    @rule(path=known | entries)
    def utime_now(self, path):
        self.both("utime", path)

    @rule(path=known | paths, size=sizes)
    def truncate(self, path, size):
        self.both("truncate", path, size)

    @rule(path=known | paths, name=xattr_names, value=xattr_values, flags=xattr_flags)
    def setxattr(self, path, name, value, flags):
        self.both("setxattr", path, name, value, flags)

    @rule(path=known | paths, name=xattr_names)
    def getxattr(self, path, name):
        self.both("getxattr", path, name)

    @rule(path=known | paths)
    def listxattr(self, path):
        self.on_both("listxattr", lambda calls: sorted(calls.posix.listxattr(path)), path)

    @rule(path=known | paths, name=xattr_names)
    def removexattr(self, path, name):
        self.both("removexattr", path, name)


def answer(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a call returns, or the ``OSError`` that it raises."""
    try:
        return call(*arguments, **options)
    except OSError as error:
        return error


def kind(opened: Any) -> Any:
    """What a handle is open on, for comparing; an error stays as it is."""
    if isinstance(opened, OSError):
        return opened
    mode = opened.stat().st_mode
    return "file" if stat.S_ISREG(mode) else "directory" if stat.S_ISDIR(mode) else "special file"


def assert_true_place(whole: bytes, offset: int, whence: int, found: Any) -> None:
    """Whether SEEK_DATA or SEEK_HOLE told the truth about content; how finely it sees holes is its own affair."""
    if whence == os.SEEK_DATA:
        stop = len(whole) if isinstance(found, OSError) else found
        assert stop >= offset
        assert not any(whole[offset:stop]), f"SEEK_DATA passed over data: {found} from {offset}"
        assert not isinstance(found, OSError) or found.errno == errno.ENXIO
    else:
        assert offset <= found <= len(whole)
        assert found == len(whole) or not whole[found], f"SEEK_HOLE found data: {found} from {offset}"
