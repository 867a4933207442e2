"""`tbpy datasource ls | data | append | replace | truncate | delete | quarantine | replay | sync`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import data as appending
from tbpy.cli import session
from tbpy.cli.answering import FormatOption, Rows, Written, answer, print_answer, wanted
from tbpy.cli.appended import print_quarantined
from tbpy.cli.asking import Yes, sure
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Body, Printed, Table
from tbpy.cli.trouble import counted

if TYPE_CHECKING:
    from tbpy.cli.session import AnyWorkspace
    from tbpy.workspace import AppendReport, DatasourceInfo, QuarantineInfo, ReplayReport

app = group("Data sources: what is stored.")
app.command("append", help="The same as `tbpy append`.")(appending.append)

Name = Annotated[str, typer.Argument(help="The data source.")]


def print_datasources(datasources: Sequence[DatasourceInfo]) -> Iterator[Printed]:
    if not datasources:
        yield "No data sources"
        return
    columns = ("name", "rows", "quarantined", "size")
    rows = [(d.name, f"{d.rows:,}", f"{d.quarantined:,}", size(d.bytes)) for d in datasources]
    yield Table(columns, rows, frozenset(("rows", "quarantined", "size")))


def size(count: float) -> str:
    """`12.5 MB`: bytes in units of 1000, as file managers show them."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


@app.command("ls")
@answers(print_datasources)
def ls(context: typer.Context, as_json: AsJson = False) -> Sequence[DatasourceInfo]:
    """List the data sources with their rows and quarantined rows."""
    with session.open_workspace(context) as workspace:
        return workspace.datasources()


@app.command("data")
@answers(print_answer)
def data(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many rows.")] = 5,
    format: FormatOption = None,
    as_json: AsJson = False,
) -> Body | Rows | Written:
    """Show some rows of a data source."""
    from tbpy.clickhouse.quoting import quote_identifier

    with session.open_workspace(context) as workspace:
        result = workspace.query(f"SELECT * FROM {quote_identifier(name)} LIMIT {limit}")
        return answer(result, wanted(format, as_json=as_json, limit=0))


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows that a command took away, or would have with `dry_run`."""

    datasource: str
    rows: int
    dry_run: bool = False


def print_removed(removed: Removed) -> Iterator[Printed]:
    told = "would be removed" if removed.dry_run else "removed"
    yield f"✓ {counted(removed.rows, 'row')} {told} from {removed.datasource}"


@app.command("truncate")
@answers(print_removed)
def truncate(context: typer.Context, name: Name, yes: Yes = False, as_json: AsJson = False) -> Removed:
    """Remove all rows of a data source."""
    with session.open_workspace(context, changes=True) as workspace:
        sure(f"Remove all rows of {name}?", yes)
        return Removed(name, workspace.truncate(name))


@app.command("delete")
@answers(print_removed)
def delete(
    context: typer.Context,
    name: Name,
    sql_condition: Annotated[str, typer.Option("--sql-condition", help="Which rows, in ClickHouse SQL.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell how many rows that would be.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> Removed:
    """Remove the rows for which a condition holds."""
    with session.open_workspace(context, changes=not dry_run) as workspace:
        if dry_run:
            return Removed(name, count_rows(workspace, name, sql_condition), dry_run=True)
        sure(f"Remove the rows of {name} where {sql_condition}?", yes)
        return Removed(name, workspace.delete(name, sql_condition))


def print_replaced(report: AppendReport) -> Iterator[Printed]:
    yield f"✓ {report.datasource} has {counted(report.rows, 'row')} of {', '.join(report.files)} in place of others"
    yield from print_quarantined(report)


@app.command("replace")
@answers(print_replaced)
def replace(
    context: typer.Context,
    name: Name,
    file: Annotated[str, typer.Argument(help="A file, a quoted pattern, a URL, or - for standard input.")],
    where: Annotated[
        str | None, typer.Option("--where", help="Replace only the rows for which this ClickHouse SQL is true.")
    ] = None,
    format: Annotated[
        str | None, typer.Option("--format", "-f", help="ndjson, csv or parquet, when the name does not tell.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> AppendReport:
    """Store the rows of a file in place of those that are there; views of them are made anew."""
    with session.open_workspace(context, changes=True) as workspace:
        sure(f"Replace {'the rows' if where is None else f'the rows where {where}'} of {name}?", yes)
        return workspace.replace(name, file, format, condition=where)


def print_quarantine(info: QuarantineInfo) -> Iterator[Printed]:
    if not info.rows:
        yield f"✓ Nothing of {info.datasource} is in quarantine"
        return
    yield f"{counted(info.rows, 'row')} of {info.datasource} in quarantine:"
    causes = [(cause.column or "(the whole line)", f"{cause.rows:,}", cause.example) for cause in info.causes]
    yield Table(("column", "rows", "for example"), causes, frozenset(("rows",)))
    if info.sample:
        yield "The newest:"
    for row in info.sample:
        yield f"  {row.moment:%Y-%m-%d %H:%M:%S}  {row.line if row.line is not None else _cells(row.values)}"


def _cells(values: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items() if value is not None)


@app.command("quarantine")
@answers(print_quarantine)
def quarantine(
    context: typer.Context,
    name: Name,
    limit: Annotated[int, typer.Option("--limit", min=0, help="How many rows to show.")] = 5,
    as_json: AsJson = False,
) -> QuarantineInfo:
    """Show why rows are in quarantine, column by column, and the newest of them."""
    with session.open_workspace(context) as workspace:
        return workspace.quarantine(name, limit)


def print_replayed(report: ReplayReport) -> Iterator[Printed]:
    yield f"✓ {counted(report.rows, 'row')} left the quarantine of {report.datasource} in {report.elapsed:.1f}s"
    if report.quarantined:
        yield f"△ {counted(report.quarantined, 'row')} still {'does' if report.quarantined == 1 else 'do'} not fit"


@app.command("replay")
@answers(print_replayed)
def replay(context: typer.Context, name: Name, as_json: AsJson = False) -> ReplayReport:
    """Judge quarantined rows again, by the schema of now; those that fit are stored."""
    with session.open_workspace(context, changes=True) as workspace:
        return workspace.replay(name)


def count_rows(workspace: AnyWorkspace, name: str, condition: str) -> int:
    from tbpy.clickhouse.quoting import quote_identifier

    result = workspace.query(f"SELECT count() FROM {quote_identifier(name)} WHERE {condition}")
    return int(result.rows[0][0])


@app.command("sync")
def sync(context: typer.Context, name: Name) -> None:
    """Import from the connector of a data source, which tbpy does not do yet."""
    from tbpy.errors import NotFoundError, TbpyError, UsageError
    from tbpy.project import source_that_waits

    datasource = session.load(context).datasources.get(name)
    if datasource is None:
        raise NotFoundError(f"There is no data source {name}")
    waits = source_that_waits(datasource)
    if waits is None:
        raise UsageError(f"{name} has no connector to import from", hint=f"tbpy append {name} FILE adds rows of files")
    raise TbpyError(waits, hint=f"tbpy append {name} FILE adds rows of files")
