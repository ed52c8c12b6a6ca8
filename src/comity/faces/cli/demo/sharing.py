"""First half of the story: five parties share, each exactly what was agreed, and an outsider gets nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from comity.faces.cli.demo.stage import (
    WINDOW,
    Actor,
    Stage,
    agreement,
    all_bytes,
    hits,
    say,
    scene,
    sign,
    wait,
)
from comity.kernel.errors import NodeDamaged


def share(stage: Stage, data: Path) -> dict[str, Any]:
    """Play it; gives the figures of the last line."""
    exchange, attack = data / "exchange-2021", data / "attack"
    scene("The parties. Five nodes are founded, each with its own keys, its own folder and its own process.")
    acme = stage.actor("acme", "Acme Mail Hosting", "company", "XC")
    xanadu = stage.actor("xanadu", "National response team of Xanadu", "csirt", "XA")
    ypsilon = stage.actor("ypsilon", "Response team of Ypsilon", "csirt", "XB")
    isola = stage.actor("isola", "Response team of Isola", "csirt", "XD")
    outsider = stage.actor("outsider", "Harbour Consulting", "company", "XZ")
    blank = all_bytes([outsider.folder])  # what every node is founded with, definitions of this software among it
    stage.serve(*stage.actors.values())
    stage.introduce(*stage.actors.values())
    say("Cards were handed over and their fingerprints read by telephone, for example", acme.fingerprint)

    scene("What each of them knows. Every import states its TLP, basis, purpose and caveats.")
    public = ["--basis", "task-in-public-interest", "--purpose", "protect-networks", "--no-caveats"]
    open_to_both = [*public, "--purpose", "attribution"]
    own = ["--basis", "legitimate-interest", "--purpose", "protect-networks", "--no-caveats"]
    taken: dict[str, dict[str, Any]] = {}

    def take(actor: Actor, label: str, *words: str) -> None:
        taken[label] = stage.call(actor, "import", *words)
        counts = taken[label]
        say(f"{actor.name} takes in {label}:", f"{counts['objects']} objects, {counts['refused']} refused")

    take(
        acme,
        "Unit 42's playbook",
        str(exchange / "unit42-exchange-zero-day-playbook.stix2.json"),
        "--tlp",
        "amber",
        *own,
    )
    take(
        acme,
        "Microsoft's indicators, as the company saw them",
        str(exchange / "mstic-exchange-iocs-2021-03.csv"),
        "--tlp",
        "amber",
        *own,
    )
    take(
        xanadu,
        "ATT&CK around HAFNIUM",
        str(attack / "attack-enterprise-hafnium-stix21.json.gz"),
        "--tlp",
        "clear",
        *open_to_both,
    )
    take(
        xanadu,
        "Volexity's indicators",
        str(exchange / "volexity-exchange-marauder-indicators.csv"),
        "--tlp",
        "green",
        *public,
    )
    take(
        xanadu,
        "Microsoft's indicators",
        str(exchange / "mstic-exchange-iocs-2021-03.csv"),
        "--tlp",
        "clear",
        *open_to_both,
    )
    samples = [str(exchange / f"eset-exchange-exploitation-samples.{kind}") for kind in ("md5", "sha1", "sha256")]
    take(ypsilon, "ESET's samples", *samples, "--tlp", "green", *public)
    take(
        ypsilon,
        "Unit 42's DearCry playbook",
        str(exchange / "unit42-dearcry-playbook.stix2.json"),
        "--tlp",
        "green",
        *public,
    )
    take(
        ypsilon,
        "Microsoft's indicators too",
        str(exchange / "mstic-exchange-iocs-2021-03.csv"),
        "--tlp",
        "green",
        *public,
    )
    refused = stage.call(ypsilon, "import", str(exchange / "eset-exchange-exploitation-README.adoc"), status=1)
    say("ESET's README is not a list of indicators and is refused:", refused["sentence"])
    secret = _red_report(stage)
    take(xanadu, "one report from a source it protects", str(secret), "--tlp", "red", "--basis", "task-in-public-interest",
         "--purpose", "attribution", "--no-caveats")  # fmt: skip
    objects_in = sum(counts["objects"] for counts in taken.values())

    scene("Agreements. Previewed over the objects really held, then signed by all.")
    ids = {actor.key: actor.party for actor in stage.actors.values()}
    teams = agreement(stage, data / "demo" / "teams.toml", ids)
    company = agreement(stage, data / "demo" / "company.toml", ids)
    _preview(stage, acme, company)
    _preview(stage, xanadu, teams)
    digest_teams = sign(stage, teams, xanadu, ypsilon)
    digest_company = sign(stage, company, acme, xanadu, ypsilon)
    say(
        "Both agreements are in force; each is named by the digest of what was signed:",
        f"{digest_teams[:16]} and {digest_company[:16]}",
    )

    scene("Exchange. Each node calls the others; what was agreed goes, with a reason for every row.")
    members = (acme, xanadu, ypsilon)
    stage.sync(*members)
    account = {actor.key: stage.call(actor, "account", token=actor.tokens[0]) for actor in members}
    for actor in members:
        rows = account[actor.key]["given"]
        for other in members:
            count = sum(1 for row in rows if row["party"] == other.party)
            if count:
                say(f"{actor.name} gave {other.name}", f"{count} objects")

    scene("One officer's release. A report marked RED goes to a named party, when two officers have given their word.")
    report = _first_id(secret)
    before = stage.call(xanadu, "why", report, ypsilon.party, status=0)
    say("Before:", before["sentence"])
    for token in xanadu.tokens:
        stage.call(
            xanadu,
            "release",
            "approve",
            report,
            "--to",
            ypsilon.party,
            "--reason",
            "The source agreed by telephone.",
            token=token,
        )
    stage.sync(xanadu, ypsilon, rounds=1)
    say("After:", stage.call(xanadu, "why", report, ypsilon.party)["sentence"])

    scene("Why. For a release and for a refusal, from the same function that decides.")
    given = account["acme"]["given"][0]["object"]
    say("", stage.call(acme, "why", given, xanadu.party)["sentence"])
    say("", stage.call(acme, "why", given, isola.party)["sentence"])

    scene("The same indicator from three sources, shown as one with three origins.")
    value = _shared_value(exchange / "mstic-exchange-iocs-2021-03.csv")
    found = stage.call(xanadu, "search", value)["found"]
    origins: list[dict[str, Any]] = max((one["origins"] for one in found), key=len, default=[])
    say(
        f"{value[:24]}… at {xanadu.name}:", f"{len(origins)} origins: {', '.join(origin['said'] for origin in origins)}"
    )

    scene("A redacted view verifies. The company's names were taken out; the company's seal still holds, offline.")
    redacted = sum(1 for row in account["acme"]["given"] if row["view"] != "full") + sum(
        1 for row in account["xanadu"]["given"] if row["view"] != "full"
    )
    proof = stage.folder / "proof.json"
    wait("the log of the company", lambda: _proved(stage, xanadu, given, acme, proof))
    verdict = stage.call(
        xanadu, "verify", str(proof), "--fingerprint", acme.fingerprint, "--fingerprint", xanadu.fingerprint,
    )  # fmt: skip
    say(
        f"{verdict.get('object', given)}:",
        verdict.get("why", "") or f"verified, {verdict.get('removed')} parts removed",
    )

    scene("A late member. The team of Isola accedes; all members sign; it gets what was shared before it joined.")
    stage.call(isola, "agreement", "receive", str(teams))
    stage.call(isola, "agreement", "accede", digest_teams, token=isola.tokens[0])
    stage.sync(isola, xanadu, ypsilon, rounds=1)
    for actor in (xanadu, ypsilon):
        stage.call(actor, "agreement", "admit", digest_teams, isola.party, token=actor.tokens[0])
        stage.sync(xanadu, ypsilon, rounds=1)
    stage.sync(xanadu, ypsilon, isola)
    caught_up = stage.call(isola, "account", "--taken", token=isola.tokens[0])["taken"]
    say(
        "Isola received",
        f"{sum(1 for row in caught_up if row['code'] is None)} objects that were shared before it joined",
    )

    scene("A member leaves. What comes after its withdrawal does not reach it.")
    stage.call(isola, "agreement", "withdraw", digest_teams, token=isola.tokens[0])
    stage.sync(isola, xanadu, ypsilon, rounds=1)
    later = stage.folder / "later.txt"
    later.write_text("198.51.100.77\n203.0.113.99\n")
    stage.call(xanadu, "import", str(later), "--tlp", "green", *public)
    stage.sync(xanadu, ypsilon, isola)
    after = stage.call(isola, "account", "--taken", token=isola.tokens[0])["taken"]
    new_for_isola = len(after) - len(caught_up)
    new_for_ypsilon = len(stage.call(ypsilon, "search", "198.51.100.77")["found"])
    say("Two new indicators:", f"Ypsilon has them ({new_for_ypsilon} found), Isola received {new_for_isola}")

    scene("The outsider. It has everybody's cards, calls everybody, and holds not one byte of what was withheld.")
    for actor in members:
        answer = stage.call(outsider, "sync", actor.party)
        stage.answers.append(json.dumps(answer).encode())
    stage.answers.extend(_knock(members))
    secrets = [secret for secret in _secrets(stage, members) if secret not in blank]
    outsider_bytes = hits(secrets, [outsider.folder], stage.answers)
    in_member = hits(secrets, [ypsilon.folder, xanadu.folder, acme.folder], [])
    say("Searched for", f"{len(secrets)} ids, patterns, values and {WINDOW}-byte windows")
    say("Found at the outsider:", str(outsider_bytes))
    say("Found at members, so the search works:", str(in_member))
    if in_member == 0:
        raise NodeDamaged(
            "demo-broken", "The search that finds nothing at the outsider finds nothing at a member either."
        )

    scene("The record. Each node's log, seals and streams are checked, and what stands in them.")
    log_verified = verdict.get("verified") is True
    for actor in stage.actors.values():
        health = stage.call(actor, "doctor")
        log_verified = log_verified and not health["findings"]
        say(f"{actor.name}:", "nothing wrong" if not health["findings"] else str(health["findings"][0]))
    final = {actor.key: stage.call(actor, "account", token=actor.tokens[0])["given"] for actor in stage.actors.values()}
    rows = [row for given_rows in final.values() for row in given_rows]
    delivered = sum(1 for row in rows if row["delivered"])
    receipts = len({row["receipt"] for row in rows if row["receipt"]})
    withheld = sum(
        stage.call(actor, "release", "preview", other.party)["withheld_objects"]
        for actor in members
        for other in stage.actors.values()
        if other is not actor
    )
    if new_for_isola != 0 or not new_for_ypsilon or len(origins) < 3:
        raise NodeDamaged("demo-broken", "A scene did not come out as it had to; see what it said above.")
    return {
        "objects_in": objects_in,
        "delivered": delivered,
        "withheld": withheld,
        "redacted": redacted,
        "receipts": receipts,
        "late_member": sum(1 for row in caught_up if row["code"] is None),
        "withdrawn_member_after": new_for_isola,
        "origins": len(origins),
        "outsider_bytes": outsider_bytes,
        "member_bytes": in_member,
        "log_verified": log_verified,
    }


def _preview(stage: Stage, actor: Actor, text: Path) -> None:
    for line in stage.call(actor, "agreement", "preview", str(text))["parties"]:
        kinds: dict[str, int] = {}
        for counts in line["by_clause"].values():
            for kind, count in counts.items():
                kinds[kind] = kinds.get(kind, 0) + count
        seen = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "nothing"
        say(f"If {actor.name} signs, {line['name']} will see:", seen)


def _red_report(stage: Stage) -> Path:
    """A report of the demo's own, invented, to be released by named officers."""
    path = stage.folder / "red-report.json"
    report = {
        "type": "note",
        "spec_version": "2.1",
        "id": "note--6f1a3c2e-5b0d-4e57-9d0e-2f4f1a6b7c8d",
        "created": "2021-03-04T09:00:00.000Z",
        "modified": "2021-03-04T09:00:00.000Z",
        "abstract": "Access to a mail server of a ministry",
        "content": "A partner service reports that the web shell on the ministry's server was used on the night of 3 March. Invented.",
        "object_refs": ["intrusion-set--2688b13e-8e71-405a-9c40-0dee94bddf87"],
    }
    path.write_text(
        json.dumps({"type": "bundle", "id": "bundle--11f1c7a6-3a8d-4a3e-8d6c-3a1df3d4f9b0", "objects": [report]})
    )
    return path


def _first_id(path: Path) -> str:
    return str(json.loads(path.read_text())["objects"][0]["id"])


def _shared_value(table: Path) -> str:
    """A hash from Microsoft's table, which all three parties took in."""
    for line in table.read_text(encoding="utf-8-sig").splitlines():
        cells = line.split(",")
        if len(cells) > 3 and cells[3] == "sha256":
            return cells[2]
    raise NodeDamaged("demo-broken", "Microsoft's table holds no hash.")


def _proved(stage: Stage, actor: Actor, object_id: str, giver: Actor, output: Path) -> bool:
    try:
        stage.call(actor, "log", "prove", object_id, giver.party, "--output", str(output), token=actor.tokens[0])
    except NodeDamaged:
        return False
    return True


def _knock(actors: Iterable[Actor]) -> list[bytes]:
    """What a stranger without a token is answered on every open road."""
    import ssl
    from http.client import HTTPSConnection

    answers: list[bytes] = []
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    paths = ["/health", "/", "/taxii2/", "/taxii2/api/collections/", "/api/v1/objects", "/api/v1/account", "/comity/1/card",
             "/comity/1/checkpoint", "/api/v1/openapi.json"]  # fmt: skip
    for actor in actors:
        for path in paths:
            for token in (None, "Bearer cmt_guess", "Basic b3V0c2lkZXI6Z3Vlc3M="):
                connection = HTTPSConnection("127.0.0.1", actor.port, context=context, timeout=10)
                headers = {"Accept": "application/taxii+json;version=2.1, application/json"}
                if token:
                    headers["Authorization"] = token
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answers.append(str(answer.headers).encode() + answer.read())
                connection.close()
    return answers


def _held(stage: Stage, actor: Actor) -> list[dict[str, Any]]:
    """Every object a party holds, by its own export."""
    path = stage.folder / f"{actor.key}.export.json"
    stage.call(actor, "export", "--format", "stix", "--output", str(path))
    held: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["objects"]
    path.unlink()
    return held


def _secrets(stage: Stage, actors: Iterable[Actor]) -> list[bytes]:
    """Ids, patterns, values, and 16-byte windows of every object the members hold."""
    found: set[bytes] = set()
    for actor in actors:
        for data in _held(stage, actor):
            if data["type"] in ("marking-definition", "extension-definition"):
                continue
            found.add(data["id"].encode())
            for name in ("pattern", "value", "content", "description", "name"):
                text = data.get(name)
                if isinstance(text, str) and len(text) >= 8:
                    raw = text.encode()
                    found.add(raw)
                    found.update(raw[start : start + WINDOW] for start in range(0, max(1, len(raw) - WINDOW), WINDOW))
    return sorted(one for one in found if len(one) >= 8)
