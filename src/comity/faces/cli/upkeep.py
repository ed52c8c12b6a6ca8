"""`comity backup`, `restore`, `doctor`, `demo`: keeping the folder, and asking whether it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from comity.faces.cli.context import Ctx
from comity.kernel.errors import NotFound


def backup(folder: Annotated[str, Parameter(help="A new folder.")], /, *, ctx: Ctx) -> int:
    """Copy the node into a new folder while it runs; it holds the keys, so keep it as they are kept."""
    with ctx.open() as home:
        ctx.wiring.backup(home, Path(folder))
    return ctx.done({"backup": folder}, f"The backup is in {folder}; it holds the keys, so keep it as you keep them.")


def restore(backup: Annotated[str, Parameter(help="The folder that backup wrote.")], /, *, ctx: Ctx) -> int:
    """Put a backup into an empty folder and open the next incarnation of the log, so that no history is signed twice."""
    from comity.node.record import log_facts

    home = ctx.wiring.restore(Path(backup), ctx.home)
    try:
        with home.node.store.read() as tx:
            facts = log_facts(tx)
    finally:
        home.close()
    return ctx.done(
        {"home": str(ctx.home), "party": home.node.party, "incarnation": facts.incarnation, "origin": facts.origin},
        f"The node is in {ctx.home}; its log goes on as incarnation {facts.incarnation}, and its partners are told of the gap.",
    )


def doctor(*, ctx: Ctx) -> int:
    """Read again everything that is kept, make anew what is derived from it, and name what does not agree; nothing is changed."""
    from comity.node.doctor import examine

    with ctx.open() as home:
        found = [{"what": "database", "sentence": one} for one in ctx.wiring.integrity(home)]
        with ctx.progress("examined", "rows") as progress:
            found += [{"what": one.what, "sentence": one.sentence} for one in examine(home.node, progress.at)]
    return ctx.done(
        {"whole": not found, "findings": found},
        *([one["sentence"] for one in found] or ["Everything agrees with itself."]),
        status=1 if found else 0,
    )


def demo(
    *,
    once: Annotated[bool, Parameter(help="End by itself; without it the nodes stay up until Ctrl-C.")] = False,
    folder: Annotated[str | None, Parameter(help="Where the nodes are made; without it, a folder of its own.")] = None,
    ctx: Ctx,
) -> int:
    """Replay the Exchange incident of 2021 between invented parties, on this machine."""
    from importlib import import_module

    try:
        told = import_module("comity.faces.cli.demo")
    except ModuleNotFoundError as missing:
        raise NotFound("not-built", "This release has no demo.") from missing
    ctx.kept = "Its nodes have ended; what they kept is removed, unless --folder named a place for it."
    return int(told.run_demo(ctx.wiring, once, None if folder is None else Path(folder)))
