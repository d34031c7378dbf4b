"""How much may come out of an archive, counted while it comes out and never believed beforehand."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from chuk_fsspec.archives.refusal import refused
from chuk_fsspec.contract.limits import REASONS, Limits
from chuk_fsspec.contract.paths import NAME_MAX

_CODES = {"max_path_depth": errno.ENAMETOOLONG, "max_file_size": errno.EFBIG}


@dataclass(frozen=True)
class ArchiveLimits(Limits):
    """What an import takes at most: as of a filesystem, and what archives alone can do; 0 is without limit.

    Attributes:
        max_file_size: bytes of content, in one file.
        max_total_size: bytes of content, in all.
        max_files: members of the archive, of every kind.
        max_path_depth: names in the path of a member.
        name_bytes: length of one name.
        ratio: bytes that come out for each byte of the archive.
        ratio_from: bytes that may come out before the ratio counts: a small archive of zeros is no attack.
        header_bytes: what describes one member besides its content: extended headers, long names, maps of holes.
    """

    max_file_size: int = 4 << 30
    max_total_size: int = 10 << 30
    max_files: int = 200_000
    max_path_depth: int = 128
    name_bytes: int = NAME_MAX
    ratio: int = 200
    ratio_from: int = 128 << 20
    header_bytes: int = 1 << 20

    def require(self, member: str | None, **figures: int) -> None:
        """Refuse what exceeds a limit that filesystems have, too: EFBIG, EDQUOT, ENAMETOOLONG.

        Args:
            member: as the archive names it; None for the archive as a whole.
            figures: as ``exceeded`` takes them.
        """
        limit = self.exceeded(**figures)
        if limit:
            why = f"{REASONS[limit]} ({limit}={getattr(self, limit)})"
            raise refused(limit, why, member, _CODES.get(limit, errno.EDQUOT))


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
        self.limits.require(path, files=count)

    def require_header(self, count: int, path: str | None = None) -> None:
        """Refuse to read so many bytes of what describes one member. EFBIG."""
        if 0 < self.limits.header_bytes < count:
            why = f"a description of more than {self.limits.header_bytes} bytes"
            raise refused("header_bytes", why, path, errno.EFBIG)

    def _require_sizes(self, path: str, more: int) -> None:
        self.limits.require(path, file_size=self._in_file + more, total_size=self.content + more)

    def _require_ratio(self, out: int, path: str | None) -> None:
        if out > self.limits.ratio_from and 0 < self.limits.ratio < out / max(self.taken, 1):
            why = f"more than {self.limits.ratio} bytes come out for each byte of the archive"
            raise refused("ratio", why, path, errno.EDQUOT)
