"""From datafiles that were sent to a live deployment, or to the reasons why there is none.

What is built, what is refused and what is only looked at is decided inside the build's transaction, on what it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tbpy.api.deployments import Deployment
from tbpy.api.service import Service
from tbpy.api.uploads import same_files
from tbpy.datafiles import Kind
from tbpy.errors import ConflictError, Diagnostic, DiagnosticsError, Severity, UsageError
from tbpy.project import Key, Project, find_datafiles, load_project
from tbpy.workspace import BuildReport

_CONNECTORS = {Kind.DATASOURCE: "datasource", Kind.PIPE: "pipe", Kind.CONNECTION: "data_connector"}


class DestructiveError(DiagnosticsError):
    """A deployment that would lose data, without the permission to."""


class _CheckedError(Exception):
    """Takes back a build that was only to be looked at, or that changed nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deployment did, or would do: `deployment` is None when there is none, for nothing changed or by wish."""

    details: Mapping[str, Any]
    changed: bool
    deployment: Deployment | None


def deploy(service: Service, files: Mapping[str, str], *, check: bool = False, destructive: bool = True) -> Outcome:
    """Builds the datafiles `files` (text by path) and makes them the live deployment.

    With `check` everything is as it was afterwards. Without `destructive` a build that loses rows raises
    `DestructiveError`; mistakes in the files raise `DiagnosticsError`. One deployment at a time: another one meanwhile
    raises `ConflictError`.
    """
    if not files:
        raise UsageError("There are no datafiles in the request")
    if not service.deployments.deploying.acquire(timeout=0 if check else 30):
        raise ConflictError("A deployment is already in progress")
    try:
        return _Deploying(service, files, check, destructive).run()
    finally:
        service.deployments.tidy()
        service.deployments.deploying.release()


@dataclass
class _Deploying:
    service: Service
    files: Mapping[str, str]
    check: bool
    destructive: bool

    def run(self) -> Outcome:
        service, store = self.service, self.service.deployments
        elsewhere = self._is_elsewhere()
        root = store.receive(self.files) if elsewhere else service.own_folder
        self.project = load_project(root, secrets=service.secrets)
        self.notes = self._notes() if elsewhere else []
        self.found: Outcome | None = None
        before = store.live
        try:
            service.take_in(self.project, accept=self._accept)
        except _CheckedError:
            pass
        except BaseException:
            if store.live is not before:
                store.take_back(store.live, before)
            raise
        assert self.found is not None
        return self.found

    def _is_elsewhere(self) -> bool:
        """Whether the files are others than those of the folder that this server has its project from."""
        own = {found.file for found in find_datafiles(self.service.own_folder) if found.workspace is None}
        sent = {name for name in self.files if not name.startswith("vendor/")}
        return own != sent or not same_files(self.service.own_folder, self.files)

    def _notes(self) -> list[dict[str, str]]:
        if not (self.service.local and find_datafiles(self.service.own_folder)):
            return []
        message = (
            "Built as it was sent. The files of the folder that is served are others: they are built again as soon as "
            "one of them changes."
        )
        return [_feedback("project", "WARNING", message)]

    def _accept(self, report: BuildReport) -> None:
        if not self.destructive:
            refuse_losses(report, self.project)
        details = {**describe(report, self.project), "feedback": [*self.notes, *feedback(report)]}
        deployment = None
        if report and not self.check:
            deployment = self.service.deployments.promote(details)
        self.found = Outcome(details, bool(report), deployment)
        if self.check or not report:  # what answers now has its files elsewhere
            raise _CheckedError


def refuse_losses(report: BuildReport, project: Project) -> None:
    """Raises `DestructiveError` for data sources that go away, and for rows that do not fit their new schema."""
    lost = [
        Diagnostic(
            "destructive",
            f"Data source {name} would be removed with its {rows} rows. Allow it with --allow-destructive-operations.",
            file=f"{name}.datasource",
        )
        for name, rows in report.dropped_rows.items()
    ]
    lost += [
        Diagnostic(
            "destructive",
            f"{found.quarantined} rows do not fit the new schema and would go to quarantine. Say how they change with "
            "FORWARD_QUERY, or allow it with --allow-destructive-operations.",
            file=project.datasources[found.datasource].file,
        )
        for found in report.migrated
        if found.quarantined
    ]
    if lost:
        raise DestructiveError(tuple(lost))


def describe(report: BuildReport, project: Project) -> dict[str, Any]:
    """The lists of names that a build or deployment is told in."""
    shown: dict[str, Any] = {}
    for what, resources in (("new", report.added), ("changed", report.changed), ("deleted", report.removed)):
        for kind, word in _CONNECTORS.items():
            shown[f"{what}_{word}_names"] = _names(resources, kind)
    return {
        **shown,
        "disconnected_data_source_names": [],
        "new_data_connector_ids": [],
        "token_changes": [],
        "data_movements": _movements(report, project),
    }


def feedback(report: BuildReport) -> list[dict[str, str]]:
    """Warnings of a build, and what it did to the rows that were there."""
    told = [_feedback(found.file or "project", "WARNING", explain(found)) for found in report.warnings]
    for found in report.migrated:
        text = f"{found.kept} rows were carried over to the new schema"
        if found.quarantined:
            text += f", {found.quarantined} went to quarantine"
        if found.dropped_columns:
            text += f"; dropped columns: {', '.join(found.dropped_columns)}"
        told.append(_feedback(f"Datasource {found.datasource}.datasource", "INFO", text))
    return told


def failures(diagnostics: Iterable[Diagnostic]) -> list[dict[str, str]]:
    """The mistakes in datafiles, as clients show them."""
    errors = [found for found in diagnostics if found.severity is Severity.ERROR]
    return [{"filename": found.file or "project", "error": explain(found)} for found in errors]


def explain(found: Diagnostic) -> str:
    """The message with its place in the file and the hint."""
    place = f"{found.span.line}:{found.span.column}: " if found.span is not None else ""
    return f"{place}{found.message}" + (f"\n{found.hint}" if found.hint else "")


def _names(resources: Iterable[str], kind: Kind) -> list[str]:
    prefix = f"{kind}:"
    return [name.removeprefix(prefix) for name in resources if name.startswith(prefix)]


def _movements(report: BuildReport, project: Project) -> list[dict[str, Any]]:
    """Data sources whose rows were made anew, from what they were or by a materialized pipe of what was there."""
    forward = [
        {"datasource_name": found.datasource, "kind": "backfill_with_forward_query", "source_mv_name": None}
        for found in report.migrated
        if found.kept and project.datasources[found.datasource].forward_query is not None
    ]
    sources = {node.target.value: pipe.name for pipe in project.pipes.values() for node in pipe.nodes if node.target}
    filled = [
        {"datasource_name": name, "kind": "backfill_with_mv_queries", "source_mv_name": sources[name]}
        for name in report.populated
        if _reads_what_was_there(project, sources[name], report.added)
    ]
    return [*forward, *filled]


def _reads_what_was_there(project: Project, pipe: str, added: tuple[str, ...]) -> bool:
    needs = project.graph.dependencies(Key(Kind.PIPE, pipe))
    return any(key.kind is Kind.DATASOURCE and str(key) not in added for key in needs)


def _feedback(resource: str, level: str, message: str) -> dict[str, str]:
    return {"resource": resource, "level": level, "message": message}
