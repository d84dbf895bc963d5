"""One table is what is seen of tokens and what is said of them."""

from __future__ import annotations

import math

import numpy as np
import torch

from rnncli.tasks.tokens import head
from rnncli.tasks.tokens.answers import of_what_came
from rnncli.tasks.tokens.spec import TokenSpec

RNG = np.random.default_rng(0)
SPEC = TokenSpec(tokens=6, steps=3)
TABLE, STATES = RNG.normal(size=(7, 4)), RNG.normal(size=(5, 4))
WEIGHTS = {"embedding": TABLE, "bias": RNG.normal(size=6)}


def test_looking_a_token_up_is_the_product_with_a_one_hot_vector() -> None:
    codes = np.array([[0, 6, 3], [2, -1, 5]])
    one_hot = (codes[..., None] == np.arange(7)).astype(float)
    np.testing.assert_allclose(head.embedded(TABLE, codes, np), one_hot @ TABLE * math.sqrt(4), rtol=1e-12)
    found = head.embedded(torch.from_numpy(TABLE), torch.from_numpy(codes), torch).numpy()
    np.testing.assert_array_equal(found, head.embedded(TABLE, codes, np))


def test_the_same_rows_say_what_comes_next_and_the_boundary_never_does() -> None:
    np.testing.assert_allclose(head.head(SPEC, WEIGHTS, STATES, np), STATES @ TABLE[:6].T + WEIGHTS["bias"])


def test_the_loss_is_minus_the_logarithm_of_the_probability_of_what_came() -> None:
    said = head.head(SPEC, WEIGHTS, STATES, np)
    p = np.exp(said) / np.exp(said).sum(axis=1, keepdims=True)
    targets = np.array([0.0, 5.0, 2.0, np.nan, 1.0])
    expected = [-math.log(p[0, 0]), -math.log(p[1, 5]), -math.log(p[2, 2]), 0.0, -math.log(p[4, 1])]
    np.testing.assert_allclose(head.loss(said, targets, np), expected, rtol=1e-12)
    np.testing.assert_allclose(head.loss(torch.from_numpy(said), torch.from_numpy(targets), torch), expected)
    found = of_what_came(said, targets)
    np.testing.assert_allclose(-found[[0, 1, 2, 4], 0], np.array(expected)[[0, 1, 2, 4]])
    ranks = [int((p[row] > p[row, code]).sum()) for row, code in ((0, 0), (1, 5), (2, 2), (4, 1))]
    assert found[[0, 1, 2, 4], 1].tolist() == ranks
    assert np.isnan(found[3]).all()


def test_far_logits_do_not_overflow() -> None:
    far = np.array([[1e4, 0.0, -1e4]], np.float32)
    assert np.isfinite(head.log_softmax(far, np)).all()
    assert head.loss(far, np.array([2.0], np.float32), np).tolist() == [2e4]
