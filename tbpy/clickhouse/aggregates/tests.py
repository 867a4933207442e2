"""Statistical tests and measures of association between two columns."""

from __future__ import annotations

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.failures import bad_arguments, failure
from tbpy.clickhouse.compiler.literals import float_sql
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.storage import duckdb_type

_INTERVAL = ("confidence_interval_low", "confidence_interval_high")
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
    level = _confidence(call, 0)
    type_ = _T_TEST if level is None else _with_interval(_T_TEST)
    wanted = "0e0" if level is None else float_sql(level)
    result = f"{call.context.udf(function)}({_samples(call)}, {wanted})"
    return _fields(call, result, type_)


def _confidence(call: AggregateCall, position: int) -> float | None:
    level = call.parameter(position)
    if level is None:
        return None
    if not isinstance(level, float) or not 0 < level < 1:
        raise bad_arguments(f"Confidence level of {call.name} must be between 0 and 1", call.node)
    return level


def _with_interval(type_: t.Tuple) -> t.Tuple:
    assert type_.names is not None
    return t.Tuple((t.FLOAT64,) * 4, (*type_.names, *_INTERVAL))


def _fields(call: AggregateCall, numbers: str, type_: t.Tuple) -> Typed:
    """A list of numbers as a named tuple."""
    assert type_.names is not None

    def named(values: str) -> str:
        return "{" + ", ".join(f"'{name}': {values}[{i + 1}]" for i, name in enumerate(type_.names or ())) + "}"

    return call.typed(call.when_rows(call.let(numbers, named)), type_)


@aggregate("studentTTestOneSample", args=2)
def student_t_test_one_sample(call: AggregateCall) -> Typed:
    function = call.context.udf("tb_one_sample_t_test")
    return _fields(call, f"{function}({_samples_of_numbers(call)})", _T_TEST)


def _samples_of_numbers(call: AggregateCall) -> str:
    return f"{_numbers(call, 0)}, {_numbers(call, 1)}"


@aggregate("meanZTest", args=2, parameters=3)
def mean_z_test(call: AggregateCall) -> Typed:
    variances = [call.parameter(position) for position in (0, 1)]
    level = _confidence(call, 2)
    if level is None or not all(isinstance(value, float) and value >= 0 for value in variances):
        raise bad_arguments("meanZTest needs two variances and a confidence level", call.node)
    parameters = ", ".join(float_sql(value) for value in (*variances, level))
    type_ = t.Tuple((t.FLOAT64,) * 4, ("z_statistic", "p_value", *_INTERVAL))
    return _fields(call, f"{call.context.udf('tb_mean_z_test')}({_samples(call)}, {parameters})", type_)


@aggregate("analysisOfVariance", "anova", args=2, insensitive=True)
def analysis_of_variance(call: AggregateCall) -> Typed:
    type_ = t.Tuple((t.FLOAT64, t.FLOAT64), ("f_statistic", "p_value"))
    return _fields(call, f"{call.context.udf('tb_analysis_of_variance')}({_samples(call)})", type_)


@aggregate("kolmogorovSmirnovTest", args=2, parameters=2, insensitive=True)
def kolmogorov_smirnov_test(call: AggregateCall) -> Typed:
    alternative, method = call.parameter(0, "two-sided"), call.parameter(1, "auto")
    if alternative != "two-sided" or method not in ("auto", "exact"):
        call.unsupported("these parameters")
    type_ = t.Tuple((t.FLOAT64, t.FLOAT64), ("d_statistic", "p_value"))
    return _fields(call, f"{call.context.udf('tb_kolmogorov_smirnov_test')}({_samples(call)})", type_)


@aggregate("gini")
def gini(call: AggregateCall) -> Typed:
    return call.typed(call.or_nan(f"{call.context.udf('tb_gini')}({_numbers(call, 0)})"), t.FLOAT64)


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
    if len(call.parameters) != 1:
        text = f"Function {call.name} requires single parameter: bins count"
        raise failure(text, 42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", call.node)
    most = call.whole_parameter(0)
    if most is None or most > 250:
        raise bad_arguments("histogram needs a number of bins up to 250", call.node)
    type_ = t.Array(t.Tuple((t.FLOAT64, t.FLOAT64, t.FLOAT64)))
    function = call.context.udf("tb_histogram")
    return call.typed(f"CAST({function}({_numbers(call, 0)}, {most}) AS {duckdb_type(type_)})", type_)
