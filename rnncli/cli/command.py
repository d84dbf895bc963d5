"""How a function becomes a command: Typer parses its arguments, and nothing runs until `main` runs it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial, update_wrapper
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from rnncli.cli.options import DATA_IS, Stream
from rnncli.cli.streams import Streams
from rnncli.cli.values import Convert, near
from rnncli.errors import UsageError

Call = Callable[[], int]  # the exit code


class Command(TyperCommand):
    """A command whose parameters take their texts as they are: Typer's own conversion imports pydantic, which costs
    more time than all the rest of the command line.
    """

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """The parameters; UsageError if a required one is missing when its text is taken."""
        return _taking_texts(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """What follows the command's name in its usage line, without braces."""
        return [piece.translate({ord("{"): "", ord("}"): ""}) for piece in super().collect_usage_pieces(ctx)]


class Group(TyperGroup):
    """The commands, of which a mistyped name is answered with a near match."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """The parameters, likewise."""
        return _taking_texts(super().get_params(ctx))

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """The command that the first argument names."""
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise UsageError(f"there is no command {args[0]!r}", hint=near(args[0], self.commands))
        return super().resolve_command(ctx, args)


def add(app: typer.Typer, function: Callable[..., int | None]) -> None:
    """Make a command of `function(streams, **options)`, whose options are its annotations and those of `Stream`; it
    returns the exit code, 0 if nothing.
    """
    parameters = _parameters(function)
    converters = {p.name: convert for p in parameters if (convert := _converter(p.annotation))}
    parameters = [p.replace(annotation=_as_text(p.annotation)) for p in parameters]
    hints = {p.name: p.annotation for p in parameters}
    name = function.__name__.replace("_", "-")

    def command(**texts: Any) -> Call:
        options = {name: _converted(converters.get(name), name, value) for name, value in texts.items()}
        return partial(_run, function, name, options)

    update_wrapper(command, function)
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = hints
    says = inspect.getdoc(function) or ""
    app.command(name, cls=Command, help=f"{says}\n\n{DATA_IS}" if "data" in hints else says)(command)


def _run(function: Callable[..., int | None], name: str, options: Mapping[str, Any]) -> int:
    told = {option: options[option] for option in Stream.__annotations__}
    rest = {option: value for option, value in options.items() if option not in told and value is not None}
    with Streams(name, **told) as streams:
        return function(streams, **rest) or 0


def _parameters(function: Callable[..., int | None]) -> list[inspect.Parameter]:
    """The function's parameters but `streams`, with a TypedDict in `**options` and then `Stream` taken apart."""
    hints = get_type_hints(function, include_extras=True)
    named = [p for p in inspect.signature(function).parameters.values() if p.name != "streams"]
    found = [_keyword(p.name, hints[p.name], p.default) for p in named if p.kind is not p.VAR_KEYWORD]
    for p in named:
        if p.kind is p.VAR_KEYWORD:
            found += _taken_apart(get_args(hints[p.name])[0])
    return [*found, *_taken_apart(Stream)]


def _taken_apart(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_keyword(name, hint, False if get_args(hint)[0] is bool else None) for name, hint in hints.items()]


def _keyword(name: str, hint: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _as_text(hint: Any) -> Any:
    """The same annotation for a parser that only ever sees texts."""
    kind, declared = get_args(hint)[:2]
    return Annotated[kind if kind in (bool, str, list[str], list[str] | None) else str | None, declared]


def _converter(hint: Any) -> Convert | None:
    """The function among what an option is annotated with."""
    return next((extra for extra in getattr(hint, "__metadata__", ()) if inspect.isfunction(extra)), None)


def _converted(convert: Convert | None, name: str, value: Any) -> Any:
    if convert is None or value is None:
        return value
    return convert(f"--{name.replace('_', '-')}", value)


def _taking_texts(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        parameter.process_value = partial(_taken, parameter)
    return parameters


def _taken(parameter: Any, ctx: typer.Context, value: Any) -> Any:
    """A parameter's text, or its texts. UsageError if it is required and not there."""
    if parameter.required and value in (None, (), []) and not ctx.resilient_parsing:
        flag = "" if parameter.param_type_name == "argument" else f"{parameter.opts[-1]} "
        raise UsageError(f"{flag}{parameter.metavar} is missing", hint=f"see {ctx.command_path} --help")
    return value if parameter.callback is None else parameter.callback(ctx, parameter, value)
