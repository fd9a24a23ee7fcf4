"""Runs one artefact in every kernel set, compares it with the source, and keeps its golden vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.core.actions import RESULT, Action, Actions
from packager.core.errors import ConvertError, ModelError
from packager.core.samples import read_samples, write_samples
from packager.model.artifact import Artifact, BatchCheck, Port, Verdict
from packager.model.contract import Chain, Classification, Mask
from packager.model.evaluation import Accuracy
from packager.model.golden import ArtifactGolden, GoldenRecord, SampleGolden, Tolerance
from packager.model.manifest import Gate
from packager.model.plan import Plan
from packager.model.plugins import RuntimeModule
from packager.plan.reference import run_output, taken
from packager.registry import Catalog
from packager.stages.verify.batch import batch_feeds, judge_batch, lost_batch
from packager.stages.verify.figures import figures, output_range
from packager.stages.verify.gate import judge, judge_accuracy, thresholds, waiver
from packager.stages.verify.results import decided_by_largest, decisions, pixel_tolerance, result_range

TOLERANCES = {"float32": 1e-4, "float16": 2e-2}
"""Stage `output`, of the output's range: other processors sum in another order; float16 also rounds otherwise."""
MASK_SHARE = 10.0
"""Pixels of a mask that may differ, as a multiple of the output's own tolerance (of its range)."""
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
    feeds = [stored(artifact, golden.model_inputs, catalog) for golden in goldens]
    folder = write_samples(scratch / f"feeds-{artifact.runtime}-{artifact.precision}", feeds)
    ran = actions.run(run_action(artifact, runtime, folder))
    kernel_sets = _kernel_sets(ran, runtime, artifact.precision)
    limits = thresholds(gates, artifact.runtime, artifact.precision)
    raw = {name: list(read_samples(ran / name)) for name in kernel_sets}
    verdicts = tuple(_verdict(artifact, name, raw[name], goldens, plan, catalog, limits, gates) for name in kernel_sets)
    if plan.source.free:
        verdicts = _in_batches(artifact, verdicts, feeds, plan, catalog, actions, gates, scratch)
    finite = not any(verdict.figures.non_finite for verdict in verdicts)
    records = _records(artifact, goldens, feeds, raw[kernel_sets[0]], plan, catalog) if finite else ()
    return Verified(artifact, verdicts, ArtifactGolden(artifact.id, kernel_sets[0], records))


def _in_batches(
    artifact: Artifact,
    verdicts: Sequence[Verdict],
    feeds: Sequence[Mapping[str, NDArray[Any]]],
    plan: Plan,
    catalog: Catalog,
    actions: Actions,
    gates: Mapping[str, Gate],
    scratch: Path,
) -> tuple[Verdict, ...]:
    """The verdicts with what several samples in one run give, beside each of them alone."""
    lost = lost_batch(artifact, plan.source.free)
    if lost is not None:
        return tuple(_with_reasons(verdict, (lost,), gates) for verdict in verdicts)
    several = batch_feeds(feeds, plan.source.free)
    folder = write_samples(scratch / f"batch-{artifact.runtime}-{artifact.precision}", several)
    try:
        ran = actions.run(run_action(artifact, catalog.runtimes[artifact.runtime], folder))
    except (ConvertError, ModelError) as fault:  # an evaluator of ours refuses what it cannot run as a model
        why = f"it cannot run a batch of {len(several) - 1}: {fault.findings[0].what}"
        return tuple(_with_reasons(verdict, (why,), gates) for verdict in verdicts)
    judged = []
    for verdict in verdicts:
        answers = list(read_samples(ran / verdict.kernel_set))
        found, reasons = judge_batch(
            answers,
            verdict.thresholds,
            lambda outputs: _real([to_source_units(artifact, outputs, catalog)], plan)[0],
        )
        judged.append(_with_reasons(verdict, reasons, gates, found))
    return tuple(judged)


def _with_reasons(
    verdict: Verdict, more: tuple[str, ...], gates: Mapping[str, Gate], batch: BatchCheck | None = None
) -> Verdict:
    reasons, seen = (*verdict.reasons, *more), replace(verdict, batch=batch)
    waived = waiver(gates, verdict.runtime, verdict.precision) if reasons and seen.finite else None
    return replace(seen, passed=not reasons, reasons=reasons, waived=waived)


def _kernel_sets(ran: Path, runtime: RuntimeModule, precision: str) -> list[str]:
    """Those that ran: what RUN says, or all of the runtime's where it says nothing."""
    result = ran / RESULT
    said = json.loads(result.read_bytes()).get("kernel_sets") if result.is_file() else None
    return list(said if said is not None else runtime.kernel_sets(precision))


def run_action(artifact: Artifact, runtime: RuntimeModule, feeds: Path) -> Action:
    """Run an artefact in all its kernel sets over `feeds`, a folder of its own inputs by source name."""
    return Action(
        name=f"run {artifact.id}",
        kind=runtime.RUN_WORKER,
        entry=runtime.RUN,
        request={
            "precision": artifact.precision,
            "kernel_sets": list(runtime.kernel_sets(artifact.precision)),
            "mapping": {
                "inputs": {port.source: port.name for port in artifact.inputs},
                "outputs": {port.source: port.name for port in artifact.outputs},
            },
        },
        inputs={"model": artifact.path, "feeds": feeds},
        input_hashes={"model": artifact.sha256},
        code=runtime.CODE,
        tools=runtime.TOOLS,
        error=ConvertError,
    )


def with_accuracy(made: Verified, found: Mapping[str, Accuracy | str], gates: Mapping[str, Gate]) -> Verified:
    """The verdicts with what was measured on labelled data, by kernel set; a drop above the limit fails them."""
    return replace(
        made, verdicts=tuple(_judged(verdict, found[verdict.kernel_set], gates) for verdict in made.verdicts)
    )


def _judged(verdict: Verdict, found: Accuracy | str, gates: Mapping[str, Gate]) -> Verdict:
    reasons = (*verdict.reasons, *judge_accuracy(found))
    waivable = reasons and verdict.finite and not isinstance(found, str)
    return replace(
        verdict,
        accuracy=None if isinstance(found, str) else found,
        passed=not reasons,
        reasons=reasons,
        waived=waiver(gates, verdict.runtime, verdict.precision) if waivable else None,
    )


def stored(artifact: Artifact, inputs: Mapping[str, NDArray[Any]], catalog: Catalog) -> dict[str, NDArray[Any]]:
    """An artefact's own inputs of the model's, by source name: quantised where its interface is."""
    return {port.source: _to_stored(port, inputs[port.source], catalog) for port in artifact.inputs}


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


def to_source_units(
    artifact: Artifact, outputs: Mapping[str, NDArray[Any]], catalog: Catalog
) -> dict[str, NDArray[Any]]:
    """An artefact's raw outputs in the source's units, by source name."""
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
    decided = [chain.tensor for chain in plan.outputs if decided_by_largest(chain)]
    source = [{port.source: golden.outputs[port.source] for port in artifact.outputs} for golden in goldens]
    got = [to_source_units(artifact, outputs, catalog) for outputs in raw]
    margin = limits.get("margin", 0.0)
    found = figures(_real(source, plan), _real(got, plan), decided, margin)
    kept, made, undecided = decisions(goldens, got, plan, catalog, margin)
    found = replace(
        found,
        decisions_kept=found.decisions_kept + kept,
        decisions=found.decisions + made,
        undecided=found.undecided + undecided,
    )
    reasons = judge(found, limits)
    # Values that are not finite give no result, so there would be nothing to ship golden vectors of.
    waivable = reasons and not found.non_finite
    waived = waiver(gates, artifact.runtime, artifact.precision) if waivable else None
    return Verdict(artifact.runtime, artifact.precision, kernel_set, found, limits, not reasons, reasons, waived)


def _real(samples: Sequence[Mapping[str, NDArray[Any]]], plan: Plan) -> list[dict[str, NDArray[Any]]]:
    """Outputs as real numbers: a source with integer outputs says in their quantisation what they stand for."""
    scales = {spec.name: spec.quantization for spec in plan.source.outputs}

    def real(name: str, array: NDArray[Any]) -> NDArray[Any]:
        held = scales.get(name)
        return array if held is None else (array.astype(np.float64) - held.zero_point) * held.scale

    return [{name: real(name, array) for name, array in sample.items()} for sample in samples]


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
        real = to_source_units(artifact, outputs, catalog)
        for port in artifact.outputs:
            allowed = _tolerance(artifact, port, ranges[port.source])
            value = outputs[port.source]
            records.append(
                GoldenRecord(golden.name, "output", port.source, allowed, value, quantization=port.quantization)
            )
        records += [_result(artifact, chain, golden, real, ranges, catalog) for chain in plan.outputs]
    return tuple(records)


def _result(
    artifact: Artifact,
    chain: Chain,
    golden: SampleGolden,
    real: Mapping[str, NDArray[Any]],
    ranges: Mapping[str, float],
    catalog: Catalog,
) -> GoldenRecord:
    """The result of an artefact's own output; how near another processor must come depends on the kind of result."""
    ports = [port for port in artifact.outputs if port.source in chain.made]
    result = run_output(catalog, chain, real, golden.model_inputs, golden.decoded)
    limits = [_real_tolerance(artifact, port, ranges[port.source]) for port in ports]
    share = max(limit.absolute / ranges[port.source] for limit, port in zip(limits, ports, strict=True))
    allowed = limits[0] if isinstance(result, Classification) else Tolerance(float(np.float32(share)), 1e-6)
    # A difference of two outputs moves with both of them.
    apart = sum(limit.absolute for limit in limits)
    moved = _moved(catalog, chain, taken(chain, real, golden.model_inputs), apart)
    if isinstance(result, Mask):
        allowed = Tolerance(float(np.float32(MASK_SHARE * share)))
    elif moved is not None:
        allowed = moved
    elif reach := result_range([result]):
        allowed = Tolerance(float(np.float32(share * reach)), 1e-6)
    pixels = pixel_tolerance(chain, result, share, golden)
    return GoldenRecord(golden.name, "result", chain.name, allowed, result=result, pixels=pixels)


def _moved(catalog: Catalog, chain: Chain, value: Any, limit: float) -> Tolerance | None:
    """How far a first step that sums up many elements moves with them; None for any other first step."""
    reach = getattr(catalog.steps[chain.steps[0].step], "reach", None) if chain.steps else None
    if reach is None:
        return None
    return Tolerance(float(np.float32(reach(chain.steps[0].bound, value, limit))), 1e-6)


def _real_tolerance(artifact: Artifact, port: Port, reach: float) -> Tolerance:
    """Stage `output`'s tolerance in real units."""
    allowed = _tolerance(artifact, port, reach)
    if port.quantization is None:
        return allowed
    return Tolerance(allowed.absolute * port.quantization.scale, 1e-6)


def _tolerance(artifact: Artifact, port: Port, reach: float) -> Tolerance:
    if port.quantization is not None or port.dtype in ("int8", "uint8"):
        return Tolerance(float(INTEGER_STEPS))
    share = TOLERANCES.get(artifact.precision, TOLERANCES["float16"])
    return Tolerance(float(np.float32(share * reach)))
