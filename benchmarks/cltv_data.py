"""Seeded data of the customer lifetime value project: customers and their transactions, as NDJSON or CSV.

`python benchmarks/cltv_data.py` rewrites the files of `project_template/`; `--transactions 5000000 --out DIR` makes a
file to measure with. Only `Random.random` is used, the one method whose sequence Python promises to keep, so the
same arguments give the same bytes everywhere. Amounts are multiples of 0.25: sums of them are exact in any order.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

LOCATIONS = ("New York", "London", "Madrid", "Berlin", "Tokyo", "Sao Paulo", "Sydney", "Toronto")
FIRST_CUSTOMER = 2501
START = datetime(2024, 1, 1)
FIXTURE_DAYS = 546

Row = dict[str, Any]


def skewed(random: Random, bound: int) -> int:
    """A number below `bound`, small ones more often. A product, not a power: its last bit is the same everywhere."""
    fraction = random.random()
    return int(fraction * fraction * bound)


def customer_ids(count: int) -> list[str]:
    return [f"cust_{FIRST_CUSTOMER + i}" for i in range(count)]


def customers(ids: Iterable[str], random: Random) -> Iterator[Row]:
    for customer_id in ids:
        location = LOCATIONS[skewed(random, len(LOCATIONS))]
        yield {"customer_id": customer_id, "age": 18 + int(random.random() * 63), "location": location}


def transactions(ids: list[str], count: int, random: Random, *, start: datetime = START, days: int) -> Iterator[Row]:
    seconds = days * 86_400
    for _ in range(count):
        customer_id = ids[skewed(random, len(ids))]
        date = start + timedelta(seconds=int(random.random() * seconds))
        amount = (20 + skewed(random, 1_980)) / 4
        yield {
            "customer_id": customer_id,
            "transaction_date": date.strftime("%Y-%m-%d %H:%M:%S"),
            "transaction_amount": amount,
        }


def write_ndjson(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, row in enumerate(rows):
            if number == 0:
                file.write(",".join(row) + "\n")
            file.write(",".join(str(value) for value in row.values()) + "\n")


def write_template(folder: Path, *, seed: int = 7) -> None:
    """The fixtures of the template, and two small files to append by hand."""
    ids = customer_ids(1_200)
    random = Random(seed)
    write_ndjson(folder / "fixtures/customer_demographics.ndjson", customers(ids, random))
    rows = transactions(ids, 24_000, random, days=FIXTURE_DAYS)
    write_ndjson(folder / "fixtures/customer_transactions.ndjson", rows)
    later = START + timedelta(days=FIXTURE_DAYS)
    write_ndjson(folder / "customer_transactions.ndjson", transactions(ids, 200, random, start=later, days=7))
    write_csv(folder / "more.csv", transactions(ids, 100, random, start=later + timedelta(days=7), days=7))


def write_measured(folder: Path, count: int, *, seed: int = 7) -> None:
    ids = customer_ids(100_000)
    folder.mkdir(parents=True, exist_ok=True)
    write_ndjson(folder / "customer_transactions.ndjson", transactions(ids, count, Random(seed), days=FIXTURE_DAYS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "project_template")
    parser.add_argument("--transactions", type=int, help="write only this many transactions, of 100,000 customers")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.transactions is None:
        write_template(arguments.out, seed=arguments.seed)
    else:
        write_measured(arguments.out, arguments.transactions, seed=arguments.seed)


if __name__ == "__main__":
    main()
