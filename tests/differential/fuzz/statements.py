"""Random statements over some tables: sources, joins, groups, windows, set operations and what follows them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.differential.fuzz.expressions import Grower, Sight
from tests.differential.fuzz.tables import RandomTable

#: The kind whose columns an output of another kind may serve as; outputs of other kinds are not read again.
_READ_AS = {
    "agg_int": "int",
    "agg_float": "float",
    "agg_str": "str",
    "agg_nint": "nint",
    "win_int": "int",
    "win_float": "float",
}
_OUTPUT_KINDS = (
    *("int", "int", "nint", "float", "nfloat", "dec", "str", "str", "nstr", "lc", "nlc", "date", "ndate", "dt", "dt64"),
    *("cond", "bool", "enum", "ints", "strs", "nints", "mapi", "tuple", "fixed", "ndec", "ndt", "date32", "named"),
)
_AGGREGATES = ("agg_int", "agg_int", "agg_float", "agg_str", "agg_any", "agg_array", "agg_nint")
_KEYS = ("int", "str", "lc", "nstr", "nlc", "date", "ndate", "dt", "bool", "enum", "nint", "cond", "fixed", "int")
_WINDOWS = ("win_int", "win_int", "win_float", "win_any")
_UNORDERED = ("mapi", "maps")  # kinds that ORDER BY does not take


@dataclass(frozen=True, slots=True)
class RandomQuery:
    """`ordered`: whether the query orders its rows totally."""

    text: str
    ordered: bool


@dataclass(frozen=True, slots=True)
class _Source:
    sql: str
    sight: Sight


@dataclass(frozen=True, slots=True)
class _Column:
    sql: str
    alias: str
    kind: str
    shown: bool = True

    def written(self) -> str:
        return f"{self.sql} AS {self.alias}" if self.shown else self.sql


class StatementGenerator:
    """`level` widens the features: 0 expressions over one table, 1 groups and order, 2 sources, 3 everything."""

    def __init__(self, source: random.Random, tables: Sequence[RandomTable], level: int = 3) -> None:
        self._random = source
        self._tables = tables
        self._level = level
        self._grow = Grower(source)
        self._names = 0

    def query(self) -> RandomQuery:
        self._names = 0
        chance = self._random.random()
        if self._level >= 3 and chance < 0.08:
            return self._set_operation()
        if self._level >= 3 and chance < 0.18:
            return self._with_tables()
        text, _, ordered = self._select(2 if self._level >= 2 else 0, named=False)
        return RandomQuery(text, ordered)

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _fresh(self, prefix: str) -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    # --- sources ---

    def _table(self, alias: str | None = None, table: RandomTable | None = None) -> _Source:
        table = table or self._random.choice(self._tables)
        prefix = f"{alias}." if alias else ""
        columns: dict[str, tuple[str, ...]] = {}
        for name, kind, _ in table.columns:
            columns[kind] = (*columns.get(kind, ()), prefix + name)
        sql = f"{table.name} AS {alias}" if alias else table.name
        return _Source(sql, Sight(columns, f"{prefix}id"))

    def _source(self, depth: int) -> _Source:
        chance = self._random.random()
        if depth <= 0 or chance < 0.35:
            return self._table()
        if chance < 0.55:
            return self._nested(depth - 1)
        if chance < 0.68:
            return self._array_join(self._table())
        if chance < 0.72:
            return _Source("numbers(7)", Sight({"int": ("number",)}, "number"))
        return self._join(depth - 1)

    def _nested(self, depth: int, alias: str | None = None) -> _Source:
        text, columns, _ = self._select(depth, named=True)
        alias = alias or self._fresh("s")
        qualified = self._chance(0.5)
        sight = Sight({}, None)
        for column in columns:
            sight = sight.adding(column.kind, f"{alias}.{column.alias}" if qualified else column.alias)
        order = next((column.alias for column in columns if column.sql == "id"), None)
        return _Source(
            f"({text}) AS {alias}", Sight(sight.columns, order and (f"{alias}.{order}" if qualified else order))
        )

    def _array_join(self, source: _Source) -> _Source:
        left = "LEFT " if self._chance(0.4) else ""
        kind, item = self._random.choice((("ints", "int"), ("strs", "str"), ("nints", "nint"), ("floats", "float")))
        alias = self._fresh("e")
        arrays = [f"{self._grow.grow(kind, 1, source.sight)} AS {alias}"]
        sight = source.sight.adding(item, alias)
        if self._chance(0.4):
            place = self._fresh("n")
            arrays.append(f"arrayEnumerate({arrays[0].removesuffix(f' AS {alias}')}) AS {place}")
            sight = sight.adding("int", place)
            sight = Sight(sight.columns, f"({sight.order}, {place})")
        else:
            sight = Sight(sight.columns, None)
        return _Source(f"{source.sql} {left}ARRAY JOIN {', '.join(arrays)}", sight)

    def _join(self, depth: int) -> _Source:
        left_name, right_name = self._fresh("l"), self._fresh("r")
        left = self._table(left_name)
        right = self._nested(depth, right_name) if depth > 0 and self._chance(0.25) else self._table(right_name)
        kind = self._random.choice(
            (
                "INNER JOIN",
                "LEFT JOIN",
                "LEFT JOIN",
                "RIGHT JOIN",
                "FULL JOIN",
                "SEMI LEFT JOIN",
                "ANTI LEFT JOIN",
                "CROSS JOIN",
            )
        )
        if kind == "CROSS JOIN":
            return _Source(f"{left.sql} CROSS JOIN {right.sql}", left.sight.joined(right.sight))
        if self._chance(0.25) and right.sql.startswith("t"):
            column = self._random.choice(("id", "k"))
            visible = left.sight if "SEMI" in kind or "ANTI" in kind else left.sight.joined(right.sight)
            return _Source(f"{left.sql} {kind} {right.sql} USING ({column})", visible)
        return self._on(kind, left, right, depth)

    def _on(self, kind: str, left: _Source, right: _Source, depth: int) -> _Source:
        shared = self._random.choice(
            [found for found in ("int", "str", "date", "int") if found in right.sight.columns] or ["int"]
        )
        one, other = self._grow.grow(shared, 0, left.sight), self._grow.grow(shared, 0, right.sight)
        if self._chance(0.5):
            one, other = left.sight.columns["int"][0], right.sight.columns.get("int", ("1",))[0]
        condition = f"{one} = {other}"
        if self._chance(0.3):
            side = self._random.choice((left.sight, right.sight, left.sight.joined(right.sight)))
            condition += f" AND {self._grow.grow('cond', 1, side)}"
        visible = left.sight if "SEMI" in kind or "ANTI" in kind else left.sight.joined(right.sight)
        joined = _Source(f"{left.sql} {kind} {right.sql} ON {condition}", visible)
        if depth > 0 and self._chance(0.2) and "SEMI" not in kind and "ANTI" not in kind:
            third = self._table(self._fresh("m"))
            one, other = self._grow.grow("int", 0, visible), third.sight.columns["int"][0]
            kind = self._random.choice(("LEFT JOIN", "INNER JOIN"))
            return _Source(f"{joined.sql} {kind} {third.sql} ON {one} = {other}", visible.joined(third.sight))
        return joined

    # --- SELECT ---

    def _select(self, depth: int, *, named: bool) -> tuple[str, list[_Column], bool]:
        source = self._source(depth)
        shapes = [self._rows, self._rows]
        if self._level >= 1:
            shapes += [self._grouped, self._grouped, self._distinct, self._windowed]
        return self._random.choice(shapes)(source, depth, named)

    def _column(self, kind: str, sight: Sight, named: bool, depth: int = 3) -> _Column:
        sql = self._grow.grow(kind, depth, sight)
        return _Column(sql, self._fresh("c"), _READ_AS.get(kind, kind), shown=named or self._chance(0.6))

    def _columns(self, count: int, kinds: Sequence[str], sight: Sight, named: bool) -> tuple[list[_Column], Sight]:
        """Columns, and the sight in which their aliases may be used too."""
        found: list[_Column] = []
        for _ in range(count):
            column = self._column(self._random.choice(kinds), sight, named)
            found.append(column)
            if column.shown and column.kind in ("int", "str", "cond", "nint", "date", "float"):
                sight = sight.adding(column.kind, column.alias)
        return found, sight

    def _where(self, sight: Sight, depth: int) -> str:
        if not self._chance(0.55):
            return ""
        condition = self._grow.grow("cond", 2, sight)
        if self._level >= 2 and depth > 0 and self._chance(0.2):
            condition = f"{condition} AND {self._subquery_condition(sight)}"
        return f" WHERE {condition}"

    def _subquery_condition(self, sight: Sight) -> str:
        table = self._table()
        inner = f"FROM {table.sql}{self._where(table.sight, 0)}"
        kind = self._random.choice(("int", "str", "nint", "nstr"))
        value, other = self._grow.grow(kind, 1, sight), self._grow.grow(kind, 1, table.sight)
        negated = self._random.choice(("", "NOT "))
        return self._random.choice(
            (
                f"{value} {negated}IN (SELECT {other} {inner})",
                f"{self._grow.grow('int', 1, sight)} > (SELECT {self._grow.grow('agg_int', 1, table.sight)} {inner})",
                f"{value} = (SELECT {self._grow.grow('agg_float', 1, table.sight)} {inner})",
            )
        )

    def _rows(self, source: _Source, depth: int, named: bool) -> tuple[str, list[_Column], bool]:
        columns, sight = self._columns(self._random.randint(1, 4), _OUTPUT_KINDS, source.sight, named)
        if named and source.sight.order == "id":
            columns.append(_Column("id", "id", "int", shown=False))
        text = f"{self._written(columns)} FROM {source.sql}{self._where(sight, depth)}"
        if source.sight.order is None or self._chance(0.2):
            return text, columns, False
        items = [*self._order_items(sight), source.sight.order + self._random.choice(("", " DESC"))]
        return f"{text} ORDER BY {', '.join(items)}{self._limits(sight)}", columns, True

    def _written(self, columns: Sequence[_Column]) -> str:
        return f"SELECT {', '.join(column.written() for column in columns)}"

    def _order_items(self, sight: Sight) -> list[str]:
        kinds = ("int", "str", "nint", "float", "nfloat", "nstr", "date", "lc", "enum", "dec", "dt", "cond")
        items = [self._grow.grow(self._random.choice(kinds), 1, sight) for _ in range(self._random.randint(0, 2))]
        items = [item for item in items if not item.lstrip("-").isdigit()]  # a number would be the place of a column
        endings = ("", "", " DESC", " ASC", " NULLS FIRST", " DESC NULLS FIRST", " DESC NULLS LAST")
        return [item + self._random.choice(endings) for item in items]

    def _limits(self, sight: Sight) -> str:
        text = ""
        if self._chance(0.15):
            offset = self._random.choice(("", "", " OFFSET 1"))
            text += f" LIMIT {self._random.randint(1, 3)}{offset} BY {self._grow.grow('key', 1, sight)}"
        if self._chance(0.4):
            text += f" LIMIT {self._random.randint(0, 9)}" + self._random.choice(("", "", " OFFSET 2"))
        return text

    def _distinct(self, source: _Source, depth: int, named: bool) -> tuple[str, list[_Column], bool]:
        columns, sight = self._columns(self._random.randint(1, 3), _KEYS, source.sight, named)
        text = f"{self._written(columns)} FROM {source.sql}{self._where(sight, depth)}".replace(
            "SELECT", "SELECT DISTINCT", 1
        )
        if self._chance(0.5):
            return self._ordered_by_place(text, columns), columns, True
        return text, columns, False

    def _ordered_by_place(self, text: str, columns: Sequence[_Column]) -> str:
        places = [f"{place}{self._random.choice(('', ' DESC'))}" for place in range(1, len(columns) + 1)]
        limit = f" LIMIT {self._random.randint(1, 9)}" if self._chance(0.4) else ""
        return f"{text} ORDER BY {', '.join(places)}{limit}"

    def _grouped(self, source: _Source, depth: int, named: bool) -> tuple[str, list[_Column], bool]:
        keys, sight = self._columns(self._random.randint(0, 2), _KEYS, source.sight, named)
        values = [
            self._column(self._random.choice(_AGGREGATES), source.sight, named, 2)
            for _ in range(self._random.randint(1, 3))
        ]
        columns = [*keys, *values]
        self._random.shuffle(columns)
        text = f"{self._written(columns)} FROM {source.sql}{self._where(sight, depth)}"
        if keys:
            text += self._group_by(keys, named)
        if self._chance(0.25):
            value = self._grow.grow("agg_int", 1, source.sight)
            text += f" HAVING {value} {self._random.choice('<>=')} {self._random.randint(0, 5)}"
        if keys and "ROLLUP" not in text and "CUBE" not in text and self._chance(0.5):
            places = [str(columns.index(key) + 1) + self._random.choice(("", " DESC")) for key in keys]
            limit = f" LIMIT {self._random.randint(1, 6)}" if self._chance(0.3) else ""
            return f"{text} ORDER BY {', '.join(places)}{limit}", columns, True
        return text, columns, False

    def _group_by(self, keys: Sequence[_Column], named: bool) -> str:
        names = ", ".join(key.alias if key.shown and self._chance(0.8) else key.sql for key in keys)
        plain = f" GROUP BY {names}"
        if all(name.strip().lstrip("-").isdigit() for name in names.split(",")):
            return (
                f" GROUP BY {', '.join(key.alias for key in keys)}" if all(k.shown for k in keys) else " GROUP BY ALL"
            )
        return self._random.choice(
            (
                plain,
                plain,
                plain,
                plain,
                " GROUP BY ALL",
                f"{plain} WITH ROLLUP",
                f"{plain} WITH CUBE",
                plain if named else f"{plain} WITH TOTALS",
            )
        )

    def _windowed(self, source: _Source, depth: int, named: bool) -> tuple[str, list[_Column], bool]:
        if source.sight.order is None:
            return self._rows(source, depth, named)
        values = [
            self._column(self._random.choice(_WINDOWS), source.sight, named, 2)
            for _ in range(self._random.randint(1, 2))
        ]
        columns, sight = self._columns(self._random.randint(0, 2), _KEYS, source.sight, named)
        text = f"{self._written([*values, *columns])} FROM {source.sql}{self._where(sight, depth)}"
        return f"{text} ORDER BY {source.sight.order}", [*values, *columns], True

    # --- set operations and WITH ---

    def _set_operation(self) -> RandomQuery:
        kinds = [self._random.choice(_KEYS) for _ in range(self._random.randint(1, 3))]
        operator = self._random.choice(("UNION ALL", "UNION DISTINCT", "INTERSECT", "EXCEPT", "UNION ALL"))
        sides = []
        for _ in range(2):
            source = self._source(1)
            columns = [self._column(kind, source.sight, True, 2) for kind in kinds]
            sides.append(f"{self._written(columns)} FROM {source.sql}{self._where(source.sight, 0)}")
        text = f" {operator} ".join(sides)
        if self._chance(0.4):
            return RandomQuery(f"SELECT count(), {self._grow.grow('const', 0, Sight())} FROM ({text})", True)
        return RandomQuery(text, False)

    def _with_tables(self) -> RandomQuery:
        """A common table, and a query that reads it; a WITH expression beside it."""
        inner, columns, _ = self._select(1, named=True)
        name = self._fresh("w")
        sight = Sight({}, None)
        for column in columns:
            sight = sight.adding(column.kind, column.alias)
        constant = self._fresh("v")
        head = f"WITH {name} AS ({inner})"
        if self._chance(0.5):
            head += f", {self._grow.grow('int', 1, Sight())} AS {constant}"
            sight = sight.adding("int", constant)
        source = _Source(name, sight)
        shape = self._random.choice((self._rows, self._grouped, self._distinct))
        text, _, ordered = shape(source, 0, False)
        return RandomQuery(f"{head} {text}", ordered)
