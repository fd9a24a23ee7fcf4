"""Makes artefacts: converts, stamps, verifies and, where there is labelled data, evaluates each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packager import assembly
from packager.core.errors import ConvertError, Finding, GateError, ManifestError
from packager.core.samples import write_samples
from packager.model.contract import Chain, ImageSize, Result
from packager.model.evaluation import LabelledData, LabelledSample
from packager.model.golden import SampleGolden
from packager.model.manifest import Manifest, Target
from packager.model.plan import ArtifactRequest, Plan
from packager.model.source import ModelSource
from packager.plan import Chains, describe, judged_output, read_labelled, too_old
from packager.plan.reference import run_chain, taken
from packager.session import Inputs, Session
from packager.stages import contract, convert
from packager.stages.evaluate import Evaluation
from packager.stages.verify import Verified, run_action, stored, to_source_units, verify, with_accuracy


@dataclass(frozen=True)
class Project:
    """A manifest with its looked-at model and its checked chains.

    `original` is the user's model, which the reference runs; `opened` what the converters open: the same file, or
    the one that the model's own framework exported.
    """

    manifest: Manifest
    original: convert.SourceFile
    opened: convert.SourceFile
    chains: Chains
    inputs: Inputs

    @property
    def source(self) -> ModelSource:
        """What is known of the opened model."""
        return self.opened.source

    def resolve(self, address: Any) -> Path:
        """File of an address that is not the model's."""
        return self.inputs.resolve(address, ManifestError)


def labelled_data(session: Session, project: Project, scratch: Path) -> LabelledData | None:
    """The data of `evaluation:`, read and checked; None without one. Raises `ManifestError` with every finding."""
    judged, _ = judged_output(project.manifest, project.chains[1])
    if judged is None:
        return None
    labels = assembly.label_lists(project.chains[1], session.catalog)
    return read_labelled(project.manifest, judged.name, labels, project.resolve, scratch / "labelled")


class Workshop:
    """Artefacts made so far; each is made once, in the order asked for."""

    def __init__(
        self, session: Session, project: Project, made: Plan, goldens: tuple[SampleGolden, ...], scratch: Path
    ) -> None:
        self.session, self.project, self.made, self.goldens, self.scratch = session, project, made, goldens, scratch
        self.verified: dict[str, Verified] = {}
        self.evaluation: Evaluation | None = None
        self._calibration: Path | None = None

    def evaluate_on(self, data: LabelledData) -> None:
        """Run the source model on labelled data; artefacts made from now on are judged on it as well."""
        (judged,) = (chain for chain in self.made.outputs if chain.name == data.output)
        session, original = self.session, self.project.original
        evaluation = Evaluation(
            data,
            self.made.inputs,
            self._feed,
            lambda outputs, sizes, inputs: self._result(judged, outputs, sizes, inputs),
            session.actions,
            session.cache,
            self.scratch / "evaluation",
            takes_inputs=bool(judged.fed),
        )
        with session.console.stage(f"evaluate the source on {len(data.samples)} samples"):
            evaluation.run_source(lambda feeds: convert.reference_action(original, feeds))
        self.evaluation = evaluation

    def _feed(self, sample: LabelledSample) -> tuple[Mapping[str, Any], Mapping[str, ImageSize]]:
        return contract.labelled_feed(self.project.manifest, self.made, self.session.catalog, sample.files)

    def _result(
        self,
        chain: Chain,
        outputs: Mapping[str, Any],
        sizes: Mapping[str, ImageSize],
        inputs: Mapping[str, Any],
    ) -> Result:
        photo = sizes[chain.photo] if chain.photo else None
        result: Result = run_chain(self.session.catalog, chain, taken(chain, outputs, inputs), photo)
        return result

    def convert_all(self, requests: Sequence[ArtifactRequest]) -> None:
        """Convert what is not cached yet, independent conversions side by side as far as memory goes."""
        actions = self.session.actions
        wanted = [self._conversion(request) for request in requests]
        missing = [index for index, action in enumerate(wanted) if actions.find(action) is None]
        lanes = convert.lanes([requests[index] for index in missing], self.project.opened, self.session.catalog)
        if len(set(lanes.values())) < 2:
            return
        with self.session.console.stage(f"convert {', '.join(requests[index].id for index in missing)}"):
            actions.run_all([replace(wanted[index], kind=lanes[requests[index].id]) for index in missing])
        self.session.pool.retire(convert.SECOND_WORKER)

    def _conversion(self, request: ArtifactRequest) -> Any:
        runtime = self.session.catalog.runtimes[request.runtime]
        calibration = self.calibration() if runtime.calibrated(request.precision, self.project.source) else None
        return convert.convert_action(request, self.project.manifest.name, self.project.opened, runtime, calibration)

    def make(self, request: ArtifactRequest) -> Verified:
        """Convert, stamp, verify and evaluate one artefact."""
        if request.id in self.verified:
            return self.verified[request.id]
        session, manifest = self.session, self.project.manifest
        runtime = session.catalog.runtimes[request.runtime]
        calibration = self.calibration() if runtime.calibrated(request.precision, self.project.source) else None
        about = describe(manifest, self.made.inputs, self.made.outputs, session.catalog)
        labels = assembly.label_lists(self.made.outputs, session.catalog)
        stamp = convert.Stamp(self.made.contract_hash, labels, about)
        file = self.project.opened
        with session.console.stage(f"convert {request.id}"):
            artifact = convert.convert(request, manifest.name, file, runtime, session.actions, calibration, stamp)
        with session.console.stage(f"verify {request.id}"):
            made = verify(
                artifact, self.goldens, self.made, session.catalog, session.actions, manifest.gate, self.scratch
            )
        self.verified[request.id] = self._evaluated(made)
        return self.verified[request.id]

    def _evaluated(self, made: Verified) -> Verified:
        if self.evaluation is None:
            return made
        artifact, catalog = made.artifact, self.session.catalog
        runtime = catalog.runtimes[artifact.runtime]
        with self.session.console.stage(f"evaluate {artifact.id}"):
            found = self.evaluation.judge(
                artifact,
                [verdict.kernel_set for verdict in made.verdicts],
                lambda feeds: run_action(artifact, runtime, feeds),
                lambda inputs: stored(artifact, inputs, catalog),
                lambda outputs: to_source_units(artifact, outputs, catalog),
            )
        return with_accuracy(made, found, self.project.manifest.gate)

    def calibration(self) -> Path:
        """Calibration inputs through the reference steps, made once."""
        if self._calibration is None:
            with self.session.console.stage("calibration"):
                feeds = contract.calibration_feeds(
                    self.project.manifest, self.made, self.session.catalog, self.project.resolve
                )
                self._calibration = write_samples(self.scratch / "calibration", feeds)
        return self._calibration

    def choose(self) -> dict[str, str]:
        """Convert and verify until every target has an artefact that passes; precision by target id."""
        formats = self.project.manifest.formats
        self.convert_all(self.made.artifacts)
        for request in self.made.artifacts:
            if request.id in formats:
                self.must_pass(request, ("formats", formats.index(request.id)))
            elif any(name.startswith("test of ") for name in request.wanted_by):
                self.must_pass(request, ("targets",))
        return {target.id: self.first_that_passes(target) for target in self.made.targets}

    def must_pass(self, request: ArtifactRequest, place: tuple[str | int, ...]) -> None:
        """Raise `GateError` unless the artefact passes or its failure is waived."""
        made = self.make(request)
        if not made.passed and made.waived is None:
            raise GateError(tuple(self._failed(made, place)))

    def first_that_passes(self, target: Target) -> str:
        """The first precision of a target that passes its gate."""
        findings: list[Finding] = []
        for precision in target.precision:
            try:
                made = self.make(ArtifactRequest(target.runtime, precision, (target.id,)))
            except GateError as refused:  # it cannot even run
                findings += refused.findings
                continue
            if made.passed or made.waived is not None:
                self._new_enough(target, made)
                return precision
            findings += self._failed(made, (*target.path, "precision"))
            del self.verified[made.artifact.id]
        raise GateError(tuple(findings))

    def _new_enough(self, target: Target, made: Verified) -> None:
        spec = self.session.catalog.targets[target.id]
        findings = too_old(self.project.manifest, target, spec, made.artifact)
        if findings:
            raise ConvertError(tuple(findings))

    def _failed(self, made: Verified, place: tuple[str | int, ...]) -> list[Finding]:
        manifest = self.project.manifest
        where = manifest.where(*place)
        return [
            Finding(
                f"{made.artifact.id} fails its gate in kernel set {v.kernel_set}: {'; '.join(v.reasons)}",
                where,
                expected="an artefact whose answers agree with the source model's",
                hint="choose another precision, add calibration data, or change the threshold under `gate:`",
                source_line=manifest.line_at(where),
            )
            for v in made.verdicts
            if not v.passed
        ]
