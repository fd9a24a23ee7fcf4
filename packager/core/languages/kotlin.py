"""Kotlin."""

from __future__ import annotations

from packager.core.constants import Choice, Float32
from packager.core.languages.base import Language, code_points, constant_case, pascal, shortest_float32

CHUNK = 8_000
"""Characters of one joined constant: far below the class file's 65,535 bytes in any encoding."""

LINES = 200
"""Lines of one joined constant: the compiler takes a sum apart by recursion."""


class Kotlin(Language):
    """Kotlin: packages, `UPPER_CASE` enum entries, UTF-16 escapes."""

    name = "kotlin"
    evidence_name = "kotlin"
    suffixes = (".kt",)
    home = "packager.contract"

    def string(self, text: str) -> str:
        """Everything but printable ASCII as escapes, UTF-16; `$` is escaped because it starts a template."""
        code_points(text)
        out = ""
        for unit in memoryview(text.encode("utf-16-le")).cast("H"):
            char = chr(unit)
            if char in '"\\$':
                out += "\\" + char
            elif char == "\n":
                out += "\\n"
            elif 0x20 <= unit < 0x7F:
                out += char
            else:
                out += f"\\u{unit:04x}"
        return f'"{out}"'

    def choice(self, value: Choice) -> str:
        """`Fit.CROP`."""
        return f"{pascal(value.enum)}.{constant_case(value.value)}"

    def array(self, values: tuple[int, ...] | tuple[float, ...] | tuple[Float32, ...] | tuple[str, ...]) -> str:
        """Typed array of the standard library; a long list of names is text that is split, over several lines.

        A call with 10,000 arguments is more code than a method may hold, and 30,000 constants are more than a class may
        hold; sums of constants are made by the compiler.
        """
        if values and isinstance(values[0], str):
            return self._strings(tuple(str(v) for v in values))
        maker = {int: "intArrayOf", float: "doubleArrayOf", Float32: "floatArrayOf"}[type(values[0])]
        return f"{maker}({', '.join(self.constant(v) for v in values)})"

    def _strings(self, values: tuple[str, ...]) -> str:
        if len(values) <= 100 or any("\n" in v for v in values):
            return f"listOf({', '.join(self.string(v) for v in values)})"
        chunks: list[list[str]] = [[]]
        for index, value in enumerate(values):
            line = value + ("\n" if index + 1 < len(values) else "")
            if len(chunks[-1]) == LINES or sum(map(len, chunks[-1])) + len(line) > CHUNK:
                chunks.append([])
            chunks[-1].append(line)
        sums = (" +\n        ".join(map(self.string, chunk)) for chunk in chunks if chunk)
        joined = "".join(f"    {each},\n" for each in sums)
        return f'arrayOf(\n{joined}).joinToString("").split("\\n")'

    def float32(self, value: float) -> str:
        """`0.0625f`."""
        return shortest_float32(value) + "f"

    def function(self, name: str) -> str:
        """A step is a class: `ResizePillow`."""
        return pascal(name)

    def rehome(self, text: str, namespace: str) -> str:
        """Moves the package."""
        return text.replace(self.home, namespace)
