"""What taking in a file gives, one by one: an item, or a refusal with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from comity.kernel.errors import InputRefused

KEPT_OF_REFUSED: Final = 64 * 1024
"""Bytes of a refused part that a refusal carries at most."""


@dataclass(frozen=True, slots=True)
class Item:
    """One STIX 2.1 object found in a file or made from a part of it; not yet validated.

    Args:
        raw: The object's bytes: the exact slice of a STIX 2.1 file, or canonical bytes (RFC 8785) where we converted.
        original: What it was made from, where we converted: the row, the entry, the STIX 2.0 object, the MISP event.
        changes: Each thing the conversion changed or could not say in STIX, one sentence each; empty for STIX 2.1.
        place: Where it stood, for a person: ``row 5``, ``object 37``, ``line 12``.
        handling: What the file itself says of it: ``tlp`` and ``pap`` in the words of `kernel.release.vocabulary`.
        undated: Properties that hold the instant of import because the file states no date: who made the same object
            before keeps the dates it has.
        shared: Whether others give the same id to what they make of the same file, so that nothing of ours may stand
            in the bytes.
        seal: The envelope of the seal it stands under in the file, not verified yet; None where the file has none.
        opens: What opens that seal, JSON-ready.
    """

    raw: bytes
    original: bytes | None = None
    changes: tuple[str, ...] = ()
    place: str = ""
    handling: Mapping[str, str] = field(default_factory=dict)
    undated: tuple[str, ...] = ()
    shared: bool = False
    seal: bytes | None = None
    opens: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A part of a file that is not taken in, while the rest goes on.

    Args:
        place: Where it stood.
        code: A key of `kernel.errors.CODES`.
        sentence: What is wrong with it and what to do.
        raw: Its bytes, cut at `KEPT_OF_REFUSED`.
    """

    place: str
    code: str
    sentence: str
    raw: bytes

    @classmethod
    def of(cls, place: str, refused: InputRefused, raw: bytes) -> Refusal:
        """The refusal that this error means for this part."""
        return cls(place, refused.code, refused.sentence, raw[:KEPT_OF_REFUSED])


Result: TypeAlias = Item | Refusal
Results: TypeAlias = Iterator[Item | Refusal]
