"""A project under a developer's hands: served, watched, and built again when its files change."""

from tbpy.dev.development import Development
from tbpy.dev.rebuilding import Rebuilt
from tbpy.dev.watching import watch

__all__ = ["Development", "Rebuilt", "watch"]
