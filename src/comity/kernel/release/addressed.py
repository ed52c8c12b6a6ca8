"""Whom an object is for, where it says so itself.

An object of ours that is meant for some parties only, a message or a ping, names them in `addressed_to`. No node that holds it
gives it to anybody else, whatever a clause permits: not to a member who joins later either, and not onward. It is never a
permission. Source: docs/formats/facets.md, Addressed objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PROPERTY: Final = "addressed_to"
"""The property: a list of party ids."""

_OURS: Final = "x-comity-"


def may_be_addressed(stix_type: str) -> bool:
    """Whether objects of a type can name whom they are for: the types that Comity brings."""
    return stix_type.startswith(_OURS)


def addressees(data: Mapping[str, Any]) -> frozenset[str] | None:
    """The party ids an object names as those it is for; None where it names nobody.

    What stands there and is no list of texts is read as: for nobody that is known.
    """
    if PROPERTY not in data:
        return None
    said = data[PROPERTY]
    return frozenset(one for one in said if isinstance(one, str)) if isinstance(said, list) else frozenset()
