"""Reading every datafile of a folder: what each says, by name, and the files that say nothing for a mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from tbpy.datafiles import (
    Connection,
    Datasource,
    Kind,
    Pipe,
    ReadIncluded,
    parse_connection,
    parse_datasource,
    parse_pipe,
)
from tbpy.errors import DatafileError, Span
from tbpy.project.classic import included_from, is_classic, only_classic, published
from tbpy.project.connector_columns import with_connector_columns
from tbpy.project.discovery import Found, find_datafiles
from tbpy.project.memory import Memory
from tbpy.project.model import Key
from tbpy.project.report import Report

Content = Datasource | Pipe | Connection
Parse = Callable[[Found, str, bool], Content]
T = TypeVar("T", Datasource, Pipe, Connection)


@dataclass
class Files:
    """`contents` are the resources of the project, `vendored` those that other workspaces share.

    `broken` are names whose file could not be read, `classic` whether the project is one of Tinybird Classic.
    """

    contents: dict[Key, Content] = field(default_factory=dict)
    vendored: dict[str, Datasource] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    classic: bool = False

    def of(self, kind: type[T]) -> dict[str, T]:
        return {key.name: content for key, content in self.contents.items() if isinstance(content, kind)}


def read_files(
    report: Report, root: Path, secrets: Mapping[str, str], memory: Memory, *, ignore_missing: bool
) -> Files:
    """Reads all datafiles below `root`; what is wrong with one of them by itself is in the report."""
    found_files = find_datafiles(root)
    texts = {found: text for found in found_files if (text := _text(report, found)) is not None}
    files = Files(classic=is_classic(root, texts))
    parse = partial(_parse, memory, secrets, ignore_missing)
    for found in found_files:
        text = texts.get(found)
        content = None if text is None else _read(report, found, text, parse, files.classic)
        if content is None:
            files.broken.add(found.name)
            continue
        report.extend(content.warnings)
        if found.workspace is None:
            _add(report, files, found, content)
        elif isinstance(content, Datasource):
            files.vendored[found.name] = content
    return files


def _text(report: Report, found: Found) -> str | None:
    try:
        text = found.path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        report.error("unreadable", f"The file cannot be read: {reason}", found.file, Span.at(1, 1))
        return None
    report.texts[found.file] = text
    return text


def _parse(
    memory: Memory, secrets: Mapping[str, str], ignore_missing: bool, found: Found, text: str, classic: bool
) -> Content:
    """Most files are as they were when the project was last loaded. Those of Classic may include others."""
    read_included = included_from(found.path) if classic else None

    def parse() -> Content:
        return parse_datafile(
            text,
            found.kind,
            name=found.name,
            file=found.file,
            secrets=secrets,
            ignore_missing=ignore_missing,
            classic=read_included,
        )

    if read_included is not None:
        return parse()
    known = tuple(sorted(secrets.items()))
    question = ("parsed", found.kind, found.name, found.file, text, known, ignore_missing)
    return memory.recall(question, parse)


def _read(report: Report, found: Found, text: str, parse: Parse, classic: bool) -> Content | None:
    try:
        content = parse(found, text, classic)
    except DatafileError as error:
        report.extend(error.diagnostics)
        return None
    if classic:
        try:
            parse(found, text, False)
        except DatafileError as error:
            told = only_classic(error)
            report.extend(told)
            places = {one.span for one in told}
            content = replace(content, warnings=tuple(one for one in content.warnings if one.span not in places))
    if isinstance(content, Datasource):
        return with_connector_columns(content)
    return published(content) if classic and isinstance(content, Pipe) else content


def parse_datafile(
    text: str,
    kind: Kind,
    *,
    name: str,
    file: str | None = None,
    secrets: Mapping[str, str] | None = None,
    ignore_missing: bool = False,
    classic: ReadIncluded | None = None,
) -> Content:
    """The parser of the file's kind; secrets are put into the text of data sources and connections only."""
    match kind:
        case Kind.DATASOURCE:
            return parse_datasource(
                text, name=name, file=file, secrets=secrets, ignore_missing=ignore_missing, classic=classic
            )
        case Kind.PIPE:
            return parse_pipe(text, name=name, file=file, classic=classic)
        case Kind.CONNECTION:
            return parse_connection(text, name=name, file=file, secrets=secrets, ignore_missing=ignore_missing)


def _add(report: Report, files: Files, found: Found, content: Content) -> None:
    """A name belongs to one data source or pipe, whichever file comes first."""
    key = Key(found.kind, found.name)
    rivals = [key] if found.kind is Kind.CONNECTION else [Key(Kind.DATASOURCE, key.name), Key(Kind.PIPE, key.name)]
    rival = next((files.contents[other] for other in rivals if other in files.contents), None)
    if rival is not None:
        message = f"The name '{found.name}' is taken by {rival.file}"
        hint = "Data sources and pipes share their names: rename one of the files."
        report.error("duplicate-name", message, found.file, Span.at(1, 1), hint=hint)
    files.contents.setdefault(key, content)
