"""The command line: ``chuk-fsspec``. ``main`` finds the command; each ``<name>_cmd`` is one."""
