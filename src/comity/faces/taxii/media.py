"""Content negotiation of TAXII 2.1: one media type, asked for and sent by name (TAXII 2.1 §1.6.8, §3.1)."""

from __future__ import annotations

from typing import Final

from comity.kernel.errors import RequestRefused, Usage

MEDIA_TYPE: Final = "application/taxii+json;version=2.1"
STIX: Final = "application/stix+json;version=2.1"
_BARE: Final = "application/taxii+json"


def check_accept(header: str | None) -> None:
    """Return if an ``Accept`` field names TAXII 2.1, or TAXII without a version, which means the newest.

    Raises:
        Usage: `accept` for anything else, also for a wildcard: a browser that strays here gets no objects.
    """
    if not any(_ours(part) for part in (header or "").split(",")):
        raise Usage("accept", f"Say Accept: {MEDIA_TYPE}.", clause="TAXII 2.1 §1.6.8.1")


def check_content_type(header: str | None) -> None:
    """Return if a ``Content-Type`` field says TAXII 2.1.

    Raises:
        RequestRefused: `content-type`.
    """
    if not _ours(header or ""):
        raise RequestRefused("content-type", f"Say Content-Type: {MEDIA_TYPE}.", clause="TAXII 2.1 §1.6.8.2")


def _ours(part: str) -> bool:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    if name != _BARE:
        return False
    said = dict(one.partition("=")[::2] for one in parameters)
    return said.get("version", "2.1").strip('"') == "2.1" and _weight(said.get("q", "1")) > 0


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
