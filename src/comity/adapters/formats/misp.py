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
- `created_by_ref` is the organisation that made the event; where it names none, nobody, or the party where an officer
  states that it is its own work. Ids are made of party, creator and MISP uuid; `modified` is the
  timestamp of the part, or of the event where that is later and its tags mark the part. An observable has no version:
  its id covers all it says.
- Event tags ``tlp:`` and ``pap:`` mark every object; an attribute's own count where they are stricter. Other tags are
  labels.
- Deleted attributes become revoked objects.
Memory: one event, at most `EVENT_BYTES`.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any, Final

from comity.adapters.formats import galaxy as galaxies
from comity.adapters.formats import minting
from comity.adapters.formats.csvfile import marking_word
from comity.adapters.formats.items import Item, Refusal, Results
from comity.adapters.formats.mispvalues import (
    KINDS,
    attribute_observables,
    attribute_pattern,
    for_detection,
    object_observables,
    object_pattern,
    text_of,
)
from comity.adapters.formats.observable import NotAValue
from comity.adapters.formats.reader import Input
from comity.kernel.errors import InputRefused
from comity.kernel.model import bundle, instants, strictjson
from comity.kernel.model.ids import minted, type_of
from comity.kernel.model.instants import Instant
from comity.kernel.release.vocabulary import PAP, TLP, strictest
from comity.kernel.seal.canonical import canonical

EVENT_BYTES: Final = 64 * 1024 * 1024
REFERENCES: Final = 5_000
"""Objects one report or grouping refers to at most; a larger event is divided into groupings of parts."""

_RULES: Final = {
    "yara": "yara",
    "snort": "snort",
    "sigma": "sigma",
    "suricata": "suricata",
    "zeek": "zeek",
    "bro": "zeek",
}
_TEXTS: Final = frozenset({"text", "comment", "other"})
_TAG: Final = re.compile(r"(tlp|pap):(.+)", re.IGNORECASE)
_GALAXY_TAG: Final = re.compile(r'misp-galaxy:([a-z0-9-]+)="(.+)"', re.DOTALL)
_RELATION: Final = re.compile(r"[a-z0-9-]{1,80}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def read_misp(source: Input, maker: minting.Maker, key: str | None) -> Results:
    """Read the events of a file, one by one.

    Args:
        source: The file.
        maker: Who takes it in.
        key: ``Event`` or ``response`` of the top object; None where the file is a list of events.
    """
    limits = strictjson.Limits(size=EVENT_BYTES)
    for number, found in enumerate(bundle.parts(source.stream.read1, key, limits=limits), 1):
        place, raw = f"event {number}", found.raw
        try:
            if found.fault is not None:
                raise found.fault
            data = strictjson.read(raw, limits=limits)
            event = data.get("Event", data) if isinstance(data, dict) else data
            if not isinstance(event, dict) or not isinstance(event.get("info"), str):
                raise InputRefused("misp-event", f"{place.capitalize()} is no MISP event: it has no info.")
            yield from Event(event, raw, maker, place).items()
        except InputRefused as refused:
            yield Refusal.of(place, refused, raw)


class Event:
    """One event while it is read.

    Args:
        event: The parsed event.
        raw: Its bytes.
        maker: Who takes it in.
        place: Where it stands in the file.
    """

    def __init__(self, event: dict[str, Any], raw: bytes, maker: minting.Maker, place: str) -> None:
        self.event = event
        self.raw = raw
        self.maker = maker
        self.party = maker.party
        self.place = place
        self.labels, self.handling = tags_of(event, place)
        self.uuid = text_of(event, "uuid") or f"no-uuid/{text_of(event, 'info')}"
        self.stamp = _stamp(event.get("timestamp"))
        self.org = self._organisation()
        self.by = self.org["id"] if self.org is not None else maker.author
        self.undated: dict[str, tuple[str, ...]] = {}
        self.refs: list[str] = []
        self.refs_seen: set[str] = set()
        self.primary: dict[str, str] = {}
        self.links: list[dict[str, Any]] = []
        self.made_clusters: dict[str, str] = {}
        self.report_type = "report" if event.get("published") is True else "grouping"
        self.report_id = self._id(self.report_type, self.uuid)

    # -- ids, dates, shapes

    def _id(self, stix_type: str, name: str) -> str:
        return minted(stix_type, self.maker.name(self.by, "misp", name))

    def _dates(self, part: Mapping[str, Any], marked: bool) -> tuple[Instant, Instant, tuple[str, ...]]:
        """When a part was created and changed, and which of the two the event does not state."""
        stamp = _stamp(part.get("timestamp"))
        stamp = self.stamp if stamp is None else stamp
        if marked and self.stamp is not None and (stamp is None or self.stamp > stamp):
            stamp = self.stamp
        # `created` must be the same in all versions, so it depends on a timestamp only where the event names no day
        day = text_of(self.event, "date")
        if re.fullmatch(r"\d{4}-\d\d-\d\d", day):
            with contextlib.suppress(InputRefused):
                created = instants.parse(f"{day}T00:00:00Z")
                return created, max(created, stamp or 0), ()
        if stamp is not None:
            return stamp, stamp, ("created",)
        return self.maker.at, self.maker.at, ("created", "modified")

    def _shape(self, stix_type: str, part: Mapping[str, Any], name: str, handling: Mapping[str, str]) -> dict[str, Any]:
        created, modified, undated = self._dates(part, bool(handling))
        stix_id = self._id(stix_type, name)
        shape = minting.base(stix_type, stix_id, instants.format(created), instants.format(modified), self.by)
        if undated:
            self.undated[stix_id] = undated
        refs = minting.markings(handling)
        if refs:
            shape["object_marking_refs"] = refs
        if part.get("deleted") is True:
            shape["revoked"] = True
        return shape

    def _organisation(self) -> dict[str, Any] | None:
        org = self.event.get("Orgc")
        if not isinstance(org, dict) or not text_of(org, "name"):
            return None
        uuid = text_of(org, "uuid").lower()
        stix_id = (
            f"identity--{uuid}"
            if _UUID.fullmatch(uuid)
            else minted("identity", self.maker.name(None, "misp", f"org/{text_of(org, 'name')}"))
        )
        shape = minting.base("identity", stix_id, minting.FIXED, minting.FIXED, None)
        return {**shape, "name": text_of(org, "name"), "identity_class": "organization"}

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
        original = canonical(part) if part is not None else self.raw
        undated = self.undated.get(shape["id"]) or minting.unstated(shape)
        return Item(raw, original, changes, place, dict(handling), undated)

    # -- the event

    def items(self) -> Results:
        """All objects of the event; the report or grouping last."""
        if self.org is not None:
            place = f"{self.place}, Orgc"
            original = canonical(self.event["Orgc"])
            yield Item(canonical(self.org), original, (), place, dict(self.handling), shared=True)
        yield from self._clusters(self.event, self.place, None)
        yield from self._cluster_tags()
        yield from self._each("Attribute", "attribute", self._attribute)
        yield from self._each("Object", "object", self._object)
        for number, part in enumerate(_listed(self.event.get("Object")), 1):
            if isinstance(part, dict):
                yield from self._guarded(self._references, part, f"{self.place}, object {number}")
        yield from self._each("ShadowAttribute", "proposal", self._kept_proposal)
        yield from self._each("EventReport", "report", self._event_report)
        yield from self._report()

    def _each(self, key: str, word: str, read: Any) -> Results:
        """Read each element of a list of the event; what is none is refused by itself."""
        for number, part in enumerate(_listed(self.event.get(key)), 1):
            place = f"{self.place}, {word} {number}"
            if isinstance(part, dict):
                yield from self._guarded(read, part, place)
            else:
                refused = InputRefused("misp-event", f"{place.capitalize()} stands in {key} and is no JSON object.")
                yield Refusal.of(place, refused, canonical(part))

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
                shape |= {"name": f"{text_of(event, 'info')[:500]} (part {number})", "context": "unspecified"}
                shape["object_refs"] = refs[start : start + REFERENCES]
                parts.append(shape["id"])
                place = f"{self.place}, part {number}"
                undated = self.undated.get(shape["id"], ())
                yield Item(canonical(shape), None, (), place, dict(self.handling), undated)
        shape = self._shape(self.report_type, event, self.uuid, self.handling)
        shape["name"] = text_of(event, "info") or "MISP event"
        if self.report_type == "report":
            published = _stamp(event.get("publish_timestamp"))
            shape["published"] = instants.format(published) if published else shape["modified"]
            shape["report_types"] = ["threat-report"]
        else:
            shape["context"] = "unspecified"
        shape["object_refs"] = parts or refs
        if self.labels:
            shape["labels"] = self.labels
        references = [{"source_name": "misp-event", "external_id": self.uuid}] if text_of(event, "uuid") else []
        for link in self.links:
            references.append({"source_name": "misp-link", "url": link["value"]})
            if text_of(link, "comment"):
                references[-1]["description"] = text_of(link, "comment")
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
        undated = self.undated.get(shape["id"], ())
        yield Item(canonical(shape), self.raw, (), self.place, dict(self.handling), undated)

    # -- attributes

    def _attribute(self, attribute: dict[str, Any], place: str) -> Results:
        labels, own = tags_of(attribute, place)
        handling = _stricter(self.handling, own)
        kind, value = text_of(attribute, "type"), text_of(attribute, "value")
        uuid = text_of(attribute, "uuid") or f"{self.uuid}/{kind}/{value}"
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
        if text_of(attribute, "uuid"):
            self.primary[text_of(attribute, "uuid")] = main["id"]
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
            and not for_detection(attribute)
            and minting.is_web_address(value)
            and not attribute.get("deleted")
        ):
            return None
        if kind in _RULES and value.strip():
            shape = self._indicator(attribute, uuid, handling)
            shape |= {
                "pattern": value,
                "pattern_type": _RULES[kind],
                "name": text_of(attribute, "comment")[:200] or f"{kind} rule",
            }
            return [{**shape, "extensions": extension}], ()
        if kind in ("vulnerability",) and re.fullmatch(r"CVE-\d{4}-\d{4,19}", value.upper()):
            shape = self._shape("vulnerability", attribute, uuid, handling)
            shape |= {
                "name": value.upper(),
                "external_references": [{"source_name": "cve", "external_id": value.upper()}],
            }
            if text_of(attribute, "comment"):
                shape["description"] = text_of(attribute, "comment")
            return [{**shape, "extensions": extension}], ()
        if kind in _TEXTS and not for_detection(attribute) and value.strip():
            shape = self._shape("note", attribute, uuid, handling)
            shape |= {"content": value, "object_refs": [self.report_id]}
            if text_of(attribute, "category"):
                shape["abstract"] = f"{text_of(attribute, 'category')}: {text_of(attribute, 'comment')}".rstrip(": ")
            return [{**shape, "extensions": extension}], ()
        try:
            if for_detection(attribute) or (attribute.get("deleted") is True and kind in KINDS):
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
            "name": text_of(part, "type") or text_of(part, "name") or kind,
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
        stamp = _stamp(part.get("timestamp"))
        if seen is None and stamp is not None:
            shape["valid_from"] = instants.format(stamp)
        elif seen is None and "modified" in self.undated.get(shape["id"], ()):
            self.undated[shape["id"]] = ("created", "modified", "valid_from")
        if text_of(part, "comment"):
            shape["description"] = text_of(part, "comment")
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
        if text_of(attribute, "type") == "malware-sample":
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
        name = text_of(part, "name")
        uuid = text_of(part, "uuid") or f"{self.uuid}/object/{place}"
        attributes = _dicts(part.get("Attribute"))
        if len(attributes) != len(_listed(part.get("Attribute"))):
            raise InputRefused("misp-event", f"{place.capitalize()} has an attribute that is no JSON object.")
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
                artifacts[text_of(attribute, "uuid")] = artifact["id"]
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
            if text_of(owner, "uuid"):
                self.primary[text_of(owner, "uuid")] = main["id"]
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
            cve = next(
                (text_of(one, "value").upper() for one in attributes if text_of(one, "type") == "vulnerability"), ""
            )
            if re.fullmatch(r"CVE-\d{4}-\d{4,19}", cve):
                shape = self._shape("vulnerability", stamped, uuid, handling)
                shape |= {"name": cve, "external_references": [{"source_name": "cve", "external_id": cve}]}
                told = next(
                    (
                        text_of(one, "value")
                        for one in attributes
                        if one.get("object_relation") in ("summary", "description")
                    ),
                    "",
                )
                if told:
                    shape["description"] = told
                for one in attributes:
                    if text_of(one, "type") == "link" and minting.is_web_address(text_of(one, "value")):
                        shape["external_references"].append({"source_name": "misp-link", "url": text_of(one, "value")})
                return [{**shape, "extensions": extension}], ()
        pattern, left = object_pattern(attributes)
        if pattern:
            shape = self._indicator(stamped, uuid, handling)
            shape |= {"pattern": pattern, "pattern_type": "stix", "pattern_version": "2.1"}
            shape["name"] = f"{name}: " + next(text_of(one, "value")[:200] for one in attributes if for_detection(one))
            changes = tuple(
                f"{one} is for detection and has no STIX pattern; it is kept word for word." for one in left
            )
            return [{**shape, "extensions": extension}], changes
        if not any(for_detection(one) for one in attributes) and part.get("deleted") is not True:
            found = object_observables(name, attributes)
            if found:
                return self._observed(found, stamped, uuid, handling, extension), ()
        shapes, changes = self._unsaid(stamped, uuid, handling, kept, None, f"an object {name} has none here", "object")
        if artifacts:
            shapes[0]["extensions"][minting.MISP_EXTENSION]["artifacts"] = artifacts
        return shapes, changes

    def _references(self, part: dict[str, Any], place: str) -> Results:
        source = self.primary.get(text_of(part, "uuid"))
        for number, reference in enumerate(_dicts(part.get("ObjectReference")), 1):
            target = self.primary.get(text_of(reference, "referenced_uuid"))
            if source is None or target is None or source == target or reference.get("deleted") is True:
                continue  # it stays in the extension of its object
            said = text_of(reference, "relationship_type").lower().replace(" ", "-").replace("_", "-")
            kind = said if _RELATION.fullmatch(said) else "related-to"
            uuid = text_of(reference, "uuid") or f"{source}/{kind}/{target}"
            shape = self._shape("relationship", reference, uuid, self.handling)
            shape |= {"relationship_type": kind, "source_ref": source, "target_ref": target}
            shape["extensions"] = _extension(reference=reference)
            if text_of(reference, "comment"):
                shape["description"] = text_of(reference, "comment")
            yield self._give(shape, f"{place}, reference {number}", self.handling, (), reference)

    def _kept_proposal(self, part: dict[str, Any], place: str) -> Results:
        uuid = text_of(part, "uuid") or canonical(part).decode()
        shapes, changes = self._unsaid(
            part, f"proposal/{uuid}", self.handling, part, None, "a proposal has none", "proposal"
        )
        yield self._give(shapes[0], place, self.handling, changes, part)

    def _event_report(self, part: dict[str, Any], place: str) -> Results:
        uuid = text_of(part, "uuid") or text_of(part, "name")
        if not text_of(part, "content").strip():
            shapes, changes = self._unsaid(
                part, uuid, self.handling, part, None, "a report without text has none", "report"
            )
            yield self._give(shapes[0], place, self.handling, changes, part)
            return
        shape = self._shape("note", part, uuid, self.handling)
        shape |= {
            "abstract": text_of(part, "name"),
            "content": text_of(part, "content"),
            "object_refs": [self.report_id],
        }
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
                kind = text_of(cluster, "type") or text_of(one, "type")
                yield from self._cluster(kind, cluster, place, indicator)

    def _cluster_tags(self) -> Results:
        """Galaxy tags of the event for which no cluster is written out: the tag's own words are the cluster."""
        for label in self.labels:
            match = _GALAXY_TAG.fullmatch(label)
            if match is not None and label not in self.made_clusters:
                yield from self._cluster(match.group(1), {"value": match.group(2), "tag_name": label}, self.place, None)

    def _cluster(self, kind: str, cluster: dict[str, Any], place: str, owner: dict[str, Any] | None) -> Results:
        tag = text_of(cluster, "tag_name") or f'misp-galaxy:{kind}="{text_of(cluster, "value")}"'
        if tag not in self.made_clusters:
            stable = {
                name: value for name, value in cluster.items() if name not in ("id", "galaxy_id", "tag_id", "local")
            }
            try:
                if kind not in galaxies.FORMS:
                    raise InputRefused("galaxy-cluster", f"a galaxy {kind} has none here")
                shape, changes = galaxies.cluster_object(kind, stable, self.maker)
                if self.by is not None:
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


def marked(found: list[dict[str, Any]], refs: list[str], party: str) -> list[dict[str, Any]]:
    """Observables of ours: their ids cover party, markings and all else they say, and references among them follow.

    The ids of the standard would be the same for every importer, whose bytes may bear other markings.
    """
    renamed: dict[str, str] = {}
    made: list[dict[str, Any]] = []
    for one in found:
        shape = dict(one)
        for name, value in one.items():
            if name.endswith("_ref"):
                shape[name] = renamed.get(value, value)
            elif name.endswith("_refs"):
                shape[name] = [renamed.get(ref, ref) for ref in value]
        if refs:
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
        name = text_of(tag, "name")
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


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _listed(value: Any) -> list[Any]:
    """What stands in a list of an event; what should be one and is not is its one element."""
    return value if isinstance(value, list) else [value] if value else []


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


def _moment(value: Any) -> str | None:
    """`first_seen` and `last_seen`: an instant with an offset, or seconds."""
    if isinstance(value, str) and value:
        try:
            return instants.format(instants.parse_offset(value))
        except InputRefused:
            pass
    stamp = _stamp(value)
    return instants.format(stamp) if stamp is not None else None
