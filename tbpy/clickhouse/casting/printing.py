"""Values as text, exactly as ClickHouse's `toString` prints them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import field_names
from tbpy.clickhouse.zone_offsets import is_changed

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.typed import Typed

#: Types whose text stands in quotes inside an array, tuple or map.
_QUOTED = (t.String, t.FixedString, t.Date, t.Date32, t.DateTime, t.DateTime64, t.UUID, t.IPv4, t.IPv6, t.Enum, t.Time)


def text_sql(sql: str, type_: t.Type, zone: str | None = None) -> str | None:
    """DuckDB SQL of the text of a value of a plain type; None where it has no text here."""
    match type_:
        case t.String() | t.Enum():
            return sql
        case t.FixedString():
            return f"rtrim({sql}, chr(0))"
        case t.Int(bits) if bits == 256:
            return sql
        case t.Int() | t.Bool() | t.UUID() | t.Date() | t.Date32() | t.Interval():
            return f"CAST({sql} AS VARCHAR)"
        case t.Float():
            return float_text(sql)
        case t.Decimal(_, scale):
            text = f"CAST({sql} AS VARCHAR)"
            return f"rtrim(rtrim({text}, '0'), '.')" if scale else text
        case t.DateTime(own):
            return f"CAST({local_time(sql, zone or own)} AS VARCHAR)"
        case t.DateTime64(precision, own):
            return _fractional(local_time(sql, zone or own), precision)
        case t.Array(item):
            return _array_text(sql, item)
        case t.Tuple():
            return _tuple_text(sql, type_)
        case t.Map(key, value):
            return _map_text(sql, key, value)
        case t.IPv4():
            return _ipv4_text(sql)
        case t.Time(precision):
            return _duration_text(sql, precision or 0)
    return None


def in_utc(zone: str | None) -> bool:
    """Whether the wall clock of a zone is the stored instant; no zone means UTC."""
    return zone is None or zone in ("UTC", "Etc/UTC")


def local_time(sql: str, zone: str | None) -> str:
    """A stored instant as the wall clock of a zone shows it, a naive TIMESTAMP."""
    if in_utc(zone):
        return sql
    return f"timezone({duckdb_string(zone or '')}, timezone('UTC', {sql}))"


def microseconds(value: Typed) -> str:
    """A moment as a TIMESTAMP: finer digits are cut off, where DuckDB's cast would round to the next day."""
    inner = t.plain(value.type)
    fine = isinstance(inner, t.DateTime64) and inner.precision > 6
    return f"make_timestamp(epoch_us({value.sql}))" if fine else value.sql


def instant(sql: str, zone: str | None) -> str:
    """A wall clock of a zone as the instant that is stored for it."""
    if in_utc(zone):
        return sql
    return f"timezone('UTC', timezone({duckdb_string(zone or '')}, {sql}))"


def first_instant(sql: str, zone: str | None, *, twice: bool = True, never: bool = True) -> str:
    """A wall clock as an instant. Of an hour that comes `twice` it is the first one, of one that `never` comes an hour
    before; without these, it is the later one and the hour after."""
    plain = instant(sql, zone)
    if in_utc(zone) or not is_changed(zone):
        return plain
    earlier = f"({plain} - INTERVAL 1 HOUR)"
    tests = [f"{local_time(earlier, zone)} = {sql}"] if twice else []
    tests += [f"{local_time(plain, zone)} <> {sql}"] if never else []
    return f"(CASE WHEN {' OR '.join(tests)} THEN {earlier} ELSE {plain} END)"


def _fractional(sql: str, precision: int) -> str:
    if precision == 0:
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S')"
    if precision in (3, 6, 9):
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S.{ {3: '%g', 6: '%f', 9: '%n'}[precision] }')"
    return f"left(strftime({sql}, '%Y-%m-%d %H:%M:%S.%n'), {20 + precision})"


def float_text(sql: str) -> str:
    """The shortest text of a float: `1`, `0.1`, `1e21`, `1e-7`.

    DuckDB writes `1.0`, `1e+16` and `1e-05`, where ClickHouse has plain digits of up to 21 places.
    """
    text = f"CAST({sql} AS VARCHAR)"
    whole = f"WHEN {text} LIKE '%.0' THEN left({text}, -2)"
    return f"(CASE {whole} WHEN {text} LIKE '%e%' THEN {_scientific(sql)} WHEN isnan({sql}) THEN 'nan' ELSE {text} END)"


def _scientific(sql: str) -> str:
    power = "CAST(split_part(s, 'e', 2) AS INTEGER)"
    digits = "replace(replace(split_part(s, 'e', 1), '.', ''), '-', '')"
    sign = "(CASE WHEN s LIKE '-%' THEN '-' ELSE '' END)"
    whole = f"{sign} || rpad({digits}, {power} + 1, '0')"
    small = f"{sign} || '0.' || repeat('0', -{power} - 1) || {digits}"
    other = f"split_part(s, 'e', 1) || 'e' || {power}"
    body = (
        f"CASE WHEN {power} BETWEEN 0 AND 20 THEN {whole} WHEN {power} BETWEEN -6 AND -1 THEN {small} ELSE {other} END"
    )
    return f"list_transform([CAST({sql} AS VARCHAR)], lambda s: {body})[1]"


def quoted(sql: str) -> str:
    """A text as ClickHouse quotes it inside arrays: backslash escapes."""
    for plain, escaped in (
        ("'\\'", "'\\\\'"),
        ("''''", "'\\'''"),
        ("chr(10)", "'\\n'"),
        ("chr(13)", "'\\r'"),
        ("chr(9)", "'\\t'"),
        ("chr(8)", "'\\b'"),
        ("chr(12)", "'\\f'"),
        ("chr(0)", "'\\0'"),
    ):
        sql = f"replace({sql}, {plain}, {escaped})"
    return f"('''' || {sql} || '''')"


def _element(sql: str, type_: t.Type) -> str | None:
    """The text of a value inside an array, tuple or map; NULL prints as NULL."""
    inner = t.plain(type_)
    if isinstance(inner, t.Nothing):
        return "'NULL'"
    text = text_sql(sql, inner)
    if text is None:
        return None
    if isinstance(inner, t.String | t.FixedString | t.Enum):
        text = quoted(text if not isinstance(inner, t.FixedString) else sql)
    elif isinstance(inner, _QUOTED):
        text = f"('''' || {text} || '''')"
    return f"coalesce({text}, 'NULL')" if t.is_nullable(type_) else text


def _array_text(sql: str, item: t.Type) -> str | None:
    name = _fresh(sql)
    element = _element(name, item)
    if element is None:
        return None
    return f"('[' || array_to_string(list_transform({sql}, lambda {name}: {element}), ',') || ']')"


def _fresh(sql: str) -> str:
    """A lambda parameter that the SQL around it does not use."""
    number = 0
    while f"p{number}" in sql:
        number += 1
    return f"p{number}"


def _tuple_text(sql: str, type_: t.Tuple) -> str | None:
    fields = [
        _element(f"{sql}[{duckdb_string(name)}]", item)
        for name, item in zip(field_names(type_), type_.items, strict=True)
    ]
    if any(field is None for field in fields):
        return None
    if not fields:
        return f"(CASE WHEN {sql} IS NOT NULL THEN '()' END)"
    return "('(' || " + " || ',' || ".join(str(field) for field in fields) + " || ')')"


def _map_text(sql: str, key: t.Type, value: t.Type) -> str | None:
    name = _fresh(sql)
    left, right = _element(f"{name}.key", key), _element(f"{name}.value", value)
    if left is None or right is None:
        return None
    pairs = f"list_transform(map_entries({sql}), lambda {name}: {left} || ':' || {right})"
    return "('{' || array_to_string(" + pairs + ", ',') || '}')"


def _duration_text(sql: str, precision: int) -> str:
    seconds = f"(abs({sql}) // {10**precision})"
    hours = f"CAST({seconds} // 3600 AS VARCHAR)"
    parts = [f"(CASE WHEN length({hours}) < 2 THEN '0' || {hours} ELSE {hours} END)"]
    parts += [f"lpad(CAST({part} AS VARCHAR), 2, '0')" for part in (f"{seconds} // 60 % 60", f"{seconds} % 60")]
    text = "(CASE WHEN " + sql + " < 0 THEN '-' ELSE '' END) || " + " || ':' || ".join(parts)
    fraction = f" || '.' || lpad(CAST(abs({sql}) % {10**precision} AS VARCHAR), {precision}, '0')"
    return f"({text}{fraction if precision else ''})"


def _ipv4_text(sql: str) -> str:
    parts = [f"(({sql} >> {shift}) & 255)" for shift in (24, 16, 8, 0)]
    return "(" + " || '.' || ".join(parts) + ")"


# --- known values -----------------------------------------------------------------------------------------------------


def known_text(value: Any, type_: t.Type) -> str | None:
    """The text of a known value; None where only the database can tell."""
    inner = t.plain(type_)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(inner, t.Bool) and isinstance(value, int):
        return "true" if value else "false"
    if isinstance(value, int) and isinstance(inner, t.Int | t.Interval):
        return str(value)
    if isinstance(value, float | int) and inner == t.FLOAT64:
        return python_float_text(float(value))
    if isinstance(value, Decimal) and isinstance(inner, t.Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, str) and isinstance(inner, t.String | t.Enum):
        return value
    return None


def python_float_text(value: float) -> str:
    """A Float64 as ClickHouse prints it, with the shortest digits that read back the same."""
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.removesuffix(".0")
    if not exponent:
        return mantissa
    power = int(exponent)
    if not -7 < power < 21:
        return f"{mantissa}e{power}"
    return format(Decimal(text), "f").removesuffix(".0")
