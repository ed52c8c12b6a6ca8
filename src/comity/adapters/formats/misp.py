"""MISP events as STIX 2.1: nothing of an event is lost, and what is not STIX stays visible beside it.

Source: MISP core format (draft-dulaunoy-misp-core-format), categories and types of MISP 2.4 to 2.5. Rules:

- One `report` for a published event, one `grouping` for one that is not; it comes last and refers to all that was
  made. The bytes of the whole event are its original.
- An attribute for detection (`to_ids`) becomes an `indicator` with a pattern; an object becomes one indicator that any
  of its detection values matches (an address with its port counts as one). YARA, Snort, Suricata and Sigma rules keep
  their own language.
- Other attributes become observables; with first and last seen an `observed-data` refers to them. Free text becomes a
  `note`, CVE numbers a `vulnerability`, links references of the report, attached files an `artifact`.
- What has no STIX form becomes `x-comity-misp`, an object type of ours.
- Every object holds the attribute or object it came from word for word in `extensions` (attached bytes stand in the
  artifact).
- `created_by_ref` is the organisation that made the event. Ids are made of party and MISP uuid; `modified` is the
  timestamp of the part, or of the event where that is later and its tags mark the part. An observable has no version:
  its id covers all it says.
- Event tags ``tlp:`` and ``pap:`` mark every object; an attribute's own count where they are stricter. Other tags are
  labels.
- Deleted attributes become revoked objects.
Memory: one event, at most `EVENT_BYTES`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from comity.adapters.formats import galaxy as galaxies
from comity.adapters.formats import minting, observable
from comity.adapters.formats.csvfile import marking_word
from comity.adapters.formats.items import Item, Refusal, Results
from comity.adapters.formats.jsonparts import elements
from comity.adapters.formats.observable import NotAValue, Value
from comity.adapters.formats.reader import Input
from comity.kernel.errors import InputRefused
from comity.kernel.model import instants, strictjson
from comity.kernel.model.ids import minted, type_of
from comity.kernel.release.vocabulary import PAP, TLP, strictest
from comity.kernel.seal.canonical import canonical

EVENT_BYTES: Final = 64 * 1024 * 1024
REFERENCES: Final = 5_000
"""Objects one report or grouping refers to at most; a larger event is divided into groupings of parts."""

_KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(("ip-src", "ip-dst"), "ip"),
    **dict.fromkeys(("domain", "hostname"), "domain"),
    **dict.fromkeys(("url", "uri"), "url"),
    **dict.fromkeys(("email", "email-src", "email-dst", "email-reply-to", "target-email"), "email"),
    **{
        name: name
        for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "ssdeep", "tlsh", "mutex", "filename")
    },
    "sha3-256": "sha3-256",
    "sha3-512": "sha3-512",
    "regkey": "regkey",
    "user-agent": "user-agent",
    "AS": "asn",
    "mac-address": "mac",
    "process-name": "process-name",
    "windows-service-name": "service",
}
"""MISP attribute type to kind of value."""

_RULES: Final = {
    "yara": "yara",
    "snort": "snort",
    "sigma": "sigma",
    "suricata": "suricata",
    "zeek": "zeek",
    "bro": "zeek",
}
_TEXTS: Final = frozenset({"text", "comment", "other"})
_PATTERNS: Final = {
    "email-subject": "email-message:subject",
    "email-body": "email-message:body",
    "email-message-id": "email-message:message_id",
    "email-attachment": "email-message:body_multipart[*].body_raw_ref.name",
    "email-x-mailer": "email-message:additional_header_fields.'X-Mailer'",
    "x509-fingerprint-sha1": "x509-certificate:hashes.'SHA-1'",
    "x509-fingerprint-sha256": "x509-certificate:hashes.'SHA-256'",
    "x509-fingerprint-md5": "x509-certificate:hashes.MD5",
    "imphash": "file:extensions.'windows-pebinary-ext'.imphash",
    "size-in-bytes": "",
}
"""Types whose pattern is one comparison with text and that no other part of the project needs as a kind of value."""

_TAG: Final = re.compile(r"(tlp|pap):(.+)", re.IGNORECASE)
_GALAXY_TAG: Final = re.compile(r'misp-galaxy:([a-z0-9-]+)="(.+)"', re.DOTALL)
_RELATION: Final = re.compile(r"[a-z0-9-]{1,80}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def read_misp(source: Input, party: str, key: str | None) -> Results:
    """Read the events of a file, one by one.

    Args:
        source: The file.
        party: Id of the party that takes it in.
        key: ``Event`` or ``response`` of the top object; None where the file is a list of events.
    """
    for number, raw in enumerate(elements(source.stream.read, key, EVENT_BYTES), 1):
        place = f"event {number}"
        try:
            data = strictjson.read(raw, limits=strictjson.Limits(size=EVENT_BYTES))
            event = data.get("Event", data)
            if not isinstance(event, dict) or not isinstance(event.get("info"), str):
                raise InputRefused("misp-event", f"{place.capitalize()} is no MISP event: it has no info.")
            yield from Event(event, raw, party, place).items()
        except InputRefused as refused:
            yield Refusal.of(place, refused, raw)


class Event:
    """One event while it is read.

    Args:
        event: The parsed event.
        raw: Its bytes.
        party: Who takes it in.
        place: Where it stands in the file.
    """

    def __init__(self, event: dict[str, Any], raw: bytes, party: str, place: str) -> None:
        self.event = event
        self.raw = raw
        self.party = party
        self.place = place
        self.labels, self.handling = tags_of(event, place)
        self.uuid = _text(event, "uuid") or f"no-uuid/{_text(event, 'info')}"
        self.stamp = _stamp(event.get("timestamp"))
        self.org = self._organisation()
        self.by = self.org["id"] if self.org is not None else party
        self.refs: list[str] = []
        self.refs_seen: set[str] = set()
        self.primary: dict[str, str] = {}
        self.links: list[dict[str, Any]] = []
        self.made_clusters: dict[str, str] = {}
        self.report_type = "report" if event.get("published") is True else "grouping"
        self.report_id = self._id(self.report_type, self.uuid)

    # -- ids, dates, shapes

    def _id(self, stix_type: str, name: str) -> str:
        return minted(stix_type, f"{self.party}/misp/{name}")

    def _dates(self, part: Mapping[str, Any], marked: bool) -> tuple[str, str]:
        stamp = _stamp(part.get("timestamp"))
        stamp = self.stamp if stamp is None else stamp
        if marked and self.stamp is not None and (stamp is None or self.stamp > stamp):
            stamp = self.stamp
        created = 0
        day = _text(self.event, "date")
        if re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            try:
                created = instants.parse(f"{day}T00:00:00Z")
            except InputRefused:
                pass
        # `created` must be the same in all versions, so it never depends on a timestamp
        return instants.format(created), instants.format(max(created, stamp or 0))

    def _shape(self, stix_type: str, part: Mapping[str, Any], name: str, handling: Mapping[str, str]) -> dict[str, Any]:
        created, modified = self._dates(part, bool(handling))
        shape = minting.base(stix_type, self._id(stix_type, name), created, modified, self.by)
        refs = minting.markings(handling)
        if refs:
            shape["object_marking_refs"] = refs
        if part.get("deleted") is True:
            shape["revoked"] = True
        return shape

    def _organisation(self) -> dict[str, Any] | None:
        org = self.event.get("Orgc")
        if not isinstance(org, dict) or not _text(org, "name"):
            return None
        uuid = _text(org, "uuid").lower()
        stix_id = f"identity--{uuid}" if _UUID.fullmatch(uuid) else self._id("identity", f"org/{_text(org, 'name')}")
        shape = minting.base("identity", stix_id, minting.UNDATED, minting.UNDATED, None)
        return {**shape, "name": _text(org, "name"), "identity_class": "organization"}

    def _give(
        self,
        shape: dict[str, Any],
        place: str,
        handling: Mapping[str, str],
        changes: tuple[str, ...] = (),
        part: Any = None,
    ) -> Item:
        raw = canonical(shape)
        if shape["id"] not in self.refs_seen:
            self.refs_seen.add(shape["id"])
            self.refs.append(shape["id"])
        return Item(raw, canonical(part) if part is not None else self.raw, changes, place, dict(handling))

    # -- the event

    def items(self) -> Results:
        """All objects of the event; the report or grouping last."""
        if self.org is not None:
            yield Item(
                canonical(self.org), canonical(self.event["Orgc"]), (), f"{self.place}, Orgc", dict(self.handling)
            )
        yield from self._clusters(self.event, self.place, None)
        yield from self._cluster_tags()
        for number, attribute in enumerate(_dicts(self.event.get("Attribute")), 1):
            yield from self._guarded(self._attribute, attribute, f"{self.place}, attribute {number}")
        parts = _dicts(self.event.get("Object"))
        for number, part in enumerate(parts, 1):
            yield from self._guarded(self._object, part, f"{self.place}, object {number}")
        for number, part in enumerate(parts, 1):
            yield from self._guarded(self._references, part, f"{self.place}, object {number}")
        for number, part in enumerate(_dicts(self.event.get("ShadowAttribute")), 1):
            yield from self._guarded(self._kept_proposal, part, f"{self.place}, proposal {number}")
        for number, part in enumerate(_dicts(self.event.get("EventReport")), 1):
            yield from self._guarded(self._event_report, part, f"{self.place}, report {number}")
        yield from self._report()

    def _guarded(self, read: Any, part: dict[str, Any], place: str) -> Results:
        try:
            yield from list(read(part, place))
        except InputRefused as refused:
            yield Refusal.of(place, refused, canonical(part))

    def _report(self) -> Results:
        event = self.event
        refs = self.refs or ([self.org["id"]] if self.org is not None else [])
        parts: list[str] = []
        if len(refs) > REFERENCES:
            for number, start in enumerate(range(0, len(refs), REFERENCES), 1):
                shape = self._shape("grouping", event, f"{self.uuid}/part/{number}", self.handling)
                shape |= {"name": f"{_text(event, 'info')[:500]} (part {number})", "context": "unspecified"}
                shape["object_refs"] = refs[start : start + REFERENCES]
                parts.append(shape["id"])
                yield Item(
                    canonical(shape), self.raw[:0] or None, (), f"{self.place}, part {number}", dict(self.handling)
                )
        shape = self._shape(self.report_type, event, self.uuid, self.handling)
        shape["name"] = _text(event, "info") or "MISP event"
        if self.report_type == "report":
            published = _stamp(event.get("publish_timestamp"))
            shape["published"] = instants.format(published) if published else shape["modified"]
            shape["report_types"] = ["threat-report"]
        else:
            shape["context"] = "unspecified"
        shape["object_refs"] = parts or refs
        if self.labels:
            shape["labels"] = self.labels
        references = [{"source_name": "misp-event", "external_id": self.uuid}] if _text(event, "uuid") else []
        for link in self.links:
            references.append({"source_name": "misp-link", "url": link["value"]})
            if _text(link, "comment"):
                references[-1]["description"] = _text(link, "comment")
        if references:
            shape["external_references"] = references
        kept = {name: value for name, value in event.items() if name not in _LISTS}
        shape["extensions"] = {
            minting.MISP_EXTENSION: {
                "extension_type": "property-extension",
                "event": kept,
                **({"links": self.links} if self.links else {}),
                **{word: event[name] for name, word in _KEPT_LISTS.items() if event.get(name)},
            }
        }
        if not (self.refs or self.org):
            raise InputRefused(
                "misp-event", f"{self.place.capitalize()} has nothing to refer to: no attribute, no organisation."
            )
        yield Item(canonical(shape), self.raw, (), self.place, dict(self.handling))

    # -- attributes

    def _attribute(self, attribute: dict[str, Any], place: str) -> Results:
        labels, own = tags_of(attribute, place)
        handling = _stricter(self.handling, own)
        kind, value = _text(attribute, "type"), _text(attribute, "value")
        uuid = _text(attribute, "uuid") or f"{self.uuid}/{kind}/{value}"
        artifact, kept = self._artifact(attribute, handling)
        if artifact is not None:
            yield self._give(artifact, place, handling, (), {**attribute, "data": "see the artifact"})
        made = self._attribute_objects(kind, value, attribute, uuid, handling, kept, artifact)
        if made is None:
            self.links.append(kept)
            if (labels or _dicts(attribute.get("Galaxy"))) and self.refs_seen:
                yield from self._clusters(attribute, place, None)
            return
        shapes, changes = made
        main = shapes[-1]
        if labels and main["type"] in ("indicator", "note", "vulnerability", "observed-data", minting.MISP_OBJECT_TYPE):
            main["labels"] = labels
        for shape in shapes:
            yield self._give(shape, place, handling, changes if shape is main else (), kept)
        if _text(attribute, "uuid"):
            self.primary[_text(attribute, "uuid")] = main["id"]
        yield from self._clusters(attribute, place, main)
        for number, proposal in enumerate(_dicts(attribute.get("ShadowAttribute")), 1):
            yield from self._kept_proposal(proposal, f"{place}, proposal {number}")

    def _attribute_objects(
        self,
        kind: str,
        value: str,
        attribute: dict[str, Any],
        uuid: str,
        handling: Mapping[str, str],
        kept: dict[str, Any],
        artifact: dict[str, Any] | None,
    ) -> tuple[list[dict[str, Any]], tuple[str, ...]] | None:
        """The objects that say one attribute, the main one last; None where it becomes a reference of the report."""
        extension = _extension(attribute=kept, artifact=artifact)
        if (
            kind == "link"
            and not _for_detection(attribute)
            and minting.is_web_address(value)
            and not attribute.get("deleted")
        ):
            return None
        if kind in _RULES and value.strip():
            shape = self._indicator(attribute, uuid, handling)
            shape |= {
                "pattern": value,
                "pattern_type": _RULES[kind],
                "name": _text(attribute, "comment")[:200] or f"{kind} rule",
            }
            return [{**shape, "extensions": extension}], ()
        if kind in ("vulnerability",) and re.fullmatch(r"CVE-\d{4}-\d{4,19}", value.upper()):
            shape = self._shape("vulnerability", attribute, uuid, handling)
            shape |= {
                "name": value.upper(),
                "external_references": [{"source_name": "cve", "external_id": value.upper()}],
            }
            if _text(attribute, "comment"):
                shape["description"] = _text(attribute, "comment")
            return [{**shape, "extensions": extension}], ()
        if kind in _TEXTS and not _for_detection(attribute) and value.strip():
            shape = self._shape("note", attribute, uuid, handling)
            shape |= {"content": value, "object_refs": [self.report_id]}
            if _text(attribute, "category"):
                shape["abstract"] = f"{_text(attribute, 'category')}: {_text(attribute, 'comment')}".rstrip(": ")
            return [{**shape, "extensions": extension}], ()
        try:
            if _for_detection(attribute) or (attribute.get("deleted") is True and kind in _KINDS):
                pattern = attribute_pattern(kind, value)
                shape = self._indicator(attribute, uuid, handling)
                shape |= {"pattern": pattern, "pattern_type": "stix", "pattern_version": "2.1", "name": value[:500]}
                return [{**shape, "extensions": extension}], ()
            if attribute.get("deleted") is not True:
                found = attribute_observables(kind, value)
                if found:
                    return self._observed(found, attribute, uuid, handling, extension), ()
        except NotAValue as why:
            return self._unsaid(attribute, uuid, handling, kept, artifact, str(why))
        return self._unsaid(attribute, uuid, handling, kept, artifact, f"a {kind} has none here")

    def _unsaid(
        self,
        part: dict[str, Any],
        uuid: str,
        handling: Mapping[str, str],
        kept: dict[str, Any],
        artifact: dict[str, Any] | None,
        why: str,
        kind: str = "attribute",
    ) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
        """An object of our own type for what has no STIX form."""
        shape = self._shape(minting.MISP_OBJECT_TYPE, part, uuid, handling)
        shape |= {
            "name": _text(part, "type") or _text(part, "name") or kind,
            "kind": kind,
            "extensions": {
                minting.MISP_OBJECT_EXTENSION: {"extension_type": "new-sdo"},
                **_extension(**{kind: kept}, artifact=artifact),
            },
        }
        return [shape], (f"No STIX form: {why}; it is kept word for word as {minting.MISP_OBJECT_TYPE}.",)

    def _indicator(self, part: dict[str, Any], uuid: str, handling: Mapping[str, str]) -> dict[str, Any]:
        shape = self._shape("indicator", part, uuid, handling)
        seen = _moment(part.get("first_seen"))
        shape["valid_from"] = seen or shape["modified"]
        if seen is None and _stamp(part.get("timestamp")) is not None:
            shape["valid_from"] = _written(part)
        if _text(part, "comment"):
            shape["description"] = _text(part, "comment")
        return shape

    def _observed(
        self,
        found: list[dict[str, Any]],
        part: dict[str, Any],
        uuid: str,
        handling: Mapping[str, str],
        extension: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Observables with the extension on the main one; with times, an observed-data that refers to them has it."""
        found = marked(found, minting.markings(handling), self.party)
        first, last = _moment(part.get("first_seen")), _moment(part.get("last_seen"))
        if first is not None and last is not None and first <= last:
            shape = self._shape("observed-data", part, uuid, handling)
            shape |= {"first_observed": first, "last_observed": last, "number_observed": 1}
            shape["object_refs"] = [one["id"] for one in found]
            return [*found, {**shape, "extensions": extension}]
        main = {**found[-1], "extensions": {**found[-1].get("extensions", {}), **extension}}
        return [*found[:-1], minting.statement(main, self.party, ("misp-observable", uuid))]

    def _artifact(
        self, attribute: dict[str, Any], handling: Mapping[str, str]
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        """The attached bytes as an artifact, and the attribute without them."""
        data = attribute.get("data")
        if not isinstance(data, str) or not data:
            return None, attribute
        kept = {name: value for name, value in attribute.items() if name != "data"}
        payload = re.sub(r"\s+", "", data)
        if not re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", payload) or len(payload) % 4:
            return None, attribute
        shape: dict[str, Any] = {"type": "artifact", "spec_version": "2.1", "payload_bin": payload}
        if _text(attribute, "type") == "malware-sample":
            # MISP core format: a sample is a ZIP file with the password "infected"
            shape |= {
                "mime_type": "application/zip",
                "encryption_algorithm": "mime-type-indicated",
                "decryption_key": "infected",
            }
        refs = minting.markings(handling)
        if refs:
            shape["object_marking_refs"] = refs
        return minting.statement(shape, self.party, ("misp-artifact",)), kept

    # -- objects

    def _object(self, part: dict[str, Any], place: str) -> Results:
        name = _text(part, "name")
        uuid = _text(part, "uuid") or f"{self.uuid}/object/{place}"
        attributes = _dicts(part.get("Attribute"))
        labels: list[str] = []
        handling: Mapping[str, str] = self.handling
        kept = dict(part)
        kept["Attribute"] = []
        artifacts: dict[str, str] = {}
        for attribute in attributes:
            tags, own = tags_of(attribute, place)
            labels += tags
            handling = _stricter(handling, own)
        for attribute in attributes:
            artifact, bare = self._artifact(attribute, handling)
            kept["Attribute"].append(bare)
            if artifact is not None:
                artifacts[_text(attribute, "uuid")] = artifact["id"]
                yield self._give(artifact, place, handling, (), {**attribute, "data": "see the artifact"})
        if not attributes:
            kept.pop("Attribute") if "Attribute" not in part else None
        extension = _extension(object=kept, artifacts=artifacts or None)
        shapes, changes = self._object_shapes(name, part, attributes, uuid, handling, kept, artifacts, extension)
        main = shapes[-1]
        if labels and main["type"] in ("indicator", "vulnerability", "observed-data", minting.MISP_OBJECT_TYPE):
            main["labels"] = list(dict.fromkeys(labels))
        for shape in shapes:
            yield self._give(shape, place, handling, changes if shape is main else (), kept)
        for owner in (part, *attributes):
            if _text(owner, "uuid"):
                self.primary[_text(owner, "uuid")] = main["id"]
        for attribute in attributes:
            yield from self._clusters(attribute, place, main)

    def _object_shapes(
        self,
        name: str,
        part: dict[str, Any],
        attributes: list[dict[str, Any]],
        uuid: str,
        handling: Mapping[str, str],
        kept: dict[str, Any],
        artifacts: dict[str, str],
        extension: dict[str, Any],
    ) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
        stamped = {
            **part,
            "timestamp": max((_seconds(one.get("timestamp")) for one in (part, *attributes)), default=0) or None,
        }
        if name == "vulnerability":
            cve = next((_text(one, "value").upper() for one in attributes if _text(one, "type") == "vulnerability"), "")
            if re.fullmatch(r"CVE-\d{4}-\d{4,19}", cve):
                shape = self._shape("vulnerability", stamped, uuid, handling)
                shape |= {"name": cve, "external_references": [{"source_name": "cve", "external_id": cve}]}
                told = next(
                    (
                        _text(one, "value")
                        for one in attributes
                        if one.get("object_relation") in ("summary", "description")
                    ),
                    "",
                )
                if told:
                    shape["description"] = told
                for one in attributes:
                    if _text(one, "type") == "link" and minting.is_web_address(_text(one, "value")):
                        shape["external_references"].append({"source_name": "misp-link", "url": _text(one, "value")})
                return [{**shape, "extensions": extension}], ()
        pattern, left = object_pattern(attributes)
        if pattern:
            shape = self._indicator(stamped, uuid, handling)
            shape |= {"pattern": pattern, "pattern_type": "stix", "pattern_version": "2.1"}
            shape["name"] = f"{name}: " + next(_text(one, "value")[:200] for one in attributes if _for_detection(one))
            changes = tuple(
                f"{one} is for detection and has no STIX pattern; it is kept word for word." for one in left
            )
            return [{**shape, "extensions": extension}], changes
        if not any(_for_detection(one) for one in attributes) and part.get("deleted") is not True:
            found = object_observables(name, attributes)
            if found:
                return self._observed(found, stamped, uuid, handling, extension), ()
        shapes, changes = self._unsaid(stamped, uuid, handling, kept, None, f"an object {name} has none here", "object")
        if artifacts:
            shapes[0]["extensions"][minting.MISP_EXTENSION]["artifacts"] = artifacts
        return shapes, changes

    def _references(self, part: dict[str, Any], place: str) -> Results:
        source = self.primary.get(_text(part, "uuid"))
        for number, reference in enumerate(_dicts(part.get("ObjectReference")), 1):
            target = self.primary.get(_text(reference, "referenced_uuid"))
            if source is None or target is None or source == target or reference.get("deleted") is True:
                continue  # it stays in the extension of its object
            said = _text(reference, "relationship_type").lower().replace(" ", "-").replace("_", "-")
            kind = said if _RELATION.fullmatch(said) else "related-to"
            uuid = _text(reference, "uuid") or f"{source}/{kind}/{target}"
            shape = self._shape("relationship", reference, uuid, self.handling)
            shape |= {"relationship_type": kind, "source_ref": source, "target_ref": target}
            shape["extensions"] = _extension(reference=reference)
            if _text(reference, "comment"):
                shape["description"] = _text(reference, "comment")
            yield self._give(shape, f"{place}, reference {number}", self.handling, (), reference)

    def _kept_proposal(self, part: dict[str, Any], place: str) -> Results:
        uuid = _text(part, "uuid") or canonical(part).decode()
        shapes, changes = self._unsaid(
            part, f"proposal/{uuid}", self.handling, part, None, "a proposal has none", "proposal"
        )
        yield self._give(shapes[0], place, self.handling, changes, part)

    def _event_report(self, part: dict[str, Any], place: str) -> Results:
        uuid = _text(part, "uuid") or _text(part, "name")
        if not _text(part, "content").strip():
            shapes, changes = self._unsaid(
                part, uuid, self.handling, part, None, "a report without text has none", "report"
            )
            yield self._give(shapes[0], place, self.handling, changes, part)
            return
        shape = self._shape("note", part, uuid, self.handling)
        shape |= {"abstract": _text(part, "name"), "content": _text(part, "content"), "object_refs": [self.report_id]}
        if not shape["abstract"]:
            del shape["abstract"]
        shape["extensions"] = _extension(
            event_report={name: value for name, value in part.items() if name != "content"}
        )
        yield self._give(shape, place, self.handling, (), part)

    # -- galaxies

    def _clusters(self, owner: dict[str, Any], place: str, indicator: dict[str, Any] | None) -> Results:
        for one in _dicts(owner.get("Galaxy")):
            for cluster in _dicts(one.get("GalaxyCluster")):
                kind = _text(cluster, "type") or _text(one, "type")
                yield from self._cluster(kind, cluster, place, indicator)

    def _cluster_tags(self) -> Results:
        """Galaxy tags of the event for which no cluster is written out: the tag's own words are the cluster."""
        for label in self.labels:
            match = _GALAXY_TAG.fullmatch(label)
            if match is not None and label not in self.made_clusters:
                yield from self._cluster(match.group(1), {"value": match.group(2), "tag_name": label}, self.place, None)

    def _cluster(self, kind: str, cluster: dict[str, Any], place: str, owner: dict[str, Any] | None) -> Results:
        tag = _text(cluster, "tag_name") or f'misp-galaxy:{kind}="{_text(cluster, "value")}"'
        if tag not in self.made_clusters:
            stable = {
                name: value for name, value in cluster.items() if name not in ("id", "galaxy_id", "tag_id", "local")
            }
            try:
                if kind not in galaxies.FORMS:
                    raise InputRefused("galaxy-cluster", f"a galaxy {kind} has none here")
                shape, changes = galaxies.cluster_object(kind, stable, self.party)
                shape["created_by_ref"] = self.by
                refs = minting.markings(self.handling)
                if refs:
                    shape["object_marking_refs"] = refs
                shape = minting.statement(shape, self.party, ("misp-cluster", tag))
            except InputRefused as why:
                part = {"name": tag, "timestamp": self.event.get("timestamp")}
                shapes, changes = self._unsaid(
                    part, f"cluster/{tag}", self.handling, stable, None, why.sentence.rstrip("."), "cluster"
                )
                shape = shapes[0]
            self.made_clusters[tag] = shape["id"]
            yield self._give(shape, f"{place}, galaxy {kind}", self.handling, tuple(changes), cluster)
        if owner is None:
            return
        target = self.made_clusters[tag]
        relation = "indicates" if owner["type"] == "indicator" and type_of(target) in _INDICATED else "related-to"
        shape = self._shape("relationship", {}, f"{owner['id']}/{relation}/{target}", self.handling)
        shape |= {"relationship_type": relation, "source_ref": owner["id"], "target_ref": target}
        yield self._give(shape, f"{place}, galaxy {kind}", self.handling, (), cluster)


_INDICATED: Final = frozenset({"attack-pattern", "campaign", "intrusion-set", "malware", "threat-actor", "tool"})
_KEPT_LISTS: Final = {"Tag": "tags", "RelatedEvent": "related_events", "CryptographicKey": "cryptographic_keys"}
_LISTS: Final = frozenset(
    {"Attribute", "Object", "Galaxy", "Tag", "ShadowAttribute", "EventReport", "RelatedEvent", "CryptographicKey"}
)


def attribute_pattern(kind: str, value: str) -> str:
    """The STIX pattern of one attribute for detection.

    Raises:
        NotAValue: there is none, or the value is not of its type.
    """
    expressions = [f"[{one}]" for one in _comparisons(kind, value)]
    return " OR ".join(expressions)


def _comparisons(kind: str, value: str) -> list[str]:
    if kind in _KINDS:
        return [observable.comparison(observable.read(value, _path_kind(_KINDS[kind], value)))]
    if _PATTERNS.get(kind):
        if not value or len(value) > observable.LENGTH:
            raise NotAValue("the value is empty or too long")
        return [f"{_PATTERNS[kind]} = {observable.quoted(value)}"]
    if kind == "port" and value.isascii() and value.isdigit():
        return [f"network-traffic:dst_port = {int(value)}"]
    left, bar, right = value.partition("|")
    if kind.startswith("filename|") and bar:
        inner = kind.removeprefix("filename|")
        pair = [*_comparisons("filename", left), *_comparisons(inner, right)]
        return [" AND ".join(pair)]
    if kind in ("domain|ip",) and bar:
        address = observable.read(right, "ip")
        return [
            f"domain-name:value = {observable.quoted(observable.read(left, 'domain').text)} "
            f"AND domain-name:resolves_to_refs[*].value = {observable.quoted(address.text)}"
        ]
    if kind in ("ip-src|port", "ip-dst|port", "hostname|port") and bar and right.isascii() and right.isdigit():
        end = "src" if kind.startswith("ip-src") else "dst"
        return [_traffic(end, observable.read(left, "domain" if kind.startswith("host") else "ip"), int(right))]
    if kind == "regkey|value" and bar:
        key = observable.read(left, "regkey").text
        return [
            f"windows-registry-key:key = {observable.quoted(key)} "
            f"AND windows-registry-key:values[*].data = {observable.quoted(right)}"
        ]
    if kind == "malware-sample" and bar:
        return _comparisons("filename|md5", value)
    raise NotAValue(f"a {kind} has none here")


def _traffic(end: str, value: Value, port: int) -> str:
    kind = {"ipv4": "ipv4-addr", "ipv6": "ipv6-addr", "domain": "domain-name"}.get(value.kind)
    if kind is None or not 0 < port < 65536:
        raise NotAValue("it is no address with a port")
    return (
        f"network-traffic:{end}_ref.type = '{kind}' "
        f"AND network-traffic:{end}_ref.value = {observable.quoted(value.text)} AND network-traffic:{end}_port = {port}"
    )


def _path_kind(kind: str, value: str) -> str:
    """MISP says `filename` also for a path."""
    return "filepath" if kind == "filename" and re.match(r"(?:[A-Za-z]:\\|\\\\|/|%\w+%\\).", value) else kind


def attribute_observables(kind: str, value: str) -> list[dict[str, Any]]:
    """The observables that one attribute says, the main one last; none where STIX has none.

    Raises:
        NotAValue: the value is not of its type.
    """
    if kind in _KINDS:
        return observable.objects(observable.read(value, _path_kind(_KINDS[kind], value)))
    left, bar, right = value.partition("|")
    if kind == "malware-sample":
        kind = "filename|md5"
    if kind.startswith("filename|") and bar:
        found = observable.read(right, _KINDS.get(kind.removeprefix("filename|"), "unsupported"))
        if found.kind in observable.HASHES:
            return [observable.observable("file", name=left, hashes={observable.HASHES[found.kind][0]: found.text})]
    if kind == "attachment" and value.strip():
        return [observable.observable("file", name=value)]
    if kind == "domain|ip" and bar:
        (end,) = observable.objects(observable.read(right, "ip"))
        domain = observable.read(left, "domain")
        return [end, observable.observable("domain-name", value=domain.text, resolves_to_refs=[end["id"]])]
    if kind in ("ip-src|port", "ip-dst|port") and bar and right.isascii() and right.isdigit():
        return _traffic_objects(kind[3:6], observable.read(left, "ip"), int(right))
    return []


def _traffic_objects(end: str, value: Value, port: int) -> list[dict[str, Any]]:
    if value.kind not in ("ipv4", "ipv6") or not 0 < port < 65536:
        raise NotAValue("it is no address with a port")
    (address,) = observable.objects(value)
    said: dict[str, Any] = {f"{end}_ref": address["id"], f"{end}_port": port, "protocols": [value.kind]}
    return [address, observable.observable("network-traffic", **said)]


def object_pattern(attributes: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """The pattern that any detection value of a MISP object matches, and the types of those that have none."""
    wanted = [one for one in attributes if _for_detection(one)]
    left: list[str] = []
    hashes: list[str] = []
    rest: list[str] = []
    ports = [_text(one, "value") for one in wanted if _text(one, "type") == "port"]
    ports = [port for port in ports if port.isascii() and port.isdigit() and 0 < int(port) < 65536]
    used_ports = False
    for one in wanted:
        kind, value = _text(one, "type"), _text(one, "value")
        try:
            if kind == "port":
                continue
            if ports and kind in ("ip-dst", "ip-src", "hostname", "domain"):
                host = observable.read(value, _KINDS[kind])
                end = "src" if kind == "ip-src" else "dst"
                rest += [f"[{_traffic(end, host, int(port))}]" for port in ports]
                used_ports = True
            elif kind in observable.HASHES:
                hashes += _comparisons(kind, value)
            else:
                rest += [f"[{found}]" for found in _comparisons(kind, value)]
        except NotAValue:
            left.append(f"{kind} {value[:80]!r}")
    if ports and not used_ports:
        left += [f"port {port!r}" for port in ports]
    found = ([f"[{' OR '.join(dict.fromkeys(hashes))}]"] if hashes else []) + list(dict.fromkeys(rest))
    return " OR ".join(found), left


def object_observables(name: str, attributes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The observables of a MISP object without detection values, the main one last; none where there is no plain
    reading."""
    try:
        if name == "file":
            said: dict[str, Any] = {}
            hashes: dict[str, str] = {}
            for one in attributes:
                kind, value = _text(one, "type"), _text(one, "value")
                if kind in observable.HASHES:
                    hashes.setdefault(observable.HASHES[kind][0], observable.read(value, kind).text)
                elif one.get("object_relation") == "filename":
                    said.setdefault("name", value)
                elif one.get("object_relation") == "size-in-bytes" and value.isascii() and value.isdigit():
                    said.setdefault("size", int(value))
            if hashes:
                said["hashes"] = hashes
            return [observable.observable("file", **said)] if "name" in said or hashes else []
        if name in ("ip-port", "domain-ip"):
            hosts = [one for one in attributes if _text(one, "type") in ("ip-dst", "ip-src")]
            ports = [_text(one, "value") for one in attributes if _text(one, "type") == "port"]
            domains = [_text(one, "value") for one in attributes if _text(one, "type") in ("domain", "hostname")]
            if name == "ip-port" and len(hosts) == 1 and len(ports) == 1 and ports[0].isascii() and ports[0].isdigit():
                end = "src" if _text(hosts[0], "type") == "ip-src" else "dst"
                return _traffic_objects(end, observable.read(_text(hosts[0], "value"), "ip"), int(ports[0]))
            if name == "domain-ip" and len(domains) == 1 and hosts:
                ends = [observable.objects(observable.read(_text(one, "value"), "ip"))[-1] for one in hosts]
                refs = [one["id"] for one in ends]
                domain = observable.read(domains[0], "domain")
                return [*ends, observable.observable("domain-name", value=domain.text, resolves_to_refs=refs)]
        if name == "url":
            urls = [_text(one, "value") for one in attributes if _text(one, "type") == "url"]
            return observable.objects(observable.read(urls[0], "url")) if len(urls) == 1 else []
    except NotAValue:
        pass
    return []


def marked(found: list[dict[str, Any]], refs: list[str], party: str) -> list[dict[str, Any]]:
    """Observables with markings in their bytes; their ids then cover all they say, and references among them follow."""
    if not refs:
        return found
    renamed: dict[str, str] = {}
    made: list[dict[str, Any]] = []
    for one in found:
        shape = dict(one)
        for name, value in one.items():
            if name.endswith("_ref"):
                shape[name] = renamed.get(value, value)
            elif name.endswith("_refs"):
                shape[name] = [renamed.get(ref, ref) for ref in value]
        shape["object_marking_refs"] = refs
        shape = minting.statement(shape, party, ("misp-observable",))
        renamed[one["id"]] = shape["id"]
        made.append(shape)
    return made


def tags_of(owner: Mapping[str, Any], place: str) -> tuple[list[str], dict[str, str]]:
    """Tag names, and the TLP and PAP they say (the strictest of several).

    Raises:
        InputRefused: `marking-unknown` for a tlp or pap tag that names no level.
    """
    labels: list[str] = []
    handling: dict[str, str] = {}
    for tag in _dicts(owner.get("Tag")):
        name = _text(tag, "name")
        if not name:
            continue
        labels.append(name)
        match = _TAG.fullmatch(name.strip())
        if match is None:
            continue
        scheme = match.group(1).lower()
        scale = TLP if scheme == "tlp" else PAP
        word = marking_word(match.group(2), scheme)
        if word not in scale:
            raise InputRefused(
                "marking-unknown", f"{place.capitalize()}: the tag {name[:60]!r} names no level that is understood."
            )
        handling[scheme] = strictest(scale, (handling.get(scheme), word)) or word
    return list(dict.fromkeys(labels)), handling


def _stricter(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    made = dict(one)
    for scheme, word in other.items():
        made[scheme] = strictest(TLP if scheme == "tlp" else PAP, (made.get(scheme), word)) or word
    return made


def _extension(**parts: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"extension_type": "property-extension"}
    for name, value in parts.items():
        if name == "artifact" and value is not None:
            said["artifact"] = value["id"]
        elif value is not None:
            said[name] = value
    return {minting.MISP_EXTENSION: said}


def _for_detection(attribute: Mapping[str, Any]) -> bool:
    return attribute.get("to_ids") in (True, "1", 1)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""


def _seconds(value: Any) -> int:
    text = (
        value
        if isinstance(value, str)
        else str(value)
        if isinstance(value, int) and not isinstance(value, bool)
        else ""
    )
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) <= 11 and int(text) < 253_402_300_800 else 0


def _stamp(value: Any) -> int | None:
    seconds = _seconds(value)
    return seconds * instants.SECOND if seconds else None


def _written(part: Mapping[str, Any]) -> str:
    stamp = _stamp(part.get("timestamp"))
    return instants.format(stamp) if stamp is not None else minting.UNDATED


def _moment(value: Any) -> str | None:
    """`first_seen` and `last_seen`: an instant with an offset, or seconds."""
    if isinstance(value, str) and value:
        try:
            return instants.format(instants.parse_offset(value))
        except InputRefused:
            pass
    stamp = _stamp(value)
    return instants.format(stamp) if stamp is not None else None
