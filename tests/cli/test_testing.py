"""`tbpy test` and `tbpy fmt` on a real project."""

from __future__ import annotations

from tests.cli.conftest import Shell

CLOCK = """NODE n
SQL >
    %
    {% if String(what, '') == 'fail' %} {{error('no such thing')}} {% end %}
    SELECT now() AS now, {{Int32(add, 1)}} + 1 AS sum

TYPE endpoint
"""
CASES = """
- name: frozen
  description: A clock that stands
  parameters: add=2
  expected_result: |
    {"now":"2025-07-17 00:00:00","sum":3}

- name: wrong_parameter
  description: Errors are answers too
  parameters: add=x
  expected_http_status: 400
  expected_result: "Template Syntax Error: Error validating 'x' to type Int32"

- name: refused
  description: The pipe's own words
  parameters: what=fail
  expected_http_status: 400
  expected_result: no such thing
"""
NOW = ("--now", "2025-07-17 00:00:00")


def test_a_failure_shows_the_line_and_the_column(cltv: Shell) -> None:
    cltv.write("pipes/clock.pipe", CLOCK)
    cltv.write("tests/clock.yaml", CASES.replace('"sum":3', '"sum":4'))
    cltv.write("tests/gone.yaml", "- name: x\n  parameters: ''\n  expected_result: ''\n")
    ran = cltv.tbpy("test", "run", *NOW)
    assert ran.code == 1
    assert "✗ clock.frozen: the result is another\n  tests/clock.yaml:2 (add=2)" in ran.out
    assert '    6 - {"now":"2025-07-17 00:00:00","sum":4}\n' in ran.out
    assert '      + {"now":"2025-07-17 00:00:00","sum":3}\n' in ran.out
    assert "✓ clock.wrong_parameter" in ran.out
    assert "✓ clock.refused" in ran.out
    assert ran.out.splitlines()[-1].startswith("✗ 7/8 passed (1 file skipped)")
    assert "tests/gone.yaml is skipped" in ran.err


def test_the_answers_are_written_down(cltv: Shell) -> None:
    cltv.write("pipes/clock.pipe", CLOCK)
    cltv.write("tests/clock.yaml", CASES.replace('"sum":3', '"sum":4').replace("400", "404"))
    before = (cltv.folder / "tests/customer_cltv.yaml").read_text()
    assert "3 results updated, 0 unchanged" in cltv.tbpy("test", "update", "clock", *NOW).out
    assert (cltv.folder / "tests/clock.yaml").read_text() == CASES.replace(
        "  expected_result: \"Template Syntax Error: Error validating 'x' to type Int32\"\n",
        "  expected_result: 'Template Syntax Error: Error validating ''x'' to type Int32'\n",
    )
    assert cltv.tbpy("test", "run", "clock", *NOW).code == 0
    assert (cltv.folder / "tests/customer_cltv.yaml").read_text() == before


def test_tests_leave_the_workspace_alone(cltv: Shell) -> None:
    assert cltv.tbpy("append", "customer_transactions.ndjson").code == 0
    assert "5/5 passed" in cltv.tbpy("test", "run").out
    assert cltv.tbpy("test", "run", "cltv_summary", "--json").json["outcomes"][0]["case"]["line"] == 2


def test_a_mistake_in_a_test_file_has_a_place(cltv: Shell) -> None:
    cltv.write("tests/cltv_summary.yaml", "- name: x\n  parameter: a\n")
    ran = cltv.tbpy("test", "run")
    assert (ran.code, "tests/cltv_summary.yaml:2:3: error: unknown key 'parameter'" in ran.err) == (1, True)


def test_datafiles_are_laid_out_alike(cltv: Shell) -> None:
    assert "0 files formatted, 5 unchanged" in cltv.tbpy("fmt").out
    cltv.write("pipes/clock.pipe", CLOCK.replace("TYPE endpoint", "type endpoint"))
    looked = cltv.tbpy("fmt", "--diff")
    assert (looked.code, "-type endpoint\n" in looked.out) == (1, True)
    assert "1 file formatted" in cltv.tbpy("fmt", "pipes/clock.pipe").out
    assert cltv.tbpy("fmt", "--check").code == 0


def test_a_build_is_skipped_only_when_nothing_changed(cltv: Shell) -> None:
    assert "No changes" in cltv.tbpy("build").out
    cltv.write("pipes/clock.pipe", CLOCK)
    assert "pipe clock created" in cltv.tbpy("build").out
    cltv.write("pipes/clock.pipe", CLOCK.replace("+ 1 AS sum", "+ 2 AS sum"))
    assert "pipe clock changed" in cltv.tbpy("build").out
    (cltv.folder / "pipes/clock.pipe").unlink()
    assert "pipe clock deleted" in cltv.tbpy("build").out
