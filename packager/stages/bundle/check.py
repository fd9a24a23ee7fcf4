"""Opens a published bundle and compares every file with the receipt."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packager.core.errors import BundleChangedError, Finding
from packager.core.hashing import sha256_file
from packager.stages.bundle.evidence import evidence_hash
from packager.stages.bundle.receipt import EVIDENCE, OUTSIDE, RECEIPT, REPORT, content_hash, json_text


@dataclass(frozen=True)
class Opened:
    """A bundle on disk with its receipt and evidence."""

    path: Path
    receipt: Mapping[str, Any]
    evidence: Mapping[str, Any]


def open_bundle(path: Path) -> Opened:
    """Read receipt and evidence. Raises `BundleChangedError` where they are missing or broken."""
    receipt = _read(path / RECEIPT)
    evidence = _read(path / EVIDENCE)
    if not isinstance(receipt.get("files"), dict) or not isinstance(receipt.get("content_hash"), str):
        raise BundleChangedError(f"{path / RECEIPT} is not a receipt", expected="`files` and `content_hash`")
    return Opened(path, receipt, evidence)


def _read(file: Path) -> dict[str, Any]:
    hint = "give the bundle's folder, such as dist/name-1.0.0; rebuild it where it is damaged"
    try:
        data = json.loads(file.read_bytes())
    except OSError as fault:
        raise BundleChangedError(f"{file} cannot be read: {fault.strerror}", hint=hint) from fault
    except ValueError as fault:
        raise BundleChangedError(f"{file} is not JSON: {fault}", hint=hint) from fault
    if not isinstance(data, dict):
        raise BundleChangedError(f"{file} does not hold an object", hint=hint)
    return data


def check_files(bundle: Opened) -> list[Finding]:
    """Every difference between the files on disk and the receipt; links count as changes."""
    findings: list[Finding] = []
    same = _as_written(bundle.path / RECEIPT, bundle.receipt)
    if content_hash(bundle.receipt) != bundle.receipt["content_hash"] or not same:
        findings.append(Finding(f"{RECEIPT} was edited: its content_hash does not match", hint="rebuild the bundle"))
    listed: Mapping[str, Any] = bundle.receipt["files"]
    for name, entry in sorted(listed.items()):
        problem = _problem(bundle.path, name, entry)
        if problem:
            findings.append(Finding(f"{name} {problem}"))
    for file in sorted(bundle.path.rglob("*")):
        name = file.relative_to(bundle.path).as_posix()
        if (file.is_symlink() or not file.is_dir()) and name not in listed and name not in OUTSIDE:
            findings.append(Finding(f"{name} is not in the receipt", hint="it was added after the build"))
    findings += _check_evidence(bundle)
    return findings


def _problem(root: Path, name: str, entry: Mapping[str, Any]) -> str:
    file = root / name
    if not file.resolve().is_relative_to(root.resolve()):
        return "leaves the bundle"
    if file.is_symlink():
        return "is a link, not a file"
    if not file.is_file():
        return "is missing"
    if sha256_file(file) != entry["sha256"]:
        return "was changed"
    if bool(file.stat().st_mode & stat.S_IXUSR) != (entry.get("mode") == "755"):
        return "has another mode"
    return ""


def _check_evidence(bundle: Opened) -> list[Finding]:
    """Evidence and report are rewritten after the receipt, so evidence holds a hash of both."""
    findings = []
    evidence = bundle.evidence
    if evidence.get("content_hash") != bundle.receipt["content_hash"]:
        findings.append(Finding(f"{EVIDENCE} belongs to other content", hint="rebuild the bundle"))
    if evidence.get("evidence_hash") != evidence_hash(evidence) or not _as_written(bundle.path / EVIDENCE, evidence):
        findings.append(Finding(f"{EVIDENCE} was edited: its evidence_hash does not match"))
    report = bundle.path / REPORT
    if not report.is_file() or sha256_file(report) != evidence.get("report_sha256"):
        findings.append(Finding(f"{REPORT} was changed or is missing"))
    return findings


def _as_written(file: Path, data: Mapping[str, Any]) -> bool:
    return file.read_bytes() == json_text(data)


def edited(path: Path) -> tuple[Finding, ...]:
    """Files of an older bundle that differ from its receipt; a folder without a receipt counts as edited."""
    try:
        findings = check_files(open_bundle(path))
    except BundleChangedError as fault:
        findings = list(fault.findings)
    hint = "keep your changes elsewhere, or replace the bundle by --force"
    return tuple(Finding(f"{path.name}: {f.what}", expected=f.expected, hint=hint) for f in findings)
