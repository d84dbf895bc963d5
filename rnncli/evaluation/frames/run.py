"""Runs an evaluation of frames: baselines beside the model, some questions at a time, and paired tests between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Bools, Floats, Inputs, Ints
from rnncli.baselines.frames.baseline import FrameBaseline
from rnncli.data.writers.pictures import DRAWN, Pictured
from rnncli.errors import InputRefused
from rnncli.evaluation.frames.report import FrameReport
from rnncli.evaluation.frames.scores import Sums
from rnncli.evaluation.paired import Losses, compare
from rnncli.evaluation.run import MODEL
from rnncli.metrics.frames import Forecast
from rnncli.registry import BASELINES, find


@dataclass(frozen=True)
class Batch:
    """Some questions: the series [n] of each, the past frames [n, T, height, width, channels] that were seen, what came
    and what the model said [n, K, height, width, channels], in the units of the data and NaN where a pixel is missing.
    """

    series: Ints
    past: Inputs
    actual: Inputs
    said: Inputs


@dataclass(frozen=True)
class Asked:
    """Sequences whose next frames were asked for: their `ids`, the `span` of values that pixels can have, the amounts
    that matter as `thresholds`, and the `mean` frame of training [height, width, channels] if it is known.

    `overlap` is how many origins, one after the other, reach over the same frames; `dishonest` [series] marks those
    that training saw (None where that is not known).
    """

    ids: tuple[str, ...]
    horizon: int
    span: float
    thresholds: tuple[float, ...] = ()
    mean: Inputs | None = None
    overlap: int = 1
    dishonest: Bools | None = None
    notes: tuple[str, ...] = ()


def evaluate_frames(batches: Iterable[Batch], asked: Asked) -> FrameReport:
    """Score what a model said of frames beside baselines. InputRefused where nothing was asked."""
    baselines: list[FrameBaseline] = [find(BASELINES["frames"], name, "baseline") for name in BASELINES["frames"]]
    names = [MODEL, *(one.name for one in baselines if one.name != "mean-frame" or asked.mean is not None)]
    sums = {name: Sums(len(asked.ids), asked.horizon) for name in names}
    losses: dict[str, list[Floats]] = {name: [] for name in names}
    series: list[Ints] = []
    drawn: dict[int, Pictured] = {}
    for batch in batches:
        said = {MODEL: batch.said} | {one.name: one.of(batch.past, asked.horizon, asked.mean) for one in baselines}
        for name in names:
            frames = said[name]
            assert frames is not None
            both = np.asarray(batch.actual, np.float64), np.asarray(frames, np.float64)
            losses[name].append(sums[name].add(batch.series, Forecast(*both, asked.span, asked.thresholds)))
        series.append(batch.series)
        _draw(drawn, batch, asked.ids)
    if not series:
        raise InputRefused("of no frame was asked", hint="give sequences that are longer than the horizon")
    of = {name: np.concatenate(found) for name, found in losses.items()}
    owner = np.concatenate(series)
    compared = Losses(owner, _windows(owner), asked.overlap, of, "mse", "forecasts", "sequences and origins")
    there = np.unique(owner)
    return FrameReport(
        scores={name: found.scores() for name, found in sums.items()},
        series=tuple((asked.ids[s], int(np.count_nonzero(owner == s))) for s in there.tolist()),
        places=there,
        horizon=asked.horizon,
        dishonest=None if asked.dishonest is None else asked.dishonest[there],
        comparisons={rival: compare(compared, MODEL, rival) for rival in names[1:]},
        pictured=tuple(drawn.values()),
        notes=asked.notes,
    )


def _draw(drawn: dict[int, Pictured], batch: Batch, ids: tuple[str, ...]) -> None:
    """Keep the first forecast of each sequence of a batch, until there are as many as a picture shows."""
    for place, s in enumerate(batch.series.tolist()):
        if len(drawn) < DRAWN and s not in drawn:
            drawn[s] = Pictured(ids[s], batch.past[place], batch.said[place], batch.actual[place])


def _windows(owner: Ints) -> Ints:
    """The number of each question among those about its series."""
    found = np.zeros(len(owner), np.int64)
    for s in np.unique(owner).tolist():
        mine = owner == s
        found[mine] = np.arange(np.count_nonzero(mine))
    return found
