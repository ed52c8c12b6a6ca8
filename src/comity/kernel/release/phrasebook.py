"""The readable text of an agreement, and the agreement of a readable text: exact inverses of each other.

The text is lines in a fixed order; every line is one sentence of a phrasebook (phrases.py), whose slots carry the data.
`parse` reads line by line, hands the data to the same checks as the TOML file, renders the result again and refuses
the text unless that gives the same characters: so no text can say one thing to a reader and another to a node.

Names of parties always stand with their short name in brackets, and no name holds the bracketed short name of another
(agreementdata.py), so a list of parties splits in one way only; words of lists hold no separator (`flaws`). Free text
stands between quotation marks and holds none; a name or title, which stands open, holds no words that a sentence of
the phrasebook is made of, so no name can read like a clause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NoReturn

from comity.kernel.errors import InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.model.stretches import counted
from comity.kernel.release import agreementdata, vocabulary
from comity.kernel.release.agreement import AgreedProcedure, Agreement, AgreementParty, Clause, Group, Reservation
from comity.kernel.release.lists import BASES, PURPOSES
from comity.kernel.release.phrases import Phrasebook
from comity.kernel.release.phrases_en import ENGLISH

Books = Mapping[tuple[str, str], Phrasebook]

BOOKS: Final[Books] = {(ENGLISH.id, ENGLISH.language): ENGLISH}
"""The phrasebooks of this release, by id and language."""

MOST_TEXT: Final = 4_000_000
"""Characters of a readable text."""

_PLAIN: Final = r"[A-Za-z0-9][A-Za-z0-9._:/+@-]*"
_TAG: Final = r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*"
_URI: Final = r"<[^<>;\s]+>"
_NAME: Final = r"[A-Za-z][A-Za-z0-9_-]*"

# slot -> (kind, word table or pattern)
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "title": ("free", ""),
    "law": ("free", ""),
    "question": ("free", ""),
    "text": ("free", ""),
    "name": ("free", ""),
    "languages": ("list", "language"),
    "form": ("raw", r"[0-9]{1,4}"),
    "phrases": ("raw", r"[a-z][a-z0-9-]*/[0-9]+"),
    "previous": ("raw", r"[0-9a-f]{64}"),
    "id": ("raw", r"identity--[0-9a-f-]{36}"),
    "ref": ("raw", _NAME),
    "group": ("raw", _NAME),
    "view": ("raw", _NAME),
    "number": ("raw", r"[0-9A-Za-z][0-9A-Za-z.-]*"),
    "clause": ("raw", r"[0-9A-Za-z][0-9A-Za-z.-]*"),
    "officers": ("raw", r"[1-9]"),
    "members": ("parties", ""),
    "from": ("parties", ""),
    "to": ("parties", ""),
    "succession": ("parties", ""),
    "depositary": ("party", ""),
    "by": ("party", ""),
    "enters_into_force": ("instant", ""),
    "ends": ("instant", ""),
    "not_before": ("instant", ""),
    "not_after": ("instant", ""),
    "withdrawal_notice": ("duration", ""),
    "lease": ("duration", ""),
    "retention": ("duration", ""),
    "within": ("duration", ""),
    "objection_within": ("duration", ""),
    "signatures": ("word", "signatures"),
    "threshold": ("word", "threshold"),
    "consent": ("word", "threshold"),
    "silence_rule": ("word", "silence_rule"),
    "after_end": ("word", "after_end"),
    "min_confidence": ("word", "confidence"),
    "onward": ("word", "onward"),
    "do": ("word", "duty"),
    "table": ("raw", r"[a-z][a-z0-9-]*"),
    "time_name": ("raw", r"[a-z][a-z0-9-]*"),
    "stretch": ("stretch", ""),
    "zone": ("raw", r"[A-Za-z][A-Za-z0-9_+/-]*"),
    "working": ("list", "working"),
    "holidays": ("list", ""),
    "closes": ("raw", r"[0-9]{2}:[0-9]{2}"),
    "silence_except": ("list", "silence_except"),
    "kinds": ("list", "kinds"),
    "remove": ("list", ""),
    "types": ("list", "types"),
    "tlp": ("list", "tlp"),
    "pap": ("list", "pap"),
    "sectors": ("list", ""),
    "countries": ("list", ""),
    "caveats": ("list", "caveats"),
    "recipients": ("list", ""),
    "cases": ("list", ""),
    "purpose": ("list", "purpose"),
    "basis": ("list", "basis"),
}

_OPEN: Final = {"language": _TAG, "types": _PLAIN, "purpose": _URI, "basis": _URI, "": _PLAIN}
"""Word tables whose list is open: what an entry beyond them looks like."""

_CLOSED: Final[dict[str, tuple[str, ...]]] = {
    "signatures": vocabulary.SIGNATURES,
    "threshold": vocabulary.THRESHOLDS,
    "silence_rule": vocabulary.SILENCE,
    "silence_except": vocabulary.SILENCE_EXCEPT,
    "after_end": vocabulary.AFTER_END,
    "kinds": vocabulary.KINDS,
    "tlp": vocabulary.TLP,
    "pap": vocabulary.PAP,
    "caveats": vocabulary.CAVEATS,
    "confidence": vocabulary.CONFIDENCE,
    "onward": vocabulary.ONWARD,
    "duty": vocabulary.DUTIES,
    "working": vocabulary.WEEKDAYS,
    "purpose": tuple(entry.id for entry in PURPOSES),
    "basis": tuple(entry.id for entry in BASES),
}

_TERMS: Final = (*agreementdata.FACET_KEYS, "min_confidence", "not_before", "not_after", "question", "officers")
_ORDER: Final = (*_TERMS, *agreementdata.TERM_KEYS)
"""The order of the lettered lines of a clause; the duties follow."""


def _slots() -> dict[str, tuple[str, ...]]:
    slots: dict[str, tuple[str, ...]] = {
        "title": ("title",),
        "made.one": ("languages",),
        "made.several": ("languages",),
        "form": ("form", "phrases"),
        "amends": ("previous",),
        "party": ("name", "ref", "id"),
        "group.fixed": ("ref", "members"),
        "group.grows": ("ref", "members"),
        "life.begins": ("enters_into_force", "signatures"),
        "life.ends": ("ends",),
        "life.endless": (),
        "life.threshold": ("threshold",),
        "life.accession": ("kinds", "group", "consent"),
        "life.no_accession": (),
        "life.withdrawal": ("withdrawal_notice",),
        "life.after_end": ("after_end",),
        "life.depositary": ("depositary",),
        "life.succession": ("succession",),
        "life.no_succession": (),
        "life.lease": ("lease",),
        "life.silence": ("silence_rule",),
        "life.silence_except": ("silence_rule", "silence_except"),
        "life.law": ("law",),
        "view": ("name", "remove"),
        "procedure": ("table",),
        "procedure.time": ("time_name", "stretch"),
        "procedure.zone": ("zone",),
        "procedure.working": ("working",),
        "procedure.holidays": ("holidays",),
        "procedure.closes": ("closes",),
        "reservation": ("by", "clause", "text"),
        "effect.retention": ("retention",),
        "effect.onward": ("onward",),
        "effect.min_confidence": ("min_confidence",),
        "reservation.objection": ("objection_within",),
        "prohibit.bare": ("number", "from", "to"),
        "prohibit.bare_mutual": ("number", "from"),
    }
    for part in ("parties", "groups", "life", "views", "clauses", "procedures", "reservations", "meaning"):
        slots[f"heading.{part}"] = ()
    for says in vocabulary.SAYS:
        slots[f"{says}.head"] = ("number", "from", "to")
        slots[f"{says}.mutual"] = ("number", "from")
        for key in _ORDER:
            if key not in agreementdata.FOREIGN[says]:
                slots[f"{says}.{key}"] = () if key in {"with_names", "source"} else (key,)
        if says != "prohibit":
            slots[f"{says}.duty"] = ("do", "within")
    return slots


SLOTS: Final = _slots()
"""For each sentence a phrasebook must have, the slots it must use, each once."""

_HEADS: Final = tuple(key for key in SLOTS if key.endswith((".head", ".mutual")) or key.startswith("prohibit.bare"))
"""The first line of a clause."""

_SLOT: Final = re.compile(r"\{(\w+)(?:\|(\w+))?\}")
_WORD: Final = re.compile(r"\w+")
_CODE_INSTANT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z"
_CODE_DURATION: Final = r"P[0-9YMWDTHS]{2,39}"
_LETTERED: Final = re.compile(r"   \(([a-z]+)\) (.*)([;.])", re.DOTALL)


# ---------------------------------------------------------------- what a phrasebook must be


def flaws(book: Phrasebook) -> tuple[str, ...]:
    """Why render and parse would not be inverse with this phrasebook; empty for a good one."""
    found = [f"the sentence {key!r} is missing" for key in SLOTS if key not in book.sentences]
    found += [f"the sentence {key!r} is not used" for key in book.sentences if key not in SLOTS]
    for key, template in book.sentences.items():
        names = sorted(match[1] for match in _SLOT.finditer(template))
        if names != sorted(SLOTS.get(key, names)):
            found.append(f"the sentence {key!r} must use the slots {', '.join(SLOTS[key])}, each once")
        found += [
            f"{key!r} uses the list style {match[2]!r}"
            for match in _SLOT.finditer(template)
            if match[2] and match[2] not in book.lists
        ]
    for table, words in _CLOSED.items():
        if set(book.words.get(table, {})) != set(words):
            found.append(f"the words of {table!r} must be those for {', '.join(words)}")
    for table, entries in book.words.items():
        said = list(entries.values())
        if len(set(said)) != len(said):
            found.append(f"two words of {table!r} are said alike")
        for word, text in entries.items():
            if table in _OPEN and re.fullmatch(_OPEN[table], text) and text != word:
                found.append(f"{text!r} in {table!r} could be taken for another word")
    for key, template in book.sentences.items():
        for match in _SLOT.finditer(template):
            kind, table = _KINDS.get(match[1], ("", ""))
            if kind == "list":
                joints = book.lists.get(match[2] or "", ("", ""))
                said = [*book.words.get(table, {}).values(), book.unknown, book.nothing]
                found += [
                    f"{text!r} holds a separator of {key!r}"
                    for text in said
                    if any(joint and joint in text for joint in joints)
                ]
                if not all(joints):
                    found.append(f"the list in {key!r} has no separator")
    for says in vocabulary.SAYS:
        lines = [book.sentences.get(key, "") for key in SLOTS if key.startswith(f"{says}.")]
        shapes = [_SLOT.sub("\x00", line) for line in lines]
        found += [f"two sentences of {says!r} are alike: {shape!r}" for shape in {*shapes} if shapes.count(shape) > 1]
    found += [f"{text!r} must hold ({{code}})" for text in (book.instant, book.duration) if "({code})" not in text]
    if len(book.months) != 12 or set(book.units) != {"Y", "M", "W", "D", "H", "MIN", "S", "WD"}:
        found.append("twelve months and eight units are needed")
    return tuple(found)


# ---------------------------------------------------------------- writing


def render(agreement: Agreement, language: str = "en", *, books: Books = BOOKS) -> str:
    """The readable text in one of the agreement's languages, ending with a line feed.

    Raises:
        InputRefused: `agreement-phrases` without such a phrasebook; `agreement-language` for another language.
    """
    writer = _Writer(_book(agreement, language, books), agreement)
    return "\n\n".join(text for _, text in writer.parts()) + "\n"


def clause_text(agreement: Agreement, clause: Clause, language: str | None = None, *, books: Books = BOOKS) -> str:
    """The readable text of one clause of the agreement (for `why`, comparisons and questions to officers)."""
    writer = _Writer(_book(agreement, language or agreement.languages[0], books), agreement)
    return "\n".join(writer.clause(clause))


def parts(agreement: Agreement, language: str, *, books: Books = BOOKS) -> tuple[tuple[str, str], ...]:
    """The text cut into named parts, in order: ``("clause 2", text)``; for comparing two drafts."""
    return tuple(_Writer(_book(agreement, language, books), agreement).parts())


def _book(agreement: Agreement, language: str, books: Books) -> Phrasebook:
    if language not in agreement.languages:
        raise InputRefused(
            "agreement-language",
            f"This agreement is not written in {language!r}; its languages are {', '.join(agreement.languages)}.",
            language=language,
        )
    book = books.get((agreement.phrases, language))
    if book is None:
        raise InputRefused(
            "agreement-phrases",
            f"There is no phrasebook {agreement.phrases} in {language!r} here; use one of "
            f"{', '.join(f'{name} ({tag})' for name, tag in books)}.",
            phrases=agreement.phrases,
            language=language,
        )
    return book


@lru_cache(maxsize=32)
def _own_words(sentences: tuple[str, ...]) -> tuple[str, ...]:
    """What the sentences of a phrasebook say between their slots, plain, the longest first."""
    pieces = {_bare(piece) for text in sentences for piece in _SLOT.sub("\x00", text).split("\x00")}
    return tuple(sorted(pieces, key=len, reverse=True))


def _bare(text: str) -> str:
    """Words alone, in small letters, each with a space around it."""
    return f" {' '.join(_WORD.findall(text.casefold()))} "


def _refuse_imitations(book: Phrasebook, agreement: Agreement) -> None:
    """Refuse a name or title that reads like a part of a sentence of the text: two words of one in a name, four in a title.

    Raises:
        InputRefused: `agreement-name`.
    """
    said = _own_words((*book.sentences.values(), book.group))
    shown = [(f"The name of {party.ref!r}", party.name, 2) for party in agreement.parties]
    shown.append(("The title", agreement.title[book.language], 4))
    empty = (_bare(book.nobody), _bare(book.nothing))
    for what, text, least in shown:
        plain = _bare(text)
        found = next((piece for piece in said if len(piece.split()) >= least and piece in plain), None)
        if found is None and (plain in empty or plain in said):
            found = plain
        if found is not None:
            raise InputRefused(
                "agreement-name",
                f"{what} holds the words “{found.strip()}”, which sentences of an agreement are made of, so it could be read "
                "as one; use other words.",
                words=found.strip(),
            )


class _Terms:
    """How parties and groups of one agreement are said, both ways."""

    def __init__(self, book: Phrasebook, parties: tuple[AgreementParty, ...], groups: tuple[str, ...]) -> None:
        self.said = {party.ref: f"{party.name} ({party.ref})" for party in parties}
        self.said |= {ref: book.group.replace("{ref}", ref) for ref in groups}
        self.meant = {text: ref for ref, text in self.said.items()}


class _Writer:
    def __init__(self, book: Phrasebook, agreement: Agreement) -> None:
        _refuse_imitations(book, agreement)
        self._book = book
        self._agreement = agreement
        self._terms = _Terms(book, agreement.parties, tuple(group.ref for group in agreement.groups))

    def parts(self) -> Iterator[tuple[str, str]]:
        agreement, say = self._agreement, self.say
        yield "title", say("title", title=agreement.title[self._book.language])
        made = "made.one" if len(agreement.languages) == 1 else "made.several"
        heading = [
            say(made, languages=agreement.languages),
            say("form", form=agreement.form, phrases=agreement.phrases),
        ]
        if agreement.previous is not None:
            heading.append(say("amends", previous=agreement.previous))
        yield "form", "\n".join(heading)
        yield "heading", say("heading.parties")
        yield (
            "parties",
            "\n".join(say("party", name=party.name, ref=party.ref, id=party.id) for party in agreement.parties),
        )
        if agreement.groups:
            yield "heading", say("heading.groups")
            yield "groups", "\n".join(self._group(group) for group in agreement.groups)
        yield "heading", say("heading.life")
        yield "life", "\n".join(self._life())
        if agreement.views:
            yield "heading", say("heading.views")
            yield "views", "\n".join(say("view", name=view.name, remove=view.remove) for view in agreement.views)
        yield "heading", say("heading.clauses")
        for clause in agreement.clauses:
            yield f"clause {clause.number}", "\n".join(self.clause(clause))
        if agreement.procedures:
            yield "heading", say("heading.procedures")
            for procedure in agreement.procedures:
                yield f"procedure {procedure.table}", "\n".join(self._procedure(procedure))
        if agreement.reservations:
            yield "heading", say("heading.reservations")
            for made_by in agreement.reservations:
                yield f"reservation of {made_by.by} to clause {made_by.clause}", "\n".join(self._reservation(made_by))
        yield "heading", say("heading.meaning")
        for number, paragraph in enumerate(self._book.meaning, 1):
            yield f"meaning {number}", paragraph

    def _group(self, group: Group) -> str:
        return self.say(
            "group.fixed" if group.grows_by is None else "group.grows", ref=group.ref, members=group.members
        )

    def _life(self) -> Iterator[str]:
        life, say = self._agreement.life, self.say
        yield say("life.begins", enters_into_force=life.enters_into_force, signatures=life.signatures)
        yield say("life.endless") if life.ends is None else say("life.ends", ends=life.ends)
        yield say("life.threshold", threshold=life.threshold)
        if life.accession is None:
            yield say("life.no_accession")
        else:
            yield say(
                "life.accession", kinds=life.accession.kinds, group=life.accession.group, consent=life.accession.consent
            )
        yield say("life.withdrawal", withdrawal_notice=life.withdrawal_notice)
        yield say("life.after_end", after_end=life.after_end)
        yield say("life.depositary", depositary=life.depositary)
        yield say("life.succession", succession=life.succession) if life.succession else say("life.no_succession")
        yield say("life.lease", lease=life.lease)
        if life.silence_except:
            yield say("life.silence_except", silence_rule=life.silence_rule, silence_except=life.silence_except)
        else:
            yield say("life.silence", silence_rule=life.silence_rule)
        if life.law is not None:
            yield say("life.law", law=life.law[self._book.language])

    def clause(self, clause: Clause) -> list[str]:
        terms = []
        for key in _ORDER:
            value = getattr(clause, key)
            if value is None or (key == "with_names" and not value) or (key == "source" and value == "named"):
                continue
            if key in {"with_names", "source"}:
                terms.append(self.say(f"{clause.says}.{key}"))
            else:
                terms.append(
                    self.say(
                        f"{clause.says}.{key}", **{key: value[self._book.language] if key == "question" else value}
                    )
                )
        terms += [self.say(f"{clause.says}.duty", do=duty.do, within=duty.within) for duty in clause.duties]
        mutual = clause.sender == clause.to and self._several(clause.sender)
        head = f"{clause.says}.{'mutual' if mutual else 'head'}"
        if not terms:
            head = "prohibit.bare_mutual" if mutual else "prohibit.bare"
        slots: dict[str, Any] = {"number": clause.number, "from": clause.sender}
        if not mutual:
            slots["to"] = clause.to
        return [self.say(head, **slots), *_lettered(terms)]

    def _several(self, refs: tuple[str, ...]) -> bool:
        return len(refs) > 1 or any(group.ref in refs for group in self._agreement.groups)

    def _procedure(self, said: AgreedProcedure) -> list[str]:
        terms = [self.say("procedure.time", time_name=name, stretch=time) for name, time in said.times.items()]
        terms += [self.say("procedure.zone", zone=said.zone), self.say("procedure.working", working=said.working)]
        if said.holidays:
            terms.append(self.say("procedure.holidays", holidays=said.holidays))
        terms.append(self.say("procedure.closes", closes=said.closes))
        return [self.say("procedure", table=said.table), *_lettered(terms)]

    def _reservation(self, made: Reservation) -> list[str]:
        head = self.say("reservation", by=made.by, clause=made.clause, text=made.text[self._book.language])
        effects = [
            self.say(f"effect.{key}", **{key: made.effect[key]})
            for key in agreementdata.EFFECT_KEYS
            if key in made.effect
        ]
        return [head, *_lettered([*effects, self.say("reservation.objection", objection_within=made.objection_within)])]

    def say(self, sentence: str, **slots: Any) -> str:
        def fill(match: re.Match[str]) -> str:
            return self._slot(match[1], match[2], slots[match[1]])

        return _SLOT.sub(fill, self._book.sentences[sentence])

    def _slot(self, name: str, style: str | None, value: Any) -> str:
        kind, table = _KINDS[name]
        book = self._book
        if kind in {"free", "raw"}:
            return str(value)
        if kind == "word":
            return book.words[table][value]
        if kind == "instant":
            return say_instant(book, value)
        if kind == "duration":
            return say_duration(book, value)
        if kind == "stretch":
            return say_stretch(book, value)
        if kind == "party":
            return self._terms.said[value]
        if kind == "parties":
            return _joined(book, style, [self._terms.said[ref] for ref in value], book.nobody)
        return _joined(book, style, [_word(book, table, word) for word in value], book.nothing)


def say_instant(book: Phrasebook, at: Instant) -> str:
    """An instant in words and in its exact form: ``5 March 2021 at 12:00:00 UTC (2021-03-05T12:00:00.000Z)``."""
    code = instants.format(at)
    day, time = code[:-1].split("T")
    year, month, number = day.split("-")
    shown = time.removesuffix(".000")
    values = {"day": str(int(number)), "month": book.months[int(month) - 1], "year": year, "time": shown, "code": code}
    return _SLOT.sub(lambda match: values[match[1]], book.instant)


def say_duration(book: Phrasebook, text: str) -> str:
    """A duration in words and as written: ``180 days (P180D)``."""
    days, _, hours = text[1:].partition("T")
    words = []
    for part, minutes in ((days, False), (hours, True)):
        for number, unit in re.findall(r"(\d+)([YMWDHS])", part):
            one, several = book.units["MIN" if minutes and unit == "M" else unit]
            words.append(f"{int(number)} {one if int(number) == 1 else several}")
    values = {"words": _joined(book, "and", words, ""), "code": text}
    return _SLOT.sub(lambda match: values[match[1]], book.duration)


def say_stretch(book: Phrasebook, text: str) -> str:
    """A stretch of time in words: ``3 working days``; all others like a duration, ``3 days (P3D)``."""
    number = counted(text)
    if not isinstance(number, int):
        return say_duration(book, text)
    return f"{number} {book.units['WD'][0 if number == 1 else 1]}"


def _word(book: Phrasebook, table: str, word: str) -> str:
    if word == vocabulary.UNKNOWN_TOO:
        return book.unknown
    said = book.words.get(table, {}).get(word)
    return said if said is not None else f"<{word}>" if table in {"purpose", "basis"} else word


def _joined(book: Phrasebook, style: str | None, texts: list[str], empty: str) -> str:
    if not texts:
        return empty
    between, last = book.lists[style or "and"]
    return texts[0] if len(texts) == 1 else between.join(texts[:-1]) + last + texts[-1]


def _lettered(terms: list[str]) -> list[str]:
    return [
        f"   ({_letter(place)}) {term}{'.' if place == len(terms) - 1 else ';'}" for place, term in enumerate(terms)
    ]


def _letter(place: int) -> str:
    return _letter(place // 26 - 1) + chr(97 + place % 26) if place >= 26 else chr(97 + place)


# ---------------------------------------------------------------- reading


def parse(text: str, language: str = "en", *, books: Books = BOOKS) -> Agreement:
    """The agreement whose rendering in `language` is exactly this text. For one with several languages use `parse_all`.

    Raises:
        InputRefused: `agreement-text` with the line that is no sentence of the phrasebook, or any refusal of the TOML
        form.
    """
    return parse_all({language: text}, books=books)


def parse_all(texts: Mapping[str, str], *, books: Books = BOOKS) -> Agreement:
    """The agreement whose renderings are exactly these texts, one for each of its languages.

    Raises:
        InputRefused: as `parse`; `agreement-text` where two texts do not say the same; `agreement-language` where the
        texts
            are not those of the agreement's languages.
    """
    merged: dict[str, Any] | None = None
    for language, text in texts.items():
        data = _data(text, language, books)
        if merged is None:
            merged = data
        elif not _merge(merged, data):
            raise InputRefused(
                "agreement-text",
                f"The text in {language!r} does not say what the others say; compare them.",
                language=language,
            )
    if merged is None:
        raise InputRefused("agreement-text", "There is no text to read.")
    if sorted(merged["language"]) != sorted(texts):
        raise InputRefused(
            "agreement-language",
            f"This agreement is authentic in {', '.join(merged['language'])}; give the text in each of these "
            f"languages.",
        )
    agreement = agreementdata.from_data(merged, line=lambda path: None, instant=_read_instant)
    for language, text in texts.items():
        again = render(agreement, language, books=books)
        if again != text:
            line = next(
                (n for n, (a, b) in enumerate(zip(again.split("\n"), text.split("\n"), strict=False), 1) if a != b), 0
            )
            raise InputRefused(
                "agreement-text",
                f"Line {line} is not worded as the phrasebook words it; use the text as rendered.",
                line=line,
            )
    return agreement


def _read_instant(value: Any) -> Instant:
    if not isinstance(value, str):
        raise ValueError("an instant is expected")
    try:
        return instants.parse(value)
    except InputRefused as broken:
        raise ValueError(f"{value!r} is no instant") from broken


def _merge(into: Any, other: Any) -> bool:
    """Whether two readings agree but for free text, which is joined."""
    if isinstance(into, _Free) and isinstance(other, _Free):
        into.update(other)
        return True
    if isinstance(into, dict) and isinstance(other, dict):
        return into.keys() == other.keys() and all(_merge(into[key], other[key]) for key in into)
    if isinstance(into, list) and isinstance(other, list):
        return len(into) == len(other) and all(_merge(a, b) for a, b in zip(into, other, strict=True))
    return bool(into == other)


class _Free(dict[str, str]):
    """Free text by language, told from tables when two readings are joined."""


def _data(text: str, language: str, books: Books) -> dict[str, Any]:
    if len(text) > MOST_TEXT:
        raise InputRefused("agreement-size", f"The text is longer than {MOST_TEXT} characters; split the agreement.")
    lines = text.split("\n")
    for (name, tag), book in books.items():
        if tag == language and any(name in line for line in lines[:6]):
            return _Text(book, lines).read()
    raise InputRefused(
        "agreement-phrases",
        f"The text names no phrasebook that this node has in {language!r}; read it as it was signed.",
        language=language,
    )


class _Text:
    """Reads one text into plain data, line by line."""

    def __init__(self, book: Phrasebook, lines: list[str]) -> None:
        self._book = book
        self._lines = lines
        self._at = 0
        self._terms = _Terms(book, (), ())
        self._patterns: dict[str, re.Pattern[str]] = {}

    def read(self) -> dict[str, Any]:
        title = self._need("title")["title"]
        self._blank()
        made = self._try("made.one") or self._need("made.several")
        form = self._need("form")
        data: dict[str, Any] = {
            "form": int(form["form"]),
            "title": self._free(title),
            "language": made["languages"],
            "phrases": form["phrases"],
        }
        amends = self._try("amends")
        if amends is not None:
            data["previous"] = amends["previous"]
        self._heading("parties")
        data["party"] = self._several(("party",))
        self._terms = _Terms(self._book, tuple(AgreementParty(**party) for party in data["party"]), ())
        self._groups(data)
        self._heading("life")
        data["life"] = self._life()
        if self._section("views"):
            data["view"] = self._several(("view",))
        self._heading("clauses")
        data["clause"] = []
        while not any(map(self._peek_heading, ("procedures", "reservations", "meaning"))):
            self._blank()
            data["clause"].append(self._clause())
        if self._section("procedures"):
            data["procedure"] = []
            while not (self._peek_heading("reservations") or self._peek_heading("meaning")):
                self._blank()
                data["procedure"].append(self._procedure())
        if self._section("reservations"):
            data["reservation"] = []
            while not self._peek_heading("meaning"):
                self._blank()
                data["reservation"].append(self._reservation())
        self._heading("meaning")
        return data

    def _groups(self, data: dict[str, Any]) -> None:
        if not self._section("groups"):
            return
        groups = []
        for found, key in self._keyed(("group.fixed", "group.grows")):
            groups.append(found | ({"grows_by": "accession"} if key == "group.grows" else {}))
        data["group"] = groups
        parties = tuple(AgreementParty(**party) for party in data["party"])
        self._terms = _Terms(self._book, parties, tuple(group["ref"] for group in groups))
        self._patterns.clear()

    def _life(self) -> dict[str, Any]:
        life = self._need("life.begins")
        life |= {} if self._try("life.endless") is not None else self._need("life.ends")
        life |= self._need("life.threshold")
        if self._try("life.no_accession") is None:
            life["accession"] = self._need("life.accession")
        life |= self._need("life.withdrawal") | self._need("life.after_end") | self._need("life.depositary")
        life |= {"succession": []} if self._try("life.no_succession") is not None else self._need("life.succession")
        life |= self._need("life.lease")
        silence = self._try("life.silence") or self._need("life.silence_except")
        life["silence"] = {"rule": silence["silence_rule"], "except": silence.get("silence_except", [])}
        law = self._try("life.law")
        if law is not None:
            life["law"] = self._free(law["law"])
        return life

    def _clause(self) -> dict[str, Any]:
        says, found = self._clause_head()
        head = {"number": found["number"], "says": says, "from": found["from"], "to": found.get("to", found["from"])}
        return head | self._clause_terms(says)

    def _clause_head(self) -> tuple[str, dict[str, Any]]:
        for head in _HEADS:
            found = self._try(head)
            if found is not None:
                return head.partition(".")[0], found
        return self._refuse()

    def _clause_terms(self, says: str) -> dict[str, Any]:
        terms: dict[str, Any] = {}
        keys = [key for key in _ORDER if key not in agreementdata.FOREIGN[says]]
        for line in self._lettered_lines():
            key, found = self._first(
                line, [f"{says}.{key}" for key in keys] + ([] if says == "prohibit" else [f"{says}.duty"])
            )
            name = key.partition(".")[2]
            if name == "duty":
                terms.setdefault("duty", []).append(found)
                keys = []
                continue
            keys = keys[keys.index(name) + 1 :]
            if name == "with_names":
                terms[name] = True
            elif name == "source":
                terms[name] = "hidden"
            elif name == "question":
                terms[name] = self._free(found[name])
            else:
                terms[name] = int(found[name]) if name == "officers" else found[name]
        return terms

    def _procedure(self) -> dict[str, Any]:
        said: dict[str, Any] = {**self._need("procedure"), "times": {}, "holidays": []}
        keys = [f"procedure.{key}" for key in ("time", "zone", "working", "holidays", "closes")]
        for line in self._lettered_lines():
            key, found = self._first(line, keys)
            if key == "procedure.time":
                said["times"][found["time_name"]] = found["stretch"]
            else:
                said |= found
        return said

    def _reservation(self) -> dict[str, Any]:
        head = self._need("reservation")
        effect: dict[str, str] = {}
        within = ""
        keys = [f"effect.{key}" for key in agreementdata.EFFECT_KEYS] + ["reservation.objection"]
        for line in self._lettered_lines():
            key, found = self._first(line, keys)
            if key == "reservation.objection":
                within = found["objection_within"]
            else:
                effect |= found
        return {
            "by": head["by"],
            "clause": head["clause"],
            "text": self._free(head["text"]),
            "effect": effect,
            "objection_within": within,
        }

    # ---- lines

    def _refuse(self) -> NoReturn:
        line = min(self._at + 1, len(self._lines))
        raise InputRefused(
            "agreement-text",
            f"Line {line} is not a sentence of the phrasebook {self._book.id} at this place; use the text as it "
            f"was rendered.",
            line=line,
        )

    def _now(self) -> str:
        return self._lines[self._at] if self._at < len(self._lines) else ""

    def _try(self, key: str) -> dict[str, Any] | None:
        found = self._match(key, self._now())
        if found is not None:
            self._at += 1
        return found

    def _need(self, key: str) -> dict[str, Any]:
        found = self._try(key)
        if found is None:
            self._refuse()
        return found

    def _blank(self) -> None:
        if self._at >= len(self._lines) or self._lines[self._at] != "":
            self._refuse()
        self._at += 1

    def _peek_heading(self, part: str) -> bool:
        at = self._at + 1
        return at >= len(self._lines) or (
            self._now() == "" and self._lines[at] == self._book.sentences[f"heading.{part}"]
        )

    def _section(self, part: str) -> bool:
        there = self._peek_heading(part) and self._at + 1 < len(self._lines)
        if there:
            self._heading(part)
        return there

    def _heading(self, part: str) -> None:
        self._blank()
        self._need(f"heading.{part}")
        if part not in {"clauses", "procedures", "reservations", "meaning"}:
            self._blank()

    def _keyed(self, keys: tuple[str, ...]) -> Iterator[tuple[dict[str, Any], str]]:
        while self._now():
            for key in keys:
                found = self._try(key)
                if found is not None:
                    yield found, key
                    break
            else:
                self._refuse()

    def _several(self, keys: tuple[str, ...]) -> list[dict[str, Any]]:
        return [found for found, _ in self._keyed(keys)]

    def _lettered_lines(self) -> Iterator[str]:
        while (match := _LETTERED.fullmatch(self._now())) is not None:
            yield match[2]
            self._at += 1

    def _first(self, line: str, keys: list[str]) -> tuple[str, dict[str, Any]]:
        for key in keys:
            found = self._match(key, line)
            if found is not None:
                return key, found
        return self._refuse()

    def _free(self, text: str) -> _Free:
        return _Free({self._book.language: text})

    # ---- sentences

    def _match(self, key: str, line: str) -> dict[str, Any] | None:
        pattern = self._patterns.get(key)
        if pattern is None:
            pattern = self._patterns[key] = re.compile(self._pattern(self._book.sentences[key]), re.DOTALL)
        match = pattern.fullmatch(line)
        if match is None:
            return None
        styles = {slot[1]: slot[2] for slot in _SLOT.finditer(self._book.sentences[key])}
        return {name: self._meant(name, styles[name], text) for name, text in match.groupdict().items()}

    def _pattern(self, template: str) -> str:
        out, at = "", 0
        for match in _SLOT.finditer(template):
            out += re.escape(template[at : match.start()]) + f"(?P<{match[1]}>{self._slot_pattern(match[1], match[2])})"
            at = match.end()
        return out + re.escape(template[at:])

    def _slot_pattern(self, name: str, style: str | None) -> str:
        kind, table = _KINDS[name]
        if kind == "free":
            return r".+"
        if kind == "raw":
            return table
        if kind == "word":
            return _either(self._book.words[table].values())
        if kind == "instant":
            return _around(self._book.instant, _CODE_INSTANT)
        if kind == "duration":
            return _around(self._book.duration, _CODE_DURATION)
        if kind == "stretch":
            return f"(?:{_around(self._book.duration, _CODE_DURATION)}|[0-9]{{1,4}} {_either(self._book.units['WD'])})"
        if kind == "party":
            return _either(self._terms.meant)
        return _list_pattern(self._book, style, self._item(kind, table), self._empty(kind))

    def _item(self, kind: str, table: str) -> str:
        if kind == "parties":
            return _either(self._terms.meant)
        return _either([*self._book.words.get(table, {}).values(), self._book.unknown], _OPEN.get(table))

    def _empty(self, kind: str) -> str:
        return self._book.nobody if kind == "parties" else self._book.nothing

    def _meant(self, name: str, style: str | None, text: str) -> Any:
        kind, table = _KINDS[name]
        if kind in {"free", "raw"}:
            return text
        if kind == "word":
            return _key_of(self._book, table, text)
        if kind in {"instant", "duration"}:
            return re.findall(_CODE_INSTANT if kind == "instant" else _CODE_DURATION, text)[-1]
        if kind == "stretch":
            code = re.findall(_CODE_DURATION, text)
            number = text.partition(" ")[0]
            return code[-1] if code else f"{number} working day{'' if number == '1' else 's'}"
        if kind == "party":
            return self._terms.meant[text]
        items = self._split(text, style, self._item(kind, table), self._empty(kind))
        return [self._terms.meant[item] if kind == "parties" else _key_of(self._book, table, item) for item in items]

    def _split(self, text: str, style: str | None, item: str, empty: str) -> list[str]:
        if text == empty:
            return []
        between, last = (re.escape(joint) for joint in self._book.lists[style or "and"])
        step = _compiled(f"(?P<item>{item})(?=(?P<joint>{last}|{between})|$)")
        items, at = [], 0
        while at < len(text):
            match = step.match(text, at)
            if match is None:
                self._refuse()
            items.append(match["item"])
            at = match.end("item") + len(match["joint"] or "")
        return items


def _either(texts: Any, beyond: str | None = None) -> str:
    choices = [re.escape(text) for text in sorted(texts, key=len, reverse=True)]
    return "(?:" + "|".join([*choices, *([beyond] if beyond else [])] or ["(?!)"]) + ")"


def _list_pattern(book: Phrasebook, style: str | None, item: str, empty: str) -> str:
    between, last = (re.escape(joint) for joint in book.lists[style or "and"])
    return f"(?:{re.escape(empty)}|{item}(?:{between}{item})*(?:{last}{item})?)"


def _around(template: str, code: str) -> str:
    """The pattern of an instant or duration: words, of which the rendering is the judge, around the exact form in
    brackets.
    """
    after = template.partition("({code})")[2]
    return rf"[^()]{{0,160}}\({code}\)" + re.escape(after)


def _key_of(book: Phrasebook, table: str, text: str) -> str:
    if text == book.unknown:
        return vocabulary.UNKNOWN_TOO
    for key, said in book.words.get(table, {}).items():
        if said == text:
            return key
    return text[1:-1] if text.startswith("<") else text


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)
