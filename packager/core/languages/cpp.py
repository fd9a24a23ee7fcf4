"""C++17."""

from __future__ import annotations

from packager.core.constants import Choice, Float32
from packager.core.languages.base import Language, code_points, constant_case, pascal, shortest_float32


class Cpp(Language):
    """C++17: namespaces, `kPascal` enumerators, UTF-8 string literals as octal-escaped bytes."""

    name = "cpp"
    evidence_name = "c++"
    suffixes = (".hpp", ".h", ".cpp")
    home = "packager_contract"

    def string(self, text: str) -> str:
        """Octal escapes end after three digits, so what follows can never join them; `?` is kept from trigraphs."""
        code_points(text)
        out = ""
        for byte in text.encode("utf-8"):
            char = chr(byte)
            if char in '"\\?':
                out += "\\" + char
            elif 0x20 <= byte < 0x7F:
                out += char
            else:
                out += f"\\{byte:03o}"
        return f'"{out}"'

    def choice(self, value: Choice) -> str:
        """`Fit::kCrop`."""
        return f"{pascal(value.enum)}::k{pascal(value.value)}"

    def array(self, values: tuple[int, ...] | tuple[float, ...] | tuple[Float32, ...] | tuple[str, ...]) -> str:
        """Braced list; the chain binds it to a typed constexpr array."""
        return "{" + ", ".join(self.constant(v) for v in values) + "}"

    def float32(self, value: float) -> str:
        """`0.0625f`."""
        return shortest_float32(value) + "f"

    def function(self, name: str) -> str:
        """snake_case as it is."""
        return name

    def rehome(self, text: str, namespace: str) -> str:
        """Moves the namespace and the include guards."""
        guard = constant_case(namespace)
        return text.replace(self.home, namespace).replace(self.home.upper(), guard)
