"""How a function becomes a command: Typer parses its arguments, and nothing runs until `main` runs it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial, update_wrapper
from types import MappingProxyType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from rnncli import launched
from rnncli.cli.config import Setting, begin, entries, settled
from rnncli.cli.examples import ENDINGS
from rnncli.cli.streams import SAID, SILENT, Streams
from rnncli.cli.terminal import put
from rnncli.errors import UsageError, without_secrets
from rnncli.near import did_you_mean
from rnncli.options.data import DATA_IS
from rnncli.options.option import CELLS, HEADINGS, REPEATED, SETTINGS, SWITCH, Option
from rnncli.options.table import of_command
from rnncli.registry import CELLS as NAMES_OF_CELLS
from rnncli.registry import find
from rnncli.workflows.path_options import WRITTEN

SHOWING = "showing"  # what a context holds whose command is not going to be run: nothing is missing
_FLAG = re.compile(r"--([a-z][a-z-]*)")
SHORTEST = 57  # letters of what a command does, which stand beside the longest name in 80 columns
_FLAGS_WIDTH = 26  # longer flags stand on a line of their own, so that 80 columns leave room for what they mean


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
        launched.refuse_other_than_training(self.command)
        told = {name: self.settings[name].value for name in SAID}
        passed = [s for s in entries(self.settings) if s.option.name not in told and s.value is not None]
        with self._explained():
            self._keep_apart()
        if launched.is_silent():
            told |= SILENT
        with Streams(self.command, **told) as streams, self._explained():
            return self.function(streams, **{s.option.name: s.value for s in passed}) or 0

    def asks(self, name: str) -> bool:
        """Whether a switch is on."""
        return bool(self.settings[name].value)

    def _print(self) -> int:
        from rnncli.cli.toml import document

        put(without_secrets(document(self.command, entries(self.settings))).encode())
        return 0

    def _keep_apart(self) -> None:
        """No path that is written is read: the workflow looks too, but knows of no log and no settings."""
        given = {name: setting.value for name, setting in self.settings.items()}
        if any(given.get(name) is not None for name in WRITTEN):
            from rnncli.workflows.paths import keep_apart

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
        """What follows the command's name in its usage line, without braces, and with the options that it needs."""
        pieces = [piece.translate({ord("{"): "", ord("}"): ""}) for piece in super().collect_usage_pieces(ctx)]
        needed: list[Any] = [param for param in self.params if param.required and param.param_type_name == "option"]
        return [*pieces, *(f"{param.opts[-1]} {param.metavar}" for param in needed)]

    def format_options(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """The options under their headings, what they mean in one column."""
        rows: dict[str, list[tuple[str, str]]] = {heading: [] for heading in HEADINGS}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                rows[getattr(param, "rich_help_panel", None) or SETTINGS].append(record)
        width = min(_FLAGS_WIDTH, max(len(flags) for listed in rows.values() for flags, _ in listed))
        for heading, listed in rows.items():
            if listed:
                with formatter.section(heading):
                    formatter.write_dl([(flags.ljust(width), says) for flags, says in listed], width)

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Examples, and where to read on."""
        end(ctx, formatter)


def end(ctx: typer.Context, formatter: Any) -> None:
    """The end of a help, its lines as they are: examples can be copied."""
    ending = ENDINGS.get(ctx.command_path.partition(" ")[2])
    if ending is not None:
        formatter.write("\n" + "".join(f"{line}\n" for line in ending.lines()))


class Group(TyperGroup):
    """The commands, of which a mistyped name is answered with a near match; `shorts` says what some do, in a line."""

    shorts: Mapping[str, str] = MappingProxyType({})

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """The parameters, likewise."""
        return _taking_texts(super().get_params(ctx))

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Examples, and where to read on."""
        end(ctx, formatter)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Each command with what it does, in a line."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.shorts.get(name) or self._short(name)) for name in self.commands])

    def _short(self, name: str) -> str:
        return self.commands[name].get_short_help_str(SHORTEST)

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """The command that the first argument names."""
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise UsageError(f"there is no command {args[0]!r}", hint=did_you_mean(args[0], self.commands))
        return super().resolve_command(ctx, args)


class Commands(MutableMapping[str, Any]):
    """The commands by name, each imported and made when it is asked for: a process runs one of them.

    `places` says where the function of each is; what is set instead is taken as it is.
    """

    def __init__(self, places: Mapping[str, str], made: Mapping[str, Any]) -> None:
        self._places, self._made = places, dict(made)

    def __getitem__(self, name: str) -> Any:
        if name not in self._made and name in self._places:
            self._made[name] = made(function_at(self._places, name))
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._places, *self._made]))

    def __len__(self) -> int:
        return len({*self._places, *self._made})

    def declared(self) -> dict[str, dict[str, Option]]:
        """The options of every command, of which none needs to be made for that."""
        return {name: options_of(name) for name in self._places}


def function_at(places: Mapping[str, str], name: str) -> Callable[..., int | None]:
    """The function of a command."""
    function: Callable[..., int | None] = find(dict(places), name, "command")
    return function


@cache
def options_of(command: str) -> dict[str, Option]:
    """The options of a command that can be set anywhere: all but where settings come from."""
    return {option.name: option for option in of_command(command) if option.heading != SETTINGS}


def made(function: Callable[..., int | None]) -> Any:
    """The command of `function(streams, **options)`, which returns the exit code, 0 if nothing."""
    name = function.__name__.replace("_", "-")
    declared = {option.name: option for option in of_command(name)}
    parameters = [_parameter(option, name) for option in declared.values()]

    def called(ctx: typer.Context, **texts: Any) -> Call:
        return Call(function, name, settled(ctx, declared, texts))

    update_wrapper(called, function)
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    called.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
    called.__annotations__ = {"ctx": typer.Context} | {p.name: p.annotation for p in parameters}
    says = inspect.getdoc(function) or ""
    alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    alone.command(name, cls=Command, help=f"{says}\n\n{DATA_IS}" if "data" in declared else says)(called)
    return get_command(alone)


def _parameter(option: Option, command: str) -> inspect.Parameter:
    """An option for a parser that only ever sees texts."""
    required = command in option.required
    kind: Any = {SWITCH: bool, REPEATED: list[str]}.get(option.kind, str)
    one_way = option.kind is SWITCH and not option.either  # of the others it is known whether anything was said
    default: Any = inspect.Parameter.empty if required else option.on if one_way else None
    taken: Any = kind if required or one_way else kind | None
    annotation = Annotated[taken, _declared(option, command)]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _declared(option: Option, command: str) -> Any:
    """What Typer is told of an option of a command."""
    if command in option.positional:
        return typer.Argument(metavar=option.placeholder, hidden=True)
    begins = option.name == "config"  # what a file says becomes the defaults of all others
    return typer.Option(
        *option.flags.split(),
        metavar=option.placeholder or None,
        show_default=False,
        help=str(option),
        rich_help_panel=option.heading,
        autocompletion=_completing(option),
        is_eager=begins,
        callback=begin if begins else None,
    )


def _completing(option: Option) -> Callable[[], list[str]] | None:
    """The completion of the value of an option."""
    choices = _cells() if option.kind is CELLS else list(option.choices)
    return (lambda: choices) if choices else None


def _cells() -> list[str]:
    return [*NAMES_OF_CELLS, *(f"dilated:{name}" for name in NAMES_OF_CELLS)]


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
