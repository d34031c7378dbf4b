"""``chukaudit``: every operation on record, in a log whose lines vouch for one another."""

from chuk_fsspec.wrappers.audit.context import audit_context
from chuk_fsspec.wrappers.audit.filesystem import AuditFileSystem
from chuk_fsspec.wrappers.audit.reading import Filters, Place, read_head, read_records
from chuk_fsspec.wrappers.audit.record import Entry, Head, Record
from chuk_fsspec.wrappers.audit.verify import Problem, Report, verify

__all__ = [
    "AuditFileSystem",
    "Entry",
    "Filters",
    "Head",
    "Place",
    "Problem",
    "Record",
    "Report",
    "audit_context",
    "read_head",
    "read_records",
    "verify",
]
