"""A deliberately object-like fsspec filesystem: whole objects, directories only as prefixes, and faults on demand."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract import Capabilities

PATIENCE = 60.0


class Gate:
    """Stops a thread in the middle of an operation, until the test lets it on."""

    def __init__(self) -> None:
        self._reached = threading.Event()
        self._opened = threading.Event()

    def stop_here(self) -> None:
        self._reached.set()
        if not self._opened.wait(PATIENCE):
            raise TimeoutError("nobody opened the gate")

    def wait_until_reached(self) -> None:
        assert self._reached.wait(PATIENCE)

    def open(self) -> None:
        self._opened.set()

    def open_in(self, seconds: float) -> None:
        """Open it while the caller waits for what is stopped."""
        threading.Timer(seconds, self.open).start()


class ObjectFileSystem(AbstractFileSystem):
    """Objects by key. Everything that fsspec would glob-expand is forbidden, as are appending and opening for update.

    Attributes:
        objects: the store.
        calls: how often each method was called.
        fail_puts: raise ``put_error`` this many times instead of storing.
        lose_puts: take this many objects without an error and without storing them.
        halve_puts: store only half of this many objects, without an error.
        halve_reads: send only half of this many bodies.
        delays: seconds that reading the object of a key takes.
        get_gates: where reading the object of a key stops.
        put_gates: where storing it does.
    """

    protocol = "objects"
    cachable = False
    root_marker = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.objects: dict[str, tuple[bytes, float]] = {}
        self.calls: Counter[str] = Counter()
        self.fail_puts = 0
        self.put_error: Exception = RuntimeError("the service is having a bad day")
        self.lose_puts = 0
        self.halve_puts = 0
        self.halve_reads = 0
        self.delays: dict[str, float] = {}
        self.get_gates: dict[str, Gate] = {}
        self.put_gates: dict[str, Gate] = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.strip("/")

    # ---- looking

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        self.calls["info"] += 1
        found = self._describe(self._strip_protocol(path))
        if found is None:
            raise FileNotFoundError(path)
        return found

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        self.calls["ls"] += 1
        path = self._strip_protocol(path)
        prefix = f"{path}/" if path else ""
        children = {prefix + key[len(prefix) :].split("/")[0] for key in list(self.objects) if key.startswith(prefix)}
        if not children and path in self.objects:
            children = {path}
        if not children and path:
            raise FileNotFoundError(path)
        infos = [info for child in sorted(children) if (info := self._describe(child)) is not None]
        return infos if detail else [info["name"] for info in infos]

    def _describe(self, key: str) -> dict[str, Any] | None:
        if (found := self.objects.get(key)) is not None:
            data, mtime = found
            etag = f"{hash(data):x}"
            return {"name": key, "size": len(data), "type": "file", "LastModified": mtime, "ETag": etag}
        if not key or any(other.startswith(f"{key}/") for other in list(self.objects)):
            return {"name": key, "size": 0, "type": "directory"}
        return None

    # ---- content

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        self.calls["cat_file"] += 1
        data = self._get(path)[start:end]
        return self._half(data) if self._halves() else data

    def get_file(self, rpath: str, lpath: str, **kwargs: Any) -> None:
        self.calls["get_file"] += 1
        data = self._get(rpath)
        with open(lpath, "wb") as file:
            file.write(self._half(data) if self._halves() else data)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        self.calls["pipe_file"] += 1
        if mode == "create" and self._strip_protocol(path) in self.objects:
            raise FileExistsError(path)
        self._put(path, bytes(value))

    def put_file(self, lpath: str, rpath: str, **kwargs: Any) -> None:
        self.calls["put_file"] += 1
        with open(lpath, "rb") as file:
            self._put(rpath, file.read())

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        self.calls["cp_file"] += 1
        self._put(path2, self._get(path1))

    def rm_file(self, path: str) -> None:
        self.calls["rm_file"] += 1
        if self.objects.pop(self._strip_protocol(path), None) is None:
            raise FileNotFoundError(path)

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> io.BytesIO:
        if mode != "rb":
            raise NotImplementedError("objects are stored whole")
        return io.BytesIO(self._get(path))

    def _get(self, path: str) -> bytes:
        key = self._strip_protocol(path)
        time.sleep(self.delays.get(key, 0))
        if key in self.get_gates:
            self.get_gates[key].stop_here()
        try:
            return self.objects[key][0]
        except KeyError:
            raise FileNotFoundError(path) from None

    def _put(self, path: str, data: bytes) -> None:
        key = self._strip_protocol(path)
        if key in self.put_gates:
            self.put_gates[key].stop_here()
        if self.fail_puts:
            self.fail_puts -= 1
            raise self.put_error
        if self.lose_puts:
            self.lose_puts -= 1
            return
        if self.halve_puts:
            self.halve_puts -= 1
            data = self._half(data)
        self.objects[key] = (data, time.time())

    def _halves(self) -> bool:
        self.halve_reads -= 1
        if self.halve_reads < 0:
            self.halve_reads = 0
            return False
        return True

    @staticmethod
    def _half(data: bytes) -> bytes:
        return data[: len(data) // 2]

    # ---- what must not be used

    def _forbidden(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("this form expands glob characters")

    glob = expand_path = find = walk = rm = mv = copy = cat = get = put = pipe = _forbidden


class RenamingObjectFileSystem(ObjectFileSystem):
    """Objects that can be renamed in one step, over others too."""

    capabilities = Capabilities(write=True, rename=True, replace=True, exclusive_create=True)

    def mv(self, path1: str, path2: str, **kwargs: Any) -> None:
        self.calls["mv"] += 1
        old, new = self._strip_protocol(path1), self._strip_protocol(path2)
        moved = [key for key in list(self.objects) if key == old or key.startswith(f"{old}/")]
        if not moved:
            raise FileNotFoundError(path1)
        for key in moved:
            self.objects[new + key[len(old) :]] = self.objects.pop(key)
