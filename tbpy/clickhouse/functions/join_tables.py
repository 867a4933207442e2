"""joinGet: one value of a table of ENGINE Join, looked up by its key."""

from __future__ import annotations

from collections.abc import Sequence

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.compiler import failures
from tbpy.clickhouse.compiler.catalog import Table, TableColumn
from tbpy.clickhouse.compiler.expressions import ExpressionCompiler, special
from tbpy.clickhouse.compiler.join_tables import rows_of_join
from tbpy.clickhouse.compiler.typed import Typed
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.clickhouse.storage import default_sql

# Always the same, so that the same call is the same SQL, wherever it stands.
_ALIAS = "looked_up"


@special("joinGet", "joinGetOrNull")
def join_get(compiler: ExpressionCompiler, node: ast.Function) -> Typed:
    """The value of a column for a key: the default of its type, or NULL, where the key is not there."""
    if len(node.arguments) < 3:
        raise failures.wrong_count(node.name, len(node.arguments), "greater or equal to 3", node)
    table = _table(compiler, node)
    keys = [compiler.compile(argument) for argument in node.arguments[2:]]
    names = _key_names(table, keys, node)
    if compiler.scope.lambdas:
        raise failures.unsupported(f"Function {node.name} in a lambda", node)
    column = _value_column(compiler, table, node)
    assert table.engine.join is not None
    compiler.context.tables.add(table.name)
    rows = f"{rows_of_join(table, table.engine.join)} AS {_ALIAS}"
    where = " AND ".join(f"{_ALIAS}.{name} = {key.sql}" for name, key in zip(names, keys, strict=True))
    value = f"(SELECT {_ALIAS}.{_physical(column)} FROM {rows} WHERE {where})"
    type_ = t.nullable(column.type) if node.name == "joinGetOrNull" else column.type
    if not t.is_nullable(type_):
        value = f"coalesce({value}, {default_sql(type_)})"
    aggregate, window = any(key.aggregate for key in keys), any(key.window for key in keys)
    return Typed(value, type_, aggregate=aggregate, window=window)


def _table(compiler: ExpressionCompiler, node: ast.Function) -> Table:
    name = node.arguments[0]
    text = name.name if isinstance(name, ast.Identifier) else str(getattr(name, "value", ""))
    database, _, bare = text.rpartition(".")
    found = compiler.scope.catalog.resolve(bare, database or None)
    if found is None:
        raise failures.unknown_table(text, node, compiler.scope.catalog.names())
    if not isinstance(found, Table) or found.engine.name != "Join":
        raise _illegal(f"Table {text} should have engine StorageJoin", node)
    join = found.engine.join
    if join is None or (join.strictness, join.kind) != ("any", "left"):
        text = f"{node.name} only supports StorageJoin of type Left Any"
        raise failures.failure(text, 264, "INCOMPATIBLE_TYPE_OF_JOIN", node)
    return found


def _key_names(table: Table, keys: Sequence[Typed], node: ast.Function) -> list[str]:
    """The DuckDB names of the key columns. ClickHouse converts no keys: their types must be those of the columns."""
    assert table.engine.join is not None
    wanted = [column for name in table.engine.join.keys for column in table.columns if column.name == name]
    if len(wanted) != len(keys):
        text = (
            f"Number of join_keys and number of right table key columns for function {node.name} don't match: "
            f"passed {len(keys)}, should be equal to {len(wanted)}"
        )
        raise failures.failure(text, 42, "NUMBER_OF_ARGUMENTS_DOESNT_MATCH", node)
    for place, (key, column) in enumerate(zip(keys, wanted, strict=True)):
        given, needed = t.plain(key.type), t.plain(column.type)
        if given != needed and not isinstance(given, t.Nothing):
            text = f"Type mismatch in {node.name} key {place}: found type {given}, while the needed type is {needed}"
            raise failures.failure(text, 53, "TYPE_MISMATCH", node)
    return [_physical(column) for column in wanted]


def _value_column(compiler: ExpressionCompiler, table: Table, node: ast.Function) -> TableColumn:
    name = compiler.compile(node.arguments[1])
    if not name.known or not isinstance(name.value, str):
        text = f"Illegal type {name.type} of second argument of function {node.name}, expected a const string"
        raise _illegal(text, node)
    assert table.engine.join is not None
    for column in table.columns:
        if column.name == name.value and column.name not in table.engine.join.keys:
            return column
    raise failures.failure(f"StorageJoin doesn't contain column {name.value}", 16, "NO_SUCH_COLUMN_IN_TABLE", node)


def _physical(column: TableColumn) -> str:
    return duckdb_name(column.physical or column.name)


def _illegal(text: str, node: ast.Node) -> failures.QueryError:
    return failures.failure(text, 43, "ILLEGAL_TYPE_OF_ARGUMENT", node)
