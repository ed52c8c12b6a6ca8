"""Words of the command line read as what they mean: instants, spans, and what an officer states about objects.

A word of a closed list that is not on it is refused, and the nearest one is named; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

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


def one_of(word: str, choices: Iterable[str], option: str, code: str = "command-line") -> str:
    """The word, if it is one of the choices.

    Raises:
        Usage: with the nearest word.
    """
    known = list(choices)
    if word in known:
        return word
    raise Usage(code, f"{word!r} is no word for {option}; {_hint(word, known)}")


def _hint(word: str, known: list[str]) -> str:
    from comity.kernel.release.purposes import nearest

    near = nearest(word, known)
    listed = f"the words are {', '.join(known)}."
    return listed if near is None else f"did you mean {near!r}? {listed.capitalize()}"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Stated:
    """What an officer states about objects. The stricter of all statements counts; none loosens another."""

    tlp: Annotated[str | None, Parameter(help="TLP 2.0: clear, green, amber, amber+strict, red.")] = None
    pap: Annotated[str | None, Parameter(help="PAP: clear, green, amber, red.")] = None
    sector: Annotated[tuple[str, ...], Parameter(help="Sector concerned; once for each.")] = ()
    country: Annotated[tuple[str, ...], Parameter(help="Country concerned, ISO 3166-1; once for each.")] = ()
    basis: Annotated[tuple[str, ...], Parameter(help="Legal basis, a word of the list or a URI; once for each.")] = ()
    purpose: Annotated[
        tuple[str, ...], Parameter(help="Purpose it may serve, a word of the list or a URI; once for each.")
    ] = ()
    case: Annotated[tuple[str, ...], Parameter(help="Case it belongs to; once for each.")] = ()
    caveat: Annotated[tuple[str, ...], Parameter(help="Caveat, such as personal-data; once for each.")] = ()
    no_caveats: Annotated[bool, Parameter(help="State that there is no caveat; unstated is not the same.")] = False
    recipient: Annotated[
        tuple[str, ...], Parameter(help="Office that may have it, such as duty-officer; once for each.")
    ] = ()
    embargo: Annotated[str | None, Parameter(help="Before this instant it goes to nobody.")] = None
    retention: Annotated[
        str | None, Parameter(help="When it ends: an instant, or a duration from now such as P90D.")
    ] = None
    own: Annotated[bool, Parameter(help="It is our own work.")] = False
    minimised: Annotated[bool, Parameter(help="Personal data in it was cut down to what the purpose needs.")] = False

    def given(self) -> dict[str, Any]:
        """What was stated, as it was written; stable, so that the same words name the same import."""
        return {field.name: _plain(value) for field in fields(self) if (value := getattr(self, field.name))}

    def handling(self, now: Instant) -> Handling:
        """The statement, with its words checked.

        Raises:
            Usage: `handling` with the nearest word; `timestamp`, `duration`.
        """
        from comity.kernel.release.handling import Handling
        from comity.kernel.release.lists import BASES, PURPOSES
        from comity.kernel.release.purposes import known_basis, known_purpose
        from comity.kernel.release.vocabulary import CAVEATS, PAP, TLP

        tlp, pap = _level(self.tlp), _level(self.pap)
        if tlp is not None:
            one_of(tlp, TLP, "--tlp", "handling")
        if pap is not None:
            one_of(pap, PAP, "--pap", "handling")
        for word in self.purpose:
            if not known_purpose(word):
                one_of(word, [entry.id for entry in PURPOSES], "--purpose", "handling")
        for word in self.basis:
            if not known_basis(word):
                one_of(word, [entry.id for entry in BASES], "--basis", "handling")
        for word in self.caveat:
            one_of(word, CAVEATS, "--caveat", "handling")
        for word in self.country:
            if not _COUNTRY.fullmatch(word):
                raise Usage(
                    "handling", f"{word!r} is no country; write the two capital letters of ISO 3166-1, such as EE."
                )
        for word in self.recipient:
            if not _OFFICE.fullmatch(word):
                raise Usage("handling", f"{word!r} is no office; write one word without spaces, such as duty-officer.")
        if self.caveat and self.no_caveats:
            raise Usage("handling", "--caveat and --no-caveats contradict each other; say one of them.")
        return Handling(
            tlp=tlp,
            pap=pap,
            sectors=_words(self.sector),
            countries=_words(self.country),
            caveats=frozenset() if self.no_caveats else _words(self.caveat),
            recipients=_words(self.recipient),
            basis=_words(self.basis),
            purpose=_words(self.purpose),
            cases=_words(self.case),
            embargo=instant_or_none(self.embargo, "--embargo"),
            retention=None if self.retention is None else span_or_instant(self.retention, "--retention", now),
            own=True if self.own else None,
            minimised=True if self.minimised else None,
        )


def _level(text: str | None) -> str | None:
    return None if text is None else text.strip().lower().removeprefix("tlp:").removeprefix("pap:")


def _words(words: tuple[str, ...]) -> frozenset[str] | None:
    return frozenset(words) if words else None


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, tuple) else value
