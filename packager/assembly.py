"""Joins what the stages made: render inputs, the bundle's content, its receipt and its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packager.core.errors import BundleError
from packager.core.hashing import json_hash, tool_versions
from packager.core.jsonable import to_json
from packager.core.resources import cpu_class
from packager.model.artifact import Artifact
from packager.model.contract import Chain, NativeChain
from packager.model.evaluation import LabelledData
from packager.model.golden import ArtifactGolden, GoldenRecord, SampleGolden, Stage, Tolerance
from packager.model.manifest import Manifest, Target
from packager.model.plan import Plan
from packager.model.project import RenderedFile
from packager.model.source import ModelSource
from packager.plan import about_data
from packager.registry import Catalog
from packager.session import Inputs
from packager.stages import bundle, render
from packager.stages.verify import Verified

MODELS = "models"
GOLDEN = "golden"


@dataclass(frozen=True)
class Parts:
    """What is known before rendering."""

    manifest: Manifest
    plan: Plan
    goldens: tuple[SampleGolden, ...]
    verified: tuple[Verified, ...]
    inputs: Inputs
    labelled: LabelledData | None = None


@dataclass(frozen=True)
class RenderedProject:
    """One target's project in memory."""

    target: Target
    project: render.ProjectInput
    files: tuple[RenderedFile, ...]


@dataclass(frozen=True)
class Content:
    """Everything of a bundle before it is published."""

    name: str
    receipt: bundle.Receipt
    evidence: Mapping[str, Any]
    files: tuple[RenderedFile, ...] = field(repr=False)


def label_lists(outputs: Iterable[Chain], catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Labels by output name, from the steps that have some."""
    found: dict[str, tuple[str, ...]] = {}
    for chain in outputs:
        for use in chain.steps:
            class_names = getattr(catalog.steps[use.step], "class_names", None)
            if class_names is not None:
                found[chain.name] = class_names(use.bound)
    return found


def project_input(
    parts: Parts,
    target: Target,
    made: Verified,
    inputs: tuple[NativeChain, ...],
    outputs: tuple[NativeChain, ...],
    catalog: Catalog,
) -> render.ProjectInput:
    """What one project is rendered from."""
    spec = catalog.targets[target.id]
    engine = catalog.engine(target.runtime, spec.language)
    if engine is None:
        raise AssertionError(f"the plan let {target.id} pass without an engine")
    labels = label_lists(parts.plan.outputs, catalog)
    return render.ProjectInput(
        name=parts.manifest.name,
        version=parts.manifest.version,
        license=parts.manifest.license,
        target=spec,
        options=target.options,
        engine=engine,
        artifact=made.artifact,
        golden=made.golden,
        inputs=inputs,
        outputs=outputs,
        contract_hash=parts.plan.contract_hash,
        labels=next(iter(labels.values()), ()),
        samples=_bundled_samples(parts),
        versions=catalog.versions,
    )


def _bundled_samples(parts: Parts) -> tuple[render.SampleFile, ...]:
    if not parts.goldens:
        return ()
    first = parts.manifest.samples[0]
    return render.bundled_samples(
        parts.goldens[0], first, parts.plan.inputs, lambda address: parts.inputs.resolve(address, BundleError)
    )


def content(parts: Parts, projects: Sequence[RenderedProject], chosen: Mapping[str, str], catalog: Catalog) -> Content:
    """All files of the bundle with receipt and evidence."""
    manifest = parts.manifest
    name = f"{manifest.name}-{manifest.version}"
    files: list[RenderedFile] = [file for project in projects for file in project.files]
    for made in parts.verified:
        files += render.model_files(made.artifact, _model_path(made.artifact))
        files += render.golden_files(made.golden, f"{GOLDEN}/{made.artifact.runtime}-{made.artifact.precision}", False)
    files += render.golden_files(_source_golden(parts), f"{GOLDEN}/source")
    notice = _notice(parts, catalog)
    files.append(notice)
    files += [RenderedFile(f"{p.project.target.root}/{notice.path}", notice.read()) for p in projects]
    files += [_zip(manifest, p, files) for p in projects]
    files.sort(key=lambda file: file.path)
    receipt = bundle.build_receipt(
        manifest=_manifest_json(manifest),
        inputs=dict(sorted(parts.inputs.read.items())),
        artifacts=[_artifact_json(made) for made in parts.verified],
        targets={p.target.id: _target_json(p, chosen) for p in projects},
        contract=parts.plan.contract_hash,
        files=files,
    )
    return Content(name, receipt, _evidence(parts, catalog), tuple(files))


def _zip(manifest: Manifest, project: RenderedProject, files: Iterable[RenderedFile]) -> RenderedFile:
    root = project.project.target.root
    return bundle.zip_files(f"{manifest.name}-{manifest.version}-{project.target.id.replace('.', '-')}", root, files)


def _model_path(artifact: Artifact) -> str:
    return f"{MODELS}/{artifact.runtime}/{artifact.precision}/{artifact.file_name}"


def _source_golden(parts: Parts) -> ArtifactGolden:
    records: list[GoldenRecord] = []
    exact = Tolerance()
    for golden in parts.goldens:
        stages: tuple[tuple[Stage, Mapping[str, Any]], ...] = (
            ("decode", golden.decoded),
            ("input", golden.model_inputs),
            ("output", golden.outputs),
        )
        for stage, arrays in stages:
            records += [GoldenRecord(golden.name, stage, name, exact, array) for name, array in arrays.items()]
        records += [GoldenRecord(golden.name, "result", name, exact, result=r) for name, r in golden.results.items()]
    return ArtifactGolden("source", f"source ({_original(parts.plan).format})", tuple(records))


def _original(plan: Plan) -> ModelSource:
    return plan.source.origin or plan.source


def _manifest_json(manifest: Manifest) -> dict[str, Any]:
    left_out = {"file", "positions", "lines"}
    data: dict[str, Any] = manifest.model_dump(mode="json", exclude=left_out, exclude_none=True, by_alias=True)
    return data


def _artifact_json(made: Verified) -> dict[str, Any]:
    artifact = made.artifact
    data: dict[str, Any] = {
        "runtime": artifact.runtime,
        "precision": artifact.precision,
        "path": _model_path(artifact),
        "sha256": artifact.sha256,
        "bytes": artifact.bytes,
        "inputs": to_json(artifact.inputs),
        "outputs": to_json(artifact.outputs),
        "ops": dict(artifact.ops),
        "requires": {item.name: item.version for item in artifact.requires},
        "golden": f"{GOLDEN}/{artifact.runtime}-{artifact.precision}",
        "kernel_set": made.golden.kernel_set,
    }
    if made.waived is not None:
        data["waived"] = made.waived
    return data


def _target_json(rendered: RenderedProject, chosen: Mapping[str, str]) -> dict[str, Any]:
    target, spec = rendered.target, rendered.project.target
    return {
        "root": spec.root,
        "runtime": target.runtime,
        "precision": chosen[target.id],
        "candidates": list(target.precision),
        "engine": rendered.project.engine.summary,
        "kernel_set": rendered.project.golden.kernel_set,
        "language": spec.language,
        "minimum": dict(spec.minimum),
        "options": dict(target.options),
    }


def _notice(parts: Parts, catalog: Catalog) -> RenderedFile:
    origins = [
        bundle.Origin(address.rpartition("/")[2].rpartition("!")[2], address, license_)
        for address, license_ in sorted(parts.inputs.licenses.items())
    ]
    runtimes = {rt: catalog.runtimes[rt].LICENSE for rt in sorted({m.artifact.runtime for m in parts.verified})}
    manifest = parts.manifest
    return bundle.notice(manifest.name, manifest.version, manifest.license, origins, runtimes)


def _labelled_json(data: LabelledData | None, samples: int) -> dict[str, Any]:
    """What accuracy rests on: labelled data, or the words that there is none."""
    if data is None:
        return {"established": False, "why": f"accuracy not established, n = {samples}"}
    files = json_hash([sorted(sample.hashes.items()) for sample in data.samples])
    return {"established": True, **about_data(data), "files_hash": files}


def _evidence(parts: Parts, catalog: Catalog) -> dict[str, Any]:
    verdicts = [verdict for made in parts.verified for verdict in made.verdicts]
    tools = {tool for made in parts.verified for tool in catalog.runtimes[made.artifact.runtime].TOOLS}
    for source in {parts.plan.source.format, _original(parts.plan).format}:
        tools |= set(catalog.sources[source].TOOLS)
    return {
        "format": 1,
        "samples": len(parts.goldens),
        "evaluation": _labelled_json(parts.labelled, len(parts.goldens)),
        "artifacts": bundle.artifact_rows(verdicts, {m.artifact.id: m.artifact.bytes for m in parts.verified}),
        "tests": [],
        "machine": {"cpu": cpu_class()},
        "tools": {**tool_versions(sorted(tools)), **_original(parts.plan).facts.get("tools", {})},
    }


def publish(made: Content, out: Path, force: bool) -> Path:
    """Publish the bundle; refuses to replace an edited one unless forced, keeps test results of equal content."""
    old = out / made.name
    evidence = {**made.evidence, "content_hash": made.receipt.content_hash}

    def before_swap(staged: Path) -> None:
        if old.exists() and not force:
            _refuse_edited(old)
        evidence["tests"] = bundle.kept_tests(old, made.receipt.content_hash)
        bundle.write_evidence(staged, made.receipt.data, evidence)

    receipt = RenderedFile("bundle.json", made.receipt.text())
    return bundle.publish(out, made.name, [*made.files, receipt], before_swap)


def _refuse_edited(old: Path) -> None:
    findings = bundle.edited(old)
    if findings:
        raise BundleError(findings)


def record_tests(tested: bundle.Opened, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put new test rows in the place of older ones of the same targets, and write evidence and report.

    Raises `BundleError` where the bundle was rebuilt with other content meanwhile.
    """

    def write() -> None:
        now = bundle.open_bundle(tested.path)
        if now.receipt["content_hash"] != tested.receipt["content_hash"]:
            raise BundleError(f"{tested.path} was rebuilt while its tests ran", hint="run the tests again")
        targets = {row["target"] for row in rows}
        kept = [test for test in now.evidence["tests"] if test["target"] not in targets]
        tests = sorted([*kept, *rows], key=lambda row: str(row["target"]))
        bundle.write_evidence(now.path, now.receipt, {**now.evidence, "tests": tests})

    bundle.change(tested.path, write)
