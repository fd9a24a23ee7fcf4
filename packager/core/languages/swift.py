"""Swift."""

from __future__ import annotations

from packager.core.constants import Choice, Float32
from packager.core.languages.base import Language, camel, code_points, pascal, shortest_float32


class Swift(Language):
    """Swift 6: modules keep bundles apart, so files need no rehoming."""

    name = "swift"
    evidence_name = "swift"
    suffixes = (".swift",)

    def string(self, text: str) -> str:
        """Everything but printable ASCII as `\\u{...}`, so that no editor reorders right-to-left text."""
        out = ""
        for point in code_points(text):
            char = chr(point)
            if char in '"\\':
                out += "\\" + char
            elif 0x20 <= point < 0x7F:
                out += char
            else:
                out += f"\\u{{{point:x}}}"
        return f'"{out}"'

    def choice(self, value: Choice) -> str:
        """`.crop`, with the type from the context."""
        return f".{camel(value.value)}"

    def array(self, values: tuple[int, ...] | tuple[float, ...] | tuple[Float32, ...] | tuple[str, ...]) -> str:
        """Array literal; its element type comes from the parameter."""
        return "[" + ", ".join(self.constant(v) for v in values) + "]"

    def float32(self, value: float) -> str:
        """A literal; the parameter's type is Float."""
        return shortest_float32(value)

    def function(self, name: str) -> str:
        """A step is a class: `ResizePillow`."""
        return pascal(name)

    def rehome(self, text: str, namespace: str) -> str:  # noqa: ARG002 - the module is the namespace
        """The file as it is."""
        return text
