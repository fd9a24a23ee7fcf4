"""What converters say when they fail, as cause and fix. The raw text stays in the job's log, which the error names.

Every text here was provoked with the pinned converters (`tests/unit/test_failures_known.py`); what they no longer say,
or what stops before they start, has no entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packager.core.errors import ConvertError, Finding
from packager.importers.uncovered import REPLACEMENTS

_RESAVE = "save the model in float32 (Keras: keras.backend.set_floatx('float32') before it is built)"
_UNROLL = "fix every dimension by `shapes:` under `model:`, and unroll the recurrent layers before saving (unroll=True)"
_CALIBRATE = "let `calibration:` hold what the model's inputs take, through the same steps"


@dataclass(frozen=True)
class Known:
    """One failure: what its text looks like, its cause (with the pattern's groups) and what to do.

    `each` is for texts that repeat, one for each operation: `cause` and `fix` then take all first groups joined.
    `deadly` are the last words of a converter that takes its process with it.
    """

    name: str
    pattern: str
    cause: str
    fix: str
    each: bool = False
    deadly: bool = False


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
        "calibration-dtype",
        r"Cannot set tensor: Got value of type (\w+) but expected type (\w+) for input (\d+), name: (\S+)",
        "calibration gives input {3} values of type {0}, the model takes {1}",
        _CALIBRATE,
    ),
    Known(
        "calibration-infinite",
        r"scale out of expressed type range",
        "calibration makes a number of the graph infinite, for which TensorFlow's quantiser has no scale and crashes",
        f"{_CALIBRATE}, or take int8-dynamic",
        deadly=True,
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
        r"only supports tensors with rank <= 5\. Layer \"([^\"]+)\"",
        "the tensor {0} has more than 5 axes, the most that Core ML takes",
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
        "memory",
        r"std::bad_alloc|MemoryError|Failed to allocate memory",
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


def dead(converter: str, log: Path) -> ConvertError | None:
    """The error for a converter that took its process with it: its cause where the log shows it."""
    text = log.read_text("utf-8", "replace") if log.is_file() else ""
    for entry in KNOWN:
        if entry.deadly and re.search(entry.pattern, text):
            return ConvertError(
                f"{converter}: {entry.cause}", expected="finite numbers", hint=f"{entry.fix} (log: {log})"
            )
    return None


def first_line(text: str) -> str:
    """The first line of a text that is not blank."""
    return next(line.strip() for line in text.splitlines() if line.strip())
