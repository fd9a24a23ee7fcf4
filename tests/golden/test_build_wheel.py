"""The wheel holds everything: installed elsewhere, it builds the demo to the same bytes as the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from project_tools import COMMAND, ROOT, packager

pytestmark = pytest.mark.heavy
SOURCES = (".py", ".jinja", ".toml", ".hpp", ".h", ".cpp", ".c", ".kt", ".swift")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("*.whl")
    return made


def tracked(*folders: str) -> set[str]:
    """Source files of the checkout, without what tools leave there."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in SOURCES and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_source_and_template(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert tracked("packager") <= names
    assert {name.replace("templates/", "packager/_templates/", 1) for name in tracked("templates")} <= names
    assert not [name for name in names if name.startswith(("tests/", "templates/")) or "__pycache__" in name]


def test_an_installed_wheel_builds_the_demo_to_the_same_bytes(wheel: Path, built: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", place, wheel]
    subprocess.run(install, check=True)
    env = {"PYTHONPATH": str(place)}
    code = "import packager; print(packager.__file__)"
    found = subprocess.check_output([*COMMAND[:2], "-c", code], env=env, cwd=tmp_path, text=True)
    assert found.strip() == str(place / "packager" / "__init__.py")
    done = packager("build", ROOT / "manifest.yaml", "--out", tmp_path / "dist", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    made = tmp_path / "dist" / built.name
    receipts = [json.loads((path / "bundle.json").read_bytes()) for path in (made, built)]
    assert receipts[0]["content_hash"] == receipts[1]["content_hash"]
    assert packager("schema", cwd=tmp_path, env=env).stdout == packager("schema").stdout
