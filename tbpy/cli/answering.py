"""The rows of a query in the form that was asked for: a table for people, or one of ClickHouse's formats."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tbpy.cli.output import Body, Printed, Table
from tbpy.cli.trouble import counted, talk
from tbpy.errors import UsageError

if TYPE_CHECKING:
    from tbpy.engines import QueryResult

TABLE = "table"
NAMES = {
    "json": "JSON",
    "csv": "CSVWithNames",
    "tsv": "TabSeparatedWithNames",
    "ndjson": "JSONEachRow",
    "jsonl": "JSONEachRow",
    "parquet": "Parquet",
}
NUMBERS = ("Int", "UInt", "Float", "Decimal")

FormatOption = Annotated[
    str | None,
    typer.Option("--format", "-f", help="table, json, csv, ndjson, parquet, or an output format of ClickHouse."),
]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")]
StatsOption = Annotated[bool, typer.Option("--stats/--no-stats", help="Tell the time it took and the rows read.")]
NowOption = Annotated[str | None, typer.Option("--now", metavar="TIME", help="What now() and today() answer, in UTC.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an answer is to be given. `format` is `table` or a format of ClickHouse; `limit` None means all rows."""

    format: str
    limit: int | None = None
    stats: bool = False
    output: Path | None = None
