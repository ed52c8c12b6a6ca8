"""Packs: what is put in comes out at the addressee, and nothing else is believed."""

from __future__ import annotations

import importlib.util
import random as chance
import sys
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.adapters.carrier.pack import CHUNK, LEAST_SPLIT, BoxKey, manifest, read_pack, write_pack
from comity.kernel.errors import InputRefused, PeerFault, SealBroken, Usage
from comity.kernel.exchange.messages import decode, encode
from comity.kernel.exchange.session import absorb, outbound
from comity.kernel.model.ids import minted
from comity.kernel.seal.keys import PublicKey, SigningKey

_NAME = "comity_simulated_peer"
if _NAME not in sys.modules:
    _SPEC = importlib.util.spec_from_file_location(_NAME, Path(__file__).parents[2] / "simulators" / "peer.py")
    assert _SPEC is not None
    assert _SPEC.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(sys.modules[_NAME])
simulated: Any = sys.modules[_NAME]

KEY = SigningKey.from_seed(bytes(range(32)))
BOX = BoxKey.from_seed(bytes(range(1, 33)))
OTHER_BOX = BoxKey.from_seed(bytes(range(2, 34)))
A, B, C = (minted("identity", name) for name in "abc")
NOW = 1_614_686_400_000_000
TURNS = [b'{"turn":%d}' % n * (n * 400) for n in range(12)]


def keys(party: str, keyid: str) -> PublicKey | None:
    return KEY.public if (party, keyid) == (A, KEY.public.keyid) else None


def randomly(seed: int) -> Callable[[int], bytes]:
    return chance.Random(seed).randbytes


def packed(folder: Path, turns: list[bytes] = TURNS, *, seed: int = 1, **changes: Any) -> tuple[Path, ...]:
    values: dict[str, Any] = {"key": KEY, "sender": A, "to": B, "box": BOX.spki, "now": NOW, "random": randomly(seed)}
    return write_pack(turns, folder / "night.pack", **(values | changes))


def unpacked(files: Any, **changes: Any) -> list[bytes]:
    values: dict[str, Any] = {"box": BOX, "our_party": B, "keys": keys, "taken": lambda pack: 0}
    return list(read_pack(list(files), **(values | changes)))


def test_pack_is_read_by_its_addressee_and_holds_no_turn_in_clear(tmp_path: Path) -> None:
    (file,) = packed(tmp_path)
    assert unpacked([file]) == TURNS
    assert b'"turn"' not in file.read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["night.pack"]


def test_header_can_be_printed_and_says_what_is_inside(tmp_path: Path) -> None:
    (file,) = packed(tmp_path)
    text = file.read_bytes().split(b"\nbody\n")[0].decode()
    assert f"from {A}\nto {B}\n" in text
    told = manifest(file)
    assert (told.turns, told.length, told.part, told.parts) == (12, sum(map(len, TURNS)), 1, 1)
    assert told.size == file.stat().st_size - len(text.encode()) - len(b"\nbody\n")


@given(
    st.lists(st.binary(max_size=3 * CHUNK), min_size=1, max_size=8),
    st.sampled_from([None, LEAST_SPLIT, LEAST_SPLIT + 777]),
)
@settings(max_examples=25, deadline=None)
def test_any_turns_survive_any_split(tmp_path_factory: Any, turns: list[bytes], split: int | None) -> None:
    files = packed(tmp_path_factory.mktemp("pack"), turns, split=split)
    assert split is None or all(file.stat().st_size <= split for file in files)
    assert unpacked(reversed(files)) == turns


@pytest.mark.parametrize("size", [CHUNK - 4, CHUNK - 5, CHUNK - 3, 2 * CHUNK - 4, 0])
def test_turns_that_end_at_the_edge_of_a_chunk_survive(tmp_path: Path, size: int) -> None:
    assert unpacked(packed(tmp_path, [b"x" * size])) == [b"x" * size]


def test_missing_part_gives_what_stands_before_it_and_goes_on_when_it_is_brought(tmp_path: Path) -> None:
    turns = [bytes([n]) * 9_000 for n in range(20)]
    files = packed(tmp_path, turns, split=LEAST_SPLIT)
    assert len(files) > 3
    with pytest.raises(InputRefused) as refused:
        unpacked([files[0], files[1], files[3]])
    assert refused.value.code == "pack-part"
    got: list[bytes] = []
    with pytest.raises(InputRefused):
        for turn in read_pack([files[0], files[1]], box=BOX, our_party=B, keys=keys, taken=lambda pack: 0):
            got.append(turn)
    assert got == turns[: len(got)]
    assert got
    assert got + unpacked(files, taken=lambda pack: len(got)) == turns


def test_pack_taken_before_is_refused(tmp_path: Path) -> None:
    files = packed(tmp_path)
    taken: dict[str, int] = {}
    for _ in read_pack(files, box=BOX, our_party=B, keys=keys, taken=lambda pack: taken.get(pack, 0)):
        pack = manifest(files[0]).pack
        taken[pack] = taken.get(pack, 0) + 1
    with pytest.raises(InputRefused) as refused:
        unpacked(files, taken=lambda pack: taken.get(pack, 0))
    assert refused.value.code == "pack-replayed"


def test_pack_for_another_party_or_another_key_is_refused(tmp_path: Path) -> None:
    files = packed(tmp_path)
    for changes in ({"our_party": C}, {"box": OTHER_BOX}):
        with pytest.raises(InputRefused) as refused:
            unpacked(files, **changes)
        assert refused.value.code == "pack-addressee"


def test_pack_of_an_unknown_sender_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SealBroken) as refused:
        unpacked(packed(tmp_path), keys=lambda party, keyid: None)
    assert refused.value.code == "pack-altered"
    files = packed(tmp_path, key=SigningKey.from_seed(bytes(32)))
    with pytest.raises(SealBroken):
        unpacked(files)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_byte_changed_or_cut_is_refused_before_a_turn_is_given(tmp_path_factory: Any, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("pack")
    (file,) = packed(folder, TURNS[:4])
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    how = data.draw(st.sampled_from(["flip", "cut", "add", "drop"]))
    changed = bytearray(whole)
    if how == "flip":
        changed[at] ^= 1 << data.draw(st.integers(0, 7))
    elif how == "cut":
        del changed[at:]
    elif how == "add":
        changed[at:at] = b"\x00"
    else:
        del changed[at]
    file.write_bytes(changed)
    got: list[bytes] = []
    with pytest.raises(PeerFault):
        for turn in read_pack([file], box=BOX, our_party=B, keys=keys, taken=lambda pack: 0):
            got.append(turn)
    assert got == []


def test_parts_of_two_packs_are_not_mixed(tmp_path: Path) -> None:
    turns = [bytes([n]) * 9_000 for n in range(12)]
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    one = packed(tmp_path / "1", turns, split=LEAST_SPLIT, seed=1)
    two = packed(tmp_path / "2", turns, split=LEAST_SPLIT, seed=2)
    with pytest.raises(InputRefused) as refused:
        unpacked([one[0], two[1], *one[2:]])
    assert refused.value.code == "pack-part"


def test_wrong_files_and_wishes_are_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"PK\x03\x04 a zip file")
    for files in ([tmp_path / "x"], [tmp_path / "absent"], []):
        with pytest.raises(InputRefused):
            unpacked(files)
    with pytest.raises(Usage):
        packed(tmp_path, split=1_000)
    with pytest.raises(Usage):
        packed(tmp_path, box=KEY.public.spki)


def test_disk_that_fails_while_writing_leaves_nothing_behind(tmp_path: Path) -> None:
    def turns() -> Any:
        yield b"x" * 100_000
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        packed(tmp_path, turns())
    assert list(tmp_path.iterdir()) == []


def test_example_of_the_format_page_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "formats" / "pack.md").read_text(encoding="utf-8")
    head = page.split("```text\n", 1)[1].split("```", 1)[0]
    body = b64decode(page.split("```base64\n", 1)[1].split("```", 1)[0])
    (tmp_path / "x").write_bytes(head.encode() + body)
    assert unpacked([tmp_path / "x"]) == [b'{"a":1}', b'{"b":2}']
    assert len(body) == 8 + 14 + 16


def test_turns_of_two_nodes_travel_as_files_both_ways(tmp_path: Path) -> None:
    directory: dict[str, PublicKey] = {}
    a, b = simulated.Node("A", directory, page_rows=50), simulated.Node("B", directory, page_rows=50)
    for n in range(300):
        a.release(b.party, b'{"n": %d, "pad": "%s"}' % (n, b"x" * 900))
        b.release(a.party, b'{"m": %d}' % n)
    boxes = {a.party: BOX, b.party: OTHER_BOX}
    owed: tuple[Any, ...] = ()
    have = {a.party: 0, b.party: 0}
    for trip, (one, other) in enumerate([(a, b), (b, a), (a, b)]):
        folder = tmp_path / str(trip)
        folder.mkdir()
        turns = [encode(t) for t in outbound(one, other.party, control=0, objects=have[other.party], receipts=owed)]
        files = write_pack(
            turns, folder / "p", key=one.key, sender=one.party, to=other.party, box=boxes[other.party].spki, now=NOW,
            random=randomly(trip), split=100_000,
        )  # fmt: skip
        have[other.party] = 300
        owed = ()
        for data in read_pack(
            files[::-1],
            box=boxes[other.party],
            our_party=other.party,
            keys=lambda party, keyid: directory[party],
            taken=lambda pack: 0,
        ):
            owed += absorb(other, one.party, decode(data))
    for one, other in ((a, b), (b, a)):
        assert other.accounts[one.party].received == one.accounts[other.party].objects_out
        assert one.accounts[other.party].receipted == 300
