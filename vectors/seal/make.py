"""Writes the vectors of this folder: `python vectors/seal/make.py`. A test holds the files equal to what this writes.

Digests are those of the plain second implementation in tests/kernel/seal/conftest.py, as a test shows; signatures are
Ed25519 (RFC 8032), so any implementation makes the same. Seeds and salts are counted, never drawn: do not use them.
"""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

from comity.kernel.errors import ComityError
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import DAY, format, parse
from comity.kernel.seal.anonymous import anonymise
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card, CardKey, Endpoint, make_card, verify_chain
from comity.kernel.seal.commitment import EVERYTHING, VIEW_EXTENSION, commit, digest_of, disclosure
from comity.kernel.seal.dsse import open_envelope, pae, sign
from comity.kernel.seal.keys import SigningKey, fingerprint
from comity.kernel.seal.seals import seal, verify_seal
from comity.kernel.seal.secrecy import bind
from comity.kernel.seal.views import INDICATOR, Redacted, View, redact

SEED = bytes(range(32))
IDENTITY, SECOND, NODE, OTHER, TLS = (SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3, 4, 5))
PARTY = party_id(IDENTITY.public.spki)
T0 = parse("2021-03-05T12:00:00Z")
AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
IDS = [f"indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4{n}" for n in "0123456789ab"]
COMMON = {
    "spec_version": "2.1",
    "created": "2021-03-02T17:00:00.000Z",
    "modified": "2021-03-02T17:00:00.000Z",
    "created_by_ref": "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff",
    "object_marking_refs": [AMBER],
}
INDICATOR_OBJECT: dict[str, Any] = COMMON | {
    "type": "indicator",
    "id": IDS[0],
    "name": "Web shell at Ministry X",
    "description": "Found at Ministry X",
    "pattern": "[file:name = 'shell.aspx']",
    "pattern_type": "stix",
    "valid_from": "2021-03-02T09:41:07Z",
    "labels": ["exchange", "hafnium"],
    "granular_markings": [{"marking_ref": AMBER, "selectors": ["description", "name"]}],
}
REPORT: dict[str, Any] = COMMON | {
    "type": "report",
    "id": "report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",
    "name": "Exchange",
    "published": "2021-03-02T17:00:00Z",
    "object_refs": IDS,
}
ODD: dict[str, Any] = {
    "id": "x-odd--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",
    "labels": [],
    "x_odd_refs": "not a list",
    "extensions": {"archive-ext": {"contains_refs": []}},
    "granular_markings": [{"selectors": []}, {"selectors": ["a"], "selector": "b"}, 5],
    "x_\u00e9": 1e21,
    "x_\U0001f600": -0.0,
}
WITHOUT_VICTIM = View("without-victim", frozenset({"name", "description", "labels"}))


def _case(name: str, clause: str, given: Any, expected: Any, origin: str = "make.py") -> dict[str, Any]:
    return {"name": name, "clause": clause, "origin": origin, "input": given, "expected": expected}


def _outcome(read: Any) -> Any:
    """What reading gives, or the code it is refused with."""
    try:
        return read()
    except ComityError as refused:
        return {"refused": refused.code}


def keys() -> list[dict[str, Any]]:
    cases = []
    for seed in (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    ):
        public = SigningKey.from_seed(bytes.fromhex(seed)).public
        expected = {
            "spki": public.spki.hex(),
            "keyid": public.keyid,
            "fingerprint": fingerprint(public.spki),
            "party": party_id(public.spki),
        }
        cases.append(
            _case("key, fingerprint and party id", "card.md, Names", {"seed": seed}, expected, "RFC 8032 §7.1")
        )
    weak = "302a300506032b6570032100" + "01" + "00" * 31
    cases.append(_case("key of small order", "card.md, Names", {"spki": weak}, {"refused": "bad-key"}))
    return cases


def binds() -> list[dict[str, Any]]:
    given = {"salt": bytes(range(16)).hex(), "label": "officers", "body": {"officers": ["One"], "reason": "asked"}}
    digest = bind(bytes(range(16)), "officers", given["body"]).hex()
    return [_case("salted commitment", "seal.md, Salted commitments", given, {"commitment": digest})]


def envelopes() -> list[dict[str, Any]]:
    body = {"form": 1, "says": "\u00e9"}
    good = sign("act", body, [NODE])
    outer = json.loads(good)
    named = outer["payloadType"]
    unsorted = b'{"says":"x","form":1}'
    honest = {"keyid": NODE.public.keyid, "sig": b64encode(NODE.sign(pae(named, unsorted))).decode()}
    inputs = [
        ("as it should be", good, "act", 1),
        ("signed by two", sign("act", body, [NODE, OTHER]), "act", 2),
        ("one of two signatures", good, "act", 2),
        ("the same signature twice", canonical(outer | {"signatures": outer["signatures"] * 2}), "act", 2),
        ("by a stranger", sign("act", body, [IDENTITY]), "act", 1),
        ("of another kind", good, "seal", 1),
        ("type changed", good.replace(b"comity.act", b"comity.seal"), "seal", 1),
        (
            "payload changed",
            canonical(outer | {"payload": b64encode(canonical(body | {"form": 2})).decode()}),
            "act",
            1,
        ),
        ("white space", json.dumps(outer).encode(), "act", 1),
        ("unknown member", canonical(outer | {"note": 1}), "act", 1),
        (
            "payload not canonical",
            canonical(outer | {"payload": b64encode(unsorted).decode(), "signatures": [honest]}),
            "act",
            1,
        ),
    ]
    known = {key.public.keyid: key.public for key in (NODE, OTHER)}

    def read(envelope: bytes, kind: str, threshold: int) -> Any:
        opened = open_envelope(envelope, kind, known, threshold=threshold)
        return {"body": opened.body, "signers": list(opened.signers)}

    spki = [key.spki.hex() for key in known.values()]
    return [
        _case(
            name,
            "seal.md, Envelope",
            {"envelope": envelope.decode(), "kind": kind, "keys": spki, "threshold": threshold},
            _outcome(lambda e=envelope, k=kind, t=threshold: read(e, k, t)),
        )
        for name, envelope, kind, threshold in inputs
    ]


def commitments() -> list[dict[str, Any]]:
    cases = []
    with_view = copy.deepcopy(REPORT) | {"extensions": {VIEW_EXTENSION: {"extension_type": "property-extension"}}}
    for name, data in (("indicator", INDICATOR_OBJECT), ("report with twelve references", REPORT), ("odd shapes", ODD)):
        made = commit(data, SEED)
        leaves = [
            {"path": list(one.path or ()), "salt": (one.salt or b"").hex(), "leaf": one.hash.hex()}
            for one in made.entries
        ]
        expected = {"digest": made.digest.hex(), "leaves": leaves}
        cases.append(_case(name, "seal.md, Leaves", {"object": data, "seed": SEED.hex()}, expected))
    whole = [{"seed": SEED.hex()}]
    expected = {"digest": digest_of(with_view, whole).hex()}
    cases.append(
        _case("a view's own extension is no leaf", "view.md", {"view": with_view, "disclosure": whole}, expected)
    )
    return cases


def disclosures() -> list[dict[str, Any]]:
    made = commit(REPORT, SEED)
    every = {entry.path for entry in made.entries}
    shown = every - {("object_refs", 1), ("object_refs", "#"), ("name",)}
    told = disclosure(made, shown)  # type: ignore[arg-type]
    view = {name: value for name, value in REPORT.items() if name != "name"} | {"object_refs": [IDS[0], *IDS[2:]]}
    swapped = view | {"object_refs": [IDS[2], IDS[0], *IDS[3:]]}
    open_length = disclosure(made, every - {("object_refs", 1), ("name",)})  # type: ignore[arg-type]
    inputs = [
        ("middle element and a property hidden", view, told),
        ("two elements swapped", swapped, told),
        ("a property added", view | {"x": 1}, told),
        ("a hidden property put back", REPORT | {"object_refs": view["object_refs"]}, told),
        ("an opened property missing", {name: value for name, value in view.items() if name != "published"}, told),
        ("a list that lacks an element said to be whole", view, open_length),
        ("entries out of order", view, told[::-1]),
        ("salt in upper case", view, [{**one, "salt": one["salt"].upper()} if "salt" in one else one for one in told]),
        ("seed beside a redacted view", view, [{"seed": SEED.hex()}]),
    ]
    return [
        _case(
            name,
            "view.md, What a verifier checks",
            {"view": view, "disclosure": told},
            _outcome(lambda v=view, d=told: {"digest": digest_of(v, d).hex(), "same": digest_of(v, d) == made.digest}),
        )
        for name, view, told in inputs
    ]


def seals() -> list[dict[str, Any]]:
    sealed = seal(INDICATOR_OBJECT, seed=SEED, role="origin", party=PARTY, key=NODE, at=T0)
    cut = redact(INDICATOR_OBJECT, WITHOUT_VICTIM, clause="agreement--1#2")
    assert isinstance(cut, Redacted)
    every = {entry.here for entry in sealed.commitment.entries}
    unmarked = {name: value for name, value in INDICATOR_OBJECT.items() if name != "object_marking_refs"}
    hidden = every - {("object_marking_refs", "#"), ("object_marking_refs", 0)}
    stranger = seal(INDICATOR_OBJECT, seed=SEED, role="origin", party=PARTY, key=OTHER, at=T0)
    custody = seal(INDICATOR_OBJECT, seed=SEED, role="custody", party=PARTY, key=NODE, at=T0, source="taxii:a.example")
    whole = disclosure(sealed.commitment, EVERYTHING)
    inputs = [
        ("whole object", sealed, INDICATOR_OBJECT, whole),
        ("redacted view", sealed, cut.data, disclosure(sealed.commitment, cut.shown)),
        ("held in custody", custody, INDICATOR_OBJECT, whole),
        ("marking dropped by a relay", sealed, unmarked, disclosure(sealed.commitment, hidden)),  # type: ignore[arg-type]
        ("value changed", sealed, INDICATOR_OBJECT | {"name": "Y"}, whole),
        ("put on another object", sealed, REPORT, whole),
        ("by a key that is not the party's", stranger, INDICATOR_OBJECT, whole),
    ]

    def read(envelope: bytes, view: Any, told: Any) -> Any:
        held = verify_seal(envelope, view, told, {NODE.public.keyid: NODE.public})
        said = {"party": held.party, "role": held.role, "id": held.id, "version": held.version, "at": format(held.at)}
        return said | {"digest": held.digest.hex(), "removed": held.removed, "signer": held.signer}

    return [
        _case(
            name,
            "seal.md, What a verifier checks",
            {"envelope": one.envelope.decode(), "view": view, "disclosure": told, "keys": [NODE.public.spki.hex()]},
            _outcome(lambda o=one, v=view, d=told: read(o.envelope, v, d)),
        )
        for name, one, view, told in inputs
    ]


def cards() -> list[dict[str, Any]]:
    first = Card(
        party=PARTY,
        name="National response team of Xanadu",
        kind="csirt",
        country="XA",
        keys=(CardKey(IDENTITY.public, "identity", T0), CardKey(NODE.public, "node", T0)),
        serial=1,
        previous=None,
        at=T0,
        endpoints=(Endpoint("https://node.xanadu.example/", TLS.public.spki),),
        contacts=({"office": "duty-officer", "email": "duty@xanadu.example"},),
        offices=("duty-officer",),
        identities=("identity--f431f809-377b-45e0-aa1c-6a4751cae5ff",),
    )
    one = make_card(first, [IDENTITY])
    former = verify_chain([one])
    keys = (
        CardKey(IDENTITY.public, "identity", T0, T0 + DAY),
        CardKey(SECOND.public, "identity", T0 + DAY),
        CardKey(OTHER.public, "node", T0 + DAY),
    )
    rotated = replace(former, keys=keys, serial=2, previous=former.digest, at=T0 + DAY)
    two = make_card(rotated, [IDENTITY, SECOND])
    past = replace(rotated, keys=(CardKey(IDENTITY.public, "identity", T0), CardKey(NODE.public, "node", T0, T0)))
    inputs = [
        ("first card", [one]),
        ("identity key rotated, node key replaced", [one, two]),
        ("rotation without the old key", [one, make_card(rotated, [SECOND])]),
        ("rotation without the new key", [one, make_card(rotated, [IDENTITY])]),
        ("first card missing", [two]),
        ("a key ended in the past", [one, make_card(past, [IDENTITY])]),
        ("wrong predecessor", [one, make_card(replace(rotated, previous="0" * 64), [IDENTITY, SECOND])]),
    ]

    def read(chain: list[bytes]) -> Any:
        card = verify_chain(chain)
        good = {use: sorted(card.keys_at(use, T0 + DAY)) for use in ("identity", "node", "log")}  # type: ignore[arg-type]
        return {"party": card.party, "serial": card.serial, "fingerprint": card.fingerprint, "keys_a_day_later": good}

    return [
        _case(
            name,
            "card.md, What a verifier checks",
            {"envelopes": [one.decode() for one in chain], "instant": format(T0 + DAY)},
            _outcome(lambda c=chain: read(c)),
        )
        for name, chain in inputs
    ]


def views() -> list[dict[str, Any]]:
    indexed = REPORT | {"granular_markings": [{"marking_ref": AMBER, "selectors": ["object_refs.[2]"]}]}
    inputs: list[tuple[str, dict[str, Any], View, list[Any]]] = [
        ("without victim", INDICATOR_OBJECT, WITHOUT_VICTIM, []),
        ("indicator", INDICATOR_OBJECT, INDICATOR, []),
        ("nothing to remove", REPORT, View("x", frozenset({"x"})), []),
        ("required property", REPORT, WITHOUT_VICTIM, []),
        ("one reference hidden", REPORT, View("full"), [["object_refs", 1]]),
        ("all references hidden", REPORT, View("full"), [["object_refs", n] for n in range(12)]),
        ("list addressed by index", indexed, View("full"), [["object_refs", 1]]),
    ]
    cases = []
    for name, data, view, hidden in inputs:
        cut = redact(data, view, hide_refs=[tuple(place) for place in hidden], clause="agreement--1#2")
        said: dict[str, Any]
        if isinstance(cut, Redacted):
            said = {"view": cut.data, "removed": list(cut.removed), "hidden_refs": cut.hidden_refs}
        else:
            said = {"withheld": cut.reason, "properties": list(cut.properties)}
        removes = None if view.keep is not None else sorted(view.remove or ())
        given = {"object": data, "view": view.name, "remove": removes, "hide_refs": hidden, "clause": "agreement--1#2"}
        cases.append(_case(name, "view.md, Redaction", given, said))
    source = COMMON["created_by_ref"]
    new_id = "indicator--7a1c54d0-9f0b-4c7a-9a51-2f3c4d5e6f70"
    given = {
        "object": INDICATOR_OBJECT,
        "new_id": new_id,
        "at": format(T0),
        "own": [PARTY],
        "source": source,
        "hide": ["ministry"],
    }
    for name, own in (("hidden source", [PARTY]), ("own source", [source])):
        more: dict[str, Any] = {"own": own, "source": source, "hide": ["ministry"]}
        said = _outcome(lambda m=more: {"object": anonymise(INDICATOR_OBJECT, new_id=new_id, at=T0, **m)})
        cases.append(_case(name, "view.md, Hidden source", given | {"own": own}, said))
    return cases


FILES = {
    "keys.json": keys,
    "binds.json": binds,
    "envelopes.json": envelopes,
    "commitments.json": commitments,
    "disclosures.json": disclosures,
    "seals.json": seals,
    "cards.json": cards,
    "views.json": views,
}


def written(name: str) -> str:
    """The text of one vector file."""
    return json.dumps({"source": "docs/formats", "cases": FILES[name]()}, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    for file in FILES:
        (folder / file).write_text(written(file), encoding="utf-8")
