"""What parties do together: one package a desk. No desk knows another; they meet in STIX references.

A desk is a package here with a `DESK` (`comity.node.desk.Desk`). That is its registration: the faces offer what is found here, and
a desk whose folder is taken away is gone.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from comity.node.desk import Desk


@cache
def desks() -> tuple[Desk, ...]:
    """Every desk there is, by name."""
    found = (import_module(f"{__name__}.{one.name}") for one in iter_modules(__path__) if one.ispkg)
    return tuple(sorted((module.DESK for module in found), key=lambda desk: desk.name))
