"""The filesystems that are attacked. Each is one entry: what the attacker holds, and what it must not reach.

Every stage has the directory ``/w`` for the attacker, a directory of the host with a canary in it next to whatever the
stage keeps on the host, and canaries of its own.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.attacks.canaries import Canary, HostCanary, State, StoreCanary, differing


@dataclass(frozen=True)
class Stage:
    """One filesystem under attack.

    Args:
        kind: its name.
        fs: what the attacker is given.
        base: a directory of the host: it holds the canary ``outside`` and, next to it, what belongs to the stage.
        canaries: what is watched.
        areas: directories of the attacker, each on another filesystem.
        places: where the canaries are, from the root or, by climbing, from above it; without a slash before.
        clear: empties what the attacker could have filled, past all rules.
        root: the directory of the host that is the attacker's tree, if it is one.
    """

    kind: str
    fs: Any
    base: Path
    canaries: tuple[Canary, ...]
    areas: tuple[str, ...]
    places: tuple[str, ...]
    clear: Callable[[], None]
    root: Path | None = None
    _built: list[State] = field(default_factory=list)

    def reset(self) -> None:
        """Build everything anew."""
        self.clear()
        for canary in self.canaries:
            canary.build()
        for area in self.areas:
            self.fs.pipe({f"{area}/file": b"inside", f"{area}/dir/file": b"inside", f"{area}/dir/sub/file": b"inside"})
        self._built[:] = [canary.state() for canary in self.canaries]

    def changes(self) -> list[str]:
        """Paths of canaries that are not as they were built."""
        return [
            path
            for canary, built in zip(self.canaries, self._built, strict=True)
            for path in differing(built, canary.state())
        ]


def memory(base: Path) -> Stage:
    """chukmem: outside are the host and every other store."""
    fs, other = MemoryFileSystem(name=new_name()), MemoryFileSystem(name=new_name())
    canaries = (HostCanary(base / "outside"), StoreCanary(other, "/"))
    places = (*_on_the_host(base), other.name)
    return Stage("chukmem", fs, base, canaries, ("/w",), places, emptied(fs))


def mounted(base: Path) -> Stage:
    """chukmount: outside are what mounts cover, what lies above a mounted directory, and the host."""
    top, data, covering, part = (MemoryFileSystem(name=new_name()) for _ in range(4))
    part.makedirs("/inside", exist_ok=True)
    mounts = {
        "/": top,
        "/data": data,
        "/data/covered": covering,
        "/part": (part, "/inside"),
    }
    canaries = (
        HostCanary(base / "outside"),
        StoreCanary(top, "/data"),
        StoreCanary(data, "/covered"),
        StoreCanary(part, "/outside"),
    )
    places = ("data", "covered", *_on_the_host(base))
    clear = emptied(top, data, covering, (part, "/inside"))
    return Stage("chukmount", MountedFileSystem(mounts), base, canaries, ("/w", "/data/w", "/part/w"), places, clear)


def local(base: Path) -> Stage:
    """chuklocal: outside is the host, and first of all what lies next to the root."""
    root = base / f"root-{uuid.uuid4().hex}"
    root.mkdir()
    beside = base / f"{root.name}_evil"
    canaries = (HostCanary(base / "outside"), HostCanary(beside))
    places = (*_on_the_host(base), beside.name)

    def clear() -> None:
        for path in root.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    # A crash of the machine is no attack, and waiting for the disk takes most of the time.
    fs = LocalFileSystem(root=str(root), durable=False)
    return Stage("chuklocal", fs, base, canaries, ("/w",), places, clear, root)


def secure(base: Path) -> Stage:
    """chuksecure over chukmem: outside is what it does not allow, denies and hides."""
    store = MemoryFileSystem(name=new_name())
    fs = SecureFileSystem(
        fs=store, profile={}, allowed_paths=["/w"], denied_paths=["/w/denied"], hidden_paths=["/w/hidden"]
    )
    hidden = ("/w/denied", "/w/hidden", "/outside", "/w_evil")
    canaries: list[Canary] = [HostCanary(base / "outside")]
    canaries += [StoreCanary(store, path) for path in hidden]
    places = (*(path[1:] for path in hidden), *_on_the_host(base)[1:])
    return Stage("chuksecure", fs, base, tuple(canaries), ("/w",), places, emptied(store))


def workspace(base: Path) -> Stage:
    """chuksecure over chukmount over two chukmem and a chuklocal: what an agent works in."""
    host = local(base)
    top, data = MemoryFileSystem(name=new_name()), MemoryFileSystem(name=new_name())
    tree = MountedFileSystem({"/": top, "/data": data, "/local": host.fs})
    areas = ("/w", "/data/w", "/local/w")
    kept = [f"{area}/{name}" for area in areas for name in ("denied", "hidden")]
    fs = SecureFileSystem(
        fs=tree, profile={}, allowed_paths=areas, denied_paths=kept[::2], hidden_paths=kept[1::2], case_fold=True
    )
    canaries = [*host.canaries, StoreCanary(top, "/data"), StoreCanary(data, "/x")]
    canaries += [StoreCanary(tree, path) for path in kept]
    places = ("w/denied", "data/w/hidden", "local/w/Denied", "data/x", *host.places)

    def clear() -> None:
        host.clear()
        emptied(top, data)()

    return Stage("workspace", fs, base, tuple(canaries), areas, places, clear)


STAGES: dict[str, Callable[[Path], Stage]] = {
    "chuklocal": local,
    "chukmem": memory,
    "chukmount": mounted,
    "chuksecure": secure,
    "workspace": workspace,
}


def new_name() -> str:
    """A name that no store has."""
    return f"attack-{uuid.uuid4().hex}"


def _on_the_host(base: Path) -> tuple[str, ...]:
    """The canary of the host, from a directory next to it and from the host's root."""
    return "outside", f"{base}/outside"[1:]


def emptied(*stores: Any) -> Callable[[], None]:
    """Empties filesystems, or directories of them, past all rules."""
    directories = [store if isinstance(store, tuple) else (store, "/") for store in stores]

    def clear() -> None:
        for fs, directory in directories:
            for path in fs.ls(directory, detail=False):
                fs.rm(path, recursive=True)

    return clear
