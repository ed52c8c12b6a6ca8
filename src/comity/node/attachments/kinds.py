"""What we mint about files: the property extension of an artifact, and entries of its chain of custody.

An entry is an object of its own that refers to the artifact from inside one property, ``entry``: a reader that is not shown the artifact
is not shown what the entry says of it either. Source: docs/formats/attachments.md; STIX 2.1 §6.1, §7.3.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

import msgspec

from comity.kernel.errors import ComityError
from comity.kernel.exchange.attachments import EXTENSION_NAME
from comity.kernel.model.instants import parse
from comity.node.minting import Kind

PAGE: Final = "docs/formats/attachments.md"

CustodyAct = Literal["collected", "copied", "transferred", "opened", "returned"]

Digest = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Words = Annotated[str, msgspec.Meta(max_length=2_000)]

_PARTY: Final = re.compile(r"identity--[0-9a-f-]{36}", re.ASCII)


class Extension(msgspec.Struct, kw_only=True):
    """What the extension of an artifact says (`comity.kernel.exchange.attachments.described` reads it)."""

    form: int
    size: int
    root: Digest
    name: str | None = None


class Entry(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was done with a file: digests before and after (SHA-256, hex), from whom and to whom (party ids), where and by what means."""

    artifact_ref: str
    act: CustodyAct
    at: str
    before: Digest | None = None
    after: Digest | None = None
    place: Words | None = None
    means: Words | None = None
    giver: str | None = None
    taker: str | None = None

    def __post_init__(self) -> None:
        try:
            parse(self.at)
        except ComityError as broken:
            raise ValueError("at is no timestamp") from broken
        for party in (self.giver, self.taker):
            if party is not None and _PARTY.fullmatch(party) is None:
                raise ValueError("giver and taker are ids of parties")


class Record(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where the entry stands in its author's log: the digest of the act, the salt of its commitment to the entry, and the commitment to
    the officer who did it."""

    act: Digest
    salt: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    officer: Digest | None = None


class Custody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An entry of a chain of custody; `previous_ref` is the entry it follows."""

    entry: Entry | None = None
    record: Record | None = None
    previous_ref: str | None = None


ATTACHMENT: Final = Kind(
    EXTENSION_NAME, "The size of a file and the root of the tree over its chunks.", Extension, PAGE, form="property-extension"
)  # fmt: skip
CUSTODY: Final = Kind("x-comity-custody", "An entry of the chain of custody of a file.", Custody, PAGE)
KINDS: Final = (ATTACHMENT, CUSTODY)


def said(entry: Entry) -> dict[str, Any]:
    """An entry as JSON, as its act commits to it."""
    built: dict[str, Any] = msgspec.to_builtins(entry)
    return built
