"""From the manifest's `model:` mapping to what the child with torch is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from packager.core.errors import ModelError
from packager.core.hashing import sha256_file
from packager.model.manifest import Model
from packager.model.source import ModelSource, Preparation
from packager.sources._torch import archive
from packager.sources._torch.interpreter import choose

SHAPES_UNSEEN = "inputs and outputs: seen when torch exports the model"


def inspect(path: Path, format_: str) -> ModelSource:
    """What is known without torch: identity only. Raises ModelError for what is refused."""
    archive.refuse(path)
    return ModelSource(format=format_, sha256=sha256_file(path), inputs=(), outputs=(), unseen=(SHAPES_UNSEEN,))


def reader(format_: str) -> Callable[[Path, Mapping[str, tuple[int | None, ...]]], ModelSource]:
    """`inspect` of a format whose inputs torch alone knows, whatever shapes the manifest gives."""

    def look(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:  # noqa: ARG001 - see above
        """Identity only. Raises ModelError for broken and encrypted files, code in pickles and custom operators."""
        return inspect(path, format_)

    return look


def prepare(kind: str, model: Model, code: tuple[Path, ...], least: tuple[int, int]) -> Preparation:
    """Interpreter, class and code for the child. Raises ModelError and ToolMissingError."""
    interpreter = choose(model.python, least)
    request = {
        "kind": kind,
        "class": model.class_,
        "arguments": dict(model.arguments),
        "dtypes": dict(model.dtypes),
    }
    inputs = {"python": interpreter.path, **{f"code{index}": path for index, path in enumerate(code)}}
    tools = {"torch": interpreter.torch, "python with torch": interpreter.python}
    return Preparation(request, inputs, {"python": interpreter.identity}, tools)


def need_shapes(path: Path, model: Model) -> None:
    """Refuse a model whose inputs no one knows. Raises ModelError."""
    if not model.shapes:
        raise ModelError(
            f"{path.name} does not say the shapes of its inputs",
            expected="`shapes:` under `model:`, one for each argument of its `forward`, in that order",
            hint="for one image of 224 x 224: `shapes: {image: [1, 3, 224, 224]}`, with `packager init` "
            "--shape image=1,3,224,224",
        )


def refuse_class(path: Path, model: Model, what: str) -> None:
    """Refuse `class:` for a file that holds its own architecture. Raises ModelError."""
    if model.class_ is not None:
        raise ModelError(f"{path.name} is {what}, which needs no `class`", hint="remove `class` and what belongs to it")
