"""Stage verify: every artefact runs here, is compared with its source, and must pass its gate."""

from packager.stages.verify.figures import figures
from packager.stages.verify.gate import DEFAULT_GATES, judge, thresholds
from packager.stages.verify.run import Verified, verify

__all__ = ["DEFAULT_GATES", "Verified", "figures", "judge", "thresholds", "verify"]
