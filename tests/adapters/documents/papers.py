"""One statement in the six languages of the United Nations, and how its PDF is read."""

from __future__ import annotations

import io
import os
import unicodedata
from typing import Final

import pypdf
import pytest
import typst

from comity.node.documents import Block, Document, Heading, Paragraph, Table

REFERENCE: Final = "x-comity-statement--8d9bb4e0-3f6e-4f0e-b6b7-b7d1a3f6f0aa\n2021-07-19T12:00:00.000Z\ncomity/8d9bb4e0/1, 48213 leaves"
SAID: Final = {
    "en": ("Joint statement", "The parties condemn the intrusion of 2 March 2021.", "DRAFT"),
    "fr": ("Déclaration conjointe", "Les parties condamnent l'intrusion « du 2 mars 2021 ».", "PROJET"),
    "es": ("Declaración conjunta", "¿Quién responde? Las partes condenan la intrusión.", "BORRADOR"),
    "ru": ("Совместное заявление", "Стороны осуждают вторжение 2 марта 2021 года.", "ПРОЕКТ"),
    "zh-Hans": ("联合声明", "各方谴责2021年3月2日的入侵行为。", "草案"),
    "ar": ("بيان مشترك", "تدين الأطراف الاقتحام الذي وقع في خوادم البريد.", "مسودة"),
}


def statement(
    language: str = "en", *blocks: Block, marking: str = "TLP:AMBER", status: str | None = "draft"
) -> Document:
    title, words, _ = SAID[language]
    own: tuple[Block, ...] = blocks or (
        Paragraph("p1", words),
        Heading("h1", title, 2),
        Table("t1", ("A", "B"), (("1", words), ("2", ""))),
    )
    return Document("statement", title, language, own, marking, "Xanadu", status, REFERENCE, ("A note.",))


def pages(pdf: bytes) -> list[str]:
    """The words of each page, Arabic letters in their plain forms, without spaces and line ends."""
    return [
        "".join(unicodedata.normalize("NFKC", page.extract_text()).split())
        for page in pypdf.PdfReader(io.BytesIO(pdf)).pages
    ]


def need_chinese() -> None:
    """Chinese needs a font of the machine; CI installs it, so there its absence is a failure."""
    families = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False).families()
    if "Noto Sans CJK SC" not in families and os.environ.get("CI") != "true":
        pytest.skip("no font for Chinese is installed: fonts-noto-cjk")
