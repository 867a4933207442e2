"""What the recorded cases do not reach: control flow, places of errors, origins, secrets, inputs."""

from __future__ import annotations

from datetime import datetime

import pytest

from tbpy.templating import CustomTemplateError, TemplateError, compile_template, is_dynamic, strip_marker

RENDERS = [
    ("{% set i = 0 %}{% while i < 3 %}{{i}}{% set i += 1 %}{% end %}", {}, "012"),
    ("{% for i in range(3) %}{{i}}{% else %}E{% end %}", {}, "012E"),
    ("{% for i in range(3) %}{% if i == 1 %}{% break %}{% end %}{{i}}{% else %}E{% end %}", {}, "0"),
    ("{% for i in [1,2,3] %}{% if i == 2 %}{% continue %}{% end %}{{i}}{% end %}", {}, "13"),
    ("{% for k, v in JSON(a).items() %}{{k}}{{v}}{% end %}", {"a": '{"x": 1}'}, "'x'1"),
    ("{% set x, y = 1, 2 %}{{x + y}}", {}, "3"),
    ("{% set d = {} %}{% set d['k'] = 1 %}{{d}}", {}, "{'k': 1}"),
    ("{% set f = lambda x: x * 2 %}{% if f(2) == 4 %}Y{% end %}", {}, "Y"),
    ("{% set x = sorted([3, 1, 2], key=lambda v: -v) %}{{x}}", {}, "[3, 2, 1]"),
    ("{% set x = [i * j for i in range(3) for j in range(3) if i != j] %}{{x}}", {}, "[0, 0, 0, 2, 0, 2]"),
    ("{% set x = {k: v for k, v in zip('ab', [1, 2])} %}{{x}}", {}, "{'a': 1, 'b': 2}"),
    ("{% set x = '{} {a}'.format(1, a=2) %}{{x}}", {}, "'1 2'"),
    ("{% set i = 7 %}{% set x = [i for i in [1, 2]] %}{{i}}", {}, "7"),
    ("{% if 1 < Int32(a) <= 5 %}Y{% end %}", {"a": "5"}, "Y"),
    ("{% if isinstance(a, (str, int)) and a.startswith('x') %}Y{% end %}", {"a": "xy"}, "Y"),
    (
        "{% try %}{{Int32(a)}}{% except ValueError as e %}{{e}}{% end %}",
        {"a": "x"},
        "'Error validating \\'x\\' to type Int32'",
    ),
    ("{% try %}{% for i in [1] %}{% break %}{% end %}t{% except %}e{% else %}o{% finally %}f{% end %}", {}, "tof"),
    ("{% whitespace single %}a  b\n\n  c{% whitespace all %}d  e", {}, "a b\ncd  e"),
    ("{{{ 'a' }}}", {}, "{'a'}"),
    ("{{Array(a, Int32)}}", {"a": "1,2"}, "[1,2]"),
    ("{{ a\n + b }}", {"a": "x", "b": "y"}, "'xy'"),
    ("{{String(a)}}", {"a": "{{String(b)}}"}, "'{{String(b)}}'"),
    ("{% if False %}{{Int32(a, nonsense=1)}}{% end %}", {}, ""),
    ("{{ 'a'.replace('a', 'b') + '-'.join(['x', 'y']) }}", {}, "'bx-y'"),
    ("{{ {'a': 1}.get('b', 2) * 3 - len('ab') }}", {}, "4"),
    ("{{ 1, 'x' }}{{ (1, 2)[0:1] }}", {}, "(1, 'x')(1,)"),
    ("{% set x = [*[1], *range(2)] %}{% set y = {**{'a': 1}, 'b': x} %}{{y}}", {}, "{'a': 1, 'b': [1, 0, 1]}"),
    ("{% set x = list(map(str, filter(None, reversed([0, 1])))) %}{{x}}", {}, "['1']"),
    (
        "{% set x = [i for i, _ in enumerate('ab')] + [sum([1, 2]), round(2.6), 7 % 4, 2 ** 3, 1 << 2] %}{{x}}",
        {},
        "[0, 1, 3, 3, 3, 8, 4]",
    ),
    ("{% set x = {c for c in 'aa'} %}{{x}}{% if (n := 3) not in [1] %}{{n}}{% end %}", {}, "{'a'}3"),
    ("{% set x: int = 1 %}{% set l = [] %}{% set l.append(x) %}{% set l[0] = [2] %}{{l}}", {}, "[[2]]"),
    ("{% try %}{% try %}{{Int32(a)}}{% finally %}f{% end %}{% except %}e{% end %}", {}, "fe"),
    ("{% try %}{% set x = {}['k'] %}{% except (KeyError, TypeError) %}k{% end %}", {}, "k"),
    ("{{max_threads('x')}}{{backend_hint(a)}}", {"a": "x\ny"}, "-- max_threads: wrong argument\n-- backend_hint x y\n"),
    ("{{Array(a,'Int32')}}", {"a": [1, "2"]}, "[1,2]"),
]


@pytest.mark.parametrize(("template", "parameters", "sql"), RENDERS)
def test_renders(template, parameters, sql):
    assert compile_template(template).render(parameters).sql == sql


FAILS = [
    ("SELECT 1\n  {{Strin(a)}}", "Invalid function name: Strin", (2, 5)),
    ("a\n{% if defined(a) %}\n{{Int32(b)}}{% end %}", "Check the parameters a and b. Please provide", (3, 1)),
    ("{% if a\n  > [1)] %}{% end %}", "at <string>:2", (2, 7)),
    ("é {{ 'é' + a.b }}", "Invalid expression type: Attribute", (1, 12)),
    ("{% if True %}\n{% for x in [1] %}", "Missing {% end %} block for for at line 2", (2, 1)),
    ("{% if a > 3 %}{% end %}", "'>' not supported between", (1, 1)),
    ("\n{{String(q)}}", '"q" can not be used as a variable name, line 2', (2, 10)),
    ("{% set x = 1; y = 2 %}", "Invalid set statement", (1, 8)),
    ("{{ a # c }}", "invalid syntax", (1, 4)),
    ("{{ a) + (b }}", "at <string>:1", (1, 5)),
    ("{{ a] + [b }}", "at <string>:1", (1, 4)),
    ("{% if True %}{% elif a %}{% else %}{% elif b %}{% end %}", "invalid syntax", (1, 36)),
    ("{% if a:\n b\nif c %}{% end %}", "at <string>", None),
    ("{% try %}x{% end %}", "invalid syntax", (1, 1)),
    ("{{defined(a, b)}}", "defined() takes at most 1 arguments, not 2", (1, 1)),
    ("{{symbol()}}", "symbol() is missing its argument name", (1, 1)),
    ("{{String(max_threads)}}", '"max_threads" can not be used as a variable name', (1, 10)),
    ("{% end %}", "Extra {% end %} block at <string>:1", (1, 1)),
    ("{% else %}", "else outside for, if, try, while block", (1, 1)),
    ("{% for i in [1] %}{% elif i %}{% end %}", "elif block cannot be attached to for block", (1, 19)),
    ("{% if True %}{% break %}{% end %}", "break outside", (1, 14)),
    ("{% set %}", "set missing statement", (1, 1)),
    ("{% try %}{% except Foo %}{% end %}", "Invalid name", (1, 20)),
    ("{{ a ** 2 }}", "Invalid BinOp: Pow()", (1, 4)),
    ("{{ +a }}", "Invalid UnaryOp: UAdd()", (1, 4)),
    ("{{ b'x' }}", "Invalid expression type: bytes", (1, 4)),
    ("{% for i in b %}{% end %}", "a missing value is no list to go through", (1, 1)),
    ("{{Int32()}}", "one of the transform type functions is missing an argument", (1, 1)),
    ("{{Array(a, default=1)}}{{Array(b, default=1)}}", "transform type function Array is not well defined", (1, 24)),
    ("{{columns(b)}}", "Missing columns() default value", (1, 1)),
    ("{{columns(['x'])}}", "The 'columns' function expects a String not an Array", (1, 1)),
    ("{{split_to_array(5)}}", "First argument of split_to_array has to be a value that can be split", (1, 1)),
    ("{% set f = lambda x: x %}{% if f(1, 2) %}{% end %}", "the lambda takes 1 values, not 2", (1, 26)),
    ("{% set f = lambda x=1: x %}", "a lambda takes plain arguments only", (1, 12)),
    ("{{JSON(b, '{}')['z']}}", "no such key: 'z'", (1, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("template", "message", "place"), FAILS)
def test_failures_have_a_place(template, message, place):
    with pytest.raises(TemplateError) as caught:
        compile_template(template).render({"a": "1"})
    assert message in caught.value.message
    assert place is None or (caught.value.line, caught.value.column) == place


def test_custom_errors_carry_body_status_and_place():
    with pytest.raises(CustomTemplateError) as caught:
        compile_template("\n{{custom_error({'error': 'nope'}, 422)}}").render({})
    error = caught.value
    assert (error.body, error.status, error.line) == ({"error": "nope"}, 422, 2)


def test_every_character_of_the_sql_has_an_origin():
    text = "SELECT {{String(a)}}\n{% for i in [1,2] %} x{{i}}{% end %}!"
    rendered = compile_template(text).render({"a": "abc"})
    assert rendered.sql == "SELECT 'abc'\n x1 x2!"
    origins = [rendered.origin(offset) for offset in range(len(rendered.sql))]
    assert origins[:7] == list(range(7))
    assert origins[7:12] == [7] * 5
    for offset in (13, 14, 16, 17, 19):
        assert rendered.sql[offset] == text[origins[offset]]
    assert origins[15] == origins[18] == text.index("{{i}}")
    assert rendered.origin(10_000) >= 0


def test_secrets_are_bound_and_never_part_of_the_sql():
    template = compile_template("SELECT {{tb_secret('key')}}, {{tb_var('other', 'd')}}")
    rendered = template.render({}, secrets={"key": "s3cret"})
    assert (rendered.sql, rendered.secrets) == ("SELECT {key: String}, 'd'", {"key": "s3cret"})
    assert template.render({}, test_mode=True).secrets == {"key": "", "other": "d"}
    for test_mode in (False, True):
        with pytest.raises(TemplateError, match="Cannot access secret 'key'"):
            template.render({}, secrets={}, test_mode=test_mode)


def test_one_template_renders_many_times_without_memory():
    template = compile_template("{% set a = a + 'x' %}{{a}}{{max_threads(2)}}")
    parameters = {"a": "1"}
    assert [template.render(parameters).sql for _ in range(2)] == ["'1x'-- max_threads 2\n"] * 2
    assert parameters == {"a": "1"}


def test_job_timestamp_is_the_time_that_is_passed():
    template = compile_template("{{job_timestamp}}")
    assert template.render({}, now=datetime(2026, 1, 2, 3, 4, 5)).sql == "'2026-01-02 03:04:05'"
    assert template.render({"job_timestamp": "x"}).sql == "'x'"


def test_inputs_leave_out_the_templates_own_variables():
    text = "{% set x = 1 %}{% if defined(a) %}{{b}}{% end %}{{Int32(b, 3)}}{% for i in [1] %}{{i + x}}{% end %}"
    assert [(p.name, p.type, p.default) for p in compile_template(text).inputs()] == [
        ("a", "String", None),
        ("b", "Int32", 3),
    ]


@pytest.mark.parametrize(
    ("sql", "template"), [("%\nSELECT 1", "\nSELECT 1"), ("  %SELECT 1", "SELECT 1"), ("SELECT '%'", None)]
)
def test_a_percent_sign_makes_sql_dynamic(sql, template):
    assert is_dynamic(sql) == (template is not None)
    assert strip_marker(sql) == (sql if template is None else template)


PLACEHOLDERS = [
    ("{{Array(a,'Int32')}}{{Array(a)}}{{Float64(b)}}{{String(c)}}", "[0,0]['']toFloat64('0.0')'__no_value__'"),
    ("{% if a == 'x' %}Y{% else %}N{% end %}{{TABLE(a)}}", "Nplaceholder"),
    ("{% for i in split_to_array(a, 'x,y') %}{{column(i)}}{% end %}", "`x``y`"),
    ("{{error('bad')}}", "-- {x} \n"),
    ("{{tb_secret('s', 'd')}}", "{s: String}"),
    ("{% if a.startswith('x') or len(a) > 1 %}Y{% end %}{{a + 'x'}}", "'placeholder'"),
]


@pytest.mark.parametrize(("template", "sql"), PLACEHOLDERS)
def test_test_mode_stands_in_for_missing_parameters(template, sql):
    assert compile_template(template).render({}, test_mode=True).sql == sql


def test_test_mode_refuses_to_order_what_has_no_type():
    with pytest.raises(TemplateError, match="you need to wrap it around a valid Data Type"):
        compile_template("{% if a > 3 %}x{% end %}").render({}, test_mode=True)
