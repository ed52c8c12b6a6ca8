"""A ministry without a node takes part by note verbale: what officers type, what everybody is shown, and whom it fools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from comity.desks.cases import DESK
from comity.kernel.errors import NotAllowed, Usage
from comity.kernel.model.instants import HOUR, format
from comity.kernel.store.rows import Audit, CaseEntry
from comity.node.deeds import deed
from comity.node.desk import Told, carry_out
from simulators.world import World

A, B, C, M = "Team A", "Team B", "Team C", "Ministry M"
ABSENT = "identity--0b3b2bd5-7d1c-4b4f-9d0c-6f7e0f0c9b1a"
TIMES = ("silence=PT72H", "minimum=PT24H", "case=P30D", "convener-gone=PT48H")
DEEDS = {one.name: one for one in DESK.deeds}
Say = Callable[..., Told]


@pytest.fixture
def world() -> World:
    made = World()
    for name in (A, B, C, M):
        made.node(name)
    made.introduce(A, B, C, M)
    return made


def said(world: World, name: str, words: str, **more: Any) -> Told:
    return carry_out(world.nodes[name], DEEDS[words], more, "officer-1")


def tick(world: World, hours: float = 0) -> None:
    world.at += int(hours * HOUR)
    for node in world.nodes.values():
        with deed(node):
            pass
    world.sync(A, B, C, M)


def opened(world: World, *represented: str, name: str = A) -> None:
    said(world, name, "case open", procedure="silence", title="Text", party=[B, C], set=TIMES, represented=represented)
    said(world, name, "case put", case="Text", text=b"One sentence.")
    tick(world)


def noted(world: World, name: str, kind: str, whose: str = "Ministry", **more: Any) -> Told:
    about = {"road": "note-verbale", "reference": "No 12/2021", "received": format(world.at), **more}
    return said(world, name, "case record", case="Text", party=whose, type=kind, **about)


def refused(world: World) -> list[Audit]:
    found = []
    for node in world.nodes.values():
        with node.store.read() as tx:
            found += [row for row in tx.find(Audit) if row.deed == "control-refused"]
    return found


def test_an_objection_by_note_verbale_is_recorded_counts_and_is_shown_to_everybody_as_recorded(world: World) -> None:
    opened(world, f"Ministry={ABSENT}:{B}")
    call = f"Ministry ({ABSENT.partition('--')[2][:8]})"
    for name in (A, B, C):
        assert f"{call} has no node; {B} may record what it says." in said(world, name, "case show", case="Text").lines
    made = noted(world, B, "break", call, document=b"the paper", say="Paragraph 2 claims too much.")
    assert made.shape["counts"] is True and "signed by us" in made.lines[0]
    tick(world)
    for name in (A, B, C):
        shown = said(world, name, "case show", case="Text")
        assert shown.shape["state"]["state"] == "broken"
        assert shown.shape["entries"][-1]["recorded_from"]["reference"] == "No 12/2021"
        lines = "\n".join(shown.lines)
        assert f"recorded by {B} from note verbale No 12/2021" in lines
        assert f"{B} recorded it from note verbale No 12/2021." in lines
        assert ABSENT not in lines
        assert ("Paragraph 2" in lines) == (name in (A, B))  # the content goes to those it concerns
    assert refused(world) == []


def test_a_call_by_telephone_is_shown_and_consents_to_nothing(world: World) -> None:
    opened(world, f"Ministry={ABSENT}:{B}")
    call = f"Ministry ({ABSENT.partition('--')[2][:8]})"
    for name in (A, B, C):
        said(world, name, "case act", case="Text", type="receipt")
    told = noted(world, B, "receipt", call, road="telephone", reference="duty officer, 14:05")
    assert told.shape["counts"] is False
    tick(world, 24 * 5)
    tick(world)
    shown = said(world, C, "case show", case="Text")
    assert shown.shape["state"]["state"] == "silence"
    assert [one["head"] for one in shown.shape["decision"]["reasons"] if one["counted"] == "unheard"] == [ABSENT]
    assert "shown only" in "\n".join(shown.lines)
    noted(world, B, "receipt", call)
    tick(world)
    tick(world, 23)
    assert said(world, C, "case show", case="Text").shape["state"]["state"] == "silence"
    tick(world, 2)
    tick(world)
    assert said(world, C, "case show", case="Text").shape["state"]["state"] == "adopted"
    assert refused(world) == []


def test_who_is_not_named_records_nothing_and_nothing_is_sent(world: World) -> None:
    opened(world, f"Ministry={ABSENT}:{B}")
    call = f"Ministry ({ABSENT.partition('--')[2][:8]})"
    for name, kind, code in ((C, "break", "step-recorded"), (A, "break", "step-recorded"), (B, "lapse", "step-guard")):
        with pytest.raises(NotAllowed) as broken:
            noted(world, name, kind, call)
        assert broken.value.code in (code, "step-recorded")
    with pytest.raises(Usage):
        noted(world, B, "break", C)
    with world.nodes[A].store.read() as tx:
        assert tx.count(CaseEntry) == 2


def test_a_party_with_a_node_that_others_would_speak_for_is_warned_and_its_own_act_ends_it(world: World) -> None:
    opened(world, f"{M}:{B}")
    assert "Others may record here what we say" in "\n".join(said(world, M, "case show", case="Text").lines)
    noted(world, B, "consent", M)
    tick(world)
    said(world, M, "case act", case="Text", type="break", say="We never consented.")
    tick(world)
    for name in (A, B, C, M):
        shown = said(world, name, "case show", case="Text")
        assert shown.shape["state"]["state"] == "broken"
        assert shown.shape["state"]["votes"][world.nodes[M].party]["word"] == "object"
    said(world, A, "case put", case="Text", text=b"Another.")
    tick(world)
    with pytest.raises(NotAllowed, match="acts itself here"):
        noted(world, B, "consent", M, reference="No 13/2021")
    assert refused(world) == []


def test_a_represented_party_that_gets_a_node_later_has_the_whole_case_and_acts_itself() -> None:
    made = World()
    for name in (A, B, C, M):
        made.node(name)
    made.introduce(A, B)
    made.introduce(A, C)
    case = {"procedure": "silence", "title": "Text", "party": [B, C], "set": TIMES}
    said(made, A, "case open", **case, represented=[f"Ministry={made.nodes[M].party}:{B}"])
    said(made, A, "case put", case="Text", text=b"One sentence.")
    made.sync(A, B)
    made.sync(A, C)
    made.introduce(A, M)  # it has a node now, and the convener its card
    said(made, B, "case act", case="Text", type="receipt")
    for _ in range(2):
        made.sync(A, B)
        made.sync(A, M)  # an entry of a case it does not know: it asks for the beginning
    said(made, M, "case act", case="Text", type="break", say="We object ourselves.")
    made.sync(A, M)
    made.sync(A, B)
    made.sync(A, C)
    for name in (A, B, C, M):  # B and C got the card with which they can check its signature
        shown = said(made, name, "case show", case="Text").shape
        assert shown["state"]["state"] == "broken" and shown["faults"] == 0, name
