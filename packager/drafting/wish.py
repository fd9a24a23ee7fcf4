"""What the user asked `init` for, and what it gives back."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from packager.core.errors import ModelError, UsageError
from packager.manifest import load_model
from packager.model.manifest import CALLABLE, Model
from packager.registry import Catalog

STARTS = (".yaml", ".yml")
"""Suffixes of a file that is no model, but holds the manifest's `model:` section."""


@dataclass(frozen=True)
class Network:
    """The network that PyTorch weights belong to: keys of the manifest's `model:` section as the user typed them."""

    class_: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    code: tuple[Path, ...] = ()
    trust: str | None = None
    python: str | None = None


@dataclass(frozen=True)
class Wish:
    """What the user gave: model, where the manifest goes, labels, shapes, and files with their right answers.

    `model` is a model file or folder, or a YAML file with the `model:` section of a manifest.
    """

    model: Path
    manifest: Path
    labels: Path | None = None
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    tries: tuple[tuple[Path, str], ...] = ()
    network: Network = Network()


@dataclass(frozen=True)
class Drafted:
    """The manifest's text, and what a trial found: summary and mean score of each contract that was right."""

    text: str
    ranking: tuple[tuple[str, float], ...] = ()
    tried: int = 0
    close: bool = False


def asked_model(wish: Wish, catalog: Catalog) -> Model:
    """The `model:` section that the wish stands for. Raises ModelError, UsageError, and ManifestError for the YAML."""
    if not wish.model.exists():
        raise ModelError(f"there is no model at `{wish.model}`", expected="a model file or folder")
    source = inside(wish.model, wish.manifest)
    if wish.model.is_file() and wish.model.suffix.lower() in STARTS:
        return _from_yaml(wish, catalog)
    _check(wish.network)
    given = wish.network
    keys: dict[str, Any] = {"source": source, "shapes": dict(wish.shapes), "class": given.class_}
    keys |= {"arguments": dict(given.arguments), "trust": given.trust, "python": given.python}
    keys["code"] = tuple(inside(_there(path), wish.manifest) for path in given.code)
    try:
        return Model.model_validate(keys)
    except ValidationError as fault:
        raise UsageError(fault.errors()[0]["msg"].removeprefix("Value error, ")) from fault


def _from_yaml(wish: Wish, catalog: Catalog) -> Model:
    if wish.model.absolute().parent.resolve() != wish.manifest.absolute().parent.resolve():
        raise UsageError(
            f"`{wish.model}` stands in another folder than the manifest that is to be written",
            expected=f"both in `{wish.manifest.absolute().parent}`: paths count from there",
            hint="copy it there, or name another manifest with --manifest",
        )
    if wish.network != Network():
        raise UsageError(
            f"`{wish.model}` holds the `model:` section, and options say the same",
            expected="one of the two",
            hint="write `class`, `arguments`, `code`, `trust` and `python` into the file",
        )
    model = load_model(wish.model, catalog)
    return model.model_copy(update={"shapes": {**model.shapes, **wish.shapes}})


def _check(given: Network) -> None:
    """Options that belong together, and the class's form. Raises UsageError."""
    if given.class_ is None:
        alone = {"--argument": given.arguments, "--code": given.code, "--trust": given.trust}
        for option, value in alone.items():
            if value:
                raise UsageError(f"{option} belongs to a class, and there is none", expected="--class module:Class")
        return
    if not re.match(CALLABLE, given.class_):
        raise UsageError(
            f"`--class {given.class_}` cannot be read", expected="module:Class, or module:Class.method that makes one"
        )
    if given.trust is None:
        raise UsageError(
            "--class runs Python code on this machine",
            expected="--trust with the reason why that code may run",
            hint='read it, then say so: --trust "our own code"',
        )


def _there(path: Path) -> Path:
    if not path.exists():
        raise UsageError(f"there is no code at `{path}`", expected="a Python file, a folder or a wheel")
    return path


def inside(path: Path, manifest: Path) -> str:
    """A file's path as the manifest names it. Raises UsageError for one outside of the manifest's folder."""
    folder = manifest.absolute().parent
    relative = os.path.relpath(path.absolute(), folder)
    if relative.startswith(".."):
        raise UsageError(
            f"`{path}` lies outside of the manifest's folder",
            expected=f"a file in or below `{folder}`",
            hint="copy it there, or name another manifest with --manifest",
        )
    return Path(relative).as_posix()


def write(path: Path, content: str) -> None:
    """Write the manifest in one step: an interruption leaves the old one or none."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(content, "utf-8")
        temporary.replace(path)
    except OSError as fault:
        raise UsageError(f"`{path}` cannot be written: {fault.strerror}", hint="check the folder's rights") from fault
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
