"""ONNX model -> half precision, or calibrated 8-bit integers, by ONNX Runtime's own tools (worker side)."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16

from packager.core.errors import ConvertError
from packager.core.samples import Arrays
from packager.importers.onnx_file import modern

PERCENTILE = 99.999
_OLDEST_OPSET = 13  # scales per channel came with it


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with weights and arithmetic in float16 and its float32 interface. Raises ConvertError."""
    held = modern(model, _OLDEST_OPSET)
    try:
        return convert_float_to_float16(held, keep_io_types=True, disable_shape_infer=False)
    except Exception as fault:  # the tool has no errors of its own
        raise ConvertError(f"ONNX float16: the converter failed: {type(fault).__name__}: {fault}") from fault


def _hoist_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Make initializers of the graph's Constant nodes, in place: the quantiser takes only those for weights."""
    kept = []
    for node in model.graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            held = onnx.TensorProto.FromString(node.attribute[0].t.SerializeToString())
            held.name = node.output[0]
            model.graph.initializer.append(held)
        else:
            kept.append(onnx.NodeProto.FromString(node.SerializeToString()))
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return model


class _Reader(CalibrationDataReader):
    """Hands the samples out one by one, and in ranges: the quantiser keeps every activation of a range in memory."""

    def __init__(self, samples: Sequence[Arrays]) -> None:
        self._samples = samples
        self._left = iter(samples)

    def __len__(self) -> int:
        return len(self._samples)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Hand out the samples from `start_index` to before `end_index` next."""
        self._left = iter(self._samples[start_index:end_index])

    def get_next(self) -> dict[str, Any] | None:
        """The next sample, None at the end."""
        return next(self._left, None)


def to_int8(model: onnx.ModelProto, samples: Sequence[Arrays]) -> onnx.ModelProto:
    """Return the model with QuantizeLinear and DequantizeLinear pairs: activations asymmetric (percentile over
    `samples`), weights symmetric per channel in 7 bits: on x86 without VNNI the 8-bit kernels saturate, and lose
    half of an answer. Raises ConvertError.
    """
    if not samples:
        raise ConvertError("int8 needs calibration samples", hint="give `calibration:` in the manifest")
    with tempfile.TemporaryDirectory() as folder:
        plain, quantized = Path(folder) / "plain.onnx", Path(folder) / "quantized.onnx"
        onnx.save(_hoist_constants(modern(model, _OLDEST_OPSET)), plain)
        try:
            _quantize(plain, quantized, samples)
        except Exception as fault:  # the tool has no errors of its own
            raise ConvertError(f"ONNX int8: the quantizer failed: {type(fault).__name__}: {fault}") from fault
        return onnx.load(quantized)


def _quantize(plain: Path, quantized: Path, samples: Sequence[Arrays]) -> None:
    """Calibrate sample by sample; all at once where a single sample's values are too close for a histogram."""
    options = {"ActivationSymmetric": False, "CalibPercentile": PERCENTILE}
    for ranges in ({"CalibStridedMinMax": 1}, {}):
        try:
            quantize_static(
                plain,
                quantized,
                _Reader(samples),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.Percentile,
                extra_options=options | ranges,
            )
        except ValueError as fault:
            if not ranges or "Too many bins" not in str(fault):
                raise
        else:
            return
