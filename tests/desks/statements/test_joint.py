"""Several parties speak at one instant, each by its own go: what goes out, what does not, and who can keep it from going."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from comity.desks.statements import DESK
from comity.desks.statements.joint import own_part
from comity.kernel.errors import NotAllowed, Usage
from comity.kernel.model.instants import format
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.release.handling import Handling
from comity.kernel.store.rows import CaseEntry, CasePaper, Publication
from comity.kernel.tlog.publication import verify_record
from comity.node import publishing
from comity.node.casework.acting import act
from comity.node.casework.appointing import appointment
from comity.node.casework.keeping import case_row, content_of, keys_known
from comity.node.casework.signing import drafts_of, propose, support
from comity.node.deeds import deed
from comity.node.parties import card_of
from desks.statements.room import ALMARA, BELVIA, HOUR, MINUTE, NAMES, SECOND, TEXTS, XANADU, YPSILON, Ministries

THREE = (XANADU, YPSILON, ALMARA)


@pytest.fixture
def room() -> Ministries:
    return Ministries().open(*THREE)


def names_out(room: Ministries) -> list[str]:
    return [name for name in room.nodes if room.statements.get(name) and room.out(name)]


def test_each_publishes_its_own_statement_at_the_instant_and_none_before() -> None:
    room = Ministries().open(*NAMES)
    room.together(*NAMES)
    room.at = room.instant - SECOND
    room.tick(*NAMES)
    assert names_out(room) == []
    assert room.tell(XANADU, "standing", case=room.case)["own"]["ready"] is True
    room.pass_instant(*NAMES)
    for name in NAMES:
        went = room.out(name)
        assert went is not None
        assert went.at == went.due == room.instant
        assert TEXTS[name].encode() in went.raw
        assert set(room.stands(name).values()) == {"published"}
        assert all(room.row(name, other)["kept"] and room.row(name, other)["notes"] == [] for other in NAMES)
    assert room.tell(BELVIA, "standing", case=room.case)["state"] == "concluded"


def test_who_did_not_say_go_publishes_nothing_and_the_others_do(room: Ministries) -> None:
    room.together(*THREE, go=False)
    room.tell(XANADU, "go", case=room.case)
    room.sync(*THREE)
    assert room.tell(YPSILON, "standing", case=room.case)["own"]["ready"] is False
    room.pass_instant(*THREE)
    assert names_out(room) == [XANADU]
    assert room.stands(ALMARA) == {XANADU: "published", YPSILON: "joined", ALMARA: "joined"}


def test_withdrawn_ten_minutes_before_the_instant_with_the_convener_off_line(room: Ministries) -> None:
    room.together(*THREE)
    room.at = room.instant - 10 * MINUTE
    room.tell(YPSILON, "withdraw", case=room.case, reason="The capital has called.")
    room.sync(YPSILON, ALMARA)  # the convener is reached by nobody
    assert room.stands(ALMARA)[YPSILON] == "withdraw"
    assert room.row(ALMARA, YPSILON)["entered"] is False
    room.at = room.instant
    room.tick(*THREE)
    assert names_out(room) == [XANADU, ALMARA]
    assert room.tell(YPSILON, "standing", case=room.case)["own"]["stands"] == "withdrawn"
    assert [bytes(TEXTS[YPSILON], "utf-8") in row.raw for row in waiting(room, YPSILON)] == [False]


def waiting(room: Ministries, name: str) -> list[Publication]:
    with room.nodes[name].store.read() as tx:
        return publishing.publications(tx)


def test_network_cut_before_the_instant_and_all_with_go_publish(room: Ministries) -> None:
    room.together(*THREE)
    room.at = room.instant
    room.tick(*THREE)  # nobody was contacted since
    assert names_out(room) == list(THREE)


def test_hold_and_go_again_counts_as_go_and_hold_alone_does_not(room: Ministries) -> None:
    room.together(*THREE)
    room.tell(YPSILON, "hold", case=room.case, reason="A word with the capital.")
    room.tell(ALMARA, "hold", case=room.case)
    room.tell(YPSILON, "go", case=room.case)
    room.sync(*THREE)
    assert room.stands(XANADU) == {XANADU: "go", YPSILON: "go", ALMARA: "hold"}
    room.pass_instant(*THREE)
    assert names_out(room) == [XANADU, YPSILON]


def test_who_held_back_speaks_late_and_the_file_says_how_late(room: Ministries) -> None:
    room.together(*THREE)
    room.tell(ALMARA, "hold", case=room.case)
    room.pass_instant(*THREE)
    told = room.tell(ALMARA, "go", case=room.case)
    assert told["stands"] == "published"
    went = room.out(ALMARA)
    assert went is not None
    assert (went.due, went.at) == (room.instant, room.at)
    room.pass_instant(*THREE)
    assert any("seconds after the instant" in note for note in room.row(XANADU, ALMARA)["notes"])


def test_the_convener_moves_the_instant_after_the_go_and_nobody_speaks_at_either_before_a_new_one(
    room: Ministries,
) -> None:
    room.together(*THREE)
    first = room.instant
    later = first + HOUR
    room.tell(XANADU, "appoint", case=room.case, at=format(later))
    room.sync(*THREE)
    assert set(room.stands(YPSILON).values()) == {"go-elsewhere"}
    room.tell(ALMARA, "go", case=room.case)
    room.sync(*THREE)
    room.at = first
    room.tick(*THREE)
    assert names_out(room) == []
    assert "say go" in room.tell(YPSILON, "standing", case=room.case)["own"]["missing"][0]
    room.instant = later
    room.pass_instant(*THREE)
    assert names_out(room) == [ALMARA]
    went = room.out(ALMARA)
    assert went is not None
    assert went.due == later
    assert went.raw.count(format(later).encode()) == 1


def test_who_never_heard_of_the_move_speaks_at_the_instant_it_was_appointed_to(room: Ministries) -> None:
    room.together(*THREE)
    room.tell(XANADU, "appoint", case=room.case, at=format(room.instant + HOUR))
    room.at = room.instant
    room.tick(*THREE)
    assert names_out(room) == [YPSILON, ALMARA]


def test_a_move_that_comes_after_the_instant_takes_nothing_back_and_moves_nothing(room: Ministries) -> None:
    room.together(*THREE)
    room.at = room.instant + SECOND
    with pytest.raises(NotAllowed) as refused:
        room.tell(XANADU, "appoint", case=room.case, at=format(room.instant + HOUR))
    assert refused.value.code == "step-state"
    room.tick(*THREE)
    assert names_out(room) == list(THREE)


def test_a_case_that_its_convener_abandons_lets_nothing_go_out(room: Ministries) -> None:
    room.together(*THREE)
    with deed(room.nodes[XANADU], "officer-1") as work:
        act(work, case_row(work.tx, room.case), "abandon", {}, {}, officer="officer-1")
    room.sync(*THREE)
    room.pass_instant(*THREE)
    assert names_out(room) == []
    with pytest.raises(NotAllowed) as refused:
        room.tell(YPSILON, "go", case=room.case)
    assert refused.value.code == "statement-case"


def test_a_party_that_the_others_remove_still_speaks_by_its_own_go_and_that_is_told(room: Ministries) -> None:
    room.together(*THREE)
    gone = room.nodes[ALMARA].party
    with deed(room.nodes[XANADU], "officer-1") as work:
        propose(work, case_row(work.tx, room.case), "remove", {"party": gone}, officer="officer-1")
    room.sync(*THREE)
    with deed(room.nodes[YPSILON], "officer-1") as work:
        row = case_row(work.tx, room.case)
        (entry, _, _), *_ = drafts_of(work.tx, row, keys_known(work.tx))
        support(work, row, entry.digest, officer="officer-1")
    room.sync(*THREE)
    assert any("own affair" in note for note in room.row(YPSILON, ALMARA)["notes"])
    room.tell(ALMARA, "hold", case=room.case)
    told = room.told(ALMARA, "go", case=room.case)
    assert any("does not show it" in line for line in told.lines)
    room.pass_instant(*THREE)
    assert names_out(room) == list(THREE)


def test_a_clock_an_hour_ahead_speaks_by_itself_and_the_others_see_it_and_it_is_warned(room: Ministries) -> None:
    room.shift[ALMARA] = HOUR
    room.at += 2 * HOUR  # no node's clock goes back
    room.together(*THREE, hours=3)
    warned = room.tell(ALMARA, "standing", case=room.case)["warnings"]
    assert any("ours may be ahead" in one for one in warned)
    seen = room.tell(YPSILON, "standing", case=room.case)["warnings"]
    assert [one for one in seen if "clock" in one] == [
        "Almara signs times ahead of our clock, as others do not: its clock may be ahead, and it would publish early."
    ]
    room.at = room.instant - HOUR
    room.tick(*THREE)
    assert names_out(room) == [ALMARA]
    room.at += 2 * MINUTE
    room.tick(ALMARA)
    room.sync(*THREE)
    assert room.stands(XANADU)[ALMARA] == "published"
    assert any("before the instant" in note for note in room.row(XANADU, ALMARA)["notes"])
    room.pass_instant(*THREE)
    assert names_out(room) == list(THREE)


def test_a_clock_an_hour_behind_is_warned_that_it_would_speak_late(room: Ministries) -> None:
    room.shift[ALMARA] = -HOUR
    room.at += 2 * HOUR
    room.together(*THREE, hours=3)
    assert any("ours may be behind" in one for one in room.tell(ALMARA, "standing", case=room.case)["warnings"])
    assert not any("ours may be" in one for one in room.tell(XANADU, "standing", case=room.case)["warnings"])


def test_no_byte_of_a_text_stands_in_a_home_that_was_not_named_before_the_instant(room: Ministries) -> None:
    for name in THREE:
        room.draft(name)
    room.tell(XANADU, "share", statement=room.statements[XANADU], to=(room.nodes[YPSILON].party,))
    room.sync(*THREE)
    kept, room.statements = dict(room.statements), {}
    room.draft = lambda name, **said: kept[name]  # type: ignore[method-assign]
    room.statements = kept
    room.together(*THREE)
    room.at = room.instant - SECOND
    room.tick(*THREE)
    room.sync(*THREE)
    assert room.homes_with(TEXTS[XANADU].encode()) == [XANADU, YPSILON]
    assert room.homes_with(TEXTS[YPSILON].encode()) == [YPSILON]
    assert room.homes_with(kept[ALMARA].encode()) == [ALMARA]  # not even that there is one
    room.pass_instant(*THREE)
    assert room.homes_with(TEXTS[ALMARA].encode()) == list(THREE)


def test_a_co_signatory_that_publishes_early_is_convicted_by_its_own_log(room: Ministries) -> None:
    room.together(*THREE)
    with deed(room.nodes[ALMARA], "officer-1") as work:  # a node that was made to break its word
        row = publishing.publications(work.tx)[0]
        work.tx.put(replace(row, due=work.at + SECOND, case=None))
    room.at += 2 * SECOND
    room.tick(ALMARA)
    assert names_out(room) == [ALMARA]
    room.sync(*THREE)
    assert room.stands(YPSILON)[ALMARA] == "published"
    assert any("before the instant" in note for note in room.row(YPSILON, ALMARA)["notes"])


def test_killed_between_the_publication_and_its_report_the_report_is_made_once(room: Ministries) -> None:
    room.together(*THREE)
    room.at = room.instant
    for name in THREE:
        with deed(room.nodes[name]):  # what fell due is done; the node is killed before the desk does anything
            pass
    assert names_out(room) == list(THREE)
    assert room.row(ALMARA, ALMARA)["reported"] is None
    room.at += 2 * MINUTE
    for _ in range(3):
        room.tick(*THREE)
    room.sync(*THREE)
    reported = [room.row(XANADU, name)["reported"] for name in THREE]
    assert all(one["proved"] for one in reported)
    with room.nodes[XANADU].store.read() as tx:
        acts = [claimed_act(claimed_entry(row.envelope).act) for row in tx.find(CaseEntry, case=room.case)]
    assert sorted(one.by for one in acts if one.type == "published") == sorted(room.nodes[name].party for name in THREE)


def test_what_is_published_is_what_was_committed_to_and_a_swapped_statement_is_shown(room: Ministries) -> None:
    room.together(*THREE)
    with deed(room.nodes[ALMARA], "officer-1") as work:
        row = publishing.publications(work.tx)[0]
        data = msgspec.json.decode(row.raw)
        data["texts"][0]["text"] = "Something else altogether."
        handling = Handling.from_json(msgspec.json.decode(row.handling))
        publishing.schedule(work, data, row.due, handling=handling, kinds=DESK.kinds, case=row.case)
        publishing.go(work, row.id)
    room.pass_instant(*THREE)
    seen = room.row(XANADU, ALMARA)
    assert seen["kept"] is False
    assert "What it published is not the statement it committed to." in seen["notes"]


def test_a_text_changed_after_joining_does_not_go_out_by_the_old_go(room: Ministries) -> None:
    room.together(*THREE)
    room.tell(
        ALMARA, "text", statement=room.statements[ALMARA], language="en", text=b"A better sentence.", status="authentic"
    )
    assert any(
        "changed after we joined" in one for one in room.tell(ALMARA, "standing", case=room.case)["own"]["missing"]
    )
    room.tell(ALMARA, "join", case=room.case, statement=room.statements[ALMARA])
    room.sync(*THREE)
    assert room.stands(XANADU)[ALMARA] == "joined"
    room.tell(ALMARA, "go", case=room.case)
    room.pass_instant(*THREE)
    went = room.out(ALMARA)
    assert went is not None
    assert b"A better sentence." in went.raw
    assert room.row(XANADU, ALMARA)["kept"] is True


def test_an_uncertified_translation_does_not_go_out_and_drafts_alone_cannot_join(room: Ministries) -> None:
    statement = room.draft(ALMARA, status="draft")
    room.instant = room.at + HOUR
    room.case = room.tell(ALMARA, "convene", title="Day", party=(room.nodes[XANADU].party,), at=format(room.instant))[
        "case"
    ]
    with pytest.raises(NotAllowed) as refused:
        room.tell(ALMARA, "join", case=room.case, statement=statement)
    assert refused.value.code == "statement-texts"
    room.tell(
        ALMARA,
        "text",
        statement=statement,
        language="fr",
        text="Menée depuis le territoire.".encode(),
        status="certified",
        by="Language service",
    )
    told = room.tell(ALMARA, "join", case=room.case, statement=statement)
    assert told["left_out"] == ["en"]
    room.tell(ALMARA, "go", case=room.case)
    room.at = room.instant
    room.tick(ALMARA)
    went = room.out(ALMARA)
    assert went is not None
    assert [one["language"] for one in msgspec.json.decode(went.raw)["texts"]] == ["fr"]


def test_nobody_convenes_for_an_instant_that_is_over_or_joins_without_one(room: Ministries) -> None:
    for at in ("2021-03-05T11:00:00Z", "2999-01-01T00:00:00Z"):
        with pytest.raises(Usage) as refused:
            room.tell(XANADU, "convene", title="Day", party=(room.nodes[YPSILON].party,), at=at)
        assert refused.value.code == "publication-instant"
    for kind in ("go", "hold", "withdraw"):
        room.case = (
            room.case
            or room.tell(XANADU, "convene", title="Day", party=(room.nodes[YPSILON].party,), at=format(room.at + HOUR))[
                "case"
            ]
        )
        with pytest.raises(NotAllowed) as no:
            room.tell(XANADU, kind, case=room.case)
        assert no.value.code == "statement-case"


def test_an_outsider_verifies_the_public_file_of_the_case_without_a_node(room: Ministries) -> None:
    room.together(*THREE)
    room.pass_instant(*THREE)
    told = room.told(YPSILON, "public", what=(room.case,))
    assert told.file is not None
    anchors = {}
    for name in THREE:
        with room.nodes[name].store.read() as tx:
            card = card_of(tx, room.nodes[name].party)
            assert card is not None
            anchors[card.party] = card.fingerprint
    report = verify_record(told.file, anchors)
    assert report["verified"] is True
    assert sorted(str(one["party"]) for one in report["items"]) == sorted(room.nodes[name].party for name in THREE)
    assert (
        {one["appointed"] for one in report["items"]}
        == {one["published"] for one in report["items"]}
        == {format(room.instant)}
    )
    forged = told.file.replace(b"highly likely", b"barely likely")
    assert forged != told.file
    assert verify_record(forged, anchors)["verified"] is False


def test_a_report_that_shows_another_partys_proof_is_not_believed(room: Ministries) -> None:
    room.together(*THREE)
    room.at = room.instant
    room.tick(*THREE)
    room.at += 2 * MINUTE
    room.tick(XANADU)
    room.sync(*THREE)
    theirs = room.row(ALMARA, XANADU)["reported"]
    with deed(room.nodes[ALMARA]) as work:
        row = case_row(work.tx, room.case)
        own = own_part(work.tx, row)
        report = next(
            claimed_act(one.envelope)
            for one in work.tx.find(CasePaper, case=row.id, kind="heard")
            if claimed_act(one.envelope).type == "published"
        )
        content = content_of(work.tx, row, report.digest)
        assert own is not None
        act(work, row, "published", {"statement": own.commitment, "act": theirs["act"]}, content, officer="")
    room.sync(*THREE)
    seen = room.row(YPSILON, ALMARA)
    assert seen["reported"]["proved"] is False
    told = room.tell(YPSILON, "public", what=(room.case,))
    assert room.nodes[ALMARA].party not in {one["party"] for one in told["items"]}
    assert any(ALMARA in one for one in told["missing"])


def test_a_go_for_a_statement_that_was_replaced_is_not_shown_as_go_for_the_new_one(room: Ministries) -> None:
    room.together(*THREE, go=False)
    with room.nodes[ALMARA].store.read() as tx:
        before = own_part(tx, case_row(tx, room.case))
    assert before is not None
    room.at += SECOND
    room.tell(ALMARA, "join", case=room.case, statement=room.statements[ALMARA])
    with deed(room.nodes[ALMARA], "officer-1") as work:
        row = case_row(work.tx, room.case)
        stands = appointment(work.tx, row.id)
        assert stands is not None
        old = {"text": stands.text, "at": format(stands.at), "statement": before.commitment}
        act(work, row, "go", old, {}, officer="officer-1")
    room.sync(*THREE)
    assert room.stands(XANADU)[ALMARA] == "go-elsewhere"
