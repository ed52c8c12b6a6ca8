"""What a person changed in the paper of a text, and the operations by which a party proposes it.

A text goes out as a paper in one of its languages and comes back with insertions, deletions and comments tracked
paragraph by paragraph. Each paragraph of the paper has a place: the paragraph of the text, its wording then, and which of
its alternatives stood there. A place whose wording is no longer on the table takes nothing: its author has not seen
what stands there now. Whatever cannot be placed is told with its words, and nothing of it is dropped in silence.

Who changed something in a paper is only what the paper says of itself; it proposes nothing by that. The proposals are
those of the one party in whose name the caller reads the paper.

Source: docs/documents.md; docs/formats/texts.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Literal

from comity.kernel.errors import InputRefused, NotAllowed
from comity.kernel.procedure.texts import Alternative, Operation, Paragraph, Text, Words, apply, digest

PREFIX: Final = 12
"""Hexadecimal digits of a wording that stand in a place."""
_SHORT: Final = 32
_PLAIN: Final = re.compile(r"[a-z0-9.:_-]+", re.ASCII)

Why = Literal[
    "new",
    "gone",
    "split",
    "joined",
    "moved",
    "table",
    "look",
    "notes",
    "stale",
    "unknown",
    "twice",
    "refused",
    "outside",
]


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a paragraph: kept, inserted or deleted; `by` and `at` as the paper says, empty where it says nothing."""

    kind: Literal["kept", "inserted", "deleted"]
    words: str
    by: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment on a paragraph; `by` and `at` as the paper says, `on` the words it is fastened to."""

    words: str
    by: str = ""
    at: str = ""
    on: str = ""


@dataclass(frozen=True, slots=True)
class Edited:
    """A paragraph of a paper as it came back.

    Args:
        id: Its id in the paper, as `anchor` gives it.
        runs: What stands in it, in order.
        remarks: Comments that begin in it.
    """

    id: str
    runs: tuple[Run, ...]
    remarks: tuple[Remark, ...] = ()

    @property
    def original(self) -> str:
        """Its words with every tracked change refused."""
        return _line("".join(one.words for one in self.runs if one.kind != "inserted"))

    @property
    def result(self) -> str:
        """Its words with every tracked change taken."""
        return _line("".join(one.words for one in self.runs if one.kind != "deleted"))

    @property
    def tracked(self) -> bool:
        """Whether a change stands in it."""
        return any(one.kind != "kept" for one in self.runs)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A change that is no proposal, with what to do.

    Args:
        why: ``new`` (a paragraph that was added), ``gone`` (one that is no longer there), ``split``, ``joined``, ``moved``, ``table``,
            ``look`` (formatting only), ``notes`` (footnotes, headers), ``stale`` (the text has other alternatives there now),
            ``unknown`` (no paragraph of this text), ``twice``, ``refused`` (the text takes no such words) or ``outside`` (words that
            are no paragraph of the text).
        sentence: What was found, and what to do.
        id: The paragraph's id in the paper; empty where it has none.
        words: The words of the change.
        by: Who made it, as the paper says.
    """

    why: Why
    sentence: str
    id: str = ""
    words: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """A paper as it came back.

    Args:
        language: The language it is written in, BCP 47; empty where it does not say.
        paragraphs: Every paragraph that has an id, in the paper's order, changed or not.
        unplaced: What the reader of the paper could already not place.
    """

    language: str
    paragraphs: tuple[Edited, ...]
    unplaced: tuple[Unplaced, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposed:
    """What papers propose.

    Args:
        operations: In order, each made against the text as those before it leave it.
        text: The text after all of them.
        untranslated: (paragraph, language): proposed with the words of this language as they stood, since no paper in it changed them.
        untracked: Paragraphs that were also changed without tracking; such a change is proposed like any other.
        unplaced: What is no proposal.
    """

    operations: tuple[Operation, ...]
    text: Text
    untranslated: tuple[tuple[str, str], ...]
    untracked: tuple[str, ...]
    unplaced: tuple[Unplaced, ...]


def place(paragraph: Paragraph, n: int) -> str:
    """The id that the nth alternative (from 1) of a paragraph has in a paper: ``p2:14075502d177:1``."""
    return f"{paragraph.id}:{paragraph.wording[:PREFIX]}:{n}"


def places(text: Text) -> Iterator[tuple[str, Paragraph, Alternative]]:
    """Each alternative of a text with its place, in order."""
    for paragraph in text.paragraphs:
        for n, one in enumerate(paragraph.alternatives, 1):
            yield place(paragraph, n), paragraph, one


def anchor(id: str) -> str:
    """The name an id goes by in a file whose names are short: itself, or ``#`` and 24 digits of its SHA-256.

    It stays itself with at most 32 characters of ``a-z 0-9 . : _ -``, the latter four counting double.
    """
    if _PLAIN.fullmatch(id) and len(id) + sum(id.count(one) for one in ".:_-") <= _SHORT:
        return id
    return "#" + sha256(id.encode()).hexdigest()[:24]


def propose(text: Text, papers: Sequence[Changes], by: str) -> Proposed:
    """The operations by which a party proposes what was changed in papers of a text, one paper a language.

    A changed paragraph becomes words beside those it was changed from, or in place of them where the party alone proposes
    them; one that was emptied becomes a proposal to omit it; a comment becomes a comment, without its author's name.

    Args:
        text: As it stands now.
        papers: As they came back, each in another language of the text.
        by: The party in whose name they are read.

    Raises:
        InputRefused: `text-language` where a paper is in no language of the text, or two are in one.
        NotAllowed: `text-party` where the party does not negotiate the text.
    """
    if by not in text.parties:
        raise NotAllowed("text-party", f"{by} does not negotiate this text.")
    spoken = [_language(text, one) for one in papers]
    if len(set(spoken)) != len(spoken):
        raise InputRefused(
            "text-language", "Two of these papers are in one language; give one paper for each language."
        )
    known = {anchor(id): (paragraph, one) for id, paragraph, one in places(text)}
    unplaced = [item for paper in papers for item in (*paper.unplaced, *_gone(text, paper))]
    found: dict[str, dict[str, Edited]] = {}
    for language, paper in zip(spoken, papers, strict=True):
        for edited in paper.paragraphs:
            if edited.id in known and language in found.get(edited.id, {}):
                unplaced.append(_left("twice", edited, "stands twice in the paper; its second wording was left aside"))
            elif edited.id in known:
                found.setdefault(edited.id, {})[language] = edited
            elif edited.tracked or edited.remarks:
                unplaced.append(_lost(text, edited))
    work = _Work(text, by, unplaced)
    for id, (paragraph, one) in known.items():
        if id in found:
            work.take(paragraph, one, found[id])
    return Proposed(
        tuple(work.operations), work.text, tuple(work.untranslated), tuple(work.untracked), tuple(work.unplaced)
    )


class _Work:
    """The text as it changes, and what was made of the papers so far."""

    def __init__(self, text: Text, by: str, unplaced: list[Unplaced]) -> None:
        self.text = text
        self.by = by
        self.unplaced = unplaced
        self.operations: list[Operation] = []
        self.untranslated: list[tuple[str, str]] = []
        self.untracked: list[str] = []

    def take(self, paragraph: Paragraph, one: Alternative, papers: Mapping[str, Edited]) -> None:
        """What the papers say of one alternative."""
        words = self._words(paragraph, one, papers)
        if words != one.words:
            own = one.id if one.proponents == (self.by,) else ""
            edited = next(iter(papers.values()))
            kind: Literal["delete", "replace"] = "delete" if words is None else "replace"
            made = Operation(kind, self.by, paragraph.id, "", alternative=own, words=words)
            if self._apply(made, edited) and words is not None and one.words is not None:
                for language, before, after in zip(self.text.languages, one.words, words, strict=True):
                    if before == after:
                        self.untranslated.append((paragraph.id, language))
        for edited in papers.values():
            for remark in edited.remarks:
                said = _line(remark.words)
                note = Edited(edited.id, (Run("inserted", said, remark.by, remark.at),))
                self._apply(Operation("comment", self.by, paragraph.id, "", reason=said), note)

    def _words(self, paragraph: Paragraph, one: Alternative, papers: Mapping[str, Edited]) -> Words | None:
        """The words the papers leave; those there were, in languages of which no paper speaks."""
        if one.words is None:
            for edited in papers.values():
                if edited.tracked:
                    self.unplaced.append(
                        _left(
                            "outside",
                            edited,
                            f"changes the omission of {paragraph.id}, which has no words; propose words by hand",
                        )
                    )
            return None
        now = list(one.words)
        emptied = []
        for at, language in enumerate(self.text.languages):
            if language not in papers:
                continue
            edited = papers[language]
            if edited.original != one.words[at]:
                self.untracked.append(paragraph.id)
            if edited.result:
                now[at] = edited.result
            else:
                emptied.append(edited)
        if not emptied:
            return tuple(now)
        if len(emptied) == len(papers):
            return None
        for edited in emptied:
            self.unplaced.append(
                _left(
                    "refused",
                    edited,
                    f"empties {paragraph.id} in one language and keeps it in another; say which is meant",
                )
            )
        return one.words

    def _apply(self, made: Operation, edited: Edited) -> bool:
        now = self.text.paragraph(made.paragraph)
        if made.alternative and made.alternative not in {one.id for one in now.alternatives}:
            made = replace(made, alternative="")
        made = replace(made, text=digest(self.text), wording=now.wording)
        try:
            after = apply(self.text, made)
        except InputRefused as broken:
            self.unplaced.append(Unplaced("refused", broken.sentence, edited.id, edited.result, _authors(edited)))
            return False
        self.operations.append(made)
        self.text = after
        return True


def _language(text: Text, paper: Changes) -> str:
    for one in text.languages:
        if one.casefold() == paper.language.casefold():
            return one
    told = ", ".join(text.languages)
    raise InputRefused(
        "text-language",
        f"The paper says that it is in {paper.language[:40] or 'no language'}; the text is in {told}.",
    )


def _lost(text: Text, edited: Edited) -> Unplaced:
    name, _, rest = edited.id.partition(":")
    if rest and any(one.id == name for one in text.paragraphs):
        return _left(
            "stale",
            edited,
            f"was made on {name} as it stood before; read the alternatives it has now and propose again",
        )
    return _left(
        "unknown",
        edited,
        "is no paragraph of this text as it stands; look whether the paper is of this text and not too old",
    )


def _gone(text: Text, paper: Changes) -> Iterator[Unplaced]:
    """Paragraphs of the text of which nothing stands in a paper, neither as it is now nor as it was."""
    stands = {one.id for one in paper.paragraphs}
    named = {id.partition(":")[0] for id in stands}
    for paragraph in text.paragraphs:
        own = [anchor(place(paragraph, n)) for n, one in enumerate(paragraph.alternatives, 1) if one.words is not None]
        if own and paragraph.id not in named and not stands.intersection(own):
            told = f"Paragraph {paragraph.id} does not stand in the paper; if it is to go, propose that it be omitted."
            yield Unplaced("gone", told, own[0])


def _left(why: Why, edited: Edited, told: str) -> Unplaced:
    return Unplaced(why, f"The change {told}.", edited.id, edited.result, _authors(edited))


def _authors(edited: Edited) -> str:
    runs = [one.by for one in edited.runs if one.kind != "kept" and one.by]
    return ", ".join(dict.fromkeys([*runs, *(one.by for one in edited.remarks if one.by)]))


def _line(words: str) -> str:
    """Words as a text holds them: one line, a space where a line ended or a tab stood, Unicode normal form C."""
    return unicodedata.normalize("NFC", re.sub(r" *[\t\n\r\v\f\x85\u2028\u2029]+ *", " ", words).strip())
