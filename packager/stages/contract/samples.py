"""Samples and calibration data through the contract, and the check of what samples expect."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.core.errors import ContractError, Finding, ManifestError
from packager.model.address import Address, PackageFile
from packager.model.contract import Chain, Classification, Result
from packager.model.golden import SampleGolden
from packager.model.manifest import Expect, Manifest, Sample
from packager.model.plan import Plan
from packager.plan.reference import StepFailedError, run_chain
from packager.registry import Catalog
from packager.stages.contract.decode import DecodeError, decode

Resolve = Callable[[Address], Path]
RunSource = Callable[[list[dict[str, NDArray[Any]]]], list[dict[str, NDArray[Any]]]]
Place = tuple[str | int, ...]


def sample_name(sample: Sample, index: int, taken: Collection[str]) -> str:
    """Name of a sample: its first file's stem, with a number where two are alike; letter case does not count."""
    first = next(iter(sample.files.values()))
    file = first.file.rpartition("!")[2] if isinstance(first, PackageFile) else first
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in PurePosixPath(file).stem)
    name = stem or f"sample_{index}"
    folded = {known.casefold() for known in taken}
    numbered = (f"{name}_{number}" for number in itertools.count(index))
    return next(text for text in itertools.chain([name], numbered) if text.casefold() not in folded)


def source_goldens(
    manifest: Manifest, plan: Plan, catalog: Catalog, resolve: Resolve, run_source: RunSource
) -> tuple[SampleGolden, ...]:
    """Run every sample; `run_source` takes feeds by tensor name and gives outputs by tensor name.

    Raises `ContractError` with every expectation that does not hold, naming the sample and both answers.
    """
    names: list[str] = []
    decoded: list[dict[str, NDArray[Any]]] = []
    feeds: list[dict[str, NDArray[Any]]] = []
    for index, sample in enumerate(manifest.samples):
        names.append(sample_name(sample, index, names))
        values, feed = _through_inputs(manifest, plan, catalog, resolve, sample.files, ("samples", index), sample.srgb)
        decoded.append(values)
        feeds.append(feed)
    outputs = run_source(feeds) if feeds else []
    goldens = tuple(
        SampleGolden(name, values, feed, output, _results(manifest, plan, catalog, output, index))
        for index, (name, values, feed, output) in enumerate(zip(names, decoded, feeds, outputs, strict=True))
    )
    _check_expectations(manifest, goldens)
    return goldens


def calibration_feeds(
    manifest: Manifest, plan: Plan, catalog: Catalog, resolve: Resolve
) -> list[dict[str, NDArray[Any]]]:
    """Model inputs for calibration, through the same reference steps; shorter lists of several inputs repeat."""
    if not manifest.calibration:
        return []
    count = max(len(addresses) for addresses in manifest.calibration.values())
    feeds = []
    for index in range(count):
        files = {name: addresses[index % len(addresses)] for name, addresses in manifest.calibration.items()}
        place: Place = ("calibration",)
        feeds.append(_through_inputs(manifest, plan, catalog, resolve, files, place)[1])
    return feeds


def _through_inputs(
    manifest: Manifest,
    plan: Plan,
    catalog: Catalog,
    resolve: Resolve,
    files: Mapping[str, Address],
    place: Place,
    srgb: str | None = None,
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    values, feed = {}, {}
    for chain in plan.inputs:
        here = (*place, chain.name)
        if chain.name not in files:
            raise ManifestError(_finding(manifest, place, f"no data for input `{chain.name}`"))
        try:
            values[chain.name] = decode(resolve(files[chain.name]), chain.start, srgb == "ignore")
        except DecodeError as fault:
            raise ManifestError(_finding(manifest, here, str(fault), hint=fault.hint)) from fault
        feed[chain.tensor] = _apply(manifest, catalog, chain, values[chain.name], here)
    return values, feed


def _apply(manifest: Manifest, catalog: Catalog, chain: Chain, value: Any, place: Place) -> Any:
    try:
        return run_chain(catalog, chain, value)
    except StepFailedError as fault:
        raise ContractError(_finding(manifest, place, f"`{chain.name}`: {fault}")) from fault


def _results(
    manifest: Manifest, plan: Plan, catalog: Catalog, output: Mapping[str, NDArray[Any]], index: int
) -> dict[str, Result]:
    place: Place = ("samples", index)
    for name, array in output.items():
        if not np.all(np.isfinite(array)):
            raise ContractError(
                _finding(manifest, place, f"the source model's output `{name}` is not finite for this sample")
            )
    return {chain.name: _apply(manifest, catalog, chain, output[chain.tensor], place) for chain in plan.outputs}


def _check_expectations(manifest: Manifest, goldens: tuple[SampleGolden, ...]) -> None:
    findings = []
    for index, (sample, golden) in enumerate(zip(manifest.samples, goldens, strict=True)):
        for name, expect in sample.expect.items():
            problem = unmet(expect, golden.results[name])
            if problem is not None:
                what = f"sample `{golden.name}`: {name} is {problem[0]}, expected {problem[1]}"
                findings.append(
                    _finding(
                        manifest,
                        ("samples", index, "expect", name),
                        what,
                        expected="the source model, fed by these steps, gives the known answer",
                        hint="check value range, mean and std, channel order and crop of the input's steps",
                    )
                )
    if findings:
        raise ContractError(tuple(findings))


def unmet(expect: Expect, result: Result) -> tuple[str, str] | None:
    """(found, expected) in words where an expectation does not hold."""
    if not isinstance(result, Classification):
        return f"a {result.kind}", "a Classification (expectations on other results are not in this version)"
    best = result.labels[0]
    wanted = f"`{expect.label}`" if expect.label is not None else "any label"
    if expect.score is not None:
        wanted += f" with a score from {expect.score[0]:g} to {expect.score[1]:g}"
    right_label = expect.label is None or best.label == expect.label
    right_score = expect.score is None or expect.score[0] <= best.score <= expect.score[1]
    return None if right_label and right_score else (f"`{best.label}` with {best.score:.4f}", wanted)


def _finding(manifest: Manifest, place: Place, what: str, expected: str = "", hint: str = "") -> Finding:
    where = manifest.where(*place)
    return Finding(what, where, expected, hint, manifest.line_at(where))
