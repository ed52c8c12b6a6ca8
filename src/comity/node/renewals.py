"""Renewals: the depositary's short-lived word that a membership still stands, given in good time, without an officer.

Without a renewal younger than the lease nothing new leaves anywhere, so the depositary's node renews when a third of the lease is
gone, and a successor's when the lease has passed in silence (docs/agreement-language.md, Life). A renewal carries the last instant at
which one was due, so that it does not tell when the node did something.
"""

from __future__ import annotations

from hashlib import sha256

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import duration
from comity.kernel.release.instruments import Renewal, sign
from comity.kernel.release.life import AgreementState, check_renewal, entered_into_force, members, present_epoch
from comity.kernel.store.rows import Instrument
from comity.node.agreements import states
from comity.node.context import Deed
from comity.node.papers import hand_over


def renew_due(deed: Deed) -> bool:
    """Renew every agreement for which it is our turn and time; true if any was, so that what had lapsed can go again."""
    renewed = [_renew(deed, state) for state in states(deed.tx)]
    return any(renewed)


def _renew(deed: Deed, state: AgreementState) -> bool:
    us, life = deed.node.party, state.agreement.life
    entered = entered_into_force(state)
    ids = {party.ref: party.id for party in state.agreement.parties}
    if us not in {ids[ref] for ref in (life.depositary, *life.succession)}:
        return False
    if entered is None or deed.at < entered or (life.ends is not None and life.ends <= deed.at):
        return False
    present = members(state, deed.at)
    lease = duration(life.lease)
    epoch = present_epoch(state, deed.at)
    newest = max((one.at for one in state.renewals if one.epoch == epoch.digest), default=None)
    begin, step = max(entered, epoch.effective) if newest is None else newest, lease // 3
    steps = (deed.at - begin) // step
    if us not in present or steps < (newest is not None):
        return False
    at = begin + steps * step
    renewal = Renewal(epoch.digest, at, at + lease, us)
    try:
        check_renewal(state, renewal)
    except InputRefused:
        return False  # a successor's turn has not come
    envelope = sign(renewal, [deed.node.keys.node])
    digest = sha256(envelope).hexdigest()
    deed.tx.add([Instrument(digest, "renewal", state.digest, us, at, at, envelope)])
    for party in sorted(present - {us}):
        hand_over(deed, party, "renewal", state.digest, envelope)
    return True
