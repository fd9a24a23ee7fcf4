"""Functions that the tests of worker and actions call in a worker."""

import os
import signal
import sys
import time
from pathlib import Path

from packager.core.errors import Finding, Location, ModelError


def counter(request, inputs):
    """What a job is provided with: counts how often it was made, in a file."""
    log = Path(request["log"])
    log.write_text((log.read_text() if log.exists() else "") + "made\n")
    return {"pid": os.getpid()}


def write(request, inputs, out, **provided):
    (out / "text.txt").write_text(request["text"] + "".join(path.read_text() for path in inputs.values()))
    sys.stdout.write("said on stdout\n")
    os.write(2, b"said by native code\n")
    return {"pid": os.getpid(), **{name: value["pid"] for name, value in provided.items()}}


def environment(request, inputs, out):
    return {name: os.environ.get(name) for name in request["names"]} | {"path": sys.path[0]}


def nothing(request, inputs, out):
    return None


def number(request, inputs, out):
    return 7


def die(request, inputs, out):
    (out / "half.txt").write_text("half")
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(request, inputs, out):
    os._exit(3)


def hang(request, inputs, out):
    if "started" in request:
        Path(request["started"]).write_text(str(os.getpid()))
    (out / "half.txt").write_text("half")
    time.sleep(600)


def eat(request, inputs, out):
    taken = []
    while True:
        taken.append(bytearray(b"\1" * (16 << 20)))
        time.sleep(0.01)


def refuse(request, inputs, out):
    raise ModelError(
        (
            Finding("a Lambda layer", Location("m.py", 3, 4), "no code", "Remove it.", "source"),
            Finding("a second one", expected="no code"),
        )
    )


def fail(request, inputs, out):
    raise ValueError(request.get("text", "no such axis"))
