"""The form of receipt and evidence as far as this version reads them: a bundle may come from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from packager.model.address import SHA256


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path or "\\" in path:
        raise ValueError(f"the path {path!r} leaves the bundle")
    return path


BundlePath = Annotated[str, AfterValidator(_inside)]


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Port(_Form):
    source: str
    name: str


class _Artifact(_Form):
    runtime: str
    precision: str
    path: BundlePath
    golden: BundlePath
    kernel_set: str
    bytes: int
    inputs: list[_Port]
    outputs: list[_Port]


class _Target(_Form):
    root: BundlePath
    runtime: str
    precision: str
    language: str


class _File(_Form):
    sha256: Annotated[str, Field(pattern=SHA256)]
    owner: str


class _Receipt(_Form):
    format: Literal[1]
    name: str
    version: str
    content_hash: str
    artifacts: list[_Artifact]
    targets: dict[str, _Target]
    files: dict[BundlePath, _File]


class _Test(_Form):
    target: str
    language: str
    result: str


class _Evidence(_Form):
    format: Literal[1]
    content_hash: str
    evidence_hash: str
    report_sha256: str
    samples: int
    artifacts: list[dict[str, Any]]
    tests: list[_Test]


def fault_of_receipt(data: Mapping[str, Any]) -> str:
    """What is wrong with the form of a receipt, or nothing."""
    return _fault(_Receipt, "bundle.json", data)


def fault_of_evidence(data: Mapping[str, Any]) -> str:
    """What is wrong with the form of the evidence, or nothing."""
    return _fault(_Evidence, "evidence.json", data)


def _fault(form: type[_Form], name: str, data: Mapping[str, Any]) -> str:
    try:
        form.model_validate(data)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{name} is not of the expected form: {place}: {first['msg']}"
    return ""
