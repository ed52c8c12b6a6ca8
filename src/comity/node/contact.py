"""Contacts: one conversation with one peer over some carrier, and the tending of all that is due, each peer by itself.

A peer that does not answer is tried again later with growing pauses, and after many attempts is left as a dead letter for an
officer to look at; one bad peer delays nobody. Nothing is lost by a contact that breaks off: the cursors are in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from comity.kernel.errors import ComityError, InputRefused, NotFound, RequestRefused, Usage
from comity.kernel.exchange.messages import Turn, decode, encode
from comity.kernel.exchange.retry import Attempts
from comity.kernel.exchange.session import Session, absorb, outbound
from comity.kernel.seal.cards import Card, Endpoint, verify_chain
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Answer, ControlRow, Party, Peer, StreamRow
from comity.kernel.tlog.checkpoint import read_checkpoint
from comity.node.agreements import receivers
from comity.node.attachments.keeping import sweep
from comity.node.context import Node, put_setting, read_setting
from comity.node.deeds import deed
from comity.node.exchange import NodeSide, peer_row
from comity.node.parties import card_of, name_of, need_card, read_card_file, resolve_party
from comity.node.proofs import collect, take_proof
from comity.node.quotas import held_up, spend
from comity.node.restoring import begin_stream
from comity.node.streams import issue, plan, world_for


class Client(Protocol):
    """A peer as a carrier reaches it."""

    def turn(self, turn: bytes, *, objects: bool) -> bytes: ...
    def card(self) -> bytes: ...
    def checkpoint(self) -> bytes: ...
    def proof(self, act: str) -> bytes: ...
    def attachment(self, ask: bytes) -> bytes: ...
    def close(self) -> None: ...


Connect = Callable[[Node, Card, bool], Client]


@dataclass(frozen=True, slots=True)
class Contact:
    """What came of a contact: why it ended, turns made, rows handed over and rows taken."""

    party: str
    stop: str
    turns: int
    delivered: int
    taken: int

    def as_json(self) -> dict[str, Any]:
        """All of it by name."""
        return {
            "party": self.party,
            "stop": self.stop,
            "turns": self.turns,
            "delivered": self.delivered,
            "taken": self.taken,
        }


def converse(node: Node, peer: str, client: Client, progress: Callable[[int, int], None] | None = None) -> Contact:
    """Exchange in both directions until nothing is left.

    Args:
        progress: Called with rows delivered and rows taken after each turn.

    Raises:
        Unavailable: the peer does not answer. PeerFault: it refused, or cannot be believed.
    """
    session = Session(NodeSide(node), peer)
    turns = 0
    start = _cursors(node, peer)
    while (turn := session.next()) is not None:
        session.take(decode(client.turn(encode(turn), objects=turn.page is not None)))
        turns += 1
        if progress is not None:
            receipted, objects = _cursors(node, peer)
            progress(receipted - start[0], objects - start[1])
    if session.later is not None:
        raise session.later
    receipted, objects = _cursors(node, peer)
    assert session.stop is not None, "a session without a next turn has stopped"
    return Contact(peer, session.stop.value, turns, receipted - start[0], objects - start[1])


def _cursors(node: Node, peer: str) -> tuple[int, int]:
    with node.store.read() as tx:
        row = peer_row(tx, peer)
        return row.receipted, row.objects


def contact(
    node: Node,
    peer: str,
    connect: Connect,
    *,
    allow_private: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Contact:
    """Call a peer, ask for some of the proofs it owes us, and note how it went.

    Raises:
        ComityError: as `converse` and, for a promise it broke, `collect`, after the attempt was counted.
    """
    with node.store.read() as tx:
        card = peer_card(tx, peer)
    try:
        client = connect(node, card, allow_private)
        try:
            done = converse(node, peer, client, progress)
            collect(node, peer, client.proof)
        finally:
            client.close()
    except ComityError as fault:
        _failed(node, peer, fault)
        raise
    with deed(node) as work:
        work.tx.put(replace(peer_row(work.tx, peer), attempts=0, next=0, error=None, dead=0))
    sweep(node)
    return done


def peer_card(tx: Reading, peer: str) -> Card:
    """The card of a peer, with the address an officer noted for it in place of the first it names; the TLS key stays.

    Without such a note only addresses with a TLS key count: what answers there has shown the key before a byte is sent.

    Raises:
        NotFound: `no-such-party`.
    """
    card, url = need_card(tx, peer), peer_row(tx, peer).url
    if not url:
        # a peer's word alone must not make us send anything in clear to an address of this machine
        secured = tuple(one for one in card.endpoints if one.tls_spki is not None)
        return replace(card, endpoints=secured)
    pin = card.endpoints[0].tls_spki if card.endpoints and url.startswith("https://") else None
    return replace(card, endpoints=(Endpoint(url, pin), *card.endpoints))


def ping(node: Node, text: str, connect: Connect, stopwatch: Callable[[], float]) -> dict[str, Any]:
    """Ask a peer for its card and checkpoint; nothing is exchanged.

    Args:
        stopwatch: Gives seconds, of which two readings tell how long its answer took.

    Returns:
        {party, name, url, milliseconds, serial, log, newer}: the size of its log, 0 before the first tick is over, and whether its
        card is newer than the one that is known here.

    Raises:
        RequestRefused: `request-addressee` where another party answers. ComityError: as `peer_card`, and what the client raises.
    """
    with node.store.read() as tx:
        row = resolve_party(tx, text)
        card = peer_card(tx, row.id)
    client = connect(node, card, True)
    try:
        begun = stopwatch()
        theirs = verify_chain(read_card_file(client.card()))
        took = stopwatch() - begun
        try:
            size = read_checkpoint(client.checkpoint()).size
        except NotFound:
            size = 0
    finally:
        client.close()
    if theirs.party != row.id:
        raise RequestRefused("request-addressee", f"{theirs.name} answers there, not {row.name}; check the address.")
    return {
        "party": row.id,
        "name": row.name,
        "url": card.endpoints[0].url,
        "milliseconds": round(took * 1000, 1),
        "serial": theirs.serial,
        "log": size,
        "newer": theirs.serial > card.serial,
    }


def reachable(node: Node, text: str | None = None) -> list[tuple[str, str]]:
    """Id and name of the party that is named, or of every one that names an address and was verified or is an agreement's party.

    Raises:
        NotFound: `no-such-party`, `no-endpoint` where there is none. Usage: `ambiguous-name` for our own party.
    """
    with node.store.read() as tx:
        if text is not None:
            row = resolve_party(tx, text)
            if row.id == node.party:
                raise Usage("ambiguous-name", f"{row.name} is our own party; name another.")
            return [(row.id, name_of(tx, row.id))]
        partners = set(receivers(tx, node.party))
        found = []
        for row in tx.find(Party):
            card = card_of(tx, row.id) if row.id != node.party else None
            if card is None or (row.verified is None and row.id not in partners):
                continue
            if card.endpoints or peer_row(tx, row.id).url:
                found.append((row.id, name_of(tx, row.id)))
    if not found:
        raise NotFound(
            "no-endpoint", "No other party with an address is known here; comity card add FILE makes one known."
        )
    return found


def call_peer(node: Node, text: str, url: str | None, *, officer: str) -> dict[str, Any]:
    """Note how a peer is called from here; gives {party, name, url, verified}.

    Args:
        url: The address; an empty one goes back to its card, None leaves what stands.

    Raises:
        Usage: `peer-url`. NotFound: `no-such-party`.
    """
    if url and not url.startswith(("https://", "http://")):
        raise Usage("peer-url", f"{url!r} is no address; write it as https://cert.example:8443.")
    with node.store.read() as tx:
        row = resolve_party(tx, text)
        card = need_card(tx, row.id)
    if url is not None:
        note_url(node, row.id, url, officer=officer)
    address = url or (card.endpoints[0].url if card.endpoints else None)
    return {"party": row.id, "name": row.name, "url": address, "verified": row.verified is not None}


def note_url(node: Node, peer: str, url: str, *, officer: str) -> None:
    """Note under which address a peer is called from here; an empty one goes back to its card."""
    with deed(node, officer) as work:
        work.tx.put(replace(peer_row(work.tx, peer), url=url.rstrip("/"), attempts=0, next=0, dead=0))
        work.audit("peer-add", {"party": peer, "url": url})


def _failed(node: Node, peer: str, fault: ComityError) -> None:
    with deed(node) as work:
        row = peer_row(work.tx, peer)
        chance = int.from_bytes(node.random(4, f"retry/{peer}"), "big") / 2**32
        after = _attempts(row).failed(fault, work.at, chance)
        work.tx.put(replace(row, attempts=after.failures, next=after.next, error=fault.sentence, dead=int(after.dead)))


def _attempts(row: Peer) -> Attempts:
    return Attempts(failures=row.attempts, next=row.next, error=row.error, dead=bool(row.dead))


def retry(node: Node, peer: str) -> None:
    """Try a dead or waiting peer again at the next occasion, and give it again what it refused and may still have."""
    with deed(node) as work:
        work.tx.put(replace(peer_row(work.tx, peer), attempts=0, next=0, dead=0))
        over = [
            row.version for row in work.tx.find(StreamRow, party=peer) if row.ended == row.n and row.kind != "withdrawn"
        ]
        world = world_for(work.tx, node.party, peer, work.at)
        issue(work, world, plan(world, over))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is due to a party, and how it stands with it."""

    party: str
    name: str
    control: int
    objects: int
    attempts: int
    next: int
    error: str | None
    dead: bool
    quota: str | None
    """What the party is told where it has sent as much as it may today."""


def outbox(tx: Reading, us: str) -> list[Outgoing]:
    """For each party we exchange with: items and rows that it has not acknowledged, attempts, the last error."""
    found = []
    for row in tx.find(Party):
        if row.id == us or not row.card:
            continue
        peer = peer_row(tx, row.id)
        control = (tx.last(ControlRow, "n", party=row.id) or 0) - peer.acknowledged
        objects = (tx.last(StreamRow, "n", party=row.id) or 0) - peer.receipted
        found.append(
            Outgoing(
                party=row.id,
                name=name_of(tx, row.id),
                control=control,
                objects=objects,
                attempts=peer.attempts,
                next=peer.next,
                error=peer.error,
                dead=bool(peer.dead),
                quota=held_up(tx, row.id),
            )
        )
    return found


def tend(node: Node, connect: Connect, *, allow_private: bool = True) -> list[Contact]:
    """Advance, then call every peer with which something is due and whose time has come; errors are noted, not raised."""
    with deed(node) as work:
        now = work.at
    with node.store.read() as tx:
        partners = set(receivers(tx, node.party))
        due = [
            one.party
            for one in outbox(tx, node.party)
            if (one.control > 0 or one.objects > 0)
            and not one.dead
            and one.next <= now
            and one.party in partners
            and _callable(tx, one.party)
        ]
    done = []
    for party in due:
        try:
            done.append(contact(node, party, connect, allow_private=allow_private))
        except (ComityError, OSError):
            continue
    return done


def _callable(tx: Reading, party: str) -> bool:
    card = card_of(tx, party)
    return card is not None and bool(card.endpoints or peer_row(tx, party).url)


def turns_for(node: Node, peer: str) -> Iterator[bytes]:
    """All that is due to a peer as turns that need no answer, for a pack carried by hand.

    Receipts we owe travel along: those for every delivery of the peer's that came by hand since the last pack.
    """
    side = NodeSide(node)
    with deed(node) as work:
        begin_stream(work, peer)
    with node.store.read() as tx:
        row = peer_row(tx, peer)
        start: int = read_setting(tx, f"owed/{peer}", 0)
        answers = [one for one in tx.find(Answer) if one.party == peer and one.taken > start]
        receipts = tuple(side.receipt(tx, one) for one in answers)[-64:]
    for turn in outbound(side, peer, control=row.acknowledged, objects=row.receipted, receipts=receipts):
        yield encode(turn)


def take_turn(node: Node, peer: str, data: bytes, *, pack: str) -> Turn:
    """Take one turn that came in a pack and note durably that it was taken.

    Raises:
        PeerFault: where the turn cannot be believed; nothing of it is noted. Unavailable: `peer-quota`.
    """
    turn = decode(data)
    if taken_of_pack(node, pack) == 0:
        with deed(node) as work:
            spend(work, peer, packs=1)
    absorb(NodeSide(node), peer, turn)
    with deed(node) as work:
        put_setting(work.tx, f"pack/{pack}", int(read_setting(work.tx, f"pack/{pack}", 0)) + 1)
    return turn


def take_pack(node: Node, turns: Iterable[tuple[str, str, bytes]], told: Callable[[int], None]) -> dict[str, Any]:
    """Take in the turns of a pack, each noted as it is taken; one that was taken before is no fault.

    Args:
        turns: (pack id, sender, encoded turn), those that were not taken yet.
        told: Called with how many turns are taken after each.

    Returns:
        {turns, rows, from}: the sender None where nothing was left to take.

    Raises:
        ComityError: what the pack's reader raises; PeerFault: where a turn cannot be believed.
    """
    done, rows, sender = 0, 0, None
    try:
        for pack, sender, data in turns:
            turn = take_turn(node, sender, data, pack=pack)
            rows += 0 if turn.page is None else len(turn.page.items)
            done += 1
            told(done)
    except InputRefused as fault:
        if fault.code != "pack-replayed":
            raise
    sweep(node)
    return {"turns": done, "rows": rows, "from": sender}


def fetch_proofs(node: Node, party: str, acts: Iterable[str], connect: Connect) -> int:
    """Ask a party's node for the proofs of these acts and keep those that are due; gives how many are here now.

    Raises:
        ComityError: what the client raises. LogFault: as `comity.node.proofs.collect`.
    """
    with node.store.read() as tx:
        card = peer_card(tx, party)
    client = connect(node, card, True)
    try:
        return sum([take_proof(node, party, act, client.proof(act)) for act in acts])
    finally:
        client.close()


def taken_of_pack(node: Node, pack: str) -> int:
    """How many turns of a pack were taken before."""
    with node.store.read() as tx:
        return int(read_setting(tx, f"pack/{pack}", 0))
