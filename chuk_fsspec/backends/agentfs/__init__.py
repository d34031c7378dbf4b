"""``chukagentfs``: the files of an AgentFS database, read where they are."""

from chuk_fsspec.backends.agentfs.facts import Facts
from chuk_fsspec.backends.agentfs.filesystem import AgentFileSystem

__all__ = ["AgentFileSystem", "Facts"]
