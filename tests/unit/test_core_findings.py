"""Findings as text."""

from __future__ import annotations

from packager.core.errors import Finding, Location
from packager.core.findings import format_finding, nearest, one_of, suggest


def test_whole() -> None:
    finding = Finding(
        "unknown step `rezise`",
        Location("m.yaml", 12, 9),
        "one of: a, b",
        "did you mean `resize`?",
        "      - rezise: {}",
    )
    assert format_finding(finding) == (
        "error: unknown step `rezise`\n"
        "   --> m.yaml:12:9\n"
        "   |\n"
        "12 |       - rezise: {}\n"
        "   |         ^\n"
        "   = expected: one of: a, b\n"
        "   = hint: did you mean `resize`?"
    )


def test_without_place() -> None:
    assert format_finding(Finding("broken", hint="mend it")) == "error: broken\n = hint: mend it"


def test_several_rows_of_expected() -> None:
    assert format_finding(Finding("x", expected="one\ntwo")) == "error: x\n = expected: one\n             two"


def test_caret_under_wide_and_combining_characters() -> None:
    line = "a: [日本, e\u0301x, y]"
    text = format_finding(Finding("x", Location("m", 1, line.index("y") + 1), source_line=line))
    assert text.splitlines()[-1] == "  | " + " " * (len("a: [") + 4 + len(", ex, ")) + "^"


def test_long_lines_are_cut_around_the_place() -> None:
    line = "x" * 500 + "HERE" + "y" * 500
    rows = format_finding(Finding("x", Location("m", 1, 501), source_line=line)).splitlines()
    assert rows[3][rows[4].index("^") :].startswith("HERE")
    assert len(rows[3]) < 120


def test_terminal_is_not_steered() -> None:
    text = format_finding(Finding("a\x1b[2J\u202eb", Location("m\x07", 1, 1), source_line="\x9b31m\tx"))
    assert not any(character in text for character in "\x1b\x07\x9b\u202e\t")


def test_nearest() -> None:
    words = ["resize", "normalize", "labels", "application_id"]
    assert nearest("rezise", words) == "resize"
    assert nearest("Labels", words) == "labels"
    assert nearest("application-id", words) == "application_id"
    assert nearest("pipy", ["npm", "pypi"]) == "pypi"
    assert nearest("quantise", words) == ""
    assert suggest("lables", words) == "did you mean `labels`?"
    assert suggest("x", []) == ""


def test_one_of() -> None:
    assert one_of([]) == "nothing here"
    assert one_of(["a"]) == "`a`"
    assert one_of(["a", "b"]) == "one of: a, b"
    assert one_of(str(n) for n in range(30)).endswith("23 ... (30 in all)")
