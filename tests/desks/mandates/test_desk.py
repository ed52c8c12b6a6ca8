"""The mandates desk over its commands and its addresses: what is given is told, what is wrong is refused with a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from comity.desks import desks
from comity.kernel.errors import ComityError, NotAllowed, Usage
from comity.node.desk import carry_out
from comity.node.mandates import mandates
from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.shell import found
from simulators.teams import Teams
from simulators.world import DAY, HOUR, World

A, B = "Team A", "Team B"
ADA, BEN, CLEO = "officer-1", "officer-2", "officer-3"
DEEDS = {item.name: item for desk in desks() for item in desk.deeds}


@pytest.fixture
def world() -> World:
    made = World()
    for name, country in ((A, "XA"), (B, "XB")):
        made.node(name, country=country)
    made.introduce(A, B)
    for name, roles in (("Ada", ["admin"]), ("Ben", ["admin", "sign"]), ("Cleo", ["sign", "release"])):
        add_officer(made.nodes[A], name, roles)
    return made


def tell(world: World, deed: str, by: str = ADA, /, **said: Any) -> dict[str, Any]:
    return dict(carry_out(world.nodes[A], DEEDS[deed], said, by).shape)


def lines(world: World, deed: str, by: str = ADA, /, **said: Any) -> str:
    return "\n".join(carry_out(world.nodes[A], DEEDS[deed], said, by).lines)


def test_first_mandate_says_who_can_do_nothing_any_more(world: World) -> None:
    told = lines(world, "mandate give", officer="Cleo", deed=["agreement *"], reason="decree 7")
    assert "It is the first" in told and "Ben has none" in told and "Cleo has none" not in told
    assert "It is the first" not in lines(world, "mandate give", officer="Ben", deed=["sign"], reason="decree 8")


def test_mandate_without_the_ceiling_that_releasing_asks_for_says_so(world: World) -> None:
    told = lines(world, "mandate give", officer="Cleo", deed=["release"], reason="watch")
    assert "states no ceiling tlp" in told
    told = lines(world, "mandate give", officer="Cleo", deed=["release"], ceiling=["tlp=TLP:AMBER"], reason="watch")
    assert "states no ceiling" not in told and "tlp amber" in told


@pytest.mark.parametrize(
    ("deeds", "ceilings", "hint"),
    [
        (["agreement sing"], [], "did you mean 'agreement sign'"),
        (["agreements *"], [], "did you mean 'agreement *'"),
        (["administer"], [], "asks for no mandate"),
        (["*"], [], "is no deed"),
        (["sign"], ["tpl=amber"], "did you mean 'tlp'"),
        (["sign"], ["claim-level=8"], "from 0 to 7"),
        (["sign"], ["claim-level=six"], "whole number"),
        (["sign"], ["tlp=purple"], "is one of clear"),
        (["sign"], ["claim-level"], "NAME=VALUE"),
        (["sign"], ["claim-level=" + "9" * 5000], "whole number"),
        (["sign" * 2000], [], "is no deed"),
        ([], [], "1 to 100 deeds"),
    ],
)
def test_mandate_that_says_nothing_real_is_refused_with_the_nearest_word(
    world: World, deeds: list[str], ceilings: list[str], hint: str
) -> None:
    with pytest.raises(ComityError) as broken:
        tell(world, "mandate give", officer="Cleo", deed=deeds, ceiling=ceilings, reason="x")
    assert broken.value.code == "mandate-form" and hint in broken.value.sentence
    with world.nodes[A].store.read() as tx:
        assert mandates(tx) == []


def test_whoever_gives_himself_a_mandate_is_told_to_find_another(world: World) -> None:
    told = lines(world, "mandate give", BEN, officer="Ben", deed=["sign"], reason="mine")
    assert "comity mandate confirm mandate-1" in told
    with pytest.raises(NotAllowed):
        tell(world, "mandate confirm", BEN, mandate="mandate-1")
    assert tell(world, "mandate confirm", ADA, mandate="mandate-1", reason="agreed")["stands"] == "in force"


def test_list_tells_how_each_mandate_stood_at_an_instant(world: World) -> None:
    tell(world, "mandate give", officer="Cleo", deed=["sign"], until="P1D", substitute=["Ben"], reason="watch")
    world.at += HOUR
    tell(world, "mandate give", officer="Ben", deed=["sign"], begins="2021-03-07T00:00:00Z", reason="later")
    stands = [one["stands"] for one in tell(world, "mandate list")["mandates"]]
    assert stands == ["in force", "to come"]
    assert [one["id"] for one in tell(world, "mandate list", at="2021-03-05T12:30:00Z")["mandates"]] == ["mandate-1"]
    world.at += 2 * DAY
    tell(world, "mandate end", mandate="mandate-2", reason="over")
    assert [one["stands"] for one in tell(world, "mandate list")["mandates"]] == ["over", "ended"]


def test_check_says_why_not_and_who_could(world: World) -> None:
    assert tell(world, "mandate check", officer="Cleo", deed="agreement sign")["may"]
    tell(world, "mandate give", officer="Ben", deed=["agreement sign"], reason="watch")
    told = carry_out(world.nodes[A], DEEDS["mandate check"], {"officer": "Cleo", "deed": "agreement sign"}, CLEO)
    assert (told.status, told.shape["code"]) == (1, "mandate-missing")
    assert "Ben holds mandate-1" in told.lines[0]
    role = tell(world, "mandate check", officer="Ada", deed="agreement sign")
    assert (role["may"], role["code"]) == (False, "role-missing")
    with pytest.raises(Usage, match="did you mean 'agreement sign'"):
        tell(world, "mandate check", officer="Ada", deed="agreement sing")


def test_requiring_mandates_takes_the_roles_alone_their_power_before_any_is_given(world: World) -> None:
    tell(world, "mandate require")
    told = tell(world, "mandate check", officer="Cleo", deed="agreement sign")
    assert (told["may"], told["code"]) == (False, "mandate-missing")
    assert tell(world, "mandate require")["required"]


def test_rehearsed_mandate_is_given_to_nobody(world: World) -> None:
    carry_out(
        world.nodes[A], DEEDS["mandate give"], {"officer": "Cleo", "deed": ["sign"], "reason": "x"}, ADA, dry=True
    )
    assert tell(world, "mandate list") == {"mandates": [], "required": False}


# --- the rule holds alike over the command line and over REST


def test_command_and_address_refuse_alike_without_a_mandate_and_above_it(tmp_path: Path) -> None:
    party = found(tmp_path / "alpha", "Alpha", "csirt", "XA")
    for name in ("Ben", "Cleo"):
        party.tokens[name] = party.do("officer", "add", name, "--role", "sign", "--role", "release", officer="Ann")[
            "token"
        ]
    give = ("mandate", "give", "Ben", "--deed", "agreement *", "--reason", "decree 7")
    assert party.do(*give, officer="Ann")["stands"] == "in force"
    for words in (
        ("agreement", "sign", "x"),
        ("release", "approve", "x", "--to", "y", "--reason", "z"),
        ("card", "set", "--office", "duty-officer"),
    ):
        answer = party.try_(*words, officer="Cleo")
        assert (answer.status, answer.json["code"]) == (1, "mandate-missing"), words
    assert party.try_("agreement", "sign", "x", officer="Ben").json["code"] == "no-such-agreement"
    assert party.try_("agreement", "list", officer="Cleo").status == 0
    shown = party.do("mandate", "show", "mandate-1", officer="Ann")
    assert shown["deeds"] == ["agreement *"] and len(shown["digest"]) == 64


ADDRESSES = [
    ("/agreements/x/send", None),
    ("/agreements/x/sign", {"reason": "r"}),
    ("/agreements/x/accede", {"reason": "r"}),
    ("/agreements/x/suspend", {"reason": "r"}),
    ("/agreements/x/withdraw", {"effective": "2031-01-01T00:00:00Z", "reason": "r"}),
    ("/agreements/x/admit", {"party": "y", "reason": "r"}),
    ("/agreements/x/expel", {"party": "y", "reason": "r"}),
    ("/release/approve", {"object": "x", "to": "y", "reason": "r"}),
    ("/cards/ours", {"office": ["duty-officer"]}),
    ("/peers/push", {"url": "http://127.0.0.1:9/", "to": "x"}),
    ("/case/open", {"procedure": "silence", "title": "x"}),
]


@pytest.mark.parametrize(("path", "body"), ADDRESSES, ids=[path for path, _ in ADDRESSES])
def test_every_address_that_releases_or_signs_asks_for_a_mandate(path: str, body: dict[str, Any] | None) -> None:
    if path == "/case/open" and "case open" not in DEEDS:
        pytest.skip("the cases desk was taken away")
    teams = Teams()
    _, ada = add_officer(teams.a, "Ada", ["admin"])
    _, cleo = add_officer(teams.a, "Cleo", ["sign", "release"])
    asker = Asker(teams.app, cleo, accept="application/json")
    content = b"" if body is None else orjson.dumps(body)

    def code() -> str:
        return str(json.loads(asker.post(f"/api/v1{path}", content, content_type="application/json").text).get("code"))

    assert code() != "mandate-missing"
    admin = Asker(teams.app, ada, accept="application/json")
    said = {"officer": "Cleo", "deed": ["agreement lint"], "reason": "r"}
    assert admin.post("/api/v1/mandate/give", orjson.dumps(said), content_type="application/json").status_code == 400
    said["deed"] = ["agreement accede" if path != "/agreements/x/accede" else "agreement sign"]
    assert admin.post("/api/v1/mandate/give", orjson.dumps(said), content_type="application/json").status_code == 200
    assert code() == "mandate-missing"


def test_auditor_opens_an_act_and_verifies_it_without_a_node(tmp_path: Path) -> None:
    alpha, beta = found(tmp_path / "alpha", "Alpha", "csirt", "XA"), found(tmp_path / "beta", "Beta", "csirt", "XB")
    for one, other in ((alpha, beta), (beta, alpha)):
        card = str(tmp_path / f"{other.name}.card")
        other.do("card", "show", "--output", card)
        one.do("card", "add", card)
        one.do("card", "verify", other.id, "--fingerprint", other.fingerprint, "--method", "telephone", officer="Ann")
    for name, role in (("Ben", "sign"), ("Eve", "audit")):
        alpha.tokens[name] = alpha.do("officer", "add", name, "--role", role, officer="Ann")["token"]
    alpha.do("mandate", "give", "Ben", "--deed", "agreement *", "--reason", "decree 7", officer="Ann")
    file = str(tmp_path / "draft.toml")
    words = (f"--party=a={alpha.id}", f"--party=b={beta.id}")
    alpha.do("agreement", "draft", "--template", "bilateral", *words, "--output", file)
    digest = alpha.do("agreement", "receive", file)["digest"]
    alpha.do("agreement", "sign", digest, "--reason", "cabinet of 5 March", officer="Ben")
    [act] = [one["act"] for one in alpha.do("log", "show", "--kind", "sign")["acts"]]
    out = str(tmp_path / "opening.json")
    assert alpha.try_("log", "open", act, "--output", out, officer="Ann").json["code"] == "role-missing"
    opened = alpha.do("log", "open", act, "--output", out, officer="Eve")
    assert opened["officers"] == [{"id": "officer-2", "name": "Ben"}] and opened["mandate"]["id"] == "mandate-1"
    verify = ("verify", out, "--fingerprint", alpha.fingerprint)
    assert beta.do(*verify, "--act", act)["verified"]
    assert beta.do(*verify)["reason"] == "cabinet of 5 March"
    assert beta.try_(*verify, "--act", "00" * 32).status == 1
    assert beta.try_("verify", out).status == 1
    assert beta.try_("verify", out, "--fingerprint", beta.fingerprint).status == 1
    lie = Path(out).read_bytes().replace(b"cabinet of 5 March", b"cabinet of 6 March")
    Path(out).write_bytes(lie)
    assert beta.try_(*verify).json["verified"] is False
