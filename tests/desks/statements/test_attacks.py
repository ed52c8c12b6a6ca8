"""What others, or our own haste, could make a statement say or do: each attack as it was tried, and what becomes of it."""

from __future__ import annotations

import msgspec
import pytest

from comity.desks.statements import DESK
from comity.kernel.errors import NotAllowed
from comity.kernel.model.instants import format
from comity.kernel.procedure.calendar import Calendar
from comity.kernel.procedure.charter import Charter
from comity.kernel.seal.canonical import canonical
from comity.node import mandates, publishing
from comity.node.casework.acting import act, open_case
from comity.node.casework.keeping import table_of
from comity.node.deeds import deed
from comity.node.desk import carry_out
from comity.node.officers import add_officer
from comity.node.procedures import shipped_tables, zone
from comity.node.record import log_facts
from desks.statements.room import ALMARA, HOUR, MINUTE, SECOND, STATED, XANADU, YPSILON, Ministries

INCIDENT = "incident--00000000-0000-4000-8000-000000000007"
DEEDS = {item.name: item for item in DESK.deeds}


@pytest.fixture
def room() -> Ministries:
    return Ministries().open(XANADU, YPSILON)


def test_a_statement_without_a_version_is_a_defect_and_every_reading_deed_answers(room: Ministries) -> None:
    bare = {"spec_version": "2.1"}
    one = {**bare, "type": "x-comity-statement", "id": "x-comity-statement--00000000-0000-4000-8000-000000000001"}
    other = {**bare, "type": "x-comity-reply", "id": "x-comity-reply--00000000-0000-4000-8000-000000000001",
             "replies_to": [one["id"]]}  # fmt: skip
    room.take(YPSILON, one, other, tlp="green", purpose=["incident-response"], basis=["agreement"], caveats=[])
    room.sync(XANADU, YPSILON)
    for name in (XANADU, YPSILON):
        told = room.tell(name, "list")
        assert told["statements"] == told["replies"] == []
        assert {item["id"] for item in told["defects"]} == {one["id"], other["id"]}


def test_what_is_marked_clear_and_still_kept_back_is_not_named_by_a_public_statement(room: Ministries) -> None:
    held_back = {"type": "incident", "spec_version": "2.1", "id": INCIDENT, "created": "2021-03-05T12:00:00.000Z",
                 "modified": "2021-03-05T12:00:00.000Z", "name": "Mail servers"}  # fmt: skip
    room.take(XANADU, held_back, tlp="clear", embargo=room.at + 24 * HOUR, caveats=[])
    draft = {**held_back, "type": "x-comity-dossier", "id": INCIDENT.replace("incident", "x-comity-dossier"),
             "state": "draft", "addressed_to": [room.nodes[XANADU].party]}  # fmt: skip
    room.take(XANADU, draft, tlp="clear", caveats=[])
    statement = room.draft(XANADU, incident=(INCIDENT,), dossier=str(draft["id"]))
    room.tell(XANADU, "publish", statement=statement)
    went = room.out(XANADU)
    assert went is not None
    assert INCIDENT.encode() not in went.raw
    assert str(draft["id"]).encode() not in went.raw


def test_a_draft_marked_clear_is_no_public_statement_and_nobody_aligns_with_it(room: Ministries) -> None:
    statement = room.draft(XANADU, tlp="clear")
    assert [one["public"] for one in room.tell(XANADU, "list")["statements"]] == [False]
    room.tell(XANADU, "share", statement=statement, to=(YPSILON,))
    room.sync(XANADU, YPSILON)
    with pytest.raises(NotAllowed) as refused:
        room.tell(YPSILON, "align", statement=(statement,), language="en", text=b"So do we.", **STATED)
    assert refused.value.code == "not-public"
    assert room.homes_with(b"So do we.") == []


def test_an_instant_brought_forward_behind_an_officers_back_publishes_nothing_by_a_go_that_does_not_name_it(
    room: Ministries,
) -> None:
    room.together(XANADU, YPSILON, hours=24, go=False)
    room.tell(XANADU, "appoint", case=room.case, at=format(room.at + MINUTE))
    room.sync(XANADU, YPSILON)
    room.at += MINUTE + SECOND
    with pytest.raises(NotAllowed) as refused:
        room.tell(YPSILON, "go", case=room.case)
    assert refused.value.code == "publication-changed"
    assert room.out(YPSILON) is None
    with pytest.raises(NotAllowed):
        room.tell(YPSILON, "go", case=room.case, at=format(room.instant))
    assert room.out(YPSILON) is None
    room.tell(YPSILON, "go", case=room.case, at=format(room.at - SECOND))
    assert room.out(YPSILON) is not None


def test_a_convener_with_a_table_of_its_own_keeps_nobody_from_holding_back(room: Ministries) -> None:
    table = msgspec.json.decode(canonical(shipped_tables()["joint-statements"].data))
    table["acts"]["unsay"] = {"sentence": "Anything.", "by": "convener", "open": {"text": "digest", "until": "word"}}
    table["rows"].append({"id": "unsay", "from": "appointed", "act": "unsay", "to": "=", "effects": ["text"]})
    raw, at = canonical(table), room.at + HOUR
    settings = {"embargo": "PT1H", "reports": "P1D", "case": "PT9000H", "convener-gone": "PT12H"}
    with deed(room.nodes[XANADU], "officer-1") as work:
        parties = tuple(sorted(node.party for node in room.nodes.values()))
        calendar = Calendar(zone("UTC", work.at, work.at + 20_000 * HOUR))
        charter = Charter(table_of(raw).digest, log_facts(work.tx).origin, parties, settings, calendar=calendar)
        row = open_case(work, raw, title="One day", charter=charter, officer="officer-1")
    room.case = row.id
    room.tell(XANADU, "appoint", case=room.case, at=format(at))
    room.sync(XANADU, YPSILON)
    room.tell(YPSILON, "join", case=room.case, statement=room.draft(YPSILON))
    room.tell(YPSILON, "go", case=room.case)
    with deed(room.nodes[XANADU], "officer-1") as work:
        act(work, row, "unsay", {"text": "ab" * 32, "until": "soon"}, {}, officer="officer-1")
    room.sync(XANADU, YPSILON)
    assert room.tell(YPSILON, "standing", case=room.case)["instant"] == format(at)
    assert room.tell(YPSILON, "hold", case=room.case)["stands"] == publishing.HOLD
    room.at = at
    room.tick(YPSILON)
    assert room.out(YPSILON) is None


def test_go_is_said_by_nobody_whose_mandate_does_not_reach_the_claim(room: Ministries) -> None:
    room.together(XANADU, YPSILON, go=False)
    node = room.nodes[XANADU]
    add_officer(node, "Ada", ["admin"])
    bob = add_officer(node, "Bob", ["sign", "release"])[0].id
    with deed(node, "officer-1") as work:
        mandates.give(work, "Bob", ["statement *"], reason="asked", ceilings={"claim-level": 1, "tlp": "red"})
    said = {"case": room.case}
    with pytest.raises(NotAllowed) as refused:
        carry_out(node, DEEDS["statement go"], said, bob)
    assert refused.value.code == "mandate-ceiling"
    with node.store.read() as tx:
        assert [one.standing for one in publishing.publications(tx)] == [publishing.WAITING]
    with deed(node, "officer-1") as work:
        mandates.give(work, "Bob", ["statement *"], reason="asked", ceilings={"claim-level": 7})
    assert carry_out(node, DEEDS["statement go"], said, bob).shape["stands"] == publishing.GO


def test_a_mandate_without_a_ceiling_publishes_nothing(room: Ministries) -> None:
    statement = room.draft(XANADU, claim_level="solidarity", likelihood=None, scale=None, confidence=None)
    node = room.nodes[XANADU]
    add_officer(node, "Ada", ["admin"])
    bob = add_officer(node, "Bob", ["release"])[0].id
    with deed(node, "officer-1") as work:
        mandates.give(work, "Bob", ["release"], reason="asked", ceilings={"claim-level": 7})
    with pytest.raises(NotAllowed) as refused:
        carry_out(node, DEEDS["statement publish"], {"statement": statement}, bob)
    assert refused.value.code == "mandate-ceiling"
    assert room.out(XANADU) is None


def test_a_rehearsed_publication_says_that_everybody_would_have_it() -> None:
    room = Ministries().open(XANADU, ALMARA)
    statement = room.draft(XANADU)
    told = room.told(XANADU, "publish", statement=statement, dry=True)
    [everybody] = [one for one in told.shape["effects"] if one["party"] == "*"]
    assert [one["object"] for one in everybody["shown"]] == [statement]
    assert f"Everybody gets {statement} (full)." in told.lines
    assert room.out(XANADU) is None
    with room.nodes[XANADU].store.read() as tx:
        assert publishing.publications(tx) == []


def test_what_goes_out_says_no_more_than_the_texts_somebody_answers_for(room: Ministries) -> None:
    statement = room.draft(XANADU)
    room.tell(XANADU, "share", statement=statement, to=(YPSILON,))
    room.tell(XANADU, "publish", statement=statement)
    went = room.out(XANADU)
    assert went is not None
    assert room.nodes[YPSILON].party.encode() not in went.raw
    assert "addressed_to" not in msgspec.json.decode(went.raw)
