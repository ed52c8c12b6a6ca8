"""What STIX 2.1 says each type has: property, kind of value, whether it is required. Data only; `validate` compiles it.

Kinds are a small language:

- ``string boolean timestamp timestamp-ms identifier hex binary uri hashes dictionary language`` and the names in
  `validate.SPECIAL`;
- ``integer``, ``integer MIN MAX``, ``float MIN MAX`` (closed; ``*`` where there is no bound);
- ``ref``: an identifier; ``ref A B``: of one of these types; ``ref !A B``: of any other type; ``ref @sco``: of an
observable;
- ``enum NAME``: a closed vocabulary of `vocabularies.CLOSED`;
- ``struct NAME``: a nested object of `STRUCTS`; ``list KIND``: a list that is not empty.

A property may say other than it says here only through an extension; properties not listed are custom and only their
name and form are checked. Source: STIX 2.1 (OASIS Standard, 10 June 2021); each type names its section.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Shape:
    """A type or nested object: its section, kinds by property, and which of them are required.

    `any_of`: at least one of each group is required. `order`: (later, earlier, strictly) instants of the object.
    """

    clause: str
    kinds: MappingProxyType[str, str]
    required: frozenset[str]
    any_of: tuple[frozenset[str], ...] = ()
    order: tuple[tuple[str, str, bool], ...] = ()
    open: bool = field(default=True)


def _shape(
    clause: str,
    kinds: dict[str, str],
    required: str = "",
    *,
    any_of: tuple[str, ...] = (),
    order: tuple[tuple[str, str, bool], ...] = (),
    open: bool = True,
) -> Shape:
    return Shape(
        clause,
        MappingProxyType(kinds),
        frozenset(required.split()),
        tuple(frozenset(group.split()) for group in any_of),
        order,
        open,
    )


_CORE: Final = {
    "type": "type",
    "spec_version": "spec-version",
    "id": "own-id",
    "created_by_ref": "ref identity",
    "created": "timestamp-ms",
    "modified": "timestamp-ms",
    "revoked": "boolean",
    "labels": "list string",
    "confidence": "integer 0 100",
    "lang": "language",
    "external_references": "list struct external-reference",
    "object_marking_refs": "list ref marking-definition",
    "granular_markings": "list struct granular-marking",
    "extensions": "extensions",
}
_CORE_REQUIRED: Final = "type spec_version id created modified "
_CORE_ORDER: Final = ("modified", "created", False)

_SCO: Final = {
    "type": "type",
    "spec_version": "spec-version",
    "id": "own-id",
    "object_marking_refs": "list ref marking-definition",
    "granular_markings": "list struct granular-marking",
    "defanged": "boolean",
    "lang": "language",
    "extensions": "extensions",
}


def _domain(
    section: str,
    kinds: dict[str, str],
    required: str = "",
    *,
    any_of: tuple[str, ...] = (),
    order: tuple[tuple[str, str, bool], ...] = (),
) -> Shape:
    return _shape(
        f"STIX 2.1 §{section}", _CORE | kinds, _CORE_REQUIRED + required, any_of=any_of, order=(_CORE_ORDER, *order)
    )


def _observable(
    section: str,
    kinds: dict[str, str],
    required: str = "",
    *,
    any_of: tuple[str, ...] = (),
    order: tuple[tuple[str, str, bool], ...] = (),
) -> Shape:
    return _shape(f"STIX 2.1 §{section}", _SCO | kinds, "type id " + required, any_of=any_of, order=order)


_SEEN: Final = (("last_seen", "first_seen", False),)
_CHAIN: Final = "list struct kill-chain-phase"
_WORDS: Final = "list string"

CUSTOM_OBJECT: Final = _domain("11.2", {})
CUSTOM_OBSERVABLE: Final = _observable("11.2", {})

OBJECTS: Final = MappingProxyType(
    {
        "attack-pattern": _domain(
            "4.1", {"name": "string", "description": "string", "aliases": _WORDS, "kill_chain_phases": _CHAIN}, "name"
        ),
        "campaign": _domain(
            "4.2",
            {
                "name": "string",
                "description": "string",
                "aliases": _WORDS,
                "first_seen": "timestamp",
                "last_seen": "timestamp",
                "objective": "string",
            },
            "name",
            order=_SEEN,
        ),
        "course-of-action": _domain("4.3", {"name": "string", "description": "string"}, "name"),
        "grouping": _domain(
            "4.4",
            {"name": "string", "description": "string", "context": "string", "object_refs": "list ref"},
            "context object_refs",
        ),
        "identity": _domain(
            "4.5",
            {
                "name": "string",
                "description": "string",
                "roles": _WORDS,
                "identity_class": "string",
                "sectors": _WORDS,
                "contact_information": "string",
            },
            "name",
        ),
        "incident": _domain("4.6", {"name": "string", "description": "string"}, "name"),
        "indicator": _domain(
            "4.7",
            {
                "name": "string",
                "description": "string",
                "indicator_types": _WORDS,
                "pattern": "string",
                "pattern_type": "string",
                "pattern_version": "string",
                "valid_from": "timestamp",
                "valid_until": "timestamp",
                "kill_chain_phases": _CHAIN,
            },
            "pattern pattern_type valid_from",
            order=(("valid_until", "valid_from", True),),
        ),
        "infrastructure": _domain(
            "4.8",
            {
                "name": "string",
                "description": "string",
                "infrastructure_types": _WORDS,
                "aliases": _WORDS,
                "kill_chain_phases": _CHAIN,
                "first_seen": "timestamp",
                "last_seen": "timestamp",
            },
            "name",
            order=_SEEN,
        ),
        "intrusion-set": _domain(
            "4.9",
            {
                "name": "string",
                "description": "string",
                "aliases": _WORDS,
                "first_seen": "timestamp",
                "last_seen": "timestamp",
                "goals": _WORDS,
                "resource_level": "string",
                "primary_motivation": "string",
                "secondary_motivations": _WORDS,
            },
            "name",
            order=_SEEN,
        ),
        "location": _domain(
            "4.10",
            {
                "name": "string",
                "description": "string",
                "latitude": "float -90 90",
                "longitude": "float -180 180",
                "precision": "float * *",
                "region": "string",
                "country": "string",
                "administrative_area": "string",
                "city": "string",
                "street_address": "string",
                "postal_code": "string",
            },
            any_of=("region country latitude",),
        ),
        "malware": _domain(
            "4.11",
            {
                "name": "string",
                "description": "string",
                "malware_types": _WORDS,
                "is_family": "boolean",
                "aliases": _WORDS,
                "kill_chain_phases": _CHAIN,
                "first_seen": "timestamp",
                "last_seen": "timestamp",
                "operating_system_refs": "list ref software",
                "architecture_execution_envs": _WORDS,
                "implementation_languages": _WORDS,
                "capabilities": _WORDS,
                "sample_refs": "list ref artifact file",
            },
            "is_family",
            order=_SEEN,
        ),
        "malware-analysis": _domain(
            "4.12",
            {
                "product": "string",
                "version": "string",
                "host_vm_ref": "ref software",
                "operating_system_ref": "ref software",
                "installed_software_refs": "list ref software",
                "configuration_version": "string",
                "modules": _WORDS,
                "analysis_engine_version": "string",
                "analysis_definition_version": "string",
                "submitted": "timestamp",
                "analysis_started": "timestamp",
                "analysis_ended": "timestamp",
                "result_name": "string",
                "result": "string",
                "analysis_sco_refs": "list ref @sco",
                "sample_ref": "ref artifact file network-traffic",
            },
            "product",
            any_of=("result analysis_sco_refs",),
        ),
        "note": _domain(
            "4.13",
            {"abstract": "string", "content": "string", "authors": _WORDS, "object_refs": "list ref"},
            "content object_refs",
        ),
        "observed-data": _domain(
            "4.14",
            {
                "first_observed": "timestamp",
                "last_observed": "timestamp",
                "number_observed": "integer 1 999999999",
                "objects": "observables",
                "object_refs": "list ref",
            },
            "first_observed last_observed number_observed",
            any_of=("objects object_refs",),
            order=(("last_observed", "first_observed", False),),
        ),
        "opinion": _domain(
            "4.15",
            {"explanation": "string", "authors": _WORDS, "opinion": "enum opinion", "object_refs": "list ref"},
            "opinion object_refs",
        ),
        "report": _domain(
            "4.16",
            {
                "name": "string",
                "description": "string",
                "report_types": _WORDS,
                "published": "timestamp",
                "object_refs": "list ref",
            },
            "name published object_refs",
        ),
        "threat-actor": _domain(
            "4.17",
            {
                "name": "string",
                "description": "string",
                "threat_actor_types": _WORDS,
                "aliases": _WORDS,
                "first_seen": "timestamp",
                "last_seen": "timestamp",
                "roles": _WORDS,
                "goals": _WORDS,
                "sophistication": "string",
                "resource_level": "string",
                "primary_motivation": "string",
                "secondary_motivations": _WORDS,
                "personal_motivations": _WORDS,
            },
            "name",
            order=_SEEN,
        ),
        "tool": _domain(
            "4.18",
            {
                "name": "string",
                "description": "string",
                "tool_types": _WORDS,
                "aliases": _WORDS,
                "kill_chain_phases": _CHAIN,
                "tool_version": "string",
            },
            "name",
        ),
        "vulnerability": _domain("4.19", {"name": "string", "description": "string"}, "name"),
        "relationship": _domain(
            "5.1",
            {
                "relationship_type": "relationship-type",
                "description": "string",
                "source_ref": "ref !relationship sighting bundle marking-definition language-content",
                "target_ref": "ref !relationship sighting bundle marking-definition language-content",
                "start_time": "timestamp",
                "stop_time": "timestamp",
            },
            "relationship_type source_ref target_ref",
            order=(("stop_time", "start_time", True),),
        ),
        "sighting": _domain(
            "5.2",
            {
                "description": "string",
                "first_seen": "timestamp",
                "last_seen": "timestamp",
                "count": "integer 0 999999999",
                "sighting_of_ref": "ref !relationship sighting bundle marking-definition language-content",
                "observed_data_refs": "list ref observed-data",
                "where_sighted_refs": "list ref identity location",
                "summary": "boolean",
            },
            "sighting_of_ref",
            order=_SEEN,
        ),
        "language-content": _domain(
            "7.1",
            {
                "object_ref": "ref !bundle language-content",
                "object_modified": "timestamp",
                "contents": "language-contents",
            },
            "object_ref contents",
        ),
        "marking-definition": _shape(
            "STIX 2.1 §7.2.1",
            _CORE
            | {
                "created": "timestamp",
                "name": "string",
                "definition_type": "string",
                "definition": "object",
            },
            "type spec_version id created",
            order=(_CORE_ORDER,),
        ),
        "extension-definition": _domain(
            "7.3",
            {
                "name": "string",
                "description": "string",
                "schema": "string",
                "version": "string",
                "extension_types": "list enum extension-type",
                "extension_properties": "list property-name",
            },
            "created_by_ref name schema version extension_types",
        ),
    }
)
"""Domain, relationship and meta objects (STIX 2.1 §4, §5, §7)."""

OBSERVABLES: Final = MappingProxyType(
    {
        "artifact": _observable(
            "6.1",
            {
                "mime_type": "mime",
                "payload_bin": "binary",
                "url": "uri",
                "hashes": "hashes",
                "encryption_algorithm": "enum encryption-algorithm",
                "decryption_key": "string",
            },
            any_of=("payload_bin url",),
        ),
        "autonomous-system": _observable("6.2", {"number": "integer", "name": "string", "rir": "string"}, "number"),
        "directory": _observable(
            "6.3",
            {
                "path": "string",
                "path_enc": "charset",
                "ctime": "timestamp",
                "mtime": "timestamp",
                "atime": "timestamp",
                "contains_refs": "list ref file directory",
            },
            "path",
        ),
        "domain-name": _observable(
            "6.4", {"value": "domain", "resolves_to_refs": "list ref ipv4-addr ipv6-addr domain-name"}, "value"
        ),
        "email-addr": _observable(
            "6.5", {"value": "email", "display_name": "string", "belongs_to_ref": "ref user-account"}, "value"
        ),
        "email-message": _observable(
            "6.6",
            {
                "is_multipart": "boolean",
                "date": "timestamp",
                "content_type": "string",
                "from_ref": "ref email-addr",
                "sender_ref": "ref email-addr",
                "to_refs": "list ref email-addr",
                "cc_refs": "list ref email-addr",
                "bcc_refs": "list ref email-addr",
                "message_id": "string",
                "subject": "string",
                "received_lines": _WORDS,
                "additional_header_fields": "headers",
                "body": "string",
                "body_multipart": "list struct mime-part",
                "raw_email_ref": "ref artifact",
            },
            "is_multipart",
        ),
        "file": _observable(
            "6.7",
            {
                "extensions": "extensions file",
                "hashes": "hashes",
                "size": "integer 0 *",
                "name": "string",
                "name_enc": "charset",
                "magic_number_hex": "hex",
                "mime_type": "string",
                "ctime": "timestamp",
                "mtime": "timestamp",
                "atime": "timestamp",
                "parent_directory_ref": "ref directory",
                "contains_refs": "list ref",
                "content_ref": "ref artifact",
            },
            any_of=("hashes name",),
        ),
        "ipv4-addr": _observable(
            "6.8",
            {"value": "ipv4", "resolves_to_refs": "list ref mac-addr", "belongs_to_refs": "list ref autonomous-system"},
            "value",
        ),
        "ipv6-addr": _observable(
            "6.9",
            {"value": "ipv6", "resolves_to_refs": "list ref mac-addr", "belongs_to_refs": "list ref autonomous-system"},
            "value",
        ),
        "mac-addr": _observable("6.10", {"value": "mac"}, "value"),
        "mutex": _observable("6.11", {"name": "string"}, "name"),
        "network-traffic": _observable(
            "6.12",
            {
                "extensions": "extensions network-traffic",
                "start": "timestamp",
                "end": "timestamp",
                "is_active": "boolean",
                "src_ref": "ref ipv4-addr ipv6-addr mac-addr domain-name",
                "dst_ref": "ref ipv4-addr ipv6-addr mac-addr domain-name",
                "src_port": "integer 0 65535",
                "dst_port": "integer 0 65535",
                "protocols": _WORDS,
                "src_byte_count": "integer 0 *",
                "dst_byte_count": "integer 0 *",
                "src_packets": "integer 0 *",
                "dst_packets": "integer 0 *",
                "ipfix": "dictionary string integer",
                "src_payload_ref": "ref artifact",
                "dst_payload_ref": "ref artifact",
                "encapsulates_refs": "list ref network-traffic",
                "encapsulated_by_ref": "ref network-traffic",
            },
            "protocols",
            any_of=("src_ref dst_ref",),
            order=(("end", "start", False),),
        ),
        "process": _observable(
            "6.13",
            {
                "extensions": "extensions process",
                "is_hidden": "boolean",
                "pid": "integer",
                "created_time": "timestamp",
                "cwd": "string",
                "command_line": "string",
                "environment_variables": "dictionary",
                "opened_connection_refs": "list ref network-traffic",
                "creator_user_ref": "ref user-account",
                "image_ref": "ref file",
                "parent_ref": "ref process",
                "child_refs": "list ref process",
            },
            any_of=(
                "extensions is_hidden pid created_time cwd command_line environment_variables opened_connection_refs "
                "creator_user_ref image_ref parent_ref child_refs",
            ),
        ),
        "software": _observable(
            "6.14",
            {
                "name": "string",
                "cpe": "cpe",
                "swid": "string",
                "languages": "list language-639",
                "vendor": "string",
                "version": "string",
            },
            "name",
        ),
        "url": _observable("6.15", {"value": "uri"}, "value"),
        "user-account": _observable(
            "6.16",
            {
                "extensions": "extensions user-account",
                "user_id": "string",
                "credential": "string",
                "account_login": "string",
                "account_type": "string",
                "display_name": "string",
                "is_service_account": "boolean",
                "is_privileged": "boolean",
                "can_escalate_privs": "boolean",
                "is_disabled": "boolean",
                "account_created": "timestamp",
                "account_expires": "timestamp",
                "credential_last_changed": "timestamp",
                "account_first_login": "timestamp",
                "account_last_login": "timestamp",
            },
            any_of=(
                "extensions user_id credential account_login account_type display_name is_service_account "
                "is_privileged "
                "can_escalate_privs is_disabled account_created account_expires credential_last_changed "
                "account_first_login account_last_login",
            ),
        ),
        "windows-registry-key": _observable(
            "6.17",
            {
                "key": "registry-key",
                "values": "list struct registry-value",
                "modified_time": "timestamp",
                "creator_user_ref": "ref user-account",
                "number_of_subkeys": "integer",
            },
            any_of=("key values modified_time creator_user_ref number_of_subkeys",),
        ),
        "x509-certificate": _observable(
            "6.18",
            {
                "is_self_signed": "boolean",
                "hashes": "hashes",
                "version": "string",
                "serial_number": "string",
                "signature_algorithm": "string",
                "issuer": "string",
                "validity_not_before": "timestamp",
                "validity_not_after": "timestamp",
                "subject": "string",
                "subject_public_key_algorithm": "string",
                "subject_public_key_modulus": "string",
                "subject_public_key_exponent": "integer",
                "x509_v3_extensions": "struct x509-v3",
            },
            any_of=(
                "is_self_signed hashes version serial_number signature_algorithm issuer validity_not_before "
                "validity_not_after subject subject_public_key_algorithm subject_public_key_modulus "
                "subject_public_key_exponent x509_v3_extensions",
            ),
        ),
    }
)
"""Cyber-observable objects (STIX 2.1 §6)."""


def _all(kind: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


_X509: Final = {
    **_all(
        "string",
        "basic_constraints name_constraints policy_constraints key_usage extended_key_usage subject_key_identifier "
        "authority_key_identifier subject_alternative_name issuer_alternative_name subject_directory_attributes "
        "crl_distribution_points inhibit_any_policy certificate_policies policy_mappings",
    ),
    "private_key_usage_period_not_before": "timestamp",
    "private_key_usage_period_not_after": "timestamp",
}
_PE_HEADER: Final = {
    **_all(
        "integer",
        "major_linker_version minor_linker_version address_of_entry_point base_of_code base_of_data image_base "
        "section_alignment file_alignment major_os_version minor_os_version major_image_version minor_image_version "
        "major_subsystem_version minor_subsystem_version number_of_rva_and_sizes",
    ),
    **_all(
        "integer 0 *",
        "size_of_code size_of_initialized_data size_of_uninitialized_data size_of_image size_of_headers "
        "size_of_stack_reserve size_of_stack_commit size_of_heap_reserve size_of_heap_commit",
    ),
    **_all(
        "hex", "magic_hex win32_version_value_hex checksum_hex subsystem_hex dll_characteristics_hex loader_flags_hex"
    ),
    "hashes": "hashes",
}

STRUCTS: Final = MappingProxyType(
    {
        "external-reference": _shape(
            "STIX 2.1 §2.5",
            {
                "source_name": "string",
                "description": "string",
                "url": "uri",
                "hashes": "hashes",
                "external_id": "string",
            },
            "source_name",
            any_of=("description url external_id",),
        ),
        "kill-chain-phase": _shape(
            "STIX 2.1 §2.10", {"kill_chain_name": "string", "phase_name": "string"}, "kill_chain_name phase_name"
        ),
        "granular-marking": _shape(
            "STIX 2.1 §7.2.3",
            {"selectors": "list selector", "lang": "language", "marking_ref": "ref marking-definition"},
            "selectors",
            any_of=("lang marking_ref",),
        ),
        "mime-part": _shape(
            "STIX 2.1 §6.6.2",
            {
                "body": "string",
                "body_raw_ref": "ref artifact file",
                "content_type": "string",
                "content_disposition": "string",
            },
            any_of=("body body_raw_ref",),
        ),
        "registry-value": _shape(
            "STIX 2.1 §6.17.2",
            {"name": "string", "data": "string", "data_type": "enum registry-datatype"},
            any_of=("name data data_type",),
        ),
        "x509-v3": _shape("STIX 2.1 §6.18.2", _X509, any_of=(" ".join(_X509),)),
        "ntfs-stream": _shape("STIX 2.1 §6.7.4", {"name": "string", "hashes": "hashes", "size": "integer 0 *"}, "name"),
        "pe-section": _shape(
            "STIX 2.1 §6.7.7",
            {"name": "string", "size": "integer 0 *", "entropy": "float * *", "hashes": "hashes"},
            "name",
        ),
        "pe-optional-header": _shape("STIX 2.1 §6.7.6", _PE_HEADER, any_of=(" ".join(_PE_HEADER),), open=False),
    }
)
"""Nested objects."""

EXTENSIONS: Final = MappingProxyType(
    {
        "file": MappingProxyType(
            {
                "archive-ext": _shape(
                    "STIX 2.1 §6.7.2",
                    {"contains_refs": "list ref file directory", "comment": "string"},
                    "contains_refs",
                ),
                "ntfs-ext": _shape(
                    "STIX 2.1 §6.7.3",
                    {"sid": "string", "alternate_data_streams": "list struct ntfs-stream"},
                    any_of=("sid alternate_data_streams",),
                ),
                "pdf-ext": _shape(
                    "STIX 2.1 §6.7.5",
                    {
                        "version": "string",
                        "is_optimized": "boolean",
                        "document_info_dict": "dictionary string",
                        "pdfid0": "string",
                        "pdfid1": "string",
                    },
                    any_of=("version is_optimized document_info_dict pdfid0 pdfid1",),
                ),
                "raster-image-ext": _shape(
                    "STIX 2.1 §6.7.5",
                    {
                        "image_height": "integer",
                        "image_width": "integer",
                        "bits_per_pixel": "integer",
                        "exif_tags": "dictionary string integer",
                    },
                    any_of=("image_height image_width bits_per_pixel exif_tags",),
                ),
                "windows-pebinary-ext": _shape(
                    "STIX 2.1 §6.7.6",
                    {
                        "pe_type": "string",
                        "imphash": "string",
                        "machine_hex": "hex",
                        "number_of_sections": "integer 0 *",
                        "time_date_stamp": "timestamp-s",
                        "pointer_to_symbol_table_hex": "hex",
                        "number_of_symbols": "integer 0 *",
                        "size_of_optional_header": "integer 0 *",
                        "characteristics_hex": "hex",
                        "file_header_hashes": "hashes",
                        "optional_header": "struct pe-optional-header",
                        "sections": "list struct pe-section",
                    },
                    "pe_type",
                ),
            }
        ),
        "network-traffic": MappingProxyType(
            {
                "http-request-ext": _shape(
                    "STIX 2.1 §6.12.2",
                    {
                        "request_method": "string",
                        "request_value": "string",
                        "request_version": "string",
                        "request_header": "http-headers",
                        "message_body_length": "integer",
                        "message_body_data_ref": "ref artifact",
                    },
                    "request_method request_value",
                ),
                "icmp-ext": _shape(
                    "STIX 2.1 §6.12.3", {"icmp_type_hex": "hex", "icmp_code_hex": "hex"}, "icmp_type_hex icmp_code_hex"
                ),
                "socket-ext": _shape(
                    "STIX 2.1 §6.12.4",
                    {
                        "address_family": "enum address-family",
                        "is_blocking": "boolean",
                        "is_listening": "boolean",
                        "options": "socket-options",
                        "socket_type": "enum socket-type",
                        "socket_descriptor": "integer 0 *",
                        "socket_handle": "integer",
                    },
                    "address_family",
                ),
                "tcp-ext": _shape(
                    "STIX 2.1 §6.12.5",
                    {"src_flags_hex": "hex", "dst_flags_hex": "hex"},
                    any_of=("src_flags_hex dst_flags_hex",),
                ),
            }
        ),
        "process": MappingProxyType(
            {
                "windows-process-ext": _shape(
                    "STIX 2.1 §6.13.2",
                    {
                        "aslr_enabled": "boolean",
                        "dep_enabled": "boolean",
                        "priority": "string",
                        "owner_sid": "string",
                        "window_title": "string",
                        "startup_info": "dictionary",
                        "integrity_level": "enum integrity-level",
                    },
                    any_of=("aslr_enabled dep_enabled priority owner_sid window_title startup_info integrity_level",),
                ),
                "windows-service-ext": _shape(
                    "STIX 2.1 §6.13.3",
                    {
                        "service_name": "string",
                        "descriptions": _WORDS,
                        "display_name": "string",
                        "group_name": "string",
                        "start_type": "enum service-start-type",
                        "service_dll_refs": "list ref file",
                        "service_type": "enum service-type",
                        "service_status": "enum service-status",
                    },
                    any_of=(
                        "service_name descriptions display_name group_name start_type service_dll_refs service_type "
                        "service_status",
                    ),
                ),
            }
        ),
        "user-account": MappingProxyType(
            {
                "unix-account-ext": _shape(
                    "STIX 2.1 §6.16.2",
                    {"gid": "integer", "groups": _WORDS, "home_dir": "string", "shell": "string"},
                    any_of=("gid groups home_dir shell",),
                ),
            }
        ),
    }
)
"""Extensions the standard defines itself, by the type they stand on."""

RESERVED: Final = frozenset({"severity", "username", "phone_numbers", "action"})
"""Property names STIX 2.1 reserves for itself (§1.6.3, §11.1)."""
