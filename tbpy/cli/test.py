"""`tbpy test run | update`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tbpy.cli import session
from tbpy.cli.answering import NowOption
from tbpy.cli.command import AsJson, answers, group
from tbpy.cli.output import Printed
from tbpy.cli.root import project_root
from tbpy.cli.trouble import counted, talk
from tbpy.errors import NotFoundError

if TYPE_CHECKING:
    from tbpy.testing import Outcome, Report, Updated

app = group("Tests: what the endpoints must answer.")

Names = Annotated[list[str] | None, typer.Argument(help="Pipes, or files of tests; else all.")]


def print_report(report: Report) -> Iterator[Printed]:
    for suite in report.skipped:
        talk(f"△ {suite.file} is skipped: {suite.skipped}")
    for outcome in report.outcomes:
        yield from print_outcome(outcome)
    sign = "✗" if report.failed else "✓"
    skipped = f" ({counted(len(report.skipped), 'file')} skipped)" if report.skipped else ""
    yield f"{sign} {report.passed}/{len(report.outcomes)} passed{skipped} in {report.elapsed:.1f}s"


def print_outcome(outcome: Outcome) -> Iterator[Printed]:
    case = outcome.case
    name = case.title
    if outcome.passed:
        yield f"✓ {name}"
        return
    yield f"✗ {name}: {outcome.message}"
    yield f"  {case.file}:{case.line}" + (f" ({case.parameters})" if case.parameters else "")
    if outcome.difference:
        yield "  for example:" if case.is_rule else "  - expected, + got:"
    yield from outcome.difference


@app.command("run")
@answers(print_report)
def run(context: typer.Context, names: Names = None, now: NowOption = None, as_json: AsJson = False) -> Report:
    """Ask every endpoint that tests name, in a workspace of its own, and compare the answers to the byte."""
    return answered(context, names, now)


def print_updated(updated: Updated) -> Iterator[Printed]:
    for file, names in updated.files.items():
        yield f"✓ {file}: {', '.join(names)}"
    changed = sum(map(len, updated.files.values()))
    yield f"{counted(changed, 'result')} updated, {updated.unchanged} unchanged"


@app.command("update")
@answers(print_updated)
def update(context: typer.Context, names: Names = None, now: NowOption = None, as_json: AsJson = False) -> Updated:
    """Write the present answers into the files of tests."""
    from tbpy import testing

    report = answered(context, names, now)
    return testing.update(project_root(context), [(outcome.case, outcome.answer) for outcome in report.outcomes])


def answered(context: typer.Context, names: list[str] | None, now: str | None) -> Report:
    from tbpy import testing

    suites = testing.find_suites(project_root(context), tuple(names or ()))
    known = {suite.pipe for suite in suites} | {Path(suite.file).stem for suite in suites}
    missing = {Path(name).stem for name in names or ()} - known
    if missing:
        raise NotFoundError(f"there are no tests of {', '.join(sorted(missing))}")
    with session.scratch_workspace(context, now=now) as workspace:
        workspace.build()
        return testing.run(suites, workspace.project.pipes, lambda case: testing.ask(workspace, case))
