"""How the forecast task reads its data: new ones, whose seasons are found, or as those of a model were."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rnncli.data.channel import forecast_channels
from rnncli.data.known import Known
from rnncli.data.load import Loaded, load_panel, load_parts
from rnncli.data.noted import Notes
from rnncli.data.objects import Data
from rnncli.errors import InputRefused, SeriesRefused, UsageError
from rnncli.events import Listener
from rnncli.options.types import TrainOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast import options as asked
from rnncli.tasks.forecast.bounds import outside
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.holidays import with_holidays
from rnncli.tasks.reading import told, without_bad


def load_new(data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
    """Data of which nothing is known; what is noticed is told. `options` may say the season."""
    return told(with_seasons(load_panel(data, choices), asked.seasons(options)), tell)


def with_seasons(loaded: Loaded, seasons: tuple[int, ...] | None = None) -> Loaded:
    """The data with these seasons in their calendar, or those that are found in them."""
    from rnncli.tasks.forecast.seasons import infer_seasons

    panel = loaded.panel
    found = seasons or infer_seasons(panel.targets, panel.offsets, panel.calendar.frequency)
    return replace(loaded, panel=replace(panel, calendar=replace(panel.calendar, seasons=tuple(found))))


def without_calendar(loaded: Loaded) -> Loaded:
    """The data with a calendar of which a network sees nothing but the seasons."""
    panel = loaded.panel
    return replace(loaded, panel=replace(panel, calendar=replace(panel.calendar, cycles=(), holidays=None)))


def load_known(
    data: Data, choices: ColumnChoices, model: Forecaster, tell: Listener, ahead: Data | None = None
) -> Loaded:
    """The data, read as the model's were, and what is known `ahead` from a table of its own; as new ones, where the
    model was made of none.
    """
    if model.unfitted:
        _refuse_covariates(choices)
        return without_calendar(load_new(data, choices, {}, tell))
    return told(load_panel(data, choices, _known(model), ahead=ahead), tell)


def load_known_parts(
    data: Data, choices: ColumnChoices, model: Forecaster, notes: Notes, skipped: list[SeriesRefused]
) -> Iterator[Loaded] | None:
    """What `load_known` reads, some series at a time; None where it is better read as one. What is noticed meanwhile
    is added to the `notes` and the `skipped` series.
    """
    return load_parts(data, choices, _known(model), notes, skipped)


def _known(model: Forecaster) -> Known:
    spec = model.spec
    channels = forecast_channels(model.columns, spec.categories)
    return Known(model.columns, model.calendar, channels, waiting=spec.follows_target)


def _refuse_covariates(choices: ColumnChoices) -> None:
    """UsageError for what a network that no data have taught cannot see."""
    declared = (*choices.past, *choices.future, *choices.static)
    if declared:
        raise UsageError(
            f"base sees no covariates, and {declared[0]!r} is named as one",
            hint="leave it out; rnncli train learns from it",
        )


def load_to_train(
    data: Data, choices: ColumnChoices, options: TrainOptions, start: Forecaster | None, tell: Listener
) -> Loaded:
    """Data to train on: the rows within the bounds that were given, or that the model to start from has.

    InputRefused where a series leaves them, unless such series are to be skipped.
    """
    if start is None or start.unfitted:
        loaded = with_holidays(load_new(data, choices, options, tell), options.get("holidays") or ())
        bounds = asked.bounds(options)
    else:
        loaded, bounds = load_known(data, choices, start, tell), start.bounds
    loaded = within_bounds(loaded, bounds, choices, tell)
    if loaded.columns.future:  # rows that only hold what is known ahead teach nothing
        loaded = replace(loaded, panel=loaded.panel.cut(loaded.panel.observed_ends()))
    return loaded


def within_bounds(
    loaded: Loaded, bounds: tuple[float | None, float | None], choices: ColumnChoices, tell: Listener
) -> Loaded:
    """The series that lie within the bounds; InputRefused if one does not, unless such are to be skipped."""
    skip = choices.on_bad_series == "skip"
    return without_bad(loaded, outside(loaded.panel, *bounds), InputRefused, tell, skip=skip)
