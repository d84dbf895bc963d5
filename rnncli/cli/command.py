"""How a function becomes a command: Typer parses its arguments, and nothing runs until `main` runs it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from rnncli.cli.config import Option, Setting, entries, settled
from rnncli.cli.options import DATA_IS, Sources, Stream
from rnncli.cli.streams import Streams
from rnncli.cli.terminal import put
from rnncli.cli.values import near
from rnncli.errors import UsageError

SHOWING = "showing"  # what a context holds whose command is not going to be run: nothing is missing
_FLAG = re.compile(r"--([a-z][a-z-]*)")
_USUAL = re.compile(r"\(([^()]*)\)\.?$")


@dataclass(frozen=True)
class Call:
    """A command with all its settings, ready to be run."""

    function: Callable[..., int | None]
    command: str
    settings: Mapping[str, Setting]

    def __call__(self) -> int:
        """Run it; returns the exit code."""
        if self.asks("print_config"):
            return self._print()
        told = {name: self.settings[name].value for name in Stream.__annotations__}
        passed = [s for s in entries(self.settings) if s.option.name not in told and s.value is not None]
        with self._explained():
            self._keep_apart()
        with Streams(self.command, **told) as streams, self._explained():
            return self.function(streams, **{s.option.name: s.value for s in passed}) or 0

    def asks(self, name: str) -> bool:
        """Whether a switch is on."""
        return bool(self.settings[name].value)

    def _print(self) -> int:
        from rnncli.cli.toml import document

        put(document(self.command, entries(self.settings)).encode())
        return 0

    def _keep_apart(self) -> None:
        """No path that is written is read: the workflow looks too, but knows of no log and no settings."""
        from rnncli.workflows.paths import WRITTEN, keep_apart

        given = {name: setting.value for name, setting in self.settings.items()}
        if any(given.get(name) is not None for name in WRITTEN):
            keep_apart(self.command, given)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except UsageError as error:
            self._explain(error)
            raise

    def _explain(self, error: UsageError) -> None:
        """Where the options are from that the message names, if not from the command line."""
        named = [key.replace("-", "_") for key in dict.fromkeys(_FLAG.findall(error.message))]
        origins = {
            f"--{self.settings[name].option.key}": self.settings[name].origin for name in named if name in self.settings
        }
        said = [f"{flag} is from {origin}" for flag, origin in origins.items() if origin not in ("flag", "default")]
        error.hint = "; ".join(filter(None, [error.hint, *said]))


class Command(TyperCommand):
    """A command whose parameters take their texts as they are: Typer's own conversion imports pydantic, which costs
    more time than all the rest of the command line.
    """

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """The parameters; UsageError if a required one is missing when its text is taken."""
        return _taking_texts(super().get_params(ctx))

    def make_parser(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """The parser, which also takes --no-X for every switch --X: a file may have turned it on."""
        parser = super().make_parser(ctx)
        switches: list[Any] = [option for option in self.params if getattr(option, "is_bool_flag", False)]
        for switch in switches:
            if not switch.secondary_opts:
                key = switch.name.strip("_").replace("_", "-")
                parser.add_option(obj=switch, opts=[f"--no-{key}"], dest=switch.name, action="store_const", const=False)
        return parser

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


def add(app: typer.Typer, function: Callable[..., int | None], **settings: Any) -> None:
    """Make a command of `function(streams, **options)`, whose options are its annotations and those of `Stream`; it
    returns the exit code, 0 if nothing.
    """
    parameters = _parameters(function)
    declared = {p.name: _declared(p) for p in parameters}
    parameters = [p.replace(annotation=_as_text(p.annotation)) for p in parameters]
    hints = {p.name: p.annotation for p in parameters}
    name = function.__name__.replace("_", "-")

    def command(ctx: typer.Context, **texts: Any) -> Call:
        return Call(function, name, settled(ctx, declared, texts))

    update_wrapper(command, function)
    command.__signature__ = inspect.Signature([_keyword("ctx", typer.Context, None), *parameters])  # type: ignore[attr-defined]
    command.__annotations__ = {"ctx": typer.Context} | hints
    command.declared = {name: option for name, option in declared.items() if name not in Sources.__annotations__}  # type: ignore[attr-defined]
    says = inspect.getdoc(function) or ""
    app.command(name, cls=Command, help=f"{says}\n\n{DATA_IS}" if "data" in hints else says, **settings)(command)


def _parameters(function: Callable[..., int | None]) -> list[inspect.Parameter]:
    """The function's parameters but `streams`, with a TypedDict in `**options` and then our own taken apart."""
    hints = get_type_hints(function, include_extras=True)
    named = [p for p in inspect.signature(function).parameters.values() if p.name != "streams"]
    found = [_keyword(p.name, hints[p.name], p.default) for p in named if p.kind is not p.VAR_KEYWORD]
    for p in named:
        if p.kind is p.VAR_KEYWORD:
            found += _taken_apart(get_args(hints[p.name])[0])
    return [*found, *_taken_apart(Stream), *_taken_apart(Sources)]


def _taken_apart(group: type[Any]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_keyword(name, hint, False if get_args(hint)[0] is bool else None) for name, hint in hints.items()]


def _keyword(name: str, hint: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _as_text(hint: Any) -> Any:
    """The same annotation for a parser that only ever sees texts."""
    kind, declared = get_args(hint)[:2]
    return Annotated[kind if kind in (bool, str, list[str], list[str] | None) else str | None, declared]


def _declared(parameter: inspect.Parameter) -> Option:
    """What the annotation of a parameter says."""
    kind, declared = get_args(parameter.annotation)[:2]
    extras = parameter.annotation.__metadata__
    convert = next((extra for extra in extras if inspect.isfunction(extra)), None)
    usual = _USUAL.search(declared.help or "")
    return Option(parameter.name, _kind(kind), convert, usual[1] if usual else "")


def _kind(hint: Any) -> type[Any]:
    """bool, list, tuple or str: how an option's text is to be taken."""
    kinds = [get_origin(part) or part for part in (get_args(hint) if type(None) in get_args(hint) else [hint])]
    return next((kind for kind in (bool, list, tuple) if kind in kinds), str)


def _taking_texts(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        parameter.process_value = partial(_taken, parameter)
    return parameters


def _taken(parameter: Any, ctx: typer.Context, value: Any) -> Any:
    """A parameter's text, or its texts. UsageError if it is required and not there."""
    lacks = parameter.required and value in (None, (), [])
    if lacks and not ctx.resilient_parsing and ctx.obj != SHOWING:
        flag = "" if parameter.param_type_name == "argument" else f"{parameter.opts[-1]} "
        raise UsageError(f"{flag}{parameter.metavar} is missing", hint=f"see {ctx.command_path} --help")
    return value if parameter.callback is None else parameter.callback(ctx, parameter, value)
