"""The behaviour suite: what the contract promises, as tests that any backend can run against itself.

It needs pytest. See docs/how-to-add-a-backend.md.
"""

import pytest

_GROUPS = (
    "checks concurrency copying directories errors info listing moving paths posix_attributes posix_handles posix_links "
    "posix_nodes posix_special posix_xattrs reading removing sparse text_and_compression transactions urls writing"
)
# pytest explains failed asserts only in modules that it was told of before they are imported.
pytest.register_assert_rewrite(*(f"{__name__}.{group}" for group in _GROUPS.split()))

from chuk_fsspec.testing.base import needs  # noqa: E402
from chuk_fsspec.testing.suite import BehaviourSuite  # noqa: E402

__all__ = ["BehaviourSuite", "needs"]
