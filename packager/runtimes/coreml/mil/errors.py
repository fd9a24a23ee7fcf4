"""Errors of the evaluator. Each derives from ModelError, so a user sees words and exit code 3."""

from __future__ import annotations

from packager.core.errors import ModelError


class BadProgram(ModelError):  # noqa: N818 - the public name of the evaluator's interface
    """The package is broken, truncated, inconsistent, or not an mlprogram."""


class BadFeed(ModelError):  # noqa: N818
    """An input handed to `predict` is missing, unknown, or has the wrong shape or dtype."""


class UnsupportedOp(ModelError):  # noqa: N818
    """The program holds an op, or an option of one, that the evaluator does not implement.

    `op_type` is the MIL op's name; `output` is the name of the op's first output in the program.
    """

    def __init__(self, op_type: str, output: str = "", *, reason: str = "") -> None:
        self.op_type, self.output, self.reason = op_type, output, reason
        where = f" (output {output!r})" if output else ""
        super().__init__(
            f"the Core ML evaluator does not run op {op_type!r}{where}" + (f": {reason}" if reason else ""),
            expected="an op that the evaluator implements",
            hint="choose another runtime or rewrite the layer, so that the artefact can be verified here",
        )
