"""The inputs, made once a size: real objects of ATT&CK, and indicators with patterns of the kinds feeds hold.

ATT&CK comes from COMITY_TEST_DATA, or, without it, from the HAFNIUM neighbourhood that ships with the package (334 objects). Indicators are
made up, with values that belong to nobody (RFC 5737, RFC 2606), so that any number can be had and the same number is the same file.
"""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from bench.paths import DATA, INPUT, TEST_DATA

FULL = TEST_DATA / "attack" / "attack-enterprise-full-stix21.json.gz"
SHIPPED = DATA / "attack" / "attack-enterprise-hafnium-stix21.json.gz"


def attack(n: int) -> tuple[Path, int]:
    """A bundle of the first n objects of ATT&CK, and how many there are in it (fewer where fewer are at hand)."""
    source = FULL if FULL.is_file() else SHIPPED
    path = INPUT / f"attack-{source.stat().st_size}-{n}.json"
    if not path.is_file():
        with gzip.open(source) as stream:
            bundle = json.load(stream)
        bundle["objects"] = bundle["objects"][:n]
        write(path, json.dumps(bundle, indent=1).encode())
    with path.open("rb") as stream:
        return path, len(json.load(stream)["objects"])


def indicators(n: int) -> tuple[Path, int]:
    """A bundle of n indicators."""
    path = INPUT / f"indicators-{n}.json"
    if not path.is_file():
        bundle = {"type": "bundle", "id": f"bundle--{made(n, 'bundle')}", "objects": [indicator(i) for i in range(n)]}
        write(path, json.dumps(bundle).encode())
    return path, n


def write(path: Path, data: bytes) -> None:
    """Write whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_bytes(data)
    half.rename(path)


def made(number: int, kind: str) -> UUID:
    """An id that is the same for the same number."""
    return UUID(bytes=sha256(f"{kind}/{number}".encode()).digest()[:16], version=4)


def indicator(number: int) -> dict[str, object]:
    """A valid indicator with about 700 bytes."""
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": f"indicator--{made(number, 'indicator')}",
        "created_by_ref": f"identity--{made(number % 7, 'identity')}",
        "created": "2021-03-02T12:00:00.000Z",
        "modified": f"2021-03-05T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        "name": f"Web shell reported as {number}",
        "description": "Seen on a mail server after the exploitation of CVE-2021-26855; a placeholder for a published one.",
        "indicator_types": ["malicious-activity"],
        "pattern": pattern(number),
        "pattern_type": "stix",
        "valid_from": "2021-03-02T12:00:00Z",
        "labels": ["exchange", f"wave-{number % 11}"],
        "external_references": [{"source_name": "example feed", "external_id": f"REF-{number}"}],
    }


def pattern(number: int) -> str:
    """A pattern: nine of ten are one equality, as in real feeds; one of ten joins several."""
    digest = sha256(str(number).encode()).hexdigest()
    kinds = (
        f"[file:hashes.'SHA-256' = '{digest}']",
        f"[ipv4-addr:value = '198.51.100.{number % 256}']",
        f"[domain-name:value = 'host-{number}.example.org']",
        f"[url:value = 'https://host-{number}.example.net/owa/auth/{digest[:8]}.aspx']",
        f"[file:name = '{digest[:8]}.aspx']",
        f"[file:hashes.MD5 = '{digest[:32]}']",
        f"[email-addr:value = 'sender-{number}@example.com']",
        f"[ipv6-addr:value = '2001:db8::{number % 65536:x}']",
        f"[file:hashes.'SHA-256' = '{digest}' OR file:hashes.MD5 = '{digest[:32]}' OR file:name = '{digest[:8]}.aspx']",
    )
    if number % 10 == 9:
        return (
            f"([process:command_line MATCHES '^w3wp.*{digest[:4]}' AND process:cwd LIKE 'C:%'] FOLLOWEDBY "
            f"[network-traffic:dst_ref.value ISSUBSET '203.0.113.0/24' AND network-traffic:dst_port IN (80, 443)]) WITHIN 600 SECONDS"
        )
    return kinds[number % 9]
