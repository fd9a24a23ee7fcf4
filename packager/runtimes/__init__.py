"""Runtimes: one folder per way to run a model."""
