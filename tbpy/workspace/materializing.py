"""Materialized nodes, compiled when they are built, so that running them needs nothing but SQL (see `flowing`).

As in ClickHouse, a node sees the inserted block in place of its source, which is the leftmost table that it reads, and
other tables whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tbpy.clickhouse import ast
from tbpy.clickhouse.compiler import CompiledQuery, compile_query
from tbpy.clickhouse.parser import parse_statement
from tbpy.clickhouse.storage import duckdb_type
from tbpy.datafiles import Kind, Node, Pipe
from tbpy.errors import Diagnostic, NotFoundError, QueryError, Severity, TbpyError, TemplateError
from tbpy.project import Key, NodeKey, Project, names_of
from tbpy.templating import compile_template
from tbpy.workspace.catalogue import StoredMaterialization
from tbpy.workspace.definitions import StoredDatasource
from tbpy.workspace.infos import MaterializationInfo
from tbpy.workspace.scopes import Scope
from tbpy.workspace.services import is_service_table


def compile_all(
    project: Project, stored: Mapping[str, StoredDatasource]
) -> tuple[tuple[StoredMaterialization, ...], tuple[Diagnostic, ...]]:
    """The materialized nodes of a project, and a warning for each that cannot run here."""
    found: list[StoredMaterialization] = []
    warnings: list[Diagnostic] = []
    for pipe, node, target in _materialized(project):
        try:
            found.append(_compile(project, stored, pipe, node, stored[target]))
        except (NotFoundError, QueryError, TemplateError) as error:
            message = f"the materialized node '{node.name}' cannot run, {target} gets no rows of it: {error.message}"
            warnings.append(
                Diagnostic("materialization", message, Severity.WARNING, pipe.file, node.span, hint=error.hint)
            )
    return tuple(found), tuple(warnings)


def materialization_infos(
    project: Project, stored: Mapping[str, StoredDatasource], running: Sequence[StoredMaterialization]
) -> tuple[MaterializationInfo, ...]:
    """The materialized nodes of a project in order of their pipes; `running` are those that were built."""
    built = {(item.pipe, item.node): item for item in running}
    found = []
    for pipe, node, target in sorted(_materialized(project), key=lambda item: item[0].name):
        item = built.get((pipe.name, node.name))
        if item is not None:
            found.append(MaterializationInfo(pipe.name, node.name, item.source, item.target))
        else:
            found.append(MaterializationInfo(pipe.name, node.name, "", target, _why_not(project, stored, pipe, node)))
    return tuple(found)


def _why_not(project: Project, stored: Mapping[str, StoredDatasource], pipe: Pipe, node: Node) -> str:
    target = node.target.value if node.target else ""
    try:
        _compile(project, stored, pipe, node, stored[target])
    except TbpyError as error:
        return error.message
    except KeyError:
        return f"{target} is not built yet"
    return "it is not built yet"


def fills_as_before(project: Project, node: StoredMaterialization, before: Collection[StoredMaterialization]) -> bool:
    """Whether the rows that a target has of a node are those to keep: the node is as it was `before`, or
    DEPLOYMENT_METHOD alter says that its query changes for the rows to come only."""
    if node in before:
        return True
    found = project.pipes[node.pipe].node(node.node)
    method = found.settings.get("deployment_method") if found is not None else None
    same = ((old.pipe, old.node, old.target) == (node.pipe, node.node, node.target) for old in before)
    return (method or "").lower() == "alter" and any(same)


def render_plainly(project: Project, node: Node) -> str:
    """The SQL of a node that no request comes to. Raises `TemplateError` when it needs parameters."""
    if not node.sql.is_template:
        return node.sql.text
    return compile_template(node.sql.template, name=node.name).render({}, secrets=project.secrets).sql


def leftmost(project: Project, pipe: Pipe, node: Node) -> str | None:
    """The data source whose new rows make a node run: the first one in its FROM, through the nodes that it reads."""
    query = parse_statement(render_plainly(project, node)).query
    table = _leftmost_table(query, {})
    target = names_of(project).resolve(table.name, table.database, pipe, node) if table else None
    if isinstance(target, NodeKey):
        other = project.pipes[target.pipe]
        found = other.node(target.node)
        return leftmost(project, other, found) if found else None
    return target.name if target is not None and target.name in project.all_datasources else None


def read_by(project: Project, materializations: Iterable[StoredMaterialization]) -> dict[str, list[str]]:
    """The data sources that each pipe reads, itself or through other pipes, what it writes left out."""
    found = {}
    for item in materializations:
        seen: dict[Key, None] = {}
        waiting = [Key(Kind.PIPE, item.pipe)]
        while waiting:
            resource = project.resources.get(waiting.pop())
            new = [key for key in (resource.reads if resource else ()) if key not in seen]
            seen.update(dict.fromkeys(new))
            waiting += new
        found[item.pipe] = [key.name for key in seen if key.kind is Kind.DATASOURCE and key.name != item.target]
    return found


def _materialized(project: Project) -> Iterator[tuple[Pipe, Node, str]]:
    for pipe in project.pipes.values():
        for node in pipe.nodes:
            if node.type == "materialized" and node.target is not None and node.target.value in project.datasources:
                yield pipe, node, node.target.value


def _compile(
    project: Project, stored: Mapping[str, StoredDatasource], pipe: Pipe, node: Node, target: StoredDatasource
) -> StoredMaterialization:
    source = leftmost(project, pipe, node)
    if source is None:
        raise QueryError("it reads no data source", code=36, name="BAD_ARGUMENTS")
    block = f"(SELECT rowid, * FROM {stored[source].table} WHERE rowid > $block)"
    scope = Scope(project, stored, lambda _, other: render_plainly(project, other), {source: block})
    sql, catalog = render_plainly(project, node), scope.catalog(pipe, node)
    compiled = compile_query(sql, catalog, parameters=project.secrets)
    if any(map(is_service_table, compiled.tables)):
        raise QueryError("a materialized node reads no service data sources", code=36, name="BAD_ARGUMENTS")
    made = insertion(compiled, target)
    few = insertion(compile_query(sql, catalog, parameters=project.secrets, few_rows=True), target)
    return StoredMaterialization(
        pipe=pipe.name,
        node=node.name,
        source=source,
        target=target.name,
        columns=made.columns,
        sql=made.sql,
        uses_now=made.uses_now,
        functions=tuple(sorted(compiled.functions)),
        few_sql=few.sql if few.sql != made.sql else "",
    )


@dataclass(frozen=True, slots=True)
class Insertion:
    """`sql` are rows for `columns` (DuckDB's names) of a target; `uses_now` is whether `$now` stands in it."""

    columns: tuple[str, ...]
    sql: str
    uses_now: bool


def insertion(compiled: CompiledQuery, target: StoredDatasource) -> Insertion:
    """The answer of a query as rows of a data source: by name, columns that it does not have by their fallback."""
    places = {column.name: place for place, column in enumerate(compiled.columns)}
    columns = [column for column in target.columns if column.name in places]
    missing = [c for c in target.columns if c.name not in places and not c.may_be_null]
    values = [f"CAST(c{places[c.name]} AS {duckdb_type(c.parsed_type)})" for c in columns]
    fallbacks = [c.fallback for c in missing]
    outputs = ", ".join(f"c{place}" for place in range(len(compiled.columns)))
    return Insertion(
        tuple(c.physical for c in [*columns, *missing]),
        f"SELECT {', '.join([*values, *fallbacks])} FROM ({compiled.sql}) AS made({outputs})",
        compiled.uses_now or any("$now" in fallback for fallback in fallbacks),
    )


def _leftmost_table(query: ast.Query | None, known: Mapping[str, ast.Query]) -> ast.TableName | None:
    if isinstance(query, ast.SetOperation):
        return _leftmost_table(query.left, known)
    if not isinstance(query, ast.Select):
        return None
    named = {**known, **{item.name: item.query for item in query.with_ if isinstance(item, ast.CommonTable)}}
    return _leftmost_of(query.from_, named)


def _leftmost_of(table: ast.TableExpression | None, named: Mapping[str, ast.Query]) -> ast.TableName | None:
    match table:
        case ast.Join():
            return _leftmost_of(table.left, named)
        case ast.ArrayJoin():
            return _leftmost_of(table.source, named)
        case ast.SubqueryTable():
            return _leftmost_table(table.query, named)
        case ast.TableName(name, None) if name in named:
            return _leftmost_table(named[name], {key: value for key, value in named.items() if key != name})
        case ast.TableName():
            return table
    return None
