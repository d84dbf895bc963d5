"""Tasks that need a long memory and nothing else, and how well a cell learns them.

    python -m tests.benchmarks.long_memory                          # the table of README.md here
    python -m tests.benchmarks.long_memory adding 200 lstm gru rnn

The adding problem and copy memory are as in Bai, Kolter & Koltun 2018 (arXiv:1803.01271, section 4) and Arjovsky, Shah
& Bengio 2016 (arXiv:1511.06464); the latch is that of Bengio, Simard & Frasconi 1994.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from rnncli.cells.named import cells_of, layers_of
from rnncli.layers.stack import encoded
from rnncli.nn.initialise import initialise
from rnncli.nn.recurrent import fused
from rnncli.nn.runtime import prepared
from rnncli.training.adamw import adamw

HIDDEN, BATCH, RATE, CLIP = 64, 32, 4e-3, 1.0
RATE_OF_IRNN = 3e-4  # whose states grow where weights leave the identity quickly
EVALUATE, TESTED = 100, 400
SYMBOLS, REMEMBERED = 8, 10


@dataclass(frozen=True)
class Task:
    """`batch(n, steps, generator)` gives inputs [n, T, I] and what is wanted; `loss(outputs [n, T, O], wanted)` how
    far off it is, which is `baseline(steps)` for whoever remembers nothing and below `solved` for who remembers all.
    """

    inputs: int
    outputs: int
    batch: Callable[[int, int, Generator], tuple[Tensor, Tensor]]
    loss: Callable[[Tensor, Tensor], Tensor]
    baseline: Callable[[int], float]
    solved: Callable[[int], float]


def adding(n: int, steps: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Numbers from [0, 1), of which one in each half is marked; wanted is the sum of these two: [n]."""
    values = torch.rand(n, steps, generator=generator)
    marks, rows, half = torch.zeros(n, steps), torch.arange(n), steps // 2
    for start, end in ((0, half), (half, steps)):
        marks[rows, torch.randint(start, end, (n,), generator=generator)] = 1
    return torch.stack([values, marks], dim=2), (values * marks).sum(dim=1)


def copy_memory(n: int, steps: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Ten of eight symbols, blanks, a signal `steps` steps later, and ten steps in which they are wanted: [n, T]."""
    symbols = torch.randint(1, SYMBOLS + 1, (n, REMEMBERED), generator=generator)
    blank = torch.zeros(n, steps + REMEMBERED, dtype=torch.long)
    signal = blank.clone()
    signal[:, steps - 1] = SYMBOLS + 1
    given = torch.nn.functional.one_hot(torch.cat([symbols, signal], dim=1), SYMBOLS + 2).float()
    return given, torch.cat([blank, symbols], dim=1)


def latch(n: int, steps: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """One bit at the first step and noise after it; the bit is wanted at the end: [n] of 0 and 1."""
    bit = torch.randint(0, 2, (n,), generator=generator)
    noise = 0.2 * torch.randn(n, steps, 1, generator=generator)
    noise[:, 0, 0] = 2.0 * bit - 1
    return noise, bit.float()


def _squared(outputs: Tensor, wanted: Tensor) -> Tensor:
    return (outputs[:, -1, 0] - wanted).square().mean()


def _cross_entropy(outputs: Tensor, wanted: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(outputs.flatten(0, 1), wanted.flatten())


def _of_a_bit(outputs: Tensor, wanted: Tensor) -> Tensor:
    return torch.nn.functional.binary_cross_entropy_with_logits(outputs[:, -1, 0], wanted)


def _by_chance(steps: int) -> float:
    return REMEMBERED * math.log(SYMBOLS) / (steps + 2 * REMEMBERED)


TASKS = {
    "adding": Task(2, 1, adding, _squared, lambda steps: 1 / 6, lambda steps: 0.01),
    "copy": Task(
        SYMBOLS + 2, SYMBOLS + 1, copy_memory, _cross_entropy, _by_chance, lambda steps: 0.1 * _by_chance(steps)
    ),
    "latch": Task(1, 1, latch, _of_a_bit, lambda steps: math.log(2), lambda steps: 0.01),
}


@dataclass(frozen=True)
class Learnt:
    """The loss on fresh sequences after so many training steps and CPU seconds."""

    loss: float
    steps: int
    seconds: float


def learn(
    task_name: str,
    steps: int,
    cell: str,
    most: int,
    *,
    init: str = "",
    activation: str = "tanh",
    rate: float = RATE,
) -> Learnt:
    """Train a cell, or a list of them, on a task of `steps` steps until it is solved, `most` training steps at most."""
    task, generator = TASKS[task_name], torch.Generator().manual_seed(0)
    cells = cells_of(cell, layers_of(cell) or 1)
    weights: dict[str, Tensor] = {}
    for index, one in enumerate(cells):
        layer = {key: torch.zeros(shape) for key, shape in one.shapes(HIDDEN if index else task.inputs, HIDDEN).items()}
        initialise(one, layer, init or f"chrono:{steps}", generator)
        weights |= {f"layer{index}.{key}": tensor for key, tensor in layer.items()}
    weights["head.weight"] = torch.randn(task.outputs, HIDDEN, generator=generator) / HIDDEN**0.5
    weights["head.bias"] = torch.zeros(task.outputs)
    weights = {key: tensor.requires_grad_() for key, tensor in weights.items()}
    moments = [{key: torch.zeros_like(tensor) for key, tensor in weights.items()} for _ in range(2)]

    def forward(x: Tensor) -> Tensor:
        h = encoded(
            lambda i, own, x: fused(cells[i], own, x, activation=activation)[0], len(cells), weights, x, residual=True
        )
        return torch.nn.functional.linear(h, weights["head.weight"], weights["head.bias"])

    begun, found = time.process_time(), math.inf
    for step in range(1, most + 1):
        x, wanted = task.batch(BATCH, steps, generator)
        for weight in weights.values():
            weight.grad = None
        torch.autograd.backward(task.loss(forward(x), wanted))
        torch.nn.utils.clip_grad_norm_(list(weights.values()), CLIP)
        adamw(weights, *moments, step, rate * min(1.0, step / 50), dict.fromkeys(weights, 0.0))
        if step % EVALUATE == 0 or step == most:
            with torch.no_grad():
                x, wanted = task.batch(TESTED, steps, torch.Generator().manual_seed(1))
                found = float(task.loss(forward(x), wanted))
            if found < task.solved(steps) or not math.isfinite(found):
                break
    return Learnt(found, step, time.process_time() - begun)


DILATED = ",".join(f"dilated:{d}:gru" for d in (1, 4, 16, 64))
CONVOLUTIONS = ",".join(f"dilated:{d}:fir" for d in (1, 4, 16, 64))  # reach over 596 steps
TABLE = (
    "adding 150 rnn*2000 rnn*1500@irnn",
    f"adding 200 lstm gru mgu slstm mingru,mingru lru,lru {DILATED} {CONVOLUTIONS} jordan*1000 fir*1000",
    "adding 600 lstm gru mingru,mingru lru,lru rnn*1000 rnn*2000@irnn",
    "copy 100 lstm*10000 gru*10000 lru,lru*3000 mingru,mingru*6000 rnn*10000",
    "latch 200 rnn*1000 jordan*1000 lstm*1000 lstm-peephole*1000 lstm-coupled*1000 gru*1000 mgu*1000 slstm*1000",
    "adding 200 mlstm,mlstm*1000 mamba,mamba*1000",
    "latch 200 mlstm*1000 mamba,mamba*1000",
    f"latch 200 mingru,mingru*1000 lru,lru*1000 {DILATED}*1000 {CONVOLUTIONS}*1000 fir*200",
)


def main(task_name: str, steps: str, *cells: str) -> None:
    """Print a line for each cell: NAME, or NAME@INIT for the initialisation, NAME@irnn for ReLU and the
    identity, NAME*STEPS for the most training steps."""
    with prepared(1):
        for asked in cells:
            cell, _, how = asked.partition("@")
            name, _, most = cell.partition("*")
            options: dict[str, Any] = {"init": how}
            if how == "irnn":
                options = {"activation": "relu", "init": "identity", "rate": RATE_OF_IRNN}
            done = learn(task_name, int(steps), name, int(most or 3000), **options)
            task = TASKS[task_name]
            share = done.loss / task.baseline(int(steps))
            when = "after" if done.loss < task.solved(int(steps)) else "not within"
            print(  # noqa: T201 this is a program
                f"{task_name} {steps} {asked}: loss {done.loss:.4f}, {share:.3f} of the baseline's,"
                f" {when} {done.steps} steps and {done.seconds:.0f} CPU s",
                flush=True,
            )


if __name__ == "__main__":
    for line in [" ".join(sys.argv[1:])] if len(sys.argv) > 1 else TABLE:
        main(*line.split())
