"""Builds small Core ML programs with coremltools and compares the evaluator with independent implementations."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_DTYPES = {"float32": "fp32", "float16": "fp16", "int32": "int32"}


@dataclass(frozen=True)
class Case:
    """One program: its op, inputs, how to build it, and what an independent implementation says."""

    op: str
    name: str
    feeds: Mapping[str, np.ndarray]
    build: Callable[..., Any]
    expect: Callable[[], Any]
    target: str = "iOS15"
    atol: float = 2e-6
    rtol: float = 1e-5

    def __str__(self) -> str:
        return f"{self.op}-{self.name}"


def save_program(
    folder: Path, feeds: Mapping[str, np.ndarray], build: Callable[..., Any], target: str, **options: Any
) -> Path:
    """Build a program with the `mb` builder, with no graph pass of coremltools, and save the package.

    `build` gets the inputs in the order of `feeds`.
    """
    import coremltools as ct
    from coremltools.converters.mil import Builder as mb
    from coremltools.converters.mil.mil import Function, Program, types

    opset = getattr(ct.target, target)
    inputs = {
        name: mb.placeholder(shape=value.shape, dtype=getattr(types, _DTYPES[value.dtype.name]))
        for name, value in feeds.items()
    }
    program = Program()
    with Function(inputs, opset_version=opset) as function:
        outputs = build(*function.inputs.values())
        function.set_outputs(list(outputs) if isinstance(outputs, list | tuple) else [outputs])
    program.add_function("main", function)
    settings = {
        "convert_to": "mlprogram",
        "compute_precision": ct.precision.FLOAT32,
        "minimum_deployment_target": opset,
        "pass_pipeline": ct.PassPipeline.EMPTY,
    }
    path = folder / "model.mlpackage"
    ct.convert(program, **(settings | options)).save(str(path))
    return path


def load(feeds: Mapping[str, np.ndarray], build: Callable[..., Any], target: str = "iOS15", **options: Any) -> Any:
    """A loaded MilProgram of what `build` builds."""
    from packager.runtimes.coreml.mil import MilProgram

    with tempfile.TemporaryDirectory() as folder:
        program = MilProgram.load(save_program(Path(folder), feeds, build, target, **options))
        if not program.unsupported():
            program.predict(feeds)  # reads the weights while the folder is there
    return program


def check(case: Case) -> None:
    """The evaluator agrees with the case's reference in shape, dtype and value."""
    program = load(case.feeds, case.build, case.target)
    assert case.op in program.op_types(), f"the program has no {case.op}: {dict(program.op_types())}"
    got = list(program.predict(case.feeds).values())
    wanted = case.expect()
    wanted = [np.asarray(item) for item in (wanted if isinstance(wanted, list | tuple) else [wanted])]
    assert len(got) == len(wanted)
    for have, want in zip(got, wanted, strict=True):
        assert have.shape == want.shape
        assert have.dtype.kind == want.dtype.kind
        np.testing.assert_allclose(have, want, rtol=case.rtol, atol=case.atol)


def ort(
    op_type: str, inputs: Sequence[np.ndarray | None], *, outputs: int = 1, opset: int = 18, **attributes: Any
) -> Any:
    """Run one ONNX op in ONNX Runtime."""
    import onnx
    import onnxruntime
    from onnx import helper

    names = [f"i{n}" if value is not None else "" for n, value in enumerate(inputs)]
    given = {name: value for name, value in zip(names, inputs, strict=True) if value is not None}
    node = helper.make_node(op_type, names, [f"o{n}" for n in range(outputs)], **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in given.items()],
        [onnx.ValueInfoProto(name=f"o{n}") for n in range(outputs)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    results = session.run(None, given)
    return results[0] if outputs == 1 else results


def rng(seed: int) -> np.random.Generator:
    """A generator of numbers that are the same in every run."""
    return np.random.default_rng(seed)


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """float32[shape] of a normal distribution."""
    return rng(seed).normal(size=shape).astype(np.float32)
