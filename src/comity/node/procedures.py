"""State tables as the kernel wants them: read from what ships, checked by the kernel.

A table is text, numbers, lists and names; a date or anything else that JSON cannot say is refused. The clocks, the time zones and
the reading of YAML are `comity.node.reference`, where deeds find them too.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from comity.kernel.procedure.tables import Table, read_table
from comity.node.reference import read_yaml, shipped_clocks, zone

__all__: Final = ["read_yaml", "shipped_clocks", "shipped_tables", "zone"]


@cache
def shipped_tables() -> dict[str, Table]:
    """Every table that ships, by its id."""
    found = {}
    for file in sorted(files("comity.data").joinpath("procedures").iterdir(), key=lambda one: one.name):
        if file.name.endswith(".yaml") and file.name != "clock-events.yaml":
            table = read_table(read_yaml(file.read_text(encoding="utf-8")))
            found[table.id] = table
    return found
