"""`comity init` and `comity serve`: making a node, and running it."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from comity.faces.cli.context import Ctx
from comity.kernel.errors import Usage
from comity.node.stating import country_code, one_of

LEAST_TICK = 0.05
"""Seconds; a shorter tick would write more log than deeds."""


def init(
    *,
    party: Annotated[str, Parameter(help="The name of the party, as others are to read it.")],
    kind: Annotated[str, Parameter(help="csirt, ministry, agency, regional-body, company, ngo or other.")],
    country: Annotated[str, Parameter(help="ISO 3166-1, two capital letters; XA to XZ for exercises.")],
    url: Annotated[
        str | None, Parameter(help="Where others reach this node, such as https://cert.example:8443.")
    ] = None,
    office: Annotated[tuple[str, ...], Parameter(help="An office that releases may name; once for each.")] = (
        "duty-officer",
    ),
    identity: Annotated[
        tuple[str, ...], Parameter(help="A STIX identity the party uses as created_by_ref; once for each.")
    ] = (),
    language: Annotated[tuple[str, ...], Parameter(help="A language the party reads; once for each.")] = ("en",),
    contact: Annotated[
        tuple[str, ...], Parameter(help="How to reach a person, such as mailto:duty@cert.example.")
    ] = (),
    tick: Annotated[float, Parameter(help="Seconds of one tick of the log.")] = 60.0,
    ctx: Ctx,
) -> int:
    """Make a node: folder, keys, database, card."""
    from comity.faces.wiring import Founding
    from comity.kernel.model.names import MAX_NAME, flaw_of_text
    from comity.kernel.release.vocabulary import KINDS

    one_of(kind, KINDS, "--kind")
    country_code(country, "--country")
    flaw = flaw_of_text(party, MAX_NAME)
    if flaw is not None:
        raise Usage("command-line", f"The name of --party {flaw}; others have to be able to read it.")
    if url is not None and not url.startswith(("https://", "http://")):
        raise Usage("peer-url", f"{url!r} is no address; write it as https://cert.example:8443.")
    if not LEAST_TICK <= tick <= 86_400:
        raise Usage("command-line", "--tick is a number of seconds from 0.05 to 86400; 60 is usual.")
    home, card = ctx.wiring.found_home(
        ctx.home,
        ctx.database,
        Founding(
            name=party,
            kind=kind,
            country=country,
            url=url,
            offices=office,
            identities=identity,
            languages=language,
            contacts=[{"address": one} for one in contact],
            period=round(tick * 1_000_000),
        ),
    )
    home.close()
    return ctx.done(
        {"party": card.party, "name": card.name, "fingerprint": card.fingerprint, "home": str(ctx.home)},
        f"{card.name} has a node in {ctx.home}.",
        f"Party id     {card.party}",
        f"Fingerprint  {card.fingerprint}",
        "",
        "Next:",
        "  comity officer add NAME --role admin     the first officer; keep the token that is shown",
        "  comity card show --output card.json      the card to give to others; read them the fingerprint by telephone",
        "  comity import FILE --tlp green           take something in",
    )


def serve(
    *,
    host: Annotated[
        str, Parameter(help="Address to listen on; beyond this machine only with a certificate.")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on.")] = 8443,
    every: Annotated[float, Parameter(help="Seconds between two looks at what is due.")] = 1.0,
    ctx: Ctx,
) -> int:
    """Run the node: exchange, TAXII and REST, in one process, until Ctrl-C."""
    if not 0 <= port <= 65_535:
        raise Usage("command-line", "--port is a number from 0 to 65535.")
    if not 0.01 <= every <= 86_400:
        raise Usage("command-line", "--every is a number of seconds from 0.01 to 86400.")
    ctx.kept = "What was acknowledged is kept."
    with ctx.open() as home:
        ctx.wiring.serve(home, host, port, every, ctx.note)
    return ctx.done({"served": True}, "The node has stopped; what was acknowledged is kept.")
