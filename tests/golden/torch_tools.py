"""PyTorch models made under the interpreters that were found, and the projects that use them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from project_tools import tiny_manifest, tiny_project, write_manifest

from packager.sources._torch.interpreter import INSTALL, Interpreter, found

HERE = found()
ANY = pytest.mark.skipif(not HERE, reason=f"NOT PROVEN: no Python with torch here; type `{INSTALL}`")
OLD = min(HERE, key=lambda each: each.release) if HERE else None  # starts soonest
NEW = [each for each in HERE if each.release >= (2, 5)]
EXPORTS = pytest.mark.skipif(not NEW, reason=f"NOT PROVEN: no Python with torch 2.5 or newer here; type `{INSTALL}`")

NETS = '''
import torch


class Colours(torch.nn.Module):
    """Tells red from blue: float32 [n, 8, 8, 3] -> two probabilities."""

    def __init__(self, sharp: float = 6.0) -> None:
        super().__init__()
        self.sharp = sharp
        self.conv = torch.nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.norm = torch.nn.BatchNorm2d(4)
        self.end = torch.nn.Linear(7, 2)

    def forward(self, image):
        x = image.permute(0, 3, 1, 2)
        y = torch.relu(self.norm(self.conv(x)))
        z = torch.cat([x.mean(dim=(2, 3)), y.mean(dim=(2, 3))], dim=1)
        return torch.softmax(self.end(z) * self.sharp, dim=1)


class Deaf(torch.nn.Module):
    """Asks for the eigenvalues of a matrix, which ONNX has no operator for."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, image):
        return torch.linalg.eigvals(image[0, :, :, 0].contiguous()).real * self.weight


def trained(sharp: float = 6.0) -> Colours:
    torch.manual_seed(1)
    net = Colours(sharp)
    with torch.no_grad():
        net.norm.running_mean.normal_(0, 0.1)
        net.norm.running_var.uniform_(0.5, 2)
        net.end.weight.mul_(0.05)
        net.end.weight[0, 0] = net.end.weight[1, 2] = 1.0
        net.end.bias.zero_()
    return net.eval()
'''
SAVE = """
import sys
sys.path.insert(0, sys.argv[1])
import nets, torch
net, image, folder = nets.trained(), torch.zeros(1, 8, 8, 3), sys.argv[1]
torch.save(net.state_dict(), folder + "/net.pth")
torch.save({"state_dict": net.state_dict(), "epoch": 3}, folder + "/net.ckpt", _use_new_zipfile_serialization=False)
torch.save(net, folder + "/whole.pth")
torch.save(nets.Deaf().state_dict(), folder + "/deaf.pth")
torch.jit.save(torch.jit.trace(net, image), folder + "/traced.pt")
torch.jit.save(torch.jit.script(net), folder + "/scripted.pt")
if hasattr(torch, "export"):
    torch.export.save(torch.export.export(net, (image,)), folder + "/net.pt2")
    free = {"image": {0: torch.export.Dim("batch")}}
    several = torch.export.export(net, (torch.cat([image, image]),), dynamic_shapes=free)
    torch.export.save(several, folder + "/free.pt2")
"""
SHAPES = {"image": [1, 8, 8, 3]}
CLASS: dict[str, Any] = {
    "class": "nets:Colours",
    "arguments": {"sharp": 6.0},
    "code": "nets.py",
    "trust": "written in this test",
    "shapes": SHAPES,
}


def run(interpreter: Interpreter, script: str, *arguments: object) -> None:
    """Run a script under an interpreter with torch."""
    argv = [str(interpreter.path), "-B", "-c", script, *map(str, arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def make_models(folder: Path, interpreter: Interpreter) -> Path:
    """The small net in every form, with its code."""
    folder.mkdir(parents=True)
    (folder / "nets.py").write_text(NETS, "utf-8")
    run(interpreter, SAVE, folder)
    return folder


def project(folder: Path, models: Path, source: str, **changes: Any) -> Path:
    """A project with one of the models; `changes` are keys of its `model:` and `formats`."""
    assert OLD is not None
    tiny_project(folder)
    for name in (source, "nets.py"):
        (folder / name).write_bytes((models / name).read_bytes())
    formats = changes.pop("formats", ["onnx/float32"])
    model = {"source": source, "python": str(OLD.path), **changes}
    model = {key: value for key, value in model.items() if value is not None}
    return write_manifest(folder, tiny_manifest(model=model, formats=formats))
