"""The deeds of an agreement's life: propose, send, receive, sign, accede, admit, suspend, withdraw; and taking others' papers.

Whatever comes from elsewhere is verified here, with the keys of the party it names, before it is kept; what a paper changes takes
effect in the same transaction (`resettle`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.kernel.errors import InputRefused, LogFault, NotAllowed, SealBroken
from comity.kernel.model.instants import Instant, duration
from comity.kernel.release import jsonform, tomlform
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.instruments import (
    OPENERS,
    Accession,
    Epoch,
    Signature,
    Suspension,
    Withdrawal,
    open_epoch,
    open_renewal,
    sign,
)
from comity.kernel.release.life import (
    AgreementState,
    check_epoch,
    check_renewal,
    check_suspension,
    check_withdrawal,
    entered_into_force,
    members,
    next_epoch,
)
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.dsse import countersign, unverified_body
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import AgreementRow, Instrument, Party
from comity.kernel.tlog.acts import act_digest, open_act
from comity.kernel.tlog.promises import open_promise
from comity.node.agreements import need_agreement, parties_of, read_form, state_of
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.gossip import keep_promise
from comity.node.papers import hand_over, send_cards
from comity.node.parties import card_of, need_card, node_keys
from comity.node.restoring import note_restore
from comity.node.streams import heed_cards, resettle

PAPERS: Final = frozenset(OPENERS)
_ORDER: Final = ("signature", "accession", "withdrawal", "suspension", "epoch", "epoch-draft", "renewal")


def read_agreement(data: bytes) -> Agreement:
    """An agreement from a file: the TOML an author writes, or the signed form as JSON.

    Raises:
        InputRefused: `agreement-*` naming line and nearest key; `agreement-altered` for a form whose text was changed.
    """
    text = data.lstrip()
    if text.startswith(b"{"):
        try:
            return jsonform.read(msgspec.json.decode(data))
        except msgspec.DecodeError as broken:
            raise InputRefused("agreement-syntax", f"This is not JSON: {broken}.") from broken
    try:
        return tomlform.read(data.decode("utf-8"))
    except UnicodeDecodeError as broken:
        raise InputRefused("agreement-syntax", "An agreement file is UTF-8 text; save it as UTF-8.") from broken


def receive(node: Node, data: bytes, *, by: str = "") -> tuple[AgreementRow, Agreement]:
    """Take an agreement from a file; it is a proposal until all have signed.

    Raises:
        InputRefused: as `read_agreement`.
    """
    agreement = read_agreement(data)
    with deed(node, by) as work:
        return _propose(work, agreement), agreement


def _propose(work: Deed, agreement: Agreement) -> AgreementRow:
    digest = jsonform.digest(agreement)
    row = work.tx.get(AgreementRow, digest)
    if row is None:
        title = agreement.title.get("en") or next(iter(agreement.title.values()))
        row = AgreementRow(digest, title, canonical(jsonform.form(agreement)), work.at)
        work.tx.add([row])
        work.audit("agreement-receive", {"agreement": digest})
    return row


def send(node: Node, text: str, *, officer: str) -> list[str]:
    """Put the agreement into the control streams of its other parties; gives their ids."""
    with deed(node, officer) as work:
        row = need_agreement(work.tx, text)
        others = _others(work, row)
        for party in others:
            _send_agreement(work, row, party, officer)
        work.audit("agreement-send", {"agreement": row.digest, "to": others})
    return others


def _send_agreement(work: Deed, row: AgreementRow, party: str, officer: str) -> None:
    """The agreement with all papers of its life and the cards of who signed them: what a party needs to see where it stands."""
    for member in sorted(parties_of(state_of(work.tx, row)) - {party}):
        send_cards(work, member, party)
    hand_over(work, party, "agreement", row.digest, row.form, officer=officer)
    papers = sorted(
        work.tx.find(Instrument, agreement=row.digest), key=lambda one: (_ORDER.index(one.kind), one.number, one.at)
    )
    renewals = [paper for paper in papers if paper.kind == "renewal"]
    for paper in [paper for paper in papers if paper.kind != "renewal"] + renewals[-1:]:
        kind = paper.kind.removesuffix("-draft")
        hand_over(work, party, kind, row.digest, paper.envelope, officer=officer, passed_on=True)


def _others(work: Deed, row: AgreementRow) -> list[str]:
    every = parties_of(state_of(work.tx, row))
    joining = {paper.party for paper in work.tx.find(Instrument, agreement=row.digest, kind="accession")}
    return sorted((every | joining) - {work.node.party})


def _identity(node: Node) -> SigningKey:
    if node.keys.identity is None:
        raise NotAllowed("identity-offline", "The identity key is not in this folder; sign where it is.")
    return node.keys.identity


def sign_agreement(node: Node, text: str, *, officer: str, reason: str = "") -> AgreementRow:
    """Sign an agreement for our party and send it with the signature to the others, who may not have got it yet.

    Raises:
        NotAllowed: `not-a-party`, `identity-offline`, `already-done`.
    """
    with deed(node, officer) as work:
        row = need_agreement(work.tx, text)
        agreement = read_form(row.form)
        if work.node.party not in {party.id for party in agreement.parties}:
            raise NotAllowed("not-a-party", "We are not among the parties this agreement names; accede to it instead.")
        if any(paper.party == node.party for paper in work.tx.find(Instrument, agreement=row.digest, kind="signature")):
            raise NotAllowed("already-done", "This agreement already carries our signature.")
        for party in _others(work, row):
            hand_over(work, party, "agreement", row.digest, row.form, officer=officer)
        _own(work, row, Signature(row.digest, node.party, work.at), officer, reason)
        _signed_by_all(work, row)
        resettle_for(work, row)
    return row


def _own(work: Deed, row: AgreementRow, paper: Any, officer: str, reason: str = "") -> bytes:
    """Sign a paper with our identity key, keep it and hand it to the others."""
    envelope = sign(paper, [_identity(work.node)])
    _keep(work, paper.KIND, row.digest, work.node.party, getattr(paper, "number", 0), envelope)
    for party in _others(work, row):
        hand_over(work, party, paper.KIND, row.digest, envelope, officer=officer, reason=reason)
    work.audit(f"agreement-{paper.KIND}", {"agreement": row.digest, "reason": reason})
    return envelope


def _pass_on(work: Deed, row: AgreementRow, papers: Iterable[Instrument], officer: str = "") -> None:
    """Hand papers of others to everybody else this agreement names.

    Contacts come in any order. Whoever acts on a paper therefore hands it on first: its control items go before its objects, so
    nobody is given what stands under papers that it was not shown, and the loss of one link holds up nobody else.
    """
    for paper in papers:
        for party in _others(work, row):
            if party != paper.party:
                hand_over(work, party, paper.kind, row.digest, paper.envelope, officer=officer, passed_on=True)


def _signed_by_all(work: Deed, row: AgreementRow) -> None:
    """Where the last signature has just come, pass on those of others: from now on we may give under this agreement."""
    if entered_into_force(state_of(work.tx, row)) is not None:
        signatures = list(work.tx.find(Instrument, agreement=row.digest, kind="signature"))
        _pass_on(work, row, [paper for paper in signatures if paper.party != work.node.party])


def _keep(work: Deed, kind: str, agreement: str, party: str, number: int, envelope: bytes) -> bool:
    digest = sha256(envelope).hexdigest()
    if work.tx.get(Instrument, digest) is not None:
        return False
    work.tx.add([Instrument(digest, kind, agreement, party, number, work.at, envelope)])
    return True


def suspend(
    node: Node, text: str, *, since: Instant | None, until: Instant | None, officer: str, reason: str = ""
) -> AgreementRow:
    """Suspend an agreement for our party from an instant (default: now), until one or without end; again with `until` ends it."""
    with deed(node, officer) as work:
        row = need_agreement(work.tx, text)
        paper = Suspension(row.digest, node.party, work.at, work.at if since is None else since, until)
        check_suspension(state_of(work.tx, row), paper)
        _own(work, row, paper, officer, reason)
        resettle_for(work, row)
    return row


def withdraw(
    node: Node, text: str, *, effective: Instant | None, officer: str, reason: str = ""
) -> tuple[AgreementRow, Instant]:
    """Leave an agreement from an instant on, which the notice it asks for allows; None: as soon as the notice is over.

    Returns:
        The agreement, and the instant from which we are no member.

    Raises:
        InputRefused: `withdrawal-notice`.
    """
    with deed(node, officer) as work:
        row = need_agreement(work.tx, text)
        soonest = work.at + duration(read_form(row.form).life.withdrawal_notice)
        paper = Withdrawal(row.digest, node.party, work.at, soonest if effective is None else max(effective, work.at))
        check_withdrawal(state_of(work.tx, row), paper)
        _own(work, row, paper, officer, reason)
        resettle_for(work, row)
    return row, paper.effective


def accede(node: Node, text: str, *, officer: str, reason: str = "") -> AgreementRow:
    """Ask to join an agreement as it stands; we are a member when an epoch signed by the members names us."""
    with deed(node, officer) as work:
        row = need_agreement(work.tx, text)
        kind = need_card(work.tx, node.party).kind
        _own(work, row, Accession(row.digest, node.party, kind, work.at), officer, reason)
    return row


def change_members(
    node: Node,
    text: str,
    members_now: Iterable[str],
    *,
    officer: str,
    effective: Instant | None = None,
    reason: str = "",
) -> tuple[Epoch, bool]:
    """Sign the epoch that states this membership: begin one as the depositary, or add our signature to the one that waits.

    Returns:
        The epoch, and whether it carries all the signatures it needs.
    """
    wanted = tuple(sorted(set(members_now)))
    with deed(node, officer) as work:
        row = need_agreement(work.tx, text)
        waiting = [
            paper
            for paper in work.tx.find(Instrument, agreement=row.digest, kind="epoch-draft")
            if tuple(unverified_body(paper.envelope, "epoch")[0]["members"]) == wanted
        ]
        if waiting:  # the fullest of them: each who signed handed on a paper of its own
            keys = _identity_keys(work.tx, work.at)
            fullest = max(waiting, key=lambda paper: (len(open_epoch(paper.envelope, keys)[1]), paper.digest))
            envelope = countersign(fullest.envelope, "epoch", _identity(node))
        else:
            epoch = next_epoch(state_of(work.tx, row), wanted, work.at if effective is None else effective)
            envelope = sign(epoch, [_identity(node)])
        _pass_on(work, row, _joining(work.tx, state_of(work.tx, row), wanted), officer)
        epoch, complete = _take_epoch(work, row, envelope, officer)
        for party in sorted({*_others(work, row), *wanted} - {node.party}):
            hand_over(work, party, "epoch", row.digest, envelope, officer=officer, reason=reason)
        work.audit("agreement-epoch", {"agreement": row.digest, "number": epoch.number, "members": list(wanted)})
        if complete:
            resettle_for(work, row)
    return epoch, complete


def admit(node: Node, text: str, party: str, *, officer: str, reason: str = "") -> tuple[Epoch, bool]:
    """Sign the epoch that makes a party a member which has signed its accession."""
    with node.store.read() as tx:
        state = state_of(tx, need_agreement(tx, text))
    present = members(state, node.clock())
    return change_members(node, text, {*present, party}, officer=officer, reason=reason)


def expel(node: Node, text: str, party: str, *, officer: str, reason: str = "") -> tuple[Epoch, bool]:
    """Sign the epoch that leaves a party out."""
    with node.store.read() as tx:
        state = state_of(tx, need_agreement(tx, text))
    present = members(state, node.clock())
    return change_members(node, text, set(present) - {party}, officer=officer, reason=reason)


def _take_epoch(work: Deed, row: AgreementRow, envelope: bytes, officer: str = "") -> tuple[Epoch, bool]:
    """Keep an epoch: complete, or as a draft that waits for signatures; who joins by it gets the papers of ours it needs."""
    state = state_of(work.tx, row)
    before = parties_of(state)
    epoch, signers = open_epoch(envelope, _identity_keys(work.tx, work.at))
    known = {one.digest for one in state.epochs}
    if epoch.digest in known:
        return epoch, True
    try:
        check_epoch(state, epoch, signers, acceding=_acceding(work.tx, row.digest))
    except InputRefused as broken:
        if broken.code != "epoch-signatures":
            raise
        _keep(work, "epoch-draft", row.digest, "", epoch.number, envelope)
        return epoch, False
    _keep(work, "epoch", row.digest, "", epoch.number, envelope)
    if work.node.party in before:
        for party in sorted(set(epoch.members) - before - {work.node.party}):
            _send_agreement(work, row, party, officer)
    return epoch, True


def _joining(tx: Reading, before: AgreementState, members: Iterable[str]) -> list[Instrument]:
    """The accessions on which the next epoch rests; who lacks one cannot take it."""
    new = set(members) - parties_of(before)
    return [one for one in tx.find(Instrument, agreement=before.digest, kind="accession") if one.party in new]


def _acceding(tx: Reading, agreement: str) -> Mapping[str, str]:
    return {
        paper.party: str(unverified_body(paper.envelope, "accession")[0]["kind"])
        for paper in tx.find(Instrument, agreement=agreement, kind="accession")
    }


def _identity_keys(tx: Reading, at: Instant) -> dict[str, dict[str, PublicKey]]:
    """The identity keys, past and present, of every party whose card is known."""
    found: dict[str, dict[str, PublicKey]] = {}
    for row in tx.find(Party):
        card = card_of(tx, row.id)
        if card is not None:
            found[row.id] = {one.key.keyid: one.key for one in card.keys if one.use == "identity" and one.good(at)}
    return found


def take_paper(work: Deed, kind: str, agreement: str, envelope: bytes) -> None:
    """Verify a paper of an agreement's life and keep it; what it changes takes effect at once.

    Raises:
        InputRefused: `no-such-agreement` and what the checks of `life` raise. SealBroken: when it is not by whom it names.
    """
    row = work.tx.get(AgreementRow, agreement)
    if row is None:
        raise InputRefused(
            "no-such-agreement", "The paper belongs to an agreement that is not known here; get that first."
        )
    state = state_of(work.tx, row)
    if kind == "epoch":
        epoch, complete = _take_epoch(work, row, envelope)
        changed = complete and epoch.digest not in {one.digest for one in state.epochs}
        if changed:
            taken = work.tx.find(Instrument, agreement=row.digest, kind="epoch", number=epoch.number)
            _pass_on(work, row, [*_joining(work.tx, state, epoch.members), *taken])
    else:
        changed = _take_single(work, row, state, kind, envelope)
        if changed and kind == "signature":
            _signed_by_all(work, row)
    if changed:
        resettle_for(work, row)


def _take_single(work: Deed, row: AgreementRow, state: AgreementState, kind: str, envelope: bytes) -> bool:
    if kind == "renewal":
        keys = {party: node_keys(work.tx, party, work.at) for party in parties_of(state)}
        renewal = open_renewal(envelope, keys)
        check_renewal(state, renewal)
        return _keep(work, kind, row.digest, renewal.by, renewal.at, envelope)
    paper = OPENERS[kind](envelope, _identity_keys(work.tx, work.at))
    if paper.agreement != row.digest:
        raise InputRefused("epoch-order", "This paper belongs to another agreement; file it there.")
    if kind == "withdrawal":
        check_withdrawal(state, paper)
    elif kind == "suspension":
        check_suspension(state, paper)
    elif kind == "signature":
        if paper.party not in {party.id for party in state.agreement.parties}:
            raise InputRefused("not-a-party", "This signature is by a party the agreement does not name.")
        if any(party == paper.party for party, _ in state.signatures):
            return False
    return _keep(work, kind, row.digest, paper.party, 0, envelope)


def take_control_item(work: Deed, peer: str, kind: str, body: dict[str, Any]) -> LogFault | None:
    """Take one item of a peer's control stream for us: a card, an agreement, or a paper of its life.

    Returns:
        The fault where the promise that came with it convicts the peer; then the evidence is kept and the item is not taken.

    Raises:
        PeerFault: when it does not hold; the caller notes it and goes on.
    """
    if kind == "lost":
        return None  # what the peer gave before it was restored; it does not know any more what it was
    if kind == "card":
        heed_cards(work, [text.encode() for text in msgspec.json.decode(body["paper"])])
        return None
    paper = str(body["paper"]).encode()
    fault = keep_proof(work, peer, body, paper)
    if fault is not None:
        return fault
    if kind == "restore":
        act, _ = unverified_body(str(body["act"]).encode(), "act")
        return note_restore(work, peer, msgspec.json.decode(paper), str(act["origin"]))
    if kind == "agreement":
        _propose(work, jsonform.read(msgspec.json.decode(paper)))
    elif kind in PAPERS:
        take_paper(work, kind, str(body["agreement"]), paper)
    else:
        raise InputRefused(
            "message", f"A control item of the kind {kind[:40]!r} is not known here; it was passed over."
        )
    return None


def keep_proof(work: Deed, peer: str, body: Mapping[str, Any], paper: bytes) -> LogFault | None:
    """The act under which a paper came and its promise, kept as our proof of the deed."""
    envelope = str(body["act"]).encode()
    card = need_card(work.tx, peer)
    every = {one.key.keyid: one.key for one in (*card.keys, *card.retired) if one.use == "node"}
    act = open_act(envelope, every)
    if act.by != peer or act.to != work.node.party or act.body.get("paper") != sha256(paper).hexdigest():
        raise SealBroken("page-not-believed", "The act that came with this paper does not speak of it.")
    logs = {one.key.keyid: one.key for one in (*card.keys, *card.retired) if one.use == "log"}
    promised = str(body["promise"]).encode()
    return keep_promise(work, peer, open_promise(promised, logs), promised, act_digest(envelope))


def take_file(node: Node, data: bytes, *, by: str = "") -> str:
    """Take a paper of an agreement's life from a file carried by hand: {agreement, kind, paper}; gives its kind.

    Raises:
        InputRefused: `paper-file` for what is none.
    """
    try:
        shape = msgspec.json.decode(data)
        kind, agreement, paper = str(shape["kind"]), str(shape["agreement"]), str(shape["paper"]).encode()
    except (msgspec.DecodeError, KeyError, TypeError) as broken:
        raise InputRefused(
            "paper-file", "This is not a paper of an agreement; ask for what comity agreement sign --output writes."
        ) from broken
    with deed(node, by) as work:
        take_paper(work, kind, agreement, paper)
    return kind


def paper_file(tx: Reading, agreement: str, kind: str, party: str) -> bytes:
    """A paper of ours as a file to carry by hand."""
    rows = [row for row in tx.find(Instrument, agreement=agreement, kind=kind) if row.party in (party, "")]
    return canonical({"agreement": agreement, "kind": kind, "paper": rows[-1].envelope.decode()})


def resettle_for(work: Deed, row: AgreementRow) -> None:
    """Bring the streams of everybody this agreement names up to date."""
    resettle(work, _others(work, row))
