"""Score a model beside what is simpler, or forecasts that were saved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from rnncli.data.statistics import Drift, refuse_drift
from rnncli.data.writers.results import Style, StyleOptions
from rnncli.errors import GateFailed, SeriesRefused, UsageError
from rnncli.evaluation.gates import Condition, Outcome, outcomes, read_condition, rival_name
from rnncli.evaluation.kept import refuse_names
from rnncli.evaluation.shown import ScoreReport, refuse_other_grouping
from rnncli.events import Listener, unheard
from rnncli.options import table
from rnncli.options.types import ColumnOptions, KeepingOptions, Model
from rnncli.outline import Outline, shown
from rnncli.registry import BASE, TASKS, find
from rnncli.tasks.task import Backtest, InParts, Scored
from rnncli.workflows.arguments import public
from rnncli.workflows.keeping import keeping
from rnncli.workflows.model import given
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.pictures import check_plot, draw
from rnncli.workflows.run_training import repeating
from rnncli.workflows.score_file import write_scores

if TYPE_CHECKING:
    from rnncli.charts.fans import Fans
    from rnncli.evaluation.kept import KeptForecasts

ALPHA = 0.05


@shown
@dataclass(frozen=True)
class Evaluation:
    """A report, whether the model was trained once more for the sake of honesty, the outcome of every gate, what is
    new in the data since training (None if unknown) and whether that fails, the series left out, and the first step
    that was forecast from forecasts (None if the horizon is not beyond the trained one); `fans` are the forecasts of
    the last window beside what came, `model` is what made them, and `forecasts` is a table of them all: None where the
    model makes none.
    """

    report: ScoreReport
    refitted: bool
    gates: tuple[Outcome, ...] = ()
    drift: Drift | None = None
    fail_on_drift: bool = False
    skipped: tuple[SeriesRefused, ...] = ()
    beyond_trained_from: int | None = None
    fans: Fans | None = None
    model: Any = None
    forecasts: KeptForecasts | None = None

    def to_json(self, *, by: str | None = None) -> dict[str, Any]:
        """The document behind `--json`."""
        return self.report.to_json(by=by) | {
            "refitted": self.refitted,
            "beyond_trained_from": self.beyond_trained_from,
            "gates": [outcome.to_json() for outcome in self.gates],
            "drift": None if self.drift is None else self.drift.to_json(),
            "skipped": [{"id": error.series, "reason": str(error)} for error in self.skipped],
        }

    def outline(self) -> Outline:
        """What was scored, the scores, and the outcome of every gate."""
        report = self.report.outline()
        passed = {True: "passed", False: "failed"}
        gates = [(f"gate {passed[gate.passed]}", f"{gate.gate} ({gate.reason})") for gate in self.gates]
        drifted = self.drift is not None and self.drift.has_drifted
        drift = [("drift", "the data have drifted since training")] if drifted else []
        skipped = [("skipped", f"{len(self.skipped):,} series")] if self.skipped else []
        return report._replace(title="Evaluation", facts=[*report.facts, *skipped, *drift, *gates])

    def refuse(self) -> None:
        """GateFailed if a gate was not passed, or the data have drifted where they must not have."""
        failed = [outcome for outcome in self.gates if not outcome.passed]
        if failed:
            told = "; ".join(f"{outcome.gate}: {outcome.reason}" for outcome in failed)
            raise GateFailed(f"a gate failed: {told}", hint=self._advice(failed[0]))
        if self.fail_on_drift:
            refuse_drift(self.drift)

    def _advice(self, failed: Outcome) -> str:
        if self.report.in_sample:
            return self.report.made_honest_by
        if failed.undecided:
            return self.report.sharpened_by
        where = "".join(f"; --by {name} shows where they are worst" for name in self.report.groupings[:1])
        return f"the scores are printed all the same{where}"

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


class EvaluateOptions(ColumnOptions, KeepingOptions, total=False):
    """What must hold, and how forecasts that are kept are written: see `evaluate`."""

    fail_if: Iterable[str]
    must_beat: Iterable[str]
    alpha: float | None
    fail_on_drift: bool


@dataclass(frozen=True)
class Gates:
    """What must hold: bounds of scores, and baselines that are to be beaten by a test at level `alpha`."""

    conditions: tuple[Condition, ...]
    rivals: tuple[str, ...]
    alpha: float

    def outcomes(self, report: ScoreReport) -> tuple[Outcome, ...]:
        """Whether each is kept."""
        return tuple(outcomes(report, self.conditions, self.rivals, self.alpha))


@public
def evaluate(
    data: Any,
    model: Model | None = None,
    *,
    forecasts: Any = None,
    windows: int | None = None,
    start: str | None = None,
    until: str | None = None,
    stride: int | None = None,
    horizon: int | None = None,
    refit: bool = True,
    trained_on: Any = None,
    group: str | None = None,
    by: str | None = None,
    plot: str | os.PathLike[str] | None = None,
    keep_forecasts: str | os.PathLike[str] | None = None,
    device: str | None = None,
    threads: int | None = None,
    on_event: Listener | None = None,
    **options: Unpack[EvaluateOptions],
) -> Evaluation:
    """Score `model` from `windows` origins, `stride` rows apart (the horizon by default), or the table `forecasts`; a
    model that labels by the labels in `data`. Origins are counted back from the last row that is not later than
    `until`; with `start` there are as many as have all the rows that they forecast at that time or later.

    Origins that lie before the end of what the model was trained on are scored by a model trained once more on what
    came before the first of them; with `refit` false by the model as it is, and marked in-sample. A model that labels
    is marked so where sequences of training are scored; baselines beside it learn from the tables `trained_on`, and
    `group` is a column by which labels are scored as well. What is going to be asked for `by` a grouping
    (`Evaluation.to_json(by="series")`) can be said here too, and is then refused before any work where these scores
    have none of that name. `plot` is a picture of the scores by lead, of coverage against level and of errors by
    series (.png, .svg, .html), or of frames a picture of some sequences, their forecast and what came (.png, or a loop
    of one: .gif). `keep_forecasts` is a file for what `Evaluation.forecasts` holds: every forecast that is scored, with
    its origin and what came; as `forecasts` it is scored again.

    Gates are reported, and `Evaluation.refuse` raises where one failed: `fail_if` are conditions such as "mase>1" that
    must not hold, `must_beat` are baselines than which the model must be better by a paired test at level `alpha`
    (0.05), and with `fail_on_drift` the data must not have drifted since training.
    """
    said = Scoring(
        forecasts=forecasts,
        windows=windows,
        start=start,
        until=until,
        stride=stride,
        horizon=horizon,
        refit=refit,
        trained_on=trained_on,
        group=group,
        by=by,
        plot=plot,
        keep_forecasts=keep_forecasts,
        device=device,
        threads=threads,
    )
    return evaluated(data, model, said, options, on_event or unheard)


@dataclass(frozen=True)
class Scoring:
    """What is scored, from where, and what becomes of it: see `evaluate`."""

    forecasts: Any = None
    windows: int | None = None
    start: str | None = None
    until: str | None = None
    stride: int | None = None
    horizon: int | None = None
    refit: bool = True
    trained_on: Any = None
    group: str | None = None
    by: str | None = None
    plot: str | os.PathLike[str] | None = None
    keep_forecasts: str | os.PathLike[str] | None = None
    device: str | None = None
    threads: int | None = None

    @property
    def of_a_model(self) -> dict[str, Any]:
        """What says how a model is to be scored, by the names of options; one window is what is usual."""
        names = ("horizon", "stride", "until", "refit", "keep_forecasts")
        windows = None if self.windows == 1 else self.windows
        return {"windows": windows, "from_": self.start, **{name: getattr(self, name) for name in names}}

    def backtest(self, in_parts: InParts | None) -> Backtest:
        """The origins that are wanted."""
        return Backtest(
            self.windows,
            self.stride,
            self.horizon,
            self.refit,
            self.trained_on,
            self.group,
            self.start,
            self.until,
            self.threads,
            in_parts,
        )


def evaluated(
    data: Any,
    model: Model | None,
    said: Scoring,
    options: EvaluateOptions,
    tell: Listener,
    *,
    in_parts: bool = False,
) -> Evaluation:
    """What `evaluate` does; where it may be done `in_parts`, large data are scored some series at a time, and of each
    series nothing is kept.
    """
    forecasts, by, plot = said.forecasts, said.by, said.plot
    paths = {name: getattr(said, name) for name in ("forecasts", "trained_on", "plot", "keep_forecasts")}
    keep_apart("evaluate", {**options, **paths, "data": data, "model": model})
    if model is not None and forecasts is not None:
        raise UsageError("both a model and saved forecasts were given", hint="give -m MODEL, or --forecasts FILE")
    refuse_two_counts(said.windows, said.start)
    choices = column_choices(options)
    loaded_model = None if forecasts is not None else given(BASE if model is None else model).model
    if plot is not None:
        check_plot(plot, "forecast" if loaded_model is None else loaded_model.task.name)
    asked = {**options, **said.of_a_model, "trained_on": said.trained_on, "group": said.group}
    with keeping(said.keep_forecasts, options) as keep:
        if loaded_model is None:
            gates, task = gates_of(options, "forecast"), find(TASKS, "forecast", "task")
            table.refuse_of_other_task(asked, task.name)
            _refuse_of_a_model(said.of_a_model)
            refuse_other_grouping(task.groupings(None, said.group), by)
            scored: Scored = task.scored_saved(data, forecasts, choices, tell)
        else:
            table.refuse_of_other_task(asked, loaded_model.task.name, by_model=True)
            refuse_other_grouping(loaded_model.task.groupings(loaded_model, said.group), by)
            if said.keep_forecasts is not None:
                refuse_names(loaded_model.columns)
            gates = gates_of(options, loaded_model.task.name)
            parted = in_parts and by is None and plot is None and keep.takes_parts
            wanted = said.backtest(InParts(bool(gates.rivals), keep if keep.sink else None) if parted else None)
            again = repeating(said.device, said.threads, tell)
            scored = loaded_model.task.evaluated(data, loaded_model, choices, wanted, tell, again)
        refuse_other_grouping(scored.report.groupings, by)  # the data may lack a column of groups
        if plot is not None:
            draw(plot, scored.report, tell)
        keep(scored.forecasts, tell)
    return Evaluation(
        scored.report,
        scored.refitted,
        gates.outcomes(scored.report),
        scored.drift,
        options.get("fail_on_drift", False),
        scored.skipped,
        scored.beyond_trained_from,
        scored.fans,
        scored.model,
        scored.forecasts,
    )


def refuse_two_counts(windows: int | None, start: str | None) -> None:
    """UsageError where both a number of windows and a span of time say how many there are."""
    if windows is not None and start is not None:
        raise UsageError("--from and --windows both say how many windows there are", hint="leave one of them out")


def _refuse_of_a_model(said: Mapping[str, Any]) -> None:
    """UsageError where an option says how a model is to be scored, and forecasts were saved."""
    for option in table.given(said):
        flag = f"--no-{option.key}" if option.on else f"--{option.key}"
        raise UsageError(f"{flag} is for a model; saved forecasts are scored as they are", hint=f"leave {flag} out")


def gates_of(options: EvaluateOptions, task: str) -> Gates:
    """The gates over a task's scores, read before anything is computed."""
    alpha = options.get("alpha")
    if alpha is not None and not 0 < alpha < 1:
        raise UsageError(f"alpha must lie between 0 and 1, not {alpha}")
    conditions = tuple(read_condition(text, task) for text in options.get("fail_if") or ())
    rivals = tuple(rival_name(text, task) for text in options.get("must_beat") or ())
    return Gates(conditions, rivals, ALPHA if alpha is None else alpha)
