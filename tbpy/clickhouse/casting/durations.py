"""The types Time and Time64: a time of day or a duration, stored as its ticks, which may be negative."""

from __future__ import annotations

import re

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.caster import Caster, target
from tbpy.clickhouse.casting.printing import local_time, microseconds
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_string

_MOST = 3599999  # seconds
_TIME = r"-?(\d{1,3}:\d\d:\d\d|\d{1,2}:\d\d|\d{1,2})"


def scale_of(type_: t.Time) -> int:
    return type_.precision or 0


def rescaled(sql: str, own: int, wanted: int) -> str:
    """Ticks of another size; what they cannot tell is cut off."""
    if wanted >= own:
        return f"({sql} * {10 ** (wanted - own)})" if wanted > own else sql
    return f"({sql} // {10 ** (own - wanted)})"


@target(t.Time)
def to_time(caster: Caster, value: Typed, target_: t.Time) -> Typed:
    source, scale = value.type, scale_of(target_)
    match source:
        case t.String():
            return _of_text(caster, value, target_)
        case t.Time() if source.precision is None or target_.precision is not None:
            return caster.result(value, rescaled(value.sql, scale_of(source), scale), target_)
        case t.Date() | t.Date32():
            return caster.result(value, f"(CASE WHEN {value.sql} IS NOT NULL THEN CAST(0 AS BIGINT) END)", target_)
        case t.DateTime(zone) | t.DateTime64(_, zone):
            moment = local_time(microseconds(value), zone)
            ticks = f"((epoch_us({moment}) % 86400000000 + 86400000000) % 86400000000)"
            if isinstance(source, t.DateTime64) and source.precision > 6 and scale > 6:
                caster.refuse(source, target_)
            return caster.result(value, rescaled(ticks, 6, scale), target_)
        case t.Int() | t.Float() if isinstance(source, t.Float) or source.bits <= 64:
            number = f"CAST(trunc({value.sql}) AS BIGINT)" if isinstance(source, t.Float) else value.sql
            high, low = (f"WHEN {number} {sign} THEN {sign[2:]}" for sign in (f"> {_MOST}", f"< -{_MOST}"))
            seconds = f"CAST((CASE {high} {low} ELSE {number} END) AS BIGINT)"
            if scale and isinstance(source, t.Float):
                caster.refuse(source, target_)
            return caster.result(value, rescaled(seconds, 0, scale), target_)
    return caster.refuse(source, target_)


def _of_text(caster: Caster, value: Typed, target_: t.Time) -> Typed:
    fraction = "" if target_.precision is None else r"(\.\d+)?"
    if value.known and isinstance(value.value, str) and not re.fullmatch(_TIME + fraction, value.value, re.A):
        begun = re.match(r"-?\d", value.value, re.A)
        code, name = (6, "CANNOT_PARSE_TEXT") if begun else (41, "CANNOT_PARSE_DATETIME")
        return caster.failed(value.value, target_, code, name)
    ticks = signed_ticks(value.sql, target_.precision or 0)
    return caster.checked(value, f"regexp_full_match({value.sql}, {duckdb_string(_TIME + fraction)})", ticks, target_)


def signed_ticks(text: str, precision: int) -> str:
    """SQL of the ticks of a text `-1:02:03.5`, from which hours and minutes may be missing."""
    parts = f"string_split(split_part(ltrim({text}, '+-'), '.', 1), ':')"
    hours, minutes, seconds = (f"coalesce(CAST({parts}[{place}] AS BIGINT), 0)" for place in (-3, -2, -1))
    ticks = f"({hours} * 3600 + {minutes} * 60 + {seconds})"
    if precision:
        digits = f"left(rpad(split_part({text}, '.', 2), 9, '0'), {precision})"
        ticks = f"({ticks} * {10**precision} + CAST({digits} AS BIGINT))"
    return f"(CASE WHEN starts_with({text}, '-') THEN -{ticks} ELSE {ticks} END)"
