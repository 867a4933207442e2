"""The text of one `.datasource`, `.pipe` or `.connection` to frozen values with places, and the formatter."""

from tbpy.datafiles.classic import ReadIncluded
from tbpy.datafiles.connection import parse_connection
from tbpy.datafiles.cron import Cron, parse_cron
from tbpy.datafiles.datasource import key_columns, parse_datasource
from tbpy.datafiles.format import format_datafile
from tbpy.datafiles.model import (
    Column,
    Connection,
    Datasource,
    Engine,
    Index,
    Kind,
    Node,
    Pipe,
    PlacedText,
    Setting,
    Settings,
    SqlText,
    Tags,
    Token,
)
from tbpy.datafiles.pipe import parse_pipe

__all__ = [
    "Column",
    "Connection",
    "Cron",
    "Datasource",
    "Engine",
    "Index",
    "Kind",
    "Node",
    "Pipe",
    "PlacedText",
    "ReadIncluded",
    "Setting",
    "Settings",
    "SqlText",
    "Tags",
    "Token",
    "format_datafile",
    "key_columns",
    "parse_connection",
    "parse_cron",
    "parse_datasource",
    "parse_pipe",
]
