"""The filesystem, as the methods see it."""
