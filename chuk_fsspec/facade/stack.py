"""What a facade stands on: a place for files, mounts in it if they are wanted, rules over all of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.facade.providers import Calls, calls_of, open_provider, provider_name
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem

_RULES = "security_"


@dataclass(frozen=True)
class Stack:
    """A filesystem and what it is made of.

    Attributes:
        fs: the whole.
        name: the provider's.
        tree: where filesystems can be mounted; None without mounts.
        guard: what keeps the rules; None without any.
        calls: how coroutines reach the whole.
        own: the place for files, if it was opened for this alone.
    """

    fs: AbstractFileSystem
    name: str
    tree: MountedFileSystem | None
    guard: SecureFileSystem | None
    calls: Calls
    own: AbstractFileSystem | None


def open_stack(
    provider: str | AbstractFileSystem,
    profile: str | Mapping[str, Any] | None,
    enable_mounts: bool,
    options: Mapping[str, Any],
) -> Stack:
    """Open a place for files and put over it what is asked for.

    Args:
        provider: as ``open_provider``.
        profile: of ``chuksecure``; None for no rules unless there are options for them.
        enable_mounts: whether filesystems can be mounted.
        options: those that begin with ``security_`` are of ``chuksecure``, the others are the provider's.

    Raises:
        ImportError: as ``open_provider``.
        OSError: as ``open_provider``.
        ValueError: as ``open_provider``, and for unknown rules.
    """
    rules = {key[len(_RULES) :]: value for key, value in options.items() if key.startswith(_RULES)}
    below = open_provider(provider, {key: value for key, value in options.items() if not key.startswith(_RULES)})
    fs, calls = whole_files(below), calls_of(below)
    tree = MountedFileSystem({"/": fs}) if enable_mounts else None
    if tree is not None:
        fs = tree
    guard = None
    if profile is not None or rules:
        fs = guard = _guard(fs, profile, rules)
    # A worker of a filesystem's own does a call again if it failed half-way; what stands above would count it twice.
    is_bare = fs is below
    if tree is not None or (calls is Calls.OWN_WORKER and not is_bare):
        calls = Calls.THREAD
    return Stack(fs, provider_name(below), tree, guard, calls, own=None if below is provider else below)


def whole_files(fs: AbstractFileSystem) -> AbstractFileSystem:
    """A filesystem on which files appear whole: the same, or ``chukstream`` over it."""
    can = capabilities_of(fs)
    return fs if can.atomic_write or not can.write else StreamFileSystem(fs)


def _guard(
    fs: AbstractFileSystem, profile: str | Mapping[str, Any] | None, rules: Mapping[str, Any]
) -> SecureFileSystem:
    """Rules are handed on as a profile, since a profile with an unknown key is refused."""
    base: Mapping[str, Any] = profile if isinstance(profile, Mapping) else {"profile": profile or "default"}
    return SecureFileSystem(fs, profile={**base, **rules})
