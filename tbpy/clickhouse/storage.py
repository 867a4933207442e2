"""How a value of a ClickHouse type is kept in DuckDB.

| ClickHouse | DuckDB | note |
| --- | --- | --- |
| DateTime, DateTime64(0..6) | TIMESTAMP | naive UTC; the zone lives in the type only |
| DateTime64(7..9) | TIMESTAMP_NS | |
| Date, Date32 | DATE | |
| Enum | VARCHAR | the name; order and number come from the type |
| IPv4 | UINTEGER | |
| IPv6 | UHUGEINT | big-endian number |
| Int256, UInt256, Decimal over 38 digits | VARCHAR | all digits of the scale: see `casting.wide` |
| Tuple | STRUCT with its names, or "1", "2", ... | |
| JSON, Dynamic | JSON | |
| Variant | UNION with the names of its types | |
"""

from __future__ import annotations

from functools import lru_cache

from tbpy.clickhouse import types as t
from tbpy.clickhouse.quoting import duckdb_name, duckdb_string

_INTS = {8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT", 128: "HUGEINT"}
_SIMPLE = {
    t.String: "VARCHAR",
    t.FixedString: "VARCHAR",
    t.Bool: "BOOLEAN",
    t.UUID: "UUID",
    t.IPv4: "UINTEGER",
    t.IPv6: "UHUGEINT",
    t.Date: "DATE",
    t.Date32: "DATE",
    t.DateTime: "TIMESTAMP",
    t.Enum: "VARCHAR",
    t.Time: "BIGINT",
    t.Nothing: "INTEGER",
    t.Interval: "BIGINT",
    t.Json: "JSON",
    t.Dynamic: "JSON",
}


#: A tuple without elements: DuckDB has no type for a STRUCT without fields.
EMPTY_TUPLE = "{'_': CAST(0 AS TINYINT)}"


@lru_cache(maxsize=4096)
def duckdb_type(type_: t.Type) -> str:
    """The DuckDB type that stores `type_`. For AggregateFunction see `tbpy.clickhouse.states`."""
    simple = _SIMPLE.get(type(type_))
    if simple is not None:
        return simple
    match type_:
        case t.Int(bits, signed):
            return "VARCHAR" if bits == 256 else ("" if signed else "U") + _INTS[bits]
        case t.Float(bits):
            return "FLOAT" if bits == 32 else "DOUBLE"
        case t.Decimal(precision, scale):
            return f"DECIMAL({precision}, {scale})" if precision <= 38 else "VARCHAR"
        case t.DateTime64(precision):
            return "TIMESTAMP" if precision <= 6 else "TIMESTAMP_NS"
        case t.Array(item):
            return f"{duckdb_type(item)}[]"
        case t.Map(key, value):
            return f"MAP({duckdb_type(key)}, {duckdb_type(value)})"
        case t.Tuple(()):
            return "STRUCT(_ TINYINT)"
        case t.Tuple():
            fields = zip(field_names(type_), type_.items, strict=True)
            return f"STRUCT({', '.join(f'{duckdb_name(name)} {duckdb_type(item)}' for name, item in fields)})"
        case t.Variant(items):
            return f"UNION({', '.join(f'{duckdb_name(str(item))} {duckdb_type(item)}' for item in items)})"
        case t.Nullable(item) | t.LowCardinality(item) | t.SimpleAggregateFunction(_, item):
            return duckdb_type(item)
        case t.Geo():
            return duckdb_type(type_.structure)
        case t.AggregateFunction():
            from tbpy.clickhouse.states import state_storage

            return state_storage(type_)
    raise AssertionError(f"no storage for {type_}")


def union_sql(sql: str, member: t.Type, variant: t.Variant) -> str:
    """A value of one of a Variant's types, not NULL, as the Variant."""
    value = f"CAST({sql} AS {duckdb_type(member)})"
    return f"CAST(union_value({duckdb_name(str(member))} := {value}) AS {duckdb_type(variant)})"


def field_names(type_: t.Tuple) -> tuple[str, ...]:
    """The names of the STRUCT fields that store a tuple."""
    return type_.names or tuple(str(position + 1) for position in range(len(type_.items)))


@lru_cache(maxsize=4096)
def default_sql(type_: t.Type) -> str:
    """DuckDB SQL of the value that ClickHouse puts where there is none: 0, '', 1970-01-01, the first of an enum."""
    match type_:
        case t.Nullable() | t.Nothing() | t.Dynamic() | t.Variant():
            return f"CAST(NULL AS {duckdb_type(type_)})"
        case t.LowCardinality(item) | t.SimpleAggregateFunction(_, item):
            return default_sql(item)
        case t.String():
            return "''"
        case t.Decimal(precision, scale) if precision > 38 and scale:
            return duckdb_string("0." + "0" * scale)
        case t.FixedString(length):
            return duckdb_string("\0" * length)
        case t.Enum(_, members):
            return duckdb_string(members[0][0])
        case t.Bool():
            return "false"
        case t.UUID():
            return "CAST('00000000-0000-0000-0000-000000000000' AS UUID)"
        case t.Date() | t.Date32():
            return "DATE '1970-01-01'"
        case t.DateTime() | t.DateTime64():
            return f"CAST('1970-01-01 00:00:00' AS {duckdb_type(type_)})"
        case t.Json():
            return "CAST('{}' AS JSON)"
        case t.Array():
            return f"CAST([] AS {duckdb_type(type_)})"
        case t.Map():
            return f"CAST(MAP {{}} AS {duckdb_type(type_)})"
        case t.Tuple(()):
            return EMPTY_TUPLE
        case t.Tuple():
            fields = zip(field_names(type_), type_.items, strict=True)
            return "{" + ", ".join(f"{duckdb_string(name)}: {default_sql(item)}" for name, item in fields) + "}"
        case t.Geo():
            return default_sql(type_.structure)
        case t.AggregateFunction():
            return f"CAST(NULL AS {duckdb_type(type_)})"
    return f"CAST(0 AS {duckdb_type(type_)})"
