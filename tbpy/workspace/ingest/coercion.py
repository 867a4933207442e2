"""DuckDB SQL that reads a value of any ClickHouse type out of text or out of JSON, as strictly as Tinybird does.

`from_text(type, sql)`: `sql` is text, as a CSV cell holds it. `from_json(type, sql)`: `sql` is VARCHAR that holds the
JSON text of one value (a string keeps its quotes), never the word `null`. Both must be cheap to repeat. The
answer is NULL where the value is not one of the type. Which JSON goes into which type:

| column | taken | refused |
| --- | --- | --- |
| Int8..Int32, UInt8..UInt32 | whole numbers in range, true and false | strings, fractions |
| 64 bits and wider | those, and strings of digits (how clients send big integers) | fractions |
| Float | numbers, numeric strings (`1_0` too: DuckDB's reader takes it) | other strings |
| Bool | true, false, 1, 0 and the words for them | other numbers |
| String | everything, objects and arrays as JSON text | |
| Date, DateTime, DateTime64 | texts of them, numbers since the epoch | |
| Array, Map, Tuple | arrays and objects whose every part is good | |
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.documents import STORED_OR_NULL, document_sql
from tbpy.clickhouse.quoting import duckdb_name, duckdb_string
from tbpy.clickhouse.storage import duckdb_type, field_names, union_sql
from tbpy.workspace.ingest.scalars import scalar_from_text, wide_integer


def from_text(type_: t.Type, sql: str) -> str:
    """SQL of the stored value of the text `sql`, NULL where it is none."""
    match type_:
        case t.Nullable(item) | t.LowCardinality(item) | t.SimpleAggregateFunction(_, item):
            return from_text(item, sql)
        case t.Geo():
            return from_text(type_.structure, sql)
        case t.Array(item):
            return _array_from_text(type_, item, sql)
        case t.Tuple() | t.Map():
            return from_json(type_, _literal_as_json(sql))
        case t.Variant():
            document = f"(CASE WHEN json_valid({sql}) THEN {sql} ELSE CAST(to_json({sql}) AS VARCHAR) END)"
            return from_json(type_, document)
    return scalar_from_text(type_, sql)


def reads_text(type_: t.Type) -> bool:
    """Whether a string and a number with the same text mean the same, so that the JSON reader may give bare text."""
    inner = t.plain(type_)
    return isinstance(
        inner,
        t.String | t.FixedString | t.UUID | t.Date | t.Date32 | t.DateTime | t.DateTime64 | t.Enum | t.IPv4 | t.IPv6,
    )


def from_json(type_: t.Type, sql: str) -> str:
    """SQL of the stored value of the JSON text `sql`, NULL where it is none."""
    match type_:
        case t.Nullable(item) | t.LowCardinality(item) | t.SimpleAggregateFunction(_, item):
            return from_json(item, sql)
        case t.Geo():
            return from_json(type_.structure, sql)
        case t.Int(bits, signed):
            return _integer(type_, bits, signed, sql)
        case t.Float():
            return _number(type_, sql)
        case t.Decimal():
            return from_text(type_, _unquoted(sql))
        case t.Bool():
            return from_text(type_, _unquoted(sql))
        case t.Array(item):
            argument = _argument(sql)
            parts = f"TRY_CAST(CAST({sql} AS JSON) AS JSON[])"
            return _whole_list(type_, item, parts, argument, from_json(item, _text_of(argument)))
        case t.Map():
            return _map(type_, sql)
        case t.Tuple():
            values = [_from_json_part(item, part) for item, part in _tuple_parts(type_, sql)]
            return f"CASE WHEN json_type({sql}) IN ('ARRAY', 'OBJECT') THEN {_struct_of(type_, values)} END"
        case t.Json():
            document = document_sql(sql, type_, STORED_OR_NULL)
            return f"CASE WHEN json_type({sql}) = 'OBJECT' THEN CAST({document} AS JSON) END"
        case t.Dynamic():
            return f"CAST({sql} AS JSON)"
        case t.Variant():
            return _variant(type_, sql)
    return from_text(type_, f"(CAST({sql} AS JSON)->>'$')")


#: What JSON values may be of a type of a Variant, in the order in which the types are tried.
_VARIANT_KINDS = (
    (t.Bool, "'BOOLEAN'"),
    (t.Int, "'UBIGINT', 'BIGINT'"),
    (t.Float | t.Decimal, "'UBIGINT', 'BIGINT', 'DOUBLE'"),
    (t.Date | t.Date32 | t.DateTime | t.DateTime64 | t.UUID | t.IPv4 | t.IPv6 | t.Enum, "'VARCHAR'"),
    (t.String | t.FixedString, "'VARCHAR'"),
    (t.Array, "'ARRAY'"),
    (t.Map | t.Tuple | t.Json, "'OBJECT'"),
)


def _variant(type_: t.Variant, sql: str) -> str:
    """The value as the first of the types that takes JSON of its kind; any text is a String where that is a type."""
    arms = []
    for kinds, names in _VARIANT_KINDS:
        for item in (item for item in type_.items if isinstance(t.plain(item), kinds)):
            value = from_json(item, sql)
            made = union_sql(f"({value})", item, type_)
            arms.append(f"WHEN json_type({sql}) IN ({names}) AND ({value}) IS NOT NULL THEN {made}")
    return f"(CASE {' '.join(arms)} END)"


def _from_json_part(type_: t.Type, part: str) -> str:
    """As `from_json`, for SQL of type JSON that may be NULL or `null`."""
    text = f"nullif({_text_of(part)}, 'null')"
    return f"CASE WHEN {text} IS NOT NULL THEN {from_json(type_, text)} END"


def _text_of(sql: str) -> str:
    return f"CAST({sql} AS VARCHAR)"


def _integer(type_: t.Type, bits: int, signed: bool, sql: str) -> str:
    unquoted = _unquoted(sql)
    if bits == 256:
        return wide_integer(signed, unquoted)
    target = duckdb_type(type_)
    number = f"TRY_CAST({sql} AS {target})"
    strings = f"WHEN regexp_full_match({sql}, '\"[+-]?[0-9]+\"') THEN TRY_CAST({unquoted} AS {target}) "
    return (
        f"CASE WHEN CAST({number} AS VARCHAR) = {sql} THEN {number} "
        rf"WHEN regexp_full_match({sql}, '-?[0-9]+(\.0+)?') THEN {number} "
        f"{strings if bits >= 64 else ''}"
        f"WHEN {sql} = 'true' THEN CAST(1 AS {target}) WHEN {sql} = 'false' THEN CAST(0 AS {target}) END"
    )


def _number(type_: t.Type, sql: str) -> str:
    target = duckdb_type(type_)
    return (
        f"CASE WHEN {sql} = 'true' THEN CAST(1 AS {target}) WHEN {sql} = 'false' THEN CAST(0 AS {target}) "
        f"ELSE TRY_CAST({_unquoted(sql)} AS {target}) END"
    )


def _unquoted(sql: str) -> str:
    return f"trim({sql}, '\"')"


def _map(type_: t.Map, sql: str) -> str:
    argument = _argument(sql)
    parts = f"map_entries(TRY_CAST(CAST({sql} AS JSON) AS MAP(VARCHAR, JSON)))"
    key, value = from_text(type_.key, f"{argument}.key"), _from_json_part(type_.value, f"{argument}.value")
    entries = f"list_transform({parts}, lambda {argument}: struct_pack(k := {key}, v := {value}))"
    null_value = f"{argument}.v IS NULL" if not t.is_nullable(type_.value) else "false"
    bad = f"len(list_filter({entries}, lambda {argument}: {argument}.k IS NULL OR {null_value})) > 0"
    return f"CASE WHEN {bad} THEN NULL ELSE CAST(map_from_entries({entries}) AS {duckdb_type(type_)}) END"


def _tuple_parts(type_: t.Tuple, sql: str) -> list[tuple[t.Type, str]]:
    """Each item with SQL of its JSON: by position in an array, by name in an object."""
    document = f"CAST({sql} AS JSON)"
    parts = []
    for place, item in enumerate(type_.items):
        by_place = f"{document}->'$[{place}]'"
        if type_.names is None:
            parts.append((item, f"({by_place})"))
            continue
        pointer = duckdb_string('$."' + type_.names[place].replace('"', '\\"') + '"')
        parts.append((item, f"(CASE WHEN json_type({sql}) = 'ARRAY' THEN {by_place} ELSE {document}->{pointer} END)"))
    return parts


def _array_from_text(type_: t.Type, item: t.Type, sql: str) -> str:
    """A literal of ClickHouse's or Python's: `[1, 2]`, `['a', 'b']`."""
    argument = _argument(sql)
    parts = f"CASE WHEN starts_with({sql}, '[') THEN TRY_CAST({sql} AS VARCHAR[]) END"
    return _whole_list(type_, item, parts, argument, from_text(item, argument))


def _whole_list(type_: t.Type, item: t.Type, parts: str, argument: str, value: str) -> str:
    """The list of converted `parts`, NULL when one of them could not be converted (or is NULL and may not be)."""
    converted = f"list_transform({parts}, lambda {argument}: CASE WHEN {argument} IS NOT NULL THEN {value} END)"
    complete = f"list_count({converted}) = " + (f"list_count({parts})" if t.is_nullable(item) else f"len({parts})")
    return f"CASE WHEN {complete} THEN CAST({converted} AS {duckdb_type(type_)}) END"


def _argument(sql: str) -> str:
    """A name for the argument of a lambda over `sql` that no lambda around it has."""
    return f"e{int(sql[1:]) + 1}" if sql[:1] == "e" and sql[1:].isdigit() else "e1"


def _literal_as_json(sql: str) -> str:
    """SQL of the JSON text of a Map or Tuple literal: `{'a': 1}`, `(1, 'x')`."""
    array = f"CASE WHEN starts_with({sql}, '(') THEN '[' || {sql}[2:-2] || ']' ELSE {sql} END"
    quoted = f"replace({array}, '''', '\"')"
    return f"CASE WHEN json_valid({sql}) THEN {sql} WHEN json_valid({quoted}) THEN {quoted} END"


def _struct_of(type_: t.Tuple, values: list[str]) -> str:
    """A STRUCT of the converted items, NULL when one is missing that may not be."""
    fields = ", ".join(f"{duckdb_name(n)} := {v}" for n, v in zip(field_names(type_), values, strict=True))
    needed = [f"{v} IS NOT NULL" for v, item in zip(values, type_.items, strict=True) if not t.is_nullable(item)]
    struct = f"CAST(struct_pack({fields}) AS {duckdb_type(type_)})"
    return f"CASE WHEN {' AND '.join(needed)} THEN {struct} END" if needed else struct
