"""chuk-fsspec: filesystems for agents, notebooks and pipelines, as fsspec protocols and as real mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chuk_fsspec.backends.memory import MemoryFileSystem
    from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of

__version__ = "0.1.0"

_HOMES = {
    "Capabilities": "chuk_fsspec.contract.capabilities",
    "MemoryFileSystem": "chuk_fsspec.backends.memory",
    "capabilities_of": "chuk_fsspec.contract.capabilities",
}

__all__ = ["Capabilities", "MemoryFileSystem", "__version__", "capabilities_of"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package stays cheap."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
