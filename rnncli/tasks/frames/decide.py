"""What held-out frames say of a network that was trained, beside what is simpler."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rnncli.arrays import Floats, Inputs
from rnncli.data.panel import Panel
from rnncli.evaluation.paired import Comparison, Losses, compare
from rnncli.registry import BASELINES, find
from rnncli.tasks.frames.examples import at_once
from rnncli.tasks.frames.spec import FrameSpec
from rnncli.tasks.frames.validation import ALONG, APART, AWAY, SQUARE, Holdout, Validated, mean_of_each
from rnncli.tasks.plan import Trained

NETWORK = "network"
HALF, FEW = 0.5, 3  # share that is believed beforehand, and the forecasts that this is worth
SHOWN = ("mse", "mae")  # metrics that training shows


def scores(panel: Panel, trained: Trained[FrameSpec]) -> dict[str, Any]:
    """The training record's part about the held-out frames: the errors of the network and of what is simpler, and
    whether the network is better than the best of these, by a paired test over sequences.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None or np.isnan(found.losses()).all():
        return {"validation": {}, "validated_origins": 0, "comparisons": {}}
    errors = {NETWORK: found.said[..., SQUARE : AWAY + 1]} | _of_baselines(panel, found.holdout, spec)
    means = {name: [mean_of_each(one[..., metric]) for metric in range(2)] for name, one in errors.items()}
    overall = {name: dict(zip(SHOWN, map(_known_mean, one), strict=True)) for name, one in means.items()}
    squares = {name: one[0] for name, one in means.items()}
    rival = min((name for name in squares if name != NETWORK), key=lambda name: np.nanmean(squares[name]))
    return {
        "validation": overall,
        "validated_origins": len(found.holdout),
        "by_lead": {name: [_known_mean(lead) for lead in one[..., 0].T] for name, one in errors.items()},
        "comparisons": {NETWORK: _compared(compare(_losses(found, squares, spec), NETWORK, rival))},
    }


def shares(trained: Trained[FrameSpec]) -> tuple[float, ...]:
    """The network's share at each lead time in an average with what was moved on, of which a mean squared error is the
    least: (x - b) (y - b) over (x - b)^2, with the network's frame x, what was moved on b and what came y. It is drawn
    to a half as if a few forecasts more had asked for that. Empty where nothing moves.
    """
    spec, found = trained.plan.spec, trained.validated
    if not spec.moved:
        return ()
    nothing = np.zeros((1, spec.horizon, ALONG + 1))
    said = np.nan_to_num(nothing if found is None or not len(found.holdout) else found.said)
    apart, along = said[..., APART].mean(axis=0), said[..., ALONG].mean(axis=0)
    count = 0 if found is None else len(found.holdout)
    asked = np.where(apart > 0, along / np.where(apart > 0, apart, 1), HALF)
    return tuple(np.clip((count * asked + FEW * HALF) / (count + FEW), 0, 1).round(3).tolist())


def _losses(found: Validated, squares: dict[str, Floats], spec: FrameSpec) -> Losses:
    window = found.holdout.rows // spec.horizon
    return Losses(found.series, window, 1, squares, "mse", "forecasts", "sequences and origins")


def _compared(found: Comparison) -> dict[str, Any]:
    numbers = {"difference": _finite(found.difference), "p": _finite(found.p)}
    return {
        "rival": found.rival,
        "metric": found.metric,
        "better": found.difference < 0,
        **numbers,
        "method": found.method,
    }


def _of_baselines(panel: Panel, holdout: Holdout, spec: FrameSpec) -> dict[str, Floats]:
    """The squared and absolute errors of each baseline, [N, horizon, 2] as those of the network are kept."""
    mean = mean_frame(panel.cut(holdout.ends(panel.lengths)))
    found: dict[str, list[Floats]] = {}
    some = at_once(spec)
    for begin in range(0, len(holdout), some):
        series, rows = holdout.series[begin : begin + some], holdout.rows[begin : begin + some]
        past = panel.frames(series, rows - spec.context, spec.context)
        actual = panel.frames(series, rows, spec.horizon)
        for name in BASELINES["frames"]:
            said = find(BASELINES["frames"], name, "baseline").of(past, spec.horizon, mean)
            if said is not None:
                found.setdefault(name, []).append(_errors(said, actual))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _errors(said: Inputs, actual: Inputs) -> Floats:
    away = (said - actual).astype(np.float64).reshape(*actual.shape[:2], -1)
    return np.stack([mean_of_each(away * away), mean_of_each(np.abs(away))], axis=-1)


def mean_frame(panel: Panel) -> Inputs:
    """The mean of all frames of a panel, [height, width, channels]: NaN where a pixel is never known."""
    block = panel.blocks[panel.channels[0].name]
    total, count = np.zeros(block.shape), np.zeros(block.shape)
    rows = panel.targets[~np.isnan(panel.targets)]
    for frames in block.pieces(rows):
        known = ~np.isnan(frames)
        total += np.where(known, frames, 0).sum(axis=0, dtype=np.float64)
        count += known.sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _known_mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return _finite(float(known.mean())) if known.size else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
