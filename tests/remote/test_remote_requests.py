"""What is asked of a service: how many requests a call makes, and what is remembered for how long."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.ranges import Range, merge
from chuk_fsspec.testing.checks import fails_with
from tests.remote.dict_store import PART, DictFileSystem, service


def made(fs: DictFileSystem, act) -> dict[str, int]:
    """The requests that a call makes."""
    fs.service.requests.clear()
    act()
    return dict(fs.service.requests)


@pytest.mark.parametrize("kind", ["bare", "bucket", "tree"])
def test_reading_a_small_file_is_one_request(name: str, kind: str):
    fs = DictFileSystem(name, kind)
    fs.pipe_file("/d/f", b"content")
    assert made(fs, lambda: fs.cat_file("/d/f")) == {"read": 1}
    assert made(fs, lambda: fs.cat_file("/d/f", 2, 5)) == {"read": 1}
    assert made(fs, lambda: fs.info("/d/f")) == {"look": 1}
    assert made(fs, lambda: fs.find("/d")) == {"descend": 1}
    assert made(fs, lambda: fs.ls("/d")) == {"list": 1}
    fs.invalidate_cache()  # of what may be a link it has to be seen that it is none
    assert made(fs, lambda: fs.ls("/d")) == {"list": 1} | ({"look": 1} if kind == "tree" else {})


def test_writing_a_small_file_is_one_request(name: str):
    bare, bucket, tree = (DictFileSystem(name + kind, kind) for kind in ("bare", "bucket", "tree"))
    assert made(bare, lambda: bare.pipe_file("/d/f", b"content")) == {"write": 1}
    for fs in (bucket, tree):
        fs.pipe_file("/d/f", b"content")
    assert made(bucket, lambda: bucket.pipe_file("/d/g", b"content")) == {"write": 1}
    assert made(bucket, lambda: bucket.pipe_file("/d/g", b"new", if_match="*")) == {"write": 1}
    # A link has to be seen before it is followed.
    assert made(tree, lambda: tree.pipe_file("/d/g", b"content")) == {"look": 1, "write": 1}


def test_a_file_of_one_request_is_not_uploaded_in_parts(name: str):
    fs = DictFileSystem(name)
    fs.mkdir("/d")
    assert made(fs, lambda: fs.pipe_file("/d/f", b"x" * 2 * PART)) == {"write": 1}
    assert made(fs, lambda: fs.pipe_file("/d/f", b"x" * (2 * PART + 1))) == {"upload": 1, "send": 3, "finish": 1}


def test_directories_are_made_once(name: str):
    fs = DictFileSystem(name)
    assert made(fs, lambda: fs.pipe_file("/a/b/c", b"")) == {"look": 2, "make_directory": 2, "write": 1}
    assert made(fs, lambda: fs.makedirs("/a/b", exist_ok=True)) == {}
    assert made(fs, lambda: fs.pipe({f"/a/b/{number}": b"" for number in range(20)})) == {"write": 20}


def test_what_is_missing_in_a_directory_that_was_seen_is_one_request(name: str):
    fs = DictFileSystem(name)

    def look_for_it() -> None:
        with fails_with(errno.ENOENT, "/d/missing"):
            fs.info("/d/missing")

    fs.pipe_file("/d/f", b"")
    fs.invalidate_cache()
    # What is below a file would be ENOTDIR.
    assert made(fs, look_for_it) == {"look": 2}
    fs.invalidate_cache()
    assert made(fs, lambda: fs.info("/d")) == {"look": 1}
    assert made(fs, look_for_it) == {"look": 1}


def test_a_directory_that_somebody_removed_is_made_again(name: str):
    fs, other = DictFileSystem(name), DictFileSystem(name, skip_instance_cache=True)
    for write in (
        lambda: fs.pipe_file("/a/b/f", b"content"),
        lambda: fs.pipe_file("/a/b/f", b"content" * PART),
        lambda: fs.cp_file("/source", "/a/b/f"),
        lambda: fs.mkdir("/a/b/d"),
    ):
        fs.pipe({"/a/b/before": b"", "/source": b"content"})
        other.rm("/a", recursive=True)
        write()
        assert len(fs.find("/a", withdirs=True)) == 3


def test_a_removed_directory_is_not_made_for_a_condition(name: str):
    fs, other = DictFileSystem(name), DictFileSystem(name, skip_instance_cache=True)
    etag = fs.pipe_file("/a/b/f", b"content")
    other.rm("/a", recursive=True)
    with pytest.raises(OSError) as caught:
        fs.pipe_file("/a/b/f", b"new", if_match=etag)
    assert caught.value.errno == errno.ESTALE
    assert fs.find("/", withdirs=True) == ["/"]


def test_nothing_is_remembered_if_nobody_wants_it(name: str):
    fs = DictFileSystem(name, listings_expiry_time=0)
    fs.mkdir("/d")
    assert made(fs, lambda: fs.pipe_file("/d/f", b"")) == {"look": 1, "write": 1}


def test_listings_are_remembered_only_if_asked_for(name: str):
    fs, remembering = DictFileSystem(name), DictFileSystem(name, use_listings_cache=True)
    fs.pipe({"/d/a": b"", "/d/b": b""})
    for one, requests in ((fs, {"list": 2}), (remembering, {"list": 1})):
        assert made(fs, lambda one=one: (one.ls("/d"), one.ls("/d", detail=False))) == requests
    fs.pipe_file("/d/c", b"")
    assert len(remembering.ls("/d")) == 2
    remembering.invalidate_cache("/d")
    assert len(remembering.ls("/d")) == 3
    remembering.rm_file("/d/a")
    assert remembering.ls("/d", detail=False) == ["/d/b", "/d/c"]


def test_bulk_work_keeps_to_what_the_service_takes(name: str):
    fs = DictFileSystem(name)
    fs.mkdir("/d")
    fs.service.latency = 0.002
    contents = {f"/d/{number}": b"%d" % number for number in range(100)}
    fs.pipe(contents)
    assert fs.cat(list(contents)) == contents
    fs.rm(list(contents))
    assert fs.service.most_running >= 4
    assert fs.ls("/d") == []


def test_near_ranges_come_together(name: str):
    fs = DictFileSystem(name)
    data = bytes(range(256)) * 10
    fs.pipe({"/f": data, "/g": data})
    asked = [("/f", 100, 200), ("/f", 0, 50), ("/g", 5, 9), ("/f", 55, 90), ("/f", -10, None), ("/g", 2000, 2001)]
    paths, starts, ends = (list(part) for part in zip(*asked, strict=True))
    expected = [data[start:end] for _, start, end in asked]
    assert fs.cat_ranges(paths, starts, ends) == expected
    assert fs.cat_ranges(paths, starts, ends, max_gap=10) == expected
    assert made(fs, lambda: fs.cat_ranges(paths[:4], starts[:4], ends[:4], max_gap=10)) == {"read": 2}
    assert made(fs, lambda: fs.cat_ranges(paths[:4], starts[:4], ends[:4], max_gap=4)) == {"read": 4}
    assert fs.cat_ranges([], [], [], max_gap=1) == []
    with pytest.raises(ValueError, match="do not fit"):
        fs.cat_ranges(["/f"], [1, 2], [3])
    with pytest.raises(TypeError, match="must be a list"):
        fs.cat_ranges("/f", 1, 2)


@given(
    asked=st.lists(
        st.tuples(st.sampled_from("fg"), st.none() | st.integers(-70, 70), st.none() | st.integers(-70, 70))
    ),
    gap=st.none() | st.integers(0, 30),
)
def test_however_ranges_are_put_together_each_is_what_was_asked_for(
    asked: list[tuple[str, int | None, int | None]], gap: int | None
):
    contents = {"f": bytes(range(60)), "g": bytes(range(100, 140))}
    results: list[bytes | None] = [None] * len(asked)
    for request in merge([Range(number, *one) for number, one in enumerate(asked)], gap):
        data = contents[request.path][request.start : request.end]
        for number, start, end in request.parts:
            assert results[number] is None
            results[number] = data[start:end]
    assert results == [contents[path][start:end] for path, start, end in asked]


def test_the_error_of_one_range_is_that_of_all_in_its_request(name: str):
    fs = DictFileSystem(name)
    fs.pipe_file("/f", b"0123456789")
    found = fs.cat_ranges(["/missing", "/f", "/missing"], [0, 2, 2], [1, 4, 3], max_gap=5)
    assert found[1] == b"23"
    assert isinstance(found[0], FileNotFoundError)
    assert isinstance(found[2], FileNotFoundError)


def test_head_and_tail_ask_for_no_more(name: str):
    fs = DictFileSystem(name)
    fs.pipe_file("/f", b"0123456789")
    assert (fs.head("/f", 3), fs.tail("/f", 3), fs.tail("/f", 0)) == (b"012", b"789", b"")
    assert made(fs, lambda: fs.head("/f", 3)) == {"read": 1}
    assert made(fs, lambda: fs.tail("/f", 3)) == {"look": 1, "read": 1}


def test_an_error_of_the_service_is_told_as_it_is(name: str):
    fs = DictFileSystem(name)
    fs.pipe_file("/f", b"content")
    for request, act in (
        ("read", lambda: fs.cat_file("/f")),
        ("look", lambda: fs.exists("/f")),
        ("list", lambda: fs.ls("/")),
        ("write", lambda: fs.pipe_file("/f", b"new")),
        ("remove_file", lambda: fs.rm("/f")),
        ("copy_file", lambda: fs.cp_file("/f", "/g")),
        ("move", lambda: fs.mv("/f", "/g")),
    ):
        fs.service.failures[request] = [os_error(errno.EIO, "/f")]
        with fails_with(errno.EIO, "/f"):
            act()
    assert fs.cat_file("/f") == b"content"
    assert fs.ls("/", detail=False) == ["/f"]


def test_the_first_error_of_bulk_work_ends_it(name: str):
    fs = DictFileSystem(name)
    fs.service.failures["write"] = [os_error(errno.EIO, "/x")]
    fs.service.latency = 0.001
    with fails_with(errno.EIO):
        fs.pipe({f"/{number}": b"" for number in range(200)})
    assert service(name).requests["write"] < 100
    assert service(name).running == 0
