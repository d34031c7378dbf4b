"""Where filesystems over flat keys deviate from the behaviour suite, and why."""

from __future__ import annotations

import pytest

from chuk_fsspec.testing.concurrency import Concurrency
from chuk_fsspec.testing.conditional import ConditionalRaces

_ONE_REQUEST = "a write is one request, and whether there are keys below its own, or one above, would be another"
_IMPLIED = "a directory that was never made is there as long as there are keys in it"

DEVIATIONS = {
    "TestCopying::test_a_directory_is_not_overwritten": _ONE_REQUEST,
    "TestErrors::test_a_directory_where_a_file_should_be[pipe_file]": _ONE_REQUEST,
    "TestErrors::test_a_directory_where_a_file_should_be[touch]": _ONE_REQUEST,
    "TestErrors::test_a_writer_names_the_path_in_normal_form": _ONE_REQUEST,
    "TestExclusiveCreate::test_a_directory_is_in_the_way_too": _ONE_REQUEST,
    "TestWriting::test_writing_over_a_directory_is_an_error": _ONE_REQUEST,
    "TestWriting::test_writing_below_a_file_is_an_error": _ONE_REQUEST,
    "TestDirectories::test_a_directory_outlives_its_last_file": _IMPLIED,
    "TestPaths::test_the_longest_path_works": "keys have at most 1024 bytes",
}
ABSTRACT_DEVIATIONS = {"test_copy_directory_without_files_with_same_name_prefix": _IMPLIED}


@pytest.mark.slow
class SlowConcurrency(Concurrency):
    """Thousands of requests."""

    # What is replaced all the time is ESTALE, if somebody is always faster than the one who reads.
    test_readers_see_whole_versions = None  # type: ignore[assignment]


@pytest.mark.slow
class SlowRaces(ConditionalRaces):
    """Hundreds of them."""
