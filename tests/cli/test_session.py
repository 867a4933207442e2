"""The session of the README, from an empty folder, and what each of its commands says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Shell

ROOT = Path(__file__).parents[2]
SAID = {
    "init": "Created cltv with 16 files",
    "build": "24,000 rows of the fixture in customer_transactions",
    "append customer_transactions.ndjson": "200 rows appended to customer_transactions",
    "append customer_transactions more.csv": "100 rows appended to customer_transactions",
    "query": "24300",
    "endpoint data cltv_by_location": "New York",
    "endpoint data customer_cltv": "cust_3377",
    "test run": "5/5 passed",
}


def session(document: str, heading: str) -> list[str]:
    """The `tbpy` lines of the first `sh` block below a heading, without their comments."""
    text = (ROOT / document).read_text(encoding="utf-8")
    block = re.search(r"```sh\n(.*?)```", text[text.index(heading) :], re.DOTALL)
    assert block
    return [line.partition("  #")[0].rstrip() for line in block.group(1).splitlines() if line.startswith("tbpy ")]


def test_the_readme_session_runs(shell: Shell) -> None:
    lines = session("README.md", "## From an empty folder")
    assert len(lines) == len(SAID)
    folder = "."
    for line in lines:
        words = shlex.split(line.partition(" && ")[0], comments=True)[1:]
        ran = shell.tbpy(*words, cwd=folder)
        assert ran.code == 0, ran.err
        said = next(said for start, said in SAID.items() if " ".join(words).startswith(start))
        assert said in ran.out
        folder = "cltv"


def test_make_demo_is_the_readme_session() -> None:
    """One list of commands in two places: they must stay the same."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    typed = [line.strip(" \t\\&") for line in makefile.splitlines() if re.match(r"\t\t&& tbpy ", line)]
    assert typed == session("README.md", "## From an empty folder")[1:]


def test_the_commands_of_getting_started_run(cltv: Shell) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/getting-started.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for line in "".join(blocks).splitlines() if line.startswith("tbpy ")]
    assert len(lines) > 6
    for line in lines:
        words = shlex.split(line, comments=True)
        if words[1] != "init":
            assert cltv.tbpy(*words[1:]).code == 0, line


def test_the_fixtures_are_what_the_generator_makes(tmp_path: Path) -> None:
    (tmp_path / "fixtures").mkdir()
    script = ROOT / "benchmarks" / "cltv_data.py"
    subprocess.run([sys.executable, str(script), "--out", str(tmp_path)], check=True)
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        name = file.relative_to(tmp_path)
        assert file.read_bytes() == (ROOT / "project_template" / name).read_bytes(), name
