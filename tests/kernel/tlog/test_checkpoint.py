"""Checkpoints as C2SP has them, and what a dishonest log or a man in the middle may try with them."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import ComityError, InputRefused, SealBroken
from comity.kernel.seal.keys import SigningKey
from comity.kernel.tlog.checkpoint import (
    Checkpoint,
    Fork,
    ForkEvidence,
    Grown,
    Restored,
    RolledBack,
    Same,
    Unproved,
    judge,
    open_checkpoint,
    origin,
    parse_origin,
    raw_key,
    sign_checkpoint,
    verify_fork,
)
from comity.kernel.tlog.note import key_id, open_note, sign_note
from comity.kernel.tlog.proof import LogProof
from comity.kernel.tlog.tree import EMPTY_ROOT, ReadHash, consistency_proof, inclusion_proof, leaf_hash, root_of

PARTY = "identity--5f3cb5a2-9dd6-5a8b-a9cf-6d5b9cf07c1c"
OTHER = "identity--11111111-9dd6-5a8b-a9cf-6d5b9cf07c1c"
LOG = origin(PARTY, 1)
KEY = SigningKey.from_seed(b"\x07" * 32)
RAW = raw_key(KEY.public.spki)
STRANGER = SigningKey.from_seed(b"\x08" * 32)
LEAVES = [leaf_hash(index.to_bytes(4, "big")) for index in range(400)]
FORKED = [*LEAVES[:5], leaf_hash(b"rewritten"), *LEAVES[6:]]


def reader(leaves: list[bytes]) -> ReadHash:
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


def signed(size: int, leaves: list[bytes] = LEAVES, key: SigningKey = KEY, log: str = LOG) -> bytes:
    return sign_checkpoint(Checkpoint(log, size, root_of(leaves[:size])), key)


def test_a_checkpoint_is_the_text_of_the_standard_and_opens_with_the_log_s_key() -> None:
    note = signed(300)
    text, _, signature = note.decode().partition("\n\n")
    assert text == f"{LOG}\n300\n{b64encode(root_of(LEAVES[:300])).decode()}"
    assert signature.startswith(f"— {LOG} ")
    assert signature.endswith("\n")
    assert signature.count("\n") == 1
    assert open_checkpoint(note, LOG, RAW) == Checkpoint(LOG, 300, root_of(LEAVES[:300]))


def test_a_note_of_go_s_sumdb_opens_with_its_published_key() -> None:
    raw = bytes.fromhex("1a5cd907143c384c41e830c5bce12aa881 7ec5649aaabf2c31388b35b2d744d6".replace(" ", ""))
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert key_id("PeterNeumann", raw).hex() == "c74f20a3"
    assert open_note(note.encode(), "PeterNeumann", raw).count("\n") == 2


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_changed_byte_of_a_checkpoint_is_refused_with_a_sentence(data: st.DataObject) -> None:
    note = bytearray(signed(300))
    at, value = data.draw(st.integers(0, len(note) - 1)), data.draw(st.integers(1, 255))
    note[at] ^= value
    with pytest.raises((InputRefused, SealBroken)) as refused:
        open_checkpoint(bytes(note), LOG, RAW)
    assert refused.value.sentence.endswith(".")


@settings(max_examples=100, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_random_bytes_are_no_checkpoint(data: bytes) -> None:
    with pytest.raises(InputRefused):
        open_checkpoint(data, LOG, RAW)
    with pytest.raises(InputRefused):
        LogProof.from_text(data)


def test_signature_lines_of_unknown_keys_are_passed_over() -> None:
    note = signed(300)
    witness = f"— witness.example/w1 {b64encode(b'abcd' + bytes(72)).decode()}\n".encode()
    other_type = f"— {LOG} {b64encode(b'abcd' + bytes(64)).decode()}\n".encode()
    for more in (witness, other_type, witness * 20):
        assert open_checkpoint(note + more, LOG, RAW).size == 300
    head, _, own = note.partition(b"\n\n")
    assert open_checkpoint(head + b"\n\n" + witness + own, LOG, RAW).size == 300


def test_a_broken_signature_under_the_known_key_refuses_the_note_even_beside_a_good_one() -> None:
    note = signed(300)
    forged = f"— {LOG} {b64encode(key_id(LOG, RAW) + bytes(64)).decode()}\n".encode()
    with pytest.raises(SealBroken, match="does not fit"):
        open_checkpoint(note + forged, LOG, RAW)


def test_a_checkpoint_signed_by_another_party_is_refused() -> None:
    with pytest.raises(SealBroken, match="not signed by the known key"):
        open_checkpoint(signed(300, key=STRANGER), LOG, RAW)


def test_the_signature_of_another_size_is_refused() -> None:
    text, _, _ = signed(300).partition(b"\n\n")
    _, _, line = signed(299).partition(b"\n\n")
    with pytest.raises(SealBroken, match="does not fit"):
        open_checkpoint(text + b"\n\n" + line, LOG, RAW)


def test_the_checkpoint_of_another_log_is_refused_though_its_key_signed() -> None:
    with pytest.raises(InputRefused, match="not of"):
        open_checkpoint(signed(300, log=origin(PARTY, 2)), LOG, RAW)


ROOT = b64encode(root_of(LEAVES[:7])).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"{LOG}\n07\n{ROOT}\n",
        f"{LOG}\n+7\n{ROOT}\n",
        f"{LOG}\n-7\n{ROOT}\n",
        f"{LOG}\n7 \n{ROOT}\n",
        f"{LOG}\n٧\n{ROOT}\n",
        f"{LOG}\n9223372036854775808\n{ROOT}\n",
        f"{LOG}\n7\n{ROOT[:-1]}\n",
        f"{LOG}\n7\n{ROOT[:-2]}B=\n",
        f"{LOG}\n7\n{b64encode(bytes(31)).decode()}\n",
        f"{LOG}\n7\n",
        f"{LOG}\n7\n{ROOT}\n\nextra\n",
        f"\n7\n{ROOT}\n",
        f"{LOG}\n0\n{ROOT}\n",
    ],
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        open_checkpoint(sign_note(text, LOG, RAW, KEY), LOG, RAW)
    assert refused.value.code == "note"


def test_a_line_break_cannot_be_smuggled_into_what_a_log_signs() -> None:
    for name, more in ((LOG + "\n8", ()), (LOG, ("a\nb",)), (LOG, ("",)), ("", ()), ("two words", ())):
        with pytest.raises(InputRefused):
            sign_checkpoint(Checkpoint(name, 7, root_of(LEAVES[:7]), more), KEY)


def test_extension_lines_are_read_and_kept() -> None:
    note = sign_note(f"{LOG}\n7\n{ROOT}\nsomething later\n", LOG, RAW, KEY)
    assert open_checkpoint(note, LOG, RAW).extensions == ("something later",)


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.replace("\n", "\r\n"),
        lambda note: note.replace("— ", "- "),
        lambda note: note.replace("— ", "—  "),
        lambda note: note[:-1],
        lambda note: note + "\n",
        lambda note: note + "— x\n",
        lambda note: note + "not a signature\n",
        lambda note: note + note.partition("\n\n")[2] * 200,
        lambda note: note * 2000,
        lambda note: note.partition("\n\n")[0] + "\n\n",
        lambda note: "\ufeff" + note,
        lambda note: "\x00" + note,
        lambda note: "",
    ],
)
def test_a_note_in_another_form_is_refused(change: object) -> None:
    note = change(signed(7).decode())  # type: ignore[operator]
    with pytest.raises(InputRefused) as refused:
        open_checkpoint(note.encode(), LOG, RAW)
    assert refused.value.code in {"note", "log-origin"}


def test_an_origin_names_the_party_and_the_incarnation() -> None:
    assert LOG == "comity/5f3cb5a2-9dd6-5a8b-a9cf-6d5b9cf07c1c/1"
    assert parse_origin(origin(PARTY, 12)) == (PARTY, 12)
    for text in ("comity/x/1", LOG[:-1], LOG + "\n", LOG[:-1] + "0", LOG[:-1] + "01", LOG.upper(), "example.com/log"):
        with pytest.raises(InputRefused):
            parse_origin(text)
    for party, incarnation in ((PARTY[10:], 1), (PARTY, 0), (PARTY, -1), ("identity--x", 1)):
        with pytest.raises(InputRefused):
            origin(party, incarnation)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (7, 300), (8, 300), (256, 300), (299, 300), (0, 300)])
def test_an_honest_log_that_grew_is_believed(old: int, new: int) -> None:
    for explicit in (False, True):
        proof = consistency_proof(old, new, reader(LEAVES), explicit=explicit)
        assert isinstance(judge(signed(old), signed(new), proof, keys=[RAW]), Grown)


def test_the_same_checkpoint_again_says_nothing_new() -> None:
    assert isinstance(judge(signed(300), signed(300), None, keys=[RAW]), Same)
    later_cosigned = signed(300) + f"— witness.example {b64encode(bytes(76)).decode()}\n".encode()
    assert isinstance(judge(signed(300), later_cosigned, None, keys=[RAW]), Same)


def test_replayed_smaller_checkpoint_is_refused() -> None:
    assert isinstance(judge(signed(300), signed(299), None, keys=[RAW]), RolledBack)
    assert isinstance(judge(signed(300), signed(0, []), None, keys=[RAW]), RolledBack)


def test_a_log_shown_differently_to_two_peers_is_a_fork_and_the_file_convinces_a_third() -> None:
    verdict = judge(signed(300), signed(300, FORKED), None, keys=[RAW])
    assert isinstance(verdict, Fork)
    older, newer = verify_fork(verdict.evidence.to_json(), RAW)
    assert older.size == newer.size == 300
    assert older.root != newer.root


@pytest.mark.parametrize("old", [6, 7, 8, 64, 255, 256, 299])
def test_a_rewritten_history_of_another_size_is_a_fork_and_the_file_convinces_a_third(old: int) -> None:
    proof = consistency_proof(old, 300, reader(FORKED), explicit=True)
    verdict = judge(signed(old), signed(300, FORKED), proof, keys=[RAW])
    assert isinstance(verdict, Fork)
    assert verify_fork(verdict.evidence.to_json(), RAW)[1].size == 300


def test_a_damaged_or_missing_proof_convicts_nobody() -> None:
    old, new = signed(7), signed(300)
    honest = consistency_proof(7, 300, reader(LEAVES))
    for proof in (
        None,
        (),
        honest[:-1],
        (*honest, EMPTY_ROOT),
        [EMPTY_ROOT] * len(honest),
        [b"short"],
        [EMPTY_ROOT] * 10_000,
    ):
        verdict = judge(old, new, proof, keys=[RAW])
        assert isinstance(verdict, Unproved)
        assert verdict.why


def test_a_later_incarnation_is_a_restore_and_an_earlier_one_is_refused() -> None:
    restored = signed(3, FORKED, log=origin(PARTY, 2))
    assert isinstance(judge(signed(300), restored, None, keys=[RAW]), Restored)
    assert isinstance(judge(restored, signed(300), None, keys=[RAW]), RolledBack)
    with_new_key = signed(3, FORKED, STRANGER, origin(PARTY, 2))
    assert isinstance(judge(signed(300), with_new_key, None, keys=[RAW, raw_key(STRANGER.public.spki)]), Restored)


def test_a_checkpoint_the_log_did_not_sign_convicts_nobody() -> None:
    with pytest.raises(SealBroken):
        judge(signed(300), signed(300, FORKED, STRANGER), None, keys=[RAW])
    with pytest.raises(SealBroken):
        verify_fork(ForkEvidence(signed(300), signed(300, FORKED, STRANGER)), RAW)
    with pytest.raises(InputRefused, match="two parties"):
        judge(signed(300), signed(300, FORKED, log=origin(OTHER, 1)), None, keys=[RAW])


def test_an_honest_log_cannot_be_framed_with_its_own_checkpoints() -> None:
    good, grown = signed(7), signed(300)
    honest = consistency_proof(7, 300, reader(LEAVES), explicit=True)
    forked = consistency_proof(7, 300, reader(FORKED), explicit=True)
    power = consistency_proof(8, 300, reader(LEAVES), explicit=True)
    for evidence in (
        ForkEvidence(good, good),
        ForkEvidence(good, grown),
        ForkEvidence(good, grown, honest),
        ForkEvidence(good, grown, forked),
        ForkEvidence(grown, good, honest),
        ForkEvidence(signed(8), grown, (LEAVES[0], *power[1:])),
        ForkEvidence(signed(8), grown, power[1:]),
        ForkEvidence(signed(7), signed(7), honest),
    ):
        with pytest.raises(InputRefused) as refused:
            verify_fork(evidence, RAW)
        assert refused.value.code == "fork-evidence"
    with pytest.raises(InputRefused, match="not of"):
        verify_fork(ForkEvidence(good, signed(7, FORKED, log=origin(PARTY, 2))), RAW)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_changed_byte_of_fork_evidence_is_refused(data: st.DataObject) -> None:
    proof = consistency_proof(8, 11, reader(FORKED), explicit=True)
    blob = bytearray(ForkEvidence(signed(8), signed(11, FORKED), proof).to_json())
    verify_fork(bytes(blob), RAW)
    at, value = data.draw(st.integers(0, len(blob) - 1)), data.draw(st.integers(1, 255))
    blob[at] ^= value
    with pytest.raises(ComityError):
        verify_fork(bytes(blob), RAW)


def test_a_proof_file_is_the_text_of_the_standard_and_verifies_offline() -> None:
    proof = LogProof(42, inclusion_proof(42, 300, reader(LEAVES)), signed(300), b"place and salt")
    text = proof.to_text()
    assert text.startswith(b"c2sp.org/tlog-proof@v1\nextra cGxhY2UgYW5kIHNhbHQ=\nindex 42\n")
    assert LogProof.from_text(text) == proof
    assert proof.verify(LEAVES[42], LOG, RAW).size == 300
    only = LogProof(0, (), signed(1))
    assert LogProof.from_text(only.to_text()) == only
    only.verify(LEAVES[0], LOG, RAW)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_changed_byte_of_a_proof_file_is_refused(data: st.DataObject) -> None:
    blob = bytearray(LogProof(42, inclusion_proof(42, 300, reader(LEAVES)), signed(300)).to_text())
    at, value = data.draw(st.integers(0, len(blob) - 1)), data.draw(st.integers(1, 255))
    blob[at] ^= value
    with pytest.raises((InputRefused, SealBroken)):
        LogProof.from_text(bytes(blob)).verify(LEAVES[42], LOG, RAW)


def test_a_proof_for_another_log_of_the_same_party_is_refused() -> None:
    proof = LogProof(42, inclusion_proof(42, 300, reader(LEAVES)), signed(300, log=origin(PARTY, 2)))
    with pytest.raises(InputRefused, match="not of"):
        proof.verify(LEAVES[42], LOG, RAW)


def test_a_proof_file_with_a_thousand_hashes_is_refused() -> None:
    text = LogProof(42, (EMPTY_ROOT,) * 1000, signed(300)).to_text()
    with pytest.raises(InputRefused, match="at most 64"):
        LogProof.from_text(text)
