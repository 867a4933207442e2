"""Which type two types share, and how a value becomes of another type without changing what it means.

`common_type` is ClickHouse's least supertype; `coerce` is the implicit conversion to it. The explicit conversions of a
query (`toInt8`, CAST) are functions of the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.wide import is_wide, number_text, scale_of
from tbpy.clickhouse.compiler.context import Context
from tbpy.clickhouse.compiler.failures import no_common_type
from tbpy.clickhouse.compiler.literals import tuple_sql
from tbpy.clickhouse.compiler.typed import UNKNOWN, Typed
from tbpy.clickhouse.compiler.unions import made, variant_of
from tbpy.clickhouse.documents import TAG
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type, field_names
from tbpy.errors import QueryError


def common_type(types: Sequence[t.Type], node: ast.Node | None = None) -> t.Type:
    """The least supertype, as of array elements, branches of if() and UNION. Raises code 386 when there is none."""
    if all(type_ == types[0] for type_ in types):
        return types[0]
    cardinality = all(isinstance(type_, t.LowCardinality) for type_ in types)
    bare = [t.without_low_cardinality(_simple(type_)) for type_ in types]
    optional = any(isinstance(type_, t.Nullable) for type_ in bare)
    inner = [type_.item if isinstance(type_, t.Nullable) else type_ for type_ in bare]
    known = [type_ for type_ in inner if not isinstance(type_, t.Nothing)]
    result = _common(known, types, node) if known else t.NOTHING
    if optional or any(isinstance(type_, t.Nothing) for type_ in inner):
        result = t.nullable(result) if optional or not known else result
    return t.LowCardinality(result) if cardinality else result


def common_or_variant(context: Context, types: Sequence[t.Type], node: ast.Node | None = None) -> t.Type:
    """The least supertype, or the Variant of the types where there is none, as of branches, maps and UNION.

    So is NULL beside a type that cannot be NULL.
    """
    variants = context.enabled("use_variant_as_common_type", True)
    try:
        type_ = common_type(types, node)
    except QueryError as error:
        if error.code != 386 or not variants:
            raise
        return variant_of(list(types))
    lacking = any(isinstance(t.plain(item), t.Nothing) and t.is_nullable(item) for item in types)
    return variant_of(list(types)) if lacking and variants and isinstance(type_, t.Array | t.Map) else type_


def _simple(type_: t.Type) -> t.Type:
    return type_.item if isinstance(type_, t.SimpleAggregateFunction) else type_


def _common(types: Sequence[t.Type], original: Sequence[t.Type], node: ast.Node | None) -> t.Type:
    first = types[0]
    if all(type_ == first for type_ in types):
        return first
    if any(isinstance(type_, t.Dynamic) for type_ in types) and all(map(_fits_dynamic, types)):
        return t.Dynamic()
    if all(isinstance(type_, t.Int | t.Float | t.Bool | t.Decimal) for type_ in types):
        return _common_number(types, original, node)
    intervals = {type_ for type_ in types if isinstance(type_, t.Interval)}
    if len(intervals) == 1 and all(isinstance(type_, t.Interval | t.Int | t.Float | t.Bool) for type_ in types):
        return intervals.pop()
    if all(isinstance(type_, t.String | t.FixedString) for type_ in types):
        return t.STRING
    if all(isinstance(type_, t.Enum | t.String | t.FixedString) for type_ in types):
        return t.STRING
    if all(isinstance(type_, t.Date | t.Date32 | t.DateTime | t.DateTime64) for type_ in types):
        return _common_time(types)
    if all(isinstance(type_, t.Time) for type_ in types):
        precisions = [type_.precision for type_ in types if isinstance(type_, t.Time) and type_.precision is not None]
        return t.Time(max(precisions, default=None))
    if all(isinstance(type_, t.Array) for type_ in types):
        return t.Array(common_type([type_.item for type_ in types if isinstance(type_, t.Array)], node))
    if all(isinstance(type_, t.Map) for type_ in types):
        maps = [type_ for type_ in types if isinstance(type_, t.Map)]
        return t.Map(common_type([m.key for m in maps], node), common_type([m.value for m in maps], node))
    if all(isinstance(type_, t.Tuple) for type_ in types):
        return _common_tuple([type_ for type_ in types if isinstance(type_, t.Tuple)], original, node)
    raise no_common_type(original, node)


def _fits_dynamic(type_: t.Type) -> bool:
    """Whether JSON text keeps the value as it is."""
    return isinstance(type_, t.Dynamic | t.String | t.Bool) or type_ in (*_SMALL_INTS, t.FLOAT64)


_SMALL_INTS = (t.UINT8, t.UINT16, t.UINT32, t.INT8, t.INT16, t.INT32, t.INT64)


def _common_tuple(types: Sequence[t.Tuple], original: Sequence[t.Type], node: ast.Node | None) -> t.Type:
    if len({len(type_.items) for type_ in types}) != 1:
        raise no_common_type(original, node)
    names = types[0].names if all(type_.names == types[0].names for type_ in types) else None
    columns = zip(*(type_.items for type_ in types), strict=True)
    return t.Tuple(tuple(common_type(column, node) for column in columns), names)


def _common_number(types: Sequence[t.Type], original: Sequence[t.Type], node: ast.Node | None) -> t.Type:
    numbers = [t.UINT8 if isinstance(type_, t.Bool) else type_ for type_ in types]
    if all(type_ == t.UINT8 for type_ in numbers):
        return types[0]  # Bool is a UInt8 that prints otherwise: the first one decides
    decimals = [type_ for type_ in numbers if isinstance(type_, t.Decimal)]
    floats = [type_ for type_ in numbers if isinstance(type_, t.Float)]
    ints = [type_ for type_ in numbers if isinstance(type_, t.Int)]
    if decimals:
        if floats or any(type_.bits > 64 for type_ in ints):
            raise no_common_type(original, node)
        # Decimals keep the widest storage among them, whatever their digits; whole numbers must fit before the point.
        scale = max(type_.scale for type_ in decimals)
        stored = max(decimal_width(type_.precision) for type_ in decimals)
        whole = max((len(str(type_.maximum)) + scale for type_ in ints), default=0)
        return t.Decimal(max(stored, decimal_width(whole)), scale)
    if floats:
        widest = max((type_.bits for type_ in ints), default=0)
        bits = max(type_.bits for type_ in floats)
        if widest > 32:
            raise no_common_type(original, node)
        return t.Float(64 if bits == 64 or widest > 16 else 32)
    return common_integer(ints, original, node)


def common_integer(ints: Sequence[t.Int], original: Sequence[t.Type], node: ast.Node | None) -> t.Int:
    unsigned = max((type_.bits for type_ in ints if not type_.signed), default=0)
    signed = max((type_.bits for type_ in ints if type_.signed), default=0)
    if not signed:
        return t.Int(unsigned, False)
    bits = signed if signed > unsigned else unsigned * 2
    if bits > 256 or (unsigned >= signed and unsigned == 64 and bits == 128):
        raise no_common_type(original, node)
    return t.Int(bits, True)


def decimal_width(digits: int) -> int:
    """The precision of the decimal storage that holds so many digits."""
    return next((width for width in (9, 18, 38, 76) if digits <= width), 76)


def _common_time(types: Sequence[t.Type]) -> t.Type:
    """The first DateTime64 of the highest precision, else the first DateTime, which Date32 makes wider."""
    precise = [type_ for type_ in types if isinstance(type_, t.DateTime64)]
    if precise:
        return max(precise, key=lambda type_: type_.precision)
    moments = [type_ for type_ in types if isinstance(type_, t.DateTime)]
    if moments:
        return t.DateTime64(0) if any(isinstance(type_, t.Date32) for type_ in types) else moments[0]
    return t.DATE32


def coerce(typed: Typed, type_: t.Type) -> Typed:
    """The value as a `type_`, which is a supertype of its own type."""
    if typed.type == type_:
        return typed
    same_storage = duckdb_type(typed.type) == duckdb_type(type_)
    if isinstance(t.plain(typed.type), t.Nothing):
        return replace(typed, sql=f"CAST(NULL AS {duckdb_type(type_)})", type=type_, condition=None)
    variant = t.plain(type_)
    if isinstance(variant, t.Variant) and not isinstance(typed.type, t.Variant):
        return replace(
            typed, sql=made(typed, t.not_nullable(typed.type), variant), type=type_, condition=None, value=UNKNOWN
        )
    special = _special(typed.sql, t.plain(typed.type), t.plain(type_))
    if special is not None:
        return replace(typed, sql=special, type=type_, condition=None)
    if same_storage and not typed.constant:
        return replace(typed, type=type_, condition=None if t.is_nullable(type_) is False else typed.condition)
    return replace(typed, sql=f"CAST({typed.sql} AS {duckdb_type(type_)})", type=type_, condition=None)


def _special(sql: str, source: t.Type, target: t.Type) -> str | None:
    """A conversion that DuckDB's CAST would make otherwise; None where CAST is right."""
    match source, target:
        case ((t.Int() | t.Bool() | t.Decimal()), (t.Int() | t.Decimal())) if is_wide(target):
            return number_text(sql, source, scale_of(target))
        case t.Int(), t.Dynamic() if source != t.INT64:
            return f"(CASE WHEN {sql} IS NOT NULL THEN json_object('{TAG}{source}', {sql}) END)"
        case ((t.String() | t.Bool() | t.Int() | t.Float()), t.Dynamic()):
            return f"to_json({sql})"
        case t.FixedString(), t.String():
            return f"rtrim({sql}, chr(0))"
        case t.Time(own), t.Time(wanted) if (wanted or 0) > (own or 0):
            return f"({sql} * {10 ** ((wanted or 0) - (own or 0))})"
        case ((t.Date() | t.Date32()), (t.DateTime(zone) | t.DateTime64(_, zone))) if zone not in (
            None,
            "UTC",
            "Etc/UTC",
        ):
            midnight = f"timezone('UTC', timezone({duckdb_string(zone or '')}, CAST({sql} AS TIMESTAMP)))"
            return f"CAST({midnight} AS {duckdb_type(target)})"
        case t.Tuple(), t.Tuple() if field_names(source) != field_names(target):
            fields = [
                coerce(Typed(f"{sql}[{duckdb_string(name)}]", item), wanted).exact()
                for name, item, wanted in zip(field_names(source), source.items, target.items, strict=True)
            ]
            return f"(CASE WHEN {sql} IS NOT NULL THEN {tuple_sql(fields, field_names(target))} END)"
        case t.Array(item), t.Array(wanted):
            inside = _special("e", t.plain(item), t.plain(wanted))
            return (
                None if inside is None else f"CAST(list_transform({sql}, lambda e: {inside}) AS {duckdb_type(target)})"
            )
    return None
