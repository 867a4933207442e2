"""Records ClickHouse's answers to our own queries: `python -m tests.differential.record_dialect [area ...]`.

`tests/differential/queries/<area>.txt` holds templates, a line each. `«a ¦ b»` stands for each of its alternatives, and
a line for all combinations; `«@name»` takes the alternatives of the line `@name = a ¦ b`, which a file may define for
itself or find in `sets.txt`. A line that is no SELECT or WITH is a list of expressions, perhaps with a FROM that they
share: each becomes a query. What
ClickHouse refuses, answers differently a second time, or answers with bytes that are no text, is left out.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conformance.comparison import Answer
from tests.conformance.dialect_cases import OWN
from tests.differential.compare import is_ordered, oracle_answer
from tests.differential.oracle import Oracle, OracleError

QUERIES = Path(__file__).with_name("queries")
_CHOICE = re.compile(r"«([^«»]*)»")
_SET = re.compile(r"@(\w+) = (.*)\Z")
_STATEMENT = re.compile(r"(SELECT|WITH)\b")
_MOST_ROWS = 60


def queries(path: Path) -> Iterator[str]:
    """The queries of a file of templates, each once."""
    sets: dict[str, str] = {}
    seen: set[str] = set()
    for line in [*(QUERIES / "sets.txt").read_text().split("\n"), *path.read_text().split("\n")]:
        found = _SET.match(line)
        if found is not None:
            sets[found[1]] = found[2]
        elif line and not line.startswith("#"):
            for query in _expanded(line, sets):
                if query not in seen:
                    seen.add(query)
                    yield query


def _expanded(line: str, sets: dict[str, str]) -> Iterator[str]:
    line = re.sub(r"@(\w+)", lambda found: sets.get(found[1], found[0]), line)
    parts = _CHOICE.split(line)
    for chosen in itertools.product(*([part.strip() for part in choice.split("¦")] for choice in parts[1::2])):
        text = "".join(itertools.chain.from_iterable(itertools.zip_longest(parts[::2], chosen, fillvalue="")))
        yield from [text] if _STATEMENT.match(text) else _each_expression(text)


def _each_expression(text: str) -> Iterator[str]:
    source, found = "", [""]
    for index, char, outside in _characters(text):
        if outside and text.startswith(" FROM ", index):
            source = text[index:]
            break
        if outside and char == ",":
            found.append("")
        else:
            found[-1] += char
    for expression in found:
        yield f"SELECT {expression.strip()}{source}"


def _characters(text: str) -> Iterator[tuple[int, str, bool]]:
    """Each character with its place, and whether it stands outside of quotes and brackets."""
    quoted, depth, escaped = False, 0, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = quoted
        elif char == "'":
            quoted = not quoted
        elif not quoted:
            depth += (char in "([{") - (char in ")]}")
        yield index, char, not quoted and depth == 0


def record(oracle: Oracle, area: str, query: str) -> str | None:
    """The line of one case, None when the query has no answer that lasts."""
    try:
        answer = oracle_answer(oracle, query)
        if len(answer.rows) > _MOST_ROWS or oracle_answer(oracle, query) != answer:
            return None
    except OracleError:
        return None
    line = _line(area, query, answer)
    return None if "\ufffd" in line else line


def _line(area: str, query: str, answer: Answer) -> str:
    case = {
        "id": f"{area}-{hashlib.sha256(query.encode()).hexdigest()[:8]}",
        "area": area,
        "query": query,
        "meta": answer.meta,
        "rows": answer.rows,
        "ordered": is_ordered(query, answer),
    }
    if answer.totals is not None:
        case["totals"] = answer.totals
    return json.dumps(case, ensure_ascii=False, separators=(",", ":"))


def main(areas: list[str]) -> int:
    paths = sorted(path for path in QUERIES.glob("*.txt") if path.stem != "sets")
    with Oracle() as oracle:
        for path in paths:
            if areas and path.stem not in areas:
                continue
            asked = list(queries(path))
            lines = [line for query in asked if (line := record(oracle, path.stem, query)) is not None]
            (OWN / f"{path.stem}.jsonl").write_text("".join(line + "\n" for line in lines), encoding="utf-8")
            print(f"{path.stem}: {len(lines)} of {len(asked)} queries")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
