"""Lines of what `init` writes that a user edits to reach the contract of each sample app: the page says it right."""

from __future__ import annotations

import difflib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from torch_tools import HERE

from packager.cli.app import run
from packager.core.cache import Cache
from packager.core.errors import ManifestError
from packager.core.fetch import Resolver
from packager.core.paths import cache_root
from packager.manifest import load
from packager.model.manifest import Manifest, Step
from packager.plan.chains import accepted_type
from packager.registry import Catalog

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "init.md"
APPS = sorted(path.parent.name for path in (ROOT / "sample_apps").glob("*/manifest.yaml"))
MOST = 3
CATALOG = Catalog()
pytestmark = pytest.mark.heavy


def fetch(address: Any, base: Path) -> Path:
    return Resolver(Cache(cache_root()), CATALOG.package_registries, base).resolve(address, ManifestError)


def named(step: Step, base: Path) -> list[str] | None:
    """Labels of a step that names classes."""
    module: Any = CATALOG.steps[step.name]
    if not hasattr(module, "class_names"):
        return None
    files = {key: fetch(address, base) for key, address in step.params.files().items()}
    return list(module.class_names(module.bind(step.params, files)))


def meaning(step: Step, base: Path) -> str:
    """A step with all of its parameters, wherever its labels stand."""
    params = step.params.model_dump(mode="json")
    names = named(step, base)
    if names is not None:
        params = {**params, "file": None, "names": names}
    return json.dumps([step.name, params], sort_keys=True)


def lines(manifest: Manifest, base: Path) -> list[str]:
    """What a manifest's inputs and outputs mean, a line of it in each; the app's own names do not count."""
    found = []
    for given in manifest.inputs.values():
        found += [str(accepted_type(given.accepts)), *(meaning(step, base) for step in given.steps)]
    for made in manifest.outputs.values():
        found += [f"tensors {made.tensors}", *(meaning(step, base) for step in made.steps)]
    return found


def edits(a: list[str], b: list[str]) -> int:
    """Lines replaced, removed or added."""
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal")


def said() -> dict[str, list[int]]:
    """Rows of the page: contract, licence, sample and sum by app."""
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name: [int(number) for number in numbers] for name, *numbers in rows}


def test_the_page_has_every_app() -> None:
    assert sorted(said()) == APPS


@pytest.mark.parametrize("name", APPS)
def test_lines_to_edit(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = ROOT / "sample_apps" / name
    if name == "image_classifier" and not HERE:
        pytest.skip("NOT PROVEN: no Python with torch here")
    wanted = load(app / "manifest.yaml", CATALOG)
    monkeypatch.chdir(tmp_path)
    model = yaml.safe_load((app / "manifest.yaml").read_text("utf-8"))["model"]
    model["source"].pop("license", None)
    Path("start.yaml").write_text(yaml.safe_dump({"model": model}))
    steps = [step for output in wanted.outputs.values() for step in output.steps]
    (labels,) = [found for step in steps if (found := named(step, app)) is not None] or [None]
    more = []
    if labels is not None:
        Path("labels.txt").write_text("".join(f"{label}\n" for label in labels), "utf-8")
        more = ["--labels", "labels.txt"]
    assert run(["init", "start.yaml", *more]) == 0
    text = Path("manifest.yaml").read_text("utf-8")
    (sample,) = yaml.safe_load(text)["samples"]
    shutil.copyfile(fetch(next(iter(wanted.samples[0].files.values())), app), next(iter(sample.values())))
    drafted = load(Path("manifest.yaml"), CATALOG)
    contract = edits(lines(drafted, tmp_path), lines(wanted, app))
    counts = [contract, int(drafted.license == "NOASSERTION"), 1]
    assert [*counts, sum(counts)] == said()[name]
    assert sum(counts) <= MOST
