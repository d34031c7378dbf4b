"""What is special about a Drive: identifiers instead of paths, titles that may be given twice, a trash."""

from __future__ import annotations

import errno
import json
import pickle
import threading

import pytest

from chuk_fsspec import VirtualFileSystem
from chuk_fsspec.backends.gdrive import GoogleDriveFileSystem
from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.testing.checks import in_threads
from tests.gdrive.conftest import LARGE, PART, Opening
from tests.gdrive.owner import Owner
from tests.gdrive.server.files import FOLDER, SHARED
from tests.gdrive.server.running import DriveServer

# ---- what it costs


def test_what_each_step_costs(server: DriveServer, drive: GoogleDriveFileSystem) -> None:
    drive.pipe_file("/d/f", b"first")
    costs = {}
    for name, step in {
        "write a file that is known": lambda: drive.pipe_file("/d/f", b"second"),
        "write a new file": lambda: drive.pipe_file("/d/g", b""),
        "read": lambda: drive.cat_file("/d/f"),
        "read a range": lambda: drive.cat_file("/d/f", 1, 3),
        "info": lambda: drive.info("/d/f"),
        "list": lambda: drive.ls("/d"),
        "remove": lambda: drive.rm_file("/d/g"),
        "remove a tree": lambda: drive.rm("/d", recursive=True),
    }.items():
        with server.counting() as asked:
            step()
        costs[name] = asked
    assert costs == {
        "write a file that is known": ["PUT upload"],
        "write a new file": ["GET files", "POST upload"],
        "read": ["GET media"],
        "read a range": ["GET media"],
        "info": ["GET file"],
        "list": ["GET files"],
        "remove": ["PATCH file"],
        "remove a tree": ["PATCH file"],
    }


def test_a_path_is_looked_for_once(server: DriveServer, drive: GoogleDriveFileSystem, opening: Opening) -> None:
    drive.pipe_file("/a/b/c/f", b"x")
    fresh = opening()
    with server.counting() as asked:
        fresh.cat_file("/a/b/c/f")
    assert asked == ["GET files"] * 5 + ["GET media"]  # the root folder and four names
    with server.counting() as asked:
        fresh.cat_file("/a/b/c/f")
    assert asked == ["GET media"]
    never = opening(cache_ttl=0)
    never.cat_file("/a/b/c/f")
    with server.counting() as asked:
        never.cat_file("/a/b/c/f")
    assert asked == ["GET files"] * 5 + ["GET media"]


def test_statistics(drive: GoogleDriveFileSystem, opening: Opening) -> None:
    drive.pipe_file("/f", b"x")
    drive.cat_file("/f")
    figures = drive.statistics()
    assert figures["api_calls_insert"] == 2  # the folder, and the file
    assert figures["api_calls_read"] == 1
    assert figures["api_calls"] == sum(count for name, count in figures.items() if name.startswith("api_calls_"))
    assert figures["cache_hits"] >= 1
    assert figures["cache_misses"] >= 1
    assert opening().statistics() == {"api_calls": 0, "cache_hits": 0, "cache_misses": 0}


def test_a_list_of_many_comes_in_pages(server: DriveServer, drive: GoogleDriveFileSystem, owner: Owner) -> None:
    inside = [{"id": owner.folder().id}]
    for number in range(2100):
        server.drive.add({"title": f"{number}", "parents": inside}, b"")
    with server.counting() as asked:
        assert len(drive.ls("/", detail=False)) == 2100
    assert asked == ["GET files"] * 3


# ---- one title, several files


def test_replacing_a_file_keeps_it(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    """Who was given access to it, and its history, stay with its identifier."""
    drive.pipe_file("/f", b"first")
    first = owner.one("/f").id
    drive.pipe_file("/f", b"second")
    with drive.open("/f", "wb") as file:
        file.write(b"x" * LARGE)
    drive.pipe_file("/g", b"copied")
    drive.cp_file("/g", "/f")
    assert owner.one("/f").id == first
    assert drive.cat_file("/f") == b"copied"
    assert len(owner.one("/f").revisions) == 4


def test_of_several_of_one_title_the_first_counts(drive: GoogleDriveFileSystem, owner: Owner, opening: Opening) -> None:
    drive.pipe_file("/f", b"first")
    owner.add("f", b"second")
    owner.add("f", b"third")
    for fs in (drive, opening()):
        assert fs.cat_file("/f") == b"first"
        assert fs.ls("/", detail=False) == ["/f"]
        assert fs.ls("/")[0]["duplicates"] == 2
    assert opening().info("/f")["duplicates"] == 2
    opening().pipe_file("/f", b"written")
    assert [file.content for file in owner.at("/f")] == [b"written", b"second", b"third"]
    drive.rm_file("/f")
    assert drive.cat_file("/f") == b"second"  # nothing that was not seen is removed
    assert opening().info("/f")["duplicates"] == 1


def test_many_at_once_make_one_file(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    in_threads(8, lambda number: drive.pipe_file("/d/e/f", b"%d" % number))
    assert len(owner.at("/d")) == len(owner.at("/d/e")) == len(owner.at("/d/e/f")) == 1


def test_two_programs_make_one_folder(drive: GoogleDriveFileSystem, opening: Opening, owner: Owner) -> None:
    """Also the root folder, which each makes when it is missing."""
    programs = [opening() for _ in range(4)]
    in_threads(4, lambda number: programs[number].pipe_file(f"/a/b/{number}", b"x"))
    assert len(owner.at("/a/b")) == 1
    assert drive.find("/") == [f"/a/b/{number}" for number in range(4)]


def test_titles_that_are_alike_are_different_names(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    """The search of the service takes no account of capitals."""
    odd = ["Notes", "notes", "NOTES", "it's", "a\\b", "a\\'b", "ünï", "%41", "' or title='x"]
    for number, name in enumerate(odd):
        drive.pipe_file(f"/{name}", b"%d" % number)
    for number, name in enumerate(odd):
        assert drive.cat_file(f"/{name}") == b"%d" % number
        assert len(owner.at(f"/{name}")) == 1
    assert sorted(drive.ls("/", detail=False)) == sorted(f"/{name}" for name in odd)


def test_what_no_path_can_name_is_not_lost(drive: GoogleDriveFileSystem, owner: Owner, server: DriveServer) -> None:
    drive.mkdir("/d")
    folder = owner.one("/d")
    for title in ("a/b", "..", ""):
        server.drive.add({"title": title, "parents": [{"id": folder.id}]}, b"")
    assert drive.ls("/d") == []
    with pytest.raises(OSError) as caught:
        drive.rmdir("/d")
    assert caught.value.errno == errno.ENOTEMPTY
    drive.rm("/d", recursive=True)
    assert owner.at("/d") == []


def test_documents_of_googles_have_no_bytes(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    owner.add("report", None, mimeType="application/vnd.google-apps.document")
    info = drive.info("/report")
    assert (info["type"], info["size"]) == ("other", 0)
    assert info["mimetype"] == "application/vnd.google-apps.document"
    assert info["link"].startswith("https://drive.google.com/")
    for step in (lambda: drive.cat_file("/report"), lambda: drive.pipe_file("/report", b"x")):
        with pytest.raises(OSError) as caught:
            step()
        assert caught.value.errno == errno.EOPNOTSUPP
    drive.mv("/report", "/renamed")
    drive.rm_file("/renamed")
    assert owner.at("/renamed") == []


# ---- what others do meanwhile


def test_nothing_is_written_to_a_file_that_was_moved(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    drive.pipe_file("/f", b"of f")
    owner.change(owner.one("/f"), title="g")
    drive.pipe_file("/f", b"new")
    assert (owner.one("/f").content, owner.one("/g").content) == (b"new", b"of f")


def test_nothing_is_written_into_the_trash(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    drive.pipe_file("/d/f", b"old")
    owner.change(owner.one("/d/f"), labels={"trashed": True})
    drive.pipe_file("/d/f", b"new")
    assert owner.one("/d/f").content == b"new"
    owner.change(owner.one("/d"), labels={"trashed": True})
    drive.invalidate_cache()
    drive.pipe_file("/d/g", b"new")
    assert owner.one("/d/g").content == b"new"


def test_nothing_is_removed_or_moved_that_was_moved_away(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    for name, step in (("a", drive.rm_file), ("b", lambda path: drive.mv(path, "/elsewhere"))):
        drive.pipe_file(f"/{name}", b"precious")
        owner.change(owner.one(f"/{name}"), title=f"kept-{name}")
        with pytest.raises(FileNotFoundError):
            step(f"/{name}")
        assert owner.one(f"/kept-{name}").content == b"precious"


def test_a_new_version_is_seen_at_once(drive: GoogleDriveFileSystem, owner: Owner, opening: Opening) -> None:
    drive.pipe_file("/f", b"first")
    opening().pipe_file("/f", b"second version")
    assert drive.cat_file("/f") == b"second version"
    assert drive.info("/f")["size"] == 14
    owner.change(owner.one("/f"), labels={"trashed": True})
    assert not drive.exists("/f")


def test_a_folder_that_was_removed_is_not_an_empty_one(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    drive.pipe_file("/d/f", b"x")
    owner.change(owner.one("/d"), labels={"trashed": True})
    with pytest.raises(FileNotFoundError):
        drive.ls("/d")
    drive.pipe_file("/e/f", b"x")
    owner.change(owner.one("/e"), labels={"trashed": True})
    again = owner.add("e", None, mimeType=FOLDER)
    owner.server.drive.add({"title": "other", "parents": [{"id": again.id}]}, b"")
    assert drive.ls("/e", detail=False) == ["/e/other"]


def test_who_reads_sees_one_version(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    """Of a large file, whose pieces come one after the other, and of an open one."""
    first, second = b"1" * LARGE, b"2" * LARGE
    drive.pipe_file("/f", first)
    with drive.open("/f", "rb", block_size=PART // 4) as file:
        assert file.read(10) == first[:10]
        drive.pipe_file("/f", second)
        assert file.read() == first[10:]

    async def stream() -> list[bytes]:
        pieces: list[bytes] = []
        async for piece in drive._store.stream("/f"):
            if not pieces:
                owner.fill(owner.server.drive.at(file_id), first)
            pieces.append(piece)
        return pieces

    file_id = owner.one("/f").id
    assert b"".join(drive._wait(stream())) == second


# ---- conditions


def test_a_version_that_was_seen_may_be_asked_for(drive: GoogleDriveFileSystem, opening: Opening) -> None:
    drive.pipe_file("/f", b"first")
    seen = drive.info("/f")["etag"]
    other = opening()
    other.pipe_file("/f", b"of somebody else")
    for step in (
        lambda: drive.pipe_file("/f", b"mine", if_match=seen),
        lambda: drive.pipe_file("/f", b"x" * LARGE, if_match=seen),
        lambda: drive.rm_file("/f", if_match=seen),
    ):
        with pytest.raises(PreconditionFailed):
            step()
    assert drive.cat_file("/f") == b"of somebody else"
    written = drive.pipe_file("/f", b"mine", if_match=drive.info("/f")["etag"])
    assert written == drive.info("/f")["etag"]
    drive.rm_file("/f", if_match=written)
    assert not drive.exists("/f")


def test_of_many_who_have_seen_one_version_one_wins(drive: GoogleDriveFileSystem, opening: Opening) -> None:
    drive.pipe_file("/f", b"")
    seen = drive.info("/f")["etag"]
    programs = [opening() for _ in range(6)]
    won: list[int] = []

    def replace(number: int) -> None:
        try:
            programs[number].pipe_file("/f", b"%d" % number, if_match=seen)
        except PreconditionFailed:
            return
        won.append(number)

    in_threads(6, replace)
    assert [drive.cat_file("/f")] == [b"%d" % number for number in won]


def test_nothing_can_be_asked_to_be_new(drive: GoogleDriveFileSystem) -> None:
    """Two may give one title at the same time, and Drive takes both."""
    assert not drive.capabilities.exclusive_create
    assert not drive.capabilities.conditional_write
    with pytest.raises(OSError) as caught:
        drive.pipe_file("/f", b"x", if_none_match="*")
    assert caught.value.errno == errno.ENOTSUP
    drive.pipe_file("/f", b"x", mode="create")
    with pytest.raises(FileExistsError):
        drive.pipe_file("/f", b"y", mode="create")


# ---- removing


def test_what_is_removed_is_in_the_trash(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    drive.pipe_file("/d/f", b"x")
    file, folder = owner.one("/d/f"), owner.one("/d")
    drive.rm_file("/d/f")
    assert file.is_trashed
    drive.rm("/d", recursive=True)
    assert folder.is_trashed
    owner.change(file, labels={"trashed": False})
    owner.change(folder, labels={"trashed": False})
    assert drive.cat_file("/d/f") == b"x"


def test_without_the_trash_it_is_gone(server: DriveServer, opening: Opening) -> None:
    fs = opening(use_trash=False)
    fs.pipe_file("/d/f", b"x")
    fs.pipe_file("/g", b"y")
    owner = Owner(server, fs)
    ids = [owner.one(path).id for path in ("/d", "/d/f", "/g")]
    fs.rm_file("/g")
    fs.rm("/d", recursive=True)
    assert not any(file_id in server.drive.files for file_id in ids)


def test_the_root_can_be_emptied(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    drive.pipe_file("/a/b", b"x")
    drive.pipe_file("/c", b"x")
    owner.add("no/name", b"")
    for path in drive.ls("/", detail=False):
        drive.rm(path, recursive=True)
    assert drive.ls("/") == []


# ---- moving


def test_a_move_leaves_no_stale_names(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    for name in ("one", "two"):
        drive.pipe_file(f"/d/{name}/f", name.encode())
    kept = owner.one("/d/one/f").id
    drive.mv("/d/one", "/d/three", recursive=True)
    assert not drive.exists("/d/one/f")
    assert drive.info("/d/three/f")["id"] == kept
    drive.mv("/d/two", "/d/one", recursive=True)
    assert drive.cat_file("/d/one/f") == b"two"
    drive.mv("/d", "/e", recursive=True)
    assert drive.find("/") == ["/e/one/f", "/e/three/f"]
    assert drive.cat_file("/e/three/f") == b"one"


def test_a_move_over_a_file_puts_that_in_the_trash(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    drive.pipe_file("/new", b"new")
    drive.pipe_file("/old", b"old")
    moved, replaced = owner.one("/new").id, owner.one("/old")
    drive.mv("/new", "/old")
    assert owner.one("/old").id == moved
    assert replaced.is_trashed
    assert drive.cat_file("/old") == b"new"
    assert not drive.exists("/new")


def test_there_is_a_file_all_through_a_move_over_it(drive: GoogleDriveFileSystem, opening: Opening) -> None:
    drive.pipe_file("/target", b"0")
    ended = threading.Event()
    missed = 0

    def look() -> None:
        nonlocal missed
        other = opening(cache_ttl=0)
        while not ended.is_set():
            missed += not other.exists("/target")

    watcher = threading.Thread(target=look)
    watcher.start()
    for number in range(15):
        drive.pipe_file("/source", b"%d" % number)
        drive.mv("/source", "/target")
    ended.set()
    watcher.join()
    assert missed == 0
    assert drive.cat_file("/target") == b"14"


# ---- who and where


def test_files_carry_who_made_them(opening: Opening, server: DriveServer) -> None:
    fs = opening(session_id="session 7", sandbox_id="default")
    fs.pipe_file("/small", b"x")
    fs.pipe_file("/large", b"x" * LARGE)
    noted = {"session_id": "session 7", "sandbox_id": "default"}
    for path in ("/small", "/large"):
        assert fs.info(path)["metadata"] == noted
    fs.cp_file("/small", "/copy")
    assert fs.info("/copy")["metadata"] == noted
    file = Owner(server, fs).one("/small")
    assert [one["visibility"] for one in file.properties.values()] == ["PRIVATE", "PRIVATE"]


def test_notes_of_the_user_are_properties(drive: GoogleDriveFileSystem, owner: Owner, opening: Opening) -> None:
    fs = VirtualFileSystem(drive)
    fs.write_file("/f", "content")
    fs.set_metadata("/f", {"tags": ["a", "b"], "owner": "Ada"})
    assert VirtualFileSystem(opening()).get_metadata("/f")["custom_meta"] == {"tags": ["a", "b"], "owner": "Ada"}
    properties = {key: one["value"] for key, one in owner.one("/f").properties.items() if key != "chuk_change"}
    assert properties == {"tags": '["a", "b"]', "owner": "Ada"}
    fs.write_file("/f", "other")
    fs.mv("/f", "/g")
    fs.set_metadata("/g", {"tags": None})
    assert fs.get_metadata("/g")["custom_meta"] == {"owner": "Ada"}
    drive.posix.setxattr("/g", "user.raw", b"\xff\x00")
    drive.posix.setxattr("/g", "security.x", b"base64:no")
    assert [drive.posix.getxattr("/g", name) for name in ("user.raw", "security.x")] == [b"\xff\x00", b"base64:no"]
    with pytest.raises(OSError) as caught:
        fs.set_metadata("/g", {"note": "x" * 200})
    assert caught.value.errno == errno.E2BIG
    with pytest.raises(OSError) as caught:
        fs.set_metadata("/g", {f"{number}": "x" for number in range(30)})
    assert caught.value.errno == errno.ENOSPC
    assert len(drive.posix.listxattr("/g")) > 20
    assert fs.read_file("/g") == "other"


def test_folders_of_their_own_do_not_meet(opening: Opening) -> None:
    one, other = opening(root_folder="Apps/one"), opening(root_folder="Apps/other")
    one.pipe_file("/f", b"one")
    other.pipe_file("/f", b"other")
    assert (one.cat_file("/f"), other.cat_file("/f")) == (b"one", b"other")
    assert opening(root_folder="Apps").find("/") == ["/one/f", "/other/f"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"root_folder": "/"}, "root_folder='/' is no folder"),
        ({"root_folder": "a/../b"}, "is no folder of My Drive"),
        ({"cache_ttl": -1}, "cache_ttl is a number of seconds"),
        ({"workers": 0}, "workers is at least 1"),
        ({"part_size": 100_000}, "part_size is a multiple of 262144 bytes"),
        ({"session_id": "x" * 200}, "session_id has more bytes than Drive keeps"),
        ({"endpoint_url": "localhost"}, "endpoint_url begins with https://"),
        ({"timeout": 0}, "timeout is more than 0 seconds"),
    ],
)
def test_options_that_mean_nothing(options: dict[str, object], told: str, opening: Opening) -> None:
    with pytest.raises(ValueError, match=told):
        opening(**options)


def test_credentials_of_the_environment_travel_with_nothing(
    server: DriveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = server.credentials
    monkeypatch.setenv("GOOGLE_DRIVE_CREDENTIALS", json.dumps(credentials))
    monkeypatch.setenv("GOOGLE_DRIVE_ENDPOINT_URL", server.address)
    fs = GoogleDriveFileSystem(root_folder="environment")
    fs.pipe_file("/f", b"x")
    for told in (repr(fs), str(fs), fs.to_json(), repr(fs.storage_options), repr(pickle.dumps(fs))):
        assert not any(credentials[name] in told for name in ("token", "refresh_token", "client_secret"))
    assert pickle.loads(pickle.dumps(fs)).cat_file("/f") == b"x"
    fs.close()


def test_files_are_of_the_type_that_their_names_tell(drive: GoogleDriveFileSystem, owner: Owner) -> None:
    small, large = b"a,b", b"a,b\n" * (LARGE // 4)
    for path, content in (("/a.csv", small), ("/b.csv", large), ("/c.csv.gz", small), ("/d", small)):
        drive.pipe_file(path, content)
    shown = ["text/csv", "text/csv", "application/octet-stream", "application/octet-stream"]
    assert [info["mimetype"] for info in drive.ls("/", detail=True)] == shown
    page = owner.add("page", b"<p>", mimeType="text/html")
    drive.pipe_file("/page", small)
    assert page.mime == "text/html"
    drive.pipe_file("/page", large)
    assert (page.mime, page.content) == ("text/html", large)


def test_a_folder_of_a_shared_drive(opening: Opening, server: DriveServer, drive: GoogleDriveFileSystem) -> None:
    fs = opening(drive_id=SHARED)
    fs.pipe({"/d/f": b"content", "/d/large": b"x" * LARGE})
    fs.pipe_file("/d/f", b"again")
    fs.pipe_file("/d/large", b"y" * LARGE)
    fs.cp_file("/d/f", "/d/copy")
    fs.mv("/d", "/e")
    fs.posix.setxattr("/e/f", "user.note", b"1")
    assert fs.cat(["/e/f", "/e/copy", "/e/large"]) == {"/e/f": b"again", "/e/copy": b"again", "/e/large": b"y" * LARGE}
    assert server.drive.is_shared(server.drive.at(fs.info("/e/f")["id"]))
    assert drive.find("/") == []
    fs.rm_file("/e/f")
    fs.rm("/e", recursive=True)
    assert fs.find("/") == []
