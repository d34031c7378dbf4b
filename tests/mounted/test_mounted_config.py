"""What is mounted, in every form that it can be said: objects, dicts, URLs and workspace files."""

from __future__ import annotations

import errno
import json
import pickle
import textwrap
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem as FsspecMemory

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.mounted import MountedFileSystem, open_workspace
from chuk_fsspec.mounted.references import without_secrets
from chuk_fsspec.testing.checks import fails_with, in_threads
from chuk_fsspec.wrappers.readonly import ReadOnlyFileSystem
from tests.mounted.mounted_trees import chukmem, stores


@pytest.fixture
def name() -> Iterator[str]:
    with stores(1) as [one]:
        yield one


class Secretive(FsspecMemory):
    """Takes credentials, and tells nobody."""

    protocol = "secretive"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def __init__(self, token: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.token = token


fsspec.register_implementation("secretive", Secretive, clobber=True)


# ---- forms


def test_every_form_says_the_same(name: str) -> None:
    forms: list[Any] = [
        MemoryFileSystem(name),
        MemoryFileSystem(name=name),
        (MemoryFileSystem(name), "/"),
        [MemoryFileSystem(name), ""],
        {"protocol": "chukmem", "options": {"name": name}},
        {"filesystem": MemoryFileSystem(name, skip_instance_cache=True)},
        {"url": "chukmem://", "options": {"name": name}},
        {"url": "chukreadonly::chukmem://", "options": {"chukmem": {"name": name}}},
    ]
    MemoryFileSystem(name).pipe_file("/f", b"content")
    for form in forms:
        fs = MountedFileSystem({"/m": form})
        assert fs.cat_file("/m/f") == b"content", form
        fs = MountedFileSystem()
        fs.mount("/m", form)
        assert fs.find("/") == ["/m/f"]


def test_urls_and_protocols_as_text(name: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"local")
    fs = MountedFileSystem({"/a": f"file://{tmp_path}", "/b": str(tmp_path), "/c": "chukmem"})
    assert fs.cat_file("/a/f") == fs.cat_file("/b/f") == b"local"
    fs.mount("/d", "chukmem", "/deeper", options={"name": name})
    fs.mount("/e", "chukmem", name=name)
    fs.pipe_file("/d/f", b"1")
    assert fs.cat_file("/e/deeper/f") == b"1"


def test_a_url_leads_into_the_tree(name: str, tmp_path: Path) -> None:
    mounts = {"/": chukmem(name), "/data": f"file://{tmp_path}"}
    for url in ("chukmount://data/x.csv", "chukmount:///data/x.csv"):
        with fsspec.open(url, "w", mounts=mounts) as file:
            file.write("a,b\n1,2\n")
        with fsspec.open(url, "r", mounts=mounts) as file:
            assert file.read() == "a,b\n1,2\n"
    assert (tmp_path / "x.csv").read_text() == "a,b\n1,2\n"
    with fsspec.open("chukreadonly::chukmount://data/x.csv", "r", chukmount={"mounts": mounts}) as file:
        assert file.read() == "a,b\n1,2\n"
    MemoryFileSystem(name).pipe_file("/in/f", b"1")
    with fsspec.open("chukmount::chukmem://in/f", "rb", chukmem={"name": name}) as file:
        assert file.read() == b"1"
    with fsspec.open("chukmount://in/f::chukmem://", "rb", chukmem={"name": name}) as file:
        assert file.read() == b"1"
    with fsspec.open("simplecache::chukmount://data/x.csv", "rt", chukmount={"mounts": mounts}) as file:
        assert file.read() == "a,b\n1,2\n"


def test_pandas_reads_and_writes(name: str, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", minversion="3", reason="older ones know no chained URLs")
    options = {"mounts": {"/": chukmem(name), "/data": f"file://{tmp_path}"}}
    frame = pandas.DataFrame({"a": [1, 2]})
    for url in ("chukmount://data/x.csv", "chukmount://x.csv", "chukmount://deep/x.csv"):
        frame.to_csv(url, index=False, storage_options=options)
        assert pandas.read_csv(url, storage_options=options).equals(frame)
    with pytest.raises(OSError) as caught:
        frame.to_csv("chukreadonly::chukmount://x.csv", storage_options={"chukmount": options})
    assert caught.value.errno == errno.EROFS


def test_root_by_chaining_and_mounts_together(name: str) -> None:
    with stores(1) as [other]:
        fs = MountedFileSystem(fs=MemoryFileSystem(name), mounts={"/other": chukmem(other)})
        fs.pipe({"/f": b"1", "/other/f": b"2"})
        assert MemoryFileSystem(name).find("/") == ["/f"]
        for arguments in (
            {"fs": MemoryFileSystem(name), "mounts": {"/": "chukmem"}},
            {"fs": MemoryFileSystem(name), "target_protocol": "chukmem"},
            {"target_protocol": "chukmem", "mounts": {"//": "chukmem"}},
        ):
            with pytest.raises(ValueError, match="two filesystems at the root"):
                MountedFileSystem(**arguments)


@pytest.mark.parametrize(
    ("mounts", "message"),
    [
        ({"/a": {"protocol": "chukmem", "optoins": {}}}, r"mounts\['/a'\].*'optoins'.*did you mean 'options'"),
        ({"/a": {"protocol": "chukmen"}}, r"mounts\['/a'\].*'chukmen'.*did you mean 'chukmem'"),
        ({"/a": "chukmen"}, "did you mean 'chukmem'"),
        ({"/a": "chukmen://x"}, "did you mean 'chukmem'"),
        ({"/a": {}}, "give one of protocol, url, filesystem"),
        ({"/a": {"protocol": "chukmem", "url": "chukmem://"}}, "protocol and url"),
        ({"/a": {"url": "chukmem://x", "root": "/y"}}, "root of a URL is its path"),
        ({"/a": {"protocol": "chukmem", "read_only": "yes"}}, "true or false"),
        ({"/a": {"protocol": "chukmem", "options": "name=x"}}, "options"),
        ({"/a": {"protocol": "chukmem", "root": 5}}, "root"),
        ({"/a": {"protocol": "chukmem", "wrappers": "chukreadonly"}}, "a list of wrappers"),
        ({"/a": {"protocol": "chukmem", "wrappers": [{"protocl": "chukreadonly"}]}}, "did you mean 'protocol'"),
        ({"/a": {"protocol": "chukmem", "wrappers": ["chukreadnly"]}}, "did you mean 'chukreadonly'"),
        ({"/a": 5}, "not int"),
        ({"/a": "chukmem", "//a/": "chukmem"}, "/a is given twice"),
        (["/a"], "a dict from mount point"),
        ({"/a": {"protocol": "chukmem", "options": {"name": "${env:CHUK_NOT_SET}"}}}, "CHUK_NOT_SET is not set"),
        ({"/a": {"protocol": "chukmem", "options": {"capacity": -1}}}, "capacity"),
        ({"/a": {"protocol": "file", "args": [1, 2, 3]}}, r"mounts\['/a'\]: the options are not those"),
    ],
)
def test_mistakes_are_named_and_nothing_is_mounted(mounts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MountedFileSystem(mounts)
    if isinstance(mounts, dict) and len(mounts) == 1:
        fs = MountedFileSystem({"/b": "chukmem"})
        with pytest.raises(ValueError, match=message):
            fs.mount("/a", mounts["/a"])
        assert [one["mount_point"] for one in fs.list_mounts()] == ["/b"]


def test_a_bad_mount_point() -> None:
    for point in ("/..", "/a\0b", "/" + "x" * 256):
        with pytest.raises(OSError):
            MountedFileSystem({point: "chukmem"})


def test_options_that_are_too_late(name: str) -> None:
    fs = MountedFileSystem()
    with pytest.raises(ValueError, match="open already"):
        fs.mount("/a", FsspecMemory(skip_instance_cache=True), options={"x": 1})


# ---- instances, pickles and JSON


def test_the_same_arguments_give_the_same_object_and_others_do_not(name: str) -> None:
    def made(**options: Any) -> MountedFileSystem:
        return MountedFileSystem({"/": MemoryFileSystem(name, **options)})

    assert made() is made()
    # Their texts are alike; what they do is not.
    assert repr(MemoryFileSystem(name, auto_mkdir=False)) == repr(MemoryFileSystem(name))
    assert made() is not made(auto_mkdir=False)
    with fails_with(errno.ENOENT):
        made(auto_mkdir=False).pipe_file("/missing/f", b"")
    open_ones = [FsspecMemory(skip_instance_cache=True) for _ in range(2)]
    assert MountedFileSystem({"/": open_ones[0]}) is not MountedFileSystem({"/": open_ones[0]})


def test_each_thread_has_filesystems_of_its_own(name: str) -> None:
    fs = MountedFileSystem({"/": MemoryFileSystem(name)})
    other = in_threads(1, lambda _: MountedFileSystem({"/": MemoryFileSystem(name)}))[0]
    assert other is not fs
    assert other._tree.table.mounts["/"].fs is not fs._tree.table.mounts["/"].fs


def test_the_same_files_in_the_same_places_have_one_name(name: str) -> None:
    fs = MountedFileSystem({"/": MemoryFileSystem(name), "/x": "memory://"})
    again = in_threads(1, lambda _: MountedFileSystem({"/": chukmem(name), "/x": "memory://"}))[0]
    assert fs.fsid == again.fsid == fs.posix.nofollow.fsid
    assert fs.fsid != MountedFileSystem({"/y": chukmem(name), "/x": "memory://"}).fsid
    assert fs.fsid != MountedFileSystem({"/": {**chukmem(name), "root": "/a"}, "/x": "memory://"}).fsid
    before = fs.fsid
    fs.mount("/z", "chukmem")
    assert fs.fsid != before


def test_a_changed_table_travels(name: str) -> None:
    arguments: dict[str, Any] = {"mounts": {"/": chukmem(name)}}
    fs = MountedFileSystem(**arguments)
    with stores(1) as [other]:
        fs.mount("/other", chukmem(other), read_only=True)
        fresh = MountedFileSystem(**arguments)
        assert fresh is not fs
        assert fresh != fs
        assert not fresh.exists("/other")
        for again in (
            pickle.loads(pickle.dumps(fs)),
            AbstractFileSystem.from_json(fs.to_json()),
            AbstractFileSystem.from_dict(fs.to_dict()),
            type(fs)(*fs.storage_args, **fs.storage_options),
        ):
            assert again == fs
            assert hash(again) == hash(fs)
            assert again.list_mounts() == fs.list_mounts()
            with fails_with(errno.EROFS):
                again.pipe_file("/other/f", b"")
        view = fs.posix.nofollow
        assert pickle.loads(pickle.dumps(view)).list_mounts() == fs.list_mounts()
        fs.unmount("/other")
        assert view.list_mounts() == fs.list_mounts() == fresh.list_mounts()
        assert fs == fresh


def test_a_changed_object_is_not_handed_out_again(name: str) -> None:
    fs = MountedFileSystem({"/": chukmem(name)})
    fs.mount("/x", "chukmem")
    fs.unmount("/x")
    assert MountedFileSystem({"/": chukmem(name)}) is not fs


# ---- secrets


def test_references_are_kept_and_values_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHUK_TOKEN", "s3cr3t")
    monkeypatch.setenv("CHUK_HOST", "example.org")
    mounts: dict[str, dict[str, Any]] = {
        "/a": {"protocol": "secretive", "options": {"token": "${env:CHUK_TOKEN}", "x": "http://${env:CHUK_HOST}/y"}},
        "/b": {"protocol": "secretive", "options": {"token": {"env": "CHUK_TOKEN"}, "secret": "plain s3cr3t"}},
    }
    fs = MountedFileSystem(mounts)
    opened = [fs._tree.table.mounts[path].fs for path in ("/a", "/b")]
    assert [one.token for one in opened] == ["s3cr3t", "s3cr3t"]
    assert opened[0].storage_options["x"] == "http://example.org/y"
    fs.mount("/c", "secretive", token="${env:CHUK_TOKEN}")
    assert fs._tree.table.mounts["/c"].fs.token == "s3cr3t"
    shown = fs.list_mounts()
    assert shown[0]["options"] == {"token": "${env:CHUK_TOKEN}", "x": "http://${env:CHUK_HOST}/y"}
    assert shown[1]["options"] == {"token": {"env": "CHUK_TOKEN"}}
    json.dumps(shown)
    del mounts["/b"]["options"]["secret"]
    fs = MountedFileSystem(mounts)
    for text in (repr(fs), fs.to_json(), str(pickle.dumps(fs)), str(fs.storage_options), str(fs.list_mounts())):
        assert "s3cr3t" not in text
        assert "example.org" not in text
    monkeypatch.setenv("CHUK_TOKEN", "another")
    assert pickle.loads(pickle.dumps(fs))._tree.table.mounts["/a"].fs.token in ("s3cr3t", "another")


def test_what_is_shown_of_options() -> None:
    options = {
        "key": "AKIA", "secret": "x", "token": "y", "password": "z", "account_key": "k", "sas_token": "s",
        "client_kwargs": {"aws_secret_access_key": "x", "region_name": "eu", "headers": {"Authorization": "x"}},
        "endpoint": "https://user:pass@example.org/x", "anon": False, "keyboard": "de", "list": ["http://u:p@h/"],
        "monkey": "chimp", "connection_string": "AccountKey=1", "credentials": object(), "object": object(),
    }  # fmt: skip
    assert without_secrets(options) == {
        "client_kwargs": {"region_name": "eu", "headers": {}},
        "endpoint": "https://example.org/x",
        "anon": False,
        "keyboard": "de",
        "list": ["http://h/"],
        "monkey": "chimp",
        "object": "object",
    }


# ---- wrappers and read-only mounts


def test_each_mount_has_wrappers_of_its_own(name: str) -> None:
    mounts = {"/": chukmem(name), "/ro": {**chukmem(name), "wrappers": [{"protocol": "chukreadonly", "options": {}}]}}
    fs = MountedFileSystem(mounts)
    fs.pipe_file("/f", b"1")
    assert fs.cat_file("/ro/f") == b"1"
    with fails_with(errno.EROFS, "/ro/g"):
        fs.pipe_file("/ro/g", b"")
    assert fs.list_mounts()[1]["wrappers"] == [{"protocol": "chukreadonly", "options": {}}]
    assert pickle.loads(pickle.dumps(fs)) == fs


def test_a_read_only_mount_takes_no_change(name: str) -> None:
    store = MemoryFileSystem(name)
    store.pipe({"/f": b"1", "/d/g": b"2"})
    store.posix.symlink("f", "/link")
    with stores(1) as [other]:
        fs = MountedFileSystem({"/": chukmem(other), "/ro": {**chukmem(name), "read_only": True}})
        fs.pipe_file("/x", b"outside")
        fs.posix.symlink("/ro/f", "/into")
        posix, path = fs.posix, "/ro/f"
        changes: list[Any] = [
            lambda: fs.pipe_file(path, b""),
            lambda: fs.pipe({path: b"", "/ro/y": b""}),
            lambda: fs.pipe_file("/into", b""),
            lambda: fs.touch(path),
            lambda: fs.open(path, "wb"),
            lambda: fs.open(path, "ab"),
            lambda: fs.open(path, "r+b"),
            lambda: fs.open("/ro/new", "xb"),
            lambda: fs.rm(path),
            lambda: fs.rm("/ro/d", recursive=True),
            lambda: fs.rm_file(path),
            lambda: fs.rmdir("/ro/d"),
            lambda: fs.mkdir("/ro/e"),
            lambda: fs.makedirs("/ro/e/f"),
            lambda: fs.mv(path, "/ro/g"),
            lambda: fs.mv(path, "/g"),
            lambda: fs.mv("/x", "/ro/x"),
            lambda: fs.cp_file(path, "/ro/g"),
            lambda: fs.cp_file("/x", "/ro/x"),
            lambda: fs.copy("/x", "/ro/x"),
            lambda: fs.put_file(__file__, "/ro/g"),
            lambda: fs.put(__file__, "/ro/g"),
            lambda: posix.chmod(path, 0),
            lambda: posix.chown(path, 1, 1),
            lambda: posix.utime(path),
            lambda: posix.truncate(path, 0),
            lambda: posix.setxattr(path, "user.a", b""),
            lambda: posix.removexattr(path, "user.a"),
            lambda: posix.symlink("x", "/ro/s"),
            lambda: posix.link(path, "/ro/l"),
            lambda: posix.mkdir("/ro/e"),
            lambda: posix.mknod("/ro/n", 0o010644),
            lambda: posix.rename(path, "/ro/g"),
            lambda: posix.unlink(path),
            lambda: posix.rmdir("/ro/d"),
            lambda: posix.open_handle(path, 1),
            lambda: posix.open_handle("/ro/n", 0o101),
            lambda: fs.posix.nofollow.pipe_file(path, b""),
        ]
        for number, change in enumerate(changes):
            with pytest.raises(OSError) as caught:
                change()
            assert caught.value.errno == errno.EROFS, number
        with fs.transaction, pytest.raises(OSError) as caught:
            fs.pipe_file("/ro/new", b"")
        assert caught.value.errno == errno.EROFS
        assert {path: store.cat_file(path) for path in ("/f", "/d/g")} == {"/f": b"1", "/d/g": b"2"}
        assert store.find("/") == ["/d/g", "/f", "/link"]
        assert fs.cat("/ro", recursive=True) == {"/ro/d/g": b"2", "/ro/f": b"1", "/ro/link": b"1"}
        assert fs.posix.readlink("/ro/link") == "f"
        assert fs.capabilities.write


# ---- workspace files

WORKSPACE = """
    [mounts."/"]
    protocol = "chukmem"
    options.name = "{name}"

    [mounts."/notes"]
    url = "file://${{workspace}}/notes"

    [mounts."/secret"]
    protocol = "secretive"
    read_only = true
    options.token = "${{env:CHUK_TOKEN}}"

    [mounts."/part"]
    protocol = "chukmem"
    root = "/deep/part"
    options = {{ name = "{name}" }}

    [[mounts."/part".wrappers]]
    protocol = "chukreadonly"
"""


@pytest.fixture
def workspace(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CHUK_TOKEN", "s3cr3t")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/f").write_bytes(b"note")
    path = tmp_path / "work.toml"
    path.write_text(textwrap.dedent(WORKSPACE.format(name=name)))
    return path


def test_a_workspace_file(workspace: Path, name: str) -> None:
    MemoryFileSystem(name).pipe_file("/deep/part/f", b"1")
    for fs in (
        MountedFileSystem(workspace=str(workspace)),
        MountedFileSystem(workspace=workspace),
        open_workspace(workspace),
        fsspec.filesystem("chukmount", workspace=str(workspace)),
        fsspec.core.url_to_fs("chukmount://", workspace=str(workspace))[0],
    ):
        assert fs.cat_file("/notes/f") == b"note"
        assert fs.cat_file("/part/f") == b"1"
        assert fs.find("/") == ["/deep/part/f", "/notes/f", "/part/f"]
        with fails_with(errno.EROFS):
            fs.pipe_file("/secret/f", b"")
        with fails_with(errno.EROFS):
            fs.pipe_file("/part/f", b"")
        assert fs._tree.table.mounts["/secret"].fs.__class__ is ReadOnlyFileSystem
        assert "s3cr3t" not in fs.to_json()
        again = pickle.loads(pickle.dumps(fs))
        assert again == fs
        assert AbstractFileSystem.from_json(fs.to_json()) == fs
    with fsspec.open("chukreadonly::chukmount://notes/f", chukmount={"workspace": str(workspace)}) as file:
        assert file.read() == b"note"
    assert "s3cr3t" not in workspace.read_text()


def test_a_changed_workspace_file_is_read_again(workspace: Path) -> None:
    fs = MountedFileSystem(workspace=str(workspace))
    assert MountedFileSystem(workspace=str(workspace)) is fs
    workspace.write_text(workspace.read_text().replace('"/notes"', '"/texts"'))
    assert MountedFileSystem(workspace=str(workspace)).cat_file("/texts/f") == b"note"


def test_mounts_go_before_those_of_the_workspace(workspace: Path, tmp_path: Path) -> None:
    notes = {"protocol": "chukmem", "options": {"name": f"{tmp_path}"}}
    fs = MountedFileSystem(workspace=str(workspace), mounts={"/notes": notes, "/more": f"file://{tmp_path}"})
    assert not fs.exists("/notes/f")
    assert fs.exists("/more/notes/f")


def test_wrappers_over_the_whole_tree(workspace: Path) -> None:
    workspace.write_text(workspace.read_text() + '\n[[wrappers]]\nprotocol = "chukreadonly"\n')
    with pytest.raises(ValueError, match="open_workspace"):
        MountedFileSystem(workspace=str(workspace))
    fs = open_workspace(workspace)
    assert isinstance(fs, ReadOnlyFileSystem)
    with fails_with(errno.EROFS, "/f"):
        fs.pipe_file("/f", b"")
    assert fs.cat_file("/notes/f") == b"note"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mounts", r"work.toml is not TOML"),
        ("", r'work.toml: nothing is mounted; begin with a table \[mounts."/"\]'),
        ('[mount."/"]\nprotocol="chukmem"', "work.toml: unknown key 'mount'; did you mean 'mounts'"),
        ('[mounts."/a"]\nprotocoll="chukmem"', r"mounts\['/a'\]: unknown key 'protocoll'; did you mean 'protocol'"),
        ('[mounts."/a"]\nprotocol="chukmem"\n[[wrappers]]\nprotocol="chukreadnly"', r"wrappers\[0\].*'chukreadonly'"),
    ],
)
def test_mistakes_in_a_workspace_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "work.toml").write_text(text)
    with pytest.raises(ValueError, match=message):
        MountedFileSystem(workspace=str(tmp_path / "work.toml"))


def test_a_missing_workspace_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        MountedFileSystem(workspace=str(tmp_path / "missing.toml"))


def test_unknown_options_are_accepted(name: str) -> None:
    fs = MountedFileSystem({"/": chukmem(name)}, anon=True, something=uuid.uuid4().hex)
    fs.pipe_file("/f", b"1")
    drop_store("default")
