"""TensorFlow's SavedModel: a folder with `saved_model.pb` and `variables/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packager.core.errors import Finding, ModelError
from packager.core.hashing import tree_hash
from packager.importers.batch import refuse_fixed
from packager.importers.protobuf import BrokenMessageError
from packager.model.source import ModelSource
from packager.model.tensors import TensorSpec
from packager.sources.savedmodel.graph import SavedGraph, Signature, Tensor, read_graph

SUMMARY = "TensorFlow SavedModel folder"
SUFFIXES = ("/",)
OPEN = "packager.sources.savedmodel.open:open_model"
RUN = "packager.sources.savedmodel.open:run"
RUN_WORKER = "tf"
TOOLS = ("tensorflow", "tf-keras", "keras", "numpy")
CODE = (
    "packager.importers.batch",
    "packager.importers.folding",
    "packager.importers.frozen",
    "packager.importers.protobuf",
    "packager.sources.savedmodel",
)

_FILE = "saved_model.pb"
_DEFAULT = "serving_default"
_NEVER = ("PyFunc", "PyFuncStateless", "EagerPyFunc", "WriteFile", "XlaLaunch")
_ASSIGNS = ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp")
_STRINGS = (
    "StringSplit", "StringSplitV2", "StringLower", "StringUpper", "StringToNumber", "StringToHashBucketFast",
    "RegexReplace", "RegexFullMatch", "StaticRegexReplace", "LookupTableFindV2", "LookupTableFind", "DecodeJpeg",
    "DecodePng", "DecodeImage", "DecodeWav", "DecodeBase64", "ReadFile", "ParseExampleV2", "ParseSingleExample",
    "UnicodeDecodeWithOffsets", "AsString", "StringFormat", "Substr", "HashTableV2", "StringLength", "StringJoin",
    "StringStrip", "ReduceJoin", "StringNGrams", "StringToHashBucket", "StringToHashBucketStrong", "UnicodeTranscode",
    "DecodeRaw",
)  # fmt: skip


def detect(path: Path) -> bool:
    """Whether the folder holds `saved_model.pb`."""
    return (path / _FILE).is_file()


def inspect(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:
    """Read signatures and graph without TensorFlow. Raises ModelError for what cannot be taken."""
    graph = read(path)
    name, signature = choose(graph, path.name)
    refuse(graph, signature, path.name)
    names = [tensor.spec.name for tensor in signature.inputs]
    strange = sorted(set(shapes) - set(names))
    if strange:
        raise ModelError(f"the model has no input {strange[0]!r}", expected=f"one of {', '.join(names)}")
    unknown = [tensor.spec.name for tensor in signature.outputs if not tensor.known]
    ends = {tensor.spec.name: graph.ends(tensor) for tensor in signature.outputs}
    return ModelSource(
        format="savedmodel",
        sha256=tree_hash(path),
        inputs=tuple(_input(tensor, shapes) for tensor in signature.inputs),
        outputs=tuple(tensor.spec for tensor in signature.outputs),
        activations={name: end for name, end in ends.items() if end is not None},
        ops=dict(sorted(graph.reached(signature).items())),
        facts={
            "tensorflow_version": graph.version,
            "signature": name,
            "unknown_shapes": unknown,
            "weight_bytes": sum(file.stat().st_size for file in (path / "variables").glob("*.data-*")),
            "dependent_ops": graph.dependent(signature),
            **({"parameters": counted} if (counted := graph.parameters(signature)) else {}),
        },
        unseen=tuple(f"the shape of output {name!r}: seen when the model is opened" for name in unknown),
    )


def _input(tensor: Tensor, shapes: Mapping[str, tuple[int | None, ...]]) -> TensorSpec:
    name = tensor.spec.name
    if name not in shapes and not tensor.known:
        raise ModelError(
            f"the file does not say how many axes input {name!r} has",
            hint=f"give its shape in the manifest: model: {{shapes: {{{name}: [...]}}}}",
        )
    if tensor.known:
        refuse_fixed("the signature", name, tensor.spec.shape, shapes)
    return TensorSpec(name, tensor.spec.dtype, shapes.get(name, tensor.spec.shape))


def read(path: Path) -> SavedGraph:
    """Return the parsed file. Raises ModelError for a broken one, or one whose weights are missing."""
    try:
        graph = read_graph((path / _FILE).read_bytes())
    except (OSError, BrokenMessageError) as fault:
        what, hint = f"{path.name}/{_FILE} cannot be read ({fault})", "copy the whole folder again"
        raise ModelError(what, expected="a whole file", hint=hint) from fault
    if "VarHandleOp" in graph.everything() and not (path / "variables" / "variables.index").is_file():
        raise ModelError(
            f"{path.name} holds no weights", expected="variables/variables.index", hint="copy the whole folder"
        )
    return graph


def choose(graph: SavedGraph, file: str) -> tuple[str, Signature]:
    """Return the signature to use: `serving_default`, or the only one. Raises ModelError."""
    names = [name for name in graph.signatures if not name.startswith("__")]
    name = _DEFAULT if _DEFAULT in names else names[0] if len(names) == 1 else ""
    if not name or not graph.signatures[name].outputs:
        raise ModelError(
            f"{file} has no signature to use (found: {', '.join(sorted(names)) or 'none'})",
            expected=f"a signature {_DEFAULT!r} with inputs and outputs",
            hint="save it with tf.saved_model.save(model, folder, signatures=...) or model.export(folder)",
        )
    return name, graph.signatures[name]


def refuse(graph: SavedGraph, signature: Signature, file: str) -> None:
    """Raise ModelError for operations that run code, write files or variables, or work on text."""
    reached, everything = graph.nodes(signature), graph.everything()
    never = sorted(set(everything) & set(_NEVER))
    strings = sorted(set(reached) & set(_STRINGS))
    typed = [tensor.spec for tensor in (*signature.inputs, *signature.outputs) if tensor.spec.dtype == "string"]
    findings = [
        Finding(
            f"{file}: the graph has the operation {op} (node {everything[op]!r})",
            expected="plain computations",
            hint="export it without",
        )
        for op in never
    ] + [
        Finding(
            f"{file}: the graph has the operation {op} (node {reached[op]!r}), which works on text or files",
            expected="operations on numbers",
            hint="export the model from behind this operation, and do its work in the contract",
        )
        for op in strings
    ]
    findings += [
        Finding(
            f"{file}: the graph writes a variable while it runs ({op}, node {reached[op]!r}); a frozen model cannot",
            expected="a graph that only reads its weights",
            hint="augmentation layers (RandomFlip, ...) do so even in an export: build the model without them and "
            "export that; a state that is kept between calls has to be an input and an output",
        )
        for op in sorted(set(reached) & set(_ASSIGNS))
    ]
    findings += [
        Finding(f"{file}: {spec.name!r} holds text", expected="a tensor of numbers", hint="export it without")
        for spec in typed
    ]
    if findings:
        raise ModelError(tuple(findings))
