"""Dossiers: opened as drafts that go to nobody, filled with the parts norm 13(b) asks for, and released when none is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.attribution.facts import norm, part_of, parts
from comity.desks.attribution.kinds import (
    ASSESSMENT,
    BODY,
    DISSENT,
    DOSSIER,
    EVIDENCE,
    FINDING,
    PART,
    SHOWING,
    Dossier,
    Part,
    plain,
)
from comity.desks.attribution.stating import SAY, THE_DOSSIER, keep, not_empty, stated, tlp_of, words_of
from comity.desks.attribution.words import about, dissents, is_draft, one, ours
from comity.kernel.errors import NotAllowed, Usage
from comity.kernel.store.ports import Reading
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Shared, Told
from comity.node.minting import Kind, next_version, our_own
from comity.node.saying import Said, Words, held, minted

THE_PART = Meta(description="Which part norm 13(b) asks for: comity attribution check names them.", extra=PLACED)


class Open(Shared, kw_only=True, forbid_unknown_fields=True):
    """Open a dossier: a draft that goes to nobody, with all that is added to it, before comity attribution ready."""

    title: Annotated[str, Meta(description="The question it is about.", extra=PLACED)]
    incident: Annotated[tuple[str, ...], Meta(description="The id of an incident it is about; once for each.")] = ()


def open_(node: Node, asked: Open, officer: str) -> Told:
    """Mint a dossier."""
    with deed(node, officer) as work:
        for id in asked.incident:
            held(work.tx, node.party, id)
        says = Dossier(
            name=not_empty(asked.title, "TITLE"),
            state="draft",
            incident_refs=tuple(dict.fromkeys(asked.incident)),
            addressed_to=(node.party,),
        )
        made = minted(work, DOSSIER, says)
        keep(work, "attribution open", [made], stated(work, asked, None, made["id"]))
    return Told({"id": made["id"]}, [f"The dossier is open as {made['id']}; it goes to nobody before it is ready."])


class SetPart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say a part of a dossier of ours; what was said or waived before stays in the earlier versions."""

    dossier: Annotated[str, THE_DOSSIER]
    part: Annotated[str, THE_PART]
    say: Annotated[str | None, SAY] = None
    text: Annotated[bytes | None, Meta(description="The words from a file, UTF-8.")] = None
    about: Annotated[tuple[str, ...], Meta(description="The id of an object it speaks of; once for each.")] = ()


def set_part(node: Node, asked: SetPart, officer: str) -> Told:
    """A part that says something."""
    says = {"text": words_of(asked.say, asked.text), "about_refs": list(dict.fromkeys(asked.about)) or None}
    return _part(node, asked.dossier, asked.part, officer, "attribution part", says)


class Waive(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Waive a part of a dossier of ours, with the reason that every reader is shown."""

    dossier: Annotated[str, THE_DOSSIER]
    part: Annotated[str, THE_PART]
    reason: Annotated[str, Meta(description="Why it says nothing.")]


def waive(node: Node, asked: Waive, officer: str) -> Told:
    """A part that is waived."""
    says = {"waived": not_empty(asked.reason, "--reason")}
    return _part(node, asked.dossier, asked.part, officer, "attribution waive", says)


def _part(node: Node, dossier: str, word: str, officer: str, name: str, says: dict[str, Any]) -> Told:
    part = part_of(word)
    with deed(node, officer) as work:
        whole = ours(work.tx, node.party, dossier, DOSSIER)
        for id in says.get("about_refs") or ():
            held(work.tx, node.party, id)
        before = _parts(about(work.tx, node.party, dossier), node.party).get(part)
        made = drafted(work, PART, {"dossier_ref": dossier, "part": part, "text": None, "waived": None, **says}, before)
        keep(work, name, [made], stated(work, None, whole, dossier))
        lacking = missing(work.tx, node.party, whole)
    left = f"still missing: {', '.join(lacking)}" if lacking else "no part is missing"
    return Told({"id": made["id"], "missing": list(lacking)}, [f"The part {part} stands as a draft; {left}."])


def drafted(work: Deed, kind: Kind, says: dict[str, Any], before: Said | None) -> dict[str, Any]:
    """A draft of ours: a new object, or the next version of one; None takes a property out."""
    us = work.node.party
    if before is not None:
        return next_version(our_own(work.tx, us, before.id).data, {**says, "addressed_to": [us]}, work.at)
    said = {name: value for name, value in says.items() if value is not None}
    return minted(work, kind, msgspec.convert({**said, "addressed_to": [us]}, kind.says))


def _parts(words: Words[Said], by: str) -> dict[str, Said]:
    """The parts as one party says them, by their word; the one said last where there are several."""
    return {said.says.part: said for said in words.of(PART, by=by)}


def missing(tx: Reading, us: str, dossier: Said) -> tuple[str, ...]:
    """The parts that norm 13(b) asks for and that a dossier's own author neither said nor waived."""
    if dossier.by is None:
        return parts()
    found = _parts(about(tx, us, dossier.id), dossier.by)
    return tuple(part for part in parts() if part not in found or not _filled(found[part].says))


def _filled(says: Part) -> bool:
    return bool((says.text or "").strip() or (says.waived or "").strip())


class Check(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say which parts of a dossier norm 13(b) asks for and are missing; the answer's status is 1 where one is."""

    dossier: Annotated[str, THE_DOSSIER]


def check(node: Node, asked: Check, officer: str) -> Told:
    """The parts, said, waived or missing."""
    with node.store.read() as tx:
        dossier = one(tx, node.party, asked.dossier, DOSSIER)
        lacking = missing(tx, node.party, dossier)
        rows = part_rows(tx, node.party, dossier)
        name = dossier.named(tx)
    shape = {
        "id": dossier.id,
        "missing": list(lacking),
        "parts": rows,
        "state": dossier.says.state,
        "norm": norm().as_json(),
    }
    lines = Lines().table(("part", "state", ""), [(row["part"], row["state"], _brief(row)) for row in rows])
    lines.add(
        f"Norm 13(b): {norm().says['asks']} ({norm().mark}.)",
        f"Missing: {', '.join(lacking)}; by {name}." if lacking else "Every part is said, or waived with a reason.",
    )
    return Told(shape, lines.found, status=1 if lacking else 0)


def part_rows(tx: Reading, us: str, dossier: Said) -> list[dict[str, Any]]:
    """Each part norm 13(b) asks for, as the dossier's author has it: {part, state, text, waived, about, draft, id, at}."""
    found = {} if dossier.by is None else _parts(about(tx, us, dossier.id), dossier.by)
    rows: list[dict[str, Any]] = []
    for part in parts():
        said = found.get(part)
        says = Part(part=part) if said is None else said.says
        state = "missing" if not _filled(says) else "said" if (says.text or "").strip() else "waived"
        rows.append(
            {
                "part": part,
                "state": state,
                "text": says.text,
                "waived": says.waived,
                "about": list(says.about_refs),
                "draft": said is not None and is_draft(said, us),
                "id": None if said is None else said.id,
            }
        )
    return rows


def _brief(row: dict[str, Any]) -> str:
    text = row["text"] or (f"because: {row['waived']}" if row["waived"] else "")
    return short(text)


def short(text: str, most: int = 100) -> str:
    """The beginning of a text, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


class Ready(Like, kw_only=True, forbid_unknown_fields=True):
    """Release a dossier of ours: its newest versions go to whom the agreements let them; refused while a part is missing."""

    dossier: Annotated[str, THE_DOSSIER]
    title_tlp: Annotated[
        str | None,
        Meta(
            description="TLP of the dossier itself, its title and what it is about, where that is less strict than what is in it: "
            "green lets those who have it name it to each other."
        ),
    ] = None


def ready(node: Node, asked: Ready, officer: str) -> Told:
    """The next versions of a dossier and all of it that may leave, addressed to nobody any more."""
    us = node.party
    with deed(node, officer) as work:
        dossier = ours(work.tx, us, asked.dossier, DOSSIER)
        lacking = missing(work.tx, us, dossier)
        if lacking:
            raise NotAllowed(
                "dossier-incomplete",
                f"The dossier lacks {', '.join(lacking)}, which norm 13(b) asks for; say each with comity attribution part, "
                "or waive it with a reason by comity attribution waive.",
                missing=list(lacking),
            )
        words = about(work.tx, us, asked.dossier)
        title = _next(work, dossier, {"state": "ready", "addressed_to": None, **_dissented(work, dossier)})
        going: list[dict[str, Any]] = []
        stays = {said.id for said in words.of(EVIDENCE, by=us) if said.says.sharing == "withheld"}
        for said in words.of(*BODY, by=us):
            if said.id in stays or getattr(said.says, "evidence_ref", None) in stays:
                continue
            if said.type == SHOWING.name and not said.says.shown_to.startswith("identity--"):
                continue
            to = [said.says.shown_to] if said.type == SHOWING.name else None
            going.append(_next(work, said, {"addressed_to": to}))
        for said in words.of(ASSESSMENT, FINDING, DISSENT, by=us):
            if is_draft(said, us):
                more = {} if said.type == DISSENT.name else _dissented(work, said)
                going.append(_next(work, said, {"addressed_to": None, **more}))
        handling = stated(work, asked, dossier, dossier.id)
        named = handling
        if asked.title_tlp is not None:
            named = replace(handling, tlp=tlp_of(asked.title_tlp, "--title-tlp"))
        keep(work, "attribution ready", [title], named)  # first, so that what names it goes with its name at once
        keep(work, "attribution ready", going, handling)
    released = [title["id"], *(data["id"] for data in going)]
    return Told(
        {"id": asked.dossier, "at": title["modified"], "released": released},
        [f"The dossier is ready: {len(released)} objects go to whom they may go. What is withheld stays here."],
    )


def made_or_later(work: Deed, kind: Kind, says: msgspec.Struct, instead: str | None) -> dict[str, Any]:
    """A new assessment or finding, or the later version of one of ours, with every dissent from it that stands.

    Raises:
        NotFound: `no-such-object`. NotAllowed: `not-ours`. Usage: `desk-asked` where it is about another dossier.
    """
    if instead is None:
        return minted(work, kind, says)
    before = ours(work.tx, work.node.party, instead, kind)
    said = plain(says)
    if before.says.dossier_ref != said.get("dossier_ref"):
        raise Usage("desk-asked", f"{instead} is about another dossier; make a new one for this dossier.")
    gone = {name: None for name in kind.says.__struct_fields__ if name not in said}
    return _next(work, before, {**gone, **said, **_dissented(work, before)})


def _next(work: Deed, said: Said, says: dict[str, Any]) -> dict[str, Any]:
    return next_version(our_own(work.tx, work.node.party, said.id).data, says, work.at)


def _dissented(work: Deed, said: Said) -> dict[str, Any]:
    """Every dissent that stands about an object; a later version names them all, and no deed leaves one out."""
    found = sorted({*said.says.dissent_refs, *(one.id for one in dissents(work.tx, work.node.party, said))})
    return {"dissent_refs": found or None}


DEEDS = (
    DeskDeed("attribution open", "take in", Open, open_),
    DeskDeed("attribution part", "take in", SetPart, set_part),
    DeskDeed("attribution waive", "sign", Waive, waive),
    DeskDeed("attribution check", "read", Check, check),
    DeskDeed("attribution ready", "release", Ready, ready),
)
