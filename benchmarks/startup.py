"""How long the commands that people wait for take, process start included.

    python -m benchmarks.startup [--rounds 9]

Each is a fresh process with compiled modules cached, beside `python -c pass` in the same rounds. The project of 100
pipes (two nodes each) and 20 data sources is made in a scratch folder.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

TBPY = (sys.executable, "-m", "tbpy.cli.main")
DATASOURCE = (
    "SCHEMA >\n    `id` String `json:$.id`,\n    `at` DateTime `json:$.at`,\n    `value` Float64 `json:$.value`\n"
)
PIPE = """NODE filtered
SQL >
    %
    SELECT id, at, value * {number} AS value FROM source_{source}
    WHERE at >= {{{{DateTime(since, '2024-01-01 00:00:00')}}}}
    {{% if defined(id) %}} AND id = {{{{String(id)}}}} {{% end %}}

NODE answer
SQL >
    SELECT toStartOfDay(at) AS day, count() AS events, sum(value) AS total, uniq(id) AS ids
    FROM filtered GROUP BY day ORDER BY day DESC LIMIT 30

TYPE endpoint
"""


def large_project(root: Path) -> None:
    for number in range(20):
        (root / f"source_{number}.datasource").write_text(DATASOURCE)
    for number in range(100):
        (root / f"endpoint_{number}.pipe").write_text(PIPE.format(number=number, source=number % 20))


def caching_modules() -> dict[str, str]:
    """The environment of a person's machine, where Python keeps compiled modules."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def timed(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Wall and processor seconds of one run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=caching_modules(), check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        template, large = Path(scratch) / "template", Path(scratch) / "large"
        subprocess.run([*TBPY, "init", str(template)], check=True, capture_output=True)
        subprocess.run([*TBPY, "build"], cwd=template, check=True, capture_output=True)
        large.mkdir()
        large_project(large)
        jobs: dict[str, tuple[Sequence[str], Path, Callable[[], None]]] = {
            "python -c pass": ((sys.executable, "-c", "pass"), template, lambda: None),
            "tbpy --help": ((*TBPY, "--help"), template, lambda: None),
            "tbpy --version": ((*TBPY, "--version"), template, lambda: None),
            "build, nothing changed": ((*TBPY, "build"), template, lambda: None),
            "build of 100 pipes from nothing": (
                (*TBPY, "build"), large, lambda: shutil.rmtree(large / ".tbpy", ignore_errors=True)
            ),
        }  # fmt: skip
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
        for _ in range(rounds):
            for name, (command, folder, prepare) in jobs.items():
                prepare()
                taken[name].append(timed(command, folder))
    print(f"{'command':34} {'wall s':>7} {'CPU s':>7}   median of {rounds}")
    for name, times in taken.items():
        wall, processor = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name:34} {wall:7.3f} {processor:7.3f}")


if __name__ == "__main__":
    main()
