"""`column`, `columns`, `symbol` and `TABLE`: names of columns and tables that a parameter decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tbpy.errors import TemplateError
from tbpy.templating.frame import Frame
from tbpy.templating.values import SqlText, escape, is_missing


def _escape_name(text: str) -> str:
    """A double quote is dropped: an escaped one would still end an identifier that is quoted with it."""
    return escape(text.replace('"', ""))


def _quoted(name: str) -> str:
    return ".".join([f"`{_escape_name(part)}`" for part in name.split(".")])


def column(frame: Frame, name: Any, default: Any = None) -> SqlText:
    given = default if is_missing(name) else name
    if is_missing(given):
        raise TemplateError("Missing column() default value, use `column(column_name, 'default_column_name')`")
    return SqlText(_quoted(str(given)))


def columns(frame: Frame, names: Any, default: Any = None, fn: Any = None) -> SqlText:
    """Comma-separated names, quoted; with `fn` each is `fn(name) as name`, where the alias stands unquoted."""
    given = default if is_missing(names) else names
    if is_missing(given):
        raise TemplateError("Missing columns() default value, use `columns(column_names, 'default_column_name')`")
    if not isinstance(given, str):
        raise TemplateError("The 'columns' function expects a String not an Array")
    stripped = [name.strip() for name in given.split(",")]
    if fn is None:
        return SqlText(",".join([_quoted(name) for name in stripped]))
    return SqlText(",".join([f"{fn}({_quoted(name)}) as {name}" for name in stripped]))


def symbol(frame: Frame, name: Any, quote: Any = "`") -> SqlText:
    if name is None:
        raise TemplateError("symbol() needs a value: its parameter is not defined")
    return SqlText(f"{quote}{_escape_name(str(name))}{quote}")


def table(frame: Frame, name: Any) -> SqlText:
    """The name unquoted: whoever runs the SQL resolves it against the tables it knows."""
    if name is None:
        raise TemplateError("TABLE() needs a value: its parameter is not defined")
    return SqlText(_escape_name(str(name)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "column": column,
    "columns": columns,
    "symbol": symbol,
    "TABLE": table,
    "table": table,
}
