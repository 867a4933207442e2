"""`tbpy query` and its alias `tbpy sql`."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tbpy.cli import session
from tbpy.cli.answering import (
    PARQUET,
    FormatOption,
    NowOption,
    OutputOption,
    Rows,
    StatsOption,
    Written,
    answer,
    parquet,
    print_answer,
    wanted,
)
from tbpy.cli.command import AsJson, answers
from tbpy.cli.output import Body
from tbpy.cli.trouble import point_into
from tbpy.errors import QueryError, UsageError


@answers(print_answer)
def query(
    context: typer.Context,
    sql: Annotated[str | None, typer.Argument(help="ClickHouse SQL; else it is read from standard input.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Read the query from this file.")] = None,
    format: FormatOption = None,
    rows_limit: Annotated[
        int | None, typer.Option("--rows-limit", min=0, help="Rows to answer: 100, or all in a file; 0 is all.")
    ] = None,
    stats: StatsOption = False,
    output: OutputOption = None,
    now: NowOption = None,
    as_json: AsJson = False,
) -> Body | Rows | Written:
    """Answer SQL over data sources, pipes and nodes."""
    text = statement(sql, file)
    with session.open_workspace(context, now=now) as workspace:
        try:
            clause = format_clause(text)
            how = wanted(format, as_json=as_json, clause=clause, output=output, limit=rows_limit, stats=stats)
            if how.format == PARQUET:
                return parquet(partial(workspace.write_parquet, sql=first_rows(text, how.limit)), how)
            return answer(workspace.query(text), how)
        except QueryError as error:
            point_into(error, text)
            raise


def statement(sql: str | None, file: Path | None) -> str:
    """The query from the argument, the file or standard input. Raises `UsageError` when none has it."""
    if sql is not None and file is not None:
        raise UsageError("a query was given twice: as an argument and by --file")
    if file is not None:
        if not file.is_file():
            raise UsageError(f"no such file: {file}")
        sql = file.read_text(encoding="utf-8")
    elif sql is None and not sys.stdin.isatty():
        sql = sys.stdin.read()
    if sql is None or not sql.strip():
        raise UsageError("no query", hint='tbpy query "SELECT count() FROM ..."')
    return sql


def first_rows(sql: str, limit: int | None) -> str:
    """A query for the first rows of another. A template is taken as text: it is no SQL before it is rendered."""
    if limit is None:
        return sql
    from tbpy.clickhouse.formatter import format_query
    from tbpy.clickhouse.parser import parse_statement

    text = sql.strip()
    inner = None if text.startswith("%") else parse_statement(text).query
    mark, inside = ("%", text[1:]) if inner is None else ("", format_query(inner))
    return f"{mark}SELECT * FROM (\n{inside}\n) LIMIT {limit}"


def format_clause(sql: str) -> str | None:
    """The format that the query itself asks for at its end. A template is no SQL yet, so it has none."""
    if sql.lstrip().startswith("%"):
        return None
    from tbpy.clickhouse.parser import parse_statement

    return parse_statement(sql).format
