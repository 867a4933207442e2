"""Packages that only some commands need, and how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from tbpy.errors import UsageError

SERVER = ("prompt_toolkit", "python_multipart", "starlette", "uvicorn")


def require_server() -> None:
    """Raises `UsageError` when what serves HTTP is not installed."""
    if missing := [module for module in SERVER if find_spec(module) is None]:
        raise UsageError(
            f"serving HTTP needs packages that are not installed: {', '.join(missing)}",
            hint="pip install 'tbpy[server]'",
        )
