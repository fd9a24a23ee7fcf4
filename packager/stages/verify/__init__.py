"""Stage verify: every artefact runs here, is compared with its source, and must pass its gate."""

from packager.stages.verify.figures import figures
from packager.stages.verify.gate import DEFAULT_GATES, judge, judge_accuracy, thresholds
from packager.stages.verify.run import Verified, run_action, stored, to_source_units, verify, with_accuracy

__all__ = [
    "DEFAULT_GATES",
    "Verified",
    "figures",
    "judge",
    "judge_accuracy",
    "run_action",
    "stored",
    "thresholds",
    "to_source_units",
    "verify",
    "with_accuracy",
]
