"""What a training step and a NumPy forward pass of each cell cost beside torch.nn.LSTM, in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnncli.cells.named import cell_named
from rnncli.layers.unroll import unroll
from rnncli.nn.initialise import initialise
from rnncli.nn.recurrent import fused
from rnncli.nn.runtime import prepared
from rnncli.registry import CELLS

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

INPUTS, HIDDEN, STEPS = 32, 64, 168
BATCHES = (32, 256)
NAMES = [*CELLS, "dilated:24:lstm", "dilated:24:gru"]
Work = Callable[[], Any]


def weights_of(name: str) -> dict[str, Tensor]:
    cell = cell_named(name)
    weights = {key: torch.zeros(shape) for key, shape in cell.shapes(INPUTS, HIDDEN).items()}
    initialise(cell, weights, "orthogonal", torch.Generator().manual_seed(0))
    return {key: weight.requires_grad_() for key, weight in weights.items()}


def trained(name: str, x: Tensor) -> Work:
    cell, weights = cell_named(name), weights_of(name)

    def step() -> None:
        torch.autograd.grad(fused(cell, weights, x)[0].square().mean(), list(weights.values()))

    return step


def unrolled(name: str, x: Tensor) -> Work:
    cell, weights = cell_named(name), weights_of(name)

    def step() -> None:
        outputs = unroll(cell, weights, x, None, torch)[0]
        torch.autograd.grad(outputs.square().mean(), list(weights.values()))

    return step


def of_torch(kind: str, x: Tensor) -> Work:
    layer = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](INPUTS, HIDDEN, batch_first=True)

    def step() -> None:
        torch.autograd.grad(layer(x)[0].square().mean(), list(layer.parameters()))

    return step


def predicted(name: str, x: Tensor) -> Work:
    cell = cell_named(name)
    weights = {key: weight.detach().numpy() for key, weight in weights_of(name).items()}
    array = x.numpy()
    return lambda: unroll(cell, weights, array)


def forward_of_torch(x: Tensor) -> Work:
    layer = nn.LSTM(INPUTS, HIDDEN, batch_first=True)

    def step() -> None:
        with torch.no_grad():
            layer(x)

    return step


def ratios(works: dict[str, Work], reference: Work, rounds: int = 7) -> dict[str, float]:
    """Median CPU time of each over that of the reference beside it."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for round_ in range(rounds + 1):
        for name, work in works.items():
            base, own = cpu(reference), cpu(work)
            if round_:  # the first one warms caches up
                found[name].append(own / base)
    return {name: statistics.median(values) for name, values in found.items()}


def cpu(work: Work) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def test_every_cell_beside_the_lstm_of_pytorch(say: Callable[[str], None]) -> None:
    columns: dict[str, dict[str, float]] = {}
    with prepared(1):
        for batch in BATCHES:
            x = torch.randn(batch, STEPS, INPUTS, generator=torch.Generator().manual_seed(1))
            works = {name: trained(name, x) for name in NAMES} | {"torch.nn.GRU": of_torch("gru", x)}
            columns[f"train B={batch}"] = ratios(works, of_torch("lstm", x))
            forward = {name: predicted(name, x) for name in NAMES}
            columns[f"NumPy B={batch}"] = ratios(forward, forward_of_torch(x), rounds=3)
    names = [*NAMES, "torch.nn.GRU"]
    lines = [f"{'cell':<16}" + "".join(f"{column:>14}" for column in columns)]
    for name in names:
        cells = (f"{column[name]:>14.2f}" if name in column else f"{'-':>14}" for column in columns.values())
        lines.append(f"{name:<16}" + "".join(cells))
    say("times torch.nn.LSTM, T=168, H=64, one thread\n" + "\n".join(lines))
    assert columns["train B=32"]["gru"] <= 2.5
    assert columns["train B=256"]["gru"] <= 1.3


@pytest.mark.parametrize(
    "name",
    [
        "gru",
        "mgu",
        "mingru",
        "lru",
        "mlstm",
        "mamba",
        "slstm",
        "lstm-peephole",
        "lstm-coupled",
        "fir",
        "dilated:24:lstm",
    ],
)
def test_no_kernel_is_slower_than_the_loop_of_its_formula(name: str, say: Callable[[str], None]) -> None:
    x = torch.randn(32, STEPS, INPUTS, generator=torch.Generator().manual_seed(1))
    with prepared(1):
        ratio = ratios({name: trained(name, x)}, unrolled(name, x))[name]
    say(f"{name}: training step / that of its unrolled formula: {ratio:.2f}")
    assert ratio < 1


@pytest.mark.parametrize("batch", BATCHES)
def test_a_linear_recurrence_is_faster_as_a_loop_than_as_a_parallel_scan(
    batch: int, say: Callable[[str], None]
) -> None:
    a = torch.rand(STEPS, batch, HIDDEN).requires_grad_()
    b = torch.randn(STEPS, batch, HIDDEN).requires_grad_()
    with prepared(1):
        ratio = ratios({"loop": lambda: differentiated(looped, a, b)}, lambda: differentiated(scanned, a, b))["loop"]
    np.testing.assert_allclose(looped(a, b).detach(), scanned(a, b).detach(), atol=1e-4)
    say(f"loop with its own backward pass / parallel scan, B={batch}: {ratio:.2f}")
    assert ratio < 1


@pytest.mark.parametrize(("steps", "batch"), [(104, 8), (336, 8), (336, 16), (1_000, 8), (1_000, 16)])
def test_a_scan_in_chunks_is_faster_than_a_step_after_the_other_where_steps_are_small(
    steps: int, batch: int, say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnncli.nn import linear_recurrence

    a = torch.rand(steps, batch, 32).requires_grad_()
    b = torch.randn(steps, batch, 32).requires_grad_()

    def one_by_one() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(linear_recurrence, "SMALL", 0)
            differentiated(looped, a, b)

    with prepared(1):
        ratio = ratios({"chunks": lambda: differentiated(looped, a, b)}, one_by_one)["chunks"]
    say(f"scan in chunks / step after step, forwards and backwards, T={steps}, B={batch}: {ratio:.2f}")
    assert ratio < 1


def differentiated(run: Callable[[Tensor, Tensor], Tensor], a: Tensor, b: Tensor) -> None:
    torch.autograd.grad(run(a, b).square().mean(), (a, b))


def looped(a: Tensor, b: Tensor) -> Tensor:
    from rnncli.nn.linear_recurrence import _recurrence

    return _recurrence(a, b, torch.zeros_like(b[0]))


def scanned(a: Tensor, b: Tensor) -> Tensor:
    """z_t = a_t z_{t-1} + b_t in log2(T) passes (Hillis & Steele 1986)."""
    reach = 1
    while reach < len(a):
        before_a = torch.cat([torch.ones_like(a[:reach]), a[:-reach]])
        before_b = torch.cat([torch.zeros_like(b[:reach]), b[:-reach]])
        a, b, reach = a * before_a, b + a * before_b, 2 * reach
    return b
