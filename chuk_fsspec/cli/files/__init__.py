"""Commands for the files of any filesystem, as Unix has them: each ``<name>_cmd`` is one."""
