"""Every error Comity raises, as one tree, and every code it can carry, as one table.

    ComityError               .code stable, machine-readable   str() one sentence for an officer
    ├── LocalFault            our side: the person, the folder, the rules of our own node
    │   ├── Usage             the words of the call are wrong (exit status 2; HTTP 400)
    │   ├── NotFound          there is no such thing here
    │   ├── NotAllowed        it exists, but this officer or this state does not permit the deed
    │   └── NodeDamaged       what the node holds does not agree with itself
    ├── PeerFault             theirs: what came in breaks a rule; nothing of ours is lost
    │   ├── InputRefused      bytes that are not what they should be: an object, a file, a card, an agreement
    │   ├── SealBroken        a signature, commitment or proof does not hold
    │   ├── LogFault          a log was forked, rolled back, or convicts itself
    │   └── RequestRefused    an unsigned, replayed, misaddressed or untimely request
    └── Unavailable           nobody's: the store is busy, a peer does not answer; the only family that is retried

A refusal to release is never an error: it is a `Withhold` with its reasons. Each code stands once in `CODES`, with what it
means and what to do; `docs/errors.md` is held equal to it by a test.
"""

from __future__ import annotations

from typing import Any, Final


class ComityError(Exception):
    """One sentence for an officer, with a stable code.

    Args:
        code: A key of `CODES`.
        sentence: What is wrong and what to do, one sentence, ending with a full stop.
        clause: The clause of the standard or agreement that is broken, e.g. ``STIX 2.1 §3.2``; None where there is none.
        detail: JSON-ready facts for a machine (an object id, a line number, an instant).
    """

    def __init__(self, code: str, sentence: str, *, clause: str | None = None, **detail: Any) -> None:
        if code not in CODES:
            raise KeyError(f"error code {code!r} is not in comity.kernel.errors.CODES")
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.clause = clause
        self.detail = detail

    def as_json(self) -> dict[str, Any]:
        """The one shape of an error on every face: {code, sentence, clause?, detail?}."""
        shape: dict[str, Any] = {"code": self.code, "sentence": self.sentence}
        if self.clause is not None:
            shape["clause"] = self.clause
        if self.detail:
            shape["detail"] = self.detail
        return shape


class LocalFault(ComityError):
    """Our side is at fault: the person, the folder, or a rule of this node."""


class Usage(LocalFault):
    """The words of the call are wrong."""


class NotFound(LocalFault):
    """There is no such thing here (or the asker may not know of it: the answer is the same)."""


class NotAllowed(LocalFault):
    """The deed is not permitted to this officer, or not in this state."""


class NodeDamaged(LocalFault):
    """What the node holds does not agree with itself."""


class PeerFault(ComityError):
    """What came from outside breaks a rule."""


class InputRefused(PeerFault):
    """Bytes that are not what they should be."""


class SealBroken(PeerFault):
    """A signature, a commitment or a proof does not hold."""


class LogFault(PeerFault):
    """A log was forked, rolled back, or convicts itself."""


class RequestRefused(PeerFault):
    """A request is unsigned, replayed, misaddressed, untimely or too much."""


class Unavailable(ComityError):
    """Nobody's fault: try again later."""


CODES: Final[dict[str, str]] = {
    # --- model: what an object may be
    # --- seal: keys, cards, signatures, commitments, views
    # --- tlog: log, checkpoints, proofs, promises
    # --- release: agreements and decisions
    # --- exchange: the conversation of two nodes
    # --- store
    # --- node: deeds
    # --- formats: files taken in
    # --- faces
}
