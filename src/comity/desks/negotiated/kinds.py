"""The object types of negotiated texts: a text as it was opened, and what a party says to it.

The opening carries words and nobody's position: that its author proposes them follows from whose word it is. Each later word is an
object of the party that says it. Source: docs/formats/negotiated.md; docs/formats/texts.md; STIX 2.1 §7.3.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.kernel.procedure.texts import MOST_PARAGRAPHS
from comity.node.minting import Kind

PAGE: Final = "docs/formats/negotiated.md"
MOST_TOGETHER: Final = 200
"""The most operations of one word."""

_Digest = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Name = Annotated[str, Meta(min_length=1, max_length=500)]


class Piece(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A paragraph as it was opened: its id, and its words in each language of the text, in their order."""

    id: str
    words: tuple[str, ...]


class Opening(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A text as its author opened it: all of it is the author's proposal.

    Args:
        parties: Party ids of those who negotiate it, its author among them.
        addressed_to: The same: it goes to nobody else.
    """

    name: _Name
    languages: tuple[str, ...]
    parties: tuple[str, ...]
    paragraphs: Annotated[tuple[Piece, ...], Meta(max_length=MOST_PARAGRAPHS)]
    addressed_to: tuple[str, ...] = ()


class Word(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What its author says to a text.

    Args:
        text_ref: The text; a reader that is not shown it does not see the reference.
        opening: The digest of the text as it was opened, by `comity.kernel.procedure.texts.digest`.
        operations: In their order, each as docs/formats/texts.md shows an operation, by its author.
        addressed_to: Who negotiates the text: it goes to nobody else.
    """

    text_ref: str | None = None
    opening: _Digest
    operations: Annotated[tuple[dict[str, Any], ...], Meta(min_length=1, max_length=MOST_TOGETHER)]
    addressed_to: tuple[str, ...] = ()


TEXT: Final = Kind("x-comity-negotiated-text", "A text as a party opened it, to be negotiated.", Opening, PAGE)
WORD: Final = Kind("x-comity-text-word", "What a party says to a negotiated text.", Word, PAGE)

KINDS: Final = (TEXT, WORD)
