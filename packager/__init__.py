"""packager: one manifest to verified on-device projects."""

__version__ = "0.1.0"
