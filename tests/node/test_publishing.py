"""Publication at an appointed instant: not before it, not without a standing word, once, and said in the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.adapters.sql.store import open_store
from comity.kernel.errors import ComityError, NotAllowed, NotFound, Usage
from comity.kernel.release.handling import Handling
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.store.rows import TABLES, ActRow, Audit, Publication, Version
from comity.kernel.tlog.publication import make_record, verify_record
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.export import own_objects
from comity.node.minting import next_version
from comity.node.publishing import (
    go,
    hold,
    next_due,
    publications,
    published,
    reschedule,
    schedule,
    withdraw,
)
from comity.node.record import record
from comity.node.rehearsal import rehearse
from comity.node.restoring import reopen
from comity.node.search import search
from simulators.publicity import FREE, STATEMENT, TEXT, appoint, statement
from simulators.world import HOUR, SECOND, World, malware

A, B, C = "Team A", "Team B", "Team C"
MINUTE = 60 * SECOND
DAY = 24 * HOUR


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    made = World()
    if request.param == "sqlite":
        made = World(make_store=lambda name: open_store(f"sqlite:///{tmp_path}/{name}.db"))
    for name in (A, B, C):
        made.node(name)
    made.introduce(A, B, C)
    made.community(A, B, C)
    made.at += SECOND
    return made


def tick(node: Node) -> None:
    with deed(node):
        pass


def standing(node: Node, id: str) -> str:
    with node.store.read() as tx:
        return next(row.standing for row in publications(tx) if row.id == id)


def row_of(node: Node, id: str) -> Publication:
    with node.store.read() as tx:
        return next(row for row in publications(tx) if row.id == id)


def acts(node: Node) -> list[ActRow]:
    with node.store.read() as tx:
        return [row for row in tx.find(ActRow) if row.kind == "publish"]


def done(node: Node, does: Callable[[Deed], object], officer: str = "officer-1") -> Any:
    with deed(node, officer) as work:
        return does(work)


def check(world: World, *names: str) -> list[Any]:
    """The public record of what these nodes published, verified by whoever knows their fingerprints."""
    items, anchors = [], {}
    for name in names:
        with world.nodes[name].store.read() as tx:
            items += [row.record for row in publications(tx) if row.record is not None]
    data = make_record(items)
    plain = verify_record(data, {}, world.at)
    anchors = {one["party"]: one["signer"]["fingerprint"] for one in plain["items"]}
    report = verify_record(data, anchors, world.at)
    assert report["verified"], report["why"]
    return report["items"]


# --- at the instant


def test_nothing_goes_out_before_the_instant_and_all_of_it_at_the_instant(world: World) -> None:
    due = world.at + HOUR
    ids = {name: appoint(world.nodes[name], due).id for name in (A, B)}
    world.at = due - 1
    for name, id in ids.items():
        tick(world.nodes[name])
        assert standing(world.nodes[name], id) == "go"
        assert acts(world.nodes[name]) == []
    world.at = due
    for name, id in ids.items():
        tick(world.nodes[name])
        assert standing(world.nodes[name], id) == "published"
        [act] = acts(world.nodes[name])
        assert act.at == due


def test_the_act_names_what_went_out_the_appointed_instant_and_beside_it_the_reading_of_the_clock(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    id = appoint(a, due).id
    world.at = due + 17_000
    tick(a)
    [act] = acts(a)
    body = unverified_body(act.envelope, "act")[0]
    with a.store.read() as tx:
        [version] = tx.find(Version, id=id)
    assert version.digest is not None
    assert body["to"] is None
    assert body["at"] == "2021-03-05T13:00:01.017Z"
    assert body["body"] == {
        "object": id,
        "version": msgspec.json.decode(version.raw)["modified"],
        "digest": version.digest.hex(),
        "appointed": "2021-03-05T13:00:01.000Z",
    }


def test_what_several_parties_published_verifies_offline_from_one_file(world: World) -> None:
    due = world.at + HOUR
    for name in (A, B, C):
        appoint(world.nodes[name], due)
    for late, name in ((0, A), (5, B), (20_000, C)):
        world.at = due + late
        tick(world.nodes[name])
    world.at += 2 * MINUTE
    for name in (A, B, C):
        tick(world.nodes[name])
    items = check(world, A, B, C)
    assert [one["apart"] for one in items] == [0, 5, 20_000]
    assert [one["early"] for one in items] == [False] * 3
    assert {one["name"] for one in items} == {A, B, C}
    assert all(one["remarks"] == [] for one in items)


def test_partners_get_it_under_their_clauses_as_soon_as_it_is_public(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    with deed(a, "officer-1") as work:
        handling = Handling(basis=frozenset({"agreement"}), purpose=frozenset({"protect-networks"}))
        schedule(work, malware(9, created_by_ref=a.party), due, handling=handling)
        go(work, str(malware(9)["id"]), due)
    world.sync(A, B)
    world.at = due
    tick(a)
    assert world.contact(A, B).delivered == 1
    with world.nodes[B].store.read() as tx:
        [theirs] = tx.find(Version, id=malware(9)["id"])
    with a.store.read() as tx:
        [ours] = tx.find(Version, id=malware(9)["id"])
    assert (theirs.raw, theirs.digest) == (ours.raw, ours.digest)


def test_publications_of_one_instant_go_out_in_order_and_before_those_of_a_later_one(world: World) -> None:
    a = world.nodes[A]
    due = world.at + HOUR
    later = appoint(a, due + 10, text="later").id
    first = appoint(a, due, text="first").id
    world.at = due + MINUTE
    tick(a)
    with a.store.read() as tx:
        said = [unverified_body(row.envelope, "act")[0] for row in tx.find(ActRow, to="*", order=("seq",))]
    assert [one["body"]["object"] for one in said] == [first, later]
    assert [one["seq"] for one in said] == [1, 2]


# --- nothing of it shows before


def bytes_of(node: Node) -> dict[str, list[bytes]]:
    """Everything a node keeps, by table, as bytes."""
    found: dict[str, list[bytes]] = {}
    with node.store.read() as tx:
        for kind, table in TABLES.items():
            for row in tx.find(kind):
                values = [getattr(row, name) for name in row.__dataclass_fields__]
                found.setdefault(table.name, []).append(
                    b"\0".join(one if isinstance(one, bytes) else str(one).encode() for one in values)
                )
    return found


def test_before_the_instant_the_text_stands_in_one_row_of_one_node_and_nowhere_else(world: World) -> None:
    due = world.at + HOUR
    id = appoint(world.nodes[A], due).id
    for _ in range(3):
        world.at += 5 * MINUTE
        world.sync(A, B, C)
    for name, node in world.nodes.items():
        where = [table for table, rows in bytes_of(node).items() if any(TEXT.encode() in row for row in rows)]
        assert where == (["publication"] if name == A else [])
        named = {table for table, rows in bytes_of(node).items() if any(id.encode() in row for row in rows)}
        assert named == ({"publication", "audit"} if name == A else set())
    a = world.nodes[A]
    with a.store.read() as tx:
        assert search(tx, id, us=a.party) == []
        assert list(own_objects(tx)) == []
    world.at = due
    tick(a)
    assert "version" in {table for table, rows in bytes_of(a).items() if any(TEXT.encode() in row for row in rows)}


def test_a_withdrawn_publication_leaves_none_of_its_bytes(world: World) -> None:
    a = world.nodes[A]
    id = appoint(a, world.at + HOUR).id
    done(a, lambda work: withdraw(work, id, "not agreed"))
    world.at += 2 * HOUR
    tick(a)
    assert standing(a, id) == "withdrawn"
    assert acts(a) == []
    assert not any(TEXT.encode() in row for rows in bytes_of(a).values() for row in rows)
    assert list(examine(a)) == []


def test_publish_acts_count_by_themselves_and_tell_nothing_of_what_else_was_done(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    for number in range(3):
        with deed(a, "officer-1") as work:
            record(work, "handle", "", {"target": f"batch:{number}"}, officers=["officer-1"])
    appoint(a, due)
    world.at = due
    tick(a)
    [act] = acts(a)
    body = unverified_body(act.envelope, "act")[0]
    assert (body["seq"], body["previous"]) == (1, None)


# --- the word


def test_a_change_of_the_bytes_after_go_waits_for_another_go(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    with deed(a, "officer-1") as work:
        data = statement(a, work.at)
        row = schedule(work, data, due, handling=FREE, kinds=[STATEMENT])
        go(work, row.id)
        again = schedule(work, data, due, handling=FREE, kinds=[STATEMENT])
        assert again.standing == "go"  # nothing differs
        other = next_version(data, {"text": "Another text."}, work.at)
        changed = schedule(work, other, due, handling=FREE, kinds=[STATEMENT])
        assert (changed.standing, len(publications(work.tx))) == ("waiting", 1)
    world.at = due + MINUTE
    tick(a)
    assert standing(a, row.id) == "waiting"
    assert acts(a) == []


def test_a_change_of_the_instant_after_go_waits_for_another_go(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    id = appoint(a, due).id
    assert done(a, lambda work: reschedule(work, id, due)).standing == "go"
    assert done(a, lambda work: reschedule(work, id, due - MINUTE)).standing == "waiting"
    world.at = due
    tick(a)
    assert acts(a) == []


def test_go_for_what_was_shown_before_it_changed_is_refused(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    row = appoint(a, due, say_go=False)
    done(a, lambda work: reschedule(work, row.id, due + MINUTE))
    for said in ({"at": due}, {"digest": "ab" * 32}, {"digest": row.digest[:8]}, {"at": due, "digest": row.digest}):
        with pytest.raises(NotAllowed) as refused:
            done(a, lambda work, said=said: go(work, row.id, **said))  # type: ignore[misc]
        assert refused.value.code == "publication-changed"
    assert done(a, lambda work: go(work, row.id, due + MINUTE, digest=row.digest[:16])).standing == "go"


def test_without_an_officer_nobody_says_go(world: World) -> None:
    a = world.nodes[A]
    id = appoint(a, world.at + HOUR, say_go=False).id
    with pytest.raises(NotAllowed) as refused:
        done(a, lambda work: go(work, id), officer="")
    assert refused.value.code == "token-needed"


def test_what_is_held_over_its_instant_goes_out_late_with_the_next_go_and_says_so(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    id = appoint(a, due).id
    done(a, lambda work: hold(work, id, "the minister calls"))
    world.at = due + HOUR
    tick(a)
    assert standing(a, id) == "hold"
    assert done(a, lambda work: go(work, id, due)).standing == "published"
    world.at += 2 * MINUTE
    tick(a)
    [item] = check(world, A)
    assert (item["apart"], item["early"]) == (HOUR, False)


def test_an_instant_the_node_was_down_for_is_made_up_for_only_until_the_last_one(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    soon = appoint(a, due, text="soon", until=due + 10 * MINUTE).id
    long = appoint(a, due, text="long", until=due + 3 * HOUR).id
    world.at = due + HOUR
    tick(a)
    assert (standing(a, soon), standing(a, long)) == ("waiting", "published")
    assert "is over" in row_of(a, soon).note
    with pytest.raises(NotAllowed) as refused:
        done(a, lambda work: go(work, soon))
    assert refused.value.code == "publication-late"
    assert done(a, lambda work: reschedule(work, soon, world.at + MINUTE)).standing == "waiting"


def test_what_is_public_is_not_taken_back_held_or_moved(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    id = appoint(a, due).id
    world.at = due
    for does in (hold, withdraw, go, lambda work, id: reschedule(work, id, due + HOUR)):
        with pytest.raises(NotAllowed) as refused:
            done(a, lambda work, does=does: does(work, id))  # type: ignore[misc]
        assert refused.value.code == "publication-over"
    with pytest.raises(NotFound):
        done(a, lambda work: hold(work, "malware--00000000-0000-4000-8000-000000000001"))


def test_a_later_version_is_published_beside_the_first_one(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    first = appoint(a, due)
    world.at = due + 2 * MINUTE
    tick(a)
    with deed(a, "officer-1") as work:
        corrected = next_version(msgspec.json.decode(first.raw), {"text": "Corrected."}, work.at)
        with pytest.raises(NotAllowed) as refused:
            schedule(work, msgspec.json.decode(first.raw) | {"text": "Rewritten."}, due + HOUR, handling=FREE)
        assert refused.value.code == "publication-over"
        schedule(work, corrected, due + HOUR, handling=FREE, kinds=[STATEMENT])
        go(work, first.id)
    world.at = due + HOUR
    tick(a)
    world.at += 2 * MINUTE
    tick(a)
    assert [one["version"] for one in check(world, A)] == [
        msgspec.json.decode(first.raw)["modified"],
        corrected["modified"],
    ]
    with a.store.read() as tx:
        newest = published(tx, first.id)
    assert newest is not None
    assert b"Corrected." in newest.raw


# --- what cannot be public


def refused_as(node: Node, data: dict[str, Any], handling: Handling = FREE, at: int | None = None) -> str:
    with pytest.raises(ComityError) as refused, deed(node, "officer-1") as work:
        schedule(work, data, work.at + HOUR if at is None else at, handling=handling)
    with node.store.read() as tx:
        assert publications(tx) == []
    return refused.value.code


def test_what_is_anothers_word_or_not_for_everybody_is_refused_when_it_is_scheduled_and_not_at_the_instant(
    world: World,
) -> None:
    a, b = world.nodes[A], world.nodes[B]
    own = malware(1, created_by_ref=a.party)
    assert refused_as(a, malware(1, created_by_ref=b.party)) == "not-ours"
    assert refused_as(a, malware(1)) == "not-ours"
    assert refused_as(a, own, Handling(tlp="amber")) == "publication"
    assert refused_as(a, own, Handling(embargo=world.at + DAY)) == "publication"
    assert refused_as(a, own, Handling(recipients=frozenset({"cabinet"}))) == "publication"
    assert refused_as(a, own, at=world.at - 1) == "publication-instant"
    assert refused_as(a, own | {"name": 5}) == "stix-kind"
    assert refused_as(a, own | {"description": "x" * (5 << 20)}) == "publication"
    part = {"marking_ref": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "selectors": ["name"]}
    assert refused_as(a, own | {"granular_markings": [part]}) == "publication"
    with pytest.raises(Usage), deed(a, "officer-1") as work:
        schedule(work, own, work.at + HOUR, handling=FREE, until=work.at)


def test_an_object_that_asks_for_a_stricter_tlp_is_marked_clear_as_a_whole(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    amber = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
    with deed(a, "officer-1") as work:
        row = schedule(work, malware(1, created_by_ref=a.party, object_marking_refs=[amber]), due, handling=FREE)
    assert msgspec.json.decode(row.raw)["object_marking_refs"] == [
        "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
    ]


def test_a_row_changed_by_hand_does_not_go_out_and_stops_nothing_else(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    bad, good = appoint(a, due, text="bad"), appoint(a, due, text="good")
    with a.store.write() as tx:
        tx.put(replace(bad, raw=bad.raw.replace(b"bad", b"BAD")))
    world.at = due
    tick(a)
    assert (standing(a, bad.id), standing(a, good.id)) == ("waiting", "published")
    assert "comity doctor" in row_of(a, bad.id).note
    assert not any(row.id == bad.id for row in versions(a))


def versions(node: Node) -> list[Version]:
    with node.store.read() as tx:
        return list(tx.find(Version))


def test_a_version_that_a_desk_kept_meanwhile_stands_in_the_way_and_is_named(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    with deed(a, "officer-1") as work:
        data = malware(3, created_by_ref=a.party)
        row = schedule(work, data, due, handling=FREE)
        go(work, row.id)
    world.take(A, malware(3, created_by_ref=a.party, description="another one of the same version"), tlp="amber")
    world.at = due
    tick(a)
    assert standing(a, row.id) == "waiting"
    assert "as late" in row_of(a, row.id).note


# --- clocks


def test_a_clock_that_went_back_publishes_nothing(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    appoint(a, due)
    world.at = due - MINUTE
    tick(a)
    world.shift[A] = -HOUR
    world.at = due
    with pytest.raises(NotAllowed) as refused:
        tick(a)
    assert refused.value.code == "clock-back"
    assert acts(a) == []
    world.shift[A] = 0
    tick(a)
    assert len(acts(a)) == 1


def test_a_clock_that_is_an_hour_ahead_publishes_early_and_whoever_verifies_in_time_is_told(world: World) -> None:
    a, due = world.nodes[A], world.at + 2 * HOUR
    appoint(a, due)
    world.at = due - HOUR
    world.shift[A] = HOUR
    tick(a)
    world.at += 2 * MINUTE
    tick(a)
    [item] = check(world, A)
    assert not item["early"]  # it says that it was in time
    assert len(item["remarks"]) == 1
    assert "still to come by the clock here" in item["remarks"][0]
    world.at = due + HOUR
    [item] = check(world, A)
    assert item["remarks"] == []  # later only those who kept its checkpoints know: tests/node/test_publicfile.py


# --- rehearsal, restore, damage


def test_a_rehearsed_word_tells_what_would_go_to_whom_and_leaves_nothing(world: World) -> None:
    a = world.nodes[A]
    before = bytes_of(a)

    def now(node: Node) -> str:
        with deed(node, "officer-1") as work:
            handling = Handling(basis=frozenset({"agreement"}), purpose=frozenset({"protect-networks"}))
            schedule(work, malware(9, created_by_ref=node.party), work.at, handling=handling)
            row = go(work, str(malware(9)["id"]))
        return row.standing

    told, effects = rehearse(a, now)
    assert told == "published"
    assert {one.name for one in effects} == {"Everybody", B, C}
    assert bytes_of(a) == before

    def soon(node: Node) -> str:
        return appoint(node, world.at + HOUR).standing

    assert rehearse(a, soon) == ("go", ())
    assert bytes_of(a) == before


def test_after_a_restore_nothing_goes_out_by_a_word_that_was_said_before(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    waiting, going = appoint(a, due, say_go=False, text="w").id, appoint(a, due, text="g").id
    held, gone = appoint(a, due, text="h").id, appoint(a, due, text="x").id
    done(a, lambda work: (hold(work, held), withdraw(work, gone)))
    world.at += 30 * MINUTE
    reopen(a)
    world.at = due + MINUTE
    tick(a)
    assert acts(a) == []
    assert [standing(a, one) for one in (waiting, going, held, gone)] == ["waiting", "waiting", "waiting", "withdrawn"]
    assert "restored from a backup" in row_of(a, going).note
    assert list(examine(a)) == []
    assert done(a, lambda work: go(work, going, due)).standing == "published"


def test_what_went_out_in_a_tick_the_backup_lost_is_recorded_again_with_another_go(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    lost, kept = appoint(a, due, text="lost").id, appoint(a, due - 30 * MINUTE, text="kept").id
    world.at = due - 25 * MINUTE
    tick(a)
    world.at = due
    tick(a)
    assert (standing(a, lost), standing(a, kept)) == ("published", "proved")
    reopen(a)  # the backup was taken before the tick was over
    world.at += 3 * MINUTE
    tick(a)
    assert (standing(a, lost), standing(a, kept)) == ("waiting", "proved")
    done(a, lambda work: go(work, lost, due))
    world.at += 3 * MINUTE
    tick(a)
    assert standing(a, lost) == "proved"
    assert len([row for row in versions(a) if row.id == lost]) == 1
    assert [one["log"]["origin"][-2:] == "/1" for one in check(world, A)] == [True, False]
    assert list(examine(a)) == []


def test_a_node_with_publications_is_whole_and_says_when_the_next_one_is_due(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    appoint(a, due)
    appoint(a, due + HOUR, text="later")
    appoint(a, due - MINUTE, text="no word", say_go=False)
    with a.store.read() as tx:
        assert next_due(tx) == due
    world.at = due + 2 * MINUTE
    tick(a)
    with a.store.read() as tx:
        assert next_due(tx) == due + HOUR
    assert list(examine(a)) == []


def test_one_audit_row_tells_each_word_with_who_said_it(world: World) -> None:
    a, due = world.nodes[A], world.at + HOUR
    id = appoint(a, due, officer="officer-2").id
    done(a, lambda work: hold(work, id, "wait"), officer="officer-3")
    with a.store.read() as tx:
        told = [
            (row.officer, msgspec.json.decode(row.detail)["standing"])
            for row in tx.find(Audit)
            if row.deed == "publication"
        ]
    assert told == [("officer-2", "waiting"), ("officer-2", "go"), ("officer-3", "hold")]
