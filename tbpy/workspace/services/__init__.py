"""Service data sources: what a workspace notes about its own work, and lets queries read as `tinybird.<name>`.

Source: Tinybird docs, "Service data sources".
"""

from tbpy.workspace.services.log import Operation, ServiceLog
from tbpy.workspace.services.tables import ServiceCatalog, is_service_table

__all__ = ["Operation", "ServiceCatalog", "ServiceLog", "is_service_table"]
