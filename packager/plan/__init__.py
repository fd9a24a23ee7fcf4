"""From a manifest and a looked-at model to a plan: checked chains and a DAG of jobs."""

from packager.plan.chains import build_chains, contract_hash
from packager.plan.describe import describe
from packager.plan.jobs import make
from packager.plan.labelled import about_data, judged_output, read_labelled
from packager.plan.lower import lower_chains, lower_input, lower_output
from packager.plan.preflight import Chains, check, check_without_model
from packager.plan.versions import too_old

__all__ = [
    "Chains",
    "about_data",
    "build_chains",
    "check",
    "check_without_model",
    "contract_hash",
    "describe",
    "judged_output",
    "lower_chains",
    "lower_input",
    "lower_output",
    "make",
    "read_labelled",
    "too_old",
]
