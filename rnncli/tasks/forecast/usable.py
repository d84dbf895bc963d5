"""The data of a forecast without what cannot be used, and what was noticed in them: at once, or in parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.statistics import Drift, refuse_drift
from rnncli.errors import InputStale, UsageError
from rnncli.events import Listener, Noted
from rnncli.options.types import AnswerOptions
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.bounds import outside
from rnncli.tasks.forecast.drifting import drift_of, tell_drift
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.holidays import note_unknown
from rnncli.tasks.forecast.long_answer import BOUNDS, STALE, Noticed
from rnncli.tasks.forecast.reading import load_known, within_bounds
from rnncli.tasks.forecast.staleness import stale_series
from rnncli.tasks.forecast.unlike import note_unlike
from rnncli.tasks.reading import listed, tell_skipped, without_bad


def refuse_unfit(model: Forecaster, options: AnswerOptions) -> None:
    """UsageError where an option asks of a model that no data have taught what only data teach."""
    if model.unfitted and options.get("fail_on_drift"):
        raise UsageError("--fail-on-drift is for what data have taught, and none have taught base", hint="leave it out")


def usable_at_once(
    data: Data,
    model: Forecaster,
    choices: ColumnChoices,
    options: AnswerOptions,
    tell: Listener,
    ahead: list[Any] | None,
) -> Loaded:
    """The data without series that lie outside the model's bounds or are stale. InputRefused, InputStale."""
    skip = choices.on_bad_series == "skip"
    loaded = within_bounds(load_known(data, choices, model, tell, ahead), model.bounds, choices, tell)
    return without_bad(loaded, stale_series(loaded.panel, options), InputStale, tell, skip=skip)


def drift_told(loaded: Loaded, model: Forecaster, options: AnswerOptions, tell: Listener) -> Drift | None:
    """The drift of the data since training, which is told. GateFailed where they have drifted, if that was asked."""
    found = None if model.unfitted else drift_of(loaded.panel, model)
    tell_drift(found, tell)
    if options.get("fail_on_drift"):
        refuse_drift(found)
    return found


def usable_parts(
    parts: Iterator[Loaded],
    model: Forecaster,
    steps: int,
    options: AnswerOptions,
    noticed: Noticed,
) -> Iterator[Loaded]:
    """The parts of the data without series that cannot be used, and what is noticed in them. InputRefused or InputStale
    in the end where any cannot be used, and such are not skipped.
    """
    for part in parts:
        bad = outside(part.panel, *model.bounds)
        left = noticed.usable(replace(part, skipped=()), bad, BOUNDS)
        left = left and noticed.usable(left, stale_series(left.panel, options), STALE)
        if left is not None:
            noticed.add_drift(drift_of(left.panel, model))
            ends = model.ends(left.panel)
            note_unknown(left.panel, ends, steps, model, noticed.unlike)
            note_unlike(left.panel, ends, model, noticed.unlike)
            yield left
    noticed.refuse(BOUNDS, STALE)


def tell_noticed(noticed: Noticed, options: AnswerOptions, tell: Listener) -> None:
    """Tell what was noticed in all parts. GateFailed where the data have drifted, if that was asked."""
    for line in (*noticed.notes.lines(), *noticed.unlike.lines()):
        tell(Noted(line))
    tell_skipped(noticed.skipped, tell)
    tell_drift(noticed.drift, tell)
    if options.get("fail_on_drift"):
        refuse_drift(noticed.drift)


def tables_ahead(model: Forecaster, options: AnswerOptions, tell: Listener) -> list[Any] | None:
    """The tables of what is known ahead, if they are looked at."""
    given = options.get("future_data")
    ahead = [] if given is None else listed(given)
    if ahead and model.spec.left_out:
        tell(Noted(f"--future-data is not looked at: the model left out {', '.join(model.spec.left_out)}"))
        ahead = []
    if ahead and not model.columns.future:
        raise UsageError(
            "--future-data is given, but the model has no covariates that are known ahead",
            hint="leave it out, or train with --future",
        )
    return ahead or None
