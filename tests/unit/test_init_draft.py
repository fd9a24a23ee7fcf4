"""The first manifest: what is known, what is guessed, and which of several contracts is taken."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from packager.core.console import NullConsole
from packager.core.errors import ManifestError, UsageError
from packager.drafting import Wish, write, write_first
from packager.manifest.draft import Draft, bundle_name, flow, scalar, text
from packager.model.contract import Classification, Label
from packager.model.manifest import Model
from packager.model.recipes import Known, Proposal
from packager.model.tensors import Activation, TensorSpec
from packager.recipes import image, scores
from packager.session import open_session
from packager.stages.trial import attempt, rank

PICTURE = TensorSpec("x", "float32", (1, 64, 48, 3))


def model(path: Path, shape: list[int | str], metadata: dict[str, str] | None = None) -> Path:
    """A one-node network with three scores."""
    node = helper.make_node("ReduceMean", ["x"], ["y"], axes=[1, 2], keepdims=0)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])
    made = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=[helper.make_opsetid("", 13)])
    helper.set_model_props(made, metadata or {})
    onnx.save(made, path)
    return path


def drafted(wish: Wish) -> str:
    with open_session(NullConsole()) as session:
        return write_first(session, wish).text


def test_every_guess_is_marked_and_the_rest_is_a_manifest(tmp_path: Path) -> None:
    text = drafted(Wish(model(tmp_path / "My Net 2.onnx", [1, 64, 48, 3]), tmp_path / "manifest.yaml"))
    made = yaml.safe_load(text)
    assert made["name"] == "my-net-2"
    assert made["model"] == {"source": "My Net 2.onnx"}
    (photo,) = made["inputs"].values()
    assert photo["accepts"] == {"image": {}}
    assert photo["steps"][0]["resize"]["height"] == 64
    marked = [line for line in text.splitlines() if "# GUESS" in line]
    assert [word for line in marked for word in ("license", "resize", "normalize", "samples") if word in line] == [
        "license",
        "resize",
        "normalize",
        "samples",
    ]


def test_a_free_side_is_guessed_and_stated(tmp_path: Path) -> None:
    text = drafted(Wish(model(tmp_path / "net.onnx", ["n", "h", "w", 3]), tmp_path / "manifest.yaml"))
    assert "shapes: {x: [1, 224, 224, 3]}   # GUESS" in text


def test_metadata_of_the_file_gives_labels_mean_and_std(tmp_path: Path) -> None:
    facts = {"names": "{0: 'cat', 1: 'dog', 2: 'yes'}", "mean": "[1, 2, 3]", "std": "[4, 5, 6]"}
    made = yaml.safe_load(drafted(Wish(model(tmp_path / "n.onnx", [1, 64, 48, 3], facts), tmp_path / "m.yaml")))
    assert made["outputs"]["verdict"]["steps"][1]["labels"]["names"] == ["cat", "dog", "yes"]
    assert made["inputs"]["photo"]["steps"][1]["normalize"] == {"mean": [1, 2, 3], "std": [4, 5, 6]}


def test_files_of_a_hub_beside_the_model_are_read(tmp_path: Path) -> None:
    config = {"do_resize": True, "size": {"height": 64, "width": 48}, "resample": 3, "image_mean": [0.5, 0.5, 0.5],
              "image_std": [0.5, 0.25, 0.5], "do_normalize": True}  # fmt: skip
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(config))
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {"0": "a", "1": "b", "2": "c"}}))
    text = drafted(Wish(model(tmp_path / "net.onnx", [1, 64, 48, 3]), tmp_path / "manifest.yaml"))
    steps = yaml.safe_load(text)["inputs"]["photo"]["steps"]
    assert steps[0]["resize"] == {"width": 48, "height": 64, "fit": "stretch", "like": "pillow", "method": "bicubic"}
    assert steps[1]["normalize"] == {"mean": 127.5, "std": [127.5, 63.75, 127.5]}
    assert "GUESS" not in next(line for line in text.splitlines() if "normalize" in line)


def test_a_model_outside_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    with pytest.raises(UsageError, match="outside of the manifest's folder"):
        drafted(Wish(model(tmp_path / "net.onnx", [1, 64, 48, 3]), tmp_path / "sub" / "manifest.yaml"))


def test_a_trial_without_labels_says_what_it_needs(tmp_path: Path) -> None:
    file = model(tmp_path / "net.onnx", [1, 64, 48, 3])
    with pytest.raises(UsageError, match="needs the labels"):
        drafted(Wish(file, tmp_path / "manifest.yaml", tries=((file, "cat"),)))


def test_a_trial_takes_what_gives_the_right_answer(tmp_path: Path) -> None:
    """The network names the strongest channel: on a red picture BGR says blue."""
    from PIL import Image

    file = model(tmp_path / "net.onnx", [1, 64, 48, 3])
    Image.new("RGB", (100, 90), (250, 10, 20)).save(tmp_path / "red.png")
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    tries = ((tmp_path / "red.png", "red"),)
    with open_session(NullConsole()) as session:
        made = write_first(session, Wish(file, tmp_path / "m.yaml", tmp_path / "labels.txt", tries=tries))
    assert made.tried == 60
    assert {"RGB" in summary for summary, _ in made.ranking} == {True}
    assert yaml.safe_load(made.text)["samples"][0]["expect"]["verdict"]["label"] == "red"
    assert made.close, "a photo of one colour says nothing of fits and methods"
    marked = [line.strip(" -").split(":")[0] for line in made.text.splitlines() if "# GUESS" in line]
    assert marked == ["license", "resize", "normalize"]
    wrong = ((tmp_path / "red.png", "green"),)
    with open_session(NullConsole()) as session, pytest.raises(ManifestError, match="none of 60 usual contracts"):
        write_first(session, Wish(file, tmp_path / "m.yaml", tmp_path / "labels.txt", tries=wrong))


def test_layers_that_scale_leave_no_other_range() -> None:
    ranges = {p.steps[1].params["mean"] for p in image.proposals(PICTURE, Known(scales_itself=("rescaling",)))
              if p.steps[1].name == "normalize" and p.steps[1].params}  # fmt: skip
    assert ranges == {0.0}


def test_channels_first_get_a_layout_and_other_tensors_nothing() -> None:
    first = image.proposals(TensorSpec("x", "float32", (1, 3, 64, 48)), Known())
    assert first[0].steps[-1].params == {"order": "nchw"}
    assert image.proposals(TensorSpec("x", "float32", (1, 128, 3, 1)), Known()) == ()
    assert image.proposals(TensorSpec("x", "int8", (1, 64, 48, 3)), Known()) == ()


def test_softmax_is_proposed_only_where_the_model_has_none() -> None:
    spec = TensorSpec("y", "float32", (1, 3))
    plain = scores.proposals(spec, Known(labels=("a", "b", "c")))
    assert [[step.name for step in proposal.steps] for proposal in plain] == [["softmax", "labels"], ["labels"]]
    assert [proposal.of_probabilities for proposal in plain] == [False, True]
    ended = Known(labels=("a", "b", "c"), activations={"y": Activation("softmax", "n")})
    assert [step.name for step in scores.proposals(spec, ended)[0].steps] == ["labels"]
    assert scores.proposals(spec, Known(labels=("a", "b"))) == ()


def classes(*pairs: tuple[str, float]) -> Classification:
    return Classification(tuple(Label(label, score, i) for i, (label, score) in enumerate(pairs)))


def test_of_close_contracts_the_more_usual_one_is_taken() -> None:
    tries = [attempt(i, [classes(("cat", score))], ["cat"]) for i, score in enumerate((0.90, 0.94, 0.5))]
    wrong = attempt(3, [classes(("dog", 0.99), ("cat", 0.01))], ["cat"])
    assert [each.index for each in rank([x for x in (*tries, wrong) if x is not None])] == [0, 1, 2]
    assert rank([wrong] if wrong is not None else []) == []
    assert attempt(0, [None], ["cat"]) is None


@pytest.mark.parametrize("text", ["yes", "true", "1.0", "null", "a: b", "- x", "", "#x", "Ä", "a b", "[x]", "no"])
def test_scalars_are_read_back_as_the_same_text(text: str) -> None:
    from packager.manifest.document import parse

    assert parse(f"key: {scalar(text)}\n", "m").top.entries["key"].value == text  # type: ignore[attr-defined]


def test_flow_and_names() -> None:
    assert flow({"a": [1, 0.5, True], "b": "x y"}) == "{a: [1, 0.5, true], b: x y}"
    assert (bundle_name("My__Net 2"), bundle_name("9lives"), bundle_name("日本")) == (
        "my-net-2",
        "model-9lives",
        "model",
    )


def test_writing_leaves_nothing_half(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write(tmp_path / "file" / "manifest.yaml", "x")
    write(tmp_path / "manifest.yaml", "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "manifest.yaml"]


def test_a_sample_has_the_suffix_that_its_kind_is_read_from() -> None:
    from packager.manifest.draft import _suffix

    proposal = Proposal("camera", (), "", {"frame": {}})
    assert (_suffix(proposal), _suffix(replace(proposal, accepts={"image": {}}))) == (".y4m", ".png")


def test_a_model_that_no_target_takes_is_marked() -> None:
    asked = Model.model_validate({"source": "n.onnx"})
    draft = Draft("n", asked, inputs={}, outputs={}, origin=(), formats=(), targets={})
    assert "\ntargets:   # GUESS: no target takes all of this model's types of numbers\n" in text(draft)
