"""The oldest iOS that runs a package, from its specification version and its program's opset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packager.core.errors import ConvertError

NAME = "iOS"
# Specification versions and opsets of mlprograms by the first iOS that has them: coreml `Model.proto` ("Specification
# Versions : OS Availability"), and `_SPECIFICATION_VERSION_IOS_*` and `_OPSET` of coremltools 9.0.
IOS_BY_SPECIFICATION = {6: 15, 7: 16, 8: 17, 9: 18, 10: 26}
IOS_BY_OPSET = {"CoreML5": 15, "CoreML6": 16, "CoreML7": 17, "CoreML8": 18, "CoreML9": 26}


def requirements(spec: Any) -> list[dict[str, str]]:
    """{name, version, why} of a `Model_pb2.Model`. Raises ConvertError where a version is not known here."""
    needed = [_known(IOS_BY_SPECIFICATION, int(spec.specificationVersion), "specification version")]
    needed += [_known(IOS_BY_OPSET, function.opset, "opset") for function in spec.mlProgram.functions.values()]
    ios, why = max(needed)
    return [{"name": NAME, "version": f"{ios}.0", "why": why}]


def _known(table: Mapping[Any, int], key: Any, what: str) -> tuple[int, str]:
    if key not in table:
        raise ConvertError(
            f"Core ML: the package has {what} {key}, whose oldest iOS is not known",
            expected="one of " + ", ".join(str(name) for name in table),
        )
    return table[key], f"{what} {key}"
