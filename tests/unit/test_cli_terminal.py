"""What the command looks like: on a terminal and elsewhere, completion, and how little `--help` imports."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project_tools import COMMAND, packager, tiny_project

ESCAPE = "\x1b["
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9](;[0-9;]*)?m")


def on_terminal(*arguments: object, **env: str) -> tuple[int, str]:
    """Run the command with a terminal as its three standard files."""
    ours, theirs = pty.openpty()
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "CI")}
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**clean, "TERM": "xterm-256color", "COLUMNS": "100", **env},
    )  # fmt: skip
    os.close(theirs)
    said, until = b"", time.monotonic() + 60
    while time.monotonic() < until and select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    return process.wait(60), said.decode("utf-8", "replace")


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    return tiny_project(tmp_path, versions="1.0.0")


def test_errors_have_colour_on_a_terminal_and_none_elsewhere(wrong: Path) -> None:
    code, said = on_terminal("check", wrong)
    assert code == 2
    assert COLOUR.search(said)
    done = packager("check", wrong, env={"NO_COLOR": None, "FORCE_COLOR": None, "TERM": "xterm-256color"})
    assert ESCAPE not in done.stdout + done.stderr


def test_no_color_is_honoured(wrong: Path) -> None:
    code, said = on_terminal("check", wrong, NO_COLOR="1")
    assert code == 2
    assert "error:" in said
    assert not COLOUR.search(said)


def test_progress_is_live_on_a_terminal_and_plain_lines_elsewhere(tmp_path: Path) -> None:
    file = tiny_project(tmp_path)
    code, said = on_terminal("plan", file)
    assert code == 0
    assert "[check]" in said
    assert ESCAPE in said
    done = packager("plan", file)
    assert re.search(r"^\[check\] done \(\d+\.\d s\)$", done.stderr, re.MULTILINE)
    assert ESCAPE not in done.stdout + done.stderr


def test_file_names_cannot_drive_the_terminal(tmp_path: Path) -> None:
    file = tiny_project(tmp_path, samples=[{"photo": "red\x1b[31m.png"}])
    _, said = on_terminal("check", file, NO_COLOR="1")
    assert "\x1b[31m" not in said
    assert "red" in said


def test_completion_of_verbs_and_targets() -> None:
    def complete(words: str) -> str:
        env = {"_PACKAGER_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        return packager(env=env).stdout

    assert {"check", "plan", "build", "verify", "test", "doctor", "schema", "cache"} <= set(
        complete("packager ").split()
    )
    assert complete("packager pl").split() == ["plan"]
    assert "embedded.linux" in complete("packager build --target emb").split()
    script = packager("--show-completion", "bash").stdout
    assert "_PACKAGER_COMPLETE=complete_bash" in script


LIST = "print('\\n'.join(sorted(sys.modules)), file=sys.stderr)"


def modules(code: str) -> set[str]:
    """Names of the modules that are loaded when a program ends."""
    program = f"import sys, atexit; atexit.register(lambda: {LIST}); {code}"
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=False)
    return set(done.stderr.split())


def test_help_imports_hardly_more_than_typer_and_rich() -> None:
    command = modules("from packager.cli import main; main(['--help'])")
    assert "packager.cli.build" in command, "the help was shown"
    both = modules(
        "import typer; app = typer.Typer(); app.command()(lambda: None); app.command('b')(lambda: None); app()"
    )
    both |= modules("import typer, rich")
    own = {name for name in command if name.split(".")[0] == "packager"}
    heavy = {"numpy", "pydantic", "yaml", "jinja2", "PIL", "tensorflow", "onnx", "h5py", "concurrent", "asyncio"}
    assert not heavy & {name.split(".")[0] for name in command - both}
    assert len(own) <= 20, sorted(own)
    packages = {name.split(".")[0] for name in command - both - own}
    third_party = packages - set(sys.stdlib_module_names)
    known = {"click", "typer", "rich", "shellingham", "pygments", "markdown_it", "mdurl", "typing_extensions"}
    assert third_party - known == set()
