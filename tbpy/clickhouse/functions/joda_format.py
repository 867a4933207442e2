"""formatDateTimeInJodaSyntax: moments as texts by a format in Joda's letters, a constant that is taken apart here."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.failures import bad_arguments, failure
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.clock import seconds_of
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import is_clock, local, require_time, zone_argument, zone_of
from tbpy.clickhouse.quoting import duckdb_string

#: Letters of numbers, as SQL over the wall clock
_NUMBERS = {
    "C": "year({0}) // 100", "Y": "year({0})", "y": "year({0})", "x": "isoyear({0})", "w": "week({0})",
    "e": "isodow({0})", "D": "dayofyear({0})", "M": "month({0})", "d": "day({0})", "K": "hour({0}) % 12",
    "h": "(hour({0}) + 11) % 12 + 1", "H": "hour({0})", "k": "(hour({0}) + 23) % 24 + 1", "m": "minute({0})",
    "s": "second({0})",
}  # fmt: skip


@scalar("formatDateTimeInJodaSyntax", args=(2, 3))
def format_joda(call: Call) -> Typed:
    from tbpy.clickhouse.udf.time_formats import joda_pieces

    require_time(call)
    pattern = call.constant_value(1, "format")
    if not isinstance(pattern, str):
        call.wrong_type()
    zone = zone_argument(call, 2) or zone_of(call.args[0].type)
    clock = f"CAST({local(call.args[0], zone)} AS TIMESTAMP)"
    parts = [_piece(call, text, count, clock, zone) for text, count in joda_pieces(pattern)]
    return call.typed(f"({' || '.join(parts)})" if parts else "''", t.STRING)


@scalar("fromUnixTimestampInJodaSyntax", args=(1, 3))
def from_unix_joda(call: Call) -> Typed:
    """A number of seconds as a DateTime, or with a format as text."""
    if not t.is_integer(call.args[0].type) and not t.is_temporal(call.args[0].type):
        call.wrong_type()
    moment = call.compiler.call("fromUnixTimestamp", call.args[0], node=call.node)
    if len(call.args) == 1:
        return moment
    if t.is_integer(call.args[0].type):
        moment = call.typed(seconds_of(call), t.DateTime())
    return call.compiler.call("formatDateTimeInJodaSyntax", moment, *call.args[1:], node=call.node)


def _piece(call: Call, letter: str, count: int, clock: str, zone: str | None) -> str:
    """SQL of what a run of a letter prints; a literal has no count."""
    match letter:
        case _ if count < 0:
            raise bad_arguments("No closing single quote for literal", call.node)
        case _ if not count:
            return duckdb_string(letter)
        case "G":
            return "'AD'" if count < 4 else "'Anno Domini'"
        case "E":
            return f"dayname({clock})" if count > 3 else f"left(dayname({clock}), 3)"
        case "M" if count > 2:
            return f"monthname({clock})" if count > 3 else f"left(monthname({clock}), 3)"
        case "a":
            return f"(CASE WHEN hour({clock}) < 12 THEN 'AM' ELSE 'PM' END)"
        case "S":
            return _fraction(call, count)
        case "z" if count > 3:
            return constant(zone or ("UTC" if is_clock(call.args[0].type) else "Etc/UTC")).sql
        case "z":
            raise failure("Short name time zone is not yet supported", 48, "NOT_IMPLEMENTED", call.node)
    if letter not in _NUMBERS:
        raise failure(f"format is not supported for {letter}", 48, "NOT_IMPLEMENTED", call.node)
    number = _NUMBERS[letter].format(clock)
    if letter in "yY" and count == 2:
        number = f"{number} % 100"
    digits = f"CAST({number} AS VARCHAR)"
    if count == 1:
        return digits
    return f"(CASE WHEN length({digits}) < {count} THEN lpad({digits}, {count}, '0') ELSE {digits} END)"


def _fraction(call: Call, count: int) -> str:
    """The first digits of the fraction of a second."""
    if not isinstance(t.plain(call.args[0].type), t.DateTime64):
        return duckdb_string("0" * count)
    nanoseconds = f"lpad(CAST((epoch_ns({call.sql(0)}) % 1000000000 + 1000000000) % 1000000000 AS VARCHAR), 9, '0')"
    return f"left({nanoseconds}, {count})" if count < 9 else f"rpad({nanoseconds}, {count}, '0')"
