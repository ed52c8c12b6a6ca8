"""The words that a paper brings itself, in the six languages of the United Nations; a paper in another language has the English ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "page": "Page {n} of {m}",
        "notes": "Notes",
        "reference": "Where this stands in the record",
        "qr": "QR code of the reference beside it",
        "draft": "DRAFT",
        "certified": "certified translation",
        "authentic": "authentic text",
        "statement": "Statement",
        "demarche": "Démarche",
        "situation-report": "Situation report",
        "dossier": "Dossier",
        "listing": "Listing",
    },
    "fr": {
        "page": "Page {n} sur {m}",
        "notes": "Notes",
        "reference": "Inscription au registre",
        "qr": "Code QR de la référence ci-contre",
        "draft": "PROJET",
        "certified": "traduction certifiée",
        "authentic": "texte authentique",
        "statement": "Déclaration",
        "demarche": "Démarche",
        "situation-report": "Rapport de situation",
        "dossier": "Dossier",
        "listing": "Inscription sur liste",
    },
    "es": {
        "page": "Página {n} de {m}",
        "notes": "Notas",
        "reference": "Inscripción en el registro",
        "qr": "Código QR de la referencia contigua",
        "draft": "BORRADOR",
        "certified": "traducción certificada",
        "authentic": "texto auténtico",
        "statement": "Declaración",
        "demarche": "Gestión diplomática",
        "situation-report": "Informe de situación",
        "dossier": "Expediente",
        "listing": "Inclusión en la lista",
    },
    "ru": {
        "page": "Страница {n} из {m}",
        "notes": "Примечания",
        "reference": "Запись в реестре",
        "qr": "QR-код указанной рядом записи",
        "draft": "ПРОЕКТ",
        "certified": "заверенный перевод",
        "authentic": "аутентичный текст",
        "statement": "Заявление",
        "demarche": "Демарш",
        "situation-report": "Доклад об обстановке",
        "dossier": "Досье",
        "listing": "Включение в перечень",
    },
    "zh": {
        "page": "第 {n} 页，共 {m} 页",
        "notes": "注",
        "reference": "记录出处",
        "qr": "记录出处的二维码",
        "draft": "草案",
        "certified": "经核证译文",
        "authentic": "作准文本",
        "statement": "声明",
        "demarche": "外交交涉",
        "situation-report": "情况报告",
        "dossier": "案卷",
        "listing": "列名",
    },
    "ar": {
        "page": "الصفحة {n} من {m}",
        "notes": "ملاحظات",
        "reference": "موضع القيد في السجل",
        "qr": "رمز الاستجابة السريعة للمرجع المجاور",
        "draft": "مسودة",
        "certified": "ترجمة معتمدة",
        "authentic": "نص ذو حجية",
        "statement": "بيان",
        "demarche": "مسعى دبلوماسي",
        "situation-report": "تقرير عن الحالة",
        "dossier": "ملف",
        "listing": "إدراج في القائمة",
    },
}
"""By ISO 639-1 code; ``{n}`` and ``{m}`` are a page's number and how many there are."""


def labels(language: str) -> Mapping[str, str]:
    """The words for a language, BCP 47."""
    return LABELS.get(language.partition("-")[0].lower(), LABELS["en"])


def kind_label(kind: str, language: str) -> str:
    """What a paper is, in its language; a kind without a name of its own stands as it is written."""
    return labels(language).get(kind) or kind.replace("-", " ").capitalize()


def is_draft(status: str | None) -> bool:
    """Whether a status says that nobody stands by the paper yet."""
    return status is not None and status.strip().casefold() == "draft"


def status_label(status: str | None, language: str) -> str | None:
    """A status as it stands on each page, in the paper's language where it is one of a text; any other as it was said."""
    if status is None:
        return None
    known = status.strip().casefold()
    return labels(language)[known] if known in ("draft", "certified", "authentic") else status
