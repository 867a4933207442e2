"""What starting the command loads. Static contracts cannot see deferred imports, so each module is loaded for real."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from tests.cli.conftest import environment

HEAVY = ("duckdb", "rich", "sqlglot", "orjson", "yaml", "pyarrow", "numpy", "asyncio", "watchfiles", "chdb")
# Rooms that stay free of the database, the terminal and the network, whatever is loaded late.
PURE = ("tbpy.errors", "tbpy.datafiles", "tbpy.templating", "tbpy.clickhouse", "tbpy.project")


def loaded(module: str) -> set[str]:
    code = f"import sys, {module}; print(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


def test_the_command_starts_without_heavy_modules() -> None:
    assert loaded("tbpy.cli.main") & set(HEAVY) == set()


@pytest.mark.parametrize("module", PURE)
def test_reading_and_checking_load_no_driver(module: str) -> None:
    assert loaded(module) & {"duckdb", "chdb", "typer", "rich", "pyarrow", "ssl"} == set()


@pytest.mark.parametrize("module", ["functions.registry", "aggregates.registry", "compiler.expressions", "compiler"])
def test_parts_of_the_compiler_load_in_any_order(module: str) -> None:
    assert "tbpy" in loaded(f"tbpy.clickhouse.{module}")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_are_quick(option: str) -> None:
    """The target is 0.10 s. Processor time is judged, which a busy machine stretches less: the best of some runs."""
    best = min(processor_seconds(option) for _ in range(7))
    assert best < 0.15


def processor_seconds(option: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "tbpy.cli.main", option]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
