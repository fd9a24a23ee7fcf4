"""From the manifest's `model:` section to the file that the reference runs and the file that the converters open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from packager.core.errors import Finding, Location, ModelError
from packager.model.manifest import Model
from packager.model.source import ModelSource
from packager.session import Inputs, NotHereError, Session
from packager.stages import convert, source

Where = Callable[..., Location | None]


def nowhere(*path: str | int) -> Location | None:  # noqa: ARG001 - the form of Manifest.where
    """Place of a value that stands in no manifest."""
    return None


def find_original(session: Session, asked: Model, inputs: Inputs, where: Where = nowhere) -> convert.SourceFile:
    """The user's model, looked at by its format's light reader. `where` gives places for messages.

    Raises ModelError, ToolMissingError for a framework that is not on this machine, and NotHereError offline.
    """
    model = inputs.resolve(asked.source, ModelError, where("model", "source"))
    found = _inspected(session, model, asked, where)
    code = tuple(inputs.resolve(a, ModelError, where("model", "code")) for a in asked.code)
    prepared = source.prepare(model, found.format, asked, code, session.catalog)
    return convert.SourceFile(model, session.catalog.sources[found.format], found, asked.shapes, prepared)


def _inspected(session: Session, model: Path, asked: Model, where: Where) -> ModelSource:
    """What the light reader sees; a complaint without a place gets that of `shapes`, or of `source` without shapes."""
    try:
        return source.inspect(model, asked.shapes, session.catalog)
    except ModelError as fault:
        key = "shapes" if asked.shapes and fault.findings != _complaints(session, model) else "source"
        raise _placed(fault, where("model", key)) from fault


def _placed(fault: ModelError, place: Location | None) -> ModelError:
    return ModelError(tuple(replace(each, where=each.where or place) for each in fault.findings))


def _complaints(session: Session, model: Path) -> tuple[Finding, ...]:
    """What is wrong with the file whatever its shapes are."""
    try:
        source.inspect(model, {}, session.catalog)
    except ModelError as fault:
        return fault.findings
    return ()


def exported(
    session: Session, original: convert.SourceFile, online: bool = True, where: Where = nowhere
) -> convert.SourceFile:
    """The same file, or what its own framework exports where only that can open it.

    Offline nothing is started: NotHereError where the export is not in the cache. Raises ModelError, at the place of
    the manifest's `model`.
    """
    if not convert.is_exported(original):
        return original
    action = convert.export_action(original)
    try:
        folder = session.actions.run(action) if online else session.actions.find(action)
    except ModelError as fault:
        raise _placed(fault, where("model")) from fault
    if folder is None:
        raise NotHereError(f"what {original.path.name} is exported to")
    path = folder / convert.read_result(folder)["path"]
    origin = replace(original.source, facts={**original.source.facts, "tools": dict(original.prepared.tools)})
    found = replace(source.inspect(path, original.shapes, session.catalog), origin=origin)
    return convert.SourceFile(path, session.catalog.sources[found.format], found, original.shapes)
