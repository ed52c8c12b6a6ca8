"""The conversation of two nodes as a state machine without I/O: one contact serves both directions, whoever opened it.

    the side that calls                                  the side that answers

    Session.next() -> Turn    -- any carrier -->         answer(side, peer, turn) -> Turn
    Session.take(turn)        <-- any carrier --

A turn is taken in this order: greeting (who, cursors, checkpoints), receipts, control, objects. Each step is one
transaction of the `Side`, and each is idempotent, so a turn may be lost, doubled or late in either direction: what
counts are the cursors in the greetings, and nothing is held in the conversation that the sides do not hold
themselves.

- Objects are sent from the lower of what the peer has and what we hold receipts for: a lost receipt brings the page
  again, the same page gives the same receipt, and rows that were taken already are not taken twice.
- Objects are sent only when no control item is left, those included that came up while the page was made.
- The first turn carries a greeting alone; where the other side stands is known from its answer.
- A contact ends when both directions are empty, after `turns` turns, or when rounds pass in which no cursor moved.

Source: docs/formats/exchange.md, The conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final, Protocol

from comity.kernel.errors import RequestRefused, Unavailable
from comity.kernel.exchange.messages import ControlPage, Feature, Greeting, Page, Receipt, Turn, common

CONTROL_ITEMS: Final = 256
"""Control items asked for at a time."""

TURNS: Final = 4_096
"""Turns of one contact; a first sync of 10^6 objects needs about 1,000."""

IDLE_ROUNDS: Final = 3
"""Rounds in which no cursor moves before a contact is given up."""


class Side(Protocol):
    """What a node does for the conversation; each call is one transaction, and calling it again changes nothing.

    `party` is our own id. Every method may raise Unavailable (the contact is tried again later).
    """

    @property
    def party(self) -> str:
        """The id of the party this node belongs to."""
        ...

    def greeting(self, peer: str) -> Greeting:
        """Our greeting to the peer as things stand now."""
        ...

    def control_after(self, peer: str, n: int, limit: int) -> ControlPage:
        """At most `limit` items of the peer's control stream after item `n`; to the expelled and the unknown only what
        concerns them."""
        ...

    def page_after(self, peer: str, n: int) -> Page | None:
        """The delivery that begins after row `n` of the peer's objects stream, None where there is none.

        Until the peer's receipt is here, the same `n` gives the same page, byte for byte. An `n` inside a delivery
        gives that delivery. Rows that were receipted and are asked for again (a restored peer) may come under a new
        act.
        """
        ...

    def take_greeting(self, peer: str, greeting: Greeting) -> None:
        """Note the peer's cursors, clock and checkpoints.

        Raises:
            LogFault: on evidence of a fork or a rollback, which is kept.
            RequestRefused: `stream-cursor` where the peer says it has what was never sent.
        """
        ...

    def take_control(self, peer: str, page: ControlPage) -> int:
        """Take the items after what we have (`messages.next_items`) and return the new cursor.

        Raises:
            RequestRefused: `stream-gap`.
        """
        ...

    def take_page(self, peer: str, page: Page) -> Receipt:
        """Take the rows after what we have (`messages.next_rows`); a page that was taken gives its receipt again.

        A row that cannot be taken is refused inside the receipt.

        Raises:
            PeerFault: for a page that cannot be believed (act, rows, promise); nothing of it is taken.
        """
        ...

    def take_receipt(self, peer: str, receipt: Receipt) -> None:
        """Count the peer's answer to one of our deliveries (`messages.check_receipt`).

        Raises:
            RequestRefused: `receipt-unknown`; SealBroken.
        """
        ...


class Stop(Enum):
    """Why a contact ended."""

    EMPTY = "nothing is left in either direction"
    TURNS = "the contact took as many turns as one may; open the next"
    STALLED = "no cursor moved any more; the peer does not take or does not answer what is sent"


def absorb(side: Side, peer: str, turn: Turn) -> tuple[Receipt, ...]:
    """Take all that a turn carries and return the receipts that are due for it.

    Raises:
        PeerFault, Unavailable: as the side's methods; `message-party` where the turn names other parties.
    """
    greeting = turn.greeting
    if greeting.sender != peer or greeting.to != side.party:
        raise RequestRefused(
            "message-party",
            f"The message is from {greeting.sender} to {greeting.to}, but came from {peer} to {side.party}.",
        )
    side.take_greeting(peer, greeting)
    for receipt in turn.receipts:
        side.take_receipt(peer, receipt)
    if turn.control is not None and turn.control.items:
        side.take_control(peer, turn.control)
    return (side.take_page(peer, turn.page),) if turn.page is not None else ()


def answer(side: Side, peer: str, turn: Turn, *, control_items: int = CONTROL_ITEMS) -> Turn:
    """Answer one turn of a peer.

    Args:
        side: Our node.
        peer: The party whose key signed the turn.
        turn: What it sent.
        control_items: Most control items in the answer.

    Raises:
        PeerFault, Unavailable: as `absorb`; what was taken before stays taken.
    """
    return _offer(side, peer, turn.greeting, absorb(side, peer, turn), control_items)


def _offer(side: Side, peer: str, theirs: Greeting, receipts: tuple[Receipt, ...], control_items: int) -> Turn:
    greeting = side.greeting(peer)
    after = min(theirs.have_objects, greeting.receipted)
    control, page = _due(side, peer, theirs.have_control, after, control_items)
    return Turn(greeting, control if control.items else None, page, receipts)


def _due(side: Side, peer: str, control: int, objects: int, limit: int) -> tuple[ControlPage, Page | None]:
    """What comes next after item `control` and row `objects`."""
    items = side.control_after(peer, control, limit)
    page = None if items.more else side.page_after(peer, objects)
    if page is not None:
        # another contact may have moved the node on meanwhile: the papers that a row stands under go before it
        items = side.control_after(peer, control, limit)
    return items, None if items.more else page


class Session:
    """The side that calls: gives turns to send and takes the answers until both directions are empty.

    `next` gives the same kind of turn again until `take` has been called, so a turn whose answer was lost is simply
    sent again. After the end, `stop` says why, and `later` what of the peer's was not taken because it sends too much.

    Args:
        side: Our node.
        peer: The party we call.
        turns: Most turns of this contact.
        control_items: Most control items in a turn.
    """

    __slots__ = (
        "_best",
        "_control_items",
        "_idle",
        "_left",
        "_owed",
        "_receipts",
        "_side",
        "_theirs",
        "later",
        "peer",
        "stop",
    )

    def __init__(self, side: Side, peer: str, *, turns: int = TURNS, control_items: int = CONTROL_ITEMS) -> None:
        self.peer = peer
        self.stop: Stop | None = None
        self.later: Unavailable | None = None
        self._side = side
        self._control_items = control_items
        self._left = turns
        self._theirs: Greeting | None = None
        self._receipts: tuple[Receipt, ...] = ()
        self._owed = True
        self._best: tuple[int, ...] = ()
        self._idle = 0

    @property
    def feature(self) -> Feature | None:
        """What both sides understand, None before the first answer."""
        return None if self._theirs is None else common(self._theirs.feature)

    def next(self) -> Turn | None:
        """The next turn to send, or None at the end of the contact.

        Raises:
            Unavailable: as the side's methods.
        """
        if self.stop is not None:
            return None
        if self._left == 0:
            self.stop = Stop.TURNS
            return None
        if self._theirs is None:
            turn = Turn(self._side.greeting(self.peer))
        else:
            turn = _offer(self._side, self.peer, self._theirs, self._receipts, self._control_items)
            if not self._owed and turn.control is None and turn.page is None:
                self.stop = Stop.EMPTY
                return None
            if self._stalled(turn.greeting, self._theirs):
                self.stop = Stop.STALLED
                return None
        self._left -= 1
        return turn

    def take(self, reply: Turn) -> None:
        """Take the answer to the turn that was sent last.

        Raises:
            PeerFault, Unavailable: as `absorb`; what was taken before stays taken.
        """
        receipts: tuple[Receipt, ...] = ()
        try:
            receipts = absorb(self._side, self.peer, reply)
        except Unavailable as full:
            if full.code != "peer-quota":
                raise
            self.later = full  # all before it was taken, and what we have for the peer still goes
        self._theirs = reply.greeting
        self._receipts = receipts
        # what came must be acknowledged once more, by a cursor or a receipt
        self._owed = bool(receipts) or (self.later is None and reply.control is not None and bool(reply.control.items))

    def _stalled(self, ours: Greeting, theirs: Greeting) -> bool:
        now = (
            theirs.have_control,
            theirs.have_objects,
            theirs.receipted,
            ours.have_control,
            ours.have_objects,
            ours.receipted,
        )
        if self._best and all(one <= best for one, best in zip(now, self._best, strict=True)):
            self._idle += 1
        else:
            self._idle = 0
            self._best = tuple(map(max, now, self._best)) if self._best else now
        return self._idle >= IDLE_ROUNDS


def outbound(
    side: Side,
    peer: str,
    *,
    control: int,
    objects: int,
    receipts: tuple[Receipt, ...] = (),
    turns: int = TURNS,
    control_items: int = CONTROL_ITEMS,
) -> Iterator[Turn]:
    """All that is due to a peer as turns that need no answer: what a pack carries, or a one-way link.

    Nothing is counted as delivered until receipts come back; given again, the same turns do no harm.

    Args:
        side: Our node.
        peer: The party the turns are for.
        control, objects: The n after which to begin, as last acknowledged.
        receipts: What is owed for pages that came by the same road; they go with the first turn.
        turns: Most turns.
        control_items: Most control items in a turn.

    Yields:
        At least one turn (the greeting), control before objects.

    Raises:
        Unavailable: as the side's methods.
    """
    for _ in range(turns):
        items, page = _due(side, peer, control, objects, control_items)
        yield Turn(side.greeting(peer), items if items.items else None, page, receipts)
        receipts = ()
        if items.items:
            control = items.items[-1].n
        if page is not None:
            objects = page.last
        if not items.more and (page is None or not page.more):
            return
