"""The rendered C++ chain: compiles without a warning, gives the reference's bits, needs the stated workspace."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest

from packager.core.languages import LANGUAGES
from packager.model.artifact import Port
from packager.model.contract import Chain, ImageType, NativeChain, StepUse, TensorType
from packager.model.tensors import Quantization
from packager.plan.lower import lower_input, lower_output
from packager.registry import Catalog
from packager.stages.render.context import FILTERS, TESTS

pytestmark = pytest.mark.native

CATALOG = Catalog()
CPP = LANGUAGES["cpp"]
NAMESPACE = "person_detector_contract"
ANY_IMAGE = ImageType(None, None, "rgb", 640 * 480)
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
FLAGS = ["-std=c++17", "-ffp-contract=off", "-O2", *WARNINGS]

MAIN = r"""
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "chain.hpp"
using namespace person_detector_contract;

int main(int, char** argv) {
  static uint8_t pixels[640 * 480 * 3];
  FILE* file = fopen(argv[1], "rb");
  if (file == nullptr || fread(pixels, 1, sizeof pixels, file) != sizeof pixels) return 2;
  fclose(file);
  void* memory = malloc(kWorkspaceBytes);
  Arena arena(memory, kWorkspaceBytes);
  Image photo{pixels, atoi(argv[2]), atoi(argv[3]), 3, static_cast<size_t>(atoi(argv[2])) * 3};
  Tensor<const INPUT> tensor{};
  Status status = preprocess_photo(photo, arena, &tensor);
  if (status != Status::kOk) return printf("%s\n", status_name(status)), 0;
  file = fopen(argv[4], "wb");
  fwrite(tensor.data, sizeof(INPUT), tensor.size, file);
  fclose(file);
  const OUTPUT scores[] = {SCORES};
  Classification verdict{};
  status = postprocess_verdict(Tensor<const OUTPUT>{scores, 3}, arena, &verdict);
  printf("%s %s\n", status_name(status), kContractHash);
  for (int32_t i = 0; i < verdict.size; ++i) {
    const LabelScore& found = verdict.labels[i];
    printf("%d %.9g %s\n", found.index, static_cast<double>(found.score), found.label);
  }
  free(memory);
  return 0;
}
"""


def chain(name: str, start: Any, *steps: tuple[str, dict[str, Any]]) -> Chain:
    """A checked chain as the plan makes it."""
    uses, types = [], [start]
    for step, params in steps:
        module: Any = CATALOG.steps[step]
        bound = module.Params.model_validate(params)
        bound = module.bind(bound, {}) if hasattr(module, "bind") else bound
        uses.append(StepUse(step, bound))
        types.append(module.result_type(bound, types[-1]))
    return Chain(name, name, tuple(uses), tuple(types))


def reference(made: Chain, value: Any) -> Any:
    for use in made.steps:
        value = CATALOG.steps[use.step].apply(use.bound, value)
    return value


RESIZE = ("resize", {"width": 96, "height": 96, "fit": "crop", "like": "pillow", "method": "bilinear"})
PHOTO = chain("photo", ANY_IMAGE, RESIZE, ("channels", {"order": "bgr"}), ("normalize", {"mean": [1, 2, 3], "std": 2}))
VERDICT = chain("verdict", TensorType("float32", (1, 3)), ("labels", {"names": ["person", 'né "x"', "??/"], "top": 2}))

IN = Port("photo", "photo", "float32", (1, 96, 96, 3))
OUT = Port("verdict", "verdict", "float32", (1, 3))


def render(folder: Path, photo: NativeChain, verdict: NativeChain) -> None:
    """The kit with the chain, and the native files of the steps in use, in the bundle's namespace."""
    kit = CATALOG.kit("cpp")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(kit),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {**FILTERS, "constant": CPP.constant, "function": CPP.function}
    environment.tests |= TESTS
    steps = tuple(dict.fromkeys((*photo.steps, *verdict.steps)))
    context = {"name": "person-detector", "version": "1.0.0", "contract_hash": "0" * 64, "steps": steps}
    files = [file for file in kit.iterdir() if file.suffix in (".hpp", ".jinja")]
    files += [file for step in steps for file in CATALOG.native_files(step, CPP)]
    for file in files:
        text = file.read_text("utf-8")
        if file.suffix == ".jinja":
            text = environment.get_template(file.name).render(**context, inputs=(photo,), outputs=(verdict,))
        (folder / file.name.removesuffix(".jinja")).write_text(CPP.rehome(text, NAMESPACE), "utf-8")


def build(folder: Path, compiler: str, types: dict[str, str]) -> Path:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    (folder / "main.cpp").write_text(MAIN, "utf-8")
    defines = [f"-D{name}={value}" for name, value in types.items()]
    sources = [str(folder / "main.cpp"), str(folder / "chain.cpp")]
    program = folder / "program"
    argv = [compiler, *FLAGS, *defines, f"-I{folder}", *sources, "-o", str(program), "-lm"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def run(program: Path, pixels: Any, w: int, h: int) -> tuple[list[str], bytes]:
    folder = program.parent
    (folder / "pixels.bin").write_bytes(pixels.tobytes().ljust(640 * 480 * 3, b"\0"))
    (folder / "tensor.bin").unlink(missing_ok=True)
    argv = [str(program), str(folder / "pixels.bin"), str(w), str(h), str(folder / "tensor.bin")]
    lines = subprocess.run(argv, capture_output=True, check=True).stdout.decode("utf-8").splitlines()
    tensor = folder / "tensor.bin"
    return lines, tensor.read_bytes() if tensor.exists() else b""


def picture(w: int, h: int) -> Any:
    return np.random.default_rng(w * h).integers(0, 256, (h, w, 3), np.uint8)


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_float_chain(tmp_path: Path, compiler: str) -> None:
    photo, verdict = lower_input(PHOTO, IN, CATALOG), lower_output(VERDICT, OUT, CATALOG)
    assert [call.function for call in photo.calls] == ["resize_pillow", "normalize"]
    render(tmp_path, photo, verdict)
    program = build(tmp_path, compiler, {"INPUT": "float", "OUTPUT": "float", "SCORES": "0.25F,0.75F,0.75F"})
    for w, h in ((640, 480), (480, 640), (96, 96), (554, 554), (1, 1), (2, 300)):
        lines, tensor = run(program, picture(w, h), w, h)
        assert tensor == reference(PHOTO, picture(w, h)).tobytes(), (w, h)
        assert lines == ["ok " + "0" * 64, '1 0.75 né "x"', "2 0.75 ??/"]


def test_int8_chain_is_one_table(tmp_path: Path) -> None:
    quantization, out = Quantization(0.5, -128), Quantization(0.00390625, -128)
    photo = lower_input(PHOTO, Port("photo", "photo", "int8", (1, 96, 96, 3), quantization), CATALOG)
    verdict = lower_output(VERDICT, Port("v", "v", "int8", (1, 3), out), CATALOG)
    assert [call.function for call in photo.calls] == ["resize_pillow", "normalize_quantize"]
    render(tmp_path, photo, verdict)
    program = build(tmp_path, "g++", {"INPUT": "int8_t", "OUTPUT": "int8_t", "SCORES": "-128,127,0"})
    lines, tensor = run(program, picture(300, 200), 300, 200)
    real = reference(PHOTO, picture(300, 200))
    step: Any = CATALOG.steps["quantize"]
    expected = step.apply(step.Params(scale=0.5, zero_point=-128), real)
    assert tensor == expected.tobytes()
    assert lines[1:] == ['1 0.99609375 né "x"', "2 0.5 ??/"]


def test_refusals_are_typed(tmp_path: Path) -> None:
    render(tmp_path, lower_input(PHOTO, IN, CATALOG), lower_output(VERDICT, OUT, CATALOG))
    program = build(tmp_path, "g++", {"INPUT": "float", "OUTPUT": "float", "SCORES": "0,0,NAN"})
    assert run(program, picture(640, 481), 640, 481)[0] == ["image too large"]
    assert run(program, picture(4, 4), 0, 4)[0] == ["empty image"]
    assert run(program, picture(4, 4), 4, -4)[0] == ["empty image"]
    assert run(program, picture(4, 4), 4, 4)[0] == ["not finite " + "0" * 64]
