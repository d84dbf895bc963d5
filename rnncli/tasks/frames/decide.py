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
from rnncli.tasks.frames.validation import SQUARE, Holdout, Validated, mean_of_each
from rnncli.tasks.plan import Trained

NETWORK = "network"
SHOWN = ("mse", "mae")  # metrics that training shows


def scores(panel: Panel, trained: Trained[FrameSpec]) -> dict[str, Any]:
    """The training record's part about the held-out frames: the errors of the network and of what is simpler, and
    whether the network is better than the best of these, by a paired test over sequences.
    """
    found, spec = trained.validated, trained.plan.spec
    if found is None or np.isnan(found.losses()).all():
        return {"validation": {}, "validated_origins": 0, "comparisons": {}}
    errors = {NETWORK: found.said[..., SQUARE:]} | _of_baselines(panel, found.holdout, spec)
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
