"""NOTICE: where model, data and runtimes come from, and under which licences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packager.model.project import RenderedFile


@dataclass(frozen=True)
class Origin:
    """One thing of somebody else's: what it is, where it came from, its licence (SPDX, or in words)."""

    what: str
    origin: str
    license: str


def notice(
    name: str, version: str, license_: str, origins: Sequence[Origin], runtimes: Mapping[str, str]
) -> RenderedFile:
    """The notice file of a bundle."""
    lines = [f"{name} {version}", f"Model licence: {license_}", ""]
    lines += ["Origin of model and data", "------------------------"]
    lines += [f"{o.what}\n  from {o.origin}\n  licence: {o.license}" for o in origins] or ["(files of the project)"]
    lines += ["", "Runtimes that the projects use (not part of this bundle)", "-" * 56]
    lines += [f"{runtime}: {text}" for runtime, text in sorted(runtimes.items())]
    lines += ["", "Generated code", "--------------"]
    lines += ["The generated source files may be used, changed and shipped under the Apache License 2.0."]
    return RenderedFile("NOTICE", ("\n".join(lines) + "\n").encode("utf-8"))
