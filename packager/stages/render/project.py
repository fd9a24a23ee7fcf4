"""One project: the target's tree, the native contract, the engine, the model, golden vectors and the sample."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2

from packager.core.errors import RenderError
from packager.model.project import Owner, RenderedFile
from packager.model.tensors import Quantization
from packager.registry import Catalog
from packager.stages.render.context import FILTERS, TESTS, ProjectInput, SampleFile, base_context, step_names
from packager.stages.render.goldens import golden_files
from packager.stages.render.models import model_files

TEMPLATE = ".jinja"
DERIVED = "states the converted model's size, hash or quantisation"


def render(project: ProjectInput, catalog: Catalog) -> list[RenderedFile]:
    """All files of one project, sorted by path. Raises `RenderError` naming the template and its line.

    Text that changes with the artefact's size, hash or scales is found by rendering a second time with other
    figures, and marked as dependent on the processor.
    """
    first = _texts(project, catalog)
    second = {file.path: file.content for file in _texts(_other_figures(project), catalog)}
    texts = [f if second.get(f.path) == f.content else replace(f, cpu_dependent=DERIVED) for f in first]
    context = _context(project)
    files = [*texts, *_placed(project, context)]
    _refuse_twice(project, files)
    return sorted(files, key=lambda file: file.path)


def _context(project: ProjectInput) -> dict[str, Any]:
    context = base_context(project)
    context["namespace"] = _fill(project, "namespace", project.target.namespace, context)
    context["package_path"] = context["namespace"].replace(".", "/")
    return context


def _texts(project: ProjectInput, catalog: Catalog) -> list[RenderedFile]:
    context = _context(project)
    context["kit"] = catalog.kit(project.target.language)
    return [*_tree(project, context), *_contract(project, catalog, context), *_engine(project, context)]


def _other_figures(project: ProjectInput) -> ProjectInput:
    """The same project with another artefact behind it: only what states its figures may change."""

    def moved(quantization: Quantization | None) -> Quantization | None:
        if quantization is None:
            return None
        return Quantization(quantization.scale * 1.5, quantization.zero_point ^ 1)

    artifact = project.artifact
    other = replace(
        artifact,
        sha256=artifact.sha256[::-1],
        bytes=artifact.bytes + 123_457,
        inputs=tuple(replace(p, quantization=moved(p.quantization)) for p in artifact.inputs),
        outputs=tuple(replace(p, quantization=moved(p.quantization)) for p in artifact.outputs),
    )
    changed = [
        tuple(replace(c, quantization=moved(c.quantization), calls=tuple(_moved_calls(c.calls))) for c in chains)
        for chains in (project.inputs, project.outputs)
    ]
    return replace(project, artifact=other, inputs=changed[0], outputs=changed[1])


def _moved_calls(calls: Any) -> Iterator[Any]:
    for call in calls:
        arguments = tuple((name, _moved_scale(name, value)) for name, value in call.arguments)
        yield replace(call, arguments=arguments)


def _moved_scale(name: str, value: Any) -> Any:
    if name == "zero_point":
        return value ^ 1
    return type(value)(value.value * 1.5) if name == "scale" and hasattr(value, "value") else value


def _environment(project: ProjectInput, loader: jinja2.BaseLoader | None) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=loader,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= FILTERS
    environment.tests |= TESTS
    environment.filters["string"] = project.language.string
    environment.filters["constant"] = project.language.constant
    environment.filters["function"] = project.language.function
    return environment


def _fill(project: ProjectInput, what: str, template: str, context: Mapping[str, Any]) -> str:
    """A short template of `target.toml` itself."""
    try:
        return _environment(project, None).from_string(template).render(context)
    except jinja2.TemplateError as fault:
        raise RenderError(f"{project.target.id}/target.toml: {what}: {fault}") from fault


def _render_file(project: ProjectInput, root: Path, relative: str, context: Mapping[str, Any]) -> bytes:
    environment = _environment(project, jinja2.FileSystemLoader([root, context["kit"]]))
    try:
        return environment.get_template(relative).render(context).encode("utf-8")
    except jinja2.TemplateSyntaxError as fault:
        raise RenderError(f"{project.target.id}: {fault.name}:{fault.lineno}: {fault.message}") from fault
    except (jinja2.TemplateError, ValueError) as fault:
        raise RenderError(f"{project.target.id}: {relative}: {fault}") from fault


def _tree(project: ProjectInput, context: Mapping[str, Any]) -> Iterator[RenderedFile]:
    root = project.target.folder / "tree"
    for file in sorted(root.rglob("*")):
        if not file.is_file() or file.name == ".DS_Store":
            continue
        relative = file.relative_to(root).as_posix()
        place = _fill(project, relative, project.target.paths.get(relative, relative.removesuffix(TEMPLATE)), context)
        if not place:  # its own condition does not hold for this project
            continue
        path = f"{project.target.root}/{place}"
        is_template = relative.endswith(TEMPLATE)
        content = _render_file(project, root, relative, context) if is_template else file.read_bytes()
        executable = bool(file.stat().st_mode & 0o100)
        yield RenderedFile(path, content, _owner(project, relative), executable)


def _owner(project: ProjectInput, relative: str) -> Owner:
    plain = relative.removesuffix(TEMPLATE)
    return "yours" if any(fnmatch.fnmatch(plain, pattern) for pattern in project.target.yours) else "generated"


def _contract(project: ProjectInput, catalog: Catalog, context: Mapping[str, Any]) -> Iterator[RenderedFile]:
    """The language's kit with the rendered chain, and the native files of the steps in use."""
    place = f"{project.target.root}/{_fill(project, 'place.contract', project.target.place.contract, context)}"
    kit: Path = context["kit"]
    maps = any(chain.photo for chain in project.outputs)
    for file in sorted(p for p in kit.iterdir() if p.is_file() and p.name[0] not in "_."):
        name = file.name.removesuffix(TEMPLATE)
        if not maps and file.stem.lower().endswith("mapping"):
            continue
        if file.name.endswith(TEMPLATE):
            text = _render_file(project, kit, file.name, context).decode("utf-8")
        elif file.suffix in project.language.suffixes:
            text = file.read_text("utf-8")
        else:
            continue
        yield _native(project, f"{place}/{name}", text, context)
    for step in step_names(project):
        for file in catalog.native_files(step, project.language):
            yield _native(project, f"{place}/{file.name}", file.read_text("utf-8"), context)


def _engine(project: ProjectInput, context: Mapping[str, Any]) -> Iterator[RenderedFile]:
    place = f"{project.target.root}/{_fill(project, 'place.engine', project.target.place.engine, context)}"
    for name in project.engine.files:
        yield _native(project, f"{place}/{name}", (project.engine.folder / name).read_text("utf-8"), context)


def _native(project: ProjectInput, path: str, text: str, context: Mapping[str, Any]) -> RenderedFile:
    return RenderedFile(path, project.language.rehome(text, context["namespace"]).encode("utf-8"))


def _placed(project: ProjectInput, context: Mapping[str, Any]) -> Iterator[RenderedFile]:
    place = project.target.place
    root = project.target.root
    yield from model_files(project.artifact, f"{root}/{_fill(project, 'place.model', place.model, context)}")
    yield from golden_files(project.golden, f"{root}/{_fill(project, 'place.golden', place.golden, context)}")
    for sample in project.samples if place.sample else ():
        path = PurePosixPath(_fill(project, "place.sample", place.sample, {**context, "sample": sample}))
        yield RenderedFile(f"{root}/{path}", _sample(sample, path.suffix))


def _sample(sample: SampleFile, suffix: str) -> bytes | Path:
    """A picture's own file, or its decoded pixels as PPM where the project cannot decode; else the decoded value."""
    if sample.is_picture and suffix != ".ppm":
        return sample.part or sample.file
    if suffix != ".ppm":
        return sample.data
    height, width, _ = sample.shape
    return f"P6\n{width} {height}\n255\n".encode() + sample.data


def _refuse_twice(project: ProjectInput, files: list[RenderedFile]) -> None:
    seen: set[str] = set()
    for file in files:
        folded = file.path.casefold()
        if folded in seen:
            raise RenderError(f"{project.target.id}: two files want the path {file.path}")
        if ".." in PurePosixPath(file.path).parts or file.path.startswith("/"):
            raise RenderError(f"{project.target.id}: the path {file.path} leaves the project")
        seen.add(folded)
