"""Doors: thin translations of a protocol to the VFS of chuk_fsspec."""
