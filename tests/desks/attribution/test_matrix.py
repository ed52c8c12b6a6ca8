"""What speaks against each hypothesis, which evidence carries the conclusion, and what of it a reader cannot follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from comity.desks.attribution.kinds import WEIGHING
from comity.desks.attribution.matrix import Cell, weigh_up
from comity.kernel.errors import NotFound
from desks.attribution.ministries import NAMES, Ministries, X, Y
from desks.attribution.test_dossiers import other, put

FOR: Cell = ("consistent", "medium")
AGAINST: Cell = ("inconsistent", "medium")
STRONG: Cell = ("inconsistent", "high")
NEUTRAL: Cell = ("neutral", "high")
NOT: Cell = ("not-applicable", "high")


def test_hypothesis_against_which_least_speaks_leads_and_the_piece_that_makes_it_so_carries_it() -> None:
    out = weigh_up(["h1", "h2"], {"e1": {"h1": FOR, "h2": STRONG}, "e2": {"h1": AGAINST, "h2": FOR}})
    assert (out.scores, out.leads) == ({"h1": 2, "h2": 3}, {"h1"})
    assert out.carried_by == ("e1",)
    assert out.without["e1"] == {"h2"}
    assert out.tells == {"e1": 3, "e2": 2}


def test_what_speaks_for_every_hypothesis_alike_tells_nothing_and_carries_nothing() -> None:
    out = weigh_up(["h1", "h2"], {"e1": {"h1": FOR, "h2": FOR}, "e2": {"h1": STRONG, "h2": STRONG}})
    assert (out.tells, out.carried_by, out.leads) == ({"e1": 0, "e2": 0}, (), {"h1", "h2"})


def test_hypothesis_nothing_was_weighed_against_does_not_lead_by_silence() -> None:
    cells: dict[str, dict[str, Cell]] = {"e1": {"h1": AGAINST, "h2": STRONG, "h3": NOT}, "e2": {}}
    out = weigh_up(["h1", "h2", "h3", "h4"], cells)
    assert (set(out.scores), out.leads, out.empty) == ({"h1", "h2"}, {"h1"}, 5)
    assert weigh_up(["h1"], {"e1": {"h1": FOR}}).leads == frozenset()
    assert weigh_up([], {}).leads == frozenset()


values = some.sampled_from(["consistent", "inconsistent", "neutral", "not-applicable"])
cells_ = some.dictionaries(
    some.sampled_from(["e1", "e2", "e3", "e4", "e5"]),
    some.dictionaries(
        some.sampled_from(["h1", "h2", "h3"]), some.tuples(values, some.sampled_from(["low", "medium", "high"]))
    ),
)


@given(cells_)
def test_leaving_a_piece_out_is_the_matrix_without_it(cells: dict[str, dict[str, Cell]]) -> None:
    hypotheses = ["h1", "h2", "h3"]
    out = weigh_up(hypotheses, cells)
    for piece in cells:
        rest = {name: row for name, row in cells.items() if name != piece}
        assert out.without[piece] == weigh_up(hypotheses, rest).leads


@pytest.fixture
def room() -> Ministries:
    return Ministries().open(*NAMES[:2])


def weighed(room: Ministries, dossier: str, *rows: tuple[str, str, str]) -> tuple[list[str], list[str]]:
    """Pieces (class, value against the first, value against the second), and the two hypotheses."""
    hypotheses = [
        str(room.tell(X, "hypothesis", dossier=dossier, name=name, say="x")["id"])
        for name in ("A service", "Criminals")
    ]
    pieces = []
    for place, (class_, *values) in enumerate(rows):
        room.at += 1_000_000
        pieces.append(room.evidence(dossier, place, class_))
        for hypothesis, value in zip(hypotheses, values, strict=True):
            room.tell(X, "weigh", dossier=dossier, evidence=pieces[-1], hypothesis=hypothesis, value=value)
    return pieces, hypotheses


def test_conclusion_that_rests_on_a_withheld_piece_is_told_at_home_and_readers_do_not_come_to_it(
    room: Ministries,
) -> None:
    dossier = room.dossier()
    room.fill(dossier)
    (_, kept), (service, criminals) = weighed(
        room, dossier, ("shared", "inconsistent", "consistent"), ("withheld", "consistent", "inconsistent")
    )
    room.tell(X, "weigh", dossier=dossier, evidence=kept, hypothesis=criminals, value="inconsistent", weight="high")
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    home = room.tell(X, "matrix", dossier=dossier)
    assert (home["leads"], home["carried_by"]) == ([service], [kept])
    assert any("Readers do not come to this without it." in said for said in home["sentences"])
    assert any("rests on E2 (withheld, B2)" in said for said in home["sentences"])
    there = room.tell(Y, "matrix", dossier=dossier)
    assert there["leads"] == [criminals]
    assert len(there["evidence"]) == 1
    assert "withheld" not in str(there) and "Stays here" not in str(there)
    assert [one["label"] for one in there["evidence"]] == ["E1"]


def test_later_word_on_a_cell_takes_the_place_of_the_earlier_one(room: Ministries) -> None:
    dossier = room.dossier()
    (piece,), (service, _) = weighed(room, dossier, ("shared", "consistent", "inconsistent"))
    first = room.tell(X, "matrix", dossier=dossier)
    assert (first["leads"], first["carried_by"]) == ([service], [piece])
    room.tell(X, "weigh", dossier=dossier, evidence=piece, hypothesis=service, value="inconsistent")
    told = room.tell(X, "matrix", dossier=dossier)
    assert sorted(told["leads"]) == sorted(one["id"] for one in told["hypotheses"])
    assert any("stand level; the matrix prefers none" in said for said in told["sentences"])


def test_piece_that_carries_and_whose_grade_is_not_known_is_told(room: Ministries) -> None:
    dossier = room.dossier()
    weighed(room, dossier, ("described", "consistent", "inconsistent"))
    room.evidence(dossier, 0, "described", source="F", information="6")
    said = room.tell(X, "matrix", dossier=dossier)["sentences"]
    assert any("is graded F6: source cannot be judged, information cannot be judged" in one for one in said)
    assert any("words and not the objects of E1" in one for one in said)


def test_weighing_by_another_party_is_not_in_the_matrix_of_ours(room: Ministries) -> None:
    dossier = room.dossier()
    room.fill(dossier)
    (piece,), (service, criminals) = weighed(room, dossier, ("shared", "consistent", "inconsistent"))
    room.tell(X, "ready", dossier=dossier)
    room.settle()
    before = room.tell(X, "matrix", dossier=dossier)
    said = {"dossier_ref": dossier, "evidence_ref": piece, "value": "inconsistent", "weight": "high"}
    us, them = room.nodes[X].party, room.nodes[Y].party
    forged = [
        other(WEIGHING, 1, them, hypothesis_ref=service, **said),
        other(WEIGHING, 2, us, hypothesis_ref=service, **said),
    ]
    put(room, Y, *({**one, "modified": "2021-03-07T10:00:00.000Z"} for one in forged))
    assert all(room.count(X, str(one["id"])) for one in forged)
    assert room.tell(X, "matrix", dossier=dossier) == before
    assert room.tell(Y, "matrix", dossier=dossier)["leads"] == [service] != [criminals]


def test_evidence_and_hypothesis_of_another_dossier_are_weighed_in_none(room: Ministries) -> None:
    dossier, elsewhere = room.dossier(), room.dossier(title="Another question")
    (piece,), (service, _) = weighed(room, dossier, ("shared", "consistent", "inconsistent"))
    (stranger,), (far, _) = weighed(room, elsewhere, ("shared", "consistent", "inconsistent"))
    for evidence, hypothesis in ((stranger, service), (piece, far), (service, piece), (dossier, dossier)):
        with pytest.raises(NotFound) as refused:
            room.tell(X, "weigh", dossier=dossier, evidence=evidence, hypothesis=hypothesis, value="neutral")
        assert refused.value.code == "no-such-object"
