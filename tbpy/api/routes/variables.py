"""`/v0/variables`: what `tb secret` sets."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.parameters import Parameters, single
from tbpy.api.routes.common import Route, all_parameters, json_answer, service_of
from tbpy.api.running import in_thread
from tbpy.api.tokens.scopes import ADMIN
from tbpy.errors import UsageError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


async def list_variables(request: Request) -> Response:
    access_of(request).require(ADMIN)
    return json_answer({"variables": [found.as_dict() for found in service_of(request).variables.all()]})


async def one_variable(request: Request) -> Response:
    access_of(request).require(ADMIN)
    return json_answer(service_of(request).variables.get(request.path_params["name"]).as_dict())


async def create_variable(request: Request) -> Response:
    access_of(request).require(ADMIN)
    service, given = service_of(request), await all_parameters(request)
    name = single(given, "name") or ""
    if not _NAME.match(name):
        raise UsageError("name must be letters, digits and underscores")
    variable = service.variables.create(name, _value(given))
    await in_thread(service.threads, service.use_variables)
    return json_answer(variable.as_dict())


async def change_variable(request: Request) -> Response:
    access_of(request).require(ADMIN)
    service = service_of(request)
    variable = service.variables.change(request.path_params["name"], _value(await all_parameters(request)))
    await in_thread(service.threads, service.use_variables)
    return json_answer(variable.as_dict())


async def delete_variable(request: Request) -> Response:
    access_of(request).require(ADMIN)
    service = service_of(request)
    service.variables.delete(request.path_params["name"])
    await in_thread(service.threads, service.use_variables)
    return json_answer({"ok": True})


def _value(given: Parameters) -> str:
    value = single(given, "value")
    if value is None:
        raise UsageError("Missing required parameter: value")
    return value


ROUTES: tuple[Route, ...] = (
    (("GET",), "/v0/variables", list_variables),
    (("POST",), "/v0/variables", create_variable),
    (("GET",), "/v0/variables/{name}", one_variable),
    (("PUT",), "/v0/variables/{name}", change_variable),
    (("DELETE",), "/v0/variables/{name}", delete_variable),
)
