"""How long `tbpy append` takes, against the same load by hand in DuckDB and in chdb.

    python benchmarks/append.py --rows 5000000 --rounds 5 --formats ndjson csv parquet

Every figure is of a fresh process, its start included, into a fresh database; rounds are interleaved, and ratios are of
medians. `raw` is a bare `INSERT ... SELECT` with declared types and `preserve_insertion_order = false`, which is the
faster way by far; `raw, as it comes` is the same without that setting. Neither keeps a bad row: `tbpy, 0.1 % bad` is
compared to `raw` on the file without bad rows.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

COLUMNS = {"customer_id": "VARCHAR", "transaction_date": "TIMESTAMP", "transaction_amount": "DOUBLE"}
DATASOURCE = """\
SCHEMA >
    `customer_id` String `json:$.customer_id`,
    `transaction_date` DateTime `json:$.transaction_date`,
    `transaction_amount` Float64 `json:$.transaction_amount`

ENGINE "MergeTree"
ENGINE_PARTITION_KEY "toYYYYMM(transaction_date)"
ENGINE_SORTING_KEY "customer_id, transaction_date"
"""
READERS = {"ndjson": "read_json", "csv": "read_csv", "parquet": "read_parquet"}


@dataclass(frozen=True)
class Run:
    """Seconds of wall clock and of all cores, and the peak of resident memory in MB."""

    wall: float
    cpu: float
    memory: float


def main() -> None:
    options = parse_options()
    options.folder.mkdir(parents=True, exist_ok=True)
    for kind in options.formats:
        files = make_files(options.folder, kind, options.rows)
        contenders = contenders_of(kind, files)
        runs: dict[str, list[Run]] = {name: [] for name in contenders}
        for _ in range(options.rounds):
            for name, run in contenders.items():
                runs[name].append(run())
        print(report(kind, options.rows, runs), flush=True)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--formats", nargs="+", choices=READERS, default=list(READERS))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tbpy-append-benchmark")
    return parser.parse_args()


# --- files ------------------------------------------------------------------------------------------------------------


def make_files(folder: Path, kind: str, rows: int) -> dict[str, Path]:
    """Files by name, kept from run to run: `clean`, and where a format can be wrong `bad` and `late`."""
    shares = {"clean": 0.0} if kind == "parquet" else {"clean": 0.0, "bad": 0.001}
    files = {name: folder / f"{name}_{rows}.{kind}" for name in shares}
    for name, share in shares.items():
        if files[name].exists():
            continue
        if kind == "parquet":
            write_parquet(make_files(folder, "csv", rows)["clean"], files[name])
        else:
            write_text(files[name], transactions(rows, share, as_json=kind == "ndjson"), header=kind == "csv")
    if kind == "ndjson":
        files["late"] = folder / f"late_{rows}.{kind}"
        if not files["late"].exists():
            shutil.copy(files["clean"], files["late"])
            with files["late"].open("a") as file:
                file.write('{"customer_id": \n')
    return files


def transactions(rows: int, bad_share: float, *, as_json: bool) -> Iterator[str]:
    """Lines of customer transactions; the bad ones have a wrong date, a wrong amount or an end that is missing."""
    source = random.Random(20240501)
    for _ in range(rows):
        customer = f"cust_{source.randrange(100_000)}"
        day = f"2024-{source.randrange(1, 13):02d}-{source.randrange(1, 29):02d}"
        moment = f"{day} {source.randrange(24):02d}:{source.randrange(60):02d}:{source.randrange(60):02d}"
        amount = str(source.randrange(1, 50_000) / 100)
        wrong = source.randrange(3) if source.random() < bad_share else None
        moment = "no date" if wrong == 0 else moment
        amount = '"much"' if wrong == 1 else amount
        if as_json:
            line = f'{{"customer_id":"{customer}","transaction_date":"{moment}","transaction_amount":{amount}}}'
            yield line[:-20] if wrong == 2 else line
        else:
            yield customer if wrong == 2 else f"{customer},{moment},{amount}"


def write_text(path: Path, lines: Iterator[str], *, header: bool) -> None:
    with path.open("w", encoding="utf-8") as file:
        if header:
            file.write(",".join(COLUMNS) + "\n")
        file.writelines(f"{line}\n" for line in lines)


def write_parquet(csv: Path, path: Path) -> None:
    import duckdb

    types = ", ".join(f"'{name}': '{type_}'" for name, type_ in COLUMNS.items())
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{csv}', header = true, columns = {{{types}}})) TO '{path}'")


# --- contenders -------------------------------------------------------------------------------------------------------


def contenders_of(kind: str, files: dict[str, Path]) -> dict[str, Callable[[], Run]]:
    clean = files["clean"]
    found = {
        "raw": lambda: run_raw(kind, clean, ordered=False),
        "tbpy": lambda: run_tbpy(clean),
        "raw, as it comes": lambda: run_raw(kind, clean, ordered=True),
        "chdb": lambda: run_chdb(kind, clean),
    }
    if "bad" in files:
        found["tbpy, 0.1 % bad"] = lambda: run_tbpy(files["bad"])
    if "late" in files:
        found["tbpy, last row bad"] = lambda: run_tbpy(files["late"])
    return found


def run_raw(kind: str, path: Path, *, ordered: bool) -> Run:
    types = ", ".join(f"{name} {type_} NOT NULL" for name, type_ in COLUMNS.items())
    columns = "{" + ", ".join(f"'{name}': '{type_}'" for name, type_ in COLUMNS.items()) + "}"
    options = {"ndjson": f", columns = {columns}", "csv": f", header = true, columns = {columns}", "parquet": ""}[kind]
    code = f"""
        import duckdb
        c = duckdb.connect("raw.duckdb")
        {"" if ordered else 'c.execute("SET preserve_insertion_order = false")'}
        c.execute("CREATE TABLE t ({types})")
        c.execute(\"\"\"INSERT INTO t SELECT * FROM {READERS[kind]}('{path}'{options})\"\"\")
        c.close()
    """
    with tempfile.TemporaryDirectory() as folder:
        return measure([sys.executable, "-c", textwrap.dedent(code)], Path(folder))


def run_tbpy(path: Path) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "datasources").mkdir()
        (root / "datasources/customer_transactions.datasource").write_text(DATASOURCE)
        measure([sys.executable, "-m", "tbpy.cli.main", "build"], root)
        return measure([sys.executable, "-m", "tbpy.cli.main", "append", "customer_transactions", str(path)], root)


def run_chdb(kind: str, path: Path) -> Run:
    format_ = {"ndjson": "JSONEachRow", "csv": "CSVWithNames", "parquet": "Parquet"}[kind]
    schema = "customer_id String, transaction_date DateTime, transaction_amount Float64"
    code = f"""
        from chdb import session
        s = session.Session("chdb")
        s.query("CREATE DATABASE d")
        s.query("CREATE TABLE d.t ({schema}) ENGINE = MergeTree ORDER BY (customer_id, transaction_date)")
        s.query("INSERT INTO d.t SELECT * FROM file('{path}', '{format_}', '{schema}')")
        s.close()
    """
    with tempfile.TemporaryDirectory() as folder:
        return measure([sys.executable, "-c", textwrap.dedent(code)], Path(folder))


def measure(command: Sequence[str], folder: Path) -> Run:
    """Runs a command in a folder. Raises when it fails."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    started = time.perf_counter()
    quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    here = Path.cwd()
    os.chdir(folder)
    try:
        pid = os.posix_spawn(command[0], list(command), environment, file_actions=quiet)
    finally:
        os.chdir(here)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise SystemExit(f"failed: {' '.join(command)[:500]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


# --- report -----------------------------------------------------------------------------------------------------------


def report(kind: str, rows: int, runs: dict[str, list[Run]]) -> str:
    """A table: medians, and their ratios to `raw`."""
    base = median(runs["raw"])
    lines = [f"\n{kind}, {rows:,} rows", f"{'':20} {'wall s':>8} {'ratio':>6} {'CPU s':>8} {'ratio':>6} {'MB':>6}"]
    for name, measured in runs.items():
        middle = median(measured)
        wall, cpu = middle.wall / base.wall, middle.cpu / base.cpu
        memory = max(run.memory for run in measured)
        lines.append(f"{name:20} {middle.wall:8.2f} {wall:6.2f} {middle.cpu:8.2f} {cpu:6.2f} {memory:6.0f}")
    return "\n".join(lines)


def median(runs: list[Run]) -> Run:
    return Run(
        statistics.median(run.wall for run in runs),
        statistics.median(run.cpu for run in runs),
        statistics.median(run.memory for run in runs),
    )


if __name__ == "__main__":
    main()
