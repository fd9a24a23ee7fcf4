"""The manifest's reference page, written from the same models that check it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from packager.manifest.annotations import describe, field_slot, fields
from packager.manifest.loader import KEYS, RESERVED
from packager.manifest.targets import describe as describe_option
from packager.model.address import PackageFile
from packager.model.manifest import (
    Accepts,
    AudioInput,
    BytesInput,
    Evaluation,
    Expect,
    FrameInput,
    Gate,
    Header,
    ImageInput,
    Input,
    Manifest,
    Model,
    Output,
    Sample,
    SeriesInput,
)
from packager.model.target import OptionSpec
from packager.registry import Catalog

ACCEPTED: dict[str, type[BaseModel]] = {
    "image": ImageInput,
    "frame": FrameInput,
    "audio": AudioInput,
    "series": SeriesInput,
    "bytes": BytesInput,
}
"""What each kind of input takes; `tensor` takes nothing but `raw`."""

_INTRODUCTION = """\
# Manifest reference

Written by `packager schema --reference` from the code that checks manifests; do not edit.
`packager schema` prints the same as JSON Schema, for completion in editors:

    # yaml-language-server: $schema=manifest.schema.json
"""

_RULES = """\
## YAML

- One document in UTF-8, at most 1 MB and 64 levels deep.
- Numbers as in YAML 1.2: `10`, `0x1f`, `1e-4`. Only `true` and `false` are booleans; `yes`, `no` and `12:30` are texts.
- Names, versions, licences and labels are taken as written: the label `1` is the text `1`.
- A key that stands twice, an unknown key, a tag (`!x`), an anchor (`&x`, `*x`) or a merge key (`<<`) is an error.
- Names of inputs and outputs are lower-case letters, digits and `_`, a letter first; words that Kotlin, Java, Swift,
  C or C++ reserve are refused.
"""

_ADDRESS = """\
## Addresses

Every key that names a file takes a path relative to the manifest (it cannot leave the manifest's folder), or a file
of a registry package:
"""

_SHAPES = {
    "model": "a mapping, see [model](#model)",
    "inputs": "a mapping of names, see [inputs](#inputs)",
    "outputs": "a mapping of names, see [outputs](#outputs)",
    "samples": "a list, see [samples](#samples)",
    "calibration": "a mapping: input name to an address, a glob, or a list of these",
    "evaluation": "a mapping, see [evaluation](#evaluation)",
    "gate": "a mapping, see [gate](#gate)",
    "formats": "a list of `runtime/precision`, see [runtimes](#runtimes)",
    "targets": "a mapping, see [targets](#targets)",
    "source": "an [address](#addresses)",
    "data": "an [address](#addresses)",
    "accepts": "a mapping with exactly one kind, see below",
    "steps": "a list of [steps](#steps)",
    "expect": "a mapping of outputs, see below",
}


def markdown(catalog: Catalog) -> str:
    """The page, with the steps, runtimes and targets of the catalogue. Ends with a newline."""
    parts = [
        _INTRODUCTION,
        _table(_rows(Manifest, KEYS)),
        "Kept for later versions and refused now: " + ", ".join(f"`{key}`" for key in RESERVED) + ".\n",
        "## model\n\n" + _table(_rows(Model)),
        _ADDRESS + "\n" + _table(_rows(PackageFile)),
        "Registries: " + ", ".join(f"`{name}`" for name in catalog.package_registries) + ".\n",
        "## inputs\n\nEach input, by the name that the app sees:\n\n" + _table(_rows(Input)),
        "`accepts` takes exactly one of:\n\n" + _table(_rows(Accepts)),
        *(f"`{kind}` takes:\n\n" + _table(_rows(part)) for kind, part in ACCEPTED.items()),
        "## outputs\n\nEach output, by the name that the app sees:\n\n" + _table(_rows(Output)),
        _samples(),
        "## evaluation\n\n" + _table(_rows(Evaluation)),
        "## gate\n\nBy precision (`int8`) or by `runtime/precision`, which wins:\n\n" + _table(_rows(Gate)),
        _steps(catalog),
        _runtimes(catalog),
        _targets(catalog),
        _RULES,
    ]
    return "\n".join(parts)


def _samples() -> str:
    about = "## samples\n\nEach sample gives an [address](#addresses) for every input by its name, and beside it:\n\n"
    own = [row for row in _rows(Sample) if row[0] != "`files`"]
    expect = "\nEach output under `expect` takes one or more of these; which ones fit depends on its result:\n\n"
    return about + _table(own) + expect + _table(_rows(Expect))


def _steps(catalog: Catalog) -> str:
    parts = ["## Steps\n\nA step is written `- name: {key: value}`, or `- name` where it needs no keys.\n"]
    for name, module in catalog.steps.items():
        rows = _rows(module.Params)
        parts.append(f"### {name}\n\n{_sentence(module.SUMMARY)}\n" + (f"\n{_table(rows)}" if rows else ""))
    return "\n".join(parts)


def _runtimes(catalog: Catalog) -> str:
    rows = [
        (f"`{name}`", ", ".join(f"`{each}`" for each in module.precisions()), _sentence(module.SUMMARY))
        for name, module in catalog.runtimes.items()
    ]
    return "## Runtimes\n\n" + _table(rows, ("runtime", "precisions", "about"))


def _targets(catalog: Catalog) -> str:
    parts = [
        "## Targets\n\nThe parts of a target's name are nested keys: `embedded.linux` is `embedded: {linux: {...}}`. "
        "Every target takes `runtime` and `precision`; `precision` may be a list, of which the first that passes the "
        "gate is taken.\n"
    ]
    for name, spec in catalog.targets.items():
        rows = [_option_row(option) for option in spec.options_schema.values()]
        parts.append(f"### {name}\n\n{_sentence(spec.summary)}\n" + (f"\n{_table(rows)}" if rows else ""))
    return "\n".join(parts)


def _option_row(option: OptionSpec) -> tuple[str, str, str, str]:
    needed = "yes" if option.required else _default(option.default)
    return f"`{option.name}`", describe_option(option), needed, option.description


def _rows(model: type[BaseModel], keys: Sequence[str] = ()) -> list[tuple[str, str, str, str]]:
    """Key, what it takes, whether it is needed (or its default), and what it means."""
    rows = []
    for key, info in fields(model).items():
        if keys and key not in keys:
            continue
        own = model in (Manifest, Header, Model, Input, Output, Sample)
        takes = _SHAPES[key] if own and key in _SHAPES else describe(field_slot(info))
        needed = "yes" if info.is_required() else _default(info.default if info.default_factory is None else None)
        rows.append((f"`{key}`", takes, needed, info.description or ""))
    return rows


def _default(value: object) -> str:
    if value is None or value == ():
        return "no"
    return f"no (`{str(value).lower() if isinstance(value, bool) else value}`)"


def _table(rows: Iterable[Sequence[str]], head: Sequence[str] = ("key", "takes", "needed", "meaning")) -> str:
    """A Markdown table; `|` inside cells is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
