"""Evaluator of Core ML mlprograms in numpy, so that every Core ML artefact is run here."""

from packager.runtimes.coreml.mil.errors import BadFeed, BadProgram, UnsupportedOp
from packager.runtimes.coreml.mil.program import MilProgram, TensorSpec

__all__ = ["BadFeed", "BadProgram", "MilProgram", "TensorSpec", "UnsupportedOp"]
