"""One directory made like another."""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import ExitStack

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.contract.whereabouts import overlap, ways_of
from chuk_fsspec.transfer.batches import Batches
from chuk_fsspec.transfer.copying import Copier, Ends
from chuk_fsspec.transfer.sync.batching import BatchCarrier
from chuk_fsspec.transfer.sync.carrying import Carrier, count
from chuk_fsspec.transfer.sync.options import SyncOptions
from chuk_fsspec.transfer.sync.planning import Plan
from chuk_fsspec.transfer.sync.report import SyncReport, SyncTally
from chuk_fsspec.transfer.sync.steps import COPYING, Act, Step

_DEFAULT = SyncOptions()
_WORKERS = 16


def sync(
    source: tuple[AbstractFileSystem, str],
    target: tuple[AbstractFileSystem, str],
    options: SyncOptions = _DEFAULT,
    *,
    same: bool = False,
    tell: Callable[[Step], None] | None = None,
    callback: Callback = DEFAULT_CALLBACK,
) -> SyncReport:
    """Make a directory hold what another one holds, by copying what differs.

    Files of the same size and time of change are taken to be the same; where the target cannot keep times, those that
    were copied after they had last changed. Each file appears whole, in one step where the target can do that, so an
    interrupted call is resumed by another one, which copies the rest. Modes, times, owners, links and extended
    attributes are kept as far as the target has them. Links are not followed.

    Args:
        source: a filesystem and a directory in it.
        target: a filesystem and a directory in it, which may be missing; its parent may not.
        options: what is compared and done.
        same: whether both are one filesystem, which then copies by itself; one object always is.
        tell: told of each step before it is taken.
        callback: told how many bytes there are to copy (``set_size``), and of each of them (``relative_update``).

    Returns:
        What was done, or what a dry run would do, and what could not be copied.

    Raises:
        ValueError: for a directory that is to be copied into itself, or that holds the target, by whatever filesystems.
        OSError: ENOENT, ENOTDIR for the source; ENOTDIR for the target; ENOSPC, EROFS, EIO. What was copied stays.
    """
    ends = Ends(source[0], target[0], same or source[0] is target[0])
    top, into = (fs._strip_protocol(path) for fs, path in (source, target))
    _require_directories(ends, top, into)
    tally = SyncTally()
    steps = list(Plan(ends, top, into, options, tally))
    callback.set_size(sum(step.attributes.size for step in steps if step.is_file and step.act in COPYING))
    with ExitStack() as stack:
        carrier = None if options.dry_run else _carrier(stack, ends, options, tally, callback)
        for step in steps:
            if tell is not None and step.act is not Act.KEEP:
                tell(step)
            if carrier is None:
                count(tally, step, copied=step.is_file and step.act in COPYING)
            else:
                carrier.carry(step)
        if carrier is not None:
            carrier.finish()
    return SyncReport(**tally.figures())


def _carrier(stack: ExitStack, ends: Ends, options: SyncOptions, tally: SyncTally, callback: Callback) -> Carrier:
    copier = Copier(ends, preserve=True, follow_links=False, callback=callback)
    can = capabilities_of(ends.target)
    if can.nodes and can.transactions and not ends.same:
        return BatchCarrier(ends, copier, tally, stack.enter_context(Batches(ends.target)))
    is_remote = ends.source.async_impl or ends.target.async_impl
    workers = options.workers or (_WORKERS if is_remote else 1)
    return stack.enter_context(Carrier(ends, copier, tally, workers))


def _require_directories(ends: Ends, source: str, target: str) -> None:
    if not ends.source.isdir(source):
        code = errno.ENOTDIR if ends.source.lexists(source) else errno.ENOENT
        raise os_error(code, source, hint="give a directory")
    if ends.target.lexists(target) and not ends.target.isdir(target):
        raise os_error(errno.ENOTDIR, target, hint="give a directory")
    lie_by_name = ends.same and (is_inside(source, target) or is_inside(target, source))
    if lie_by_name or overlap(ways_of(ends.source, source), ways_of(ends.target, target)):
        raise ValueError(f"{source} and {target} lie in one another; give directories that lie apart")
