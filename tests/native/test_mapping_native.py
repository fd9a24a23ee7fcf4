"""The way back to the original image, in each language: equal to the bit to the reference for every kind of move."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import android_toolset
import ios_toolset
import pytest

from packager.model.contract import MOVES, Geometry, ImageSize, Move
from packager.registry import Catalog
from packager.steps._mapping import mapping

pytestmark = pytest.mark.native

CUTS = [(), (Move("crop_ratio", 4, 3),), (Move("crop_size", 7, 5),)]
ENDS = [
    Move("stretch", 12, 9),
    Move("crop", 12, 9),
    Move("letterbox", 12, 9),
    Move("letterbox", 9, 16),
    Move("shorter", 11),
]
SIZES = [ImageSize(23, 14), ImageSize(13, 31), ImageSize(4032, 3024)]
CASES = [
    (Geometry("photo", (Move("orient", orientation), *cut, end, Move("orient", orientation % 8 + 1))).numbers(), size)
    for orientation, cut, end, size in product(range(1, 9), CUTS, ENDS, SIZES)
]


def moves_of(numbers: Sequence[int]) -> tuple[Move, ...]:
    return tuple(Move(MOVES[numbers[i]], numbers[i + 1], numbers[i + 2]) for i in range(0, len(numbers), 3))


def expected() -> list[str]:
    """One line a case: the bits of both scales and offsets, and whether it is turned."""
    lines = []
    for numbers, size in CASES:
        way = mapping(Geometry("photo", moves_of(numbers)), size)
        words = struct.unpack("<4Q", struct.pack("<4d", way.scale_x, way.offset_x, way.scale_y, way.offset_y))
        lines.append(" ".join(f"{word:x}" for word in words) + f" {int(way.turned)}")
    return lines


def test_cases_are_worth_it() -> None:
    assert len(set(expected())) > 100
    assert {line[-1] for line in expected()} == {"0", "1"}


def test_cpp(tmp_path: Path) -> None:
    calls = "\n".join(
        f"  {{ const int32_t n[] = {{{', '.join(map(str, n))}}};"
        f" show(Ints{{n, {len(n)}}}, {{{s.width}, {s.height}}}); }}"
        for n, s in CASES
    )
    (tmp_path / "main.cpp").write_text(
        '#include <stdio.h>\n#include <string.h>\n#include "contract_mapping.hpp"\nusing namespace packager_contract;\n'
        "static void word(double value) {\n  unsigned long long bits;\n  memcpy(&bits, &value, 8);\n"
        '  printf("%llx ", bits);\n}\n'
        "static void show(Ints moves, ImageSize photo) {\n  Mapping way{};\n"
        "  if (make_mapping(moves, photo, &way) != Status::kOk) return;\n"
        "  word(way.scale_x);\n  word(way.offset_x);\n  word(way.scale_y);\n  word(way.offset_y);\n"
        '  printf("%d\\n", way.turned ? 1 : 0);\n}\n'
        f"int main() {{\n{calls}\n}}\n",
        "utf-8",
    )
    program = tmp_path / "program"
    kit = Catalog().kit("cpp")
    flags = [
        "-std=c++17",
        "-O2",
        "-ffp-contract=off",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-Wno-unused-function",
        f"-I{kit}",
    ]
    subprocess.run(["g++", *flags, f"-I{kit}", str(tmp_path / "main.cpp"), "-o", str(program)], check=True)
    assert subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.splitlines() == expected()


def test_kotlin(tmp_path: Path) -> None:
    tools = android_toolset.toolset()
    rows = ",\n".join(f'    "{" ".join(map(str, n))}|{s.width}|{s.height}"' for n, s in CASES)
    (tmp_path / "Main.kt").write_text(
        f"package packager.contract\n\nprivate val CASES = arrayOf(\n{rows},\n)\n\n"
        "fun main() {\n    for (case in CASES) {\n"
        '        val (moves, width, height) = case.split("|")\n'
        '        val numbers = moves.split(" ").map(String::toInt).toIntArray()\n'
        "        val way = Mapping.of(numbers, ImageSize(width.toInt(), height.toInt()))\n"
        "        val words = listOf(way.scaleX, way.offsetX, way.scaleY, way.offsetY)\n"
        '        println(words.joinToString(" ") { java.lang.Long.toHexString(it.toRawBits()) } + '
        '(if (way.turned) " 1" else " 0"))\n    }\n}\n',
        "utf-8",
    )
    kit = Catalog().kit("kotlin")
    names = ("ContractTypes.kt", "ContractResults.kt", "Mapping.kt")
    sources = [*(kit / name for name in names), tmp_path / "Main.kt"]
    android_toolset.kotlinc(tools, tmp_path / "classes", [], sources)
    classpath = [tools / "kotlinc" / "kotlin-stdlib.jar", tmp_path / "classes"]
    command = android_toolset.java(classpath, "packager.contract.MainKt")
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines() == expected()


def test_swift(tmp_path: Path) -> None:
    ios_toolset.toolset()
    rows = ",\n".join(f"  ({list(n)}, {s.width}, {s.height})" for n, s in CASES)
    (tmp_path / "main.swift").write_text(
        f"let cases: [([Int], Int, Int)] = [\n{rows},\n]\n"
        "for (moves, width, height) in cases {\n"
        "  let way = try Mapping(moves: moves, photo: ImageSize(width: width, height: height))\n"
        "  let words = [way.scaleX, way.offsetX, way.scaleY, way.offsetY].map { String($0.bitPattern, radix: 16) }\n"
        '  print(words.joined(separator: " "), way.isTurned ? 1 : 0)\n}\n',
        "utf-8",
    )
    names = ["ContractTypes.swift", "ContractMapping.swift", "main.swift"]
    for name in names[:-1]:
        shutil.copy(Catalog().kit("swift") / name, tmp_path)
    compiled = ios_toolset.inside(
        tmp_path, "sh", "-c", f"cd /proof && swiftc -O -swift-version 6 {' '.join(names)} -o program && ./program"
    )
    assert compiled.returncode == 0, compiled.stdout
    assert compiled.stdout.splitlines() == expected()
