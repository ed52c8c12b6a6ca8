"""Whom can be reached within a time, in which language: offices that are open, persons on duty, roads that are always answered.

Each answer says why, by whose word, how old that word is and how the last ping went; each office that is left out, why it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from comity.desks.directory.book import Office, of_rota, stands
from comity.desks.directory.checks import Reachability
from comity.desks.directory.duty import on_duty, order
from comity.desks.directory.hours import Span, local, open_spans, zone_of
from comity.desks.directory.kinds import Channel, Contact
from comity.kernel.model.instants import MINUTE, Instant

_HUMAN = "%a %d %b %H:%M"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to an office within the time asked for.

    Args:
        why: ``open``, ``on-duty`` or ``always``.
        span: From when to when, cut to the time asked for.
        who: The word or name of who is on duty; None for the office itself.
        channels: Roads, the first to be tried first.
        then: Who is asked next, and how long after: (name, minutes).
        told: Why, as a sentence for people.
    """

    why: str
    span: Span
    who: str | None
    languages: tuple[str, ...]
    channels: tuple[Channel, ...]
    then: tuple[tuple[str, int], ...]
    told: str


@dataclass(frozen=True, slots=True)
class Reached:
    """An office with the ways to it; without any, `why_not` says why, a sentence each."""

    office: Office
    ways: tuple[Way, ...]
    why_not: tuple[str, ...]
    tested: Reachability


def speaks(languages: Sequence[str], wanted: str) -> bool:
    """Whether one of the languages is in the range asked for: ``fr`` is met by fr and fr-BE (RFC 4647 §3.3.1)."""
    low = wanted.casefold()
    return any(one.casefold() == low or one.casefold().startswith(low + "-") for one in languages)


def reach(
    office: Office, tested: Reachability, start: Instant, end: Instant, *, language: str | None, role: str | None
) -> Reached:
    """The ways to an office within ``[start, end)``."""
    contact = office.contact
    reasons: list[str] = []
    if role is not None and contact.role != role:
        reasons.append(f"It is a {contact.role} contact.")
    elif not stands(contact, start):
        ended = contact.state not in ("active", "nominated")
        reasons.append(f"It is {contact.state}." if ended else "Its own dates say that it is not there now.")
    if reasons:
        return Reached(office, (), tuple(reasons), tested)
    ways = [*_duty(office, start, end), *_open(contact, start, end), *_always(contact, start, end)]
    fits = [one for one in ways if language is None or speaks(one.languages, language)]
    if ways and not fits:
        said = sorted({tag for one in ways for tag in one.languages})
        reasons.append(
            f"Who can be reached there speaks {', '.join(said)}." if said else "Nobody said which languages."
        )
    if not ways:
        reasons.extend(_not_now(office, start))
    return Reached(office, tuple(sorted(fits, key=lambda one: one.span[0])), tuple(reasons), tested)


def rank(found: Reached) -> tuple[int, bool, int, str, str]:
    """Order of answers: who is reached first, the party's own word, who answered the last ping."""
    tried = {"reachable": 0, "untested": 1, "late": 2, "unreachable": 3}[found.tested.verdict]
    first = found.ways[0].span[0] if found.ways else 1 << 62
    return first, not found.office.word.own, tried, found.office.party, found.office.office


def _duty(office: Office, start: Instant, end: Instant) -> Iterator[Way]:
    rota = of_rota(office.rota)
    if rota is None:
        return
    zone = zone_of(rota.zone)
    for one in on_duty(rota, start, end):
        turn = [asked for asked in order(rota, one.span[0]) if asked.duty.word != one.duty.word]
        then = tuple((asked.duty.name or asked.duty.word, asked.after // MINUTE) for asked in turn)
        name = one.duty.name or one.duty.word
        until = "" if zone is None else f" until {local(one.span[1], zone).strftime(_HUMAN)} ({rota.zone})"
        yield Way(
            "on-duty",
            one.span,
            name,
            one.duty.languages or office.contact.languages,
            tried(one.duty.channels or office.contact.channels),
            then,
            f"{name} is on duty by {'a dated shift' if one.dated else 'the weekly rota'}{until}.",
        )


def _open(contact: Contact, start: Instant, end: Instant) -> Iterator[Way]:
    zone = None if contact.zone is None else zone_of(contact.zone)
    if zone is None:
        return
    for span in open_spans(contact.hours, contact.closures, zone, start, end):
        until = local(span[1], zone).strftime(_HUMAN)
        begins = "Open" if span[0] == start else f"Opens {local(span[0], zone).strftime(_HUMAN)},"
        told = (
            f"{begins} until {until} or longer ({contact.zone})."
            if span[1] == end
            else f"{begins} until {until} ({contact.zone})."
        )
        yield Way("open", span, None, contact.languages, tried(contact.channels), (), told)


def _always(contact: Contact, start: Instant, end: Instant) -> Iterator[Way]:
    roads = tried([one for one in contact.channels if one.always])
    if roads:
        yield Way(
            "always",
            (start, end),
            None,
            contact.languages,
            roads,
            (),
            f"{roads[0].by} is answered outside the hours too.",
        )


def tried(channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """Roads in the order they are to be tried."""
    return tuple(sorted(channels, key=lambda one: (one.priority, one.by, one.value)))


def _not_now(office: Office, start: Instant) -> Iterator[str]:
    contact = office.contact
    if contact.zone is None or not contact.hours:
        yield "Its hours are not known, and nobody is on duty by a rota."
    elif zone_of(contact.zone) is None:
        yield "Its time zone is not known here, so its hours are not."
    else:
        zone = zone_of(contact.zone)
        assert zone is not None, "asked just before"
        days = 14
        opens = open_spans(contact.hours, contact.closures, zone, start, start + days * 1440 * MINUTE)
        if opens:
            yield f"It is closed, and opens {local(opens[0][0], zone).strftime(_HUMAN)} ({contact.zone})."
        else:
            yield f"It is closed for the next {days} days."
