"""The living state of a project: what is built, what was appended, and what queries over it answer."""

from tbpy.workspace.infos import DatasourceInfo, EndpointInfo, PipeInfo
from tbpy.workspace.ingest.report import AppendReport, Cause
from tbpy.workspace.reports import BuildReport, Migrated
from tbpy.workspace.workspace import Workspace

__all__ = [
    "AppendReport",
    "BuildReport",
    "Cause",
    "DatasourceInfo",
    "EndpointInfo",
    "Migrated",
    "PipeInfo",
    "Workspace",
]
