"""Package registries: one folder each, with `NAME`, `fetch` and `extract` (see `packager.core.fetch.Registry`).

Each works through the registry's ordinary client and its configuration, so mirrors and proxies that the
machine is set up for are used, and no host is named here.
"""
