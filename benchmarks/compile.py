"""How long a query takes to compile, beside sqlglot's parse of the same text.

    python -m benchmarks.compile [--rounds 200]

Cold: the text is compiled anew each time. The queries are those of `benchmarks.queries`, brought to 200 characters by
proportion.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import sqlglot

from benchmarks.queries import PAIRS, catalog
from tbpy.clickhouse.compiler import compile_query
from tbpy.clickhouse.parser import parse_statement


def median_ms(run: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    tables = catalog()
    columns: dict[str, list[float]] = {"sqlglot parse": [], "tbpy parse": [], "tbpy compile": []}
    for pair in PAIRS:
        sql = pair.clickhouse
        scale = 200 / len(sql)
        columns["sqlglot parse"].append(
            scale * median_ms(partial(sqlglot.parse_one, sql, dialect="clickhouse"), rounds)
        )
        columns["tbpy parse"].append(scale * median_ms(partial(parse_statement, sql), rounds))
        columns["tbpy compile"].append(scale * median_ms(partial(compile_query, sql, tables), rounds))
    print("milliseconds for 200 characters, median of the queries and worst")
    for name, values in columns.items():
        print(f"{name:14} {statistics.median(values):7.3f} {max(values):7.3f}")
    ratio = statistics.median(columns["tbpy compile"]) / statistics.median(columns["sqlglot parse"])
    print(f"tbpy compile / sqlglot parse: {ratio:.2f}")


if __name__ == "__main__":
    main()
