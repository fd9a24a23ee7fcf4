"""Whether what a target runs on is new enough for the artefact that it gets."""

from __future__ import annotations

import re

from packager.core.errors import Finding
from packager.model.artifact import Artifact
from packager.model.manifest import Manifest, Target
from packager.model.target import TargetSpec


def too_old(manifest: Manifest, target: Target, spec: TargetSpec, artifact: Artifact) -> list[Finding]:
    """One finding for each requirement of the artefact that the target's `runs` does not meet.

    A requirement that the target says nothing about is not judged here; the receipt holds it.
    """
    findings = []
    for needed in artifact.requires:
        form = spec.runs.get(needed.name)
        if form is None or _number(needed.version) <= _number(form.format_map(target.options)):
            continue
        have = form.format_map(target.options)
        options = re.findall(r"\{(\w+)\}", form)
        where = manifest.where(*target.path, *options[:1]) or manifest.where(*target.path)
        findings.append(
            Finding(
                f"{artifact.id} needs {needed.name} {needed.version} ({needed.why}), "
                f"but target `{target.id}` runs on {needed.name} {have}",
                where,
                expected=f"{needed.name} {needed.version} or later",
                hint=f"set `{options[0]}: {needed.version}`, or choose another precision"
                if options
                else "choose another precision or runtime, or convert with an older tool",
                source_line=manifest.line_at(where),
            )
        )
    return findings


def _number(version: str) -> tuple[int, ...]:
    """Comparable form: trailing zeros do not count."""
    parts = [int(part) for part in re.findall(r"\d+", version)]
    while parts and parts[-1] == 0:
        parts.pop()
    return tuple(parts)
