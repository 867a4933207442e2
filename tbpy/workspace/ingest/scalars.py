"""DuckDB SQL that reads a value of a simple ClickHouse type out of text, as a CSV cell or a JSON string holds it.

`scalar_from_text(type, sql)` answers SQL of the stored value (see `tbpy.clickhouse.storage`), NULL where the text is no
such value. Nothing is rounded, wrapped or clamped to make it fit: a value that the type cannot hold is refused.
Only DateTime fractions and decimal digits beyond the scale are cut off, as ClickHouse does.

`sql` stands several times in the answer, so it must be a column, a lambda argument or as cheap as one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.documents import STORED_OR_NULL, document_sql
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type

# Source: the predicate of the Bool type that Tinybird's command line client publishes (`datatypes` module).
TRUE_WORDS = ("true", "True", "TRUE", "T", "t", "Y", "y", "Yes", "yes", "YES", "On", "on", "ON", "1")
FALSE_WORDS = ("false", "False", "FALSE", "F", "f", "N", "n", "No", "no", "NO", "Off", "off", "OFF", "0")
_TRUE = (*TRUE_WORDS, "Enable", "enable", "Enabled", "enabled")
_FALSE = (*FALSE_WORDS, "Disable", "disable", "Disabled", "disabled")

_LAST_DATE = "DATE '2149-06-06'"
_OFFSET = r"[^:]*:.*([+-][0-9]{2}(:?[0-9]{2})?|[A-Za-z][A-Za-z_/+-]+)"


def scalar_from_text(type_: t.Type, sql: str) -> str:
    """SQL of the stored value of the text `sql`, NULL where it is none. `type_` has no wrapper and no parts."""
    match type_:
        case t.Int(bits, signed):
            return _integer(type_, bits, signed, sql)
        case t.Float():
            # DuckDB reads 1_000 as a number.
            return f"CASE WHEN contains({sql}, '_') THEN NULL ELSE TRY_CAST({sql} AS {duckdb_type(type_)}) END"
        case t.Decimal():
            return _decimal(type_, sql)
        case t.DateTime(zone):
            return _datetime(type_, zone, sql)
        case t.DateTime64(_, zone):
            return _datetime(type_, zone, sql)
        case t.Enum():
            return _enum(type_, sql)
    return _SIMPLE[type(type_)](type_, sql)


def _string(_: t.Type, sql: str) -> str:
    return sql


def _fixed_string(type_: t.Type, sql: str) -> str:
    assert isinstance(type_, t.FixedString)
    missing = f"{type_.length} - strlen({sql})"
    return f"CASE WHEN strlen({sql}) <= {type_.length} THEN {sql} || repeat(chr(0), {missing}) END"


def _bool(_: t.Type, sql: str) -> str:
    return f"CASE WHEN {sql} IN {_words(_TRUE)} THEN true WHEN {sql} IN {_words(_FALSE)} THEN false END"


def _uuid(_: t.Type, sql: str) -> str:
    return f"TRY_CAST({sql} AS UUID)"


def _date(type_: t.Type, sql: str) -> str:
    low, high = (
        ("DATE '1900-01-01'", "DATE '2299-12-31'") if isinstance(type_, t.Date32) else ("DATE '1970-01-01'", _LAST_DATE)
    )
    days = f"CASE WHEN regexp_full_match({sql}, '-?[0-9]{{1,6}}') THEN DATE '1970-01-01' + CAST({sql} AS INTEGER) END"
    # A text that begins with a letter is 'epoch' or 'infinity' to DuckDB.
    of_moment = f"CAST(TRY_CAST({sql} AS TIMESTAMP) AS DATE)"
    day = f"CASE WHEN {sql} < 'A' THEN coalesce(TRY_CAST({sql} AS DATE), {of_moment}, {days}) END"
    return f"CASE WHEN {day} BETWEEN {low} AND {high} THEN {day} END"


def _ipv4(_: t.Type, sql: str) -> str:
    octet = "(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})"
    parts = [f"CAST(split_part({sql}, '.', {place + 1}) AS UINTEGER) * {256 ** (3 - place)}" for place in range(4)]
    number = "CAST(" + " + ".join(parts) + " AS UINTEGER)"
    return rf"CASE WHEN regexp_full_match({sql}, '{octet}(\.{octet}){{3}}') THEN {number} END"


def _ipv6(_: t.Type, sql: str) -> str:
    group = "[0-9a-fA-F]{1,4}"
    head, tail = (f"list_filter(string_split(split_part({sql}, '::', {n}), ':'), lambda g: g <> '')" for n in (1, 2))
    zeros = f"list_resize(CAST([] AS VARCHAR[]), CAST(8 - len({head}) - len({tail}) AS BIGINT), '0')"
    groups = f"list_concat(list_concat({head}, {zeros}), {tail})"
    number = (
        f"list_reduce(list_transform({groups}, lambda g: CAST(CAST('0x' || g AS INTEGER) AS UHUGEINT)), "
        "lambda a, b: a * 65536::UHUGEINT + b)"
    )
    full = f"regexp_full_match({sql}, '({group}:){{7}}{group}')"
    short = f"regexp_full_match({sql}, '(({group}:)*{group})?::(({group}:)*{group})?')"
    fits = f"len(string_split({sql}, ':')) <= 8 + CAST(starts_with({sql}, '::') OR ends_with({sql}, '::') AS INTEGER)"
    mapped = f"CAST({_ipv4(_, sql)} AS UHUGEINT) + 281470681743360::UHUGEINT"
    return f"CASE WHEN {full} OR ({short} AND {fits}) THEN {number} ELSE {mapped} END"


def _time(_: t.Type, sql: str) -> str:
    return f"CASE WHEN regexp_full_match({sql}, '-?[0-9]+') THEN TRY_CAST({sql} AS BIGINT) END"


def _document(type_: t.Json, sql: str) -> str:
    return f"CAST({document_sql(sql, type_, STORED_OR_NULL)} AS JSON)"


def _json_value(_: t.Type, sql: str) -> str:
    return f"CASE WHEN json_valid({sql}) THEN CAST({sql} AS JSON) END"


def _impossible(type_: t.Type, _: str) -> str:
    return f"CAST(NULL AS {duckdb_type(type_)})"


_SIMPLE: dict[type[t.Type], Callable[[Any, str], str]] = {
    t.String: _string,
    t.FixedString: _fixed_string,
    t.Bool: _bool,
    t.UUID: _uuid,
    t.Date: _date,
    t.Date32: _date,
    t.IPv4: _ipv4,
    t.IPv6: _ipv6,
    t.Time: _time,
    t.Interval: _time,
    t.Json: _document,
    t.Dynamic: _json_value,
    t.Nothing: _impossible,
    t.AggregateFunction: _impossible,
}


def _integer(type_: t.Type, bits: int, signed: bool, sql: str) -> str:
    if bits == 256:
        return wide_integer(signed, sql)
    number = f"TRY_CAST({sql} AS {duckdb_type(type_)})"
    # The comparison lets plain spellings pass without a regular expression, which would cost more than the rest.
    return (
        f"CASE WHEN CAST({number} AS VARCHAR) = {sql} THEN {number} "
        f"WHEN regexp_full_match({sql}, '[+-]?[0-9]+') THEN {number} END"
    )


def wide_integer(signed: bool, sql: str) -> str:
    """256-bit integers are stored as text: here in its one spelling, without a plus sign and leading zeros."""
    digits = f"regexp_extract({sql}, '([1-9][0-9]*|0)$', 1)"
    sign = f"CASE WHEN starts_with({sql}, '-') AND {digits} <> '0' THEN '-' ELSE '' END"
    high = str(2**255 - 1 if signed else 2**256 - 1)
    low = str(2**255)
    limit = f"CASE WHEN starts_with({sql}, '-') THEN '{low}' ELSE '{high}' END" if signed else f"'{high}'"
    fits = f"(len({digits}) < len({limit}) OR (len({digits}) = len({limit}) AND {digits} <= {limit}))"
    shape = "[+-]?[0-9]+" if signed else r"(\+?[0-9]+|-0+)"
    return f"CASE WHEN regexp_full_match({sql}, '{shape}') AND {fits} THEN {sign} || {digits} END"


def _decimal(type_: t.Decimal, sql: str) -> str:
    """Digits beyond the scale are cut off, where a cast of DuckDB's would round."""
    target, scale = duckdb_type(type_), type_.scale
    if type_.precision > 38:
        return _wide_decimal(type_, sql)
    cut = rf"regexp_replace({sql}, '(\.[0-9]{{{scale}}})[0-9]+$', '\1')"
    return (
        rf"CASE WHEN regexp_full_match({sql}, '[+-]?[0-9]+(\.[0-9]{{0,{scale}}})?') THEN TRY_CAST({sql} AS {target}) "
        rf"WHEN regexp_full_match({sql}, '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)') THEN TRY_CAST({cut} AS {target}) "
        rf"WHEN regexp_full_match({sql}, '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]+') "
        f"THEN TRY_CAST({sql} AS {target}) END"
    )


def _wide_decimal(type_: t.Decimal, sql: str) -> str:
    """Decimals over 38 digits are stored as text: here in its one spelling, with all digits of the scale."""
    scale = type_.scale
    found = f"regexp_extract({sql}, '^[+-]?0*([0-9]*)', 1)"
    whole = f"CASE WHEN {found} = '' THEN '0' ELSE {found} END"
    fraction = rf"rpad(left(regexp_extract({sql}, '\.([0-9]*)$', 1), {scale}), {scale}, '0')"
    digits = f"({whole}) || '.' || {fraction}" if scale else f"({whole})"
    sign = f"CASE WHEN starts_with({sql}, '-') AND regexp_matches({digits}, '[1-9]') THEN '-' ELSE '' END"
    shape = rf"regexp_full_match({sql}, '[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)')"
    return f"CASE WHEN {shape} AND len({found}) <= {type_.precision - scale} THEN ({sign}) || {digits} END"


def _enum(type_: t.Enum, sql: str) -> str:
    """The name of a member, or its number."""
    names = _words(tuple(name for name, _ in type_.members))
    numbers = " ".join(f"WHEN '{number}' THEN {duckdb_string(name)}" for name, number in type_.members)
    return f"CASE WHEN {sql} IN {names} THEN {sql} ELSE CASE {sql} {numbers} END END"


def _datetime(type_: t.DateTime | t.DateTime64, zone: str | None, sql: str) -> str:
    """A naive text is wall-clock time of the column's zone, an offset wins over it, and digits are an epoch."""
    nano = isinstance(type_, t.DateTime64) and type_.precision > 6
    kind = "TIMESTAMP_NS" if nano else "TIMESTAMP"
    local = f"TRY_CAST({sql} AS {kind})"
    if zone not in (None, "UTC", "Etc/UTC"):
        wall = f"TRY_CAST({sql} AS TIMESTAMP)"
        # The calendar of time zones is shorter than DuckDB's, and fails at its ends.
        known = f"{wall} BETWEEN TIMESTAMP '1800-01-01' AND TIMESTAMP '2400-01-01'"
        local = f"CASE WHEN {known} THEN TRY_CAST(timezone({duckdb_string(zone or '')}, {wall}) AS {kind}) END"
    moment = (
        # Exactly `YYYY-MM-DD hh:mm:ss`: no room for an offset, which DuckDB's cast to TIMESTAMP would drop in silence.
        f"CASE WHEN strlen({sql}) = 19 AND {sql}[17] = ':' THEN {local} "
        f"WHEN ends_with({sql}, 'Z') THEN TRY_CAST({sql} AS {kind}) "
        rf"WHEN regexp_full_match({sql}, '-?[0-9]+(\.[0-9]+)?') THEN TRY_CAST({_epoch(type_, sql)} AS {kind}) "
        f"WHEN regexp_full_match({sql}, '{_OFFSET}') "
        f"THEN TRY_CAST(make_timestamp(epoch_us(TRY_CAST({sql} AS TIMESTAMPTZ))) AS {kind}) "
        f"WHEN {sql} < 'A' THEN {local} END"
    )
    return _within_range(type_, moment)


def _epoch(type_: t.DateTime | t.DateTime64, sql: str) -> str:
    """Seconds; for DateTime64 also milliseconds, which as seconds would lie beyond every calendar."""
    seconds = f"make_timestamp(CAST(TRY_CAST({sql} AS DECIMAL(19, 6)) * 1000000 AS BIGINT))"
    short = rf"regexp_full_match({sql}, '-?[0-9]{{1,11}}(\.[0-9]+)?')"
    if isinstance(type_, t.DateTime):
        return f"CASE WHEN {short} THEN {seconds} END"
    millis = f"CASE WHEN regexp_full_match({sql}, '[0-9]{{13}}') THEN make_timestamp(CAST({sql} AS BIGINT) * 1000) END"
    return f"CASE WHEN {short} THEN {seconds} ELSE {millis} END"


def _within_range(type_: t.DateTime | t.DateTime64, moment: str) -> str:
    if isinstance(type_, t.DateTime):
        # 32 bits without a sign are the range of the type; the cast tests it without a second look at `moment`.
        seconds = f"TRY_CAST(epoch_us({moment}) // 1000000 AS UINTEGER)"
        return f"make_timestamp(CAST({seconds} AS BIGINT) * 1000000)"
    if type_.precision > 6:
        unit = 10 ** (9 - type_.precision)
        return moment if unit == 1 else f"make_timestamp_ns(epoch_ns({moment}) // {unit} * {unit})"
    unit = 10 ** (6 - type_.precision)
    whole = moment if unit == 1 else f"make_timestamp(epoch_us({moment}) // {unit} * {unit})"
    return (
        f"CASE WHEN {moment} BETWEEN TIMESTAMP '1900-01-01' AND TIMESTAMP '2299-12-31 23:59:59.999999' THEN {whole} END"
    )


def _words(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(duckdb_string(word) for word in words) + ")"
