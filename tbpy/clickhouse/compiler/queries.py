"""A query of any form as a block: SELECT, set operations, VALUES."""

from __future__ import annotations

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.block import Block, select_list
from tbpy.clickhouse.compiler.catalog import Catalog
from tbpy.clickhouse.compiler.context import Context, Output
from tbpy.clickhouse.compiler.conversion import coerce, common_or_variant, common_type
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.scope import Scope
from tbpy.clickhouse.compiler.select import SelectCompiler, declare_with
from tbpy.clickhouse.compiler.typed import Typed


def compile_block(context: Context, catalog: Catalog, parent: Scope | None, query: ast.Query) -> Block:
    """Compile a query whose names resolve in `catalog` and, for WITH names, in the scopes around it."""
    match query:
        case ast.Select():
            return SelectCompiler(context, Scope(catalog, parent), query).compile()
        case ast.SetOperation():
            return _set_operation(context, catalog, parent, query)
        case ast.Values():
            return _values(context, catalog, parent, query)


_OPERATORS = {
    "union all": "UNION ALL",
    "union distinct": "UNION",
    "intersect": "INTERSECT ALL",
    "intersect distinct": "INTERSECT",
    "except": "EXCEPT ALL",
    "except distinct": "EXCEPT",
}


def _set_operation(context: Context, catalog: Catalog, parent: Scope | None, query: ast.SetOperation) -> Block:
    try:
        left, right = _sides(context, catalog, _shared_with(catalog, parent, query), query)
    except failures.QueryError:
        _operator(context, query)  # what is said of the operator comes before what is said of its sides
        raise
    pairs = zip(left.outputs, right.outputs, strict=True)
    types = [common_or_variant(context, [one.value.type, other.value.type], query) for one, other in pairs]
    outputs = tuple(Output(output.name, Typed("", type_)) for output, type_ in zip(left.outputs, types, strict=True))
    return Block(combined_sql(context, query, left, right, outputs), outputs)


def _sides(context: Context, catalog: Catalog, parent: Scope | None, query: ast.SetOperation) -> tuple[Block, Block]:
    left = compile_block(context, catalog, parent, query.left)
    right = compile_block(context, catalog, parent, query.right)
    if len(left.outputs) != len(right.outputs):
        raise _different_widths(query, len(left.outputs), len(right.outputs))
    return left, right


def _different_widths(query: ast.SetOperation, left: int, right: int) -> failures.QueryError:
    operator = query.kind.split()[0].upper()
    text = f"{operator} different number of columns in queries: {left} and {right}"
    if operator == "UNION":
        return failures.column_counts(text, query)
    return failures.failure(text, 596, "INTERSECT_OR_EXCEPT_RESULT_STRUCTURES_MISMATCH", query)


def _shared_with(catalog: Catalog, parent: Scope | None, query: ast.SetOperation) -> Scope | None:
    """The scope of all sides: they see the WITH of the first SELECT."""
    first: ast.Query = query
    while isinstance(first, ast.SetOperation):
        first = first.left
    if not isinstance(first, ast.Select) or not first.with_:
        return parent
    scope = Scope(catalog, parent)
    declare_with(scope, first)
    return scope


def combined_sql(
    context: Context, query: ast.SetOperation, left: Block, right: Block, outputs: tuple[Output, ...]
) -> str:
    """Both sides with their columns in the common types, and the operator between them."""
    targets = [output.value for output in outputs]
    return f"{_converted(left, targets)} {_operator(context, query)} {_converted(right, targets)}"


def _operator(context: Context, query: ast.SetOperation) -> str:
    mode = str(context.settings.get(f"{query.kind}_default_mode", "")).lower()
    kind = f"{query.kind} {mode}" if mode == "distinct" or (mode and query.kind == "union") else query.kind
    operator = _OPERATORS.get(kind)
    if kind == "union":
        text = (
            "Expected ALL or DISTINCT after UNION. Write `UNION ALL` to keep duplicate rows or `UNION DISTINCT` to "
            "remove them, or set `union_default_mode` to choose"
        )
        raise failures.QueryError(text, code=558, name="EXPECTED_ALL_OR_DISTINCT", place=failures.place(query))
    if operator is None:
        raise failures.unsupported(query.kind.upper(), query)
    return operator


def _converted(block: Block, targets: list[Typed]) -> str:
    """One side of a set operation with every column in the common type."""
    columns = [
        coerce(Typed(f"s.c{position}", output.value.type), target.type)
        for position, (output, target) in enumerate(zip(block.outputs, targets, strict=True))
    ]
    if all(column.sql == f"s.c{position}" for position, column in enumerate(columns)):
        return f"({block.sql})"
    return f"(SELECT {select_list(tuple(columns))} FROM ({block.sql}) AS s)"


def _values(context: Context, catalog: Catalog, parent: Scope | None, query: ast.Values) -> Block:
    compiler = ExpressionCompiler(context, Scope(catalog, parent))
    rows = [[compiler.compile(item) for item in row] for row in query.rows]
    return values_block(rows, query)


def values_block(rows: list[list[Typed]], node: ast.Node, names: tuple[str, ...] = ()) -> Block:
    """Constant rows as a block; each column takes the common type of its values."""
    types = [common_type([value.type for value in column], node) for column in zip(*rows, strict=True)]
    lines = [
        "(" + ", ".join(coerce(value, type_).exact() for value, type_ in zip(row, types, strict=True)) + ")"
        for row in rows
    ]
    labels = names or tuple(f"c{position + 1}" for position in range(len(types)))
    columns = ", ".join(f"c{position}" for position in range(len(types)))
    outputs = tuple(Output(label, Typed("", type_)) for label, type_ in zip(labels, types, strict=True))
    return Block(f"SELECT * FROM (VALUES {', '.join(lines)}) AS v({columns})", outputs)
