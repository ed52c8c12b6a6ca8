"""Second half of the story: eight foreign ministries work out who did it, say so at one instant, and agree on measures.

Each scene needs the desks it names. Where one was taken away the scene is left out and that is said; what rests on it has no figure.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from comity.desks import desks
from comity.faces.cli.demo.stage import WINDOW, Actor, Stage, agreement, hits, say, scene, sign, wait
from comity.kernel.errors import NodeDamaged
from comity.kernel.model import instants
from comity.kernel.seal.canonical import canonical
from comity.node.reference import shipped

STATES: Final = (
    ("xanadu", "Xanadu", "XA"),
    ("ypsilon", "Ypsilon", "XB"),
    ("almara", "Almara", "XE"),
    ("belvia", "Belvia", "XF"),
    ("cordia", "Cordia", "XG"),
    ("dorvia", "Dorvia", "XH"),
    ("estava", "Estava", "XI"),
    ("felmark", "Felmark", "XJ"),
)
"""The eight states that speak: key, name, user-assigned country code (ISO 3166-1)."""

ASSESSING: Final = ("xanadu", "ypsilon", "almara", "belvia", "cordia")
"""Who commits to an assessment."""

SIGNATORIES: Final = ("xanadu", "ypsilon", "almara")
"""Who shows each other its statement before the day; nobody else sees it."""

JOINING: Final = ("xanadu", "ypsilon", "almara", "belvia", "felmark")
"""Who joins the measure."""

AHEAD: Final = 20.0
"""Seconds from appointing the instant to the instant, beside three times as long as the drafting took on this machine."""

SENTENCE: Final = 2 * WINDOW
"""Bytes of a window of prose: two texts about one incident share shorter ones by chance."""

ATTRIBUTION: Final = ("--tlp", "amber", "--basis", "task-in-public-interest", "--purpose", "attribution")
RESPONSE: Final = ("--tlp", "amber", "--basis", "task-in-public-interest", "--purpose", "diplomatic-response")


@dataclass
class Room:
    """What the scenes hand on to each other."""

    stage: Stage
    team: Actor
    outsider: Actor
    ministries: dict[str, Actor]
    accused: Actor
    said: Mapping[str, Any]
    incident: str = ""
    dossier: str = ""
    case: str = ""
    instant: int = 0
    statements: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def chair(self) -> Actor:
        """The ministry that convenes."""
        return self.ministries["xanadu"]

    def do(self, actor: Actor, *words: str, status: int = 0) -> dict[str, Any]:
        """A deed of the first officer of a party."""
        return self.stage.call(actor, *words, token=actor.tokens[0], status=status)

    def arrives(self, object_id: str, *actors: Actor) -> None:
        """Wait until parties have an object; the nodes call each other by themselves."""
        for actor in actors:
            found = partial(self.stage.call, actor, "search", object_id)
            wait(f"{object_id} at {actor.name}", lambda found=found: bool(found()["found"]))  # type: ignore[misc]

    def file(self, name: str, text: str) -> str:
        """A file of the story."""
        path = self.stage.folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)


def act_together(stage: Stage) -> dict[str, Any]:
    """Play it; gives the figures it adds to the last line."""
    scene("The ministries. Eight states and the one they will speak of found their nodes; each has a key of its own.")
    ministries = {
        key: stage.actor(f"mfa-{key}", f"Foreign ministry of {name}", "ministry", code) for key, name, code in STATES
    }
    accused = stage.actor("nordmark", "Foreign ministry of Nordmark", "ministry", "XN")
    team, outsider = stage.actors["xanadu"], stage.actors["outsider"]
    stage.serve(*ministries.values(), accused)
    stage.introduce(*ministries.values())
    stage.introduce(team, ministries["xanadu"])
    room = Room(stage, team, outsider, ministries, accused, shipped("comity.data", "demo", "story.yaml"))
    ids = {actor.key: actor.party for actor in stage.actors.values()}
    data = files("comity") / "data" / "demo"
    national = agreement(stage, Path(str(data / "national.toml")), ids)
    eight = agreement(stage, Path(str(data / "ministries.toml")), ids)
    sign(stage, national, team, ministries["xanadu"])
    digest = sign(stage, eight, *ministries.values())
    say("The eight signed one arrangement, named by the digest of what was signed:", digest[:16])
    present = {desk.name for desk in desks()}
    for play, needed in SCENES:
        left_out = without(play, needed, present)
        if left_out is None:
            play(room)
        else:
            scene(left_out)
    scene("The record of the ministries. Each node is examined.")
    for actor in (*ministries.values(), accused):
        found = stage.call(actor, "doctor")["findings"]
        say(f"{actor.name}:", "nothing wrong" if not found else str(found[0]))
        room.figures["records_verified"] = room.figures.get("records_verified", True) and not found
    return room.figures


def without(play: Callable[[Room], None], needed: Sequence[str], present: Collection[str]) -> str | None:
    """What is said in place of a scene whose desk was taken away; None where it can be played."""
    lacking = [name for name in needed if name not in present]
    what = (play.__doc__ or "").splitlines()[0]
    return f"Left out: {what} The desk {lacking[0]} is not installed." if lacking else None


def _dossier(room: Room) -> None:
    """From shared indicators to a dossier."""
    scene("A dossier. What the team knows comes to its ministry under their arrangement and becomes graded evidence.")
    chair = room.chair
    room.incident = room.do(chair, "incident", "open", "Exploitation of mail servers, 2021", *ATTRIBUTION)["object"]
    room.stage.sync(room.team, chair, rounds=1)
    room.dossier = room.do(
        chair, "attribution", "open", "Who exploited the mail servers", "--incident", room.incident, *ATTRIBUTION
    )["id"]
    pieces = [_piece(room, **one) for one in room.said["evidence"]]
    pieces.append(_withheld(room))
    hypotheses = [
        room.do(chair, "attribution", "hypothesis", room.dossier, one["name"], "--say", one["say"])["id"]
        for one in room.said["hypotheses"]
    ]
    for piece, values in zip(pieces, room.said["weighing"], strict=True):
        for hypothesis, value in zip(hypotheses, values, strict=True):
            room.do(chair, "attribution", "weigh", room.dossier, piece, hypothesis, "--value", value)
    missing = room.do(chair, "attribution", "check", room.dossier, status=1)
    say("Not ready for release; what norm 13(b) asks for is missing:", ", ".join(missing["missing"]))
    refused = room.do(chair, "attribution", "ready", room.dossier, *ATTRIBUTION, status=1)
    say("", refused["sentence"])
    *written, waived = missing["missing"]
    for part in written:
        room.do(chair, "attribution", "part", room.dossier, part, "--say", room.said["dossier"][part])
    room.do(chair, "attribution", "waive", room.dossier, waived, "--reason", room.said["dossier"][waived])
    room.do(chair, "attribution", "ready", room.dossier, *ATTRIBUTION)
    for line in room.stage.call(chair, "attribution", "matrix", room.dossier)["sentences"]:
        say("", line)
    partners = [actor for actor in room.ministries.values() if actor is not chair]
    for object_id in (room.dossier, *hypotheses):
        room.arrives(object_id, *partners)
    source = room.said["withheld"]["content"].encode()
    windows = [source[start : start + WINDOW] for start in range(0, len(source) - WINDOW, WINDOW)]
    leaks = hits(windows, [actor.folder for actor in room.stage.actors.values() if actor is not chair], [])
    say(
        f"{len(partners)} partners have the dossier. Windows of the withheld source found with anybody else:",
        str(leaks),
    )
    if leaks or not hits(windows, [chair.folder], []):
        raise NodeDamaged("demo-broken", "What was withheld left the ministry, or the search for it does not work.")


def _piece(room: Room, find: str, say: str, source: str, information: str, **more: str) -> str:
    found = room.do(room.chair, "search", find)["found"][0]["object"]
    words = ["--class", more["class"], "--source", source, "--information", information, "--say", say]
    return str(room.do(room.chair, "attribution", "evidence", room.dossier, found, *words)["id"])


def _withheld(room: Room) -> str:
    """A piece that the ministry weighs and nobody else may have, not even that it is there."""
    said = room.said["withheld"]
    note = {
        "type": "note",
        "spec_version": "2.1",
        "id": "note--0d6f9a53-5c7e-4c39-8a52-9f0f6d1f3b7e",
        "created": "2021-04-06T09:00:00.000Z",
        "modified": "2021-04-06T09:00:00.000Z",
        "abstract": said["abstract"],
        "content": said["content"],
        "object_refs": [room.incident],
    }
    bundle = {"type": "bundle", "id": "bundle--5b3f1f0a-7d51-4f0e-8f6e-3f8b5a0d1c2e", "objects": [note]}
    stated = ("--basis", "task-in-public-interest", "--purpose", "attribution", "--no-caveats")
    room.do(room.chair, "import", room.file("withheld.json", json.dumps(bundle)), "--tlp", "red", *stated)
    words = ["--class", "withheld", "--source", "A", "--information", "2", "--say", said["say"]]
    return str(room.do(room.chair, "attribution", "evidence", room.dossier, str(note["id"]), *words)["id"])


def _assessments(room: Room) -> None:
    """Assessments committed first and opened together."""
    scene("Five parties commit to their assessments before any of them reads another's; one dissents.")
    chair, five = room.chair, [room.ministries[key] for key in ASSESSING]
    parties = [word for actor in five for word in ("--party", actor.party)]
    case = room.do(
        chair, "case", "open", "committed-round", "Who did it: five assessments", *parties,
        *_set(commit="PT15M", open="PT10M", minimum="PT1S", case="P7D", **{"convener-gone": "PT10M"}),
    )["case"]  # fmt: skip
    _everybody_has(room, case, five)
    room.do(chair, "case", "ask", case, "Who directed the first wave?", "--shares", "3")
    _wait_state(room, case, five, "collecting")
    sealed = "A reading that nobody has before it is opened: "
    for place, actor in enumerate(five):
        dissents = actor.key == "mfa-cordia"
        room.do(
            actor, "attribution", "assess", room.dossier, "--commit", case,
            "--accused", room.said["accused"],
            "--claim-level", "actor-named" if dissents else "state-organ",
            "--likelihood", "likely" if dissents else "very-likely", "--scale", "us-icd-203",
            "--confidence", "low" if dissents else "high", "--tone", "none",
            "--say", f"{sealed}{actor.name} judges for itself, number {place + 1}.",
            *(("--dissent", "--reason", "Direction by the state is not shown.") if dissents else ()),
        )  # fmt: skip
    secret = [f"{sealed}{actor.name}".encode() for actor in five]
    early = sum(hits([secret[n]], [one.folder for one in five if one is not actor], []) for n, actor in enumerate(five))
    own = sum(hits([secret[n]], [actor.folder], []) for n, actor in enumerate(five))
    say("Committed positions readable at another party:", f"{early}; at their own: {own}")
    _wait_state(room, case, five, "opening")
    for actor in five:
        room.do(actor, "attribution", "reveal", case)

    def opened() -> list[dict[str, Any]]:
        table = room.stage.call(chair, "attribution", "assessments", case)["assessments"]
        return [one for one in table if one["state"].startswith("opened")]

    wait("the five assessments", lambda: len(opened()) == len(five))
    for one in opened():
        say(
            f"{one['party_name']}:",
            f"{one['claim_level']}, {one['likelihood']} ({one['scale']}), confidence {one['confidence']}",
        )
    room.figures["sealed_opened"] = len(opened()) if early == 0 else 0
    room.figures["dissent_kept"] = any(one.get("dissent") for one in opened())


def _statements(room: Room) -> None:
    """Eight statements under one embargo at one instant."""
    scene("Eight statements, one embargo, one instant. Each party publishes by its own word, whoever convenes.")
    began = time.monotonic()
    for key, actor in room.ministries.items():
        one = room.said["statements"][key]
        words = ["--accused", room.said["accused"], "--claim-level", one["claim"], "--tone", one["tone"]]
        if one["likelihood"] != "none":
            words += ["--likelihood", one["likelihood"], "--scale", one["scale"], "--confidence", one["confidence"]]
        room.statements[key] = room.do(
            actor, "statement", "draft", one["title"], "--language", "en",
            "--text", room.file(f"{key}.en.txt", one["en"]), *words, *RESPONSE,
        )["id"]  # fmt: skip
        for language, title in one.get("titles", {}).items():
            path = room.file(f"{key}.{language}.txt", one[language])
            stated = ("--text", path, "--status", "certified", "--title", title)
            room.do(actor, "statement", "text", room.statements[key], language, *stated)
    drafting = time.monotonic() - began
    for key in SIGNATORIES:
        named = [word for other in SIGNATORIES if other != key for word in ("--to", room.ministries[other].party)]
        room.do(room.ministries[key], "statement", "share", room.statements[key], *named)
    everybody = list(room.ministries.values())
    at = datetime.now(UTC) + timedelta(seconds=AHEAD + 3 * drafting)
    room.instant = instants.parse(at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    parties = [word for actor in everybody for word in ("--party", actor.party)]
    room.case = room.do(
        room.chair, "statement", "convene", "One day, eight voices", *parties, "--at", instants.format(room.instant)
    )["case"]
    _everybody_has(room, room.case, everybody)
    for key, actor in room.ministries.items():
        room.do(actor, "statement", "join", room.case, room.statements[key])
        room.do(actor, "statement", "go", room.case)
    felmark = room.ministries["felmark"]
    room.do(felmark, "statement", "hold", room.case, "--reason", "A word with the capital.")
    room.do(felmark, "statement", "go", room.case)
    say("Seconds left to the instant:", f"{(room.instant - _now()) / 1_000_000:.1f}")
    room.figures["embargo_leaks"] = _leaks(room)
    if _now() >= room.instant:
        raise NodeDamaged("demo-broken", "The instant passed before everybody had said go; the machine is too slow.")
    wait("the instant", lambda: _now() >= room.instant)
    published: dict[str, int] = {}

    def all_spoke() -> bool:
        for key, actor in room.ministries.items():
            acts = room.do(actor, "log", "show", "--kind", "publish")["acts"]
            if acts:
                published[key] = instants.parse(acts[0]["at"])
        return len(published) == len(room.ministries)

    wait("eight published statements", all_spoke)
    spread = (max(published.values()) - min(published.values())) / 1_000
    room.figures["instant_spread_ms"] = round(spread, 1)
    early = [key for key, at_ in published.items() if at_ < room.instant]
    if early:
        raise NodeDamaged("demo-broken", f"{early[0]} spoke before the instant.")
    say("Eight logs say when each spoke; from first to last:", f"{spread:.1f} ms")
    compared: dict[str, Any] = {}

    def all_arrived() -> bool:
        compared.update(room.stage.call(room.chair, "statement", "compare", room.case))
        return len(compared["statements"]) == len(room.ministries)

    wait("the statements of all", all_arrived)
    for line in compared["differences"]:
        say("", line)


def _papers(room: Room) -> None:
    """One statement as papers for people, in several scripts."""
    scene("The statement of Xanadu as papers, in three scripts, its marking and its place in the record on them.")
    forms = [("en", "docx"), ("ar", "docx"), ("zh", "docx")]
    if find_spec("typst"):
        forms += [("en", "pdf"), ("ar", "pdf")]
    else:
        say("", "Left out: PDF. The extra comity[documents] is not installed.")
    for language, form in forms:
        path = room.stage.folder / f"statement.{language}.{form}"
        words = ["--language", language, "--format", form, "--output", str(path)]
        room.stage.call(room.chair, "statement", "document", room.statements["xanadu"], *words)
        say(f"{form.upper()} in {language}:", f"{path.stat().st_size:,} bytes")


def _others_speak(room: Room) -> None:
    """A party by note verbale, and the reply of the accused."""
    scene("A ninth state has no node: its note verbale is recorded, and is never its signature. The accused replies.")
    note = room.said["by_note"]
    recorded = room.do(
        room.chair, "statement", "record", note["title"], "--for", note["name"], "--country", note["country"],
        "--road", "note-verbale", "--reference", note["reference"], "--received", instants.format(_now()),
        "--language", "en", "--text", room.file("note.txt", note["en"]), "--claim-level", note["claim"], *RESPONSE,
    )  # fmt: skip
    told = room.stage.call(room.chair, "statement", "show", recorded["id"])
    say("", told["sentence"])
    room.arrives(recorded["id"], room.ministries["ypsilon"])
    reply = room.said["reply"]
    answered = room.do(
        room.accused, "statement", "reply", *room.statements.values(), "--language", "en",
        "--text", room.file("reply.txt", reply["en"]), *RESPONSE,
    )  # fmt: skip
    room.do(room.accused, "statement", "publish", answered["id"])
    say(f"{room.accused.name} replies, and that is part of the record:", answered["id"])
    room.figures["recorded"], room.figures["replies"] = 1, 1


def _public_record(room: Room) -> None:
    """Somebody who takes no part in this asks for what is public, and verifies it offline."""
    scene("The public record. An outsider asks everybody for what is public and verifies who said what, and when.")
    speakers = [*room.ministries.values(), room.accused]
    for actor in speakers:
        card = room.stage.folder / f"{actor.key}.card.json"
        room.stage.call(actor, "card", "show", "--output", str(card))
        room.stage.call(room.outsider, "card", "add", str(card))
    path = room.stage.folder / "public.json"
    asked = [word for actor in speakers for word in ("--from", actor.party)]
    wanted = len(room.statements) + room.figures["replies"]
    wait("the proofs", lambda: _collected(room, asked, path) == wanted)
    anchors = [word for actor in speakers for word in ("--fingerprint", actor.fingerprint)]
    verdict = room.stage.call(room.outsider, "verify", str(path), *anchors)
    good = [one for one in verdict["items"] if one["verified"]]
    say("Verified offline, each by the fingerprint of its party:", f"{len(good)} of {len(verdict['items'])}")
    room.figures["statements"] = sum(1 for one in good if one["object"] in room.statements.values())
    room.figures["verified_offline"] = verdict["verified"] is True
    forged = room.stage.folder / "forged.json"
    forged.write_bytes(_forged(path.read_bytes()))
    denied = room.stage.call(room.outsider, "verify", str(forged), *anchors, status=1)
    say("Two words changed:", next(str(one["why"]) for one in denied["items"] if not one["verified"]))


def _forged(record: bytes) -> bytes:
    """A public record with two words changed, all its sums made to fit again."""
    told = json.loads(record.replace(b"highly likely", b"barely likely"))
    for one in (*told["items"], told):
        one.pop("sum")
        one["sum"] = sha256(canonical(one)).hexdigest()
    return canonical(told)


def _collected(room: Room, asked: Sequence[str], path: Path) -> int:
    path.unlink(missing_ok=True)
    return len(room.stage.call(room.outsider, "public", "collect", *asked, "--output", str(path))["publications"])


def _measures(room: Room) -> None:
    """Measures, by a rule of decision."""
    scene("Measures. One of the toolbox, adopted by silence; who joins says so itself.")
    chair, everybody = room.chair, list(room.ministries.values())
    options = room.stage.call(chair, "measure", "options", "--incident", room.incident)["options"]
    say("Options in the toolbox:", str(len(options)))
    say("Which the reference data does not confirm:", str(sum(1 for one in options if one["verified"] is not True)))
    chosen = next(one for one in options if one["id"] == "joint-statement" or not one["needs_attribution"])
    measure = room.do(
        chair, "measure", "propose", "Joint demarche and help for those affected", "--option", chosen["id"],
        "--incident", room.incident, "--conditions-met", "The incident is confirmed in eight states.",
        "--proportionality", "scope=Thousands of organisations in eight states.", "--review", "2022-01-19", *RESPONSE,
    )["id"]  # fmt: skip
    parties = [word for actor in everybody for word in ("--party", actor.party)]
    case = room.do(chair, "measure", "decide", measure, "--rule", "silence", *parties,
                   *_set(silence="PT8S", minimum="PT1S", case="P7D", **{"convener-gone": "PT10M"}))["case"]  # fmt: skip
    _everybody_has(room, case, everybody)
    _wait_state(room, case, everybody, "silence")
    for actor in everybody:
        room.do(actor, "case", "act", case, "receipt")
    _wait_state(room, case, everybody, "adopted")
    for key in JOINING:
        room.do(room.ministries[key], "measure", "join", measure)
    told: list[dict[str, Any]] = []

    def joined() -> bool:
        told[:] = room.stage.call(chair, "measure", "list")["measures"]
        return any(len(one["joined"]) == len(JOINING) for one in told)

    wait("who joins", joined)
    counted = [one for one in told if one["state"] == "adopted" and len(one["joined"]) >= 2]
    for one in counted:
        say(f"{one['title']}:", f"adopted; joined by {len(one['joined'])}; review on {one['review']}")
    room.figures["measures"] = len(counted)


SCENES: Final[Sequence[tuple[Callable[[Room], None], tuple[str, ...]]]] = (
    (_dossier, ("incidents", "attribution")),
    (_assessments, ("incidents", "attribution", "cases")),
    (_statements, ("statements",)),
    (_papers, ("statements",)),
    (_others_speak, ("statements",)),
    (_public_record, ("statements",)),
    (_measures, ("incidents", "measures", "cases")),
)
"""The scenes in order, each with the desks it needs."""


def _set(**stretches: str) -> list[str]:
    return [word for name, stretch in stretches.items() for word in ("--set", f"{name}={stretch}")]


def _now() -> int:
    return int(time.time() * 1_000_000)


def _everybody_has(room: Room, case: str, actors: Sequence[Actor]) -> None:
    def known(actor: Actor) -> bool:
        return any(one["case"] == case for one in room.stage.call(actor, "case", "list")["cases"])

    for actor in actors:
        wait(f"the case at {actor.name}", lambda actor=actor: known(actor))  # type: ignore[misc]


def _wait_state(room: Room, case: str, actors: Sequence[Actor], state: str) -> None:
    def there(actor: Actor) -> bool:
        return bool(room.stage.call(actor, "case", "show", case)["state"]["state"] == state)

    for actor in actors:
        wait(f"{actor.name} to see the case as {state}", lambda actor=actor: there(actor))  # type: ignore[misc]


def _leaks(room: Room) -> int:
    """Windows of a statement's text found in a home that is neither its party's nor a named co-signatory's."""
    leaks = seen = 0
    for key in room.ministries:
        text = room.said["statements"][key]["en"].encode()
        windows = [text[start : start + SENTENCE] for start in range(0, len(text) - SENTENCE, SENTENCE)]
        may = {key, *(SIGNATORIES if key in SIGNATORIES else ())}
        read = [room.ministries[one].folder for one in may]
        homes = [actor.folder for actor in room.stage.actors.values() if actor.folder not in read]
        leaks += hits(windows, homes, [])
        seen += hits(windows, read, [])
    say("Windows of the texts found where they may not be:", f"{leaks}; where they may: {seen}, so the search works")
    if not seen:
        raise NodeDamaged("demo-broken", "The search that finds no leak finds no text at its author's either.")
    return leaks
