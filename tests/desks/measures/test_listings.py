"""Proposals to list somebody: the regime's test, personal data, evidence packs that tell nothing of the original, the end."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from comity.desks.measures.kinds import Criterion
from comity.desks.measures.listings import lacking, points
from comity.desks.measures.subjects import IDENTIFYING, entity, not_stated, read_subject
from comity.kernel.errors import ComityError, InputRefused, NotAllowed
from comity.kernel.release.decision import Refer, Release, Withhold
from comity.kernel.store.rows import TABLES, Version
from comity.node.facts import whole
from comity.node.why import why
from simulators.measuresroom import DAY, GREEN, Room
from simulators.world import indicator, relationship

A, B, C = "Alpha", "Beta", "Gamma"
WHO = {"schema": "Person", "name": ["Ivan Invented", "Иван Придуманный"], "birthDate": "1980", "alias": "ivan77"}
MET = (
    "attack=Mail was read.",
    "without-right=No owner agreed.",
    "external-threat=From outside.",
    "target=A parliament.",
)
ALL = (*MET, "b=Some 4,000 persons.", "responsible=He ran the servers.")
STATED = {"basis": ("agreement",), "purpose": ("diplomatic-response",), "retention": "P1Y", "minimised": True}
PHRASE = "our agent in the ministry wrote this"


@pytest.fixture
def room() -> Room:
    return Room().open(A, B, C)


@pytest.fixture
def measure(room: Room) -> str:
    made = room.propose(A, "R2", claim_level="state-linked")
    room.sync(A, B, C)
    return made


@pytest.fixture
def adopted(room: Room) -> str:
    return room.adopted(A, B, C, option="R2", claim_level="state-linked")


def listing(room: Room, measure: str, by: str = A, **said: Any) -> str:
    words = {
        "subject": json.dumps(WHO).encode(),
        "reasons": b"He ran the servers.\n\nHe was paid for it.",
        "criterion": ALL,
        "review": "2021-06-01",
        **said,
    }
    made = room.tell(by, "measure listing", measure=measure, **words)
    room.sync(A, B, C)
    return str(made["id"])


def held(room: Room, name: str) -> set[str]:
    with room.nodes[name].store.read() as tx:
        return {row.id for row in tx.find(Version)}


def everything(room: Room, name: str) -> bytes:
    """Every byte of every row of a node."""
    with room.nodes[name].store.read() as tx:
        return b"\n".join(
            value if isinstance(value, bytes) else repr(value).encode()
            for kind in TABLES
            for row in tx.find(kind)
            for value in (getattr(row, one.name) for one in fields(row))
        )


# --- the test of the regime


def test_points_of_the_test_are_told_with_how_sure_each_is() -> None:
    told = [one.as_json() for one in points()]
    assert [one["id"] for one in told] == [
        *("attack", "without-right", "external-threat", "target", "effect", *"abcdefg", "responsible"),
    ]
    assert {one["id"]: one["verified"] for one in told}["attack"] == "partly"
    assert all(one["verified"] is False for one in told if one["id"] in (*"abcdefg", "effect", "responsible"))
    assert all(one["version"] == "2026-11-21" for one in told)


@pytest.mark.parametrize("gone", range(len(ALL)))
def test_proposal_that_leaves_a_point_of_the_test_open_is_refused(room: Room, measure: str, gone: int) -> None:
    said = tuple(text for n, text in enumerate(ALL) if n != gone)
    point = ALL[gone].partition("=")[0]
    point = "effect" if point == "b" else point
    with pytest.raises(NotAllowed) as refused:
        listing(room, measure, criterion=said)
    assert refused.value.code == "listing-incomplete"
    assert point in refused.value.sentence
    waived = listing(room, measure, criterion=said, waive=(f"{point}=It is told in the annex.",))
    shown = room.shown(A, waived)
    assert shown["missing"] == []
    assert next(one for one in shown["checklist"] if one["id"] == point)["waived"] == "It is told in the annex."


def test_factor_that_is_waived_answers_nothing() -> None:
    said = {text.partition("=")[0]: Criterion(met="x") for text in ALL}
    assert lacking(said) == ()
    assert [one.id for one in lacking({**said, "b": Criterion(waived="y")})] == ["effect"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"criterion": (*ALL, "h=more")}, "desk-asked"),
        ({"criterion": ALL, "waive": ("attack=no",)}, "desk-asked"),
        ({"criterion": (*ALL[:5], "responsible=")}, "desk-asked"),
        ({"reasons": b" \n"}, "desk-asked"),
        ({"reasons": b"\xff"}, "desk-asked"),
        ({"review": "yesterday"}, "timestamp"),
    ],
)
def test_answer_that_is_none_is_refused(room: Room, measure: str, said: dict[str, Any], code: str) -> None:
    with pytest.raises(ComityError) as refused:
        listing(room, measure, **said)
    assert refused.value.code == code
    assert room.shown(A, measure)["listings"] == []


def test_nobody_is_listed_under_a_measure_that_restricts_nobody(room: Room) -> None:
    with pytest.raises(NotAllowed) as refused:
        listing(room, room.propose(A, "S3"))
    assert refused.value.code == "measure-state"


# --- who


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"[]",
        b'"Ivan"',
        b'{"schema": "Vessel", "name": "X"}',
        b'{"schema": ["Person"], "name": "X"}',
        b'{"schema": "Person"}',
        b'{"schema": "Person", "name": ""}',
        b'{"schema": "Person", "name": [1]}',
        b'{"schema": "Person", "name": {"en": "X"}}',
        b'{"schema": "Person", "name": "X", "birthDate": "soon"}',
        b'{"schema": "Person", "name": "X", "birthDate": ["1980-5-1"]}',
        b'{"schema": "Person", "name": "X", "a b": "y"}',
        b'{"schema": "Person", "name": "X", "name": "Y"}',
        b'{"schema": "Person", "properties": ["name"]}',
        b'{"schema": "Person", "id": 5, "properties": {"name": ["X"]}}',
        json.dumps({"schema": "Person", "name": ["n" * 3000]}).encode(),
        json.dumps({"schema": "Person", "name": [f"n{n}" for n in range(600)]}).encode(),
    ],
)
def test_file_that_names_nobody_is_refused(file: bytes) -> None:
    with pytest.raises(InputRefused) as refused:
        read_subject(file)
    assert refused.value.sentence.endswith(".")


def test_published_entities_of_followthemoney_are_read_and_given_back(test_data: Path) -> None:
    lines = (test_data / "sanctions" / "ftm-entities-sample.ftm.json").read_text(encoding="utf-8").splitlines()
    read = 0
    for line in lines:
        data = json.loads(line)
        if data["schema"] == "Address":
            with pytest.raises(InputRefused):
                read_subject(line.encode())
            continue
        read += 1
        subject = read_subject(line.encode())
        back = entity(subject, "x")
        assert back["schema"] == data["schema"]
        assert back["properties"] == {name: list(dict.fromkeys(said)) for name, said in data["properties"].items()}
        assert not {"datasets", "referents", "first_seen"} & back.keys()
        assert "name" not in not_stated(subject)
    assert read >= 3


def test_every_field_of_a_listing_file_has_its_property() -> None:
    file = whole("toolbox")["sanctions_regime"]["listing_file"]
    for name, known in IDENTIFYING.items():
        assert list(known) == file[name]
    assert "date_of_birth" in not_stated(read_subject(b'{"schema": "Person", "name": "X"}'))
    assert "date_of_birth" not in not_stated(read_subject(b'{"schema": "Person", "name": "X", "birthDate": "1980"}'))


def test_listing_is_given_as_a_sanction_of_followthemoney(room: Room, adopted: str) -> None:
    made = listing(room, adopted, authority="Council", program="EU-CYB", provision=("Asset freeze",), **STATED)
    room.tell(A, "measure execute", measure=adopted, reason="Published.")
    room.sync(A, B, C)
    who, sanction = room.shown(B, made)["ftm"]
    assert (who["schema"], who["properties"]["name"]) == ("Person", WHO["name"])
    assert sanction["schema"] == "Sanction"
    assert sanction["properties"] == {
        "entity": [who["id"]],
        "authority": ["Council"],
        "program": ["EU-CYB"],
        "provisions": ["Asset freeze"],
        "status": ["listed"],
        "reason": ["He ran the servers.\n\nHe was paid for it."],
        "listingDate": ["2021-03-05"],
    }
    assert set(sanction["properties"]) <= set(whole("taxonomies")["ftm_sanction"]["fields"])


# --- personal data


@pytest.mark.parametrize("left_out", [None, *STATED])
def test_personal_data_without_basis_purpose_retention_and_minimisation_is_referred_to_an_officer(
    room: Room, measure: str, left_out: str | None
) -> None:
    made = listing(room, measure, **{name: value for name, value in STATED.items() if name != left_out})
    assert (made in held(room, B)) is (left_out is None)
    decision = why(room.nodes[A], made, room.id(B)).decision
    wanted = {None: Release, "basis": Withhold}.get(left_out, Refer)  # the clause asks for a basis itself
    assert isinstance(decision, wanted), decision


def test_subject_stands_in_no_other_object_and_at_nobody_who_was_not_given_it(room: Room, adopted: str) -> None:
    made = listing(room, adopted)
    room.tell(A, "measure execute", measure=adopted, reason="Published.")
    room.tell(A, "measure delist", listing=made, reason="Court.")
    room.sync(A, B, C)
    assert "Иван Придуманный".encode() in everything(room, A)
    for name in (B, C):
        assert "Иван Придуманный".encode() not in everything(room, name)
        assert b"Ivan Invented" not in everything(room, name)


# --- the evidence pack


def secret(room: Room, number: int, **more: Any) -> dict[str, Any]:
    return indicator(
        number,
        **{
            "created_by_ref": room.id(A),
            "description": PHRASE,
            "labels": ["operation-x"],
            "external_references": [{"source_name": "cable", "description": PHRASE}],
            **more,
        },
    )


def test_evidence_pack_leaks_neither_the_bytes_nor_the_id_of_the_original(room: Room, measure: str) -> None:
    made = listing(room, measure, **STATED)
    first, second = secret(room, 71), secret(room, 72, name="Second")
    link = relationship(73, first["id"], second["id"], created_by_ref=room.id(A), description=PHRASE)
    room.put(A, first, second, link, tlp="red")
    told = room.tell(
        A, "measure evidence-pack", listing=made, object=(first["id"], second["id"]), without=("description",), **GREEN
    )
    room.sync(A, B, C)
    pieces = {one["of"]: one["object"] for one in told["pieces"]}
    assert {told["id"], *pieces.values()} <= held(room, B)
    for name in (B, C):
        kept = everything(room, name)
        for one in (first, second, link):
            assert str(one["id"]).partition("--")[2].encode() not in kept
        assert PHRASE.encode() not in kept
        assert b"operation-x" not in kept
    with room.nodes[B].store.read() as tx:
        (piece,) = tx.find(Version, id=pieces[first["id"]])
    shown = json.loads(piece.raw)
    assert (shown["pattern"], shown["created_by_ref"]) == (first["pattern"], room.id(A))
    assert not {"description", "labels", "external_references"} & shown.keys()
    assert shown["created"] != first["created"]
    assert [list(one["says"]["pack_refs"]) for one in room.shown(B, made)["steps"]] == [[told["id"]]]
    assert "pieces" not in room.shown(A, made)


def test_two_pieces_of_a_pack_name_each_other_and_nothing_else(room: Room, measure: str) -> None:
    made = listing(room, measure, **STATED)
    one, other = secret(room, 1), secret(room, 2)
    link = relationship(3, one["id"], other["id"], created_by_ref=room.id(A))
    room.put(A, one, other, link, tlp="red")
    with pytest.raises(NotAllowed) as refused:
        room.tell(A, "measure evidence-pack", listing=made, object=(one["id"], link["id"]), **GREEN)
    assert refused.value.code == "evidence-original"
    told = room.tell(A, "measure evidence-pack", listing=made, object=(one["id"], other["id"], link["id"]), **GREEN)
    pieces = {item["of"]: item["object"] for item in told["pieces"]}
    with room.nodes[A].store.read() as tx:
        (row,) = tx.find(Version, id=pieces[link["id"]])
    shown = json.loads(row.raw)
    assert (shown["source_ref"], shown["target_ref"]) == (pieces[one["id"]], pieces[other["id"]])


def test_what_another_party_gave_is_no_original_of_ours(room: Room, measure: str) -> None:
    made = listing(room, measure, **STATED)
    theirs = indicator(7, created_by_ref=room.id(B))
    room.put(B, theirs)
    room.sync(A, B, C)
    before = held(room, A)
    with pytest.raises(NotAllowed) as refused:
        room.tell(A, "measure evidence-pack", listing=made, object=(theirs["id"],), **GREEN)
    assert refused.value.code == "evidence-original"
    assert B in refused.value.sentence
    assert held(room, A) == before
    told = room.tell(A, "measure evidence-pack", listing=made, cite=(theirs["id"],), **GREEN)
    assert (told["pieces"], told["cites"]) == ([], [theirs["id"]])


@pytest.mark.parametrize(
    ("more", "stated"),
    [
        ({}, {"caveats": ["not-evidence"]}),
        ({"created_by_ref": "identity--00000000-0000-4000-8000-000000000009"}, {}),
        ({"created_by_ref": None}, {"tlp": "amber"}),
        ({"created_by_ref": None}, {"caveats": ["source-protected"]}),
        ({"granular_markings": [{"lang": "en", "selectors": ["name"]}]}, {}),
    ],
)
def test_object_that_may_not_become_evidence_is_refused_and_nothing_is_made(
    room: Room, measure: str, more: dict[str, Any], stated: dict[str, Any]
) -> None:
    made = listing(room, measure, **STATED)
    one = {name: value for name, value in secret(room, 1, **more).items() if value is not None}
    room.put(A, one, **stated)
    before = held(room, A)
    with pytest.raises(NotAllowed) as refused:
        room.tell(A, "measure evidence-pack", listing=made, object=(one["id"],), **GREEN)
    assert refused.value.code == "evidence-original"
    assert held(room, A) == before


def test_original_that_names_itself_in_what_must_stay_is_refused(room: Room, measure: str) -> None:
    made = listing(room, measure, **STATED)
    tail = "00000000-0000-4000-8000-000000000001"
    one = secret(room, 1, pattern=f"[file:name = '{tail}']")
    room.put(A, one)
    with pytest.raises(NotAllowed) as refused:
        room.tell(A, "measure evidence-pack", listing=made, object=(one["id"],), **GREEN)
    assert refused.value.code == "evidence-original"


# --- the end of a listing


def test_delisting_keeps_the_history_and_cannot_be_done_by_another(room: Room, adopted: str) -> None:
    made = listing(room, adopted, **STATED)
    room.tell(A, "measure execute", measure=adopted, reason="Published.")
    room.sync(A, B, C)
    assert room.shown(C, made)["state"] == "listed"
    with pytest.raises(NotAllowed) as refused:
        room.tell(B, "measure delist", listing=made, reason="We disagree.")
    assert refused.value.code == "not-ours"
    room.at += DAY
    room.tell(A, "measure delist", listing=made, reason="The court annulled it.")
    room.sync(A, B, C)
    for name in (A, B, C):
        shown = room.shown(name, made)
        assert shown["state"] == "delisted"
        assert [one["says"]["reason"] for one in shown["steps"]] == ["The court annulled it."]
        assert list(shown["listing"]["says"]["subject"]["properties"]["name"]) == WHO["name"]
        sanction = shown["ftm"][1]["properties"]
        assert (sanction["listingDate"], sanction["endDate"]) == (["2021-03-05"], ["2021-03-06"])
    with pytest.raises(NotAllowed):
        room.tell(A, "measure delist", listing=made, reason="Again.")


def test_delisting_forged_by_another_party_ends_nothing(room: Room, measure: str) -> None:
    made = listing(room, measure, **STATED)
    forged = {
        "type": "x-comity-listing-step",
        "spec_version": "2.1",
        "id": "x-comity-listing-step--00000000-0000-4000-8000-000000000001",
        "created": "2021-03-05T10:00:00.000Z",
        "modified": "2021-03-05T10:00:00.000Z",
        "listing_ref": made,
        "says": "delisted",
        "starts": "2021-03-05T10:00:00Z",
        "reason": "x",
        "extensions": {"extension-definition--c708743f-7a7e-5ea2-824a-505f9661c40c": {"extension_type": "new-sdo"}},
    }
    in_own_name = {**forged, "id": forged["id"][:-1] + "2", "created_by_ref": room.id(B)}
    room.put(B, {**forged, "created_by_ref": room.id(A)}, in_own_name)
    room.sync(A, B, C)
    for name in (A, C):
        assert {forged["id"], in_own_name["id"]} <= held(room, name)
        assert room.shown(name, made)["state"] == "proposed"


def test_review_of_a_listing_that_is_overdue_is_told(room: Room, measure: str) -> None:
    made = listing(room, measure, **STATED)
    assert room.shown(B, made)["overdue"] is False
    room.until("2021-06-02T00:00:00Z")
    assert room.shown(B, made)["overdue"] is True
    assert "OVERDUE" in room.text(B, "measure show", id=made)
