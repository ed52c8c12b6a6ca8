"""Reading and validating objects; the floor is JSON alone."""

from __future__ import annotations

import time
from typing import Any


def validate(path: str) -> dict[str, Any]:
    """Cut a bundle into its objects, read each strictly, and hold it against every rule."""
    from comity.kernel.model.bundle import walk
    from comity.kernel.model.objects import read_object

    began = time.perf_counter()
    n = 0
    with open(path, "rb") as stream:
        for part in walk(stream.read):
            read_object(part.raw)
            n += 1
    return {"n": n, "rate": n / (time.perf_counter() - began)}


def json_only(path: str) -> dict[str, Any]:
    """orjson.loads over the whole file: no reader of JSON into dictionaries is faster."""
    import orjson

    with open(path, "rb") as stream:
        data = stream.read()
    began = time.perf_counter()
    n = len(orjson.loads(data)["objects"])
    return {"n": n, "rate": n / (time.perf_counter() - began)}


def patterns(path: str) -> dict[str, Any]:
    """Parse the patterns of a bundle of indicators into trees."""
    import orjson

    from comity.kernel.model.patterns import parse

    with open(path, "rb") as stream:
        texts = [one["pattern"] for one in orjson.loads(stream.read())["objects"]]
    began = time.perf_counter()
    for text in texts:
        parse(text)
    return {"n": len(texts), "rate": len(texts) / (time.perf_counter() - began)}
