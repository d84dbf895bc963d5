"""A scan of a linear recurrence is the recurrence, step by step, and so are its gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rnncli.nn.linear_recurrence import LONG, SMALL, _recurrence, scanned


def stepwise(a: Tensor, b: Tensor, z0: Tensor) -> Tensor:
    made = [z0]
    for a_t, b_t in zip(a, b, strict=True):
        made.append(a_t * made[-1] + b_t)
    return torch.stack(made[1:])


def drawn(steps: int, shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(steps)
    a, b = (torch.randn(steps, *shape, dtype=dtype, generator=generator) for _ in range(2))
    kept = (a / (0.1 + a.abs())).requires_grad_()
    return kept, b.requires_grad_(), torch.randn(shape, dtype=dtype, generator=generator).requires_grad_()


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("shape", [(3, 5), (2, 3, 4), (2, SMALL // 2), (2, SMALL)])
@pytest.mark.parametrize("steps", [1, 2, LONG - 1, LONG, LONG + 1, 101, 333])
def test_it_is_the_recurrence_and_has_its_gradients(steps: int, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    every = drawn(steps, shape, dtype)
    weight = torch.linspace(-1, 1, steps, dtype=torch.float64).view(-1, *[1] * len(shape))
    found, expected = _recurrence(*every), stepwise(*every)
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)
    for one, other in zip(
        torch.autograd.grad((found.abs() * weight).sum(), every),
        torch.autograd.grad((expected.abs() * weight).sum(), every),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11)


def test_what_is_not_contiguous_and_what_is_expanded_is_carried_along_too() -> None:
    a, b, z0 = (x.detach() for x in drawn(120, (4, 6), torch.float64))
    expected = stepwise(a[0].expand(b.shape), b, z0)
    torch.testing.assert_close(scanned(a[0].expand(b.shape), b, z0), expected)
    across = b.transpose(1, 2).contiguous().transpose(1, 2)
    torch.testing.assert_close(scanned(a[0].expand(b.shape), across, z0), expected)


def test_a_later_step_changes_no_earlier_one() -> None:
    a, b, z0 = (x.detach() for x in drawn(200, (2, 3), torch.float64))
    later = b.clone()
    later[150:] += 1
    assert torch.equal(scanned(a, later, z0)[:150], scanned(a, b, z0)[:150])
