"""The node itself and those it knows: settings, officers, readers, the audit, parties, cards, agreements and their papers.

Two notes of one deed are held against each other: what an audit row says was done, and what the deed left behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

import msgspec

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import parse
from comity.kernel.release import jsonform
from comity.kernel.release.instruments import OPENERS, open_epoch, open_renewal
from comity.kernel.release.life import check_epoch
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.rows import (
    ActRow,
    AgreementRow,
    Answer,
    Approval,
    Attachment,
    Audit,
    Batch,
    CardRow,
    CheckpointRow,
    ControlRow,
    Evidence,
    HandlingRow,
    Holding,
    Instrument,
    MandateRow,
    Officer,
    Party,
    Publication,
    Reader,
    Setting,
    StreamRow,
    Version,
)
from comity.kernel.tlog.acts import act_digest
from comity.kernel.tlog.checkpoint import origin, parse_origin
from comity.kernel.tlog.rows import Row, page_root
from comity.node.agreements import parties_of, read_form, state_of
from comity.node.context import read_setting
from comity.node.examining.look import Finding, Look, same_json, short
from comity.node.officers import ROLES
from comity.node.parties import NO_NODE, card_of, verification
from comity.node.record import log_facts

Check = Callable[[Look, str, Any], Iterator[str]]

_WORD: Final = re.compile(r"[a-z]+(?:-[a-z]+)*", re.ASCII)


# --- settings


def settings(look: Look) -> Iterator[Finding]:
    """`setting`: each name is one that is written, and its value agrees with the rows it speaks of."""

    def check(row: Setting) -> Iterator[str]:
        value = same_json(row.value)
        name, _, rest = row.name.partition("/")
        examined = SETTINGS.get(name)
        if examined is None:
            yield f"The setting {row.name!r} is none that this release writes."
            return
        for fault in examined(look, rest, value):
            yield f"The setting {row.name!r} {fault}"

    rows = look.tx.find(Setting)
    yield from look.each(rows, lambda row: row.name, lambda row: f"The setting {row.name!r}", check)
    for name in ("party", "clock", "advanced", "log", "log-size"):
        if look.tx.get(Setting, name) is None:
            yield Finding(name, f"The setting {name!r} is missing.")


def _party(look: Look, _: str, value: Any) -> Iterator[str]:
    if value != look.node.party:
        yield "names another party than the one whose keys are in this folder."


def _clock(look: Look, _: str, value: Any) -> Iterator[str]:
    newest = max(look.tx.last(Audit, "at") or 0, look.tx.last(ActRow, "at") or 0)
    if value < newest:
        yield "is earlier than what this node has done."


def _advanced(look: Look, _: str, value: Any) -> Iterator[str]:
    if not 0 < value <= look.now:
        yield "is later than the node's clock ever was."


def _mandates_since(look: Look, _: str, value: Any) -> Iterator[str]:
    if not look.noted(value, "mandates-required"):
        yield "says that mandates are required since an instant at which nobody required them."


def _log(look: Look, _: str, value: Any) -> Iterator[str]:
    facts = log_facts(look.tx)
    if facts.origin != origin(look.node.party, facts.incarnation) or facts.period < 1 or facts.origin_at > look.now:
        yield "names a log that is not this node's."
    yield from _begun(look, facts.incarnation, value)


def _begun(look: Look, life: int, value: Mapping[str, Any]) -> Iterator[str]:
    """When a log began and how long a tick lasts: in the first life our card says so, in later ones the word of the restore."""
    card = look.card(look.node.party)
    said = dict(card.extra).get("log") if card is not None and life == 1 else None
    if said is not None and (said["origin_at"], said["period"]) != (value["origin_at"], value["period"]):
        yield "says another beginning of the log than our card."
    for paper in (msgspec.json.decode(row.body) for row in _restores(look)) if life > 1 else ():
        told = msgspec.json.decode(paper["paper"])
        if told["next"] == origin(look.node.party, life) and (parse(told["origin_at"]), told["period"]) != (
            value["origin_at"],
            value["period"],
        ):
            yield "says another beginning of the log than the word of the restore."


def _restores(look: Look) -> Iterator[ControlRow]:
    return (row for party in look.tx.find(Party) for row in look.tx.find(ControlRow, party=party.id, kind="restore"))


def _log_size(look: Look, _: str, value: Any) -> Iterator[str]:
    newest = next(iter(look.tx.find(CheckpointRow, origin=log_facts(look.tx).origin, reverse=True, limit=1)), None)
    if value != (0 if newest is None else newest.size):
        yield "is not the size that the newest checkpoint says."


def _closed(look: Look, name: str, value: Any) -> Iterator[str]:
    party, life = parse_origin(name)
    newest = next(iter(look.tx.find(CheckpointRow, origin=name, reverse=True, limit=1)), None)
    if party != look.node.party or life >= log_facts(look.tx).incarnation:
        yield "is of a log that this node did not end."
    if value["size"] != (0 if newest is None else newest.size) or not value["origin_at"] <= value["at"] <= look.now:
        yield "does not say how the ended log ended."
    yield from _begun(look, life, value)


def _unaligned(look: Look, party: str, value: Any) -> Iterator[str]:
    tx = look.tx
    ends = (tx.last(ControlRow, "n", party=party) or 0, tx.last(StreamRow, "n", party=party) or 0)
    if not look.knows(party) or not 0 <= value["control"] <= ends[0] or not 0 <= value["objects"] <= ends[1]:
        yield "says more rows than there are."


def _aligned(look: Look, party: str, value: Any) -> Iterator[str]:
    ours = value == log_facts(look.tx).origin or look.tx.get(Setting, f"closed/{value}") is not None
    if not look.knows(party) or not ours:
        yield "names no life of this node's log."


def _reached(look: Look, party: str, value: Any) -> Iterator[str]:
    if not look.knows(party) or not 0 <= value <= (look.tx.last(StreamRow, "n", party=party) or 0):
        yield "says more rows than there are."


def _life(look: Look, party: str, value: Any) -> Iterator[str]:
    lives = [parse_origin(one)[1] for one in _setting(look, f"origins/{party}", [])]
    if not look.knows(party) or value < max(lives, default=1):
        yield "is an earlier life of that party's log than the one its checkpoints show."


def _gap(look: Look, name: str, value: Any) -> Iterator[str]:
    if not look.knows(parse_origin(name)[0]) or not 0 <= value["first"] <= value["end"]:
        yield "is no gap in the log of a party that is known."


def _log_of(look: Look, name: str, value: Any) -> Iterator[str]:
    if not look.knows(parse_origin(name)[0]) or value["period"] < 1 or value["origin_at"] < 0:
        yield "is no beginning of the log of a party that is known."


def _known(look: Look, party: str, value: Any) -> Iterator[str]:
    row = look.tx.get(CheckpointRow, value["origin"], value["size"])
    if not look.knows(party) or row is None or row.party != look.node.party:
        yield "names a checkpoint of ours that was never signed."


def _shown(look: Look, party: str, value: Any) -> Iterator[str]:
    if parse_origin(value["origin"])[0] != party or not look.knows(party) or value["size"] < 0 or value["at"] < 0:
        yield "is not of that party's log."


def _origins(look: Look, party: str, value: Any) -> Iterator[str]:
    lives = [parse_origin(one) for one in value]
    if any(one != party for one, _ in lives) or [life for _, life in lives] != sorted({life for _, life in lives}):
        yield "names logs of another party, or one twice."
    for one in value:
        if next(iter(look.tx.find(CheckpointRow, origin=one, limit=1)), None) is None:
            yield f"names {one}, of which no checkpoint is kept."


def _asked(look: Look, party: str, value: Any) -> Iterator[str]:
    if not look.knows(party) or [type(one) for one in value] != [int] * 3:
        yield "is no place in a log."


def _page(look: Look, delivery: str, value: Any) -> Iterator[str]:
    envelope = value["act"].encode()
    answer = look.tx.get(Answer, delivery)
    if answer is None or act_digest(envelope) != delivery or len(bytes.fromhex(value["salt"])) != 16:
        yield "is of a delivery that was not answered."
        return
    act = look.act(envelope, answer.party)
    rows = [
        Row(value["first"] + place, digest, *value["kinds"][kind]) for place, (digest, kind) in enumerate(value["rows"])
    ]
    if (act.kind, act.to) != ("deliver", look.node.party) or act.body.get("page") != page_root(
        rows, bytes.fromhex(value["secret"])
    ).hex():
        yield "has not the rows that the delivery commits to."


def _receipt(look: Look, name: str, value: Any) -> Iterator[str]:
    delivery, _, log = name.partition("/")
    act = look.act(value.encode(), parse_origin(log)[0])
    if (act.kind, act.to, act.origin, act.body["delivery"]) != ("receive", look.node.party, log, delivery):
        yield "is no receipt for that delivery."


def _number(look: Look, _: str, value: Any) -> Iterator[str]:
    if type(value) is not int or value < 0:
        yield "is no number."


def _own_enrolled(look: Look, _: str, value: Any) -> Iterator[str]:
    if not 0 <= value <= (look.tx.last(Holding, "h", custodian=look.node.party) or 0):
        yield "is beyond the last object that was taken in."


def _working(look: Look, _: str, value: Any) -> Iterator[str]:
    if type(value["worker"]) is not str or value["until"] < 0:
        yield "names nobody who could be at work."


def _titles(look: Look, number: str, value: Any) -> Iterator[str]:
    """The titles that gave to a party when its stream was last looked at as a whole."""
    if not look.knows(number):
        yield "is about a party that is not known here."
    if not isinstance(value, list) or sorted(set(value)) != value:
        yield "is no list of titles."
    elif any(look.tx.get(AgreementRow, title.partition("#")[0]) is None for title in value):
        yield "names a title under no agreement that is kept here."


def _notice(look: Look, number: str, value: Any) -> Iterator[str]:
    """A notice to a person of ours that something waits: numbered, dated, and about something that is held here."""
    if int(number) < 1 or value["told"] < 0 or not 0 < value["at"] <= look.now:
        yield "is no notice that was ever due."
    if next(iter(look.tx.find(Version, id=value["subject"], limit=1)), None) is None:
        yield "tells of an object that was never held here."


def _counts(look: Look, party: str, value: Any) -> Iterator[str]:
    if not look.knows(party) or any(type(one) is not int for one in value.values()):
        yield "counts nothing of a party that is known."


def _questions(look: Look, _: str, value: Any) -> Iterator[str]:
    if not all(type(times) is int and times > 0 and 0 < at <= look.now for at, times in value.values()):
        yield "says that something was asked at an instant that has not come yet."


def _text(look: Look, _: str, value: Any) -> Iterator[str]:
    if type(value) is not str:
        yield "is no cursor."


def _setting(look: Look, name: str, default: Any) -> Any:
    row = look.tx.get(Setting, name)
    return default if row is None else msgspec.json.decode(row.value)


SETTINGS: Final[Mapping[str, Check]] = {
    "party": _party,
    "clock": _clock,
    "advanced": _advanced,
    "log": lambda look, rest, value: _log_of(look, rest, value) if rest else _log(look, rest, value),
    "log-size": _log_size,
    "closed": _closed,
    "unaligned": _unaligned,
    "aligned": _aligned,
    "reached": _reached,
    "life": _life,
    "gap": _gap,
    "known": _known,
    "shown": _shown,
    "origins": _origins,
    "asked": _asked,
    "page": _page,
    "receipt": _receipt,
    "pack": _number,
    "owed": _number,
    "own-enrolled": _own_enrolled,
    "quota": _counts,
    "used": _counts,
    "mandates-since": _mandates_since,
    "turn": _number,
    "able": _titles,
    "catching-up": _working,
    "taxii": _text,
    "pushed": _text,
    "notice": _notice,
    "case-asked": _questions,
}
"""The settings there are, by what stands before the first slash of their names."""


# --- officers, readers, the audit


def officers(look: Look) -> Iterator[Finding]:
    """`officer`: as the audit says the officer was added and ended; roles are known ones, tokens hashes."""

    def check(row: Officer) -> Iterator[str]:
        said = f"Officer {row.name} ({row.id})"
        added = {"officer": row.id, "name": row.name, "roles": row.roles}
        if not any({**one, "by": ""} == {**added, "by": ""} for one in look.noted(row.since, "officer-add")):
            yield f"{said} is not as the audit says the officer was added."
        if row.ended is not None and not any(one["officer"] == row.id for one in look.noted(row.ended, "officer-end")):
            yield f"{said} is said to have ended when nobody ended the officer."
        if len(bytes.fromhex(row.token)) != 32 or set(row.roles.split()) - set(ROLES):
            yield f"{said} has a token or a role that cannot be."

    yield from look.each(look.tx.find(Officer), lambda row: row.id, lambda row: f"Officer {row.id}", check)


def readers(look: Look) -> Iterator[Finding]:
    """`reader`: as the audit says the reader was added; tokens are hashes."""

    def check(row: Reader) -> Iterator[str]:
        said = f"The reader {row.name} of {row.party}"
        noted = look.noted(row.since, "reader-add")
        if not any((one["party"], one["name"]) == (row.party, row.name) for one in noted):
            yield f"{said} is not as the audit says it was added."
        if row.ended is not None and not any(one["party"] == row.party for one in look.noted(row.ended, "reader-end")):
            yield f"{said} is said to have ended when nobody ended it."
        if len(bytes.fromhex(row.token)) != 32:
            yield f"{said} has a token that cannot be."

    def said(row: Reader) -> str:
        return f"The reader {row.name} of {row.party}"

    yield from look.each(look.tx.find(Reader), lambda row: row.party, said, check)


def audit(look: Look) -> Iterator[Finding]:
    """`audit`: numbered without gaps, dated in order, each row in its one form; what it says was left behind is there."""
    last = place = 0

    def check(row: Audit) -> Iterator[str]:
        nonlocal last, place
        place += 1
        if row.n != place or not last <= row.at <= look.now:
            yield f"Row {row.n} of the audit is not in its order; one may be missing."
        last, place = max(last, min(row.at, look.now)), row.n
        left = LEFT.get(row.deed)
        detail = same_json(row.detail)
        if not _WORD.fullmatch(row.deed) or (row.n == 1 and row.deed != "init"):
            yield f"Row {row.n} of the audit tells of {row.deed!r}, which is no word for a deed."
        if left is not None and not left(look, row, detail):
            yield f"Row {row.n} of the audit tells of a deed ({row.deed}) that left nothing behind."
        party = detail.get("party")
        if isinstance(party, str) and not look.knows(party):
            yield f"Row {row.n} of the audit names a party that is not known."

    yield from look.each(
        look.tx.find(Audit), lambda row: f"audit {row.n}", lambda row: f"Row {row.n} of the audit", check
    )


def _paper(kind: str) -> Callable[[Look, Audit, Any], bool]:
    def left(look: Look, row: Audit, said: Any) -> bool:
        papers = look.tx.find(Instrument, agreement=said["agreement"], kind=kind)
        return any(paper.at == row.at and paper.party in (look.node.party, "") for paper in papers)

    return left


def _epoch_left(look: Look, row: Audit, said: Any) -> bool:
    kinds = ("epoch", "epoch-draft")
    papers = [paper for kind in kinds for paper in look.tx.find(Instrument, agreement=said["agreement"], kind=kind)]
    return any(paper.number == said["number"] and paper.at <= row.at for paper in papers)


LEFT: Final[Mapping[str, Callable[[Look, Audit, Any], bool]]] = {
    "init": lambda look, row, said: look.tx.get(CardRow, said["party"], 1) is not None,
    "officer-add": lambda look, row, said: getattr(look.tx.get(Officer, said["officer"]), "since", None) == row.at,
    "officer-end": lambda look, row, said: getattr(look.tx.get(Officer, said["officer"]), "ended", None) == row.at,
    "reader-add": lambda look, row, said: any(
        (one.name, one.since) == (said["name"], row.at) for one in look.tx.find(Reader, party=said["party"])
    ),
    "party-add": lambda look, row, said: look.tx.get(Party, said["party"]) is not None,
    "card-add": lambda look, row, said: look.tx.get(CardRow, said["party"], said["serial"]) is not None,
    "card-set": lambda look, row, said: (
        getattr(look.tx.get(CardRow, look.node.party, said["serial"]), "at", None) == row.at
    ),
    "card-rotate": lambda look, row, said: (
        getattr(look.tx.get(CardRow, look.node.party, said["serial"]), "at", None) == row.at
    ),
    "card-verify": lambda look, row, said: getattr(look.tx.get(Party, said["party"]), "verified", None) is not None,
    "import": lambda look, row, said: any(
        (one.done, one.touched) == (1, row.at) for one in look.tx.find(Batch, b=said["batch"])
    ),
    "handling-set": lambda look, row, said: any(
        one.at == row.at for one in look.tx.find(HandlingRow, target=said["target"])
    ),
    "attachment-add": lambda look, row, said: look.tx.get(Attachment, said["object"], said["file"]) is not None,
    "attachment-fetch": lambda look, row, said: look.tx.get(Attachment, said["object"], said["file"]) is not None,
    "release-approve": lambda look, row, said: any(
        (one.at, one.title, one.officer) == (row.at, said["title"], row.officer)
        for one in look.tx.find(Approval, object=said["object"], party=said["party"])
    ),
    "agreement-receive": lambda look, row, said: look.tx.get(AgreementRow, said["agreement"]) is not None,
    "agreement-send": lambda look, row, said: look.tx.get(AgreementRow, said["agreement"]) is not None,
    "agreement-epoch": _epoch_left,
    "agreement-signature": _paper("signature"),
    "agreement-accession": _paper("accession"),
    "agreement-suspension": _paper("suspension"),
    "agreement-withdrawal": _paper("withdrawal"),
    "publication": lambda look, row, said: any(True for _ in look.tx.find(Publication, id=said["object"])),
    "publish": lambda look, row, said: getattr(look.tx.get(ActRow, said["act"]), "at", None) == row.at,
    "mandate": lambda look, row, said: (
        getattr(look.tx.get(MandateRow, said["mandate"]), "digest", None) == said["digest"]
    ),
    "mandates-required": lambda look, row, said: read_setting(look.tx, "mandates-since") == said["since"],
    "evidence": lambda look, row, said: getattr(look.tx.get(Evidence, said["digest"]), "at", None) == row.at,
}
"""What is there after a deed that the audit tells of; of all other deeds the audit alone tells."""


# --- parties and cards


def parties(look: Look) -> Iterator[Finding]:
    """`party`: what is noted is what the newest card says; how it was verified is what the audit says."""

    def check(row: Party) -> Iterator[str]:
        card = look.card(row.id)
        newest = look.tx.get(CardRow, row.id, row.serial)
        kept = b"" if newest is None else newest.envelope
        said = None if card is None else (card.name, card.kind, card.country, card.fingerprint, card.serial)
        noted = (row.name, row.kind, row.country, row.fingerprint, row.serial)
        if row.card != kept or (said is not None and said != noted) or (said is None and noted[3:] != ("", 0)):
            yield f"What is noted about {row.name} is not what its newest card says."
        how = verification(row)
        if how is None:
            return
        if row.id == look.node.party:
            told = how.method == "our own key" and newest is not None and newest.at == how.at
        elif how.method == NO_NODE:
            told = any(
                (one["party"], one["by"]) == (row.id, how.officer) and (row.card or one["name"] == row.name)
                for one in look.noted(how.at, "party-add")
            )
        else:
            told = any(
                (one["party"], one["method"], one["by"]) == (row.id, how.method, how.officer)
                for one in look.noted(how.at, "card-verify")
            )
        if not told:
            yield f"How {row.name} was verified is not what the audit says."

    yield from look.each(look.tx.find(Party), lambda row: row.id, lambda row: f"The party {row.id}", check)


def cards(look: Look) -> Iterator[Finding]:
    """`card`: the cards of each party form a chain from the first on, and were kept when the audit says so."""
    last: CardRow | None = None

    def check(row: CardRow) -> Iterator[str]:
        nonlocal last
        body, _ = unverified_body(row.envelope, "card")
        if look.tx.get(Party, row.party) is None:
            yield f"A card of {row.party} is kept, but the party is not known."
        if (body.get("party"), body.get("serial")) != (row.party, row.serial):
            yield f"A card of {row.party} is filed as number {row.serial}, which it is not."
        if row.party == look.node.party:
            told = parse(str(body["at"])) == row.at
        else:
            told = any(one["party"] == row.party for one in look.noted(row.at, "card-add"))
        if not told:
            yield f"Card {row.serial} of {row.party} was kept at another instant than is noted."

    def said(row: CardRow) -> str:
        return f"Card {row.serial} of {row.party}"

    yield from look.each(look.tx.find(CardRow), lambda row: row.party, said, check)
    for party in look.tx.find(Party):

        def chain(row: Party) -> Iterator[str]:
            card_of(look.tx, row.id)
            yield from ()

        yield from look.one(party, party.id, f"The chain of the cards kept of {party.name}", chain)


# --- agreements and the papers of their lives


def agreements(look: Look) -> Iterator[Finding]:
    """`agreement`: the digest is that of its form, whose texts and data agree; its papers make a life that can be read."""

    def check(row: AgreementRow) -> Iterator[str]:
        said = f"The agreement {short(row.digest)}"
        agreement = read_form(row.form)
        if sha256(row.form).hexdigest() != row.digest or jsonform.digest(agreement) != row.digest:
            yield f"{said} is not the one its digest names."
        if row.title != (agreement.title.get("en") or next(iter(agreement.title.values()))):
            yield f"{said} has another title than is noted."
        if not any(one["agreement"] == row.digest for one in look.noted(row.at, "agreement-receive")):
            yield f"{said} came at another instant than is noted."
        state_of(look.tx, row)

    yield from look.each(
        look.tx.find(AgreementRow), lambda row: row.digest, lambda row: f"The agreement {short(row.digest)}", check
    )


def instruments(look: Look) -> Iterator[Finding]:
    """`instrument`: signed by keys its party has or had, about the agreement, party and number it is filed under."""
    keys = {
        use: {row.id: look.ever(row.id, use) for row in look.tx.find(Party) if look.card(row.id) is not None}
        for use in ("identity", "node")
    }

    def check(row: Instrument) -> Iterator[str]:
        said = f"The {row.kind} {short(row.digest)}"
        if sha256(row.envelope).hexdigest() != row.digest:
            yield f"{said} is not the one that was taken in."
        agreement = look.tx.get(AgreementRow, row.agreement)
        if agreement is None:
            yield f"{said} belongs to an agreement that is not here."
            return
        own = False
        if row.kind == "renewal":
            renewal = open_renewal(row.envelope, keys["node"])
            filed = (renewal.by, renewal.at, row.agreement) == (row.party, row.number, row.agreement)
            filed = filed and renewal.by in parties_of(state_of(look.tx, agreement))
            own = renewal.by == look.node.party and renewal.at != row.at
        elif row.kind in ("epoch", "epoch-draft"):
            epoch, signers = open_epoch(row.envelope, keys["identity"])
            filed = ("", epoch.number, epoch.agreement) == (row.party, row.number, row.agreement)
            if filed and row.kind == "epoch" and not _complete(look, row, agreement, epoch, signers):
                yield f"{said} lacks signatures, and is counted."
        else:
            paper = OPENERS[row.kind](row.envelope, keys["identity"])
            filed = (paper.party, 0, paper.agreement) == (row.party, row.number, row.agreement)
            own = paper.party == look.node.party and paper.at != row.at
        if not filed:
            yield f"{said} is filed under another agreement, party or number than it says."
        if own or not agreement.at <= row.at <= look.now:
            yield f"{said} was kept at another instant than is noted."

    def said(row: Instrument) -> str:
        return f"The {row.kind} {short(row.digest)}"

    yield from look.each(look.tx.find(Instrument), lambda row: row.digest, said, check)


def _complete(look: Look, row: Instrument, agreement: AgreementRow, epoch: Any, signers: frozenset[str]) -> bool:
    """Whether an epoch carried what it needs by the papers that were here when it came."""
    state = state_of(look.tx, agreement)
    papers = list(look.tx.find(Instrument, agreement=agreement.digest))
    joining = {
        paper.party: str(unverified_body(paper.envelope, "accession")[0]["kind"])
        for paper in papers
        if paper.kind == "accession"
    }
    left = {paper.party for paper in papers if paper.kind == "withdrawal" and paper.at <= row.at}
    then = replace(
        state,
        epochs=tuple(one for one in state.epochs if one.number < epoch.number),
        withdrawals=tuple(paper for paper in state.withdrawals if paper.party in left),
    )
    for known in (then, replace(then, withdrawals=())):
        try:
            check_epoch(known, epoch, signers, acceding=joining)
        except InputRefused:
            continue
        return True
    return False
