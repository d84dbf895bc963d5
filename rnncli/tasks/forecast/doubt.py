"""Whether covariates stay: two networks, one that knows them and one that does not, on the same held-out origins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnncli.evaluation.paired import Comparison, Losses, compare
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.validation import Holdout, Validated, scaled_quantile_loss

WITH, WITHOUT = "with", "without"
DOUBT, WORTH = 0.2, 0.01
"""They stay if such a gain is no likelier than this where they bring none: a useless one costs little, a good one that
is left out a lot, and who names one has a reason. And if it is such a share of the loss: they have to be had at every
forecast.
"""


def chosen(found: Sequence[Validated], spec: ForecastSpec) -> int:
    """0 if the forecasts that know the covariates are the better ones, 1 if those are to be kept that do not."""
    losses = _losses(found, spec)
    return int(not _better(compare(losses, WITH, WITHOUT), losses))


def comparison(found: Sequence[Validated], spec: ForecastSpec, names: list[str]) -> dict[str, Any]:
    """What is told of it: the `names` of the covariates, whether they stay, and the mean scaled quantile loss with
    them and without.

    `p` is the probability of so great a gain if they brought none (None where there are too few forecasts to tell).
    """
    losses = _losses(found, spec)
    result = compare(losses, WITH, WITHOUT)
    return {
        "names": names,
        "kept": _better(result, losses),
        **{name: _known(float(np.nanmean(losses.of[name]))) for name in (WITH, WITHOUT)},
        "p": _known(result.p),
        "method": result.method,
        "forecasts": result.count,
    }


def _better(result: Comparison, losses: Losses) -> bool:
    return result.difference < -WORTH * float(np.nanmean(losses.of[WITHOUT])) and not result.p > DOUBT


def _losses(found: Sequence[Validated], spec: ForecastSpec) -> Losses:
    holdout = found[0].holdout
    loss = {name: scaled_quantile_loss(one, spec.levels) for name, one in zip((WITH, WITHOUT), found, strict=True)}
    return Losses(holdout.series, -holdout.window, _overlap(holdout, spec.horizon), loss)


def _overlap(holdout: Holdout, horizon: int) -> int:
    """How many windows reach over the same rows."""
    apart = np.diff(holdout.origins)[np.diff(holdout.series) == 0]
    return -(-horizon // int(apart.min())) if apart.size else 1


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
