"""`comity sync`, `pack`, `unpack`, `outbox`: exchange over the network, by files carried by hand, and what is still due."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Context, Ctx, Progress, table
from comity.kernel.errors import ComityError, Usage

if TYPE_CHECKING:
    from comity.faces.wiring import Home

_LOOK = 0.2
"""Seconds between two looks at what is due while watching."""


def sync(
    peer: Annotated[str | None, Parameter(help="Name or id; without it, every party with an address.")] = None,
    /,
    *,
    watch: Annotated[bool, Parameter(help="Go on until Ctrl-C: what becomes due goes at once.")] = False,
    every: Annotated[float, Parameter(help="With --watch: seconds between two contacts that are made anyway.")] = 60.0,
    ctx: Ctx,
) -> int:
    """Exchange with one peer or all of them, in both directions."""
    from comity.node.contact import tend

    if not 0.1 <= every <= 86_400:
        raise Usage("command-line", "--every is a number of seconds from 0.1 to 86400.")
    ctx.kept = "What was acknowledged on both sides is kept; the next contact goes on from there."
    with ctx.open() as home:
        done, failed = _round(ctx, home, peer)
        next_round = time.monotonic() + every
        while watch:
            time.sleep(_LOOK)
            if time.monotonic() >= next_round:
                _round(ctx, home, peer)
                next_round = time.monotonic() + every
                continue
            for one in tend(home.node, ctx.wiring.connect):
                _tell(ctx, home, one.as_json())
    shape: dict[str, Any] = {
        "contacts": done,
        "delivered": sum(one["delivered"] for one in done),
        "taken": sum(one["taken"] for one in done),
        "failed": failed,
    }
    if failed:
        shape |= {"code": failed[0]["code"], "sentence": failed[0]["sentence"]}
    return ctx.done(shape, status=1 if failed else 0)


def _round(ctx: Context, home: Home, peer: str | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """One contact with each; what fails with one delays no other."""
    from comity.node.contact import contact, reachable

    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for party, name in reachable(home.node, peer):
        try:
            with ctx.progress(name, "rows") as progress:
                one = contact(home.node, party, ctx.wiring.connect, progress=_bar(progress)).as_json()
            done.append(one)
            _tell(ctx, home, one)
        except ComityError as fault:
            failed.append({"party": party, **fault.as_json()})
            ctx.note(f"comity: {name}: {fault.sentence}")
    return done, failed


def _bar(progress: Progress) -> Callable[[int, int], None]:
    return lambda sent, taken: progress.at(sent + taken, f"{sent:,} given, {taken:,} taken")


def _tell(ctx: Context, home: Home, one: dict[str, Any]) -> None:
    from comity.node.parties import name_of

    with home.node.store.read() as tx:
        name = name_of(tx, one["party"])
    ctx.say(f"{name}: {one['delivered']:,} rows given, {one['taken']:,} taken, {one['turns']} turns; {one['stop']}.")


def pack(
    file: Annotated[str, Parameter(help="The file to write.")],
    /,
    *,
    to: Annotated[str, Parameter(help="The party it is for, name or id.")],
    split: Annotated[int | None, Parameter(help="Most bytes of one file; several are written.")] = None,
    ctx: Ctx,
) -> int:
    """Write all that is due to a party to a file that only it can read, to be carried by hand."""
    from comity.node.contact import turns_for
    from comity.node.parties import need_card, resolve_party

    with ctx.open() as home:
        with home.node.store.read() as tx:
            card = need_card(tx, resolve_party(tx, to).id)
        written = ctx.wiring.write_pack(home, card, turns_for(home.node, card.party), Path(file), split)
    sizes = {str(one): one.stat().st_size for one in written}
    return ctx.done(
        {"to": card.party, "files": list(sizes), "bytes": sum(sizes.values())},
        *(f"{name}: {size:,} bytes" for name, size in sizes.items()),
        f"Only {card.name} can read it; nothing counts as delivered until its answer is back.",
    )


def unpack(*files: Annotated[str, Parameter(help="Every file of one pack.")], ctx: Ctx) -> int:
    """Take in what came by hand; what was taken before is passed over."""
    from comity.node.contact import take_pack, taken_of_pack
    from comity.node.parties import name_of

    if not files:
        raise Usage("command-line", "Name the files of the pack.")
    ctx.kept = "What was read of the pack is kept; the same command goes on from there."
    with ctx.open() as home:
        node = home.node
        read = ctx.wiring.read_pack(home, [Path(one) for one in files], lambda pack: taken_of_pack(node, pack))
        with ctx.progress("pack", "turns") as progress:
            told = take_pack(node, read, progress.at)
        with node.store.read() as tx:
            name = name_of(tx, told["from"]) if told["turns"] else ""
    if not told["turns"]:
        return ctx.done(told, "Everything in this pack was taken before.")
    return ctx.done(
        told,
        f"{told['turns']} turns with {told['rows']:,} rows from {name}; our answers go with the next pack: "
        f"comity pack --to {told['from']} FILE",
    )


def outbox_list(*, ctx: Ctx) -> int:
    """Show what is due to each party, and what went wrong."""
    from comity.node.telling import due

    with ctx.open() as home, home.node.store.read() as tx:
        rows = due(tx, home.node.party, home.node.clock())
    lines = table(
        ("party", "papers", "objects", "attempts", "next", "proofs overdue", "last error"),
        [
            (
                row["name"],
                row["control"],
                row["objects"],
                row["attempts"],
                "given up: comity outbox retry" if row["dead"] else row["next"],
                row["promises"].get("overdue", 0),
                row["quota"] or row["error"],
            )
            for row in rows
        ],
    )
    return ctx.done({"outbox": rows}, *(lines or ["No other party is known here."]))


def outbox_retry(party: Annotated[str, Parameter(help="Name or id.")], /, *, ctx: Ctx) -> int:
    """Try a party again at the next occasion."""
    from comity.node.contact import retry
    from comity.node.parties import resolve_party

    with ctx.open() as home:
        with home.node.store.read() as tx:
            row = resolve_party(tx, party)
        retry(home.node, row.id)
    return ctx.done({"party": row.id}, f"{row.name} is tried again at the next contact.")
