"""`tbpy deploy`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session
from tbpy.cli.command import AsJson, answers
from tbpy.cli.deployed import markdown, print_plan, verdict
from tbpy.cli.output import Printed
from tbpy.cli.trouble import talk
from tbpy.errors import UsageError

if TYPE_CHECKING:
    from tbpy.client.deploying import Deployment

WaitOption = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the deployment is ready.")]
AutoOption = Annotated[bool, typer.Option("--auto/--no-auto", help="Make it live when it is ready.")]
CheckOption = Annotated[bool, typer.Option("--check", help="Only tell what would change, and whether it can.")]
DestructiveOption = Annotated[
    bool,
    typer.Option(
        "--allow-destructive-operations/--no-allow-destructive-operations",
        help="Allow what loses rows, such as removing a data source.",
    ),
]
MarkdownOption = Annotated[bool, typer.Option("--markdown", help="Print the plan as Markdown, for a pull request.")]


@dataclass(frozen=True, slots=True)
class Deployed:
    """`checked`: nothing was changed. `failed` is the no of an invalid plan, or of a deployment that failed."""

    deployment: Deployment
    checked: bool
    _markdown: bool = False

    @property
    def failed(self) -> bool:
        return self.deployment.failed


def print_deployed(deployed: Deployed) -> Iterator[Printed]:
    if deployed._markdown:
        yield markdown(deployed.deployment, checked=deployed.checked)
        return
    yield from print_plan(deployed.deployment)
    yield verdict(deployed.deployment, checked=deployed.checked)


@answers(print_deployed)
def deploy(
    context: typer.Context,
    check: CheckOption = False,
    wait: WaitOption = True,
    auto: AutoOption = True,
    allow_destructive_operations: DestructiveOption = False,
    as_markdown: MarkdownOption = False,
    as_json: AsJson = False,
) -> Deployed:
    """Deploy the project to a server, beside what is live there, and make it live when all is well."""
    return send(
        context,
        check=check,
        wait=wait,
        promote=auto,
        destructive=allow_destructive_operations,
        as_markdown=as_markdown,
    )


def send(
    context: typer.Context, *, check: bool, wait: bool, promote: bool, destructive: bool, as_markdown: bool
) -> Deployed:
    """Mistakes in the files are told before anything is sent. Raises `DiagnosticsError` for them."""
    files = project_files(context)
    with session.open_deployments(context, changes=True) as deployments:
        if check:
            return Deployed(deployments.check(files, destructive=destructive), True, as_markdown)
        deployment = deployments.create(files, promote=promote, destructive=destructive)
        if wait and deployment.result == "success":
            deployment = deployments.wait(deployment, live=promote, told=tell_status)
        return Deployed(deployment, False, as_markdown)


def tell_status(status: str) -> None:
    talk(f"  {status.replace('_', ' ')} ...")


def project_files(context: typer.Context) -> dict[str, str]:
    """The text of all datafiles by path. Raises `UsageError` without any, `DiagnosticsError` for mistakes in them."""
    from tbpy.client.deploying import read_files
    from tbpy.errors import DiagnosticsError
    from tbpy.project import find_datafiles

    project = session.load(context, with_secrets=False)
    if project.errors:
        raise DiagnosticsError(tuple(project.diagnostics))
    names = [found.file for found in find_datafiles(project.root)]
    if not names:
        raise UsageError(f"there are no datafiles in {project.root}")
    return read_files(project.root, names)
