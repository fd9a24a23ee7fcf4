"""`packager cache`."""

from __future__ import annotations

from typing import Annotated

import typer

NAME = "cache"
HELP = "Show, prune or clear the cache of conversions and downloads."

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)

Days = Annotated[float, typer.Option("--days", min=0, help="Remove what was not used for so many days.")]
Size = Annotated[float, typer.Option("--gigabytes", min=0, help="Then remove the oldest until this size is left.")]


@app.command("show", help="List what the cache holds.")
def show() -> None:
    """List entries, the largest first."""
    from packager.core.cache import Cache
    from packager.core.console import Console
    from packager.core.paths import cache_root

    console = Console()
    cache = Cache(cache_root())
    entries = sorted(cache.entries(), key=lambda entry: -entry.size)
    rows = [(e.key[:12], e.kind, str(e.note.get("name", "")), f"{e.size / 1e6:.1f}") for e in entries]
    if rows:
        console.table("cache", ("key", "kind", "what", "MB"), rows)
    console.line(f"{cache.root}: {len(entries)} entries, {sum(e.size for e in entries) / 1e6:.1f} MB")


@app.command("prune", help="Remove what is old, then what is too much.")
def prune(days: Days = 30.0, gigabytes: Size = 5.0) -> None:
    """Remove entries by age and size."""
    from packager.core.cache import Cache
    from packager.core.console import Console
    from packager.core.paths import cache_root

    removed = Cache(cache_root()).prune(int(gigabytes * 1e9), days)
    Console().line(f"removed {len(removed)} entries")


@app.command("clear", help="Remove everything; the next build converts anew.")
def clear() -> None:
    """Remove the whole cache but installed toolsets."""
    from packager.core.cache import Cache
    from packager.core.console import Console
    from packager.core.paths import cache_root

    Cache(cache_root()).clear()
    Console().line("the cache is empty")
