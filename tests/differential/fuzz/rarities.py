"""Statements with clauses that are met less often: `*` with changes, shadowing aliases, sets of keys, states, gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.differential.fuzz.expressions import Sight
from tests.differential.fuzz.statements import RandomQuery, StatementGenerator

_STARS = (
    "*",
    "* EXCEPT (id)",
    "* EXCEPT id REPLACE (k + 1 AS k)",
    "* REPLACE (toString(k) AS k)",
    "COLUMNS('int')",
    "COLUMNS('^(int|float|dec)') APPLY(toString)",
    "* EXCEPT (k) APPLY(x -> toString(x))",
    "count(), COLUMNS('int') APPLY(max)",
    "COLUMNS('^n(int|str)') APPLY(x -> ifNull(toString(x), '-'))",
)
_STATES = ("sum", "avg", "uniqExact", "min", "max", "count", "quantile(0.5)", "argMax", "groupUniqArray", "anyLast")


class RarityGenerator(StatementGenerator):
    """Queries of the rarer shapes only."""

    def query(self) -> RandomQuery:
        self._names = 0
        shapes: Sequence[Callable[[], RandomQuery]] = (
            self._starred,
            self._shadowed,
            self._grouping_sets,
            self._with_ties,
            self._qualified,
            self._distinct_on,
            self._states,
            self._filled,
            self._array_joined,
            self._with_nulls,
            self._rare_join,
            self._over_keys,
            self._nested_aliases,
            self._in_table,
        )
        return self._random.choice(shapes)()

    def _starred(self) -> RandomQuery:
        source = self._source(1) if self._chance(0.6) else self._table()
        return RandomQuery(f"SELECT {self._random.choice(_STARS)} FROM {source.sql}", False)

    def _shadowed(self) -> RandomQuery:
        """An alias with the name of the column that it is made of, used everywhere."""
        source = self._table()
        kind = self._random.choice(
            [kind for kind in ("date", "int", "str", "dt", "lc") if kind in source.sight.columns]
        )
        column = self._random.choice(source.sight.columns[kind])
        made = self._random.choice(
            {
                "date": (f"toStartOfMonth({column})", f"{column} + 1", f"toString({column})"),
                "int": (f"{column} + 1", f"toString({column})", f"sum({column})", f"max({column})"),
                "str": (f"upper({column})", f"concat({column}, 'x')", f"length({column})", f"min({column})"),
                "dt": (f"toStartOfHour({column})", f"toDate({column})", f"toString({column})"),
                "lc": (f"upper({column})", f"{column} = 'a'"),
            }[kind]
        )
        if made.startswith(("sum", "max", "min")):
            key = self._random.choice(source.sight.columns["int"])
            text = f"SELECT k, {made} AS {column} FROM {source.sql} GROUP BY k"
            return RandomQuery(text if key == "id" else f"{text} HAVING {column} IS NOT NULL", False)
        text = self._random.choice(
            (
                f"SELECT {made} AS {column}, count() FROM {source.sql} GROUP BY {column}",
                f"SELECT id, {made} AS {column} FROM {source.sql} ORDER BY {column}, id",
                f"SELECT {made} AS {column}, {column} AS other, id FROM {source.sql} WHERE isNotNull({column})",
                f"SELECT {made} AS {column}, uniqExact({column}) FROM {source.sql} GROUP BY {column}",
                f"SELECT id, {made} AS {column} FROM {source.sql} WHERE toString({column}) LIKE '%1%'",
            )
        )
        return RandomQuery(text, "ORDER BY" in text)

    def _keys(self, count: int, sight: Sight) -> list[str]:
        kinds = [kind for kind in ("int", "str", "lc", "date", "nint", "nstr", "enum", "bool") if kind in sight.columns]
        return [self._random.choice(sight.columns[self._random.choice(kinds)]) for _ in range(count)]

    def _grouping_sets(self) -> RandomQuery:
        source = self._source(1) if self._chance(0.3) else self._table()
        if not {"int", "str", "lc"} & source.sight.columns.keys():
            source = self._table()
        one, other = self._keys(2, source.sight)
        value = self._grow.grow("agg_int", 1, source.sight)
        if self._chance(0.4):
            other = self._grow.grow("str", 2, source.sight)
        grouping = f", grouping({one}, {other}) AS g" if self._chance(0.4) else ""
        sets = self._random.choice(
            (
                f"GROUPING SETS (({one}, {other}), ({one}), ())",
                f"GROUPING SETS (({one}), ({other}))",
                f"ROLLUP({one}, {other})",
                f"CUBE({one}, {other})",
                f"{one}, {other} WITH ROLLUP",
                f"{one}, {other} WITH CUBE WITH TOTALS",
            )
        )
        return RandomQuery(f"SELECT {one}, {other}, {value}{grouping} FROM {source.sql} GROUP BY {sets}", False)

    def _with_ties(self) -> RandomQuery:
        source = self._table()
        [key] = self._keys(1, source.sight)
        return RandomQuery(
            f"SELECT {key} FROM {source.sql}{self._where(source.sight, 0)} "
            f"ORDER BY {key}{self._random.choice(('', ' DESC'))} LIMIT {self._random.randint(1, 5)} WITH TIES",
            True,
        )

    def _qualified(self) -> RandomQuery:
        source = self._table()
        window = self._grow.grow("win_int", 1, source.sight)
        text = f"SELECT id, {window} AS w FROM {source.sql} QUALIFY w {self._random.choice('<>')} 2 ORDER BY id"
        return RandomQuery(text, True)

    def _distinct_on(self) -> RandomQuery:
        source = self._table()
        [key] = self._keys(1, source.sight)
        return RandomQuery(f"SELECT DISTINCT ON ({key}) {key}, id FROM {source.sql} ORDER BY {key}, id", True)

    def _states(self) -> RandomQuery:
        source = self._table()
        [key] = self._keys(1, source.sight)
        name = self._random.choice(_STATES)
        base, _, parameters = name.partition("(")
        parameters = f"({parameters}" if parameters else ""
        kind = self._random.choice(("int", "float", "int", "nint", "dec"))
        argument = "" if base == "count" else self._grow.grow(kind, 1, source.sight)
        argument += ", id" if base == "argMax" else ""
        inner = f"SELECT {key} AS g, k, {base}State{parameters}({argument}) AS s FROM {source.sql} GROUP BY g, k"
        merged = f"{base}Merge{parameters}(s)"
        merged = f"arraySort({merged})" if base == "groupUniqArray" else merged
        if base == "anyLast":
            return RandomQuery(f"SELECT g, k, count() FROM ({inner}) GROUP BY g, k", False)
        if self._chance(0.5):
            return RandomQuery(f"SELECT {merged} FROM ({inner})", True)
        return RandomQuery(f"SELECT g, {merged} AS m FROM ({inner}) GROUP BY g", False)

    def _filled(self) -> RandomQuery:
        source = self._table()
        key = self._random.choice(("k", "toInt32(id)", "toStartOfMonth(addDays(toDate('2024-01-01'), id * 40))"))
        step = " STEP INTERVAL 1 MONTH" if "Month" in key else self._random.choice(("", " STEP 2", " FROM -2 TO 9"))
        value = self._grow.grow("agg_int", 1, source.sight)
        text = f"SELECT {key} AS f, {value} AS v FROM {source.sql} WHERE k IS NOT NULL AND id % 3 = 0 GROUP BY f"
        tail = " INTERPOLATE (v AS v + 1)" if self._chance(0.3) else ""
        return RandomQuery(f"{text} ORDER BY f WITH FILL{step}{tail}", True)

    def _array_joined(self) -> RandomQuery:
        source = self._table()
        kind = self._random.choice(("ints", "strs"))
        array = self._grow.grow(kind, 1, source.sight)
        shape = self._random.choice(
            (
                "SELECT id, arrayJoin({0}) AS e, e AS again FROM {1}",
                "SELECT arrayJoin({0}) AS e, count() FROM {1} GROUP BY e",
                "SELECT id FROM {1} WHERE arrayJoin({0}) = {2}",
                "SELECT id, e, n FROM {1} ARRAY JOIN {0} AS e, arrayEnumerate({0}) AS n WHERE n > 1",
                "SELECT id, arrayJoin({0}) AS e, e = {2} FROM {1} LEFT ARRAY JOIN {0} AS other",
            )
        )
        needle = self._grow.grow("int" if kind == "ints" else "str", 0, source.sight)
        return RandomQuery(shape.format(array, source.sql, needle), False)

    def _with_nulls(self) -> RandomQuery:
        source = self._join(1)
        columns, _ = self._columns(3, ("int", "str", "nint", "date", "cond", "lc", "enum"), source.sight, False)
        if self._chance(0.3):
            return RandomQuery(f"SELECT * FROM {source.sql} SETTINGS join_use_nulls = 1", False)
        return RandomQuery(f"{self._written(columns)} FROM {source.sql} SETTINGS join_use_nulls = 1", False)

    def _rare_join(self) -> RandomQuery:
        one, other = self._random.choice(("t1", "t2", "t3")), self._random.choice(("t1", "t2", "t3"))
        shape = self._random.choice(
            (
                "SELECT a.id, b.k FROM {0} AS a ANY LEFT JOIN (SELECT DISTINCT k FROM {1}) AS b ON a.k = b.k",
                "SELECT a.id, b.id FROM {0} AS a ASOF LEFT JOIN {1} AS b ON a.k = b.k AND a.id >= b.id",
                "SELECT a.id, b.id FROM {0} AS a ASOF JOIN {1} AS b ON a.k = b.k AND a.id > b.id",
                "SELECT id, a.k, b.k FROM {0} AS a FULL JOIN {1} AS b USING (id)",
                "SELECT * FROM {0} AS a LEFT JOIN {1} AS b USING (id, k)",
                "SELECT id, c.k FROM {0} AS a JOIN {1} AS b USING (id) LEFT JOIN t1 AS c USING (id)",
                "SELECT a.*, b.id FROM {0} AS a RIGHT JOIN {1} AS b ON a.id = b.k",
                "SELECT count(), sum(a.id + b.id) FROM {0} AS a, {1} AS b WHERE a.k = b.k AND a.id < b.id",
                "SELECT {0}.id, {1}.id AS other FROM {0} LEFT JOIN {1} ON {0}.id = {1}.k",
                "SELECT a.id FROM {0} AS a SEMI JOIN {1} AS b ON a.id = b.id",
                "SELECT b.id, a.id FROM {0} AS a RIGHT ANTI JOIN {1} AS b ON a.id = b.k",
                "SELECT * FROM (SELECT id, k FROM {0}) AS a JOIN (SELECT id, k AS kk FROM {1}) AS b ON a.id = b.id",
            )
        )
        if "{0}." in shape and one == other:
            other = "t2" if one == "t1" else "t1"
        return RandomQuery(shape.format(one, other), False)

    def _over_keys(self) -> RandomQuery:
        """Expressions over the keys of a group beside aggregates."""
        source = self._table()
        [key] = self._keys(1, source.sight)
        value = self._grow.grow("agg_float", 1, source.sight)
        whole = self._random.choice((f"toString({key})", f"if(isNull({key}), 'x', toString({key}))", f"({key}, 1)"))
        tail = self._random.choice(("", " HAVING count() > 1", f" ORDER BY {key}", f" ORDER BY count() DESC, {key}"))
        text = f"SELECT {whole} AS w, {value}, sum(id) OVER () FROM {source.sql} GROUP BY {key}, id{tail}"
        if self._chance(0.7):
            text = f"SELECT {whole} AS w, {value} FROM {source.sql} GROUP BY {key}{tail}"
        return RandomQuery(text, "ORDER BY" in tail and "OVER" not in text)

    def _nested_aliases(self) -> RandomQuery:
        """Aliases defined inside of other expressions, and used before their definition."""
        source = self._table()
        inner = self._grow.grow("int", 1, source.sight)
        shape = self._random.choice(
            (
                "SELECT a + 1 AS b, ({0}) AS a, b * 2 FROM {1} WHERE b > 0",
                "SELECT (({0}) AS a) + 1, a AS c, c + a FROM {1}",
                "SELECT sum(({0}) AS a) AS total, avg(a) FROM {1}",
                "SELECT k, sum({0}) AS s, s / count() AS m FROM {1} GROUP BY k HAVING m IS NOT NULL",
                "WITH ({0}) AS a, a + 1 AS b SELECT b, count() FROM {1} GROUP BY b",
                "SELECT if((({0}) AS a) > 1, a, -1) AS c, count() FROM {1} GROUP BY c",
            )
        )
        return RandomQuery(shape.format(inner, source.sql), False)

    def _in_table(self) -> RandomQuery:
        source = self._table()
        condition = self._random.choice(
            (
                "id IN (SELECT k FROM t2)",
                "(id, k) IN (SELECT id, k FROM t2)",
                "id GLOBAL NOT IN (SELECT id FROM t3 WHERE k = 1)",
                "exists(SELECT 1 FROM t2 WHERE k = 3)",
                "NOT exists(SELECT 1 FROM t3 WHERE id = 0)",
                "k = (SELECT max(k) FROM t2)",
                "(id, k) = (SELECT id, k FROM t1 ORDER BY id LIMIT 1)",
                "id IN (WITH x AS (SELECT id FROM t2) SELECT id FROM x)",
            )
        )
        return RandomQuery(f"SELECT id, {condition} AS c FROM {source.sql} WHERE {condition} OR id > 3", False)
