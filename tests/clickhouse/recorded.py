"""Recorded cases that the tests of the parser share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conformance import cases

_OWN = Path(__file__).parent.parent / "cases"


def own(name: str) -> list[dict[str, Any]]:
    """The lines of `tests/cases/<name>`: what ClickHouse 26.9 said."""
    return [json.loads(line) for line in (_OWN / name).read_text(encoding="utf-8").split("\n") if line]


def statements() -> list[dict[str, Any]]:
    """Every recorded statement and single expression of the dialect."""
    return [*cases.load("dialect_cases.jsonl"), *cases.load("dialect_atoms.jsonl")]
