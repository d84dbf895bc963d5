"""Several models, and forecasts that were saved, side by side on the same origins."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from rnncli.data.tables import open_tables
from rnncli.data.writers.results import Style, StyleOptions
from rnncli.data.writers.table import TIDY
from rnncli.errors import InputRefused, UsageError
from rnncli.evaluation.saved_table import level_of
from rnncli.evaluation.shown import refuse_other_grouping
from rnncli.evaluation.side_by_side import SideBySide
from rnncli.events import Listener, Noted, unheard
from rnncli.options.types import ColumnOptions, Model
from rnncli.outline import Outline, shown
from rnncli.registry import BASELINES, PRETRAINED, TASKS, find
from rnncli.spec import ColumnChoices
from rnncli.tasks.reading import listed
from rnncli.tasks.task import Backtest
from rnncli.workflows.arguments import public
from rnncli.workflows.evaluate import ALPHA, refuse_two_counts
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.run_training import repeating
from rnncli.workflows.score_file import write_scores

MODEL_SUFFIX = ".safetensors"
_FORECAST = "forecast"  # the column of point forecasts


@shown
@dataclass(frozen=True)
class Comparison:
    """Models and saved forecasts beside one another: the report, of which `write` makes a file."""

    report: SideBySide

    def to_json(self, *, by: str | None = None) -> dict[str, Any]:
        """The document behind `--json`."""
        return self.report.to_json(by=by)

    def outline(self) -> Outline:
        """What was scored, the scores, and which differ."""
        return self.report.outline()

    def write(
        self,
        path: str | os.PathLike[str],
        *,
        by: str | None = None,
        format: str | None = None,  # noqa: A002  # as users call it
        **style: Unpack[StyleOptions],
    ) -> int:
        """Write the scores as .json, or as rows of any other format that the suffix, or `format`, asks for; returns
        the bytes.
        """
        return write_scores(path, self.to_json(by=by), self.report.rows(by), format, Style(**style))


@dataclass(frozen=True)
class Sorted:
    """What is compared, by what it is, and the data that it is scored on."""

    models: tuple[Any, ...]
    forecasts: tuple[Any, ...]
    data: tuple[Any, ...]


@public
def compare(
    data: Any,
    models: Iterable[Any] = (),
    *,
    forecasts: Any = None,
    windows: int | None = None,
    start: str | None = None,
    until: str | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    alpha: float | None = None,
    by: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    on_event: Listener | None = None,
    **options: Unpack[ColumnOptions],
) -> Comparison:
    """Score `models` and saved `forecasts` on the rows of `data` that all of them forecast, from the same origins.

    Model files and tables of forecasts among the `data` are told by what they hold. Models forecast from `windows`
    origins, `stride` rows apart, or from `start` on and `until`, as in `evaluate`, or from those of the saved
    forecasts. There are mean ranks with Nemenyi's critical difference at level `alpha` (0.05) where three or more are
    compared, and a paired test of each two, adjusted by Holm's method. What is going to be asked for `by` a grouping
    can be said here too, to be refused before any work if it is none.

    Raises UsageError, InputRefused or ModelRefused.
    """
    tell = on_event or unheard
    if alpha is not None and not 0 < alpha < 1:
        raise UsageError(f"alpha must lie between 0 and 1, not {alpha}")
    refuse_two_counts(windows, start)
    refuse_other_grouping(SideBySide.groupings, by)
    choices = column_choices(options)
    found = sorted_out(data, models, forecasts)
    _tell_sorted(found, data, tell)
    keep_apart("compare", {"data": list(found.data), "forecasts": list(found.forecasts), **options})
    named = _named([*found.models, *found.forecasts])
    held = {name: given(model).model for name, model in zip(named, found.models, strict=False)}
    for name, model in held.items():
        if model.task.name != "forecast":
            raise UsageError(f"{name} makes {model.task.name}, and forecasts are compared", hint="evaluate scores it")
    tables = dict(zip(named[len(held) :], found.forecasts, strict=True))
    task, wanted = find(TASKS, "forecast", "task"), Backtest(windows, stride, horizon, refit, start=start, until=until)
    again = repeating(device, threads, tell)
    return Comparison(
        task.compared(list(found.data), held, tables, choices, wanted, ALPHA if alpha is None else alpha, tell, again)
    )


def sorted_out(data: Any, models: Iterable[Model], forecasts: Any) -> Sorted:
    """Models, saved forecasts and data, whichever way they were given. UsageError where there is nothing to compare."""
    items = listed(data)
    kinds = [_kind(item) for item in items]
    every = {kind: [item for item, is_ in zip(items, kinds, strict=True) if is_ == kind] for kind in ("m", "f", "d")}
    found = Sorted(
        (*every["m"], *models), (*every["f"], *([] if forecasts is None else listed(forecasts))), tuple(every["d"])
    )
    count = len(found.models) + len(found.forecasts)
    if count < 2:
        told = ("neither models nor saved forecasts", "one model, or one saved forecast, alone")[count]
        instead = "; rnncli evaluate scores one" if count else ""
        raise UsageError(f"{told} cannot be compared", hint=f"rnncli compare A.safetensors B.safetensors DATA{instead}")
    if not found.data:
        raise UsageError("there are no data to compare them on", hint="rnncli compare A.safetensors B.safetensors DATA")
    return found


def _kind(item: Any) -> str:
    """What is given: "m", a model; "f", a table of forecasts; "d", data."""
    if not isinstance(item, (str, os.PathLike)):
        return "m" if hasattr(item, "model") else "d"
    if item in PRETRAINED or os.fspath(item).endswith(MODEL_SUFFIX):
        return "m"
    return "f" if _is_regular(item) and _holds_forecasts(item) else "d"


def _is_regular(path: str | os.PathLike[str]) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def _holds_forecasts(path: str | os.PathLike[str]) -> bool:
    """Whether a file has the columns that `predict` writes; what is wrong with it is said when it is read."""
    from rnncli.data.source import sources

    try:
        names = list(open_tables(sources(path), ColumnChoices()).kinds())
    except (InputRefused, UsageError):
        return False
    return names == list(TIDY) or (_FORECAST in names and any(level_of(name) is not None for name in names))


def _tell_sorted(found: Sorted, data: Any, tell: Listener) -> None:
    """Which of what was given as data is compared."""
    among = [item for item in listed(data) if item not in found.data and isinstance(item, (str, os.PathLike))]
    tables = [os.fspath(item) for item in among if item in found.forecasts]
    if tables:
        tell(Noted(f"{', '.join(tables)}: by the columns, saved forecasts"))


def _named(compared: Sequence[Any]) -> list[str]:
    """A name for each: of a file its stem or, where another has that too, as much as tells them apart."""
    paths = [os.fspath(one) if isinstance(one, (str, os.PathLike)) else _output_of(one) for one in compared]
    stems = [f"model {place + 1}" if path is None else _stem(path) for place, path in enumerate(paths)]
    taken = {find(BASELINES["forecast"], name, "baseline").name for name in BASELINES["forecast"]}
    for shorten in (_stem, lambda path: Path(path).name, str):
        names = [stem if path is None else shorten(path) for stem, path in zip(stems, paths, strict=True)]
        if len(set(names)) == len(names) and not taken.intersection(names):
            return names
    raise UsageError("one of these is given twice", hint="compare different models or forecasts")


def _output_of(model: Any) -> str | None:
    path = getattr(model, "output", None)
    return None if path is None else str(path)


def _stem(path: str) -> str:
    from rnncli.data.source import stem_of

    return stem_of(Path(path))
