"""What every filesystem here must be, beyond fsspec: paths, info, errors, capabilities and POSIX extras."""

from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
from chuk_fsspec.contract.info import Info
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.posix import Handle, Posix

__all__ = ["Capabilities", "Handle", "Info", "Node", "NodeOperations", "Posix", "capabilities_of"]
