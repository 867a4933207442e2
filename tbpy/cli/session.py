"""What commands work on: the project's files, and its workspace, opened for as long as a command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tbpy.cli.root import project_root
from tbpy.cli.secrets import read_secrets
from tbpy.cli.trouble import report_diagnostics
from tbpy.errors import DiagnosticsError, Severity

if TYPE_CHECKING:
    from tbpy.project import Project
    from tbpy.workspace import Workspace


def load(context: typer.Context) -> Project:
    """The project with whatever mistakes its files have."""
    from tbpy.project import load_project

    root = project_root(context)
    return load_project(root, secrets=read_secrets(root))


def load_checked(context: typer.Context) -> Project:
    """The project without mistakes; warnings are told. Raises `DiagnosticsError` with all of them otherwise."""
    project = load(context)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in project.diagnostics):
        raise DiagnosticsError(tuple(project.diagnostics))
    report_diagnostics(project.diagnostics)
    return project


def open_workspace(context: typer.Context) -> Workspace:
    from tbpy.workspace import Workspace

    return Workspace.open(project_root(context))
