"""Agreements as this node knows them: their states from the papers kept, what is in force, who receives, what a title means.

Papers are verified when they come in (`comity.node.instruments`); here they are read back from our own store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import msgspec

from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import Instant, duration, format, parse
from comity.kernel.release import jsonform
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.decision import ClauseInForce
from comity.kernel.release.instruments import Epoch, Renewal, Suspension, Withdrawal
from comity.kernel.release.life import (
    AgreementState,
    entered_into_force,
    expiries,
    first_epoch,
    in_force,
    lease_end,
    left,
    members,
    notices,
    status,
    suspensions,
    view_of,
)
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.seal.views import View
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import AgreementRow, Instrument
from comity.node.parties import clients_ever, name_of


@lru_cache(maxsize=256)
def read_form(form: bytes) -> Agreement:
    """The agreement a kept form says."""
    return jsonform.read(msgspec.json.decode(form))


def states(tx: Reading) -> list[AgreementState]:
    """Every agreement known here with the papers of its life."""
    return [state_of(tx, row) for row in tx.find(AgreementRow)]


def state_of(tx: Reading, row: AgreementRow) -> AgreementState:
    """One agreement with the papers of its life."""
    papers = tuple((paper.kind, paper.party, paper.envelope) for paper in tx.find(Instrument, agreement=row.digest))
    return _state(row.form, row.digest, papers)


@lru_cache(maxsize=512)
def _state(form: bytes, digest: str, papers: tuple[tuple[str, str, bytes], ...]) -> AgreementState:
    signatures: list[tuple[str, Instant]] = []
    epochs: list[Epoch] = []
    renewals: list[Renewal] = []
    suspensions: list[Suspension] = []
    withdrawals: list[Withdrawal] = []
    for kind, party, envelope in papers:
        body = _body(envelope, kind)
        if kind == "signature":
            signatures.append((party, parse(body["at"])))
        elif kind == "epoch":
            epochs.append(
                Epoch(digest, body["number"], body["previous"], tuple(body["members"]), parse(body["effective"]))
            )
        elif kind == "renewal":
            renewals.append(Renewal(body["epoch"], parse(body["at"]), parse(body["until"]), party))
        elif kind == "suspension":
            until = None if body["until"] is None else parse(body["until"])
            suspensions.append(Suspension(digest, party, parse(body["at"]), parse(body["since"]), until))
        elif kind == "withdrawal":
            withdrawals.append(Withdrawal(digest, party, parse(body["at"]), parse(body["effective"])))
    return AgreementState(
        read_form(form),
        digest,
        tuple(signatures),
        tuple(epochs),
        tuple(renewals),
        tuple(suspensions),
        tuple(withdrawals),
    )


@lru_cache(maxsize=4096)
def _body(envelope: bytes, kind: str) -> dict[str, Any]:
    return unverified_body(envelope, kind.removesuffix("-draft"))[0]


def need_agreement(tx: Reading, text: str) -> AgreementRow:
    """The agreement of this digest, unambiguous beginning of a digest, or title.

    Raises:
        NotFound: `no-such-agreement`. Usage: `ambiguous-name`.
    """
    rows = list(tx.find(AgreementRow))
    wanted = text.casefold()
    fits = [row for row in rows if row.digest == wanted] or [
        row for row in rows if (len(wanted) >= 4 and row.digest.startswith(wanted)) or row.title.casefold() == wanted
    ]
    if not fits:
        raise NotFound(
            "no-such-agreement",
            f"No agreement here has the digest or title {text!r}; comity agreement list shows them, and comity agreement "
            "receive FILE makes one known.",
        )
    if len(fits) > 1:
        raise Usage("ambiguous-name", f"{text!r} fits {len(fits)} agreements; write more of the digest.")
    return fits[0]


def superseded_by(tx: Reading, at: Instant) -> dict[str, str]:
    """Agreements that an amendment has replaced by an instant: digest of the old one to digest of the new one."""
    replaced: dict[str, str] = {}
    for state in states(tx):
        entered = entered_into_force(state)
        if state.agreement.previous is not None and entered is not None and entered <= at:
            replaced[state.agreement.previous] = state.digest
    return replaced


def clauses_in_force(tx: Reading, us: str, at: Instant) -> tuple[ClauseInForce, ...]:
    """All clauses that hold for us as a holder at an instant; what an amendment replaced holds no more."""
    every = states(tx)
    replaced = _replaced(every, at)
    return tuple(clause for state in every if state.digest not in replaced for clause in in_force(state, at, holder=us))


def _replaced(every: Sequence[AgreementState], at: Instant) -> set[str]:
    found: set[str] = set()
    for state in every:
        entered = entered_into_force(state)
        if state.agreement.previous is not None and entered is not None and entered <= at:
            found.add(state.agreement.previous)
    return found


def parties_of(state: AgreementState) -> set[str]:
    """Every party that ever was a member: those who signed it and those an epoch named."""
    return {party.id for party in state.agreement.parties} | {
        member for epoch in state.epochs for member in epoch.members
    }


def receivers(tx: Reading, us: str) -> list[str]:
    """Parties that may stand in a stream of ours: of an agreement with us or our clients, now or ever, in a stable order."""
    found: set[str] = set(clients_ever(tx, us))
    for state in states(tx):
        every = parties_of(state)
        if us in every:
            found |= every
    found.discard(us)
    return sorted(found)


def next_change(tx: Reading, after: Instant) -> Instant | None:
    """The next instant at which what is in force changes by itself."""
    return min((at for state in states(tx) if (at := expiries(state, after)) is not None), default=None)


def view_named(tx: Reading, digest: str, name: str) -> View:
    """The view an agreement defines under a name.

    Raises:
        NotFound: `no-such-agreement`.
    """
    row = tx.get(AgreementRow, digest)
    found = None if row is None else view_of(read_form(row.form), name)
    if found is None:
        raise NotFound("no-such-agreement", f"The view {name!r} of agreement {digest[:16]}… is not known here.")
    return found


def title_sentence(tx: Reading, digest: str) -> str:
    """What to call an agreement in a sentence."""
    row = tx.get(AgreementRow, digest)
    return digest[:16] if row is None else row.title


def member_under(tx: Reading, title: str, *, sender: str, receiver: str, at: Instant, clients: frozenset[str]) -> bool:
    """Whether a clause lets this sender give to this receiver at an instant, first hand or onward.

    Args:
        clients: The clients the sender's card lists.
    """
    digest, _, _ = title.partition("#")
    row = tx.get(AgreementRow, digest)
    if row is None:
        return False
    state = state_of(tx, row)
    return any(
        clause.title == title and gives(clause, sender=sender, receiver=receiver, clients=clients)
        for clause in in_force(state, at, holder=sender)
    )


def gives(item: ClauseInForce, *, sender: str, receiver: str, clients: frozenset[str]) -> bool:
    """Whether a clause in force lets this sender give to this receiver, first hand or onward."""
    if sender in item.senders and receiver in item.receivers:
        return True
    relayed = sender in item.receivers and item.clause.onward == "members" and receiver in item.receivers
    served = sender in item.receivers and item.clause.onward == "clients" and receiver in clients
    return relayed or served


def waits_for_papers(tx: Reading, title: str, at: Instant) -> bool:
    """Whether the agreement of a title is not known here, or not yet signed by all as far as is known here."""
    row = tx.get(AgreementRow, title.partition("#")[0])
    return row is None or status(state_of(tx, row), at).word in ("draft", "proposed", "signed")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an agreement stands between us and one party: one word of the closed list `NEARNESS`, since when, and a sentence."""

    digest: str
    title: str
    word: str
    since: Instant | None
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """{agreement, title, status, since, sentence}."""
        return {
            "agreement": self.digest,
            "title": self.title,
            "status": self.word,
            "since": None if self.since is None else format(self.since),
            "sentence": self.sentence,
        }


NEARNESS: Final = ("suspended", "expired", "signed", "withdrawn", "ended", "proposed", "draft", "in-force", "replaced")
"""How an agreement can stand between two parties, what is nearest to giving first."""


def standing_between(tx: Reading, us: str, party: str, at: Instant) -> list[Standing]:
    """Every agreement known here that both ever were parties to, the one nearest to giving first; the newest of equals."""
    every = states(tx)
    replaced = superseded_by(tx, at)
    both = [state for state in every if {us, party} <= parties_of(state)]
    found = [(state, _between(tx, state, us, party, at, replaced.get(state.digest))) for state in both]
    found.sort(key=lambda pair: (NEARNESS.index(pair[1].word), -(pair[1].since or 0), pair[1].digest))
    return [standing for _, standing in found]


def _between(tx: Reading, state: AgreementState, us: str, party: str, at: Instant, newer: str | None) -> Standing:
    title = title_sentence(tx, state.digest)

    def stands(word: str, since: Instant | None, told: str) -> Standing:
        return Standing(state.digest, title, word, since, f"The agreement “{title}” {told}.")

    if newer is not None:
        return stands("replaced", None, f"was replaced by “{title_sentence(tx, newer)}” ({newer[:12]})")
    life, entered = state.agreement.life, entered_into_force(state)
    over = [end for end in (life.ends, state.terminated) if end is not None and end <= at]
    if over:
        return stands("ended", min(over), f"ended on {format(min(over))}")
    if entered is None:
        signed = {who for who, _ in state.signatures}
        missing = [one.name for one in state.agreement.parties if one.id not in signed]
        word = "proposed" if signed else "draft"
        return stands(word, None, f"is not in force: it waits for the signature of {', '.join(missing)}")
    if at < entered:
        return stands("signed", entered, f"is signed by all and enters into force on {format(entered)}")
    names = {us: "us", party: name_of(tx, party)}
    for who in (us, party):
        if who not in members(state, at):
            gone = left(state, who, at)
            told = "we are no member any more" if who == us else f"{names[who]} is no member any more"
            since = "" if gone is None else f" since {format(gone)}"
            return stands("withdrawn", gone, f"does not hold between us: {told}{since}")
    for who in (us, party):
        paper = suspensions(state, at).get(who)
        if paper is not None:
            until = "without an end" if paper.until is None else f"until {format(paper.until)}"
            return stands(
                "suspended", paper.since, f"is suspended by {names[who]} since {format(paper.since)}, {until}"
            )
    end = lease_end(state, at, us)
    if end is not None and end <= at:
        told = f"was last renewed until {format(end)}; nothing new goes until it is renewed"
        return stands("expired", end, told)
    return stands("in-force", entered, f"is in force, and no clause of it lets us give this to {names[party]}")


@dataclass(frozen=True, slots=True)
class Supposed:
    """What would be in force at an instant if an agreement were signed by all and had begun."""

    state: AgreementState
    clauses: tuple[ClauseInForce, ...]


def suppose(tx: Reading, us: str, agreement: Agreement, at: Instant) -> Supposed:
    """The clauses that would hold for us if this agreement entered into force now; what it amends would hold no more."""
    digest = jsonform.digest(agreement)
    begun = replace(
        agreement, life=replace(agreement.life, enters_into_force=min(agreement.life.enters_into_force, at))
    )
    signed = tuple((party.id, begun.life.enters_into_force) for party in agreement.parties)
    depositary = next(party.id for party in agreement.parties if party.ref == agreement.life.depositary)
    epoch = first_epoch(begun, digest)
    renewal = Renewal(epoch.digest, at, at + duration(agreement.life.lease), depositary)
    state = AgreementState(begun, digest, signed, renewals=(renewal,))
    standing = [
        clause for clause in clauses_in_force(tx, us, at) if clause.agreement not in (digest, agreement.previous)
    ]
    return Supposed(state, (*standing, *in_force(state, at, holder=us)))


def superseded(tx: Reading, title: str, at: Instant) -> bool:
    """Whether the agreement of a title was replaced by an amendment."""
    return title.partition("#")[0] in superseded_by(tx, at)


def describe(tx: Reading, row: AgreementRow, at: Instant, us: str) -> dict[str, Any]:
    """An agreement for people and machines: {digest, title, status, sentence, parties, signed, members, lease_until, suspended,
    notices}.

    `suspended` lists who suspended it since when and until when, `notices` who gave notice of withdrawal and from when it
    takes effect.
    """
    state = state_of(tx, row)
    word = status(state, at, holder=us if us in parties_of(state) else None)
    end = lease_end(state, at, us) if entered_into_force(state) is not None else None
    return {
        "digest": row.digest,
        "title": row.title,
        "status": word.word,
        "sentence": word.sentence,
        "parties": [{"ref": one.ref, "name": one.name, "id": one.id} for one in state.agreement.parties],
        "signed": [party for party, _ in state.signatures],
        "members": sorted(members(state, at)),
        "lease_until": None if end is None else format(end),
        "suspended": [
            {
                "party": party,
                "name": _called(tx, party, us),
                "since": format(paper.since),
                "until": None if paper.until is None else format(paper.until),
            }
            for party, paper in sorted(suspensions(state, at).items())
        ],
        "notices": [
            {
                "party": paper.party,
                "name": _called(tx, paper.party, us),
                "given": format(paper.at),
                "effective": format(paper.effective),
            }
            for paper in notices(state, at)
        ],
    }


def _called(tx: Reading, party: str, us: str) -> str:
    return "we" if party == us else name_of(tx, party)
