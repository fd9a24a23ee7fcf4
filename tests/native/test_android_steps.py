"""The Kotlin steps against the vectors of the reference: warnings are errors, explicit API, every case equal."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract" / "vectors"))

from android_toolset import java, kotlinc, toolset
from step_cases import Case, cases
from step_vectors import Packed, compare, write_input

import packager.steps
from packager.core.languages import LANGUAGES
from packager.model.contract import ImageType

pytestmark = pytest.mark.native

KOTLIN = LANGUAGES["kotlin"]
STEPS = Path(packager.steps.__file__).parent
GROUPS = ("core", "image")

DRIVER = """
package packager.contract

import java.io.DataOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

private val input: ByteBuffer = ByteBuffer.wrap(File("input.bin").readBytes()).order(ByteOrder.LITTLE_ENDIAN)
private val output = DataOutputStream(File("output.bin").outputStream().buffered())

internal fun bytes(offset: Int, size: Int): ByteArray = input.array().copyOfRange(offset, offset + size)

internal fun floats(offset: Int, size: Int): FloatArray = FloatArray(size) { input.getFloat(offset + 4 * it) }

internal fun shorts(offset: Int, size: Int): ShortArray = ShortArray(size) { input.getShort(offset + 2 * it) }

private fun emit(status: Int, payload: ByteArray) {
    val header = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putInt(status).putInt(payload.size)
    output.write(header.array())
    output.write(payload)
    output.write(ByteArray((16 - payload.size % 16) % 16))
}

private fun payload(value: Any): ByteArray =
    when (value) {
        is Image -> {
            val row = value.width * value.channels
            val tight = ByteArray(row * value.height)
            for (y in 0 until value.height) {
                value.data.copyInto(tight, y * row, y * value.stride, y * value.stride + row)
            }
            tight
        }
        is ByteArray -> value
        is FloatArray -> {
            val buffer = ByteBuffer.allocate(4 * value.size).order(ByteOrder.LITTLE_ENDIAN)
            value.forEach(buffer::putFloat)
            buffer.array()
        }
        is Classification -> value.labels.map(::labelBytes).fold(ByteArray(0), ByteArray::plus)
        else -> error("no form for $value")
    }

private fun labelBytes(label: Label): ByteArray {
    val text = label.label.encodeToByteArray()
    val buffer = ByteBuffer.allocate(12 + (text.size + 3) / 4 * 4).order(ByteOrder.LITTLE_ENDIAN)
    return buffer.putInt(label.index).putFloat(label.score).putInt(text.size).put(text).array()
}

/** Runs a step twice, the second time over the buffers that it kept. */
internal fun run(name: String, step: () -> Any) {
    try {
        val first = payload(step())
        val second = payload(step())
        check(first.contentEquals(second)) { "$name: the second run differs" }
        emit(0, first)
    } catch (e: ContractException) {
        emit(1, ByteArray(0))
    }
}

internal fun finish(): Unit = output.close()
"""


def drivers(packed: Sequence[Packed]) -> dict[str, str]:
    """Source files of the driver; cases in groups, because a class file has limits."""
    files = {"Driver.kt": DRIVER}
    calls = []
    for start in range(0, len(packed), 50):
        name = f"cases{start}"
        body = "\n".join(_case(item) for item in packed[start : start + 50])
        files[f"Cases{start}.kt"] = f"package packager.contract\n\ninternal fun {name}() {{\n{body}\n}}\n"
        calls.append(f"{name}()")
    files["Main.kt"] = "package packager.contract\n\nfun main() {\n" + "\n".join([*calls, "finish()"]) + "\n}\n"
    return files


def _case(item: Packed) -> str:
    call = item.case.call
    arguments = ", ".join(KOTLIN.constant(value) for _, value in call.arguments)
    step = f"{KOTLIN.function(call.function)}({arguments})"
    lines = [f"val step = {step}", f"val input = {_input(item.case, item)}"]
    body = "; ".join([*lines, f"run({KOTLIN.string(item.case.id)}) {{ step.run(input) }}"])
    return f"    run {{ {body} }}"


def _input(case: Case, item: Packed) -> str:
    if isinstance(case.start, ImageType):
        h, w, c = case.input.shape
        return f"Image(bytes({item.offset}, {item.bytes}), {w}, {h}, {c}, {case.stride})"
    reader = {"float32": "floats", "int8": "bytes", "uint16": "shorts"}[str(case.input.dtype)]
    return f"{reader}({item.offset}, {case.input.size})"


def test_equal_to_the_reference(tmp_path: Path) -> None:
    tools = toolset()
    groups = {group: cases(group) for group in GROUPS}
    packed = write_input([case for group in groups.values() for case in group], tmp_path / "input.bin")
    source = tmp_path / "driver"
    source.mkdir()
    for name, text in drivers(packed).items():
        (source / name).write_text(text, "utf-8")
    steps = dict.fromkeys(step for item in packed for step in item.case.steps)
    native = [STEPS / "_kotlin" / "ContractTypes.kt", *(f for s in steps for f in (STEPS / s).glob("*.kt"))]
    kotlinc(tools, tmp_path / "steps", [], native, "-Xexplicit-api=strict")
    friend = f"-Xfriend-paths={tmp_path / 'steps'}"
    kotlinc(tools, tmp_path / "classes", [tmp_path / "steps"], [source], friend)
    classpath = [tmp_path / "classes", tmp_path / "steps", tools / "kotlinc" / "kotlin-stdlib.jar"]
    command = java(classpath, "packager.contract.MainKt")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = compare([item.case for item in packed], tmp_path / "output.bin")
    failed = [f"{row.id}: {row.detail}" for row in rows if not row.passed]
    worst = max(rows, key=lambda row: row.worst)
    sizes = ", ".join(f"{len(group)} {name}" for name, group in groups.items())
    print(f"kotlin: {sizes} cases, worst float error {worst.worst:.3g} ({worst.id})")
    assert not failed, f"{len(failed)} of {len(rows)}:\n" + "\n".join(failed[:20])
    assert len(rows) == len(packed)
    assert all(len(group) > 50 for group in groups.values())
