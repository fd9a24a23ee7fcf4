"""The bytes of a file: the usual ways from its head and tail to a row of integers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "a row of integers, as many as the bytes that are looked at: int32 [1, n]"
SIDE: Literal["input", "output"] = "input"
ORDER = 20

FEWEST = 64
BLOCK = 4096
"""Bytes that are looked at on each side of a file where white space is left out."""

PADS = (256, 0, -1)
"""Numbers that stand for a byte that is not there; the first is no byte itself."""


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:  # noqa: ARG001 - the protocol's form
    """Head and tail or head alone, white space left out or kept, each padding."""
    if tensor.dtype != "int32" or len(tensor.shape) != 2 or tensor.shape[0] != 1:
        return ()
    count = tensor.shape[1] or 0
    if count < FEWEST:
        return ()
    made = []
    for (head, tail), strip, pad in itertools.product(
        ((count // 2, count - count // 2), (count, 0)), (True, False), PADS
    ):
        words = (
            f"{head} bytes of the head, {tail} of the tail, {'stripped' if strip else 'as they are'}, padded by {pad}"
        )
        params = {
            "head": head,
            "tail": tail,
            "block": max(BLOCK, head, tail),
            "strip": strip,
            "pad": pad,
            "dtype": "int32",
        }
        guess = "which bytes, white space, and what stands for no byte"
        made.append(Proposal("content", (Step("head_tail", params, guess),), words, {"bytes": {"max": "100 MB"}}))
    return made
