"""Promise 1: for any reader, every answer is the same whether or not objects that it may not see exist.

The same history is played twice: once whole, once without every copy of every object that the reader may not see at any time
(what is said of such an object goes with it). Every answer of every route is then compared byte for byte, after each hash,
signature, nonce and random id was replaced by the number of its first appearance. `asking.ROUTES` is the table of all there is to
ask; a route of the application, or a member of a message, without a row fails the first tests; a leak put into any face turns the
comparison red, which the last tests hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings

from comity.adapters.sql import open_store
from comity.faces.http.app import create_app
from comity.kernel.errors import NotFound
from comity.kernel.exchange import messages
from comity.kernel.store.ports import Store
from comity.kernel.store.rows import ActRow, Holding, StreamRow, Version
from comity.node import exchange, search, taxii
from property import asking, histories
from property.asking import ROUTES, SAID, ask, routes_of
from property.histories import FREE, A, B, C, Clause, History, Life, Pact, Played, Sync, Take, Thing, play
from property.normal import Normal
from property.seen import Watch
from simulators.teams import config

EVERYTHING = ("indicator", "malware", "relationship", "report", "sighting")


def pact(*members: str) -> Pact:
    """An agreement under which everything green goes."""
    return Pact(members, (Clause("permit", ("members",), ("members",), EVERYTHING, ("clear", "green")),))


X = Thing("indicator", 1)
SECRET = dataclasses.replace(FREE, tlp="red")

SAME_OBJECT_FROM_ANOTHER = History(
    (pact(A, B), pact(A, C)), (Take(C, (X,), FREE), Sync(C, A), Take(A, (X,), FREE), Sync(A, B))
)
"""Its bytes and its seal are not lent to the copy that the reader gets."""
SAME_OBJECT_WRITTEN_OTHERWISE = History(
    (pact(A, B), pact(A, C)),
    (Take(C, (dataclasses.replace(X, spaces=True),), FREE), Sync(C, A), Take(A, (X,), FREE), Sync(A, B)),
)
MOVES_THE_EDGE = History(
    (pact(A, B),),
    (
        Take(
            A,
            (
                dataclasses.replace(Thing("indicator", 2), marking="red"),
                Thing("sighting", 1, (X.id,)),
                Thing("malware", 1),
                X,
            ),
            FREE,
        ),
        Sync(A, B),
    ),
)
"""What is hidden moves the place where one chunk of the import ends: with it, the sighting comes before the malware it is beside."""
HIDDEN = History(
    (pact(A, B), pact(A, C)),
    (
        Take(A, (X, Thing("malware", 1), Thing("report", 1, (X.id, Thing("malware", 2).id))), FREE),
        Take(A, (Thing("indicator", 2), Thing("malware", 2), dataclasses.replace(X, version=1)), SECRET),
        Take(C, (Thing("indicator", 0), Thing("malware", 0, (X.id,))), FREE),
        Sync(C, A),
        Sync(A, B),
        Take(A, (Thing("relationship", 1, (X.id, Thing("malware", 2).id)),), FREE),
        Life("resume", A, 0),
        Sync(B, A),
    ),
)
"""Objects, a newer version, references and another party's objects that the reader may not see."""


def answers(history: History, played: Played) -> dict[str, list[str]]:
    """Every answer of every route, as it is compared."""
    normal = Normal()
    return {name: [normal(answer) for answer in route] for name, route in ask(history, played).items()}


def left_out(history: History, **more: Any) -> tuple[Played, set[tuple[int, int]], Watch]:
    """The history whole, which of its things the reader may not see, and what was watched."""
    watch = Watch(B)
    whole = play(history, after=watch, **more)
    hidden = {
        (number, j)
        for number, event in enumerate(history.events)
        for j in range(len(getattr(event, "things", ())))
        if not watch.of(whole, event, j)
    }
    return whole, hidden, watch


def both(history: History, **more: Any) -> tuple[Played, Played, int]:
    """The history whole and without what the reader may not see; and how many things that were."""
    whole, hidden, watch = left_out(history, **more)
    poorer = play(history, kept=lambda number, j: (number, j) not in hidden, spoken=watch.words, **more)
    return whole, poorer, len(hidden)


def compare(history: History, **more: Any) -> int:
    """Hold the two worlds equal; how many things the reader may not see."""
    whole, poorer, hidden = both(history, **more)
    one, other = answers(history, whole), answers(history, poorer)
    for name in one:
        assert one[name] == other[name], name
    return hidden


# --- the table is whole


def test_every_route_of_the_application_has_a_row() -> None:
    app = create_app(histories.begin().nodes[A], config())
    assert routes_of(app) - ROUTES.keys() == set(), "a new route needs a row in asking.ROUTES"
    assert ROUTES.keys() - routes_of(app) == set(), "a row for a route that is gone"


def test_every_member_of_every_message_is_compared() -> None:
    kinds = [
        messages.Turn,
        messages.Greeting,
        messages.ControlPage,
        messages.ControlItem,
        messages.Page,
        messages.ObjectItem,
        messages.Receipt,
        messages.Refusal,
    ]
    named = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert named - SAID == set()


def test_every_carrier_answers_with_what_a_side_says() -> None:
    """What a peer can get out of a node in a conversation are the answers of these methods."""
    said = {name for name in vars(exchange.NodeSide) if not name.startswith("_") and name not in ("node", "party")}
    assert said == {
        "greeting",
        "take_greeting",
        "control_after",
        "take_control",
        "page_after",
        "take_page",
        "take_receipt",
        "receipt",
    }


# --- the promise


@settings(settings.get_profile("worlds"))
@given(histories.histories(lossy=(B,)))
@example(SAME_OBJECT_FROM_ANOTHER)
@example(SAME_OBJECT_WRITTEN_OTHERWISE)
@example(MOVES_THE_EDGE)
@example(HIDDEN)
def test_a_reader_cannot_tell_whether_what_it_may_not_see_exists(history: History) -> None:
    compare(history)


@settings(settings.get_profile("durable"))
@given(histories.histories(lossy=(B,)))
@example(SAME_OBJECT_FROM_ANOTHER)
@example(SAME_OBJECT_WRITTEN_OTHERWISE)
@example(MOVES_THE_EDGE)
@example(HIDDEN)
def test_the_same_holds_over_sqlite(history: History) -> None:
    made: list[Store] = []
    with TemporaryDirectory() as folder:

        def store(name: str) -> Store:
            made.append(open_store(f"sqlite:///{folder}/{len(made)}.db"))
            return made[-1]

        try:
            compare(history, make_store=store)
        finally:
            for one in made:
                one.close()


# --- a leak is noticed


def _count(tx: Any) -> int:
    return int(tx.count(Version))


def _greeting_counts(patch: pytest.MonkeyPatch) -> None:
    true = exchange.NodeSide.greeting

    def leaky(self: exchange.NodeSide, peer: str) -> messages.Greeting:
        with self.node.store.read() as tx:
            return dataclasses.replace(true(self, peer), extra={"objects": _count(tx)})

    patch.setattr(exchange.NodeSide, "greeting", leaky)


def _rows_are_numbered_for_all(patch: pytest.MonkeyPatch) -> None:
    true = exchange.NodeSide._item

    def leaky(self: exchange.NodeSide, *args: Any, **more: Any) -> messages.ObjectItem:
        item = true(self, *args, **more)
        with self.node.store.read() as tx:
            return dataclasses.replace(item, hidden=item.hidden + _count(tx))

    patch.setattr(exchange.NodeSide, "_item", leaky)


def _promises_tell_of_other_acts(patch: pytest.MonkeyPatch) -> None:
    true = exchange.NodeSide.control_after

    def leaky(self: exchange.NodeSide, peer: str, n: int, limit: int) -> messages.ControlPage:
        with self.node.store.read() as tx:
            return dataclasses.replace(true(self, peer, n, limit), extra={"acts": tx.count(ActRow) + _count(tx)})

    patch.setattr(exchange.NodeSide, "control_after", leaky)


def _taxii_says_more(patch: pytest.MonkeyPatch) -> None:
    true = taxii.page

    def leaky(node: Any, tx: Any, *args: Any, **more: Any) -> taxii.Entries:
        found = true(node, tx, *args, **more)
        return dataclasses.replace(found, more=bool(found.entries) and _count(tx) > 5)

    for module in (taxii, __import__("comity.faces.taxii.routes", fromlist=["page"])):
        if hasattr(module, "page"):
            patch.setattr(module, "page", leaky)


def _taxii_dates_count_all(patch: pytest.MonkeyPatch) -> None:
    true = taxii._Outbox.after

    def leaky(self: Any, added: int, limit: int) -> list[StreamRow]:
        more = self.tx.count(Holding)
        return [dataclasses.replace(row, added=row.added + more) for row in true(self, added, limit)]

    patch.setattr(taxii._Outbox, "after", leaky)


def _a_hidden_object_is_forbidden_and_not_absent(patch: pytest.MonkeyPatch) -> None:
    true = taxii.need_object

    def leaky(node: Any, tx: Any, party: str, name: str, object_id: str) -> None:
        try:
            true(node, tx, party, name, object_id)
        except NotFound as absent:
            if next(iter(tx.find(Version, id=object_id)), None) is not None:
                raise NotFound("no-such-object", "This object is not for you.") from absent
            raise

    for module in (taxii, __import__("comity.faces.taxii.routes", fromlist=["need_object"])):
        if hasattr(module, "need_object"):
            patch.setattr(module, "need_object", leaky)


def _search_looks_at_all(patch: pytest.MonkeyPatch) -> None:
    true = search.search
    patch.setattr(asking, "search", lambda tx, text, *, us, for_party, limit: true(tx, text, us=us, limit=limit))


def _export_gives_superseded_rows_of_all(patch: pytest.MonkeyPatch) -> None:
    def leaky(tx: Any, party: str, **more: Any) -> Iterator[bytes]:
        for row in tx.find(Version):
            yield row.raw

    patch.setattr(asking, "given_objects", leaky)


def _proof_tells_of_the_tick(patch: pytest.MonkeyPatch) -> None:
    from comity.faces.http import exchange as served

    true = served.proof_of

    def leaky(node: Any, tx: Any, *args: Any) -> dict[str, Any]:
        return {**true(node, tx, *args), "held": _count(tx)}

    patch.setattr(served, "proof_of", leaky)


LEAKS: dict[str, tuple[str, Callable[[pytest.MonkeyPatch], None]]] = {
    "greeting": ("conversation", _greeting_counts),
    "rows": ("conversation", _rows_are_numbered_for_all),
    "control": ("conversation", _promises_tell_of_other_acts),
    "taxii pages": ("GET /taxii2/api/collections/{name:str}/objects", _taxii_says_more),
    "taxii manifest": ("GET /taxii2/api/collections/{name:str}/manifest", _taxii_dates_count_all),
    "taxii object": (
        "GET /taxii2/api/collections/{name:str}/objects/{object_id:str}",
        _a_hidden_object_is_forbidden_and_not_absent,
    ),
    "search": ("search", _search_looks_at_all),
    "export": ("export --to", _export_gives_superseded_rows_of_all),
    "proof": ("GET /comity/1/proof/{act:str}", _proof_tells_of_the_tick),
}


@pytest.mark.parametrize("leak", list(LEAKS))
def test_a_leak_put_into_a_face_is_noticed(leak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    route, put = LEAKS[leak]
    put(monkeypatch)
    whole, poorer, hidden = both(HIDDEN)
    assert hidden > 0
    assert answers(HIDDEN, whole)[route] != answers(HIDDEN, poorer)[route]


@pytest.mark.parametrize(
    "name", ["GET /api/v1/status", "GET /api/v1/objects", "GET /comity/1/checkpoint", "GET /taxii2"]
)
def test_one_byte_more_in_any_answer_is_noticed(name: str) -> None:
    """The comparison itself: what differs in one byte, one header or the order of two answers is not the same."""
    whole, _, _ = both(HIDDEN)
    told = ask(HIDDEN, whole)
    one = [Normal()(answer) for answer in told[name]]
    assert one != [Normal()(answer + b" ") for answer in told[name]]
    assert one != [Normal()(answer) for answer in reversed(told[name])]
