"""The oldest ONNX Runtime that runs a file, from its opset and its IR version."""

from __future__ import annotations

import onnx

from packager.core.errors import ConvertError

NAME = "ONNX Runtime"
# (version, newest opset of ai.onnx, newest IR version): measured on 2026-11-24 with these releases' own packages for
# Linux, by opening a model of one Identity with rising numbers. Older releases are not told apart from the first row.
VERSIONS = (
    ("1.15.1", 18, 9),
    ("1.16.3", 19, 9),
    ("1.17.3", 20, 9),
    ("1.18.1", 21, 10),
    ("1.21.1", 22, 10),
    ("1.23.2", 23, 11),
    ("1.32.0", 28, 14),
)
_ONNX_DOMAINS = ("", "ai.onnx")


def requirements(model: onnx.ModelProto) -> list[dict[str, str]]:
    """{name, version, why} of a model. Raises ConvertError where no known version has its opset and IR version."""
    opset = max((item.version for item in model.opset_import if item.domain in _ONNX_DOMAINS), default=1)
    for version, newest_opset, newest_ir in VERSIONS:
        if opset <= newest_opset and model.ir_version <= newest_ir:
            return [{"name": NAME, "version": version, "why": f"opset {opset}, IR version {model.ir_version}"}]
    _, newest_opset, newest_ir = VERSIONS[-1]
    raise ConvertError(
        f"ONNX: the model has opset {opset} and IR version {model.ir_version}, which no known ONNX Runtime has",
        expected=f"at most opset {newest_opset} and IR version {newest_ir}",
        hint="export the model with an older opset",
    )
