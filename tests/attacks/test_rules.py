"""Rules of chuksecure against dotfiles, case, look-alike letters, nesting, and everything that names a path twice."""

from __future__ import annotations

import unicodedata
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.expansion import has_glob
from chuk_fsspec.contract.paths import split
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.attacks.api_ways import SOURCE, TAKEN
from tests.attacks.attack import attack, problems
from tests.attacks.canaries import CONTENT, StoreCanary
from tests.attacks.doors import ApiDoor, Door, mounted_at
from tests.attacks.stages import Stage, emptied, new_name

DOTFILES = ("/x/.env", "/.aws/credentials", "/home/.secret/key", "/.git/deep/down/file", "/x/..env", "/y/.env/file")


@dataclass(frozen=True)
class Case:
    """Settings, and paths that they must keep; these hold for ``denied`` and for ``hidden`` settings."""

    settings: dict[str, Any]
    kept: tuple[str, ...]


MOVES = frozenset(("rename out", "rename into", "mv into"))
CASES = {
    "dotfiles by glob": Case({"patterns": ["glob:.*"]}, DOTFILES),
    "dotfiles by expression": Case({"patterns": [r"^\."]}, DOTFILES),
    "one name": Case({"patterns": ["glob:.env"]}, ("/x/.env", "/a/b/c/.env/d/e", "/.env")),
    "a name in any case": Case(
        {"patterns": ["glob:.env", r"^Key$"], "case_fold": True},
        ("/x/.ENV", "/x/.Env/file", "/KEY", "/a/kEy/b", "/x/.env"),
    ),
    "a path": Case({"paths": ["/secrets"]}, ("/secrets/file", "/secrets/.env", "/secrets/a/b/c", "/secrets/*")),
    "a path in any case": Case({"paths": ["/Secrets"], "case_fold": True}, ("/SECRETS/a", "/secrets/b", "/sEcReTs/c")),
    "a path with a slash": Case({"paths": ["/secrets/", "//more/./secrets"]}, ("/secrets/file", "/more/secrets/file")),
    "a file": Case({"paths": ["/x/file"]}, ("/x/file",)),
    "a pattern of paths": Case(
        {"patterns": ["glob:/home/*/.ssh"]}, ("/home/me/.ssh/id", "/home/you/.ssh/deep/id", "/home/.x/.ssh/id")
    ),
    "an ending": Case({"patterns": [r".*\.(exe|sh)$"]}, ("/x/run.sh", "/x/a.exe/file", "/.sh")),
    "composed letters": Case(
        {"patterns": ["glob:gehéim"], "paths": ["/Ångström"]},
        tuple(
            unicodedata.normalize(form, path)
            for form in ("NFC", "NFD")
            for path in ("/x/gehéim", "/gehéim/file", "/Ångström/file")
        ),
    ),
    "decomposed letters": Case(
        {"patterns": [unicodedata.normalize("NFD", "glob:gehéim")]}, ("/x/gehéim", "/x/gehe\u0301im", "/gehéim/file")
    ),
    "letters without a lower case": Case(
        {"patterns": ["glob:straße", "glob:ﬁsh"], "case_fold": True}, ("/x/STRASSE", "/x/Straße", "/x/FISH", "/x/ﬁsh")
    ),
    "a name that is no text": Case({"patterns": ["glob:\udcff*"]}, ("/x/\udcff", "/\udcff\udcfe/file")),
    "everything": Case({"patterns": ["glob:*"]}, ("/x/y", "/z")),
}
"""``paths`` and ``patterns`` become ``denied_…`` or ``hidden_…``."""


def staged(case: Case, action: str, base: Path, *, mounts: bool = False) -> Stage:
    """A stage on which what must be kept is the canary. The attacker has ``/w``, which no rule is about.

    Args:
        case: what must be kept.
        action: "denied" or "hidden".
        base: a directory of the host.
        mounts: have ``/w`` on another filesystem, to which nothing is moved in one step.
    """
    store: Any = MemoryFileSystem(name=new_name())
    clear = emptied(store)
    if mounts:
        elsewhere = MemoryFileSystem(name=new_name())
        store, clear = MountedFileSystem({"/": store, "/w": elsewhere}), emptied(store, elsewhere)
    settings: dict[str, Any] = {
        key if key == "case_fold" else f"{action}_{key}": value for key, value in case.settings.items()
    }
    if case.settings.get("patterns") == ["glob:*"]:
        settings["rules"] = [{"action": "allow", "paths": ["/w"]}]
    fs = SecureFileSystem(fs=store, profile={}, **settings)
    canaries = (StoreCanary(store, "/", names=case.kept),)
    stage = Stage("rules", fs, base, canaries, ("/w",), (), clear)
    stage.reset()
    return stage


def paths_to_try(case: Case) -> list[str]:
    """What is kept, what lies below it, and all that holds it."""
    found = [*case.kept, *(f"{path}/attacker" for path in case.kept)]
    for path in found:
        if path != "/" and split(path)[0] not in found:
            found.append(split(path)[0])
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("action", ["denied", "hidden"])
@pytest.mark.parametrize("way_in", ["api", pytest.param("mounted", marks=pytest.mark.mount)])
def test_what_a_rule_keeps_is_kept(case: str, action: str, way_in: str, tmp_path: Path) -> None:
    for name in ("downloads", "mount"):
        (tmp_path / name).mkdir()
    stage = staged(CASES[case], action, tmp_path)
    with ExitStack() as stack:
        door: Door = ApiDoor(stage.fs, tmp_path / "downloads")
        if way_in == "mounted":
            door = stack.enter_context(mounted_at(tmp_path / "mount", stage.fs))
        staying = door.core - MOVES
        for number, path in enumerate(paths_to_try(CASES[case])):
            attack(stage, door, path, ways=None if number == 0 else staying)
        for path in CASES[case].kept[: 1 if way_in == "mounted" else None]:
            plant = [("remove", "/w/link"), ("symlink", f"..{path}", "/w/link")]
            attack(stage, door, "/w/link", plant, given=[path], ways=staying)


@pytest.mark.parametrize("action", ["denied", "hidden"])
@pytest.mark.parametrize(
    ("case", "mounts"),
    [*((case, False) for case in CASES), *((case, True) for case in ("one name", "a path", "a pattern of paths"))],
)
def test_what_a_rule_keeps_is_kept_where_its_directory_is_moved(
    case: str, action: str, mounts: bool, tmp_path: Path
) -> None:
    """A directory may move if what is in it is kept in the new place too."""
    stage = staged(CASES[case], action, tmp_path, mounts=mounts)
    door = ApiDoor(stage.fs, tmp_path)
    for path in paths_to_try(CASES[case]):
        for way in ("rename out", "mv out", "exchange", "copy out"):
            stage.reset()
            door.write(SOURCE, b"inside")
            attack_kept(stage, door, way, path)


def attack_kept(stage: Stage, door: ApiDoor, way: str, path: str) -> None:
    """One way, which may take a directory along, and then looks at it in its new place."""
    outcome = door.attempt(way, path)
    assert not list(problems(stage, outcome, [path]))
    for place in (TAKEN, SOURCE):
        for look in ("cat -r", "find", "copy out"):
            assert not list(problems(stage, door.attempt(look, place), [place])), (way, path, look)
    (canary,) = stage.canaries
    assert isinstance(canary, StoreCanary)
    assert canary.contents() == [CONTENT] * len(canary.names), (way, path)


@pytest.mark.parametrize("case", [name for name in CASES if name != "everything"])
def test_a_hidden_path_is_as_if_it_were_not_there(case: str, tmp_path: Path) -> None:
    """Every way of looking answers as for a name that nobody has used."""
    stage = staged(CASES[case], "hidden", tmp_path)
    door = ApiDoor(stage.fs, tmp_path)
    for path in CASES[case].kept:
        missing = f"{split(path)[0].rstrip('/')}/unused-name"
        if not has_glob(path):
            assert not set(looks(door, path)) ^ set(looks(door, missing))
        through = [looks(door, target, "/w/link", ("symlink", target, "/w/link")) for target in (path, missing)]
        assert not set(through[0]) ^ set(through[1])


def looks(door: ApiDoor, target: str, path: str = "", *plant: tuple[str, ...]) -> list[str]:
    """What each way of looking tells, but for the path itself; without patterns, and size and time of a link itself.

    ``sign`` is left out: a rule is asked before the filesystem says that it cannot sign, for a missing path of such a
    name as well.
    """
    ways = door.reads.keys() - {
        "cat pattern",
        "sign",
        *(("info", "ls", "find", "lstat", "du", "tree") if plant else ()),
    }
    told = []
    for outcome in door.attempt_all(path or target, [("remove", "/w/link"), *plant], ways=ways):
        error = outcome.error
        text = f"{type(error).__name__} {getattr(error, 'errno', '')} {error}" if error else repr(outcome.result)
        told.append(f"{outcome.way}: {text.replace(target, 'PATH').replace(repr(target)[1:-1], 'PATH')}")
    return told


BOMBS = ["(a+)+$", "(a|a)*b", "(.*a){30}", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y", r"(\w|\d|a)+!", "a{0,3000}b"]
BOMBS += ["glob:" + "*a" * 100 + "*b", "glob:" + "*" * 200 + "b", "glob:" + "[" * 200, "glob:/" + "**/" * 300 + "b"]
BOMBS += ["glob:/" + "**/*a*a/" * 100 + "b", "glob:{" * 60 + "a,b" + "}" * 60, "(" * 2000, "(" * 40 + "a" + ")*" * 40]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("setting", ["denied_patterns", "hidden_patterns"])
@pytest.mark.parametrize("pattern", BOMBS, ids=lambda pattern: pattern[:20])
def test_no_rule_takes_for_ever_to_decide(
    chukmem: MemoryFileSystem, pattern: str, setting: str, tmp_path: Path
) -> None:
    """A pattern that would is refused when it is given, or decided in steps that it cannot multiply."""
    try:
        fs = SecureFileSystem(fs=chukmem, profile={setting: [pattern]})
    except ValueError:
        return
    for name in ("a" * 255, "x" * 255, "aA" * 127, "[" * 255, "*" * 255):
        ApiDoor(fs, tmp_path).attempt("pipe_file", f"/{name}")
        ApiDoor(fs, tmp_path).attempt("info", f"/{name[:3]}" * 1000)
    assert len(fs.find("/")) <= 5
