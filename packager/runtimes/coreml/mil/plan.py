"""A program made ready to run: constants read once, constant expressions folded, ops bound to functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from coremltools.proto import MIL_pb2

from packager.runtimes.coreml.mil import ops as _ops  # noqa: F401 - registers every op
from packager.runtimes.coreml.mil.errors import BadProgram, UnsupportedOp
from packager.runtimes.coreml.mil.package import Package
from packager.runtimes.coreml.mil.registry import OPS, PREPARED, Array, Result
from packager.runtimes.coreml.mil.rounding import round_to_half
from packager.runtimes.coreml.mil.values import TensorType, Value, constant, tensor_type

# Parameters of MIL ops that take any number of values.
_VARIADIC = {"values"}


def unsupported_reason(operation: MIL_pb2.Operation) -> str | None:
    """Why an op cannot be run; None if it can ("" where the op as such is not implemented)."""
    if operation.type == "const":
        return None
    known = OPS.get(operation.type)
    if known is None or operation.blocks:
        return ""
    given = set(operation.inputs) | (set(operation.attributes) - {"name"})
    if given - known.parameters:
        return f"parameter {sorted(given - known.parameters)[0]!r} is not implemented"
    return None


@dataclass(frozen=True)
class _Ref:
    """A value that an earlier op makes."""

    name: str


class Output:
    """A declared result: checks, and holds, what an op gives for it."""

    def __init__(self, kind: str, name: str, declared: TensorType, *, half: bool) -> None:
        self.kind, self.name, self.declared = kind, name, declared
        self.held, self.half = declared.held, half and declared.dtype == "float16"

    def settle(self, value: Any) -> Any:
        """`value` in the dtype that it is held in, float16 rounded in half mode. Raises BadProgram."""
        held, declared = self.held, self.declared
        if type(value) is np.ndarray and value.dtype == held and value.shape == declared.shape:
            return round_to_half(value) if self.half else value
        if type(value) in (str, dict):
            return value
        array = np.asarray(value)
        if held is None or (array.shape != declared.shape and not declared.accepts(array.shape)):
            raise BadProgram(
                f"op {self.kind!r} gives {self.name!r} the shape {array.shape}",
                expected=f"{declared.dtype}{declared.shape}, as the program declares",
            )
        if array.dtype != held:
            if {array.dtype.kind, held.kind} not in ({"f"}, {"b"}, {"i"}, {"u"}, {"i", "u"}):
                raise BadProgram(f"op {self.kind!r} gives {self.name!r} {array.dtype}", expected=declared.dtype)
            array = array.astype(held)
        return round_to_half(array) if self.half else array


@dataclass(frozen=True)
class Step:
    """One bound op: constant parameters, references to earlier results, and the results' types.

    `lists` holds the parameters of any number of values, of which some may be constant.
    """

    kind: str
    function: Callable[..., Result]
    constants: Mapping[str, Any]
    singles: tuple[tuple[str, str], ...]
    lists: tuple[tuple[str, tuple[Any, ...]], ...]
    outputs: tuple[Output, ...]
    release: tuple[str, ...] = ()

    def used(self) -> set[str]:
        """Names of the earlier results that the op reads."""
        listed = {item.name for _, items in self.lists for item in items if isinstance(item, _Ref)}
        return listed | {name for _, name in self.singles}

    def run(self, values: dict[str, Any]) -> None:
        """Compute the results into `values`, checked against their declared types, and rounded."""
        bound = dict(self.constants)
        for key, name in self.singles:
            bound[key] = values[name]
        for key, items in self.lists:
            bound[key] = [values[item.name] if isinstance(item, _Ref) else item for item in items]
        for output, item in zip(self.outputs, self._call(bound), strict=True):
            values[output.name] = output.settle(item)
        for key in self.release:
            del values[key]

    def _call(self, bound: Mapping[str, Any]) -> tuple[Any, ...]:
        name = self.outputs[0].name
        try:
            result = self.function(**bound)
        except UnsupportedOp as error:
            raise UnsupportedOp(self.kind, name, reason=error.reason) from error
        except (ValueError, IndexError, TypeError, AttributeError, KeyError, ArithmeticError, MemoryError) as error:
            raise BadProgram(f"op {self.kind!r} (output {name!r}) cannot be computed: {error}") from error
        results = result if isinstance(result, tuple) else (result,)
        if len(results) != len(self.outputs):
            raise BadProgram(f"op {self.kind!r} (output {name!r}) declares {len(self.outputs)} results")
        return results


@dataclass(frozen=True)
class Plan:
    """The steps of one mode (float32 or half), and the values that are constant."""

    steps: tuple[Step, ...]
    known: Mapping[str, Any]
    inputs: tuple[Output, ...]
    outputs: tuple[str, ...]

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Any]:
        """Evaluate; `feeds` are already checked. Returns the program's outputs in their order."""
        values: dict[str, Any] = dict(self.known)
        for item in self.inputs:
            values[item.name] = item.settle(feeds[item.name])
        with np.errstate(all="ignore"):
            for step in self.steps:
                step.run(values)
        return {name: _given(values[name]) for name in self.outputs}


def _given(value: Any) -> Any:
    """An output as a caller gets it: a C-order copy of an array; a label and a dictionary of scores as they are."""
    return np.array(value, order="C") if isinstance(value, np.ndarray) else value


def make_plan(
    block: MIL_pb2.Block,
    package: Package,
    constants: Mapping[str, Value],
    inputs: Mapping[str, TensorType],
    outputs: tuple[str, ...],
    *,
    half: bool,
) -> Plan:
    """Bind every op. Ops whose parameters are all constant are run here, once.

    Raises UnsupportedOp for the first op that is not implemented, BadProgram for a broken program.
    """
    binder = _Binder(package, constants, set(inputs), half=half)
    for operation in block.operations:
        if operation.type != "const":
            binder.add(operation)
    kept = {name: binder.known[name] for name in outputs if name in binder.known}
    feeds = tuple(Output("input", name, declared, half=half) for name, declared in inputs.items())
    return Plan(_with_releases(_fused(binder.steps, outputs), outputs), kept, feeds, outputs)


def _fused(steps: Sequence[Step], outputs: tuple[str, ...]) -> list[Step]:
    """The same steps, each prepared op followed at once by a relu that alone reads its result being one step.

    The relu is done in place, before the result is rounded: rounding keeps the order of numbers, and zero.
    """
    readers = Counter(name for step in steps for name in step.used())
    made: list[Step] = []
    for step in steps:
        last = made[-1] if made else None
        if (
            last is not None
            and step.kind == "relu"
            and last.kind in PREPARED
            and not last.constants
            and step.singles == (("x", last.outputs[0].name),)
            and readers[last.outputs[0].name] == 1
            and last.outputs[0].name not in outputs
            and step.outputs[0].declared == last.outputs[0].declared
        ):
            output = Output(last.kind, step.outputs[0].name, last.outputs[0].declared, half=last.outputs[0].half)
            made[-1] = replace(last, function=_with_relu(last.function), outputs=(output,))
        else:
            made.append(step)
    return made


def _with_relu(function: Callable[..., Result]) -> Callable[..., Result]:
    def run(x: Array) -> Array:
        y = function(x)
        assert isinstance(y, np.ndarray)
        return np.maximum(y, 0, out=y)

    return run


class _Binder:
    """Turns the ops of a block into steps, in order."""

    def __init__(self, package: Package, constants: Mapping[str, Value], made: set[str], *, half: bool) -> None:
        self.package, self.made, self.half = package, made, half
        self.known: dict[str, Any] = dict(constants)
        self.steps: list[Step] = []

    def add(self, operation: MIL_pb2.Operation) -> None:
        """Fold an op of constants, or append a step."""
        step = self._bind(operation)
        if step.singles or step.lists:
            self.steps.append(step)
            self.made.update(output.name for output in step.outputs)
        else:
            with np.errstate(all="ignore"):
                step.run(self.known)

    def _bind(self, operation: MIL_pb2.Operation) -> Step:
        """A step whose constant parameters are filled in."""
        name = operation.outputs[0].name if operation.outputs else ""
        reason = unsupported_reason(operation)
        if reason is not None:
            raise UnsupportedOp(operation.type, name, reason=reason)
        known = OPS[operation.type]
        parameters = self._parameters(operation, name)
        missing = sorted(known.required - set(parameters))
        if missing or not operation.outputs:
            raise BadProgram(f"op {operation.type!r} (output {name!r}) lacks {missing or 'an output'}")
        constants: dict[str, Any] = {}
        singles: list[tuple[str, str]] = []
        lists: list[tuple[str, tuple[Any, ...]]] = []
        for key, items in parameters.items():
            if not any(isinstance(item, _Ref) for item in items):
                constants[key] = items if key in _VARIADIC else _setting(items[0], key in known.tensors)
            elif key in _VARIADIC:
                lists.append((key, tuple(items)))
            else:
                singles.append((key, items[0].name))
        half = self.half and not known.keeps_values
        outputs = tuple(
            Output(operation.type, item.name, tensor_type(item.type), half=half) for item in operation.outputs
        )
        function = known.function
        if operation.type in PREPARED and [key for key, _ in singles] == ["x"] and not lists:
            function, constants = _prepared(operation.type, constants, function)
        return Step(operation.type, function, constants, tuple(singles), tuple(lists), outputs)

    def _parameters(self, operation: MIL_pb2.Operation, name: str) -> dict[str, list[Any]]:
        """Every parameter of an op, one value each but for the variadic ones."""
        parameters: dict[str, list[Any]] = {
            key: [constant(value, self.package, name)] for key, value in operation.attributes.items() if key != "name"
        }
        for key, argument in operation.inputs.items():
            parameters[key] = [self._argument(binding, name) for binding in argument.arguments]
        for key, items in parameters.items():
            if key not in _VARIADIC and len(items) != 1:
                raise BadProgram(f"op {operation.type!r} (output {name!r}): {len(items)} values for {key!r}")
        return parameters

    def _argument(self, binding: MIL_pb2.Argument.Binding, name: str) -> Any:
        """The value of a parameter: a constant, or a reference to an earlier result."""
        if binding.WhichOneof("binding") == "value":
            return constant(binding.value, self.package, name)
        if binding.name in self.known:
            return self.known[binding.name]
        if binding.name not in self.made:
            raise BadProgram(f"the op that makes {name!r} uses {binding.name!r}, which no earlier op makes")
        return _Ref(binding.name)


def _prepared(
    kind: str, constants: dict[str, Any], function: Callable[..., Result]
) -> tuple[Callable[..., Result], dict[str, Any]]:
    """The op with its constant parameters taken in; as it was where they do not fit, so that running it says why."""
    try:
        return PREPARED[kind](**constants), {}
    except (ValueError, IndexError, TypeError, AttributeError, KeyError, ArithmeticError):
        return function, constants


def _setting(value: Any, is_tensor: bool) -> Any:
    """A constant parameter: data as it is, a setting as Python number, string or tuple."""
    if is_tensor or not isinstance(value, np.ndarray):
        return value
    plain = value.tolist()
    return tuple(plain) if isinstance(plain, list) else plain


def read_constants(block: MIL_pb2.Block, package: Package) -> dict[str, Value]:
    """The values of a block's constants by name. Raises BadProgram where one is missing or broken."""
    values: dict[str, Value] = {}
    for operation in block.operations:
        if operation.type == "const":
            if len(operation.outputs) != 1 or "val" not in operation.attributes:
                raise BadProgram("a constant of the program has no value")
            name = operation.outputs[0].name
            values[name] = constant(operation.attributes["val"], package, name)
    return values


def _with_releases(steps: Sequence[Step], outputs: tuple[str, ...]) -> tuple[Step, ...]:
    """The same steps, each naming the values that nobody needs after it."""
    needed = set(outputs)
    released: list[Step] = []
    for step in reversed(steps):
        touched = step.used() | {output.name for output in step.outputs}
        released.append(replace(step, release=tuple(sorted(touched - needed))))
        needed |= touched
    return tuple(reversed(released))
