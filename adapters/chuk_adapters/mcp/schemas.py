"""Whether arguments fit a JSON schema, told in the reference server's words."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import jsonschema

from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.tool import Tool


def checked(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments that fit a tool's schema, with defaults filled in and without those that the tool does not have.

    Args:
        tool: whose arguments.
        arguments: as the client gave them.

    Raises:
        ToolError: naming each argument that does not fit.
    """
    errors = sorted(jsonschema.Draft7Validator(tool.input).iter_errors(dict(arguments)), key=_order(tool))
    if errors:
        told = "\n".join(line for error in errors for line in _words(error))
        raise ToolError(f"MCP error -32602: Input validation error: Invalid arguments for tool {tool.name}: {told}")
    defaults = {name: copy.copy(schema["default"]) for name, schema in tool.properties.items() if "default" in schema}
    return {**defaults, **{name: value for name, value in arguments.items() if name in tool.properties}}


def _order(tool: Tool) -> Any:
    names = list(tool.properties)

    def place(error: jsonschema.ValidationError) -> tuple[int, str]:
        name = str(error.absolute_path[0]) if error.absolute_path else _missing(error)
        return (names.index(name) if name in names else -1), str(list(error.absolute_path))

    return place


def _words(error: jsonschema.ValidationError) -> list[str]:
    where = _at(error.absolute_path)
    wanted = error.validator_value
    if error.validator == "type":
        return [f"Invalid input: expected {wanted}, received {_kind(error.instance)} at {where}"]
    if error.validator == "required":
        schema = error.schema["properties"][_missing(error)]
        place = _at([*error.absolute_path, _missing(error)])
        return [f"Invalid input: expected {_wanted(schema)}, received undefined at {place}"]
    if error.validator == "enum":
        options = "|".join(f'"{one}"' for one in wanted)
        return [f"Invalid option: expected one of {options} at {where}"]
    if error.validator == "minItems":
        return [f"Too small: expected array to have >={wanted} items at {where}"]
    return [f"{error.message} at {where}"]


def _wanted(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "one of " + "|".join(f'"{one}"' for one in schema["enum"])
    return str(schema.get("type", "a value"))


def _missing(error: jsonschema.ValidationError) -> str:
    """The name of the argument that a ``required`` error is about."""
    return str(error.message).split("'")[1] if error.validator == "required" else ""


def _at(path: Any) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names: dict[type, str] = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "value")
