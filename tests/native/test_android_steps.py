"""The Kotlin steps against the vectors of the reference: warnings are errors, explicit API, every case equal."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract" / "vectors"))

from android_toolset import java, kotlinc, toolset
from proof import proved
from step_cases import CATALOG, GROUPS, Case, bind, cases
from step_vectors import Packed, block_offsets, compare, write_input

import packager.steps
from packager.core.languages import LANGUAGES
from packager.model.artifact import Port
from packager.model.contract import (
    AudioType,
    CandidatesType,
    Chain,
    ContractType,
    FrameType,
    ImageType,
    NativeChain,
    SeriesType,
    StepUse,
    TensorsType,
    TensorType,
)
from packager.plan.lower import lower_input, lower_output
from packager.stages.render.context import FILTERS, TESTS

pytestmark = pytest.mark.native

KOTLIN = LANGUAGES["kotlin"]
STEPS = Path(packager.steps.__file__).parent
EDITORCONFIG = Path(__file__).parents[2] / "templates" / "android" / "tree" / ".editorconfig"

Steps = Sequence[tuple[str, dict[str, Any]]]
SCAN: Steps = (
    ("depth", {}),
    ("alpha", {"mode": "over", "background": 114}),
    ("srgb", {"source": "display_p3"}),
    ("orient", {"orientation": 6}),
    ("crop", {"ratio": "1:1"}),
    ("resize", {"width": 8, "height": 6, "fit": "stretch", "like": "tensorflow", "method": "bilinear"}),
    ("layout", {"order": "nchw"}),
)
PRINT: Steps = (("cmyk", {}), ("grey", {}), ("standardize", {"like": "keras"}))
CHANCES: Steps = (("log_softmax", {}),)
TAGS: Steps = (("labels", {"names": ["a $b", "c", "d"], "threshold": 0.25}),)

DRIVER = """
package packager.contract

import com.sun.management.ThreadMXBean
import java.io.DataOutputStream
import java.io.File
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.nio.ByteOrder

private val input: ByteBuffer = ByteBuffer.wrap(File("input.bin").readBytes()).order(ByteOrder.LITTLE_ENDIAN)
private val output = DataOutputStream(File("output.bin").outputStream().buffered())

internal fun bytes(offset: Int, size: Int): ByteArray = input.array().copyOfRange(offset, offset + size)

internal fun floats(offset: Int, size: Int): FloatArray = FloatArray(size) { input.getFloat(offset + 4 * it) }

internal fun shorts(offset: Int, size: Int): ShortArray = ShortArray(size) { input.getShort(offset + 2 * it) }

internal fun candidates(size: Int, points: Int, at: IntArray): Candidates {
    val made = Candidates(points)
    made.reserve(size)
    floats(at[0], size * 4).copyInto(made.boxes)
    floats(at[1], size * points * 2).copyInto(made.points)
    floats(at[2], size).copyInto(made.scores)
    for (i in 0 until size) made.classes[i] = input.getInt(at[3] + 4 * i)
    made.size = size
    return made
}

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
        is IntArray -> {
            val buffer = ByteBuffer.allocate(4 * value.size).order(ByteOrder.LITTLE_ENDIAN)
            value.forEach(buffer::putInt)
            buffer.array()
        }
        is Classification -> joined(value.labels.map(::labelBytes))
        is Candidates -> candidateBytes(value)
        is Detections -> words(value.detections.size) + joined(value.detections.map(::detectionBytes))
        is Landmarks -> words(value.score, value.points.size) + joined(value.points.map { words(it.x, it.y, it.z) })
        is Mask -> {
            val labels = joined(value.labels.map(::textBytes))
            words(value.width, value.height, value.labels.size) + labels + value.classes
        }
        is Embedding -> words(*value.values.toTypedArray())
        is Values -> {
            val shape = words(value.shape.size, *value.shape.toTypedArray())
            shape + textBytes(value.unit) + words(*value.values.toTypedArray())
        }
        else -> error("no form for $value")
    }

private fun labelBytes(label: Label): ByteArray {
    val text = label.label.encodeToByteArray()
    val buffer = ByteBuffer.allocate(12 + (text.size + 3) / 4 * 4).order(ByteOrder.LITTLE_ENDIAN)
    return buffer.putInt(label.index).putFloat(label.score).putInt(text.size).put(text).array()
}

private fun joined(parts: List<ByteArray>): ByteArray = parts.fold(ByteArray(0), ByteArray::plus)

private fun words(vararg numbers: Number): ByteArray {
    val buffer = ByteBuffer.allocate(4 * numbers.size).order(ByteOrder.LITTLE_ENDIAN)
    for (number in numbers) if (number is Float) buffer.putFloat(number) else buffer.putInt(number.toInt())
    return buffer.array()
}

private fun textBytes(text: String): ByteArray {
    val data = text.encodeToByteArray()
    return words(data.size) + data + ByteArray((4 - data.size % 4) % 4)
}

private fun detectionBytes(found: Detection): ByteArray {
    val box = found.box
    val head = words(found.index, found.score, box.left, box.top, box.right, box.bottom, found.points.size)
    return head + words(*found.points.flatMap { listOf(it.x, it.y) }.toTypedArray()) + textBytes(found.label)
}

private fun candidateBytes(found: Candidates): ByteArray {
    val points = found.size * found.pointsEach * 2
    val buffer = ByteBuffer.allocate(8 + 4 * (6 * found.size + points)).order(ByteOrder.LITTLE_ENDIAN)
    buffer.putInt(found.size).putInt(found.pointsEach)
    for (i in 0 until 4 * found.size) buffer.putFloat(found.boxes[i])
    for (i in 0 until points) buffer.putFloat(found.points[i])
    for (i in 0 until found.size) buffer.putFloat(found.scores[i])
    for (i in 0 until found.size) buffer.putInt(found.classes[i])
    return buffer.array()
}

private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean

/** Bytes that a call allocates on this thread. */
private inline fun allocated(call: () -> Any): Long {
    val thread = Thread.currentThread().id
    val before = threads.getThreadAllocatedBytes(thread)
    kept = call()
    return threads.getThreadAllocatedBytes(thread) - before
}

/** What a measured call gave: it cannot be optimised away. */
private var kept: Any = Unit

/** Bytes of an equal result that is made by its constructors alone; 0 for what a step keeps from call to call. */
private fun needed(result: Any): Long =
    when (result) {
        is Classification -> {
            val scores = FloatArray(result.labels.size) { result.labels[it].score }
            val labels = result.labels
            allocated { Classification(List(scores.size) { labels[it].run { Label(label, scores[it], index) } }) }
        }
        is Detections -> allocated { Detections(List(result.detections.size) { again(result.detections[it]) }) }
        is Landmarks ->
            allocated {
                val points = List(result.points.size) { result.points[it].run { Point3(x, y, z) } }
                Landmarks(result.score, points)
            }
        is Mask -> allocated { Mask(result.width, result.height, ByteArray(result.classes.size), result.labels) }
        is Embedding -> result.values.toFloatArray().let { allocated { Embedding(List(it.size) { i -> it[i] }) } }
        is Values ->
            result.values.toFloatArray().let {
                allocated { Values(List(it.size) { i -> it[i] }, result.shape, result.unit) }
            }
        else -> 0
    }

private fun again(found: Detection): Detection {
    val box = found.box.run { Box(left, top, right, bottom) }
    val points = List(found.points.size) { found.points[it].run { Point(x, y) } }
    return Detection(found.label, found.score, found.index, box, points)
}

private val wasteful = mutableListOf<String>()
private var measured = 0

/** Runs a step again over the buffers that it kept: the same bytes, and nothing allocated but the result. */
internal fun run(name: String, step: () -> Any) {
    try {
        val first = payload(step())
        val result = step()
        check(first.contentEquals(payload(result))) { "$name: the second run differs" }
        needed(result)
        val most = needed(result)
        val bytes = allocated(step)
        if (bytes > most) wasteful += "$name: a call allocates $bytes bytes, its result $most"
        measured++
        emit(0, first)
    } catch (e: ContractException) {
        emit(1, ByteArray(0))
    }
}

internal fun finish() {
    output.close()
    check(allocated { ByteArray(1000) } > 1000) { "the meter is broken" }
    check(wasteful.isEmpty()) { "${wasteful.size} of $measured: " + wasteful.joinToString("; ") }
    println("$measured calls allocated their result and nothing else")
}
"""


def drivers(packed: Sequence[Packed]) -> dict[str, str]:
    """Source files of the driver; a function for each case, 50 in a file: methods and class files have limits."""
    files = {"Driver.kt": DRIVER}
    calls = []
    for start in range(0, len(packed), 50):
        body = "package packager.contract\n\n"
        for index, item in enumerate(packed[start : start + 50], start):
            body += f"internal fun case{index}() {{\n{_case(item)}\n}}\n"
            calls.append(f"case{index}()")
        files[f"Cases{start}.kt"] = body
    files["Main.kt"] = "package packager.contract\n\nfun main() {\n" + "\n".join([*calls, "finish()"]) + "\n}\n"
    return files


def chain_cases() -> list[tuple[NativeChain, Case]]:
    """Rendered chains that start with 16 bits or four channels, and steps without constants."""
    rng = np.random.default_rng(3)
    scan = rng.integers(0, 65536, (20, 26, 4), np.uint16)
    inks = rng.integers(0, 256, (9, 7, 4), np.uint8)
    scores = np.array([[0.25, 0.125, 0.5]], np.float32)
    return [
        _chain("scan", SCAN, TensorType("uint16", scan.shape), scan),
        _chain("print", PRINT, ImageType(7, 9, "cmyk", 63), inks),
        _chain("chances", CHANCES, TensorType("float32", scores.shape), scores),
        _chain("tags", TAGS, TensorType("float32", scores.shape), scores),
    ]


def _chain(name: str, steps: Steps, start: ContractType, value: Any) -> tuple[NativeChain, Case]:
    uses, types, expected = [], [start], value
    for step, params in steps:
        module: Any = CATALOG.steps[step]
        uses.append(StepUse(step, bind(step, params)))
        types.append(module.result_type(uses[-1].bound, types[-1]))
        expected = module.apply(uses[-1].bound, expected)
    lower = lower_output if steps in (CHANCES, TAGS) else lower_input
    native = lower(Chain(name, name, tuple(uses), tuple(types)), Port(name, name, "float32", ()), CATALOG)
    tolerance = getattr(CATALOG.steps[steps[-1][0]], "TOLERANCE", None)
    stride = value.shape[1] * value.shape[2] if isinstance(start, ImageType) else 0
    case = Case(f"chain/{name}", native.calls[-1], start, value, expected, native.steps, tolerance, stride)
    return native, case


def chain_source(chains: Sequence[NativeChain]) -> str:
    """The kit's template, filled."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(CATALOG.kit("kotlin")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {**FILTERS, "constant": KOTLIN.constant, "function": KOTLIN.function}
    environment.tests |= TESTS
    outputs = [chain for chain in chains if chain.name in ("chances", "tags")]
    context = {"name": "scanner", "version": "1.0.0", "contract_hash": "0" * 64, "outputs": outputs}
    inputs = [chain for chain in chains if chain not in outputs]
    return environment.get_template("Chain.kt.jinja").render(**context, inputs=inputs)


def _case(item: Packed) -> str:
    if item.case.id.startswith("chain/"):
        name = item.case.id.removeprefix("chain/")
        function = ("post" if name in ("chances", "tags") else "pre") + f"process{name.title()}"
        body = f"val input = {_input(item.case, item)}; run({KOTLIN.string(name)}) {{ chain.{function}(input) }}"
        return f"    run {{ val chain = Chain(); {body} }}"
    call = item.case.call
    arguments = ", ".join("emptyList()" if value == () else KOTLIN.constant(value) for _, value in call.arguments)
    step = f"{KOTLIN.function(call.function)}({arguments})"
    inputs = _inputs(item.case, item)
    lines = [f"val step = {step}", *(f"val input{index} = {text}" for index, text in enumerate(inputs))]
    names = ", ".join(f"input{index}" for index in range(len(inputs)))
    if item.case.photo is not None:
        lines.append(f"val photo = ImageSize({item.case.photo.width}, {item.case.photo.height})")
        names += ", photo"
    body = "; ".join([*lines, f"run({KOTLIN.string(item.case.id)}) {{ step.run({names}) }}"])
    return f"    run {{ {body} }}"


def _inputs(case: Case, item: Packed) -> list[str]:
    """What the call takes, one expression for each parameter."""
    if isinstance(case.start, TensorsType):
        places = zip(case.start.tensors, block_offsets(item), strict=True)
        return [f"floats({offset}, {tensor.size})" for tensor, offset in places]
    if isinstance(case.start, CandidatesType):
        offsets = ", ".join(map(str, block_offsets(item)))
        return [f"candidates({case.input.scores.size}, {case.start.points}, intArrayOf({offsets}))"]
    return [_input(case, item)]


def _input(case: Case, item: Packed) -> str:
    if isinstance(case.start, FrameType):
        f = case.input
        data = f"bytes({item.offset}, {item.bytes})"
        strides = f"{f.y_stride}, {f.uv_stride}, {f.uv_step}, {f.y}, {f.u}, {f.v}, {f.frame.rotation}"
        return f"{data}.let {{ Frame(it, it, it, {f.width}, {f.height}, {strides}) }}"
    if isinstance(case.start, ImageType):
        h, w, c = case.input.shape
        return f"Image(bytes({item.offset}, {item.bytes}), {w}, {h}, {c}, {case.stride})"
    readers = {"float32": "floats", "int8": "bytes", "uint8": "bytes", "int16": "shorts", "uint16": "shorts"}
    data = f"{readers[str(case.input.dtype)]}({item.offset}, {case.input.size})"
    if isinstance(case.start, AudioType | SeriesType):
        return f"{'Audio' if isinstance(case.start, AudioType) else 'Series'}({data}, {case.start.channels})"
    return data


def test_equal_to_the_reference(tmp_path: Path) -> None:
    tools = toolset()
    chains = chain_cases()
    groups = {**{group: cases(group) for group in GROUPS}, "chain": [case for _, case in chains]}
    packed = write_input([case for group in groups.values() for case in group], tmp_path / "input.bin")
    source = tmp_path / "driver"
    source.mkdir()
    for name, text in drivers(packed).items():
        (source / name).write_text(text, "utf-8")
    (tmp_path / "Chain.kt").write_text(chain_source([chain for chain, _ in chains]), "utf-8")
    native = [tmp_path / "Chain.kt", *sorted(STEPS.rglob("*.kt"))]
    kotlinc(tools, tmp_path / "steps", [], native, "-Xexplicit-api=strict")
    friend = f"-Xfriend-paths={tmp_path / 'steps'}"
    kotlinc(tools, tmp_path / "classes", [tmp_path / "steps"], [source], friend)
    classpath = [tmp_path / "classes", tmp_path / "steps", tools / "kotlinc" / "kotlin-stdlib.jar"]
    command = java(classpath, "packager.contract.MainKt")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    taken = sum(not isinstance(item.case.expected, str) for item in packed)
    assert f"{taken} calls allocated their result and nothing else" in done.stdout
    rows = compare([item.case for item in packed], tmp_path / "output.bin")
    failed = [f"{row.id}: {row.detail}" for row in rows if not row.passed]
    tolerant = {case.id for case in (item.case for item in packed) if case.tolerance is not None}
    worst = max((row for row in rows if row.id in tolerant), key=lambda row: row.worst)
    sizes = ", ".join(f"{len(group)} {name}" for name, group in groups.items())
    print(done.stdout.strip())
    print(f"kotlin: {sizes} cases; worst error of {len(tolerant)} float cases {worst.worst:.3g} ({worst.id})")
    assert not failed, f"{len(failed)} of {len(rows)}:\n" + "\n".join(failed[:20])
    assert len(rows) == len(packed)
    for group in GROUPS:
        proved("kotlin", "JVM", group, groups[group], rows[: len(groups[group])])
        rows = rows[len(groups[group]) :]
    assert all(len(groups[name]) > 20 for name in GROUPS)


def test_is_formatted(tmp_path: Path) -> None:
    shutil.copy(EDITORCONFIG, tmp_path)
    (tmp_path / "Chain.kt").write_text(chain_source([chain for chain, _ in chain_cases()]), "utf-8")
    for file in STEPS.rglob("*.kt"):
        shutil.copy(file, tmp_path)
    command = ["java", "-jar", str(toolset() / "lib" / "ktlint.jar"), "--relative", "*.kt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
