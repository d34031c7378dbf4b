"""``chukaudit``: everything that is done to a filesystem, on record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.operations import FSSPEC, Effect, Operation, Returns
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.forwarding.surface import OPEN_ASYNC
from chuk_fsspec.wrappers.audit import describe
from chuk_fsspec.wrappers.audit.context import check_name, user_name
from chuk_fsspec.wrappers.audit.files import AuditFile, AuditHandle, AuditStream, Tally, abandon
from chuk_fsspec.wrappers.audit.log import RESERVE, LogOptions, open_log
from chuk_fsspec.wrappers.audit.nodes import AuditNodes
from chuk_fsspec.wrappers.audit.reading import Filters, read_records
from chuk_fsspec.wrappers.audit.record import Record
from chuk_fsspec.wrappers.audit.recorder import UNKNOWN, Call, Recorder, State, Target, new_call_name
from chuk_fsspec.wrappers.audit.transaction import AuditTransaction
from chuk_fsspec.wrappers.base import WrapperFileSystem

EFFECTS = tuple(effect.value for effect in Effect)
NODE_EFFECTS = ("read", "write", "delete", "rename")


class AuditFileSystem(WrapperFileSystem):
    """Hands everything on and writes it down: who did what to which path, and how it ended.

    An operation that could not be recorded is refused before it is done. Refusals of the filesystem below are recorded
    like everything else.
    """

    protocol = "chukaudit"
    transaction_type = AuditTransaction

    def __init__(
        self,
        fs: AbstractFileSystem | None = None,
        fo: str = "",
        target_protocol: str | None = None,
        target_options: dict[str, Any] | None = None,
        *,
        log: str = "",
        actor: str | None = None,
        session: str | None = None,
        effects: Iterable[str] = EFFECTS,
        node_effects: Iterable[str] = NODE_EFFECTS,
        etags: bool = True,
        intents: bool = False,
        sync: str = "none",
        key_env: str = "",
        rotate_at: int = 0,
        reserve: int = RESERVE,
        on_error: str = "raise",
        **kwargs: Any,
    ) -> None:
        """Record what is done to a filesystem.

        Args:
            fs: the filesystem; or
            fo: as in ``WrapperFileSystem``,
            target_protocol: the protocol to make it of,
            target_options: its storage options.
            log: local path of the log; ``.jsonl`` makes it a file of lines, ``.db`` a SQLite database. It must lie
                where users of this filesystem cannot reach it.
            actor: who acts; by default the user of the process.
            session: during which run; by default a name that is new for each process.
            effects: what of is recorded: "list", "read", "write", "delete", "rename", "none" (what does nothing to
                a path). Refusals are always recorded.
            node_effects: the same of what is done through inode operations, as mounts do it; by default all but "list"
                and "none", for a kernel looks up names all the time.
            etags: record the state of content before and after, where the filesystem has etags: one ``info`` more
                before a read, two for a change.
            intents: also record the beginning of each change, so that a killed process leaves a trace of its last one.
            sync: when records reach the disk: "none", "batch" (within a second) or "each".
            key_env: the environment variable with a key to seal the records with.
            rotate_at: bytes from which on a new file is begun; 0 for never.
            reserve: bytes of disk that are kept free for the last records before the disk is full.
            on_error: "raise" refuses what cannot be recorded; "continue" counts it.
            kwargs: fsspec's own options.

        Raises:
            ValueError: for options that make no sense, and for a file that is no log.
            OSError: if the log cannot be written.
        """
        wanted, wanted_of_nodes = _effects("effects", effects), _effects("node_effects", node_effects)
        who, run = check_name("actor", actor or user_name()), check_name("session", session or "")
        if not log:
            raise ValueError("log: give the path of the audit log, such as log='audit.jsonl'")
        super().__init__(fs=fs, fo=fo, target_protocol=target_protocol, target_options=target_options, **kwargs)
        options = LogOptions(sync, key_env, rotate_at, reserve, on_error)
        self._log = open_log(log, options)
        self._keeps_etags = etags and self.capabilities.etags
        self._recorder = Recorder(self._log, who, run, wanted, intents, self._state_of, self._note_change)
        self._node_recorder = self._recorder.with_effects(wanted_of_nodes)

    @property
    def audit_log(self) -> str:
        """Path of the log."""
        return self._log.path

    def records(self, **filters: str) -> Iterator[Record]:
        """The records of the log so far, in order.

        Args:
            filters: which ones: ``path`` (and what is below it), ``actor``, ``session``, ``operation``, ``decision``,
                ``since`` and ``until`` (as in the records: ISO 8601 in UTC).
        """
        if "path" in filters:
            filters["path"] = self._normal(filters["path"])
        return read_records(self._log.path, Filters(**filters))

    # ---- what is recorded

    def _forward(self, operation: Operation, *arguments: Any, **options: Any) -> Any:
        count = len(operation.paths)
        try:
            paths = tuple([self._normal(path) for path in arguments[:count]])
        except OSError as error:
            call = Call(
                describe.name_of(operation), operation.effect_in(options), [Target()], describe.given(error.filename)
            )
            self._recorder.end(self._recorder.begin(call), error)
            raise
        return self._perform(operation, paths, arguments[count:], options)

    def _perform(
        self, operation: Operation, paths: tuple[Any, ...], arguments: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        if operation.name in describe.NEVER:
            return super()._perform(operation, paths, arguments, options)
        call = self._call(operation, paths, options)
        result: Any = None
        error: BaseException | None = None
        try:
            result = super()._perform(operation, paths, arguments, options)
        except BaseException as problem:
            error = problem
            raise
        finally:
            if operation is not OPEN_ASYNC or error is not None:
                self._record(operation, call, arguments, result, error)
        if operation.returns is Returns.HANDLE:
            return self._handed_out(operation, call, result)
        return result

    def _call(self, operation: Operation, paths: tuple[Any, ...], options: dict[str, Any]) -> Call:
        """What is about to be done. OSError if it could not be recorded."""
        effect = operation.effect_in(options)
        targets, detail = describe.targets_of(paths), describe.detail_of(operation, options)
        call = Call(describe.name_of(operation), effect, targets, detail)
        if describe.opens_a_file(operation):
            call.name = new_call_name()
        if describe.reads_state(operation, effect):
            for target in targets:
                target.before = self._state_of(describe.state_path(target, effect, after=False))
        return self._recorder.begin(call)

    def _record(
        self,
        operation: Operation,
        call: Call,
        arguments: tuple[Any, ...],
        result: Any,
        error: BaseException | None,
    ) -> None:
        if describe.changes_content(operation, call.effect) and not describe.opens_a_file(operation):
            for target in call.targets:
                target.after = self._state_of(describe.state_path(target, call.effect, after=True))
        if error is None:
            describe.count_bytes(operation, call.targets, arguments, result)
        try:
            self._recorder.end(call, error)
        except OSError:
            if error is None and describe.opens_a_file(operation):
                abandon(result, call)
            raise

    def _handed_out(self, operation: Operation, call: Call, result: Any) -> Any:
        """What acts on the filesystem later, made to record that."""
        path = call.targets[0].path or "/"
        if operation is OPEN_ASYNC:
            return self._open_async(call, result, path)
        if operation.name == "open":
            return AuditFile(result, path, str(call.detail["mode"]), Tally(self._recorder, call))
        if operation.name == "open_handle":
            return AuditHandle(result, Tally(self._recorder, call))
        return result

    async def _open_async(self, call: Call, opening: Any, path: str) -> AuditStream:
        try:
            stream = await opening
        except BaseException as error:
            self._recorder.end(call, error)
            raise
        self._recorder.end(call)
        return AuditStream(stream, path, str(call.detail["mode"]), Tally(self._recorder, call))

    def _state_of(self, path: str | None) -> State:
        """The state of a file's content; unknown where there is none, or where it may not be looked at."""
        if path is None or not self._keeps_etags:
            return UNKNOWN
        try:
            info = super()._perform(FSSPEC["info"], (path,), (), {})
        except OSError:
            return UNKNOWN
        return State(info["etag"], info["size"], info.get("ino")) if info["type"] == "file" else UNKNOWN

    def _note_change(self, path: str | None) -> None:
        """Have the end of a transaction tell what became of a path."""
        if self._intrans and path is not None:
            self.transaction.changed[path] = None

    # ---- what is handed out; of files and handles `_perform` sees to it that they are recorded

    def _offer(self, capabilities: Capabilities) -> Capabilities:
        return capabilities

    def _wrap_file(self, file: Any, path: str, mode: str) -> Any:
        return file

    def _wrap_nodes(self, nodes: NodeOperations) -> NodeOperations:
        return AuditNodes(nodes, self._node_recorder)

    def _wrap_handle(self, handle: Handle, path: str, flags: int) -> Handle:
        return handle


def _effects(option: str, names: Iterable[str]) -> frozenset[Effect]:
    """What is recorded, by an option. ValueError."""
    chosen = [names] if isinstance(names, str) else list(names)
    unknown = sorted(set(chosen) - set(EFFECTS))
    if unknown:
        raise ValueError(f"{option}: {', '.join(unknown)} is none of {', '.join(EFFECTS)}")
    return frozenset(map(Effect, chosen))
