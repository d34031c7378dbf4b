"""Mounting and unmounting: mount(2) as root, ``fusermount3`` for everybody else."""

from __future__ import annotations

import array
import ctypes
import errno
import os
import shutil
import socket
import subprocess
from pathlib import Path

from chuk_adapters.fuse.kernel.protocol import MAX_TRANSFER
from chuk_adapters.fuse.options import MountOptions
from chuk_fsspec.contract.errors import os_error

DEVICE = "/dev/fuse"

_NO_DEVICE = "this machine has no FUSE: load it (modprobe fuse), or give the container --device /dev/fuse"
_NO_ACCESS = "it cannot be opened: a container needs --device /dev/fuse --cap-add SYS_ADMIN"

_MS_RDONLY, _MS_NOSUID, _MS_NODEV = 1, 2, 4
_MNT_DETACH = 2


def mount_device(path: Path, options: MountOptions) -> int:
    """Mount on a directory.

    Args:
        path: an absolute, existing directory.
        options: readonly, allow_other and fsname count here.

    Returns:
        The file descriptor of the connection to the kernel.

    Raises:
        OSError: ENODEV without /dev/fuse, EPERM or EACCES where this user may not mount, each with what to do.
    """
    if not Path(DEVICE).exists():
        raise os_error(errno.ENODEV, DEVICE, hint=_NO_DEVICE)
    return _mount_as_root(path, options) if os.geteuid() == 0 else _mount_by_helper(path, options)


def unmount(path: Path, *, lazy: bool = False) -> None:
    """Unmount; ``lazy`` takes it out of the tree at once, to end with its last user. EBUSY, EINVAL, EPERM."""
    if os.geteuid() == 0:
        _libc_call("umount2", os.fsencode(path), _MNT_DETACH if lazy else 0, path=path)
        return
    command = [_helper(path), "-u", *(["-z"] if lazy else []), "--", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        code = errno.EBUSY if "busy" in done.stderr.lower() else errno.EINVAL
        raise os_error(code, str(path), hint=done.stderr.strip())


def _mount_as_root(path: Path, options: MountOptions) -> int:
    try:
        fd = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise os_error(error.errno or errno.EIO, DEVICE, hint=_NO_ACCESS) from None
    flags = _MS_NOSUID | _MS_NODEV | (_MS_RDONLY if options.readonly else 0)
    data = f"fd={fd},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},{_common(options)}"
    try:
        _libc_call("mount", options.fsname.encode(), os.fsencode(path), b"fuse.chuk", flags, data.encode(), path=path)
    except OSError:
        os.close(fd)
        raise
    return fd


def checks_permissions(options: MountOptions) -> bool:
    """Whether the kernel is asked to enforce permission bits.

    Where only root gets in, they stop nobody, and checking them costs one more request for each change of a directory.
    """
    return options.allow_other or os.geteuid() != 0


def _common(options: MountOptions) -> str:
    flags = [f"max_read={MAX_TRANSFER}"]
    if checks_permissions(options):
        flags.append("default_permissions")
    if options.allow_other:
        flags.append("allow_other")
    return ",".join(flags)


def raise_readahead(path: Path) -> None:
    """Let the kernel read ahead as much as one request carries; it starts every filesystem with 128 KiB.

    Only root may; without it, large files are read in smaller requests.
    """
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        _, _, device_number, _, mountpoint, *_ = line.split()
        setting = Path("/sys/class/bdi", device_number, "read_ahead_kb")
        if mountpoint == _escaped(path) and os.access(setting, os.W_OK):
            setting.write_text(str(MAX_TRANSFER // 1024))


def _escaped(path: Path) -> str:
    """A path as /proc/self/mountinfo writes it (proc(5))."""
    return str(path).replace("\\", r"\134").replace(" ", r"\040").replace("\t", r"\011").replace("\n", r"\012")


def _libc_call(function: str, *args: bytes | int, path: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    converted = [ctypes.c_ulong(arg) if isinstance(arg, int) else arg for arg in args]
    if getattr(libc, function)(*converted) != 0:
        code = ctypes.get_errno()
        hint = {
            errno.EPERM: "mounting takes CAP_SYS_ADMIN; a container needs --cap-add SYS_ADMIN",
            errno.EINVAL: "not mounted there" if function == "umount2" else "the kernel refused the mount options",
            errno.EBUSY: "something still uses it; --lazy unmounts as soon as that ends",
        }.get(code, "")
        raise os_error(code, str(path), hint=hint)


def _helper(path: Path) -> str:
    helper = shutil.which("fusermount3")
    if helper is None:
        raise os_error(errno.EPERM, str(path), hint="without root it takes fusermount3: install the package fuse3")
    return helper


def _mount_by_helper(path: Path, options: MountOptions) -> int:
    """Let the set-user-ID helper mount; it passes the open descriptor back over a socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        flags = f"nosuid,nodev,subtype=chuk,fsname={options.fsname},{_common(options)}"
        if options.readonly:
            flags += ",ro"
        done = subprocess.run(
            [_helper(path), "-o", flags, "--", str(path)],
            env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise os_error(errno.EPERM, str(path), hint=done.stderr.strip() or "fusermount3 refused")
        _, ancillary, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
        fds = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[:4])
    os.set_inheritable(fds[0], False)
    return fds[0]
