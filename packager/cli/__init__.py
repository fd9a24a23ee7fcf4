"""The command line: one file per verb; each parses, calls the pipeline and prints."""

from packager.cli.app import main

__all__ = ["main"]
