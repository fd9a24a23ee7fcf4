"""Formats, gates and targets: whatever names a runtime, a precision or a target's options."""

from __future__ import annotations

import math
import re
from typing import Any

from packager.core.findings import nearest, one_of, suggest
from packager.manifest.annotations import Slot
from packager.manifest.complaints import as_written, state, type_hint
from packager.manifest.nodes import Mapping, Node, Scalar, Sequence
from packager.manifest.reader import Reader
from packager.model.manifest import Gate, Target
from packager.model.target import OptionSpec, TargetSpec

_TYPES = {"string": str, "integer": int, "number": float, "boolean": bool}
_KINDS = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "`true` or `false`"}


def pairs(reader: Reader) -> dict[str, tuple[str, ...]]:
    """Precisions of each runtime."""
    return {name: tuple(module.precisions()) for name, module in reader.catalog.runtimes.items()}


def read_formats(reader: Reader, node: Node | None) -> tuple[str, ...]:
    """`runtime/precision` names, each once."""
    if node is None:
        return ()
    expected = "a list such as `[tflite/float32]`: runtime, `/`, precision"
    if not isinstance(node, Sequence):
        hint = f"did you mean `[{node.text}]`?" if isinstance(node, Scalar) and node.text else ""
        reader.fault(node, f"`formats` {state(node)}", expected, hint)
        return ()
    found: list[str] = []
    for item in node.items:
        name = reader.text(item, "`runtime/precision`")
        if name is None or not _known_pair(reader, item, name):
            continue
        if name in found:
            reader.fault(item, f"`{name}` stands twice in `formats`", "each format once", "remove one")
        found.append(name)
    return tuple(dict.fromkeys(found))


def _known_pair(reader: Reader, node: Node, name: str) -> bool:
    known = pairs(reader)
    runtime, slash, precision = name.partition("/")
    if not slash:
        whole = [f"{name}/{each}" for each in known.get(name, ())]
        hint = f"add the precision: {', '.join(f'`{each}`' for each in whole)}" if whole else suggest(name, known)
        reader.fault(node, f"`{name}` is not `runtime/precision`", "a format such as `runtime/precision`", hint)
        return False
    if not reader.known(node, runtime, "runtime", known):
        return False
    if precision in known[runtime]:
        return True
    options = [f"{runtime}/{each}" for each in known[runtime]]
    reader.fault(
        node, f"unknown precision `{precision}` for runtime `{runtime}`", one_of(options), suggest(name, options)
    )
    return False


def read_gate(reader: Reader, node: Node | None) -> dict[str, Gate]:
    """Thresholds by precision or by `runtime/precision`."""
    section = reader.mapping(node, "a mapping: `{int8: {cosine: 0.98}}`") if node is not None else None
    known = pairs(reader)
    precisions = list(dict.fromkeys(each for group in known.values() for each in group))
    names = [*precisions, *(f"{runtime}/{each}" for runtime, group in known.items() for each in group)]
    found: dict[str, Gate] = {}
    for name, entry in section.entries.items() if section is not None else ():
        if name not in names:
            expected = f"a precision ({', '.join(precisions)}) or `runtime/precision`"
            reader.fault(entry, f"unknown gate `{name}`", expected, suggest(name, names), key=True)
            continue
        part = reader.part(entry, Gate)
        if part is not None:
            found[name] = part
    return found


def read_targets(reader: Reader, node: Node | None) -> tuple[Target, ...]:
    """Targets in the order of the manifest; groups (`embedded: {linux: ...}`) are followed."""
    if node is None:
        return ()
    section = reader.mapping(node, "a mapping of targets")
    return tuple(_targets(reader, section, "")) if section is not None else ()


def _targets(reader: Reader, section: Mapping, prefix: str) -> list[Target]:
    found: list[Target] = []
    known = reader.catalog.targets
    level = list(dict.fromkeys(name[len(prefix) :].split(".")[0] for name in known if name.startswith(prefix)))
    for name, entry in section.entries.items():
        target_id = prefix + name
        if target_id in known and "." not in name:
            target = _target(reader, entry, known[target_id])
            found += [target] if target is not None else []
        elif name in level:
            group = reader.mapping(entry, f"a mapping of targets: {', '.join(_below(known, target_id))}")
            found += _targets(reader, group, f"{target_id}.") if group is not None else []
        else:
            _unknown_target(reader, entry, target_id, level)
    return found


def _below(known: Any, group: str) -> list[str]:
    return [name[len(group) + 1 :] for name in known if name.startswith(f"{group}.")]


def _unknown_target(reader: Reader, entry: Node, target_id: str, level: list[str]) -> None:
    known = list(reader.catalog.targets)
    if target_id in known:
        *groups, last = target_id.split(".")
        hint = "write it as groups: `" + ": {".join([*groups, last]) + ": {...}" + "}" * len(groups) + "`"
        reader.fault(entry, f"`{target_id}` has a dot", "one key per group", hint, key=True)
        return
    homes = [name for name in known if name.rpartition(".")[2] == target_id.rpartition(".")[2] and "." in name]
    name = target_id.rpartition(".")[2]
    hint = suggest(name, level) or (f"`{name}` belongs into `{homes[0].rpartition('.')[0]}:`" if homes else "")
    reader.fault(entry, f"unknown target `{target_id}`", one_of(level), hint, key=True)


def _target(reader: Reader, node: Node, spec: TargetSpec) -> Target | None:
    section = reader.mapping(node, "a mapping: `{runtime: ..., precision: ...}`")
    if section is None:
        return None
    before = len(reader.findings)
    options = spec.options_schema
    _check_target_keys(reader, section, spec)
    runtime = _runtime(reader, section.entries.get("runtime"))
    precision = _precisions(reader, section.entries.get("precision"), runtime)
    values = {name: _option(reader, section.entries.get(name), option) for name, option in options.items()}
    if len(reader.findings) > before or runtime is None:
        return None
    given = {name: value for name, value in values.items() if value is not None}
    return Target(id=spec.id, runtime=runtime, precision=precision, options=given)


def _check_target_keys(reader: Reader, section: Mapping, spec: TargetSpec) -> None:
    """Unknown keys, and one finding for all that are missing."""
    needed = {
        "runtime": one_of(pairs(reader)),
        "precision": "a precision, or a list of them",
        **{name: describe(option) for name, option in spec.options_schema.items() if option.required},
    }
    names = ["runtime", "precision", *spec.options_schema]
    meant = set()
    for name, entry in section.entries.items():
        if name not in names:
            meant.add(nearest(name, names))
            what = f"unknown key `{name}` for target `{spec.id}`"
            reader.fault(entry, what, one_of(names), suggest(name, names), key=True)
    lacking = [name for name in needed if name not in section.entries and name not in meant]
    if lacking:
        what = f"target `{spec.id}` lacks {', '.join(f'`{name}`' for name in lacking)}"
        reader.fault(section, what, "\n".join(f"`{name}`: {needed[name]}" for name in lacking), key=True)


def _runtime(reader: Reader, node: Node | None) -> str | None:
    if node is None:
        return None
    name = reader.text(node, one_of(pairs(reader)))
    return name if name is not None and reader.known(node, name, "runtime", pairs(reader)) else None


def _precisions(reader: Reader, node: Node | None, runtime: str | None) -> tuple[str, ...]:
    """One precision or several; the runtime has to know each."""
    if node is None:
        return ()
    items = node.items if isinstance(node, Sequence) else [node]
    if not items:
        reader.fault(node, "`precision` is an empty list", "at least one precision")
    known = pairs(reader)
    options = known.get(runtime, ()) if runtime else tuple({each: 0 for group in known.values() for each in group})
    found: list[str] = []
    for item in items:
        name = reader.text(item, one_of(options))
        if name is None:
            continue
        if name not in options:
            what = f"unknown precision `{name}`" + (f" for runtime `{runtime}`" if runtime else "")
            reader.fault(item, what, one_of(options), suggest(name, options))
        elif name in found:
            reader.fault(item, f"`{name}` stands twice in `precision`", "each precision once", "remove one")
        found.append(name)
    return tuple(found)


def _option(reader: Reader, node: Node | None, option: OptionSpec) -> Any:
    """Value of an option, its default, or None after a finding."""
    if node is None:
        return option.default
    value = _typed(node, option.type)
    if value is None:
        hint = type_hint(node, Slot(_TYPES[option.type]))
        reader.fault(node, f"`{option.name}` {state(node)}", describe(option), hint)
        return None
    if option.choices is not None and value not in option.choices:
        names = [str(choice) for choice in option.choices]
        what = f"unknown value `{value}` for `{option.name}`"
        reader.fault(node, what, one_of(names), suggest(str(value), names))
        return None
    if option.pattern is not None and not re.fullmatch(option.pattern, str(value)):
        what = f"`{option.name}` is malformed: {as_written(node)}"
        reader.fault(node, what, describe(option), option.description)
        return None
    return value


def _typed(node: Node, kind: str) -> str | int | float | bool | None:
    """The scalar's value if it has the option's type."""
    if not isinstance(node, Scalar) or node.value is None:
        return None
    value = node.value
    if kind == "string":
        return node.text or None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool | str):
        return None
    if kind == "integer":
        return value if isinstance(value, int) else None
    return float(value) if math.isfinite(value) else None


def describe(option: OptionSpec) -> str:
    """What an option takes, in words."""
    if option.choices is not None:
        return one_of(str(choice) for choice in option.choices)
    pattern = f" that matches `{option.pattern}`" if option.pattern else ""
    return f"{_KINDS[option.type]}{pattern}"
