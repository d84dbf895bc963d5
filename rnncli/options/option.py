"""The declaration of an option: its name, its help, and the values it can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from typing import Any, NamedTuple

from rnncli.errors import UsageError

TASKS = ("forecast", "labels", "tokens", "sets", "frames")
DATA, NETWORK, TRAINING = "Data", "Network", "Training"
SCORING, GRADIENTS = "Scoring", "Gradients"
OUTPUT, UNATTENDED, SETTINGS = "Output", "Unattended", "Settings"
HEADINGS = (DATA, NETWORK, TRAINING, SCORING, GRADIENTS, OUTPUT, UNATTENDED, SETTINGS)
_FOUND, _TRAINED_SO = "found in the data", "as in training"
_WITH_MODEL = ("predict", "evaluate")  # commands that cannot do without a model, which knows how to read the data


@dataclass(frozen=True)
class Kind:
    """What the values of an option are, with the word that stands for one in a help, and the bound of a number:
    "above 0", "0 or above" or none.
    """

    name: str
    metavar: str = ""
    bound: str = ""

    def check(self, name: str, value: Any, instead: str = "") -> None:
        """UsageError, with a hint what to say `instead`, where a number is beyond the bound."""
        beyond = {"above 0": lambda: not value > 0, "0 or above": lambda: not value >= 0}
        if self.bound and value is not None and beyond[self.bound]():
            raise UsageError(f"{name.replace('_', '-')} must be {self.bound}, not {value}", hint=instead)


COUNT = Kind("count", "N", "above 0")
COUNTS = Kind("counts", "LIST")
WHOLE = Kind("whole", "N", "0 or above")
SIZE = Kind("size", "SIZE", "above 0")  # bytes
NUMBER = Kind("number", "X")
POSITIVE = Kind("positive", "X", "above 0")
SHARE = Kind("share", "SHARE")  # from 0 to below 1
LEVEL = Kind("level", "LEVEL")  # between 0 and 1
LEVELS = Kind("levels", "LIST")
DURATION = Kind("duration", "TIME", "above 0")  # seconds
WAIT = Kind("wait", "TIME", "0 or above")  # seconds
TEXT = Kind("text", "NAME")
NAMES = Kind("names", "LIST")
CELLS = Kind("cells", "NAME")
REPEATED = Kind("repeated", "NAME")  # a text; the flag may be said again
SWITCH = Kind("switch")
CHOICE = Kind("choice")
OBJECT = Kind("object")  # what only Python can give
LISTS = (COUNTS, LEVELS, NAMES)  # items between commas


class Meaning(NamedTuple):
    """What one command, or Python, means by an option where that is not what the others mean; None where it is."""

    says: str | None = None
    kind: Kind | None = None
    default: str | None = None
    follows: str | None = None
    heading: str | None = None
    metavar: str | None = None


@dataclass(frozen=True)
class Option:
    """One option: its name, what its value is, what it `says` in a line or two, and what holds where nothing is said:
    a `default`, or what that `follows` from ("from the data"); neither where that is nothing.

    `name` is that of a parameter: - is written _, and a word of Python's own has an underscore after it. `commands`
    have it as a flag, `functions` (the same, unless said otherwise) as a keyword, called `keyword`; `required` are
    those that cannot do without it. `positional` are commands that take it without a flag. `heading` is where the help
    shows it. `differently` is what a command means by it where that is not what the others mean, and `in_python` what
    Python functions do.

    `instead` is the hint where its value is none that it can have. `tasks` are those it means something for, and
    `of_model` says that it is a property of a model, so that it cannot
    be given beside one. `at` is where a model keeps it (see `settled`), such as "training.tbptt", or where it keeps its
    `opposite`.
    """

    name: str
    kind: Kind
    says: str
    heading: str = DATA
    default: str = ""
    follows: str = ""
    instead: str = ""
    commands: tuple[str, ...] = ()
    functions: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()
    positional: tuple[str, ...] = ()
    metavar: str = ""
    short: str = ""
    choices: tuple[str, ...] = ()
    on: bool = False  # a switch that is on unless it is turned off
    either: bool = False  # a switch that can be turned off too, wherever it was turned on
    keyword: str = ""
    in_python: Meaning = Meaning()  # noqa: RUF009 it cannot be changed
    differently: Mapping[str, Meaning] = field(default_factory=dict)
    tasks: tuple[str, ...] = TASKS
    of_model: bool = False
    at: str = ""
    opposite: bool = False

    @property
    def key(self) -> str:
        """Its name in a file and, after two dashes, on the command line."""
        return self.name.strip("_").replace("_", "-")

    @property
    def variable(self) -> str:
        """Its name in the environment, after the prefix."""
        return self.key.replace("-", "_").upper()

    @property
    def flags(self) -> str:
        """The flag that is typed for it."""
        both = self.on or self.either
        return f"--{self.key}/--no-{self.key}" if both else f"--{self.key}{self.short and f' {self.short}'}"

    @property
    def placeholder(self) -> str:
        """The word that stands for its value in a help."""
        return self.metavar or "|".join(self.choices) or self.kind.metavar

    @property
    def usual(self) -> str:
        """The default: a value, or in brackets what it follows from."""
        return self.default or (f"({self.follows})" if self.follows else "")

    @property
    def keywords(self) -> tuple[str, ...]:
        """The commands whose Python functions take it."""
        return self.commands if self.functions is None else self.functions

    def of(self, command: str) -> Option:
        """The option as a command means it, or a task."""
        if command in self.differently:
            return self._meaning(self.differently[command])
        known = command in _WITH_MODEL and self.follows == _FOUND
        return replace(self, follows=_TRAINED_SO) if known else self

    def for_python(self) -> Option:
        """The option as Python functions mean it."""
        return self._meaning(self.in_python)

    def _meaning(self, other: Meaning) -> Option:
        told: dict[str, Any] = {name: value for name, value in other._asdict().items() if value is not None}
        if "default" in told or "follows" in told:
            told = {"default": "", "follows": ""} | told
        return replace(self, **told)

    def __str__(self) -> str:
        told = f"default: {self.default}" if self.default else self.follows
        return f"{self.says} [{told}]" if told else self.says


def parameter_of(key: str) -> str:
    """The name of the option that is called so in a file or on the command line."""
    name = key.replace("-", "_")
    return f"{name}_" if iskeyword(name) else name
