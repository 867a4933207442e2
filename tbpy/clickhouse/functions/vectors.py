"""Arrays and tuples of numbers as vectors: products, norms, distances."""

from __future__ import annotations

import math

from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.functions.arithmetic import widened
from tbpy.clickhouse.functions.arrays import same_sizes
from tbpy.clickhouse.functions.registry import Call, scalar
from tbpy.clickhouse.functions.tuples import tuple_distance, tuple_norm
from tbpy.clickhouse.quoting import duckdb_string
from tbpy.clickhouse.storage import duckdb_type, field_names
from tbpy.errors import QueryError


def _vector(call: Call, position: int) -> tuple[str, list[t.Type]]:
    """An array or tuple of numbers as a list of DOUBLE, and the types of its elements."""
    value = call.args[position]
    inner = t.plain(value.type)
    if isinstance(inner, t.Array):
        items, sql = [inner.item], value.sql
    elif isinstance(inner, t.Tuple):
        items = list(inner.items)
        sql = (
            "[" + ", ".join(f"CAST({value.sql}[{duckdb_string(name)}] AS DOUBLE)" for name in field_names(inner)) + "]"
        )
    else:
        call.wrong_type()
    if not all(isinstance(t.plain(item), t.Int | t.Float | t.Bool | t.Decimal) for item in items):
        call.wrong_type()
    return f"CAST({sql} AS DOUBLE[])", items


def _float(items: list[t.Type]) -> t.Type:
    """Float32 vectors give Float32, all others Float64."""
    return t.FLOAT32 if all(t.plain(item) == t.FLOAT32 for item in items) else t.FLOAT64


_NORMS = {
    "L1": "list_sum(list_transform({0}, lambda e: abs(e)))",
    "L2": "sqrt(list_sum(list_transform({0}, lambda e: e * e)))",
    "L2Squared": "list_sum(list_transform({0}, lambda e: e * e))",
    "Linf": "list_max(list_transform({0}, lambda e: abs(e)))",
}


def _norm(name: str, pattern: str) -> None:
    @scalar(f"{name}Norm", f"norm{name}", insensitive=True, low_cardinality=False)
    def norm(call: Call) -> Typed:
        if isinstance(t.plain(call.args[0].type), t.Tuple):
            return tuple_norm(call, name)
        vector, items = _vector(call, 0)
        type_ = _float(items)
        return call.typed(f"CAST(coalesce({pattern.format(vector)}, 0e0) AS {duckdb_type(type_)})", type_)

    @scalar(f"{name}Distance", f"distance{name}", args=2, insensitive=True, low_cardinality=False)
    def distance(call: Call) -> Typed:
        if isinstance(t.plain(call.args[0].type), t.Tuple):
            return tuple_distance(call, name)
        (one, items), (other, more) = _vector(call, 0), _vector(call, 1)
        type_ = _float([*items, *more])
        steps = f"list_transform({one}, lambda e, i: e - ({other})[i])"
        sql = f"CAST(coalesce({pattern.format(steps)}, 0e0) AS {duckdb_type(type_)})"
        return call.typed(same_sizes([one, other], sql, call.name), type_)


for _name, _pattern in _NORMS.items():
    _norm(_name, _pattern)


def _power(call: Call, position: int) -> float:
    power = call.constant_value(position, "power")
    if not isinstance(power, int | float) or not 1 <= power < math.inf:
        text = f"Second argument for function {call.name} must be a finite number not less than one"
        raise QueryError(text, code=69, name="ARGUMENT_OUT_OF_BOUND", place=failures.place(call.node))
    return float(power)


def _root(steps: str, power: float) -> str:
    return f"pow(list_sum(list_transform({steps}, lambda e: pow(abs(e), {power!r}))), {1 / power!r})"


@scalar("LpNorm", "normLp", args=2, insensitive=("normLp",), low_cardinality=False)
def lp_norm(call: Call) -> Typed:
    vector, items = _vector(call, 0)
    type_ = _float(items)
    return call.typed(f"CAST(coalesce({_root(vector, _power(call, 1))}, 0e0) AS {duckdb_type(type_)})", type_)


@scalar("LpDistance", "distanceLp", args=3, insensitive=("distanceLp",), low_cardinality=False)
def lp_distance(call: Call) -> Typed:
    (one, items), (other, more) = _vector(call, 0), _vector(call, 1)
    type_ = _float([*items, *more])
    steps = f"list_transform({one}, lambda e, i: e - ({other})[i])"
    sql = f"CAST(coalesce({_root(steps, _power(call, 2))}, 0e0) AS {duckdb_type(type_)})"
    return call.typed(same_sizes([one, other], sql, call.name), type_)


@scalar("cosineDistance", "distanceCosine", args=2, insensitive=True, low_cardinality=False)
def cosine_distance(call: Call) -> Typed:
    (one, items), (other, more) = _vector(call, 0), _vector(call, 1)
    type_ = _float([*items, *more])
    dot = f"list_sum(list_transform({one}, lambda e, i: e * ({other})[i]))"
    squares = " * ".join(f"list_sum(list_transform({side}, lambda e: e * e))" for side in (one, other))
    sql = f"CAST(1 - {dot} / sqrt({squares}) AS {duckdb_type(type_)})"
    return call.typed(same_sizes([one, other], sql, call.name), type_)


@scalar("arrayDotProduct", args=2, low_cardinality=False)
def array_dot_product(call: Call) -> Typed:
    left, right = (t.plain(arg.type) for arg in call.args)
    if not isinstance(left, t.Array) or not isinstance(right, t.Array):
        call.wrong_type()
    type_ = widened(t.plain(left.item), t.plain(right.item))
    if type_ is None:
        call.wrong_type()
    target = duckdb_type(type_)
    products = f"list_transform({call.sql(0)}, lambda e, i: CAST(e AS {target}) * ({call.sql(1)})[i])"
    sql = f"CAST(coalesce(list_sum({products}), 0) AS {target})"
    return call.typed(same_sizes([call.sql(0), call.sql(1)], sql, call.name), type_)


@scalar("arrayAUC", "arrayROCAUC", args=(2, 3), low_cardinality=False)
def array_auc(call: Call) -> Typed:
    """The area under the ROC curve: the share of pairs that the scores order as the labels do, ties counting half.

    With a third argument that is false, their number.
    """
    scaled = len(call.args) == 2 or bool(call.constant_value(2, "scale"))
    (scores, _), (labels, _) = _vector(call, 0), _vector(call, 1)
    positive = f"list_filter({scores}, lambda s, i: ({labels})[i] > 0)"
    negative = f"list_filter({scores}, lambda s, i: ({labels})[i] <= 0)"
    wins = (
        f"list_sum(list_transform({positive}, lambda p: list_sum(list_transform({negative}, "
        f"lambda n: CASE WHEN p > n THEN 1e0 WHEN p = n THEN 0.5e0 ELSE 0e0 END))))"
    )
    sql = (
        f"coalesce({wins} / (len({positive}) * len({negative})), CAST('nan' AS DOUBLE))"
        if scaled
        else f"coalesce({wins}, 0e0)"
    )
    return call.typed(same_sizes([scores, labels], f"({sql})", call.name), t.FLOAT64)


@scalar("arrayAUCPR", "arrayPRAUC", args=(2, 3), low_cardinality=False)
def array_auc_pr(call: Call) -> Typed:
    """The area under the precision-recall curve; the third argument are the counts of what came before."""
    (scores, _), (labels, _) = _vector(call, 0), _vector(call, 1)
    before = "CAST([] AS BIGINT[])"
    if len(call.args) == 3:
        before = f"CAST({_vector(call, 2)[0]} AS BIGINT[])"
    lists = f"CAST({scores} AS DOUBLE[]), CAST({labels} AS DOUBLE[]), {before}"
    sql = f"{call.context.udf('tb_area_precision_recall')}({lists})"
    return call.typed(same_sizes([scores, labels], sql, call.name), t.FLOAT64)
