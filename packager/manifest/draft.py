"""A first manifest as text, with every guess marked in the line that holds it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packager.manifest.names import FORM, LONGEST, RESERVED_NAMES
from packager.model.address import Address
from packager.model.manifest import Model
from packager.model.recipes import Proposal, Step
from packager.model.target import TargetSpec

MARK = "GUESS"
"""Stands in every line that holds a guess, so that an editor finds them all."""


@dataclass(frozen=True)
class Sample:
    """A file that was tried, and what it must give: `expect` is the manifest's mapping for the output."""

    file: str
    output: str
    expect: Mapping[str, Any]


@dataclass(frozen=True)
class Draft:
    """Everything that a first manifest holds. `inputs` and `outputs` are by tensor name, in the model's order.

    An output that takes several tensors stands under the first of them. `guessed_shapes`: those of `model` hold a
    guess. `tried` are comments above the inputs.
    """

    name: str
    model: Model
    inputs: Mapping[str, Proposal]
    outputs: Mapping[str, Proposal]
    origin: Sequence[str]
    formats: Sequence[str]
    targets: Mapping[str, TargetSpec]
    license: str | None = None
    guessed_shapes: bool = False
    samples: Sequence[Sample] = ()
    tried: Sequence[str] = ()


def bundle_name(stem: str) -> str:
    """A bundle's name from a file's: lower-case words joined by hyphens."""
    words = re.findall(r"[a-z0-9]+", stem.lower())
    name = "-".join(words)[:64].strip("-")
    return name if name and name[0].isalpha() else f"model-{name}".strip("-")


def identifiers(proposals: Mapping[str, Proposal]) -> dict[str, str]:
    """What the app calls each tensor, by tensor name: identifiers in all languages, no two alike."""
    made: dict[str, str] = {}
    for tensor, proposal in proposals.items():
        base = re.sub("[^a-z0-9]+", "_", proposal.name.lower()).strip("_")[: LONGEST - 3] or "value"
        base = base if re.fullmatch(FORM, base) else f"tensor_{base}"
        base = f"{base}_value" if base in RESERVED_NAMES else base
        taken = {name.replace("_", "") for name in made.values()}
        numbered = (base if n == 1 else f"{base}_{n}" for n in range(1, len(proposals) + 2))
        made[tensor] = next(name for name in numbered if name.replace("_", "") not in taken)
    return made


def text(draft: Draft) -> str:
    """The manifest."""
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: Draft) -> Iterator[str]:
    yield f"# Written by `packager init`. Lines with {MARK} hold what could not be known: check them."
    if draft.origin:
        yield f"# Known from the model: {_comment(', '.join(draft.origin))}."
    yield "packager: 1"
    yield f"name: {draft.name}"
    yield "version: 0.1.0"
    if draft.license:
        yield f"license: {scalar(draft.license)}"
    else:
        yield f"license: NOASSERTION   # {MARK}: the model's licence, such as Apache-2.0"
    yield ""
    yield from _model(draft.model, draft.guessed_shapes)
    yield ""
    yield from (f"# {line}" for line in draft.tried)
    yield from _section("inputs", draft.inputs)
    yield ""
    yield from _section("outputs", draft.outputs)
    yield ""
    yield from _samples(draft)
    yield f"formats: [{', '.join(draft.formats)}]"
    yield ""
    yield from _targets(draft)


def _comment(words: str) -> str:
    """On one line, whatever names of files and layers hold."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in words)


def _model(model: Model, guessed_shapes: bool) -> Iterator[str]:
    yield "model:"
    yield from _address("source", model.source)
    if model.class_ is not None:
        yield f"  class: {scalar(model.class_)}"
    if model.arguments:
        yield f"  arguments: {flow(model.arguments)}"
    if len(model.code) == 1:
        yield from _address("code", model.code[0])
    elif model.code:
        yield f"  code: {flow([_plain(each) for each in model.code])}"
    for key, value in (("trust", model.trust), ("python", model.python), ("license", model.license)):
        if value is not None:
            yield f"  {key}: {scalar(value)}"
    if model.dtypes:
        yield f"  dtypes: {flow(model.dtypes)}"
    if model.shapes:
        mark = f"   # {MARK}: the model leaves this open" if guessed_shapes else ""
        yield f"  shapes: {flow(model.shapes)}{mark}"


def _address(key: str, address: Address) -> Iterator[str]:
    plain = _plain(address)
    if isinstance(plain, str):
        yield f"  {key}: {scalar(plain)}"
        return
    yield f"  {key}:"
    yield from (f"    {name}: {scalar(value)}" for name, value in plain.items())


def _plain(address: Address) -> str | dict[str, str]:
    return address if isinstance(address, str) else address.model_dump(exclude_none=True)


def _section(kind: str, proposals: Mapping[str, Proposal]) -> Iterator[str]:
    yield f"{kind}:"
    for tensor, name in identifiers(proposals).items():
        proposal = proposals[tensor]
        yield f"  {name}:"
        if len(proposal.tensors) > 1:
            yield f"    tensors: {flow(proposal.tensors)}"
        elif len(proposals) > 1:
            yield f"    tensor: {scalar(tensor)}"
        if proposal.accepts is not None:
            yield f"    accepts: {flow(proposal.accepts)}" + _mark(proposal.guess)
        if proposal.steps:
            yield "    steps:"
            yield from (f"      - {_step(step)}" for step in proposal.steps)


def _step(step: Step) -> str:
    body = step.name if step.params is None else f"{step.name}: {flow(step.params)}"
    return body + _mark(step.guess)


def _mark(guess: str) -> str:
    return f"   # {MARK}: {guess}" if guess else ""


def _samples(draft: Draft) -> Iterator[str]:
    names = identifiers(draft.inputs)
    if not draft.samples:
        files = ", ".join(f"{name}: sample{_suffix(draft.inputs[tensor])}" for tensor, name in names.items())
        yield f"samples:   # {MARK}: name a file whose right answer you know; it proves the contract"
        yield f"  - {{{files}}}"
        yield ""
        return
    yield "samples:"
    for sample in draft.samples:
        files = ", ".join(f"{name}: {scalar(sample.file)}" for name in names.values())
        expect = f", expect: {{{sample.output}: {flow(sample.expect)}}}" if sample.expect else ""
        yield f"  - {{{files}{expect}}}"
    yield ""


_SUFFIXES = {"image": ".png", "audio": ".wav", "series": ".csv", "bytes": ".bin", "tensor": ".npy", "frame": ".y4m"}
"""Usual suffix of a sample of each kind."""


def _suffix(proposal: Proposal) -> str:
    return _SUFFIXES.get(next(iter(proposal.accepts or {}), ""), "")


def _targets(draft: Draft) -> Iterator[str]:
    if not draft.targets:
        yield f"targets:   # {MARK}: no target takes all of this model's types of numbers"
        return
    yield f"targets:   # {', '.join(draft.targets)}: remove what you do not ship"
    shown: set[str] = set()
    word = draft.name.replace("-", "")
    for target_id, spec in draft.targets.items():
        *groups, last = target_id.split(".")
        for depth, group in enumerate(groups):
            if ".".join(groups[: depth + 1]) not in shown:
                shown.add(".".join(groups[: depth + 1]))
                yield f"{'  ' * (depth + 1)}{group}:"
        options = {key: value.replace("{word}", word) for key, value in spec.start.items()}
        yield f"{'  ' * (len(groups) + 1)}{last}: {flow(options)}"


def flow(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(inner) for inner in value) + "]"
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value) if isinstance(value, int) else scalar(str(value))


_WORDS = frozenset(["true", "false", "null", "yes", "no", "on", "off", "y", "n", ".inf", ".nan", "~"])
"""Words that YAML 1.1 or 1.2 does not read as text; editors still use 1.1."""


_UNREADABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that JSON leaves as they are and that YAML refuses, takes for the end of a line, or cannot encode."""


def scalar(value: str) -> str:
    """A text as a plain scalar where YAML reads it as the same text, else quoted."""
    plain = re.fullmatch(r"[A-Za-z_./][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*", value)
    if plain and value.lower() not in _WORDS and not value.startswith("---"):
        return value
    return _UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
