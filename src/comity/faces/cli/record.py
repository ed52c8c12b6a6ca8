"""`comity log`, `account`, `verify`: what was done, to whom everything went, and the proof of it for somebody without a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Context, Ctx, table
from comity.faces.cli.words import instant_or_none
from comity.kernel.errors import ComityError, NotFound, Usage

if TYPE_CHECKING:
    from comity.faces.wiring import Home
    from comity.kernel.store.rows import ActRow


def show(
    *,
    to: Annotated[str | None, Parameter(help="Only acts towards this party, name or id.")] = None,
    kind: Annotated[str | None, Parameter(help="Only acts of this kind, such as deliver.")] = None,
    since: Annotated[str | None, Parameter(help="Only acts from this instant on.")] = None,
    limit: Annotated[int, Parameter(help="Most acts to show, the newest ones.")] = 100,
    ctx: Ctx,
) -> int:
    """Show our acts and where each stands in the log."""
    from comity.kernel.store.rows import ActRow
    from comity.node.context import read_setting
    from comity.node.parties import name_of, resolve_party
    from comity.node.record import log_facts, newest_checkpoint

    if limit < 1:
        raise Usage("command-line", "--limit is a number from 1 on.")
    start = instant_or_none(since, "--since")
    with ctx.open() as home, home.node.store.read() as tx:
        party = None if to is None else resolve_party(tx, to).id
        found: list[ActRow] = []
        for row in tx.find(ActRow, order=("at",), reverse=True):
            if start is not None and row.at < start:
                break
            if (party is not None and row.to != party) or (kind is not None and row.kind != kind):
                continue
            found.append(row)
            if len(found) == limit:
                break
        facts = log_facts(tx)
        size: int = read_setting(tx, "log-size", 0)
        newest = newest_checkpoint(tx)
        acts = [_act(row, size, name_of(tx, row.to) if row.to else None) for row in reversed(found)]
        evidence = _evidence(tx)
    lines = [f"Log {facts.origin}: {size:,} ticks of {facts.period / 1_000_000:g} s, incarnation {facts.incarnation}"]
    lines += table(
        ("at", "kind", "to", "tick", "place", "state", "act"),
        [
            (one["at"], one["kind"], one["name"], one["tick"], one["place"], one["state"], one["act"][:16])
            for one in acts
        ],
    )
    lines += [f"Evidence against {one['name']}: {one['kind']}, kept since {one['at']}" for one in evidence]
    return ctx.done(
        {
            "origin": facts.origin,
            "size": size,
            "period": facts.period / 1_000_000,
            "incarnation": facts.incarnation,
            "checkpoint": None if newest is None else newest.note.decode(),
            "acts": acts,
            "evidence": evidence,
        },
        *lines,
    )


def _act(row: ActRow, size: int, name: str | None) -> dict[str, Any]:
    from comity.kernel.model.instants import format

    state = "in a life of the log that was closed" if row.tick < 0 else "in the log" if row.tick < size else "promised"
    return {
        "act": row.digest,
        "kind": row.kind,
        "to": row.to or None,
        "name": name,
        "at": format(row.at),
        "tick": row.tick,
        "place": row.place,
        "state": state,
    }


def _evidence(tx: Any) -> list[dict[str, Any]]:
    from comity.kernel.model.instants import format
    from comity.kernel.store.rows import Evidence
    from comity.node.parties import name_of

    return [
        {
            "digest": row.digest,
            "party": row.party,
            "name": name_of(tx, row.party),
            "kind": row.kind,
            "at": format(row.at),
        }
        for row in tx.find(Evidence)
    ]


def promises(
    party: Annotated[str | None, Parameter(help="Name or id; without it, every party.")] = None,
    /,
    *,
    fetch: Annotated[bool, Parameter(help="Ask each party for the proofs that are due.")] = False,
    ctx: Ctx,
) -> int:
    """Show what others promised to have in their logs, and whether they proved it."""
    from collections import Counter

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
                    _fetch(ctx, home, who, acts)
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


def _fetch(ctx: Context, home: Home, party: str, acts: list[str]) -> int:
    """Ask a party's node for the proofs of these acts and keep those that are due; gives how many are here now."""
    from comity.node.contact import peer_card
    from comity.node.proofs import take_proof

    with home.node.store.read() as tx:
        card = peer_card(tx, party)
    client = ctx.wiring.connect(home.node, card, True)
    try:
        done = 0
        for act in acts:
            done += take_proof(home.node, party, act, client.proof(act))
        return done
    finally:
        client.close()


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
    with ctx.open() as home:
        if party is None:
            data, said = _prove_act(home, what)
        else:
            data, said = _prove_delivery(ctx, home, what, party, received)
        size = ctx.write(output, [data])
    if output is None:
        return 0
    return ctx.done(
        {**said, "file": output, "bytes": size}, f"{said['sentence']} The proof is in {output}, {size:,} bytes."
    )


def _prove_act(home: Home, digest: str) -> tuple[bytes, dict[str, Any]]:
    from comity.kernel.model.instants import format
    from comity.kernel.seal.canonical import canonical
    from comity.kernel.store.rows import ActRow
    from comity.node.deeds import deed
    from comity.node.record import proof_of

    if "--" in digest:
        raise Usage("command-line", f"{digest} is an object; name the party too that it went to or came from.")
    with deed(home.node) as work:
        fits = [row.digest for row in work.tx.find(ActRow) if row.digest.startswith(digest)] if len(digest) >= 8 else []
        if len(fits) != 1:
            raise NotFound("no-such-act", f"No act of ours has the digest {digest!r}; comity log show lists them.")
        shape = proof_of(home.node, work.tx, fits[0])
    if "due" in shape:
        raise NotFound(
            "proof-not-due",
            f"The tick of this act is over at {format(shape['due'])}; its proof can be made after that.",
        )
    return canonical(shape), {
        "act": fits[0],
        "sentence": f"The act stands at place {shape['place']} of tick {shape['tick']}.",
    }


def _prove_delivery(
    ctx: Context, home: Home, object_id: str, text: str, received: bool
) -> tuple[bytes, dict[str, Any]]:
    from comity.kernel.store.rows import StreamRow
    from comity.node.deeds import deed
    from comity.node.parties import resolve_party
    from comity.node.proving import bundle_given, bundle_received, received_from

    with deed(home.node) as work:
        row = resolve_party(work.tx, text)
        gave = next(iter(work.tx.find(StreamRow, party=row.id, object=object_id)), None) is not None
    came = received_from(home.node, object_id, row.id)
    if came is not None and (received or not gave):
        _need_proof(ctx, home, row.id, came[0].act)
        data = bundle_received(home.node, *came)
        return data, {"object": object_id, "from": row.id, "sentence": f"{row.name} gave us {object_id}."}
    if received:
        raise NotFound("not-given", f"{object_id} did not come from {row.name}, so there is nothing to prove.")
    data = bundle_given(home.node, object_id, row.id)
    return data, {"object": object_id, "to": row.id, "sentence": f"We gave {object_id} to {row.name}."}


def _need_proof(ctx: Context, home: Home, party: str, act: str) -> None:
    """Have the proof of a delivery's act here: kept from before, or asked of the party now."""
    from comity.kernel.store.rows import PromiseRow

    with home.node.store.read() as tx:
        if any(row.proof is not None for row in tx.find(PromiseRow, act=act)):
            return
    _fetch(ctx, home, party, [act])


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
        ("to", "row", "object", "clause", "view", "given", "receipt", "state"),
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
    file: Annotated[str, Parameter(help="The proof, *.proof.json.")],
    /,
    *,
    fingerprint: Annotated[
        tuple[str, ...], Parameter(help="The fingerprint of a signer, known from elsewhere; once for each.")
    ] = (),
    card: Annotated[
        tuple[str, ...], Parameter(help="The card file of a signer, had from elsewhere; once for each.")
    ] = (),
    ctx: Ctx,
) -> int:
    """Verify a proof offline; no node is needed."""
    from comity.kernel.seal.cards import verify_chain
    from comity.kernel.tlog.bundle import MAX_BUNDLE, verify_bundle
    from comity.node.parties import read_card_file

    data = ctx.read(file, MAX_BUNDLE)
    known = [_groups(one) for one in fingerprint]
    known += [verify_chain(read_card_file(ctx.read(one))).fingerprint for one in card]
    report = verify_bundle(data, dict.fromkeys(_signers(data), known))
    if report["verified"]:
        lines = _verified(dict(report))
    else:
        lines = []
        ctx.note(f"comity: Not verified: {report['why']}")
    return ctx.done(report, *lines, status=0 if report["verified"] else 1)


def _groups(text: str) -> str:
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
