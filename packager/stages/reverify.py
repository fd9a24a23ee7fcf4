"""Stage reverify (`packager verify`): every golden vector of a bundle against the model file in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.core.actions import Action, Actions
from packager.core.errors import BundleChangedError, ConvertError
from packager.core.samples import read_samples, write_samples
from packager.registry import Catalog

Records = list[Mapping[str, Any]]


def reverify(
    bundle: Path, receipt: Mapping[str, Any], catalog: Catalog, actions: Actions, scratch: Path
) -> list[Mapping[str, Any]]:
    """One row per artefact: {artifact, kernel_set, samples, worst, passed, why}."""
    rows: list[Mapping[str, Any]] = []
    for artifact in receipt["artifacts"]:
        name = f"{artifact['runtime']}/{artifact['precision']}"
        if artifact["runtime"] not in catalog.runtimes:
            raise BundleChangedError(f"{name} needs runtime {artifact['runtime']}, which this installation lacks")
        try:
            records: Records = json.loads((bundle / artifact["golden"] / "index.json").read_bytes())["records"]
            samples = list(dict.fromkeys(record["sample"] for record in records))
            got = _run(bundle, artifact, samples, records, catalog, actions, scratch)
            row = _compare(bundle / artifact["golden"], artifact, samples, records, got)
        except (OSError, ValueError, TypeError, LookupError) as fault:  # the bundle may come from anywhere
            what = f"the golden vectors of {name} cannot be read: {type(fault).__name__}: {fault}"
            raise BundleChangedError(what, hint="the bundle is damaged: build it again") from fault
        rows.append({"artifact": name, **row})
    return rows


def _array(folder: Path, record: Mapping[str, Any]) -> NDArray[Any]:
    dtype = np.dtype(record["dtype"]).newbyteorder("<")
    return np.frombuffer((folder / record["file"]).read_bytes(), dtype).reshape(record["shape"]).astype(record["dtype"])


def _run(
    bundle: Path,
    artifact: Mapping[str, Any],
    samples: Sequence[str],
    records: Records,
    catalog: Catalog,
    actions: Actions,
    scratch: Path,
) -> list[dict[str, NDArray[Any]]]:
    runtime = catalog.runtimes[artifact["runtime"]]
    folder = bundle / artifact["golden"]
    feeds = [
        {r["name"]: _array(folder, r) for r in records if r["sample"] == sample and r["stage"] == "input"}
        for sample in samples
    ]
    ran = actions.run(
        Action(
            name=f"run {artifact['path']}",
            kind=runtime.RUN_WORKER,
            entry=runtime.RUN,
            request={
                "precision": artifact["precision"],
                "kernel_sets": [artifact["kernel_set"]],
                "mapping": {
                    "inputs": {port["source"]: port["name"] for port in artifact["inputs"]},
                    "outputs": {port["source"]: port["name"] for port in artifact["outputs"]},
                },
            },
            inputs={
                "model": bundle / artifact["path"],
                "feeds": write_samples(scratch / artifact["golden"].replace("/", "-"), feeds),
            },
            code=runtime.CODE,
            tools=runtime.TOOLS,
            error=ConvertError,
        )
    )
    return list(read_samples(ran / artifact["kernel_set"]))


def _compare(
    folder: Path,
    artifact: Mapping[str, Any],
    samples: Sequence[str],
    records: Records,
    got: Sequence[Mapping[str, NDArray[Any]]],
) -> Mapping[str, Any]:
    worst, why = 0.0, ""
    for record in (r for r in records if r["stage"] == "output"):
        expected = _array(folder, record).astype(np.float64)
        found = got[samples.index(record["sample"])][record["name"]].astype(np.float64)
        allowed = record["tolerance"]["absolute"] + record["tolerance"]["relative"] * np.abs(expected)
        error = np.abs(found - expected)
        worst = max(worst, float(np.max(error)))
        if not np.all(error <= allowed) and not why:
            why = f"sample {record['sample']}, output {record['name']}: off by {float(np.max(error)):.4g}"
    return {
        "kernel_set": artifact["kernel_set"],
        "samples": len(samples),
        "worst": worst,
        "passed": not why,
        "why": why,
    }
