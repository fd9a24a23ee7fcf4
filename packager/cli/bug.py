"""What is shown for a bug of ours: where the details are, and what to send."""

from __future__ import annotations

import platform
import traceback


def report_bug(error: BaseException) -> None:
    """Write the traceback to a log file and name it; the terminal gets one message."""
    from packager import __version__
    from packager.core.console import Console
    from packager.core.errors import PackagerError
    from packager.core.paths import log_root

    log = log_root() / "bug.log"
    text = "".join(traceback.format_exception(error))
    head = f"packager {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(head + text, encoding="utf-8")
        hint = f"please report it with {log}"
    except OSError:
        hint = f"please report it with these details: {head}{text}"
    Console().error(PackagerError(f"this is a bug in packager: {type(error).__name__}: {error}", hint=hint))
