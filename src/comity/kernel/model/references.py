"""What an object refers to: every identifier in a property named ``*_ref`` or ``*_refs``, at any depth, and its
extensions.

STIX 2.1 §2.9, §3.2, §7.2, §7.3. Release decides by these whether a property may be shown, so none may be missed: the
name of the property counts, not the type it stands in, and an identifier in a list below such a name counts too. A
text that is no identifier names nothing and is left out (the keys ``"0"`` of the deprecated ``objects`` of
observed-data).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from comity.kernel.model.kinds import type_of
from comity.kernel.model.properties import CUSTOM_OBJECT, OBJECTS, OBSERVABLES

Kind = Literal["object", "marking", "extension", "creator"]


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference.

    Args:
        property: The top-level property it stands in.
        path: Where it stands, in the syntax of a granular marking selector: ``object_refs.[3]``,
            ``extensions.extension-definition--….task_refs.[0]``.
        target: The identifier as written.
        kind: `marking` for a marking definition, `extension` for the key of an extension, `creator` for
        ``created_by_ref``
            of the object itself, `object` for all else.
    """

    property: str
    path: str
    target: str
    kind: Kind


def references(data: dict[str, Any]) -> tuple[Reference, ...]:
    """All references of an object, in the order they are written.

    Args:
        data: A decoded STIX object.

    Raises:
        Nothing.
    """
    found: list[Reference] = []
    for name, value in data.items():
        if type(value) is str:
            if name.endswith("_ref") and type_of(value) is not None:
                found.append(Reference(name, name, value, "creator" if name == "created_by_ref" else "object"))
        elif type(value) is list or type(value) is dict:
            for path, target, kind in _below(name, value, name):
                found.append(Reference(name, path, target, kind))
    return tuple(found)


def _below(name: str, value: list[Any] | dict[str, Any], path: str) -> Iterator[tuple[str, str, Kind]]:
    """(path, target, kind) of what stands below `value`, which is the value of the property `name`."""
    return _listed(name, value, path) if isinstance(value, list) else _mapped(name, value, path)


def _listed(name: str, value: list[Any], path: str) -> Iterator[tuple[str, str, Kind]]:
    refers = name.endswith(("_refs", "_ref"))
    marking: Kind = "marking" if name == "object_marking_refs" else "object"
    for index, item in enumerate(value):
        if type(item) is str:
            if refers:
                target_type = type_of(item)
                if target_type is not None:
                    kind: Kind = marking if target_type == "marking-definition" else "object"
                    yield f"{path}.[{index}]", item, kind
        elif type(item) is list or type(item) is dict:
            yield from _below(name, item, f"{path}.[{index}]")


def _mapped(name: str, value: dict[str, Any], path: str) -> Iterator[tuple[str, str, Kind]]:
    for key, item in value.items():
        if name == "extensions" and type_of(key) == "extension-definition":
            yield f"{path}.{key}", key, "extension"
        if type(item) is str:
            if key.endswith(("_ref", "_refs")):
                target_type = type_of(item)
                if target_type is not None:
                    marks = key == "marking_ref" and target_type == "marking-definition"
                    yield f"{path}.{key}", item, "marking" if marks else "object"
        elif type(item) is list or type(item) is dict:
            yield from _below(key, item, f"{path}.{key}")


_REQUIRED: Final = {
    type_: frozenset(name for name in shape.required if name.endswith(("_ref", "_refs")))
    for type_, shape in (*OBJECTS.items(), *OBSERVABLES.items())
}


@lru_cache(maxsize=256)
def required_references(type: str) -> frozenset[str]:
    """The reference properties without which an object of this type is not valid (``source_ref`` of a relationship).

    Nothing for types the standard does not define, whose common properties require no reference.
    """
    return _REQUIRED.get(type, frozenset(name for name in CUSTOM_OBJECT.required if name.endswith(("_ref", "_refs"))))
