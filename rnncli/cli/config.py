"""Settings that are not on the command line: RNNCLI_* in the environment, and before them a TOML file.

A setting is a text as the command line would give it, and the place where it was said, which names it in errors.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import typer

from rnncli.cli.values import read, text
from rnncli.errors import UsageError
from rnncli.files import without_waiting
from rnncli.near import did_you_mean
from rnncli.options.option import LISTS, REPEATED, SWITCH, Option, parameter_of

Raw = str | bool | list[str]  # as Typer hands it on

PREFIX = "RNNCLI_"
FILE = "RNNCLI_CONFIG"
LARGEST_FILE = 1 << 16  # bytes: a hundred times all options; the standard library's parser is quadratic in some texts
SHOWN = 40  # letters of a name in a message
_SAID = "rnncli.said"
_OPENED = ("/dev/fd/", "/proc/self/fd/")  # what a shell opened for us, as in --config <(...): somebody writes it
_SWITCH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
_AT = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)
_QUOTED = 'write "texts" in quotes'


@dataclass(frozen=True)
class Place:
    """Where a setting was said: its `origin` for people, and its name there, in a file `where`."""

    origin: str
    named: str
    where: str = ""

    def refusal(self, message: str, hint: str = "") -> UsageError:
        """An error about what was said here."""
        return UsageError(f"{self.named} {message}", hint=hint, where=self.where)


@dataclass(frozen=True)
class Said:
    """What was said, and where."""

    raw: Raw
    place: Place


@dataclass(frozen=True)
class Setting:
    """An option with its value; it was said nowhere if `said` is None."""

    option: Option
    value: Any
    said: Said | None = None

    @property
    def origin(self) -> str:
        """Where the value is from, in a few words."""
        return "default" if self.said is None else self.said.place.origin


Declared = Mapping[str, Mapping[str, Option]]  # command -> name -> option
Found = dict[str, dict[str, Said]]  # command -> name -> what was said


def declared_by(group: Any) -> Declared:
    """The options of every command of the program."""
    found: Declared = group.commands.declared()
    return found


def begin(ctx: typer.Context, path: str | None) -> str | None:
    """Before any other option is looked at: what the file and the environment say becomes the defaults."""
    program, command = ctx.find_root().command, ctx.command.name
    if ctx.resilient_parsing or command is None or command not in program.commands:  # type: ignore[attr-defined]
        return path
    file = os.environ.get(FILE) or None if path is None else text("--config", path)
    if file is None and not any(name.startswith(PREFIX) for name in os.environ):
        return None
    found = elsewhere(declared_by(program), os.environ, file)[command]
    ctx.default_map = {name: said.raw for name, said in found.items()}
    ctx.meta[_SAID] = found
    return file


def settled(ctx: typer.Context, options: Mapping[str, Option], raw: Mapping[str, Any]) -> dict[str, Setting]:
    """Each option with its value: what was said on the command line, elsewhere, or nowhere."""
    found: Mapping[str, Said] = ctx.meta.get(_SAID, {})
    return {name: _setting(ctx, options[name], value, found.get(name)) for name, value in raw.items()}


def _setting(ctx: typer.Context, option: Option, raw: Any, elsewhere_: Said | None) -> Setting:
    source = ctx.get_parameter_source(option.name)
    flag = Said(raw, Place("flag", f"--{option.key}")) if source and source.name == "COMMANDLINE" else None
    said = flag or elsewhere_
    return Setting(option, raw if said is None else converted(option, said), said)


def converted(option: Option, said: Said) -> Any:
    """The value of what was said. UsageError that names the place."""
    if not isinstance(said.raw, str):
        return said.raw
    flag = f"--{option.key}"
    try:
        return read(option, flag, said.raw)
    except UsageError as error:
        message = error.message.replace(flag, said.place.named, 1)
        raise UsageError(message, hint=error.hint, where=said.place.where) from None


def elsewhere(declared: Declared, environment: Mapping[str, str], path: str | None) -> Found:
    """What the environment says for each command and, under it, the file; both are checked whole, whoever asks."""
    file = {} if path is None else _from_file(declared, path)
    variables = _from_environment(declared, environment)
    for layer in (file, variables):
        for command, found in layer.items():
            for name, said in found.items():
                converted(declared[command][name], said)
    return {command: file.get(command, {}) | variables.get(command, {}) for command in declared}


def switched_on(name: str) -> bool:
    """Whether a switch is on by its variable alone."""
    return _SWITCH.get(os.environ.get(PREFIX + name.upper(), "").lower(), False)


# The environment


def _from_environment(declared: Declared, environment: Mapping[str, str]) -> Found:
    """RNNCLI_HORIZON for every command that has it, RNNCLI_TRAIN_HORIZON for one; an empty one says nothing."""
    said = {name: value for name, value in environment.items() if name.startswith(PREFIX) and value and name != FILE}
    if not said:
        return {}
    general, own = variables_of(declared)
    for name in said:
        if name not in general and name not in own:
            raise _unknown(f"{name[:SHOWN]} sets no option", name, [*general, *own, FILE], "rnncli config show")
    found: Found = {command: {} for command in declared}
    for known in (general, own):  # what is said for one command wins
        for name in known.keys() & said.keys():
            for command, option in known[name]:
                found[command][option.name] = Said(_of_variable(option, name, said[name]), Place(name, name))
    return found


def variables_of(declared: Declared) -> tuple[dict[str, list[tuple[str, Option]]], dict[str, list[tuple[str, Option]]]]:
    """The settings that each variable makes, by command: those for all commands, and those for one."""
    general: dict[str, list[tuple[str, Option]]] = {}
    own: dict[str, list[tuple[str, Option]]] = {}
    for command, options in declared.items():
        for option in options.values():
            general.setdefault(f"{PREFIX}{option.variable}", []).append((command, option))
            own[f"{PREFIX}{command.replace('-', '_').upper()}_{option.variable}"] = [(command, option)]
    return general, own


def _of_variable(option: Option, variable: str, value: str) -> Raw:
    if option.kind is REPEATED:
        return value.split(os.pathsep if option.name == "data" else ",")
    if option.kind is not SWITCH:
        return value
    if value.lower() not in _SWITCH:
        raise UsageError(f"{variable} must be a switch, not {value[:SHOWN]!r}", hint="1, true or yes; 0, false or no")
    return _SWITCH[value.lower()]


# The file


def _from_file(declared: Declared, path: str) -> Found:
    """What a file says to all commands at its top and, before that, to one in a table of its name."""
    document = _parsed(path)
    names = {command.replace("-", "_"): command for command in declared}
    known = {name for options in declared.values() for name in options}
    top: dict[str, Any] = {}
    tables: dict[str, dict[str, Any]] = {}
    for key, value in document.items():
        name = parameter_of(key)
        if name in names:
            _once(tables, names[name], _table(value, key, path), path, f"table [{key}]")
        elif isinstance(value, dict) and name not in known:
            raise _unknown(f"there is no command for the table [{key[:SHOWN]}]", key, declared, "", path)
        else:
            _once(top, name, (key, value), path, f"key {key!r}")
    return _of_file(declared, path, top, tables)


def _of_file(declared: Declared, path: str, top: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> Found:
    found: Found = {command: {} for command in declared}
    everywhere = {name for options in declared.values() for name in options}
    _refuse_unknown(top, everywhere, "no command has the option", "rnncli COMMAND --help", path)
    for command, options in declared.items():
        table: dict[str, Any] = {}
        for key, value in tables.get(command, {}).items():
            _once(table, parameter_of(key), (key, value), path, f"key {key!r} in [{command}]")
        _refuse_unknown(table, options, f"[{command}] has no option", f"rnncli {command} --help", path)
        for heading, keys in (("", top), (f" [{command}]", table)):
            for name in keys.keys() & options.keys():
                key, value = keys[name]
                place = Place(path + heading, f"key {key!r}{' in' * bool(heading)}{heading}", path)
                found[command][name] = Said(_of_toml(options[name], value, place), place)
    return found


def _parsed(path: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(_text_of(path), parse_float=str)  # as written: the converters read texts
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = _AT.fullmatch(message)
        says = (at[1] if at else message)[:200]
        where = f"{path}:{at[2]}:{at[3]}" if at else path
        raise UsageError(f"{says[:1].lower()}{says[1:]}", where=where, hint='a line is: key = "value"') from None
    except ValueError as error:  # a number of 5,000 digits, a month 13
        raise UsageError(f"a value cannot be: {error}", where=path) from None
    except RecursionError:
        raise UsageError("lists or tables lie too deep in one another", where=path) from None


def _text_of(path: str) -> str:
    try:
        opened = path.startswith(_OPENED)
        with open(path, "rb", opener=None if opened else without_waiting) as file:
            if (stat.S_ISFIFO(os.fstat(file.fileno()).st_mode) and not opened) or file.isatty():
                raise UsageError("settings are read from a file, not from a pipe or a terminal", where=path)
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        says = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read the settings: {says}".lower(), where=path, hint="--config FILE.toml") from None
    if len(data) > LARGEST_FILE:
        raise UsageError(f"a file of settings has at most {LARGEST_FILE:,} bytes", where=path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError("the file is not UTF-8", where=f"{path}:{line}", hint="save it as UTF-8") from None


def _table(value: Any, key: str, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{key!r} is a command, not an option", where=path, hint=f"write its options below [{key}]")
    return value


def _once(found: dict[str, Any], name: str, value: Any, path: str, what: str) -> None:
    if name in found:
        raise UsageError(f"the {what} is there twice, with - and with _", where=path, hint="leave one out")
    found[name] = value


def _refuse_unknown(keys: Mapping[str, Any], known: Iterable[str], says: str, help_: str, path: str) -> None:
    known = set(known)
    for name, (key, _) in keys.items():
        if name not in known:
            choices = [option.replace("_", "-") for option in sorted(known)]
            raise _unknown(f"{says} {key[:SHOWN]!r}", key.replace("_", "-"), choices, help_, path)


def _unknown(says: str, name: str, known: Iterable[str], help_: str, where: str = "") -> UsageError:
    hint = did_you_mean(name[:SHOWN], known)
    if help_ and not hint.startswith("did you mean"):
        hint = f"{help_} lists what there is"
    return UsageError(says, hint=hint, where=where)


def _of_toml(option: Option, value: Any, place: Place) -> Raw:
    if option.kind is SWITCH:
        if not isinstance(value, bool):
            raise place.refusal("must be true or false", "without quotes")
        return value
    if option.kind is not REPEATED and option.kind not in LISTS:
        return _text(value, place)
    items = [_text(item, place) for item in (value if isinstance(value, list) else [value])]
    if option.kind is REPEATED:
        return items
    if isinstance(value, list) and any("," in item for item in items):
        raise place.refusal("has an item with a comma", "commas separate the items")
    return ",".join(items)


def _text(value: Any, place: Place) -> str:
    """A single value as the command line would have it."""
    if isinstance(value, str):
        return value
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, int) and not isinstance(value, bool):
        return _digits(value, place)
    kinds = {bool: "true or false", list: "a list", dict: "a table"}
    raise place.refusal(f"cannot be {kinds[type(value)]}", _QUOTED)


def _digits(value: int, place: Place) -> str:
    try:
        return str(value)
    except ValueError:  # hexadecimal, with more digits than Python writes
        raise place.refusal("is too large a number") from None


def entries(settings: Mapping[str, Setting]) -> Iterator[Setting]:
    """The settings that a file may hold."""
    return (setting for name, setting in settings.items() if name not in ("config", "print_config"))
