"""What is no template, is refused with the entry named and the way out; documents with line and column."""

from __future__ import annotations

import errno
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.templates import Limits, TemplateLoader, Variable, missing_values, parse, plan
from chuk_fsspec.templates.documents import read_document
from chuk_fsspec.templates.making import document_of
from chuk_fsspec.testing.checks import fails_with


def file(**more: Any) -> dict[str, Any]:
    return {"files": [{"path": "f", **more}]}


WRONG: list[tuple[Any, str]] = [
    ([], "template: a dict is needed, not list"),
    (None, "template: a dict is needed, not nothing"),
    ({"file": []}, "template: unknown key 'file'; did you mean 'files'?"),
    ({"files": {}}, "files: a list is needed, not dict"),
    ({"files": "a"}, "files: a list is needed, not str"),
    ({"files": ["a"]}, r"files\[0\]: a dict is needed, not str"),
    ({"files": [{"path": "a"}, {"content": ""}]}, r"files\[1\].path: text is needed, not nothing"),
    ({"files": [{"path": ""}]}, r"files\[0\].path: must not be empty"),
    ({"files": [{"path": 3}]}, r"files\[0\].path: text is needed, not int; write it in quotes"),
    (file(contents="x"), r"files\[0\]: unknown key 'contents'; did you mean 'content'?"),
    (file(content=3), r"files\[0\].content: text is needed, not int; write it in quotes"),
    (file(content=True), r"files\[0\].content: text is needed, not bool; write it in quotes"),
    (file(content=date(2026, 1, 1)), r"files\[0\].content: text is needed, not date; write it in quotes"),
    (file(content=["x"]), r"files\[0\].content: text is needed, not list$"),
    (file(content="x", content_from="y"), r"files\[0\]: give content or content_from, not both"),
    (file(content_from=""), r"files\[0\].content_from: must not be empty"),
    (file(content_from="x", encoding="base64"), r"files\[0\].encoding: 'base64' is no encoding of text"),
    (file(content="x", encoding="utf-9"), r"files\[0\].encoding: 'utf-9' is no encoding of text"),
    (file(content="x", encoding="zlib"), r"files\[0\].encoding: 'zlib' is no encoding of text"),
    (file(content=b"x", encoding="utf-8"), r"files\[0\].encoding: bytes have none"),
    (file(content="!", encoding="base64"), r"files\[0\].content: is not base64"),
    (file(mode=755), r'files\[0\].mode: permission bits are needed, as octal digits in quotes: "0644"'),
    (file(mode="4755"), r"files\[0\].mode: permission bits"),
    (file(mode="rwx"), r"files\[0\].mode: permission bits"),
    (file(mode=-1), r"files\[0\].mode: permission bits"),
    (file(mode=True), r"files\[0\].mode: permission bits"),
    (file(verbatim="yes"), r"files\[0\].verbatim: true or false is needed, not str"),
    ({"directories": [3]}, r"directories\[0\]: a path or a dict is needed, not int"),
    ({"directories": [{"path": "d", "modes": "1"}]}, r"directories\[0\]: unknown key 'modes'; did you mean 'mode'?"),
    ({"links": [{"path": "l"}]}, r"links\[0\].target: text is needed, not nothing"),
    ({"links": [{"path": "l", "traget": "x"}]}, r"links\[0\]: unknown key 'traget'; did you mean 'target'?"),
    ({"variables": {"a b": 1}}, "variables.a b: a variable's name has letters"),
    ({"variables": {"a": []}}, "variables.a: text or a number is needed, not list"),
    ({"variables": {"a": {"defualt": 1}}}, "variables.a: unknown key 'defualt'; did you mean 'default'?"),
    (
        {"variables": {"a": {"default": "x", "required": True}}},
        "variables.a: a variable with a default is never missing",
    ),
    ({"variables": ["a", {"name": "a"}]}, "variables: a is declared twice"),
    ({"variables": [{"default": "x"}]}, r"variables\[0\]: text is needed, not nothing"),
    ({"name": 3}, "name: text is needed"),
]


@pytest.mark.parametrize(("data", "says"), WRONG, ids=[says[:40] for _, says in WRONG])
def test_what_is_no_template(data: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse(data)


def test_variables_are_declared_in_three_ways() -> None:
    expected = (Variable("a"), Variable("b", default="1"), Variable("c", "why", "x"), Variable("d", default=""))
    listed = ["a", {"name": "b", "default": 1}, {"name": "c", "default": "x", "description": "why"}]
    assert parse({"variables": [*listed, {"name": "d", "required": False}]}).variables == expected
    mapped = {"a": None, "b": 1, "c": {"default": "x", "description": "why"}, "d": {"required": False}}
    assert parse({"variables": mapped}).variables == expected
    assert parse({"variables": {"a": {}}}).variables == expected[:1]


# ---- substitution


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("${a}", "1"),
        ("$${a}", "${a}"),
        ("$$${a}", "$1"),
        ("$$$$", "$$"),
        ("$a $1 $(x) $", "$a $1 $(x) $"),
        ("${a}${a}", "11"),
        ("${b}", "${a} $$"),
        ("${a-b.c_d}", "dashed"),
        ("{a} %a% \\${a}", "{a} %a% \\1"),
        ("", ""),
    ],
)
def test_variables_are_substituted_once(text: str, made: str) -> None:
    values = {"a": 1, "b": "${a} $$", "a-b.c_d": "dashed"}
    assert plan(parse(file(content=text)), values).files[0].content == made.encode()


def test_every_variable_without_a_value_is_named() -> None:
    template = parse(
        {
            "variables": {"project": {"description": "its name"}, "unused": None, "title": "x"},
            "files": [{"path": "${where}/f", "content": "${title} ${project} ${who}"}],
            "links": [{"path": "l", "target": "${who}"}],
        }
    )
    says = r"without a value: project \(its name\), unused, where \(files\[0\].path\), who \(files\[0\].content\)"
    with pytest.raises(ValueError, match=says):
        plan(template)
    assert list(missing_values(template, {"unused": "x"})) == ["project", "where", "who"]
    loose = plan(template, {"title": "t"}, strict=False)
    assert (loose.files[0].path, loose.files[0].content) == ("/${where}/f", b"t ${project} ${who}")


@pytest.mark.parametrize("text", ["${VAR:-x}", "${1}", "${}", "${a", "${a b}", "${a${b}}"])
def test_what_looks_like_a_variable_and_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a variable: .* \(files\[0\].content\); write \$\$\{ for a literal"):
        plan(parse(file(content=text)), {"a": "1", "b": "1"})
    assert plan(parse(file(content=text)), strict=False).files[0].content == text.encode()
    assert plan(parse(file(content=text, verbatim=True))).files[0].content == text.encode()


def test_values_are_checked() -> None:
    template = parse({"variables": ["project"], **file(content="${project}")})
    with pytest.raises(ValueError, match="the template has no projct; did you mean project"):
        plan(template, {"projct": "x"})
    both = parse({"variables": ["project"], **file(content="${project} ${other}")})
    assert plan(both, {"project": "a", "other": "b"}).files[0].content == b"a b"
    with pytest.raises(ValueError, match=r"without a value: other \(files\[0\].content\)"):
        plan(both, {"project": "a"})
    with pytest.raises(ValueError, match=r"variables.project: text or a number is needed, not list"):
        plan(template, {"project": []})
    with pytest.raises(ValueError, match="variables: a dict is needed, not str"):
        plan(template, "project=x")  # type: ignore[arg-type]
    assert plan(template, {"project": 1.5}).files[0].content == b"1.5"


@pytest.mark.parametrize(("encoding", "data"), [("latin-1", b"\xe4"), ("utf-16-le", b"\xe4\0"), ("", b"\xc3\xa4")])
def test_text_is_written_in_its_encoding(encoding: str, data: bytes) -> None:
    assert plan(parse(file(content="${a}", encoding=encoding)), {"a": "ä"}).files[0].content == data


def test_text_that_has_no_bytes_is_named() -> None:
    with pytest.raises(ValueError, match=r"files\[0\].content: character 1 cannot be written as ascii"):
        plan(parse(file(content="aä", encoding="ascii")))
    with pytest.raises(ValueError, match=r"files\[0\].content: character 0 cannot be written as utf-8"):
        plan(parse(file(content="\ud800")))


# ---- paths

BAD_PATHS = [
    ("../f", errno.EINVAL),
    ("a/../../f", errno.EINVAL),
    ("a/..", errno.EINVAL),
    ("${up}/f", errno.EINVAL),
    ("/../f", errno.EINVAL),
    (".", errno.EINVAL),
    ("/", errno.EINVAL),
    ("a/", errno.EINVAL),
    ("a\0b", errno.EINVAL),
    ("\ud800", errno.EINVAL),
    ("x" * 256, errno.ENAMETOOLONG),
    ("x/" * 2500 + "x", errno.ENAMETOOLONG),
]


@pytest.mark.parametrize(("path", "code"), BAD_PATHS, ids=[path[:12] for path, _ in BAD_PATHS])
def test_paths_that_leave_the_target_or_are_none(path: str, code: int) -> None:
    for template in ({"files": [{"path": path}]}, {"links": [{"path": path, "target": "x"}]}):
        with pytest.raises(OSError, match=r"(files|links)\[0\].path") as caught:
            plan(parse(template), {"up": ".."})
        assert caught.value.errno == code


BAD_TARGETS = ["..", "../x", "a/../x", "/..", "/../x", "./..", "a\0b", "x" * 5000, "d/../../x", "${up}"]


@pytest.mark.parametrize("target", BAD_TARGETS, ids=[target[:12] for target in BAD_TARGETS])
def test_links_that_could_leave_the_target(target: str) -> None:
    with pytest.raises(OSError, match=r"links\[0\].target") as caught:
        plan(parse({"links": [{"path": "l", "target": target}]}), {"up": "../x"})
    assert caught.value.errno in (errno.EINVAL, errno.ENAMETOOLONG)


@pytest.mark.parametrize(
    ("path", "target", "held"),
    [
        ("l", "x", "x"),
        ("d/l", "../x", "../x"),
        ("d/e/l", "../../x/", "../../x/"),
        ("d/e/l", "/x/y", "../../x/y"),
        ("d/e/l", "/d/f", "../f"),
        ("d/l", "/", ".."),
        ("l", "/", "."),
        ("l", "./x//y", "./x//y"),
    ],
)
def test_links_hold_relative_targets(path: str, target: str, held: str) -> None:
    assert plan(parse({"links": [{"path": path, "target": target}]})).links[0].target == held


@pytest.mark.parametrize(
    ("template", "code", "says"),
    [
        ({"files": [{"path": "a"}, {"path": "/a"}]}, errno.EINVAL, r"files\[1\]: is named by files\[0\] already"),
        ({"files": [{"path": "a"}, {"path": "${a}"}]}, errno.EINVAL, r"files\[1\]: is named by files\[0\]"),
        ({"directories": ["a", "a/"]}, errno.EINVAL, r"directories\[1\]: is named by directories\[0\]"),
        ({"directories": ["a"], "files": [{"path": "a"}]}, errno.EINVAL, "is named by"),
        ({"files": [{"path": "a"}, {"path": "a/b/c"}]}, errno.EINVAL, r"files\[1\]: lies in /a, a file by files\[0\]"),
        ({"directories": ["a/b"], "files": [{"path": "a"}]}, errno.EINVAL, r"directories\[0\]: lies in /a, a file"),
        (
            {"files": [{"path": "l/f"}], "links": [{"path": "l", "target": "d"}]},
            errno.ELOOP,
            r"files\[0\]: lies behind the link /l",
        ),
        ({"directories": ["l/d"], "links": [{"path": "l", "target": "d"}]}, errno.ELOOP, "lies behind the link /l"),
    ],
)
def test_shapes_that_no_tree_has(template: dict[str, Any], code: int, says: str) -> None:
    with pytest.raises(OSError, match=says) as caught:
        plan(parse(template), {"a": "a"})
    assert caught.value.errno == code


# ---- limits


def test_a_template_cannot_ask_for_more_than_the_limits() -> None:
    few = Limits(entries=3, total_bytes=100)
    with fails_with(errno.EFBIG):
        plan(parse({"directories": ["a/b/c/d"]}), limits=few)
    with fails_with(errno.EFBIG):
        plan(parse({"files": [{"path": "a", "content": "x" * 60}, {"path": "b", "content": "x" * 60}]}), limits=few)
    with fails_with(errno.EFBIG):
        plan(parse(file(content="${a}" * 1_000_000)), {"a": "x" * 1_000_000}, limits=few)
    with fails_with(errno.EFBIG):
        plan(parse(file(content="$$" * 101)), limits=Limits(references=100))
    plan(parse({"directories": ["a/b/c"], **file(content="x" * 100)}), limits=Limits(entries=4, total_bytes=100))


# ---- documents

BROKEN: list[tuple[str, str, str]] = [
    ("a.yaml", "files: [", "a.yaml: line 1, column 9"),
    ("a.yaml", "files: []\nfiles: []\n", "a.yaml: line 2, column 1: the key 'files' stands twice"),
    ("a.yaml", "a: &a [*a]", "a.yaml: line 1, column 4: a value that holds itself"),
    ("a.yaml", "a: !!python/object/apply:os.system ['true']", "a.yaml: line 1, column 4: could not determine"),
    ("a.yaml", "a: 1\n---\nb: 2\n", "a.yaml: line 2, column 1: "),
    ("a.yaml", "a: \x01", "a.yaml: line 1, column 4: a character that YAML does not allow"),
    ("a.yaml", "[" * 100_000, "a.yaml: nested too deeply"),
    ("a.yml", "\t- a", "a.yml: line 1, column 1"),
    ("a.json", '{"files": [}', "a.json: Expecting value: line 1 column 12"),
    ("a.json", '{"files": [], "files": []}', "a.json: the key 'files' stands twice"),
    ("a.json", "[" * 200_000, "a.json: nested too deeply"),
    ("a.toml", "files = [\n]]", "a.toml: .*line 2, column 2"),
    ("a.toml", "a = 1\na = 2\n", "a.toml: Cannot overwrite a value.*line 2"),
    ("a.txt", "", "a.txt: the name of a template file ends with .yaml, .yml, .json, .toml"),
]


@pytest.mark.parametrize(("name", "text", "says"), BROKEN, ids=[f"{name}-{text[:12]!r}" for name, text, _ in BROKEN])
def test_documents_that_cannot_be_understood(name: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_document(text.encode(), name, Limits())


def test_documents_that_are_no_text() -> None:
    with pytest.raises(ValueError, match=r"a.json: line 2 is not UTF-8"):
        read_document(b'{\n"\xff": 1}', "a.json", Limits())
    assert read_document('\ufeff{"a": "ä"}'.encode(), "a.json", Limits()) == {"a": "ä"}


@pytest.mark.parametrize("kind", ["aliases", "merges"])
def test_aliases_do_not_multiply_without_end(kind: str) -> None:
    line = {"aliases": "[{0}]", "merges": "{{<<: [{0}]}}"}[kind]
    levels = ["a0: &a0 {k: v}" if kind == "merges" else "a0: &a0 [x]"]
    levels += [f"a{n}: &a{n} " + line.format(", ".join([f"*a{n - 1}"] * 10)) for n in range(1, 10)]
    with pytest.raises(ValueError, match="aliases make more than 1000000 values"):
        read_document("\n".join(levels).encode(), "bomb.yaml", Limits())


def test_a_long_text_used_often_stops_at_the_limit() -> None:
    text = f"files:\n- {{path: f0, content: &a {'x' * 100_000}}}\n"
    text += "".join(f"- {{path: f{n}, content: *a}}\n" for n in range(1, 5000))
    template = parse(read_document(text.encode(), "a.yaml", Limits()))
    with fails_with(errno.EFBIG):
        plan(template, limits=Limits(total_bytes=1_000_000))


def test_a_document_larger_than_the_limit() -> None:
    with pytest.raises(ValueError, match=r"a.json: larger than 10 bytes"):
        read_document(b" " * 11, "a.json", Limits(document_bytes=10))


TREE = {
    "name": "small",
    "variables": {"project": {"description": "its name", "default": "demo"}},
    "directories": ["docs", {"path": "private", "mode": "0700"}],
    "files": [{"path": "${project}/README.md", "content": "# ${project}\n\nText.\n"}],
    "links": [{"path": "readme", "target": "/${project}/README.md"}],
}


@pytest.mark.parametrize("name", ["t.yaml", "t.yml", "t.json", "t.toml"])
def test_the_formats_say_the_same(name: str, tmp_path: Path, chukmem: MemoryFileSystem) -> None:
    toml = """
name = "small"
directories = ["docs", {path = "private", mode = "0700"}]
variables = {project = {description = "its name", default = "demo"}}
[[files]]
path = "${project}/README.md"
content = \"\"\"
# ${project}

Text.
\"\"\"
[[links]]
path = "readme"
target = "/${project}/README.md"
"""
    (tmp_path / name).write_text(toml if name == "t.toml" else document_of(TREE, name))
    TemplateLoader(chukmem).load_template(tmp_path / name, "/t", {"project": "app"})
    assert chukmem.cat_file("/t/readme") == b"# app\n\nText.\n"
    assert sorted(chukmem.find("/t", withdirs=True))[1:] == [
        "/t/app",
        "/t/app/README.md",
        "/t/docs",
        "/t/private",
        "/t/readme",
    ]


def test_yaml_reads_what_people_write(tmp_path: Path, chukmem: MemoryFileSystem) -> None:
    (tmp_path / "t.yaml").write_text("files:\n- path: run\n  mode: 0755\n- path: b\n  content: !!binary AP8=\n")
    TemplateLoader(chukmem).load_template(str(tmp_path / "t.yaml"))
    assert chukmem.info("/run")["mode"] & 0o777 == 0o755
    assert chukmem.cat_file("/b") == b"\0\xff"


def test_a_template_in_json_may_hold_bytes(tmp_path: Path, chukmem: MemoryFileSystem) -> None:
    entry = {"path": "b", "content": "AP8\nk", "encoding": "base64"}
    (tmp_path / "t.json").write_text(json.dumps({"files": [entry]}))
    TemplateLoader(chukmem).load_template(tmp_path / "t.json")
    assert chukmem.cat_file("/b") == b"\0\xff$"


def test_an_empty_template_makes_the_target(tmp_path: Path, chukmem: MemoryFileSystem) -> None:
    (tmp_path / "t.json").write_text("{}")
    TemplateLoader(chukmem).load_template(tmp_path / "t.json", "/t")
    assert chukmem.isdir("/t")
    (tmp_path / "t.yaml").write_text("")
    with pytest.raises(ValueError, match=r"t.yaml: a dict is needed, not nothing"):
        TemplateLoader(chukmem).load_template(tmp_path / "t.yaml", "/t")
