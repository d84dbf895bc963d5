"""Poolings are what plain loops make of the outputs, and losses are those of PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rnncli.tasks.labels import head
from rnncli.tasks.labels.labeler import answers
from rnncli.tasks.labels.spec import EMBEDDING, POOLINGS, Input, LabelSpec
from rnncli.tasks.seen import Seen

Specs = Callable[..., LabelSpec]
Floats = NDArray[np.float64]
HIDDEN, LENGTHS = 4, np.array([5, 1, 3])
LEVELS = (0.05, 0.25, 0.5, 0.9)


def outputs() -> Floats:
    """Outputs [3, 5, H], with padding that would be noticed."""
    h = np.random.default_rng(0).normal(size=(3, 5, HIDDEN))
    return np.where((np.arange(5) < LENGTHS[:, None])[..., None], h, 1e3)


def weights_of(spec: LabelSpec, scale: float = 0.7, seed: int = 1) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    return {name: scale * rng.normal(size=shape) for name, shape in head.shapes(spec, HIDDEN).items()}


def asked(rows: Any, origins: Any) -> Seen:
    nothing = np.zeros(0)
    rows, origins = np.array(rows), np.array(origins)
    return Seen(nothing, LENGTHS, rows, origins, {}, nothing, {}, rows, np.zeros(len(rows), np.int64))


def pooled(part: str, h: Floats, weights: dict[str, Floats], *, both_ways: bool) -> Floats:
    """The pooling of the outputs [T, H] of one sequence, a step at a time."""
    if part == "last":
        return np.concatenate([h[-1, : HIDDEN // 2], h[0, HIDDEN // 2 :]]) if both_ways else h[-1]
    if part == "mean":
        return sum(h) / len(h)  # type: ignore[no-any-return]
    if part == "max":
        return np.array([max(h[:, unit]) for unit in range(HIDDEN)])
    energies = [weights["attend.vector"][0] @ np.tanh(weights["attend.weight"] @ x + weights["attend.bias"]) for x in h]
    shares = np.exp(energies) / np.exp(energies).sum()
    return sum(a * x for a, x in zip(shares, h, strict=True))  # type: ignore[no-any-return]


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_a_pooling_is_that_of_the_real_steps(pooling: str, both_ways: bool, spec_of: Specs) -> None:
    spec, h = spec_of(poolings=(pooling,), both_ways=both_ways), outputs()
    weights = weights_of(spec)
    found = head.read(spec, weights, h, asked([0, 1, 2], LENGTHS - 1), np)
    for row, length in enumerate(LENGTHS.tolist()):
        np.testing.assert_allclose(found[row], pooled(pooling, h[row, :length], weights, both_ways=both_ways))


def test_each_pooling_has_an_answer_of_its_own_and_the_joined_one_reads_all(spec_of: Specs) -> None:
    spec, h = spec_of(poolings=POOLINGS), outputs()
    weights = weights_of(spec)
    said = head.head(spec, weights, head.read(spec, weights, h, asked([0, 1, 2], LENGTHS - 1), np), np)
    assert said.shape == (3, len(POOLINGS), 3)
    for row, length in enumerate(LENGTHS.tolist()):
        every = {part: pooled(part, h[row, :length], weights, both_ways=False) for part in head.PARTS}
        every["joined"] = np.concatenate([every[part] for part in ("last", "mean", "max", "attention")])
        for place, pooling in enumerate(POOLINGS):
            logits = weights[f"{pooling}.weight"] @ every[pooling] + weights[f"{pooling}.bias"]
            np.testing.assert_allclose(said[row, place], logits)


def test_a_label_of_a_step_reads_the_output_of_that_step(spec_of: Specs) -> None:
    spec, h = spec_of(per_step=True), outputs()
    found = head.read(spec, {}, h, asked([0, 0, 2, 1], [4, 1, 2, 0]), np)
    np.testing.assert_array_equal(found, [h[0, 4], h[0, 1], h[2, 2], h[1, 0]])


def test_attention_to_huge_energies_stays_finite(spec_of: Specs) -> None:
    spec = spec_of(poolings=("attention",))
    weights = weights_of(spec) | {"attend.vector": np.full((1, HIDDEN), 1e4)}
    assert np.isfinite(head.read(spec, weights, outputs(), asked([0, 1, 2], LENGTHS - 1), np)).all()


def test_embeddings_stand_behind_the_numbers_with_a_row_for_the_unknown_and_zeros_for_none(spec_of: Specs) -> None:
    spec = spec_of(inputs=(Input("x"), Input("word", categories=65), Input("other", categories=66)))
    weights = weights_of(spec)
    one, two = weights["embedding0"], weights["embedding1"]
    codes = np.array([[[3, 65], [-1, -2], [-2, -1]]])
    found = head.embedded(spec, weights, np.array([[[1.0], [2.0], [3.0]]]), codes, np)
    zeros = np.zeros(EMBEDDING)
    wanted = [np.concatenate(parts) for parts in ([[1], one[3], two[65]], [[2], one[65], zeros], [[3], zeros, two[66]])]
    np.testing.assert_array_equal(found[0], wanted)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_the_loss_of_classes_is_the_smoothed_cross_entropy_of_pytorch(smoothing: float, spec_of: Specs) -> None:
    logits = torch.randn(7, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = torch.tensor([0, 1, 2, 2, 1, 0, 1])
    found = head.loss(spec_of(smoothing=smoothing), logits, y.double(), torch)
    each = [
        torch.nn.functional.cross_entropy(logits[:, place], y, reduction="none", label_smoothing=smoothing)
        for place in range(2)
    ]
    torch.testing.assert_close(found, torch.stack(each).mean(dim=0))


def test_a_class_weighs_what_it_is_said_to_weigh(spec_of: Specs) -> None:
    logits = torch.randn(4, 1, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y, weight = torch.tensor([0, 1, 2, 2]), torch.tensor([0.5, 2.0, 3.0], dtype=torch.float64)
    found = head.loss(spec_of(weights=tuple(weight.tolist())), logits, y.double(), torch)
    wanted = torch.nn.functional.cross_entropy(logits[:, 0], y, weight, reduction="none")
    torch.testing.assert_close(found, wanted)


def test_the_loss_of_numbers_is_twice_the_pinball_loss(spec_of: Specs) -> None:
    spec = spec_of(classes=0, levels=(0.1, 0.5, 0.9))
    said = np.array([[[1.0, 4.0, 6.0]], [[0.0, 0.0, 0.0]]])
    found = head.loss(spec, said, np.array([3.0, np.nan]), np)
    np.testing.assert_allclose(found, [2 * (0.1 * 2 + 0.5 * 1 + 0.1 * 3) / 3, 0.0])


def test_logits_of_any_size_have_finite_logarithms() -> None:
    found = head.log_softmax(np.array([[1e4, 0.0, -1e4], [5.0, 5.0, 5.0]]), np)
    np.testing.assert_allclose(found, [[0.0, -1e4, -2e4], np.log([1 / 3] * 3)])


@settings(derandomize=True, max_examples=40, deadline=None)
@given(scale=st.floats(0.01, 1e4), seed=st.integers(0, 999))
def test_quantiles_of_a_number_never_cross(scale: float, seed: int, spec_of: Specs) -> None:
    spec = spec_of(classes=0, levels=LEVELS, center=-3.0, scale=0.1)
    state = np.random.default_rng(seed).normal(size=(9, HIDDEN)).astype(np.float32)
    weights = {name: w.astype(np.float32) for name, w in weights_of(spec, scale, seed).items()}
    said = head.head(spec, weights, state, np)
    assert (np.diff(said, axis=-1) >= 0).all()
    units = answers(spec, said.astype(np.float64))
    assert (np.diff(units, axis=-1) >= 0).all()
    np.testing.assert_allclose(units, -3 + 0.1 * said.astype(np.float64), rtol=1e-6, atol=1e-6)


def test_probabilities_of_classes_add_up_to_one(spec_of: Specs) -> None:
    said = answers(spec_of(), 50 * np.random.default_rng(0).normal(size=(6, 2, 3)))
    assert (said >= 0).all()
    np.testing.assert_allclose(said.sum(axis=-1), 1)
