"""LiteRT: one interpreter per kernel set, one thread. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from packager.core.errors import ConvertError
from packager.core.samples import Arrays
from packager.importers.batch import with_one

_RESOLVERS = {
    "litert-builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "litert-xnnpack": OpResolverType.BUILTIN,
    "litert-reference": OpResolverType.BUILTIN_REF,
}


class Session:
    """One TFLite file opened in one kernel set, with one thread. Tensors go by the file's own names.

    `shapes` replaces the file's; a free batch in it is opened as 1, and becomes what is fed.
    """

    def __init__(self, path: Path, kernel_set: str, shapes: Mapping[str, Sequence[int | None]] | None = None) -> None:
        try:
            self._interpreter = Interpreter(
                model_path=str(path), num_threads=1, experimental_op_resolver_type=_RESOLVERS[kernel_set]
            )
            for detail in self._interpreter.get_input_details():
                if detail["name"] in (shapes or {}):
                    wanted = with_one((shapes or {})[detail["name"]])
                    self._interpreter.resize_tensor_input(detail["index"], list(wanted))
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as fault:
            raise ConvertError(f"LiteRT ({kernel_set}) cannot open {path.name}: {fault}") from fault
        self._look()

    def _look(self) -> None:
        self.inputs = {detail["name"]: detail for detail in self._interpreter.get_input_details()}
        self.outputs = {detail["name"]: detail for detail in self._interpreter.get_output_details()}

    def _fit(self, feeds: Mapping[str, NDArray[Any]]) -> None:
        """Give the inputs the shapes of the feeds, where they differ in dimensions that the file leaves free alone."""
        other = {n: d for n, d in self.inputs.items() if tuple(d["shape"]) != np.shape(feeds[n])}
        for name, detail in other.items():
            self._interpreter.resize_tensor_input(detail["index"], list(np.shape(feeds[name])), strict=True)
        if other:
            self._interpreter.allocate_tensors()
            self._look()

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Arrays:
        """Return raw outputs for raw inputs (integers where the interface is quantised). State starts anew.

        Raises ConvertError where a feed is missing, does not fit, or the runtime refuses it.
        """
        try:
            self._fit(feeds)
            self._interpreter.reset_all_variables()
            for name, detail in self.inputs.items():
                self._interpreter.set_tensor(detail["index"], np.asarray(feeds[name], order="C"))
            self._interpreter.invoke()
        except (RuntimeError, ValueError, KeyError) as fault:
            raise ConvertError(f"LiteRT cannot run the file: {fault}") from fault
        return {name: self._interpreter.get_tensor(d["index"]).copy() for name, d in self.outputs.items()}

    def run_real(self, feeds: Mapping[str, NDArray[Any]]) -> Arrays:
        """Return real outputs for real inputs: quantised and dequantised here, outside the contract."""
        fed = {name: _quantize(feeds[name], detail) for name, detail in self.inputs.items()}
        return {name: _dequantize(array, self.outputs[name]) for name, array in self.run(fed).items()}


def _quantize(array: NDArray[Any], detail: Mapping[str, Any]) -> NDArray[Any]:
    scale, zero_point = detail["quantization"]
    if not scale or array.dtype == detail["dtype"]:
        return array
    limits = np.iinfo(detail["dtype"])
    return np.clip(np.round(array / scale) + zero_point, limits.min, limits.max).astype(detail["dtype"])


def _dequantize(array: NDArray[Any], detail: Mapping[str, Any]) -> NDArray[Any]:
    scale, zero_point = detail["quantization"]
    return (array.astype(np.float64) - zero_point) * scale if scale else array
