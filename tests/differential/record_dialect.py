"""Records ClickHouse's answers to our own queries: `python -m tests.differential.record_dialect [area ...]`.

`tests/differential/queries/<area>.txt` holds templates, a line each. `«a ¦ b»` stands for each of its alternatives, and
a line for all combinations; `«@name»` takes the alternatives of the line `@name = a ¦ b`, which a file may define for
itself or find in `sets.txt`. A line that is no SELECT or WITH is a list of expressions, perhaps with a FROM that they
share: each becomes a query. What ClickHouse refuses stands with the code of its error in `refused.jsonl`; what it
answers differently a second time, or with bytes that are no text, is left out. Rows are compared in their order where
the query has an ORDER BY, and in the area `row_order`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conformance.dialect_cases import OWN
from tests.differential.compare import is_ordered, oracle_answer
from tests.differential.oracle import Oracle, OracleError

QUERIES = Path(__file__).with_name("queries")
_CHOICE = re.compile(r"«([^«»]*)»")
_SET = re.compile(r"@(\w+) = (.*)\Z")
_STATEMENT = re.compile(r"(SELECT|WITH)\b")
_MOST_ROWS = 60
_IN_ORDER = "row_order"  # the area of queries whose rows keep an order that they are given in
_CODE = re.compile(r"Code: (\d+)\.")


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


def record(oracle: Oracle, area: str, query: str) -> dict[str, Any] | None:
    """One case: an answer, or the code of the error. None when ClickHouse gives no answer that lasts."""
    case: dict[str, Any] = {
        "id": f"{area}-{hashlib.sha256(query.encode()).hexdigest()[:8]}",
        "area": area,
        "query": query,
    }
    try:
        answer = oracle_answer(oracle, query)
        if len(answer.rows) > _MOST_ROWS or oracle_answer(oracle, query) != answer:
            return None
    except OracleError as error:
        code = _CODE.match(str(error))
        return None if code is None else case | {"error": int(code[1])}
    case |= {"meta": answer.meta, "rows": answer.rows, "ordered": area == _IN_ORDER or is_ordered(query, answer)}
    return case if answer.totals is None else case | {"totals": answer.totals}


def _write(name: str, found: list[dict[str, Any]]) -> None:
    lines = [json.dumps(case, ensure_ascii=False, separators=(",", ":")) for case in found]
    text = "".join(line + "\n" for line in lines if "\ufffd" not in line)
    (OWN / f"{name}.jsonl").write_text(text, encoding="utf-8")


def main(areas: list[str]) -> int:
    paths = sorted(path for path in QUERIES.glob("*.txt") if path.stem != "sets")
    refused = []
    with Oracle() as oracle:
        for path in paths:
            if areas and path.stem not in areas:
                continue
            found = [case for query in queries(path) if (case := record(oracle, path.stem, query)) is not None]
            answered = [case for case in found if "error" not in case]
            refused += [case for case in found if "error" in case]
            _write(path.stem, answered)
            print(f"{path.stem}: {len(answered)} answered, {len(found) - len(answered)} refused")
    kept = [case for case in _refused() if areas and case["area"] not in areas]
    _write("refused", sorted([*kept, *refused], key=lambda case: str(case["area"])))
    return 0


def _refused() -> list[dict[str, Any]]:
    """What was refused when it was recorded last, of all areas."""
    return [json.loads(line) for line in (OWN / "refused.jsonl").read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
