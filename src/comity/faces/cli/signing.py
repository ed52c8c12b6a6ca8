"""`comity key new`, `card new` and `sign`: what a party does that runs no node, with a key file and no server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import STDIN, Context, Ctx, table
from comity.kernel.errors import NotAllowed
from comity.node.stating import country_code, one_of

if TYPE_CHECKING:
    from comity.node.offline import Signer

KeyFile = Annotated[str, Parameter(help="The key file of the party.")]


def key_new(file: Annotated[str, Parameter(help="The file to write.")], /, *, ctx: Ctx) -> int:
    """Make the key of a party without a node; whoever has the file signs for the party."""
    from comity.kernel.model.ids import party_id
    from comity.kernel.seal.keys import fingerprint

    key = ctx.wiring.new_key_file(Path(file))
    party, shown = party_id(key.public.spki), fingerprint(key.public.spki)
    return ctx.done(
        {"file": file, "party": party, "fingerprint": shown},
        f"The key is in {file}. Keep it where nobody else reads it, and a copy apart: it cannot be made again.",
        f"Party id     {party}",
        f"Fingerprint  {shown}",
        f"Next: comity card new --key {file} --name NAME --kind KIND --country XX --output FILE",
    )


def card_new(
    *,
    key: KeyFile,
    name: Annotated[str, Parameter(help="The name of the party, as others are to read it.")],
    kind: Annotated[str, Parameter(help="csirt, ministry, agency, regional-body, company, ngo or other.")],
    country: Annotated[str, Parameter(help="ISO 3166-1, two capital letters; XA to XZ for exercises.")],
    output: Annotated[str, Parameter(help="The card file to write and to hand over.")],
    office: Annotated[tuple[str, ...], Parameter(help="An office that releases may name; once for each.")] = (),
    identity: Annotated[
        tuple[str, ...], Parameter(help="A STIX identity the party uses as created_by_ref; once for each.")
    ] = (),
    ctx: Ctx,
) -> int:
    """Sign the card of a party without a node."""
    from comity.kernel.release.vocabulary import KINDS
    from comity.node.offline import card_of_key

    one_of(kind, KINDS, "--kind")
    country_code(country, "--country")
    if Path(output).exists():
        raise NotAllowed(
            "already-done", f"There is a file {output} already, and a party has one first card; write elsewhere."
        )
    card, data = card_of_key(
        ctx.wiring.read_key_file(Path(key)),
        ctx.wiring.clock(),
        name=name,
        kind=kind,
        country=country,
        offices=office,
        identities=identity,
    )
    ctx.write(output, [data])
    return ctx.done(
        {"party": card.party, "name": card.name, "fingerprint": card.fingerprint, "file": output},
        f"The card of {card.name} ({card.party}) is in {output}: hand it over, and read out the fingerprint on the telephone.",
        f"Fingerprint  {card.fingerprint}",
        "Who gets it: comity card add FILE, then comity card verify.",
    )


def sign(
    file: Annotated[str, Parameter(help="An agreement (TOML or its signed form), a STIX object or a STIX bundle.")],
    /,
    *,
    key: KeyFile,
    as_: Annotated[
        str | None, Parameter(name="--as", help="The card file of the party; without it, the party of this key.")
    ] = None,
    join: Annotated[bool, Parameter(help="Ask to join an agreement that does not name the party.")] = False,
    yes: Annotated[bool, Parameter(help="Sign what is shown without being asked.")] = False,
    output: Annotated[
        str | None, Parameter(help="The file to write; without it, beside FILE, as FILE.signed.json.")
    ] = None,
    ctx: Ctx,
) -> int:
    """Sign an agreement, or seal objects as one's own, with a key file and no node; what is signed is shown before."""
    from comity.kernel.seal.cards import verify_chain
    from comity.kernel.seal.sealed import LARGEST
    from comity.node.offline import signer_of
    from comity.node.parties import read_card_file

    data = ctx.read(file, LARGEST)
    at = ctx.wiring.clock()
    card = None if as_ is None else verify_chain(read_card_file(ctx.read(as_)))
    who = signer_of(ctx.wiring.read_key_file(Path(key)), card, at)
    target = output or ("signed.json" if file == STDIN else f"{file}.signed.json")
    if Path(target).exists():
        raise NotAllowed("already-done", f"There is a file {target} already; say --output with another name.")
    make = _objects if _is_stix(data) else _text
    shape = make(ctx, who, file, data, at, join, yes, target)
    return ctx.done({"party": who.party, "file": target, **shape}, f"Written: {target}", *_next(shape))


def _is_stix(data: bytes) -> bool:
    """Whether a file is STIX rather than an agreement: both may be JSON, and only an agreement has texts."""
    from comity.kernel.errors import InputRefused
    from comity.kernel.model import strictjson

    if data.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        said = strictjson.read(data)
    except InputRefused:
        return True  # the walk over its objects says what is wrong
    return not (isinstance(said, dict) and "type" not in said and "texts" in said)


def _text(
    ctx: Context, who: Signer, file: str, data: bytes, at: int, join: bool, yes: bool, target: str
) -> dict[str, Any]:
    from comity.kernel.release.jsonform import digest
    from comity.kernel.release.phrasebook import render
    from comity.node.instruments import read_agreement
    from comity.node.offline import sign_text

    said = read_agreement(data)
    kind, paper = sign_text(who, said, at, join=join)
    shown = render(said, said.languages[0])
    verb = "asks to join" if join else "signs"
    _ask(ctx, yes, [shown.rstrip("\n"), "", f"Digest  {digest(said)}", f"{_named(who)} {verb} this text."])
    ctx.write(target, [paper])
    return {"kind": kind, "agreement": digest(said), "text": shown}


def _objects(
    ctx: Context, who: Signer, file: str, data: bytes, at: int, join: bool, yes: bool, target: str
) -> dict[str, Any]:
    from io import BytesIO

    from comity.kernel.errors import InputRefused, Usage
    from comity.kernel.model import bundle
    from comity.node.offline import seal_objects, to_seal

    if join:
        raise Usage("command-line", "--join goes with an agreement; this file holds objects.")
    raws = []
    for found in bundle.walk(BytesIO(data).read):
        if found.fault is not None:
            raise found.fault
        raws.append(found.raw)
    what = to_seal(who, raws)
    if not what.objects:
        raise InputRefused("no-object", f"{file} holds no object that {_named(who)} could seal.")
    told = what.told()
    lines = table(
        ("type", "name", "TLP", "PAP", "version", "id"),
        [(one["type"], one["name"], one["tlp"] or "none", one["pap"], one["version"], one["id"]) for one in told],
    )
    lines += [f"Left out, since it only explains others: {one}" for one in what.left_out]
    _ask(ctx, yes, [*lines, "", f"{_named(who)} seals these {len(told)} objects as its own word."])
    ctx.write(target, [seal_objects(who, what, at, ctx.wiring.random)])
    return {"kind": "sealed", "objects": told, "left_out": list(what.left_out)}


def _named(who: Signer) -> str:
    return who.party if who.card is None else f"{who.card.name} ({who.party})"


def _next(shape: dict[str, Any]) -> list[str]:
    if shape["kind"] == "sealed":
        return ["Who gets it: comity import FILE, after comity card add and comity card verify."]
    return ["Who gets it: comity agreement receive FILE, after comity card add and comity card verify."]


def _ask(ctx: Context, yes: bool, lines: list[str]) -> None:
    """Show what is about to be signed, and ask.

    Raises:
        NotAllowed: `sign-refused` where the answer is not yes, or nobody can be asked.
    """
    ctx.say(*lines)
    if yes:
        return
    if ctx.json or sys.stdin is None or not sys.stdin.isatty():
        raise NotAllowed(
            "sign-refused", "Nothing was signed: nobody can be asked here; read what is shown, then say --yes."
        )
    print("Sign it? Write yes: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() != "yes":
        raise NotAllowed("sign-refused", "Nothing was signed.")
