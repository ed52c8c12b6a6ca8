"""What a measure could give away of what a party was not shown, and what others could break by what they send."""

from __future__ import annotations

from typing import Any

import pytest

from comity.kernel.errors import NotAllowed
from comity.kernel.store.rows import TABLES
from simulators.measuresroom import INCIDENT, KEPT, Room

A, B = "Alpha", "Beta"
SECRET = "incident--00000000-0000-4000-8000-00000000beef"


@pytest.fixture
def room() -> Room:
    return Room().open(A, B)


def homes_with(room: Room, words: str) -> list[str]:
    found = []
    for name, node in room.nodes.items():
        with node.store.read() as tx:
            rows = [row for table in TABLES for row in tx.find(table)]
        if any(words in str(row) for row in rows):
            found.append(name)
    return found


def secret(room: Room, kind: str = "incident", **more: Any) -> str:
    made = {"type": kind, "spec_version": "2.1", "id": SECRET.replace("incident", kind), "name": "Not for everybody",
            "created": "2021-03-03T00:00:00.000Z", "modified": "2021-03-03T00:00:00.000Z", "created_by_ref": room.id(A),
            **more}  # fmt: skip
    room.put(A, made, tlp="amber+strict")
    return str(made["id"])


def test_who_decides_on_a_measure_is_not_told_which_objects_it_names_that_it_was_not_shown(room: Room) -> None:
    measure = room.propose(A, incident=(INCIDENT, secret(room)))
    room.sync(A, B)
    assert homes_with(room, SECRET) == [A]
    case = room.decide(A, measure, "unanimity", B)
    assert homes_with(room, SECRET) == [A]
    for name in (A, B):
        assert room.shown(name, measure)["doubts"] == []
        room.tell(name, "measure vote", case=case, for_=True)
    room.wait(60_000_000, A, B)
    assert room.shown(B, measure)["state"] == "adopted"


def test_the_level_of_a_claim_that_is_kept_back_does_not_go_out_in_a_measure(room: Room) -> None:
    claim = secret(room, "x-judgement", claim_level="state-organ", about_refs=[INCIDENT])
    draft = f"{claim[:-1]}0"
    room.put(A, {"type": "x-judgement", "spec_version": "2.1", "id": draft, "created": "2021-03-03T00:00:00.000Z",
                 "modified": "2021-03-03T00:00:00.000Z", "created_by_ref": room.id(A), "claim_level": "state-organ",
                 "about_refs": [INCIDENT], "addressed_to": [room.id(A)]})  # fmt: skip
    with pytest.raises(NotAllowed) as refused:
        room.propose(A, "R2")
    assert refused.value.code == "measure-attribution"
    assert "goes less far than this measure" in refused.value.sentence
    room.propose(A, "S3")
    room.sync(A, B)
    [measure] = room.tell(B, "measure list")["measures"]
    assert "claim_level" not in measure["measure"]["says"]
    assert room.propose(A, "R2", claim_level="7")
    assert room.propose(A, "R2", **KEPT)


def test_a_measure_without_a_version_is_a_defect_and_the_list_answers(room: Room) -> None:
    bare = {"type": "x-comity-measure", "spec_version": "2.1", "id": SECRET.replace("incident", "x-comity-measure"),
            "name": "M", "option": "S3", "category": "stability"}  # fmt: skip
    room.put(B, bare)
    room.sync(A, B)
    for name in (A, B):
        told = room.tell(name, "measure list")
        assert (told["measures"], len(told["defects"])) == ([], 1)
