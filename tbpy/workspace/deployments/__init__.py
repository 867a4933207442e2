"""Deployments: the live one, a staging one beside it, and those before it that can be gone back to.

Each has a catalogue of its own, over tables that it shares with the others where they say the same of a data source.
Where they do not, rows that come into the live table are noted in a journal, and the others take them over from there
(`following`): before somebody reads a staging deployment, before one becomes live, and when a journal gets long. So
what is live is a pointer, a flip of it moves no rows, and going back loses none.
"""
