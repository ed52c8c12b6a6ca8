"""Directories as files: what is read is written again, nothing is lost, and what is no such file is refused with its clause."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.desks.directory import words
from comity.desks.directory.files import rfc2350, securitytxt, table, vcard
from comity.desks.directory.files.shape import Entry, Refusal
from comity.desks.directory.kinds import CHANNELS, DAYS, USES, Channel, Closure, Contact, Hours, Key, Source
from comity.kernel.errors import InputRefused, NotAllowed, Usage
from simulators.directory import Directory

A, B = "Team A", "Team B"
PARTY = "identity--00000000-0000-4000-8000-000000000001"
TEXT = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
PRINTS = TEXT.filter(lambda one: ":" not in one)
LINES = st.lists(TEXT, min_size=1, max_size=3)
CLOCK = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda one: f"{one[0]:02d}:{one[1]:02d}")
CONTACTS = st.builds(
    Contact,
    party=st.just(PARTY),
    office=st.sampled_from(("duty", "desk-1")),
    name=TEXT,
    role=st.sampled_from(("technical", "diplomatic")),
    person=st.none() | TEXT,
    languages=st.lists(st.sampled_from(("en", "fr-BE", "pt-BR")), unique=True).map(tuple),
    zone=st.just("Europe/Brussels"),
    hours=st.lists(
        st.builds(
            Hours,
            days=st.sets(st.sampled_from(DAYS), min_size=1).map(lambda one: tuple(sorted(one, key=DAYS.index))),
            opens=CLOCK,
            closes=CLOCK,
        ),
        max_size=2,
    ).map(tuple),
    closures=st.lists(
        st.builds(Closure, first=st.dates().map(str), last=st.none() | st.dates().map(str), name=st.none() | TEXT, yearly=st.booleans()),
        max_size=2,
    ).map(tuple),
    channels=st.lists(
        st.builds(
            Channel,
            by=st.sampled_from(CHANNELS),
            value=TEXT,
            priority=st.integers(1, 100),
            always=st.booleans(),
            note=st.none() | TEXT,
        ),
        max_size=4,
    ).map(tuple),
    keys=st.lists(
        st.builds(Key, use=st.sampled_from(USES), fingerprint=PRINTS, uri=st.none() | TEXT.map("x:{}".format)),
        max_size=2,
    ).map(tuple),
    state=st.sampled_from(("active", "nominated", "suspended")),
    since=st.none() | st.just("2026-01-01T00:00:00Z"),
    until=st.none() | st.just("2030-01-01T00:00:00Z"),
    nominated_by=st.none() | TEXT,
    instrument=st.none() | TEXT,
    note=st.none() | LINES.map("\n".join),
)  # fmt: skip


def contact(entry: Entry | Refusal, **more: Any) -> Contact:
    """An entry as a contact of a party."""
    assert isinstance(entry, Entry), entry
    said = {
        "party": entry.party if (entry.party or "").startswith("identity--") else PARTY,
        "office": "x",
        "name": "x",
        **entry.says,
        **more,
    }
    return msgspec.convert(said, Contact)


# --- tables


@given(st.lists(CONTACTS, max_size=3))
@settings(max_examples=60)
def test_table_of_contacts_is_read_back(contacts: list[Contact]) -> None:
    read = table.read(table.write(contacts), {})
    assert [contact(one) for one in read] == contacts


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=4))
@settings(max_examples=60)
def test_columns_without_a_meaning_are_kept_and_written_again(rows: list[tuple[str, str, str]]) -> None:
    import csv
    import io

    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerows([("team", "Colour", "Motto"), *rows])
    first = [contact(one) for one in table.read(out.getvalue().encode(), {})]
    again = [contact(one) for one in table.read(table.write(first), {})]
    assert again == first
    assert all(one.source is not None and {name for name, _ in one.source.rest} == {"Colour", "Motto"} for one in first)


def test_cell_that_a_spreadsheet_would_compute_is_written_as_text_and_read_back() -> None:
    one = Contact(party=PARTY, office="duty", name="=cmd|' /C calc'!A0", note="'+1")
    data = table.write([one])
    assert b"'=cmd" in data
    assert [contact(entry) for entry in table.read(data, {})] == [one]


@pytest.mark.parametrize(
    ("data", "mapping", "code"),
    [
        (b"", {}, "csv-header"),
        (b"colour,motto\nx,y\n", {}, "csv-header"),
        (b"name,name\nx,y\n", {}, "csv-header"),
        (b"name,team\nx,y\n", {}, "csv-mapping"),
        (b"name\nx\n", {"nothing": "name"}, "csv-mapping"),
        (b"name\nx\n", {"name": "nonsense"}, "csv-mapping"),
        (b'name\n"x\n', {}, "csv-row"),
        (b"name\n\xff\n", {}, "wrong-encoding"),
    ],
)
def test_table_that_cannot_be_read_is_refused(data: bytes, mapping: dict[str, str], code: str) -> None:
    with pytest.raises(InputRefused) as refused:
        table.read(data, mapping)
    assert refused.value.code == code


def test_row_that_cannot_be_read_is_told_by_its_line_and_the_others_are_taken() -> None:
    read = table.read(b"name,hours\nA,mo-fr 09:00-17:00\nB,always\nC\n", {})
    assert [type(one) for one in read] == [Entry, Refusal, Refusal]
    assert [one.place for one in read] == ["line 2", "line 3", "line 4"]


def test_directory_of_the_european_teams_is_taken_with_a_party_for_each(test_data: Path) -> None:
    world = Directory(A, B)
    data = (test_data / "directory" / "eu-national-csirts.csv").read_bytes()
    told = world.do(A, "contact import", file=data, form="csv", new_parties=True, tlp="clear")
    teams = data.decode().splitlines()[1:]
    assert (told.shape["new"], told.shape["refused"], told.status) == (len(teams), 0, 0)
    assert len(told.shape["parties"]) == len(teams)
    world.all()
    for name in (A, B):
        found = world.do(name, "contact list").shape["contacts"]
        assert len(found) == len(teams)
        assert all(one["own_word"] is False and one["by_name"] == A for one in found)
        assert all({road["by"] for road in one["says"]["channels"]} == {"mail", "web"} for one in found)
        assert all(len(one["says"]["source"]["rest"]) == 1 for one in found)
    assert sorted(one["party_name"] for one in found) == sorted(f"{row.split(',')[1]} (no card)" for row in teams)
    again = world.do(A, "contact import", file=data, form="csv", new_parties=True, tlp="clear")
    assert (again.shape["new"], again.shape["same"]) == (0, len(teams))
    out = world.do(A, "contact export", form="csv").file
    assert out is not None
    assert all(row.split(",")[3].encode() in out for row in teams)
    with pytest.raises(InputRefused):
        world.do(A, "contact import", file=b"country\nEE\n", form="csv", new_parties=True)


def test_contacts_of_another_system_are_taken_by_a_mapping_and_nothing_is_lost(test_data: Path) -> None:
    rows = json.loads((test_data / "directory" / "melicertes-allContacts.json").read_text(encoding="utf-8"))
    import csv
    import io

    heads = list(rows[0])
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, heads)
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in row.items()
                if name in heads
            }
        )
    mapping = {
        "name": "ignore",
        "short_name": "name",
        "main_email": "mail",
        "email": "ignore",
        "business_hours_timezone": "ignore",
    }
    read = table.read(out.getvalue().encode(), mapping)
    assert len(read) == len(rows)
    for row, entry in zip(rows, read, strict=True):
        one = contact(entry)
        assert (one.name, one.channels[0].value) == (row["short_name"], row["main_email"])
        assert one.source is not None
        kept = dict(one.source.rest)
        for name, value in row.items():
            if name in heads and name not in ("short_name", "main_email") and value != "":
                assert kept[name] == (value if isinstance(value, str) else json.dumps(value))


# --- vCards


@given(st.lists(CONTACTS, min_size=1, max_size=3))
@settings(max_examples=60)
def test_cards_of_contacts_are_read_back(contacts: list[Contact]) -> None:
    data = vcard.write(contacts)
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert [contact(one) for one in vcard.read(data)] == contacts


CARD = """BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1
FN;PID=1.1:CERT of Xanadu
KIND:org
ORG:Xanadu Agency;Incident response
TEL;VALUE=uri;TYPE="voice,work";PREF=1:tel:+1-555-555-0100
item1.TEL;TYPE=fax:+1 555 555 0101
EMAIL;PREF=2:cert@cert.example
LANG;PREF=2:fr
LANG;PREF=1:en
TZ:Europe/Brussels
KEY;MEDIATYPE=application/pgp-keys:https://cert.example/key.asc
X-SOCIALPROFILE;X-NOTE="a ^'quoted^' word":https://social.example/@cert
NOTE:Around the clock\\, every day\\n(second line)
 , folded
REV:20260101T000000Z
END:VCARD
"""


def test_card_of_somebody_else_is_read_and_what_has_no_member_is_written_again() -> None:
    (entry,) = vcard.read(CARD.encode())
    one = contact(entry)
    assert isinstance(entry, Entry)
    assert (entry.party, one.name, one.person) == ("Xanadu Agency", "CERT of Xanadu", None)
    assert [(road.by, road.value, road.priority) for road in one.channels] == [
        ("telephone", "+1-555-555-0100", 1),
        ("mail", "cert@cert.example", 2),
    ]
    assert (one.languages, one.zone) == (("en", "fr"), "Europe/Brussels")
    assert one.keys == (Key(use="openpgp", uri="https://cert.example/key.asc"),)
    assert one.note == "Around the clock, every day\n(second line), folded"
    assert one.source is not None
    assert [name.partition(";")[0] for name, _ in one.source.rest] == [
        "UID",
        "ORG",
        "item1.TEL",
        "X-SOCIALPROFILE",
        "REV",
    ]
    (again,) = vcard.read(vcard.write([one]))
    assert contact(again) == one


def test_card_that_does_not_say_what_it_is_of_is_of_a_person() -> None:
    (entry,) = vcard.read(b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann Example\r\nTITLE:Duty officer\r\nEND:VCARD\r\n")
    assert isinstance(entry, Entry)
    assert (entry.says["person"], entry.says["name"]) == ("Ann Example", "Duty officer")
    assert "personal data" in entry.beware[0]


def test_person_from_a_card_is_personal_data() -> None:
    world = Directory(A, B)
    card = b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ann Example\r\nTITLE:Duty officer\r\nEND:VCARD\r\n"
    told = world.do(A, "contact import", file=card, form="vcard")
    assert any("personal data" in line and "officer's word" in line for line in told.lines)
    world.all()
    assert world.do(B, "contact list").shape["contacts"] == []


@pytest.mark.parametrize(
    "card",
    [
        "",
        "hello",
        "BEGIN:VCARD\nVERSION:4.0\nFN:x\n",
        "BEGIN:VCARD\nBEGIN:VCARD\nEND:VCARD\nEND:VCARD\n",
        "END:VCARD\n",
        "FN:x\nBEGIN:VCARD\nVERSION:4.0\nFN:x\nEND:VCARD\n",
    ],
)
def test_file_that_is_no_vcard_is_refused(card: str) -> None:
    with pytest.raises(InputRefused) as refused:
        vcard.read(card.encode())
    assert (refused.value.code, (refused.value.clause or "")[:8]) == ("directory-file", "RFC 6350")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("VERSION:3.0\nFN:x", "version 3.0"),
        ("FN:x", "does not say its version"),
        ("VERSION:4.0", "has no FN"),
        ("VERSION:4.0\nFN:x\nno colon here", "no content line"),
        ("VERSION:4.0\nFN:x\nLANG:Klingon!", "form of a language"),
        ("VERSION:4.0\nFN:x\nNOTE:" + "y" * 300_000, "longer than"),
    ],
)
def test_card_that_cannot_be_read_is_told_and_the_next_one_is_taken(line: str, told: str) -> None:
    good = "BEGIN:VCARD\nVERSION:4.0\nFN:Good\nKIND:org\nEND:VCARD\n"
    bad, after = vcard.read(f"BEGIN:VCARD\n{line}\nEND:VCARD\n{good}".encode())
    assert isinstance(bad, Refusal)
    assert told in bad.sentence
    assert isinstance(after, Entry)


# --- security.txt

SECURITY = """# Our policy
Contact: mailto:security@a.example
Contact: tel:+1-201-555-0123
Contact: https://a.example/report
Expires: 2027-01-01T00:00:00Z
Encryption: openpgp4fpr:5f2de5521c63a801ab59ccb603d49de44b29100f
Encryption: https://a.example/key.asc
Acknowledgments: https://a.example/thanks
Preferred-Languages: en, fr
Canonical: https://a.example/.well-known/security.txt
Policy: https://a.example/policy
Hiring: https://a.example/jobs
X-New-Field: something
"""


def test_security_txt_is_read_and_written_again() -> None:
    (entry,) = securitytxt.read(SECURITY.encode())
    one = contact(entry)
    assert [(road.by, road.value) for road in one.channels] == [
        ("mail", "security@a.example"),
        ("telephone", "+1-201-555-0123"),
        ("web", "https://a.example/report"),
    ]
    assert (one.until, one.languages) == ("2027-01-01T00:00:00.000Z", ("en", "fr"))
    assert [key.fingerprint or key.uri for key in one.keys] == [
        "5f2de5521c63a801ab59ccb603d49de44b29100f",
        "https://a.example/key.asc",
    ]
    (again,) = securitytxt.read(securitytxt.write(one))
    assert contact(again) == one
    for line in SECURITY.splitlines():
        assert line.replace("T00:00:00Z", "T00:00:00.000Z").encode() in securitytxt.write(one)


SIGNED = (
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
    + SECURITY.replace("# Our policy", "# Our policy\n- # - a dash is escaped")
    + "\n-----BEGIN PGP SIGNATURE-----\n\niQIzBAEBCgAdFiEE\n=abcd\n-----END PGP SIGNATURE-----\n"
)


def test_signed_security_txt_is_read_its_signature_kept_and_not_claimed_to_hold() -> None:
    (entry,) = securitytxt.read(SIGNED.replace("\n", "\r\n").encode())
    one = contact(entry)
    assert isinstance(entry, Entry)
    assert entry.beware == ("The file is signed; the signature was kept and not verified.",)
    assert one.source is not None
    assert "=abcd" in dict(one.source.rest)["signature"]
    assert len(one.channels) == 3
    assert b"PGP" not in securitytxt.write(one), "a signature over other bytes is not written"


@pytest.mark.parametrize(
    ("old", "new", "section"),
    [
        ("Expires: 2027-01-01T00:00:00Z\n", "", "§2.5.5"),
        ("Expires: 2027-01-01T00:00:00Z", "Expires: 2027-01-01T00:00:00Z\nExpires: 2028-01-01T00:00:00Z", "§2.5.5"),
        ("2027-01-01T00:00:00Z", "next year", "§2.5.5"),
        ("2027-01-01T00:00:00Z", "2027-01-01", "§2.5.5"),
        ("Contact:", "X-Contact:", "§2.5.3"),
        ("mailto:security@a.example", "security@a.example", "§2.5.3"),
        ("https://a.example/report", "http://a.example/report", "§2.5.3"),
        ("https://a.example/key.asc", "http://a.example/key.asc", "§2.5.4"),
        ("Preferred-Languages: en, fr", "Preferred-Languages: en\nPreferred-Languages: fr", "§2.5.8"),
        ("Preferred-Languages: en, fr", "Preferred-Languages: English!", "§2.5.8"),
        ("# Our policy", "just words", "§2.2"),
        ("# Our policy", "-----BEGIN PGP SIGNED MESSAGE-----", "§2.3"),
    ],
)
def test_security_txt_that_breaks_the_standard_is_refused_with_its_section(old: str, new: str, section: str) -> None:
    assert old in SECURITY
    with pytest.raises(InputRefused) as refused:
        securitytxt.read(SECURITY.replace(old, new).encode())
    assert (refused.value.code, refused.value.clause) == ("directory-file", f"RFC 9116 {section}")


def test_security_txt_that_is_over_is_taken_and_its_office_is_not_there() -> None:
    world = Directory(A, B)
    world.do(A, "contact import", file=SECURITY.replace("2027", "2020").encode(), form="security.txt", party=B)
    assert world.do(A, "contact list").shape["contacts"] == []
    (one,) = world.do(A, "contact list", ended=True).shape["contacts"]
    assert (one["office"], one["says"]["name"], one["own_word"]) == ("security", "Security contact of Team B", False)


def test_office_without_an_end_or_an_address_has_no_security_txt() -> None:
    with pytest.raises(NotAllowed) as refused:
        securitytxt.write(
            Contact(party=PARTY, office="x", name="x", channels=(Channel(by="mail", value="a@b.example"),))
        )
    assert refused.value.code == "not-exported"
    with pytest.raises(NotAllowed):
        securitytxt.write(
            Contact(
                party=PARTY,
                office="x",
                name="x",
                until="2030-01-01T00:00:00Z",
                channels=(Channel(by="signal", value="+1"),),
            )
        )


# --- RFC 2350

DOCUMENT = """CERT of Xanadu -- RFC 2350

Contents
1. Document Information
2. Contact Information
2.1 Name of the Team

1. Document Information

1.1 Date of Last Update
    This is version 1.2 of 2026-01-01.
    1. a numbered remark
    7 of these were found

1.2 Distribution List for Notifications
    None.

2. Contact Information

2.1 Name of the Team
    CERT of Xanadu

2.2 Address
    1 Pleasure Dome
    Xanadu

2.3 Time Zone
    CET, Europe/Brussels (summer time as in the EU)

2.4 Telephone Number
    +32 2 555 01 00 (office)

2.5 Facsimile Number
    none

2.7 Electronic Mail Address
    <cert@cert.example> for reports

2.8 Public Keys and Encryption Information
    5F2D E552 1C63 A801 AB59  CCB6 03D4 9DE4 4B29 100F
    https://cert.example/key.asc

2.11 Points of Customer Contact
    By mail, around the clock.

3. Charter

3.1 Mission Statement
    To help.

7. Disclaimers
    None whatever.
"""


def test_rfc2350_document_is_read_by_its_section_numbers_and_written_again() -> None:
    (entry,) = rfc2350.read(DOCUMENT.encode())
    one = contact(entry)
    assert (one.name, one.zone) == ("CERT of Xanadu", "Europe/Brussels")
    assert [(road.by, road.value) for road in one.channels] == [
        ("telephone", "+32 2 555 01 00"),
        ("mail", "cert@cert.example"),
    ]
    assert [key.fingerprint or key.uri for key in one.keys] == [
        "5F2DE5521C63A801AB59CCB603D49DE44B29100F",
        "https://cert.example/key.asc",
    ]
    assert one.source is not None
    said = {name.partition(" ")[0]: body for name, body in one.source.rest}
    assert "Pleasure Dome" in said["2.2"]
    assert "a numbered remark" in said["1.1"]
    assert "None whatever." in said["7"]
    written = rfc2350.write(one)
    for line in DOCUMENT.splitlines():
        assert line.strip().encode() in written, line
    (again,) = rfc2350.read(written)
    assert contact(again) == one


def test_section_whose_member_was_changed_is_written_anew_and_the_others_stay() -> None:
    (entry,) = rfc2350.read(DOCUMENT.encode())
    one = contact(entry)
    moved = msgspec.structs.replace(one, channels=(Channel(by="telephone", value="+32 2 555 09 99"), one.channels[1]))
    written = rfc2350.write(moved).decode()
    assert "+32 2 555 09 99" in written
    assert "+32 2 555 01 00" not in written
    assert "<cert@cert.example> for reports" in written


def test_contact_that_came_from_no_document_gives_one_that_is_read_back() -> None:
    one = Contact(
        party=PARTY,
        office="x",
        name="Team X",
        zone="Europe/Brussels",
        channels=(Channel(by="telephone", value="+32 2 555 01 00"), Channel(by="mail", value="a@b.example")),
        keys=(Key(use="openpgp", fingerprint="5F2DE5521C63A801AB59CCB603D49DE44B29100F"),),
    )
    (again,) = rfc2350.read(rfc2350.write(one))
    read = contact(again, source=None)
    assert read == one
    assert rfc2350.left_out(msgspec.structs.replace(one, languages=("en",))) == ["languages"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        DOCUMENT.replace("2.1 Name", "Name"),
        "1.1 Date\nx\n\n2.1 Name of the Team\nX\n",
        "1.1 Date\n\n2.1 Name\n\n2.7 Mail\na@b.example\n",
    ],
)
def test_file_that_is_no_rfc2350_document_is_refused(text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        rfc2350.read(text.encode())
    assert (refused.value.code, (refused.value.clause or "")[:8]) == ("directory-file", "RFC 2350")


# --- the deeds


def test_import_changes_what_stands_and_leaves_what_is_the_same() -> None:
    world = Directory(A, B)
    data = b"office,name,telephone\nduty,Duty officer,+1\nlegal,Legal desk,+2\n"
    assert world.do(A, "contact import", file=data, form="csv").shape["new"] == 2
    told = world.do(A, "contact import", file=data.replace(b"+2", b"+3"), form="csv")
    assert (told.shape["new"], told.shape["changed"], told.shape["same"]) == (0, 1, 1)
    world.all()
    found = {
        one["office"]: one["says"]["channels"][0]["value"] for one in world.do(B, "contact list").shape["contacts"]
    }
    assert found == {"duty": "+1", "legal": "+3"}


def test_import_takes_what_can_be_taken_and_tells_the_rest() -> None:
    world = Directory(A, B)
    data = b"office,name,party\nduty,Duty,\nx,X,Nobody\nduty,Again,\ny,Rev\xe2\x80\xaeersed,\n"
    told = world.do(A, "contact import", file=data, form="csv")
    assert (told.status, told.shape["new"], told.shape["refused"]) == (1, 1, 3)
    places = {one["place"]: one["sentence"] for one in told.shape["refusals"]}
    assert set(places) == {"line 3", "line 4", "line 5"}
    assert "--new-parties" in places["line 3"] and "twice" in places["line 4"] and "U+202E" in places["line 5"]


def test_export_says_the_strictest_marking_and_what_the_file_leaves_out() -> None:
    world = Directory(A, B)
    world.do(
        A,
        "contact add",
        name="Duty",
        office="duty",
        channel=["mail=a@b.example", "signal=+1"],
        until="2030-01-01T00:00:00Z",
    )
    world.do(A, "contact add", name="Legal", office="legal", tlp="amber", zone="UTC", hours=["24/7"])
    told = world.do(A, "contact export", form="vcard")
    assert (told.shape["tlp"], told.media_type) == ("amber", "text/vcard")
    assert told.file is not None and told.file.count(b"BEGIN:VCARD") == 2
    told = world.do(A, "contact export", form="security.txt", office=["duty"])
    assert told.shape["left_out"] == ["channels other than mail, telephone and https"]
    with pytest.raises(Usage):
        world.do(A, "contact export", form="rfc2350")


def test_directory_moves_to_another_node_by_a_table() -> None:
    world = Directory(A, B)
    world.do(
        A,
        "contact add",
        name="Duty",
        office="duty",
        zone="Europe/Brussels",
        hours=["mo-fr 09:00-17:00"],
        language=["fr"],
    )
    file = world.do(A, "contact export", form="csv").file
    told = world.do(B, "contact import", file=file, form="csv")
    assert told.shape["new"] == 1
    (one,) = world.do(B, "contact list").shape["contacts"]
    assert (one["party_name"], one["own_word"], one["by_name"]) == (A, False, B)
    assert [words.write_hours(msgspec.convert(hours, Hours)) for hours in one["says"]["hours"]] == ["mo-fr 09:00-17:00"]


def test_what_a_file_said_is_kept_with_the_object_and_travels() -> None:
    world = Directory(A, B)
    world.do(A, "contact import", file=CARD.replace("ORG:", "X-ORG:").encode(), form="vcard", office="duty")
    world.all()
    (one,) = world.do(B, "contact list").shape["contacts"]
    source = msgspec.convert(one["says"]["source"], Source)
    assert source.form == "vcard"
    assert "UID" in dict(source.rest)
