"""Stage bundle: receipt, notice, zips, report; staged beside the old bundle and swapped in one step."""

from packager.stages.bundle.check import Opened, check_files, edited, open_bundle
from packager.stages.bundle.evidence import artifact_rows, kept_tests, write_evidence
from packager.stages.bundle.notice import Origin, notice
from packager.stages.bundle.publish import change, prepare, publish, tidy
from packager.stages.bundle.receipt import Receipt, build_receipt
from packager.stages.bundle.zips import zip_files

__all__ = [
    "Opened",
    "Origin",
    "Receipt",
    "artifact_rows",
    "build_receipt",
    "change",
    "check_files",
    "edited",
    "kept_tests",
    "notice",
    "open_bundle",
    "prepare",
    "publish",
    "tidy",
    "write_evidence",
    "zip_files",
]
