"""Positions committed first and opened together."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.cases.deeds import Case, Reason
from comity.kernel.errors import NotFound, Usage
from comity.kernel.procedure.calendar import after
from comity.kernel.procedure.positions import Round
from comity.kernel.seal.canonical import canonical
from comity.node.casework.acting import act
from comity.node.casework.committing import commit_position, open_position
from comity.node.casework.keeping import case_row, keys_known, state_of_case
from comity.node.casework.rounds import positions_of
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.parties import name_of, resolve_party


class Ask(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Put the question of a round of positions, and say who holds the shares that open what its author does not."""

    case: Case
    question: Annotated[str, Meta(description="What is asked.", extra=PLACED)]
    trustee: Annotated[
        tuple[str, ...],
        Meta(description="Party that holds shares, name or id; once for each. Without one, all who take part."),
    ] = ()
    shares: Annotated[int, Meta(description="How many shares open a position; at least 2.", ge=2, le=255)] = 2
    reason: Reason = ""


def ask(node: Node, asked: Ask, officer: str) -> Told:
    """Ask."""
    with deed(node, officer) as work:
        row = case_row(work.tx, asked.case)
        state = state_of_case(work.tx, row)
        settings, calendar = state.charter.settings, state.charter.calendar
        if not {"commit", "open"} <= settings.keys():
            raise Usage("command-line", "This procedure is none of committed positions.")
        trustees = tuple(sorted({resolve_party(work.tx, one).id for one in asked.trustee})) or state.participants
        closes = after(work.at, settings["commit"], calendar)
        shares_from = after(closes, settings["open"], calendar)
        round = Round(row.id, 1, state.participants, trustees, asked.shares, closes, shares_from)
        content = {"question": asked.question, "round": round.form()}
        public = {"text": sha256(canonical(content)).hexdigest()}
        act(work, row, "ask", public, content, officer=officer, reason=asked.reason)
        work.audit("case-act", {"case": row.id, "type": "ask"})
    return Told({"case": row.id, "round": round.form()}, ["The question is put; positions can be committed to."])


class Commit(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Commit to a position: it is sealed and bound, nobody can read it yet, and it cannot be changed."""

    case: Case
    position: Annotated[bytes, Meta(description="The position: JSON, or a text in UTF-8.")]
    reason: Reason = ""


def commit(node: Node, asked: Commit, officer: str) -> Told:
    """Commit."""
    position = _position(asked.position)
    with deed(node, officer) as work:
        row = case_row(work.tx, asked.case)
        digest, commitment = commit_position(work, row, position, officer=officer, reason=asked.reason)
        work.audit("case-act", {"case": row.id, "type": "commit"})
    return Told(
        {"case": row.id, "act": digest, "commitment": commitment},
        ["The position is committed to; what opens it stays here until you open it."],
    )


def _position(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        try:
            return data.decode()
        except UnicodeDecodeError as broken:
            raise Usage("command-line", "The position is neither JSON nor UTF-8 text.") from broken


class Reveal(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Open our own position, once all are in or the time to commit is over."""

    case: Case
    reason: Reason = ""


def reveal(node: Node, asked: Reveal, officer: str) -> Told:
    """Open."""
    with deed(node, officer) as work:
        row = case_row(work.tx, asked.case)
        open_position(work, row, officer=officer, reason=asked.reason)
        work.audit("case-act", {"case": row.id, "type": "open"})
    return Told({"case": row.id}, ["Our position is open to all who take part."])


class Positions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show the positions of a round side by side; what is not open is shown as that, and nothing is guessed."""

    case: Case


def positions(node: Node, asked: Positions, officer: str) -> Told:
    """The table of a round."""
    with node.store.read() as tx:
        row = case_row(tx, asked.case)
        keys = keys_known(tx)
        found = positions_of(tx, row, state_of_case(tx, row, keys), keys, node.clock())
        table = found.table(node.clock())
        names = {one.author: name_of(tx, one.author) for one in table}
    if not table:
        raise NotFound("no-position-round", "Nobody is due in this round.")
    rows = [
        (names[one.author], one.state, "" if one.opened is None else _short(one.opened.position), len(one.held))
        for one in table
    ]
    shape = [
        {
            "party": one.author,
            "state": one.state,
            "position": None if one.opened is None else one.opened.position,
            "opened_by": [] if one.opened is None else list(one.opened.by),
            "shares_held": list(one.held),
            "shares_released": list(one.released),
        }
        for one in table
    ]
    lines = Lines().table(("party", "state", "position", "shares held"), rows).add(*found.faults).found
    return Told({"case": row.id, "positions": shape, "faults": found.faults}, lines)


def _short(position: Any) -> str:
    said = position if isinstance(position, str) else canonical(position).decode()
    return said if len(said) <= 200 else f"{said[:199]}…"


DEEDS = (
    DeskDeed("case ask", "sign", Ask, ask),
    DeskDeed("case commit", "sign", Commit, commit),
    DeskDeed("case reveal", "sign", Reveal, reveal),
    DeskDeed("case positions", "read", Positions, positions),
)
