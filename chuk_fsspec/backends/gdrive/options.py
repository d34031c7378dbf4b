"""How a folder of a Google Drive is used."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

SERVICE = "https://www.googleapis.com"
ENDPOINT = "GOOGLE_DRIVE_ENDPOINT_URL"
"""The variable that says where the service is, if it is elsewhere."""
MOST_OF_A_PROPERTY = 124
"""Bytes of the name and the value of a property together."""
_PART_UNIT = 256 << 10
_LARGEST_WHOLE = 4 << 20
"""Bytes that are sent in one request; Drive takes 5 MB in those that hold metadata, too."""


@dataclass(frozen=True)
class DriveOptions:
    """What is said of a filesystem, its credentials apart.

    Attributes:
        root_folder: the folder of the Drive that is ``/``, made when it is first needed; ``a/b`` for one in another.
        cache_ttl: seconds for which the identifier of a path is believed; 0 to ask each time.
        session_id: noted with every file that is written, as the property ``session_id``; empty for none.
        sandbox_id: likewise.
        use_trash: whether what is removed or replaced by a move goes to the trash, and not away for good.
        endpoint_url: where the service is.
        workers: threads that make requests.
        part_size: bytes of each part of a file that is sent or read in parts, but the last.
        drive_id: of the shared drive that has the folder; empty for My Drive.
    """

    root_folder: str = "CHUK"
    cache_ttl: float = 60.0
    session_id: str = ""
    sandbox_id: str = ""
    use_trash: bool = True
    endpoint_url: str = SERVICE
    workers: int = 8
    part_size: int = 8 << 20
    drive_id: str = ""

    def __post_init__(self) -> None:
        """ValueError for options that mean nothing."""
        if not self.folders or any(name in (".", "..") for name in self.folders):
            raise ValueError(
                f"root_folder={self.root_folder!r} is no folder of My Drive: give it a name, such as 'CHUK'"
            )
        if self.cache_ttl < 0:
            raise ValueError("cache_ttl is a number of seconds, and not negative")
        if self.workers < 1:
            raise ValueError("workers is at least 1")
        if self.part_size < _PART_UNIT or self.part_size % _PART_UNIT:
            raise ValueError(f"part_size is a multiple of {_PART_UNIT} bytes (256 KiB), which Drive asks of parts")
        for name, value in self.properties.items():
            if len(f"{name}{value}".encode()) > MOST_OF_A_PROPERTY:
                raise ValueError(f"{name} has more bytes than Drive keeps ({MOST_OF_A_PROPERTY}, its name included)")
        if urlsplit(self.endpoint_url).scheme not in ("http", "https"):
            raise ValueError("endpoint_url begins with https:// or http://")

    @property
    def largest_whole(self) -> int:
        """Bytes of a file that is sent in one request."""
        return min(_LARGEST_WHOLE, self.part_size)

    @property
    def folders(self) -> list[str]:
        """The names on the way from My Drive to the folder."""
        return [name for name in self.root_folder.split("/") if name]

    @property
    def properties(self) -> dict[str, str]:
        """What is noted with every file."""
        noted = {"session_id": self.session_id, "sandbox_id": self.sandbox_id}
        return {name: value for name, value in noted.items() if value}
