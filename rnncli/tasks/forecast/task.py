"""The forecast task: from every origin, quantiles of the rows that follow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rnncli import checkpoint
from rnncli.arrays import Array, Floats, Ints
from rnncli.data.load import Loaded
from rnncli.data.objects import Data
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.events import Listener
from rnncli.model import Meta, Tensors
from rnncli.options.types import AnswerOptions, TrainOptions
from rnncli.spec import ColumnChoices, NetworkSpec
from rnncli.tasks.forecast import attended, head, model_file
from rnncli.tasks.forecast.forecaster import Forecaster
from rnncli.tasks.forecast.network import refuse_what_sees_ahead
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.seen import Seen, Shapes, Weights

if TYPE_CHECKING:  # predict imports this module, and nothing that only training needs
    from rnncli.evaluation.side_by_side import SideBySide
    from rnncli.inference.onnx_file import Graph, Put
    from rnncli.tasks.forecast.answer import Forecast
    from rnncli.tasks.forecast.examples import Examples
    from rnncli.tasks.forecast.fed import Fed
    from rnncli.tasks.forecast.long_answer import LongForecast
    from rnncli.tasks.forecast.stateful import Stream
    from rnncli.tasks.forecast.validation import Holdout, Validated
    from rnncli.tasks.plan import Plan, Trained
    from rnncli.tasks.task import Again, Asking, Backtest, Draw, Facts, LookedAt, Options, Points, Scored

OFTEN, OFTEN_TARGETS = 1_000, 256_000  # forecasts that are scored again and again, and rows of them
JUDGED = 500_000  # quantiles that the pool and the calibration are fitted to at most
YOUNG = 400  # forecasts of series that have just begun, which are calibrated by them


class Forecasting:
    """Quantiles of the next `horizon` rows, relative to the level and spread at the origin."""

    name, units = "forecast", "series"
    text = False

    def lesson(self, panel: Panel, spec: ForecastSpec, ends: Ints) -> Examples:
        """The panel as crops with origins in them."""
        from rnncli.tasks.forecast.examples import Examples

        return Examples(panel, spec, ends)

    def head_shapes(self, spec: ForecastSpec, network: NetworkSpec) -> Shapes:
        """The decoder's weights. UsageError for an encoder that would see ahead."""
        refuse_what_sees_ahead(network.cell)
        return head.shapes(network, spec, len(spec.plain))

    def begin(self, spec: ForecastSpec, network: NetworkSpec, draw: Draw) -> Mapping[str, Array]:
        """The network begins as an even mixture of the plain forecasts."""
        shapes = self.head_shapes(spec, network)
        first: dict[str, Array] = {}
        for name in ("weight_state", "weight_known", *(["weight_errors"] if spec.judged else [])):
            first[name] = draw.uniform(shapes[name], (3 / shapes[name][1]) ** 0.5)
        first["scale_step"] = draw.normal(shapes["scale_step"], 1, 0.3)
        first["bias_step"] = draw.normal(shapes["bias_step"], 0, 0.3)
        for name in ("weight_mix", "weight_shift", "weight_spread"):
            first[name] = draw.normal(shapes[name], 0, 0.01)
        first["bias_spread"] = np.full(shapes["bias_spread"], -1.0, np.float32)
        if spec.judged:
            first["mix_errors"] = np.ones(shapes["mix_errors"], np.float32)
        return first | (attended.begin(network.hidden) if spec.attends else {})

    def enter(self, spec: ForecastSpec, weights: Weights, seen: Seen, xp: Any) -> Array:  # noqa: ARG002
        """The inputs as they are."""
        return seen.inputs

    def read(self, spec: ForecastSpec, weights: Weights, outputs: Array, seen: Seen, xp: Any) -> Array:
        """The output at the origin, with what it reads of those before it: [n, T, H] -> [o, H]."""
        return attended.read(weights, outputs, seen.rows, seen.origins, spec.attended, xp)

    def head(self, spec: ForecastSpec, weights: Weights, state: Array, beside: Mapping[str, Array], xp: Any) -> Array:
        """Relative quantiles: [o, horizon, q]."""
        return head.quantiles(weights, state, beside["components"], beside["errors"], beside["known"], spec.median, xp)

    def loss(self, spec: ForecastSpec, said: Array, targets: Array, xp: Any) -> Array:
        """The pinball loss of relative quantiles: [o]."""
        return head.loss(said, targets, spec.levels, xp)

    def answers(self, spec: ForecastSpec, said: Floats, units: Mapping[str, Array]) -> Floats:  # noqa: ARG002
        """Quantiles in the data's units: [o, horizon, q]."""
        return head.to_units(said, units["level"], units["spread"], units["logs"])

    def context(self, spec: ForecastSpec) -> int:
        """Steps of a crop."""
        return spec.steps

    def refuse_nothing(self, panel: Panel) -> None:
        """InputRefused if no series has two rows."""
        if not (panel.lengths >= 2).any():
            raise InputRefused("no series has the two rows that training needs", hint="give longer series")

    def visible(self, panel: Panel, plan: Plan[ForecastSpec]) -> Panel:
        """The whole panel, or the target alone for the rival without covariates."""
        from rnncli.tasks.forecast.plan import WITHOUT_COVARIATES, target_alone

        return target_alone(panel) if plan.variant == WITHOUT_COVARIATES else panel

    def seen_rows(self, panel: Panel, spec: ForecastSpec) -> Panel:
        """The rows that training learns from."""
        from rnncli.tasks.forecast.rows import rows_seen

        return rows_seen(panel, spec)

    def hold_out(self, panel: Panel, spec: ForecastSpec) -> Holdout:
        """The last origins of each series."""
        from rnncli.tasks.forecast.validation import hold_out

        return hold_out(panel, spec)

    def judged(self, spec: ForecastSpec, holdout: Holdout, *, often: bool) -> Holdout:
        """A part of the held-out forecasts: `often` as many as tell enough, else as many as memory allows."""
        if often:
            return holdout.some(min(OFTEN, max(1, OFTEN_TARGETS // spec.horizon)))
        return holdout.some(JUDGED // (spec.horizon * len(spec.levels)))

    def held_out(self, panel: Panel, spec: ForecastSpec, holdout: Holdout) -> Asking:
        """The forecasts from held-out origins."""
        from rnncli.tasks.forecast.examples import Examples
        from rnncli.tasks.forecast.validation import validated
        from rnncli.tasks.task import Asking

        lesson = Examples(panel, spec, panel.lengths)
        nothing_yet = validated(panel, spec, holdout, np.zeros(0))
        return Asking(lesson, holdout.series, holdout.origins, nothing_yet)

    def further(self, panel: Panel, spec: ForecastSpec, holdout: Holdout) -> tuple[Asking, ...]:
        """The forecasts as if each series had begun 1, 2, 3 ... rows before its origin, by which those of young series
        are calibrated.
        """
        from rnncli.tasks.forecast.examples import Examples
        from rnncli.tasks.forecast.support import support
        from rnncli.tasks.forecast.validation import validated
        from rnncli.tasks.task import Asking

        some = holdout.some(YOUNG)
        actual = validated(panel, spec, some, np.zeros(0))

        def begun(rows: int) -> Asking:
            lesson = Examples(panel, replace(spec, steps=min(rows, spec.steps)), panel.lengths, young=rows)
            first = np.maximum(some.origins - rows, 0)
            may_come = support(panel, some.series, some.origins, spec, first)
            return Asking(lesson, some.series, some.origins, replace(actual, support=may_come))

        return tuple(begun(rows) for rows in spec.young)

    def losses(self, spec: ForecastSpec, found: Validated) -> Floats:
        """Scaled quantile losses: [N]."""
        from rnncli.tasks.forecast.validation import scaled_quantile_loss

        return scaled_quantile_loss(found, spec.levels)

    def choose(self, plan: Plan[ForecastSpec], found: list[Validated]) -> int:
        """The candidate that goes on: 0 with the covariates, 1 with the target alone."""
        from rnncli.tasks.forecast.doubt import chosen

        return chosen(found, plan.spec)

    def settle(self, panel: Panel, trained: Trained[ForecastSpec]) -> object:
        """The pool and the intervals, and what the training record says of them."""
        from rnncli.tasks.forecast.decide import decided, scores

        return scores(panel, trained, decided(panel, trained))

    def last_questions(self, panel: Panel, spec: ForecastSpec) -> tuple[Ints, Ints]:
        """Series with two rows, and the rows before the last origin of each that has its whole horizon, or half of
        them.
        """
        ends = panel.observed_ends()
        origins = ends - np.minimum(spec.horizon, np.maximum(ends // 2, 1))
        usable = np.flatnonzero(origins >= 1)
        if not len(usable):
            raise InputRefused("no series has two rows", hint="give longer series")
        return usable, origins[usable]

    def facts(self, panel: Panel, spec: ForecastSpec) -> Facts:
        """The horizon, the seasons as the lags that matter, and the median length."""
        from rnncli.tasks.task import Facts

        lags = tuple(season for season in spec.seasons if season > 1)
        return Facts(spec.horizon, lags, int(np.median(panel.lengths)), "season")

    def points(self, spec: ForecastSpec, said: Array, seen: Seen) -> Points:
        """Medians beside the plain forecasts that the decoder weighs, relative to level and spread."""
        from rnncli.tasks.task import Points

        plain = seen.beside["components"]
        return Points(
            said[..., spec.median], seen.targets, {name: plain[..., place] for place, name in enumerate(spec.plain)}
        )

    def looked_at(self, data: Any, choices: ColumnChoices, options: Options, model: Forecaster | None) -> LookedAt:
        """What is wrong with a table of series."""
        from rnncli.tasks.forecast.looked_at import looked_at

        return looked_at(data, choices, options.get("horizon"), model, in_parts=options.get("fix") is None)

    def refuse_senseless(self, options: TrainOptions) -> None:
        """UsageError for what no forecast can be trained by."""
        from rnncli.tasks.forecast import training

        training.refuse_senseless(options)

    def load_new(self, data: Data, choices: ColumnChoices, options: TrainOptions, tell: Listener) -> Loaded:
        """Data of which nothing is known, with the seasons that are found in them."""
        from rnncli.tasks.forecast import reading

        return reading.load_new(data, choices, options, tell)

    def load_known(self, data: Data, choices: ColumnChoices, model: Forecaster, tell: Listener) -> Loaded:
        """Data, read as those of a model were."""
        from rnncli.tasks.forecast import reading

        return reading.load_known(data, choices, model, tell)

    def load_to_train(
        self, data: Data, choices: ColumnChoices, options: TrainOptions, start: Forecaster | None, tell: Listener
    ) -> Loaded:
        """Data to train on, within the bounds and with the holidays that were asked for."""
        from rnncli.tasks.forecast import reading

        return reading.load_to_train(data, choices, options, start, tell)

    def planned(self, loaded: Loaded, options: TrainOptions) -> Plan[ForecastSpec]:
        """The plan of a training: everything that is decided before its first step."""
        from rnncli.tasks.forecast import training

        return training.planned(loaded, options)

    def planned_on(self, loaded: Loaded, start: Forecaster, options: TrainOptions) -> Plan[ForecastSpec]:
        """The plan of a training that goes on from a model."""
        from rnncli.tasks.forecast import training

        return training.planned_on(loaded, start, options)

    def planned_again(self, loaded: Loaded, model: Forecaster) -> Plan[ForecastSpec]:
        """The plan of a model's training, once more on other rows."""
        from rnncli.tasks.forecast import training

        return training.planned_again(loaded, model)

    def inferred(self, loaded: Loaded, plan: Plan[ForecastSpec]) -> str:
        """Columns, frequency, seasons and horizon."""
        from rnncli.tasks.forecast import training

        return training.inferred(loaded, plan)

    def settled(
        self, loaded: Loaded, plan: Plan[ForecastSpec], trained: Trained[ForecastSpec], start: Forecaster | None
    ) -> Forecaster:
        """The model that a training leaves, with the record of it."""
        from rnncli.tasks.forecast import training

        return training.settled(loaded, plan, trained, start)

    def refitted(self, loaded: Loaded, trained: Trained[ForecastSpec]) -> Forecaster:
        """The model that a repeated training leaves, with an empty record."""
        from rnncli.tasks.forecast import training

        return training.refitted(loaded, trained)

    def unsettled(self, loaded: Loaded, trained: Trained[ForecastSpec]) -> Forecaster:
        """The model of a training that broke off."""
        from rnncli.tasks.forecast import training

        return training.unsettled(loaded, trained)

    def verdict(self, model: Forecaster) -> str:
        """One sentence that says whether the network is better than the naive forecasts."""
        from rnncli.tasks.forecast.verdict import verdict

        return verdict(model.record, model.pool)

    def outcome(self, model: Forecaster) -> dict[str, Any]:
        """The decisions of validation about covariates and pool, as JSON."""
        return {"covariates": model.record.get("covariates"), "pool": model.pool.to_json()}

    def stream(self, path: str | os.PathLike[str], model: Forecaster, digest: str) -> Stream:
        """The state file at `path`, of what the model has seen so far. ModelRefused if it is not of this model."""
        from rnncli.tasks.forecast.stateful import Stream

        return Stream(path, model, digest)

    def answer(
        self,
        data: Data,
        model: Forecaster,
        choices: ColumnChoices,
        options: AnswerOptions,
        tell: Listener,
        stream: Stream | None,
    ) -> Forecast | LongForecast:
        """The next rows of every series."""
        from rnncli.tasks.forecast.answer import answer

        return answer(data, model, choices, options, tell, stream)

    def groupings(self, model: Forecaster | None, group: str | None) -> tuple[str, ...]:
        """Series, and steps ahead."""
        del model, group
        return ("series", "lead")

    def evaluated(
        self, data: Data, model: Forecaster, choices: ColumnChoices, wanted: Backtest, tell: Listener, again: Again
    ) -> Scored:
        """A backtest beside the naive forecasts."""
        from rnncli.tasks.forecast import evaluate, scored_parts

        found = scored_parts.scored_parts(data, model, choices, wanted, tell)
        return evaluate.evaluated(data, model, choices, wanted, tell, again) if found is None else found

    def scored_saved(self, data: Data, forecasts: Data, choices: ColumnChoices, tell: Listener) -> Scored:
        """The scores of forecasts that were saved, beside the naive ones."""
        from rnncli.tasks.forecast.evaluate import scored_saved

        return scored_saved(data, forecasts, choices, tell)

    def compared(
        self,
        data: Data,
        models: Mapping[str, Forecaster],
        forecasts: Mapping[str, Data],
        choices: ColumnChoices,
        wanted: Backtest,
        alpha: float,
        tell: Listener,
        again: Again,
    ) -> SideBySide:
        """Models and saved forecasts by name, from the same origins."""
        from rnncli.tasks.forecast.compare import compared

        return compared(data, models, forecasts, choices, wanted, alpha, tell, again)

    def unfitted(self, model: Forecaster) -> bool:
        """Whether a model fits itself to the data that it is given."""
        return model.unfitted

    def puts(self, model: Forecaster) -> tuple[Put, ...]:
        """What is put into a model's ONNX graph."""
        from rnncli.tasks.forecast.exported import puts

        return puts(model)

    def graph(self, model: Forecaster) -> Graph:
        """A model as an ONNX graph."""
        from rnncli.tasks.forecast.exported import graph

        return graph(model)

    def fed(
        self, data: Data, model: Forecaster, choices: ColumnChoices, tell: Listener, ahead: Data | None = None
    ) -> Iterator[Fed]:
        """What is put into that graph for the rows that follow each series, some series at a time."""
        from rnncli.tasks.forecast.fed import fed

        return fed(data, model, choices, tell, ahead)

    def layout(self, meta: Meta) -> checkpoint.Layout:
        """The tensors that a description implies."""
        return model_file.layout(meta)

    def from_file(self, found: checkpoint.Model) -> Forecaster:
        """The model in a file that was checked."""
        return model_file.from_file(found)

    def to_file(self, model: Forecaster) -> tuple[Tensors, Meta]:
        """Tensors and description of a model's file."""
        return model_file.to_file(model)


TASK = Forecasting()
