"""Records what ClickHouse prints in each format: `python -m tests.differential.record_formats`.

A case of `tests/cases/formats/*.jsonl` is `{query, types, rows, totals, answers}`: the columns' types, the rows as JSON
values (numbers that JSON has no words for as text) and the text of each format.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.differential.oracle import Oracle, OracleError

FOLDER = Path(__file__).parents[1] / "cases" / "formats"
_STATISTICS = re.compile(r',\n\n\t"statistics":\n\t\{.*?\n\t\}\n\}\n\Z', re.S)
_QUOTED = ("denormals", "decimals", "64bit_integers")
_EXACT = ", ".join(f"output_format_json_quote_{name} = 1" for name in _QUOTED)


def record(oracle: Oracle, query: str, formats: list[str]) -> dict[str, Any]:
    exact = _load(oracle.answer(f"{query} SETTINGS {_EXACT}", "JSONCompact"))
    unquoted = _load(oracle.answer(query, "JSONCompact"))
    for index, column in enumerate(exact["meta"]):
        if "JSON" in column["type"]:
            for row, plain_row in zip(exact["data"], unquoted["data"], strict=True):
                row[index] = plain_row[index]
    plain = json.loads(oracle.answer(query, "JSON"))
    case: dict[str, Any] = {
        "query": query,
        "columns": [[column["name"], column["type"]] for column in exact["meta"]],
        "rows": exact["data"],
    }
    if "totals" in exact:
        case["totals"] = exact["totals"]
    if "rows_before_limit_at_least" in plain:
        case["rows_before_limit_at_least"] = plain["rows_before_limit_at_least"]
    case["answers"] = {name: _text(oracle, query, name) for name in formats}
    return case


def _load(text: bytes) -> Any:
    return json.loads(text, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))


def _text(oracle: Oracle, query: str, name: str) -> str:
    return _STATISTICS.sub("\n}\n", oracle.answer(query, name).decode("utf-8", "replace"))


def main() -> None:
    queries = json.loads((FOLDER / "queries.json").read_text())
    with Oracle() as oracle:
        for name, group in queries.items():
            lines = []
            for query in group["queries"]:
                try:
                    lines.append(json.dumps(record(oracle, query, group["formats"]), ensure_ascii=False))
                except OracleError as error:
                    print(f"{query}\n  {error}")
            (FOLDER / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
            print(name, len(lines))


if __name__ == "__main__":
    main()
