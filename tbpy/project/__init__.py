"""A folder of datafiles as one linked, checked `Project`, its fingerprints, and the difference of two projects."""

from tbpy.project.catalog import NodeCatalog, key_parts, stored_table, table_engine
from tbpy.project.connectors import source_that_waits
from tbpy.project.discovery import find_datafiles, is_datafile_path
from tbpy.project.judging import judge_datafile
from tbpy.project.loading import load_project
from tbpy.project.memory import Memory
from tbpy.project.model import CheckedNode, Graph, Key, NodeKey, OutputColumn, Project, Resource
from tbpy.project.names import Names, names_of
from tbpy.project.planning import Plan, plan

__all__ = [
    "CheckedNode",
    "Graph",
    "Key",
    "Memory",
    "Names",
    "NodeCatalog",
    "NodeKey",
    "OutputColumn",
    "Plan",
    "Project",
    "Resource",
    "find_datafiles",
    "is_datafile_path",
    "judge_datafile",
    "key_parts",
    "load_project",
    "names_of",
    "plan",
    "source_that_waits",
    "stored_table",
    "table_engine",
]
