"""The reader's context: findings gathered while the document is walked, and parts validated by their models."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from packager.core.errors import Finding, Location
from packager.core.findings import one_of, suggest
from packager.manifest import complaints
from packager.manifest.annotations import Slot, describe, slot, takes
from packager.manifest.document import line_at
from packager.manifest.nodes import Mapping, Node, Scalar, Sequence, children, walk
from packager.registry import Catalog

M = TypeVar("M", bound=BaseModel)


class Reader:
    """Reads parts of one manifest; what is wrong goes to `findings`, and the part's value is then None."""

    def __init__(self, catalog: Catalog, base: Path, lines: tuple[str, ...], top: Location) -> None:
        self.catalog = catalog
        self.base = base
        self.lines = lines
        self.top = top
        self.findings: list[Finding] = []

    def fault(self, node: Node, what: str, expected: str = "", hint: str = "", *, key: bool = False) -> None:
        """Record a problem at a value, or at its key."""
        where = node.key_where if key and node.key_where is not None else node.where
        self.at(where, what, expected, hint)

    def at(self, where: Location, what: str, expected: str = "", hint: str = "") -> None:
        """Record a problem at a place."""
        self.findings.append(Finding(what, where, expected, hint, line_at(self.lines, where)))

    def mapping(self, node: Node, expected: str) -> Mapping | None:
        """The node as a mapping, or a finding."""
        if isinstance(node, Mapping):
            return node
        self.fault(node, f"{_named(node)} {complaints.state(node)}", expected)
        return None

    def text(self, node: Node, expected: str) -> str | None:
        """A scalar as written, or a finding for lists, mappings and nothing."""
        if isinstance(node, Scalar) and node.value is not None and node.text:
            return node.text
        self.fault(node, f"{_named(node)} {complaints.state(node)}", expected)
        return None

    def known(self, node: Node, word: str, kind: str, options: Iterable[str], *, key: bool = False) -> bool:
        """Whether a word is one of the options; otherwise a finding with the nearest one."""
        names = list(options)
        if word in names:
            return True
        self.fault(node, f"unknown {kind} `{word}`", one_of(names), suggest(word, names), key=key)
        return False

    def part(self, node: Node, model: type[M], excused: Collection[str] = ()) -> M | None:
        """Validate a mapping by its model. All of its findings are recorded; None if there was any.

        Missing keys in `excused` have their finding already.
        """
        if not isinstance(node, Mapping):
            hint = complaints.wrapped(model, node)
            self.fault(node, f"{_named(node)} {complaints.state(node)}", describe(slot(model)), hint)
            return None
        told = self._not_finite(node)
        try:
            value = model.model_validate_json(json.dumps(plain(node, slot(model))))
        except ValidationError as error:
            for found in complaints.findings(node, model, error, told, excused):
                self.at(found.where or node.where, found.what, found.expected, found.hint)
            return None
        return None if told else value

    def _not_finite(self, node: Mapping) -> set[int]:
        """Record numbers that are infinite or NaN; `plain` gives nothing for them. Returns the nodes' ids."""
        told: set[int] = set()
        for below in walk(node):
            if isinstance(below, Scalar) and isinstance(below.value, float) and not math.isfinite(below.value):
                told.add(id(below))
                what = f"{_named(below)} is not a finite number: {below.text[:40]}"
                self.fault(below, what, "a finite number", "put a text in quotes")
        return told


def plain(node: Node, place: Slot | None) -> Any:
    """JSON value of a node. Where only a text fits, an unquoted number or boolean is taken as written."""
    if isinstance(node, Mapping):
        return {key: plain(child, place.child(key) if place else None) for key, child in node.entries.items()}
    if isinstance(node, Sequence):
        return [_item(child, place.child(index) if place else None) for index, child in enumerate(children(node))]
    if not isinstance(node, Scalar):
        return None
    if isinstance(node.value, float) and not math.isfinite(node.value):
        return None
    if place is None or isinstance(node.value, str) or node.value is None or not takes(place, str):
        return node.value
    kinds: tuple[type, ...] = (int, float) if isinstance(node.value, int) else (float,)
    own = (bool,) if isinstance(node.value, bool) else kinds
    return node.value if any(takes(place, kind) for kind in own) else node.text


def _item(node: Node, place: Slot | None) -> Any:
    """A list's item; in a list of texts even `null` is a text."""
    if isinstance(node, Scalar) and node.value is None and node.text and place and takes(place, str):
        return node.value if place.optional else node.text
    return plain(node, place)


def _named(node: Node) -> str:
    return complaints.named(node)
