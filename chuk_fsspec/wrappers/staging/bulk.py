"""Many files at once."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from chuk_fsspec.contract.operations import Operation
from chuk_fsspec.wrappers.staging.calls import Call, Calls, Options, Paths


class Bulk(Calls):
    """Calls of fsspec for lists of files. What is still the base's as a whole is asked of the base in one call."""

    def calls(self) -> dict[str, Call]:
        """What answers which operation."""
        return {
            "cat_ranges": self.cat_ranges,
            "pipe": self.pipe,
            "get": self.get,
            "put": self.put,
            "copy": self.copy,
        }

    def cat_ranges(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> list[Any]:
        starts, ends = arguments
        results: list[Any] = [None] * len(paths[0])
        below: dict[int, str] = {}
        for number, path in enumerate(paths[0]):
            try:
                origin = self._origin(path)
                if origin is None:
                    results[number] = self.fs.cat_file(path, starts[number], ends[number])
                else:
                    below[number] = origin
            except Exception as error:  # noqa: PERF203 - each file has an answer of its own
                if options["on_error"] == "raise":
                    raise
                results[number] = error
        if below:
            base = self.overlay.base
            found = base.fs.cat_ranges(
                [base.path(path) for path in below.values()],
                [starts[number] for number in below],
                [ends[number] for number in below],
                on_error=options["on_error"],
            )
            for number, result in zip(below, found, strict=True):
                results[number] = result
        return results

    def _origin(self, path: str) -> str | None:
        """The file of the base that a path shows, untouched; None if it shows anything else. As of this moment."""
        if self.overlay.base.capabilities.random_write:
            return None
        shown = self.shown(path)
        if shown is None or shown[1].is_changed:
            return None
        self.overlay.open_base(self.overlay.nodes, *shown)
        return shown[1].origins[0]

    def pipe(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        for path, value in zip(paths[0], arguments[0], strict=True):
            self.fs.pipe_file(path, value, **options)

    def get(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        self._transfer(self.fs.get_file, list(zip(paths[0], arguments[0], strict=True)), options)

    def put(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        self._transfer(self.fs.put_file, list(zip(arguments[0], paths[0], strict=True)), options)

    def _transfer(self, transfer: Any, pairs: list[tuple[str, str]], options: Options) -> None:
        callback = options.pop("callback")
        callback.set_size(len(pairs))
        for source, target in callback.wrap(pairs):
            with callback.branched(source, target) as child:
                transfer(source, target, callback=child, **options)

    def copy(self, operation: Operation, paths: Paths, arguments: Paths, options: Options) -> None:
        on_error = options.pop("on_error")
        for source, target in zip(*paths, strict=True):
            if on_error == "ignore":
                with suppress(FileNotFoundError):
                    self.fs.cp_file(source, target, **options)
            else:
                self.fs.cp_file(source, target, **options)
