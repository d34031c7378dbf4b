"""How much may come out of an archive, counted while it comes out and never believed beforehand."""

from __future__ import annotations

import errno
from dataclasses import dataclass, fields

from chuk_fsspec.archives.refusal import refused
from chuk_fsspec.contract.paths import NAME_MAX


@dataclass(frozen=True)
class ArchiveLimits:
    """What an import takes at most; 0 is without limit.

    Attributes:
        total_bytes: of content, in all.
        file_bytes: of content, in one file.
        members: entries of the archive, of every kind.
        depth: names in a path.
        name_bytes: length of one name.
        ratio: bytes that come out for each byte of the archive.
        ratio_from: bytes that may come out before the ratio counts: a small archive of zeros is no attack.
        header_bytes: what describes one member besides its content: extended headers, long names, maps of holes.
    """

    total_bytes: int = 10 << 30
    file_bytes: int = 4 << 30
    members: int = 200_000
    depth: int = 128
    name_bytes: int = NAME_MAX
    ratio: int = 200
    ratio_from: int = 128 << 20
    header_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        for limit in fields(self):
            if getattr(self, limit.name) < 0:
                raise ValueError(f"{limit.name} must be 0, for no limit, or more, not {getattr(self, limit.name)}")


class Meter:
    """What one import has taken in and given out so far."""

    def __init__(self, limits: ArchiveLimits) -> None:
        self.limits = limits
        self.taken = 0
        """Bytes of the archive that were read."""
        self.members = 0
        self.content = 0
        self._unpacked = 0
        self._in_file = 0

    def take(self, count: int) -> None:
        """Count bytes of the archive."""
        self.taken += count

    def unpack(self, count: int) -> None:
        """Count bytes of a decompressed stream, headers included. EDQUOT past the ratio."""
        self._unpacked += count
        self._require_ratio(self._unpacked, None)

    def begin(self, path: str, size: int | None) -> None:
        """Count a member, with the size that the archive declares. EDQUOT, EFBIG."""
        self.members += 1
        self._in_file = 0
        self.require_members(self.members, path)
        self._require_sizes(path, size or 0)

    def give(self, path: str, count: int) -> None:
        """Count bytes of a member's content that came out. EDQUOT, EFBIG."""
        self._require_sizes(path, count)
        self._in_file += count
        self.content += count
        self._require_ratio(self.content, path)

    def require_members(self, count: int, path: str | None = None) -> None:
        """Refuse too many members. EDQUOT."""
        if 0 < self.limits.members < count:
            raise refused("members", f"it has more than {self.limits.members} members", path, errno.EDQUOT)

    def require_header(self, count: int, path: str | None = None) -> None:
        """Refuse to read so many bytes of what describes one member. EFBIG."""
        if 0 < self.limits.header_bytes < count:
            why = f"a description of more than {self.limits.header_bytes} bytes"
            raise refused("header_bytes", why, path, errno.EFBIG)

    def _require_sizes(self, path: str, more: int) -> None:
        limits = self.limits
        if 0 < limits.file_bytes < self._in_file + more:
            raise refused("file_bytes", f"a file may have {limits.file_bytes} bytes", path, errno.EFBIG)
        if 0 < limits.total_bytes < self.content + more:
            raise refused("total_bytes", f"all files may have {limits.total_bytes} bytes", path, errno.EDQUOT)

    def _require_ratio(self, out: int, path: str | None) -> None:
        if out > self.limits.ratio_from and 0 < self.limits.ratio < out / max(self.taken, 1):
            why = f"more than {self.limits.ratio} bytes come out for each byte of the archive"
            raise refused("ratio", why, path, errno.EDQUOT)
