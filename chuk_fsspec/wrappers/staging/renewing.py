"""After a commit that was taken back: files that were written and put back are as they were, but for their etags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chuk_fsspec.contract.paths import join
from chuk_fsspec.wrappers.staging.book import Names
from chuk_fsspec.wrappers.staging.differences import Survey
from chuk_fsspec.wrappers.staging.overlay import Overlay
from chuk_fsspec.wrappers.staging.record import Seen


def renew(overlay: Overlay, found: Survey, restored: Mapping[str, Seen]) -> None:
    """Know files of the base by the etags that they have by now.

    Args:
        overlay: the stage.
        found: what there is in it.
        restored: what was put back, by path.
    """
    book, nodes = overlay.book, overlay.nodes
    for place in found.places if restored else ():
        record, number = place.record, place.node.ino
        if record is None:
            continue
        here = [restored[path] for path in record.origins if path in restored]
        if here:
            record.first = record.seen = replace(record.first, identity=here[0].identity)
            overlay.save(nodes, place.node, record)
        names = _renewed(record.origins[0], book.names.get(number, {}), restored)
        if names:
            book.renew_names(nodes, place.node, names)
    for path, gone in list(book.gone.items()) if restored else ():
        names = _renewed(path, gone, restored)
        if names:
            book.forget_gone(nodes, path)
            book.remember_gone(nodes, path, names)


def _renewed(directory: str, names: Names, restored: Mapping[str, Seen]) -> Names:
    """The names of a directory with what was put back among them; empty if there is none of it."""
    paths = {name: join(directory, name) for name in names}
    if restored.keys().isdisjoint(paths.values()):
        return {}
    return {
        name: replace(seen, identity=restored[paths[name]].identity) if paths[name] in restored else seen
        for name, seen in names.items()
    }
