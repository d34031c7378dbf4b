"""Other programs read what we write, and we read what they write."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_fsspec.archives import export_archive, import_archive
from chuk_fsspec.backends.memory import MemoryFileSystem

LONG = "/".join(["long" * 20] * 4)
"""A path that no header block has room for."""
FORMATS = {"tar": "plain", "tar.gz": "gzip", "tar.zst": "zstd"}


def run(*command: str, cwd: Path) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def fill(top: Path) -> None:
    """A tree of the host with one of everything that needs no root."""
    (top / "sub" / "déjà vu").mkdir(parents=True)
    (top / "empty").mkdir(mode=0o700)
    (top / LONG).parent.mkdir(parents=True)
    (top / LONG).write_bytes(b"long")
    (top / "sub" / "f").write_bytes(bytes(range(256)) * 1000)
    (top / "script").write_text("#!/bin/sh\n")
    (top / "script").chmod(0o750)
    (top / "sub" / "link").symlink_to("f")
    (top / "sub" / "dots").symlink_to("../script")
    (top / "sub" / "déjà vu" / "名前").write_bytes(b"")
    os.link(top / "script", top / "sub" / "again")
    os.utime(top / "sub" / "f", ns=(10**9, 1_234_567_890_123_456_789))
    os.utime(top / "empty", ns=(0, 1_000_000_000_000_000_000))


def state(top: Path, *, exact: bool = True) -> dict[str, Any]:
    """What both sides have to agree on; zip knows neither hard links nor parts of a second."""
    found: dict[str, Any] = {}
    first: dict[int, str] = {}
    for path in sorted(top.rglob("*")):
        seen, name = path.lstat(), str(path.relative_to(top))
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        mode = 0 if path.is_symlink() else stat.S_IMODE(seen.st_mode)
        mtime = seen.st_mtime_ns if exact else 0 if path.is_symlink() else seen.st_mtime_ns // 10**9
        same = first.setdefault(seen.st_ino, name) if exact and path.is_file() and not path.is_symlink() else ""
        found[name] = stat.S_IFMT(seen.st_mode), mode, content, mtime, same
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    top.mkdir()
    fill(top)
    return top


@pytest.fixture
def local(tmp_path: Path) -> Any:
    return fsspec.filesystem("chuklocal", root=str(tmp_path), durable=False)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("program", ["tar", "bsdtar"])
def test_programs_unpack_our_tar(tree: Path, local: Any, tmp_path: Path, program: str, format: str) -> None:
    export_archive(local, "/tree", tmp_path / f"x.{format}")
    (tmp_path / "out").mkdir()
    run(program, "-xpf", f"../x.{format}", cwd=tmp_path / "out")
    assert state(tmp_path / "out") == state(tree)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "command",
    [
        ["tar", "--format=gnu"],
        ["tar", "--format=pax"],
        ["tar", "--format=oldgnu"],
        ["tar", "--format=pax", "--sparse"],
        ["bsdtar", "--format=pax"],
        ["bsdtar", "--format=gnutar"],
    ],
    ids=" ".join,
)
def test_we_unpack_tars_of_programs(tree: Path, local: Any, tmp_path: Path, command: list[str], format: str) -> None:
    packer = {"tar": [], "tar.gz": ["-z"], "tar.zst": ["--zstd"]}[format]
    run(*command, *packer, "-cf", "../x", ".", cwd=tree)
    import_archive(tmp_path / "x", local, "/out")
    exact = command[1] == "--format=pax"
    assert {name: seen[:3] for name, seen in state(tmp_path / "out").items()} == {
        name: seen[:3] for name, seen in state(tree).items()
    }
    assert state(tmp_path / "out", exact=exact) == state(tree, exact=exact)


@pytest.mark.parametrize("version", ["gnu", "0.0", "0.1", "1.0"])
def test_sparse_files_of_gnu_tar(local: Any, tmp_path: Path, version: str) -> None:
    (tmp_path / "tree").mkdir()
    with open(tmp_path / "tree" / "sparse", "wb") as file:
        for n in range(60):
            file.seek(n * 200_000)
            file.write(b"data %d" % n)
        file.truncate(13_000_000)
    how = ["--format=gnu"] if version == "gnu" else ["--format=pax", f"--sparse-version={version}"]
    run("tar", *how, "--sparse", "-cf", "../x.tar", "sparse", cwd=tmp_path / "tree")
    assert (tmp_path / "x.tar").stat().st_size < 1_000_000
    import_archive(tmp_path / "x.tar", local, "/out")
    assert (tmp_path / "out" / "sparse").read_bytes() == (tmp_path / "tree" / "sparse").read_bytes()


def test_xattrs_of_gnu_tar(local: Any, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "f").write_bytes(b"x")
    try:
        for name, value in (("user.plain", b"1"), ("user.with=and%", b"\0\xff\n")):
            os.setxattr(tmp_path / "tree" / "f", name, value)
    except OSError:
        pytest.skip("this directory keeps no extended attributes")
    run("tar", "--xattrs", "-cf", "../x.tar", "f", cwd=tmp_path / "tree")
    import_archive(tmp_path / "x.tar", local, "/out")
    export_archive(local, "/out", tmp_path / "y.tar")
    (tmp_path / "again").mkdir()
    run("tar", "--xattrs", "-xf", "../y.tar", cwd=tmp_path / "again")
    for out in ("out", "again"):
        path = tmp_path / out / "f"
        assert {name: os.getxattr(path, name) for name in os.listxattr(path) if name.startswith("user.")} == {
            "user.plain": b"1",
            "user.with=and%": b"\0\xff\n",
        }


def test_tars_of_old(local: Any, tree: Path, tmp_path: Path) -> None:
    """The format of Unix V7 marks directories by a slash alone."""
    run("tar", "--format=v7", "-cf", "../x.tar", "sub/f", "script", "empty", cwd=tree)
    import_archive(tmp_path / "x.tar", local, "/out")
    assert sorted(state(tmp_path / "out")) == ["empty", "script", "sub", "sub/f"]


def test_python_reads_and_writes_tar(chukmem: MemoryFileSystem, tree: Path, local: Any, tmp_path: Path) -> None:
    export_archive(local, "/tree", tmp_path / "x.tar")
    with tarfile.open(tmp_path / "x.tar") as archive:
        names = archive.getnames()
        assert sorted(names) == sorted(state(tree))
        assert archive.getmember("sub/f").mtime == pytest.approx(1_234_567_890.123456789)
    for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=format) as archive:
            archive.add(tree / "sub", "sub")
            archive.add(tree / LONG, "x" * 90 + "/" + "y" * 90)
        file.seek(0)
        import_archive(file, chukmem, f"/{format}", links="keep")
        assert chukmem.cat_file(f"/{format}/" + "x" * 90 + "/" + "y" * 90) == b"long"
        assert chukmem.posix.readlink(f"/{format}/sub/link") == "f"


# ---- zip


@pytest.mark.parametrize("command", [["unzip", "-q"], ["bsdtar", "-xpf"]], ids=" ".join)
def test_programs_unpack_our_zip(tree: Path, local: Any, tmp_path: Path, command: list[str]) -> None:
    export_archive(local, "/tree", tmp_path / "x.zip")
    (tmp_path / "out").mkdir()
    run(*command, "../x.zip", cwd=tmp_path / "out")
    assert state(tmp_path / "out", exact=False) == state(tree, exact=False)


@pytest.mark.parametrize(
    "command",
    [["zip", "-qry"], ["zip", "-qry", "-0"], ["bsdtar", "--format=zip", "-cf"]],
    ids=" ".join,
)
def test_we_unpack_zips_of_programs(tree: Path, local: Any, tmp_path: Path, command: list[str]) -> None:
    run(*command, "../x.zip", ".", cwd=tree)
    import_archive(tmp_path / "x.zip", local, "/out")
    assert state(tmp_path / "out", exact=False) == state(tree, exact=False)


def test_large_sizes_of_zip64(chukmem: MemoryFileSystem) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("forced", "w", force_zip64=True) as member:
        member.write(b"forced")
    file.seek(0)
    import_archive(file, chukmem)
    assert chukmem.cat_file("/forced") == b"forced"


@pytest.mark.slow
def test_large_counts_of_zip64(local: Any, tmp_path: Path) -> None:
    """More members than the old format can count."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(66_000):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    memory = MemoryFileSystem(f"zip64-{tmp_path.name}")
    assert import_archive(tmp_path / "x.zip", memory).files == 66_000
    export_archive(memory, "/", tmp_path / "y.zip")
    with zipfile.ZipFile(tmp_path / "y.zip") as archive:
        assert len(archive.namelist()) == 66_000


def test_zips_without_unix_attributes(chukmem: MemoryFileSystem) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("d/f", b"x")
        archive.writestr("e/", b"")
        info = zipfile.ZipInfo("dos", (2001, 2, 3, 4, 5, 6))
        info.create_system = 0
        archive.writestr(info, b"x")
    file.seek(0)
    import_archive(file, chukmem, "/new")
    assert stat.S_IMODE(chukmem.info("/new/dos")["mode"]) == 0o644
    assert chukmem.info("/new/dos")["mtime"] == 981_173_106
    assert chukmem.isdir("/new/e")


# ---- zstd


def test_zstd_of_several_frames(tree: Path, local: Any, tmp_path: Path) -> None:
    run("tar", "-cf", "../x.tar", ".", cwd=tree)
    data = (tmp_path / "x.tar").read_bytes()
    for number, part in enumerate((data[:5000], data[5000:])):
        (tmp_path / f"{number}").write_bytes(part)
        run("zstd", "-q", "--ultra", "-22", f"{number}", cwd=tmp_path)
    (tmp_path / "x.zst").write_bytes((tmp_path / "0.zst").read_bytes() + (tmp_path / "1.zst").read_bytes())
    import_archive(tmp_path / "x.zst", local, "/out")
    assert {name: seen[2] for name, seen in state(tmp_path / "out").items()} == {
        name: seen[2] for name, seen in state(tree).items()
    }


# ---- chuk-virtual-fs


def test_a_snapshot_of_chuk_virtual_fs(chukmem: MemoryFileSystem) -> None:
    """As 0.5.3 writes it, other entries of its metadata left out."""
    files = {
        "/d/e/bin": {"name": "bin", "parent": "/d/e", "content": "AAH/"},
        "/\u00e9.txt": {"name": "\u00e9.txt", "parent": "/", "content": "aMOpbGxv"},
        "/empty": {"name": "empty", "parent": "/", "content": ""},
    }
    snapshot = {"version": 1, "timestamp": 1795408386.57, "provider": "memory", "directories": {}, "files": files}
    metadata = {
        "created": 1795408386.57,
        "description": "x",
        "fs_provider": "memory",
        "stats": {"total": 0, "list": [1]},
    }
    data = json.dumps({"snapshot": snapshot, "metadata": metadata}, indent=2).encode()
    report = import_archive(io.BytesIO(data), chukmem, "/new")
    assert (report.files, report.directories, report.bytes) == (3, 2, 9)
    assert chukmem.cat(chukmem.find("/new")) == {
        "/new/d/e/bin": b"\0\1\xff",
        "/new/empty": b"",
        "/new/é.txt": "héllo".encode(),
    }


def test_what_chuk_virtual_fs_finds_in_ours(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/d/f": b"x" * 100_001, '/q"\n': b""})
    chukmem.mkdir("/e")
    file = io.BytesIO()
    export_archive(chukmem, "/", file, format="json", mtime_ns=10**18)
    found = json.loads(file.getvalue())
    assert found["snapshot"]["version"] == 1
    assert set(found["snapshot"]["directories"]) == {"/d", "/e"}
    assert set(found["snapshot"]["files"]) == {"/d/f", '/q"\n'}
    assert found["snapshot"]["files"]["/d/f"]["parent"] == "/d"
    assert found["metadata"]["created"] == 10**9
