"""Zip as PKWARE's APPNOTE 6.3 has it, ZIP64 included, with what Info-ZIP notes of Unix besides."""
