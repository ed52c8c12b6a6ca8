"""Catching up: a party's stream brought up to date after much changed at once, without holding the other writers up.

An import that ended, or classes that became releasable, leave a `Job` for each party. What follows for the party is planned over a
snapshot, all of it at once, so that where one transaction ends and the next begins depends on nothing but the rows the party is
given; the rows are then appended in small transactions. Where another deed changes the party's world meanwhile, the rest is planned
anew. A job that is cut off is taken up by any process that does a deed, as soon as the lease of the one that was at it ran out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from socket import gethostname
from typing import Final

import msgspec

from comity.kernel.model.instants import SECOND
from comity.kernel.release.closure import Change
from comity.kernel.store.ports import Reading, Writing
from comity.kernel.store.rows import Batch, Holding, Job, StandIn
from comity.node.agreements import receivers
from comity.node.context import Deed, Node, put_setting, read_setting
from comity.node.hidden import Overlay
from comity.node.streams import World, issue, plan, put_job, regrant, with_stand_ins, world_for

ROWS: Final = 1_000
"""Rows appended in one transaction: some tens of milliseconds."""

LEASE: Final = 2 * SECOND
"""How long a process that works on jobs may be silent before another begins too. Two at one job do no harm: whoever appends first
makes the other plan anew."""

TRIES: Final = 3
"""Plans over a snapshot before one is made inside the transaction, so that a busy node gets there too."""


def finish(deed: Deed, batch: Batch) -> Batch:
    """Close a batch: what it brought may go from now on, and each party's stream is to be brought up to date."""
    ended = replace(batch, done=1, touched=deed.at)
    deed.tx.put(ended)
    for party in receivers(deed.tx, deed.node.party):
        put_job(deed, party, {"batch": batch.b})
    return ended


def catch_up(node: Node) -> None:
    """Work off all jobs there are; where another process is at it, leave them to that one.

    Raises:
        Unavailable: `store-busy`, `store-full`; the jobs stay.
    """
    with node.store.read() as tx:
        if tx.last(Job, "j") is None:
            return
    worker = f"{gethostname()}/{os.getpid()}/{node.random(16, 'catch-up').hex()}"
    while (job := _claim(node, worker)) is not None:
        tries = 0
        while not _Turn(node, worker, job).over(locked=tries >= TRIES):
            tries += 1


def _claim(node: Node, worker: str) -> Job | None:
    with node.store.write() as tx:
        lease = read_setting(tx, "catching-up")
        if (
            lease is not None
            and lease["worker"] != worker
            and node.clock() < lease["until"]
            and _alive(lease["worker"])
        ):
            return None
        job = next(iter(tx.find(Job, limit=1)), None)
        _lease(tx, worker, 0 if job is None else node.clock() + LEASE)
        return job


def _alive(worker: str) -> bool:
    """Whether the process that worked on jobs may still be there; one of another machine may."""
    host, pid, _ = worker.rsplit("/", 2)
    if host != gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _lease(tx: Writing, worker: str, until: int) -> None:
    put_setting(tx, "catching-up", {"worker": worker, "until": until})


@dataclass(slots=True)
class _Turn:
    """One plan of one job, and its rows for as long as the world stays as it was planned."""

    node: Node
    worker: str
    job: Job

    def over(self, *, locked: bool) -> bool:
        """Plan and append; whether the job is done, false where what is left has to be planned anew."""
        if locked:
            with self.node.store.write() as tx:
                world, (classes, versions) = self._world(tx), self._concerned(tx)
                regrant(self._deed(tx), world, classes)
                issue(self._deed(tx), world, plan(world, with_stand_ins(world, versions, self._deed(tx))))
                self._done(tx)
            return True
        with self.node.store.read() as snapshot:
            turn = read_setting(snapshot, "turn", 0)
            world, (classes, versions) = self._world(snapshot), self._concerned(snapshot)
            versions = with_stand_ins(world, versions)
            lacking = world.tx.made(StandIn) if isinstance(world.tx, Overlay) else []
            changes = () if lacking else plan(world, versions)
        with self.node.store.write() as tx:
            regrant(self._deed(tx), self._world(tx), classes)
        if lacking:
            self._make([row.original for row in lacking])
            return False
        return self._append(turn, world, changes)

    def _make(self, originals: Sequence[int]) -> None:
        """Keep what has to stand in for these versions, in the order in which they were looked at."""
        for start in range(0, len(originals), ROWS):
            with self.node.store.write() as tx:
                with_stand_ins(self._world(tx), originals[start : start + ROWS], self._deed(tx))
                _lease(tx, self.worker, self.node.clock() + LEASE)

    def _append(self, turn: int, world: World, changes: Sequence[Change[int]]) -> bool:
        for start in range(0, max(len(changes), 1), ROWS):
            with self.node.store.write() as tx:
                if read_setting(tx, "turn", 0) != turn or tx.get(Job, self.job.j) is None:
                    return tx.get(Job, self.job.j) is None
                world.tx = tx
                issue(self._deed(tx), world, changes[start : start + ROWS])
                turn = read_setting(tx, "turn", 0)
                if start + ROWS >= len(changes):
                    self._done(tx)
                else:
                    _lease(tx, self.worker, self.node.clock() + LEASE)
        return True

    def _done(self, tx: Writing) -> None:
        tx.remove(Job, self.job.j)

    def _deed(self, tx: Writing) -> Deed:
        return Deed(self.node, tx, self._at(tx))

    def _at(self, tx: Reading) -> int:
        at: int = read_setting(tx, "advanced", self.job.at)
        return at

    def _world(self, tx: Reading) -> World:
        return world_for(tx, self.node.party, self.job.party, self._at(tx))

    def _concerned(self, tx: Reading) -> tuple[list[int], list[int]]:
        """The classes and the versions the job is about, each in order."""
        what = msgspec.json.decode(self.job.what)
        if "classes" in what:
            found = [row for cls in what["classes"] for row in tx.find(Holding, cls=cls, order=("h",))]
        else:
            batch = tx.get(Batch, what["batch"])
            assert batch is not None, "a batch that was finished exists"
            found = [*tx.find(Holding, batch=batch.b)]
            found += tx.find_in(Holding, "version", msgspec.json.decode(batch.moved))
        live = [row for row in found if row.ended is None]
        return sorted({row.cls for row in live}), sorted({row.version for row in live})
