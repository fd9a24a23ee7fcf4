"""The child's side of a worker: takes jobs one at a time and answers each with a line of JSON."""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packager.core import plugin_paths
from packager.core.errors import PackagerError
from packager.core.hashing import canonical_json
from packager.core.jsonable import to_json
from packager.core.process import die_with_parent


def serve(requests: int, answers: int, parent: int) -> None:
    """Answer the requests that come by descriptor `requests` until it is closed."""
    if not die_with_parent(parent):
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    faulthandler.enable()
    os.set_inheritable(requests, False)
    os.set_inheritable(answers, False)
    provided: dict[bytes, Any] = {}
    with open(requests, encoding="utf-8") as source, open(answers, "w", encoding="utf-8") as sink:
        for line in source:
            request = json.loads(line)
            _redirect(Path(request["log"]))
            answer = _answer(request, provided)
            sink.write(answer + "\n")
            sink.flush()


def _watch(parent: int) -> None:
    """End with the parent where the kernel does not do it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _redirect(log: Path) -> None:
    """Send what Python and native code print to the job's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _answer(request: dict[str, Any], provided: dict[bytes, Any]) -> str:
    try:
        plugin_paths.extend()
        result = to_json(_run(request, provided))
        if not isinstance(result, dict | None):
            raise TypeError(f"{request['entry']} returned {type(result).__name__}, not a mapping or nothing")
        return json.dumps({"ok": result}, allow_nan=False)
    except Exception as problem:
        trace = traceback.format_exc()
        sys.stderr.write(trace)
        return json.dumps({"error": _describe(problem, trace)})
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _run(request: dict[str, Any], provided: dict[bytes, Any]) -> Any:
    arguments = {}
    for name, asked in request["provide"].items():
        key = canonical_json(asked)
        if key not in provided:
            provided[key] = _function(asked["entry"])(request=asked["request"], inputs=_paths(asked["inputs"]))
        arguments[name] = provided[key]
    function = _function(request["entry"])
    return function(request=request["request"], inputs=_paths(request["inputs"]), out=Path(request["out"]), **arguments)


def _function(entry: str) -> Callable[..., Any]:
    module, _, name = entry.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _paths(inputs: Mapping[str, str]) -> dict[str, Path]:
    return {name: Path(path) for name, path in inputs.items()}


def _describe(problem: Exception, trace: str) -> dict[str, Any]:
    described: dict[str, Any] = {"kind": type(problem).__name__, "text": str(problem), "traceback": trace}
    if isinstance(problem, PackagerError):
        described |= {"exit_code": int(problem.exit_code), "findings": to_json(problem.findings)}
    return described
