"""Where templates and contents come from: nothing is read outside, bytes stay bytes, directories come as they are."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.templates import Limits, TemplateLoader, list_templates, make_template, read_template
from chuk_fsspec.testing.checks import fails_with
from tests.templates.template_kinds import contents, fs, plain

__all__ = ["fs", "plain"]

SECRET = "the secret"
BINARY = bytes(range(256)) * 3


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Path]:
    """A directory of contents, with a secret beside it."""
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/key").write_text(SECRET)
    directory = tmp_path / "base"
    (directory / "d").mkdir(parents=True)
    (directory / "text").write_text("hello ${name}, $$5\r\n")
    (directory / "binary").write_bytes(BINARY + b"${name}")
    (directory / "d/en.txt").write_text("English")
    (directory / "out").symlink_to("../secret")
    (directory / "absolute").symlink_to(tmp_path / "secret")
    (directory / "outdir").symlink_to("../secrets")
    (directory / "inside").symlink_to("d/en.txt")
    yield directory
    assert (tmp_path / "secret").read_text() == SECRET


def from_base(path: str, **more: object) -> dict[str, object]:
    return {"files": [{"path": "f", "content_from": path, **more}]}


# ---- content_from


def test_contents_come_from_the_declared_directory(fs: AbstractFileSystem, base: Path) -> None:
    files = [
        {"path": "text", "content_from": "text"},
        {"path": "as-it-is", "content_from": "text", "verbatim": True},
        {"path": "binary", "content_from": "./binary"},
        {"path": "language", "content_from": "d/${language}.txt"},
        {"path": "linked", "content_from": "inside"},
    ]
    values = {"name": "you", "language": "en"}
    TemplateLoader(fs).apply_template({"files": files}, "/t", values, content_base=base)
    there = {path: content for path, content in contents(fs, "/t").items() if not path.startswith("/mounted")}
    assert there == {
        "/text": b"hello you, $5\r\n",
        "/as-it-is": b"hello ${name}, $$5\r\n",
        "/binary": BINARY + b"${name}",
        "/language": b"English",
        "/linked": b"English",
    }


@pytest.mark.parametrize(
    "path", ["../secret", "d/../../secret", "out", "absolute", "outdir/key", "/etc/passwd", "${up}/secret", "d/.."]
)
@pytest.mark.parametrize("kind", ["path", "file url", "chuklocal"])
def test_contents_never_come_from_outside(chukmem: MemoryFileSystem, base: Path, path: str, kind: str) -> None:
    bases = {
        "path": base,
        "file url": f"file://{base}",
        "chuklocal": fsspec.filesystem("chuklocal", root=str(base)),
    }
    with pytest.raises(OSError, match=r"files\[0\].content_from") as caught:
        TemplateLoader(chukmem).apply_template(from_base(path), "/t", {"up": ".."}, content_base=bases[kind])
    assert caught.value.errno in (errno.EINVAL, errno.ENOENT, errno.ELOOP, errno.ENOTDIR)
    assert str(base) not in str(caught.value) or kind != "chuklocal"
    assert contents(chukmem) == {}


def test_a_filesystem_that_was_declared_is_read_as_a_whole(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/here/f", b"found")
    chukmem.posix.symlink("here/f", "/link")
    TemplateLoader(chukmem).apply_template(from_base("link"), "/t", content_base=chukmem)
    assert chukmem.cat_file("/t/f") == b"found"


def test_without_a_declared_directory_nothing_is_read(chukmem: MemoryFileSystem) -> None:
    with pytest.raises(ValueError, match=r"files\[0\].content_from: say which directory contents come from"):
        TemplateLoader(chukmem).apply_template(from_base("/etc/passwd"))


def test_what_cannot_be_read_is_named(chukmem: MemoryFileSystem, base: Path) -> None:
    loader = TemplateLoader(chukmem, limits=Limits(total_bytes=100))
    for path, code in (("missing", errno.ENOENT), ("d", errno.EISDIR), ("binary", errno.EFBIG)):
        with fails_with(code):
            loader.apply_template(from_base(path), content_base=base)
    os.mkfifo(base / "fifo")
    with pytest.raises(OSError, match=r"files\[0\].content_from"):
        loader.apply_template(from_base("fifo"), content_base=base)
    with fails_with(errno.ENOENT, str(base / "none")):
        loader.apply_template(from_base("f"), content_base=str(base / "none"))
    with fails_with(errno.ENOTDIR, str(base / "text")):
        loader.apply_template(from_base("f"), content_base=base / "text")
    with pytest.raises(ValueError, match=r"files\[0\].content_from: byte 128 is not utf-8"):
        TemplateLoader(chukmem).apply_template(from_base("binary", encoding="utf-8"), content_base=base)


def test_a_template_file_reads_beside_itself(chukmem: MemoryFileSystem, base: Path) -> None:
    (base / "t.json").write_text('{"files": [{"path": "f", "content_from": "text"}]}')
    (base.parent / "link.json").symlink_to("base/t.json")
    for path in (str(base / "t.json"), base / "t.json", f"file://{base}/t.json", base.parent / "link.json"):
        TemplateLoader(chukmem, on_existing="replace").load_template(path, "/t", {"name": "you"})
        assert chukmem.cat_file("/t/f") == b"hello you, $5\r\n"
    (base / "bad.json").write_text('{"files": [{"path": "f", "content_from": "../secret"}]}')
    with fails_with(errno.EINVAL, "../secret"):
        TemplateLoader(chukmem).load_template(base / "bad.json", "/u")
    with fails_with(errno.ENOENT, "no/such.json"):
        TemplateLoader(chukmem).load_template("no/such.json")
    with fails_with(errno.ENOENT, "no/such"):
        TemplateLoader(chukmem).load_template("no/such")


def test_templates_at_urls(chukmem: MemoryFileSystem, plain: AbstractFileSystem) -> None:
    document = b'{"files": [{"path": "f", "content_from": "out"}]}'
    store = fsspec.filesystem("chukmem")
    store.makedirs("/templates-test/base", exist_ok=True)
    try:
        store.pipe({"/templates-test/base/t.json": document, "/templates-test/secret": b"s"})
        store.posix.symlink("../secret", "/templates-test/base/out")
        with fails_with(errno.ELOOP, "out"):
            TemplateLoader(chukmem).load_template("chukmem://templates-test/base/t.json")
        store.rm_file("/templates-test/base/out")
        store.pipe_file("/templates-test/base/out", b"in")
        TemplateLoader(chukmem).load_template("chukmem://templates-test/base/t.json")
        assert chukmem.cat_file("/f") == b"in"
    finally:
        store.rm("/templates-test", recursive=True)
    memory = fsspec.filesystem("memory")
    memory.pipe({"/templates-test/t/${x}": b"${x}", "/templates-test/t/template.json": b"{}"})
    try:
        TemplateLoader(chukmem).load_template("memory://templates-test/t", "/m", {"x": "y"})
        assert contents(chukmem, "/m") == {"/y": b"y"}
    finally:
        memory.rm("/templates-test", recursive=True)


# ---- template directories


@pytest.fixture
def starter(tmp_path: Path) -> Path:
    """A template directory."""
    top = tmp_path / "starter"
    (top / "${project}/src").mkdir(parents=True)
    (top / "empty").mkdir()
    (top / "${project}/README.md").write_text("# ${title}\n")
    (top / "${project}/src/run.sh").write_text("echo ${HOME} $$\n")
    (top / "${project}/src/run.sh").chmod(0o750)
    (top / ".hidden").write_text("${project}")
    (top / "logo.png").write_bytes(BINARY)
    (top / "latest").symlink_to("${project}/README.md")
    (top / "template.json").write_text(
        '{"name": "starter", "variables": {"project": {"description": "its name"}, "title": "None"},'
        ' "verbatim": ["*.sh"], "directories": ["more/${project}"]}'
    )
    return top


def test_a_template_directory_becomes_a_tree(fs: AbstractFileSystem, starter: Path) -> None:
    TemplateLoader(fs).load_template(starter, "/t", {"project": "demo"})
    there = {path: content for path, content in contents(fs, "/t").items() if not path.startswith("/mounted")}
    assert there == {
        "/demo": None,
        "/demo/README.md": b"# None\n",
        "/demo/src": None,
        "/demo/src/run.sh": b"echo ${HOME} $$\n",
        "/empty": None,
        "/more": None,
        "/more/demo": None,
        "/.hidden": b"demo",
        "/logo.png": BINARY,
        "/latest": "-> demo/README.md",
    }
    assert fs.info("/t/demo/src/run.sh")["mode"] & 0o777 == 0o750


def test_a_manifest_lists_what_is_missing(chukmem: MemoryFileSystem, starter: Path) -> None:
    with pytest.raises(ValueError, match=r"variables without a value: project \(its name\)"):
        TemplateLoader(chukmem).load_template(starter)
    with pytest.raises(OSError, match=r"'\.\.' could lead out of the target"):
        TemplateLoader(chukmem).load_template(starter, "/t", {"project": "../../x"})
    TemplateLoader(chukmem).load_template(starter, "/t", {"project": "a/b"})
    assert chukmem.isfile("/t/a/b/README.md")


def test_what_a_template_directory_must_not_hold(chukmem: MemoryFileSystem, starter: Path, tmp_path: Path) -> None:
    loader = TemplateLoader(chukmem)
    (starter / "way-out").symlink_to("../../etc")
    with fails_with(errno.EINVAL):
        loader.load_template(starter, variables={"project": "x"})
    (starter / "way-out").unlink()
    (starter / "way-out").symlink_to("/etc/passwd")
    with fails_with(errno.EINVAL, "way-out"):
        loader.load_template(starter, variables={"project": "x"})
    (starter / "way-out").unlink()
    (starter / "template.yaml").write_text("")
    with fails_with(errno.EINVAL, "template.yaml"):
        loader.load_template(starter, variables={"project": "x"})
    (starter / "template.yaml").unlink()
    os.mkfifo(starter / "fifo")
    with fails_with(errno.EINVAL, "fifo"):
        loader.load_template(starter, variables={"project": "x"})
    (starter / "fifo").unlink()
    with fails_with(errno.EFBIG):
        TemplateLoader(chukmem, limits=Limits(entries=5)).load_template(starter, variables={"project": "x"})
    with fails_with(errno.EFBIG):
        TemplateLoader(chukmem, limits=Limits(total_bytes=500)).load_template(starter, variables={"project": "x"})
    assert contents(chukmem) == {}


def test_the_templates_of_a_directory(chukmem: MemoryFileSystem, starter: Path) -> None:
    top = starter.parent
    (top / "a.json").write_text('{"directories": ["common"], "files": [{"path": "common/a", "content": "${project}"}]}')
    (top / "b.yaml").write_text("directories: [common]\nfiles:\n- {path: common/b, content_from: note}\n")
    (top / "note").write_text("from beside")
    (top / "no-template").mkdir()
    assert list(list_templates(top)) == ["a.json", "b.yaml", "starter"]
    loader = TemplateLoader(chukmem)
    assert loader.load_from_template_directory(top, "/t", {"project": "x"}) == {"a.json": 2, "b.yaml": 2, "starter": 10}
    assert chukmem.cat_file("/t/common/a") == b"x"
    assert chukmem.cat_file("/t/common/b") == b"from beside"
    (top / "c.json").write_text('{"files": [{"path": "common/a"}]}')
    with fails_with(errno.EINVAL, "/common/a"):
        loader.load_from_template_directory(top, "/u", {"project": "x"})
    assert not chukmem.exists("/u")


# ---- preloading


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with all kinds of things."""
    top = tmp_path / "tree"
    (top / "d/empty").mkdir(parents=True)
    (top / "d/b.bin").write_bytes(BINARY)
    (top / "d/b.bin").chmod(0o751)
    (top / ".dot").mkdir()
    (top / ".dot/.file").write_text("dot")
    (top / "a ${x} $$.txt").write_text("${x} $$")
    (top / "d/link").symlink_to("../a ${x} $$.txt")
    (top / "[a]*?.txt").write_text("pattern")
    return top


TREE = {
    "/d": None,
    "/d/empty": None,
    "/d/b.bin": BINARY,
    "/.dot": None,
    "/.dot/.file": b"dot",
    "/a ${x} $$.txt": b"${x} $$",
    "/d/link": "-> ../a ${x} $$.txt",
    "/[a]*?.txt": b"pattern",
}


def test_a_directory_is_preloaded_as_it_is(fs: AbstractFileSystem, tree: Path) -> None:
    assert TemplateLoader(fs).preload_directory(str(tree), "/t/new") == 5
    assert contents(fs, "/t/new") == TREE
    assert fs.info("/t/new/d/b.bin")["mode"] & 0o777 == 0o751
    loader = TemplateLoader(fs, on_existing="replace")
    assert loader.preload_directory(str(tree), "/t/new") == 5
    assert contents(fs, "/t/new") == TREE


def test_a_part_of_a_directory_is_preloaded(chukmem: MemoryFileSystem, tree: Path) -> None:
    loader = TemplateLoader(chukmem)
    assert loader.preload_directory(tree, "/1", "*.txt") == 2
    assert set(contents(chukmem, "/1")) == {"/a ${x} $$.txt", "/[a]*?.txt"}
    assert loader.preload_directory(tree, "/2", recursive=False) == 2
    assert set(contents(chukmem, "/2")) == {"/a ${x} $$.txt", "/[a]*?.txt"}
    assert loader.preload_directory(tree, "/3", "b.*") == 1
    assert set(contents(chukmem, "/3")) == {"/d", "/d/b.bin"}
    assert loader.preload_directory(tree, "/4", "d/*") == 2
    assert set(contents(chukmem, "/4")) == {"/d", "/d/b.bin", "/d/empty", "/d/link"}
    assert loader.preload_directory(tree, "/5", "nothing") == 0


def test_links_of_a_preloaded_directory(chukmem: MemoryFileSystem, tree: Path) -> None:
    loader = TemplateLoader(chukmem)
    assert loader.preload_directory(tree, "/followed", symlinks="follow") == 5
    assert chukmem.posix.nofollow.info("/followed/d/link")["type"] == "file"
    assert chukmem.cat_file("/followed/d/link") == b"${x} $$"
    assert loader.preload_directory(tree, "/skipped", symlinks="skip") == 4
    assert not chukmem.lexists("/skipped/d/link")
    with pytest.raises(ValueError, match="symlinks must be one of 'keep', 'follow', 'skip', not 'copy'"):
        loader.preload_directory(tree, "/copied", symlinks="copy")
    (tree.parent / "secret").write_text(SECRET)
    for target in ("../secret", str(tree.parent / "secret"), "d/../../secret", "d"):
        (tree / "bad").symlink_to(target)
        for symlinks in ("keep", "follow"):
            if (target, symlinks) == ("d", "keep"):
                continue
            with pytest.raises(OSError, match="bad") as caught:
                loader.preload_directory(tree, "/bad", symlinks=symlinks)
            assert caught.value.errno in (errno.EINVAL, errno.ENOENT)
        (tree / "bad").unlink()
    assert not chukmem.exists("/bad")


def test_special_files_are_refused(chukmem: MemoryFileSystem, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        with fails_with(errno.EINVAL, "socket"):
            TemplateLoader(chukmem).preload_directory(tree)
    assert contents(chukmem) == {}


def test_a_directory_of_another_filesystem_is_preloaded(chukmem: MemoryFileSystem, plain: AbstractFileSystem) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe({"/preload-test/a/b": BINARY, "/preload-test/c": b"c"})
    try:
        assert TemplateLoader(chukmem).preload_directory("memory://preload-test", "/t") == 2
        assert TemplateLoader(plain).preload_directory("memory://preload-test", "/t") == 2
    finally:
        memory.rm("/preload-test", recursive=True)
    assert contents(chukmem, "/t") == {"/a": None, "/a/b": BINARY, "/c": b"c"}


def test_a_large_file_is_preloaded_beyond_the_limits_of_templates(fs: AbstractFileSystem, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    data = os.urandom(3 << 20)
    (tmp_path / "big/file").write_bytes(data)
    seen = fsspec.Callback()
    loader = TemplateLoader(fs, limits=Limits(total_bytes=1000))
    assert loader.preload_directory(tmp_path / "big", "/t/b", callback=seen) == 1
    assert fs.cat_file("/t/b/file") == data
    assert seen.value == len(data)


# ---- quick_load


def test_quick_load_writes_what_it_is_given(fs: AbstractFileSystem) -> None:
    loader = TemplateLoader(fs)
    assert loader.quick_load({"a/b": "${x} $$ ä", "/c": b"\0\xff"}, "/t/q") == 2
    assert contents(fs, "/t/q") == {"/a": None, "/a/b": "${x} $$ ä".encode(), "/c": b"\0\xff"}
    with pytest.raises(ValueError, match=r"content_dict\['d'\]: text is needed, not int"):
        loader.quick_load({"d": 3}, "/t/q")  # type: ignore[dict-item]
    with fails_with(errno.EINVAL, "../d"):
        loader.quick_load({"../d": "x"}, "/t/q")
    assert loader.quick_load({}, "/t/other") == 0


# ---- making


def test_a_template_of_a_directory_makes_it_again(fs: AbstractFileSystem, tree: Path) -> None:
    made = make_template(tree)
    TemplateLoader(fs).apply_template(made, "/t/again")
    assert contents(fs, "/t/again") == TREE
    assert make_template(fs, "/t/again") == made
    (tree / "t.json").write_text("{}")
    assert read_template(tree / "t.json")[0].files == ()
