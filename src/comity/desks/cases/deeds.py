"""Opening, acting in and looking at a case."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from comity.desks.cases.telling import namer, told_of
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant, format, parse_offset
from comity.kernel.procedure.acts import Recorded, claimed_act
from comity.kernel.procedure.agreed import calendar_of
from comity.kernel.procedure.calendar import Calendar
from comity.kernel.procedure.charter import Charter
from comity.kernel.procedure.judging import State
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.procedure.tables import Table
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseEntry, CasePaper, CaseRow, Party
from comity.node.agreements import need_agreement, read_form
from comity.node.casework.acting import act, open_case
from comity.node.casework.agreed import ZONE_FOR
from comity.node.casework.keeping import case_row, content_of, keys_known, state_of_case, table_of
from comity.node.casework.signing import drafts_of, propose, support
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.parties import name_of, resolve_party
from comity.node.procedures import shipped_tables, zone
from comity.node.record import log_facts

Case = Annotated[str, Meta(description="The case: its id or title, or the beginning of one.", extra=PLACED)]
Reason = Annotated[str, Meta(description="Why; kept here, and committed to in the act.")]


class Open(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Convene a case: several parties go through a procedure, and our node puts their acts in order."""

    procedure: Annotated[str, Meta(description="Which procedure: comity case procedures lists them.", extra=PLACED)]
    title: Annotated[str, Meta(description="What the case is called.", extra=PLACED)]
    party: Annotated[tuple[str, ...], Meta(description="A party that takes part, name or id; once for each.")] = ()
    set: Annotated[
        tuple[str, ...],
        Meta(
            description="NAME=TIME for each stretch of time the procedure asks for, such as silence=P3D; once for each. "
            "Where an agreement says them, only what is to be longer."
        ),
    ] = ()
    agreement: Annotated[
        str | None,
        Meta(description="Agreement, digest or title, that says the time and the calendar of this procedure."),
    ] = None
    zone: Annotated[
        str | None,
        Meta(
            description="Time zone in which days are counted, such as Europe/Tallinn. Without an agreement, UTC if not said."
        ),
    ] = None
    holiday: Annotated[tuple[str, ...], Meta(description="Day that is no working day, 2021-04-02; once for each.")] = ()
    apart: Annotated[bool, Meta(description="We convene and take no part ourselves.")] = False
    represented: Annotated[
        tuple[str, ...],
        Meta(
            description="A party without a node and who records what it says by note verbale, mail, telephone or in a "
            "meeting, PARTY:RECORDER; once for each recorder. Where no card of it is here: NAME=identity--ID:RECORDER."
        ),
    ] = ()
    reason: Reason = ""


def open_(node: Node, asked: Open, officer: str) -> Told:
    """Convene."""
    table = shipped_tables().get(asked.procedure)
    if table is None:
        raise Usage(
            "command-line", f"There is no procedure {asked.procedure!r}; there are {', '.join(shipped_tables())}."
        )
    with deed(node, officer) as work:
        digest, settings, calendar = _counted(work.tx, table, asked, work.at)
        parties = {resolve_party(work.tx, name).id for name in asked.party} | (set() if asked.apart else {node.party})
        represented, names = _represented(work.tx, asked.represented)
        charter = Charter(
            table.digest,
            log_facts(work.tx).origin,
            tuple(sorted(parties | set(represented))),
            settings,
            calendar=calendar,
            represented=represented,
            agreement=digest,
        )
        row = open_case(
            work,
            canonical(table.data),
            title=asked.title,
            charter=charter,
            officer=officer,
            reason=asked.reason,
            names=names,
        )
        work.audit("case-open", {"case": row.id})
    return Told({"case": row.id, "procedure": table.id}, [f"The case {asked.title} stands as {row.id}."])


def _counted(tx: Reading, table: Table, asked: Open, at: Instant) -> tuple[str | None, dict[str, str], Calendar]:
    """The agreement's digest, the stretches of time and the calendar: those of an agreement, or as they were said."""
    settings = dict(_pair(word) for word in asked.set)
    unknown = sorted(settings.keys() - table.settings)
    agreed, digest, holidays = None, None, frozenset(map(_day, asked.holiday))
    if asked.agreement is not None:
        row = need_agreement(tx, asked.agreement)
        agreed = next((one for one in read_form(row.form).procedures if one.table == table.id), None)
        if agreed is None:
            raise NotFound("no-such-agreement", f"The agreement {row.title} says nothing of the procedure {table.id}.")
        if asked.zone is not None:
            raise Usage("command-line", "The agreement says by which clock days are counted; leave --zone out.")
        digest = row.digest
        settings = {**{name: time for name, time in agreed.times.items() if name in table.settings}, **settings}
    missing = sorted(table.settings - settings.keys())
    if missing or unknown:
        what = f"--set {missing[0]}=TIME is missing" if missing else f"it knows no {unknown[0]!r}"
        raise Usage("command-line", f"The procedure {table.id} sets {', '.join(sorted(table.settings))}; {what}.")
    known = zone((asked.zone or "UTC") if agreed is None else agreed.zone, at, at + ZONE_FOR)
    calendar = Calendar(known, holidays=holidays) if agreed is None else calendar_of(agreed, known, holidays=holidays)
    return digest, settings, calendar


def _represented(tx: Reading, words: tuple[str, ...]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """For each party without a node who records for it; and what to call those without a card."""
    found: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for word in words:
        party, colon, recorder = word.rpartition(":")
        if not colon or not party or not recorder:
            raise Usage("command-line", f"{word!r} is not PARTY:RECORDER, nor NAME=identity--ID:RECORDER.")
        id = _whose(tx, party, names)
        found.setdefault(id, set()).add(resolve_party(tx, recorder).id)
    return {party: tuple(sorted(by)) for party, by in found.items()}, names


def _whose(tx: Reading, said: str, names: dict[str, str]) -> str:
    name, equals, id = said.rpartition("=")
    if not equals or type_of(id) != "identity":
        return resolve_party(tx, said).id
    if tx.get(Party, id) is None:
        names[id] = name
    return id


def _day(word: str) -> int:
    try:
        return date.fromisoformat(word).toordinal() - date(1970, 1, 1).toordinal()
    except ValueError as broken:
        raise Usage("command-line", f"{word!r} is no day; write it as 2021-04-02.") from broken


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals or not name or not value:
        raise Usage("command-line", f"{word!r} is not NAME=VALUE.")
    return name, value


class Procedures(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show the procedures there are, and what each asks for."""


def procedures(node: Node, asked: Procedures, officer: str) -> Told:
    """The tables that ship."""
    tables = shipped_tables().values()
    rows = [(one.id, one.title, ", ".join(sorted(one.settings))) for one in tables]
    shape = [
        {"id": one.id, "title": one.title, "digest": one.digest, "settings": sorted(one.settings)} for one in tables
    ]
    return Told(
        {"procedures": shape}, Lines().table(("procedure", "what it is", "stretches of time to set"), rows).found
    )


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show the cases that run here, and those that ended."""


def list_(node: Node, asked: List, officer: str) -> Told:
    """The cases."""
    with node.store.read() as tx:
        keys = keys_known(tx)
        found = []
        for row in tx.find(CaseRow):
            state = state_of_case(tx, row, keys)
            found.append((row, state))
        rows = [
            (row.id.partition("--")[2][:8], row.title, table_of(row.table).id, state.name, name_of(tx, state.convener))
            for row, state in found
        ]
    shape = [
        {"case": row.id, "title": row.title, "procedure": table_of(row.table).id, "state": state.name, "role": row.role}
        for row, state in found
    ]
    lines = Lines().table(("case", "title", "procedure", "state", "convened by"), rows).found
    return Told({"cases": shape}, lines or ["There is no case."])


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show where a case stands: who did what, which clocks run, what can be done by whom, and what looks wrong."""

    case: Case


def show(node: Node, asked: Show, officer: str) -> Told:
    """One case."""
    with node.store.read() as tx:
        row = case_row(tx, asked.case)
        return told_of(node, tx, row)


class Put(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Put a text on the table: what the procedure is about from now on."""

    case: Case
    text: Annotated[bytes, Meta(description="The text, UTF-8.")]
    until: Annotated[
        str | None, Meta(description="Instant until which there is time; without it, the agreed time.")
    ] = None
    reason: Reason = ""


def put(node: Node, asked: Put, officer: str) -> Told:
    """Put a text."""
    try:
        text = asked.text.decode()
    except UnicodeDecodeError as broken:
        raise Usage("command-line", "The text is not UTF-8; save it as UTF-8 and give it again.") from broken
    content = {"text": text}
    public = {"text": sha256(canonical(content)).hexdigest()}
    if asked.until is not None:
        public["until"] = format(parse_offset(asked.until))
    return _act(node, asked.case, "put", public, content, officer, asked.reason)


class Text(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show the text that is on the table."""

    case: Case


def text(node: Node, asked: Text, officer: str) -> Told:
    """The text on the table, as it was put."""
    with node.store.read() as tx:
        row = case_row(tx, asked.case)
        state = state_of_case(tx, row)
        found = None if state.text is None else _text(tx, row, state.text)
    if found is None:
        raise NotFound("no-text", "No text is on the table of this case, or it has not come here yet.")
    return Told({"case": row.id, "text": found, "digest": state.text}, found.splitlines())


def _text(tx: Reading, row: CaseRow, digest: str) -> str | None:
    for stored in tx.find(CaseEntry, case=row.id, order=("seq",), reverse=True):
        made = claimed_act(claimed_entry(stored.envelope).act)
        content = content_of(tx, row, made.digest)
        if isinstance(content, dict) and sha256(canonical(content)).hexdigest() == digest and "text" in content:
            return str(content["text"])
    return None


class Act(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Do an act of the procedure: receipt, consent, break, extend, withdraw and so on, as comity case show lists them."""

    case: Case
    type: Annotated[str, Meta(description="Which act.", extra=PLACED)]
    open: Annotated[
        tuple[str, ...],
        Meta(description="NAME=VALUE of its public part; once for each. The text on the table is named by itself."),
    ] = ()
    say: Annotated[str, Meta(description="What you say to those whom the act concerns.")] = ""
    reason: Reason = ""


def do(node: Node, asked: Act, officer: str) -> Told:
    """Do any act that needs no more than words."""
    with node.store.read() as tx:
        row = case_row(tx, asked.case)
        state = state_of_case(tx, row)
        public = _public(tx, row, state, asked.type, asked.open)
        if asked.type == "elect" and "origin" not in public:
            public["origin"] = log_facts(tx).origin
        signed_by_others = any(
            step.word in ("others", "accepted")
            for one in table_of(row.table).rows_of(state.name, asked.type)
            for step in one.when
        )
    if signed_by_others:
        with deed(node, officer) as work:
            propose(work, case_row(work.tx, row.id), asked.type, public, officer=officer, reason=asked.reason)
            work.audit("case-propose", {"case": row.id, "type": asked.type})
        return Told(
            {"case": row.id, "type": asked.type, "drafted": True},
            [f"The act {asked.type} needs the others' signatures; they were asked (comity case support)."],
        )
    return _act(node, row.id, asked.type, public, {"said": asked.say}, officer, asked.reason)


def _public(tx: Reading, row: CaseRow, state: State, name: str, words: tuple[str, ...]) -> dict[str, str]:
    """The public part of an act, from NAME=VALUE; the text on the table is named by itself."""
    kind = table_of(row.table).acts.get(name)
    if kind is None:
        acts = ", ".join(sorted(table_of(row.table).acts))
        raise Usage("command-line", f"This procedure has no act {name!r}; there are {acts}.")
    public = {}
    for word in words:
        member, value = _pair(word)
        form = kind.open.get(member, "").removesuffix("?")
        if form == "party":
            value = resolve_party(tx, value).id
        elif form == "instant":
            value = format(parse_offset(value))
        public[member] = value
    if "text" in kind.open and "text" not in public and state.text is not None:
        public["text"] = state.text
    return public


class Record(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Record what a party without a node said by note verbale, mail, telephone or in a meeting. It is signed by us, never by it."""

    case: Case
    party: Annotated[str, Meta(description="Whose word it is: a name or id of the case.", extra=PLACED)]
    type: Annotated[str, Meta(description="Which act, as comity case show lists them.", extra=PLACED)]
    road: Annotated[Literal["note-verbale", "mail", "telephone", "meeting"], Meta(description="How it came to us.")]
    reference: Annotated[
        str, Meta(description="By which it is found again, such as 'No 12/2021'; all who take part see it.")
    ]
    received: Annotated[str, Meta(description="When it came to us, an instant.")]
    document: Annotated[
        bytes | None, Meta(description="The paper; its SHA-256 goes into the act, the paper itself stays with you.")
    ] = None
    open: Annotated[
        tuple[str, ...],
        Meta(description="NAME=VALUE of its public part; once for each. The text on the table is named by itself."),
    ] = ()
    say: Annotated[str, Meta(description="What it said, for those whom the act concerns.")] = ""
    reason: Reason = ""


def record_(node: Node, asked: Record, officer: str) -> Told:
    """Record another party's word."""
    with node.store.read() as tx:
        row = case_row(tx, asked.case)
        state = state_of_case(tx, row)
        public = _public(tx, row, state, asked.type, asked.open)
        name = namer(tx, row)
        party = next((one for one in state.charter.represented if asked.party in (one, name(one))), None)
        named = ", ".join(name(one) for one in state.charter.represented) or "nobody"
        if party is None:
            raise Usage("command-line", f"In this case {named} is recorded for; {asked.party!r} is not among them.")
        told = name(party)
    source = Recorded(
        party,
        asked.road,
        asked.reference,
        parse_offset(asked.received),
        None if asked.document is None else sha256(asked.document).hexdigest(),
    )
    made = _act(node, row.id, asked.type, public, {"said": asked.say}, officer, asked.reason, source)
    counts = table_of(row.table).acts[asked.type].recorded.get(asked.road) == "counts"
    how = "It counts as if the party had said it here" if counts else "It is shown and does not count"
    return Told(
        {**made.shape, "recorded_from": source.as_json(), "counts": counts},
        [f"The act {asked.type} of {told} is recorded from {source.source}, signed by us. {how}."],
    )


def _act(
    node: Node,
    case: str,
    kind: str,
    public: dict[str, str],
    content: Any,
    officer: str,
    reason: str,
    recorded: Recorded | None = None,
) -> Told:
    with deed(node, officer) as work:
        row = case_row(work.tx, case)
        envelope = act(work, row, kind, public, content, officer=officer, reason=reason, recorded=recorded)
        work.audit("case-act", {"case": row.id, "type": kind})
        digest = claimed_act(envelope).digest
    return Told(
        {"case": row.id, "type": kind, "act": digest}, [f"The act {kind} is signed and on its way to everybody."]
    )


class Support(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Sign what needs several signatures: that a party is removed or admitted, that another convenes."""

    case: Case
    draft: Annotated[
        str, Meta(description="Beginning of the draft's digest, where there are several.", extra=PLACED)
    ] = ""
    reason: Reason = ""


def support_(node: Node, asked: Support, officer: str) -> Told:
    """Sign a draft too."""
    with deed(node, officer) as work:
        row = case_row(work.tx, asked.case)
        waiting = drafts_of(work.tx, row, keys_known(work.tx))
        fitting = [entry for entry, _, _ in waiting if entry.digest.startswith(asked.draft)]
        if len(fitting) > 1:
            listed = ", ".join(f"{one.digest[:12]} ({claimed_act(one.act).type})" for one in fitting)
            raise Usage("ambiguous-name", f"Several drafts wait: {listed}; say which.")
        support(work, row, asked.draft, officer=officer, reason=asked.reason)
        work.audit("case-support", {"case": row.id, "draft": fitting[0].digest})
    return Told(
        {"case": row.id, "draft": fitting[0].digest}, ["The draft is signed; it counts once enough have signed."]
    )


class Evidence(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Write out what convicts a party in a case: papers that cannot both be true, which anybody can check."""

    case: Case


def evidence(node: Node, asked: Evidence, officer: str) -> Told:
    """The files of evidence."""
    with node.store.read() as tx:
        row = case_row(tx, asked.case)
        found = [msgspec.json.decode(one.envelope) for one in tx.find(CasePaper, case=row.id, kind="fault")]
    if not found:
        raise NotFound("no-evidence", "Nothing that came in this case convicts anybody.")
    return Told({"case": row.id, "faults": len(found)}, (), canonical(found), "application/json")


DEEDS = (
    DeskDeed("case procedures", "read", Procedures, procedures),
    DeskDeed("case open", "sign", Open, open_),
    DeskDeed("case list", "read", List, list_),
    DeskDeed("case show", "read", Show, show),
    DeskDeed("case put", "sign", Put, put),
    DeskDeed("case text", "read", Text, text),
    DeskDeed("case act", "sign", Act, do),
    DeskDeed("case record", "sign", Record, record_),
    DeskDeed("case support", "sign", Support, support_),
    DeskDeed("case evidence", "read", Evidence, evidence),
)
