"""When a peer that did not answer is called again: back-off with jitter, and a visible end.

A peer has its own budget, so one that is down delays nobody. Only Unavailable is tried again by itself; a fault of
the peer or of ours would come again, so it stops the peer at once. A stopped peer is shown as dead with its last
error, keeps all its rows, and goes on when an officer retries.

Source: docs/formats/exchange.md, When it fails; "full jitter" of M. Brooker, Exponential Backoff And Jitter (AWS,
2015), with half of the delay kept so that a call never follows at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from comity.kernel.errors import ComityError, Unavailable
from comity.kernel.model.instants import HOUR, SECOND, Instant


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how soon to call again.

    Args:
        first: Delay after the first failure, microseconds.
        longest: No delay is longer, microseconds.
        attempts: After so many failures in a row the peer is dead until an officer retries; at least 1.
    """

    first: int = 5 * SECOND
    longest: int = HOUR
    attempts: int = 40

    def delay(self, failures: int, random: float) -> int:
        """Microseconds to wait after so many failures in a row (from 1); `random` is from 0 (inclusive) to 1
        (exclusive).
        """
        whole = min(self.longest, self.first << min(failures - 1, 60))
        return whole // 2 + int(whole / 2 * random)


RETRY: Final = Retry()


@dataclass(frozen=True, slots=True)
class Attempts:
    """Where a peer stands: failures in a row, when it is called next, the last error, whether it is dead."""

    failures: int = 0
    next: Instant = 0
    error: str | None = None
    dead: bool = False

    def due(self, at: Instant) -> bool:
        """True if the peer is to be called at `at`."""
        return not self.dead and at >= self.next

    def succeeded(self, at: Instant) -> Attempts:
        """After a contact that ended well: everything is forgotten."""
        return Attempts(next=at)

    def failed(self, error: ComityError, at: Instant, random: float, policy: Retry = RETRY) -> Attempts:
        """After a contact that failed at `at` with `error`; `random` is from 0 to 1."""
        failures = self.failures + 1
        told = f"{error.code}: {error.sentence}"
        if not isinstance(error, Unavailable) or failures >= policy.attempts:
            return Attempts(failures, at, told, dead=True)
        return Attempts(failures, at + policy.delay(failures, random), told)

    def retried(self, at: Instant) -> Attempts:
        """An officer asks for another try: due at once, the last error stays shown."""
        return Attempts(next=at, error=self.error)
