"""The behaviour suite: what the contract promises, as tests that any backend can run against itself.

It needs pytest. See docs/how-to-add-a-backend.md.
"""

from pkgutil import iter_modules

import pytest

# pytest explains failed asserts only in modules that it was told of before they are imported.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))

from chuk_fsspec.testing.needs import needs  # noqa: E402
from chuk_fsspec.testing.suite import BehaviourSuite  # noqa: E402

__all__ = ["BehaviourSuite", "needs"]
