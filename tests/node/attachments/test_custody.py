"""The chain of custody: what was done with a file, by whose word, and every gap named."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import msgspec
import pytest

from comity.kernel.errors import Usage
from comity.kernel.model.instants import HOUR, format
from comity.kernel.store.rows import ActRow, Holding, StreamRow, Version
from comity.kernel.tlog.acts import open_act
from comity.node.attachments.custody import chain_of, enter, ordered
from comity.node.attachments.opening import shown
from comity.node.doctor import examine
from comity.node.handling import set_handling
from comity.node.officers import add_officer
from simulators.files import RED, STATED, A, B, C, content, fetched, opened, put_in, teams
from simulators.world import World


def acts(world: World, name: str, object: str) -> list[str]:
    return [one["act"] for one in chain_of(world.nodes[name], object)["entries"]]


def test_from_collection_to_opening_the_chain_travels_with_the_file_and_has_no_gap() -> None:
    world, data = teams(), content(2)
    object = put_in(world, A, data, place="Tallinn, server room 2", means="dd over a write blocker")
    world.sync(A, B)
    fetched(world, B, object, A)
    world.at += HOUR
    opened(world, B, object)
    chain = chain_of(world.nodes[B], object)
    assert [one["act"] for one in chain["entries"]] == ["collected", "transferred", "opened"]
    assert [one["name"] for one in chain["entries"]] == [A, B, B]
    assert chain["entries"][0]["place"] == "Tallinn, server room 2"
    digest = sha256(data).hexdigest()
    assert {one.get("after") for one in chain["entries"]} == {digest}
    assert all(one["officer"] for one in chain["entries"])
    assert chain["gaps"] == []
    world.sync(A, B)
    assert acts(world, A, object) == acts(world, B, object)
    assert [found for node in world.nodes.values() for found in examine(node)] == []


def test_an_entry_is_an_act_that_commits_to_its_officer_and_shows_neither_file_nor_artifact() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    a = world.nodes[A]
    with a.store.read() as tx:
        [row] = [one for one in tx.find(ActRow) if one.kind == "custody"]
    act = open_act(row.envelope, {a.keys.node.public.keyid: a.keys.node.public})
    assert act.officers is not None
    assert set(act.body) == {"custody", "commits"}
    assert object.encode() not in row.envelope


def test_a_digest_that_changed_between_two_entries_is_told_plainly() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    was, other = sha256(content(1)).hexdigest(), "ab" * 32
    world.at += HOUR
    enter(world.nodes[A], object, "copied", officer="officer-1", before=other, after=other)
    world.at += HOUR
    enter(world.nodes[A], object, "returned", officer="officer-1", before=was)
    gaps = chain_of(world.nodes[A], object)["gaps"]
    assert f"The file changed between entry 1 and entry 2: SHA-256 {was} became {other}." in gaps
    assert f"The file changed between entry 2 and entry 3: SHA-256 {other} became {was}." in gaps


def test_an_act_that_changes_the_file_is_told() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    was = sha256(content(1)).hexdigest()
    enter(world.nodes[A], object, "copied", officer="officer-1", before=was, after="cd" * 32)
    [gap] = chain_of(world.nodes[A], object)["gaps"]
    assert gap == f"The file was changed by entry 2 (copied): SHA-256 {was} became {'cd' * 32}."


def test_an_entry_that_was_not_shown_to_us_is_a_gap() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    was = sha256(content(1)).hexdigest()
    world.at += HOUR
    hidden = enter(world.nodes[A], object, "copied", officer="officer-1", before=was, after=was)["entry"]
    set_handling(world.nodes[A], hidden, RED, officer="officer-1")
    world.at += HOUR
    enter(world.nodes[A], object, "returned", officer="officer-1", before=was)
    world.sync(A, B)
    assert acts(world, B, object) == ["collected", "returned"]
    [gap] = chain_of(world.nodes[B], object)["gaps"]
    assert gap == "Entry 2 (returned) follows nothing: how the file came there is not said, or not shown to us."


def test_a_file_without_any_entry_says_so() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    with world.nodes[A].store.read() as tx:
        entry = next(row.id for row in tx.find(Version) if row.type == "x-comity-custody")
    set_handling(world.nodes[A], entry, RED, officer="officer-1")
    world.sync(A, B)
    [gap] = chain_of(world.nodes[B], object)["gaps"]
    assert gap.startswith("No entry is held here")


def test_a_clock_an_hour_off_shows_in_the_chain() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    was = sha256(content(1)).hexdigest()
    early = format(world.at - HOUR)
    enter(world.nodes[A], object, "copied", officer="officer-1", before=was, after=was, at=early)
    [gap] = chain_of(world.nodes[A], object)["gaps"]
    assert "before entry 1 that it follows, by 1 hours or more; compare the clocks." in gap


@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("copied", {}),
        ("copied", {"before": "ab" * 32}),
        ("collected", {"after": "AB" * 32}),
        ("returned", {"before": "not a digest"}),
        ("returned", {"before": "ab" * 32, "at": "2031-01-01T00:00:00Z"}),
        ("returned", {"before": "ab" * 32, "place": "x" * 3_000}),
    ],
)
def test_an_entry_that_lacks_a_digest_or_is_dated_ahead_is_refused(act: str, said: dict[str, str]) -> None:
    world = teams()
    object = put_in(world, A, content(1))
    with pytest.raises(Usage) as refused:
        enter(world.nodes[A], object, act, officer="officer-1", **said)  # type: ignore[arg-type]
    assert refused.value.code == "custody-entry"


def forged(world: World, object: str, author: str) -> dict[str, object]:
    """An entry that says another party wrote it."""
    with world.nodes[A].store.read() as tx:
        raw = next(row.raw for row in tx.find(Version) if row.type == "x-comity-custody")
    data = msgspec.json.decode(raw)
    entry = {"artifact_ref": object, "act": "opened", "at": format(world.at), "before": "ee" * 32, "after": "ee" * 32}
    return {
        **data,
        "id": "x-comity-custody--00000000-0000-4000-8000-00000000000e",
        "created_by_ref": author,
        "entry": entry,
        "previous_ref": data["id"],
    }


def test_an_entry_another_party_wrote_in_our_name_is_nobodys_word() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    world.sync(A, B)
    a = world.nodes[A]
    lie = forged(world, object, a.party)
    world.take(B, lie, tlp="green", basis=["agreement"], purpose=["protect-networks"], caveats=[])
    world.sync(A, B)
    chain = chain_of(a, object)
    assert [one["name"] for one in chain["entries"]] == [A, None]
    assert f"Entry 2 came via {B} and nothing shows whose word it is." in chain["gaps"]


def test_an_entry_nobody_vouches_for_or_from_the_future_is_followed_by_none_of_ours() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    world.sync(A, B)
    world.at += HOUR
    world.shift[B] = 48 * HOUR
    digest = sha256(content(1)).hexdigest()
    enter(world.nodes[B], object, "copied", officer="officer-1", before=digest, after=digest)
    lie = forged(world, object, world.nodes[A].party)
    world.take(B, lie, tlp="green", basis=["agreement"], purpose=["protect-networks"], caveats=[])
    world.sync(A, B)
    assert len(acts(world, A, object)) == 3
    world.at += HOUR
    entry = enter(world.nodes[A], object, "returned", officer="officer-1", before=digest)["entry"]
    [ours] = [one for one in chain_of(world.nodes[A], object)["entries"] if one["id"] == entry]
    [collected] = [one for one in chain_of(world.nodes[A], object)["entries"] if one["act"] == "collected"]
    assert ours["follows"] == collected["id"]


def test_entries_that_name_each_other_in_a_circle_end() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    b = world.nodes[B].party
    one = {**forged(world, object, b), "previous_ref": "x-comity-custody--00000000-0000-4000-8000-0000000000ff"}
    other = {**one, "id": one["previous_ref"], "previous_ref": one["id"]}
    world.take(A, one, other, tlp="green", caveats=[])
    assert len(chain_of(world.nodes[A], object)["entries"]) == 3
    assert ordered([]) == []


def test_what_an_entry_says_is_hidden_from_whom_the_artifact_is_not_given() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    set_handling(world.nodes[A], object, RED, officer="officer-1")
    world.sync(A, B)
    digest = sha256(content(1)).hexdigest().encode()
    with world.nodes[B].store.read() as tx:
        assert all(digest not in row.raw and object.encode() not in row.raw for row in tx.find(Version))


def test_an_entry_of_ours_that_was_changed_by_hand_is_not_what_our_log_commits_to() -> None:
    world = teams()
    object = put_in(world, A, content(1))
    a = world.nodes[A]
    with a.store.write() as tx:
        row = next(one for one in tx.find(Version) if one.type == "x-comity-custody")
        data = msgspec.json.decode(row.raw)
        data["entry"]["place"] = "somewhere else"
        tx.put(replace(row, raw=msgspec.json.encode(data)))
    assert "Entry 1 is ours and is not the one our log commits to." in chain_of(a, object)["gaps"]


def test_an_entry_goes_no_further_than_the_artifact() -> None:
    world = teams()
    object = put_in(world, A, content(1), replace(STATED, recipients=frozenset({"duty-officer"})))
    enter(world.nodes[A], object, "returned", officer="officer-1", before="ab" * 32)
    with world.nodes[A].store.read() as tx:
        classes = {row.object.partition("--")[0]: row.cls for row in tx.find(Holding)}
        assert {row.object for row in tx.find(StreamRow, party=world.nodes[C].party)} == set()
    assert {"artifact", "x-comity-custody"} <= set(classes)


def test_who_was_given_a_file_stands_beside_its_chain() -> None:
    world = teams()
    add_officer(world.nodes[A], "Ann", ["release"])
    object = put_in(world, A, content(1))
    world.sync(A, B)
    fetched(world, B, object, A)
    told = shown(world.nodes[A], object)
    assert [one["name"] for one in told["given"]] == [B]
    assert told["state"] == "here"
