"""The rendered Swift chain is as the project's own `.swift-format` wants it, however many constants a step has."""

from __future__ import annotations

import re
from typing import Any

import jinja2

from packager.core.languages import LANGUAGES
from packager.model.artifact import Port
from packager.model.contract import AudioType, Chain, StepUse
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


def rendered(native: Any) -> str:
    """`Chain.swift` of one input."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(CATALOG.kit("swift")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {**FILTERS, "constant": SWIFT.constant, "function": SWIFT.function}
    environment.tests |= TESTS
    context = {"name": "keyword", "version": "1.0.0", "contract_hash": "0" * 64, "inputs": (native,), "outputs": ()}
    return environment.get_template("Chain.swift.jinja").render(context)
