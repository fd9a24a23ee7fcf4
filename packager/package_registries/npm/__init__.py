"""The npm registry, through `npm pack`. Members are named as in the archive: `package/...`."""

from __future__ import annotations

from pathlib import Path

from packager.core.archive import extract_nested
from packager.core.process import Command, Runner, require_tool
from packager.core.registry_client import TIME_LIMIT, check_name, download

NAME = "npm"

_NAME = r"(@[a-z0-9][a-z0-9._~-]*/)?[a-z0-9][a-z0-9._~-]*"
_VERSION = r"[0-9][A-Za-z0-9.+-]*"


def fetch(package: str, version: str, archive: str | None, to: Path, runner: Runner) -> Path:
    """Download a package's archive into the folder `to`; none of its scripts runs. Raises FetchError."""
    check_name("package name", package, _NAME)
    check_name("version", version, _VERSION)
    npm = require_tool("npm", "Install Node.js with npm.")
    command = Command(
        (str(npm), "pack", "--ignore-scripts", "--loglevel=error", f"{package}@{version}"),
        cwd=to,
        env={"npm_config_update_notifier": "false", "NO_COLOR": "1"},
        timeout=TIME_LIMIT,
        label="npm pack",
    )
    return download(
        command,
        title=f"npm:{package}=={version}",
        archive=archive,
        to=to,
        runner=runner,
        hint="Check name and version, and that npm reaches its registry.",
    )


def extract(archive: Path, member: str, scratch: Path, runner: Runner) -> Path:  # noqa: ARG001
    """Take a member out of the archive."""
    return extract_nested(archive, member, scratch)
