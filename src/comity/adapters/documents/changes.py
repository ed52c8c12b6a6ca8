"""What was changed in a Word file that a node made: insertions, deletions and comments, paragraph by paragraph.

A paragraph is known by the bookmark it was given. A change of a paragraph's end joins or parts it from the next: what can be
told apart without a doubt is (a new paragraph, a paragraph deleted whole), and the rest is told as not placed. What was moved,
changed in tables, in headers or in the look alone is told as well.

Source: ISO/IEC 29500-1 §17.13.5 (revisions: ins, del, moveFrom, moveTo, rPrChange, the mark of a paragraph), §17.13.4 (comments).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal
from xml.etree.ElementTree import Element

from comity.adapters.documents.marks import marked
from comity.adapters.documents.package import Package, refused
from comity.adapters.documents.word import LANGUAGE
from comity.kernel.model.names import legible
from comity.kernel.procedure.edits import Changes, Edited, Remark, Run, Unplaced, Why

_WORD: Final = frozenset(
    {
        "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
        "http://purl.oclc.org/ooxml/wordprocessingml/main",
    }
)
"""The transitional and the strict namespace."""
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SPACE: Final = "{http://www.w3.org/XML/1998/namespace}space"
_DIRECTIONS: Final = dict.fromkeys((0x200E, 0x200F, 0x061C, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Characters that only direct: programs put them in by themselves, and no text of ours holds one."""
_DRAWN: Final = frozenset({"drawing", "pict", "object"})
_LOOKS: Final = frozenset(
    {"rPrChange", "pPrChange", "sectPrChange", "tblPrChange", "tcPrChange", "trPrChange", "numberingChange"}
)
_ROWS: Final = frozenset({"cellIns", "cellDel", "cellMerge"})
MOST_WORDS: Final = 500
"""How many characters of a change that was not placed are told."""

Mark = Literal["kept", "inserted", "deleted"]
Kind = Literal["kept", "inserted", "deleted", "passing", "moved"]
_How = tuple[Kind, str, str]
"""How words stand, whose change it is and when, as the file says."""


@dataclass(slots=True)
class _Paragraph:
    """A paragraph of the file: its ids, what stands in it, how its end stands, its comments, and where it stands."""

    ids: list[str] = field(default_factory=list)
    runs: list[tuple[Kind, str, str, str]] = field(default_factory=list)
    mark: Mark = "kept"
    comments: list[str] = field(default_factory=list)
    moved: bool = False
    drawn: bool = False
    table: bool = False

    @property
    def id(self) -> str:
        return self.ids[0] if self.ids else ""

    def stands(self, *kinds: Kind) -> bool:
        """Whether words of these kinds stand in it."""
        return any(kind in kinds and text.strip() for kind, text, _, _ in self.runs)

    @property
    def changed(self) -> bool:
        return self.stands("inserted", "deleted") or self.mark != "kept" or self.moved

    @property
    def words(self) -> str:
        """What it would say, or what was deleted where nothing would be left."""
        result = "".join(text for kind, text, _, _ in self.runs if kind in ("kept", "inserted", "moved"))
        return (result.strip() or "".join(text for kind, text, _, _ in self.runs if kind == "deleted"))[:MOST_WORDS]

    @property
    def by(self) -> str:
        return ", ".join(dict.fromkeys(who for kind, _, who, _ in self.runs if kind != "kept" and who))


@dataclass(frozen=True, slots=True)
class _Comment:
    words: str
    by: str
    at: str


def read_changes(file: bytes) -> Changes:
    """What was changed in a Word file.

    Raises:
        InputRefused: `document-file`.
    """
    package = Package(file)
    main = package.main()
    root = package.part(main)
    body = None if root is None else next((one for one in root if _name(one) == "body"), None)
    if body is None:
        raise refused("it has no body")
    paragraphs, spans = _Reading().read(body)
    if not any(one.ids for one in paragraphs):
        raise refused(
            "none of its paragraphs has an id; take the file that a node made, and edit that in Word or LibreOffice"
        )
    comments = _comments(package, main)
    reading = _Placing(comments, spans)
    for chain in _chains(paragraphs):
        reading.take(chain)
    unplaced = [*reading.unplaced, *_others(package, main, body)]
    held = {id for one in paragraphs for id in one.comments}
    for id, one in comments.items():
        if id not in held:
            told = "A comment is fastened to nothing that is left in the paper."
            unplaced.append(Unplaced("outside", told, "", one.words[:MOST_WORDS], one.by))
    return Changes(_language(package), tuple(reading.paragraphs), tuple(unplaced))


class _Reading:
    """Walks through the body once, in order."""

    def __init__(self) -> None:
        self.paragraphs: list[_Paragraph] = []
        self.words: list[str] = []
        self.begins: dict[str, int] = {}  # of each comment: how many pieces of words stand before it
        self.ends: dict[str, int] = {}
        self.held: set[str] = set()

    def read(self, body: Element) -> tuple[list[_Paragraph], Mapping[str, str]]:
        """The paragraphs, and for each comment the words it is fastened to."""
        self._block(body, ("kept", "", ""), table=False)
        return self.paragraphs, {
            id: "".join(self.words[at : min(self.ends.get(id, at), at + MOST_WORDS)])[:MOST_WORDS]
            for id, at in self.begins.items()
        }

    def _block(self, parent: Element, how: _How, *, table: bool) -> None:
        waiting: list[str] = []  # bookmarks that begin between paragraphs belong to the next
        for one in parent:
            name = _name(one)
            if name == "p":
                paragraph = _Paragraph(table=table, ids=waiting)
                waiting = []
                self.paragraphs.append(paragraph)
                self._inline(one, paragraph, how)
            elif name == "bookmarkStart":
                waiting += _id_of(one)
            elif name == "commentRangeStart":
                self._comment(_get(one, "id"), None)
            elif name == "commentRangeEnd":
                self.ends.setdefault(_get(one, "id"), len(self.words))
            elif name in ("ins", "del", "moveFrom", "moveTo"):
                self._block(one, _changed(one, name, how), table=table)
            elif name is not None or one.tag != _FALLBACK:
                self._block(one, how, table=table or name == "tbl")

    def _inline(self, parent: Element, into: _Paragraph, how: _How) -> None:
        for one in parent:
            name = _name(one)
            if name in ("ins", "del", "moveFrom", "moveTo"):
                into.moved |= name.startswith("move")
                self._inline(one, into, _changed(one, name, how))
            elif name == "pPr":
                self._mark(one, into)
            elif name == "bookmarkStart":
                into.ids += _id_of(one)
            elif name in ("commentRangeStart", "commentReference"):
                self._comment(_get(one, "id"), into)
            elif name == "commentRangeEnd":
                self.ends.setdefault(_get(one, "id"), len(self.words))
            elif name in ("t", "delText", "tab", "br", "cr", "noBreakHyphen", "sym"):
                self._say(into, how, _said(one, name))
            elif name in _DRAWN:
                into.drawn |= how[0] != "kept"
            elif name not in ("rPr", "instrText", "delInstrText") and one.tag != _FALLBACK:
                self._inline(one, into, how)

    def _say(self, into: _Paragraph, how: _How, text: str) -> None:
        text = text.translate(_DIRECTIONS)
        if not text:
            return
        into.runs.append((how[0], text, *how[1:]))
        self.words.append(text)

    def _comment(self, id: str, into: _Paragraph | None) -> None:
        self.begins.setdefault(id, len(self.words))
        if into is not None and id not in self.held:
            self.held.add(id)
            into.comments.append(id)

    def _mark(self, look: Element, into: _Paragraph) -> None:
        for one in look:
            if _name(one) == "rPr":
                names = {_name(part) for part in one}
                into.moved |= bool(names & {"moveFrom", "moveTo"})
                if "ins" in names and "del" not in names:
                    into.mark = "inserted"
                elif "del" in names and "ins" not in names:
                    into.mark = "deleted"


class _Placing:
    """Puts what was changed where it belongs."""

    def __init__(self, comments: Mapping[str, _Comment], spans: Mapping[str, str]) -> None:
        self.comments = comments
        self.spans = spans
        self.paragraphs: list[Edited] = []
        self.unplaced: list[Unplaced] = []

    def take(self, chain: list[_Paragraph]) -> None:
        """Paragraphs that hang together by ends that were inserted or deleted."""
        ends = {one.mark for one in chain[:-1]}
        if any(one.moved for one in chain):
            self._all(
                chain,
                "moved",
                "Words were moved; delete them in one place and insert them in the other, or propose it by hand.",
            )
        elif any(one.table for one in chain):
            self._all(chain, "table", "A table was changed; a text has none, so say it in a message.")
        elif not ends:
            self._one(chain[0], chain[0].ids)
        elif ends == {"inserted"}:
            self._parted(chain)
        elif ends == {"deleted"} and sum(one.stands("kept", "inserted") for one in chain) <= 1:
            for one in chain:
                self._one(one, one.ids)
        else:
            self._all(chain, "joined", "Paragraphs were run together; change the words of each, or propose it by hand.")

    def _parted(self, chain: list[_Paragraph]) -> None:
        """Ends were inserted: one paragraph and new ones beside it, or one that was split."""
        ids = [id for one in chain for id in one.ids]
        old = [one for one in chain if one.stands("kept", "deleted")]
        if len(old) > 1 or len(ids) > 1:
            self._all(chain, "split", "A paragraph was split; propose the second half as a paragraph of its own.", ids)
            return
        home = old[0] if old else next((one for one in chain if one.ids), chain[-1])
        for one in chain:
            if one is home:
                self._one(one, ids)
            else:
                self._all([one], "new", "A paragraph was added; propose it as one, after the paragraph it follows.")

    def _one(self, one: _Paragraph, ids: list[str]) -> None:
        """A paragraph that hangs together with no other."""
        if one.drawn:
            self._left("outside", "A picture or an object was put in or taken out; a text has none.", one)
        if not ids:
            if one.changed:
                self._left(
                    "outside",
                    "Words were changed that are no paragraph of the text, such as the title or who proposes.",
                    one,
                )
            self._remarks_left(one, "outside", "A comment stands on words that are no paragraph of the text.")
            return
        runs = tuple(_runs(one))
        remarks = tuple(
            Remark(self.comments[id].words, self.comments[id].by, self.comments[id].at, self.spans.get(id, ""))
            for id in one.comments
            if id in self.comments
        )
        self.paragraphs.append(Edited(ids[0], runs, remarks))
        for id in ids[1:]:
            told = "Two paragraphs became one without tracking; change the words of each, or propose it by hand."
            self.unplaced.append(Unplaced("joined", told, id, one.words, one.by))

    def _all(self, chain: list[_Paragraph], why: Why, told: str, ids: list[str] | None = None) -> None:
        named = list(ids or ())
        for one in chain:
            mine = named.pop(0) if named else one.id
            if one.changed or mine:
                self.unplaced.append(Unplaced(why, told, mine, one.words, one.by))
            for id in one.ids[1:]:
                self.unplaced.append(Unplaced(why, told, id, one.words, one.by))
            self._remarks_left(one, why, "A comment stands where the change could not be placed.")

    def _left(self, why: Why, told: str, one: _Paragraph) -> None:
        self.unplaced.append(Unplaced(why, told, one.id, one.words, one.by))

    def _remarks_left(self, one: _Paragraph, why: Why, told: str) -> None:
        for id in one.comments:
            if id in self.comments:
                said = self.comments[id]
                self.unplaced.append(Unplaced(why, told, one.id, said.words[:MOST_WORDS], said.by))


def _runs(one: _Paragraph) -> Iterator[Run]:
    """What stands in a paragraph, neighbours that stand alike put together."""
    for (kind, by, at), found in groupby(one.runs, key=lambda run: (run[0], *run[2:])):
        if kind in ("kept", "inserted", "deleted"):
            yield Run(kind, "".join(text for _, text, _, _ in found), by, at)


def _chains(paragraphs: list[_Paragraph]) -> Iterator[list[_Paragraph]]:
    chain: list[_Paragraph] = []
    for one in paragraphs:
        chain.append(one)
        if one.mark == "kept":
            yield chain
            chain = []
    if chain:
        yield chain


def _others(package: Package, main: str, body: Element) -> Iterator[Unplaced]:
    """Changes of the look, of rows and cells, and in the parts beside the body."""
    looks = sum(_name(one) in _LOOKS for one in body.iter())
    if looks:
        yield Unplaced("look", f"{looks} changes are of the look alone (bold, a style, a margin); a text has no look.")
    rows = sum(
        _name(one) in _ROWS or (_name(one) == "trPr" and any(_name(part) in ("ins", "del") for part in one))
        for one in body.iter()
    )
    if rows:
        yield Unplaced("table", f"{rows} rows or cells of tables were put in or taken out; a text has none.")
    for kind, what in (
        ("header", "the header"),
        ("footer", "the footer"),
        ("footnotes", "a footnote"),
        ("endnotes", "an endnote"),
    ):
        for name in package.related(main, kind):
            part = package.part(name)
            if part is None:
                continue
            found, _ = _Reading().read(part)
            for one in found:
                if one.changed:
                    yield Unplaced(
                        "notes", f"Words in {what} were changed; they are no part of the text.", "", one.words, one.by
                    )


def _comments(package: Package, main: str) -> dict[str, _Comment]:
    found: dict[str, _Comment] = {}
    for name in package.related(main, "comments"):
        part = package.part(name)
        for one in [] if part is None else part:
            if _name(one) == "comment" and _get(one, "id") not in found:
                paragraphs, _ = _Reading().read(one)
                words = " ".join(
                    filter(None, ("".join(text for _, text, _, _ in each.runs).strip() for each in paragraphs))
                )
                found[_get(one, "id")] = _Comment(words, *_who(one))
    return found


def _language(package: Package) -> str:
    """The language the paper was made in."""
    custom = package.part("docProps/custom.xml")
    for one in [] if custom is None else custom:
        if one.get("name") == LANGUAGE:
            return "".join(one.itertext()).strip()[:40]
    core = package.part("docProps/core.xml")
    for one in [] if core is None else core:
        if one.tag == "{http://purl.org/dc/elements/1.1/}language":
            return (one.text or "").strip()[:40]
    return ""


def _changed(one: Element, name: str, how: _How) -> _How:
    """How what stands in a change stands; what was inserted and deleted again was never there."""
    kinds: Mapping[str, Kind] = {"ins": "inserted", "del": "deleted", "moveFrom": "deleted", "moveTo": "moved"}
    kind = kinds[name]
    if how[0] not in ("kept", kind):
        kind = "passing"
    who, when = _who(one)
    return kind, who or how[1], when or how[2]


def _who(one: Element) -> tuple[str, str]:
    return legible(_get(one, "author").strip())[:200], legible(_get(one, "date").strip())[:40]


def _said(one: Element, name: str) -> str:
    if name in ("t", "delText"):
        text = one.text or ""
        return text if one.get(_SPACE) == "preserve" else text.strip(" \t\r\n")
    return {"tab": " ", "noBreakHyphen": "\u2011", "sym": "\ufffd"}.get(name, "\n")


def _id_of(one: Element) -> list[str]:
    id = marked(_get(one, "name"))
    return [] if id is None else [id]


def _name(one: Element) -> str | None:
    """The local name of an element of WordprocessingML."""
    space, _, name = str(one.tag)[1:].rpartition("}")
    return name if space in _WORD else None


def _get(one: Element, name: str) -> str:
    for space in _WORD:
        found = one.get(f"{{{space}}}{name}")
        if found is not None:
            return found
    return ""
