"""REST against the command line: every command has an address or a reason why not, under the same rule of who may do it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from comity.desks import desks
from comity.faces.cli.main import COMMANDS
from comity.node.officers import ROLES, RULES, add_officer
from simulators.asked import Asker
from simulators.teams import Teams

PAGE: Final = (Path(__file__).resolve().parents[3] / "docs" / "rest.md").read_text(encoding="utf-8")
MAY: Final = {
    "any": set(ROLES),
    "one of release, sign, admin": {"release", "sign", "admin"},
    "admin": {"admin"},
    "sign": {"sign"},
    "release": {"release"},
    "admin or audit": {"admin", "audit"},
    "audit": {"audit"},
}


def rows() -> list[tuple[str, str, str, str]]:
    """Method, address, role and command of each row of the page."""
    found = re.findall(r"^\| `([A-Z]+) (/[^`?]*)[^`]*`[^|]*\| ([^|]+) \|[^|]*\| (?:`([^`]+)` )?\|$", PAGE, re.M)
    return [(method, re.sub(r"\{[^}]*\}", "{}", path), role, command) for method, path, role, command in found]


def reasons() -> dict[str, str]:
    """Commands without an address, and why."""
    part = PAGE.partition("These commands have no address:")[2]
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|$", part, re.M))


def served(teams: Teams) -> set[tuple[str, str]]:
    of_desks = {"/" + item.name.replace(" ", "/") for desk in desks() for item in desk.deeds}
    found = {
        (method, re.sub(r"\{[^}]*\}", "{}", route.path.removeprefix("/api/v1")))
        for route in teams.app.routes
        if route.path.startswith("/api/v1") and "openapi" not in route.path
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }
    return {one for one in found if one[1] not in of_desks}


def test_the_page_names_every_address_and_none_that_is_not_served(teams: Teams) -> None:
    named = [(method, path) for method, path, _, _ in rows()]
    assert len(named) == len(set(named))
    assert set(named) == served(teams)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_an_address_or_a_reason_why_not(command: str) -> None:
    kinds = [role for _, _, role, named in rows() if named == command]
    assert bool(kinds) != (command in reasons()), (
        f"docs/rest.md: {command} needs an address, or a reason why it has none"
    )
    for role in kinds:
        assert MAY[role] == set(RULES[COMMANDS[command][1]]), f"{command} is another kind of deed over REST"


def test_no_row_speaks_of_a_command_that_is_none() -> None:
    assert {command for *_, command in rows() if command} | reasons().keys() == COMMANDS.keys()


def body_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """The least that is in the form a route takes."""
    if "$ref" in schema:
        return body_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {name: body_of(schema["properties"][name], schemas) for name in schema.get("required", ())}
    return {"array": ["x"], "boolean": False, "integer": 1}.get(str(schema.get("type")), "x")


def test_who_has_not_the_role_is_refused_at_every_address(teams: Teams) -> None:
    askers = {
        role: Asker(teams.app, add_officer(teams.a, role, [role])[1], accept="application/json")
        for role in sorted(ROLES)
    }
    described = askers["audit"].get("/api/v1/openapi.json").json()
    operations = {
        (method.upper(), re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1"))): item
        for path, methods in described["paths"].items()
        for method, item in methods.items()
    }
    refused = 0
    for method, path, role, _ in rows():
        content = operations[method, path].get("requestBody", {}).get("content", {})
        shape = content.get("application/json", {}).get("schema")
        body = b"" if shape is None else orjson.dumps(body_of(shape, described["components"]["schemas"]))
        for one in sorted(ROLES.keys() - MAY[role]):
            answer = askers[one].ask(
                method,
                "/api/v1" + path.replace("{}", "nobody"),
                content=body,
                headers={"content-type": "application/json"},
            )
            assert (method, path, one, answer.status_code, answer.json()["code"]) == (
                method,
                path,
                one,
                403,
                "role-missing",
            )
            refused += 1
        nobody = Asker(teams.app, None).ask(method, "/api/v1" + path.replace("{}", "nobody"))
        assert nobody.json()["code"] in ("token-needed", "token-unknown"), (method, path)
    assert refused > 40
