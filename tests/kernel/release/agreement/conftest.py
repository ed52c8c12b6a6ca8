"""Fixtures for agreements. Which to pick:

- `example_text`, `example`: the agreement file of the documentation, with all kinds of clauses; as text, and read.
- `agreements`: a strategy of random valid agreements in English; `bilingual`: in English and the toy language of `toy`.
- `toy`: a second phrasebook, of another word order; `both`: the phrasebooks of English and the toy.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from comity.kernel.model import instants
from comity.kernel.model.names import flaw_of_quoted
from comity.kernel.release import agreementdata, phrasebook, tomlform, vocabulary
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.lists import BASES, PURPOSES
from comity.kernel.release.phrases import Phrasebook

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def example_text() -> str:
    return (HERE / "example.toml").read_text("utf-8")


@pytest.fixture(scope="session")
def example(example_text: str) -> Agreement:
    return tomlform.read(example_text)


@pytest.fixture(scope="session")
def toy() -> Phrasebook:
    """A language in which every sentence is a number and its slots come in reverse order."""
    english = phrasebook.ENGLISH
    sentences = {}
    for place, (key, slots) in enumerate(phrasebook.SLOTS.items()):
        said = [
            f"{{{slot}|and}}" if phrasebook._KINDS[slot][0] in {"list", "parties"} else f"{{{slot}}}" for slot in slots
        ]
        sentences[key] = f"Za{place} " + " zu ".join(reversed(said)) + " ."
    words = {
        table: {word: f"{table.upper()}{place}!" for place, word in enumerate(entries)}
        for table, entries in english.words.items()
        if table not in {"types", "language"}
    }
    return replace(
        english,
        language="qaa",
        sentences=sentences,
        words=words,
        lists={"and": (" ~ ", " ~~ ")},
        nobody="niemo",
        nothing="nada!",
        unknown="huh!",
        group="ol {ref}!",
        units={unit: (unit.lower() + "1", unit.lower() + "2") for unit in english.units},
        months=tuple(f"mo{number}" for number in range(12)),
        instant="la {time} de {month} {day}, {year} ({code})",
        duration="{words} ({code}) longe",
        meaning=("Ta texto.",),
    )


@pytest.fixture(scope="session")
def both(toy: Phrasebook) -> dict[tuple[str, str], Phrasebook]:
    return {**phrasebook.BOOKS, (toy.id, toy.language): toy}


@pytest.fixture(scope="session")
def agreements() -> st.SearchStrategy[Agreement]:
    return _agreements(("en",))


@pytest.fixture(scope="session")
def bilingual() -> st.SearchStrategy[Agreement]:
    return _agreements(("en", "qaa"))


PLAIN = (
    st.text(alphabet="abcXYZ ,;.:()[]{}‘’'\\|*and or éß漢字0", min_size=1, max_size=24)
    .map(lambda text: unicodedata.normalize("NFC", f"T{text}."))
    .filter(lambda text: flaw_of_quoted(text) is None)
)
WORD = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/+@-]{0,12}", fullmatch=True)
NAME = st.sampled_from(["Ministry of A and B", "X (Pty) Ltd", "Team “Y”", "Équipe, Z"])
URI = st.sampled_from(
    ["https://example.org/purpose?a=(b)&c=*", "urn:example:basis:7", "tag:x.example,2021:y".replace(",", ".")]
)
DURATION = st.sampled_from(["P1Y", "P1D", "P2W", "PT1H", "PT90M", "PT1S", "P1Y2M3DT4H5M6S", "P007D", "P180D"])
STRETCH = st.one_of(DURATION, st.sampled_from(["1 working day", "3 working days", "2000 working days", "P1M"]))
INSTANT = st.integers(0, agreementdata.LATEST)


def _lists(words: st.SearchStrategy[str], *, star: bool = True) -> st.SearchStrategy[list[str]]:
    return st.lists(st.one_of(words, st.just("*")) if star else words, unique=True, max_size=5)


@st.composite
def _agreements(draw: st.DrawFn, languages: tuple[str, ...]) -> Agreement:
    def free() -> dict[str, str]:
        return {language: draw(PLAIN) for language in languages}

    parties = [
        {
            "ref": f"p{place}",
            "name": f"{draw(NAME)} {chr(65 + place)}x",
            "id": f"identity--4b0e6d0e-6f2b-5c4e-9a53-2f6f9f3f7a{place:02d}",
        }
        for place in range(draw(st.integers(2, 4)))
    ]
    refs = [party["ref"] for party in parties]
    some = st.lists(st.sampled_from(refs), unique=True, max_size=4)
    groups = [
        {"ref": f"g{place}", "members": draw(some)} | draw(st.sampled_from([{}, {"grows_by": "accession"}]))
        for place in range(draw(st.integers(0, 2)))
    ]
    growing = [group["ref"] for group in groups if "grows_by" in group]
    views = [
        {
            "name": f"v{place}",
            "remove": draw(st.lists(st.sampled_from(["name", "labels", "x_victim", "extensions"]), unique=True)),
        }
        for place in range(draw(st.integers(0, 2)))
    ]
    begins = draw(st.integers(0, 4 * 10**15))
    life: dict[str, Any] = {
        "enters_into_force": begins,
        "signatures": "all",
        "threshold": draw(st.sampled_from(vocabulary.THRESHOLDS)),
        "withdrawal_notice": draw(st.sampled_from(["P0D", "P30D", "PT36H"])),
        "after_end": draw(st.sampled_from(vocabulary.AFTER_END)),
        "depositary": refs[0],
        "succession": draw(st.lists(st.sampled_from(refs[1:]), unique=True)),
        "lease": draw(DURATION),
    }
    if draw(st.booleans()):
        life["ends"] = draw(st.integers(begins + 1, agreementdata.LATEST))
    if growing:
        kinds = draw(st.lists(st.sampled_from(vocabulary.KINDS), unique=True))
        life["accession"] = {
            "kinds": kinds,
            "group": draw(st.sampled_from(growing)),
            "consent": draw(st.sampled_from(("all", "majority"))),
        }
    if draw(st.booleans()):
        life["silence"] = {"rule": "refusal", "except": draw(st.sampled_from([[], ["reservation"]]))}
    if draw(st.booleans()):
        life["law"] = free()
    ends = st.lists(st.sampled_from(refs + [group["ref"] for group in groups]), unique=True, max_size=5)
    clauses = [
        _clause(draw, place, ends, [view["name"] for view in views], free) for place in range(draw(st.integers(0, 4)))
    ]
    data = {
        "form": 1,
        "title": free(),
        "language": list(languages),
        "phrases": "comity-phrases/1",
        "party": parties,
        "group": groups,
        "life": life,
        "view": views,
        "clause": clauses,
    }
    if draw(st.booleans()):
        data["previous"] = "0f" * 32
    if draw(st.booleans()):
        data["procedure"] = [
            {
                "table": table,
                "times": draw(st.dictionaries(st.sampled_from(["silence", "minimum", "x-2"]), STRETCH, min_size=1)),
                "zone": draw(st.sampled_from(["UTC", "Europe/Tallinn", "America/Argentina/Ushuaia", "Etc/GMT+5"])),
                "working": draw(st.lists(st.sampled_from(vocabulary.WEEKDAYS), unique=True, min_size=1)),
                "holidays": draw(st.lists(st.dates().map(str), unique=True, max_size=4)),
                "closes": draw(st.sampled_from(["17:00", "24:00", "00:01"])),
            }
            for table in draw(st.lists(st.sampled_from(["silence", "committed-round"]), unique=True, min_size=1))
        ]
    reserved = [clause["number"] for clause in clauses if clause["says"] != "prohibit"]
    if reserved and draw(st.booleans()):
        data["reservation"] = [
            {
                "by": draw(st.sampled_from(refs)),
                "clause": draw(st.sampled_from(reserved)),
                "text": free(),
                "effect": draw(
                    st.sampled_from([{}, {"onward": "none"}, {"min_confidence": "high"}, {"retention": "PT1S"}])
                ),
                "objection_within": draw(DURATION),
            }
        ]
    return agreementdata.from_data(data, line=lambda path: None, instant=int)


def _clause(
    draw: st.DrawFn, place: int, ends: st.SearchStrategy[list[str]], views: list[str], free: Any
) -> dict[str, Any]:
    says = draw(st.sampled_from(vocabulary.SAYS))
    one = draw(ends)
    values: dict[str, st.SearchStrategy[Any]] = {
        "types": _lists(st.sampled_from(["indicator", "ipv4-addr", "x-custom-type", "malware"]), star=False),
        "tlp": _lists(st.sampled_from(vocabulary.TLP), star=False),
        "pap": _lists(st.sampled_from(vocabulary.PAP)),
        "sectors": _lists(WORD),
        "countries": _lists(st.sampled_from(["XA", "EE", "XZ"])),
        "caveats": _lists(st.sampled_from(vocabulary.CAVEATS)),
        "recipients": _lists(WORD),
        "cases": _lists(WORD),
        "min_confidence": st.sampled_from(vocabulary.CONFIDENCE),
        "not_before": INSTANT,
        "not_after": INSTANT,
        "view": st.sampled_from([*vocabulary.STANDARD_VIEWS, *views]),
        "with_names": st.booleans(),
        "source": st.just("named"),
        "purpose": _lists(st.one_of(st.sampled_from([entry.id for entry in PURPOSES]), URI), star=False),
        "basis": _lists(st.one_of(st.sampled_from([entry.id for entry in BASES]), URI)),
        "onward": st.sampled_from(vocabulary.ONWARD),
        "retention": DURATION,
        "officers": st.integers(1, 9),
        "question": st.builds(free),
        "duty": st.lists(st.sampled_from(vocabulary.DUTIES), unique=True).map(
            lambda duties: [{"do": duty, "within": "PT24H"} for duty in duties]
        ),
    }
    clause: dict[str, Any] = {
        "number": draw(st.sampled_from(["", "2.", "a-"])) + str(place),
        "says": says,
        "from": one,
        "to": draw(st.one_of(st.just(one), ends)),
    }
    for key, strategy in values.items():
        if key in agreementdata.FOREIGN[says]:
            continue
        if key in agreementdata.REQUIRED[says] or draw(st.booleans()):
            clause[key] = draw(strategy)
    if says != "prohibit" and not clause.get("with_names") and draw(st.booleans()):
        clause["source"] = "hidden"
    return clause


AT = instants.parse("2021-03-06T00:00:00Z")
