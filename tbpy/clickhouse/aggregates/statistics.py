"""Moments: variance, covariance, correlation, skewness, kurtosis, and simple regression.

ClickHouse gives NaN where a moment is not defined, and NULL only for Nullable arguments of which none is there.
"""

from __future__ import annotations

from collections.abc import Callable

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.registry import AggregateCall, aggregate
from tbpy.clickhouse.compiler.typed import Typed

NAN = "CAST('nan' AS DOUBLE)"


def _double(call: AggregateCall, position: int = 0) -> str:
    if not t.is_number(call.type(position)):
        call.wrong_type()
    argument = call.sql(position)
    if isinstance(call.type(position), t.Bool):
        argument = f"CAST({argument} AS UTINYINT)"
    return f"CAST({argument} AS DOUBLE)"


def _float(call: AggregateCall, sql: str) -> Typed:
    """A DOUBLE that is NaN where DuckDB says NULL, unless no row counts and the result is Nullable."""
    value = call.when_rows(f"coalesce({sql}, {NAN})")
    return call.typed(f"({value})" if value.startswith("CASE") else value, t.FLOAT64)


# --- one value ---


def _variance(names: tuple[str, ...], function: str) -> None:
    @aggregate(*names, native_skip=True, insensitive=tuple(name for name in names if name.isupper()))
    def build(call: AggregateCall) -> Typed:
        return _float(call, call.apply(function, _double(call)))


_variance(("stddevPop", "STDDEV_POP", "STD"), "stddev_pop")
_variance(("stddevSamp", "STDDEV_SAMP", "STDDEV"), "stddev_samp")
_variance(("varPop", "VAR_POP"), "var_pop")
_variance(("varSamp", "VAR_SAMP"), "var_samp")
_variance(("stddevPopStable",), "stddev_pop")
_variance(("stddevSampStable",), "stddev_samp")
_variance(("varPopStable",), "var_pop")
_variance(("varSampStable",), "var_samp")


def _moment(name: str, formula: Callable[[dict[str, str]], str]) -> None:
    """`formula` writes the result from n and from the sums of powers 1 to 4."""

    @aggregate(name)
    def build(call: AggregateCall) -> Typed:
        value = _double(call)
        sums = {"n": f"CAST({call.rows()} AS DOUBLE)"}
        power = value
        for degree in range(1, 5):
            sums[f"s{degree}"] = call.apply("sum", power)
            power = f"{power} * {value}"
        return _float(call, formula(sums))


def _central(s: dict[str, str]) -> dict[str, str]:
    """Central moments 2, 3 and 4 of the population."""
    mean = f"({s['s1']} / {s['n']})"
    second = f"({s['s2']} / {s['n']} - {mean} * {mean})"
    third = f"({s['s3']} / {s['n']} - 3 * {mean} * {s['s2']} / {s['n']} + 2 * {mean} * {mean} * {mean})"
    fourth = (
        f"({s['s4']} / {s['n']} - 4 * {mean} * {s['s3']} / {s['n']} + 6 * {mean} * {mean} * {s['s2']} / {s['n']}"
        f" - 3 * {mean} * {mean} * {mean} * {mean})"
    )
    sample = f"(({s['s2']} - {s['s1']} * {mean}) / ({s['n']} - 1))"
    return {"2": second, "3": third, "4": fourth, "sample": sample}


_moment("skewPop", lambda s: f"{_central(s)['3']} / pow({_central(s)['2']}, 1.5e0)")
_moment("skewSamp", lambda s: f"{_central(s)['3']} / pow({_central(s)['sample']}, 1.5e0)")
_moment("kurtPop", lambda s: f"{_central(s)['4']} / pow({_central(s)['2']}, 2)")
_moment("kurtSamp", lambda s: f"{_central(s)['4']} / pow({_central(s)['sample']}, 2)")


# --- two values ---


def _native_pair(names: tuple[str, ...], function: str) -> None:
    """DuckDB's own, numerically steady aggregate over rows; over a list the sums have to do."""

    @aggregate(*names, args=2, insensitive=tuple(name for name in names if name.isupper() or name == "corr"))
    def build(call: AggregateCall) -> Typed:
        if any(isinstance(arg.type, t.Decimal) for arg in call.args):
            call.wrong_type()
        x, y = _double(call), _double(call, 1)
        if call.elements is None:
            return _float(call, call.apply(function, x, y))
        return _float(call, _pair_of_list(call, function, x, y))


def _pair_of_list(call: AggregateCall, function: str, x: str, y: str) -> str:
    n = f"CAST({call.rows()} AS DOUBLE)"
    sx, sy = call.apply("sum", x), call.apply("sum", y)
    sxy = f"({call.apply('sum', f'{x} * {y}')} - {sx} * {sy} / {n})"
    if function == "covar_pop":
        return f"({sxy} / {n})"
    if function == "covar_samp":
        return f"({sxy} / ({n} - 1))"
    sxx = f"({call.apply('sum', f'{x} * {x}')} - {sx} * {sx} / {n})"
    syy = f"({call.apply('sum', f'{y} * {y}')} - {sy} * {sy} / {n})"
    return f"({sxy} / sqrt({sxx} * {syy}))"


_native_pair(("covarPop", "COVAR_POP"), "covar_pop")
_native_pair(("covarSamp", "COVAR_SAMP"), "covar_samp")
_native_pair(("corr",), "corr")
_native_pair(("covarPopStable",), "covar_pop")
_native_pair(("covarSampStable",), "covar_samp")
_native_pair(("corrStable",), "corr")


@aggregate("simpleLinearRegression", args=2)
def simple_linear_regression(call: AggregateCall) -> Typed:
    """The line y = k x + b of least squares."""
    x, y = _double(call), _double(call, 1)
    n = f"CAST({call.rows()} AS DOUBLE)"
    sx, sy = call.apply("sum", x), call.apply("sum", y)
    sxx, sxy = call.apply("sum", f"{x} * {x}"), call.apply("sum", f"{x} * {y}")
    slope = f"(({n} * {sxy} - {sx} * {sy}) / ({n} * {sxx} - {sx} * {sx}))"
    line = f"{{'k': coalesce({slope}, {NAN}), 'b': coalesce(({sy} - {slope} * {sx}) / {n}, {NAN})}}"
    type_ = t.Tuple((t.FLOAT64, t.FLOAT64), ("k", "b"))
    return call.typed(f"({call.when_rows(line)})", type_)
