"""The vectors of ``vectors/tlog`` against this implementation; each file is also what its generator writes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity.kernel.errors import ComityError, InputRefused, LogFault, SealBroken
from comity.kernel.seal.keys import PublicKey
from comity.kernel.tlog.acts import act_digest, open_act
from comity.kernel.tlog.checkpoint import open_checkpoint, raw_key, verify_fork
from comity.kernel.tlog.note import key_id, open_note
from comity.kernel.tlog.promises import Opening, open_promise, verify_kept, verify_two_promises
from comity.kernel.tlog.proof import LogProof
from comity.kernel.tlog.rows import Row, page_root, row_leaf, row_salt, verify_row
from comity.kernel.tlog.ticks import act_leaf, inner_root, record_hash, tick_secret, verify_inner
from comity.kernel.tlog.tiles import parse_tile_path, tile_path, tiles_of
from comity.kernel.tlog.tree import leaf_hash, root_of, verify_consistency, verify_inclusion

FOLDER = Path(__file__).resolve().parents[3] / "vectors" / "tlog"


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tlog_vectors", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unhex(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(one) for one in hashes]


def test_the_files_are_what_their_generator_writes() -> None:
    written = generator().files()
    assert {path.name for path in FOLDER.glob("*.json")} == set(written)
    for name, text in written.items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text


# Published with the Certificate Transparency reference implementation; written here a second time on purpose.
CT_ROOT_8 = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
CT_ROOT_7 = "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"


def test_the_roots_of_certificate_transparency_come_out() -> None:
    vector = load("merkle.json")
    leaves = [leaf_hash(bytes.fromhex(one)) for one in vector["entries"]]
    assert [root_of(leaves[:size]).hex() for size in range(9)] == vector["roots"]
    assert vector["roots"][7:] == [CT_ROOT_7, CT_ROOT_8]


@pytest.mark.parametrize("case", load("merkle.json")["inclusion"], ids=lambda case: case["name"])
def test_inclusion(case: dict[str, Any]) -> None:
    call = (
        bytes.fromhex(case["leaf"]),
        case["index"],
        case["size"],
        unhex(case["proof"]),
        bytes.fromhex(case["root"]),
    )
    if case["holds"]:
        verify_inclusion(*call)
    else:
        with pytest.raises(SealBroken):
            verify_inclusion(*call)


@pytest.mark.parametrize("case", load("merkle.json")["consistency"], ids=lambda case: case["name"])
def test_consistency(case: dict[str, Any]) -> None:
    roots = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    if case["holds"]:
        verify_consistency(case["old"], case["new"], *roots, unhex(case["proof"]))
    else:
        with pytest.raises(LogFault):
            verify_consistency(case["old"], case["new"], *roots, unhex(case["proof"]))


def test_the_note_of_go_opens() -> None:
    go = load("notes.json")["go"]
    assert key_id(go["name"], bytes.fromhex(go["key"])).hex() == go["key_id"]
    assert go["note"].startswith(open_note(go["note"].encode(), go["name"], bytes.fromhex(go["key"])))


@pytest.mark.parametrize("case", load("notes.json")["cases"], ids=lambda case: case["name"])
def test_checkpoint(case: dict[str, Any]) -> None:
    vector = load("notes.json")
    call = (case["note"].encode(), vector["origin"], bytes.fromhex(vector["key"]))
    if case["refused"] is None:
        assert open_checkpoint(*call).size == 7
    else:
        with pytest.raises(ComityError) as refused:
            open_checkpoint(*call)
        assert refused.value.code == case["refused"]


def test_tiles() -> None:
    vector = load("tiles.json")
    for case in vector["paths"]:
        assert tile_path(case["level"], case["index"], case["width"]) == case["path"]
        assert parse_tile_path(case["path"]) == (case["level"], case["index"], case["width"])
    for case in vector["partial"]:
        assert [list(one) for one in tiles_of(case["size"])] == case["tiles"]


def test_ticks() -> None:
    vector = load("ticks.json")
    secret, leaf = bytes.fromhex(vector["log_secret"]), bytes.fromhex(vector["leaf"])
    assert act_leaf(bytes.fromhex(vector["salt"]), vector["act"].encode()) == leaf
    for case in vector["ticks"]:
        root = bytes.fromhex(case["root"])
        assert tick_secret(secret, case["tick"]).hex() == case["secret"]
        assert inner_root({proof["place"]: leaf for proof in case["proofs"]}, secret, case["tick"]) == root
        assert record_hash(root).hex() == case["record"]
        for proof in case["proofs"]:
            verify_inner(leaf, proof["place"], unhex(proof["path"]), root)


def test_rows() -> None:
    vector = load("rows.json")
    secret, root = bytes.fromhex(vector["secret"]), bytes.fromhex(vector["root"])
    rows = [Row(*case["row"]) for case in vector["rows"]]
    assert page_root(rows, secret) == root
    assert page_root([], secret).hex() == vector["empty_root"]
    for row, case in zip(rows, vector["rows"], strict=True):
        salt = bytes.fromhex(case["salt"])
        assert row_salt(secret, case["place"]) == salt
        assert row_leaf(row, salt).hex() == case["leaf"]
        verify_row(row, salt, case["place"], unhex(case["path"]), root)


def test_an_act_its_promise_and_the_proof_that_it_was_kept() -> None:
    vector = load("record.json")
    node, log = (PublicKey(bytes.fromhex(vector[name])) for name in ("node_key", "log_key"))
    envelope = vector["act"].encode()
    assert open_act(envelope, {node.keyid: node}).origin == vector["origin"]
    assert act_digest(envelope) == vector["digest"]
    promise = open_promise(vector["promise"].encode(), {log.keyid: log})
    opening = Opening(
        envelope,
        bytes.fromhex(vector["salt"]),
        vector["place"],
        unhex(vector["inner"]),
        bytes.fromhex(vector["inner_root"]),
        LogProof.from_text(vector["outer"].encode()),
    )
    assert verify_kept(promise, opening, raw_key(log.spki)) == 20
    first, second = verify_two_promises(vector["two_promises"].encode(), log)
    assert first == promise
    assert second.act != promise.act


@pytest.mark.parametrize("case", load("record.json")["forks"], ids=lambda case: case["name"])
def test_fork(case: dict[str, Any]) -> None:
    key = raw_key(bytes.fromhex(load("record.json")["log_key"]))
    if case["convicts"]:
        verify_fork(case["evidence"].encode(), key)
    else:
        with pytest.raises(InputRefused) as refused:
            verify_fork(case["evidence"].encode(), key)
        assert refused.value.code == "fork-evidence"
