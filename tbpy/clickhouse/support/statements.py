"""Statements that tbpy answers or refuses, each with an example, which a test runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """`example` is one query that uses what `what` names."""

    what: str
    example: str


ANSWERED = (
    Statement(
        "WITH expressions and tables", "WITH 2 AS k, t AS (SELECT number FROM numbers(9)) SELECT number * k FROM t"
    ),
    Statement(
        "WITH RECURSIVE",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t",
    ),
    Statement("An alias anywhere in its query", "SELECT price * qty AS total, total / 2 FROM events WHERE total > 10"),
    Statement("PREWHERE", "SELECT count() FROM events PREWHERE qty > 1 WHERE price > 2"),
    Statement("FINAL, by the table's engine", "SELECT k, v FROM vers FINAL ORDER BY k"),
    Statement(
        "JOIN: INNER, LEFT, RIGHT, FULL, CROSS, PASTE; several in a row; ON, USING",
        "SELECT e.id, u.name FROM events AS e LEFT JOIN users AS u USING (user_id)",
    ),
    Statement(
        "ANY, SEMI and ANTI joins",
        "SELECT e.id, u.name FROM events AS e ANY LEFT JOIN users AS u ON e.user_id = u.user_id AND e.qty < u.age",
    ),
    Statement(
        "ASOF joins, INNER and LEFT",
        "SELECT t.sym, px, bid FROM trades AS t ASOF JOIN quotes AS q ON t.sym = q.sym AND t.t >= q.t",
    ),
    Statement(
        "ARRAY JOIN, LEFT ARRAY JOIN",
        "SELECT id, tag, i FROM events LEFT ARRAY JOIN tags AS tag, arrayEnumerate(tags) AS i",
    ),
    Statement(
        "Columns by pattern",
        "SELECT * EXCEPT (payload) REPLACE (qty + 1 AS qty), COLUMNS('^i') APPLY max FROM events GROUP BY ALL",
    ),
    Statement(
        "GROUP BY ALL, ROLLUP, CUBE, GROUPING SETS",
        "SELECT action, country, count() FROM events GROUP BY ROLLUP(action, country)",
    ),
    Statement("WITH TOTALS", "SELECT action, count() FROM events GROUP BY action WITH TOTALS HAVING count() > 1"),
    Statement("FILTER of an aggregate", "SELECT sum(price) FILTER (WHERE qty > 1) FROM events"),
    Statement(
        "Windows with frames, by name or in place",
        "SELECT id, sum(qty) OVER w FROM events WINDOW w AS (PARTITION BY action ORDER BY id ROWS 2 PRECEDING)",
    ),
    Statement("QUALIFY", "SELECT id FROM events QUALIFY row_number() OVER (PARTITION BY action ORDER BY ts) = 1"),
    Statement("DISTINCT, DISTINCT ON", "SELECT DISTINCT ON (action) action, id FROM events ORDER BY action, id"),
    Statement(
        "ORDER BY with NULLS FIRST or LAST, ORDER BY ALL",
        "SELECT country FROM events ORDER BY country DESC NULLS FIRST",
    ),
    Statement("COLLATE", "SELECT name FROM users ORDER BY name COLLATE 'en'"),
    Statement(
        "WITH FILL with FROM, TO, STEP, STALENESS, on any columns; INTERPOLATE",
        "SELECT number AS n, 1 AS i FROM numbers(3) ORDER BY n WITH FILL TO 9 STEP 2 INTERPOLATE (i AS i + 1)",
    ),
    Statement("LIMIT BY", "SELECT action, id FROM events ORDER BY id LIMIT 1, 2 BY action"),
    Statement("LIMIT with an offset or WITH TIES", "SELECT qty FROM events ORDER BY qty LIMIT 3 WITH TIES"),
    Statement("LIMIT of the last rows, or of a share of them", "SELECT id FROM events ORDER BY id LIMIT 0.25 OFFSET 2"),
    Statement(
        "IN with tuples, sets, tables and subqueries; GLOBAL IN",
        "SELECT id FROM events WHERE (user_id, qty) IN (SELECT user_id, 1 FROM users)",
    ),
    Statement(
        "EXISTS, scalar subqueries", "SELECT (SELECT max(price) FROM events) AS top WHERE EXISTS (SELECT 1 FROM users)"
    ),
    Statement("UNION ALL, UNION DISTINCT, INTERSECT, EXCEPT", "SELECT 1 AS n UNION ALL SELECT 2 EXCEPT SELECT 3"),
    Statement("Lambdas, also by name", "WITH x -> x * 2 AS double SELECT arrayMap(double, [1, 2])"),
    Statement("Parameters", "SELECT {n:UInt8} + 1"),
    Statement("SETTINGS and FORMAT", "SELECT 1 SETTINGS join_use_nulls = 1 FORMAT JSONEachRow"),
    Statement("DESCRIBE, SHOW TABLES, EXISTS", "DESCRIBE TABLE (SELECT 1 AS n)"),
    Statement("EXPLAIN SYNTAX", "EXPLAIN SYNTAX SELECT 1 + 2"),
)

APPROXIMATE = (
    Statement("SAMPLE: all rows are read", "SELECT count() FROM events SAMPLE 0.1"),
    Statement("EXPLAIN: DuckDB's SQL", "EXPLAIN SELECT 1"),
)

REFUSED = (
    Statement("EXPLAIN AST and other kinds", "EXPLAIN AST SELECT 1"),
    Statement("SHOW CREATE", "SHOW CREATE TABLE events"),
)
