"""How wrong the next frames are that a model says, beside what is simpler."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rnncli.arrays import Bools, Ints
from rnncli.data.frames.load import up_to_now
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, UsageError
from rnncli.evaluation.frames.run import Asked, Batch, evaluate_frames
from rnncli.events import Listener
from rnncli.metrics.frames import thresholds_of
from rnncli.spec import ColumnChoices
from rnncli.tasks.frames.frame_model import FrameModel
from rnncli.tasks.frames.reading import load_known
from rnncli.tasks.task import Again, Backtest, Scored

LOOKED_AT = 64  # frames that say which amounts matter


def evaluated(
    data: Data, model: FrameModel, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
) -> Scored:
    """The scores of a model at the last origins of each sequence, beside baselines. Sequences that training saw are
    marked. InputRefused where none is longer than the horizon.
    """
    del again  # a clip has no cut in time: what was seen is marked, and not trained again
    loaded = up_to_now(load_known(data, choices, model, tell))
    panel, horizon = loaded.panel, _horizon(wanted.horizon, model)
    stride = wanted.stride or horizon
    series, rows = questions(panel, horizon, wanted.windows or 1, stride)
    asked = Asked(
        panel.ids,
        horizon,
        model.spec.span,
        thresholds=_thresholds(panel),
        mean=model.mean,
        overlap=-(-horizon // stride),
        dishonest=_seen(model, panel),
    )
    report = evaluate_frames(_batches(model, panel, series, rows, horizon), asked)
    return Scored(report, refitted=False, skipped=loaded.skipped)


def _horizon(asked: int | None, model: FrameModel) -> int:
    trained = model.spec.horizon
    if asked is not None and asked > trained:
        raise UsageError(
            f"--horizon is {asked:,}, and the model says {trained:,} frames at most", hint="train with a longer one"
        )
    return asked or trained


def questions(panel: Panel, horizon: int, windows: int, stride: int) -> tuple[Ints, Ints]:
    """Up to so many origins of each sequence, the last one a horizon before its end and the others before it, so many
    frames apart: the sequences [N], and their frames up to the origin [N], which ascend in each.
    """
    last = panel.lengths - horizon
    count = np.clip((last - 1) // stride + 1, 0, windows)
    if not count.any():
        raise InputRefused(
            f"no sequence has more than {horizon:,} frames, and as many are to be forecast",
            hint="give longer sequences, or a shorter --horizon",
        )
    series = np.repeat(np.arange(len(panel)), count)
    back = np.repeat(np.cumsum(count), count) - 1 - np.arange(len(series))
    return series, last[series] - stride * back


def _batches(model: FrameModel, panel: Panel, series: Ints, rows: Ints, horizon: int) -> Iterator[Batch]:
    """The questions, what came and what is said, some at a time."""
    begin, context = 0, model.spec.context
    for said in model.forecasts(panel, series, rows):
        some = slice(begin, begin + len(said))
        past = panel.frames(series[some], rows[some] - context, context)
        yield Batch(series[some], past, panel.frames(series[some], rows[some], horizon), said[:, :horizon])
        begin += len(said)


def _thresholds(panel: Panel) -> tuple[float, ...]:
    """The amounts that matter in some of the frames, spread evenly."""
    known = panel.targets[~np.isnan(panel.targets)]
    some = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), LOOKED_AT)).astype(np.int64))]
    return thresholds_of(panel.blocks[panel.channels[0].name].gather(some))


def _seen(model: FrameModel, panel: Panel) -> Bools | None:
    """Which sequences training saw, by their ids; None where there are none."""
    if not model.columns.ids and not model.columns.by_file:
        return None
    seen = set(model.names)
    return np.array([name in seen for name in panel.ids], np.bool_)
