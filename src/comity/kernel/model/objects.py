"""A STIX object: the bytes as they came, and what they say.

Bytes first: `raw` is the object and is never changed; `data` is decoded from it. An object exists only when it is
valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rfc8785

from comity.kernel.errors import InputRefused
from comity.kernel.model import strictjson
from comity.kernel.model.instants import Instant
from comity.kernel.model.kinds import instant
from comity.kernel.model.strictjson import LIMITS, Limits
from comity.kernel.model.validate import check

__all__ = ["StixObject", "check", "from_data", "read_object", "version_of"]


@dataclass(frozen=True, slots=True)
class StixObject:
    """A valid STIX 2.1 object.

    Args:
        raw: Its bytes as received.
        data: What they say; not to be changed by anybody.
        type: The object type.
        id: ``<type>--<UUID>``.
        version: `modified`, else `created`, microseconds UTC; None where there is neither (observables).
    """

    raw: bytes
    data: dict[str, Any]
    type: str
    id: str
    version: Instant | None


def read_object(raw: bytes, *, limits: Limits = LIMITS) -> StixObject:
    """Read and validate the bytes of one STIX 2.1 object.

    Raises:
        InputRefused: Any code of `strictjson.read` or `check`.
    """
    return _object(raw, strictjson.read(raw, limits=limits))


def from_data(data: dict[str, Any]) -> StixObject:
    """An object that we mint: validated, its bytes the RFC 8785 form of `data`.

    Raises:
        InputRefused: Any code of `check`, or `not-canonical`.
    """
    try:
        raw = rfc8785.dumps(data)
    except (rfc8785.CanonicalizationError, ValueError, TypeError, RecursionError) as broken:
        raise InputRefused(
            "not-canonical", f"This object has no canonical form: {broken}.", clause="RFC 8785 §3.2"
        ) from broken
    return read_object(raw)


def _object(raw: bytes, data: Any) -> StixObject:
    check(data)
    return StixObject(raw, data, data["type"], data["id"], version_of(data))


def version_of(data: dict[str, Any]) -> Instant | None:
    """The version of a valid object: `modified`, else `created`, microseconds UTC; None where it has neither."""
    stated = data.get("modified") or data.get("created")
    # a custom observable may carry these names with another meaning
    return instant(stated) if isinstance(stated, str) and "created" in data and "spec_version" in data else None
