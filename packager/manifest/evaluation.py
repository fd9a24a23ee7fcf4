"""`evaluation:`: labelled data and what is asked of it."""

from __future__ import annotations

from packager.manifest.addresses import read_address
from packager.manifest.nodes import Mapping, Node
from packager.manifest.reader import Reader
from packager.model.manifest import Evaluation


class _Rest(Evaluation):
    """The other keys: the address was read before."""

    data: str = "."


def read_evaluation(reader: Reader, node: Node | None, outputs: list[str]) -> Evaluation | None:
    """The section, or None after a finding. Without any output (which has its own finding) its name is not checked."""
    if node is None:
        return None
    if not isinstance(node, Mapping) or "data" not in node.entries:
        reader.part(node, Evaluation)
        return None
    data = read_address(reader, node.entries["data"])
    rest = reader.part(node.without("data"), _Rest)
    if rest is None or data is None:
        return None
    if rest.output is not None and outputs:
        at = node.entries["output"]
        if not reader.known(at, rest.output, "output", outputs):
            return None
    return Evaluation(data=data, metric=rest.metric, max_drop=rest.max_drop, output=rest.output)
