"""Records of what changed, and how they read."""

from __future__ import annotations

from chuk_fsspec.contract.changes import Change, Changes, Facts, Kind, changed_attributes, facts_of, unified_text

OLD = Facts("file", 12, 0o100644, 1, 1, 10)
NEW = Facts("file", 14, 0o100755, 1, 1, 20)


def test_a_listing_reads_well():
    changes = Changes.of(
        [
            Change(Kind.RENAMED, "/e", OLD, OLD, source="/b"),
            Change(Kind.MODIFIED, "/a.txt", OLD, NEW, has_content=True, attributes=("mode",)),
            Change(Kind.ADDED, "/a", None, Facts("directory", 0)),
            Change(Kind.ADDED, "/a/l\n", None, Facts("link", 1, target="x")),
            Change(Kind.REMOVED, "/c", Facts("file", 1), None),
            Change(Kind.ATTRIBUTES, "/d", OLD, OLD, attributes=("xattrs",)),
        ]
    )
    assert str(changes).splitlines() == [
        "A /a/",
        "A /a/l\\n (link to x)",
        "M /a.txt (12 -> 14 bytes, mode 644 -> 755)",
        "D /c (1 byte)",
        "P /d (xattrs)",
        "R /b -> /e",
        "2 added, 1 removed, 1 modified, 1 renamed, 1 with other attributes",
    ]
    assert [change.path for change in changes.below(["/a", "/b"])] == ["/a", "/a/l\n", "/e"]
    assert [change.path for change in changes.added] == ["/a", "/a/l\n"]
    assert str(Changes()) == "nothing changed"


def test_attributes_that_one_side_does_not_know_do_not_differ():
    assert changed_attributes(OLD, NEW) == ("mode", "times")
    assert changed_attributes(facts_of({"name": "/f", "size": 12, "type": "file"}), NEW) == ()
    assert facts_of({"name": "/f", "size": None, "type": "file", "mtime": 1.5}).mtime_ns == 1_500_000_000


def test_unified_text():
    assert unified_text("/f", b"a\nb\n", b"a\nc") == (
        "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n"
    )
    assert unified_text("/f", None, b"a\n").startswith("--- /dev/null\n+++ b/f\n")
    assert unified_text("/g", b"a\n", None, source="/f").startswith("--- a/f\n+++ /dev/null\n")
    assert unified_text("/f", b"\0", b"\xff") == "Binary files a/f and b/f differ\n"
    assert unified_text("/f", b"a", b"a") == ""
