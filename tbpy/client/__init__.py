"""A workspace that another process has: the same methods, asked for over HTTP.

Nothing here loads a database: a command that finds a running server starts quickly.
"""

from tbpy.client.opening import connect, find_server, open_workspace
from tbpy.client.remote import RemoteWorkspace

__all__ = ["RemoteWorkspace", "connect", "find_server", "open_workspace"]
