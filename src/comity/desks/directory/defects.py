"""What is wrong with a contact or a rota that has the form of its kind, in words for people. It is shown with them, never mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from comity.desks.directory.hours import day_of, minutes_of, zone_of
from comity.desks.directory.kinds import Contact, Rota
from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import parse_offset
from comity.kernel.model.names import flaw_of_name, flaw_of_text

LANGUAGE: Final = re.compile(r"[a-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
"""A language tag as far as its form goes (BCP 47, RFC 5646 §2.1), the first subtag in small letters."""

_PERSONS: Final = frozenset(("name", "person", "office"))
_MOST: Final = 10
"""Defects of one object that are told one by one."""


def defects_of_contact(contact: Contact) -> list[str]:
    """What is wrong with a contact."""
    return _few(_of_contact(contact))


def defects_of_rota(rota: Rota) -> list[str]:
    """What is wrong with a duty rota."""
    return _few(_of_rota(rota))


def readable(says: msgspec.Struct) -> list[str]:
    """Texts in which something cannot be seen or reverses the reading, by the name of the member."""
    return _few(_texts(msgspec.to_builtins(says), ""))


def capital(sentence: str) -> str:
    """The sentence with its first letter large, the others as they are."""
    return sentence[:1].upper() + sentence[1:]


def _few(found: Iterator[str]) -> list[str]:
    told: list[str] = []
    for one in found:
        if len(told) == _MOST:
            told.append("and more of the kind")
            break
        told.append(one)
    return told


def _of_contact(contact: Contact) -> Iterator[str]:
    yield from _texts(msgspec.to_builtins(contact), "")
    yield from _zone(contact.zone)
    if contact.hours and contact.zone is None:
        yield "it names hours and no time zone, so nobody can tell when it is open"
    for hours in contact.hours:
        yield from _clock(hours.opens, hours.closes)
    for closure in contact.closures:
        first, last = day_of(closure.first), day_of(closure.last or closure.first)
        if first is None or last is None:
            yield f"a closure names {(closure.first if first is None else closure.last or '')[:20]!r}, which is no day"
        elif last < first and not closure.yearly:
            yield f"a closure ends on {last} before it begins on {first}"
    yield from _languages(contact.languages)
    yield from _instants(since=contact.since, until=contact.until)
    for key in contact.keys:
        if key.fingerprint is None and key.uri is None:
            yield "a key has neither a fingerprint nor an address"


def _of_rota(rota: Rota) -> Iterator[str]:
    yield from _texts(msgspec.to_builtins(rota), "")
    yield from _zone(rota.zone)
    words = [one.word for one in rota.duties]
    if len(set(words)) < len(words):
        yield "two of its duties have the same word"
    named = (
        [one.duty for one in rota.weekly] + [one.duty for one in rota.shifts] + [one.duty for one in rota.escalation]
    )
    for word in dict.fromkeys(named):
        if word not in words:
            yield f"it puts {word[:40]!r} on duty, whom it does not name"
    for weekly in rota.weekly:
        yield from _clock(weekly.start, weekly.end)
    for shift in rota.shifts:
        yield from _instants(start=shift.start, end=shift.end)
    for duty in rota.duties:
        yield from _languages(duty.languages)
    yield from _instants(since=rota.since, until=rota.until)


def _zone(name: str | None) -> Iterator[str]:
    if name is not None and zone_of(name) is None:
        yield f"the time zone {name[:60]!r} is not known here; its hours count as unknown"


def _clock(first: str, last: str) -> Iterator[str]:
    for text in (first, last):
        if minutes_of(text) is None:
            yield f"{text[:20]!r} is no time of a clock such as 09:00"
    if first == "24:00":
        yield "hours cannot begin at 24:00; say 00:00 of the next day"


def _languages(tags: tuple[str, ...]) -> Iterator[str]:
    for tag in tags:
        if LANGUAGE.fullmatch(tag) is None:
            yield f"{tag[:40]!r} is no language tag such as en or pt-BR"


def _instants(**texts: str | None) -> Iterator[str]:
    for name, text in texts.items():
        if text is not None:
            try:
                parse_offset(text)
            except InputRefused as broken:
                yield f"{name}: {broken.sentence.rstrip('.')}"


def _texts(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            if key != "source":
                yield from _texts(one, key)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, name)
    elif isinstance(value, str):
        # lines of a note or a body are for people; their ends are no defect
        lines = value.splitlines() if name in ("note", "body") else [value]
        for line in lines:
            flaw = flaw_of_name(line) if name in _PERSONS else flaw_of_text(line) if line.strip() else None
            if flaw is not None and "space at its ends" not in flaw:
                yield f"its {name} {flaw}"
