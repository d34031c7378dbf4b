"""Reading what is to be mounted, in every form that a caller may write it; mistakes are named with the right word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from fsspec import AbstractFileSystem, available_protocols, get_filesystem_class

from chuk_fsspec.contract.paths import normalise
from chuk_fsspec.mounted.config import SOURCES, MountConfig, Wrapper, protocol_of

_KEYS = (*SOURCES, "args", "options", "read_only", "root", "wrappers")
_WRAPPER_KEYS = ("protocol", "options")


def config_of(value: Any, where: str = "fs") -> MountConfig:
    """Read what is to be mounted.

    Args:
        value: a filesystem; a pair of it and a directory in it; a URL; the name of a protocol; or a dict with the
            fields of ``MountConfig``.
        where: its place in the configuration, for messages.

    Raises:
        ValueError: for what is none of these, or has unknown keys, naming the nearest right one.
    """
    if isinstance(value, MountConfig):
        return value
    if isinstance(value, AbstractFileSystem):
        return _of_filesystem(value)
    if isinstance(value, str):
        return _of_text(value, where)
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return _of_dict({**config_of(value[0], where).plain(), "root": value[1]}, where)
    if isinstance(value, Mapping):
        return _of_dict(value, where)
    raise ValueError(f"{where}: a filesystem, a URL, a protocol or a dict is needed, not {type(value).__name__}")


def config_with(value: Any, where: str, **more: Any) -> MountConfig:
    """As ``config_of``, with more said about it.

    Args:
        value: what is to be mounted.
        where: its place in the configuration, for messages.
        more: fields of ``MountConfig``. Options are added, wrappers are put over those that it has; empty ones say
            nothing.

    Raises:
        ValueError: as ``config_of``, and for options of a filesystem that is open already.
    """
    known = config_of(value, where).plain()
    if "filesystem" in known and more.get("options"):
        raise ValueError(f"{where}: the filesystem is open already and takes no more options")
    merged = {**known, **{key: one for key, one in more.items() if one}}
    merged["options"] = {**known.get("options", {}), **more.get("options", {})}
    merged["wrappers"] = [*more.get("wrappers", ()), *known.get("wrappers", ())]
    return _of_dict(merged, where)


def configs_of(mounts: Any, where: str = "mounts") -> dict[str, MountConfig]:
    """Read a dict from mount point to what is mounted there. ValueError, also for one mount point given twice."""
    if not isinstance(mounts, Mapping):
        raise ValueError(f"{where}: a dict from mount point to filesystem is needed, not {type(mounts).__name__}")
    found: dict[str, MountConfig] = {}
    for point, value in mounts.items():
        path = normalise(point)
        if path in found:
            raise ValueError(f"{where}: {path} is given twice")
        found[path] = config_of(value, f"{where}[{path!r}]")
    return found


def plain(configs: Mapping[str, MountConfig]) -> dict[str, dict[str, Any]]:
    """The same as plain values, which ``configs_of`` reads."""
    return {path: config.plain() for path, config in configs.items()}


def check_keys(given: Iterable[str], known: Iterable[str], where: str) -> None:
    """Refuse unknown keys. ValueError, naming the nearest right one."""
    known = list(known)
    for key in given:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            raise ValueError(f"{where}: unknown key {key!r}; {hint}")


def check_protocol(protocol: Any, where: str) -> str:
    """Refuse an unknown protocol. ValueError, naming the nearest known one."""
    known = available_protocols()
    if isinstance(protocol, str) and (protocol in known or _is_registered(protocol)):
        return protocol
    near = difflib.get_close_matches(str(protocol), known, n=1, cutoff=0.6)
    raise ValueError(f"{where}: unknown protocol {protocol!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def wrappers_of(value: Any, where: str) -> tuple[Wrapper, ...]:
    """Read a list of wrappers, each a dict or the name of a protocol. ValueError."""
    if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
        raise ValueError(f"{where}: a list of wrappers is needed, not {type(value).__name__}")
    return tuple([_wrapper_of(one, f"{where}[{number}]") for number, one in enumerate(value)])


def _wrapper_of(value: Any, where: str) -> Wrapper:
    if isinstance(value, Wrapper):
        return value
    if isinstance(value, str):
        return Wrapper(check_protocol(value, where))
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: a dict or a protocol is needed, not {type(value).__name__}")
    check_keys(value, _WRAPPER_KEYS, where)
    return Wrapper(check_protocol(value.get("protocol"), where), _options_of(value, where))


def _of_dict(value: Mapping[str, Any], where: str) -> MountConfig:
    check_keys(value, _KEYS, where)
    sources = [key for key in SOURCES if value.get(key)]
    if len(sources) != 1:
        raise ValueError(f"{where}: give one of {', '.join(SOURCES)}, not {' and '.join(sources) or 'none'}")
    if value.get("url") and value.get("root"):
        raise ValueError(f"{where}: the root of a URL is its path; give no other")
    read_only, root, fs = value.get("read_only", False), value.get("root") or "", value.get("filesystem")
    if not isinstance(read_only, bool):
        raise ValueError(f"{where}.read_only: true or false is needed, not {read_only!r}")
    if not isinstance(root, str):
        raise ValueError(f"{where}.root: a path is needed, not {type(root).__name__}")
    if fs is not None and not isinstance(fs, AbstractFileSystem):
        raise ValueError(f"{where}.filesystem: an open filesystem is needed, not {type(fs).__name__}")
    return MountConfig(
        protocol=check_protocol(value["protocol"], where) if value.get("protocol") else "",
        url=_check_url(value.get("url") or "", where),
        filesystem=fs,
        args=tuple(value.get("args", ())),
        options=_options_of(value, where),
        read_only=read_only,
        root=root,
        wrappers=wrappers_of(value.get("wrappers", ()), f"{where}.wrappers"),
    )


def _of_text(text: str, where: str) -> MountConfig:
    """A URL, a path of this machine, or a protocol."""
    if "://" in text or "::" in text or text.startswith(("/", ".", "~")):
        return MountConfig(url=_check_url(text, where))
    return MountConfig(protocol=check_protocol(text, where))


def _of_filesystem(fs: AbstractFileSystem) -> MountConfig:
    """What makes the filesystem again in each thread, where its arguments do that; else the object itself."""
    protocol = protocol_of(fs)
    kind = type(fs)
    if not _is_registered(protocol) or get_filesystem_class(protocol) is not kind:
        return MountConfig(filesystem=fs)
    if kind._cache.get(fs._fs_token) is not fs:  # noqa: SLF001 - nothing public tells whether fsspec keeps it
        return MountConfig(filesystem=fs)
    if _holds_filesystem([fs.storage_args, fs.storage_options]):
        return MountConfig(filesystem=fs)
    return MountConfig(protocol=protocol, args=tuple(fs.storage_args), options=dict(fs.storage_options))


def _options_of(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    options = value.get("options") or {}
    if not isinstance(options, Mapping):
        raise ValueError(f"{where}.options: a dict is needed, not {type(options).__name__}")
    return dict(options)


def _check_url(url: Any, where: str) -> str:
    if not isinstance(url, str):
        raise ValueError(f"{where}.url: a URL is needed, not {type(url).__name__}")
    for part in url.split("::") if url else ():
        name, separator, _ = part.partition("://")
        if separator:
            check_protocol(name, where)
    return url


def _is_registered(protocol: str) -> bool:
    try:
        get_filesystem_class(protocol)
    except ValueError:
        return False
    except ImportError:  # known, and its package is missing: opening it says what to install
        return True
    return True


def _holds_filesystem(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_filesystem(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return any(_holds_filesystem(one) for one in value)
    return isinstance(value, AbstractFileSystem)
