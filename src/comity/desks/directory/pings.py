"""Deeds on pings: ask an office whether it answers, answer one, see how they stand, and the report on who can be reached."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from comity.desks.directory.book import Word, called, find_office, find_party, of_party, read_book, stands, words
from comity.desks.directory.checks import CADENCE, acknowledgements, by_office, checks, reachability
from comity.desks.directory.contacts import Note, OfficeWord
from comity.desks.directory.duty import instant_or
from comity.desks.directory.kinds import ACKNOWLEDGEMENT, CHANNELS, PING, Acknowledgement, Ping, Tried
from comity.desks.directory.lookup import PartyAsked, age
from comity.kernel.errors import NotAllowed, NotFound, Usage
from comity.kernel.model.instants import Instant, format
from comity.kernel.release.handling import Handling
from comity.kernel.store.ports import Reading
from comity.node.carrying import drawn, may_go
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, Lines, Shared, Told
from comity.node.minting import mint, new_object
from comity.node.parties import name_of
from comity.node.stating import span, span_or_instant


class Send(Shared, kw_only=True, forbid_unknown_fields=True):
    """Ask an office whether it answers; or record that it was tried by telephone, mail or another road, and what came of it."""

    office: OfficeWord
    answer_by: Annotated[
        str, Meta(description="Until when an answer is asked for: an instant, or a duration from now such as P1D.")
    ] = "P1D"
    cadence: Annotated[
        str | None, Meta(description="How long until the next ping is due, such as P30D; without it half a year.")
    ] = None
    by: Annotated[
        Tried,
        Meta(description=f"The road: exchange sends it; {', '.join(CHANNELS)} record that it was tried."),
    ] = "exchange"
    outcome: Annotated[
        Literal["answered", "failed"] | None, Meta(description="What came of it by another road: answered or failed.")
    ] = None
    note: Note = None


def send(node: Node, asked: Send, officer: str) -> Told:
    """Mint a ping for the party of an office; one tried by another road stays with us."""
    with deed(node, officer) as work:
        office = find_office(work.tx, node.party, work.at, asked.office)
        if office.party == node.party:
            raise Usage("desk-asked", "This office is ours; a ping asks another party's office.")
        if (asked.by == "exchange") != (asked.outcome is None):
            raise Usage(
                "desk-asked", "A ping by another road is recorded with --outcome; one by the exchange has none yet."
            )
        due = span_or_instant(asked.answer_by, "--answer-by", work.at)
        after = CADENCE if asked.cadence is None else span(asked.cadence, "--cadence")
        says = Ping(
            party=office.party,
            office=office.office,
            contact_ref=office.word.seen.id,
            answer_by=format(due),
            next=format(work.at + after),
            road=asked.by,
            outcome=asked.outcome,
            note=asked.note,
            addressed_to=(office.party,) if asked.by == "exchange" else (node.party,),
        )
        made = new_object(node, PING, says, work.at, draw=drawn(work, f"ping/{office.party}/{office.office}"))
        kept = mint(work, [made], asked.handling(work.at), name="contact ping", kinds=[PING])
        waits = [] if asked.outcome else may_go(work, kept[0], [office.party], f"the ping of {office.office}")
        work.audit("contact-ping", {"object": made["id"], "party": office.party, "office": office.office})
        name = called(work.tx, node.party, office.party)
    told = (
        f"{name}/{office.office} is asked to answer by {format(due)}; the ping is {made['id']}."
        if asked.outcome is None
        else f"It is recorded that {name}/{office.office} was tried by {asked.by}: {asked.outcome}."
    )
    return Told({"object": made["id"], "answer_by": format(due), "waits": waits}, [told, *waits])


class Acknowledging(Protocol):
    """What a deed asks that acknowledges something."""

    note: str | None

    def handling(self, now: Instant, *caveats: str) -> Handling: ...


class Answer(Shared, kw_only=True, forbid_unknown_fields=True):
    """Answer a ping: a person here has seen it."""

    ping: Annotated[str, Meta(description="The id of the ping, or an unambiguous beginning of it.", extra=PLACED)]
    note: Note = None


def answer(node: Node, asked: Answer, officer: str) -> Told:
    """Mint the acknowledgement of a ping to us."""
    with deed(node, officer) as work:
        ping = find_asked(work.tx, node.party, asked.ping)
        made, waits = acknowledge(node, work, ping.seen.id, str(ping.by), ping.says.office, asked, "contact answer")
        late = work.at > instant_or(ping.says.answer_by, 1 << 62)
        name = name_of(work.tx, str(ping.by))
    told = f"The ping of {name} is answered" + (", after the time it named." if late else ".")
    return Told({"object": made, "of": ping.seen.id, "late": late, "waits": waits}, [told, *waits])


def acknowledge(
    node: Node, work: Deed, of: str, party: str, office: str | None, asked: Acknowledging, name: str
) -> tuple[str, list[str]]:
    """Say that a person here saw an object of another party, to that party alone: (id, what is still in the way).

    Raises:
        NotAllowed: `already-done`, `not-carried`.
    """
    done = [one for one in acknowledgements(work.tx, node.party).get(of, ()) if one.by == node.party]
    if done:
        raise NotAllowed("already-done", f"This was acknowledged before, by {done[0].seen.id}.")
    says = Acknowledgement(of_ref=of, office=office, note=asked.note, addressed_to=(party,))
    made = new_object(node, ACKNOWLEDGEMENT, says, work.at, draw=drawn(work, f"acknowledge/{of}"))
    kept = mint(work, [made], asked.handling(work.at), name=name, kinds=[ACKNOWLEDGEMENT])
    waits = may_go(work, kept[0], [party], "the acknowledgement")
    work.audit(name.replace(" ", "-"), {"object": made["id"], "of": of})
    return str(made["id"]), waits


class Pings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show our pings and how each stands, those of others that wait for our answer, and offices whose next ping is due."""

    party: PartyAsked = None
    waiting: Annotated[bool, Meta(description="Only what waits: for our answer, for theirs, or to be sent.")] = False


def pings(node: Node, asked: Pings, officer: str) -> Told:
    """Pings out and in, and what is due."""
    with node.store.read() as tx:
        at = node.clock()
        party = None if asked.party is None else find_party(tx, node.party, asked.party)
        ours = [one for one in checks(tx, node.party, at) if party in (None, one.ping.party)]
        answered = acknowledgements(tx, node.party)
        theirs = [
            (one, any(ack.by == node.party for ack in answered.get(one.seen.id, ())))
            for one in words(tx, node.party, PING, [])
            if one.by not in (None, node.party) and one.says.party == node.party and party in (None, one.by)
        ]
        due = _due(tx, node.party, at, party)
        if asked.waiting:
            ours = [one for one in ours if one.state in ("sent", "delivered", "overdue")]
            theirs = [(one, done) for one, done in theirs if not done]
        lines = Lines().table(
            ("office", "sent", "by", "state", "answer by", "ping"),
            [
                (
                    f"{called(tx, node.party, one.ping.party)}/{one.ping.office}",
                    f"{age(at - one.at)} ago",
                    one.ping.road,
                    one.state,
                    format(one.due),
                    one.word.seen.id,
                )
                for one in ours
            ],
        )
        for word, done in theirs:
            left = instant_or(word.says.answer_by, at) - at
            clock = "answered" if done else f"answer in {age(left)}" if left >= 0 else f"overdue for {age(-left)}"
            lines.add(f"{name_of(tx, str(word.by))} asks {word.says.office} of us: {clock}; {word.seen.id}")
        lines.add(
            *(
                f"{called(tx, node.party, one)}/{office} is due for a ping since {format(when)}."
                for one, office, when in due
            )
        )
        shape = {
            "ours": [one.as_json() for one in ours],
            "to_us": [
                {
                    "object": word.seen.id,
                    "from": word.by,
                    "office": word.says.office,
                    "answer_by": word.says.answer_by,
                    "answered": done,
                    "overdue": not done and at > instant_or(word.says.answer_by, 1 << 62),
                }
                for word, done in theirs
            ],
            "due": [{"party": one, "office": office, "since": format(when)} for one, office, when in due],
        }
        return Told(shape, lines.found or ["No ping was sent or received."])


class Report(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Report who can be reached: for each office the last ping, how many were answered in time, how fast, and what is due."""

    party: PartyAsked = None


def report(node: Node, asked: Report, officer: str) -> Told:
    """The reachability report; status 1 where an office does not answer."""
    with node.store.read() as tx:
        at = node.clock()
        book = read_book(tx, node.party, at)
        if asked.party is not None:
            book = of_party(book, find_party(tx, node.party, asked.party))
        tests = by_office(checks(tx, node.party, at))
        found = [
            (one, reachability(tests.get((one.party, one.office), ())))
            for one in book.offices
            if one.party != node.party and stands(one.contact, at)
        ]
        rows = [
            (
                f"{called(tx, node.party, one.party)}/{one.office}",
                tested.verdict,
                f"{tested.answered} of {tested.over}",
                None if tested.typical is None else age(tested.typical),
                None if tested.last is None else f"{tested.last.state}, {age(at - tested.last.at)} ago",
                "now" if tested.next is None or tested.next <= at else f"in {age(tested.next - at)}",
            )
            for one, tested in found
        ]
        shape = {
            "at": format(at),
            "offices": [
                {
                    "party": one.party,
                    "party_name": called(tx, node.party, one.party),
                    "office": one.office,
                    **tested.as_json(),
                }
                for one, tested in found
            ],
            "reachable": sum(tested.verdict == "reachable" for _, tested in found),
            "unreachable": sum(tested.verdict == "unreachable" for _, tested in found),
            "untested": sum(tested.verdict == "untested" for _, tested in found),
        }
        heads = ("office", "verdict", "in time", "typical", "last ping", "next due")
        lines = Lines().table(heads, rows).found or ["No office of another party is known."]
        return Told(shape, lines, status=1 if shape["unreachable"] else 0)


def find_asked(tx: Reading, us: str, text: str) -> Word:
    """A ping to us of this id or beginning of it.

    Raises:
        NotFound: `no-such-object`. Usage: `ambiguous-name`.
    """
    fits = [
        one
        for one in words(tx, us, PING, [])
        if one.by not in (None, us) and one.says.party == us and one.seen.id.startswith(text)
    ]
    if not fits:
        raise NotFound("no-such-object", f"No ping {text!r} to us is held here; comity contact pings shows them.")
    if len(fits) > 1:
        raise Usage("ambiguous-name", f"{text!r} fits {', '.join(one.seen.id for one in fits)}; write more of it.")
    return fits[0]


def _due(tx: Reading, us: str, at: Instant, party: str | None) -> list[tuple[str, str, Instant]]:
    tests = by_office(checks(tx, us, at))
    found = []
    for one in read_book(tx, us, at).offices:
        if one.party == us or party not in (None, one.party) or not stands(one.contact, at):
            continue
        tested = reachability(tests.get((one.party, one.office), ()))
        when = one.word.seen.at if tested.next is None else tested.next
        if when <= at:
            found.append((one.party, one.office, when))
    return found
