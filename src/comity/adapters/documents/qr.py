"""The reference of a paper as a QR code (ISO/IEC 18004), level M: read from a print after a fold or a stain."""

from __future__ import annotations

import io
from typing import Literal

from comity.kernel.errors import Unavailable

MISSING = "PDF and Word need libraries that are not installed here; run pip install comity[documents], or ask for txt or json."
"""What a node without them says."""


def qr(said: str, form: Literal["svg", "png"]) -> bytes | None:
    """The code as an image; None where the reference is longer than a code can hold.

    Raises:
        Unavailable: `document-extra` where the library is not installed.
    """
    try:
        import segno
    except ImportError as missing:
        raise Unavailable("document-extra", MISSING) from missing
    try:
        code = segno.make(said, error="m", micro=False, boost_error=False)
    except segno.DataOverflowError:
        return None
    out = io.BytesIO()
    code.save(out, kind=form, border=2, scale=1 if form == "svg" else 6)
    return out.getvalue()
