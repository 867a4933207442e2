"""Service data sources: what a workspace notes about its own work, and lets queries read as `tinybird.<name>`.

Source: Tinybird docs, "Service data sources".
"""

from tbpy.workspace.services.columns import is_service_table
from tbpy.workspace.services.log import Operation, ServiceLog

__all__ = ["Operation", "ServiceLog", "is_service_table"]
