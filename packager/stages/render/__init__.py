"""Stage render: projects, models and golden vectors as files in memory, each with an owner."""

from packager.stages.render.bundled import bundled_samples
from packager.stages.render.context import ProjectInput, SampleFile
from packager.stages.render.goldens import golden_files
from packager.stages.render.models import model_files
from packager.stages.render.project import render

__all__ = ["ProjectInput", "SampleFile", "bundled_samples", "golden_files", "model_files", "render"]
