"""Programs that people use, each with a tree of names and sizes that break programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from chuk_adapters.webdav import WebDAVAdapter
from chuk_fsspec.backends.memory import MemoryFileSystem

PERCENT_NAMES = ("50% off & more;.txt", "percent%20encoded")
QUERY_NAME = "a#b?c=d+e.txt"
LONG_NAMES = ("n" * 251 + ".txt", "é" * 127)
CONTENTS = {
    "plain.txt": b"plain\n",
    "empty": b"",
    "large.bin": os.urandom(5 << 20),
    "with space.txt": b"1",
    PERCENT_NAMES[0]: b"2",
    PERCENT_NAMES[1]: b"3",
    "über 日本語.txt": b"4",
    QUERY_NAME: b"5",
    "[brackets] {braces} 'quotes'": b"6",
    LONG_NAMES[0]: b"7",
    LONG_NAMES[1]: b"8",
    "deep/er/and deeper/file": b"9",
    "deep/ünder/x": b"10",
}
NPM_PACKAGE = "webdav@5.11.0"


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def without(*names: str) -> dict[str, bytes]:
    """What a client can name that cannot name all."""
    return {name: content for name, content in CONTENTS.items() if name not in names}


def run(*command: str | os.PathLike[str], timeout: float = 60, text: str | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, input=text, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def tree_at(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def tree_of(fs: MemoryFileSystem, below: str = "/") -> dict[str, bytes]:
    prefix = below.rstrip("/") + "/"
    return {path.removeprefix(prefix): fs.cat_file(path) for path in fs.find(below)}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The tree on disk."""
    for name, content in CONTENTS.items():
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "source"


@pytest.fixture
def url(chukmem: MemoryFileSystem) -> Iterator[str]:
    """A server of ``chukmem``, without a slash in the end."""
    with WebDAVAdapter(chukmem, port=0) as server:
        yield server.url.rstrip("/")


@needs("curl")
def test_curl(chukmem: MemoryFileSystem, url: str, source: Path, tmp_path: Path) -> None:
    for directory in ("deep", "deep/er", "deep/er/and deeper", "deep/ünder"):
        run("curl", "-sSf", "-X", "MKCOL", f"{url}/{quote(directory)}/")
    run("curl", "-gsSf", *(word for name in CONTENTS for word in ("-T", str(source / name), f"{url}/{quote(name)}")))
    assert tree_of(chukmem) == CONTENTS
    for name, content in CONTENTS.items():
        run("curl", "-sSf", "-o", tmp_path / "got", f"{url}/{quote(name)}")
        assert (tmp_path / "got").read_bytes() == content
    run("curl", "-sSf", "-r", "10-19", "-o", tmp_path / "part", f"{url}/large.bin")
    assert (tmp_path / "part").read_bytes() == CONTENTS["large.bin"][10:20]
    with (source / "large.bin").open("rb") as stream:  # its length is not known before: in chunks
        subprocess.run(["curl", "-sSf", "-T", "-", f"{url}/chunked"], stdin=stream, check=True)
    assert chukmem.cat_file("/chunked") == CONTENTS["large.bin"]


@needs("rclone")
def test_rclone(chukmem: MemoryFileSystem, url: str, source: Path, tmp_path: Path) -> None:
    remote = f":webdav,url='{url}',vendor=other:"
    rclone = ("rclone", "--config", "/dev/null", "--transfers", "8")
    run(*rclone, "copy", source, remote)
    assert tree_of(chukmem) == CONTENTS
    run(*rclone, "copy", remote, tmp_path / "back")
    assert tree_at(tmp_path / "back") == CONTENTS
    assert "differences found" not in run(*rclone, "check", "--download", source, remote)
    run(*rclone, "moveto", f"{remote}deep", f"{remote}moved here")
    assert tree_of(chukmem, "/moved here") == {
        name.removeprefix("deep/"): content for name, content in CONTENTS.items() if name.startswith("deep/")
    }
    (source / "plain.txt").unlink()
    run(*rclone, "sync", "--size-only", source, remote)
    assert tree_of(chukmem) == tree_at(source)


@needs("cadaver")
def test_cadaver(chukmem: MemoryFileSystem, url: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "back").mkdir()
    names = ["plain.txt", "empty", "large.bin", "with space.txt", *PERCENT_NAMES]
    names += ["über 日本語.txt", LONG_NAMES[1]]
    script = [f"lcd {source}", *(f'put "{name}"' for name in names)]
    script += ["mkcol new", 'move "with space.txt" new/', "copy plain.txt copied.txt", "lock plain.txt"]
    script += ["unlock plain.txt", "propset plain.txt colour blue", "propget plain.txt colour"]
    script += [f"lcd {tmp_path / 'back'}", *(f'get "{name}"' for name in names if name != "with space.txt")]
    script += ['get "new/with space.txt"', "rmcol new", "delete copied.txt", "quit"]
    out = run("cadaver", url + "/", text="\n".join(script) + "\n")
    assert "failed" not in out, out
    assert "blue" in out
    wanted = {name: CONTENTS[name] for name in names}
    assert tree_at(tmp_path / "back") == wanted
    del wanted["with space.txt"]
    assert tree_of(chukmem) == wanted


def test_webdav4(chukmem: MemoryFileSystem, url: str, source: Path, request: pytest.FixtureRequest) -> None:
    fsspec = pytest.importorskip("webdav4.fsspec")
    fs = fsspec.WebdavFileSystem(url)
    request.addfinalizer(fs.client.http.close)
    contents = without(QUERY_NAME, *PERCENT_NAMES)  # it does not quote them
    for name in contents:
        fs.makedirs(os.path.dirname(name) or "/", exist_ok=True)
        fs.put_file(str(source / name), name)
    assert tree_of(chukmem) == contents
    assert {name: fs.cat_file(name) for name in fs.find("")} == contents
    assert fs.cat_file("large.bin", start=1000, end=2000) == CONTENTS["large.bin"][1000:2000]
    with fs.open("large.bin") as file:
        file.seek(4 << 20)
        assert file.read(100) == CONTENTS["large.bin"][4 << 20 :][:100]
    assert (fs.isdir("deep"), fs.isdir("plain.txt"), fs.info("deep")["type"]) == (True, False, "directory")
    fs.mv("deep", "moved here", recursive=True)
    fs.copy("moved here", "copied", recursive=True)
    assert tree_of(chukmem, "/copied") == tree_of(chukmem, "/moved here")
    fs.rm("copied", recursive=True)
    assert not chukmem.exists("/copied")


@needs("node", "npm")
@pytest.mark.slow
def test_npm_webdav(chukmem: MemoryFileSystem, url: str, source: Path, tmp_path: Path) -> None:
    place = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "chuk-fsspec-tests" / "npm-webdav"
    if not (place / "node_modules" / "webdav").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--no-fund", "--no-audit", "--prefix", str(place), NPM_PACKAGE]
        done = subprocess.run(install, capture_output=True, text=True, timeout=110, check=False)
        if done.returncode:
            pytest.skip(f"{NPM_PACKAGE} cannot be installed: {done.stderr.strip()[-200:]}")
    script = place / "client_npm.mjs"  # beside its packages, which is where node looks for them
    shutil.copy(Path(__file__).with_name(script.name), script)
    run("node", script, url, source, tmp_path / "back")
    assert tree_at(tmp_path / "back") == CONTENTS
    assert tree_of(chukmem, "/moved to") == CONTENTS


@pytest.mark.mount
@needs("mount.davfs")
@pytest.mark.skipif(os.geteuid() != 0, reason="davfs2 mounts for root only")
def test_davfs2(chukmem: MemoryFileSystem, url: str, source: Path, tmp_path: Path) -> None:
    point, config, cache = tmp_path / "mnt", tmp_path / "davfs2.conf", tmp_path / "cache"
    point.mkdir()
    cache.mkdir()
    # Kernels from 6.16 on list nothing to davfs2 with buffers of another size.
    config.write_text("use_locks 1\nask_auth 0\ndelay_upload 0\nbuf_size 64\n")
    run("mount", "-t", "davfs", "-o", f"conf={config}", url + "/", point, text="")
    for name in LONG_NAMES:
        (source / name).unlink()  # it needs some bytes of each name for its cache
    contents = without(*LONG_NAMES)
    try:
        run("cp", "-r", f"{source}/.", point)
        assert tree_at(point) == contents
        os.rename(point / "deep", point / "moved here")
        (point / "plain.txt").unlink()
        with (point / "empty").open("ab") as file:
            file.write(b"no more")
    finally:
        run("umount", point, timeout=100)
    wanted = {name.replace("deep/", "moved here/"): content for name, content in contents.items()}
    del wanted["plain.txt"]
    found = {name: content for name, content in tree_of(chukmem).items() if not name.startswith("lost+found")}
    assert found == wanted | {"empty": b"no more"}
