"""Named settings: five that come with the library, with the values that users of chuk-virtual-fs know, and your own."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from chuk_fsspec.wrappers.security.rules import Settings

KIB, MIB, GIB = 1024, 1024**2, 1024**3

BUILT_IN: Mapping[str, Settings] = MappingProxyType(
    {
        "default": Settings(
            max_file_size=10 * MIB,
            max_total_size=100 * MIB,
            max_files=1000,
            max_path_depth=10,
            denied_paths=("/etc/passwd", "/etc/shadow", "/etc/ssh"),
            denied_patterns=(r"\.\.", r"\.env", r"\.ssh", r"\.aws", r"\.config"),
        ),
        "strict": Settings(
            max_file_size=1 * MIB,
            max_total_size=20 * MIB,
            max_files=100,
            max_path_depth=5,
            allowed_paths=("/home", "/tmp"),  # noqa: S108 - a path of the filesystem that is wrapped
            denied_paths=("/etc", "/bin", "/sbin", "/usr", "/var", "/root"),
            denied_patterns=(r"\.\.", r"^\.", r".*\.exe", r".*\.sh"),
        ),
        "readonly": Settings(
            max_file_size=10 * MIB,
            max_total_size=100 * MIB,
            max_files=5000,
            max_path_depth=15,
            read_only=True,
        ),
        "untrusted": Settings(
            max_file_size=512 * KIB,
            max_total_size=5 * MIB,
            max_files=50,
            max_path_depth=3,
            allowed_paths=("/sandbox",),
            denied_paths=("/etc", "/bin", "/home", "/usr"),
            denied_patterns=(r"\.\.", r"^\.", r".*\.(exe|sh|bat|cmd|py|rb|pl)$"),
        ),
        "testing": Settings(
            max_file_size=100 * MIB,
            max_total_size=1 * GIB,
            max_files=10_000,
            max_path_depth=20,
            denied_patterns=(r".*\.malicious",),
        ),
    }
)
"""The profiles that come with the library."""

_registered: dict[str, Settings] = {}
_lock = threading.RLock()


def register_profile(name: str, settings: Mapping[str, Any]) -> None:
    """Give settings a name for this process. Others that are to open the same URL have to register it too.

    Args:
        name: not one of ``BUILT_IN``; registering a name again replaces it for filesystems opened from then on.
        settings: values of ``Settings`` by name; what is left out has the value of ``Settings``: no limit, no rule.

    Raises:
        ValueError: for the name of a built-in profile, unknown keys, or bad values.
    """
    if not name or name in BUILT_IN:
        raise ValueError(f"a profile needs a name of its own, not {name!r}")
    made = settings_of(settings)
    with _lock:
        _registered[name] = made


def get_available_profiles() -> list[str]:
    """The names of all profiles, built-in ones first."""
    return [*BUILT_IN, *_registered]


def get_profile_settings(name: str) -> dict[str, Any]:
    """The values of a profile, as plain values by name. ValueError for an unknown one."""
    settings = _named(name)
    values = {one.name: getattr(settings, one.name) for one in fields(Settings)}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def settings_of(profile: str | Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Settings:
    """The settings of a profile with some values replaced.

    Args:
        profile: a profile's name, or values of ``Settings`` by name; these may name a profile under ``profile``, whose
            values stand for those left out.
        overrides: values that replace those of the profile.

    Raises:
        ValueError: for an unknown profile or key, or a bad value.
    """
    given = {"profile": profile} if isinstance(profile, str) else dict(profile)
    values = {**given, **(overrides or {})}
    base = values.pop("profile", None)
    known = [one.name for one in fields(Settings)]
    unknown = sorted(values.keys() - set(known))
    if unknown:
        raise ValueError(f"unknown settings {', '.join(unknown)}; there are {', '.join(known)}")
    start = Settings() if base is None else _named(base)
    return Settings(**{**{name: getattr(start, name) for name in known}, **values})


def _named(name: str) -> Settings:
    settings = BUILT_IN.get(name) or _registered.get(name)
    if settings is None:
        raise ValueError(f"unknown profile {name!r}; there are {', '.join(get_available_profiles())}")
    return settings
