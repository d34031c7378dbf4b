"""Random POSIX calls on two filesystems at once, whose answers must agree.

The reference is a directory on a real tmpfs, driven by system calls. The subject is an engine through ``fs.posix``, or
a mount, driven by the same system calls as the reference. After each step the answers, the error numbers, and all that
can be seen of the two trees and of the open files are compared.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import currently_in_test_context, event
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from chuk_fsspec.contract.posix import (
    FALLOC_KEEP_SIZE,
    FALLOC_PUNCH_HOLE,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    Handle,
)
from tests.engine.posix_calls import EXPLICIT_BEFORE_NS, Entry, PosixCalls, describe, differences, shown, snapshot

IS_ROOT = os.geteuid() == 0
CHUNK = 64 * 1024
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
    """Where a subject differs from tmpfs on purpose, and why.

    ``explains`` tells which pairs of answers it accounts for. ``avoids`` tells which calls are left out, because they
    would make the two sides different from then on; it is asked with the reference. With neither, it is about something
    that is never compared.
    """

    name: str
    reason: str
    explains: Callable[[Call], bool] = lambda call: False
    avoids: Callable[..., bool] = lambda reference, operation, *arguments: False


NEVER_COMPARED = (
    Deviation("size of a directory", "every filesystem counts it in its own way"),
    Deviation("change time", "nobody can set it, so it is always a stamp of the moment"),
    Deviation("access time after a read", "the engine stamps none, as mounts with noatime do"),
    Deviation(
        "where SEEK_DATA and SEEK_HOLE land", "data lies in chunks of 64 KiB, in tmpfs in pages; both must be true"
    ),
)

_ABOUT_THE_FILE = {"ENOENT", "ENOTDIR", "ELOOP", "EEXIST", "EBADF"}

BY_PATH = (
    Deviation(
        "the first of two errors",
        "the engine looks for the file first, Linux at the other arguments; POSIX leaves the order open",
        lambda call: call.errors[1] in _ABOUT_THE_FILE and bool(call.errors[0]) and _has_another_fault(call),
    ),
    Deviation(
        "a name that is too long",
        "paths are checked whole before anything is looked up, so this error comes before any other",
        lambda call: call.errors[1] == "ENAMETOOLONG" and any(map(_has_long_name, call.arguments)),
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
        "opening a directory",
        "handles are for regular files; to read a directory by handle is for doors",
        lambda call: call.operation == "open_handle" and call.expected == "directory" and call.errors[1] == "EISDIR",
    ),
    Deviation(
        "opening a FIFO or a socket",
        "there is nobody at the other end; a mount leaves them to the kernel",
        lambda call: (
            call.operation == "open_handle"
            and call.errors[1] == "EINVAL"
            and (call.expected == "special file" or call.errors[0] == "ENXIO")
        ),
    ),
    Deviation(
        "ftruncate of a file that is not open for writing",
        "POSIX allows EBADF and EINVAL; EBADF is what every other call says then",
        lambda call: call.operation == "truncate" and call.errors == ("EINVAL", "EBADF"),
    ),
    Deviation(
        "mknod of a directory",
        "EINVAL says what is wrong; Linux's EPERM sounds as if somebody else were allowed to",
        lambda call: call.operation == "mknod" and call.errors == ("EPERM", "EINVAL"),
    ),
)

MOUNTED = (
    Deviation(
        "truncate to the size that the file has",
        "FUSE does not tell it from ftruncate, and only that one must stamp the file; so both do",
        avoids=lambda reference, operation, *arguments: (
            operation == "truncate"
            and arguments[1] == getattr(answer(reference.posix.stat, arguments[0]), "st_size", -1)
        ),
    ),
    Deviation(
        "chown that changes neither owner nor group",
        "it still clears set-user-ID, which the kernel leaves to the filesystem, but is not told as what it is",
        avoids=lambda reference, operation, *arguments: operation == "chown" and arguments[1:3] == (-1, -1),
    ),
)

THROUGH_LIBFUSE = (
    Deviation(
        "O_TMPFILE",
        "libfuse does not hand it on",
        avoids=lambda reference, operation, *arguments: operation == "open_handle" and _is_nameless(arguments[1]),
    ),
)

NO_XATTRS = Deviation(
    "extended attributes",
    "tmpfs has those named user.* since Linux 6.6",
    avoids=lambda reference, operation, *arguments: operation.endswith("xattr"),
)
NO_REFUSAL = Deviation(
    "O_CREAT with O_DIRECTORY",
    "refused since Linux 6.4, which before made a file and then failed",
    avoids=lambda reference, operation, *arguments: operation == "open_handle" and _makes_a_directory(arguments[1]),
)


def limits(reference: PosixCalls) -> tuple[Deviation, ...]:
    """What the kernel of this machine cannot be compared with, found by trying."""
    posix = reference.posix
    posix.mknod("/probe", stat.S_IFREG | 0o600)
    has_xattrs = answer(posix.setxattr, "/probe", "user.probe", b"") is None
    posix.unlink("/probe")
    refuses = _error_name(answer(posix.open_handle, "/probe", os.O_CREAT | os.O_DIRECTORY)) == "EINVAL"
    answer(posix.unlink, "/probe")
    return (NO_XATTRS,) * (not has_xattrs) + (NO_REFUSAL,) * (not refuses)


_FAULTS: dict[str, Callable[..., bool]] = {
    "open_handle": lambda path, flags, mode: (
        _makes_a_directory(flags) or (_is_nameless(flags) and flags & os.O_ACCMODE == os.O_RDONLY)
    ),
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


def _has_another_fault(call: Call) -> bool:
    """Whether an argument besides the file deserves an error of its own."""
    is_faulty = _FAULTS.get(call.operation)
    return is_faulty is not None and is_faulty(*call.arguments)


def _makes_a_directory(flags: int) -> bool:
    return bool(flags & os.O_CREAT and flags & os.O_DIRECTORY)


def _is_nameless(flags: int) -> bool:
    return flags & os.O_TMPFILE == os.O_TMPFILE


def _has_long_name(argument: Any) -> bool:
    return isinstance(argument, str) and any(len(os.fsencode(name)) > NAME_MAX for name in argument.split("/"))


def _error_name(answer: Any) -> str:
    return errno.errorcode[answer.errno or 0] if isinstance(answer, OSError) else ""


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

    def __init__(self, reference: PosixCalls, subject: PosixCalls, deviations: tuple[Deviation, ...] = ()) -> None:
        super().__init__()
        self.reference, self.subject = reference, subject
        self.deviations = deviations + limits(reference)
        self.open_pairs: list[OpenPair] = []
        self.both("mkdir", "/w", 0o755)

    def teardown(self) -> None:
        for pair in self.open_pairs:
            pair.reference.close()
            pair.subject.close()

    # ---- comparing

    def both(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """Make a call on both sides; their answers must agree. Returns the reference's; None if the call is avoided."""
        if self.avoids(operation, *arguments):
            return None

        def call(side: PosixCalls) -> Any:
            return getattr(side.posix, operation)(*arguments, **options)

        return self.on_both(operation, call, *arguments)

    def avoids(self, operation: str, *arguments: Any) -> bool:
        """Whether a deviation wants this call left out."""
        return any(deviation.avoids(self.reference, operation, *arguments) for deviation in self.deviations)

    def on_both(self, operation: str, call: Callable[[PosixCalls], Any], *arguments: Any) -> Any:
        """As ``both``, for what takes more than one call."""
        return self.agree(Call(operation, arguments, answer(call, self.reference), answer(call, self.subject)))

    def on_pair(self, pair: OpenPair, operation: str, *arguments: Any) -> Any:
        """As ``both``, for an open file."""

        def call(handle: Handle) -> Any:
            return getattr(handle, operation)(*arguments)

        return self.agree(Call(operation, arguments, answer(call, pair.reference), answer(call, pair.subject)))

    def agree(self, call: Call) -> Any:
        """Fail unless both answers are the same or a deviation explains the difference. Returns the reference's."""
        if currently_in_test_context():
            event(f"{call.operation} {call.errors[0]}")  # counted by --hypothesis-show-statistics
        same = call.errors[0] == call.errors[1] if any(call.errors) else call.expected == call.actual
        if not same and not any(deviation.explains(call) for deviation in self.deviations):
            raise AssertionError(
                f"{call.operation}({', '.join(map(shown, call.arguments))}): "
                f"got {shown(call.actual)}, expected {shown(call.expected)}"
            )
        return call.expected

    @invariant()
    def trees_are_alike(self):
        found = list(differences(snapshot(self.reference), snapshot(self.subject)))
        assert not found, "\n".join(found)

    @invariant()
    def open_files_are_alike(self):
        expected = {f"open file {i}": look_into(pair.reference) for i, pair in enumerate(self.open_pairs)}
        actual = {f"open file {i}": look_into(pair.subject) for i, pair in enumerate(self.open_pairs)}
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
        if self.avoids("open_handle", path, flags, mode):
            return multiple()
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
            expected = answer(self.reference.seek, pair.reference, offset, whence)
            self.agree(Call("seek", (offset, whence), expected, found))

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


def look_into(handle: Handle) -> Entry:
    """An open file's attributes, and the content of one that has no name to look at it by."""
    entry = describe(handle.stat())
    if not entry.nlink:
        content = answer(handle.pread, entry.size + 1, 0)
        entry.holds = None if isinstance(content, OSError) else content
    return entry


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
