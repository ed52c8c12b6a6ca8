"""Words of a person read as what they mean: instants, spans, and what an officer states about objects.

A word of a closed list that is not on it is refused, and the nearest one is named; nothing is guessed. Every face and every desk
reads them here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from comity.kernel.errors import InputRefused, Usage
from comity.kernel.model.instants import Instant, duration, parse_offset

if TYPE_CHECKING:
    from comity.kernel.release.handling import Handling

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_OFFICE: Final = re.compile(r"\S{1,200}")


def instant(text: str, option: str) -> Instant:
    """An instant with an offset.

    Raises:
        Usage: `timestamp`.
    """
    try:
        return parse_offset(text)
    except InputRefused as broken:
        hint = f"{text}T00:00:00Z" if _DAY.fullmatch(text) else "2021-03-05T12:00:00Z"
        raise Usage(
            "timestamp",
            f"{option} is an instant with an offset, such as {hint}; {text!r} is none.",
            clause=broken.clause,
        ) from broken


def instant_or_none(text: str | None, option: str) -> Instant | None:
    """An instant with an offset, or None where the option was not given."""
    return None if text is None else instant(text, option)


def span_or_instant(text: str, option: str, now: Instant) -> Instant:
    """An instant, or a duration such as P90D counted from now.

    Raises:
        Usage: `timestamp`, `duration`.
    """
    if not text.startswith("P"):
        return instant(text, option)
    return now + span(text, option)


def span(text: str, option: str) -> int:
    """A duration such as P30D or PT24H, microseconds.

    Raises:
        Usage: `duration`.
    """
    try:
        return duration(text)
    except InputRefused as broken:
        raise Usage("duration", f"{option}: {broken.sentence}") from broken


def mapping_of(pairs: Iterable[str]) -> dict[str, str] | None:
    """How the columns of a table are to be read, each ``COLUMN=MEANING``; None where nothing is said.

    Raises:
        Usage: `csv-mapping`.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        column, equals, meaning = pair.rpartition("=")
        if not equals or not column or not meaning:
            raise Usage("csv-mapping", f"--map is COLUMN=MEANING, such as Address=value; {pair!r} is none.")
        found[column] = meaning
    return found or None


def one_of(word: str, choices: Iterable[str], option: str, code: str = "command-line") -> str:
    """The word, if it is one of the choices.

    Raises:
        Usage: with the nearest word.
    """
    known = list(choices)
    if word in known:
        return word
    raise Usage(code, f"{word!r} is no word for {option}; {_hint(word, known)}")


def country_code(word: str, option: str, code: str = "command-line") -> str:
    """A country as two capital letters.

    Raises:
        Usage: in the code given.
    """
    if not _COUNTRY.fullmatch(word):
        raise Usage(
            code, f"{word!r} is no country for {option}; write the two capital letters of ISO 3166-1, such as EE."
        )
    return word


def _hint(word: str, known: list[str]) -> str:
    from comity.kernel.release.purposes import nearest

    near = nearest(word, known)
    listed = f"the words are {', '.join(known)}."
    return listed if near is None else f"did you mean {near!r}? {listed[:1].upper()}{listed[1:]}"


def handling_of(said: Mapping[str, Any], now: Instant) -> Handling:
    """The statement that words make, each checked.

    Args:
        said: tlp, pap, embargo, retention: a word or None; sector, country, basis, purpose, case, caveat, recipient: words;
            no_caveats, own, minimised: truths. What is not there was not said.
        now: From when a retention of some length counts, microseconds.

    Raises:
        Usage: `handling` with the nearest word; `timestamp`, `duration`.
    """
    # read here, so that a command which states nothing does not load the lists
    from comity.kernel.release.handling import Handling
    from comity.kernel.release.lists import BASES, PURPOSES
    from comity.kernel.release.purposes import known_basis, known_purpose
    from comity.kernel.release.vocabulary import CAVEATS, PAP, TLP

    def words(name: str) -> tuple[str, ...]:
        return tuple(said.get(name) or ())

    tlp, pap = _level(said.get("tlp")), _level(said.get("pap"))
    if tlp is not None:
        one_of(tlp, TLP, "--tlp", "handling")
    if pap is not None:
        one_of(pap, PAP, "--pap", "handling")
    for word in words("purpose"):
        if not known_purpose(word):
            one_of(word, [entry.id for entry in PURPOSES], "--purpose", "handling")
    for word in words("basis"):
        if not known_basis(word):
            one_of(word, [entry.id for entry in BASES], "--basis", "handling")
    for word in words("caveat"):
        one_of(word, CAVEATS, "--caveat", "handling")
    for word in words("country"):
        country_code(word, "--country", "handling")
    for word in words("recipient"):
        if not _OFFICE.fullmatch(word):
            raise Usage("handling", f"{word!r} is no office; write one word without spaces, such as duty-officer.")
    no_caveats = bool(said.get("no_caveats"))
    if words("caveat") and no_caveats:
        raise Usage("handling", "--caveat and --no-caveats contradict each other; say one of them.")
    retention = said.get("retention")
    return Handling(
        tlp=tlp,
        pap=pap,
        sectors=_words(words("sector")),
        countries=_words(words("country")),
        caveats=frozenset() if no_caveats else _words(words("caveat")),
        recipients=_words(words("recipient")),
        basis=_words(words("basis")),
        purpose=_words(words("purpose")),
        cases=_words(words("case")),
        embargo=instant_or_none(said.get("embargo"), "--embargo"),
        retention=None if retention is None else span_or_instant(retention, "--retention", now),
        own=True if said.get("own") else None,
        minimised=True if said.get("minimised") else None,
    )


def _level(text: str | None) -> str | None:
    return None if text is None else text.strip().lower().removeprefix("tlp:").removeprefix("pap:")


def _words(words: tuple[str, ...]) -> frozenset[str] | None:
    return frozenset(words) if words else None
