"""`comity import`, `handling`, `export`, `search`: objects in, what is stated about them, objects out, objects found.

A file is named by the SHA-256 of its bytes with what is stated about it, so an import that was cut off goes on where it stopped
when the same command is given again. Standard input is spooled first, so that it has such a name too.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

from cyclopts import Parameter

from comity.faces.cli.context import STDIN, Context, Ctx, open_file, standard_input
from comity.faces.cli.words import Stated
from comity.kernel.errors import ComityError, InputRefused, Usage
from comity.node.stating import instant_or_none, mapping_of, one_of

if TYPE_CHECKING:
    from comity.faces.wiring import Home
    from comity.kernel.release.handling import Handling
    from comity.kernel.store.rows import Batch
    from comity.node.intake import Counts


def import_(
    *files: Annotated[str, Parameter(help="Files to take in; - for standard input.")],
    stated: Stated = Stated(),
    map: Annotated[
        tuple[str, ...],
        Parameter(help="COLUMN=MEANING of a table, or @type=..., @name=... for all rows; once for each."),
    ] = (),
    ctx: Ctx,
) -> int:
    """Take in STIX 2.1 and 2.0, MISP events, tables, lists of values, the KEV catalogue; gzip too."""
    if not files:
        raise Usage("command-line", "Name the files to take in, or - for standard input.")
    mapping = mapping_of(map)
    done: list[dict[str, Any]] = []
    with ctx.open() as home:
        officer = ctx.by
        handling = stated.handling(home.node.clock())
        begun = time.monotonic()
        for name in files:
            told = _one(ctx, home, name, stated, handling, mapping, officer)
            done.append(told)
            ctx.say(*_lines(told))
    return _ended(ctx, done, time.monotonic() - begun)


def _one(
    ctx: Context,
    home: Home,
    name: str,
    stated: Stated,
    handling: Handling,
    mapping: Mapping[str, str] | None,
    officer: str,
) -> dict[str, Any]:
    """Take in one file: what became of its objects, and where and why it broke off, if it did."""
    shown = "standard input" if name == STDIN else name
    with _opened(name) as (stream, digest):
        named = sha256(json.dumps([digest, stated.given(), mapping], sort_keys=True).encode()).hexdigest()
        begun = time.monotonic()
        batch, counts, fault = take_file(
            ctx, home, stream, name=shown, digest=named, handling=handling, mapping=mapping, officer=officer
        )
    told: dict[str, Any] = {
        "file": shown,
        "format": None if batch is None else batch.format,
        "batch": None if batch is None else batch.b,
        **counts.as_json(),
        "seconds": round(time.monotonic() - begun, 3),
        "refused_file": None if batch is None else _write_refused(ctx, home, batch, counts),
    }
    if fault is None and counts.objects == counts.refused:
        fault = InputRefused("no-object", f"{shown} gave no object: all {counts.refused} parts of it were refused.")
    if fault is not None:
        told |= {"code": fault.code, "sentence": fault.sentence}
    return told


def take_file(
    ctx: Context,
    home: Home,
    stream: BinaryIO,
    *,
    name: str,
    digest: str,
    handling: Handling,
    mapping: Mapping[str, str] | None,
    officer: str,
) -> tuple[Batch | None, Counts, ComityError | None]:
    """Take in a stream: its batch (None where the file as a whole was refused), the counts, and what it broke off with."""
    from comity.node.intake import take_stream

    with ctx.progress(name) as progress:

        def told(so_far: Counts) -> None:
            progress.at(so_far.objects, f"{so_far.new:,} new, {so_far.refused:,} refused")
            ctx.kept = (
                f"{so_far.objects:,} objects of {name} are dealt with and kept; the same command goes on from there."
            )

        return take_stream(
            home.node,
            ctx.wiring.open_source,
            stream,
            name=name,
            digest=digest,
            handling=handling,
            officer=officer,
            mapping=mapping,
            progress=told,
        )


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, str]]:
    """A file that stands at its beginning, and the SHA-256 of its bytes; what cannot be read twice is spooled first."""
    if name == STDIN:
        with TemporaryFile() as spool:
            yield spool, _spooled(standard_input(), spool)
        return
    with open_file(name) as stream:
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            hashed = sha256()
            while piece := stream.read(1 << 20):
                hashed.update(piece)
            stream.seek(0)
            yield stream, hashed.hexdigest()
            return
        with TemporaryFile() as spool:
            yield spool, _spooled(stream, spool)


def _spooled(stream: BinaryIO, spool: Any) -> str:
    hashed = sha256()
    while piece := stream.read(1 << 20):
        hashed.update(piece)
        spool.write(piece)
    spool.seek(0)
    return hashed.hexdigest()


def _write_refused(ctx: Context, home: Home, batch: Batch, counts: Counts) -> str | None:
    """Write what was refused to a file of its own, a JSON object a line; gives its name, None where nothing was."""
    from comity.node.intake import refusals

    if not counts.refused:
        return None
    folder = ctx.home / "refused"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"batch-{batch.b}.ndjson"

    def lines() -> Iterator[bytes]:
        with home.node.store.read() as tx:
            for row in refusals(tx, batch.b):
                shape = {
                    "place": row.place,
                    "object": row.object,
                    "code": row.code,
                    "sentence": row.sentence,
                    "raw": row.raw.decode("utf-8", "backslashreplace"),
                }
                yield json.dumps(shape, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"

    ctx.write(str(target), lines())
    return str(target)


def _lines(told: Mapping[str, Any]) -> list[str]:
    from comity.node.intake import OUTCOMES

    if told["batch"] is None:
        return [f"{told['file']}: {told['sentence']}"]
    rate = told["objects"] / max(told["seconds"], 0.001)
    counted = ", ".join(f"{told[word]:,} {word}" for word in OUTCOMES if told[word]) or "nothing"
    lines = [f"{told['file']}: {counted} ({told['format']}, batch {told['batch']}, {rate:,.0f} objects/s)"]
    if told["unmarked"]:
        lines.append(
            f"  {told['unmarked']:,} carry no TLP and go to nobody until one is stated: comity handling set {told['batch']} --tlp ..."
        )
    if told["changed"]:
        lines.append(f"  {told['changed']:,} were converted; what was changed is kept with each")
    if told["refused_file"]:
        lines.append(f"  refused, with the reason for each: {told['refused_file']}")
    if "sentence" in told:
        lines.append(f"  {told['sentence']}")
    return lines


def _ended(ctx: Context, done: list[dict[str, Any]], seconds: float) -> int:
    from comity.node.intake import OUTCOMES

    summed = (*OUTCOMES, "unmarked", "changed", "objects")
    shape: dict[str, Any] = {word: sum(told[word] for told in done) for word in summed}
    shape["seconds"] = round(seconds, 3)
    shape["refused_file"] = next((told["refused_file"] for told in reversed(done) if told["refused_file"]), None)
    shape["batch"] = next((told["batch"] for told in reversed(done) if told["batch"] is not None), None)
    if len(done) > 1:
        shape["files"] = done
    broken = [told for told in done if "code" in told]
    if broken:
        shape |= {"code": broken[0]["code"], "sentence": broken[0]["sentence"]}
        for told in broken:
            ctx.note(f"comity: {told['sentence']}")
    return ctx.done(shape, status=1 if broken else 0)


def handling_set(
    target: Annotated[str, Parameter(help="An object id, or the number of a batch.")],
    /,
    *,
    stated: Stated = Stated(),
    ctx: Ctx,
) -> int:
    """State the handling of an object or a batch; the stricter of all statements counts."""
    from comity.node.handling import set_handling
    from comity.node.telling import readable

    if not stated.given():
        raise Usage("command-line", "Nothing is stated; say --tlp, --purpose, --basis or another.")
    with ctx.open() as home:
        handling = stated.handling(home.node.clock())
        moved = set_handling(home.node, target, handling, officer=ctx.by)
    return ctx.done(
        {"target": target, "moved": moved, "handling": readable(handling)},
        f"Stated for {target}; {moved:,} versions are decided anew.",
    )


def handling_show(target: Annotated[str, Parameter(help="An object id.")], /, *, ctx: Ctx) -> int:
    """Show what counts for an object, holding by holding, and who stated what."""
    from comity.node.telling import handling_of

    with ctx.open() as home, home.node.store.read() as tx:
        shape = handling_of(tx, target)
    lines = []
    for held in shape["holdings"]:
        lines.append(
            f"Held from {held['name']}" + (f" under {held['title']}" if held["title"] else f", batch {held['batch']}")
        )
        lines += [f"  {name:<12} {_word(value)}" for name, value in held["facets"].items()]
    for one in shape["stated"]:
        said = ", ".join(f"{name} {_word(value)}" for name, value in one.items() if name not in ("target", "at", "by"))
        lines.append(
            f"Stated for {one['target']} on {one['at']} by {one.get('by') or 'nobody named'}: {said or 'nothing'}"
        )
    return ctx.done(shape, *lines)


def _word(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def export(
    *,
    format: Annotated[str, Parameter(help="stix, misp or csv.")] = "stix",
    type: Annotated[tuple[str, ...], Parameter(help="Only objects of this type; once for each.")] = (),
    id: Annotated[tuple[str, ...], Parameter(help="Only this object; once for each.")] = (),
    since: Annotated[
        str | None, Parameter(help="Only what was taken in (with --to: given) from this instant on.")
    ] = None,
    case: Annotated[str | None, Parameter(help="Only what was stated to belong to this case.")] = None,
    all_versions: Annotated[bool, Parameter(help="Every version that is held, not only the newest.")] = False,
    to: Annotated[str | None, Parameter(help="Exactly what this party was given, in its views.")] = None,
    output: Annotated[str | None, Parameter(help="The file to write; without it, standard output.")] = None,
    ctx: Ctx,
) -> int:
    """Write objects out: our own as they came, or exactly what a party was given."""
    from comity.node.export import given_objects, own_objects
    from comity.node.parties import resolve_party

    one_of(format, sorted(ctx.wiring.writers), "--format")
    at = instant_or_none(since, "--since")
    types, ids = frozenset(type) or None, frozenset(id) or None
    count = 0

    def counted(raws: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal count
        for raw in raws:
            count += 1
            yield raw

    if to is not None and (case is not None or all_versions):
        raise Usage("command-line", "--case and --all-versions are about what we hold; with --to leave them out.")
    with ctx.open() as home, home.node.store.read() as tx:
        if to is None:
            raws = own_objects(tx, types=types, ids=ids, since=at, case=case, newest=not all_versions)
        else:
            raws = given_objects(tx, resolve_party(tx, to).id, types=types, ids=ids, since=at)
        size = ctx.write(output, ctx.wiring.writers[format](counted(raws)))
    if output is None or output == STDIN:
        ctx.note(f"{count:,} objects written.")
        return 0
    return ctx.done(
        {"objects": count, "bytes": size, "format": format, "file": output, "to": to},
        f"{count:,} objects, {size:,} bytes, in {Path(output)}.",
    )


def search(
    text: Annotated[str, Parameter(help="An id or a value, or how it begins; defanged values are understood.")],
    /,
    *,
    limit: Annotated[int, Parameter(help="Most objects to show.")] = 200,
    ctx: Ctx,
) -> int:
    """Find objects by id or value, and say from whom each came."""
    from comity.node.search import search as find

    if limit < 1:
        raise Usage("command-line", "--limit is a number from 1 on.")
    with ctx.open() as home, home.node.store.read() as tx:
        found = [one.as_json() for one in find(tx, text, us=home.node.party, limit=limit)]
    lines = []
    for one in found:
        lines.append(f"{one['object']}  {one['value']}")
        lines += [
            f"  {origin['said']}, {origin['at']}, "
            + ("no TLP stated" if origin["tlp"] is None else f"TLP:{origin['tlp'].upper()}")
            for origin in one["origins"]
        ]
    return ctx.done(
        {"text": text, "count": len(found), "found": found}, *(lines or ["Nothing of that id or value is held here."])
    )
