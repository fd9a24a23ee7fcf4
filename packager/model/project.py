"""Files that a stage made, before they are on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Owner = Literal["generated", "yours"]


@dataclass(frozen=True)
class RenderedFile:
    """One file of a bundle: path inside it (POSIX), content in memory or a file of the cache, owner.

    `cpu_dependent` is the reason why the bytes may differ between processors, empty where they may not.
    """

    path: str
    content: bytes | Path
    owner: Owner = "generated"
    executable: bool = False
    cpu_dependent: str = ""

    def read(self) -> bytes:
        """The bytes."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()
