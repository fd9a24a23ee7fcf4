"""Where plug-ins and templates are looked for: in the package, and in the folders of `PACKAGER_PLUGINS`."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from packager.core.errors import UsageError

VARIABLE = "PACKAGER_PLUGINS"
FAMILIES = ("steps", "sources", "runtimes", "package_registries", "recipes")
_PACKAGE = __name__.partition(".")[0]


def roots() -> tuple[Path, ...]:
    """Return the folders that `PACKAGER_PLUGINS` names, in order. Raises UsageError for one that is missing."""
    found = [Path(part).absolute() for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    for root in found:
        if not root.is_dir():
            raise UsageError(
                f"{VARIABLE} names a folder that does not exist: {root}",
                expected=f"folders divided by {os.pathsep!r}",
                hint=f"Correct or unset {VARIABLE}.",
            )
    return tuple(found)


def extend() -> None:
    """Let `packager.<family>` find the plug-ins of every root as well. Calling it again changes nothing."""
    for family in FAMILIES:
        folders = [str(root / family) for root in roots() if (root / family).is_dir()]
        if not folders:
            continue
        path = importlib.import_module(f"{_PACKAGE}.{family}").__path__
        for folder in folders:
            if folder not in path:
                path.append(folder)


def template_roots() -> tuple[Path, ...]:
    """Return the folders that hold targets: the checkout's or the installed wheel's, then each root's."""
    package = Path(__file__).absolute().parents[1]
    own = [package.parent / "templates", package / "_templates"]
    first = next((folder for folder in own if folder.is_dir()), None)
    others = [root / "templates" for root in roots() if (root / "templates").is_dir()]
    return tuple(([first] if first else []) + others)
