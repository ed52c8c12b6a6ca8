"""Where a node's keys are kept: files in its folder now, tokens and key services later behind the same calls."""

from comity.adapters.keys.files import KeyFolder, KeyRecord
from comity.adapters.keys.tls import Certificate, self_signed, spki_sha256

__all__ = ["Certificate", "KeyFolder", "KeyRecord", "self_signed", "spki_sha256"]
