"""Acting in a case: opening one, doing an act, taking what others send, and what the node does by itself when a clock ran out.

Whoever acts shows its act to every participant and to the convener at once, so that it cannot be dropped unseen; the content goes to
those the state table names. The convener answers with a promise and an entry, both to everybody. All of it travels as control
items, each under an act of the log towards one party.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.kernel.errors import ComityError, InputRefused, NotAllowed, NotFound
from comity.kernel.model.instants import MINUTE
from comity.kernel.procedure import convener
from comity.kernel.procedure import replica as copies
from comity.kernel.procedure.acts import Act, check_content, claimed_act, content_leaf, make_act, open_act
from comity.kernel.procedure.charter import CONVENE, Charter, procedure_id, read_charter
from comity.kernel.procedure.convener import Ledger
from comity.kernel.procedure.fold import follow
from comity.kernel.procedure.judging import Refused, State, judge
from comity.kernel.procedure.ledger import ENTRY, Entry, Keys, claimed_entry, open_entry, sign_entry
from comity.kernel.procedure.replica import Replica
from comity.kernel.procedure.tables import Table
from comity.kernel.seal import dsse
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseContent, CaseEntry, CasePaper, CaseRow, Party
from comity.kernel.tlog.acts import officers_commitment
from comity.node.casework.keeping import (
    CONVENER,
    DRAFT,
    HEARD,
    PARTICIPANT,
    PROMISE,
    keep_papers,
    keep_replica,
    keys_known,
    ledger_of,
    replica_of,
    table_of,
)
from comity.node.casework.rounds import HOLDING, SHARE, holdings_to_tell, positions_of, shares_to_release
from comity.node.context import Deed
from comity.node.papers import hand_over, send_cards
from comity.node.record import log_facts, record

KIND: Final = "case"
"""The kind of control item."""

MOST_CASES: Final = 1_000
"""So many cases that run one party may open with us; what others open does not count against it."""

OPEN_OTHER: Final = "open-other"
"""The act that opens a position in its author's place; a table that has it is one of committed positions."""

MOST_BY_ITSELF: Final = 1_000
"""So many acts a node does by itself in one go."""

EVERY: Final = MINUTE
"""How often a node looks whether a clock of a case it convenes ran out."""


@dataclass(frozen=True, slots=True)
class Content:
    """What an act says to those it concerns, with the salt that opens its commitment; `behind` opens who stood behind it."""

    act: bytes
    salt: bytes
    content: Any
    behind: bytes = b""

    def paper(self) -> dict[str, Any]:
        """The paper that shows it."""
        return {
            "kind": "content",
            "act": self.act.decode(),
            "salt": self.salt.hex(),
            "content": self.content,
        }


# ---------------------------------------------------------------- opening


def open_case(
    work: Deed,
    table: bytes,
    *,
    title: str,
    charter: Charter,
    officer: str,
    reason: str = "",
) -> CaseRow:
    """Convene a procedure: its first act, its ledger, and the papers to everybody who is to take part.

    Args:
        table: The state table, canonical JSON.
        charter: What it is opened with; its origin is our log.

    Raises:
        InputRefused: `procedure-charter`. NotAllowed: `case-party` where a participant's card is not here.
    """
    keys = keys_known(work.tx)
    unknown = [party for party in charter.participants if party not in keys]
    if unknown:
        raise NotAllowed("case-party", f"No card of {unknown[0]} is here, so it cannot take part; get its card first.")
    made = _signed(work, None, 1, CONVENE, charter.as_json(), {"title": title}, officer, reason)
    ledger = convener.convene(table_of(table), made.act, work.at, work.node.keys.node, keys)
    row = CaseRow(ledger.state.procedure, title, table, CONVENER, work.at, work.at + EVERY, None)
    work.tx.add([row, CaseEntry(row.id, 0, ledger.entries[0], work.at)])
    _keep_content(work, row, made)
    for party in _others(work, ledger.state):
        for about in (work.node.party, *ledger.state.participants):
            if about != party:
                send_cards(work, about, party)
        _invite(work, row, ledger, party)
    return row


def _invite(work: Deed, row: CaseRow, ledger: Ledger, party: str) -> None:
    """Everything a participant needs to follow a case from its beginning."""
    papers: list[dict[str, Any]] = [{"kind": "entry", "envelope": one.decode()} for one in ledger.entries]
    for stored in work.tx.find(CaseContent, case=row.id):
        act = _act_envelope(ledger.entries, stored.act)
        if act is not None and _for(ledger.table, ledger.state, claimed_act(act), party):
            papers.append(Content(act, stored.salt, msgspec.json.decode(stored.content)).paper())
    _send(work, row, party, papers, opened=True)


def _act_envelope(entries: Sequence[bytes], digest: str) -> bytes | None:
    return next((act for one in entries if claimed_act(act := claimed_entry(one).act).digest == digest), None)


def _send(work: Deed, row: CaseRow, party: str, papers: Sequence[Mapping[str, Any]], *, opened: bool = False) -> None:
    body: dict[str, Any] = {"case": row.id, "papers": list(papers)}
    if opened:
        body |= {"title": row.title, "table": msgspec.json.decode(row.table)}
    hand_over(work, party, KIND, "", canonical(body))


# ---------------------------------------------------------------- acting


def act(
    work: Deed,
    row: CaseRow,
    kind: str,
    public: Mapping[str, Any],
    content: Any,
    *,
    officer: str,
    reason: str = "",
    private: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> bytes:
    """Do an act: sign it, keep its content, show it to everybody, and enter it where we convene; gives its envelope.

    Args:
        private: Further papers for one party alone, such as its share of a sealed position.

    Raises:
        NotAllowed: the code ``step-...`` with which the act would be refused as things stand here.
    """
    keys = keys_known(work.tx)
    state = _state(work, row, keys)
    waiting = _own_waiting(work, row, state)
    table = table_of(row.table)
    by = work.node.party
    made = _signed(work, row.id, state.counts.get(by, 0) + waiting + 1, kind, public, content, officer, reason)
    envelope = made.act
    if not waiting:
        judged = judge(table, state, claimed_act(envelope), work.at, frozenset({state.convener}))
        if isinstance(judged, Refused):
            raise NotAllowed(judged.code, judged.sentence)
    _keep_content(work, row, made)
    keep_papers(work, row, HEARD, [envelope], work.at)
    for party in _others(work, state):
        papers = [made.paper()] if _for(table, state, claimed_act(envelope), party) else [_shown(envelope)]
        _send(work, row, party, [*papers, *((private or {}).get(party, ()))])
    if state.convener == by:
        _enter(work, row, keys)
    return envelope


def _shown(envelope: bytes) -> dict[str, Any]:
    return {"kind": "act", "envelope": envelope.decode()}


def _signed(
    work: Deed,
    case: str | None,
    n: int,
    kind: str,
    public: Mapping[str, Any],
    content: Any,
    officer: str,
    reason: str,
) -> Content:
    node = work.node
    about = f"case/{case or sha256(canonical(dict(public))).hexdigest()}/{n}"
    salt, behind = node.random(16, f"{about}/content"), b""
    officers = None
    if officer:
        hidden = node.random(16, f"{about}/officers")
        officers = officers_commitment(hidden, [officer], reason)
        behind = canonical({"salt": hidden.hex(), "officers": [officer], "reason": reason})
    made = Act(case, node.party, n, kind, dict(public), content_leaf(salt, content), officers, work.at)
    return Content(make_act(made, node.keys.node), salt, content, behind)


def _keep_content(work: Deed, row: CaseRow, made: Content) -> None:
    digest = claimed_act(made.act).digest
    if work.tx.get(CaseContent, row.id, digest) is None:
        work.tx.add([CaseContent(row.id, digest, made.salt, canonical(made.content), made.behind)])


def _own_waiting(work: Deed, row: CaseRow, state: State) -> int:
    """How many acts of ours the convener has not entered yet."""
    by, entered = work.node.party, state.counts.get(work.node.party, 0)
    heard = (claimed_act(one.envelope) for one in work.tx.find(CasePaper, case=row.id, kind=HEARD))
    return sum(one.by == by and one.n > entered for one in heard)


def _state(work: Deed, row: CaseRow, keys: Keys) -> State:
    state = replica_of(work.tx, row, keys).state
    assert state is not None, "a case is kept from its first entry on"
    return state


def _others(work: Deed, state: State) -> list[str]:
    """Everybody who is sent what happens: who takes part, who did from the beginning, and the convener; but not us."""
    every = {*state.participants, *state.charter.participants, state.convener} - {work.node.party}
    return [row.id for row in work.tx.find(Party) if row.id in every]


def _for(table: Table, state: State, act: Act, party: str) -> bool:
    """Whether the content of an act is for a party: everybody's, or of those whom it concerns."""
    kind = table.acts.get(act.type)
    if kind is None or kind.content == "all":
        return True
    return party in {act.by, state.convener, state.text_by, act.open.get("party")}


# ---------------------------------------------------------------- ordering, where we convene


def _enter(work: Deed, row: CaseRow, keys: Keys) -> None:
    """Enter every act that was heard and can be entered, and tell everybody."""
    ledger = ledger_of(work.tx, row, keys)
    heard = [one.envelope for one in work.tx.find(CasePaper, case=row.id, kind=HEARD, order=("n",))]
    entered = {claimed_act(claimed_entry(one).act).digest for one in ledger.entries}
    ledger = replace(ledger, waiting={})
    for envelope in heard:
        if claimed_act(envelope).digest in entered:
            continue
        before = ledger.state.participants
        try:
            taken = convener.take(ledger, envelope, work.at, work.node.keys.node, keys)
        except InputRefused:
            continue  # another act with a number that is taken: its author's own copy shows both
        _publish(work, row, ledger, taken, before)
        ledger = taken.ledger
    _note(work, row, ledger.state)


def _publish(work: Deed, row: CaseRow, before: Ledger, taken: convener.Taken, participants: Sequence[str]) -> None:
    if not taken.entries:
        return
    known = len(before.entries)
    work.tx.add(CaseEntry(row.id, known + n, one, work.at) for n, one in enumerate(taken.entries))
    keep_papers(work, row, PROMISE, taken.promises, work.at)
    papers = [{"kind": "promise", "envelope": one.decode()} for one in taken.promises]
    papers += [{"kind": "entry", "envelope": one.decode()} for one in taken.entries]
    state = taken.ledger.state
    for party in _others(work, state):
        if party in participants or party == state.convener or party not in state.participants:
            _send(work, row, party, papers)
        else:  # who was admitted by one of these gets all of it
            for about in (work.node.party, *state.participants):
                if about != party:
                    send_cards(work, about, party)
            _invite(work, row, taken.ledger, party)


def _note(work: Deed, row: CaseRow, state: State) -> None:
    role = CONVENER if state.convener == work.node.party else PARTICIPANT
    work.tx.put(replace(row, role=role, due=work.at + EVERY, outcome=state.outcome))


def tend(work: Deed) -> None:
    """Look at every case whose time has come, and do what the state table leaves to a node by itself."""
    for row in [row for row in work.tx.find(CaseRow, outcome=None, order=("due",)) if row.due <= work.at]:
        _by_itself(work, row)


def _by_itself(work: Deed, row: CaseRow) -> None:
    """Do what needs no officer for as long as something counts: a trustee's word and share, and where we convene, acts."""
    keys = keys_known(work.tx)
    for _ in range(MOST_BY_ITSELF):
        state = replica_of(work.tx, row, keys).state
        if state is None:
            return
        did = state.outcome is None and (
            _positions_by_itself(work, row, state, keys)
            or (state.convener == work.node.party and _one_by_itself(work, row, state))
        )
        if not did:
            _note(work, row, state)
            return


def _positions_by_itself(work: Deed, row: CaseRow, state: State, keys: Keys) -> bool:
    """Say which shares we hold, release those that are due, and where we convene open what enough of them open."""
    if OPEN_OTHER not in table_of(row.table).acts:
        return False
    try:
        found = positions_of(work.tx, row, state, keys, work.at)
    except NotFound:
        return False
    told = [(HOLDING, one) for one in holdings_to_tell(work, row, found, keys)]
    told += [(SHARE, one) for one in shares_to_release(work, row, found, keys)]
    for kind, paper in told:
        keep_papers(work, row, kind, [paper], work.at)
    if told:
        papers = [{"kind": kind, "envelope": paper.decode()} for kind, paper in told]
        for party in _others(work, state):
            _send(work, row, party, papers)
        found = positions_of(work.tx, row, state, keys, work.at)
    if state.convener != work.node.party:
        return False
    for shown in found.table(work.at):
        if shown.state == "opened-by-trustees" and shown.opened is not None:
            public = {"text": state.text, "party": shown.author}
            wanted = _wanted(work, row, state, OPEN_OTHER, public)
            if not isinstance(judge(table_of(row.table), state, wanted, work.at, frozenset({state.convener})), Refused):
                content = {"position": shown.opened.position, "by": list(shown.opened.by)}
                act(work, row, OPEN_OTHER, public, content, officer="")
                return True
    return False


def _wanted(work: Deed, row: CaseRow, state: State, name: str, public: Mapping[str, Any]) -> Act:
    """An act of ours that needs no officer, as it would be, to see whether it counts."""
    n = state.counts.get(work.node.party, 0) + 1
    return Act(row.id, work.node.party, n, name, public, "0" * 64, None, work.at)


def _one_by_itself(work: Deed, row: CaseRow, state: State) -> bool:
    table = table_of(row.table)
    for name in table.acts_in(state.name):
        kind = table.acts[name]
        needed = {word for word, form in kind.open.items() if not form.endswith("?")}
        if kind.officer or kind.seat or kind.by not in ("any", "convener") or not needed <= {"text"}:
            continue
        public = {"text": state.text} if "text" in needed else {}
        if "text" in needed and state.text is None:
            continue
        wanted = _wanted(work, row, state, name, public)
        if not isinstance(judge(table, state, wanted, work.at, frozenset({state.convener})), Refused):
            act(work, row, name, public, {}, officer="")
            return True
    return False


# ---------------------------------------------------------------- taking


def take_case(work: Deed, peer: str, paper: bytes) -> None:
    """Take what another party sends of a case.

    Raises:
        InputRefused: `case-paper` for what has no form; `no-such-case` where it does not begin at its beginning; what the papers
            themselves raise. SealBroken: where one is not signed by whom it names.
    """
    try:
        body = msgspec.json.decode(paper)
        case, papers = str(body["case"]), list(body["papers"])
    except (msgspec.DecodeError, KeyError, TypeError) as broken:
        raise InputRefused("case-paper", "This is no paper of a case.") from broken
    keys = keys_known(work.tx)
    row = work.tx.get(CaseRow, case) or _new(work, peer, case, body, keys)
    before = replica = replica_of(work.tx, row, keys)
    for one in papers:
        replica = _take(work, row, replica, one, keys)
    keep_replica(work, row, before, replica)
    if replica.state is not None:
        _note(work, row, replica.state)
        row = work.tx.get(CaseRow, row.id) or row
        if replica.state.convener == work.node.party:
            _enter(work, row, keys)
        _enter_drafts(work, row, keys)
        _by_itself(work, work.tx.get(CaseRow, row.id) or row)


def _new(work: Deed, peer: str, case: str, body: Mapping[str, Any], keys: Keys) -> CaseRow:
    if "table" not in body:
        raise InputRefused(
            "no-such-case", "The paper belongs to a case that is not known here; ask its convener for the beginning."
        )
    table = canonical(body["table"])
    first = next((str(one["envelope"]).encode() for one in body["papers"] if one.get("kind") == "entry"), b"")
    opened = claimed_entry(first)
    act = open_act(opened.act, dict(keys.get(opened.convener, {})))
    charter = read_charter(act, table_of(table))
    ours = work.node.party in charter.participants and peer == charter.convener
    if procedure_id(act) != case or not (ours or _admits(body["papers"], work.node.party)):
        raise InputRefused("case-paper", "This case is not one that its convener opened with us.")
    running = [row.id for row in work.tx.find(CaseRow, outcome=None) if row.role == PARTICIPANT]
    if len(running) >= MOST_CASES and sum(_convener(work.tx, one) == opened.convener for one in running) >= MOST_CASES:
        raise InputRefused("case-paper", f"{MOST_CASES} cases of this convener run here; end some of them first.")
    title = body.get("title")
    row = CaseRow(case, str(title)[:200] if title else case, table, PARTICIPANT, work.at, work.at + EVERY, None)
    work.tx.add([row])
    return row


def _convener(tx: Reading, case: str) -> str | None:
    """Who opened a case that is kept here."""
    first = next(iter(tx.find(CaseEntry, case=case, order=("seq",), limit=1)), None)
    return None if first is None else claimed_entry(first.envelope).convener


def _admits(papers: Sequence[Mapping[str, Any]], party: str) -> bool:
    """Whether an entry among these lets a party take part; that it follows is checked when it is taken."""
    entries = (claimed_entry(str(one["envelope"]).encode()) for one in papers if one.get("kind") == "entry")
    return any(["admit", party] == list(op)[:2] for one in entries for op in one.effect)


def _take(work: Deed, row: CaseRow, replica: Replica, one: Mapping[str, Any], keys: Keys) -> Replica:
    kind = one.get("kind")
    if kind == "content":
        envelope = str(one["act"]).encode()
        found = claimed_act(envelope)
        salt = bytes.fromhex(str(one["salt"]))
        check_content(found, salt, one.get("content"))
        _keep_content(work, row, Content(envelope, salt, one.get("content")))
        return replica if found.type == CONVENE else copies.hear(replica, envelope, work.at, keys)
    envelope = str(one.get("envelope")).encode()
    match kind:
        case "act":
            return copies.hear(replica, envelope, work.at, keys)
        case "entry":
            return copies.take_entry(replica, envelope, work.at, keys)
        case "promise":
            return copies.take_promise(replica, envelope, keys)
        case "standing":
            return copies.take_standing(replica, envelope, keys)
        case "deal" | "holding" | "share":
            keep_papers(work, row, str(kind), [envelope], work.at)
            return replica
        case "draft":
            check_draft(replica.state, envelope, keys)
            keep_papers(work, row, DRAFT, [envelope], work.at)
            return replica
        case _:
            raise InputRefused("case-paper", f"A case has no paper of the kind {str(kind)[:40]!r}.")


# ---------------------------------------------------------------- what several sign: a removal, a handing over, an election


def check_draft(state: State | None, envelope: bytes, keys: Keys) -> Entry:
    """The entry that somebody asks us to sign too, if it would be the next one.

    Raises:
        InputRefused: `case-draft`. SealBroken: as `open_entry`.
    """
    entry, _ = open_entry(envelope, keys)
    if state is None or (entry.procedure, entry.seq, entry.previous) != (state.procedure, state.seq + 1, state.head):
        raise InputRefused("case-draft", "The draft does not follow what stands here; sync, and ask for a new one.")
    return entry


def propose(work: Deed, row: CaseRow, kind: str, public: Mapping[str, Any], *, officer: str, reason: str = "") -> bytes:
    """Draft the entry of an act that others have to sign too, sign it, and ask them.

    Raises:
        NotAllowed: the code ``step-...`` with which it would be refused even with everybody's signature.
    """
    keys = keys_known(work.tx)
    state, table, us = _state(work, row, keys), table_of(row.table), work.node.party
    made = _signed(work, row.id, state.counts.get(us, 0) + 1, kind, public, {}, officer, reason)
    everybody = frozenset({*state.participants, state.convener, us})
    elects = any(step.word == "elect" for one in table.rows_of(state.name, kind) for step in one.effects)
    entry = convener.draft(
        table, state, made.act, work.at, everybody, origin=log_facts(work.tx).origin if elects else None
    )
    if entry.refused is not None:
        raise NotAllowed(*entry.refused)
    _keep_content(work, row, made)
    envelope = sign_entry(entry, [work.node.keys.node])
    keep_papers(work, row, DRAFT, [envelope], work.at)
    for party in _others(work, state):
        _send(work, row, party, [made.paper(), {"kind": DRAFT, "envelope": envelope.decode()}])
    return envelope


def drafts_of(tx: Reading, row: CaseRow, keys: Keys) -> list[tuple[Entry, bytes, frozenset[str]]]:
    """The drafts that would be the next entry, each once with every signature that came: entry, envelope, signers."""
    state = replica_of(tx, row, keys).state
    found: dict[str, bytes] = {}
    for paper in tx.find(CasePaper, case=row.id, kind=DRAFT, order=("n",)):
        try:
            entry = check_draft(state, paper.envelope, keys)
        except ComityError:
            continue
        found[entry.digest] = _together(found.get(entry.digest), paper.envelope)
    return [(entry, one, signers) for one in found.values() for entry, signers in [open_entry(one, keys)]]


def _together(one: bytes | None, other: bytes) -> bytes:
    if one is None:
        return other
    first, second = msgspec.json.decode(one), msgspec.json.decode(other)
    held = {signature["keyid"] for signature in first["signatures"]}
    first["signatures"] += [signature for signature in second["signatures"] if signature["keyid"] not in held]
    return canonical(first)


def support(work: Deed, row: CaseRow, digest: str, *, officer: str, reason: str = "") -> bytes:
    """Sign a draft too, and send it on; whoever orders the ledger enters it once enough have signed.

    Raises:
        NotFound: `case-draft` where no draft of this digest would be the next entry.
    """
    keys = keys_known(work.tx)
    for entry, envelope, _ in drafts_of(work.tx, row, keys):
        if entry.digest.startswith(digest):
            signed = dsse.countersign(envelope, ENTRY, work.node.keys.node)
            keep_papers(work, row, DRAFT, [signed], work.at)
            for party in _others(work, _state(work, row, keys)):
                _send(work, row, party, [{"kind": DRAFT, "envelope": signed.decode()}])
            record(work, "handle", "", {"target": row.id, "supports": entry.digest}, officers=[officer], reason=reason)
            _enter_drafts(work, row, keys)
            return signed
    raise NotFound("case-draft", "There is no such draft, or what stands in the case has changed since; look again.")


def _enter_drafts(work: Deed, row: CaseRow, keys: Keys) -> bool:
    """Enter a draft that enough have signed, where it is ours to enter: as the convener, or as who is elected."""
    us = work.node.party
    for entry, envelope, _ in drafts_of(work.tx, row, keys):
        if entry.convener != us:
            continue
        before = replica_of(work.tx, row, keys)
        assert before.state is not None, "a draft follows something"
        try:
            follow(before.table, before.state, envelope, keys)
        except ComityError:
            continue  # not enough have signed yet
        after = copies.take_entry(before, envelope, work.at, keys)
        keep_replica(work, row, before, after)
        assert after.state is not None, "it follows"
        for party in sorted({*_others(work, before.state), *_others(work, after.state)}):
            _send(work, row, party, [{"kind": "entry", "envelope": envelope.decode()}])
        _note(work, row, after.state)
        return True
    return False
