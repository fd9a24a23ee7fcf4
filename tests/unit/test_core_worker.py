from __future__ import annotations

import sys
from pathlib import Path

import pytest

from packager.core import worker
from packager.core.errors import ChildFailedError, ContractError, ExitCode, ModelError, PackagerError
from packager.core.worker import Provide, WorkerJob, WorkerPool

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers need POSIX")


@pytest.fixture(autouse=True)
def jobs_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("TZ", "Asia/Tokyo")


class Bench:
    """A pool with a log and an out folder."""

    def __init__(self, pool: WorkerPool, folder: Path) -> None:
        self.pool = pool
        self.out = folder / "out"
        self.out.mkdir()
        self.log = folder / "logs" / "job.log"

    def run(self, name: str, kind: str = "light", time_limit: float = 120, memory_limit=None, on_wait=None, **more):
        job = WorkerJob(
            kind, f"core_worker_jobs:{name}", more.pop("request", {}), more.pop("inputs", {}), self.out, **more
        )
        return self.pool.run(job, log=self.log, time_limit=time_limit, memory_limit=memory_limit, on_wait=on_wait)


@pytest.fixture
def bench(tmp_path: Path):
    with WorkerPool() as pool:
        yield Bench(pool, tmp_path)


def test_a_job_gets_its_arguments_and_its_words_go_to_the_log(bench: Bench, tmp_path: Path, capfd) -> None:
    (tmp_path / "in.txt").write_text(" and input")
    answer = bench.run("write", request={"text": "request"}, inputs={"a": tmp_path / "in.txt"})
    assert answer["pid"] > 0
    assert (bench.out / "text.txt").read_text() == "request and input"
    assert "said on stdout\n" in bench.log.read_text()
    assert "said by native code\n" in bench.log.read_text()
    assert capfd.readouterr() == ("", "")


def test_a_worker_is_used_again_and_each_job_has_its_log(bench: Bench, tmp_path: Path) -> None:
    first = bench.run("write", request={"text": ""})
    bench.log = tmp_path / "second.log"
    second = bench.run("write", request={"text": ""})
    assert first == second
    assert bench.pool.started == 1
    assert "said on stdout" in bench.log.read_text()


def test_kinds_have_their_own_workers_within_the_limit(bench: Bench) -> None:
    pids = {bench.run("write", kind, request={"text": ""})["pid"] for kind in ("a", "b", "c")}
    assert len(pids) == 3
    assert bench.pool.started == 3
    assert len(bench.pool._workers) == bench.pool.limit


def test_what_is_provided_is_made_once_per_process(bench: Bench, tmp_path: Path) -> None:
    made = tmp_path / "made"
    provide = {"model": Provide("core_worker_jobs:counter", {"log": str(made)})}
    for _ in range(3):
        answer = bench.run("write", request={"text": ""}, provide=provide)
        assert answer["model"] == answer["pid"]
    assert made.read_text() == "made\n"
    bench.run("write", "other", request={"text": ""}, provide=provide)
    assert made.read_text() == "made\nmade\n"


def test_the_environment_is_fixed(bench: Bench) -> None:
    found = bench.run("environment", request={"names": sorted(worker.ENVIRONMENT)})
    assert {name: found[name] for name in worker.ENVIRONMENT} == dict(worker.ENVIRONMENT)


def test_the_folder_it_is_started_in_cannot_replace_a_module(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    assert bench.run("nothing") == {}


def test_an_error_for_users_comes_back_whole_with_the_log(bench: Bench) -> None:
    with pytest.raises(ModelError) as caught:
        bench.run("refuse")
    first, second = caught.value.findings
    assert (first.what, str(first.where), first.expected, first.hint, first.source_line) == (
        *("a Lambda layer", "m.py:3:4", "no code", "Remove it."),
        "source",
    )
    assert second.hint == f"The log: {bench.log}"


def test_any_other_exception_becomes_the_error_of_the_job(bench: Bench) -> None:
    with pytest.raises(ContractError, match="ValueError: no such axis") as caught:
        bench.run("fail", error=ContractError)
    assert str(bench.log) in caught.value.findings[0].hint
    assert "Traceback" in bench.log.read_text()
    assert bench.run("nothing") == {}
    assert bench.pool.started == 1


@pytest.mark.parametrize("name", ["no_such_function", "number"])
def test_a_wrong_entry_is_reported(bench: Bench, name: str) -> None:
    with pytest.raises(PackagerError, match=r"AttributeError: .*no_such|TypeError: .* returned int"):
        bench.run(name)


@pytest.mark.parametrize(
    ("name", "how"), [("die", "ended its worker by signal SIGSEGV"), ("leave", "ended its worker with exit code 3")]
)
def test_a_worker_that_dies_is_named_and_replaced(bench: Bench, name: str, how: str) -> None:
    with pytest.raises(ChildFailedError, match=f"convert to x {how}") as caught:
        bench.run(name, label="convert to x")
    assert caught.value.exit_code == ExitCode.CHILD_FAILED
    assert caught.value.findings[0].hint == f"What it said: {bench.log}"
    assert bench.run("nothing") == {}
    assert bench.pool.started == 2


def test_the_stack_of_a_crash_is_in_the_log(bench: Bench) -> None:
    with pytest.raises(ChildFailedError):
        bench.run("die")
    assert "Segmentation fault" in bench.log.read_text()
    assert "core_worker_jobs.py" in bench.log.read_text()


def test_a_worker_that_hangs_is_stopped(bench: Bench) -> None:
    waited: list[float] = []
    with pytest.raises(ChildFailedError, match=r"did not end within its time limit of 1\.5 s"):
        bench.run("hang", time_limit=1.5, on_wait=waited.append)
    assert len(waited) > 1
    assert waited == sorted(waited)
    assert bench.run("nothing") == {}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched through /proc")
def test_a_worker_that_eats_memory_is_stopped(bench: Bench) -> None:
    with pytest.raises(ChildFailedError, match="MiB of memory and was stopped") as caught:
        bench.run("eat", memory_limit=200 << 20)
    assert caught.value.findings[0].expected == "at most 200 MiB"
    assert bench.run("nothing") == {}


def test_a_plug_in_folder_reaches_the_worker(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = tmp_path / "plugins" / "runtimes" / "throwaway"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").touch()
    (plugin / "convert.py").write_text("def convert(request, inputs, out):\n    return {'name': __name__}\n")
    monkeypatch.setenv("PACKAGER_PLUGINS", str(tmp_path / "plugins"))
    job = WorkerJob("light", "packager.runtimes.throwaway.convert:convert", {}, {}, bench.out)
    answer = bench.pool.run(job, log=bench.log, time_limit=120)
    assert answer == {"name": "packager.runtimes.throwaway.convert"}
