"""Score forecasts beside the baselines: those made at every split of a backtest, or forecasts that were saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats
from rnncli.baselines.baseline import Baseline
from rnncli.data.panel import Panel
from rnncli.data.wall import at_steps, follows, laid
from rnncli.errors import RnncliError
from rnncli.evaluation.backtest import Integers, Split
from rnncli.evaluation.paired import Losses
from rnncli.evaluation.report import Report, Window
from rnncli.evaluation.saved import Matched
from rnncli.evaluation.scores import score
from rnncli.metrics.metric import Forecasts
from rnncli.metrics.point import mase
from rnncli.metrics.scale import seasonal_scales
from rnncli.registry import BASELINES, find

MODEL = "model"


class Made(NamedTuple):
    """Forecasts of N series: quantiles [N, H, Q] and points [N, H], NaN where there is none."""

    quantiles: Floats
    point: Floats


class History(NamedTuple):
    """The rows before the origins of N series, one series after the other: values [rows], offsets [N + 1]."""

    values: Floats
    offsets: Integers


def evaluate_made(
    panel: Panel,
    splits: Sequence[Split],
    made: Sequence[Made],
    levels: tuple[float, ...],
    season: int,
    honest: Sequence[NDArray[np.bool_]] | None = None,
    notes: tuple[str, ...] = (),
    others: Mapping[str, Sequence[Made]] = MappingProxyType({}),
) -> Report:
    """Score forecasts beside the baselines at every split: quantiles [N, H, Q] at `levels` and points [N, H] of each.

    `honest` is what `relative_to_cutoffs` said of the splits; without it every forecast counts as honest. `others` are
    the forecasts of other forecasters, by name; baselines that are not among them are made here. RnncliError where a
    forecast has another shape than the values it is of.
    """
    flags = honest or [np.ones(len(split.series), dtype=np.bool_) for split in splits]
    tables: dict[str, list[Forecasts]] = {}
    for place, split in enumerate(splits):
        actual = split.actual(panel)
        mine = {MODEL: made[place]} | {name: every[place] for name, every in others.items()}
        mine = {name: _checked(forecasts, actual, levels) for name, forecasts in mine.items()}
        for name, table in _beside_baselines(panel, split, actual, mine, levels, season).items():
            tables.setdefault(name, []).append(table)
    return _report(panel, splits, tables, season, _dishonest(panel, splits, flags), notes)


def evaluate_together(
    panel: Panel,
    splits: Sequence[Split],
    made: Mapping[str, Sequence[Made]],
    levels: tuple[float, ...],
    season: int,
    notes: tuple[str, ...] = (),
) -> Report:
    """Score several forecasters by name, and the baselines, at every split on the rows that all of them forecast."""
    tables: dict[str, list[Forecasts]] = {}
    for place, split in enumerate(splits):
        actual = split.actual(panel)
        here = {name: _checked(every[place], actual, levels) for name, every in made.items()}
        for one in here.values():
            actual = np.where(np.isnan(one.point), np.nan, actual)
        for name, table in _beside_baselines(panel, split, actual, here, levels, season).items():
            tables.setdefault(name, []).append(table)
    return _report(panel, splits, tables, season, None, notes)


def evaluate_saved(
    panel: Panel, matched: Sequence[Matched], levels: tuple[float, ...], season: int, notes: tuple[str, ...] = ()
) -> Report:
    """Score saved forecasts, found by `match`, beside baselines made from the rows before each origin."""
    tables: dict[str, list[Forecasts]] = {}
    for one in matched:
        saved = {MODEL: Made(one.quantiles, one.point)}
        for name, table in _beside_baselines(panel, one.split, one.actual, saved, levels, season).items():
            tables.setdefault(name, []).append(table)
    splits = [one.split for one in matched]
    return _report(panel, splits, tables, season, None, (*notes, *_unmatched(panel, matched)))


def _beside_baselines(
    panel: Panel,
    split: Split,
    actual: Floats,
    made: Mapping[str, Made],
    levels: tuple[float, ...],
    season: int,
) -> dict[str, Forecasts]:
    """Forecasts of the model (and of others) and of each baseline, with the scales of their histories."""
    history = History(*split.history(panel))
    scale, squared = (seasonal_scales(*history, season, power) for power in (1, 2))
    found: list[Baseline] = [find(BASELINES["forecast"], name, "baseline") for name in BASELINES["forecast"]]
    missing = [baseline for baseline in found if baseline.name not in made]
    rows, step = _rows_and_steps(panel, split, history, actual.shape[1], season)
    every = dict(made)
    for baseline in missing:
        wide, point = baseline.quantiles(*rows, int(step.max(initial=0)) + 1, season, levels)
        every[baseline.name] = Made(at_steps(wide, step), at_steps(point, step))
    return {name: Forecasts(actual, point, wide, levels, scale, squared) for name, (wide, point) in every.items()}


def _rows_and_steps(
    panel: Panel, split: Split, history: History, horizon: int, season: int
) -> tuple[History, Integers]:
    """What baselines look at, on the wall clock's grid where the season is to follow it; and which step after it each
    row to forecast is: [N, horizon].
    """
    if not follows(panel.calendar, (season,)):
        return history, np.broadcast_to(np.arange(horizon), (len(split.series), horizon))
    (values, offsets), chosen = history, split.series
    ids, starts = tuple(panel.ids[s] for s in chosen), panel.starts[chosen]
    past = Panel(ids, offsets, values[:, None], starts, panel.phases[chosen], panel.calendar, panel.channels[:1])
    rows = laid(past, past.lengths)
    return History(*rows.past()), rows.ahead(horizon)


def _checked(made: Made, actual: Floats, levels: tuple[float, ...]) -> Made:
    quantiles, point = made
    if quantiles.shape != (*actual.shape, len(levels)) or point.shape != actual.shape:
        raise RnncliError(f"a forecast of shape {quantiles.shape} and {point.shape} for actual values {actual.shape}")
    return Made(quantiles, point)


def _report(
    panel: Panel,
    splits: Sequence[Split],
    tables: dict[str, list[Forecasts]],
    season: int,
    dishonest: NDArray[np.bool_] | None,
    notes: tuple[str, ...],
) -> Report:
    chosen, owner = np.unique(np.concatenate([split.series for split in splits]), return_inverse=True)
    first = next(iter(tables.values()))
    joined = {name: _joined(parts) for name, parts in tables.items()}
    return Report(
        ids=tuple(panel.ids[place] for place in chosen.tolist()),
        scores={name: score(forecasts, owner, len(chosen)) for name, forecasts in joined.items()},
        levels=first[0].levels,
        horizon=splits[0].horizon,
        season=season,
        windows=tuple(_window(split, part.actual) for split, part in zip(splits, first, strict=True)),
        dishonest=None if dishonest is None else dishonest[chosen],
        losses=_losses(splits, tables),
        notes=notes,
        made=joined,
    )


def _losses(splits: Sequence[Split], tables: dict[str, list[Forecasts]]) -> Losses:
    """The scaled error of every forecast, window after window."""
    sizes = [len(split.series) for split in splits]
    return Losses(
        np.concatenate([split.series for split in splits]),
        np.repeat(np.arange(len(splits)), sizes),
        _overlap(splits),
        {
            name: np.concatenate([mase(part.actual, part.point, part.scale) for part in parts])
            for name, parts in tables.items()
        },
    )


def _overlap(splits: Sequence[Split]) -> int:
    """The number of windows that reach over the same rows of a series."""
    if len(splits) < 2:
        return 1
    one, other = (dict(zip(split.series.tolist(), split.rows_kept.tolist(), strict=True)) for split in splits[-2:])
    stride = next((other[series] - one[series] for series in other if series in one), 0)
    return 1 if stride <= 0 else -(-splits[0].horizon // stride)


def _joined(parts: list[Forecasts]) -> Forecasts:
    """Forecasts of all windows, one below the other."""
    if len(parts) == 1:
        return parts[0]
    columns = ("actual", "point", "quantiles", "scale", "squared_scale")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    return Forecasts(levels=parts[0].levels, **joined)


def _dishonest(panel: Panel, splits: Sequence[Split], honest: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Which series [S] have a forecast that is not honest."""
    marked = np.zeros(len(panel.ids), dtype=np.bool_)
    for split, flags in zip(splits, honest, strict=True):
        marked[split.series[~flags]] = True
    return marked


def _window(split: Split, actual: Floats) -> Window:
    return Window(len(split.series), int(np.count_nonzero(~np.isnan(actual))), split.skipped)


def _unmatched(panel: Panel, matched: Sequence[Matched]) -> tuple[str, ...]:
    notes, table = [], matched[0]
    if table.unknown_series:
        notes.append(f"{table.unknown_series:,} rows forecast a series that the data do not have")
    if table.unknown_times:
        notes.append(f"{table.unknown_times:,} rows forecast a time that the data do not have (yet)")
    skipped = len(panel) - len(np.unique(np.concatenate([one.split.series for one in matched])))
    if skipped:
        notes.append(f"{skipped:,} series of the data have no saved forecast and are not scored")
    return tuple(notes)
