"""The doctor names what was changed by hand, in whatever table; of a node that nobody touched it says nothing."""

from __future__ import annotations

import ast
import re
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from comity.adapters.sql.store import open_store
from comity.kernel.exchange.attachments import CHUNK
from comity.kernel.release.handling import Handling
from comity.kernel.release.templates import company_to_team
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.seal.keys import SigningKey
from comity.kernel.store.memory import MemoryStore
from comity.kernel.store.ports import Store
from comity.kernel.store.rows import (
    TABLES,
    ActRow,
    AgreementRow,
    Anonymous,
    Answer,
    Approval,
    Attachment,
    Audit,
    Batch,
    CardRow,
    CheckpointRow,
    Chunk,
    Class,
    ControlRow,
    Delivery,
    Evidence,
    FileRow,
    Grant,
    Handed,
    HandlingRow,
    Holding,
    Instrument,
    Job,
    MandateRow,
    Nonce,
    Officer,
    Party,
    Peer,
    PromiseRow,
    Publication,
    Reader,
    Received,
    Reference,
    Refused,
    Sealing,
    Setting,
    StandIn,
    Status,
    StreamRow,
    Submission,
    TickRow,
    Tile,
    Value,
    Version,
)
from comity.kernel.store.shape import columns
from comity.kernel.tlog.promises import Promise, make_promise, read_promise
from comity.kernel.tlog.ticks import act_leaf, inner_root
from comity.node import doctor
from comity.node.attachments.keeping import keep_chunks, sweep
from comity.node.attachments.opening import forget
from comity.node.cardlife import change_card, rotate
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.doctor import UNEXAMINED, UNTOLD, Finding, examine
from comity.node.examining.parties import LEFT, SETTINGS
from comity.node.exchange import NodeSide
from comity.node.gossip import keep_promise
from comity.node.handling import set_handling
from comity.node.instruments import suspend, withdraw
from comity.node.intake import take_in
from comity.node.mandates import confirm, end, give, require
from comity.node.nonces import use_nonce
from comity.node.officers import add_officer, add_reader, end_officer
from comity.node.proofs import collect
from comity.node.publishing import go, schedule
from comity.node.publishing import withdraw as withdraw_publication
from comity.node.readers import add_plain_reader
from comity.node.record import log_facts, log_secret
from comity.node.release import approve
from comity.node.restoring import reopen
from comity.node.submissions import enrol, remove, submit
from comity.node.taxii import INBOX, OWN
from simulators.files import content, fetched, files_between, put_in
from simulators.world import DAY, SECOND, Direct, Raw, World, indicator, malware, relationship

SRC = Path(doctor.__file__).parents[1]
STATED = {"tlp": "green", "basis": ["agreement"], "purpose": ["protect-networks"], "caveats": []}
MINUTE = 60 * SECOND
A, B, C, D = "Team A", "Team B", "Team C", "Company"
VENDOR = "identity--99999999-0000-4000-8000-00000000000a"


def vendor() -> dict[str, object]:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": VENDOR,
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "name": "Quietwater Research",
        "identity_class": "organization",
    }


def later(world: World, minutes: int = 3) -> None:
    world.at += minutes * MINUTE


def prove(world: World, name: str, of: str) -> None:
    """Ask a peer for the proofs of what it promised."""
    node, other = world.nodes[name], world.nodes[of]
    collect(node, other.party, Direct(other, node.party).proof)


def hand_in(world: World, name: str) -> None:
    """A party without a node posts something; a tool of ours posts into `own` and takes something out again."""
    node = world.nodes[name]
    plain, _ = add_plain_reader(node, "Office", kind="agency", country="XA", officer="officer-1")
    add_reader(node, node.party, "tool", by="officer-1")
    with node.store.read() as tx:
        [reader] = tx.find(Reader, party=plain.id)
        [tool] = tx.find(Reader, party=node.party)
    submit(node, reader, INBOX, [canonical(indicator(91)), b'{"type":"indicator"}'])
    later(world, 1)
    submit(node, tool, OWN, [canonical(indicator(92)), canonical(indicator(93))])
    enrol(node)
    remove(node, node.party, OWN, str(indicator(93)["id"]), frozenset({"all"}))


def break_promise(world: World, name: str, of: str) -> None:
    """A peer signs a second promise for a place it promised before."""
    node, other = world.nodes[name], world.nodes[of]
    with node.store.read() as tx:
        row = next(row for row in tx.find(PromiseRow) if row.origin.split("/")[1] in other.party)
    given = read_promise(unverified_body(row.envelope, "promise")[0])
    second = Promise("ab" * 32, given.origin, given.tick, given.place)
    with deed(node) as work:
        assert keep_promise(work, other.party, second, make_promise(second, other.keys.log), second.act) is not None


def publish(world: World, name: str) -> None:
    """Something is published, something waits for its instant with an officer's word, and something is withdrawn."""
    node = world.nodes[name]
    for number, soon in ((61, True), (62, False), (63, False)):
        with deed(node, "officer-1") as work:
            data = malware(number, created_by_ref=node.party)
            row = schedule(
                work,
                data,
                work.at + (MINUTE if soon else 30 * DAY),
                handling=Handling(),
                case="case--1",
                until=work.at + 60 * DAY,
            )
            go(work, row.id, row.due)
            if number == 63:
                withdraw_publication(work, row.id, "not agreed")
        later(world, 1)
    later(world, 2)


def mandate(world: World, name: str) -> None:
    """A mandate is given and ended; another one an officer gives herself, and a second one confirms it; mandates are required."""
    node = world.nodes[name]
    add_officer(node, "Dee", ["admin"])
    later(world, 1)
    with deed(node, "officer-1") as work:
        require(work)
        give(work, "Bob", ["release"], ceilings={"tlp": "green"}, substitutes=["Dee"], reason="night watch")
        give(work, "Ann", ["agreement *"], until=work.at + DAY, reason="the minister is away")
    later(world, 1)
    with deed(node, "officer-4") as work:
        confirm(work, "mandate-2", reason="agreed")
        end(work, "mandate-1", reason="the watch is over")
    later(world, 1)


def share_files(world: World) -> None:
    """Files are given in both directions; one is taken back and disposed of, one is being added still."""
    world.agree(files_between(world, A, B), A, B)
    ours = [put_in(world, A, content(2, n)) for n in (1, 2)]
    theirs = [put_in(world, B, content(2, n)) for n in (3, 4)]
    later(world)
    world.sync(A, B)
    for name, giver, objects in ((B, A, ours), (A, B, theirs)):
        for object in objects:
            fetched(world, name, object, giver)
            later(world, 1)
    forget(world.nodes[B], ours[0], reason="the case is closed", officer="officer-1")
    set_handling(world.nodes[B], theirs[0], Handling(tlp="red"), officer="officer-1")
    later(world)
    world.sync(A, B)
    sweep(world.nodes[A])
    with deed(world.nodes[A]) as work:
        keep_chunks(work, "ab" * 32, 3 * CHUNK, 0, [content(1)])


def refuse(world: World, name: str, by: str) -> None:
    """A page comes when the receiver has just suspended the agreement: it refuses the rows, and goes on later."""
    ours, theirs = NodeSide(world.nodes[name]), NodeSide(world.nodes[by])
    with world.nodes[name].store.read() as tx:
        peer = tx.get(Peer, theirs.party)
    page = ours.page_after(theirs.party, 0 if peer is None else peer.receipted)
    assert page is not None
    for digest in {item.title.partition("#")[0] for item in page.items}:
        suspend(world.nodes[by], digest, since=None, until=world.at + 120 * MINUTE, officer="officer-1")
    receipt = theirs.take_page(ours.party, page)
    assert receipt.refused
    ours.take_receipt(theirs.party, receipt)


def rich(make_store: Callable[[str], Store] | None = None, period: int = MINUTE) -> World:
    """A history in which something stands in every table of Team A that a deed writes."""
    world = World() if make_store is None else World(make_store=make_store)
    for name, kind, country in ((A, "csirt", "XA"), (B, "csirt", "XB"), (C, "csirt", "XC"), (D, "company", "XA")):
        world.node(name, kind=kind, country=country, period=period)
    a, b = world.nodes[A], world.nodes[B]
    for name, roles in (("Ann", ["release", "admin"]), ("Bob", ["release"]), ("Cid", ["audit"])):
        add_officer(a, name, roles)
        later(world, 1)
    end_officer(a, "Cid", by="officer-1")
    world.introduce(A, B, C, D)
    world.bilateral(A, B)
    world.community(A, B, C)
    hidden = company_to_team(world.parties(A, D), enters_into_force=world.at).replace(
        'source     = "named"', 'source     = "hidden"'
    )
    world.agree(hidden.replace('view       = "without-customer"', 'view       = "full"'), A, D)
    later(world)
    world.take(A, indicator(1), malware(1), relationship(1, str(indicator(1)["id"]), str(malware(1)["id"])), **STATED)
    world.take(A, indicator(2), relationship(2, str(indicator(2)["id"]), str(malware(9)["id"])), **STATED)
    world.take(
        A,
        vendor(),
        indicator(3, created_by_ref=VENDOR, valid_from="2021-03-02T09:41:07Z"),
        tlp="green", basis=["legitimate-interest"], purpose=["protect-networks"], caveats=[],
    )  # fmt: skip
    report = {
        "type": "report",
        "spec_version": "2.1",
        "id": "report--00000000-0000-4000-8000-000000000001",
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "name": "Seen at a victim",
        "description": "The victim is named here",
        "published": "2021-03-02T00:00:00Z",
        "object_refs": [str(indicator(1)["id"]), str(malware(9)["id"])],
    }
    world.take(A, report, tlp="amber", basis=["agreement"], purpose=["situational-awareness"], caveats=[])
    world.take(A, indicator(4), **STATED, embargo=world.at + DAY, retention=world.at + 30 * DAY)
    world.take(A, indicator(5), tlp="red", basis=["agreement"], purpose=["situational-awareness"], caveats=[])
    later(world, 1)
    for officer in ("officer-1", "officer-2"):
        approve(a, str(indicator(5)["id"]), B, officer=officer, reason="asked", until=world.at + 9 * DAY)
    take_in(
        a,
        [Raw(canonical(indicator(6)), original=b"a;b"), Raw(b'{"type":"indicator"}', place="object 2")],
        name="broken.json", format="stix-2.1", digest="cd" * 32, handling=Handling(tlp="green"), minted=False,
        officer="officer-1",
    )  # fmt: skip
    later(world, 1)
    world.sync(A, B, C, D)
    world.take(B, indicator(21), indicator(22), **STATED)
    world.take(C, indicator(31), **STATED)
    hand_in(world, A)
    later(world)
    world.sync(A, B, C, D)
    set_handling(a, str(indicator(2)["id"]), Handling(tlp="red"), officer="officer-1")
    set_handling(a, str(indicator(21)["id"]), Handling(cases=frozenset({"X-1"})), officer="officer-2")
    later(world, 1)
    set_handling(a, "batch:1", Handling(sectors=frozenset({"energy"})), officer="officer-1")
    world.sync(A, B, C, D)
    later(world)
    world.sync(A, B, C, D)
    for other in (B, C):
        prove(world, A, other)
    world.take(A, indicator(7), **STATED)
    refuse(world, A, B)
    later(world)
    world.sync(A, B, C, D)
    later(world, 120)
    world.sync(A, B, C, D)
    mandate(world, A)
    publish(world, A)
    break_promise(world, A, C)
    share_files(world)
    use_nonce(a, b.keys.node.public.keyid, "n0nce", world.at + 5 * MINUTE)
    later(world)
    world.sync(A, B)
    return world


@pytest.fixture(scope="module")
def played() -> World:
    return rich()


def findings(node: Node) -> list[Finding]:
    return list(examine(node))


# --- nobody touched it


def test_a_node_with_a_rich_history_has_something_in_every_table_and_no_finding(played: World) -> None:
    for name, node in played.nodes.items():
        assert findings(node) == [], name
    with played.nodes[A].store.read() as tx:
        assert {kind.__name__ for kind in TABLES if tx.count(kind) == 0} == {
            "Job",
            "TickRow",
            *(kind.__name__ for kind in UNEXAMINED),
        }


def test_no_false_alarm_after_keys_were_rotated_and_agreements_ended() -> None:
    world = rich(period=DAY // 2)  # the log of most of a year, in few ticks
    a = world.nodes[A]
    for use in ("node", "identity"):
        key = SigningKey.from_seed(world._bytes(32, f"{A}/next/{use}"))
        rotate(a, use, key, begins=world.at + 10 * MINUTE, officer="officer-1")
        later(world, 15)
        a = world.nodes[A] = replace(a, keys=replace(a.keys, **{use: key}))
        world.take(A, indicator(40 if use == "node" else 41), **STATED)
        later(world, 90)  # the old key has ended
        world.sync(A, B, C, D)
        for node in world.nodes.values():
            assert findings(node) == []
    change_card(a, {"offices": ("duty-officer", "legal")}, officer="officer-1")
    world.sync(A, B, C)
    with a.store.read() as tx:
        digests = {row.title: row.digest for row in tx.find(AgreementRow)}
    for title, digest in digests.items():
        if "community" in title:
            withdraw(a, digest, effective=None, officer="officer-1")
        else:
            suspend(a, digest, since=None, until=None, officer="officer-1")
    world.take(A, indicator(42), **STATED)
    world.sync(A, B, C, D)
    for days in (1, 29, 31, 200):  # embargo, retention, notice and lease run out
        world.at += days * DAY
        world.sync(A, B, C, D)
        for name, node in world.nodes.items():
            assert findings(node) == [], (name, days)


@pytest.fixture(scope="module")
def restored() -> World:
    """Team A comes back from a backup, and meets the others again."""
    world = rich()
    backup = MemoryStore()
    with world.nodes[A].store.read() as tx, backup.write() as to:
        for kind in TABLES:
            to.add(list(tx.find(kind)))
    world.take(A, indicator(50), **STATED)
    world.take(B, indicator(51), **STATED)
    later(world)
    world.sync(A, B, C, D)
    later(world)
    world.nodes[A] = replace(world.nodes[A], store=backup)
    world.seed += b"/restored"
    reopen(world.nodes[A])
    assert findings(world.nodes[A]) == []
    world.take(A, indicator(52), **STATED)
    for _ in range(2):
        assert findings(world.nodes[A]) == []
        world.sync(A, B, C, D)
        later(world)
    return world


def test_no_false_alarm_after_a_backup_was_restored(restored: World) -> None:
    for name, node in restored.nodes.items():
        assert findings(node) == [], name


def test_no_false_alarm_on_a_database_after_an_import_that_was_cut_off(tmp_path: Path) -> None:
    world = rich(lambda name: open_store(f"sqlite:///{tmp_path / name.replace(' ', '-')}.db"))

    def source() -> Iterator[Raw]:
        yield from (Raw(canonical(indicator(number))) for number in range(60, 1_065))
        raise KeyboardInterrupt

    stated = Handling(
        tlp="green", basis=frozenset({"agreement"}), purpose=frozenset({"protect-networks"}), caveats=frozenset()
    )
    with pytest.raises(KeyboardInterrupt):
        take_in(
            world.nodes[A], source(), name="long", format="stix-2.1", digest="ef" * 32, handling=stated, minted=False
        )
    seen: list[int] = []
    assert list(examine(world.nodes[A], seen.append)) == []
    assert len(seen) > 1 and seen == sorted(seen)
    for node in world.nodes.values():
        node.store.close()


def test_memory_does_not_grow_with_what_is_kept(tmp_path: Path) -> None:
    """One conversation's worth of objects, and four times as many, are examined in about the same memory."""
    peaks: list[int] = []
    for count in (1_500, 6_000):
        world = World(make_store=lambda name, n=count: open_store(f"sqlite:///{tmp_path / name}-{n}.db"))  # type: ignore[misc]
        for name, country in ((A, "XA"), (B, "XB")):
            world.node(name, country=country)
        world.introduce(A, B)
        world.bilateral(A, B)
        world.take(A, *(indicator(number) for number in range(count)), **STATED)
        with world.nodes[A].store.read() as tx:
            assert tx.count(StreamRow) == count
        tracemalloc.start()
        assert findings(world.nodes[A]) == []
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        for node in world.nodes.values():
            node.store.close()
    assert peaks[1] < 1.3 * peaks[0], peaks


# --- somebody changed one field of one row


INSTANTS = {
    "at",
    "since",
    "ended",
    "added",
    "seen",
    "until",
    "touched",
    "expires",
    "embargo",
    "expiry",
    "created",
    "next",
}
JSON = {
    "detail",
    "facets",
    "terms",
    "counts",
    "outcome",
    "hidden",
    "body",
    "page",
    "value",
    "officers",
    "moved",
    "what",
    "verified",
}


def changed(column: str, value: Any, given: Any) -> Any:
    """The value with one digit, one letter or one byte of it altered, still of its form where that can be; `given` where there is none."""
    if value is None:
        return given
    if isinstance(value, int):
        return value + (SECOND if column in INSTANTS else 1)
    if isinstance(value, str):
        return _letter(value)
    if column in JSON or value[:1] == b"{":
        return _letter(value.decode()).encode()
    return value[:-1] + bytes([value[-1] ^ 1]) if value else b"x"


def _letter(text: str) -> str:
    places = [match.start() for match in re.finditer(r"[0-9a-z]", text)]
    if not places:
        return text + "x"
    at = places[len(places) * 2 // 3]
    return (
        text[:at]
        + ("1" if text[at] == "0" else "0" if text[at].isdigit() else "b" if text[at] == "a" else "a")
        + text[at + 1 :]
    )


NAMED: dict[type[Any], Callable[[Any], list[str]]] = {
    Setting: lambda row: [row.name],
    Officer: lambda row: [row.id, row.name],
    Reader: lambda row: [row.party],
    Audit: lambda row: [f"audit {row.n}"],
    Version: lambda row: [row.id, f"version {row.n}"],
    Sealing: lambda row: [f"version {row.version}"],
    Anonymous: lambda row: [row.id, row.object],
    StandIn: lambda row: [f"version {row.version}"],
    Holding: lambda row: [row.object, row.custodian, f"olding {row.h}"],
    Class: lambda row: [f"lass {row.c}"],
    Reference: lambda row: [f"version {row.version}"],
    Value: lambda row: [f"version {row.version}"],
    Batch: lambda row: [f"batch:{row.b}", f"atch {row.b}"],
    Refused: lambda row: [f"batch:{row.batch}"],
    HandlingRow: lambda row: [row.target, f"statement {row.s}"],
    FileRow: lambda row: [row.root, row.root[:16]],
    Chunk: lambda row: [row.file[:16], "hunks are kept"],
    Attachment: lambda row: [row.object, row.file],
    Handed: lambda row: [row.party, row.object],
    Party: lambda row: [row.id],
    CardRow: lambda row: [row.party],
    AgreementRow: lambda row: [row.digest],
    Instrument: lambda row: [row.digest],
    Grant: lambda row: [row.party],
    Job: lambda row: [f"job {row.j}"],
    Approval: lambda row: [row.object, f"approval {row.a}"],
    StreamRow: lambda row: [row.object, row.party, f"ow {row.n} of the stream"],
    ControlRow: lambda row: [row.party],
    Delivery: lambda row: [row.party],
    Received: lambda row: [row.party],
    Answer: lambda row: [row.delivery],
    Peer: lambda row: [row.party],
    Status: lambda row: [row.id],
    Submission: lambda row: [row.object],
    ActRow: lambda row: [row.digest, "tick "],
    TickRow: lambda row: [f"tick {row.tick}"],
    Tile: lambda row: [f"ile {row.level}/{row.index}", "tick "],
    CheckpointRow: lambda row: [f"checkpoint {row.size}", row.party],
    PromiseRow: lambda row: [row.act],
    Evidence: lambda row: [row.digest],
    Nonce: lambda row: [row.keyid],
    Publication: lambda row: [row.id],
    MandateRow: lambda row: [row.id],
}
"""By what a finding about a row may name it."""


def alter(store: Store, kind: type[Any], row: Any, column: str) -> Any:
    """Change one column of one row by hand; gives the row as it is now, None where the change cannot be made."""
    value = getattr(row, column)
    plain = next(one.kind for one in columns(kind) if one.name == column)
    begun = next((found for one in ("at", "since", "added") if (found := getattr(row, one, None)) is not None), 0)
    given = {int: begun + SECOND if column in INSTANTS else 1, str: "x", bytes: b"x"}[plain]
    for _ in range(200):
        value = changed(column, value, given)
        into = replace(row, **{column: value})
        with store.read() as tx:
            if column in TABLES[kind].key and tx.get(kind, *key(kind, into)) is not None:
                continue
        put(store, kind, row, into)
        return into
    return None


def put(store: Store, kind: type[Any], out: Any, into: Any) -> None:
    with store.write() as tx:
        tx.remove(kind, *key(kind, out))
        tx.add([into])


def key(kind: type[Any], row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in TABLES[kind].key)


def some_rows(store: Store, kind: type[Any]) -> list[Any]:
    """Rows of a table from its beginning, its middle and its end."""
    with store.read() as tx:
        rows = list(tx.find(kind))
    return list(dict.fromkeys([rows[0], rows[len(rows) // 2], rows[-1]])) if rows else []


def names(node: Node, kind: type[Any], row: Any, column: str) -> bool | None:
    """Whether the doctor names a row after one of its columns was changed; None where it could not be changed."""
    into = alter(node.store, kind, row, column)
    if into is None:
        return None
    words = {word for one in (row, into) for word in NAMED[kind](one)}
    try:
        return any(word in found.what or word in found.sentence for found in examine(node) for word in words)
    finally:
        put(node.store, kind, into, row)


SILENT = {
    (Officer, "token"), (Reader, "token"), (Audit, "officer"), (Version, "original"),
    (Refused, "place"), (Refused, "object"), (Refused, "sentence"), (Refused, "raw"), (Grant, "since"),
    (Peer, "url"), (Peer, "control"), (Peer, "attempts"), (Peer, "next"),
    (Peer, "error"), (Peer, "dead"), (Status, "body"), (Submission, "added"), (PromiseRow, "at"), (Nonce, "nonce"),
    (Nonce, "expires"), (Job, "j"), (FileRow, "touched"),
}  # fmt: skip
"""Columns of `UNTOLD` of which no change is told in any row of this history; of the others of `UNTOLD` some are."""

EXAMINED = [kind for kind in TABLES if kind not in UNEXAMINED]
COLUMNS = [(kind, column.name) for kind in EXAMINED for column in columns(kind)]


@pytest.fixture(scope="module")
def whole(played: World) -> Node:
    """The history's node, with a row by hand in the tables that no deed leaves one in."""
    node = played.nodes[A]
    with node.store.write() as tx:
        facts = log_facts(tx)
        acts = {row.place: act_leaf(row.salt, row.envelope) for row in tx.find(ActRow, order=("tick", "place"), tick=0)}
        tx.add([TickRow(0, inner_root(acts, log_secret(node, facts), 0))])
        tx.add([Job(1, played.nodes[D].party, canonical({"classes": [1]}), played.at)])
    assert findings(node) == []
    return node


@pytest.mark.parametrize(("kind", "column"), COLUMNS, ids=[f"{TABLES[kind].name}-{name}" for kind, name in COLUMNS])
def test_one_field_changed_by_hand_is_named(whole: Node, kind: type[Any], column: str) -> None:
    told = [names(whole, kind, row, column) for row in some_rows(whole.store, kind)]
    tried = [one for one in told if one is not None]
    if (kind, column) in SILENT:
        assert column in UNTOLD[kind] and not any(tried)
    elif column in UNTOLD.get(kind, {}):
        assert any(tried)
    else:
        assert tried and all(tried)


@pytest.mark.parametrize("kind", EXAMINED, ids=[TABLES[kind].name for kind in EXAMINED])
def test_a_row_taken_out_is_missed(whole: Node, kind: type[Any]) -> None:
    rows = some_rows(whole.store, kind)
    if kind is Setting:  # most only say where work goes on
        with whole.store.read() as tx:
            rows = [tx.get(Setting, "log-size")]
    found = [missed(whole, kind, row) for row in rows]
    assert any(found) == (kind not in FORGOTTEN), found


def missed(node: Node, kind: type[Any], row: Any) -> list[Finding]:
    """What the doctor finds while a row is out."""
    with node.store.write() as tx:
        tx.remove(kind, *key(kind, row))
    try:
        return findings(node)
    finally:
        with node.store.write() as tx:
            tx.add([row])


FORGOTTEN = {Nonce, Job, TickRow, PromiseRow, Refused, CheckpointRow}
"""Tables from which a row may go, or of which nothing else tells that one was there."""


def test_every_table_is_examined_or_says_why_not() -> None:
    text = doctor.__doc__ or ""
    told = re.findall(r"^    ([a-z_]+)(?: +\S|$)", text, re.M)
    assert sorted(told) == sorted(table.name for table in TABLES.values())
    for kind, reasons in UNTOLD.items():
        assert set(reasons) <= {field.name for field in fields(kind)}
        assert all(reasons.values())


def test_every_setting_and_every_deed_the_code_notes_is_known_to_the_doctor() -> None:
    written: set[str] = set()
    noted: set[str] = set()
    for path in SRC.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            place = {"put_setting": 1, "audit": 0}.get(name)
            if place is None or len(call.args) <= place:
                continue
            word = call.args[place]
            parts = word.values if isinstance(word, ast.JoinedStr) else [word]
            first = parts[0].value if isinstance(parts[0], ast.Constant) else None
            if isinstance(first, str):
                (written if name == "put_setting" else noted).add(first if len(parts) == 1 else first.rstrip("/"))
    assert {"log", "closed", "page"} <= written <= set(SETTINGS)
    papers = {one for one in LEFT if one.startswith("agreement-")}  # named after the kind of the paper
    assert {"import", "card-add"} <= set(LEFT) - papers <= noted


def test_what_a_restored_node_keeps_of_its_ended_log_is_examined_too(restored: World) -> None:
    for name, prefix, kind in (
        (A, "closed/", Setting), (A, "aligned/", Setting), (A, "log-size", Setting), (A, "log", Setting),
        (A, "known/", Setting), (A, "origins/", Setting), (A, "shown/", Setting), (A, "page/", Setting),
        (B, "gap/", Setting), (B, "log/", Setting), (B, "receipt/", Setting),
    ):  # fmt: skip
        node = restored.nodes[name]
        with node.store.read() as tx:
            rows = [row for row in tx.find(kind) if row.name.startswith(prefix)]
        assert rows and all(names(node, Setting, row, "value") for row in rows), prefix
    node = restored.nodes[A]
    with node.store.read() as tx:
        ended = [row for row in tx.find(ActRow) if row.tick < 0][-2:]
        tiles = [row for row in tx.find(Tile) if row.level]
        notes = list(tx.find(CheckpointRow, party=node.party))[:2]
    for kind, rows, some in ((ActRow, ended, ("place", "salt", "envelope", "seq")), (Tile, tiles, ("hashes", "index"))):
        for row in rows:
            for column in some:
                assert names(node, kind, row, column), (kind, column)
    for row in notes:
        assert names(node, CheckpointRow, row, "note")
