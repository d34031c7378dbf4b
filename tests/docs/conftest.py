"""The services that some pages are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import fsspec
import pytest

from tests.remote.services import ENVIRONMENTS

SERVICES = {
    "buckets.md": ("gcs", "s3"),
    "e2b.md": ("e2b",),
    "gcs.md": ("gcs",),
    "gdrive.md": ("gdrive",),
    "s3.md": ("s3",),
}
"""What the blocks of a page reach."""


@pytest.fixture(autouse=True)
def _services(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Servers of this machine for the services that a page works with, found by the environment."""
    callspec = getattr(request.node, "callspec", None)
    page = callspec.params.get("page") if callspec else None
    with ExitStack() as stack:
        for name in SERVICES.get(page.name, ()) if page is not None else ():
            variables = stack.enter_context(ENVIRONMENTS[name]())
            for variable, value in variables.items():
                monkeypatch.setenv(variable, value)
            options: dict[str, Any] = {}
            fsspec.config.set_conf_env(options, variables)  # as fsspec does when it is imported
            for protocol, defaults in options.items():
                monkeypatch.setitem(fsspec.config.conf, protocol, defaults)
        yield
        for name in ENVIRONMENTS:
            kind = fsspec.registry.get(f"chuk{name}")
            if kind is not None:
                kind.clear_instance_cache()
