"""A party without a node: it makes a key and a card, signs an agreement and seals objects, and nodes take what it made as real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comity.__main__ import now, wiring
from comity.kernel.store.rows import Holding, Version
from comity.node.doctor import examine
from comity.node.objects import class_facets
from simulators.shell import Answer, Party, call, carry, found, introduce
from simulators.world import indicator

STATED = ("--tlp", "green", "--basis", "agreement", "--purpose", "protect-networks", "--no-caveats")


class Laptop:
    """Somebody with a folder of files and no node."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self.folder, self.name, self.wired = folder, name, wiring()
        made = self.do("key", "new", self.at("key"))
        self.id, self.fingerprint = made["party"], made["fingerprint"]
        card = ("--name", name, "--kind", "ministry", "--country", "XM", "--output", self.at("card"))
        assert self.do("card", "new", "--key", self.at("key"), *card)["party"] == self.id

    def at(self, name: str) -> str:
        return str(self.folder / name)

    def try_(self, *words: str) -> Answer:
        return call(self.wired, "--home", self.at("no-node-here"), *words, "--json")

    def do(self, *words: str) -> Any:
        answer = self.try_(*words)
        assert answer.status == 0, answer.err
        return answer.json

    def sign(self, file: str, *more: str) -> Answer:
        return self.try_("sign", file, "--key", self.at("key"), "--as", self.at("card"), *more)


def known(party: Party, laptop: Laptop) -> None:
    party.do("card", "add", laptop.at("card"))
    words = ("--fingerprint", laptop.fingerprint, "--method", "telephone")
    party.do("card", "verify", laptop.id, *words, officer="Ann")


def bundle(*objects: dict[str, object]) -> str:
    return json.dumps({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000001", "objects": objects})


def drafted(party: Party, name: str, *others: str) -> str:
    """A draft between a node and others; gives the name of the file."""
    file = str(party.folder.parent / f"{name}.toml")
    words = [f"--party=p{n}={one}" for n, one in enumerate((party.id, *others))]
    party.do("agreement", "draft", "--template", "bilateral", *words, "--output", file)
    return file


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "laptop", "Ministry of Maru")


def test_party_without_a_node_signs_an_agreement_and_is_believed_at_the_second_hand(
    tmp_path: Path, laptop: Laptop
) -> None:
    alpha = found(tmp_path / "alpha", "Alpha", "csirt", "XA")
    beta = found(tmp_path / "beta", "Beta", "csirt", "XB")
    introduce(alpha, beta)
    known(alpha, laptop)
    known(beta, laptop)

    file = drafted(alpha, "with-ministry", laptop.id)
    digest = alpha.do("agreement", "receive", file)["digest"]
    signed = laptop.sign(file, "--yes")
    assert signed.status == 0, signed.err
    assert signed.json["agreement"] == digest and "Ministry of Maru" in signed.json["text"]
    alpha.do("agreement", "receive", signed.json["file"])
    shape = alpha.do("agreement", "sign", digest, officer="Ann")
    assert sorted(shape["signed"]) == sorted([alpha.id, laptop.id]) and shape["status"] == "in-force"

    ours = indicator(1, created_by_ref=laptop.id, object_marking_refs=GREEN)
    Path(laptop.at("said.json")).write_text(bundle(ours))
    sealed = laptop.sign(laptop.at("said.json"), "--yes").json
    assert [one["tlp"] for one in sealed["objects"]] == ["green"]
    told = alpha.do("import", sealed["file"], *STATED)
    assert (told["new"], told["refused"], told["changed"]) == (1, 0, 0)
    assert originator(alpha, str(ours["id"])) == laptop.id

    between = drafted(alpha, "between-nodes", beta.id)
    other = alpha.do("agreement", "receive", between)["digest"]
    beta.do("agreement", "receive", between)
    alpha.do("agreement", "sign", other, officer="Ann")
    beta.do("agreement", "sign", other, officer="Ann")
    for _ in range(2):
        carry(alpha, beta)
        carry(beta, alpha)
    assert originator(beta, str(ours["id"])) == laptop.id, "the ministry's own seal went on with it"
    for party in (alpha, beta):
        home = party.open_home(party.folder, None)
        assert list(examine(home.node)) == []
        home.close()


def originator(party: Party, id: str) -> str | None:
    home = party.open_home(party.folder, None)
    try:
        with home.node.store.read() as tx:
            [version] = tx.find(Version, id=id)
            [holding] = tx.find(Holding, version=version.n, ended=None)
            return class_facets(tx, holding.cls).originator
    finally:
        home.close()


DUTY = '[[clause.duty]]\ndo     = "receipt"\nwithin = "PT24H"\n'
GREEN = ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]


@pytest.mark.parametrize("duty", [True, False])
def test_who_runs_no_node_is_given_nothing_under_a_clause_with_duties_card_or_no_card(
    alone: Party, laptop: Laptop, duty: bool
) -> None:
    known(alone, laptop)
    file = drafted(alone, "duties", laptop.id)
    text = Path(file).read_text()
    assert text.count(DUTY) == 1
    Path(file).write_text(text if duty else text.replace(DUTY, ""))
    digest = alone.do("agreement", "receive", file)["digest"]
    alone.do("agreement", "receive", laptop.sign(file, "--yes").json["file"])
    alone.do("agreement", "sign", digest, officer="Ann")
    Path(laptop.at("x.json")).write_text(bundle(indicator(3, object_marking_refs=GREEN), indicator(4)))
    alone.do("import", laptop.at("x.json"), *STATED)
    marked, unmarked = (alone.do("why", str(indicator(n)["id"]), laptop.id) for n in (3, 4))
    assert marked["released"] == (not duty), marked
    assert ("reader-can-do-duties" in json.dumps(marked)) == duty
    assert not unmarked["released"] and "marking-in-bytes" in json.dumps(unmarked)


def test_nothing_is_signed_where_nobody_says_yes(laptop: Laptop) -> None:
    Path(laptop.at("said.json")).write_text(bundle(indicator(1, created_by_ref=laptop.id)))
    answer = laptop.sign(laptop.at("said.json"))
    assert (answer.status, answer.json["code"]) == (1, "sign-refused")
    assert not Path(laptop.at("said.json.signed.json")).exists()


def test_text_is_shown_before_it_is_signed(alone: Party, laptop: Laptop, shell: Callable[..., Answer]) -> None:
    known(alone, laptop)
    file = drafted(alone, "shown", laptop.id)
    answer = shell("sign", file, "--key", laptop.at("key"), "--as", laptop.at("card"), stdin=b"yes\n")
    assert answer.status == 1 and "Ministry of Maru" in answer.text and "say --yes" in answer.err
    assert not Path(f"{file}.signed.json").exists()


def test_key_that_the_card_does_not_list_signs_nothing(laptop: Laptop, alone: Party) -> None:
    known(alone, laptop)
    laptop.do("key", "new", laptop.at("other"))
    file = drafted(alone, "wrong-key", laptop.id)
    answer = laptop.try_("sign", file, "--key", laptop.at("other"), "--as", laptop.at("card"), "--yes")
    assert (answer.status, answer.json["code"]) == (1, "unknown-signer")
    answer = laptop.try_("sign", file, "--key", laptop.at("other"), "--yes")
    assert (answer.status, answer.json["code"]) == (1, "not-a-party")


def test_text_changed_after_it_was_written_is_not_signed(laptop: Laptop, alone: Party) -> None:
    known(alone, laptop)
    file = drafted(alone, "changed", laptop.id)
    digest = alone.do("agreement", "receive", file)["digest"]
    folder = alone.folder.parent / "papers"
    alone.do("agreement", "show", digest, "--output", str(folder))
    form = json.loads((folder / "agreement.json").read_text())
    form["clause"][0]["tlp"] = ["clear", "green", "amber", "red"]
    (folder / "agreement.json").write_text(json.dumps(form))
    answer = laptop.sign(str(folder / "agreement.json"), "--yes")
    assert (answer.status, answer.json["code"]) == (1, "agreement-altered")


def test_signature_under_another_text_is_refused_by_the_node(laptop: Laptop, alone: Party) -> None:
    known(alone, laptop)
    one, two = drafted(alone, "one", laptop.id), drafted(alone, "two", laptop.id)
    Path(two).write_text(Path(two).read_text().replace('tlp        = ["clear", "green"', 'tlp        = ["green"', 1))
    first, second = (alone.do("agreement", "receive", file)["digest"] for file in (one, two))
    assert first != second
    paper = json.loads(Path(laptop.sign(one, "--yes").json["file"]).read_text())
    assert paper["agreement"] == first
    lie = Path(laptop.at("lie.json"))
    lie.write_text(json.dumps({**paper, "agreement": second}))
    answer = alone.try_("agreement", "receive", str(lie))
    assert answer.status == 1 and answer.json["code"] == "epoch-order"
    assert alone.do("agreement", "show", second)["signed"] == []


def test_object_of_another_party_is_not_sealed(laptop: Laptop) -> None:
    other = "identity--00000000-0000-4000-8000-00000000000b"
    Path(laptop.at("said.json")).write_text(bundle(indicator(1, created_by_ref=other)))
    answer = laptop.sign(laptop.at("said.json"), "--yes")
    assert (answer.status, answer.json["code"]) == (1, "not-ours")


def test_sealed_object_that_was_changed_on_the_way_is_refused(laptop: Laptop, alone: Party) -> None:
    known(alone, laptop)
    Path(laptop.at("said.json")).write_text(
        bundle(indicator(1, created_by_ref=laptop.id), indicator(2, created_by_ref=laptop.id))
    )
    file = Path(laptop.sign(laptop.at("said.json"), "--yes").json["file"])
    shape = json.loads(file.read_text())
    shape["objects"][0]["object"] = shape["objects"][0]["object"].replace("Web shell 1", "Web shell 9")
    shape["objects"][1]["object"] = shape["objects"][1]["object"].replace('"name"', '"x_more":1,"name"')
    file.write_text(json.dumps(shape))
    answer = alone.try_("import", str(file), *STATED)
    assert answer.status == 1
    assert alone.do("search", "Web shell")["count"] == 0


def test_objects_of_a_party_whose_card_is_unknown_or_unverified_are_attributed_to_nobody(
    laptop: Laptop, alone: Party
) -> None:
    ours = indicator(1, created_by_ref=laptop.id)
    Path(laptop.at("said.json")).write_text(bundle(ours))
    file = laptop.sign(laptop.at("said.json"), "--yes").json["file"]
    answer = alone.try_("import", file, *STATED)
    [refused] = (json.loads(line) for line in Path(answer.json["refused_file"]).read_text().splitlines())
    assert (answer.status, refused["code"]) == (1, "sealer-unknown")
    alone.do("card", "add", laptop.at("card"))
    alone.do("import", file, *STATED)
    assert originator(alone, str(ours["id"])) is None


def test_what_another_sealed_is_not_imported_as_our_own_work(laptop: Laptop, alone: Party) -> None:
    known(alone, laptop)
    Path(laptop.at("said.json")).write_text(bundle(indicator(1, created_by_ref=laptop.id)))
    file = laptop.sign(laptop.at("said.json"), "--yes").json["file"]
    assert alone.try_("import", file, "--own", *STATED).status == 1


def test_key_that_others_can_read_signs_nothing(laptop: Laptop) -> None:
    Path(laptop.at("key")).chmod(0o644)
    Path(laptop.at("said.json")).write_text(bundle(indicator(1, created_by_ref=laptop.id)))
    assert laptop.sign(laptop.at("said.json"), "--yes").json["code"] == "key-exposed"


def test_key_and_card_are_never_written_over(laptop: Laptop) -> None:
    before = Path(laptop.at("key")).read_bytes()
    assert laptop.try_("key", "new", laptop.at("key")).json["code"] == "store-exists"
    card = ("--name", "X", "--kind", "ministry", "--country", "XM", "--output", laptop.at("card"))
    assert laptop.try_("card", "new", "--key", laptop.at("key"), *card).json["code"] == "already-done"
    assert Path(laptop.at("key")).read_bytes() == before


def test_laptop_an_hour_slow_is_told_that_its_card_begins_later(laptop: Laptop) -> None:
    from dataclasses import replace

    laptop.wired = replace(laptop.wired, clock=lambda: now() - 3_600_000_000)
    Path(laptop.at("said.json")).write_text(bundle(indicator(1, created_by_ref=laptop.id)))
    assert laptop.sign(laptop.at("said.json"), "--yes").json["code"] == "key-not-valid"


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"{", b"\x00\xff", b'{"type":"bundle","objects":[]}', b"[" * 9999, b"title = 1"]
)
def test_file_that_is_neither_is_refused_with_a_sentence(laptop: Laptop, data: bytes) -> None:
    Path(laptop.at("x")).write_bytes(data)
    answer = laptop.sign(laptop.at("x"), "--yes")
    assert answer.status == 1 and answer.json["code"] != "internal", answer.err
    assert not Path(laptop.at("x.signed.json")).exists()


SEALED = [
    b'{"form":"comity-sealed/1","objects":[]}',
    b'{"form":"comity-sealed/1","objects":[1]}',
    b'{"form":"comity-sealed/2","objects":[]}',
    b'{"form":"comity-sealed/1","objects":[{"object":"{}","seal":"x","disclosure":[]}]}',
    b'{"form":"comity-sealed/1","objects":[{"object":"{}","seal":"x","disclosure":[1]}]}',
    b'{"form":"comity-sealed/1","objects":{"a":1}}',
]


@pytest.mark.parametrize("data", SEALED)
def test_hostile_file_of_sealed_objects_is_refused_with_a_sentence(alone: Party, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    answer = alone.try_("import", str(tmp_path / "x"), *STATED)
    assert answer.status == 1 and "internal" not in json.dumps(answer.json), answer.err
