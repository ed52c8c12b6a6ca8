"""Values as analysts write them, tables as vendors lay them out."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
from hypothesis import strategies as st
from stix2patterns.validator import run_validator

from comity.adapters.formats import minting, observable
from comity.adapters.formats.observable import NotAValue, Value
from comity.adapters.formats.source import Item, Refusal, open_source
from comity.adapters.formats.write import read_pattern
from comity.kernel.errors import InputRefused
from comity.kernel.model import objects

PARTY = "identity--6c2b2b0e-6f2e-5a0c-9a3b-0d2c1b3a4f5e"
AT = 1_640_995_200_000_000


def items(text: str, mapping: dict[str, str] | None = None, at: int = AT) -> list[Item]:
    results = list(open_source("t", io.BytesIO(text.encode()), party=PARTY, at=at, mapping=mapping))
    assert not [result for result in results if isinstance(result, Refusal)], results
    return [result for result in results if isinstance(result, Item)]


def shapes(text: str, mapping: dict[str, str] | None = None) -> list[dict[str, Any]]:
    found = [json.loads(item.raw) for item in items(text, mapping)]
    for shape in found:
        objects.check(shape)
    return found


@pytest.mark.parametrize(
    ("written", "kind", "text"),
    [
        ("198.51.100.7", "ipv4", "198.51.100.7"),
        ("198[.]51[.]100[.]7", "ipv4", "198.51.100.7"),
        ("198.51.100.0/24", "ipv4-range", "198.51.100.0/24"),
        ("198.51.100.7:8443", "ipv4-port", "198.51.100.7 8443"),
        ("[2001:DB8::1]:443", "ipv6-port", "2001:db8::1 443"),
        ("2001:DB8:0::1", "ipv6", "2001:db8::1"),
        ("Bad(dot)Example(.)org", "domain", "bad.example.org"),
        ("hxxps[:]//bad[.]example/a?b=c", "url", "https://bad.example/a?b=c"),
        ("hXXp://bad{.}example/", "url", "http://bad.example/"),
        ("h**p://bad.example/", "url", "http://bad.example/"),
        ("fxp://bad.example/x", "url", "ftp://bad.example/x"),
        ("bad.example/gate.php", "url", "bad.example/gate.php"),
        ("evil[at]bad[.]example", "email", "evil@bad.example"),
        ("D41D8CD98F00B204E9800998ECF8427E", "md5", "d41d8cd98f00b204e9800998ecf8427e"),
        ("a" * 40, "sha1", "a" * 40),
        ("a" * 64, "sha256", "a" * 64),
        ("a" * 128, "sha512", "a" * 128),
        ("3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C", "ssdeep", "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C"),
        ("cve-2021-26855", "cve", "CVE-2021-26855"),
        ("AS64500", "asn", "64500"),
        ("HKLM\\Software\\Bad", "regkey", "HKEY_LOCAL_MACHINE\\Software\\Bad"),
        ("C:\\inetpub\\wwwroot\\x.aspx", "filepath", "C:\\inetpub\\wwwroot\\x.aspx"),
        ("%TEMP%\\a b.exe", "filepath", "%TEMP%\\a b.exe"),
        ("/usr/sbin/sshd", "filepath", "/usr/sbin/sshd"),
        ("supp0rt.aspx", "filename", "supp0rt.aspx"),
        ("00-0C-29-AB-CD-EF", "mac", "00:0c:29:ab:cd:ef"),
    ],
)
def test_a_value_is_read_as_what_it_stands_for(written: str, kind: str, text: str) -> None:
    value = observable.read(written)
    assert value == Value(kind, text)
    if kind != "cve":
        pattern = observable.pattern(value)
        assert not run_validator(pattern, stix_version="2.1")
        assert read_pattern(pattern) == [value]


@pytest.mark.parametrize(
    "written", ["setup.zip", "run.sh", "just words", "1.2.3", "999.1.1.1", "a\x00b", "", "x" * 9000, "a" * 39]
)
def test_what_could_be_two_things_or_none_is_not_guessed(written: str) -> None:
    with pytest.raises(NotAValue):
        observable.read(written)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=60))
def test_any_text_stands_in_a_pattern_as_itself(text: str) -> None:
    for kind in ("filename", "mutex", "user-agent"):
        try:
            value = observable.read(text, kind)
        except NotAValue:
            continue
        pattern = observable.pattern(value)
        assert not run_validator(pattern, stix_version="2.1")
        assert read_pattern(pattern) == [value]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.sampled_from([None, *sorted(set(observable.KINDS.values()))]))
def test_no_text_breaks_the_reading_of_values(text: str, kind: str | None) -> None:
    try:
        value = observable.read(text, kind)
        if value.kind not in ("cve",):
            observable.pattern(value)
        for shape in observable.objects(value):
            assert shape["id"].startswith(shape["type"])
    except NotAValue:
        pass


@settings(max_examples=100, deadline=None)
@given(st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}\.(example|org)", fullmatch=True), st.sampled_from(["http", "https"]))
def test_a_defanged_value_comes_back(host: str, scheme: str) -> None:
    for text in (host, f"{scheme}://{host}/p", f"a@{host}"):
        assert observable.refang(observable.defang(text)) == text
        assert observable.defang(text) != text


def test_header_names_of_many_vendors_are_known() -> None:
    for header in (
        "indicator,type",
        "IOC;Type",
        "Observable\tIndicator Type",
        "indicator_value|ioc-type",
        '"Value","TYPE"',
    ):
        mark = next(one for one in ",;\t|" if one in header)
        (shape,) = shapes(f"{header}\nbad.example{mark}domain\n")
        assert shape["pattern"] == "[domain-name:value = 'bad.example']"


def test_columns_named_after_kinds_give_one_indicator_a_file_and_one_each_of_the_rest() -> None:
    table = f"md5,sha256,ip,notes,campaign\n{'a' * 32},{'b' * 64},198.51.100.1,seen,Marauder\n"
    address, file = shapes(table)
    assert address["pattern"] == "[ipv4-addr:value = '198.51.100.1']"
    assert file["pattern"] == f"[file:hashes.MD5 = '{'a' * 32}' OR file:hashes.'SHA-256' = '{'b' * 64}']"
    assert file["extensions"][minting.ROW_EXTENSION]["columns"] == {"campaign": "Marauder"}
    assert file["description"] == "seen"


def test_a_mapping_names_columns_and_states_what_holds_for_all_rows() -> None:
    mapping = {
        "Was": "value",
        "Art": "type",
        "Geheim": "ignore",
        "@tlp": "TLP:AMBER+STRICT",
        "@date": "2021-03-02",
        "@source": "https://example.org/report",
    }
    (item,) = items("Was,Art,Geheim\nbad.example,domain,x\n", mapping)
    shape = json.loads(item.raw)
    assert shape["created"] == shape["valid_from"] == "2021-03-02T00:00:00.000Z"
    assert item.handling == {"tlp": "amber+strict"}
    assert shape["external_references"] == [{"source_name": "source", "url": "https://example.org/report"}]
    assert "extensions" not in shape
    with pytest.raises(InputRefused, match="names the column 'Wer'"):
        items("Was,Art\nbad.example,domain\n", {"Wer": "value"})
    with pytest.raises(InputRefused, match="use one of"):
        items("Was,Art\nbad.example,domain\n", {"Was": "wert"})
    with pytest.raises(InputRefused, match="@colour"):
        items("value,type\nbad.example,domain\n", {"@colour": "red"})


def test_a_list_of_values_passes_over_comments_and_takes_what_is_stated() -> None:
    found = items("# title\n; more\n\nbad[.]example\n// x\n198.51.100.1\n", {"@tlp": "green"})
    assert [(item.place, item.handling) for item in found] == [
        ("line 4", {"tlp": "green"}),
        ("line 6", {"tlp": "green"}),
    ]
    assert found[0].changes[0].startswith("A defanged value")
    (shape,) = shapes("setup.zip\n", {"@type": "filename"})
    assert shape["pattern"] == "[file:name = 'setup.zip']"


def test_an_undated_row_has_the_same_id_whenever_it_is_imported_and_a_changed_one_another() -> None:
    row = "value,type,notes\nbad.example,domain,{}\n"
    (first,), (later,), (changed,) = items(row.format("x")), items(row.format("x"), at=AT + 7), items(row.format("y"))
    dates = ("created", "modified", "valid_from")
    assert first.undated == dates
    was, now = json.loads(first.raw), json.loads(later.raw)
    assert {was[name] for name in dates} == {"2022-01-01T00:00:00.000Z"}
    assert {now[name] for name in dates} == {"2022-01-01T00:00:00.000007Z"}
    assert {**was, **{name: now[name] for name in dates}} == now
    assert was["extensions"][minting.ROW_EXTENSION] == {
        "extension_type": "property-extension",
        "unstated": list(dates),
    }
    assert "bears no date" in first.changes[0]
    assert was["id"] != json.loads(changed.raw)["id"]


def test_a_row_with_a_column_modified_becomes_a_newer_version() -> None:
    row = "value,type,notes,created,modified\nbad.example,domain,{},2021-03-02,{}\n"
    (old,), (new,) = shapes(row.format("x", "2021-03-03")), shapes(row.format("y", "2021-03-04"))
    assert (old["id"], old["created"]) == (new["id"], new["created"])
    assert old["modified"] < new["modified"]
    undated = "value,type,modified\nbad.example,domain,{}\n"
    (old,), (new,) = items(undated.format("2021-03-03")), items(undated.format("2021-03-04"))
    assert (old.undated, new.undated) == (("created",), ("created",))
    assert json.loads(old.raw)["id"] == json.loads(new.raw)["id"]
    assert json.loads(old.raw)["created"] == "2021-03-03T00:00:00.000Z"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2021-03-05T10:07:29.0421232Z", "2021-03-05T10:07:29.042123Z"),
        ("2021-03-05 10:07:29+0200", "2021-03-05T08:07:29.000Z"),
        ("2021/03/05", "2021-03-05T00:00:00.000Z"),
        ("2021-03-05 10:07", "2021-03-05T10:07:00.000Z"),
        ("1614938849", "2021-03-05T10:07:29.000Z"),
        ("03/05/2021", "2022-01-01T00:00:00.000Z"),
        ("2021-02-30", "2022-01-01T00:00:00.000Z"),
    ],
)
def test_dates_are_read_and_never_guessed(written: str, read: str) -> None:
    (shape,) = shapes(f"value,type,first seen\nbad.example,domain,{written}\n")
    assert shape["valid_from"] == read
    if read.startswith("2022"):
        told = shape["extensions"][minting.ROW_EXTENSION]
        assert told["columns"] == {"first_seen": written}
        assert told["unstated"] == ["created", "modified", "valid_from"]


def test_a_cve_becomes_a_vulnerability_and_tags_confidence_and_end_their_properties() -> None:
    table = (
        "value,type,tags,confidence,valid until,date\nCVE-2021-26855,cve,a;b,80,,2021-03-02\n"
        "bad.example,domain,,high,2021-05-01,2021-03-02\n"
    )
    vulnerability, indicator = shapes(table)
    assert vulnerability["type"] == "vulnerability"
    assert (vulnerability["labels"], vulnerability["confidence"]) == (["a", "b"], 80)
    assert indicator["valid_until"] == "2021-05-01T00:00:00.000Z"
    assert indicator["extensions"][minting.ROW_EXTENSION]["columns"] == {"confidence": "high"}


def test_a_quoted_cell_may_hold_the_delimiter_a_quote_and_a_line_end() -> None:
    (shape,) = shapes('value,type,notes\nbad.example,domain,"one, ""two""\nthree"\n')
    assert shape["description"] == 'one, "two"\nthree'


def test_stix_20_observables_become_objects_with_the_ids_of_the_standard() -> None:
    data = {
        "type": "observed-data",
        "id": "observed-data--b67d30ff-02ac-498a-92f9-32f845f448cf",
        "created": "2016-04-06T19:58:16.000Z",
        "modified": "2016-04-06T19:58:16.000Z",
        "first_observed": "2015-12-21T19:00:00Z",
        "last_observed": "2015-12-21T19:00:00Z",
        "number_observed": 50,
        "objects": {
            "0": {"type": "file", "name": "foo.exe", "created": "2015-01-01T00:00:00Z", "parent_directory_ref": "1"},
            "1": {"type": "directory", "path": "C:\\x", "contains_refs": ["0"]},
            "2": {"type": "ipv4-addr", "value": "198.51.100.3"},
        },
    }
    found = shapes(
        json.dumps({"type": "bundle", "id": "bundle--" + data["id"][-36:], "spec_version": "2.0", "objects": [data]})
    )
    file, directory, address, observed = found
    assert observed["object_refs"] == [file["id"], directory["id"], address["id"]]
    assert file["parent_directory_ref"] == directory["id"]
    assert directory["contains_refs"] == [file["id"]]
    assert file["ctime"] == "2015-01-01T00:00:00Z"
    # STIX 2.1 §2.9: the ids that the OASIS library gives the same objects
    assert address["id"] == stix2.IPv4Address(value="198.51.100.3").id
    assert directory["id"] == stix2.Directory(path="C:\\x").id
    assert file["id"] == stix2.File(name="foo.exe", parent_directory_ref=directory["id"]).id


def test_stix_20_start_and_stop_are_written_outside_of_text_only() -> None:
    data = {
        "type": "indicator",
        "id": "indicator--b67d30ff-02ac-498a-92f9-32f845f448cf",
        "created": "2016-04-06T19:58:16.000Z",
        "modified": "2016-04-06T19:58:16.000Z",
        "labels": ["malicious-activity", "mine"],
        "valid_from": "2016-04-06T19:58:16.000Z",
        "pattern": "[file:name = 'START '] START '2016-01-01T00:00:00Z' STOP '2017-01-01T00:00:00Z'",
    }
    (shape,) = shapes(json.dumps(data))
    assert shape["pattern"] == "[file:name = 'START '] START t'2016-01-01T00:00:00Z' STOP t'2017-01-01T00:00:00Z'"
    assert (shape["indicator_types"], shape["labels"]) == (["malicious-activity"], ["mine"])


def test_a_bundle_may_mix_both_versions() -> None:
    old = {"type": "tool", "id": "tool--b67d30ff-02ac-498a-92f9-32f845f448cf", "name": "x", "labels": ["exploitation"]}
    stamp = {"created": "2016-04-06T19:58:16.000Z", "modified": "2016-04-06T19:58:16.000Z"}
    new = {**old, **stamp, "spec_version": "2.1", "id": "tool--c67d30ff-02ac-498a-92f9-32f845f448cf"}
    address = {"type": "ipv4-addr", "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bd3caf07c4", "value": "198.51.100.3"}
    found = items(json.dumps({"type": "bundle", "objects": [{**old, **stamp}, new, address]}))
    assert [bool(item.changes) for item in found] == [True, False, False]
    assert json.loads(found[0].raw)["tool_types"] == ["exploitation"]
    assert json.loads(found[1].raw) == new
