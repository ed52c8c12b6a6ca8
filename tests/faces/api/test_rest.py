"""REST as an officer meets it: the same deeds as the command line, one error shape, nothing without a token and a role."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from litestar import Litestar, get

from comity.desks import desks
from comity.faces.api.agreements import Draft
from comity.faces.api.objects import HandlingBody
from comity.faces.api.record import Approving
from comity.faces.http.app import create_app
from comity.faces.http.errors import OF_CODE, answer_error
from comity.faces.http.exchange import STRANGE
from comity.kernel.errors import CODES
from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.teams import OBJECTS, Teams, config, envelope, ids
from simulators.world import indicator

ONE = str(indicator(1)["id"])


def officer(teams: Teams, *roles: str) -> Asker:
    _, token = add_officer(teams.a, f"Ada {' '.join(roles)}", roles)
    return Asker(teams.app, token, accept="application/json")


def say(asker: Asker, path: str, **said: Any) -> Any:
    answer = asker.post(f"/api/v1/{path}", orjson.dumps(said), content_type="application/json")
    return answer.status_code, answer.json()


def test_an_officer_takes_a_file_in_states_it_and_asks_why(teams: Teams) -> None:
    ada = officer(teams, "release")
    taken = ada.post("/api/v1/objects?name=feed.json", envelope(indicator(1)), content_type="application/octet-stream")
    assert taken.status_code == 200, taken.text
    assert (taken.json()["new"], taken.json()["unmarked"]) == (1, 1)
    assert teams.b.get(OBJECTS).json() == {}
    why = ada.get(f"/api/v1/why?object={ONE}&party=Team%20B").json()
    assert why["released"] is False
    status, said = say(
        ada, "handling", target=ONE, tlp="green", basis=["agreement"], purpose=["protect-networks"], no_caveats=True
    )
    assert (status, said) == (200, {"target": ONE, "moved": 1})
    assert ids(teams.b.get(OBJECTS).content) == [ONE]
    assert ada.get(f"/api/v1/why?object={ONE}&party=Team%20B").json()["released"] is True
    shown = ada.get(f"/api/v1/objects/{ONE}").json()
    assert orjson.loads(shown["versions"][0]["raw"])["id"] == ONE


def test_a_csv_stated_in_the_query_is_taken_in_like_a_file(teams: Teams) -> None:
    ada = officer(teams, "admin")
    table = b"type,value\nip-dst,198.51.100.7\nip-dst,not an address\n"
    taken = ada.post("/api/v1/objects?name=a.csv&tlp=green", table, content_type="text/csv").json()
    assert (taken["format"], taken["refused"]) == ("csv", 1)
    assert taken["refusals"][0]["sentence"].endswith(".")
    found = ada.get("/api/v1/search?text=198.51.100[.]7").json()["found"]
    assert found


def test_what_is_no_file_we_know_is_refused_naming_what_was_seen(teams: Teams) -> None:
    ada = officer(teams, "admin")
    answer = ada.post("/api/v1/objects", b"%PDF-1.7 ...", content_type="application/pdf")
    assert (answer.status_code, answer.json()["code"]) == (422, "not-taken")


def test_an_agreement_is_drafted_previewed_received_signed_and_suspended(teams: Teams) -> None:
    teams.take(indicator(1))
    ada = officer(teams, "sign")
    drafted = ada.post(
        "/api/v1/agreements/draft",
        orjson.dumps({"template": "bilateral", "parties": {"a": "Team A", "b": "Team B"}, "title": "Second"}),
        content_type="application/json",
    )
    preview = ada.post("/api/v1/agreements/preview", drafted.content, content_type="application/toml").json()
    assert preview["parties"][0]["name"] == "Team B"
    digest = ada.post("/api/v1/agreements", drafted.content, content_type="application/toml").json()["digest"]
    assert "Second" in ada.get(f"/api/v1/agreements/{digest}/text").json()["text"]
    status, told = say(ada, f"agreements/{digest}/sign", reason="agreed")
    assert (status, told["signed"]) == (200, [teams.a.party])
    assert say(ada, f"agreements/{digest}/sign")[1]["code"] == "already-done"
    assert say(ada, f"agreements/{digest}/send")[1] == {"sent": [teams.world.nodes["Team B"].party]}
    first = next(one for one in ada.get("/api/v1/agreements").json()["agreements"] if one["digest"] != digest)
    assert say(ada, f"agreements/{first['digest']}/suspend", reason="x")[1]["status"] == "suspended"
    assert teams.b.get(OBJECTS).json() == {}


def test_a_red_object_goes_when_two_officers_gave_their_word(teams: Teams) -> None:
    teams.take(indicator(1), tlp="red", purpose=["situational-awareness"])
    one, other = officer(teams, "release"), officer(teams, "release", "sign")
    waiting = one.get("/api/v1/release/requests?to=Team%20B").json()["waiting"]
    assert [each["object"] for each in waiting] == [ONE]
    assert say(one, "release/approve", object=ONE, to="Team B", reason="asked")[1]["released"] is False
    assert say(one, "release/approve", object=ONE, to="Team B", reason="again")[0] in (403, 409)
    assert say(other, "release/approve", object=ONE, to="Team B", reason="asked")[1]["released"] is True
    assert ids(teams.b.get(OBJECTS).content) == [ONE]
    account = one.get("/api/v1/account?party=Team%20B").json()["given"]
    assert [(row["object"], row["state"]) for row in account] == [(ONE, "stands")]


def test_officers_and_readers_are_made_and_ended_by_who_administers(teams: Teams) -> None:
    ada = officer(teams, "admin")
    _, made = say(ada, "officers", name="Zoe", roles=["audit"])
    zoe = Asker(teams.app, made["token"], accept="application/json")
    assert zoe.get("/api/v1/status").json()["name"] == "Team A"
    assert say(zoe, "officers", name="Eve", roles=["admin"])[1]["code"] == "role-missing"
    _, reader = say(ada, "readers", party="Team B", name="siem")
    assert Asker(teams.app, reader["token"]).get("/taxii2/").status_code == 200
    assert ada.ask("DELETE", "/api/v1/officers/Zoe").status_code == 200
    assert zoe.get("/api/v1/status").json()["code"] == "token-unknown"
    assert "token" not in ada.get("/api/v1/officers").json()["officers"][0]


def test_each_deed_asks_for_its_role(teams: Teams) -> None:
    teams.take(indicator(1))
    auditor = officer(teams, "audit")
    for path, said in (
        ("handling", {"target": ONE, "tlp": "red"}),
        ("officers", {"name": "Eve", "roles": ["admin"]}),
        ("readers", {"party": "Team B", "name": "x"}),
        ("cards/Team%20B/verification", {"fingerprint": "1", "method": "x"}),
        ("agreements/any/sign", {}),
        ("agreements/any/send", {}),
        ("agreements/any/accede", {}),
        ("agreements/any/suspend", {}),
        ("agreements/any/withdraw", {"effective": "2021-03-06T00:00:00Z"}),
        ("agreements/any/admit", {"party": "Team B"}),
        ("agreements/any/expel", {"party": "Team B"}),
        ("release/approve", {"object": ONE, "to": "Team B", "reason": "x"}),
        ("outbox/Team%20B/retry", {}),
    ):
        status, told = say(auditor, path, **said)
        assert (path, status, told["code"]) == (path, 403, "role-missing")
    for path in ("objects", "cards", "agreements"):
        answer = auditor.post(f"/api/v1/{path}", b"x", content_type="application/octet-stream")
        assert (answer.status_code, answer.json()["code"]) == (403, "role-missing")


def test_a_readers_token_opens_nothing_here_and_an_officers_nothing_there(teams: Teams) -> None:
    for path in ("status", "objects", f"objects/{ONE}", "openapi.json", "search?text=x", "account"):
        answer = teams.b.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (401, "token-unknown")
    ada = officer(teams, "admin")
    assert Asker(teams.app, ada.token).get("/taxii2/").status_code == 401


def test_the_description_names_every_route_and_every_body(teams: Teams) -> None:
    description = officer(teams, "audit").get("/api/v1/openapi.json").json()
    described = {
        (method.upper(), path)
        for path, item in description["paths"].items()
        for method in item
        if method in ("get", "post", "delete", "put", "patch")
    }
    served = {
        (method, route.path.replace(":str", ""))
        for route in teams.app.routes
        if route.path.startswith("/api/v1") and "openapi" not in route.path
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }
    assert described == served
    schemas = description["components"]["schemas"]
    asked = {f"/api/v1/{item.name.replace(' ', '/')}": item.asks for desk in desks() for item in desk.deeds}
    asked |= {"/api/v1/handling": HandlingBody, "/api/v1/release/approve": Approving, "/api/v1/agreements/draft": Draft}
    for path, body in asked.items():
        content = description["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        members = schemas[content["$ref"].rpartition("/")[2]]["properties"]
        assert set(members) == set(body.__struct_encode_fields__), path
    assert description["components"]["securitySchemes"]


def test_pages_of_what_is_held_go_on_where_they_ended(teams: Teams) -> None:
    teams.take(*[indicator(number) for number in range(1, 6)])
    ada = officer(teams, "audit")
    first = ada.get("/api/v1/objects?limit=3").json()
    rest = ada.get(f"/api/v1/objects?limit=3&after={first['objects'][-1]['n']}").json()
    assert (len(first["objects"]), first["more"], len(rest["objects"]), rest["more"]) == (3, True, 2, False)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nothing", 404, "no-such-page"),
        (f"objects/{ONE}", 404, "no-such-object"),
        ("why?object=x", 400, "request-parameter"),
        ("objects?limit=many", 400, "request-parameter"),
        ("objects?limit=0", 400, "request-parameter"),
        ("account?start=yesterday", 400, "request-parameter"),
        ("account?skip=-1", 400, "request-parameter"),
        ("agreements/none", 404, "no-such-agreement"),
        ("cards/nobody", 404, "no-such-party"),
        ("log/checkpoint", 404, "no-checkpoint"),
        ("log/proof/00", 404, "no-such-act"),
        ("export?format=pdf", 400, "request-parameter"),
    ],
)
def test_every_error_has_one_shape(teams: Teams, path: str, status: int, code: str) -> None:
    answer = officer(teams, "audit").get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) <= {"code", "sentence", "clause", "detail"}
    assert answer.json()["sentence"].endswith(".")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"target": 1}', b'{"target": "x", "tpl": "red"}', b"\xff", b"[" * 50_000]
)
def test_a_body_that_is_none_is_refused_in_the_one_shape(teams: Teams, body: bytes) -> None:
    answer = officer(teams, "admin").post("/api/v1/handling", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "request-parameter"), answer.text


def test_another_content_type_is_refused_before_the_body_is_read(teams: Teams) -> None:
    ada = officer(teams, "admin")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = ada.post("/api/v1/handling", b'{"target": "x"}', content_type=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "content-type")


def test_what_nobody_foresaw_tells_nothing_of_what_is_inside(caplog: pytest.LogCaptureFixture) -> None:
    @get("/broken", sync_to_thread=False)
    def broken() -> None:
        raise ZeroDivisionError("secret inside")

    app = Litestar([broken], exception_handlers={Exception: answer_error}, openapi_config=None, logging_config=None)
    answer = Asker(app).get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert b"secret" not in answer.content
    assert "secret inside" in caplog.text


def test_every_code_of_the_table_is_a_code() -> None:
    assert set(OF_CODE) | STRANGE <= set(CODES)


def test_several_nodes_live_in_one_process(teams: Teams) -> None:
    b = teams.world.nodes["Team B"]
    other = create_app(b, config())
    _, token = add_officer(b, "Bob", ["audit"])
    assert Asker(other, token, accept=None).get("/api/v1/status").json()["name"] == "Team B"
    assert Asker(teams.app, token, accept=None).get("/api/v1/status").status_code == 401
