"""The DAG of jobs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from packager.model.contract import Chain
from packager.model.manifest import Manifest, Target
from packager.model.plan import ArtifactRequest, Job, Plan
from packager.model.source import ModelSource
from packager.plan.chains import contract_hash
from packager.registry import Catalog


def make(
    manifest: Manifest,
    source: ModelSource,
    chains: tuple[tuple[Chain, ...], tuple[Chain, ...]],
    catalog: Catalog,
    only: Iterable[str] = (),
) -> Plan:
    """The plan for a manifest that `check` let pass; `only` keeps the named targets."""
    inputs, outputs = chains
    targets = tuple(t for t in manifest.targets if not only or t.id in set(only))
    artifacts = _requests(manifest, targets, catalog)
    return Plan(
        source=source,
        inputs=inputs,
        outputs=outputs,
        artifacts=artifacts,
        targets=targets,
        jobs=_jobs(manifest, artifacts, [t.id for t in targets], catalog),
        contract_hash=contract_hash(inputs, outputs),
        notes=(*source.unseen, *_notes(manifest)),
        missing_tools=_missing_tools(catalog, [t.id for t in targets]),
        estimated_bytes=_estimates(source, artifacts),
    )


def _requests(manifest: Manifest, targets: tuple[Target, ...], catalog: Catalog) -> tuple[ArtifactRequest, ...]:
    wanted: dict[tuple[str, str], list[str]] = {}
    for name in manifest.formats:
        runtime, _, precision = name.partition("/")
        wanted.setdefault((runtime, precision), []).append("formats")
    for target in targets:
        wanted.setdefault((target.runtime, target.precision[0]), []).append(target.id)
        harness = catalog.targets[target.id].harness
        for name in harness.artifacts if harness else ():
            runtime, _, precision = name.partition("/")
            wanted.setdefault((runtime, precision), []).append(f"test of {target.id}")
    return tuple(ArtifactRequest(r, p, tuple(by)) for (r, p), by in sorted(wanted.items()))


def _jobs(
    manifest: Manifest, artifacts: tuple[ArtifactRequest, ...], targets: list[str], catalog: Catalog
) -> tuple[Job, ...]:
    calibrated = {a.id for a in artifacts if catalog.runtimes[a.runtime].calibrated(a.precision)}
    jobs = [Job("contract", (), f"{len(manifest.samples)} samples through the reference steps and the source model")]
    if calibrated:
        jobs.append(Job("calibration", ("contract",), "calibration inputs through the reference steps"))
    for artifact in artifacts:
        needs = ("contract", "calibration") if artifact.id in calibrated else ("contract",)
        jobs.append(Job(f"convert:{artifact.id}", needs, "for " + ", ".join(artifact.wanted_by)))
        jobs.append(Job(f"verify:{artifact.id}", (f"convert:{artifact.id}",)))
    for target in targets:
        needed = [f"verify:{a.id}" for a in artifacts if target in a.wanted_by]
        jobs.append(Job(f"render:{target}", tuple(needed)))
    rendered = {needed for job in jobs if job.id.startswith("render:") for needed in job.needs}
    checked = [f"verify:{a.id}" for a in artifacts if f"verify:{a.id}" not in rendered]
    return (*jobs, Job("bundle", (*checked, *(f"render:{t}" for t in targets))))


def _notes(manifest: Manifest) -> tuple[str, ...]:
    if any(sample.expect for sample in manifest.samples):
        return ()
    return ("no sample has `expect:`: a wrong contract cannot be noticed",)


def _missing_tools(catalog: Catalog, targets: list[str]) -> dict[str, tuple[str, ...]]:
    missing = {}
    for target in targets:
        harness = catalog.targets[target].harness
        gone = tuple(t for t in harness.tools if shutil.which(t) is None) if harness else ()
        if gone:
            missing[target] = gone
    return missing


BYTES_PER_WEIGHT = {"float32": 4.0, "float16": 2.0, "int8": 1.0, "int8-dynamic": 1.0}


def _estimates(source: ModelSource, artifacts: tuple[ArtifactRequest, ...]) -> dict[str, int]:
    weights = source.facts.get("parameters")
    if not isinstance(weights, int):
        return {}
    return {a.id: round(weights * BYTES_PER_WEIGHT.get(a.precision, 4.0)) for a in artifacts}
