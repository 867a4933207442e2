"""Recorded statements with the nodes they read put in as subqueries, compared without white space."""

from __future__ import annotations

from tbpy.errors import TbpyError
from tbpy.project.subqueries import inline_subqueries
from tests.conformance.cases import load
from tests.conformance.floors import Record


def test_subqueries(record: Record) -> None:
    for case in load("subquery_cases.json"):
        wanted = case.get("out") or case["error"].removeprefix("DB::Exception: ")
        try:
            told = inline_subqueries(case["sql"], case["replacements"])
        except TbpyError as error:
            record("subqueries", "error" in case and wanted in error.message, case["sql"])
        else:
            record("subqueries", "out" in case and "".join(told.split()) == "".join(wanted.split()), case["sql"])
