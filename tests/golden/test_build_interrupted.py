"""Kills, interruptions, full disks and builds side by side: the old bundle or the new one, never half."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from project_tools import COMMAND, ROOT, packager, root_manifest, tiny_project, write_manifest

from packager.core.paths import cache_root
from packager.session import Session
from packager.stages import bundle

pytestmark = pytest.mark.heavy
POINTS = ("[contract]", "[convert tflite/int8]", "[verify", "[calibration]", "[render]", "[bundle]")


def start(*arguments: object, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What a process said on standard error up to a line that starts with `text`."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if line.startswith(text):
            return said
    raise AssertionError(f"{text} was never said: {said}")


def sound(path: Path) -> str:
    """The content hash of a whole bundle."""
    opened = bundle.open_bundle(path)
    assert bundle.check_files(opened) == []
    return str(opened.receipt["content_hash"])


@pytest.fixture
def old(built: Path, tmp_path: Path) -> Path:
    """A bundle of the root manifest, to be replaced by one with another licence."""
    return Path(shutil.copytree(built, tmp_path / "dist" / built.name))


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    return write_manifest(tmp_path / "changed", {**root_manifest(), "license": "MIT"})


def test_kill_9_at_any_stage_leaves_the_old_bundle_or_the_new_one(old: Path, changed: Path, session: Session) -> None:
    before = sound(old)
    seen = set()
    for point in POINTS:
        process = start("build", changed, "--out", old.parent)
        read_until(process, point)
        process.kill()
        process.wait()
        seen.add(sound(old))
    assert packager("build", changed, "--out", old.parent).returncode == 0
    assert seen <= {before, sound(old)}
    assert before in seen
    assert sound(old) != before
    assert [path.name for path in old.parent.iterdir()] == [old.name]


# Kills itself before the n-th change of the output folder. The pipeline is the real one.
SUICIDE = """
import os, signal, sys
out, left = os.path.abspath(sys.argv[2]), int(sys.argv[3])
from packager import pipeline
from packager.core.console import NullConsole
from packager.session import open_session
from pathlib import Path
CHANGES = {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.chmod", "shutil.rmtree", "shutil.copyfile"}
def changes(event, arguments):
    if event == "ctypes.dlsym":  # renameat2 is about to be called
        return True
    if not any(isinstance(a, (str, os.PathLike)) and os.fspath(a).startswith(out + "/") for a in arguments):
        return False
    return event in CHANGES or event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
def watch(event, arguments):
    global left
    if changes(event, arguments):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
with open_session(NullConsole()) as session:
    sys.addaudithook(watch)
    pipeline.build(session, Path(sys.argv[1]), Path(out))
print("events", int(sys.argv[3]) - left)
"""


def suicide(manifest: Path, out: Path, moment: int) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", SUICIDE, manifest, out, str(moment)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_kill_9_between_any_two_changes_on_the_disk(tmp_path: Path) -> None:
    out = tmp_path / "dist"
    first, second = tiny_project(tmp_path / "one"), tiny_project(tmp_path / "two", license="MIT")
    assert packager("build", first, "--out", out).returncode == 0
    before = sound(out / "tiny-1.0.0")
    shutil.copytree(out, tmp_path / "count")
    code, said = suicide(second, tmp_path / "count", 10**6)
    assert code == 0, said
    events = int(said.split("events ")[1])
    assert events > 40
    after = sound(tmp_path / "count" / "tiny-1.0.0")
    seen = []
    # Every moment near the end, where the bundles are exchanged, and some while the files are written.
    moments = [*range(2, events - 8, max(1, events // 5)), *range(events - 7, events + 1)]
    for moment in moments:
        code, said = suicide(second, out, moment)
        if code == 0:
            break
        assert code == -signal.SIGKILL, said
        seen.append(sound(out / "tiny-1.0.0"))
        if seen[-1] != before:
            assert packager("build", first, "--out", out).returncode == 0
    assert set(seen) <= {before, after}
    assert before in seen
    assert packager("verify", out / "tiny-1.0.0").returncode == 0
    assert [path.name for path in out.iterdir()] == ["tiny-1.0.0"], "verify removes what a killed build left"


def children(pid: int) -> list[int]:
    return [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in path.read_text().split()]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An environment whose cache holds the downloads only."""
    folder = tmp_path_factory.mktemp("cold")
    shutil.copytree(cache_root() / "blobs", folder / "packager" / "blobs")
    yield {"XDG_CACHE_HOME": str(folder)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_conversion_that_is_stopped_leaves_nothing_behind(
    cold: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    process = start("build", ROOT / "manifest.yaml", "--out", tmp_path / "dist", env=cold)
    read_until(process, "[check]")
    until = time.monotonic() + 120
    while not (workers := children(process.pid)) and time.monotonic() < until:
        time.sleep(0.05)
    assert workers, "the reference runs in a worker"
    time.sleep(0.5)
    process.send_signal(number)
    assert process.stderr is not None
    said = process.stderr.read()
    code = process.wait(60)
    assert code == (130 if number == signal.SIGINT else -9), said
    assert "Traceback" not in said
    if number == signal.SIGINT:
        assert "interrupted" in said
    while not all(map(gone, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert all(map(gone, workers)), "a worker outlived its parent"
    assert not (tmp_path / "dist").exists()
    entries = Path(cold["XDG_CACHE_HOME"]) / "packager" / "entries"
    assert all((entry / "index.json").is_file() for entry in entries.glob("*"))


def test_builds_side_by_side_into_one_folder(tmp_path: Path) -> None:
    file = tiny_project(tmp_path / "project")
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}  # cold, so that they meet in the cache as well

    def build(_: int) -> Any:
        return packager("build", file, "--out", tmp_path / "dist", env=cache)

    with ThreadPoolExecutor(3) as pool:
        for done in pool.map(build, range(3)):
            assert done.returncode == 0, done.stderr
    made = tmp_path / "dist" / "tiny-1.0.0"
    assert sound(made)
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_a_disk_that_is_full_leaves_the_old_bundle(old: Path, changed: Path) -> None:
    before = sound(old)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    done = packager("build", changed, "--out", old.parent, preexec_fn=limit)
    assert done.returncode == 9, done.stderr
    assert "cannot be written" in done.stderr
    assert "File too large" in done.stderr
    assert sound(old) == before
    assert [path.name for path in old.parent.iterdir()] == [old.name]


def test_an_output_folder_that_turns_out_to_be_unwritable(tmp_path: Path) -> None:
    done = packager("build", tiny_project(tmp_path / "project"), "--out", "/proc/dist")
    assert done.returncode == 9, done.stderr
    assert "/proc/dist" in done.stderr
    assert "--out" in done.stderr


def test_a_bundle_that_is_tested_while_it_is_rebuilt_stays_whole(built: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(built, tmp_path / "dist" / built.name))
    with ThreadPoolExecutor(2) as pool:
        tested = pool.submit(packager, "test", copied, "--json", "--target", "embedded.linux", timeout=600)
        rebuilt = pool.submit(packager, "build", ROOT / "manifest.yaml", "--out", copied.parent)
        assert rebuilt.result().returncode == 0
        assert tested.result().returncode in (0, 12)
    assert json.loads(tested.result().stdout)["tests"][0]["target"] == "embedded.linux"
    assert sound(copied) == sound(built)
