"""What decoding a sample raises."""

from __future__ import annotations


class DecodeError(Exception):
    """A sample cannot be decoded; `hint` says what to do."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint
