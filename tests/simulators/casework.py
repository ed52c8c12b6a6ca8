"""A procedure in memory: parties with keys, a convener with its ledger, and each participant's copy, all honest unless a test lies.

`Case(table)` convenes one. `case.do(party, type, **open)` makes an act, shows it to every participant, lets the convener take it and
sends what comes out to everybody. Time is `case.now`, moved by `case.wait`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import HOUR, MINUTE, SECOND, Instant
from comity.kernel.procedure import convener, replica
from comity.kernel.procedure.acts import Act, Recorded, claimed_act, content_leaf, make_act
from comity.kernel.procedure.charter import CONVENE, Charter, procedure_id
from comity.kernel.procedure.convener import Ledger
from comity.kernel.procedure.ledger import Entry, sign_entry
from comity.kernel.procedure.replica import Replica
from comity.kernel.procedure.tables import Table
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import SigningKey
from comity.kernel.tlog.acts import officers_commitment
from comity.kernel.tlog.checkpoint import origin

NAMES: Final = ("anna", "boris", "chloe", "dawit")
KEYS: Final = {name: SigningKey.from_seed(sha256(name.encode()).digest()) for name in (*NAMES, "zoe")}
PARTY: Final = {name: party_id(key.public.spki) for name, key in KEYS.items()}
HELD: Final = {PARTY[name]: {key.public.keyid: key.public} for name, key in KEYS.items()}
SEATS: Final = {name: SigningKey.from_seed(sha256(b"seat" + name.encode()).digest()) for name in (*NAMES, "zoe")}
START: Final = 1_614_686_400 * SECOND
SETTINGS: Final = {
    "silence": "PT72H",
    "minimum": "PT24H",
    "case": "P30D",
    "convener-gone": "PT48H",
    "commit": "PT48H",
    "open": "PT24H",
    "vote": "PT48H",
}
SALT: Final = bytes(16)


def text(name: str) -> str:
    """The digest of a text, for the public part of acts."""
    return sha256(name.encode()).hexdigest()


class Case:
    """One procedure; the first name is the convener, and takes part."""

    def __init__(
        self,
        table: Table,
        names: tuple[str, ...] = NAMES,
        *,
        represented: Mapping[str, tuple[str, ...]] | None = None,
        **settings: str,
    ) -> None:
        self.table, self.names, self.now = table, names, START
        self.chair = names[0]
        seats = tuple(SEATS[name].public for name in sorted(names, key=lambda one: SEATS[one].public.keyid))
        seated = any(act.seat for act in table.acts.values())
        self.charter = Charter(
            table.digest,
            origin(PARTY[self.chair], 1),
            tuple(sorted(PARTY[name] for name in (*names, *(represented or {})))),
            {name: {**SETTINGS, **settings}[name] for name in table.settings},
            seats if seated else (),
            represented={
                PARTY[name]: tuple(sorted(PARTY[one] for one in by)) for name, by in (represented or {}).items()
            },
        )
        self.counts: dict[str, int] = {}
        self.procedure: str | None = None
        first = self.act(self.chair, CONVENE, **self.charter.as_json())
        self.procedure = procedure_id(claimed_act(first))
        self.ledger: Ledger = convener.convene(table, first, self.now, KEYS[self.chair], HELD)
        self.copies: dict[str, Replica] = {name: Replica(table, self.procedure) for name in names}
        self.send(self.ledger.entries[0])

    def act(
        self,
        name: str,
        kind: str,
        *,
        officer: bool = True,
        n: int | None = None,
        recorded: Recorded | None = None,
        **public: Any,
    ) -> bytes:
        """An act of a party, signed; it is the next of its head unless `n` says otherwise."""
        declared = self.table.acts.get(kind)
        head, key = PARTY[name], KEYS[name]
        if declared is not None and declared.seat:
            place = [one.keyid for one in self.charter.seats].index(SEATS[name].public.keyid) + 1
            head, key = f"seat-{place}", SEATS[name]
        if n is None:
            n = self.counts[head] = self.counts.get(head, 0) + 1
        officers = officers_commitment(SALT, ["officer"], "because") if officer else None
        leaf = content_leaf(SALT, {"reason": f"{name} {kind}"})
        return make_act(Act(self.procedure, head, n, kind, public, leaf, officers, self.now, recorded), key)

    def do(self, name: str, kind: str, **public: Any) -> Entry:
        """An act, heard by all, taken by the convener, its entry sent to all; the entry."""
        envelope = self.act(name, kind, **public)
        self.hear(envelope)
        return self.enter(envelope)

    def enter(self, envelope: bytes) -> Entry:
        """Let the convener take an act, and send what comes out."""
        taken = convener.take(self.ledger, envelope, self.now, KEYS[self.chair], HELD)
        self.ledger = taken.ledger
        for promise in taken.promises:
            self.promise(promise)
        for entry in taken.entries:
            self.send(entry)
        return convener.claimed_entry(self.ledger.entries[-1])

    def hear(self, envelope: bytes, names: tuple[str, ...] | None = None) -> None:
        """Show an act to participants."""
        for name in names or self.names:
            self.copies[name] = replica.hear(self.copies[name], envelope, self.now, HELD)

    def send(self, entry: bytes, names: tuple[str, ...] | None = None) -> None:
        """Send an entry to participants."""
        for name in names or self.names:
            self.copies[name] = replica.take_entry(self.copies[name], entry, self.now, HELD)

    def promise(self, promise: bytes, names: tuple[str, ...] | None = None) -> None:
        """Send a promise to participants."""
        for name in names or self.names:
            self.copies[name] = replica.take_promise(self.copies[name], promise, HELD)

    def co_signed(
        self, name: str, kind: str, signers: tuple[str, ...], *, by: str | None = None, **public: Any
    ) -> bytes:
        """The envelope of an entry that several parties sign; the first signs as the convener (of the log `by`)."""
        act = self.act(name, kind, **public)
        who = frozenset(PARTY[one] for one in signers)
        entry = convener.draft(self.table, self.ledger.state, act, self.now, who, origin=by)
        envelope = sign_entry(entry, [KEYS[signers[0]]])
        for one in signers[1:]:
            envelope = dsse.countersign(envelope, "ledger-entry", KEYS[one])
        return envelope

    def append(self, envelope: bytes) -> None:
        """Append an entry that was signed by several, and send it."""
        self.ledger = convener.append(self.ledger, envelope, HELD)
        self.send(envelope)

    def standing(self) -> bytes:
        """The convener's signed word where the ledger stands now."""
        self.ledger, envelope = convener.standing(self.ledger, self.now, KEYS[self.chair])
        return envelope

    def wait(self, hours: float = 0, minutes: float = 0) -> Instant:
        """Move the clock of everybody."""
        self.now += int(hours * HOUR + minutes * MINUTE)
        return self.now

    @property
    def name(self) -> str:
        """The state of the case, the same for the convener and every participant."""
        states = {canonical(one.state.as_json()) for one in self.copies.values() if one.state is not None}
        assert states == {canonical(self.ledger.state.as_json())}
        return self.ledger.state.name
