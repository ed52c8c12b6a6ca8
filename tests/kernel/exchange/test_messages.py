"""Messages: what goes in comes out byte for byte, and what is malformed is refused with a code."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.kernel.errors import PeerFault, RequestRefused
from comity.kernel.exchange.messages import (
    NEWEST,
    Consistency,
    ControlItem,
    ControlPage,
    Greeting,
    Limits,
    ObjectItem,
    Page,
    Receipt,
    Refusal,
    Turn,
    common,
    decode,
    decode_as,
    encode,
)
from comity.kernel.model.ids import minted

A, B = minted("identity", "a"), minted("identity", "b")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
BYTES = TEXT.map(lambda text: text.encode())
TERMS = st.dictionaries(
    TEXT, st.one_of(TEXT, st.integers(-(2**53) + 1, 2**53 - 1), st.booleans(), st.lists(TEXT)), max_size=3
)


def greeting(**changes: Any) -> Greeting:
    values: dict[str, Any] = {
        "feature": 1, "sender": A, "to": B, "at": 1_614_686_400_000_000, "have_control": 3, "have_objects": 0,
        "receipted": 7, "checkpoint": None, "consistency": None, "seen": (), "incarnation": 1,
    }  # fmt: skip
    return Greeting(**(values | changes))


def item(n: int, **changes: Any) -> ObjectItem:
    values: dict[str, Any] = {
        "n": n, "kind": "object", "object": minted("indicator", str(n)), "digest": "ab" * 32, "view": "full",
        "title": "cd" * 32 + "#4", "terms": {"tlp": "green"}, "raw": b'{ "a":1.0 }', "seal": b"{}",
        "disclosure": None, "hidden": 0,
    }  # fmt: skip
    return ObjectItem(**(values | changes))


def page(*items: ObjectItem, more: bool = False) -> Page:
    return Page(b'{"a":1}', bytes(16), b"{}", bytes(32), items[0].n, items[-1].n, items, more)


@st.composite
def turns(draw: st.DrawFn) -> Turn:
    first = draw(st.integers(1, 1000))
    items = []
    for n in range(first, first + draw(st.integers(1, 4))):
        if draw(st.booleans()):
            items.append(item(n, kind="withdrawn", raw=None, seal=None, digest=None, view=draw(TEXT)))
        else:
            items.append(
                item(
                    n,
                    raw=draw(BYTES),
                    terms=draw(TERMS),
                    title=draw(TEXT),
                    disclosure=draw(st.none() | BYTES),
                    hidden=draw(st.integers(0, 9)),
                )
            )
    controls = tuple(ControlItem(first + n, "epoch", draw(BYTES)) for n in range(draw(st.integers(1, 3))))
    receipt = Receipt("ab" * 32, 9, (Refusal(3, "timestamp", draw(TEXT)),), draw(BYTES), bytes(16), draw(BYTES))
    hello = greeting(
        checkpoint=draw(st.none() | BYTES),
        consistency=draw(st.none() | st.just(Consistency(4, (bytes(32), b"\xff" * 32)))),
        seen=tuple(draw(st.lists(BYTES, max_size=2))),
        at=draw(st.integers(0, 4_000_000_000_000_000)),
        extra={"x-later": draw(TERMS)},
    )
    return Turn(
        hello,
        draw(st.none() | st.just(ControlPage(controls, False))),
        draw(st.none() | st.just(page(*items))),
        draw(st.sampled_from([(), (receipt,)])),
    )


@given(turns())
@settings(max_examples=150, deadline=None)
def test_message_written_and_read_is_the_same_message_and_the_same_bytes(turn: Turn) -> None:
    data = encode(turn)
    assert decode(data) == turn
    assert encode(decode(data)) == data


def test_object_bytes_survive_with_their_spelling(test_data: Path) -> None:
    file = next(iter(sorted((test_data / "stix").rglob("*.json"))))
    raw = file.read_bytes()
    for spelling in (raw, b'{"b": 1.0,\r\n\t"a":"\\u00e9\\/","b2":1e2 }', '{"k":"\U0001f600\u202e"}'.encode()):
        assert decode(encode(Turn(greeting(), page=page(item(1, raw=spelling))))).page == page(item(1, raw=spelling))


def test_members_of_a_newer_release_survive_everywhere() -> None:
    value = orjson.loads(encode(Turn(greeting(), ControlPage((ControlItem(1, "epoch", b"{}"),), False), page(item(1)))))
    for where in (
        value,
        value["greeting"],
        value["control"],
        value["control"]["items"][0],
        value["page"],
        value["page"]["items"][0],
    ):
        where["x-later"] = {"kept": [1, 2, None]}
    data = orjson.dumps(value)
    assert orjson.loads(encode(decode(data))) == value


def test_newer_feature_level_is_met_at_ours_and_another_form_is_refused() -> None:
    assert common(decode(encode(Turn(greeting(feature=99)))).greeting.feature) is NEWEST
    value = orjson.loads(encode(Turn(greeting())))
    value["greeting"]["form"] = 2
    with pytest.raises(RequestRefused) as refused:
        decode(orjson.dumps(value))
    assert refused.value.code == "message-version"
    with pytest.raises(RequestRefused):
        greeting(feature=0)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield (*path, key)
            yield from _places(value[key], (*path, key))


WRONG: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    2**53,
    10**30,
    "",
    "x",
    "\x00",
    "9" * 400,
    [],
    [[]],
    {},
    {"n": 1},
    [None],
    ["x"],
]


def test_any_member_replaced_by_anything_is_refused_or_read_never_a_crash() -> None:
    whole = Turn(
        greeting(checkpoint=b"n", consistency=Consistency(1, (bytes(32),)), seen=(b"s",)),
        ControlPage((ControlItem(1, "epoch", b"{}"),), False),
        page(item(1), item(2, kind="withdrawn", raw=None, seal=None)),
        (Receipt("ab" * 32, 2, (Refusal(1, "code", "No."),), b"{}", bytes(16), b"{}"),),
    )
    value = json.loads(encode(whole))
    refused = []
    for place in list(_places(value)):
        for wrong in WRONG:
            changed = copy.deepcopy(value)
            at = changed
            for key in place[:-1]:
                at = at[key]
            at[place[-1]] = wrong
            try:
                encode(decode(json.dumps(changed).encode()))
            except PeerFault as fault:
                refused.append(fault.code)
    assert len(refused) > 400
    assert set(refused) <= {"message", "message-version", "message-limit", "stream-gap", "stream-order", "json-number"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "json-syntax"),
        (b"[]", "message"),
        (b"null", "message"),
        (b'{"greeting":{},"greeting":{}}', "json-duplicate-key"),
        (b'{"greeting":{"form":NaN}}', "json-number"),
        (b'{"greeting":' * 5000, "json-depth"),
        (b'{"x":' * 900 + b"1" + b"}" * 900, "message"),
        (b'{"greeting":{"form":1,"at":"\\ud800"}}', "json-surrogate"),
        (b"\xff\xfe{\x00}\x00", "json-encoding"),
        (b'{"greeting":{"form":1}}trailing', "json-trailing"),
        (b'{"greeting":{"form":123456789012345678901234567890}}', "json-number"),
    ],
)
def test_hostile_json_is_refused_with_its_code(data: bytes, code: str) -> None:
    with pytest.raises(PeerFault) as refused:
        decode(data)
    if code == "json-depth":
        assert refused.value.code.startswith("json-")
    else:
        assert refused.value.code == code


def test_deep_members_that_nobody_knows_are_refused_before_they_are_kept() -> None:
    value = orjson.loads(encode(Turn(greeting())))
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    value["later"] = deep
    with pytest.raises(RequestRefused) as refused:
        decode(orjson.dumps(value))
    assert refused.value.code == "message-limit"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(message=100), "message-size"),
        (Limits(raw=5), "message-limit"),
        (Limits(rows=1), "message-limit"),
        (Limits(control=1), "message-limit"),
        (Limits(text=1), "message-limit"),
        (Limits(receipts=0), "message-limit"),
        (Limits(seen=0), "message-limit"),
    ],
)
def test_more_than_the_limit_is_refused(limits: Limits, code: str) -> None:
    controls = ControlPage((ControlItem(1, "epoch", b"{}"), ControlItem(2, "epoch", b"{}")), False)
    receipt = Receipt("ab" * 32, 2, (), b"{}", bytes(16), b"{}")
    data = encode(Turn(greeting(seen=(b"s",)), controls, page(item(1), item(2)), (receipt,)))
    with pytest.raises(RequestRefused) as refused:
        decode(data, limits)
    assert refused.value.code == code


def test_page_with_a_gap_or_too_many_rows_is_refused() -> None:
    with pytest.raises(RequestRefused) as refused:
        page(item(1), item(3))
    assert refused.value.code == "stream-gap"
    with pytest.raises(RequestRefused):
        page(*[item(n) for n in range(1, 1026)])
    with pytest.raises(RequestRefused) as refused:
        Turn(greeting(), ControlPage((ControlItem(1, "epoch", b"{}"),), True), page(item(1)))
    assert refused.value.code == "stream-order"


def test_tombstone_that_carries_an_object_is_refused() -> None:
    with pytest.raises(RequestRefused):
        item(1, kind="withdrawn")
    with pytest.raises(RequestRefused):
        item(1, raw=None)


def test_stored_page_and_receipt_are_read_alone() -> None:
    one = page(item(1), item(2), more=True)
    assert decode_as(Page, encode(one)) == one
    receipt = Receipt("ab" * 32, 2, (), b"{}", bytes(16), b"{}")
    assert decode_as(Receipt, encode(receipt)) == receipt


def test_example_of_the_format_page_is_read_and_written_the_same() -> None:
    text = (Path(__file__).parents[3] / "docs" / "formats" / "exchange.md").read_text(encoding="utf-8")
    example = text.split("```json\n", 1)[1].split("```", 1)[0]
    turn = decode(example.encode())
    assert json.loads(encode(turn)) == json.loads(example)
    assert turn.page is not None
    assert turn.page.items[0].raw is not None
