"""The manifest: read with positions, checked in form, described for editors and people."""

from packager.manifest.loader import load, load_model, load_text

__all__ = ["load", "load_model", "load_text"]
