"""Our side of a conversation with another node: what it is sent, what it gives, and the signed answers to both.

Each method is one transaction and may be called again without harm (`comity.kernel.exchange.session.Side`). A page that cannot be
believed is refused whole; an object in it that cannot be taken is refused alone, in the receipt, with code and sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from comity.kernel.errors import ComityError, InputRefused, LogFault, PeerFault, RequestRefused, SealBroken, Unavailable
from comity.kernel.exchange.messages import (
    NEWEST,
    Consistency,
    ControlItem,
    ControlPage,
    Greeting,
    ObjectItem,
    Page,
    Receipt,
    Refusal,
    check_receipt,
    next_items,
    next_rows,
)
from comity.kernel.model.instants import HOUR, parse
from comity.kernel.model.objects import read_object
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.seal.seals import VerifiedSeal, claimed
from comity.kernel.seal.views import Withheld
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import (
    ActRow,
    Answer,
    Batch,
    ControlRow,
    Delivery,
    Holding,
    Peer,
    Received,
    StreamRow,
    Version,
)
from comity.kernel.tlog.acts import act_digest, open_act
from comity.kernel.tlog.promises import open_promise
from comity.kernel.tlog.rows import Row, page_root
from comity.node.agreements import clauses_in_force, gives, member_under, waits_for_papers
from comity.node.attachments.keeping import take_disposal
from comity.node.attributed import claimants, originator_of, verified_with
from comity.node.casework.papers import KIND as CASE
from comity.node.casework.taking import ask_again, take_case
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.deeds import deed
from comity.node.gossip import keep_promise, known_size, learn_known, note_checkpoint, seen_of
from comity.node.instruments import keep_proof, take_control_item
from comity.node.objects import Incoming, keep, read_terms
from comity.node.papers import append_control
from comity.node.parties import card_of, clients_of, need_card, node_keys
from comity.node.proving import keep_page
from comity.node.quotas import count_refused, spend
from comity.node.record import consistency, log_facts, newest_checkpoint, promise, record
from comity.node.restoring import align, note_life, waits
from comity.node.streams import operative, settle
from comity.node.views import Seals, Shown, disclosed, show_row

PAGE_ROWS: Final = 1_024
PAGE_BYTES: Final = 8 << 20
"""A page ends early rather than grow beyond this many bytes of objects."""


@dataclass(frozen=True, slots=True)
class NodeSide:
    """`Side` over a node's store."""

    node: Node

    @property
    def party(self) -> str:
        """Our party id."""
        return self.node.party

    # --- who and how far

    def greeting(self, peer: str) -> Greeting:
        """Our cursors, our newest checkpoint with its consistency to what the peer knows, and checkpoints we hold."""
        with deed(self.node) as work:
            row = peer_row(work.tx, peer)
            facts = log_facts(work.tx)
            newest = newest_checkpoint(work.tx)
            known = known_size(work.tx, peer, facts.origin)
            proof = None
            if newest is not None and 0 < known < newest.size:
                proof = Consistency(known, consistency(work.tx, known, newest.size))
            return Greeting(
                feature=NEWEST.level,
                sender=self.party,
                to=peer,
                at=work.at,
                have_control=row.control,
                have_objects=row.objects,
                receipted=row.receipted,
                checkpoint=None if newest is None else newest.note,
                consistency=proof,
                seen=seen_of(work.tx, peer),
                incarnation=facts.incarnation,
            )

    def take_greeting(self, peer: str, greeting: Greeting) -> None:
        """Note the peer's cursors, clock and checkpoints; evidence of a fork is kept before it is raised.

        Raises:
            RequestRefused: `stream-cursor`. LogFault: `log-fork`, `log-rolled-back`.
        """
        fault: LogFault | None = None
        with deed(self.node) as work:
            need_card(work.tx, peer)
            row = note_life(work, peer_row(work.tx, peer), greeting)
            work.tx.put(row)
            align(work, peer, greeting.have_control, greeting.have_objects)
            row = peer_row(work.tx, peer)
            sent = work.tx.last(StreamRow, "n", party=peer) or 0
            told = work.tx.last(ControlRow, "n", party=peer) or 0
            if greeting.have_objects > sent or greeting.have_control > told:
                raise RequestRefused(
                    "stream-cursor",
                    f"The peer says it has row {greeting.have_objects} and item {greeting.have_control}; it was sent "
                    f"{sent} and {told}. One of the two was restored from a backup.",
                )
            work.tx.put(replace(row, acknowledged=max(row.acknowledged, greeting.have_control), seen=work.at))
            if greeting.checkpoint is not None:
                proof = () if greeting.consistency is None else greeting.consistency.hashes
                start = 0 if greeting.consistency is None else greeting.consistency.size
                fault = note_checkpoint(work, peer, greeting.checkpoint, start, proof, at=greeting.at)
            learn_known(work, peer, greeting.seen, log_facts(work.tx).origin)
            for note in greeting.seen:  # evidence against a third party is kept; who shows it has done nothing wrong
                found = note_checkpoint(work, None, note, 0, ())
                if found is not None and found.detail.get("party") in (peer, self.party):
                    fault = found
        if fault is not None:
            raise fault

    # --- control

    def control_after(self, peer: str, n: int, limit: int) -> ControlPage:
        """Items of the peer's control stream after `n`; they name the peer, so they are served also to the expelled."""
        with self.node.store.read() as tx:
            if waits(tx, peer):
                return ControlPage((), more=False)
            rows = list(tx.find(ControlRow, party=peer, order=("n",), after=(n,), limit=limit + 1))
        items = tuple(ControlItem(row.n, row.kind, row.body) for row in rows[:limit])
        return ControlPage(items, more=len(rows) > limit)

    def take_control(self, peer: str, page: ControlPage) -> int:
        """Take the items after what we have; one that cannot be taken is noted and holds up nothing."""
        with self.node.store.read() as tx:
            have = peer_row(tx, peer).control
        for item in next_items(page, have):
            fault = self._take_item(peer, item)
            if isinstance(fault, LogFault):
                raise fault
            have = max(have, item.n)
        return have

    def _take_item(self, peer: str, item: ControlItem) -> Exception | None:
        """Take one item in a transaction of its own, so that one which turns out bad halfway leaves nothing but a note."""
        try:
            with deed(self.node) as work:
                if peer_row(work.tx, peer).control >= item.n:
                    return None
                spend(work, peer, control=1)
                body = msgspec.json.decode(item.body)
                if item.kind == "tombstone":
                    self._bury(work, peer, body)
                    fault = None
                elif item.kind == CASE:
                    paper = str(body["paper"]).encode()
                    fault = keep_proof(work, peer, body, paper)
                    if fault is None:
                        take_case(work, peer, paper)
                elif item.kind == "disposal":
                    fault = keep_proof(work, peer, body, str(body["paper"]).encode())
                    if fault is None:
                        take_disposal(work, peer, body)
                else:
                    fault = take_control_item(work, peer, item.kind, body)
                work.tx.put(replace(peer_row(work.tx, peer), control=item.n))
            return fault
        except Unavailable:
            raise
        except Exception as broken:  # whatever a peer writes must not hold up what comes after it
            with deed(self.node) as work:
                code = broken.code if isinstance(broken, ComityError) else "message"
                spend(work, peer, control=1)
                work.audit("control-refused", {"party": peer, "n": item.n, "kind": item.kind, "code": code})
                if item.kind == CASE:
                    ask_again(work, peer, item.body, code)
                work.tx.put(replace(peer_row(work.tx, peer), control=item.n))
            return broken

    def _bury(self, work: Deed, peer: str, body: dict[str, Any]) -> None:
        """Take back what came as row n of the peer's stream; where it has not come yet, it is refused when it does."""
        n = int(body["n"])
        if n < 1:
            raise InputRefused("message", "A tombstone names a row from 1 on; it was passed over.")
        row = work.tx.get(Received, peer, n)
        if row is None:
            work.tx.add([Received(peer, n, "", None, "taken-back", "It was taken back before it came.")])
            return
        if row.holding is None:
            return
        holding = work.tx.get(Holding, row.holding)
        work.tx.put(replace(row, code="taken-back", sentence="It was taken back by the party that gave it."))
        if holding is None:
            return
        # what our officers stated meanwhile has put it into another class, under another number
        alike = [
            one
            for one in work.tx.find(Holding, version=holding.version, custodian=peer)
            if one.title == holding.title and one.h >= holding.h
        ]
        later = (came for one in alike for came in work.tx.find(Received, holding=one.h, party=peer, code=None))
        if not any(came.n > n for came in later):  # else it was given again since
            for one in alike:
                if one.ended is None:
                    work.tx.put(replace(one, ended=work.at))
            settle(work, versions=[holding.version])

    # --- what we send

    def page_after(self, peer: str, n: int) -> Page | None:
        """The delivery that begins after row n: one made before and not yet receipted, or a new one under a new act."""
        with deed(self.node) as work:
            if card_of(work.tx, peer) is None or waits(work.tx, peer):
                return None
            made = next(iter(work.tx.find(Delivery, party=peer, order=("last",), after=(n,), limit=1)), None)
            if made is not None and made.first <= n + 1:
                count = made.last - made.first + 1
                rows = list(work.tx.find(StreamRow, party=peer, order=("n",), after=(made.first - 1,), limit=count))
                return self._page(work, made, rows, _versions(work.tx, rows), {})
            rows = list(work.tx.find(StreamRow, party=peer, order=("n",), after=(n,), limit=PAGE_ROWS))
            return self._deliver(work, peer, rows) if rows else None

    def _deliver(self, work: Deed, peer: str, rows: Sequence[StreamRow]) -> Page:
        secret = work.node.random(32, f"page/{peer}/{rows[0].n}")
        digests: list[str] = []
        leaves: list[Row] = []
        size = 0
        versions = _versions(work.tx, rows)
        seals = Seals(work, rows, versions)
        seen: dict[int, Shown | Withheld] = {}
        for row in rows:
            digest = ""
            if row.ended is None:
                version = versions[row.version] = seals.over(row, versions[row.version])
                digest = (version.digest or b"").hex()
                shown = seen[row.n] = show_row(work.tx, row, version)
                # what a view leaves out must not show in where a page ends
                size += 0 if isinstance(shown, Withheld) else len(shown.raw)
            digests.append(digest)
            leaves.append(Row(row.n, digest, row.view, row.title, msgspec.json.decode(row.terms)))
            if size > PAGE_BYTES:
                break
        seals.keep()
        first, last = rows[0].n, leaves[-1].n
        act = record(work, "deliver", peer, {"page": page_root(leaves, secret).hex()})
        page = canonical({"secret": secret.hex(), "digests": digests})
        made = Delivery(peer, act.digest, first, last, page, work.at, None)
        work.tx.add([made])
        return self._page(work, made, rows[: len(leaves)], versions, seen)

    def _page(
        self,
        work: Deed,
        made: Delivery,
        rows: Sequence[StreamRow],
        versions: Mapping[int, Version],
        seen: Mapping[int, Shown | Withheld],
    ) -> Page:
        act = work.tx.get(ActRow, made.act)
        assert act is not None, "a delivery names its act"
        page = msgspec.json.decode(made.page)
        more = (work.tx.last(StreamRow, "n", party=made.party) or 0) > made.last
        able = titles_able(work, made.party)
        items: list[ObjectItem] = []
        for row, digest in zip(rows, page["digests"], strict=True):
            shown = None
            if row.ended is None and digest and row.title in able:
                shown = seen.get(row.n) or show_row(work.tx, row, versions[row.version])
            items.append(self._item(work.tx, row, versions.get(row.version), shown, digest))
        return Page(
            act=act.envelope,
            act_salt=act.salt,
            promise=promise(self.node, work.tx, act),
            secret=bytes.fromhex(page["secret"]),
            first=made.first,
            last=made.last,
            items=tuple(items),
            more=more,
        )

    def _item(
        self, tx: Reading, row: StreamRow, version: Version | None, shown: Shown | Withheld | None, digest: str
    ) -> ObjectItem:
        terms = msgspec.json.decode(row.terms)
        if shown is None or isinstance(shown, Withheld) or version is None:  # a row that fills a gap is of no version
            return ObjectItem(
                row.n, "withdrawn", row.object, digest or None, row.view, row.title, terms, None, None, None, 0
            )
        return ObjectItem(
            n=row.n,
            kind="object" if row.replaces is None else "replaced",
            object=row.object,
            digest=digest,
            view=row.view,
            title=row.title,
            terms=terms,
            raw=shown.raw,
            seal=version.seal,
            disclosure=disclosed(tx, version, shown),
            hidden=shown.hidden,
        )

    def take_receipt(self, peer: str, receipt: Receipt) -> None:
        """Count the peer's signed answer to one of our deliveries.

        Raises:
            RequestRefused: `receipt-unknown`. SealBroken: when the act is not the peer's.
        """
        with deed(self.node) as work:
            made = work.tx.get(Delivery, peer, receipt.delivery)
            if made is None and log_facts(work.tx).incarnation > 1:
                work.audit("receipt-lost", {"party": peer, "delivery": receipt.delivery})
                return  # for a delivery of a life of ours that was lost; its sender cannot know
            if made is None:
                raise RequestRefused(
                    "receipt-unknown", "The receipt names a delivery that was never made; it is not counted."
                )
            check_receipt(receipt, made.act, made.first, made.last)
            act = open_act(receipt.act, node_keys(work.tx, peer, _claimed(receipt.act)))
            said = {"delivery": receipt.delivery, "taken": receipt.taken, "refused": _refused(receipt.refused)}
            if act.kind != "receive" or act.by != peer or act.to != self.party or dict(act.body) != said:
                raise SealBroken(
                    "receipt-unknown", "The signed receipt does not say what the message says; it is not counted."
                )
            fault = None
            if made.receipt is None:
                fault = self._keep_promise(work, peer, receipt.promise, receipt.act)
                work.tx.put(replace(made, receipt=receipt.act))
                self._not_taken(work, peer, receipt)
            elif made.receipt != receipt.act and read_setting(work.tx, f"receipt/{made.act}/{act.origin}") is None:
                # a peer that was restored has taken it again; the receipt it gave first stays
                fault = self._keep_promise(work, peer, receipt.promise, receipt.act)
                put_setting(work.tx, f"receipt/{made.act}/{act.origin}", receipt.act.decode())
            row = peer_row(work.tx, peer)
            if made.first <= row.receipted + 1:
                work.tx.put(replace(row, receipted=max(row.receipted, made.last)))
        if fault is not None:
            raise fault

    def _not_taken(self, work: Deed, peer: str, receipt: Receipt) -> None:
        """What the peer refused it does not hold: the row ends, so that a later decision, or `retry`, can give it again."""
        for one in receipt.refused:
            row = work.tx.get(StreamRow, peer, one.n)
            if row is not None and row.ended is None:
                work.tx.put(replace(row, ended=row.n))
                if row.replaces is not None:  # what it stood for is not to stay either
                    append_control(work, peer, "tombstone", {"n": row.replaces})

    # --- what we take

    def take_page(self, peer: str, page: Page) -> Receipt:
        """Take the rows after what we have, and answer with a signed receipt; the same page gives the same receipt.

        Raises:
            SealBroken: when act, rows or promise do not hold together. RequestRefused: `stream-gap`.
        """
        delivery = act_digest(page.act)
        with deed(self.node) as work:
            answered = work.tx.get(Answer, delivery)
            if answered is not None and answered.party == peer:
                return self.receipt(work.tx, answered)
            fault = self._believe(work, peer, page)
            row = peer_row(work.tx, peer)
            items = next_rows(page, row.objects) if fault is None else ()
            spend(work, peer, rows=len(items), bytes=sum(map(_size, items)), refused=0)
            taken: list[tuple[ObjectItem, Incoming]] = []
            done: list[Received] = []
            desk = _Desk(work, peer)
            buried = {row.n for row in work.tx.find_in(Received, "n", [item.n for item in items], party=peer)}
            for item in items:
                try:
                    if item.n in buried:
                        raise InputRefused("taken-back", "It was taken back before it came.")
                    if item.raw is None:
                        done.append(Received(peer, item.n, delivery, None, None, None))
                        continue
                    taken.append((item, desk.incoming(item)))
                except PeerFault as broken:
                    done.append(Received(peer, item.n, delivery, None, broken.code, broken.sentence))
            touched: list[int] = []
            for title in sorted({item.title for item, _ in taken}):
                some = [(item, incoming) for item, incoming in taken if item.title == title]
                batch = self._batch(work, peer, delivery, title)
                kept = keep(
                    work, [incoming for _, incoming in some], batch=batch, custodian=peer, title=title, handlings=()
                )
                done.extend(
                    Received(peer, item.n, delivery, holding, None, None)
                    for (item, _), holding in zip(some, kept.holdings, strict=True)
                )
                touched += [*kept.versions, *kept.moved]
                touched += self._replaced(work, peer, some, kept.holdings)
            settle(work, versions=list(dict.fromkeys(touched)))
            work.tx.add([one for one in done if one.n not in buried])
            count_refused(work, peer, sum(one.code is not None for one in done))
            if fault is None:
                keep_page(work, delivery, page)
                return self._answer(work, peer, page, delivery, row, done)
        raise fault

    def _replaced(
        self, work: Deed, peer: str, some: Sequence[tuple[ObjectItem, Incoming]], holdings: Sequence[int]
    ) -> list[int]:
        """End what rows that came now stand for instead: the same seal in another view, or under another title."""
        gone: list[int] = []
        for (item, incoming), h in zip(some, holdings, strict=True):
            if item.kind != "replaced":
                continue
            for holding in list(work.tx.find(Holding, object=item.object, custodian=peer, ended=None)):
                version = work.tx.get(Version, holding.version)
                if holding.h != h and version is not None and version.digest == incoming.digest:
                    work.tx.put(replace(holding, ended=work.at))
                    gone.append(holding.version)
        return gone

    def _answer(self, work: Deed, peer: str, page: Page, delivery: str, row: Peer, done: Sequence[Received]) -> Receipt:
        refused = sorted((one for one in done if one.code is not None), key=lambda one: one.n)
        said = [{"n": one.n, "code": one.code, "sentence": one.sentence} for one in refused]
        act = record(work, "receive", peer, {"delivery": delivery, "taken": page.last, "refused": said})
        answer = Answer(delivery, peer, act.digest, page.last)
        work.tx.add([answer])
        work.tx.put(replace(row, objects=max(row.objects, page.last)))
        return self.receipt(work.tx, answer)

    def _believe(self, work: Deed, peer: str, page: Page) -> LogFault | None:
        """Raise where the page does not hold together; give back the fault where its promise convicts the peer."""
        act = open_act(page.act, node_keys(work.tx, peer, _claimed(page.act)))
        if (act.kind, act.by, act.to) != ("deliver", peer, self.party):
            raise SealBroken("page-not-believed", "The act of this page is not a delivery by this party to us.")
        if act.body.get("page") != page_root(page.rows(), page.secret).hex():
            raise SealBroken("page-not-believed", "The rows of this page are not those its act commits to.")
        return self._keep_promise(work, peer, page.promise, page.act)

    def _keep_promise(self, work: Deed, peer: str, envelope: bytes, act: bytes) -> LogFault | None:
        keys = need_card(work.tx, peer).keys_since("log", _claimed(act))
        return keep_promise(work, peer, open_promise(envelope, keys), envelope, act_digest(act))

    def _batch(self, work: Deed, peer: str, delivery: str, title: str) -> Batch:
        b = (work.tx.last(Batch, "b") or 0) + 1
        batch = Batch(b, f"{peer} {title}", "exchange", delivery, "", work.at, 0, 1, b"{}", work.at)
        work.tx.add([batch])
        return batch

    def receipt(self, tx: Reading, answer: Answer) -> Receipt:
        """The receipt we gave for a delivery, as it was signed."""
        act = tx.get(ActRow, answer.act)
        assert act is not None, "an answer names its act"
        card = need_card(tx, self.party)
        every = {one.key.keyid: one.key for one in (*card.keys, *card.retired) if one.use == "node"}
        body = open_act(act.envelope, every).body
        return Receipt(
            delivery=answer.delivery,
            taken=answer.taken,
            refused=tuple(Refusal(one["n"], one["code"], one["sentence"]) for one in body["refused"]),
            act=act.envelope,
            salt=act.salt,
            promise=promise(self.node, tx, act),
        )


def _size(item: ObjectItem) -> int:
    """How many bytes a row makes us keep."""
    return sum(len(part) for part in (item.raw, item.seal, item.disclosure) if part is not None)


def _versions(tx: Reading, rows: Sequence[StreamRow]) -> dict[int, Version]:
    return {one.n: one for one in tx.find_in(Version, "n", {row.version for row in rows})}


@dataclass(slots=True)
class _Desk:
    """Where the rows of one page are looked at; what it found out about titles and sealers it keeps for the page."""

    work: Deed
    peer: str
    _titles: dict[str, bool] = field(default_factory=dict)
    _cards: dict[str, Card | None] = field(default_factory=dict)
    _claims: dict[tuple[str, str, Any], frozenset[str]] = field(default_factory=dict)

    def incoming(self, item: ObjectItem) -> Incoming:
        """An object of a row, checked.

        Raises:
            PeerFault: why it is refused. Unavailable: `title-not-yet`.
        """
        assert item.raw is not None, "a row that gives an object carries it"
        found = read_object(item.raw)
        if found.id != item.object:
            raise InputRefused("row-other-object", f"Row {item.n} names {item.object} and carries {found.id}.")
        if item.seal is None or item.disclosure is None or item.digest is None:
            raise SealBroken("seal-missing", f"{found.id} came without a seal; nothing is taken from a peer unsealed.")
        if not self._gives(item.title):
            raise InputRefused(
                "title-unknown", f"{found.id} came under a clause that does not give from this party to us."
            )
        verified = self._verified(item, found.data)
        if verified.digest.hex() != item.digest:
            raise SealBroken("commitment-broken", f"The row names another digest than the seal of {found.id}.")
        claims = self._claimants(verified, found.data)
        return Incoming(
            found,
            digest=verified.digest,
            seal=item.seal,
            disclosure=item.disclosure,
            originator=originator_of(claims),
            claimants=claims if len(claims) > 1 else frozenset(),
            view=item.view,
            terms=read_terms(item.terms),
        )

    def _claimants(self, verified: VerifiedSeal, data: dict[str, Any]) -> frozenset[str]:
        asked = (verified.party, verified.role, data.get("created_by_ref"))
        if asked not in self._claims:
            self._claims[asked] = claimants(self.work.tx, verified, data)
        return self._claims[asked]

    def _gives(self, title: str) -> bool:
        """Whether the title lets the peer give to us now."""
        if title not in self._titles:
            tx, at = self.work.tx, self.work.at
            if waits_for_papers(tx, title, at):
                raise Unavailable(
                    "title-not-yet", "The page came under an agreement that not all are known here to have signed."
                )
            us, clients = self.work.node.party, clients_of(tx, self.peer)
            gives = [
                member_under(tx, title, sender=self.peer, receiver=us, at=then, clients=clients)
                for then in (at, at + HOUR)
            ]
            if gives == [False, True]:  # by the peer's clock it holds already
                raise Unavailable(
                    "title-not-yet", "The page came under a clause that by our clock holds within the hour."
                )
            self._titles[title] = gives[0]
        return self._titles[title]

    def _verified(self, item: ObjectItem, data: dict[str, Any]) -> VerifiedSeal:
        assert item.seal is not None and item.disclosure is not None
        sealer, _ = claimed(item.seal)
        if sealer not in self._cards:
            self._cards[sealer] = card_of(self.work.tx, sealer)
        card = self._cards[sealer]
        return verified_with(card, item.object, item.seal, data, msgspec.json.decode(item.disclosure))


def titles_able(work: Deed, peer: str) -> frozenset[str]:
    """Titles under which we may give to a party at this instant; what was decided before is served only as far as they go."""
    us = work.node.party
    clients = clients_of(work.tx, us)
    return frozenset(
        clause.title
        for clause in clauses_in_force(work.tx, us, work.at)
        if operative(clause, work.at) and gives(clause, sender=us, receiver=peer, clients=clients)
    )


def peer_row(tx: Reading, peer: str) -> Peer:
    """How far we are with a party; a fresh row where nothing was exchanged yet."""
    return tx.get(Peer, peer) or Peer(peer, "", 0, 0, 0, 0, 0, 0, 0, None, 0)


def _refused(refused: Sequence[Refusal]) -> list[dict[str, Any]]:
    return [{"n": one.n, "code": one.code, "sentence": one.sentence} for one in refused]


def _claimed(act: bytes) -> int:
    body, _ = unverified_body(act, "act")
    return parse(str(body.get("at")))
