"""Which things of a history a reader may see: those that some node showed it, or could have shown it instead of another copy.

`Watch` looks after each event. What it did not note may be left out of the history, and the reader must not be able to tell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from comity.kernel.errors import ComityError
from comity.kernel.model.objects import read_object
from comity.kernel.release.decision import Release
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import Approval, Holding, StandIn, StreamRow, Version
from comity.node.streams import world_for
from property.histories import Event, Played, Take, Thing


def marks(thing: Thing) -> tuple[str, int, bytes] | None:
    """(id, version instant, canonical hash) of a thing; None for one that no node takes in."""
    try:
        found = read_object(thing.raw())
    except ComityError:
        return None
    return found.id, -1 if found.version is None else found.version, sha256(canonical(found.data)).digest()


@dataclass
class Watch:
    """What the reader was shown, as (party it came from, object id, version instant, canonical hash or None).

    A copy that a node took in itself is known by its hash; one that came from another party, perhaps cut to a view, by id and
    version alone. `words` are the versions each officer's word was given for, as (node, party, officer, object, hash).
    """

    reader: str
    shown: set[tuple[str, str, int, bytes | None]] = field(default_factory=set)
    words: set[tuple[str, str, str, str, bytes]] = field(default_factory=set)

    def __call__(self, played: Played) -> None:
        """Look at every node after an event."""
        party = played.world.nodes[self.reader].party
        for name, node in played.world.nodes.items():
            with node.store.read() as tx:
                for word in tx.find(Approval):
                    version = tx.get(Version, word.version)
                    assert version is not None
                    self.words.add((name, word.party, word.officer, word.object, version.same))
                if name == self.reader:
                    continue
                rows = list(tx.find(StreamRow, party=party))
                given = {row.holding for row in rows}
                shown = {row.version for row in rows}
                # of what stands in for another version it is the original that was taken in
                shown |= {row.original for row in tx.find_in(StandIn, "version", list(shown))}
                shown |= {row.version for row in tx.find_in(Holding, "h", given)}
                kept = {row.n: row for row in tx.find_in(Version, "n", shown)}
                world = world_for(tx, node.party, party, node.clock())
                for holding in tx.find_in(Holding, "version", list(kept)):
                    could = holding.ended is None and isinstance(world.outcome(holding), Release)
                    if holding.h in given or could:
                        version = kept[holding.version]
                        own = holding.custodian == node.party
                        self.shown.add((holding.custodian, version.id, version.modified, version.same if own else None))
                        self._behind(played, holding.custodian, version)

    def _behind(self, played: Played, custodian: str, version: Version) -> None:
        """What came as a stand-in shows what it was made from, at the node that made it."""
        node = next(one for one in played.world.nodes.values() if one.party == custodian)
        with node.store.read() as tx:
            for made in tx.find(Version, id=version.id, modified=version.modified):
                stands = tx.get(StandIn, made.n)
                original = None if stands is None else tx.get(Version, stands.original)
                for holding in () if original is None else tx.find(Holding, object=original.id):
                    one = tx.get(Version, holding.version)
                    if one is None or one.modified != original.modified:
                        continue
                    own = holding.custodian == node.party
                    self.shown.add((holding.custodian, one.id, one.modified, one.same if own else None))
                    if not own:
                        self._behind(played, holding.custodian, one)

    def of(self, played: Played, event: Event, j: int) -> bool:
        """Whether the reader may see thing number j of an event."""
        if not isinstance(event, Take) or event.who == self.reader:
            return True
        found = marks(event.things[j])
        if found is None:
            return False
        party = played.world.nodes[event.who].party
        return {(party, *found), (party, found[0], found[1], None)} & self.shown != set()
