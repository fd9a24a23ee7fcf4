"""Source and artefacts over labelled data, batch by batch in workers; a batch's outputs are cached by content."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.core.actions import Action, Actions
from packager.core.cache import Cache
from packager.core.errors import ContractError, Finding, Location
from packager.core.hashing import code_hash, json_hash, tool_versions
from packager.core.jsonable import to_json
from packager.core.samples import read_sample, read_samples, sample_paths, write_sample, write_samples
from packager.model.artifact import Artifact
from packager.model.contract import Chain, ImageSize, Result
from packager.model.evaluation import Accuracy, LabelledData, LabelledSample
from packager.stages.evaluate.measure import measure

BATCH = 32
"""Samples of one run: few enough to keep, many enough that starting the model does not count."""
_CODE = ("packager.steps", "packager.plan.reference", "packager.stages.contract")
_TOOLS = ("numpy", "pillow")
_SIZES = "sizes.json"

Arrays = Mapping[str, NDArray[Any]]
Sizes = Mapping[str, ImageSize]
Feed = Callable[[LabelledSample], tuple[Arrays, Sizes]]
"""One sample through the inputs' reference steps: model inputs by tensor name, and the size of each image."""
ToResult = Callable[[Arrays, Sizes, Arrays], Result]
"""Real outputs by tensor name through the judged output's steps; the model inputs are empty where none is taken."""
Store = Callable[[Arrays], Arrays]
"""Model inputs as one artefact takes them."""
RunAction = Callable[[Path], Action]
"""The action that runs something over a folder of feeds."""


@dataclass(frozen=True)
class _Batch:
    """Samples from `start` on, and what decides their model inputs."""

    start: int
    samples: Sequence[LabelledSample]
    identity: str


class Evaluation:
    """Labelled data, its model inputs (made once, when they are needed) and the source's results on it."""

    def __init__(
        self,
        data: LabelledData,
        inputs: Sequence[Chain],
        feed: Feed,
        result: ToResult,
        actions: Actions,
        cache: Cache,
        scratch: Path,
        takes_inputs: bool = False,
    ) -> None:
        """`takes_inputs`: the judged output takes the model's own input beside its outputs."""
        self.data, self._feed, self._result = data, feed, result
        self._takes_inputs = takes_inputs
        self._actions, self._cache, self._scratch = actions, cache, scratch
        self._batches = list(_batches(data.samples, inputs))
        self._source: list[Result] = []

    def run_source(self, action: RunAction) -> None:
        """Run the source model; raises `ContractError` where its outputs are not finite or fit no result."""
        results = []
        for batch in self._batches:
            ran = self._run(batch, action, "source", lambda arrays: arrays)
            rows = zip(batch.samples, read_samples(ran), self._sizes(batch), self._inputs(batch), strict=True)
            for sample, outputs, size, inputs in rows:
                if not _finite(outputs):
                    raise ContractError(self._finding(sample, "the source model's outputs are not finite"))
                results.append(self._result(outputs, size, inputs))
        for sample, found in zip(self.data.samples, results, strict=True):
            self._check(sample, found)
        self._source = results

    def judge(
        self, artifact: Artifact, kernel_sets: Sequence[str], action: RunAction, store: Store, real: Store
    ) -> dict[str, Accuracy | str]:
        """The accuracy of one artefact in each kernel set, or why it has none.

        `store` makes the artefact's own inputs of the model's, `real` the source's units of its outputs.
        """
        found: dict[str, list[Result] | str] = {name: [] for name in kernel_sets}
        form = json_hash(to_json(artifact.inputs))
        for batch in self._batches:
            ran = self._run(batch, action, form, store)
            sizes = self._sizes(batch)
            for name in kernel_sets:
                results = found[name]
                for outputs, size, inputs in zip(read_samples(ran / name), sizes, self._inputs(batch), strict=True):
                    values = real(outputs)
                    if isinstance(results, str):
                        break
                    if not _finite(values):
                        found[name] = results = "outputs on labelled data are not finite"
                        break
                    results.append(self._result(values, size, inputs))
        return {name: self._measured(results) for name, results in found.items()}

    def _measured(self, results: list[Result] | str) -> Accuracy | str:
        if isinstance(results, str):
            return results
        truths = [sample.truth for sample in self.data.samples]
        return measure(self.data.metric, truths, self._source, results, self.data.max_drop)

    def _run(self, batch: _Batch, action: RunAction, form: str, store: Store) -> Path:
        """The outputs' folder of one batch; feeds are only made where it is not cached."""
        folder = self._scratch / f"own-{batch.start}"
        wanted = action(folder)
        wanted = replace(wanted, input_hashes={**wanted.input_hashes, "feeds": json_hash([batch.identity, form])})
        found = self._actions.find(wanted)
        if found is not None:
            return found
        for path in sample_paths(self._feeds(batch)):
            write_sample(folder, int(path.stem), store(read_sample(path)))
        try:
            return self._actions.run(wanted)
        finally:
            shutil.rmtree(folder)

    def _feeds(self, batch: _Batch) -> Path:
        """Model inputs of a batch; the sizes of its images are put into the cache on the way."""
        folder = self._scratch / f"feeds-{batch.start}"
        if not folder.exists():
            made = [self._feed(sample) for sample in batch.samples]
            write_samples(folder, (arrays for arrays, _ in made))
            with self._cache.temporary() as scratch:
                out = scratch / "out"
                out.mkdir()
                (out / _SIZES).write_text(json.dumps([to_json(sizes) for _, sizes in made], sort_keys=True))
                self._cache.put(batch.identity, out, note={"kind": "sizes", "name": "labelled images"})
        return folder

    def _inputs(self, batch: _Batch) -> Iterator[Arrays]:
        """Model inputs sample by sample, where the judged output takes one."""
        return read_samples(self._feeds(batch)) if self._takes_inputs else iter([{}] * len(batch.samples))

    def _sizes(self, batch: _Batch) -> list[Sizes]:
        found = self._cache.get(batch.identity)
        if found is None:
            self._feeds(batch)
            found = self._cache.get(batch.identity)
        if found is None:
            raise AssertionError("the cache lost what was just put there")
        rows = json.loads((found / _SIZES).read_bytes())
        return [{name: ImageSize(**size) for name, size in row.items()} for row in rows]

    def _check(self, sample: LabelledSample, result: Result) -> None:
        """A sample's numbers have to be as many as the model gives."""
        values = getattr(result, "values", None)
        if self.data.metric == "mae" and values is not None and len(values) != len(sample.truth):
            what = f"the data gives {len(sample.truth)} numbers, the model {len(values)}"
            raise ContractError(self._finding(sample, what))

    def _finding(self, sample: LabelledSample, what: str) -> Finding:
        return Finding(what, Location(self.data.name, sample.line, 1))


def _batches(samples: Sequence[LabelledSample], inputs: Sequence[Chain]) -> Iterator[_Batch]:
    """Samples in batches, each with a hash of all that decides its model inputs: files, steps, code, tools."""
    chains = [
        {"name": chain.name, "tensor": chain.tensor, "types": [str(value) for value in chain.types],
         "steps": [[use.step, to_json(use.bound)] for use in chain.steps]}
        for chain in inputs
    ]  # fmt: skip
    common = json_hash({"chains": chains, "code": code_hash(_CODE), "tools": tool_versions(_TOOLS)})
    for start in range(0, len(samples), BATCH):
        held = samples[start : start + BATCH]
        files = [sorted(sample.hashes.items()) for sample in held]
        yield _Batch(start, held, json_hash({"labelled": common, "files": files}))


def _finite(arrays: Arrays) -> bool:
    return all(bool(np.all(np.isfinite(array))) for array in arrays.values())
