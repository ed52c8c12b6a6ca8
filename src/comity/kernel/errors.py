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
    "timestamp": "A timestamp is malformed or names no real instant. Write it as 2021-03-02T12:00:00.000Z.",
    "duration": "A duration is malformed. Write it as P30D, P1Y or PT24H.",
    # --- seal: keys, cards, signatures, commitments, views
    "not-canonical": "A value has no RFC 8785 form: a number that is not finite or beyond 2^53, or text with a lone surrogate.",
    # --- tlog: log, checkpoints, proofs, promises
    "log-frontier": "The state of a growing tree does not fit its size. Load it again from the stored tiles.",
    "log-position": "The log has no such position or size yet. Wait for a later checkpoint.",
    "log-tile": "There is no such tile, or not that much of it yet. Ask only for tiles that a checkpoint requires.",
    "log-tile-damaged": "A tile has not the bytes it must have. Run doctor where it is ours, ask again where it is a peer's.",
    "inclusion-proof": "A proof does not show that the leaf is in the log of that checkpoint. Ask for the proof again.",
    "consistency-proof": "A proof does not show that one log begins with the other. Ask again; without one the log is not to be believed.",
    "tick": "An instant or a tick lies before the log began, or a place outside its 4,096. Check the clock.",
    "tick-proof": "A proof does not show the act in the tree of its tick. Ask for the proof again.",
    "row-proof": "A proof does not show the row in the page of its delivery. Ask for the page again.",
    "page": "A delivery page has more than 1,024 rows or a row that cannot be written. Make a smaller page.",
    "note": "The text of a checkpoint or proof breaks the C2SP form. Ask for it again.",
    "note-signature": "A checkpoint is not signed by the log's key, or the signature does not hold. Do not rely on it.",
    "log-origin": "A checkpoint or promise speaks of another log than the one that was asked for.",
    "log-fork": "Two signed checkpoints of one log cannot both be true. Keep the evidence and show it to the other parties.",
    "fork-evidence": "The evidence does not show a fork. Nobody is convicted by it.",
    "promise": "A promise is malformed or does not speak of this act. Ask the peer for its promise again.",
    "act": "An act is malformed or of an unknown kind. The sender must make it again.",
    "act-opening": "A salt and an act do not open the leaf they are said to open.",
    "bundle": "A proof bundle is damaged or incomplete. Ask the sender for it again.",
    # --- release: agreements and decisions
    # --- exchange: the conversation of two nodes
    # --- store
    "row-exists": "A row with this key is already kept; the deed was done before or two writers collided. Nothing was changed.",
    "store-busy": "Another writer holds the store. Try again in a moment.",
    "store-full": "The disk is full or not writable; nothing was acknowledged. Make room and try again.",
    "store-newer": "This folder was written by a newer release. Use that release or restore a backup.",
    # --- node: deeds
    # --- formats: files taken in
    # --- faces
}
