"""Plugins and profiles that every test of this repository runs with."""

import os

from hypothesis import settings

pytest_plugins = ("pytester", "tests.conformance.floors")

# In CI the same examples are drawn each time, so that a change is judged by what it changes; at a desk they vary.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")
