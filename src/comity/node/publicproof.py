"""The proof of a publication of ours: the bundle that everybody may have, made once, when the tick of its act is over."""

from __future__ import annotations

import msgspec

from comity.kernel.errors import NodeDamaged
from comity.kernel.seal.seals import claimed_party
from comity.kernel.store.rows import ActRow, CardRow, Publication, Version
from comity.kernel.tlog.publication import PublicBundle, check_publication
from comity.node.context import Deed
from comity.node.record import outer_of, promise, proof_of


def proved(work: Deed, row: Publication) -> bytes | None:
    """The public proof of what was published; None while the tick is not over, or where a restore lost it.

    It is verified before it is given, so nothing goes out that would not hold elsewhere.

    Raises:
        NodeDamaged: `node-damaged` where what was published is no longer kept whole. ComityError: where the proof would not hold.
    """
    act = None if row.act is None else work.tx.get(ActRow, row.act)
    version = next((one for one in work.tx.find(Version, id=row.id) if one.raw == row.raw and one.seal), None)
    if act is None or version is None or version.seal is None or version.disclosure is None:
        raise NodeDamaged("node-damaged", f"What was published as {row.id} is no longer kept whole; run comity doctor.")
    proof = proof_of(work.node, work.tx, act.digest)
    if "outer" not in proof:
        return None
    party = claimed_party(version.seal)
    bundle = PublicBundle(
        object=version.raw,
        seal=version.seal,
        disclosure=msgspec.json.decode(version.disclosure),
        cards={party: tuple(card.envelope for card in work.tx.find(CardRow, party=party))},
        act=act.envelope,
        salt=act.salt,
        promise=promise(work.node, work.tx, act),
        place=int(proof["place"]),
        inner=tuple(bytes.fromhex(one) for one in proof["inner"]),
        outer=outer_of(proof),
    )
    check_publication(bundle)
    return bundle.to_json()
