"""The function catalogue. `load()` registers every row; modules hold one family each."""

from __future__ import annotations

import importlib
import pkgutil
from threading import RLock

_lock = RLock()
_loaded = False


def load() -> None:
    """Import all families, once: importing a family registers its rows. Threads wait until all of them are there."""
    global _loaded
    if _loaded:
        return
    with _lock:
        if _loaded:
            return
        from tbpy.clickhouse import aggregates

        for package in (__name__, aggregates.__name__):
            module = importlib.import_module(package)
            for found in pkgutil.iter_modules(module.__path__):
                importlib.import_module(f"{package}.{found.name}")
        _loaded = True
