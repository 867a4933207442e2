"""The errors of compiling, in ClickHouse's wording and with its codes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tbpy.clickhouse import ast
from tbpy.clickhouse import types as t
from tbpy.clickhouse.function_names import is_clickhouse_function
from tbpy.errors import QueryError as QueryError
from tbpy.errors import SqlPlace, UnsupportedError

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler.context import Context


def place(node: ast.Node | None) -> SqlPlace | None:
    return SqlPlace(node.start, node.end) if node is not None else None


def suggestion(name: str, candidates: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(name, [each for each in candidates if each != name], n=3)
    return f"Maybe you meant: {close!r}" if close else None


def failure(message: str, code: int, name: str, node: ast.Node | None) -> QueryError:
    """An error with a code of ClickHouse's that has no function of its own here."""
    return QueryError(message, code=code, name=name, place=place(node))


def unknown_identifier(name: str, node: ast.Node, candidates: Iterable[str]) -> QueryError:
    hint = suggestion(name, candidates)
    text = f"Unknown expression identifier `{name}`" + (f". {hint}" if hint else "")
    return QueryError(text, code=47, name="UNKNOWN_IDENTIFIER", place=place(node), hint=hint)


def ambiguous_identifier(name: str, node: ast.Node) -> QueryError:
    return QueryError(f"JOIN ambiguous identifier '{name}'", code=207, name="AMBIGUOUS_IDENTIFIER", place=place(node))


def unknown_table(name: str, node: ast.Node, candidates: Iterable[str]) -> QueryError:
    hint = suggestion(name, candidates)
    text = f"Unknown table expression identifier '{name}'" + (f". {hint}" if hint else "")
    return QueryError(text, code=60, name="UNKNOWN_TABLE", place=place(node), hint=hint)


def unknown_function(name: str, node: ast.Node, candidates: Iterable[str]) -> QueryError:
    """Refused as not supported when ClickHouse has it, unknown as in ClickHouse when it has not."""
    if is_clickhouse_function(name):
        return unsupported(f"Function {name}", node)
    hint = suggestion(name, candidates)
    text = f"Function with name `{name}` does not exist" + (f". {hint}" if hint else "")
    return QueryError(text, code=46, name="UNKNOWN_FUNCTION", place=place(node), hint=hint)


def wrong_count(name: str, given: int, wanted: str, node: ast.Node) -> QueryError:
    text = f"Number of arguments for function {name} doesn't match: passed {given}, should be {wanted}"
    return QueryError(text, code=42, name="NUMBER_OF_ARGUMENTS_DOESNT_MATCH", place=place(node))


def wrong_type(name: str, types: Sequence[t.Type], node: ast.Node) -> QueryError:
    """Code 43: the function does not take arguments of these types."""
    listed = ", ".join(map(str, types))
    text = f"Illegal type{'s' if len(types) > 1 else ''} {listed} of argument of function {name}"
    return QueryError(text, code=43, name="ILLEGAL_TYPE_OF_ARGUMENT", place=place(node))


def no_common_type(types: Sequence[t.Type], node: ast.Node | None) -> QueryError:
    text = f"There is no supertype for types {', '.join(map(str, types))}"
    return QueryError(text, code=386, name="NO_COMMON_TYPE", place=place(node))


def bad_arguments(message: str, node: ast.Node | None) -> QueryError:
    return QueryError(message, code=36, name="BAD_ARGUMENTS", place=place(node))


def unsupported(what: str, node: ast.Node | None) -> UnsupportedError:
    """Something that ClickHouse answers and tbpy does not, named so that the user can avoid it."""
    return UnsupportedError(f"{what} is not supported by tbpy yet", place=place(node))


def bad_filter(message: str, node: ast.Node) -> QueryError:
    return QueryError(message, code=59, name="ILLEGAL_TYPE_OF_COLUMN_FOR_FILTER", place=place(node))


def check_varying(context: Context, type_: t.Type, clause: str, node: ast.Node | None) -> None:
    """Raise ILLEGAL_COLUMN (44) for a key of ORDER BY or GROUP BY whose values may be of different types.

    ClickHouse has a setting for it, which Tinybird's servers have on: projects group by paths of JSON. So it is on,
    unless a query takes it off.
    """
    if not t.varies(type_):
        return
    simple = isinstance(type_, t.Variant) and not any(map(t.varies, type_.items))
    if clause == "ORDER BY" and simple and context.enabled("allow_suspicious_types_in_order_by", default=True):
        return
    if context.enabled(f"allow_suspicious_types_in_{clause.lower().replace(' ', '_')}", default=True):
        if isinstance(type_, t.Dynamic):
            return
        raise unsupported(f"{clause} {type_}", node)
    text = (
        f"Data types Variant/Dynamic are not allowed in {clause} keys, because it can lead to unexpected results. "
        "Consider using a subcolumn with a specific data type instead (for example 'column.Int64' or "
        "'json.some.path.:Int64' if its a JSON path subcolumn) or casting this column to a specific data type"
    )
    raise QueryError(text, code=44, name="ILLEGAL_COLUMN", place=place(node))


def nested_aggregate(name: str, node: ast.Node) -> QueryError:
    text = f"Aggregate function {name} is found inside another aggregate function in query"
    return QueryError(text, code=184, name="ILLEGAL_AGGREGATION", place=place(node))


def misplaced_aggregate(what: str, node: ast.Node, clause: str = "WHERE") -> QueryError:
    text = f"{what} is found in {clause}, where no rows have been grouped yet"
    return QueryError(text, code=184, name="ILLEGAL_AGGREGATION", place=place(node))


def missing_parameter(name: str, node: ast.Node) -> QueryError:
    return QueryError(f"Substitution `{name}` is not set", code=456, name="UNKNOWN_QUERY_PARAMETER", place=place(node))


def not_an_aggregate(name: str, node: ast.Node | None) -> QueryError:
    text = f"Column `{name}` is not under aggregate function and not in GROUP BY keys"
    return QueryError(text, code=215, name="NOT_AN_AGGREGATE", place=place(node))


def syntax_error(message: str, node: ast.Node | None) -> QueryError:
    return QueryError(message, code=62, name="SYNTAX_ERROR", place=place(node))


def column_counts(message: str, node: ast.Node | None) -> QueryError:
    return QueryError(message, code=258, name="UNION_ALL_RESULT_STRUCTURES_MISMATCH", place=place(node))
