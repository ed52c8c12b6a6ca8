"""Statements that go out together: convening, joining, and each party's own word to go, to hold, to withdraw.

The case (table ``joint-statements``) shows everybody who stands how. It decides nothing about what goes out: a node publishes by the
word of its own officers alone, as `comity.node.publishing` keeps it, and that works with the convener gone and the network cut. So hold
and withdraw are done here first and told to the case afterwards, where the case takes them. What is committed to in the case is
salted: the others learn that we joined, and nothing of what we will say.

``go`` is said for one instant and for exactly one finished statement. If the convener appoints another instant, it falls, and has to
be said again; if another text is to go out, `join` and `go` are said again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.statements.drafting import own_draft
from comity.desks.statements.kinds import KINDS, Statement
from comity.desks.statements.stating import Reason, StatementId, public_handling
from comity.desks.statements.words import Said
from comity.kernel.errors import NotAllowed, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import HOUR, Instant, format
from comity.kernel.procedure.calendar import Calendar
from comity.kernel.procedure.charter import Charter
from comity.kernel.release.handling import Handling
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.secrecy import bind
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseRow, CaseSecret, Holding, Publication
from comity.node import publishing
from comity.node.casework.acting import act, open_case
from comity.node.casework.appointing import Appointment, appointment
from comity.node.casework.keeping import case_row, table_of
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Told
from comity.node.minting import Seen, newest, next_version
from comity.node.parties import resolve_party
from comity.node.procedures import shipped_tables, zone
from comity.node.record import log_facts
from comity.node.stating import instant, span

TABLE: Final = "joint-statements"
OWN: Final = "statement"
"""The name under which what opens our commitment is kept with the case."""
LABEL: Final = "joint-statement"
"""What a commitment to a statement is made for (`seal.secrecy.bind`)."""

YEAR: Final = 366 * 24 * HOUR

Case = Annotated[str, Meta(description="The case: its id or title, or the beginning of one.", extra=PLACED)]


@dataclass(frozen=True, slots=True)
class Own:
    """What we joined a case with: the statement's id, what is to go out of it, the salt, and the commitment to it."""

    statement: str
    says: Mapping[str, Any]
    salt: str
    commitment: str


# --- convening


class Convene(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Convene parties that each publish a statement of their own at one instant."""

    title: Annotated[str, Meta(description="What the case is called.", extra=PLACED)]
    party: Annotated[
        tuple[str, ...], Meta(description="A party that takes part, name or id; once for each. We take part too.")
    ]
    at: Annotated[
        str, Meta(description="The instant at which all speak, with its offset, such as 2021-07-19T12:00:00Z.")
    ]
    zone: Annotated[str, Meta(description="Time zone in which days are counted, such as Europe/Tallinn.")] = "UTC"
    holiday: Annotated[tuple[str, ...], Meta(description="Day that is no working day, 2021-04-02; once for each.")] = ()
    reports: Annotated[str, Meta(description="How long after the instant reports are awaited, such as P1D.")] = "P1D"
    gone: Annotated[
        str, Meta(description="After which silence of the convener the others may elect another, such as PT12H.")
    ] = "PT12H"
    reason: Reason = ""


def convene(node: Node, asked: Convene, officer: str) -> Told:
    """Open the case and appoint its instant."""
    table = shipped_tables()[TABLE]
    with deed(node, officer) as work:
        at = _to_come(work, asked.at)
        parties = {resolve_party(work.tx, name).id for name in asked.party} | {node.party}
        days = frozenset(_day(word) for word in asked.holiday)
        calendar = Calendar(zone(asked.zone, work.at, at + 2 * YEAR), holidays=days)
        settings = {
            "embargo": f"PT{max(1, (at - work.at) // HOUR)}H",
            "reports": asked.reports,
            "case": f"PT{(at - work.at + YEAR) // HOUR}H",
            "convener-gone": asked.gone,
        }
        charter = Charter(table.digest, log_facts(work.tx).origin, tuple(sorted(parties)), settings, calendar=calendar)
        row = open_case(
            work, canonical(table.data), title=asked.title, charter=charter, officer=officer, reason=asked.reason
        )
        _appoint(work, row, at, officer, asked.reason)
        work.audit("statement-convene", {"case": row.id, "at": format(at)})
    return Told(
        {"case": row.id, "at": format(at), "procedure": TABLE},
        [f"The case {asked.title} stands as {row.id}; all speak at {format(at)}, each by its own go."],
    )


class Appoint(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Appoint another instant, where we convene; every go that was said falls."""

    case: Case
    at: Annotated[str, Meta(description="The instant at which all speak, with its offset.")]
    reason: Reason = ""


def appoint(node: Node, asked: Appoint, officer: str) -> Told:
    """Appoint another instant."""
    with deed(node, officer) as work:
        row = joint_case(work.tx, asked.case)
        at = _to_come(work, asked.at)
        _appoint(work, row, at, officer, asked.reason)
        work.audit("statement-appoint", {"case": row.id, "at": format(at)})
    return Told({"case": row.id, "at": format(at)}, [f"All speak at {format(at)}; every go has to be said again."])


def _appoint(work: Deed, row: CaseRow, at: Instant, officer: str, reason: str) -> None:
    before = appointment(work.tx, row.id)
    content = {"at": format(at), "after": None if before is None else before.text}
    public = {"text": sha256(canonical(content)).hexdigest(), "until": format(at)}
    act(work, row, "appoint", public, content, officer=officer, reason=reason)


def _to_come(work: Deed, text: str) -> Instant:
    at = instant(text, "--at")
    at -= at % 1_000
    if at <= work.at:
        raise Usage("publication-instant", f"The instant {format(at)} is over; appoint one that is to come.")
    if at > work.at + 5 * YEAR:
        raise Usage("publication-instant", f"{format(at)} is more than five years ahead; appoint an earlier instant.")
    return at


def _day(word: str) -> int:
    try:
        return date.fromisoformat(word).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError as broken:
        raise Usage("command-line", f"{word!r} is no day; write it as 2021-04-02.") from broken


# --- joining


class Join(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Join a case with a statement of ours: the others learn that we joined, and nothing of what it says."""

    case: Case
    statement: StatementId
    late: Annotated[
        str,
        Meta(description="For how long after the instant it may still go out by itself, if our node was down then."),
    ] = "P1D"
    reason: Reason = ""


def join(node: Node, asked: Join, officer: str) -> Told:
    """Commit to a statement, and appoint its publication here; it waits for our go."""
    with deed(node, officer) as work:
        row = joint_case(work.tx, asked.case)
        stands = need_appointment(work.tx, row)
        said = own_draft(work.tx, node, asked.statement)
        if not isinstance(said.says, Statement):
            raise Usage("desk-asked", f"{said.id} is a reply; a party joins with a statement.")
        before = own_part(work.tx, row)
        says = fit_to_publish(work.tx, node.party, said, work.at, joint=row.id)
        own = _committed(work, row, said, says)
        if before is not None and before.statement != said.id:
            _drop(work, before.statement)
        _schedule(work, row, own, said, stands, stands.at + span(asked.late, "--late"))
        work.tx.put(CaseSecret(row.id, OWN, canonical(msgspec.to_builtins(own))))
        act(work, row, "join", {"statement": own.commitment}, {}, officer=officer, reason=asked.reason)
        work.audit("statement-join", {"case": row.id, "object": said.id, "commitment": own.commitment})
    left = sorted({one.language for one in said.says.texts} - {one["language"] for one in own.says["texts"]})
    lines = [f"We joined; {said.id} waits for our go for {format(stands.at)}."]
    if left:
        lines.append(f"Left out, since they are drafts only: the texts in {', '.join(left)}.")
    shape = {
        "case": row.id,
        "statement": said.id,
        "commitment": own.commitment,
        "at": format(stands.at),
        "left_out": left,
    }
    return Told(shape, lines)


def fit_to_publish(tx: Reading, us: str, said: Said, at: Instant, *, joint: str | None = None) -> Statement:
    """What of a draft is to be public: the texts somebody answers for, and nothing that names what is not public.

    Raises:
        NotAllowed: `statement-texts` where every text is a draft.
    """
    says = said.says
    texts = tuple(one for one in says.texts if one.status != "draft")
    if not texts:
        raise NotAllowed(
            "statement-texts",
            f"Every text of {said.id} is a draft; say with comity statement text which is certified or authentic.",
        )
    more: dict[str, Any] = {"texts": texts, "addressed_to": ()}
    if isinstance(says, Statement):
        open_to_all = tuple(ref for ref in says.incident_refs if is_public(tx, us, ref, at))
        dossier = says.dossier_ref if says.dossier_ref and is_public(tx, us, says.dossier_ref, at) else None
        more |= {"incident_refs": open_to_all, "dossier_ref": dossier, "joint": joint}
    made: Statement = msgspec.structs.replace(says, **more)
    return made


def is_public(tx: Reading, us: str, id: str, at: Instant) -> bool:
    """Whether an object held here is for everybody: marked so, under no embargo, and for nobody in particular, as a draft is."""
    return any(
        seen.tlp == "clear" and not seen.data.get("addressed_to") and not _embargoed(tx, seen, at)
        for seen in newest(tx, us, str(type_of(id)), id=id)
    )


def _embargoed(tx: Reading, seen: Seen, at: Instant) -> bool:
    held = tx.find(Holding, version=seen.version, ended=None)
    return any(one.custodian == seen.custodian and one.embargo is not None and one.embargo > at for one in held)


def _committed(work: Deed, row: CaseRow, said: Said, says: Statement) -> Own:
    body = msgspec.to_builtins(says)
    salt = work.node.random(16, f"statement/{row.id}/{said.id}/{work.at}")
    return Own(said.id, body, salt.hex(), commitment_of(salt, said.id, body))


def commitment_of(salt: bytes, statement: str, says: Mapping[str, Any]) -> str:
    """The salted commitment to a statement, 64 hexadecimal digits: its id and what it says (docs/formats/statements.md)."""
    return bind(salt, LABEL, {"id": statement, "says": dict(says)}).hex()


def _schedule(
    work: Deed, row: CaseRow, own: Own, said: Said, stands: Appointment, until: Instant | None
) -> Publication:
    # Every property the draft has and the public version has not is taken out; what is common to all of STIX stays.
    gone = {name: None for name in msgspec.to_builtins(said.says) if name not in own.says}
    data = next_version(said.seen.data, {**gone, **own.says}, stands.at)
    handling = public_handling(work.tx, said.seen)
    return publishing.schedule(work, data, stands.at, handling=handling, kinds=KINDS, case=row.id, until=until)


def _drop(work: Deed, statement: str) -> None:
    if any(one.id == statement and one.standing in publishing.OPEN for one in publishing.publications(work.tx)):
        publishing.withdraw(work, statement, "Another statement took its place.")


# --- go, hold, withdraw


class Go(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Stand by it that our statement goes out at the instant that is appointed now; where that is over, at once."""

    case: Case
    at: Annotated[
        str | None,
        Meta(description="The instant that was shown to you; it has to be said where it was brought forward."),
    ] = None
    reason: Reason = ""


def go(node: Node, asked: Go, officer: str) -> Told:
    """Our go: for this instant and this statement."""
    with deed(node, officer) as work:
        row = joint_case(work.tx, asked.case)
        own, stands = need_part(work.tx, row), need_appointment(work.tx, row)
        _as_shown(work, row, own, stands, None if asked.at is None else instant(asked.at, "--at"))
        waits = _for_instant(work, row, own, stands)
        public = {"text": stands.text, "at": format(stands.at), "statement": own.commitment}
        told = told_of_act(work, row, "go", public, officer, asked.reason)
        went = publishing.go(work, own.statement, waits.due, digest=waits.digest)
        work.audit("statement-go", {"case": row.id, "object": own.statement, "at": format(stands.at)})
    if went.standing in publishing.OUT:
        line = f"The instant is over; our statement went out now, at {format(went.at or work.at)}."
    elif went.standing == publishing.GO:
        line = f"Our statement goes out at {format(went.due)} by our own clock; hold and withdraw work until then."
    else:
        line = went.note
    return Told(
        {"case": row.id, "statement": own.statement, "at": format(stands.at), "stands": went.standing}, [line, *told]
    )


def _as_shown(work: Deed, row: CaseRow, own: Own, stands: Appointment, shown: Instant | None) -> None:
    """Return if an officer can mean the instant that stands: it was named, or it is no earlier than the one we waited for.

    Raises:
        NotAllowed: `publication-changed`. Else a convener could bring the instant forward just before an officer says go.
    """
    rows = [one for one in publishing.publications(work.tx, row.id) if one.id == own.statement]
    waited = next((one.due for one in rows if one.standing in publishing.OPEN), stands.at)
    if shown not in (None, stands.at) or (shown is None and stands.at < waited and work.at < waited):
        raise NotAllowed(
            "publication-changed",
            f"The instant that stands is {format(stands.at)}, and our statement waited for {format(waited)}; look again, then name the "
            f"instant with --at.",
            due=format(stands.at),
        )


def _for_instant(work: Deed, row: CaseRow, own: Own, stands: Appointment) -> Publication:
    """The publication that waits, for the instant that stands now.

    Raises:
        NotAllowed: `statement-case` where none waits any more; `publication-over` where it is public.
    """
    rows = [one for one in publishing.publications(work.tx, row.id) if one.id == own.statement]
    found = next((one for one in rows if one.standing in publishing.OPEN), None)
    if found is None:
        if any(one.standing in publishing.OUT for one in rows):
            raise NotAllowed("publication-over", f"{own.statement} is public already.")
        raise NotAllowed("statement-case", "Our statement was withdrawn; join the case again, then say go.")
    if found.due in (stands.at, work.at) or found.due < work.at >= stands.at:
        return found
    at = max(stands.at, work.at)  # the instant is over: it goes at once, and late
    until = None if found.until is None else max(at, stands.at + found.until - found.due)
    data = {**msgspec.json.decode(found.raw), "modified": format(at - at % 1_000)}
    handling = Handling.from_json(msgspec.json.decode(found.handling))
    return publishing.schedule(work, data, at, handling=handling, kinds=KINDS, case=row.id, until=until)


class Hold(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Hold our statement back until we say go again; it works until the instant, whoever convenes."""

    case: Case
    reason: Reason = ""


def hold(node: Node, asked: Hold, officer: str) -> Told:
    """Our hold."""
    return _stop(node, asked, officer, "hold", "It does not go out until go is said again.")


class Withdraw(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Take our statement out of a case; it works until the instant, whoever convenes. The draft stays here."""

    case: Case
    reason: Reason = ""


def withdraw(node: Node, asked: Withdraw, officer: str) -> Told:
    """Our withdrawal."""
    return _stop(node, asked, officer, "withdraw", "It does not go out; to take part after all, join again.")


def _stop(node: Node, asked: Hold | Withdraw, officer: str, kind: str, line: str) -> Told:
    with deed(node, officer) as work:
        row = joint_case(work.tx, asked.case)
        own = need_part(work.tx, row)
        # The word is kept here before anything else: nothing about the case can keep a party from not speaking.
        waits = {"hold": publishing.hold, "withdraw": publishing.withdraw}[kind](work, own.statement, asked.reason)
        stands = appointment(work.tx, row.id)
        at = waits.due if stands is None else stands.at
        text = "0" * 64 if stands is None else stands.text
        public = {"text": text, "at": format(at), "statement": own.commitment}
        told = told_of_act(work, row, kind, public, officer, asked.reason)
        work.audit(f"statement-{kind}", {"case": row.id, "object": own.statement})
    return Told({"case": row.id, "statement": own.statement, "stands": waits.standing}, [line, *told])


# --- what the deeds share


def joint_case(tx: Reading, text: str) -> CaseRow:
    """A case of joint statements.

    Raises:
        As `case_row`; Usage: `statement-case` for a case of another procedure.
    """
    row = case_row(tx, text)
    if table_of(row.table).id != TABLE:
        raise Usage(
            "statement-case",
            f"The case {row.title!r} is no case of joint statements; comity case show tells what it is.",
        )
    return row


def need_appointment(tx: Reading, row: CaseRow) -> Appointment:
    """The instant that stands, over or to come.

    Raises:
        NotAllowed: `statement-case`.
    """
    found = appointment(tx, row.id)
    if found is None or found.taken_back:
        why = "no instant is appointed yet" if found is None else "the case was closed before its instant"
        raise NotAllowed("statement-case", f"In the case {row.title!r} {why}, so nothing goes out by it.")
    return found


def own_part(tx: Reading, row: CaseRow) -> Own | None:
    """What we joined with; None where we did not."""
    kept = tx.get(CaseSecret, row.id, OWN)
    return None if kept is None else msgspec.convert(msgspec.json.decode(kept.secret), Own)


def need_part(tx: Reading, row: CaseRow) -> Own:
    """What we joined with.

    Raises:
        NotAllowed: `statement-case`.
    """
    found = own_part(tx, row)
    if found is None:
        raise NotAllowed("statement-case", f"We did not join the case {row.title!r}; join it with a statement first.")
    return found


def told_of_act(
    work: Deed, row: CaseRow, kind: str, public: Mapping[str, Any], officer: str, reason: str, content: Any = None
) -> list[str]:
    """Tell the case what we did; a sentence where the case does not take it, since that changes nothing about our own word."""
    try:
        act(work, row, kind, public, content or {}, officer=officer, reason=reason)
    except NotAllowed as no:
        return [f"It counts here, and the case does not show it: {no.sentence}"]
    return []


DEEDS = (
    DeskDeed("statement convene", "sign", Convene, convene),
    DeskDeed("statement appoint", "sign", Appoint, appoint),
    DeskDeed("statement join", "sign", Join, join),
    DeskDeed("statement go", "sign", Go, go),
    DeskDeed("statement hold", "sign", Hold, hold),
    DeskDeed("statement withdraw", "sign", Withdraw, withdraw),
)
