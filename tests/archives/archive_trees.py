"""Filesystems for tests of archives, and trees that any of them can hold."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from chuk_fsspec.contract.paths import join

names = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."}
)
"""Names of files; with backslashes, line ends and colons."""

contents = st.one_of(st.binary(max_size=30), st.integers(0, 9000).map(lambda size: bytes(range(256)) * (size // 256)))
times = st.integers(-(10**18), 4 * 10**18)
modes = st.integers(0, 0o7777)
xattrs = st.dictionaries(
    st.sampled_from(["user.a", "user.é", "user.=", "user.%3D"]), st.binary(max_size=20), max_size=2
)

nodes: Any = st.recursive(
    st.one_of(
        st.fixed_dictionaries({"content": contents, "mode": modes, "time": times, "xattrs": xattrs}),
        st.fixed_dictionaries({"target": names, "time": times}),
        st.fixed_dictionaries({"first": st.just(True)}),
    ),
    lambda inner: st.fixed_dictionaries(
        {"entries": st.dictionaries(names, inner, max_size=4), "mode": modes, "time": times}
    ),
    max_leaves=12,
)
"""Files, links, second names of the first file, and directories."""

trees = st.dictionaries(names, nodes, max_size=4)


def plant(fs: Any, tree: dict[str, Any], top: str = "/", first: list[str] | None = None) -> None:
    """Make a tree."""
    first = [] if first is None else first
    for name, node in sorted(tree.items()):
        path = join(top, name)
        if "entries" in node:
            fs.mkdir(path)
            plant(fs, node["entries"], path, first)
        elif "target" in node:
            fs.posix.symlink(node["target"], path)
        elif "content" in node:
            fs.pipe_file(path, node["content"])
            first.append(path)
            for key, value in node["xattrs"].items():
                fs.posix.setxattr(path, key, value)
        elif first:
            fs.posix.link(first[0], path)
            continue
        else:
            fs.pipe_file(path, b"")
            continue
        if "mode" in node:
            fs.posix.chmod(path, node["mode"])
        fs.posix.utime(path, ns=(node["time"], node["time"]), follow_symlinks=False)


def described(fs: Any, top: str = "/", *, times: bool = True, owners: bool = True) -> dict[str, Any]:
    """All that an archive keeps of what is below a directory."""
    view = fs.posix.nofollow
    found: dict[str, Any] = {}
    first: dict[int, str] = {}
    for path, info in view.find(top, withdirs=True, detail=True).items():
        if path == top:
            continue
        kind = info["type"]
        content = view.cat_file(path) if kind == "file" else info.get("destination")
        same = first.setdefault(info["ino"], path) if kind == "file" else ""
        keys = view.posix.listxattr(path) if kind != "link" else []
        attributes = {key: view.posix.getxattr(path, key) for key in keys}
        relative = path[len(top.rstrip("/")) + 1 :]
        same = same[len(top.rstrip("/")) + 1 :]
        found[relative] = (
            *(kind, info["mode"], content, same, attributes),
            *((info["mtime_ns"],) if times else ()),
            *((info["uid"], info["gid"]) if owners else ()),
        )
    return found
