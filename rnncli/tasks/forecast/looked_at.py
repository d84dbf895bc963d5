"""What is wrong with a table of series, alone or beside those of a model's training."""

from __future__ import annotations

from typing import Any

from rnncli.data.channel import forecast_channels
from rnncli.data.checks.run import look
from rnncli.data.checks.seen import Trained
from rnncli.data.columns import described
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.task import LookedAt


def looked_at(
    data: Any, choices: ColumnChoices, horizon: int | None, model: Forecaster | None, *, in_parts: bool
) -> LookedAt:
    """What was found; future covariates must be known over the `horizon`. Large tables may be read `in_parts`, where
    nothing but findings is wanted. InputRefused where a file cannot be read.
    """
    trained = None if model is None or model.unfitted else _remembered(model, horizon)
    found = look(data, choices, trained, horizon, in_parts=in_parts)
    if found.columns is None:
        return LookedAt(found.findings)
    taken = described(found.columns, found.frequency)
    return LookedAt(found.findings, found.rows, found.series, taken, found.seen)


def _remembered(model: Forecaster, horizon: int | None) -> Trained:
    """Columns, calendar, categories and statistics of its training."""
    spec = model.spec
    channels = forecast_channels(model.columns, spec.categories)
    ahead = horizon or spec.horizon
    return Trained(model.columns, model.calendar, channels, ahead, model.cutoffs, model.statistics)
