"""Two and three parties by command alone, over files carried by hand: introduction, signature, delivery, why, proof, and its end."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from comity.__main__ import wiring
from comity.kernel.model.instants import DAY, SECOND, parse
from simulators.shell import Party, call, carry, found, introduce

VALUES = b"192.0.2.1\n198.51.100.7\nevil.example.org\n"
SAID = ("--tlp", "green", "--no-caveats", "--basis", "agreement", "--purpose", "protect-networks")


@dataclass
class Pair:
    """Alpha and Beta, introduced, with a bilateral agreement in force and three indicators of Alpha's delivered."""

    alpha: Party
    beta: Party
    digest: str
    folder: Path
    objects: list[str]


def sign(digest: str, *parties: Party) -> None:
    """All sign, and what each signed is carried to every other, twice, so that renewals arrive too."""
    for party in parties:
        party.do("agreement", "sign", digest, "--reason", "agreed", officer="Ann")
    for _ in range(2):
        for one in parties:
            for other in parties:
                if one is not other:
                    carry(one, other)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    alpha = found(folder / "alpha", "Alpha", "csirt", "XA")
    beta = found(folder / "beta", "Beta", "company", "XB")
    introduce(alpha, beta)
    draft = folder / "draft.toml"
    alpha.do(
        "agreement",
        "draft",
        "--template",
        "bilateral",
        "--party",
        "a=Alpha",
        "--party",
        "b=Beta",
        "--output",
        str(draft),
    )
    digest = alpha.do("agreement", "receive", str(draft))["digest"]
    alpha.do("import", "-", *SAID, stdin=VALUES)
    assert alpha.do("agreement", "preview", digest)["parties"][0]["shown"] == 4  # the definition of their extension too
    alpha.do("agreement", "send", digest, officer="Ann")
    carry(alpha, beta)
    sign(digest, alpha, beta)
    found_ = alpha.do("export", "--type", "indicator", "--output", str(folder / "all.json"))
    assert found_["objects"] == 3
    objects = [one["id"] for one in json.loads((folder / "all.json").read_bytes())["objects"]]
    carry(beta, alpha)
    return Pair(alpha, beta, digest, folder, objects)


def test_what_the_preview_showed_is_what_arrives(pair: Pair) -> None:
    out = pair.folder / "beta.json"
    assert pair.beta.do("export", "--type", "indicator", "--output", str(out))["objects"] == 3
    pair.alpha.do("export", "--to", "Beta", "--type", "indicator", "--output", str(pair.folder / "as-beta.json"))
    assert out.read_bytes() == (pair.folder / "as-beta.json").read_bytes()
    standing = pair.alpha.do("release", "preview", "Beta")
    assert (standing["standing"], standing["shown"]) == (4, 0)
    assert list(standing["standing_by_clause"]) == [f"{pair.digest}#1"]


def test_why_is_answered_on_both_sides(pair: Pair) -> None:
    gave = pair.alpha.do("why", pair.objects[0], "Beta")
    assert gave["released"] is True
    assert "clause 1" in gave["sentence"]
    back = pair.beta.do("why", pair.objects[0], "Alpha")
    assert back["released"] is False
    assert back["failed"] or back["prohibited_by"]
    answer = call(pair.alpha.wired, "--home", str(pair.alpha.folder), "why", pair.objects[0], "Beta")
    assert answer.text.startswith(gave["sentence"].partition(" It was given")[0])


def test_account_lists_every_row_with_its_receipt(pair: Pair) -> None:
    told = pair.alpha.do("account", "--party", "Beta", "--taken")
    definition = [row["object"] for row in told["given"] if row["object"].startswith("extension-definition--")]
    assert sorted(row["object"] for row in told["given"]) == sorted([*pair.objects, *definition])
    assert len(definition) == 1
    assert all(row["receipt"] and row["clause"] == "1" for row in told["given"])
    assert told["imports"][-1]["new"] == 3
    assert pair.alpha.do("account", "--to", "2021-03-02T00:00:00Z")["count"] == 0
    taken = pair.beta.do("account", "--taken")["taken"]
    assert [row["code"] for row in taken] == [None] * 4


def test_pack_that_was_taken_is_passed_over(pair: Pair) -> None:
    pack = pair.folder / "again.pack"
    pair.alpha.do("pack", "--to", "Beta", str(pack))
    assert pair.beta.do("unpack", str(pack))["rows"] == 0
    assert pair.beta.do("unpack", str(pack))["turns"] == 0
    answer = pair.alpha.try_("unpack", str(pack))
    assert (answer.status, answer.json["code"]) == (1, "pack-addressee")


def test_proof_verifies_only_for_who_knows_the_fingerprint_from_elsewhere(pair: Pair) -> None:
    proof = pair.folder / "given.proof.json"
    pair.alpha.do("log", "prove", pair.objects[0], "Beta", "--output", str(proof))
    alone = wiring()
    known = call(alone, "verify", str(proof), "--fingerprint", pair.alpha.fingerprint, "--json")
    assert (known.status, known.json["verified"], known.json["object"]) == (0, True, pair.objects[0])
    by_card = call(alone, "verify", str(proof), "--card", str(pair.folder / "alpha.card"), "--json")
    assert by_card.json == known.json
    for words in ([], ["--fingerprint", pair.beta.fingerprint]):
        unknown = call(alone, "verify", str(proof), *words, "--json")
        assert (unknown.status, unknown.json["verified"]) == (1, False)
        assert unknown.json["why"] == "consistent, but nobody vouches for the signer"


def test_proof_that_was_changed_by_one_byte_is_refused(pair: Pair) -> None:
    proof = pair.folder / "changed.proof.json"
    pair.alpha.do("log", "prove", pair.objects[1], "Beta", "--output", str(proof))
    data = bytearray(proof.read_bytes())
    for place in range(200, len(data), len(data) // 12):
        changed = bytearray(data)
        changed[place] ^= 1
        proof.write_bytes(changed)
        answer = call(wiring(), "verify", str(proof), "--fingerprint", pair.alpha.fingerprint, "--json")
        assert (answer.status, answer.json["verified"]) == (1, False)


def test_what_was_never_given_cannot_be_proved(pair: Pair) -> None:
    answer = pair.beta.try_("log", "prove", pair.objects[0], "Alpha", "--output", str(pair.folder / "no.json"))
    assert answer.status == 1  # no network here to ask Alpha's log, and nothing was given to Alpha
    answer = pair.alpha.try_("log", "prove", "indicator--00000000-0000-4000-8000-000000000000", "Beta", "--output", "x")
    assert (answer.status, answer.json["code"]) == (1, "not-given")


def test_act_is_proved_by_its_digest(pair: Pair) -> None:
    acts = pair.alpha.do("log", "show", "--to", "Beta", "--kind", "deliver")["acts"]
    assert [one["state"] for one in acts] == ["in the log"]
    out = pair.folder / "act.json"
    pair.alpha.do("log", "prove", acts[0]["act"][:16], "--output", str(out))
    assert json.loads(out.read_bytes())["tick"] == acts[0]["tick"]
    shown = pair.alpha.do("log", "checkpoint")
    assert shown["size"] > acts[0]["tick"]
    assert shown["checkpoint"].startswith(shown["origin"])


def test_promises_of_the_other_side_are_listed(pair: Pair) -> None:
    told = pair.beta.do("log", "promises")
    assert told["promises"]
    assert set(told["states"]) <= {"pending", "overdue", "proved"}


def test_outbox_is_empty_once_everything_is_receipted(pair: Pair) -> None:
    row = pair.alpha.do("outbox", "list")["outbox"][0]
    assert (row["name"], row["objects"]) == ("Beta", 0)
    pair.alpha.do("outbox", "retry", "Beta")


def test_administrator_sets_how_much_a_party_may_send_in_a_day(pair: Pair) -> None:
    assert pair.alpha.try_("peer", "limit", "Beta", "--rows", "5").json["code"] == "token-needed"
    usual = pair.alpha.do("peer", "limit", "Beta", officer="Ann")["limits"]
    set_ = pair.alpha.do("peer", "limit", "Beta", "--rows", "5", officer="Ann")
    assert set_["limits"] == {**usual, "rows": 5}
    assert set_["today"]["control"] > 0
    assert pair.alpha.do("peer", "limit", "Beta", "--rows", "0", officer="Ann")["limits"] == usual
    assert pair.alpha.try_("peer", "limit", "Beta", "--rows=-1", officer="Ann").json["code"] == "quota"
    assert pair.alpha.do("peer", "list")["peers"][0]["quota"] is None


def test_two_drafts_are_compared_in_words_and_in_objects(pair: Pair) -> None:
    old, new = pair.folder / "old.toml", pair.folder / "new.toml"
    words = ("agreement", "draft", "--template", "bilateral", "--party", "a=Alpha", "--party", "b=Beta", "--output")
    pair.alpha.do(*words, str(old), "--begins", "2030-01-01T00:00:00Z")
    new.write_text(old.read_text().replace('tlp        = ["clear", "green", "amber"]', 'tlp        = ["clear"]'))
    told = pair.alpha.do("agreement", "diff", str(old), str(new))
    assert [one["where"] for one in told["words"]] == ["clause 1"]
    assert [len(one["loses"]) for one in told["objects"]] in ([0], [3])
    readable = pair.alpha.do("agreement", "text", str(new))["text"]
    assert "TLP:CLEAR" in readable
    assert isinstance(pair.alpha.do("agreement", "lint", str(new), "--interval", "P2D")["findings"], list)
    assert "lease-short" in {
        one["code"] for one in pair.alpha.do("agreement", "lint", str(new), "--interval", "P2D")["findings"]
    }


def test_agreement_with_a_misspelt_key_is_refused_with_line_and_nearest(pair: Pair) -> None:
    broken = pair.folder / "broken.toml"
    text = (pair.folder / "draft.toml").read_text()
    broken.write_text(text.replace("retention  =", "retenton  =", 1))
    answer = pair.alpha.try_("agreement", "receive", str(broken))
    assert (answer.status, answer.json["code"]) == (1, "agreement-unknown-key")
    assert "retention" in answer.json["sentence"]


def test_signing_needs_the_role_and_happens_once(pair: Pair) -> None:
    answer = pair.alpha.try_("agreement", "sign", pair.digest)
    assert (answer.status, answer.json["code"]) == (1, "token-needed")
    answer = pair.alpha.try_("agreement", "sign", pair.digest, officer="Ann")
    assert (answer.status, answer.json["code"]) == (1, "already-done")


def test_wrong_fingerprint_is_not_taken(pair: Pair) -> None:
    answer = pair.alpha.try_(
        "card", "verify", "Beta", "--fingerprint", pair.alpha.fingerprint, "--method", "fax", officer="Ann"
    )
    assert (answer.status, answer.json["code"]) == (1, "fingerprint-differs")


def test_red_object_goes_only_by_the_word_of_two_officers(pair: Pair) -> None:
    alpha = pair.alpha
    alpha.tokens["Bob"] = alpha.do("officer", "add", "Bob", "--role", "release", officer="Ann")["token"]
    alpha.do(
        "import",
        "-",
        "--tlp",
        "red",
        "--no-caveats",
        "--basis",
        "agreement",
        "--recipient",
        "duty-officer",
        stdin=b"203.0.113.9\n",
    )
    red = alpha.do("search", "203.0.113.9")["found"][0]["object"]
    waiting = alpha.do("release", "list", "Beta")["waiting"]
    assert [(one["object"], one["officers"]) for one in waiting] == [(red, 2)]
    words = ("release", "approve", red, "--to", "Beta", "--reason", "the source agreed")
    assert alpha.try_(*words).json["code"] == "token-needed"
    assert alpha.do(*words, officer="Ann")["released"] is False
    assert alpha.try_(*words, officer="Ann").json["code"] == "second-officer"
    assert alpha.do("why", red, "Beta")["released"] is False
    assert alpha.do(*words, officer="Bob")["released"] is True
    assert alpha.do("why", red, "Beta")["released"] is True
    assert carry(alpha, pair.beta) == 1
    assert pair.beta.do("search", "203.0.113.9")["count"] == 1


def test_card_with_a_new_office_reaches_the_partner(pair: Pair) -> None:
    told = pair.alpha.do("card", "set", "--office", "duty-officer", "--office", "press", officer="Ann")
    assert told["sent"] == [pair.beta.id]
    carry(pair.alpha, pair.beta)
    shown = pair.beta.do("card", "show", "Alpha")
    assert (shown["offices"], shown["serial"]) == (["duty-officer", "press"], 2)
    assert shown["verified"]["method"] == "telephone"


def test_party_without_a_node_gets_a_token_and_hears_where_it_can_never_receive(pair: Pair) -> None:
    told = pair.alpha.do("peer", "add", "--taxii", "Gamma", "--kind", "ngo", "--country", "XC", officer="Ann")
    assert told["token"].startswith("cmt_")
    assert [one["clause"] for one in told["never"]] == ["1"]
    assert "receipt" in told["never"][0]["because"]
    answer = pair.alpha.try_("peer", "add", "--taxii", "Gamma", "--kind", "ngo", "--country", "XC", officer="Ann")
    assert answer.json["code"] == "already-done"
    assert pair.alpha.do("peer", "token", "Gamma", "--name", "second reader", officer="Ann")["token"] != told["token"]


@pytest.mark.parametrize(
    ("use", "when"),
    [
        ("identity", ["--at-once"]),
        ("node", ["--after", "PT10S"]),
        ("log", ["--after", "PT10S"]),
        ("log", ["--at-once"]),
    ],
)
def test_keys_rotate_and_what_was_signed_before_stays_valid(use: str, when: list[str], tmp_path: Path) -> None:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA")
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB")
    introduce(alpha, beta)
    draft = tmp_path / "d.toml"
    alpha.do(
        "agreement",
        "draft",
        "--template",
        "bilateral",
        "--party",
        "a=Alpha",
        "--party",
        "b=Beta",
        "--output",
        str(draft),
    )
    digest = alpha.do("agreement", "receive", str(draft))["digest"]
    beta.do("agreement", "receive", str(draft))
    alpha.do("import", "-", *SAID, stdin=VALUES)
    sign(digest, alpha, beta)
    one = alpha.do("search", "192.0.2.1")["found"][0]["object"]
    told = alpha.do("card", "rotate", use, *when, officer="Ann")
    assert (told["serial"], told["fingerprint"]) == (2, alpha.fingerprint)
    alpha.do("import", "-", *SAID, stdin=b"192.0.2.2\n")
    if "--at-once" in when:  # a new key is believed once the card is there
        alpha.do("card", "show", "--output", str(tmp_path / "alpha.card"))
        beta.do("card", "add", str(tmp_path / "alpha.card"))
    else:
        carry(alpha, beta)  # the card is there before the new key signs, as whoever rotates has to see to
        time.sleep(max(0.0, parse(told["since"]) / 1_000_000 - time.time()) + 0.1)
    carry(alpha, beta)
    carry(beta, alpha)
    assert beta.do("card", "show", "Alpha")["serial"] == 2
    assert beta.do("search", "192.0.2.2")["count"] == 1
    assert alpha.do("doctor")["whole"] is True
    proof = tmp_path / "p.json"
    alpha.do("log", "prove", one, "Beta", "--output", str(proof))
    assert call(wiring(), "verify", str(proof), "--fingerprint", alpha.fingerprint).status == 0


def test_late_member_gets_what_was_before_and_a_withdrawn_one_nothing_more(tmp_path: Path) -> None:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA", "--tick", "3600")
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB", "--tick", "3600")
    gamma = found(tmp_path / "gamma", "Gamma", "csirt", "XC", "--tick", "3600")
    three = (alpha, beta, gamma)
    introduce(*three)
    draft = tmp_path / "d.toml"
    alpha.do(
        "agreement",
        "draft",
        "--template",
        "community",
        "--party",
        "a=Alpha",
        "--party",
        "b=Beta",
        "--output",
        str(draft),
    )
    digest = alpha.do("agreement", "receive", str(draft))["digest"]
    beta.do("agreement", "receive", str(draft))
    gamma.do("agreement", "receive", str(draft))
    alpha.do("import", "-", *SAID, stdin=VALUES)
    sign(digest, alpha, beta)
    assert beta.do("search", "192.0.2.1")["count"] == 1

    gamma.do("agreement", "accede", digest, "--reason", "we ask", officer="Ann")
    carry(gamma, alpha)
    carry(gamma, beta)
    assert alpha.do("agreement", "admit", digest, "Gamma", officer="Ann")["complete"] is False
    carry(alpha, beta)
    assert beta.do("agreement", "admit", digest, "Gamma", officer="Ann")["complete"] is True
    for _ in range(2):
        for one in three:
            for other in three:
                if one is not other:
                    carry(one, other)
    assert gamma.do("search", "192.0.2.1")["count"] == 1

    beta.do("agreement", "withdraw", digest, "--reason", "reorganised", officer="Ann")
    carry(beta, alpha)
    for party in three:
        party.ahead = 31 * DAY + SECOND
    alpha.do("import", "-", *SAID, stdin=b"203.0.113.77\n")
    for _ in range(2):
        carry(alpha, gamma)
        carry(gamma, alpha)
        carry(alpha, beta)
    assert beta.do("search", "203.0.113.77")["count"] == 0
    assert gamma.do("search", "203.0.113.77")["count"] == 1
    told: dict[str, Any] = alpha.do("why", alpha.do("search", "203.0.113.77")["found"][0]["object"], "Beta")
    assert told["released"] is False


def test_backup_comes_back_as_the_next_incarnation(tmp_path: Path) -> None:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA")
    alpha.do("import", "-", *SAID, stdin=VALUES)
    alpha.do("backup", str(tmp_path / "copy"))
    assert alpha.try_("backup", str(tmp_path / "copy")).json["code"] == "store-exists"
    back = Party(tmp_path / "back", "Alpha", wiring(), tokens=alpha.tokens)
    told = back.do("restore", str(tmp_path / "copy"))
    assert (told["party"], told["incarnation"]) == (alpha.id, 2)
    assert back.do("search", "192.0.2.1")["count"] == 1
    assert back.do("doctor")["whole"] is True
    assert back.try_("restore", str(tmp_path / "copy")).status == 1
    assert back.try_("restore", str(tmp_path / "nothing")).json["code"] == "no-backup"
