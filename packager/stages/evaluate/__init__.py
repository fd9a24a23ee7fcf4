"""Stage evaluate: source and artefacts on labelled data, and the drop of the metric."""

from packager.stages.evaluate.measure import measure
from packager.stages.evaluate.run import Evaluation, Feed, ToResult

__all__ = ["Evaluation", "Feed", "ToResult", "measure"]
