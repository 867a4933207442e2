"""`/v1/build`: a project as it is in a developer's folder, made to the workspace's at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tbpy.api.authentication import access_of
from tbpy.api.deploying import Deploying, Outcome, failures
from tbpy.api.routes.common import Route, json_answer, service_of
from tbpy.api.running import in_thread
from tbpy.api.tokens.scopes import DEPLOY
from tbpy.api.uploads import read_datafiles
from tbpy.errors import ConflictError, DiagnosticsError, TbpyError


async def build(request: Request) -> Response:
    """Of a developer's workspace everything may change; elsewhere nothing that loses rows."""
    access_of(request).require(DEPLOY)
    service, files = service_of(request), await read_datafiles(request)
    outcome = await in_thread(service.threads, attempt, Deploying(service, files, service.local).build)
    if isinstance(outcome, TbpyError):
        return json_answer({"result": "failed", **failed(outcome)}, 400)
    project = service.workspace.project
    done = {
        "id": str(uuid.uuid4()),
        "datasources": [{"name": name} for name in project.datasources],
        "pipes": [{"name": name} for name in project.pipes],
        "data_linkers": [],
        **outcome.details,
    }
    return json_answer({"result": "success", "build": done})


def attempt(work: Callable[[], Outcome]) -> Outcome | TbpyError:
    """What a deployment answers, or why there is none. Raises `ConflictError`, which is no fault of the files."""
    try:
        return work()
    except ConflictError:
        raise
    except TbpyError as error:
        return error


def failed(error: TbpyError) -> dict[str, Any]:
    """`errors` with file and text, for mistakes of the datafiles and for what only showed while they were built."""
    if isinstance(error, DiagnosticsError):
        return {"errors": failures(error.diagnostics)}
    return {"errors": [{"filename": "project", "error": error.answer}]}


ROUTES: tuple[Route, ...] = ((("POST",), "/v1/build", build),)
