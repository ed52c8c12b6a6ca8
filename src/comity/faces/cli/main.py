"""The command line of a node: words in, one deed, an answer and an exit status out.

0 done; 1 refused or failed, with one sentence on stderr; 2 wrong usage; 130 stopped with Ctrl-C; 141 whoever read the answer
stopped reading. With ``--json`` the last line of
stdout is one JSON object, ``{code, sentence, clause?, detail?}`` where the command failed. The global options may stand before or
after the command. Commands are loaded when they are called, so that a call costs only what it uses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from errno import ENOSPC
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cyclopts import App, CycloptsError, Parameter, UnknownCommandError, UnusedCliTokensError

from comity.faces.cli.context import STDIN, Context, visible
from comity.faces.cli.desks import command, desk_commands, desk_groups
from comity.kernel.errors import ComityError, LocalFault, NotFound, Unavailable, Usage

if TYPE_CHECKING:
    from comity.faces.wiring import Wiring

_HERE: Final = "comity.faces.cli"

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "init": ("founding:init", ""),
    "serve": ("founding:serve", "take in"),
    "officer add": ("officers:add", "appoint"),
    "officer list": ("officers:list_", "read officers"),
    "officer end": ("officers:end", "administer"),
    "import": ("intake:import_", "take in"),
    "handling set": ("intake:handling_set", "take in"),
    "handling show": ("intake:handling_show", "read"),
    "export": ("intake:export", "read"),
    "search": ("intake:search", "read"),
    "key new": ("signing:key_new", ""),
    "sign": ("signing:sign", ""),
    "card new": ("signing:card_new", ""),
    "card show": ("cards:show", "read"),
    "card add": ("cards:add", "take in"),
    "card verify": ("cards:verify", "administer"),
    "card list": ("cards:list_", "read"),
    "card set": ("cards:set_", "sign"),
    "card rotate": ("cards:rotate", "administer"),
    "peer add": ("peers:add", "administer"),
    "peer list": ("peers:list_", "read"),
    "peer limit": ("peers:limit", "administer"),
    "peer resume": ("peers:resume", "administer"),
    "peer ping": ("peers:ping", "read"),
    "peer token": ("peers:token", "administer"),
    "peer pull": ("peers:pull", "take in"),
    "peer push": ("peers:push", "release"),
    "agreement draft": ("agreements:draft", "read"),
    "agreement text": ("agreements:text", "read"),
    "agreement lint": ("agreements:lint", "read"),
    "agreement preview": ("agreements:preview", "read"),
    "agreement diff": ("agreements:diff", "read"),
    "agreement send": ("agreements:send", "sign"),
    "agreement receive": ("agreements:receive", "take in"),
    "agreement sign": ("agreements:sign", "sign"),
    "agreement accede": ("membership:accede", "sign"),
    "agreement admit": ("membership:admit", "sign"),
    "agreement expel": ("membership:expel", "sign"),
    "agreement suspend": ("membership:suspend", "sign"),
    "agreement withdraw": ("membership:withdraw", "sign"),
    "agreement list": ("agreements:list_", "read"),
    "agreement show": ("agreements:show", "read"),
    "release preview": ("releases:preview", "read"),
    "release list": ("releases:list_", "read"),
    "release approve": ("releases:approve", "release"),
    "why": ("releases:why", "read"),
    "sync": ("exchanging:sync", "take in"),
    "pack": ("exchanging:pack", "take in"),
    "unpack": ("exchanging:unpack", "take in"),
    "attachment add": ("attachments:add", "take in"),
    "attachment fetch": ("attachments:fetch", "take in"),
    "attachment open": ("attachments:open_", "take in"),
    "attachment list": ("attachments:list_", "read"),
    "attachment show": ("attachments:show", "read"),
    "attachment verify": ("attachments:verify", "read"),
    "attachment forget": ("attachments:forget", "administer"),
    "attachment record": ("attachments:record", "take in"),
    "attachment custody": ("attachments:custody", "read"),
    "outbox list": ("exchanging:outbox_list", "read"),
    "outbox retry": ("exchanging:outbox_retry", "take in"),
    "log show": ("record:show", "read"),
    "log prove": ("record:prove", "read"),
    "log promises": ("record:promises", "read"),
    "log checkpoint": ("record:checkpoint", "read"),
    "log open": ("record:open_", "open"),
    "public list": ("public:list_", "read"),
    "public go": ("public:go", "release"),
    "public hold": ("public:hold", "release"),
    "public withdraw": ("public:withdraw", "release"),
    "public move": ("public:move", "release"),
    "public file": ("public:file", "read"),
    "public collect": ("public:collect", "read"),
    "account": ("record:account", "read"),
    "verify": ("record:verify", ""),
    "backup": ("upkeep:backup", "read"),
    "restore": ("upkeep:restore", ""),
    "doctor": ("upkeep:doctor", "read"),
    "demo": ("upkeep:demo", ""),
}
"""Every command: the function that is it, and the kind of deed it is (`comity.node.officers.RULES`); none for what opens no node
that stands already."""

GROUPS: Final[Mapping[str, str]] = {
    "officer": "Persons who act for the party, and their tokens.",
    "handling": "What an officer states about objects: TLP, purpose, basis and so on.",
    "key": "The key of a party without a node.",
    "card": "Who we are and who the others are: keys, addresses, fingerprints.",
    "peer": "Other parties' nodes and TAXII servers, and readers without a node.",
    "agreement": "The texts that parties sign, and what follows from them.",
    "release": "What would leave, to whom, and the officers' word where one is needed.",
    "attachment": "Files that objects refer to, and through whose hands they went.",
    "outbox": "What is due to others and how it stands.",
    "log": "The record of what was done, and its proofs.",
    "public": "What is published at an appointed instant, and the file by which anybody verifies it.",
}

UNREAD: Final = 141
"""The exit status where the reader of a pipe has gone: 128 and SIGPIPE, as a shell says it of other programs."""

GLOBALS: Final[Mapping[str, str]] = {
    "--home": "The node's folder; COMITY_HOME, else the platform's data folder.",
    "--database": "A SQLAlchemy URL; COMITY_DATABASE, else SQLite in the folder.",
    "--token": "An officer's token; COMITY_TOKEN keeps it out of the list of processes.",
    "--json": "The answer as one JSON object, the last line of stdout.",
}
"""The options every command has, before or after it."""


@dataclass(frozen=True, slots=True)
class Said:
    """The global options, and the words that are left."""

    home: str | None
    database: str | None
    token: str | None
    json: bool
    rest: tuple[str, ...]


def read_globals(args: Sequence[str]) -> Said:
    """Take the global options out of the words of a call, wherever they stand before a lone ``--``.

    Raises:
        Usage: `command-line` where one of them has no value.
    """
    values: dict[str, str | None] = {"--home": None, "--database": None, "--token": None}
    json = False
    rest: list[str] = []
    words = iter(args)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            rest.extend(("--", *words))
        elif word == "--json":
            json = True
        elif name in values:
            given = value if equals else next(words, None)
            if not given or (not equals and given.startswith("--")):
                raise Usage("command-line", f"{name} needs a value: {GLOBALS[name]}")
            values[name] = given
        else:
            rest.append(STDIN if word == "-" else word)
    return Said(values["--home"], values["--database"], values["--token"], json, tuple(rest))


def default_home(environ: Mapping[str, str]) -> Path:
    """The platform's data folder for a node."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA", "~")).expanduser() / "comity"
    if sys.platform == "darwin":
        return Path("~/Library/Application Support/comity").expanduser()
    return Path(environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "comity"


def make_app(*, load: bool = False, desks: bool = True) -> App:
    """The commands as cyclopts knows them.

    Args:
        desks: Whether the commands of the desks are there too; they are left out where one of ours is called.
        load: Whether every command is loaded now, so that a list of commands shows the sentence of each; else a command is
            loaded when it is called, and a list of commands shows names alone.
    """
    listed = "\n\n".join(f"`{name}` {meaning}" for name, meaning in GLOBALS.items())
    app = App(
        name="comity",
        help="Lets parties that do not fully trust each other act together on cyber incidents.",
        help_epilogue=f"Before or after every command:\n\n{listed}",
        help_format="markdown",
        default_parameter=Parameter(negative=()),
        version=_version,
        result_action="return_value",
    )
    groups = {name: App(name=name, help=meaning) for name, meaning in GROUPS.items()}
    for one in groups.values():
        app.command(one)
    for words, (place, _) in COMMANDS.items():
        group, _, name = words.rpartition(" ")
        (groups[group] if group else app).command(_loaded(place) if load else f"{_HERE}.{place}", name=name)
    if desks:
        for name, meaning in desk_groups().items():
            within, _, word = name.rpartition(" ")
            groups[name] = App(name=word, help=meaning)
            (groups[within] if within else app).command(groups[name])
        for words, item in desk_commands().items():
            group, _, name = words.rpartition(" ")
            groups[group].command(command(item), name=name)
    return app


def _loaded(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"{_HERE}.{module}"), name)


def _lists_commands(words: Sequence[str]) -> bool:
    """Whether the answer to these words is a page that lists commands: no command is named, or a group alone."""
    named = [word for word in words if not word.startswith("-")]
    return not named or (len(named) == 1 and named[0] in GROUPS)


def _of_desks(words: Sequence[str]) -> bool:
    """Whether these words may call a command of a desk, or ask for the list of all."""
    named = next((word for word in words if not word.startswith("-")), None)
    return named is None or (named not in GROUPS and named not in COMMANDS)


def _version() -> str:
    from importlib.metadata import version

    return version("comity")


def run(wiring: Wiring, args: Sequence[str]) -> int:
    """Carry out one call.

    Args:
        wiring: The outside world.
        args: The words after ``comity``.

    Returns:
        The exit status.
    """
    _lenient(sys.stdout)
    _lenient(sys.stderr)
    try:
        status = _run(wiring, args)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, because a reader who is gone is found out only when what is buffered is written
    except BrokenPipeError:
        _hush()
        return UNREAD
    return status


def _run(wiring: Wiring, args: Sequence[str]) -> int:
    wants_json = "--json" in args
    ctx: Context | None = None
    try:
        said = read_globals(args)
        home = said.home or os.environ.get("COMITY_HOME")
        ctx = Context(
            wiring,
            Path(home).expanduser() if home else default_home(os.environ),
            said.database or os.environ.get("COMITY_DATABASE") or None,
            said.json,
            said.token or os.environ.get("COMITY_TOKEN") or None,
        )
        return _call(ctx, said.rest)
    except ComityError as fault:
        return _fail(fault, wants_json, 2 if isinstance(fault, Usage) else 1)
    except KeyboardInterrupt:
        kept = "Nothing was changed." if ctx is None else ctx.kept
        return _fail(Unavailable("stopped", f"Stopped. {kept}"), wants_json, 130)
    except BrokenPipeError:
        raise
    except OSError as fault:
        return _fail(_of_files(fault), wants_json, 1)
    except Exception as fault:
        if os.environ.get("COMITY_DEBUG"):
            raise
        return _fail(_ours(fault), wants_json, 1)


def _call(ctx: Context, words: Sequence[str]) -> int:
    app = make_app(load=_lists_commands(words), desks=_of_desks(words))
    try:
        called, bound, ignored = app.parse_args(words, exit_on_error=False, print_error=False)
    except UnknownCommandError as wrong:
        raise Usage("command-line", _unknown(words)) from wrong
    except UnusedCliTokensError as wrong:
        over = " ".join(wrong.unused_tokens or ())
        raise Usage(
            "command-line", f"{over!r} is more than this command takes; --help after it shows what it does."
        ) from wrong
    except CycloptsError as wrong:
        raise Usage("command-line", _sentence(wrong)) from wrong
    if "ctx" not in ignored:
        try:
            called(*bound.args, **bound.kwargs)  # help and version
        except SystemExit as gone:  # so rich says that nobody reads on
            raise BrokenPipeError from gone
        return 0
    place = f"{called.__module__.removeprefix(_HERE + '.')}:{called.__name__}"
    ctx.deed = getattr(called, "deed", "")
    if not ctx.deed:
        ctx.words, ctx.deed = next((words, kind) for words, (known, kind) in COMMANDS.items() if known == place)
    if ctx.deed not in ("read", "read officers"):
        ctx.kept = "What was begun is done whole or not at all; look what stands before you give the command again."
    return int(called(*bound.args, **bound.kwargs, ctx=ctx))


def _unknown(words: Sequence[str]) -> str:
    """What to say of a command that is none; said here, because cyclopts would load every command to say it."""
    from comity.kernel.release.purposes import nearest

    groups, commands = [*GROUPS, *desk_groups()], [*COMMANDS, *desk_commands()]
    begun = [" ".join(words[:n]) for n in range(1, len(words))]
    group = next((name for name in reversed(begun) if name in groups), "")
    named = words[len(group.split())]
    known = [name.rpartition(" ")[2] for name in (*commands, *groups) if name.rpartition(" ")[0] == group]
    near = nearest(named, known)
    hint = f"did you mean {near!r}" if near else f"there are {', '.join(sorted(known))}"
    return f"comity {group}{' ' if group else ''}has no command {named!r}; {hint}."


def _sentence(wrong: CycloptsError) -> str:
    said = " ".join(str(wrong).split()) or "The words of the command are wrong"
    return f"{said.rstrip('.')}; comity --help shows the commands, and --help after a command its options."


def _fail(fault: ComityError, wants_json: bool, status: int) -> int:
    print(f"comity: {visible(fault.sentence)}", file=sys.stderr, flush=True)
    if wants_json:
        import json

        print(json.dumps(fault.as_json(), default=str, separators=(",", ":")), flush=True)
    return status


def _of_files(fault: OSError) -> ComityError:
    reason = fault.strerror or str(fault)
    if not fault.filename:
        hint = "make room" if fault.errno == ENOSPC else "choose another place"
        return LocalFault(
            "file-unreadable", f"Reading or writing failed: {reason}; {hint}, then give the command again."
        )
    name = f" {fault.filename}"
    if isinstance(fault, FileNotFoundError):
        return NotFound("file-unreadable", f"There is no file{name}.")
    if isinstance(fault, IsADirectoryError):
        return LocalFault("file-unreadable", f"{name.strip()} is a folder; name a file.")
    return LocalFault(
        "file-unreadable", f"The file{name} cannot be used: {reason}; name another, or correct its rights."
    )


def _hush() -> None:
    """Nothing more is written: the interpreter would write what is still buffered when it ends, and fail in plain sight."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _ours(fault: Exception) -> ComityError:
    what = " ".join(str(fault).split())[:200]
    return LocalFault(
        "internal",
        f"Comity made a mistake of its own ({type(fault).__name__}{': ' if what else ''}{what}); what was acknowledged before is kept. "
        "Please report it; with COMITY_DEBUG=1 the same command shows where.",
    )


def _lenient(stream: Any) -> None:
    """A terminal that cannot show a character shows its code instead of failing."""
    if stream is not None and hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")
