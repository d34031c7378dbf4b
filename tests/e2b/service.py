"""The local service, and the environment variables by which the SDK finds it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.e2b import E2BFileSystem
from tests.e2b.server.cloud import API_KEY, Cloud
from tests.e2b.server.serving import serving


@dataclass(frozen=True)
class Service:
    """A service that runs.

    Attributes:
        cloud: what it knows.
        url: where it is.
    """

    cloud: Cloud
    url: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the SDK finds it."""
        return {
            "E2B_API_URL": self.url,
            "E2B_SANDBOX_URL": self.url,
            "E2B_HTTP_VERSION": "1.1",
            "E2B_API_KEY": API_KEY,
        }

    @contextmanager
    def filesystem(self, root: Path, **options: Any) -> Iterator[E2BFileSystem]:
        """A filesystem over a directory of this machine, in a new sandbox unless told otherwise."""
        fs = E2BFileSystem(root_dir=str(root), skip_instance_cache=True, **options)
        yield fs
        fs.close()


@contextmanager
def served(directory: Path) -> Iterator[Service]:
    """Serve sandboxes whose files are in a directory."""
    with serving(directory) as (cloud, url):
        yield Service(cloud, url)


@contextmanager
def service_in(directory: Path) -> Iterator[Service]:
    """The same, where the SDK of this process finds it."""
    with served(directory) as service, pytest.MonkeyPatch.context() as patch:
        for name, value in service.environment.items():
            patch.setenv(name, value)
        yield service
