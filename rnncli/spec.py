"""Frozen specs that check themselves: what the columns mean, what the network is, how it was trained."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from sys import float_info
from typing import Any, Self

from rnncli.errors import UsageError

LARGEST_SIZE = 1 << 20
TARGETS = "target"  # the column of a forecast that says which target a row is of, where there are several
_SIZES = {"layers": 256, "hidden": LARGEST_SIZE, "inputs": LARGEST_SIZE, "members": 1024}

LABEL_KINDS = ("class", "number")
SPLITS = ("char", "word", "space", "byte")
FRAME_TYPES = {  # as they are said, and as NumPy writes them; without an order of bytes they are the lowest first
    "uint8": "|u1",
    **{
        f"{name}{order}": f"{mark}{code}"
        for name, code in (("uint16", "u2"), ("int16", "i2"), ("float16", "f2"), ("float32", "f4"))
        for order, mark in (("", "<"), ("-le", "<"), ("-be", ">"))
    },
}
LARGEST_GRID = 1 << 28  # numbers of a frame
INITIALISATIONS = ("orthogonal", "chrono:STEPS", "identity", "irnn", "uniform")
_FLOAT32 = 3.4e38  # torch refuses larger numbers
_ANY = float_info.max
_COUNTS = {"steps": 1 << 30, "batch": 1 << 24, "tbptt": 1 << 62, "evaluate_every": 1 << 30}
_NUMBERS = {"learning_rate": _FLOAT32, "clip": _ANY, "clip_value": _FLOAT32, "time_budget": _ANY}
LARGEST_SEED = (1 << 62) - 1


def added(default: Any, since: int) -> Any:
    """A field of a spec that model files have from format `since` on; in older ones it is `default`."""
    return dataclasses.field(default=default, metadata={"since": since})


class Spec:
    """A frozen dataclass that goes to JSON and comes back the same; unknown keys are refused, and missing ones that
    files always had.
    """

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values."""
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}  # type: ignore[arg-type]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The spec that `to_json` wrote. UsageError if a key is unknown, missing or of another type."""
        hints = typing.get_type_hints(cls)
        fields = dataclasses.fields(cls)  # type: ignore[arg-type]
        names, later = {field.name for field in fields}, {field.name for field in fields if "since" in field.metadata}
        found = set(value) if isinstance(value, dict) else set()
        if not isinstance(value, dict) or (found ^ names) - (later - found):
            odd = ", ".join(sorted((found ^ names) - (later - found))) or "not an object"
            raise UsageError(f"{cls.__name__} does not fit: {odd}")
        return cls(**{name: _typed(value[name], hints[name], f"{cls.__name__}.{name}") for name in found})

    def bytes_beside_weights(self, panel: Any) -> int:  # noqa: ARG002
        """About how many bytes a model of this spec and a panel holds beside weights and names."""
        return 0


def _plain(value: Any) -> Any:
    if isinstance(value, Spec):
        return value.to_json()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _typed(value: Any, hint: Any, name: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        return _typed(value, next(a for a in arguments if a is not type(None)), name)
    if origin is tuple:
        if not isinstance(value, list):
            raise UsageError(f"{name} is not a list")
        return tuple(_typed(item, arguments[0], name) for item in value)
    if isinstance(hint, type) and issubclass(hint, Spec):
        return hint.from_json(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise UsageError(f"{name} is not of type {hint.__name__}")
    return value


@dataclass(frozen=True)
class Columns(Spec):
    """What each column of a table is.

    `id` is None for a table that is one series. `wide` tables have one column per series, the ids are the column
    names, and `target` is what a value is called. `time_type` is how time came ("timestamp", "date", "integer" or
    "text"), `time_arrow` the Arrow type it came in and `time_format` the strptime format of text, so that a forecast
    can be written in the same style; `time_zoned` if it came with a zone. "number" are whole numbers that are dates.
    Where `time` holds dates alone, `clock` may be the column of the times of day; it is None for labelled rows that
    come in order. Series may be told apart by more columns than one: `more_ids`. Without an id column, `by_file` says
    that each file is a series, known by its stem. Where several columns are `targets`, each is a series of its own,
    told apart by the ids and the column's name, and `target` names them all; none are there where `target` is a column.

    `decimal`, `thousands`, `separator`, `encoding`, `format` and `sheet` are what training was told of how the data are
    written, and `mark` is the currency or percent sign of its target, `marks` are those of its targets. `numbered` is
    how many columns its files had, where they have no header and columns are known by their numbers.
    """

    time: str | None
    id: str | None
    target: str
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    wide: bool = False
    time_type: str = "timestamp"
    time_arrow: str = "timestamp[us]"
    time_format: str | None = None
    time_zoned: bool = False
    by_file: bool = False
    id_name: str = "unique_id"
    more_ids: tuple[str, ...] = added((), since=4)
    clock: str | None = added(None, since=4)
    clock_format: str | None = added(None, since=4)
    decimal: str | None = added(None, since=4)
    thousands: str | None = added(None, since=4)
    separator: str | None = added(None, since=4)
    encoding: str | None = added(None, since=4)
    format: str | None = added(None, since=4)
    mark: str | None = added(None, since=4)
    numbered: int | None = added(None, since=4)
    sheet: str | None = added(None, since=4)
    targets: tuple[str, ...] = added((), since=4)
    marks: tuple[str, ...] = added((), since=4)

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values; that there is one target is not said, as before there could be several."""
        found = super().to_json()
        return found if self.targets else {name: found[name] for name in found if name not in ("targets", "marks")}

    @property
    def ids(self) -> tuple[str, ...]:
        """The columns that tell series apart."""
        return () if self.id is None else (self.id, *self.more_ids)

    @property
    def target_columns(self) -> tuple[str, ...]:
        """The columns that are forecast; none of a wide table, in which all are that are of numbers."""
        return () if self.wide else self.targets or (self.target,)

    @property
    def series_columns(self) -> tuple[str, ...]:
        """The columns of a forecast that tell series apart wherever there is more than one."""
        ids = self.ids or ((self.id_name,) if self.by_file else ())
        return (*ids, TARGETS) if self.targets else ids or (self.id_name,)

    @property
    def times(self) -> tuple[str, ...]:
        """The columns that say when; none where rows are in order and have no time."""
        if self.time is None:
            return ()
        return (self.time,) if self.clock is None else (self.time, self.clock)

    def check_marks(self) -> None:
        """UsageError where numbers or fields have marks that no table has, or text an encoding that there is not."""
        marks = [mark for mark in (self.decimal, self.thousands, self.separator) if mark is not None]
        if self.decimal not in (None, ".", ",") or any(len(mark) != 1 or mark in '\r\n"' for mark in marks):
            raise UsageError("its numbers or fields have marks that no table has")
        try:
            "".encode(self.encoding or "utf-8")
        except (LookupError, ValueError):
            raise UsageError("its text has an encoding that there is not") from None


@dataclass(frozen=True)
class ColumnChoices(Spec):
    """What the user said about the data; None or empty means "find out".

    `time` may name two columns, "date,time", and `id` and `target` several; `clock` is found from the former.
    `decimal`, `thousands` and `separator` are marks of CSV, `encoding` is its text's; `sheet` is one of a workbook, by
    its name or number.

    Rows later than `as_of` and `until` are not seen; series that cannot be used are refused, or left out if
    `on_bad_series` is "skip". Data of more than `max_rows`, `max_bytes` (uncompressed) or `max_columns` are not read.
    Without `header` the first line of a CSV file may be a row, and columns are then called 1, 2, 3 and so on. `query`
    is what gives the rows of a database, for which another program that holds it is waited `lock_wait` seconds. Of
    `memory` bytes at most are values and times kept in memory; what is more lies in files in the folder `cache`.
    """

    time: str | None = None
    id: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    time_format: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    separator: str | None = None
    encoding: str | None = None
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    wide: bool = False
    strict: bool = False
    format: str | None = None
    zone: str | None = None
    as_of: str | None = None
    on_bad_series: str = "fail"
    max_rows: int | None = None
    max_bytes: int | None = None
    max_columns: int | None = None
    sheet: str | None = None
    clock: str | None = None
    header: bool = True
    query: str | None = None
    lock_wait: float = 0.0
    until: str | None = None
    memory: int | None = None
    cache: str | None = None

    def as_told(self, columns: Columns) -> ColumnChoices:
        """With what training was told of how the data are written, where nothing else is said now."""
        now = bool(self.decimal or self.thousands)  # these two belong together
        return dataclasses.replace(
            self,
            decimal=self.decimal if now else columns.decimal,
            thousands=self.thousands if now else columns.thousands,
            separator=self.separator or columns.separator,
            encoding=self.encoding or columns.encoding,
            sheet=self.sheet or columns.sheet,
        )


@dataclass(frozen=True)
class LabelChoices(Spec):
    """What the user said about labels; None or empty means "find out".

    `label` is the column of labels; where sequences are to be labelled it may be None. There is one label a sequence,
    or `per_step` one a row; `label_kind` is "class" or "number". `channels` are the inputs, by default every column
    that is nothing else. With `row_per_sequence` each row is a sequence whose steps stand in its columns. Sequences of
    one value of the column `group` belong together. UsageError where these exclude each other.
    """

    label: str | None = None
    per_step: bool = False
    label_kind: str | None = None
    channels: tuple[str, ...] = ()
    row_per_sequence: bool = False
    group: str | None = None

    def __post_init__(self) -> None:
        if self.label_kind not in (None, *LABEL_KINDS):
            raise UsageError(f"label_kind is {' or '.join(LABEL_KINDS)}, not {self.label_kind!r}")
        if self.row_per_sequence and self.per_step:
            raise UsageError("where each row is one sequence, it has one label", hint="leave --per-step out")
        if self.row_per_sequence and self.channels:
            raise UsageError(
                "where each row is one sequence, its columns are steps, not channels", hint="leave --channels out"
            )


@dataclass(frozen=True)
class TokenChoices(Spec):
    """What the user said about tokens; None means "find out", or what is usual.

    Tokens are those of texts, or of the column `token`, one a row. A text is a file or, with `text`, a cell of that
    column, and it is `split` into characters, words, what stands between blanks, or bytes. Those that training has
    seen less than `min_count` times are unknown, and so are the rarest where there are more than `vocabulary` (the
    unknown one counted). With `multi_hot` each row of the column `token` has a set of tokens: a list, or a text with
    `set_separator` between them. `channels` are columns beside events; by default, where a column of times is named,
    every one that is nothing else. UsageError where these exclude each other.
    """

    split: str | None = None
    text: str | None = None
    token: str | None = None
    min_count: int | None = None
    vocabulary: int | None = None
    multi_hot: bool = added(default=False, since=4)
    set_separator: str | None = added(None, since=4)
    channels: tuple[str, ...] = added((), since=4)

    def __post_init__(self) -> None:
        if self.split not in (None, *SPLITS):
            raise UsageError(f"split is {', '.join(SPLITS[:-1])} or {SPLITS[-1]}, not {self.split!r}")
        if self.token is not None and (self.text is not None or self.split is not None):
            other = "--text" if self.text is not None else "--split"
            raise UsageError(
                f"--token names a column of tokens, one a row, and {other} is of texts",
                hint=f"leave {other} out, or name a column of texts with --text",
            )
        if self.channels and (self.token is None or self.multi_hot):
            what = "sets" if self.multi_hot else "texts"
            raise UsageError(f"--channels are columns beside events, and {what} have none", hint="leave --channels out")
        for name, least in (("min_count", 1), ("vocabulary", 2)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"{name.replace('_', '-')} must be at least {least}, not {value}")


@dataclass(frozen=True)
class FrameChoices(Spec):
    """What the user said about frames; None means "find out", or what is usual.

    `frame` is the column of frames, the variable or array of a file that has several, or a pattern of columns that are
    pixels; it may be None where files are frames. `grid` is HxW or HxWxC: rows, columns and channels of pixels.
    `frame_dtype` is one of FRAME_TYPES. What is stored is to be multiplied by `frame_scale`, and is missing where it is
    `frame_missing`, a number as text, or nan. UsageError for what is none of these.
    """

    frame: str | None = None
    grid: str | None = None
    frame_dtype: str | None = None
    frame_scale: float | None = None
    frame_missing: str | None = None

    def __post_init__(self) -> None:
        if self.frame_dtype not in (None, *FRAME_TYPES):
            known = ", ".join(FRAME_TYPES)
            raise UsageError(f"there are no frames of {self.frame_dtype!r}", hint=f"choose from: {known}")
        scale = self.frame_scale
        if scale is not None and not (math.isfinite(scale) and scale != 0):
            raise UsageError(f"frame-scale is a number that stored values are multiplied by, not {scale}")
        self.missing  # noqa: B018 it checks
        self.shape  # noqa: B018 likewise

    @property
    def missing(self) -> float | None:
        """The stored value that stands for a missing pixel; None if there is none."""
        try:
            return None if self.frame_missing is None else float(self.frame_missing)
        except ValueError:
            raise UsageError(
                f"frame-missing is the stored value of missing pixels, not {self.frame_missing!r}",
                hint="give a number, such as -9999, or nan",
            ) from None

    @property
    def shape(self) -> tuple[int, ...]:
        """The numbers of the grid, two or three; none if it was not said."""
        if self.grid is None:
            return ()
        sizes = self.grid.split("x")
        found = tuple(int(size) for size in sizes if size.isdecimal() and len(size) < 10)
        if len(found) != len(sizes) or len(found) not in (2, 3) or not 0 < math.prod(found) <= LARGEST_GRID:
            raise UsageError(
                f"a grid is rows x columns, or rows x columns x channels, not {self.grid!r}",
                hint="write it like 48x48 or 64x64x3",
            )
        return found


@dataclass(frozen=True)
class NetworkSpec(Spec):
    """The recurrent network, which encodes sequences for any task.

    `inputs` features a step, `layers` recurrent layers of `hidden` units, `members` networks whose answers are
    averaged. `cell` is the name of every layer's cell, or one name for each, separated by commas; with `layer_norm` the
    output of each layer is normalised. `dropout` is the share of units that training leaves out between layers,
    `recurrent_dropout` that of the weights from one step to the next.
    """

    cell: str
    activation: str
    layers: int
    hidden: int
    dropout: float
    residual: bool
    init: str
    inputs: int
    members: int = 1
    layer_norm: bool = added(default=False, since=3)
    recurrent_dropout: float = added(0.0, since=4)

    def __post_init__(self) -> None:
        for name, most in _SIZES.items():
            size = getattr(self, name)
            if size < 1:
                raise UsageError(f"{name} must be at least 1, not {size}")
            if size > most:
                raise UsageError(f"{name} must be at most {most:,}, not {size:,}")
        for name in ("dropout", "recurrent_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} must be in [0, 1), not {getattr(self, name)}")
        if self.activation not in ("tanh", "relu"):
            raise UsageError(f"activation must be tanh or relu, not {self.activation!r}")
        initialisation(self.init)


def initialisation(text: str) -> tuple[str, float]:
    """The initialisation of weights, as `--init` has it: ("chrono", T) or (name, 0). UsageError for anything else."""
    scheme, colon, steps = text.partition(":")
    if scheme == "chrono":
        return scheme, _memory(text, steps)
    if colon or scheme not in INITIALISATIONS:
        raise UsageError(f"there is no initialisation {text!r}", hint=f"choose from: {', '.join(INITIALISATIONS)}")
    return scheme, 0.0


def _memory(text: str, steps: str) -> float:
    try:
        memory = float(steps)
    except ValueError:
        memory = math.nan
    if not 2 <= memory <= _FLOAT32:
        raise UsageError(
            f"{text!r}: chrono needs a number of steps from 2 to {_FLOAT32:g}", hint="for example chrono:24"
        )
    return memory


@dataclass(frozen=True)
class TrainingSpec(Spec):
    """How the weights are found; `steps` is planned before the first one.

    Gradients go back through `tbptt` steps of a sequence at most, if that is given, and each of their numbers is cut
    to `clip_value`, if that is, before all of them are scaled to a norm of `clip`.
    """

    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    clip: float
    seed: int
    averaging: float
    evaluate_every: int
    time_budget: float | None = None
    tbptt: int | None = added(None, since=3)
    clip_value: float | None = added(None, since=3)

    def __post_init__(self) -> None:
        for name, most in (_COUNTS | _NUMBERS).items():
            value = getattr(self, name)
            if value is not None:
                _refuse_outside(name, value, "above 0", most, fits=value > 0)
        _refuse_outside("seed", self.seed, "0 or above", LARGEST_SEED, fits=self.seed >= 0)
        _refuse_outside("weight_decay", self.weight_decay, "0 or above", 1, fits=self.weight_decay >= 0)
        if not 0 <= self.averaging < 1:
            raise UsageError(f"averaging must be in [0, 1), not {self.averaging}")


def _refuse_outside(name: str, value: float, least: str, most: float, *, fits: bool) -> None:
    """UsageError unless a value `fits` what is said of the least, and is not above the most."""
    if not fits:
        raise UsageError(f"{name.replace('_', '-')} must be {least}, not {value}")
    if value > most:
        raise UsageError(f"{name.replace('_', '-')} must be at most {most:,}, not {value:,}")
