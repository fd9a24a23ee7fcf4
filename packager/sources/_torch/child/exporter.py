"""Runs under an interpreter that has torch: `exporter.py JOB.json`. Needs the standard library and torch only.

Verbs: `export` writes ONNX, a random probe and torch's answer to it; `run` answers every feed. Tensors are exchanged
as raw little-endian files; the answer is `answer.json` in the job's folder.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import inspect
import json
import sys
import warnings
from pathlib import Path
from typing import Any

OPSET = 17
SEVERAL = 3
"""Samples in one run, where the batch is free."""
UNBOUNDED = 2**62
_LEFT = ("state_dict", "model_state_dict")


class RefusedError(Exception):
    """What the user is told: a message, and a hint."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


def main() -> None:
    """Do one job and write its answer."""
    sys.path.pop(0)  # this folder: its files are no modules of the model
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    work = Path(job["work"])
    try:
        answer = VERBS[job["verb"]](job, work)
    except RefusedError as fault:
        answer = {"error": str(fault), "hint": fault.hint}
    (work / "answer.json").write_text(json.dumps(answer), "utf-8")


def export(job: dict[str, Any], work: Path) -> dict[str, Any]:
    """Write the ONNX file, and a probe with torch's own answer."""
    _without_onnx()
    model, inputs = load(job)
    torch.manual_seed(0)
    tensors = [probe(item) for item in inputs]
    answers = call(model, tensors)
    names = list(answers)
    # A script cannot be traced from outside, and flattens its answer itself.
    outer = model if isinstance(model, torch.jit.ScriptModule) else _Flat(model)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            keywords = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
            torch.onnx.export(
                outer, tuple(tensors), job["onnx"], opset_version=OPSET,
                input_names=[item["name"] for item in inputs], output_names=names, **keywords, **_free(inputs, answers),
            )  # fmt: skip
    except Exception as fault:
        first = str(fault).strip().partition("\n")[0]
        what = f"torch {torch.__version__} cannot export it: {type(fault).__name__}: {first}"
        hint = "rewrite that part of the model with plain tensor operations, or export it to ONNX yourself"
        raise RefusedError(what, hint) from fault
    probes = [_probed(work, "probe", inputs, tensors, answers)]
    if any(item["free"] for item in inputs):
        several = [
            torch.cat([tensors[index], *(probe(item) for _ in range(SEVERAL - 1))]) if item["free"] else tensors[index]
            for index, item in enumerate(inputs)
        ]
        probes.append(_probed(work, "several", inputs, several, call(model, several)))
    return {"probes": probes}


def _probed(work: Path, stem: str, inputs: list[dict[str, Any]], tensors: list[Any], answers: dict[str, Any]) -> Any:
    fed = {item["name"]: tensors[index] for index, item in enumerate(inputs)}
    return {"inputs": write(work, f"{stem}-in", fed), "outputs": write(work, f"{stem}-out", answers)}


def _free(inputs: list[dict[str, Any]], answers: dict[str, Any]) -> dict[str, Any]:
    """What the exporter is told of a free batch: the first axis of those inputs, and of every output."""
    named = [item["name"] for item in inputs if item["free"]]
    ends = [name for name, tensor in answers.items() if tensor.dim()]
    return {"dynamic_axes": {name: {0: "batch"} for name in [*named, *ends]}} if named else {}


def _without_onnx() -> None:
    """Newer exporters ask for the onnx package at their end, to add custom functions, of which there are none here."""
    if importlib.util.find_spec("onnx") is not None:
        return
    for name in ("onnx_proto_utils", "torchscript_exporter.onnx_proto_utils"):
        try:
            utilities = importlib.import_module(f"torch.onnx._internal.{name}")
        except ImportError:
            continue
        setattr(utilities, "_add_onnxscript_fn", _nothing_to_add)  # noqa: B010 - a module's attribute


def _nothing_to_add(model_bytes: bytes, custom_opsets: Any) -> bytes:  # noqa: ARG001
    return model_bytes


def run(job: dict[str, Any], work: Path) -> dict[str, Any]:
    """Answer every feed."""
    model, inputs = load(job)
    samples = []
    for index, feed in enumerate(job["feeds"]):
        arrays = {item["name"]: read(work, item) for item in feed}
        missing = [item["name"] for item in inputs if item["name"] not in arrays]
        if missing:
            raise RefusedError(f"no value for its input {missing[0]!r}", f"inputs given: {', '.join(arrays)}")
        answers = call(model, [arrays[item["name"]] for item in inputs])
        samples.append(write(work, f"answer-{index}", answers))
    return {"samples": samples}


VERBS = {"export": export, "run": run}


def load(job: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """The model, ready to be called, and its inputs: name, shape, dtype."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    model, declared = LOADERS[job["kind"]](job)
    return model, _inputs(job, declared)


def _load_script(job: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    try:
        model = torch.jit.load(job["model"], map_location="cpu")
    except Exception as fault:
        raise _unreadable("TorchScript", fault) from fault
    arguments = model.forward.schema.arguments[1:]
    return model.eval(), [{"name": each.name, "optional": each.has_default_value()} for each in arguments]


def _load_class(job: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    try:
        weights = torch.load(job["model"], map_location="cpu", weights_only=True)
    except Exception as fault:
        raise _unreadable("a state dict", fault) from fault
    model = _build(job)
    try:
        model.load_state_dict(_state(weights))
    except (RuntimeError, TypeError, ValueError, AttributeError) as fault:
        lines = [line.strip() for line in str(fault).strip().splitlines()]
        hint = "check `class` and `arguments`: they must build the very network that was trained"
        raise RefusedError(f"the weights do not fit {job['class']}: {' '.join(lines[:3])[:400]}", hint) from fault
    parameters = [each for each in inspect.signature(model.forward).parameters.values() if each.kind in _PLAIN]
    declared = [{"name": each.name, "optional": each.default is not each.empty} for each in parameters]
    return model.eval(), declared


_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _build(job: dict[str, Any]) -> Any:
    """Make the network from its class; this runs the user's own, trusted code."""
    for place in reversed(job["code"]):
        path = Path(place)
        sys.path.insert(0, str(path.parent if path.suffix == ".py" else path))
    module, _, attributes = job["class"].partition(":")
    try:
        made: Any = importlib.import_module(module)
        for name in attributes.split("."):
            made = getattr(made, name)
        model = made(**job["arguments"])
    except Exception as fault:
        hint = "check `class`, `arguments` and `code`: the module must be in one of the places under `code`"
        raise RefusedError(f"{job['class']} cannot be built: {type(fault).__name__}: {fault}", hint) from fault
    if not isinstance(model, torch.nn.Module):
        raise RefusedError(f"{job['class']} gives a {type(model).__name__}, not a torch.nn.Module")
    return model


def _state(weights: Any) -> Any:
    """The state dict itself, of a file that holds it alone or as part of a check-point."""
    if not isinstance(weights, dict):
        raise RefusedError(f"it holds a {type(weights).__name__}", "save `model.state_dict()`")
    if not any(isinstance(value, torch.Tensor) for value in weights.values()):
        named = [key for key in _LEFT if isinstance(weights.get(key), dict)]
        if not named:
            keys = ", ".join(str(key) for key in list(weights)[:8])
            raise RefusedError(f"it holds no tensors at its top, but {keys}", "save `model.state_dict()` alone")
        weights = weights[named[0]]
    if weights and all(str(key).startswith("module.") for key in weights):  # saved from DataParallel
        weights = {key[len("module.") :]: value for key, value in weights.items()}
    return weights


def _load_export(job: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    try:
        program = torch.export.load(job["model"])
    except Exception as fault:
        raise _unreadable("an exported program", fault) from fault
    values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
    declared = [
        {
            "name": name,
            "optional": False,
            "shape": [int(size) if isinstance(size, int) else None for size in values[name].shape],
            "bounds": [_bounds(program, size) for size in values[name].shape],
            "dtype": str(values[name].dtype).rpartition(".")[2],
        }
        for name in program.graph_signature.user_inputs
    ]
    model = program.module()
    model.train = lambda mode=True: model  # noqa: ARG005 - the exporter sets a mode, which a program refuses
    if any(None in item["shape"] for item in declared):
        _make_traceable(model, _inputs(job, declared))
    return model, declared


def _bounds(program: Any, size: Any) -> tuple[int, int | None]:
    """Smallest and largest size that the program takes; None where nothing bounds it from above."""
    if isinstance(size, int):
        return size, size
    found = program.range_constraints.get(size.node.expr)
    if found is None:
        return 0, None
    low = int(found.lower)
    # As torch has it: a lower bound of 2 is one of the export alone, which traces no sizes of 0 and 1.
    return (low if low > 2 else 0), (int(found.upper) if found.upper < UNBOUNDED else None)


def _make_traceable(model: Any, inputs: list[dict[str, Any]]) -> None:
    """Free sizes cannot be traced as symbols: take them from the tensors, and leave out the check of both.

    What the check guards is held by the shapes of `inputs`, which are fixed: it is asked of them here, once.
    """
    for batch in (1, SEVERAL) if any(item["free"] for item in inputs) else (1,):
        sizes = [[batch, *item["shape"][1:]] if item["free"] else item["shape"] for item in inputs]
        call(model, [torch.zeros(size, dtype=getattr(torch, i["dtype"])) for size, i in zip(sizes, inputs)])  # noqa: B905
    for node in model.graph.nodes:
        if node.op == "call_function" and node.target is torch.ops.aten.sym_size.int:
            node.target = _size_of
    model.recompile()
    model._forward_pre_hooks.clear()
    model._forward_pre_hooks_with_kwargs.clear()


def _size_of(tensor: Any, axis: int) -> Any:
    return tensor.size(axis)


LOADERS = {"torchscript": _load_script, "class": _load_class, "export": _load_export}


def _unreadable(what: str, fault: Exception) -> RefusedError:
    first = str(fault).strip().partition("\n")[0][:300]
    hint = "it may be of a newer torch, or broken: save it again, or name a newer interpreter under `python:`"
    return RefusedError(f"torch {torch.__version__} cannot read it as {what}: {type(fault).__name__}: {first}", hint)


def _inputs(job: dict[str, Any], declared: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The inputs with the shapes of the manifest, in the order of `forward`."""
    shapes, dtypes = job["shapes"], job["dtypes"]
    names = [item["name"] for item in declared]
    for name in [*shapes, *dtypes]:
        if name not in names:
            raise RefusedError(f"it has no input {name!r}", f"the arguments of its forward are: {', '.join(names)}")
    found = []
    for item in declared:
        shape = shapes.get(item["name"], item.get("shape"))
        if shape is None and item["optional"]:
            break
        free = is_free(shapes, item["name"])
        if free and item.get("shape", [None])[:1] != [None]:
            hint = "export the program with dynamic_shapes for its first dimension, or give the number"
            raise RefusedError(f"it fixes the batch of its input {item['name']!r} at {item['shape'][0]}", hint)
        if shape is None or None in (shape[1:] if free else shape):
            raise RefusedError(f"the shape of its input {item['name']!r} is not known", "give it under `shapes:`")
        dtype = dtypes.get(item["name"], item.get("dtype", "float32"))
        _refuse_other(item, shape)
        shape = [1, *shape[1:]] if free else list(shape)
        found.append({"name": item["name"], "shape": shape, "dtype": dtype, "free": free})
    left = [name for name in shapes if name not in [item["name"] for item in found]]
    if left:
        raise RefusedError(f"its input {left[0]!r} comes after one that was left out", "give a shape for both")
    return found


def _refuse_other(item: dict[str, Any], shape: list[int | None]) -> None:
    """Refuse a shape that an exported program does not take: it was made for the sizes that it states."""
    if "bounds" not in item:
        return
    taken = ", ".join(_in_words(low, high) for low, high in item["bounds"])
    hint = f"it takes [{taken}]: correct `shapes:`, or export the program again with dynamic_shapes for that size"
    if len(shape) != len(item["bounds"]):
        raise RefusedError(f"the shape of its input {item['name']!r} has {len(shape)} sizes: {_shown(shape)}", hint)
    for axis, (size, (low, high)) in enumerate(zip(shape, item["bounds"])):  # noqa: B905 - compared above
        for each in (1, SEVERAL) if size is None else (size,):
            if each < low or (high is not None and each > high):
                what = f"a batch of {each}" if size is None else f"{each} at axis {axis}"
                raise RefusedError(f"its input {item['name']!r} does not take {what}: {_shown(shape)}", hint)


def _in_words(low: int, high: int | None) -> str:
    if low == high:
        return str(low)
    if high is None:
        return f"at least {low}" if low else "any"
    return f"{low} to {high}" if low else f"at most {high}"


def _shown(shape: list[int | None]) -> str:
    return json.dumps(list(shape))


def is_free(shapes: dict[str, Any], name: str) -> bool:
    """Whether the manifest leaves the batch of an input free."""
    return shapes.get(name, [1])[:1] == [None]


def call(model: Any, tensors: list[Any]) -> dict[str, Any]:
    """Outputs by name."""
    try:
        with torch.no_grad():
            result = model(*tensors)
    except Exception as fault:
        hint = "check the `shapes:` and `dtypes:` of its inputs"
        raise RefusedError(f"it does not run: {type(fault).__name__}: {str(fault).strip()[:400]}", hint) from fault
    found: dict[str, Any] = {}
    _flatten("", result, found)
    if not found:
        raise RefusedError("it answers with no tensor")
    return {name or "output": tensor for name, tensor in found.items()}


def _flatten(name: str, value: Any, found: dict[str, Any]) -> None:
    """Tensors of nested answers: `output`, `output_0`, or the keys of a mapping, joined by `_`."""
    if isinstance(value, torch.Tensor):
        found[name] = value
    elif isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{name}_{key}" if name else str(key), inner, found)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            _flatten(f"{name or 'output'}_{index}", inner, found)
    elif value is not None:
        raise RefusedError(f"it answers with a {type(value).__name__}", "let its forward return tensors")


def probe(item: dict[str, Any]) -> Any:
    """A random tensor: normal numbers, or integers of 0 and 1, which suit any vocabulary."""
    dtype = getattr(torch, item["dtype"])
    if dtype.is_floating_point:
        return torch.randn(item["shape"], dtype=dtype)
    return torch.randint(0, 2, item["shape"]).to(dtype)


def read(work: Path, item: dict[str, Any]) -> Any:
    """A tensor from its raw file."""
    data = bytearray((work / item["file"]).read_bytes())
    return torch.frombuffer(data, dtype=getattr(torch, item["dtype"])).reshape(item["shape"])


def write(work: Path, stem: str, tensors: dict[str, Any]) -> list[dict[str, Any]]:
    """Raw files of tensors, and what they are."""
    items = []
    for index, (name, tensor) in enumerate(tensors.items()):
        plain = tensor.detach().cpu().contiguous()
        file = f"{stem}-{index}.bin"
        size = plain.numel() * plain.element_size()
        (work / file).write_bytes(ctypes.string_at(plain.data_ptr(), size) if size else b"")
        dtype = str(plain.dtype).rpartition(".")[2]
        items.append({"name": name, "file": file, "dtype": dtype, "shape": list(plain.shape)})
    return items


if __name__ == "__main__":
    import torch

    class _Flat(torch.nn.Module):
        """The model with a flat tuple of tensors as its answer, as ONNX has it."""

        def __init__(self, model: Any) -> None:
            super().__init__()
            self.model = model
            self.training = False

        def forward(self, *arguments: Any) -> Any:
            """Call the model."""
            found: dict[str, Any] = {}
            _flatten("", self.model(*arguments), found)
            return tuple(found.values())

    main()
