"""The deeds of the desks as commands: each is made from what its desk says of it (`comity.node.desk`)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from comity.faces.cli.context import Context, Ctx

if TYPE_CHECKING:
    from comity.node.desk import Asked, DeskDeed


def desk_commands() -> Mapping[str, DeskDeed]:
    """The deeds of all desks by the words of their commands."""
    from comity.desks import desks

    return {item.name: item for desk in desks() for item in desk.deeds}


def desk_groups() -> Mapping[str, str]:
    """What each group of the desks' commands is about."""
    from comity.desks import desks

    return {group: about for desk in desks() for group, about in desk.groups.items()}


def command(item: DeskDeed) -> Callable[..., int]:
    """The function that is the command."""
    from comity.node.desk import asked_of, carry_out

    fields = asked_of(item.asks)
    files = {one.name for one in fields if one.type in (bytes, bytes | None)}

    def run(*placed: str, ctx: Context, **named: Any) -> int:
        names = [one.name for one in fields if one.placed]
        said = {**dict(zip(names, placed, strict=False)), **{name.rstrip("_"): value for name, value in named.items()}}
        output, dry = said.pop("output", None), said.pop("dry_run", False)
        said = {name: value for name, value in said.items() if value is not None}
        for name in files & said.keys():
            said[name] = ctx.read(said[name])
        with ctx.open() as home:
            told = carry_out(home.node, item, said, ctx.by, dry=dry)
        if told.file is not None:
            size = ctx.write(output, [told.file])
            return ctx.done({**told.shape, "bytes": size}, *(told.lines if output else ()), status=told.status)
        return ctx.done(told.shape, *told.lines, status=told.status)

    parameters = [_parameter(one, one.name in files) for one in fields]
    parameters.append(_option("output", str | None, None, "Where an answer that is a file goes; else standard output."))
    if not item.reads:
        parameters.append(_option("dry_run", bool, False, "Say who would get what, and do nothing."))
    parameters.append(inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=Ctx))
    parameters.sort(key=lambda one: one.kind)
    run.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": int}
    run.__doc__, run.__name__ = item.help, item.name.replace(" ", "_").replace("-", "_")
    run.deed = item.kind  # type: ignore[attr-defined]
    return run


def _parameter(one: Asked, file: bool) -> inspect.Parameter:
    type_ = one.type if not file else (str if one.required else str | None)
    kind = inspect.Parameter.POSITIONAL_ONLY if one.placed else inspect.Parameter.KEYWORD_ONLY
    default = inspect.Parameter.empty if one.required else one.default
    help = f"{one.help} A file; - for standard input." if file else one.help
    name = f"{one.name}_" if iskeyword(one.name) else one.name
    return inspect.Parameter(name, kind, default=default, annotation=Annotated[type_, Parameter(help=help)])


def _option(name: str, type_: Any, default: Any, help: str) -> inspect.Parameter:
    annotation = Annotated[type_, Parameter(help=help)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
