"""Files over REST: the same deeds; what is handed out is bytes to be saved, whatever is in them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import orjson

from comity.node.officers import add_officer
from simulators.asked import Asker
from simulators.teams import Teams

PAGE = b"<html><script>alert(1)</script></html>"
STATED = "tlp=green&basis=agreement&purpose=protect-networks&no_caveats=true"


def officer(teams: Teams, *roles: str) -> Asker:
    _, token = add_officer(teams.a, f"Ada {' '.join(roles)}", roles)
    return Asker(teams.app, token, accept="application/json")


def say(asker: Asker, path: str, **said: Any) -> Any:
    return asker.post(f"/api/v1/{path}", orjson.dumps(said), content_type="application/json")


def test_a_file_is_kept_listed_handed_out_and_disposed_of(teams: Teams) -> None:
    ada = officer(teams, "release")
    made = ada.post(f"/api/v1/attachments?name=page.html&mime=text/html&{STATED}", PAGE, content_type="text/html")
    assert made.status_code == 200, made.text
    object = made.json()["object"]
    [row] = ada.get("/api/v1/attachments").json()["attachments"]
    assert (row["object"], row["name"], row["state"]) == (object, "page.html", "here")
    handed = say(ada, f"attachments/{object}/open", means="to the laboratory")
    assert handed.content == PAGE
    assert handed.headers["content-type"] == "application/octet-stream"
    assert handed.headers["content-disposition"] == "attachment"
    assert handed.headers["x-content-type-options"] == "nosniff"
    entry = say(ada, f"attachments/{object}/custody", act="returned", before=sha256(PAGE).hexdigest(), to="Team B")
    assert entry.status_code == 200, entry.text
    chain = ada.get(f"/api/v1/attachments/{object}/custody").json()
    assert [one["act"] for one in chain["entries"]] == ["collected", "opened", "returned"]
    assert chain["entries"][1]["means"] == "to the laboratory"
    assert say(ada, f"attachments/{object}/verification").json()["whole"] is True
    assert say(ada, f"attachments/{object}/disposal", reason="closed").status_code == 403
    boss = officer(teams, "admin")
    assert say(boss, f"attachments/{object}/disposal", reason="closed").json()["erased"] == len(PAGE)
    assert say(ada, f"attachments/{object}/open").json()["code"] == "attachment-not-here"


def test_what_cannot_be_is_refused_in_one_shape(teams: Teams) -> None:
    ada = officer(teams, "release")
    for path, status, code in (
        (f"attachments?name=a%2Fb&{STATED}", 400, "attachment-name"),
        ("attachments?name=a", 400, "handling"),
        (f"attachments?{STATED}&about=indicator--00000000-0000-4000-8000-000000000001", 404, "no-such-object"),
        (f"attachments?{STATED}&mime=nonsense", 422, None),
    ):
        answer = ada.post(f"/api/v1/{path}", b"x", content_type="application/octet-stream")
        assert answer.status_code == status, (path, answer.text)
        assert code is None or answer.json()["code"] == code
    assert ada.get("/api/v1/attachments/nothing").json()["code"] == "no-such-object"
    assert ada.get("/api/v1/attachments").json() == {"attachments": []}
