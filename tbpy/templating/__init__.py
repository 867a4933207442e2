"""The SQL template language of Tinybird pipes: compile once, render many times, list the parameters.

An allow-list interpreter: Python inside tags is parsed, checked and turned into closures, and never run as Python.
"""

from tbpy.errors import CustomTemplateError, TemplateError
from tbpy.templating.parameters import Parameter
from tbpy.templating.template import Rendered, Template, compile_template, is_dynamic, strip_marker

__all__ = [
    "CustomTemplateError",
    "Parameter",
    "Rendered",
    "Template",
    "TemplateError",
    "compile_template",
    "is_dynamic",
    "strip_marker",
]
