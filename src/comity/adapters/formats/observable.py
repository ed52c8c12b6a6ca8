"""Values as analysts write them: what kind they are, their plain form, their STIX pattern and their observable object.

Rules: a defanged value is read as the value (``hxxp``, ``[.]``, ``(dot)``, ``[:]``, ``[at]``); a kind is detected only
where one kind fits (``setup.zip`` may be a file or a domain: the file must say); text goes into a pattern with ``\\``
and ``'`` escaped and without control characters (STIX 2.1 §9.2); a pattern matches what the value says and no more.
Nothing is ever resolved or contacted.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid5

from comity.kernel.model.ids import STIX_SCO
from comity.kernel.seal.canonical import canonical

LENGTH: Final = 8192
"""Characters one value may have."""

HASHES: Final = {
    "md5": ("MD5", 32),
    "sha1": ("SHA-1", 40),
    "sha224": ("SHA-224", 56),
    "sha256": ("SHA-256", 64),
    "sha384": ("SHA-384", 96),
    "sha512": ("SHA-512", 128),
    "sha3-256": ("SHA3-256", 64),
    "sha3-512": ("SHA3-512", 128),
    "ssdeep": ("SSDEEP", 0),
    "tlsh": ("TLSH", 0),
}
"""Kind to the name of STIX 2.1 §10.9 (hash-algorithm-ov, open) and the length in hexadecimal digits (0: free text)."""

_BY_LENGTH: Final = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}

KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(("ipv4", "ipv4addr", "ipv4address", "ip4", "ipv4range"), "ip"),
    **dict.fromkeys(("ipv6", "ipv6addr", "ipv6address", "ip6", "ipv6range"), "ip"),
    **dict.fromkeys(
        ("ip", "ipaddr", "ipaddress", "ipsrc", "ipdst", "address", "cidr", "iprange", "network", "subnet"), "ip"
    ),
    **dict.fromkeys(("ipport", "ipdstport", "ipsrcport", "socket"), "ip-port"),
    **dict.fromkeys(("domain", "domainname", "fqdn", "host", "hostname", "c2domain"), "domain"),
    **dict.fromkeys(("url", "uri", "link", "maliciousurl"), "url"),
    **dict.fromkeys(("email", "emailaddr", "emailaddress", "emailsrc", "emaildst", "mail", "sender"), "email"),
    **dict.fromkeys(("md5", "md5hash", "hashmd5", "filehashmd5", "filemd5"), "md5"),
    **dict.fromkeys(("sha1", "sha1hash", "hashsha1", "filehashsha1", "filesha1"), "sha1"),
    **dict.fromkeys(("sha224", "filehashsha224"), "sha224"),
    **dict.fromkeys(("sha256", "sha256hash", "hashsha256", "filehashsha256", "filesha256", "sha2"), "sha256"),
    **dict.fromkeys(("sha384", "filehashsha384"), "sha384"),
    **dict.fromkeys(("sha512", "sha512hash", "hashsha512", "filehashsha512", "filesha512"), "sha512"),
    **dict.fromkeys(("sha3256",), "sha3-256"),
    **dict.fromkeys(("sha3512",), "sha3-512"),
    "ssdeep": "ssdeep",
    "tlsh": "tlsh",
    **dict.fromkeys(("hash", "filehash", "checksum"), "hash"),
    **dict.fromkeys(("filename", "file"), "filename"),
    **dict.fromkeys(("filepath", "path", "fullpath", "filelocation"), "filepath"),
    **dict.fromkeys(("directory", "folder"), "directory"),
    **dict.fromkeys(("regkey", "registry", "registrykey", "windowsregistrykey", "regkeyvalue"), "regkey"),
    **dict.fromkeys(("mutex", "mutant", "mutexname"), "mutex"),
    **dict.fromkeys(("useragent", "httpuseragent", "ua"), "user-agent"),
    **dict.fromkeys(("asn", "as", "autonomoussystem"), "asn"),
    **dict.fromkeys(("cve", "cveid", "vulnerability"), "cve"),
    **dict.fromkeys(("mac", "macaddr", "macaddress"), "mac"),
    **dict.fromkeys(("process", "processname"), "process-name"),
    **dict.fromkeys(("commandline", "cmdline", "command"), "command-line"),
    **dict.fromkeys(("service", "servicename", "windowsservice"), "service"),
    **dict.fromkeys(("btc", "bitcoin", "cryptocurrency"), "unsupported"),
}
"""Spellings (lower case, letters and digits only) to kinds."""

_FILE_ENDINGS: Final = frozenset(
    [
        "exe",
        "dll",
        "sys",
        "ocx",
        "scr",
        "bat",
        "cmd",
        "ps1",
        "psm1",
        "vbs",
        "vbe",
        "jse",
        "wsf",
        "hta",
        "lnk",
        "msi",
        "tmp",
        "log",
        "txt",
        "csv",
        "dat",
        "bin",
        "cfg",
        "ini",
        "aspx",
        "asp",
        "ashx",
        "asmx",
        "jsp",
        "jspx",
        "php",
        "doc",
        "docx",
        "docm",
        "xls",
        "xlsx",
        "xlsm",
        "ppt",
        "pptx",
        "pptm",
        "rtf",
        "pdf",
        "jar",
        "war",
        "rar",
        "7z",
        "cab",
        "iso",
        "img",
        "vhd",
        "elf",
        "dmg",
        "apk",
        "js",
        "css",
        "xml",
        "json",
        "htm",
        "html",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "bmp",
        "ico",
        "svg",
        "eml",
        "msg",
        "pcap",
        "evtx",
        "dmp",
        "bak",
        "conf",
        "yml",
        "yaml",
        "ps1xml",
        "drv",
        "cpl",
    ]
)
_DOUBTFUL_ENDINGS: Final = frozenset(
    ["zip", "mov", "sh", "py", "pl", "md", "rs", "app", "so", "ps", "cc", "gz", "tar", "zz"]
)

_DOMAIN: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:[a-z][a-z0-9-]{0,61}[a-z0-9])",
    re.ASCII | re.IGNORECASE,
)
_EMAIL: Final = re.compile(r"[^\s@\"'<>,;]{1,64}@([^\s@\"'<>,;]{1,253})")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}://[^\s]+", re.ASCII | re.IGNORECASE)
_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,19}", re.ASCII | re.IGNORECASE)
_ASN: Final = re.compile(r"(?:AS|ASN)?\s?(\d{1,10})", re.ASCII | re.IGNORECASE)
_HEX: Final = re.compile(r"[0-9a-f]+", re.ASCII)
_SSDEEP: Final = re.compile(r"\d{1,10}:[A-Za-z0-9/+]{3,}:[A-Za-z0-9/+]{3,}", re.ASCII)
_MAC: Final = re.compile(r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}", re.ASCII | re.IGNORECASE)
_REGKEY: Final = re.compile(
    r"(?:HKLM|HKCU|HKCR|HKU|HKCC|HKEY_(?:LOCAL_MACHINE|CURRENT_USER|CLASSES_ROOT|USERS|CURRENT_CONFIG))\\.+",
    re.IGNORECASE,
)
_WINDOWS_PATH: Final = re.compile(r"(?:[A-Za-z]:\\|\\\\[^\\]|%[A-Za-z0-9_()]+%\\).*", re.DOTALL)
_UNIX_PATH: Final = re.compile(r"(?:/|~/)[^\s/].*")
_FILE: Final = re.compile(r"[^\\/:*?\"<>|\r\n\t]+\.([A-Za-z0-9]{1,8})")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HIVES: Final = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKU": "HKEY_USERS",
    "HKCC": "HKEY_CURRENT_CONFIG",
}

_DOT: Final = re.compile(r"\s?[\[({]\s?(?:\.|dot|d0t)\s?[\])}]\s?", re.IGNORECASE)
_COLON: Final = re.compile(r"\[(:|:/{1,2})\]|\[(/)\]")
_AT: Final = re.compile(r"\s?[\[({]\s?(?:@|at)\s?[\])}]\s?", re.IGNORECASE)
_SCHEME: Final = re.compile(r"\A(?:h(?:xx|XX|\*\*|__|tt)p|meow|fxp)(s?)(?=\[?:)", re.IGNORECASE)


class NotAValue(Exception):
    """Why a text is not a value of the kind: a phrase that completes ``row 5: ...``."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value in its plain form, with what kind it is (a value of `KINDS`, ip already told apart as ipv4 and
    ipv6)."""

    kind: str
    text: str


def refang(text: str) -> str:
    """The value behind a defanged spelling; a value that is not defanged comes back as it is."""
    if "[" in text or "(" in text or "{" in text:
        text = _AT.sub("@", _DOT.sub(".", text))
        text = _COLON.sub(lambda match: match.group(1) or match.group(2), text)
    match = _SCHEME.match(text)
    if match is not None:
        scheme = "ftp" if match.group(0)[:1] in "fF" else "http"
        text = scheme + match.group(1).lower() + text[match.end() :]
    return text


def defang(text: str) -> str:
    """A spelling nobody follows by accident: ``hxxp`` and ``[.]`` in the host part."""
    if "://" in text:
        scheme, rest = text.split("://", 1)
        host, slash, path = rest.partition("/")
        return f"{scheme.replace('tt', 'xx', 1)}[:]//{host.replace('.', '[.]')}{slash}{path}"
    return text.replace("@", "[@]").replace(".", "[.]")


def kind_named(text: str) -> str | None:
    """The kind a word names (``FileHash-SHA256``, ``ip-dst``, ``ipaddress``), or None."""
    return KINDS.get(re.sub(r"[^a-z0-9]", "", text.lower()))


def detect(text: str) -> str | None:
    """The kind of a plain value where exactly one fits.

    Raises:
        NotAValue: where two kinds fit.
    """
    found = _address(text)
    if found is not None:
        return found.kind
    if _HEX.fullmatch(text.lower()) and len(text) in _BY_LENGTH:
        return _BY_LENGTH[len(text)]
    for kind, form in _FORMS:
        if form.fullmatch(text):
            return kind
    email = _EMAIL.fullmatch(text)
    if email is not None and _DOMAIN.fullmatch(email.group(1)):
        return "email"
    ending = text.rpartition(".")[2].lower()
    if _DOMAIN.fullmatch(text) and ending not in _FILE_ENDINGS:
        if ending in _DOUBTFUL_ENDINGS:
            raise NotAValue(f"{text!r} may be a file name or a domain; name its type")
        return "domain"
    host, slash, _ = text.partition("/")
    if slash and " " not in text and "\\" not in text and _DOMAIN.fullmatch(host.partition(":")[0]):
        return "url"
    if _FILE.fullmatch(text) and (ending in _FILE_ENDINGS or ending in _DOUBTFUL_ENDINGS) and len(text) < 256:
        return "filename"
    return None


_FORMS: Final = (
    ("cve", _CVE),
    ("url", _URL),
    ("mac", _MAC),
    ("regkey", _REGKEY),
    ("filepath", _WINDOWS_PATH),
    ("filepath", _UNIX_PATH),
    ("ssdeep", _SSDEEP),
    ("asn", re.compile(r"ASN?\s?\d{1,10}", re.ASCII | re.IGNORECASE)),
)


def read(text: str, kind: str | None = None) -> Value:
    """Read a value as it stands in a file, of the named kind or of the one that fits.

    Raises:
        NotAValue: the text is none, or not one of that kind, or its kind cannot be told.
    """
    text = text.strip()
    if not text:
        raise NotAValue("the value is empty")
    if len(text) > LENGTH:
        raise NotAValue(f"the value has {len(text)} characters, the limit is {LENGTH}")
    if _CONTROL.search(text):
        raise NotAValue("the value has control characters")
    if kind not in ("filename", "filepath", "directory", "regkey", "mutex", "user-agent", "command-line", "service"):
        text = refang(text)
    if kind is None:
        kind = detect(text)
        if kind is None:
            raise NotAValue(f"{_short(text)} is no kind of value that is known here; name its type")
    return _checked(kind, text)


def _checked(kind: str, text: str) -> Value:
    if kind in ("ip", "ip-port") or kind.startswith("ipv"):
        found = _address(text)
        if found is None:
            raise NotAValue(f"{_short(text)} is not an IP address")
        return found
    if kind == "domain":
        address = _address(text)
        if address is not None and address.kind in ("ipv4", "ipv6"):
            return address
        plain = text.rstrip(".").lower()
        if not _DOMAIN.fullmatch(plain) and not _international(plain):
            raise NotAValue(f"{_short(text)} is not a domain name")
        return Value(kind, plain)
    if kind == "hash":
        kind = (
            _BY_LENGTH.get(len(text), "")
            if _HEX.fullmatch(text.lower())
            else "ssdeep"
            if _SSDEEP.fullmatch(text)
            else ""
        )
        if not kind:
            raise NotAValue(f"{_short(text)} has the length of no hash that is known here")
    if kind in HASHES:
        name, length = HASHES[kind]
        plain = text.lower() if length else text
        if length and (len(plain) != length or not _HEX.fullmatch(plain)):
            raise NotAValue(f"{_short(text)} is not {length} hexadecimal digits, as {name} has")
        return Value(kind, plain)
    if kind == "email":
        match = _EMAIL.fullmatch(text)
        if match is None:
            raise NotAValue(f"{_short(text)} is not an e-mail address")
        return Value(kind, text)
    if kind == "cve":
        if not _CVE.fullmatch(text):
            raise NotAValue(f"{_short(text)} is not a CVE number")
        return Value(kind, text.upper())
    if kind == "asn":
        match = _ASN.fullmatch(text)
        if match is None or int(match.group(1)) > 2**32 - 1:
            raise NotAValue(f"{_short(text)} is not an AS number")
        return Value(kind, str(int(match.group(1))))
    if kind == "mac":
        if not _MAC.fullmatch(text):
            raise NotAValue(f"{_short(text)} is not a MAC address")
        return Value(kind, text.lower().replace("-", ":"))
    if kind == "url" and (" " in text or not re.search(r"[./:]", text)):
        raise NotAValue(f"{_short(text)} is not a URL")
    if kind == "regkey":
        hive, slash, rest = text.partition("\\")
        return Value(kind, _HIVES.get(hive.upper(), hive) + slash + rest)
    if kind == "filepath" and not split_path(text)[0]:
        return Value("filename", text)
    if kind == "filepath" and not split_path(text)[1]:
        return Value("directory", text.rstrip("\\/") or text)
    if kind == "unsupported":
        raise NotAValue("its type has no STIX pattern")
    return Value(kind, text)


def _international(text: str) -> bool:
    """A domain with letters beyond ASCII whose IDNA form is a domain."""
    try:
        return _DOMAIN.fullmatch(text.encode("idna").decode("ascii")) is not None
    except UnicodeError:
        return False


def _address(text: str) -> Value | None:
    """An address, a range, or an address with a port."""
    if not text or text[0] not in "0123456789abcdefABCDEF:[" or len(text) > 64:
        return None
    plain, port = text, ""
    if text.count(":") == 1 and "." in text:
        plain, _, port = text.partition(":")
    elif text[0] == "[" and "]" in text:
        plain, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    if port and (not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536):
        return None
    try:
        if "/" in plain:
            network = ipaddress.ip_network(plain, strict=False)
            if port:
                return None
            whole = network.prefixlen == network.max_prefixlen
            kept = (
                str(network.network_address)
                if whole
                else f"{ipaddress.ip_address(plain.split('/')[0])}/{network.prefixlen}"
            )
            return Value(f"ipv{network.version}" if whole else f"ipv{network.version}-range", kept)
        address = ipaddress.ip_address(plain)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        return None
    kind = f"ipv{address.version}"
    return Value(f"{kind}-port", f"{address} {port}") if port else Value(kind, str(address))


def split_path(path: str) -> tuple[str, str]:
    """Directory and file name of a Windows or Unix path; the root keeps its separator."""
    at = max(path.rfind("\\"), path.rfind("/") if "\\" not in path else -1)
    if at < 0:
        return "", path
    directory = path[:at]
    if not directory or directory.endswith(":"):
        directory = path[: at + 1]
    return directory, path[at + 1 :]


def quoted(text: str) -> str:
    """A STIX pattern string literal (STIX 2.1 §9.2)."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def comparison(value: Value) -> str:
    """The comparison expression that says this value, without the brackets of the observation."""
    kind, text = value.kind, quoted(value.text)
    if kind in HASHES:
        name = HASHES[kind][0]
        return f"file:hashes.{name if name.isalnum() else quoted(name)} = {text}"
    if kind in SIMPLE:
        return f"{SIMPLE[kind]} = {text}"
    if kind in ("ipv4-range", "ipv6-range"):
        return f"{kind[:4]}-addr:value ISSUBSET {text}"
    if kind in ("ipv4-port", "ipv6-port"):
        address, port = value.text.split(" ")
        return (
            f"network-traffic:dst_ref.type = '{kind[:4]}-addr' AND network-traffic:dst_ref.value = {quoted(address)} "
            f"AND network-traffic:dst_port = {int(port)}"
        )
    if kind == "filepath":
        directory, name = split_path(value.text)
        return f"file:name = {quoted(name)} AND file:parent_directory_ref.path = {quoted(directory)}"
    if kind == "asn":
        return f"autonomous-system:number = {int(value.text)}"
    raise NotAValue(f"a value of kind {kind} has no pattern")


SIMPLE: Final = {
    "ipv4": "ipv4-addr:value",
    "ipv6": "ipv6-addr:value",
    "domain": "domain-name:value",
    "url": "url:value",
    "email": "email-addr:value",
    "filename": "file:name",
    "directory": "directory:path",
    "regkey": "windows-registry-key:key",
    "mutex": "mutex:name",
    "user-agent": "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
    "mac": "mac-addr:value",
    "process-name": "process:image_ref.name",
    "command-line": "process:command_line",
    "service": "process:extensions.'windows-service-ext'.service_name",
}


def pattern(*values: Value) -> str:
    """The STIX pattern that any of the values matches; hashes of one file stand in one observation."""
    hashes = [comparison(value) for value in values if value.kind in HASHES]
    rest = [f"[{comparison(value)}]" for value in values if value.kind not in HASHES]
    return " OR ".join(([f"[{' OR '.join(hashes)}]"] if hashes else []) + rest)


CONTRIBUTING: Final[dict[str, tuple[str, ...]]] = {
    "artifact": ("hashes", "payload_bin"),
    "autonomous-system": ("number",),
    "directory": ("path",),
    "domain-name": ("value",),
    "email-addr": ("value",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "extensions", "parent_directory_ref"),
    "ipv4-addr": ("value",),
    "ipv6-addr": ("value",),
    "mac-addr": ("value",),
    "mutex": ("name",),
    "network-traffic": ("start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"),
    "process": (),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "url": ("value",),
    "user-account": ("account_type", "user_id", "account_login"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
}
"""STIX 2.1 §6: ID Contributing Properties of each observable type."""


def observable_id(shape: dict[str, Any]) -> str | None:
    """The deterministic id of an observable (STIX 2.1 §2.9), or None where no contributing property is there."""
    found: dict[str, Any] = {}
    for name in CONTRIBUTING.get(shape["type"], ()):
        if name in shape:
            value = shape[name]
            if name == "hashes" and isinstance(value, dict) and value:
                # §2.9: the first of MD5, SHA-1, SHA-256, SHA-512, else the first in order
                best = next((key for key in ("MD5", "SHA-1", "SHA-256", "SHA-512") if key in value), min(value))
                value = {best: value[best]}
            found[name] = value
    if not found:
        return None
    return f"{shape['type']}--{uuid5(STIX_SCO, canonical(found).decode())}"


def observable(stix_type: str, **properties: Any) -> dict[str, Any]:
    """An observable object with its deterministic id."""
    shape: dict[str, Any] = {"type": stix_type, "spec_version": "2.1", **properties}
    shape["id"] = observable_id(shape)
    return shape


def objects(value: Value) -> list[dict[str, Any]]:
    """The observable objects that say this value, the one that stands for it last; none where STIX has none."""
    kind, text = value.kind, value.text
    if kind in HASHES:
        return [observable("file", hashes={HASHES[kind][0]: text})]
    if kind in ("ipv4-port", "ipv6-port"):
        address, port = text.split(" ")
        end = observable(f"{kind[:4]}-addr", value=address)
        return [end, observable("network-traffic", dst_ref=end["id"], dst_port=int(port), protocols=[kind[:4]])]
    if kind == "filepath":
        path, name = split_path(text)
        directory = observable("directory", path=path)
        return [directory, observable("file", name=name, parent_directory_ref=directory["id"])]
    if kind == "asn":
        return [observable("autonomous-system", number=int(text))]
    if kind in ("ipv4-range", "ipv6-range"):
        return [observable(f"{kind[:4]}-addr", value=text)]
    if kind in _OBSERVED:
        stix_type, name = _OBSERVED[kind]
        return [observable(stix_type, **{name: text})]
    return []


_OBSERVED: Final = {
    "ipv4": ("ipv4-addr", "value"),
    "ipv6": ("ipv6-addr", "value"),
    "domain": ("domain-name", "value"),
    "url": ("url", "value"),
    "email": ("email-addr", "value"),
    "filename": ("file", "name"),
    "directory": ("directory", "path"),
    "regkey": ("windows-registry-key", "key"),
    "mutex": ("mutex", "name"),
    "mac": ("mac-addr", "value"),
}


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
