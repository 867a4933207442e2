"""Data sources and pipes as the API describes them. The shapes are those that published clients read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tbpy.api.identifiers import resource_id
from tbpy.api.jobs import timestamp
from tbpy.datafiles import Column, Datasource, Kind, Node, Pipe
from tbpy.project import Key, NodeKey, Project
from tbpy.templating import compile_template
from tbpy.workspace import CopyInfo, DatasourceInfo
from tbpy.workspace.schedules import ON_DEMAND


def datasource_document(project: Project, info: DatasourceInfo) -> dict[str, Any]:
    """The answer to the question for one data source."""
    datasource = project.all_datasources[info.name]
    columns = [{**column_document(column), "auto": False} for column in datasource.columns]
    engine = datasource.engine
    return {
        **_common(project, datasource, info),
        "cluster": None,
        "replicated": False,
        "version": 0,
        "project": None,
        "headers": {},
        "engine": {
            "engine": engine_name(datasource),
            "sorting_key": _option(datasource, "sorting_key"),
            "partition_key": _option(datasource, "partition_key"),
            "primary_key": _option(datasource, "primary_key") or _option(datasource, "sorting_key"),
            **({"ttl": engine.get("ttl")} if engine and engine.get("ttl") else {}),
        },
        "last_commit": {"content_sha": "", "status": "changed", "path": datasource.file or ""},
        "errors_discarded_at": None,
        "schema": {
            "sql_schema": ", ".join(f"`{column.name}` {column.declared_type}" for column in datasource.columns),
            "columns": columns,
        },
        "quarantine_rows": info.quarantined,
    }


def listed_datasource(project: Project, info: DatasourceInfo) -> dict[str, Any]:
    """An element of the list of data sources: columns at the top level, and the engine's keys spelled out."""
    datasource = project.all_datasources[info.name]
    return {
        **_common(project, datasource, info),
        "columns": [column_document(column) for column in datasource.columns],
        "engine": {
            "engine": engine_name(datasource),
            "engine_sorting_key": _option(datasource, "sorting_key"),
            "engine_partition_key": _option(datasource, "partition_key"),
            "engine_primary_key": _option(datasource, "primary_key") or _option(datasource, "sorting_key"),
        },
        "quarantine_rows": info.quarantined,
    }


def column_document(column: Column) -> dict[str, Any]:
    """The type is the inner one; `nullable` tells whether NULL is a value."""
    return {
        "name": column.name,
        "type": column.type,
        "codec": column.codec,
        "default_value": f"DEFAULT {column.default}" if column.default is not None else None,
        "jsonpath": column.jsonpath,
        "nullable": column.nullable,
        "normalized_name": column.name,
    }


def engine_name(datasource: Datasource) -> str:
    return (datasource.engine.name if datasource.engine else None) or "MergeTree"


def pipe_document(
    project: Project, pipe: Pipe, base: str, workspace_id: str, copy: CopyInfo | None = None
) -> dict[str, Any]:
    """A pipe with its nodes. `base` is the server's address, `copy` what is known of a copy pipe's runs."""
    endpoint = next((node for node in pipe.nodes if node.type == "endpoint"), None)
    changed = file_time(project.root, pipe.file)
    return {
        "id": resource_id("pipe", pipe.name),
        "name": pipe.name,
        "description": pipe.description or "",
        "type": pipe.type or "default",
        "endpoint": node_id(pipe, endpoint) if endpoint else None,
        "url": f"{base}/v0/pipes/{pipe.name}.json",
        "parent": None,
        "created_at": changed,
        "updated_at": changed,
        "edited_by": "",
        "last_commit": {"content_sha": "", "status": "changed", "path": pipe.file or ""},
        "path": pipe.file or "",
        "content": file_text(project.root, pipe.file),
        "workspace_id": workspace_id,
        "nodes": [node_document(project, pipe, node) for node in pipe.nodes],
        **(_copy_facts(copy) if copy else {}),
    }


def _copy_facts(copy: CopyInfo) -> dict[str, Any]:
    return {
        "copy_target_datasource": resource_id("datasource", copy.target),
        "copy_mode": copy.mode,
        "schedule": {
            "cron": None if copy.schedule == ON_DEMAND else copy.schedule,
            "timezone": "Etc/UTC",
            "status": "paused" if copy.paused else "running",
            "next_runs": [timestamp(moment) for moment in copy.next_runs],
        },
    }


def node_document(project: Project, pipe: Pipe, node: Node) -> dict[str, Any]:
    changed = file_time(project.root, pipe.file)
    checked = project.nodes.get(NodeKey(pipe.name, node.name))
    target = node.target.value if node.target and node.type == "materialized" else None
    return {
        "id": node_id(pipe, node),
        "name": node.name,
        "sql": node.sql.text,
        "description": node.description,
        "materialized": resource_id("datasource", target) if target else None,
        "cluster": None,
        "tags": {},
        "created_at": changed,
        "updated_at": changed,
        "version": 0,
        "project": None,
        "result": None,
        "ignore_sql_errors": False,
        "node_type": node.type or "standard",
        "dependencies": [_name(read) for read in (checked.reads if checked else ())],
        "deployment_suffix": "",
        "params": node_parameters(node),
        **({"mode": node.mode} if node.mode else {}),
    }


def node_parameters(node: Node) -> list[dict[str, Any]]:
    if not node.sql.is_template:
        return []
    found = compile_template(node.sql.template, name=node.name).inputs()
    return [{key: value for key, value in parameter.as_dict().items() if key != "used_in"} for parameter in found]


def chosen(document: Mapping[str, Any], attributes: str | None, always: tuple[str, ...] = ()) -> dict[str, Any]:
    """The attributes that a comma-separated list names; all without one."""
    wanted = [name for name in (attributes or "").split(",") if name]
    if not wanted:
        return dict(document)
    return {name: value for name, value in document.items() if name in wanted or name in always}


def file_text(root: Path, file: str | None) -> str:
    """The datafile, empty when it is gone meanwhile."""
    try:
        return (root / file).read_text(encoding="utf-8") if file else ""
    except OSError:
        return ""


def file_time(root: Path, file: str | None) -> str:
    """When a datafile was changed last, as metadata tells time."""
    try:
        seconds = (root / file).stat().st_mtime if file else 0.0
    except OSError:
        seconds = 0.0
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def _common(project: Project, datasource: Datasource, info: DatasourceInfo) -> dict[str, Any]:
    changed = file_time(project.root, datasource.file)
    by_json = any(column.jsonpath for column in datasource.columns)
    return {
        "id": resource_id("datasource", datasource.name),
        "name": datasource.name,
        "description": datasource.description or "",
        "tags": {},
        "created_at": changed,
        "updated_at": changed,
        "shared_with": list(datasource.shared_with),
        "used_by": used_by(project, datasource.name),
        "type": "ndjson" if by_json else "csv",
        "indexes": [
            {"name": index.name, "expr": index.expression, "type_full": index.type} for index in datasource.indexes
        ],
        "new_columns_detected": {},
        "statistics": {"bytes": info.bytes, "row_count": info.rows},
    }


def used_by(project: Project, name: str) -> list[dict[str, str]]:
    key = Key(Kind.DATASOURCE, name)
    pipes = sorted(other.name for other in project.graph.dependents(key) if other.kind is Kind.PIPE)
    return [{"id": resource_id("pipe", pipe), "name": pipe} for pipe in pipes]


def _option(datasource: Datasource, name: str) -> str:
    return (datasource.engine.get(name) if datasource.engine else None) or ""


def node_id(pipe: Pipe, node: Node) -> str:
    return resource_id("node", f"{pipe.name}.{node.name}")


def _name(read: Key | NodeKey) -> str:
    return read.node if isinstance(read, NodeKey) else read.name
