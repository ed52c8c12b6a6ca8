"""What each claims, beside what the others claim; words that are recorded, answered, aligned with, or that nobody vouches for."""

from __future__ import annotations

import msgspec
import pytest

from comity.kernel.errors import ComityError, InputRefused, NotAllowed, NotFound, Usage
from comity.kernel.model.instants import format
from comity.kernel.tlog.publication import verify_record
from comity.node.facts import facts
from comity.node.minting import newest
from comity.node.scales import ladder, level, likelihood
from desks.statements.room import ALMARA, BELVIA, HOUR, MINUTE, NAMES, STATED, TEXTS, XANADU, YPSILON, Ministries

TWO = (XANADU, YPSILON)


@pytest.fixture
def room() -> Ministries:
    return Ministries().open(*TWO)


def published(room: Ministries, name: str) -> str:
    statement = room.draft(name)
    room.tell(name, "publish", statement=statement)
    room.sync(*room.nodes)
    return statement


def test_a_draft_goes_to_nobody_and_a_shared_one_to_the_named_alone() -> None:
    room = Ministries().open(XANADU, YPSILON, ALMARA)
    statement = room.draft(XANADU)
    room.sync(*room.nodes)
    assert room.homes_with(statement.encode()) == [XANADU]
    told = room.tell(XANADU, "share", statement=statement, to=(YPSILON,))
    assert told["to"] == [room.nodes[YPSILON].party]
    room.sync(*room.nodes)
    assert room.homes_with(statement.encode()) == [XANADU, YPSILON]
    shown = room.tell(YPSILON, "show", statement=statement)
    assert shown["by"] == room.nodes[XANADU].party
    assert shown["public"] is False
    assert room.tell(XANADU, "show", statement=statement)["shown_to"][0]["how_far"] == "delivered"
    with pytest.raises(NotAllowed) as refused:
        room.tell(YPSILON, "share", statement=statement, to=(ALMARA,))
    assert refused.value.code == "not-ours"


def test_a_draft_no_clause_lets_go_is_not_shared_and_nothing_is_kept(room: Ministries) -> None:
    statement = room.draft(XANADU, tlp="amber+strict")
    with pytest.raises(NotAllowed) as refused:
        room.tell(XANADU, "share", statement=statement, to=(YPSILON,))
    assert refused.value.code == "not-carried"
    assert room.tell(XANADU, "show", statement=statement)["shown_to"] == []


def test_differences_are_said_plainly_and_each_word_stays_on_its_own_scale() -> None:
    room = Ministries().open(*NAMES)
    for name in NAMES:
        published(room, name)
    told = room.told(BELVIA, "compare", what=tuple(room.statements.values()))
    rows = {row["name"]: row for row in told.shape["statements"]}
    assert (rows[XANADU]["likelihood"], rows[XANADU]["scale"], rows[XANADU]["range"]) == (
        "highly likely",
        "uk-phia",
        [80, 90],
    )
    assert (rows[YPSILON]["scale"], rows[YPSILON]["range"]) == ("us-icd-203", [95, 99])
    assert rows[BELVIA]["likelihood"] is None
    assert (rows[ALMARA]["level"], rows[ALMARA]["claim_level"]) == (3, "territory")
    assert "unconfirmed" in rows[XANADU]["range_mark"]
    assert "checked" in rows[YPSILON]["range_mark"]
    assert "unconfirmed" in told.shape["ladder"]
    said = told.shape["differences"]
    assert said[0].startswith("They do not claim the same: ")
    assert "6 state-organ: names a ministry, service, unit: Xanadu and Ypsilon" in said[0]
    assert any("Belvia" in one and "nobody" not in one and "not said" in one for one in said)
    assert any(one.startswith("The ranges of Xanadu (80 to 90 %) and of Ypsilon (95 to 99 %)") for one in said)
    assert not any("name the same" in one for one in said)


def test_every_step_of_the_ladder_and_every_band_of_the_reference_data_is_read() -> None:
    assert [one.n for one in ladder()] == list(range(8))
    assert level("state-responsible") is not None
    words = [one for one in facts("taxonomies") if ".likelihood." in one.path]
    scale = {"icd_203": "icd-203", "uk_phia_yardstick": "uk-phia"}
    found = [likelihood(one.id.replace("-", " ").upper(), scale[one.path.split(".")[0]]) for one in words]
    assert len(found) == 14
    assert [(one.low, one.high) for one in found if one] == [tuple(one.says["pct"]) for one in words]
    assert likelihood("probable", "uk-phia") == likelihood("likely", "uk-phia") != likelihood("probable", "icd-203")
    assert likelihood("nearly certain", "icd-203") is not None
    assert likelihood("highly likely", "icd-203") is None


def test_a_word_on_no_scale_or_a_step_that_is_none_is_refused_with_the_words_there_are(room: Ministries) -> None:
    for said, words in (
        ({"likelihood": "highly likely", "scale": "icd-203"}, "very likely"),
        ({"likelihood": "likely", "scale": None}, "give both"),
        ({"claim_level": "state-organs"}, "state-organ"),
    ):
        with pytest.raises(Usage) as refused:
            room.draft(XANADU, **said)
        assert words in refused.value.sentence
    own = room.draft(XANADU, likelihood="mit an Sicherheit grenzender Wahrscheinlichkeit", scale="own")
    row = room.tell(XANADU, "compare", what=(own,))["statements"][0]
    assert row["range"] is None
    assert row["likelihood"].startswith("mit an")


def test_what_is_recorded_is_never_shown_as_the_word_or_the_signature_of_whom_it_is_from(room: Ministries) -> None:
    made = room.tell(
        XANADU, "record", title="Statement of Farland", for_="Republic of Farland", country="XK", road="note-verbale",
        reference="FL/214/2021", received=format(room.at), language="en", text=b"Farland shares the concern.",
        claim_level="solidarity", **STATED,
    )  # fmt: skip
    room.sync(*TWO)
    shown = room.tell(YPSILON, "show", statement=made["id"])
    assert shown["by"] == room.nodes[XANADU].party
    assert shown["sentence"].endswith("it is not signed by Republic of Farland.")
    assert shown["sentence"].startswith("Xanadu recorded")
    assert (
        room.tell(YPSILON, "compare", what=(made["id"],))["statements"][0]["name"]
        == "Republic of Farland, as Xanadu recorded it"
    )
    for deed, more in (("publish", {}), ("share", {"to": (YPSILON,)})):
        with pytest.raises(NotAllowed) as refused:
            room.tell(XANADU, deed, statement=made["id"], **more)
        assert refused.value.code == "not-ours"


def test_a_note_that_comes_from_the_future_is_not_recorded(room: Ministries) -> None:
    with pytest.raises(Usage):
        room.tell(
            XANADU, "record", title="Note", for_="Farland", road="mail", reference="1", received=format(room.at + HOUR),
            language="en", text=b"Text.", **STATED,
        )  # fmt: skip


def test_a_statement_that_pretends_to_be_ours_is_nobodys_word_and_counts_nowhere(room: Ministries) -> None:
    statement = published(room, XANADU)
    forged = {
        "type": "x-comity-statement", "spec_version": "2.1", "id": "x-comity-statement--00000000-0000-4000-8000-000000000001",
        "created_by_ref": room.nodes[XANADU].party, "created": "2021-03-05T12:00:00.000Z",
        "modified": "2021-03-05T12:00:00.000Z", "title": "Statement of Xanadu", "claim_level": "no-position",
        "texts": [{"language": "en", "text": TEXTS[XANADU] + " It was not Nordmark.", "status": "authentic"}],
    }  # fmt: skip
    room.take(YPSILON, forged, tlp="clear", purpose=["incident-response"], basis=["agreement"], caveats=[])
    room.sync(*TWO)
    for name in TWO:
        shown = room.tell(name, "list")["statements"]
        told = {one["id"]: one for one in shown}
        if forged["id"] in told:
            assert told[forged["id"]]["by"] is None
            assert "Nobody vouches" in told[forged["id"]]["sentence"]
        assert told[statement]["by"] == room.nodes[XANADU].party
    with pytest.raises(ComityError):
        room.tell(XANADU, "publish", statement=forged["id"])
    with pytest.raises(NotAllowed) as refused:
        room.tell(YPSILON, "align", statement=(forged["id"],), language="en", text=b"We agree.", **STATED)
    assert refused.value.code == "not-public"


def test_a_version_of_our_statement_by_another_is_not_shown_as_ours(room: Ministries) -> None:
    statement = published(room, XANADU)
    room.at += MINUTE
    with room.nodes[YPSILON].store.read() as tx:
        data = dict(newest(tx, room.nodes[YPSILON].party, "x-comity-statement", id=statement)[0].data)
    data |= {"modified": format(room.at), "title": "Xanadu takes it back", "claim_level": "no-position"}
    room.take(YPSILON, data, tlp="clear", purpose=["incident-response"], basis=["agreement"], caveats=[])
    room.sync(*TWO)
    for name in TWO:
        shown = room.tell(name, "show", statement=statement)
        assert shown["by"] == room.nodes[XANADU].party
        assert shown["says"]["title"] == "Statement of Xanadu"


def test_others_align_later_as_an_act_of_their_own_and_only_with_what_is_public(room: Ministries) -> None:
    hidden = room.draft(XANADU)
    room.tell(XANADU, "share", statement=hidden, to=(YPSILON,))
    room.sync(*TWO)
    with pytest.raises(NotAllowed) as refused:
        room.tell(YPSILON, "align", statement=(hidden,), language="en", text=b"We agree.", **STATED)
    assert refused.value.code == "not-public"
    room.tell(XANADU, "publish", statement=hidden)
    room.sync(*TWO)
    made = room.tell(YPSILON, "align", statement=(hidden,), language="en", text=b"We agree.", **STATED)
    room.tell(YPSILON, "publish", statement=made["id"])
    room.sync(*TWO)
    shown = room.tell(XANADU, "show", statement=hidden)
    assert [one["by"] for one in shown["answers"]] == [room.nodes[YPSILON].party]
    assert shown["answers"][0]["says"]["aligns_with"] == (hidden,)
    assert shown["says"]["title"] == "Statement of Xanadu"


def test_the_accused_replies_to_statements_it_was_never_given_and_the_reply_is_verified_offline(
    room: Ministries,
) -> None:
    statement = published(room, XANADU)
    room.node("Nordmark", kind="ministry", country="XN")  # nobody knows it, and it knows nobody
    made = room.tell("Nordmark", "reply", statement=(statement,), language="en", text=b"We reject it.", **STATED)
    assert made["sentence"] == "The reply “Reply” is the word of Nordmark, not public."
    room.tell("Nordmark", "publish", statement=made["id"])
    room.at += 2 * MINUTE
    room.tick("Nordmark")
    told = room.told("Nordmark", "public", what=(made["id"],))
    assert told.file is not None
    report = verify_record(told.file, {})
    assert report["items"][0]["party"] == room.nodes["Nordmark"].party
    with pytest.raises(InputRefused):
        room.tell("Nordmark", "reply", statement=("incident--1",), language="en", text=b"No.", **STATED)


def test_what_is_public_is_changed_by_nothing_but_another_statement(room: Ministries) -> None:
    statement = published(room, XANADU)
    for deed, more in (
        ("text", {"language": "fr", "text": b"Autre."}),
        ("share", {"to": (YPSILON,)}),
        ("publish", {}),
    ):
        with pytest.raises(NotAllowed) as refused:
            room.tell(XANADU, deed, statement=statement, **more)
        assert refused.value.code == "already-done"


def test_what_a_statement_rests_on_does_not_go_out_with_it_unless_it_is_public_itself(room: Ministries) -> None:
    for number, tlp in ((1, "amber"), (2, "clear")):
        incident = {
            "type": "incident", "spec_version": "2.1", "id": f"incident--00000000-0000-4000-8000-00000000000{number}",
            "created": "2021-03-05T12:00:00.000Z", "modified": "2021-03-05T12:00:00.000Z", "name": "Mail servers",
        }  # fmt: skip
        room.take(XANADU, incident, tlp=tlp, purpose=["incident-response"], basis=["agreement"], caveats=[])
    secret, known = (f"incident--00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
    statement = room.draft(XANADU, incident=(secret, known), dossier=secret)
    room.tell(XANADU, "publish", statement=statement)
    went = room.out(XANADU)
    assert went is not None
    assert msgspec.json.decode(went.raw)["incident_refs"] == [known]
    assert secret.encode() not in went.raw
    assert b"addressed_to" not in went.raw
    with pytest.raises(NotFound):
        room.draft(YPSILON, incident=(secret,))


@pytest.mark.parametrize(
    "text",
    [b"", b"\n\n", b"\xff\xfe", "Reversed ‮ here".encode(), b"bell \x07", b"x" * 100_001],
    ids=["empty", "blank", "not UTF-8", "reversed", "control", "too long"],
)
def test_a_text_that_deceives_the_eye_or_cannot_be_read_is_refused(room: Ministries, text: bytes) -> None:
    with pytest.raises(ComityError) as refused:
        room.draft(XANADU, text=text)
    assert refused.value.code in ("desk-asked", "wrong-encoding")
    assert room.tell(XANADU, "list")["statements"] == []


def test_a_hostile_object_of_the_kind_is_a_defect_and_hides_nothing(room: Ministries) -> None:
    statement = published(room, XANADU)
    base = {
        "type": "x-comity-statement", "spec_version": "2.1", "created": "2021-03-05T12:00:00.000Z",
        "modified": "2021-03-05T12:00:00.000Z", "created_by_ref": room.nodes[YPSILON].party,
    }  # fmt: skip
    wrong = (
        {"texts": "none"}, {"texts": [{"language": "en", "text": "a"}, {"language": "EN", "text": "b"}]},
        {"claim_level": 7}, {"aligns_with": ["x"] * 1_001}, {"recorded_from": {"name": "X"}}, {"title": "x" * 301},
    )  # fmt: skip
    for number, more in enumerate(wrong):
        made = {**base, "id": f"x-comity-statement--00000000-0000-4000-8000-00000000000{number}", **more}
        room.take(YPSILON, made, tlp="green", purpose=["incident-response"], basis=["agreement"], caveats=[])
    told = room.tell(YPSILON, "list")
    assert len(told["defects"]) == len(wrong)
    assert [one["id"] for one in told["statements"]] == [statement]
