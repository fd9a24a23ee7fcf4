"""From a checked chain to native calls for one artefact: quantisation added, neighbours fused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from packager.model.artifact import Port
from packager.model.contract import Call, Chain, ContractType, NativeChain, StepUse, TensorType
from packager.model.tensors import Quantization
from packager.registry import Catalog


def lower_input(chain: Chain, port: Port, catalog: Catalog) -> NativeChain:
    """Calls from the app's value to the artefact's input; a quantised input gets the `quantize` role at the end."""
    uses = list(chain.steps)
    if port.quantization is not None:
        uses.append(_role("quantize", port.quantization, catalog))
    return _native(chain, uses, chain.start, port, catalog)


def lower_output(chain: Chain, port: Port, catalog: Catalog) -> NativeChain:
    """Calls from the artefact's output to the typed result; a quantised output gets `dequantize` first."""
    uses = list(chain.steps)
    start: ContractType = chain.start
    if port.quantization is not None:
        uses.insert(0, _role("dequantize", port.quantization, catalog))
        start = TensorType(port.dtype, port.shape)
    return _native(chain, uses, start, port, catalog)


def _role(role: str, quantization: Quantization, catalog: Catalog) -> StepUse:
    name, module = catalog.step_with_role(role)
    params = module.Params.model_validate({"scale": quantization.scale, "zero_point": quantization.zero_point})
    return StepUse(name, params)


def _native(chain: Chain, uses: Sequence[StepUse], start: ContractType, port: Port, catalog: Catalog) -> NativeChain:
    calls: list[Call] = []
    value = start
    index = 0
    while index < len(uses):
        use = uses[index]
        module = catalog.steps[use.step]
        following = [(after.step, after.bound) for after in uses[index + 1 :]]
        fuse = getattr(module, "fuse", None)
        fused: tuple[Call, int] | None = fuse(use.bound, value, following) if fuse is not None else None
        call, taken = fused if fused is not None else (module.call(use.bound, value), 0)
        calls.append(call)
        value = call.output
        index += 1 + taken
    return NativeChain(
        name=chain.name,
        tensor=port.name,
        start=start,
        end=value,
        calls=tuple(calls),
        steps=_with_needs(uses, catalog),
        quantization=port.quantization,
        workspace=sum(call.workspace for call in calls),
    )


def _with_needs(uses: Sequence[StepUse], catalog: Catalog) -> tuple[str, ...]:
    found: list[str] = []

    def add(name: str) -> None:
        module: Any = catalog.steps[name]
        for needed in getattr(module, "NEEDS", ()):
            add(needed)
        if name not in found:
            found.append(name)

    for use in uses:
        add(use.step)
    return tuple(found)
