"""Writes torchvision_nms.json: what torchvision keeps of the boxes of `nms_sets.py`. Argument: the file.

Run by an interpreter that has torch and torchvision. `nms` is `torchvision.ops.nms`. `batched` is
`_batched_nms_vanilla`, the form of `batched_nms` for many boxes: `nms` class by class. The form for few boxes moves
each class's boxes aside by adding to their coordinates, which rounds; `moved` counts the boxes that it keeps otherwise.
Equal scores are put in the order of their index: the sort that `_batched_nms_vanilla` ends with promises none.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
import torchvision
from nms_sets import Boxes, box_sets, digest
from torchvision.ops.boxes import _batched_nms_coordinate_trick, _batched_nms_vanilla


def main(file: str) -> None:
    """One row for each set, in order."""
    sets = list(box_sets())
    rows = [row(each) for each in sets]
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    lines = ",\n".join(f"  {json.dumps(one)}" for one in rows)
    head = f'"versions": {json.dumps(versions)}, "sha256": "{digest(sets)}"'
    Path(file).write_text(f'{{{head}, "sets": [\n{lines}\n]}}\n', "utf-8")


def row(each: Boxes) -> dict[str, Any]:
    """Indices of the kept boxes, best first."""
    boxes, scores, classes = (torch.from_numpy(a) for a in (each.boxes, each.scores, each.classes))
    plain = torchvision.ops.nms(boxes, scores, each.threshold).tolist()
    batched = _batched_nms_vanilla(boxes, scores, classes, each.threshold).tolist()
    batched.sort(key=lambda index: (-float(each.scores[index]), index))
    moved = _batched_nms_coordinate_trick(boxes, scores, classes, each.threshold).tolist()
    differ = len(set(moved) ^ set(batched))
    return {"name": each.name, "nms": plain, "batched": batched, "moved": differ}


if __name__ == "__main__":
    main(sys.argv[1])
