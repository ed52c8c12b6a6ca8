"""Taking in by command: counts that add up, refusals in a file, an import that was cut off, standard input."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comity.node.intake import OUTCOMES
from simulators.shell import Party, call

VALUES = "".join(f"192.0.{n // 256}.{n % 256}\n" for n in range(2_500)).encode()


def indicator(number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--5f3cb5a2-9dd6-4a8b-a9cf-{number:012x}",
        "created": "2021-03-02T00:00:00.000Z",
        "modified": "2021-03-02T00:00:00.000Z",
        "pattern": f"[ipv4-addr:value = '192.0.2.{number}']",
        "pattern_type": "stix",
        "valid_from": "2021-03-02T00:00:00Z",
        **more,
    }


def bundle(*objects: dict[str, Any]) -> bytes:
    return json.dumps(
        {"type": "bundle", "id": "bundle--5f3cb5a2-9dd6-4a8b-a9cf-6d5b9cf07c1c", "objects": objects}
    ).encode()


def test_counts_of_an_import_add_up_and_a_second_one_finds_all_known(alone: Party, tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    file.write_bytes(bundle(indicator(1), indicator(2), indicator(3, pattern="[oops"), indicator(4)))
    first = alone.do("import", str(file))
    assert (first["new"], first["refused"], first["unmarked"], first["objects"]) == (3, 1, 3, 4)
    assert sum(first[word] for word in OUTCOMES) == first["objects"]
    again = alone.do("import", str(file))
    assert (again["new"], again["known"], again["refused"]) == (0, 3, 1)


def test_refused_object_stands_in_a_file_with_its_reason(alone: Party, tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    file.write_bytes(bundle(indicator(1), indicator(3, pattern="[oops")))
    told = alone.do("import", str(file))
    rows = [json.loads(line) for line in Path(told["refused_file"]).read_text().splitlines()]
    assert [(row["code"], row["object"], row["place"]) for row in rows] == [("pattern", indicator(3)["id"], "object 2")]
    assert json.loads(rows[0]["raw"])["pattern"] == "[oops"
    assert Path(told["refused_file"]).parent == alone.folder / "refused"


def test_file_of_which_nothing_can_be_taken_is_an_error(alone: Party, tmp_path: Path) -> None:
    file = tmp_path / "bundle.json"
    file.write_bytes(bundle(indicator(3, pattern="[oops")))
    answer = alone.try_("import", str(file))
    assert (answer.status, answer.json["code"], answer.json["refused"]) == (1, "no-object", 1)
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert alone.try_("import", str(empty)).status == 1


def test_file_that_breaks_off_gives_what_stands_before_the_break(alone: Party, tmp_path: Path) -> None:
    file = tmp_path / "cut.json"
    file.write_bytes(bundle(*(indicator(n) for n in range(1, 50)))[:-40])
    answer = alone.try_("import", str(file))
    assert (answer.status, answer.json["code"]) == (1, "bundle-truncated")
    assert answer.json["new"] == 48


def test_one_bad_file_does_not_keep_the_others_out(alone: Party, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.pdf"
    good.write_bytes(bundle(indicator(1)))
    bad.write_bytes(b"%PDF-1.7 nothing")
    answer = alone.try_("import", str(bad), str(good))
    assert (answer.status, answer.json["code"], answer.json["new"]) == (1, "not-taken", 1)
    assert [one["file"] for one in answer.json["files"]] == [str(bad), str(good)]


def test_standard_input_and_gzip_are_taken_in(alone: Party) -> None:
    told = alone.do("import", "-", "--tlp", "TLP:GREEN", stdin=gzip.compress(VALUES))
    assert (told["new"], told["unmarked"]) == (2_500, 0)
    assert alone.do("search", "192.0.1.7")["count"] == 1
    assert alone.do("search", "192[.]0[.]1[.]7")["count"] == 1


def test_import_that_was_stopped_goes_on_where_it_was(alone: Party, tmp_path: Path) -> None:
    file = tmp_path / "values.txt"
    file.write_bytes(VALUES)
    opened = alone.wired.open_source

    class Stopped:
        """A source whose reader presses Ctrl-C after 1,700 results."""

        def __init__(self, source: Any) -> None:
            self.source, self.format = source, source.format

        def __iter__(self) -> Iterator[Any]:
            for number, item in enumerate(self.source):
                if number == 1_700:
                    raise KeyboardInterrupt
                yield item

    stopped = replace(alone.wired, open_source=lambda *args: Stopped(opened(*args)))
    words = ("--home", str(alone.folder), "import", str(file), "--tlp", "green", "--retention", "P30D", "--json")
    answer = call(stopped, *words)
    assert (answer.status, answer.json["code"]) == (130, "stopped")
    assert "1,000 objects" in answer.json["sentence"]
    told = alone.do(*words[2:-1])
    assert (told["new"], told["known"], told["objects"]) == (2_500, 0, 2_500)
    batches = [one["batch"] for one in alone.do("account", "--taken")["imports"] if one["name"] == str(file)]
    assert batches == [told["batch"]]


def test_rows_name_us_as_their_creator_only_where_they_are_stated_to_be_our_own(alone: Party, tmp_path: Path) -> None:
    file, out = tmp_path / "values.txt", tmp_path / "out.json"
    file.write_bytes(b"192.0.2.1\n")
    assert alone.do("import", str(file))["new"] == 1
    assert alone.do("import", str(file), "--own")["new"] == 1
    assert (
        alone.do("import", str(file), "--tlp", "amber")["known"],
        alone.do("import", str(file), "--own")["known"],
    ) == (1, 1)
    alone.do("export", "--output", str(out))
    made = [one for one in json.loads(out.read_bytes())["objects"] if one["type"] == "indicator"]
    assert [one.get("created_by_ref") for one in made] == [None, alone.id]


def test_words_are_checked_and_the_nearest_is_named(alone: Party) -> None:
    for option, word, near in (
        ("--tlp", "grean", "green"),
        ("--purpose", "protect-netwerks", "protect-networks"),
        ("--basis", "legitimate-intrest", "legitimate-interest"),
        ("--caveat", "personal-date", "personal-data"),
        ("--country", "Estonia", "EE"),
        ("--embargo", "2030-01-01", "2030-01-01T00:00:00Z"),
        ("--retention", "90 days", "2021"),
    ):
        answer = alone.try_("import", "-", option, word, stdin=b"192.0.2.1\n")
        assert answer.status == 2
        assert near in answer.json["sentence"], answer.json["sentence"]
    assert alone.do("search", "192.0.2.1")["count"] == 0
    assert alone.try_("import", "-", "--caveat", "exercise", "--no-caveats", stdin=b"192.0.2.1\n").status == 2


def test_column_of_a_table_is_mapped_by_name(alone: Party) -> None:
    table = b"Wert,Bemerkung\n198.51.100.7,seen\n"
    assert alone.try_("import", "-", stdin=table).status == 1
    assert alone.do("import", "-", "--map", "Wert=value", "--map", "Bemerkung=description", stdin=table)["new"] == 1


def test_what_is_exported_is_what_came_in(alone: Party, tmp_path: Path) -> None:
    objects = [indicator(1, x_own="  kept "), indicator(2, confidence=50)]
    file, out = tmp_path / "in.json", tmp_path / "out.json"
    file.write_bytes(bundle(*objects))
    alone.do("import", str(file))
    assert alone.do("export", "--type", "indicator", "--output", str(out))["objects"] == 2
    for one in objects:
        assert json.dumps(one).encode() in out.read_bytes()
    answer = call(alone.wired, "--home", str(alone.folder), "export", "--id", objects[1]["id"])
    assert json.loads(answer.out)["objects"] == [objects[1]]
    answer = call(alone.wired, "--home", str(alone.folder), "export", "--format", "csv", "--type", "indicator")
    assert b"192.0.2.1" in answer.out
    assert json.loads(call(alone.wired, "--home", str(alone.folder), "export", "--format", "misp").out)["Event"]
    assert alone.try_("export").json["code"] == "output-needed"


def test_handling_is_stated_and_only_ever_stricter(alone: Party, tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_bytes(bundle(indicator(1)))
    batch = alone.do("import", str(file))["batch"]
    alone.do("handling", "set", f"batch:{batch}", "--tlp", "amber", "--case", "X-1", officer="Ann")
    alone.do("handling", "set", indicator(1)["id"], "--tlp", "clear")
    shown = alone.do("handling", "show", indicator(1)["id"])
    assert shown["holdings"][0]["facets"]["tlp"] == "amber"
    assert [(one.get("tlp"), one.get("by")) for one in shown["stated"]] == [
        ("clear", None),
        (None, None),  # what the import itself stated: nothing
        ("amber", "officer-1"),
    ]
    assert alone.try_("handling", "set", "1").status == 2
    assert alone.try_("handling", "set", "77", "--tlp", "red").json["code"] == "no-such-object"


def test_one_byte_changed_in_the_database_is_named_by_the_doctor(alone: Party, tmp_path: Path) -> None:
    import sqlite3

    file = tmp_path / "in.json"
    file.write_bytes(bundle(indicator(1), indicator(2)))
    alone.do("import", str(file))
    assert alone.do("doctor") == {"whole": True, "findings": []}
    with sqlite3.connect(alone.folder / "comity.db") as base:
        raw = base.execute("SELECT raw FROM version WHERE id = ?", (indicator(2)["id"],)).fetchone()[0]
        changed = raw.replace(b"192.0.2.2", b"192.0.2.3")
        base.execute("UPDATE version SET raw = ? WHERE id = ?", (changed, indicator(2)["id"]))
    base.close()
    answer = alone.try_("doctor")
    assert answer.status == 1
    assert [one["what"] for one in answer.json["findings"]] == [indicator(2)["id"]]


@pytest.mark.parametrize(
    ("table", "number", "column", "before", "after"),
    [
        ("class", "c", "facets", b'"tlp":"red"', b'"tlp":"clear"'),
        ("handling", "s", "envelope", b'"sig":"', b'"sig":"A'),
    ],
)
def test_a_marking_loosened_or_a_statement_changed_in_the_database_is_named_by_the_doctor(
    alone: Party, tmp_path: Path, table: str, number: str, column: str, before: bytes, after: bytes
) -> None:
    import sqlite3

    file = tmp_path / "in.json"
    file.write_bytes(bundle(indicator(1)))
    batch = alone.do("import", str(file), "--tlp", "red")["batch"]
    base = sqlite3.connect(alone.folder / "comity.db")
    with base:
        key, kept = list(base.execute(f"SELECT {number}, {column} FROM {table} ORDER BY {number}"))[-1]
        assert before in kept
        base.execute(f"UPDATE {table} SET {column} = ? WHERE {number} = ?", (kept.replace(before, after), key))
    base.close()
    answer = alone.try_("doctor")
    assert answer.status == 1 and answer.json["whole"] is False
    named = {one["what"] for one in answer.json["findings"]}
    assert (indicator(1)["id"] if table == "class" else f"batch:{batch}") in named


def test_ctrl_c_in_a_real_process_says_what_is_kept(tmp_path: Path) -> None:
    home, big = tmp_path / "home", tmp_path / "values.txt"
    with big.open("w") as out:
        for n in range(400_000):
            out.write(f"host-{n}.example.org\n")
    env = os.environ | {"COMITY_HOME": str(home)}
    python = [sys.executable, "-m", "comity"]
    made = subprocess.run(
        [*python, "init", "--party", "A", "--kind", "csirt", "--country", "XA", "--json"],
        env=env, capture_output=True, check=True,
    )  # fmt: skip
    assert json.loads(made.stdout)["name"] == "A"
    work = subprocess.Popen(
        [*python, "import", str(big), "--json"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for _ in range(200):
        time.sleep(0.1)
        wal = home / "comity.db-wal"
        if wal.exists() and wal.stat().st_size > 4_000_000:
            break
    work.send_signal(signal.SIGINT)
    out, err = work.communicate(timeout=30)
    told = json.loads(out.decode().rstrip().rpartition("\n")[2])
    assert (work.returncode, told["code"]) == (130, "stopped")
    assert "kept" in told["sentence"]
    assert b"Traceback" not in err
