"""A whole training of the forecast task: find the best weights on held-out rows, then go on with every row.

Each member is trained on its own, from its own seed, side by side with the others, and their forecasts are averaged.
Where covariates are in doubt there are two candidates, a network that knows them and one that does not; all members of
both search, and those of the one that is chosen go on. The steps of every phase are planned before the first one, and
where a training stands is in its `Progress`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.nn.initialise import initialise_encoder
from rnncli.spec import TrainingSpec
from rnncli.tasks.forecast.learn import Examples, Objective
from rnncli.tasks.forecast.network import HEAD, weight_shapes
from rnncli.tasks.forecast.plan import REFIT_RATE, REFIT_SHARE, Costs, Plan, affordable, forks, target_alone
from rnncli.tasks.forecast.spec import ForecastSpec
from rnncli.tasks.forecast.support import support
from rnncli.tasks.forecast.validation import Holdout, Validated, hold_out, validated
from rnncli.training.budget import Clock, Judge, judging_seconds, score_seconds, step_seconds
from rnncli.training.events import Budgeted, Event
from rnncli.training.fit import Weights, begin, fit
from rnncli.training.progress import Member, Progress
from rnncli.training.side_by_side import side_by_side

PATIENCE = 4
SEARCH, REFIT = "search", "refit"
JUDGED = 500_000  # quantiles that the pool and the calibration are fitted to at most
YOUNG = 400  # forecasts of series that have just begun, which are calibrated by them
ENOUGH = 0.5  # of the planned steps: after fewer, a search with covariates says nothing of them
Start = Mapping[str, NDArray[np.float32]]
Choose = Callable[[Sequence[Validated], ForecastSpec], int]  # which candidate goes on, from what each forecast


@dataclass(frozen=True)
class Trained:
    """What training leaves: weights [members, ...], what the validation rows showed (None where there are none), and
    the best steps found; `candidates` is what they showed of each candidate, where there was a choice, and `alone`
    whether the target alone was chosen; `young` what the validation rows showed of series that had just begun, for each
    of `ForecastSpec.young`. `budgeted` is what a time budget allowed.

    The plan is the one that was followed: that of the candidate that was chosen, and a time budget turned into a number
    of steps.
    """

    plan: Plan
    weights: dict[str, NDArray[np.float32]]
    validated: Validated | None
    best_steps: tuple[int, ...]
    candidates: tuple[Validated, ...] = ()
    alone: bool = False
    young: tuple[Validated, ...] = ()
    budgeted: Budgeted | None = None


@dataclass(frozen=True)
class _Session:
    """What the members share."""

    panel: Panel
    plan: Plan
    device: str
    holdout: Holdout
    progress: Progress
    start: Start | None
    workers: int

    @property
    def candidates(self) -> tuple[Plan, ...]:
        """What is searched; where nothing can be held out, there is no choice."""
        return self.plan.candidates if len(self.holdout) else self.plan.candidates[:1]

    @property
    def members(self) -> int:
        """Of each candidate."""
        return self.plan.network.members

    def streams(self, candidate: int) -> range:
        """The numbers of a candidate's members."""
        return range(candidate * self.members, (candidate + 1) * self.members)


def train(
    panel: Panel,
    plan: Plan,
    device: str = "cpu",
    progress: Progress | None = None,
    start: Start | None = None,
    workers: int = 1,
    choose: Choose = lambda _found, _spec: 0,
    judge: Judge = lambda _found: None,
) -> Iterator[Event | Trained]:
    """Yield the events of training and, last, what was trained.

    `progress`, which is whole at every event, is where to go on; `start` [members, ...] are weights to begin with;
    `workers` members are trained at a time; `choose` says which candidate goes on, the same one whenever it is asked.
    `judge` is what will be done with the forecasts of the held-out rows: a time budget must leave time for it.
    InputRefused if no series has two rows to learn from; UsageError if the time budget cannot be kept;
    TrainingDiverged leaves the last good weights in `progress`.
    """
    if not (panel.lengths >= 2).any():
        raise InputRefused("no series has the two rows that training needs", hint="give longer series")
    progress = progress or Progress()
    session = _Session(panel, plan, device, hold_out(panel, plan.forecast), progress, start, workers)
    _begin(session, judge)
    undecided = len(progress.members) < len(session.candidates) * session.members
    if undecided:  # the time budget is too short for the rival
        session = replace(session, plan=replace(plan, rival=None))
    if plan.training.time_budget is not None:
        yield _budgeted(session, undecided=undecided)
    if len(session.candidates) == 1:
        yield from side_by_side([_member(session, number) for number in session.streams(0)], workers)
        found = [_validated(session, 0)] if len(session.holdout) else []
        yield _trained(session, 0, found, undecided=undecided)
        return
    searches = [_search(session, number) for number in range(len(session.progress.members))]
    yield from side_by_side(searches, workers)
    if any(progress.members[number].cut_short for number in session.streams(0)):
        yield _budgeted(session, undecided=True)
        yield from side_by_side([_refit(session, number) for number in session.streams(0)], workers)
        yield _trained(session, 0, [_validated(session, 0)], undecided=True)
        return
    found = [_validated(session, candidate) for candidate in range(len(session.candidates))]
    chosen = choose(found, plan.forecast)
    yield from side_by_side([_refit(session, number) for number in session.streams(chosen)], workers)
    yield _trained(session, chosen, found)


def _begin(session: _Session, judge: Judge) -> None:
    """What is decided once for all members, unless it was before: their first weights, how long they train, and
    whether there is time for those that know the target alone.
    """
    progress = session.progress
    if not progress.members:
        numbers = range(len(session.candidates) * session.members)
        firsts = [_first_weights(session, number) for number in numbers]
        progress.training, count = _planned(session, firsts, judge)
        progress.members = [Member(run=begin(weights)) for weights in firsts[:count]]


def _budgeted(session: _Session, *, undecided: bool) -> Budgeted:
    training = session.progress.training
    assert training is not None
    return Budgeted(training.steps, session.plan.training.steps, undecided)


def _member(session: _Session, number: int) -> Iterator[Event]:
    """Find one member's best weights on the held-out rows, then go on with every row."""
    yield from _search(session, number)
    yield from _refit(session, number)


def _search(session: _Session, number: int) -> Iterator[Event]:
    member, training = session.progress.members[number], session.progress.training
    assert training is not None
    if member.searched is None:
        assert member.run is not None
        objective = _objective(session, session.holdout, number)
        yield from fit(member.run, objective, training, _phase(SEARCH, number, session), PATIENCE)
        stopped = member.run.step < training.steps and member.run.since_best < PATIENCE
        member.cut_short = stopped and member.run.step < ENOUGH * session.plan.training.steps
        member.searched, member.best_step, member.run = member.run.best, member.run.best_step, None


def _refit(session: _Session, number: int) -> Iterator[Event]:
    """Go on with every row, where some were held out."""
    member, training = session.progress.members[number], session.progress.training
    assert training is not None
    assert member.searched is not None
    if member.trained is None and len(session.holdout):
        member.run = member.run or begin(member.searched)
        objective, spec = _objective(session, None, number), refit_spec(training)
        yield from fit(member.run, objective, spec, _phase(REFIT, number, session))
        member.trained, member.run = member.run.best, None
    member.trained = member.trained or member.searched


def _planned(session: _Session, firsts: list[Weights], judge: Judge) -> tuple[TrainingSpec, int]:
    """The steps to take and how many members take them: what is planned, or what the time budget allows. The rival is
    left out where both would take less than `ENOUGH` of their steps.
    """
    training, members, workers = session.plan.training, session.members, session.workers
    if training.time_budget is None:
        return training, len(firsts)
    clock = Clock()
    step, scores, judging = _measured(session, firsts, judge)
    refits, made, count = -(-members // workers), training, members
    for count in sorted({len(firsts), members}, reverse=True):
        searches = -(-count // workers)
        once = clock.since + searches * scores[0] + count * judging[0] + judging[1]
        costs = Costs(step, scores[1], once)
        if count > members and training.time_budget < costs.least(searches, refits):
            continue
        made = affordable(training, searches, refits, costs)
        if made.steps >= ENOUGH * training.steps:
            break
    return made, count


def _measured(
    session: _Session, firsts: list[Weights], judge: Judge
) -> tuple[float, tuple[float, float], tuple[float, float]]:
    """Seconds of a step, of the first score and of a later one, and of judging: the forecasts, and what follows."""
    at_once = min(session.workers, session.members)
    objectives = [_objective(session, session.holdout, number) for number in range(at_once)]
    step = step_seconds(objectives, firsts[:at_once], session.plan.training)
    if not len(session.holdout):
        return step, (0.0, 0.0), (0.0, 0.0)
    scores = score_seconds(objectives[0], firsts[0])
    return step, scores, judging_seconds(objectives[0], firsts[0], _judged(session), judge)


def refit_spec(training: TrainingSpec) -> TrainingSpec:
    """How the weights that were found are trained on, with every row."""
    budget = None if training.time_budget is None else training.time_budget * REFIT_SHARE
    steps = max(1, round(REFIT_SHARE * training.steps))
    return replace(training, steps=steps, learning_rate=training.learning_rate * REFIT_RATE, time_budget=budget)


def _trained(session: _Session, chosen: int, found: list[Validated], *, undecided: bool = False) -> Trained:
    progress = session.progress
    assert progress.training is not None
    training = replace(progress.training, time_budget=session.plan.training.time_budget)
    followed = replace(session.candidates[chosen], training=training, rival=None)
    members = [progress.members[number] for number in session.streams(chosen)]
    weights = stacked([member.trained for member in members if member.trained is not None])
    best_steps = tuple(member.best_step for member in members)
    candidates = tuple(found) if len(found) > 1 else ()
    budgeted = None if training.time_budget is None else _budgeted(session, undecided=undecided)
    young = _young(session, chosen) if found else ()
    return Trained(
        followed, weights, found[chosen] if found else None, best_steps, candidates, bool(chosen), young, budgeted
    )


def _young(session: _Session, candidate: int) -> tuple[Validated, ...]:
    """What the searches of a candidate's members forecast for young series, on average, for each of their ages."""
    spec, holdout = session.plan.forecast, session.holdout.some(YOUNG)
    objectives = [_objective(session, session.holdout, number) for number in session.streams(candidate)]
    searched = [session.progress.members[number].searched or {} for number in session.streams(candidate)]
    actual = validated(session.panel, spec, holdout, np.zeros(0))

    def of(rows: int) -> Validated:
        made = [one.young(weights, holdout, rows) for one, weights in zip(objectives, searched, strict=True)]
        may_come = support(session.panel, holdout.series, holdout.origins, spec, np.maximum(holdout.origins - rows, 0))
        return replace(actual, quantiles=np.mean(made, axis=0), support=may_come)

    return tuple(of(rows) for rows in spec.young)


def _validated(session: _Session, candidate: int) -> Validated:
    """What the searches of a candidate's members forecast from the held-out origins, on average; of so many series
    that memory stays bounded.
    """
    holdout = _judged(session)
    found = [
        _objective(session, session.holdout, number).validation(searched, holdout)
        for number in session.streams(candidate)
        if (searched := session.progress.members[number].searched) is not None
    ]
    return found[0].made(np.mean([one.quantiles for one in found], axis=0))


def _judged(session: _Session) -> Holdout:
    """The held-out forecasts that decide in the end."""
    forecast = session.plan.forecast
    return session.holdout.some(JUDGED // (forecast.horizon * len(forecast.levels)))


def good_so_far(progress: Progress, plan: Plan) -> Trained | None:
    """The best of a training under way, if it has begun: of the candidate that goes on, or of the first one where that
    is not known yet.
    """
    if not progress.members:
        return None
    count = plan.network.members
    groups = [progress.members[begin : begin + count] for begin in range(0, len(progress.members), count)]
    goes_on = [any(member.searched and (member.run or member.trained) for member in group) for group in groups]
    chosen = goes_on.index(True) if True in goes_on else 0
    weights = stacked([member.good_weights for member in groups[chosen]])
    return Trained(replace(plan.candidates[chosen], rival=None), weights, None, (), alone=bool(chosen))


def stacked(members: list[Weights]) -> dict[str, NDArray[np.float32]]:
    """Weights with a leading axis of members."""
    return {name: np.stack([weights[name].numpy(force=True) for weights in members]) for name in members[0]}


def _phase(name: str, number: int, session: _Session) -> str:
    candidate, member = divmod(number, session.members)
    which = "" if session.members == 1 else f" {member + 1}"
    known = "" if len(session.candidates) == 1 else (" with covariates", " without covariates")[candidate]
    return f"{name}{which}{known}"


def place_of(phase: str) -> tuple[int, int, bool]:
    """The candidate and the member that a phase is of, and whether it is a search."""
    words = phase.split()
    member = next((int(word) - 1 for word in words if word.isdecimal()), 0)
    return int("without" in words), member, words[0] == SEARCH


def _objective(session: _Session, holdout: Holdout | None, number: int) -> Objective:
    candidate, member = divmod(number, session.members)
    panel = target_alone(session.panel) if candidate else session.panel
    return objective_for(panel, session.candidates[candidate], session.device, holdout, member)


def objective_for(panel: Panel, plan: Plan, device: str, holdout: Holdout | None, member: int) -> Objective:
    """What a phase minimises: a search where rows are held out, a refit where none are."""
    ends = panel.lengths if holdout is None else holdout.ends(panel.lengths)
    examples = Examples(panel, plan.forecast, ends, device)
    origins = forks(plan.forecast.horizon)
    seed = (plan.training.seed, member, int(holdout is None))
    return Objective(examples, plan.network, plan.training, origins, holdout, seed, panel)


def _first_weights(session: _Session, number: int) -> Weights:
    """Fresh weights, or those that were given to start with."""
    candidate, member = divmod(number, session.members)
    if session.start is None:
        plan = session.candidates[candidate]
        weights = initial_weights(plan, plan.training.seed + member)
    else:
        weights = {name: torch.tensor(array[member]) for name, array in session.start.items()}
    return {name: tensor.to(session.device) for name, tensor in weights.items()}


def initial_weights(plan: Plan, seed: int) -> Weights:
    """Weights before training: the network begins as an even mixture of the plain forecasts."""
    generator = torch.Generator().manual_seed(seed)
    weights = {name: torch.zeros(shape) for name, shape in weight_shapes(plan.network, plan.forecast).items()}
    initialise_encoder(plan.network, weights, generator)
    for name in ("weight_state", "weight_known", *(["weight_errors"] if plan.forecast.judged else [])):
        matrix = weights[HEAD + name]
        matrix.uniform_(-1, 1, generator=generator).mul_((3 / matrix.shape[1]) ** 0.5)
    weights[HEAD + "scale_step"].normal_(1, 0.3, generator=generator)
    weights[HEAD + "bias_step"].normal_(0, 0.3, generator=generator)
    for name in ("weight_mix", "weight_shift", "weight_spread"):
        weights[HEAD + name].normal_(0, 0.01, generator=generator)
    weights[HEAD + "bias_spread"].fill_(-1.0)
    if plan.forecast.judged:
        weights[HEAD + "mix_errors"].fill_(1.0)
    return weights
