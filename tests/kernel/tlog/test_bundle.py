"""The proof bundle: what a court or an auditor verifies offline, and everything a forger may change in it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import InputRefused
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.commitment import VIEW_EXTENSION
from comity.kernel.seal.keys import SigningKey
from comity.kernel.tlog.acts import act_digest, open_act
from comity.kernel.tlog.bundle import ProofBundle, verify_bundle
from comity.kernel.tlog.checkpoint import Checkpoint, origin, sign_checkpoint
from comity.kernel.tlog.promises import Promise, make_promise
from comity.kernel.tlog.rows import Row

FOLDER = Path(__file__).resolve().parents[3] / "vectors" / "tlog"


def world() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tlog_vectors", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


WORLD = world()
GOOD: ProofBundle = WORLD.bundle()
DATA = GOOD.to_json()
HEARD: dict[str, str] = WORLD.anchors()
FIRST, SECOND = WORLD.PARTIES


def resealed(members: dict[str, Any]) -> bytes:
    """The file a forger writes: canonical, and with a sum that fits."""
    rest = {name: value for name, value in members.items() if name != "sum"}
    return canonical({**rest, "sum": sha256(canonical(rest)).hexdigest()})


def refused(data: bytes) -> str:
    report = verify_bundle(data, HEARD)
    assert report["verified"] is False
    assert report["signers"] == []
    assert report["why"]
    assert report["why"].endswith(".")
    return report["why"]


@pytest.mark.parametrize(
    "case", json.loads((FOLDER / "bundles.json").read_text(encoding="utf-8"))["cases"], ids=lambda case: case["name"]
)
def test_vector(case: dict[str, Any]) -> None:
    assert verify_bundle(case["bundle"].encode(), case["anchors"]) == case["report"]


def test_a_relayed_redacted_view_verifies_and_says_who_said_it_and_where_it_is_recorded() -> None:
    report = verify_bundle(DATA, HEARD)
    assert report["verified"] is True
    assert report["why"] is None
    assert report["originator"] == FIRST
    assert report["role"] == "origin"
    assert report["removed"] == 3
    assert [signer["party"] for signer in report["signers"]] == [FIRST, SECOND]
    assert report["log"] == {"origin": origin(SECOND, 1), "index": 10, "size": 20}
    assert b"asks not to be named" not in DATA


def test_a_bundle_written_and_read_is_the_same_bundle_with_what_a_later_version_added() -> None:
    again = ProofBundle.from_json(DATA)
    assert replace(again, cards={party: list(chain) for party, chain in again.cards.items()}) == GOOD
    assert again.to_json() == DATA
    later = resealed(json.loads(DATA) | {"witnesses": ["later"]})
    assert ProofBundle.from_json(later).to_json() == later
    assert verify_bundle(later, HEARD)["verified"] is True


def test_without_an_outside_fingerprint_nobody_vouches() -> None:
    for anchors in ({}, {FIRST: HEARD[FIRST]}, {SECOND: HEARD[SECOND]}, {FIRST: HEARD[SECOND], SECOND: HEARD[FIRST]}):
        report = verify_bundle(DATA, anchors)
        assert report["verified"] is False
        assert report["why"] == "consistent, but nobody vouches for the signer"
        assert report["object"] is not None
    assert all(signer["anchored"] is False for signer in verify_bundle(DATA, {})["signers"])


def test_a_signer_is_anchored_by_key_id_or_by_a_fingerprint_with_other_spaces() -> None:
    keyids = {party: [key.public.keyid] for party, key in zip(WORLD.PARTIES, WORLD.IDENTITIES, strict=True)}
    spaced = {party: text.replace(" ", "\n  ") for party, text in HEARD.items()}
    assert verify_bundle(DATA, keyids)["verified"] is True
    assert verify_bundle(DATA, spaced)["verified"] is True
    assert verify_bundle(DATA, {party: [] for party in WORLD.PARTIES})["verified"] is False


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_every_changed_byte_of_a_bundle_is_refused_with_a_sentence(at: int, value: int) -> None:
    changed = bytearray(DATA)
    changed[at] ^= value
    refused(bytes(changed))


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300) | st.integers(0, len(DATA)).map(lambda end: DATA[:end]).filter(lambda data: data != DATA)
)
def test_a_cut_or_random_file_is_refused_with_a_sentence(data: bytes) -> None:
    refused(data)


LEAVES: list[tuple[Any, ...]] = [
    ("object",),
    ("seal",),
    ("promise",),
    ("agreement", "text"),
    *(("act", name) for name in ("envelope", "salt")),
    *(("row", name) for name in ("n", "digest", "view", "title", "salt", "place")),
    *(("row", "path", place) for place in range(10)),
    *(("log", name) for name in ("place", "proof")),
    *(("log", "inner", place) for place in range(12)),
    *(("cards", party, 0) for party in WORLD.PARTIES),
    *(("disclosure", place, name) for place, one in enumerate(GOOD.disclosure) for name in one),
]


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(LEAVES), st.data())
def test_a_forger_who_mends_the_sum_still_cannot_change_a_byte_of_what_is_proved(
    path: tuple[Any, ...], data: st.DataObject
) -> None:
    members = json.loads(DATA)
    holder: Any = members
    for step in path[:-1]:
        holder = holder[step]
    value = holder[path[-1]]
    if isinstance(value, int):
        holder[path[-1]] = value + data.draw(st.integers(1, 5000))
    elif isinstance(value, list):
        holder[path[-1]] = [*value, "x"]
    else:
        at = data.draw(st.integers(0, len(value) - 1))
        other = data.draw(st.sampled_from("0aA/\n ").filter(lambda one: one != value[at]))
        holder[path[-1]] = value[:at] + other + value[at + 1 :]
    refused(resealed(members))


@pytest.mark.parametrize("name", sorted(set(json.loads(DATA)) - {"agreement"}))
@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [None], {"envelope": 1}])
def test_a_member_that_is_missing_or_of_another_kind_is_refused(name: str, value: Any) -> None:
    members = json.loads(DATA) | {name: value}
    refused(canonical(members) if name == "sum" else resealed(members))
    del members[name]
    refused(canonical(members) if name == "sum" else resealed(members))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda good: replace(good, salt=bytes(16)), "does not lead to the root"),
        (lambda good: replace(good, place=good.place ^ 1), "another place"),
        (lambda good: replace(good, inner=good.inner[:-1]), "12 hashes"),
        (lambda good: replace(good, inner=good.inner * 5), "12 hashes"),
        (lambda good: replace(good, outer=replace(good.outer, index=11)), "another place"),
        (lambda good: replace(good, outer=replace(good.outer, path=good.outer.path * 2)), "longer than"),
        (lambda good: replace(good, outer=replace(good.outer, extra=b"x")), "no extra line"),
        (lambda good: replace(good, row=replace(good.row, view="full")), "row is not at place"),
        (lambda good: replace(good, row=replace(good.row, terms={"tlp": "clear"})), "row is not at place"),
        (lambda good: replace(good, agreement=b"{}"), "not the one that the title"),
        (lambda good: replace(good, disclosure=good.disclosure[:-1]), ""),
        (lambda good: replace(good, object=good.object.replace(b"Loader", b"Reader")), "not what was sealed"),
        (lambda good: replace(good, object=b'{"id":1,"id":2}'), "stands twice"),
        (lambda good: replace(good, object=b"[" * 5000), "cannot be read"),
        (lambda good: replace(good, object=b"[]"), "not a JSON object"),
        (lambda good: replace(good, cards={FIRST: good.cards[FIRST]}), "no card of"),
        (lambda good: replace(good, cards={SECOND: good.cards[SECOND]}), "no card of"),
        (lambda good: replace(good, cards={FIRST: good.cards[SECOND], SECOND: good.cards[FIRST]}), "are of"),
        (lambda good: replace(good, cards={FIRST: (), SECOND: good.cards[SECOND]}), "at least the first card"),
        (lambda good: replace(good, cards=good.cards | {FIRST: good.cards[FIRST] * 2}), "does not follow"),
        (lambda good: replace(good, cards={FIRST: good.cards[FIRST] * 20_000}), "at most"),
        (lambda good: replace(good, seal=good.act), "is of type"),
        (lambda good: replace(good, act=good.seal), "is of type"),
        (lambda good: replace(good, promise=good.seal), "is of type"),
        (lambda good: WORLD.bundle(kind="receive"), "only a delivery"),
        (lambda good: WORLD.bundle(body={}), "page root"),
        (lambda good: WORLD.bundle(body={"page": 5}), "page root"),
        (lambda good: WORLD.bundle(body={"page": "ff" * 32}), "row is not at place"),
    ],
)  # fmt: skip
def test_a_bundle_put_together_wrongly_says_what_does_not_fit(
    change: Callable[[ProofBundle], ProofBundle], says: str
) -> None:
    assert says in refused(change(GOOD).to_json())


def test_an_act_of_another_delivery_cannot_carry_the_row() -> None:
    other = WORLD.bundle(seq=2, previous="00" * 32)
    assert verify_bundle(other.to_json(), HEARD)["verified"] is True
    for part in (
        {"act": other.act},
        {"promise": other.promise},
        {"inner": other.inner, "outer": other.outer},
        {"act": other.act, "promise": other.promise},
    ):
        mixed = replace(GOOD, **part)
        if part.get("inner") == GOOD.inner and part.get("outer") == GOOD.outer:
            continue
        refused(mixed.to_json())


def test_a_promise_or_checkpoint_by_a_key_that_is_no_log_key_is_refused() -> None:
    promise = Promise(act_digest(GOOD.act), origin(SECOND, 1), 10, GOOD.place)
    by_node = replace(GOOD, promise=make_promise(promise, WORLD.NODES[1]))
    assert "not signed by any key" in refused(by_node.to_json())
    stranger = SigningKey.from_seed(b"\x77" * 32)
    root = Checkpoint(origin(SECOND, 1), 20, bytes(32))
    by_stranger = replace(GOOD, outer=replace(GOOD.outer, note=sign_checkpoint(root, stranger)))
    assert "not signed by the known key" in refused(by_stranger.to_json())
    forged_root = replace(GOOD, outer=replace(GOOD.outer, note=sign_checkpoint(root, WORLD.LOGS[1])))
    assert "does not lead to the root" in refused(forged_root.to_json())


def test_an_act_made_before_its_key_began_is_refused() -> None:
    early = WORLD.bundle(at=WORLD.AT - 200 * WORLD.MINUTE)
    assert "not signed by any key" in refused(early.to_json())


def test_the_act_in_a_bundle_is_the_one_the_log_has() -> None:
    keys = {WORLD.NODES[1].public.keyid: WORLD.NODES[1].public}
    act = open_act(GOOD.act, keys)
    assert act.by == SECOND
    assert act.kind == "deliver"


def test_the_row_of_another_seal_is_refused() -> None:
    page = [Row(41 + at, f"{at:064x}", "no-description", GOOD.row.title, {"tlp": "amber"}) for at in range(7)]
    assert "row is not at place" in refused(replace(GOOD, row=page[2]).to_json())


def test_a_claim_of_authorship_that_another_card_disputes_is_contested() -> None:
    disputed = WORLD.bundle(
        cards={FIRST: [WORLD.card(0)], SECOND: [WORLD.card(1, identities=(WORLD.AUTHOR,))]},
    )
    report = verify_bundle(disputed.to_json(), HEARD)
    assert report["role"] == "origin-contested"
    assert report["originator"] is None


def test_a_view_that_understates_what_it_lacks_is_refused() -> None:
    view = json.loads(GOOD.object)
    for said, holds in ((3, True), (0, False), ("3", False)):
        view["extensions"] = {VIEW_EXTENSION: {"view": "no-description", "removed": said}}
        report = verify_bundle(replace(GOOD, object=canonical(view)).to_json(), HEARD)
        assert report["verified"] is holds
        assert holds or "parts are removed" in str(report["why"])


def test_what_is_no_text_cannot_go_into_a_bundle() -> None:
    with pytest.raises(InputRefused):
        replace(GOOD, object=b"\xff").to_json()
