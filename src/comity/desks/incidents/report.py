"""The situation picture as a report: a document of the six languages of the United Nations, with what each party said in its own words.

The report shows what this node may see, and carries the strictest marking of all of it. It is drafted by nobody and adds nothing: each
line has its author, and facts of law their source, their day, and whether they were checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from comity.desks.incidents.deadlines import checked
from comity.desks.incidents.kinds import ANSWER, EVENT, IMPACT, INCIDENT, OFFER, REQUEST, SEVERITY, TASK
from comity.desks.incidents.opening import THE_INCIDENT, brief, headline
from comity.desks.incidents.parts import by_due
from comity.desks.incidents.picture import SILENT, picture_of
from comity.desks.incidents.words import SIGHTINGS, Said, about, of_id, one
from comity.kernel.model.instants import format
from comity.kernel.release.vocabulary import TLP, strictest
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.desk import DeskDeed, Told
from comity.node.documents import Block, Document, Format, Heading, Paragraph, Table, render
from comity.node.parties import name_of
from comity.node.record import stands_in

_WORDS: Final[Mapping[str, Sequence[str]]] = {
    "en": (
        "Situation report: {}", "As of {}.", "What the parties say", "Timeline", "Tasks", "Deadlines", "Impact", "Severity",
        "Sightings", "Assistance", "Party", "Says", "Since", "Scope", "Time", "What", "By", "Said at", "Clock", "Owed by", "State",
        "Due", "Facts",
        "“silent” is a party that said nothing: it has not said that it is unaffected.",
        "Something here bears no TLP; it is treated as TLP:RED until its author says otherwise.",
        "{}: {}.",
        "{}: {} objects that cannot be read.",
    ),
    "fr": (
        "Rapport de situation : {}", "État au {}.", "Ce que disent les parties", "Chronologie", "Tâches", "Échéances", "Conséquences",
        "Gravité", "Observations", "Assistance", "Partie", "Dit", "Depuis", "Portée", "Heure", "Quoi", "Par", "Dit le", "Délai", "Dû par",
        "État", "Échéance", "Faits",
        "« silent » : la partie n'a rien dit ; elle n'a pas dit qu'elle n'était pas touchée.",
        "Un élément ne porte pas de TLP ; il est traité comme TLP:RED tant que son auteur n'en dit pas autrement.",
        "{} : {}.",
        "{} : {} objets illisibles.",
    ),
    "es": (
        "Informe de situación: {}", "A {}.", "Lo que dicen las partes", "Cronología", "Tareas", "Plazos", "Consecuencias", "Gravedad",
        "Avistamientos", "Asistencia", "Parte", "Dice", "Desde", "Alcance", "Hora", "Qué", "Por", "Dicho el", "Plazo", "Obligado",
        "Estado", "Vence", "Datos",
        "«silent»: la parte no ha dicho nada; no ha dicho que no esté afectada.",
        "Algún elemento no lleva TLP; se trata como TLP:RED hasta que su autor diga otra cosa.",
        "{}: {}.",
        "{}: {} objetos que no se pueden leer.",
    ),
    "ru": (
        "Доклад об обстановке: {}", "По состоянию на {}.", "Что сообщают стороны", "Хронология", "Задачи", "Сроки", "Последствия",
        "Степень тяжести", "Наблюдения", "Помощь", "Сторона", "Сообщает", "С", "Охват", "Время", "Что", "Кто", "Сообщено", "Срок", "Кем",
        "Состояние", "До", "Сведения",
        "«silent» — сторона ничего не сообщила; это не значит, что она не затронута.",
        "Часть сведений не имеет метки TLP; до указания автора с ней обращаются как с TLP:RED.",
        "{}: {}.",
        "{}: не читается объектов: {}.",
    ),
    "zh": (
        "情况报告：{}", "截至{}。", "各方所述", "时间线", "任务", "期限", "影响", "严重程度", "观测", "援助", "当事方", "所述",
        "自", "范围", "时间", "内容", "来自", "述于", "时限", "责任方", "状态", "到期", "依据",
        "“silent”指该方未作任何表态，并不表示其未受影响。",
        "部分内容没有TLP标记；在其作者另有说明之前，按TLP:RED处理。",
        "{}：{}。",
        "{}：{} 个对象无法读取。",
    ),
    "ar": (
        "تقرير عن الحالة: {}", "حتى {}.", "ما تقوله الأطراف", "التسلسل الزمني", "المهام", "المواعيد النهائية", "الأثر", "الخطورة",
        "المشاهدات", "المساعدة", "الطرف", "يقول", "منذ", "النطاق", "الوقت", "ماذا", "من", "قيل في", "المهلة", "على من",
        "الحالة", "الموعد", "الوقائع",
        "«silent» تعني أن الطرف لم يقل شيئا؛ ولا تعني أنه لم يتأثر.",
        "بعض المحتوى لا يحمل علامة TLP؛ ويعامل معاملة TLP:RED إلى أن يقول صاحبه غير ذلك.",
        "{}: {}.",
        "{}: {} من العناصر تتعذر قراءتها.",
    ),
}  # fmt: skip
"""What the report says itself, by language, in the order in which `_NAMES` names it."""
_NAMES: Final = (
    *("title", "as_of", "parties", "timeline", "tasks", "clocks", "impact", "severity", "sightings", "assistance"),
    *("party", "says", "since", "scope", "time", "what", "by", "said_at", "clock", "owed_by", "state", "due", "facts"),
    *("silent", "unmarked", "source", "unread"),
)


class Report(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Set the situation picture of an incident as a report: headings in the language asked for, words of parties as they said them."""

    incident: Annotated[str, THE_INCIDENT]
    format: Annotated[Format, Meta(description="pdf, docx, txt or json.")] = "pdf"
    language: Annotated[
        Literal["ar", "en", "es", "fr", "ru", "zh"], Meta(description="ar, en, es, fr, ru or zh; without it en.")
    ] = "en"


def report(node: Node, asked: Report, officer: str) -> Told:
    """The report as a file."""
    with node.store.read() as tx:
        made = document(tx, node, asked.incident, asked.language)
    file, media_type = render(node.typesetting, made, asked.format)
    shape = {"object": asked.incident, "format": asked.format, "marking": made.marking}
    return Told(shape, [f"The situation report as {asked.format}, {made.marking}."], file, media_type)


def document(tx: Reading, node: Node, incident: str, language: str) -> Document:
    """The report of an incident as it is known here now.

    Raises:
        NotFound: `no-such-object`, as for the picture.
    """
    one(tx, node.party, incident, INCIDENT)
    say = dict(zip(_NAMES, _WORDS[language], strict=True))
    shape, _ = picture_of(tx, node, incident)
    held, words = of_id(tx, node.party, incident), about(tx, node.party, incident)
    blocks: list[Block] = [Paragraph("as-of", say["as_of"].format(shape["at"]))]
    blocks += [Paragraph(f"word-{n}", headline(said, said.named(tx))) for n, said in enumerate(held.said, 1)]
    blocks += [
        Paragraph(f"description-{n}", said.says.description, said.named(tx))
        for n, said in enumerate(held.said, 1)
        if said.says.description
    ]
    rows = tuple(_party(line) for line in shape["parties"])
    heads = (say["party"], say["says"], say["since"], say["scope"])
    blocks += [Heading("parties", say["parties"]), Table("parties-table", heads, rows)]
    for name, found in (
        ("timeline", sorted(words.of(EVENT), key=lambda said: (said.says.start_time or format(said.at), said.id))),
        ("tasks", by_due(words.of(TASK))),
        ("impact", words.of(IMPACT)),
        ("severity", words.of(SEVERITY)),
        ("sightings", words.of(SIGHTINGS)),
        ("assistance", words.of(REQUEST, OFFER, ANSWER)),
    ):
        if found:
            blocks += _section(tx, name, say, found)
    notes = [say["silent"]] if any(line["says"] == "silent" for line in shape["parties"]) else []
    if shape["clocks"]:
        blocks += _clocks(say, shape["clocks"])
        notes += _sources(say, shape["clocks"])
    unread = Counter(defect["name"] for defect in shape["defects"])
    notes += [say["unread"].format(name, count) for name, count in sorted(unread.items())]
    every = (*held.said, *words.said)
    unmarked = any(said.tlp is None for said in every)
    level = "red" if unmarked else strictest(TLP, tuple(said.tlp for said in every)) or "red"
    name = next((said.says.name for said in held.said if said.says.name), incident)
    return Document(
        kind="situation-report",
        title=say["title"].format(name),
        language=language,
        blocks=tuple(blocks),
        marking=f"TLP:{level.upper()}",
        party=name_of(tx, node.party),
        reference=stands_in(tx, incident, shape["at"]),
        notes=(*([say["unmarked"]] if unmarked else []), *notes),
    )


def _party(line: Mapping[str, Any]) -> tuple[str, str, str, str]:
    status = line["status"]
    says = line["says"] if line["looked"] else f"{SILENT} ({line['word']})"
    if status is None:
        return line["name"], says, "", ""
    return line["name"], says, status["at"], status["says"].get("scope") or ""


def _section(tx: Reading, name: str, say: Mapping[str, str], found: Sequence[Said]) -> list[Block]:
    heads = (say["time"], say["what"], say["by"], say["said_at"], "TLP")
    rows = tuple(
        (
            getattr(said.says, "start_time", None) or getattr(said.says, "due_date", None) or "",
            _named(said),
            said.named(tx),
            format(said.at),
            said.tlp or "",
        )
        for said in found
    )
    return [Heading(name, say[name]), Table(f"{name}-table", heads, rows)]


def _named(said: Said) -> str:
    """What an object says, with its name where the few words do not hold it."""
    name, words = getattr(said.says, "name", None) or "", brief(said)
    return words if not name or name in words else f"{name}: {words}" if words else name


def _clocks(say: Mapping[str, str], clocks: Sequence[Mapping[str, Any]]) -> list[Block]:
    heads = (say["clock"], say["owed_by"], say["by"], say["state"], say["due"], say["facts"])
    rows = tuple(
        (
            line["clock"],
            str(line["owed_by"]),
            line["name"],
            str(line["state"]),
            line["due"] or line["due_words"],
            checked(dict(line)),
        )
        for line in clocks
    )
    return [Heading("clocks", say["clocks"]), Table("clocks-table", heads, rows)]


def _sources(say: Mapping[str, str], clocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each source of a fact that is shown, once."""
    found = {one["id"]: one for line in clocks for one in line["sources"]}
    told = {id: "; ".join(str(value) for key, value in one.items() if key != "id") for id, one in sorted(found.items())}
    return [say["source"].format(id, words) for id, words in told.items() if words]


DEEDS = (DeskDeed("incident document", "read", Report, report),)
