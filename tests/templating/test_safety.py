"""No value breaks out of its SQL literal, no template breaks out of its room or takes the machine."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tbpy.templating import TemplateError, compile_template

# One SQL string literal, as ClickHouse reads it: an escape is a backslash and any character.
LITERAL = r"'(?:[^'\\]|\\[\s\S])*'"
IDENTIFIER = r"`(?:[^`\\]|\\[\s\S])*`"
NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|nan|inf)"

SHAPES = [
    ("{{String(a)}}", LITERAL),
    ("{{a}}", LITERAL),
    ("{{sql_unescape(a, '%')}}", LITERAL),
    ("{{String(a)[0:3] + a}}", LITERAL),
    ("{{Array(a)}}", rf"\[{LITERAL}(?:,{LITERAL})*\]"),
    ("{{Array(a, 'Foo')}}", rf"\[{LITERAL}(?:,{LITERAL})*\]"),
    ("{{Array(a, 'Int32')}}", rf"\[{NUMBER}(?:,{NUMBER})*\]"),
    ("{{Array(a, 'Float64')}}", rf"\[{NUMBER}(?:,{NUMBER})*\]"),
    ("{{Int(a)}}", NUMBER),
    ("{{UInt128(a)}}", rf"toUInt128\('{NUMBER}'\)"),
    ("{{Float32(a)}}", rf"toFloat32\('{NUMBER}'\)"),
    ("{{Boolean(a)}}", "[01]"),
    ("{{Date(a)}}", LITERAL),
    ("{{DateTime(a)}}", LITERAL),
    ("{{DateTime64(a)}}", LITERAL),
    ("{{column(a)}}", rf"{IDENTIFIER}(?:\.{IDENTIFIER})*"),
    ("{{columns(a)}}", rf"{IDENTIFIER}(?:\.{IDENTIFIER})*(?:,{IDENTIFIER}(?:\.{IDENTIFIER})*)*"),
    ("{{symbol(a)}}", IDENTIFIER),
    ("{{sql_and(x=a)}}", rf"x = {LITERAL}"),
]
COMPILED = [(compile_template(template), re.compile(shape)) for template, shape in SHAPES]

TEXT = st.text() | st.text("'\"\\`%,.\n\0-+[]() 019eE") | st.from_regex(r"[+-]?\d{1,40}(\.\d+)?(,\d+)*", fullmatch=True)


@given(TEXT)
@example("\\'")
@example("\\")
@example("1\n")
@example("٣")
@example("2020-01-01\n")
@settings(max_examples=150, deadline=None)
def test_no_value_breaks_out_of_its_literal(value):
    for template, shape in COMPILED:
        try:
            sql = template.render({"a": value}).sql
        except TemplateError:
            continue
        assert shape.fullmatch(sql), (template.text, sql)


WORDS = "{{ }} {% %} {# #} if for in while end else set try except a b String( Int32( ) [ ] ( { } , . : = == 1 'x' \""
FRAGMENTS = st.lists(st.sampled_from(WORDS.split()) | st.text(max_size=3), max_size=30).map(" ".join)


@given(FRAGMENTS | st.text(), st.dictionaries(st.sampled_from("ab"), TEXT), st.booleans())
@example("{{ '\\N{foo}' }}", {}, False)
@example("{{ a\0 }}", {}, False)
@example("{{ \ud800 }}", {}, False)
@example("{{ '\ud800' }}", {"a": "\ud800"}, False)
@settings(max_examples=300, deadline=None)
def test_any_text_renders_or_fails_as_a_template(text, parameters, test_mode):
    try:
        compile_template(text).render(parameters, test_mode=test_mode)
    except TemplateError as error:
        assert error.message


HOSTILE = [
    "{% while True %}{% end %}",
    "{% while True %}x{% end %}",
    "{% for i in range(10 ** 12) %}{% end %}",
    "{% for i in range(1000) %}{% for j in range(1000) %}{% for k in range(1000) %}{% end %}{% end %}{% end %}",
    "{% set x = [0 for i in range(1000) for j in range(1000) for k in range(1000)] %}",
    "{% set x = 10 ** 10 ** 10 %}",
    "{% set x = 1 << 10 ** 9 %}",
    "{% set x = 'x' * 10 ** 10 %}",
    "{{ 'x' * 1000 * 1000 * 1000 }}",
    "{{ [0] * 1000 * 1000 * 1000 }}",
    "{% set x = 'x' %}{% for i in range(64) %}{% set x = x + x %}{% end %}",
    "{% set x = [1] %}{% for i in range(64) %}{% set x = [x, x] %}{% end %}{{x}}",
    "{% set x = 3 %}{% for i in range(64) %}{% set x = x * x %}{% end %}",
    "{% set x = [] %}{% set x.append(x) %}{{x}}",
    "{% set x = [1] %}{% for y in x %}{% set x.append(1) %}{% end %}",
    "{% set x = '%999999999d' % 1 %}",
    "{% set x = '%*d' % (999999999, 1) %}",
    "{% set x = '{:999999999}'.format(1) %}",
    "{{ f'{1:999999999}' }}",
    "{% set x = 'x'.ljust(10 ** 10) %}",
    "{% set x = ('x' * 1000).replace('', 'y' * 100000) %}",
    "{% set x = ('y' * 100000).join(['x'] * 1000) %}",
    "{% set x = list(range(10 ** 9)) %}",
    "{% set x = sum([[1]] * 1000, []) %}",
    "{% set x = round(5, -10 ** 9) %}",
    "{% set f = lambda g, n: g(g, n + 1) %}{% if f(f, 0) %}{% end %}",
    "{% for i in range(1000000) %}{% if 'a' in range(1000000) %}{% end %}{% end %}",
    "{% try %}{% while True %}{% end %}{% except %}{% end %}",
    "{{ " + "-" * 100_000 + "1 }}",
    "{{ " + "a + " * 20_000 + "1 }}",
    "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
    "{{ " + "[" * 150 + "]" * 150 + " }}",
    "{% if a %}" * 5000 + "{% end %}" * 5000,
    "{{JSON(a)}}",
]


@pytest.mark.parametrize("template", HOSTILE, ids=[text[:40] for text in HOSTILE])
def test_hostile_templates_are_refused_soon(template):
    started = time.process_time()
    with pytest.raises(TemplateError):
        compile_template(template).render({"a": "[" * 100_000})
    assert time.process_time() - started < 5


ESCAPES = [
    "{% if a.__class__ %}{% end %}",
    "{% if a._private %}{% end %}",
    "{% set x = a.__class__.__mro__ %}",
    "{% set x = ''.join.__self__ %}",
    "{{ a.format }}",
    "{{ (1).__add__(1) }}",
    "{% set x = '{0.__class__}'.format(a) %}",
    "{% set x = '{a.__init__}'.format(a=String) %}",
    "{% if getattr(a, 'x') %}{% end %}",
    "{% if type(a) %}{% end %}",
    "{% if __builtins__ %}{% end %}",
    "{% set x = [c for c in ().__class__.__base__.__subclasses__()] %}",
    "{% set x = dict(key=str)['key'](1) %}",
    "{% set String = 1 %}",
    "{% for __x__ in [1] %}{% end %}",
    "{% set a.b = 1 %}",
    "{% set import os %}",
    "{% set def f(): pass %}",
    "{% set x = (yield) %}",
    "{% set x = [await y for y in a] %}",
    "{% if (lambda **k: k)() %}{% end %}",
    "{{ str(1) }}",
    "{% set x = a.encode() %}",
    "{% set x = a.maketrans({}) %}",
    "{% set x = print(1) %}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_nothing_outside_the_allow_list_can_be_reached(template):
    with pytest.raises(TemplateError):
        compile_template(template).render({"a": "x"})
