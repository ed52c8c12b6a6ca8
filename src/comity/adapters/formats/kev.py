"""CISA's Known Exploited Vulnerabilities catalogue: each entry becomes a vulnerability object.

Source: the catalogue's JSON schema (cisa.gov, catalogVersion 2025.08.25). An entry has a day it was added and no day
it was changed, and CISA does change entries: the id covers the whole entry, so a changed one is another statement
(`minting`). The entry stays word for word in an extension of ours. Memory: one entry.
"""

from __future__ import annotations

import re
from typing import Any, Final

from comity.adapters.formats import minting
from comity.adapters.formats.csvfile import read_date
from comity.adapters.formats.items import Item, Refusal, Results
from comity.adapters.formats.reader import Input
from comity.kernel.errors import InputRefused
from comity.kernel.model import bundle, instants, strictjson
from comity.kernel.seal.canonical import canonical

ENTRY_BYTES: Final = 1024 * 1024
_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]{4,19}", re.ASCII)
_URL: Final = re.compile(r"https?://[^\s;,]+")
CATALOGUE: Final = "https://www.cisa.gov/known-exploited-vulnerabilities-catalog"


def read_kev(source: Input, maker: minting.Maker) -> Results:
    """Read the catalogue, entry by entry."""
    limits = strictjson.Limits(size=ENTRY_BYTES)
    for number, found in enumerate(bundle.parts(source.stream.read1, "vulnerabilities", limits=limits), 1):
        place, raw = f"entry {number}", found.raw
        try:
            if found.fault is not None:
                raise found.fault
            entry = strictjson.read(raw)
            if not isinstance(entry, dict):
                raise InputRefused("kev-entry", f"{place.capitalize()} is no JSON object.")
            shape = vulnerability(entry, maker, place)
            yield Item(canonical(shape), raw, (), place, {}, minting.unstated(shape))
        except InputRefused as refused:
            yield Refusal.of(place, refused, raw)


def vulnerability(entry: dict[str, Any], maker: minting.Maker, place: str) -> dict[str, Any]:
    """The vulnerability object of one entry.

    Raises:
        InputRefused: `kev-entry` without a CVE number.
    """
    cve = entry.get("cveID")
    if not isinstance(cve, str) or not _CVE.fullmatch(cve):
        raise InputRefused("kev-entry", f"{place.capitalize()} has no CVE number in cveID.")
    added = read_date(_text(entry, "dateAdded"))
    when = instants.format(added[0]) if added is not None else maker.now
    references = [{"source_name": "cve", "external_id": cve}, {"source_name": "cisa-kev", "url": CATALOGUE}]
    for url in dict.fromkeys(_URL.findall(_text(entry, "notes"))):
        url = url.rstrip(".\"')")
        if minting.is_web_address(url):
            references.append({"source_name": "cisa-kev-notes", "url": url})
    cwes = entry.get("cwes")
    for cwe in cwes if isinstance(cwes, list) else []:
        if isinstance(cwe, str):
            references.append({"source_name": "cwe", "external_id": cwe})
    shape: dict[str, Any] = {
        "type": "vulnerability",
        "spec_version": "2.1",
        "created": when,
        "modified": when,
        "name": cve,
        "external_references": references,
        "extensions": {minting.KEV_EXTENSION: {"extension_type": "property-extension", "entry": entry}},
    }
    if added is None:
        shape["extensions"][minting.KEV_EXTENSION][minting.UNSTATED] = ["created", "modified"]
    if maker.author is not None:
        shape["created_by_ref"] = maker.author
    parts = [_text(entry, name) for name in ("vulnerabilityName", "shortDescription", "requiredAction")]
    text = "\n\n".join(part for part in parts if part)
    if text:
        shape["description"] = text
    return minting.statement(shape, maker.party, ("kev", cve))


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""
