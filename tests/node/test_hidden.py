"""A source stays hidden: what goes is a new object of ours, and nothing in it leads back."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import pytest

from comity.kernel.model.strictjson import read as read_json
from comity.kernel.release import tomlform
from comity.kernel.release.decision import Release, Withhold
from comity.kernel.release.handling import Handling
from comity.kernel.release.templates import company_to_team
from comity.kernel.seal.seals import check_source, verify_seal
from comity.kernel.store.rows import ActRow, Holding, Received, Reference, Sealing, StandIn, StreamRow, Version
from comity.kernel.tlog.bundle import verify_bundle
from comity.node.account import given
from comity.node.cardlife import change_card
from comity.node.contact import converse
from comity.node.doctor import examine
from comity.node.export import given_objects, own_objects
from comity.node.handling import set_handling
from comity.node.instruments import suspend
from comity.node.parties import card_of, need_card
from comity.node.proving import bundle_given
from comity.node.release import preview_agreement, preview_standing
from comity.node.why import why
from simulators.world import SECOND, Direct, World, indicator, malware, relationship

STATED = {"tlp": "green", "basis": ["legitimate-interest"], "purpose": ["protect-networks"], "caveats": []}
MINUTE = 60 * SECOND
VENDOR = "identity--99999999-0000-4000-8000-00000000000a"
NAME = "Quietwater Research"


def vendor() -> dict[str, object]:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": VENDOR,
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "name": NAME,
        "identity_class": "organization",
    }


def seen(number: int, **more: object) -> dict[str, object]:
    """An indicator that the vendor made, and that says so in several places."""
    return indicator(
        number,
        created_by_ref=VENDOR,
        external_references=[{"source_name": NAME, "url": "https://quietwater.example/blog"}],
        labels=["quietwater-research"],
        valid_from="2021-03-02T09:41:07Z",
        **more,
    )


@dataclass
class Heard(Direct):
    """A carrier that keeps all that the caller hears."""

    answers: list[bytes] = field(default_factory=list)

    def turn(self, turn: bytes, *, objects: bool) -> bytes:
        answer = super().turn(turn, objects=objects)
        self.answers.append(answer)
        return answer


def text(world: World) -> str:
    draft = company_to_team(world.parties("Company", "Team"), enters_into_force=world.at)
    return draft.replace('source     = "named"', 'source     = "hidden"').replace(
        'view       = "without-customer"', 'view       = "full"'
    )


@pytest.fixture
def world() -> World:
    made = World()
    made.node("Company", kind="company", country="XA")
    made.node("Team", country="XB")
    made.introduce("Company", "Team")
    return made


def listen(world: World) -> bytes:
    """The team calls until everything came; all it heard."""
    company, team = world.nodes["Company"], world.nodes["Team"]
    heard = Heard(company, team.party)
    for _ in range(2):
        converse(team, company.party, heard)
    return b"".join(heard.answers)


def held(world: World, name: str) -> dict[str, dict[str, object]]:
    with world.nodes[name].store.read() as tx:
        versions = {row.version for row in tx.find(Holding) if row.ended is None}
        return {row.id: read_json(row.raw) for row in tx.find(Version) if row.n in versions}


def healthy(world: World) -> None:
    for node in world.nodes.values():
        assert list(examine(node)) == []


def test_what_goes_under_a_hiding_clause_says_nothing_of_its_source(world: World) -> None:
    digest = world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(1), seen(2), **STATED)
    said = listen(world)
    company, team = world.nodes["Company"], world.nodes["Team"]
    for secret in (VENDOR, NAME, "quietwater", str(seen(1)["id"]), str(seen(2)["id"])):
        assert secret.lower().encode() not in said.lower()
        assert secret.removeprefix("identity--").encode() not in said
    got = held(world, "Team")
    assert {one["pattern"] for one in got.values()} == {seen(1)["pattern"], seen(2)["pattern"]}
    for one in got.values():
        assert "created_by_ref" not in one
        assert one["valid_from"] == "2021-03-02T00:00:00.000Z"
        assert str(one["created"]) > "2021-03-05"
    with team.store.read() as tx:
        assert all(row.code is None for row in tx.find(Received))
    world.at += 3 * MINUTE
    listen(world)
    new = next(name for name, one in got.items() if one["pattern"] == seen(1)["pattern"])
    with company.store.read() as tx:
        anchors = {company.party: need_card(tx, company.party).fingerprint}
        seals = [row for row in tx.find(Version) if tx.get(StandIn, row.n) is not None]
        assert given_ids(list(given_objects(tx, team.party))) == set(got)
        assert set(got).isdisjoint(given_ids(list(own_objects(tx))))
        rows = list(given(tx, party=team.party))
        assert {row["stands_for"] for row in rows} == {seen(1)["id"], seen(2)["id"]}
    report = verify_bundle(bundle_given(company, new, team.party), anchors)
    assert (report["verified"], report["role"], report["originator"]) == (True, "anonymous", None)
    sealed = next(row for row in seals if row.id == new)
    with company.store.read() as tx:  # and the company can open to an auditor what it stands for
        opening = msgspec.json.decode(next(row for row in tx.find(Sealing) if row.version == sealed.n).source)
        card = card_of(tx, company.party)
    assert card is not None and sealed.seal is not None and sealed.disclosure is not None
    verified = verify_seal(
        sealed.seal, read_json(sealed.raw), msgspec.json.decode(sealed.disclosure), card.keys_at("node", world.at)
    )
    check_source(verified, str(seen(1)["id"]), bytes.fromhex(opening["salt"]))
    assert digest
    healthy(world)


def given_ids(raws: list[bytes]) -> set[object]:
    return {read_json(raw)["id"] for raw in raws}


def test_preview_shows_what_then_happens(world: World) -> None:
    world.take("Company", vendor(), seen(1), seen(2), indicator(3), **STATED)
    line = next(
        one
        for one in preview_agreement(world.nodes["Company"], tomlform.read(text(world)))
        if one.party == world.nodes["Team"].party
    )
    assert set(line.shown) == {seen(1)["id"], seen(2)["id"]}
    with world.nodes["Company"].store.read() as tx:
        assert list(tx.find(StandIn)) == []
    world.agree(text(world), "Company", "Team")
    with world.nodes["Company"].store.read() as tx:
        rows = list(tx.find(StreamRow, party=world.nodes["Team"].party))
        stand = {row.version: tx.get(StandIn, row.version) for row in rows}
        assert len(rows) == 2 and None not in stand.values()
    assert set(preview_standing(world.nodes["Company"], "Team").shown) == set()
    listen(world)
    assert len(held(world, "Team")) == 2


def test_our_own_work_cannot_be_hidden_and_why_says_so(world: World) -> None:
    world.agree(text(world), "Company", "Team")
    world.take("Company", indicator(3), **STATED)
    listen(world)
    assert held(world, "Team") == {}
    found = why(world.nodes["Company"], str(indicator(3)["id"]), "Team")
    assert isinstance(found.decision, Withhold)
    assert found.decision.failed[0].predicate == "source-not-hideable"
    assert "itself the source" in found.sentence


def test_what_must_stay_and_names_the_source_withholds(world: World) -> None:
    world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(4, pattern=f"[file:name = '{NAME}.exe']"), **STATED)
    listen(world)
    assert held(world, "Team") == {}
    assert "must stay and names it" in why(world.nodes["Company"], str(seen(4)["id"]), "Team").sentence


def test_why_tells_under_which_name_it_went(world: World) -> None:
    world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(1), **STATED)
    listen(world)
    new = next(iter(held(world, "Team")))
    found = why(world.nodes["Company"], str(seen(1)["id"]), "Team")
    assert isinstance(found.decision, Release)
    assert found.object == seen(1)["id"] and new in found.sentence and found.given is not None
    turned = why(world.nodes["Company"], new, "Team")
    assert isinstance(turned.decision, Release) and turned.given == found.given


def test_a_reference_to_a_hidden_original_resolves_to_nothing(world: World) -> None:
    world.agree(text(world), "Company", "Team")
    link = relationship(1, str(seen(1)["id"]), str(malware(1)["id"]), created_by_ref=VENDOR)
    world.take("Company", vendor(), seen(1), malware(1, created_by_ref=VENDOR), link, **STATED)
    said = listen(world)
    assert sorted(str(one["type"]) for one in held(world, "Team").values()) == ["indicator", "malware"]
    assert str(link["id"]).encode() not in said
    assert isinstance(why(world.nodes["Company"], str(link["id"]), "Team").decision, Withhold)


def test_a_later_version_comes_under_the_same_new_id(world: World) -> None:
    world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(1), **STATED)
    listen(world)
    first = held(world, "Team")
    world.at += MINUTE
    world.take("Company", seen(1, modified="2021-03-04T00:00:00.000Z", confidence=70), **STATED)
    world.take("Company", seen(1, modified="2021-03-03T00:00:00.000Z", confidence=30), **STATED)  # late, and older
    listen(world)
    assert set(held(world, "Team")) == set(first)
    with world.nodes["Team"].store.read() as tx:
        versions = [read_json(row.raw) for row in tx.find(Version)]
    assert len({one["modified"] for one in versions}) == len(versions) == 2
    assert len({one["created"] for one in versions}) == 1
    assert max(versions, key=lambda one: one["modified"])["confidence"] == 70
    healthy(world)


def test_versions_that_come_at_once_keep_their_order(world: World) -> None:
    world.take(
        "Company",
        vendor(),
        seen(1, modified="2021-03-04T00:00:00.000Z", confidence=70),
        seen(1, confidence=30),
        **STATED,
    )
    world.agree(text(world), "Company", "Team")
    listen(world)
    with world.nodes["Team"].store.read() as tx:
        versions = sorted((read_json(row.raw) for row in tx.find(Version)), key=lambda one: one["modified"])
    assert [one["confidence"] for one in versions] == [30, 70]


def test_a_stricter_handling_takes_the_stand_in_back(world: World) -> None:
    world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(1), seen(2), **STATED)
    listen(world)
    set_handling(world.nodes["Company"], str(seen(1)["id"]), Handling(tlp="red"), officer="officer-1")
    listen(world)
    assert [one["pattern"] for one in held(world, "Team").values()] == [seen(2)["pattern"]]
    healthy(world)


def test_a_suspended_agreement_gives_no_stand_ins_more(world: World) -> None:
    digest = world.agree(text(world), "Company", "Team")
    suspend(world.nodes["Company"], digest, since=None, until=None, officer="officer-1")
    world.take("Company", vendor(), seen(1), **STATED)
    listen(world)
    assert held(world, "Team") == {}
    with world.nodes["Company"].store.read() as tx:
        assert list(tx.find(StandIn)) == []


def test_the_same_import_again_gives_no_second_stand_in(world: World) -> None:
    world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(1), **STATED)
    world.take("Company", seen(1), **STATED)
    listen(world)
    assert len(held(world, "Team")) == 1


def test_a_view_cuts_the_stand_in_like_anything_else(world: World) -> None:
    cut = text(world).replace('view       = "full"', 'view       = "indicator"', 1)
    world.agree(cut, "Company", "Team")
    world.take("Company", vendor(), seen(1), **STATED)
    said = listen(world)
    (got,) = held(world, "Team").values()
    assert "name" not in got and got["pattern"] == seen(1)["pattern"]
    assert str(seen(1)["name"]).encode() not in said


def test_a_reference_of_a_stand_in_to_what_is_shown_stays_and_to_what_is_not_goes(world: World) -> None:
    """Only what is shown under its own name can be pointed at; here everything is hidden, so nothing is."""
    world.agree(text(world), "Company", "Team")
    file = {
        "type": "file",
        "spec_version": "2.1",
        "id": "file--00000000-0000-4000-8000-000000000001",
        "name": "shell.aspx",
        "parent_directory_ref": "directory--00000000-0000-4000-8000-000000000002",
    }
    world.take("Company", vendor(), seen(1), file, **STATED)
    said = listen(world)
    assert b"directory--" not in said and b"file--00000000" not in said
    with world.nodes["Company"].store.read() as tx:
        stand = {row.version for row in tx.find(StandIn)}
        assert all(row.target != VENDOR for row in tx.find(Reference) if row.version in stand)


def test_the_record_of_the_giver_names_no_original_to_the_receiver(world: World) -> None:
    world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(1), **STATED)
    listen(world)
    with world.nodes["Company"].store.read() as tx:
        acts = b"".join(row.envelope for row in tx.find(ActRow, to=world.nodes["Team"].party))
    from base64 import b64decode

    opened = b"".join(
        b64decode(msgspec.json.decode(part)["payload"])
        for part in [row.encode() for row in acts.decode().replace("}{", "}\n{").split("\n")]
    )
    assert str(seen(1)["id"]).encode() not in opened and VENDOR.encode() not in opened


def test_a_source_that_becomes_ours_is_hidden_no_more(world: World) -> None:
    """Our card comes to speak for the vendor: what would go now is refused, what went stays as it is."""
    world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(1), **STATED)
    company = world.nodes["Company"]
    change_card(company, {"identities": (company.party, VENDOR)}, officer="officer-1")
    world.take("Company", seen(2), **STATED)
    assert isinstance(why(company, str(seen(2)["id"]), "Team").decision, Withhold)


def test_what_went_to_another_under_its_sources_name_still_goes_without_it(world: World) -> None:
    """That we sealed it in custody for the one does not make it ours, and the other cannot tell that there is one."""
    world.node("Other", country="XC")
    world.introduce("Company", "Other")
    named = company_to_team(world.parties("Company", "Other"), enters_into_force=world.at)
    world.agree(named, "Company", "Other")
    world.agree(text(world), "Company", "Team")
    world.take("Company", vendor(), seen(1), **STATED)
    world.sync("Company", "Other")
    assert str(seen(1)["id"]) in held(world, "Other")
    listen(world)
    assert [one["pattern"] for one in held(world, "Team").values()] == [seen(1)["pattern"]]
    world.take("Company", seen(2), **STATED)
    world.sync("Company", "Other")
    listen(world)
    assert {str(one["pattern"]) for one in held(world, "Team").values()} == {seen(1)["pattern"], seen(2)["pattern"]}
    assert isinstance(why(world.nodes["Company"], str(seen(1)["id"]), "Team").decision, Release)
    healthy(world)
