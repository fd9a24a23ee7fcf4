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
from packager.model.contract import Chain, Frame, FrameType, ImageSize, ImageType, Result
from packager.model.golden import SampleGolden
from packager.model.manifest import Manifest, Sample
from packager.model.plan import Plan
from packager.plan.reference import StepFailedError, run_chain, run_output, size_of
from packager.registry import Catalog
from packager.stages.contract.decode import DecodeError, decode
from packager.stages.contract.expectations import unmet

Resolve = Callable[[Address], Path]
RunSource = Callable[[list[dict[str, NDArray[Any]]]], list[dict[str, NDArray[Any]]]]
Place = tuple[str | int, ...]
Given = dict[str, NDArray[Any] | Frame]
"""What the app hands over, by input name."""


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
    decoded: list[Given] = []
    feeds: list[dict[str, NDArray[Any]]] = []
    for index, sample in enumerate(manifest.samples):
        names.append(sample_name(sample, index, names))
        values, feed = _through_inputs(manifest, plan, catalog, resolve, sample.files, ("samples", index), sample)
        decoded.append(values)
        feeds.append(feed)
    outputs = run_source(feeds) if feeds else []
    goldens = tuple(
        SampleGolden(name, values, feed, output, _results(manifest, plan, catalog, output, feed, values, index))
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


def labelled_feed(
    manifest: Manifest, plan: Plan, catalog: Catalog, files: Mapping[str, Path]
) -> tuple[dict[str, NDArray[Any]], dict[str, ImageSize]]:
    """One labelled sample, by input name: model inputs by tensor name, and the size of each image among its inputs."""
    here = {name: str(path) for name, path in files.items()}
    values, feed = _through_inputs(manifest, plan, catalog, lambda a: Path(str(a)), here, ("evaluation", "data"))
    images = [chain.name for chain in plan.inputs if isinstance(chain.start, ImageType | FrameType)]
    return feed, {name: size_of(values[name]) for name in images}


def _through_inputs(
    manifest: Manifest,
    plan: Plan,
    catalog: Catalog,
    resolve: Resolve,
    files: Mapping[str, Address],
    place: Place,
    sample: Sample | None = None,
) -> tuple[Given, dict[str, NDArray[Any]]]:
    values: Given = {}
    feed: dict[str, NDArray[Any]] = {}
    for chain in plan.inputs:
        here = (*place, chain.name)
        if chain.name not in files:
            raise ManifestError(_finding(manifest, place, f"no data for input `{chain.name}`"))
        try:
            value = decode(resolve(files[chain.name]), chain.start, sample is not None and sample.srgb == "ignore")
            values[chain.name] = _region(value, chain.start, sample)
        except DecodeError as fault:
            raise ManifestError(_finding(manifest, here, str(fault), hint=fault.hint)) from fault
        feed[chain.tensor] = _apply(manifest, catalog, chain, values[chain.name], here)
    return values, feed


def _region(value: Any, kind: Any, sample: Sample | None) -> Any:
    """The part of a picture that the sample names; everything else as it is. Raises `DecodeError` outside of it."""
    if sample is None or sample.region is None or not isinstance(kind, ImageType):
        return value
    left, top, right, bottom = sample.region
    height, width = value.shape[:2]
    if right > width or bottom > height:
        raise DecodeError(f"`region` ends at {right}, {bottom}, the picture has {width}x{height} pixels")
    return np.ascontiguousarray(value[top:bottom, left:right])


def _apply(manifest: Manifest, catalog: Catalog, chain: Chain, value: Any, place: Place) -> Any:
    try:
        return run_chain(catalog, chain, value)
    except StepFailedError as fault:
        raise ContractError(_finding(manifest, place, f"`{chain.name}`: {fault}")) from fault


def _results(
    manifest: Manifest,
    plan: Plan,
    catalog: Catalog,
    output: Mapping[str, NDArray[Any]],
    feed: Mapping[str, NDArray[Any]],
    given: Given,
    index: int,
) -> dict[str, Result]:
    place: Place = ("samples", index)
    for name, array in output.items():
        if not np.all(np.isfinite(array)):
            raise ContractError(
                _finding(manifest, place, f"the source model's output `{name}` is not finite for this sample")
            )
    results: dict[str, Result] = {}
    for chain in plan.outputs:
        try:
            results[chain.name] = run_output(catalog, chain, output, feed, given)
        except StepFailedError as fault:
            raise ContractError(_finding(manifest, place, f"`{chain.name}`: {fault}")) from fault
    return results


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


def _finding(manifest: Manifest, place: Place, what: str, expected: str = "", hint: str = "") -> Finding:
    where = manifest.where(*place)
    return Finding(what, where, expected, hint, manifest.line_at(where))
