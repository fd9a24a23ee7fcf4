"""What converters say when they fail, as cause and fix. The raw text stays in the job's log, which the error names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packager.core.errors import ConvertError, Finding
from packager.importers.uncovered import REPLACEMENTS

_RESAVE = "save the model in float32 (Keras: keras.backend.set_floatx('float32') before it is built)"
_UNROLL = "fix every dimension by `shapes:` under `model:`, and unroll the recurrent layers before saving (unroll=True)"
_CALIBRATE = "let `calibration:` hold what the model's inputs take, through the same steps"


@dataclass(frozen=True)
class Known:
    """One failure: what its text looks like, its cause (with the pattern's groups) and what to do.

    `each` is for texts that repeat, one for each operation: `cause` and `fix` then take all first groups joined.
    """

    name: str
    pattern: str
    cause: str
    fix: str
    each: bool = False


KNOWN: tuple[Known, ...] = (
    Known(
        "tflite-float64",
        r"neither a custom op nor a flex op[\s\S]*xf64",
        "the graph computes in float64, for which TensorFlow Lite has no kernels",
        _RESAVE,
    ),
    Known(
        "tflite-strings",
        r"neither a custom op nor a flex op[\s\S]*tf_type\.string",
        "the graph works on text, for which TensorFlow Lite has no kernels",
        "end the model's text operations before it is saved, and do their work in the app",
    ),
    Known(
        "tflite-select",
        r"'tf\.(\w+)' op is neither a custom op nor a flex op",
        "TensorFlow Lite has no kernel for {0}",
        "{1}",
        each=True,
    ),
    Known(
        "tflite-lists",
        r"tensor list ops|TensorList\w* op|tf\.TensorList\w+",
        "the graph keeps a list whose length is not known before it runs (a recurrent layer, or TensorArray)",
        _UNROLL,
    ),
    Known(
        "tflite-2gb",
        r"exceeds maximum protobuf size of 2GB|larger than 2 ?GB|cannot exceed 2 ?GB",
        "the model is larger than 2 GB, the limit of a TensorFlow graph and of a TFLite file",
        "take a smaller model, or split it",
    ),
    Known(
        "calibration-dtype",
        r"Cannot set tensor: Got value of type (\w+) but expected type (\w+) for input (\d+), name: (\S+)",
        "calibration gives input {3} values of type {0}, the model takes {1}",
        _CALIBRATE,
    ),
    Known(
        "calibration-shape",
        r"Cannot set tensor: Dimension mismatch\. Got (\d+) but expected (\d+) for dimension (\d+) of input (\d+)",
        "calibration gives input {3} the size {0} along axis {2}, the model takes {1}",
        "fix the input's shape by `shapes:` under `model:`",
    ),
    Known(
        "calibration-range",
        r"Max and min for dynamic tensors should be recorded during calibration[^\n]*?(?:tensor (\S+))?",
        "calibration never reached a part of the graph, or gave values that are not finite there",
        _CALIBRATE,
    ),
    Known(
        "quantize-op",
        r"Quantization not yet supported for op: '?(\w+)'?",
        "TensorFlow Lite cannot quantise {0} to integers",
        "take int8-dynamic or float16 for this model",
    ),
    Known(
        "coreml-op",
        r"Conversion for TF op '(\w+)' not implemented",
        "coremltools has no translation for {0}",
        "{1}",
        each=True,
    ),
    Known(
        "coreml-rank",
        r"rank <= 5[\s\S]*?[Ll]ayer \"?([^\s\"]+)\"?|supports tensors with rank <= 5",
        "a tensor has more than 5 axes, the most that Core ML takes",
        "merge axes by a reshape around that operation before saving",
    ),
    Known(
        "coreml-complex",
        r"TypeError: Unsupported type None$",
        "the graph has tensors of a type that Core ML lacks: complex numbers or text",
        "compute magnitudes by the step `spectrogram` in the contract, and start the model behind them",
    ),
    Known(
        "onnx-op",
        r"No Op registered for (\w+) with domain_version",
        "tf2onnx has no translation for {0}",
        "{1}",
        each=True,
    ),
    Known(
        "onnx-complex",
        r"make_sure failure: Cannot find node with output '([^']+)'",
        "tf2onnx lost the tensor {0}, which complex numbers (FFT) come from",
        "take the step `spectrogram` in the contract, or tf.signal.rfft with its magnitude only",
    ),
    Known(
        "onnx-adapter",
        r"No Adapter (?:From Version \$?\d+ )?for (\w+)|No Adapter From Version",
        "onnx cannot raise the model to the opset that this precision needs",
        "export the model again with opset 13 or newer",
    ),
    Known(
        "memory",
        r"std::bad_alloc|MemoryError|Cannot allocate memory|OOM when allocating",
        "there was not enough memory",
        "close other programs, or convert fewer formats at once",
    ),
)


def known(text: str) -> tuple[Known, str, str] | None:
    """The known failure that a text shows, with cause and fix in words; None where it is not known."""
    for entry in KNOWN:
        found = list(re.finditer(entry.pattern, text, re.MULTILINE))
        if not found:
            continue
        if entry.each:
            ops = list(dict.fromkeys(match[1] for match in found))
            return entry, entry.cause.format(", ".join(ops)), "; ".join(_fixes(ops))
        return entry, entry.cause.format(*found[0].groups()), entry.fix
    return None


def _fixes(ops: list[str]) -> Iterator[str]:
    plain = [op for op in ops if op not in REPLACEMENTS]
    yield from (f"{op}: {REPLACEMENTS[op]}" for op in ops if op in REPLACEMENTS)
    if plain:
        yield f"export the model without {', '.join(plain)}, or do that work in a contract step"


def failed(converter: str, fault: BaseException) -> ConvertError:
    """The error for a converter's own exception: its cause where that is known, else its first line.

    `converter` says what was made: `TFLite int8`. Raise it `from fault`, so that the log gets the whole text.
    """
    text = f"{type(fault).__name__}: {fault}"
    found = known(text)
    if found is not None:
        _, cause, fix = found
        return ConvertError(Finding(f"{converter}: {cause}", expected="a graph that the converter covers", hint=fix))
    return ConvertError(f"{converter}: the converter failed: {first_line(text)}")


def first_line(text: str) -> str:
    """The first line of a text that is not blank."""
    return next(line.strip() for line in text.splitlines() if line.strip())
