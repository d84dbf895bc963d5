"""Fit a network to every series in the data, compare it with the naive forecasts, and write the model file."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from rnncli import files
from rnncli.data.load import Loaded, load_panel
from rnncli.errors import TrainingDiverged
from rnncli.inference import forecaster as models
from rnncli.inference.forecaster import Forecaster
from rnncli.spec import Columns, NetworkSpec
from rnncli.tasks.forecast import plan as planning
from rnncli.workflows import options as said
from rnncli.workflows.events import Listener, Noted, unheard
from rnncli.workflows.options import TrainOptions

if TYPE_CHECKING:
    from rnncli.training.session import Plan, Trained

SCHEMA = "rnncli.train/1"
SHARED = 256  # units from which several threads are worth what they cost one another
NETWORK, SEASONAL, NAIVE = "network", "seasonal naive", "naive"
Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Training:
    """What was trained, on what, and how it did on rows that it had not seen.

    `validation` gives "mase" and "wql" (NaN where undefined) of the network and the naive forecasts from the same
    `validated_origins` origins; it is empty where no rows could be spared.
    """

    forecaster: Forecaster
    output: str | None
    bytes: int
    series: int
    rows: int
    observed: int
    validation: Scores
    validated_origins: int
    best_steps: tuple[int, ...]
    notes: tuple[str, ...]

    @property
    def columns(self) -> Columns:
        """What the columns are."""
        return self.forecaster.columns

    @property
    def parameters(self) -> int:
        """Trained numbers, over all members."""
        return self.forecaster.parameters

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What was inferred and chosen, one line each."""
        observed = f", {self.rows - self.observed:,} missing" if self.observed < self.rows else ""
        return (("data", f"{_count(self.series, 'series')}, {self.rows:,} rows{observed}"), *self.forecaster.facts())

    @property
    def verdict(self) -> str:
        """In one sentence, whether the network is worth having."""
        return verdict(self.validation, self.validated_origins)

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        model = self.forecaster
        return {
            "schema": SCHEMA,
            "output": self.output,
            "bytes": self.bytes,
            "series": self.series,
            "rows": self.rows,
            "observed": self.observed,
            "columns": model.columns.to_json(),
            "frequency": str(model.calendar.frequency),
            "seasons": list(model.calendar.seasons),
            "zone": model.calendar.zone,
            "network": model.network.to_json(),
            "forecast": model.forecast.to_json(),
            "training": model.training.to_json(),
            "parameters": self.parameters,
            "best_steps": list(self.best_steps),
            "validation": {
                name: {key: _known(value) for key, value in s.items()} for name, s in self.validation.items()
            },
            "validated_origins": self.validated_origins,
            "verdict": self.verdict,
            "notes": list(self.notes),
        }


def train(
    data: Any,
    *,
    output: str | os.PathLike[str] | None = None,
    on_event: Listener | None = None,
    **options: Unpack[TrainOptions],
) -> Training:
    """Train on `data` (paths, folders, globs, "-", or tables with the Arrow stream interface); write `output`.

    Whatever is not said is inferred. Raises the errors of `rnncli.errors`; where training diverges, the last good
    weights are in `output` + ".partial", and a model at `output` stays as it was.
    """
    said.refuse_unknown(options, TrainOptions)
    tell = on_event or unheard
    choices, seasons = said.column_choices(options), said.seasons(options)
    _check(options)
    if output is not None:
        files.check_writable(output)
    loaded = load_panel(data, choices, seasons=seasons)
    for line in loaded.notes:
        tell(Noted(line))
    if loaded.columns.future:  # rows that only hold what is known ahead teach nothing
        loaded = replace(loaded, panel=loaded.panel.cut(loaded.panel.observed_ends()))
    plan = make_plan(loaded, options)
    tell(Noted(_inferred(loaded, plan)))
    trained = run(loaded, plan, options, tell, output)
    return _finish(loaded, trained, output)


def _check(options: Mapping[str, Any]) -> None:
    said.positive(
        options,
        "horizon",
        "context",
        "layers",
        "hidden",
        "members",
        "steps",
        "time_budget",
        "learning_rate",
        "batch",
        "clip",
        "threads",
    )
    said.quantile_levels(options, planning.DEFAULT_LEVELS)


def make_plan(loaded: Loaded, options: Mapping[str, Any]) -> Plan:
    """Everything that is decided before the first step."""
    from rnncli.training.session import Plan

    panel = loaded.panel
    given = planning.Sizes(**said.only(planning.Sizes, options))
    horizon = options.get("horizon") or planning.default_horizon(panel.calendar, panel.lengths)
    levels = said.quantile_levels(options, planning.DEFAULT_LEVELS)
    beside = planning.covariates(panel, loaded.columns, loaded.categories)
    forecast = planning.forecast_spec(panel, horizon, levels, options.get("context"), beside)
    network = planning.network_spec(panel, forecast, given)
    return Plan(network, forecast, planning.training_spec(network, given))


def run(
    loaded: Loaded, plan: Plan, options: Mapping[str, Any], tell: Listener, output: str | os.PathLike[str] | None
) -> Trained:
    """Train, passing on every event. Where training diverges, save what there is and raise TrainingDiverged."""
    from rnncli.nn.runtime import device, prepared
    from rnncli.training.session import Trained
    from rnncli.training.session import train as session

    trained: Trained | None = None
    try:
        with prepared(options.get("threads") or _threads(plan.network)) as settings:
            for name, value in settings.items():
                tell(Noted(f"{name.replace('_', ' ')}: {value}", detail=True))
            for event in session(loaded.panel, plan, device(options.get("device"))):
                if isinstance(event, Trained):
                    trained = event
                else:
                    tell(event)
    except TrainingDiverged as error:
        if trained is not None and output is not None:
            partial = Path(f"{os.fspath(output)}.partial")
            models.save(partial, to_forecaster(loaded, trained, {}))
            error.hint = f"{error.hint}; the last good weights are in {partial}"
        raise
    assert trained is not None
    return trained


def _threads(network: NetworkSpec) -> int | None:
    """One thread where the work of a step is too small to be shared; else as many as there are."""
    return 1 if network.layers * network.hidden < SHARED else None


def to_forecaster(loaded: Loaded, trained: Trained, record: dict[str, Any]) -> Forecaster:
    """The model that a training leaves."""
    plan, panel = trained.plan, loaded.panel
    cutoffs = dict(zip(panel.ids, panel.ends().tolist(), strict=True))
    return Forecaster(
        plan.network, plan.forecast, plan.training, loaded.columns, panel.calendar, trained.weights, cutoffs, record
    )


def _finish(loaded: Loaded, trained: Trained, output: str | os.PathLike[str] | None) -> Training:
    panel = loaded.panel
    target = panel.values[:, 0]
    observed = int(np.count_nonzero(~np.isnan(target)))
    validation, origins = _validation(loaded, trained)
    record = {
        "rows": len(target),
        "observed": observed,
        "statistics": _statistics(target),
        "best_steps": list(trained.best_steps),
        "validation": {name: {key: _known(value) for key, value in s.items()} for name, s in validation.items()},
        "validated_origins": origins,
    }
    forecaster = to_forecaster(loaded, trained, record)
    size = models.save(output, forecaster) if output is not None else 0
    return Training(
        forecaster=forecaster,
        output=None if output is None else os.fspath(output),
        bytes=size,
        series=len(panel),
        rows=len(target),
        observed=observed,
        validation=validation,
        validated_origins=origins,
        best_steps=trained.best_steps,
        notes=loaded.notes,
    )


def _validation(loaded: Loaded, trained: Trained) -> tuple[Scores, int]:
    """Scores of the network and of the naive forecasts on the held-out rows."""
    from rnncli.evaluation.backtest import Split
    from rnncli.evaluation.run import MODEL, evaluate_made

    spec, windows = trained.plan.forecast, trained.validated
    if not windows:
        return {}, 0
    splits = [Split(window.series, window.origins, spec.horizon) for window in windows]
    made = [(window.quantiles, window.quantiles[..., spec.median]) for window in windows]
    report = evaluate_made(loaded.panel, splits, made, spec.levels, spec.seasons[0])
    names = {NETWORK: MODEL, SEASONAL: SEASONAL, NAIVE: NAIVE}
    found = {name: report.scores[theirs].overall for name, theirs in names.items()}
    origins = sum(len(window.series) for window in windows)
    return {name: {"mase": scores["mase"], "wql": scores["wql"]} for name, scores in found.items()}, origins


def verdict(validation: Scores, origins: int) -> str:
    """What the validation says, also where it is not what one would like to hear."""
    if not validation or all(math.isnan(value) for value in validation[NETWORK].values()):
        return "the series are too short to tell whether the network is better than a naive forecast"
    rival = min((SEASONAL, NAIVE), key=lambda name: _score(validation[name]))
    wins = [validation[NETWORK][metric] < validation[rival][metric] for metric in ("mase", "wql")]
    figures = ", ".join(
        f"{metric.upper()} {validation[NETWORK][metric]:.3g} against {validation[rival][metric]:.3g}"
        for metric in ("mase", "wql")
    )
    what = {(True, True): "better", (False, False): "no better"}.get((wins[0], wins[1]), _DIVIDED[wins[0]])
    return f"the network is {what} than the {rival} forecast on held-out rows ({figures}; {_count(origins, 'origin')})"


_DIVIDED = {
    True: "better in its median, but not in its quantiles,",
    False: "better in its quantiles, but not in its median,",
}


def _score(scores: dict[str, float]) -> float:
    """MASE times WQL: a forecast must not win on one by losing on the other."""
    defined = [value for value in scores.values() if not math.isnan(value)]
    return math.prod(defined) if defined else math.inf


def _statistics(target: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float | None]:
    seen = target[~np.isnan(target)]
    if not seen.size:
        return {}
    middle = float(np.median(seen))
    return {"minimum": float(seen.min()), "median": middle, "maximum": float(seen.max())}


def _inferred(loaded: Loaded, plan: Plan) -> str:
    """The inference in one line, printed before anything is trained."""
    columns, calendar = loaded.columns, loaded.panel.calendar
    named = f"id {columns.id!r}" if columns.id else "one series"
    named = "one series a file" if columns.by_file else "one series a column" if columns.wide else named
    seasons = " and ".join(map(str, calendar.seasons)) if calendar.seasons != (1,) else "none"
    target = "" if columns.wide else f"target {columns.target!r}, "
    return (
        f"time {columns.time!r} (every {str(calendar.frequency).removeprefix('1 ')}), {named}, {target}"
        f"season {seasons}, horizon {plan.forecast.horizon}"
    )


def _count(number: int, word: str) -> str:
    plural = word if number == 1 or word.endswith("s") else f"{word}s"
    return f"{number:,} {plural}"


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def refit(loaded: Loaded, forecaster: Forecaster, options: Mapping[str, Any], tell: Listener) -> Forecaster:
    """The same network, trained the same way on other rows."""
    from rnncli.training.session import Plan

    spec = planning.fitted_to(loaded.panel, forecaster.forecast)
    plan = Plan(forecaster.network, spec, forecaster.training)
    trained = run(loaded, plan, options, tell, None)
    return to_forecaster(loaded, trained, {})
