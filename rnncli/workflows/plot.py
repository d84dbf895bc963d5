"""A picture of what comes: the history of some series, their forecast with intervals, and what came true."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Unpack

from rnncli import files
from rnncli.charts.picture import MOST, Picture, kind_of, picture
from rnncli.data.writers.table import time_texts
from rnncli.errors import UsageError
from rnncli.events import Listener, Noted, unheard
from rnncli.options.types import AnswerOptions, Model, PlotOptions
from rnncli.outline import Outline
from rnncli.registry import BASE, TASKS, find
from rnncli.spec import ColumnChoices
from rnncli.tasks.reading import listed
from rnncli.workflows.arguments import public
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart

if TYPE_CHECKING:
    from rnncli.charts.fans import Fan, Fans

SCHEMA = "rnncli.plot/1"
INSTEAD = {
    "labels": "evaluate --by class shows where labels are wrong",
    "tokens": "evaluate --by position shows how well tokens are foretold",
    "sets": "evaluate --by position shows how well sets are foretold",
    "frames": "predict --plot FILE.png or FILE.gif draws frames",
}


@dataclass(frozen=True)
class Plot:
    """A picture of some series, and the file that it was written to (None: none).

    It shows itself in a notebook, and as text in a prompt.
    """

    picture: Picture
    output: str | None = None

    @property
    def fans(self) -> Fans:
        """What is drawn, as numbers."""
        return self.picture.fans

    @property
    def figure(self) -> Any:
        """The figure of matplotlib."""
        return self.picture.figure

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the picture (.png, .svg, .html), whole or not at all; returns its bytes."""
        return self.picture.write(path)

    def __str__(self) -> str:
        return str(self.picture)

    __repr__ = __str__

    def _repr_png_(self) -> bytes | None:
        return self.picture._repr_png_()

    def outline(self) -> Outline:
        """What is drawn."""
        file = [("file", self.output)] if self.output else []
        return Outline("Plot", [("drawn", self.picture.says), *file])

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`: every number that is drawn, null where there is none."""
        fans = self.fans
        return {
            "schema": SCHEMA,
            "output": self.output,
            "says": self.picture.says,
            "quantiles": list(fans.levels),
            "series": [_series(fans, fans.fan(place)) for place in range(len(fans))],
        }


def _series(fans: Fans, fan: Fan) -> dict[str, Any]:
    past, ahead = (time_texts(times, fans.columns, fans.calendar) for times in (fan.past_times, fan.times))
    quantiles = {f"q{level!r}": _known(fan.quantiles[:, place]) for place, level in enumerate(fans.levels)}
    return {
        "id": fan.name,
        "mase": None if math.isnan(fan.error) else fan.error,
        "history": {"time": past, "value": _known(fan.past)},
        "time": ahead,
        "actual": _known(fan.actual),
        "forecast": _known(fan.point),
    } | quantiles


def _known(values: Any) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values.tolist()]


@public
def plot(
    data: Any,
    model: Model | None = None,
    *,
    forecast: Any = None,
    output: str | os.PathLike[str] | None = None,
    ids: Iterable[str] | None = None,
    series: int | None = None,
    order: Literal["worst", "largest", "first"] | None = None,
    history: int | None = None,
    unit: str | None = None,
    horizon: int | None = None,
    quantiles: Iterable[float] | None = None,
    on_event: Listener | None = None,
    **options: Unpack[PlotOptions],
) -> Plot:
    """Draw the forecast of `model` (base, if none is given) after the rows of `data`, or a `forecast` that was saved,
    beside what came; with `output`, to a file too.

    With `as_of` the forecast is made as if it were then, and what came after is drawn beside it. Drawn are the series
    called `ids`, or the first `series` (6) by `order`: the "worst" by scaled error, the "largest", or the "first" of
    the data.

    Raises UsageError (MissingDependency where a file is wanted and matplotlib is not installed), InputRefused,
    ModelRefused, OutputLocked or StorageFailed.
    """
    tell = on_event or unheard
    keep_apart("plot", {**options, "data": data, "model": model, "forecast": forecast, "output": output})
    if output is not None:
        kind_of(output)
        files.check_writable(output)
    with files.locked(output, options.get("lock_wait") or 0.0):
        if output is not None and options.get("if_exists") == "error":
            files.refuse_existing(output)
        found = None if model is None and forecast is not None else _forecaster(BASE if model is None else model)
        choices = column_choices(options)
        if forecast is None:
            levels = None if quantiles is None else tuple(quantiles)
            asked: AnswerOptions = {
                "future_data": options.get("future_data"),
                "horizon": horizon,
                "quantiles": levels,
                "history": history,
            }
            fans = _made(data, found, choices, asked, tell)
        else:
            _refuse_beside_a_forecast(horizon=horizon, quantiles=quantiles, future_data=options.get("future_data"))
            fans = _saved(data, forecast, found, choices, history, tell)
        shown = picture(fans, ids=ids, order=order, most=series or MOST, unit=unit or "")
        if output is not None:
            shown.write(output)
    return Plot(shown, None if output is None else os.fspath(output))


def _forecaster(model: Model) -> Any:
    """The model, if it forecasts series. UsageError, with what draws its answers instead, if it does not."""
    found = given(model).model
    if found.task.name != "forecast":
        task = found.task.name
        raise UsageError(f"plot draws forecasts of series, and the model makes {task}", hint=INSTEAD[task])
    return found


def _refuse_beside_a_forecast(**of_a_model: Any) -> None:
    for name, value in of_a_model.items():
        if value is not None:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} is for a forecast that is made; --forecast was", hint=f"leave {flag} out")


def _made(data: Any, model: Any, choices: ColumnChoices, asked: AnswerOptions, tell: Listener) -> Fans:
    """The model's forecast and, where it is made as of a time, what came after that."""
    from rnncli.charts.fans import with_truth

    fans: Fans = model.task.answer(data, model, choices, asked, tell, None).fans
    if choices.as_of is None:
        return fans
    if "-" in [item for item in listed(data) if isinstance(item, str)]:
        tell(Noted("what came after --as-of is not drawn: standard input can be read once"))
        return fans
    later = model.task.load_known(data, replace(choices, as_of=None), model, unheard)
    return with_truth(fans, later.panel)


def _saved(data: Any, forecast: Any, model: Any, choices: ColumnChoices, history: int | None, tell: Listener) -> Fans:
    """A saved forecast beside the data, which are read as the model's were, if one is given."""
    from rnncli.evaluation.saved_fans import saved_fans
    from rnncli.evaluation.saved_table import load_saved

    task = find(TASKS, "forecast", "task")
    loaded = task.load_new(data, choices, {}, tell) if model is None else task.load_known(data, choices, model, tell)
    fans, others = saved_fans(load_saved(forecast, loaded), loaded, history)
    if others:
        tell(Noted(f"{others:,} rows forecast a series that the data do not have, and are not drawn"))
    return fans
