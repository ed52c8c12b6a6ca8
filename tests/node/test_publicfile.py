"""What others published is believed as far as it proves itself; who lies about whose word it is, or when it went out, is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

from comity.kernel.errors import ComityError, NotFound, Unavailable
from comity.kernel.model.objects import from_data
from comity.kernel.release.handling import Handling
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card
from comity.kernel.seal.commitment import EVERYTHING, disclosure
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.seal.seals import seal
from comity.kernel.store.rows import CaseRow, CheckpointRow, Evidence, Holding, Publication
from comity.kernel.tlog.acts import make_act, read_act
from comity.kernel.tlog.checkpoint import Checkpoint, open_checkpoint, raw_key, sign_checkpoint
from comity.kernel.tlog.publication import PublicBundle, make_record, verify_record
from comity.node.cardlife import change_card
from comity.node.cards import add_card
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.intake import take_in
from comity.node.minting import next_version
from comity.node.parties import card_file
from comity.node.publicfile import Gathered, collect, file_of, public_list, publication
from comity.node.publishing import go, publications, schedule
from comity.node.record import log_facts
from simulators.publicity import TEXT, appoint
from simulators.world import HOUR, SECOND, Raw, World, malware

A, B, C = "Team A", "Team B", "Team C"
MINUTE = 60 * SECOND
MINISTRY = "identity--99999999-0000-4000-8000-00000000000b"


@dataclass
class Open:
    """A party as everybody reaches it, in this process; it can lie."""

    node: Node
    shows: Callable[[str, bytes], bytes] = lambda id, data: data
    lists: Callable[[bytes], bytes] = lambda data: data

    def public(self, skip: int) -> bytes:
        with self.node.store.read() as tx:
            return self.lists(public_list(tx, self.node.party, skip))

    def publication(self, id: str) -> bytes:
        with self.node.store.read() as tx:
            return self.shows(id, publication(tx, id))

    def close(self) -> None:
        pass


@pytest.fixture
def world() -> World:
    made = World()
    for name in (A, B, C):
        made.node(name)
    made.introduce(A, B, C)
    made.community(A, B, C)
    made.at += SECOND
    return made


def tick(node: Node) -> None:
    with deed(node):
        pass


def publish(world: World, *names: str, joint: str | None = None) -> dict[str, Publication]:
    """Each publishes a statement at one instant, and its tick is over."""
    due = world.at + HOUR
    rows = {name: appoint(world.nodes[name], due, joint=joint) for name in names}
    for later in (0, 2 * MINUTE):
        world.at = due + later
        for name in world.nodes:
            tick(world.nodes[name])
    found = {}
    for name, row in rows.items():
        with world.nodes[name].store.read() as tx:
            found[name] = next(one for one in publications(tx) if one.id == row.id)
    return found


def gather(world: World, names: Sequence[str], lying: dict[str, Open] | None = None, **more: Any) -> Gathered:
    def connect(node: Node, card: Card, allow_private: bool) -> Open:
        return next(
            one for name, one in {**{n: Open(world.nodes[n]) for n in world.nodes}, **(lying or {})}.items()
            if world.nodes[name].party == card.party
        )  # fmt: skip

    return collect(world.nodes[C], names, connect, **more)


def fault(found: Gathered) -> str:
    assert found.items == []
    [one] = found.failed
    return str(one["sentence"])


# --- honest parties


def test_a_node_that_published_nothing_collects_one_file_that_an_outsider_verifies(world: World) -> None:
    rows = publish(world, A, B)
    found = gather(world, [A, B])
    assert [(one["name"], one["object"], one["early"]) for one in found.found] == [
        (A, rows[A].id, False),
        (B, rows[B].id, False),
    ]
    assert found.failed == []
    shown = verify_record(found.record(), {}, world.at)
    anchors = {one["party"]: one["signer"]["fingerprint"] for one in shown["items"] if one["signer"] and one["party"]}
    assert not shown["verified"]
    report = verify_record(found.record(), anchors, world.at)
    assert report["verified"]
    assert TEXT in found.record().decode()


def test_our_own_publications_stand_in_the_file_beside_those_of_others(world: World) -> None:
    rows = publish(world, A, C)
    assert {one["object"] for one in gather(world, [A, C]).found} == {rows[A].id, rows[C].id}


def test_only_what_is_asked_for_comes_by_id_and_by_the_case_it_names(world: World) -> None:
    case = "comity-procedure--0b0e3b0e-7c1d-4f5a-9a1b-000000000001"
    first = publish(world, A)[A]
    joint = publish(world, B, joint=case)[B]
    assert [one["object"] for one in gather(world, [A, B], ids=[first.id]).found] == [first.id]
    with pytest.raises(NotFound):
        gather(world, [A, B], case=case)  # no such case is known here yet
    with world.nodes[C].store.write() as tx:
        tx.add([CaseRow(case, "Quietwater", b"{}", "participant", world.at, 0, "over")])
    for said in (case, "Quietwater"):
        assert [one["object"] for one in gather(world, [A, B], case=said).found] == [joint.id]


def test_a_party_that_does_not_answer_keeps_nobody_elses_words_from_the_file(world: World) -> None:
    publish(world, A, B)

    @dataclass
    class Silent(Open):
        def public(self, skip: int) -> bytes:
            raise Unavailable("peer-unreachable", "It does not answer; it will be tried again.")

    found = gather(world, [A, B], {A: Silent(world.nodes[A])})
    assert [one["name"] for one in found.found] == [B]
    assert [(one["name"], one["code"]) for one in found.failed] == [(A, "peer-unreachable")]


def test_the_list_goes_on_page_by_page_and_names_everything_once(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    for number in range(103):
        appoint(a, due, text=f"statement {number}")
    for later in (0, 2 * MINUTE):
        world.at = due + later
        tick(a)
    found = gather(world, [A])
    assert len(found.items) == len({one["object"] for one in found.found}) == 103
    with a.store.read() as tx:
        assert msgspec.json.decode(public_list(tx, a.party, 0))["next"] == 100
        assert msgspec.json.decode(public_list(tx, a.party, 100))["next"] is None
        assert msgspec.json.decode(public_list(tx, a.party, 500))["items"] == []


def test_what_waits_and_what_is_not_proved_yet_is_not_given_and_not_told_apart_from_nothing(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    waits = appoint(a, due + HOUR, text="waits").id
    out = appoint(a, due, text="out").id
    world.at = due
    tick(a)
    with a.store.read() as tx:
        for one in (waits, out, "malware--00000000-0000-4000-8000-000000000001"):
            with pytest.raises(NotFound) as refused:
                publication(tx, one)
            assert refused.value.as_json() == {"code": "no-such-page", "sentence": "There is nothing at this address."}
        listed = msgspec.json.decode(public_list(tx, a.party))["items"]
        assert [(one["object"], one["proved"]) for one in listed] == [(out, False)]
        with pytest.raises(NotFound):
            file_of(tx, [out])


def test_while_a_correction_waits_the_first_version_is_given_as_before(world: World) -> None:
    a, row = world.nodes[A], publish(world, A)[A]
    with deed(a, "officer-1") as work:
        corrected = next_version(msgspec.json.decode(row.raw), {"text": "Corrected."}, work.at)
        schedule(work, corrected, work.at + HOUR, handling=Handling())
        go(work, row.id)
    with a.store.read() as tx:
        assert publication(tx, row.id) == row.record


# --- liars


def test_a_party_that_shows_anothers_publication_as_its_own_is_named(world: World) -> None:
    rows = publish(world, A, B)
    theirs = rows[B].record or b""
    said = fault(gather(world, [A], {A: Open(world.nodes[A], shows=lambda id, data: theirs)}))
    assert said == f"Team A shows as its own what Team B ({world.nodes[B].party}) published."


def test_a_party_that_shows_another_of_its_publications_under_an_id_is_named(world: World) -> None:
    rows = publish(world, A)
    with_other = publish_more(world, A)
    shows = lambda id, data: with_other.record or b""  # noqa: E731
    assert "was asked for" in fault(gather(world, [A], {A: Open(world.nodes[A], shows=shows)}, ids=[rows[A].id]))


def publish_more(world: World, name: str) -> Publication:
    node, due = world.nodes[name], world.at + HOUR
    row = appoint(node, due, text="Another one.")
    for later in (0, 2 * MINUTE):
        world.at = due + later
        tick(node)
    with node.store.read() as tx:
        return next(one for one in publications(tx) if one.id == row.id)


def altered(row: Publication, **members: Any) -> bytes:
    """A publication with other members, its sum made anew."""
    return replace(PublicBundle.from_json(row.record or b""), **members).to_json()


def shown(world: World, data: bytes) -> str:
    return fault(gather(world, [A], {A: Open(world.nodes[A], shows=lambda id, _: data)}))


def test_an_altered_text_an_act_of_another_log_and_one_that_is_not_in_the_log_are_refused(world: World) -> None:
    rows = publish(world, A, B)
    a, b = (PublicBundle.from_json(rows[name].record or b"") for name in (A, B))
    node = world.nodes[A]
    assert "is not what was sealed" in shown(world, altered(rows[A], object=a.object.replace(b"together", b"alone...")))
    elsewhere = make_act(replace(read_act(_body(b.act)), body=read_act(_body(a.act)).body), world.nodes[B].keys.node)
    assert "has no card of" in shown(world, altered(rows[A], act=elsewhere))
    assert "has no card of" in shown(world, altered(rows[A], act=b.act))
    act = read_act(_body(a.act))
    forged = make_act(replace(act, body={**act.body, "appointed": "2021-03-05T12:00:00.000Z"}), node.keys.node)
    assert "for another act" in shown(world, altered(rows[A], act=forged))
    assert "sum does not fit" in shown(world, (rows[A].record or b"").replace(b"together", b"alone..."))


def _body(envelope: bytes) -> dict[str, Any]:
    return dict(unverified_body(envelope, "act")[0])


def test_a_text_sealed_anew_under_the_same_version_is_refused_by_the_act_that_names_the_first(world: World) -> None:
    node, row = world.nodes[A], publish(world, A)[A]
    view = msgspec.json.decode(row.raw) | {"text": "We never said so."}
    made = seal(view, seed=bytes(32), role="origin", party=node.party, key=node.keys.node, at=world.at)
    data = altered(row, object=canonical(view), seal=made.envelope, disclosure=disclosure(made.commitment, EVERYTHING))
    assert "publishes another object or version" in shown(world, data)


def test_two_texts_of_one_version_in_one_file_convict_their_publisher(world: World) -> None:
    """A node that publishes, goes back to a copy of its folder from before, and publishes other words under the same id."""
    row = publish(world, A)[A]
    other = World(seed=world.seed)
    for name in (A, B, C):
        other.node(name)
    other.at = world.at - 10 * MINUTE
    a = other.nodes[A]
    with deed(a, "officer-1") as work:
        data = msgspec.json.decode(row.raw) | {"text": "Other words."}
        schedule(work, data, work.at, handling=Handling())
        go(work, row.id)
    other.at += 2 * MINUTE
    tick(a)
    with a.store.read() as tx:
        [rival] = publications(tx)
    assert rival.record is not None
    assert row.record is not None
    anchors = {a.party: verify_record(rival.record, {})["items"][0]["signer"]["fingerprint"]}
    assert verify_record(rival.record, anchors)["verified"]
    report = verify_record(make_record([row.record, rival.record]), anchors)
    assert not report["verified"]
    assert all("two different texts" in (one["why"] or "") for one in report["items"])


def test_who_gave_us_other_words_than_it_publishes_is_named(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    row = appoint(a, due)
    other = msgspec.json.decode(row.raw) | {"text": "What we told you in confidence."}
    # the same version came to C from A under a clause, with other words
    take_in(
        world.nodes[C], [Raw(from_data(other).raw)], name="x", format="stix-2.1", digest="ef" * 32,
        handling=Handling(tlp="clear"), minted=False,
    )  # fmt: skip
    with world.nodes[C].store.write() as tx:
        held = next(one for one in tx.find(Holding, object=row.id))
        tx.put(replace(held, custodian=a.party, title="ab" * 32 + "#1"))
    for later in (0, 2 * MINUTE):
        world.at = due + later
        tick(a)
    assert "gave us another text" in fault(gather(world, [A]))


def test_a_word_for_whose_author_another_party_speaks_too_is_refused_naming_both(world: World) -> None:
    a, b = world.nodes[A], world.nodes[B]
    for node in (a, b):
        change_card(node, {"identities": (node.party, MINISTRY)}, officer="officer-1")
    world.sync(A, B, C)
    due = world.at + HOUR
    with deed(a, "officer-1") as work:
        said = malware(8, created_by_ref=MINISTRY)
        schedule(work, said, due, handling=Handling())
        go(work, str(said["id"]))
    for later in (0, 2 * MINUTE):
        world.at = due + later
        tick(a)
    assert f"the word of {MINISTRY}, for whom Team B says that it speaks" in fault(gather(world, [A]))


def test_a_card_that_claims_another_partys_own_id_or_that_nobody_compared_takes_nobodys_word_away(world: World) -> None:
    a, b = world.nodes[A], world.nodes[B]
    change_card(b, {"identities": (b.party, a.party)}, officer="officer-1")
    stranger = world.node("Team D")
    change_card(stranger, {"identities": (stranger.party, MINISTRY)}, officer="officer-1")
    change_card(a, {"identities": (a.party, MINISTRY)}, officer="officer-1")
    world.sync(A, B, C)
    with stranger.store.read() as tx:
        add_card(world.nodes[C], card_file(tx, stranger.party))
    due = world.at + HOUR
    with deed(a, "officer-1") as work:
        said = malware(8, created_by_ref=MINISTRY)
        schedule(work, said, due, handling=Handling())
        go(work, str(said["id"]))
    appoint(a, due)
    for later in (0, 2 * MINUTE):
        world.at = due + later
        tick(a)
    found = gather(world, [A])
    assert found.failed == []
    assert len(found.items) == 2


def test_a_public_record_with_a_card_that_claims_another_partys_own_id_contests_nothing_of_it(world: World) -> None:
    a, b = world.nodes[A], world.nodes[B]
    change_card(b, {"identities": (b.party, a.party)}, officer="officer-1")
    publish(world, A, B)
    files = []
    for node in (a, b):
        with node.store.read() as tx:
            files += [one.record for one in publications(tx) if one.record is not None]
    report = verify_record(make_record(files), {})
    assert not any("both say" in (one["why"] or "") for one in report["items"])


def test_a_list_of_empty_pages_that_goes_on_and_on_is_left_after_a_few(world: World) -> None:
    publish(world, A)
    asked: list[int] = []

    def empty(skip: int) -> bytes:
        asked.append(skip)
        return canonical({"form": 1, "type": "comity-public-list", "items": [], "next": skip + 1})

    lying = Open(world.nodes[A])
    lying.public = empty  # type: ignore[method-assign]
    assert "lists more than" in fault(gather(world, [A], {A: lying}))
    assert len(asked) <= 10


def test_a_list_without_form_or_end_is_refused(world: World) -> None:
    publish(world, A)
    node = world.nodes[A]
    endless = lambda data: canonical({**msgspec.json.decode(data), "next": 0})  # noqa: E731
    for lists in (
        endless,
        lambda data: b"[]",
        lambda data: canonical({**msgspec.json.decode(data), "items": [{"object": "../../etc", "proved": True}]}),
        lambda data: canonical({**msgspec.json.decode(data), "items": "all"}),
        lambda data: b"not json",
    ):
        assert fault(gather(world, [A], {A: Open(node, lists=lists)}))

    def on_and_on(skip: int) -> bytes:
        items = [{"object": f"malware--00000000-0000-4000-8000-{skip + n:012x}", "proved": True} for n in range(100)]
        return canonical({"form": 1, "type": "comity-public-list", "items": items, "next": skip + 100})

    lying = Open(node)
    lying.public = on_and_on  # type: ignore[method-assign]
    assert "more than 1,000" in fault(gather(world, [A], {A: lying}))


# --- clocks and forks


def test_whoever_kept_the_checkpoints_of_a_clock_that_was_ahead_convicts_it_afterwards(world: World) -> None:
    a, due = world.nodes[A], world.at + 2 * HOUR
    appoint(a, due)
    world.at = due - HOUR
    world.shift[A] = HOUR
    tick(a)
    world.at += 2 * MINUTE
    tick(a)
    world.contact(A, C)  # C sees the log of A, an hour ahead
    world.at = due + HOUR
    world.shift[A] = 0
    tick(a)
    [one] = gather(world, [A]).found
    assert not one["early"]
    assert len(one["remarks"]) == 1
    assert "showed us at 2021-03-05T13:02:01.000Z by our clock a signed checkpoint" in one["remarks"][0]
    honest = publish(world, B)
    assert honest
    assert gather(world, [B]).found[0]["remarks"] == []


def test_a_publication_under_a_checkpoint_that_forks_the_log_leaves_evidence(world: World) -> None:
    node, row = world.nodes[A], publish(world, A)[A]
    world.contact(A, C)
    bundle = PublicBundle.from_json(row.record or b"")
    true = open_checkpoint(bundle.outer.note, origin_of(node), raw_key(node.keys.log.public.spki))
    false = sign_checkpoint(Checkpoint(true.origin, true.size, bytes(32)), node.keys.log)
    with world.nodes[C].store.write() as tx:
        for kept in list(tx.find(CheckpointRow, origin=true.origin)):
            tx.remove(CheckpointRow, kept.origin, kept.size)
        tx.add([CheckpointRow(true.origin, true.size, node.party, false, world.at)])
    assert "fork" in gather(world, [A]).failed[0]["code"]
    with world.nodes[C].store.read() as tx:
        assert [one.party for one in tx.find(Evidence)] == [node.party]


def origin_of(node: Node) -> str:
    with node.store.read() as tx:
        return log_facts(tx).origin


def test_a_party_that_is_not_known_is_not_asked(world: World) -> None:
    with pytest.raises(ComityError) as refused:
        gather(world, ["Nobody"])
    assert refused.value.code == "no-such-party"
