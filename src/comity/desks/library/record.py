"""The public record of attribution, case by case: each party's statement with what it claims, in its own words and on its own scale.

Statements are paraphrased in the file; accusations are those of the parties named. Nothing is added up: claim level, likelihood,
confidence and legal tone stay apart, and what was not confirmed says so beside each line.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.kernel.errors import NotFound
from comity.kernel.release.purposes import nearest
from comity.node.context import Node
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.facts import Fact, fact, facts, whole, within

RECORD: Final = "cases"


def case_facts() -> tuple[Fact, ...]:
    """The cases of the record, in its order."""
    return tuple(one for one in facts(RECORD) if one.path.startswith("cases.") and one.path.count(".") == 1)


def claim_level(word: str | None) -> dict[str, Any] | None:
    """A step of the claim ladder: {n, id, label, ...how sure}; None where no level is said.

    Raises:
        NotFound: `no-such-fact`.
    """
    if word is None:
        return None
    found = fact("taxonomies", f"claim_ladder.levels.{word}")
    return {"n": found.says["n"], "id": found.id, "label": found.text, **_sure(found)}


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the cases of the public record."""


def list_(node: Node, asked: List, officer: str) -> Told:
    """The cases."""
    found = []
    for one in case_facts():
        parts = within(one)
        statements = [part for part in parts if ".statements." in part.path]
        found.append(
            {
                "case": one.id,
                "title": one.says["title"],
                "accused": one.says.get("accused_state"),
                "groups": one.says.get("groups"),
                "days": one.says.get("days_disclosure_to_attribution"),
                "parties": [part.says["party"] for part in statements],
                "unconfirmed": sum(part.verified is False for part in parts),
                **_sure(one),
            }
        )
    heads = ("case", "title", "accused", "days", "parties", "unconfirmed")
    rows = [tuple(len(one[head]) if head == "parties" else one[head] for head in heads) for one in found]
    note = str(whole(RECORD)["note"])
    return Told({"note": note, "cases": found}, Lines().table(heads, rows).add(note).found)


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show a case of the public record: what happened when, and what each party said, statement by statement."""

    case: Annotated[str, Meta(description="The case, such as exchange-2021.", extra=PLACED)]


def show(node: Node, asked: Show, officer: str) -> Told:
    """One case."""
    known = {one.id: one for one in case_facts()}
    if asked.case not in known:
        near = nearest(asked.case, list(known))
        hint = f"did you mean {near!r}? " if near else ""
        raise NotFound(
            "no-such-fact", f"The record has no case {asked.case[:80]!r}; {hint}There are {', '.join(known)}."
        )
    case = known[asked.case]
    parts = within(case)
    timeline = [part for part in parts if ".timeline." in part.path]
    statements = [_statement(part) for part in parts if ".statements." in part.path]
    reply = next((part for part in parts if part.path.endswith(".reply")), None)
    others = [part for part in parts if part not in timeline and ".statements." not in part.path and part is not reply]
    shape = {
        "case": case.id,
        "note": whole(RECORD)["note"],
        **{name: value for name, value in case.says.items() if name not in ("id", "verified", "source")},
        **_sure(case),
        "timeline": [{**_own(one), **_sure(one)} for one in timeline],
        "statements": statements,
        "reply": None if reply is None else {**_own(reply), **_sure(reply)},
        "more": [one.as_json() for one in others],
    }
    lines = Lines().add(f"{case.says['title']} ({case.id})", str(whole(RECORD)["note"]))
    lines.add(
        *(f"{name.replace('_', ' ')}: {_words(value)}" for name, value in case.says.items() if name not in _APART),
        f"The lines above: {case.mark}.",
    )
    lines.add("").table(("when", "what", "how sure"), [(one.says["date"], one.text, one.mark) for one in timeline])
    lines.add("").table(
        ("party", "claims", "in its own words", "likelihood or confidence", "legal tone", "announced", "how sure"),
        [_row(one) for one in statements],
    )
    if reply is not None:
        lines.add("", f"Reply of {reply.says['party']}: {reply.says['says']} ({reply.mark}).")
    lines.add(*(f"{one.path.partition('.')[2]}: {one.text} ({one.mark})" for one in others))
    return Told(shape, lines.found)


_APART: Final = frozenset({"id", "title", "verified", "source"})


def _statement(one: Fact) -> dict[str, Any]:
    return {**_own(one), "claim_level": claim_level(one.says.get("claim_level")), **_sure(one)}


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    level = one["claim_level"]
    likely = [str(one[name]) for name in ("likelihood_term", "confidence") if name in one]
    scale = f" ({one['scale']})" if "scale" in one else ""
    claims = "not said" if level is None else f"{level['n']} {level['id']}: {level['label']}"
    return (
        one["party"],
        claims,
        one.get("says") or one.get("organ"),
        f"{'; '.join(likely)}{scale}",
        one.get("legal_tone"),
        one.get("measures"),
        one["mark"],
    )


def _own(one: Fact) -> dict[str, Any]:
    return {name: value for name, value in one.says.items() if name not in ("verified", "source")}


def _sure(one: Fact) -> dict[str, Any]:
    return {
        "sources": [source.as_json() for source in one.sources],
        "version": one.as_of,
        "verified": one.verified,
        "mark": one.mark,
    }


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


DEEDS = (
    DeskDeed("library list", "read", List, list_),
    DeskDeed("library show", "read", Show, show),
)
