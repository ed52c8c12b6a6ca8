"""A paper as a Word file: paragraphs that keep their ids, the marking on each page, changes tracked from the first edit on.

Written part by part as Office Open XML, with nothing in it that loads from elsewhere. The same paper gives the same bytes.

Source: ISO/IEC 29500-1 (WordprocessingML: §17.3.2.30 rtl, §17.3.1.6 bidi, §17.13.6 bookmarks, §17.15.1.90 trackRevisions);
FIRST TLP 2.0 §2 for the marking on each page.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from comity.adapters.documents.labels import is_draft, kind_label, labels, status_label
from comity.adapters.documents.look import cjk_of, marking_of, widths
from comity.adapters.documents.marks import mark
from comity.adapters.documents.qr import qr
from comity.node.documents import Block, Document, Heading, Paragraph, Table

W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_PARTS: Final = "http://schemas.openxmlformats.org/package/2006"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006"
_SPACES: Final = (
    f'xmlns:w="{W}" xmlns:r="{_OFFICE}/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture" '
    'xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="w14"'
)
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_REGIONS: Final = {"en": "en-GB", "fr": "fr-FR", "es": "es-ES", "ru": "ru-RU", "ar": "ar-EG", "zh": "zh-CN"}
_TWIPS: Final = 9412
"""The width of the text on A4 with 22 mm at each side, in twentieths of a point."""
_CODE: Final = 972_000
"""The side of the QR code: 27 mm in EMU."""
_ALWAYS: Final = (1980, 1, 1, 0, 0, 0)
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LRM: Final = "\u200e"
_LATIN: Final = re.compile(r"[A-Za-z0-9][!-~]*(?: [!-~]+)*[A-Za-z0-9]|[A-Za-z]")
LANGUAGE: Final = "comity-language"
"""The name of the property in which a file says the language of its paper."""


def as_word(document: Document) -> bytes:
    """The paper as a .docx file.

    Raises:
        Unavailable: `document-extra` where the paper has a reference and the library for QR codes is missing.
    """
    code = None if document.reference is None else qr(document.reference, "png")
    parts = {
        "[Content_Types].xml": _types(code is not None),
        "_rels/.rels": _relations(
            ("officeDocument", _OFFICE, "word/document.xml"),
            ("metadata/core-properties", f"{_PARTS}", "docProps/core.xml"),
            ("custom-properties", _OFFICE, "docProps/custom.xml"),
        ),
        "docProps/core.xml": _core(document),
        "docProps/custom.xml": _custom(document),
        "word/_rels/document.xml.rels": _relations(
            *((name, _OFFICE, f"{name}.xml") for name in ("styles", "settings", "fontTable", "header", "footer")),
            *((("image", _OFFICE, "media/code.png"),) if code is not None else ()),
        ),
        "word/document.xml": _Paper(document).document(code is not None),
        "word/styles.xml": _styles(document),
        "word/settings.xml": _settings(),
        "word/fontTable.xml": _fonts(document),
        "word/header.xml": _Paper(document).header(),
        "word/footer.xml": _Paper(document).footer(),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
        for name, text in parts.items():
            package.writestr(zipfile.ZipInfo(name, _ALWAYS), (_HEAD + text).encode(), zipfile.ZIP_DEFLATED)
        if code is not None:
            package.writestr(zipfile.ZipInfo("word/media/code.png", _ALWAYS), code, zipfile.ZIP_STORED)
    return out.getvalue()


class _Paper:
    """The body, header and footer of one paper."""

    def __init__(self, document: Document) -> None:
        self.paper = document
        self.words = labels(document.language)
        self.rtl = document.right_to_left
        self.marks: set[str] = set()

    def document(self, code: bool) -> str:
        """`word/document.xml`."""
        paper = self.paper
        body = [
            self.paragraph(kind_label(paper.kind, paper.language), "Lead"),
            self.paragraph(paper.title, "Title"),
            *(one for block in paper.blocks for one in self.block(block)),
        ]
        if paper.notes:
            body.append(self.paragraph(self.words["notes"], "NoteHead"))
            body += [self.paragraph(f"{n}. {note}", "Note") for n, note in enumerate(paper.notes, 1)]
        if paper.reference is not None:
            body.append(self.paragraph(self.words["reference"], "NoteHead"))
            body += [self.paragraph(line, "Reference", ltr=not _leftward(line)) for line in paper.reference.split("\n")]
            body += [self._code()] if code else []
        bidi = "<w:bidi/>" if self.rtl else ""
        section = (
            '<w:sectPr><w:headerReference w:type="default" r:id="header"/><w:footerReference w:type="default" r:id="footer"/>'
            '<w:pgSz w:w="11906" w:h="16838"/>'
            '<w:pgMar w:top="1700" w:right="1247" w:bottom="1500" w:left="1247" w:header="737" w:footer="680" w:gutter="0"/>'
            f"{bidi}</w:sectPr>"
        )
        return f"<w:document {_SPACES}><w:body>{''.join(body)}{section}</w:body></w:document>"

    def header(self) -> str:
        """`word/header.xml`: whose paper it is, what it is worth, its marking."""
        status = status_label(self.paper.status, self.paper.language)
        colour = "B3261E" if is_draft(self.paper.status) else "000000"
        said = self.run(self.paper.party, "<w:b/><w:bCs/>")
        if status is not None:
            said += self.run("   ") + self.run(status, f'<w:b/><w:bCs/><w:color w:val="{colour}"/>')
        return f"<w:hdr {_SPACES}>{self._bar('Header', said)}</w:hdr>"

    def footer(self) -> str:
        """`word/footer.xml`: which page of how many, and the marking."""
        pieces = re.split(r"(\{[nm]\})", self.words["page"])
        fields = {"{n}": "PAGE", "{m}": "NUMPAGES"}
        said = "".join(
            f'<w:fldSimple w:instr=" {fields[one]} ">{self.run("1")}</w:fldSimple>' if one in fields else self.run(one)
            for one in pieces
            if one
        )
        return f"<w:ftr {_SPACES}>{self._bar('Footer', said)}</w:ftr>"

    def _bar(self, style: str, said: str) -> str:
        chips = ""
        for text, colour in marking_of(self.paper.marking):
            look = '<w:b/><w:bCs/><w:sz w:val="24"/><w:szCs w:val="24"/>'
            if colour is not None:
                look = f'<w:b/><w:bCs/><w:color w:val="{colour[1:]}"/><w:sz w:val="24"/><w:szCs w:val="24"/>'
                look += '<w:shd w:val="clear" w:color="auto" w:fill="000000"/>'
            chips += f"<w:r><w:rPr>{look}</w:rPr>{_text(f' {text} ')}</w:r>" + self.run(" ")
        return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{said}<w:r><w:tab/></w:r>{chips}</w:p>'

    def block(self, block: Block) -> Iterator[str]:
        """One block as paragraphs."""
        match block:
            case Heading(id, text, level):
                yield self.paragraph(text, f"Heading{min(max(level, 1), 3)}", id)
            case Paragraph(id, text, lead):
                if lead:
                    yield self.paragraph(lead, "Lead")
                yield self.paragraph(text, "", id)
            case Table():
                yield self._table(block)

    def paragraph(self, text: str, style: str, id: str | None = None, *, ltr: bool = False) -> str:
        """One paragraph; with an id it stands in a bookmark."""
        look = f'<w:pStyle w:val="{style}"/>' if style else ""
        if ltr and self.rtl:
            look += '<w:bidi w:val="0"/><w:jc w:val="right"/>'
        look = f"<w:pPr>{look}</w:pPr>" if look else ""
        inner = "".join(self.runs(text, ltr=ltr))
        name = None if id is None else mark(id)
        if id is None or name is None or name in self.marks:  # a bookmark stands once in a file
            return f"<w:p>{look}{inner}</w:p>"
        self.marks.add(name)
        at = len(self.marks)
        named = f'<w:bookmarkStart w:id="{at}" w:name="{name}"/>'
        number = int.from_bytes(sha256(id.encode()).digest()[:4]) & 0x7FFF_FFFE | 1
        return f'<w:p w14:paraId="{number:08X}">{look}{named}{inner}<w:bookmarkEnd w:id="{at}"/></w:p>'

    def runs(self, text: str, *, ltr: bool = False) -> Iterator[str]:
        """Text as runs: in a paper written from right to left, Latin words and dates keep their own direction.

        After Arabic letters the parts of a date would change places.
        """
        if not self.rtl or ltr:
            yield self.run(text, rtl=False)
            return
        at = 0
        for found in _LATIN.finditer(text):
            if found.start() > at:
                yield self.run(text[at : found.start()])
            yield self.run(f"{_LRM}{found[0]}{_LRM}", rtl=False)
            at = found.end()
        if at < len(text):
            yield self.run(text[at:])

    def run(self, text: str, look: str = "", *, rtl: bool | None = None) -> str:
        """One run."""
        look += "<w:rtl/>" if (self.rtl if rtl is None else rtl) else ""
        return f"<w:r>{f'<w:rPr>{look}</w:rPr>' if look else ''}{_text(text)}</w:r>"

    def _table(self, table: Table) -> str:
        shares = widths(table)
        columns = [round(_TWIPS * one / sum(shares)) for one in shares]
        bidi = "<w:bidiVisual/>" if self.rtl else ""
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in columns)
        rows = [(table.heads, "TableHead", "<w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>")]
        rows += [(row, "TableCell", "") for row in table.rows]
        written = "".join(
            f"<w:tr>{look}"
            + "".join(
                f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>'
                f"{self.paragraph(cell, style, ltr=not _leftward(cell))}</w:tc>"
                for cell, width in zip(cells, columns, strict=True)
            )
            + "</w:tr>"
            for cells, style, look in rows
        )
        return (
            f'<w:tbl><w:tblPr><w:tblStyle w:val="Plain"/>{bidi}<w:tblW w:w="{_TWIPS}" w:type="dxa"/>'
            f'<w:tblLayout w:type="fixed"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{written}</w:tbl>{self.paragraph("", "Gap")}'
        )

    def _code(self) -> str:
        said = quoteattr(self.words["qr"])
        size = f'cx="{_CODE}" cy="{_CODE}"'
        return (
            '<w:p><w:pPr><w:spacing w:before="80"/></w:pPr><w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0">'
            f'<wp:extent {size}/><wp:docPr id="1" name="QR" descr={said}/><a:graphic>'
            '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
            f'<pic:cNvPr id="1" name="QR" descr={said}/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="image"/>'
            "<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm>"
            f'<a:off x="0" y="0"/><a:ext {size}/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
            "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>"
        )


def _leftward(text: str) -> bool:
    """Whether a letter written from right to left stands in it, or nothing that has a direction."""
    return re.search("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]", text) is not None or not re.search(
        "[A-Za-z0-9]", text
    )


def _text(text: str) -> str:
    """The content of a run; a line feed breaks the line."""
    lines = _NO_XML.sub("\ufffd", text).split("\n")
    return "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' if line else "" for line in lines)


def _types(code: bool) -> str:
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    named = {"document": "document.main", "styles": "styles", "settings": "settings", "fontTable": "fontTable"}
    named |= {"header": "header", "footer": "footer"}
    parts = "".join(
        f'<Override PartName="/word/{one}.xml" ContentType="{kind}.{said}+xml"/>' for one, said in named.items()
    )
    png = '<Default Extension="png" ContentType="image/png"/>' if code else ""
    return (
        f'<Types xmlns="{_PARTS}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{png}{parts}'
        '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
        '<Override PartName="/docProps/custom.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.custom-properties+xml"/></Types>'
    )


def _relations(*given: tuple[str, str, str]) -> str:
    inner = "".join(
        f'<Relationship Id="{name.rpartition("/")[2]}" Type="{space}/relationships/{name}" Target="{target}"/>'
        for name, space, target in given
    )
    return f'<Relationships xmlns="{_PARTS}/relationships">{inner}</Relationships>'


def _core(document: Document) -> str:
    said = {"dc:title": document.title, "dc:creator": document.party, "dc:language": document.language}
    inner = "".join(f"<{name}>{escape(_NO_XML.sub('', value))}</{name}>" for name, value in said.items())
    return (
        f'<cp:coreProperties xmlns:cp="{_PARTS}/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{inner}</cp:coreProperties>'
    )


def _custom(document: Document) -> str:
    return (
        f'<Properties xmlns="{_OFFICE}/custom-properties" xmlns:vt="{_OFFICE}/docPropsVTypes">'
        f'<property fmtid="{{D5CDD505-2E9C-101B-9397-08002B2CF9AE}}" pid="2" name="{LANGUAGE}">'
        f"<vt:lpwstr>{escape(document.language)}</vt:lpwstr></property></Properties>"
    )


def _settings() -> str:
    return (
        f'<w:settings {_SPACES}><w:zoom w:percent="100"/><w:trackRevisions/><w:defaultTabStop w:val="709"/>'
        '<w:compat><w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
        "</w:compat></w:settings>"
    )


def _fonts(document: Document) -> str:
    others = {"Noto Sans": "Arial", "Amiri": "Traditional Arabic", cjk_of(document.language): "Microsoft YaHei"}
    inner = "".join(f'<w:font w:name="{name}"><w:altName w:val="{other}"/></w:font>' for name, other in others.items())
    return f"<w:fonts {_SPACES}>{inner}</w:fonts>"


def _styles(document: Document) -> str:
    short = document.language.partition("-")[0].lower()
    said = document.language if re.search("-[A-Z]{2}$", document.language) else _REGIONS.get(short, document.language)
    language = (
        f"<w:lang w:val={quoteattr(said)} w:eastAsia={quoteattr(said if short in ('zh', 'ja', 'ko') else 'zh-CN')} "
    )
    language += f"w:bidi={quoteattr(said if document.right_to_left else 'ar-EG')}/>"
    bidi = "<w:bidi/>" if document.right_to_left else ""
    tab = f'<w:tabs><w:tab w:val="right" w:pos="{_TWIPS}"/></w:tabs>'
    line = '<w:{} w:val="single" w:sz="4" w:space="4" w:color="8594A3"/>'

    def style(id: str, name: str, paragraph: str, size: float, run: str = "", more: str = "") -> str:
        half = round(size * 2)
        larger = round(half * 1.15)
        return (
            f'<w:style w:type="paragraph" w:styleId="{id}"><w:name w:val="{name}"/><w:basedOn w:val="Normal"/>{more}'
            f'<w:pPr>{paragraph}</w:pPr><w:rPr>{run}<w:sz w:val="{half}"/><w:szCs w:val="{larger}"/></w:rPr></w:style>'
        )

    bold, muted = "<w:b/><w:bCs/>", '<w:color w:val="4A5A6A"/>'
    headings = "".join(
        style(
            f"Heading{n}",
            f"heading {n}",
            f'<w:keepNext/><w:spacing w:before="280" w:after="100"/><w:outlineLvl w:val="{n - 1}"/>',
            size,
            bold,
            '<w:next w:val="Normal"/><w:qFormat/>',
        )
        for n, size in ((1, 13), (2, 11.5), (3, 10.5))
    )
    return (
        f"<w:styles {_SPACES}><w:docDefaults><w:rPrDefault><w:rPr>"
        f'<w:rFonts w:ascii="Noto Sans" w:hAnsi="Noto Sans" w:cs="Amiri" w:eastAsia="{cjk_of(document.language)}"/>'
        f'<w:sz w:val="21"/><w:szCs w:val="24"/>{language}</w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>'
        '<w:spacing w:after="120" w:line="276" w:lineRule="auto"/></w:pPr></w:pPrDefault></w:docDefaults>'
        f'<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/><w:qFormat/><w:pPr>{bidi}</w:pPr></w:style>'
        + style("Title", "Title", '<w:keepNext/><w:spacing w:before="60" w:after="300"/>', 17, bold, "<w:qFormat/>")
        + headings
        + style("Lead", "Lead", '<w:keepNext/><w:spacing w:before="160" w:after="20"/>', 8.5, muted)
        + style("Gap", "Gap", '<w:spacing w:after="0"/>', 6)
        + style(
            "TableHead",
            "Table head",
            '<w:keepNext/><w:spacing w:before="40" w:after="40" w:line="240" w:lineRule="auto"/>',
            9,
            bold,
        )
        + style("TableCell", "Table cell", '<w:spacing w:before="40" w:after="40" w:line="240" w:lineRule="auto"/>', 9)
        + style("NoteHead", "Note head", '<w:keepNext/><w:spacing w:before="280" w:after="80"/>', 9, bold)
        + style("Note", "Note", '<w:spacing w:after="60" w:line="240" w:lineRule="auto"/>', 8.5)
        + style("Reference", "Reference", '<w:keepNext/><w:spacing w:after="20" w:line="240" w:lineRule="auto"/>', 8.5)
        + style("Header", "header", f'<w:pBdr>{line.format("bottom")}</w:pBdr>{tab}<w:spacing w:after="0"/>', 9)
        + style("Footer", "footer", f'<w:pBdr>{line.format("top")}</w:pBdr>{tab}<w:spacing w:after="0"/>', 9, muted)
        + '<w:style w:type="table" w:styleId="Plain"><w:name w:val="Plain table"/><w:tblPr><w:tblBorders>'
        + '<w:bottom w:val="single" w:sz="4" w:color="8594A3"/><w:insideH w:val="single" w:sz="4" w:color="8594A3"/>'
        + '</w:tblBorders><w:tblCellMar><w:left w:w="80" w:type="dxa"/><w:right w:w="80" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        + '<w:tblStylePr w:type="firstRow"><w:tcPr><w:tcBorders><w:bottom w:val="single" w:sz="8" w:color="000000"/>'
        + "</w:tcBorders></w:tcPr></w:tblStylePr></w:style></w:styles>"
    )
