"""Pydantic's errors as findings in our words: one finding per fault, at the value or key it is about."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from packager.core.errors import Finding
from packager.core.findings import nearest, one_of, suggest
from packager.manifest.annotations import Slot, choices, constraint, describe, field_slot, fields, slot, takes
from packager.manifest.nodes import Mapping, Node, Scalar, Sequence, shown
from packager.manifest.scalars import LongNumberError, resolve
from packager.model.manifest import Path_

_CHOICE = ("literal_error", "enum")
_RULE = ("value_error", "assertion_error")
_RANGE = (
    "greater_than",
    "greater_than_equal",
    "less_than",
    "less_than_equal",
    "multiple_of",
    "string_too_long",
)
_LENGTH = ("too_short", "too_long")
_BOOLEANS = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}


@dataclass(frozen=True)
class _Fault:
    """One pydantic error brought to the document.

    `node` is the value it is about, `key` a key that the value lacks, `place` what fits there, `owner` the model
    that holds the key. `union` is the outermost value with alternatives above it, `arm` the alternative's name.
    """

    error: ErrorDetails
    node: Node
    place: Slot | None
    key: str = ""
    owner: type[BaseModel] | None = None
    union: Node | None = None
    arm: str = ""


def findings(
    top: Mapping,
    model: type[BaseModel],
    error: ValidationError,
    told: Collection[int] = (),
    excused: Collection[str] = (),
) -> list[Finding]:
    """Every fault of a part; the alternatives of a union give one finding together.

    Keys that one mapping lacks are one finding, too, without those that an unknown key was meant to be.
    Values whose `id` is in `told`, and missing keys of `top` in `excused`, have their finding already.
    """
    faults = [_locate(top, model, detail) for detail in error.errors(include_url=False)]
    faults = [fault for fault in _collapse(faults) if id(fault.node) not in told]
    lacking: dict[int, list[_Fault]] = {}
    found: list[Finding] = []
    meant: set[tuple[Path_, str]] = {(top.path, key) for key in excused}
    for fault in faults:
        if fault.error["type"] == "missing" and fault.key:
            lacking.setdefault(id(fault.node), []).append(fault)
            continue
        if fault.error["type"] == "extra_forbidden":
            meant.add((fault.node.path[:-1], nearest(fault.node.name, _keys(fault))))
        found.append(_word(fault))
    rests = ([fault for fault in group if (fault.node.path, fault.key) not in meant] for group in lacking.values())
    found.extend(_missing(rest) for rest in rests if rest)
    return found


def named(node: Node) -> str:
    """How a message calls a value: "`width`", "entry 2 of `labels`", "the manifest"."""
    if not node.path:
        return "the manifest"
    if not isinstance(node.path[-1], int):
        return f"`{node.path[-1]}`"
    names = [part for part in node.path if isinstance(part, str)]
    return f"entry {node.path[-1] + 1} of `{names[-1]}`" if names else f"entry {node.path[-1] + 1}"


def wrapped(model: type[BaseModel], node: Node) -> str:
    """A hint for a bare value where a mapping with one required key is expected."""
    required = [key for key, info in fields(model).items() if info.is_required()]
    if len(required) != 1 or not isinstance(node, Scalar) or node.value is None or not node.name:
        return ""
    place = field_slot(fields(model)[required[0]])
    if any(takes(place, kind) for kind in _kinds(node)) or node.text in choices(place):
        return f"did you mean `{node.name}: {{{required[0]}: {node.text}}}`?"
    return ""


def _locate(top: Node, model: type[BaseModel], error: ErrorDetails) -> _Fault:
    """Follow an error's location through nodes and annotations; names of union alternatives are passed over."""
    fault = _Fault(error, top, slot(model), owner=model)
    inner: Slot | None = None
    tagged: Node | None = None
    for part in error["loc"]:
        place = inner if tagged is fault.node else fault.place
        if place is not None and len(place.arms) > 1 and tagged is not fault.node:
            tagged, inner = fault.node, _arm(place, str(part))
            if fault.union is None:
                fault = replace(fault, union=fault.node, arm=str(part))
            continue
        owner = place.model if place is not None else None
        child = _child(fault.node, part)
        if child is None and isinstance(part, int):  # a bare value that the model made a list of
            return replace(fault, place=place.child(part) if place is not None else None)
        if child is None:
            return replace(fault, place=place, key=str(part), owner=owner)
        fault = replace(fault, node=child, place=place.child(part) if place else None, owner=owner)
    return fault


def _arm(place: Slot, name: str) -> Slot | None:
    """The alternative of a union that pydantic calls by this name, if it is a model, list or mapping."""
    if place.model is not None and place.model.__name__ == name:
        return slot(place.model)
    kind = name.partition("[")[0]
    return next((slot(arm) for arm in place.arms if str(arm).startswith(f"{kind}[")), None)


def _child(node: Node, part: str | int) -> Node | None:
    if isinstance(node, Mapping):
        return node.entries.get(str(part))
    if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return None


def _collapse(faults: list[_Fault]) -> list[_Fault]:
    """Of each union the faults of the alternative that was meant; at most one fault per value and key."""
    groups: dict[int, list[_Fault]] = {}
    for fault in faults:
        groups.setdefault(id(fault.union if fault.union is not None else fault), []).append(fault)
    kept: dict[tuple[int, str], _Fault] = {}
    for group in groups.values():
        for fault in _meant(group):
            kept.setdefault((id(fault.node), fault.key), fault)
    return list(kept.values())


def _meant(group: list[_Fault]) -> list[_Fault]:
    """Faults inside the alternative with the value's own form, or else the most telling one about the whole."""
    union = group[0].union
    if union is None:
        return group
    inside = [fault for fault in group if fault.node is not union or fault.key]
    if inside:
        counts: dict[str, int] = {}
        for fault in inside:
            counts[fault.arm] = counts.get(fault.arm, 0) + 1
        best = min(counts, key=lambda arm: counts[arm])
        return [fault for fault in inside if fault.arm == best]
    telling = [fault for fault in group if not fault.error["type"].endswith("_type")]
    return [(telling or group)[0]]


def _word(fault: _Fault) -> Finding:
    kind, node = fault.error["type"], fault.node
    expected = describe(fault.place) if fault.place is not None else ""
    if kind == "extra_forbidden":
        names = _keys(fault)
        where = node.key_where or node.where
        return Finding(f"unknown key `{node.name}`", where, one_of(names), suggest(node.name, names))
    if kind in _RULE:
        return Finding(f"{named(node)}: {fault.error['msg'].partition(', ')[2]}", node.where, expected)
    if kind in _CHOICE and isinstance(node, Scalar) and node.value is not None:
        return _unknown_value(node, fault.place, expected)
    if kind == "string_pattern_mismatch":
        return Finding(f"{named(node)} is malformed: {as_written(node)}", node.where, expected, _form_hint(fault))
    if kind in _RANGE:
        return Finding(f"{named(node)} is out of range: {as_written(node)}", node.where, expected)
    if kind in _LENGTH or kind == "string_too_short":
        return Finding(f"{named(node)} {_length(node)}", node.where, expected)
    if kind.endswith("_type") or kind in _CHOICE:
        hint = type_hint(node, fault.place) if fault.place is not None else ""
        return Finding(f"{named(node)} {state(node)}", node.where, expected, hint)
    return Finding(f"{named(node)} is not accepted: {fault.error['msg']}", node.where, expected)


def _keys(fault: _Fault) -> list[str]:
    return list(fields(fault.owner)) if fault.owner is not None else []


def _missing(group: list[_Fault]) -> Finding:
    """One finding for all keys that a mapping lacks."""
    node, owner = group[0].node, group[0].owner
    keys = [fault.key for fault in group]
    rows, about = [], ""
    for key in keys:
        info = fields(owner).get(key) if owner is not None else None
        rows.append(f"`{key}`: {describe(field_slot(info)) if info is not None else '...'}")
        about = info.description or "" if info is not None and len(keys) == 1 else ""
        about = about.partition(". ")[2] if about.partition(". ")[0] in rows[0] else about
    what = f"{named(node)} lacks {', '.join(f'`{key}`' for key in keys)}"
    return Finding(what, node.key_where or node.where, "\n".join(rows), about)


def _unknown_value(node: Scalar, place: Slot | None, expected: str) -> Finding:
    names = choices(place) if place is not None else ()
    if node.text in names:
        return Finding(f"{named(node)} is {shown(node)}", node.where, expected, f"write {node.text} without quotes")
    what = f"unknown value {as_written(node)} for {named(node)}"
    return Finding(what, node.where, expected, suggest(node.text, names))


def state(node: Node) -> str:
    """What a value is, as the rest of a sentence: "is the text `abc`", "has no value"."""
    return "has no value" if isinstance(node, Scalar) and node.value is None else f"is {shown(node)}"


def as_written(node: Node) -> str:
    """The value as the file has it, in backticks."""
    return f"`{node.text[:80]}`" if isinstance(node, Scalar) and node.text else shown(node)


def _length(node: Node) -> str:
    if isinstance(node, Mapping | Sequence):
        count = len(node.entries) if isinstance(node, Mapping) else len(node.items)
        return "is empty" if count == 0 else f"has {count} {'entry' if count == 1 else 'entries'}"
    return f"is {shown(node)}"


def _form_hint(fault: _Fault) -> str:
    """What the form is, in words, where `expected` only shows an example."""
    if fault.place is None or not isinstance(fault.node, Scalar):
        return ""
    pattern = constraint(fault.place.metadata, "pattern")
    lower = fault.node.text.lower()
    if isinstance(pattern, str) and lower != fault.node.text and re.fullmatch(pattern, lower):
        return f"did you mean `{lower}`?"
    return fault.place.description if fault.place.examples else ""


def type_hint(node: Node, place: Slot) -> str:
    """What to type instead, where that can be told from the value."""
    if not isinstance(node, Scalar):
        return ""
    if node.value is None:
        return "write a value after the `:`"
    if takes(place, bool) and node.text.lower() in _BOOLEANS:
        return f"write `{_BOOLEANS[node.text.lower()]}`"
    if isinstance(node.value, str) and (takes(place, int) or takes(place, float)) and _is_number(node.text):
        return f"write `{node.text}` without quotes"
    if place.model is not None:
        return wrapped(place.model, node)
    item = place.child(0)
    if item is not None and not place.fixed and any(takes(item, k) for k in _kinds(node)):
        return f"did you mean `[{node.text}]`?"
    return ""


def _kinds(node: Scalar) -> tuple[type, ...]:
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return (int, float)
    return (type(node.value),)


def _is_number(text: str) -> bool:
    try:
        return isinstance(resolve(text), int | float) and text not in _BOOLEANS
    except LongNumberError:
        return False
