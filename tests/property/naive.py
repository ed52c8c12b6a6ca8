"""What a party should be shown, worked out from scratch: no stream, no class, no grant, no closure of the node's is asked.

Facets are read anew from each version, its markings and the statements about it; `decide` is asked for each holding alone; then
everything that misses a required reference is taken away until nothing does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from comity.kernel.model.references import references, required_references
from comity.kernel.release.addressed import addressees
from comity.kernel.release.decide import approved, decide, of_object
from comity.kernel.release.decision import ClauseInForce, Refer, Release
from comity.kernel.release.handling import effective
from comity.kernel.release.markings import read_markings
from comity.kernel.seal.seals import claimed_party
from comity.kernel.seal.views import View, Withheld, narrower
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Approval, Delivery, Holding, StandIn, StreamRow, Version
from comity.node.agreements import clauses_in_force
from comity.node.context import Node
from comity.node.hidden import hiding, refusal
from comity.node.objects import class_facets, handlings_for, terms_from
from comity.node.parties import clients_of, receiver_of
from comity.node.views import show


@dataclass(frozen=True)
class Right:
    """A version that may go: the titles and views it may go under."""

    version: Version
    ways: tuple[tuple[str, View], ...]
    required: frozenset[str]
    optional: frozenset[str]


def rights(
    node: Node, tx: Reading, party: str, at: int, in_force: tuple[ClauseInForce, ...] | None = None
) -> dict[int, Right]:
    """Each version that may go to a party, references apart."""
    clauses = clauses_in_force(tx, node.party, at) if in_force is None else in_force
    to, clients = receiver_of(tx, party), clients_of(tx, node.party)
    found: dict[int, Right] = {}
    group = copies(tx.find(Version))
    for shown in tx.find(Version):
        stands = tx.get(StandIn, shown.n)
        sources = [shown]
        if stands is not None:  # it goes as the holdings of its original, and of the copies of that, say
            sources = [one for one in tx.find(Version) if group[one.n] == group[stands.original]]
        ways: list[tuple[str, View]] = []
        for version, holding in [
            (one, holding) for one in sources for holding in tx.find(Holding, version=one.n, ended=None)
        ]:
            data = msgspec.json.decode(version.raw)
            facts = effective(
                data,
                read_markings(data, lambda marking: None),
                handlings_for(
                    tx,
                    version.id,
                    {
                        other.batch
                        for other in tx.find(Holding, version=version.n)
                        if (other.custodian, other.title) == (holding.custodian, holding.title)
                    },
                ),
                terms_from(holding.terms),
                custodian=holding.custodian,
                originator=class_facets(tx, holding.cls).originator,
                claimants=class_facets(tx, holding.cls).claimants,
                title=holding.title,
            )
            decision = decide(facts.facets, node.party, to, clauses, at=at, clients=clients)
            if isinstance(decision, Refer):
                words = {
                    word.officer
                    for word in tx.find(Approval, object=version.id, party=party)
                    if word.version == version.n
                    and word.title == decision.title
                    and (word.until is None or at < word.until)
                }
                decision = approved(decision, words)
            decision = of_object(
                decision,
                facts.facets,
                node.party,
                to,
                at=at,
                embargo=facts.embargo,
                expiry=facts.expiry,
                addressed=addressees(data),
            )
            back = holding.title is not None and version.seal is not None and claimed_party(version.seal) == party
            if not isinstance(decision, Release) or back:
                continue
            if decision.clause.source != "hidden":
                if stands is None:
                    ways.append((decision.title, decision.view))
            elif stands is not None and stands.title == decision.title:
                hide = hiding(tx, node.party, version, holding, facts.facets.originator)
                if refusal(tx, node.party, version, hide, at) is None:
                    ways.append((decision.title, decision.view))
        if ways:
            named = {ref for ref in references(msgspec.json.decode(shown.raw)) if ref.kind == "object"}
            needed = {
                ref.target
                for ref in named
                if ref.property in required_references(shown.type) and not ref.property.endswith("_refs")
            }
            found[shown.n] = Right(
                shown, tuple(ways), frozenset(needed), frozenset({ref.target for ref in named} - needed)
            )
    return found


def given_by(tx: Reading, party: str) -> set[str]:
    """Ids of what came from a party."""
    return {row.object for row in tx.find(Holding, custodian=party, ended=None)}


@dataclass(frozen=True)
class Picture:
    """What a party should be shown: for each version the ids hidden in it."""

    shown: dict[int, frozenset[str]]
    rights: dict[int, Right]


def picture(
    node: Node,
    tx: Reading,
    party: str,
    at: int,
    *,
    kept: dict[int, str],
    in_force: tuple[ClauseInForce, ...] | None = None,
) -> Picture:
    """What a party should be shown at an instant.

    Args:
        kept: Versions (and their ids) that it was given under a title which has lapsed since: these stay with it.
    """
    able = rights(node, tx, party, at, in_force)
    free = given_by(tx, party)
    shown = dict(able)
    while True:
        ids = {one.version.id for one in shown.values()} | free | set(kept.values())
        left: dict[int, Right] = {}
        for n, one in shown.items():
            hidden = frozenset(one.optional - ids)
            if one.required <= ids and any(
                not isinstance(show(one.version, view, hidden, title), Withheld) for title, view in best(one)
            ):
                left[n] = one
        if left == shown:
            break
        shown = left
    ids = {one.version.id for one in shown.values()} | free | set(kept.values())
    return Picture({n: frozenset(one.optional - ids) for n, one in shown.items()}, able)


def best(one: Right) -> list[tuple[str, View]]:
    """The ways whose view no other way's view strictly contains."""
    return [(title, view) for title, view in one.ways if not any(narrower(view, other) for _, other in one.ways)]


def lapsed(node: Node, tx: Reading, party: str, at: int) -> dict[int, str]:
    """Versions that stand delivered although no clause gives them any more: their agreement ended, or rests."""
    able = rights(node, tx, party, at)
    clients = clients_of(tx, node.party)

    def speaks(clause: ClauseInForce) -> bool:
        """Whether the clause is between us and the party, first hand or onward, and may release now."""
        terms, onward = clause.clause, clause.clause.onward
        return (
            (clause.until is None or at < clause.until)
            and (terms.not_before is None or terms.not_before <= at)
            and (terms.not_after is None or at < terms.not_after)
            and (
                (node.party in clause.senders and party in clause.receivers)
                or (node.party in clause.receivers and onward == "members" and party in clause.receivers)
                or (node.party in clause.receivers and onward == "clients" and party in clients)
            )
        )

    titles = {clause.title for clause in clauses_in_force(tx, node.party, at) if speaks(clause)}
    delivered = tx.last(Delivery, "last", party=party) or 0
    return {
        row.version: row.object
        for row in tx.find(StreamRow, party=party, ended=None)
        if row.version not in able and row.title not in titles and row.n <= delivered
    }


def copies(versions: Iterable[Version]) -> dict[int, int]:
    """Versions that are copies of one another, equal or under one digest, by the smallest number among them."""
    group: dict[int, int] = {}
    every = sorted(versions, key=lambda one: one.n)
    for one in every:
        alike = [
            group[other.n]
            for other in every
            if other.n in group
            and other.id == one.id
            and (other.same == one.same or (one.digest is not None and other.digest == one.digest))
        ]
        least = min(alike, default=one.n)
        group[one.n] = least
        group.update({n: least for n, name in group.items() if name in alike})
    return group
