"""The function catalogue. `load()` registers every row; modules hold one family each."""

from __future__ import annotations

import importlib
import pkgutil

_loaded = False


def load() -> None:
    """Import all families, once: importing a family registers its rows."""
    global _loaded
    if _loaded:
        return
    _loaded = True
    from tbpy.clickhouse import aggregates

    for package in (__name__, aggregates.__name__):
        module = importlib.import_module(package)
        for found in pkgutil.iter_modules(module.__path__):
            importlib.import_module(f"{package}.{found.name}")
