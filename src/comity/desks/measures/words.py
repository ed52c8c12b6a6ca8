"""Reading what parties said of a measure: each object with whose word it is, and the defects of what cannot be read.

A word is a party's own only where its object came under an uncontested seal of origin of that party, or is ours. That an object names a
party as its author proves nothing: such a word is kept, shown as unattributed, and counts for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from comity.desks.measures.kinds import BY_NAME
from comity.kernel.errors import InputRefused, NotFound
from comity.kernel.model.ids import type_of
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Reference, Version
from comity.node.minting import Kind, Seen, newest
from comity.node.saying import Said, Words, read, words


def about(tx: Reading, us: str, target: str) -> Words[Said]:
    """Everything of this desk that refers to an object."""
    rows = (tx.get(Version, ref.version) for ref in tx.find(Reference, target=target))
    ids = dict.fromkeys(row.id for row in rows if row is not None and row.type in BY_NAME)
    found = _words((seen for id in ids for seen in _newest(tx, us, id)), us)
    return Words(tuple(one for one in found.said if target in _refers(one.says)), found.defects)


def all_of(tx: Reading, us: str, *kinds: Kind) -> Words[Said]:
    """Everything of these kinds that is held here."""
    return _words((seen for kind in kinds for seen in newest(tx, us, kind.name)), us)


def one(tx: Reading, us: str, id: str, *kinds: Kind) -> Said:
    """One object that can be read; of several copies one that somebody vouches for.

    Raises:
        NotFound: `no-such-object`. InputRefused: `desk-object`.
    """
    known = {kind.name for kind in kinds}
    found = _words(_newest(tx, us, id) if type_of(id) in known else (), us)
    for word in sorted(found.said, key=lambda said: said.by is None):
        return word
    if found.defects:
        raise InputRefused("desk-object", found.defects[0].sentence)
    raise NotFound("no-such-object", f"No {' or '.join(sorted(known))} {id} is held here.")


def _newest(tx: Reading, us: str, id: str) -> list[Seen]:
    return newest(tx, us, str(type_of(id)), id=id)


def _refers(says: Any) -> set[str]:
    return {str(getattr(says, name, None)) for name in ("measure_ref", "listing_ref")}


def _words(found: Iterable[Seen], us: str) -> Words[Said]:
    every = words((read(seen, us, BY_NAME[str(seen.data["type"])]) for seen in found), us)
    # of one instant, in the order in which they came: a measure is executed and lifted within one
    return Words(tuple(sorted(every.said, key=lambda one: (one.at, one.seen.version))), every.defects)
