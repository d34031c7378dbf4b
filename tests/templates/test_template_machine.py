"""Any template, however hostile: it makes what a plain model says, or nothing, and nothing outside of its target."""

from __future__ import annotations

import posixpath
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.templates import TemplateLoader, make_template
from chuk_fsspec.templates.documents import read_document
from chuk_fsspec.templates.making import document_of
from chuk_fsspec.templates.template import Limits
from tests.templates.template_kinds import contents, state

OUTSIDE = {"/outside/file": b"canary", "/outside/d/file": b"canary", "/canary": b"canary"}
VALUES = {"up": "..", "way": "/outside", "a": "a", "deep": "a/b"}

pieces = st.sampled_from(["a", "b", "c", "way", ".", "..", "", "${up}", "${way}", "${a}", "${deep}", "$${a}", "~"])
paths = st.builds(
    lambda parts, slash: "/" * slash + "/".join(parts), st.lists(pieces, min_size=1, max_size=4), st.booleans()
)
directories = st.builds(lambda path, mode: {"path": path, "mode": mode}, paths, st.sampled_from([None, "0700", "0755"]))
files = st.builds(
    lambda path, content, mode: {"path": path, "content": content, "mode": mode},
    paths,
    st.sampled_from(["", "text ${a}", "$$", b"\0${a}", "${up}"]),
    st.sampled_from([None, "0600", "0644"]),
)
links = st.builds(lambda path, target: {"path": path, "target": target}, paths, paths)
templates = st.fixed_dictionaries(
    {
        "directories": st.lists(directories, max_size=3),
        "files": st.lists(files, max_size=4),
        "links": st.lists(links, max_size=2),
    }
)
existing = st.dictionaries(
    st.sampled_from(["/a", "/b", "/c", "/way", "/a/b", "/a/way", "/b/c"]),
    st.sampled_from([b"old", None, "-> /outside", "-> ../outside/file", "-> /outside/d", "-> b"]),
    max_size=3,
)
Tree = dict[str, Any]


@contextmanager
def chukmem() -> Iterator[AbstractFileSystem]:
    name = uuid.uuid4().hex
    try:
        yield MemoryFileSystem(name)
    finally:
        drop_store(name)


@contextmanager
def chuklocal() -> Iterator[AbstractFileSystem]:
    with tempfile.TemporaryDirectory() as directory:
        yield LocalFileSystem(directory, durable=False)


def fill(fs: AbstractFileSystem, there: Tree) -> None:
    """Make what was there before; what does not fit together is left out."""
    fs.pipe(OUTSIDE)
    fs.makedirs("/t")
    directories = {"/"}
    for path, what in sorted(there.items()):
        if posixpath.dirname(path) not in directories:
            continue
        if what is None:
            fs.mkdir(f"/t{path}")
            directories.add(path)
        elif isinstance(what, bytes):
            fs.pipe_file(f"/t{path}", what)
        else:
            fs.posix.symlink(what.removeprefix("-> "), f"/t{path}")


class Refused(Exception):  # noqa: N818 - the model's answer
    """The model expects an error."""


def text_of(text: str) -> str:
    for name, value in VALUES.items():
        text = text.replace("$${", "\0").replace(f"${{{name}}}", value).replace("\0", "$${")
    return text.replace("$$", "$")


def place_of(text: str) -> str:
    path = text_of(text)
    if not text or ".." in path.split("/"):
        raise Refused
    return posixpath.normpath(f"/{path.lstrip('/')}")


def target_of(path: str, text: str) -> str:
    """The target that a link holds; refused unless it stays inside by every reading."""
    target = text_of(text)
    parts = [part for part in target.split("/") if part not in ("", ".")]
    names = [part for part in parts if part != ".."]
    if not target or parts != [".."] * (len(parts) - len(names)) + names:
        raise Refused
    parent = posixpath.dirname(path)
    depth = 0 if target.startswith("/") else parent.count("/") if parent != "/" else 0
    if len(parts) - len(names) > depth:
        raise Refused
    return posixpath.relpath(f"/{'/'.join(names)}", parent) if target.startswith("/") else target


def entries_of(template: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What the template names: None for directories, bytes for files, texts for links."""
    for one in template["directories"]:
        yield place_of(one["path"]), None
    for one in (*template["files"], *template["links"]):
        path = place_of(one["path"])
        if path == "/" or text_of(one["path"]).endswith("/"):
            raise Refused
        if "target" in one:
            yield path, f"-> {target_of(path, one['target'])}"
        else:
            content = one["content"]
            yield path, text_of(content).encode() if isinstance(content, str) else content


def made_by(template: dict[str, Any]) -> Tree:
    """What the template makes in an empty target."""
    made: Tree = {}
    for path, what in entries_of(template):
        if path in made:
            raise Refused
        made[path] = what
    for path in list(made):
        parent = posixpath.dirname(path)
        while parent != "/":
            if made.setdefault(parent, None) is not None:
                raise Refused
            parent = posixpath.dirname(parent)
    made.pop("/", None)
    return made


def model(template: dict[str, Any], before: Tree, on_existing: str) -> Tree:
    """What is below the target afterwards, by path."""
    after = dict(before)
    for path, what in made_by(template).items():
        if path not in before:
            after[path] = what
        elif (before[path] is None) != (what is None) or (what is not None and on_existing == "error"):
            raise Refused
        elif what is not None and on_existing == "replace":
            after[path] = what
    return after


@pytest.mark.parametrize("opened", [chukmem, chuklocal], ids=["chukmem", "chuklocal"])
@given(template=templates, there=existing, on_existing=st.sampled_from(["error", "keep", "replace"]))
def test_a_template_makes_what_the_model_says_or_nothing(
    opened: Callable[[], Any], template: dict[str, Any], there: Tree, on_existing: str
) -> None:
    with opened() as fs:
        fill(fs, there)
        before, everything = contents(fs, "/t"), state(fs)
        outside = {path: entry for path, entry in everything.items() if not path.startswith("/t/")}
        try:
            expected = model(template, before, on_existing)
        except Refused:
            with pytest.raises((OSError, ValueError)):
                TemplateLoader(fs, on_existing=on_existing).apply_template(template, "/t", VALUES)
            assert state(fs) == everything
        else:
            TemplateLoader(fs, on_existing=on_existing).apply_template(template, "/t", VALUES)
            assert contents(fs, "/t") == expected
        assert {path: entry for path, entry in state(fs).items() if not path.startswith("/t/")} == outside


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..")
)
trees = st.recursive(
    st.binary(max_size=20) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inside: st.dictionaries(names, inside, max_size=3),
    max_leaves=6,
)


def lay(tree: dict[str, Any], prefix: str = "") -> Tree:
    """A tree of dicts as paths."""
    found: Tree = {}
    for name, what in tree.items():
        if isinstance(what, dict):
            found[f"{prefix}/{name}"] = None
            found.update(lay(what, f"{prefix}/{name}"))
        else:
            found[f"{prefix}/{name}"] = what if isinstance(what, bytes) else what.encode()
    return found


@pytest.mark.parametrize("name", ["t.json", "t.yaml"])
@given(tree=st.dictionaries(names, trees, max_size=4))
def test_a_template_that_was_made_of_a_tree_makes_it_again(name: str, tree: dict[str, Any]) -> None:
    laid = lay(tree)
    with chukmem() as fs:
        fs.makedirs("/t")
        for path, what in laid.items():
            if what is None:
                fs.makedirs(f"/t{path}", exist_ok=True)
            else:
                fs.pipe_file(f"/t{path}", what)
        document = document_of(make_template(fs, "/t"), name)
        TemplateLoader(fs).apply_template(read_document(document.encode(), name, Limits()), "/again")
        assert contents(fs, "/again") == laid
