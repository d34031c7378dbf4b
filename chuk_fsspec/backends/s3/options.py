"""How a service that speaks S3 is reached."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

ENGINES = ("s3fs", "obstore")
CONDITIONS = ("all", "writes", "none")

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_CHECKSUMS = ("request_checksum_calculation", "response_checksum_validation")

_PART_MIN = 5 << 20
"""Bytes that each part of an upload but the last has at least (Amazon S3, multipart upload limits)."""


@dataclass(frozen=True)
class Access:
    """Who asks, and where; what is empty is found as the AWS command line finds it: environment, files, machine.

    Attributes:
        endpoint_url: of a service that is not Amazon's; empty for ``AWS_ENDPOINT_URL_S3`` or Amazon.
        region: of the service; empty for ``AWS_REGION``, ``AWS_DEFAULT_REGION`` or the profile's.
        key: the access key; never shown.
        secret: its secret.
        token: of temporary credentials.
        anon: ask without credentials.
        profile: of the AWS configuration files.
        client_kwargs: for botocore's ``create_client``.
        config_kwargs: for botocore's ``Config``.
        request_kwargs: for every request that knows them, for example ``ServerSideEncryption`` or ``RequestPayer``.
    """

    endpoint_url: str = ""
    region: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    anon: bool = False
    profile: str = ""
    client_kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    config_kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    request_kwargs: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def found_region(self) -> str:
        """The region that was given, or that the environment names; botocore itself does not look at AWS_REGION."""
        return self.region or os.environ.get("AWS_REGION", "")

    @property
    def checksums(self) -> dict[str, str]:
        """How botocore is to send checksums: not every service takes those that it adds by itself, for Amazon."""
        endpoint = self.endpoint_url or next(filter(None, map(os.environ.get, _ENDPOINTS)), "")
        if not endpoint or is_amazon(endpoint):
            return {}
        return {name: "when_required" for name in _CHECKSUMS if f"AWS_{name.upper()}" not in os.environ}


def is_amazon(endpoint: str) -> bool:
    """Whether a URL is one of Amazon's own service."""
    return (urlsplit(endpoint).hostname or "").endswith((".amazonaws.com", ".amazonaws.com.cn"))


@dataclass(frozen=True)
class Use:
    """How the service is used.

    Attributes:
        engine: what makes requests for small objects: "s3fs", or "obstore", which takes less of the processor.
        posix: keep modes, owners, times and symbolic links in the objects' metadata.
        conditions: which conditions the service checks itself: "all", as Amazon does; only those of "writes"; "none".
        part_size: bytes of one part of an upload, and of one piece of a stream.
        parallel: how many requests may be on their way at once.
        timeout: seconds for one attempt.
        attempts: for one request, the first included.
    """

    engine: str = "s3fs"
    posix: bool = False
    conditions: str = "all"
    part_size: int = 8 << 20
    parallel: int = 32
    timeout: float = 60.0
    attempts: int = 5

    def __post_init__(self) -> None:
        """ValueError for what is not known here, or cannot be."""
        if self.engine not in ENGINES:
            raise ValueError(f"engine is one of {', '.join(ENGINES)}, and not {self.engine!r}")
        if self.conditions not in CONDITIONS:
            raise ValueError(f"conditions is one of {', '.join(CONDITIONS)}, and not {self.conditions!r}")
        if self.part_size < _PART_MIN:
            raise ValueError(f"part_size is at least {_PART_MIN} bytes (5 MiB), which S3 asks of parts")
        if self.parallel < 1:
            raise ValueError("parallel is at least 1")
