"""Writes the vectors of the log: ``python vectors/tlog/make.py``. The tests hold the files equal to what this writes.

The first eight entries and their roots are those of the Certificate Transparency reference implementation
(Apache-2.0); the signed note is the example in the documentation of Go's golang.org/x/mod/sumdb/note (BSD-3-Clause).
All else is made here from fixed seeds. Bytes are hexadecimal.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import format as instant
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card, CardKey, make_card
from comity.kernel.seal.commitment import disclosure
from comity.kernel.seal.keys import SigningKey, fingerprint
from comity.kernel.seal.seals import seal
from comity.kernel.tlog.acts import Act, act_digest, make_act, officers_commitment
from comity.kernel.tlog.bundle import ProofBundle, verify_bundle
from comity.kernel.tlog.checkpoint import Checkpoint, ForkEvidence, origin, raw_key, sign_checkpoint
from comity.kernel.tlog.note import key_id, sign_note
from comity.kernel.tlog.promises import Promise, TwoPromises, make_promise
from comity.kernel.tlog.proof import LogProof
from comity.kernel.tlog.publication import PublicBundle, make_record, verify_record
from comity.kernel.tlog.rows import Page, Row, row_leaf, row_proof, row_salt
from comity.kernel.tlog.ticks import act_leaf, inner_proof, inner_root, record_hash, tick_secret
from comity.kernel.tlog.tiles import tile_path, tiles_of
from comity.kernel.tlog.tree import consistency_proof, inclusion_proof, leaf_hash, root_of

CT = "Certificate Transparency reference implementation, Merkle tree test"
CT_ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
GO_KEY = "1a5cd907143c384c41e830c5bce12aa8817ec5649aaabf2c31388b35b2d744d6"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
BY = "identity--5f3cb5a2-9dd6-5a8b-a9cf-6d5b9cf07c1c"
TO = "identity--1c4a1d2e-0f6a-5b7c-8d9e-2f3a4b5c6d7e"
LOG = origin(BY, 1)
NODE, LOGKEY = SigningKey.from_seed(b"\x01" * 32), SigningKey.from_seed(b"\x02" * 32)
RAW = raw_key(LOGKEY.public.spki)
SECRET = bytes(range(32))
LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(300)]
FORKED = [*LEAVES[:5], leaf_hash(b"rewritten"), *LEAVES[6:]]


def _read(leaves: list[bytes]) -> Any:
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


def _hex(hashes: Any) -> list[str]:
    return [one.hex() for one in hashes]


def merkle() -> dict[str, Any]:
    """Roots, inclusion and consistency proofs, good and broken."""
    leaves = [leaf_hash(bytes.fromhex(one)) for one in CT_ENTRIES]
    inclusion, consistency = [], []
    for index, size in ((0, 1), (0, 8), (5, 8), (2, 3), (1, 5), (7, 8)):
        proof = _hex(inclusion_proof(index, size, _read(leaves)))
        case = {"leaf": leaves[index].hex(), "index": index, "size": size, "root": root_of(leaves[:size]).hex()}
        inclusion.append({"name": f"leaf {index} of {size}", **case, "proof": proof, "holds": True})
        for name, change in (
            ("index moved", {"index": index ^ 1}),
            ("size moved", {"size": size + 1 if size.bit_count() == 1 else size - 1}),
            ("a hash too many", {"proof": [*proof, "00" * 32]}),
            ("a hash too few", {"proof": proof[:-1] if proof else ["00" * 32]}),
            ("a short hash", {"proof": [*proof[:-1], "00" * 31]}),
            ("another leaf", {"leaf": "ff" * 32}),
        ):
            broken = {**case, "proof": proof, **change}
            inclusion.append({"name": f"leaf {index} of {size}, {name}", **broken, "holds": False})
    for old, new in ((1, 8), (6, 8), (2, 5), (4, 8), (8, 8), (0, 8)):
        proof = _hex(consistency_proof(old, new, _read(leaves)))
        case = {
            "old": old,
            "new": new,
            "old_root": root_of(leaves[:old]).hex(),
            "new_root": root_of(leaves[:new]).hex(),
        }
        consistency.append({"name": f"{old} to {new}", **case, "proof": proof, "holds": True})
        for name, change in (
            ("rewritten", {"old_root": "ee" * 32}),
            ("a hash too many", {"proof": [*proof, "00" * 32]}),
            ("another end", {"new_root": "ee" * 32}),
            ("shrunk", {"old": new + 1}),
        ):
            if old == 0 and name == "another end":
                continue  # from nothing everything is consistent
            consistency.append({"name": f"{old} to {new}, {name}", **case, "proof": proof, **change, "holds": False})
    return {
        "source": CT,
        "clause": "RFC 9162 §2.1",
        "entries": CT_ENTRIES,
        "roots": _hex(root_of(leaves[:size]) for size in range(9)),
        "inclusion": inclusion,
        "consistency": consistency,
    }


def notes() -> dict[str, Any]:
    """Signed notes and checkpoints, good and broken."""
    root = b64encode(root_of(LEAVES[:7])).decode()
    good = sign_checkpoint(Checkpoint(LOG, 7, root_of(LEAVES[:7])), LOGKEY).decode()
    text, _, line = good.partition("\n\n")
    forged = f"— {LOG} {b64encode(key_id(LOG, RAW) + bytes(64)).decode()}\n"
    unknown = f"— witness.example/w1 {b64encode(bytes(76)).decode()}\n"
    cases = [
        ("as it should be", good, None),
        ("cosigned by a key nobody knows", good + unknown, None),
        ("with an extension line", sign_note(f"{LOG}\n7\n{root}\nlater\n", LOG, RAW, LOGKEY).decode(), None),
        ("a forged line beside the good one", good + forged, "note-signature"),
        ("only a forged line", f"{text}\n\n{forged}", "note-signature"),
        ("only a line by a key nobody knows", f"{text}\n\n{unknown}", "note-signature"),
        ("size changed after signing", good.replace("\n7\n", "\n8\n"), "note-signature"),
        ("of another log", good.replace("/1\n7", "/2\n7"), "log-origin"),
        ("size with a leading zero", sign_note(f"{LOG}\n07\n{root}\n", LOG, RAW, LOGKEY).decode(), "note"),
        (
            "root of 31 bytes",
            sign_note(f"{LOG}\n7\n{b64encode(bytes(31)).decode()}\n", LOG, RAW, LOGKEY).decode(),
            "note",
        ),
        ("an empty log with a root", sign_note(f"{LOG}\n0\n{root}\n", LOG, RAW, LOGKEY).decode(), "note"),
        ("no signature line", f"{text}\n\n", "note"),
        ("no final newline", good[:-1], "note"),
        ("carriage returns", good.replace("\n", "\r\n"), "note"),
        ("a hyphen for the dash", good.replace("—", "-"), "note"),
        ("slack base64", f"{text}\n\n{line[:-2]}\n", "note"),
    ]
    return {
        "source": "C2SP signed-note, tlog-checkpoint; golang.org/x/mod/sumdb/note",
        "go": {"name": "PeterNeumann", "key": GO_KEY, "key_id": "c74f20a3", "note": GO_NOTE},
        "origin": LOG,
        "key": RAW.hex(),
        "cases": [{"name": name, "note": note, "refused": code} for name, note, code in cases],
    }


def tiles() -> dict[str, Any]:
    """Paths, and which partial tiles a size has."""
    paths = [(0, 0, 256), (0, 273, 112), (0, 1067, 256), (3, 1_234_067, 1), (63, 999, 255)]
    return {
        "source": "C2SP tlog-tiles, Merkle Tree and Partial Tiles",
        "paths": [{"level": one[0], "index": one[1], "width": one[2], "path": tile_path(*one)} for one in paths],
        "partial": [{"size": size, "tiles": tiles_of(size)} for size in (0, 1, 255, 256, 257, 65_536, 70_000)],
    }


def ticks() -> dict[str, Any]:
    """Act leaves, secrets, roots and proofs of ticks."""
    salt = bytes(range(16))
    envelope = _act()
    leaf = act_leaf(salt, envelope)
    cases = []
    for tick, places in ((0, []), (1, []), (10, [77]), (11, [0, 1, 4095])):
        acts = dict.fromkeys(places, leaf)
        root = inner_root(acts, SECRET, tick)
        proofs = [{"place": place, "path": _hex(inner_proof(acts, SECRET, tick, place))} for place in places]
        cases.append(
            {
                "tick": tick,
                "secret": tick_secret(SECRET, tick).hex(),
                "root": root.hex(),
                "record": record_hash(root).hex(),
                "proofs": proofs,
            }
        )
    return {
        "source": "docs/formats/log.md, Ticks",
        "log_secret": SECRET.hex(),
        "salt": salt.hex(),
        "act": envelope.decode(),
        "leaf": leaf.hex(),
        "ticks": cases,
    }


def rows() -> dict[str, Any]:
    """A page of three rows, each proved."""
    made = [Row(n, f"{n:064x}", "indicator", "ab" * 32 + "#4", {"tlp": "amber", "caveats": []}) for n in (41, 42, 43)]
    page = Page.of(made, SECRET)
    return {
        "source": "docs/formats/log.md, Rows",
        "secret": SECRET.hex(),
        "root": page.tree.root().hex(),
        "empty_root": Page.of([], SECRET).tree.root().hex(),
        "rows": [
            {
                "row": [row.n, row.digest, row.view, row.title, row.terms],
                "place": place,
                "salt": row_salt(SECRET, place).hex(),
                "leaf": row_leaf(row, row_salt(SECRET, place)).hex(),
                "path": _hex(row_proof(page, place)),
            }
            for place, row in enumerate(made)
        ],
    }


def _act() -> bytes:
    return make_act(
        Act(
            kind="deliver",
            id="comity-act--3b0e3b0e-7c1d-4f5a-9a1b-000000000001",
            by=BY,
            to=TO,
            at=1_614_686_400_000_000,
            origin=LOG,
            seq=1,
            previous=None,
            body={"page": Page.of([], SECRET).tree.root().hex()},
            title="ab" * 32 + "#4",
            officers=officers_commitment(bytes(16), ["officer one"], "agreed on the telephone"),
        ),
        NODE,
    )


def record() -> dict[str, Any]:
    """An act, its promise, the proof that it was kept, and evidence that convicts."""
    salt, place, tick, size = bytes(range(16)), 77, 10, 20
    envelope = _act()
    acts = {place: act_leaf(salt, envelope)}
    roots = [inner_root(acts if number == tick else {}, SECRET, number) for number in range(size)]
    leaves = [record_hash(root) for root in roots]
    note = sign_checkpoint(Checkpoint(LOG, size, root_of(leaves)), LOGKEY)
    outer = LogProof(tick, inclusion_proof(tick, size, _read(leaves)), note)
    promise = Promise(act_digest(envelope), LOG, tick, place)
    other = Promise("00" * 32, LOG, tick, place)

    def signed(count: int, tree: list[bytes]) -> bytes:
        return sign_checkpoint(Checkpoint(LOG, count, root_of(tree[:count])), LOGKEY)

    rewritten = consistency_proof(8, 300, _read(FORKED), explicit=True)
    honest = consistency_proof(8, 300, _read(LEAVES), explicit=True)
    forks = [
        ("one size, two roots", ForkEvidence(signed(300, LEAVES), signed(300, FORKED)), True),
        ("a rewritten beginning", ForkEvidence(signed(8, LEAVES), signed(300, FORKED), rewritten), True),
        ("an honest log", ForkEvidence(signed(8, LEAVES), signed(300, LEAVES), honest), False),
        ("a proof of another log", ForkEvidence(signed(8, LEAVES), signed(300, LEAVES), rewritten), False),
        ("the same twice", ForkEvidence(signed(8, LEAVES), signed(8, LEAVES)), False),
    ]
    return {
        "source": "docs/formats/log.md",
        "node_key": NODE.public.spki.hex(),
        "log_key": LOGKEY.public.spki.hex(),
        "origin": LOG,
        "act": envelope.decode(),
        "digest": act_digest(envelope),
        "salt": salt.hex(),
        "place": place,
        "inner": _hex(inner_proof(acts, SECRET, tick, place)),
        "inner_root": roots[tick].hex(),
        "outer": outer.to_text().decode(),
        "promise": make_promise(promise, LOGKEY).decode(),
        "two_promises": TwoPromises(make_promise(promise, LOGKEY), make_promise(other, LOGKEY)).to_json().decode(),
        "forks": [{"name": name, "evidence": one.to_json().decode(), "convicts": holds} for name, one, holds in forks],
    }


AT = 1_614_686_400_000_000
MINUTE = 60_000_000
IDENTITIES = [SigningKey.from_seed(bytes([number]) * 32) for number in (11, 12)]
NODES = [SigningKey.from_seed(bytes([number]) * 32) for number in (21, 22)]
LOGS = [SigningKey.from_seed(bytes([number]) * 32) for number in (31, 32)]
PARTIES = [party_id(key.public.spki) for key in IDENTITIES]
AUTHOR = "identity--a0f1c1f0-0000-4000-8000-000000000001"


def card(number: int, **more: Any) -> bytes:
    """The first card of one of two invented parties: 0 seals, 1 relays."""
    keys = ((IDENTITIES, "identity"), (NODES, "node"), (LOGS, "log"))
    said = {
        "party": PARTIES[number],
        "name": ("Response team of Xandria", "Ministry of Ylland")[number],
        "kind": ("csirt", "ministry")[number],
        "country": ("XA", "XB")[number],
        "keys": tuple(CardKey(held[number].public, use, AT - 100 * MINUTE) for held, use in keys),
        "serial": 1,
        "previous": None,
        "at": AT - 90 * MINUTE,
        "identities": (AUTHOR,) if number == 0 else (),
    }
    return make_card(Card(**(said | more)), [IDENTITIES[number]])


def bundle(
    *,
    role: str = "origin",
    hide: bool = True,
    relay: bool = True,
    cards: dict[str, list[bytes]] | None = None,
    **act: Any,
) -> ProofBundle:
    """A proof bundle: party 0 sealed an indicator, party 1 (or 0 itself) delivered a view of it and logged that."""
    indicator = {
        "type": "indicator",
        "spec_version": "2.1",
        "id": "indicator--a0f1c1f0-0000-4000-8000-000000000002",
        "created_by_ref": AUTHOR,
        "created": "2021-03-02T12:00:00.000Z",
        "modified": "2021-03-02T12:00:00.000Z",
        "name": "Loader of the March wave",
        "description": "Seen in two ministries; the source asks not to be named.",
        "pattern": "[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']",
        "pattern_type": "stix",
        "valid_from": "2021-03-02T00:00:00Z",
        "labels": ["exchange", "march"],
        "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
    }
    sealed = seal(
        indicator,
        seed=b"\x41" * 32,
        role=role,
        party=PARTIES[0],
        key=NODES[0],
        at=AT,
        source=None if role == "origin" else PARTIES[1],
    )
    hidden = {("description",), ("labels", 1), ("labels", "#")} if hide else set()
    view = {name: value for name, value in indicator.items() if not (hide and name == "description")}
    if hide:
        view["labels"] = ["exchange"]
    shown = [one.path for one in sealed.commitment.entries if one.path not in hidden]
    agreement = canonical({"comity": "agreement", "title": "Mutual notice"})
    title = f"{sha256(agreement).hexdigest()}#4"
    name = "no-description" if hide else "full"
    rows = [
        Row(41 + at, sealed.commitment.digest.hex() if at == 2 else f"{at:064x}", name, title, {"tlp": "amber"})
        for at in range(7)
    ]
    page = Page.of(rows, SECRET)
    sender = 1 if relay else 0
    log = origin(PARTIES[sender], 1)
    deed = {
        "kind": "deliver",
        "id": "comity-act--3b0e3b0e-7c1d-4f5a-9a1b-000000000002",
        "by": PARTIES[sender],
        "to": TO,
        "at": AT + 10 * MINUTE,
        "origin": log,
        "seq": 1,
        "previous": None,
        "body": {"page": page.tree.root().hex()},
    }
    envelope = make_act(Act(**(deed | act)), NODES[sender])
    salt, place, tick, size = bytes(range(16)), 2077, 10, 20
    acts = {place: act_leaf(salt, envelope)}
    leaves = [record_hash(inner_root(acts if number == tick else {}, SECRET, number)) for number in range(size)]
    note = sign_checkpoint(Checkpoint(log, size, root_of(leaves)), LOGS[sender])
    return ProofBundle(
        object=canonical(view),
        seal=sealed.envelope,
        disclosure=disclosure(sealed.commitment, shown),
        cards=cards or {PARTIES[number]: [card(number)] for number in ((0, 1) if relay else (0,))},
        act=envelope,
        salt=salt,
        row=rows[2],
        row_salt=row_salt(SECRET, 2),
        row_place=2,
        row_path=row_proof(page, 2),
        promise=make_promise(Promise(act_digest(envelope), log, tick, place), LOGS[sender]),
        place=place,
        inner=inner_proof(acts, SECRET, tick, place),
        outer=LogProof(tick, inclusion_proof(tick, size, _read(leaves)), note),
        agreement=agreement,
    )


def anchors() -> dict[str, str]:
    """What officers heard of both parties on the telephone."""
    return {PARTIES[number]: fingerprint(IDENTITIES[number].public.spki) for number in (0, 1)}


def bundles() -> dict[str, Any]:
    """Proof bundles and what a verifier says of them."""
    heard = anchors()
    relayed = bundle()
    unlisted = bundle(cards={PARTIES[0]: [card(0, identities=())], PARTIES[1]: [card(1)]})
    cases = [
        ("a redacted view, relayed", relayed, heard),
        ("the whole object, from its originator", bundle(hide=False, relay=False), heard),
        ("taken into custody", bundle(role="custody"), heard),
        ("no fingerprint of the relay", relayed, {PARTIES[0]: heard[PARTIES[0]]}),
        ("a wrong fingerprint", relayed, dict.fromkeys(PARTIES, "00000 00000 00000 00000 00000 00000")),
        ("the act of another page", bundle(body={"page": "00" * 32}), heard),
        ("another author than the card lists", unlisted, heard),
    ]
    return {
        "source": "docs/formats/log.md, Proof bundle",
        "cases": [
            {
                "name": name,
                "bundle": made.to_json().decode(),
                "anchors": known,
                "report": verify_bundle(made.to_json(), known),
            }
            for name, made, known in cases
        ],
    }


def publication(
    number: int = 0,
    *,
    text: str = "Responsibility lies with the operators called Quietwater.",
    marking: str = "94868c89-83c2-464b-929b-a1a8aa3c8487",
    author: str | None = None,
    by: int | None = None,
    hide: bool = False,
    role: str = "origin",
    tick: int = 10,
    appointed: int = 10 * MINUTE,
    at: int = 10 * MINUTE + 12_000,
    **body: Any,
) -> PublicBundle:
    """A publication: party 0 or 1 sealed a statement of its own and published it in tick 10 of its log."""
    statement = {
        "type": "x-comity-statement",
        "spec_version": "2.1",
        "id": f"x-comity-statement--a0f1c1f0-0000-4000-8000-00000000001{number}",
        "created_by_ref": author or PARTIES[number],
        "created": "2021-03-02T12:00:00.000Z",
        "modified": "2021-03-02T12:00:00.000Z",
        "title": "On the March wave",
        "texts": [{"language": "en", "text": text}],
        "object_marking_refs": [f"marking-definition--{marking}"],
    }
    source = None if role == "origin" else TO
    sealed = seal(
        statement, seed=b"\x42" * 32, role=role, party=PARTIES[number], key=NODES[number], at=AT, source=source
    )
    shown = [one.path for one in sealed.commitment.entries if not (hide and one.path == ("title",))]
    acting = number if by is None else by
    log = origin(PARTIES[acting], 1)
    said = {
        "object": statement["id"],
        "version": statement["modified"],
        "digest": sealed.commitment.digest.hex(),
        "appointed": instant(AT + appointed),
    }
    act = Act(
        kind="publish",
        id="comity-act--3b0e3b0e-7c1d-4f5a-9a1b-000000000003",
        by=PARTIES[acting],
        to=None,
        at=AT + at,
        origin=log,
        seq=1,
        previous=None,
        body={name: value for name, value in (said | body).items() if value is not None},
    )
    envelope = make_act(act, NODES[acting])
    salt, place, size = bytes(range(16)), 2077, tick + 10
    acts = {place: act_leaf(salt, envelope)}
    leaves = [record_hash(inner_root(acts if one == tick else {}, SECRET, one)) for one in range(size)]
    note = sign_checkpoint(Checkpoint(log, size, root_of(leaves)), LOGS[acting])
    calendar = {"extra": (("log", {"origin_at": AT, "period": MINUTE}),), "identities": (PARTIES[number], AUTHOR)}
    cards = {PARTIES[number]: [card(number, **calendar)]}
    if acting != number:
        cards[PARTIES[acting]] = [card(acting)]
    return PublicBundle(
        object=canonical({name: value for name, value in statement.items() if not (hide and name == "title")}),
        seal=sealed.envelope,
        disclosure=disclosure(sealed.commitment, shown),
        cards=cards,
        act=envelope,
        salt=salt,
        promise=make_promise(Promise(act_digest(envelope), log, tick, place), LOGS[acting]),
        place=place,
        inner=inner_proof(acts, SECRET, tick, place),
        outer=LogProof(tick, inclusion_proof(tick, size, _read(leaves)), note),
    )


def publications() -> dict[str, Any]:
    """Public records and what a verifier says of them."""
    heard, later = anchors(), AT + 60 * MINUTE
    amber, stranger = "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "identity--0c7b5b8e-1111-4222-8333-444455556666"
    cases = [
        ("two statements at one instant", [publication(), publication(1)], heard, later),
        ("nobody vouches for the second", [publication(), publication(1)], {PARTIES[0]: heard[PARTIES[0]]}, later),
        ("published before the appointed instant", [publication(appointed=30 * MINUTE)], heard, later),
        (
            "a clock an hour ahead",
            [publication(appointed=70 * MINUTE, at=70 * MINUTE, tick=70)],
            heard,
            AT + 10 * MINUTE,
        ),
        ("said to be later than its tick", [publication(appointed=30 * MINUTE, at=30 * MINUTE)], heard, later),
        ("another's word", [publication(author=stranger)], heard, later),
        ("taken into custody", [publication(role="custody")], heard, later),
        ("published by another than the sealer", [publication(by=1)], heard, later),
        ("not marked clear", [publication(marking=amber)], heard, later),
        ("a part is hidden", [publication(hide=True)], heard, later),
        ("the act names another version", [publication(version="2021-03-03T00:00:00.000Z")], heard, later),
        ("the act names another seal", [publication(digest="00" * 32)], heard, later),
        (
            "two parties that say they are one",
            [publication(author=AUTHOR), publication(1, author=AUTHOR)],
            heard,
            later,
        ),
        ("no publication", [], heard, later),
        ("two texts of one version", [publication(), publication(text="We never said so.")], heard, later),
    ]
    return {
        "source": "docs/formats/public.md",
        "cases": [
            {
                "name": name,
                "record": (data := make_record([one.to_json() for one in made])).decode(),
                "anchors": known,
                "now": now,
                "report": verify_record(data, known, now),
            }
            for name, made, known, now in cases
        ],
    }


def files() -> dict[str, str]:
    """Each file's name and text."""
    made = {
        "merkle": merkle(),
        "notes": notes(),
        "tiles": tiles(),
        "ticks": ticks(),
        "rows": rows(),
        "record": record(),
        "bundles": bundles(),
        "publications": publications(),
    }
    return {f"{name}.json": json.dumps(value, indent=1, ensure_ascii=False) + "\n" for name, value in made.items()}


if __name__ == "__main__":
    for name, text in files().items():
        Path(__file__).with_name(name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{name}\n")
