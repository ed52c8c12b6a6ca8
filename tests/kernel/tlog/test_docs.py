"""docs/formats/log.md says what the code does: its examples verify, its tables are complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from comity.kernel.seal.keys import PublicKey
from comity.kernel.tlog.acts import KINDS, open_act, read_act
from comity.kernel.tlog.bundle import Report, verify_bundle
from comity.kernel.tlog.checkpoint import raw_key
from comity.kernel.tlog.promises import Opening, State, read_promise, verify_kept
from comity.kernel.tlog.proof import LogProof

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "formats" / "log.md").read_text(encoding="utf-8")


def example(label: str) -> str:
    found = re.findall(rf"^```\w+ {label}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def table(heading: str) -> list[str]:
    """The first cells of a table whose head begins with this cell."""
    rows: list[str] = []
    for block in re.findall(rf"^\| {heading} \|.*\n\| --- .*\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        rows += re.findall(r"^\| `([^`]+)` \|", block, re.MULTILINE)
    return rows


def vectors(name: str) -> Any:
    return json.loads((ROOT / "vectors" / "tlog" / name).read_text(encoding="utf-8"))


def test_the_example_act_and_promise_are_those_of_the_vectors_and_the_proof_shows_that_it_was_kept() -> None:
    record = vectors("record.json")
    node, log = (PublicKey(bytes.fromhex(record[name])) for name in ("node_key", "log_key"))
    assert read_act(json.loads(example("act"))) == open_act(record["act"].encode(), {node.keyid: node})
    opening = Opening(
        record["act"].encode(),
        bytes.fromhex(record["salt"]),
        record["place"],
        [bytes.fromhex(one) for one in record["inner"]],
        bytes.fromhex(record["inner_root"]),
        LogProof.from_text(example("tlog-proof").encode()),
    )
    assert verify_kept(read_promise(json.loads(example("promise"))), opening, raw_key(log.spki)) == 20
    assert f"`{record['salt']}`" in PAGE


def test_the_example_report_is_what_a_verifier_says() -> None:
    case = vectors("bundles.json")["cases"][0]
    report = json.loads(example("report"))
    assert verify_bundle(case["bundle"].encode(), case["anchors"]) == report
    assert list(report) == list(Report.__annotations__)


def test_every_kind_state_and_member_has_its_line() -> None:
    assert table("kind") == list(KINDS)
    assert all(f"| `{kind}` | {sentence} |" in PAGE for kind, sentence in KINDS.items())
    assert table("state") == [str(state) for state in State]
    members = table("member")
    act, promise = list(json.loads(example("act"))), list(json.loads(example("promise")))
    assert members[: len(act)] == act
    assert members[len(act) : len(act) + len(promise)] == promise
    bundle = json.loads(vectors("bundles.json")["cases"][0]["bundle"])
    assert set(members[len(act) + len(promise) :]) == set(bundle)
