"""Copying a file or a tree, with its dead properties."""

from __future__ import annotations

from chuk_adapters.webdav.files.facts import is_directory
from chuk_adapters.webdav.files.tree import Tree
from chuk_adapters.webdav.properties.dead import DeadProperties
from chuk_fsspec.contract.conditions import ANY, Condition
from chuk_fsspec.contract.paths import join, split


def copy_file(tree: Tree, dead: DeadProperties, source: str, target: str, *, may_replace: bool = True) -> None:
    """Copy one file over whatever file is at the target. OSError: EEXIST unless that may be replaced."""
    tree.fs.cp_file(source, target, **tree.conditions(None if may_replace else Condition(if_none_match=ANY)))
    _copy_properties(dead, source, target)


def copy_directory(tree: Tree, dead: DeadProperties, source: str, target: str, *, is_deep: bool) -> None:
    """Copy a directory to a path where nothing is, with all that is in it if ``is_deep``. OSError."""
    waiting = [(source, target)]
    while waiting:
        old, new = waiting.pop()
        tree.fs.mkdir(new, create_parents=False)
        _copy_properties(dead, old, new)
        for info in tree.children(old) if is_deep else ():
            name = split(info["name"])[1]
            if is_directory(info):
                waiting.append((join(old, name), join(new, name)))
            else:
                copy_file(tree, dead, join(old, name), join(new, name))


def _copy_properties(dead: DeadProperties, source: str, target: str) -> None:
    properties = dead.get(source)
    if properties != dead.get(target):
        dead.put(target, properties)
