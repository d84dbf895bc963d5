"""`rnncli config show`: what a command would run with, and where each setting is from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand

from rnncli.cli.command import SHOWING, Call, Group, end
from rnncli.cli.config import declared_by, entries
from rnncli.cli.terminal import put
from rnncli.errors import UsageError, without_secrets
from rnncli.near import did_you_mean
from rnncli.options import table
from rnncli.options.table import OPTIONS

SCHEMA = "rnncli.config/1"
_UNPARSED = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["-h", "--help"]}


class Commands(Group):
    """What can be done with settings."""

    shorts = MappingProxyType({"show": "Show each setting of a command, and where it is from."})


class Show(TyperCommand):
    """The command, whose arguments are those of another."""

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Examples, and where to read on."""
        end(ctx, formatter)


config = typer.Typer(cls=Commands, help="Settings and where they are from.", rich_markup_mode=None)


@config.callback()
def _group() -> None:
    """Settings and where they are from: flags, RNNCLI_*, --config FILE, the model, defaults."""


@config.command(
    "show",
    cls=Show,
    context_settings=_UNPARSED,
    help="Show each setting of COMMAND with its origin; COMMAND takes its arguments, and does not run. Without one, "
    "what the environment and --config FILE say to any command.",
    options_metavar="[COMMAND [ARGUMENTS]]",
)
def show(ctx: typer.Context) -> Any:
    """What is to be run once everything is parsed."""
    given = list(ctx.args)
    if given[:1] == ["--json"]:  # before the name of a command it would hide that there is one
        given = [*given[1:], "--json"]
    commands = declared_by(ctx.find_root().command)
    named = bool(given) and not given[0].startswith("-")
    if named and given[0] not in commands:
        raise UsageError(f"there is no command {given[0]!r}", hint=did_you_mean(given[0], commands))
    chosen = [given.pop(0)] if named else list(commands)
    calls = {name: _parsed(ctx, name, given) for name in chosen}
    return lambda: _shown(calls, said_only=not named)


def _parsed(ctx: typer.Context, name: str, arguments: list[str]) -> Call:
    root = ctx.find_root()
    command = root.command.commands[name]  # type: ignore[attr-defined]
    with command.make_context(name, list(arguments), parent=root, obj=SHOWING) as inner:
        call: Call = command.invoke(inner)
    return call


def _shown(calls: Mapping[str, Call], *, said_only: bool) -> int:
    found = {name: list(_rows(call, said_only=said_only)) for name, call in calls.items()}
    if any(call.asks("json") for call in calls.values()):
        commands = {name: [row.to_json() for row in rows] for name, rows in found.items()}
        put(f"{without_secrets(json.dumps({'schema': SCHEMA, 'commands': commands}))}\n".encode())
        return 0
    lines = [(name, row.setting, row.text, row.origin) for name, rows in found.items() for row in rows]
    if not lines:
        put(b"nothing is set; rnncli config show COMMAND lists the defaults\n")
        return 0
    put("".join(f"{without_secrets(line)}\n" for line in _aligned(lines)).encode(errors="backslashreplace"))
    return 0


def _aligned(lines: list[tuple[str, str, str, str]]) -> list[str]:
    header = ["command", "setting", "value", "origin"]
    widths = [max(len(row[place]) for row in [header, *lines]) for place in range(3)]
    return ["  ".join([*map(str.ljust, row[:3], widths), row[3]]) for row in [header, *map(list, lines)]]


class _Row(NamedTuple):
    """A setting, its value and where that is from; `follows` is what the value will follow from where there is none."""

    setting: str
    value: Any
    origin: str
    follows: str = ""

    @property
    def text(self) -> str:
        """The value for people."""
        return f"({self.follows})" if self.value is None and self.follows else _text(self.value)

    def to_json(self) -> dict[str, Any]:
        """The setting for programs: what a value will follow from is no value."""
        return {"setting": self.setting, "value": self.value, "origin": self.origin}


def _rows(call: Call, *, said_only: bool) -> Iterator[_Row]:
    """Every setting of a call that means something for its task; the model's word counts where nothing was said."""
    model, task, by_model = _by_model(call)
    for setting in entries(call.settings):
        option = setting.option.of(task)
        if setting.said is not None:
            yield _Row(option.key, setting.value, setting.origin)
        elif task and task not in option.tasks:
            continue
        elif not said_only and by_model.get(option.name) is not None:
            yield _Row(option.key, by_model[option.name], model)
        elif not said_only:
            value = (option.default or None) if setting.value is None else setting.value
            yield _Row(option.key, value, "default", option.follows)


def _by_model(call: Call) -> tuple[str, str, Mapping[str, Any]]:
    """The model that is asked for, if there is one, the task that it or a label names, and what the model settles: a
    new training of it is as long as any.
    """
    if call.command == "info":
        return "", "", {}
    for name, settles in (("model", lambda _: True), ("warm_start", table.goes_on)):
        path = call.settings[name].value if name in call.settings else None
        if path is not None:
            from rnncli.workflows.info import info

            found = info(path)
            return (
                str(path),
                found.model.task.name,
                {k: value for k, value in found.settings.items() if settles(OPTIONS[k])},
            )
    labelled = "label" in call.settings and call.settings["label"].value is not None
    return "", "labels" if labelled else "", {}


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return (",".join(map(str, value)) or "-") if isinstance(value, (list, tuple)) else str(value)
