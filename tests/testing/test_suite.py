"""Reading `tests/*.yaml`, telling differences, and writing results back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbpy.errors import DiagnosticsError
from tbpy.testing.difference import difference
from tbpy.testing.model import Suite
from tbpy.testing.suite import parse_suite
from tbpy.testing.update import Answer, rewrite

FILE = """# head
- name: a
  description: d
  parameters: x=1&x=2&y=%C3%A9&token=t
  expected_result: |
    {"a":1}

  # a comment
- expected_result: ''
  name: b
  parameters: '/v0/pipes/p.json?z='

- name: c
  expected_result: "x

    y"
  expected_http_status: 400
  parameters:
"""


def parse(text: str) -> Suite:
    return parse_suite(text, pipe="p", file="tests/p.yaml")


def test_cases_know_their_lines_and_parameters() -> None:
    cases = parse(FILE).cases
    assert [(c.name, c.line, c.result_line, c.expected_result, c.expected_http_status) for c in cases] == [
        ("a", 2, 6, '{"a":1}\n', None),
        ("b", 9, 9, "", None),
        ("c", 13, 14, "x\ny", 400),
    ]
    assert [c.arguments() for c in cases] == [{"x": ["1", "2"], "y": "é"}, {"z": ""}, {}]


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "[]"])
def test_a_file_may_be_empty(text: str) -> None:
    assert parse(text).cases == ()


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("- name: [", "tests/p.yaml:1:10", "not valid YAML"),
        ("name: x", "tests/p.yaml:1:1", "list of tests"),
        ("- one", "tests/p.yaml:1:3", "a test has"),
        ("- name: x\n  parameters: ''", "tests/p.yaml:1:3", "no expected_result"),
        ("- name: x\n  params: ''", "tests/p.yaml:2:3", "unknown key 'params'"),
        ("- name: x\n  parameters: {a: 1}", "tests/p.yaml:2:15", "must be text"),
        (
            "- name: x\n  parameters: ''\n  expected_result: ''\n  expected_http_status: bad",
            "tests/p.yaml:4:25",
            "must be a number",
        ),
    ],
)
def test_mistakes_have_a_place(text: str, place: str, message: str) -> None:
    with pytest.raises(DiagnosticsError) as caught:
        parse(text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.location() == place
    assert message in diagnostic.message


def test_a_difference_names_yaml_lines_and_columns() -> None:
    expected = '{"a":1,"b":1}\n{"a":2,"b":2}\n{"a":3,"b":3}\n'
    assert difference(expected, expected.replace('"b":2', '"b":25') + '{"a":4}', first_line=10) == (
        '   10   {"a":1,"b":1}',
        '   11 - {"a":2,"b":2}',
        '      + {"a":2,"b":25}',
        "                    ^  b",
        '   12   {"a":3,"b":3}',
        '      + {"a":4}  (no newline at the end)',
    )


def test_only_what_changed_is_rewritten() -> None:
    cases = parse(FILE).cases
    same = [(case, Answer(case.expected_http_status or 200, case.expected_result)) for case in cases]
    assert rewrite(FILE, same) == FILE
    changed = [(cases[0], Answer(200, '{"a":2}\n{"a":3}\n')), (cases[1], Answer(404, "gone")), *same[2:]]
    assert rewrite(FILE, changed) == FILE.replace('    {"a":1}\n', '    {"a":2}\n    {"a":3}\n').replace(
        "- expected_result: ''\n", "- expected_http_status: 404\n  expected_result: gone\n"
    )


TEXTS = st.text(alphabet="ab\"{}:# \n\t'\\é\x07-?|\r\u2028", max_size=20)


@given(st.lists(st.tuples(TEXTS, st.sampled_from([200, 400, 422])), min_size=3, max_size=3))
def test_what_is_written_reads_back(results: list[tuple[str, int]]) -> None:
    answers = [(case, Answer(status, text)) for case, (text, status) in zip(parse(FILE).cases, results, strict=True)]
    again = parse(rewrite(FILE, answers)).cases
    assert [(c.name, c.expected_result, c.expected_http_status) for c in again] == [
        (case.name, answer.text, answer.status if answer.is_error else None) for case, answer in answers
    ]
