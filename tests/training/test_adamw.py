"""Our AdamW is torch's, to the bit, without what torch's imports."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable

import torch

from rnncli.training.adamw import BETAS, adamw

Run = Callable[..., subprocess.CompletedProcess[str]]
Weights = dict[str, torch.Tensor]


def weights() -> Weights:
    chance = torch.Generator().manual_seed(1)
    shapes = {"w": (3, 4), "b": (5,), "u": (2, 2), "c": (1,)}
    return {name: torch.randn(shape, generator=chance).requires_grad_() for name, shape in shapes.items()}


def loss(given: Iterable[torch.Tensor], step: int) -> torch.Tensor:
    return torch.stack([((p - step) ** 2).mean() * (1 + p.sin().sum()) for p in given]).sum()


def test_it_is_torchs_adamw_to_the_bit() -> None:
    ours, theirs = weights(), weights()
    first, second = ({name: torch.zeros_like(w) for name, w in ours.items()} for _ in range(2))
    decay = {name: 0.01 * (w.ndim > 1) for name, w in ours.items()}
    groups = [{"params": [w], "weight_decay": decay[name]} for name, w in theirs.items()]
    other = torch.optim.AdamW(groups, betas=BETAS)
    for step in range(1, 21):
        for given in (ours, theirs):
            for weight in given.values():
                weight.grad = None
            loss(given.values(), step).backward()  # type: ignore[no-untyped-call]
        rate = 0.1 / step
        for group in other.param_groups:
            group["lr"] = rate
        other.step()
        adamw(ours, first, second, step, rate, decay)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert not torch.equal(ours["w"], weights()["w"])


def test_weights_without_a_gradient_stay() -> None:
    given = weights()
    before = {name: w.detach().clone() for name, w in given.items()}
    zeros = {name: torch.zeros_like(w) for name, w in given.items()}
    (given["w"] ** 2).sum().backward()  # type: ignore[no-untyped-call]
    adamw(given, zeros, {name: torch.zeros_like(w) for name, w in given.items()}, 1, 0.1, dict.fromkeys(given, 0.0))
    assert [name for name, w in given.items() if not torch.equal(w, before[name])] == ["w"]


def test_training_never_imports_the_compiler(run_python: Run) -> None:
    code = (
        "import sys, torch; from rnncli.training.adamw import adamw; p = torch.ones(2, requires_grad=True);"
        "p.sum().backward(); zeros = {'p': torch.zeros(2)};"
        "adamw({'p': p}, zeros, {'p': torch.zeros(2)}, 1, 0.1, {'p': 0.0});"
        "print([name for name in sys.modules if name.startswith('torch._dynamo')])"
    )
    assert run_python("-c", code).stdout == "[]\n"
