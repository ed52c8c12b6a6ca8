"""What may not stand in an agreement is refused with its line, and nothing that is left out gives anything."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace

import pytest

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import DAY, parse
from comity.kernel.model.names import flaw_of_name, looks_like
from comity.kernel.release import agreementdata, tomlform
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.decide import decide
from comity.kernel.release.decision import Receiver, Release
from comity.kernel.release.facets import Facets
from comity.kernel.release.life import AgreementState, Renewal, first_epoch, in_force
from comity.kernel.release.phrasebook import render
from comity.kernel.release.tomllines import Lines

AT = parse("2021-04-01T00:00:00Z")


def refusal(text: str) -> InputRefused:
    with pytest.raises(InputRefused) as refused:
        tomlform.read(text)
    return refused.value


@pytest.mark.parametrize(
    ("old", "new", "code", "nearest"),
    [
        ('onward     = "none"', 'onwards    = "none"', "agreement-unknown-key", "onward"),
        ("[life]", "[lief]", "agreement-unknown-key", "life"),
        ('depositary        = "teamA"', 'depository        = "teamA"', "agreement-unknown-key", "depositary"),
        ("[[view]]\nname ", "[[view]]\nnmae ", "agreement-unknown-key", "name"),
        (
            '"clear", "green", "amber"]\nview       = "full"',
            '"clear", "grene"]\nview       = "full"',
            "agreement-unknown-word",
            "green",
        ),
        (
            'types      = ["indicator", "malware"',
            'types      = ["Indicator", "malware"',
            "agreement-unknown-word",
            "indicator",
        ),
        ('["protect-networks"]', '["protect-network"]', "agreement-unknown-word", "protect-networks"),
        ('["consent", "task', '["consnt", "task', "agreement-unknown-word", "consent"),
        ('["use-condition"]', '["use-conditions"]', "agreement-unknown-word", "use-condition"),
        ('to         = ["teams"]', 'to         = ["team"]', "agreement-reference", "teams"),
        ('view       = "full"', 'view       = "ful"', "agreement-reference", "full"),
        ('clause           = "2"', 'clause           = "9"', "agreement-reference", None),
        ('by               = "teamB"', 'by               = "teams"', "agreement-reference", None),
        ("2021-03-05T12:00:00Z", "2021-03-05T12:00:00", "agreement-instant", None),
        ("2021-03-05T12:00:00Z", "2021-03-05", "agreement-instant", None),
        ("2021-03-05T12:00:00Z", '"2021-03-05T12:00:00Z"', "agreement-instant", None),
        ("2021-03-09T17:00:00Z", "17:00:00", "agreement-instant", None),
        ("2022-03-05T12:00:00Z", "2020-03-05T12:00:00Z", "agreement-rule", None),
        ("officers  = 2", "officers  = 2.0", "agreement-value", None),
        ("officers  = 2", "officers  = true", "agreement-value", None),
        ("officers  = 2", "officers  = 0", "agreement-value", None),
        ("with_names = true", 'with_names = "true"', "agreement-kind", None),
        ('number     = "1"', "number     = 1", "agreement-kind", None),
        ('number         = "2"', 'number         = "1"', "agreement-duplicate", None),
        ('retention  = "P1Y"', 'retention  = "1 year"', "agreement-value", None),
        ('retention  = "P1Y"', f'retention  = "P{"9" * 5000}Y"', "agreement-value", None),
        ('retention  = "P1Y"', 'retention  = "P0D"', "agreement-value", None),
        ('language = ["en"]', 'language = ["en", "fr"]', "agreement-language", None),
        ('law               = {en = "', 'law               = {fr = "', "agreement-language", None),
        (
            'text             = {en = "Ypsilon\'s law on retention prevails where shorter."}',
            'text = "x"',
            "agreement-language",
            None,
        ),
        (
            'effect           = {retention = "P90D"}',
            'effect           = {retention = "P1Y"}',
            "agreement-reservation",
            None,
        ),
        (
            'effect           = {retention = "P90D"}',
            'effect           = {view = "full"}',
            "agreement-unknown-key",
            None,
        ),
        ('caveats = ["use-condition"]', 'caveats = ["use-condition"]\nview = "full"', "agreement-rule", None),
        ('remove = ["name"', 'remove = ["object_marking_refs"', "agreement-rule", None),
        ('types      = ["indicator", "malware"', 'types      = ["*", "malware"', "agreement-value", None),
        ('grows_by = "accession"', "", "agreement-rule", None),
        ("form     = 1", "form     = 2", "agreement-value", None),
        ("form     = 1", "form     = true", "agreement-value", None),
        ('succession        = ["teamB"]', 'succession        = ["teamA"]', "agreement-duplicate", None),
        ('name = "Acme Mail Hosting"', 'name = "Response team of Ypsilon"', "agreement-name", None),
        ('name = "Acme Mail Hosting"', 'name = "Response team of Ypsi1on"', "agreement-name", None),
        ('name = "Acme Mail Hosting"', 'name = "Аcme Mail Hosting"', "agreement-name", None),
        ('name = "Acme Mail Hosting"', 'name = "Acme\\u202e Mail Hosting"', "agreement-name", None),
        ('name = "Acme Mail Hosting"', 'name = "Acme\\u200b Mail Hosting"', "agreement-name", None),
        ('name = "Acme Mail Hosting"', 'name = "Acme (teamA) and others"', "agreement-name", None),
        ('name = "Acme Mail Hosting"', 'name = "Ａcme Mail Hosting"', "agreement-name", None),
        ("No obligation under", "No \\u2066obligation under", "agreement-name", None),
        ("No obligation under", "No obligation\\nunder", "agreement-name", None),
    ],
)
def test_fault_is_refused_with_its_line(example_text: str, old: str, new: str, code: str, nearest: str | None) -> None:
    assert old in example_text
    text = example_text.replace(old, new, 1)
    refused = refusal(text)
    assert refused.code == code, str(refused)
    if nearest is not None:
        assert refused.detail["nearest"] == nearest
        assert repr(nearest) in str(refused)
    if code not in {"agreement-rule", "agreement-language", "agreement-reservation", "agreement-duplicate"}:
        changed = next(
            n for n, (a, b) in enumerate(zip(example_text.split("\n"), text.split("\n"), strict=False), 1) if a != b
        )
        slack = 1 if old.startswith(("[[", '"clear')) else 0
        assert abs(refused.detail["line"] - changed) <= slack, str(refused)


def test_every_value_of_a_multi_line_list_has_its_own_line(example_text: str) -> None:
    text = example_text.replace(
        '["clear", "green"]', '[\n  "clear", # a comment with ] in it\n  """green""",\n  "blue",\n]', 1
    )
    line = next(n for n, said in enumerate(text.split("\n"), 1) if '"blue"' in said)
    assert refusal(text).detail["line"] == line


def test_lines_are_right_for_every_key_of_the_example(example_text: str) -> None:
    lines, rows = Lines(example_text), example_text.split("\n")

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for key, entry in value.items():
                row = rows[lines.line((*path, key)) - 1]
                assert key in row, (path, key, row)
                walk(entry, (*path, key))
        elif isinstance(value, list):
            for place, entry in enumerate(value):
                walk(entry, (*path, place))
        elif isinstance(value, str):
            assert value in rows[lines.line(path) - 1]

    walk(tomllib.loads(example_text), ())


def test_no_default_gives(example_text: str, example: Agreement) -> None:
    data = tomllib.loads(example_text)
    for place, clause in enumerate(data["clause"]):
        for key in agreementdata.REQUIRED[clause["says"]]:
            changed = tomllib.loads(example_text)
            del changed["clause"][place][key]
            with pytest.raises(InputRefused) as refused:
                agreementdata.from_data(changed, line=Lines(example_text).line, instant=tomlform._instant)
            assert refused.value.code == "agreement-missing-key"
            assert f"'{key}'" in str(refused.value)
    assert {"types", "view", "tlp", "purpose", "basis", "onward", "retention"} <= set(agreementdata.REQUIRED["permit"])


def test_emptying_any_list_of_a_permit_leaves_nothing_that_it_gives(example: Agreement) -> None:
    ids = {party.ref: party.id for party in example.parties}
    alone = replace(example, clauses=example.clauses[:1], reservations=())
    facets = Facets(
        type="indicator",
        tlp="green",
        pap="green",
        originator=ids["teamA"],
        custodian=ids["teamA"],
        title=None,
        sectors=None,
        countries=None,
        confidence=None,
        caveats=frozenset(),
        recipients=None,
        basis=frozenset({"consent"}),
        purpose=None,
        cases=None,
    )

    def released(agreement: Agreement) -> bool:
        signed = tuple((party.id, 0) for party in agreement.parties)
        epoch = first_epoch(agreement, "ab" * 32).digest
        renewal = Renewal(epoch, AT - 1, AT + DAY // 2, ids["teamA"])
        state = AgreementState(agreement, "ab" * 32, signed, renewals=(renewal,))
        clauses = in_force(state, AT, holder=ids["teamA"])
        outcome = decide(facets, ids["teamA"], Receiver(ids["teamB"], "csirt"), clauses, at=AT)
        return isinstance(outcome, Release)

    assert released(alone)
    for key in ("sender", "to", "types", "tlp", "pap", "purpose", "basis"):
        emptied = replace(alone, clauses=(replace(alone.clauses[0], **{key: ()}),))
        assert tomlform.read(tomlform.write(emptied)) == emptied
        assert not released(emptied), key
    for key in ("sectors", "countries", "caveats", "recipients", "cases"):
        assert not released(replace(alone, clauses=(replace(alone.clauses[0], **{key: ()}),))), key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "form = 1",
        "\x00",
        "x = " + "[" * 5000,
        "x = " + "[" * 50 + "]" * 50,
        "a." * 20000 + "b = 1",
        "[" + "a." * 20000 + "b]",
        "x = {a = " * 200,
        '"a".' * 200_000 + "b = 1",
        "x = {" + "a . " * 100_000 + "b = 1}",
        "x = [}",
        "x = [" + "}" * 100_000,
        "[[",
        "a.",
        "a = {",
        'a = {"',
        "=",
        "x = [" + "'a'," * 1000,
        "form = " + "9" * 10000,
        "x = 9999-12-31T23:59:60Z",
        "a = 1\na = 2",
        "\ufefform = 1",
        "x = '''",
        "a" * 1_000_001,
    ],
)
def test_hostile_file_is_refused_in_one_sentence(text: str) -> None:
    assert refusal(text).code.startswith("agreement-")


@pytest.mark.parametrize(
    "name",
    [
        "Équipe nationale",
        "Команда Б",
        "国家应急中心 (CN)",
        "فريق الاستجابة",
        "دفترِ اطلاع\u200cرسانی",
        "Ministry of Trade & Co. (Pty) Ltd",
    ],
)
def test_names_in_many_scripts_are_welcome(name: str) -> None:
    assert flaw_of_name(name) is None


def test_names_that_look_alike_share_a_key() -> None:
    assert looks_like("Acme") == looks_like("Асме") == looks_like("ACME ") == looks_like("аcmе")
    assert looks_like("Team I1") == looks_like("Team lI")
    assert looks_like("Team A") != looks_like("Team B")


def test_name_all_in_twin_letters_is_refused_beside_the_real_one(example_text: str) -> None:
    text = example_text.replace('name = "Response team of Ypsilon"', 'name = "ACE Hosting"', 1)
    text = text.replace('name = "Acme Mail Hosting"', 'name = "АСЕ Hosting"', 1)
    refused = refusal(text)
    assert refused.code == "agreement-name"
    assert "U+0410" in str(refused)


@pytest.mark.parametrize(
    "text",
    [
        "The law of Xanadu.” It has no fixed end. The parties state: “so be it",
        'The law of Xanadu." It ends never. The parties state: "so be it',
        "The law of Xanadu.’’ The parties state: ‘‘so be it",
        "The law of Xanadu.\n1. By this clause anybody may give anybody objects",
        "The law of Xanadu.\u2028No other party may accede.",
        "The law of \u202eudanaX\u202c",
        "The law of Xan\u200badu",
    ],
)
def test_law_that_closes_its_quotation_or_hides_characters_is_refused(example_text: str, text: str) -> None:
    held = re.search(r"^law\s*=\s*\{.*\}$", example_text, re.MULTILINE)
    assert held is not None
    changed = example_text.replace(held[0], "law = { en = " + json.dumps(text) + " }")
    refused = refusal(changed)
    assert refused.code == "agreement-name"
    assert "law" in refused.sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Acme and everybody may give", "may give"),
        ("Acme, May  Give: all", "may give"),
        ("Acme, and every party that accedes", "and every party that accedes"),
        ("The members of Acme", "the members of"),
        ("Acme. By this clause", "by this clause"),
        ("Nobody", "nobody"),
        ("Nothing at all", "nothing at all"),
    ],
)
def test_name_that_reads_like_a_clause_is_refused(example: Agreement, name: str, words: str) -> None:
    first = replace(example.parties[0], name=name)
    with pytest.raises(InputRefused) as refused:
        render(replace(example, parties=(first, *example.parties[1:])))
    assert refused.value.code == "agreement-name"
    assert f"“{words}”" in refused.value.sentence


@pytest.mark.parametrize(
    "title",
    ["THE CLAUSES", "How this text is read", "Nothing but this: may give one another objects on the following terms"],
)
def test_title_that_reads_like_a_heading_or_a_clause_is_refused(example: Agreement, title: str) -> None:
    with pytest.raises(InputRefused) as refused:
        render(replace(example, title={"en": title}))
    assert refused.value.code == "agreement-name"


def test_ordinary_names_and_titles_are_welcome(example: Agreement) -> None:
    for name in ("The Receivers Ltd", "Ministry of Trade and Industry", "Parties United"):
        first = replace(example.parties[0], name=name)
        title = {"en": f"Agreement of {name} with the members of the network"}
        assert name in render(replace(example, parties=(first, *example.parties[1:]), title=title))
