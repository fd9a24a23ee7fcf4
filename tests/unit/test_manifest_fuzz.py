"""Mutated manifests end in a manifest or in findings, never in another exception."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifest_catalog import catalog
from manifest_project import COMPLETE, make_project

from packager.core.errors import Finding, ManifestError
from packager.core.findings import format_finding
from packager.manifest import load
from packager.registry import Catalog

ROOT = (Path(__file__).parents[2] / "manifest.yaml").read_text(encoding="utf-8")

WORDS = (
    "", "~", "null", "true", "-1", "0", "1e999", ".nan", "0x", "[]", "{}", "[[]]", "{a: {}}", "- x", "&a x", "*a",
    "!!int 1", "!x y", "'", '"', '"\\u0000"', '"\\ud800"', '"\\UFFFFFFFF"', "%", "@", "`", "|", ">", "? x", ": ",
    "<<: {a: b}", "---", "\t", "#", "\u202e", "\U0001f600", "9" * 5000, "x" * 3000, "[" * 100, "../../x", "/",
    "C:\\x", "~/x", "https://x/y", "pypi:x==1", "*.png", "**", "[a", "a\0b", "expect", "class", "%YAML 9.9", "1.0",
)  # fmt: skip


def _lines(random_: random.Random, text: str, change: Callable[[list[str], int], None]) -> str:
    lines = text.split("\n")
    change(lines, random_.randrange(len(lines)))
    return "\n".join(lines)


def _spans(text: str) -> list[tuple[int, int]]:
    """Words of the text, where a value or a key can be replaced."""
    found, start = [], None
    for index, character in enumerate(text + " "):
        if character.isalnum() or character in "_-./*":
            start = index if start is None else start
        elif start is not None:
            found.append((start, index))
            start = None
    return found


def mutate(random_: random.Random, text: str) -> bytes:
    """One to four changes: lines dropped, doubled, moved or indented; words replaced or misspelt; bytes; a cut."""
    for _ in range(random_.randint(1, 4)):
        kind = random_.randrange(8)
        if kind == 0:
            text = _lines(random_, text, lambda lines, i: lines.pop(i) and None)
        elif kind == 1:
            text = _lines(random_, text, lambda lines, i: lines.insert(i, lines[i]))
        elif kind == 2:
            text = _lines(random_, text, lambda lines, i: lines.insert(random_.randrange(len(lines)), lines.pop(i)))
        elif kind == 3:
            text = _lines(random_, text, lambda lines, i: lines.__setitem__(i, " " * random_.randrange(4) + lines[i]))
        elif kind in (4, 5) and (spans := _spans(text)):
            start, end = random_.choice(spans)
            text = text[:start] + random_.choice(WORDS) + text[end:]
        elif kind == 6 and (spans := _spans(text)):
            start, end = random_.choice(spans)
            word = list(text[start:end])
            random_.shuffle(word)
            text = text[:start] + "".join(word) + text[end:]
        elif kind == 7 and text:
            text = text[: random_.randrange(len(text))]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    if data and random_.random() < 0.2:
        data[random_.randrange(len(data))] = random_.randrange(256)
    return bytes(data)


def _outcome(folder: Path, data: bytes, known: Catalog) -> str:
    """`manifest` or `findings`; any other exception fails the test."""
    file = folder / "manifest.yaml"
    file.write_bytes(data)
    try:
        load(file, known)
    except ManifestError as error:
        assert error.findings
        for finding in error.findings:
            _check(finding)
        return "findings"
    return "manifest"


def _check(finding: Finding) -> None:
    text = format_finding(finding)
    assert finding.what
    assert finding.where is not None
    assert finding.where.line >= 1
    assert finding.where.column >= 1
    assert "Traceback" not in text
    assert all(character.isprintable() or character in "\n\u200c\u200d" for character in text)


@pytest.mark.parametrize(
    ("text", "known", "count"), [(ROOT, Catalog(), 1000), (COMPLETE, catalog(), 300)], ids=["root", "complete"]
)
def test_mutations(text: str, known: Catalog, count: int, tmp_path: Path) -> None:
    folder = make_project(tmp_path)
    random_ = random.Random(1)
    outcomes = [_outcome(folder, mutate(random_, text), known) for _ in range(count)]
    assert outcomes.count("findings") > count // 2
    assert outcomes.count("manifest") > count // 100


@pytest.mark.parametrize("part", range(4))
def test_values_replaced(part: int, tmp_path: Path) -> None:
    """Every word at every seventh place, each word from another place on."""
    folder = make_project(tmp_path)
    spans, known = _spans(COMPLETE), catalog()
    for number, word in enumerate(WORDS[part::4]):
        for start, end in spans[number % 7 :: 7]:
            _outcome(folder, (COMPLETE[:start] + word + COMPLETE[end:]).encode("utf-8", "surrogatepass"), known)


@settings(
    derandomize=True, max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.one_of(st.binary(max_size=200), st.text("abx:-[]{}&*!|>'\"%@`#,? \n\t~0123", max_size=60).map(str.encode)))
def test_arbitrary_bytes(tmp_path: Path, data: bytes) -> None:
    assert _outcome(tmp_path, data, catalog()) == "findings"
