"""Deviations from the behaviour suite where a service keeps modes, but tells one time and no inode numbers."""

from __future__ import annotations

_NUMBERS = "a service names files by path: a moved one has another number, which info does not show"
_LINK_COUNTS = "nobody counts the directories in a directory"
_ONE_TIME = "there is one time, of the last change of content, as a float"

DEVIATIONS = {
    "TestPosixAttributes::test_a_file_keeps_its_number_and_no_other_has_it": _NUMBERS,
    "TestPosixAttributes::test_info_agrees_with_stat": _NUMBERS,
    "TestPosixRename::test_a_file_over_a_file": _NUMBERS,
    "TestRenaming::test_a_moved_file_is_the_same_file": _NUMBERS,
    "TestRenaming::test_so_is_each_of_many": _NUMBERS,
    "TestPosixAttributes::test_stat_of_a_directory": _LINK_COUNTS,
    "TestPosixRename::test_link_counts_of_directories_follow": _LINK_COUNTS,
    "TestPosixAttributes::test_every_change_stamps_ctime[chmod]": _ONE_TIME,
    "TestPosixAttributes::test_every_change_stamps_ctime[chown]": _ONE_TIME,
    "TestPosixAttributes::test_every_change_stamps_ctime[mv]": _ONE_TIME,
    "TestPosixAttributes::test_every_change_stamps_ctime[utime]": _ONE_TIME,
    "TestPosixAttributes::test_links_are_followed_unless_told_not_to": _ONE_TIME,
    "TestPosixAttributes::test_utime_keeps_nanoseconds[ns0]": _ONE_TIME,
    "TestPosixAttributes::test_utime_keeps_nanoseconds[ns1]": _ONE_TIME,
}
