"""`bundle.json`: the receipt of the content, with a hash over all of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packager.core.hashing import json_hash, sha256_bytes
from packager.model.project import RenderedFile

RECEIPT = "bundle.json"
EVIDENCE = "evidence.json"
REPORT = "report.html"
OUTSIDE = (RECEIPT, EVIDENCE, REPORT)
"""Files that the receipt does not list."""
FORMAT = 1


@dataclass(frozen=True)
class Receipt:
    """The receipt as JSON data with its `content_hash`."""

    data: Mapping[str, Any]

    @property
    def content_hash(self) -> str:
        """sha256 of the canonical JSON of everything but this key."""
        return str(self.data["content_hash"])

    def text(self) -> bytes:
        """The file's bytes."""
        return json_text(self.data)


def json_text(data: Mapping[str, Any]) -> bytes:
    """The one way in which receipt and evidence are written, so that any other byte is a change."""
    return (json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8")


def content_hash(data: Mapping[str, Any]) -> str:
    """Hash of a receipt's data without its own key."""
    return json_hash({key: value for key, value in data.items() if key != "content_hash"})


def build_receipt(
    manifest: Mapping[str, Any],
    inputs: Mapping[str, str],
    artifacts: Sequence[Mapping[str, Any]],
    targets: Mapping[str, Any],
    contract: str,
    files: Iterable[RenderedFile],
) -> Receipt:
    """The receipt over all files of a bundle but the three that it does not list."""
    listed: dict[str, dict[str, str]] = {}
    dependent: dict[str, str] = {}
    for file in files:
        listed[file.path] = {"sha256": sha256_bytes(file.read()), "owner": file.owner}
        if file.executable:
            listed[file.path]["mode"] = "755"
        if file.cpu_dependent:
            dependent[file.path] = file.cpu_dependent
    data = {
        "format": FORMAT,
        "name": manifest["name"],
        "version": manifest["version"],
        "manifest": manifest,
        "inputs": dict(inputs),
        "contract": contract,
        "artifacts": list(artifacts),
        "targets": dict(targets),
        "files": listed,
        "cpu_dependent": dependent,
    }
    return Receipt({**data, "content_hash": content_hash(data)})
