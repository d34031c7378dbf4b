"""What programs do on a mounted filesystem that keeps modes and links."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from chuk_adapters.fuse import mount
from tests.fuse.test_mount_tools import run


def work_with_git_and_pytest(fs: Any, point: Path) -> None:
    """Have both do their work on a mount, and look at what they have left in the filesystem.

    Args:
        fs: an empty one.
        point: where it is mounted; it is made.
    """
    point.mkdir()
    with mount(fs, str(point)):
        script = point / "test_it.py"
        script.write_text("def test_it():\n    assert True\n")
        script.chmod(0o755)
        (point / "link").symlink_to("test_it.py")
        run(point, "git", "init", "-q")
        run(point, "git", "add", "test_it.py", "link")
        run(point, "git", "commit", "-qm", "one")
        assert run(point, "git", "status", "--porcelain") == ""
        run(point, "git", "fsck", "--strict")
        tested = run(
            point, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir=."
        )
        assert "1 passed" in tested
    assert fs.info("/test_it.py")["mode"] & 0o777 == 0o755
    assert fs.posix.readlink("/link") == "test_it.py"
