"""YAML without surprises: plain values only, aliases that cannot multiply without end, no key twice."""

from __future__ import annotations

from typing import Any

try:
    import yaml
except ImportError as error:
    raise ImportError("YAML templates need PyYAML: pip install 'chuk-fsspec[templates]'") from error

_MERGE = "tag:yaml.org,2002:merge"
_LINE_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")
"""What a YAML reader takes for an end of line, or for nothing, unless it stands escaped in quotes."""


def read_yaml(text: str, values_max: int) -> Any:
    """Read one YAML document with PyYAML's safe loader.

    Args:
        text: the document.
        values_max: how many values it may hold, an alias counted as all that it stands for.

    Raises:
        ValueError: naming line and column.
    """
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line, column = text.count("\n", 0, error.position) + 1, error.position - text.rfind("\n", 0, error.position)
        raise ValueError(f"line {line}, column {column}: a character that YAML does not allow") from None
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _Measure(values_max).size(root)
        return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ValueError(f"{_place(mark)}{error.problem or error.context}") from None
    finally:
        loader.dispose()


class _Measure:
    """Counts the values of a document as if each alias were written out."""

    def __init__(self, values_max: int) -> None:
        self._max = values_max
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def size(self, node: Any) -> int:
        """How many values a node stands for. ValueError for too many, a node in itself, and a key that stands twice."""
        known = self._sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in self._open:
            raise ValueError(f"{_place(node.start_mark)}a value that holds itself")
        self._open.add(id(node))
        total = 1 + sum(self.size(child) for child in self._children(node))
        self._open.discard(id(node))
        if total > self._max:
            raise ValueError(f"{_place(node.start_mark)}aliases make more than {self._max} values of this")
        self._sizes[id(node)] = total
        return total

    def _children(self, node: Any) -> list[Any]:
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
            return [child for pair in node.value for child in pair]
        return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _check_keys(node: Any) -> None:
    """Refuse a key that stands twice: PyYAML would keep the last. ValueError."""
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen and key.tag != _MERGE:
                raise ValueError(f"{_place(key.start_mark)}the key {key.value!r} stands twice")
            seen.add((key.tag, key.value))


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""


def write_yaml(value: Any) -> str:
    """Plain values as a YAML document, texts of several lines as blocks where YAML can."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000))


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines so that people can read them."""


def _represent_text(dumper: Any, text: str) -> Any:
    style = '"' if _LINE_BREAKS & set(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
