"""`comity agreement`: from a draft to the signature, and what it would do before anybody signs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

from comity.faces.cli.context import STDIN, Context, Ctx, table
from comity.kernel.errors import InputRefused, NotFound, Usage
from comity.node.stating import instant_or_none, one_of, span

if TYPE_CHECKING:
    from comity.kernel.release.agreement import Agreement

_REF: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{4,64}", re.ASCII)


def draft(
    *,
    template: Annotated[str, Parameter(help="bilateral, community, company-to-team or directory.")],
    party: Annotated[
        tuple[str, ...],
        Parameter(help="REF=PARTY: a short name in the text, and a party known here; once for each, in order."),
    ],
    title: Annotated[str | None, Parameter(help="The title, in English.")] = None,
    begins: Annotated[str | None, Parameter(help="Instant of entry into force; without it, now.")] = None,
    ends: Annotated[str | None, Parameter(help="Instant at which it ends; without it, it does not.")] = None,
    output: Annotated[str | None, Parameter(help="The file to write; without it, standard output.")] = None,
    ctx: Ctx,
) -> int:
    """Write a draft to begin from: every term stands openly in it, to be read and changed."""
    from comity.kernel.model.instants import SECOND
    from comity.kernel.release.templates import TEMPLATES, TemplateParty
    from comity.node.parties import resolve_party

    one_of(template, TEMPLATES, "--template", "template")
    with ctx.open() as home, home.node.store.read() as tx:
        named = []
        for pair in party:
            ref, equals, who = pair.partition("=")
            if not equals or not _REF.fullmatch(ref) or not who:
                raise Usage(
                    "template",
                    f"--party is REF=PARTY, such as ee=CERT-EE, where REF begins with a letter; {pair!r} is none.",
                )
            row = resolve_party(tx, who)
            named.append(TemplateParty(ref, row.name, row.id))
        now = home.node.clock()
        written = TEMPLATES[template](
            named,
            enters_into_force=instant_or_none(begins, "--begins") or now - now % SECOND,
            ends=instant_or_none(ends, "--ends"),
            title=title,
        )
    ctx.write(output, [written.encode()])
    if output is None or output == STDIN:
        return 0
    return ctx.done(
        {"file": output, "template": template, "parties": [one.id for one in named]},
        f"The draft is in {output}: read every line, change what you do not mean, then",
        f"  comity agreement preview {output}",
    )


def text(
    agreement: Annotated[str, Parameter(help="A file, or digest or title of one that is known here.")],
    /,
    *,
    language: Annotated[str | None, Parameter(help="One of its languages; without it, the first.")] = None,
    output: Annotated[str | None, Parameter(help="The file to write; without it, standard output.")] = None,
    ctx: Ctx,
) -> int:
    """Write the readable text: what is signed is what is executed."""
    from comity.kernel.release.jsonform import digest
    from comity.kernel.release.phrasebook import render

    said = _load(ctx, agreement)
    tongue = language or said.languages[0]
    readable = render(said, tongue)
    if output is not None and output != STDIN:
        ctx.write(output, [readable.encode()])
    return ctx.done(
        {"digest": digest(said), "language": tongue, "text": readable},
        f"The text is in {output}." if output is not None and output != STDIN else readable.rstrip("\n"),
    )


def lint(
    agreement: Annotated[str, Parameter(help="A file, or digest or title of one that is known here.")],
    /,
    *,
    interval: Annotated[
        str | None, Parameter(help="Time between two contacts of the slowest road, such as PT24H.")
    ] = None,
    ctx: Ctx,
) -> int:
    """Look for clauses that contradict, overshadow or never apply."""
    from comity.kernel.release.jsonform import digest
    from comity.node.telling import findings

    said = _load(ctx, agreement)
    found = findings(said, interval=None if interval is None else span(interval, "--interval"))
    return ctx.done(
        {"digest": digest(said), "findings": found},
        *([f"{one['code']}: {one['sentence']}" for one in found] or ["Nothing was found."]),
    )


def preview(
    agreement: Annotated[str, Parameter(help="A file, or digest or title of one that is known here.")],
    /,
    *,
    interval: Annotated[
        str | None, Parameter(help="Time between two contacts of the slowest road, such as PT24H.")
    ] = None,
    objects: Annotated[bool, Parameter(help="Name the objects, not only their number.")] = False,
    ctx: Ctx,
) -> int:
    """Show what would become visible to whom if it were in force now, over the objects that are held here."""
    from comity.kernel.release.jsonform import digest
    from comity.node.release import preview_agreement
    from comity.node.telling import findings

    with ctx.open() as home:
        said = _load(ctx, agreement, home.node)
        lines = preview_agreement(home.node, said)
        ours = any(one.id == home.node.party for one in said.parties)
    found = findings(said, interval=None if interval is None else span(interval, "--interval"))
    told = (
        []
        if ours
        else [f"{_title(said)} is an agreement of others: we are not among its parties, so nothing goes from here."]
    )
    for line in lines if ours else ():
        told += line_told(line.as_json(), {digest(said): _title(said)}, would=True, objects=objects)
    told += [f"Look at again: {one['sentence']}" for one in found]
    return ctx.done(
        {
            "digest": digest(said),
            "ours": ours,
            "parties": [line.as_json() for line in lines],
            "findings": found,
        },
        *told,
    )


def diff(
    old: Annotated[str, Parameter(help="A file, or digest or title of one that is known here.")],
    new: Annotated[str, Parameter(help="A file, or digest or title of one that is known here.")],
    /,
    *,
    ctx: Ctx,
) -> int:
    """Compare two drafts, in words and in the objects that are held here."""
    from comity.node.telling import differences

    with ctx.open() as home:
        shape = differences(home.node, _load(ctx, old, home.node), _load(ctx, new, home.node))
    lines = []
    for change in shape["words"]:
        lines.append(f"{change['where']}: {change['what']}")
        lines += [f"  - {part}" for part in (change["old"] or "").splitlines()]
        lines += [f"  + {part}" for part in (change["new"] or "").splitlines()]
    lines += [
        f"{line['name']}: {len(line['gains']):,} objects more, {len(line['loses']):,} objects less"
        for line in shape["objects"]
    ]
    return ctx.done(shape, *(lines or ["The two say the same."]))


def send(agreement: Annotated[str, Parameter(help="Digest or title.")], /, *, ctx: Ctx) -> int:
    """Send the proposal to its other parties at the next contact."""
    from comity.node.instruments import send as hand

    with ctx.open() as home:
        others = hand(home.node, agreement, officer=ctx.by)
        names = _names(home.node, others)
    return ctx.done({"sent": others}, f"It goes to {', '.join(names)} at the next contact.")


def receive(
    file: Annotated[str, Parameter(help="An agreement (TOML or its signed form), or a paper of its life.")],
    /,
    *,
    ctx: Ctx,
) -> int:
    """Take an agreement, or a signature or another paper of its life, from a file; it is a proposal until all have signed."""
    import msgspec

    from comity.kernel.release.phrasebook import render
    from comity.node.instruments import receive as take
    from comity.node.instruments import take_file

    data = ctx.read(file)
    shape: Any = None
    if data.lstrip().startswith(b"{"):
        try:
            shape = msgspec.json.decode(data)
        except msgspec.DecodeError:
            shape = None
    with ctx.open() as home:
        if isinstance(shape, dict) and "paper" in shape:
            kind = take_file(home.node, data, by=ctx.by)
            return ctx.done({"kind": kind, "agreement": shape["agreement"]}, f"The {kind} is kept.")
        row, said = take(home.node, data, by=ctx.by)
    return ctx.done(
        {
            "digest": row.digest,
            "title": row.title,
            "parties": [{"ref": one.ref, "name": one.name, "id": one.id} for one in said.parties],
        },
        render(said, said.languages[0]).rstrip("\n"),
        "",
        f"Digest  {row.digest}",
        f"Next: comity agreement preview {row.digest[:12]}, then comity agreement sign {row.digest[:12]}",
    )


def sign(
    agreement: Annotated[str, Parameter(help="Digest or title.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Why; kept here, and committed to in the record.")] = "",
    output: Annotated[str | None, Parameter(help="Write the signature to this file, to be carried.")] = None,
    ctx: Ctx,
) -> int:
    """Sign for our party."""
    from comity.node.agreements import describe
    from comity.node.instruments import paper_file, sign_agreement

    with ctx.open() as home:
        row = sign_agreement(home.node, agreement, officer=ctx.by, reason=reason)
        with home.node.store.read() as tx:
            shape = describe(tx, row, home.node.clock(), home.node.party)
            if output is not None:
                ctx.write(output, [paper_file(tx, row.digest, "signature", home.node.party)])
    return ctx.done(shape, f"Signed: {row.title} ({row.digest[:12]}…).", shape["sentence"])


def list_(*, ctx: Ctx) -> int:
    """Show the agreements that are known here and where they stand."""
    from comity.node.release import agreements_of

    with ctx.open() as home:
        rows = agreements_of(home.node)
    lines = table(
        ("digest", "status", "signed", "title", "to know"),
        [
            (
                row["digest"][:12],
                row["status"],
                f"{len(row['signed'])} of {len(row['parties'])}",
                row["title"],
                "; ".join(_to_know(row)),
            )
            for row in rows
        ],
    )
    return ctx.done({"agreements": rows}, *(lines or ["No agreement is known here."]))


def show(
    agreement: Annotated[str, Parameter(help="Digest or title.")],
    /,
    *,
    output: Annotated[
        str | None, Parameter(help="Write the agreement and our papers to files in this folder, to be carried.")
    ] = None,
    ctx: Ctx,
) -> int:
    """Show where an agreement stands, and write its papers to files to carry by hand."""
    from comity.kernel.model.instants import format
    from comity.kernel.seal.canonical import canonical
    from comity.kernel.store.rows import Instrument
    from comity.node.agreements import describe, need_agreement
    from comity.node.parties import name_of

    files: dict[str, bytes] = {}
    with ctx.open() as home, home.node.store.read() as tx:
        row = need_agreement(tx, agreement)
        shape = describe(tx, row, home.node.clock(), home.node.party)
        papers = sorted(tx.find(Instrument, agreement=row.digest), key=lambda one: one.at)
        shape["papers"] = [
            {
                "kind": one.kind,
                "party": one.party or None,
                "name": name_of(tx, one.party) if one.party else None,
                "at": format(one.at),
            }
            for one in papers
        ]
        if output is not None:
            files["agreement.json"] = row.form
            for number, one in enumerate(papers, 1):
                body = {
                    "agreement": row.digest,
                    "kind": one.kind.removesuffix("-draft"),
                    "paper": one.envelope.decode(),
                }
                files[f"{number:03d}-{one.kind}.json"] = canonical(body)
    if output is not None:
        Path(output).mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            ctx.write(str(Path(output) / name), [data])
        shape["files"] = [str(Path(output) / name) for name in files]
    lines = [shape["title"], f"Digest  {shape['digest']}", shape["sentence"]]
    lines += [f"{told[0].upper()}{told[1:]}." for told in _to_know(shape)]
    lines += [
        f"  {one['ref']}: {one['name']} ({one['id']})"
        + (", signed" if one["id"] in shape["signed"] else ", has not signed")
        for one in shape["parties"]
    ]
    lines += [
        f"  {one['at']}  {one['kind']}" + (f" by {one['name']}" if one["name"] else "") for one in shape["papers"]
    ]
    lines += [f"Written: {one}" for one in shape.get("files", ())]
    return ctx.done(shape, *lines)


def _to_know(shape: dict[str, Any]) -> list[str]:
    """Who suspended an agreement since when, who gave notice to leave it, what replaced it."""
    told = [
        f"suspended by {'us' if one['name'] == 'we' else one['name']} since {one['since']}"
        + (f" until {one['until']}" if one["until"] else "")
        for one in shape["suspended"]
    ]
    told += [
        f"{one['name']} gave notice on {one['given']} and {'leave' if one['name'] == 'we' else 'leaves'} on {one['effective']}"
        for one in shape["notices"]
    ]
    if shape.get("replaced_by"):
        told.append(f"replaced by {shape['replaced_by'][:12]}")
    return told


def _load(ctx: Context, text: str, node: Any = None) -> Agreement:
    """The agreement in a file, else the one of that digest or title here."""
    from comity.node.agreements import need_agreement, read_form
    from comity.node.instruments import read_agreement

    if text == STDIN or Path(text).is_file():
        data = ctx.read(text)
        if not data.strip():
            raise InputRefused("agreement-syntax", f"{text} is empty; name the file of an agreement.")
        return read_agreement(data)
    if Path(text).is_dir() or (not _DIGEST.fullmatch(text) and text.endswith((".toml", ".json"))):
        raise NotFound(
            "file-unreadable", f"There is no file {text}; name the file of an agreement, or its digest or title."
        )
    if node is not None:
        with node.store.read() as tx:
            return read_form(need_agreement(tx, text).form)
    with ctx.open() as home, home.node.store.read() as tx:
        return read_form(need_agreement(tx, text).form)


def _title(said: Agreement) -> str:
    return said.title.get("en") or next(iter(said.title.values()))


def _names(node: Any, parties: list[str]) -> list[str]:
    from comity.node.parties import name_of

    with node.store.read() as tx:
        return [name_of(tx, one) for one in parties] or ["nobody"]


def line_told(line: dict[str, Any], titles: dict[str, str], *, would: bool, objects: bool = False) -> list[str]:
    """A line of a preview for people: what goes under which clause, and why the rest stays."""
    from comity.kernel.release.predicates import BY_ID

    lines = [] if line["verified"] else [line["sentence"]]
    once = "" if line["verified"] else "Once it is verified, "
    if would or line["shown"] + line["reissued"]:
        word = "would receive" if would else "is still to receive"
        lines.append(f"{once}{line['name']} {word} {line['shown'] + line['reissued']:,} objects.")
    for title, kinds in line["by_clause"].items():
        digest, _, number = title.partition("#")
        counted = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        lines.append(f"  clause {number} of {titles.get(digest, digest[:12])}: {counted}")
    if line["withdrawn"]:
        lines.append(f"  taken back: {line['withdrawn']:,}")
    if line["referred"]:
        lines.append(f"  waiting for an officer's word: {line['referred']:,} (comity release list)")
    for failed, count in sorted(line["withheld"].items(), key=lambda pair: -pair[1]):
        said = BY_ID[failed].sentence if failed in BY_ID else failed
        lines.append(f"  withheld: {count:,}, because {_plain(said)}")
    if objects:
        for what in ("shown", "reissued", "withdrawn", "referred"):
            lines += [f"  {what}: {one}" for one in line["objects"][what]]
    return lines


_SPOKEN: Final = (
    (" is {found}; the clause names {wanted}", " is unknown or not one that a clause names"),
    (" are {found}; the clause names {wanted}", " are unknown or not all among those a clause names"),
    ("it may be used for {found} only; the clause is for {wanted}", "it may not be used for all that a clause is for"),
    (" is {found}; the clause asks for {wanted} at least", " is unknown or below what a clause asks for"),
    ("TLP {found} does not let it", "its TLP does not let it"),
    (
        "it cannot stand without {found}, which this party is not shown",
        "it cannot stand without what this party is not shown",
    ),
    ("; here {found}", ""),
    (" lets it go on to: {wanted}", " does not let it go on to this party"),
    (" until {wanted}", " until an instant that is over or to come"),
    (" on {wanted}", " at another time"),
    (" where {wanted}", ""),
    (" the office {wanted}", " the office that the clause asks for"),
)


def _plain(sentence: str) -> str:
    """A predicate's sentence for many objects: without the values that differ from one to the next."""
    for words, plain in _SPOKEN:
        sentence = sentence.replace(words, plain)
    return sentence
