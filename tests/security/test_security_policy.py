"""What is decided about a path: against a reference that reads the rules word by word, and case by case."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.wrappers.security import get_available_profiles, get_profile_settings, register_profile
from chuk_fsspec.wrappers.security.policy import Policy
from chuk_fsspec.wrappers.security.profiles import settings_of
from chuk_fsspec.wrappers.security.rules import EVERY_EFFECT, Action, Rule, Settings

LIST, READ, WRITE, DELETE, RENAME = Effect.LIST, Effect.READ, Effect.WRITE, Effect.DELETE, Effect.RENAME
KIB, MIB, GIB = 1024, 1024**2, 1024**3


# ---- a reference without a state machine


def prefixes(path: str) -> list[str]:
    names = path.strip("/").split("/") if path != "/" else []
    return ["/" + "/".join(names[:count]) for count in range(len(names) + 1)]


def matches(rule: Rule, path: str) -> bool:
    if any(is_inside(path, literal.rstrip("/") or "/") for literal in rule.paths):
        return True
    for pattern in rule.patterns:
        if pattern.startswith("glob:/"):
            parts = pattern.removeprefix("glob:/").split("/")
            for prefix in prefixes(path)[1:]:
                names = prefix[1:].split("/")
                if len(names) == len(parts) and all(map(fnmatch.fnmatchcase, names, parts)):
                    return True
            continue
        for name in filter(None, path.split("/")):
            glob = pattern.startswith("glob:")
            if fnmatch.fnmatchcase(name, pattern[5:]) if glob else re.search(pattern, name):
                return True
    return False


def leads(rule: Rule, path: str) -> bool:
    """Whether a literal path, or a glob of paths, goes on below a path."""
    if any(is_inside(literal, path) and literal != path for literal in rule.paths):
        return True
    names = path.strip("/").split("/") if path != "/" else []
    for pattern in rule.patterns:
        if pattern.startswith("glob:/"):
            parts = pattern.removeprefix("glob:/").split("/")
            if len(names) < len(parts) and all(map(fnmatch.fnmatchcase, names, parts)):
                return True
    return False


def said_of_one(settings: Settings, rules: list[Rule], path: str) -> dict[Effect, str]:
    """What the rules say of a path when nothing above it is looked at."""
    if settings.max_path_depth and len(prefixes(path)) - 1 > settings.max_path_depth:
        return dict.fromkeys(EVERY_EFFECT, "deny")
    said = {}
    for effect in EVERY_EFFECT:
        found = [rule for rule in rules if effect in rule.effects and matches(rule, path)]
        said[effect] = found[0].action.value if found else "deny"
    if said[LIST] != "allow":
        shown = said[LIST]
        said = dict.fromkeys(EVERY_EFFECT, shown)
        before = []
        for rule in rules:
            if LIST in rule.effects and matches(rule, path):
                break
            before.append(rule)
        if shown == "deny" and any(r.action is Action.ALLOW and LIST in r.effects and leads(r, path) for r in before):
            said[LIST] = "allow"
    else:
        said = {effect: "deny" if one == "hide" else one for effect, one in said.items()}
        if settings.read_only:
            said |= dict.fromkeys((WRITE, DELETE, RENAME), "deny")
    return said


def reference(settings: Settings, path: str) -> dict[Effect, str]:
    rules = [
        *settings.rules,
        Rule(Action.HIDE, settings.hidden_paths or ("/\ue000",), settings.hidden_patterns),
        Rule(Action.DENY, settings.denied_paths or ("/\ue000",), settings.denied_patterns),
        *([Rule(Action.ALLOW, settings.allowed_paths)] if settings.allowed_paths else []),
    ]
    said: dict[Effect, str] = {}
    for prefix in prefixes(path):
        said = said_of_one(settings, rules, prefix)
        if said[LIST] != "allow":
            return said
    return said


NAMES = st.sampled_from(["a", "b", ".env", "x.exe", "etc"])
PATHS = st.lists(NAMES, max_size=4).map(lambda names: "/" + "/".join(names))
LITERALS = st.lists(PATHS, max_size=2).map(tuple)
PATTERNS = st.lists(
    st.sampled_from([r"^\.", r"\.exe$", "glob:*.e*", "glob:?", "glob:/a/*", "glob:/*/etc/b", "glob:/a/b"]), max_size=2
).map(tuple)
EFFECTS = st.sets(st.sampled_from(sorted(EVERY_EFFECT, key=str)), max_size=3)


@st.composite
def some_rules(draw: st.DrawFn) -> list[Rule]:
    made = []
    for _ in range(draw(st.integers(0, 3))):
        action = draw(st.sampled_from(Action))
        paths, patterns = draw(LITERALS), draw(PATTERNS)
        if paths or patterns:
            effects = frozenset() if action is Action.HIDE else draw(EFFECTS)
            made.append(Rule(action, paths, patterns, frozenset(effects)))
    return made


@given(
    settings=st.builds(
        Settings,
        max_path_depth=st.sampled_from([0, 0, 2]),
        read_only=st.booleans(),
        allowed_paths=st.one_of(st.just(("/",)), LITERALS),
        denied_paths=LITERALS,
        denied_patterns=PATTERNS,
        hidden_paths=LITERALS,
        hidden_patterns=PATTERNS,
        rules=some_rules(),
    ),
    paths=st.lists(PATHS, min_size=1, max_size=8),
)
def test_a_policy_decides_as_its_rules_read(settings: Settings, paths: list[str]) -> None:
    policy = Policy(settings)
    for path in paths:
        expected = reference(settings, path)
        assert {effect: policy.decide(effect, path).action.value for effect in EVERY_EFFECT} == expected, path
        if policy.scope(path).is_uniform:
            for below in paths:
                if is_inside(below, path):
                    assert policy.scope(below).allows == policy.scope(path).allows


# ---- profiles


def test_profiles_have_the_values_that_users_know() -> None:
    values = {
        name: (
            one["max_file_size"],
            one["max_total_size"],
            one["read_only"],
            one["allowed_paths"],
            one["denied_paths"],
            one["denied_patterns"],
            one["max_path_depth"],
            one["max_files"],
        )
        for name in get_available_profiles()
        if (one := get_profile_settings(name))
    }
    secrets = ["/etc/passwd", "/etc/shadow", "/etc/ssh"]
    system = ["/etc", "/bin", "/sbin", "/usr", "/var", "/root"]
    names = [r"\.\.", r"\.env", r"\.ssh", r"\.aws", r"\.config"]
    assert values["default"] == (10 * MIB, 100 * MIB, False, ["/"], secrets, names, 10, 1000)
    strict = [r"\.\.", r"^\.", r".*\.exe", r".*\.sh"]
    assert values["strict"] == (1 * MIB, 20 * MIB, False, ["/home", "/tmp"], system, strict, 5, 100)
    assert values["readonly"] == (10 * MIB, 100 * MIB, True, ["/"], [], [], 15, 5000)
    scripts = [r"\.\.", r"^\.", r".*\.(exe|sh|bat|cmd|py|rb|pl)$"]
    sandboxed = ["/etc", "/bin", "/home", "/usr"]
    assert values["untrusted"] == (512 * KIB, 5 * MIB, False, ["/sandbox"], sandboxed, scripts, 3, 50)
    assert values["testing"] == (100 * MIB, 1 * GIB, False, ["/"], [], [r".*\.malicious"], 20, 10000)


def allowed(settings: Settings, path: str) -> set[str]:
    return {effect.value for effect in Policy(settings).scope(path).allows}


def test_a_profile_is_changed_value_by_value() -> None:
    settings = settings_of("strict", {"max_files": 7, "allowed_paths": ["/work"]})
    assert (settings.max_files, settings.max_file_size) == (7, 1 * MIB)
    assert "write" in allowed(settings, "/work/a")
    assert allowed(settings, "/home/a") == set()


def test_own_profiles() -> None:
    register_profile("own", {"profile": "untrusted", "max_files": 3, "hidden_paths": ["/sandbox/secret"]})
    assert "own" in get_available_profiles()
    settings = settings_of("own")
    assert (settings.max_files, settings.max_path_depth) == (3, 3)
    register_profile("own", {"max_files": 4})
    assert settings_of("own") == settings_of({"max_files": 4}) == Settings(max_files=4)
    assert settings_of({"profile": "own"}, {"read_only": True}) == Settings(max_files=4, read_only=True)


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        ({"max_files": -1}, "max_files"),
        ({"max_files": True}, "max_files"),
        ({"max_total_size": "10M"}, "max_total_size"),
        ({"read_only": 1}, "read_only"),
        ({"denied_paths": "/etc"}, "denied_paths"),
        ({"denied_paths": [1]}, "denied_paths"),
        ({"allowed_paths": ["relative"]}, "relative"),
        ({"hidden_patterns": ["("]}, "'('"),
        ({"max_size": 1}, "max_size"),
        ({"profile": "none such"}, "none such"),
        ({"rules": [{"paths": ["/a"]}]}, "rules[0]"),
        ({"rules": [{"action": "forbid", "paths": ["/a"]}]}, "rules[0]"),
        ({"rules": [{"action": "deny"}]}, "rules[0]"),
        ({"rules": [{"action": "deny", "paths": ["/a"], "effects": ["none"]}]}, "rules[0]"),
        ({"rules": [{"action": "hide", "paths": ["/a"], "effects": ["read"]}]}, "rules[0]"),
        ({"rules": [{"action": "deny", "paths": ["/a"], "path": "/a"}]}, "rules[0]"),
        ({"rules": [{"action": "deny", "paths": "/a"}]}, "rules[0]"),
    ],
)
def test_bad_values_are_named(values: dict[str, Any], hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(hint)):
        Policy(settings_of(values))


def test_built_in_profiles_cannot_be_replaced() -> None:
    for name in ("default", ""):
        with pytest.raises(ValueError, match="name of its own"):
            register_profile(name, {})


# ---- case by case


def test_every_component_is_looked_at_and_dotfiles_are_names_like_others() -> None:
    settings = settings_of("strict", {"allowed_paths": ["/"]})
    for path in ("/home/.secret/key", "/.aws/credentials", "/d/run.sh/inside", "/run.shtml"):
        assert allowed(settings, path) == set(), path
    assert "read" in allowed(settings, "/home/secret/key")


def test_case_and_spelling() -> None:
    settings = settings_of({"denied_patterns": [r"\.sh$"], "denied_paths": ["/Secrets"], "case_fold": True})
    for path in ("/run.SH", "/sECRETS/x"):
        assert allowed(settings, path) == set()
    assert allowed(settings_of({"denied_paths": ["/caf\u00e9"]}), "/cafe\u0301/x") == set()
    assert "read" in allowed(settings_of({"denied_paths": ["/Secrets"]}), "/secrets")


def test_the_way_to_what_is_allowed_is_shown_and_nothing_else() -> None:
    settings = settings_of({"allowed_paths": ["/home/agent"], "denied_paths": ["/home/agent/deep"]})
    assert allowed(settings, "/") == {"list"}
    assert allowed(settings, "/home") == {"list"}
    assert allowed(settings, "/homer") == allowed(settings, "/home/other") == set()
    assert allowed(settings, "/home/agent/file") == {"list", "read", "write", "delete", "rename"}
    assert allowed(settings, "/home/agent/deep/x") == set()


def test_the_first_rule_that_matches_decides() -> None:
    rules = [
        {"action": "allow", "paths": ["/etc/hosts"], "effects": ["list", "read"]},
        {"action": "deny", "patterns": ["glob:*.key"], "effects": ["read"]},
    ]
    settings = settings_of({"denied_paths": ["/etc"], "rules": rules})
    assert allowed(settings, "/etc/hosts") == {"list", "read"}
    assert allowed(settings, "/etc") == {"list"}, "it leads to what is allowed"
    assert allowed(settings, "/etc/passwd") == set()
    assert allowed(settings, "/a/x.key") == {"list", "write", "delete", "rename"}


def test_what_may_not_be_seen_may_not_be_used() -> None:
    settings = settings_of({"rules": [{"action": "deny", "paths": ["/a"], "effects": ["list"]}]})
    assert allowed(settings, "/a") == allowed(settings, "/a/b") == set()


def test_read_only() -> None:
    assert allowed(settings_of("readonly"), "/a/b") == {"list", "read"}
    assert Policy(settings_of("readonly")).decide(WRITE, "/a").rule == "read_only"


def test_depth_counts_names() -> None:
    policy = Policy(settings_of({"max_path_depth": 2}))
    assert policy.decide(READ, "/a/b").action is Action.ALLOW
    assert policy.decide(READ, "/a/b/c").rule == "max_path_depth"
    assert policy.decide(READ, "/a" * 2000).rule == "max_path_depth"


def test_deep_paths_need_no_recursion() -> None:
    policy = Policy(settings_of({"hidden_patterns": ["glob:secret"]}))
    assert policy.decide(READ, "/a" * 2040).action is Action.ALLOW
    assert policy.decide(READ, "/a" * 1000 + "/secret" + "/a" * 500).action is Action.HIDE


def test_places_are_few_however_many_files_there_are() -> None:
    policy = Policy(settings_of("default"))
    scopes = {policy.scope(f"/d{directory}/f{file}") for directory in range(50) for file in range(50)}
    assert len(scopes) == 1
    assert policy.scope("/d1").rules_alike(policy.scope("/d2"))
    assert not policy.scope("/d1").rules_alike(policy.scope("/etc"))


def test_what_is_remembered_has_an_end() -> None:
    policy = Policy(settings_of({"hidden_patterns": ["glob:secret"], "denied_paths": ["/d7/x"]}))
    for number in range(20_000):
        assert policy.scope(f"/d{number % 9000}/f{number}").may_read
    assert policy.scope("/d8/secret").hidden
    assert not policy.scope("/d7/x/y").may_list
