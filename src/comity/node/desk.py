"""What a desk is: deeds over its own kinds of objects, said once, and offered by every face in the same way.

A deed of a desk is a function of the node, of what was asked and of the officer who asks. What is asked is a `msgspec.Struct`: each
field with a description becomes an option of the command line and a member of the JSON body of the REST route, so both check the
same things and say the same sentences. A deed that changes something can be rehearsed (`comity.node.rehearsal`): it is carried out
to the end, what each party would get is told, and nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec

from comity.kernel.errors import Usage
from comity.kernel.model.instants import Instant
from comity.kernel.release.handling import Handling
from comity.node.context import Node
from comity.node.mandates import acting
from comity.node.minting import Kind
from comity.node.rehearsal import rehearse
from comity.node.stating import handling_of


@dataclass(frozen=True, slots=True)
class Told:
    """The answer of a deed.

    Args:
        shape: For programs: what ``--json`` and REST give.
        lines: For people.
        file: Bytes that are the answer themselves (an export), with their media type; None where there are none.
        status: 1 where the answer is that something is not in order, as a check says it.
    """

    shape: Mapping[str, Any]
    lines: Sequence[str] = ()
    file: bytes | None = None
    media_type: str = "application/octet-stream"
    status: int = 0


@dataclass(frozen=True, slots=True)
class DeskDeed:
    """One deed.

    Args:
        name: The words of the command, ``contact add``: the group, then the verb.
        kind: What kind of deed it is (`comity.node.officers.RULES`).
        asks: What is asked; its docstring is the help of the command.
        does: Carries it out: ``(node, asked, officer id) -> Told``.
    """

    name: str
    kind: str
    asks: type[msgspec.Struct]
    does: Callable[[Node, Any, str], Told]

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""
        return self.kind.startswith("read")

    @property
    def help(self) -> str:
        """What it does, one sentence."""
        return " ".join((self.asks.__doc__ or "").split())


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk.

    Args:
        name: One word, the name of its package.
        groups: What each of its groups of commands is about, by the group's word.
        deeds: What can be done.
        kinds: The object types it brings.
        tends: What it does by itself when time has passed, on the timer of a node that is served; None: nothing.
    """

    name: str
    groups: Mapping[str, str]
    deeds: tuple[DeskDeed, ...]
    kinds: tuple[Kind, ...] = ()
    tends: Callable[[Node], object] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing a deed asks, as a face offers it.

    Args:
        name: As JSON has it: a field that is a word of Python, ``for_``, is named ``for`` (``msgspec.field(name="for")``).
        type: The Python type without its description: str, int, float, bool, bytes (a file), a Literal, or a tuple of str.
        placed: Whether it is said without the name of an option, in order.
    """

    name: str
    type: Any
    help: str
    placed: bool
    required: bool
    default: Any = None


PLACED: Final = {"placed": True}
"""``msgspec.Meta(extra=PLACED)``: said by its place on the command line, not by an option's name."""


class Shared(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What an officer states about the objects a deed makes; a Struct that asks for it inherits from this one."""

    tlp: Annotated[str, msgspec.Meta(description="TLP 2.0: clear, green, amber, amber+strict, red.")]
    pap: Annotated[str | None, msgspec.Meta(description="PAP: clear, green, amber, red.")] = None
    basis: Annotated[tuple[str, ...], msgspec.Meta(description="Legal basis; once for each.")] = ()
    purpose: Annotated[tuple[str, ...], msgspec.Meta(description="Purpose it may serve; once for each.")] = ()
    case: Annotated[tuple[str, ...], msgspec.Meta(description="Case it belongs to; once for each.")] = ()
    caveat: Annotated[
        tuple[str, ...], msgspec.Meta(description="Caveat; once for each. Without one there is none.")
    ] = ()
    recipient: Annotated[tuple[str, ...], msgspec.Meta(description="Office that may have it; once for each.")] = ()
    embargo: Annotated[str | None, msgspec.Meta(description="Before this instant it goes to nobody.")] = None
    retention: Annotated[
        str | None, msgspec.Meta(description="When it ends: an instant, or a duration from now such as P90D.")
    ] = None
    minimised: Annotated[
        bool, msgspec.Meta(description="Personal data in it was cut down to what the purpose needs.")
    ] = False

    def handling(self, now: Instant, *caveats: str) -> Handling:
        """The statement.

        Args:
            caveats: What the deed itself knows of what it makes, such as ``personal-data``.

        Raises:
            Usage: `handling`, `timestamp`, `duration`.
        """
        said = {name: getattr(self, name) for name in Shared.__struct_fields__}
        said["caveat"] = tuple(dict.fromkeys((*self.caveat, *caveats)))
        return handling_of({**said, "no_caveats": not said["caveat"]}, now)


class Like(Shared, kw_only=True, forbid_unknown_fields=True):
    """What an officer states about an object that is added to another; what is left unsaid is as that one is held here."""

    tlp: Annotated[
        str | None,
        msgspec.Meta(
            description="TLP 2.0: clear, green, amber, amber+strict, red; without it, that of what this is about."
        ),
    ] = None  # type: ignore[assignment]


def asked_of(asks: type[msgspec.Struct]) -> tuple[Asked, ...]:
    """The fields of what a deed asks, in order."""
    hints = get_type_hints(asks, include_extras=True)
    found: list[Asked] = []
    for one in msgspec.structs.fields(asks):
        annotation, meta = hints[one.name], None
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            meta = next((item for item in more if isinstance(item, msgspec.Meta)), None)
        default = one.default if one.default is not msgspec.NODEFAULT else None
        if one.default_factory is not msgspec.NODEFAULT:
            default = one.default_factory()
        found.append(
            Asked(
                one.encode_name,
                annotation,
                (meta.description if meta is not None else None) or "",
                bool(meta is not None and (meta.extra or {}).get("placed")),
                one.required,
                default,
            )
        )
    return tuple(found)


@dataclass(slots=True)
class Lines:
    """Lines of an answer being put together: a table has its columns as wide as what stands in them."""

    found: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> Lines:
        """Add lines."""
        self.found += lines
        return self

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> Lines:
        """Add a table; nothing where it has no rows."""
        if rows:
            cells = [tuple(heads), *(tuple("" if cell is None else str(cell) for cell in row) for row in rows)]
            widths = [max(len(row[n]) for row in cells) for n in range(len(heads))]
            self.found += ["  ".join(cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip() for row in cells]
        return self


def carry_out(node: Node, item: DeskDeed, said: Mapping[str, Any], officer: str, *, dry: bool = False) -> Told:
    """One deed of a desk, as every face runs it.

    Args:
        said: What was asked, by name; what is not there was not said.
        dry: Tell who would get what, and keep nothing.

    Raises:
        Usage: `desk-asked` where what was asked is not what the deed asks for. NotAllowed: `mandate-missing`, `mandate-over` where
            the officer has no mandate for it and needs one. Whatever the deed raises.
    """
    try:
        asked = msgspec.convert(dict(said), item.asks)
    except msgspec.ValidationError as broken:
        raise Usage("desk-asked", f"comity {item.name}: {broken}.") from broken
    if item.reads:
        return item.does(node, asked, officer)
    node = acting(node, item.name, item.kind, officer)
    if not dry:
        return item.does(node, asked, officer)
    told, effects = rehearse(node, lambda stage: item.does(stage, asked, officer))
    lines = [one.sentence for one in effects] or ["Nobody else would get anything of it."]
    return Told(
        {"dry_run": True, "would": dict(told.shape), "effects": [one.as_json() for one in effects]},
        ["Nothing was done. If it were:", *told.lines, *lines],
    )
