"""What a person is told before and after signing: that nothing goes to an unverified party, and which agreement stopped it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from comity.kernel.model.instants import DAY, HOUR
from simulators.shell import Party, call, carry, found, introduce

VALUES = b"192.0.2.1\nevil.example.org\n"
SAID = ("--tlp", "green", "--no-caveats", "--basis", "agreement", "--purpose", "protect-networks")


@dataclass
class Two:
    """Alpha with two indicators, and Beta; their cards are exchanged, and compared where `verified`."""

    alpha: Party
    beta: Party
    folder: Path

    def draft(self, *more: str) -> str:
        file = self.folder / "draft.toml"
        words = ("agreement", "draft", "--template", "bilateral", "--party", "a=Alpha", "--party", "b=Beta")
        self.alpha.do(*words, *more, "--output", str(file))
        return str(file)

    def sign(self, file: str) -> str:
        """Both sign, and each hears of it."""
        digest = ""
        for party in (self.alpha, self.beta):
            digest = str(party.do("agreement", "receive", file)["digest"])
            party.do("agreement", "sign", digest, officer="Ann")
        for _ in range(2):
            carry(self.alpha, self.beta)
            carry(self.beta, self.alpha)
        return digest

    def why(self) -> dict[str, Any]:
        one = self.alpha.do("search", "192.0.2.1")["found"][0]["object"]
        told: dict[str, Any] = self.alpha.do("why", one, "Beta")
        return told

    def listed(self, party: Party) -> str:
        return call(party.wired, "--home", str(party.folder), "agreement", "list").text


@pytest.fixture
def two(tmp_path: Path) -> Two:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA", "--tick", "3600")
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB", "--tick", "3600")
    alpha.do("import", "-", *SAID, stdin=VALUES)
    return Two(alpha, beta, tmp_path)


def test_preview_says_first_that_nothing_goes_to_a_party_whose_card_is_not_verified(two: Two) -> None:
    alpha, beta = two.alpha, two.beta
    for one, other in ((alpha, beta), (beta, alpha)):
        other.do("card", "show", "--output", str(two.folder / "card"))
        one.do("card", "add", str(two.folder / "card"))
    file = two.draft()
    told = alpha.do("agreement", "preview", file)["parties"][0]
    text = call(alpha.wired, "--home", str(alpha.folder), "agreement", "preview", file).text.splitlines()
    assert (told["verified"], told["name"]) == (False, "Beta")
    assert text[0] == told["sentence"]
    assert text[0].startswith("Nothing goes to Beta until its card is verified")
    assert text[1].startswith("Once it is verified, Beta would receive")

    # it is so: signed by both, nothing goes, and once it is verified exactly what the preview told
    digest = alpha.do("agreement", "receive", file)["digest"]
    beta.do("agreement", "receive", file)
    beta.do("card", "verify", "Alpha", "--fingerprint", alpha.fingerprint, "--method", "telephone", officer="Ann")
    for party in (alpha, beta):
        party.do("agreement", "sign", digest, officer="Ann")
    signature = two.folder / "papers"
    beta.do("agreement", "show", digest, "--output", str(signature))
    for paper in sorted(signature.glob("*-signature.json")):
        alpha.do("agreement", "receive", str(paper))
    assert alpha.do("agreement", "show", digest)["status"] == "in-force"
    assert alpha.do("release", "preview", "Beta")["standing"] == 0
    assert alpha.do("release", "preview", "Beta")["sentence"] == told["sentence"]
    alpha.do("card", "verify", "Beta", "--fingerprint", beta.fingerprint, "--method", "telephone", officer="Ann")
    stands = alpha.do("release", "preview", "Beta", "--objects")
    assert (stands["verified"], stands["sentence"]) == (True, None)
    assert sorted(stands["objects"]["standing"]) == sorted(told["objects"]["shown"])


def test_preview_names_no_condition_for_a_party_whose_card_is_verified(two: Two) -> None:
    introduce(two.alpha, two.beta)
    told = two.alpha.do("agreement", "preview", two.draft())["parties"][0]
    assert (told["verified"], told["sentence"]) == (True, None)


def test_why_says_that_we_suspended_it_and_since_when(two: Two) -> None:
    introduce(two.alpha, two.beta)
    digest = two.sign(two.draft())
    assert two.why()["released"] is True
    two.alpha.do("agreement", "suspend", digest, "--until", "2999-01-01T00:00:00Z", officer="Ann")
    told = two.why()
    (standing,) = told["standing"]
    assert (told["released"], standing["status"], standing["agreement"]) == (False, "suspended", digest)
    assert f"is suspended by us since {standing['since']}, until 2999-01-01T00:00:00.000Z." in told["sentence"]
    assert "would be needed" not in told["sentence"]
    assert f"suspended by us since {standing['since']} until 2999-01-01T00:00:00.000Z" in two.listed(two.alpha)
    carry(two.alpha, two.beta)
    assert "suspended by Alpha since" in two.listed(two.beta)
    assert two.beta.do("agreement", "list")["agreements"][0]["suspended"][0]["party"] == two.alpha.id


def test_list_shows_notice_of_withdrawal_and_why_shows_its_effect(two: Two) -> None:
    introduce(two.alpha, two.beta)
    digest = two.sign(two.draft())
    effective = two.beta.do("agreement", "withdraw", digest, officer="Ann")["effective"]
    carry(two.beta, two.alpha)
    (row,) = two.alpha.do("agreement", "list")["agreements"]
    assert row["status"] == "in-force"
    assert [(one["name"], one["effective"]) for one in row["notices"]] == [("Beta", effective)]
    assert f"leaves on {effective}" in two.listed(two.alpha)
    assert f"we gave notice on {row['notices'][0]['given']} and leave on {effective}" in two.listed(two.beta)
    two.alpha.ahead = two.beta.ahead = 400 * DAY
    told = two.why()
    assert (told["released"], told["standing"][0]["status"]) == (False, "withdrawn")
    assert f"Beta is no member any more since {effective}" in told["sentence"]
    assert two.alpha.do("agreement", "list")["agreements"][0]["notices"] == []


@pytest.mark.parametrize(
    ("ahead", "more", "signed", "status", "words"),
    [
        (0, (), 0, "draft", "waits for the signature of Alpha, Beta"),
        (0, (), 1, "proposed", "waits for the signature of Beta"),
        (0, ("--begins", "2990-01-01T00:00:00Z"), 2, "signed", "enters into force on 2990-01-01T00:00:00.000Z"),
        (3 * HOUR, ("--ends", "{soon}"), 2, "ended", "ended on {soon}"),
    ],
)
def test_why_names_what_keeps_an_agreement_from_holding(
    two: Two, ahead: int, more: tuple[str, ...], signed: int, status: str, words: str
) -> None:
    from comity.__main__ import now
    from comity.kernel.model.instants import format

    introduce(two.alpha, two.beta)
    soon = format(now() + HOUR)
    file = two.draft(*(one.format(soon=soon) for one in more))
    if signed == 2:
        two.sign(file)
    else:
        digest = two.alpha.do("agreement", "receive", file)["digest"]
        if signed:
            two.alpha.do("agreement", "sign", digest, officer="Ann")
    two.alpha.ahead = ahead
    told = two.why()
    assert told["released"] is False
    assert told["standing"][0]["status"] == status
    assert words.format(soon=soon) in told["sentence"]


def test_why_says_until_when_a_membership_was_renewed_that_nobody_renews_any_more(two: Two) -> None:
    introduce(two.alpha, two.beta)
    file = two.folder / "draft.toml"
    words = ("agreement", "draft", "--template", "bilateral", "--party", "b=Beta", "--party", "a=Alpha")
    two.alpha.do(*words, "--output", str(file))  # Beta is the depositary, and silent
    two.sign(str(file))
    assert two.why()["released"] is True
    two.alpha.ahead = 60 * DAY
    told = two.why()
    assert (told["released"], told["standing"][0]["status"]) == (False, "expired")
    assert "was last renewed until" in told["sentence"]


def test_party_with_no_agreement_at_all_is_told_that_one_would_be_needed(two: Two) -> None:
    introduce(two.alpha, two.beta)
    told = two.why()
    assert told["standing"] == []
    assert told["sentence"].endswith("An agreement with this party would be needed.")


def test_two_parties_whose_names_look_alike_are_told_apart_by_their_ids(two: Two) -> None:
    alpha, beta = two.alpha, two.beta
    introduce(alpha, beta)
    twin = found(two.folder / "twin", "Веtа", "company", "XC", "--tick", "3600")  # Cyrillic but for one letter
    twin.do("card", "show", "--output", str(two.folder / "twin.card"))
    kept = alpha.do("card", "add", str(two.folder / "twin.card"))
    assert kept["alike"] == [beta.id]
    names = {row["party"]: row["name"] for row in alpha.do("peer", "list")["peers"]}
    assert names == {party.id: f"{party.name} ({party.id.removeprefix('identity--')[:8]})" for party in (beta, twin)}
    assert names[beta.id] in two.why()["sentence"]
    assert [row["name"] for row in beta.do("peer", "list")["peers"]] == ["Alpha"]
