"""Who is to be listed, read from a file as FollowTheMoney writes an entity, and written out with its ``Sanction``.

Read strictly: a schema of persons and bodies, a name, properties with texts. Names of property are FollowTheMoney's, and one that is
not known here is kept. What another program keeps beside the entity, such as where it found it, is left out: only what identifies.
Source: FollowTheMoney, schemata Person, Organization, Company, PublicBody, LegalEntity, Sanction.
"""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from comity.desks.measures.kinds import Subject
from comity.kernel.errors import InputRefused
from comity.kernel.model.strictjson import read as read_json
from comity.node.facts import whole

PERSON: Final = "Person"
SCHEMATA: Final = (PERSON, "Organization", "Company", "PublicBody", "LegalEntity")
MOST_VALUES: Final = 500
LONGEST: Final = 2_000

IDENTIFYING: Final = {
    "person_fields": {
        "names": ("name",),
        "aliases": ("alias", "weakAlias"),
        "date_of_birth": ("birthDate",),
        "place_of_birth": ("birthPlace",),
        "nationality": ("nationality", "citizenship"),
        "passport_or_id_number": ("passportNumber", "idNumber"),
        "gender": ("gender",),
        "address": ("address",),
        "function_or_profession": ("position", "profession"),
    },
    "entity_fields": {
        "name": ("name",),
        "place_of_registration": ("jurisdiction",),
        "date_of_registration": ("incorporationDate",),
        "registration_number": ("registrationNumber",),
        "place_of_business": ("address", "mainCountry"),
    },
}
"""For each field of toolbox.yaml `listing_file`, the properties of FollowTheMoney that hold it."""

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}", re.ASCII)
_DATE: Final = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


def read_subject(file: bytes) -> Subject:
    """The entity in a file: ``{"schema", "properties": {name: [values]}}``, or its properties beside the schema.

    Raises:
        InputRefused: `listing-subject`, and what strict JSON refuses.
    """
    data = read_json(file)
    if not isinstance(data, dict):
        _refuse("the file holds one entity, a JSON object")
    schema = data.get("schema")
    if schema not in SCHEMATA:
        _refuse(f"its schema is one of {', '.join(SCHEMATA)}")
    said = data.get("properties")
    if said is None:
        said = {name: value for name, value in data.items() if name not in ("schema", "id", "caption")}
    if not isinstance(said, dict):
        _refuse("its properties are a table of names and values")
    properties = {str(name): _values(str(name), value) for name, value in said.items()}
    if not properties.get("name"):
        _refuse("it has no name")
    if sum(map(len, properties.values())) > MOST_VALUES:
        _refuse(f"it has more than {MOST_VALUES} values")
    id, caption = data.get("id"), data.get("caption")
    if any(item is not None and (not isinstance(item, str) or len(item) > LONGEST) for item in (id, caption)):
        _refuse("its id and caption are texts")
    return Subject(schema=str(schema), properties=properties, id=id, caption=caption)


def _values(name: str, value: Any) -> tuple[str, ...]:
    if _NAME.fullmatch(name) is None:
        _refuse(f"{name[:40]!r} is no name of a property")
    values = value if isinstance(value, list) else [value]
    for one in values:
        if not isinstance(one, str) or not one.strip() or len(one) > LONGEST:
            _refuse(f"each value of {name} is a text of at most {LONGEST} characters")
        if name.endswith("Date") and _DATE.fullmatch(one) is None:
            _refuse(f"{name} is a date, such as 1980, 1980-05 or 1980-05-17")
    return tuple(dict.fromkeys(values))


def _refuse(why: str) -> NoReturn:
    raise InputRefused("listing-subject", f"This is nobody that can be listed: {why} (docs/formats/measures.md).")


def not_stated(subject: Subject) -> tuple[str, ...]:
    """The identifying data of a listing file that the subject lacks, in the words of the toolbox."""
    fields = "person_fields" if subject.schema == PERSON else "entity_fields"
    wanted = whole("toolbox")["sanctions_regime"]["listing_file"][fields]
    held = {name for name, values in subject.properties.items() if values}
    return tuple(field for field in wanted if not held & set(IDENTIFYING[fields].get(field, ())))


def name_of_subject(subject: Subject) -> str:
    """What it is called in one line."""
    return subject.caption or next(iter(subject.properties.get("name", ())), "(name not stated)")


def entity(subject: Subject, id: str) -> dict[str, Any]:
    """The subject as FollowTheMoney writes it.

    Args:
        id: What it is called where the file gave it no id.
    """
    return {
        "id": subject.id or id,
        "schema": subject.schema,
        "caption": name_of_subject(subject),
        "properties": {name: list(values) for name, values in subject.properties.items()},
    }
