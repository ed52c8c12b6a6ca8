"""Why: the decision on one object for one party, told as a sentence and as data, from the same function that enforces it.

Each answer names the world it was given in: the instant, the agreements, the holding and the class. What the party was in fact
given stands beside it, from the account that its stream is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comity.kernel.errors import NotFound
from comity.kernel.model.instants import Instant, format
from comity.kernel.model.properties import OBSERVABLES
from comity.kernel.model.strictjson import read as read_json
from comity.kernel.release.closure import missing
from comity.kernel.release.decide import of_object
from comity.kernel.release.decision import Decision, Failed, Release, Withhold
from comity.kernel.release.explain import as_json, sentence
from comity.kernel.seal.commitment import VIEW_EXTENSION
from comity.kernel.seal.views import Withheld
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, StreamRow, Version
from comity.node.agreements import Standing, standing_between, title_sentence
from comity.node.context import Node
from comity.node.parties import name_of, resolve_party
from comity.node.streams import World, world_for
from comity.node.views import show, show_row


@dataclass(frozen=True, slots=True)
class Why:
    """One answer: the decision, its sentence, what was given, and where the agreements between us and the party stand."""

    object: str
    party: str
    decision: Decision
    sentence: str
    given: StreamRow | None
    holding: Holding
    at: Instant
    facets: dict[str, Any]
    standing: tuple[Standing, ...]

    def as_json(self) -> dict[str, Any]:
        """{object, party, released, sentence, decision..., facets, given, standing, at}."""
        return {
            "object": self.object,
            "party": self.party,
            "released": isinstance(self.decision, Release),
            "sentence": self.sentence,
            **as_json(self.decision),
            "facets": self.facets,
            "given": None
            if self.given is None
            else {
                "n": self.given.n,
                "title": self.given.title,
                "view": self.given.view,
                "at": format(self.given.at),
                "hidden": msgspec.json.decode(self.given.hidden),
            },
            "standing": [one.as_json() for one in self.standing],
            "at": format(self.at),
        }


def why(node: Node, object_id: str, party: str, *, at: Instant | None = None) -> Why:
    """Decide anew, for the newest version held of an object, and say why.

    Raises:
        NotFound: `no-such-object`, `no-such-party`.
    """
    with node.store.read() as tx:
        row = resolve_party(tx, party)
        moment = node.clock() if at is None else at
        world = world_for(tx, node.party, row.id, moment)
        versions = sorted(tx.find(Version, id=object_id), key=lambda one: (one.modified, one.n))
        if not versions:
            raise NotFound("no-such-object", f"No object {object_id} is held here.")
        standing = tuple(standing_between(tx, node.party, row.id, moment))
        best: Why | None = None
        for version in reversed(versions):
            for holding in world.holdings(version.n):
                found = _of_holding(tx, world, version, holding, moment, standing)
                if best is None or _tells(found) > _tells(best):
                    best = found
        if best is None:
            raise NotFound("no-such-object", _why_not_held(tx, object_id))
        return best


def _why_not_held(tx: Reading, object_id: str) -> str:
    holding = next(iter(tx.find(Holding, object=object_id, ended=None)), None)
    if holding is None:
        return f"{object_id} was taken back and is held no more."
    return (
        f"{object_id} came with an import that has not ended (batch {holding.batch}), and goes to nobody before that; run the same "
        "import again to end it."
    )


def _tells(found: Why) -> tuple[bool, bool]:
    """What is told first: what is released and was given, then what is released."""
    released = isinstance(found.decision, Release)
    return released, released and found.given is not None


def _of_holding(
    tx: Reading, world: World, version: Version, holding: Holding, at: Instant, standing: tuple[Standing, ...]
) -> Why:
    decision = world.outcome(holding)
    facets = world.facets(holding.cls)
    held = version
    if isinstance(decision, Release) and decision.clause.source == "hidden" and world.stands_for(version.n) is None:
        version = _stand_in(tx, world, version, decision)
    if isinstance(decision, Release):
        absent = missing(world, version.n)
        if absent:
            decision = of_object(decision, facets, world.us, world.to, at=at, not_shown=absent)
        else:
            decision = _shown(tx, world, version, decision)
    given = world.live(version.n)
    name = _thing(held)
    told = sentence(
        decision,
        thing=name,
        to=world.to.id,
        party=lambda party: name_of(tx, party),
        agreement=lambda digest: title_sentence(tx, digest),
        nearest=_nearest(decision, facets.title, standing),
    )
    if given is not None and isinstance(decision, Release):
        told += _given(tx, given)
    if held is not version:
        told += f" Its source stays hidden: it goes as {version.id}, sealed by us, and nothing in that leads back."
    return Why(held.id, world.to.id, decision, told, given, holding, at, facets.as_json(), standing)


_NO_CLAUSE: Final = frozenset(("clause-between", "own-title", "holder-still-receiver"))


def _nearest(decision: Decision, title: str | None, standing: tuple[Standing, ...]) -> str:
    """Where the agreement stands that would come nearest, where it is for want of one that nothing goes; else nothing.

    What came under an agreement goes on under that one only. One that is suspended is told of also where another does not permit.
    """
    if not isinstance(decision, Withhold):
        return ""
    own = [one for one in standing if title is None or one.digest == title.partition("#")[0]]
    if any(one.predicate in _NO_CLAUSE for one in decision.failed):
        return own[0].sentence if own else ""
    return next((one.sentence for one in own if one.word == "suspended"), "")


def _stand_in(tx: Reading, world: World, version: Version, decision: Release) -> Version:
    """What goes in place of a version whose source a clause hides; the version itself where nothing does yet."""
    n = world.stand_in(version.n, decision.title)
    row = None if n is None else tx.get(Version, n)
    return version if row is None else row


def _shown(tx: Reading, world: World, version: Version, decision: Release) -> Decision:
    hidden = frozenset(
        target
        for target in world.optional(version.n)
        if not world.given(target) and all(world.standing(one) is None for one in world.holdings_of(target))
    )
    cut = show(version, decision.view, hidden, decision.title)
    if isinstance(cut, Withheld):
        return Withhold((Failed(cut.reason, decision.title, decision.view.name, list(cut.properties)),))
    return decision


def _given(tx: Reading, row: StreamRow) -> str:
    shown = show_row(tx, row)
    if isinstance(shown, Withheld):
        return ""
    parts = [f" It was given as row {row.n} on {format(row.at)}"]
    removed = _removed(shown.raw)
    if removed:
        parts.append(f", without {removed} of its parts")
    return "".join(parts) + "."


def _removed(raw: bytes) -> int:
    said = (read_json(raw).get("extensions") or {}).get(VIEW_EXTENSION)
    return int(said["removed"]) if isinstance(said, dict) and isinstance(said.get("removed"), int) else 0


def defanged(text: str) -> str:
    """A value that nobody's reader turns into a link: ``hxxp``, and ``[.]`` between the parts of hosts and addresses."""
    text = re.sub(r"(?i)\bhttp(s?)://", r"hxxp\1://", text)
    return re.sub(r"(?<=[A-Za-z0-9])\.(?=[A-Za-z0-9])", "[.]", text)


def _thing(version: Version) -> str:
    data = read_json(version.raw)
    name = data.get("name") or data.get("value") or data.get("pattern")
    kind = version.type.replace("-", " ")
    if isinstance(name, str) and name:
        if version.type in OBSERVABLES or version.type == "indicator":
            name = defanged(name)
        short = name if len(name) <= 80 else name[:77] + "..."
        return f'the {kind} "{short}" ({version.id})'
    return f"the {kind} {version.id}"
