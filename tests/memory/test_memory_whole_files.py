"""Files made at once where there is not room for all of them."""

from __future__ import annotations

import errno

import fsspec

from chuk_fsspec.contract.nodes import WholeFile
from chuk_fsspec.testing.checks import fails_with


def test_none_is_made_where_not_all_have_room() -> None:
    fs = fsspec.filesystem("chukmem", name="room-for-one", capacity=1000)
    fs.pipe_file("/f", b"old")
    before = fs.posix.statvfs()
    nodes = fs.posix.nodes
    files = [WholeFile(name, bytes(600), 0o644, 0, 0) for name in ("e", "f")]
    with fails_with(errno.ENOSPC):
        nodes.make_files(nodes.root, files, replace=True)
    assert (fs.cat_file("/f"), fs.posix.statvfs()) == (b"old", before)
    nodes.make_files(nodes.root, files[1:], replace=True)
    assert fs.find("/") == ["/f"]
