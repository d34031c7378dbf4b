"""Searching the content of files, bounded in time and in what it shows, whatever the pattern."""
