"""What a filesystem declares it can do. Asked of the whole stack: a wrapper may take a capability away."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fsspec import AbstractFileSystem


@dataclass(frozen=True)
class Capabilities:
    """Flags of what works on a filesystem; each is a promise that the behaviour suite checks. All default to False."""

    write: bool = False
    """Files and directories can be created, replaced and removed."""
    directories: bool = False
    """Empty directories persist."""
    rename: bool = False
    """``mv`` inside the filesystem is one atomic step, for directories too."""
    replace: bool = False
    """``mv`` over an existing file replaces it atomically (POSIX rename)."""
    atomic_write: bool = False
    """What ``open(path, "wb")`` and ``pipe_file`` write appears in one step, whole; never after ``discard()``."""
    append: bool = False
    """``open(path, "ab")`` adds to what is there without rewriting it."""
    exclusive_create: bool = False
    """``pipe_file(mode="create")`` and ``"xb"`` fail atomically if the name exists."""
    random_write: bool = False
    """``posix.open_handle`` gives handles that write at any offset, and ``open`` takes the modes with ``+``."""
    transactions: bool = False
    """``with fs.transaction`` undoes everything done inside when the block fails."""
    isolated_transactions: bool = False
    """And from its begin to its end nobody else changes anything, in this process or another."""
    modified_times: bool = False
    """``info`` always carries ``mtime`` and ``created``."""
    etags: bool = False
    """``info`` carries ``etag``, which changes with every change of content."""
    versioned_reads: bool = False
    """``cat_file(if_match=etag)`` reads that version of a file, and nothing of another one."""
    symlinks: bool = False
    """``posix.symlink`` and ``posix.readlink``."""
    hardlinks: bool = False
    """``posix.link``: two names for one file."""
    attributes: bool = False
    """``posix.chmod``, ``chown`` and ``utime`` (nanoseconds)."""
    xattrs: bool = False
    """``posix.setxattr``, ``getxattr``, ``listxattr`` and ``removexattr``."""
    special_files: bool = False
    """``posix.mknod``: FIFOs, sockets and device nodes."""
    sparse: bool = False
    """Holes take no space and can be found and punched."""
    rename_flags: bool = False
    """``posix.rename`` with NOREPLACE and EXCHANGE (Linux renameat2)."""
    conditional_write: bool = False
    """``if_match`` and ``if_none_match`` on writes, removals and moves: nothing is done if the etag is another one."""
    snapshots: bool = False
    """``fs.snapshots`` takes points in time by itself, at a cost that does not depend on how many files there are."""
    versions: bool = False
    """``fs.versions`` has what was there before, where the bucket keeps it, and ``version_id=`` reads it."""
    statvfs: bool = False
    """``posix.statvfs`` tells real figures."""
    nodes: bool = False
    """``posix.nodes`` gives inode operations, so that a door resolves a path once, not once per request."""
    whole_files: bool = False
    """``posix.nodes`` has ``make_files``, which makes files with content and attributes, several in one step."""
    shared_between_threads: bool = False
    """Instances in several threads see one state, and may be used at once."""
    shared_between_processes: bool = False
    """Instances in several processes see one state."""


PLAIN_FSSPEC = Capabilities(write=True)
"""What is assumed of a filesystem that declares nothing: fsspec's own surface, whole objects replaced."""


def capabilities_of(fs: AbstractFileSystem) -> Capabilities:
    """The capabilities that a filesystem declares, or those of a plain fsspec one.

    Args:
        fs: any fsspec filesystem.

    Returns:
        Its ``capabilities`` attribute where that is a ``Capabilities``; ``PLAIN_FSSPEC`` otherwise.
    """
    declared = getattr(fs, "capabilities", None)
    return declared if isinstance(declared, Capabilities) else PLAIN_FSSPEC


def names() -> list[str]:
    """Every capability's name, in the order of declaration."""
    return [field.name for field in fields(Capabilities)]
