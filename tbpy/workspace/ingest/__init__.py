"""Files into data sources, with every row that does not fit kept in quarantine."""

from tbpy.workspace.ingest.append import append_files
from tbpy.workspace.ingest.report import AppendReport, Cause
from tbpy.workspace.ingest.sources import STDIN, Format

__all__ = ["STDIN", "AppendReport", "Cause", "Format", "append_files"]
