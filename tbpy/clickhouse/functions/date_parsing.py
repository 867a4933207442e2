"""Texts to moments by best effort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tbpy.clickhouse import types as t
from tbpy.clickhouse.casting.printing import first_instant, in_utc
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.zones import zone_argument
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type

#: ISO dates with time, which DuckDB reads itself: the form nearly all data has.
_ISO = duckdb_string(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?")
_ENDINGS = ("", "OrNull", "OrZero")


def _text(call: Call) -> str:
    inner = t.plain(call.args[0].type)
    if not isinstance(inner, t.String | t.FixedString):
        call.wrong_type()
    return f"rtrim({call.sql(0)}, chr(0))" if isinstance(inner, t.FixedString) else call.sql(0)


def _best_effort(stem: str, order: str) -> None:
    @scalar(*(f"parseDateTime{stem}{ending}" for ending in _ENDINGS), args=(1, 3))
    def seconds(call: Call) -> Typed:
        if len(call.args) > 1 and t.is_integer(call.args[1].type):
            return _fractions(call, order) if call.constant_value(1, "precision") else _seconds(call, order, 2)
        if len(call.args) > 2:
            call.wrong_count("from 1 to 2")
        return _seconds(call, order, 1)

    @scalar(*(f"parseDateTime64{stem}{ending}" for ending in _ENDINGS), args=(1, 3))
    def fractions(call: Call) -> Typed:
        return _fractions(call, order)


_best_effort("BestEffort", "dmy")
_best_effort("BestEffortUS", "mdy")


def _seconds(call: Call, order: str, zone_at: int) -> Typed:
    zone = zone_argument(call, zone_at)
    read = _Read(call, _text(call), order, zone)

    def held(moment: str) -> str:
        first, last = "TIMESTAMP '1970-01-01'", "TIMESTAMP '2106-02-07 06:28:15'"
        return f"least(greatest(date_trunc('second', {moment}), {first}), {last})"

    return read.finished(held, t.DateTime(zone))


def _fractions(call: Call, order: str) -> Typed:
    precision = call.constant_value(1, "precision") if len(call.args) > 1 else 3
    zone = zone_argument(call, 2)
    if not isinstance(precision, int):
        call.wrong_type()
    if not 0 <= precision <= 9:
        raise bad_arguments(f"Scale {precision} is out of bounds", call.node)
    read = _Read(call, _text(call), order, zone, fine=precision > 6)
    maker, digits = ("make_timestamp_ns", 9) if precision > 6 else ("make_timestamp", 6)
    step = 10 ** (digits - precision)

    def cut(moment: str) -> str:
        ticks = f"epoch_{'ns' if precision > 6 else 'us'}({moment})"
        return f"{maker}({ticks} - ({ticks} % {step} + {step}) % {step})" if step > 1 else moment

    return read.finished(cut, t.DateTime64(precision, zone))


@dataclass(frozen=True, slots=True)
class _Read:
    """A text as the moment that it tells, in UTC. `fine`: as a TIMESTAMP_NS."""

    call: Call
    text: str
    order: str
    zone: str | None
    fine: bool = False

    def finished(self, shaped: Callable[[str], str], type_: t.DateTime | t.DateTime64) -> Typed:
        """The moment as its type has it; where there is none an error, NULL or the epoch, by the function's name."""
        storage, precise = duckdb_type(type_), "true" if isinstance(type_, t.DateTime64) else "false"
        plain = f"TRY_CAST({self.text} AS {storage})"
        quick = f"regexp_full_match({self.text}, {_ISO}) AND {plain} IS NOT NULL"
        parsed = f"{self.call.context.udf('tb_parse_best_effort')}({self.text}, '{self.order}', {precise})"
        moment = shaped(self._moment(parsed))
        if self.call.name.endswith("OrNull"):
            other, result = f"(CASE WHEN {parsed}.us IS NOT NULL THEN {moment} END)", t.nullable(type_)
        elif self.call.name.endswith("OrZero"):
            epoch = f"CAST('1970-01-01 00:00:00' AS {storage})"
            other, result = f"(CASE WHEN {parsed}.us IS NOT NULL THEN {moment} ELSE {epoch} END)", type_
        else:
            failed = f"CAST(error({parsed}.failure) AS {storage})"
            other, result = f"(CASE WHEN {parsed}.failure IS NULL THEN {moment} ELSE {failed} END)", type_
        return self.call.typed(
            f"(CASE WHEN {quick} THEN {shaped(first_instant(plain, self.zone))} ELSE {other} END)", result
        )

    def _moment(self, parsed: str) -> str:
        """A moment with its own offset comes as UTC, one without as a wall clock of the zone."""
        made = f"make_timestamp({parsed}.us)"
        local = first_instant(made, self.zone)
        moment = made if in_utc(self.zone) else f"(CASE WHEN {parsed}.utc THEN {made} ELSE {local} END)"
        return f"make_timestamp_ns(epoch_us({moment}) * 1000 + {parsed}.nanos)" if self.fine else moment


@scalar("parseDateTime32BestEffort", "parseDateTime32BestEffortOrNull", "parseDateTime32BestEffortOrZero", args=(1, 2))
def parse_32(call: Call) -> Typed:
    return call.compiler.call(call.name.replace("Time32", "Time"), *call.args, node=call.node)
