"""PyYAML's syntax errors in our words."""

from __future__ import annotations

import re

import yaml

from packager.core.errors import Finding, Location

LINE_BREAK = re.compile("\r\n|[\r\n\u0085\u2028\u2029]")
"""What PyYAML counts as the end of a line."""

_QUOTE = "put the text in quotes if the character belongs to it"

_UNCLOSED = "a quoted text is not closed"

_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    # part of PyYAML's problem, what, expected, hint
    (
        "character '\\t'",
        "a tab is used where only spaces may stand",
        "spaces",
        "indent with two spaces per level",
    ),
    (
        "mapping values are not allowed here",
        "a `:` is not allowed here",
        "one `key: value` per line",
        "check the indentation of this line and the one before; put a text that holds `: ` in quotes",
    ),
    (
        "could not find expected ':'",
        "a key without `:`",
        "`key: value`",
        "add the `:`, with a space after it; put a text of several lines in quotes",
    ),
    (
        "but found '-'",
        "a list entry is not allowed here",
        "entries of one list in the same column",
        "check the indentation of this line and the one before",
    ),
    (
        "block sequence entries are not allowed",
        "a list entry is not allowed here",
        "`- ` at the start of a line",
        "put the list on the lines below its key",
    ),
    (
        "but found '<block mapping start>'",
        "the indentation does not fit",
        "keys of one mapping in the same column",
        "check the indentation of this line and the one before",
    ),
    (
        "expected <block end>",
        "this does not belong to the mapping or list before it",
        "one entry per line, entries of one mapping or list in the same column",
        "check the indentation, and brackets and quotes on the lines before",
    ),
    ("found unexpected end of stream", _UNCLOSED, "a closing quote", "add the quote"),
    ("found unexpected document separator", _UNCLOSED, "a closing quote", "add the quote"),
    ("expected ',' or ']'", "a list in brackets is not closed", "`,` or `]`", "close the list that starts with `[`"),
    (
        "expected ',' or '}'",
        "a mapping in braces is not closed",
        "`,` or `}`",
        "close the mapping that starts with `{`",
    ),
    ("found unknown escape character", "an unknown escape in a text in double quotes", "", "use single quotes"),
    ("escape sequence of", "a broken escape in a text in double quotes", "hexadecimal digits", "use single quotes"),
    ("did not find expected comment or line break", "text after a block's `|` or `>`", "a line break", ""),
    ("expected the node content", "a value is missing before this", "a value", _QUOTE),
)


def finding(error: yaml.MarkedYAMLError, file: str, quoted: tuple[int, int, int]) -> Finding:
    """A syntax error with the place where it shows, or where the unclosed thing began.

    `quoted` is line, column and last line of the last quoted text of several lines: an error right behind it means
    that its quote was closed by accident.
    """
    problem = error.problem or "cannot be read"
    context = error.context or ""
    mark = error.problem_mark or error.context_mark
    what, expected, hint = _words(problem)
    if mark is not None and mark.line == quoted[2] > 0:
        hint = f"add the quote; the text is only closed on line {quoted[2] + 1}"
        return Finding(f"not valid YAML: {_UNCLOSED}", Location(file, quoted[0], quoted[1]), "a closing quote", hint)
    if what == _UNCLOSED and error.context_mark is not None:
        mark = error.context_mark
    if "<document start>" in problem:
        what, expected, hint = "text after the end of the document", "one document", "remove it"
    if "simple key" in context and "multi" not in context and error.context_mark is not None:
        mark = error.context_mark
    where = Location(file, mark.line + 1, mark.column + 1) if mark is not None else Location(file, 1, 1)
    return Finding(f"not valid YAML: {what}", where, expected, hint)


def _words(problem: str) -> tuple[str, str, str]:
    for part, what, expected, hint in _KNOWN:
        if part in problem:
            return what, expected, hint
    if match := re.match(r"found character '(.)' that cannot start any token", problem):
        return f"a value may not start with `{match[1]}`", "a value", _QUOTE
    return problem, "", ""


def unprintable(text: str, index: int, character: str, file: str) -> Finding:
    """A character that YAML refuses anywhere."""
    before = text[:index]
    breaks = [match.end() for match in LINE_BREAK.finditer(before)]
    where = Location(file, len(breaks) + 1, index - (breaks[-1] if breaks else 0) + 1)
    return Finding(
        f"not valid YAML: the control character U+{ord(character):04X}",
        where,
        "printable text in UTF-8",
        "remove it, or write it as an escape in a text in double quotes",
    )
