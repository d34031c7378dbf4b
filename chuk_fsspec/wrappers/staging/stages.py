"""Which stage an instance belongs to: fsspec makes one instance for each thread, and a stage has state."""

from __future__ import annotations

import errno
import os
import secrets
import threading
import weakref
from collections.abc import Iterable, Mapping
from typing import Any

from fsspec import AbstractFileSystem, filesystem
from fsspec.core import url_to_fs

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import normalise
from chuk_fsspec.wrappers.staging.base import Base
from chuk_fsspec.wrappers.staging.overlay import Overlay

_NEEDED = ("nodes", "random_write", "transactions", "symlinks", "hardlinks", "attributes", "xattrs", "etags")

_kept: dict[tuple[str, int], Overlay] = {}
_known: weakref.WeakValueDictionary[str, Overlay] = weakref.WeakValueDictionary()
_lock = threading.RLock()


def overlay_for(
    key: str,
    base: AbstractFileSystem,
    upper: Any,
    upper_options: Mapping[str, Any] | None,
    hidden_paths: Iterable[str] = (),
) -> Overlay:
    """The stage of a name, made if it is new.

    Args:
        key: the name; empty for a stage that nobody else finds.
        base: the filesystem that is staged.
        upper: where changes are kept; see ``StageFileSystem``.
        upper_options: storage options of that.
        hidden_paths: absolute paths that the stage does not show.
    """
    hidden = frozenset(map(normalise, hidden_paths))
    if not key:
        return _overlay(base, upper, upper_options, hidden)
    with _lock:
        own = key, os.getpid()
        found = _kept.get(own)
        if found is None or found.is_over:
            found = _kept[own] = _overlay(base, upper, upper_options, hidden)
        return found


def _overlay(
    base: AbstractFileSystem, upper: Any, upper_options: Mapping[str, Any] | None, hidden: frozenset[str]
) -> Overlay:
    return Overlay(Base(base), open_upper(upper, upper_options), takes_turns=bool(upper), hidden=hidden)


def name_of(overlay: Overlay) -> str:
    """Names a stage among all others, by where its changes are kept."""
    return overlay.home[0] if overlay.home else str(overlay.upper.fsid)


def home_of(overlay: Overlay) -> tuple[str, int]:
    """Where a stage in memory is: its name, and the process."""
    if overlay.home:
        return overlay.home
    name = name_of(overlay)
    _known[name] = overlay
    return name, os.getpid()


def overlay_at(home: tuple[str, int]) -> Overlay:
    """The stage that ``home_of`` told, if it is in the memory of this process; else one that says where it is."""
    found = _known.get(home[0])
    if found is None:
        found = Overlay(Base(open_upper("")), open_upper(""), takes_turns=False)
        found.home = home
    return found


def open_upper(upper: Any, options: Mapping[str, Any] | None = None) -> AbstractFileSystem:
    """The filesystem in which a stage keeps what was changed. ValueError if it cannot be one."""
    fs = _open(upper, dict(options or {}))
    declared = capabilities_of(fs)
    missing = [name for name in _NEEDED if not getattr(declared, name)]
    if missing:
        raise ValueError(
            f"upper cannot hold a stage, it lacks {', '.join(missing)}: leave it out, or give the path of a new file, "
            "which becomes a chuksqlite database"
        )
    return fs


def another_instance(fs: AbstractFileSystem) -> AbstractFileSystem:
    """The same filesystem as an object of its own: each has transactions of its own."""
    return type(fs)(*fs.storage_args, **{**fs.storage_options, "skip_instance_cache": True})


def _open(upper: Any, options: dict[str, Any]) -> AbstractFileSystem:
    if isinstance(upper, AbstractFileSystem):
        return upper
    text = os.fspath(upper)
    if not text:
        return filesystem("chukmem", name=f"stage-{secrets.token_hex(8)}", skip_instance_cache=True, **options)
    if "://" in text or "::" in text:
        fs, path = url_to_fs(text, **options)
        if path.strip("/"):
            raise os_error(errno.EINVAL, path, hint="a stage takes a whole filesystem: leave the path out of upper")
        return fs
    if not os.path.isabs(text):
        raise ValueError(f"upper must be a URL or an absolute path, not {text!r}")
    database = os.path.join(text, "stage.db") if os.path.isdir(text) else text
    return filesystem("chuksqlite", database=database, **options)
