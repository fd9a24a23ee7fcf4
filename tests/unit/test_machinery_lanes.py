"""Which conversions run side by side, within which memory, and what becomes of the second worker."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from packager.core.worker import WorkerJob, WorkerPool
from packager.model.plan import ArtifactRequest
from packager.model.source import ModelSource
from packager.registry import Catalog
from packager.stages import convert

CATALOG = Catalog()


def file(folder: Path, size: int = 1000) -> convert.SourceFile:
    path = folder / "model"
    path.write_bytes(b"\0" * size)
    return convert.SourceFile(path, cast("Any", SimpleNamespace()), ModelSource("onnx", "0", (), ()), {})


def lanes(folder: Path, *names: str) -> dict[str, str]:
    requests = [ArtifactRequest(*name.split("/"), ("formats",)) for name in names]
    return convert.lanes(requests, file(folder), CATALOG)


def test_two_workers_share_the_runtimes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "available_memory", lambda: 16 << 30)
    names = ("coreml/float16", "coreml/float32", "onnx/float32", "tflite/float32", "tflite/int8")
    found = lanes(tmp_path, *names)
    assert found["coreml/float16"] == found["coreml/float32"] == convert.WORKER  # it is also run there
    assert found["tflite/float32"] == found["tflite/int8"] == convert.SECOND_WORKER
    assert found["onnx/float32"] == convert.WORKER
    assert lanes(tmp_path, *reversed(names)) == found


def test_one_runtime_needs_one_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "available_memory", lambda: 16 << 30)
    assert set(lanes(tmp_path, "tflite/float32", "tflite/int8").values()) == {convert.WORKER}
    assert lanes(tmp_path) == {}


def test_memory_for_one_gives_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "available_memory", lambda: convert.LIBRARIES * 2 - 1)
    assert set(lanes(tmp_path, "coreml/float32", "tflite/float32").values()) == {convert.WORKER}


def test_a_large_model_is_expected_to_take_more(tmp_path: Path) -> None:
    assert convert.expected_memory(file(tmp_path, 5000)) == convert.LIBRARIES + convert.COPIES * 5000


@pytest.mark.skipif(sys.platform == "win32", reason="workers need POSIX")
def test_an_idle_worker_is_retired_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def run(pool: WorkerPool, kind: str) -> int:
        job = WorkerJob(kind, "core_worker_jobs:write", {"text": ""}, {}, tmp_path)
        return int(pool.run(job, log=tmp_path / "log", time_limit=60)["pid"])

    with WorkerPool() as pool:
        first, second = run(pool, "tf"), run(pool, "tf-2")
        pool.retire("tf-2")
        pool.retire("never started")
        assert run(pool, "light") not in (first, second)
        assert run(pool, "tf") == first
        assert pool.started == 3
