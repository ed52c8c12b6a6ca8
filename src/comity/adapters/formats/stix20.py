"""STIX 2.0 objects as STIX 2.1, one by one, each change reported.

Sources: STIX 2.0 (OASIS, 2017) parts 2 to 5; STIX 2.1 (OASIS, 2021) §1.6 and Appendix "Changes from earlier versions",
§3.2: an object without `spec_version` that is no observable is STIX 2.0. Rules: ids, instants, references and
properties of other vocabularies stay as they are; a property that 2.1 requires and 2.0 does not have is filled with
the reading that claims least; nothing else is mended: what is invalid stays so and is refused by the validation that
follows.
"""

from __future__ import annotations

import re
from typing import Any, Final

from comity.adapters.formats.observable import CONTRIBUTING, observable_id
from comity.kernel.errors import InputRefused
from comity.kernel.model.ids import minted

_TYPES: Final[dict[str, tuple[str, frozenset[str]]]] = {
    "indicator": (
        "indicator_types",
        frozenset(
            ["anomalous-activity", "anonymization", "benign", "compromised", "malicious-activity", "attribution"]
        ),
    ),
    "malware": (
        "malware_types",
        frozenset(
            [
                "adware",
                "backdoor",
                "bot",
                "ddos",
                "dropper",
                "exploit-kit",
                "keylogger",
                "ransomware",
                "remote-access-trojan",
                "resource-exploitation",
                "rogue-security-software",
                "rootkit",
                "screen-capture",
                "spyware",
                "trojan",
                "virus",
                "worm",
                "wiper",
            ]
        ),
    ),
    "report": (
        "report_types",
        frozenset(
            [
                "threat-report",
                "attack-pattern",
                "campaign",
                "identity",
                "indicator",
                "intrusion-set",
                "malware",
                "observed-data",
                "threat-actor",
                "tool",
                "vulnerability",
            ]
        ),
    ),
    "threat-actor": (
        "threat_actor_types",
        frozenset(
            [
                "activist",
                "competitor",
                "crime-syndicate",
                "criminal",
                "hacker",
                "insider-accidental",
                "insider-disgruntled",
                "nation-state",
                "sensationalist",
                "spy",
                "terrorist",
            ]
        ),
    ),
    "tool": (
        "tool_types",
        frozenset(
            [
                "denial-of-service",
                "exploitation",
                "information-gathering",
                "network-capture",
                "credential-exploitation",
                "remote-access",
                "vulnerability-scanning",
            ]
        ),
    ),
}
"""STIX 2.0 part 1 §6: the labels that were a vocabulary of the type; in 2.1 they have a property of their own."""

_RENAMED: Final[dict[str, dict[str, str]]] = {
    "file": {"created": "ctime", "modified": "mtime", "accessed": "atime"},
    "directory": {"created": "ctime", "modified": "mtime", "accessed": "atime"},
    "process": {"created": "created_time", "binary_ref": "image_ref"},
    "windows-registry-key": {"modified": "modified_time"},
    "user-account": {"password_last_changed": "credential_last_changed"},
}
"""Observable properties that 2.1 renamed (STIX 2.1 §6.2, §6.7, §6.13, §6.16, §6.17)."""

_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_OBSERVABLES: Final = frozenset(CONTRIBUTING)


def is_stix20(data: dict[str, Any]) -> bool:
    """Whether an object is STIX 2.0 (STIX 2.1 §3.2): it says so, or says nothing and is no observable."""
    version = data.get("spec_version")
    if version is not None:
        return bool(version == "2.0")
    return isinstance(data.get("type"), str) and data["type"] not in _OBSERVABLES and data["type"] != "bundle"


def upgrade(data: dict[str, Any]) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    """Write a STIX 2.0 object as STIX 2.1.

    Args:
        data: One STIX 2.0 object, as parsed.

    Returns:
        The object, preceded by the observables it carried (observed-data), and each change, one sentence each.

    Raises:
        InputRefused: `stix20` where it has no reading: its observables refer to ones that are not there, or are no
        objects.
    """
    made = dict(data)
    changes = ["STIX 2.0 was written as STIX 2.1."]
    made["spec_version"] = "2.1"
    kind = data.get("type")
    extra: list[dict[str, Any]] = []
    if isinstance(kind, str) and kind in _TYPES:
        _labels(made, kind, changes)
    if kind == "indicator":
        if "pattern_type" not in made:
            made["pattern_type"] = "stix"
            changes.append("pattern_type stix was stated, the only one STIX 2.0 has.")
        pattern = made.get("pattern")
        if isinstance(pattern, str) and made["pattern_type"] == "stix":
            written = _pattern(pattern)
            if written != pattern:
                made["pattern"] = written
                changes.append("START and STOP of the pattern were written with t'...'.")
    elif kind == "malware" and "is_family" not in made:
        made["is_family"] = True
        changes.append("STIX 2.0 does not say whether a malware is a family or a sample; it was read as a family.")
    elif kind == "observed-data" and isinstance(data.get("objects"), dict):
        extra = _observables(data, changes)
        made.pop("objects")
        unique = {shape["id"]: shape for shape in extra}
        made["object_refs"] = list(unique)
        extra = list(unique.values())
        changes.append(f"Its {len(extra)} observables became objects of their own, referred to by object_refs.")
    return (*extra, made), tuple(changes)


def _labels(made: dict[str, Any], kind: str, changes: list[str]) -> None:
    name, vocabulary = _TYPES[kind]
    labels = made.get("labels")
    if name in made or not isinstance(labels, list):
        return
    known = [label for label in labels if isinstance(label, str) and label in vocabulary]
    if not known:
        return
    rest = [label for label in labels if label not in known]
    made[name] = list(dict.fromkeys(known))
    if rest:
        made["labels"] = rest
    else:
        del made["labels"]
    changes.append(f"The labels {', '.join(known)} became {name}.")


def _pattern(pattern: str) -> str:
    """The pattern with 2.1 timestamps, outside of its text literals."""
    parts: list[str] = []
    at = 0
    for literal in _QUOTED.finditer(pattern):
        between = pattern[at : literal.start()]
        quoted = literal.group()
        if re.search(r"\b(?:START|STOP)\s+\Z", between):
            quoted = "t" + quoted
        parts += [between, quoted]
        at = literal.end()
    return "".join([*parts, pattern[at:]])


def _observables(data: dict[str, Any], changes: list[str]) -> list[dict[str, Any]]:
    found: dict[str, Any] = data["objects"]
    ids: dict[str, str] = {}
    made: dict[str, dict[str, Any]] = {}
    seed = f"stix20/{data.get('id')}/{data.get('modified')}"

    def wrong(key: str, why: str) -> InputRefused:
        return InputRefused("stix20", f"The observable {key[:40]!r} {why}.", clause="STIX 2.0 part 3 §1.4")

    def resolve(key: str, trail: tuple[str, ...]) -> str:
        if key in ids:
            return ids[key]
        shape: Any = found.get(key)
        if not isinstance(shape, dict) or not isinstance(shape.get("type"), str):
            raise wrong(key, "is referred to and is not there" if key not in found else "is no object")
        if key in trail:  # a circle: the id can not be made from what it refers to
            return ids.setdefault(key, minted(shape["type"], f"{seed}/{key}"))
        if len(trail) > 40:
            raise wrong(key, "is referred to over more than 40 others")
        renamed = _RENAMED.get(shape["type"], {})
        new: dict[str, Any] = {"type": shape["type"], "spec_version": "2.1"}
        for name, value in shape.items():
            target = renamed.get(str(name), str(name))
            if target != name:
                if target in shape:
                    target = name
                else:
                    changes.append(f"{shape['type']}: {name} was written as {target}.")
            new[target] = value
        contributing = CONTRIBUTING.get(shape["type"], ())
        for name in contributing:
            if name in new and (name.endswith("_ref") or name == "extensions"):
                new[name] = refs(new[name], name, (*trail, key))
        stix_id = ids.setdefault(key, observable_id(new) or minted(shape["type"], f"{seed}/{key}"))
        made[key] = new
        return stix_id

    def refs(value: Any, name: str, trail: tuple[str, ...]) -> Any:
        if name.endswith("_ref") and isinstance(value, str) and not _is_id(value):
            return resolve(value, trail)
        if name.endswith("_refs") and isinstance(value, list):
            return [resolve(one, trail) if isinstance(one, str) and not _is_id(one) else one for one in value]
        if isinstance(value, dict):
            return {key: refs(one, key, trail) for key, one in value.items()}
        if isinstance(value, list):
            return [refs(one, "", trail) for one in value]
        return value

    for key in found:
        resolve(key, ())
    return [{**{name: refs(value, name, (key,)) for name, value in made[key].items()}, "id": ids[key]} for key in found]


def _is_id(text: str) -> bool:
    return "--" in text
