"""The vectors of ``vectors/seal`` against this implementation; each file is also what its generator writes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity.kernel.errors import ComityError
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import format, parse
from comity.kernel.seal.anonymous import anonymise
from comity.kernel.seal.cards import verify_chain
from comity.kernel.seal.commitment import VIEW_EXTENSION, commit, digest_of
from comity.kernel.seal.dsse import open_envelope
from comity.kernel.seal.keys import PublicKey, SigningKey, fingerprint
from comity.kernel.seal.seals import verify_seal
from comity.kernel.seal.secrecy import bind
from comity.kernel.seal.views import BUILT_IN, View, Withheld, redact

FOLDER = Path(__file__).resolve().parents[3] / "vectors" / "seal"
NAMES = ("keys", "binds", "envelopes", "commitments", "disclosures", "seals", "cards", "views")


def _cases(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]
    assert all(set(case) == {"name", "clause", "origin", "input", "expected"} for case in cases)
    return cases


def _keys(spki: list[str]) -> dict[str, PublicKey]:
    return {key.keyid: key for key in (PublicKey(bytes.fromhex(one)) for one in spki)}


def _key(given: dict[str, Any]) -> Any:
    if "spki" in given:
        return PublicKey(bytes.fromhex(given["spki"])).keyid
    key = SigningKey.from_seed(bytes.fromhex(given["seed"])).public
    spki = key.spki
    return {"spki": spki.hex(), "keyid": key.keyid, "fingerprint": fingerprint(spki), "party": party_id(spki)}


def _bind(given: dict[str, Any]) -> Any:
    return {"commitment": bind(bytes.fromhex(given["salt"]), given["label"], given["body"]).hex()}


def _envelope(given: dict[str, Any]) -> Any:
    opened = open_envelope(
        given["envelope"].encode(), given["kind"], _keys(given["keys"]), threshold=given["threshold"]
    )
    return {"body": opened.body, "signers": list(opened.signers)}


def _commitment(given: dict[str, Any]) -> Any:
    if "view" in given:
        return {"digest": digest_of(given["view"], given["disclosure"]).hex()}
    made = commit(given["object"], bytes.fromhex(given["seed"]))
    leaves = [
        {"path": list(one.path or ()), "salt": (one.salt or b"").hex(), "leaf": one.hash.hex()} for one in made.entries
    ]
    return {"digest": made.digest.hex(), "leaves": leaves}


def _disclosure(given: dict[str, Any]) -> Any:
    digest = digest_of(given["view"], given["disclosure"]).hex()
    return {"digest": digest, "same": digest == _cases("disclosures")[0]["expected"]["digest"]}


def _seal(given: dict[str, Any]) -> Any:
    held = verify_seal(given["envelope"].encode(), given["view"], given["disclosure"], _keys(given["keys"]))
    said = {"party": held.party, "role": held.role, "id": held.id, "version": held.version, "at": format(held.at)}
    return said | {"digest": held.digest.hex(), "removed": held.removed, "signer": held.signer}


def _card(given: dict[str, Any]) -> Any:
    card = verify_chain([one.encode() for one in given["envelopes"]])
    at = parse(given["instant"])
    good = {use: sorted(card.keys_at(use, at)) for use in ("identity", "node", "log")}  # type: ignore[arg-type]
    return {"party": card.party, "serial": card.serial, "fingerprint": card.fingerprint, "keys_a_day_later": good}


def _view(given: dict[str, Any]) -> Any:
    if "new_id" in given:
        more = {name: given[name] for name in ("new_id", "own", "source", "hide")}
        return {"object": anonymise(given["object"], at=parse(given["at"]), **more)}
    view = BUILT_IN["indicator"] if given["remove"] is None else View(given["view"], frozenset(given["remove"]))
    hidden = [tuple(place) for place in given["hide_refs"]]
    cut = redact(given["object"], view, hide_refs=hidden, clause=given["clause"])
    if isinstance(cut, Withheld):
        return {"withheld": cut.reason, "properties": list(cut.properties)}
    return {"view": cut.data, "removed": list(cut.removed), "hidden_refs": cut.hidden_refs}


_READ: dict[str, Any] = {
    "keys": _key,
    "binds": _bind,
    "envelopes": _envelope,
    "commitments": _commitment,
    "disclosures": _disclosure,
    "seals": _seal,
    "cards": _card,
    "views": _view,
}


@pytest.mark.parametrize(
    ("name", "case"),
    [pytest.param(name, case, id=f"{name}: {case['name']}") for name in NAMES for case in _cases(name)],
)
def test_vector_holds(name: str, case: dict[str, Any]) -> None:
    try:
        result = _READ[name](case["input"])
    except ComityError as refused:
        result = {"refused": refused.code}
    assert result == case["expected"]


@pytest.mark.parametrize("case", [case for case in _cases("commitments") if "object" in case["input"]])
def test_second_implementation_gives_the_digests_of_the_vectors(reference: Any, case: dict[str, Any]) -> None:
    seed = bytes.fromhex(case["input"]["seed"])
    assert reference.digest(case["input"]["object"], seed, VIEW_EXTENSION).hex() == case["expected"]["digest"]


def test_every_vector_file_is_run() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(NAMES) == sorted(_READ)


@pytest.mark.parametrize("name", NAMES)
def test_vector_file_is_what_its_generator_writes(name: str) -> None:
    spec = importlib.util.spec_from_file_location("seal_vectors", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.written(f"{name}.json") == (FOLDER / f"{name}.json").read_text(encoding="utf-8")
