"""A service that has buckets, as the command line knows it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chuk_fsspec.cli.output import CommandError
from chuk_fsspec.cli.parsing import add_command
from chuk_fsspec.cli.urls import add_option
from chuk_fsspec.contract.buckets import Buckets
from chuk_fsspec.registry import PROTOCOLS


@dataclass(frozen=True)
class Service:
    """One of them.

    Attributes:
        name: of its command.
        protocol: of its filesystem.
        title: for people.
        location: one that it has, for examples.
    """

    name: str
    protocol: str
    title: str
    location: str

    def add_command(
        self,
        commands: Any,
        name: str,
        run: Callable[[argparse.Namespace, Buckets], int],
        *,
        summary: str,
        details: str,
        example: str,
    ) -> argparse.ArgumentParser:
        """Add a command that is given the buckets.

        Args:
            commands: those of the service.
            name: what the user types.
            run: carries it out and returns the exit code.
            summary: one line for the list of commands.
            details: what its help says first.
            example: what its help ends with; ``{service}`` and ``{location}`` in it are filled in.
        """
        parser = add_command(
            commands,
            name,
            lambda args: run(args, self.buckets(args)),
            group=self.name,
            summary=summary,
            details=details,
            example=example.format(service=self.name, location=self.location),
        )
        add_option(parser, "--option", "-o", what=f"option of {self.protocol}")
        return parser

    def buckets(self, args: argparse.Namespace) -> Buckets:
        """The buckets that the user's options lead to.

        Raises:
            CommandError: for options that the filesystem does not take.
            ImportError: where a package is missing, with what to install.
        """
        kind: Any = PROTOCOLS[self.protocol].load()
        try:
            found: Buckets = kind(**dict(args.option)).buckets
        except TypeError as error:
            raise CommandError(f"{self.protocol} does not take these options: {error}") from error
        return found
