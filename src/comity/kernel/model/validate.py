"""Whether an object is STIX 2.1: every MUST that one object alone can keep or break.

`check` takes a decoded object and says nothing, or refuses it with its id, the property, the rule and the section.
The tables of `properties` are compiled once into closures, one dictionary look-up and one call a property. Texts that
come again and again (timestamps, references, addresses of sources) are remembered in bounded tables, short texts
only.

What is not checked, because it is SHOULD in the standard: open vocabularies, names that start with ``x_``,
deterministic identifiers. What needs other objects (does a reference resolve) is not a rule of the object. Unknown
types and properties survive: only names, empty lists and the common properties are checked there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from comity.kernel.errors import InputRefused
from comity.kernel.model import patterns
from comity.kernel.model.kinds import (
    EXTENSION_NAME,
    SHORT,
    SPECIAL,
    UUID_FORM,
    Broken,
    Check,
    custom_property,
    dictionary,
    empty,
    enumerated,
    instant,
    integer,
    is_type_name,
    listed,
    number,
    reference,
    text_value,
    texts,
    type_of,
    wrong,
)
from comity.kernel.model.properties import (
    CUSTOM_OBJECT,
    CUSTOM_OBSERVABLE,
    EXTENSIONS,
    OBJECTS,
    OBSERVABLES,
    STRUCTS,
    Shape,
)
from comity.kernel.model.vocabularies import (
    CLOSED,
    TLP_1,
    TLP_1_CREATED,
    TLP_2,
    TLP_2_CREATED,
    TLP_2_EXTENSION,
)

Rule = Callable[[dict[str, Any]], None]


def check(data: Any) -> None:
    """Refuse what is not a STIX 2.1 object.

    Args:
        data: A decoded JSON value as `strictjson.read` gives it; it is not changed.

    Raises:
        InputRefused: `stix-2.0`, `stix-object`, `stix-required`, `stix-kind`, `stix-id`, `stix-empty`, `stix-name`,
            `stix-vocabulary`, `stix-order`, `stix-rule`, `stix-reference`, `stix-selector`, `stix-marking`,
            `stix-extension`, `timestamp` or `pattern`; `clause` is the section of STIX 2.1, `detail` has id and
            property.
    """
    if type(data) is not dict:
        raise InputRefused(
            "stix-object", "A STIX object is a JSON object; this is something else.", clause="STIX 2.1 §3.1"
        )
    type_ = data.get("type")
    shape_check = _CHECKS.get(type_) if type(type_) is str else None
    if shape_check is None:
        shape_check = _for_unknown(data, type_)
    try:
        shape_check(data)
    except Broken as broken:
        _refuse(data, broken)


def _refuse(data: dict[str, Any], broken: Broken) -> None:
    identifier = data.get("id")
    named = identifier[:SHORT] if isinstance(identifier, str) else None
    of = named or (f"a {data['type'][:SHORT]}" if isinstance(data.get("type"), str) else "an object")
    where = broken.path[:SHORT]
    sentence = f"{of}: {where + ' ' if where else 'it '}{broken.rule}."
    raise InputRefused(broken.code, sentence, clause=broken.clause, id=named, property=where or None) from None


def _extensions(of: str | None, contained: bool) -> Check:
    known = {name: _compile(shape, contained=contained) for name, shape in EXTENSIONS.get(of or "", {}).items()}
    types = CLOSED["extension-type"]

    def run(value: Any) -> None:
        if type(value) is not dict:
            raise wrong(value, "a dictionary", "STIX 2.1 §3.2")
        if not value:
            raise empty()
        for key, body in value.items():
            try:
                if type(body) is not dict:
                    raise wrong(body, "an object", "STIX 2.1 §7.3")
                if not body:
                    raise empty()
                shape = known.get(key)
                if shape is not None:
                    shape(body)
                elif key.startswith("extension-definition--"):
                    if type_of(key) != "extension-definition":
                        raise Broken("stix-id", "is not the id of an extension definition", "STIX 2.1 §7.3")
                    kind = body.get("extension_type")
                    if type(kind) is not str or kind not in types:
                        raise Broken(
                            "stix-extension",
                            f"must have an extension_type, one of {', '.join(sorted(types))}",
                            "STIX 2.1 §7.3",
                        )
                elif len(key) > 250 or EXTENSION_NAME.fullmatch(key) is None:
                    raise Broken(
                        "stix-extension",
                        "is neither the id of an extension definition nor a name that ends with -ext",
                        "STIX 2.1 §7.3",
                    )
                if shape is None:
                    for name, one in body.items():
                        try:
                            custom_property(name, one)
                        except Broken as broken:
                            raise broken.under(name) from None
            except Broken as broken:
                raise broken.under(key[:SHORT]) from None

    return run


def _spec_version(value: Any) -> None:
    if value != "2.1":
        if value == "2.0":
            raise _two_zero()
        raise wrong(value, 'the text "2.1"', "STIX 2.1 §3.2")


def _two_zero() -> Broken:
    return Broken(
        "stix-2.0", "says it is STIX 2.0 (spec_version is not 2.1); import the file, which upgrades it", "STIX 2.1 §3.2"
    )


def _own_id(type_: str | None) -> Check:
    if type_ is None:

        def any_id(value: Any) -> None:
            if type(value) is not str or type_of(value) is None:
                raise Broken("stix-id", f"must be <type>--<UUID>, not {str(value)[:80]!r}", "STIX 2.1 §2.9")

        return any_id
    match = re.compile(rf"{re.escape(type_)}--{UUID_FORM}").fullmatch

    def run(value: Any) -> None:
        if type(value) is not str or match(value) is None:
            raise Broken("stix-id", f"must be {type_}--<UUID>, not {str(value)[:80]!r}", "STIX 2.1 §2.9")

    return run


def _bound(text: str) -> int | None:
    return None if text == "*" else int(text)


def _checker(kind: str, *, type_: str | None = None, contained: bool = False) -> Check:
    """Compile one kind of `properties`."""
    simple = SPECIAL.get(kind)
    if simple is not None:
        return simple
    head, _, rest = kind.partition(" ")
    words = rest.split()
    match head:
        case "list" if rest == "string":
            return texts
        case "list":
            return listed(_checker(rest, type_=type_, contained=contained))
        case "struct":
            return _struct(STRUCTS[rest], _STRUCT_RULES.get(rest), contained=contained)
        case "ref" if contained:
            return text_value
        case "ref" if not words:
            return reference(None, frozenset(), "an object")
        case "ref" if words[0] == "@sco":
            return reference(None, frozenset(OBJECTS), "a cyber-observable object")
        case "ref" if words[0].startswith("!"):
            none = frozenset(word.lstrip("!") for word in words)
            return reference(None, none, "none of " + ", ".join(sorted(none)))
        case "ref":
            return reference(frozenset(words), frozenset(), " or ".join(words))
        case "enum":
            return enumerated(rest)
        case "integer":
            return integer(_bound(words[0]), _bound(words[1]))
        case "float":
            return number(_bound(words[0]), _bound(words[1]))
        case "dictionary":
            return dictionary(*({"string": str, "integer": int}[word] for word in words))
        case "own-id":
            return _own_id(type_)
        case "spec-version":
            return _spec_version
        case "extensions":
            return _extensions(rest or None, contained)
        case "observables":
            return _observables
    raise AssertionError(f"no kind {kind!r}")


def _compile(
    shape: Shape,
    rule: Rule | None = None,
    *,
    type_: str | None = None,
    contained: bool = False,
    top: bool = False,
) -> Rule:
    """Turn a shape into one function over the object."""
    get = {name: _checker(kind, type_=type_, contained=contained) for name, kind in shape.kinds.items()}.get
    required, any_of, order, clause = shape.required, shape.any_of, shape.order, shape.clause
    closed = not shape.open
    versioned = "spec_version" in required

    def run(data: dict[str, Any]) -> None:
        if (
            versioned
            and data.get("spec_version") != "2.1"
            and data.get("spec_version", "2.0") == "2.0"
            and "created" in data
        ):
            raise _two_zero()  # first of all: an object of 2.0 breaks other rules too, and the caller upgrades it
        name = ""
        try:
            for name, value in data.items():
                one = get(name)
                if one is not None:
                    one(value)
                elif top:
                    custom_property(name, value)
                elif closed:
                    raise Broken("stix-name", "is not a property of this object")
        except Broken as broken:
            raise broken.under(name[:SHORT], clause) from None
        if not data.keys() >= required:
            _missing(data, shape)
        for group in any_of:
            if group.isdisjoint(data):
                names = sorted(group)
                raise Broken("stix-required", f"must have at least one of {', '.join(names)}", clause)
        for later, earlier, strictly in order:
            if later in data and earlier in data:
                second, first = data[later], data[earlier]
                if len(second) != len(first):  # texts of one length are of one form and sort as their instants
                    second, first = instant(second), instant(first)
                if second < first or (strictly and second == first):
                    than = "later than" if strictly else "later than or equal to"
                    raise Broken("stix-order", f"must be {than} {earlier} ({data[earlier]})", clause, later)
        if rule is not None:
            rule(data)
        if top and "granular_markings" in data:
            _resolve_selectors(data)

    return run


def _missing(data: dict[str, Any], shape: Shape) -> None:
    absent = sorted(shape.required - data.keys())
    raise Broken("stix-required", f"must have {' and '.join(absent)}", shape.clause)


def _struct(shape: Shape, rule: Rule | None, *, contained: bool) -> Check:
    run_shape = _compile(shape, rule, contained=contained)

    def run(value: Any) -> None:
        if type(value) is not dict:
            raise wrong(value, "an object", shape.clause)
        run_shape(value)

    return run


# --- rules between properties


_CVE: Final = re.compile(r"CVE-[0-9]{4}-(?:0[0-9]{3}|[1-9][0-9]{3,})")
_CAPEC: Final = re.compile(r"CAPEC-[0-9]+")


def _external_reference(data: dict[str, Any]) -> None:
    source = data["source_name"]
    external = data.get("external_id")
    if source == "cve" or source == "capec":
        if external is None or (_CVE if source == "cve" else _CAPEC).fullmatch(external) is None:
            form = "CVE-YYYY-NNNN" if source == "cve" else "CAPEC-NNN"
            raise Broken(
                "stix-rule", f"must have an external_id of the form {form}, its source being {source}", "STIX 2.1 §2.5"
            )
    elif external is not None and external[:1] == "C" and (_CVE.fullmatch(external) or _CAPEC.fullmatch(external)):
        word = "cve" if external.startswith("CVE") else "capec"
        raise Broken("stix-rule", f"must have the source_name {word} for {external}", "STIX 2.1 §2.5")


def _mime_part(data: dict[str, Any]) -> None:
    if "body" in data and "body_raw_ref" in data:
        raise Broken("stix-rule", "must have one of body and body_raw_ref, not both", "STIX 2.1 §6.6.2")


_STRUCT_RULES: Final[Mapping[str, Rule]] = {"external-reference": _external_reference, "mime-part": _mime_part}


def _indicator(data: dict[str, Any]) -> None:
    if data["pattern_type"] != "stix":
        return
    try:
        patterns.check(data["pattern"])
    except InputRefused as refused:
        raise Broken(
            "pattern", f"is no STIX pattern: {refused.sentence.rstrip('.')}", refused.clause, "pattern"
        ) from None


def _location(data: dict[str, Any]) -> None:
    if ("latitude" in data) != ("longitude" in data):
        raise Broken("stix-rule", "must have both latitude and longitude, or neither", "STIX 2.1 §4.10")
    if "precision" in data and "latitude" not in data:
        raise Broken("stix-rule", "has a precision and must then have latitude and longitude", "STIX 2.1 §4.10")


def _malware(data: dict[str, Any]) -> None:
    if data["is_family"] and "name" not in data:
        raise Broken("stix-required", "must have a name, being a family", "STIX 2.1 §4.11")


def _observed_data(data: dict[str, Any]) -> None:
    if "objects" in data:
        if "object_refs" in data:
            raise Broken("stix-rule", "must have one of objects and object_refs, not both", "STIX 2.1 §4.14")
    elif all(type_of(ref) in OBJECTS for ref in data["object_refs"]):
        raise Broken("stix-rule", "must name at least one cyber-observable object", "STIX 2.1 §4.14", "object_refs")


def _extension_definition(data: dict[str, Any]) -> None:
    if "extension_properties" in data and "toplevel-property-extension" not in data["extension_types"]:
        raise Broken(
            "stix-extension",
            "is only for extensions of type toplevel-property-extension",
            "STIX 2.1 §7.3",
            "extension_properties",
        )


_TLP_1_PROPERTIES: Final = frozenset({"type", "spec_version", "id", "created", "definition_type", "name", "definition"})


def _marking_definition(data: dict[str, Any]) -> None:
    clause = "STIX 2.1 §7.2.1"
    own = data["id"]
    if own in data.get("object_marking_refs", ()) or any(
        marking.get("marking_ref") == own for marking in data.get("granular_markings", ())
    ):
        raise Broken("stix-marking", "must not mark itself", "STIX 2.1 §7.2.2")
    kind = data.get("definition_type")
    definition = data.get("definition")
    if "extensions" not in data and (kind is None or definition is None):
        raise Broken("stix-required", "must have definition_type and definition, or extensions", clause)
    if kind == "statement" and (definition is None or type(definition.get("statement")) is not str):
        raise Broken("stix-marking", "must have the text statement in its definition", "STIX 2.1 §7.2.1.3")
    if kind == "tlp" or own in TLP_1:
        colour = TLP_1.get(own, "")
        if (
            not colour
            or kind != "tlp"
            or definition != {"tlp": colour}
            or data["created"] != TLP_1_CREATED
            or data.get("name") != f"TLP:{colour.upper()}"
            or not data.keys() <= _TLP_1_PROPERTIES
        ):
            raise Broken(
                "stix-marking", "must be exactly one of the four TLP markings of the standard", "STIX 2.1 §7.2.1.4"
            )
    if own in TLP_2:
        label = TLP_2[own]
        extension = data.get("extensions", {}).get(TLP_2_EXTENSION, {})
        if (
            extension.get("tlp_2_0") != label
            or instant(data["created"]) != instant(TLP_2_CREATED)
            or data.get("name") != f"TLP:{label.upper()}"
            or kind is not None
        ):
            raise Broken(
                "stix-marking", f"must be exactly the published marking TLP:{label.upper()} of TLP 2.0", clause
            )


def _version_4(data: dict[str, Any], *contributing: str) -> None:
    if not any(name in data for name in contributing) and data["id"][-22] != "4":
        raise Broken(
            "stix-id", "must be a UUID of version 4, because no property contributes to its id", "STIX 2.1 §2.9", "id"
        )


def _artifact(data: dict[str, Any]) -> None:
    if "payload_bin" in data and "url" in data:
        raise Broken("stix-rule", "must have one of payload_bin and url, not both", "STIX 2.1 §6.1")
    if "url" in data and "hashes" not in data:
        raise Broken("stix-required", "must have hashes beside url", "STIX 2.1 §6.1")
    if "decryption_key" in data and "encryption_algorithm" not in data:
        raise Broken("stix-rule", "must not have a decryption_key without encryption_algorithm", "STIX 2.1 §6.1")
    _version_4(data, "hashes", "payload_bin")


def _email_message(data: dict[str, Any]) -> None:
    if data["is_multipart"] and "body" in data:
        raise Broken("stix-rule", "must not have a body, being multipart", "STIX 2.1 §6.6")
    if not data["is_multipart"] and "body_multipart" in data:
        raise Broken("stix-rule", "must not have body_multipart, not being multipart", "STIX 2.1 §6.6")
    _version_4(data, "from_ref", "subject", "body")


def _network_traffic(data: dict[str, Any]) -> None:
    if data.get("is_active") and "end" in data:
        raise Broken("stix-rule", "must not have an end while is_active is true", "STIX 2.1 §6.12")


_RULES: Final[Mapping[str, Rule]] = {
    "indicator": _indicator,
    "location": _location,
    "malware": _malware,
    "observed-data": _observed_data,
    "extension-definition": _extension_definition,
    "marking-definition": _marking_definition,
    "artifact": _artifact,
    "email-message": _email_message,
    "network-traffic": _network_traffic,
    "process": _version_4,
    "user-account": lambda data: _version_4(data, "account_type", "user_id", "account_login"),
    "windows-registry-key": lambda data: _version_4(data, "key", "values"),
    "x509-certificate": lambda data: _version_4(data, "hashes", "serial_number"),
}


def _resolve_selectors(data: dict[str, Any]) -> None:
    """Each selector points at something that is there (STIX 2.1 §7.2.3.1)."""
    for place_of, marking in enumerate(data["granular_markings"]):
        for selector in marking["selectors"]:
            place: Any = data
            for segment in selector.split("."):
                if segment[0] == "[":
                    index = int(segment[1:-1])
                    found = type(place) is list and index < len(place)
                    place = place[index] if found else None
                else:
                    found = type(place) is dict and segment in place
                    place = place[segment] if found else None
                if not found:
                    raise Broken(
                        "stix-selector",
                        f"points at {selector[:80]}, which is not in the object",
                        "STIX 2.1 §7.2.3.1",
                        f"granular_markings[{place_of}].selectors",
                    )


# --- objects inside observed-data (deprecated, STIX 2.1 §4.14)


def _observables(value: Any) -> None:
    if type(value) is not dict:
        raise wrong(value, "a dictionary of cyber-observable objects", "STIX 2.1 §4.14")
    if not value:
        raise empty()
    for key, inner in value.items():
        try:
            if type(inner) is not dict:
                raise wrong(inner, "an object", "STIX 2.1 §4.14")
            type_ = inner.get("type")
            if type(type_) is not str or type_ in OBJECTS or not is_type_name(type_):
                raise Broken("stix-object", "must have the type of a cyber-observable object", "STIX 2.1 §4.14")
            _CONTAINED.get(type_, _contained_custom)(inner)
            if type_of(inner["id"]) != type_:
                raise Broken("stix-id", f"must be {type_}--<UUID>", "STIX 2.1 §2.9", "id")
            shape = OBSERVABLES.get(type_)
            if shape is not None:
                _resolve_contained(inner, shape, value)
        except Broken as broken:
            raise broken.under(key[:60]) from None


def _resolve_contained(inner: dict[str, Any], shape: Shape, objects: dict[str, Any]) -> None:
    for name, kind in shape.kinds.items():
        words = kind.removeprefix("list ").split()
        if words[0] != "ref" or name not in inner or name == "object_marking_refs":
            continue
        targets = inner[name] if kind.startswith("list") else [inner[name]]
        for target in targets:
            beside = objects.get(target)
            target_type = beside.get("type") if type(beside) is dict else type_of(target)
            if target_type is None:
                raise Broken(
                    "stix-reference",
                    f"names {target[:80]!r}, which is neither a key beside it nor an id",
                    shape.clause,
                    name,
                )
            if len(words) > 1 and target_type not in words[1:]:
                raise Broken(
                    "stix-reference",
                    f"must name {' or '.join(words[1:])}, not {str(target_type)[:60]}",
                    shape.clause,
                    name,
                )


# --- dispatch


def _for_unknown(data: dict[str, Any], type_: Any) -> Rule:
    """Types the standard does not define: the common properties of what it looks like (STIX 2.1 §7.3, §11.2)."""
    if type(type_) is not str:
        raise InputRefused(
            "stix-object", "The object has no text type, so it is no STIX object.", clause="STIX 2.1 §3.2"
        )
    if len(type_) > 250 or not is_type_name(type_):
        why = "a bundle inside of another file is no object" if type_ == "bundle" else "is no object type"
        raise InputRefused(
            "stix-object", f"{type_[:60]!r} {why}; types are 3 to 250 of a-z, 0-9 and -.", clause="STIX 2.1 §3.4"
        )
    identifier = data.get("id")
    if type(identifier) is str and type_of(identifier) != type_:
        _refuse(data, Broken("stix-id", f"must be {type_[:60]}--<UUID>", "STIX 2.1 §2.9", "id"))
    extensions = data.get("extensions")
    kinds: set[Any] = set()
    if type(extensions) is dict:
        kinds = {
            body.get("extension_type")
            for body in extensions.values()
            if type(body) is dict and type(body.get("extension_type")) is str
        }
    if "new-sco" in kinds:
        return _custom_observable
    if "new-sdo" in kinds or "new-sro" in kinds or "created" in data or "modified" in data:
        return _custom_object
    return _custom_observable


_contained_custom: Final = _compile(CUSTOM_OBSERVABLE, contained=True, top=True)
_CONTAINED: Final[Mapping[str, Rule]] = {
    name: _compile(shape, _RULES.get(name), contained=True, top=True) for name, shape in OBSERVABLES.items()
}
_custom_object: Final = _compile(CUSTOM_OBJECT, top=True)
_custom_observable: Final = _compile(CUSTOM_OBSERVABLE, top=True)
_CHECKS: Final[Mapping[str, Rule]] = {
    name: _compile(shape, _RULES.get(name), type_=name, top=True)
    for name, shape in (*OBJECTS.items(), *OBSERVABLES.items())
}
