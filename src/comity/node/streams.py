"""Streams: what each party was given, row by row, kept equal to what the agreements say.

`settle` is the only place where rows are made. It asks `decide` for classes, looks at embargo, expiry and approvals for single
objects, closes the result over references, and appends. Preview runs the same plan and throws it away, so what it shows and what
happens cannot differ. Three ways a row ends: replaced by a richer or poorer one, withdrawn by a tombstone, or stopped, where an
agreement no longer holds: then what was delivered stays with its title, and what was not yet delivered never goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from comity.kernel.model.instants import Instant
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.release.addressed import addressees, may_be_addressed
from comity.kernel.release.closure import Change, Reissue, Show, Withdraw, close
from comity.kernel.release.decide import approved, decide, of_object
from comity.kernel.release.decision import ClauseInForce, Decision, Failed, Receiver, Refer, Release, Terms, Withhold
from comity.kernel.release.facets import Facets
from comity.kernel.release.handling import Effective, terms_of
from comity.kernel.release.vocabulary import TLP
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.seal.seals import claimed_party
from comity.kernel.seal.views import FULL, View, Withheld, narrower
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import (
    Approval,
    Batch,
    Class,
    Delivery,
    Grant,
    Holding,
    Job,
    Reference,
    StandIn,
    StreamRow,
    Version,
)
from comity.node.agreements import clauses_in_force, gives, receivers, superseded
from comity.node.context import Deed, put_setting, read_setting
from comity.node.hidden import Hiding, Overlay, hiding, make, refusal, stand_in, without_source
from comity.node.objects import MarkingReader, class_facets, kept_terms, read_terms
from comity.node.papers import append_control
from comity.node.parties import clients_of, is_plain, receiver_of, take_cards
from comity.node.views import show

AT_ONCE: Final = 500
"""Rows asked for in one question to the store."""

MANY: Final = 1_000
"""Versions that may go to a party from now on; more than that are left to small transactions after this one."""

DEFINITIONS: Final = ("marking-definition--", "extension-definition--")

FORCED: Final = frozenset({"*"})
"""Stands for 'whatever was hidden before': a row that is to be issued again although its references did not change."""


@dataclass(frozen=True, slots=True)
class Base:
    """Why a version may go to a party before references are looked at: the holding it goes from, and how."""

    holding: Holding
    title: str
    view: View
    terms: Terms


@dataclass(frozen=True, slots=True)
class _Copy:
    """What tells whether two versions are copies of one: the hash of all of it, the digest of its seal, and how much is hidden."""

    same: bytes
    digest: bytes | None
    hidden: int

    def of(self, other: _Copy) -> bool:
        return self.same == other.same or (self.digest is not None and self.digest == other.digest)


@dataclass(slots=True)
class World:
    """One party as this node sees it at an instant, under the clauses in force (or those a preview supposes).

    It is the `Graph` that `close` asks, with versions as its holdings; what it has read of the store it keeps.
    """

    tx: Reading
    us: str
    to: Receiver
    clauses: Sequence[ClauseInForce]
    clients: frozenset[str]
    at: Instant
    plain: bool
    forced: set[int] = field(default_factory=set)
    blocked: set[int] = field(default_factory=set)
    _decisions: dict[int, Decision] = field(default_factory=dict)
    _outcomes: dict[tuple[int, int | None, int | None, frozenset[str] | None], Decision] = field(default_factory=dict)
    _terms: dict[tuple[int, int | None, int | None, str, str], Terms] = field(default_factory=dict)
    _facets: dict[int, Facets] = field(default_factory=dict)
    _bases: dict[int, Base | None] = field(default_factory=dict)
    _ids: dict[int, str] = field(default_factory=dict)
    _holdings: dict[int, list[Holding]] = field(default_factory=dict)
    _refs: dict[int, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    _uses: dict[int, list[str]] = field(default_factory=dict)
    _definitions: dict[tuple[str, str], int | None] = field(default_factory=dict)
    _back: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _objects: dict[str, set[int]] = field(default_factory=dict)
    _given: dict[str, bool] = field(default_factory=dict)
    _live: dict[str, dict[int, StreamRow]] = field(default_factory=dict)
    _sames: dict[int, _Copy] = field(default_factory=dict)
    _hides: bool | None = None
    _unfinished: frozenset[int] | None = None
    _sources: dict[int, Hiding] = field(default_factory=dict)
    _refusals: dict[int, str | None] = field(default_factory=dict)
    _addressed: dict[int, frozenset[str] | None] = field(default_factory=dict)

    # --- the two steps of a decision

    def facets(self, cls: int) -> Facets:
        """The facets of a class."""
        found = self._facets.get(cls)
        if found is None:
            found = self._facets[cls] = class_facets(self.tx, cls)
        return found

    def decision(self, cls: int) -> Decision:
        """What the pure function says for this class and party."""
        found = self._decisions.get(cls)
        if found is None:
            found = self._decisions[cls] = decide(
                self.facets(cls), self.us, self.to, self.clauses, at=self.at, clients=self.clients
            )
        return found

    def outcome(self, holding: Holding) -> Decision:
        """Both steps for one holding, references apart."""
        facets = self.facets(holding.cls)
        addressed = self.addressed(holding.version) if may_be_addressed(facets.type) else None
        alike = (holding.cls, holding.embargo, holding.expiry, addressed)
        decision = self._outcomes.get(alike)
        if decision is None:
            first = self.decision(holding.cls)
            if isinstance(first, Refer):
                officers = [row.officer for row in self.approvals(holding.version, first.title)]
                decision = self._of_object(approved(first, officers), facets, holding, addressed)
            else:
                decision = self._outcomes[alike] = self._of_object(first, facets, holding, addressed)
        if isinstance(decision, Release) and facets.title is not None and self._sealed_by_receiver(holding.version):
            return Withhold((Failed("not-given-back", decision.title),))
        if isinstance(decision, Release) and decision.clause.source == "hidden":
            reason = self._not_hideable(holding)
            if reason is not None:
                return Withhold((Failed("source-not-hideable", decision.title, None, reason),))
        if self.plain and isinstance(decision, Release):
            failed = tuple(self._plain_reader(holding, decision))
            if failed:
                return Withhold(failed)
        return decision

    def _of_object(
        self, decision: Decision, facets: Facets, holding: Holding, addressed: frozenset[str] | None
    ) -> Decision:
        return of_object(
            decision,
            facets,
            self.us,
            self.to,
            at=self.at,
            embargo=holding.embargo,
            expiry=holding.expiry,
            addressed=addressed,
        )

    @property
    def hides(self) -> bool:
        """Whether a clause in force hides sources, or something stands in for something here."""
        if self._hides is None:
            clauses = any(item.clause.source == "hidden" for item in self.clauses)
            self._hides = clauses or next(iter(self.tx.find(StandIn, limit=1)), None) is not None
        return self._hides

    def stands_for(self, version: int) -> StandIn | None:
        """For which version and under which title a version stands in; None for one that came from somebody."""
        return self.tx.get(StandIn, version) if self.hides else None

    def original(self, version: int) -> str:
        """The id under which we hold what a version shows."""
        stands = self.stands_for(version)
        return self.identity(version if stands is None else stands.original)

    def stand_in(self, version: int, title: str) -> int | None:
        """The version that stands in for another one, or for a copy of it, under a title."""
        found = stand_in(self.tx, (version, *self.twins(version)), title)
        return None if found is None else found.version

    def hiding(self, holding: Holding) -> Hiding:
        """Whom to hide where what is held here goes under a clause that hides its source."""
        found = self._sources.get(holding.h)
        if found is None:
            row = self.tx.get(Version, holding.version)
            assert row is not None, "a holding names a version that exists"
            found = hiding(self.tx, self.us, row, holding, self.facets(holding.cls).originator)
            self._sources[holding.h] = found
        return found

    def addressed(self, version: int) -> frozenset[str] | None:
        """Whom a version names as those it is for; None: nobody."""
        if version not in self._addressed:
            row = self.tx.get(Version, version)
            assert row is not None, "a holding names a version that exists"
            self._addressed[version] = addressees(read_json(row.raw))
        return self._addressed[version]

    def _not_hideable(self, holding: Holding) -> str | None:
        if holding.h not in self._refusals:
            row = self.tx.get(Version, holding.version)
            assert row is not None, "a holding names a version that exists"
            self._refusals[holding.h] = refusal(self.tx, self.us, row, self.hiding(holding), self.at)
        return self._refusals[holding.h]

    def _sealed_by_receiver(self, version: int) -> bool:
        """Whether what came from somebody stands under the seal of the party that asks: it has it, and fuller."""
        row = self.tx.get(Version, version)
        return row is not None and row.seal is not None and claimed_party(row.seal) == self.to.id

    def _plain_reader(self, holding: Holding, decision: Release) -> Iterator[Failed]:
        """A reader without a node cannot carry out duties, and knows only the marking that stands in the bytes."""
        if decision.clause.duties:
            yield Failed("reader-can-do-duties", decision.title, None, [duty.do for duty in decision.clause.duties])
        row = self.tx.get(Version, holding.version)
        assert row is not None, "a holding names a version that exists"
        written = MarkingReader(self.tx, (self.us, holding.custodian), {}).read(read_json(row.raw)).tlp
        effective = self.facets(holding.cls).tlp
        if TLP.index(written or "clear") < TLP.index(effective or "clear"):
            yield Failed("marking-in-bytes", decision.title, effective, written)

    def approvals(self, version: int, title: str) -> list[Approval]:
        """The officers' words that stand for this version, party and title at this instant, one an officer."""
        standing = {
            row.officer: row
            for row in self.tx.find(Approval, object=self.identity(version), party=self.to.id, ended=None)
            if row.version == version and row.title == title and (row.until is None or self.at < row.until)
        }
        return list(standing.values())

    def base_of(self, version: int) -> Base | None:
        """The best holding a version may go from, references apart; None where none may, or where an equal copy goes instead."""
        best = self._own_base(version)
        if best is None:
            return None
        for twin in self.twins(version):
            other = self._own_base(twin)
            if other is not None and self._gives_way(version, best, twin, other):
                return None
        return best

    def twins(self, version: int) -> tuple[int, ...]:
        """Other copies of the same version here, under the same digest or equal in canonical form: a party is given one of them."""
        beside = self.holdings_of(self.identity(version))
        if not beside or (len(beside) == 1 and version in beside):
            return ()
        beside = beside | {version}
        for row in self.tx.find_in(Version, "n", [one for one in beside if one not in self._sames]):
            self._sames[row.n] = _Copy(row.same, row.digest, (row.disclosure or b"").count(b'"hash":'))
        ours = self._sames[version]
        return tuple(sorted(one for one in beside if one != version and self._sames[one].of(ours)))

    def _gives_way(self, version: int, best: Base, twin: int, other: Base) -> bool:
        """Whether the twin goes instead: the wider view, the fuller copy, what stands already, first hand, what came first."""
        if narrower(best.view, other.view) or narrower(other.view, best.view):
            return narrower(best.view, other.view)
        ours, theirs = self._sames[version].hidden, self._sames[twin].hidden
        if ours != theirs:
            return theirs < ours
        for mine, its in (
            (self.live(version) is not None, self.live(twin) is not None),
            (best.holding.custodian == self.us, other.holding.custodian == self.us),
        ):
            if mine != its:
                return its
        return twin < version

    def _own_base(self, version: int) -> Base | None:
        if version in self.blocked:
            return None
        if version not in self._bases:
            best: Base | None = None
            stands = self.stands_for(version)
            for holding in self.holdings(version):
                decision = self.outcome(holding)
                if not isinstance(decision, Release):
                    continue
                # under a clause that hides the source the stand-in goes, under its own title, and never the original
                if (decision.title if decision.clause.source == "hidden" else None) != (stands and stands.title):
                    continue
                terms = self._terms_of(holding, decision)
                if stands is not None:
                    terms = without_source(terms, self.hiding(holding).names)
                found = Base(holding, decision.title, decision.view, terms)
                if best is None or self._better(found, best):
                    best = found
            self._bases[version] = best or self._lent(version)
        return self._bases[version]

    def _terms_of(self, holding: Holding, decision: Release) -> Terms:
        alike = (holding.cls, holding.embargo, holding.expiry, decision.title, decision.view.name)
        found = self._terms.get(alike)
        if found is None:
            facts = Effective(self.facets(holding.cls), holding.embargo, holding.expiry)
            found = self._terms[alike] = terms_of(facts, decision.clause, self.at, decision.view)
        return found

    def _lent(self, version: int) -> Base | None:
        """Under what a definition stands that went along with what uses it; it stays, whatever becomes of that."""
        if not self.identity(version).startswith(DEFINITIONS):
            return None
        row, holdings = self.live(version), self.holdings(version)
        if row is None or not holdings:
            return None
        return Base(holdings[0], row.title, FULL, read_terms(msgspec.json.decode(row.terms)))

    def lend(self, version: int, user: Base) -> None:
        """Let a definition go along under the title of what uses it."""
        self._bases[version] = Base(self.holdings(version)[0], user.title, FULL, user.terms)

    def definitions(self, version: int, source: str) -> list[int]:
        """The newest copies of the definitions a version uses that are ours, or that came from where it came from."""
        self._references(version)
        newest = [self._newest_definition(target, source) for target in self._uses[version]]
        return [one for one in newest if one is not None]

    def _newest_definition(self, identity: str, source: str) -> int | None:
        if (identity, source) not in self._definitions:
            self._need_objects([identity])
            held: list[int] = []
            for custodian in (self.us, source):
                held = held or [
                    one
                    for one in self._objects[identity]
                    if any(holding.custodian == custodian for holding in self.holdings(one))
                ]
            rows = self.tx.find_in(Version, "n", held)
            newest = max(rows, key=lambda one: (one.modified, one.n), default=None)
            self._definitions[identity, source] = None if newest is None else newest.n
        return self._definitions[identity, source]

    def _better(self, one: Base, other: Base) -> bool:
        if narrower(other.view, one.view) or narrower(one.view, other.view):
            return narrower(other.view, one.view)
        return one.holding.custodian == self.us != other.holding.custodian

    # --- what `close` asks

    def identity(self, version: int) -> str:
        if version not in self._ids:
            row = self.tx.get(Version, version)
            assert row is not None, "a version that was named exists"
            self._ids[version] = row.id
        return self._ids[version]

    def required(self, version: int) -> tuple[str, ...]:
        return self._references(version)[0]

    def optional(self, version: int) -> tuple[str, ...]:
        return self._references(version)[1]

    def holdings_of(self, identity: str) -> set[int]:
        if identity not in self._live:
            self._need_objects([identity])
        return self._objects[identity]

    def referrers(self, identity: str) -> tuple[int, ...]:
        if identity not in self._back:
            self._need_back([identity])
        return self._back[identity]

    def base(self, version: int) -> bool:
        return self.base_of(version) is not None

    def standing(self, version: int) -> frozenset[str] | None:
        row = self.live(version)
        if row is None:
            return None
        return FORCED if version in self.forced else frozenset(msgspec.json.decode(row.hidden))

    def given(self, identity: str) -> bool:
        if identity not in self._live:
            self._need_objects([identity])
        return self._given[identity]

    # --- reading the store in bulk

    def live(self, version: int) -> StreamRow | None:
        """The row of this version that stands in the party's stream."""
        identity = self.identity(version)
        if identity not in self._live:
            self._need_objects([identity])
        return self._live[identity].get(version)

    def holdings(self, version: int) -> list[Holding]:
        """The live holdings of a version."""
        if version not in self._holdings:
            self._need_versions([version])
        return self._holdings[version]

    def _references(self, version: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if version not in self._refs:
            self._need_versions([version])
        return self._refs[version]

    def prime(self, versions: Collection[int]) -> None:
        """Read what `close` will ask about these versions and their neighbours in a few large questions."""
        self._need_versions(versions)
        ids = {self.identity(version) for version in versions}
        targets = {target for version in versions for side in self._refs[version] for target in side}
        self._need_objects(ids | targets)
        self._need_back(ids)
        ring = {version for identity in ids for version in self._back[identity]}
        self._need_versions(ring)
        self._need_objects(
            {self.identity(version) for version in ring}
            | {target for version in ring for side in self._refs[version] for target in side}
        )

    def _need_versions(self, versions: Collection[int]) -> None:
        for some in _lots([version for version in versions if version not in self._holdings]):
            found: dict[int, list[Holding]] = {version: [] for version in some}
            for row in sorted(self.tx.find_in(Holding, "version", some, ended=None), key=lambda one: one.h):
                found[row.version].append(row)
                self._ids[row.version] = row.object
            self._leave_out_unfinished(found)
            self._holdings.update(found)
            if self.hides:
                self._lend_holdings(some)
            required: dict[int, dict[str, None]] = {version: {} for version in some}
            optional: dict[int, dict[str, None]] = {version: {} for version in some}
            uses: dict[int, list[Reference]] = {version: [] for version in some}
            for ref in self.tx.find_in(Reference, "version", some):
                if ref.kind in ("marking", "extension"):
                    uses[ref.version].append(ref)
                elif ref.kind == "object":
                    (required if ref.required else optional)[ref.version][ref.target] = None
            for version in some:
                # markings before extensions, each in the order they stand in
                uses[version].sort(key=lambda ref: (ref.kind != "marking", ref.path, ref.target))
                self._uses[version] = [ref.target for ref in uses[version]]
                self._refs[version] = (tuple(required[version]), tuple(optional[version]))

    def _leave_out_unfinished(self, found: dict[int, list[Holding]]) -> None:
        """What an import brought that has not ended goes to nobody yet; what it only said anew of something counts at once."""
        if self._unfinished is None:
            self._unfinished = frozenset(row.b for row in self.tx.find(Batch, done=0))
        if not self._unfinished:
            return
        fresh = [version for version, rows in found.items() if any(row.batch in self._unfinished for row in rows)]
        before = {
            (row.version, row.custodian, row.title)
            for row in self.tx.find_in(Holding, "version", fresh)
            if row.batch not in self._unfinished
        }
        for version in fresh:
            found[version] = [
                row
                for row in found[version]
                if row.batch not in self._unfinished or (row.version, row.custodian, row.title) in before
            ]

    def _lend_holdings(self, versions: Collection[int]) -> None:
        """What stands in for a version goes as the holdings of that version, and of its copies, say."""
        for row in list(self.tx.find_in(StandIn, "version", versions)):
            originals = (row.original, *self.twins(row.original))
            self._need_versions(originals)
            self._holdings[row.version] = [one for original in originals for one in self._holdings[original]]

    def _need_objects(self, ids: Collection[str]) -> None:
        for some in _lots([identity for identity in ids if identity not in self._live]):
            for identity in some:
                self._objects[identity], self._live[identity], self._given[identity] = set(), {}, False
            for row in self.tx.find_in(Holding, "object", some, ended=None):
                self._objects[row.object].add(row.version)
                self._ids[row.version] = row.object
                if row.custodian == self.to.id:
                    self._given[row.object] = True
            for line in self.tx.find_in(StreamRow, "object", some, party=self.to.id, ended=None):
                self._objects[line.object].add(line.version)
                self._live[line.object][line.version] = line
                self._ids[line.version] = line.object

    def _need_back(self, ids: Collection[str]) -> None:
        for some in _lots([identity for identity in ids if identity not in self._back]):
            found: dict[str, set[int]] = {identity: set() for identity in some}
            for row in self.tx.find_in(Reference, "target", some, kind="object"):
                found[row.target].add(row.version)
            self._back.update((identity, tuple(sorted(versions))) for identity, versions in found.items())

    # --- whether a standing row has to be issued again

    def outdated(self, row: StreamRow) -> bool:
        """Whether a standing row's title, view or terms no longer are what they should be."""
        base = self.base_of(row.version)
        if base is None:
            return False
        if base.title == row.title:
            return base.view.name != row.view or _lasting(base.terms.as_json()) != _lasting(
                msgspec.json.decode(row.terms)
            )
        own = [clause for clause in self.clauses if clause.title == row.title]
        holding = next((one for one in self.holdings(row.version) if one.h == row.holding), None)
        if not own or holding is None:
            return True
        still = decide(self.facets(holding.cls), self.us, self.to, own, at=self.at, clients=self.clients)
        return not isinstance(still, Release | Refer) or narrower(still.view, base.view)


def _lasting(terms: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in terms.items() if name != "retention"}


def _lots(items: Collection[Any]) -> Iterator[list[Any]]:
    every = list(items)
    for start in range(0, len(every), AT_ONCE):
        yield every[start : start + AT_ONCE]


def world_for(tx: Reading, us: str, party: str, at: Instant, clauses: Sequence[ClauseInForce] | None = None) -> World:
    """The world of one party at an instant; with `clauses`, the world those clauses would make."""
    return World(
        tx,
        us,
        receiver_of(tx, party),
        clauses_in_force(tx, us, at) if clauses is None else clauses,
        clients_of(tx, us),
        at,
        plain=is_plain(tx, party),
    )


def plan(world: World, versions: Iterable[int]) -> tuple[Change[int], ...]:
    """What follows for one party when these versions may or may no longer go; the same for preview and for the deed."""
    changed = list(dict.fromkeys(versions))
    world.prime(changed)
    changed = list(dict.fromkeys(one for version in changed for one in (version, *world.twins(version))))
    for version in changed:
        row = world.live(version)
        if row is not None and world.outdated(row):
            world.forced.add(version)
    changed = _may_come_along(world, changed)
    while True:
        changes = close(world, changed)
        impossible = [
            change.holding for change in changes if not isinstance(change, Withdraw) and not _can_show(world, change)
        ]
        if not impossible:
            return (*_definitions(world, changes), *changes)
        world.blocked.update(impossible)
        changed.extend(one for version in impossible for one in (version, *world.twins(version)))


def _may_come_along(world: World, changed: Sequence[int]) -> list[int]:
    """These versions, and those not shown that refer to what may go: a list with nothing to show in it may have something now."""
    found = dict.fromkeys(changed)
    todo = list(found)
    while todo:
        version = todo.pop()
        if world.base(version):
            for referrer in world.referrers(world.identity(version)):
                if referrer not in found and world.live(referrer) is None and world.base(referrer):
                    found[referrer] = None
                    todo.append(referrer)
    return list(found)


def _definitions(world: World, changes: Sequence[Change[int]]) -> list[Show[int]]:
    """Marking and extension definitions travel with what uses them: before it, whole, under the same title and terms."""
    coming = {change.holding for change in changes if not isinstance(change, Withdraw)}
    along: list[Show[int]] = []
    for user in sorted(coming):
        base = world.base_of(user)
        assert base is not None, "what is shown has a title"
        source = base.holding.custodian if world.stands_for(user) is None else world.us
        for version in world.definitions(user, source):
            if version not in coming and world.live(version) is None:
                world.lend(version, base)
                coming.add(version)
                along.append(Show(version, ()))
    return along


def _can_show(world: World, change: Show[int] | Reissue[int]) -> bool:
    """Whether the view leaves a valid object behind; where it does not, the object is withheld from this party."""
    base = world.base_of(change.holding)
    assert base is not None, "what is shown has a title"
    if base.view == FULL and not change.hidden:
        return True
    version = world.tx.get(Version, change.holding)
    assert version is not None, "a version that was named exists"
    return not isinstance(show(version, base.view, frozenset(change.hidden), base.title), Withheld)


def settle(deed: Deed, *, versions: Sequence[int]) -> None:
    """Bring every party's stream up to date after these versions came, changed or were spoken for."""
    if not versions:
        return
    _turn(deed)
    for party in receivers(deed.tx, deed.node.party):
        world = world_for(deed.tx, deed.node.party, party, deed.at)
        world._need_versions(versions)
        holdings = [holding for version in versions for holding in world.holdings(version)]
        regrant(deed, world, {holding.cls for holding in holdings})
        given = {holding.object for holding in holdings if holding.custodian == party}
        world._need_back(given)
        referring = [version for identity in given for version in world.referrers(identity)]
        issue(deed, world, plan(world, with_stand_ins(world, [*versions, *referring], deed)))


def resettle(deed: Deed, parties: Iterable[str]) -> None:
    """Bring streams up to date after agreements, memberships or cards changed: every class is decided anew."""
    _turn(deed)
    classes = [row.c for row in deed.tx.find(Class)]
    for party in parties:
        world = world_for(deed.tx, deed.node.party, party, deed.at)
        able = {
            clause.title
            for clause in world.clauses
            if operative(clause, deed.at) and gives(clause, sender=world.us, receiver=party, clients=world.clients)
        }
        changed: list[int] = []
        stopped: list[int] = []
        due: list[int] = []
        for cls, before in regrant(deed, world, classes).items():
            versions = [row.version for row in deed.tx.find(Holding, cls=cls, order=("h",)) if row.ended is None]
            lapsed = before is not None and before not in able and not superseded(deed.tx, before, deed.at)
            if lapsed and isinstance(world.decision(cls), Withhold):
                stopped.extend(versions)
            else:
                changed.extend(versions)
                due.append(cls)
        changed.extend(_under_lapsed(deed, world, able))
        stop(deed, world, with_stand_ins(world, stopped))
        if len(changed) > MANY:  # what may no longer go is taken back now, what may go from now on comes row by row
            world._need_objects({world.identity(version) for version in changed})
            put_job(deed, party, {"classes": sorted(due)})
            changed = [version for version in changed if world.live(version) is not None]
        issue(deed, world, plan(world, with_stand_ins(world, changed, deed)))


def _under_lapsed(deed: Deed, world: World, able: set[str]) -> list[int]:
    """Versions whose row stands under a title that gives no more since the last time, and that may go under another one.

    What is decided for their class may be the same as before: it was under the other title already.
    """
    name = f"able/{world.to.id}"
    before: list[str] = read_setting(deed.tx, name, [])
    if set(before) != able:
        put_setting(deed.tx, name, sorted(able))
    lapsed = set(before) - able
    if not lapsed:
        return []
    rows = [row for row in deed.tx.find(StreamRow, party=world.to.id, ended=None) if row.title in lapsed]
    world.prime([row.version for row in rows])
    return [row.version for row in rows if world.base(row.version)]


def heed_cards(deed: Deed, envelopes: Sequence[bytes]) -> Card:
    """Keep the cards of a party; where what decisions look at in them changed, its stream follows at once.

    Raises:
        SealBroken: as `take_cards`.
    """
    party = str(unverified_body(envelopes[0], "card")[0].get("party")) if envelopes else ""
    before = receiver_of(deed.tx, party), is_plain(deed.tx, party)
    card = take_cards(deed, envelopes)
    if before != (receiver_of(deed.tx, party), is_plain(deed.tx, party)) and party in receivers(
        deed.tx, deed.node.party
    ):
        resettle(deed, [party])
    return card


def put_job(deed: Deed, party: str, what: dict[str, Any]) -> None:
    """Leave it to small transactions after this one to bring a party's stream up to date (comity.node.catchup)."""
    j = (deed.tx.last(Job, "j") or 0) + 1
    deed.tx.add([Job(j, party, canonical(what), deed.at)])


def _turn(deed: Deed) -> None:
    """Let those who planned over a snapshot know that the world has changed since."""
    if deed.tx.last(Job, "j") is not None:
        put_setting(deed.tx, "turn", read_setting(deed.tx, "turn", 0) + 1)


def with_stand_ins(world: World, versions: Iterable[int], deed: Deed | None = None) -> list[int]:
    """These versions and what stands in for them; what is lacking is made: kept by the deed, or laid over the store for a preview."""
    changed = list(dict.fromkeys(versions))
    if not world.hides:
        return changed
    world.prime(changed)
    every = list(dict.fromkeys(one for version in changed for one in (version, *world.twins(version))))
    fresh: list[Any] = []
    n = world.tx.last(Version, "n") or 0
    for row in sorted(world.tx.find_in(Version, "n", every), key=lambda one: (one.modified, one.n)):
        if world.stands_for(row.n) is not None:
            continue
        for holding in world.holdings(row.n):
            decision = world.outcome(holding)
            if not isinstance(decision, Release) or decision.clause.source != "hidden":
                continue
            copies = {row.n, *world.twins(row.n)}
            made = {(one.original, one.title) for one in fresh if isinstance(one, StandIn)}
            if world.stand_in(row.n, decision.title) is None and made.isdisjoint((c, decision.title) for c in copies):
                draw = None if deed is None else deed.node.random
                hide = world.hiding(holding)
                rows = make(world.tx, world.us, row, hide, decision.title, world.at, n + 1, draw, fresh)
                n += bool(rows)
                fresh.extend(rows)
    if fresh and deed is not None:
        deed.tx.add(fresh)
    elif fresh:
        world.tx = Overlay(world.tx, fresh)
    return list(dict.fromkeys([*changed, *(row.version for row in world.tx.find_in(StandIn, "original", every))]))


def operative(item: ClauseInForce, at: Instant) -> bool:
    """Whether a clause can release at all at an instant: its lease is fresh and its window open."""
    clause = item.clause
    return (
        (item.until is None or at < item.until)
        and (clause.not_before is None or clause.not_before <= at)
        and (clause.not_after is None or at < clause.not_after)
    )


def regrant(deed: Deed, world: World, classes: Iterable[int]) -> dict[int, str | None]:
    """Write what is decided for these classes now; gives those whose decision changed, with the title they had before."""
    changed: dict[int, str | None] = {}
    party = world.to.id
    for cls in classes:
        standing = next(iter(deed.tx.find(Grant, cls=cls, party=party, ended=None)), None)
        outcome = outcome_of(world.decision(cls))
        if (None if standing is None else standing.outcome) == outcome:
            continue
        changed[cls] = None if standing is None else msgspec.json.decode(standing.outcome)["title"]
        if standing is not None:
            deed.tx.put(replace(standing, ended=deed.at))
        if outcome is not None:
            deed.tx.put(Grant(cls, party, deed.at, None, outcome))
    return changed


def outcome_of(decision: Decision) -> bytes | None:
    """What a grant says of a decision, JSON; None for one that withholds, of which none is written."""
    if isinstance(decision, Withhold):
        return None
    kind = "release" if isinstance(decision, Release) else "refer"
    return canonical({"kind": kind, "title": decision.title, "view": decision.view.name})


def stop(deed: Deed, world: World, versions: Sequence[int]) -> None:
    """An agreement no longer holds: what is not delivered yet does not go; what was delivered keeps its title."""
    delivered = delivered_to(deed.tx, world.to.id)
    world.prime(versions)
    for version in versions:
        row = world.live(version)
        if row is None or row.n <= delivered:
            continue
        deed.tx.put(replace(row, ended=row.n))
        world._live[row.object].pop(version)
        given = last_given(deed.tx, row, delivered)
        if given is not None:  # it was to stand for this one, which stays
            deed.tx.put(replace(given, ended=None))
            world._live[row.object][version] = given


def last_given(tx: Reading, row: StreamRow, delivered: int) -> StreamRow | None:
    """The row that was handed over of those that a row stands for, itself first; None where nothing was."""
    found: StreamRow | None = row
    while found is not None and found.n > delivered:
        found = None if found.replaces is None else tx.get(StreamRow, row.party, found.replaces)
    return found


def delivered_to(tx: Reading, party: str) -> int:
    """The n of the last row of a party's objects stream that was handed over, receipted or not."""
    reached: int = read_setting(tx, f"reached/{party}", 0)  # of a life before a restore
    return max(tx.last(Delivery, "last", party=party) or 0, reached)


def issue(deed: Deed, world: World, changes: Sequence[Change[int]]) -> None:
    """Append what a plan says: rows for what is shown or shown again, tombstones for what is taken back."""
    if not changes:
        return
    _turn(deed)
    tx, party = deed.tx, world.to.id
    n = tx.last(StreamRow, "n", party=party) or 0
    added = max(deed.at, (tx.last(StreamRow, "added", party=party) or 0) + 1)
    delivered = delivered_to(tx, party)
    rows: list[StreamRow] = []
    for change in changes:
        standing = world.live(change.holding)
        if isinstance(change, Withdraw):
            assert standing is not None, "only what stands is withdrawn"
            tx.put(replace(standing, ended=standing.n))
            given = last_given(tx, standing, delivered)
            if given is not None and not world.plain:
                append_control(deed, party, "tombstone", {"n": given.n})
            continue
        base = world.base_of(change.holding)
        assert base is not None, "what is shown has a title"
        n += 1
        if isinstance(change, Show):
            standing = None
        if standing is not None:
            tx.put(replace(standing, ended=n))
        rows.append(
            StreamRow(
                party=party,
                n=n,
                kind="object",
                object=world.identity(change.holding),
                version=change.holding,
                holding=base.holding.h,
                title=base.title,
                view=base.view.name,
                hidden=canonical(list(change.hidden)),
                terms=kept_terms(base.terms),
                at=deed.at,
                added=added,
                replaces=None if standing is None else standing.n,
                ended=None,
            )
        )
        added += 1
    tx.add(rows)
