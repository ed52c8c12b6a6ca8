"""A second node in memory behind the `Side` of the conversation: honest, crashing, late, lying.

`Node` keeps streams, deliveries and receipts as a real node does and signs its acts with real keys; it has no log, so
promises are envelopes that name the act. `received` is the account of what was taken, in order, to find what was
doubled or lost.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from comity.kernel.errors import RequestRefused, SealBroken, Unavailable
from comity.kernel.exchange.messages import (
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
from comity.kernel.model.ids import minted, party_id
from comity.kernel.seal import dsse
from comity.kernel.seal.keys import PublicKey, SigningKey
from comity.kernel.tlog.rows import page_root

NOW = 1_614_686_400_000_000  # 2021-03-02T12:00:00Z


def key_of(name: str) -> SigningKey:
    return SigningKey.from_seed(sha256(name.encode()).digest())


@dataclass
class Account:
    """What a node knows of one peer."""

    control_out: list[ControlItem] = field(default_factory=list)
    objects_out: list[ObjectItem] = field(default_factory=list)
    deliveries: dict[int, Page] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    receipted: int = 0
    have_control: int = 0
    have_objects: int = 0
    control_in: list[ControlItem] = field(default_factory=list)
    received: list[ObjectItem] = field(default_factory=list)
    given: dict[str, Receipt] = field(default_factory=dict)


class Node:
    """An honest node; `directory` is shared by all nodes of a test and stands for exchanged cards."""

    def __init__(self, name: str, directory: dict[str, PublicKey], *, page_rows: int = 4) -> None:
        self.key = key_of(name)
        self.party = party_id(self.key.public.spki)
        self.directory = directory
        self.page_rows = page_rows
        self.accounts: defaultdict[str, Account] = defaultdict(Account)
        self.refuse: dict[str, tuple[str, str]] = {}
        directory[self.party] = self.key.public

    # -- what the officers of this node did

    def instrument(self, peer: str, kind: str = "renewal", body: bytes = b'{"form":1}') -> None:
        out = self.accounts[peer].control_out
        out.append(ControlItem(len(out) + 1, kind, body))

    def release(self, peer: str, raw: bytes, *, name: str | None = None) -> str:
        out = self.accounts[peer].objects_out
        n = len(out) + 1
        stix_id = minted("indicator", name or f"{self.party}/{peer}/{n}")
        digest = sha256(raw).hexdigest()
        out.append(
            ObjectItem(n, "object", stix_id, digest, "full", "ab" * 32 + "#1", {"tlp": "green"}, raw, None, None, 0)
        )
        return stix_id

    # -- Side

    def greeting(self, peer: str) -> Greeting:
        one = self.accounts[peer]
        return Greeting(1, self.party, peer, NOW, one.have_control, one.have_objects, one.receipted, None, None, (), 1)

    def control_after(self, peer: str, n: int, limit: int) -> ControlPage:
        out = self.accounts[peer].control_out
        return ControlPage(tuple(out[n : n + limit]), n + limit < len(out))

    def page_after(self, peer: str, n: int) -> Page | None:
        one = self.accounts[peer]
        for page in one.deliveries.values():
            if page.first <= n + 1 <= page.last:
                return page
        items = tuple(one.objects_out[n : n + self.page_rows])
        if not items:
            return None
        page = self._deliver(peer, items, more=n + self.page_rows < len(one.objects_out))
        one.deliveries[page.first] = page
        return page

    def _deliver(self, peer: str, items: tuple[ObjectItem, ...], *, more: bool) -> Page:
        first, last = items[0].n, items[-1].n
        secret = sha256(f"{self.party}{peer}{first}{last}".encode()).digest()
        root = page_root([item.row() for item in items], secret).hex()
        act = self._act("deliver", peer, {"first": first, "last": last, "root": root})
        return Page(act, bytes(16), self._promise(act), secret, first, last, items, more)

    def _act(self, kind: str, peer: str, body: dict[str, Any]) -> bytes:
        return dsse.sign("act", {"form": 1, "kind": kind, "by": self.party, "to": peer, "body": body}, [self.key])

    def _promise(self, act: bytes) -> bytes:
        return dsse.sign("promise", {"act": sha256(act).hexdigest(), "tick": 0, "place": 0}, [self.key])

    def _open(self, peer: str, act: bytes, kind: str) -> dict[str, Any]:
        key = self.directory[peer]
        body = dsse.open_envelope(act, "act", {key.keyid: key}).body
        if body["kind"] != kind or body["by"] != peer or body["to"] != self.party:
            raise SealBroken("act", "The act is not what it was sent as.")
        return dict(body["body"])

    def take_greeting(self, peer: str, greeting: Greeting) -> None:
        one = self.accounts[peer]
        sent = max((page.last for page in one.deliveries.values()), default=0)
        if greeting.have_control > len(one.control_out) or greeting.have_objects > sent:
            raise RequestRefused("stream-cursor", "The peer says it has what was never sent.")

    def take_control(self, peer: str, page: ControlPage) -> int:
        one = self.accounts[peer]
        for item in next_items(page, one.have_control):
            one.control_in.append(item)
            one.have_control = item.n
        return one.have_control

    def take_page(self, peer: str, page: Page) -> Receipt:
        one = self.accounts[peer]
        digest = sha256(page.act).hexdigest()
        body = self._open(peer, page.act, "deliver")
        if (body["first"], body["last"]) != (page.first, page.last) or body["root"] != page_root(
            page.rows(), page.secret
        ).hex():
            raise SealBroken("row-proof", "The rows are not those of the act.")
        if digest in one.given:
            return one.given[digest]
        new = next_rows(page, one.have_objects)
        refused = []
        for item in new:
            if item.object in self.refuse:
                refused.append(Refusal(item.n, *self.refuse[item.object]))
            else:
                one.received.append(item)
        one.have_objects = max(one.have_objects, page.last)
        listed = [[row.n, row.code] for row in refused]
        act = self._act("receipt", peer, {"delivery": digest, "taken": page.last, "refused": listed})
        receipt = Receipt(digest, page.last, tuple(refused), act, bytes(16), self._promise(act))
        one.given[digest] = receipt
        return receipt

    def take_receipt(self, peer: str, receipt: Receipt) -> None:
        one = self.accounts[peer]
        body = self._open(peer, receipt.act, "receipt")
        if body["delivery"] != receipt.delivery or body["taken"] != receipt.taken:
            raise SealBroken("act", "The receipt is not what was signed.")
        for page in one.deliveries.values():
            if sha256(page.act).hexdigest() == receipt.delivery:
                check_receipt(receipt, receipt.delivery, page.first, page.last)
                one.receipts[receipt.delivery] = receipt
                while one.receipted + 1 in one.deliveries:
                    after = one.deliveries[one.receipted + 1]
                    if sha256(after.act).hexdigest() not in one.receipts:
                        break
                    one.receipted = after.last
                return
        raise RequestRefused("receipt-unknown", "No such delivery was made.")


class Expelled(Node):
    """A node that no longer releases anything to `gone`: control about them is still served, objects are not."""

    gone: frozenset[str] = frozenset()

    def page_after(self, peer: str, n: int) -> Page | None:
        return None if peer in self.gone else super().page_after(peer, n)


class Late(Node):
    """A node whose store is busy at the calls whose numbers are given, before the deed is done."""

    def __init__(self, *args: Any, busy: frozenset[int] = frozenset(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.busy = busy
        self.calls = 0

    def _pause(self) -> None:
        self.calls += 1
        if self.calls in self.busy:
            raise Unavailable("store-busy", "Another writer holds the store; try again in a moment.")

    def greeting(self, peer: str) -> Greeting:
        self._pause()
        return super().greeting(peer)

    def take_control(self, peer: str, page: ControlPage) -> int:
        self._pause()
        return super().take_control(peer, page)

    def take_page(self, peer: str, page: Page) -> Receipt:
        self._pause()
        return super().take_page(peer, page)

    def take_receipt(self, peer: str, receipt: Receipt) -> None:
        self._pause()
        super().take_receipt(peer, receipt)


class Skipping(Node):
    """Lies: leaves the first row out of what it sends, under an act that fits what is left."""

    def page_after(self, peer: str, n: int) -> Page | None:
        items = tuple(self.accounts[peer].objects_out[n + 1 : n + 1 + self.page_rows])
        return self._deliver(peer, items, more=False) if items else None


class Rewriting(Node):
    """Lies: shows a looser marking in a row than its act commits to."""

    def page_after(self, peer: str, n: int) -> Page | None:
        page = super().page_after(peer, n)
        if page is None:
            return None
        return replace(page, items=(replace(page.items[0], terms={"tlp": "clear"}), *page.items[1:]))


class Acknowledging(Node):
    """Lies: answers each page with a receipt for a delivery that was never made."""

    def take_page(self, peer: str, page: Page) -> Receipt:
        act = self._act("receipt", peer, {"delivery": "00" * 32, "taken": page.last, "refused": []})
        return Receipt("00" * 32, page.last, (), act, bytes(16), self._promise(act))


class Mute(Node):
    """Takes nothing and acknowledges nothing, but always answers."""

    def take_page(self, peer: str, page: Page) -> Receipt:
        receipt = super().take_page(peer, page)
        self.accounts[peer].have_objects = 0
        return replace(receipt, delivery=receipt.delivery)

    def take_receipt(self, peer: str, receipt: Receipt) -> None:
        return None


class Boasting(Node):
    """Lies: says it has more than it was sent."""

    def greeting(self, peer: str) -> Greeting:
        return replace(super().greeting(peer), have_objects=99)


class Impostor(Node):
    """Lies: speaks under another party's id."""

    speaks_as: str = ""

    def greeting(self, peer: str) -> Greeting:
        return replace(super().greeting(peer), sender=self.speaks_as)
