"""How a filesystem shows itself."""

from __future__ import annotations

from chuk_fsspec import MemoryFileSystem


def test_a_notebook_shows_a_tree(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe({"/a/one.txt": b"x", "/a/b/<two>.txt": b"yy"})
    html = chukmem._repr_html_()
    assert "one.txt" in html
    assert "&lt;two&gt;.txt" in html
    assert chukmem.name in html


def test_repr_names_the_store() -> None:
    assert repr(MemoryFileSystem(name="work")) == "MemoryFileSystem('work')"
