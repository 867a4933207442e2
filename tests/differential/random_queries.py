"""Compares random queries on tbpy and ClickHouse: `python -m tests.differential.random_queries --seed 1 --count 500`.

Expressions are grown from `RULES`: a type, and SQL in which `{type}` stands for an expression of that type. The same
seed gives the same queries.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from tests.conformance.dialect import print_outcome
from tests.differential.compare import compared

COLUMNS = {
    "int": ("qty", "delta", "small", "i8", "id", "toInt64(qty)", "toUInt16(id)", "0", "1", "-7", "255", "1000"),
    "float": ("price", "toFloat32(price)", "0.5", "-2.25", "1e3", "3."),
    "dec": ("amount", "toDecimal32(qty, 2)", "toDecimal64('12.345', 3)"),
    "str": ("user_id", "url", "payload", "toString(action)", "'abc'", "''", "'Añb 1,2'", "session_id"),
    "lc": ("action",),
    "nstr": ("country", "nullIf(user_id, 'u1')", "toNullable(user_id)"),
    "nint": ("toNullable(qty)", "nullIf(delta, 6)", "toInt32OrNull(substring(user_id, 2))"),
    "nfloat": ("score", "nullIf(price, 0)"),
    "date": ("day", "toDate('2024-02-29')", "toDate(ts)"),
    "dt": ("ts", "toDateTime('2024-03-31 01:30:00', 'UTC')", "toDateTime(day)"),
    "dt64": ("ts64",),
    "cond": ("flag", "qty > 2", "country = 'ES'", "score >= 2", "action = 'view'", "1", "0"),
    "ints": ("nums", "[1, 2, 3]", "[qty, delta]", "range(qty)"),
    "strs": ("tags", "['a', 'b']", "splitByChar('/', url)", "[user_id, session_id]"),
    "map": ("attrs", "map('k', user_id)"),
    "enum": ("CAST(qty % 3, 'Enum8(''a'' = 0, ''b'' = 1, ''z'' = 2)')",),
    "zoned": ("toTimeZone(ts, 'Europe/Madrid')", "toDateTime('2024-03-31 03:30:00', 'Europe/Madrid')"),
    "tuple": ("(qty, user_id)", "tuple(price, day)"),
}
RULES: tuple[tuple[str, str], ...] = (
    *(("int", f"({{int}} {operator} {{int}})") for operator in "+-*"),
    *(("float", f"({{num}} {operator} {{num}})") for operator in "+-*/"),
    *(("dec", f"({{dec}} {operator} {{intdec}})") for operator in "+-*"),
    ("int", "intDiv({int}, 3)"),
    ("int", "({int} % 5)"),
    ("int", "length({str})"),
    ("int", "length({ints})"),
    ("int", "position({str}, 'a')"),
    ("int", "toYear({date})"),
    ("int", "toHour({dt})"),
    ("int", "toDayOfWeek({date})"),
    ("int", "dateDiff('day', {date}, {date})"),
    ("int", "dateDiff('hour', {dt}, {dt})"),
    ("int", "if({cond}, {int}, {int})"),
    ("int", "multiIf({cond}, {int}, {cond}, {int}, {int})"),
    ("int", "arraySum({ints})"),
    ("int", "{ints}[1]"),
    ("int", "indexOf({strs}, 'a')"),
    ("int", "toInt32({num})"),
    ("int", "abs({int})"),
    ("int", "greatest({int}, {int})"),
    ("int", "toUnixTimestamp({dt})"),
    ("int", "arrayCount(x -> x > {int}, {ints})"),
    ("int", "JSONExtractInt(payload, 'n')"),
    ("int", "bitAnd({int}, 7)"),
    ("float", "round({num}, 2)"),
    ("float", "floor({float})"),
    ("float", "sqrt(abs({num}))"),
    ("float", "if({cond}, {float}, {num})"),
    ("float", "toFloat64({num})"),
    ("float", "JSONExtractFloat(payload, 'price')"),
    ("dec", "round({dec}, 1)"),
    ("dec", "if({cond}, {dec}, {dec})"),
    ("str", "concat({str}, {str})"),
    ("str", "upper({str})"),
    ("str", "substring({str}, 2, 3)"),
    ("str", "toString({any})"),
    ("str", "if({cond}, {str}, {str})"),
    ("str", "replaceAll({str}, 'u', 'xy')"),
    ("str", "formatDateTime({dt}, '%Y-%m-%d %H')"),
    ("str", "arrayStringConcat({strs}, '-')"),
    ("str", "{strs}[-1]"),
    ("str", "coalesce({nstr}, {str})"),
    ("str", "{map}['k1']"),
    ("str", "JSONExtractString(payload, 'nested', 'b')"),
    ("str", "domain(url)"),
    ("str", "extract({str}, '[0-9]+')"),
    ("str", "trim({str})"),
    ("lc", "upper({lc})"),
    ("lc", "if({cond}, {lc}, 'x')"),
    ("lc", "concat({lc}, '!')"),
    ("nstr", "if({cond}, {nstr}, {str})"),
    ("nstr", "concat({nstr}, {str})"),
    ("nstr", "upper({nstr})"),
    ("nint", "({nint} + {int})"),
    ("nint", "if({cond}, NULL, {int})"),
    ("nint", "length({nstr})"),
    ("nfloat", "({nfloat} * {num})"),
    ("nfloat", "round({nfloat}, 1)"),
    ("nfloat", "coalesce({nfloat}, {float})"),
    ("date", "({date} + {small})"),
    ("date", "toStartOfMonth({date})"),
    ("date", "addMonths({date}, {small})"),
    ("date", "toMonday({dt})"),
    ("date", "toStartOfWeek({date})"),
    ("date", "if({cond}, {date}, {date})"),
    ("dt", "toStartOfHour({dt})"),
    ("dt", "({dt} + INTERVAL {small} DAY)"),
    ("dt", "toStartOfInterval({dt}, INTERVAL 15 MINUTE)"),
    ("dt", "({dt} + {small})"),
    ("dt", "greatest({dt}, {dt})"),
    ("dt64", "({dt64} + INTERVAL {small} SECOND)"),
    ("dt64", "toStartOfSecond({dt64})"),
    ("cond", "({int} > {int})"),
    ("cond", "({num} <= {num})"),
    ("cond", "({str} = {str})"),
    ("cond", "({nint} = {int})"),
    ("cond", "({nstr} != {str})"),
    ("cond", "({date} >= '2024-02-01')"),
    ("cond", "({dt} < {dt})"),
    ("cond", "({cond} AND {cond})"),
    ("cond", "({cond} OR {cond})"),
    ("cond", "NOT {cond}"),
    ("cond", "{int} IN (0, 2, 6)"),
    ("cond", "{nstr} IN ('ES', 'US')"),
    ("cond", "isNull({nany})"),
    ("cond", "{str} LIKE '%1%'"),
    ("cond", "has({strs}, 'a')"),
    ("cond", "empty({str})"),
    ("cond", "{int} BETWEEN {int} AND {int}"),
    ("ints", "arrayMap(x -> x + {int}, {ints})"),
    ("ints", "arrayFilter(x -> x > 0, {ints})"),
    ("ints", "arraySort({ints})"),
    ("ints", "arrayConcat({ints}, {ints})"),
    ("ints", "arrayDistinct({ints})"),
    ("ints", "arrayMap(x -> length(x), {strs})"),
    ("ints", "arraySlice({ints}, 1, 2)"),
    ("strs", "arrayMap(x -> concat(x, {str}), {strs})"),
    ("strs", "arrayMap(x -> toString(x), {ints})"),
    ("strs", "mapKeys({map})"),
    ("strs", "arrayReverse({strs})"),
    ("int", "toHour({zoned})"),
    ("int", "{tuple}.1"),
    ("int", "toInt8({enum})"),
    ("int", "arrayFold((acc, x) -> acc + x, {ints}, toInt64(0))"),
    ("int", "length(JSONExtract(payload, 'tags', 'Array(String)'))"),
    ("int", "toYYYYMM({date})"),
    ("int", "arrayFirstIndex(x -> x > 2, {ints})"),
    ("int", "countSubstrings({str}, 'a')"),
    ("int", "ifNull({nint}, {int})"),
    ("int", "transform({int}, [0, 2], [10, 20], 0)"),
    ("int", "CASE {lc} WHEN 'view' THEN {int} ELSE 0 END"),
    ("float", "arrayAvg({ints})"),
    ("float", "({int} / {int})"),
    ("float", "pow({num}, 2)"),
    ("dec", "({dec} / 3)"),
    ("dec", "toDecimal64({num}, 2)"),
    ("dec", "abs({dec})"),
    ("str", "toString({enum})"),
    ("str", "toString({zoned})"),
    ("str", "leftPad({str}, 5, '*')"),
    ("str", "splitByChar('.', {str})[1]"),
    ("str", "replaceRegexpAll({str}, '[0-9]', '#')"),
    ("str", "CAST({int} AS String)"),
    ("str", "toString({tuple})"),
    ("str", "JSONExtractRaw(payload, 'nested')"),
    ("str", "lower(hex({str}))"),
    ("str", "extractURLParameter(url, 'id')"),
    ("str", "path(url)"),
    ("str", "format('{}-{}', {str}, {str})"),
    ("cond", "{enum} = 'b'"),
    ("cond", "{tuple} = {tuple}"),
    ("cond", "match({str}, '^u[0-3]')"),
    ("cond", "{lc} IN ('view', 'buy')"),
    ("cond", "arrayExists(x -> x = {str}, {strs})"),
    ("cond", "user_id IN (SELECT user_id FROM users WHERE plan = 'pro')"),
    ("cond", "mapContains({map}, 'k2')"),
    ("date", "toDate({zoned})"),
    ("date", "toDate({str})"),
    ("dt", "date_trunc('hour', {dt})"),
    ("dt", "toDateTime({date})"),
    ("zoned", "toStartOfDay({zoned})"),
    ("zoned", "({zoned} + INTERVAL {small} HOUR)"),
    ("zoned", "toStartOfInterval({zoned}, INTERVAL 6 HOUR)"),
    ("nint", "toInt32OrNull({str})"),
    ("nfloat", "toFloat64OrNull({str})"),
    ("nstr", "nullIf({str}, {str})"),
    ("ints", "arrayMap((x, i) -> x * i, {ints}, arrayEnumerate({ints}))"),
    ("ints", "arrayCumSum({ints})"),
    ("ints", "arrayReverseSort(x -> x % 3, {ints})"),
    ("strs", "arrayFilter(x -> x != {str}, {strs})"),
    ("strs", "arrayPushBack({strs}, {str})"),
    ("map", "mapFilter((k, v) -> k != 'k1', {map})"),
)
UNIONS = {
    "num": ("int", "float"),
    "intdec": ("int", "dec"),
    "nany": ("nstr", "nint", "nfloat"),
    "any": ("int", "float", "dec", "str", "date", "dt", "cond", "ints", "strs", "nint", "nstr", "enum", "zoned", "map"),
}
AGGREGATES = (
    *(f"{name}({{any1}})" for name in ("min", "max", "uniqExact", "uniq", "count")),
    *(f"{name}({{nums}})" for name in ("sum", "avg", "stddevPop", "median", "quantile(0.9)")),
    "sum({dec})",
    "avg({nfloat})",
    "countIf({cond})",
    "sumIf({num}, {cond})",
    "argMax({any1}, id)",
    "max({nint})",
    "count(DISTINCT {any1})",
    "sum({int}) / count()",
    "groupArray({int})",
    "arraySort(groupUniqArray({nint}))",
)
UNIONS |= {"any1": ("int", "str", "date", "dt", "nstr", "nint", "dec"), "nums": ("int", "float", "nint", "nfloat")}
GROUPS = ("lc", "cond", "date", "nstr", "str", "int")


class QueryGenerator:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def query(self) -> str:
        shapes: Sequence[Callable[[], str]] = (
            *(self._rows, self._rows, self._grouped, self._grouped, self._nested, self._window),
            *(self._joined, self._united, self._array_joined, self._limited),
        )
        return self._random.choice(shapes)()

    def _rows(self) -> str:
        columns = ", ".join(f"{self._expression('any', 3)} AS e{index}" for index in range(3))
        return f"SELECT {columns} FROM events {self._where()}ORDER BY id LIMIT 12"

    def _grouped(self) -> str:
        key = self._expression(self._random.choice(GROUPS), 2)
        values = ", ".join(self._filled(self._random.choice(AGGREGATES), 2) for _ in range(2))
        after = self._random.choice(("", "", "HAVING count() > 2 ", "WITH TOTALS ", "WITH ROLLUP "))
        # Rows of all groups come in no order, and the subtotal of all may look like the group of NULL.
        order = "k" if after in ("", "HAVING count() > 2 ") else "k, count()"
        while after.startswith("WITH") and re.search(r"groupArray|any\(", values):
            values = self._filled(self._random.choice(AGGREGATES), 2)
        return f"SELECT {key} AS k, {values} FROM events {self._where()}GROUP BY k {after}ORDER BY {order}"

    def _nested(self) -> str:
        inner = f"SELECT id, {self._expression('int', 2)} AS a, {self._expression('nstr', 2)} AS b FROM events"
        outer = self._random.choice(("sum(a), uniq(b)", "b, count() AS c", "max(a) - min(a), any(b)"))
        group = " GROUP BY b ORDER BY b" if outer.startswith("b") else ""
        return f"SELECT {outer} FROM ({inner}) WHERE a {self._random.choice('<>')} {self._random.randint(0, 9)}{group}"

    def _window(self) -> str:
        frame = self._random.choice(("PARTITION BY {lc} ORDER BY id", "ORDER BY id", "PARTITION BY {cond}"))
        call = self._random.choice(("sum({num})", "max({any1})", "count()", "avg({nfloat})", "min({nstr})"))
        return (
            f"SELECT id, {self._filled(call, 2)} OVER ({self._filled(frame, 1)}) AS w FROM events ORDER BY id LIMIT 15"
        )

    def _joined(self) -> str:
        kind = self._random.choice(("LEFT", "INNER", "ANY LEFT", "RIGHT", "FULL"))
        right = f"(SELECT user_id, name, age, {self._expression_of_users()} AS x FROM users WHERE plan != 'free') AS u"
        value = self._random.choice(("name", "age", "x", "coalesce(age, 0) + 1", "concat(name, '-')", "u.user_id"))
        left = f"(SELECT id, user_id, {self._expression('any1', 2)} AS e FROM events) AS l"
        return (
            f"SELECT id, e, {value} AS v FROM {left} {kind} JOIN {right} ON l.user_id = u.user_id ORDER BY ALL LIMIT 20"
        )

    def _expression_of_users(self) -> str:
        return self._random.choice(("signup", "credit * 2", "upper(plan)", "[name]", "age > 25", "(name, age)"))

    def _united(self) -> str:
        type_ = self._random.choice(("int", "num", "nint", "str", "nstr", "date", "dt", "dec"))
        parts = [f"SELECT {self._expression(type_, 2)} AS a FROM events WHERE id < 6" for _ in range(2)]
        joiner = self._random.choice(("UNION ALL", "UNION DISTINCT", "INTERSECT", "EXCEPT"))
        return f"SELECT a FROM ({parts[0]} {joiner} {parts[1]}) ORDER BY a"

    def _array_joined(self) -> str:
        kind = self._random.choice(("ARRAY JOIN", "LEFT ARRAY JOIN"))
        array = self._expression(self._random.choice(("ints", "strs")), 2)
        value = self._expression("any1", 1)
        return f"SELECT id, x, {value} AS e FROM events {kind} {array} AS x WHERE id < 8 ORDER BY id, x"

    def _limited(self) -> str:
        key = self._expression(self._random.choice(("lc", "cond", "nstr", "int")), 1)
        tail = self._random.choice(
            (f"LIMIT 1 BY {key}", f"LIMIT 2 BY {key} LIMIT 5", "LIMIT 3, 4", "LIMIT 4 WITH TIES")
        )
        distinct = "DISTINCT " if tail == "LIMIT 3, 4" else ""
        return f"SELECT {distinct}id, {key} AS k FROM events {self._where()}ORDER BY k, id {tail}"

    def _where(self) -> str:
        return f"WHERE {self._expression('cond', 2)} " if self._random.random() < 0.6 else ""

    def _expression(self, type_: str, depth: int) -> str:
        if type_ == "small":
            return str(self._random.randint(-40, 40))
        type_ = self._random.choice(UNIONS.get(type_, (type_,)))
        rules = [text for found, text in RULES if found == type_]
        if depth == 0 or not rules or self._random.random() < 0.25:
            return self._random.choice(COLUMNS[type_])
        return self._filled(self._random.choice(rules), depth - 1)

    def _filled(self, text: str, depth: int) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self._expression(found[1], depth), text)


def queries(seed: int, count: int) -> Iterator[str]:
    generator = QueryGenerator(seed)
    return (generator.query() for _ in range(count))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential.random_queries", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--sql", action="store_true", help="with the DuckDB SQL")
    parser.add_argument("--refused", action="store_true", help="list what only tbpy refuses, too")
    options = parser.parse_args(arguments)
    kinds: Counter[str] = Counter()
    for outcome in compared(list(queries(options.seed, options.count))):
        kinds[outcome.kind] += 1
        if outcome.wrong or (options.refused and outcome.kind == "refused"):
            print_outcome(outcome, sql=options.sql, whole=False)
    print(", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    return int(bool(kinds["differs"] or kinds["crashed"]))


if __name__ == "__main__":
    sys.exit(main())
