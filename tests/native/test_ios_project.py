"""The iOS package as shipped: built and tested with the Core ML double, and mutated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ios_toolset import harness, toolset

from packager.core.process import SystemRunner
from packager.registry import Catalog
from packager.stages.prove import prove

pytestmark = [pytest.mark.native, pytest.mark.heavy]

CHAIN = "Sources/PersonDetectorModel/Contract/Chain.swift"
MUTATIONS = {
    "channel order": ("order: .rgb", "order: .bgr", "input"),
    "crop": ("fit: .crop", "fit: .stretch", "input"),
    "scale": ("std: [1.0]", "std: [1.01]", "input"),
    "label order": ('"person",\n      "non_person",', '"non_person",\n      "person",', "result"),
}


def test_passes_with_the_named_double(built: Path, tmp_path: Path) -> None:
    tools = toolset()
    work = tmp_path / "work"
    work.mkdir()
    row = prove(Catalog().targets["ios"], built, "ios", tools, work, SystemRunner(), "")
    assert (row.result, row.why) == ("passed", "")
    assert (row.language, row.evidence, row.stages) == ("swift", "double", ["input", "output", "result"])


def test_mutated_constants_fail_and_name_the_stage(built: Path, tmp_path: Path) -> None:
    """One package is built again for each mutant; the doubles are built once."""
    toolset()
    work = tmp_path / "work"
    project = work / "project"
    shutil.copytree(built / "ios", project)
    done = harness("doubles", project, built, work)
    assert done.returncode == 0, done.stdout
    chain = project / CHAIN
    text = chain.read_text("utf-8")
    for name, (old, new, stage) in MUTATIONS.items():
        assert text.count(old) == 1, f"{name}: the chain has changed, and this test with it"
        chain.write_text(text.replace(old, new), "utf-8")
        done = harness("build", project, built, work)
        assert done.returncode == 0, done.stdout
        done = harness("test", project, built, work)
        assert done.returncode != 0, f"{name}: the mutant passes"
        failed = [line for line in done.stdout.splitlines() if "packager-golden\t" in line and "\tfailed" in line]
        assert failed, f"{name}: no golden vector failed: {done.stdout[-2000:]}"
        stages = {line.partition("packager-golden\t")[2].split("\t")[1] for line in failed}
        # A wrong input also gives a wrong result; a wrong label order gives nothing but that.
        assert stages == {"result"} if stage == "result" else stage in stages, failed
