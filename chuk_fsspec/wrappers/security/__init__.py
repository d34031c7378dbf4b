"""``chuksecure``: rules and quotas over any filesystem, closed: nothing gets around them."""

from chuk_fsspec.wrappers.security.filesystem import SecureFileSystem
from chuk_fsspec.wrappers.security.ledger import Usage
from chuk_fsspec.wrappers.security.profiles import get_available_profiles, get_profile_settings, register_profile
from chuk_fsspec.wrappers.security.rules import Action, Rule
from chuk_fsspec.wrappers.security.violations import SecurityViolation

__all__ = [
    "Action",
    "Rule",
    "SecureFileSystem",
    "SecurityViolation",
    "Usage",
    "get_available_profiles",
    "get_profile_settings",
    "register_profile",
]
