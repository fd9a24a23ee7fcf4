"""The application: verbs, exit codes, and the one place where errors end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.main import get_command

from packager.cli import build, cache, check, doctor, init, plan, schema, test, verify
from packager.cli.bug import report_bug
from packager.core.errors import ExitCode, InterruptedByUser, PackagerError

app = typer.Typer(
    name="packager",
    help="One manifest to verified on-device projects.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich costs twice the time of everything else here
    pretty_exceptions_enable=False,
)
for verb in (init, check, plan, build, verify, test, doctor, schema):
    app.command(verb.NAME, help=verb.HELP, short_help=verb.HELP.split(":")[0].split(";")[0])(verb.run)
app.add_typer(cache.app, name=cache.NAME, help=cache.HELP)


@app.callback(invoke_without_command=True)
def version(
    show: bool = typer.Option(False, "--version", help="Print the version and exit.", is_eager=True),
) -> None:
    """One manifest to verified on-device projects."""
    if show:
        from packager import __version__
        from packager.core.console import Console

        Console().line(f"packager {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with a code of the design; never shows a traceback."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    code = _run(arguments)
    if code == ExitCode.INTERRUPTED:
        _show(InterruptedByUser("interrupted", hint="nothing half-written is left; run the command again"))
    return int(code)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        result = get_command(app).main(args=arguments, prog_name="packager", standalone_mode=False)
    except PackagerError as error:
        _show(error)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.OK
    except Exception as error:
        return _other(error)
    return result if isinstance(result, int) else ExitCode.OK


def _show(error: PackagerError) -> None:
    from packager.core.console import Console

    Console().error(error)


def _other(error: Any) -> int:
    """Usage errors of the parser show their own text; anything else is a bug and asks for a report."""
    if type(error).__name__ == "Abort":
        return ExitCode.INTERRUPTED
    if hasattr(error, "format_message") and hasattr(error, "show"):
        error.show()
        return ExitCode.USAGE
    report_bug(error)
    return ExitCode.BUG
