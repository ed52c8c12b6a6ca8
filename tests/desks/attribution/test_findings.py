"""A finding names its articles and its facts; a dissent stays with what it is about, whoever would rather be without it."""

from __future__ import annotations

from typing import Any

import pytest

from comity.desks.attribution.kinds import DISSENT, FINDING
from comity.kernel.errors import NotAllowed, NotFound, Usage
from comity.kernel.store.rows import Version
from desks.attribution.ministries import AMBER, NAMES, A, Ministries, X, Y
from desks.attribution.test_dossiers import _paper, other, put

FACTS = {"facts": "Orders were seen.", "concludes": "The act is the state's."}


@pytest.fixture
def room() -> Ministries:
    return Ministries().open(*NAMES[:3])


def found(room: Ministries, name: str, dossier: str) -> list[dict[str, Any]]:
    return list(room.tell(name, "show", dossier=dossier)["findings"])


def test_legal_finding_without_an_article_is_refused_and_a_technical_one_is_not(room: Ministries) -> None:
    dossier = room.released(tlp="green")
    with pytest.raises(Usage) as refused:
        room.tell(X, "finding", dossier=dossier, role="legal", **FACTS)
    assert refused.value.code == "desk-asked"
    assert room.tell(X, "finding", dossier=dossier, role="technical", **FACTS)["articles"] == []


@pytest.mark.parametrize("word", ["ARSIWA-1", "arsiwa-4", "4", "", "ARSIWA-4 "])
def test_article_that_nobody_listed_is_refused_with_those_that_are(room: Ministries, word: str) -> None:
    dossier = room.released(tlp="green")
    if word == "ARSIWA-4 ":
        assert room.tell(X, "finding", dossier=dossier, role="legal", article=(word,), **FACTS)["articles"]
        return
    with pytest.raises(Usage) as refused:
        room.tell(X, "finding", dossier=dossier, role="legal", article=("ARSIWA-8", word), **FACTS)
    assert refused.value.code == "desk-asked"
    assert "ARSIWA-11" in refused.value.sentence


def test_articles_are_shown_with_sources_day_and_whether_they_were_checked(room: Ministries) -> None:
    dossier = room.released(tlp="green")
    room.tell(X, "finding", dossier=dossier, role="legal", article=("ARSIWA-8", "ARSIWA-31"), **FACTS)
    room.settle()
    ((control, reparation),) = [one["articles"] for one in found(room, Y, dossier)]
    assert (control["id"], control["verified"], control["version"]) == ("ARSIWA-8", True, "2026-11-21")
    assert control["sources"][0]["title"]
    assert (reparation["id"], reparation["verified"]) == ("ARSIWA-31", False)
    lines = room.lines(Y, "show", dossier=dossier)
    assert any("ARSIWA-31" in line and "unconfirmed" in line for line in lines)


def test_findings_of_two_parties_stand_side_by_side_each_by_its_author(room: Ministries) -> None:
    dossier = room.released(tlp="green")
    room.tell(X, "finding", dossier=dossier, role="legal", article=("ARSIWA-8",), **FACTS)
    room.tell(Y, "finding", dossier=dossier, role="political", facts="f", concludes="Not shown.")
    room.settle()
    for name in (X, A):
        assert {(one["name"], one["says"]["role"]) for one in found(room, name, dossier)} == {
            (X, "legal"),
            (Y, "political"),
        }


def test_dissent_of_another_stays_in_every_later_version_and_in_the_paper(room: Ministries) -> None:
    dossier = room.released(tlp="green")
    finding = room.tell(X, "finding", dossier=dossier, role="legal", article=("ARSIWA-8",), **FACTS)["id"]
    room.settle()
    dissent = room.tell(Y, "dissent", about=finding, say="Control is not shown.", who="The legal service")["id"]
    room.settle()
    again = room.tell(
        X, "finding", dossier=dossier, role="legal", article=("ARSIWA-4",), instead=finding, facts="f", concludes="c"
    )
    assert again["id"] == finding
    room.settle()
    for name in (X, Y, A):
        (one,) = found(room, name, dossier)
        assert one["says"]["concludes"] == "c"
        assert list(one["says"]["dissent_refs"]) == [dissent]
        assert [(said["name"], said["text"], said["state"]) for said in one["dissents"]] == [
            (Y, "Control is not shown.", "stands")
        ]
        assert b"Dissent of Ypsilon (The legal service): Control is not shown." in _paper(room, name, dossier, "txt")


def test_dissent_from_a_dossier_is_named_by_its_next_release(room: Ministries) -> None:
    dossier = room.released(tlp="green")
    dissent = room.tell(Y, "dissent", about=dossier, say="The matrix leaves out a hypothesis.")["id"]
    room.settle()
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    with room.nodes[A].store.read() as tx:
        (newest, *_) = tx.find(Version, id=dossier, order=("n",), reverse=True)
    assert dissent.encode() in newest.raw
    assert [one["id"] for one in room.tell(A, "show", dossier=dossier)["dissents"]] == [dissent]


def test_later_version_that_leaves_a_dissent_out_is_shown_as_leaving_it_out(room: Ministries) -> None:
    """Another program makes the later version at the author's own node, so it is sealed by its author."""
    dossier = room.released(tlp="green")
    finding = room.tell(X, "finding", dossier=dossier, role="legal", article=("ARSIWA-8",), **FACTS)["id"]
    room.settle()
    room.tell(Y, "dissent", about=finding, say="Control is not shown.")
    room.settle()
    room.tell(X, "finding", dossier=dossier, role="political", instead=finding, **FACTS)
    room.settle()
    says = {
        "dossier_ref": dossier,
        "role": "legal",
        "facts_relied_on": "f",
        "concludes": "dropped",
        "articles": ["ARSIWA-8"],
    }
    later = {**other(FINDING, 1, room.nodes[X].party, **says), "id": finding, "modified": "2021-03-07T10:00:00.000Z"}
    put(room, X, later)
    for name in (X, A):
        (one,) = [each for each in found(room, name, dossier) if each["says"]["concludes"] == "dropped"]
        assert [(said["text"], said["dropped"]) for said in one["dissents"]] == [("Control is not shown.", True)]
        assert "leaves it out" in one["sentences"][0]


def test_own_dissent_is_withdrawn_by_its_author_alone_and_goes_on_being_shown(room: Ministries) -> None:
    dossier = room.released(tlp="green")
    dissent = room.tell(Y, "dissent", about=dossier, say="Too early.")["id"]
    room.settle()
    for name in (X, A):
        with pytest.raises(NotAllowed) as refused:
            room.tell(name, "withdraw", dissent=dissent, reason="It does not suit us.")
        assert refused.value.code == "not-ours"
    room.tell(Y, "withdraw", dissent=dissent, reason="The report came.")
    room.settle()
    for name in (X, Y, A):
        (one,) = room.tell(name, "show", dossier=dossier)["dissents"]
        assert (one["text"], one["withdrawn"], one["state"]) == ("Too early.", "The report came.", "withdrawn")
        assert any("Withdrawn on" in line for line in room.lines(name, "show", dossier=dossier))
    with pytest.raises(NotAllowed) as refused:
        room.tell(Y, "withdraw", dissent=dissent, reason="again")
    assert refused.value.code == "already-done"


def test_withdrawal_in_the_name_of_another_changes_nothing(room: Ministries) -> None:
    dossier = room.released(tlp="green")
    dissent = room.tell(Y, "dissent", about=dossier, say="Too early.")["id"]
    room.settle()
    says = {
        "dossier_ref": dossier,
        "about_ref": dossier,
        "about": "dossier",
        "text": "Too early.",
        "withdrawn": "FORGED",
    }
    forged = {**other(DISSENT, 1, room.nodes[Y].party, **says), "id": dissent, "modified": "2021-03-07T10:00:00.000Z"}
    put(room, A, forged)
    for name in (X, A):
        assert [one["state"] for one in room.tell(name, "show", dossier=dossier)["dissents"]] == ["stands"]


def test_dissent_that_nobody_here_was_given_is_shown_as_standing(room: Ministries) -> None:
    dossier = room.released(tlp="green")
    finding = room.tell(X, "finding", dossier=dossier, role="political", **FACTS)["id"]
    room.settle()
    dissent = room.tell(Y, "dissent", about=finding, say="For the author alone.", tlp="amber")["id"]
    room.settle()
    absent = f"x-comity-dissent--{'0' * 8}-0000-4000-8000-{'0' * 12}"
    says = {"dossier_ref": dossier, "role": "political", "facts_relied_on": "f", "concludes": "c"}
    later = {
        **other(FINDING, 1, room.nodes[X].party, dissent_refs=[absent, dissent], **says),
        "id": finding,
        "modified": "2021-03-07T10:00:00.000Z",
    }
    put(room, X, later)
    (one,) = found(room, X, dossier)
    assert {said["state"] for said in one["dissents"]} == {"stands", "not shown here"}


def test_one_dissents_from_a_dossier_a_finding_or_an_assessment_and_from_nothing_else(room: Ministries) -> None:
    dossier = room.dossier()
    part = room.tell(X, "part", dossier=dossier, part="consequences", say="x")["id"]
    for id in (part, room.incident, "x", "x-comity-finding--1"):
        with pytest.raises(NotFound):
            room.tell(X, "dissent", about=id, say="x")
    assert room.tell(X, "dissent", about=dossier, say="x", **AMBER)["draft"] is True


def test_later_version_is_made_of_ones_own_finding_on_the_same_dossier_only(room: Ministries) -> None:
    dossier, second = room.released(tlp="green"), room.dossier(title="Another question")
    finding = room.tell(X, "finding", dossier=dossier, role="political", **FACTS)["id"]
    room.settle()
    with pytest.raises(Usage) as refused:
        room.tell(X, "finding", dossier=second, role="political", instead=finding, **FACTS)
    assert refused.value.code == "desk-asked"
    with pytest.raises(NotAllowed) as refused:
        room.tell(Y, "finding", dossier=dossier, role="political", instead=finding, **FACTS)
    assert refused.value.code == "not-ours"


def test_dissent_from_what_its_author_may_not_name_to_others_is_shown_with_the_dossier(room: Ministries) -> None:
    """The finding is amber, so Ypsilon does not tell Almara that there is one; the dossier itself is green."""
    dossier = room.released(tlp="amber", title_tlp="green")
    finding = room.tell(X, "finding", dossier=dossier, role="political", **FACTS)["id"]
    room.settle()
    assert {one["tlp"] for one in found(room, Y, dossier)} == {"amber"}
    room.tell(Y, "dissent", about=finding, say="Too early.")
    room.settle()
    (told,) = room.tell(A, "show", dossier=dossier)["dissents"]
    assert (told["text"], told["about"]) == ("Too early.", "finding")
    assert any("from a finding that is not named here" in line for line in room.lines(A, "show", dossier=dossier))
    (one,) = found(room, X, dossier)
    assert [said["text"] for said in one["dissents"]] == ["Too early."]
    assert room.tell(X, "show", dossier=dossier)["dissents"] == []


def test_word_on_a_dossier_whose_title_alone_is_green_is_as_strict_as_what_is_in_it(room: Ministries) -> None:
    dossier = room.released(tlp="amber", title_tlp="green")
    told = {name: room.tell(name, "show", dossier=dossier)["tlp"] for name in (X, Y)}
    assert told == {X: "green", Y: "green"}
    room.tell(X, "finding", dossier=dossier, role="political", **FACTS)
    room.tell(Y, "finding", dossier=dossier, role="technical", **FACTS)
    assert {one["tlp"] for name in (X, Y) for one in found(room, name, dossier)} == {"amber"}
    with pytest.raises(Usage) as refused:
        room.tell(X, "ready", dossier=dossier, title_tlp="pink")
    assert refused.value.code == "handling"
