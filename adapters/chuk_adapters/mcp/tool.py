"""What a tool is: what clients are told about it, and the function that does its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp import types

from chuk_adapters.mcp.call import Call

Schema = dict[str, Any]
"""A JSON schema."""

Arguments = Mapping[str, Any]
"""The arguments of one call: they fit the tool's schema, and defaults are filled in."""


@dataclass(frozen=True)
class Hints:
    """What a tool does to files (MCP's tool annotations).

    Attributes:
        changes: it may change files; it is refused where nothing may be changed.
        destructive: what was there may be lost; None for a tool that changes nothing.
        idempotent: a second call with the same arguments changes nothing more; None as above.
    """

    changes: bool = False
    destructive: bool | None = None
    idempotent: bool | None = None


READS = Hints()


@dataclass(frozen=True)
class Result:
    """What a tool answers.

    Attributes:
        text: for the model, and the value of ``content`` in the structured result.
        structured: the structured result where it is more than ``{"content": text}``.
        blocks: what is sent in place of the text, for images and other files.
        rest: how to get what was left out, one sentence; "" if nothing was.
    """

    text: str = ""
    structured: dict[str, Any] | None = None
    blocks: tuple[types.ContentBlock, ...] = ()
    rest: str = ""


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: what clients call.
        title: for people.
        description: for the model.
        properties: the JSON schema of each argument.
        required: the arguments that must be given.
        run: does the work, in a thread of its own; what it raises becomes an answer that the model can use.
        hints: what it does to files.
        output: the JSON schema of the structured result.
        rest: how a model gets the rest of a result that was too long, one sentence.
    """

    name: str
    title: str
    description: str
    properties: dict[str, Schema]
    required: tuple[str, ...]
    run: Callable[[Call, Arguments], Result]
    hints: Hints = READS
    output: Schema = field(default_factory=lambda: object_of({"content": {"type": "string"}}, closed=True))
    rest: str = ""

    @property
    def input(self) -> Schema:
        """The JSON schema of the arguments."""
        return object_of(self.properties, required=self.required)


def object_of(
    properties: dict[str, Schema],
    *,
    required: tuple[str, ...] | None = None,
    closed: bool = False,
    nested: bool = False,
) -> Schema:
    """The JSON schema (draft 7) of an object.

    Args:
        properties: the schema of each of its values.
        required: which must be there; None for all.
        closed: no others may be there.
        nested: it is a part of another schema, which says the draft.
    """
    names = list(properties) if required is None else list(required)
    schema: Schema = {} if nested else {"$schema": "http://json-schema.org/draft-07/schema#"}
    schema |= {"type": "object", "properties": properties}
    if names:
        schema["required"] = names
    if closed:
        schema["additionalProperties"] = False
    return schema


TEXT: Schema = {"type": "string"}
"""The schema of a path or another text."""
