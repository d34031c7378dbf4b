"""Trees of files on any filesystem: walked, moved and removed."""
