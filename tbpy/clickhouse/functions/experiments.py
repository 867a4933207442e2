"""Sizes and tests of A/B experiments, and outliers of a series."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.texts import constant_text, failure

_SIZES = ("minimum_sample_size", "detect_range_lower", "detect_range_upper")
_TESTED = ("z_statistic", "p_value", "confidence_interval_low", "confidence_interval_high")


def _named(call: Call, values: str, names: tuple[str, ...]) -> Typed:
    """A tuple of the floats of a list."""
    item = call.context.fresh("v")
    record = ", ".join(f"'{name}': {item}[{place}]" for place, name in enumerate(names, 1))
    type_ = t.Tuple((t.FLOAT64,) * len(names), names)
    return call.typed(f"list_transform([{values}], lambda {item}: {{{record}}})[1]", type_)


def _doubles(call: Call, *kinds: type[t.Type]) -> str:
    if not all(isinstance(arg.type, kinds) for arg in call.args):
        call.wrong_type()
    return ", ".join(f"CAST({arg.sql} AS DOUBLE)" for arg in call.args)


@scalar("minSampleSizeContinuous", "minSampleSizeContinous", args=5)
def sample_size_continuous(call: Call) -> Typed:
    values = _doubles(call, t.Int, t.Float)
    return _named(call, f"{call.context.udf('tb_sample_size_of_means')}({values})", _SIZES)


@scalar("minSampleSizeConversion", args=4)
def sample_size_conversion(call: Call) -> Typed:
    values = _doubles(call, t.Float)
    return _named(call, f"{call.context.udf('tb_sample_size_of_shares')}({values})", _SIZES)


@scalar("proportionsZTest", args=6)
def proportions_z_test(call: Call) -> Typed:
    if not all(isinstance(arg.type, t.Int) and not arg.type.signed for arg in call.args[:4]):
        call.wrong_type()
    if not isinstance(call.args[4].type, t.Float):
        call.wrong_type()
    kind = constant_text(call, 5, "pool type")
    if kind not in ("pooled", "unpooled"):
        text = f"The {call.name}'s pool type must be either 'unpooled' or 'pooled'"
        raise failure(call, text, 36, "BAD_ARGUMENTS")
    counts = ", ".join(f"CAST({arg.sql} AS UBIGINT)" for arg in call.args[:4])
    pooled = "true" if kind == "pooled" else "false"
    function = call.context.udf("tb_proportions_z_test")
    return _named(call, f"{function}({counts}, CAST({call.sql(4)} AS DOUBLE), {pooled})", _TESTED)


_PLACES = ("first", "second", "third", "fourth")


@scalar("seriesOutliersDetectTukey", args=(1, 4), low_cardinality=False)
def series_outliers(call: Call) -> Typed:
    if len(call.args) not in (1, 4):
        call.wrong_count("1 or 4")
    series = call.args[0].type
    if not isinstance(series, t.Array):
        call.wrong_type()
    levels = [_bound(call, place) for place in range(1, len(call.args))] or [0.25, 0.75, 1.5]
    if not isinstance(series.item, t.Int | t.Float):
        raise failure(call, f"Illegal column {series} of first argument of function {call.name}", 44, "ILLEGAL_COLUMN")
    values = f"CAST({call.sql(0)} AS DOUBLE[]), {', '.join(f'{level!r}::DOUBLE' for level in levels)}"
    return call.typed(f"{call.context.udf('tb_tukey_outliers')}({values})", t.Array(t.FLOAT64))


def _bound(call: Call, place: int) -> float:
    """A share, or in the last place a factor."""
    value = call.constant_value(place)
    if isinstance(value, bool) or not isinstance(value, int | float):
        call.wrong_type()
    what = f"The {_PLACES[place]} argument of function {call.name} must be"
    if place < 3 and not 0.02 <= value <= 0.98:
        raise failure(call, f"{what} in range [0.02, 0.98]", 36, "BAD_ARGUMENTS")
    if place == 3 and value < 0:
        raise failure(call, f"{what} a non-negative number", 36, "BAD_ARGUMENTS")
    return float(value)
