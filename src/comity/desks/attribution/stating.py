"""What is stated about an object the desk mints, and how a draft is kept at home.

What the officer leaves unsaid is as the dossier is held here. A draft names its author as the only one it is for, in its bytes, so no
clause and no officer's word lets it go (ADR 0015); its handling stands beside that from the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from msgspec import Meta

from comity.desks.attribution.kinds import BODY, DOSSIER, KINDS
from comity.desks.attribution.words import about
from comity.kernel.errors import Usage
from comity.kernel.release.handling import Handling
from comity.kernel.release.vocabulary import TLP, strictest
from comity.node.context import Deed
from comity.node.desk import PLACED, Shared
from comity.node.saying import Said, as_held, keep_and_note
from comity.node.stating import one_of

THE_DOSSIER: Final = Meta(description="The dossier's id.", extra=PLACED)
INSTEAD: Final = Meta(
    description="The id of one of ours of which this is the later version; dissents from it stay with it."
)
SAY: Final = Meta(description="What it says.")


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
        tlp, us = said.tlp, work.node.party
        said = as_held(work.tx, us, said, like.seen)
        if tlp is None and like.type == DOSSIER.name:
            said = replace(
                said, tlp=strictest(TLP, (said.tlp, *(one.tlp for one in about(work.tx, us, like.id).of(*BODY))))
            )
    if said.tlp is None:
        raise Usage("handling", "Say --tlp: nothing here says how this may be shared.")
    return replace(said, cases=(said.cases or frozenset()) | frozenset(cases))


def keep(work: Deed, name: str, objects: Sequence[Mapping[str, Any]], handling: Handling) -> None:
    """Mint objects of this desk, with the definitions of their kinds, and write the audit row."""
    keep_and_note(work, name, objects, handling, KINDS)


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
