"""What is stated about an object the desk mints, and how a draft is kept at home.

What the officer leaves unsaid is as the dossier is held here. A draft names its author as the only one it is for, in its bytes, so no
clause and no officer's word lets it go (ADR 0015); its handling stands beside that from the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.attribution.kinds import BODY, DOSSIER, KINDS
from comity.desks.attribution.words import Said, about
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.release.handling import Handling
from comity.kernel.release.vocabulary import TLP, strictest
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, Version
from comity.node.context import Deed
from comity.node.desk import PLACED, Shared
from comity.node.minting import Kind, Seen, mint, new_object, newest
from comity.node.objects import class_facets
from comity.node.stating import one_of

_ALIKE: Final = ("tlp", "pap", "basis", "purpose")

THE_DOSSIER: Final = Meta(description="The dossier's id.", extra=PLACED)
INSTEAD: Final = Meta(
    description="The id of one of ours of which this is the later version; dissents from it stay with it."
)
SAY: Final = Meta(description="What it says.")


class Like(Shared, kw_only=True, forbid_unknown_fields=True):
    """What an officer states; what is left unsaid is as the dossier is held here."""

    tlp: Annotated[
        str | None, Meta(description="TLP 2.0: clear, green, amber, amber+strict, red; else the dossier's.")
    ] = None  # type: ignore[assignment]


def stated(work: Deed, asked: Shared | None, like: Said | None, *cases: str) -> Handling:
    """The handling of what is minted: what the officer said, and for the rest as `like` is held here.

    On a dossier the strictest TLP counts that it or anything in it has here: its title may be less strict than what is in it.
    What another party's object is held under gives TLP, PAP, basis, purpose and caveats; our own gives its recipients, its embargo and
    its end too, since what is added to it is to go no further than it does.

    Raises:
        Usage: `handling` where no TLP is said and there is none to go by.
    """
    said = Handling() if asked is None else asked.handling(work.at)
    if like is not None:
        said = _like(work.tx, said, asked, like.seen, work.node.party)
    if said.tlp is None:
        raise Usage("handling", "Say --tlp: nothing here says how this may be shared.")
    return replace(said, cases=(said.cases or frozenset()) | frozenset(cases))


def _like(tx: Reading, said: Handling, asked: Shared | None, like: Seen, us: str) -> Handling:
    holding = next(one for one in tx.find(Holding, version=like.version, ended=None) if one.custodian == like.custodian)
    facets = class_facets(tx, holding.cls)
    more: dict[str, Any] = {name: getattr(facets, name) for name in _ALIKE if getattr(said, name) is None}
    if "tlp" in more and like.data["type"] == DOSSIER.name:
        more["tlp"] = strictest(TLP, (more["tlp"], *(one.tlp for one in about(tx, us, like.id).of(*BODY))))
    if (asked is None or not asked.caveat) and facets.caveats is not None:
        more["caveats"] = facets.caveats
    if like.custodian == us:
        if said.recipients is None:
            more["recipients"] = facets.recipients
        if said.retention is None:
            more["retention"] = holding.expiry
        if said.embargo is None:
            more["embargo"] = holding.embargo
    return replace(said, **more)


def minted(work: Deed, kind: Kind, says: msgspec.Struct) -> dict[str, Any]:
    """A new object of a kind of this desk."""
    count = (work.tx.last(Version, "n") or 0, work.at)
    return new_object(work.node, kind, says, work.at, draw=f"attribution/{kind.name}/{count}/{says!r}")


def keep(work: Deed, name: str, objects: Sequence[Mapping[str, Any]], handling: Handling) -> None:
    """Mint objects of this desk, with the definitions of their kinds, and write the audit row."""
    types = {str(one["type"]) for one in objects}
    mint(work, objects, handling, name=name, kinds=[kind for kind in KINDS if kind.name in types])
    work.audit(name.replace(" ", "-"), {"objects": [one["id"] for one in objects]})


def held(tx: Reading, us: str, id: str) -> Seen:
    """Any object that is held here.

    Raises:
        NotFound: `no-such-object`.
    """
    kind = type_of(id)
    found = [] if kind is None else newest(tx, us, kind, id=id)
    if not found:
        raise NotFound("no-such-object", f"No object {id} is held here; comity search finds what is.")
    return found[0]


def tlp_of(word: str, option: str) -> str:
    """A TLP an officer said.

    Raises:
        Usage: `handling`.
    """
    return one_of(word.strip().lower().removeprefix("tlp:"), TLP, option, "handling")


def words_of(say: str | None, text: bytes | None) -> str:
    """A text, said or from a file.

    Raises:
        Usage: `desk-asked` where there is none, both, or the file is not UTF-8.
    """
    if (say is None) == (text is None):
        raise Usage("desk-asked", "Give the words with --say, or the file they stand in with --text.")
    try:
        found = say if say is not None else (text or b"").decode()
    except UnicodeDecodeError as broken:
        raise Usage("desk-asked", "The text is not UTF-8; save it as UTF-8 and give it again.") from broken
    return not_empty(found, "--say" if say is not None else "--text")


def not_empty(text: str, option: str) -> str:
    """A text that says something.

    Raises:
        Usage: `desk-asked`.
    """
    if not text.strip():
        raise Usage("desk-asked", f"{option} says nothing; write what is to be read.")
    return text.strip()
