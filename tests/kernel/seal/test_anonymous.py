"""Hidden sources: nothing in the new object leads back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from stix2validator import ValidationOptions, validate_instance

from comity.kernel.errors import NotAllowed
from comity.kernel.model.instants import format, parse
from comity.kernel.model.validate import check
from comity.kernel.seal.anonymous import TLP_MARKINGS, anonymise
from comity.kernel.seal.commitment import EVERYTHING, disclosure
from comity.kernel.seal.keys import SigningKey
from comity.kernel.seal.seals import check_source, seal, verify_seal

SOURCE = "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"
SELF = "identity--90c7fb29-5d3b-5f0a-8f0e-5f1f0c0d9e21"
AMBER = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
NEW = "indicator--7a1c54d0-9f0b-4c7a-9a51-2f3c4d5e6f70"
AT = parse("2021-03-05T12:34:56.789Z")
ORIGINAL: dict[str, Any] = {
    "type": "indicator",
    "spec_version": "2.1",
    "id": "indicator--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
    "created_by_ref": SOURCE,
    "created": "2021-03-02T17:00:00.123Z",
    "modified": "2021-03-03T18:00:00.456Z",
    "name": "Web shell",
    "description": "Found by Acme Mail Hosting",
    "indicator_types": ["malicious-activity"],
    "pattern": "[file:name = 'shell.aspx']",
    "pattern_type": "stix",
    "valid_from": "2021-03-02T09:41:07Z",
    "valid_until": "2021-06-02T09:41:07Z",
    "labels": ["acme-feed"],
    "external_references": [{"source_name": "acme", "url": "https://acme.example/1"}],
    "object_marking_refs": [AMBER],
    "granular_markings": [
        {"marking_ref": AMBER, "selectors": ["description", "name", "created_by_ref", "x_acme_case"]},
        {"marking_ref": AMBER, "selectors": ["labels.[0]"]},
    ],
    "x_acme_case": "C-17",
    "extensions": {
        "extension-definition--0b1e5a5f-0c0c-4c0c-8c0c-0c0c0c0c0c0c": {"extension_type": "property-extension", "n": 1}
    },
}


def _new(data: dict[str, Any] = ORIGINAL, **more: Any) -> dict[str, Any]:
    before = copy.deepcopy(data)
    made = anonymise(data, **{"new_id": NEW, "at": AT, "own": [SELF], "source": SOURCE, "hide": ["acme"], **more})
    assert data == before
    check(made)
    return made


def _refused(data: dict[str, Any] = ORIGINAL, **more: Any) -> str:
    with pytest.raises(NotAllowed) as refused:
        _new(data, **more)
    assert refused.value.code == "source-not-hideable"
    return refused.value.sentence


def test_new_object_has_nothing_that_leads_to_the_source() -> None:
    made = _new()
    assert made == {
        "type": "indicator",
        "spec_version": "2.1",
        "id": NEW,
        "created": "2021-03-05T12:34:56.789Z",
        "modified": "2021-03-05T12:34:56.789Z",
        "name": "Web shell",
        "indicator_types": ["malicious-activity"],
        "pattern": "[file:name = 'shell.aspx']",
        "pattern_type": "stix",
        "valid_from": "2021-03-02T00:00:00.000Z",
        "valid_until": "2021-06-02T00:00:00.000Z",
        "object_marking_refs": [AMBER],
        "granular_markings": [{"marking_ref": AMBER, "selectors": ["name"]}],
    }
    text = json.dumps(made).casefold()
    for trace in ("acme", SOURCE, ORIGINAL["id"], "09:41", ".123", ".456"):
        assert trace not in text
    outcome = validate_instance(json.loads(json.dumps(made)), ValidationOptions(version="2.1"))
    assert outcome.is_valid, outcome.errors


def test_next_version_keeps_its_first_instant() -> None:
    later = parse("2021-03-09T00:00:00Z")
    made = _new(at=later, created=AT)
    assert (made["created"], made["modified"]) == (format(AT), format(later))
    assert "later than this one" in _refused(created=AT + 1)


def test_validity_of_some_hours_becomes_that_day() -> None:
    made = _new(ORIGINAL | {"valid_until": "2021-03-02T11:00:00Z"})
    assert (made["valid_from"], made["valid_until"]) == ("2021-03-02T00:00:00.000Z", "2021-03-03T00:00:00.000Z")


def test_own_statement_is_not_hidden_behind_another() -> None:
    assert "itself the source" in _refused(own=[SELF, SOURCE])
    assert "itself the source" in _refused(source=SELF)


def test_name_that_must_stay_and_names_the_source_refuses() -> None:
    assert "pattern" in _refused(ORIGINAL | {"pattern": "[email-addr:value = 'soc@ACME.example']"})


def test_marking_that_may_name_the_source_refuses() -> None:
    statement = "marking-definition--d81f86b9-975b-4c0b-875e-810c5ad45a4f"
    assert statement in _refused(ORIGINAL | {"object_marking_refs": [AMBER, statement]})
    granular = {"granular_markings": [{"marking_ref": statement, "selectors": ["name"]}]}
    assert statement in _refused(ORIGINAL | granular)
    assert (
        statement
        in _new(ORIGINAL | {"object_marking_refs": [statement]}, neutral={statement, AMBER})["object_marking_refs"]
    )


def test_new_id_must_be_random_and_of_the_type() -> None:
    for bad in (
        ORIGINAL["id"],
        "malware--7a1c54d0-9f0b-4c7a-9a51-2f3c4d5e6f70",
        "indicator--7a1c54d0-9f0b-5c7a-9a51-2f3c4d5e6f70",
        "x",
    ):
        assert "random id" in _refused(new_id=bad)


def test_observable_gets_a_random_id_and_no_instants() -> None:
    address = {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": "ipv4-addr--ff26c055-6336-5bc5-b98d-13d6226742dd",
        "value": "192.0.2.1",
        "x_seen_by": "acme",
    }
    new_id = "ipv4-addr--7a1c54d0-9f0b-4c7a-9a51-2f3c4d5e6f70"
    assert _new(address, new_id=new_id) == {
        "type": "ipv4-addr",
        "spec_version": "2.1",
        "id": new_id,
        "value": "192.0.2.1",
    }


def test_references_between_hidden_objects_follow_to_the_new_ones() -> None:
    relationship = {
        **{
            name: ORIGINAL[name]
            for name in ("spec_version", "created", "modified", "created_by_ref", "object_marking_refs")
        },
        "type": "relationship",
        "id": "relationship--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
        "relationship_type": "indicates",
        "source_ref": ORIGINAL["id"],
        "target_ref": "malware--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
    }
    new_id = "relationship--7a1c54d0-9f0b-4c7a-9a51-2f3c4d5e6f70"
    made = _new(relationship, new_id=new_id, renamed={ORIGINAL["id"]: NEW})
    assert made["source_ref"] == NEW
    # an original that nothing stands for cannot be referred to
    assert "source_ref" in _refused(relationship, new_id=new_id, hide=[ORIGINAL["id"]])


def test_one_naming_element_of_a_list_goes_alone() -> None:
    note = {
        **{name: ORIGINAL[name] for name in ("spec_version", "created", "modified", "object_marking_refs")},
        "type": "note",
        "id": "note--d81f86b9-975b-4c0b-875e-810c5ad45a4f",
        "content": "text",
        "authors": ["J. Doe"],
        "object_refs": [SOURCE, "malware--d81f86b9-975b-4c0b-875e-810c5ad45a4f"],
    }
    made = _new(note, new_id="note--7a1c54d0-9f0b-4c7a-9a51-2f3c4d5e6f70")
    assert made["object_refs"] == ["malware--d81f86b9-975b-4c0b-875e-810c5ad45a4f"]
    assert "authors" not in made


def test_type_nobody_can_judge_is_refused() -> None:
    for stix_type in ("x-custom", "marking-definition", "extension-definition", "language-content"):
        data = ORIGINAL | {"type": stix_type}
        assert "nobody can tell" in _refused(data, new_id=f"{stix_type}--7a1c54d0-9f0b-4c7a-9a51-2f3c4d5e6f70")


def test_sealed_for_a_hidden_source_and_opened_to_an_auditor() -> None:
    key = SigningKey.from_seed(b"k" * 32)
    made = _new()
    sealed = seal(made, seed=b"s" * 32, role="anonymous", party=SELF, key=key, at=AT, source=ORIGINAL["id"])
    held = verify_seal(sealed.envelope, made, disclosure(sealed.commitment, EVERYTHING), {key.public.keyid: key.public})
    assert (held.role, held.id, held.party) == ("anonymous", NEW, SELF)
    check_source(held, ORIGINAL["id"], sealed.source_salt)


def test_common_markings_are_the_published_ones() -> None:
    assert len(TLP_MARKINGS) == 9
