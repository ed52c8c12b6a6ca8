"""`comity attachment`: files kept, fetched, written out and disposed of, and the chain of custody. No file is ever shown or run here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO

from cyclopts import Parameter

from comity.faces.cli.context import STDIN, Ctx, open_file, standard_input, table
from comity.faces.cli.words import Stated
from comity.kernel.errors import NotAllowed
from comity.node.stating import one_of

_THE_ARTIFACT = Parameter(help="The artifact's id.")


@contextmanager
def _read_twice(name: str) -> Iterator[BinaryIO]:
    """A file that can be read from its beginning again; standard input is spooled first."""
    if name == STDIN:
        with TemporaryFile() as spool:
            copyfileobj(standard_input(), spool)
            spool.seek(0)
            yield spool
    else:
        with open_file(name) as stream:
            yield stream


def add(
    file: Annotated[str, Parameter(help="The file; - for standard input.")],
    /,
    *,
    name: Annotated[str | None, Parameter(help="What it is called; the file's own name if nothing is said.")] = None,
    no_name: Annotated[bool, Parameter(help="Say nothing of its name.")] = False,
    mime: Annotated[str | None, Parameter(help="Its media type, such as application/pdf.")] = None,
    about: Annotated[tuple[str, ...], Parameter(help="Id of an object it belongs to; once for each.")] = (),
    place: Annotated[str | None, Parameter(help="Where it was collected, in words.")] = None,
    means: Annotated[str | None, Parameter(help="How it was collected, in words.")] = None,
    stated: Stated = Stated(),
    ctx: Ctx,
) -> int:
    """Keep a file and make the artifact that refers to it; a file that was cut off goes on where it stopped."""
    from comity.node.attachments.adding import add as added

    ctx.kept = "The chunks that were read are kept; the same command goes on from there."
    called = None if no_name else name if name is not None else None if file == STDIN else Path(file).name
    with ctx.open() as home, _read_twice(file) as stream, ctx.progress(file, "bytes") as progress:
        told = added(
            home.node,
            stream,
            name=called,
            handling=stated.handling(home.node.clock()),
            officer=ctx.by,
            mime=mime,
            about=about,
            place=place,
            means=means,
            told=progress.at,
        )
    return ctx.done(
        told,
        f"{told['object']} refers to {called or 'the file'}: {told['size']:,} bytes, SHA-256 {told['sha256']}.",
        "Whoever is given the artifact may fetch the bytes; nobody is sent them.",
    )


def fetch(
    object: Annotated[str, _THE_ARTIFACT],
    /,
    *,
    from_: Annotated[
        str | None, Parameter(name="--from", help="As this party gave it, name or id, where several did.")
    ] = None,
    ctx: Ctx,
) -> int:
    """Fetch the bytes of a file from the party that gave its artifact; what was cut off goes on where it stopped."""
    from comity.node.attachments.fetching import fetch as fetched

    ctx.kept = "The chunks that came are kept; the same command goes on from there."
    with ctx.open() as home, ctx.progress(object, "bytes") as progress:
        told = fetched(home.node, object, ctx.wiring.connect, officer=ctx.by, of=from_, told=progress.at)
    if told["entry"] is None:
        return ctx.done(told, f"All {told['size']:,} bytes of {object} were here before.")
    return ctx.done(
        told, f"All {told['size']:,} bytes of {object} are here, SHA-256 {told['sha256']}. They were not looked at."
    )


def open_(
    object: Annotated[str, _THE_ARTIFACT],
    /,
    *,
    output: Annotated[str, Parameter(help="The file to write; - for standard output, where that is no terminal.")],
    means: Annotated[str | None, Parameter(help="By what means and what for, in words.")] = None,
    ctx: Ctx,
) -> int:
    """Write the bytes of a file out, after they were compared with their digest; the chain of custody says so."""
    from comity.node.attachments.opening import open_file as opened

    if output == STDIN and (sys.stdout is None or sys.stdout.isatty()):
        raise NotAllowed("output-needed", "The bytes of a file are not shown on a terminal; say --output FILE.")
    with ctx.open() as home:
        with ctx.progress(object, "bytes") as progress:
            found = opened(home.node, object, officer=ctx.by, means=means, told=progress.at)
        size = ctx.write(output, found.pieces)
    where = (
        ()
        if output == STDIN
        else (f"{size:,} bytes of {object} are in {output}; look at the file with the care it needs.",)
    )
    return ctx.done({**found.told, "output": output}, *where)


def list_(*, ctx: Ctx) -> int:
    """List the artifacts here that refer to a file, and whether its bytes are here."""
    from comity.node.attachments.opening import listed

    with ctx.open() as home:
        rows = listed(home.node)
    lines = table(
        ("object", "name", "bytes", "TLP", "from", "state"),
        [(one["object"], one["name"], f"{one['size']:,}", one["tlp"], one["from_name"], one["state"]) for one in rows],
    )
    return ctx.done({"attachments": rows}, *(lines or ["No artifact that refers to a file is held here."]))


def show(
    object: Annotated[str, _THE_ARTIFACT],
    /,
    *,
    from_: Annotated[
        str | None, Parameter(name="--from", help="As this party gave it, name or id, where several did.")
    ] = None,
    ctx: Ctx,
) -> int:
    """Show which file an artifact refers to, how it stands here, and to whom it was given; never what is in it."""
    from comity.node.attachments.opening import shown

    with ctx.open() as home:
        told = shown(home.node, object, from_)
    words = ("object", "name", "mime_type", "size", "sha256", "tlp", "from_name", "state")
    lines = [f"{word.replace('_', ' ')}: {told[word]}" for word in words if told[word] is not None]
    lines += table(
        ("given to", "at", "chunks", "act", "disposed of there"),
        [
            (one["name"], one["at"], one["chunks"], one["act"], "yes" if one["disposed"] else "no")
            for one in told["given"]
        ],
    )
    return ctx.done(told, *lines, *_chain(told["custody"]))


def verify(object: Annotated[str, _THE_ARTIFACT], /, *, ctx: Ctx) -> int:
    """Read all bytes of a file again and compare them with what its artifact says."""
    from comity.node.attachments.opening import verify_file

    with ctx.open() as home, ctx.progress(object, "bytes") as progress:
        told = verify_file(home.node, object, told=progress.at)
    return ctx.done(told, f"All {told['size']:,} bytes of {object} are those it names, SHA-256 {told['sha256']}.")


def forget(
    object: Annotated[str, _THE_ARTIFACT],
    /,
    *,
    reason: Annotated[
        str, Parameter(help="Why; it stands in the record, and the party that gave the file is told it.")
    ],
    ctx: Ctx,
) -> int:
    """Dispose of the bytes kept for an artifact; digest, acts and the chain of custody stay."""
    from comity.node.attachments.opening import forget as forgotten

    with ctx.open() as home:
        told = forgotten(home.node, object, reason=reason, officer=ctx.by)
    rest = "" if told["erased"] else "; the same bytes are needed by another artifact here"
    return ctx.done(told, f"Nothing is kept for {object} any more; {told['erased']:,} bytes were erased{rest}.")


def record(
    object: Annotated[str, _THE_ARTIFACT],
    act: Annotated[str, Parameter(help="collected, copied, transferred, opened or returned.")],
    /,
    *,
    before: Annotated[str | None, Parameter(help="SHA-256 before it, 64 hexadecimal characters.")] = None,
    after: Annotated[str | None, Parameter(help="SHA-256 after it.")] = None,
    place: Annotated[str | None, Parameter(help="Where, in words.")] = None,
    means: Annotated[str | None, Parameter(help="By what means, in words.")] = None,
    from_: Annotated[str | None, Parameter(name="--from", help="The party that had it before, name or id.")] = None,
    to: Annotated[str | None, Parameter(help="The party that has it now, name or id.")] = None,
    at: Annotated[str | None, Parameter(help="When, with an offset; now, if nothing is said.")] = None,
    ctx: Ctx,
) -> int:
    """Write into the chain of custody what a person did with a file outside of this node."""
    from typing import get_args

    from comity.kernel.model.instants import format
    from comity.node.attachments.custody import enter
    from comity.node.attachments.kinds import CustodyAct
    from comity.node.stating import instant

    one_of(act, get_args(CustodyAct), "the act", "custody-entry")
    with ctx.open() as home:
        told = enter(
            home.node,
            object,
            act,  # type: ignore[arg-type]
            officer=ctx.by,
            before=before,
            after=after,
            place=place,
            means=means,
            giver=from_,
            taker=to,
            at=None if at is None else format(instant(at, "--at")),
        )
    return ctx.done(told, f"The chain of custody of {object} says so: {told['entry']}.")


def custody(object: Annotated[str, _THE_ARTIFACT], /, *, ctx: Ctx) -> int:
    """Show the chain of custody of a file, and every gap in it."""
    from comity.node.attachments.custody import chain_of

    with ctx.open() as home:
        told = chain_of(home.node, object)
    return ctx.done(told, *_chain(told))


def _chain(told: dict[str, Any]) -> list[str]:
    lines = table(
        ("entry", "at", "act", "by", "SHA-256 before", "after", "where", "means"),
        [
            (
                one["number"],
                one["at"],
                one["act"],
                one["name"] or "unattributed",
                (one.get("before") or "")[:16],
                (one.get("after") or "")[:16],
                one.get("place"),
                one.get("means"),
            )
            for one in told["entries"]
        ],
    )
    return [*lines, *(f"Gap: {one}" for one in told["gaps"])]
