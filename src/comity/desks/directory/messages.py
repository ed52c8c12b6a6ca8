"""Deeds on messages: send, read, answer, list, acknowledge. What is sent goes to those it names and to nobody else.

A message that came by other means (a note verbale handed over, a call) is recorded: it stands as our word that it was received, never
as the other's, and it goes to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from comity.desks.directory import words as said
from comity.desks.directory.book import Word, words
from comity.desks.directory.checks import acknowledgements
from comity.desks.directory.defects import capital, readable
from comity.desks.directory.duty import instant_or
from comity.desks.directory.kinds import MESSAGE, Message, Recorded
from comity.desks.directory.lookup import age
from comity.desks.directory.pings import acknowledge
from comity.kernel.errors import InputRefused, NotAllowed, NotFound, Usage
from comity.kernel.model.instants import Instant, format
from comity.kernel.store.ports import Reading
from comity.node.carrying import drawn, how_far, may_go
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, Lines, Shared, Told
from comity.node.minting import mint, new_object
from comity.node.parties import name_of, resolve_party
from comity.node.stating import instant, span_or_instant

Form = Literal["question", "answer", "non-paper", "note-verbale"]
MessageWord = Annotated[
    str, Meta(description="The id of the message, or an unambiguous beginning of it.", extra=PLACED)
]
Text = Annotated[str | None, Meta(description="The text.")]
File = Annotated[bytes | None, Meta(description="The text from a file, UTF-8.")]
Reply = Annotated[
    str | None, Meta(description="Until when an answer is asked for: an instant, or a duration such as P2D.")
]


class Send(Shared, kw_only=True, forbid_unknown_fields=True):
    """Send a message to other parties, and to nobody else; or, with --received, record one that came by other means."""

    subject: Annotated[str, Meta(description="What it is about.", extra=PLACED)]
    to: Annotated[tuple[str, ...], Meta(description="Party it is for, name or id; once for each.")] = ()
    form: Annotated[Form, Meta(description="question, answer, non-paper or note-verbale.")] = "question"
    text: Text = None
    file: File = None
    language: Annotated[str | None, Meta(description="The language of the text, such as fr.")] = None
    office: Annotated[str | None, Meta(description="The office there that it is for, such as duty-officer.")] = None
    number: Annotated[str | None, Meta(description="Its number, as of a note verbale.")] = None
    reply_by: Reply = None
    received: Annotated[
        str | None, Meta(description="It was received by other means, such as 'handed over at the ministry'.")
    ] = None
    received_from: Annotated[str | None, Meta(description="From which party it was received so.")] = None
    received_at: Annotated[str | None, Meta(description="When it was received so, an instant.")] = None


def send(node: Node, asked: Send, officer: str) -> Told:
    """Mint a message, or the record of one received by other means."""
    with deed(node, officer) as work:
        body = _body(asked.text, asked.file)
        recorded = _recorded(work, asked)
        if (recorded is None) == (not asked.to):
            raise Usage(
                "desk-asked", "Say for whom it is with --to PARTY; a message that was received is for nobody else."
            )
        to = tuple(dict.fromkeys(resolve_party(work.tx, one).id for one in asked.to)) or (node.party,)
        if recorded is None and node.party in to:
            raise Usage("desk-asked", "A message is for other parties; this one names us.")
        due = None if asked.reply_by is None else format(span_or_instant(asked.reply_by, "--reply-by", work.at))
        says = Message(
            form=asked.form,
            subject=asked.subject,
            body=body,
            lang=None if asked.language is None else said.read_language(asked.language),
            office=asked.office,
            number=asked.number,
            reply_by=due,
            recorded=recorded,
            addressed_to=to,
        )
        return _sent(node, work, says, asked, to if recorded is None else (), "message send")


class Answer(Shared, kw_only=True, forbid_unknown_fields=True):
    """Answer a message: to who sent it, and to nobody else."""

    message: MessageWord
    text: Text = None
    file: File = None
    language: Annotated[str | None, Meta(description="The language of the text, such as fr.")] = None
    form: Annotated[Form, Meta(description="answer, or another form.")] = "answer"
    number: Annotated[str | None, Meta(description="Its number, as of a note verbale.")] = None
    reply_by: Reply = None


def answer(node: Node, asked: Answer, officer: str) -> Told:
    """Mint the answer to a message we received."""
    with deed(node, officer) as work:
        before = find_message(work.tx, node.party, asked.message)
        if before.by in (None, node.party):
            raise NotAllowed(
                "desk-asked", "This message is not another party's, so it cannot be answered through the exchange."
            )
        sender = str(before.by)
        due = None if asked.reply_by is None else format(span_or_instant(asked.reply_by, "--reply-by", work.at))
        subject = before.says.subject
        says = Message(
            form=asked.form,
            subject=subject if subject.startswith("Re: ") else f"Re: {subject}"[:300],
            body=_body(asked.text, asked.file),
            lang=None if asked.language is None else said.read_language(asked.language),
            number=asked.number,
            reply_by=due,
            in_reply_to_ref=before.seen.id,
            addressed_to=(sender,),
        )
        return _sent(node, work, says, asked, (sender,), "message answer")


def _sent(node: Node, work: Deed, says: Message, asked: Shared, to: Sequence[str], name: str) -> Told:
    try:
        msgspec.convert(msgspec.to_builtins(says), Message)
    except msgspec.ValidationError as broken:
        raise Usage("desk-asked", f"The message cannot be sent so: {broken}.") from broken
    if flaws := readable(says):
        raise Usage("desk-asked", f"{capital(flaws[0])}; write it plainly.")
    made = new_object(node, MESSAGE, says, work.at, draw=drawn(work, f"message/{says.subject}"))
    kept = mint(work, [made], asked.handling(work.at), name=name, kinds=[MESSAGE])
    waits = may_go(work, kept[0], to, f"the message “{says.subject}”")
    work.audit(name.replace(" ", "-"), {"object": made["id"], "to": list(to)})
    names = ", ".join(name_of(work.tx, one) for one in to)
    told = (
        f"It goes to {names}, and to nobody else: {made['id']}." if to else f"It is recorded as received: {made['id']}."
    )
    return Told({"object": made["id"], "to": list(to), "reply_by": says.reply_by, "waits": waits}, [told, *waits])


def _recorded(work: Deed, asked: Send) -> Recorded | None:
    if asked.received is None:
        if asked.received_from is not None or asked.received_at is not None:
            raise Usage("desk-asked", "Say with --received by which means it came.")
        return None
    if asked.received_from is None:
        raise Usage("desk-asked", "Say with --received-from whose message it is.")
    at = work.at if asked.received_at is None else instant(asked.received_at, "--received-at")
    if at > work.at:
        raise Usage("desk-asked", "It cannot have been received in the future.")
    return Recorded(party=resolve_party(work.tx, asked.received_from).id, by=asked.received, at=format(at))


def _body(text: str | None, file: bytes | None) -> str:
    if (text is None) == (file is None):
        raise Usage("desk-asked", "Say the text with --text, or name a file that holds it with --file.")
    if text is not None:
        return text
    try:
        return (file or b"").decode("utf-8")
    except UnicodeDecodeError as broken:
        raise InputRefused("wrong-encoding", "The file is not UTF-8; save it as UTF-8.") from broken


class Acknowledge(Shared, kw_only=True, forbid_unknown_fields=True):
    """Acknowledge a message: a person here has read it. An answer does that too."""

    message: MessageWord
    note: Annotated[str | None, Meta(description="A note to who sent it.")] = None


def acknowledged(node: Node, asked: Acknowledge, officer: str) -> Told:
    """Mint the acknowledgement of a message to us."""
    with deed(node, officer) as work:
        message = find_message(work.tx, node.party, asked.message)
        if message.by in (None, node.party):
            raise NotAllowed(
                "desk-asked", "This message is not another party's, so there is nobody to acknowledge it to."
            )
        made, waits = acknowledge(
            node, work, message.seen.id, str(message.by), message.says.office, asked, "message acknowledge"
        )
        name = name_of(work.tx, str(message.by))
    return Told({"object": made, "of": message.seen.id, "waits": waits}, [f"{name} is told that it was read.", *waits])


class Read(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show a message whole, who has it, who acknowledged it and who answered. It tells nobody that it was read."""

    message: MessageWord


def read(node: Node, asked: Read, officer: str) -> Told:
    """One message."""
    with node.store.read() as tx:
        at = node.clock()
        word = find_message(tx, node.party, asked.message)
        line = _Line(tx, node.party, at)
        shape = line.shape(word)
        says: Message = word.says
        head = [
            f"{says.form}{'' if says.number is None else f' {says.number}'}: {says.subject}",
            f"from {shape['from_name']} to {', '.join(name_of(tx, one) for one in says.addressed_to)}"
            f"{'' if says.office is None else f', for {says.office}'}, {word.seen.data['created']}, TLP {word.seen.tlp}",
        ]
        if says.recorded is not None:
            head.append(
                f"Recorded by {name_of(tx, str(word.by))} as received from {name_of(tx, says.recorded.party)}"
                f" by other means ({says.recorded.by}, {says.recorded.at}); nobody else signed it."
            )
        head += [f"{shape['clock']}"] if shape["clock"] else []
        head += [f"{name_of(tx, one['party'])}: {one['state']}" for one in shape["to"]]
        head += [f"in reply to {says.in_reply_to_ref}"] if says.in_reply_to_ref else []
        head += [f"answered by {one}" for one in shape["answers"]]
        head += [f"Beware: {flaw}." for flaw in readable(says)]
        return Told({**shape, "body": says.body}, [*head, "", *says.body.splitlines()])


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show messages, newest first: who has them, what runs until when, what is overdue."""

    party: Annotated[str | None, Meta(description="Only from or to this party, name or id.")] = None
    waiting: Annotated[bool, Meta(description="Only what waits for an answer or an acknowledgement.")] = False
    overdue: Annotated[bool, Meta(description="Only what is overdue.")] = False


def list_(node: Node, asked: List, officer: str) -> Told:
    """Messages with their running clocks."""
    with node.store.read() as tx:
        at = node.clock()
        line = _Line(tx, node.party, at)
        broken: list[tuple[str, str, str]] = []
        found = sorted(
            words(tx, node.party, MESSAGE, broken), key=lambda one: str(one.seen.data["created"]), reverse=True
        )
        shapes = [line.shape(one) for one in found]
        if asked.party is not None:
            party = resolve_party(tx, asked.party).id
            shapes = [one for one in shapes if party == one["from"] or party in {to["party"] for to in one["to"]}]
        if asked.waiting:
            shapes = [one for one in shapes if one["waits"]]
        if asked.overdue:
            shapes = [one for one in shapes if one["overdue"]]
        rows = [
            (
                one["created"],
                one["from_name"],
                ", ".join(f"{name_of(tx, to['party'])} ({to['state']})" for to in one["to"]),
                one["form"],
                one["subject"],
                one["clock"],
                one["object"],
            )
            for one in shapes
        ]
        lines = Lines().table(("sent", "from", "to", "form", "subject", "clock", "message"), rows).found
        lines = lines or ["No message was sent or received."]
        lines += [f"Not read: {sentence} It came from {name_of(tx, custodian)}." for _, custodian, sentence in broken]
        defects = [{"object": id, "from": custodian, "sentence": sentence} for id, custodian, sentence in broken]
        return Told({"messages": shapes, "overdue": sum(one["overdue"] for one in shapes), "defects": defects}, lines)


class _Line:
    """What every line of a list needs once: acknowledgements and answers."""

    def __init__(self, tx: Reading, us: str, at: Instant) -> None:
        self.tx, self.us, self.at = tx, us, at
        self.acknowledged = acknowledgements(tx, us)
        self.answers: dict[str, list[Word]] = {}
        for word in words(tx, us, MESSAGE, []):
            if word.says.in_reply_to_ref is not None and word.by is not None:
                self.answers.setdefault(word.says.in_reply_to_ref, []).append(word)

    def shape(self, word: Word) -> dict[str, Any]:
        """A message for a program, without its text: who has it, what runs and what is overdue."""
        says: Message = word.says
        ours = word.by == self.us
        id = word.seen.id
        answers = self.answers.get(id, [])
        to = []
        for party in says.addressed_to:
            if says.recorded is not None:
                to.append({"party": party, "state": "recorded"})
                continue
            by_them = [one for one in self.acknowledged.get(id, ()) if one.by == party]
            state = (
                "answered"
                if any(one.by == party for one in answers)
                else "acknowledged"
                if by_them
                else how_far(self.tx, id, party)
                if ours
                else "received"
            )
            to.append({"party": party, "state": state})
        concerned = [one["state"] for one in to if ours or one["party"] == self.us]
        due = instant_or(says.reply_by, -1)
        open_ = says.recorded is None and any(state != "answered" for state in concerned)
        waits = open_ and (due >= 0 or "acknowledged" not in concerned)
        overdue = bool(open_ and 0 <= due < self.at)
        clock = ""
        if due >= 0 and says.recorded is None:
            left = due - self.at
            clock = "answered" if not open_ else f"overdue for {age(-left)}" if left < 0 else f"due in {age(left)}"
        return {
            "object": id,
            "form": says.form,
            "number": says.number,
            "subject": says.subject,
            "from": word.by if says.recorded is None else says.recorded.party,
            "from_name": name_of(self.tx, str(word.by if says.recorded is None else says.recorded.party)),
            "recorded_by": None if says.recorded is None else word.by,
            "received_by_other_means": None if says.recorded is None else msgspec.to_builtins(says.recorded),
            "to": to,
            "office": says.office,
            "created": word.seen.data["created"],
            "reply_by": says.reply_by,
            "clock": clock,
            "overdue": overdue,
            "waits": waits,
            "answers": [one.seen.id for one in answers],
            "in_reply_to": says.in_reply_to_ref,
            "tlp": word.seen.tlp,
        }


def find_message(tx: Reading, us: str, text: str) -> Word:
    """A message of this id or beginning of it.

    Raises:
        NotFound: `no-such-object`. Usage: `ambiguous-name`.
    """
    fits = [one for one in words(tx, us, MESSAGE, []) if one.seen.id.startswith(text)]
    ids = dict.fromkeys(one.seen.id for one in fits)
    if not fits:
        raise NotFound("no-such-object", f"No message {text!r} is held here; comity message list shows them.")
    if len(ids) > 1:
        raise Usage("ambiguous-name", f"{text!r} fits {', '.join(ids)}; write more of it.")
    return fits[0]
