"""What every deed of the desk needs: texts as an officer gives them, the handling of what it mints, and minting itself."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.statements.kinds import KINDS, LONGEST, Status, Words
from comity.kernel.errors import InputRefused, NotFound, Usage
from comity.kernel.model.names import flaw_of_text
from comity.kernel.release.handling import Handling
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding
from comity.node.carrying import drawn
from comity.node.context import Deed
from comity.node.desk import PLACED
from comity.node.minting import Kind, Seen, mint, new_object
from comity.node.objects import class_facets

StatementId = Annotated[str, Meta(description="The statement's id, or an unambiguous beginning of it.", extra=PLACED)]
Language = Annotated[str, Meta(description="The language of the text, BCP 47, such as en, ar or zh-Hans.")]
TextFile = Annotated[bytes, Meta(description="The text, UTF-8; an empty line parts paragraphs.")]
Reason = Annotated[str, Meta(description="Why; kept here, and committed to in the act.")]


def text_of(file: bytes) -> str:
    """The text in a file: UTF-8, in normal form C, lines ended by line feeds, without empty lines at its ends.

    Raises:
        InputRefused: `wrong-encoding`. Usage: `desk-asked` for an empty text, one too long, or one with what a reader cannot see.
    """
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        raise InputRefused("wrong-encoding", "The text is not UTF-8; save it as UTF-8.") from broken
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
    text = "\n".join(line.strip() for line in lines).strip("\n")
    if not text:
        raise Usage("desk-asked", "The text is empty; a statement says something.")
    if len(text) > LONGEST:
        raise Usage("desk-asked", f"The text has {len(text):,} characters; a statement has at most {LONGEST:,}.")
    for number, line in enumerate(text.split("\n"), 1):
        flaw = flaw_of_text(line, LONGEST) if line else None
        if flaw is not None:
            raise Usage("desk-asked", f"Line {number} of the text {flaw}; write it plainly.")
    return text


def words_in(language: str, file: bytes, status: Status, by: str | None, title: str | None = None) -> Words:
    """A text in one language.

    Raises:
        As `text_of`; Usage: `desk-asked` for what is no language.
    """
    made: Words = checked(
        Words(language=language, text=text_of(file), status=status, certified_by=by, title=title), "text"
    )
    return made


def checked(says: Any, what: str) -> Any:
    """What is said, if it has the form it is to have.

    Raises:
        Usage: `desk-asked`.
    """
    shape = msgspec.to_builtins(says)
    try:
        made = msgspec.convert(shape, type(says))
    except msgspec.ValidationError as broken:
        raise Usage("desk-asked", f"The {what} cannot be said so: {broken}.") from broken
    for name, value in shape.items():
        if isinstance(value, str) and name != "text" and (flaw := flaw_of_text(value, LONGEST)):
            raise Usage("desk-asked", f"{name.replace('_', ' ').capitalize()} of the {what} {flaw}; write it plainly.")
    return made


def handling_like(tx: Reading, seen: Seen) -> Handling:
    """What was stated of an object of ours, to be stated of its next version."""
    holding = next(
        (one for one in tx.find(Holding, version=seen.version, ended=None) if one.custodian == seen.custodian), None
    )
    if holding is None:
        raise NotFound("no-such-object", f"{seen.id} is not held here any more.")
    facets = class_facets(tx, holding.cls)
    return Handling(
        tlp=facets.tlp,
        pap=facets.pap,
        caveats=facets.caveats or frozenset(),
        basis=facets.basis,
        purpose=facets.purpose,
        cases=facets.cases,
        recipients=facets.recipients,
        embargo=holding.embargo,
        retention=holding.expiry,
        minimised=facets.minimised or None,
    )


def public_handling(tx: Reading, seen: Seen) -> Handling:
    """What is stated of the version that goes out: for everybody, for the purposes and on the basis of the draft."""
    return replace(
        handling_like(tx, seen), tlp="clear", pap=None, recipients=None, embargo=None, retention=None, cases=None
    )


def with_cases(handling: Handling, *cases: str | None) -> Handling:
    """The handling of what belongs to these cases too."""
    named = frozenset(one for one in cases if one)
    return replace(handling, cases=(handling.cases or frozenset()) | named) if named else handling


def minted(work: Deed, kind: Kind, says: msgspec.Struct) -> dict[str, Any]:
    """A new object of a kind of this desk."""
    return new_object(work.node, kind, says, work.at, draw=drawn(work, f"statements/{kind.name}/{says!r}"))


def keep(work: Deed, name: str, objects: Sequence[Mapping[str, Any]], handling: Handling, **detail: Any) -> Any:
    """Mint objects of this desk and write the audit row; gives the objects as kept."""
    made = mint(work, objects, handling, name=name, kinds=KINDS)
    work.audit(name.replace(" ", "-"), {"objects": [one.id for one in made], **detail})
    return made
