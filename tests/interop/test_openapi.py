"""The description of REST holds for a node that runs: it is well formed, and real answers are as it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from interop.nodes import STATED, Node, found, served

METHODS = {"get", "put", "post", "delete", "patch"}


@dataclass(frozen=True)
class Rest:
    """A node that is served, its description, and an object it holds."""

    node: Node
    url: str
    about: dict[str, Any]
    object: str

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(
            self.url + path, params=query, headers={"Authorization": f"Bearer {self.node.token}"}, timeout=30
        )

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, item in self.about["paths"].items():
            for method in METHODS & item.keys():
                yield path, method, item[method]

    def schema(self, path: str, status: str) -> Draft202012Validator | None:
        """The schema of a JSON answer, None where it is described as something else."""
        content = self.about["paths"][path]["get"]["responses"][status].get("content", {})
        if "application/json" not in content:
            return None
        place = ["paths", path.replace("~", "~0").replace("/", "~1"), "get", "responses", status, "content",
                 "application~1json", "schema"]  # fmt: skip
        registry: Registry[Any] = Registry().with_resource("about:", Resource(self.about, DRAFT202012))
        return Draft202012Validator({"$ref": "about:#/" + "/".join(place)}, registry=registry)


@pytest.fixture(scope="module")
def rest(place: Path, exchange: Path) -> Iterator[Rest]:
    node = found(place / "node", "Team A", "XA")
    node.call("import", str(exchange / "volexity-exchange-marauder-indicators.csv"), "--tlp", "green", *STATED)
    held = next(str(one["id"]) for one in node.export("--type", "indicator"))
    with served(node) as url:
        answer = requests.get(
            f"{url}/api/v1/openapi.json", headers={"Authorization": f"Bearer {node.token}"}, timeout=30
        )
        assert answer.status_code == 200
        yield Rest(node, url, answer.json(), held)


def test_the_description_is_well_formed(rest: Rest) -> None:
    about = rest.about
    assert about["openapi"].startswith("3.1.")
    assert about["info"]["title"] and about["info"]["version"]
    for schema in about.get("components", {}).get("schemas", {}).values():
        Draft202012Validator.check_schema(schema)
    registry: Registry[Any] = Registry().with_resource("about:", Resource(about, DRAFT202012))
    for ref in _refs(about):
        assert ref.startswith("#/"), "nothing is described elsewhere"
        registry.resolver().lookup("about:" + ref)
    names = [operation["operationId"] for _, _, operation in rest.operations()]
    assert len(names) == len(set(names)) > 20
    schemes = about["components"]["securitySchemes"]
    for path, method, operation in rest.operations():
        assert operation["summary"], (path, method)
        assert any(status.startswith("2") for status in operation["responses"]), (path, method)
        in_path = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
        assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}, (path, method)
        for one in operation.get("parameters", []):
            Draft202012Validator.check_schema(one["schema"])
            assert one["in"] != "path" or one["required"] is True
        for need in operation.get("security", about.get("security", [])):
            assert need.keys() <= schemes.keys()
        assert operation.get("security", about.get("security")), "nothing is open"


def _refs(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _refs(value)
    elif isinstance(part, list):
        for value in part:
            yield from _refs(value)


def test_answers_of_a_running_node_are_as_described(rest: Rest) -> None:
    asked = 0
    for path, method, operation in rest.operations():
        needed = {one["name"] for one in operation.get("parameters", []) if one.get("required")}
        values = {"object_id": rest.object, "text": "103.77.192.219", "party": rest.node.party}
        if method != "get" or not needed <= values.keys():
            continue
        query = {name: values[name] for name in needed if "{" + name not in path}
        filled = path.format(**values)
        answer = rest.get(filled, **query)
        described = operation["responses"]
        status = "200" if answer.ok else "default"  # what is held here was given to nobody
        assert answer.status_code in (200, 404), (path, answer.status_code, answer.text)
        schema = rest.schema(path, status)
        media = answer.headers["content-type"].partition(";")[0]
        assert media in described[status]["content"], (path, media)
        if schema is not None:
            schema.validate(answer.json())
        asked += 1
    assert asked >= 8


def test_refusals_are_as_described(rest: Rest) -> None:
    refused = [
        (401, "/api/v1/objects", requests.get(f"{rest.url}/api/v1/objects", timeout=30)),
        (
            404,
            "/api/v1/objects/{object_id}",
            rest.get("/api/v1/objects/indicator--00000000-0000-4000-8000-000000000000"),
        ),
        (400, "/api/v1/export", rest.get("/api/v1/export", since="yesterday")),
        (400, "/api/v1/search", rest.get("/api/v1/search")),
    ]
    for status, path, answer in refused:
        assert answer.status_code == status, (path, answer.text)
        schema = rest.schema(path, "default")
        assert schema is not None
        schema.validate(answer.json())
