"""Search for a network: trials over cell, size, context, rate and dropout, and an ordinary model in the end."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Unpack

import numpy as np

from rnncli import model as models
from rnncli.data.load import Loaded
from rnncli.errors import InputRefused, MissingDependency, TrainingDiverged, UsageError
from rnncli.evaluation.paired import Losses, compare
from rnncli.events import Listener, Noted, unheard
from rnncli.options.types import TrainOptions, TuneOptions
from rnncli.outline import Outline, shown
from rnncli.registry import TASKS, find
from rnncli.tasks.plan import Plan
from rnncli.tasks.reading import listed
from rnncli.tasks.task import Model
from rnncli.workflows.arguments import public
from rnncli.workflows.options import column_choices
from rnncli.workflows.paths import keep_apart
from rnncli.workflows.request import request_of
from rnncli.workflows.result import Training
from rnncli.workflows.run_training import threads_of
from rnncli.workflows.search_file import SearchFile, Trial, remove
from rnncli.workflows.search_told import settings_told, told
from rnncli.workflows.train import refuse_to_replace_others, train
from rnncli.workflows.trainable import require_torch

TRIALS = 30
GAIN, CHANCE = 0.01, 0.2  # by which a network must be better than the default, as covariates must be
CELLS = ("lstm", "gru", "slstm", "lru", "dilated:gru")
HIDDEN, LAYERS, CONTEXTS, DROPOUT, RATES = (16, 32, 64, 128), (1, 2, 3), (0.5, 1.0, 2.0), 0.5, 4.0
SEARCHED = ("cell", "layers", "hidden", "context", "learning_rate", "dropout")
_LEAST_CONTEXT = 4
ANOTHER = 86_400.0  # seconds: where two processes end at once, one waits until the other has made the model


@shown
@dataclass(frozen=True)
class Tuning:
    """A search as far as it came: its record, and the training of the model that it ended in (None while other
    processes are at their last trials, the last of which makes it). It is taken wherever a model file is.
    """

    record: dict[str, Any]
    under_way: int
    training: Training | None

    @property
    def model(self) -> Model:
        """The model. UsageError while there is none."""
        if self.training is None:
            raise UsageError("the search has not ended, so there is no model yet", hint="run it again")
        return self.training.model

    @property
    def output(self) -> str | None:
        """The model's file."""
        return None if self.training is None else self.training.output

    def facts(self) -> list[tuple[str, str]]:
        """What was tried, what was best, and whether the default was as good."""
        facts = [("search", told(self.record))]
        if self.under_way:
            facts.append(
                ("under way", f"{self.under_way} trials in other processes, the last of which makes the model")
            )
        return facts

    def outline(self) -> Outline:
        """What was tried, and the model."""
        made = [] if self.training is None else self.training.outline().facts
        return Outline("Search", [*self.facts(), *made])

    def to_json(self) -> dict[str, Any]:
        """The document behind `--json`."""
        made = None if self.training is None else self.training.to_json()
        return {"schema": "rnncli.tune/1", "search": self.record, "under_way": self.under_way, "training": made}


@dataclass(frozen=True)
class _Search:
    """What is tried: the options that were said, the data, and the plan of the default."""

    options: dict[str, Any]
    loaded: Loaded
    plan: Plan[Any]
    tell: Listener
    trials: int

    @property
    def default(self) -> dict[str, Any]:
        """The settings of the default, of what is searched."""
        network, spec, training = self.plan.network, self.plan.spec, self.plan.training
        every = {
            "cell": network.cell,
            "layers": network.layers,
            "hidden": network.hidden,
            "context": spec.steps,
            "learning_rate": training.learning_rate,
            "dropout": network.dropout,
        }
        return {name: value for name, value in every.items() if self.options.get(name) is None}

    def space(self) -> dict[str, Callable[[Any, str], Any]]:
        """How each setting that was not said is drawn."""
        d, rate = self.default, self.plan.training.learning_rate
        rows = int(self.loaded.panel.lengths.max())
        contexts = {max(_LEAST_CONTEXT, min(rows, round(factor * self.plan.spec.steps))) for factor in CONTEXTS}
        every: dict[str, Callable[[Any, str], Any]] = {
            "cell": _one_of((d.get("cell"), *CELLS)),
            "layers": _one_of((d.get("layers"), *LAYERS)),
            "hidden": _one_of((d.get("hidden"), *HIDDEN)),
            "context": _one_of((d.get("context"), *sorted(contexts))),
            "learning_rate": lambda trial, name: trial.suggest_float(name, rate / RATES, rate * RATES, log=True),
            "dropout": lambda trial, name: trial.suggest_float(name, 0.0, DROPOUT),
        }
        return {name: every[name] for name in d}

    def plan_of(self, settings: Mapping[str, Any]) -> Plan[Any]:
        """The plan of a trial: one network."""
        options: Any = self.options | dict(settings) | {"members": 1}
        return self.plan.task.planned(self.loaded, options).alone


def _one_of(values: tuple[Any, ...]) -> Callable[[Any, str], Any]:
    choices = [value for value in dict.fromkeys(values) if value is not None]
    return lambda trial, name: trial.suggest_categorical(name, choices)


@public
def tune(
    data: Any,
    *,
    output: str | os.PathLike[str],
    trials: int = TRIALS,
    time_budget: float | None = None,
    on_event: Listener | None = None,
    **options: Unpack[TuneOptions],
) -> Tuning:
    """Search over cell, layers, units, context, learning rate and dropout for `trials` trials, or so many seconds, and
    train the model that the search ends in.

    A trial is one network, scored on the same held-out rows as all others; the first is the default, and one that is
    clearly worse than others were is cut short. What is said (`cell`, `hidden`, ...) is not searched. The trials are in
    `output` + ".search", which several processes share; the same call after one that was broken off goes on from
    there. The best network is trained, unless the default was as good.

    Raises the errors of `rnncli.errors`.
    """
    tell = on_event or unheard
    require_torch()
    _check(data, options)
    keep_apart("tune", {**options, "data": data, "output": output})
    refuse_to_replace_others(output)
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    fresh, wait = given.pop("fresh", False), given.pop("lock_wait", ANOTHER)
    if fresh:
        remove(output)
    task = find(TASKS, "forecast", "task")
    training: Any = given
    task.refuse_senseless(training)
    loaded = task.load_to_train(data, column_choices(training), training, None, tell)
    plan = task.planned(loaded, training).alone
    search = _Search(given, loaded, plan, tell, trials)
    with closing(SearchFile(output, request_of(loaded, plan), plan.training.seed)) as file:
        _tried(search, file, time_budget)
        under_way = file.under_way()
        record = _record(search, file.ended())
    if under_way:
        return Tuning(record, under_way, None)
    settings = {} if record["default_as_good"] else record["settings"]
    return Tuning(record, 0, _final(data, output, {**given, **settings, "lock_wait": wait}, record, tell))


def _check(data: Any, options: Mapping[str, Any]) -> None:
    if find_spec("optuna") is None:
        raise MissingDependency("a search needs the package optuna", hint="pip install 'rnncli[tune]'")
    if "-" in [item for item in listed(data) if isinstance(item, str)]:
        raise UsageError("a search reads its data more than once", hint="give files, not -")
    if options.get("activation") is not None and options.get("cell") is None:
        raise UsageError(
            "--activation is of the cells rnn, jordan, jordan-decaying, indrnn, eunn and fir",
            hint="name one of them: --cell rnn",
        )
    if all(options.get(name) is not None for name in SEARCHED):
        raise UsageError("everything that a search looks for was said", hint="rnncli train does not search")


def _tried(search: _Search, file: SearchFile, time_budget: float | None) -> None:
    """Go on with the search until it ends."""
    begun, spent = time.monotonic(), file.seconds()
    over = math.inf if time_budget is None else begun + time_budget - spent
    while not file.ended() or time.monotonic() < over:
        trial = file.next(search.trials, search.default, search.space())
        if trial is None:
            return
        settings = dict(trial.params)
        score = _one(search, file, trial, settings, over if file.ended() else math.inf)
        ended = file.ended()
        best = min((one.score for one in ended if not one.pruned and one.score is not None), default=None)
        says = "cut short" if score is None else f"loss {score:.4g}" + (", the best so far" if score == best else "")
        search.tell(Noted(f"trial {len(ended)} of {search.trials} ({settings_told(settings)}): {says}"))


def _one(search: _Search, file: SearchFile, trial: Any, settings: Mapping[str, Any], over: float) -> float | None:
    """The score of a trial; None of one that was cut short, diverged, or for which there was no time."""
    from rnncli.nn.runtime import device, prepared
    from rnncli.training.events import Evaluated
    from rnncli.training.session import Searched
    from rnncli.training.session import search as events_of

    plan = search.plan_of(settings)
    panel = plan.task.seen_rows(search.loaded.panel, plan.spec)
    with prepared(search.options.get("threads") or threads_of(plan.network)):
        evaluations = 0
        try:
            for event in events_of(panel, plan, device(search.options.get("device"))):
                if isinstance(event, Searched):
                    score = float(np.nanmean(event.losses))
                    if not math.isfinite(score):
                        break
                    file.scored(trial, score, event.losses)
                    return score
                if isinstance(event, Evaluated):
                    trial.report(event.score, evaluations)
                    evaluations += 1
                    if trial.should_prune():
                        break
                if time.monotonic() >= over:
                    break
        except TrainingDiverged as error:
            search.tell(Noted(f"trial {trial.number + 1}: {error}", detail=True))
    file.pruned(trial)
    return None


def _record(search: _Search, ended: list[Trial]) -> dict[str, Any]:
    """What the model keeps of its search. InputRefused if no trial came to its end."""
    whole = [one for one in ended if one.losses is not None and one.score is not None]
    if not whole:
        raise InputRefused("no trial of the search came to its end", hint="allow more time, or a lower --learning-rate")
    best = min(whole, key=lambda one: one.score or 0.0)
    default = next((one for one in whole if one.settings == search.default), None)
    found = {
        "trials": len(ended),
        "pruned": len(ended) - len(whole),
        "settings": best.settings,
        "loss": best.score,
        "default": search.default,
        "default_loss": None if default is None else default.score,
    }
    p = None if default is None or default is best else _chance(search, best, default)
    over_all = None if p is None else min(1.0, p * len(whole))
    return found | {
        "p": p,
        "p_over_trials": over_all,
        "default_as_good": default is not None and _as_good(best, default, p),
    }


def _as_good(best: Trial, default: Trial, p: float | None) -> bool:
    assert best.score is not None
    assert default.score is not None
    return p is None or best.score > (1 - GAIN) * default.score or p > CHANCE


def _chance(search: _Search, best: Trial, default: Trial) -> float | None:
    """The chance that a trial looks so much better by luck alone; None where that cannot be told."""
    task, panel, spec = search.plan.task, search.loaded.panel, search.plan.spec
    holdout: Any = task.judged(spec, task.hold_out(task.seen_rows(panel, spec), spec), often=False)
    assert best.losses is not None
    assert default.losses is not None
    losses = Losses(holdout.series, holdout.window, 1, {"best": best.losses, "default": default.losses})
    p = compare(losses, "best", "default").p
    return None if math.isnan(p) else p


def _final(data: Any, output: Any, options: Any, record: dict[str, Any], tell: Listener) -> Training:
    """The model that the search ends in, with its record."""
    settings: TrainOptions = {name: value for name, value in options.items() if value is not None}  # type: ignore[assignment]
    done = train(data, output=output, on_event=tell, **settings)
    if done.model.record.get("search") == record:
        return done
    held: Any = done.model
    model = replace(held, record=held.record | {"search": record})
    return replace(done, model=model, bytes=models.save(output, model), up_to_date=False)
