"""Stage contract: samples through the reference steps and the source model; every `expect:` must hold."""

from packager.stages.contract.decode import decode
from packager.stages.contract.samples import calibration_feeds, labelled_feed, sample_name, source_goldens

__all__ = ["calibration_feeds", "decode", "labelled_feed", "sample_name", "source_goldens"]
