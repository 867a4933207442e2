"""What a workspace answers: SQL and endpoints over what is stored, and what there is to ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from tbpy.engines import QueryResult
from tbpy.workspace.state import State, naive

if TYPE_CHECKING:
    from tbpy.clickhouse.compiler import CompiledQuery
    from tbpy.engines.duckdb import OnStart
    from tbpy.project import Project
    from tbpy.workspace.catalogue import Catalogue
    from tbpy.workspace.infos import (
        DatasourceInfo,
        EndpointInfo,
        Explanation,
        MaterializationInfo,
        PipeInfo,
        QuarantineInfo,
    )
    from tbpy.workspace.plans import Plans
    from tbpy.workspace.querying import Request


class Questions(State):
    """The part of a workspace that reads. Plans of requests are kept as long as project and storage stay the same."""

    _plans: tuple[object, object, Plans] | None = None

    def query(
        self,
        sql: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        time_limit: float | None = None,
        now: datetime | None = None,
        on_start: OnStart | None = None,
        filters: Mapping[str, str] | None = None,
    ) -> QueryResult:
        """Answers ClickHouse SQL over data sources, quarantines, pipes and nodes. `time_limit` in seconds.

        `now` is what `now()` answers, the clock's time unless given; `on_start` gets a function that stops the query.
        `filters` are conditions, as SQL, by the name of what has only the rows for which they hold, where `sql` itself
        names it.
        """
        request = self._request(parameters, now, filters)
        compiled = request.compile_sql(sql)
        return self._answer(compiled, request, time_limit, on_start)

    def endpoint(
        self,
        name: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        sql: str | None = None,
        time_limit: float | None = None,
        now: datetime | None = None,
        on_start: OnStart | None = None,
        filters: Mapping[str, str] | None = None,
    ) -> QueryResult:
        """What an endpoint answers to these parameters, or with `sql` a query over that, where it is called `_`.

        Raises `NotFoundError` for what is no endpoint, `TemplateError` for missing and wrong parameters.
        """
        request = self._request(parameters, now, filters)
        compiled = request.compile_endpoint(name, sql)
        return self._answer(compiled, request, time_limit, on_start)

    def write_parquet(
        self,
        path: Path,
        *,
        sql: str | None = None,
        endpoint: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        time_limit: float | None = None,
        now: datetime | None = None,
        on_start: OnStart | None = None,
        filters: Mapping[str, str] | None = None,
    ) -> None:
        """Writes what `endpoint(endpoint, parameters, sql=sql)` answers, or `query(sql)` without an endpoint."""
        request = self._request(parameters, now, filters)
        compiled = request.compile_sql(sql or "") if endpoint is None else request.compile_endpoint(endpoint, sql)
        self.log.flush_for(compiled.tables)
        self._engine.write_parquet(compiled, path, now=request.now, time_limit=time_limit, on_start=on_start)

    def explain(
        self, pipe: str, parameters: Mapping[str, Any] | None = None, *, node: str | None = None
    ) -> Explanation:
        """How a node of a pipe is answered, its last one unless named. Raises `NotFoundError`."""
        from tbpy.workspace.infos import Explanation

        request = self._request(parameters)
        query, compiled = request.compile_node(pipe, node)
        return Explanation(dedent(query).strip(), self._engine.explain(compiled, now=request.now))

    def endpoints(self) -> tuple[EndpointInfo, ...]:
        from tbpy.workspace.querying import endpoint_infos

        return endpoint_infos(self.project)

    def pipes(self) -> tuple[PipeInfo, ...]:
        from tbpy.workspace.querying import pipe_infos

        return pipe_infos(self.project)

    def materializations(self) -> tuple[MaterializationInfo, ...]:
        """The materialized nodes, and why those that do not run do not."""
        from tbpy.workspace.materializing import materialization_infos

        return materialization_infos(self.project, self._catalogue.datasources, self._catalogue.materializations)

    def quarantine(self, name: str, sample: int = 5) -> QuarantineInfo:
        """What is in the quarantine of a data source, and why."""
        from tbpy.workspace.replaying import quarantine_info

        datasource = self._datasource(name)
        with self._engine.session() as session:
            return quarantine_info(session, datasource, sample)

    def datasources(self) -> tuple[DatasourceInfo, ...]:
        """The data sources that are built, in order of their names."""
        from tbpy.workspace.inspecting import datasource_info

        with self._engine.session() as session:
            return tuple(datasource_info(session, item) for _, item in sorted(self._catalogue.datasources.items()))

    def datasource_names(self) -> tuple[str, ...]:
        """Only the names, without a look at the tables; the same object as long as they are the same."""
        return self._catalogue.names

    def _answer(
        self, compiled: CompiledQuery, request: Request, time_limit: float | None, on_start: OnStart | None
    ) -> QueryResult:
        from tbpy.workspace.scanning import scans_of

        self.log.flush_for(compiled.tables)
        return self._engine.query(
            compiled,
            now=request.now,
            time_limit=time_limit,
            on_start=on_start,
            scans=scans_of(compiled.tables, request.stored),
        )

    def _request(
        self,
        parameters: Mapping[str, Any] | None,
        now: datetime | None = None,
        filters: Mapping[str, str] | None = None,
    ) -> Request:
        from tbpy.workspace.querying import Request

        moment = self.now() if now is None else naive(now)
        project, stored = self._built_now()
        plans = self._plans_of(project, stored)
        return Request(
            project, stored.datasources, moment, parameters or {}, plans, filters or {}, self._engine.same_plan
        )

    def _plans_of(self, project: Project, stored: Catalogue) -> Plans:
        """The plans of this project over this storage; a build or another deployment begins anew."""
        known = self._plans
        if known is None or known[0] is not project or known[1] is not stored.datasources:
            from tbpy.workspace.plans import Plans

            known = self._plans = (project, stored.datasources, Plans())
        return known[2]
