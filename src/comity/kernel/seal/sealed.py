"""Sealed objects as a file: objects that a party sealed as its own, carried by hand to whoever takes them in.

One canonical JSON object (RFC 8785): {form, objects}; each of `objects` is {object, seal, disclosure}: the bytes of the object as they
were sealed, the envelope of the seal, and what opens it, as between nodes. Source: docs/formats/seal.md, Sealed objects as a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.errors import InputRefused
from comity.kernel.model.strictjson import Limits, read
from comity.kernel.seal.canonical import canonical

FORM: Final = "comity-sealed/1"
CODE: Final = "sealed-file"
LARGEST: Final = 64 << 20
"""Bytes of such a file; more is carried as packs, between nodes."""


@dataclass(frozen=True, slots=True)
class SealedObject:
    """One object in a file.

    Args:
        raw: Its bytes, as sealed.
        seal: The envelope.
        disclosure: What opens it, JSON-ready.
    """

    raw: bytes
    seal: bytes
    disclosure: Sequence[Mapping[str, Any]]


def write_sealed(objects: Iterable[SealedObject]) -> bytes:
    """The file.

    Raises:
        InputRefused: `sealed-file` where it becomes larger than one may be.
    """
    shape = [
        {"object": one.raw.decode(), "seal": one.seal.decode(), "disclosure": [dict(leaf) for leaf in one.disclosure]}
        for one in objects
    ]
    data = canonical({"form": FORM, "objects": shape})
    if len(data) > LARGEST:
        raise InputRefused(
            CODE, f"The file would have {len(data):,} bytes, more than {LARGEST:,}; seal fewer objects at once."
        )
    return data


def read_sealed(data: bytes) -> Iterator[SealedObject]:
    """The objects of a file, in order; no seal is verified here.

    Raises:
        InputRefused: `sealed-file`.
    """
    try:
        said = read(data, limits=Limits(size=LARGEST))
    except InputRefused as broken:
        raise InputRefused(CODE, f"The file of sealed objects cannot be read: {broken.sentence}") from broken
    if not isinstance(said, dict) or said.get("form") != FORM or not isinstance(said.get("objects"), list):
        raise InputRefused(CODE, "This is no file of sealed objects in a form that is known here.")
    for number, one in enumerate(said["objects"], 1):
        if not isinstance(one, dict) or set(one) != {"object", "seal", "disclosure"}:
            raise InputRefused(CODE, f"Object {number} of the file has not the form of a sealed object.")
        raw, seal, opens = one["object"], one["seal"], one["disclosure"]
        whole = isinstance(raw, str) and isinstance(seal, str) and isinstance(opens, list)
        if not whole or not all(isinstance(leaf, dict) for leaf in opens):
            raise InputRefused(CODE, f"Object {number} of the file has not the form of a sealed object.")
        yield SealedObject(raw.encode(), seal.encode(), opens)
