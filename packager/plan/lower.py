"""From a checked chain to native calls for one artefact: quantisation added, neighbours fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from packager.model.artifact import Artifact, Port
from packager.model.contract import Call, Chain, ContractType, NativeChain, StepUse, TensorsType, TensorType
from packager.model.tensors import Quantization
from packager.registry import Catalog


def lower_chains(
    inputs: Sequence[Chain], outputs: Sequence[Chain], artifact: Artifact, catalog: Catalog
) -> tuple[tuple[NativeChain, ...], tuple[NativeChain, ...]]:
    """All inputs and outputs of a contract for one artefact."""
    fed, made = ({port.source: port for port in ports} for ports in (artifact.inputs, artifact.outputs))
    kept = {giver for chain in outputs for giver in chain.fed}
    ins = tuple(lower_input(chain, fed[chain.tensor], catalog, chain.name in kept) for chain in inputs)
    outs = []
    for chain in outputs:
        pairs = zip(chain.tensors, chain.givers, strict=True)
        first, *rest = (fed[name] if giver else made[name] for name, giver in pairs)
        outs.append(lower_output(chain, first, catalog, rest))
    return ins, tuple(outs)


def lower_input(chain: Chain, port: Port, catalog: Catalog, kept: bool = False) -> NativeChain:
    """Calls from the app's value to the artefact's input; a quantised input gets the `quantize` role at the end.

    `kept`: an output takes the model's float input as well, so the role stands apart (`tail`), fused with nothing.
    """
    if port.quantization is None:
        return _native(chain, chain.steps, chain.start, port, catalog)
    role = _role("quantize", port.quantization, catalog)
    if not kept:
        return _native(chain, (*chain.steps, role), chain.start, port, catalog)
    native = _native(chain, chain.steps, chain.start, port, catalog)
    last = catalog.steps[role.step].call(role.bound, native.end)
    steps = tuple(dict.fromkeys((*native.steps, *_with_needs([role], catalog))))
    return replace(native, tail=(last,), steps=steps, workspace=native.workspace + last.workspace)


def lower_output(chain: Chain, port: Port, catalog: Catalog, rest: Sequence[Port] = ()) -> NativeChain:
    """Calls from the artefact's output to the typed result; a quantised output gets `dequantize` first.

    `rest` are the further tensors of a chain that takes several.
    """
    if rest:
        return _lower_several(chain, (port, *rest), catalog)
    uses = list(chain.steps)
    start: ContractType = chain.start
    if port.quantization is not None:
        uses.insert(0, _role("dequantize", port.quantization, catalog))
        start = TensorType(port.dtype, port.shape)
    return _native(chain, uses, start, port, catalog)


def _lower_several(chain: Chain, ports: Sequence[Port], catalog: Catalog) -> NativeChain:
    """An input among the tensors comes as the model's float values, so it has nothing to dequantise."""
    heads: list[tuple[Call, ...]] = []
    extra: list[StepUse] = []
    starts: list[TensorType] = []
    for port, giver in zip(ports, chain.givers, strict=True):
        held = None if giver else port.quantization
        starts.append(TensorType("float32" if giver and port.quantization else port.dtype, port.shape))
        quantized = [] if held is None else [_role("dequantize", held, catalog)]
        heads.append(tuple(catalog.steps[use.step].call(use.bound, starts[-1]) for use in quantized))
        extra += quantized
    native = _native(chain, chain.steps, chain.start, ports[0], catalog)
    return replace(
        native,
        start=TensorsType(tuple(starts)),
        steps=tuple(dict.fromkeys((*_with_needs(extra, catalog), *native.steps))),
        workspace=native.workspace + sum(call.workspace for head in heads for call in head),
        rest=tuple(port.name for port in ports[1:]),
        heads=tuple(heads),
        fed=chain.fed,
    )


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
        photo=chain.photo,
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
