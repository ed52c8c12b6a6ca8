"""The life of an agreement in time: who has signed, who is a member, what is in force, and when that changes next.

Everything is a pure function of the papers known to a node (`AgreementState`) and an instant. The rules:

- It enters into force at its instant, or when the last party has signed, whichever is later.
- Membership is a chain of epochs; the first is the agreement itself. The newest whose instant has come holds.
- An epoch is ordered by the depositary (or, where it is no longer a member, by the next in succession that is), signed
by as
  many members as the agreement says, and expels one party at most: else few could expel many. In an agreement of two
  either may sign alone one that ends new releases.
- A holder releases only under a renewal younger than the lease; the depositary's own word is its clock. After one
lease of
  silence each, successors may renew.
- A lapsed lease leaves the clauses standing with `until` in the past: no permit releases any more (`lease-fresh`),
prohibits
  hold on, and `why` can say what ended.
- Suspension takes a party out of permits and refers, never out of prohibits. Withdrawal takes it out after its notice.
- Reservations only tighten, for what the reserving party gives or receives, from its signature on.

Source: wire.md "Conversation of two nodes"; docs/agreement-language.md, Life.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.release.agreement import Agreement, Clause
from comity.kernel.release.agreementdata import tighter
from comity.kernel.release.decision import ClauseInForce
from comity.kernel.release.instruments import Epoch, Renewal, Suspension, Withdrawal
from comity.kernel.seal.views import BUILT_IN, View

StatusWord = Literal["draft", "proposed", "signed", "in-force", "suspended", "expired", "withdrawn", "ended"]

STATUSES: Final[Mapping[StatusWord, str]] = {
    "draft": "nobody has signed it",
    "proposed": "some parties have signed it",
    "signed": "all have signed it and its instant has not come",
    "in-force": "it can release",
    "suspended": "suspensions leave nobody to give or to receive",
    "expired": "no renewal is younger than the lease",
    "withdrawn": "fewer than two members are left, or the one that asks is no member",
    "ended": "its end has come, or it was terminated",
}


@dataclass(frozen=True, slots=True)
class AgreementState:
    """An agreement and every verified paper of its life that a node knows.

    Args:
        agreement: As signed.
        digest: Of its signed form (`jsonform.digest`), hex.
        signatures: (party id, instant) of each verified signature.
        epochs: From number 2 on, in any order; the first epoch is the agreement's own.
        renewals: Those that passed `check_renewal`; the newest few are enough.
        suspensions, withdrawals: Verified papers of this agreement.
        terminated: When all agreed to end it, or None.

    Raises:
        InputRefused: `epoch-order` when the epochs are no chain.
    """

    agreement: Agreement
    digest: str
    signatures: tuple[tuple[str, Instant], ...] = ()
    epochs: tuple[Epoch, ...] = ()
    renewals: tuple[Renewal, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    terminated: Instant | None = None

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.epochs, key=lambda epoch: epoch.number))
        object.__setattr__(self, "epochs", ordered)
        last = first_epoch(self.agreement, self.digest)
        for epoch in ordered:
            _follows(last, epoch)
            last = epoch


@dataclass(frozen=True, slots=True)
class Status:
    """Where an agreement stands: one word and one sentence."""

    word: StatusWord
    sentence: str


# ---------------------------------------------------------------- papers


def first_epoch(agreement: Agreement, digest: str) -> Epoch:
    """The membership the agreement itself states: all who sign it, from its instant; its signatures are theirs."""
    members = tuple(sorted(party.id for party in agreement.parties))
    return Epoch(digest, 1, None, members, agreement.life.enters_into_force)


def newest_epoch(state: AgreementState) -> Epoch:
    """The last of the chain, also when its instant has not come."""
    return state.epochs[-1] if state.epochs else first_epoch(state.agreement, state.digest)


def next_epoch(state: AgreementState, members: Iterable[str], effective: Instant) -> Epoch:
    """The epoch to sign for this membership, after the newest one known."""
    last = newest_epoch(state)
    return Epoch(state.digest, last.number + 1, last.digest, tuple(sorted(set(members))), effective)


def _follows(last: Epoch, epoch: Epoch) -> None:
    if epoch.agreement != last.agreement:
        raise InputRefused("epoch-order", "This epoch belongs to another agreement; file it there.")
    if epoch.number != last.number + 1 or epoch.previous != last.digest:
        raise InputRefused(
            "epoch-order",
            f"Epoch {epoch.number} does not follow epoch {last.number} as this node knows it; "
            "get the epochs in between, or ask the depositary why there are two.",
            number=epoch.number,
            known=last.number,
        )
    if epoch.effective < last.effective:
        raise InputRefused(
            "epoch-order",
            f"Epoch {epoch.number} would take effect before epoch {last.number}; ask the depositary for a later "
            f"instant.",
        )


def check_epoch(
    state: AgreementState, epoch: Epoch, signers: Iterable[str], *, acceding: Mapping[str, str] | None = None
) -> AgreementState:
    """The state with one more epoch, if that may follow.

    Args:
        state: What is known.
        epoch: As verified by `instruments.open_epoch`.
        signers: Party ids that signed it, each by an identity key.
        acceding: For each party whose signed accession is known, the kind its card states.

    Raises:
        InputRefused: `epoch-order`, `epoch-member`, `epoch-signatures`.
    """
    last = newest_epoch(state)
    _follows(last, epoch)
    signed, after = frozenset(signers), frozenset(epoch.members)
    out = {paper.party for paper in state.withdrawals if _still_out(state, paper, epoch.effective)}
    before = frozenset(last.members) - out
    for party in sorted(after - before):
        _admit(state, party, party in last.members, signed, acceding or {})
    grown = replace(state, epochs=(*state.epochs, epoch))
    if len(before) == 2 and after < before and signed & before:
        return grown
    expelled = before - after - signed
    if len(expelled) > 1:
        raise InputRefused(
            "epoch-signatures",
            f"This epoch removes {len(expelled)} parties that have not signed it; one epoch expels one party at most.",
            expelled=sorted(expelled),
        )
    voters = before - expelled
    orders = next((party for party in _line(state.agreement) if party in voters and party in after), None)
    if orders is None or orders not in signed:
        raise InputRefused(
            "epoch-signatures",
            "This epoch is not signed by the depositary of the agreement, or who succeeds it; wait for that signature.",
        )
    life = state.agreement.life
    rules = [life.threshold]
    if after - before and life.accession is not None:
        rules.append(life.accession.consent)
    wanted = max(len(voters) if rule == "all" else len(before) // 2 + 1 for rule in rules)
    if len(signed & voters) < wanted:
        raise InputRefused(
            "epoch-signatures",
            f"This epoch carries {len(signed & voters)} of the {wanted} signatures of members it needs; wait "
            f"for the others.",
            signed=len(signed & voters),
            needed=wanted,
        )
    return grown


def _admit(
    state: AgreementState, party: str, listed: bool, signed: frozenset[str], acceding: Mapping[str, str]
) -> None:
    if listed:
        raise InputRefused(
            "epoch-member",
            f"The party {party} has withdrawn; leave it out of this epoch, and let it sign a later one to return.",
            party=party,
        )
    rule = state.agreement.life.accession
    original = party in {one.id for one in state.agreement.parties}
    if original and party in signed:
        return
    if original or rule is None:
        why = "has left and has not signed to return" if original else "cannot join, for the agreement is closed"
        raise InputRefused("epoch-member", f"The party {party} {why}.", party=party)
    kind = acceding.get(party)
    if kind is None:
        raise InputRefused(
            "epoch-member", f"The accession of {party} is not known here; get its signed accession first.", party=party
        )
    if kind not in rule.kinds:
        raise InputRefused(
            "epoch-member",
            f"A party of the kind {kind} may not accede; the agreement lets in {', '.join(rule.kinds) or 'nobody'}.",
            party=party,
        )


def check_withdrawal(state: AgreementState, withdrawal: Withdrawal) -> AgreementState:
    """The state with one more withdrawal.

    Raises:
        InputRefused: `withdrawal-notice` when it takes effect too early; `epoch-order` for another agreement.
    """
    if withdrawal.agreement != state.digest:
        raise InputRefused("epoch-order", "This withdrawal belongs to another agreement; file it there.")
    notice = state.agreement.life.withdrawal_notice
    if withdrawal.effective < withdrawal.at + instants.duration(notice):
        raise InputRefused(
            "withdrawal-notice",
            f"This withdrawal takes effect less than {notice} after it was given; state a later instant.",
            notice=notice,
        )
    return replace(state, withdrawals=(*state.withdrawals, withdrawal))


def check_suspension(state: AgreementState, suspension: Suspension) -> AgreementState:
    """The state with one more statement on a suspension.

    Raises:
        InputRefused: `epoch-order` for another agreement.
    """
    if suspension.agreement != state.digest:
        raise InputRefused("epoch-order", "This suspension belongs to another agreement; file it there.")
    return replace(state, suspensions=(*state.suspensions, suspension))


def check_renewal(state: AgreementState, renewal: Renewal) -> AgreementState:
    """The state with one more renewal, if it may count.

    Raises:
        InputRefused: `renewal-term`, `renewal-signer`.
    """
    lease = instants.duration(state.agreement.life.lease)
    if not renewal.at < renewal.until <= renewal.at + lease:
        raise InputRefused(
            "renewal-term",
            f"This renewal does not last from its instant for at most {state.agreement.life.lease}; ask the "
            f"depositary.",
        )
    if renewal.epoch not in _epoch_digests(state):
        raise InputRefused(
            "renewal-term",
            "This renewal is for an epoch this node does not know; get the epoch from the depositary.",
            epoch=renewal.epoch,
        )
    if not _may_renew(state, renewal, lease):
        raise InputRefused(
            "renewal-signer",
            "This renewal is not by the depositary, nor by a successor after the silence the agreement asks "
            "for; do not rely on it.",
            party=renewal.by,
        )
    return replace(state, renewals=(*state.renewals, renewal))


def _epoch_digests(state: AgreementState) -> set[str]:
    return {first_epoch(state.agreement, state.digest).digest, *(epoch.digest for epoch in state.epochs)}


def _line(agreement: Agreement) -> tuple[str, ...]:
    """Party ids of the depositary and its successors, in order."""
    ids = {party.ref: party.id for party in agreement.parties}
    return tuple(ids[ref] for ref in (agreement.life.depositary, *agreement.life.succession))


def _may_renew(state: AgreementState, renewal: Renewal, lease: int) -> bool:
    present = members(state, renewal.at)
    line = [party for party in _line(state.agreement) if party in present]
    if renewal.by not in line:
        return False
    rank = line.index(renewal.by)
    base = entered_into_force(state)
    silent_since = state.agreement.life.enters_into_force if base is None else base
    for place, party in enumerate(line[:rank]):
        heard = [other.at for other in state.renewals if other.by == party and other.at <= renewal.at]
        if renewal.at < max([silent_since, *heard]) + (rank - place) * lease:
            return False
    return True


# ---------------------------------------------------------------- where it stands


def entered_into_force(state: AgreementState) -> Instant | None:
    """When it enters into force: its instant, or the last signature if that is later; None while a signature is
    missing.
    """
    first: dict[str, Instant] = {}
    for party, at in state.signatures:
        first[party] = min(at, first.get(party, at))
    if any(party.id not in first for party in state.agreement.parties):
        return None
    return max(state.agreement.life.enters_into_force, *(first[party.id] for party in state.agreement.parties))


def present_epoch(state: AgreementState, at: Instant) -> Epoch:
    """The newest epoch whose instant has come; the first one before that."""
    present = first_epoch(state.agreement, state.digest)
    for epoch in state.epochs:
        if epoch.effective <= at:
            present = epoch
    return present


def members(state: AgreementState, at: Instant) -> frozenset[str]:
    """Party ids of the members at an instant: of the present epoch, less those whose withdrawal has taken effect."""
    out = {paper.party for paper in state.withdrawals if _still_out(state, paper, at)}
    return frozenset(present_epoch(state, at).members) - out


def _still_out(state: AgreementState, paper: Withdrawal, at: Instant) -> bool:
    """A withdrawal that has taken effect; an epoch that left the party out and a later one that lists it end it."""
    if paper.effective > at:
        return False
    left = False
    for epoch in state.epochs:
        if paper.effective <= epoch.effective <= at:
            if left and paper.party in epoch.members:
                return False
            left = left or paper.party not in epoch.members
    return True


def suspended(state: AgreementState, at: Instant) -> frozenset[str]:
    """Party ids for which the agreement is suspended at an instant; the newest statement of each counts."""
    return frozenset(suspensions(state, at))


def suspensions(state: AgreementState, at: Instant) -> dict[str, Suspension]:
    """The suspensions that hold at an instant, by the party that made each; its newest statement counts."""
    newest: dict[str, Suspension] = {}
    for paper in state.suspensions:
        if paper.party not in newest or paper.at >= newest[paper.party].at:
            newest[paper.party] = paper
    return {
        party: paper
        for party, paper in newest.items()
        if paper.since <= at and (paper.until is None or at < paper.until)
    }


def left(state: AgreementState, party: str, at: Instant) -> Instant | None:
    """Since when a party is no member any more: its withdrawal took effect, or an epoch left it out; None for a member."""
    if party in members(state, at):
        return None
    gone = [paper.effective for paper in state.withdrawals if paper.party == party and _still_out(state, paper, at)]
    last = first_epoch(state.agreement, state.digest)
    for epoch in state.epochs:
        if epoch.effective <= at:
            if party in last.members and party not in epoch.members:
                gone.append(epoch.effective)
            last = epoch
    return min(gone, default=None)


def notices(state: AgreementState, at: Instant) -> tuple[Withdrawal, ...]:
    """The withdrawals of which notice was given and which take effect after `at`, the next one first."""
    to_come = [paper for paper in state.withdrawals if paper.at <= at < paper.effective]
    return tuple(sorted(to_come, key=lambda paper: (paper.effective, paper.party)))


def lease_end(state: AgreementState, at: Instant, holder: str | None = None) -> Instant | None:
    """Until when a holder may release at `at`, by the newest renewal it has; in the past where none is young enough.

    None: `holder` is the depositary, and no successor has taken its place.
    """
    lease = instants.duration(state.agreement.life.lease)
    known = _epoch_digests(state)
    heard = [renewal for renewal in state.renewals if renewal.at <= at and _may_renew(state, renewal, lease)]
    newest = max(heard, key=lambda renewal: renewal.at, default=None)
    line = [party for party in _line(state.agreement) if party in members(state, at)]
    if holder is not None and line[:1] == [holder] and (newest is None or newest.by == holder):
        return None
    # A renewal for an epoch that we do not have says that our membership is old: it ends the lease at once.
    stale = [renewal.at for renewal in heard if renewal.epoch not in known]
    good = [min(renewal.until, renewal.at + lease) for renewal in heard if renewal.epoch in known]
    end = max(good, default=entered_into_force(state) or state.agreement.life.enters_into_force)
    return min([end, *stale])


def status(state: AgreementState, at: Instant, *, holder: str | None = None) -> Status:
    """Where it stands at an instant, in one word and one sentence; for a holder, as that party stands in it."""
    life = state.agreement.life
    entered = entered_into_force(state)
    if state.terminated is not None and state.terminated <= at:
        return Status("ended", f"It was ended on {instants.format(state.terminated)}.")
    if life.ends is not None and life.ends <= at:
        return Status("ended", f"It ended on {instants.format(life.ends)}.")
    if entered is None:
        signed = {party for party, _ in state.signatures}
        missing = [party.name for party in state.agreement.parties if party.id not in signed]
        if not signed:
            return Status("draft", "Nobody has signed it.")
        return Status("proposed", f"It waits for the signature of {', '.join(missing)}.")
    if at < entered:
        return Status("signed", f"All have signed; it enters into force on {instants.format(entered)}.")
    present = members(state, at)
    if holder is not None and holder not in present:
        gone = left(state, holder, at)
        since = "" if gone is None else f" since {instants.format(gone)}"
        return Status("withdrawn", f"This party is no member any more{since}; nothing goes to it or from it.")
    if len(present) < 2:
        return Status("withdrawn", "Fewer than two members are left, so nothing is given.")
    resting = suspended(state, at)
    if holder in resting or len(present - resting) < 2:
        return Status("suspended", "It is suspended, so nothing is given.")
    end = lease_end(state, at, holder)
    if end is not None and end <= at:
        return Status(
            "expired",
            f"The membership was last renewed until {instants.format(end)}; nothing new leaves until it is renewed.",
        )
    return Status("in-force", f"It has been in force since {instants.format(entered)}.")


# ---------------------------------------------------------------- what is in force


def view_of(agreement: Agreement, name: str | None) -> View | None:
    """The view of that name, of the agreement or built in; None for None."""
    if name is None:
        return None
    if name in BUILT_IN:
        return BUILT_IN[name]
    return next((View(view.name, frozenset(view.remove)) for view in agreement.views if view.name == name), None)


def in_force(state: AgreementState, at: Instant, *, holder: str) -> tuple[ClauseInForce, ...]:
    """The clauses as they hold at an instant for what `holder` may release, refs resolved, reservations applied.

    A clause stands several times where reservations make its terms differ between pairs of parties; the pairs are
    disjoint.

    Returns:
        Nothing before entry into force, after the end, or for a holder that is no member. After the lease, the clauses
        with `until` in the past: no permit or refer releases then (predicate ``lease-fresh``), prohibits still hold.
    """
    entered = entered_into_force(state)
    life = state.agreement.life
    over = [end for end in (life.ends, state.terminated) if end is not None and end <= at]
    present = members(state, at)
    if entered is None or at < entered or over or holder not in present:
        return ()
    resting = suspended(state, at)
    until = lease_end(state, at, holder)
    standing: list[ClauseInForce] = []
    for clause in state.agreement.clauses:
        senders = _resolve(state.agreement, clause.sender, present)
        receivers = _resolve(state.agreement, clause.to, present)
        if clause.says != "prohibit":
            senders, receivers = senders - resting, receivers - resting
        for form, givers, takers in _reserved(state.agreement, clause, senders, receivers):
            if givers and takers and len(givers | takers) > 1:
                view = None if clause.says == "prohibit" else view_of(state.agreement, clause.view)
                standing.append(ClauseInForce(state.digest, form, givers, takers, entered, until, view))
    return tuple(standing)


def _resolve(agreement: Agreement, refs: tuple[str, ...], present: frozenset[str]) -> frozenset[str]:
    """Party ids that refs mean among those present; who acceded belongs to the group of accession."""
    ids, groups = _names(agreement)
    found: set[str] = set()
    for ref in refs:
        if ref in ids:
            found.add(ids[ref])
        else:
            found |= groups[ref]
            if agreement.life.accession is not None and agreement.life.accession.group == ref:
                found |= present - set(ids.values())
    return frozenset(found) & present


def _names(agreement: Agreement) -> tuple[dict[str, str], dict[str, frozenset[str]]]:
    ids = {party.ref: party.id for party in agreement.parties}
    return ids, {group.ref: frozenset(ids[member] for member in group.members) for group in agreement.groups}


def _reserved(
    agreement: Agreement, clause: Clause, senders: frozenset[str], receivers: frozenset[str]
) -> list[tuple[Clause, frozenset[str], frozenset[str]]]:
    """The clause for each set of pairs: as written, and as tightened for pairs with a party that made a reservation."""
    ids, _ = _names(agreement)
    parts = [(clause, senders, receivers)]
    for made in agreement.reservations:
        if made.clause != clause.number or not made.effect:
            continue
        party = frozenset({ids[made.by]})
        split: list[tuple[Clause, frozenset[str], frozenset[str]]] = []
        for form, givers, takers in parts:
            if not party & (givers | takers):
                split.append((form, givers, takers))
                continue
            stricter = _tightened(form, made.effect)
            split.append((form, givers - party, takers - party))
            split.append((stricter, givers & party, takers))
            split.append((stricter, givers - party, takers & party))
        parts = split
    return parts


def _tightened(clause: Clause, effect: Mapping[str, str]) -> Clause:
    for key, value in effect.items():
        if tighter({key: value}, clause) is None:
            clause = _replaced(clause, key, value)
    return clause


def _replaced(clause: Clause, key: str, value: str) -> Clause:
    if key == "retention":
        return replace(clause, retention=value)
    return replace(clause, onward=value) if key == "onward" else replace(clause, min_confidence=value)


def expiries(state: AgreementState, at: Instant) -> Instant | None:
    """The next instant after `at` at which what is in force changes by itself; None if there is none.

    Entry into force, end, windows of clauses, epochs, withdrawals, suspensions, and the end of the lease.
    """
    life = state.agreement.life
    points: list[Instant | None] = [entered_into_force(state), life.ends, state.terminated]
    for clause in state.agreement.clauses:
        points += [clause.not_before, clause.not_after]
    points += [epoch.effective for epoch in state.epochs]
    points += [paper.effective for paper in state.withdrawals]
    for paper in state.suspensions:
        points += [paper.since, paper.until]
    lease = instants.duration(life.lease)
    for renewal in state.renewals:
        points += [renewal.at, min(renewal.until, renewal.at + lease)]
    return min((point for point in points if point is not None and point > at), default=None)
