"""A server to be measured: ``python -m bench.measures.served comity|floor FOLDER BUNDLE PORT``; serves until it is ended.

The first line of stdout tells how it is reached: {write, read, write_token, read_token}.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

MEDIA: Final = b"application/taxii+json;version=2.1"


def main() -> int:
    """Serve one of the two."""
    what, folder, bundle, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    app, said, done = comity(Path(folder), bundle) if what == "comity" else (bare(bundle), FLOOR, lambda: None)
    from comity.faces.http.serve import serve

    print(json.dumps(said), flush=True)
    try:
        serve(app, "127.0.0.1", port, tick=lambda: None, every=60, announce=lambda line: None)
    finally:
        done()
    return 0


def comity(folder: Path, bundle: str) -> tuple[Any, dict[str, str], Any]:
    """A node that holds a bundle, an agreement with a reader, and a token for each side."""
    from bench.measures.nodes import Place
    from comity.adapters.formats.source import open_source
    from comity.faces.http.app import create_app
    from comity.faces.http.config import AppConfig
    from comity.node.officers import add_reader

    place = Place(folder)
    node = place.node("A")
    other = place.node("B")
    place.introduce("A", "B")
    place.agree("A", "B")
    if bundle != "-":
        place.take("A", bundle)

    def opened(name: str, stream: Any, mapping: Any, party: str, at: int, own: bool, skip: int) -> Any:
        return open_source(name, stream, mapping=mapping, party=party, at=at, own=own, skip=skip)

    said = {
        "write": "/taxii2/api/collections/own/objects/",
        "read": "/taxii2/api/collections/outbox/objects/",
        "write_token": add_reader(node, node.party, "tool", by="officer"),
        "read_token": add_reader(node, other.party, "reader", by="officer"),
    }
    return create_app(node, AppConfig(open_source=opened)), said, place.close


FLOOR: Final = {"write": "/objects/", "read": "/objects/", "write_token": "-", "read_token": "-"}


def bare(bundle: str) -> Any:
    """An ASGI application that hands out the same bytes: pages of 1,000 and single objects, made before the first request."""
    import orjson

    from bench.measures.nodes import raws

    objects = {orjson.loads(raw)["id"]: raw for raw in raws(bundle)}
    held = list(objects.values())
    pages = []
    for start in range(0, len(held), 1_000):
        end = start + 1_000
        head = b'{"more":true,"next":"%d","objects":[' % end if end < len(held) else b'{"objects":['
        pages.append(head + b",".join(held[start:end]) + b"]}")
    headers = [(b"content-type", MEDIA)]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, body = 200, b""
        if scope["method"] == "POST":
            taken = 0
            while True:
                event = await receive()
                taken += len(event.get("body", b""))
                if not event.get("more_body"):
                    break
            status, body = 202, b'{"status":"complete","failure_count":0,"bytes":%d}' % taken
        elif (name := scope["path"].removeprefix("/objects/").rstrip("/")) in objects:
            body = b'{"objects":[' + objects[name] + b"]}"
        else:
            query = scope["query_string"]
            at = int(query.partition(b"next=")[2].partition(b"&")[0] or 0) // 1_000
            body = pages[at]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


if __name__ == "__main__":
    sys.exit(main())
