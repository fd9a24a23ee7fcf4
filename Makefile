# Two commands: `make demo` builds the root manifest, `make test` sets up what the tests need and runs them.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
CORE := $(VENV)/.core
DEV := $(VENV)/.dev
ARGS ?=

.PHONY: demo check test matrix bench lock clean

demo: $(CORE)
	$(BIN)/packager build manifest.yaml --out dist

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; set PYTHON=/path/to/it"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(CORE): $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(CORE) requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

check: $(DEV)
	$(BIN)/python tests/parts.py check $(ARGS)

test: $(DEV)
	$(BIN)/python tests/parts.py test $(ARGS)

matrix: $(DEV)
	$(BIN)/python tests/parts.py matrix $(ARGS)

bench: $(DEV)
	$(BIN)/python tests/parts.py bench $(ARGS)

# Needs `uv`; writes versions and hashes, no addresses.
lock:
	uv pip compile --quiet pyproject.toml requirements-build.in -c requirements-constraints.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --no-annotate -o requirements.lock
	uv pip compile --quiet requirements-dev.in -c requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements-dev.lock

clean:
	rm -rf $(VENV) dist build
