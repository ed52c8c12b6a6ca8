"""What was given and taken: streams, deliveries, receipts, control items, and whether all of it is what is decided now.

The last is worked out by the same plan that makes the rows: whatever it would change is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.kernel.errors import CODES
from comity.kernel.model.instants import format, parse
from comity.kernel.release.closure import Change, Show, Withdraw
from comity.kernel.release.decision import ClauseInForce, Decision, Withhold
from comity.kernel.release.facets import Facets
from comity.kernel.store.rows import (
    ActRow,
    AgreementRow,
    Answer,
    Approval,
    Batch,
    Class,
    ControlRow,
    Delivery,
    Grant,
    Holding,
    Job,
    Party,
    Peer,
    Received,
    Setting,
    StandIn,
    Status,
    StreamRow,
    Version,
)
from comity.kernel.tlog.acts import act_digest
from comity.kernel.tlog.promises import Promise, open_promise
from comity.kernel.tlog.rows import Row, page_root
from comity.node.agreements import clauses_in_force, gives, receivers, superseded_by
from comity.node.examining.look import BROKEN, Finding, Look, lots, missing, reason, same_json, short
from comity.node.objects import read_terms
from comity.node.papers import ACT_OF
from comity.node.record import standing_of
from comity.node.streams import World, delivered_to, operative, outcome_of, plan, with_stand_ins, world_for
from comity.node.views import view_of

TOGETHER: Final = 1_000
"""Versions decided together; what is planned for them is planned over all they touch, and forgotten."""


# --- what is decided


def grants(look: Look) -> Iterator[Finding]:
    """`grant`: of a class and a party that are here, never two at a time; what stands is compared by `decided`."""
    before: Grant | None = None

    def check(row: Grant) -> Iterator[str]:
        nonlocal before
        said = f"What was decided for class {row.cls}"
        outcome = same_json(row.outcome)
        digest, _, number = outcome["title"].partition("#")
        if look.tx.get(Class, row.cls) is None or not look.knows(row.party) or not number:
            yield f"{said} is of a class or a party that is not here."
        elif look.tx.get(AgreementRow, digest) is None or outcome["kind"] not in ("release", "refer"):
            yield f"{said} is under an agreement that is not here."
        else:
            view_of(look.tx, outcome["title"], outcome["view"])
        if row.since > look.now or (row.ended is not None and not row.since <= row.ended <= look.now):
            yield f"{said} is dated out of its order."
        follows = before is not None and (before.cls, before.party) == (row.cls, row.party)
        if before is not None and follows and (before.ended is None or before.ended > row.since):
            yield f"{said} stands twice at one time."
        before = row

    yield from look.each(
        look.tx.find(Grant), lambda row: row.party, lambda row: f"A decision for class {row.cls}", check
    )


def approvals(look: Look) -> Iterator[Finding]:
    """`approval`: each is what an act of ours says, with the officer and the reason that act commits to."""

    def check(row: Approval) -> Iterator[str]:
        said = f"The word of {row.officer} for {row.object}"
        version = look.tx.get(Version, row.version)
        if version is None or version.id != row.object:
            yield f"{said} is about another object than its version."
        until = None if row.until is None else format(row.until)
        body = {"object": row.object, "view": row.view, "until": until, "party": row.party}
        for act in look.tx.find(ActRow, at=row.at):
            if act.kind == "approve":
                told = look.act(act.envelope, look.node.party)
                who = msgspec.json.decode(act.officers)
                if (dict(told.body), told.title) == (body, row.title) and (who["officers"], who["reason"]) == (
                    [row.officer],
                    row.reason,
                ):
                    break
        else:
            yield f"{said} is not what was recorded."
        if row.ended is not None:
            yield f"{said} is said to have ended when nothing ends it."

    yield from look.each(
        look.tx.find(Approval), lambda row: row.object, lambda row: f"The word of {row.officer} for {row.object}", check
    )
    yield from missing(look.tx.find(Approval), lambda row: row.a, "approval")


def jobs(look: Look) -> Iterator[Finding]:
    """`job`: work that is left, for a party and a batch or classes that are here."""

    def check(row: Job) -> Iterator[str]:
        what = same_json(row.what)
        there = (
            look.tx.get(Batch, what["batch"]) is not None
            if set(what) == {"batch"}
            else set(what) == {"classes"} and all(look.tx.get(Class, one) is not None for one in what["classes"])
        )
        if not there or not look.knows(row.party) or row.at > look.now:
            yield f"The work left as job {row.j} is for nobody, or about nothing, that is here."

    yield from look.each(look.tx.find(Job), lambda row: f"job {row.j}", lambda row: f"Job {row.j}", check)


def decided(look: Look) -> Iterator[Finding]:
    """Grants and streams against the decision of now: whatever bringing them up to date would change is named."""
    us = look.node.party
    try:
        every = receivers(look.tx, us)
        clauses = clauses_in_force(look.tx, us, look.at)
        replaced = superseded_by(look.tx, look.at)
    except BROKEN as broken:
        yield Finding("agreements", f"What is in force cannot be worked out: {reason(broken)}")
        return
    waiting = {row.party for row in look.tx.find(Job)}  # their streams are brought up to date when the next deed ends
    strangers = {row.party for row in look.tx.find(Grant, ended=None)} - set(every)
    for party in sorted(strangers):
        yield Finding(party, f"Something is decided for {party}, which no agreement of ours ever named.")
    for party in every:
        if party in waiting:
            continue
        try:
            yield from _Decided(look, party, clauses, replaced).findings()
        except BROKEN as broken:
            yield Finding(party, f"What {party} is to be given cannot be worked out: {reason(broken)}")


@dataclass(slots=True)
class _Decided:
    """One party's grants and stream, compared with what a plan over the present world gives."""

    look: Look
    party: str
    clauses: Sequence[ClauseInForce]
    replaced: Mapping[str, str]
    refused: dict[str, list[StreamRow]] = field(default_factory=dict)
    unfinished: frozenset[int] = frozenset()
    moved: frozenset[int] = frozenset()
    decisions: dict[int, Decision] = field(default_factory=dict)
    facets: dict[int, Facets] = field(default_factory=dict)
    delivered: int = 0
    able: frozenset[str] = frozenset()

    def findings(self) -> Iterator[Finding]:
        """What does not agree."""
        tx = self.look.tx
        world = self._world()
        self.delivered = delivered_to(tx, self.party)
        self.able = frozenset(
            clause.title
            for clause in self.clauses
            if operative(clause, self.look.at)
            and gives(clause, sender=world.us, receiver=self.party, clients=world.clients)
        )
        self.refused = _refused_rows(self.look, self.party)
        begun = list(tx.find(Batch, done=0))
        self.unfinished = frozenset(row.b for row in begun)
        self.moved = frozenset(n for row in begun for n in msgspec.json.decode(row.moved))
        may: list[int] = []
        for row in tx.find(Class):
            self.look.step()
            decision = world.decision(row.c)
            standing = next(iter(tx.find(Grant, cls=row.c, party=self.party, ended=None)), None)
            if (None if standing is None else standing.outcome) != outcome_of(decision) and (
                standing is not None or self._in_use(row.c)
            ):
                yield Finding(
                    self.party, f"What stands decided for class {row.c} and {self.party} is not what is decided now."
                )
            if not isinstance(decision, Withhold):
                may.append(row.c)
        going = set(may)
        for cls in may:
            for lot in lots(tx.find(Holding, cls=cls, order=("h",)), TOGETHER):
                yield from self._planned([row.version for row in lot if row.ended is None])
        rows = (row for row in tx.find(StreamRow, party=self.party) if row.ended is None and not self._stays(row))
        for rest in lots(rows, TOGETHER):
            classes = {
                one.version: one.cls
                for one in tx.find_in(Holding, "version", {row.version for row in rest}, ended=None)
            }
            yield from self._planned([row.version for row in rest if classes.get(row.version) not in going])

    def _in_use(self, cls: int) -> bool:
        """Whether something is held in a class but for what an import brought that has not ended."""
        return any(
            row.ended is None and getattr(self.look.tx.get(Batch, row.batch), "done", 1)
            for row in self.look.tx.find(Holding, cls=cls, order=("h",))
        )

    def _world(self) -> World:
        """A world that has read nothing yet but what is decided for classes."""
        made = world_for(self.look.tx, self.look.node.party, self.party, self.look.at, self.clauses)
        made._decisions, made._facets = self.decisions, self.facets
        return made

    def _stays(self, row: StreamRow) -> bool:
        """Whether a row stays where it is although no clause gives it any more: it was delivered before its agreement lapsed."""
        return (
            row.title not in self.able and row.title.partition("#")[0] not in self.replaced and row.n <= self.delivered
        )

    def _planned(self, versions: list[int]) -> Iterator[Finding]:
        if not versions:
            return
        self.look.step(len(versions))
        world = self._world()
        changes = {change.holding: change for change in self._plan(versions, world)}
        open_ = self._open(world, versions) if changes else set()
        if open_:  # what is left open may stand or not; a finding is only what would change in either case
            without = self._world()
            without.blocked.update(open_)
            for some, other in (
                ([*versions, *open_], self._world()),
                (versions, without),
                ([one for one in versions if one not in open_], self._world()),
            ):
                also = {change.holding for change in self._plan(some, other)}
                changes = {n: change for n, change in changes.items() if n in also and n not in open_}
        for change in changes.values():
            yield from self._told(change)

    def _open(self, world: World, versions: list[int]) -> set[int]:
        """Of these versions, and of what they refer to: what the party refused, and what an import that has not ended touched."""
        found: set[int] = set()
        todo = list(versions)
        while todo:
            version = todo.pop()
            for identity in (world.identity(version), *world.required(version), *world.optional(version)):
                refused = {row.version for row in self.refused.get(identity, ())}
                touched = {
                    row.version
                    for row in (self.look.tx.find(Holding, object=identity) if self.unfinished else ())
                    if row.batch in self.unfinished or row.version in self.moved
                }
                todo.extend((refused | touched) - found)
                found |= refused | touched
        return found

    def _plan(self, versions: list[int], world: World) -> Sequence[Change[int]]:
        return plan(world, with_stand_ins(world, versions))

    def _told(self, change: Change[int]) -> Iterator[Finding]:
        version = self.look.tx.get(Version, change.holding)
        what = f"version {change.holding}" if version is None else version.id
        if isinstance(change, Show):
            yield Finding(what, f"{what} may go to {self.party}, and does not stand in its stream.")
            return
        row = next(
            (
                one
                for one in self.look.tx.find(StreamRow, party=self.party, object=what)
                if one.ended is None and one.version == change.holding
            ),
            None,
        )
        if row is not None and self._stays(row):
            return
        if isinstance(change, Withdraw):
            yield Finding(what, f"{what} stands in the stream of {self.party}, and may not go to it.")
        else:
            yield Finding(what, f"{what} stands in the stream of {self.party} otherwise than it is to be shown.")


def _refused_rows(look: Look, party: str) -> dict[str, list[StreamRow]]:
    """The rows that a party refused by a receipt, by object."""
    found: dict[str, list[StreamRow]] = {}
    for made in look.tx.find(Delivery, party=party):
        if made.receipt is None:
            continue
        try:
            refused = [int(one["n"]) for one in look.act(made.receipt, party).body["refused"]]
        except BROKEN:
            continue  # told where deliveries are
        for n in refused:
            row = look.tx.get(StreamRow, party, n)
            if row is not None:
                found.setdefault(row.object, []).append(row)
    return found


# --- streams


def streams(look: Look) -> Iterator[Finding]:
    """`stream`: numbered without gaps, each row of a version, a holding and a clause that are here, replaced in order."""
    for party in look.tx.find(Party):
        order = _Order()
        held: dict[int, Holding] = {}

        def check(
            row: StreamRow, order: _Order = order, held: dict[int, Holding] = held, name: str = party.name
        ) -> Iterator[str]:
            for fault in order.follow(look, row):
                yield f"Row {row.n} of the stream of {name} {fault}"
            if row.kind == "withdrawn":  # stands for a row that was lost at a restore
                if (row.object, row.version, row.holding, row.title, row.ended) != (row.party, 0, 0, "", row.n):
                    yield f"Row {row.n} of the stream of {name} stands for one that was lost, and says more than that."
                return
            yield from _row(look, row, held.get(row.holding), f"Row {row.n} of the stream of {name}")

        for lot in lots(look.tx.find(StreamRow, party=party.id)):
            held.clear()
            held.update((one.h, one) for one in look.tx.find_in(Holding, "h", {row.holding for row in lot}))
            yield from look.each(
                lot, lambda row: row.object, lambda row: f"Row {row.n} of the stream of {row.party}", check
            )
    yield from _of_strangers(look)


def _of_strangers(look: Look) -> Iterator[Finding]:
    kinds: tuple[type[Any], ...] = (StreamRow, ControlRow, Delivery, Received)
    for kind in kinds:
        if look.tx.count(kind) != sum(look.tx.count(kind, party=row.id) for row in look.tx.find(Party)):
            for row in look.tx.find(kind):
                if not look.knows(row.party):
                    yield Finding(row.party, f"Something was given to or taken from {row.party}, which is not known.")
                    break


@dataclass(slots=True)
class _Order:
    """How the rows of a stream follow one another: number, instant, TAXII date."""

    n: int = 0
    at: int = 0
    added: int = 0
    newest: int = 0

    def follow(self, look: Look, row: StreamRow) -> Iterator[str]:
        """What is wrong with the place of the next row."""
        if row.n != self.n + 1:
            yield f"does not follow row {self.n}; one may be missing."
        self.n = row.n
        lost = row.kind == "withdrawn"  # put in later
        if not lost and (row.at < self.at or row.at > look.at):
            yield "is dated out of its order."
        due = {max(row.at, self.added + 1), max(row.at, self.newest + 1)}
        if (not lost and self.n > 1 and row.added not in due) or (not lost and self.n == 1 and row.added != row.at):
            yield "was added at another instant than its place gives."
        self.newest = max(self.newest, row.added)
        if not lost:
            self.at, self.added = max(self.at, min(row.at, look.at)), row.added


def _row(look: Look, row: StreamRow, holding: Holding | None, said: str) -> Iterator[str]:
    if holding is None:
        yield f"{said} names what is not kept."
        return
    if row.kind != "object":
        yield f"{said} is of no kind that there is."
    if (holding.version, holding.object) != (row.version, row.object) and not _stands_in(look, row, holding):
        yield f"{said} names another object or version than the holding it goes from."
    if look.tx.get(AgreementRow, row.title.partition("#")[0]) is None:
        yield f"{said} is under an agreement that is not here."
    else:
        view_of(look.tx, row.title, row.view)
    _read_terms(row.terms)
    hidden = same_json(row.hidden)
    if hidden != sorted(set(hidden)):
        yield f"{said} names what it hides in disorder."
    if row.ended is not None and row.ended != row.n:
        later = look.tx.get(StreamRow, row.party, row.ended)
        if row.ended < row.n or later is None or (later.replaces, later.object) != (row.n, row.object):
            yield f"{said} is said to have been replaced by a row that does not stand for it."
    if row.replaces is not None:
        earlier = look.tx.get(StreamRow, row.party, row.replaces)
        if row.replaces >= row.n or earlier is None or earlier.object != row.object:
            yield f"{said} stands for a row of something else."


@lru_cache(maxsize=4096)
def _read_terms(raw: bytes) -> None:
    read_terms(same_json(raw))


def _stands_in(look: Look, row: StreamRow, holding: Holding) -> bool:
    stands, version = look.tx.get(StandIn, row.version), look.tx.get(Version, row.version)
    original = None if stands is None else look.tx.get(Version, stands.original)
    return (
        stands is not None
        and version is not None
        and original is not None
        and (version.id, original.id, stands.title) == (row.object, holding.object, row.title)
    )


def control(look: Look) -> Iterator[Finding]:
    """`control`: numbered without gaps; each paper goes under the act that commits to it, with its salt and promise."""
    for party in look.tx.find(Party):
        last = 0

        def check(row: ControlRow, name: str = party.name) -> Iterator[str]:
            nonlocal last
            said = f"Item {row.n} of the control stream of {name}"
            if row.n != last + 1 or row.at > look.now:
                yield f"{said} does not follow item {last}; one may be missing."
            last = row.n
            body = same_json(row.body)
            if row.kind == "lost":
                if body != {}:
                    yield f"{said} stands for one that was lost, and says more than that."
            elif row.kind == "tombstone":
                if look.tx.get(StreamRow, row.party, int(body["n"])) is None:
                    yield f"{said} takes back a row that is not there."
            else:
                yield from _item(look, row, body, said)

        yield from look.each(
            look.tx.find(ControlRow, party=party.id),
            lambda row: row.party,
            lambda row: f"Item {row.n} of the control stream of {row.party}",
            check,
        )


def _item(look: Look, row: ControlRow, body: Mapping[str, Any], said: str) -> Iterator[str]:
    envelope, paper = body["act"].encode(), body["paper"].encode()
    kept = look.tx.get(ActRow, act_digest(envelope))
    if kept is None or kept.envelope != envelope or kept.salt.hex() != body["salt"] or kept.at != row.at:
        yield f"{said} goes under an act that was not recorded so."
        return
    act = look.act(envelope, look.node.party)
    told = {"paper": sha256(paper).hexdigest(), "kind": row.kind, "agreement": body["agreement"]}
    kinds = (ACT_OF.get(row.kind), "instrument")  # the latter for what another party signed, and we passed on
    if dict(act.body) != told or act.to != row.party or act.kind not in kinds:
        yield f"{said} is not the paper that its act commits to."
    stands = standing_of(look.tx, kept)
    given = open_promise(body["promise"].encode(), look.ever(look.node.party, "log"))
    if given != Promise(kept.digest, stands.facts.origin, stands.tick, kept.place):
        yield f"{said} promises another place than its act has."


# --- deliveries, receipts, and what came


def deliveries(look: Look) -> Iterator[Finding]:
    """`delivery`: its rows are those its act commits to; the receipt is the receiver's, for this delivery."""
    for party in look.tx.find(Party):
        end = 0

        def check(row: Delivery, name: str = party.name) -> Iterator[str]:
            nonlocal end
            said = f"The delivery of rows {row.first} to {row.last} to {name}"
            act = look.tx.get(ActRow, row.act)
            if act is None:
                yield f"{said} has no act."
                return
            if row.first <= end or row.last < row.first:
                yield f"{said} gives a row twice."
            end = max(end, row.last)
            told = look.act(act.envelope, look.node.party)
            if (told.kind, told.to, told.at) != ("deliver", row.party, row.at):
                yield f"{said} names an act that is none of a delivery to it at that instant."
            if told.body.get("page") != _root(look, row):
                yield f"The rows of the delivery of rows {row.first} to {row.last} to {name} are not those its act commits to."
            if row.receipt is not None:
                yield from _receipt(look, row, f"The receipt for rows {row.first} to {row.last} by {name}")

        yield from look.each(
            look.tx.find(Delivery, party=party.id, order=("last",)),
            lambda row: row.party,
            lambda row: f"The delivery of rows {row.first} to {row.last} to {row.party}",
            check,
        )


def _root(look: Look, made: Delivery) -> str:
    page = same_json(made.page)
    rows: list[Row] = []
    found = look.tx.find(
        StreamRow, party=made.party, order=("n",), after=(made.first - 1,), limit=max(0, made.last - made.first + 1)
    )
    pairs = list(zip(found, page["digests"], strict=True))
    given = {row.version for row, digest in pairs if digest}
    seals = {one.n: one.digest for one in look.tx.find_in(Version, "n", given)}
    for row, digest in pairs:
        rows.append(Row(row.n, digest, row.view, row.title, msgspec.json.decode(row.terms)))
        if digest and (seals.get(row.version) or b"").hex() != digest:
            raise ValueError(f"row {row.n} was given under another seal than is kept")
    return page_root(rows, bytes.fromhex(page["secret"])).hex()


def _receipt(look: Look, row: Delivery, said: str) -> Iterator[str]:
    assert row.receipt is not None, "asked of a delivery with a receipt"
    act = look.act(row.receipt, row.party)
    if (act.kind, act.by, act.to) != ("receive", row.party, look.node.party):
        yield f"{said} is no receipt of that party to us."
    elif (act.body["delivery"], act.body["taken"]) != (row.act, row.last):
        yield f"{said} is for another delivery."


def received(look: Look) -> Iterator[Finding]:
    """`received`: each row of a delivery became what our answer says, from the party that gave it, under its title and view."""
    for party in look.tx.find(Party):
        last = 0
        page: tuple[str, _Page | None] = "", None

        def check(row: Received, name: str = party.name) -> Iterator[str]:
            nonlocal last, page
            said = f"Row {row.n} that came from {name}"
            peer = look.tx.get(Peer, row.party)
            if row.n != last + 1 and row.n <= (0 if peer is None else peer.objects):
                yield f"{said} does not follow row {last}; one may be missing."
            last = row.n
            if (row.code is None) != (row.sentence is None) or (row.code is not None and not _code(row.code)):
                yield f"{said} was refused for no reason that is known."
            if page[0] != row.act:
                page = row.act, _Page.of(look, row.act, row.party) if row.act else None
            if page[1] is None:
                if row.code != "taken-back" or row.holding is not None:
                    yield f"{said} came by no delivery."
                return
            yield from page[1].told(look, row, said)

        yield from look.each(
            look.tx.find(Received, party=party.id),
            lambda row: row.party,
            lambda row: f"Row {row.n} that came from {row.party}",
            check,
        )


def _code(code: str) -> bool:
    return code in CODES


@dataclass(frozen=True, slots=True)
class _Page:
    """What a delivery to us committed to, and what we answered."""

    first: int
    rows: Sequence[Sequence[Any]]
    kinds: Sequence[Sequence[Any]]
    refused: Mapping[int, Mapping[str, Any]]

    @classmethod
    def of(cls, look: Look, delivery: str, party: str) -> _Page:
        """The page of a delivery that was answered.

        Raises:
            LookupError: where it was not.
        """
        kept, answer = look.tx.get(Setting, f"page/{delivery}"), look.tx.get(Answer, delivery)
        act = None if answer is None else look.tx.get(ActRow, answer.act)
        if kept is None or act is None or answer is None or answer.party != party:
            raise LookupError(f"the delivery {short(delivery)} was not answered")
        page = msgspec.json.decode(kept.value)
        refused = look.act(act.envelope, look.node.party).body["refused"]
        return cls(page["first"], page["rows"], page["kinds"], {one["n"]: one for one in refused})

    def told(self, look: Look, row: Received, said: str) -> Iterator[str]:
        """What is wrong with a row that came on this page."""
        place = row.n - self.first
        if not 0 <= place < len(self.rows):
            yield f"{said} stands on no page of that delivery."
            return
        digest, kind = self.rows[place]
        view, title, _ = self.kinds[kind]
        refusal = self.refused.get(row.n)
        if refusal is not None:
            if (row.code, row.sentence, row.holding) != (refusal["code"], refusal["sentence"], None):
                yield f"{said} was refused for another reason than we answered."
            return
        if row.code not in (None, "taken-back"):
            yield f"{said} was taken, as we answered, and is noted as refused."
        if row.holding is None:
            if digest and row.code is not None:
                yield f"{said} was taken, as we answered, and is noted as refused."
            return
        holding = look.tx.get(Holding, row.holding)
        version = None if holding is None else look.tx.get(Version, holding.version)
        if holding is None or version is None:
            yield f"{said} became a holding that is not there."
        elif (holding.custodian, holding.title) != (row.party, title) or (version.digest or b"").hex() != digest:
            yield f"{said} became a holding of something else."
        elif row.code == "taken-back" and _still_held(look, row, holding):
            yield f"{said} was taken back, and is still held."
        elif holding.view != view and not _came_before(look, row, holding):
            yield f"{said} became a holding in another view."


def _alike(look: Look, holding: Holding) -> list[Holding]:
    """All holdings of one version from one party under one title."""
    rows = look.tx.find(Holding, version=holding.version, custodian=holding.custodian)
    return [one for one in rows if one.title == holding.title]


def _came_before(look: Look, row: Received, holding: Holding) -> bool:
    """Whether the same version came from there under that title before: then it is held in the view it came in first."""
    every = (came for one in _alike(look, holding) for came in look.tx.find(Received, holding=one.h, party=row.party))
    return any(came.n < row.n for came in every)


def _still_held(look: Look, row: Received, holding: Holding) -> bool:
    """Whether what was taken back is held, and was not given again."""
    alike = _alike(look, holding)
    every = (came for one in alike for came in look.tx.find(Received, holding=one.h, party=row.party, code=None))
    return any(one.ended is None for one in alike) and not any(came.n > row.n for came in every)


def answers(look: Look) -> Iterator[Finding]:
    """`answer`: our receipt for a delivery, as our act says it."""

    def check(row: Answer) -> Iterator[str]:
        said = f"Our receipt for the delivery {short(row.delivery)}"
        act = look.tx.get(ActRow, row.act)
        if act is None or look.tx.get(Setting, f"page/{row.delivery}") is None:
            yield f"{said} has no act, or is for a delivery that is not kept."
            return
        told = look.act(act.envelope, look.node.party)
        if (told.kind, told.to, told.body["delivery"], told.body["taken"]) != (
            "receive",
            row.party,
            row.delivery,
            row.taken,
        ):
            yield f"{said} is not what its act says."

    yield from look.each(
        look.tx.find(Answer), lambda row: row.delivery, lambda row: f"Our receipt for {short(row.delivery)}", check
    )


def peers(look: Look) -> Iterator[Finding]:
    """`peer`: how far we are is what deliveries and answers say."""
    taken: dict[str, int] = {}
    for answer in look.tx.find(Answer):
        taken[answer.party] = max(taken.get(answer.party, 0), answer.taken)

    for party in sorted(taken):
        if look.tx.get(Peer, party) is None:
            yield Finding(party, f"How far we are with {party} is not kept, and we have answered it.")

    def check(row: Peer) -> Iterator[str]:
        said = f"How far we are with {row.party}"
        tx = look.tx
        if not look.knows(row.party) or row.objects != taken.get(row.party, 0):
            yield f"{said} is not what we answered."
        if not 0 <= row.receipted <= delivered_to(tx, row.party):
            yield f"{said} is more than was handed over."
        elif not _receipted(look, row):
            yield f"{said} is more than it gave receipts for."
        if not 0 <= row.acknowledged <= (tx.last(ControlRow, "n", party=row.party) or 0):
            yield f"{said} is more than it was told."
        if min(row.control, row.attempts, row.next, row.seen) < 0 or row.dead not in (0, 1) or row.seen > look.now:
            yield f"{said} cannot be."

    yield from look.each(
        look.tx.find(Peer), lambda row: row.party, lambda row: f"How far we are with {row.party}", check
    )


def _receipted(look: Look, row: Peer) -> bool:
    """Whether each delivery up to where receipts are counted has its receipt; before a restore others may have had it."""
    if look.tx.get(Setting, f"reached/{row.party}") is not None:
        return True
    made = list(look.tx.find(Delivery, party=row.party, receipt=None, order=("last",), limit=1))
    return row.receipted == 0 or not made or made[0].last > row.receipted


def statuses(look: Look) -> Iterator[Finding]:
    """`status`: its numbers add up, and it is dated as it says."""

    def check(row: Status) -> Iterator[str]:
        said = f"The status {row.id}"
        body = msgspec.json.decode(row.body)
        if (body["id"], parse(body["request_timestamp"])) != (row.id, row.added):
            yield f"{said} says another id or instant than is noted."
        counts = (len(body.get("successes", ())), len(body.get("failures", ())))
        if counts != (body["success_count"], body["failure_count"]) or sum(counts) != body["total_count"]:
            yield f"The counts of status {row.id} do not add up."
        batch = next(iter(look.tx.find(Batch, digest=row.id, limit=1)), None)
        if batch is None:
            yield f"{said} is of nothing that was handed in."
        elif row.party != (look.node.party if batch.counts != b"{}" else batch.name.removeprefix("submission of ")):
            yield f"{said} is of what another party handed in."

    yield from look.each(look.tx.find(Status), lambda row: row.id, lambda row: f"The status {row.id}", check)
