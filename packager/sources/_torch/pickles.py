"""Which Python objects a pickle would make, read from its opcodes; nothing is unpickled and no code runs."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from typing import IO

from packager.core.errors import ModelError

_REBUILD = (
    "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_qtensor", "_rebuild_sparse_tensor", "_rebuild_meta_tensor_no_storage",
)  # fmt: skip
_DTYPES = (
    "float16", "float32", "float64", "bfloat16", "half", "float", "double", "uint8", "int8", "int16", "int32",
    "int64", "short", "int", "long", "bool", "complex32", "complex64", "complex128", "quint8", "qint8", "qint32",
)  # fmt: skip
_STORAGES = (
    "Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool", "ComplexFloat",
    "ComplexDouble", "QUInt8", "QInt8", "QInt32", "Untyped", "Typed",
)  # fmt: skip
ALLOWED = frozenset(
    {"collections.OrderedDict", "torch.Size", "torch.Tensor", "torch.device", "torch.nn.parameter.Parameter"}
    | {f"torch._utils.{name}" for name in _REBUILD}
    | {f"torch.{name}" for name in _DTYPES}
    | {f"torch.{name}Storage" for name in _STORAGES}
    | {"torch.storage.UntypedStorage", "torch.storage.TypedStorage", "torch.serialization._get_layout"}
    | {"torch.per_tensor_affine", "torch.per_channel_affine", "_codecs.encode"}
)
"""What torch.load(weights_only=True) may make: tensors, their parts, and plain containers."""

_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING"}
_PUTS = {"MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"}
_GETS = {"BINGET", "LONG_BINGET", "GET"}
_UNNAMED = {"EXT1", "EXT2", "EXT4"}


def globals_of(file: IO[bytes]) -> Iterator[str]:
    """Yield the dotted name of every global that one pickle refers to; the file then stands behind it.

    Raises ValueError for bytes that are no whole pickle.
    """
    texts: list[str] = []
    memo: dict[str, str] = {}
    puts, last_text = 0, False
    for opcode, argument, _ in pickletools.genops(file):
        name = opcode.name
        if name in ("GLOBAL", "INST"):
            module, _, attribute = str(argument).partition(" ")
            yield f"{module}.{attribute}"
        elif name == "STACK_GLOBAL":
            yield ".".join(texts[-2:]) if len(texts) > 1 else "a name that the pickle computes"
        elif name in _UNNAMED:
            yield "a registered extension"
        elif name in _TEXTS:
            texts.append(str(argument))
        elif name in _GETS and str(argument) in memo:
            texts.append(memo[str(argument)])
        elif name in _PUTS:
            memo[str(puts if argument is None else argument)] = texts[-1] if last_text else ""
            puts += 1
        last_text = name in _TEXTS


def refuse_code(file: IO[bytes], name: str, where: str, count: int = 1) -> None:
    """Refuse pickles that are more than weights: `count` of them, one behind the other.

    Raises ModelError that names the first object outside of `ALLOWED`.
    """
    for _ in range(count):
        try:
            strange = next((found for found in globals_of(file) if found not in ALLOWED), None)
        except (ValueError, EOFError, UnicodeDecodeError, OverflowError, IndexError) as fault:
            what = f"{name} is a broken pickle ({fault})" if name == where else f"{name} is broken in {where} ({fault})"
            raise ModelError(what, expected="a whole file", hint="copy the file again, or save it again") from fault
        if strange is not None:
            raise ModelError(
                f"{name} pickles the Python object {strange!r} ({where}): opening it would run code",
                expected="weights alone: a state dict of tensors",
                hint="save `model.state_dict()` and name the class under `class:`, or export the model: "
                "torch.onnx.export(model, example, 'model.onnx')",
            )
