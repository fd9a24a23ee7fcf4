from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from core_processes import gone

from packager.core.actions import RESULT, Action, Actions
from packager.core.cache import Cache
from packager.core.console import Console, NullConsole
from packager.core.errors import ChildFailedError, ContractError, ConvertError, ModelError
from packager.core.hashing import sha256_file
from packager.core.worker import Provide, WorkerPool

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers need POSIX")
HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


def action(name: str = "write", **more) -> Action:
    more.setdefault("request", {"text": "text"})
    return Action(
        name=more.pop("label", name), kind=more.pop("kind", "light"), entry=f"core_worker_jobs:{name}", **more
    )


@pytest.fixture
def pool():
    with WorkerPool() as pool:
        yield pool


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "xdg" / "packager")


@pytest.fixture
def actions(cache: Cache, pool: WorkerPool) -> Actions:
    return Actions(cache, pool, NullConsole())


def test_an_action_runs_once(actions: Actions, pool: WorkerPool) -> None:
    first = actions.run(action())
    assert (first / "text.txt").read_text() == "text"
    assert json.loads((first / RESULT).read_bytes())["pid"] > 0
    assert actions.run(action()) == first
    assert pool.started == 1


def test_a_cached_action_starts_no_worker(actions: Actions, cache: Cache) -> None:
    first = actions.run(action())
    with WorkerPool() as other:
        again = Actions(cache, other, NullConsole())
        assert again.run(action()) == first
        assert again.run_all([action(), action()]) == [first, first]
        assert other.started == 0


def test_a_broken_entry_is_made_again(actions: Actions) -> None:
    first = actions.run(action())
    (first / "text.txt").write_text("harm")
    assert (actions.run(action()) / "text.txt").read_text() == "text"


def test_the_key_is_of_content(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model").write_text("same")
    first = action(inputs={"model": tmp_path / "a" / "model"}, provide={"p": Provide("core_worker_jobs:counter")})
    same = [
        replace(first, inputs={"model": tmp_path / "b" / "model"}),
        replace(first, name="other", kind="other", time_limit=1, memory_limit=2, error=ContractError),
        replace(first, input_hashes={"model": sha256_file(tmp_path / "a" / "model")}),
    ]
    assert {one.key() for one in same} == {first.key()}
    (tmp_path / "b" / "model").write_text("other")
    different = [
        first,
        replace(first, inputs={"model": tmp_path / "b" / "model"}),
        replace(first, inputs={"other": tmp_path / "a" / "model"}),
        replace(first, request={"text": "other"}),
        replace(first, entry="core_worker_jobs:nothing"),
        replace(first, provide={"p": Provide("core_worker_jobs:counter", {"log": "x"})}),
        replace(first, provide={"p": Provide("core_worker_jobs:counter", {}, {"m": tmp_path / "a" / "model"})}),
        replace(first, code=("packager.core.errors",)),
        replace(first, tools=("pytest",)),
    ]
    assert len({one.key() for one in different}) == len(different)


def test_the_environment_and_the_processor_are_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = action().key()
    monkeypatch.setattr("packager.core.actions.cpu_class", lambda: "x86-64-v9")
    other = action().key()
    monkeypatch.setattr("packager.core.actions.ENVIRONMENT", {"TF_NUM_INTRAOP_THREADS": "8"})
    assert len({before, other, action().key()}) == 3


def test_hashes_of_provided_inputs_can_be_given(tmp_path: Path) -> None:
    absent = Provide("core_worker_jobs:counter", {}, {"model": tmp_path / "absent"})
    keys = {action(provide={"p": absent}, input_hashes={"p.model": digest * 64}).key() for digest in "ab"}
    assert len(keys) == 2


@pytest.mark.parametrize("name", ["die", "fail"])
def test_a_failed_action_leaves_nothing(actions: Actions, cache: Cache, name: str) -> None:
    with pytest.raises((ChildFailedError, ConvertError)):
        actions.run(action(name))
    assert cache.entries() == []
    assert list((cache.root / "tmp").iterdir()) == []


def test_the_log_of_a_dead_worker_may_tell_why(actions: Actions) -> None:
    def told(log: Path) -> ConvertError | None:
        assert log.is_file()
        return ConvertError("its converter crashed on infinite numbers")

    with pytest.raises(ConvertError, match="crashed on infinite numbers"):
        actions.run(action("die", last_words=told))
    with pytest.raises(ChildFailedError, match="SIGSEGV"):
        actions.run(action("die", last_words=lambda _: None))
    with pytest.raises(ModelError):  # its own error stays
        actions.run(action("refuse", last_words=told))


def test_run_all_keeps_the_order_and_runs_equal_actions_once(actions: Actions, cache: Cache) -> None:
    batch = [action(kind=kind, request={"text": text}) for kind, text in ("a1", "b2", "a3", "c4", "b1")]
    folders = actions.run_all(batch)
    assert [(folder / "text.txt").read_text() for folder in folders] == ["1", "2", "3", "4", "1"]
    assert folders[0] == folders[4]
    assert len(cache.entries()) == 4


def test_run_all_raises_the_first_failure_of_the_list(actions: Actions) -> None:
    slow = action("fail", kind="slow", request={"text": "first"})
    batch = [action(kind="slow", request={"text": "1"}), slow, action("fail", kind="quick", request={"text": "second"})]
    with pytest.raises(ConvertError, match="first"):
        actions.run_all(batch)


def test_run_all_does_not_exceed_the_memory(actions: Actions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("packager.core.actions.available_memory", lambda: 1)
    folders = actions.run_all([action(kind=kind, request={"text": kind}) for kind in "abc"])
    assert [(folder / "text.txt").read_text() for folder in folders] == ["a", "b", "c"]


@pytest.mark.parametrize("verbose", [False, True])
def test_logs_are_shown_when_asked_for(cache: Cache, pool: WorkerPool, capsys, verbose: bool) -> None:
    console = Console(verbose=verbose)
    with console.stage("convert"):
        Actions(cache, pool, console).run(action(label="write it"))
    _, shown = capsys.readouterr()
    assert ("said by native code" in shown) is verbose
    assert "[convert] write it (" in shown


BUILD = """
import sys, pathlib
from packager.core.actions import Action, Actions
from packager.core.cache import Cache
from packager.core.console import NullConsole
from packager.core.paths import cache_root
from packager.core.worker import WorkerPool
sys.path.insert(0, sys.argv[1])
started = pathlib.Path(sys.argv[2])
batch = [Action(str(n), str(n), "core_worker_jobs:hang", {"started": str(started / str(n))}) for n in range(2)]
with WorkerPool() as pool:
    Actions(Cache(cache_root()), pool, NullConsole()).run_all(batch)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_build_leaves_no_worker_and_nothing_half(tmp_path: Path, cache: Cache, how: signal.Signals) -> None:
    started = tmp_path / "started"
    started.mkdir()
    build = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(HERE), str(started)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)])},
        stderr=subprocess.PIPE,
    )
    while len([file for file in started.iterdir() if file.read_text()]) < 2:
        assert build.poll() is None, build.stderr.read().decode()
        time.sleep(0.05)
    workers = [int(file.read_text()) for file in started.iterdir()]
    build.send_signal(how)
    _, stderr = build.communicate(timeout=60)
    if how == signal.SIGINT:
        assert stderr.decode().rstrip().endswith("KeyboardInterrupt")
        assert list((cache.root / "tmp").iterdir()) == []
    assert all(gone(pid) for pid in workers)
    assert cache.entries() == []
