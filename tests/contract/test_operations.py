"""The tables of operations against the classes that they describe, in the installed release of fsspec."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.contract.operations import FSSPEC, POSIX, Effect, Kind, Operation, Returns
from chuk_fsspec.contract.posix import Posix
from chuk_fsspec.engine.posix import InodePosix

# What else the parameters of fsspec are called: options, content, and objects of the caller's own.
OPTIONS = frozenset(
    """
    args assume_literal block_size blob cache_options callback check cls compression create create_parents dct
    delimiter detail display_size encoding end ends errors exist_ok expiration first fs indent_size include_password
    is_last kwargs length max_display max_gap maxdepth missing_exceptions mode newline offset on_error outfile
    prefix recursion_limit recursive self size start starts topdown total truncate value withdirs
    """.split()  # noqa: SIM905 - a list would take a page
)
POSIX_OPTIONS = frozenset(
    """
    flags follow_symlinks gid mode name ns rdev self size target uid value
    """.split()  # noqa: SIM905 - a list would take a page
)


def public(owner: type) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def parameters(owner: type, name: str) -> set[str]:
    member = inspect.getattr_static(owner, name)
    if isinstance(member, (classmethod, staticmethod)):
        member = member.__func__
    return set(inspect.signature(member).parameters) if inspect.isfunction(member) else set()


def rows() -> Iterator[tuple[type, Operation]]:
    for operation in FSSPEC.values():
        yield AbstractFileSystem, operation
    for operation in POSIX.values():
        yield Posix, operation


ROWS = [pytest.param(owner, row, id=f"{owner.__name__}.{row.name}") for owner, row in rows()]


def test_every_name_of_fsspec_is_classified() -> None:
    table, known = set(FSSPEC), public(AbstractFileSystem)
    assert known - table == set(), "a new name in fsspec: classify it before a wrapper lets it through"
    assert table - known == set(), "a name that this release does not have: say from which release on, or drop it"


def test_every_name_of_posix_is_classified() -> None:
    assert set(POSIX) == public(Posix) == public(InodePosix)


@pytest.mark.parametrize(("owner", "row"), ROWS)
def test_every_parameter_is_a_path_or_known_not_to_be(owner: type, row: Operation) -> None:
    known = parameters(owner, row.name)
    assert {*row.paths, *row.local, *filter(None, [row.raised_by])} <= known
    options = OPTIONS if owner is AbstractFileSystem else POSIX_OPTIONS
    assert known - {*row.paths, *row.local} <= options, "a new parameter: if it is a path, the table has to say so"


@pytest.mark.parametrize(("owner", "row"), ROWS)
def test_rows_are_consistent(owner: type, row: Operation) -> None:
    assert set(row.reads) <= set(row.paths)
    assert not set(row.local) & set(row.paths)
    assert not row.raised_by or row.effect is Effect.READ
    if row.kind is Kind.IDENTITY:
        assert row.effect is Effect.NONE
        assert not row.local
    elif row.kind is Kind.DERIVED:
        assert callable(getattr(owner, row.name)), "only a method can call others"


def test_effect_on_a_path() -> None:
    assert FSSPEC["cp_file"].effect_on("path1") is Effect.READ
    assert FSSPEC["cp_file"].effect_on("path2") is Effect.WRITE
    assert POSIX["rename"].effect_on("source") is Effect.RENAME
    with pytest.raises(KeyError):
        FSSPEC["get_file"].effect_on("lpath")


@pytest.mark.parametrize(
    ("row", "options", "effect"),
    [
        (FSSPEC["open"], {}, Effect.READ),
        (FSSPEC["open"], {"block_size": 5}, Effect.READ),
        (FSSPEC["open"], {"mode": "rb"}, Effect.READ),
        (FSSPEC["open"], {"mode": "rt"}, Effect.READ),
        *((FSSPEC["open"], {"mode": mode}, Effect.WRITE) for mode in ("wb", "ab", "xb", "r+b", "w+", "rb+", "at")),
        (POSIX["open_handle"], {}, Effect.READ),
        (POSIX["open_handle"], {"mode": 0o666}, Effect.READ),
        (POSIX["open_handle"], {"flags": os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_EXCL}, Effect.READ),
        *(
            (POSIX["open_handle"], {"flags": flags}, Effect.WRITE)
            for flags in (
                os.O_WRONLY,
                os.O_RDWR,
                os.O_CREAT,
                os.O_TRUNC,
                os.O_APPEND,
                getattr(os, "O_TMPFILE", os.O_RDWR),
            )
        ),
        (FSSPEC["rm"], {"mode": "rb", "flags": os.O_RDONLY}, Effect.DELETE),
        (POSIX["mkdir"], {"mode": 0o777}, Effect.WRITE),
        (POSIX["getxattr"], {"flags": os.O_RDWR}, Effect.READ),
    ],
)
def test_mode_and_flags_raise_reading_to_writing(row: Operation, options: dict[str, Any], effect: Effect) -> None:
    assert row.effect_in(options) is effect


def test_operations_know_their_table() -> None:
    assert not any(row.posix for row in FSSPEC.values())
    assert all(row.posix for row in POSIX.values())


def test_no_attribute_hides_a_name_of_fsspec(chukmem: AbstractFileSystem) -> None:
    assert set(vars(chukmem)) & public(AbstractFileSystem) <= {"async_impl"}


def test_handles_are_known() -> None:
    handles = {name for table in (FSSPEC, POSIX) for name, row in table.items() if row.returns is Returns.HANDLE}
    assert handles == {"get_mapper", "nodes", "open", "open_handle", "reader", "transaction"}


def test_what_is_only_read_is_never_written(chukmem: AbstractFileSystem) -> None:
    """Every operation that claims to list or to read leaves the tree as it was."""
    chukmem.pipe({"/d/f": b"content", "/g": b"more"})
    before = chukmem.find("/", withdirs=True, detail=True)
    for row in FSSPEC.values():
        if row.effect in (Effect.LIST, Effect.READ) and not row.local and hasattr(chukmem, row.name):
            arguments = {"read_block": (0, 1), "cat_ranges": (0, 1)}.get(row.name, ())
            target = ["/d/f"] if row.paths == ("paths",) else "/d/f"
            try:
                result = getattr(chukmem, row.name)(target, *arguments)
                list(result) if row.name == "walk" else None
            except NotImplementedError:
                assert row.name == "sign"
    assert chukmem.find("/", withdirs=True, detail=True) == before
