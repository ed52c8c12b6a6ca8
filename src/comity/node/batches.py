"""Batches: what was taken in or made together, begun under the officer's signed statement and closed by `catchup.finish`."""

from __future__ import annotations

from dataclasses import replace

from comity.kernel.release.handling import Handling
from comity.kernel.seal.dsse import sign
from comity.kernel.store.rows import Batch, HandlingRow
from comity.node.context import Deed


def new_batch(work: Deed, batch: Batch, handling: Handling) -> Batch:
    """A batch under the next number, with what the officer states for it, signed."""
    batch = replace(batch, b=(work.tx.last(Batch, "b") or 0) + 1)
    s = (work.tx.last(HandlingRow, "s") or 0) + 1
    stated = replace(handling, by=work.officer, at=work.at)
    target = f"batch:{batch.b}"
    envelope = sign("handling", {"target": target, "handling": stated.as_json()}, [work.node.keys.node])
    work.tx.add([batch, HandlingRow(s, target, envelope, work.at)])
    return batch
