"""A wrong contract of the root manifest stops before any conversion, naming the sample and both answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from project_tools import root_manifest, write_manifest

from packager import pipeline
from packager.core.actions import Action, Actions
from packager.core.errors import ContractError, ManifestError, PlanError
from packager.session import Session

pytestmark = pytest.mark.heavy


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the actions that a build asks for, from the cache or not."""
    names: list[str] = []
    run = Actions.run

    def noted(self: Actions, action: Action) -> Path:
        names.append(action.name)
        return run(self, action)

    monkeypatch.setattr(Actions, "run", noted)
    return names


def image_steps(manifest: dict[str, Any]) -> list[Any]:
    (declared,) = manifest["inputs"].values()
    steps: list[Any] = declared["steps"]
    return steps


def refused(session: Session, folder: Path, manifest: dict[str, Any]) -> list[str]:
    file = write_manifest(folder, manifest)
    with pytest.raises(ContractError) as caught:
        pipeline.build(session, file, folder / "dist")
    assert not (folder / "dist").exists()
    for finding in caught.value.findings:
        assert finding.where is not None
        assert "label" in finding.source_line or "score" in finding.source_line
    return [finding.what for finding in caught.value.findings]


def test_a_wrong_normalisation_stops(session: Session, tmp_path: Path, ran: list[str]) -> None:
    manifest = root_manifest()
    image_steps(manifest)[-1]["normalize"] = {"mean": 0, "std": 255}
    texts = refused(session, tmp_path, manifest)
    assert texts
    assert all("expected `" in text for text in texts)
    assert ran == ["run the source model"]


def test_a_wrong_channel_order_turns_chelsea_to_person(session: Session, tmp_path: Path, ran: list[str]) -> None:
    manifest = root_manifest()
    image_steps(manifest).insert(1, {"channels": {"order": "bgr"}})
    texts = refused(session, tmp_path, manifest)
    (chelsea,) = [text for text in texts if "`chelsea`" in text]
    assert chelsea.startswith("sample `chelsea`: verdict is `person` with 0.")
    assert "expected `non_person` with a score from 0.94 to 0.99" in chelsea
    assert ran == ["run the source model"]


def test_swapped_labels_stop(session: Session, tmp_path: Path, ran: list[str]) -> None:
    manifest = root_manifest()
    manifest["outputs"]["verdict"]["steps"][-1]["labels"]["names"].reverse()
    assert len(refused(session, tmp_path, manifest)) == len(manifest["samples"])
    assert ran == ["run the source model"]


def test_a_second_softmax_names_the_models_own_node(session: Session, tmp_path: Path, ran: list[str]) -> None:
    manifest = root_manifest()
    manifest["outputs"]["verdict"]["steps"].insert(0, "softmax")
    file = write_manifest(tmp_path, manifest)
    with pytest.raises(PlanError) as caught:
        pipeline.check(session, file)
    (finding,) = caught.value.findings
    assert "already ends in softmax (node `" in finding.what
    assert finding.source_line.strip() == "- softmax"
    assert ran == []
    assert session.pool.started == 0


def test_a_photo_with_another_colour_profile_is_refused_by_name(session: Session, tmp_path: Path) -> None:
    manifest = root_manifest()
    ignored = [sample for sample in manifest["samples"] if sample.pop("srgb", None)]
    assert ignored, "one sample of the root manifest carries a profile"
    with pytest.raises(ManifestError) as caught:
        pipeline.build(session, write_manifest(tmp_path, manifest), tmp_path / "dist")
    (finding,) = caught.value.findings
    assert "rocket.jpg" in finding.what
    assert "Adobe RGB (1998)" in finding.what
    assert "srgb: ignore" in finding.hint
