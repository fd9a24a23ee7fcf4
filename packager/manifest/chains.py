"""Inputs, outputs and their steps, samples and calibration."""

from __future__ import annotations

from typing import Literal

from packager.core.findings import nearest
from packager.manifest.addresses import EXPECTED, check_path, read_address, read_files
from packager.manifest.complaints import state
from packager.manifest.names import SAMPLE_KEYS, check_names
from packager.manifest.nodes import Mapping, Node, Scalar, Sequence
from packager.manifest.reader import Reader
from packager.model.address import Address, PackageFile
from packager.model.contract import StepParams
from packager.model.manifest import Expect, Input, Output, Sample, Step

SHORT = {
    "image": "{image: {}}",
    "frame": "{frame: {}}",
    "audio": "{audio: {rate: 16000, max: 10 s}}",
    "series": "{series: {channels: 3, max: 1000}}",
    "bytes": "{bytes: {max: 1 MB}}",
    "tensor": "{tensor: raw}",
}
"""How each kind of input is written."""

_STEP = "a step: `- name: {key: value}`, or `- name` where it takes no keys"


def read_inputs(reader: Reader, node: Node | None) -> dict[str, Input]:
    """The inputs that are right; the others leave findings."""
    section = _section(reader, node, "input", "photo: {accepts: {image: {}}, steps: [...]}")
    found: dict[str, Input] = {}
    for name, entry in section.entries.items():
        if not isinstance(entry, Mapping):
            reader.part(entry, Input)
            continue
        steps = read_steps(reader, entry.entries.get("steps"))
        if _refused_kind(reader, entry):
            continue
        part = reader.part(entry.without("steps"), Input)
        if part is not None and steps is not None:
            found[name] = part.model_copy(update={"steps": steps})
    return found


def read_outputs(reader: Reader, node: Node | None) -> dict[str, Output]:
    """The outputs that are right; the others leave findings."""
    section = _section(reader, node, "output", "verdict: {steps: [...]}")
    found: dict[str, Output] = {}
    for name, entry in section.entries.items():
        if not isinstance(entry, Mapping):
            reader.part(entry, Output)
            continue
        steps = read_steps(reader, entry.entries.get("steps"))
        part = reader.part(entry.without("steps"), Output)
        if part is not None and steps is not None:
            found[name] = part.model_copy(update={"steps": steps})
    return found


def _section(reader: Reader, node: Node | None, kind: str, example: str) -> Mapping:
    """The mapping of all inputs or outputs; an empty one after a finding."""
    empty = Mapping((), reader.top)
    if node is None:
        return empty
    if not isinstance(node, Mapping) or not node.entries:
        reader.fault(node, f"`{node.name}` {_none(node)}", f"a mapping of names, such as `{example}`")
        return empty
    check_names(reader, node, kind)
    return node


def _none(node: Node) -> str:
    return "is an empty mapping" if isinstance(node, Mapping) else state(node)


def _refused_kind(reader: Reader, entry: Mapping) -> bool:
    accepts = entry.entries.get("accepts")
    if isinstance(accepts, Scalar) and accepts.text in SHORT:
        value = SHORT[accepts.text]
        reader.fault(accepts, "`accepts` is not a mapping", f"`{value}`", f"write `accepts: {value}`")
        return True
    return False


def read_steps(reader: Reader, node: Node | None) -> tuple[Step, ...] | None:
    """Steps in order; None after a finding. No `steps:` is no step."""
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        hint = ""
        if isinstance(node, Mapping) and node.entries:
            hint = f"put a dash before each step: `- {next(iter(node.entries))}: ...`"
        reader.fault(node, f"`steps` {state(node)}", "a list of steps", hint)
        return None
    steps = [_step(reader, item) for item in node.items]
    if any(step is None for step in steps):
        return None
    return tuple(step for step in steps if step is not None)


def _step(reader: Reader, node: Node) -> Step | None:
    named = _named_step(reader, node)
    if named is None:
        return None
    name, params = named
    at_key = isinstance(node, Mapping)
    if not reader.known(params, name, "step", reader.catalog.steps, key=at_key):
        return None
    if isinstance(params, Scalar) and (not at_key or params.value is None):
        path = params.path if at_key else (*params.path, name)
        params = Mapping(path, params.where, key_where=params.key_where or params.where)
    model: type[StepParams] = reader.catalog.steps[name].Params
    value = reader.part(params, model)
    if value is None or not _step_files(reader, params, value):
        return None
    return Step(name=name, params=value)


def _named_step(reader: Reader, node: Node) -> tuple[str, Node] | None:
    """Name and parameters of `- name` or `- name: {...}`."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.text:
        return node.text, node
    if isinstance(node, Mapping) and len(node.entries) == 1:
        return next(iter(node.entries.items()))
    if isinstance(node, Mapping) and node.entries:
        first, second, *_ = node.entries
        hint = f"put a dash before `{second}`, or indent it if it belongs to `{first}`"
        reader.fault(node, f"one step with {len(node.entries)} names: {', '.join(node.entries)}"[:200], _STEP, hint)
    else:
        reader.fault(node, f"a step {_none(node)}", _STEP)
    return None


def _step_files(reader: Reader, node: Node, params: StepParams) -> bool:
    """Whether the files among a step's parameters have addresses that can work."""
    good = True
    for key, address in params.files().items():
        at = node.entries.get(key, node) if isinstance(node, Mapping) else node
        if isinstance(address, PackageFile):
            registries = reader.catalog.package_registries
            place = at.entries.get("package", at) if isinstance(at, Mapping) else at
            good &= reader.known(place, address.registry, "package registry", registries)
        else:
            good &= check_path(reader, at, address)
    return good


def read_samples(reader: Reader, node: Node | None, inputs: list[str], outputs: list[str]) -> tuple[Sample, ...]:
    """Samples; each gives a file for every input and may say what it expects of outputs.

    Without any input or output (which has its own finding) their names are not checked.
    """
    if node is None:
        return ()
    if not isinstance(node, Sequence):
        reader.fault(node, f"`samples` {state(node)}", "a list: `- {photo: ..., expect: {...}}`")
        return ()
    samples = (_sample(reader, item, inputs, outputs) for item in node.items)
    return tuple(sample for sample in samples if sample is not None)


def _sample(reader: Reader, node: Node, inputs: list[str], outputs: list[str]) -> Sample | None:
    section = reader.mapping(node, "a mapping of inputs and `expect`: `- {photo: ..., expect: {...}}`")
    if section is None:
        return None
    before = len(reader.findings)
    files: dict[str, Address] = {}
    for name, entry in section.without(*SAMPLE_KEYS).entries.items():
        if not inputs or reader.known(entry, name, "input", [*inputs, *SAMPLE_KEYS], key=True):
            address = read_address(reader, entry)
            if address is not None:
                files[name] = address
    if lacking := _lacking(section, inputs):
        expected = f"for each {EXPECTED}"
        reader.fault(node, f"the sample has no {lacking}", expected, "every input needs a file")
    expect = _expectations(reader, section.entries.get("expect"), outputs)
    srgb = _srgb(reader, section.entries.get("srgb"))
    region = _region(reader, section.entries.get("region"))
    if len(reader.findings) > before:
        return None
    return Sample(files=files, expect=expect, srgb=srgb, region=region)


def _srgb(reader: Reader, node: Node | None) -> Literal["convert", "ignore"] | None:
    if node is None:
        return None
    if isinstance(node, Scalar) and node.value == "convert":
        return "convert"
    if isinstance(node, Scalar) and node.value == "ignore":
        return "ignore"
    hint = "Display P3 is converted, other profiles are refused unless it is `ignore`"
    reader.fault(node, f"`srgb` {state(node)}", "`convert` or `ignore`", hint)
    return None


def _region(reader: Reader, node: Node | None) -> tuple[int, int, int, int] | None:
    """Edges in pixels, in order; anything else is a finding."""
    if node is None:
        return None
    items = node.items if isinstance(node, Sequence) else ()
    edges = [item.value for item in items if isinstance(item, Scalar) and type(item.value) is int]
    if len(edges) == len(items) == 4:
        left, top, right, bottom = edges
        if 0 <= left < right and 0 <= top < bottom:
            return left, top, right, bottom
    expected = "`[left, top, right, bottom]` in pixels, left < right and top < bottom"
    reader.fault(node, f"`region` {state(node)}" if not items else "`region` is not a part of a picture", expected)
    return None


def _lacking(section: Mapping, names: list[str]) -> str:
    """Names without an entry, in backticks; those that an unknown key was meant to be are left out."""
    meant = {nearest(name, names) for name in section.entries if name not in names}
    return ", ".join(f"`{name}`" for name in names if name not in section.entries and name not in meant)


def _expectations(reader: Reader, node: Node | None, outputs: list[str]) -> dict[str, Expect]:
    if node is None:
        return {}
    section = reader.mapping(node, "a mapping of outputs: `{verdict: {label: ..., score: [0.9, 1.0]}}`")
    found: dict[str, Expect] = {}
    for name, entry in section.entries.items() if section is not None else ():
        if not outputs:
            reader.part(_label_as_written(entry), Expect)
        elif name not in outputs and name in Expect.model_fields:
            hint = f"name the output first: `expect: {{{outputs[0]}: {{{name}: ...}}}}`"
            reader.fault(
                entry, f"`{name}` stands where an output's name is expected", _outputs(outputs), hint, key=True
            )
        elif reader.known(entry, name, "output", outputs, key=True):
            part = reader.part(_label_as_written(entry), Expect)
            if part is not None:
                found[name] = part
    return found


def _outputs(outputs: list[str]) -> str:
    return "an output: " + ", ".join(outputs)


def _label_as_written(node: Node) -> Node:
    """A label is a text even where it looks like a number, a boolean or nothing."""
    label = node.entries.get("label") if isinstance(node, Mapping) else None
    if isinstance(node, Mapping) and isinstance(label, Scalar) and label.text:
        entries = {**node.entries, "label": label.as_text()}
        return Mapping(node.path, node.where, entries, key_where=node.key_where)
    return node


def read_calibration(reader: Reader, node: Node | None, inputs: list[str]) -> dict[str, tuple[Address, ...]]:
    """Calibration files by input name. Without any input (which has its own finding) names are not checked."""
    if node is None:
        return {}
    example = inputs[0] if inputs else "photo"
    section = reader.mapping(node, f'a mapping of inputs: `{{{example}: "calibration/*.png"}}`')
    if section is None:
        return {}
    found: dict[str, tuple[Address, ...]] = {}
    for name, entry in section.entries.items():
        if not inputs or reader.known(entry, name, "input", inputs, key=True):
            files = read_files(reader, entry)
            if files:
                found[name] = files
    if lacking := _lacking(section, inputs):
        reader.fault(node, f"no calibration files for {lacking}", "files for every input", key=True)
    return found
