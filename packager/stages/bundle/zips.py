"""One deterministic zip per target: sorted names, one time stamp, fixed modes and level."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

from packager.model.project import RenderedFile

EPOCH = (1980, 1, 1, 0, 0, 0)
DEPENDENT = "holds files that depend on the processor"


def zip_files(name: str, root: str, files: Iterable[RenderedFile]) -> RenderedFile:
    """Zip the files below `root` (a folder of the bundle) under the top folder `name`."""
    chosen = sorted((f for f in files if f.path.startswith(root + "/")), key=lambda f: f.path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in chosen:
            entry = zipfile.ZipInfo(f"{name}/{file.path.removeprefix(root + '/')}", EPOCH)
            entry.create_system = 3
            entry.external_attr = (0o100755 if file.executable else 0o100644) << 16
            archive.writestr(entry, file.read(), zipfile.ZIP_DEFLATED, 9)
    reason = DEPENDENT if any(file.cpu_dependent for file in chosen) else ""
    return RenderedFile(f"zips/{name}.zip", buffer.getvalue(), cpu_dependent=reason)
