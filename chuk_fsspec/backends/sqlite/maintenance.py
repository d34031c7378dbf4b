"""Care of chuksqlite files that are not being used as filesystems: for programs, and for the command line."""

from chuk_fsspec.backends.sqlite.checking import Problem, Report, check
from chuk_fsspec.backends.sqlite.measuring import Largest, Size, measure
from chuk_fsspec.backends.sqlite.repairing import repair
from chuk_fsspec.backends.sqlite.vacuuming import vacuum

__all__ = ["Largest", "Problem", "Report", "Size", "check", "measure", "repair", "vacuum"]
