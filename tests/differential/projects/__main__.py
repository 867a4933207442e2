"""Builds every project below some folders, runs all of their nodes and tests, and prints a table.

    python -m tests.differential.projects FOLDER...
    python -m tests.differential.projects --now "2025-07-17 00:00:00" FOLDER

    python -m tests.differential.projects --compare FOLDER

Projects are told by their datafiles; files with mistakes are left out, so that the others can run. Whatever fails is
listed on standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.differential.projects.comparing import COMPARED, compared_project
from tests.differential.projects.folders import project_roots
from tests.differential.projects.running import ProjectRun, run_project

_COLUMNS = ("asked", "parameters", "slow", "refused", "failed", "crashed", "copies", "tests passed", "tests failed")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.differential.projects",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--now", type=datetime.fromisoformat, help="what now() answers, in UTC")
    parser.add_argument("--quiet", action="store_true", help="only the table")
    parser.add_argument(
        "--compare", action="store_true", help="answers beside ClickHouse's, over made-up rows, instead"
    )
    parser.add_argument("--seed", type=int, default=1, help="which rows --compare makes up")
    options = parser.parse_args(arguments)
    if options.compare:
        return _compare(options)
    runs = []
    print(f"| project | data sources | pipes | files left out | {' | '.join(_COLUMNS)} |")
    print("|---" * (4 + len(_COLUMNS)) + "|")
    for folder in options.folders:
        for root in project_roots(folder):
            name = root.relative_to(folder.parent).as_posix()
            runs.append(run_project(root, name, options.now))
            _print_row(runs[-1])
            if not options.quiet:
                _print_failures(runs[-1])
    _print_sums(runs)
    return int(any(run.counts["crashed"] for run in runs))


def _compare(options: argparse.Namespace) -> int:
    """The table of how many nodes answer as ClickHouse does; those that do not are listed."""
    now = options.now or datetime.now().replace(microsecond=0)
    print(f"| project | {' | '.join(COMPARED)} |\n{'|---' * (1 + len(COMPARED))}|")
    total: Counter[str] = Counter()
    for folder in options.folders:
        for root in project_roots(folder):
            name, counts = root.relative_to(folder.parent).as_posix(), Counter[str]()
            for one in compared_project(root, now, options.seed):
                counts[one.kind] += 1
                if not options.quiet and one.kind in ("differs", "mistaken", "refused", "not loaded"):
                    sql = " ".join(one.sql.split())
                    print(f"\n{one.kind}: {name} {one.node}\n    {one.detail[:400]}\n    {sql}", file=sys.stderr)
            total += counts
            print(f"| {name} | {' | '.join(str(counts[kind]) for kind in COMPARED)} |", flush=True)
    print(f"| all | {' | '.join(str(total[kind]) for kind in COMPARED)} |")
    return int(bool(total["differs"]))


def _print_row(run: ProjectRun) -> None:
    counts = " | ".join(str(run.counts[column]) for column in _COLUMNS)
    print(f"| {run.name} | {run.datasources} | {run.pipes} | {len(run.left_out)} | {counts} |", flush=True)


def _print_sums(runs: Sequence[ProjectRun]) -> None:
    total: Counter[str] = sum((run.counts for run in runs), Counter())
    sizes = sum(run.datasources for run in runs), sum(run.pipes for run in runs), sum(len(r.left_out) for r in runs)
    cells = [*map(str, sizes), *(str(total[column]) for column in _COLUMNS)]
    print(f"| {len(runs)} projects | {' | '.join(cells)} |")


def _print_failures(run: ProjectRun) -> None:
    """To the other stream, so that the table can be kept."""
    for what, told in (*run.left_out.items(), *run.failures.items()):
        print(f"\n{run.name}: {what}\n    {told[:600]}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
