"""Tests of a project: `tests/*.yaml` and those of Tinybird Classic, in a workspace that is made for them."""

from tbpy.testing.answers import ask
from tbpy.testing.model import Case, Suite
from tbpy.testing.runner import Outcome, Report, judge, run
from tbpy.testing.suite import find_suites, parse_suite
from tbpy.testing.update import Answer, Updated, update

__all__ = [
    "Answer",
    "Case",
    "Outcome",
    "Report",
    "Suite",
    "Updated",
    "ask",
    "find_suites",
    "judge",
    "parse_suite",
    "run",
    "update",
]
