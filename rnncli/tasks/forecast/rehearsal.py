"""A forecast or a backtest tried on a few series, for what that of all of them would cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.parts import SeriesApart
from rnncli.data.writers.forecasts import results_of
from rnncli.data.writers.results import Style, pieces
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.events import Listener, unheard
from rnncli.options.types import AnswerOptions
from rnncli.processors import EACH, available_cpus
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.answer import checked_horizon
from rnncli.tasks.forecast.evaluate import before, load_until, scored, steps_of
from rnncli.tasks.forecast.forecaster import WORTH, Forecaster
from rnncli.tasks.forecast.known_ahead import short_of_covariates
from rnncli.tasks.forecast.levels import asked_levels
from rnncli.tasks.forecast.long_answer import LONG, Noticed
from rnncli.tasks.forecast.origins import origins
from rnncli.tasks.forecast.reading import load_known_parts
from rnncli.tasks.forecast.scored_parts import Counted, counted_parts
from rnncli.tasks.forecast.tabled import table_of
from rnncli.tasks.forecast.usable import (
    drift_told,
    refuse_unfit,
    tables_ahead,
    tell_noticed,
    usable_at_once,
    usable_parts,
)
from rnncli.tasks.reading import without_bad
from rnncli.tasks.task import Backtest

TRIED = (64, 512)  # series that are forecast; the first time warms up
SCORED = (64, 1_024)  # that are scored, by all processors as all of them are
SIDE_BY_SIDE = 0.85  # of what several processors could do


@dataclass(frozen=True)
class Tried:
    """What was read: `rows` of `series`; and what is left to do: so many `seconds` of it (`least` where a training
    stops early) for `made` rows (of a backtest forecasts) of `steps`, in so many `bytes`, with `memory` bytes beside
    the data. `again` says that a network is trained once more, in these seconds too. Trying took `trying` seconds.
    """

    rows: int
    series: int
    least: float
    seconds: float
    made: int
    steps: int
    bytes: int = 0
    memory: int = 0
    again: bool = False
    trying: float = 0.0
    notes: tuple[str, ...] = ()
    skipped: tuple[SeriesRefused, ...] = ()


def predict(data: Data, model: Forecaster, choices: ColumnChoices, options: AnswerOptions, tell: Listener) -> Tried:
    """A forecast, tried on some series. UsageError, InputRefused or InputStale as the forecast itself."""
    if options.get("state") is not None:
        raise UsageError("--dry-run does not look into a state", hint="leave --state out")
    steps = checked_horizon(options.get("horizon"), model)
    rows, series, some = _read(data, model, choices, steps, options, tell)
    if model.unfitted:
        model = model.for_data(some, options.get("horizon"))
        steps = checked_horizon(options.get("horizon"), model)
    began = time.monotonic()
    seconds, size = _forecast(some, model, steps, options)
    trying = time.monotonic() - began
    levels = asked_levels(options.get("quantiles"), model.spec.levels)
    numbers = series * steps * (len(levels) + 1)
    workers = options.get("threads") or available_cpus()
    shared = min(workers, max(1, series // (WORTH * EACH)))
    seconds = seconds * series / (1 if shared < 2 else SIDE_BY_SIDE * shared)
    memory = 8 * min(numbers, LONG) * 3
    found = Tried(rows, series, seconds, seconds, series * steps, steps, int(size * series), memory)
    return replace(found, trying=trying, notes=some.notes, skipped=some.skipped)


def _read(
    data: Data, model: Forecaster, choices: ColumnChoices, steps: int, options: AnswerOptions, tell: Listener
) -> tuple[int, int, Loaded]:
    """The rows and series that would be forecast, and some of these, with what was noticed in all."""
    refuse_unfit(model, options)
    ahead, skip = tables_ahead(model, options, tell), choices.on_bad_series == "skip"
    if ahead is None and not (model.unfitted or model.columns.future):
        with suppress(SeriesApart):
            found = _in_parts(data, model, choices, steps, options, tell)
            if found is not None:
                return found
    loaded = usable_at_once(data, model, choices, options, tell, ahead)
    drift_told(loaded, model, options, tell)
    short = short_of_covariates(loaded.panel, model.ends(loaded.panel), steps, model)
    loaded = without_bad(loaded, short, InputRefused, tell, skip=skip)
    return len(loaded.panel.values), len(loaded.panel), loaded


def _in_parts(
    data: Data, model: Forecaster, choices: ColumnChoices, steps: int, options: AnswerOptions, tell: Listener
) -> tuple[int, int, Loaded] | None:
    """The rows, the series and the first of the data that a forecast would be made from, read some series at a time;
    None where data are better read as one. SeriesApart.
    """
    noticed = Noticed(choices.on_bad_series == "skip")
    parts = load_known_parts(data, choices, model, noticed.notes, noticed.skipped)
    if parts is None:
        return None
    some: Loaded | None = None
    rows = series = 0
    for part in usable_parts(parts, model, steps, options, noticed):
        rows, series, some = rows + len(part.panel.values), series + len(part.panel), some or part
    if some is None:
        raise noticed.none_left()
    tell_noticed(noticed, options, tell)
    return rows, series, replace(some, notes=noticed.notes.lines(), skipped=tuple(noticed.skipped))


def _forecast(loaded: Loaded, model: Forecaster, steps: int, options: AnswerOptions) -> tuple[float, float]:
    """Seconds and bytes of a series in a file."""
    levels = asked_levels(options.get("quantiles"), model.spec.levels)
    seconds, size, count = 0.0, 0.0, 1
    for most in TRIED:
        some = _spread(loaded, most)
        began, count = time.monotonic(), len(some.panel)
        made = model.quantiles_if_any(some.panel, model.ends(some.panel), steps)
        seen = np.flatnonzero(~np.isnan(made[:, 0, 0]))
        table = table_of(some.select(seen), model, made[seen], levels, options.get("point") or "median")
        asked = options.get("out_format") or "csv"
        size = sum(map(len, pieces(results_of(table, Style()), asked, Style()))) if len(seen) else 0
        seconds = time.monotonic() - began
    return seconds / count, size / count


def _spread(loaded: Loaded, most: int) -> Loaded:
    """So many of the series, from all over the data."""
    places = np.linspace(0, len(loaded.panel) - 1, min(most, len(loaded.panel))).astype(np.int64)
    return replace(loaded.select(np.unique(places)), skipped=())


def evaluate(
    data: Data,
    model: Forecaster,
    choices: ColumnChoices,
    wanted: Backtest,
    tell: Listener,
    training: Callable[[Loaded, Any], tuple[float, float]],
) -> Tried:
    """A backtest, tried on some series; `training` gives the seconds of a network's training on what is loaded, at
    least and at most.
    """
    counted = counted_parts(data, model, choices, wanted, tell)
    loaded = load_until(data, model, choices, wanted, tell) if counted is None else counted.some
    steps = steps_of(loaded, model, wanted)
    splits = origins(loaded, steps, wanted)
    if counted is None:
        made, panel = sum(len(split.series) for split in splits), loaded.panel
        counted = Counted(len(panel.values), len(panel), made, loaded, loaded.notes, loaded.skipped)
    refits: list[bool] = []

    def taken(some: Loaded) -> float:
        began = time.monotonic()
        refits.append(scored(some, model, choices, wanted, unheard, lambda _, same: same).refitted)
        return time.monotonic() - began

    tried = time.monotonic()
    few, many = (_spread(loaded, most) for most in SCORED)
    taken(few)  # the first time warms up
    less, more = taken(few), taken(many)
    slope = (more - less) / max(1, len(many.panel) - len(few.panel))
    seconds = more + max(0.0, slope) * (counted.series - len(many.panel))
    again = training(before(loaded, splits), model) if any(refits) else (0.0, 0.0)
    trying = time.monotonic() - tried
    rows, series, made, _, notes, skipped = counted
    at_once = sum(len(split.series) for split in splits)  # of a part, or of all
    memory = 8 * at_once * steps * (len(model.spec.levels) + 1) * 4
    least, most = (seconds + one for one in again)
    return Tried(rows, series, least, most, made, steps, 0, memory, any(refits), trying, notes, skipped)
