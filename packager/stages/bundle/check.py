"""Opens a published bundle and compares every file with the receipt."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from packager.core.errors import BundleChangedError, Finding
from packager.core.hashing import sha256_file
from packager.stages.bundle.evidence import evidence_hash
from packager.stages.bundle.form import fault_of_evidence, fault_of_receipt
from packager.stages.bundle.receipt import EVIDENCE, OUTSIDE, RECEIPT, REPORT, content_hash, json_text


@dataclass(frozen=True)
class Opened:
    """A bundle on disk with its receipt and evidence."""

    path: Path
    receipt: Mapping[str, Any]
    evidence: Mapping[str, Any]


def open_bundle(path: Path) -> Opened:
    """Read receipt and evidence. Raises `BundleChangedError` where they are missing, broken or of another form."""
    receipt, evidence = _read(path / RECEIPT), _read(path / EVIDENCE)
    problem = fault_of_receipt(receipt) or fault_of_evidence(evidence)
    if problem:
        raise BundleChangedError(f"{path}: {problem}", hint="the bundle is damaged: build it again")
    return Opened(path, receipt, evidence)


def _read(file: Path) -> dict[str, Any]:
    hint = "give the bundle's folder, such as dist/name-1.0.0; rebuild it where it is damaged"
    try:
        text = file.read_bytes()
        data = json.loads(text, parse_constant=_refuse_constant)
        same = isinstance(data, dict) and json_text(data) == text
    except OSError as fault:
        raise BundleChangedError(f"{file} cannot be read: {fault.strerror}", hint=hint) from fault
    except (ValueError, RecursionError) as fault:
        raise BundleChangedError(f"{file} is not the JSON that packager writes: {fault}", hint=hint) from fault
    if not same:
        raise BundleChangedError(f"{file} was edited: packager writes it in another form", hint=hint)
    return cast("dict[str, Any]", data)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def check_files(bundle: Opened) -> list[Finding]:
    """Every difference between the files on disk and the receipt; links count as changes."""
    if content_hash(bundle.receipt) != bundle.receipt["content_hash"]:
        what = f"{RECEIPT} was edited: its content_hash does not match"
        return [Finding(what, hint="the other files cannot be checked against it: build the bundle again")]
    findings: list[Finding] = []
    listed: Mapping[str, Any] = bundle.receipt["files"]
    for name, entry in sorted(listed.items()):
        problem = _problem(bundle.path, name, entry)
        if problem:
            findings.append(Finding(f"{name} {problem}"))
    for file in sorted(bundle.path.rglob("*")):
        name = file.relative_to(bundle.path).as_posix()
        if name in OUTSIDE and file.is_symlink():
            findings.append(Finding(f"{name} is a link, not a file"))
        elif (file.is_symlink() or not file.is_dir()) and name not in listed and name not in OUTSIDE:
            findings.append(Finding(f"{name} is not in the receipt", hint="it was added after the build"))
    return findings + _check_evidence(bundle)


def _problem(root: Path, name: str, entry: Mapping[str, Any]) -> str:
    file = root / name
    try:
        if not file.resolve().is_relative_to(root.resolve()):
            return "leaves the bundle"
        if file.is_symlink():
            return "is a link, not a file"
        if not file.is_file():
            return "is missing"
        if sha256_file(file) != entry["sha256"]:
            return "was changed"
        executable = bool(file.stat().st_mode & stat.S_IXUSR)
    except (OSError, ValueError) as fault:
        return f"cannot be read: {fault}"
    return "" if executable == (entry.get("mode") == "755") else "has another mode"


def _check_evidence(bundle: Opened) -> list[Finding]:
    """Evidence and report are rewritten after the receipt, so evidence holds a hash of both."""
    findings = []
    evidence = bundle.evidence
    if evidence.get("content_hash") != bundle.receipt["content_hash"]:
        findings.append(Finding(f"{EVIDENCE} belongs to other content", hint="rebuild the bundle"))
    if evidence.get("evidence_hash") != evidence_hash(evidence):
        findings.append(Finding(f"{EVIDENCE} was edited: its evidence_hash does not match"))
    report = bundle.path / REPORT
    if not report.is_file() or sha256_file(report) != evidence.get("report_sha256"):
        findings.append(Finding(f"{REPORT} was changed or is missing"))
    return findings


def edited(path: Path) -> tuple[Finding, ...]:
    """Files of an older bundle that differ from its receipt; a folder without a receipt counts as edited."""
    try:
        findings = check_files(open_bundle(path))
    except BundleChangedError as fault:
        findings = list(fault.findings)
    hint = "keep your changes elsewhere, or replace the bundle by --force"
    return tuple(Finding(f"{path.name}: {f.what}", expected=f.expected, hint=hint) for f in findings)
