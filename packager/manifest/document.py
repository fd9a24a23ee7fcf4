"""Text to nodes: PyYAML's events, with YAML 1.2 core scalars, one document, no tags, anchors or duplicate keys."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from packager.core.errors import Finding, Location, ManifestError
from packager.manifest import syntax
from packager.manifest.nodes import Mapping, Node, Scalar, Sequence, Value, children
from packager.manifest.scalars import LongNumberError, resolve
from packager.model.manifest import Path_

DEEPEST = 64
"""Levels of nesting that are read."""

MOST = 50_000
"""Values that are read: labels by the ten thousand fit, a hostile file ends in seconds."""


@dataclass
class Document:
    """A document's top node, its lines, and what was wrong with its text (without stopping the reading)."""

    top: Mapping
    lines: tuple[str, ...]
    findings: list[Finding] = field(default_factory=list)
    complete: bool = True

    def positions(self) -> dict[Path_, Location]:
        """Place of every value by its path, and of every key by its path and `"@key"`."""
        found: dict[Path_, Location] = {}
        pending: list[Node] = [self.top]
        while pending:
            node = pending.pop()
            found[node.path] = node.where
            if node.key_where is not None:
                found[(*node.path, "@key")] = node.key_where
            pending.extend(children(node))
        return found


@dataclass
class _Open:
    """A collection whose end has not been seen; `key` waits for its value."""

    node: Mapping | Sequence
    key: str | None = None
    key_where: Location | None = None
    ignore: bool = False


class _Builder:
    """Builds nodes from events, one level at a time and without recursion."""

    def __init__(self, file: str, lines: tuple[str, ...]) -> None:
        self.file, self.lines = file, lines
        self.findings: list[Finding] = []
        self.complete = True
        self.top: Node | None = None
        self.open: list[_Open] = []
        self.documents = 0
        self.values = 0
        self.quoted: tuple[int, int, int] = (0, 0, 0)

    def fault(self, where: Location, what: str, expected: str = "", hint: str = "") -> None:
        self.findings.append(Finding(what, where, expected, hint, line_at(self.lines, where)))

    def stop(self, where: Location, what: str, expected: str, hint: str) -> ManifestError:
        """A fault after which the text has no meaning; earlier findings are kept."""
        self.fault(where, what, expected, hint)
        return ManifestError(tuple(self.findings))

    def feed(self, event: Any) -> None:
        """Take one event of `yaml.parse`. Raises ManifestError for a fault that ends the reading."""
        where = Location(self.file, event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            self._document(event, where)
        elif isinstance(event, yaml.AliasEvent):
            self.complete = False
            self.fault(where, f"`*{event.anchor}` refers to another value", "the value itself", "write it out")
            self._add(Scalar(self._path(where), where, None, ""))
        elif isinstance(event, yaml.ScalarEvent):
            self._decorations(event, where)
            self._quoted(event, where)
            self._scalar(event, where)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._decorations(event, where)
            self._start(event, where)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()

    def _document(self, event: Any, where: Location) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self.stop(where, "a second document starts here", "one document per file", "remove the `---`")
        if event.tags:
            self.fault(where, "a `%TAG` directive", "plain YAML", "remove it")

    def _decorations(self, event: Any, where: Location) -> None:
        if event.tag is not None and event.tag != "!":
            self.fault(where, f"the tag `{event.tag}`", "a plain value", "remove the tag; use quotes for a text")
        if event.anchor is not None:
            self.fault(where, f"the anchor `&{event.anchor}`", "a plain value", "remove it, and write values out")

    def _quoted(self, event: Any, where: Location) -> None:
        """Remember a quoted text of several lines: an error behind it means that its quote was forgotten."""
        if event.style in ("'", '"') and event.end_mark.line >= where.line:
            self.quoted = (where.line, where.column, event.end_mark.line)

    def _scalar(self, event: Any, where: Location) -> None:
        parent = self.open[-1] if self.open else None
        if parent and isinstance(parent.node, Mapping) and parent.key is None:
            self._key(parent, event.value, where, plain=event.style is None)
            return
        plain = event.style is None and event.tag is None
        value: Value = event.value
        if any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in event.value):
            self.complete = False
            self.fault(where, "a text holds NUL or half a character pair", "Unicode text", "remove the escape")
        if plain:
            try:
                value = resolve(event.value)
            except LongNumberError:
                self.complete = False
                self.fault(where, "a number with too many digits", "a number", "put a text in quotes")
        self._add(Scalar(self._path(where), where, value, event.value, plain))

    def _key(self, parent: _Open, key: str, where: Location, *, plain: bool) -> None:
        parent.key, parent.key_where, parent.ignore = key, where, False
        assert isinstance(parent.node, Mapping)
        first = parent.node.entries.get(key)
        if key == "<<" and plain:
            self.complete = False
            self.fault(where, "the merge key `<<`", "the keys themselves", "write the keys out")
        elif any(c == "\0" or 0xD800 <= ord(c) <= 0xDFFF for c in key):
            self.complete = False
            self.fault(where, "a key holds NUL or half a character pair", "Unicode text", "remove the escape")
        elif first is not None and first.key_where is not None:
            parent.ignore = True
            line = first.key_where.line
            self.fault(where, f"the key `{key}` stands twice", "each key once", f"the first is on line {line}")

    def _start(self, event: Any, where: Location) -> None:
        if len(self.open) >= DEEPEST:
            raise self.stop(where, f"more than {DEEPEST} levels of nesting", "a flatter value", "")
        parent = self.open[-1] if self.open else None
        if parent and isinstance(parent.node, Mapping) and parent.key is None:
            raise self.stop(where, "a key is a list or a mapping", "a name before the `:`", "put quotes around it")
        path = self._path(where)
        node: Mapping | Sequence
        node = Mapping(path, where) if isinstance(event, yaml.MappingStartEvent) else Sequence(path, where)
        self._add(node)
        self.open.append(_Open(node))

    def _path(self, where: Location) -> Path_:
        if not self.open:
            return ()
        parent = self.open[-1]
        if isinstance(parent.node, Sequence):
            return (*parent.node.path, len(parent.node.items))
        if parent.key is None:
            raise self.stop(where, "a value stands where a key is expected", "`key: value`", "")
        return (*parent.node.path, parent.key)

    def _add(self, node: Node) -> None:
        self.values += 1
        if self.values > MOST:
            raise self.stop(node.where, f"more than {MOST:,} values", "a shorter manifest", "put long lists in files")
        if not self.open:
            self.top = node
            return
        parent = self.open[-1]
        if isinstance(parent.node, Sequence):
            parent.node.items.append(node)
        elif parent.key is not None:
            node.key_where = parent.key_where
            if not parent.ignore:
                parent.node.entries[parent.key] = node
            parent.key = None


def parse(text: str, file: str) -> Document:
    """Read one document whose top is a mapping.

    Faults that leave the rest readable (tags, anchors, duplicate keys) are in the document's findings; others
    raise ManifestError.
    """
    lines = tuple(syntax.LINE_BREAK.split(text))
    builder = _Builder(file, lines)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.feed(event)
    except yaml.reader.ReaderError as error:
        found = syntax.unprintable(text, error.position, chr(_code(error.character)), file)
        raise ManifestError((*builder.findings, _with_line(found, lines))) from None
    except yaml.MarkedYAMLError as error:
        found = syntax.finding(error, file, builder.quoted)
        raise ManifestError((*builder.findings, _with_line(found, lines))) from None
    except (yaml.YAMLError, ValueError, OverflowError, IndexError) as error:
        found = Finding(f"not valid YAML: {error}", Location(file, 1, 1))
        raise ManifestError((*builder.findings, found)) from None
    top = builder.top
    if top is None or (isinstance(top, Scalar) and top.value is None):
        raise ManifestError("the manifest is empty", where=Location(file, 1, 1), expected="`packager: 1` and the rest")
    if not isinstance(top, Mapping):
        raise ManifestError(
            _with_line(Finding("the manifest is not a mapping", top.where, "`key: value` lines"), lines)
        )
    return Document(top, lines, builder.findings, builder.complete)


def line_at(lines: tuple[str, ...], where: Location | None) -> str:
    """Text of the line at a place, or an empty text."""
    return lines[where.line - 1] if where is not None and 1 <= where.line <= len(lines) else ""


def _with_line(found: Finding, lines: tuple[str, ...]) -> Finding:
    return replace(found, source_line=line_at(lines, found.where))


def _code(character: Any) -> int:
    return character if isinstance(character, int) else ord(character)
