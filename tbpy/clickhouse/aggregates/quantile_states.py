"""States of quantiles: the values in order, or of many values a sample of them in order.

`quantile` keeps up to 8192 values as they are, as ClickHouse does, and is exact for them. Of more it keeps every 2nd,
4th, 8th, ... in their order, where ClickHouse draws lots: so states stay small, and their answers are nearer to
the exact ones. `quantileExact` and its kin keep all values, `quantileTDigest` the centroids of its digest.
"""

from __future__ import annotations

from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import Aggregate, adapt_arguments

Parts = tuple[str, ...]

_SAMPLE = 8192


def _ordered_values(call: AggregateCall, row: Aggregate) -> str:
    """The values that count, in order; NaN takes no part."""
    adapt_arguments(row, call)
    numbers = [f"NOT isnan({call.sql()})"] if isinstance(call.type(), t.Float) else []
    return f"list_sort({call.collect(where=numbers)})"


# --- all values ---


def make_ordered(call: AggregateCall, row: Aggregate) -> Parts:
    return (_ordered_values(call, row),)


def merge_ordered(call: AggregateCall, function: str, parts: Parts) -> Parts:
    """A state that is alone is in order already."""
    states = call.apply("list", parts[0], where=[f"{parts[0]} IS NOT NULL"])
    return (f"(CASE WHEN len({states}) = 1 THEN ({states})[1] ELSE list_sort(flatten({states})) END)",)


# --- a sample ---


def make_sample(call: AggregateCall, row: Aggregate) -> Parts:
    values = _ordered_values(call, row)
    step = _step(f"len({values})")
    return f"({values})[({step} + 1) // 2 : len({values}) : {step}]", step


def merge_sample(call: AggregateCall, function: str, parts: Parts) -> Parts:
    """The values of all states that have every value, and of the samples those at the distance that all need."""
    values, step = parts
    own = call.context.fresh("p")
    whole = call.apply("list", values, where=[f"{step} = 1"])
    samples = call.apply("list", f"{{'s': {values}, 'n': {step}}}", where=[f"{step} > 1"])
    total = call.apply("sum", f"len({values}) * {step}")
    common = f"greatest({call.apply('max', step)}, {_step(total)})"
    joined = _drawn(f"list_sort(flatten(coalesce({whole}, [])))", common, total)
    each = _drawn(f"{own}['s']", f"({common} // {own}['n'])", f"{own}['s']")
    mixed = f"list_sort(list_concat({joined}, flatten(list_transform({samples}, lambda {own}: {each}))))"
    alone = f"WHEN {whole} IS NULL AND len({samples}) = 1 THEN ({samples})[1]['s']"
    return f"(CASE WHEN {samples} IS NULL THEN {joined} {alone} ELSE {mixed} END)", common


def _drawn(values: str, step: str, seed: str) -> str:
    """Every so many-th of the values. A hash tells the first one, so that small parts are not left out each time."""
    return f"({values})[CAST(hash({seed}) >> 1 AS BIGINT) % {step} + 1 :-: {step}]"


def _step(count: str) -> str:
    """The power of two by which so many values must be divided to be a sample's."""
    return f"CAST(pow(2, ceil(log2(greatest({count} / {_SAMPLE}e0, 1)))) AS BIGINT)"


# --- a t-digest ---


def make_digest(call: AggregateCall, row: Aggregate) -> Parts:
    adapt_arguments(row, call)
    row.build(replace(call))  # refuses what the function refuses
    numbers = [f"NOT isnan({call.sql()})"] if isinstance(call.type(), t.Float) else []
    values = call.collect(f"CAST({call.sql()} AS FLOAT)", where=numbers)
    return (f"{call.context.udf('tb_digest')}({values})",)


def merge_digest(call: AggregateCall, function: str, parts: Parts) -> Parts:
    digests = call.apply("list", parts[0], where=[f"{parts[0]} IS NOT NULL"])
    return (f"{call.context.udf('tb_digest_of_digests')}({digests})",)
