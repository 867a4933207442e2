"""Commands that serve HTTP say what to install when it is missing."""

from __future__ import annotations

import pytest

from tbpy.cli import extras
from tbpy.errors import UsageError


def test_missing_packages_of_the_server_are_told_with_the_way_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "SERVER", ("starlette", "tbpy_has_no_such_module"))
    with pytest.raises(UsageError, match=r"not installed: tbpy_has_no_such_module$") as caught:
        extras.require_server()
    assert caught.value.hint == "pip install 'tbpy[server]'"
