"""A backtest of a forecasting model beside the naive forecasts, and scores of forecasts that were saved."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnncli.arrays import Ints
from rnncli.data.load import Loaded
from rnncli.data.objects import NAME, Data
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, SeriesRefused
from rnncli.evaluation.backtest import Split, relative_to_cutoffs
from rnncli.evaluation.kept import kept_forecasts
from rnncli.evaluation.run import MODEL, Made, evaluate_made, evaluate_saved
from rnncli.evaluation.saved import match
from rnncli.evaluation.saved_table import load_saved
from rnncli.evaluation.split_fans import split_fans
from rnncli.events import Listener, Noted
from rnncli.processors import available_cpus
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.answer import checked_horizon, tell_beyond
from rnncli.tasks.forecast.drifting import drift_of, tell_drift
from rnncli.tasks.forecast.fitting import tell_fitted
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.origins import left_out, not_scored, origins
from rnncli.tasks.forecast.plan import default_horizon
from rnncli.tasks.forecast.reading import load_known, load_new, with_seasons, within_bounds
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.reading import without_bad
from rnncli.tasks.task import Again, Backtest, Scored


def evaluated(
    data: Data, model: Forecaster, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
) -> Scored:
    """The scores of a model from the origins that are wanted.

    Where these lie before the end of what it was trained on, it is trained `again` on the rows before the first of
    them, or, without a refit, marked in-sample.
    """
    return scored(load_until(data, model, choices, wanted, tell), model, choices, wanted, tell, again)


def load_until(data: Data, model: Forecaster, choices: ColumnChoices, wanted: Backtest, tell: Listener) -> Loaded:
    """The data up to where a backtest ends."""
    choices = replace(choices, until=wanted.until)
    return within_bounds(load_known(data, choices, model, tell), model.bounds, choices, tell)


def steps_of(loaded: Loaded, model: Forecaster, wanted: Backtest) -> int:
    """The horizon of a backtest."""
    steps = checked_horizon(wanted.horizon, model)
    panel = loaded.panel
    return (wanted.horizon or default_horizon(panel.calendar, panel.lengths)) if model.unfitted else steps


def scored(
    loaded: Loaded, model: Forecaster, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
) -> Scored:
    """The scores of a model on data that are loaded."""
    panel, season = loaded.panel, model.spec.seasons[0]
    if model.spec.follows_target:
        loaded = replace(loaded, panel=panel.cut(panel.observed_ends()))
    if model.unfitted:  # scales and baselines have the season of all rows, as beside a model that data have taught
        season = panel.calendar.seasons[0]
    steps = steps_of(loaded, model, wanted)
    splits = origins(loaded, steps, wanted)
    if model.unfitted:
        model = fitted_before(model, loaded, splits)
        tell_fitted(model, tell)
    beyond = tell_beyond(steps, model, tell)
    found = drift_of(panel, model)
    tell_drift(found, tell)
    refit = wanted.refit and not all(flag.all() for flag in relative_to_cutoffs(loaded.panel, splits, model.cutoffs))
    notes: tuple[str, ...] = ()
    if refit:
        tell(Noted("the origins lie in the training rows: training once more on what came before the first"))
        model = again(before(loaded, splits), model)
        notes = ("the network was trained once more, on the rows before the first origin",)
    workers = wanted.workers or available_cpus()
    made, refused = forecasts_at(model, panel, splits, workers)
    if refused:
        loaded = without_bad(loaded, refused, InputRefused, tell, skip=choices.on_bad_series == "skip")
        splits = origins(loaded, steps, wanted)
        made, _ = forecasts_at(model, panel.select(_places(panel, loaded.panel.ids)), splits, workers)
    flags = None if refit else relative_to_cutoffs(loaded.panel, splits, model.cutoffs)
    missing = not_scored(loaded.panel, splits)
    notes += left_out(len(missing), missing, wanted)
    report = evaluate_made(loaded.panel, splits, made, model.spec.levels, season, flags, notes)
    fans = split_fans(loaded.panel, splits[-1], made[-1], model.spec.levels, season, loaded.columns)
    every = kept_forecasts(loaded.panel, splits, report.made[MODEL], loaded.columns)
    return Scored(report, refit, found, loaded.skipped, beyond, fans, model, every)


def fitted_before(model: Forecaster, loaded: Loaded, splits: Sequence[Split]) -> Forecaster:
    """A model that no data have taught, fitted to the rows before the first origin; so are its seasons."""
    return model.for_data(with_seasons(before(loaded, splits)), splits[0].horizon)


def before(loaded: Loaded, splits: Sequence[Split]) -> Loaded:
    """The rows before the first origin of each series; a series without one is left out."""
    panel = loaded.panel
    kept = np.full(len(panel), np.iinfo(np.int64).max)
    for split in splits:
        kept[split.series] = np.minimum(kept[split.series], split.rows_kept)
    return replace(loaded, panel=panel.cut(np.where(kept == np.iinfo(np.int64).max, 0, kept)))


def _places(panel: Panel, ids: Sequence[str]) -> Ints:
    """Where in a panel these series are."""
    place = {name: s for s, name in enumerate(panel.ids)}
    return np.array([place[name] for name in ids], np.int64)


def forecasts_at(
    model: Forecaster, panel: Panel, splits: Sequence[Split], workers: int
) -> tuple[list[Made], list[SeriesRefused]]:
    """The forecasts of every split, and a refusal for each series that has none in one of them."""
    every = [forecasts_if_any(model, panel, split, workers) for split in splits]
    refused = {error.series: error for _, errors in every for error in errors}
    return [made for made, _ in every], list(refused.values())


def forecasts_of(model: Forecaster, panel: Panel, split: Split) -> Made:
    """Quantiles and medians from the origins of a split. SeriesRefused where nothing can be forecast from one."""
    made, refused = forecasts_if_any(model, panel, split)
    if refused:
        raise refused[0]
    return made


def forecasts_if_any(
    model: Forecaster, panel: Panel, split: Split, workers: int = 1
) -> tuple[Made, list[SeriesRefused]]:
    """Quantiles and medians from the origins of a split, by a model that sees nothing behind them; NaN for a series
    from which nothing can be forecast, and why. So many `workers` share the work.
    """
    past = _past(panel, split, model.spec)
    made = model.quantiles_if_any(past, split.rows_kept, split.horizon, workers)
    return Made(made, made[..., model.spec.median]), model.unseen(past, made)


def _past(panel: Panel, split: Split, spec: ForecastSpec) -> Panel:
    """The series of a split up to its origins; covariates that are known ahead stay for the horizon."""
    if not spec.waits_for_covariates:
        return split.past(panel)
    cut = panel.select(split.series).cut(split.rows_kept + max(split.horizon, spec.horizon))
    row = np.arange(len(cut.values)) - np.repeat(cut.offsets[:-1], cut.lengths)
    values = cut.values.copy()
    values[row >= np.repeat(split.rows_kept, cut.lengths), 0] = np.nan
    return replace(cut, values=values)


def scored_saved(data: Data, forecasts: Data, choices: ColumnChoices, tell: Listener) -> Scored:
    """The scores of forecasts that were saved, beside baselines made from the rows before each origin."""
    loaded = load_new(data, choices, {}, tell)
    saved = load_saved(forecasts, loaded)
    if 0.5 not in saved.levels:
        raise InputRefused(
            "the saved forecasts have no median", where=_named(forecasts), hint="they need a column q0.5"
        )
    matched = match(loaded.panel, saved.ids, saved.times, saved.quantiles, saved.point, saved.steps)
    report = evaluate_saved(loaded.panel, matched, saved.levels, loaded.panel.calendar.seasons[0])
    return Scored(report, refitted=False, skipped=loaded.skipped)


def _named(forecasts: Data) -> str:
    return os.fspath(forecasts) if isinstance(forecasts, (str, os.PathLike)) else NAME
