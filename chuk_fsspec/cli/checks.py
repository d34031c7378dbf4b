"""What `chuk-fsspec doctor` looks at. Each function looks at one thing and changes nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import fsspec

from chuk_adapters.fuse import Mount, MountOptions
from chuk_adapters.fuse.fusepy.transport import load_library
from chuk_adapters.fuse.kernel.device import DEVICE, mount_device
from chuk_adapters.fuse.kernel.protocol import HEADER_SIZE, INIT_IN
from chuk_adapters.fuse.options import TransportName
from chuk_adapters.fuse.unmounting import unmount
from chuk_fsspec.cli.output import describe
from chuk_fsspec.registry import PROTOCOLS
from chuk_fsspec.vfs import open_vfs

FUSE_CONF = Path("/etc/fuse.conf")
STATUS = Path("/proc/self/status")
_CAP_SYS_ADMIN = 1 << 21
_INIT_BUFFER = 64 * 1024

_SERVICES = (
    ("s3fs", "buckets of S3", "s3"),
    ("obstore", "buckets of S3, faster with small objects", "obstore"),
    ("gcsfs", "buckets of Google Cloud Storage", "gcs"),
    ("PyDrive2", "Google Drive", "google_drive"),
    ("e2b", "sandboxes of E2B", "e2b"),
)
"""Packages that reach a service: the name, what for, and the extra that brings it."""


@dataclass(frozen=True)
class Check:
    """One line of the doctor's.

    Attributes:
        what: what was looked at.
        ok: whether it is there.
        detail: what was found, or what to do about it.
        needed: whether mounting depends on it.
    """

    what: str
    ok: bool
    detail: str
    needed: bool = False


def all_checks() -> Iterator[Check]:
    """Everything, in the order in which one thing builds on another."""
    yield Check("Python", True, platform.python_version())
    yield Check("fsspec", True, f"{version('fsspec')}, with chuk-fsspec {version('chuk-fsspec')}")
    yield from (check_protocol(name) for name in PROTOCOLS)
    if sys.platform == "linux":
        yield check_device()
        yield check_right_to_mount()
        yield check_kernel()
        yield check_allow_other()
    yield check_libfuse()
    yield check_mount("kernel" if sys.platform == "linux" else "fusepy", needed=True)
    yield check_package("mcp", "the MCP server", extra="mcp")
    yield check_package("PyYAML", "templates in YAML", extra="templates")
    yield from (check_package(name, purpose, extra=extra) for name, purpose, extra in _SERVICES)
    yield check_package("pandas", "tables by URL, and the demonstration")
    yield check_program("git", "the demonstration on a mount", "apt install git")
    yield check_program("node", "the demonstration on a mount", "apt install nodejs npm")


def check_protocol(name: str) -> Check:
    """Whether fsspec finds one of our protocols, and what it stands on is installed."""
    try:
        if name in PROTOCOLS:
            PROTOCOLS[name].load()
        fsspec.get_filesystem_class(name)
    except ImportError as error:
        return Check(f"{name}://", False, str(error))
    except ValueError as error:
        return Check(f"{name}://", False, f"{describe(error)}; reinstall with pip install chuk-fsspec")
    return Check(f"{name}://", True, PROTOCOLS[name].summary)


def check_device() -> Check:
    """Whether the kernel's FUSE device can be opened."""
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        detail = "not there: modprobe fuse; in a container, add --device /dev/fuse --cap-add SYS_ADMIN"
        return Check(DEVICE, False, detail, needed=True)
    except OSError as error:
        return Check(DEVICE, False, f"{describe(error)}; as root: chmod 666 {DEVICE}", needed=True)
    return Check(DEVICE, True, "can be opened")


def check_right_to_mount() -> Check:
    """Whether this user has a way to mount: the capability for it, or the helper that has it."""
    what = "right to mount"
    if os.geteuid() != 0:
        helper = shutil.which("fusermount3")
        advice = "be root, or install fusermount3: apt install fuse3"
        return Check(what, helper is not None, f"through {helper}" if helper else advice, needed=True)
    may = re.search(r"^CapEff:\s*([0-9a-f]+)$", STATUS.read_text(), re.MULTILINE)
    if may and not int(may[1], 16) & _CAP_SYS_ADMIN:
        return Check(what, False, "root, but may not; start the container with --cap-add SYS_ADMIN", needed=True)
    return Check(what, True, "root")


def check_kernel() -> Check:
    """Which version of the FUSE protocol the kernel speaks: it says so in its first request to a server."""
    what = "kernel"
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        try:
            fd = mount_device(path, MountOptions())
        except OSError as error:
            return Check(what, False, describe(error), needed=True)
        try:
            major, minor, *_ = INIT_IN.unpack_from(os.read(fd, _INIT_BUFFER), HEADER_SIZE)
        finally:
            os.close(fd)
            unmount(path, lazy=True)
    return Check(what, True, f"{platform.release()}, FUSE protocol {major}.{minor}")


def check_allow_other() -> Check:
    """Whether --allow-other would be accepted."""
    what = "--allow-other"
    if os.geteuid() == 0:
        return Check(what, True, "root may")
    if FUSE_CONF.exists() and "user_allow_other" in FUSE_CONF.read_text().splitlines():
        return Check(what, True, f"user_allow_other is set in {FUSE_CONF}")
    return Check(what, False, f"needs the line user_allow_other in {FUSE_CONF}")


def check_libfuse() -> Check:
    """Whether the fusepy transport has its library."""
    what = "libfuse"
    try:
        library = load_library()
    except OSError as error:
        return Check(what, False, describe(error), needed=sys.platform != "linux")
    major, minor = library.VERSION
    return Check(what, True, f"{major}.{minor}, through mfusepy {version('mfusepy')} (--transport fusepy)")


def check_mount(transport: TransportName, *, needed: bool) -> Check:
    """Mount an empty filesystem, write a file, read it back, unmount."""
    what = "mounting"
    fs = fsspec.filesystem("chukmem", name=f"doctor-{os.getpid()}")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        try:
            with Mount(open_vfs(fs), path, MountOptions(transport=transport)):
                (path / "written").write_bytes(b"by a program")
                works = fs.cat_file("/written") == b"by a program"
        except OSError as error:
            return Check(what, False, describe(error), needed=needed)
    milliseconds = (time.perf_counter() - began) * 1000
    if not works:
        return Check(what, False, "a file written on a mount did not arrive; please report this", needed=needed)
    return Check(what, True, f"mounted, wrote and unmounted in {milliseconds:.0f} ms ({transport} transport)")


def check_package(name: str, purpose: str, *, extra: str = "") -> Check:
    """Whether an optional Python package is installed.

    Args:
        name: of the package.
        purpose: what needs it.
        extra: of chuk-fsspec, which brings it in the right version.
    """
    try:
        return Check(name, True, f"{version(name)}, for {purpose}")
    except PackageNotFoundError:
        install = f"pip install 'chuk-fsspec[{extra}]'" if extra else f"pip install {name}"
        return Check(name, False, f"{install}, for {purpose}")


def check_program(name: str, purpose: str, install: str) -> Check:
    """Whether an optional program is on the path."""
    found = shutil.which(name)
    return Check(name, found is not None, f"{found}, for {purpose}" if found else f"{install}, for {purpose}")
