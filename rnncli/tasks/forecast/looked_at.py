"""What is wrong with a table of series, alone or beside those of a model's training."""

from __future__ import annotations

from typing import Any

from rnncli.data.channel import forecast_channels
from rnncli.data.checks.run import look
from rnncli.data.checks.seen import Trained
from rnncli.data.columns import described
from rnncli.errors import InputRefused
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.task import LookedAt


def looked_at(data: Any, choices: ColumnChoices, horizon: int | None, model: Forecaster | None) -> LookedAt:
    """What was found; future covariates must be known over the `horizon`. InputRefused where a file cannot be read."""
    found = look(data, choices, None if model is None or model.unfitted else _remembered(model, horizon), horizon)
    seen = found.seen
    if seen is None or not len(seen.rows.codes):
        return LookedAt(found.findings)
    frequency = "" if isinstance(seen.calendar, InputRefused) else str(seen.calendar.frequency)
    taken = described(seen.columns, frequency)
    return LookedAt(found.findings, len(seen.rows.codes), len(seen.ids), taken, seen)


def _remembered(model: Forecaster, horizon: int | None) -> Trained:
    """Columns, calendar, categories and statistics of its training."""
    spec = model.spec
    channels = forecast_channels(model.columns, spec.categories)
    ahead = horizon or spec.horizon
    return Trained(model.columns, model.calendar, channels, ahead, model.cutoffs, model.statistics)
