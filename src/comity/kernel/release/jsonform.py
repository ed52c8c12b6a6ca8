"""The signed form of an agreement: its data as RFC 8785 JSON, with the SHA-256 of the readable text in each language.

Who signs the digest signs the data and every authentic text; who receives the form makes the texts again and refuses
it where one differs. Source: wire.md "Agreement file"; docs/formats/agreement.md.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.release import agreementdata, phrasebook
from comity.kernel.release.agreement import Agreement
from comity.kernel.seal.canonical import canonical


def form(agreement: Agreement, *, books: phrasebook.Books = phrasebook.BOOKS) -> dict[str, Any]:
    """The signed data: the keys of the file, instants as STIX timestamps, and ``texts``: language to hex SHA-256.

    Raises:
        InputRefused: `agreement-phrases` where there is no phrasebook for one of its languages.
    """
    shape = agreementdata.to_data(agreement, instants.format)
    shape["texts"] = _texts(agreement, books)
    return shape


def digest(agreement: Agreement, *, books: phrasebook.Books = phrasebook.BOOKS) -> str:
    """What is signed and what titles name: SHA-256 of the canonical bytes of `form`, hex.

    Raises:
        InputRefused: as `form`.
    """
    return sha256(canonical(form(agreement, books=books))).hexdigest()


def read(shape: Any, *, books: phrasebook.Books = phrasebook.BOOKS) -> Agreement:
    """Read a signed form and hold its texts against its data.

    Raises:
        InputRefused: `agreement-altered` where a text is not what the data say, or the data are not in their one form;
            otherwise as the file.
    """
    if not isinstance(shape, dict) or not isinstance(shape.get("texts"), dict):
        raise InputRefused(
            "agreement-syntax", "This is not the signed form of an agreement; ask the sender for it again."
        )
    data = {key: value for key, value in shape.items() if key != "texts"}
    agreement = agreementdata.from_data(data, line=lambda path: None, instant=_instant)
    if shape["texts"] != _texts(agreement, books):
        raise InputRefused(
            "agreement-altered",
            "The readable text this agreement was signed with is not the text its data give; do not sign it, "
            "ask the sender.",
            clause="docs/formats/agreement.md",
        )
    if canonical(form(agreement, books=books)) != canonical(shape):
        raise InputRefused(
            "agreement-altered",
            "The data of this agreement are not in their one form, so its digest would differ; ask the sender.",
        )
    return agreement


def _texts(agreement: Agreement, books: phrasebook.Books) -> dict[str, str]:
    return {
        language: sha256(phrasebook.render(agreement, language, books=books).encode()).hexdigest()
        for language in agreement.languages
    }


def _instant(value: Any) -> Instant:
    if not isinstance(value, str):
        raise ValueError("an instant is text here")
    try:
        return instants.parse(value)
    except InputRefused as broken:
        raise ValueError(f"{value[:60]!r} is no instant") from broken
