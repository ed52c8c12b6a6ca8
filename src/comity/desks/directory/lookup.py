"""Deeds that look into the directory: list it, show an office whole, and whom can be reached now."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from comity.desks.directory import words
from comity.desks.directory.book import (
    Book,
    Office,
    Word,
    as_json,
    called,
    find_office,
    find_party,
    of_party,
    of_rota,
    read_book,
    stands,
    whose,
)
from comity.desks.directory.checks import Check, Reachability, by_office, checks, reachability
from comity.desks.directory.contacts import OfficeWord
from comity.desks.directory.duty import on_duty, order
from comity.desks.directory.kinds import STATES_SOURCE, Contact, Rota
from comity.desks.directory.reaching import Reached, Way, rank, reach, speaks, tried
from comity.kernel.model.instants import DAY, HOUR, MINUTE, Instant, format
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.desk import Lines, Told
from comity.node.parties import name_of
from comity.node.stating import span

Tests = dict[tuple[str, str], list[Check]]
RoleAsked = Annotated[Literal["technical", "diplomatic"] | None, Meta(description="technical or diplomatic.")]
PartyAsked = Annotated[str | None, Meta(description="Only this party's offices, name or id.")]


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show the offices known here, by whose word, and how they answered."""

    party: PartyAsked = None
    role: RoleAsked = None
    language: Annotated[str | None, Meta(description="Only where this language is spoken, such as fr.")] = None
    ended: Annotated[bool, Meta(description="Also those that are over.")] = False


def list_(node: Node, asked: List, officer: str) -> Told:
    """The directory as a table."""
    with node.store.read() as tx:
        at = node.clock()
        book, tests = _book(tx, node, at, asked.party)
        offices = [
            one
            for one in book.offices
            if (asked.ended or stands(one.contact, at))
            and (asked.role is None or one.contact.role == asked.role)
            and (asked.language is None or speaks(one.contact.languages, asked.language))
        ]
        shape = {
            "contacts": [
                {**as_json(tx, node.party, one), "reachability": _tested(tests, one).as_json()["verdict"]}
                for one in offices
            ],
            "defects": _broken_json(book),
            "states": {"source": STATES_SOURCE[0], "verified": STATES_SOURCE[1]},
        }
        rows = [
            (
                f"{called(tx, node.party, one.party)}/{one.office}",
                one.contact.name,
                one.contact.role,
                " ".join(one.contact.languages),
                _road(one.contact),
                f"{whose(tx, one.word)}, {age(at - one.word.since)} old",
                one.contact.state if one.contact.state != "active" else _tested(tests, one).verdict,
            )
            for one in offices
        ]
        heads = ("office", "name", "role", "speaks", "reached by", "word", "state")
        lines = Lines().table(heads, rows).found or ["No office is known."]
        lines += [f"{one.office}: {defect}." for one in offices for defect in one.word.defects]
        return Told(shape, [*lines, *_broken(tx, book)])


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show an office whole: hours, roads, keys, who is on duty, who is asked next, every word on it, how it answered."""

    office: OfficeWord


def show(node: Node, asked: Show, officer: str) -> Told:
    """One office."""
    with node.store.read() as tx:
        at = node.clock()
        office = find_office(tx, node.party, at, asked.office)
        tested = reachability(by_office(checks(tx, node.party, at)).get((office.party, office.office), ()))
        rota = of_rota(office.rota)
        shape = {
            **as_json(tx, node.party, office),
            "reachability": tested.as_json(),
            "on_duty": [] if rota is None else [one.duty.name or one.duty.word for one in on_duty(rota, at, at + 1)],
            "states": {"source": STATES_SOURCE[0], "verified": STATES_SOURCE[1]},
        }
        return Told(shape, _whole(tx, node.party, office, rota, tested, at))


class Reach(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom can be reached within a time, in which language: by hours, zones, rota and roads that are always answered."""

    within: Annotated[str, Meta(description="How soon, a duration such as PT1H.")] = "PT1H"
    language: Annotated[str | None, Meta(description="In this language, such as fr.")] = None
    role: RoleAsked = None
    party: PartyAsked = None


def reach_(node: Node, asked: Reach, officer: str) -> Told:
    """Ways to offices, the soonest first, and why others are left out."""
    length = min(span(asked.within, "--within"), 30 * DAY)
    language = None if asked.language is None else words.read_language(asked.language)
    with node.store.read() as tx:
        at = node.clock()
        book, tests = _book(tx, node, at, asked.party)
        found = [
            reach(one, _tested(tests, one), at, at + length, language=language, role=asked.role) for one in book.offices
        ]
        good = sorted((one for one in found if one.ways), key=rank)
        rest = sorted((one for one in found if not one.ways), key=rank)
        lines: list[str] = []
        for one in good:
            lines += _told(tx, node.party, one, at)
        if not good:
            lines.append(f"Nobody can be reached within {asked.within}" + (f" in {language}." if language else "."))
        lines += [
            f"Not {called(tx, node.party, one.office.party)}/{one.office.office}: {' '.join(one.why_not)}"
            for one in rest
        ]
        shape = {
            "at": format(at),
            "until": format(at + length),
            "reachable": [_reached_json(tx, node.party, one) for one in good],
            "left_out": [
                {"party": one.office.party, "office": one.office.office, "why": list(one.why_not)} for one in rest
            ],
            "defects": _broken_json(book),
        }
        return Told(shape, [*lines, *_broken(tx, book)], status=0 if good else 1)


# --- how it is told


def age(length: int) -> str:
    """How long ago, in the largest unit that says something: ``3 d``, ``5 h``, ``12 min``."""
    for unit, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if length >= unit:
            return f"{length // unit} {word}"
    return "0 min"


def _book(tx: Reading, node: Node, at: Instant, party: str | None) -> tuple[Book, Tests]:
    book = read_book(tx, node.party, at)
    if party is not None:
        book = of_party(book, find_party(tx, node.party, party))
    return book, by_office(checks(tx, node.party, at))


def _tested(tests: Tests, office: Office) -> Reachability:
    return reachability(tests.get((office.party, office.office), ()))


def _road(contact: Contact) -> str | None:
    roads = tried(contact.channels)
    return f"{roads[0].by} {roads[0].value}" if roads else None


def _broken(tx: Reading, book: Book) -> list[str]:
    return [f"Not read: {sentence} It came from {name_of(tx, custodian)}." for _, custodian, sentence in book.broken]


def _broken_json(book: Book) -> list[dict[str, str]]:
    return [{"object": id, "from": custodian, "sentence": sentence} for id, custodian, sentence in book.broken]


def ping_told(tested: Reachability, at: Instant) -> str:
    """How the last ping went, in words."""
    if tested.last is None:
        return "never pinged"
    return f"last ping {age(at - tested.last.at)} ago: {tested.last.state}"


def _told(tx: Reading, us: str, found: Reached, at: Instant) -> list[str]:
    office, word = found.office, found.office.word
    head = (
        f"{called(tx, us, office.party)}/{office.office}: {office.contact.name}, {office.contact.role}"
        f" ({whose(tx, word)}, {age(at - word.since)} old; {ping_told(found.tested, at)})"
    )
    lines = [head]
    for way in found.ways:
        lines.append(f"  {way.told}")
        if way.languages:
            lines.append(f"    speaks {', '.join(way.languages)}")
        lines += [f"    {road.by} {road.value}" + (f" ({road.note})" if road.note else "") for road in way.channels]
        lines += [f"    then {name}, after {minutes} min" for name, minutes in way.then]
    lines += [f"  Beware: {defect}." for defect in word.defects]
    return lines


def _reached_json(tx: Reading, us: str, found: Reached) -> dict[str, Any]:
    office = found.office
    return {
        "party": office.party,
        "party_name": called(tx, us, office.party),
        "office": office.office,
        "name": office.contact.name,
        "role": office.contact.role,
        "object": office.word.seen.id,
        "by": office.word.by,
        "own_word": office.word.own,
        "said": format(office.word.since),
        "defects": list(office.word.defects),
        "last_ping": None if found.tested.last is None else found.tested.last.as_json(),
        "ways": [_way_json(one) for one in found.ways],
    }


def _way_json(way: Way) -> dict[str, Any]:
    return {
        "why": way.why,
        "from": format(way.span[0]),
        "until": format(way.span[1]),
        "who": way.who,
        "languages": list(way.languages),
        "channels": msgspec.to_builtins(way.channels),
        "then": [{"who": name, "minutes": minutes} for name, minutes in way.then],
        "sentence": way.told,
    }


def _whole(tx: Reading, us: str, office: Office, rota: Rota | None, tested: Reachability, at: Instant) -> list[str]:
    contact = office.contact
    lines = [f"{called(tx, us, office.party)}/{office.office}: {contact.name}, {contact.role}, {contact.state}"]
    lines += _about(tx, office.word, at)
    if contact.person is not None:
        lines.append(f"  person: {contact.person}")
    if contact.languages:
        lines.append(f"  speaks {', '.join(contact.languages)}")
    if contact.hours:
        lines.append(f"  open {', '.join(words.write_hours(one) for one in contact.hours)} ({contact.zone})")
    lines += [f"  closed {words.write_closure(one)}" for one in contact.closures]
    lines += [f"  {words.write_channel(one)}" for one in tried(contact.channels)]
    lines += [f"  key {words.write_key(one)}" for one in contact.keys]
    for name in ("since", "until", "nominated_by", "instrument", "note"):
        if (value := getattr(contact, name)) is not None:
            lines.append(f"  {name.replace('_', ' ')}: {value}")
    if contact.source is not None and contact.source.rest:
        lines.append(f"  kept from a {contact.source.form} file: {len(contact.source.rest)} further fields")
    if rota is not None and office.rota is not None:
        here = ", ".join(one.duty.name or one.duty.word for one in on_duty(rota, at, at + 1)) or "nobody"
        lines.append(f"  on duty now: {here} ({whose(tx, office.rota)})")
        asked = [f"{one.duty.name or one.duty.word} after {one.after // MINUTE} min" for one in order(rota, at)]
        lines.append(f"  asked in turn: {', '.join(asked)}")
        lines += [f"  Beware, the rota: {defect}." for defect in office.rota.defects]
    lines += [f"  vouched for by {name_of(tx, str(one.by))}: {one.says.method}" for one in office.vouches]
    lines.append(f"  {ping_told(tested, at)}; {tested.answered} of {tested.over} answered in time")
    for other in office.others:
        lines += [f"Another word: {other.says.name}", *_about(tx, other, at)]
    return lines


def _about(tx: Reading, word: Word, at: Instant) -> list[str]:
    lines = [f"  {whose(tx, word)}, {age(at - word.since)} old, {word.seen.id}"]
    if word.by is not None and word.seen.custodian != word.by:
        lines.append(f"  it came by way of {name_of(tx, word.seen.custodian)}")
    return lines + [f"  Beware: {defect}." for defect in word.defects]
