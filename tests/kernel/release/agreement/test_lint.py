"""Drafters are told what their agreement says that they may not have meant, and what changed between two drafts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from comity.kernel.model.instants import DAY, HOUR
from comity.kernel.release import lint
from comity.kernel.release.agreement import AgreedView, Agreement, AgreementParty, Clause, Duty


def found(agreement: Agreement) -> set[tuple[str, tuple[str, ...]]]:
    return {(finding.code, finding.clauses) for finding in lint.lint(agreement)}


def change(agreement: Agreement, number: str, **values: object) -> Agreement:
    clauses = tuple(replace(clause, **values) if clause.number == number else clause for clause in agreement.clauses)  # type: ignore[arg-type]
    return replace(agreement, clauses=clauses)


def one(agreement: Agreement, number: str) -> Clause:
    return next(clause for clause in agreement.clauses if clause.number == number)


def with_copy(agreement: Agreement, number: str, **values: object) -> Agreement:
    return replace(agreement, clauses=(*agreement.clauses, replace(one(agreement, number), number="9", **values)))  # type: ignore[arg-type]


def test_example_has_only_the_findings_that_are_meant(example: Agreement) -> None:
    assert {finding.code for finding in lint.lint(example)} == {
        "basis-unconfirmed",
        "unmarked-caveats",
        "consent-unbuilt",
    }


@pytest.mark.parametrize(
    ("number", "values", "code"),
    [
        ("1", {"sender": ()}, "nobody"),
        ("1", {"to": ()}, "nobody"),
        ("5", {"to": ("teamA",)}, "only-itself"),
        ("1", {"types": ()}, "nothing"),
        ("3", {"caveats": ()}, "nothing"),
        ("5", {"not_after": 1}, "never-open"),
        ("5", {"not_before": 2_000_000_000_000_000}, "never-open"),
        ("1", {"tlp": ("clear", "red")}, "red-permitted"),
        ("2", {"tlp": ("amber+strict",)}, "tlp-clients"),
        ("1", {"duties": (Duty("receipt", "P2Y"),)}, "duty-late"),
        ("1", {"onward": "with-consent"}, "consent-unbuilt"),
    ],
)
def test_clause_that_cannot_mean_what_it_says_is_found(
    example: Agreement, number: str, values: dict[str, object], code: str
) -> None:
    assert (code, (number,)) in found(change(example, number, **values))
    assert (code, (number,)) not in found(example)


def test_permit_under_a_prohibit_of_everything_is_found(example: Agreement) -> None:
    total = replace(example, clauses=(*example.clauses, Clause("9", "prohibit", ("teams",), ("acme",))))
    assert ("prohibited-throughout", ("7", "9")) in found(total)
    assert ("prohibited-throughout", ("1", "9")) not in found(total)
    by_type = Clause("9", "prohibit", ("teams",), ("acme",), types=("sighting", "report"))
    assert ("prohibited-throughout", ("7", "9")) in found(replace(example, clauses=(*example.clauses, by_type)))
    by_sector = Clause("9", "prohibit", ("teams",), ("acme",), sectors=("energy",))
    assert ("prohibited-throughout", ("7", "9")) not in found(replace(example, clauses=(*example.clauses, by_sector)))


def test_two_permits_that_meet_say_which_wins_and_by_which_rule(example: Agreement) -> None:
    narrower = with_copy(example, "1", view="indicator", types=("indicator", "tool"))
    overlap = next(finding for finding in lint.lint(narrower) if finding.code == "overlap")
    assert overlap.clauses == ("1", "9")
    assert "clause 1 wins (the fuller view)" in overlap.sentence
    later = with_copy(example, "1", retention="P1D", types=("indicator", "tool"))
    overlap = next(finding for finding in lint.lint(later) if finding.code == "overlap")
    assert "differ in retention" in overlap.sentence
    assert "clause 1 wins (the lower number)" in overlap.sentence


def test_permit_that_another_always_beats_is_found(example: Agreement) -> None:
    assert ("overshadowed", ("9", "1")) in found(with_copy(example, "1", view="without-victim"))
    assert ("overshadowed", ("9", "1")) not in found(with_copy(example, "1", view="without-victim", tlp=("amber",)))


def test_refer_in_front_of_a_permit_is_found(example: Agreement) -> None:
    both = change(example, "4", tlp=("green",))
    assert ("referred-first", ("1", "4")) in found(both)
    assert ("referred-first", ("1", "4")) not in found(example)


def test_lease_shorter_than_the_time_between_two_contacts_is_found(example: Agreement) -> None:
    assert "lease-short" in {finding.code for finding in lint.lint(example, interval=2 * DAY)}
    assert "lease-short" not in {finding.code for finding in lint.lint(example, interval=HOUR)}
    slow = replace(example, life=replace(example.life, lease="P30D", succession=()))
    assert {"lease-long", "no-successor"} <= {finding.code for finding in lint.lint(slow)}


def test_what_nobody_uses_and_odd_letters_are_found(example: Agreement) -> None:
    more = replace(
        example,
        views=(*example.views, AgreedView("spare", ())),
        parties=(*example.parties, AgreementParty("x", "АСМЕ", "identity--c2f7d1f6-0f33-57aa-8f57-0d2f4f1c7b33")),
    )
    findings = {finding.code: finding.sentence for finding in lint.lint(more)}
    assert {"view-unused", "view-empty", "party-silent", "odd-letters"} <= findings.keys()
    assert "CYRILLIC" in findings["odd-letters"]
    assert "U+0410" in findings["odd-letters"]


def test_every_finding_is_of_the_list(example: Agreement) -> None:
    assert {finding.code for finding in lint.lint(example)} <= lint.FINDINGS.keys()


def test_widened_draft_shows_old_and_new_words_clause_by_clause(example: Agreement) -> None:
    new = change(example, "1", tlp=("clear", "green", "amber"))
    new = replace(new, clauses=(*new.clauses[:5], replace(one(example, "7"), number="8")))
    changes = {change.where: change for change in lint.compare(example, new)}
    assert changes.keys() == {"clause 1", "clause 6", "clause 7", "clause 8"}
    assert changes["clause 1"].what == "changed"
    assert "TLP:CLEAR or TLP:GREEN" in (changes["clause 1"].old or "")
    assert "TLP:CLEAR, TLP:GREEN or TLP:AMBER" in (changes["clause 1"].new or "")
    assert changes["clause 8"].what == "added"
    assert changes["clause 6"].what == "removed"
    assert lint.compare(example, example) == ()
