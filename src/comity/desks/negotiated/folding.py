"""One text out of the words of its parties: from the same words every node makes the same text.

The kernel decides whether an operation can be applied and what it does. Here is only in which order they are tried. On each paragraph,
of the first operation of each party that can be applied, positions and remarks go before proposals, unless something that their author
said before still waits; then what was said first (`modified`, party, id, place in the word). So a position counts on the words it was
taken on, though another party dates a proposal back. A party's own operations keep their order: what it said before one that was applied
is not applied after it. What cannot be applied in the end is told with the kernel's sentence. Source: docs/formats/negotiated.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from comity.desks.negotiated.kinds import TEXT, WORD, Opening
from comity.kernel.errors import ComityError, InputRefused, NotFound
from comity.kernel.model.ids import type_of
from comity.kernel.procedure import texts
from comity.kernel.procedure.texts import Operation, Paragraph, Text
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.node.minting import newest
from comity.node.saying import Defect, Said, read, words

MOST: Final = 100
"""The most operations of one party on one paragraph that count, and the most paragraphs that it may insert: nobody can make a text
that takes others hours to read."""

_PROPOSES: Final = frozenset(("insert", "replace", "delete", "withdraw"))
"""What changes which alternatives there are; the other kinds say something of those that are there."""


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a word, and which one of it."""

    word: Said
    place: int
    operation: Operation

    @property
    def order(self) -> tuple[int, str, str, bytes, int]:
        """When, by whom, in which object; the bytes part two texts of one object and instant."""
        return self.word.at, self.operation.by, self.word.id, canonical(dict(self.word.seen.data)), self.place


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it stands here.

    Args:
        opened: The object that opened it.
        opening: The text as it was opened.
        said: Every operation that was read, in the order in which it was said.
        applied: Every operation that counts.
        defects: Every word or operation that does not count, with why.
    """

    opened: Said
    opening: Text
    text: Text
    said: tuple[Step, ...]
    applied: tuple[Step, ...]
    defects: tuple[Defect, ...]


def one(tx: Reading, us: str, id: str) -> Folded:
    """A text as what has come here makes it.

    Raises:
        NotFound: `no-such-object` where there is none that a party vouches for. InputRefused: `desk-object`, `text-form`,
            `text-words` where it cannot be read.
    """
    found = words((read(seen, us, TEXT) for seen in newest(tx, us, TEXT.name, id=id)), us) if type_of(id) else None
    said = sorted(found.said, key=lambda word: (word.by != us, word.seen.version)) if found is not None else []
    vouched = [word for word in said if word.by is not None]
    if not vouched:
        if found is not None and found.defects:
            raise InputRefused("desk-object", found.defects[0].sentence)
        why = "Nobody vouches for" if said else "There is no"
        raise NotFound(
            "no-such-object", f"{why} text {id[:100]} here; comity text list shows those that can be worked on."
        )
    opened, *others = vouched
    opening = opening_of(opened)
    defects = [
        Defect(word.id, word.by, word.via, "It opens the same text once more; the one that was here first counts.")
        for word in others
    ]
    steps, unread = _steps(tx, us, opened, opening)
    text, applied, left = fold(opening, steps)
    return Folded(opened, opening, text, tuple(steps), applied, (*defects, *unread, *left))


def opening_of(opened: Said) -> Text:
    """The text as its author opened it: all its proposal.

    Raises:
        InputRefused: `text-form`, `text-words`.
    """
    says: Opening = opened.says
    author = opened.by or opened.via
    return texts.draft(says.languages, says.parties, author, ((one.id, one.words) for one in says.paragraphs))


def _steps(tx: Reading, us: str, opened: Said, opening: Text) -> tuple[list[Step], list[Defect]]:
    digest = texts.digest(opening)
    about = (
        seen
        for seen in newest(tx, us, WORD.name)
        if seen.data.get("text_ref", opened.id) == opened.id
        and (seen.data.get("text_ref") is not None or seen.data.get("opening") == digest)
    )
    found = words((read(seen, us, WORD) for seen in about), us)
    steps: list[Step] = []
    defects = list(found.defects)
    for said in found.said:
        fault = None
        if said.by is None:
            fault = "Nobody vouches for it, so it is nobody's word here."
        elif said.by not in opening.parties:
            fault = "It is the word of a party that does not negotiate this text."
        elif said.says.opening != digest:
            fault = "It was said to other words than those that this text was opened with here."
        if fault is not None:
            defects.append(Defect(said.id, said.by, said.via, fault))
            continue
        for place, form in enumerate(said.says.operations, 1):
            try:
                operation = texts.read_operation(form)
            except ComityError as broken:
                defects.append(Defect(said.id, said.by, said.via, f"Operation {place}: {broken.sentence}"))
                continue
            if operation.by != said.by:
                fault = f"Operation {place} is in the name of another party than the one whose word it is."
                defects.append(Defect(said.id, said.by, said.via, fault))
                continue
            steps.append(Step(said, place, operation))
    return steps, defects


def fold(opening: Text, steps: Iterable[Step]) -> tuple[Text, tuple[Step, ...], tuple[Defect, ...]]:
    """The text after all that can be applied, what was applied, and what was not with why; the same whatever order they come in."""
    ordered = sorted(steps, key=lambda step: step.order)
    counted: dict[tuple[str, str], int] = {}
    inserts: list[Step] = []
    here: dict[str, list[Step]] = {}
    defects: list[Defect] = []
    for step in ordered:
        inserting = step.operation.kind == "insert"
        spot = step.operation.by, "" if inserting else step.operation.paragraph
        counted[spot] = counted.get(spot, 0) + 1
        if counted[spot] > MOST:
            defects.append(_not(step, f"A party says at most {MOST} things to one paragraph, and inserts as many."))
        elif inserting:
            inserts.append(step)
        else:
            here.setdefault(step.operation.paragraph, []).append(step)
    text, applied, left = _run(opening, inserts)
    defects += left
    # operations on different paragraphs give the same text in either order, so each paragraph is worked out by itself
    done: dict[str, Paragraph] = {}
    for id, of_it in here.items():
        before = replace(text, paragraphs=tuple(one for one in text.paragraphs if one.id == id))
        after, more, left = _run(before, of_it)
        applied += more
        defects += left
        done |= {one.id: one for one in after.paragraphs}
    text = replace(text, paragraphs=tuple(done.get(one.id, one) for one in text.paragraphs))
    return text, tuple(sorted(applied, key=lambda step: step.order)), tuple(defects)


def _run(text: Text, steps: Sequence[Step]) -> tuple[Text, list[Step], list[Defect]]:
    pending, applied, defects = list(steps), list[Step](), list[Defect]()
    while True:
        chosen: tuple[Step, Text] | None = None
        why: dict[int, str] = {}
        spoke: set[tuple[str, str]] = set()
        waits: set[tuple[str, str]] = set()
        for n, step in enumerate(pending):
            spot = step.operation.by, step.operation.paragraph
            if spot in spoke:
                continue
            try:
                after = texts.apply(text, step.operation)
            except ComityError as refused:
                why[n] = refused.sentence
                waits.add(spot)
                continue
            spoke.add(spot)
            if step.operation.kind not in _PROPOSES and spot not in waits:
                chosen = step, after
                break
            chosen = chosen or (step, after)
        if chosen is None:
            return text, applied, [*defects, *(_not(step, why[n]) for n, step in enumerate(pending))]
        done, text = chosen
        applied.append(done)
        at = pending.index(done)
        over = {
            n
            for n, step in enumerate(pending[:at])
            if (step.operation.by, step.operation.paragraph) == (done.operation.by, done.operation.paragraph)
        }
        defects += [_not(pending[n], why[n]) for n in sorted(over)]
        pending = [step for n, step in enumerate(pending) if n != at and n not in over]


def _not(step: Step, why: str) -> Defect:
    said = step.word
    return Defect(said.id, said.by, said.via, f"Operation {step.place} ({step.operation.kind}) does not count: {why}")
