"""Runs one artefact in every kernel set, compares it with the source, and keeps its golden vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.core.actions import Action, Actions
from packager.core.errors import ConvertError
from packager.core.samples import read_samples, write_samples
from packager.model.artifact import Artifact, Port, Verdict
from packager.model.contract import Chain, ResultType
from packager.model.golden import ArtifactGolden, GoldenRecord, SampleGolden, Tolerance
from packager.model.manifest import Gate
from packager.model.plan import Plan
from packager.plan.reference import run_chain
from packager.registry import Catalog
from packager.stages.verify.figures import figures, output_range
from packager.stages.verify.gate import judge, thresholds, waiver

TOLERANCES = {"float32": 1e-4, "float16": 2e-2}
"""Stage `output`, of the output's range: other processors sum in another order; float16 also rounds otherwise."""
INTEGER_STEPS = 2
"""Stage `output` of an integer artefact: steps of quantisation, for other processors with the same kernels."""


@dataclass(frozen=True)
class Verified:
    """Verdicts by kernel set, and the golden vectors of the first."""

    artifact: Artifact
    verdicts: tuple[Verdict, ...]
    golden: ArtifactGolden

    @property
    def passed(self) -> bool:
        """The artefact's verdict over all kernel sets."""
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def waived(self) -> str | None:
        """The manifest's reason, where a failed gate is shipped."""
        return self.verdicts[0].waived


def verify(
    artifact: Artifact,
    goldens: Sequence[SampleGolden],
    plan: Plan,
    catalog: Catalog,
    actions: Actions,
    gates: Mapping[str, Gate],
    scratch: Path,
) -> Verified:
    """Run `artifact` over all samples in all its kernel sets. A failed gate is in the verdicts, not an error.

    An artefact whose outputs are not finite has no golden vectors, and its failure cannot be waived.
    """
    runtime = catalog.runtimes[artifact.runtime]
    feeds = [_feed(artifact, golden, catalog) for golden in goldens]
    folder = write_samples(scratch / f"feeds-{artifact.runtime}-{artifact.precision}", feeds)
    kernel_sets = runtime.kernel_sets(artifact.precision)
    ran = actions.run(
        Action(
            name=f"run {artifact.id}",
            kind=runtime.RUN_WORKER,
            entry=runtime.RUN,
            request={
                "precision": artifact.precision,
                "kernel_sets": list(kernel_sets),
                "mapping": {
                    "inputs": {port.source: port.name for port in artifact.inputs},
                    "outputs": {port.source: port.name for port in artifact.outputs},
                },
            },
            inputs={"model": artifact.path, "feeds": folder},
            input_hashes={"model": artifact.sha256},
            code=runtime.CODE,
            tools=runtime.TOOLS,
            error=ConvertError,
        )
    )
    limits = thresholds(gates, artifact.runtime, artifact.precision)
    raw = {name: list(read_samples(ran / name)) for name in kernel_sets}
    verdicts = tuple(_verdict(artifact, name, raw[name], goldens, plan, catalog, limits, gates) for name in kernel_sets)
    finite = not any(verdict.figures.non_finite for verdict in verdicts)
    records = _records(artifact, goldens, feeds, raw[kernel_sets[0]], plan, catalog) if finite else ()
    return Verified(artifact, verdicts, ArtifactGolden(artifact.id, kernel_sets[0], records))


def _feed(artifact: Artifact, golden: SampleGolden, catalog: Catalog) -> dict[str, NDArray[Any]]:
    return {port.source: _to_stored(port, golden.model_inputs[port.source], catalog) for port in artifact.inputs}


def _to_stored(port: Port, value: NDArray[Any], catalog: Catalog) -> NDArray[Any]:
    return _role("quantize", port, value, catalog)


def _to_real(port: Port, value: NDArray[Any], catalog: Catalog) -> NDArray[Any]:
    return _role("dequantize", port, value, catalog)


def _role(role: str, port: Port, value: NDArray[Any], catalog: Catalog) -> NDArray[Any]:
    if port.quantization is None:
        return value
    _, module = catalog.step_with_role(role)
    quantization = port.quantization
    params = module.Params.model_validate({"scale": quantization.scale, "zero_point": quantization.zero_point})
    result: NDArray[Any] = module.apply(params, value)
    return result


def _real(artifact: Artifact, outputs: Mapping[str, NDArray[Any]], catalog: Catalog) -> dict[str, NDArray[Any]]:
    return {port.source: _to_real(port, outputs[port.source], catalog) for port in artifact.outputs}


def _verdict(
    artifact: Artifact,
    kernel_set: str,
    raw: Sequence[Mapping[str, NDArray[Any]]],
    goldens: Sequence[SampleGolden],
    plan: Plan,
    catalog: Catalog,
    limits: Mapping[str, float],
    gates: Mapping[str, Gate],
) -> Verdict:
    decided = [chain.tensor for chain in plan.outputs if chain.end == ResultType("Classification")]
    source = [{port.source: golden.outputs[port.source] for port in artifact.outputs} for golden in goldens]
    got = [_real(artifact, outputs, catalog) for outputs in raw]
    found = figures(source, got, decided, limits.get("margin", 0.0))
    reasons = judge(found, limits)
    # Values that are not finite give no result, so there would be nothing to ship golden vectors of.
    waivable = reasons and not found.non_finite
    waived = waiver(gates, artifact.runtime, artifact.precision) if waivable else None
    return Verdict(artifact.runtime, artifact.precision, kernel_set, found, limits, not reasons, reasons, waived)


def _records(
    artifact: Artifact,
    goldens: Sequence[SampleGolden],
    feeds: Sequence[Mapping[str, NDArray[Any]]],
    raw: Sequence[Mapping[str, NDArray[Any]]],
    plan: Plan,
    catalog: Catalog,
) -> tuple[GoldenRecord, ...]:
    records: list[GoldenRecord] = []
    ranges = {p.source: output_range([g.outputs[p.source] for g in goldens]) for p in artifact.outputs}
    for golden, feed, outputs in zip(goldens, feeds, raw, strict=True):
        records += [
            GoldenRecord(golden.name, "decode", chain.name, Tolerance(), golden.decoded[chain.name])
            for chain in plan.inputs
        ]
        for port in artifact.inputs:
            value = feed[port.source]
            records.append(
                GoldenRecord(golden.name, "input", port.source, Tolerance(), value, quantization=port.quantization)
            )
        real = _real(artifact, outputs, catalog)
        for port in artifact.outputs:
            allowed = _tolerance(artifact, port, ranges[port.source])
            value = outputs[port.source]
            records.append(
                GoldenRecord(golden.name, "output", port.source, allowed, value, quantization=port.quantization)
            )
        records += [_result(artifact, chain, golden.name, real, ranges, catalog) for chain in plan.outputs]
    return tuple(records)


def _result(
    artifact: Artifact,
    chain: Chain,
    sample: str,
    real: Mapping[str, NDArray[Any]],
    ranges: Mapping[str, float],
    catalog: Catalog,
) -> GoldenRecord:
    port = next(p for p in artifact.outputs if p.source == chain.tensor)
    allowed = _tolerance(artifact, port, ranges[port.source])
    if port.quantization is not None:
        allowed = Tolerance(allowed.absolute * port.quantization.scale, 1e-6)
    result = run_chain(catalog, chain, real[chain.tensor])
    return GoldenRecord(sample, "result", chain.name, allowed, result=result)


def _tolerance(artifact: Artifact, port: Port, reach: float) -> Tolerance:
    if port.quantization is not None:
        return Tolerance(float(INTEGER_STEPS))
    share = TOLERANCES.get(artifact.precision, TOLERANCES["float16"])
    return Tolerance(float(np.float32(share * reach)))
