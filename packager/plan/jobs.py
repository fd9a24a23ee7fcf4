"""The DAG of jobs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from packager.core.jsonable import to_json
from packager.model.contract import Chain
from packager.model.manifest import Manifest, Target
from packager.model.plan import ArtifactRequest, Job, Plan
from packager.model.source import ModelSource
from packager.plan.chains import contract_hash
from packager.plan.describe import describe
from packager.plan.predict import predict
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
    predictions = tuple(predict(request, source, catalog) for request in artifacts)
    return Plan(
        source=source,
        inputs=inputs,
        outputs=outputs,
        artifacts=artifacts,
        targets=targets,
        jobs=_jobs(manifest, source, artifacts, [t.id for t in targets], catalog),
        contract_hash=contract_hash(inputs, outputs),
        notes=(*source.unseen, *_notes(manifest), *_unsaid(manifest, inputs, outputs, artifacts, catalog)),
        missing_tools=_missing_tools(catalog, [t.id for t in targets]),
        estimated_bytes={p.artifact: p.file_bytes for p in predictions if p.file_bytes is not None},
        predictions=predictions,
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
    manifest: Manifest,
    source: ModelSource,
    artifacts: tuple[ArtifactRequest, ...],
    targets: list[str],
    catalog: Catalog,
) -> tuple[Job, ...]:
    calibrated = {a.id for a in artifacts if catalog.runtimes[a.runtime].calibrated(a.precision, source)}
    jobs = [Job("contract", (), f"{len(manifest.samples)} samples through the reference steps and the source model")]
    if calibrated:
        jobs.append(Job("calibration", ("contract",), "calibration inputs through the reference steps"))
    if manifest.evaluation is not None:
        about = f"{manifest.evaluation.metric} of the source on labelled data; every artefact is judged on it as well"
        jobs.append(Job("evaluate", ("contract",), about))
    for artifact in artifacts:
        needs = ("contract", "calibration") if artifact.id in calibrated else ("contract",)
        jobs.append(Job(f"convert:{artifact.id}", needs, "for " + ", ".join(artifact.wanted_by)))
        judged = ("evaluate",) if manifest.evaluation is not None else ()
        jobs.append(Job(f"verify:{artifact.id}", (f"convert:{artifact.id}", *judged)))
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


def _unsaid(
    manifest: Manifest,
    inputs: tuple[Chain, ...],
    outputs: tuple[Chain, ...],
    artifacts: tuple[ArtifactRequest, ...],
    catalog: Catalog,
) -> tuple[str, ...]:
    """What of the contract the artefacts' own metadata cannot say."""
    description = to_json(describe(manifest, inputs, outputs, catalog))
    notes: list[str] = []
    for name in dict.fromkeys(artifact.runtime for artifact in artifacts):
        cannot_say = getattr(catalog.runtimes[name], "cannot_say", None)
        notes += cannot_say(description) if cannot_say is not None else ()
    return tuple(notes)


def _missing_tools(catalog: Catalog, targets: list[str]) -> dict[str, tuple[str, ...]]:
    missing = {}
    for target in targets:
        harness = catalog.targets[target].harness
        gone = tuple(t for t in harness.tools if shutil.which(t) is None) if harness else ()
        if gone:
            missing[target] = gone
    return missing
