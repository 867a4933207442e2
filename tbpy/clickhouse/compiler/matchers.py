"""Columns of a SELECT list: `*`, `t.*`, COLUMNS and untuple expand; all else is one column, with ClickHouse's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.context import Output
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler
from tbpy.clickhouse.compiler.literals import constant
from tbpy.clickhouse.compiler.parameters import parameter_name
from tbpy.clickhouse.compiler.scope import Column, Relation
from tbpy.clickhouse.names import column_name
from tbpy.clickhouse.quoting import quote_string
from tbpy.clickhouse.storage import field_names


def expand_columns(compiler: ExpressionCompiler, node: ast.Expression) -> Iterator[Output]:
    match node:
        case ast.Asterisk():
            yield from _transformed(compiler, _all_columns(compiler, node), node.transformers)
        case ast.ColumnsMatcher():
            yield from _transformed(compiler, _matched(compiler, node), node.transformers)
        case ast.Function(name="untuple"):
            yield from _untupled(compiler, node, None)
        case ast.Alias(expression=ast.Function(name="untuple") as call):
            yield from _untupled(compiler, call, node.name)
        case ast.Alias():
            yield Output(node.name, compiler.alias(node))
        case _:
            value = compiler.compile(node)  # first, since it numbers the subqueries that the name counts
            yield Output(display_name(compiler, node), value)


def columns_of(compiler: ExpressionCompiler, nodes: tuple[ast.Expression, ...]) -> tuple[ast.Expression, ...]:
    """The expressions with the columns that `*` and COLUMNS among them stand for."""
    if not any(isinstance(node, ast.Asterisk | ast.ColumnsMatcher) for node in nodes):
        return nodes
    found: list[ast.Expression] = []
    for node in nodes:
        if isinstance(node, ast.Asterisk | ast.ColumnsMatcher):
            names = (output.name.split(".") for output in expand_columns(compiler, node))
            found.extend(ast.Identifier(tuple(name), start=node.start, end=node.end) for name in names)
        else:
            found.append(node)
    return tuple(found)


def _untupled(compiler: ExpressionCompiler, node: ast.Function, alias: str | None) -> Iterator[Output]:
    """The elements of a tuple as columns: `tupleElement(t, 'name')`, or `alias.name`."""
    if len(node.arguments) != 1:
        raise failures.wrong_count("untuple", len(node.arguments), "1", node)
    value, label = compiler.compile(node.arguments[0]), display_name(compiler, node.arguments[0])
    inner = t.plain(value.type)
    if not isinstance(inner, t.Tuple):
        raise failures.wrong_type("untuple", [value.type], node)
    for name in field_names(inner):
        title = f"{alias}.{name}" if alias is not None else f"tupleElement({label}, {quote_string(name)})"
        yield Output(title, compiler.call("tupleElement", value, constant(name), node=node))


def display_name(compiler: ExpressionCompiler, node: ast.Expression) -> str:
    """The result name of an expression; qualified columns lose what is not needed to tell them apart."""
    return column_name(
        node,
        resolve=lambda identifier: _identifier_name(compiler, identifier),
        subquery=compiler.context.subquery_name,
        parameter=lambda parameter: _parameter_name(compiler, parameter),
        columns=lambda star: ", ".join(output.name for output in expand_columns(compiler, star)),
    )


def _parameter_name(compiler: ExpressionCompiler, node: ast.Parameter) -> str:
    """ClickHouse puts the value in place of a parameter."""
    text = compiler.context.parameters.get(node.name)
    if text is None:
        raise failures.missing_parameter(node.name, node)
    if node.type == "Identifier":
        return _identifier_name(compiler, ast.Identifier(tuple(text.split("."))))
    return parameter_name(node, text)


def _identifier_name(compiler: ExpressionCompiler, node: ast.Identifier) -> str:
    if len(node.parts) == 1 or compiler.scope.alias(node.parts[0]) is not None:
        return node.name
    if compiler.scope.lambda_argument(node.parts[0]) is not None:
        return node.name
    found = compiler.find_column(node)
    if found is None:
        return node.name
    column, rest = found
    if column.in_place:
        return node.name
    relation = next((r for r in compiler.scope.relations if column in (*r.columns, *r.hidden)), None)
    if relation is None:
        return ".".join((column.name, *rest))
    written = ".".join(node.parts[: len(node.parts) - len(rest) - column.name.count(".") - 1])
    return ".".join((qualified_name(compiler, relation, column, written=written), *rest))


def qualified_name(
    compiler: ExpressionCompiler, relation: Relation, column: Column, *, written: str = "", starred: bool = False
) -> str:
    """`name`, or `table.name` when the bare name means a column of another source, or with several joins might.

    `written` is a qualifier in the query. For `*` a USING key is one column, and for `table.*` after one join
    (`starred`).
    """
    if compiler.scope.alias(column.name) is not None and relation.title:
        return f"{relation.title}.{column.name}"
    merged = any(other.shared for other in relation.columns if other.name == column.name)
    if starred and compiler.scope.joins > 1 and merged:
        return f"{relation.title}.{column.name}"
    if (merged and not written) or (column.shared and compiler.scope.joins == 1):
        return column.name
    namesakes = compiler.scope.columns_named(column.name, None)
    if written and namesakes[0][0].elements:
        namesakes = namesakes[1:] or namesakes
    ambiguous = len(namesakes) > 1 and (bool(written) or not column.shared)
    if (namesakes[0][1] is column and not (ambiguous and compiler.scope.joins > 1)) or not relation.title:
        return column.name
    return f"{written if written in relation.names else relation.title}.{column.name}"


#: A column of `*`: the name by which EXCEPT and REPLACE know it, and what it becomes.
Starred = tuple[str, Output]


def _all_columns(compiler: ExpressionCompiler, node: ast.Asterisk) -> Iterator[Starred]:
    """The columns that `*` or `t.*` means; of a join with USING its keys come first."""
    if _is_tuple(compiler, node):
        name = ast.Identifier(node.qualifier, start=node.start, end=node.end)
        call = ast.Function("untuple", (name,), start=node.start, end=node.end)
        yield from ((output.name, output) for output in _untupled(compiler, call, ".".join(node.qualifier)))
        return
    relations = _qualified(compiler, node.qualifier, node)
    if node.qualifier:
        found = [(relation, column) for relation in relations for column in relation.own_columns()]
    else:
        found = [(relation, column) for relation in relations for column in relation.columns]
        rest = len(found) + 1
        found.sort(key=lambda pair: pair[1].shared or rest)
    for relation, column in found:
        yield column.name, _starred(compiler, relation, column, qualified=bool(node.qualifier))


def _starred(compiler: ExpressionCompiler, relation: Relation, column: Column, *, qualified: bool = False) -> Output:
    value = compiler.scope.key_readings.get(column.value.sql, column.value)
    return Output(qualified_name(compiler, relation, column, starred=qualified), value)


def _is_tuple(compiler: ExpressionCompiler, node: ast.Asterisk) -> bool:
    """Whether `t.*` means the elements of a column that is a tuple: no source has that name."""
    title = ".".join(node.qualifier)
    if not title or any(title in relation.names for relation in compiler.scope.relations):
        return False
    column = compiler.lookup(ast.Identifier(node.qualifier, start=node.start, end=node.end))
    return column is not None and isinstance(t.plain(column.type), t.Tuple)


def _matched(compiler: ExpressionCompiler, node: ast.ColumnsMatcher) -> Iterator[Starred]:
    if node.pattern is None:
        for name in node.names:
            yield name.parts[-1], Output(display_name(compiler, name), compiler.compile(name))
        return
    try:
        wanted = re.compile(node.pattern)
    except re.error as error:
        text = f"COLUMNS pattern {node.pattern} cannot be compiled: {error}"
        raise failures.failure(text, 427, "CANNOT_COMPILE_REGEXP", node) from None
    for relation in _qualified(compiler, node.qualifier, node):
        for column in relation.columns:
            if wanted.search(column.name):
                yield column.name, _starred(compiler, relation, column)


def _qualified(compiler: ExpressionCompiler, qualifier: tuple[str, ...], node: ast.Expression) -> tuple[Relation, ...]:
    if not qualifier:
        return compiler.scope.relations
    title = ".".join(qualifier)
    found = tuple(relation for relation in compiler.scope.relations if title in relation.names)
    if not found:
        text = f"Qualified matcher {title}.* does not find table"
        raise failures.failure(text, 47, "UNKNOWN_IDENTIFIER", node)
    return found


def _transformed(
    compiler: ExpressionCompiler, columns: Iterator[Starred], transformers: tuple[ast.Transformer, ...]
) -> Iterator[Output]:
    found = list(columns)
    for transformer in transformers:
        match transformer:
            case ast.ExceptColumns():
                _check_names("EXCEPT", transformer, transformer.names, found)
                found = [column for column in found if not _excluded(column[0], transformer)]
            case ast.ReplaceColumns():
                found = _replaced(compiler, found, transformer)
            case ast.ApplyColumns():
                applied = (_applied(compiler, output, transformer) for _, output in found)
                found = [("", output) for output in applied]  # no column any more, which EXCEPT could name
    yield from (output for _, output in found)


def _check_names(
    what: str, transformer: ast.ExceptColumns | ast.ReplaceColumns, names: tuple[str, ...], columns: list[Starred]
) -> None:
    """STRICT wants every name to be a column."""
    missing = [name for name in names if not any(name == known for known, _ in columns)]
    if transformer.strict and missing:
        text = f"Strict {what} column transformer expects following column(s) : {', '.join(missing)}"
        raise failures.bad_arguments(text, transformer)


def _excluded(name: str, transformer: ast.ExceptColumns) -> bool:
    if transformer.pattern is not None:
        return re.search(transformer.pattern, name) is not None
    return name in transformer.names


def _replaced(compiler: ExpressionCompiler, columns: list[Starred], transformer: ast.ReplaceColumns) -> list[Starred]:
    """REPLACE: the expression under the column's name; a later APPLY names it by the expression."""
    names = tuple(item.name for item in transformer.items)
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        text = (
            f"Expressions in column transformer replace should not contain same replacement {repeated} more than once"
        )
        raise failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", transformer)
    _check_names("REPLACE", transformer, names, columns)
    items = {item.name: item for item in transformer.items}
    return [(name, _replacement(compiler, items[name]) if name in items else output) for name, output in columns]


def _replacement(compiler: ExpressionCompiler, item: ast.Alias) -> Output:
    return Output(item.name, compiler.alias(item), display_name(compiler, item.expression))


def _applied(compiler: ExpressionCompiler, output: Output, transformer: ast.ApplyColumns) -> Output:
    """`APPLY(f)`: the function over the column, through a name that stands for it while it compiles."""
    column = ast.Identifier((output.expression or output.name,))
    name = f"\0{output.name}"
    if transformer.body is not None:
        [parameter] = transformer.body.parameters
        with compiler.binding({parameter: output.value}):
            value = compiler.compile(transformer.body.body)
        renamed = column_name(
            transformer.body.body, resolve=lambda i: output.name if i.parts == (parameter,) else i.name
        )
        return Output(renamed, value)
    assert transformer.function is not None
    call = ast.Function(
        transformer.function,
        (ast.Identifier((name,)),),
        transformer.parameters,
        start=transformer.start,
        end=transformer.end,
    )
    with compiler.binding({name: output.value}):
        value = compiler.compile(call)
    return Output(column_name(replace(call, arguments=(column,))), value)
