"""Agreement files to begin from: each is valid as it stands, says every term openly, and is meant to be edited before
signature.

Nothing is assumed silently: TLP, view, purpose, legal basis, onward release and retention stand in every clause, to be
read and changed. Source: docs/agreement-language.md, Templates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from comity.kernel.errors import Usage
from comity.kernel.model import instants
from comity.kernel.model.instants import Instant
from comity.kernel.release import tomlform


@dataclass(frozen=True, slots=True)
class TemplateParty:
    """A party of a draft: its short name in the text, its name, its party id."""

    ref: str
    name: str
    id: str


def bilateral(
    parties: Sequence[TemplateParty],
    *,
    enters_into_force: Instant,
    ends: Instant | None = None,
    title: str | None = None,
) -> str:
    """A draft between two parties: indicators both ways, and TLP:RED by two officers.

    Raises:
        Usage: `template` for another number of parties; InputRefused for a name or id that may not stand in an
        agreement.
    """
    _count("bilateral", parties, 2, 2)
    one, two = (party.ref for party in parties)
    body = f"""
[[clause]]                                   # what protects networks, both ways
number     = "1"
says       = "permit"
from       = ["{one}", "{two}"]
to         = ["{one}", "{two}"]
{_TECHNICAL}
tlp        = ["clear", "green", "amber"]
view       = "full"
purpose    = ["protect-networks"]
basis      = ["agreement"]
onward     = "none"
retention  = "P1Y"
{_RECEIPT}

[[clause]]                                   # what is for named persons, officers decide each time
number     = "2"
says       = "refer"
from       = ["{one}", "{two}"]
to         = ["{one}", "{two}"]
tlp        = ["amber+strict", "red"]
question   = {{en = "Which persons receive it, and does the source agree?"}}
officers   = 2
view       = "full"
purpose    = ["situational-awareness"]
basis      = ["agreement"]
onward     = "none"
retention  = "P90D"

# To keep back what was given for one use only, take the number signs away. A prohibit also stops every object
# whose caveats nobody has stated, so state them at import.
# [[clause]]
# number     = "3"
# says       = "prohibit"
# from       = ["{one}", "{two}"]
# to         = ["{one}", "{two}"]
# caveats    = ["use-condition"]
"""
    return _draft(
        parties,
        "Arrangement on the sharing of information on cyber incidents",
        "",
        body,
        title,
        enters_into_force,
        ends,
    )


def community(
    parties: Sequence[TemplateParty],
    *,
    enters_into_force: Instant,
    ends: Instant | None = None,
    title: str | None = None,
) -> str:
    """A draft for a group that response teams may join: indicators within the group, incidents without their victims.

    Raises:
        Usage: `template` for fewer than two parties; InputRefused as `bilateral`.
    """
    _count("community", parties, 2, 500)
    group = _members(parties)
    body = f"""
[[view]]
name   = "without-victim"
remove = ["name", "description", "labels", "external_references", "where_sighted_refs", "observed_data_refs"]

[[clause]]                                   # what protects networks
number     = "1"
says       = "permit"
from       = ["members"]
to         = ["members"]
{_TECHNICAL}
tlp        = ["clear", "green"]
view       = "full"
purpose    = ["protect-networks"]
basis      = ["agreement"]
onward     = "none"
retention  = "P1Y"
{_RECEIPT}

[[clause]]                                   # who was hit stays unsaid
number     = "2"
says       = "permit"
from       = ["members"]
to         = ["members"]
types      = ["incident", "report", "sighting", "observed-data"]
tlp        = ["amber"]
view       = "without-victim"
purpose    = ["situational-awareness"]
basis      = ["agreement"]
onward     = "none"
retention  = "P180D"
"""
    return _draft(
        parties,
        "Arrangement of a community of response teams",
        group,
        body,
        title,
        enters_into_force,
        ends,
        joins=("csirt",),
    )


def company_to_team(
    parties: Sequence[TemplateParty],
    *,
    enters_into_force: Instant,
    ends: Instant | None = None,
    title: str | None = None,
) -> str:
    """A draft between a company (first) and a response team (second): what the company sees, its source hidden;
    sightings back.

    Raises:
        Usage: `template` for another number of parties; InputRefused as `bilateral`.
    """
    _count("company_to_team", parties, 2, 2)
    company, team = (party.ref for party in parties)
    body = f"""
[[view]]
name   = "without-customer"
remove = ["name", "description", "labels", "external_references", "where_sighted_refs", "observed_data_refs"]

[[clause]]                                   # what the company sees; its customers stay hidden
number     = "1"
says       = "permit"
from       = ["{company}"]
to         = ["{team}"]
{_TECHNICAL}
tlp        = ["clear", "green", "amber"]
view       = "without-customer"
source     = "named"                         # or "hidden"
purpose    = ["protect-networks"]
basis      = ["legitimate-interest"]
onward     = "none"
retention  = "P180D"
{_RECEIPT}

[[clause]]                                   # what the team tells the company
number     = "2"
says       = "permit"
from       = ["{team}"]
to         = ["{company}"]
types      = ["indicator", "sighting", "vulnerability"]
tlp        = ["clear", "green"]
view       = "full"
purpose    = ["protect-networks"]
basis      = ["agreement"]
onward     = "clients"
retention  = "P180D"

# To keep back personal data altogether, take the number signs away. A prohibit also stops every object whose
# caveats nobody has stated, so state them at import.
# [[clause]]
# number     = "3"
# says       = "prohibit"
# from       = ["{company}"]
# to         = ["{team}"]
# caveats    = ["personal-data"]
"""
    name = "Arrangement between a company and a response team"
    return _draft(parties, name, "", body, title, enters_into_force, ends)


def directory(
    parties: Sequence[TemplateParty],
    *,
    enters_into_force: Instant,
    ends: Instant | None = None,
    title: str | None = None,
) -> str:
    """A draft for a group that keeps one directory of contacts and writes to one another: offices, rotas, pings, vouches, messages.

    Raises:
        Usage: `template` for fewer than two parties; InputRefused as `bilateral`.
    """
    _count("directory", parties, 2, 500)
    group = _members(parties)
    body = f"""
[[clause]]                                   # whom to reach, and whether they answer
number     = "1"
says       = "permit"
from       = ["members"]
to         = ["members"]
types      = ["x-comity-contact", "x-comity-rota", "x-comity-vouch", "x-comity-ping", "x-comity-acknowledgement",
              "identity"]
tlp        = ["clear", "green", "amber"]
view       = "full"
purpose    = ["incident-response"]
basis      = ["agreement", "consent", "legal-obligation", "task-in-public-interest", "csirts-network"]
onward     = "none"
retention  = "P1Y"
{_RECEIPT}

[[clause]]                                   # what one writes to another; it goes only to those it names
number     = "2"
says       = "permit"
from       = ["members"]
to         = ["members"]
types      = ["x-comity-message"]
tlp        = ["clear", "green", "amber"]
view       = "full"
purpose    = ["incident-response"]
basis      = ["agreement", "consent", "legal-obligation", "task-in-public-interest", "csirts-network"]
onward     = "none"
retention  = "P5Y"
{_RECEIPT}

[[clause]]                                   # the same between ministries
number     = "3"
says       = "permit"
from       = ["members"]
to         = ["members"]
types      = ["x-comity-message"]
tlp        = ["clear", "green", "amber"]
view       = "full"
purpose    = ["diplomatic-response"]
basis      = ["agreement", "consent", "legal-obligation", "task-in-public-interest"]
onward     = "none"
retention  = "P5Y"
{_RECEIPT}
"""
    name = "Arrangement on a common directory of contacts"
    return _draft(parties, name, group, body, title, enters_into_force, ends, joins=("csirt",))


def response(
    parties: Sequence[TemplateParty],
    *,
    enters_into_force: Instant,
    ends: Instant | None = None,
    title: str | None = None,
) -> str:
    """A draft for a group that answers incidents together: the incident, who did it, what is said of it, what is done about it.

    The types are words here, as in any clause: nothing of the kernel knows what makes them.

    Raises:
        Usage: `template` for fewer than two parties; InputRefused as `bilateral`.
    """
    _count("response", parties, 2, 500)
    group = _members(parties)
    clauses = (
        (
            "the situation: incidents, who does what, help, notices; files and their custody",
            "incident-response",
            INCIDENTS,
        ),
        ("who did it: the dossier, graded evidence, assessments, findings, dissent", "attribution", ATTRIBUTION),
        ("what is said in public, and the replies; texts that are negotiated", "diplomatic-response", STATEMENTS),
        (
            "what is done: measures, who joins, listing proposals; a decision needs that all have the measure",
            "diplomatic-response",
            MEASURES,
        ),
    )
    body = "".join(
        f"""
# {about}
[[clause]]
number     = "{number}"
says       = "permit"
from       = ["members"]
to         = ["members"]
types      = [{_listed(types)}]
tlp        = ["clear", "green", "amber"]
view       = "full"
with_names = true
purpose    = ["{purpose}"]
basis      = ["agreement", "task-in-public-interest", "legal-obligation"]
onward     = "none"
retention  = "P10Y"
{_RECEIPT}
"""
        for number, (about, purpose, types) in enumerate(clauses, 1)
    )
    name = "Arrangement on answering cyber incidents together"
    return _draft(parties, name, group, body, title, enters_into_force, ends, joins=("csirt", "ministry"))


_FILES: Final = ("artifact", "x-comity-custody")
"""A file goes by the artifact that refers to it, and each entry of its custody by itself."""

INCIDENTS: Final = (
    *("incident", "event", "task", "impact", "sighting", "observed-data", "indicator", "malware", "vulnerability"),
    *("relationship", "report", "note", "identity", "x-comity-status", "x-comity-severity"),
    *("x-comity-clock-mark", "x-comity-told-list", "x-comity-assistance-request", "x-comity-assistance-offer"),
    *("x-comity-assistance-answer", "x-comity-territory-notice", "x-comity-territory-answer"),
    *("x-comity-vulnerability-notice", "x-comity-advisory", *_FILES),
)
"""What parties give each other of an incident."""

ATTRIBUTION: Final = (
    *(
        "incident",
        "report",
        "grouping",
        "indicator",
        "malware",
        "tool",
        "infrastructure",
        "threat-actor",
        "intrusion-set",
    ),
    *("campaign", "attack-pattern", "observed-data", "relationship", "identity", "x-comity-dossier"),
    *("x-comity-dossier-part", "x-comity-evidence", "x-comity-evidence-source", "x-comity-evidence-showing"),
    *("x-comity-hypothesis", "x-comity-weighing", "x-comity-assessment", "x-comity-responsibility-finding"),
    *("x-comity-dissent", *_FILES),
)
"""What parties give each other of who did it."""

STATEMENTS: Final = (
    *("x-comity-statement", "x-comity-reply", "x-comity-text-proposal"),
    *("x-comity-negotiated-text", "x-comity-text-word"),
)
"""What parties say in public, and work on before; the texts that they negotiate."""

MEASURES: Final = (
    *("x-comity-measure", "x-comity-measure-step", "x-comity-joining", "x-comity-measure-effect"),
    *("x-comity-listing-proposal", "x-comity-listing-step", "grouping", "report"),
)
"""What parties do about it; the grouping and the report are the releasable evidence of a listing proposal."""


Template = Callable[..., str]

TEMPLATES: Final[dict[str, Template]] = {
    "bilateral": bilateral,
    "community": community,
    "company-to-team": company_to_team,
    "directory": directory,
    "response": response,
}
"""By the word of ``comity agreement draft --template``."""

_TECHNICAL: Final = (
    'types      = ["indicator", "malware", "relationship", "sighting", "ipv4-addr", "ipv6-addr",\n'
    '              "domain-name", "url", "file"]'
)
_RECEIPT: Final = """[[clause.duty]]
do     = "receipt"
within = "PT24H\""""


def _count(name: str, parties: Sequence[TemplateParty], least: int, most: int) -> None:
    if not least <= len(parties) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise Usage("template", f"The template {name} is for {wanted} parties, and {len(parties)} are named.")


def _draft(
    parties: Sequence[TemplateParty],
    name: str,
    groups: str,
    body: str,
    title: str | None,
    begins: Instant,
    ends: Instant | None,
    *,
    joins: Sequence[str] = (),
) -> str:
    quoted = tomlform.quoted
    listed = "\n".join(
        f"[[party]]\nref  = {quoted(party.ref)}\nname = {quoted(party.name)}\nid   = {quoted(party.id)}\n"
        for party in parties
    )
    heirs = ", ".join(quoted(party.ref) for party in parties[1:])
    text = f"""# A draft: read every line, change what you do not mean, then preview it before anybody signs.
# Comments carry no term. docs/agreement-language.md explains each key.
form     = 1
title    = {{en = {quoted(title or name)}}}
language = ["en"]
phrases  = "comity-phrases/1"

{listed}{groups}
[life]
enters_into_force = {_instant(begins)}     # and when all have signed, whichever is later
{"" if ends is None else f"ends              = {_instant(ends)}" + chr(10)}signatures        = "all"
threshold         = "all"                    # who must sign a change of membership
{_accession(joins)}withdrawal_notice = "P30D"
after_end         = "keep under the same conditions"
depositary        = {quoted(parties[0].ref)}
succession        = [{heirs}]
lease             = "PT24H"                  # without a renewal younger than this, nothing new leaves
silence           = {{rule = "refusal", except = ["reservation"]}}
law               = {{en = "No obligation under international law is intended."}}
{body}"""
    tomlform.read(text)
    return text


def _accession(kinds: Sequence[str]) -> str:
    return f'accession         = {{kinds = [{_quoted(kinds)}], group = "members", consent = "all"}}\n' if kinds else ""


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(tomlform.quoted(word) for word in words)


def _listed(types: Sequence[str]) -> str:
    lines = [f"  {_quoted(types[place : place + 4])}," for place in range(0, len(types), 4)]
    return "\n".join(("", *lines, ""))


def _instant(at: Instant) -> str:
    return instants.format(at).replace(".000Z", "Z")


def _members(parties: Sequence[TemplateParty]) -> str:
    refs = ", ".join(tomlform.quoted(party.ref) for party in parties)
    return f"""
[[group]]
ref      = "members"
members  = [{refs}]
grows_by = "accession"
"""
