"""An agreement as plain data (tables, lists, text, numbers) and back: the one place where what may not stand in it is
refused.

The TOML file, the signed JSON and the readable text are all read through `from_data`, so what one refuses all refuse.
No default gives: a permit says types, view, tlp, purpose, basis, onward and retention itself; an empty list is kept
and is nobody or nothing. Source: docs/agreement-language.md, section by key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, Final, NoReturn

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import DAY, Instant
from comity.kernel.model.names import flaw_of_name, flaw_of_quoted, flaw_of_text, looks_like
from comity.kernel.model.stretches import counted
from comity.kernel.release import purposes, vocabulary
from comity.kernel.release.agreement import (
    AccessionRule,
    AgreedProcedure,
    AgreedView,
    Agreement,
    AgreementParty,
    Clause,
    Duty,
    Group,
    Life,
    Reservation,
    Text,
)
from comity.kernel.release.lists import BASES, PURPOSES
from comity.kernel.seal.views import FIXED

Path = tuple[str | int, ...]
Locate = Callable[[Path], int | None]
ReadInstant = Callable[[Any], Instant]

FORM: Final = 1
MOST: Final = {
    "party": 500,
    "group": 200,
    "view": 200,
    "clause": 2000,
    "reservation": 500,
    "procedure": 100,
    "duty": 20,
    "list": 1000,
    "language": 20,
}
"""How many of a thing one agreement may hold."""

EARLIEST: Final = 0
LATEST: Final = instants.parse("9999-12-31T23:59:59.999999Z")
LONGEST: Final = 36_525 * DAY

TOP_KEYS: Final = (
    "form",
    "title",
    "language",
    "phrases",
    "previous",
    "party",
    "group",
    "life",
    "view",
    "clause",
    "procedure",
    "reservation",
)
PARTY_KEYS: Final = ("ref", "name", "id")
GROUP_KEYS: Final = ("ref", "members", "grows_by")
LIFE_KEYS: Final = (
    "enters_into_force",
    "ends",
    "signatures",
    "threshold",
    "accession",
    "withdrawal_notice",
    "after_end",
    "depositary",
    "succession",
    "lease",
    "silence",
    "law",
)
VIEW_KEYS: Final = ("name", "remove")
FACET_KEYS: Final = ("types", "tlp", "pap", "sectors", "countries", "caveats", "recipients", "cases")
TERM_KEYS: Final = ("view", "with_names", "source", "purpose", "basis", "onward", "retention")
CLAUSE_KEYS: Final = (
    *("number", "says", "from", "to"),
    *FACET_KEYS,
    *("min_confidence", "not_before", "not_after", "question", "officers"),
    *TERM_KEYS,
    "duty",
)
DUTY_KEYS: Final = ("do", "within")
PROCEDURE_KEYS: Final = ("table", "times", "zone", "working", "holidays", "closes")
RESERVATION_KEYS: Final = ("by", "clause", "text", "effect", "objection_within")
EFFECT_KEYS: Final = ("retention", "onward", "min_confidence")

_HEAD: Final = ("number", "says", "from", "to")
REQUIRED: Final = {
    "permit": (*_HEAD, "types", "tlp", "view", "purpose", "basis", "onward", "retention"),
    "refer": (*_HEAD, "question", "officers", "view", "purpose", "basis", "onward", "retention"),
    "prohibit": _HEAD,
}
"""Keys a clause must have; wire.md, "Agreement file": no default gives."""

FOREIGN: Final = {
    "permit": ("question", "officers"),
    "refer": (),
    "prohibit": (
        "min_confidence",
        "question",
        "officers",
        "view",
        "with_names",
        "source",
        "onward",
        "retention",
        "duty",
    ),
}
"""Keys a clause must not have, because they would say nothing in it."""

NEVER_REMOVED: Final = FIXED
"""What no view removes: wire.md, "Redaction"."""

ONWARD_BELOW: Final = {"none": ("none",), "with-consent": ("none", "with-consent")} | {
    "clients": ("none", "with-consent", "clients"),
    "members": ("none", "with-consent", "members"),
}
"""For each `onward` of a clause, those a reservation may put in its place."""

_REF: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+@-]{0,127}", re.ASCII)
_TYPE: Final = re.compile(r"[a-z](?:[a-z0-9]|-(?!-)){1,248}[a-z0-9]", re.ASCII)
_PROPERTY: Final = re.compile(r"[a-z][a-z0-9_]{1,249}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_LOWER: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CLOSES: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{0,31}", re.ASCII)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}", re.ASCII)
_PHRASES: Final = re.compile(r"[a-z][a-z0-9-]{0,63}/[1-9][0-9]{0,3}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COMMON_TYPES: Final = [
    "attack-pattern",
    "campaign",
    "course-of-action",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "location",
    "malware",
    "malware-analysis",
    "note",
    "observed-data",
    "opinion",
    "report",
    "threat-actor",
    "tool",
    "vulnerability",
    "relationship",
    "sighting",
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
]


def from_data(data: Any, *, line: Locate, instant: ReadInstant) -> Agreement:
    """Read an agreement from plain data.

    Args:
        data: What TOML or JSON gave; anything is allowed, what is wrong is refused.
        line: The line a path stands on, None where there are no lines.
        instant: Reads an instant as this writing spells it; raises ValueError with the end of a sentence.

    Raises:
        InputRefused: one of the `agreement-*` codes, with `line` and `path` in the detail.
    """
    return _Reader(line, instant).agreement(data)


def to_data(agreement: Agreement, instant: Callable[[Instant], Any]) -> dict[str, Any]:
    """The plain data of an agreement, keys in the order of the documentation; what was not written is left out."""
    life = agreement.life
    shape: dict[str, Any] = {
        "form": agreement.form,
        "title": dict(agreement.title),
        "language": list(agreement.languages),
        "phrases": agreement.phrases,
    }
    if agreement.previous is not None:
        shape["previous"] = agreement.previous
    shape["party"] = [{"ref": party.ref, "name": party.name, "id": party.id} for party in agreement.parties]
    if agreement.groups:
        shape["group"] = [
            _written({"ref": group.ref, "members": list(group.members), "grows_by": group.grows_by})
            for group in agreement.groups
        ]
    accession = life.accession
    shape["life"] = _written(
        {
            "enters_into_force": instant(life.enters_into_force),
            "ends": None if life.ends is None else instant(life.ends),
            "signatures": life.signatures,
            "threshold": life.threshold,
            "accession": None
            if accession is None
            else {"kinds": list(accession.kinds), "group": accession.group, "consent": accession.consent},
            "withdrawal_notice": life.withdrawal_notice,
            "after_end": life.after_end,
            "depositary": life.depositary,
            "succession": list(life.succession),
            "lease": life.lease,
            "silence": {"rule": life.silence_rule, "except": list(life.silence_except)},
            "law": None if life.law is None else dict(life.law),
        }
    )
    if agreement.views:
        shape["view"] = [{"name": view.name, "remove": list(view.remove)} for view in agreement.views]
    shape["clause"] = [_clause_data(clause, instant) for clause in agreement.clauses]
    if agreement.procedures:
        shape["procedure"] = [
            {
                "table": one.table,
                "times": dict(one.times),
                "zone": one.zone,
                "working": list(one.working),
                "holidays": list(one.holidays),
                "closes": one.closes,
            }
            for one in agreement.procedures
        ]
    if agreement.reservations:
        shape["reservation"] = [
            {
                "by": reservation.by,
                "clause": reservation.clause,
                "text": dict(reservation.text),
                "effect": dict(reservation.effect),
                "objection_within": reservation.objection_within,
            }
            for reservation in agreement.reservations
        ]
    return shape


def _clause_data(clause: Clause, instant: Callable[[Instant], Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "number": clause.number,
        "says": clause.says,
        "from": list(clause.sender),
        "to": list(clause.to),
    }
    for key in CLAUSE_KEYS[4:]:
        if key == "duty":
            value: Any = [{"do": duty.do, "within": duty.within} for duty in clause.duties] or None
        elif key == "with_names":
            value = clause.with_names or None
        elif key == "source":
            value = None if clause.source == "named" else clause.source
        else:
            value = getattr(clause, key)
            if key in {"not_before", "not_after"} and value is not None:
                value = instant(value)
        if value is not None:
            shape[key] = (
                list(value) if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
            )
    return shape


def _written(shape: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shape.items() if value is not None}


def tighter(effect: Mapping[str, str], clause: Clause) -> str | None:
    """Why a reservation's effect is not stricter than the clause, as a sentence; None where it is."""
    for key, value in effect.items():
        if key == "retention":
            if clause.retention is None or instants.duration(value) > instants.duration(clause.retention):
                return f"{value} is longer than the {clause.retention} of clause {clause.number}; only shorten it."
        elif key == "onward":
            if clause.onward is None or value not in ONWARD_BELOW[clause.onward]:
                return (
                    f"onward {value!r} gives more than {clause.onward!r} of clause {clause.number}; write {'none'!r}."
                )
        elif clause.says == "prohibit" or _rank(value) < _rank(clause.min_confidence):
            return (
                f"confidence {value!r} is below what clause {clause.number} asks for; a reservation may only raise it."
            )
    return None


def _rank(confidence: str | None) -> int:
    return -1 if confidence is None else vocabulary.CONFIDENCE.index(confidence)


class _Reader:
    """Reads one agreement; each method takes a value and the path it stands at."""

    def __init__(self, line: Locate, instant: ReadInstant) -> None:
        self._line = line
        self._instant = instant
        self._languages: tuple[str, ...] = ()

    # ---- refusing

    def _refuse(self, code: str, path: Path, sentence: str, **detail: Any) -> NoReturn:
        line = self._line(path)
        where = _say_path(path)
        if line is not None:
            raise InputRefused(code, f"Line {line}, {where}: {sentence}", line=line, path=where, **detail)
        raise InputRefused(code, f"At {where}: {sentence}", path=where, **detail)

    def _table(self, value: Any, path: Path, known: tuple[str, ...], required: Iterable[str] = ()) -> dict[str, Any]:
        if not isinstance(value, dict):
            self._refuse("agreement-kind", path, f"a table is expected, with the keys {', '.join(known)}.")
        for key in value:
            if key not in known:
                near = purposes.nearest(str(key), known)
                hint = f"did you mean {near!r}?" if near else f"the keys are {', '.join(known)}."
                self._refuse(
                    "agreement-unknown-key",
                    (*path, key),
                    f"{_quoted(key)} is not a key here; {hint}",
                    key=_cut(key),
                    nearest=near,
                )
        for key in required:
            if key not in value:
                self._refuse(
                    "agreement-missing-key", path, f"the key {key!r} is missing; write it, no default gives.", key=key
                )
        return value

    def _tables(self, value: Any, path: Path) -> list[Any]:
        name = str(path[-1])
        if not isinstance(value, list):
            self._refuse("agreement-kind", path, f"write each as a table under [[{name}]].")
        if len(value) > MOST[name]:
            self._refuse(
                "agreement-size", path, f"there are {len(value)}, more than {MOST[name]}; split the agreement."
            )
        return value

    def _text(self, value: Any, path: Path) -> str:
        if not isinstance(value, str):
            self._refuse("agreement-kind", path, f"text in quotation marks is expected, not {_kind_of(value)}.")
        return value

    def _form(self, value: Any, path: Path, pattern: re.Pattern[str], what: str) -> str:
        text = self._text(value, path)
        if pattern.fullmatch(text) is None:
            self._refuse("agreement-value", path, f"{_quoted(text)} is not {what}.")
        return text

    def _word(self, value: Any, path: Path, words: Iterable[str]) -> str:
        text = self._text(value, path)
        words = tuple(words)
        if text not in words:
            self._unknown_word(text, path, words)
        return text

    def _unknown_word(self, text: str, path: Path, words: tuple[str, ...]) -> NoReturn:
        near = purposes.nearest(text, words)
        hint = f"did you mean {near!r}?" if near else f"the words are {', '.join(words)}."
        self._refuse(
            "agreement-unknown-word",
            path,
            f"{_quoted(text)} is not a word of {_key(path)}; {hint}",
            word=_cut(text),
            nearest=near,
        )

    def _list(self, value: Any, path: Path, item: Callable[[Any, Path], str]) -> tuple[str, ...]:
        if not isinstance(value, list):
            self._refuse(
                "agreement-kind", path, f"a list is expected, not {_kind_of(value)}; write it in square brackets."
            )
        if len(value) > MOST["list"]:
            self._refuse("agreement-size", path, f"the list has {len(value)} entries, more than {MOST['list']}.")
        found: dict[str, None] = {}
        for place, entry in enumerate(value):
            text = item(entry, (*path, place))
            if text in found:
                self._refuse("agreement-duplicate", (*path, place), f"{_quoted(text)} stands twice in one list.")
            found[text] = None
        return tuple(found)

    def _duration(self, value: Any, path: Path, *, zero: bool = False) -> str:
        text = self._text(value, path)
        try:
            length = instants.duration(text[:40])
        except InputRefused:
            length = -1
        if not (0 if zero else 1) <= length <= LONGEST or len(text) > 40 or not text.isascii():
            self._refuse(
                "agreement-value",
                path,
                f"{_quoted(text)} is not a duration; write P30D, P1Y or PT24H, at most a hundred years.",
            )
        return text

    def _when(self, value: Any, path: Path) -> Instant:
        try:
            at = self._instant(value)
        except (ValueError, OverflowError) as broken:
            self._refuse("agreement-instant", path, f"{broken}; write it as 2021-03-05T12:00:00Z.")
        if not EARLIEST <= at <= LATEST:
            self._refuse(
                "agreement-instant", path, "the instant lies outside the years 1970 to 9999; write one within them."
            )
        return at

    def _free(self, value: Any, path: Path) -> Text:
        if not isinstance(value, dict):
            example = self._languages[0] if self._languages else "en"
            self._refuse("agreement-language", path, f'free text stands by language; write {{{example} = "..."}}.')
        for language in self._languages:
            if language not in value:
                self._refuse(
                    "agreement-language",
                    path,
                    f"the text is missing in {language!r}, a language of equal authenticity.",
                    language=language,
                )
        for language, text in value.items():
            if language not in self._languages:
                self._refuse(
                    "agreement-language",
                    (*path, language),
                    f"{_quoted(language)} is not a language of this agreement; add it to language or leave the "
                    f"text out.",
                )
            flaw = flaw_of_text(self._text(text, (*path, language))) or flaw_of_quoted(text)
            if flaw is not None:
                self._refuse("agreement-name", (*path, language), f"the text {flaw}; write it as one plain paragraph.")
        return {language: value[language] for language in self._languages}

    # ---- the parts

    def agreement(self, data: Any) -> Agreement:
        top = self._table(data, (), TOP_KEYS, ("form", "title", "language", "phrases", "party", "life", "clause"))
        if type(top["form"]) is not int or top["form"] != FORM:
            self._refuse("agreement-value", ("form",), f"this node reads form {FORM} of the agreement language.")
        self._languages = self._list(
            top["language"],
            ("language",),
            lambda value, path: self._form(value, path, _LANGUAGE, "a language tag such as en"),
        )
        if not 1 <= len(self._languages) <= MOST["language"]:
            self._refuse(
                "agreement-value", ("language",), f"an agreement has one to {MOST['language']} authentic languages."
            )
        title = self._free(top["title"], ("title",))
        phrases = self._form(
            top["phrases"], ("phrases",), _PHRASES, "the name of a phrasebook such as comity-phrases/1"
        )
        previous = None
        if "previous" in top:
            previous = self._form(
                top["previous"], ("previous",), _DIGEST, "the digest of an agreement, 64 hexadecimal digits"
            )
        parties = self._parties(top["party"])
        groups = self._groups(top.get("group", []), parties)
        views = self._views(top.get("view", []))
        life = self._life(top["life"], parties, groups)
        clauses = self._clauses(top["clause"], parties, groups, views)
        procedures = self._procedures(top.get("procedure", []))
        reservations = self._reservations(top.get("reservation", []), parties, clauses)
        return Agreement(
            form=FORM,
            title=title,
            languages=self._languages,
            phrases=phrases,
            parties=parties,
            groups=groups,
            life=life,
            views=views,
            clauses=clauses,
            reservations=reservations,
            previous=previous,
            procedures=procedures,
        )

    def _parties(self, value: Any) -> tuple[AgreementParty, ...]:
        parties: list[AgreementParty] = []
        for place, entry in enumerate(self._tables(value, ("party",))):
            path: Path = ("party", place)
            table = self._table(entry, path, PARTY_KEYS, PARTY_KEYS)
            ref = self._form(
                table["ref"], (*path, "ref"), _REF, "a short name: letters, digits, - and _, beginning with a letter"
            )
            name = self._text(table["name"], (*path, "name"))
            flaw = flaw_of_name(name)
            if flaw is not None:
                self._refuse("agreement-name", (*path, "name"), f"the name {_quoted(name)} {flaw}; write it plainly.")
            party = self._text(table["id"], (*path, "id"))
            if type_of(party) != "identity":
                self._refuse(
                    "agreement-value",
                    (*path, "id"),
                    f"{_quoted(party)} is not the id of a party; copy it from its card.",
                )
            for other in parties:
                if other.id == party:
                    self._refuse(
                        "agreement-duplicate", (*path, "id"), f"this party already stands here as {other.ref!r}."
                    )
                if other.ref.lower() == ref.lower():
                    self._refuse("agreement-duplicate", (*path, "ref"), f"the short name {other.ref!r} is taken.")
                if looks_like(other.name) == looks_like(name):
                    self._refuse(
                        "agreement-name",
                        (*path, "name"),
                        f"{_shown(name)} looks like {_shown(other.name)}, another party's name; tell them apart.",
                    )
            parties.append(AgreementParty(ref, name, party))
        if len(parties) < 2:
            self._refuse("agreement-value", ("party",), "an agreement has at least two parties.")
        for place, one in enumerate(parties):
            for other in parties:
                if f"({other.ref})" in one.name:
                    self._refuse(
                        "agreement-name",
                        ("party", place, "name"),
                        f"the name holds the short name of {other.ref!r}; leave it out.",
                    )
        return tuple(parties)

    def _groups(self, value: Any, parties: tuple[AgreementParty, ...]) -> tuple[Group, ...]:
        groups: list[Group] = []
        taken = [party.ref for party in parties]
        for place, entry in enumerate(self._tables(value, ("group",))):
            path: Path = ("group", place)
            table = self._table(entry, path, GROUP_KEYS, ("ref", "members"))
            ref = self._form(
                table["ref"], (*path, "ref"), _REF, "a short name: letters, digits, - and _, beginning with a letter"
            )
            if ref.lower() in {other.lower() for other in taken}:
                self._refuse("agreement-duplicate", (*path, "ref"), f"the short name {ref!r} is taken.")
            members = self._refs(table["members"], (*path, "members"), [party.ref for party in parties], "party")
            grows_by = (
                self._word(table["grows_by"], (*path, "grows_by"), ("accession",)) if "grows_by" in table else None
            )
            taken.append(ref)
            groups.append(Group(ref, members, grows_by))
        return tuple(groups)

    def _refs(self, value: Any, path: Path, known: list[str], what: str) -> tuple[str, ...]:
        return self._list(value, path, lambda entry, place: self._ref(entry, place, known, what))

    def _ref(self, value: Any, path: Path, known: Iterable[str], what: str) -> str:
        text = self._text(value, path)
        known = tuple(known)
        if text not in known:
            near = purposes.nearest(text, known)
            hint = f"did you mean {near!r}?" if near else f"define it, or use one of {', '.join(known[:12])}."
            self._refuse(
                "agreement-reference",
                path,
                f"{_quoted(text)} is not a {what} of this agreement; {hint}",
                word=_cut(text),
                nearest=near,
            )
        return text

    def _views(self, value: Any) -> tuple[AgreedView, ...]:
        views: list[AgreedView] = []
        for place, entry in enumerate(self._tables(value, ("view",))):
            path: Path = ("view", place)
            table = self._table(entry, path, VIEW_KEYS, VIEW_KEYS)
            name = self._form(table["name"], (*path, "name"), _REF, "the name of a view: letters, digits, - and _")
            if name in vocabulary.STANDARD_VIEWS or name in {view.name for view in views}:
                self._refuse("agreement-duplicate", (*path, "name"), f"there is already a view {name!r}.")
            remove = self._list(table["remove"], (*path, "remove"), self._removed)
            views.append(AgreedView(name, remove))
        return tuple(views)

    def _removed(self, value: Any, path: Path) -> str:
        name = self._form(value, path, _PROPERTY, "the name of a top-level property")
        if name in NEVER_REMOVED:
            self._refuse(
                "agreement-rule", path, f"no view removes {name!r}: an object needs it, or it protects somebody."
            )
        return name

    def _life(self, value: Any, parties: tuple[AgreementParty, ...], groups: tuple[Group, ...]) -> Life:
        path: Path = ("life",)
        required = tuple(key for key in LIFE_KEYS if key not in {"ends", "accession", "succession", "silence", "law"})
        table = self._table(value, path, LIFE_KEYS, required)
        begins = self._when(table["enters_into_force"], ("life", "enters_into_force"))
        ends = self._when(table["ends"], ("life", "ends")) if "ends" in table else None
        if ends is not None and ends <= begins:
            self._refuse("agreement-rule", ("life", "ends"), "the agreement would end before it enters into force.")
        refs = [party.ref for party in parties]
        depositary = self._ref(table["depositary"], ("life", "depositary"), refs, "party")
        succession = self._refs(table.get("succession", []), ("life", "succession"), refs, "party")
        if depositary in succession:
            self._refuse(
                "agreement-duplicate",
                ("life", "succession"),
                f"{depositary!r} is the depositary and cannot succeed itself.",
            )
        rule, excepted = self._silence(table["silence"]) if "silence" in table else ("refusal", ())
        return Life(
            enters_into_force=begins,
            ends=ends,
            signatures=self._word(table["signatures"], ("life", "signatures"), vocabulary.SIGNATURES),
            threshold=self._word(table["threshold"], ("life", "threshold"), vocabulary.THRESHOLDS),
            withdrawal_notice=self._duration(table["withdrawal_notice"], ("life", "withdrawal_notice"), zero=True),
            after_end=self._word(table["after_end"], ("life", "after_end"), vocabulary.AFTER_END),
            depositary=depositary,
            lease=self._duration(table["lease"], ("life", "lease")),
            succession=succession,
            accession=self._accession(table.get("accession"), groups),
            silence_rule=rule,
            silence_except=excepted,
            law=self._free(table["law"], ("life", "law")) if "law" in table else None,
        )

    def _silence(self, value: Any) -> tuple[str, tuple[str, ...]]:
        path: Path = ("life", "silence")
        table = self._table(value, path, ("rule", "except"), ("rule",))
        rule = self._word(table["rule"], (*path, "rule"), vocabulary.SILENCE)
        words = vocabulary.SILENCE_EXCEPT
        return rule, self._list(
            table.get("except", []), (*path, "except"), lambda entry, place: self._word(entry, place, words)
        )

    def _accession(self, value: Any, groups: tuple[Group, ...]) -> AccessionRule | None:
        path: Path = ("life", "accession")
        growing = [group.ref for group in groups if group.grows_by == "accession"]
        if value is None:
            if growing:
                self._refuse(
                    "agreement-rule",
                    ("life",),
                    f"the group {growing[0]!r} grows by accession, but accession does not say who may accede.",
                )
            return None
        table = self._table(value, path, ("kinds", "group", "consent"), ("kinds", "group", "consent"))
        kinds = self._list(
            table["kinds"], (*path, "kinds"), lambda entry, place: self._word(entry, place, vocabulary.KINDS)
        )
        group = self._ref(table["group"], (*path, "group"), [group.ref for group in groups], "group")
        if group not in growing:
            self._refuse(
                "agreement-rule",
                (*path, "group"),
                f'the group {group!r} does not grow; write grows_by = "accession" in it.',
            )
        return AccessionRule(kinds, group, self._word(table["consent"], (*path, "consent"), vocabulary.THRESHOLDS))

    def _clauses(
        self, value: Any, parties: tuple[AgreementParty, ...], groups: tuple[Group, ...], views: tuple[AgreedView, ...]
    ) -> tuple[Clause, ...]:
        clauses: list[Clause] = []
        numbers: set[str] = set()
        refs = [party.ref for party in parties] + [group.ref for group in groups]
        names = [*vocabulary.STANDARD_VIEWS, *(view.name for view in views)]
        for place, entry in enumerate(self._tables(value, ("clause",))):
            clause = self._clause(entry, ("clause", place), refs, names)
            if clause.number in numbers:
                self._refuse(
                    "agreement-duplicate", ("clause", place, "number"), f"there is already a clause {clause.number!r}."
                )
            numbers.add(clause.number)
            clauses.append(clause)
        return tuple(clauses)

    def _clause(self, value: Any, path: Path, refs: list[str], views: list[str]) -> Clause:
        table = self._table(value, path, CLAUSE_KEYS, ("number", "says"))
        number = self._form(
            table["number"], (*path, "number"), _NUMBER, 'a clause number in quotation marks, such as "1" or "2.a"'
        )
        says = self._word(table["says"], (*path, "says"), vocabulary.SAYS)
        for key in REQUIRED[says]:
            if key not in table:
                self._refuse(
                    "agreement-missing-key",
                    path,
                    f"clause {number} ({says}) does not say {key!r}; write it, no default gives.",
                    key=key,
                    clause=number,
                )
        for key in FOREIGN[says]:
            if key in table:
                self._refuse(
                    "agreement-rule",
                    (*path, key),
                    f"{key!r} says nothing in a clause that says {says}; leave it out.",
                    key=key,
                )

        def listed(key: str, item: Callable[[Any, Path], str], *, star: bool = True) -> tuple[str, ...] | None:
            if key not in table:
                return None

            def one(entry: Any, place: Path) -> str:
                if entry == vocabulary.UNKNOWN_TOO:
                    if star:
                        return vocabulary.UNKNOWN_TOO
                    self._refuse("agreement-value", place, f'"*" has no meaning in {key}; name each {_singular(key)}.')
                return item(entry, place)

            return self._list(table[key], (*path, key), one)

        def free(key: str, pattern: re.Pattern[str], what: str) -> tuple[str, ...] | None:
            return listed(key, lambda entry, place: self._form(entry, place, pattern, what))

        def closed(key: str, words: tuple[str, ...], *, star: bool = True) -> tuple[str, ...] | None:
            return listed(key, lambda entry, place: self._word(entry, place, words), star=star)

        def one_of(key: str, words: Iterable[str]) -> str | None:
            return self._word(table[key], (*path, key), words) if key in table else None

        def when(key: str) -> Instant | None:
            return self._when(table[key], (*path, key)) if key in table else None

        source = one_of("source", vocabulary.SOURCE) or "named"
        with_names = table.get("with_names", False)
        if not isinstance(with_names, bool):
            self._refuse("agreement-kind", (*path, "with_names"), "write true or false.")
        if with_names and source == "hidden":
            self._refuse(
                "agreement-rule",
                (*path, "with_names"),
                "the creator cannot go along by name where the source is hidden.",
            )
        officers = table.get("officers")
        if officers is not None and (type(officers) is not int or not 1 <= officers <= 9):
            self._refuse(
                "agreement-value", (*path, "officers"), "write how many officers decide, a whole number from 1 to 9."
            )
        view = None
        if "view" in table:
            view = self._ref(table["view"], (*path, "view"), views, "view")
        return Clause(
            number=number,
            says=says,
            sender=self._refs(table["from"], (*path, "from"), refs, "party or group"),
            to=self._refs(table["to"], (*path, "to"), refs, "party or group"),
            types=listed("types", self._type, star=False),
            tlp=closed("tlp", vocabulary.TLP, star=False),
            pap=closed("pap", vocabulary.PAP),
            sectors=free("sectors", _WORD, "a sector: one word without spaces, such as energy"),
            countries=free("countries", _COUNTRY, "a country of ISO 3166-1: two capital letters"),
            caveats=closed("caveats", vocabulary.CAVEATS),
            recipients=free("recipients", _WORD, "an office: one word without spaces, such as duty-officer"),
            cases=free("cases", _WORD, "a case: one word without spaces, such as exchange-2021"),
            min_confidence=one_of("min_confidence", vocabulary.CONFIDENCE),
            view=view,
            with_names=with_names,
            source=source,
            purpose=listed("purpose", self._purpose, star=False),
            basis=listed("basis", self._basis),
            onward=one_of("onward", vocabulary.ONWARD),
            retention=self._duration(table["retention"], (*path, "retention")) if "retention" in table else None,
            not_before=when("not_before"),
            not_after=when("not_after"),
            question=self._free(table["question"], (*path, "question")) if "question" in table else None,
            officers=officers,
            duties=self._duties(table.get("duty", []), (*path, "duty")),
        )

    def _type(self, value: Any, path: Path) -> str:
        text = self._text(value, path)
        if _TYPE.fullmatch(text) is None:
            near = purposes.nearest(text, _COMMON_TYPES)
            hint = f"did you mean {near!r}?" if near else "write it in lower case, as in STIX."
            self._refuse(
                "agreement-unknown-word",
                path,
                f"{_quoted(text)} is not the name of a type; {hint}",
                word=_cut(text),
                nearest=near,
            )
        return text

    def _purpose(self, value: Any, path: Path) -> str:
        text = self._text(value, path)
        if not purposes.known_purpose(text):
            self._unknown_word(text, path, tuple(entry.id for entry in PURPOSES))
        return text

    def _basis(self, value: Any, path: Path) -> str:
        text = self._text(value, path)
        if not purposes.known_basis(text):
            self._unknown_word(text, path, tuple(entry.id for entry in BASES))
        return text

    def _duties(self, value: Any, path: Path) -> tuple[Duty, ...]:
        duties: list[Duty] = []
        for place, entry in enumerate(self._tables(value, path)):
            here: Path = (*path, place)
            table = self._table(entry, here, DUTY_KEYS, DUTY_KEYS)
            do = self._word(table["do"], (*here, "do"), vocabulary.DUTIES)
            if do in {duty.do for duty in duties}:
                self._refuse("agreement-duplicate", (*here, "do"), f"the duty {do!r} stands twice in one clause.")
            duties.append(Duty(do, self._duration(table["within"], (*here, "within"))))
        return tuple(duties)

    def _procedures(self, value: Any) -> tuple[AgreedProcedure, ...]:
        found: list[AgreedProcedure] = []
        for place, entry in enumerate(self._tables(value, ("procedure",))):
            path: Path = ("procedure", place)
            table = self._table(entry, path, PROCEDURE_KEYS, PROCEDURE_KEYS)
            name = self._form(table["table"], (*path, "table"), _LOWER, "the id of a procedure, such as silence")
            if name in {one.table for one in found}:
                self._refuse("agreement-duplicate", (*path, "table"), f"there is already a procedure {name!r}.")
            closes = self._form(
                table["closes"], (*path, "closes"), _CLOSES, "a time of day, such as 17:00, at most 24:00"
            )
            if closes == "00:00":
                self._refuse("agreement-value", (*path, "closes"), "a working day is over after midnight; write 24:00.")
            working = self._list(
                table["working"],
                (*path, "working"),
                lambda entry, where: self._word(entry, where, vocabulary.WEEKDAYS),
            )
            if not working:
                self._refuse("agreement-rule", (*path, "working"), "no day is worked, so no working day ever passes.")
            found.append(
                AgreedProcedure(
                    name,
                    self._times(table["times"], (*path, "times")),
                    self._form(table["zone"], (*path, "zone"), _ZONE, "a time zone such as Europe/Tallinn"),
                    working,
                    self._list(table["holidays"], (*path, "holidays"), self._date),
                    closes,
                )
            )
        return tuple(found)

    def _times(self, value: Any, path: Path) -> dict[str, str]:
        if not isinstance(value, dict) or not 1 <= len(value) <= MOST["list"]:
            self._refuse(
                "agreement-kind", path, 'a stretch of time for each name is expected; write {silence = "P3D"}.'
            )
        for name, stretch in value.items():
            here: Path = (*path, name)
            self._form(name, here, _LOWER, "the name of a stretch of time, such as silence")
            text = self._text(stretch, here)
            found = counted(text[:40]) if text.isascii() and len(text) <= 40 else None
            spelled = f"{found} working day{'s' if found != 1 else ''}" if isinstance(found, int) else text
            if found is None or spelled != text:
                self._refuse(
                    "agreement-value",
                    here,
                    f"{_quoted(text)} is no stretch of time; write 3 working days, P3D or PT24H.",
                )
        return {name: value[name] for name in sorted(value)}

    def _date(self, value: Any, path: Path) -> str:
        text = self._form(value, path, _DATE, "a date in quotation marks, such as 2021-04-02")
        try:
            date.fromisoformat(text)
        except ValueError:
            self._refuse("agreement-value", path, f"{_quoted(text)} is no day of the calendar.")
        return text

    def _reservations(
        self, value: Any, parties: tuple[AgreementParty, ...], clauses: tuple[Clause, ...]
    ) -> tuple[Reservation, ...]:
        made: list[Reservation] = []
        by_number = {clause.number: clause for clause in clauses}
        for place, entry in enumerate(self._tables(value, ("reservation",))):
            path: Path = ("reservation", place)
            table = self._table(entry, path, RESERVATION_KEYS, RESERVATION_KEYS)
            by = self._ref(table["by"], (*path, "by"), [party.ref for party in parties], "party")
            number = self._ref(table["clause"], (*path, "clause"), by_number, "clause")
            if (by, number) in {(other.by, other.clause) for other in made}:
                self._refuse("agreement-duplicate", path, f"{by!r} already reserves its position on clause {number}.")
            effect_path: Path = (*path, "effect")
            effect: dict[str, str] = {}
            found = self._table(table["effect"], effect_path, EFFECT_KEYS)
            for key in EFFECT_KEYS:
                if key in found:
                    effect[key] = self._effect(key, found[key], (*effect_path, key))
            loosened = tighter(effect, by_number[number])
            if loosened is not None:
                self._refuse("agreement-reservation", effect_path, loosened, clause=number)
            text = self._free(table["text"], (*path, "text"))
            made.append(
                Reservation(
                    by, number, text, effect, self._duration(table["objection_within"], (*path, "objection_within"))
                )
            )
        return tuple(made)

    def _effect(self, key: str, value: Any, path: Path) -> str:
        if key == "retention":
            return self._duration(value, path)
        return self._word(value, path, vocabulary.ONWARD if key == "onward" else vocabulary.CONFIDENCE)


def _say_path(path: Path) -> str:
    said = ""
    for part in path:
        said += f"[{part + 1}]" if isinstance(part, int) else f"{'.' if said else ''}{_cut(part)}"
    return said or "the top"


def _key(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "this list")


def _singular(key: str) -> str:
    return {"types": "type", "tlp": "TLP", "purpose": "purpose"}.get(key, key)


def _cut(text: Any) -> str:
    return str(text)[:80].encode("ascii", "backslashreplace").decode()


def _quoted(text: Any) -> str:
    plain = str(text)[:80]
    return repr(plain) if plain.isprintable() else ascii(plain)


def _shown(name: str) -> str:
    """A name with its letters told: what two look-alikes differ in is visible."""
    odd = [
        f"U+{ord(char):04X}" for char in name if ord(char) > 0x7F and not unicodedata.name(char, "").startswith("LATIN")
    ]
    return f"{name!r} ({' '.join(odd[:8])})" if odd else repr(name)


def _kind_of(value: Any) -> str:
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number with a point",
        str: "text",
        list: "a list",
        dict: "a table",
    }
    return names.get(type(value), "a date or time")
