"""The answers of a project's nodes beside ClickHouse's, over the same rows.

ClickHouse gets the tables of the data sources, and each node as one query with the nodes and pipes it reads as
subqueries; materialized nodes are materialized views there. The order of rows is not compared, as keys of ORDER BY may
tie; nodes that answer states of aggregates are not compared, as each side stores them in its own way.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tbpy.clickhouse import types as t
from tbpy.clickhouse.formats import converter
from tbpy.clickhouse.parser import parse_query
from tbpy.clickhouse.quoting import quote_identifier, quote_string
from tbpy.datafiles import Datasource, Kind, Pipe
from tbpy.engines import QueryResult
from tbpy.errors import QueryError, TbpyError, TemplateError, UnsupportedError
from tbpy.project import Key, NodeKey, Project, table_engine
from tbpy.project.names import names_of
from tbpy.project.references import table_references
from tbpy.templating import compile_template
from tbpy.workspace import Workspace
from tests.conformance.comparison import Answer, difference
from tests.differential.compare import oracle_answer
from tests.differential.oracle import Oracle, OracleError
from tests.differential.projects.folders import copied, without_mistakes
from tests.differential.projects.requests import requests
from tests.differential.projects.rows import row_source, rows

_PART = r"(?:\w+|\"[^\"]*\"|`[^`]*`|'[^']*')"
_NAME = re.compile(rf"{_PART}(?:\s*\.\s*{_PART})?")
_CLAUSES = (
    "FINAL|ON|USING|PREWHERE|WHERE|GROUP|ORDER|LIMIT|HAVING|WINDOW|QUALIFY|OFFSET|FORMAT|SETTINGS|SAMPLE|UNION|EXCEPT"
    "|INTERSECT|LEFT|RIGHT|FULL|INNER|CROSS|JOIN|ANY|ALL|ASOF|SEMI|ANTI|GLOBAL|ARRAY"
)
_ALIAS = re.compile(rf"(?:\s+FINAL\b)?\s+(?:AS\s+)?(?!(?:{_CLAUSES})\b)[\w\"`]", re.IGNORECASE)
_RANDOM = re.compile(r"\b(?:rand\w*|generate\w+)\(")
_STEP = re.compile(r"\.([\w-]+)|\[[\"']([^\"']+)[\"']\]")
_ROWS = 60
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Compared:
    """`kind` is one of `COMPARED`: mistaken is what only tbpy calls wrong, accepted what only ClickHouse does."""

    node: str
    kind: str
    detail: str = ""
    sql: str = ""


COMPARED = (
    "equal",
    "equal (no rows)",
    "states",
    "both refuse",
    "accepted",
    "refused",
    "mistaken",
    "differs",
    "not loaded",
)


class Comparison:
    """One project in both engines; `now` is naive UTC."""

    def __init__(self, oracle: Oracle, workspace: Workspace, now: datetime, database: str) -> None:
        self.oracle, self.workspace, self.now, self.database = oracle, workspace, now, database
        self.project: Project = workspace.project
        self.names = names_of(self.project)

    def load(self, seed: int) -> None:
        """Makes the tables in ClickHouse, and fixtures of all data sources that no materialized node fills."""
        for statement in (
            f"CREATE DATABASE IF NOT EXISTS {self.database}",
            f"USE {self.database}",
            "SET max_threads = 1",
            "SET session_timezone = 'UTC'",
            "SET allow_suspicious_low_cardinality_types = 1",
            "SET optimize_on_insert = 0",
        ):
            self.oracle.answer(statement)
        source = row_source(self.project, self.now, seed)
        for name, datasource in self.project.all_datasources.items():
            try:
                self.oracle.answer(self._create(name, datasource))
            except OracleError:  # what newer servers refuse of an engine does not matter for answers
                plain = re.sub(r" ENGINE = .*", " ENGINE = MergeTree ORDER BY tuple()", self._create(name, datasource))
                self.oracle.answer(plain)
        for target, pipe, node in self._materialized():
            self._create_view(target, pipe, node)
        targets = {target for target, _, _ in self._materialized()}
        for name, datasource in self.project.all_datasources.items():
            if name not in targets and not _has_states(self._types(datasource)):
                self._write_fixture(name, rows(source, self._types(datasource).items(), _ROWS))
        report = self.workspace.build()
        for loaded in report.fixtures:
            self._insert(loaded.datasource)

    def _write_fixture(self, name: str, lines: list[dict[str, Any]]) -> None:
        datasource = self.project.all_datasources[name]
        document = [{_path(datasource, column): value for column, value in line.items()} for line in lines]
        path = self.project.root / "fixtures" / f"{name}.ndjson"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(json.dumps(_nested(line)) + "\n" for line in document), encoding="utf-8")

    def _insert(self, name: str) -> None:
        """The rows that tbpy stored go to ClickHouse as tbpy answers them, so that both hold the same."""
        result = self.workspace.query(f"SELECT * FROM {_quoted(name)}")
        converters = [converter(column.type) for column in result.columns]
        names = [column.name for column in result.columns]
        stored = [
            {n: convert(value) for n, convert, value in zip(names, converters, row, strict=True)} for row in result.rows
        ]
        if stored:
            text = "\n".join(map(json.dumps, stored))
            self.oracle.answer(f"INSERT INTO {self.database}.{quote_identifier(name)} FORMAT JSONEachRow {text}")

    def _types(self, datasource: Datasource) -> Mapping[str, t.Type]:
        return self.project.types[Key(Kind.DATASOURCE, datasource.name)]

    def _create(self, name: str, datasource: Datasource) -> str:
        columns = ", ".join(f"{quote_identifier(c)} {type_}" for c, type_ in self._types(datasource).items())
        engine = table_engine(datasource)
        keys = ", ".join(engine.sorting_key) or "tuple()"
        arguments = ", ".join(filter(None, (engine.version, engine.is_deleted, engine.sign)))
        if engine.name in ("Null", "Join"):
            made = datasource.engine.text.text if datasource.engine and datasource.engine.text else engine.name
        else:
            made = f"{engine.name}({arguments}) ORDER BY ({keys}) SETTINGS allow_nullable_key = 1"
        return f"CREATE TABLE {self.database}.{quote_identifier(name)} ({columns}) ENGINE = {made}"

    def _materialized(self) -> Iterator[tuple[str, Pipe, str]]:
        for pipe in self.project.pipes.values():
            node = pipe.typed_node
            if node is not None and node.type == "materialized" and node.target is not None:
                yield node.target.value, pipe, node.name

    def _create_view(self, target: str, pipe: Pipe, node: str) -> None:
        sql = self.inlined(pipe, node, {})
        name = f"{self.database}.{quote_identifier(f'mv_{pipe.name}')}"
        self.oracle.answer(f"CREATE MATERIALIZED VIEW {name} TO {self.database}.{quote_identifier(target)} AS {sql}")

    def inlined(self, pipe: Pipe, name: str, parameters: Mapping[str, str]) -> str:
        """A node's SQL with what it reads in its place. Raises `TemplateError`."""
        node = pipe.node(name)
        assert node is not None
        text = node.sql.text
        if node.sql.is_template:
            template = compile_template(node.sql.template, name=name)
            text = template.render(parameters, secrets=self.project.secrets, now=self.now).sql
        parts, position = [], 0
        found = {reference.start: reference for reference in table_references(parse_query(text))}
        for start, reference in sorted(found.items()):
            target = self.names.resolve(reference.name, reference.database, pipe, node)
            if target is None:
                continue
            named = _NAME.match(text, start)
            assert named is not None
            replacement = self._replacement(target, parameters, text[named.end() :], reference.certain)
            if text[start] == "'" and reference.name and isinstance(target, Key):
                replacement = quote_string(reference.name)  # joinGet names its table by a text
            parts += [text[position:start], replacement]
            position = named.end()
        return "".join([*parts, text[position:]])

    def _replacement(self, target: Key | NodeKey, parameters: Mapping[str, str], rest: str, certain: bool) -> str:
        """What stands for a name in FROM or after IN; `rest` is the SQL behind the name."""
        if isinstance(target, Key):
            found, name = f"{self.database}.{quote_identifier(target.name)}", target.name
        else:
            inner = self.inlined(self.project.pipes[target.pipe], target.node, parameters)
            found, name = f"({inner}\n)", target.node
        return found if _ALIAS.match(rest) or not certain else f"{found} AS {quote_identifier(name)}"

    def compare(self) -> Iterator[Compared]:
        for pipe in self.project.pipes.values():
            for node in pipe.nodes:
                for parameters in requests(pipe, self.now):
                    name = f"{pipe.name}.{node.name} ({'sample' if parameters else 'no'} parameters)"
                    try:
                        sql = self.inlined(pipe, node.name, parameters)
                    except (TemplateError, QueryError):
                        continue
                    if _RANDOM.search(sql):
                        continue
                    yield self._compared(name, pipe, node.name, parameters, sql)

    def _compared(self, name: str, pipe: Pipe, node: str, parameters: Mapping[str, str], sql: str) -> Compared:
        sql = self._frozen(sql)
        try:
            want = oracle_answer(self.oracle, sql)
        except OracleError as error:
            want = None
            said = str(error)
        try:
            result = self._asked(pipe, node, parameters)
            converters = [converter(column.type) for column in result.columns]
            values = [[convert(v) for convert, v in zip(converters, row, strict=True)] for row in result.rows]
            got = Answer(tuple((c.name, str(c.type)) for c in result.columns), values)
        except UnsupportedError as error:
            return Compared(name, "refused" if want is not None else "both refuse", error.message, sql)
        except Exception as error:
            if want is None:
                return Compared(name, "both refuse", f"{said[:200]} / {error}", sql)
            return Compared(name, "mistaken", f"{type(error).__name__}: {error}", sql)
        if want is None:
            return Compared(name, "accepted", said[:300], sql)
        if any("AggregateFunction(" in type_.removeprefix("Simple") for _, type_ in want.meta):
            return Compared(name, "states")
        found = difference(want, got, ordered=False)
        if found is None:
            return Compared(name, "equal" if want.rows else "equal (no rows)")
        return Compared(name, "differs", found, sql)

    def _asked(self, pipe: Pipe, node: str, parameters: Mapping[str, str]) -> QueryResult:
        if pipe.type == "endpoint" and pipe.typed_node is not None and pipe.typed_node.name == node:
            return self.workspace.endpoint(pipe.name, parameters, time_limit=_SECONDS)
        own = f"SELECT * FROM {quote_identifier(pipe.name)}.{quote_identifier(node)}"
        return self.workspace.query(own, parameters=parameters, time_limit=_SECONDS)

    def _frozen(self, sql: str) -> str:
        """The SQL with the moment in the place of functions that ask for it."""
        moment = quote_string(f"{self.now:%Y-%m-%d %H:%M:%S}")
        sql = re.sub(r"\bnow\(\)", f"toDateTime({moment})", sql, flags=re.IGNORECASE)
        sql = re.sub(r"\btoday\(\)", f"toDate({moment})", sql, flags=re.IGNORECASE)
        sql = re.sub(r"\byesterday\(\)", f"(toDate({moment}) - 1)", sql, flags=re.IGNORECASE)
        return re.sub(r"\bnow64\((\d?)\)", lambda m: f"toDateTime64({moment}, {m[1] or 3})", sql, flags=re.IGNORECASE)


def _has_states(types: Mapping[str, t.Type]) -> bool:
    return any(isinstance(t.plain(type_), t.AggregateFunction) for type_ in types.values())


def _path(datasource: Datasource, name: str) -> str:
    column = datasource.column(name)
    path = (column.jsonpath if column else None) or f"$.{name}"
    return path.removesuffix("[:]")


def _nested(line: Mapping[str, Any]) -> Any:
    """`{"$.a.b": 1}` as `{"a": {"b": 1}}`."""
    found: dict[str, Any] = {}
    for path, value in line.items():
        keys = [
            key.strip("[]\"'") for key in re.findall(r"\.([\w-]+)|\[[\"']([^\"']+)[\"']\]", path) for key in key if key
        ]
        if not keys:
            continue
        inner = found
        for key in keys[:-1]:
            step = inner.setdefault(key, {})
            inner = step if isinstance(step, dict) else {}
        inner.setdefault(keys[-1], value)
    return found


def _quoted(name: str) -> str:
    return ".".join(map(quote_identifier, name.split(".")))


def compared_project(root: Path, now: datetime, seed: int) -> Iterator[Compared]:
    """Every node of a project, from a copy of it, over rows that `seed` draws; `now` is naive UTC."""
    with tempfile.TemporaryDirectory() as folder, Oracle() as oracle:
        copy = copied(root, Path(folder) / "project")
        without_mistakes(copy)
        for fixtures in ("fixtures", "datasources/fixtures"):
            shutil.rmtree(copy / fixtures, ignore_errors=True)
        with Workspace.in_memory(copy, clock=lambda: now.replace(tzinfo=UTC), threads=1) as workspace:
            try:
                workspace.build()
                comparison = Comparison(oracle, workspace, now, "project")
                comparison.load(seed)
            except (OracleError, TbpyError) as error:
                yield Compared("", "not loaded", str(error))
                return
            yield from comparison.compare()
