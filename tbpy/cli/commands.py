"""The commands at the top, in the order of a person's work. A command's module is only loaded when it is typed.

Loading all of them would make the start of each a fifth longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup


@dataclass(frozen=True, slots=True)
class Entry:
    """`attribute` of the module is a function, or the Typer of a group. `help` is the line in the list of all."""

    module: str
    attribute: str
    help: str


ENTRIES = {
    "init": Entry("project", "init", "Start a project from a worked example."),
    "build": Entry("project", "build", "Check everything and make the local workspace."),
    "check": Entry("project", "check", "Check all datafiles and report every mistake."),
    "fmt": Entry("project", "fmt", "Lay datafiles out in the one common style."),
    "info": Entry("project", "info", "Tell what is in the project and what is built."),
    "append": Entry("data", "append", "Store rows; those that do not fit go to quarantine."),
    "query": Entry("query", "query", "Answer SQL over data sources, pipes and nodes."),
    "sql": Entry("query", "query", "The same as `query`."),
    "dev": Entry("dev", "dev", "Build, serve the API, and rebuild what changes."),
    "server": Entry("server", "app", "Serve the API for others; back up and restore its data."),
    "logs": Entry("logs", "logs", "Show requests, appends, builds and copies."),
    "deploy": Entry("deploy", "deploy", "Deploy the project to a server."),
    "deployment": Entry("deployment", "app", "Deployments: what a server answers with."),
    "login": Entry("profile", "login", "Try a token on a server, and keep both."),
    "logout": Entry("profile", "logout", "Forget the profile in use, with its token."),
    "profile": Entry("profile", "app", "Profiles: servers and their tokens, by name."),
    "datasource": Entry("datasource", "app", "Data sources: what is stored."),
    "pipe": Entry("pipe", "app", "Pipes: what is asked."),
    "endpoint": Entry("endpoint", "app", "Endpoints: what the API answers."),
    "materialization": Entry("materialization", "app", "Materializations: what flows where."),
    "copy": Entry("copy", "app", "Copy pipes: answers that are written down."),
    "test": Entry("test", "app", "Tests: what the endpoints must answer."),
    "token": Entry("token", "app", "Tokens: who may do what, on a server."),
    "secret": Entry("secret", "app", "Secrets: what `tb_secret` stands for."),
    "job": Entry("job", "app", "Jobs: imports, copies and other work."),
    "workspace": Entry("workspace", "app", "Workspaces of a server."),
}


class Commands(TyperGroup):
    """The group of all commands of `ENTRIES`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands: Any = dict.fromkeys(ENTRIES)  # their names are what is suggested for one that is mistyped

    def list_commands(self, ctx: Any) -> list[str]:
        return list(ENTRIES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = ENTRIES.get(cmd_name)
        if entry is None:
            return None
        found = getattr(import_module(f"tbpy.cli.{entry.module}"), entry.attribute)
        is_group = isinstance(found, typer.Typer)
        command = typer.main.get_group(found) if is_group else typer.main.get_command(_alone(found, cmd_name, entry))
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in ENTRIES.items()])


def _alone(function: Any, name: str, entry: Entry) -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    alias = name != entry.attribute
    app.command(name, help=entry.help if alias else None)(function)
    return app
