"""Reading a text: with its brackets and who stands where, what is left open, and what a set of parties can all accept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.negotiated.folding import Folded, one
from comity.desks.negotiated.kinds import TEXT
from comity.kernel.errors import ComityError
from comity.kernel.model.instants import format
from comity.kernel.model.names import legible
from comity.kernel.procedure import brackets, texts
from comity.kernel.procedure.texts import PARTY_NAME, Alternative
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.minting import newest
from comity.node.parties import name_of, resolve_party
from comity.node.saying import Defect, read, words

TextId = Annotated[str, Meta(description="The text's id.", extra=PLACED)]

HEAD: Final = 3
"""The lines before the first paragraph of a text as it is written."""


def called(tx: Reading, parties: Sequence[str]) -> dict[str, str]:
    """What each party is called in a text: its name in one word; its id where that is none, or another's."""
    found = {id: re.sub(r"[^\w.'-]+", "-", name_of(tx, id, apart=False)).strip("-") for id in parties}
    names = list(found.values())
    return {id: name if names.count(name) == 1 and PARTY_NAME.fullmatch(name) else id for id, name in found.items()}


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show a text as it stands here: in brackets, with who stands where, what is open, and what of it does not count."""

    text: TextId


def show(node: Node, asked: Show, officer: str) -> Told:
    """The text."""
    with node.store.read() as tx:
        folded = one(tx, node.party, asked.text)
        text, opened = folded.text, folded.opened
        names = called(tx, text.parties)
        written = brackets.render(text, names)
        parties: list[dict[str, Any]] = [
            {"party": id, "name": name_of(tx, id), "words": _heard(folded, id)} for id in text.parties
        ]
        defects = [item.as_json(tx) for item in folded.defects]
        opener = opened.named(tx)
    open_ = [item.id for item in text.paragraphs if item.alternatives and not item.agreed]
    lines = Lines().add(f"{legible(opened.says.name)}, opened by {opener} on {format(opened.at)}.", "")
    lines.add(*written.splitlines(), "")
    lines.add(f"Open: {', '.join(open_)}." if open_ else "Nothing is open: all agree on every paragraph.")
    quiet = [item["name"] for item in parties if not item["words"] and item["party"] != opened.by]
    if quiet:
        lines.add(f"Nothing has come here of what {', '.join(quiet)} said, if anything.")
    lines.add(*(_defect(item) for item in defects))
    shape = {
        "id": opened.id,
        "title": opened.says.name,
        "by": opened.by,
        "text": texts.as_json(text),
        "alternatives": {item.id: [each.id for each in item.alternatives] for item in text.paragraphs},
        "written": written,
        "open": open_,
        "parties": parties,
        "digest": texts.digest(text),
        "defects": defects,
    }
    return Told(shape, lines.found)


def _heard(folded: Folded, party: str) -> int:
    return len({step.word.id for step in folded.said if step.word.by == party})


def _defect(item: Mapping[str, Any]) -> str:
    return f"Does not count: {item['id']} of {item['name']}. {item['sentence']}"


class Acceptable(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Tell which text a set of parties can all accept, and where there is none, who stands in the way of what."""

    text: TextId
    party: Annotated[
        tuple[str, ...], Meta(description="One of these parties; once for each. Without it, all that negotiate it.")
    ] = ()


def acceptable(node: Node, asked: Acceptable, officer: str) -> Told:
    """What they can accept. Silence is no acceptance here: no silence procedure ran."""
    with node.store.read() as tx:
        folded = one(tx, node.party, asked.text)
        text = folded.text
        parties = tuple(dict.fromkeys(resolve_party(tx, name).id for name in asked.party)) or text.parties
        found = texts.acceptable(text, parties)
        names = called(tx, text.parties)
        defects = len(folded.defects)
    who = ", ".join(names[id] for id in parties)
    lines = Lines()
    if found.words is not None:
        lines.add(f"{who} can all accept this text:", "")
        for id, said in found.words.paragraphs:
            lines.add(f"({id})", *(f"{language}: {each}" for language, each in zip(text.languages, said, strict=True)))
        lines.add("")
    else:
        lines.add(f"There is no whole text that {who} can all accept.")
    for choice in found.choices:
        if choice.ad_referendum:
            lines.add(f"{choice.paragraph}: ad referendum {', '.join(names[id] for id in choice.ad_referendum)}.")
    for tie in found.ties:
        numbers = ", ".join(str(_number(text, tie.paragraph, id)) for id in tie.alternatives)
        lines.add(f"{tie.paragraph}: all accept each of {numbers}; somebody has to choose.")
    for block in found.blocked:
        lines.add(f"{block.paragraph}: nothing that all accept.")
        for id, party, why in block.by:
            lines.add(f"  {_number(text, block.paragraph, id)}: {names[party]} {_WHY[why]}")
    if defects:
        lines.add(f"{defects} that came here do not count; comity text show says which and why.")
    shape = {
        "id": folded.opened.id,
        "parties": list(parties),
        "words": None if found.words is None else texts.as_json(found.words),
        "digest": None if found.words is None else texts.digest(found.words),
        "choices": [
            {"paragraph": each.paragraph, "alternative": each.alternative, "ad_referendum": list(each.ad_referendum)}
            for each in found.choices
        ],
        "ties": [{"paragraph": each.paragraph, "alternatives": list(each.alternatives)} for each in found.ties],
        "blocked": [
            {
                "paragraph": block.paragraph,
                "by": [{"alternative": id, "party": party, "why": why} for id, party, why in block.by],
            }
            for block in found.blocked
        ],
        "defects": defects,
    }
    return Told(shape, lines.found)


_WHY: Final = {"objects": "objects.", "reserves": "reserves.", "silent": "has said nothing."}


def _number(text: texts.Text, paragraph: str, alternative: str) -> int:
    every: Sequence[Alternative] = text.paragraph(paragraph).alternatives
    return [each.id for each in every].index(alternative) + 1


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the texts that are negotiated, with how many paragraphs of each are open."""


def list_(node: Node, asked: List, officer: str) -> Told:
    """The texts."""
    rows: list[dict[str, Any]] = []
    with node.store.read() as tx:
        found = words((read(seen, node.party, TEXT) for seen in newest(tx, node.party, TEXT.name)), node.party)
        defects = list(found.defects)
        for id in dict.fromkeys(said.id for said in found.said):
            said = next(each for each in found.said if each.id == id)
            try:
                folded = one(tx, node.party, id)
            except ComityError as broken:
                defects.append(Defect(id, said.by, said.via, broken.sentence))
                continue
            open_ = [item for item in folded.text.paragraphs if item.alternatives and not item.agreed]
            rows.append(
                {
                    "id": id,
                    "title": folded.opened.says.name,
                    "by": folded.opened.by,
                    "name": folded.opened.named(tx),
                    "parties": list(folded.text.parties),
                    "paragraphs": len(folded.text.paragraphs),
                    "open": len(open_),
                    "defects": len(folded.defects),
                }
            )
        told = [item.as_json(tx) for item in defects]
    lines = Lines().table(
        ("text", "opened by", "paragraphs", "open", "id"),
        [(legible(row["title"]), row["name"], row["paragraphs"], row["open"], row["id"]) for row in rows],
    )
    if not rows:
        lines.add("No text is negotiated here.")
    lines.add(*(_defect(item) for item in told))
    return Told({"texts": rows, "defects": told}, lines.found)


DEEDS = (
    DeskDeed("text show", "read", Show, show),
    DeskDeed("text acceptable", "read", Acceptable, acceptable),
    DeskDeed("text list", "read", List, list_),
)
