"""Now and today, and moments as numbers of seconds since the epoch."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import require_time, zone_argument


@scalar(
    "now",
    "current_timestamp",
    "localtimestamp",
    "nowInBlock",
    args=(0, 1),
    insensitive=("now", "current_timestamp", "localtimestamp"),
)
def now(call: Call) -> Typed:
    sql = f"date_trunc('second', {call.context.now()})"
    return call.typed(sql, t.DateTime(zone_argument(call, 0)), constant=True)


@scalar("UTCTimestamp", "UTC_timestamp", args=0, insensitive=True)
def utc_timestamp(call: Call) -> Typed:
    return call.typed(f"date_trunc('second', {call.context.now()})", t.DateTime("UTC"), constant=True)


@scalar("now64", "nowInBlock64", args=(0, 2), insensitive=("now64",))
def now64(call: Call) -> Typed:
    """The moment to microseconds; digits beyond are 0."""
    precision = call.constant_value(0, "precision") if call.args else 3
    if not isinstance(precision, int):
        call.wrong_type()
    if not 0 <= precision <= 9:
        raise bad_arguments(f"Scale {precision} is out of bounds", call.node)
    step = 10 ** max(6 - precision, 0)
    cut = f"make_timestamp(epoch_us({call.context.now()}) // {step} * {step})" if step > 1 else call.context.now()
    sql = cut if precision <= 6 else f"CAST({cut} AS TIMESTAMP_NS)"
    return call.typed(sql, t.DateTime64(precision, zone_argument(call, 1)), constant=True)


@scalar("today", "current_date", "curdate", args=0, insensitive=("current_date", "curdate", "today"))
def today(call: Call) -> Typed:
    return call.typed(f"CAST({call.context.now()} AS DATE)", t.DATE, constant=True)


@scalar("yesterday", args=0)
def yesterday(call: Call) -> Typed:
    return call.typed(f"(CAST({call.context.now()} AS DATE) - 1)", t.DATE, constant=True)


@scalar("timezone", "timeZone", "serverTimezone", "serverTimeZone", args=0)
def timezone(call: Call) -> Typed:
    return call.known("Etc/UTC" if call.name.startswith("server") else "UTC", t.STRING)


# --- numbers ----------------------------------------------------------------------------------------------------------


@scalar("toUnixTimestamp", args=(1, 2))
def to_unix_timestamp(call: Call) -> Typed:
    value = call.args[0]
    if isinstance(value.type, t.String):
        zone = [call.args[1]] if len(call.args) > 1 else []
        value = call.compiler.call("toDateTime", value, *zone, node=call.node)
    inner = t.plain(value.type)
    if isinstance(inner, t.Int | t.Float | t.Bool):
        return call.compiler.call("toUInt32", value, node=call.node)
    if not isinstance(inner, t.DateTime | t.DateTime64 | t.Date | t.Date32):
        call.wrong_type()
    seconds = f"epoch_us({value.sql}) // 1000000"
    if isinstance(inner, t.DateTime64):
        failed = "error('DECIMAL_OVERFLOW: Convert overflow')"
        inside = f"{seconds} BETWEEN 0 AND 4294967295"
        seconds = f"(CASE WHEN {inside} THEN {seconds} WHEN {value.sql} IS NOT NULL THEN {failed} END)"
    elif not isinstance(inner, t.DateTime):
        seconds = f"({seconds}) & 4294967295"  # what lies beyond 2106 wraps
    return call.typed(f"CAST({seconds} AS UINTEGER)", t.UINT32)


def _to_unix64(unit: str, sql: str) -> None:
    @scalar(f"toUnixTimestamp64{unit}")
    def build(call: Call) -> Typed:
        if not isinstance(require_time(call), t.DateTime64):
            call.wrong_type()
        return call.typed(sql.format(call.sql(0)), t.INT64)


_to_unix64("Second", "(epoch_us({0}) // 1000000)")
_to_unix64("Milli", "(epoch_us({0}) // 1000)")  # towards zero, also before 1970
_to_unix64("Micro", "epoch_us({0})")
_to_unix64("Nano", "epoch_ns({0})")


def _from_unix64(unit: str, precision: int, sql: str) -> None:
    @scalar(f"fromUnixTimestamp64{unit}", args=(1, 2))
    def build(call: Call) -> Typed:
        if not t.is_integer(call.args[0].type):
            call.wrong_type()
        number = f"CAST({call.sql(0)} AS BIGINT)"
        return call.typed(sql.format(number), t.DateTime64(precision, zone_argument(call, 1)))


# The last second that ClickHouse prints is that of the year 9999.
_from_unix64("Second", 0, "make_timestamp(least({0}, 253402300799) * 1000000)")
_from_unix64("Milli", 3, "make_timestamp(least({0}, 253402300799999) * 1000)")
_from_unix64("Micro", 6, "make_timestamp({0})")
_from_unix64("Nano", 9, "make_timestamp_ns({0})")


def seconds_of(call: Call) -> str:
    """A number of seconds as a moment: alone held within a DateTime, with a format by its last 32 bits."""
    number = f"CAST({call.sql(0)} AS BIGINT)"
    if len(call.args) > 1:
        number = f"({number} & 4294967295)"
    elif t.plain(call.args[0].type) not in (t.UINT8, t.UINT16, t.UINT32):
        number = f"least(greatest({number}, 0), 4294967295)"
    return f"make_timestamp({number} * 1000000)"


@scalar("fromUnixTimestamp", "FROM_UNIXTIME", args=(1, 3), insensitive=("FROM_UNIXTIME",))
def from_unix_timestamp(call: Call) -> Typed:
    """A number of seconds as a DateTime, or with a format as text."""
    if t.is_temporal(call.args[0].type):
        value = call.args[0]
    elif t.is_integer(call.args[0].type):
        value = call.typed(seconds_of(call), t.DateTime(zone_argument(call, 2)))
    else:
        call.wrong_type()
    if len(call.args) == 1:
        return value
    return call.compiler.call("formatDateTime", value, *call.args[1:], node=call.node)
