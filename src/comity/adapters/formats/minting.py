"""How an object is made from what is no STIX: its id, its dates, its markings, and what of it goes into an extension
of ours.

Rules:

- **Whose it is.** A conversion claims no authorship: `created_by_ref` is who the file itself names (MISP: Orgc), and
  else nobody, unless an officer states that it is our own work; then it is the party. The party that converted is in
  the id, and so is the creator: two parties' conversions of one file, or two conversions under another claim, never
  become rivals.
- **The same import gives the same id.** An id is UUIDv5 over party, format and the key of the part. Where the part
  carries a date of its own version (a MISP timestamp, a column ``modified``), the key is its identity and a later date
  is a newer version. Where it carries none, the key also covers all that the object says but the dates nobody stated:
  taking it in again is `known`, and a changed text is another statement, never a rival with the same id.
- **No date is made up.** STIX requires dates. What bears none is created, changed and valid from the instant of its
  first import, which is when the statement was made; the names of these properties stand under ``unstated`` in the
  extension, so that nobody takes them for facts about the thing. The node that made an object before keeps its bytes
  (`comity.node.intake`), so that a second import is the same.
- **Markings in the bytes.** What the file marks is marked by reference to the TLP 2.0 and PAP definitions of OASIS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.model import instants
from comity.kernel.model.definitions import AUTHOR, WHEN, extension
from comity.kernel.model.ids import minted, type_of
from comity.kernel.model.instants import Instant
from comity.kernel.release.markings import TLP_OF
from comity.kernel.seal.canonical import canonical

FIXED: Final = "1970-01-01T00:00:00.000Z"
"""`created` and `modified` of the identity of an organisation a MISP event names: its id is not ours, so every importer
must give it the same bytes, and whatever the organisation itself publishes under that id must be newer."""

UNSTATED: Final = "unstated"
"""Key of our extensions: the required dates that the file did not state."""


@dataclass(frozen=True, slots=True)
class Maker:
    """In whose name objects are made from what is no STIX.

    Args:
        party: Id of the party that takes the file in.
        at: The instant of import; stands only in dates that STIX requires and the file does not state.
        own: Whether an officer states that the file is the party's own work.
    """

    party: str
    at: Instant
    own: bool = False

    @property
    def author(self) -> str | None:
        """Who created what the file names no creator of; None: nobody says."""
        return self.party if self.own and type_of(self.party) == "identity" else None

    @property
    def now(self) -> str:
        """The instant of import in STIX form."""
        return instants.format(self.at)

    def name(self, creator: str | None, *key: str) -> str:
        """The name from which the id of a versioned part is made: another one under each creator."""
        return "/".join((self.party, creator or "unattributed", *key))


PAP_REFS: Final = {
    "clear": "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92",
    "green": "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9",
    "amber": "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab",
    "red": "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e",
}
"""OASIS cti-stix-common-objects, pap-marking-definition-f8d."""

MISP_EXTENSION: Final = minted("extension-definition", "comity-misp")
MISP_OBJECT_EXTENSION: Final = minted("extension-definition", "comity-misp-object")
ROW_EXTENSION: Final = minted("extension-definition", "comity-row")
KEV_EXTENSION: Final = minted("extension-definition", "comity-kev")
GALAXY_EXTENSION: Final = minted("extension-definition", "comity-galaxy")

_OURS: Final = (MISP_EXTENSION, ROW_EXTENSION, KEV_EXTENSION, GALAXY_EXTENSION)

MISP_OBJECT_TYPE: Final = "x-comity-misp"
"""What of a MISP event has no STIX form: an object type of ours, declared by `MISP_OBJECT_EXTENSION` (new-sdo)."""


def _definition(name: str, kind: str, description: str) -> dict[str, Any]:
    return extension(name, kind, description, "docs/formats/intake.md")


DEFINITIONS: Final[dict[str, bytes]] = {
    shape["id"]: canonical(shape)
    for shape in (
        {
            "type": "identity",
            "spec_version": "2.1",
            "id": AUTHOR,
            "created": WHEN,
            "modified": WHEN,
            "name": "Comity",
            "description": "The Comity software: author of its own extension definitions, no party.",
            "identity_class": "system",
        },
        _definition("comity-misp", "property-extension", "What a MISP attribute, object or event said, word for word."),
        _definition("comity-misp-object", "new-sdo", "A part of a MISP event that has no STIX form, word for word."),
        _definition("comity-row", "property-extension", "Columns of a table row that have no STIX form."),
        _definition(
            "comity-kev", "property-extension", "An entry of CISA's Known Exploited Vulnerabilities, word for word."
        ),
        _definition("comity-galaxy", "property-extension", "A MISP galaxy cluster, word for word."),
    )
}
"""Objects that what we mint refers to, by id: a node keeps them from the start, so that they can travel with it."""


_WEB: Final = re.compile(
    r"https?://[A-Za-z0-9._~-]+(?::[0-9]{1,5})?(?:[/?](?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
    r"(?:#(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
)


def is_web_address(text: str) -> bool:
    """Whether a text may stand as `url` of an external reference (STIX 2.1 §2.5: a URI, RFC 3986)."""
    return len(text) <= 4096 and _WEB.fullmatch(text) is not None


def markings(handling: Mapping[str, str]) -> list[str]:
    """The marking references that say `tlp` and `pap` of a handling."""
    found = [TLP_OF[handling["tlp"]]] if "tlp" in handling else []
    return [*found, PAP_REFS[handling["pap"]]] if "pap" in handling else found


def base(stix_type: str, stix_id: str, created: str, modified: str, by: str | None) -> dict[str, Any]:
    """The properties every domain object has."""
    shape: dict[str, Any] = {
        "type": stix_type,
        "spec_version": "2.1",
        "id": stix_id,
        "created": created,
        "modified": modified,
    }
    if by is not None and (type_of(by) == "identity"):
        shape["created_by_ref"] = by
    return shape


def unstated(shape: Mapping[str, Any]) -> tuple[str, ...]:
    """The dates of an object we made that its file did not state."""
    extensions = shape.get("extensions")
    found = [extensions.get(one) for one in _OURS] if isinstance(extensions, dict) else []
    names = [one[UNSTATED] for one in found if isinstance(one, dict) and isinstance(one.get(UNSTATED), list)]
    return tuple(name for each in names for name in each if isinstance(name, str))


def statement(shape: dict[str, Any], party: str, key: Iterable[str]) -> dict[str, Any]:
    """Give `shape` an id that covers all it says (no date of its own version): the same content gives the same id."""
    shape.pop("id", None)
    said = {name: value for name, value in shape.items() if name not in unstated(shape)}
    text = "/".join((party, *key, canonical(said).decode()))
    return {"type": shape["type"], "spec_version": "2.1", "id": minted(shape["type"], text), **shape}
