"""``chukreadonly``: a filesystem that nobody changes through this object."""

from __future__ import annotations

import dataclasses
import errno

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.operations import Effect, Operation
from chuk_fsspec.wrappers.base import WrapperFileSystem
from chuk_fsspec.wrappers.readonly_nodes import ReadOnlyNodes

_CHANGES = frozenset({Effect.WRITE, Effect.DELETE, Effect.RENAME})


class ReadOnlyFileSystem(WrapperFileSystem):
    """Reads pass; every change is refused with EROFS, as on a filesystem that is mounted read-only."""

    protocol = "chukreadonly"
    passes_nodes = True
    passes_readers = True

    def _offer(self, capabilities: Capabilities) -> Capabilities:
        return dataclasses.replace(super()._offer(capabilities), write=False)

    def _authorise(self, operation: Operation, path: str, effect: Effect) -> None:
        if effect in _CHANGES and operation.paths:
            raise os_error(errno.EROFS, path)

    def _wrap_nodes(self, nodes: NodeOperations) -> NodeOperations:
        return ReadOnlyNodes(nodes)
