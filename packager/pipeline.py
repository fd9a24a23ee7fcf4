"""The order of the stages, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packager import assembly
from packager.core.console import Console
from packager.core.errors import (
    BundleChangedError,
    Finding,
    ManifestError,
    NativeTestError,
    ToolMissingError,
    UsageError,
)
from packager.core.findings import one_of, suggest
from packager.core.samples import read_samples, write_samples
from packager.manifest import load
from packager.model.golden import SampleGolden
from packager.model.manifest import Manifest, Target
from packager.model.plan import Plan
from packager.model.target import TargetSpec
from packager.opening import exported, find_original
from packager.plan import about_data, check_without_model, lower_chains, make
from packager.plan import check as check_plan
from packager.session import Inputs, NotHereError, Session
from packager.stages import bundle, contract, convert, prove, render, reverify, toolset
from packager.stages.verify import Verified
from packager.workshop import Project, Workshop, labelled_data


@dataclass(frozen=True)
class Checked:
    """What `check` found: no project where a package file is not here yet."""

    manifest: Manifest
    project: Project | None
    unseen: tuple[str, ...]


def check(session: Session, path: Path) -> Checked:
    """Manifest, files, contract types and targets; starts no worker and opens no network."""
    manifest = load(path, session.catalog)
    inputs = Inputs(session.resolver(path.parent), online=False)
    try:
        project = _project(session, manifest, inputs)
    except NotHereError as missing:
        check_without_model(manifest, session.catalog)
        return Checked(manifest, None, (f"{missing} is not in the cache; `plan` and `build` get it",))
    unseen = (*project.source.unseen, *_samples_here(manifest, inputs), *_labelled_here(session, project))
    return Checked(manifest, project, unseen)


def _labelled_here(session: Session, project: Project) -> tuple[str, ...]:
    try:
        with session.cache.temporary() as scratch:
            labelled_data(session, project, scratch)
    except NotHereError as missing:
        return (f"the labelled data is not checked: {missing} is not in the cache; `plan` and `build` fetch it",)
    return ()


def _samples_here(manifest: Manifest, inputs: Inputs) -> tuple[str, ...]:
    unseen = []
    addresses = [a for sample in manifest.samples for a in sample.files.values()]
    addresses += [a for given in manifest.calibration.values() for a in given]
    for address in addresses:
        try:
            inputs.resolve(address, ManifestError)
        except NotHereError:
            unseen.append(f"{address} is not in the cache; `build` fetches it")
    return tuple(unseen)


def _project(session: Session, manifest: Manifest, inputs: Inputs) -> Project:
    original = find_original(session, manifest.model, inputs, manifest.where)
    opened = exported(session, original, inputs.online, manifest.where)
    chains = check_plan(manifest, opened.source, session.catalog, lambda a: inputs.resolve(a, ManifestError))
    return Project(manifest, original, opened, chains, inputs)


def plan(session: Session, path: Path, only: Sequence[str] = ()) -> tuple[Project, Plan]:
    """What `build` will do, for the targets of `only`. Fetches the model where it is not here.

    Starts no worker but for a model that only its own framework can open.
    """
    project, made = _planned(session, path, only)
    with session.cache.temporary() as scratch:
        data = labelled_data(session, project, scratch)
    return project, made if data is None else replace(made, evaluation=about_data(data))


def _planned(session: Session, path: Path, only: Sequence[str]) -> tuple[Project, Plan]:
    with session.console.stage("check"):
        manifest = load(path, session.catalog)
        refuse_unknown(only, [target.id for target in manifest.targets], str(path))
        project = _project(session, manifest, Inputs(session.resolver(path.parent)))
        return project, make(manifest, project.source, project.chains, session.catalog, only)


def refuse_unknown(names: Sequence[str], known: Sequence[str], where: str) -> None:
    """Raise `UsageError` for a target id that is not among `known`."""
    for name in names:
        if name not in known:
            expected = one_of(known) if known else "something with targets"
            raise UsageError(f"{where} has no target `{name}`", expected=expected, hint=suggest(name, known))


def build(session: Session, path: Path, out: Path, only: Sequence[str] = (), force: bool = False) -> Path:
    """All stages; returns the published bundle."""
    bundle.prepare(out)
    project, made = _planned(session, path, only)
    with session.cache.temporary() as scratch:
        data = labelled_data(session, project, scratch)
        goldens = _contract(session, project, made, scratch)
        workshop = Workshop(session, project, made, goldens, scratch)
        if data is not None:
            workshop.evaluate_on(data)
        chosen, verified = workshop.choose(), workshop.verified
        with session.console.stage("render"):
            parts = assembly.Parts(project.manifest, made, goldens, tuple(verified.values()), project.inputs, data)
            projects = [_render(session, parts, t, verified[f"{t.runtime}/{chosen[t.id]}"]) for t in made.targets]
        with session.console.stage("bundle"):
            content = assembly.content(parts, projects, chosen, session.catalog)
            return assembly.publish(content, out, force)


def measure(session: Session, project: Project, made: Plan) -> tuple[Verified, ...]:
    """Convert and verify every artefact of a plan without judging them; nothing is published."""
    with session.cache.temporary() as scratch:
        workshop = Workshop(session, project, made, _contract(session, project, made, scratch), scratch)
        return tuple(workshop.make(request) for request in made.artifacts)


def _contract(session: Session, project: Project, made: Plan, scratch: Path) -> tuple[SampleGolden, ...]:
    def run_source(feeds: list[Any]) -> list[Any]:
        folder = write_samples(scratch / "source-feeds", feeds)
        return list(read_samples(session.actions.run(convert.reference_action(project.original, folder))))

    with session.console.stage("contract"):
        return contract.source_goldens(
            project.manifest, made, session.catalog, lambda a: project.inputs.resolve(a, ManifestError), run_source
        )


def _render(session: Session, parts: assembly.Parts, target: Target, made: Verified) -> assembly.RenderedProject:
    catalog, plan_ = session.catalog, parts.plan
    inputs, outputs = lower_chains(plan_.inputs, plan_.outputs, made.artifact, catalog)
    project = assembly.project_input(parts, target, made, inputs, outputs, catalog)
    return assembly.RenderedProject(target, project, tuple(render.render(project, catalog)))


def verify_bundle(session: Session, path: Path) -> list[Mapping[str, Any]]:
    """Every hash, then every golden vector against every model; returns one row per artefact."""
    opened = _unchanged(session, path)
    with session.console.stage("golden vectors"), session.cache.temporary() as scratch:
        rows = reverify.reverify(opened.path, opened.receipt, session.catalog, session.actions, scratch)
    failed = [Finding(f"{row['artifact']}: {row['why']}") for row in rows if not row["passed"]]
    if failed:
        raise BundleChangedError(tuple(failed))
    return rows


def _unchanged(session: Session, path: Path) -> bundle.Opened:
    bundle.tidy(path.absolute().parent)
    opened = bundle.open_bundle(path)
    with session.console.stage("hashes"):
        findings = bundle.check_files(opened)
    if findings:
        raise BundleChangedError(tuple(findings))
    return opened


def test_bundle(session: Session, path: Path, only: Sequence[str] = ()) -> list[prove.Row]:
    """Run the targets' harnesses on copies of the projects; writes evidence and report."""
    opened = _unchanged(session, path)
    refuse_unknown(only, list(opened.receipt["targets"]), str(path))
    sets = toolset.toolsets(session.catalog)
    rows = []
    for target_id, entry in opened.receipt["targets"].items():
        if only and target_id not in only:
            continue
        spec = session.catalog.targets.get(target_id)
        if spec is None:
            rows.append(prove.Row(target_id, entry["language"], "none", why="this installation has no such target"))
            continue
        needed = sets.get(spec.harness.toolset) if spec.harness else None
        problem = toolset.problem(spec, needed) or _lacking(spec, opened.receipt)
        with session.console.stage(f"test {target_id}"), session.cache.temporary() as work:
            where = toolset.folder(needed) if needed else None
            rows.append(prove.prove(spec, opened.path, entry["root"], where, work, session.runner, problem))
    assembly.record_tests(opened, [row.to_json() for row in rows])
    return rows


def _lacking(spec: TargetSpec, receipt: Mapping[str, Any]) -> str:
    """What a harness runs beside the project's own model, where the bundle does not hold it."""
    here = {f"{artifact['runtime']}/{artifact['precision']}" for artifact in receipt["artifacts"]}
    gone = [name for name in spec.harness.artifacts if name not in here] if spec.harness else []
    return f"its harness needs {', '.join(gone)} in the bundle: add it to `formats:`" if gone else ""


def refuse_failed(rows: Sequence[prove.Row]) -> None:
    """Raise `NativeTestError` with every failed native test, its stage and its log."""
    findings = [
        Finding(f"{row.target} ({row.language}) failed: {row.why}", hint=f"its log: {row.log}")
        for row in rows
        if row.result == "failed"
    ]
    if findings:
        raise NativeTestError(tuple(findings))


SHOWN = (("max_abs", ".3g"), ("mean_abs", ".3g"), ("cosine", ".6f"))


def _figure(value: float | None, form: str) -> str:
    return "not finite" if value is None else format(value, form)


def show_bundle(console: Console, path: Path) -> None:
    """Print what a build made."""
    opened = bundle.open_bundle(path)
    rows = []
    for row in opened.evidence["artifacts"]:
        figures = row["gate"]["figures"]
        kept = f"{figures['decisions_kept']} of {figures['decisions']}"
        state = "passed" if row["gate"]["kernel_set_passed"] else f"waived: {row['gate'].get('waived')}"
        name = f"{row['runtime']}/{row['precision']}"
        shown = [_figure(figures[key], form) for key, form in SHOWN]
        rows.append((name, row["kernel_set"], f"{row['bytes']:,}", *shown, kept, state))
    columns = ("artefact", "kernel set", "bytes", "max abs", "mean abs", "cosine", "decisions kept", "gate")
    console.table(f"verified on {opened.evidence['samples']} samples", columns, rows)
    for target_id, entry in opened.receipt["targets"].items():
        console.line(f"{target_id}: {path / entry['root']} ({entry['runtime']}/{entry['precision']})")
    console.line(f"content hash: {opened.receipt['content_hash']}")
    console.line(f"report: {path / 'report.html'}")


def install_toolset(session: Session, name: str) -> None:
    """Print what will be fetched, then install one toolset."""
    sets = toolset.toolsets(session.catalog)
    if name not in sets:
        raise UsageError(f"there is no toolset `{name}`", expected="one of " + ", ".join(sets))
    chosen = sets[name]
    console = session.console
    if toolset.is_installed(chosen):
        console.line(f"{name}: installed already")
        return
    console.line(f"{name}: {chosen.summary}" + (f" ({chosen.size})" if chosen.size else ""))
    for step in toolset.steps(chosen):
        console.line(f"  {step}")
    resolver = session.resolver(Path())
    with session.console.stage(f"install {name}") as stage:
        toolset.install(chosen, lambda a: resolver.resolve(a, ToolMissingError), session.runner, stage.waiting)
    console.line(f"{name}: installed")


def diagnose(session: Session) -> list[dict[str, str]]:
    """What this machine has: tools of each target's harness and the toolsets."""
    rows = []
    sets = toolset.toolsets(session.catalog)
    for target in session.catalog.targets.values():
        needed = sets.get(target.harness.toolset) if target.harness else None
        problem = toolset.problem(target, needed)
        rows.append({"what": f"test of {target.id}", "state": "ready" if not problem else "skipped", "do": problem})
    for module in session.catalog.sources.values():
        for what, state, do in getattr(module, "doctor", tuple)():
            rows.append({"what": what, "state": state, "do": do})
    for chosen in sets.values():
        state = "installed" if toolset.is_installed(chosen) else "not installed"
        do = "" if state == "installed" else f"packager doctor --install {chosen.name}"
        rows.append({"what": f"toolset {chosen.name}", "state": state, "do": do})
    return rows
