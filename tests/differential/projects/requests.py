"""Requests to a node: without parameters, and with a value for each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from tbpy.datafiles import Pipe
from tbpy.templating import Parameter
from tbpy.workspace.querying import pipe_parameters

_NUMBERS = ("Int", "UInt", "Float", "Decimal", "Integer")


def requests(pipe: Pipe, now: datetime) -> tuple[Mapping[str, str], ...]:
    """The parameters of each request, those with every parameter last; `now` is what times count from."""
    text = "\n".join(node.sql.text for node in pipe.nodes)
    everything = {
        parameter.name: _compared(parameter.name, text) or sample(parameter, now) for parameter in pipe_parameters(pipe)
    }
    return ({}, everything) if everything else ({},)


def _compared(name: str, text: str) -> str | None:
    """A value that the templates ask for: `x` of `{% if name == 'x' %}`."""
    found = re.search(rf"\{{%\s*(?:el)?if\b[^%]*\b{re.escape(name)}\s*(?:==|in\s*\[)\s*['\"]([^'\"]+)['\"]", text)
    return found[1] if found else None


def sample(parameter: Parameter, now: datetime) -> str:
    """A value that the parameter takes: one that it names, else one of its type, which its name makes plausible."""
    if parameter.enum:
        return str(parameter.enum[0])
    if parameter.example not in (None, ""):
        return str(parameter.example)
    if parameter.default not in (None, ""):
        return str(parameter.default)
    kind, name = str(parameter.type), parameter.name.lower()
    ends = any(word in name for word in ("end", "to", "until", "max"))
    moment = now if ends else now - timedelta(days=20)
    if kind.startswith("DateTime64"):
        return moment.strftime("%Y-%m-%d %H:%M:%S.000")
    if kind.startswith("DateTime"):
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    if kind == "Date":
        return moment.strftime("%Y-%m-%d")
    if kind.startswith(_NUMBERS):
        return "1"
    if kind.startswith("Bool"):
        return "1"
    return _text(name, moment)


def _text(name: str, moment: datetime) -> str:
    if "date" in name or name.endswith(("_at", "_from", "_to")):
        return moment.strftime("%Y-%m-%d")
    if "zone" in name or name == "tz":
        return "UTC"
    if "uuid" in name:
        return "61f0c404-5cb3-11e7-907b-a6006ad3dba0"
    return "x"
