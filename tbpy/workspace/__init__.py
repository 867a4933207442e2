"""The living state of a project: what is built, what was appended, and what queries over it answer."""

from tbpy.workspace.deployments.beside import Beside
from tbpy.workspace.deployments.records import Deployment, Stage
from tbpy.workspace.infos import (
    CopyInfo,
    DatasourceInfo,
    EndpointInfo,
    JobInfo,
    MaterializationInfo,
    PipeInfo,
    QuarantineInfo,
)
from tbpy.workspace.ingest.report import AppendReport, Cause
from tbpy.workspace.reports import BuildReport, CopyReport, Migrated, ReplayReport
from tbpy.workspace.workspace import Workspace

__all__ = [
    "AppendReport",
    "Beside",
    "BuildReport",
    "Cause",
    "CopyInfo",
    "CopyReport",
    "DatasourceInfo",
    "Deployment",
    "EndpointInfo",
    "JobInfo",
    "MaterializationInfo",
    "Migrated",
    "PipeInfo",
    "QuarantineInfo",
    "ReplayReport",
    "Stage",
    "Workspace",
]
