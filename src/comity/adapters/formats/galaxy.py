"""MISP galaxies: clusters that have an honest STIX form become objects; the others are refused with the reason.

- ``threat-actor`` becomes `threat-actor`: "known or estimated adversary groups" (the galaxy's own words).
- ``microsoft-activity-group`` becomes `intrusion-set`: activity grouped by who seems to stand behind it (STIX 2.1
  §4.9).
- ``country`` and ``target-information`` become `location`, by their ISO 3166-1 code; ``region`` by its name.
- ``sector`` and ``cert-eu-govsector`` become `identity` of the class ``class`` (STIX 2.1 §10.7); their words are not
  those of STIX's sector vocabulary, so `sectors` stays empty.
- ATT&CK clusters become the STIX type they were made from, malware and tool galaxies `malware` and `tool`.

A cluster bears no date: its id covers all it says (`minting`). It stays word for word in an extension of ours; the
relations between clusters are kept there and become no relationship objects, since the target may not be there.
Memory: one cluster.
"""

from __future__ import annotations

import re
from typing import Any, Final

from comity.adapters.formats import minting
from comity.adapters.formats.items import Item, Refusal, Results
from comity.adapters.formats.reader import Input
from comity.kernel.errors import InputRefused
from comity.kernel.model import bundle, strictjson
from comity.kernel.seal.canonical import canonical

CLUSTER_BYTES: Final = 4 * 1024 * 1024

FORMS: Final[dict[str, str]] = {
    "threat-actor": "threat-actor",
    "microsoft-activity-group": "intrusion-set",
    "360net-threat-actor": "intrusion-set",
    "country": "location",
    "target-information": "location",
    "region": "location",
    "sector": "identity",
    "cert-eu-govsector": "identity",
    "mitre-attack-pattern": "attack-pattern",
    "mitre-enterprise-attack-attack-pattern": "attack-pattern",
    "mitre-mobile-attack-attack-pattern": "attack-pattern",
    "mitre-ics-techniques": "attack-pattern",
    "mitre-course-of-action": "course-of-action",
    "mitre-enterprise-attack-course-of-action": "course-of-action",
    "mitre-intrusion-set": "intrusion-set",
    "mitre-enterprise-attack-intrusion-set": "intrusion-set",
    "mitre-malware": "malware",
    "mitre-enterprise-attack-malware": "malware",
    "mitre-tool": "tool",
    "mitre-enterprise-attack-tool": "tool",
    "malpedia": "malware",
    "ransomware": "malware",
    "backdoor": "malware",
    "rat": "malware",
    "banker": "malware",
    "botnet": "malware",
    "stealer": "malware",
    "cryptominers": "malware",
    "android": "malware",
    "exploit-kit": "malware",
    "tool": "tool",
    "branded-vulnerability": "vulnerability",
}
"""Galaxy type to STIX type."""

_MALWARE_TYPES: Final = {
    "ransomware": "ransomware",
    "backdoor": "backdoor",
    "rat": "remote-access-trojan",
    "botnet": "bot",
    "exploit-kit": "exploit-kit",
}
_TECHNIQUE: Final = re.compile(r"(.*?) - ([TMGSC][0-9A]{1,4}[0-9]{2,4}(?:\.[0-9]{3})?)", re.DOTALL)
_ISO2: Final = re.compile(r"[A-Z]{2}")


def read_galaxy(source: Input, maker: minting.Maker, galaxy: str) -> Results:
    """Read the clusters of a galaxy file, one by one.

    Args:
        source: The file.
        maker: Who takes it in.
        galaxy: The galaxy's type, a key of `FORMS`.
    """
    limits = strictjson.Limits(size=CLUSTER_BYTES)
    for number, found in enumerate(bundle.parts(source.stream.read1, "values", limits=limits), 1):
        place, raw = f"cluster {number}", found.raw
        try:
            if found.fault is not None:
                raise found.fault
            cluster = strictjson.read(raw)
            if not isinstance(cluster, dict):
                raise InputRefused("galaxy-cluster", f"{place.capitalize()} is no JSON object.")
            shape, changes = cluster_object(galaxy, cluster, maker)
            yield Item(canonical(shape), raw, changes, place, {}, minting.unstated(shape))
        except InputRefused as refused:
            yield Refusal.of(place, refused, raw)


def cluster_object(
    galaxy: str, cluster: dict[str, Any], maker: minting.Maker
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The STIX object of one cluster and what could not be said.

    Args:
        galaxy: The galaxy's type, a key of `FORMS`.
        cluster: The cluster as parsed: ``value``, ``uuid``, ``description``, ``meta``, ``related``.
        maker: Who takes it in.

    Raises:
        InputRefused: `galaxy-cluster` where it has no name, or a location names no place.
    """
    value = cluster.get("value")
    if not isinstance(value, str) or not value.strip():
        raise InputRefused("galaxy-cluster", "The cluster has no value, so it has no name.")
    kind = FORMS[galaxy]
    meta = cluster.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    shape: dict[str, Any] = {
        "type": kind,
        "spec_version": "2.1",
        "created": maker.now,
        "modified": maker.now,
        "name": value,
    }
    changes = ["The cluster bears no date; the object is dated by its first import."]
    if maker.author is not None:
        shape["created_by_ref"] = maker.author
    description = cluster.get("description")
    if isinstance(description, str) and description:
        shape["description"] = description
    references = _references(kind, value, cluster, meta, shape)
    synonyms = [one for one in _texts(meta.get("synonyms")) if one != value]
    if synonyms and kind in ("threat-actor", "intrusion-set", "malware", "tool", "attack-pattern"):
        shape["aliases"] = list(dict.fromkeys(synonyms))
    if kind == "malware":
        shape["is_family"] = True
        if galaxy in _MALWARE_TYPES:
            shape["malware_types"] = [_MALWARE_TYPES[galaxy]]
    elif kind == "location":
        _place(galaxy, value, meta, shape)
    elif kind == "identity":
        shape["identity_class"] = "class"
    if references:
        shape["external_references"] = references
    if cluster.get("related"):
        changes.append("Its relations to other clusters are kept in the extension only.")
    shape["extensions"] = {
        minting.GALAXY_EXTENSION: {
            "extension_type": "property-extension",
            "galaxy": galaxy,
            "cluster": cluster,
            minting.UNSTATED: ["created", "modified"],
        },
    }
    return minting.statement(shape, maker.party, ("galaxy", galaxy, str(cluster.get("uuid")))), tuple(changes)


def _references(
    kind: str, value: str, cluster: dict[str, Any], meta: dict[str, Any], shape: dict[str, Any]
) -> list[dict[str, str]]:
    references: list[dict[str, str]] = []
    technique = _TECHNIQUE.fullmatch(value)
    numbers = _texts(meta.get("external_id"))
    number = next((one for one in numbers if not one.startswith("CAPEC-")), None)
    if technique is not None:
        shape["name"] = technique.group(1)
        number = number or technique.group(2)
    if number and kind in ("attack-pattern", "course-of-action", "intrusion-set", "malware", "tool"):
        references.append({"source_name": "mitre-attack", "external_id": number})
        references += [
            {"source_name": "capec", "external_id": one} for one in numbers if re.fullmatch(r"CAPEC-\d+", one)
        ]
    elif kind == "vulnerability":
        references += [
            {"source_name": "cve", "external_id": one} for one in _texts(meta.get("aliases")) if one.startswith("CVE-")
        ]
    uuid = cluster.get("uuid")
    if isinstance(uuid, str) and uuid:
        references.append({"source_name": "misp-galaxy", "external_id": uuid})
    for url in dict.fromkeys(_texts(meta.get("refs"))):
        if minting.is_web_address(url):
            references.append({"source_name": "misp-galaxy", "url": url})
    return references


def _place(galaxy: str, value: str, meta: dict[str, Any], shape: dict[str, Any]) -> None:
    codes = _texts(meta.get("ISO")) or _texts(meta.get("iso-code"))
    code = next((one.strip().upper() for one in codes if _ISO2.fullmatch(one.strip().upper())), None)
    if code is not None:
        shape["country"] = code
    elif galaxy == "region":
        word = re.sub(r"[^a-z]+", "-", re.sub(r"\A\d+ - ", "", value).lower()).strip("-")
        shape["region"] = word
    else:
        raise InputRefused("galaxy-cluster", f"The cluster {value[:80]!r} names no country by its ISO 3166-1 code.")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [one for one in value if isinstance(one, str) and one] if isinstance(value, list) else []
