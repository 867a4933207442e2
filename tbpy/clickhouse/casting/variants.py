"""Variant: one of several types, stored as JSON text whose kind tells which.

So the types of a Variant must differ as JSON values: at most one whole number, Float64, Bool, String and one array.
"""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import texts
from tbpy.clickhouse.casting.caster import Caster, target
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type


def kind_of(type_: t.Type) -> str | None:
    """The JSON kinds of a type's values, as a list of DuckDB's `json_type`; None where they do not tell it."""
    match type_:
        case t.Int(bits) if bits <= 64:
            return "'UBIGINT', 'BIGINT'"
        case t.Float(64):
            return "'DOUBLE'"
        case t.Bool():
            return "'BOOLEAN'"
        case t.String():
            return "'VARCHAR'"
        case t.Array(item) if kind_of(item) is not None:
            return "'ARRAY'"
    return None


def is_told(variant: t.Variant) -> bool:
    """Whether each stored value tells its type."""
    kinds = [kind_of(item) for item in variant.items]
    return None not in kinds and len(set(kinds)) == len(kinds)


@target(t.Variant)
def to_variant(caster: Caster, value: Typed, target_: t.Variant) -> Typed:
    source = value.type
    if not is_told(target_):
        caster.refuse(source, target_)
    if isinstance(source, t.String):
        return _of_text(caster, value, target_)
    if source in target_.items:
        return caster.result(value, f"to_json({value.exact()})", target_)
    return caster.refuse(source, target_)


def _of_text(caster: Caster, value: Typed, target_: t.Variant) -> Typed:
    """A text is read as a number or Bool where it is one, and stays a text otherwise."""
    arms, sql = [], value.sql
    for item in sorted(target_.items, key=lambda item: isinstance(item, t.Float)):
        cast = f"TRY_CAST({sql} AS {duckdb_type(item)})"
        match item:
            case t.Int():
                arms.append(f"WHEN regexp_full_match({sql}, '[+-]?[0-9]+') AND {cast} IS NOT NULL THEN to_json({cast})")
            case t.Float():
                arms.append(f"WHEN regexp_full_match({sql}, {texts.FLOAT_SQL}) THEN {_finite(cast, target_)}")
            case t.Bool():
                arms.append(f"WHEN {sql} IN ('true', 'false') THEN CAST({sql} AS JSON)")
            case t.Array():
                failure = duckdb_string(f"Conversion of a text to {target_} is not supported by tbpy yet")
                arms.append(f"WHEN starts_with({sql}, '[') THEN error({failure})")
    other = f"to_json({sql})"
    if t.STRING not in target_.items:
        other = f"error('INCORRECT_DATA: Cannot parse text value of type {target_} here')"
    return caster.result(value, f"(CASE {' '.join(arms)} WHEN {sql} IS NOT NULL THEN {other} END)", target_)


def _finite(sql: str, target_: t.Variant) -> str:
    """JSON has no NaN and no infinity."""
    failure = duckdb_string(f"Conversion of NaN and infinity to {target_} is not supported by tbpy yet")
    return f"(CASE WHEN isfinite({sql}) THEN to_json({sql}) ELSE error({failure}) END)"
