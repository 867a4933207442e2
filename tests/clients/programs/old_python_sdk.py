"""tinybird-python-sdk, the old one: buffered events."""

import os

from tb.datasource import Datasource

with Datasource("events", os.environ["TOKEN"], api_url=os.environ["URL"]) as events:
    for number in range(100):
        events << {"id": number, "name": "old"}
