"""Negotiated texts: paragraphs with stable ids, bracketed alternatives, and each party's position on each of them.

A paragraph is agreed words, or alternatives in brackets. An alternative is a wording in every authentic language, or the
omission of the paragraph. Its id is the SHA-256 of its words: who accepts it accepts exactly these words in all
languages, and nobody's acceptance passes to other words. The positions are

    accepts          also whoever proposes it, unless it says ad referendum
    ad-referendum    accepts, subject to its capital; counts as acceptance and is always named beside it
    reserves         holds its acceptance back, with a reason; does not accept
    objects          does not accept

and no position at all, which is silence and not acceptance. Silence counts only for parties that the caller names,
because a silence procedure ran for them from an officer's receipt of this text, and only where it can mean one thing: the
paragraph has one alternative and the party has said nothing on it.

Brackets fall when a paragraph has one alternative left and every party of the text accepts it, none of them ad
referendum. They return when a party proposes other words for it, rejects it, reserves on it or brackets it; the others'
acceptance then stands in their name.

Operations are data. Each names the digest of the text it was made against, and the digest of the wording of its
paragraph, which is the list of its alternatives. An operation on a paragraph whose wording changed since is refused
(`text-stale`). Where only other paragraphs changed, or only positions and comments, it applies as it is (rebased). An
insertion needs its predecessor to exist; of two insertions after one paragraph the later stands nearer to it.

Nothing is dropped because it lost: `acceptable` finds what a set of parties can all accept and gives clean words, whose
digest an adoption binds to; the negotiating text stays as it is.

Source: design.md section 5, Procedure; docs/formats/texts.md; ADR 0012.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal, get_args

from comity.kernel.errors import ComityError, InputRefused, NotAllowed, NotFound
from comity.kernel.model.names import flaw_of_text
from comity.kernel.seal.canonical import canonical

FORM: Final = 1
MOST_WORDS: Final = 20_000
"""The most characters of one paragraph in one language; a reason or comment has a tenth of it."""
MOST_PARAGRAPHS: Final = 2_000
MOST_ALTERNATIVES: Final = 64
MOST_COMMENTS: Final = 1_000

Stance = Literal["accepts", "ad-referendum", "reserves", "objects"]
Kind = Literal[
    "insert", "delete", "replace", "bracket", "accept", "ad-referendum", "reserve", "reject", "withdraw", "comment"
]
Standing = Literal["current", "rebased", "stale"]
Words = tuple[str, ...]  # one text for each language of the text, in its order

_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?", re.ASCII)
PARTY_NAME: Final = re.compile(r"\w[\w.'-]{0,99}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", re.ASCII)


# ---------------------------------------------------------------- the text


@dataclass(frozen=True, slots=True)
class Position:
    """What one party says of one alternative, with its reason, which may be empty."""

    party: str
    stance: Stance
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark on a paragraph; it changes nothing."""

    party: str
    words: str


@dataclass(frozen=True, slots=True)
class Alternative:
    """One wording of a paragraph: `words` in the order of the text's languages, or None for its omission.

    Proponents and positions are sorted by party; a proponent accepts and has no other position than ad referendum.
    """

    words: Words | None
    proponents: tuple[str, ...] = ()
    positions: tuple[Position, ...] = ()

    @property
    def id(self) -> str:
        """The SHA-256 of the words in all languages, in hex."""
        return _alternative_id(self.words)

    def stance(self, party: str) -> Stance | None:
        """What a party's position on it is; None for silence."""
        for one in self.positions:
            if one.party == party:
                return one.stance
        return "accepts" if party in self.proponents else None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph as it stands. `agreed` has one alternative without names; without alternatives it was withdrawn."""

    id: str
    alternatives: tuple[Alternative, ...]
    agreed: bool = False
    comments: tuple[Comment, ...] = ()

    @property
    def wording(self) -> str:
        """The digest of what is on the table: the paragraph's id and its alternatives in their order."""
        return _digest("paragraph", [self.id, [one.id for one in self.alternatives]])

    def alternative(self, id: str) -> Alternative:
        """The alternative with this id.

        Raises:
            NotFound: `text-alternative`.
        """
        for one in self.alternatives:
            if one.id == id:
                return one
        raise NotFound("text-alternative", f"Paragraph {self.id} has no such alternative; look at it as it stands now.")

    def spoke(self, party: str) -> bool:
        """Whether a party has proposed something here or taken a position."""
        return any(one.stance(party) is not None for one in self.alternatives)


@dataclass(frozen=True, slots=True)
class Text:
    """A text under negotiation.

    Args:
        languages: The authentic languages (BCP 47), each once; all are equal, the order is that of `Alternative.words`.
        parties: Who negotiates it, each once: party ids or short names without spaces.
        paragraphs: In their order, each id once.

    Raises:
        InputRefused: `text-form`, `text-words`.
    """

    languages: tuple[str, ...]
    parties: tuple[str, ...]
    paragraphs: tuple[Paragraph, ...] = ()

    def __post_init__(self) -> None:
        _check_text(self)

    def paragraph(self, id: str) -> Paragraph:
        """The paragraph with this id.

        Raises:
            NotFound: `text-paragraph`.
        """
        for one in self.paragraphs:
            if one.id == id:
                return one
        raise NotFound("text-paragraph", f"The text has no paragraph {id}; use the ids of the text at hand.")


@dataclass(frozen=True, slots=True)
class Clean:
    """Words without brackets: what is adopted. Paragraphs are (id, words) in their order; omitted ones are not there."""

    languages: tuple[str, ...]
    paragraphs: tuple[tuple[str, Words], ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One deed on a text, as data.

    Args:
        kind: What is done.
        by: The party.
        paragraph: Its id; for an insertion the id of the new one, which must never have been used.
        text: The digest of the text it was made against.
        wording: `Paragraph.wording` of the paragraph as its author saw it; empty for an insertion.
        alternative: The alternative it speaks of; for `replace` and `delete` one's own that gives way, or empty.
        words: For `insert` and `replace`, in the order of the text's languages.
        after: For `insert`: the paragraph it stands after, or empty for the beginning.
        reason: For `reserve`, `reject`, `ad-referendum`, `bracket`; the remark itself for `comment`. Else empty.
    """

    kind: Kind
    by: str
    paragraph: str
    text: str
    wording: str = ""
    alternative: str = ""
    words: Words | None = None
    after: str = ""
    reason: str = ""


def draft(
    languages: Sequence[str], parties: Sequence[str], by: str, paragraphs: Iterable[tuple[str, Sequence[str]]]
) -> Text:
    """A first text: every paragraph (id, words) is a proposal of `by`.

    Raises:
        InputRefused: `text-form`, `text-words`.
    """
    given = tuple(Paragraph(id, (Alternative(tuple(words), (by,)),)) for id, words in paragraphs)
    return Text(tuple(languages), tuple(parties), tuple(_settled(one, parties) for one in given))


def digest(text: Text | Clean) -> str:
    """The SHA-256 in hex of a text as it stands, or of clean words; an adoption binds to the latter.

    SHA-256(0x00 ‖ "comity/text/1" ‖ JCS(form)), with "comity/clean/1" for clean words (docs/formats/texts.md).
    """
    return _digest("text" if isinstance(text, Text) else "clean", as_json(text))


# ---------------------------------------------------------------- operations


def standing(text: Text, operation: Operation) -> Standing:
    """Whether an operation was made against this very text, can be applied to it as it is, or has to be made again."""
    if operation.text == digest(text):
        return "current"
    known = {one.id: one.wording for one in text.paragraphs}
    if operation.kind == "insert":
        return "rebased" if not operation.after or operation.after in known else "stale"
    return "rebased" if known.get(operation.paragraph) == operation.wording else "stale"


def apply(text: Text, operation: Operation) -> Text:
    """The text after one operation; the text given stays as it is.

    Raises:
        NotAllowed: `text-party`, `text-stale`, `text-own`, `text-paragraph` when an insertion's id is taken.
        NotFound: `text-paragraph`, `text-alternative`.
        InputRefused: `text-form`, `text-words`, `text-language`.
    """
    _check_operation(text, operation)
    if operation.kind == "insert":
        return _insert(text, operation)
    paragraph = text.paragraph(operation.paragraph)
    if operation.wording != paragraph.wording:
        raise NotAllowed(
            "text-stale",
            f"Paragraph {paragraph.id} has other alternatives now than when {operation.by} wrote; "
            "read it as it stands and decide again.",
            paragraph=paragraph.id,
            wording=paragraph.wording,
        )
    changed = _settled(_DEEDS[operation.kind](text, paragraph, operation), text.parties)
    return _with(text, changed)


def without(text: Text, party: str) -> Text:
    """The text after a party has left the table: its positions go, and what it alone proposed as if it withdrew it.

    Raises:
        NotAllowed: `text-party`, also when it is the last one.
    """
    if party not in text.parties or len(text.parties) == 1:
        raise NotAllowed("text-party", f"{party} does not negotiate this text, or is the last that does.")
    left = tuple(one for one in text.parties if one != party)
    out = []
    for paragraph in text.paragraphs:
        for one in paragraph.alternatives:
            if party in one.proponents:
                paragraph = _withdrawn(paragraph, one, party)
        kept = tuple(
            replace(one, positions=tuple(p for p in one.positions if p.party != party))
            for one in paragraph.alternatives
        )
        comments = tuple(one for one in paragraph.comments if one.party != party)
        out.append(_settled(replace(paragraph, alternatives=kept, comments=comments), left))
    return Text(text.languages, left, tuple(out))


def _insert(text: Text, operation: Operation) -> Text:
    if any(one.id == operation.paragraph for one in text.paragraphs):
        raise NotAllowed(
            "text-paragraph", f"The id {operation.paragraph} is taken, also if withdrawn; give the paragraph another."
        )
    at = 0
    if operation.after:
        at = text.paragraphs.index(text.paragraph(operation.after)) + 1
    new = _settled(Paragraph(operation.paragraph, (Alternative(operation.words, (operation.by,)),)), text.parties)
    return replace(text, paragraphs=(*text.paragraphs[:at], new, *text.paragraphs[at:]))


def _propose(text: Text, paragraph: Paragraph, operation: Operation) -> Paragraph:
    """`replace` and `delete`: other words, or none, beside what stands or in place of one's own."""
    words = operation.words if operation.kind == "replace" else None
    new = Alternative(words, (operation.by,))
    open_ = _reopened(paragraph, text.parties, operation.by)
    at = len(open_.alternatives)
    if operation.alternative:
        own = open_.alternative(operation.alternative)
        _check_proponent(own, operation.by)
        if own.id == new.id:
            return open_
        at = open_.alternatives.index(own)
        left = _left(own, operation.by)
        alternatives = list(open_.alternatives)
        alternatives[at : at + 1] = [left] if left is not None else []
        at += left is not None
        open_ = replace(open_, alternatives=tuple(alternatives))
    for one in open_.alternatives:
        if one.id == new.id:
            return _put(open_, one, _joined(one, operation.by))
    return replace(open_, alternatives=(*open_.alternatives[:at], new, *open_.alternatives[at:]))


def _bracket(text: Text, paragraph: Paragraph, operation: Operation) -> Paragraph:
    """Take back one's acceptance of all that others propose here."""
    open_ = _reopened(paragraph, text.parties, operation.by)
    for one in open_.alternatives:
        if operation.by not in one.proponents and one.stance(operation.by) != "objects":
            open_ = _put(open_, one, positioned(one, operation.by, "reserves", operation.reason))
    return open_


def _take_position(text: Text, paragraph: Paragraph, operation: Operation) -> Paragraph:
    stance = _STANCES[operation.kind]
    one = paragraph.alternative(operation.alternative)
    if paragraph.agreed and stance == "accepts":
        return paragraph
    if operation.by in one.proponents and stance in ("reserves", "objects"):
        raise NotAllowed(
            "text-own",
            f"{operation.by} proposes these words itself; withdraw them, or propose others.",
            **_at(paragraph),
        )
    open_ = _reopened(paragraph, text.parties, operation.by)
    one = open_.alternative(operation.alternative)
    return _put(open_, one, positioned(one, operation.by, stance, operation.reason))


def _withdraw(_text: Text, paragraph: Paragraph, operation: Operation) -> Paragraph:
    one = paragraph.alternative(operation.alternative)
    _check_proponent(one, operation.by)
    return _withdrawn(paragraph, one, operation.by)


def _comment(_text: Text, paragraph: Paragraph, operation: Operation) -> Paragraph:
    return replace(paragraph, comments=(*paragraph.comments, Comment(operation.by, operation.reason)))


_DEEDS: Final[Mapping[Kind, Callable[[Text, Paragraph, Operation], Paragraph]]] = {
    "replace": _propose,
    "delete": _propose,
    "bracket": _bracket,
    "accept": _take_position,
    "ad-referendum": _take_position,
    "reserve": _take_position,
    "reject": _take_position,
    "withdraw": _withdraw,
    "comment": _comment,
}
_STANCES: Final[Mapping[Kind, Stance]] = {
    "accept": "accepts",
    "ad-referendum": "ad-referendum",
    "reserve": "reserves",
    "reject": "objects",
}


def _at(paragraph: Paragraph) -> dict[str, str]:
    return {"paragraph": paragraph.id}


def _check_proponent(one: Alternative, party: str) -> None:
    if party not in one.proponents:
        raise NotAllowed("text-own", f"{party} does not propose these words; it can reject them or propose others.")


def _settled(paragraph: Paragraph, parties: Sequence[str]) -> Paragraph:
    """Brackets fall where one alternative is left and all accept it."""
    if paragraph.agreed or not _all_accept(paragraph, parties):
        return paragraph
    return replace(paragraph, alternatives=(Alternative(paragraph.alternatives[0].words),), agreed=True)


def _all_accept(paragraph: Paragraph, parties: Sequence[str]) -> bool:
    return len(paragraph.alternatives) == 1 and all(
        paragraph.alternatives[0].stance(one) == "accepts" for one in parties
    )


def _reopened(paragraph: Paragraph, parties: Sequence[str], by: str) -> Paragraph:
    """Brackets return; everybody but the one that opens them still accepts."""
    if not paragraph.agreed:
        return paragraph
    accept = tuple(Position(one, "accepts") for one in sorted(parties) if one != by)
    return replace(paragraph, alternatives=(replace(paragraph.alternatives[0], positions=accept),), agreed=False)


def positioned(one: Alternative, party: str, stance: Stance, reason: str) -> Alternative:
    """The alternative with this party's position on it in place of the one it had."""
    kept = [position for position in one.positions if position.party != party]
    if not (party in one.proponents and stance == "accepts"):
        kept.append(Position(party, stance, reason))
    return replace(one, positions=tuple(sorted(kept, key=lambda position: position.party)))


def _joined(one: Alternative, party: str) -> Alternative:
    positions = tuple(position for position in one.positions if position.party != party)
    return replace(one, proponents=tuple(sorted({*one.proponents, party})), positions=positions)


def _left(one: Alternative, party: str) -> Alternative | None:
    """What is left of a proposal when a proponent leaves it: nothing, unless others propose or accept it.

    Those who accept words that nobody else proposes any more take them over.
    """
    proponents = tuple(other for other in one.proponents if other != party)
    positions = tuple(position for position in one.positions if position.party != party)
    if not proponents:
        proponents = tuple(position.party for position in positions if position.stance in ("accepts", "ad-referendum"))
        positions = tuple(position for position in positions if position.stance != "accepts")
    return Alternative(one.words, proponents, positions) if proponents else None


def _withdrawn(paragraph: Paragraph, one: Alternative, party: str) -> Paragraph:
    return _put(paragraph, one, _left(one, party))


def _put(paragraph: Paragraph, old: Alternative, new: Alternative | None) -> Paragraph:
    changed = (new if one.id == old.id else one for one in paragraph.alternatives)
    return replace(paragraph, alternatives=tuple(one for one in changed if one is not None))


def _with(text: Text, changed: Paragraph) -> Text:
    return replace(text, paragraphs=tuple(changed if one.id == changed.id else one for one in text.paragraphs))


# ---------------------------------------------------------------- what can be accepted


@dataclass(frozen=True, slots=True)
class Choice:
    """The one alternative of a paragraph that all can accept; who does so ad referendum, and who by silence."""

    paragraph: str
    alternative: str
    ad_referendum: tuple[str, ...] = ()
    by_silence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tie:
    """Several alternatives of a paragraph that all can accept: somebody has to choose."""

    paragraph: str
    alternatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blocked:
    """A paragraph with nothing that all can accept: for each alternative who does not, and why.

    `by` has entries (alternative, party, "objects" or "reserves" or "silent").
    """

    paragraph: str
    by: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Acceptable:
    """What a set of parties can all accept. `words` is None while a paragraph is tied or blocked."""

    words: Clean | None
    choices: tuple[Choice, ...]
    ties: tuple[Tie, ...]
    blocked: tuple[Blocked, ...]


def acceptable(
    text: Text,
    parties: Collection[str],
    *,
    silent: Collection[str] = (),
    prefer: Mapping[str, str] | None = None,
) -> Acceptable:
    """Which text these parties can all accept.

    Args:
        text: As it stands.
        parties: Some or all of its parties.
        silent: Of these, the parties whose silence counts: a silence procedure on this text has run out for them.
        prefer: Paragraph id to alternative id: what is taken where a paragraph is tied. It breaks nothing but ties.

    Raises:
        NotAllowed: `text-party` when a party does not negotiate the text, or none is given.
    """
    asked = tuple(one for one in text.parties if one in parties)
    if not asked or len(asked) != len(set(parties)):
        raise NotAllowed("text-party", "Name at least one party, and only parties that negotiate this text.")
    choices: list[Choice] = []
    ties: list[Tie] = []
    blocked: list[Blocked] = []
    for paragraph in text.paragraphs:
        if not paragraph.alternatives:
            continue
        if paragraph.agreed:
            choices.append(Choice(paragraph.id, paragraph.alternatives[0].id))
            continue
        mute = {one for one in silent if _silence_counts(paragraph, one)}
        against = {one.id: _against(one, asked, mute) for one in paragraph.alternatives}
        fit = [one for one in paragraph.alternatives if not against[one.id]]
        preferred = [one for one in fit if prefer is not None and prefer.get(paragraph.id) == one.id]
        if not fit:
            by = tuple((id, party, why) for id, those in against.items() for party, why in those)
            blocked.append(Blocked(paragraph.id, by))
        elif len(fit) > 1 and not preferred:
            ties.append(Tie(paragraph.id, tuple(one.id for one in fit)))
        else:
            one = (preferred or fit)[0]
            conditional = tuple(party for party in asked if one.stance(party) == "ad-referendum")
            quiet = tuple(party for party in asked if one.stance(party) is None)
            choices.append(Choice(paragraph.id, one.id, conditional, quiet))
    words = None if ties or blocked else _clean(text, {one.paragraph: one.alternative for one in choices})
    return Acceptable(words, tuple(choices), tuple(ties), tuple(blocked))


def silences(text: Text, party: str) -> tuple[str, ...]:
    """The paragraphs on which a party's silence would count in a silence procedure: one alternative, and it has not
    spoken. On the others it accepts, or has to say what it does.

    Raises:
        NotAllowed: `text-party`.
    """
    _check_party(text, party)
    return tuple(one.id for one in text.paragraphs if _silence_counts(one, party))


def _silence_counts(paragraph: Paragraph, party: str) -> bool:
    return len(paragraph.alternatives) == 1 and not paragraph.agreed and not paragraph.spoke(party)


def _against(one: Alternative, parties: Sequence[str], mute: Collection[str]) -> list[tuple[str, str]]:
    out = []
    for party in parties:
        stance = one.stance(party)
        if stance in ("reserves", "objects"):
            out.append((party, str(stance)))
        elif stance is None and party not in mute:
            out.append((party, "silent"))
    return out


def _clean(text: Text, chosen: Mapping[str, str]) -> Clean:
    words = (
        (paragraph.id, paragraph.alternative(chosen[paragraph.id]).words)
        for paragraph in text.paragraphs
        if paragraph.id in chosen
    )
    return Clean(text.languages, tuple((id, said) for id, said in words if said is not None))


# ---------------------------------------------------------------- what changed


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two states of a text.

    `kind` is `paragraph-added`, `paragraph-gone`, `agreed`, `reopened`, `alternative-added`, `alternative-gone`,
    `proposed` (the party joined the proponents), `left`, `position` (from `before` to `after`, each with its reason; empty is silence),
    `comment` or `party-left`.
    """

    kind: str
    paragraph: str
    alternative: str = ""
    party: str = ""
    before: str = ""
    after: str = ""


def changes(before: Text, after: Text) -> tuple[Change, ...]:
    """What changed from one state to a later one, paragraph by paragraph in the order of the later.

    A paragraph that becomes agreed is told as that, without the positions that fall with its brackets.
    """
    out = [Change("party-left", "", party=one) for one in before.parties if one not in after.parties]
    old = {one.id: one for one in before.paragraphs}
    for paragraph in after.paragraphs:
        was = old.get(paragraph.id)
        out += [Change("paragraph-added", paragraph.id)] if was is None else _changes(was, paragraph, after.parties)
    kept = {one.id for one in after.paragraphs}
    out += [Change("paragraph-gone", one.id) for one in before.paragraphs if one.id not in kept]
    return tuple(out)


def _changes(was: Paragraph, now: Paragraph, parties: Sequence[str]) -> list[Change]:
    out: list[Change] = []
    old, new = {one.id: one for one in was.alternatives}, {one.id: one for one in now.alternatives}
    if was.agreed != now.agreed:
        out.append(Change("agreed" if now.agreed else "reopened", now.id))
    out += [Change("alternative-gone", now.id, one) for one in old if one not in new]
    for id, one in new.items():
        if id not in old:
            out.append(Change("alternative-added", now.id, id))
        if now.agreed:
            continue
        former = old.get(id, Alternative(one.words))
        out += [Change("proposed", now.id, id, party) for party in one.proponents if party not in former.proponents]
        out += [Change("left", now.id, id, party) for party in former.proponents if party not in one.proponents]
        for party in parties:
            before = "accepts" if was.agreed and id in old else _said(former, party)
            after = _said(one, party)
            new_proponent = party in one.proponents and party not in former.proponents
            if before != after and not (after == "accepts" and new_proponent):
                out.append(Change("position", now.id, id, party, before, after))
    out += [Change("comment", now.id, party=one.party, after=one.words) for one in now.comments[len(was.comments) :]]
    return out


def _said(one: Alternative, party: str) -> str:
    reason = next((position.reason for position in one.positions if position.party == party), "")
    return f"{one.stance(party) or ''}{': ' if reason else ''}{reason}"


# ---------------------------------------------------------------- as JSON


def as_json(text: Text | Clean) -> dict[str, Any]:
    """The form of docs/formats/texts.md: what a snapshot carries and a digest is of."""
    if isinstance(text, Clean):
        words = [{"id": id, "words": list(said)} for id, said in text.paragraphs]
        return {"form": FORM, "languages": list(text.languages), "paragraphs": words}
    return {
        "form": FORM,
        "languages": list(text.languages),
        "parties": list(text.parties),
        "paragraphs": [
            {
                "id": paragraph.id,
                "agreed": paragraph.agreed,
                "alternatives": [
                    {
                        "words": None if one.words is None else list(one.words),
                        "proponents": list(one.proponents),
                        "positions": [
                            {"party": p.party, "stance": p.stance, "reason": p.reason} for p in one.positions
                        ],
                    }
                    for one in paragraph.alternatives
                ],
                "comments": [{"party": one.party, "words": one.words} for one in paragraph.comments],
            }
            for paragraph in text.paragraphs
        ],
    }


def read_text(form: object) -> Text:
    """A text from its JSON form, checked whole.

    Raises:
        InputRefused: `text-form`, `text-words`.
    """
    read: Any = form
    try:
        text = Text(
            tuple(read["languages"]),
            tuple(read["parties"]),
            tuple(
                Paragraph(
                    paragraph["id"],
                    tuple(
                        Alternative(
                            None if one["words"] is None else tuple(one["words"]),
                            tuple(one["proponents"]),
                            tuple(Position(p["party"], p["stance"], p["reason"]) for p in one["positions"]),
                        )
                        for one in paragraph["alternatives"]
                    ),
                    paragraph["agreed"],
                    tuple(Comment(one["party"], one["words"]) for one in paragraph["comments"]),
                )
                for paragraph in read["paragraphs"]
            ),
        )
        if read["form"] == FORM and canonical(as_json(text)) == canonical(read):
            return text
    except (TypeError, KeyError, AttributeError) as broken:
        raise malformed("a member is missing or has the wrong form") from broken
    raise malformed("it has members that this form does not have, or another form")


def operation_json(operation: Operation) -> dict[str, Any]:
    """An operation as JSON, the same members always."""
    return {
        "form": FORM,
        "kind": operation.kind,
        "by": operation.by,
        "paragraph": operation.paragraph,
        "text": operation.text,
        "wording": operation.wording,
        "alternative": operation.alternative,
        "words": None if operation.words is None else list(operation.words),
        "after": operation.after,
        "reason": operation.reason,
    }


def read_operation(form: object) -> Operation:
    """An operation from its JSON form. Whether it can be applied shows when it is.

    Raises:
        InputRefused: `text-form`.
    """
    read: Any = form
    try:
        words = None if read["words"] is None else tuple(read["words"])
        rest = {name: read[name] for name in ("by", "paragraph", "text", "wording", "alternative", "after", "reason")}
        operation = Operation(kind=read["kind"], words=words, **rest)
        if (
            read["kind"] in get_args(Kind)
            and all(type(one) is str for one in (*rest.values(), *(words or ())))
            and canonical(operation_json(operation)) == canonical(read)
        ):
            return operation
    except (TypeError, KeyError, AttributeError) as broken:
        raise malformed("a member of the operation is missing or has the wrong form") from broken
    raise malformed("the operation is of no known kind, or has members of another form")


# ---------------------------------------------------------------- checks


def _digest(label: str, value: Any) -> str:
    return sha256(b"\x00comity/" + label.encode() + b"/1" + canonical(value)).hexdigest()


@lru_cache(maxsize=8192)
def _alternative_id(words: Words | None) -> str:
    return _digest("alternative", None if words is None else list(words))


def malformed(fault: str) -> InputRefused:
    """The refusal `text-form` of something that is no text, with what is wrong as the end of a sentence."""
    return InputRefused("text-form", f"This text cannot be used: {fault}.", clause="docs/formats/texts.md")


def _check_party(text: Text, party: str) -> None:
    if party not in text.parties:
        raise NotAllowed("text-party", f"{party} does not negotiate this text.", party=party)


def _check_operation(text: Text, operation: Operation) -> None:
    _check_party(text, operation.by)
    if operation.kind in ("insert", "replace"):
        if operation.words is None or len(operation.words) != len(text.languages):
            raise InputRefused(
                "text-language",
                f"Give the words in each of {', '.join(text.languages)}; the languages are equally authentic.",
            )
    elif operation.words is not None:
        raise malformed(f"the operation {operation.kind} brings words and cannot")
    unused = (
        operation.after if operation.kind != "insert" else operation.wording,
        operation.alternative if operation.kind in ("insert", "bracket", "comment") else "",
    )
    if any(unused):
        raise malformed(f"the operation {operation.kind} names something it does not use")
    if operation.kind not in get_args(Kind):
        raise malformed("the operation is of no known kind")
    if operation.kind == "comment" and not operation.reason:
        raise malformed("a comment says nothing")
    if operation.reason and operation.kind not in ("comment", "bracket", "ad-referendum", "reserve", "reject"):
        raise malformed(f"the operation {operation.kind} takes no reason")


@lru_cache(maxsize=8192)  # a text is checked whole after each operation, and most of it has not changed
def _flaw(words: str, most: int) -> str | None:
    return flaw_of_text(words, most)


def _check_words(words: object, most: int) -> None:
    if type(words) is not str:
        raise malformed("words are no text")
    fault = _flaw(words, most)
    if fault:
        raise InputRefused("text-words", f"The text {words[:40]!r} {fault}; correct it.")


def _check_text(text: Text) -> None:
    if not text.languages or len(set(text.languages)) != len(text.languages):
        raise malformed("its languages must be named, each once")
    if not all(type(one) is str and _LANGUAGE.fullmatch(one) for one in text.languages):
        raise malformed("a language is no BCP 47 tag")
    if not text.parties or len(set(text.parties)) != len(text.parties):
        raise malformed("its parties must be named, each once")
    if not all(type(one) is str and PARTY_NAME.fullmatch(one) for one in text.parties):
        raise malformed("a party's name must be one word")
    if len(text.paragraphs) > MOST_PARAGRAPHS:
        raise malformed(f"it has more than {MOST_PARAGRAPHS} paragraphs")
    if len({one.id for one in text.paragraphs}) != len(text.paragraphs):
        raise malformed("two paragraphs have one id")
    for paragraph in text.paragraphs:
        try:
            _check_paragraph(text, paragraph)
        except ComityError as broken:
            broken.detail.setdefault("paragraph", paragraph.id)
            raise


def _check_paragraph(text: Text, paragraph: Paragraph) -> None:
    if type(paragraph.id) is not str or _ID.fullmatch(paragraph.id) is None:
        raise malformed("the id of a paragraph is 1 to 40 lower-case letters, digits, dots and hyphens")
    if len(paragraph.alternatives) > MOST_ALTERNATIVES or len(paragraph.comments) > MOST_COMMENTS:
        raise malformed(f"a paragraph has at most {MOST_ALTERNATIVES} alternatives and {MOST_COMMENTS} comments")
    if len({one.id for one in paragraph.alternatives}) != len(paragraph.alternatives):
        raise malformed("two alternatives of a paragraph have the same words")
    bare = all(not one.proponents and not one.positions for one in paragraph.alternatives)
    if type(paragraph.agreed) is not bool or (paragraph.agreed and not (bare and len(paragraph.alternatives) == 1)):
        raise malformed("an agreed paragraph has one alternative, and nobody's name in it")
    if not paragraph.agreed and _all_accept(paragraph, text.parties):
        raise malformed("what all accept stands without brackets")
    for one in paragraph.alternatives:
        _check_alternative(text, one)
    for comment in paragraph.comments:
        if comment.party not in text.parties:
            raise malformed("a comment is by none of its parties")
        _check_words(comment.words, MOST_WORDS // 10)


def _check_alternative(text: Text, one: Alternative) -> None:
    if one.words is not None:
        if len(one.words) != len(text.languages):
            raise malformed("an alternative must stand in every language")
        for words in one.words:
            _check_words(words, MOST_WORDS)
    names = [position.party for position in one.positions]
    if list(one.proponents) != sorted(set(one.proponents)) or names != sorted(set(names)):
        raise malformed("proponents and positions stand sorted by party, each once")
    if not {*one.proponents, *names} <= set(text.parties):
        raise malformed("somebody takes a position who is none of its parties")
    for position in one.positions:
        if position.stance not in get_args(Stance):
            raise malformed("a position is none of accepts, ad-referendum, reserves, objects")
        if position.party in one.proponents and position.stance != "ad-referendum":
            raise malformed("a proponent accepts what it proposes")
        if position.reason != "":
            _check_words(position.reason, MOST_WORDS // 10)
