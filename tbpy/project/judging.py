"""The judgement of one datafile alone, as a build makes it before it looks at any other file."""

from __future__ import annotations

from collections.abc import Mapping

from tbpy.datafiles import Datasource, Kind, Pipe
from tbpy.errors import DatafileError, Diagnostic
from tbpy.project.datasources import check_types
from tbpy.project.reading import Content, parse_datafile
from tbpy.project.report import Report
from tbpy.project.statements import read_node


def judge_datafile(
    text: str, kind: Kind | str, *, name: str = "x", secrets: Mapping[str, str] | None = None
) -> tuple[Content | None, tuple[Diagnostic, ...]]:
    """What the file says, None when it cannot be read, and what is wrong with it by itself.

    Beyond the grammar of datafiles that is: types, templates (rendered in test mode) and SQL syntax. `secrets` None
    ignores secrets.
    """
    kind = Kind(kind)
    file = f"{name}.{kind}"
    report = Report({file: text})
    try:
        content = parse_datafile(text, kind, name=name, file=file, secrets=secrets)
    except DatafileError as error:
        return None, error.diagnostics
    if isinstance(content, Datasource):
        check_types(report, content)
    if isinstance(content, Pipe):
        for node in content.nodes:
            read_node(report, file, node, secrets, other_statements=True)
    report.extend(content.warnings)
    return content, report.ordered()
