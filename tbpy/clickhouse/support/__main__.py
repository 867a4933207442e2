"""Prints the page."""

from __future__ import annotations

import sys

from tbpy.clickhouse.support.page import support_page

if __name__ == "__main__":
    sys.stdout.write(support_page())
