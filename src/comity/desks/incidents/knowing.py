"""Who knows of an incident: who was given it, whose node confirmed it, who was told by other ways, who answered, who has not looked.

Known is only what this node did or was told: its own streams and receipts, told-lists, and words that came. A receipt is a node's,
not a person's: only a word of a party shows that somebody there looked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.incidents.kinds import INCIDENT, TOLD, ToldList, ToldOne
from comity.desks.incidents.opening import THE_INCIDENT
from comity.desks.incidents.standing import status_of
from comity.desks.incidents.stating import keep, minted, stated, when
from comity.desks.incidents.words import Said, about, of_id, one
from comity.kernel.errors import Usage
from comity.kernel.model.instants import Instant, format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Delivery, Party, StreamRow
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import DeskDeed, Like, Lines, Told
from comity.node.parties import name_of, resolve_party
from comity.node.saying import Words


@dataclass(frozen=True, slots=True)
class Given:
    """What our stream shows of one object for one party.

    Args:
        at: When it was put into the party's stream.
        delivered: When it was handed over; None: not yet.
        receipted: Whether the party's node confirmed it.
        stands: Whether it still stands; False where it was taken back.
    """

    at: Instant
    delivered: Instant | None
    receipted: bool
    stands: bool


def given(tx: Reading, party: str, object_id: str) -> Given | None:
    """The newest row of an object in a party's stream; None where it was never given."""
    row = next(iter(tx.find(StreamRow, party=party, object=object_id, order=("n",), reverse=True, limit=1)), None)
    if row is None:
        return None
    page = next(iter(tx.find(Delivery, party=party, order=("last",), after=(row.n - 1,), limit=1)), None)
    handed = page is not None and page.first <= row.n
    return Given(
        row.at,
        page.at if page is not None and handed else None,
        bool(page is not None and handed and page.receipt is not None),
        row.ended is None and row.kind != "withdrawn",
    )


def seers(tx: Reading, object_id: str) -> tuple[str, ...]:
    """The parties that were given an object by this node and whom nothing took it back from."""
    found = ((row.id, given(tx, row.id, object_id)) for row in tx.find(Party))
    return tuple(sorted(party for party, one in found if one is not None and one.stands))


@dataclass(frozen=True, slots=True)
class Knows:
    """What is known of one party's knowing.

    Args:
        word: ``ours``, ``answered``, ``receipted``, ``delivered``, ``queued``, ``told``, ``withdrawn``: the furthest that is known.
        looked: Whether a word of the party shows that somebody there looked.
        told: How others or we told it by other ways, each with by whose word.
    """

    party: str
    name: str
    word: str
    looked: bool
    given: Given | None
    status: str | None
    answered_at: Instant | None
    told: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """{party, name, word, looked, given_at, delivered_at, receipted, stands, status, answered_at, told}."""
        one = self.given
        return {
            "party": self.party,
            "name": self.name,
            "word": self.word,
            "looked": self.looked,
            "given_at": None if one is None else format(one.at),
            "delivered_at": None if one is None or one.delivered is None else format(one.delivered),
            "receipted": one is not None and one.receipted,
            "stands": one is not None and one.stands,
            "status": self.status,
            "answered_at": None if self.answered_at is None else format(self.answered_at),
            "told": list(self.told),
        }


def who_knows(tx: Reading, us: str, incident: str, words: Words[Said]) -> tuple[Knows, ...]:
    """Every party of which something is known here, ourselves first, then by name."""
    every = [*of_id(tx, us, incident).said, *words.said]
    told: dict[str, list[dict[str, Any]]] = {}
    for said in words.of(TOLD):
        for line in said.says.told:
            if line.party is not None:
                by = {"by": said.by, "name": said.named(tx), "how": line.how, "at": line.told_at}
                told.setdefault(line.party, []).append(by)
    parties = {row.id for row in tx.find(Party) if given(tx, row.id, incident) is not None}
    parties |= {said.by for said in every if said.by is not None} | set(told) | {us}
    found = [_knows(tx, us, incident, party, every, words, tuple(told.get(party, ()))) for party in parties]
    return tuple(sorted(found, key=lambda one: (one.party != us, one.name, one.party)))


def _knows(
    tx: Reading,
    us: str,
    incident: str,
    party: str,
    every: list[Any],
    words: Words[Said],
    told: tuple[dict[str, Any], ...],
) -> Knows:
    line, status = given(tx, party, incident), status_of(words, party)
    spoke = [said.at for said in every if said.by == party]
    word = "told"
    if party == us:
        word = "ours"
    elif spoke:
        word = "answered"
    elif line is not None:
        word = (
            ("receipted" if line.receipted else "delivered" if line.delivered is not None else "queued")
            if line.stands
            else "withdrawn"
        )
    return Knows(
        party,
        name_of(tx, party),
        word,
        party == us or bool(spoke),
        line,
        None if status is None else status.says.says,
        max(spoke, default=None),
        told,
    )


class Who(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say who knows of an incident, who was told, and who has not looked as far as is known here."""

    incident: Annotated[str, THE_INCIDENT]


def who(node: Node, asked: Who, officer: str) -> Told:
    """Who knows, from streams, receipts, told-lists and words."""
    with node.store.read() as tx:
        one(tx, node.party, asked.incident, INCIDENT)
        words = about(tx, node.party, asked.incident)
        found = who_knows(tx, node.party, asked.incident, words)
        others = [
            {"name": line.name, "how": line.how, "at": line.told_at, "by": said.by, "by_name": said.named(tx)}
            for said in words.of(TOLD)
            for line in said.says.told
            if line.party is None
        ]
    rows = [
        (
            line.name,
            line.word,
            "yes" if line.looked else "not known to",
            line.status or "silent",
            ", ".join(f"{way['how']} (says {way['name']})" for way in line.told),
        )
        for line in found
    ]
    lines = Lines().table(("party", "knows", "looked", "says", "told otherwise"), rows)
    lines.add(*(f"Told otherwise: {line['name']}, {line['how']} (says {line['by_name']})." for line in others))
    lines.add("To whom others gave it is known here only where they say so.")
    return Told(
        {"incident": asked.incident, "parties": [line.as_json() for line in found], "others": others}, lines.found
    )


class Tell(Like, kw_only=True, forbid_unknown_fields=True):
    """Record whom we told of an incident by other ways, and share that with those who may see it."""

    incident: Annotated[str, THE_INCIDENT]
    how: Annotated[str, Meta(description="How, such as telephone or note verbale.")]
    party: Annotated[tuple[str, ...], Meta(description="Party that was told, name or id; once for each.")] = ()
    name: Annotated[tuple[str, ...], Meta(description="Somebody else who was told, in words; once for each.")] = ()
    at: Annotated[str | None, Meta(description="When; without it, now.")] = None
    given: Annotated[bool, Meta(description="Name every party too that this node gave the incident to.")] = False


def tell(node: Node, asked: Tell, officer: str) -> Told:
    """Mint a told-list."""
    if not (asked.party or asked.name or asked.given):
        raise Usage("desk-asked", "comity incident told: say --party, --name or --given.")
    with deed(node, officer) as work:
        incident = one(work.tx, node.party, asked.incident, INCIDENT)
        at = when(asked.at, "--at")
        stamp = format(work.at if at is None else at)
        lines = [ToldOne(party=resolve_party(work.tx, text).id, how=asked.how, told_at=stamp) for text in asked.party]
        lines += [ToldOne(name=text, how=asked.how, told_at=stamp) for text in asked.name]
        if asked.given:
            lines += [
                ToldOne(party=party, how="given by this node", told_at=format(row.at))
                for party in seers(work.tx, asked.incident)
                if (row := given(work.tx, party, asked.incident)) is not None
            ]
        made = minted(work, TOLD, ToldList(incident_ref=asked.incident, told=tuple(lines)))
        keep(work, "incident told", [made], stated(work, asked, incident.seen, asked.incident))
    return Told({"object": made["id"], "told": len(lines)}, [f"{len(lines)} are on the list {made['id']}."])


DEEDS = (DeskDeed("incident who", "read", Who, who), DeskDeed("incident told", "take in", Tell, tell))
