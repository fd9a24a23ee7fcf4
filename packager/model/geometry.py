"""Where steps move pixels: what maps a place in the model's input back to the original image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MoveKind = Literal["orient", "crop_size", "crop_ratio", "stretch", "crop", "letterbox", "shorter"]
MOVES: tuple[MoveKind, ...] = ("orient", "crop_size", "crop_ratio", "stretch", "crop", "letterbox", "shorter")
"""Kinds of moves; native code knows them by their place here."""


@dataclass(frozen=True)
class Move:
    """One operation that moves pixels.

    `orient`: a is the EXIF orientation. `crop_size`: centred part of a x b pixels. `crop_ratio`: the largest centred
    part of the ratio a : b. `stretch`, `crop`, `letterbox`: resize to a x b with this fit. `shorter`: resize so that
    the shorter side is a, the longer one rounded down.
    """

    kind: MoveKind
    a: int
    b: int = 0


@dataclass(frozen=True)
class Geometry:
    """What an input's steps do to the place of pixels, in order.

    `input` is its name, `width` and `height` are those of the image that becomes the model's input (0 where the app
    decides), and `max_pixels` is the size of the largest image that the app may hand over.
    """

    input: str
    moves: tuple[Move, ...] = ()
    width: int = 0
    height: int = 0
    max_pixels: int = 0

    def numbers(self) -> tuple[int, ...]:
        """Three integers for each move, as native code takes them: place in `MOVES`, a, b; never none at all."""
        moves = self.moves or (Move("orient", 1),)
        return tuple(n for move in moves for n in (MOVES.index(move.kind), move.a, move.b))
