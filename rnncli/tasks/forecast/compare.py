"""Several forecasting models, and forecasts that were saved, scored from the same origins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.data.source import sources
from rnncli.errors import InputRefused, UsageError
from rnncli.evaluation.backtest import Split, relative_to_cutoffs
from rnncli.evaluation.run import Made, evaluate_together
from rnncli.evaluation.saved import Matched, match
from rnncli.evaluation.saved_table import Saved, load_saved
from rnncli.evaluation.side_by_side import SideBySide, side_by_side
from rnncli.events import Listener, Noted
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.answer import checked_horizon
from rnncli.tasks.forecast.evaluate import before, fitted_before, forecasts_of
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.origins import left_out, not_scored, origins
from rnncli.tasks.forecast.plan import default_horizon
from rnncli.tasks.forecast.reading import load_known, load_new, within_bounds
from rnncli.tasks.task import Again, Backtest

MEDIAN = 0.5


@dataclass(frozen=True)
class _Rows:
    """The data as one model reads them, `whole`, and those of its rows that have a target, or whose target may come."""

    whole: Loaded
    scored: Panel


def compared(
    data: Data,
    models: Mapping[str, Forecaster],
    forecasts: Mapping[str, Data],
    choices: ColumnChoices,
    wanted: Backtest,
    alpha: float,
    tell: Listener,
    again: Again,
) -> SideBySide:
    """The scores, ranks and paired tests of models and saved forecasts by name, on the rows that all of them forecast.

    Models forecast from the origins that are wanted or, where there are saved forecasts, from those of these. A model
    that has seen such rows is trained `again` on what came before, or, without a refit, marked in-sample.
    """
    rows = _read(data, models, replace(choices, until=wanted.until), once(tell))
    first = next(iter(rows.values()))
    panel = first.scored
    saved = {name: load_saved(path, first.whole) for name, path in forecasts.items()}
    splits, found = _origins(replace(first.whole, panel=panel), models, saved, wanted)
    taught = [name for name, model in models.items() if not model.unfitted]
    models = {name: _fitted(model, rows[name], splits) for name, model in models.items()}
    levels = _levels(models, saved)
    made = {
        name: [_of_levels(one.quantiles, one.point, saved[name].levels, levels) for one in every]
        for name, every in found.items()
    }
    in_sample, notes = set(), []
    for name, model in models.items():
        chosen, honest = model, all(flag.all() for flag in relative_to_cutoffs(panel, splits, model.cutoffs))
        if not honest and wanted.refit:
            tell(Noted(f"{name}: the origins lie in its training rows: training once more on what came before them"))
            chosen = again(before(replace(rows[name].whole, panel=rows[name].scored), splits), model)
            notes.append(f"{name} was trained once more, on the rows before the first origin")
        elif not honest:
            in_sample.add(name)
        by = [forecasts_of(chosen, rows[name].whole.panel, split) for split in splits]
        made[name] = [_of_levels(*one, model.spec.levels, levels) for one in by]
    seasons = {name: models[name].spec.seasons[0] for name in taught}
    season = next(iter(seasons.values())) if seasons else panel.calendar.seasons[0]
    if len(set(seasons.values())) > 1:
        notes.append(
            f"MASE is scaled by the season of {next(iter(seasons))}, {season} steps: those of the others differ"
        )
    missing = not_scored(panel, splits)
    notes += left_out(len(missing), missing, wanted)
    report = evaluate_together(panel, splits, made, levels, season, tuple(notes))
    return side_by_side(report, list(made), frozenset(in_sample), alpha)


def _fitted(model: Forecaster, rows: _Rows, splits: Sequence[Split]) -> Forecaster:
    """The model; one that no data have taught is fitted to the rows before the first origin."""
    if not model.unfitted:
        return model
    return fitted_before(model, replace(rows.whole, panel=rows.scored), splits)


def once(tell: Listener) -> Listener:
    """A listener that is told of nothing twice: every model reads the same data."""
    told: list[object] = []

    def listen(event: object) -> None:
        if event not in told:
            told.append(event)
            tell(event)

    return listen


def _read(data: Data, models: Mapping[str, Forecaster], choices: ColumnChoices, tell: Listener) -> dict[str, _Rows]:
    """The data as each model reads them, of those series that all of them can use. InputRefused where one reads other
    values than another.
    """
    if not models:
        loaded = load_new(data, choices, {}, tell)
        return {"": _Rows(loaded, loaded.panel)}
    usual = next(iter(models.values())).columns.format
    opened: Any = sources(data, choices, usual)  # standard input can be read but once
    read = {
        name: within_bounds(load_known(opened, choices, model, tell), model.bounds, choices, tell)
        for name, model in models.items()
    }
    common = set.intersection(*(set(loaded.panel.ids) for loaded in read.values()))
    waits = any(model.spec.follows_target for model in models.values())
    rows = {name: _of_series(loaded, common, waits=waits) for name, loaded in read.items()}
    (first, one), *others = rows.items()
    for name, other in others:
        _refuse_other_values(first, one.scored, name, other.scored)
    return rows


def _of_series(loaded: Loaded, ids: set[str], *, waits: bool) -> _Rows:
    kept = np.array([place for place, name in enumerate(loaded.panel.ids) if name in ids], np.int64)
    whole = loaded if len(kept) == len(loaded.panel) else loaded.select(kept)
    return _Rows(whole, whole.panel.cut(whole.panel.observed_ends()) if waits else whole.panel)


def _refuse_other_values(first: str, one: Panel, name: str, other: Panel) -> None:
    """InputRefused where two models do not forecast the same."""
    same = one.ids == other.ids and np.array_equal(one.offsets, other.offsets)
    same = same and np.array_equal(one.starts, other.starts) and one.calendar.frequency == other.calendar.frequency
    if not same or not np.array_equal(one.targets, other.targets, equal_nan=True):
        told = " and ".join(repr(panel.channels[0].name) for panel in (one, other))
        raise InputRefused(
            f"{first} and {name} do not forecast the same values of these data (their targets: {told})",
            hint="compare models of one target and one frequency",
        )


def _origins(
    loaded: Loaded, models: Mapping[str, Forecaster], saved: Mapping[str, Saved], wanted: Backtest
) -> tuple[list[Split], dict[str, list[Matched]]]:
    """Where forecasts begin, and the saved ones there."""
    panel = loaded.panel
    if not saved:
        fitted = [model for model in models.values() if not model.unfitted]
        usual = default_horizon(panel.calendar, panel.lengths)
        steps = wanted.horizon or min((model.spec.horizon for model in fitted), default=usual)
        for model in fitted:
            checked_horizon(steps, model)
        return origins(loaded, steps, wanted), {}
    if wanted.windows not in (None, 1) or {wanted.stride, wanted.horizon, wanted.start, wanted.until} != {None}:
        raise UsageError(
            "saved forecasts have origins of their own, and models forecast from these",
            hint="leave --windows, --from, --until, --stride and --horizon out",
        )
    found = {}
    for name, table in saved.items():
        if MEDIAN not in table.levels:
            raise InputRefused("the saved forecasts have no median", where=name, hint="they need a column q0.5")
        found[name] = match(panel, table.ids, table.times, table.quantiles, table.point, table.steps)
    splits = _windows(panel, found)
    return splits, {name: list(map(_at, every, splits)) for name, every in found.items()}


def _windows(panel: Panel, found: Mapping[str, Sequence[Matched]]) -> list[Split]:
    """What all saved forecasts have of each window. InputRefused where one has more windows than another."""
    (first, every), *others = found.items()
    for name, other in others:
        if len(other) != len(every):
            raise InputRefused(
                f"{first} has forecasts from {len(every):,} origins of a series, and {name} from {len(other):,}",
                hint="compare forecasts from the same origins",
            )
    splits = [
        _common(panel, {name: one.split for name, one in zip(found, window, strict=True)})
        for window in zip(*found.values(), strict=True)
    ]
    horizon = min(split.horizon for split in splits)
    return [replace(split, horizon=horizon) for split in splits]


def _common(panel: Panel, splits: Mapping[str, Split]) -> Split:
    """The series, origins and steps that all saved forecasts have. InputRefused where a series has several origins."""
    (first, one), *others = splits.items()
    series: Ints = one.series
    for _, other in others:
        series = np.intersect1d(series, other.series)
    if not len(series):
        raise InputRefused("the saved forecasts have no series in common", hint="compare forecasts of the same data")
    kept = one.rows_kept[np.searchsorted(one.series, series)]
    for name, other in others:
        apart = np.flatnonzero(other.rows_kept[np.searchsorted(other.series, series)] != kept)
        if len(apart):
            raise InputRefused(
                f"{first} and {name} begin at different times",
                where=f"series {panel.ids[int(series[apart[0]])]!r}",
                hint="compare forecasts from the same origins: predict --as-of TIME makes them",
            )
    return Split(series, kept, min(split.horizon for split in splits.values()), len(panel) - len(series))


def _at(found: Matched, split: Split) -> Matched:
    """Saved forecasts of the series and steps of a split."""
    rows = np.searchsorted(found.split.series, split.series)
    quantiles, point = found.quantiles[rows, : split.horizon], found.point[rows, : split.horizon]
    return replace(found, split=split, quantiles=quantiles, point=point)


def _levels(models: Mapping[str, Forecaster], saved: Mapping[str, Saved]) -> tuple[float, ...]:
    """The levels that all have, among them the median."""
    every: Iterator[Sequence[float]] = iter(
        [*(model.spec.levels for model in models.values()), *(table.levels for table in saved.values())]
    )
    common = set(next(every)).intersection(*every)
    return tuple(sorted(common))


def _of_levels(quantiles: Floats, point: Floats, has: Sequence[float], levels: Sequence[float]) -> Made:
    return Made(quantiles[..., [list(has).index(level) for level in levels]], point)
