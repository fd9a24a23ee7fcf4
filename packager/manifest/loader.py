"""From a file to a checked manifest, or to everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from packager.core.errors import Finding, Location, ManifestError
from packager.core.findings import nearest, one_of, suggest
from packager.manifest.addresses import read_address, read_files
from packager.manifest.annotations import describe, field_slot
from packager.manifest.chains import read_calibration, read_inputs, read_outputs, read_samples
from packager.manifest.document import Document, line_at, parse
from packager.manifest.evaluation import read_evaluation
from packager.manifest.nodes import Mapping, Node, Scalar
from packager.manifest.reader import Reader
from packager.manifest.targets import read_formats, read_gate, read_targets
from packager.model.manifest import Header, Manifest, Model
from packager.registry import Catalog

LARGEST = 1_000_000
"""Bytes of a manifest that are read."""

MOST_SHOWN = 100
"""Findings that one error carries."""

RESERVED = {
    "models": "several models, one feeding another",
    "state": "streaming models",
    "compress": "compression with a budget",
    "mode": "server and hybrid mode",
}
"""Keys that the format keeps, refused until they are built."""

SECTIONS = {
    "model": "a mapping `{source: ...}`",
    "inputs": "a mapping such as `{photo: {accepts: {image: {}}, steps: [...]}}`",
    "outputs": "a mapping such as `{verdict: {steps: [...]}}`",
}
"""Sections that every manifest has, and their form."""

REQUIRED = (*Header.model_fields, *SECTIONS)
_COMPUTED = ("file", "positions", "lines")
KEYS = tuple(key for key in Manifest.model_fields if key not in _COMPUTED)


def load(path: Path, catalog: Catalog) -> Manifest:
    """Read and check a manifest.

    Checked is its form, every name against the catalogue, names against each other, and that files named by
    path exist (but the model's, which is the source stage's). Raises ManifestError with all findings, in the
    order of the file.
    """
    return load_text(read_text(path), path, catalog)


def load_text(text: str, path: Path, catalog: Catalog) -> Manifest:
    """Check the text of a manifest that stands, or will stand, at `path`. Raises ManifestError as `load` does."""
    try:
        document = parse(text, str(path))
    except ManifestError as error:
        raise ManifestError(_in_order(list(error.findings))) from None
    if not document.complete:
        raise ManifestError(_in_order(document.findings))
    _check_format(document)
    reader = Reader(catalog, path.parent, document.lines, document.top.where)
    values = _read(reader, document.top)
    findings = [*document.findings, *reader.findings]
    if findings:
        raise ManifestError(_in_order(findings))
    return _manifest(values, path, document)


def load_model(path: Path, catalog: Catalog) -> Model:
    """The `model:` section of a YAML file that need hold nothing else; its other keys are not looked at.

    Raises ManifestError with all findings of the section.
    """
    document = parse(read_text(path), str(path))
    reader = Reader(catalog, path.parent, document.lines, document.top.where)
    if "model" not in document.top.entries:
        reader.fault(document.top, "there is no `model:`", SECTIONS["model"], "the same as in a manifest")
    model = read_model(reader, document.top.entries.get("model"))
    findings = [*document.findings, *reader.findings]
    if findings or model is None:
        raise ManifestError(_in_order(findings))
    return model


def _check_format(document: Document) -> None:
    """A manifest of a later format is not judged by this one's rules."""
    node = document.top.entries.get("packager")
    if isinstance(node, Scalar) and isinstance(node.value, int) and node.value > 1:
        raise ManifestError(
            Finding(
                f"the manifest has format {node.value}, which this version cannot read",
                node.where,
                "`packager: 1`",
                "install a newer packager",
                line_at(document.lines, node.where),
            )
        )


def read_text(path: Path) -> str:
    """Text of the file. Raises ManifestError where it is missing, too large, empty, or not plain UTF-8."""
    try:
        if path.is_dir():
            raise ManifestError(f"`{path}` is a folder", expected="a manifest", hint=f"try {path / 'manifest.yaml'}")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        hint = "give the path of a manifest, or start in its folder"
        raise ManifestError(f"no manifest at `{path}`", expected="a YAML file", hint=hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ManifestError(f"`{path}` cannot be read: {reason}", expected="a YAML file") from None
    return _decode(data, str(path))


def _decode(data: bytes, file: str) -> str:
    where = Location(file, 1, 1)
    if len(data) > LARGEST:
        raise ManifestError(f"the manifest has more than {LARGEST:,} bytes", where=where, expected="a short YAML file")
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        kind = "UTF-8" if data.startswith(b"\xef") else "UTF-16"
        what = f"the manifest starts with a byte order mark ({kind})"
        raise ManifestError(what, where=where, expected="UTF-8 without a mark", hint="save it as UTF-8 without BOM")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        where = Location(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        what = f"the manifest is not UTF-8: byte 0x{data[error.start]:02x}"
        raise ManifestError(what, where=where, expected="text in UTF-8", hint="save it as UTF-8") from None


def _read(reader: Reader, top: Mapping) -> dict[str, Any]:
    """Every section; what is wrong is in the reader's findings, and sections do not hide each other's faults."""
    meant = {nearest(key, KEYS) for key in top.entries if key not in KEYS and key not in RESERVED}
    _check_keys(reader, top, meant)
    get = top.entries.get
    header = reader.part(top.only(*Header.model_fields), Header, excused=Header.model_fields)
    inputs, outputs = get("inputs"), get("outputs")
    input_names = list(inputs.entries) if isinstance(inputs, Mapping) else []
    output_names = list(outputs.entries) if isinstance(outputs, Mapping) else []
    return {
        "header": header,
        "model": read_model(reader, get("model")),
        "inputs": read_inputs(reader, inputs),
        "outputs": read_outputs(reader, outputs),
        "samples": read_samples(reader, get("samples"), input_names, output_names),
        "calibration": read_calibration(reader, get("calibration"), input_names),
        "evaluation": read_evaluation(reader, get("evaluation"), output_names),
        "gate": read_gate(reader, get("gate")),
        "formats": read_formats(reader, get("formats")),
        "targets": read_targets(reader, get("targets")),
    }


def _check_keys(reader: Reader, top: Mapping, meant: set[str]) -> None:
    """Unknown, reserved and missing keys."""
    for key, node in top.entries.items():
        if key in RESERVED:
            what = f"`{key}` ({RESERVED[key]}) is not in this version"
            reader.fault(node, what, "a manifest without it", "remove the key", key=True)
        elif key not in KEYS:
            reader.fault(node, f"unknown key `{key}`", one_of(KEYS), suggest(key, KEYS), key=True)
    lacking = [key for key in REQUIRED if key not in top.entries and key not in meant]
    if lacking:
        what = f"the manifest lacks {', '.join(f'`{key}`' for key in lacking)}"
        rows = "\n".join(f"`{key}`: {_wanted(key)}" for key in lacking)
        about = Manifest.model_fields[lacking[0]].description or "" if len(lacking) == 1 else ""
        reader.fault(top, what, rows, about)
    if not any(key in top.entries or key in meant for key in ("targets", "formats")):
        reader.fault(top, "the manifest builds nothing", "`targets:`, `formats:` or both", "name a target or a format")


def _wanted(key: str) -> str:
    info = Header.model_fields.get(key)
    return describe(field_slot(info)) if info is not None else SECTIONS[key]


def read_model(reader: Reader, node: Node | None) -> Model | None:
    """The source model; its file's presence is the source stage's matter."""
    if node is None:
        return None
    if not isinstance(node, Mapping) or "source" not in node.entries:
        return reader.part(node, Model)
    source = read_address(reader, node.entries["source"], must_exist=False)
    code = read_files(reader, node.entries["code"]) if "code" in node.entries else ()
    placeholder = Mapping(node.path, node.where, {**node.entries}, key_where=node.key_where)
    placeholder.entries.pop("source")
    placeholder.entries.pop("code", None)
    rest = reader.part(placeholder, _ModelRest)
    if source is None or rest is None or code is None:
        return None
    if code and rest.class_ is None:
        what = "`code` belongs to a `class`, and there is none"
        reader.fault(node.entries["code"], what, '`class: "package.module:Class"` beside it', key=True)
        return None
    read = {info.alias or name: getattr(rest, name) for name, info in Model.model_fields.items()}
    return Model.model_validate({**read, "source": source, "code": code})


class _ModelRest(Model):
    """The model's other keys: its addresses were read before."""

    source: str = "."


def _manifest(values: dict[str, Any], path: Path, document: Document) -> Manifest:
    header: Header = values.pop("header")
    return Manifest(
        **{key: getattr(header, key) for key in Header.model_fields},
        **values,
        file=str(path),
        positions=document.positions(),
        lines=document.lines,
    )


def _in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """Sorted by place, none twice; of very many the first, and one that says how many were left out."""

    def place(found: Finding) -> tuple[int, int]:
        return (found.where.line, found.where.column) if found.where is not None else (0, 0)

    ordered = sorted(dict.fromkeys(findings), key=place)
    shown = ordered[:MOST_SHOWN]
    if len(ordered) > MOST_SHOWN:
        left = len(ordered) - MOST_SHOWN
        hint = "mend these first; the others may follow from them"
        shown.append(Finding(f"{left:,} more problems are not shown", ordered[MOST_SHOWN].where, hint=hint))
    return tuple(shown)


__all__ = ["KEYS", "RESERVED", "line_at", "load", "load_model", "load_text", "read_text"]
