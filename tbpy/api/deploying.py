"""From datafiles that were sent to a deployment, or to the reasons why there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

from tbpy.api.service import Service
from tbpy.api.token_changes import token_changes
from tbpy.api.uploads import same_files
from tbpy.datafiles import Kind
from tbpy.errors import ConflictError, Diagnostic, DiagnosticsError, Severity, UsageError
from tbpy.project import Key, Project, Resource, find_datafiles, load_project
from tbpy.workspace import BuildReport, Deployment
from tbpy.workspace.deployments.folders import write_datafiles

_CONNECTORS = {Kind.DATASOURCE: "datasource", Kind.PIPE: "pipe", Kind.CONNECTION: "data_connector"}
# Another deployment is waited for so long, and so long one whose data is moved, in seconds.
_PATIENCE = 30.0
_MOVING = 10.0


class DestructiveError(DiagnosticsError):
    """A deployment that would lose data, without the permission to."""


class _UnchangedError(Exception):
    """Takes back what was only to be looked at, or changes nothing."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a deployment did, or would do: `deployment` is None when there is none, for nothing changed or by wish."""

    details: Mapping[str, Any]
    changed: bool
    deployment: Deployment | None


@dataclass
class Deploying:
    """One deployment of `files` (datafiles by path). Without `destructive` nothing may be lost."""

    service: Service
    files: Mapping[str, str]
    destructive: bool = True
    notes: list[dict[str, str]] = field(default_factory=list)
    details: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = False

    def check(self) -> Outcome:
        """Changes nothing. Raises what `deploy` raises."""
        with self._project() as project, self._alone(0):
            self.project = project
            self.judge(self.service.workspace.check_deployment(project))
        return Outcome(self.details, self.changed, None)

    def build(self) -> Outcome:
        """In place: a developer's workspace has one state. Raises what `deploy` raises."""
        service, own = self.service, self._is_own()
        with self._alone(_PATIENCE), self._own_project() if own else self._project() as project:
            self.project = project
            self.notes = [] if own else _notes(service)
            try:
                service.take_in(project, accept=self._accept, files=None if own else self.files)
            except _UnchangedError:
                return Outcome(self.details, False, None)
        return Outcome(self.details, True, service.workspace.live)

    def deploy(self, *, promote: bool) -> Outcome:
        """Makes a staging deployment, and with `promote` makes it live.

        Answers when that is done, or when moving data takes long: it goes on then. Mistakes in the files raise
        `DiagnosticsError`, losses `DestructiveError`; one deployment at a time, another one meanwhile raises
        `ConflictError`.
        """
        if self.service.is_worked_in and self.service.workspace.has_fixtures:
            message = "Fixtures are loaded, which a build in place keeps apart from other rows"
            raise ConflictError(f"A staging deployment cannot stand beside this workspace. {message}")
        ended, began, failed = Event(), list[Deployment](), list[BaseException]()

        def work() -> None:
            try:
                self._deploy(began.append, promote)
            except BaseException as error:
                failed.append(error)
            finally:
                ended.set()

        self.service.deployer.submit(work)
        while not ended.wait(_MOVING) and not began:
            pass
        if failed and not isinstance(failed[0], _UnchangedError):
            raise failed[0]
        if failed:
            return Outcome(self.details, False, None)
        return Outcome(self.details, True, self.service.workspace.find_deployment(began[0].id))

    def _deploy(self, begun: Callable[[Deployment], None], promote: bool) -> None:
        workspace = self.service.workspace
        with self._alone(_PATIENCE), self._project() as project:
            self.project = project
            made = workspace.deploy(project, self.files, self._judge_change, begun=begun)
            if promote:
                self.service.promote(made.id)

    def judge(self, report: BuildReport) -> Mapping[str, Any]:
        """The details of what was, or will be, done; they are known also when it raises `DestructiveError`."""
        before = self.service.workspace.project
        changes = token_changes(before, self.project)
        report = with_told(report, before, self.project)
        self.changed = bool(report or changes)
        shown = describe(report, self.project)
        self.details = {**shown, "token_changes": changes, "feedback": [*self.notes, *feedback(report)]}
        if not self.destructive:
            refuse_losses(report, self.project)
        return self.details

    def _judge_change(self, report: BuildReport) -> Mapping[str, Any]:
        found = self.judge(report)
        if not self.changed:
            raise _UnchangedError
        return found

    _accept = _judge_change

    @contextmanager
    def _alone(self, patience: float) -> Iterator[None]:
        """Raises `ConflictError` while another one is made."""
        if not self.service.deploying.acquire(timeout=patience):
            raise ConflictError("A deployment is already in progress")
        try:
            yield
        finally:
            self.service.deploying.release()

    @contextmanager
    def _project(self) -> Iterator[Project]:
        if not self.files:
            raise UsageError("There are no datafiles in the request")
        with TemporaryDirectory(prefix="tbpy-deploy-") as folder:
            write_datafiles(Path(folder), self.files)
            yield load_project(Path(folder), secrets=self.service.secrets)

    @contextmanager
    def _own_project(self) -> Iterator[Project]:
        yield load_project(self.service.own_folder, secrets=self.service.secrets)

    def _is_own(self) -> bool:
        """Whether the files are those of the folder that this server has its project from."""
        own = {found.file for found in find_datafiles(self.service.own_folder) if found.workspace is None}
        sent = {name for name in self.files if not name.startswith("vendor/")}
        return bool(sent) and own == sent and same_files(self.service.own_folder, self.files)


def _notes(service: Service) -> list[dict[str, str]]:
    if not service.is_worked_in:
        return []
    message = (
        "Built as it was sent. The files of the folder that is served are others: they are built again as soon as "
        "one of them changes."
    )
    return [_feedback("project", "WARNING", message)]


def with_told(report: BuildReport, before: Project, after: Project) -> BuildReport:
    """Resources that only say something else of themselves - descriptions, tags, tokens - are changed, too."""
    known = {*report.added, *report.changed}
    told = [
        str(key)
        for key, resource in after.resources.items()
        if str(key) not in known and key in before.resources and _told(before.resources[key]) != _told(resource)
    ]
    return replace(report, changed=(*report.changed, *told))


def _told(resource: Resource) -> tuple[object, ...]:
    content = resource.content
    nodes = [node.description for node in getattr(content, "nodes", ())]
    tokens = [(found.name, found.permission) for found in getattr(content, "tokens", ())]
    return (content.description, getattr(content, "tags", None), tokens, nodes)


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
            file=project.all_datasources[found.datasource].file,
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
    """Warnings of a build, what is lost by it, and what it does to the rows that are there."""
    told = [_feedback(found.file or "project", "WARNING", explain(found)) for found in report.warnings]
    for name, rows in report.dropped_rows.items():
        told.append(_feedback(f"Datasource {name}.datasource", "WARNING", f"Removed with its {rows} rows"))
    for found in report.migrated:
        resource = f"Datasource {found.datasource}.datasource"
        told.append(_feedback(resource, "INFO", f"{found.kept} rows are carried over to the new schema"))
        if found.quarantined:
            told.append(_feedback(resource, "WARNING", f"{found.quarantined} rows do not fit and go to quarantine"))
        if found.dropped_columns and (found.kept or found.quarantined):
            columns = ", ".join(found.dropped_columns)
            told.append(_feedback(resource, "WARNING", f"What is in the columns {columns} is lost"))
    told += [
        _feedback(f"Datasource {name}.datasource", "INFO", "Filled anew by its materialized nodes")
        for name in report.populated
        if f"{Kind.DATASOURCE}:{name}" not in report.added
    ]
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
        if found.kept and project.all_datasources[found.datasource].forward_query is not None
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
