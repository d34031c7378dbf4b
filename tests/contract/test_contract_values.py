"""The small parts of the contract: errors, capabilities and what info dicts say."""

from __future__ import annotations

import errno
import inspect
import pickle
import stat

import pytest
from fsspec.implementations.memory import MemoryFileSystem as PlainMemory

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.capabilities import PLAIN_FSSPEC, Capabilities, capabilities_of, names
from chuk_fsspec.contract.conditions import Condition, condition_of
from chuk_fsspec.contract.errors import PreconditionFailed, not_found, not_supported, os_error
from chuk_fsspec.contract.info import mode_of, type_of_mode
from chuk_fsspec.contract.posix import Posix
from chuk_fsspec.testing.checks import fails_with


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOENT, FileNotFoundError),
        (errno.EEXIST, FileExistsError),
        (errno.EISDIR, IsADirectoryError),
        (errno.ENOTDIR, NotADirectoryError),
        (errno.EACCES, PermissionError),
        (errno.EPERM, PermissionError),
        (errno.ENOTEMPTY, OSError),
        (errno.ENOTSUP, OSError),
    ],
)
def test_errors_are_those_of_python(code: int, kind: type[OSError]) -> None:
    error = os_error(code, "/a")
    assert type(error) is kind
    assert (error.errno, error.filename, error.filename2) == (code, "/a", None)
    assert os_error(code, "/a", "/b").filename2 == "/b"
    assert os_error(code).filename is None


def test_errors_say_what_to_do() -> None:
    assert str(os_error(errno.ENOSPC, "/a", hint="remove something")) == (
        "[Errno 28] No space left on device: remove something: '/a'"
    )
    assert type(not_found("/a")) is FileNotFoundError
    assert (not_supported("links", "/a").errno, not_supported("links").filename) == (errno.ENOTSUP, None)


def test_nothing_is_promised_by_default() -> None:
    assert not any(getattr(Capabilities(), name) for name in names())
    assert [name for name in names() if getattr(PLAIN_FSSPEC, name)] == ["write"]


def test_capabilities_are_declared_or_assumed(chukmem: MemoryFileSystem) -> None:
    assert capabilities_of(PlainMemory()) is PLAIN_FSSPEC
    assert capabilities_of(chukmem) is MemoryFileSystem.capabilities
    assert [name for name in names() if not getattr(MemoryFileSystem.capabilities, name)] == [
        "isolated_transactions",
        "versioned_reads",
        "versions",
        "shared_between_processes",
    ]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (stat.S_IFREG | 0o644, "file"),
        (stat.S_IFDIR | 0o755, "directory"),
        (stat.S_IFLNK | 0o777, "link"),
        (stat.S_IFIFO, "other"),
        (stat.S_IFSOCK, "other"),
        (stat.S_IFCHR, "other"),
        (stat.S_IFBLK, "other"),
    ],
)
def test_types_of_modes(mode: int, kind: str) -> None:
    assert type_of_mode(mode) == kind


@pytest.mark.parametrize(
    ("info", "mode"),
    [
        ({"type": "file"}, 0o100644),
        ({"type": "directory"}, 0o040755),
        ({"type": "file", "mode": 0o600}, 0o100600),
        ({"type": "directory", "mode": 0o700}, 0o040700),
        ({"type": "other", "mode": 0o010600}, 0o010600),
        ({"type": "file", "mode": "rw-r--r--"}, 0o100644),
    ],
)
def test_modes_of_infos(info: dict[str, object], mode: int) -> None:
    assert mode_of(info) == mode


VIEWS = ("nodes", "nofollow")


@pytest.mark.parametrize("name", [name for name in dir(Posix) if not name.startswith("_") and name not in VIEWS])
def test_posix_supports_nothing_by_itself(name: str) -> None:
    method = getattr(Posix(), name)
    parameters = inspect.signature(method).parameters.values()
    wanted = [parameter.name for parameter in parameters if parameter.default is parameter.empty]
    with fails_with(errno.ENOTSUP, "/path" if "path" in wanted else None):
        method(*(f"/{parameter}" for parameter in wanted))


@pytest.mark.parametrize("view", VIEWS)
def test_posix_has_no_views_by_itself(view: str) -> None:
    with fails_with(errno.ENOTSUP):
        getattr(Posix(), view)


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "holds", "fails"),
    [
        ("1", None, ["1"], ["2", None]),
        ("*", None, ["1", ""], [None]),
        (None, "1", ["2", None], ["1"]),
        (None, "*", [None], ["1", ""]),
        ("*", "1", ["2"], ["1", None]),
        ("1", "2", ["1"], ["2", "3", None]),
    ],
)
def test_conditions_are_those_of_http(
    if_match: str | None, if_none_match: str | None, holds: list[str | None], fails: list[str | None]
) -> None:
    condition = condition_of(if_match, if_none_match)
    assert condition is not None
    for found in holds:
        condition.require("/f", found)
    for found in fails:
        with pytest.raises(PreconditionFailed) as caught:
            condition.require("/f", found)
        error = pickle.loads(pickle.dumps(caught.value))
        assert (type(error), error.path, error.found) == (type(caught.value), "/f", found)
        assert error.expected == (None if if_match in ("*", found) and found is not None else if_match)


def test_what_fails_says_what_was_asked_and_found() -> None:
    def said(if_match: str | None, if_none_match: str | None, found: str | None) -> str:
        return str(Condition(if_match, if_none_match).failure("/f", found))

    assert (
        said("1", None, "2")
        == f"[Errno {errno.ESTALE}] Precondition failed: if_match='1', and the etag is '2'; read it again: '/f'"
    )
    assert "if_match='*', and there is nothing" in said("*", None, None)
    assert "if_none_match='2', and the etag is '2'" in said("*", "2", "2")
    assert said(None, "*", "2") == "[Errno 17] File exists: if_none_match='*': '/f'"
