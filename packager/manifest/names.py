"""Names that the app sees: the same identifier in every language."""

from __future__ import annotations

import re

from packager.manifest.nodes import Mapping
from packager.manifest.reader import Reader

FORM = "^[a-z][a-z0-9_]*$"
LONGEST = 40

_WORDS = """
    abstract alignas alignof and and_eq any as asm assert associatedtype auto await bitand bitor bool boolean break
    byte case catch char class co_await co_return co_yield compl concept const const_cast consteval constexpr
    constinit continue decltype default defer deinit delete do double dynamic_cast else enum explicit export
    extends extension extern fallthrough false fileprivate final finally float for friend fun func goto guard if
    implements import in init inline inout instanceof int interface internal is let long mutable namespace native
    new nil noexcept not not_eq null nullptr object operator or or_eq package precedencegroup private protected
    protocol public register reinterpret_cast repeat requires rethrows return self short signed sizeof static
    static_assert static_cast strictfp struct subscript super switch synchronized template this thread_local throw
    throws transient true try typealias typedef typeid typename typeof union unsigned using val var virtual void
    volatile wchar_t when where while xor xor_eq
"""
RESERVED_NAMES = frozenset(_WORDS.split())
"""Words that Kotlin, Java, Swift, C or C++ keep for themselves everywhere."""


SAMPLE_KEYS = ("expect", "srgb", "region")
"""Keys of a sample that are not inputs."""


def check_names(reader: Reader, section: Mapping, kind: str) -> None:
    """Record a finding for every key that is not an identifier everywhere, or equals another in camel case."""
    seen: dict[str, str] = {}
    for name, node in section.entries.items():
        expected = "lower-case letters, digits and `_`, a letter first, at most 40 characters"
        if not re.fullmatch(FORM, name) or len(name) > LONGEST:
            near = re.sub("[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:LONGEST]
            hint = f"did you mean `{near}`?" if near and near != name else ""
            reader.fault(node, f"`{name}` cannot be the name of an {kind}", expected, hint, key=True)
        elif name in RESERVED_NAMES:
            what = f"`{name}` cannot be the name of an {kind}: a language of the projects reserves it"
            reader.fault(node, what, "another name", f"for example `{name}_{kind}`", key=True)
        elif kind == "input" and name in SAMPLE_KEYS:
            what = f"`{name}` cannot be the name of an input: samples use this key for something else"
            reader.fault(node, what, "another name", key=True)
        folded = name.replace("_", "")
        if folded in seen:
            what = f"`{name}` and `{seen[folded]}` become one name in Kotlin and Swift"
            reader.fault(node, what, "names that differ by more than `_`", key=True)
        seen.setdefault(folded, name)
