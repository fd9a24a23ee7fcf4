"""YAML values with their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from packager.core.errors import Location
from packager.model.manifest import Path_

Value = str | int | float | bool | None
"""What a YAML 1.2 core scalar can be."""


@dataclass
class Node:
    """A value, its path from the top, its place, and the place of the key that leads to it."""

    path: Path_
    where: Location
    key_where: Location | None = field(default=None, kw_only=True)

    @property
    def name(self) -> str:
        """Key or index that leads here, for messages; empty for the whole document."""
        return str(self.path[-1]) if self.path else ""


@dataclass
class Scalar(Node):
    """A single value; `text` is how it was written (without quotes), `plain` that it had no quotes."""

    value: Value
    text: str
    plain: bool = True

    def as_text(self) -> Scalar:
        """The same scalar, taken as written."""
        return Scalar(self.path, self.where, self.text, self.text, False, key_where=self.key_where)


@dataclass
class Sequence(Node):
    """A list."""

    items: list[Node] = field(default_factory=list)


@dataclass
class Mapping(Node):
    """A mapping; keys are taken as written, in their order."""

    entries: dict[str, Node] = field(default_factory=dict)

    def without(self, *names: str) -> Mapping:
        """A copy that lacks these keys."""
        kept = {key: node for key, node in self.entries.items() if key not in names}
        return Mapping(self.path, self.where, kept, key_where=self.key_where)

    def only(self, *names: str) -> Mapping:
        """A copy that has at most these keys."""
        kept = {key: node for key, node in self.entries.items() if key in names}
        return Mapping(self.path, self.where, kept, key_where=self.key_where)


def children(node: Node) -> Iterator[Node]:
    """Direct children, in order."""
    if isinstance(node, Mapping):
        yield from node.entries.values()
    elif isinstance(node, Sequence):
        yield from node.items


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def shown(node: Node) -> str:
    """The value in words for messages: "the text `abc`", "the number 1.5", "a list", ..."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list" if node.items else "an empty list"
    if not isinstance(node, Scalar):
        return "nothing"
    if node.value is None:
        return "nothing" if not node.text else f"`{node.text}` (nothing)"
    if isinstance(node.value, str):
        return f"the text `{_short(node.text)}`" if node.text else "an empty text"
    if isinstance(node.value, bool):
        return f"`{node.text}`"
    return f"the number {_short(node.text)}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
