"""Release by officers: what would go to whom, and the words by which what a clause refers to an officer goes after all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from comity.kernel.errors import NotAllowed, NotFound
from comity.kernel.model.instants import Instant, format
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.closure import Reissue, Show, Withdraw
from comity.kernel.release.decision import Refer, Release, Withhold
from comity.kernel.release.vocabulary import TLP
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import AgreementRow, Approval, Class, Holding, Party, StreamRow, Version
from comity.node.agreements import describe, parties_of, superseded_by, suppose
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.mandates import needs
from comity.node.parties import name_of, resolve_party
from comity.node.record import record
from comity.node.streams import World, plan, settle, with_stand_ins, world_for


@dataclass(frozen=True, slots=True)
class Line:
    """What would change for one party: newly shown, shown otherwise, taken back, waiting for an officer, and why the rest stays.

    `verified` says whether its card is; where it is not, nothing goes, all the rest tells what goes once it is, and `first` says so.
    `withheld` counts holdings by failed predicate, `withheld_objects` the objects held here that the party is not shown after all.
    """

    party: str
    name: str
    verified: bool
    shown: tuple[str, ...]
    reissued: tuple[str, ...]
    withdrawn: tuple[str, ...]
    referred: tuple[str, ...]
    by_clause: dict[str, dict[str, int]]
    withheld: dict[str, int]
    withheld_objects: int

    @property
    def first(self) -> str | None:
        """What has to be said before the rest: that nothing goes yet; None where the card is verified."""
        if self.verified:
            return None
        return (
            f"Nothing goes to {self.name} until its card is verified: compare the fingerprint with the party itself, then comity "
            "card verify."
        )

    def as_json(self) -> dict[str, Any]:
        """Counts and ids by name."""
        return {
            "party": self.party,
            "name": self.name,
            "verified": self.verified,
            "sentence": self.first,
            "shown": len(self.shown),
            "reissued": len(self.reissued),
            "withdrawn": len(self.withdrawn),
            "referred": len(self.referred),
            "by_clause": self.by_clause,
            "withheld": self.withheld,
            "withheld_objects": self.withheld_objects,
            "objects": {
                "shown": list(self.shown),
                "reissued": list(self.reissued),
                "withdrawn": list(self.withdrawn),
                "referred": list(self.referred),
            },
        }


def preview_agreement(node: Node, agreement: Agreement) -> list[Line]:
    """What would become visible to whom if this agreement entered into force now, over the objects really held here.

    A party whose card is not verified is shown as it would be once it is, and said not to be: nothing goes to it before.
    """
    with node.store.read() as tx:
        at = node.clock()
        supposed = suppose(tx, node.party, agreement, at)
        lines = []
        named = {party.id: party.name for party in agreement.parties}
        for party in sorted(parties_of(supposed.state) - {node.party}):
            before = world_for(tx, node.party, party, at)
            after = world_for(tx, node.party, party, at, clauses=supposed.clauses)
            after.to = replace(after.to, verified=True)
            name = named[party] if tx.get(Party, party) is None else name_of(tx, party)
            lines.append(_line(tx, before, after, name, before.to.verified))
        return lines


def preview_standing(node: Node, party: str) -> Line:
    """What stands for a party now and why the rest is withheld: counts by clause and by failed predicate."""
    with node.store.read() as tx:
        row = resolve_party(tx, party)
        world = world_for(tx, node.party, row.id, node.clock())
        return _line(tx, None, world, name_of(tx, row.id), world.to.verified)


def _line(tx: Reading, before: World | None, after: World, name: str, verified: bool) -> Line:
    changed: list[int] = []
    withheld: Counter[str] = Counter()
    referred: list[str] = []
    everything: set[str] = set()
    standing = {after.original(row.version) for row in tx.find(StreamRow, party=after.to.id) if row.ended is None}
    for row in tx.find(Class):
        decision = after.decision(row.c)
        same = before is not None and _same(before.decision(row.c), decision)
        holdings = [one for one in tx.find(Holding, cls=row.c, order=("h",)) if one.ended is None]
        everything.update(one.object for one in holdings)
        if isinstance(decision, Withhold) and holdings:
            for failed in {one.predicate for one in decision.failed}:
                withheld[failed] += len(holdings)
        if isinstance(decision, Refer):
            referred.extend(one.object for one in holdings)
        if not same:
            changed.extend(one.version for one in holdings)
    changes = plan(after, with_stand_ins(after, changed))
    by_clause: dict[str, Counter[str]] = {}
    for change in changes:
        if not isinstance(change, Withdraw):
            base = after.base_of(change.holding)
            assert base is not None, "what is shown has a title"
            kind = after.original(change.holding).partition("--")[0]
            by_clause.setdefault(base.title, Counter())[kind] += 1
    return Line(
        after.to.id,
        name,
        verified,
        tuple(after.original(one.holding) for one in changes if isinstance(one, Show)),
        tuple(after.original(one.holding) for one in changes if isinstance(one, Reissue)),
        tuple(after.original(one.holding) for one in changes if isinstance(one, Withdraw)),
        tuple(dict.fromkeys(referred)),
        {title: dict(sorted(kinds.items())) for title, kinds in sorted(by_clause.items())},
        dict(sorted(withheld.items())),
        len(everything - standing - {after.original(one.holding) for one in changes if not isinstance(one, Withdraw)}),
    )


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    return isinstance(one, Withhold) or (one.title, one.view.name) == (other.title, other.view.name)


def compare_agreements(node: Node, old: Agreement, new: Agreement) -> list[dict[str, Any]]:
    """Two drafts compared in objects: for each party, what only the one and what only the other would show."""
    first = {line.party: set(line.shown) | set(line.reissued) for line in preview_agreement(node, old)}
    second = {line.party: set(line.shown) | set(line.reissued) for line in preview_agreement(node, new)}
    with node.store.read() as tx:
        return [
            {
                "party": party,
                "name": name_of(tx, party),
                "gains": sorted(second.get(party, set()) - first.get(party, set())),
                "loses": sorted(first.get(party, set()) - second.get(party, set())),
            }
            for party in sorted({*first, *second})
        ]


def requests(node: Node, party: str) -> list[dict[str, Any]]:
    """Objects that wait for an officer's word to go to a party, with the question and how many words are there."""
    with node.store.read() as tx:
        row = resolve_party(tx, party)
        world = world_for(tx, node.party, row.id, node.clock())
        found: list[dict[str, Any]] = []
        for cls in tx.find(Class):
            decision = world.decision(cls.c)
            if isinstance(decision, Refer):
                for holding in tx.find(Holding, cls=cls.c, order=("h",)):
                    if holding.ended is None:
                        found.append(_question(world, holding, decision))
        return found


def _question(world: World, holding: Holding, decision: Refer) -> dict[str, Any]:
    return {
        "object": holding.object,
        "title": decision.title,
        "view": decision.view.name,
        "question": decision.question,
        "officers": decision.officers,
        "words": sorted(one.officer for one in world.approvals(holding.version, decision.title)),
    }


def approve(
    node: Node, object_id: str, party: str, *, officer: str, reason: str, until: Instant | None = None
) -> dict[str, Any]:
    """Give one officer's word that the newest version of an object may go to a party, which a clause leaves to officers.

    Returns:
        {object, party, title, view, officers, words, released}.

    Raises:
        NotFound: `no-such-object`. NotAllowed: `not-referred`, `second-officer`, `mandate-ceiling`.
    """
    with deed(node, officer) as work:
        row = resolve_party(work.tx, party)
        world = world_for(work.tx, node.party, row.id, work.at)
        holding, decision = _referred(work.tx, world, object_id)
        needs(work, officer, "tlp", world.facets(holding.cls).tlp or TLP[-1])
        standing = world.approvals(holding.version, decision.title)
        if any(one.officer == officer for one in standing):
            raise NotAllowed(
                "second-officer", "You have given your word for this already; another officer has to give the next one."
            )
        a = (work.tx.last(Approval, "a") or 0) + 1
        work.tx.add(
            [
                Approval(
                    a=a,
                    object=object_id,
                    version=holding.version,
                    party=row.id,
                    title=decision.title,
                    view=decision.view.name,
                    officer=officer,
                    reason=reason,
                    at=work.at,
                    until=until,
                    ended=None,
                )
            ]
        )
        body = {"object": object_id, "view": decision.view.name, "until": None if until is None else format(until)}
        record(work, "approve", "", {**body, "party": row.id}, title=decision.title, officers=[officer], reason=reason)
        settle(work, versions=[holding.version])
        words = len(standing) + 1
        work.audit("release-approve", {"object": object_id, "party": row.id, "title": decision.title})
        return {
            "object": object_id,
            "party": row.id,
            "title": decision.title,
            "view": decision.view.name,
            "officers": decision.officers,
            "words": words,
            "released": words >= decision.officers,
        }


def _referred(tx: Reading, world: World, object_id: str) -> tuple[Holding, Refer]:
    versions = sorted(tx.find(Version, id=object_id), key=lambda one: (one.modified, one.n))
    if not versions:
        raise NotFound("no-such-object", f"No object {object_id} is held here.")
    for version in reversed(versions):
        for holding in world.holdings(version.n):
            decision = world.decision(holding.cls)
            if isinstance(decision, Refer):
                return holding, decision
            if isinstance(decision, Release):
                raise NotAllowed(
                    "not-referred", "A clause releases this object to this party already; no word is needed."
                )
    raise NotAllowed(
        "not-referred",
        "No clause leaves this object to officers for this party; comity why says what stands in the way.",
    )


def agreements_of(node: Node) -> list[dict[str, Any]]:
    """Every agreement known here and where it stands."""
    with node.store.read() as tx:
        at = node.clock()
        replaced = superseded_by(tx, at)
        return [
            {**describe(tx, row, at, node.party), "replaced_by": replaced.get(row.digest)}
            for row in tx.find(AgreementRow)
        ]
