"""Equal bytes in any folder, time zone, locale and hash seed, cold or warm."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from project_tools import ROOT, packager

from packager.core.paths import cache_root

pytestmark = pytest.mark.heavy

ODD = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "4711"}
OTHER = {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "1", "PYTHONUTF8": "0", "OMP_NUM_THREADS": "2"}


def build(out: Path, cwd: Path, **env: str) -> Path:
    cwd.mkdir(parents=True)
    done = packager("build", os.path.relpath(ROOT / "manifest.yaml", cwd), "--out", out, cwd=cwd, env=env, timeout=900)
    assert done.returncode == 0, done.stderr
    (made,) = out.iterdir()
    return made


def receipt(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((path / "bundle.json").read_bytes())
    return data


def test_cold_and_warm_builds_are_equal_to_the_byte(built: Path, tmp_path: Path) -> None:
    """Three builds: the session's own, one elsewhere, and one that converts everything anew.

    The cold cache holds the downloaded files, which are checked by their sha256, and nothing else.
    """
    cold = tmp_path / "cold-cache"
    shutil.copytree(cache_root() / "blobs", cold / "packager" / "blobs")
    with ThreadPoolExecutor(2) as pool:
        warm_build = pool.submit(build, tmp_path / "a", tmp_path / "here", **ODD)
        cold_build = pool.submit(build, tmp_path / "b c", tmp_path / "else where", XDG_CACHE_HOME=str(cold), **OTHER)
        bundles = [built, warm_build.result(), cold_build.result()]
    assert list((cold / "packager" / "entries").iterdir()), "the cold build converted"
    first = receipt(built)
    for other in bundles[1:]:
        found = receipt(other)
        assert found["files"] == first["files"]
        assert found["content_hash"] == first["content_hash"]
        for archive in sorted((built / "zips").iterdir()):
            assert (other / "zips" / archive.name).read_bytes() == archive.read_bytes(), archive.name
        for name in ("bundle.json", "report.html", "evidence.json"):
            assert (other / name).read_bytes() == (built / name).read_bytes(), name


def test_no_file_holds_a_path_of_this_machine(built: Path) -> None:
    words = [str(ROOT), str(built.parent), str(cache_root())]
    for file in (path for path in built.rglob("*") if path.is_file()):
        data = file.read_bytes()
        for word in words:
            assert word.encode() not in data, f"{file.name} holds {word}"
