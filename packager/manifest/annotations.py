"""Type annotations of pydantic fields: what a value may be, in words, and which part of it a node is."""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from packager.core.findings import one_of

_LISTS = (list, tuple, set, frozenset)


@dataclass(frozen=True)
class Slot:
    """A place that takes a value: its annotation with the metadata, and the field's description and examples."""

    annotation: Any
    metadata: tuple[Any, ...] = ()
    description: str = ""
    examples: tuple[Any, ...] = ()

    @property
    def arms(self) -> tuple[Any, ...]:
        """The alternatives of a union without None, or the one annotation."""
        return tuple(arm for arm in _arms(self.annotation) if arm is not type(None))

    @property
    def optional(self) -> bool:
        """Whether nothing may stand here."""
        return type(None) in _arms(self.annotation)

    @property
    def model(self) -> type[BaseModel] | None:
        """The one model among the alternatives."""
        found = [arm for arm in (_bare(arm) for arm in self.arms) if _is_model(arm)]
        return found[0] if len(found) == 1 else None

    @property
    def fixed(self) -> bool:
        """Whether a list here has a fixed number of entries."""
        arguments = [get_args(_bare(arm)) for arm in self.arms if get_origin(_bare(arm)) is tuple]
        return any(Ellipsis not in each for each in arguments)

    def child(self, key: str | int) -> Slot | None:
        """Slot of an entry or item, where the annotation tells."""
        for arm in self.arms:
            bare, origin, arguments = _bare(arm), get_origin(_bare(arm)), get_args(_bare(arm))
            if isinstance(key, str) and _is_model(bare):
                found = fields(bare).get(key)
                if found is not None:
                    return field_slot(found)
            elif isinstance(key, str) and origin is dict:
                return slot(arguments[1])
            elif isinstance(key, int) and origin in _LISTS and arguments:
                return slot(_item(arguments, key))
        return None


def fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields by the key that the manifest uses."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def field_slot(info: FieldInfo) -> Slot:
    """Slot of a model's field."""
    inner = slot(info.annotation)
    return Slot(
        inner.annotation,
        (*info.metadata, *inner.metadata),
        info.description or inner.description,
        tuple(info.examples or inner.examples),
    )


def slot(annotation: Any) -> Slot:
    """Slot of an annotation; `Annotated` layers are taken apart."""
    metadata: list[Any] = []
    description, examples = "", ()
    while get_origin(annotation) is Annotated:
        annotation, *extra = get_args(annotation)
        for item in extra:
            if isinstance(item, FieldInfo):
                metadata += item.metadata
                description, examples = item.description or description, tuple(item.examples or examples)
            else:
                metadata.append(item)
    return Slot(annotation, tuple(metadata), description, examples)


def describe(place: Slot) -> str:
    """What may stand here, in words: "a whole number above 0", "one of: crop, stretch", "a text like `12 MP`"."""
    for item in place.metadata:  # a validator that takes more forms than the field's own type
        wider = getattr(item, "json_schema_input_type", None)
        if get_origin(wider) in (Union, types.UnionType):
            return describe(slot(wider))
    arms = [slot(arm) for arm in place.arms]
    if len(arms) == 1:
        one = Slot(arms[0].annotation, (*place.metadata, *arms[0].metadata), place.description, place.examples)
        return _describe_one(one)
    words = list(dict.fromkeys(_describe_one(arm) for arm in arms))
    return ", or ".join(words)


def takes(place: Slot, kind: type) -> bool:
    """Whether one of the alternatives is this plain type."""
    return any(_bare(arm) is kind for arm in place.arms)


def choices(place: Slot) -> tuple[str, ...]:
    """The words of a `Literal`, of all alternatives."""
    found: list[str] = []
    for arm in place.arms:
        if get_origin(_bare(arm)) is Literal:
            found += [_literal(value) for value in get_args(_bare(arm))]
    return tuple(found)


def _describe_one(place: Slot) -> str:
    bare = _bare(place.annotation)
    origin, arguments = get_origin(bare), get_args(bare)
    if origin is Literal:
        return one_of(_literal(value) for value in arguments)
    if _is_model(bare):
        return _describe_model(bare)
    if origin in _LISTS:
        return _describe_list(arguments, place)
    if origin is dict:
        return f"a mapping, each value {describe(slot(arguments[1]))}"
    if bare is str:
        return _describe_text(place)
    names: dict[Any, str] = {int: "a whole number", float: "a number", bool: "`true` or `false`"}
    words = names.get(bare, place.description.rstrip(".") or "another value")
    null = constraint(place.metadata, "or_null")
    return words + _bounds(place.metadata, whole=bare is int) + (f", or `null` {null}" if null else "")


def _describe_model(model: type[BaseModel]) -> str:
    required = [key for key, info in fields(model).items() if info.is_required()]
    optional = [key for key, info in fields(model).items() if not info.is_required()]
    if not required:
        return "a mapping with " + (one_of(optional) if optional else "no keys: `{}`")
    inner = ", ".join(f"{key}: ..." for key in required)
    return f"a mapping `{{{inner}}}`"


def _describe_list(arguments: tuple[Any, ...], place: Slot) -> str:
    lowest = constraint(place.metadata, "min_length")
    if arguments and Ellipsis not in arguments and len(arguments) > 1:
        items = dict.fromkeys(describe(slot(item)) for item in arguments)
        if len(items) == 1:
            return f"a list of {len(arguments)}, each entry {next(iter(items))}"
        return f"a list of {len(arguments)}: {', '.join(describe(slot(item)) for item in arguments)}"
    item = describe(slot(arguments[0])) if arguments else "values"
    return f"a list{f' of at least {lowest}' if lowest else ''}, each entry {item}"


def _describe_text(place: Slot) -> str:
    if place.examples:
        likes = " or ".join(f"`{example}`" for example in place.examples)
        return f"a text like {likes}"
    pattern = constraint(place.metadata, "pattern")
    longest = constraint(place.metadata, "max_length")
    words = place.description.partition(". ")[0].rstrip(".") if pattern is not None else ""
    if pattern is not None:
        return f"{words} (`{pattern}`)" if words else f"a text that matches `{pattern}`"
    if constraint(place.metadata, "min_length"):
        return "a text that is not empty"
    return "a text" + (f" of at most {longest} characters" if longest else "")


def _bounds(metadata: Iterable[Any], *, whole: bool) -> str:
    bounds = list(metadata)
    lowest, above = constraint(bounds, "ge"), constraint(bounds, "gt")
    highest, below = constraint(bounds, "le"), constraint(bounds, "lt")
    if whole:
        lowest = above + 1 if above is not None else lowest
        highest = below - 1 if below is not None else highest
        above = below = None
    if lowest is not None and highest is not None:
        return f" from {lowest} to {highest}"
    words = [
        f"{word} {bound}"
        for word, bound in (("at least", lowest), ("above", above), ("at most", highest), ("below", below))
        if bound is not None
    ]
    if (step := constraint(bounds, "multiple_of")) is not None:
        words.append(f"divisible by {step}")
    return ", " + " and ".join(words) if words else ""


def constraint(metadata: Iterable[Any], name: str) -> Any:
    """Value of a constraint (annotated_types or pydantic's general metadata), or None."""
    return next((found for item in metadata if (found := getattr(item, name, None)) is not None), None)


def _literal(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _item(arguments: tuple[Any, ...], index: int) -> Any:
    if Ellipsis in arguments or len(arguments) == 1:
        return arguments[0]
    return arguments[min(index, len(arguments) - 1)]


def _arms(annotation: Any) -> tuple[Any, ...]:
    bare = _bare(annotation)
    if get_origin(bare) in (Union, types.UnionType):
        return tuple(arm for part in get_args(bare) for arm in _arms(part))
    return (annotation,)


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
