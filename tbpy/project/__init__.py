"""A folder of datafiles as one linked, checked `Project`, its fingerprints, and the difference of two projects."""

from tbpy.project.judging import judge_datafile
from tbpy.project.loading import load_project
from tbpy.project.model import CheckedNode, Graph, Key, NodeKey, OutputColumn, Project, Resource
from tbpy.project.planning import Plan, plan

__all__ = [
    "CheckedNode",
    "Graph",
    "Key",
    "NodeKey",
    "OutputColumn",
    "Plan",
    "Project",
    "Resource",
    "judge_datafile",
    "load_project",
    "plan",
]
