"""Tests of Tinybird Classic: rules in YAML that no row may break, and commands with the text that they print.

A rule is `- name: {sql: ..., pipe: {name: ..., params: {...}}}` and holds when its SQL answers no rows; `params` go to
the templates that the SQL reads. A command is a file `<name>.test` with one `tb pipe data` or `tb sql`, beside
`<name>.test.result`; blank lines do not count, as the scripts of Classic compare with `diff -B`. Source: Tinybird's
documentation of Classic, and public projects.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urlencode

import yaml

from tbpy.testing.model import Case, Suite

_FORMATS = {"json": "JSON", "csv": "CSVWithNames", "tsv": "TSVWithNames", "ndjson": "JSONEachRow"}
#: The layout of `tb sql` for people.
TABLE = "table"


def is_rule(item: yaml.Node) -> bool:
    """Whether an item of a list of tests is a rule: one name, and SQL below it."""
    if not isinstance(item, yaml.MappingNode) or len(item.value) != 1:
        return False
    body = item.value[0][1]
    return isinstance(body, yaml.MappingNode) and any(key.value == "sql" for key, _ in body.value)


def is_regression(item: yaml.Node) -> bool:
    """Whether it is a regression test, which asks two releases for the same and compares them."""
    keys = {key.value for key, _ in item.value} if isinstance(item, yaml.MappingNode) else set()
    return {"pipe", "tests"} <= keys


def rule(item: yaml.MappingNode, file: str) -> Case:
    name, body = item.value[0]
    fields = yaml.SafeLoader("").construct_document(body)
    pipe = fields.get("pipe") or {}
    return Case(
        pipe="",
        file=file,
        name=str(name.value),
        description="",
        parameters=urlencode(pipe.get("params") or {}, doseq=True),
        expected_result="",
        expected_http_status=None,
        line=name.start_mark.line + 1,
        result_line=name.start_mark.line + 1,
        sql=str(fields["sql"]).strip().rstrip(";"),
    )


def command(path: Path, file: str) -> Suite:
    """The test of a file with a command; a suite with a reason when the command is none that can be run here."""
    result = path.with_name(f"{path.name}.result")
    if not result.is_file():
        return Suite("", file, (), f"there is no {result.name}")
    try:
        words = shlex.split(path.read_text(encoding="utf-8"), comments=True)
    except ValueError as error:
        return Suite("", file, (), f"the command cannot be read: {error}")
    match words:
        case ["tb", "pipe" | "endpoint", "data", pipe, *options]:
            sql = None
        case ["tb", "sql", sql, *options]:
            pipe = ""
        case _:
            return Suite("", file, (), "only `tb pipe data` and `tb sql` can be run")
    found = _options(options)
    default = "" if sql is None else TABLE
    form = found.pop("format", default).lower()
    case = Case(
        pipe=pipe,
        file=file,
        name=path.stem,
        description="",
        parameters=urlencode(found),
        expected_result=_without_blank_lines(result.read_text(encoding="utf-8")),
        expected_http_status=None,
        line=1,
        result_line=1,
        sql=sql,
        form=_FORMATS.get(form, form) or "JSON",
        printed=True,
    )
    return Suite(pipe, file, (case,))


def _options(words: list[str]) -> dict[str, str]:
    """`--name value` and `--name=value`."""
    found: dict[str, str] = {}
    position = 0
    while position < len(words):
        name, equals, value = words[position].removeprefix("--").partition("=")
        if not equals:
            position += 1
            value = words[position] if position < len(words) else ""
        found[name] = value
        position += 1
    return found


def printed(text: str, form: str) -> str:
    """An answer as the command line of Classic prints it; `text` has tab-separated values when `form` is `TABLE`."""
    return _without_blank_lines(_table(text) if form == TABLE else text)


def _without_blank_lines(text: str) -> str:
    return "".join(f"{line}\n" for line in text.splitlines() if line.strip())


def _table(text: str) -> str:
    """Columns between bars, numbers to the right. Source: the layout of public test results."""
    rows = [line.split("\t") for line in text.splitlines()]
    if not rows:
        return ""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(map(_is_number, column[1:])) for column in columns]
    edge = "-" * (sum(widths) + 3 * len(widths) + 1)
    lines = [
        "| "
        + " | ".join(
            cell.rjust(width) if number and place else cell.ljust(width)
            for cell, width, number in zip(row, widths, right, strict=True)
        )
        + " |"
        for place, row in enumerate(rows)
    ]
    return "\n".join([edge, lines[0], edge, *lines[1:], edge])


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdigit()
