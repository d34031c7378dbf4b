"""POSIX meaning over a store: what each operation on inodes checks, stamps and counts, defined here and only here.

Threads: every change happens in the store's scope for changes, which one thread has at a time. Lookups take no lock,
since a store's ``child`` is safe beside a writer. Watchers are told after the scope has ended, for a mount that is told
waits for its kernel, which may be waiting for this scope: so whoever is in it must not call a method here that changes
something.
"""

from chuk_fsspec.engine.tree.whole import Tree

__all__ = ["Tree"]
