"""The vectors of ``vectors/procedure`` against this implementation, and the examples of docs/formats/procedure.md."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from comity.kernel.errors import CODES, ComityError, InputRefused
from comity.kernel.model import instants
from comity.kernel.procedure.acts import ROADS, claimed_act
from comity.kernel.procedure.calendar import after, executable, read_calendar
from comity.kernel.procedure.clocks import ClockState
from comity.kernel.procedure.evidence import FAULTS, verify_evidence
from comity.kernel.procedure.fold import fold
from comity.kernel.procedure.ledger import claimed_entry, open_promise, open_standing
from comity.kernel.procedure.replica import join, take_promise
from comity.kernel.procedure.rules import KINDS, Rule, decide
from comity.kernel.procedure.tables import BY, EFFECTS, GUARDS, OPEN_KINDS, RECORDED, read_table
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.keys import PublicKey
from comity.node.procedures import shipped_tables

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "vectors" / "procedure"
PAGE = (ROOT / "docs" / "formats" / "procedure.md").read_text(encoding="utf-8")


def vectors(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("procedure_vectors", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def held(said: dict[str, str]) -> dict[str, dict[str, PublicKey]]:
    keys = {party: PublicKey(bytes.fromhex(spki)) for party, spki in said.items()}
    return {party: {key.keyid: key} for party, key in keys.items()}


def test_the_files_are_what_their_generator_writes() -> None:
    for name, text in generator().files().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run: python vectors/procedure/make.py"


def test_the_ledger_folds_to_the_state_after_each_entry() -> None:
    said = vectors("ledgers")
    keys, table = held(said["keys"]), read_table(said["table"])
    assert table.digest == said["table_digest"]
    entries = [one.encode() for one in said["entries"]]
    assert [claimed_entry(one).digest for one in entries] == said["digests"]
    for size, state in enumerate(said["states"], 1):
        assert canonical(fold(table, entries[:size], keys).as_json()) == canonical(state)
    copy = join(table, said["standing"].encode(), entries, 0, keys)
    for promise in said["promises"]:
        copy = take_promise(copy, promise.encode(), keys)
    assert copy.faults == ()


def test_the_broken_last_entries_do_not_follow() -> None:
    said = vectors("ledgers")
    keys, table = held(said["keys"]), read_table(said["table"])
    entries = [one.encode() for one in said["entries"]]
    for case in said["not_following"]:
        with pytest.raises(InputRefused) as refused:
            fold(table, [*entries[:-1], case["entry"].encode()], keys)
        assert refused.value.code == "ledger-follow", case["name"]


def test_what_is_recorded_for_a_party_without_a_node_counts_is_shown_or_is_refused_as_the_vectors_say() -> None:
    said = vectors("recorded")
    keys, table = held(said["keys"]), read_table(said["table"])
    entries = [one.encode() for one in said["entries"]]
    for size, state in enumerate(said["states"], 1):
        assert canonical(fold(table, entries[:size], keys).as_json()) == canonical(state)
    refused = [claimed_entry(one).refused for one in entries]
    assert [None if one is None else one[0] for one in refused] == said["refused"]
    assert set(said["refused"]) == {None, "step-recorded", "step-future"}


def test_the_evidence_convicts_whom_it_says_and_the_other_nobody() -> None:
    said = vectors("faults")
    keys, tables = held(said["keys"]), {table.digest: table for table in shipped_tables().values()}
    for case in said["convicts"]:
        verdict = verify_evidence(case["evidence"].encode(), keys, tables)
        assert (verdict.fault, sorted(verdict.accused)) == (case["fault"], case["accused"])
    for data in said["convicts_nobody"]:
        with pytest.raises(ComityError):
            verify_evidence(data.encode(), keys, tables)


def test_the_stretches_end_where_the_vectors_say() -> None:
    said = vectors("calendars")
    calendars = {name: read_calendar(data) for name, data in said["calendars"].items()}
    for case in said["cases"]:
        over = after(instants.parse(case["start"]), case["stretch"], calendars[case["calendar"]])
        assert instants.format(over) == case["over"]
    assert not any(executable(stretch) for stretch in said["refused"])


def test_the_decisions_are_those_of_the_vectors() -> None:
    said = vectors("decisions")
    for case in said["cases"]:
        rule = Rule(**case["rule"])
        made = decide(
            rule, said["heads"], case["votes"], silent_until=case["silent_until"], over=case["over"], at=said["at"]
        )
        assert made.as_json() == case["decision"]


# ---------------------------------------------------------------- the page


def example(label: str) -> Any:
    found = re.findall(rf"^```json {label}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, label
    return json.loads(found[0])


def rows(heading: str) -> list[str]:
    block = re.search(rf"^\| {heading} \|.*\n\| --- .*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert block is not None, heading
    return re.findall(r"^\| `([^`]+)` \|", block[1], re.MULTILINE)


def test_the_examples_of_the_page_are_those_of_the_vectors() -> None:
    said = vectors("ledgers")
    keys = held(said["keys"])
    first, second = (claimed_entry(one.encode()) for one in said["entries"][:2])
    assert example("charter") == claimed_act(first.act).open
    assert example("act") == claimed_act(second.act).as_json()
    noted = claimed_act(claimed_entry(vectors("recorded")["entries"][2].encode()).act)
    assert example("recorded") == noted.as_json()["recorded_from"]
    shown = example("entry")
    assert shown.pop("act").startswith('{"payload":')
    entry = json.loads(canonical(second.as_json()))
    del entry["act"]
    assert shown == entry
    assert example("promise") == open_promise(said["promises"][0].encode(), keys).as_json()
    standing = open_standing(said["standing"].encode(), keys).as_json()
    assert example("standing") == {**standing, "state": {"state": standing["state"]["state"]}}


def test_the_lists_of_the_page_are_complete() -> None:
    assert rows("guard") == list(GUARDS)
    assert rows("effect") == list(EFFECTS)
    assert rows("rule") == list(KINDS)
    assert rows("road") == list(ROADS)
    assert rows("recorded") == list(RECORDED)
    assert rows("fault") == list(FAULTS)
    assert rows("clock state") == list(ClockState)
    assert rows("refusal") == [code for code in CODES if code.startswith("step-")]
    assert set(re.findall(r"`(\w+)`", re.search(r"^`by` is one of (.*)$", PAGE, re.M)[1])) == set(BY)  # type: ignore[index]
    assert set(re.findall(r"`(\w+)`", re.search(r"^Kinds of public members: (.*)$", PAGE, re.M)[1])) == set(OPEN_KINDS)  # type: ignore[index]
