"""`tbpy dev` on a project of 100 pipes: from start to first answer, from a saved file to the new answer, idle memory.

    python -m benchmarks.developing [--rounds 20]

The endpoint that changes is asked over one connection, again and again, until it answers as its file now says.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from benchmarks.startup import TBPY, caching_modules, large_project, timed

CHANGING = "NODE answer\nSQL >\n    SELECT {number} AS number, count() AS rows FROM source_0\n\nTYPE endpoint\n"
LONGEST_WAIT = 30.0  # seconds
T = TypeVar("T")


class Asker:
    """Asks the endpoint `changing` of the process that serves `root`."""

    def __init__(self, root: Path) -> None:
        process = until(lambda: announced(root))
        self.token = process["token"]
        self._connection = http.client.HTTPConnection("127.0.0.1", int(process["url"].rsplit(":", 1)[1]))

    def number(self) -> int | None:
        self._connection.request("GET", f"/v0/pipes/changing.json?token={self.token}")
        answer = self._connection.getresponse()
        document = json.loads(answer.read())
        return document["data"][0]["number"] if answer.status == 200 else None


def announced(root: Path) -> dict[str, str] | None:
    """Where the process answers, once it does."""
    process: dict[str, str] = json.loads((root / ".tbpy" / "process.json").read_text())
    return process if process.get("url") else None


def until(attempt: Callable[[], T | None]) -> T:
    """What `attempt` answers when it first neither fails nor answers None."""
    deadline = time.perf_counter() + LONGEST_WAIT
    while True:
        try:
            if (found := attempt()) is not None:
                return found
        except (OSError, ValueError):
            pass
        if time.perf_counter() > deadline:
            raise TimeoutError
        time.sleep(0.0005)


def change(root: Path, number: int) -> None:
    (root / "changing.pipe").write_text(CHANGING.format(number=number))


def resident(process: int) -> float:
    """Megabytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        large_project(root)
        change(root, 0)
        for _ in range(2):
            timed([*TBPY, "build"], root)
        began = time.perf_counter()
        process = subprocess.Popen(
            [*TBPY, "dev", "--port", "0"],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=caching_modules(),
        )
        try:
            asker = Asker(root)
            until(asker.number)
            started = time.perf_counter() - began
            time.sleep(2)
            memory, taken = resident(process.pid), []
            for number in range(1, rounds + 1):
                time.sleep(0.3)
                saved = time.perf_counter()
                change(root, number)
                while asker.number() != number:
                    pass
                taken.append((time.perf_counter() - saved) * 1000)
        finally:
            process.terminate()
            process.wait()
    print(f"start to the first answer {started:.2f} s, idle {memory:.0f} MB")
    print(f"saved file to new answer: median {statistics.median(taken):.0f} ms, slowest {max(taken):.0f} ms")


if __name__ == "__main__":
    main()
