"""Errors with an exit code each, and the finding: what, where, what was expected, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Process exit codes; 1 is never used."""

    OK = 0
    MANIFEST = 2
    MODEL = 3
    PLAN = 4
    CONTRACT = 5
    CONVERT = 6
    GATE = 7
    RENDER = 8
    BUNDLE = 9
    TOOL_MISSING = 10
    CHILD_FAILED = 11
    NATIVE_TEST = 12
    BUNDLE_CHANGED = 13
    USAGE = 64
    BUG = 70
    INTERRUPTED = 130


@dataclass(frozen=True)
class Location:
    """A place in a text file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Finding:
    """One problem: what is wrong, where, what was expected and what to do about it.

    `source_line` is the text of the line at `where`, shown under the message.
    """

    what: str
    where: Location | None = None
    expected: str = ""
    hint: str = ""
    source_line: str = ""


class PackagerError(Exception):
    """Base of every error that a user may see. Carries one finding or more and an exit code."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(
        self,
        what: str | Finding | tuple[Finding, ...],
        *,
        where: Location | None = None,
        expected: str = "",
        hint: str = "",
    ) -> None:
        if isinstance(what, str):
            what = Finding(what, where, expected, hint)
        self.findings: tuple[Finding, ...] = what if isinstance(what, tuple) else (what,)
        super().__init__("; ".join(finding.what for finding in self.findings))


class ManifestError(PackagerError):
    """The manifest, or a file that it names (but the model), is wrong, missing or unreachable."""

    exit_code = ExitCode.MANIFEST


class ModelError(PackagerError):
    """The model file is missing, broken, refused or not understood."""

    exit_code = ExitCode.MODEL


class PlanError(PackagerError):
    """The plan cannot work: contract types do not fit, a pair is unsupported, an op is not covered."""

    exit_code = ExitCode.PLAN


class ContractError(PackagerError):
    """A sample's expectation does not hold on the source model."""

    exit_code = ExitCode.CONTRACT


class ConvertError(PackagerError):
    """A converter failed."""

    exit_code = ExitCode.CONVERT


class GateError(PackagerError):
    """An artefact's answers are too far from the source's."""

    exit_code = ExitCode.GATE


class RenderError(PackagerError):
    """A template could not be rendered."""

    exit_code = ExitCode.RENDER


class BundleError(PackagerError):
    """The bundle could not be written, or its files were edited."""

    exit_code = ExitCode.BUNDLE


class ToolMissingError(PackagerError):
    """A tool of this machine is needed and missing."""

    exit_code = ExitCode.TOOL_MISSING


class ChildFailedError(PackagerError):
    """A child process died, hung, or ate its memory."""

    exit_code = ExitCode.CHILD_FAILED


class NativeTestError(PackagerError):
    """A native test of a generated project failed."""

    exit_code = ExitCode.NATIVE_TEST


class BundleChangedError(PackagerError):
    """A bundle's files do not match its receipt."""

    exit_code = ExitCode.BUNDLE_CHANGED


class UsageError(PackagerError):
    """The command line cannot be understood."""

    exit_code = ExitCode.USAGE


class InterruptedByUser(PackagerError):  # noqa: N818 - an interruption is not an error of the program
    """Ctrl-C."""

    exit_code = ExitCode.INTERRUPTED
