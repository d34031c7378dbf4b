"""The file objects of ``fs.open``."""
