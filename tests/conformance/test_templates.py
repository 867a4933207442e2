"""The recorded templates: what they render to or how they fail, and the parameters that they have."""

from __future__ import annotations

from typing import Any

from tbpy.templating import CustomTemplateError, TemplateError, compile_template
from tests.conformance.cases import load


def _matches(case: dict[str, Any]) -> bool:
    names = case.get("secrets")
    secrets = None if names is None else {name.removeprefix("tb_secret_"): "value" for name in names}
    try:
        rendered = compile_template(case["template"]).render(
            case["params"], secrets=secrets, test_mode=case.get("test_mode", False)
        )
    except CustomTemplateError as error:
        return "custom" in case and (error.body, error.status) == (case["custom"], case.get("code", 400))
    except TemplateError as error:
        return "error" in case and "custom" not in case and case["error"] in error.message
    return rendered.sql == case.get("sql") and case.get("settings", rendered.settings) == rendered.settings


def test_templates_render_as_recorded(record):
    for case in load("template_cases.jsonl"):
        record("template_cases", _matches(case), case)


def test_parameters_are_found_as_recorded(record):
    for case in load("template_params_cases.jsonl"):
        found = [parameter.as_dict() for parameter in compile_template(case["template"]).parameters()]
        record("template_params_cases", found == case["vars"], (case, found))
