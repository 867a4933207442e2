"""Copy pipes: the answer of a query, written to a data source now and then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from tbpy.clickhouse.compiler import CompiledQuery, compile_query
from tbpy.clickhouse.quoting import duckdb_name
from tbpy.datafiles import Node, Pipe
from tbpy.engines import Session
from tbpy.errors import NotFoundError, UsageError
from tbpy.project import Project
from tbpy.templating import compile_template
from tbpy.workspace import catalogue, jobs
from tbpy.workspace.catalogue import Catalogue
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.flowing import empty_nulls, flow, last_row, reached
from tbpy.workspace.infos import CopyInfo
from tbpy.workspace.materializing import Insertion, insertion
from tbpy.workspace.replacing import refill_targets, remove_rows
from tbpy.workspace.schedules import ON_DEMAND, parse_schedule
from tbpy.workspace.scopes import Scope
from tbpy.workspace.suggesting import did_you_mean

MODES = ("append", "replace")
_SHOWN_RUNS = 3
_MADE = "tbpy_copied"


def find_copy(project: Project, name: str) -> tuple[Pipe, Node, str]:
    """The pipe, its copy node, and the data source that it writes to. Raises `NotFoundError` for what is no copy."""
    pipe = project.pipes.get(name)
    if pipe is None:
        known = [other.name for other in project.pipes.values() if other.type == "copy"]
        raise NotFoundError(f"There is no copy pipe {name}", hint=did_you_mean(name, known))
    node = pipe.typed_node
    if node is None or node.type != "copy" or node.target is None:
        what = f"its type is {node.type}" if node is not None else "none of its nodes has TYPE copy"
        raise NotFoundError(f"The pipe {name} is not a copy: {what}")
    return pipe, node, node.target.value


def copy_mode(node: Node, wanted: str | None) -> str:
    """Raises `UsageError` for a mode that there is not."""
    mode = (wanted or node.mode or "append").lower()
    if mode not in MODES:
        raise UsageError(f"Unknown copy mode {mode}", hint="a copy appends or replaces: append, replace")
    return mode


def compile_copy(
    project: Project, stored: Catalogue, pipe: Pipe, node: Node, parameters: Mapping[str, Any], moment: datetime
) -> CompiledQuery:
    """Raises `TemplateError` for missing and wrong parameters, `QueryError` for what cannot be computed."""

    def render(_: Pipe, other: Node) -> str:
        if not other.sql.is_template:
            return other.sql.text
        template = compile_template(other.sql.template, name=other.name)
        return template.render(parameters, secrets=project.secrets, now=moment).sql

    scope = Scope(project, stored.datasources, render)
    return compile_query(render(pipe, node), scope.catalog(pipe, node), parameters=project.secrets)


def compute_copy(session: Session, compiled: CompiledQuery, target: StoredDatasource, moment: datetime) -> Insertion:
    """Keeps the answer as the rows of the target that it will be, in a temporary table of the session."""
    made = insertion(compiled, target)
    session.register(compiled.functions)
    parameters = {"now": moment} if made.uses_now else None
    session.execute(f"CREATE OR REPLACE TEMP TABLE {_MADE} AS {made.sql}", parameters)
    return made


def write_copy(
    session: Session,
    stored: Catalogue,
    made: Insertion,
    target: StoredDatasource,
    moment: datetime,
    *,
    replaces: bool,
    landed: Callable[[Session, str, int], None],
    journaled: Collection[str],
) -> int:
    """Appends what was computed in this session to the target, or puts it in place of its rows; what is materialized
    from it follows.

    `landed` is told the target and the row number below those of the new rows; `journaled` is as in `flow`. Answers
    how many rows that were.
    """
    if replaces:
        remove_rows(session, target, None, moment)
    before = last_row(session, target)
    columns = ", ".join(map(duckdb_name, made.columns))
    rows = int(session.value(f"INSERT INTO {target.table} ({columns}) SELECT * FROM temp.{_MADE}"))
    session.execute(f"DROP TABLE temp.{_MADE}")
    landed(session, target.name, before)
    if replaces:
        catalogue.write_sorted_rows(session, target.name, 0)
        refill_targets(session, stored.materializations, stored.datasources, (target.name,), moment)
    elif rows:
        flow(session, stored.materializations, stored.datasources, target.name, before, moment, journaled)
    empty_nulls(session, stored.datasources, reached(stored.materializations, target.name))
    return rows


def copy_infos(session: Session, project: Project, moment: datetime) -> tuple[CopyInfo, ...]:
    """The copy pipes in order of their names, with their next runs and the last one."""
    paused, found = catalogue.paused_pipes(session), []
    for name, pipe in sorted(project.pipes.items()):
        if pipe.type != "copy":
            continue
        _, node, target = find_copy(project, name)
        schedule = parse_schedule(node.schedule or ON_DEMAND)
        next_runs = schedule.next_runs(moment, _SHOWN_RUNS) if schedule and name not in paused else ()
        last = next(iter(jobs.read(session, pipe=name, limit=1)), None)
        mode = (node.mode or "append").lower()
        found.append(CopyInfo(name, target, mode, node.schedule or ON_DEMAND, name in paused, next_runs, last))
    return tuple(found)


def due_copies(session: Session, project: Project, after: datetime, until: datetime) -> tuple[str, ...]:
    """The copies whose schedule has a run later than `after` and not later than `until`: once each, however many."""
    infos = copy_infos(session, project, after)
    return tuple(info.name for info in infos if info.next_runs and info.next_runs[0] <= until)
