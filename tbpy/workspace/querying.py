"""Queries over what a workspace has: SQL from outside, and endpoints with the parameters of a request."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from tbpy.clickhouse.compiler import Catalog, CompiledQuery, Table, View, compile_query
from tbpy.datafiles import Node, Pipe
from tbpy.errors import NotFoundError
from tbpy.project import NodeKey, Project
from tbpy.templating import Parameter, Template, compile_template
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.filtering import Filtered, filtered
from tbpy.workspace.infos import EndpointInfo, PipeInfo
from tbpy.workspace.open_plans import Opening
from tbpy.workspace.open_values import OpenValues
from tbpy.workspace.plans import Plan, Plans
from tbpy.workspace.scopes import Scope
from tbpy.workspace.suggesting import did_you_mean

# The name of an endpoint's result for SQL over it.
RESULT = "_"


@dataclass
class Request:
    """One query or call of an endpoint. `parameters` are values by name, as they came; `now` is naive UTC.

    `filters` are conditions by the name of the data source or pipe that only has the rows for which they hold. `agree`
    tells whether the engine does the same for two plans.
    """

    project: Project
    stored: Mapping[str, StoredDatasource]
    now: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict)
    plans: Plans = field(default_factory=Plans)
    filters: Mapping[str, str] = field(default_factory=dict)
    agree: Callable[[CompiledQuery, CompiledQuery], bool] = field(default=lambda one, other: one == other)
    _rendered: dict[NodeKey, str] = field(default_factory=dict)

    def compile_sql(self, sql: str) -> CompiledQuery:
        """SQL over data sources, pipes and their nodes; a template when it starts with `%`."""
        text = self._render_text(sql.lstrip()[1:], "query") if sql.lstrip().startswith("%") else sql
        return self._planned(("sql", text), lambda: self.compile_text(text, self._filtered(self._scope().catalog())))

    def compile_endpoint(self, name: str, sql: str | None = None) -> CompiledQuery:
        """What an endpoint answers, or with `sql` a query over it, in which its name or `_` stands for the answer.

        Raises `NotFoundError` for what is no endpoint.
        """
        pipe, node = find_endpoint(self.project, name)
        if sql is not None or name in self.filters:
            over = f"SELECT * FROM {RESULT}" if sql is None else sql
            return self._planned(("over", name, over), lambda: self._compile_over(NodeKey(pipe.name, node.name), over))
        values = OpenValues.of(self.parameters)
        shared = Opening(self, pipe, node).find(values) if values.values else None
        return shared or self.compile_rendered(pipe, node)

    def compile_rendered(self, pipe: Pipe, node: Node) -> CompiledQuery:
        """What an endpoint answers, with the values of this request as they are."""
        text = self._render(pipe, node)
        return self._planned(
            ("endpoint", pipe.name, text), lambda: self.compile_text(text, self._scope().catalog(pipe, node))
        )

    def compile_node(self, pipe_name: str, node_name: str | None = None) -> tuple[str, CompiledQuery]:
        """The SQL of a node, its template rendered, and what it is compiled to; of the output node unless named."""
        pipe = self.project.pipes.get(pipe_name)
        if pipe is None:
            raise NotFoundError(f"Pipe '{pipe_name}' not found")
        node = pipe.output_node if node_name is None else pipe.node(node_name)
        if node is None:
            raise NotFoundError(f"Node '{node_name}' not found")
        text = self._render(pipe, node)
        return text, self.compile_text(text, self._scope().catalog(pipe, node))

    def _compile_over(self, key: NodeKey, sql: str) -> CompiledQuery:
        scope = self._scope()
        catalog, answer = scope.catalog(), scope.view(key)
        condition = self.filters.get(key.pipe)
        if condition is not None:
            answer = filtered(RESULT, None, condition, _WithResult(catalog, answer))
        return self.compile_text(sql, _WithResult(self._filtered(catalog), answer))

    def _filtered(self, catalog: Catalog) -> Catalog:
        return Filtered(catalog, self.filters) if self.filters else catalog

    def compile_text(self, text: str, catalog: Catalog, values: Mapping[str, str] | None = None) -> CompiledQuery:
        """`values` are those of query parameters, beside the secrets."""
        return compile_query(text, catalog, parameters={**self.project.secrets, **(values or {})})

    def _planned(self, question: Hashable, compile_: Callable[[], CompiledQuery]) -> CompiledQuery:
        """The plan of a question: kept from an earlier request, or compiled now and kept."""
        question = (question, tuple(self.filters.items()))
        found = self.plans.find(question, self.rendered)
        if found is not None and found.compiled is not None:
            return found.compiled
        compiled = compile_()
        self.plans.keep(question, Plan(dict(self._rendered), compiled))
        return compiled

    def _scope(self) -> Scope:
        return Scope(self.project, self.stored, self._render)

    def rendered_texts(self) -> tuple[str, ...]:
        """The SQL of the template nodes that were rendered so far."""
        return tuple(self._rendered.values())

    def rendered(self, key: NodeKey) -> str:
        """The SQL of a node for this request."""
        pipe = self.project.pipes[key.pipe]
        node = pipe.node(key.node)
        assert node is not None
        return self._render(pipe, node)

    def _render(self, pipe: Pipe, node: Node) -> str:
        """A node's SQL; each is rendered once a request, however many read it."""
        if not node.sql.is_template:
            return node.sql.text
        key = NodeKey(pipe.name, node.name)
        if key not in self._rendered:
            self._rendered[key] = self._render_text(node.sql.template, node.name)
        return self._rendered[key]

    def _render_text(self, text: str, name: str) -> str:
        return template(text, name).render(self.parameters, secrets=self.project.secrets, now=self.now).sql


@lru_cache(maxsize=4096)
def template(text: str, name: str) -> Template:
    """A template, compiled once for all requests."""
    return compile_template(text, name=name)


@dataclass(frozen=True)
class _WithResult:
    inner: Catalog
    answer: View

    def resolve(self, name: str, database: str | None = None) -> Table | View | None:
        return self.answer if name == RESULT and database is None else self.inner.resolve(name, database)

    def names(self) -> tuple[str, ...]:
        return (RESULT, *self.inner.names())


def find_endpoint(project: Project, name: str) -> tuple[Pipe, Node]:
    pipe = project.pipes.get(name)
    if pipe is None:
        endpoints = [other.name for other in project.pipes.values() if other.type == "endpoint"]
        raise NotFoundError(f"There is no endpoint {name}", hint=did_you_mean(name, endpoints))
    node = pipe.typed_node
    if node is None or node.type != "endpoint":
        what = f"its type is {node.type}" if node is not None else "none of its nodes has TYPE endpoint"
        raise NotFoundError(f"The pipe {name} is not an endpoint: {what}")
    return pipe, node


def endpoint_infos(project: Project) -> tuple[EndpointInfo, ...]:
    """The endpoints in order of their names, each parameter once."""
    return tuple(
        EndpointInfo(name, pipe_parameters(pipe), pipe.description)
        for name, pipe in sorted(project.pipes.items())
        if pipe.type == "endpoint"
    )


def pipe_infos(project: Project) -> tuple[PipeInfo, ...]:
    return tuple(
        PipeInfo(name, pipe.type, tuple(node.name for node in pipe.nodes), pipe.description)
        for name, pipe in sorted(project.pipes.items())
    )


def pipe_parameters(pipe: Pipe) -> tuple[Parameter, ...]:
    """The parameters of all nodes; the first use that says most of one counts."""
    found: dict[str, Parameter] = {}
    for node in pipe.nodes:
        if node.sql.is_template:
            for parameter in template(node.sql.template, node.name).parameters():
                found.setdefault(parameter.name, parameter)
    return tuple(found.values())
