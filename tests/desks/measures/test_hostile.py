"""What others send in the kinds of the desk breaks nothing: it is kept as it came, told as a defect, and every reading deed answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from comity.desks.measures.kinds import EFFECT, JOINING, LISTING, LISTING_STEP, MEASURE, STEP
from comity.kernel.errors import ComityError
from comity.node.minting import Kind
from simulators.measuresroom import Room

A, B = "Alpha", "Beta"
WHO = {"schema": "Person", "properties": {"name": ["X"]}}
WORDS = {"name": "M", "option": "S3", "category": "stability"}
LAST = "9999-12-31T23:59:59.999Z"


def made(kind: Kind, number: int, by: str, **says: Any) -> dict[str, Any]:
    return {
        "type": kind.name,
        "spec_version": "2.1",
        "id": f"{kind.name}--{UUID(int=number, version=4)}",
        "created_by_ref": by,
        "created": "2021-03-05T10:00:00.000Z",
        "modified": "2021-03-05T10:00:00.000Z",
        "extensions": {kind.extension: {"extension_type": kind.form}},
        **says,
    }


def broken(measure: str) -> list[tuple[Kind, dict[str, Any]]]:
    about = {"measure_ref": measure}
    listing = {**about, "regime": "eu-cyber", "subject": WHO, "criteria": {}, "reasons": "r"}
    return [
        (MEASURE, {**WORDS, "claim_level": 8}),
        (MEASURE, {**WORDS, "review_on": "soon"}),
        (MEASURE, {**WORDS, "proportionality": ["scope"]}),
        (MEASURE, {"name": "M"}),
        (STEP, {**about, "says": "adopted", "starts": LAST, "reason": "r"}),
        (STEP, {**about, "says": "executed", "starts": "now", "reason": "r"}),
        (STEP, {**about, "says": "executed", "starts": LAST, "reason": 5}),
        (JOINING, {**about, "starts": "tomorrow"}),
        (JOINING, {**about, "starts": LAST, "on_behalf_of": "identity--x"}),
        (EFFECT, {**about, "says": {"en": "x"}, "observed_at": LAST}),
        (LISTING, {**listing, "subject": {"schema": "Person"}}),
        (LISTING, {**listing, "criteria": {"attack": {"met": "x", "waived": "y"}}}),
        (LISTING, {**listing, "criteria": {"attack": {"any": "x"}}}),
        (LISTING_STEP, {"listing_ref": "x", "says": "listed", "starts": LAST}),
    ]


def strange(measure: str) -> list[tuple[Kind, dict[str, Any]]]:
    """Objects of the right form that say odd things."""
    about = {"measure_ref": measure}
    listing = {**about, "regime": "eu-cyber", "subject": WHO, "criteria": {"zz": {"met": "x"}}, "reasons": "r"}
    return [
        (
            MEASURE,
            {**WORDS, "option": "R99", "name": "\u202eM\x1b[2J", "review_on": LAST, "ends": "1970-01-01T00:00:00Z"},
        ),
        (MEASURE, {**WORDS, "about_refs": [measure], "checklist": {"nothing": "x"}}),
        (STEP, {**about, "says": "lifted", "starts": "1970-01-01T00:00:00Z", "reason": "", "case": "case"}),
        (JOINING, {**about, "starts": LAST}),
        (EFFECT, {**about, "says": "x" * 100_000, "observed_at": LAST}),
        (LISTING, listing),
        (LISTING, {**listing, "subject": {"schema": "Vessel", "properties": {}}}),
        (LISTING, {**listing, "measure_ref": "x-comity-measure--00000000-0000-4000-8000-00000000dead"}),
    ]


def answer(room: Room, id: str) -> str | None:
    """The code with which an object is refused to be shown; None where it is shown."""
    try:
        assert room.text(A, "measure show", id=id)
    except ComityError as refused:
        return refused.code
    return None


@pytest.fixture
def room() -> Room:
    return Room().open(A, B)


def test_every_reading_deed_answers_over_hostile_objects(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B)
    every = [*broken(measure), *strange(measure)]
    sent = [made(kind, number, room.id(B), **says) for number, (kind, says) in enumerate(every, 1)]
    room.put(B, *sent)
    room.sync(A, B)
    listed = room.tell(A, "measure list")
    assert measure in [one["id"] for one in listed["measures"]]
    assert listed["defects"]
    assert room.text(A, "measure list")
    shown = room.shown(A, measure)
    assert (shown["state"], [one["name"] for one in shown["joined"]]) == ("proposed", [B])
    assert len(shown["doubts"]) >= 8
    named = [one["id"] for one in sent if one["type"] in (MEASURE.name, LISTING.name)]
    told = [answer(room, id) for id in named]
    assert told == ["desk-object"] * 4 + ["desk-object"] * 3 + [None] * 5


def test_second_measure_under_the_id_of_ours_changes_nothing(room: Room) -> None:
    measure = room.propose(A)
    room.sync(A, B)
    forged = {
        **made(MEASURE, 1, room.id(A), **WORDS),
        "id": measure,
        "name": "War",
        "modified": "2022-01-01T00:00:00.000Z",
    }
    room.put(B, forged)
    room.sync(A, B)
    assert room.shown(A, measure)["title"] == "Joint demarche"
    assert room.shown(B, measure)["title"] == "Joint demarche"
    assert [one["title"] for one in room.tell(A, "measure list")["measures"]] == ["Joint demarche"]
