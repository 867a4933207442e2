"""Tables and progress for people: the only module that touches Rich."""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable
from rich.text import Text

from tbpy.cli.output import Table

# Without a terminal nothing may be folded or cut: a program, or a test, reads the lines.
UNBOUNDED = 100_000


def print_table(table: Table) -> None:
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else UNBOUNDED, highlight=False)
    console.print(rich_table(table))


def rich_table(table: Table) -> RichTable:
    grid = RichTable(box=box.ROUNDED, header_style="bold")
    for column in table.columns:
        grid.add_column(Text(column), justify="right" if column in table.numbers else "left", overflow="fold")
    for row in table.rows:
        grid.add_row(*(Text(str(value)) for value in row))
    return grid


def progress_bar(label: str) -> tuple[Callable[[float], None], Callable[[], None]]:
    """A running bar: what to tell the done part, 0 to 1, and what to call at the end, which takes it away."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
    task = bar.add_task(label, total=1.0)
    bar.start()
    return lambda done: bar.update(task, completed=done), bar.stop
