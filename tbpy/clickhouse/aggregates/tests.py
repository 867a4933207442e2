"""Statistical tests and measures of association between two columns."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.registry import AggregateCall, aggregate
from tbpy.clickhouse.compiler.failures import bad_arguments
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type

_T_TEST = t.Tuple((t.FLOAT64, t.FLOAT64), ("t_statistic", "p_value"))
_U_TEST = t.Tuple((t.FLOAT64, t.FLOAT64), ("u_statistic", "p_value"))


def _numbers(call: AggregateCall, position: int) -> str:
    if not isinstance(call.type(position), t.Int | t.Float | t.Bool | t.Decimal):
        call.wrong_type()
    argument = call.sql(position)
    if isinstance(call.type(position), t.Bool):
        argument = f"CAST({argument} AS UTINYINT)"
    return call.collect(f"CAST({argument} AS DOUBLE)")


def _samples(call: AggregateCall) -> str:
    """The values, and for each whether it belongs to the second sample."""
    if not t.is_integer(call.type(1)):
        call.wrong_type()
    return f"{_numbers(call, 0)}, {_numbers(call, 1)}"


def _named(call: AggregateCall, sql: str, type_: t.Tuple) -> Typed:
    return call.typed(call.when_rows(f"CAST({sql} AS {duckdb_type(type_)})"), type_)


@aggregate("studentTTest", args=2, parameters=1)
def student_t_test(call: AggregateCall) -> Typed:
    return _t_test(call, "tb_student_t_test")


@aggregate("welchTTest", args=2, parameters=1)
def welch_t_test(call: AggregateCall) -> Typed:
    return _t_test(call, "tb_welch_t_test")


def _t_test(call: AggregateCall, function: str) -> Typed:
    if call.parameters:
        call.unsupported("a confidence level")
    return _named(call, f"{call.context.udf(function)}({_samples(call)})", _T_TEST)


@aggregate("mannWhitneyUTest", args=2, parameters=2)
def mann_whitney_u_test(call: AggregateCall) -> Typed:
    alternative, correction = call.parameter(0, "two-sided"), call.parameter(1, 1)
    if alternative not in ("two-sided", "greater", "less") or correction not in (0, 1):
        raise bad_arguments(f"Unknown parameters of {call.name}", call.node)
    function = call.context.udf("tb_mann_whitney_u_test")
    return _named(call, f"{function}({_samples(call)}, '{alternative}', {correction})", _U_TEST)


@aggregate("rankCorr", args=2)
def rank_corr(call: AggregateCall) -> Typed:
    """Spearman's coefficient."""
    function = call.context.udf("tb_rank_correlation")
    return call.typed(call.or_nan(f"{function}({_numbers(call, 0)}, {_numbers(call, 1)})"), t.FLOAT64)


def _association(name: str) -> None:
    @aggregate(name, args=2)
    def build(call: AggregateCall) -> Typed:
        codes = ", ".join(call.collect(f"hash({arg.sql})") for arg in call.args)
        value = f"{call.context.udf('tb_association')}('{name}', {codes})"
        return call.typed(call.or_nan(value), t.FLOAT64)


for _name in ("cramersV", "cramersVBiasCorrected", "theilsU", "contingency"):
    _association(_name)


@aggregate("histogram", parameters=1)
def histogram(call: AggregateCall) -> Typed:
    """ClickHouse's adaptive histogram: bins as (from, to, height)."""
    most = call.whole_parameter(0)
    if most is None or most > 250:
        raise bad_arguments("histogram needs a number of bins up to 250", call.node)
    type_ = t.Array(t.Tuple((t.FLOAT64, t.FLOAT64, t.FLOAT64)))
    function = call.context.udf("tb_histogram")
    return call.typed(f"CAST({function}({_numbers(call, 0)}, {most}) AS {duckdb_type(type_)})", type_)
