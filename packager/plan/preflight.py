"""Everything that can be known before anything is started: types, targets, runtimes, data. All findings at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from packager.core.errors import Finding, PlanError
from packager.core.jsonable import to_json
from packager.core.languages import LANGUAGES, Language
from packager.model.contract import Chain, ContractType, StepUse
from packager.model.manifest import Manifest
from packager.model.source import ModelSource
from packager.model.target import EngineSpec
from packager.plan.chains import Place, Resolve, build_chains
from packager.plan.describe import describe
from packager.plan.labelled import judged_output
from packager.registry import Catalog

Chains = tuple[tuple[Chain, ...], tuple[Chain, ...]]


def check(manifest: Manifest, source: ModelSource, catalog: Catalog, resolve: Resolve) -> Chains:
    """Checked chains of inputs and outputs. Raises `PlanError` with every finding, each at its line."""
    inputs, outputs, findings = build_chains(manifest, source, catalog, resolve)
    preflight = Preflight(manifest, source, catalog)
    preflight.native_steps((*inputs, *outputs))
    findings += preflight.findings()
    findings += judged_output(manifest, outputs)[1]
    findings = findings or _contracts(manifest, inputs, outputs, catalog)
    if findings:
        raise PlanError(tuple(findings))
    return inputs, outputs


def _contracts(
    manifest: Manifest, inputs: tuple[Chain, ...], outputs: tuple[Chain, ...], catalog: Catalog
) -> list[Finding]:
    """Formats whose runtime cannot have this contract."""
    description = to_json(describe(manifest, inputs, outputs, catalog))
    findings = []
    for index, wanted in enumerate(manifest.formats):
        check_contract = getattr(catalog.runtimes[wanted.partition("/")[0]], "check_contract", None)
        where = manifest.where("formats", index)
        reasons = check_contract(description) if check_contract is not None else ()
        findings += [Finding(f"{wanted}: {why}", where, source_line=manifest.line_at(where)) for why in reasons]
    return findings


def check_without_model(manifest: Manifest, catalog: Catalog) -> None:
    """What can be told of a manifest whose model file is not here. Raises `PlanError` with every finding."""
    findings = Preflight(manifest, None, catalog).findings()
    if findings:
        raise PlanError(tuple(findings))


class Preflight:
    """Findings about targets, formats and samples of one manifest."""

    def __init__(self, manifest: Manifest, source: ModelSource | None, catalog: Catalog) -> None:
        self.manifest, self.source, self.catalog = manifest, source, catalog
        self._found: list[Finding] = []

    def findings(self) -> list[Finding]:
        """All of them, in the order of the manifest's keys."""
        if not self.manifest.samples:
            self._find(
                (),
                "there are no samples: nothing would prove the contract or the converted models",
                expected="`samples:` with one typical input or more, each with what is expected of it",
            )
        for index, wanted in enumerate(self.manifest.formats):
            runtime, _, precision = wanted.partition("/")
            self._pair(("formats", index), runtime, precision)
        for target in self.manifest.targets:
            self._engine((*target.path, "runtime"), target.id, target.runtime)
            for precision in target.precision:
                self._pair((*target.path, "precision"), target.runtime, precision)
        return self._found

    def native_steps(self, chains: Sequence[Chain]) -> None:
        """Every step must have native code for its very call in the language of every target."""
        for target in self.manifest.targets:
            language = LANGUAGES[self.catalog.targets[target.id].language]
            for chain in chains:
                for use, value in zip(chain.steps, chain.types, strict=False):
                    if not self._has_native(use, value, language):
                        what = f"step `{use.step}` has no {language.name} code for these parameters"
                        self._find(use.path, f"{what}, which target `{target.id}` needs")

    def _has_native(self, use: StepUse, value: ContractType, language: Language) -> bool:
        call = self.catalog.steps[use.step].call(use.bound, value)
        word = re.compile(rf"\b{re.escape(language.function(call.function))}\b")
        return any(word.search(file.read_text("utf-8")) for file in self.catalog.native_files(use.step, language))

    def _find(self, place: Place, what: str, expected: str = "", hint: str = "") -> None:
        where = self.manifest.where(*place)
        self._found.append(Finding(what, where, expected, hint, self.manifest.line_at(where)))

    def _engine(self, place: Place, target: str, runtime: str) -> None:
        language = self.catalog.targets[target].language
        engine = self.catalog.engine(runtime, language)
        if engine is not None:
            self._ports(place, target, engine)
        if engine is None:
            able = [name for name in self.catalog.runtimes if self.catalog.engine(name, language) is not None]
            self._find(
                place,
                f"target `{target}` has no {language} engine for runtime `{runtime}`",
                expected="one of " + ", ".join(f"`{name}`" for name in able),
            )

    def _ports(self, place: Place, target: str, engine: EngineSpec) -> None:
        """An engine may say which types of numbers it hands to and takes from the model (`dtypes`)."""
        known: list[str] = engine.facts.get("dtypes", [])
        for spec in (*self.source.inputs, *self.source.outputs) if self.source is not None and known else ():
            if spec.dtype not in known:
                self._find(
                    place,
                    f"target `{target}`: `{spec.name}` of the model is {spec.dtype}, its {engine.language} engine for "
                    f"`{engine.runtime}` takes {', '.join(known)}",
                    hint=f"leave this target out, or export the model with inputs and outputs of {' or '.join(known)}",
                )

    def _pair(self, place: Place, name: str, precision: str) -> None:
        runtime = self.catalog.runtimes[name]
        for reason in runtime.check(self.source, precision) if self.source is not None else ():
            self._find(place, f"{name}/{precision}: {reason}")
        if self.source is None or self.manifest.calibration:
            return
        if runtime.calibrated(precision, self.source):
            self._find(
                place,
                f"{name}/{precision} needs calibration data",
                expected="`calibration:` with some dozens of typical inputs",
            )
