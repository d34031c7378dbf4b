"""What a call of the filesystem means for its record: its files, its arguments, the bytes that it moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chuk_fsspec.contract.operations import Effect, Operation
from chuk_fsspec.wrappers.audit.record import Detail
from chuk_fsspec.wrappers.audit.recorder import Target

NEVER = frozenset({"transaction", "nofollow", "reader"})
"""Names that only hand out an object; what that does is recorded."""

_OPTIONS = frozenset(
    {
        "mode",
        "flags",
        "recursive",
        "maxdepth",
        "start",
        "end",
        "size",
        "uid",
        "gid",
        "rdev",
        "name",
        "target",
        "create_parents",
        "exist_ok",
        "truncate",
        "follow_symlinks",
        "if_match",
        "if_none_match",
        "if_source_match",
        "if_target_match",
        "expiration",
    }
)
_CHANGES_CONTENT = frozenset(
    {
        "pipe_file",
        "pipe",
        "touch",
        "cp_file",
        "copy",
        "put",
        "open",
        "open_handle",
        "open_async",
        "truncate",
        "mv",
        "rename",
    }
)
_GIVEN_SHOWN = 4096


def name_of(operation: Operation) -> str:
    """An operation in the log; those of ``fs.posix`` begin with ``posix.``."""
    return f"posix.{operation.name}" if operation.posix else operation.name


def targets_of(paths: tuple[Any, ...]) -> list[Target]:
    """One target for each file of a call."""
    if not paths:
        return [Target()]
    columns = [path if isinstance(path, list) else [path] for path in paths]
    return [Target(*each) for each in zip(*columns, strict=True)]


def detail_of(operation: Operation, options: Mapping[str, Any]) -> Detail:
    """The arguments that are worth a record and are no content."""
    detail: dict[str, str | int | bool] = {}
    for name, value in options.items():
        if name not in _OPTIONS or value is False or value == "overwrite":
            continue
        if name == "mode" and isinstance(value, int):
            detail[name] = oct(value)
        elif isinstance(value, (str, int)):
            detail[name] = value
    return detail


def given(path: Any) -> Detail:
    """A path that is none, as it was given."""
    return {"given": str(path)[:_GIVEN_SHOWN]}


def changes_content(operation: Operation, effect: Effect) -> bool:
    """Whether the state after it is worth knowing."""
    return operation.name in _CHANGES_CONTENT and effect in (Effect.WRITE, Effect.RENAME)


def reads_state(operation: Operation, effect: Effect) -> bool:
    """Whether the state before it is worth knowing."""
    return effect in (Effect.READ, Effect.DELETE) or changes_content(operation, effect)


def state_path(target: Target, effect: Effect, *, after: bool) -> str | None:
    """Whose state it is: of a copy, what is written; of a move, what is moved, under its old name and its new one."""
    if effect is Effect.RENAME and not after:
        return target.path
    return target.path2 or target.path


def opens_a_file(operation: Operation) -> bool:
    """Whether the content is read or changed later, until the file is closed."""
    return operation.name in ("open", "open_handle", "open_async")


def count_bytes(operation: Operation, targets: Sequence[Target], arguments: tuple[Any, ...], result: Any) -> None:
    """Fill in what went in or out, where it is known, and which files of a call failed that went on."""
    name = operation.name
    if name == "cat_file":
        targets[0].bytes_read = len(result)
    elif name == "cat_ranges":
        for target, part in zip(targets, result, strict=True):
            if isinstance(part, BaseException):
                target.error = part
            else:
                target.bytes_read = len(part)
    elif name == "pipe_file":
        targets[0].bytes_written = _size(arguments[0])
    elif name == "pipe":
        for target, value in zip(targets, arguments[0], strict=True):
            target.bytes_written = _size(value)
    elif name == "get":
        for target in targets:
            target.bytes_read = target.before.size
    elif name in ("put", "cp_file", "copy"):
        for target in targets:
            target.bytes_written = target.after.size


def _size(value: Any) -> int:
    """Bytes of content, whatever a filesystem takes for content."""
    try:
        return memoryview(value).nbytes
    except TypeError:
        return len(value)
