"""What a team says of itself as RFC 2350 asks (BCP 21, appendix D): sections by their numbers, of which some are members of a contact.

    2.1 name    2.3 time zone    2.4 telephone    2.5 facsimile    2.7 mail    2.8 keys

Every section stands as it was written, too: only what its text says and a member of a contact says again is taken out of what is
kept, and a section whose member was changed since is written anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from comity.desks.directory.files.shape import LONGEST, Entry, Refusal, kept, text_of
from comity.desks.directory.hours import zone_of
from comity.desks.directory.kinds import Channel, Contact, Key
from comity.kernel.errors import InputRefused

_HEADING: Final = re.compile(r"[ \t]*(\d{1,2}(?:\.\d{1,2}){0,2})\.?[ \t]+(\S[^\n]*)")
_MAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_NUMBER: Final = re.compile(r"\+\d[\d ().\-/]{5,30}\d")
_PRINT: Final = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{4}[ \t]*){9}[0-9A-Fa-f]{4}(?![0-9A-Fa-f])")
_PAGE: Final = re.compile(r"https://[^\s<>\"']+[^\s<>\"'.,;)]")
_ZONE: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?")

TITLES: Final[Mapping[str, str]] = {
    "1": "Document Information",
    "1.1": "Date of Last Update",
    "1.2": "Distribution List for Notifications",
    "1.3": "Locations where this Document May Be Found",
    "2": "Contact Information",
    "2.1": "Name of the Team",
    "2.2": "Address",
    "2.3": "Time Zone",
    "2.4": "Telephone Number",
    "2.5": "Facsimile Number",
    "2.6": "Other Telecommunication",
    "2.7": "Electronic Mail Address",
    "2.8": "Public Keys and Encryption Information",
    "2.9": "Team Members",
    "2.10": "Other Information",
    "2.11": "Points of Customer Contact",
    "3": "Charter",
    "4": "Policies",
    "5": "Services",
    "6": "Incident Reporting Forms",
    "7": "Disclaimers",
}
"""Headings of RFC 2350, appendix D, as they are written where the file had none."""

Part = dict[str, Any]


def _name(text: str) -> Part:
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return {"name": first[:300]} if first else {}


def _zone(text: str) -> Part:
    found = next((one for one in _ZONE.findall(text) if zone_of(one) is not None), None)
    return {"zone": found} if found else {}


def _roads(by: str, pattern: re.Pattern[str]) -> Callable[[str], Part]:
    def taken(text: str) -> Part:
        values = dict.fromkeys(" ".join(one.split()) for one in pattern.findall(text))
        return {"channels": [{"by": by, "value": one} for one in values]} if values else {}

    return taken


def _keys(text: str) -> Part:
    prints = dict.fromkeys(re.sub(r"\s", "", one).upper() for one in _PRINT.findall(text))
    pages = dict.fromkeys(_PAGE.findall(text))
    keys = [{"use": "openpgp", "fingerprint": one} for one in prints] + [
        {"use": "openpgp", "uri": one} for one in pages
    ]
    return {"keys": keys} if keys else {}


TAKEN: Final[Mapping[str, Callable[[str], Part]]] = {
    "2.1": _name,
    "2.3": _zone,
    "2.4": _roads("telephone", _NUMBER),
    "2.5": _roads("fax", _NUMBER),
    "2.7": _roads("mail", _MAIL),
    "2.8": _keys,
}
"""What is read from which section."""


def read(data: bytes) -> list[Entry | Refusal]:
    """The one office of the document.

    Raises:
        InputRefused: `directory-file`, `wrong-encoding`.
    """
    text = text_of(data).replace("\r\n", "\n")
    if len(text) > LONGEST:
        raise InputRefused(
            "directory-file", f"The document is longer than {LONGEST:,} characters, which no such one is."
        )
    before, sections = _sections(text)
    numbers = {number for number, _, _ in sections}
    if "2.1" not in numbers or not numbers & {"2.4", "2.7"}:
        raise InputRefused(
            "directory-file",
            "The file is no RFC 2350 document: it has no section 2.1 with the team's name, or none of 2.4 and 2.7 to reach it.",
            clause="RFC 2350 appendix D",
        )
    says: Part = {"role": "technical"}
    rest: list[tuple[str, str]] = [("", before)] if before else []
    for number, title, body in sections:
        part = TAKEN[number](body) if number in TAKEN else {}
        for name, value in part.items():
            says[name] = [*says.get(name, ()), *value] if isinstance(value, list) else says.get(name, value)
        if body or title != TITLES.get(number):
            rest.append((f"{number} {title}", body))
    if not says.get("name"):
        raise InputRefused("directory-file", "Section 2.1 names no team.", clause="RFC 2350 §2.1")
    beware = (
        []
        if "zone" in says
        else ["Section 2.3 names no time zone that is known here; say it with comity contact change --zone."]
    )
    return [Entry("the document", {**says, **kept("rfc2350", rest)}, None, tuple(beware))]


def _sections(text: str) -> tuple[str, list[tuple[str, str, str]]]:
    """What stands before the first heading, and (number, title, text) of each; a heading without text that comes again (a table of
    contents) is left out."""
    before: list[str] = []
    found: list[tuple[str, str, list[str]]] = []
    for line in text.split("\n"):
        match = _HEADING.fullmatch(line)
        if match is not None and _is_heading(match[1], match[2], found):
            found.append((match[1], match[2].strip(), []))
        else:
            (found[-1][2] if found else before).append(line.rstrip())
    told = [(number, title, _trimmed(lines)) for number, title, lines in found]
    full = {number for number, _, body in told if body}
    kept_ = [
        one
        for n, one in enumerate(told)
        if one[2] or (one[0] not in full and one[0] not in {x[0] for x in told[n + 1 :]})
    ]
    return _trimmed(before), kept_


def _is_heading(number: str, title: str, found: list[tuple[str, str, list[str]]]) -> bool:
    """Whether a line that begins with a number is a heading: it says what RFC 2350 says there, or its number comes next.

    A number without a point is one only by its words, so that a line such as ``1 Main Street`` stays what it is.
    """
    known = set(TITLES.get(number, "").casefold().split()) - {"of", "the", "and", "for", "may", "be", "this"}
    return bool(known & set(title.casefold().split())) or ("." in number and _follows(number, found))


def _follows(number: str, found: list[tuple[str, str, list[str]]]) -> bool:
    """Whether a number can be the next section, so that numbered lines within a text are not taken for headings."""
    if not found:
        return number in ("1", "1.1")
    last = [int(one) for one in found[-1][0].split(".")]
    here = [int(one) for one in number.split(".")]
    deeper = len(here) == len(last) + 1 and here[:-1] == last and here[-1] in (0, 1)
    beside = len(here) <= len(last) and here[:-1] == last[: len(here) - 1] and here[-1] == last[len(here) - 1] + 1
    return deeper or beside


def _trimmed(lines: list[str]) -> str:
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return "\n".join(lines)


def write(contact: Contact) -> bytes:
    """The document of one office: sections as they were written, those whose member is another now anew, and those that lacked."""
    old = dict(_numbered(contact))
    out = [value for name, value in (contact.source.rest if _ours(contact) and contact.source else ()) if not name]
    now = {number: _said(contact, number) for number in TAKEN}
    named = {*old, *(number for number, text in now.items() if text), "1", "2"}
    numbers = sorted({*named, *(top for one in named if (top := one.partition(".")[0]) in TITLES)}, key=_order)
    for number in numbers:
        title, body = old.get(number, (TITLES.get(number, ""), ""))
        if number in TAKEN and not _same(TAKEN[number](body), number, contact):
            body = now[number]
        indent = "\n\n" + body if body else ""
        out.append(f"{number}{'.' if '.' not in number else ''} {title}{indent}")
    return ("\n\n".join(out) + "\n").encode()


def _ours(contact: Contact) -> bool:
    return contact.source is not None and contact.source.form == "rfc2350"


def _numbered(contact: Contact) -> list[tuple[str, tuple[str, str]]]:
    if contact.source is None or not _ours(contact):
        return []
    return [(name.partition(" ")[0], (name.partition(" ")[2], body)) for name, body in contact.source.rest if name]


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(one) for one in number.split("."))


def _part(contact: Contact, number: str) -> Part:
    """What of a contact a section says, in the shape `TAKEN` gives."""
    by = {"2.4": "telephone", "2.5": "fax", "2.7": "mail"}.get(number)
    if number == "2.1":
        return {"name": contact.name}
    if number == "2.3":
        return {} if contact.zone is None else {"zone": contact.zone}
    if number == "2.8":
        return (
            {"keys": [msgspec.to_builtins(one) for one in contact.keys if one.use == "openpgp"]} if contact.keys else {}
        )
    roads = [{"by": one.by, "value": one.value} for one in contact.channels if one.by == by]
    return {"channels": roads} if roads else {}


def _same(part: Part, number: str, contact: Contact) -> bool:
    return part == _part(contact, number)


def _said(contact: Contact, number: str) -> str:
    part = _part(contact, number)
    if "keys" in part:
        keys = [msgspec.convert(one, Key) for one in part["keys"]]
        return "\n".join(text for one in keys for text in (_grouped(one.fingerprint), one.uri) if text)
    if "channels" in part:
        return "\n".join(msgspec.convert(one, Channel).value for one in part["channels"])
    return str(part.get("name") or part.get("zone") or "")


def _grouped(text: str | None) -> str | None:
    if text is None:
        return None
    plain = "".join(text.split())
    return " ".join(plain[n : n + 4] for n in range(0, len(plain), 4))


def left_out(contact: Contact) -> list[str]:
    """Members of a contact that no section is written from."""
    named = ("person", "languages", "hours", "closures", "since", "until", "nominated_by", "instrument", "note")
    found = [name for name in named if getattr(contact, name)]
    if any(one.by not in ("telephone", "fax", "mail") for one in contact.channels):
        found.append("channels other than telephone, facsimile and mail")
    return found
