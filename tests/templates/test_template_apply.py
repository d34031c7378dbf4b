"""Applying templates: what they make, on every backend, and that a failure leaves what was there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.templates import Report, TemplateLoader, apply, parse, plan, preview
from chuk_fsspec.testing.checks import failing, fails_with, in_threads, same_filesystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.templates.template_kinds import contents, fs, plain, state

__all__ = ["fs", "plain"]

TEMPLATE: dict[str, Any] = {
    "directories": ["empty", {"path": "/private/${name}", "mode": "0700"}],
    "files": [
        {"path": "/src/${name}.py", "content": "print('${greeting}, $$5')\n"},
        {"path": "run.sh", "content": "#!/bin/sh\necho ${HOME}\n", "mode": 0o755, "verbatim": True},
        {"path": ".env", "content": "KEY=${greeting}", "mode": "0600"},
        {"path": "raw.bin", "content": b"\0\xff${name}$$"},
        {"path": "none"},
    ],
    "links": [{"path": "src/up", "target": "../raw.bin"}, {"path": "deep/er/link", "target": "/src/${name}.py"}],
}
VALUES = {"name": "app", "greeting": "hello"}
MADE = {
    "/empty": None,
    "/private": None,
    "/private/app": None,
    "/src": None,
    "/src/app.py": b"print('hello, $5')\n",
    "/run.sh": b"#!/bin/sh\necho ${HOME}\n",
    "/.env": b"KEY=hello",
    "/raw.bin": b"\0\xff${name}$$",
    "/none": b"",
    "/src/up": "-> ../raw.bin",
    "/deep": None,
    "/deep/er": None,
    "/deep/er/link": "-> ../../src/app.py",
}

README = {
    "directories": ["/projects/app", "/projects/app/src", "/projects/app/docs"],
    "files": [
        {"path": "/projects/app/README.md", "content": "# ${project_name}\n\n${project_description}"},
        {"path": "/projects/app/src/main.py", "content": "def main():\n    print('Hello from ${project_name}!')"},
    ],
}


def mode_of(fs: AbstractFileSystem, path: str) -> int:
    mode: int = fs.info(path)["mode"]
    return mode & 0o777


@pytest.mark.parametrize("target", ["/", "/t", "/t/mounted", "/t/mounted/below/it"])
def test_all_of_a_template_is_made_below_the_target(fs: AbstractFileSystem, target: str) -> None:
    before = set(contents(fs, target)) if fs.exists(target) else set()
    report = TemplateLoader(fs).apply_template(TEMPLATE, target, VALUES)
    made = {path: content for path, content in contents(fs, target).items() if path not in before}
    assert made == MADE
    base = target.rstrip("/")
    assert mode_of(fs, f"{base}/run.sh") == 0o755
    assert mode_of(fs, f"{base}/.env") == 0o600
    assert mode_of(fs, f"{base}/private/app") == 0o700
    assert fs.cat_file(f"{base}/deep/er/link") == MADE["/src/app.py"]
    assert (report.files, report.links, report.replaced, report.without_mode) == (5, 2, 0, 0)
    assert report.size == sum(len(content) for content in MADE.values() if isinstance(content, bytes))


def test_the_block_of_the_original_readme_runs(fs: AbstractFileSystem) -> None:
    template_loader = TemplateLoader(fs)
    template_loader.apply_template(
        README,
        variables={
            "project_name": "My App",
            "project_description": "A sample project created with the virtual filesystem",
        },
    )
    assert fs.cat_file("/projects/app/src/main.py") == b"def main():\n    print('Hello from My App!')"
    assert fs.cat_file("/projects/app/README.md").startswith(b"# My App\n\nA sample project")
    assert fs.isdir("/projects/app/docs")


def test_a_plain_filesystem_takes_all_but_links_and_modes(plain: AbstractFileSystem) -> None:
    template = {key: value for key, value in TEMPLATE.items() if key != "links"}
    report = TemplateLoader(plain).apply_template(template, "/a/b", VALUES)
    expected = {path: content for path, content in MADE.items() if not isinstance(content, str)}
    assert contents(plain, "/a/b") == {path: content for path, content in expected.items() if "/deep" not in path}
    assert report.without_mode == 3
    with fails_with(errno.ENOTSUP):
        TemplateLoader(plain).apply_template(TEMPLATE, "/c", VALUES)
    assert not plain.exists("/c")


def test_a_directory_of_this_machine_is_a_target_that_links_do_not_leave(tmp_path: Path) -> None:
    local = fsspec.filesystem("file")
    target = tmp_path / "new" / "tree"
    TemplateLoader(local).apply_template(TEMPLATE, str(target), VALUES)
    assert (target / "deep/er/link").read_bytes() == MADE["/src/app.py"]
    (tmp_path / "outside").mkdir()
    (target / "way-out").symlink_to(tmp_path / "outside")
    with fails_with(errno.ELOOP, str(target / "way-out")):
        TemplateLoader(local).quick_load({"way-out/file": "x"}, str(target))
    assert list((tmp_path / "outside").iterdir()) == []
    with fails_with(errno.EEXIST, str(target / "run.sh")):
        TemplateLoader(local).quick_load({"run.sh": "x"}, str(target))


def test_the_way_to_the_target_may_lead_through_links(fs: AbstractFileSystem) -> None:
    fs.makedirs("/real/place")
    fs.posix.symlink("/real", "/link")
    TemplateLoader(fs).quick_load({"f": "x"}, "/link/place/new")
    assert fs.cat_file("/real/place/new/f") == b"x"


def test_the_target_is_no_file(fs: AbstractFileSystem) -> None:
    fs.pipe_file("/f", b"")
    for target in ("/f", "/f/below"):
        with fails_with(errno.ENOTDIR):
            TemplateLoader(fs).quick_load({"new": "x"}, target)


# ---- what is there already


def test_what_is_there_is_an_error_by_default(fs: AbstractFileSystem) -> None:
    fs.pipe({"/t/src/app.py": b"old", "/t/mine": b"mine"})
    before = state(fs)
    with fails_with(errno.EEXIST, "/t/src/app.py"):
        TemplateLoader(fs).apply_template(TEMPLATE, "/t", VALUES)
    assert state(fs) == before


def test_what_is_there_is_kept(fs: AbstractFileSystem) -> None:
    fs.pipe({"/t/src/app.py": b"old", "/t/src/up": b"no link"})
    report = TemplateLoader(fs, on_existing="keep").apply_template(TEMPLATE, "/t", VALUES)
    there = {path: content for path, content in contents(fs, "/t").items() if not path.startswith("/mounted")}
    assert there == {**MADE, "/src/app.py": b"old", "/src/up": b"no link"}
    assert (report.kept, report.files, report.links) == (2, 4, 1)
    assert TemplateLoader(fs, on_existing="keep").apply_template(TEMPLATE, "/t", VALUES) == Report(kept=7)


def test_what_is_there_is_replaced_with_its_mode_and_nothing_else(fs: AbstractFileSystem) -> None:
    fs.pipe({"/t/src/app.py": b"old", "/t/src/mine": b"mine", "/t/run.sh": b"old"})
    fs.posix.chmod("/t/src/app.py", 0o640)
    fs.posix.symlink("/t/src/mine", "/t/none")
    report = TemplateLoader(fs, on_existing="replace").apply_template(TEMPLATE, "/t", VALUES)
    there = {path: content for path, content in contents(fs, "/t").items() if not path.startswith("/mounted")}
    assert there == {**MADE, "/src/mine": b"mine"}
    assert (mode_of(fs, "/t/src/app.py"), mode_of(fs, "/t/run.sh")) == (0o640, 0o755)
    assert report.replaced == 3


def test_what_is_replaced_keeps_its_content_under_other_names(fs: AbstractFileSystem) -> None:
    fs.pipe_file("/t/f", b"old")
    fs.posix.link("/t/f", "/elsewhere")
    TemplateLoader(fs, on_existing="replace").quick_load({"f": "new"}, "/t")
    assert (fs.cat_file("/t/f"), fs.cat_file("/elsewhere")) == (b"new", b"old")


@pytest.mark.parametrize("on_existing", ["error", "keep", "replace"])
def test_files_and_directories_do_not_take_each_others_place(fs: AbstractFileSystem, on_existing: str) -> None:
    fs.pipe_file("/t/a/file", b"x")
    before = state(fs)
    loader = TemplateLoader(fs, on_existing=on_existing)
    with fails_with(errno.EISDIR, "/t/a"):
        loader.quick_load({"new": "x", "a": "x"}, "/t")
    with fails_with(errno.ENOTDIR, "/t/a/file"):
        loader.apply_template({"directories": ["a/file"]}, "/t")
    with fails_with(errno.ENOTDIR, "/t/a/file"):
        loader.quick_load({"new": "x", "a/file/b": "x"}, "/t")
    assert state(fs) == before


@pytest.mark.parametrize("on_existing", ["error", "keep", "replace"])
def test_links_that_are_there_lead_nowhere(fs: AbstractFileSystem, on_existing: str) -> None:
    fs.pipe_file("/outside/file", b"canary")
    fs.makedirs("/t/real", exist_ok=True)
    fs.posix.symlink("/outside", "/t/way")
    fs.posix.symlink("/outside/file", "/t/real/file")
    before = state(fs, "/outside")
    loader = TemplateLoader(fs, on_existing=on_existing)
    with fails_with(errno.ELOOP, "/t/way"):
        loader.quick_load({"way/file": "x"}, "/t")
    with fails_with(errno.ELOOP, "/t/way"):
        loader.apply_template({"directories": ["way/new"]}, "/t")
    if on_existing == "replace":
        loader.quick_load({"real/file": "x"}, "/t")
        assert contents(fs, "/t/real") == {"/file": b"x"}
    assert state(fs, "/outside") == before


def test_a_word_that_is_none_is_refused(chukmem: MemoryFileSystem) -> None:
    with pytest.raises(ValueError, match="on_existing must be one of 'error', 'keep', 'replace', not 'overwrite'"):
        TemplateLoader(chukmem, on_existing="overwrite").quick_load({"a": "b"})


def test_a_preview_changes_nothing_and_tells_all(fs: AbstractFileSystem) -> None:
    fs.pipe({"/t/none": b"old"})
    planned = plan(parse(TEMPLATE), VALUES)
    before = state(fs)
    told = {path: action for action, path in preview(planned, fs, "/t", on_existing="replace")}
    assert state(fs) == before
    assert (told["/t/none"], told["/t/src"], told["/t/.env"], told["/t/src/up"]) == ("replace", "make", "write", "link")
    TemplateLoader(fs, on_existing="replace").apply_template(TEMPLATE, "/t", VALUES)
    assert {path for path in state(fs, "/t") if path not in before} | {"/t/none"} == set(told)


# ---- all or nothing


class Stops(fsspec.Callback):
    """Fails when so many bytes are written."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def relative_update(self, inc: int = 1) -> None:
        self.value += inc
        if self.value > self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [0, 10, 30, 50])
def test_an_interruption_undoes_everything(fs: AbstractFileSystem, after: int) -> None:
    fs.pipe({"/t/src/app.py": b"old", "/t/run.sh": b"old", "/t/src/mine": b"mine"})
    fs.posix.setxattr("/t/run.sh", "user.colour", b"red")
    fs.posix.symlink("src/mine", "/t/none")
    before = state(fs)
    loader = TemplateLoader(fs, on_existing="replace")
    with pytest.raises(KeyboardInterrupt):
        loader.apply_template(TEMPLATE, "/t", VALUES, callback=Stops(after))
    assert state(fs) == before
    assert fs.posix.getxattr("/t/run.sh", "user.colour") == b"red"
    with pytest.raises(KeyboardInterrupt):
        loader.apply_template(TEMPLATE, "/some/new/place", VALUES, callback=Stops(after))
    assert state(fs) == before
    loader.apply_template(TEMPLATE, "/t", VALUES)


@pytest.mark.parametrize("after", [0, 40])
def test_a_plain_filesystem_is_brought_back_step_by_step(plain: AbstractFileSystem, after: int) -> None:
    plain.pipe({"/t/src/app.py": b"old", "/t/run.sh": b"old"})
    before = contents(plain, "/t")
    template = {key: value for key, value in TEMPLATE.items() if key != "links"}
    with pytest.raises(KeyboardInterrupt):
        TemplateLoader(plain, on_existing="replace").apply_template(template, "/t", VALUES, callback=Stops(after))
    assert contents(plain, "/t") == before


@pytest.mark.parametrize("kind", ["chukmem", "chuksecure", "quota"])
@pytest.mark.parametrize("full_at", [0, 1, 30, 59])
def test_a_full_filesystem_is_left_as_it_was(kind: str, full_at: int, request: pytest.FixtureRequest) -> None:
    name = f"full-{kind}-{full_at}"
    request.addfinalizer(lambda: drop_store(name))
    store = MemoryFileSystem(name, capacity=0 if kind == "quota" else 100_000)
    store.pipe_file("/t/f59", b"old")
    profile = {"max_total_size": 100_000} if kind == "quota" else {}
    full = store if kind == "chukmem" else SecureFileSystem(store, profile=profile)
    before = state(full)
    files = {f"d{n % 7}/f{n}" if n != 59 else "f59": b"x" * (90_000 if n == full_at else 1000) for n in range(60)}
    with pytest.raises(OSError) as caught:
        TemplateLoader(full, on_existing="replace").quick_load(files, "/t")
    assert caught.value.errno in (errno.ENOSPC, errno.EDQUOT)
    assert state(full) == before
    if kind != "quota":
        assert store.posix.statvfs().files_free == MemoryFileSystem(name).posix.statvfs().files_free


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_what_is_forbidden_is_undone(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    with fails_with(errno.EACCES):
        TemplateLoader(fsspec.filesystem("file")).quick_load({"a": "x", "closed/b": "x"}, str(tmp_path))
    assert not (tmp_path / "a").exists()


def test_what_a_rule_refuses_is_undone(tmp_path: Path) -> None:
    secured = SecureFileSystem(LocalFileSystem(str(tmp_path)), profile={"denied_patterns": [r"\.exe$"]})
    with pytest.raises(PermissionError):
        TemplateLoader(secured).quick_load({"d/a": "x", "d/b.exe": "x"})
    assert contents(secured) == {}


def test_a_name_that_cannot_be_set_aside_changes_nothing(tmp_path: Path) -> None:
    secured = SecureFileSystem(LocalFileSystem(str(tmp_path)), profile={"denied_patterns": ["^before-"]})
    secured.pipe_file("/d/b", b"old")
    before = state(secured)
    with pytest.raises(PermissionError):
        TemplateLoader(secured, on_existing="replace").quick_load({"d/a": "x", "d/b": "x"})
    assert state(secured) == before


def test_directories_that_forbid_writing_are_filled_first(fs: AbstractFileSystem) -> None:
    closed = {"directories": [{"path": "d", "mode": "0555"}], "files": [{"path": "d/e/f", "content": "x"}]}
    TemplateLoader(fs).apply_template(closed, "/t")
    assert (fs.cat_file("/t/d/e/f"), mode_of(fs, "/t/d")) == (b"x", 0o555)


def test_what_cannot_be_undone_is_said_and_nothing_is_lost(
    plain: AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain.pipe({"/t/a": b"old a", "/t/b": b"old b"})

    class Breaks(fsspec.Callback):
        """From the second file on, nothing can be removed any more."""

        def relative_update(self, inc: int = 1) -> None:
            self.value += 1
            if self.value == 2:
                monkeypatch.setattr(type(plain), "rm_file", broken)
                raise KeyboardInterrupt

    def broken(fs: AbstractFileSystem, path: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    files = {"files": [{"path": "a", "content": "new"}, {"path": "b", "content": "new"}]}
    with fails_with(errno.EIO, "/t/b"):
        TemplateLoader(plain, on_existing="replace").apply_template(files, "/t", callback=Breaks())
    monkeypatch.undo()
    there = contents(plain, "/t")
    assert {b"old a", b"old b"} <= set(there.values())


def test_what_somebody_else_makes_meanwhile_is_not_removed(fs: AbstractFileSystem) -> None:

    if fs.protocol == "chuksqlite":
        pytest.skip("others wait until its transaction has ended")

    def meddle(_: int) -> None:
        for path in ("/t/b", "/t/d/more"):
            same_filesystem(fs).pipe_file(path, b"theirs")

    class Meddles(fsspec.Callback):
        def relative_update(self, inc: int = 1) -> None:
            in_threads(1, meddle)

    planned = plan(parse({"files": [{"path": "d/a", "content": "x"}, {"path": "b", "content": "x"}]}))
    with fails_with(errno.EEXIST):
        apply(planned, fs, "/t", callback=Meddles())
    there = {path: content for path, content in contents(fs, "/t").items() if not path.startswith("/mounted")}
    assert there == {"/b": b"theirs", "/d": None, "/d/more": b"theirs"}


def test_templates_that_meet_in_a_new_target_leave_one_of_them_whole_or_none(fs: AbstractFileSystem) -> None:
    files = [{"path": f"{name}/f{number}", "content": "x"} for name in "ab" for number in range(40)]

    def work(number: int) -> bool:
        try:
            TemplateLoader(same_filesystem(fs)).apply_template({"files": files}, "/t/new")
        except (FileExistsError, FileNotFoundError):
            return False
        return True

    done = in_threads(4, work)
    assert len(fs.find("/t/new")) == (len(files) if any(done) else 0)
    assert sum(done) <= 1


def test_a_template_in_a_transaction_of_the_caller_ends_with_it(chukmem: MemoryFileSystem) -> None:
    with failing(chukmem.transaction):
        TemplateLoader(chukmem).apply_template(TEMPLATE, "/t", VALUES)
    assert contents(chukmem) == {}
    with chukmem.transaction:
        TemplateLoader(chukmem).apply_template(TEMPLATE, "/t", VALUES)
    assert contents(chukmem, "/t") == MADE


# ---- the facade


class Shell:
    """What a facade has for templates."""

    def __init__(self, fs: AbstractFileSystem) -> None:
        self.fs = fs

    def pwd(self) -> str:
        return "/home/user"


def test_on_a_facade_targets_count_from_the_current_directory(chukmem: MemoryFileSystem) -> None:
    loader = TemplateLoader(Shell(chukmem))
    assert loader.quick_load({"f": "x"}, "work") == 1
    assert loader.quick_load({"g": b"y"}) == 1
    assert contents(chukmem) == {
        "/home": None,
        "/home/user": None,
        "/home/user/work": None,
        "/home/user/work/f": b"x",
    } | {"/g": b"y"}


def test_what_is_no_filesystem_is_refused() -> None:
    with pytest.raises(TypeError, match="fs must be an fsspec filesystem or a facade over one, not str"):
        TemplateLoader("chukmem://").quick_load({"f": "x"})
