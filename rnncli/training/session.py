"""A whole training of a task: find the best weights on what is held out, then go on with everything.

Each member is trained on its own, from its own seed, side by side with the others, and their answers are averaged.
Where a plan has rivals, as a network that knows the covariates and one that does not, all members of each search, and
those of the one that the task chooses go on. The steps of every phase are planned before the first one, and where a
training stands is in its `Progress`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnncli.data.panel import Panel
from rnncli.errors import InputRefused
from rnncli.events import REFIT, SEARCH, Budgeted, Phase
from rnncli.nn.initialise import initialise_encoder
from rnncli.spec import TrainingSpec
from rnncli.tasks.plan import Costs, Plan, Trained, affordable
from rnncli.tasks.seen import HEAD
from rnncli.tasks.task import Answers, Asking, Holdout
from rnncli.training.budget import Clock, Judge, judging_seconds, score_seconds, step_seconds
from rnncli.training.events import Event
from rnncli.training.fit import EARLY_SCORES, Team, Weights, begin, fit
from rnncli.training.objective import Objective
from rnncli.training.progress import Member, Progress
from rnncli.training.ranks import ALONE, Ranks
from rnncli.training.side_by_side import side_by_side

PATIENCE = 4
ENOUGH = 0.5  # of the planned steps: after fewer, a search says nothing of which candidate is the better one


@dataclass(frozen=True)
class _Session:
    """The state that the members share."""

    panel: Panel
    plan: Plan[Any]
    device: str
    holdout: Holdout
    progress: Progress
    workers: int
    ranks: Ranks = ALONE

    @property
    def candidates(self) -> tuple[Plan[Any], ...]:
        """The plans that are searched: all candidates, or the first where nothing can be held out."""
        return self.plan.candidates if len(self.holdout) else self.plan.candidates[:1]

    @property
    def members(self) -> int:
        """The number of members of each candidate."""
        return self.plan.network.members

    def streams(self, candidate: int) -> range:
        """The numbers of a candidate's members."""
        return range(candidate * self.members, (candidate + 1) * self.members)


def train(
    panel: Panel,
    plan: Plan[Any],
    device: str = "cpu",
    progress: Progress | None = None,
    workers: int = 1,
    ranks: Ranks = ALONE,
) -> Iterator[Event | Trained[Any]]:
    """Yield the events of training and, last, what was trained.

    `progress`, which is whole at every event, is where to go on; `workers` members are trained at a time, one where
    there are `ranks`, which train each together. A time budget leaves time for what the task settles in the end.
    InputRefused if there is nothing to learn from; UsageError if the time budget cannot be kept;
    TrainingDiverged leaves the last good weights in `progress`.
    """
    plan.task.refuse_nothing(panel)
    progress = progress or Progress()
    workers = workers if ranks.size == 1 else 1  # all ranks take the same steps in the same order
    session = _Session(panel, plan, device, plan.task.hold_out(panel, plan.spec), progress, workers, ranks)
    _begin(session)
    undecided = len(progress.members) < len(session.candidates) * session.members
    if undecided:  # the time budget is too short for the rival
        session = replace(session, plan=plan.alone)
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
    chosen = int(ranks.numbers([plan.task.choose(plan, found)])[0])
    yield from side_by_side([_refit(session, number) for number in session.streams(chosen)], workers)
    yield _trained(session, chosen, found)


@dataclass(frozen=True)
class Searched:
    """What a search alone found: the answers to held-out questions, and the loss of each [N]."""

    answers: Answers
    losses: NDArray[np.float64]


def search(panel: Panel, plan: Plan[Any], device: str = "cpu", workers: int = 1) -> Iterator[Event | Searched]:
    """Yield the events of the searches of a plan's members, without rivals and what follows a search, and what they
    found, last. InputRefused if there is nothing to learn from, or nothing that could be held out.
    """
    plan.task.refuse_nothing(panel)
    holdout = plan.task.hold_out(panel, plan.spec)
    if not len(holdout):
        raise InputRefused("no rows can be held out, by which one network could be told from another")
    session = _Session(panel, plan.alone, device, holdout, Progress(), workers)
    _begin(session)
    yield from side_by_side([_search(session, number) for number in session.streams(0)], workers)
    found = _validated(session, 0)
    yield Searched(found, plan.task.losses(plan.spec, found))


def _begin(session: _Session) -> None:
    """What is decided once for all members, unless it was before: their first weights, how long they train, and
    whether there is time for those that know the target alone.
    """
    progress = session.progress
    if not progress.members:
        numbers = range(len(session.candidates) * session.members)
        firsts = [session.ranks.weights(_first_weights(session, number)) for number in numbers]
        progress.training, count = _planned(session, firsts)
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
        known = session.plan.first is not None
        yield from fit(
            member.run,
            objective,
            training,
            _phase(SEARCH, number, session),
            PATIENCE,
            known=known,
            team=_team(objective),
        )
        stopped = member.run.step < training.steps and member.run.since_best < PATIENCE
        member.cut_short = stopped and member.run.step < ENOUGH * session.plan.training.steps
        member.searched, member.best_step, member.run = member.run.best, member.run.best_step, None


def _refit(session: _Session, number: int) -> Iterator[Event]:
    """Go on with every row, where some were held out."""
    member, training = session.progress.members[number], session.progress.training
    assert training is not None
    assert member.searched is not None
    if member.trained is None and len(session.holdout) and member.best_step:  # at 0 nothing that was learnt was better
        refit = session.plan.refit
        first = _first_weights(session, number) if refit.afresh else member.searched
        member.run = member.run or begin(first)
        objective, spec = _objective(session, None, number), refit.of(training, member.best_step)
        yield from fit(member.run, objective, spec, _phase(REFIT, number, session), team=_team(objective))
        member.trained, member.run = member.run.best, None
    member.trained = member.trained or member.searched


def _planned(session: _Session, firsts: list[Weights]) -> tuple[TrainingSpec, int]:
    """The steps to take and how many members take them: what is planned, or what the time budget allows. The rival is
    left out where both would take less than `ENOUGH` of their steps.
    """
    training, members, workers = session.plan.training, session.members, session.workers
    if training.time_budget is None:
        return training, len(firsts)
    clock = Clock()
    (step, *rest) = session.ranks.numbers(_measured(session, firsts))
    scores, judging = rest[:2], rest[2:]
    refits, made, count = -(-members // workers), training, members
    for count in sorted({len(firsts), members}, reverse=True):
        searches = -(-count // workers)
        early = 0 if session.plan.first is None else EARLY_SCORES
        since = session.ranks.numbers([clock.since])[0]
        once = since + searches * (scores[0] + early * scores[1]) + count * judging[0] + judging[1]
        costs = Costs(step, scores[1], once)
        if count > members and training.time_budget < costs.least(searches, refits):
            continue
        made = affordable(training, searches, refits, costs, session.plan.refit.share)
        if made.steps >= ENOUGH * training.steps:
            break
    return made, count


def _measured(session: _Session, firsts: list[Weights]) -> list[float]:
    """Seconds of a step, of the first score and of a later one, and of judging: the forecasts, and what follows."""
    at_once = min(session.workers, session.members)
    objectives = [_objective(session, session.holdout, number) for number in range(at_once)]
    step = step_seconds(objectives, firsts[:at_once], session.plan.training)
    if not len(session.holdout):
        return [step, 0.0, 0.0, 0.0, 0.0]
    scores = score_seconds(objectives[0], firsts[0])
    return [step, *scores, *judging_seconds(objectives[0], firsts[0], _judged(session), _judge(session))]


def _trained(session: _Session, chosen: int, found: list[Answers], *, undecided: bool = False) -> Trained[Any]:
    progress = session.progress
    assert progress.training is not None
    training = replace(progress.training, time_budget=session.plan.training.time_budget)
    followed = replace(session.candidates[chosen], training=training, rivals=())
    members = [progress.members[number] for number in session.streams(chosen)]
    weights = stacked([member.trained for member in members if member.trained is not None])
    best_steps = tuple(member.best_step for member in members)
    candidates = tuple(found) if len(found) > 1 else ()
    budgeted = None if training.time_budget is None else _budgeted(session, undecided=undecided)
    further = _further(session, chosen) if found else ()
    return Trained(
        followed, weights, found[chosen] if found else None, best_steps, candidates, chosen, further, budgeted
    )


def _further(session: _Session, candidate: int) -> tuple[Answers, ...]:
    """The mean answers of the searches of a candidate's members to other questions at the held-out places."""
    plan = session.candidates[candidate]
    askings = plan.task.further(plan.task.visible(session.panel, plan), plan.spec, session.holdout)
    return tuple(_averaged(session, candidate, asking) for asking in askings)


def _validated(session: _Session, candidate: int) -> Answers:
    """What the searches of a candidate's members answered to held-out questions, on average; of so many that memory
    stays bounded.
    """
    plan = session.candidates[candidate]
    asking = plan.task.held_out(plan.task.visible(session.panel, plan), plan.spec, _judged(session))
    return _averaged(session, candidate, asking)


def _averaged(session: _Session, candidate: int, asking: Asking) -> Answers:
    """The mean of what a candidate's members answered."""
    said = [
        _objective(session, session.holdout, number).answered(searched, asking)
        for number in session.streams(candidate)
        if (searched := session.progress.members[number].searched) is not None
    ]
    return asking.answers.made(np.mean(said, axis=0))


def _judged(session: _Session) -> Holdout:
    """The held-out questions that decide in the end."""
    return session.plan.task.judged(session.plan.spec, session.holdout, often=False)


def _judge(session: _Session) -> Judge:
    """What is done with their answers, for what it costs."""
    plan = session.plan
    return lambda found: plan.task.settle(session.panel, Trained(plan, {}, found, ()))


def good_so_far(progress: Progress, plan: Plan[Any]) -> Trained[Any] | None:
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
    return Trained(plan.candidates[chosen].alone, weights, None, (), chosen=chosen)


def stacked(members: list[Weights]) -> dict[str, NDArray[np.float32]]:
    """The weights of several members, each stacked along a leading axis: [members, ...]."""
    return {name: np.stack([weights[name].numpy(force=True) for weights in members]) for name in members[0]}


def _phase(kind: str, number: int, session: _Session) -> Phase:
    candidate, member = divmod(number, session.members)
    variant = "" if len(session.candidates) == 1 else session.candidates[candidate].variant
    return Phase(kind, member, candidate, session.members, variant)


def _team(objective: Objective) -> Team | None:
    return objective if objective.ranks.size > 1 else None


def _objective(session: _Session, holdout: Holdout | None, number: int) -> Objective:
    candidate, member = divmod(number, session.members)
    found = objective_for(session.panel, session.candidates[candidate], session.device, holdout, member)
    return replace(found, ranks=session.ranks)


def objective_for(panel: Panel, plan: Plan[Any], device: str, holdout: Holdout | None, member: int) -> Objective:
    """The objective of a phase for one member: of a search where questions are held out, of a refit where none are."""
    panel = plan.task.visible(panel, plan)
    ends = panel.lengths if holdout is None else holdout.ends(panel.lengths)
    seed = (plan.training.seed, member, int(holdout is None))
    return Objective(plan, plan.task.lesson(panel, plan.spec, ends), holdout, seed, panel, device)


def _first_weights(session: _Session, number: int) -> Weights:
    candidate, member = divmod(number, session.members)
    weights = initial_weights(session.candidates[candidate], member)
    return {name: tensor.to(session.device) for name, tensor in weights.items()}


def initial_weights(plan: Plan[Any], member: int = 0) -> Weights:
    """Weights before training: those that the plan has, or drawn ones."""
    if plan.first is None:
        return drawn_weights(plan, plan.training.seed + member)
    return {name: torch.tensor(array[member % len(array)]) for name, array in plan.first.items()}


def drawn_weights(plan: Plan[Any], seed: int) -> Weights:
    """The encoder's weights by `--init` and the head's as its task begins."""
    generator = torch.Generator().manual_seed(seed)
    weights = {name: torch.zeros(shape) for name, shape in plan.shapes.items()}
    initialise_encoder(plan.network, weights, generator)
    for name, first in plan.task.begin(plan.spec, plan.network, _Drawn(generator)).items():
        weights[HEAD + name].copy_(torch.as_tensor(first))
    return weights


@dataclass(frozen=True)
class _Drawn:
    """First weights of a head, drawn by a generator."""

    generator: torch.Generator

    def uniform(self, shape: tuple[int, ...], within: float) -> Tensor:
        """From [-within, within)."""
        return torch.empty(shape).uniform_(-1, 1, generator=self.generator).mul_(within)

    def normal(self, shape: tuple[int, ...], mean: float, deviation: float) -> Tensor:
        """From a normal distribution."""
        return torch.empty(shape).normal_(mean, deviation, generator=self.generator)


def expected_seconds(panel: Panel, plan: Plan[Any], device: str, workers: int) -> tuple[float, float]:
    """The seconds that a training takes on this machine, of which some steps are tried: where its search stops as
    early as it can, and where it takes all its steps.
    """
    plan.task.refuse_nothing(panel)
    holdout = plan.task.hold_out(panel, plan.spec)
    session = _Session(panel, plan, device, holdout, Progress(), workers)
    count = len(session.candidates) * session.members
    firsts = [_first_weights(session, number) for number in range(count)]
    step, first, later, forecasting, judging = _measured(session, firsts)
    searches, refits = -(-count // workers), -(-session.members // workers) if len(holdout) else 0
    early = 0 if plan.first is None else EARLY_SCORES
    training = plan.training
    fewest = min(training.steps, PATIENCE * training.evaluate_every) if len(holdout) else training.steps

    def seconds(steps: int, share: float) -> float:
        often = early + -(-steps // training.evaluate_every)
        once = searches * (first + often * later) + count * forecasting + judging
        return once + (searches * steps + refits * share * training.steps) * step

    return seconds(fewest, 0.0), seconds(training.steps, plan.refit.share)
