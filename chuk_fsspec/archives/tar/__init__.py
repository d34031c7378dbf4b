"""Tar as POSIX.1-2001 (pax) has it, with what GNU tar, bsdtar and older programs write besides."""
