"""The rendered Swift chain is as the project's own `.swift-format` wants it, however many constants a step has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from packager.core.languages import LANGUAGES
from packager.manifest.names import LONGEST
from packager.model.artifact import Artifact, Port
from packager.model.contract import (
    AcceptedType,
    AudioType,
    Chain,
    FrameType,
    ImageType,
    NativeChain,
    ResultType,
    StepUse,
    TensorsType,
    TensorType,
)
from packager.plan import lower_input
from packager.registry import Catalog
from packager.stages.render.context import FILTERS, TESTS

CATALOG = Catalog()
SWIFT = LANGUAGES["swift"]
LINE = 120
FRONTEND = {"frames": 49, "window_step": 20, "at": "last", "short": "pad"}


def test_a_step_of_a_thousand_constants_fits_the_line() -> None:
    module: Any = CATALOG.steps["micro_frontend"]
    start = AudioType(16_000, 1, 160_000)
    bound = module.Params.model_validate(FRONTEND)
    bound = module.bind(bound, {}) if hasattr(module, "bind") else bound
    chain = Chain("sound", "x", (StepUse("micro_frontend", bound),), (start, module.result_type(bound, start)))
    native = lower_input(chain, Port("x", "x", "float32", (1, 1960)), CATALOG)
    text = rendered(native)
    assert max(map(len, text.splitlines())) <= LINE
    numbers = dict(native.calls[0].arguments)["window"]
    assert isinstance(numbers, tuple)
    assert len(numbers) > 100
    found = re.search(r"\bwindow: \[([^\]]*)\]", text)
    assert found is not None
    assert [int(number) for number in found[1].split(",") if number.strip()] == list(numbers)


@pytest.mark.parametrize(
    "template",
    [
        "Tests/GoldenTests.swift.jinja",
        "Tests/ModelTests.swift.jinja",
        "Sources/Model/Model.swift.jinja",
        "App/Predictor.swift.jinja",
    ],
)
@pytest.mark.parametrize("inputs", [1, 2])
def test_the_longest_names_fit_the_line(template: str, inputs: int) -> None:
    """A tensor's name can be of any length, an input's or output's has at most 40 characters."""
    names = [f"{'a' * 39}{index}" for index in range(inputs)]
    assert max(map(len, names)) == LONGEST
    image = ImageType(8, 8, "rgb")
    ports = [Port("module/" * 20 + name, f"in_{index}", "float32", (1, 8, 8, 3)) for index, name in enumerate(names)]
    chains = [native_image(name, port, image) for name, port in zip(names, ports, strict=True)]
    outs = [Port("module/" * 20 + f"out_{index}", f"out_{index}", "float32", (1, 9)) for index in range(2)]
    results = tuple(native_detections(f"{'o' * 39}{count}", outs[:count], names[0]) for count in (1, 2))
    artifact = Artifact("coreml", "float32", Path("m"), "m.mlpackage", "0" * 64, 1, tuple(ports), tuple(outs))
    context = {
        "name": "long",
        "version": "1.0.0",
        "class_name": "Long",
        "contract_hash": "0" * 64,
        "inputs": tuple(chains),
        "outputs": results,
        "artifact": artifact,
        "given": {name: SimpleNamespace(file_name="photo.png", shape=(8, 8, 3)) for name in names},
    }
    lines = render(template, context).splitlines()
    assert "App" in template or any("module/" in line or "in_0" in line for line in lines)
    too_long = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if len(line) > LINE and before.strip() != "// swift-format-ignore"
    ]
    assert not too_long, "\n".join(too_long)


@pytest.mark.parametrize(
    ("start", "files"),
    [
        (ImageType(8, 8, "rgb"), ["RawImage+CGImage.swift"]),
        (ImageType(8, 8, "grey"), []),
        (FrameType(100), ["Frame+CVPixelBuffer.swift"]),
        (AudioType(16_000, 1, 160_000), []),
    ],
)
def test_platform_sources_come_with_the_inputs_that_need_them(start: AcceptedType, files: list[str]) -> None:
    native = NativeChain("x", "x", start, TensorType("float32", (1, 8)), (), ())
    paths = CATALOG.targets["ios"].paths
    places = [
        environment().from_string(paths[f"Sources/Model/{name}"]).render(class_name="Long", inputs=(native,))
        for name in ("Frame+CVPixelBuffer.swift", "RawImage+CGImage.swift")
    ]
    assert [place for place in places if place] == [f"Sources/LongModel/{name}" for name in files]


def native_image(name: str, port: Port, image: ImageType) -> NativeChain:
    """An input that hands its picture over as numbers."""
    bound = CATALOG.steps["normalize"].Params.model_validate({"mean": 0, "std": 1})
    uses = (StepUse("normalize", bound),)
    return lower_input(Chain(name, port.source, uses, (image, TensorType("float32", port.shape))), port, CATALOG)


def native_detections(name: str, ports: Sequence[Port], photo: str) -> NativeChain:
    """An output of some tensors whose places are mapped to the picture; these templates do not look at its calls."""
    types = tuple(TensorType("float32", port.shape) for port in ports)
    rest = tuple(port.name for port in ports[1:])
    start = TensorsType(types) if rest else types[0]
    return NativeChain(name, ports[0].name, start, ResultType("Detections"), (), (), rest=rest, photo=photo)


def rendered(native: Any) -> str:
    """`Chain.swift` of one input."""
    context = {"name": "keyword", "version": "1.0.0", "contract_hash": "0" * 64, "inputs": (native,), "outputs": ()}
    return render("Chain.swift.jinja", context)


def render(template: str, context: Mapping[str, Any]) -> str:
    """A template of the kit or of the iOS project."""
    return environment().get_template(template).render(context)


def environment() -> jinja2.Environment:
    """As projects are rendered."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([CATALOG.targets["ios"].folder / "tree", CATALOG.kit("swift")]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {**FILTERS, "constant": SWIFT.constant, "function": SWIFT.function}
    made.tests |= TESTS
    return made
