"""Proving: the bundle that shows offline who gave which object to whom, under which title, and that it was recorded.

Either side can make it. Who gave has act, page and log at hand. Who received keeps what the page committed to when it takes it
(`keep_page`), and asks the giver's log for the proof of the act once the tick is over (`comity.node.proofs`).

A bundle is verified here before it is handed out, so nothing leaves that would not hold elsewhere (docs/formats/log.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from comity.kernel.errors import NodeDamaged, NotAllowed, NotFound, Usage
from comity.kernel.exchange.messages import Page as DeliveryPage
from comity.kernel.model.instants import format
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import verify_chain
from comity.kernel.seal.seals import claimed_party
from comity.kernel.seal.views import Withheld
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import (
    ActRow,
    AgreementRow,
    CardRow,
    Delivery,
    Holding,
    Instrument,
    PromiseRow,
    Received,
    StreamRow,
    Version,
)
from comity.kernel.tlog.bundle import ProofBundle, verify_bundle
from comity.kernel.tlog.rows import Page, Row, row_proof, row_salt
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.deeds import deed
from comity.node.parties import resolve_party
from comity.node.proofs import promise_for
from comity.node.record import outer_of, promise, proof_of
from comity.node.views import disclosed, show_row


def keep_page(deed: Deed, delivery: str, page: DeliveryPage) -> None:
    """Keep of a page that is being taken what a proof of one of its rows needs later: the act, its salt, the rows' leaves."""
    kinds: dict[bytes, int] = {}
    spelled: dict[tuple[str, str, str], int] = {}  # most rows of a page say the same in the same words
    rows: list[list[Any]] = []
    for item in page.items:
        words = item.view, item.title, repr(item.terms)
        if words not in spelled:
            spelled[words] = kinds.setdefault(canonical([item.view, item.title, dict(item.terms)]), len(kinds))
        rows.append([item.digest or "", spelled[words]])
    shape = {
        "act": page.act.decode(),
        "salt": page.act_salt.hex(),
        "secret": page.secret.hex(),
        "first": page.first,
        "kinds": [msgspec.json.decode(kind) for kind in kinds],
        "rows": rows,
    }
    put_setting(deed.tx, f"page/{delivery}", shape)


def bundle_given(node: Node, object_id: str, party: str) -> bytes:
    """The proof that we gave an object to a party, as its stream stands now.

    Raises:
        NotFound: `not-given` where it was not, or was not handed over yet. NotAllowed: `proof-not-due` before the tick is over.
    """
    with node.store.read() as tx:
        rows = [row for row in tx.find(StreamRow, party=party, object=object_id) if row.kind != "withdrawn"]
        for row in sorted(rows, key=lambda one: (one.ended is None, one.n), reverse=True):
            made = next(
                (one for one in tx.find(Delivery, party=party) if one.first <= row.n <= one.last),
                None,
            )
            if made is not None and msgspec.json.decode(made.page)["digests"][row.n - made.first]:
                return _checked(_given(node, tx, row, made))
    raise NotFound("not-given", f"{object_id} was not handed over to this party, so there is nothing to prove.")


def _given(node: Node, tx: Reading, row: StreamRow, made: Delivery) -> ProofBundle:
    act = tx.get(ActRow, made.act)
    version = tx.get(Version, row.version)
    if act is None or version is None or version.seal is None:
        raise NodeDamaged(
            "node-damaged", f"What was delivered as row {row.n} is no longer kept whole; run comity doctor."
        )
    page = msgspec.json.decode(made.page)
    every = [
        one for one in tx.find(StreamRow, party=made.party, order=("n",), after=(made.first - 1,)) if one.n <= made.last
    ]
    rows = [
        Row(one.n, digest, one.view, one.title, msgspec.json.decode(one.terms))
        for one, digest in zip(every, page["digests"], strict=True)
    ]
    shown = show_row(tx, row)
    if isinstance(shown, Withheld):
        raise NodeDamaged("node-damaged", f"The view of row {row.n} can no longer be made; run comity doctor.")
    return _bundle(
        tx,
        raw=shown.raw,
        seal=version.seal,
        disclosure=msgspec.json.decode(disclosed(tx, version, shown)),
        by=node.party,
        act=act.envelope,
        salt=act.salt,
        rows=rows,
        place=row.n - made.first,
        secret=bytes.fromhex(page["secret"]),
        promised=promise(node, tx, act),
        proof=proof_of(node, tx, act.digest),
    )


def received_from(node: Node, object_id: str, party: str) -> tuple[Received, Holding] | None:
    """The newest row under which an object came from a party, with the holding it became; None where none did."""
    with node.store.read() as tx:
        found = [
            (row, holding)
            for holding in tx.find(Holding, object=object_id)
            if holding.custodian == party and holding.title is not None
            for row in tx.find(Received, holding=holding.h)
            if row.party == party
        ]
    return max(found, key=lambda pair: pair[0].n, default=None)


def bundle_received(node: Node, row: Received, holding: Holding) -> bytes:
    """The proof that a party gave us an object; the proof of its act must be here (`proofs.take_proof`).

    Raises:
        NotAllowed: `proof-not-due` while the proof of the act is not here.
    """
    with node.store.read() as tx:
        version = tx.get(Version, holding.version)
        kept = read_setting(tx, f"page/{row.act}")
        promised = promise_for(tx, row.party, row.act)
        if kept is None or version is None or version.seal is None or version.disclosure is None or promised is None:
            raise NotFound("not-given", f"What came as row {row.n} was not kept with what its proof needs.")
        if promised.proof is None:
            raise NotAllowed(
                "proof-not-due", "The proof of this delivery is not here yet; ask the party again after its tick."
            )
        rows = [
            Row(kept["first"] + place, digest, *kept["kinds"][kind])
            for place, (digest, kind) in enumerate(kept["rows"])
        ]
        return _checked(
            _bundle(
                tx,
                raw=version.raw,
                seal=version.seal,
                disclosure=msgspec.json.decode(version.disclosure),
                by=row.party,
                act=kept["act"].encode(),
                salt=bytes.fromhex(kept["salt"]),
                rows=rows,
                place=row.n - kept["first"],
                secret=bytes.fromhex(kept["secret"]),
                promised=promised.envelope,
                proof=msgspec.json.decode(promised.proof),
            )
        )


def _bundle(
    tx: Reading,
    *,
    raw: bytes,
    seal: bytes,
    disclosure: Any,
    by: str,
    act: bytes,
    salt: bytes,
    rows: list[Row],
    place: int,
    secret: bytes,
    promised: bytes,
    proof: Mapping[str, Any],
) -> ProofBundle:
    if "due" in proof:
        raise NotAllowed(
            "proof-not-due",
            f"The tick of this delivery is over at {format(proof['due'])}; its proof can be made after that.",
        )
    if "lost" in proof:
        raise NotFound(
            "proof-lost", "This delivery was recorded in a part of the log that was lost before a backup was restored."
        )
    page = Page.of(rows, secret)
    row = rows[place]
    digest = row.title.partition("#")[0]
    agreement = tx.get(AgreementRow, digest)
    signed = () if agreement is None else tx.find(Instrument, agreement=digest, kind="signature")
    return ProofBundle(
        object=raw,
        seal=seal,
        disclosure=disclosure,
        cards={
            party: tuple(card.envelope for card in tx.find(CardRow, party=party))
            for party in dict.fromkeys((claimed_party(seal), by))
        },
        act=act,
        salt=salt,
        row=row,
        row_salt=row_salt(secret, place),
        row_place=place,
        row_path=row_proof(page, place),
        promise=promised,
        place=int(proof["place"]),
        inner=tuple(bytes.fromhex(one) for one in proof["inner"]),
        outer=outer_of(proof),
        agreement=None if agreement is None else agreement.form,
        signatures=tuple(one.envelope for one in signed),
    )


def _checked(bundle: ProofBundle) -> bytes:
    """The file, if it holds for whoever knows its signers."""
    data = bundle.to_json()
    anchors = {party: _fingerprint(chain) for party, chain in bundle.cards.items()}
    report = verify_bundle(data, anchors)
    if not report["verified"]:
        raise NodeDamaged("node-damaged", f"The proof would not hold: {report['why']}")
    return data


def _fingerprint(chain: Sequence[bytes]) -> str:
    return verify_chain(chain).fingerprint


def prove_act(node: Node, digest: str) -> tuple[bytes, dict[str, Any]]:
    """What proves that an act of ours is in the log, canonical JSON; and {act, sentence}.

    Args:
        digest: The act's digest, or its beginning of at least 8 hex digits.

    Raises:
        NotFound: `no-such-act`, `proof-not-due`. Usage: `command-line` for an object's id.
    """
    if "--" in digest:
        raise Usage("command-line", f"{digest} is an object; name the party too that it went to or came from.")
    with deed(node) as work:
        fits = [row.digest for row in work.tx.find(ActRow) if row.digest.startswith(digest)] if len(digest) >= 8 else []
        if len(fits) != 1:
            raise NotFound("no-such-act", f"No act of ours has the digest {digest!r}; comity log show lists them.")
        shape = proof_of(node, work.tx, fits[0])
    if "due" in shape:
        raise NotFound(
            "proof-not-due",
            f"The tick of this act is over at {format(shape['due'])}; its proof can be made after that.",
        )
    sentence = f"The act stands at place {shape['place']} of tick {shape['tick']}."
    return canonical(shape), {"act": fits[0], "sentence": sentence}


def prove_delivery(
    node: Node, object_id: str, text: str, received: bool, fetch: Callable[[str, str], object]
) -> tuple[bytes, dict[str, Any]]:
    """The bundle that proves a delivery to or from a party; and {object, to or from, sentence}.

    Args:
        received: Prove that it came from the party, where it also went there.
        fetch: ``(party, act)``: ask the party for the proof of its act, where it is not here yet.

    Raises:
        NotFound: `not-given`, `no-such-party`. ComityError: as `bundle_given`, `bundle_received`, and what `fetch` raises.
    """
    with deed(node) as work:
        row = resolve_party(work.tx, text)
        gave = next(iter(work.tx.find(StreamRow, party=row.id, object=object_id)), None) is not None
    came = received_from(node, object_id, row.id)
    if came is not None and (received or not gave):
        with node.store.read() as tx:
            here = any(one.proof is not None for one in tx.find(PromiseRow, act=came[0].act))
        if not here:
            fetch(row.id, came[0].act)
        data = bundle_received(node, *came)
        return data, {"object": object_id, "from": row.id, "sentence": f"{row.name} gave us {object_id}."}
    if received:
        raise NotFound("not-given", f"{object_id} did not come from {row.name}, so there is nothing to prove.")
    data = bundle_given(node, object_id, row.id)
    return data, {"object": object_id, "to": row.id, "sentence": f"We gave {object_id} to {row.name}."}
