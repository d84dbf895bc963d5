"""Attention is that of the paper, as torch computes it, and in NumPy its bits are a query's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from rnncli.layers.attention import attention

SEQUENCES, QUERIES, STEPS, KEY, VALUE = 5, 3, 19, 4, 6


def drawn(dtype: Any) -> tuple[torch.Tensor, ...]:
    """Queries, keys, values and what is seen: bands of different lengths, one step alone among them."""
    generator = torch.Generator().manual_seed(0)
    shapes = ((SEQUENCES, QUERIES, KEY), (SEQUENCES, STEPS, KEY), (SEQUENCES, STEPS, VALUE))
    query, keys, values = (torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for shape in shapes)
    end = torch.randint(0, STEPS, (SEQUENCES, QUERIES), generator=generator)
    end[0, 0] = 0
    step = torch.arange(STEPS)
    return 3 * query, keys, values, (step <= end[..., None]) & (step > end[..., None] - 7)


def in_numpy(*tensors: torch.Tensor) -> Any:
    return attention(*(tensor.numpy() for tensor in tensors), np)


@pytest.mark.parametrize("made", [lambda *given: attention(*given, torch).numpy(), in_numpy], ids=["torch", "numpy"])
def test_it_reads_what_scaled_dot_product_attention_reads(made: Any) -> None:
    query, keys, values, seen = drawn(torch.float64)
    expected = scaled_dot_product_attention(query, keys, values, attn_mask=seen)
    np.testing.assert_allclose(made(query, keys, values, seen), expected.numpy(), rtol=0, atol=1e-12)


def test_torch_and_numpy_read_the_same() -> None:
    given = drawn(torch.float32)
    np.testing.assert_allclose(in_numpy(*given), attention(*given, torch).numpy(), rtol=1e-5, atol=1e-6)


def test_its_gradient_is_what_finite_differences_say() -> None:
    *given, seen = drawn(torch.float64)
    leaves = [tensor.requires_grad_() for tensor in given]
    assert torch.autograd.gradcheck(lambda *those: attention(*those, seen, torch), leaves)


def test_energies_that_exp_cannot_hold_are_read() -> None:
    query, keys, values, seen = drawn(torch.float32)
    made = in_numpy(1e4 * query, keys, values, seen)
    best = (query @ keys.transpose(1, 2)).masked_fill(~seen, -torch.inf).argmax(dim=-1).numpy()
    np.testing.assert_allclose(made, values.numpy()[np.arange(SEQUENCES)[:, None], best], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("before", [0, 1, 8, 30])
@pytest.mark.parametrize("behind", [0, 3, 21])
def test_a_query_reads_the_same_bits_alone_and_among_others_whatever_it_does_not_see(before: int, behind: int) -> None:
    query, keys, values, seen = (tensor.numpy() for tensor in drawn(torch.float32))
    together = attention(query, keys, values, seen, np)
    rng, rows = np.random.default_rng(1), ((0, 0), (before, behind), (0, 0))
    for place in range(SEQUENCES):
        more = [np.pad(part[[place]], rows) for part in (keys, values)]
        hidden = ~np.pad(np.ones(STEPS, np.bool_), (before, behind))
        for part in more:
            part[:, hidden] = rng.normal(0, 9, part[:, hidden].shape)
        look = np.pad(seen[[place]], ((0, 0), (0, 0), (before, behind)))
        alone = attention(query[[place]], *more, look, np)
        assert alone.tobytes() == together[[place]].tobytes()
