"""What ``chuk-fsspec mcp`` shows where the environment says it: ``VFS_PROVIDER`` and its options."""

from __future__ import annotations

from collections.abc import Mapping

from fsspec import AbstractFileSystem

from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.cli.urls import parse_option
from chuk_fsspec.facade.providers import open_provider

PROVIDER = "VFS_PROVIDER"
_PREFIX = "VFS_"
_CREDENTIALS = "_CREDENTIALS"


def open_environment(environ: Mapping[str, str]) -> AbstractFileSystem:
    """Open the provider that the environment names.

    ``VFS_PROVIDER`` is its name, each other variable ``VFS_X`` its option ``x``, as JSON where it can be read as such,
    and ``<PROVIDER>_CREDENTIALS`` its option ``credentials``.

    Args:
        environ: of the process; ``VFS_PROVIDER`` is in it.

    Raises:
        CommandError: for unknown names and options, naming the variables.
        ImportError: for a provider that is not installed, naming what to install.
        OSError: of the filesystem.
    """
    variables = variables_of(environ)
    options = dict(parse_option(f"{_option_of(name)}={value}") for name, value in variables.items() if name != PROVIDER)
    try:
        return open_provider(variables[PROVIDER], options)
    except ValueError as error:
        raise CommandError(f"{error} (from the environment: {', '.join(variables)})") from error


def variables_of(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that ``open_environment`` reads; none where no provider is named."""
    if PROVIDER not in environ:
        return {}
    credentials = f"{environ[PROVIDER].upper()}{_CREDENTIALS}"
    return {name: value for name, value in sorted(environ.items()) if name.startswith(_PREFIX) or name == credentials}


def _option_of(name: str) -> str:
    return name.removeprefix(_PREFIX).lower() if name.startswith(_PREFIX) else _CREDENTIALS[1:].lower()
