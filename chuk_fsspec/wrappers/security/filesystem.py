"""``chuksecure``: a filesystem with rules and quotas that nothing gets around."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.limits import require_number
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.operations import FSSPEC, Effect, Operation
from chuk_fsspec.contract.posix import StatVfs
from chuk_fsspec.wrappers.base import WrapperFileSystem
from chuk_fsspec.wrappers.security.access import Access
from chuk_fsspec.wrappers.security.books import Books
from chuk_fsspec.wrappers.security.changing import Changing, Handler
from chuk_fsspec.wrappers.security.drafts import Draft
from chuk_fsspec.wrappers.security.footprints import Surveyor
from chuk_fsspec.wrappers.security.gate import Gate
from chuk_fsspec.wrappers.security.ledger import Usage
from chuk_fsspec.wrappers.security.looking import Looking
from chuk_fsspec.wrappers.security.nodes import SecureNodes
from chuk_fsspec.wrappers.security.opening import Opening
from chuk_fsspec.wrappers.security.profiles import settings_of
from chuk_fsspec.wrappers.security.reading import Reading, narrowed
from chuk_fsspec.wrappers.security.rules import Rule
from chuk_fsspec.wrappers.security.space import within
from chuk_fsspec.wrappers.security.stores import ledger_of, log_of, policy_of, store_of
from chuk_fsspec.wrappers.security.transaction import ChargedTransaction
from chuk_fsspec.wrappers.security.views import secured_view
from chuk_fsspec.wrappers.security.violations import DEFAULT_KEPT

_NOT_OF_A_SIBLING = frozenset({"fs", "fo", "target_protocol", "target_options"})


class SecureFileSystem(WrapperFileSystem):
    """Lets through what its rules allow, of every operation and at every door, and stores no more than its quotas.

    What is refused raises ``SecurityViolation``, a ``PermissionError``, and is noted: see ``get_violations``. A hidden
    path does not exist. Where the filesystem below has symbolic links, they are followed here, and each place that one
    leads to is checked.
    """

    protocol = "chuksecure"
    transaction_type = ChargedTransaction

    def __init__(
        self,
        fs: AbstractFileSystem | None = None,
        fo: str = "",
        target_protocol: str | None = None,
        target_options: dict[str, Any] | None = None,
        *,
        profile: str | Mapping[str, Any] = "default",
        max_file_size: int | None = None,
        max_total_size: int | None = None,
        max_files: int | None = None,
        max_path_depth: int | None = None,
        read_only: bool | None = None,
        allowed_paths: Iterable[str] | None = None,
        denied_paths: Iterable[str] | None = None,
        denied_patterns: Iterable[str] | None = None,
        hidden_paths: Iterable[str] | None = None,
        hidden_patterns: Iterable[str] | None = None,
        rules: Iterable[Rule | Mapping[str, Any]] | None = None,
        case_fold: bool | None = None,
        violations_kept: int = DEFAULT_KEPT,
        follow_links: bool = True,
        **kwargs: Any,
    ) -> None:
        """Put rules and quotas over a filesystem. What is not given is as the profile says.

        Args:
            fs: the filesystem; or
            fo: the path that a chained URL gives; paths come with each call, so it is not used.
            target_protocol: the protocol to make the filesystem of.
            target_options: its storage options.
            profile: a profile's name, or a dict of the settings below.
            max_file_size: most bytes of one file; 0 is without limit, here and below.
            max_total_size: most bytes of all files together.
            max_files: most files, directories and links.
            max_path_depth: most names in a path.
            read_only: refuse every change, with EROFS.
            allowed_paths: all else is denied.
            denied_paths: denied, with all that is below.
            denied_patterns: of names, as for ``re.search``; or globs of names or paths after ``glob:``.
            hidden_paths: these do not exist.
            hidden_patterns: as ``denied_patterns``.
            rules: rules, or dicts of their arguments (``Rule``), looked at before the lists above; the first decides.
            case_fold: compare names in any case.
            violations_kept: how many refusals are remembered.
            follow_links: follow symbolic links; False is what ``posix.nofollow`` gives.
            kwargs: fsspec's own options.

        Raises:
            ValueError: for a setting of the wrong kind, a bad pattern, or an unknown profile; for a filesystem that
                follows links by itself, past every rule.
        """
        given = {
            "max_file_size": max_file_size,
            "max_total_size": max_total_size,
            "max_files": max_files,
            "max_path_depth": max_path_depth,
            "read_only": read_only,
            "allowed_paths": allowed_paths,
            "denied_paths": denied_paths,
            "denied_patterns": denied_patterns,
            "hidden_paths": hidden_paths,
            "hidden_patterns": hidden_patterns,
            "rules": rules,
            "case_fold": case_fold,
        }
        require_number(violations_kept, "violations_kept", least=1)
        self._settings = settings_of(profile, {name: value for name, value in given.items() if value is not None})
        policy = policy_of(self._settings)
        super().__init__(fs, fo, target_protocol, target_options, **kwargs)
        self._gate = Gate(policy, log_of(self._store, self._settings, violations_kept))
        self._access = Access(super()._perform, self._gate, self._can, follows=follow_links)
        self._books = self._open_books()
        self._changing = Changing(self._access, self._books, self._drafts)
        self._handlers, self._posix_handlers = self._all_handlers()

    def _view(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        self._store = store_of(fs)
        return secured_view(fs)

    def _offer(self, capabilities: Capabilities) -> Capabilities:
        self._can = capabilities
        return dataclasses.replace(
            capabilities,
            write=capabilities.write and not self._settings.read_only,
            statvfs=capabilities.statvfs or self._settings.counts,
        )

    def _open_books(self) -> Books:
        can, limits = self._can, self._settings
        ledger = ledger_of(self._store, by_path=not (can.hardlinks or can.random_write or can.nodes))
        ledger.is_kept = ledger.is_kept or limits.counts
        tell = self._access.tell
        surveyor = Surveyor(
            info=lambda path: tell(FSSPEC["info"], path),
            find=lambda path: tell(FSSPEC["find"], path, withdirs=True, detail=True).values(),
            lexists=None if self._access.is_plain else lambda path: bool(tell(FSSPEC["lexists"], path)),
        )
        return Books(
            ledger,
            limits,
            surveyor,
            self._gate,
            keeps_directories=can.directories,
            # What a transaction can undo, the store changes in place.
            may_copy=can.hardlinks and can.shared_between_processes and not can.transactions,
        )

    def _all_handlers(self) -> tuple[dict[str, Handler], dict[str, Handler]]:
        opening = Opening(self._access, self._books, self._drafts)
        changing = self._changing
        handlers: dict[str, Handler] = {
            **Looking(self._access).handlers(),
            **Reading(self._access).handlers(),
            **changing.handlers(),
            "open": opening.open,
            "open_async": opening.open_async,
        }
        posix_handlers: dict[str, Handler] = {
            **changing.posix_handlers(),
            "open_handle": opening.open_handle,
            "reader": self._reader,
            "statvfs": self._statvfs,
        }
        return handlers, posix_handlers

    # ---- what was refused, and what is stored

    def get_violations(self) -> list[dict[str, Any]]:
        """The last refusals under these settings on this store, by any instance; oldest first.

        Returns:
            Dicts with ``time`` (seconds since the epoch), ``operation``, ``path``, ``rule``, ``effect`` and ``reason``.
        """
        return self._gate.log.entries()

    def clear_violations(self) -> None:
        """Forget all refusals."""
        self._gate.log.clear()

    def usage(self) -> Usage:
        """What is stored, open files included: ``size`` in bytes, and ``files``, directories and links counted too."""
        return self._books.usage()

    def recount(self) -> Usage:
        """Count what is stored anew.

        To be called after the store was changed past this filesystem: by another process, or through the filesystem
        below. Nobody else changes it through a secured filesystem meanwhile.
        """
        return self._books.ledger.recount(self._books.scan)

    # ---- the only door

    def _perform(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        handler = (self._posix_handlers if operation.posix else self._handlers).get(operation.name)
        if handler is not None:
            return handler(operation, paths, arguments, options)
        if operation.effect is Effect.NONE:
            return super()._perform(operation, paths, arguments, options)
        if not paths:
            self._gate.require_any(operation.name, operation.effect)
            return super()._perform(operation, paths, arguments, options)
        return self._access.simple(operation, paths, arguments, options)

    def _move(self, source: str, target: str, recursive: bool, **kwargs: Any) -> None:
        if not self.capabilities.rename:
            self._changing.require_movable(source, target)
        super()._move(source, target, recursive, **kwargs)

    def _drafts(self) -> list[Draft] | None:
        """Files that wait for the end of the transaction; None outside of one."""
        return self.transaction.drafts if self._intrans else None

    def _reader(self, operation: Operation, paths: Any, arguments: Any, options: Any) -> Callable[[str], bytes | None]:
        self._gate.require(operation.name, paths[0], Effect.LIST)
        read: Callable[[str], bytes | None] = super()._perform(operation, paths, arguments, options)
        return read

    def _statvfs(self, operation: Operation, paths: Any, arguments: Any, options: Any) -> StatVfs:
        self._gate.require_any(operation.name, operation.effect)
        limits = self._settings
        figures: list[StatVfs] = []
        if self._can.statvfs or not limits.counts:
            figures.append(super()._perform(operation, paths, arguments, options))
        return within(limits, self._books.usage(), *figures) if limits.counts else figures[0]

    def _wrap_reader(self, reader: Callable[[str], bytes | None], directory: str) -> Callable[[str], bytes | None]:
        return narrowed(reader, self._gate.policy, directory)

    def _wrap_nodes(self, nodes: NodeOperations) -> NodeOperations:
        return SecureNodes(nodes, self._gate, self._books)

    def _sibling(self, fs: AbstractFileSystem) -> AbstractFileSystem:
        options = {key: value for key, value in self.storage_options.items() if key not in _NOT_OF_A_SIBLING}
        return type(self)(fs=fs, **{**options, "follow_links": False})
