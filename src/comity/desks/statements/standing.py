"""Who stands how in a case of joint statements, what our own node will do, and the report of what it did.

What a party said is taken from its own signed acts, heard from it directly or entered by the convener, whichever came: a convener that
does not answer hides nobody's word. Whether it published is taken from what its node reported and from the statement itself, where
it came here. Nothing here decides what goes out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from comity.desks.statements.joint import LABEL, TABLE, Case, Own, joint_case, own_part
from comity.desks.statements.kinds import STATEMENT
from comity.desks.statements.public import reported
from comity.desks.statements.words import Said, held
from comity.kernel.errors import ComityError, NotAllowed
from comity.kernel.model.instants import MINUTE, SECOND, Instant, format, parse
from comity.kernel.procedure.acts import Act, claimed_act
from comity.kernel.procedure.judging import State
from comity.kernel.procedure.replica import Replica, doubts
from comity.kernel.seal.secrecy import bind
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CasePaper, CaseRow, Holding, Publication
from comity.node import publishing
from comity.node.casework.acting import act
from comity.node.casework.appointing import Appointment, appointment
from comity.node.casework.keeping import content_of, keys_known, replica_of, table_of
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import DeskDeed, Lines, Told
from comity.node.parties import name_of

WORDS = ("go", "hold", "withdraw")


@dataclass(slots=True)
class Party:
    """How one party stands.

    Args:
        stands: nothing, joined, go, hold, withdraw, go-elsewhere (a go that does not count for this instant or this statement),
            or published.
        entered: Whether the convener has entered its last word.
        reported: What its node reported: the digest of the act in its log, and the instant it gives.
        statement: The id of its public statement, where it is known here; `kept`: whether it is what the party committed to.
    """

    party: str
    stands: str = "nothing"
    at: Instant | None = None
    entered: bool = True
    joined: str | None = None
    reported: dict[str, Any] | None = None
    statement: str | None = None
    kept: bool | None = None
    notes: list[str] = field(default_factory=list)


class Standing(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show who stands how for the appointed instant, what we would publish, whether our node is ready, and how long there is."""

    case: Case


def standing(node: Node, asked: Standing, officer: str) -> Told:
    """The table of a case."""
    now = node.clock()
    with node.store.read() as tx:
        row = joint_case(tx, asked.case)
        replica = replica_of(tx, row, keys_known(tx))
        state, stands = replica.state, appointment(tx, row.id)
        assert state is not None, "a case is kept from its first entry on"
        public = [
            one for one in held(tx, node.party, STATEMENT).said if one.says.joint == row.id and one.by and one.out
        ]
        parties = [_party(tx, row, replica, stands, party, public) for party in _everybody(state)]
        own = _own(tx, node.party, row, stands, now)
        warnings = [*own["missing"], *_clock(tx, replica, node.party), *(one.sentence for one in doubts(replica))]
        shape = {
            "case": row.id,
            "title": row.title,
            "state": state.name,
            "convener": state.convener,
            "instant": None if stands is None or stands.taken_back else format(stands.at),
            "seconds_left": None if stands is None or stands.taken_back else max(0.0, (stands.at - now) / SECOND),
            "parties": [_json(tx, one) for one in parties],
            "own": own,
            "warnings": warnings,
        }
        lines = _lines(tx, row, state, stands, parties, own, warnings, now)
    return Told(shape, lines)


# --- others


def _everybody(state: State) -> list[str]:
    return sorted({*state.charter.participants, *state.participants})


def _party(
    tx: Reading, row: CaseRow, replica: Replica, stands: Appointment | None, party: str, public: list[Said]
) -> Party:
    found = Party(party)
    entered = {one.act: one.entry for one in replica.placed}
    for said in _acts(replica, party):
        entry = entered.get(said.digest)
        if said.type == "join":
            found.joined, found.stands = str(said.open.get("statement")), "joined"
        elif said.type in WORDS:
            found.at, found.entered = said.at, entry is not None
            found.stands = (
                said.type if _counts(said, stands, found) else "go-elsewhere" if said.type == "go" else "joined"
            )
        elif said.type == "published":
            found.reported = {"act": said.open.get("act"), "said_at": format(said.at), **_opened(tx, row, said)}
            proof = reported(tx, row, said)
            found.reported["proved"] = proof is not None
            if proof is None:
                found.notes.append("It reports that it published, and its report does not prove it; ask its node.")
            elif stands is not None and proof.shows.published < stands.at:
                found.notes.append(
                    f"Its own log shows that it published at {format(proof.shows.published)}, before the instant; the public file "
                    "proves it to anybody."
                )
        if said.type != "published" and entry is not None and entry.refused is not None:
            found.notes.append(f"The convener refused its {said.type}: {entry.refused[1]}")
    state = replica.state
    if state is not None and party not in state.participants:
        found.notes.append("It takes no part any more; whether it publishes what it has is its own affair.")
    if found.stands == "go-elsewhere":
        found.notes.append("Its go was for another instant or another statement, so it does not count for this one.")
    if not found.entered:
        found.notes.append("The convener has not entered its last word; it counts at its own node all the same.")
    _what_went_out(tx, found, stands, public)
    return found


def _acts(replica: Replica, party: str) -> list[Act]:
    """What a party did, in its own order: what the convener entered and what was only heard."""
    acts = {one.act.digest: one.act for one in replica.heard if one.act.by == party}
    for placed in replica.placed:
        made = claimed_act(placed.entry.act)
        if made.by == party:
            acts[made.digest] = made
    return sorted(acts.values(), key=lambda one: one.n)


def _counts(said: Act, stands: Appointment | None, found: Party) -> bool:
    if stands is None or said.type == "withdraw":
        return stands is not None
    return (said.open.get("at"), said.open.get("text"), said.open.get("statement")) == (
        format(stands.at),
        stands.text,
        found.joined,
    )


def _opened(tx: Reading, row: CaseRow, said: Act) -> dict[str, Any]:
    """What a report opens: which statement, when by its own clock, and the salt."""
    content = content_of(tx, row, said.digest)
    names = ("statement", "salt", "published", "appointed")
    return {name: str(content[name]) for name in names if isinstance(content, dict) and name in content}


def _what_went_out(tx: Reading, found: Party, stands: Appointment | None, public: list[Said]) -> None:
    mine = [one for one in public if one.by == found.party]
    told = found.reported or {}
    said = next((one for one in mine if one.id == told.get("statement")), mine[-1] if mine else None)
    if said is not None:
        found.statement, found.stands = said.id, "published"
        if "salt" in told:
            found.kept = _is_kept(told["salt"], said, found.joined)
            if not found.kept:
                found.notes.append("What it published is not the statement it committed to.")
        came = min(
            (one.at for one in tx.find(Holding, object=said.id) if one.version == said.seen.version), default=None
        )
        if stands is not None and came is not None and came < stands.at:
            found.notes.append(
                f"Its statement was here at {format(came)}, before the instant: it published early, and its own log shows when."
            )
    elif told:
        found.stands = "published"
    when = told.get("published")
    if stands is not None and when is not None and _instant(when) >= stands.at + MINUTE:
        late = (_instant(when) - stands.at) / SECOND
        found.notes.append(f"It published {late:,.0f} seconds after the instant, by its own word.")


def _is_kept(salt: str, said: Said, commitment: str | None) -> bool:
    try:
        opened = bind(bytes.fromhex(salt), LABEL, {"id": said.id, "says": msgspec.to_builtins(said.says)}).hex()
    except (ComityError, ValueError):
        return False
    return opened == commitment


def _instant(text: str) -> Instant:
    try:
        return parse(text)
    except ComityError:
        return 0


# --- ourselves


def _own(tx: Reading, us: str, row: CaseRow, stands: Appointment | None, now: Instant) -> dict[str, Any]:
    """Our own part: what would go out, and what is missing for that, a sentence each."""
    own = own_part(tx, row)
    waits = None if own is None else _publication(tx, row, own)
    missing: list[str] = []
    if own is None:
        missing.append("We did not join; nothing of ours goes out: comity statement join.")
    elif waits is None or waits.standing == publishing.WITHDRAWN:
        missing.append("Our statement was withdrawn; nothing of ours goes out.")
    elif waits.standing not in publishing.OUT:
        missing += _lacks(tx, us, own, waits, stands, now)
    out = waits is not None and waits.standing in publishing.OUT
    shape: dict[str, Any] = {
        "statement": None if own is None else own.statement,
        "stands": "nothing" if waits is None else waits.standing,
        "ready": own is not None and (out or not missing),
        "missing": missing,
        "would_publish": None if own is None or out else dict(own.says),
    }
    if waits is not None:
        shape |= {"due": format(waits.due), "note": waits.note, "act": waits.act}
        shape |= {"published": None if waits.at is None else format(waits.at)}
    return shape


def _publication(tx: Reading, row: CaseRow, own: Own) -> Publication | None:
    rows = [one for one in publishing.publications(tx, row.id) if one.id == own.statement]
    return rows[-1] if rows else None


def _lacks(tx: Reading, us: str, own: Own, waits: Publication, stands: Appointment | None, now: Instant) -> list[str]:
    if stands is None or stands.taken_back:
        return ["No instant is appointed any more, so nothing of ours goes out."]
    missing = []
    if waits.due != stands.at:
        missing.append(
            f"The instant was moved to {format(stands.at)}; our go was for {format(waits.due)}: say go again."
        )
    elif waits.standing == publishing.HOLD:
        missing.append("Our statement is on hold; to let it go out, say go.")
    elif waits.standing != publishing.GO:
        missing.append(waits.note or "Our officers have not said go, so nothing of ours goes out.")
    draft = next((one for one in held(tx, us, STATEMENT, id=own.statement).said), None)
    if draft is not None and not draft.out and _texts(draft) != [dict(one) for one in own.says.get("texts", ())]:
        missing.append(
            "The draft was changed after we joined; what goes out is what it was then. To change it, join and go again."
        )
    if waits.until is not None and now > waits.until:
        missing.append(f"The last instant at which it goes by itself, {format(waits.until)}, is over.")
    return missing


def _texts(draft: Said) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(one) for one in draft.says.texts if one.status != "draft"]


def _clock(tx: Reading, replica: Replica, us: str) -> list[str]:
    """What the signed times of others say about our own clock, where they are further apart than the case allows."""
    state = replica.state
    if state is None:
        return []
    told: list[str] = []
    ahead = {one.act.by for one in replica.heard if one.act.by != us and one.act.at > state.charter.ahead(one.came)} | {
        one.entry.convener for one in replica.placed if one.entry.at > state.charter.ahead(one.came)
    } - {us}
    others = {*state.participants, state.convener} - {us}
    if 2 * len(ahead) > len(others):
        told.append(
            f"{len(ahead)} of {len(others)} others sign times ahead of our clock: ours may be behind, and we would publish late. Compare "
            "clocks."
        )
    else:
        told += [
            f"{name_of(tx, party)} signs times ahead of our clock, as others do not: its clock may be ahead, and it would publish early."
            for party in sorted(ahead)
        ]
    for placed in replica.placed:
        made = claimed_act(placed.entry.act)
        if made.by == us and made.at > state.charter.ahead(placed.entry.at):
            told.append(
                "The convener entered what we did at an instant before the one our clock gave: ours may be ahead, and we would publish "
                "early. Compare clocks, and hold until you have."
            )
            break
    return told


# --- telling


def _json(tx: Reading, one: Party) -> dict[str, Any]:
    return {
        "party": one.party,
        "name": name_of(tx, one.party),
        "stands": one.stands,
        "said_at": None if one.at is None else format(one.at),
        "entered": one.entered,
        "reported": one.reported,
        "statement": one.statement,
        "kept": one.kept,
        "notes": one.notes,
    }


def _lines(
    tx: Reading,
    row: CaseRow,
    state: State,
    stands: Appointment | None,
    parties: list[Party],
    own: dict[str, Any],
    warnings: list[str],
    now: Instant,
) -> list[str]:
    lines = Lines().add(f"{row.title} ({row.id}), convened by {name_of(tx, state.convener)}.")
    if stands is None or stands.taken_back:
        lines.add("No instant is appointed.")
    else:
        left = (stands.at - now) / SECOND
        lines.add(f"The instant is {format(stands.at)}, {f'in {left:,.0f} seconds' if left > 0 else 'which is over'}.")
    lines.table(
        ("party", "stands", "its word of"),
        [(name_of(tx, one.party), one.stands, "" if one.at is None else format(one.at)) for one in parties],
    )
    lines.add(*(f"{name_of(tx, one.party)}: {note}" for one in parties for note in one.notes))
    if own["would_publish"] is not None:
        lines.add(f"We would publish {own['statement']}: “{own['would_publish'].get('title', '')}”.")
    lines.add("Our node is ready." if own["ready"] else "Our node is NOT ready.", *warnings)
    return lines.found


# --- the report


def tend(node: Node) -> None:
    """Report what our node published to the cases it belongs to, once for each; what was cut off is reported now."""
    with node.store.read() as tx:
        due = [row.id for row in tx.find(CaseRow, outcome=None) if _unreported(tx, node.party, row) is not None]
    for case in due:
        with deed(node) as work:
            row = work.tx.get(CaseRow, case)
            own = None if row is None else own_part(work.tx, row)
            waits = None if row is None else _unreported(work.tx, node.party, row)
            if row is None or own is None or waits is None or waits.act is None or waits.record is None:
                continue  # the report carries the proof, which is there once the tick of the act is over
            content = {
                "statement": own.statement,
                "salt": own.salt,
                "published": format(waits.at or work.at),
                "appointed": format(waits.due),
                "record": waits.record.decode(),
            }
            try:
                act(work, row, "published", {"statement": own.commitment, "act": waits.act}, content, officer="")
            except NotAllowed:
                continue  # by this clock the case does not take it yet, or takes nothing any more
            work.audit("statement-published", {"case": case, "object": own.statement, "act": waits.act})


def _unreported(tx: Reading, us: str, row: CaseRow) -> Publication | None:
    """What of ours is public and was not reported to its case."""
    if table_of(row.table).id != TABLE:
        return None
    own = own_part(tx, row)
    waits = None if own is None else _publication(tx, row, own)
    if waits is None or waits.standing not in publishing.OUT:
        return None
    acts = [claimed_act(one.envelope) for one in tx.find(CasePaper, case=row.id, kind="heard")]
    return None if any(one.by == us and one.type == "published" for one in acts) else waits


DEEDS = (DeskDeed("statement standing", "read", Standing, standing),)
