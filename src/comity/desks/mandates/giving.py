"""Giving, confirming and ending mandates: the words of an administrator read as a mandate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from comity.desks.mandates.telling import lines_of, shape_of
from comity.kernel.errors import Usage
from comity.kernel.release.mandates import HIGHEST, SCALES, Level
from comity.kernel.release.purposes import nearest
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Officer
from comity.node import mandates as rule
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Told
from comity.node.officers import RULES
from comity.node.stating import instant_or_none, span_or_instant

Reason = Annotated[str, Meta(description="Why; kept here, and committed to in the record.")]
Id = Annotated[str, Meta(description="The mandate, such as mandate-1.", extra=PLACED)]


class Give(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Give an officer a mandate; from the first one on, every deed that releases or signs needs one."""

    officer: Annotated[str, Meta(description="Who holds it, name or id.", extra=PLACED)]
    deed: Annotated[
        tuple[str, ...],
        Meta(
            description="What it is for: a deed (agreement sign), all of a group (case *), or a kind (sign, release); once for each."
        ),
    ]
    reason: Reason
    ceiling: Annotated[
        tuple[str, ...],
        Meta(description="NAME=VALUE, how high it reaches, such as tlp=amber or claim-level=6; once for each."),
    ] = ()
    substitute: Annotated[
        tuple[str, ...], Meta(description="Officer who may do the same under it, name or id; once for each.")
    ] = ()
    begins: Annotated[str | None, Meta(description="When it begins, an instant; without it, now.")] = None
    until: Annotated[
        str | None,
        Meta(description="When it ends: an instant, or a duration from now such as P90D; else when it is ended."),
    ] = None


def give(node: Node, asked: Give, officer: str) -> Told:
    """Give it, and say what follows: who has to confirm it, and who of the others can do nothing without one."""
    deeds = tuple(_known(one) for one in asked.deed)
    ceilings = dict(_ceiling(one) for one in asked.ceiling)
    begins = instant_or_none(asked.begins, "--begins")
    with deed(node, officer) as work:
        before = rule.required(work.tx, work.at)
        made = rule.give(
            work,
            asked.officer,
            deeds,
            reason=asked.reason,
            ceilings=ceilings,
            substitutes=asked.substitute,
            since=begins,
            until=None if asked.until is None else span_or_instant(asked.until, "--until", work.at),
        )
        lines = lines_of(work.tx, made, work.at)
        if made.waits:
            lines.append(
                f"It names its giver, so it waits: another officer with the role 'admin' says comity mandate confirm {made.says.id}"
            )
        lines += _lacks(made.says.deeds, ceilings)
        bare = _without(work.tx, work.at)
        if not before and rule.required(work.tx, work.at):
            lines.append(
                "It is the first: from now on every deed that releases or signs needs a mandate besides the role."
            )
            lines += [f"{row.name} has none and can neither release nor sign." for row in bare]
        shape = {**shape_of(work.tx, made, work.at), "without": [row.id for row in bare]}
    return Told(shape, lines)


class Confirm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Confirm, as another administrator, a mandate that an administrator gave to himself or herself."""

    mandate: Id
    reason: Reason = ""


def confirm(node: Node, asked: Confirm, officer: str) -> Told:
    """Confirm it."""
    with deed(node, officer) as work:
        made = rule.confirm(work, asked.mandate, reason=asked.reason)
        return Told(shape_of(work.tx, made, work.at), lines_of(work.tx, made, work.at))


class End(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """End a mandate from now on; what was done under it stays."""

    mandate: Id
    reason: Reason


def end(node: Node, asked: End, officer: str) -> Told:
    """End it."""
    with deed(node, officer) as work:
        made = rule.end(work, asked.mandate, reason=asked.reason)
        return Told(shape_of(work.tx, made, work.at), [f"{made.says.id} has ended."])


class Require(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Ask for a mandate in every deed that releases or signs from now on, also before the first is given; there is no way back."""


def require(node: Node, asked: Require, officer: str) -> Told:
    """Require them."""
    del asked
    with deed(node, officer) as work:
        rule.require(work)
        bare = _without(work.tx, work.at)
    lines = ["Every deed that releases or signs now needs a mandate besides the role."]
    return Told(
        {"required": True, "without": [row.id for row in bare]},
        [*lines, *(f"{row.name} has none and can neither release nor sign." for row in bare)],
    )


def known_deeds() -> dict[str, str]:
    """Every deed that changes something and that a mandate can be for, with its kind: those of the node, and of the desks there are."""
    from comity.desks import desks  # here, because the desks are found by loading each, this one too

    of_desks = {item.name: item.kind for desk in desks() for item in desk.deeds if not item.reads}
    return {name: kind for name, kind in {**rule.DEEDS, **of_desks}.items() if kind != "administer"}


def _known(text: str) -> str:
    """What a mandate is for, as it is written in one.

    Raises:
        Usage: `mandate-form` with the nearest that there is.
    """
    deeds = known_deeds()
    groups = {f"{' '.join(name.split()[:n])} *" for name in deeds for n in range(1, len(name.split()))}
    word = " ".join(text.split())
    if word in deeds or word in groups or word in rule.MANDATED:
        return word
    near = nearest(word, [*deeds, *groups, *rule.MANDATED])
    hint = (
        f"did you mean {near!r}"
        if near
        else f"say a deed such as 'agreement sign', a group such as 'case *', or {' or '.join(rule.MANDATED)}"
    )
    why = f"{word!r} asks for no mandate" if word in RULES else f"{word!r} is no deed that is known here"
    raise Usage("mandate-form", f"{why}; {hint}.")


def _ceiling(text: str) -> tuple[str, Level]:
    word, equals, value = text.partition("=")
    if not equals or not word or not value:
        raise Usage("mandate-form", f"--ceiling is NAME=VALUE, such as tlp=amber or claim-level=6; {text!r} is none.")
    known = (*SCALES, *HIGHEST)
    near = nearest(word, known)
    if word not in known and near is not None:
        raise Usage("mandate-form", f"{word!r} limits nothing that is known here; did you mean {near!r}?")
    level = value.lower().removeprefix("tlp:").removeprefix("pap:")
    if word in SCALES:
        return word, level
    if not level.isascii() or not level.isdigit() or len(level) > 15:
        raise Usage("mandate-form", f"The ceiling {word} is a whole number; {value!r} is none.")
    return word, int(level)


def _lacks(deeds: Sequence[str], ceilings: dict[str, Level]) -> list[str]:
    known = known_deeds()
    releases = any(
        one == "release" or known.get(one) == "release" or (one.endswith(" *") and _group_releases(one, known))
        for one in deeds
    )
    if releases and "tlp" not in ceilings:
        return [
            "It states no ceiling tlp, so it releases nothing; end it and give it again with --ceiling tlp=green, say."
        ]
    return []


def _group_releases(group: str, known: dict[str, str]) -> bool:
    return any(kind == "release" for name, kind in known.items() if name.startswith(group.removesuffix("*")))


def _without(tx: Reading, at: int) -> list[Officer]:
    """Active officers who have a role for what needs a mandate, and none in force."""
    held = {one for given in rule.in_force(tx, at) for one in given.says.officers}
    roles = {role for kind in rule.MANDATED for role in RULES[kind]}
    return [
        row for row in tx.find(Officer) if row.ended is None and roles & set(row.roles.split()) and row.id not in held
    ]


DEEDS = (
    DeskDeed("mandate give", "administer", Give, give),
    DeskDeed("mandate confirm", "administer", Confirm, confirm),
    DeskDeed("mandate end", "administer", End, end),
    DeskDeed("mandate require", "administer", Require, require),
)
