"""Model files as rendered files: one for a file, one for each file of a folder."""

from __future__ import annotations

from packager.model.artifact import Artifact
from packager.model.project import RenderedFile

FOLDED = "a converter folds weights with float kernels, and calibrated scales come from them"


def model_files(artifact: Artifact, place: str) -> list[RenderedFile]:
    """The artefact at `place`, a path in the bundle."""
    if artifact.path.is_file():
        return [RenderedFile(place, artifact.path, cpu_dependent=FOLDED)]
    return [
        RenderedFile(f"{place}/{file.relative_to(artifact.path).as_posix()}", file, cpu_dependent=FOLDED)
        for file in sorted(artifact.path.rglob("*"))
        if file.is_file()
    ]
