"""Giving back the space of what no snapshot needs any more.

At every moment each needed blob is in a pack that an index names: new packs come before the new index, that before the
old indexes go, and those before the old packs. A process that is killed in between leaves rubbish and no gap.
"""

from __future__ import annotations

from dataclasses import dataclass

from chuk_fsspec.wrappers.snapshots.repository.locks import removing
from chuk_fsspec.wrappers.snapshots.repository.packs import PackBuilder, Row
from chuk_fsspec.wrappers.snapshots.repository.repository import Repository

_WORTHWHILE = 0.5
"""A pack is written anew when less than this part of it is needed."""


@dataclass(frozen=True)
class Collected:
    """What was given back.

    Attributes:
        packs: files that were removed.
        bytes: how much smaller the store is.
    """

    packs: int = 0
    bytes: int = 0


def collect(repository: Repository) -> Collected:
    """Remove what no snapshot refers to. EBUSY while another process is at work on the store."""
    storage, index = repository.storage, repository.index
    with removing(storage) as lock:
        for directory in ("packs", "index"):
            storage.sweep(directory)
        index.refresh()
        index.adopt()
        needed = reachable(repository)
        stored = {name: int(info["size"]) for name, info in storage.names("packs").items()}
        kept, sparse, useless = _sorted(index.packs, needed)
        old = index.files
        if not (sparse or useless) and len(old) < 2:
            return Collected()
        written: list[tuple[str, list[Row]]] = []
        added = 0
        for name, rows in sparse:
            lock.refresh()
            pack = _without_the_rest(storage.read(f"packs/{name}"), [row for row in rows if row.blob in needed])
            new, data = pack.build()
            storage.write(f"packs/{new}", data)
            written.append((new, pack.rows))
            added += len(data)
        lock.refresh()
        current = {index.write([*kept, *written])} if kept or written else set()
        for name in old - current:
            storage.remove(f"index/{name}")
        gone = [name for name, _ in sparse] + useless
        for name in gone:
            lock.refresh()
            storage.remove(f"packs/{name}")
        index.refresh()
        return Collected(len(gone), sum(stored.get(name, 0) for name in gone) - added)


def reachable(repository: Repository) -> set[bytes]:
    """The ids of all blobs that some snapshot needs. EIO if a directory is missing: then nothing may be removed."""
    found: set[bytes] = set()
    waiting = [snapshot.entry.tree for snapshot in repository.records.all()]
    while waiting:
        tree = waiting.pop()
        key = bytes.fromhex(tree)
        if key in found:
            continue
        found.add(key)
        for entry in repository.tree(tree):
            if entry.tree:
                waiting.append(entry.tree)
            found.update(bytes.fromhex(blob) for blob in entry.content)
    return found


_Packs = list[tuple[str, list[Row]]]


def _sorted(packs: dict[str, list[Row]], needed: set[bytes]) -> tuple[_Packs, _Packs, list[str]]:
    """Packs to keep, packs with much that is not needed, and names of those without anything that is."""
    kept: _Packs = []
    sparse: _Packs = []
    useless: list[str] = []
    for name, rows in packs.items():
        used = sum(row.length for row in rows if row.blob in needed)
        if used == 0:
            useless.append(name)
        elif used < _WORTHWHILE * sum(row.length for row in rows):
            sparse.append((name, rows))
        else:
            kept.append((name, rows))
    return kept, sparse, useless


def _without_the_rest(data: bytes, rows: list[Row]) -> PackBuilder:
    pack = PackBuilder()
    for row in rows:
        pack.add(row.blob, data[row.offset : row.offset + row.length], row.how)
    return pack
