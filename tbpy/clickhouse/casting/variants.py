"""Conversions to Variant, and from it to the types that its types can become."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting import texts
from tbpy.clickhouse.casting.caster import Caster, target
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.compiler.unions import by_type, made
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import default_sql, duckdb_type
from tbpy.errors import QueryError

#: In which order a text is tried as a value of the types: the more special ones first.
_TRIED = (t.Bool, t.Int, t.Float, t.Decimal, t.Date, t.DateTime, t.DateTime64, t.UUID, t.IPv4, t.IPv6, t.Array)
_BOOLS = "'true', 'false'"
_BOOL_WORDS = ", ".join(map(duckdb_string, (*texts.TRUE_WORDS[:-1], *texts.FALSE_WORDS[:-1])))


@target(t.Variant)
def to_variant(caster: Caster, value: Typed, target_: t.Variant) -> Typed:
    source = value.type
    if isinstance(source, t.Variant) and set(source.items) <= set(target_.items):
        return caster.result(value, f"CAST({value.sql} AS {duckdb_type(target_)})", target_)
    member = next((item for item in target_.items if t.plain(item) == source), None)
    if isinstance(source, t.String) and (member is None or len(target_.items) > 1):
        return _of_text(caster, value, target_)
    if member is not None:
        return caster.result(value, made(value.as_type(t.nullable(member)), member, target_), target_)
    text = f"Cannot convert type {source} to {target_}. Conversion to Variant allowed only for types from this Variant"
    raise QueryError(text, code=70, name="CANNOT_CONVERT_TYPE", place=failures.place(caster.node))


def _of_text(caster: Caster, value: Typed, target_: t.Variant) -> Typed:
    """A text is read as a value of the first type that it is one of, and stays a text otherwise."""
    sql = value.sql
    source = Typed(sql, t.STRING)
    arms = [f"WHEN {sql} IN ('null', 'NULL') THEN NULL"]
    for item in sorted(target_.items, key=_rank):
        arms.append(_arm(caster, source, item, target_))
    text = next((item for item in target_.items if isinstance(t.plain(item), t.String)), None)
    other = f"error({duckdb_string(f'INCORRECT_DATA: Cannot parse text value of type {target_} here')})"
    if text is not None:
        other = made(source, text, target_)
    elif caster.lenient:
        other = "NULL"
    cases = " ".join(arm for arm in arms if arm)
    return caster.result(value, f"(CASE {cases} WHEN {sql} IS NOT NULL THEN {other} END)", target_)


def _rank(type_: t.Type) -> int:
    return next((rank for rank, kind in enumerate(_TRIED) if isinstance(t.plain(type_), kind)), len(_TRIED))


def _arm(caster: Caster, source: Typed, item: t.Type, target_: t.Variant) -> str:
    inner = t.plain(item)
    if not isinstance(inner, _TRIED):
        return ""
    if isinstance(inner, t.Array):
        text = f"regexp_full_match({source.sql}, '\\s*\\[.*\\]\\s*')"
        if not isinstance(inner.item, t.Int | t.Float):
            failure = duckdb_string(f"Conversion of a text to {target_} is not supported by tbpy yet")
            return f"WHEN {text} THEN error({failure})"
    read = Caster(caster.compiler, caster.node, lenient=True).plain(source, inner)
    condition = f"({read.sql}) IS NOT NULL"
    if isinstance(inner, t.Bool):
        words = _BOOL_WORDS if caster.compiler.context.enabled("allow_special_bool_values_inside_variant") else _BOOLS
        condition = f"lower({source.sql}) IN ({words})"
    return f"WHEN {condition} THEN {made(Typed(read.sql, item), item, target_)}"


def from_variant(caster: Caster, value: Typed, target_: t.Type) -> Typed:
    """Each of the types as the target; NULL is the default of a type without NULL."""
    source = value.type
    assert isinstance(source, t.Variant)
    wanted = target_ if not t.is_nullable(target_) and not caster.lenient else t.nullable(target_)
    converted = by_type(value, source, lambda part: caster.cast(part, wanted).sql)
    if not t.is_nullable(wanted):
        converted = f"coalesce({converted}, {default_sql(target_)})"
    return caster.result(value, converted, target_)
