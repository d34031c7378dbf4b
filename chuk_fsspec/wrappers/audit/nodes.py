"""Inode operations on record: what programs do on a mount, under the paths by which they found their files."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import partial
from weakref import WeakKeyDictionary

from chuk_fsspec.contract.nodes import Change, Node, NodeOperations
from chuk_fsspec.contract.operations import POSIX, Effect
from chuk_fsspec.contract.posix import RENAME_EXCHANGE, Buffer, Handle, StatVfs
from chuk_fsspec.forwarding.node_paths import NodePaths, path_of
from chuk_fsspec.forwarding.nodes import ForwardingNodes
from chuk_fsspec.wrappers.audit.bursts import INTERVAL, Bursts
from chuk_fsspec.wrappers.audit.files import AuditHandle, Tally
from chuk_fsspec.wrappers.audit.record import Detail
from chuk_fsspec.wrappers.audit.recorder import Call, Recorder, Target, new_call_name

LIST, READ, WRITE, DELETE, RENAME = Effect.LIST, Effect.READ, Effect.WRITE, Effect.DELETE, Effect.RENAME

Place = tuple[Node, str | None]
"""A directory and a name in it, or a node by itself."""


class AuditNodes(ForwardingNodes):
    """One door's view of a filesystem, on record. What is not recorded costs next to nothing.

    Args:
        inner: the inode operations of the filesystem below; this object is their only user.
        recorder: where it is recorded.
        interval: seconds for which reads and writes of one node are summed up.
    """

    def __init__(self, inner: NodeOperations, recorder: Recorder, interval: float = INTERVAL) -> None:
        super().__init__(inner)
        self._recorder = recorder
        self._paths: NodePaths[None] = NodePaths(inner.root)
        # The filesystem below knows its own handles, and may be asked about one.
        self._below: WeakKeyDictionary[AuditHandle, Handle] = WeakKeyDictionary()
        self._bursts = Bursts(recorder, self.path, interval)

    # ---- looking

    def lookup(self, directory: Node, name: str) -> Node | None:
        with self._step("lookup", LIST, (directory, name)):
            node = super().lookup(directory, name)
        if node is not None:
            self._saw(directory, name, node)
        return node

    def getattr(self, node: Node) -> Node:
        with self._step("getattr", LIST, (node, None)):
            return super().getattr(node)

    def entries(self, directory: Node) -> Sequence[tuple[str, Node]]:
        with self._step("entries", LIST, (directory, None)):
            found = super().entries(directory)
        known = self._paths.find(directory)
        if known is not None:
            self._paths.listed(known, found)
        return found

    def readlink(self, node: Node) -> str:
        with self._step("readlink", LIST, (node, None)):
            return super().readlink(node)

    # ---- names

    def create(self, directory: Node, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> Node:
        with self._step("create", WRITE, (directory, name), mode=oct(mode), uid=uid, gid=gid):
            node = super().create(directory, name, mode, uid, gid, rdev)
        return self._saw(directory, name, node)

    def mkdir(self, directory: Node, name: str, mode: int, uid: int, gid: int) -> Node:
        with self._step("mkdir", WRITE, (directory, name), mode=oct(mode), uid=uid, gid=gid):
            node = super().mkdir(directory, name, mode, uid, gid)
        return self._saw(directory, name, node)

    def symlink(self, directory: Node, name: str, target: str, uid: int, gid: int) -> Node:
        with self._step("symlink", WRITE, (directory, name), target=target, uid=uid, gid=gid):
            node = super().symlink(directory, name, target, uid, gid)
        return self._saw(directory, name, node)

    def temporary(self, directory: Node, mode: int, uid: int, gid: int) -> Node:
        with self._step("temporary", WRITE, (directory, None), mode=oct(mode), uid=uid, gid=gid):
            return super().temporary(directory, mode, uid, gid)

    def link(self, node: Node, directory: Node, name: str) -> None:
        with self._step("link", WRITE, (node, None), (directory, name)):
            super().link(node, directory, name)
        self._saw(directory, name, node)

    def unlink(self, directory: Node, name: str) -> None:
        node = super().lookup(directory, name)
        with self._step("unlink", DELETE, (directory, name)) as step:
            if node is not None:
                step.look_before(node)
            super().unlink(directory, name)
        if node is not None:
            self._left(directory, name, node)

    def rmdir(self, directory: Node, name: str) -> None:
        with self._step("rmdir", DELETE, (directory, name)):
            super().rmdir(directory, name)

    def rename(self, directory: Node, name: str, new_directory: Node, new_name: str, flags: int = 0) -> None:
        with self._step("rename", RENAME, (directory, name), (new_directory, new_name), flags=flags):
            super().rename(directory, name, new_directory, new_name, flags)
        self._met_again(new_directory, new_name)
        if flags & RENAME_EXCHANGE:
            self._met_again(directory, name)

    # ---- attributes and content

    def setattr(
        self,
        node: Node,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        size: int | None = None,
        atime_ns: int | None = None,
        mtime_ns: int | None = None,
        ctime_ns: int | None = None,
        handle: Handle | None = None,
    ) -> None:
        numbers = {
            "uid": uid,
            "gid": gid,
            "size": size,
            "atime_ns": atime_ns,
            "mtime_ns": mtime_ns,
            "ctime_ns": ctime_ns,
        }
        detail: dict[str, str | int] = {} if mode is None else {"mode": oct(mode)}
        detail |= {name: value for name, value in numbers.items() if value is not None}
        with self._step("setattr", WRITE, (node, None), **detail) as step:
            if size is not None:
                step.look_before(node)
            super().setattr(
                node,
                mode=mode,
                uid=uid,
                gid=gid,
                size=size,
                atime_ns=atime_ns,
                mtime_ns=mtime_ns,
                ctime_ns=ctime_ns,
                handle=self._below[handle] if isinstance(handle, AuditHandle) else handle,
            )
            if size is not None:
                step.look_after(node)

    def open(self, node: Node, flags: int) -> Handle:
        effect, path = POSIX["open_handle"].effect_in({"flags": flags}), self.path(node)
        target = Target(path, before=self._recorder.state_of_node(path, node.ino))
        call = self._recorder.begin(Call("node.open", effect, [target], {"flags": flags}, new_call_name()))
        try:
            handle = super().open(node, flags)
        except BaseException as error:
            self._recorder.end(call, error)
            raise
        try:
            self._recorder.end(call)
        except OSError:
            handle.close()
            raise
        recorded = AuditHandle(handle, Tally(self._recorder, call))
        self._below[recorded] = handle
        return recorded

    def read(self, node: Node, size: int, offset: int) -> Sequence[Buffer]:
        burst = self._bursts.begin(READ, node)
        try:
            pieces = super().read(node, size, offset)
        except OSError as error:
            self._bursts.failed(burst, error)
            raise
        self._bursts.add(burst, sum(map(len, pieces)))
        return pieces

    def write(self, node: Node, data: Buffer, offset: int) -> int:
        return self._write(node, partial(super().write, node, data, offset))

    def append(self, node: Node, data: Buffer) -> int:
        return self._write(node, partial(super().append, node, data))

    def _write(self, node: Node, write: Callable[[], int]) -> int:
        burst = self._bursts.begin(WRITE, node)
        try:
            number = write()
        except OSError as error:
            self._bursts.failed(burst, error)
            raise
        self._bursts.add(burst, number)
        return number

    def allocate(self, node: Node, offset: int, length: int, mode: int) -> None:
        with self._step("allocate", WRITE, (node, None), offset=offset, size=length, mode=oct(mode)) as step:
            step.look_before(node)
            super().allocate(node, offset, length, mode)
            step.look_after(node)

    def seek(self, node: Node, offset: int, whence: int) -> int:
        with self._step("seek", LIST, (node, None)):
            return super().seek(node, offset, whence)

    def getxattr(self, node: Node, name: str) -> bytes | None:
        with self._step("getxattr", READ, (node, None), name=name) as step:
            value = super().getxattr(node, name)
            if value is None:
                step.cancel()  # kernels ask for some that hardly any file has, each time that they write
        return value

    def setxattr(self, node: Node, name: str, value: bytes, flags: int = 0) -> None:
        with self._step("setxattr", WRITE, (node, None), name=name, flags=flags):
            super().setxattr(node, name, value, flags)

    def listxattr(self, node: Node) -> list[str]:
        with self._step("listxattr", LIST, (node, None)):
            return super().listxattr(node)

    def removexattr(self, node: Node, name: str) -> None:
        with self._step("removexattr", WRITE, (node, None), name=name):
            super().removexattr(node, name)

    # ---- the whole

    def statvfs(self) -> StatVfs:
        with self._step("statvfs", LIST):
            return super().statvfs()

    def hold(self, table: Container[int]) -> Callable[[], None]:
        ends = self._paths.hold(table), super().hold(table)

        def end() -> None:
            for each in ends:
                each()

        return end

    def forget(self, node: Node) -> None:
        self._bursts.end(node)
        self._paths.forget(node)
        super().forget(node)

    def watch(self, callback: Change) -> Callable[[], None]:
        def told(directory: Node | None, name: str, node: Node | None) -> None:
            if directory is not None and node is not None:
                self._saw(directory, name, node)
            callback(directory, name, node)

        return super().watch(told)

    def close(self) -> None:
        self._bursts.end_all()
        super().close()

    # ---- paths

    def path(self, node: Node) -> str | None:
        """A path by which a node was reached; None for one without a name, or that nobody has looked up."""
        known = self._paths.find(node)
        return None if known is None else known.path()

    def path_at(self, directory: Node, name: str) -> str | None:
        """The path of an entry."""
        known = self._paths.find(directory)
        return None if known is None else path_of(known, name)

    def _saw(self, directory: Node, name: str, node: Node) -> Node:
        known = self._paths.find(directory)
        if known is not None:
            self._paths.saw(known, name, node)
        return node

    def _left(self, directory: Node, name: str, node: Node) -> None:
        known = self._paths.find(directory)
        if known is not None:
            self._paths.left(known, name, node)

    def _met_again(self, directory: Node, name: str) -> None:
        node = super().lookup(directory, name)
        if node is not None:
            self._saw(directory, name, node)

    def _step(self, operation: str, effect: Effect, *places: Place, **detail: str | int) -> Step:
        return Step(self, self._recorder, f"node.{operation}", effect, places, detail)


class Step:
    """A block in which one operation is done: recorded if that is wanted, or if it is refused."""

    __slots__ = ("_call", "_detail", "_effect", "_nodes", "_operation", "_places", "_recorder")

    def __init__(
        self,
        nodes: AuditNodes,
        recorder: Recorder,
        operation: str,
        effect: Effect,
        places: tuple[Place, ...],
        detail: Detail,
    ) -> None:
        self._nodes = nodes
        self._recorder = recorder
        self._operation = operation
        self._effect = effect
        self._places = places
        self._detail = detail
        self._call: Call | None = None

    def __enter__(self) -> Step:  # noqa: PYI034 - typing.Self needs Python 3.11
        if self._recorder.wants(self._effect):
            self._call = self._recorder.begin(self._described())
        return self

    def __exit__(self, exc_type: object, error: BaseException | None, traceback: object) -> None:
        if error is None and self._call is None:
            return
        self._recorder.end(self._call or self._described(), error)

    def cancel(self) -> None:
        """Nothing happened that is worth a record."""
        self._call = None

    def look_before(self, node: Node) -> None:
        """Note the state of a node's content before the operation."""
        if self._call is not None:
            self._call.targets[0].before = self._recorder.state_of_node(self._nodes.path(node), node.ino)

    def look_after(self, node: Node) -> None:
        """Note the state of a node's content after it."""
        if self._call is not None:
            self._call.targets[0].after = self._recorder.state_of_node(self._nodes.path(node), node.ino)

    def _described(self) -> Call:
        path, path2, *_ = [*map(self._path, self._places), None, None]
        return Call(self._operation, self._effect, [Target(path, path2)], self._detail)

    def _path(self, place: Place) -> str | None:
        node, name = place
        return self._nodes.path(node) if name is None else self._nodes.path_at(node, name)
