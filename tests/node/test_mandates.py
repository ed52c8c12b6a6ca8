"""Mandates: who may do what, up to where, from when to when; asked in the deed itself, committed to by its acts, seen by no peer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from comity.desks import desks
from comity.kernel.errors import ComityError, InputRefused, NotAllowed, SealBroken, Usage
from comity.kernel.release.handling import Handling
from comity.kernel.release.opening import Opening, read_opening, verify_opening
from comity.kernel.release.templates import bilateral
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.rows import ActRow, Approval, CaseContent, ControlRow, MandateRow, StreamRow
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import carry_out
from comity.node.instruments import receive, sign_agreement
from comity.node.mandates import Given, acting, confirm, end, give, mandates, needs, required
from comity.node.officers import add_officer, end_officer
from comity.node.opening import open_act_for
from comity.node.publishing import go, schedule
from comity.node.release import approve
from property.normal import Normal
from simulators.world import DAY, HOUR, World, indicator, malware

A, B = "Team A", "Team B"
ADA, BEN, CLEO, DAN = "officer-1", "officer-2", "officer-3", "officer-4"


def world() -> World:
    """Two teams; at the first, Ada and Ben administer, Ben, Cleo and Dan sign and release."""
    made = World()
    made.node(A)
    made.node(B, country="XB")
    made.introduce(A, B)
    for name, roles in (
        ("Ada", ["admin"]),
        ("Ben", ["admin", "sign", "release"]),
        ("Cleo", ["sign", "release"]),
        ("Dan", ["sign", "release"]),
    ):
        add_officer(made.nodes[A], name, roles)
    return made


def given(world: World, officer: str, *deeds: str, by: str = ADA, **more: Any) -> Given:
    with deed(world.nodes[A], by) as work:
        return give(work, officer, deeds, reason=more.pop("reason", "night watch"), **more)


def does(world: World, officer: str, name: str = "agreement sign", kind: str = "sign") -> tuple[str, ...]:
    """An officer begins a deed and carries it out, as a face does; gives the mandates it is done under."""
    with deed(acting(world.nodes[A], name, kind, officer), officer) as work:
        return work.under


def refused(world: World, officer: str, name: str = "agreement sign", kind: str = "sign") -> ComityError:
    with pytest.raises(NotAllowed) as broken:
        does(world, officer, name, kind)
    return broken.value


def draft(world: World) -> str:
    text = bilateral(world.parties(A, B), enters_into_force=world.at)
    row, _ = receive(world.nodes[A], text.encode())
    receive(world.nodes[B], text.encode())
    return row.digest


def test_node_that_never_gave_a_mandate_works_by_roles_alone() -> None:
    w = world()
    assert does(w, CLEO) == ()
    with w.nodes[A].store.read() as tx:
        assert not required(tx, w.at)


def test_from_the_first_mandate_on_who_has_none_is_refused_and_told_who_has() -> None:
    w = world()
    first = given(w, "Cleo", "agreement *")
    assert does(w, CLEO) == (first.row.digest,)
    broken = refused(w, DAN)
    assert broken.code == "mandate-missing"
    assert "Dan" in broken.sentence and "Cleo holds mandate-1" in broken.sentence
    assert refused(w, CLEO, "release approve", "release").code == "mandate-missing"
    assert does(w, DAN, "import", "take in") == ()


@pytest.mark.parametrize(
    ("deeds", "name", "kind", "covered"),
    [
        (["sign"], "case open", "sign", True),
        (["case *"], "case open", "sign", True),
        (["case open"], "case open", "sign", True),
        (["case *"], "casework open", "sign", False),
        (["case act"], "case open", "sign", False),
        (["release"], "case open", "sign", False),
    ],
)
def test_mandate_covers_a_deed_by_name_group_or_kind_and_nothing_beside(
    deeds: Sequence[str], name: str, kind: str, covered: bool
) -> None:
    w = world()
    given(w, "Cleo", *deeds)
    if covered:
        assert does(w, CLEO, name, kind)
    else:
        assert refused(w, CLEO, name, kind).code == "mandate-missing"


def test_ending_the_last_mandate_does_not_bring_the_time_of_roles_back() -> None:
    w = world()
    given(w, "Cleo", "sign")
    w.at += HOUR
    with deed(w.nodes[A], BEN) as work:
        end(work, "mandate-1", reason="left")
    broken = refused(w, CLEO)
    assert broken.code == "mandate-over" and "was ended at" in broken.sentence and "nobody holds one" in broken.sentence
    assert refused(w, DAN).code == "mandate-missing"


def test_mandate_that_never_came_into_force_takes_no_officer_the_role() -> None:
    w = world()
    given(w, "Cleo", "sign", since=w.at + DAY)
    assert does(w, DAN) == ()
    with deed(w.nodes[A], ADA) as work:
        end(work, "mandate-1", reason="mistake")
    w.at += 2 * DAY
    assert does(w, DAN) == ()


def test_mandate_holds_from_its_first_instant_to_just_before_its_last() -> None:
    w = world()
    given(w, "Dan", "sign")
    given(w, "Cleo", "sign", since=w.at + HOUR, until=w.at + 2 * HOUR)
    w.at += HOUR - 1
    assert "begins only at" in refused(w, CLEO).sentence
    w.at += 1
    assert does(w, CLEO)
    w.at += HOUR - 1
    assert does(w, CLEO)
    w.at += 1
    assert refused(w, CLEO).code == "mandate-over"


def test_clock_an_hour_back_revives_no_mandate_that_is_over() -> None:
    w = world()
    given(w, "Cleo", "sign", until=w.at + HOUR)
    w.at += 2 * HOUR
    with deed(w.nodes[A]):
        pass
    w.at -= HOUR + HOUR // 2
    assert refused(w, CLEO).code == "mandate-over"


def test_mandate_that_ends_between_the_look_and_the_deed_covers_nothing() -> None:
    w = world()
    given(w, "Cleo", "sign")
    w.at += HOUR
    hands = acting(w.nodes[A], "agreement sign", "sign", CLEO)
    with deed(w.nodes[A], ADA) as work:
        end(work, "mandate-1", reason="called off")
    digest = draft(w)
    with pytest.raises(NotAllowed, match="was ended"):
        sign_agreement(hands, digest, officer=CLEO)
    with w.nodes[A].store.read() as tx:
        assert not list(tx.find(ControlRow, kind="signature"))


def test_substitute_acts_under_the_holders_mandate_and_nobody_else_does() -> None:
    w = world()
    held = given(w, "Cleo", "sign", substitutes=["Dan"])
    assert does(w, DAN) == (held.row.digest,)
    own = given(w, "Dan", "sign")
    assert does(w, DAN) == (own.row.digest, held.row.digest)
    assert refused(w, BEN).code == "mandate-missing"


def test_mandate_ends_with_the_token_of_its_holder_for_the_substitute_too() -> None:
    w = world()
    given(w, "Cleo", "sign", substitutes=["Dan"])
    end_officer(w.nodes[A], "Cleo", by=ADA)
    add_officer(w.nodes[A], "Cleo again", ["sign"])
    assert "ended with the token of Cleo" in refused(w, DAN).sentence
    assert refused(w, "officer-5").code == "mandate-missing"


# --- who gives


@pytest.mark.parametrize(("officer", "substitutes"), [("Ben", ()), ("Cleo", ("Ben",))])
def test_nobody_mandates_himself_alone_as_holder_or_as_substitute(officer: str, substitutes: tuple[str, ...]) -> None:
    w = world()
    given(w, "Dan", "sign")
    mine = given(w, officer, "sign", by=BEN, substitutes=substitutes)
    assert mine.waits
    assert "waits for another officer" in refused(w, BEN).sentence
    with pytest.raises(NotAllowed) as alone, deed(w.nodes[A], BEN) as work:
        confirm(work, mine.row.id)
    assert alone.value.code == "mandate-alone"
    with pytest.raises(NotAllowed) as role, deed(w.nodes[A], CLEO) as work:
        confirm(work, mine.row.id)
    assert role.value.code == "token-needed"
    w.at += HOUR
    with deed(w.nodes[A], ADA) as work:
        confirm(work, mine.row.id)
    assert does(w, BEN) == (mine.row.digest,)
    with pytest.raises(Usage), deed(w.nodes[A], ADA) as work:
        confirm(work, mine.row.id)


def test_waiting_mandate_makes_no_node_ask_for_mandates() -> None:
    w = world()
    given(w, "Ben", "sign", by=BEN)
    assert does(w, DAN) == ()


def test_mandate_cannot_begin_before_it_was_given() -> None:
    w = world()
    with pytest.raises(InputRefused) as broken:
        given(w, "Cleo", "sign", since=w.at - 1)
    assert broken.value.code == "mandate-form"


def test_mandate_is_given_by_no_officer_without_the_role_admin() -> None:
    w = world()
    for by in (CLEO, "", "officer-99"):
        with pytest.raises(NotAllowed):
            given(w, "Dan", "sign", by=by)
    end_officer(w.nodes[A], "Ben", by=ADA)
    with pytest.raises(NotAllowed):
        given(w, "Dan", "sign", by=BEN)


# --- ceilings


def test_deed_above_the_ceiling_is_refused_and_names_who_reaches_it() -> None:
    w = world()
    low = given(w, "Cleo", "sign", ceilings={"claim-level": 3})
    high = given(w, "Dan", "sign", ceilings={"claim-level": 6})
    hands = acting(w.nodes[A], "case open", "sign", CLEO)
    with deed(hands, CLEO) as work:
        needs(work, CLEO, "claim-level", 3)
        assert work.under == (low.row.digest,)
    with pytest.raises(NotAllowed) as broken, deed(hands, CLEO) as work:
        needs(work, CLEO, "claim-level", 4)
    assert broken.value.code == "mandate-ceiling"
    assert "up to claim-level 3" in broken.value.sentence and f"Dan holds {high.row.id}" in broken.value.sentence
    with pytest.raises(NotAllowed, match="states no ceiling tlp"), deed(hands, CLEO) as work:
        needs(work, CLEO, "tlp", "clear")
    with pytest.raises(InputRefused), deed(hands, CLEO) as work:
        needs(work, CLEO, "claim-level", 8)


def test_deed_is_done_under_the_mandate_that_reaches_it_and_not_under_a_lower_one() -> None:
    w = world()
    given(w, "Cleo", "sign", ceilings={"claim-level": 3})
    high = given(w, "Cleo", "case *", ceilings={"claim-level": 6})
    with deed(acting(w.nodes[A], "case open", "sign", CLEO), CLEO) as work:
        needs(work, CLEO, "claim-level", 5)
        assert work.under == (high.row.digest,)


def test_ceiling_is_asked_of_nobody_where_no_mandate_is_required() -> None:
    w = world()
    with deed(w.nodes[A], CLEO) as work:
        needs(work, CLEO, "claim-level", 7)


def referred(w: World) -> str:
    """An object that a clause leaves to officers; gives its id."""
    text = bilateral(w.parties(A, B), enters_into_force=w.at)
    w.agree(text, A, B)
    w.take(A, indicator(5), tlp="red", basis=["agreement"], purpose=["situational-awareness"], caveats=[])
    return str(indicator(5)["id"])


def test_object_above_the_ceiling_is_not_released_by_the_officers_word() -> None:
    w = world()
    named = referred(w)
    given(w, "Cleo", "release", ceilings={"tlp": "amber+strict"})
    given(w, "Dan", "release approve", ceilings={"tlp": "red"})
    hands = acting(w.nodes[A], "release approve", "release", CLEO)
    with pytest.raises(NotAllowed) as broken:
        approve(hands, named, B, officer=CLEO, reason="asked")
    assert broken.value.code == "mandate-ceiling" and "Dan holds mandate-2" in broken.value.sentence
    with w.nodes[A].store.read() as tx:
        assert tx.count(Approval) == 0
    approve(acting(w.nodes[A], "release approve", "release", DAN), named, B, officer=DAN, reason="asked")


# --- what acts commit to


def signing(w: World, officer: str = CLEO, reason: str = "the minister agreed") -> str:
    """An agreement signed by an officer; gives the digest of the act towards the other party."""
    digest = draft(w)
    hands = acting(w.nodes[A], "agreement sign", "sign", officer)
    sign_agreement(hands, digest, officer=officer, reason=reason)
    with w.nodes[A].store.read() as tx:
        return next(row.digest for row in tx.find(ActRow, to=w.nodes[B].party) if row.kind == "sign")


def test_act_commits_to_officer_mandate_and_reason_and_opens_to_an_auditor() -> None:
    w = world()
    held = given(w, "Cleo", "agreement *", until=w.at + DAY, substitutes=["Dan"], reason="decree 7")
    act = signing(w, DAN)
    opening = open_act_for(w.nodes[A], act[:12], officer="officer-9")
    opened = verify_opening(read_opening(opening.to_json()))
    assert (opened.act, opened.party, opened.name) == (act, w.nodes[A].party, A)
    assert opened.opening.mandate == held.says
    assert (opened.opening.officers, opened.opening.reason) == ((DAN,), "the minister agreed")
    assert opened.remarks == (f"A substitute acted: mandate-1 is held by {CLEO}.",)


LIES: dict[str, dict[str, Any]] = {
    "another officer": {"officers": (CLEO,)},
    "another reason": {"reason": "nobody asked"},
    "no mandate": {"mandate": None},
    "another salt": {"salt": bytes(16)},
}


@pytest.mark.parametrize("lie", LIES)
def test_opening_that_lies_about_who_acted_is_refused(lie: str) -> None:
    w = world()
    given(w, "Cleo", "agreement *", substitutes=["Dan"])
    opening = open_act_for(w.nodes[A], signing(w, DAN), officer="officer-9")
    with pytest.raises(SealBroken) as broken:
        verify_opening(replace(opening, **LIES[lie]))
    assert broken.value.code == "opening-refused"


def test_opening_with_a_mandate_made_wider_afterwards_is_refused() -> None:
    w = world()
    held = given(w, "Cleo", "agreement *")
    opening = open_act_for(w.nodes[A], signing(w), officer="officer-9")
    for wider in (
        replace(held.says, deeds=("agreement *", "sign")),
        replace(held.says, until=held.says.since + DAY),
        replace(held.says, ceilings=(("claim-level", 7),)),
        replace(held.says, substitutes=(BEN,)),
    ):
        with pytest.raises(SealBroken):
            verify_opening(replace(opening, mandate=wider))


def test_opening_of_one_partys_act_under_anothers_cards_is_refused() -> None:
    w = world()
    opening = open_act_for(w.nodes[A], signing(w), officer="officer-9")
    other = open_act_for(w.nodes[B], signing_at_b(w), officer="officer-9")
    with pytest.raises(SealBroken):
        verify_opening(replace(opening, cards=other.cards))


def signing_at_b(w: World) -> str:
    digest = draft(w)
    sign_agreement(w.nodes[B], digest, officer="officer-1", reason="so")
    with w.nodes[B].store.read() as tx:
        return next(row.digest for row in tx.find(ActRow, to=w.nodes[A].party) if row.kind == "sign")


HOSTILE = [
    b"",
    b"[]",
    b'{"form":"comity-opening/1"}',
    b'{"form":"comity-opening/1","act":1,"cards":[],"salt":"","officers":[],"names":{},"reason":"","mandate":null}',
    b'{"act":"","cards":[],"form":"comity-opening/1","mandate":[],"names":{},"officers":[],"reason":"","salt":"'
    + b"0" * 32
    + b'"}',
]


@pytest.mark.parametrize("data", HOSTILE)
def test_file_that_is_no_opening_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(ComityError):
        verify_opening(read_opening(data))


def test_act_without_a_mandate_commits_to_what_it_did_before_there_were_any() -> None:
    w = world()
    act = signing(w)
    with w.nodes[A].store.read() as tx:
        row = tx.get(ActRow, act)
    assert row is not None
    assert set(msgspec.json.decode(row.officers)) == {"officers", "reason", "salt"}


def test_publication_goes_out_under_the_mandate_its_go_was_said_under() -> None:
    w = world()
    held = given(w, "Cleo", "statement *", until=w.at + HOUR)
    hands = acting(w.nodes[A], "statement go", "sign", CLEO)
    with deed(hands, CLEO) as work:
        data = malware(61, created_by_ref=w.nodes[A].party)
        row = schedule(work, data, work.at + DAY, handling=Handling())
    w.at += 1
    with deed(hands, CLEO) as work:
        go(work, row.id, row.due)
    w.at += 2 * DAY
    with deed(w.nodes[A]):
        pass
    with w.nodes[A].store.read() as tx:
        [act] = [row for row in tx.find(ActRow) if row.kind == "publish"]
    assert verify_opening(open_act_for(w.nodes[A], act.digest, officer="officer-9")).opening.mandate == held.says


def test_what_the_node_does_by_itself_asks_nobody_for_a_mandate() -> None:
    w = world()
    w.bilateral(A, B)
    given(w, "Cleo", "agreement sign")
    w.take(A, indicator(1), tlp="green", basis=["agreement"], purpose=["protect-networks"], caveats=[])
    w.sync(A, B)
    with w.nodes[A].store.read() as tx:
        assert tx.count(StreamRow, party=w.nodes[B].party) == 1


# --- what a peer sees


def seen(node: Node, of: Node) -> list[str]:
    """All that a node was handed and given by another, as two worlds are compared."""
    normal = Normal()
    with of.store.read() as tx:
        control = [normal(row.body) for row in tx.find(ControlRow, party=node.party)]
        stream = [normal(msgspec.json.encode(row)) for row in tx.find(StreamRow, party=node.party)]
        acts = [
            normal(msgspec.json.encode(unverified_body(row.envelope, "act")[0]))
            for row in tx.find(ActRow, to=node.party, order=("seq",))
        ]
    return [*control, *stream, *acts]


def history(mandated: bool) -> list[str]:
    w = world()
    if mandated:
        given(w, "Cleo", "agreement *", "release", ceilings={"tlp": "red"}, substitutes=["Dan"])
        given(w, "Ben", "sign", by=BEN)
        with deed(w.nodes[A], ADA) as work:
            confirm(work, "mandate-2")
    act = signing(w)
    sign_agreement(w.nodes[B], draft(w), officer="officer-1")
    w.sync(A, B)
    w.take(A, indicator(5), tlp="red", basis=["agreement"], purpose=["situational-awareness"], caveats=[])
    for officer in (CLEO, DAN):
        hands = acting(w.nodes[A], "release approve", "release", officer)
        approve(hands, str(indicator(5)["id"]), B, officer=officer, reason="asked")
    w.at += HOUR
    w.sync(A, B)
    assert act
    return seen(w.nodes[B], w.nodes[A])


def test_peer_is_given_the_same_bytes_with_mandates_and_without() -> None:
    with_, without = history(True), history(False)
    assert any("indicator--" in one for one in with_), "something was released by an officer's word"
    assert with_ == without


def test_procedures_act_commits_to_the_mandate_too() -> None:
    deeds = {item.name: item for one in desks() for item in one.deeds}
    if "case open" not in deeds:
        pytest.skip("the cases desk was taken away")
    w = world()
    held = given(w, "Cleo", "case *")
    said = {
        "procedure": "silence",
        "title": "Joint statement",
        "party": (B,),
        "set": ("silence=P3D", "minimum=P1D", "case=P30D", "convener-gone=P2D"),
        "zone": "Europe/Tallinn",
        "reason": "as agreed",
    }
    with pytest.raises(NotAllowed):
        carry_out(w.nodes[A], deeds["case open"], said, DAN)
    carry_out(w.nodes[A], deeds["case open"], said, CLEO)
    with w.nodes[A].store.read() as tx:
        [content] = [row for row in tx.find(CaseContent) if row.behind]
    opened: Opening = open_act_for(w.nodes[A], content.act, officer="officer-9")
    assert opened.mandate == held.says
    assert verify_opening(opened).act == content.act


def test_mandates_are_kept_as_they_were_given() -> None:
    w = world()
    first = given(w, "Cleo", "sign")
    with w.nodes[A].store.read() as tx:
        before = tx.get(MandateRow, "mandate-1")
    given(w, "Cleo", "sign", ceilings={"tlp": "red"})
    with w.nodes[A].store.read() as tx:
        assert tx.get(MandateRow, "mandate-1") == before
        assert next(one.says for one in mandates(tx)) == first.says
