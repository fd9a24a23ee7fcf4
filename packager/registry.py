"""Finds steps, runtimes, sources, package registries and targets by folder. Imports a plug-in's light part only."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

from packager.core import plugin_paths
from packager.core.errors import PlanError, RenderError
from packager.core.languages import Language
from packager.model.plugins import PackageRegistryModule, RuntimeModule, SourceModule, StepModule
from packager.model.recipes import RecipeModule
from packager.model.target import EngineSpec, Harness, HarnessStep, OptionSpec, Placement, TargetSpec

M = TypeVar("M")


class Family(Mapping[str, M], Generic[M]):
    """The plug-ins of one family by folder name; a module is imported when it is first asked for."""

    def __init__(self, package: str) -> None:
        self.package = package
        self._loaded: dict[str, M] = {}

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that hold plug-ins of this family."""
        return tuple(Path(root) for root in importlib.import_module(self.package).__path__)

    @cached_property
    def folders(self) -> dict[str, Path]:
        """Folder of each plug-in, by name. A name that starts with `_` is not a plug-in."""
        found: dict[str, Path] = {}
        for root in self.roots:
            for folder in sorted(root.iterdir()):
                if folder.name[0] not in "_." and (folder / "__init__.py").is_file():
                    found.setdefault(folder.name, folder)
        return dict(sorted(found.items()))

    def __getitem__(self, name: str) -> M:
        if name not in self.folders:
            raise KeyError(name)
        if name not in self._loaded:
            module: ModuleType = importlib.import_module(f"{self.package}.{name}")
            self._loaded[name] = cast("M", module)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.folders)

    def __len__(self) -> int:
        return len(self.folders)


class Catalog:
    """Everything that can be named in a manifest."""

    def __init__(self) -> None:
        plugin_paths.extend()
        self.steps: Family[StepModule] = Family("packager.steps")
        self.sources: Family[SourceModule] = Family("packager.sources")
        self.runtimes: Family[RuntimeModule] = Family("packager.runtimes")
        self.package_registries: Family[PackageRegistryModule] = Family("packager.package_registries")
        self.recipes: Family[RecipeModule] = Family("packager.recipes")

    @cached_property
    def targets(self) -> Mapping[str, TargetSpec]:
        """Targets by id, from every `target.toml` below the template roots."""
        found: dict[str, TargetSpec] = {}
        for root in plugin_paths.template_roots():
            for file in sorted(root.rglob("target.toml")):
                target_id = ".".join(file.parent.relative_to(root).parts)
                found.setdefault(target_id, read_target(target_id, file))
        return dict(sorted(found.items()))

    def engine(self, runtime: str, language: str) -> EngineSpec | None:
        """The native code that runs a runtime in a language, or None."""
        folder = self.runtimes.folders[runtime] / "engine" / language
        file = folder / "engine.toml"
        if not file.is_file():
            return None
        try:
            data = tomllib.loads(file.read_text("utf-8"))
            return EngineSpec(
                runtime=runtime,
                language=language,
                folder=folder,
                files=tuple(data.pop("files")),
                kernel_set=data.pop("kernel_set"),
                summary=data.pop("summary"),
                facts=data,
            )
        except (tomllib.TOMLDecodeError, KeyError, TypeError) as fault:
            what = f"runtimes/{runtime}/engine/{language}/engine.toml cannot be read: {type(fault).__name__}: {fault}"
            raise RenderError(what) from fault

    def step_with_role(self, role: str) -> tuple[str, StepModule]:
        """The one step that declares this role; the plan or decoding adds it where it is needed."""
        for name, module in self.steps.items():
            if getattr(module, "ROLE", None) == role:
                return name, module
        raise PlanError(
            f"no step declares the role {role!r}", hint="the installation is incomplete: reinstall packager"
        )

    def kit(self, language: str) -> Path:
        """Folder of a language's base types and chain template."""
        for root in importlib.import_module(self.steps.package).__path__:
            folder = Path(root) / f"_{language}"
            if folder.is_dir():
                return folder
        raise RenderError(f"no contract kit for {language}")

    def native_files(self, step: str, language: Language) -> tuple[Path, ...]:
        """Native source files of a step in one language; empty where it has none."""
        folder = self.steps.folders[step]
        return tuple(sorted(p for p in folder.iterdir() if p.suffix in language.suffixes))

    @cached_property
    def versions(self) -> Mapping[str, Any]:
        """`versions.toml`: toolchain and runtime versions that the projects name."""
        file = Path(__file__).parent / "versions.toml"
        return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def read_target(target_id: str, file: Path) -> TargetSpec:
    """Parse one `target.toml`; a fault in it is the target author's, and is named with the file."""
    try:
        data = tomllib.loads(file.read_text("utf-8"))
        return TargetSpec(
            id=target_id,
            folder=file.parent,
            summary=data["summary"],
            language=data["language"],
            root=data.get("root", target_id.replace(".", "/")),
            namespace=data["namespace"],
            options={name: _option(name, spec) for name, spec in data.get("options", {}).items()},
            paths=data.get("paths", {}),
            place=Placement(**data["place"]),
            yours=tuple(data.get("ownership", {}).get("yours", ())),
            harness=_harness(data["host"]) if "host" in data else None,
            minimum=data.get("minimum", {}),
            runs=data.get("runs", {}),
            start=data.get("start", {}),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as fault:
        raise RenderError(f"{target_id}/target.toml cannot be read: {type(fault).__name__}: {fault}") from fault


def _option(name: str, spec: Mapping[str, Any]) -> OptionSpec:
    choices = tuple(spec["choices"]) if "choices" in spec else None
    rest = {key: value for key, value in spec.items() if key != "choices"}
    return OptionSpec(name=name, choices=choices, **rest)


def _harness(data: Mapping[str, Any]) -> Harness:
    steps = tuple(HarnessStep(**{**step, "argv": tuple(step["argv"])}) for step in data.get("steps", ()))
    return Harness(
        toolset=data.get("toolset", ""),
        tools=tuple(data.get("tools", ())),
        evidence=data["evidence"],
        stages=tuple(data.get("stages", ("input", "output", "result"))),
        steps=steps,
        needs_root=data.get("needs_root", False),
        artifacts=tuple(data.get("artifacts", ())),
    )
