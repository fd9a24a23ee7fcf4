"""What a language must tell: names of functions and types, literals of constants, and how a file is rehomed."""

from __future__ import annotations

import math
import struct
from abc import ABC, abstractmethod

from packager.core.constants import Choice, Constant, Float32


def snake(name: str) -> str:
    """`person-detector` -> `person_detector`."""
    return name.replace("-", "_").replace(".", "_").lower()


def pascal(name: str) -> str:
    """`person-detector` or `resize_pillow` -> `PersonDetector`, `ResizePillow`."""
    return "".join(part[:1].upper() + part[1:] for part in snake(name).split("_"))


def camel(name: str) -> str:
    """`workspace_bytes` -> `workspaceBytes`."""
    head, *rest = snake(name).split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def constant_case(name: str) -> str:
    """`bilinear` -> `BILINEAR`."""
    return snake(name).upper()


def shortest_float32(value: float) -> str:
    """Shortest decimal text that reads back as the same float32 (checked by the round trip)."""
    packed = struct.pack("<f", value)
    for digits in range(6, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("<f", float(text)) == packed:
            return text if any(c in text for c in ".e") else text + ".0"
    return repr(value)


def float64_text(value: float) -> str:
    """Shortest decimal text that reads back as the same float64."""
    text = repr(float(value))
    return text if any(c in text for c in ".e") else text + ".0"


class Language(ABC):
    """One target language. All texts returned are source code."""

    name: str
    evidence_name: str
    suffixes: tuple[str, ...]

    def constant(self, value: Constant) -> str:
        """Literal of any constant; non-finite floats are refused because no step may hold one."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(value)
        if isinstance(value, float | Float32):
            number = value.value if isinstance(value, Float32) else value
            if not math.isfinite(number):
                raise ValueError(f"a constant must be finite, not {number}")
            return self.float32(number) if isinstance(value, Float32) else self.float64(number)
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, Choice):
            return self.choice(value)
        return self.array(value)

    @abstractmethod
    def string(self, text: str) -> str:
        """Quoted literal for any Unicode text without NUL."""

    @abstractmethod
    def choice(self, value: Choice) -> str:
        """A constant of a native enum."""

    @abstractmethod
    def array(self, values: tuple[int, ...] | tuple[float, ...] | tuple[Float32, ...] | tuple[str, ...]) -> str:
        """Literal of a constant array."""

    @abstractmethod
    def float32(self, value: float) -> str:
        """Single-precision literal."""

    def float64(self, value: float) -> str:
        """Double-precision literal."""
        return float64_text(value)

    @abstractmethod
    def function(self, name: str) -> str:
        """A step's function or type name from snake_case."""

    @abstractmethod
    def rehome(self, text: str, namespace: str) -> str:
        """A native file moved from its home namespace into the bundle's own, so that two bundles never clash."""


def code_points(text: str) -> list[int]:
    """Code points of a text; refuses NUL and lone surrogates, which no platform's string can carry faithfully."""
    points = [ord(c) for c in text]
    if any(p == 0 or 0xD800 <= p <= 0xDFFF for p in points):
        raise ValueError("text holds a NUL or a lone surrogate")
    return points
