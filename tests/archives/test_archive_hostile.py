"""Every hostile archive is refused by the rule that it breaks, and leaves everything as it was."""

from __future__ import annotations

import errno
import io
import os
import tracemalloc
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_fsspec.archives import ArchiveLimits, ArchiveRefused, import_archive
from chuk_fsspec.backends.memory import drop_store
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.archives.archive_bytes import GOOD, MEBI, SOUND, entry, tar
from tests.archives.hostile_archives import ALL, Hostile
from tests.attacks.canaries import HostCanary, StoreCanary, differing

KINDS = (
    *("chukmem", "chuksqlite", "chuklocal", "secure chukmem"),
    pytest.param("secure chuklocal", marks=pytest.mark.slow),
)


@dataclass
class Target:
    """A filesystem that is imported into, and all that must stay as it is."""

    fs: Any
    below: Any
    host: HostCanary
    directory: Path

    def state(self) -> dict[str, tuple[Any, ...]]:
        names = dict.fromkeys(self.below.find("/", withdirs=True), ())
        store = StoreCanary(self.below, "/", secret=False).state()
        files = {path: seen for path, seen in store.items() if self.below.isfile(path)}
        return {**names, **files, **self.host.state()}


@contextmanager
def made(kind: str, directory: Path) -> Iterator[Target]:
    name = f"hostile-{uuid.uuid4().hex}"
    options: dict[str, dict[str, Any]] = {
        "chukmem": {"name": name},
        "chuksqlite": {"database": str(directory / "w.db")},
        "chuklocal": {"root": str(directory / "inside"), "create": True, "durable": False},
    }
    protocol = kind.rpartition(" ")[2]
    below = fsspec.filesystem(protocol, **options[protocol], skip_instance_cache=True)
    below.pipe({"/outside/secret": b"secret", "/box/mine": b"mine", "/box/d/mine": b"mine too"})
    below.posix.symlink("../outside", "/box/way")
    below.posix.symlink("../outside/secret", "/box/l")
    fs = SecureFileSystem(below, profile="testing") if kind.startswith("secure") else below
    host = HostCanary(directory / "host")
    host.build()
    yield Target(fs, below, host, directory)
    drop_store(name)


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    with made(request.param, tmp_path) as one:
        yield one


@pytest.fixture(params=KINDS, scope="module")
def shared_target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """For many attacks, since none of them leaves anything."""
    with made(request.param, tmp_path_factory.mktemp("hostile")) as one:
        yield one


def attack(target: Target, hostile: Hostile, data: bytes, path: str, **more: Any) -> ArchiveRefused:
    options = {**hostile.options, **more}
    limits = ArchiveLimits(**options.pop("limits", {}))
    with pytest.raises(ArchiveRefused) as caught:
        import_archive(io.BytesIO(data), target.fs, path, limits=limits, **options)
    return caught.value


BUILT: dict[str, bytes] = {}


def built(name: str) -> bytes:
    if name not in BUILT:
        BUILT[name] = ALL[name].build()
    return BUILT[name]


@pytest.mark.parametrize("name", ALL)
def test_refused(shared_target: Target, name: str) -> None:
    target = shared_target
    before = target.state()
    ways: tuple[tuple[str, str], ...] = (("/new/er", "refuse"), ("/box", "merge"), ("/box", "replace"))
    for path, existing in ways:
        error = attack(target, ALL[name], built(name), path, existing=existing)
        assert error.rule == ALL[name].rule, error
        assert differing(before, target.state()) == []
        assert str(target.directory) not in str(error)
        assert error.errno
        assert error.strerror


def test_what_was_there_is_no_way_out(target: Target) -> None:
    """Links that others made lead out; no member goes through them."""
    before = target.state()
    for data in (tar(GOOD, entry(b"way/secret", b"x")), tar(entry(b"way/", kind=b"5")), tar(entry(b"mine/f", b"x"))):
        with pytest.raises(NotADirectoryError, match="move it away"):
            import_archive(io.BytesIO(data), target.fs, "/box", existing="merge")
        assert differing(before, target.state()) == []
    with pytest.raises(IsADirectoryError):
        import_archive(io.BytesIO(tar(GOOD, entry(b"d", b"x"))), target.fs, "/box", existing="merge")
    assert differing(before, target.state()) == []
    import_archive(io.BytesIO(tar(GOOD, entry(b"l", b"new"))), target.fs, "/box", existing="merge")
    assert target.below.cat_file("/outside/secret") == b"secret"
    assert target.below.posix.nofollow.cat_file("/box/l") == b"new"


def test_a_target_that_is_a_link(target: Target) -> None:
    before = target.state()
    for path in ("/box/way", "/box/way/new"):
        with pytest.raises(OSError) as caught:
            import_archive(io.BytesIO(SOUND), target.fs, path, existing="merge")
        assert caught.value.errno in (errno.ELOOP, errno.ENOTDIR)
    assert differing(before, target.state()) == []


@pytest.mark.parametrize("name", ["tar: gzip bomb", "zip: bomb", "tar: a header of gigabytes", "tar: a sparse bomb"])
def test_refused_in_little_memory(name: str, tmp_path: Path) -> None:
    data = built(name)
    fs = fsspec.filesystem("chuklocal", root=str(tmp_path), durable=False)
    limits = ArchiveLimits(**ALL[name].options.get("limits", {}))
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveRefused):
            import_archive(io.BytesIO(data), fs, "/new", limits=limits)
        assert tracemalloc.get_traced_memory()[1] < 12 * MEBI
    finally:
        tracemalloc.stop()
    assert os.listdir(tmp_path) == []


def test_quotas_of_the_target_hold(chukmem: Any) -> None:
    chukmem.pipe_file("/home/mine", b"mine")
    data = tar(*[entry(b"d/%d" % n, bytes(400)) for n in range(4)])
    before = chukmem.find("/", withdirs=True)
    for limits, code in (
        ({"max_total_size": 1000}, errno.EDQUOT),
        ({"max_files": 5}, errno.EDQUOT),
        ({"max_file_size": 399}, errno.EFBIG),
        ({"max_path_depth": 3}, errno.EACCES),
        ({"denied_patterns": ["glob:2"]}, errno.EACCES),
        ({"allowed_paths": ["/home/else"]}, errno.EACCES),
        ({"read_only": True}, errno.EROFS),
    ):
        fs = SecureFileSystem(chukmem, profile=limits)
        with pytest.raises(OSError) as caught:
            import_archive(io.BytesIO(data), fs, "/home/new")
        assert caught.value.errno == code, limits
        assert chukmem.find("/", withdirs=True) == before
        assert fs.usage().files == len(before) - 1  # the root is none
