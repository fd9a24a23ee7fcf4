"""What the importer refuses, and why."""

from __future__ import annotations

from dataclasses import dataclass

from packager.core.errors import Finding, PlanError


@dataclass(frozen=True)
class Unsupported:
    """A node (or an input) that the importer refuses: `node` is its name or first output."""

    node: str
    op_type: str
    domain: str
    reason: str

    def __str__(self) -> str:
        domain = f"{self.domain}." if self.domain else ""
        return f"{domain}{self.op_type} ({self.node}): {self.reason}"


class UnsupportedOpError(PlanError):
    """The model has ops that the importer does not cover; `unsupported` lists them."""

    def __init__(self, unsupported: tuple[Unsupported, ...]) -> None:
        self.unsupported = unsupported
        super().__init__(
            tuple(
                Finding(
                    f"the ONNX importer does not cover {entry}",
                    expected="an op, type and attributes that the importer covers",
                    hint="export the model without this node, or do its work in a contract step",
                )
                for entry in unsupported
            )
        )


class NotConstantError(UnsupportedOpError):
    """An op needs a value while the function is built, but the value is only known when it runs."""

    def __init__(self, unsupported: Unsupported, value: str) -> None:
        self.value = value
        super().__init__((unsupported,))
