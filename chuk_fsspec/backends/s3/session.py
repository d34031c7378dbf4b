"""The session by which botocore's clients are made."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any

from aiobotocore.session import AioSession
from botocore.loaders import Loader
from botocore.utils import parse_timestamp


def new_session(profile: str = "") -> Any:
    """A session whose clients read times by ``moment``: botocore's own way is most of the work of a listing.

    It shares with others the descriptions of services, 12 MB that botocore would read for each.

    Args:
        profile: of the AWS configuration files; empty for the usual one.
    """
    session = AioSession(profile=profile or None)
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment)
    session.register_component("data_loader", _descriptions(profile))
    return session


@cache
def _descriptions(profile: str) -> Loader:
    loader: Loader = AioSession(profile=profile or None).get_component("data_loader")
    return loader


def moment(told: Any) -> datetime:
    """A time as a service tells it: that of a listing (RFC 3339, in UTC) at once, any other as botocore reads it."""
    if isinstance(told, str) and told.endswith("Z"):
        with suppress(ValueError):
            return datetime.fromisoformat(f"{told[:-1]}+00:00")
    found: datetime = parse_timestamp(told)
    return found
