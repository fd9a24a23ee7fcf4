"""The DAG of jobs, and everything about targets and runtimes that can be known before anything is started."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from packager.core.errors import Finding, PlanError
from packager.model.contract import Chain
from packager.model.manifest import Manifest
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
    """The plan for a manifest whose chains were checked.

    `only` keeps the named targets. Raises `PlanError` with every unsupported pair of target, runtime and
    precision, each at its line.
    """
    inputs, outputs = chains
    targets = tuple(t for t in manifest.targets if not only or t.id in set(only))
    findings = _unsupported(manifest, source, catalog)
    if findings:
        raise PlanError(tuple(findings))
    artifacts = _requests(manifest, targets)
    return Plan(
        source=source,
        inputs=inputs,
        outputs=outputs,
        artifacts=artifacts,
        targets=targets,
        jobs=_jobs(manifest, artifacts, [t.id for t in targets]),
        contract_hash=contract_hash(inputs, outputs),
        notes=(*source.unseen, *_notes(manifest)),
        missing_tools=_missing_tools(catalog, [t.id for t in targets]),
        estimated_bytes=_estimates(source, artifacts),
    )


def _unsupported(manifest: Manifest, source: ModelSource, catalog: Catalog) -> list[Finding]:
    findings = []

    def find(place: tuple[str | int, ...], what: str, expected: str = "", hint: str = "") -> None:
        where = manifest.where(*place)
        findings.append(Finding(what, where, expected, hint, manifest.line_at(where)))

    for target in manifest.targets:
        place = ("targets", *target.id.split("."))
        spec = catalog.targets[target.id]
        if catalog.engine(target.runtime, spec.language) is None:
            able = [rt for rt in catalog.runtimes if catalog.engine(rt, spec.language) is not None]
            find(
                (*place, "runtime"),
                f"target `{target.id}` has no {spec.language} engine for runtime `{target.runtime}`",
                expected="one of " + ", ".join(f"`{rt}`" for rt in able),
            )
        for precision in target.precision:
            for reason in catalog.runtimes[target.runtime].check(source, precision):
                find((*place, "precision"), f"{target.runtime}/{precision}: {reason}")
            if precision == "int8" and not manifest.calibration:
                find(
                    (*place, "precision"),
                    f"{target.runtime}/int8 needs calibration data",
                    expected="`calibration:` with some dozens of typical inputs",
                )
    for index, wanted in enumerate(manifest.formats):
        runtime, _, precision = wanted.partition("/")
        for reason in catalog.runtimes[runtime].check(source, precision):
            find(("formats", index), f"{wanted}: {reason}")
        if precision == "int8" and not manifest.calibration:
            find(("formats", index), f"{wanted} needs calibration data", "`calibration:` with typical inputs")
    return findings


def _requests(manifest: Manifest, targets: tuple[object, ...]) -> tuple[ArtifactRequest, ...]:
    wanted: dict[tuple[str, str], list[str]] = {}
    for name in manifest.formats:
        runtime, _, precision = name.partition("/")
        wanted.setdefault((runtime, precision), []).append("formats")
    for target in manifest.targets:
        if target in targets:
            wanted.setdefault((target.runtime, target.precision[0]), []).append(target.id)
    return tuple(ArtifactRequest(r, p, tuple(by)) for (r, p), by in sorted(wanted.items()))


def _jobs(manifest: Manifest, artifacts: tuple[ArtifactRequest, ...], targets: list[str]) -> tuple[Job, ...]:
    jobs = [Job("contract", (), f"{len(manifest.samples)} samples through the reference steps and the source model")]
    if any(a.precision == "int8" for a in artifacts):
        jobs.append(Job("calibration", ("contract",), "calibration inputs through the reference steps"))
    for artifact in artifacts:
        needs = ("contract", "calibration") if artifact.precision == "int8" else ("contract",)
        jobs.append(Job(f"convert:{artifact.id}", needs, "for " + ", ".join(artifact.wanted_by)))
        jobs.append(Job(f"verify:{artifact.id}", (f"convert:{artifact.id}",)))
    for target in targets:
        needed = [f"verify:{a.id}" for a in artifacts if target in a.wanted_by]
        jobs.append(Job(f"render:{target}", tuple(needed)))
    ends = [f"render:{t}" for t in targets] or [f"verify:{a.id}" for a in artifacts]
    return (*jobs, Job("bundle", tuple(ends)))


def _notes(manifest: Manifest) -> tuple[str, ...]:
    notes = []
    if not manifest.samples:
        notes.append("no samples: the contract is not proven, and projects hold no golden vectors")
    elif not any(sample.expect for sample in manifest.samples):
        notes.append("no sample has `expect:`: a wrong contract cannot be noticed")
    return tuple(notes)


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
