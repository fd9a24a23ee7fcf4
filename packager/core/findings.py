"""Findings as plain text, and the nearest word to a mistyped one."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from packager.core.errors import Finding

_WIDTH = 100
_JOINERS = "\u200c\u200d"


def format_finding(finding: Finding) -> str:
    """One finding in the manner of compilers: what, where, the line with a caret, expected, hint.

    The text has no trailing newline. Control and bidirectional characters of the source line are replaced,
    so that a hostile file cannot steer a terminal.
    """
    rows = [f"error: {_safe(finding.what)}"]
    gutter = " "
    if finding.where is not None:
        gutter = " " * (len(str(finding.where.line)) + 1)
        rows.append(f"{gutter}--> {_safe(str(finding.where))}")
        if finding.source_line:
            line, caret = _excerpt(finding.source_line, finding.where.column)
            rows += [f"{gutter}|", f"{finding.where.line} | {line}", f"{gutter}| {caret}"]
    rows += _notes(gutter, "expected", finding.expected)
    rows += _notes(gutter, "hint", finding.hint)
    return "\n".join(rows)


def nearest(word: str, options: Iterable[str]) -> str:
    """The option that was probably meant, or an empty text."""
    import difflib

    folded: dict[str, str] = {}
    for name in options:
        folded.setdefault(name.casefold().replace("-", "_"), name)
    near = difflib.get_close_matches(word[:64].casefold().replace("-", "_"), list(folded), n=1, cutoff=0.6)
    if near:
        return folded[near[0]]
    letters = sorted(word.casefold())
    return next((name for name in folded.values() if sorted(name.casefold()) == letters), "")


def suggest(word: str, options: Iterable[str]) -> str:
    """A hint such as "did you mean `resize`?", or an empty text where nothing is near."""
    name = nearest(word, options)
    return f"did you mean `{name}`?" if name else ""


def one_of(options: Iterable[str]) -> str:
    """Names for a message: "one of: a, b", "`a`" for a single one, "nothing" for none; long lists are cut."""
    names = list(options)
    if not names:
        return "nothing here"
    if len(names) == 1:
        return f"`{names[0]}`"
    shown = ", ".join(names[:24])
    return f"one of: {shown}" + (f" ... ({len(names)} in all)" if len(names) > 24 else "")


def _notes(gutter: str, name: str, text: str) -> list[str]:
    """The `= name: text` rows; later lines of the text are indented below the first."""
    if not text:
        return []
    first, *rest = (_safe(line) for line in text.splitlines())
    return [f"{gutter}= {name}: {first}", *(f"{gutter}  {' ' * len(name)}  {line}" for line in rest)]


def _excerpt(line: str, column: int) -> tuple[str, str]:
    """The line, cut around the column where it is long, and the row with the caret."""
    start = 0
    if len(line) > _WIDTH:
        start = max(0, min(column - 1 - _WIDTH // 2, len(line) - _WIDTH))
    shown = _safe(line[start : start + _WIDTH])
    before = shown[: column - 1 - start]
    prefix = "... " if start else ""
    suffix = " ..." if start + _WIDTH < len(line) else ""
    padding = len(prefix) + sum(_columns(character) for character in before)
    return f"{prefix}{shown}{suffix}".rstrip(), " " * padding + "^"


def _columns(character: str) -> int:
    """Columns that a terminal gives to a character."""
    if unicodedata.combining(character) or character in _JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _safe(text: str) -> str:
    """The text on one line, characters that steer a terminal replaced; one character stays one character."""
    return "".join(
        " " if c in "\t\n" else c if c.isprintable() or c in _JOINERS else "\N{REPLACEMENT CHARACTER}" for c in text
    )
