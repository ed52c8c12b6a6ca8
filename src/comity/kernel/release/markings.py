"""Markings: what an object says in its own bytes about who may have it (TLP), what may be done with it (PAP), and
statements.

Read are `object_marking_refs`, `granular_markings` and labels like ``tlp:amber``; the stricter counts. The standard
definitions are known by id, whatever a file claims under that id; any other definition is read from its own bytes.

Forms of a definition that are read (each found in the wild):

    STIX 2.1 §7.2.1.4   definition_type ``tlp``, definition {"tlp": word}          (TLP 1; ``white`` is ``clear``)
    OASIS extension     extensions.extension-definition--60a3c5c5-….tlp_2_0        (TLP 2.0)
    OASIS extension     extensions.extension-definition--f8d78575-….pap            (PAP)
    by type             definition_type ``PAP`` or ``TLP`` in any case, definition {"PAP": "PAP:RED"} or {"pap": "red"}
    OpenCTI             x_opencti_definition_type and x_opencti_definition ``TLP:AMBER+STRICT``
    STIX 2.1 §7.2.1.3   definition_type ``statement``: kept as text; a statement that is only ``TLP:…`` or ``PAP:…``
    is read as such

What is not understood, cannot be resolved, or carries an extension this node does not know is `unread`: such an
object goes to nobody (style.md, "an unknown marking means withhold"). STIX 2.1 §7.2.3: the effective marking of an
object with granular markings is the strictest over its parts, unless a view removes every part so marked
(`Markings.without`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.release.vocabulary import PAP, TLP, strictest

TLP_2_EXTENSION: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
PAP_EXTENSION: Final = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"

KNOWN: Final[Mapping[str, tuple[str, str]]] = {
    # TLP 1: STIX 2.1 §7.2.1.4, the only permitted instances
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": ("tlp", "clear"),
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": ("tlp", "green"),
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": ("tlp", "amber"),
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": ("tlp", "red"),
    # TLP 2.0: OASIS cti-stix-common-objects, objects/marking-definition
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": ("tlp", "clear"),
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": ("tlp", "green"),
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": ("tlp", "amber"),
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": ("tlp", "amber+strict"),
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": ("tlp", "red"),
    # OpenCTI's AMBER+STRICT, older than OASIS's
    "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37": ("tlp", "amber+strict"),
    # PAP: OASIS cti-stix-common-objects, pap-marking-definition-f8d
    "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92": ("pap", "clear"),
    "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730": ("pap", "clear"),
    "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9": ("pap", "green"),
    "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab": ("pap", "amber"),
    "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e": ("pap", "red"),
}
"""The definitions of the standards: id to (scheme, word)."""

TLP_OF: Final[Mapping[str, str]] = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "amber+strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
"""TLP 2.0, as OASIS published the definitions (cti-stix-common-objects): what we write into the bytes of what is ours."""


def marked(data: Mapping[str, Any], tlp: str | None) -> dict[str, Any]:
    """The object with a TLP in place of the one it has; None leaves it as it is."""
    if tlp is None:
        return dict(data)
    others = [ref for ref in data.get("object_marking_refs", ()) if KNOWN.get(ref, ("", ""))[0] != "tlp"]
    return {**data, "object_marking_refs": [*others, TLP_OF[tlp]]}


_SCALES: Final = {"tlp": TLP, "pap": PAP}
_ALIASES: Final = {"white": "clear", "amber-strict": "amber+strict", "amber_strict": "amber+strict"}


@dataclass(frozen=True, slots=True)
class Part:
    """One selector of a granular marking and how strict the object is there; `unread`: markings not understood
    there.
    """

    selector: str
    tlp: str | None
    pap: str | None
    unread: tuple[str, ...] = ()

    @property
    def property(self) -> str:
        """The top-level property the selector lies in (STIX 2.1 §7.2.3.1)."""
        return self.selector.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Markings:
    """What an object's own markings say.

    Args:
        tlp, pap: The strictest over the whole object and all its parts; None: nobody marked it.
        unread: Ids of definitions, and labels, that this node cannot read, sorted.
        statements: Texts of statement markings, in order.
        whole: (tlp, pap) of the object-level markings and labels alone.
        whole_unread: What of `unread` marks the whole object.
        parts: The granular markings, one a selector, in order.
    """

    tlp: str | None
    pap: str | None
    unread: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    whole: tuple[str | None, str | None] = (None, None)
    whole_unread: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    def without(self, removed: Collection[str]) -> Markings:
        """The markings that still count when a view removes these top-level properties."""
        parts = tuple(part for part in self.parts if part.property not in removed)
        return _gathered(self.whole, self.whole_unread, self.statements, parts)


def read_markings(data: Mapping[str, Any], resolve: Callable[[str], Mapping[str, Any] | None]) -> Markings:
    """Read what an object's markings say.

    Args:
        data: The object, decoded.
        resolve: Gives the marking definition of an id, or None; where rivals of one definition say different things it
            must give None, or a looser one would count.

    Returns:
        The markings; nothing in `data` makes it raise: what has the wrong shape is `unread`.
    """
    cache: dict[str, _Read] = {}

    def read(ref: Any) -> _Read:
        if not isinstance(ref, str):
            return _Read(unread=(str(type(ref).__name__),))
        if ref not in cache:
            cache[ref] = _definition(ref, resolve)
        return cache[ref]

    whole = [read(ref) for ref in _items(data.get("object_marking_refs"))]
    whole.extend(_label(label) for label in _items(data.get("labels")) if isinstance(label, str))
    statements = [text for one in whole for text in one.statements]
    parts: list[Part] = []
    for entry in _items(data.get("granular_markings")):
        if not isinstance(entry, Mapping):
            whole.append(_Read(unread=("granular_markings",)))
            continue
        if "marking_ref" not in entry:
            if "lang" not in entry:
                whole.append(_Read(unread=("granular_markings",)))
            continue
        one = read(entry["marking_ref"])
        statements.extend(one.statements)
        selectors = [selector for selector in _items(entry.get("selectors")) if isinstance(selector, str)]
        if not selectors:
            whole.append(one)
        parts.extend(Part(selector, one.tlp, one.pap, one.unread) for selector in selectors)
    levels = (strictest(TLP, tuple(one.tlp for one in whole)), strictest(PAP, tuple(one.pap for one in whole)))
    unread = tuple(sorted({name for one in whole for name in one.unread}))
    return _gathered(levels, unread, tuple(dict.fromkeys(statements)), tuple(parts))


def words(data: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(TLP, PAP) that a marking definition states in its own bytes, each None where it states none or none we know."""
    read = _read(data, "")
    return read.tlp, read.pap


@dataclass(frozen=True, slots=True)
class _Read:
    tlp: str | None = None
    pap: str | None = None
    statements: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def _gathered(
    whole: tuple[str | None, str | None],
    whole_unread: tuple[str, ...],
    statements: tuple[str, ...],
    parts: tuple[Part, ...],
) -> Markings:
    return Markings(
        tlp=strictest(TLP, (whole[0], *(part.tlp for part in parts))),
        pap=strictest(PAP, (whole[1], *(part.pap for part in parts))),
        unread=tuple(sorted({*whole_unread, *(name for part in parts for name in part.unread)})),
        statements=statements,
        whole=whole,
        whole_unread=whole_unread,
        parts=parts,
    )


def _items(value: Any) -> list[Any]:
    """A list as it is, nothing for what is absent, and one unreadable item for anything else."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [None]


def _definition(ref: str, resolve: Callable[[str], Mapping[str, Any] | None]) -> _Read:
    if ref in KNOWN:
        scheme, word = KNOWN[ref]
        return _Read(**{scheme: word})  # type: ignore[arg-type]
    data = resolve(ref)
    if not isinstance(data, Mapping) or data.get("type") != "marking-definition":
        return _Read(unread=(ref,))
    return _read(data, ref)


def _read(data: Mapping[str, Any], ref: str) -> _Read:
    """Everything a definition states; one thing not understood makes all of it unread."""
    said: list[tuple[str, str | None]] = []  # (scheme, word); None: not a word of the scheme
    statements: list[str] = []
    strange = False
    extensions = data.get("extensions")
    for key, value in extensions.items() if isinstance(extensions, Mapping) else ():
        scheme = {TLP_2_EXTENSION: "tlp", PAP_EXTENSION: "pap"}.get(key)
        if scheme is None or not isinstance(value, Mapping):
            strange = True
        else:
            said.append((scheme, _word(scheme, value.get("tlp_2_0" if scheme == "tlp" else "pap"))))
    opencti = _tagged(data.get("x_opencti_definition"))
    if "x_opencti_definition" in data:
        strange |= opencti is None
    if opencti is not None:
        said.append(opencti)
    kind, definition = data.get("definition_type"), data.get("definition")
    scheme = kind.lower() if isinstance(kind, str) else None
    if scheme in _SCALES and scheme is not None:
        values = list(definition.values()) if isinstance(definition, Mapping) else [definition]
        said.extend((scheme, _word(scheme, value)) for value in values or [None])
    elif scheme == "statement" and isinstance(definition, Mapping) and isinstance(definition.get("statement"), str):
        tagged = _tagged(definition["statement"])
        if tagged is not None:
            said.append(tagged)
        elif opencti is None:
            statements.append(definition["statement"])
    elif definition is not None:
        strange = True
    named = _tagged(data.get("name"))
    if named is not None:
        said.append(named)
    if strange or any(word is None for _, word in said) or not (said or statements):
        return _Read(statements=tuple(statements), unread=(ref,))
    return _Read(
        strictest(TLP, tuple(word for scheme, word in said if scheme == "tlp")),
        strictest(PAP, tuple(word for scheme, word in said if scheme == "pap")),
        tuple(statements),
    )


def _tagged(text: Any) -> tuple[str, str | None] | None:
    """``TLP:AMBER`` as (scheme, word); None for other text; a word that is not of the scheme is (scheme, None)."""
    if not isinstance(text, str):
        return None
    scheme, colon, _ = text.strip().lower().partition(":")
    return (scheme, _word(scheme, text)) if colon and scheme in _SCALES and " " not in text.strip() else None


def _word(scheme: str, value: Any) -> str | None:
    """A word of the scheme from ``red``, ``RED``, ``TLP:RED``; None where it is none."""
    if not isinstance(value, str):
        return None
    word = value.strip().lower().removeprefix(f"{scheme}:")
    word = _ALIASES.get(word, word)
    return word if word in _SCALES[scheme] else None


def _label(label: str) -> _Read:
    """A label counts as a marking where it is one: ``tlp:amber``, ``PAP:RED``; ``tlp:ex:chr`` and the like are
    unread.
    """
    tagged = _tagged(label)
    if tagged is None:
        return _Read()
    scheme, word = tagged
    return _Read(unread=(label,)) if word is None else _Read(**{scheme: word})  # type: ignore[arg-type]


def levels(markings: Markings) -> Iterator[tuple[str, str | None, str | None]]:
    """(selector, tlp, pap) of every marked part, the whole object first under ``""``: what a page shows."""
    yield "", *markings.whole
    yield from ((part.selector, part.tlp, part.pap) for part in markings.parts)
