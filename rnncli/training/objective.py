"""The objective of a training, for any task: the loss of drawn questions, and the score of held-out ones (torch)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rnncli.arrays import Array, Floats, Ints
from rnncli.data.panel import Panel
from rnncli.layers.rows import dense
from rnncli.nn.dropout import Draws, Part, dropout
from rnncli.nn.network import encode
from rnncli.tasks.plan import Plan
from rnncli.tasks.seen import Division, Seen, Share, head_weights
from rnncli.tasks.task import Answers, Asking, Holdout, Lesson
from rnncli.training.ranks import ALONE, Ranks
from rnncli.training.stretches import Stretches

KEPT_BYTES = 64 << 20  # of held-out crops, which are the same at every score


def on(seen: Seen, device: str = "cpu") -> Seen:
    """Crops and questions as tensors."""

    def tensor(array: Array) -> Tensor:
        return torch.from_numpy(np.asarray(array)).to(device)

    return replace(
        seen,
        inputs=tensor(seen.inputs),
        lengths=tensor(seen.lengths),
        rows=tensor(seen.rows),
        origins=tensor(seen.origins),
        beside={name: tensor(part) for name, part in seen.beside.items()},
        targets=tensor(seen.targets),
        fresh=None if seen.fresh is None else tensor(seen.fresh),
        codes=None if seen.codes is None else tensor(seen.codes),
    )


def at_the_end(seen: Seen, questions: slice | list[int], outputs: Tensor) -> Seen:
    """Some of the questions as if each were asked at the last step of a crop of its own, given the encoder's `outputs`
    [questions, T, H] on these crops; what the head is given has their type.
    """
    count, steps = outputs.shape[:2]
    return replace(
        seen,
        lengths=torch.full((count,), steps, device=outputs.device),
        rows=torch.arange(count, device=outputs.device),
        origins=torch.full((count,), steps - 1, device=outputs.device),
        beside={name: part[questions].to(outputs.dtype) for name, part in seen.beside.items()},
        targets=seen.targets[questions].to(outputs.dtype),
    )


def entered(weights: Mapping[str, Tensor], plan: Plan[Any], seen: Seen) -> Tensor:
    """The inputs of the encoder in crops: [n, T, I]."""
    x: Tensor = dense(plan.task.enter(plan.spec, head_weights(weights), seen, torch), torch)
    return x


def forward(
    weights: Mapping[str, Tensor],
    plan: Plan[Any],
    seen: Seen,
    draws: Draws | None = None,
    carried: dict[str, Tensor] | None = None,
) -> Tensor:
    """The outputs of a network for the questions: [o, ...]; with dropout where something is drawn. Crops that go on
    take what is `carried`, and leave their own state there.
    """
    before = None if seen.fresh is None else carried
    head = head_weights(weights)
    x = plan.task.enter(plan.spec, head, seen, torch)
    outputs = encode(weights, plan.network, x, draws, before, seen.fresh, seen.lengths)
    state = plan.task.read(plan.spec, head, outputs, seen, torch)
    if draws is not None:
        state = dropout(state, plan.network.dropout, draws.generator, draws.questions)
    said: Tensor = plan.task.head(plan.spec, head, state, seen.beside, torch)
    return said


def predict(
    weights: Mapping[str, Tensor], plan: Plan[Any], seen: Iterable[Seen], device: str = "cpu", ranks: Ranks = ALONE
) -> Floats:
    """Answers in the data's units to the questions about some crops after others: [n, ...]; the ranks take turns."""
    own, counts = dict[int, Floats](), list[int]()
    for number, some in enumerate(seen):
        counts.append(len(some.targets))
        if number % ranks.size == ranks.rank:
            with torch.no_grad():
                said = forward(weights, plan, on(some, device)).double().numpy(force=True)
            own[number] = plan.task.answers(plan.spec, said, some.units)
    return ranks.together(own, counts)


@dataclass
class Objective:
    """A task as `training.fit` sees it: loss of a batch, score of the held-out questions of `whole`.

    Only what `lesson` may look at is learnt from. Batches and dropout depend on `seed` and step alone; each of the
    `ranks` has a share of every batch.
    """

    plan: Plan[Any]
    lesson: Lesson
    holdout: Holdout | None
    seed: tuple[int, ...]
    whole: Panel
    device: str = "cpu"
    ranks: Ranks = ALONE
    _used: float = 0.0
    _series: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    _losses: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    _ahead: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(max_workers=1))
    _next: tuple[int, Future[Seen]] | None = None
    _stretches: Stretches | None = None
    _held: _HeldOut | None = None

    def loss(self, weights: Mapping[str, Tensor], step: int, carried: dict[str, Tensor] | None = None) -> Tensor:
        """Mean loss of the questions of this step's batch (of a rank's share of it) of which the answer is known.

        Batch and dropout depend on the seed and the step alone, so that a training can be taken up at any step; with
        `tbptt` the loss depends on what is `carried` too, which is then that of the next step.
        """
        seen, task, spec = self._batch(step), self.plan.task, self.plan.spec
        draws = _draws(_generator((*self.seed, step), self.device), seen.share)
        loss = task.loss(spec, self._forward(weights, seen, draws, carried), seen.targets, torch)
        self._series, self._losses = seen.series[seen.rows.numpy(force=True)], loss.detach().numpy(force=True)
        used = (~torch.isnan(seen.targets)).reshape(len(loss), -1).any(dim=1)
        mean: Tensor = (loss * used).sum() / used.sum().clamp(min=1)
        if self.ranks.size > 1:
            self._used = float(used.sum())
        return mean

    def averaged(self, weights: Mapping[str, Tensor], loss: Tensor) -> Tensor:
        """The loss of the whole batch, from those of all ranks' shares; the gradients become those of the whole."""
        return self.ranks.averaged(weights, loss, self._used)

    def seconds(self, own: float) -> float:
        """The seconds that decide: those of the first rank's clock."""
        return self.ranks.numbers([own])[0]

    def _forward(
        self, weights: Mapping[str, Tensor], seen: Seen, draws: Draws, carried: dict[str, Tensor] | None
    ) -> Tensor:
        """What is said of a share of the batch; what is carried is of all crops, so that each rank can go on alone."""
        if self.ranks.size == 1 or seen.fresh is None or carried is None:
            return forward(weights, self.plan, seen, draws, carried)
        count = self.plan.training.batch
        own = {name: state[:, self.ranks.share(count)] for name, state in carried.items()}
        said = forward(weights, self.plan, seen, draws, own)
        carried |= self.ranks.whole(own, count)
        return said

    def _batch(self, step: int) -> Seen:
        """The batch of a step; while the network computes, that of the next one is made on a thread of its own."""
        ready = self._next[1] if self._next and self._next[0] == step else self._ahead.submit(self._share, step)
        self._next = step + 1, self._ahead.submit(self._share, step + 1)
        return ready.result()

    def _share(self, step: int) -> Seen:
        """This rank's share of the batch of a step, as tensors: all is drawn for the whole batch, and then divided."""
        return on(self._drawn(step, None if self.ranks.size == 1 else self.ranks.share), self.device)

    def sample(self, step: int) -> Seen:
        """The batch of a step, made anew, as tensors."""
        return on(self._drawn(step), self.device)

    def _drawn(self, step: int, by: Division | None = None) -> Seen:
        rng, training = np.random.default_rng((*self.seed, step)), self.plan.training
        if training.tbptt is None:
            return self.lesson.drawn(rng, training.batch, by)
        ends = self.lesson.ends
        rows = min(training.tbptt, int(ends.max()))
        if self._stretches is None:
            self._stretches = Stretches(ends, rows, training.batch, self.seed)
        series, first_row = self._stretches.at(step)
        return self.lesson.stretch(rng, series, first_row, rows, by)

    def score(self, weights: Mapping[str, Tensor]) -> float | None:
        """The mean loss of the held-out questions, as the task scores them; None where none are held out, or none of
        the answers is known.
        """
        task, spec = self.plan.task, self.plan.spec
        if self.holdout is None or not len(self.holdout):
            return None
        if self._held is None:
            few = task.judged(spec, self.holdout, often=True)
            self._held = _held_out(task.held_out(self.whole, spec, few))
        found = self._held.asking.answers.made(predict(weights, self.plan, self._held.seen(), self.device, self.ranks))
        losses = task.losses(spec, found)
        return self.ranks.score(None if np.isnan(losses).all() else float(np.nanmean(losses)))

    def validation(self, weights: Mapping[str, Tensor], holdout: Holdout) -> Answers:
        """The answers of a network with these weights to held-out questions, beside the truth."""
        asking = self.plan.task.held_out(self.whole, self.plan.spec, holdout)
        return asking.answers.made(self.answered(weights, asking))

    def answered(self, weights: Mapping[str, Tensor], asking: Asking) -> Floats:
        """Answers to questions, in the data's units: [N, ...]."""
        return predict(weights, self.plan, asking.seen(), self.device, self.ranks)

    def blame(self) -> str:
        """The series of the last batch whose loss is not finite, or the largest."""
        if not len(self._losses):
            return ""
        worst = int(self._series[np.argmax(np.where(np.isfinite(self._losses), self._losses, np.inf))])
        return f"series {self.whole.ids[worst]!r}"


def _draws(generator: torch.Generator, share: Share | None) -> Draws:
    """What dropout draws from, for a share of a batch, or all of it."""
    if share is None:
        return Draws(generator)
    asked = torch.from_numpy(share.asked).to(generator.device)
    return Draws(generator, Part(share.crops, share.at), Part(share.questions, asked))


def _generator(seed: tuple[int, ...], device: str) -> torch.Generator:
    """The generator that dropout draws from."""
    return torch.Generator(device).manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))


@dataclass(frozen=True)
class _HeldOut:
    """Held-out questions, and their crops, which are made again each time if they are not `kept`."""

    asking: Asking
    kept: tuple[Seen, ...]

    def seen(self) -> Iterator[Seen]:
        """The crops, some at a time."""
        return iter(self.kept) if self.kept else self.asking.seen()


def _held_out(asking: Asking) -> _HeldOut:
    """The crops are kept if they are small."""
    kept, size = list[Seen](), 0
    for part in asking.seen():
        size += part.nbytes
        if size > KEPT_BYTES:
            return _HeldOut(asking, ())
        kept.append(part)
    return _HeldOut(asking, tuple(kept))
