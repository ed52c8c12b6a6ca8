"""The reference of the command line, written from the commands themselves; docs/cli.md holds it, and a test holds them equal.

python -m comity.faces.cli.reference
"""

from __future__ import annotations

from typing import Any, Final

from cyclopts import App

from comity.faces.cli.main import COMMANDS, GLOBALS, GROUPS, make_app
from comity.node.officers import RULES

WITHOUT: Final = {
    **dict.fromkeys(RULES, "refused"),
    "read": "whoever owns the folder",
    "read officers": "whoever owns the folder",
    "take in": "whoever owns the folder",
    "appoint": "whoever owns the folder, while nobody administers",
    "": "anybody",
}
"""Who may do each kind of deed without being an officer, in words; a test holds it to `comity.node.officers.owner_may`."""


def reference() -> str:
    """Every command with its sentence, arguments and options, as Markdown."""
    app = make_app()
    parts = ["| before or after every command | |", "| --- | --- |"]
    parts += [f"| `{name}` | {meaning} |" for name, meaning in GLOBALS.items()]
    parts += ["", *_who_may()]
    seen: set[str] = set()
    for words in COMMANDS:
        group = words.partition(" ")[0]
        if group in GROUPS and group not in seen:
            seen.add(group)
            parts += ["", f"## comity {group}", "", GROUPS[group]]
        parts += ["", *_command(app, words)]
    return "\n".join(parts) + "\n"


def _who_may() -> list[str]:
    """Which roles may do what, from the rule itself (`comity.node.officers.RULES`)."""
    lines = ["| commands | roles, one of which is enough | without a token |", "| --- | --- | --- |"]
    for kind, roles in (*RULES.items(), ("", ())):
        named = ", ".join(f"`{words}`" for words, (_, deed) in COMMANDS.items() if deed == kind)
        lines.append(f"| {named} | {', '.join(roles) or 'none is asked for'} | {WITHOUT[kind]} |")
    return lines


def _command(app: App, words: str) -> list[str]:
    found: Any = app
    for word in words.split():
        found = found[word]
    arguments = [one for one in found.assemble_argument_collection() if one.parse and one.show]
    positional = [one for one in arguments if one.index is not None]
    options = [one for one in arguments if one.index is None]
    call = " ".join(
        [f"comity {words}", *(_place(one) for one in positional), *(_needed(one) for one in options if one.required)]
    )
    lines = [f"### comity {words}", "", found.help.strip().splitlines()[0], "", f"    {call}"]
    if arguments:
        lines += ["", "| | |", "| --- | --- |"]
        lines += [f"| {_place(one)} | {_text(one)} |" for one in positional]
        lines += [f"| `{_needed(one)}` | {_text(one)} |" for one in options]
    return lines


def _place(one: Any) -> str:
    name = str(one.names[0]).lstrip("-").upper().replace("-", "_")
    several = "..." if one.field_info.kind is one.field_info.VAR_POSITIONAL else ""
    return f"{name}{several}" if one.required or several else f"[{name}]"


def _needed(one: Any) -> str:
    name = str(one.names[0])
    return name if one.hint is bool else f"{name} {name.lstrip('-').upper()}"


def _text(one: Any) -> str:
    default = one.field_info.default
    shown = "" if default in (None, (), False, "", one.field_info.empty) else f" Default: {_value(default)}."
    return f"{(one.parameter.help or '').strip()}{shown}".replace("|", "\\|")


def _value(default: Any) -> str:
    return (
        ", ".join(map(str, default))
        if isinstance(default, tuple)
        else f"{default:g}"
        if isinstance(default, float)
        else str(default)
    )


if __name__ == "__main__":
    print(reference(), end="")
