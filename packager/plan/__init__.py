"""From a manifest and a looked-at model to a plan: checked chains and a DAG of jobs."""

from packager.plan.chains import build_chains, contract_hash
from packager.plan.jobs import make
from packager.plan.lower import lower_input, lower_output
from packager.plan.preflight import Chains, check, check_without_model

__all__ = [
    "Chains",
    "build_chains",
    "check",
    "check_without_model",
    "contract_hash",
    "lower_input",
    "lower_output",
    "make",
]
