"""formatRow and formatRowNoNewline: the arguments of a row as a line of an output format."""

from __future__ import annotations

import json

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Output
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler, special
from tbpy.clickhouse.compiler.matchers import expand_columns
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.formats import find_format
from tbpy.clickhouse.quoting import duckdb_string

_EACH_ROW = frozenset({"JSONEachRow", "JSONLines", "NDJSON"})


@special("formatRow", "formatRowNoNewline")
def format_row(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    if len(node.arguments) < 2:
        raise failures.wrong_count(node.name, len(node.arguments), "at least 2", node)
    name = compiler.compile(node.arguments[0]).value
    if not isinstance(name, str):
        raise failures.bad_arguments(
            f"First argument of function {node.name} must be a constant name of a format", node
        )
    outputs = [output for argument in node.arguments[1:] for output in expand_columns(compiler, argument)]
    end = "" if node.name == "formatRowNoNewline" else "\n"
    if name in _EACH_ROW:
        parts = _joined(compiler, outputs, node, ("{", ",", "}" + end), keyed=True)
    elif name == "JSONCompactEachRow":
        parts = _joined(compiler, outputs, node, ("[", ", ", "]" + end), keyed=False)
    else:
        find_format(name)  # an unknown format is an error of its own
        raise failures.unsupported(f"{node.name} to {name}", node)
    aggregate = any(output.value.aggregate for output in outputs)
    window = any(output.value.window for output in outputs)
    return Typed(f"concat({', '.join(parts)})", t.STRING, aggregate=aggregate, window=window)


def _joined(
    compiler: ExpressionCompiler, outputs: list[Output], node: ast.Node, around: tuple[str, str, str], *, keyed: bool
) -> list[str]:
    """The pieces of a JSON line: what stands before each value, and the value."""
    start, between, end = around
    pieces = []
    for position, output in enumerate(outputs):
        before = between if position else start
        key = json.dumps(output.name, ensure_ascii=False) + ":" if keyed else ""
        pieces.append(duckdb_string(before + key))
        pieces.append(f"coalesce({compiler.call('toJSONString', output.value, node=node).sql}, 'null')")
    return [*pieces, duckdb_string(end)]
