"""PyTorch's files are told apart and refused by name without torch, and nothing in them is run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from refusal_tools import CATALOG, HEAD, STATE, check_snapshot, global_pickle, refusal, zipped

from packager.core.errors import ModelError, ToolMissingError
from packager.model.manifest import Model
from packager.sources._torch import archive
from packager.sources._torch.interpreter import choose, probe
from packager.stages import source

WEIGHTS = {"m/data.pkl": STATE, "m/data/0": b"\0\0\x80?", "m/version": b"3\n"}
SCRIPT = {
    "m/data.pkl": global_pickle("__torch__", "Net"),
    "m/constants.pkl": b"\x80\x02).",
    "m/code/__torch__.py": b"def forward(self, x):\n  return torch.relu(x)\n",
    "m/version": b"3\n",
}
PROGRAM = {
    "serialized_exported_program.json": b"{}",
    "serialized_state_dict.pt": zipped({"archive/data.pkl": STATE}),
    "version": b"8.2",
}
LEGACY = HEAD + STATE + pickle.dumps(["0"], 2) + b"\x01\0\0\0\0\0\0\0\0\0\x80?"


def made(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("w.pth", zipped(WEIGHTS), "torch_class"),
        ("old.pth", LEGACY, "torch_class"),
        ("s.pt", zipped(SCRIPT), "torchscript"),
        ("p.pt2", zipped(PROGRAM), "torch_export"),
    ],
)
def test_files_are_told_by_content(tmp_path: Path, name: str, data: bytes, kind: str) -> None:
    path = made(tmp_path, name, data).rename(tmp_path / "blob")
    assert [each for each, module in CATALOG.sources.items() if module.detect(path)] == [kind]
    found = source.inspect(path, {}, CATALOG)
    assert (found.format, found.inputs, found.outputs) == (kind, (), ())


REFUSED = {
    "pickled_module": ("net.pth", zipped({**WEIGHTS, "m/data.pkl": global_pickle("nets.vision", "Net")})),
    "pickled_module_4": ("net.pth", zipped({**WEIGHTS, "m/data.pkl": global_pickle("posix", "system", 4)})),
    "pickled_module_old": ("net.pth", HEAD + global_pickle("nets.vision", "Net")),
    "pickle_plain_code": ("model.pkl", global_pickle("os", "system")),
    "pickle_plain_data": ("model.pkl", pickle.dumps({"w": [1.0]}, 4)),
    "pickle_cut": ("net.pth", zipped({**WEIGHTS, "m/data.pkl": STATE[:70]})),
    "pickle_cut_old": ("net.pth", LEGACY[:120]),
    "program_code": (
        "p.pt2",
        zipped({**PROGRAM, "serialized_constants.pt": zipped({"archive/data.pkl": global_pickle("os", "system")})}),
    ),
    "script_custom_operator": (
        "s.pt",
        zipped({**SCRIPT, "m/code/__torch__.py": b"  y = ops.torchvision.nms(boxes, scores, 0.5)\n"}),
    ),
    "torch_encrypted": ("w.pth", zipped(WEIGHTS, encrypted=True)),
    "torch_bomb": ("w.pth", zipped({**WEIGHTS, "m/data/0": bytes(80 << 20)}, packed=True)),
    "torch_cut": ("w.pth", zipped(WEIGHTS)[:300]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(tmp_path: Path, name: str) -> None:
    file, data = REFUSED[name]
    check_snapshot(name, refusal(made(tmp_path, file, data)))


def test_a_member_of_the_same_name_twice(tmp_path: Path) -> None:
    data = zipped({**WEIGHTS, "m/data.pkX": global_pickle("os", "system")}).replace(b"m/data.pkX", b"m/data.pkl")
    with pytest.raises(ModelError, match=r"m/data\.pkl twice"):
        source.inspect(made(tmp_path, "w.pth", data), {}, CATALOG)


def prepare(path: Path, model: dict[str, object]) -> None:
    asked = Model.model_validate({"source": path.name, **model})
    source.prepare(path, source.inspect(path, {}, CATALOG).format, asked, (), CATALOG)


NEEDS = {
    "torch_weights_alone": ("w.pth", zipped(WEIGHTS), {}),
    "torch_no_shapes": ("w.pth", zipped(WEIGHTS), {"class": "nets:Net", "trust": "ours"}),
    "script_no_shapes": ("s.pt", zipped(SCRIPT), {}),
    "script_with_class": ("s.pt", zipped(SCRIPT), {"class": "nets:Net", "trust": "ours", "shapes": {"x": (1, 3)}}),
}


@pytest.mark.parametrize("name", NEEDS)
def test_what_the_manifest_has_to_say(tmp_path: Path, name: str) -> None:
    from packager.core.console import format_finding

    file, data, model = NEEDS[name]
    with pytest.raises(ModelError) as refused:
        prepare(made(tmp_path, file, data), model)
    check_snapshot(name, "\n\n".join(format_finding(found) for found in refused.value.findings) + "\n")


def test_a_class_has_no_meaning_for_other_formats(tmp_path: Path) -> None:
    asked = Model.model_validate({"source": "m.onnx", "class": "nets:Net", "trust": "ours"})
    with pytest.raises(ModelError, match="for which `class` has no meaning"):
        source.prepare(tmp_path / "m.onnx", "onnx", asked, (), CATALOG)


def fake(folder: Path, torch: str) -> Path:
    """A program that answers as a Python with torch does."""
    path = folder / "python"
    said = json.dumps({"python": "3.12.1", "text": f"__version__ = '{torch}'"})
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
    path.chmod(0o755)
    return path


def test_interpreters_of_the_manifest(tmp_path: Path) -> None:
    chosen = choose(str(fake(tmp_path, "2.1.0+cpu")), (1, 13))
    assert (chosen.torch, chosen.python, chosen.release) == ("2.1.0+cpu", "3.12.1", (2, 1))
    with pytest.raises(ToolMissingError, match=r"has torch 2\.1\.0\+cpu"):
        choose(str(tmp_path / "python"), (2, 5))
    with pytest.raises(ToolMissingError, match="is not on this machine"):
        choose(str(tmp_path / "none"), (1, 13))
    with pytest.raises(ToolMissingError, match="has no torch"):
        choose("true", (1, 13))


def test_no_interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packager.sources._torch.interpreter._candidates", lambda: iter((fake(tmp_path, "1.9.0"),)))
    probe.cache_clear()
    with pytest.raises(ToolMissingError, match=r"no Python with torch 1\.13 or newer .* only torch 1\.9\.0") as missing:
        choose(None, (1, 13))
    assert "doctor --install torch" in missing.value.findings[0].hint
    assert archive.kind(tmp_path) is None
