"""A party's security.txt (RFC 9116): where it wants to be told of vulnerabilities, until when that holds.

Contacts stand in the order of preference. A signature is kept with the file and not verified here: it was made over the file, whose
key the officer knows by another road. A file without Contact or Expires is none.
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from comity.desks.directory import words
from comity.desks.directory.files.shape import LONGEST, Entry, Refusal, kept, text_of
from comity.desks.directory.kinds import Contact
from comity.desks.directory.reaching import tried
from comity.kernel.errors import InputRefused, NotAllowed, Usage
from comity.kernel.model.instants import format, parse_offset

_SIGNED: Final = re.compile(
    r"\s*-----BEGIN PGP SIGNED MESSAGE-----\n(?P<heads>(?:[^\n]+\n)*)\n(?P<text>.*?)\n"
    r"(?P<signature>-----BEGIN PGP SIGNATURE-----\n.*?-----END PGP SIGNATURE-----)\s*",
    re.S,
)
_FIELD: Final = re.compile(r"([A-Za-z0-9-]+):\s(.*)|([A-Za-z0-9-]+):(.+)")
_WEIGHT: Final = 5


def read(data: bytes) -> list[Entry | Refusal]:
    """The one office of the file.

    Raises:
        InputRefused: `directory-file` with the clause that it breaks; `wrong-encoding`.
    """
    text = text_of(data).replace("\r\n", "\n")
    if len(text) > LONGEST:
        raise InputRefused(
            "directory-file", f"The file is longer than {LONGEST:,} characters, which no security.txt is."
        )
    rest: list[tuple[str, str]] = []
    beware: list[str] = []
    if "-----BEGIN PGP" in text:
        match = _SIGNED.fullmatch(text)
        if match is None:
            _refuse("it is signed, and its signature does not stand as RFC 9580 says", "§2.3")
        rest.append(("signature", f"{match['heads']}\n{match['signature']}"))
        text = re.sub(r"^- ", "", match["text"], flags=re.M)
        beware.append("The file is signed; the signature was kept and not verified.")
    says: dict[str, Any] = {"role": "technical", "channels": [], "keys": []}
    expires: list[str] = []
    preferred: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if line.startswith("#"):
            rest.append(("comment", line))
            continue
        match = _FIELD.fullmatch(line.rstrip())
        if match is None:
            _refuse(f"line {number} is neither a field nor a comment", "§2.2")
        name, value = (match[1] or match[3]), (match[2] if match[1] else match[4]).strip()
        field = name.lower()
        if field == "contact":
            says["channels"].append(_road(value, len(says["channels"]), number))
        elif field == "expires":
            expires.append(value)
        elif field == "preferred-languages":
            preferred.append(value)
        elif field == "encryption":
            says["keys"].append(_key(value, number))
        else:
            rest.append((name, value))
    if not says["channels"]:
        _refuse("it names no Contact", "§2.5.3")
    if len(expires) != 1:
        _refuse(f"it says Expires {len(expires)} times, and must say it once", "§2.5.5")
    if len(preferred) > 1:
        _refuse("it says Preferred-Languages more than once", "§2.5.8")
    try:
        says["until"] = format(parse_offset(expires[0]))
    except InputRefused as broken:
        _refuse(f"its Expires {expires[0][:40]!r} is no instant with an offset", "§2.5.5", broken)
    try:
        says["languages"] = [words.read_language(one) for one in preferred[0].split(",")] if preferred else []
    except Usage as broken:
        _refuse("its Preferred-Languages are no list of language tags", "§2.5.8", broken)
    clean = {name: value for name, value in says.items() if value != []}
    return [Entry("the file", {**clean, **kept("security.txt", rest)}, None, tuple(beware))]


def _refuse(why: str, section: str, cause: Exception | None = None) -> NoReturn:
    raise InputRefused(
        "directory-file", f"The file is no security.txt: {why}.", clause=f"RFC 9116 {section}"
    ) from cause


def _road(value: str, before: int, number: int) -> dict[str, Any]:
    scheme, colon, after = value.partition(":")
    by = {"mailto": "mail", "tel": "telephone", "https": "web"}.get(scheme.lower())
    if not colon or by is None or not after:
        _refuse(f"the Contact of line {number} is no mailto:, tel: or https: address", "§2.5.3")
    priority = {"priority": before * _WEIGHT + _WEIGHT}
    if priority["priority"] > 100:
        _refuse("it names more contacts than anybody tries", "§2.5.3")
    return {"by": by, "value": value if by == "web" else after, **priority}


def _key(value: str, number: int) -> dict[str, Any]:
    low = value.lower()
    if low.startswith("openpgp4fpr:"):
        return {"use": "openpgp", "fingerprint": value[12:]}
    if low.startswith("http:"):
        _refuse(f"the Encryption of line {number} is had without TLS", "§2.5.4")
    return {"use": "openpgp", "uri": value}


def write(contact: Contact) -> bytes:
    """The file of one office; a signature is not written again, since it would not hold.

    Raises:
        NotAllowed: `not-exported` where the office cannot be said so.
    """
    if contact.until is None:
        raise NotAllowed(
            "not-exported",
            "A security.txt says until when it holds; say comity contact change --until first.",
            clause="RFC 9116 §2.5.5",
        )
    lines = []
    rest = contact.source.rest if contact.source is not None and contact.source.form == "security.txt" else ()
    lines += [value for name, value in rest if name == "comment"]
    for road in tried(contact.channels):
        scheme = {"mail": "mailto:", "telephone": "tel:", "web": ""}.get(road.by)
        if scheme is not None and (road.by != "web" or road.value.startswith("https:")):
            lines.append(f"Contact: {scheme}{road.value}")
    if not any(line.startswith("Contact: ") for line in lines):
        raise NotAllowed(
            "not-exported", "A security.txt names a mail address, a telephone number or an https page; this office has none.",
            clause="RFC 9116 §2.5.3",
        )  # fmt: skip
    lines.append(f"Expires: {format(parse_offset(contact.until))}")
    for key in contact.keys:
        where = key.uri or ("" if key.fingerprint is None else f"openpgp4fpr:{key.fingerprint.replace(' ', '')}")
        lines += [f"Encryption: {where}"] if where else []
    if contact.languages:
        lines.append(f"Preferred-Languages: {', '.join(contact.languages)}")
    lines += [f"{name}: {value}" for name, value in rest if name not in ("comment", "signature")]
    return ("\n".join(lines) + "\n").encode()


def left_out(contact: Contact) -> list[str]:
    """Members of a contact that a security.txt has no field for."""
    named = ("person", "zone", "hours", "closures", "since", "nominated_by", "instrument", "note")
    found = [name for name in named if getattr(contact, name)]
    if any(one.by not in ("mail", "telephone") and not one.value.startswith("https:") for one in contact.channels):
        found.append("channels other than mail, telephone and https")
    return found
