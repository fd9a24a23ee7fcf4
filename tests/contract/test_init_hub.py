"""Hugging Face's own image processors against the contract that `init` makes of their files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "vectors"))
import hub_oracle

from packager.model.tensors import TensorSpec
from packager.recipes import image
from packager.recipes.image.hub_config import read as hub
from packager.registry import Catalog

HUB = json.loads(hub_oracle.FILE.read_text("utf-8"))["processors"]


@pytest.mark.parametrize("row", HUB, ids=[row["name"] for row in HUB])
def test_the_librarys_own_processors_are_met(tmp_path: Path, row: dict[str, Any]) -> None:
    """Processors of a fixed size leave no guess, and the steps give the library's numbers; the others say so."""
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(row["config"]))
    made = image.proposals(TensorSpec("x", "float32", tuple(row["shape"])), hub(tmp_path / "model.onnx"))
    guesses = {step.name for proposal in made for step in proposal.steps if step.guess}
    if row["name"] in hub_oracle.FREE:
        assert "resize" in guesses
        assert "normalize" not in guesses
        return
    assert (len(made), guesses) == (1, set())
    value: Any = hub_oracle.picture()
    for step in made[0].steps:
        module: Any = Catalog().steps[step.name]
        value = module.apply(module.Params.model_validate(step.params or {}), value)
    given = value.reshape(-1)[hub_oracle.places(value.shape)]
    assert np.abs(given - np.array(row["values"])).max() < 1e-6
