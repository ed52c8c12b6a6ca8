"""Identifiers: STIX ids, party ids and the namespaces names are minted in.

STIX 2.1 §2.9: ``object-type--UUID``. A party id is an identity whose UUID is version 5 over the party's first identity
key, so nobody can claim another's (docs/formats/card.md).
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

COMITY: Final = uuid5(NAMESPACE_URL, "https://comity.invalid/ns/1")
"""The Comity namespace; ``.invalid`` (RFC 2606) because no host stands behind it."""

STIX_SCO: Final = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""STIX 2.1 §2.9: the namespace of deterministic ids of cyber-observable objects."""

_ID = re.compile(
    r"([a-z](?:[a-z0-9]|-(?!-))*[a-z0-9])--([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})",
    re.ASCII,
)


def type_of(stix_id: str) -> str | None:
    """The object type an id names, or None if the text is not a STIX 2.1 id (lower-case RFC 4122 UUID)."""
    match = _ID.fullmatch(stix_id)
    return match.group(1) if match else None


def party_id(identity_spki: bytes) -> str:
    """The id of the party whose first identity key has this DER SubjectPublicKeyInfo: ``identity--`` UUIDv5."""
    return f"identity--{uuid5(COMITY, sha256(identity_spki).hexdigest())}"


def minted(stix_type: str, name: str) -> str:
    """A deterministic id of ours: the same name gives the same id again (imported CSV rows, extension definitions)."""
    return f"{stix_type}--{uuid5(COMITY, f'{stix_type}/{name}')}"
