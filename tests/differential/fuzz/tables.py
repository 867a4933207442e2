"""Random tables of many types: their columns, rows with NULLs, NaN, empty texts and extremes, in both engines."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tbpy.clickhouse import storage
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import Table, TableColumn
from tbpy.clickhouse.quoting import duckdb_name, quote_string
from tests.conformance.stored import literal, stored

#: Kind of expression that a column serves as, and its type.
COLUMNS: tuple[tuple[str, str], ...] = (
    *(("int", f"{sign}Int{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)),
    ("nint", "Nullable(Int32)"),
    ("nint", "Nullable(UInt64)"),
    ("float", "Float64"),
    ("float", "Float32"),
    ("nfloat", "Nullable(Float64)"),
    ("dec", "Decimal(9, 2)"),
    ("dec", "Decimal(18, 4)"),
    ("ndec", "Nullable(Decimal(18, 3))"),
    ("bool", "Bool"),
    ("str", "String"),
    ("str", "String"),
    ("nstr", "Nullable(String)"),
    ("lc", "LowCardinality(String)"),
    ("nlc", "LowCardinality(Nullable(String))"),
    ("fixed", "FixedString(3)"),
    ("enum", "Enum8('a' = -1, 'b' = 0, 'c' = 5)"),
    ("date", "Date"),
    ("ndate", "Nullable(Date)"),
    ("date32", "Date32"),
    ("dt", "DateTime"),
    ("dt", "DateTime('Europe/Madrid')"),
    ("ndt", "Nullable(DateTime)"),
    ("dt64", "DateTime64(3)"),
    ("dt64", "DateTime64(6, 'UTC')"),
    ("uuid", "UUID"),
    ("ip", "IPv4"),
    ("ints", "Array(Int32)"),
    ("ints", "Array(UInt8)"),
    ("nints", "Array(Nullable(Int64))"),
    ("strs", "Array(String)"),
    ("floats", "Array(Float64)"),
    ("dates", "Array(Date)"),
    ("mapi", "Map(String, Int64)"),
    ("maps", "Map(String, String)"),
    ("tuple", "Tuple(Int32, String)"),
    ("named", "Tuple(a Int32, b String)"),
    ("json", "String"),
)
_TEXTS = (
    "",
    "a",
    "b",
    "abc",
    "x,y",
    "  pad ",
    "12",
    "-3.5",
    "2024-02-29",
    "a%b_c",
    "it's",
    "A/b/c?d=1#f",
    "null",
)
_JSON = ('{"a": 1, "b": "x", "c": [1, 2.5, "z"]}', '{"a": -7, "b": null, "d": {"e": true}}', "{}", "bad", '{"a": 2.5}')


@dataclass(frozen=True, slots=True)
class RandomTable:
    """`columns` are (name, kind, type); rows are JSON values, a list in the order of columns."""

    name: str
    columns: tuple[tuple[str, str, str], ...]
    rows: tuple[tuple[Any, ...], ...]

    def structure(self) -> str:
        return ", ".join(f"{name} {type_}" for name, _, type_ in self.columns)

    def clickhouse_sql(self) -> list[str]:
        engine = "ENGINE = MergeTree ORDER BY tuple() SETTINGS allow_suspicious_indices = 1"
        names = [name for name, _, _ in self.columns]
        rows = "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in self.rows)
        insert = [f"INSERT INTO {self.name} FORMAT JSONEachRow {rows}"] if rows else []
        drop = f"DROP TABLE IF EXISTS {self.name} SYNC"
        return [drop, f"CREATE TABLE {self.name} ({self.structure()}) {engine}", *insert]

    def duckdb_sql(self) -> list[str]:
        types = [t.parse_type(type_) for _, _, type_ in self.columns]
        names = [duckdb_name(name) for name, _, _ in self.columns]
        pairs = zip(names, types, strict=True)
        columns = ", ".join(f"{name} {storage.duckdb_type(type_)}" for name, type_ in pairs)
        rows = ", ".join(
            f"({', '.join(literal(stored(v, type_), type_) for v, type_ in zip(row, types, strict=True))})"
            for row in self.rows
        )
        insert = [f"INSERT INTO {self.name} VALUES {rows}"] if rows else []
        return [f"CREATE OR REPLACE TABLE {self.name} ({columns})", *insert]

    def catalog_entry(self) -> Table:
        columns = tuple(TableColumn(name, t.parse_type(type_)) for name, _, type_ in self.columns)
        return Table(self.name, self.name, columns)

    def values(self) -> str:
        """The same rows as a table expression of ClickHouse SQL."""
        types = [t.parse_type(type_) for _, _, type_ in self.columns]
        if not self.rows:
            return f"SELECT * FROM null({quote_string(self.structure())})"
        rows = ", ".join(f"({', '.join(map(_literal, row, types))})" for row in self.rows)
        return f"SELECT * FROM values({quote_string(self.structure())}, {rows})"

    def without_row(self, position: int, count: int = 1) -> RandomTable:
        return replace(self, rows=self.rows[:position] + self.rows[position + count :])

    def without_column(self, position: int) -> RandomTable:
        def cut(items: tuple[Any, ...]) -> tuple[Any, ...]:
            return items[:position] + items[position + 1 :]

        return replace(self, columns=cut(self.columns), rows=tuple(map(cut, self.rows)))


def _literal(value: Any, type_: t.Type) -> str:
    inner = t.plain(type_)
    if value is None:
        return "NULL"
    match inner:
        case t.Array(item):
            return f"[{', '.join(_literal(part, item) for part in value)}]"
        case t.Map(key, item):
            return f"map({', '.join(f'{_literal(k, key)}, {_literal(v, item)}' for k, v in value.items())})"
        case t.Tuple(items, _):
            parts = value.values() if isinstance(value, dict) else value
            return f"({', '.join(map(_literal, parts, items))})"
        case t.Float():
            return value if isinstance(value, str) else repr(value)
        case t.Int() | t.Bool():
            return str(value).lower()
    return quote_string(str(value))


def random_table(source: random.Random, name: str) -> RandomTable:
    """`id` counts the rows, `k` is a small number that tables share; the other columns are drawn from `COLUMNS`."""
    chosen = source.sample(COLUMNS, source.randint(14, 26))
    numbers: dict[str, int] = {}
    columns = [("id", "int", "UInt32"), ("k", "int", source.choice(("UInt8", "Int64", "UInt8", "Nullable(Int16)")))]
    columns[1] = ("k", "nint" if "Nullable" in columns[1][2] else "int", columns[1][2])
    for kind, type_ in chosen:
        numbers[kind] = numbers.get(kind, 0) + 1
        columns.append((f"{kind}{numbers[kind]}", kind, type_))
    count = source.choice((0, 1, 3, 8, 15, 25, 40)) if name != "t1" else source.choice((8, 15, 25, 40))
    types = [t.parse_type(type_) for _, _, type_ in columns]
    rows = tuple(
        tuple(_cell(source, number, *column) for column in zip(columns, types, strict=True)) for number in range(count)
    )
    return RandomTable(name, tuple(columns), rows)


def _cell(source: random.Random, number: int, column: tuple[str, str, str], type_: t.Type) -> Any:
    name, kind, _ = column
    if name == "id":
        return number + 1
    if name == "k":
        return None if t.is_nullable(type_) and source.random() < 0.2 else source.randint(0, 5)
    if kind == "json":
        return source.choice(_JSON)
    return random_value(source, type_)


def random_value(source: random.Random, type_: t.Type) -> Any:
    """A JSON value of the type: mostly small ones that meet again, now and then an extreme."""
    if t.is_nullable(type_) and source.random() < 0.25:
        return None
    inner = t.plain(type_)
    match inner:
        case t.Array(item):
            return [random_value(source, item) for _ in range(source.choice((0, 1, 2, 3, 3)))]
        case t.Map(_, item):
            return {key: random_value(source, item) for key in source.sample("abcd", source.randint(0, 3))}
        case t.Tuple(items, names):
            parts = [random_value(source, item) for item in items]
            return parts if names is None else dict(zip(names, parts, strict=True))
        case t.Int():
            extreme = source.random() < 0.08
            return source.choice((inner.minimum, inner.maximum)) if extreme else _small(source, inner.signed)
    return _SCALARS[type(inner)](source, inner)


def _small(source: random.Random, signed: bool) -> int:
    return source.randint(-9 if signed else 0, 12)


def _float(source: random.Random, type_: t.Type) -> Any:
    if source.random() < 0.06:
        return source.choice(("nan", "inf", "-inf"))
    return source.choice((0.0, 1.5, -2.25, 3.0, 0.125, -0.5, 100.0, 2.5, 7.0))


def _decimal(source: random.Random, type_: t.Type) -> Any:
    assert isinstance(type_, t.Decimal)
    return f"{source.choice((0, 1, -1, 12.5, 99.99, -3.75, 1000, 0.01)):.{type_.scale}f}"


def _moment(source: random.Random, type_: t.Type) -> Any:
    minute, second = source.choice((0, 15, 30, 59)), source.choice((0, 1, 59))
    text = f"{_date(source, type_)} {source.randint(0, 23):02}:{minute:02}:{second:02}"
    if not isinstance(type_, t.DateTime64):
        return text
    return f"{text}.{source.choice((0, 1, 500, 999)):03}{'0' * (type_.precision - 3)}"


def _date(source: random.Random, type_: t.Type) -> Any:
    if source.random() < 0.06 and not isinstance(type_, t.DateTime | t.DateTime64):
        return source.choice(("1999-12-31", "2030-01-01"))
    return f"2024-{source.choice((1, 2, 3, 10, 12)):02}-{source.choice((1, 2, 15, 28, 29)):02}"


_SCALARS: dict[type, Callable[[random.Random, Any], Any]] = {
    t.Float: _float,
    t.Decimal: _decimal,
    t.Bool: lambda source, _: source.random() < 0.5,
    t.String: lambda source, _: source.choice(_TEXTS),
    t.FixedString: lambda source, _: source.choice(("abc", "ab", "", "xyz")),
    t.Enum: lambda source, type_: source.choice(type_.members)[0],
    t.Date: _date,
    t.Date32: _date,
    t.DateTime: _moment,
    t.DateTime64: _moment,
    t.UUID: lambda source, _: f"61f0c404-5cb3-11e7-907b-a6006ad3dba{source.randint(0, 3)}",
    t.IPv4: lambda source, _: f"10.0.0.{source.randint(0, 3)}",
}
