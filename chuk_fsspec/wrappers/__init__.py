"""Filesystems made of one other filesystem, closed: nothing reaches it but through one method."""
