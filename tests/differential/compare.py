"""Runs queries on tbpy and on ClickHouse and tells where they differ.

    python -m tests.differential.compare "SELECT lower('A')" "SELECT count() FROM events"
    python -m tests.differential.compare --file queries.sql

A file holds a query a line. The tables of the recorded fixtures can be read (`--tables` lists them). The exit code is
1 when an answer is wrong: different from ClickHouse's, or an error that is no refusal where ClickHouse has an answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.conformance.comparison import Answer
from tests.conformance.dialect import DialectRunner, Outcome, print_outcome
from tests.conformance.dialect_cases import DialectCase, fixtures
from tests.differential.oracle import Oracle, OracleError


def compared(queries: Sequence[str]) -> Iterator[Outcome]:
    """The outcome of each query; of kind "error" where ClickHouse has no answer."""
    runner = DialectRunner()
    with Oracle() as oracle:
        for query in queries:
            nothing = DialectCase("compare", "", "", query, Answer((), []), True)
            try:
                want = oracle_answer(oracle, query)
            except OracleError as error:
                outcome = runner.run(nothing)
                said = outcome.detail if outcome.kind in ("refused", "crashed") else f"an answer: {outcome.got}"
                yield Outcome(nothing, "error", f"ClickHouse: {str(error)[:300]}\n        tbpy: {said}", outcome.sql)
                continue
            yield runner.run(DialectCase("compare", "", "", query, want, is_ordered(query, want)))
    runner.close()


def oracle_answer(oracle: Oracle, query: str) -> Answer:
    try:
        found = json.loads(oracle.answer(query, "JSONCompact"))
    except json.JSONDecodeError as error:  # an error halfway is written into the answer
        raise OracleError(f"no whole answer: {error}") from error
    return Answer(
        tuple((column["name"], column["type"]) for column in found["meta"]), found["data"], found.get("totals")
    )


def is_ordered(query: str, answer: Answer) -> bool:
    """Whether the order of rows is given: at most one row, or ORDER BY outside of all brackets."""
    outside, depth = [], 0
    for char in query:
        depth += (char == "(") - (char == ")")
        outside.append(char if depth == 0 else " ")
    return len(answer.rows) <= 1 or "ORDER BY" in "".join(outside).upper()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("queries", nargs="*")
    parser.add_argument("--file", type=Path, help="a query a line; - reads standard input")
    parser.add_argument("--sql", action="store_true", help="with the DuckDB SQL")
    parser.add_argument("--quiet", action="store_true", help="only what differs")
    parser.add_argument("--tables", action="store_true", help="show the tables and stop")
    options = parser.parse_args(arguments)
    if options.tables:
        for table in fixtures().values():
            print(table["ddl"])
        return 0
    wrong = False
    for outcome in compared([*options.queries, *_lines(options.file)]):
        wrong = wrong or outcome.wrong
        if not options.quiet or outcome.wrong:
            print_outcome(outcome, sql=options.sql, whole=not options.quiet and outcome.kind != "error")
    return int(wrong)


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    return [line.strip().rstrip(";") for line in text.split("\n") if line.strip()]


if __name__ == "__main__":
    sys.exit(main())
