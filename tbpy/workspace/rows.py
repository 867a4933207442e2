"""Rows in and out of data sources: appended, replaced, deleted, replayed from quarantine, merged."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tbpy.engines import Interruption
from tbpy.errors import IngestError, QueryError
from tbpy.workspace import catalogue
from tbpy.workspace.deployments.keeping_up import KeepingUp
from tbpy.workspace.flowing import empty_nulls, first_of_transaction, reached
from tbpy.workspace.ingest.append import append_files
from tbpy.workspace.ingest.csv_dialect import FOUND_OUT, CsvStyle
from tbpy.workspace.ingest.insertion import Progress
from tbpy.workspace.ingest.quarantine import Import
from tbpy.workspace.ingest.report import AppendReport
from tbpy.workspace.ingest.sources import Format, open_inputs
from tbpy.workspace.reports import ReplayReport
from tbpy.workspace.suggesting import did_you_mean
from tbpy.workspace.targets import target_of


class Rows(KeepingUp):
    """The part of a workspace that changes rows, each change in one transaction with what is materialized from it."""

    def append(
        self,
        name: str,
        source: str | Path,
        format: str | Format | None = None,
        *,
        progress: Progress | None = None,
        style: CsvStyle = FOUND_OUT,
        import_id: str | None = None,
    ) -> AppendReport:
        """Stores the rows of a path, a pattern, an http(s) URL, or of standard input (`-`) in a data source.

        One transaction: rows, quarantine and materializations. `progress` is told the done part, 0 to 1; `style` is how
        CSV is written; `import_id` is a new one unless given. Raises `NotFoundError` for an unknown data source,
        `UsageError` and `IngestError` for what cannot be read at all.
        """
        self._datasource(name)
        kind = _format(format)
        started = time.perf_counter()
        moment = self.now()
        import_ = Import(import_id or uuid.uuid4().hex, moment)
        with (
            self.log.imported("append", name, source, import_.id) as done,
            open_inputs(source) as inputs,
            self._engine.transaction(self._catalogue.functions, appends=True) as session,
        ):
            datasource = self._datasource(name)  # as it is by now: nothing changes that within a transaction
            before = self._last_row(session, datasource)
            target = target_of(datasource, moment)
            try:
                report = append_files(
                    session, target, inputs, source, import_, kind=kind, progress=progress, style=style
                )
            except QueryError as error:
                raise IngestError(f"Cannot append {source}: {error.message}") from error
            if report.rows:
                self._flow(session, name, before, moment, report.rows)
            done.rows, done.quarantined = report.rows, report.quarantined
        self._grew((name,), report.rows)
        return replace(report, elapsed=time.perf_counter() - started)

    def replace(
        self,
        name: str,
        source: str | Path,
        format: str | Format | None = None,
        *,
        condition: str | None = None,
        style: CsvStyle = FOUND_OUT,
        import_id: str | None = None,
    ) -> AppendReport:
        """As `append`, in place of all rows, or of those for which `condition` (ClickHouse SQL) is true.

        What is materialized from the data source is made anew. When nothing can be read, nothing is changed.
        """
        from tbpy.workspace.deleting import compile_condition
        from tbpy.workspace.replacing import refill_targets, remove_rows

        self._datasource(name)
        self.log.flush_for_condition(condition)
        kind, moment, started = _format(format), self.now(), time.perf_counter()
        import_ = Import(import_id or uuid.uuid4().hex, moment)
        with (
            self.log.imported("replace", name, source, import_.id) as done,
            open_inputs(source) as inputs,
            self._taking_out(name, condition, refilled=True),
            self._engine.transaction(self._catalogue.functions) as session,
        ):
            datasource, stored, going = self._datasource(name), self._catalogue, None
            if condition is not None:
                going = compile_condition(self.project, stored.datasources, name, condition)
            remove_rows(session, datasource, going, moment)
            before = self._last_row(session, datasource)
            target = target_of(datasource, moment)
            try:
                report = append_files(session, target, inputs, source, import_, kind=kind, style=style)
            except QueryError as error:
                raise IngestError(f"Cannot append {source}: {error.message}") from error
            self._note(session, name, before)
            refill_targets(session, stored.materializations, stored.datasources, (name,), moment)
            empty_nulls(session, stored.datasources, reached(stored.materializations, name))
            catalogue.write_sorted_rows(session, name, 0)
            done.rows, done.quarantined = report.rows, report.quarantined
        self._refresh()
        return replace(report, elapsed=time.perf_counter() - started)

    def append_events(self, events: Mapping[str, Sequence[str]]) -> dict[str, frozenset[int]]:
        """Stores lines of NDJSON by data source, all in one transaction with their materializations.

        Answers the positions of the lines that went to quarantine. Raises `NotFoundError` for an unknown data source
        and `QueryError` when a materialized node fails; nothing is stored then.
        """
        from tbpy.workspace.ingest.events import store_events

        moment, started, quarantined = self.now(), time.perf_counter(), {}
        filled: set[str] = set()  # what has rows of this transaction already
        with self._engine.small_transaction(self._catalogue.functions) as session:
            for name, lines in events.items():
                datasource = self._datasource(name)
                before = self._last_row(session, datasource) if name in filled else first_of_transaction(session) - 1
                quarantined[name] = store_events(session, datasource, lines, moment)
                if len(quarantined[name]) < len(lines):
                    self._flow(session, name, before, moment, len(lines))
                    filled.update(reached(self._catalogue.materializations, name))
        elapsed = time.perf_counter() - started
        for name, lines in events.items():
            self.log.note_events(name, len(lines) - len(quarantined[name]), len(quarantined[name]), elapsed)
        self._grew(events, max(map(len, events.values()), default=0))
        return quarantined

    def replay(self, name: str) -> ReplayReport:
        """Judges quarantined rows by the schema of now; those that fit land as if they were appended."""
        from tbpy.workspace.replaying import replay

        moment, started = self.now(), time.perf_counter()
        self._datasource(name)
        with (
            self.log.operation("append", name, options={"source": "quarantine"}) as done,
            self._engine.writing(),
            self._letting_go_of_moved(name),
            self._engine.transaction(self._catalogue.functions, appends=True) as session,
        ):
            datasource = self._datasource(name)
            before = self._last_row(session, datasource)
            rows = done.rows = replay(session, datasource, moment)
            left = int(session.value(f"SELECT count(*) FROM {datasource.quarantine}"))
            if rows:
                self._flow(session, name, before, moment, rows)
        self._grew((name,), rows)
        return ReplayReport(name, rows, left, time.perf_counter() - started)

    def truncate(self, name: str) -> int:
        """Deletes all rows of a data source, or of a quarantine by its own name; answers how many there were."""
        self._table(name)
        with (
            self.log.operation("truncate", name) as done,
            self._taking_out(name),
            self._engine.transaction(self._catalogue.functions) as session,
        ):
            rows = done.removed = int(session.value(f"DELETE FROM {self._table(name)}"))
            catalogue.write_sorted_rows(session, name, 0)
        self._refresh()
        return rows

    def delete(self, name: str, condition: str, *, interruption: Interruption | None = None) -> int:
        """Deletes the rows for which `condition` (ClickHouse SQL) is true; answers how many.

        Raises `QueryError` for a condition that cannot be evaluated, and `WorkCancelledError` when `interruption`
        stops it: all rows are there then.
        """
        from tbpy.workspace.deleting import compile_condition

        self._datasource(name)
        self.log.flush_for_condition(condition)
        with (
            self.log.operation("delete", name, options={"delete_condition": condition}) as done,
            self._taking_out(name, condition),
            self._engine.transaction(self._catalogue.functions) as session,
        ):
            datasource = self._datasource(name)
            compiled = compile_condition(self.project, self._catalogue.datasources, name, condition)
            session.register(compiled.functions)
            parameters = {"now": self.now()} if compiled.uses_now else None
            with (interruption or Interruption()).over(session):
                rows = done.removed = int(
                    session.value(f"DELETE FROM {datasource.table} WHERE rowid IN ({compiled.sql})", parameters)
                )
            left = int(session.value(f"SELECT count(*) FROM {datasource.table}"))
            catalogue.write_sorted_rows(session, name, min(catalogue.sorted_rows(session, name), left))
        self._refresh()
        return rows

    def compact(self, name: str | None = None) -> int:
        """Sorts and merges a data source, or all, now and not when it is due; answers how many rows that took away.

        As ClickHouse's OPTIMIZE ... FINAL. Rows past their TTL go, too.
        """
        from tbpy.workspace.compacting import compact
        from tbpy.workspace.sorting import count_rows, expire_rows

        stored, taken = self._catalogue, 0
        for datasource in [self._datasource(name)] if name is not None else list(stored.datasources.values()):
            with self._engine.transaction((*datasource.functions, *datasource.merge_functions)) as session:
                before = count_rows(session, datasource)
                compact(session, datasource, stored.fixtures, always=True)
                if self.maintenance.expires and not stored.fixtures:
                    expire_rows(session, datasource, self.now())
                taken += before - count_rows(session, datasource)
        return taken


def _format(value: str | Format | None) -> Format | None:
    if value is None:
        return None
    try:
        return Format(str(value).lower())
    except ValueError:
        known = [item.value for item in Format]
        raise IngestError(f"Unknown format {value}", hint=did_you_mean(str(value), known)) from None
