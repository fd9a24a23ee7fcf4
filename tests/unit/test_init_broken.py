"""Odd and damaged metadata gives a manifest without it or one clear error; no fact is written that `check` refuses."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import pytest
import yaml
from onnx import TensorProto, helper
from PIL import Image
from test_init_draft import drafted, model
from test_init_known import YOLO, graph
from test_metadata_stamp import description, request
from test_sources_files import packed, tflite_model

from packager.cli.app import run
from packager.core.console import NullConsole
from packager.core.errors import ExitCode, ModelError, PackagerError
from packager.drafting import Wish, write_first
from packager.drafting.trying import _told_apart
from packager.importers import onnx_file
from packager.manifest.document import parse
from packager.manifest.draft import scalar
from packager.model.recipes import Known, Proposal, Step, usable
from packager.model.tensors import TensorSpec
from packager.recipes import file_bytes, image, scores
from packager.runtimes.tflite import stamp as tflite_stamp
from packager.session import open_session
from packager.sources import onnx as onnx_source
from packager.sources import tflite as tflite_source

MODEL, USAGE = 3, 64
NESTED = "[" * 100_000


def test_tensors_without_an_axis_are_numbers(tmp_path: Path) -> None:
    assert scores.proposals(TensorSpec("y", "float32", ()), Known(labels=("a", "b"))) == ()
    assert file_bytes.proposals(TensorSpec("x", "int32", ()), Known()) == ()
    made = yaml.safe_load(drafted(Wish(graph(tmp_path / "n.onnx", [], [], {}), tmp_path / "m.yaml")))
    assert made["inputs"] == {"images": {"accepts": {"tensor": "raw"}}}
    assert made["outputs"] == {"output0": {"steps": ["values"]}}


# Facts


@pytest.mark.parametrize(
    "facts",
    [
        {"mean": (float("nan"), 2.0, 2.0), "std": (2.0, 2.0, 2.0)}, {"mean": (0.0,), "std": (float("inf"),)},
        {"mean": (0.0,), "std": (0.0,)}, {"mean": (0.0,), "std": (-1.0,)}, {"mean": (0.0, 1.0), "std": (1.0,)},
        {"mean": (1.0,)}, {"std": (1.0,)}, {"size": (0, 8)}, {"size": (8, 10**300)}, {"resized": (-1, 8)},
        {"shorter": -3}, {"labels": ("a", "a", "")}, {"labels": ("a", " \t")}, {"labels": ("a\x7f", "b")},
        {"labels": ("a\u2028b",)}, {"labels": ("\ud800",)}, {"license": "see the file"}, {"license": "a" * 257},
    ],
)  # fmt: skip
def test_facts_that_no_manifest_can_hold_are_left_out(facts: Mapping[str, Any]) -> None:
    assert usable({**facts, "color": "rgb"}) == {"color": "rgb"}


def test_other_facts_are_kept() -> None:
    known = Known(labels=("a", "b\tc", "\u200d日本"), mean=(0.0, -1.0), std=(1e-3, 2.0), size=(1, 65536), shorter=1,
                  license="MIT OR Apache-2.0", origin=("x",))  # fmt: skip
    assert usable(asdict(known)) == {key: value for key, value in asdict(known).items() if value}


def test_a_mean_of_another_number_of_channels_is_no_fact_here() -> None:
    known = Known(mean=(1.0, 2.0, 3.0, 4.0), std=(1.0, 1.0, 1.0, 1.0))
    assert image.proposals(TensorSpec("x", "float32", (1, 8, 8, 3)), known) == image.proposals(
        TensorSpec("x", "float32", (1, 8, 8, 3)), Known()
    )


def test_what_is_left_out_is_not_named_as_known(tmp_path: Path) -> None:
    facts = {"mean": "[1e999, 2, 2]", "std": "[2, 2, 2]", "license": "MIT", "names": "['a', 'b', '']"}
    text = drafted(Wish(model(tmp_path / "n.onnx", [1, 64, 48, 3], facts), tmp_path / "m.yaml"))
    assert "# Known from the model: metadata `license`.\n" in text
    assert "normalize: {mean: 127.5, std: 127.5}   # GUESS" in text


@pytest.mark.parametrize("text", ["\x7f", "a\x85b", "\u2028", "\u2029", "\ufeffx", "\uffff", "é\x9f"])
def test_characters_that_yaml_refuses_are_written_as_escapes(text: str) -> None:
    assert parse(f"key: {scalar(text)}\n", "m").top.entries["key"].value == text  # type: ignore[attr-defined]
    assert scalar("\ud800") == '"\\ud800"'


# Damage


@pytest.mark.parametrize(
    "metadata",
    [
        {"imgsz": "[1e999, 32]"}, {"imgsz": "1" + "0" * 400}, {"names": "{1e999: 'a', 0: 'b'}"},
        {"names": f"[0x{'f' * 9000}, 1]"}, {"names": NESTED}, {"names": '["\\ud800", "b", "c"]'},
        {"names": "[[1], [2], [3]]"}, {"mean": "nan", "std": "1"},
        {"packager.pixels": '{"x": {"mean": [1], "std": [1], "width": 1e999, "height": 1, "color": "rgb"}}'},
        {**YOLO, "imgsz": "[-4, 0]", "names": "", "task": "classify"},
    ],
)  # fmt: skip
def test_odd_onnx_metadata_is_left_out(tmp_path: Path, metadata: dict[str, str]) -> None:
    found = usable(asdict(onnx_source.known(graph(tmp_path / "n.onnx", [1, 3, 8, 8], [1, 3], metadata))))
    assert {key for key in found if key in ("labels", "size", "shorter")} == set()


@pytest.mark.parametrize("damage", ["central", "end", "deflate", "bzip2", "lzma", "name"])
def test_broken_archives_of_tflite_files_are_named(tmp_path: Path, damage: str) -> None:
    tflite_stamp.stamp(request(description()), {"model": packed(tmp_path, tflite_model())}, tmp_path)
    path = tmp_path / tflite_stamp.FILE
    held = io.BytesIO()
    kinds = {"deflate": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2, "lzma": zipfile.ZIP_LZMA}
    with zipfile.ZipFile(held, "w", kinds.get(damage, zipfile.ZIP_STORED)) as archive:
        archive.writestr("é.txt", "a\nb\n" * 100)
    data = bytearray(held.getvalue())
    central = data.index(b"PK\x01\x02")
    if damage == "central":
        data[central : central + 2] = b"XX"
    elif damage == "end":
        data[-8:-4] = b"\xff\xff\xff\x7f"
    elif damage == "name":
        data[central + 46] = 0xFF
    else:
        start = data.index("é.txt".encode()) + 6
        data[start : start + 12] = b"\xff" * 12
    path.write_bytes(path.read_bytes() + data)
    with pytest.raises(ModelError, match=r"the metadata of model\.tflite is broken"):
        tflite_source.known(path)


def test_the_largest_float_of_tflite_metadata_is_no_fault() -> None:
    from packager.sources.tflite.metadata import _short

    assert _short((3.4028234663852886e38, 0.10000000149011612)) == (3.4028235e38, 0.1)
    assert str(_short((float("nan"), float("inf")))) == "(nan, inf)"


@pytest.mark.parametrize(
    ("file", "text"),
    [("preprocessor_config.json", '{"size": [224]}'), ("preprocessor_config.json", '{"size": 1e999}'),
     ("preprocessor_config.json", NESTED), ("config.json", NESTED)],
)  # fmt: skip
def test_odd_files_of_hugging_face_are_named(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(ModelError, match=file.replace(".", r"\.")):
        drafted(Wish(model(tmp_path / "n.onnx", [1, 64, 48, 3]), tmp_path / "m.yaml"))


@pytest.mark.parametrize("labels", [{"1" * 5000: "a"}, {"0": ["a"]}, {"0": None}, ["a"], {"0": "a", "00": "b"}])
def test_odd_labels_of_hugging_face_are_left_out(tmp_path: Path, labels: Any) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"id2label": labels}))
    made = yaml.safe_load(drafted(Wish(model(tmp_path / "n.onnx", [1, 64, 48, 3]), tmp_path / "m.yaml")))
    assert made["outputs"]["y"]["steps"] == ["values"]


def test_onnx_files_of_broken_names_and_types_are_refused(tmp_path: Path) -> None:
    path = model(tmp_path / "n.onnx", [1, 64, 48, 3], {"names": "unlikely"})
    path.write_bytes(path.read_bytes().replace(b"unlikely", b"unlike\xff\xfe"))
    with pytest.raises(ModelError, match="no UTF-8"):
        onnx_file.load(path)
    odd = onnx.ValueInfoProto(name="x")
    odd.type.tensor_type.elem_type = 99
    with pytest.raises(ModelError, match="unknown type 99"):
        onnx_file.spec_of(odd)


@pytest.mark.parametrize(
    ("part", "name", "value", "says"),
    [("operator", "inputs", [99], "no tensor 99"), ("operator", "outputs", [-1], "no tensor -1"),
     ("operator", "opcodeIndex", 9, "no operator code 9"), ("tensor", "buffer", 70, "no buffer 70"),
     ("graph", "outputs", [5], "no tensor 5")],
)  # fmt: skip
def test_numbers_of_nothing_in_tflite_files_are_named(
    tmp_path: Path, part: str, name: str, value: Any, says: str
) -> None:
    made = tflite_model()
    graph_ = made.subgraphs[0]
    setattr({"graph": graph_, "operator": graph_.operators[0], "tensor": graph_.tensors[0]}[part], name, value)
    with pytest.raises(ModelError, match=says):
        tflite_source.inspect(packed(tmp_path, made), {})


def test_a_tflite_file_may_leave_lists_out(tmp_path: Path) -> None:
    made = tflite_model()
    made.subgraphs[0].inputs = None
    path = packed(tmp_path, made)
    assert tflite_source.inspect(path, {}).inputs == ()
    with pytest.raises(ModelError, match="has no inputs"):
        drafted(Wish(path, tmp_path / "m.yaml"))


def test_onnx_nodes_without_inputs_end_the_walk_from_an_output(tmp_path: Path) -> None:
    """A Div of one input, and reshapes that feed each other."""
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    for nodes in (
        [helper.make_node("Identity", [], ["y"])],
        [helper.make_node("Exp", ["b"], ["a"]), helper.make_node("Div", ["a"], ["y"])],
        [helper.make_node("Exp", ["b"], ["a"]), helper.make_node("Div", ["a", "b"], ["y"]),
         helper.make_node("Reshape", ["c"], ["b"]), helper.make_node("Squeeze", ["b"], ["c"])],
    ):  # fmt: skip
        opset = [helper.make_opsetid("", 13)]
        onnx.save(helper.make_model(helper.make_graph(nodes, "g", [], [y]), opset_imports=opset), tmp_path / "n.onnx")
        assert onnx_source.inspect(tmp_path / "n.onnx", {}).activations == {}


# The command


def files(folder: Path) -> None:
    """A detector, a model without inputs, a link that leads to itself, a photo and labels."""
    graph(folder / "yolo.onnx", [1, 3, 64, 64], [1, 7, 84], YOLO)
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    node = helper.make_node("Constant", [], ["y"], value=one)
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(helper.make_graph([node], "g", [], [y]), opset_imports=opset), folder / "none.onnx")
    Image.new("RGB", (9, 9)).save(folder / "p.png")
    (folder / "gap.txt").write_text("a\n\nc\n")
    (folder / "ring").mkdir()
    (folder / "ring" / "loop").symlink_to("loop")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["none.onnx"], MODEL, "none.onnx has no inputs"),
        (["ring"], MODEL, "loop` cannot be read"),
        (["yolo.onnx", "--shape", "x=1", "--shape", "x=2"], USAGE, "`--shape x=...` is given twice"),
        (["yolo.onnx", "--argument", "a=1", "--argument", "a=2"], USAGE, "`--argument a=...` is given twice"),
        (["yolo.onnx", "--labels", "gap.txt"], USAGE, "gap.txt:2 is blank"),
        (["yolo.onnx", "--try", "p.png", "--expect", "car"], USAGE, "--try needs an output of classes, and `output0`"),
    ],
)
def test_one_error_and_nothing_written(
    arguments: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    files(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["init", *arguments]) == code
    told = capfd.readouterr().err
    assert says in " ".join(told.split())
    assert told.count("error: ") == 1
    assert not (tmp_path / "manifest.yaml").exists()


def test_a_mark_goes_where_all_that_tie_agree() -> None:
    first, second, third = (Step("resize", {"fit": fit}, fit) for fit in ("crop", "stretch", "crop"))
    scaled = Step("normalize", {"mean": 0, "std": 1}, "range")
    taken = Proposal("photo", (first, scaled), "a", guess="a photo")
    assert marks(_told_apart(taken, [])) == ["", "", ""]
    assert marks(_told_apart(taken, [Proposal("photo", (second, scaled), "b")])) == ["crop", "", "a photo"]
    turned = Proposal("photo", (Step("channels", {"order": "bgr"}, "BGR"), third, scaled), "c")
    assert marks(_told_apart(taken, [turned])) == ["crop", "range", "a photo"], "one step more or not is open"


def marks(proposal: Proposal) -> list[str]:
    return [*(step.guess for step in proposal.steps), proposal.guess]


# Damage at random


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A few bytes set, taken out or put in."""
    held = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(held))
        held[at : at + chance.choice((0, 1, 4))] = chance.choice(
            (b"", b"\0", b"\xff", b"\x80", bytes([chance.randrange(256)]), b"\xff\xff\xff\x7f", b"\0\0\x80\x7f")
        )
    return bytes(held)


ODD: tuple[Any, ...] = (
    None,
    0,
    -1,
    float("inf"),
    float("nan"),
    10**400,
    "x",
    "\ud800",
    [],
    [1],
    {},
    {"a": 1},
    True,
    1e-320,
)
CONFIG = {"do_resize": True, "size": {"height": 64, "width": 48}, "resample": 3, "image_mean": [0.5, 0.5, 0.5],
          "image_std": [0.5, 0.25, 0.5], "do_center_crop": True, "crop_size": {"height": 8, "width": 8},
          "rescale_factor": 0.5, "crop_pct": 0.9, "image_processor_type": "LevitImageProcessor"}  # fmt: skip


@pytest.mark.parametrize(("kind", "tries"), [("onnx", 200), ("tflite", 150), ("config", 40)])
def test_random_damage_is_never_a_bug(tmp_path: Path, kind: str, tries: int) -> None:
    """Each try is a manifest whose form is right, or an error that names what is wrong."""
    whole, chance = model(tmp_path / "n.onnx", [1, 64, 48, 3], YOLO), random.Random(7)
    if kind == "tflite":
        tflite_stamp.stamp(request(description()), {"model": packed(tmp_path, tflite_model())}, tmp_path)
        whole = tmp_path / tflite_stamp.FILE
    data, ends = whole.read_bytes(), {"drafted": 0, "refused": 0}
    with open_session(NullConsole()) as session:
        for _ in range(tries):
            if kind == "config":
                changed = {**CONFIG, chance.choice(list(CONFIG)): chance.choice(ODD)}
                (tmp_path / "preprocessor_config.json").write_text(json.dumps(changed))
            else:
                whole.write_bytes(damaged(data, chance))
            try:
                parse(write_first(session, Wish(whole, tmp_path / "m.yaml")).text, "m.yaml")
                ends["drafted"] += 1
            except PackagerError as fault:
                assert fault.findings[0].what
                assert fault.exit_code == ExitCode.MODEL
                ends["refused"] += 1
    assert min(ends.values()) > 5
