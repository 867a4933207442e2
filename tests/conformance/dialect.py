"""Runs the recorded queries through tbpy: `python -m tests.conformance.dialect --help`.

A case comes out as one of four: `full` (names, types, values, totals and row count are ClickHouse's), `refused` (tbpy
says that it cannot: an error of the compiler), `differs` (a wrong answer) or `crashed` (anything else that is raised,
and every error of DuckDB while the query runs). A query that ClickHouse refuses is `full` when tbpy refuses it with the
same code, and `differs` when the code is another or there is an answer.
"""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tbpy.clickhouse.compiler import Catalog, CompiledQuery, compile_query
from tbpy.clickhouse.formats import converter
from tbpy.engines.duckdb import DuckDBEngine
from tbpy.errors import QueryError, UnsupportedError
from tests.conformance import dialect_cases
from tests.conformance.comparison import Answer, difference, shown
from tests.conformance.dialect_cases import DialectCase

KINDS = ("full", "differs", "crashed", "refused")


@dataclass(frozen=True, slots=True)
class Outcome:
    case: DialectCase
    kind: str
    detail: str = ""
    sql: str = ""
    got: Answer | None = None

    @property
    def wrong(self) -> bool:
        return self.kind in ("differs", "crashed")


class DialectRunner:
    """The fixture tables in an engine in memory, and the way from a query to its outcome."""

    def __init__(self) -> None:
        self.catalog: Catalog = dialect_cases.fixture_catalog()
        self.engine = DuckDBEngine(threads=1)
        for statement in dialect_cases.fixture_sql():
            self.engine.run(statement)

    def close(self) -> None:
        self.engine.close()

    def run(self, case: DialectCase) -> Outcome:
        sql = ""
        try:
            compiled = compile_query(case.query, self.catalog)
            sql = compiled.sql
            got = answer_of(self.engine, compiled)
        except UnsupportedError as error:
            return Outcome(case, "refused", error.message, sql)
        except QueryError as error:
            return _failed(case, error, sql)
        except Exception:
            return Outcome(case, "crashed", raised(), sql)
        if case.error is not None:
            return Outcome(case, "differs", f"error {case.error}, got an answer", sql, got)
        found = difference(case.want, got, ordered=case.ordered)
        return Outcome(case, "full" if found is None else "differs", found or "", sql, got)


def answer_of(engine: DuckDBEngine, compiled: CompiledQuery) -> Answer:
    """The answer as JSON values."""
    result = engine.query(compiled)
    rows, totals = result.rows, result.totals
    converters = [converter(column.type) for column in compiled.columns]
    meta = tuple((column.name, str(column.type)) for column in compiled.columns)
    values = [[convert(v) for convert, v in zip(converters, row, strict=True)] for row in rows]
    total = None if totals is None else [c(v) for c, v in zip(converters, totals, strict=True)]
    return Answer(meta, values, total)


def _failed(case: DialectCase, error: QueryError, sql: str) -> Outcome:
    """A refusal before the query ran; while it ran, DuckDB found no way to the answer that ClickHouse has."""
    if case.error is not None:
        found = "" if error.code == case.error else f"error {case.error}, got {error.code}: {error.message[:200]}"
        return Outcome(case, "differs" if found else "full", found, sql)
    if sql:
        return Outcome(case, "crashed", raised(), sql)
    return Outcome(case, "refused", error.message)


def raised() -> str:
    """The error and the line of tbpy that it came from, shortly."""
    kind, error, trace = sys.exc_info()
    assert kind is not None
    frames = [frame for frame in traceback.extract_tb(trace) if "/tbpy/" in frame.filename]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    text = " ".join(str(error).split())
    return f"{kind.__name__}: {text[:300]}{place}"


# --- the command ------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    runner = DialectRunner()
    if options.query:
        cases = [DialectCase("query", "query", "query", options.query, Answer((), []), True)]
        print_outcome(runner.run(cases[0]), sql=True, whole=True)
        return 0
    cases = [case for case in _cases(options.cases) if _chosen(case, options)]
    outcomes = [runner.run(case) for case in cases]
    runner.close()
    listed = [o for o in outcomes if options.id or o.kind == options.show or (options.show == "wrong" and o.wrong)]
    for outcome in listed[: options.limit]:
        print_outcome(outcome, sql=options.sql, whole=bool(options.id))
    if options.reasons:
        _print_reasons(outcomes)
    if not options.id:
        _print_table(outcomes)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.dialect", description=__doc__)
    parser.add_argument("--cases", default="recorded", help="recorded, own, all, or a .jsonl file or folder of them")
    parser.add_argument("--area", help="only areas that start so")
    parser.add_argument("--id", help="only cases whose id starts so, shown whole")
    parser.add_argument("--grep", help="only cases whose query holds this text")
    parser.add_argument("--show", choices=[*KINDS, "wrong"], help="list the cases of this outcome; wrong = two of them")
    parser.add_argument("--limit", type=int, default=40, help="how many cases to list")
    parser.add_argument("--sql", action="store_true", help="with the DuckDB SQL")
    parser.add_argument("--reasons", action="store_true", help="count why cases were refused")
    parser.add_argument("--query", help="compile and run this query instead")
    return parser


def _cases(which: str) -> list[DialectCase]:
    if which == "recorded":
        return dialect_cases.recorded()
    if which in ("own", "all"):
        return [*(dialect_cases.recorded() if which == "all" else []), *dialect_cases.own()]
    return dialect_cases.own(Path(which))


def _chosen(case: DialectCase, options: argparse.Namespace) -> bool:
    return (
        case.area.startswith(options.area or "")
        and case.id.startswith(options.id or "")
        and (options.grep or "").lower() in case.query.lower()
    )


def print_outcome(outcome: Outcome, *, sql: bool, whole: bool) -> None:
    case = outcome.case
    print(f"{outcome.kind:8}{case.id}  {case.query}")
    if outcome.detail:
        print(f"        {outcome.detail}")
    if sql and outcome.sql:
        print(f"        {outcome.sql}")
    if whole:
        _print_answer("want", case.want)
        if outcome.got is not None:
            _print_answer("got", outcome.got)


def _print_answer(title: str, answer: Answer) -> None:
    if not answer.meta:
        return
    print(f"  {title:5} {', '.join(f'{name}: {type_}' for name, type_ in answer.meta)}")
    for row in answer.rows[:10]:
        print(f"        {shown(row, 400)}")
    if answer.totals is not None:
        print(f"        totals {shown(answer.totals, 400)}")


def _print_reasons(outcomes: Iterable[Outcome]) -> None:
    reasons = Counter(outcome.detail[:110] for outcome in outcomes if outcome.kind == "refused")
    for reason, count in reasons.most_common(60):
        print(f"{count:5}  {reason}")


def _print_table(outcomes: Sequence[Outcome]) -> None:
    counts = Counter((outcome.case.file, outcome.case.area, outcome.kind) for outcome in outcomes)
    groups = sorted({(file, area) for file, area, _ in counts})
    files = sorted({file for file, _ in groups})
    print(f"\n{'':34}{'n':>6}" + "".join(f"{kind:>9}" for kind in KINDS))
    for file in files:
        areas = [area for found, area in groups if found == file]
        for area in areas if len(areas) > 1 else []:
            _print_counts(f"  {file} {area}", [counts[file, area, kind] for kind in KINDS])
        totals = [sum(counts[file, area, kind] for found, area in groups if found == file) for kind in KINDS]
        _print_counts(file, totals)
    if len(files) > 1:
        _print_counts("all", [sum(outcome.kind == kind for outcome in outcomes) for kind in KINDS])


def _print_counts(title: str, counts: Sequence[int]) -> None:
    total = sum(counts)
    share = f"{100 * counts[0] / total:6.1f} %" if total else ""
    print(f"{title:34}{total:6}" + "".join(f"{count:9}" for count in counts) + share)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # so that `| head` ends it quietly
    sys.exit(main())
