"""Moments: variance, covariance, correlation, skewness, kurtosis, and simple regression.

ClickHouse gives NaN where a moment is not defined, and NULL only for Nullable arguments of which none is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tbpy.clickhouse import types as t
from tbpy.clickhouse.aggregates.call import AggregateCall
from tbpy.clickhouse.aggregates.registry import aggregate
from tbpy.clickhouse.compiler.typed import Typed, condition_of

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


def _single_moment(call: AggregateCall, name: str) -> Typed:
    """Over Float32 alone ClickHouse computes in Float32; only a Python function can give the same digits."""
    function = call.context.udf("tb_single_moment" if len(call.args) == 1 else "tb_single_pair_moment")
    values = ", ".join(call.collect(arg.sql) for arg in call.args)
    value = call.when_rows(f"{function}('{name}', {values})")
    return call.typed(f"({value})" if call.nullable else value, t.FLOAT32)


# --- one value ---


def _sums(call: AggregateCall, degree: int) -> tuple[str, ...]:
    """The number of values and the sums of their powers, as DOUBLEs."""
    value = _double(call)
    powers = [" * ".join([value] * exponent) for exponent in range(1, degree + 1)]
    return f"CAST({call.rows()} AS DOUBLE)", *(call.apply("sum", power) for power in powers)


def variance_sql(n: str, s1: str, s2: str, *, sample: bool) -> str:
    """ClickHouse's variance from sums, not steady for large means: never below 0, and 0 for infinite values."""
    value = f"({s2} - {s1} * {s1} / {n}) / ({n} - 1)" if sample else f"({s2} - {s1} * {s1} / {n}) / {n}"
    positive = f"CASE WHEN isnan({value}) THEN 0e0 ELSE greatest({value}, 0e0) END"
    return f"CASE WHEN {n} > {1 if sample else 0} THEN {positive} END"


def _variance(names: tuple[str, ...], *, sample: bool, root: bool) -> None:
    @aggregate(*names, insensitive=tuple(name for name in names if name.isupper()))
    def build(call: AggregateCall) -> Typed:
        if call.type() == t.FLOAT32:
            return _single_moment(call, names[0])
        value = variance_sql(*_sums(call, 2), sample=sample)
        return _float(call, f"sqrt({value})" if root else f"({value})")


def _steady(name: str, function: str) -> None:
    """The variants that ClickHouse calls stable: Welford's method, which DuckDB's own aggregates follow."""

    @aggregate(name)
    def build(call: AggregateCall) -> Typed:
        return _float(call, call.apply(function, _double(call)))


_variance(("stddevPop", "STDDEV_POP", "STD"), sample=False, root=True)
_variance(("stddevSamp", "STDDEV_SAMP", "STDDEV"), sample=True, root=True)
_variance(("varPop", "VAR_POP"), sample=False, root=False)
_variance(("varSamp", "VAR_SAMP"), sample=True, root=False)
_steady("stddevPopStable", "stddev_pop")
_steady("stddevSampStable", "stddev_samp")
_steady("varPopStable", "var_pop")
_steady("varSampStable", "var_samp")


def _shape(name: str, degree: int, power: str, *, sample: bool) -> None:
    """A central moment over a power of the variance: skewness and kurtosis."""

    @aggregate(name)
    def build(call: AggregateCall) -> Typed:
        if call.type() == t.FLOAT32:
            return _single_moment(call, name)
        sums = _sums(call, degree)
        n, s1, s2 = sums[:3]
        variance = variance_sql(n, s1, s2, sample=sample)
        moment = _third(*sums) if degree == 3 else _fourth(*sums)
        return _float(call, f"({moment} / pow(nullif({variance}, 0), {power}))")


def _third(n: str, s1: str, s2: str, s3: str) -> str:
    return f"({s3} - (3 * {s2} - 2 * {s1} * {s1} / {n}) * {s1} / {n}) / {n}"


def _fourth(n: str, s1: str, s2: str, s3: str, s4: str) -> str:
    return f"({s4} - (4 * {s3} - (6 * {s2} - 3 * {s1} * {s1} / {n}) * {s1} / {n}) * {s1} / {n}) / {n}"


_shape("skewPop", 3, "1.5e0", sample=False)
_shape("skewSamp", 3, "1.5e0", sample=True)
_shape("kurtPop", 4, "2", sample=False)
_shape("kurtSamp", 4, "2", sample=True)


# --- two values ---

Pair = tuple[str, str, str, str, str, str]


def _pair_sums(call: AggregateCall) -> Pair:
    """n, and the sums of x, y, x y, x x, y y."""
    if any(isinstance(arg.type, t.Decimal) for arg in call.args):
        call.wrong_type()
    x, y = _double(call), _double(call, 1)
    terms = (x, y, f"{x} * {y}", f"{x} * {x}", f"{y} * {y}")
    n, *sums = f"CAST({call.rows()} AS DOUBLE)", *(call.apply("sum", term) for term in terms)
    return n, sums[0], sums[1], sums[2], sums[3], sums[4]


def _covariance(sums: Pair, *, sample: bool) -> str:
    n, sx, sy, sxy, _, _ = sums
    return f"(({sxy} - {sx} * {sy} / {n}) / {f'nullif({n} - 1, 0)' if sample else n})"


def _correlation(sums: Pair) -> str:
    n, sx, sy, sxy, sxx, syy = sums
    value = f"(({n} * {sxy} - {sx} * {sy}) / sqrt(({n} * {sxx} - {sx} * {sx}) * ({n} * {syy} - {sy} * {sy})))"
    return f"CASE WHEN abs({value}) > 1 AND NOT isnan({value}) THEN CAST(sign({value}) AS DOUBLE) ELSE {value} END"


def _paired(names: tuple[str, ...], formula: Callable[[Pair], str]) -> None:
    @aggregate(*names, args=2, insensitive=tuple(name for name in names if name.isupper() or name == "corr"))
    def build(call: AggregateCall) -> Typed:
        if all(arg.type == t.FLOAT32 for arg in call.args):
            return _single_moment(call, names[0])
        return _float(call, f"({formula(_pair_sums(call))})")


_paired(("covarPop", "COVAR_POP"), lambda sums: _covariance(sums, sample=False))
_paired(("covarSamp", "COVAR_SAMP"), lambda sums: _covariance(sums, sample=True))
_paired(("corr",), _correlation)


def _steady_pair(name: str, function: str, formula: Callable[[Pair], str]) -> None:
    """DuckDB's own, numerically steady aggregate over rows; over a list the sums have to do."""

    @aggregate(name, args=2)
    def build(call: AggregateCall) -> Typed:
        if call.elements is None:
            return _float(call, call.apply(function, _double(call), _double(call, 1)))
        return _float(call, f"({formula(_pair_sums(call))})")


_steady_pair("covarPopStable", "covar_pop", lambda sums: _covariance(sums, sample=False))
_steady_pair("covarSampStable", "covar_samp", lambda sums: _covariance(sums, sample=True))
_steady_pair("corrStable", "corr", _correlation)


def _matrix(name: str, formula: Callable[[Pair], str]) -> None:
    """The measure of every argument with every other one."""

    @aggregate(name, args=(1, None))
    def build(call: AggregateCall) -> Typed:
        rows = []
        for left in call.args:
            pairs = [_pair_sums(replace(call, args=(left, right))) for right in call.args]
            rows.append("[" + ", ".join(f"coalesce({formula(pair)}, {NAN})" for pair in pairs) + "]")
        return call.typed(f"[{', '.join(rows)}]", t.Array(t.Array(t.FLOAT64)))


_matrix("corrMatrix", _correlation)
_matrix("covarPopMatrix", lambda sums: _covariance(sums, sample=False))
_matrix("covarSampMatrix", lambda sums: _covariance(sums, sample=True))


# --- regression ---


def _regression(name: str, formula: Callable[[Pair], str]) -> None:
    """SQL's regr_* of the dependent value and the independent one: here x is the independent, the second argument."""

    @aggregate(name, args=2, insensitive=True)
    def build(call: AggregateCall) -> Typed:
        n, sy, sx, sxy, syy, sxx = _pair_sums(call)
        return _float(call, f"({formula((n, sx, sy, sxy, sxx, syy))})")


def _slope(s: Pair) -> str:
    return f"(({s[3]} - {s[1]} * {s[2]} / {s[0]}) / nullif({s[4]} - {s[1]} * {s[1]} / {s[0]}, 0))"


_regression("regr_slope", _slope)
_regression("regr_intercept", lambda s: f"({s[2]} - {_slope(s)} * {s[1]}) / {s[0]}")
_regression("regr_avgx", lambda s: f"{s[1]} / {s[0]}")
_regression("regr_avgy", lambda s: f"{s[2]} / {s[0]}")
_regression("regr_sxx", lambda s: f"{s[4]} - {s[1]} * {s[1]} / {s[0]}")
_regression("regr_syy", lambda s: f"{s[5]} - {s[2]} * {s[2]} / {s[0]}")
_regression("regr_sxy", lambda s: f"{s[3]} - {s[1]} * {s[2]} / {s[0]}")
_regression("regr_r2", lambda s: f"pow({_correlation(s)}, 2)")


@aggregate("regr_count", args=2, never_null=True, insensitive=True)
def regr_count(call: AggregateCall) -> Typed:
    return call.typed(f"CAST({call.rows()} AS UBIGINT)", t.UINT64)


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


@aggregate("categoricalInformationValue", args=(2, None))
def categorical_information_value(call: AggregateCall) -> Typed:
    """For each category (P1 - P0) (ln P1 - ln P0), where P1 and P0 are its shares of rows with the tag and without."""
    if not all(isinstance(arg.type, t.Int | t.Bool) for arg in call.args):
        call.wrong_type()
    *categories, tag = (condition_of(arg) for arg in call.args)
    values = []
    for category in categories:
        shares = []
        for tagged in (tag, f"NOT {tag}"):
            count = f"CAST({call.apply('count', '*', where=[tagged])} AS DOUBLE)"
            shares.append(f"({call.apply('count', '*', where=[category, tagged])} / nullif({count}, 0))")
        present, absent = shares
        logarithms = f"(ln(nullif({present}, 0)) - ln(nullif({absent}, 0)))"
        values.append(f"coalesce(({present} - {absent}) * {logarithms}, {NAN})")
    return call.typed(f"[{', '.join(values)}]", t.Array(t.FLOAT64))
