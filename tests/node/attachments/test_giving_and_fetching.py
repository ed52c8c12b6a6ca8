"""A file goes to whom its artifact is released, when an officer there asks, and to nobody else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from comity.kernel.errors import ComityError, InputRefused, NotFound, SealBroken, Unavailable
from comity.kernel.exchange.attachments import CHUNK, Ask, described, encode_ask
from comity.kernel.release.templates import community
from comity.kernel.store.rows import ActRow, Attachment, Chunk, FileRow, Handed, Holding, Version
from comity.kernel.tlog.acts import act_digest
from comity.node.account import given
from comity.node.attachments.fetching import fetch
from comity.node.attachments.giving import give
from comity.node.attachments.keeping import sweep
from comity.node.attachments.opening import listed
from comity.node.deeds import deed
from comity.node.doctor import examine
from comity.node.handling import set_handling
from comity.node.quotas import set_limits
from simulators.files import RED, STATED, A, B, C, content, fetched, opened, put_in, road, teams
from simulators.world import DAY, Direct, World


def ask_of(world: World, name: str, object: str, first: int = 0, count: int = 1, of: str = A) -> bytes:
    """What a team that holds an artifact asks for, as it came from another."""
    with world.nodes[name].store.read() as tx:
        [holding] = tx.find(Holding, object=object, custodian=world.nodes[of].party, ended=None)
        version = tx.get(Version, holding.version)
    assert version is not None
    file = described(msgspec.json.decode(version.raw))
    assert file is not None
    assert version.digest is not None
    return encode_ask(Ask(object, version.digest.hex(), file.root, first, count))


def chunks(world: World, name: str) -> int:
    with world.nodes[name].store.read() as tx:
        return tx.count(Chunk)


def told(node: object, party: str, ask: bytes) -> str:
    """The refusal of a request, as JSON."""
    with pytest.raises(ComityError) as refused:
        give(node, party, ask)  # type: ignore[arg-type]
    return str(refused.value.as_json())


def test_a_file_comes_when_an_officer_asks_and_not_before() -> None:
    world, data = teams(), content(20, 77)
    object = put_in(world, A, data)
    world.sync(A, B, C)
    assert chunks(world, B) == 0
    done = fetched(world, B, object, A)
    assert (done["size"], chunks(world, B)) == (len(data), 21)
    assert opened(world, B, object) == data
    assert [found for node in world.nodes.values() for found in examine(node)] == []


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_of_any_size_arrives_as_it_left(size: int) -> None:
    world, data = teams(), content(0, size)
    object = put_in(world, A, data)
    world.sync(A, B)
    fetched(world, B, object, A)
    assert opened(world, B, object) == data


def test_the_giver_records_who_was_given_which_bytes_under_which_title() -> None:
    world = teams()
    object = put_in(world, A, content(2))
    world.sync(A, B)
    fetched(world, B, object, A)
    a, b = world.nodes[A], world.nodes[B]
    with a.store.read() as tx:
        [act] = [row for row in tx.find(ActRow) if row.kind == "hand"]
        [row] = [one for one in given(tx, party=b.party) if one["object"] == object]
    assert row["file"]["act"] == act.digest
    assert (row["file"]["party"], row["file"]["chunks"]) == (b.party, 2)
    with b.store.read() as tx:
        [kept] = tx.find(Attachment)
    assert act_digest(kept.hand) == act.digest
    body = msgspec.json.decode(msgspec.json.encode(row))
    assert body["title"].endswith("#1")


def test_asking_twice_is_one_act_and_nothing_comes_twice() -> None:
    world = teams()
    object = put_in(world, A, content(3))
    world.sync(A, B)
    fetched(world, B, object, A)
    assert fetched(world, B, object, A)["entry"] is None
    with world.nodes[A].store.read() as tx:
        assert sum(row.kind == "hand" for row in tx.find(ActRow)) == 1


def test_an_outsider_with_the_right_digest_is_told_what_one_with_a_guess_is_told() -> None:
    world = teams()
    object = put_in(world, A, content(2))
    world.sync(A, B, C)
    a, c = world.nodes[A], world.nodes[C]
    right = ask_of(world, B, object)
    guess = encode_ask(Ask("artifact--00000000-0000-4000-8000-000000000001", "ab" * 32, "cd" * 32, 0, 1))
    assert told(a, c.party, right) == told(a, c.party, guess)
    give(a, world.nodes[B].party, right)  # the same question is right when B asks it


def test_two_worlds_with_and_without_a_file_answer_an_outsider_alike() -> None:
    with_it, without = teams(), teams()
    object = put_in(with_it, A, content(2))
    with_it.sync(A, B, C)
    without.sync(A, B, C)
    question = ask_of(with_it, B, object)
    answers = [told(world.nodes[A], world.nodes[C].party, question) for world in (with_it, without)]
    assert answers[0] == answers[1]


def test_an_artifact_that_was_taken_back_gives_nothing_more_and_its_bytes_are_erased_there() -> None:
    world = teams()
    object = put_in(world, A, content(3))
    world.sync(A, B)
    fetched(world, B, object, A)
    question = ask_of(world, B, object)
    set_handling(world.nodes[A], object, RED, officer="officer-1")
    unknown = encode_ask(Ask("artifact--00000000-0000-4000-8000-000000000001", "ab" * 32, "cd" * 32, 0, 1))
    b = world.nodes[B]
    assert told(world.nodes[A], b.party, question) == told(world.nodes[A], b.party, unknown)
    world.sync(A, B)
    with pytest.raises(NotFound):
        opened(world, B, object)
    assert chunks(world, B) == 0
    with b.store.read() as tx:
        [file] = tx.find(FileRow)
    assert file.erased is not None
    assert file.sha256
    world.sync(A, B)
    with world.nodes[A].store.read() as tx:
        [handed] = tx.find(Handed)
    assert handed.disposal is not None
    assert chunks(world, A) == 3
    assert [found for node in world.nodes.values() for found in examine(node)] == []


def test_a_file_is_taken_back_in_the_middle_of_a_fetch() -> None:
    world = teams()
    object = put_in(world, A, content(40))
    world.sync(A, B)

    class Recalling(Direct):
        def attachment(self, ask: bytes) -> bytes:
            answer = super().attachment(ask)
            if chunks(world, B):
                set_handling(world.nodes[A], object, RED, officer="officer-1")
                world.sync(A, B)
            return answer

    with pytest.raises(NotFound) as gone:
        fetched(world, B, object, A, Recalling)
    assert gone.value.code == "attachment-gone"
    sweep(world.nodes[B])
    assert chunks(world, B) == 0


def test_a_peer_that_lies_in_chunk_three_is_caught_there_and_what_came_before_is_kept() -> None:
    world = teams()
    object = put_in(world, A, content(10))
    world.sync(A, B)
    asked: list[int] = []

    class Lying(Direct):
        def attachment(self, ask: bytes) -> bytes:
            question = msgspec.json.decode(ask)
            asked.append(question["first"])
            one = super().attachment(msgspec.json.encode({**question, "count": 1}))
            if question["first"] == 2:
                one = one[:-1] + bytes([one[-1] ^ 1])
            return one

    class Narrow(Lying):
        """Gives one chunk at a time, as a giver behind a narrow road is asked to."""

        def attachment(self, ask: bytes) -> bytes:
            if msgspec.json.decode(ask)["count"] > 1:
                raise Unavailable("peer-unreachable", "The peer answers too slowly; it will be tried again.")
            return super().attachment(ask)

    with pytest.raises(SealBroken) as caught:
        fetched(world, B, object, A, Narrow)
    assert caught.value.code == "attachment-chunk"
    assert "Chunk 3 of 10" in caught.value.sentence
    assert asked[-1] == 2
    assert chunks(world, B) == 2
    fetched(world, B, object, A)
    assert opened(world, B, object) == content(10)


@pytest.mark.parametrize("broken", ["more", "fewer", "nothing", "long head", "other order", "another file"])
def test_a_peer_that_gives_something_else_than_was_asked_for_is_refused(broken: str) -> None:
    world = teams()
    object, other = put_in(world, A, content(4)), put_in(world, A, content(4, seed=b"y"))
    world.sync(A, B)
    theirs = ask_of(world, B, other, 0, 4)

    class Odd(Direct):
        def attachment(self, ask: bytes) -> bytes:
            right = super().attachment(ask)
            head = int.from_bytes(right[:4], "big")
            first, rest = right[4 + head : 4 + head + CHUNK], right[4 + head + CHUNK :]
            return {
                "more": right + b"x",
                "fewer": right[:-1],
                "nothing": b"",
                "long head": b"\xff\xff\xff\xff" + right[4:],
                "other order": right[: 4 + head] + rest + first,
                "another file": super().attachment(theirs),
            }[broken]

    with pytest.raises((InputRefused, SealBroken)) as refused:
        fetched(world, B, object, A, Odd)
    assert refused.value.code in ("attachment-answer", "attachment-chunk")
    assert chunks(world, B) == 0


def test_right_chunks_under_an_act_that_hands_over_another_file_are_not_kept() -> None:
    world = teams()
    object, other = put_in(world, A, content(2)), put_in(world, A, content(2, seed=b"y"))
    world.sync(A, B)
    theirs = ask_of(world, B, other, 0, 0)

    class Swapping(Direct):
        def attachment(self, ask: bytes) -> bytes:
            right, wrong = super().attachment(ask), super().attachment(theirs)
            size = 4 + int.from_bytes(right[:4], "big")
            act = {name: msgspec.json.decode(wrong[4:])[name] for name in ("act", "salt", "promise")}
            head = msgspec.json.encode({**msgspec.json.decode(right[4:size]), **act})
            return len(head).to_bytes(4, "big") + head + right[size:]

    with pytest.raises(SealBroken) as refused:
        fetched(world, B, object, A, Swapping)
    assert refused.value.code == "attachment-act"
    assert chunks(world, B) == 0


def test_an_author_whose_digest_and_chunks_are_of_two_files_is_found_out_and_nothing_stays() -> None:
    world = teams()
    put_in(world, A, content(2))
    lying = {
        **msgspec.json.decode(raw_of(world, A)),
        "id": "artifact--00000000-0000-4000-8000-00000000000f",
        "hashes": {"SHA-256": "ee" * 32},
    }
    world.take(A, lying, tlp="green", basis=["agreement"], purpose=["protect-networks"], caveats=[], own=True)
    with world.nodes[A].store.write() as tx:  # the liar's own node says that it has the bytes
        [row] = tx.find(Attachment)
        [file] = tx.find(FileRow)
        tx.put(replace(row, object=lying["id"]), replace(file, sha256="ee" * 32))
    world.sync(A, B)
    with pytest.raises(SealBroken) as caught:
        fetched(world, B, lying["id"], A)
    assert caught.value.code == "attachment-digest"
    assert chunks(world, B) == 0


def raw_of(world: World, name: str) -> bytes:
    with world.nodes[name].store.read() as tx:
        return next(row.raw for row in tx.find(Version) if row.type == "artifact")


def test_two_artifacts_of_the_same_bytes_are_decided_each_by_itself_and_kept_once() -> None:
    world, data = teams(), content(3)
    open_one, shut = put_in(world, A, data), put_in(world, A, data, RED)
    assert open_one != shut
    assert chunks(world, A) == 3
    world.sync(A, B)
    question = msgspec.json.decode(ask_of(world, B, open_one))
    give(world.nodes[A], world.nodes[B].party, msgspec.json.encode(question))
    b = world.nodes[B].party
    for wrong in ({"object": shut}, {"digest": "00" * 32}, {"root": "00" * 32}):
        assert "attachment-unknown" in told(world.nodes[A], b, msgspec.json.encode({**question, **wrong}))


def three(**more: object) -> World:
    """A gives to B, and B may pass it on to C."""
    world = teams(**more)
    members = community(world.parties(A, B, C), enters_into_force=world.at)
    wider = members.replace('"url", "file"]', '"url", "file", "artifact"]').replace(
        'onward     = "none"', 'onward     = "members"'
    )
    world.agree(wider, A, B, C)
    return world


def test_a_relay_gives_under_its_own_decision_what_it_was_given_and_fetched() -> None:
    world, data = three(), content(2)
    object = put_in(world, A, data)
    world.sync(A, B, C)
    with world.nodes[C].store.read() as tx:
        custodians = {row.custodian for row in tx.find(Holding, object=object, ended=None)}
    assert world.nodes[B].party in custodians
    with pytest.raises(NotFound) as refused:
        fetch(world.nodes[C], object, road(world, B), officer="officer-1", of=B)
    assert refused.value.code == "attachment-not-here"  # B has not fetched it itself
    fetched(world, B, object, A)
    done = fetch(world.nodes[C], object, road(world, B), officer="officer-1", of=B)
    assert done["from"] == world.nodes[B].party
    assert opened(world, C, object) == data


def test_bytes_held_for_another_artifact_do_not_show_to_whom_that_one_is_not_given() -> None:
    """B has the same bytes as a file of its own that goes to nobody: what C is told of A's artifact is the same with and without."""
    data, answers = content(2), []
    for with_own in (True, False):
        world = three()
        if with_own:
            put_in(world, B, data, RED)
        object = put_in(world, A, data)
        world.sync(A, B, C)
        answers.append(told(world.nodes[B], world.nodes[C].party, ask_of(world, C, object, of=B)))
    assert answers[0] == answers[1]
    assert "attachment-not-here" in answers[0]


def laid_over(world: World, liar: str, of: str, object: str) -> str:
    """An artifact of a liar that names the file of another's artifact, which the liar knows and whose bytes it never had."""
    with world.nodes[of].store.read() as tx:
        data = msgspec.json.decode(next(iter(tx.find(Version, id=object))).raw)
    lie = {name: value for name, value in data.items() if name != "object_marking_refs"}
    lie["id"] = "artifact--00000000-0000-4000-8000-0000000000aa"
    stated: dict[str, Any] = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}
    world.take(liar, lie, **stated)
    return str(lie["id"])


def test_who_names_a_file_it_does_not_give_opens_no_bytes_that_another_gave_for_its_own_artifact() -> None:
    world = teams()
    object = put_in(world, A, content(3))
    world.sync(A, B)
    fetched(world, B, object, A)
    lie = laid_over(world, C, A, object)
    world.sync(B, C)
    with pytest.raises(NotFound):
        fetched(world, B, lie, C)  # it has no bytes to give
    with pytest.raises(NotFound):
        opened(world, B, lie)
    states = {one["object"]: one["state"] for one in listed(world.nodes[B])}
    assert (states[object], states[lie]) == ("here", "not given yet")


def test_who_hands_over_a_file_without_a_byte_of_it_is_asked_for_some_and_caught() -> None:
    world = teams()
    object = put_in(world, A, content(3))
    world.sync(A, B)
    fetched(world, B, object, A)
    lie = laid_over(world, C, A, object)
    world.sync(B, C)
    c = world.nodes[C]
    with world.nodes[A].store.read() as tx:
        [file] = tx.find(FileRow)
    with deed(c, "officer-1") as work:  # it says that it has the file, and has wrong bytes
        work.tx.put(file)
        work.tx.put(Attachment(lie, file.root, work.at, None, "", c.party, b""))
        work.tx.add(Chunk(file.root, n, bytes(CHUNK)) for n in range(3))
    with pytest.raises(SealBroken) as caught:
        fetched(world, B, lie, C)
    assert caught.value.code == "attachment-chunk"
    with pytest.raises(NotFound):
        opened(world, B, lie)
    assert opened(world, B, object) == content(3)


def test_an_embargo_that_is_over_opens_the_file_and_an_end_that_came_shuts_it() -> None:
    world = teams()
    limits = replace(STATED, embargo=world.at + DAY, retention=world.at + 3 * DAY)
    object = put_in(world, A, content(1), limits)
    world.sync(A, B)
    with world.nodes[B].store.read() as tx:
        assert list(tx.find(Version, id=object)) == []
    world.at += DAY
    world.sync(A, B)
    fetched(world, B, object, A)
    world.at += 3 * DAY
    with pytest.raises(NotFound):
        opened(world, B, object)
    sweep(world.nodes[B])
    assert (chunks(world, A), chunks(world, B)) == (1, 0)


def test_a_party_that_asks_for_more_than_its_day_allows_is_told_so_and_goes_on_the_next_day() -> None:
    world = teams()
    object = put_in(world, A, content(20))
    world.sync(A, B)
    set_limits(world.nodes[A], B, {"given": CHUNK}, officer="officer-1")
    with pytest.raises(Unavailable) as full:
        fetched(world, B, object, A)
    assert full.value.code == "peer-quota"
    assert "ask for" in full.value.sentence
    world.at += DAY
    fetched(world, B, object, A)
    assert opened(world, B, object) == content(20)
