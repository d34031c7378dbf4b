"""Listing: one directory, a whole tree, or what a pattern matches."""

from __future__ import annotations

import errno

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.testing.checks import fails_with
from chuk_fsspec.testing.needs import needs

TREE = {"a.txt": b"1", "b.csv": b"22", "d/c.txt": b"333", "d/e/f.txt": b"4444", "d/e/g.csv": b"5"}


class Listing:
    """``ls``, ``find``, ``walk``, ``glob``, ``du`` and their relatives tell the same story."""

    @pytest.fixture
    def tree(self, fs: AbstractFileSystem, root: str) -> str:
        """A directory that holds ``TREE``."""
        fs.pipe({f"{root}/tree/{path}": data for path, data in TREE.items()})
        return f"{root}/tree"

    def test_ls_names(self, fs: AbstractFileSystem, tree: str) -> None:
        expected = [f"{tree}/a.txt", f"{tree}/b.csv", f"{tree}/d"]
        assert sorted(fs.ls(tree, detail=False)) == expected
        assert sorted(fs.ls(tree + "/", detail=False)) == expected
        assert sorted(fs.listdir(tree, detail=False)) == expected

    def test_ls_details(self, fs: AbstractFileSystem, tree: str) -> None:
        found = {info["name"]: (info["type"], info["size"]) for info in fs.ls(tree, detail=True)}
        assert found == {f"{tree}/a.txt": ("file", 1), f"{tree}/b.csv": ("file", 2), f"{tree}/d": ("directory", 0)}

    def test_ls_of_a_file_is_the_file(self, fs: AbstractFileSystem, tree: str) -> None:
        assert fs.ls(f"{tree}/a.txt", detail=False) == [f"{tree}/a.txt"]
        assert fs.ls(f"{tree}/a.txt", detail=True) == [fs.info(f"{tree}/a.txt")]

    def test_ls_of_nothing_is_an_error(self, fs: AbstractFileSystem, tree: str) -> None:
        for detail in (True, False):
            with fails_with(errno.ENOENT, f"{tree}/missing"):
                fs.ls(f"{tree}/missing", detail=detail)

    def test_ls_of_the_root_names_absolute_paths(self, fs: AbstractFileSystem, root: str) -> None:
        top = "/" + root.split("/")[1]
        assert top in fs.ls("/", detail=False)
        assert top in fs.ls("", detail=False)
        assert all(name.startswith("/") and name.count("/") == 1 for name in fs.ls("/", detail=False))

    @needs("directories")
    def test_ls_of_an_empty_directory(self, fs: AbstractFileSystem, root: str) -> None:
        fs.mkdir(f"{root}/empty")
        assert fs.ls(f"{root}/empty") == []
        assert fs.ls(f"{root}/empty", detail=False) == []

    def test_many_entries(self, fs: AbstractFileSystem, root: str) -> None:
        names = [f"{root}/{number:04}" for number in range(1100)]
        fs.pipe(dict.fromkeys(names, b""))
        assert sorted(fs.ls(root, detail=False)) == names
        assert sorted(info["name"] for info in fs.ls(root)) == names

    def test_find_files(self, fs: AbstractFileSystem, tree: str) -> None:
        assert fs.find(tree) == [f"{tree}/{path}" for path in sorted(TREE)]

    def test_find_with_directories(self, fs: AbstractFileSystem, tree: str) -> None:
        below = [f"{tree}/{path}" for path in sorted([*TREE, "d", "d/e"])]
        assert fs.find(tree, withdirs=True) == [tree, *below]

    def test_find_to_a_depth(self, fs: AbstractFileSystem, tree: str) -> None:
        assert fs.find(tree, maxdepth=1) == [f"{tree}/a.txt", f"{tree}/b.csv"]
        assert fs.find(tree, maxdepth=2) == [f"{tree}/a.txt", f"{tree}/b.csv", f"{tree}/d/c.txt"]
        with pytest.raises(ValueError):
            fs.find(tree, maxdepth=0)

    def test_find_of_a_file_is_the_file(self, fs: AbstractFileSystem, tree: str) -> None:
        assert fs.find(f"{tree}/a.txt") == [f"{tree}/a.txt"]
        assert fs.find(f"{tree}/a.txt", detail=True) == {f"{tree}/a.txt": fs.info(f"{tree}/a.txt")}

    def test_find_of_nothing_is_nothing(self, fs: AbstractFileSystem, tree: str) -> None:
        assert fs.find(f"{tree}/missing") == []
        assert fs.find(f"{tree}/missing", detail=True) == {}

    def test_walk_goes_down(self, fs: AbstractFileSystem, tree: str) -> None:
        walked = [(path, sorted(dirs), sorted(files)) for path, dirs, files in fs.walk(tree)]
        assert walked == [
            (tree, ["d"], ["a.txt", "b.csv"]),
            (f"{tree}/d", ["e"], ["c.txt"]),
            (f"{tree}/d/e", [], ["f.txt", "g.csv"]),
        ]

    def test_walk_goes_up(self, fs: AbstractFileSystem, tree: str) -> None:
        assert [path for path, _, _ in fs.walk(tree, topdown=False)] == [f"{tree}/d/e", f"{tree}/d", tree]

    def test_walk_can_be_pruned_and_limited(self, fs: AbstractFileSystem, tree: str) -> None:
        seen = []
        for path, dirs, _ in fs.walk(tree):
            seen.append(path)
            dirs.clear()
        assert seen == [tree]
        assert [path for path, _, _ in fs.walk(tree, maxdepth=2)] == [tree, f"{tree}/d"]

    def test_walk_of_nothing_is_silent_unless_asked(self, fs: AbstractFileSystem, tree: str) -> None:
        assert list(fs.walk(f"{tree}/missing")) == []
        with fails_with(errno.ENOENT, f"{tree}/missing"):
            list(fs.walk(f"{tree}/missing", on_error="raise"))

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("*", ["a.txt", "b.csv", "d"]),
            ("*.txt", ["a.txt"]),
            ("?.csv", ["b.csv"]),
            ("[ab].*", ["a.txt", "b.csv"]),
            ("[!a].*", ["b.csv"]),
            ("*/", ["d"]),
            ("**/*.csv", ["b.csv", "d/e/g.csv"]),
            ("d/**/f.txt", ["d/e/f.txt"]),
            ("*/*/*", ["d/e/f.txt", "d/e/g.csv"]),
            ("a.txt", ["a.txt"]),
            ("missing", []),
            ("*.none", []),
        ],
    )
    def test_glob(self, fs: AbstractFileSystem, tree: str, pattern: str, expected: list[str]) -> None:
        assert [path.rstrip("/") for path in fs.glob(f"{tree}/{pattern}")] == [f"{tree}/{path}" for path in expected]

    def test_sizes(self, fs: AbstractFileSystem, tree: str) -> None:
        assert fs.size(f"{tree}/d/e/f.txt") == 4
        assert fs.sizes([f"{tree}/a.txt", f"{tree}/b.csv"]) == [1, 2]
        assert fs.du(tree) == sum(map(len, TREE.values()))
        assert fs.du(tree, total=False) == {f"{tree}/{path}": len(data) for path, data in TREE.items()}

    def test_tree_draws_names(self, fs: AbstractFileSystem, tree: str) -> None:
        if not hasattr(AbstractFileSystem, "tree"):
            pytest.skip("this fsspec has no tree()")
        drawing = fs.tree(tree, recursion_limit=3)
        assert all(path.rpartition("/")[2] in drawing for path in TREE)

    def test_exists_isfile_and_isdir(self, fs: AbstractFileSystem, tree: str) -> None:
        answers = {
            path: (fs.exists(path), fs.isfile(path), fs.isdir(path))
            for path in (f"{tree}/a.txt", f"{tree}/d", "/", f"{tree}/missing", f"{tree}/a.txt/below")
        }
        assert list(answers.values()) == [
            (True, True, False),
            (True, False, True),
            (True, False, True),
            (False, False, False),
            (False, False, False),
        ]

    def test_all_listings_follow_every_change(self, fs: AbstractFileSystem, root: str) -> None:
        def seen() -> tuple[bool, ...]:
            return (
                fs.exists(f"{root}/f"),
                f"{root}/f" in fs.ls(root, detail=False),
                f"{root}/f" in fs.find(root),
                any("f" in files for _, _, files in fs.walk(root)),
                f"{root}/f" in fs.glob(f"{root}/*"),
            )

        assert not any(seen())
        fs.pipe_file(f"{root}/f", b"content")
        assert all(seen())
        fs.rm_file(f"{root}/f")
        assert not any(seen())
