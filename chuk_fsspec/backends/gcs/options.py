"""Where a bucket is, and who asks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PART_UNIT = 256 << 10
"""Each part of an upload but the last is a multiple of so many bytes."""
_EMULATOR = "STORAGE_EMULATOR_HOST"


@dataclass(frozen=True)
class ServiceOptions:
    """How the service is reached.

    Attributes:
        project: the Google Cloud project, which owns new buckets; empty for ``GOOGLE_CLOUD_PROJECT`` or that of the
            credentials.
        token: as gcsfs has it: a file, a dictionary, "anon", "google_default", "cloud"; None for the first that works.
        access: "read_only", "read_write" or "full_control".
        endpoint_url: another server than Google's, without a path; empty for Google's.
        location: of new buckets; empty for the service's own choice.
        requester_pays: pay for requests to buckets whose owner does not; a string names the project that pays.
        session_kwargs: for ``aiohttp.ClientSession``.
    """

    project: str = ""
    token: Any = field(default=None, repr=False)
    access: str = "full_control"
    endpoint_url: str = ""
    location: str = ""
    requester_pays: bool | str = False
    session_kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """ValueError for what no server can be reached by."""
        if self.access not in ("read_only", "read_write", "full_control"):
            raise ValueError(f"access={self.access!r} is not 'read_only', 'read_write' or 'full_control'")
        if self.endpoint_url and not self.endpoint_url.startswith(("http://", "https://")):
            raise ValueError("endpoint_url begins with http:// or https://")

    @property
    def found_project(self) -> str:
        """The project that was given, or that the environment names."""
        return self.project or os.environ.get("GOOGLE_CLOUD_PROJECT", "")

    @property
    def sign_in(self) -> Any:
        """The token that gcsfs is given. An emulator asks nobody who he is."""
        is_emulated = os.environ.get(_EMULATOR, "") not in ("", "default")
        return "anon" if self.token is None and is_emulated else self.token


@dataclass(frozen=True)
class Use:
    """How the service is used.

    Attributes:
        posix: keep modes, owners, times and symbolic links in the objects' metadata.
        part_size: bytes of one part of an upload, and of one piece of a stream.
        parallel: how many requests may be on their way at once.
        timeout: seconds for one attempt.
        attempts: for one request, the first included.
    """

    posix: bool = False
    part_size: int = 8 << 20
    parallel: int = 32
    timeout: float = 60.0
    attempts: int = 5

    def __post_init__(self) -> None:
        """ValueError for what cannot be."""
        if self.part_size < PART_UNIT or self.part_size % PART_UNIT:
            raise ValueError(f"part_size is a multiple of {PART_UNIT} bytes (256 KiB), which the service asks of parts")
        if self.parallel < 1:
            raise ValueError("parallel is at least 1")
