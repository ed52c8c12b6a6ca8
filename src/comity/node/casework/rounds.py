"""Committed positions in a case: committing, sharing out, opening together, and opening what its author does not open.

The round stands in the content of the act that asks (`ask`), bound by the text digest on the table. Commitments and openings are the
contents of acts; a trustee's share comes to it alone, beside the act. When the time to open one's own position is over, every
trustee's node releases its share of what is not open by itself: a position that was committed to can be kept from nobody for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from comity.kernel.errors import ComityError, NotAllowed, NotFound
from comity.kernel.model.instants import Instant
from comity.kernel.procedure import positions
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.judging import State
from comity.kernel.procedure.ledger import Keys, claimed_entry
from comity.kernel.procedure.positions import Committed, Opened, Round, Secret, Share, Shown, read_round
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseContent, CaseEntry, CasePaper, CaseRow, CaseSecret
from comity.node.context import Deed

DEAL: Final = "deal"
HOLDING: Final = "holding"
SHARE: Final = "share"
OWN: Final = "position"


@dataclass(slots=True)
class Positions:
    """A round as it stands here, made from the papers of its case."""

    round: Round
    committed: dict[str, Committed] = field(default_factory=dict)
    opened: dict[str, Opened] = field(default_factory=dict)
    held: dict[str, set[str]] = field(default_factory=dict)
    shares: dict[str, list[Share]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def table(self, at: Instant) -> tuple[Shown, ...]:
        """Every author that is due, with what is known."""
        return positions.table(
            self.round, self.committed, opened=self.opened, held=self.held, released=self.shares, at=at
        )


def positions_of(tx: Reading, row: CaseRow, state: State, keys: Keys, at: Instant) -> Positions:
    """The round of a case.

    Raises:
        NotFound: `no-position-round` where none was asked for, or its content has not come.
    """
    contents = {one.act: msgspec.json.decode(one.content) for one in tx.find(CaseContent, case=row.id)}
    entries = [claimed_entry(one.envelope) for one in tx.find(CaseEntry, case=row.id, order=("seq",))]
    acts = [(claimed_act(one.act), one.at) for one in entries if one.refused is None]
    asked = next((contents.get(act.digest) for act, _ in reversed(acts) if act.type == "ask"), None)
    if asked is None:
        raise NotFound("no-position-round", "No round of positions was asked for in this case yet, or it has not come.")
    found = Positions(read_round(asked["round"]))
    for act, entered in acts:
        said = contents.get(act.digest)
        if said is None:
            continue
        try:
            if act.type == "commit":
                made = positions.verify_commitment(
                    found.round,
                    str(said["commitment"]).encode(),
                    keys,
                    arrived=entered,
                    already=found.committed.values(),
                )
                if made.author == act.by and made.id == act.open["commitment"]:
                    found.committed[act.by] = made
            elif act.type == "open" and act.by in found.committed:
                found.opened[act.by] = positions.verify_opening(
                    found.round,
                    found.committed[act.by],
                    str(said["opening"]).encode(),
                    keys,
                    in_hand=found.committed.keys(),
                    at=entered,
                )
        except (ComityError, KeyError, TypeError) as broken:
            found.faults.append(
                broken.sentence if isinstance(broken, ComityError) else "An act has no content of its kind."
            )
    _papers(tx, row, found, keys)
    return found


def _papers(tx: Reading, row: CaseRow, found: Positions, keys: Keys) -> None:
    for paper in tx.find(CasePaper, case=row.id, order=("kind", "n")):
        if paper.kind not in (HOLDING, SHARE):
            continue
        for made in found.committed.values():
            try:
                if paper.kind == HOLDING:
                    trustee = positions.verify_holding(found.round, made, paper.envelope, keys)
                    found.held.setdefault(made.author, set()).add(trustee)
                else:
                    share = positions.verify_share(found.round, made, paper.envelope, keys, at=paper.came)
                    found.shares.setdefault(made.author, []).append(share)
            except ComityError as broken:
                if broken.code == "position-share":
                    found.faults.append(broken.sentence)


def make_commitment(work: Deed, row: CaseRow, found: Positions, position: Any) -> positions.Dealing:
    """A commitment of ours to a position; what opens it stays here.

    Raises:
        NotAllowed: `position-committed` where we have committed already. As `positions.commit`.
    """
    node = work.node
    if work.tx.get(CaseSecret, row.id, f"{OWN}/{found.round.number}") is not None:
        raise NotAllowed(
            "position-committed", "A position of ours is committed already, and a commitment cannot be changed."
        )
    size = positions.randomness_needed(found.round.threshold)
    random = node.random(size, f"position/{row.id}/{found.round.number}")
    made = positions.commit(found.round, node.party, position, random, node.keys.node)
    secret = {"position": position, "salt": made.secret.salt.hex(), "key": made.secret.key.hex()}
    work.tx.add([CaseSecret(row.id, f"{OWN}/{found.round.number}", canonical(secret))])
    return made


def make_opening(work: Deed, row: CaseRow, found: Positions) -> bytes:
    """The opening of our own position.

    Raises:
        NotFound: `no-position` where we committed to none here.
    """
    kept = work.tx.get(CaseSecret, row.id, f"{OWN}/{found.round.number}")
    made = found.committed.get(work.node.party)
    if kept is None or made is None:
        raise NotFound("no-position", "No position of ours is committed in this round.")
    said: Mapping[str, Any] = msgspec.json.decode(kept.secret)
    secret = Secret(said["position"], bytes.fromhex(said["salt"]), bytes.fromhex(said["key"]))
    return positions.open_position(found.round, made, secret, work.node.keys.node)


def holdings_to_tell(work: Deed, row: CaseRow, found: Positions, keys: Keys) -> list[bytes]:
    """Our word for each share we hold that we have not given yet."""
    us, told = work.node.party, []
    for made, share in _dealt(work.tx, row, found, keys, us):
        if us not in found.held.get(made.author, ()):
            told.append(positions.acknowledge(found.round, made, share, work.node.keys.node))
    return told


def shares_to_release(work: Deed, row: CaseRow, found: Positions, keys: Keys) -> list[bytes]:
    """Our shares of positions that are not open although the time to open them is over."""
    us = work.node.party
    if work.at < found.round.shares_from:
        return []
    given = {(one.author, one.trustee) for shares in found.shares.values() for one in shares}
    return [
        positions.release_share(found.round, made, share, work.node.keys.node, at=work.at)
        for made, share in _dealt(work.tx, row, found, keys, us)
        if made.author not in found.opened and (made.author, us) not in given
    ]


def _dealt(tx: Reading, row: CaseRow, found: Positions, keys: Keys, us: str) -> Iterable[tuple[Committed, Share]]:
    for paper in tx.find(CasePaper, case=row.id, kind=DEAL, order=("n",)):
        for made in found.committed.values():
            try:
                share = positions.receive_share(found.round, made, paper.envelope, keys)
            except ComityError:
                continue
            if share.trustee == us:
                yield made, share
