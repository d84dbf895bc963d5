"""Every option by its name, and what commands, Python functions and models make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rnncli.errors import UsageError
from rnncli.options import data, frames, generation, labels, network, output, pictures, scoring, tokens, training
from rnncli.options.commands import command_of
from rnncli.options.option import DATA, HEADINGS, NETWORK, TRAINING, Option

_OF_TASKS = (*labels.OPTIONS, *tokens.OPTIONS, *frames.OPTIONS)
_WRITING = (*generation.OPTIONS, *pictures.OPTIONS, *output.OPTIONS)
_WRITTEN = (*data.OPTIONS, *network.OPTIONS, *training.OPTIONS, *_OF_TASKS, *scoring.OPTIONS, *_WRITING)
OPTIONS: Mapping[str, Option] = {option.name: option for option in _WRITTEN}
_BY_KEYWORD = {option.keyword: option for option in _WRITTEN if option.keyword}
_MADE = {
    "forecast": "forecasts",
    "labels": "labels",
    "tokens": "tokens",
    "sets": "sets of tokens",
    "frames": "frames",
}
_ASKED = {
    "forecast": "without --label a forecast is asked for",
    "labels": "--label asks for labels",
    "tokens": "--token, --text, --split or a text, unless --format csv says that it is a table, asks for tokens",
    "sets": "--multi-hot, or --set-separator, asks for sets of tokens",
    "frames": "--frame, --grid or files of frames ask for frames",
}


def of_command(command: str) -> tuple[Option, ...]:
    """The options of a command, as it means them, in the order of its help: under a heading those that always stand
    there come first.
    """
    own = [option for option in _WRITTEN if command in option.commands]
    meant = [(option.heading, option.of(command)) for option in own]
    return tuple(here for _, here in sorted(meant, key=lambda pair: _place(pair[0], pair[1])))


def _place(usually: str, option: Option) -> tuple[int, bool]:
    return HEADINGS.index(option.heading), option.heading != usually


def meant_by(name: str, function: str) -> Option:
    """The option behind an argument of a Python function, as that means it. KeyError if there is none."""
    option = (_BY_KEYWORD.get(name) or OPTIONS[name]).of(command_of(function))
    return option.for_python()


def check(values: Mapping[str, Any]) -> None:
    """UsageError where a number is beyond the bound of its option; `values` are a Python function's arguments."""
    for name, value in values.items():
        option = _BY_KEYWORD.get(name) or OPTIONS.get(name)
        if option is not None:
            option.kind.check(name, value, option.instead)


def given(options: Mapping[str, Any]) -> Iterator[Option]:
    """The options that say something, in the table's order; a switch that is as it usually is and an empty list say
    nothing.
    """
    return (option for option in _WRITTEN if _says(option, options.get(option.name)))


def _says(option: Option, value: Any) -> bool:
    return value is not None and value is not option.on and not (isinstance(value, tuple) and not value)


def of_model(option: Option) -> bool:
    """Whether an option is a property of a model, which training goes on with as it is."""
    return option.of_model


def of_labels(option: Option) -> bool:
    """Whether an option is a property of a model that labels."""
    return option.of_model and option.tasks[0] in data.LABELS


def of_network(option: Option) -> bool:
    """Whether an option is about a network or its training, both of which a model has."""
    return option.heading in (NETWORK, TRAINING)


def goes_on(option: Option) -> bool:
    """Whether an option stays as it was where a model is trained on: how its data are read, and what it is."""
    return option.of_model or option.heading == DATA


def refuse_beside(flag: str, options: Mapping[str, Any], settles: Callable[[Option], bool], what: str) -> None:
    """UsageError where an option is given that the model behind `flag` settles: it describes `what`."""
    for option in filter(settles, given(options)):
        raise UsageError(
            f"--{option.key} describes a {what}, but {flag} gives one", hint=f"leave {flag} or --{option.key} out"
        )


def refuse_of_other_task(options: Mapping[str, Any], task: str, *, by_model: bool = False) -> None:
    """UsageError where an option means nothing for a task, which was asked for when training, or is the model's."""
    for option in given(options):
        if task not in option.tasks:
            theirs = " and ".join(_MADE[other] for other in option.tasks)
            why = f"the model makes {_MADE[task]}" if by_model else _ASKED[task]
            flag = f"--no-{option.key}" if option.on else f"--{option.key}"
            raise UsageError(f"{flag} is for {theirs}, and {why}", hint=f"leave {flag} out")


def settled(parts: Mapping[str, object]) -> dict[str, Any]:
    """What a model settles, under the names of the options that would say it; `parts` are its specs by name, such as
    "training". What none of them holds is left out.
    """
    kept = [option for option in _WRITTEN if option.at.partition(".")[0] in parts]
    return {option.name: _kept(option, parts) for option in kept}


def _kept(option: Option, parts: Mapping[str, object]) -> Any:
    part, *fields = option.at.split(".")
    found: Any = parts[part]
    for name in fields:
        found = None if found is None else getattr(found, name)
    return not found if option.opposite else found
