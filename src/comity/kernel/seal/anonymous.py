"""Hidden source: a new object that says what a source said, and nothing of who said it.

The new object has its own id and instants, and carries only properties that STIX 2.1 gives its type; of those, what
tells of a source goes: creator, external references, labels, authors, who saw it and where, and whatever names one
of the texts to hide (the original's id, its creator, the source). `valid_from` and `valid_until` are cut to the
day. It is sealed with role `anonymous`, and the seal holds a salted commitment to the original
(`comity.kernel.seal.seals`). Nothing here reads a clock or draws an id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NoReturn
from uuid import UUID

from comity.kernel.errors import NotAllowed
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import DAY, Instant, format, parse
from comity.kernel.model.properties import EXTENSIONS, OBJECTS, OBSERVABLES
from comity.kernel.model.vocabularies import TLP_1, TLP_2
from comity.kernel.seal.commitment import is_container, strip
from comity.kernel.seal.views import Cut

TLP_MARKINGS: Final = frozenset({*TLP_1, *TLP_2})
"""The markings that everybody uses and that therefore tell nothing of a source."""

SOURCE_FIELDS: Final = frozenset(
    [
        "created_by_ref",
        "external_references",
        "labels",
        "authors",
        "where_sighted_refs",
        "observed_data_refs",
        "contact_information",
    ]
)
"""Properties that tell who said it, and who saw it where."""

_NEVER: Final = frozenset({"marking-definition", "extension-definition", "language-content"})


def anonymise(
    data: Mapping[str, Any],
    *,
    new_id: str,
    at: Instant,
    own: Collection[str],
    source: str,
    created: Instant | None = None,
    renamed: Mapping[str, str] | None = None,
    hide: Collection[str] = (),
    neutral: Collection[str] = TLP_MARKINGS,
) -> dict[str, Any]:
    """A new object for a source that stays hidden.

    Args:
        data: The original.
        new_id: A random id of the same type; one for each original and title, also for its later versions.
        at: The instant of this version, its `modified`.
        own: The releasing party's id and the identities it speaks for.
        source: Who is to be hidden: a party or identity id.
        created: The `created` of the first version made under `new_id`; None when this is the first.
        renamed: Ids of other originals and of what stands for them, for references between hidden objects.
        hide: Further texts that would name the source, such as its name; compared without regard to case.
        neutral: Markings that tell nothing of a source.

    Raises:
        NotAllowed: `source-not-hideable` when the releasing party is the source itself, or what must stay names it.
        InputRefused: `not-canonical`, `not-sealable`, `timestamp`.
    """
    whole = strip(data)
    stix_type = whole.get("type")
    shape = OBJECTS.get(str(stix_type)) or OBSERVABLES.get(str(stix_type))
    creator = whole.get("created_by_ref")
    if source in own or creator in own:
        _refuse("the releasing party is itself the source")
    if shape is None or stix_type in _NEVER:
        _refuse(f"nobody can tell what of a {stix_type} names its source")
    if type_of(new_id) != stix_type or new_id == whole.get("id") or UUID(new_id.split("--", 1)[1]).version != 4:
        _refuse("the new object needs a random id of its type")
    for marking in _markings(whole):
        if marking not in neutral:
            _refuse(f"the marking {marking} always stays and may name it")
    names = {text.casefold() for text in (*hide, source, whole.get("id"), creator) if isinstance(text, str) and text}
    moved = {name: _moved(value, renamed or {}) for name, value in whole.items()}
    moved["id"] = new_id
    cut = Cut(moved)
    standard = EXTENSIONS[str(stix_type)] if str(stix_type) in EXTENSIONS else frozenset[str]()
    for name, value in moved.items():
        if name not in shape.kinds or name in SOURCE_FIELDS:
            cut.take_property(name)
        elif name == "extensions" and isinstance(value, dict):
            for key, one in value.items():
                if key not in standard or _names(one, names):
                    cut.take_step(name, key)
        elif name != "granular_markings" and _names(value, names):
            if is_container(name, value):
                for index, one in enumerate(value):
                    if _names(one, names):
                        cut.take_step(name, index)
            else:
                cut.take_property(name)
    # The creator goes here and nowhere else; an extension that defined properties goes with them.
    stands = [name for name in cut.impossible() if name != "created_by_ref" and not name.startswith("extensions.")]
    if stands:
        _refuse(f"{', '.join(stands)} must stay and names it")
    new = cut.data()
    if _names(new, names):  # a selector into what stays
        _refuse("what must stay names it")
    if "created" in shape.required:
        first = at if created is None else created
        if first > at:
            _refuse("its first version would be later than this one")
        new["created"], new["modified"] = format(first), format(at)
    _cut_to_day(new)
    return new


def _cut_to_day(new: dict[str, Any]) -> None:
    if "valid_from" not in new:
        return
    begins = parse(new["valid_from"]) // DAY * DAY
    new["valid_from"] = format(begins)
    if "valid_until" in new:
        # STIX 2.1 §4.7: valid_until is later than valid_from, so a validity of some hours becomes that day.
        new["valid_until"] = format(max(parse(new["valid_until"]) // DAY * DAY, begins + DAY))


def _moved(value: Any, renamed: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return renamed.get(value, value)
    if isinstance(value, list | tuple):
        return [_moved(one, renamed) for one in value]
    if isinstance(value, dict):
        return {key: _moved(one, renamed) for key, one in value.items()}
    return value


def _names(value: Any, names: Collection[str]) -> bool:
    if isinstance(value, str):
        folded = value.casefold()
        return any(name in folded for name in names)
    if isinstance(value, list | tuple):
        return any(_names(one, names) for one in value)
    if isinstance(value, dict):
        return any(_names(key, names) or _names(one, names) for key, one in value.items())
    return False


def _markings(data: Mapping[str, Any]) -> Iterator[str]:
    refs, entries = data.get("object_marking_refs"), data.get("granular_markings")
    for one in refs if isinstance(refs, list | tuple) else ():
        yield str(one)
    for entry in entries if isinstance(entries, list | tuple) else ():
        if isinstance(entry, dict) and "marking_ref" in entry:
            yield str(entry["marking_ref"])


def _refuse(why: str) -> NoReturn:
    raise NotAllowed("source-not-hideable", f"The source cannot be hidden here: {why}.", clause="docs/formats/view.md")
