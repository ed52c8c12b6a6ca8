"""Offices as vCard 4.0 (RFC 6350): one card an office; what vCard has no property for stands in ``X-COMITY-`` ones, and what a card
says that has no member here is kept line by line and written again.

KIND:individual, which a card without KIND is, names a person: FN is the person, TITLE the office. Any other kind is an office.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comity.desks.directory import words
from comity.desks.directory.files.shape import LONGEST, MOST, Entry, Refusal, kept, text_of
from comity.desks.directory.hours import zone_of
from comity.desks.directory.kinds import CHANNELS, Channel, Contact, Key
from comity.kernel.errors import InputRefused, Usage

_LINE: Final = re.compile(
    r'((?:[A-Za-z0-9-]+\.)?([A-Za-z0-9-]+))((?:;[A-Za-z0-9-]+=(?:"[^"\x00-\x08\x0a-\x1f\x7f]*"|[^";:,\x00-\x08\x0a-\x1f\x7f]*)'
    r'(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)',
    re.S,
)
_PARAMETER: Final = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')
_VALUE: Final = re.compile(r'"([^"]*)"|([^",]+)')
_TEXTS: Final = ("office", "role", "state", "since", "until", "nominated_by", "instrument")
_IMPP: Final = ("xmpp", "matrix", "signal")
_USES: Final = {"application/pgp-keys": "openpgp", "application/pkix-cert": "smime"}


@dataclass(frozen=True, slots=True)
class _Property:
    """A content line: its name in capitals, parameters in capitals with their values, the value as it stands."""

    name: str
    head: str
    parameters: dict[str, tuple[str, ...]]
    value: str

    def one(self, name: str) -> str | None:
        found = self.parameters.get(name)
        return found[0] if found else None

    @property
    def types(self) -> set[str]:
        return {one.lower() for one in self.parameters.get("TYPE", ())}

    @property
    def text(self) -> str:
        return _unescaped(self.value)


def read(data: bytes) -> list[Entry | Refusal]:
    """The offices of a file of cards.

    Raises:
        InputRefused: `directory-file` where it is no vCard file; `wrong-encoding`.
    """
    cards = list(_cards(text_of(data)))
    if not cards:
        raise InputRefused(
            "directory-file", "The file holds no vCard: no line says BEGIN:VCARD.", clause="RFC 6350 §6.1.1"
        )
    if len(cards) > MOST:
        raise InputRefused(
            "directory-file", f"The file holds more than {MOST:,} cards, which no directory of offices has."
        )
    found: list[Entry | Refusal] = []
    for place, lines in cards:
        try:
            found.append(_entry(place, lines))
        except Usage as broken:
            found.append(Refusal(place, broken.sentence))
        except _Broken as broken:
            found.append(Refusal(place, str(broken)))
    return found


class _Broken(Exception):
    """A card that cannot be read."""


def _cards(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each card with its unfolded lines, without BEGIN and END (RFC 6350 §3.2)."""
    unfolded = re.sub(r"\r?\n[ \t]", "", text)
    inside: list[str] | None = None
    number = 0
    for line in re.split(r"\r?\n", unfolded):
        word = line.strip().upper()
        if word == "BEGIN:VCARD":
            if inside is not None:
                raise InputRefused("directory-file", f"Card {number} has no END:VCARD.", clause="RFC 6350 §6.1.2")
            inside, number = [], number + 1
        elif word == "END:VCARD":
            if inside is None:
                raise InputRefused("directory-file", "A card ends that did not begin.", clause="RFC 6350 §6.1.2")
            yield f"card {number}", inside
            inside = None
        elif inside is not None and line:
            inside.append(line)
        elif line.strip():
            raise InputRefused("directory-file", f"{line[:60]!r} stands outside of a vCard.", clause="RFC 6350 §3.3")
    if inside is not None:
        raise InputRefused("directory-file", f"The file ends within card {number}.", clause="RFC 6350 §6.1.2")


def _property(line: str) -> _Property:
    match = _LINE.fullmatch(line)
    if match is None:
        raise _Broken(f"The line {line[:60]!r} is no content line of a vCard (RFC 6350 §3.3).")
    parameters: dict[str, tuple[str, ...]] = {}
    for name, values in _PARAMETER.findall(match[3]):
        read = tuple(_uncareted(quoted or plain) for quoted, plain in _VALUE.findall(values))
        parameters[name.upper()] = parameters.get(name.upper(), ()) + read
    return _Property(match[2].upper(), match[1] + match[3], parameters, match[4])


def _entry(place: str, lines: list[str]) -> Entry:
    if sum(map(len, lines)) > LONGEST:
        raise _Broken(f"The card is longer than {LONGEST:,} characters.")
    properties = [_property(line) for line in lines]
    versions = [one.value.strip() for one in properties if one.name == "VERSION"]
    if versions != ["4.0"]:
        told = f"is of version {versions[0][:10]}" if versions else "does not say its version"
        raise _Broken(f"The card {told}; write it as vCard 4.0 (RFC 6350 §6.7.9).")
    names = [one.text.strip() for one in properties if one.name == "FN"]
    if not names or not names[0]:
        raise _Broken("The card has no FN, which every card has (RFC 6350 §6.2.1).")
    says: dict[str, Any] = {"channels": [], "languages": [], "keys": [], "hours": [], "closures": []}
    rest: list[tuple[str, str]] = []
    party: str | None = None
    beware: list[str] = []
    kind = next((one.text.strip().lower() for one in properties if one.name == "KIND"), "individual")
    title = next((one.text.strip() for one in properties if one.name == "TITLE"), None)
    person = kind == "individual"
    says["name"] = (title or names[0]) if person else names[0]
    if person:
        says["person"] = names[0]
    taken = {"VERSION"}
    for one in properties:
        if one.name in taken:
            continue
        if one.name == "FN" or (one.name == "TITLE" and person):
            taken.add(one.name)  # a second one is kept
        elif one.name == "KIND" and kind in ("individual", "org"):
            taken.add(one.name)
        elif one.name == "X-COMITY-PARTY" or (
            one.name == "ORG" and party is None and not _has(properties, "X-COMITY-PARTY")
        ):
            party = _components(one.value)[0].strip() or None
            if one.name == "ORG" and len(_components(one.value)) > 1:
                rest.append((one.head, one.value))
        elif one.name == "LANG":
            says["languages"].append((_preference(one), words.read_language(one.text)))
        elif one.name == "TZ" and zone_of(one.text.strip()) is not None and "zone" not in says:
            says["zone"] = one.text.strip()
        elif one.name == "NOTE" and "note" not in says:
            says["note"] = one.text
        elif one.name == "X-COMITY-HOURS":
            says["hours"].append(msgspec.to_builtins(words.read_hours(one.text)))
        elif one.name == "X-COMITY-CLOSED":
            says["closures"].append(msgspec.to_builtins(words.read_closure(one.text)))
        elif one.name.startswith("X-COMITY-") and (member := one.name[9:].lower().replace("-", "_")) in _TEXTS:
            says[member] = one.text
        elif (key := _key(one)) is not None:
            says["keys"].append(msgspec.to_builtins(key))
        elif (road := _road(one)) is not None:
            says["channels"].append(msgspec.to_builtins(road))
        else:
            rest.append((one.head, one.value))
    says["languages"] = [tag for _, tag in sorted(says["languages"], key=lambda pair: pair[0])]
    if person and kind == "individual" and not _has(properties, "KIND"):
        beware.append(
            "The card does not say what it is of, so it is of a person (RFC 6350 §6.1.4): it is taken as personal data."
        )
    return Entry(place, {**{k: v for k, v in says.items() if v != []}, **kept("vcard", rest)}, party, tuple(beware))


def _has(properties: Sequence[_Property], name: str) -> bool:
    return any(one.name == name for one in properties)


def _preference(one: _Property) -> int:
    said = one.one("PREF") or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 3 and 1 <= int(said) <= 100 else 101


def _road(one: _Property) -> Channel | None:
    value, by = one.text.strip(), None
    scheme, colon, after = value.partition(":")
    if one.name == "TEL":
        by = "fax" if "fax" in one.types else "telephone"
        value = after if colon and scheme.lower() == "tel" else value
    elif one.name == "EMAIL":
        by = "mail"
    elif one.name == "URL":
        by = "web"
    elif one.name == "IMPP":
        service = (one.one("X-SERVICE-TYPE") or "").lower()
        if service in _IMPP:
            by = service
        elif colon and scheme.lower() == "xmpp":
            by, value = "xmpp", after
    elif one.name == "X-COMITY-CHANNEL":
        by = one.one("X-COMITY-BY")
    known = {"PREF", "TYPE", "VALUE", "X-SERVICE-TYPE", "X-COMITY-BY", "X-COMITY-ALWAYS", "X-COMITY-NOTE"}
    if by not in CHANNELS or not value or set(one.parameters) - known or "." in one.head.partition(";")[0]:
        return None
    preference = _preference(one)
    return Channel(
        by=by,  # type: ignore[arg-type]
        value=value,
        priority=50 if preference > 100 else preference,
        always=one.one("X-COMITY-ALWAYS") == "1",
        note=one.one("X-COMITY-NOTE"),
    )


def _key(one: _Property) -> Key | None:
    if one.name == "X-COMITY-KEY":
        return words.read_key(one.text)
    use = _USES.get((one.one("MEDIATYPE") or "").lower())
    if one.name != "KEY" or use is None or not re.match(r"https?:|openpgp4fpr:", one.text, re.I):
        return None
    if one.text.lower().startswith("openpgp4fpr:"):
        return Key(use="openpgp", fingerprint=one.text[12:])
    return Key(use=use, uri=one.text)  # type: ignore[arg-type]


def write(contacts: Sequence[Contact]) -> bytes:
    """Cards of contacts, lines folded at 75 octets (RFC 6350 §3.2)."""
    return b"".join(_folded(line) for one in contacts for line in _lines(one))


def _lines(contact: Contact) -> Iterator[str]:
    yield from ("BEGIN:VCARD", "VERSION:4.0")
    if contact.person is None:
        yield from ("KIND:org", f"FN:{_escaped(contact.name)}")
    else:
        yield from ("KIND:individual", f"FN:{_escaped(contact.person)}", f"TITLE:{_escaped(contact.name)}")
    yield f"X-COMITY-PARTY:{_escaped(contact.party)}"
    for name in _TEXTS:
        value = getattr(contact, name)
        if value is not None:
            yield f"X-COMITY-{name.upper().replace('_', '-')}:{_escaped(str(value))}"
    for place, tag in enumerate(contact.languages, 1):
        yield f"LANG;PREF={place}:{tag}"
    if contact.zone is not None:
        yield f"TZ:{_escaped(contact.zone)}"
    for hours in contact.hours:
        yield f"X-COMITY-HOURS:{_escaped(words.write_hours(hours))}"
    for closure in contact.closures:
        yield f"X-COMITY-CLOSED:{_escaped(words.write_closure(closure))}"
    for channel in contact.channels:
        yield _channel(channel)
    for key in contact.keys:
        yield f"X-COMITY-KEY:{_escaped(words.write_key(key))}"
    if contact.note is not None:
        yield f"NOTE:{_escaped(contact.note)}"
    if contact.source is not None and contact.source.form == "vcard":
        yield from (f"{head}:{value}" for head, value in contact.source.rest)
    yield "END:VCARD"


def _channel(one: Channel) -> str:
    head = {"telephone": "TEL;VALUE=text", "fax": "TEL;VALUE=text;TYPE=fax", "mail": "EMAIL", "web": "URL"}.get(one.by)
    if head is None:
        head = f"IMPP;X-SERVICE-TYPE={one.by}" if one.by in _IMPP else f"X-COMITY-CHANNEL;X-COMITY-BY={one.by}"
    if one.priority != 50:
        head += f";PREF={one.priority}"
    if one.always:
        head += ";X-COMITY-ALWAYS=1"
    if one.note is not None:
        head += f';X-COMITY-NOTE="{_careted(one.note)}"'
    return f"{head}:{_escaped(one.value)}"


def _folded(line: str) -> bytes:
    data, out = line.encode(), b""
    width = 75
    while len(data) > width:
        cut = width
        while data[cut] & 0xC0 == 0x80:  # not within a character
            cut -= 1
        out += data[:cut] + b"\r\n "
        data, width = data[cut:], 74
    return out + data + b"\r\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value, flags=re.S)


def _components(value: str) -> list[str]:
    return [_unescaped(one) for one in re.split(r"(?<!\\);", value)]


def _careted(text: str) -> str:
    return text.replace("^", "^^").replace("\n", "^n").replace('"', "^'")  # RFC 6868 §3.1


def _uncareted(text: str) -> str:
    return re.sub(r"\^([n^'])", lambda found: {"n": "\n", "^": "^", "'": '"'}[found[1]], text)
