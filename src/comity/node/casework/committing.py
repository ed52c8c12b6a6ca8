"""The two acts of a committed position: committing to it, and opening it. Every desk that has positions does them here."""

from __future__ import annotations

from typing import Any

from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.positions import commitment_id
from comity.kernel.store.rows import CaseRow
from comity.node.casework.acting import act
from comity.node.casework.keeping import keys_known, state_of_case
from comity.node.casework.rounds import DEAL, make_commitment, make_opening, positions_of
from comity.node.context import Deed


def commit_position(work: Deed, row: CaseRow, position: Any, *, officer: str, reason: str = "") -> tuple[str, str]:
    """Commit to a position: sealed and bound, readable by nobody, never to be changed; gives the act's digest and the commitment's id.

    Raises:
        NotFound: `no-position-round`. NotAllowed: `position-committed`. As `positions.commit` and `act`.
    """
    state = state_of_case(work.tx, row, keys := keys_known(work.tx))
    made = make_commitment(work, row, positions_of(work.tx, row, state, keys, work.at), position)
    public = {"text": state.text, "commitment": commitment_id(made.commitment)}
    private = {party: [{"kind": DEAL, "envelope": paper.decode()}] for party, paper in made.deals}
    content = {"commitment": made.commitment.decode()}
    envelope = act(work, row, "commit", public, content, officer=officer, reason=reason, private=private)
    return claimed_act(envelope).digest, str(public["commitment"])


def open_position(work: Deed, row: CaseRow, *, officer: str, reason: str = "") -> None:
    """Open our own position to all who take part.

    Raises:
        NotFound: `no-position`, `no-position-round`. As `positions.open_position` and `act`.
    """
    state = state_of_case(work.tx, row, keys := keys_known(work.tx))
    opening = make_opening(work, row, positions_of(work.tx, row, state, keys, work.at))
    act(work, row, "open", {"text": state.text}, {"opening": opening.decode()}, officer=officer, reason=reason)
