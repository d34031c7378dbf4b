"""The commands for buckets, on servers that speak the two protocols."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from io import StringIO
from typing import Any

import fsspec
import pytest

from chuk_fsspec.cli.buckets import emptying
from tests.cli.commands import all_commands, example_lines, outcome, said, said_json
from tests.remote.services import ENVIRONMENTS

VERBS = ("list", "create", "info", "ls", "clear", "delete", "copy")
ODD = ("data//twice", "/first", "data/../up", "data/")
"""Keys that no path leads to."""


@pytest.fixture(scope="module")
def environments() -> Iterator[dict[str, dict[str, str]]]:
    """What a user sets once, by service."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(environment()) for name, environment in ENVIRONMENTS.items()}


@pytest.fixture(params=["gcs", "s3"])
def service(
    request: pytest.FixtureRequest, environments: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A service without buckets."""
    for name, value in environments[request.param].items():
        monkeypatch.setenv(name, value)
    yield request.param
    found = filesystem(request.param).buckets
    for bucket in found.list():
        found.remove(bucket.name, [one.key for one in found.objects(bucket.name)])
        found.delete(bucket.name)


@pytest.fixture
def fs(service: str) -> Any:
    """A filesystem of the service with two buckets, and files in one of them."""
    fs = filesystem(service)
    for name in ("one-bucket", "other-bucket"):
        fs.mkdir(name)
    for number in range(1, 4):
        fs.pipe_file(f"/one-bucket/data/f{number}", bytes(number * 1000))
    fs.pipe_file("/one-bucket/datum", b"x")
    return fs


def filesystem(service: str) -> Any:
    return fsspec.filesystem(f"chuk{service}")


def keys(fs: Any, bucket: str) -> list[str]:
    return sorted(one.key for one in fs.buckets.objects(bucket))


def test_buckets_come_and_go(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, service, "list") == ""
    assert said(capsys, service, "create", "my-bucket") == "created my-bucket\n"
    assert said(capsys, service, "list").endswith("  my-bucket\n")
    (found,) = said_json(capsys, service, "list")
    assert found["bucket"] == "my-bucket"
    assert found["created"].endswith("Z")
    assert "would remove my-bucket" in said(capsys, service, "delete", "my-bucket", "--dry-run")
    assert said(capsys, service, "delete", "my-bucket", "--yes") == "removed my-bucket\n"
    assert said(capsys, service, "list") == ""


def test_a_bucket_is_made_where_it_is_to_be(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    location = {"s3": "eu-central-1", "gcs": "EUROPE-WEST1"}[service]
    said(capsys, service, "create", "my-bucket", "--location", location)
    assert f"location     {location}\n" in said(capsys, service, "info", "my-bucket")


def test_what_is_known_of_a_bucket(fs: Any, service: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, service, "info", "one-bucket", "--show-top", "2")
    assert "objects      4\n" in told
    assert "content      5.9 KiB\n" in told
    assert told.endswith("largest objects:\n     2.9 KiB  data/f3\n     2.0 KiB  data/f2\n")
    (found,) = said_json(capsys, service, "info", "one-bucket", "--show-top", "1")
    assert (found["objects"], found["bytes"], found["largest"][0]["key"]) == (4, 6001, "data/f3")


def test_objects_are_listed_by_prefix(fs: Any, service: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, service, "ls", "one-bucket", "--prefix", "data/")
    assert [line.split()[-2:] for line in told.splitlines()] == [
        ["1000", "data/f1"], ["2000", "data/f2"], ["3000", "data/f3"]
    ]  # fmt: skip
    found = said_json(capsys, service, "ls", "one-bucket", "--prefix", "data/f2")
    assert [(one["key"], one["size"], one["bucket"]) for one in found] == [("data/f2", 2000, "one-bucket")]
    assert found[0]["etag"] == fs.info("/one-bucket/data/f2")["etag"]


def test_clearing_is_shown_and_asked_for(
    fs: Any, service: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = said(capsys, service, "clear", "one-bucket", "--prefix", "data/", "--dry-run")
    assert told == "would remove data/f1\nwould remove data/f2\nwould remove data/f3\n"
    assert "add --yes" in said(capsys, service, "clear", "one-bucket", code=1)
    assert "add --yes" in said(capsys, service, "clear", "one-bucket", "--json", code=1)
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert said(capsys, service, "clear", "one-bucket") == ""
    assert len(keys(fs, "one-bucket")) == 4
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert outcome(service, "clear", "one-bucket", "--prefix", "data/") == 0
    captured = capsys.readouterr()
    assert captured.err == "Remove 3 objects (5.9 KiB) from one-bucket? [y/N] "
    assert captured.out == "removed 3 objects (5.9 KiB)\n"
    assert keys(fs, "one-bucket") == ["datum"]


def test_everything_is_cleared_whatever_its_key(
    fs: Any, service: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(emptying, "BATCH", 2)
    fs.buckets.copy("one-bucket", "one-bucket", [("datum", key) for key in ODD])
    assert set(ODD) < set(keys(fs, "one-bucket"))
    assert "is not empty" in said(capsys, service, "delete", "one-bucket", "--yes", code=1)
    assert said_json(capsys, service, "clear", "one-bucket", "--yes") == [
        {"bucket": "one-bucket", "objects": 8, "bytes": 6005}
    ]
    said(capsys, service, "delete", "one-bucket", "--yes")
    assert said(capsys, service, "list").endswith("  other-bucket\n")


def test_copying_keeps_the_rest_of_each_key(fs: Any, service: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = (service, "copy", "one-bucket", "other-bucket", "--source-prefix", "data/", "--dest-prefix", "backup/")
    assert said(capsys, *words, "--dry-run").startswith("would copy data/f1 -> backup/f1\n")
    assert keys(fs, "other-bucket") == []
    assert said(capsys, *words) == "copied 3 objects (5.9 KiB)\n"
    assert keys(fs, "other-bucket") == ["backup/f1", "backup/f2", "backup/f3"]
    assert fs.cat_file("/other-bucket/backup/f2") == bytes(2000)
    assert "replace 3 of the 3" in said(capsys, *words, code=1)
    assert said_json(capsys, *words, "--dry-run")[0]["replaces"] is True
    assert said_json(capsys, *words, "--yes")[0]["objects"] == 3


def test_a_copy_is_not_copied_again(fs: Any, service: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, service, "copy", "one-bucket", "one-bucket", "--dest-prefix", "data/")
    assert keys(fs, "one-bucket") == ["data/data/f1", "data/data/f2", "data/data/f3", "data/datum", *FIRST]
    assert "are the same" in said(capsys, service, "copy", "one-bucket", "one-bucket", code=1)


FIRST = ["data/f1", "data/f2", "data/f3", "datum"]


@pytest.mark.parametrize(
    "words", [["info"], ["ls"], ["clear", "--yes"], ["delete", "--yes"], ["copy", "--dest-prefix", "x/"]]
)
def test_a_bucket_that_is_not_there(words: list[str], service: str, capsys: pytest.CaptureFixture[str]) -> None:
    verb, *more = words
    names = ["no-such-bucket"] * (2 if verb == "copy" else 1)
    problem = said(capsys, service, verb, *names, *more, code=1)
    assert problem.startswith("chuk-fsspec: no-such-bucket: No such file or directory")


def test_names_that_are_none(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    told = said(capsys, service, "create", "UPPER CASE", code=1)
    assert told.startswith("chuk-fsspec: UPPER CASE: Invalid argument")


def test_wrong_options_are_named(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "posix" not in said(capsys, service, "list", "--option", "posix=true")
    assert "part_size" in said(capsys, service, "list", "--option", "part_size=7", code=1)


def test_every_example_runs(service: str) -> None:
    fs = filesystem(service)
    for name in ("source-bucket", "dest-bucket"):
        fs.mkdir(name)
        fs.pipe_file(f"/{name}/data/a", b"1")
    parsers = {name: parser for name, parser in all_commands().items() if name.split()[0] == service}
    assert set(parsers) == {f"{service} {verb}" for verb in VERBS}
    for verb in ("create", "info", "ls", "clear", "delete", "copy", "list"):
        for line in example_lines(parsers[f"{service} {verb}"]):
            assert outcome(*line.split()[1:]) == 0, line


class Terminal(StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True
