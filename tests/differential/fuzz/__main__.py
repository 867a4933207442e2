"""Compares random queries over random tables with ClickHouse, shrinks what goes wrong and lists it.

    python -m tests.differential.fuzz --seed 1 --queries 500 --minutes 10

The same seed gives the same tables and queries. Those whose rule is mended go to `tests/differential/queries/fuzz.txt`.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tests.differential.fuzz.aggregations import AggregateGenerator
from tests.differential.fuzz.calls import CallGenerator
from tests.differential.fuzz.rarities import RarityGenerator
from tests.differential.fuzz.run import KINDS, Arena, Result
from tests.differential.fuzz.shrink import shrunk, shrunk_tables, with_values
from tests.differential.fuzz.statements import RandomQuery, StatementGenerator
from tests.differential.fuzz.tables import RandomTable, random_table
from tests.differential.oracle import OracleError

_QUERIES_PER_TABLES = 40
#: How often each kind of queries is drawn.
_SHARES = {"statements": 4, "rarities": 3, "calls": 5, "aggregates": 3}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    arena, kinds, seen = Arena(), Counter[str](), Counter[str]()
    reasons: Counter[str] = Counter()
    ends = time.monotonic() + 60 * options.minutes
    for number in range(options.queries):
        if time.monotonic() > ends:
            break
        if number % _QUERIES_PER_TABLES == 0:
            source = random.Random(f"{options.seed}/{number}")
            tables = [random_table(source, f"t{place}") for place in (1, 2, 3)]
            arena.load(tables)
            generators = _generators(source, tables, options.level)
        query = generators[_drawn(source, options)].query()
        result = arena.run(query.text, ordered=query.ordered)
        kinds[result.kind] += 1
        if options.save and result.kind == "equal":
            _save(arena, tables, query, options.save)
        if result.kind in ("refused", "accepted"):
            reasons[f"{result.kind}: {result.detail[:150]}"] += 1
        if result.wrong or result.kind in options.show:
            signature = _signature(result)
            seen[signature] += 1
            if seen[signature] <= options.repeat:
                _report(arena, tables, query, result, options)
    arena.close()
    for reason, count in reasons.most_common(options.reasons):
        print(f"{count:5}  {reason}")
    print(", ".join(f"{kind} {kinds[kind]}" for kind in KINDS if kinds[kind]))
    return int(any(kinds[kind] for kind in ("differs", "crashed", "mistaken")))


class _Generator(Protocol):
    def query(self) -> RandomQuery: ...


def _generators(source: random.Random, tables: Sequence[RandomTable], level: int) -> dict[str, _Generator]:
    return {
        "statements": StatementGenerator(source, tables, level),
        "rarities": RarityGenerator(source, tables),
        "calls": CallGenerator(source),
        "aggregates": AggregateGenerator(source, tables),
    }


def _drawn(source: random.Random, options: argparse.Namespace) -> str:
    chosen: str = options.only or source.choices(*zip(*_SHARES.items(), strict=True))[0]
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queries", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument(
        "--level", type=int, default=3, help="0 expressions, 1 groups and order, 2 sources, 3 everything"
    )
    parser.add_argument("--only", choices=list(_SHARES), help="one kind of queries")
    parser.add_argument("--show", nargs="*", default=[], help="other outcomes to list: refused, accepted")
    parser.add_argument("--repeat", type=int, default=2, help="how many of the same failure to show")
    parser.add_argument("--reasons", type=int, default=0, help="count so many reasons of refusals")
    parser.add_argument("--shrink", type=int, default=250, help="attempts to make a query smaller")
    parser.add_argument("--save", type=Path, help="append queries that answer alike to this file, with a few rows")
    parser.add_argument("--sql", action="store_true", help="with the DuckDB SQL")
    return parser


def _save(arena: Arena, tables: Sequence[RandomTable], query: RandomQuery, path: Path) -> None:
    """The query over the first rows of its tables, where it is short and ClickHouse answers it with rows."""
    text = with_values(query.text, [replace(table, rows=table.rows[:4]) for table in tables])
    result = arena.run(text, ordered=query.ordered)
    if len(text) < 700 and result.kind == "equal" and result.want is not None and 0 < len(result.want.rows) < 20:
        with path.open("a", encoding="utf-8") as out:
            out.write(text + "\n")


def _signature(result: Result) -> str:
    """What failures of one cause share: the text without values and names."""
    if result.kind == "differs":
        kind = re.search(r": type (.*)", result.detail)
        if result.detail.startswith("name "):
            return "name"
        return f"type {kind[1]}" if kind else re.sub(r"'[^']*'|\d+", "", result.detail)[:60]
    return f"{result.kind} " + re.sub(r"'[^']*'|\"[^\"]*\"|\d+|`[^`]*`", "", result.detail)[:70]


def _category(result: Result) -> str:
    if result.kind != "differs":
        return _signature(result)[:40]
    for word in (": type ", "name ", " rows, got ", " columns, got "):
        if word in result.detail:
            return word
    return "value"


def _report(
    arena: Arena, tables: Sequence[RandomTable], query: RandomQuery, result: Result, options: argparse.Namespace
) -> None:
    category = _category(result)
    best = [(result, query.ordered)]

    def still_wrong(text: str, as_before: bool) -> bool:
        ordered = query.ordered and as_before
        found = arena.run(text, ordered=ordered)
        same = found.kind == result.kind and _category(found) == category
        if same:
            best.append((found, ordered))
        return same

    try:
        text = shrunk(query.text, still_wrong, attempts=options.shrink)
    except Exception as error:
        print(f"(no shrinking: {error!r:.100})")
        text = query.text

    def fails(smaller: Sequence[RandomTable]) -> bool:
        try:
            arena.load(smaller)
            return still_wrong(text, best[-1][1])
        except OracleError:
            return False

    small = shrunk_tables([table for table in tables if table.name in text], fails)
    arena.load(tables)
    whole = with_values(text, small)
    found = arena.run(whole, ordered=best[-1][1])
    found, whole = (found, whole) if found.kind == result.kind else (best[-1][0], text)
    print(f"{found.kind:8} {text}\n         {found.detail}\n         {whole}")
    if options.sql:
        print(f"         {found.sql}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
