"""Saying something to a text: opening it, proposing words, taking a position. Each is an object of ours, and changes nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

from msgspec import Meta

from comity.desks.negotiated.folding import Folded, one
from comity.desks.negotiated.kinds import KINDS, TEXT, WORD, Opening, Piece, Word
from comity.desks.negotiated.reading import HEAD, TextId, called
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import format
from comity.kernel.procedure import brackets, texts
from comity.kernel.procedure.texts import Alternative, Kind, Operation, Paragraph
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Shared, Told
from comity.node.minting import MILLISECOND
from comity.node.parties import resolve_party
from comity.node.saying import as_held, keep_and_note, minted


class Open(Shared, kw_only=True, forbid_unknown_fields=True):
    """Open a text that several parties negotiate: your first words for it, with those who negotiate it. It goes to them alone."""

    title: Annotated[str, Meta(description="What the text is called.", extra=PLACED)]
    language: Annotated[tuple[str, ...], Meta(description="An authentic language, such as en; once for each.")]
    text: Annotated[
        bytes,
        Meta(
            description="The file with the words: a blank line between paragraphs; of several languages each paragraph has one line "
            "for each, in the order of --language."
        ),
    ]
    party: Annotated[tuple[str, ...], Meta(description="A party that negotiates it, beside us; once for each.")] = ()


def open_(node: Node, asked: Open, officer: str) -> Told:
    """Keep the text."""
    pieces = _pieces(asked.text, len(asked.language))
    with deed(node, officer) as work:
        parties = tuple(dict.fromkeys((node.party, *(resolve_party(work.tx, name).id for name in asked.party))))
        text = texts.draft(asked.language, parties, node.party, ((piece.id, piece.words) for piece in pieces))
        says = Opening(
            name=asked.title, languages=asked.language, parties=parties, paragraphs=pieces, addressed_to=parties
        )
        made = minted(work, TEXT, says)
        TEXT.read(made)
        keep_and_note(work, "text open", [made], asked.handling(work.at), KINDS)
        names = called(work.tx, parties)
    ids = [piece.id for piece in pieces]
    shape = {"id": made["id"], "paragraphs": ids, "parties": list(parties), "digest": texts.digest(text)}
    return Told(shape, [f"{made['id']} is open to {', '.join(names.values())}: {', '.join(ids)}."])


def _pieces(file: bytes, languages: int) -> tuple[Piece, ...]:
    try:
        blocks = file.decode("utf-8-sig").replace("\r\n", "\n").split("\n\n")
    except UnicodeDecodeError as broken:
        raise Usage("desk-asked", "The text is not UTF-8; save it as UTF-8 and give it again.") from broken
    found: list[Piece] = []
    for block in (block.strip() for block in blocks):
        lines = [line.strip() for line in block.split("\n") if line.strip()]
        if not lines:
            continue
        if languages > 1 and len(lines) != languages:
            raise Usage(
                "desk-asked",
                f"Paragraph {len(found) + 1} has {len(lines)} lines for {languages} languages; give each its line.",
            )
        found.append(Piece(id=f"p{len(found) + 1}", words=tuple(lines) if languages > 1 else (" ".join(lines),)))
    if not found:
        raise Usage("desk-asked", "--text says nothing; write at least one paragraph.")
    return tuple(found)


class Propose(Like, kw_only=True, forbid_unknown_fields=True):
    """Propose other words for a paragraph, its omission, or a new paragraph; what others propose stands beside it in brackets."""

    text: TextId
    paragraph: Annotated[
        str, Meta(description="The paragraph's id; of a new one an id that was never used.", extra=PLACED)
    ]
    words: Annotated[
        tuple[str, ...], Meta(description="The words; once for each language of the text, in its order.")
    ] = ()
    delete: Annotated[bool, Meta(description="Propose to omit the paragraph.")] = False
    after: Annotated[str | None, Meta(description="A new paragraph after this one.")] = None
    first: Annotated[bool, Meta(description="A new paragraph before all others.")] = False
    instead: Annotated[
        str | None,
        Meta(description="The alternative of ours that this replaces: its number, or the beginning of its id."),
    ] = None


def propose(node: Node, asked: Propose, officer: str) -> Told:
    """Keep the proposal."""
    new = asked.after is not None or asked.first
    if (asked.delete and (asked.words or new)) or not (asked.delete or asked.words) or (asked.after and asked.first):
        raise Usage("desk-asked", "Say --words, with --after or --first for a new paragraph, or say --delete.")
    if new and asked.instead is not None:
        raise Usage("desk-asked", "A new paragraph replaces nothing; leave --instead away.")
    kind: Kind = "insert" if new else "delete" if asked.delete else "replace"
    with deed(node, officer) as work:
        folded = one(work.tx, node.party, asked.text)
        operation = Operation(kind, node.party, asked.paragraph, texts.digest(folded.text), words=asked.words or None)
        if new:
            operation = replace(operation, after=asked.after or "")
        else:
            paragraph = folded.text.paragraph(asked.paragraph)
            own = "" if asked.instead is None else alternative(paragraph, asked.instead).id
            operation = replace(operation, wording=paragraph.wording, alternative=own)
        return _say(work, "text propose", folded, operation, asked)


class Position(Like, kw_only=True, forbid_unknown_fields=True):
    """Say where we stand on one alternative of a paragraph: it counts for exactly these words, in all languages."""

    text: TextId
    paragraph: Annotated[str, Meta(description="The paragraph's id.", extra=PLACED)]
    alternative: Annotated[
        str, Meta(description="The alternative: its number as shown, or the beginning of its id.", extra=PLACED)
    ]
    accept: Annotated[bool, Meta(description="We accept it.")] = False
    ad_referendum: Annotated[bool, Meta(description="We accept it, subject to our capital.")] = False
    reserve: Annotated[bool, Meta(description="We hold our acceptance back.")] = False
    reject: Annotated[bool, Meta(description="We object to it.")] = False
    withdraw: Annotated[bool, Meta(description="We propose it no longer.")] = False
    reason: Annotated[str, Meta(description="Why; not with --accept and --withdraw.")] = ""


_FLAGS: Final[dict[str, Kind]] = {
    "accept": "accept",
    "ad_referendum": "ad-referendum",
    "reserve": "reserve",
    "reject": "reject",
    "withdraw": "withdraw",
}


def position(node: Node, asked: Position, officer: str) -> Told:
    """Keep the position."""
    said = [kind for flag, kind in _FLAGS.items() if getattr(asked, flag)]
    if len(said) != 1:
        raise Usage("desk-asked", "Say one of --accept, --ad-referendum, --reserve, --reject and --withdraw.")
    with deed(node, officer) as work:
        folded = one(work.tx, node.party, asked.text)
        paragraph = folded.text.paragraph(asked.paragraph)
        operation = Operation(
            said[0],
            node.party,
            paragraph.id,
            texts.digest(folded.text),
            wording=paragraph.wording,
            alternative=alternative(paragraph, asked.alternative).id,
            reason=asked.reason,
        )
        return _say(work, "text position", folded, operation, asked)


def alternative(paragraph: Paragraph, said: str) -> Alternative:
    """An alternative by its number as shown, or by the beginning of its id.

    Raises:
        NotFound: `text-alternative` where there is none, or more than one.
    """
    every = paragraph.alternatives
    if said.isascii() and said.isdigit() and len(said) < 4:
        found = [one for n, one in enumerate(every, 1) if n == int(said)]
    else:
        found = [one for one in every if len(said) >= 4 and one.id.startswith(said)]
    if len(found) != 1:
        raise NotFound(
            "text-alternative",
            f"Paragraph {paragraph.id} has no alternative {said[:70]!r}; it has {len(every)}, see comity text show.",
        )
    return found[0]


def _say(work: Deed, name: str, folded: Folded, operation: Operation, asked: Like) -> Told:
    after = texts.apply(folded.text, operation)
    parties = folded.opening.parties
    says = Word(
        text_ref=folded.opened.id,
        opening=texts.digest(folded.opening),
        operations=(texts.operation_json(operation),),
        addressed_to=parties,
    )
    made = minted(work, WORD, says)
    ours = [step.word.at for step in folded.said if step.word.by == work.node.party]
    # what we say is told after what we said before, whatever our clock did in between
    at = format(max(work.at - work.at % MILLISECOND, *(at - at % MILLISECOND + MILLISECOND for at in (0, *ours))))
    made |= {"created": at, "modified": at}
    handling = as_held(work.tx, work.node.party, asked.handling(work.at), folded.opened.seen)
    if handling.tlp is None:
        raise Usage("handling", "Say --tlp: nothing here says how this may be shared.")
    keep_and_note(work, name, [made], handling, KINDS, text=folded.opened.id)
    names = called(work.tx, parties)
    now = after.paragraph(operation.paragraph)
    written = brackets.render(replace(after, paragraphs=(now,)), names).splitlines()[HEAD:]
    shape = {
        "id": made["id"],
        "text": folded.opened.id,
        "operation": texts.operation_json(operation),
        "agreed": now.agreed,
        "digest": texts.digest(after),
    }
    return Told(shape, Lines().add(f"Said: {operation.kind} on {operation.paragraph}.", *written).found)


DEEDS = (
    DeskDeed("text open", "sign", Open, open_),
    DeskDeed("text propose", "sign", Propose, propose),
    DeskDeed("text position", "sign", Position, position),
)
