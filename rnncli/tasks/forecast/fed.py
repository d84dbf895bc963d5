"""The NumPy code that makes what is put into a forecasting model's ONNX graph, from rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncli.arrays import Floats, Ints
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.data.wall import laid
from rnncli.errors import InputRefused
from rnncli.events import Listener
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast import features
from rnncli.tasks.forecast.exported import needed
from rnncli.tasks.forecast.forecaster import Forecaster, chunks, constant_rows
from rnncli.tasks.forecast.guard import seen_range
from rnncli.tasks.forecast.known_ahead import short_of_covariates
from rnncli.tasks.forecast.linear import LINEAR
from rnncli.tasks.forecast.network import known_at
from rnncli.tasks.forecast.pool import baseline_quantiles
from rnncli.tasks.forecast.reading import load_known, within_bounds
from rnncli.tasks.forecast.support import Support
from rnncli.tasks.reading import without_bad

Feeds = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Fed:
    """What is put into the graph for some series of data, by name; `ids` are the series, `times` [n, horizon] those
    that are forecast, as the data's calendar counts them.
    """

    ids: tuple[str, ...]
    times: Ints
    feeds: Feeds


def fed(
    data: Data, model: Forecaster, choices: ColumnChoices, tell: Listener, ahead: Data | None = None
) -> Iterator[Fed]:
    """What is put into the graph for the rows that follow each series of the data, some series at a time; `ahead` are
    tables of what is known of these rows.

    SeriesRefused naming a series from which nothing can be forecast; InputRefused where the clock is put forward or
    back within the horizon, whose hours are none of the graph's steps.
    """
    skip = choices.on_bad_series == "skip"
    loaded = within_bounds(load_known(data, choices, model, tell, ahead), model.bounds, choices, tell)
    short = short_of_covariates(loaded.panel, model.ends(loaded.panel), model.spec.horizon, model)
    loaded = without_bad(loaded, short, InputRefused, tell, skip=skip)
    panel, ends = loaded.panel, model.ends(loaded.panel)
    times = panel.cut(ends).future_times(model.spec.horizon)
    steps = np.arange(model.spec.horizon)
    rows, here = panel, ends
    if model.spec.wall:
        laid_out = laid(panel, ends)
        rows, here = laid_out.panel, laid_out.ends
        steps = laid_out.ahead(model.spec.horizon)
        _refuse_clock_changes(panel, steps)
    for series in chunks(len(panel), model.spec):
        ids = tuple(panel.ids[s] for s in series.tolist())
        yield Fed(ids, times[series], _feeds(model, rows, here, series))


def _refuse_clock_changes(panel: Panel, steps: Ints) -> None:
    changed = np.flatnonzero((steps != np.arange(steps.shape[1])).any(axis=1))
    if len(changed):
        raise InputRefused(
            "the clock is put forward or back within the horizon, whose hours the graph's steps do not follow",
            where=f"series {panel.ids[int(changed[0])]!r}",
            hint="rnncli predict forecasts it",
        )


def _feeds(model: Forecaster, panel: Panel, ends: Ints, series: Ints) -> Feeds:
    spec, rows = model.spec, np.arange(len(series))
    crops, last = features.latest(panel, ends, series, spec)
    past = crops.values[:, : spec.lookback - 1 + spec.steps]
    unseen = np.isnan(past).all(axis=1)
    if unseen.any():
        made = np.where(unseen, np.nan, 0.0)[:, None, None]
        raise model.unseen(panel.select(series), made)[0]
    norm = features.normalise(crops, spec)
    plain, errors, known = known_at(spec, crops, norm, last, model.clock)
    x = features.inputs(crops, norm, spec, model.clock)
    x[np.arange(spec.steps) >= crops.lengths[:, None]] = 0
    seen, support = seen_range(panel, series, ends[series], spec), crops.support
    pool = zip(model.pool.names[1:], model.pool.seasons[1:], strict=True)
    names = needed(model)
    others: list[Floats] = []
    if "others" in names:
        others = [_other(model, name, season, panel, series, ends[series], support) for name, season in pool]
    whole = constant_rows(past)
    every: Feeds = {
        "x": x,
        "last": last.astype(np.int64),
        "plain": plain,
        "errors": errors,
        "known": known,
        "level": norm.level[rows, last],
        "spread": norm.spread[rows, last],
        "logs": support.logs,
        "floor": support.floor,
        "ceiling": support.ceiling,
        "whole": support.whole,
        "count": support.count.astype(np.int64),
        "low": seen.low,
        "high": seen.high,
        "constant": np.where(whole, np.nanmax(past, axis=1), np.nan),
        "kind": model.pool.kinds(support).astype(np.int64),
        "others": np.stack(others, axis=1) if others else np.zeros(0),
    }
    return {name: np.ascontiguousarray(value) for name, value in every.items() if name in names}


def _other(
    model: Forecaster, name: str, season: int, panel: Panel, series: Ints, ends: Ints, support: Support
) -> Floats:
    """What one of the pool beside the network forecasts [n, horizon, q]; the linear map its points at every level."""
    if name != LINEAR:
        return baseline_quantiles(name, season, panel, series, ends, model.spec, support)
    assert model.linear is not None
    points = model.linear.points(panel, series, ends)[..., None]
    return np.repeat(points, len(model.spec.levels), axis=-1)
