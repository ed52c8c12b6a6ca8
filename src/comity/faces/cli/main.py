"""The command line of a node: words in, one deed, an answer and an exit status out.

0 done; 1 refused or failed, with one sentence on stderr; 2 wrong usage; 130 stopped with Ctrl-C. With ``--json`` the last line of
stdout is one JSON object, ``{code, sentence, clause?, detail?}`` where the command failed. The global options may stand before or
after the command. Commands are loaded when they are called, so that a call costs only what it uses.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cyclopts import App, CycloptsError, Parameter, UnknownCommandError

from comity.faces.cli.context import STDIN, Context, visible
from comity.kernel.errors import ComityError, LocalFault, NotFound, Unavailable, Usage

if TYPE_CHECKING:
    from comity.faces.wiring import Wiring

_HERE: Final = "comity.faces.cli"

COMMANDS: Final[Mapping[str, str]] = {
    "init": "founding:init",
    "serve": "founding:serve",
    "officer add": "officers:add",
    "officer list": "officers:list_",
    "officer end": "officers:end",
    "import": "intake:import_",
    "handling set": "intake:handling_set",
    "handling show": "intake:handling_show",
    "export": "intake:export",
    "search": "intake:search",
    "card show": "cards:show",
    "card add": "cards:add",
    "card verify": "cards:verify",
    "card list": "cards:list_",
    "card set": "cards:set_",
    "card rotate": "cards:rotate",
    "peer add": "peers:add",
    "peer list": "peers:list_",
    "peer ping": "peers:ping",
    "peer token": "peers:token",
    "peer pull": "peers:pull",
    "peer push": "peers:push",
    "agreement draft": "agreements:draft",
    "agreement text": "agreements:text",
    "agreement lint": "agreements:lint",
    "agreement preview": "agreements:preview",
    "agreement diff": "agreements:diff",
    "agreement send": "agreements:send",
    "agreement receive": "agreements:receive",
    "agreement sign": "agreements:sign",
    "agreement accede": "membership:accede",
    "agreement admit": "membership:admit",
    "agreement expel": "membership:expel",
    "agreement suspend": "membership:suspend",
    "agreement withdraw": "membership:withdraw",
    "agreement list": "agreements:list_",
    "agreement show": "agreements:show",
    "release preview": "releases:preview",
    "release list": "releases:list_",
    "release approve": "releases:approve",
    "why": "releases:why",
    "sync": "exchanging:sync",
    "pack": "exchanging:pack",
    "unpack": "exchanging:unpack",
    "outbox list": "exchanging:outbox_list",
    "outbox retry": "exchanging:outbox_retry",
    "log show": "record:show",
    "log prove": "record:prove",
    "log promises": "record:promises",
    "log checkpoint": "record:checkpoint",
    "account": "record:account",
    "verify": "record:verify",
    "backup": "upkeep:backup",
    "restore": "upkeep:restore",
    "doctor": "upkeep:doctor",
    "demo": "upkeep:demo",
}
"""Every command, and the function that is it."""

GROUPS: Final[Mapping[str, str]] = {
    "officer": "Persons who act for the party, and their tokens.",
    "handling": "What an officer states about objects: TLP, purpose, basis and so on.",
    "card": "Who we are and who the others are: keys, addresses, fingerprints.",
    "peer": "Other parties' nodes and TAXII servers, and readers without a node.",
    "agreement": "The texts that parties sign, and what follows from them.",
    "release": "What would leave, to whom, and the officers' word where one is needed.",
    "outbox": "What is due to others and how it stands.",
    "log": "The record of what was done, and its proofs.",
}

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


def make_app() -> App:
    """The commands as cyclopts knows them; none is loaded yet."""
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
    for words, place in COMMANDS.items():
        group, _, name = words.rpartition(" ")
        (groups[group] if group else app).command(f"{_HERE}.{place}", name=name)
    return app


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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as fault:
        return _fail(_of_files(fault), wants_json, 1)
    except Exception as fault:
        if os.environ.get("COMITY_DEBUG"):
            raise
        return _fail(_ours(fault), wants_json, 1)


def _call(ctx: Context, words: Sequence[str]) -> int:
    app = make_app()
    try:
        command, bound, ignored = app.parse_args(words, exit_on_error=False, print_error=False)
    except UnknownCommandError as wrong:
        raise Usage("command-line", _unknown(words)) from wrong
    except CycloptsError as wrong:
        raise Usage("command-line", _sentence(wrong)) from wrong
    if "ctx" not in ignored:
        command(*bound.args, **bound.kwargs)  # help and version
        return 0
    return int(command(*bound.args, **bound.kwargs, ctx=ctx))


def _unknown(words: Sequence[str]) -> str:
    """What to say of a command that is none; said here, because cyclopts would load every command to say it."""
    from comity.kernel.release.purposes import nearest

    group = words[0] if words[0] in GROUPS else ""
    named = words[1] if group else words[0]
    known = [name.rpartition(" ")[2] for name in COMMANDS if name.rpartition(" ")[0] == group]
    known += [] if group else GROUPS
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
    name = f" {fault.filename}" if fault.filename else ""
    reason = fault.strerror or str(fault)
    if isinstance(fault, FileNotFoundError):
        return NotFound("file-unreadable", f"There is no file{name}.")
    return LocalFault("file-unreadable", f"The file{name} cannot be used: {reason}.")


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
