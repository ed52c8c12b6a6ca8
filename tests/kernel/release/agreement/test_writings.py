"""The three writings of an agreement, file, signed form and readable text, say the same and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import comity
from comity.kernel.errors import CODES, ComityError, InputRefused
from comity.kernel.release import agreementdata, jsonform, lint, lists, phrasebook, purposes, templates, tomlform
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.phrases import Phrasebook
from comity.kernel.release.predicates import BY_ID

MODEST = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
SHARED = Path(__file__).resolve().parents[4].parent / "shared"


@MODEST
@given(data=st.data())
def test_what_was_rendered_reads_back_as_the_same_agreement(agreements: Any, data: st.DataObject) -> None:
    agreement = data.draw(agreements)
    text = phrasebook.render(agreement)
    assert phrasebook.parse(text) == agreement


@MODEST
@given(data=st.data())
def test_file_and_signed_form_read_back_as_the_same_agreement(agreements: Any, data: st.DataObject) -> None:
    agreement = data.draw(agreements)
    assert tomlform.read(tomlform.write(agreement)) == agreement
    form = jsonform.form(agreement)
    assert jsonform.read(form) == agreement
    assert jsonform.digest(jsonform.read(form)) == jsonform.digest(agreement)


@settings(MODEST, max_examples=60)
@given(data=st.data())
def test_two_languages_of_equal_authenticity_give_one_agreement(bilingual: Any, both: Any, data: st.DataObject) -> None:
    agreement = data.draw(bilingual)
    texts = {language: phrasebook.render(agreement, language, books=both) for language in agreement.languages}
    assert phrasebook.parse_all(texts, books=both) == agreement
    assert jsonform.read(jsonform.form(agreement, books=both), books=both) == agreement
    with pytest.raises(InputRefused) as refused:
        phrasebook.parse(texts["en"], books=both)
    assert refused.value.code == "agreement-language"


def test_a_phrasebook_is_data_and_its_faults_are_found(toy: Phrasebook) -> None:
    assert phrasebook.flaws(phrasebook.ENGLISH) == ()
    assert phrasebook.flaws(toy) == ()
    sentences = dict(toy.sentences)
    del sentences["life.lease"]
    assert any("life.lease" in flaw for flaw in phrasebook.flaws(replace(toy, sentences=sentences)))
    words = {**toy.words, "tlp": {**toy.words["tlp"], "red": toy.words["tlp"]["clear"]}}
    assert any("alike" in flaw for flaw in phrasebook.flaws(replace(toy, words=words)))
    words = {**toy.words, "tlp": {**toy.words["tlp"], "red": "R ~ S"}}
    assert any("separator" in flaw for flaw in phrasebook.flaws(replace(toy, words=words)))


def test_the_readable_text_of_the_example_states_each_rule_in_words(example: Agreement) -> None:
    text = phrasebook.render(example)
    assert "1. By this clause the members of “teams” may give one another objects on the following terms:" in text
    assert "(a) the object is of the type indicator, malware, relationship, IPv4 address (ipv4-addr)" in text
    assert "(b) it is marked TLP:CLEAR or TLP:GREEN;" in text
    for rule in (
        "What nobody stated is unknown.",
        "“unknown (*)” in a list means that the clause holds also where nobody stated the matter.",
        "A silent depositary therefore stops everyone after one lease.",
        "giving can continue until that party's lease expires, and no longer.",
        "Disposal is attested by the signature of the party that disposes; it cannot be proved.",
        "TLP:AMBER+STRICT may go to the receiving organisation only.",
        "Retention begins at the release.",
        "the receiver passes it on to nobody",
    ):
        assert rule in text, rule
    assert max(len(line) for line in text.split("\n")) < 700


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("TLP:CLEAR or TLP:GREEN;", "TLP:CLEAR, TLP:GREEN or TLP:AMBER;"),
        ("1 year (P1Y)", "2 years (P1Y)"),
        ("5 March 2021 at 12:00:00 UTC", "6 March 2021 at 12:00:00 UTC"),
        ("(a) the object", "(b) the object"),
        ("it cannot be proved", "it is proved"),
        ("may give one another objects on", "shall not give one another objects on"),
        ("National response team of Xanadu (teamA) shall", "Response team of Ypsilon (teamB) shall"),
        ("passes it on to nobody;", "passes it on to somebody;"),
        ("whose identifier is identity--4b0e", "whose identifier is identity--4B0e"),
        ("No obligation under", "No obligation, under"),
    ],
)
def test_text_altered_after_signing_is_told_apart(example: Agreement, old: str, new: str) -> None:
    text = phrasebook.render(example)
    assert old in text
    altered = text.replace(old, new, 1)
    try:
        told = jsonform.digest(phrasebook.parse(altered))
    except InputRefused as refused:
        told = refused.code
    assert told != jsonform.digest(example)
    assert len(told) == 64 or told in {"agreement-text", "agreement-value"}


@settings(MODEST, max_examples=200)
@given(data=st.data())
def test_no_mangled_text_or_file_breaks_the_reader(example_text: str, example: Agreement, data: st.DataObject) -> None:
    rendered = phrasebook.render(example)
    which = data.draw(st.sampled_from(["file", "text"]))
    source = example_text if which == "file" else rendered
    at = data.draw(st.integers(0, len(source)))
    length = data.draw(st.integers(0, 40))
    mangled = source[:at] + data.draw(st.text(max_size=12)) + source[at + length :]
    try:
        agreement = tomlform.read(mangled) if which == "file" else phrasebook.parse(mangled)
    except ComityError as refused:
        code, agreement = refused.code, example
    else:
        code = "agreement-read"
        if which == "text":
            assert (jsonform.digest(agreement) == jsonform.digest(example)) == (mangled == rendered)
    assert code.startswith("agreement-")
    assert phrasebook.parse(phrasebook.render(agreement)) == agreement


def test_signed_form_with_another_text_hash_is_refused(example: Agreement) -> None:
    form = jsonform.form(example)
    form["texts"] = {"en": "00" * 32}
    with pytest.raises(InputRefused) as refused:
        jsonform.read(form)
    assert refused.value.code == "agreement-altered"


def test_signed_form_whose_data_were_widened_under_the_old_text_is_refused(example: Agreement) -> None:
    form = jsonform.form(example)
    form["clause"][0]["tlp"].append("amber")
    with pytest.raises(InputRefused) as refused:
        jsonform.read(form)
    assert refused.value.code == "agreement-altered"


def test_signed_form_that_spells_out_a_default_has_no_second_digest(example: Agreement) -> None:
    form = jsonform.form(example)
    form["clause"][0]["source"] = "named"
    with pytest.raises(InputRefused) as refused:
        jsonform.read(form)
    assert refused.value.code == "agreement-altered"


@pytest.mark.parametrize("junk", [None, [], {}, {"texts": {}}, {"texts": {}, "form": 1}, {"texts": [], "clause": {}}])
def test_junk_in_place_of_a_signed_form_is_refused(junk: Any) -> None:
    with pytest.raises(InputRefused):
        jsonform.read(junk)


def test_text_of_a_phrasebook_nobody_has_is_refused(example: Agreement) -> None:
    with pytest.raises(InputRefused) as refused:
        phrasebook.render(replace(example, phrases="other-phrases/9"))
    assert refused.value.code == "agreement-phrases"


def test_the_digest_of_the_example_stands(example: Agreement) -> None:
    """A change of any sentence of comity-phrases/1 moves this digest: then it is another phrasebook, with another
    number."""
    assert jsonform.digest(example) == jsonform.digest(phrasebook.parse(phrasebook.render(example)))
    assert jsonform.form(example)["texts"].keys() == {"en"}


def test_the_lists_shipped_are_the_reference_lists() -> None:
    shipped = Path(comity.__file__).parent / "data" / "reference"
    for name, entries, source in (("purposes", lists.PURPOSES, "source"), ("bases", lists.BASES, "instrument")):
        for folder in (shipped, SHARED / "reference"):
            if not (folder / f"{name}.yaml").is_file():
                continue
            held = yaml.safe_load((folder / f"{name}.yaml").read_text("utf-8"))
            assert [(e["id"], e["sentence"], e[source], e["verified"]) for e in held[name]] == [
                (entry.id, entry.sentence, entry.source, entry.verified) for entry in entries
            ]
            assert str(held["as_of"]) == lists.AS_OF
        words = phrasebook.ENGLISH.words["purpose" if name == "purposes" else "basis"]
        assert words == {entry.id: entry.sentence for entry in entries}
    assert (shipped / "purposes.yaml").is_file()
    assert purposes.known_basis("urn:example:law:7")
    assert not purposes.known_purpose("protect networks")


def test_the_example_here_is_the_example_of_the_project(example_text: str) -> None:
    other = SHARED / "examples" / "agreement.toml"
    if not other.is_file():
        pytest.skip("no shared examples beside the repository")
    assert other.read_text("utf-8") == example_text


@pytest.mark.parametrize("name", templates.TEMPLATES)
def test_each_template_is_valid_as_it_stands(name: str) -> None:
    parties = [
        templates.TemplateParty("one", 'Team "One" \\ of X', "identity--4b0e6d0e-6f2b-5c4e-9a53-2f6f9f3f7a10"),
        templates.TemplateParty("two", "Zwei GmbH", "identity--4b0e6d0e-6f2b-5c4e-9a53-2f6f9f3f7a11"),
    ]
    text = templates.TEMPLATES[name](parties, enters_into_force=10**15, ends=2 * 10**15, title="A title")
    agreement = tomlform.read(text)
    assert [party.name for party in agreement.parties] == [party.name for party in parties]
    assert all(clause.tlp for clause in agreement.clauses if clause.says == "permit")
    assert phrasebook.parse(phrasebook.render(agreement)) == agreement
    with pytest.raises(ComityError) as refused:
        templates.TEMPLATES[name](parties[:1], enters_into_force=10**15)
    assert refused.value.code == "template"


def test_every_key_is_explained_in_the_documentation() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "agreement-language.md").read_text("utf-8")
    for table, keys in {
        "": agreementdata.TOP_KEYS,
        "party.": agreementdata.PARTY_KEYS,
        "group.": agreementdata.GROUP_KEYS,
        "life.": agreementdata.LIFE_KEYS,
        "view.": agreementdata.VIEW_KEYS,
        "clause.": agreementdata.CLAUSE_KEYS,
        "duty.": agreementdata.DUTY_KEYS,
        "procedure.": agreementdata.PROCEDURE_KEYS,
        "reservation.": agreementdata.RESERVATION_KEYS,
    }.items():
        for key in keys:
            assert f"| `{table}{key}` |" in page, f"{table}{key}"
    rows = [line.replace("\\|", "\x00").split("|") for line in page.split("\n") if line.startswith("| `")]
    said = {text.replace("\x00", "|") for row in rows for text in re.findall("“(.*?)”(?=<br>| $)", row[3])}
    assert said <= set(phrasebook.ENGLISH.sentences.values())
    unsaid = {key for key, sentence in phrasebook.ENGLISH.sentences.items() if sentence not in said}
    assert {key for key in unsaid if not key.startswith("heading.")} == {
        "permit.mutual",
        "refer.mutual",
        "prohibit.mutual",
        "prohibit.bare",
        "prohibit.bare_mutual",
    } - {"permit.mutual"}
    assert {name for row in rows for name in re.findall("`([a-z-]+)`", row[4])} <= BY_ID.keys()
    assert {name for row in rows for name in re.findall("`([a-z-]+)`", row[5])} <= CODES.keys()
    assert all(f"`{code}`" in page for code in lint.FINDINGS)
