"""`comity log`, `account`, `verify`: what was done, to whom everything went, and the proof of it for somebody without a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Context, Ctx, table
from comity.kernel.errors import ComityError, NotFound, Usage
from comity.kernel.model.instants import format
from comity.node.stating import instant_or_none

if TYPE_CHECKING:
    from comity.kernel.release.opening import Opened


def show(
    *,
    to: Annotated[str | None, Parameter(help="Only acts towards this party, name or id.")] = None,
    kind: Annotated[str | None, Parameter(help="Only acts of this kind, such as deliver.")] = None,
    since: Annotated[str | None, Parameter(help="Only acts from this instant on.")] = None,
    limit: Annotated[int, Parameter(help="Most acts to show, the newest ones.")] = 100,
    ctx: Ctx,
) -> int:
    """Show our acts and where each stands in the log."""
    from comity.node.parties import resolve_party
    from comity.node.telling import acts

    if limit < 1:
        raise Usage("command-line", "--limit is a number from 1 on.")
    start = instant_or_none(since, "--since")
    with ctx.open() as home, home.node.store.read() as tx:
        shape = acts(tx, to=None if to is None else resolve_party(tx, to).id, kind=kind, since=start, limit=limit)
    lines = [
        f"Log {shape['origin']}: {shape['size']:,} ticks of {shape['period']:g} s, incarnation {shape['incarnation']}"
    ]
    lines += table(
        ("at", "kind", "to", "tick", "place", "state", "act"),
        [
            (one["at"], one["kind"], one["name"], one["tick"], one["place"], one["state"], one["act"][:16])
            for one in shape["acts"]
        ],
    )
    lines += [f"Evidence against {one['name']}: {one['kind']}, kept since {one['at']}" for one in shape["evidence"]]
    return ctx.done(shape, *lines)


def promises(
    party: Annotated[str | None, Parameter(help="Name or id; without it, every party.")] = None,
    /,
    *,
    fetch: Annotated[bool, Parameter(help="Ask each party for the proofs that are due.")] = False,
    ctx: Ctx,
) -> int:
    """Show what others promised to have in their logs, and whether they proved it."""
    from collections import Counter

    from comity.node.contact import fetch_proofs
    from comity.node.parties import resolve_party
    from comity.node.proofs import OPEN
    from comity.node.proofs import promises as worth

    failed: list[dict[str, Any]] = []
    with ctx.open() as home:
        with home.node.store.read() as tx:
            wanted = None if party is None else resolve_party(tx, party).id
            rows = worth(tx, home.node.clock(), wanted)
        if fetch:
            for who in dict.fromkeys(row["party"] for row in rows if row["state"] in OPEN):
                acts = [row["act"] for row in rows if row["party"] == who and row["state"] in OPEN]
                try:
                    fetch_proofs(home.node, who, acts, ctx.wiring.connect)
                except ComityError as fault:
                    failed.append({"party": who, **fault.as_json()})
                    ctx.note(f"comity: {fault.sentence}")
            with home.node.store.read() as tx:
                rows = worth(tx, home.node.clock(), wanted)
    counted = Counter(row["state"] for row in rows)
    lines = table(
        ("from", "act", "tick", "place", "state"),
        [(row["name"], row["act"][:16], row["tick"], row["place"], row["state"]) for row in rows],
    )
    shape = {"promises": rows, "states": dict(sorted(counted.items())), "failed": failed}
    if failed:
        shape |= {"code": failed[0]["code"], "sentence": failed[0]["sentence"]}
    return ctx.done(shape, *(lines or ["Nobody has promised us anything yet."]), status=1 if failed else 0)


def prove(
    what: Annotated[str, Parameter(help="An object that was delivered, or the digest of one of our acts.")],
    party: Annotated[
        str | None, Parameter(help="With an object: the party it went to or came from, name or id.")
    ] = None,
    /,
    *,
    received: Annotated[bool, Parameter(help="Prove that it came from the party, where it also went there.")] = False,
    output: Annotated[
        str | None, Parameter(help="The file to write, *.proof.json; without it, standard output.")
    ] = None,
    ctx: Ctx,
) -> int:
    """Write the proof of a delivery, or of an act, to a file that verifies offline."""
    from comity.node.contact import fetch_proofs
    from comity.node.proving import prove_act, prove_delivery

    with ctx.open() as home:
        node = home.node
        if party is None:
            data, said = prove_act(node, what)
        else:
            data, said = prove_delivery(
                node, what, party, received, lambda who, act: fetch_proofs(node, who, [act], ctx.wiring.connect)
            )
        size = ctx.write(output, [data])
    if output is None:
        return 0
    return ctx.done(
        {**said, "file": output, "bytes": size}, f"{said['sentence']} The proof is in {output}, {size:,} bytes."
    )


def checkpoint(
    *,
    output: Annotated[str | None, Parameter(help="The file to write; without it, standard output.")] = None,
    ctx: Ctx,
) -> int:
    """Write the newest signed checkpoint of our log (C2SP)."""
    from comity.node.deeds import deed
    from comity.node.record import newest_checkpoint

    with ctx.open() as home, deed(home.node) as work:
        newest = newest_checkpoint(work.tx)
    if newest is None:
        raise NotFound("proof-not-due", "The first tick of the log is not over yet; ask again in a minute.")
    if output is not None:
        ctx.write(output, [newest.note])
    return ctx.done(
        {"origin": newest.origin, "size": newest.size, "checkpoint": newest.note.decode()},
        f"The checkpoint of {newest.size:,} ticks is in {output}."
        if output is not None
        else newest.note.decode().rstrip("\n"),
    )


def account(
    *,
    from_: Annotated[str | None, Parameter(name="--from", help="Only what was given from this instant on.")] = None,
    to: Annotated[str | None, Parameter(help="Only what was given before this instant.")] = None,
    party: Annotated[str | None, Parameter(help="Only this party, name or id.")] = None,
    clause: Annotated[str | None, Parameter(help="Only this clause: its number, or digest#number.")] = None,
    taken: Annotated[bool, Parameter(help="Also what was taken from others and taken in by us.")] = False,
    ctx: Ctx,
) -> int:
    """List all that was given to whom in a period, under which clause, with act and receipt."""
    from comity.node.account import given, imports
    from comity.node.account import taken as received
    from comity.node.parties import resolve_party

    start, end = instant_or_none(from_, "--from"), instant_or_none(to, "--to")
    with ctx.open() as home, home.node.store.read() as tx:
        who = None if party is None else resolve_party(tx, party).id
        rows = list(given(tx, start=start, end=end, party=who, clause=clause))
        came = list(received(tx, party=who)) if taken else []
        batches = list(imports(tx)) if taken else []
    lines = table(
        ("to", "row", "object", "clause", "view", "given", "receipt", "state", "file handed over"),
        [
            (
                row["name"],
                row["n"],
                row["object"],
                f"{row['clause']} of {row['agreement']}",
                row["view"],
                row["delivered"] or "not yet",
                "yes" if row["receipt"] else "no",
                row["state"],
                "" if row["file"] is None else f"{row['file']['at']}, act {row['file']['act'][:16]}",
            )
            for row in rows
        ],
    )
    shape: dict[str, Any] = {"given": rows, "count": len(rows)}
    if taken:
        shape |= {"taken": came, "imports": batches}
        lines += [
            "",
            *table(
                ("from", "row", "holding", "refused because"),
                [(row["name"], row["n"], row["holding"], row["sentence"]) for row in came],
            ),
        ]
        lines += [
            "",
            *table(
                ("batch", "file", "format", "at", "objects"),
                [(row["batch"], row["name"], row["format"], row["at"], row["objects"]) for row in batches],
            ),
        ]
    return ctx.done(shape, *(lines or ["Nothing was given to anybody."]))


def verify(
    file: Annotated[str, Parameter(help="The proof, *.proof.json, a public record, or the opening of an act.")],
    /,
    *,
    fingerprint: Annotated[
        tuple[str, ...], Parameter(help="The fingerprint of a signer, known from elsewhere; once for each.")
    ] = (),
    card: Annotated[
        tuple[str, ...], Parameter(help="The card file of a signer, had from elsewhere; once for each.")
    ] = (),
    act: Annotated[
        str | None, Parameter(help="With an opening: the digest of the act that is meant, had from elsewhere.")
    ] = None,
    ctx: Ctx,
) -> int:
    """Verify a proof, a public record or the opening of an act offline; no node is needed."""
    from comity.kernel.release.opening import is_opening
    from comity.kernel.seal.cards import verify_chain
    from comity.kernel.tlog.bundle import MAX_BUNDLE, verify_bundle
    from comity.kernel.tlog.publication import is_public
    from comity.node.parties import read_card_file

    data = ctx.read(file, MAX_BUNDLE)
    known = [fingerprint_of(one) for one in fingerprint]
    known += [verify_chain(read_card_file(ctx.read(one))).fingerprint for one in card]
    if is_opening(data):
        return _verify_opening(ctx, data, known, act)
    if act is not None:
        raise Usage("command-line", "--act goes with the opening of an act.")
    if is_public(data):
        return _verify_public(ctx, data, known)
    report = verify_bundle(data, dict.fromkeys(_signers(data), known))
    if report["verified"]:
        lines = _verified(dict(report))
    else:
        lines = []
        ctx.note(f"comity: Not verified: {report['why']}")
    return ctx.done(report, *lines, status=0 if report["verified"] else 1)


def open_(
    act: Annotated[str, Parameter(help="Digest of an act of ours, as comity log show tells it.")],
    /,
    *,
    output: Annotated[str, Parameter(help="The file to write.")],
    ctx: Ctx,
) -> int:
    """Open an act to an auditor: who stood behind it, under which mandate, and why."""
    from comity.kernel.release.opening import verify_opening
    from comity.node.opening import open_act_for

    with ctx.open() as home:
        opening = open_act_for(home.node, act, officer=ctx.by)
    opened = verify_opening(opening)
    size = ctx.write(output, [opening.to_json()])
    return ctx.done({**opened.as_json(), "file": output, "bytes": size}, *_opened(opened), f"Written: {output}")


def _verify_opening(ctx: Context, data: bytes, known: list[str], act: str | None) -> int:
    """An opening, held against a fingerprint and, where it is given, against the act that is meant."""
    from comity.kernel.release.opening import read_opening, verify_opening

    why: str | None = None
    opened = None
    try:
        opened = verify_opening(read_opening(data))
    except ComityError as broken:
        why = broken.sentence
    if opened is not None and act is not None and opened.act != act.strip().lower():
        why = "It opens another act than the one that is meant."
    if opened is not None and why is None and opened.fingerprint not in known:
        why = "consistent, but nobody vouches for the party: say --fingerprint or --card"
    shape = {"verified": why is None, "why": why, **({} if opened is None else opened.as_json())}
    if why is not None:
        ctx.note(f"comity: Not verified: {why}")
    return ctx.done(
        shape, *(_opened(opened) if opened is not None and why is None else ()), status=0 if why is None else 1
    )


def _opened(opened: Opened) -> list[str]:
    mandate = opened.opening.mandate
    who = ", ".join(f"{opened.opening.names.get(one, one)} ({one})" for one in opened.opening.officers)
    lines = [
        f"Act      {opened.act}, {opened.kind}, {format(opened.at)}",
        f"Party    {opened.name} ({opened.party}), fingerprint {opened.fingerprint}",
        f"Officers {who}",
        f"Reason   {opened.opening.reason or 'none was stated'}",
    ]
    if mandate is None:
        return [*lines, "Mandate  none: the officers acted by their roles"]
    until = "until it is ended" if mandate.until is None else f"until {format(mandate.until)}"
    lines.append(
        f"Mandate  {mandate.id} of {mandate.officer} for {', '.join(mandate.deeds)}, {format(mandate.since)} {until}"
    )
    lines += [f"         up to {word} {value}" for word, value in mandate.ceilings]
    return [*lines, f"         given by {mandate.by}: {mandate.reason}", *(f"To ask   {one}" for one in opened.remarks)]


def _verify_public(ctx: Context, data: bytes, known: list[str]) -> int:
    """A public record, or one publication: who said what, when it was appointed and when it went out."""
    from time import time_ns

    from comity.kernel.tlog.publication import parties_of, verify_record

    try:
        anchors = dict.fromkeys(parties_of(data), known)
    except ComityError:
        anchors = {}
    report = verify_record(data, anchors, time_ns() // 1_000)
    lines: list[str] = []
    for one in report["items"]:
        said = f"{one['object']} by {one['name']}, appointed {one['appointed']}, published {one['published']}"
        lines += [f"{'Verified' if one['verified'] else 'NOT VERIFIED'}: {said}" if one["object"] else "NOT VERIFIED"]
        lines += [f"  {why}" for why in ([one["why"]] if one["why"] else [])]
        if one["signer"] is not None:
            vouched = "" if one["signer"]["anchored"] else ", for whom nobody vouches here"
            lines.append(f"  signed by {one['party']}, fingerprint {one['signer']['fingerprint']}{vouched}")
        lines += [f"  Note: {remark}" for remark in one["remarks"]]
    if not report["verified"]:
        ctx.note(f"comity: Not verified: {report['why']}")
    return ctx.done(report, *lines, status=0 if report["verified"] else 1)


def fingerprint_of(text: str) -> str:
    """A fingerprint as it is written: six groups of five digits.

    Raises:
        Usage: `command-line`.
    """
    digits = "".join(one for one in text if one in "0123456789")
    if len(digits) != 30 or any(one.isalpha() for one in text):
        raise Usage("command-line", f"A fingerprint is six groups of five digits; {text!r} is none.")
    return " ".join(digits[place : place + 5] for place in range(0, 30, 5))


def _signers(data: bytes) -> list[str]:
    """The parties whose cards the bundle shows. A fingerprint fits only the party it is of, so each may be tried for all."""
    from comity.kernel.tlog.bundle import ProofBundle

    try:
        return list(ProofBundle.from_json(data).cards)
    except ComityError:
        return []


def _verified(report: dict[str, Any]) -> list[str]:
    who = {
        "origin": f"{report['originator']} says so of its own work",
        "custody": "whoever sealed it had it from elsewhere",
        "anonymous": "it was sealed for a source that is not named",
        "origin-contested": "more than one party claims to be its author",
    }
    lines = [
        f"Verified: {report['object']}, in the view {report['view']}, {report['removed']} parts removed; "
        f"{who.get(report['role'], report['role'])}."
    ]
    lines += [f"  signed by {one['party']}, fingerprint {one['fingerprint']}" for one in report["signers"]]
    log = report["log"]
    return [*lines, f"  recorded at tick {log['index']} of {log['origin']}, in a checkpoint of {log['size']:,} ticks"]
