"""FIFOs, sockets and devices: nothing waits for their other end, and no device answers."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from tests.attacks.attack import attack
from tests.attacks.doors import ApiDoor, Door, MountDoor, Plant
from tests.attacks.stages import Stage

# A test that waits for ever is the failure that is looked for here.
pytestmark = pytest.mark.timeout(60)

KINDS = {
    "fifo": (stat.S_IFIFO | 0o666, 0),
    "socket": (stat.S_IFSOCK | 0o666, 0),
    "/dev/null": (stat.S_IFCHR | 0o666, os.makedev(1, 3)),
    "/dev/zero": (stat.S_IFCHR | 0o666, os.makedev(1, 5)),
    "block device": (stat.S_IFBLK | 0o666, os.makedev(7, 200)),
}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="device nodes of the host take CAP_MKNOD")
EACH_KIND = [pytest.param(kind, marks=needs_root if makedev else ()) for kind, (_, makedev) in KINDS.items()]
CONTENT_WAYS = frozenset(("cat_file", "open", "head", "tail", "get_file", "open_handle", "copy out", "cp_file out"))


def planted(area: str, kind: str) -> Plant:
    return [
        ("ensure", area),
        ("remove", f"{area}/special"),
        ("remove", f"{area}/link"),
        ("mknod", f"{area}/special", *KINDS[kind]),
        ("symlink", "special", f"{area}/link"),
    ]


@pytest.mark.parametrize("kind", EACH_KIND)
def test_no_special_file_can_be_opened(stage: Stage, door: Door, kind: str) -> None:
    """A mount refuses devices (MS_NODEV); FIFOs in it are the kernel's, who opens one waits as on any filesystem."""
    for area in stage.areas:
        for name, *arguments in planted(area, kind):
            getattr(door, name)(*arguments)
        if isinstance(door, MountDoor) and kind == "fifo":
            continue
        for path in (f"{area}/special", f"{area}/link"):
            for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT, os.O_WRONLY | os.O_TRUNC):
                with pytest.raises(OSError) as caught:
                    door.open_once(path, flags)
                assert caught.value.errno in (errno.EINVAL, errno.EACCES, errno.ENXIO)


@pytest.mark.parametrize("kind", EACH_KIND)
@pytest.mark.parametrize("name", ["/special", "/special/file", "/link", ""])
def test_no_way_waits_for_a_special_file(stage: Stage, api: ApiDoor, kind: str, name: str) -> None:
    """An area that holds one can still be listed, searched, copied and removed."""
    for area in stage.areas:
        outcomes = attack(stage, api, area + name, planted(area, kind), ways=None if name == "/special" else api.core)
        for outcome in outcomes:
            if name and outcome.way in CONTENT_WAYS:
                assert isinstance(outcome.error, OSError), outcome


@pytest.mark.mount
def test_who_waits_for_a_fifo_in_a_mount_keeps_nobody_else_waiting(stage: Stage, mounted: MountDoor) -> None:
    for area in stage.areas:
        mounted.mknod(f"{area}/fifo", *KINDS["fifo"])
        with mounted.another() as waiting:
            waiting.begin_reading(f"{area}/fifo")
            assert mounted.read(f"{area}/file") == b"inside"
            assert "fifo" in mounted.names(area)
            mounted.open_once(f"{area}/fifo", os.O_RDWR | os.O_NONBLOCK)
        mounted.remove(f"{area}/fifo")
