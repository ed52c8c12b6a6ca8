"""Deciding on a measure: a case is opened whose text is the measure, and each party says where it stands.

What is decided on stands word for word in the text on the table, so nobody can be shown other words than it votes on. Only a party that
was given the measure can be asked to decide on it: what an agreement keeps from a party does not reach it by way of a case.
"""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from comity.desks.measures.kinds import MEASURE
from comity.desks.measures.standing import RULES, deciding_of, worded
from comity.desks.measures.words import one
from comity.kernel.errors import NotAllowed, NotFound, Usage
from comity.kernel.model.instants import DAY, format
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.calendar import Calendar
from comity.kernel.procedure.charter import Charter
from comity.kernel.procedure.tables import Table
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import StreamRow
from comity.node.casework.acting import act, open_case
from comity.node.casework.keeping import case_row
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Told
from comity.node.minting import our_own
from comity.node.parties import name_of, resolve_party
from comity.node.procedures import shipped_tables, zone
from comity.node.record import log_facts
from comity.node.saying import Said

Case = Annotated[str, Meta(description="The case: its id or title, or the beginning of one.", extra=PLACED)]
YEARS: Final = 3 * 366 * DAY

VOTES: Final = {
    "unanimity": {"for": "consent", "against": "object", "abstain": "abstain"},
    "majority": {"for": "consent", "against": "object", "abstain": "abstain"},
    "opt-in": {"for": "join", "against": "decline"},
    "silence": {"for": "consent", "against": "break"},
}
"""The act of the state table for each word, by rule; what is not there, the rule does not know."""


class Decide(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Open the decision on a measure of ours: the parties that were given it decide by the rule you choose."""

    measure: Annotated[str, Meta(description="The measure's id.", extra=PLACED)]
    rule: Annotated[
        Literal["unanimity", "silence", "opt-in", "majority"],
        Meta(description="unanimity, silence, opt-in or majority (more than half of the participants)."),
    ]
    party: Annotated[tuple[str, ...], Meta(description="A party that decides, name or id; once for each.")] = ()
    set: Annotated[
        tuple[str, ...],
        Meta(description="NAME=TIME for each stretch of time the rule asks for, such as vote=P3D; once for each."),
    ] = ()
    zone: Annotated[str, Meta(description="Time zone in which working days are counted, such as Europe/Tallinn.")] = (
        "UTC"
    )
    holiday: Annotated[tuple[str, ...], Meta(description="Day that is no working day, 2021-04-02; once for each.")] = ()
    apart: Annotated[bool, Meta(description="We convene and do not decide ourselves.")] = False
    reason: Annotated[str, Meta(description="Why; kept here, and committed to in the act.")] = ""


def decide(node: Node, asked: Decide, officer: str) -> Told:
    """Convene the case and put the measure on its table."""
    table = shipped_tables()[RULES[asked.rule]]
    settings = _settings(asked, table)
    with deed(node, officer) as work:
        own = our_own(work.tx, node.party, asked.measure)
        measure = one(work.tx, node.party, asked.measure, MEASURE)
        parties = {resolve_party(work.tx, name).id for name in asked.party} | (set() if asked.apart else {node.party})
        for party in sorted(parties - {node.party}):
            if not given(work.tx, party, asked.measure, own.version):
                raise NotAllowed(
                    "measure-not-given",
                    f"{name_of(work.tx, party)} was not given this version of {asked.measure} in full, so it would decide on "
                    f"what it cannot read; comity why {asked.measure} {name_of(work.tx, party)} says what stands in the way.",
                )
        calendar = Calendar(zone(asked.zone, work.at, work.at + YEARS), holidays=frozenset(map(_day, asked.holiday)))
        charter = Charter(table.digest, log_facts(work.tx).origin, tuple(sorted(parties)), settings, calendar=calendar)
        title = measure.says.name
        row = open_case(work, canonical(table.data), title=title, charter=charter, officer=officer, reason=asked.reason)
        content = {"text": wording(measure), "measure": _wording(measure)}
        public = {"text": sha256(canonical(content)).hexdigest()}
        act(work, row, "put", public, content, officer=officer, reason=asked.reason)
        work.audit("measure-decide", {"measure": asked.measure, "case": row.id, "rule": asked.rule})
    return Told(
        {"case": row.id, "id": asked.measure, "rule": asked.rule, "procedure": table.id},
        [f"{title} is on the table of the case {row.id}, by {asked.rule}: {table.title.lower()}."],
    )


def given(tx: Reading, party: str, id: str, version: int) -> bool:
    """Whether a party holds this version of an object from us in full, as our stream to it says."""
    rows = tx.find(StreamRow, party=party, object=id, ended=None)
    return any(row.version == version and row.view == "full" for row in rows)


def wording(measure: Said) -> str:
    """The text of a measure, for people."""
    says = measure.says
    lines = [
        says.name,
        f"Measure {measure.id}, version of {format(measure.at)}.",
        f"Option {says.option} of the toolbox ({says.category}).",
        *_line("Aim", says.aim),
        *_line("Target", says.target),
        *_line("Conditions", says.conditions),
        *_line("Legal basis", "; ".join(says.legal_basis)),
        *(f"Proportionality, {factor}: {text}" for factor, text in says.proportionality.items()),
        *(f"Checklist, {point}: {text}" for point, text in says.checklist.items()),
        *_line("Attribution waived", says.waived),
        *_line("Escalation risk", says.escalation_risk),
        *_line("Human rights", says.human_rights),
        *_line("Review on", says.review_on),
        *_line("Ends", says.ends),
    ]
    return "\n".join(lines)


def _line(name: str, text: str | None) -> list[str]:
    return [f"{name}: {text}"] if text else []


def _wording(measure: Said) -> dict[str, Any]:
    return {"id": measure.id, "modified": format(measure.at), "says": worded(measure.says)}


def _settings(asked: Decide, table: Table) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in asked.set:
        name, equals, value = word.partition("=")
        if not equals or not value or name in found:
            raise Usage("command-line", f"{word!r} is not NAME=TIME, each name once.")
        found[name] = value
    missing, unknown = sorted(table.settings - found.keys()), sorted(found.keys() - table.settings)
    if missing or unknown:
        what = f"--set {missing[0]}=TIME is missing" if missing else f"it knows no {unknown[0]!r}"
        raise Usage("command-line", f"The rule {asked.rule} sets {', '.join(sorted(table.settings))}; {what}.")
    return found


def _day(word: str) -> int:
    try:
        return date.fromisoformat(word).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError as broken:
        raise Usage("command-line", f"{word!r} is no day; write it as 2021-04-02.") from broken


class Vote(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say where we stand in the decision on a measure: for, against, or abstaining; dissent stands in the record."""

    case: Case
    for_: Annotated[bool, Meta(description="We are for it; under opt-in, we join.")] = msgspec.field(
        name="for", default=False
    )
    against: Annotated[bool, Meta(description="We are against it; under silence, that breaks it.")] = False
    abstain: Annotated[bool, Meta(description="We abstain.")] = False
    reason: Annotated[str, Meta(description="Why, told to all who decide.")] = ""


def vote(node: Node, asked: Vote, officer: str) -> Told:
    """Vote."""
    chosen = [
        word for word, said in (("for", asked.for_), ("against", asked.against), ("abstain", asked.abstain)) if said
    ]
    if len(chosen) != 1:
        raise Usage("desk-asked", "comity measure vote: say one of --for, --against and --abstain.")
    with node.store.read() as tx:
        row = case_row(tx, asked.case)
        found = deciding_of(tx, row, node.clock())
        if found is None:
            raise NotFound(
                "no-such-case", f"The case {row.title!r} decides on no measure, or its text has not come yet."
            )
    kind = VOTES[found.rule].get(chosen[0])
    if kind is None:
        raise NotAllowed(
            "measure-state", f"The rule {found.rule} knows no abstention; who says nothing is not against it."
        )
    return _act(node, row.id, kind, found.state.text, asked.reason, officer)


class Receipt(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Sign that an officer of ours received the measure that is under silence: our time to object runs from then."""

    case: Case


def receipt(node: Node, asked: Receipt, officer: str) -> Told:
    """Sign the receipt."""
    with node.store.read() as tx:
        row = case_row(tx, asked.case)
        found = deciding_of(tx, row, node.clock())
        if found is None or found.rule != "silence":
            raise NotFound(
                "no-such-case", f"The case {row.title!r} has no measure under silence, or it has not come yet."
            )
    return _act(node, row.id, "receipt", found.state.text, "", officer)


def _act(node: Node, case: str, kind: str, text: str | None, said: str, officer: str) -> Told:
    with deed(node, officer) as work:
        row = case_row(work.tx, case)
        envelope = act(work, row, kind, {"text": text}, {"said": said}, officer=officer, reason=said)
        work.audit("measure-vote", {"case": row.id, "type": kind})
    digest = claimed_act(envelope).digest
    return Told({"case": case, "type": kind, "act": digest}, [f"The act {kind} is signed and on its way to everybody."])


DEEDS = (
    DeskDeed("measure decide", "sign", Decide, decide),
    DeskDeed("measure vote", "sign", Vote, vote),
    DeskDeed("measure receipt", "sign", Receipt, receipt),
)
