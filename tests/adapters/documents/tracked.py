"""Edits a Word file with changes tracked, in the markup that Word itself writes: w:ins, w:del, w:comment and the marks of paragraphs."""

from __future__ import annotations

import io
import zipfile
from copy import deepcopy
from xml.etree.ElementTree import Element, SubElement, fromstring, register_namespace, tostring

from comity.adapters.documents.marks import mark
from comity.adapters.documents.word import W

for prefix, space in {  # mc:Ignorable names a prefix, so they have to stay what they were
    "w": W,
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "w14": "http://schemas.microsoft.com/office/word/2010/wordml",
    "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
}.items():
    register_namespace(prefix, space)

WHEN = "2021-07-12T09:30:00Z"
_COMMENTS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"


def w(name: str) -> str:
    return f"{{{W}}}{name}"


def run(words: str, *, deleted: bool = False) -> Element:
    made = Element(w("r"))
    text = SubElement(
        made, w("delText" if deleted else "t"), {"{http://www.w3.org/XML/1998/namespace}space": "preserve"}
    )
    text.text = words
    return made


class Tracked:
    """A Word file under the hands of somebody who tracks changes."""

    def __init__(self, file: bytes, by: str = "Ana Ferreira") -> None:
        with zipfile.ZipFile(io.BytesIO(file)) as package:
            self.parts = {name: package.read(name) for name in package.namelist()}
        self.root = fromstring(self.parts["word/document.xml"])
        self.by = by
        self.n = 900
        self.comments = Element(w("comments"))

    def body(self) -> Element:
        return self.root[0]

    def paragraph(self, id: str) -> Element:
        for one in self.root.iter(w("p")):
            if any(start.get(w("name")) == mark(id) for start in one.iter(w("bookmarkStart"))):
                return one
        raise KeyError(id)

    def change(self, kind: str, *inside: Element) -> Element:
        self.n += 1
        made = Element(w(kind), {w("id"): str(self.n), w("author"): self.by, w("date"): WHEN})
        made.extend(inside)
        return made

    def replace(self, id: str, old: str, new: str) -> Tracked:
        """Words of a paragraph deleted, others inserted after them; either may be empty."""
        paragraph = self.paragraph(id)
        for at, one in enumerate(paragraph):
            text = one.find(w("t")) if one.tag == w("r") else None
            if text is None or old not in (text.text or ""):
                continue
            before, _, after = (text.text or "").partition(old)
            pieces = [run(before)] if before else []
            pieces += [self.change("del", run(old, deleted=True))] if old else []
            pieces += [self.change("ins", run(new))] if new else []
            pieces += [run(after)] if after else []
            paragraph[at : at + 1] = pieces
            return self
        raise KeyError(old)

    def end(self, paragraph: Element, kind: str) -> None:
        """The mark of a paragraph inserted or deleted, as Word puts it into its properties."""
        look = paragraph.find(w("pPr"))
        if look is None:
            look = Element(w("pPr"))
            paragraph.insert(0, look)
        SubElement(look, w("rPr")).append(self.change(kind))

    def add_after(self, id: str, words: str) -> Tracked:
        """Enter at the end of a paragraph, and words: the old paragraph has the new mark, the new one the old."""
        paragraph = self.paragraph(id)
        made = Element(w("p"))
        made.append(self.change("ins", run(words)))
        self.body().insert(list(self.body()).index(paragraph) + 1, made)
        self.end(paragraph, "ins")
        return self

    def split(self, id: str, at: int) -> Tracked:
        """Enter in the middle of a paragraph."""
        paragraph = self.paragraph(id)
        text = next(paragraph.iter(w("t")))
        second = Element(w("p"))
        second.append(run((text.text or "")[at:]))
        text.text = (text.text or "")[:at]
        self.body().insert(list(self.body()).index(paragraph) + 1, second)
        self.end(paragraph, "ins")
        return self

    def delete_whole(self, id: str) -> Tracked:
        """A paragraph deleted with its end."""
        words = "".join(one.text or "" for one in self.paragraph(id).iter(w("t")))
        self.replace(id, words, "")
        self.end(self.paragraph(id), "del")
        return self

    def join(self, id: str) -> Tracked:
        """The end of a paragraph deleted, its words kept."""
        self.end(self.paragraph(id), "del")
        return self

    def move(self, id: str, after: str) -> Tracked:
        """A paragraph dragged elsewhere."""
        paragraph = self.paragraph(id)
        copy = deepcopy(paragraph)
        for one in [one for one in copy if one.tag in (w("bookmarkStart"), w("bookmarkEnd"))]:
            copy.remove(one)
        runs = [one for one in copy if one.tag == w("r")]
        for one in runs:
            copy.remove(one)
        copy.append(self.change("moveTo", *runs))
        self.body().insert(list(self.body()).index(self.paragraph(after)) + 1, copy)
        taken = [one for one in paragraph if one.tag == w("r")]
        at = list(paragraph).index(taken[0])
        for one in taken:
            paragraph.remove(one)
        paragraph.insert(at, self.change("moveFrom", *taken))
        return self

    def comment(self, id: str, words: str, *, on: str | None = None) -> Tracked:
        """A comment on a paragraph, or on words of it."""
        paragraph = self.paragraph(id)
        if on is not None:
            self.replace_kept(paragraph, on)
        number = str(len(self.comments))
        runs = [at for at, one in enumerate(paragraph) if one.tag == w("r")]
        chosen = [at for at in runs if on is None or "".join(paragraph[at].itertext()) == on]
        reference = Element(w("r"))
        SubElement(reference, w("commentReference"), {w("id"): number})
        paragraph.insert(chosen[-1] + 1, reference)
        paragraph.insert(chosen[-1] + 1, Element(w("commentRangeEnd"), {w("id"): number}))
        paragraph.insert(chosen[0], Element(w("commentRangeStart"), {w("id"): number}))
        made = SubElement(self.comments, w("comment"), {w("id"): number, w("author"): self.by, w("date"): WHEN})
        for line in words.split("\n"):
            SubElement(made, w("p")).append(run(line))
        return self

    def replace_kept(self, paragraph: Element, words: str) -> None:
        """Part the run that holds words, so that they stand in one of their own."""
        for at, one in enumerate(paragraph):
            text = one.find(w("t")) if one.tag == w("r") else None
            if text is not None and words in (text.text or ""):
                before, _, after = (text.text or "").partition(words)
                paragraph[at : at + 1] = [run(piece) for piece in (before, words, after) if piece]
                return
        raise KeyError(words)

    def untracked(self, id: str, old: str, new: str) -> Tracked:
        """Words changed while tracking was off."""
        for text in self.paragraph(id).iter(w("t")):
            text.text = (text.text or "").replace(old, new)
        return self

    def part(self, name: str, data: bytes) -> Tracked:
        """Another part put in, or one put in place of what there was."""
        self.parts[name] = data
        return self

    def relation(self, kind: str, target: str, *, external: bool = False) -> Tracked:
        """A relationship of the body."""
        root = self.parts["word/_rels/document.xml.rels"].decode()
        mode = ' TargetMode="External"' if external else ""
        said = f'<Relationship Id="r{len(root)}" Type="{kind}" Target="{target}"{mode}/></Relationships>'
        return self.part("word/_rels/document.xml.rels", root.replace("</Relationships>", said).encode())

    def saved(self) -> bytes:
        """The file as it is sent back."""
        if len(self.comments):
            self.relation(_COMMENTS, "comments.xml")
            types = self.parts["[Content_Types].xml"].decode()
            kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"
            said = f'<Override PartName="/word/comments.xml" ContentType="{kind}"/></Types>'
            self.part("[Content_Types].xml", types.replace("</Types>", said).encode())
            self.part("word/comments.xml", tostring(self.comments, encoding="UTF-8", xml_declaration=True))
        self.part("word/document.xml", tostring(self.root, encoding="UTF-8", xml_declaration=True))
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
            for name, data in self.parts.items():
                package.writestr(name, data)
        return out.getvalue()
