"""Decisions: the whole table, one pair, one `why`, one agreement previewed."""

from __future__ import annotations

import random
import statistics
import time
from pathlib import Path
from typing import Any

AT = 1_614_945_600_000_000
YEAR = 366 * 86_400_000_000


def world(classes: int, parties: int, clauses: int, seed: int) -> tuple[Any, ...]:
    """A node with classes as feeds make them, parties, and clauses two an agreement; the same seed is the same world."""
    from comity.kernel.release.agreement import Clause
    from comity.kernel.release.decision import ClauseInForce, Receiver
    from comity.kernel.release.facets import Facets
    from comity.kernel.seal.views import FULL, INDICATOR

    draw = random.Random(seed)
    us = "identity--00000000-0000-5000-8000-000000000000"
    names = [f"identity--00000000-0000-5000-8000-{number:012x}" for number in range(1, parties + 1)]
    receivers = [Receiver(name, draw.choice(("csirt", "company", "ministry"))) for name in names]
    types = ("indicator", "malware", "attack-pattern", "relationship", "report", "vulnerability", "domain-name", "file")
    levels = ("clear", "green", "amber", "amber+strict", "red")
    sectors = ("energy", "finance", "health", "government", "telecom", "transport")
    purposes = ("protect-networks", "situational-awareness", "attribution")
    bases = ("agreement", "consent", "legal-obligation")

    def some(words: tuple[str, ...], most: int) -> tuple[str, ...]:
        return tuple(draw.sample(words, draw.randint(1, min(most, len(words)))))

    found: dict[int, Facets] = {}
    for number in range(classes):
        found[number] = Facets(
            type=draw.choice(types),
            tlp=draw.choice(levels) if draw.random() < 0.95 else None,
            pap=draw.choice(("clear", "green", "amber", None)),
            originator=draw.choice((us, None)),
            custodian=us,
            title=None,
            sectors=frozenset(some(sectors, 2)) if draw.random() < 0.8 else None,
            countries=None,
            confidence=draw.choice(("low", "med", "high", None)),
            caveats=frozenset(),
            recipients=None,
            basis=frozenset(some(bases, 2)),
            purpose=frozenset(some(purposes, 3)),
            cases=frozenset({f"case-{number % 20}"}) if draw.random() < 0.05 else None,
        )
    in_force = []
    for number in range(clauses):
        others = frozenset(draw.sample(names, draw.choice((1, 1, 1, 5, 20))))
        view = draw.choice((FULL, INDICATOR))
        says = draw.choices(("permit", "prohibit", "refer"), (8, 1, 1))[0]
        clause = Clause(
            number=str(number % 2 + 1),
            says=says,
            sender=("us",),
            to=("them",),
            types=some(types, 3),
            tlp=some(levels[:4], 3),
            sectors=(*some(sectors, 3), "*") if draw.random() < 0.5 else None,
            view=None if says == "prohibit" else view.name,
            purpose=some(purposes, 2),
            basis=some(bases, 3),
            onward="none" if says != "prohibit" else None,
            retention="P1Y" if says != "prohibit" else None,
            question={"en": "Is it needed?"} if says == "refer" else None,
            officers=1 if says == "refer" else None,
        )
        in_force.append(
            ClauseInForce(
                agreement=f"{number // 2:064x}",
                clause=clause,
                senders=frozenset({us}),
                receivers=others,
                since=AT - YEAR + number,
                until=AT + YEAR,
                view=None if says == "prohibit" else view,
            )
        )
    return found, us, receivers, in_force


def decisions(classes: int, parties: int, clauses: int) -> dict[str, Any]:
    """Every class against every party, and single pairs asked alone; table, SQL and single answers must agree."""
    from comity.adapters.sql.decide import given
    from comity.kernel.release.decide import decide
    from comity.kernel.release.whole import table

    found, us, receivers, in_force = world(classes, parties, clauses, 7)
    began = time.perf_counter()
    whole = table(found, us, receivers, in_force, at=AT)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    in_sql = {(one.key, one.party) for one in given(found, us, receivers, in_force, at=AT)}
    sql = time.perf_counter() - began
    if in_sql != set(whole.given):
        raise RuntimeError("SQL and the table differ")
    draw = random.Random(11)
    pairs = [(draw.randrange(classes), draw.choice(receivers)) for _ in range(500)]
    spans = []
    for key, to in pairs:
        began = time.perf_counter()
        alone = decide(found[key], us, to, in_force, at=AT)
        spans.append(time.perf_counter() - began)
        if alone != whole[key, to.id]:
            raise RuntimeError("the table and the single decision differ")
    if not whole.given:
        raise RuntimeError("nothing is given in this world")
    return {
        "n": classes * parties,
        "rate": classes * parties / seconds,
        "seconds": seconds,
        "one": statistics.median(spans) * 1e3,
        "sql": sql,
        "given": len(whole.given),
    }


def asking(path: str, folder: str) -> dict[str, Any]:
    """At a node that holds a file: `why` for single objects, and one more agreement previewed before anybody signs."""
    from bench.measures.nodes import STATED, Place
    from comity.kernel.release.tomlform import read
    from comity.kernel.store.rows import Holding
    from comity.node.release import preview_agreement
    from comity.node.why import why

    place = Place(Path(folder))
    place.node("A")
    place.node("B")
    place.node("C")
    for other in ("B", "C"):
        place.introduce("A", other)
    place.agree("A", "B")
    counts = place.take("A", path, STATED)
    node = place.nodes["A"]
    draft = read(place.draft("A", "C"))
    with node.store.read() as tx:
        held = sorted({row.object for row in tx.find(Holding)})
    draw = random.Random(3)
    spans = []
    for _ in range(100):
        began = time.perf_counter()
        why(node, draw.choice(held), draw.choice(("B", "C")))
        spans.append(time.perf_counter() - began)
    began = time.perf_counter()
    lines = preview_agreement(node, draft)
    seconds = time.perf_counter() - began
    shown = sum(len(line.shown) for line in lines)
    place.close()
    if not shown:
        raise RuntimeError("the preview shows nothing")
    return {"n": counts.objects, "why": statistics.median(spans) * 1e3, "preview": seconds * 1e3, "shown": shown}
