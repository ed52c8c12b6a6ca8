"""Views: which properties of an object a party gets, and the redaction that leaves a valid object behind.

Three kinds of view: `FULL`; `INDICATOR`, what makes a pattern or an observable usable; and those an agreement
defines as a list of top-level properties to remove. The rules of redaction (docs/formats/view.md):

- type, id, versions, creator, revocation and markings always stay; no view may name them.
- What STIX 2.1 requires is never removed: where a view would remove it, or the last of an "at least one of", the
  object is withheld (`view-impossible`). Where a reference that may not be shown stands there, likewise
  (`reference-shown`).
- A list with no shown element is dropped. A list that a granular marking addresses by index goes whole or stays.
- A granular marking falls with its target, and only with it.
- The extension by which an object says what type it is stays.
- Marking and extension definitions are never redacted. A translation (`language-content`) of a property that the
  view removes is withheld.
- A redacted object says so under `extensions`: view, removed (how many properties and elements are
  hidden), clause, and how many references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final, Literal

from comity.kernel.errors import InputRefused
from comity.kernel.model.properties import OBJECTS, OBSERVABLES, Shape
from comity.kernel.seal.commitment import VIEW_EXTENSION, Path, is_container, paths
from comity.kernel.seal.commitment import strip as strip

FIXED: Final = frozenset(
    [
        "type",
        "id",
        "spec_version",
        "created",
        "modified",
        "created_by_ref",
        "revoked",
        "object_marking_refs",
        "granular_markings",
    ]
)
"""What no view may name. `revoked` is among them because a revoked object without it reads as a valid one."""

TYPE_DEFINING: Final = frozenset({"new-sdo", "new-sco", "new-sro", "toplevel-property-extension"})
"""Kinds of extension without which other properties of the object make no sense (STIX 2.1 §7.3)."""

_WHOLE: Final = frozenset({"marking-definition", "extension-definition"})

# Properties that fall with another one, or the object would contradict itself (STIX 2.1 §4.10, §6.1).
_FALLS_WITH: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "location": {"latitude": ("longitude", "precision"), "longitude": ("latitude", "precision")},
    "artifact": {"encryption_algorithm": ("decryption_key",), "hashes": ("url",)},
}

_USABLE: Final[Mapping[str, str]] = {
    "*": "confidence defanged",
    "indicator": "pattern pattern_type pattern_version valid_from valid_until indicator_types",
    "artifact": "hashes url payload_bin mime_type",
    "autonomous-system": "number",
    "directory": "path",
    "domain-name": "value",
    "email-addr": "value",
    "email-message": "is_multipart from_ref subject",
    "file": "hashes name size",
    "ipv4-addr": "value",
    "ipv6-addr": "value",
    "mac-addr": "value",
    "mutex": "name",
    "network-traffic": "protocols src_ref dst_ref src_port dst_port",
    "process": "command_line",
    "software": "name vendor version cpe",
    "url": "value",
    "user-account": "user_id account_login account_type",
    "windows-registry-key": "key values",
    "x509-certificate": "hashes serial_number issuer subject",
    "location": "country region",
    "malware-analysis": "result",
    "observed-data": "object_refs",
}

Reason = Literal["view-impossible", "reference-shown"]


@dataclass(frozen=True, slots=True)
class View:
    """A named set of properties: either all but `remove`, or only `keep`, as pairs (type or ``*``, property).

    A view that keeps shows in addition what always stays and what STIX requires of the type.

    Raises:
        InputRefused: `view-fixed` when it would remove what always stays.
    """

    name: str
    remove: frozenset[str] | None = frozenset()
    keep: frozenset[tuple[str, str]] | None = None

    def __post_init__(self) -> None:
        fixed = (self.remove or frozenset()) & FIXED
        if fixed:
            raise InputRefused(
                "view-fixed",
                f"The view {self.name} would remove {', '.join(sorted(fixed))}, which always stays.",
                clause="docs/formats/view.md",
            )

    def shows(self, name: str, stix_type: str) -> bool:
        """Whether a top-level property of an object of that type is shown."""
        if self.keep is None:
            return name not in (self.remove or ())
        shape = _shape(stix_type)
        return (
            name in FIXED
            or ("*", name) in self.keep
            or (stix_type, name) in self.keep
            or (shape is not None and name in shape.required)
        )


FULL: Final = View("full")
INDICATOR: Final = View(
    "indicator", None, frozenset((kind, name) for kind, names in _USABLE.items() for name in names.split())
)
BUILT_IN: Final[Mapping[str, View]] = {"full": FULL, "indicator": INDICATOR}


@dataclass(frozen=True, slots=True)
class Redacted:
    """What of an object may be shown.

    `data` is the view, `shown` the paths of its opened leaves in the object it was cut from (for `disclosure`),
    `removed` what was taken out, as selectors, `hidden_refs` how many references are hidden because their target is
    not shown.
    """

    data: dict[str, Any]
    shown: frozenset[Path]
    removed: tuple[str, ...]
    hidden_refs: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """The object cannot be shown under that view: why, and the properties that stand in the way."""

    reason: Reason
    properties: tuple[str, ...]


def narrower(a: View, b: View, stix_type: str | None = None) -> bool:
    """Whether what `a` shows is strictly contained in what `b` shows, of one type or of every type.

    A view that removes shows all properties that it does not name, so no list of removed properties is narrower
    than a view that keeps. Where neither contains the other it is false both ways.
    """
    if a.keep is None:
        return b.keep is None and (b.remove or frozenset()) < (a.remove or frozenset())
    if b.keep is None:
        return not (_kept(a, stix_type) & (b.remove or frozenset()))
    types = {stix_type} if stix_type else _types(a, b)
    return all(_kept(a, one) <= _kept(b, one) for one in types) and any(_kept(a, one) < _kept(b, one) for one in types)


def redact(
    data: Mapping[str, Any],
    view: View,
    *,
    hide_refs: Iterable[str | tuple[str, int] | tuple[str, str]] | Mapping[Any, int] = (),
    clause: str = "",
) -> Redacted | Withheld:
    """Cut an object down to a view.

    Args:
        data: The object, or a redacted view of it that is passed on.
        view: What the clause lets the party see.
        hide_refs: Where references stand whose target the party is not shown: a top-level property, or (list
            property, index), or ("extensions", key). A mapping gives how many references stand there; otherwise
            each counts one.
        clause: The clause, as the view says it: ``<agreement id>#<number>``.

    Returns:
        `Redacted`, a valid STIX 2.1 object if `data` was one, or `Withheld`.

    Raises:
        InputRefused: `not-canonical`, `not-sealable`: such an object was never sealed.
    """
    whole = strip(data)
    stix_type = str(whole.get("type"))
    cut = Cut(whole)
    if stix_type not in _WHOLE:
        for name in whole:
            if not view.shows(name, stix_type) and not (view.keep is not None and name in required(whole)):
                cut.take_property(name)
    translated = _translated(whole, view)
    if cut.impossible() or translated:
        return Withheld("view-impossible", cut.impossible() or translated)
    hidden_refs = 0
    counts: Mapping[Any, int] = hide_refs if isinstance(hide_refs, Mapping) else dict.fromkeys(hide_refs, 1)
    for place, count in counts.items():
        name = place if isinstance(place, str) else place[0]
        step = None if isinstance(place, str) else place[1]
        if name not in whole or cut.gone(name, step):
            continue
        if name in FIXED or stix_type in _WHOLE:
            return Withheld("reference-shown", (name,))
        hidden_refs += cut.take_property(name) if step is None else cut.take_step(name, step)
        hidden_refs += max(count, 1) - 1
    if cut.impossible():
        return Withheld("reference-shown", cut.impossible())
    if not cut.removed:
        return Redacted(dict(data), cut.shown(), (), 0)
    if whole.get("extensions") == {}:
        cut.take_property("extensions")  # what the view says of itself would stand in its place
    shown = cut.shown()
    redacted = cut.data()
    said: dict[str, Any] = {"extension_type": "property-extension", "view": view.name}
    said["removed"] = sum(path[-1] != "#" for path in cut.leaves if path not in shown) + _said_before(data, "removed")
    said["clause"] = clause
    hidden_before = _said_before(data, "references_hidden")
    if hidden_refs + hidden_before:
        said["references_hidden"] = hidden_refs + hidden_before
    redacted["extensions"] = {**redacted.get("extensions", {}), VIEW_EXTENSION: said}
    return Redacted(redacted, shown, cut.removed, hidden_refs)


class Cut:
    """An object from which parts are taken; it keeps lists, granular markings and dependent properties consistent."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._type = str(data.get("type"))
        self.leaves = paths(data)
        self._properties: set[str] = set()
        self._steps: dict[str, set[str | int]] = {}
        self._indexed = {
            selector.split(".", 1)[0] for selector in _selectors(data) if selector.partition(".")[2].startswith("[")
        }

    def gone(self, name: str, step: str | int | None = None) -> bool:
        """Whether a property, or an element of it, is taken already."""
        return name in self._properties or (step is not None and step in self._steps.get(name, ()))

    def take_property(self, name: str) -> int:
        """Take a whole property, and what falls with it; gives the number of its elements not taken before, at
        least 1."""
        value = self._data[name]
        if name == "extensions" and isinstance(value, dict):
            staying = {key for key, one in value.items() if _only_says_type(one)}
            if staying:
                return sum(self.take_step(name, key) for key in value if key not in staying)
        before = len(self._steps.pop(name, ()))
        self._properties.add(name)
        for other in _FALLS_WITH.get(self._type, {}).get(name, ()):
            if other in self._data and other not in self._properties:
                self.take_property(other)
        return max(1, len(value) - before) if is_container(name, value) else 1

    def take_step(self, name: str, step: str | int) -> int:
        """Take one element of a container, or all where a marking addresses it by index; gives how many were taken."""
        value = self._data[name]
        if not is_container(name, value) or name == "granular_markings" or name in self._indexed:
            return self.take_property(name)
        there = step in value if isinstance(value, dict) else type(step) is int and 0 <= step < len(value)
        if not there:
            return 0
        taken = self._steps.setdefault(name, set())
        taken.add(step)
        if len(taken) == len(value):
            self._steps.pop(name)
            self._properties.add(name)
        return 1

    def impossible(self) -> tuple[str, ...]:
        """The properties that STIX requires and that are taken, or the groups of which it requires one."""
        stands = required(self._data)
        broken = {name for name in self._properties if name in stands or name in FIXED}
        shape = _shape(self._type)
        for group in shape.any_of if shape else ():
            if group & self._data.keys() and not group & (self._data.keys() - self._properties):
                broken |= group & self._data.keys()
        extensions = self._data.get("extensions")
        if isinstance(extensions, dict):
            broken |= {
                f"extensions.{key}"
                for key, one in extensions.items()
                if _defines(one) and self._taken("extensions", key)
            }
        return tuple(sorted(broken))

    def _taken(self, name: str, step: str | int) -> bool:
        return name in self._properties or step in self._steps.get(name, ())

    def _falls(self, selector: object) -> bool:
        if not isinstance(selector, str):
            return False
        if selector.split(".", 1)[0] in self._properties:
            return True
        return any(
            selector == f"extensions.{key}" or selector.startswith(f"extensions.{key}.")
            for key in self._steps.get("extensions", ())
        )

    def _fallen(self, path: Path) -> bool:
        """Whether a granular leaf falls with its target."""
        entry = self._data["granular_markings"][path[1]]
        return len(path) == 3 and self._falls(entry["selectors"][path[2]])

    def _hidden(self, path: Path) -> bool:
        name = str(path[0])
        if name in self._properties:
            return True
        if len(path) == 1:
            return False
        if name == "granular_markings" and path[1] != "#":
            return self._fallen(path)
        return path[1] in self._steps.get(name, ())

    def shown(self) -> frozenset[Path]:
        """The paths of the leaves that stay; the length of a container only where all of it stays."""
        hidden = {path for path in self.leaves if self._hidden(path)}
        cut = {path[0] for path in hidden}
        return frozenset(
            path
            for path in self.leaves
            if path not in hidden and not (len(path) == 2 and path[1] == "#" and path[0] in cut)
        )

    @property
    def removed(self) -> tuple[str, ...]:
        """What was taken, as selectors."""
        steps = ((name, step) for name, taken in self._steps.items() for step in taken)
        named = {f"{name}.[{step}]" if isinstance(step, int) else f"{name}.{step}" for name, step in steps}
        return tuple(sorted(self._properties | named))

    def data(self) -> dict[str, Any]:
        """The object without what was taken."""
        kept: dict[str, Any] = {}
        for name, value in self._data.items():
            taken = self._steps.get(name)
            if name in self._properties:
                continue
            if name == "granular_markings" and is_container(name, value):
                value = self._granular(value)
                if not value and self._data[name]:
                    continue
            elif taken and isinstance(value, dict):
                value = {key: one for key, one in value.items() if key not in taken}
            elif taken:
                value = [one for index, one in enumerate(value) if index not in taken]
            kept[name] = value
        return kept

    def _granular(self, entries: Iterable[Any]) -> list[Any]:
        kept: list[Any] = []
        for entry in entries:
            selectors = _selectors_of(entry)
            staying = [selector for selector in selectors if not self._falls(selector)]
            if len(staying) == len(selectors):
                kept.append(entry)
            elif staying:
                kept.append({**entry, "selectors": staying})
        return kept


def required(data: Mapping[str, Any]) -> frozenset[str]:
    """The properties STIX requires of this object."""
    stix_type = str(data.get("type"))
    shape = _shape(stix_type)
    names = shape.required if shape else frozenset()
    # STIX 2.1 §4.11: the name of a malware family is required.
    return names | {"name"} if stix_type == "malware" and data.get("is_family") is True else names


def _shape(stix_type: str) -> Shape | None:
    return OBJECTS.get(stix_type) or OBSERVABLES.get(stix_type)


def _defines(extension: object) -> bool:
    kind = extension.get("extension_type") if isinstance(extension, dict) else None
    return isinstance(kind, str) and kind in TYPE_DEFINING


def _only_says_type(extension: object) -> bool:
    return _defines(extension) and isinstance(extension, dict) and len(extension) == 1


def _selectors_of(entry: object) -> list[Any]:
    """The selectors of an entry that is committed to selector by selector, else none."""
    selectors = entry.get("selectors") if isinstance(entry, dict) else None
    if isinstance(entry, dict) and isinstance(selectors, list | tuple) and "selector" not in entry:
        return list(selectors)
    return []


def _selectors(data: Mapping[str, Any]) -> Iterable[str]:
    entries = data.get("granular_markings")
    for entry in entries if isinstance(entries, list | tuple) else ():
        selectors = entry.get("selectors") if isinstance(entry, dict) else None
        for selector in selectors if isinstance(selectors, list | tuple) else ():
            if isinstance(selector, str):
                yield selector


def _translated(data: Mapping[str, Any], view: View) -> tuple[str, ...]:
    """STIX 2.1 §7.1: the properties translated in a language-content object that the view removes from its target."""
    contents = data.get("contents")
    if data.get("type") != "language-content" or not isinstance(contents, dict):
        return ()
    target = str(data.get("object_ref")).split("--", 1)[0]
    names = {name for one in contents.values() if isinstance(one, dict) for name in one}
    return tuple(sorted(f"contents.{name}" for name in names if not view.shows(name, target)))


def _said_before(data: Mapping[str, Any], name: str) -> int:
    """What the view says that is now cut further."""
    extensions = data.get("extensions")
    said = extensions.get(VIEW_EXTENSION) if isinstance(extensions, dict) else None
    number = said.get(name) if isinstance(said, dict) else None
    return number if type(number) is int and 0 <= number < 2**32 else 0


def _types(*views: View) -> set[str]:
    return {kind for view in views for kind, _ in view.keep or () if kind != "*"} | {*OBJECTS, *OBSERVABLES}


def _kept(view: View, stix_type: str | None) -> Set[str]:
    """What a keeping view shows beside what always stays, of one type or of any."""
    if stix_type is None:
        return {name for one in _types(view) for name in _kept(view, one)}
    shape = _shape(stix_type)
    kept = {name for kind, name in view.keep or () if kind in ("*", stix_type)}
    return (kept | (shape.required if shape else frozenset())) - FIXED
