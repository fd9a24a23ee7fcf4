from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from core_processes import gone

from packager.core.errors import ChildFailedError, ToolMissingError
from packager.core.process import Command, SystemRunner, require_tool
from packager.core.resources import available_memory, cpu_class, peak_memory, process_memory

ROOT = Path(__file__).parents[2]
RUNNER = SystemRunner()


def python(code: str, *args: str, **more: object) -> Command:
    return Command((sys.executable, "-c", code, *args), **more)  # type: ignore[arg-type]


def test_output_exit_code_and_environment(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getcwd(), os.environ['ADDED']); sys.stderr.write('wrong'); sys.exit(3)"
    done = RUNNER.run(python(code, cwd=tmp_path, env={"ADDED": "ü"}))
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{tmp_path.resolve()} ü\n", "wrong")


def test_bytes_that_are_no_text_are_replaced() -> None:
    assert RUNNER.run(python("import os; os.write(1, b'a\\xffb')")).stdout == "a�b"


def test_there_is_no_standard_input() -> None:
    assert RUNNER.run(python("import sys; print(repr(sys.stdin.read()))", timeout=60)).stdout == "''\n"


def test_a_signal_is_a_negative_code() -> None:
    assert RUNNER.run(python("import os; os.kill(os.getpid(), 9)")).returncode == -signal.SIGKILL


@pytest.mark.parametrize("capture", [True, False])
def test_the_log_has_the_command_and_what_it_said(tmp_path: Path, capture: bool) -> None:
    log = tmp_path / "logs" / "job.log"
    done = RUNNER.run(python("import sys; print('out', flush=True); sys.stderr.write('err')"), log=log, capture=capture)
    assert done.stdout == ("out\n" if capture else "")
    text = log.read_text()
    assert text.startswith(f"$ {sys.executable} -c ")
    assert text.endswith("out\nerr")


def test_output_to_a_file_is_bytes(tmp_path: Path) -> None:
    done = RUNNER.run(python("import os; os.write(1, bytes(range(256)))", stdout=tmp_path / "data"))
    assert (tmp_path / "data").read_bytes() == bytes(range(256))
    assert done.stdout == ""


SPAWNS = (
    "import subprocess, sys, time; c = subprocess.Popen(['sleep', '600']); print(c.pid, flush=True); time.sleep(600)"
)


def test_the_time_limit_kills_the_whole_group(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ChildFailedError, match="the tests did not end within 1 s") as caught:
        RUNNER.run(python(SPAWNS, timeout=1, label="the tests"), log=log)
    assert str(log) in caught.value.findings[0].hint
    assert gone(int(log.read_text().splitlines()[-1]))


def test_a_program_that_is_missing() -> None:
    with pytest.raises(ToolMissingError, match="no-such-program cannot be started"):
        RUNNER.run(Command(("no-such-program",)))
    with pytest.raises(ToolMissingError, match="no-such-program is not on this machine") as caught:
        require_tool("no-such-program", "Install it.")
    assert caught.value.findings[0].hint == "Install it."
    assert require_tool("sh", "").is_file()


PARENT = """
import pathlib, sys
from packager.core.process import Command, SystemRunner
code, log = sys.argv[1:]
SystemRunner().run(Command((sys.executable, "-c", code)), capture=False, log=pathlib.Path(log))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ties child to parent on Linux only")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_child_ends_with_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    log = tmp_path / "log"
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, code, str(log)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
    )
    while not (log.is_file() and log.read_text().endswith("\n") and log.read_text().count("\n") > 1):
        assert parent.poll() is None
        time.sleep(0.05)
    parent.send_signal(how)
    parent.wait(timeout=30)
    assert gone(int(log.read_text().splitlines()[-1]))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_a_process_group() -> None:
    assert available_memory() > 1 << 20
    assert peak_memory() > 1 << 20
    code = "import sys; a = bytearray(b'1' * (64 << 20)); print('taken', flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None
    child.stdout.readline()
    assert 64 << 20 < process_memory(child.pid) < 512 << 20
    child.communicate(timeout=30)
    assert process_memory(child.pid) == 0


def test_the_cpu_class_is_one_word() -> None:
    assert cpu_class() == cpu_class()
    assert " " not in cpu_class()
    assert cpu_class().split("+")[0] != ""
