"""The rows of a query in the form that was asked for: a table for people, or one of ClickHouse's formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from tbpy.cli.output import Body, Printed, Table
from tbpy.cli.trouble import counted, talk

if TYPE_CHECKING:
    from tbpy.client.asking import Question
    from tbpy.client.remote import RemoteResult
    from tbpy.engines import QueryResult

TABLE = "table"
PARQUET = "Parquet"
NULL = "ᴺᵁᴸᴸ"  # as ClickHouse prints it
SHOWN_ROWS = 100  # as `tb sql` does
# Short names, in small letters; `CSV` and the like are ClickHouse's own names, and have no header.
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


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of text: what people see of a result."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Written:
    """A result that went to a file."""

    output: Path
    bytes: int


def wanted(
    format: str | None,
    *,
    as_json: bool = False,
    clause: str | None = None,
    output: Path | None = None,
    limit: int | None = None,
    stats: bool = False,
) -> Wanted:
    """What the options say, the strongest first: `--json`, `--format`, the query's own FORMAT, the ending of a file.

    `limit` None is the usual number of rows, and all of them in files; 0 is all. Raises `QueryError` for a format that
    does not exist.
    """
    from tbpy.clickhouse.formats import find_format

    ending = NAMES.get(output.suffix.removeprefix("."), "JSONEachRow") if output else TABLE
    named = NAMES.get(format, format) if format else None
    name = "JSON" if as_json else named or clause or ending
    form = name if name == TABLE else find_format(name).name
    if limit is None and output is None and form != PARQUET:
        limit = SHOWN_ROWS
    return Wanted(form, limit or None, stats, output)


def answer(result: QueryResult | RemoteResult | Question, how: Wanted) -> Body | Rows | Written:
    """The rows of `result` as `how` says. A note tells when there were more rows than the limit."""
    if hasattr(result, "document"):  # the rows are still to be asked for, of a server that writes formats itself
        return answer_of_server(cast("Question", result), how)
    return answer_here(result, how)


def answer_here(result: QueryResult | RemoteResult, how: Wanted) -> Body | Rows | Written:
    rows, more = limited(result, how.limit)
    if how.format == TABLE and how.output is None:
        shown: Body | Rows | Written = table(result.columns, rows)
    else:
        shown = formatted(result, rows, how)
    if more:
        tell_limit(how)
    if how.stats:
        tell_statistics(result.statistics.elapsed, result.statistics.rows_read)
    return shown


def answer_of_server(question: Question, how: Wanted) -> Body | Rows | Written:
    if how.output is not None:
        return Written(how.output, question.write(how.output, how.format))
    if how.format != TABLE:
        return Body(question.text(how.format))
    found = question.document(None if how.limit is None else how.limit + 1)
    rows = found.rows if how.limit is None else found.rows[: how.limit]
    if len(rows) < len(found.rows):
        tell_limit(how)
    if how.stats:
        tell_statistics(found.elapsed, found.rows_read)
    numbers = frozenset(name for name, type_ in found.columns if is_number(type_))
    return Rows(tuple(name for name, _ in found.columns), tuple(tuple(map(printed, row)) for row in rows), numbers)


def printed(value: object) -> str:
    """A value of JSON for people."""
    if value is None:
        return NULL
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tell_limit(how: Wanted) -> None:
    talk(f"Only the first {counted(how.limit or 0, 'row')} are shown; --rows-limit 0 shows all.")


def limited(result: QueryResult | RemoteResult, limit: int | None) -> tuple[list[Any], bool]:
    """At most `limit` rows, and whether there were more; the rest is not fetched."""
    if limit is None:
        return result.rows, False
    rows = list(islice(iter(result), limit + 1))
    if len(rows) > limit:
        result.close()
    return rows[:limit], len(rows) > limit


def formatted(result: QueryResult | RemoteResult, rows: list[Any], how: Wanted) -> Body | Written:
    from tbpy.clickhouse.formats import Statistics, write

    statistics = result.statistics
    chunks = write(
        how.format,
        result.columns,
        rows,
        statistics=Statistics(
            statistics.elapsed, statistics.rows_read, statistics.bytes_read, statistics.rows_before_limit_at_least
        ),
        rows_before_limit_at_least=result.rows_before_limit_at_least,
        totals=result.totals,
    )
    if how.output is None:
        return Body(b"".join(chunks))
    with how.output.open("wb") as file:
        written = sum(file.write(chunk) for chunk in chunks)
    return Written(how.output, written)


def parquet(write: Callable[[Path], None], how: Wanted) -> Body | Written:
    """Parquet, which `write` writes to a path: the engine does that, row by row would take too long."""
    if how.output is not None:
        write(how.output)
        return Written(how.output, how.output.stat().st_size)
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="tbpy-") as folder:
        path = Path(folder) / "answer.parquet"
        write(path)
        return Body(path.read_bytes())


def table(columns: tuple[Any, ...], rows: list[Any]) -> Rows:
    """Values as ClickHouse prints them; NULL is its sign for it, so that it differs from a text."""
    from tbpy.clickhouse.formats import write

    lines = b"".join(write("JSONCompactStringsEachRow", columns, rows)).splitlines()
    names = tuple(column.name for column in columns)
    numbers = frozenset(column.name for column in columns if is_number(str(column.type)))
    return Rows(names, tuple(tuple(json.loads(line)) for line in lines), numbers)


def is_number(type_name: str) -> bool:
    return type_name.removeprefix("Nullable(").startswith(NUMBERS)


def print_answer(shown: Rows | Written) -> Iterator[Printed]:
    if isinstance(shown, Written):
        yield f"Wrote {shown.output} ({shown.bytes:,} bytes)"
    elif shown.rows:
        yield Table(shown.columns, shown.rows, shown.numbers)
    else:
        yield f"No rows ({', '.join(shown.columns)})"


def tell_statistics(elapsed: float, rows_read: int) -> None:
    talk(f"{elapsed:.3f} s, {counted(rows_read, 'row')} read")
