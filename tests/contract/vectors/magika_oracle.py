"""Writes the features that magika 1.0.3 takes from the seeded contents; it has no place in the core environment.

    python magika_oracle.py magika_features.json

The file holds the CRC-32 of each content's 2048 features (int32, little endian).
"""

from __future__ import annotations

import io
import json
import struct
import sys
import zlib
from pathlib import Path

from file_contents import contents

ROW = 10


def features(content: bytes) -> int:
    """With the sizes of its model standard_v3_3."""
    from magika import Magika
    from magika.types import Seekable

    found = Magika._extract_features_from_seekable(Seekable(io.BytesIO(content)), 1024, 0, 1024, 256, 4096, False)
    values = [*found.beg, *found.end]
    return zlib.crc32(struct.pack(f"<{len(values)}i", *values))


def main(out: str) -> None:
    """Write the file, some numbers a line."""
    numbers = [features(content) for content in contents()]
    rows = [json.dumps(numbers[at : at + ROW])[1:-1] for at in range(0, len(numbers), ROW)]
    Path(out).write_text("[\n" + ",\n".join(f"  {row}" for row in rows) + "\n]\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
