"""What a caller may say, by name; left out or None means that the data, or the model, decide."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypedDict

from rnncli.data.numbertext import thousands_mark
from rnncli.data.timestyle import check_style, has_clock
from rnncli.errors import UsageError
from rnncli.near import did_you_mean
from rnncli.said import only, positive
from rnncli.spec import ColumnChoices

ON_BAD_SERIES = ("fail", "skip")


class Holder(Protocol):
    """What holds a model: the result of `train` or `info`, or the model itself."""

    @property
    def model(self) -> Any:
        """The model."""


Model = str | os.PathLike[str] | Holder


class ColumnOptions(TypedDict, total=False):
    """How the data are read: see `ColumnChoices`."""

    time: str | None
    id: str | Iterable[str] | None
    target: str | None
    time_format: str | None
    decimal: str | None
    thousands: str | None
    separator: str | None
    encoding: str | None
    past: Iterable[str]
    future: Iterable[str]
    static: Iterable[str]
    wide: bool
    strict: bool
    format: str | None
    zone: str | None
    as_of: str | None
    on_bad_series: str | None
    max_rows: int | None
    max_bytes: int | None
    max_columns: int | None


class ArchitectureOptions(ColumnOptions, total=False):
    """The network and what it forecasts."""

    horizon: int | None
    season: int | Iterable[int] | None
    context: int | None
    cell: str | None
    activation: str | None
    layers: int | None
    hidden: int | None
    dropout: float | None
    init: str | None
    members: int | None
    plain_stack: bool
    layer_norm: bool
    quantiles: Iterable[float] | None
    seed: int | None


class InspectOptions(ArchitectureOptions, total=False):
    """A network whose gradients are inspected, with what decides on its steps."""

    learning_rate: float | None
    batch: int | None
    clip: float | None


class TrainOptions(ArchitectureOptions, total=False):
    """How it is trained: `time_budget` in seconds, `learning_rate` the peak, `clip` the largest gradient norm,
    `clip_value` the largest number in a gradient, `tbptt` through how many steps gradients go back at most.

    All values lie between `min` and `max`, and so do the forecasts. `holidays` are those of countries or their parts
    (US, US-CA), as covariates; with `keep_covariates` these and all others stay whatever held-out rows say of them.

    `fresh` starts over whatever is there, `warm_start` is a model to begin with; a training under way is kept at least
    `checkpoint_every` seconds apart, and waits `lock_wait` seconds for another that writes the same model. Of
    gradients is told every `watch_gradients` steps.
    """

    holidays: Iterable[str]
    min: float | None
    max: float | None
    keep_covariates: bool
    steps: int | None
    time_budget: float | None
    learning_rate: float | None
    batch: int | None
    clip: float | None
    clip_value: float | None
    tbptt: int | None
    device: str | None
    threads: int | None
    watch_gradients: int | None
    fresh: bool
    warm_start: Model | None
    checkpoint_every: float | None
    lock_wait: float | None


def column_choices(options: Mapping[str, Any]) -> ColumnChoices:
    """What was said about columns."""
    positive(options, "max_rows", "max_bytes", "max_columns")
    given = only(ColumnChoices, options)
    if isinstance(given.get("id"), str):
        given["id"] = (given["id"],)
    if choices_time := given.get("time_format"):
        _check_formats(choices_time)
    choices = _marks(ColumnChoices(**given))
    if choices.on_bad_series not in ON_BAD_SERIES:
        raise UsageError(f"on_bad_series is {' or '.join(ON_BAD_SERIES)}, not {choices.on_bad_series!r}")
    return choices


def _check_formats(style: str) -> None:
    """UsageError where no moment can be read by a style, or by two with a comma between: of dates and times of day."""
    date, _, clock = style.rpartition(",")
    if date and has_clock(clock) and not has_clock(date):
        check_style(date)
    else:
        check_style(style)


def _marks(choices: ColumnChoices) -> ColumnChoices:
    """The choices with marks of numbers and fields as they are in files. UsageError if they cannot be."""
    if choices.decimal not in (None, ".", ","):
        raise UsageError(f"the decimal mark must be . or , and not {choices.decimal!r}")
    thousands = None if choices.thousands is None else thousands_mark(choices.thousands)
    if choices.thousands is not None and thousands is None:
        raise UsageError(f"numbers have no {choices.thousands!r} between thousands", hint="say , . ' _ or space")
    if thousands is not None and thousands == choices.decimal:
        raise UsageError(f"{thousands!r} cannot be the decimal mark and stand between thousands too")
    separator = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|", "space": " "}.get(
        choices.separator or "", choices.separator
    )
    if separator is not None and (len(separator) != 1 or separator in '\r\n"' or ord(separator) > 127):
        raise UsageError(f"fields cannot be separated by {separator!r}", hint="say one mark: , ; | or tab")
    return dataclasses.replace(choices, thousands=thousands, separator=separator)


def refuse_unknown(options: Mapping[str, Any], known: type[Any]) -> None:
    """UsageError naming an option that there is not, with a near match."""
    names = sorted(known.__annotations__)
    for name in options:
        if name not in names:
            raise UsageError(f"there is no option {name!r}", hint=did_you_mean(name, names))
