"""The SQL that tbpy compiles beside the SQL an expert writes in DuckDB: 20 endpoint queries, one run, one connection.

    python -m benchmarks.queries [--rows 10000000] [--rounds 7]

Prints the ratio of medians for each query (compiled / hand-written) and their geometric mean. Each round runs both
forms in turn, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from tbpy.clickhouse.compiler import StaticCatalog, Table, TableColumn, compile_query
from tbpy.clickhouse.types import parse_type

COLUMNS = {
    "timestamp": "DateTime",
    "session_id": "String",
    "user_id": "UInt64",
    "action": "LowCardinality(String)",
    "page": "String",
    "country": "String",
    "referrer": "Nullable(String)",
    "duration": "UInt32",
    "price": "Float64",
    "payload": "String",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One question in ClickHouse's SQL and in an expert's DuckDB."""

    name: str
    clickhouse: str
    duckdb: str


PAIRS = (
    Pair("count", "SELECT count() FROM events", "SELECT count(*) FROM events"),
    Pair(
        "hits by day",
        "SELECT toDate(timestamp) AS day, count() AS hits FROM events GROUP BY day ORDER BY day",
        "SELECT CAST(timestamp AS DATE) AS day, count(*) AS hits FROM events GROUP BY day ORDER BY day",
    ),
    Pair(
        "hits by hour, last week",
        "SELECT toStartOfHour(timestamp) AS t, count() AS hits FROM events "
        "WHERE timestamp >= toDateTime('2024-06-23 00:00:00') GROUP BY t ORDER BY t",
        "SELECT date_trunc('hour', timestamp) AS t, count(*) AS hits FROM events "
        "WHERE timestamp >= TIMESTAMP '2024-06-23 00:00:00' GROUP BY t ORDER BY t",
    ),
    Pair(
        "top pages",
        "SELECT page, count() AS hits, uniq(user_id) AS visits FROM events "
        "WHERE action = 'view' GROUP BY page ORDER BY hits DESC LIMIT 10",
        "SELECT page, count(*) AS hits, count(DISTINCT user_id) AS visits FROM events "
        "WHERE action = 'view' GROUP BY page ORDER BY hits DESC LIMIT 10",
    ),
    Pair(
        "revenue by country",
        "SELECT country, sum(price) AS revenue, avg(price) AS mean FROM events GROUP BY country ORDER BY revenue DESC",
        "SELECT country, sum(price) AS revenue, avg(price) AS mean FROM events GROUP BY country ORDER BY revenue DESC",
    ),
    Pair(
        "conditional counts",
        "SELECT country, countIf(action = 'buy') AS buys, sumIf(price, action = 'buy') AS revenue FROM events "
        "GROUP BY country ORDER BY country",
        "SELECT country, count(*) FILTER (action = 'buy') AS buys, coalesce(sum(price) FILTER (action = 'buy'), 0) "
        "FROM events GROUP BY country ORDER BY country",
    ),
    Pair(
        "one user",
        "SELECT timestamp, action, page FROM events WHERE user_id = 4242 ORDER BY timestamp DESC LIMIT 20",
        "SELECT timestamp, action, page FROM events WHERE user_id = 4242 ORDER BY timestamp DESC LIMIT 20",
    ),
    Pair(
        "sum of integers",
        "SELECT action, sum(duration) AS total, max(duration) AS longest FROM events GROUP BY action ORDER BY action",
        "SELECT action, sum(duration) AS total, max(duration) AS longest FROM events GROUP BY action ORDER BY action",
    ),
    Pair(
        "quantiles",
        "SELECT action, quantile(0.5)(duration) AS p50, quantile(0.95)(duration) AS p95 FROM events "
        "GROUP BY action ORDER BY action",
        "SELECT action, quantile_cont(duration, 0.5) AS p50, quantile_cont(duration, 0.95) AS p95 FROM events "
        "GROUP BY action ORDER BY action",
    ),
    Pair(
        "arithmetic",
        "SELECT country, sum(price * duration) AS spent, sum(price) / count() AS mean FROM events "
        "GROUP BY country ORDER BY country",
        "SELECT country, sum(price * duration) AS spent, sum(price) / count(*) AS mean FROM events "
        "GROUP BY country ORDER BY country",
    ),
    Pair(
        "case and text",
        "SELECT multiIf(duration < 100, 'short', duration < 1000, 'medium', 'long') AS kind, count() AS n FROM events "
        "GROUP BY kind ORDER BY kind",
        "SELECT CASE WHEN duration < 100 THEN 'short' WHEN duration < 1000 THEN 'medium' ELSE 'long' END AS kind, "
        "count(*) AS n FROM events GROUP BY kind ORDER BY kind",
    ),
    Pair(
        "like",
        "SELECT count() FROM events WHERE page LIKE '/product/%' AND lower(country) = 'es'",
        "SELECT count(*) FROM events WHERE page LIKE '/product/%' AND lower(country) = 'es'",
    ),
    Pair(
        "nullable",
        "SELECT ifNull(referrer, 'direct') AS source, count() AS n FROM events GROUP BY source ORDER BY n DESC LIMIT 5",
        "SELECT coalesce(referrer, 'direct') AS source, count(*) AS n FROM events "
        "GROUP BY source ORDER BY n DESC LIMIT 5",
    ),
    Pair(
        "JSON",
        "SELECT JSONExtractString(payload, 'browser') AS browser, count() AS n FROM events WHERE user_id < 20000 "
        "GROUP BY browser ORDER BY n DESC",
        "SELECT coalesce(json_extract_string(payload, '$.browser'), '') AS browser, count(*) AS n FROM events "
        "WHERE user_id < 20000 GROUP BY browser ORDER BY n DESC",
    ),
    Pair(
        "sessions",
        "SELECT avg(hits) AS pages, avg(seconds) AS length FROM (SELECT session_id, count() AS hits, "
        "dateDiff('second', min(timestamp), max(timestamp)) AS seconds FROM events "
        "WHERE timestamp >= toDateTime('2024-06-23 00:00:00') GROUP BY session_id)",
        "SELECT avg(hits) AS pages, avg(seconds) AS length FROM (SELECT session_id, count(*) AS hits, "
        "datediff('second', min(timestamp), max(timestamp)) AS seconds FROM events "
        "WHERE timestamp >= TIMESTAMP '2024-06-23 00:00:00' GROUP BY session_id)",
    ),
    Pair(
        "left join",
        "SELECT c.region, count() AS n FROM events AS e LEFT JOIN countries AS c ON e.country = c.country "
        "GROUP BY c.region ORDER BY n DESC",
        "SELECT coalesce(c.region, ''), count(*) AS n FROM events AS e "
        "LEFT JOIN countries AS c ON e.country = c.country GROUP BY 1 ORDER BY n DESC",
    ),
    Pair(
        "latest of each",
        "SELECT user_id, argMax(page, timestamp) AS last FROM events WHERE country = 'ES' GROUP BY user_id "
        "ORDER BY user_id LIMIT 100",
        "SELECT user_id, arg_max(page, timestamp) AS last FROM events WHERE country = 'ES' GROUP BY user_id "
        "ORDER BY user_id LIMIT 100",
    ),
    Pair(
        "in a subquery",
        "SELECT count() FROM events WHERE user_id IN (SELECT user_id FROM events WHERE action = 'buy' AND price > 99)",
        "SELECT count(*) FROM events WHERE user_id IN (SELECT user_id FROM events WHERE action = 'buy' AND price > 99)",
    ),
    Pair(
        "window",
        "SELECT day, hits, sum(hits) OVER (ORDER BY day) AS running FROM (SELECT toDate(timestamp) AS day, "
        "count() AS hits FROM events GROUP BY day) ORDER BY day",
        "SELECT day, hits, sum(hits) OVER (ORDER BY day) AS running FROM (SELECT CAST(timestamp AS DATE) AS day, "
        "count(*) AS hits FROM events GROUP BY day) ORDER BY day",
    ),
    Pair(
        "top of each",
        "SELECT country, page, count() AS n FROM events GROUP BY country, page "
        "ORDER BY country, n DESC LIMIT 3 BY country",
        "SELECT country, page, count(*) AS n FROM events GROUP BY country, page "
        "QUALIFY row_number() OVER (PARTITION BY country ORDER BY n DESC) <= 3 ORDER BY country, n DESC",
    ),
)


def fill(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Events of half a year, the same for the same number of rows."""
    connection.execute(
        f"""
        CREATE TABLE events AS SELECT
            TIMESTAMP '2024-01-01' + to_seconds(CAST(i * 15724800 // {rows} AS BIGINT)) AS timestamp,
            's' || (hash(i // 7) % {max(rows // 8, 1)}) AS session_id,
            CAST(hash(i) % 100000 AS UBIGINT) AS user_id,
            ['view', 'click', 'cart', 'buy'][1 + CAST(hash(i + 1) % 4 AS INTEGER)] AS action,
            '/' || ['product', 'blog', 'home'][1 + CAST(hash(i + 2) % 3 AS INTEGER)]
                || '/' || hash(i + 3) % 500 AS page,
            ['ES', 'US', 'FR', 'DE', 'IT', 'PT', 'UK', 'JP'][1 + CAST(hash(i + 4) % 8 AS INTEGER)] AS country,
            CASE WHEN hash(i + 5) % 3 > 0 THEN 'site' || hash(i + 6) % 50 END AS referrer,
            CAST(hash(i + 7) % 2000 AS UINTEGER) AS duration,
            CAST(hash(i + 8) % 10000 AS DOUBLE) / 100 AS price,
            '{{"browser": "' || ['chrome', 'firefox', 'safari'][1 + CAST(hash(i + 9) % 3 AS INTEGER)]
                || '", "n": ' || hash(i + 10) % 100 || ', "ok": true}}' AS payload
        FROM range({rows}) AS r(i)
        """
    )
    connection.execute(
        "CREATE TABLE countries AS SELECT * FROM (VALUES ('ES', 'south'), ('US', 'west')) AS v(country, region)"
    )


def catalog() -> StaticCatalog:
    events = tuple(TableColumn(name, parse_type(type_)) for name, type_ in COLUMNS.items())
    countries = (TableColumn("country", parse_type("String")), TableColumn("region", parse_type("String")))
    tables = {"events": Table("events", "events", events), "countries": Table("countries", "countries", countries)}
    return StaticCatalog(tables)


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(connection: duckdb.DuckDBPyConnection, pair: Pair, rounds: int) -> tuple[float, float]:
    """Median seconds of the compiled and of the hand-written query."""
    compiled = compile_query(pair.clickhouse, catalog())
    now = {"now": datetime.now(UTC).replace(tzinfo=None)} if compiled.uses_now else None
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        taken[0].append(timed(lambda: connection.execute(compiled.sql, now).fetchall()))
        taken[1].append(timed(lambda: connection.execute(pair.duckdb).fetchall()))
    return statistics.median(taken[0]), statistics.median(taken[1])


def connect() -> duckdb.DuckDBPyConnection:
    """A database in memory, with the Python functions that the compiled queries call."""
    from tbpy.clickhouse.udf import FUNCTIONS

    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET TimeZone = 'UTC'")
    for name in {name for pair in PAIRS for name in compile_query(pair.clickhouse, catalog()).functions}:
        udf = FUNCTIONS[name]
        connection.create_function(
            name,
            udf.function,
            list(udf.arguments),
            udf.result,
            null_handling=udf.null_handling,  # type: ignore[arg-type]
        )
    return connection


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    connection = connect()
    fill(connection, options.rows)
    ratios = []
    print(f"{'query':28} {'tbpy ms':>9} {'DuckDB ms':>10} {'ratio':>6}")
    for pair in PAIRS:
        ours, theirs = compare(connection, pair, options.rounds)
        ratios.append(ours / theirs)
        print(f"{pair.name:28} {ours * 1000:9.1f} {theirs * 1000:10.1f} {ours / theirs:6.2f}")
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"{'geometric mean':28} {'':9} {'':10} {mean:6.2f}")


if __name__ == "__main__":
    main()
