"""Writes the vectors of procedures: ``python vectors/procedure/make.py``. The tests hold the files equal to what this writes.

Everything is made here from fixed seeds: the party of seed byte n has the node key of 32 such bytes, which stands for its identity
key as well. Envelopes are texts, other bytes are hexadecimal.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from comity.kernel.model import instants
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import HOUR, SECOND
from comity.kernel.procedure import convener
from comity.kernel.procedure.acts import Act, Recorded, claimed_act, content_leaf, make_act
from comity.kernel.procedure.calendar import UTC, after, calendar_json, read_calendar
from comity.kernel.procedure.charter import CONVENE, Charter, procedure_id
from comity.kernel.procedure.evidence import evidence, verify_evidence
from comity.kernel.procedure.fold import fold
from comity.kernel.procedure.ledger import claimed_entry, sign_entry
from comity.kernel.procedure.rules import Rule, decide
from comity.kernel.seal.keys import SigningKey
from comity.kernel.tlog.acts import officers_commitment
from comity.kernel.tlog.checkpoint import origin
from comity.node.procedures import shipped_tables

KEYS = [SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3)]
PARTIES = [party_id(key.public.spki) for key in KEYS]
HELD = {party: {key.public.keyid: key.public} for party, key in zip(PARTIES, KEYS, strict=True)}
TABLE = shipped_tables()["silence"]
AT = 1_614_686_400 * SECOND
TEXT = "ab" * 32
SETTINGS = {"silence": "PT72H", "minimum": "PT24H", "case": "P30D", "convener-gone": "PT48H"}
CALENDAR = {
    "zone": {
        "name": "Europe/Tallinn",
        "changes": [
            ["2021-01-01T00:00:00.000Z", 7200],
            ["2021-03-28T01:00:00.000Z", 10800],
            ["2021-10-31T01:00:00.000Z", 7200],
        ],
    },
    "working": [1, 2, 3, 4, 5],
    "holidays": ["2021-04-02"],
    "closes": "17:00",
}


def _act(
    who: int,
    n: int,
    kind: str,
    public: dict[str, Any],
    at: int,
    procedure: str | None,
    recorded: Recorded | None = None,
) -> bytes:
    officers = officers_commitment(bytes(16), ["officer one"], "as instructed")
    leaf = content_leaf(bytes(15) + bytes([n]), {"reason": f"{kind} {n}"})
    return make_act(Act(procedure, PARTIES[who], n, kind, public, leaf, officers, at, recorded), KEYS[who])


def _played() -> tuple[convener.Ledger, list[bytes], bytes]:
    """A text under silence: two receipts, an act that is refused, an objection. Ledger, promises, standing."""
    charter = Charter(TABLE.digest, origin(PARTIES[0], 1), tuple(sorted(PARTIES)), SETTINGS)
    first = _act(0, 1, CONVENE, charter.as_json(), AT, None)
    name = procedure_id(claimed_act(first))
    ledger, promises = convener.convene(TABLE, first, AT, KEYS[0], HELD), []
    for who, n, kind, hours in (
        (0, 2, "put", 0),
        (1, 1, "receipt", 1),
        (2, 1, "receipt", 2),
        (1, 2, "conclude", 3),
        (2, 2, "break", 4),
    ):
        at = AT + hours * HOUR
        taken = convener.take(ledger, _act(who, n, kind, {"text": TEXT}, at, name), at, KEYS[0], HELD)
        ledger = taken.ledger
        promises += taken.promises
    ledger, standing = convener.standing(ledger, AT + 5 * HOUR, KEYS[0])
    return ledger, promises, standing


def ledgers() -> dict[str, Any]:
    """One ledger with the state after each entry, and last entries that do not follow."""
    ledger, promises, standing = _played()
    entries = ledger.entries
    last = claimed_entry(entries[-1])
    states = [fold(TABLE, entries[:size], HELD).as_json() for size in range(1, len(entries) + 1)]
    changes: list[tuple[str, dict[str, Any]]] = [
        ("another effect", {"effect": ()}),
        ("another state", {"state": "silence"}),
        ("a false refusal", {"refused": ("step-guard", "Not now."), "effect": (), "state": "silence"}),
        ("an earlier instant", {"at": AT}),
        ("another place", {"seq": last.seq + 1}),
        ("another history", {"previous": "00" * 32}),
        ("an act signed by another", {"act": make_act(claimed_act(last.act), KEYS[0])}),
        ("an act entered before", {"act": claimed_entry(entries[-2]).act}),
    ]
    broken = [
        {"name": name, "entry": sign_entry(replace(last, **change), [KEYS[0]]).decode()} for name, change in changes
    ]
    return {
        "keys": {party: key.public.spki.hex() for party, key in zip(PARTIES, KEYS, strict=True)},
        "table": dict(TABLE.data),
        "table_digest": TABLE.digest,
        "entries": [one.decode() for one in entries],
        "digests": [claimed_entry(one).digest for one in entries],
        "states": states,
        "promises": [one.decode() for one in promises],
        "standing": standing.decode(),
        "not_following": broken,
    }


def recorded() -> dict[str, Any]:
    """A third party without a node: what is recorded for it counts, is shown, or is refused with its reason."""
    absent = PARTIES[2]
    charter = Charter(
        TABLE.digest,
        origin(PARTIES[0], 1),
        tuple(sorted(PARTIES)),
        SETTINGS,
        represented={absent: (PARTIES[1],)},
    )
    first = _act(0, 1, CONVENE, charter.as_json(), AT, None)
    name = procedure_id(claimed_act(first))
    ledger = convener.convene(TABLE, first, AT, KEYS[0], HELD)
    counts = [1, 0]
    note, call = "note-verbale", "telephone"
    for who, kind, hours, source in (
        (0, "put", 0, None),
        (1, "receipt", 2, (absent, note, "No 7/2021", 1)),
        (1, "consent", 3, (absent, call, "duty officer, 15:05", 3)),
        (0, "consent", 4, (absent, note, "No 8/2021", 4)),
        (1, "consent", 5, (PARTIES[0], note, "No 8/2021", 4)),
        (1, "receipt", 6, (absent, note, "No. 7 / 2021", 5)),
        (1, "consent", 7, (absent, note, "No 9/2021", 9)),
        (1, "consent", 8, (absent, note, "No 6/2021", -1)),
        (1, "break", 9, (absent, "mail", "of 2 March", 8)),
    ):
        counts[who] += 1
        n, at = counts[who], AT + hours * HOUR
        said = None if source is None else Recorded(*source[:3], AT + source[3] * HOUR, "cd" * 32 if n == 1 else None)
        act = _act(who, n, kind, {"text": TEXT}, at, name, said)
        ledger = convener.take(ledger, act, at, KEYS[0], HELD).ledger
    entries = [claimed_entry(one) for one in ledger.entries]
    return {
        "keys": {party: key.public.spki.hex() for party, key in zip(PARTIES, KEYS, strict=True)},
        "table": dict(TABLE.data),
        "entries": [one.decode() for one in ledger.entries],
        "states": [fold(TABLE, ledger.entries[: one.seq + 1], HELD).as_json() for one in entries],
        "refused": [None if one.refused is None else one.refused[0] for one in entries],
    }


def faults() -> dict[str, Any]:
    """Evidence that convicts, and evidence that convicts nobody."""
    ledger, promises, standing = _played()
    entries, last = ledger.entries, claimed_entry(ledger.entries[-1])
    other = claimed_entry(entries[-2])
    lied = sign_entry(replace(last, effect=()), [KEYS[0]])
    elsewhere = sign_entry(replace(other, seq=last.seq, previous=last.previous), [KEYS[0]])
    late = sign_entry(replace(last, at=last.at + HOUR), [KEYS[0]])
    early = sign_entry(replace(last, seq=last.seq + 1, previous=last.digest, at=AT), [KEYS[0]])
    cases = [
        ("fork", [entries[-1], elsewhere]),
        ("promise-broken", [promises[-1], elsewhere]),
        ("promise-changed", [promises[-1], late]),
        ("back-dated", [standing, early]),
        ("not-following", [*entries[:-1], lied]),
    ]
    made = []
    for fault, papers in cases:
        data = evidence(fault, papers)
        verdict = verify_evidence(data, HELD, {TABLE.digest: TABLE})
        made.append({"evidence": data.decode(), "fault": verdict.fault, "accused": sorted(verdict.accused)})
    honest = [
        ("fork", [entries[-1], entries[-2]]),
        ("promise-broken", [promises[-1], entries[-1]]),
        ("promise-changed", [promises[-1], entries[-1]]),
        ("back-dated", [standing, entries[-1]]),
        ("not-following", list(entries)),
        ("not-following", [*entries[:-2], entries[-1]]),
        ("false-standing", [standing, *entries]),
    ]
    return {
        "keys": {party: key.public.spki.hex() for party, key in zip(PARTIES, KEYS, strict=True)},
        "convicts": made,
        "convicts_nobody": [evidence(fault, papers).decode() for fault, papers in honest],
    }


def calendars() -> dict[str, Any]:
    """Stretches of time, counted in two calendars."""
    stretches = ("PT24H", "P1D", "P1M", "P1Y", "1 working day", "3 working days")
    starts = (
        "2021-01-31T10:00:00.000Z",
        "2021-03-27T01:30:00.000Z",
        "2021-03-31T14:59:00.000Z",
        "2021-10-30T00:30:00.000Z",
    )
    cases = []
    for name, calendar in (("UTC", UTC), ("Europe/Tallinn", read_calendar(CALENDAR))):
        cases += [
            {
                "calendar": name,
                "start": start,
                "stretch": stretch,
                "over": instants.format(after(instants.parse(start), stretch, calendar)),
            }
            for start in starts
            for stretch in stretches
        ]
    refused = ["", "P", "PT", "3 days", "on-request", "0 working days", "P200Y"]
    return {"calendars": {"UTC": calendar_json(UTC), "Europe/Tallinn": CALENDAR}, "cases": cases, "refused": refused}


def decisions() -> dict[str, Any]:
    """Rules of decision with votes, and what they amount to."""
    heads = ["a", "b", "c", "d"]
    cases: list[tuple[dict[str, Any], dict[str, str], dict[str, int], bool]] = [
        ({"kind": "unanimity"}, {"a": "consent", "b": "consent", "c": "consent"}, {}, False),
        ({"kind": "unanimity"}, dict.fromkeys(heads, "consent"), {}, False),
        (
            {"kind": "unanimity", "abstentions": "against"},
            {**dict.fromkeys(heads, "consent"), "d": "abstain"},
            {},
            False,
        ),
        ({"kind": "silence", "clock": "s"}, {}, {"a": 5, "b": 5, "c": 5, "d": 5}, False),
        ({"kind": "silence", "clock": "s"}, {}, {"a": 5, "b": 5, "c": 5, "d": 11}, False),
        ({"kind": "silence", "clock": "s"}, {}, {"a": 5, "b": 5, "c": 5}, False),
        ({"kind": "silence", "clock": "s", "unheard": "report"}, {}, {"a": 5, "b": 5, "c": 5}, False),
        ({"kind": "silence", "clock": "s"}, {"d": "object"}, {"a": 5, "b": 5, "c": 5, "d": 5}, False),
        ({"kind": "opt-in", "clock": "s", "least": 2}, {"a": "join", "b": "join", "c": "object"}, {}, True),
        ({"kind": "majority"}, {"a": "consent", "b": "consent", "c": "object", "d": "object"}, {}, False),
        (
            {"kind": "majority", "of": "cast", "numerator": 2, "denominator": 3, "more_than": False},
            {"a": "consent", "b": "consent", "c": "object"},
            {},
            True,
        ),
    ]
    return {
        "at": 10,
        "heads": heads,
        "cases": [
            {
                "rule": rule,
                "votes": votes,
                "silent_until": until,
                "over": over,
                "decision": decide(Rule(**rule), heads, votes, silent_until=until, over=over, at=10).as_json(),
            }
            for rule, votes, until, over in cases
        ],
    }


def files() -> dict[str, str]:
    """Each file's name and text."""
    made = {
        "ledgers": ledgers(),
        "recorded": recorded(),
        "faults": faults(),
        "calendars": calendars(),
        "decisions": decisions(),
    }
    return {f"{name}.json": json.dumps(value, indent=1, ensure_ascii=False) + "\n" for name, value in made.items()}


if __name__ == "__main__":
    for name, text in files().items():
        Path(__file__).with_name(name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{name}\n")
