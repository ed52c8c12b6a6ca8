"""The names of bookmarks by which the paragraphs of a Word file keep their ids: hidden, and at most 40 characters long.

Word and LibreOffice both keep a bookmark with its paragraph while it is edited, moved and saved, which neither does for the ids that
OOXML has for paragraphs (`w14:paraId`).
"""

from __future__ import annotations

import re
from typing import Final

from comity.kernel.procedure.edits import anchor

_PLAIN: Final = "_comity_"
_HASHED: Final = "_comityx_"
_SIGNS: Final = {"_": "_u", ".": "_d", ":": "_c", "-": "_h"}
_BACK: Final = {written: sign for sign, written in _SIGNS.items()}


def mark(id: str) -> str:
    """The bookmark of a paragraph's id."""
    name = anchor(id)
    if name.startswith("#"):
        return _HASHED + name[1:]
    return _PLAIN + "".join(_SIGNS.get(char, char) for char in name)


def marked(bookmark: str) -> str | None:
    """The anchor of the id that a bookmark stands for (`comity.kernel.procedure.edits.anchor`); None for a bookmark of others."""
    if bookmark.startswith(_HASHED):
        return "#" + bookmark.removeprefix(_HASHED)
    if not bookmark.startswith(_PLAIN):
        return None
    return re.sub(r"_[udch]", lambda found: _BACK[found[0]], bookmark.removeprefix(_PLAIN))
