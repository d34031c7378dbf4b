"""Where files live, by the names that chuk-virtual-fs has for it: one table."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import fsspec
from fsspec import AbstractFileSystem, available_protocols

from chuk_fsspec.mounted.config import protocol_of
from chuk_fsspec.registry import PROTOCOLS

_NOT_FOR_USERS = frozenset(("self", "fs", "fo", "target_protocol", "target_options", "kwargs"))
_IN_MEMORY = ":memory:"


class Calls(Enum):
    """How coroutines reach a filesystem."""

    INLINE = "inline"
    """Where they are: a call takes less time than handing it to another thread."""
    OWN_WORKER = "own worker"
    """In the worker of the filesystem, where calls that wait together share a commit."""
    THREAD = "thread"
    """In a worker thread, each call as a whole."""


@dataclass(frozen=True)
class Provider:
    """A place for files.

    Attributes:
        protocol: its fsspec protocol.
        extra: what to install for it, as in ``pip install 'chuk-fsspec[extra]'``; empty if nothing.
        calls: how coroutines reach it.
        renamed: options that have another name in chuk-virtual-fs, by that name.
        defaults: options that are not as the filesystem has them.
        environment: variables that stand for options which are not given, by the option.
        host_paths: options that are paths of this machine, absolute or from the working directory of the process.
        private_without: the option without which each filesystem has files of its own, which end with it.
        connects: it has connections, or a sandbox, that end when it is closed.
    """

    protocol: str
    extra: str = ""
    calls: Calls = Calls.THREAD
    renamed: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    host_paths: tuple[str, ...] = ()
    private_without: str = ""
    connects: bool = False


_FILESYSTEM = Provider(
    "chuklocal",
    renamed={"root_path": "root", "create_root": "create"},
    defaults={"root": "virtual_fs", "create": True},
    host_paths=("root",),
)

PROVIDERS: Mapping[str, Provider] = {
    "memory": Provider("chukmem", calls=Calls.INLINE, private_without="name"),
    "sqlite": Provider("chuksqlite", calls=Calls.OWN_WORKER, renamed={"db_path": "database"}, host_paths=("database",)),
    "filesystem": _FILESYSTEM,
    "local": _FILESYSTEM,
    "s3": Provider("chuks3", extra="s3", environment={"bucket_name": "S3_BUCKET_NAME"}, connects=True),
    "gcs": Provider("chukgcs", extra="gcs", connects=True),
    "google_drive": Provider("chukgdrive", extra="google_drive", connects=True),
    "e2b": Provider("chuke2b", extra="e2b", connects=True),
    "pyodide": Provider("chukpyodide", extra="pyodide"),
}
"""Of several names of one protocol, the first is the one that is told."""


def open_provider(name: str | AbstractFileSystem, options: Mapping[str, Any]) -> AbstractFileSystem:
    """Open a place for files.

    Args:
        name: one of ``PROVIDERS``, any fsspec protocol, or a filesystem that is open already.
        options: its options, by the names of chuk-virtual-fs or by those of the filesystem. ``memory`` without a
            ``name`` is a store of its own, which ends with the filesystem.

    Raises:
        ImportError: for a provider that is not installed, naming what to install.
        OSError: of the filesystem.
        ValueError: for unknown names and options, naming the nearest known one.
    """
    if isinstance(name, AbstractFileSystem):
        if options:
            raise ValueError(f"the filesystem is open already and takes no options: {', '.join(sorted(options))}")
        return name
    provider = PROVIDERS.get(name)
    if provider is None:
        return _open_protocol(name, options)
    if provider.protocol not in PROTOCOLS:
        raise ImportError(
            f"the provider {name!r} needs the filesystem {provider.protocol}, which is not part of this version of "
            f"chuk-fsspec; it will come with: pip install 'chuk-fsspec[{provider.extra}]'"
        )
    given = _translated(name, provider, options)
    kind: Any = PROTOCOLS[provider.protocol].load()
    if provider.private_without and provider.private_without not in given:
        return kind.private(**given)
    return kind(**given, skip_instance_cache=True)


def close_provider(fs: AbstractFileSystem) -> None:
    """Close what a place for files is connected to, if it is. OSError of the service."""
    protocol = protocol_of(fs)
    if any(one.connects for one in PROVIDERS.values() if one.protocol == protocol):
        fs.close()


def provider_name(fs: AbstractFileSystem) -> str:
    """The name of what a filesystem is; its protocol where chuk-virtual-fs has no name for it."""
    return name_of_protocol(protocol_of(fs))


def name_of_protocol(protocol: str) -> str:
    """The name of a provider by its protocol; the protocol itself where there is none."""
    return next((name for name, provider in PROVIDERS.items() if provider.protocol == protocol), protocol)


def calls_of(fs: AbstractFileSystem) -> Calls:
    """How coroutines reach a filesystem that nothing is put over."""
    protocol = protocol_of(fs)
    return next((one.calls for one in PROVIDERS.values() if one.protocol == protocol), Calls.THREAD)


def _open_protocol(name: str, options: Mapping[str, Any]) -> AbstractFileSystem:
    known = [*PROVIDERS, *PROTOCOLS, *available_protocols()]
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(PROVIDERS)}, and fsspec's protocols"
        raise ValueError(f"unknown provider {name!r}; {hint}")
    return fsspec.filesystem(name, **options)


def _translated(name: str, provider: Provider, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by the names of the filesystem. ValueError."""
    kind: Any = PROTOCOLS[provider.protocol].load()
    parameters = inspect.signature(kind.__init__).parameters
    known = [*provider.renamed, *(one for one in parameters if one not in _NOT_FOR_USERS)]
    given: dict[str, Any] = {}
    for key, value in options.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known)}"
            raise ValueError(f"unknown option {key!r} of the provider {name!r}; {hint}")
        own = provider.renamed.get(key, key)
        if own in given:
            raise ValueError(f"{key!r} and {own!r} are the same option; give one of them")
        given[own] = value
    found = {option: os.environ.get(name) for option, name in provider.environment.items()}
    given = {**provider.defaults, **{option: value for option, value in found.items() if value}, **given}
    for key in provider.host_paths:
        if given.get(key) and given[key] != _IN_MEMORY:
            given[key] = os.path.abspath(os.fspath(given[key]))
    return given
