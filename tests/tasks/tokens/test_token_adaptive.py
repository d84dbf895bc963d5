"""The adaptive softmax is a softmax over all tokens, of which only the clusters that are needed are computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from numpy.typing import NDArray

import rnncli
from rnncli.errors import UsageError
from rnncli.tasks.tokens import adaptive, formulas
from rnncli.tasks.tokens.answers import ranks_of
from rnncli.tasks.tokens.spec import TokenSpec
from tests.tasks.tokens.conftest import Trained

SPEC = TokenSpec(tokens=40, steps=3, clusters=(6, 15))
HIDDEN, COUNT = 24, 200
RNG = np.random.default_rng(0)


def member(seed: int) -> dict[str, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=shape) / 2 for name, shape in adaptive.shapes(SPEC, HIDDEN).items()}


WEIGHTS, STATES = member(1), RNG.normal(size=(COUNT, HIDDEN))
CODES = RNG.integers(0, SPEC.tokens, COUNT)


def tensors(arrays: dict[str, NDArray[Any]], grad: bool = False) -> dict[str, torch.Tensor]:
    return {name: torch.tensor(array, requires_grad=grad) for name, array in arrays.items()}


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.exp(logits - logits.max())
    return p / p.sum()


def by_the_paper(state: NDArray[np.float64]) -> NDArray[np.float64]:
    """p(k) = q_k, or q_i softmax_k, one state at a time."""
    q = softmax(WEIGHTS["embedding"][:8] @ state + WEIGHTS["bias"])
    inner = [
        softmax(WEIGHTS[f"embedding{i}"] @ (WEIGHTS[f"projection{i}"] @ state) + WEIGHTS[f"bias{i}"]) for i in (1, 2)
    ]
    return np.concatenate([q[:6], q[6] * inner[0], q[7] * inner[1]])


def test_it_is_the_softmax_over_all_tokens_that_the_paper_says() -> None:
    found = np.exp(adaptive.log_probabilities(SPEC, WEIGHTS, STATES, np))
    np.testing.assert_allclose(found, np.stack([by_the_paper(state) for state in STATES]), rtol=1e-10)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    in_torch = adaptive.log_probabilities(SPEC, tensors(WEIGHTS), torch.tensor(STATES), torch).exp()
    np.testing.assert_allclose(in_torch.numpy(), found, rtol=1e-10)


def test_the_loss_is_that_of_the_whole_softmax_in_torch_and_numpy() -> None:
    whole = adaptive.log_probabilities(SPEC, WEIGHTS, STATES, np)
    targets = np.where(np.arange(COUNT) % 7 == 0, np.nan, CODES)
    expected = np.where(np.isnan(targets), 0, -whole[np.arange(COUNT), CODES])
    said = formulas.said(SPEC, WEIGHTS, STATES, {"next": targets}, np)
    np.testing.assert_allclose(formulas.loss(SPEC, said, targets, np), expected, rtol=1e-10)
    came = torch.tensor(targets)
    in_torch = formulas.said(SPEC, tensors(WEIGHTS), torch.tensor(STATES), {"next": came}, torch)
    np.testing.assert_allclose(formulas.loss(SPEC, in_torch, came, torch).numpy(), expected, rtol=1e-10)


def test_gradients_of_the_loss_and_of_what_is_seen_are_right() -> None:
    spec = TokenSpec(tokens=9, steps=3, clusters=(3, 5))
    shapes = adaptive.shapes(spec, 3)
    weights = tensors({name: RNG.normal(size=shape) for name, shape in shapes.items()}, grad=True)
    states = torch.tensor(STATES[:8, :3], requires_grad=True)
    codes = torch.tensor([0, 2, 3, 4, 5, 8, 9, -1])

    def loss(states: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        own = dict(zip(shapes, values, strict=True))
        seen = adaptive.embedded(spec, own, codes[None], torch)[0]
        return adaptive.log_p(spec, own, states + seen, codes.clamp(0, 8), torch)

    assert torch.autograd.gradcheck(loss, (states, *weights.values()))


def test_what_is_seen_of_a_token_is_its_row_through_the_projection_of_its_tail() -> None:
    codes = np.array([[0, 5, 6, 39], [14, 15, 40, -1]])
    found = adaptive.embedded(SPEC, WEIGHTS, codes, np) / np.sqrt(HIDDEN)
    expected = [
        WEIGHTS["embedding"][0],
        WEIGHTS["embedding"][5],
        WEIGHTS["projection1"].T @ WEIGHTS["embedding1"][0],
        WEIGHTS["projection2"].T @ WEIGHTS["embedding2"][24],
        WEIGHTS["projection1"].T @ WEIGHTS["embedding1"][8],
        WEIGHTS["projection2"].T @ WEIGHTS["embedding2"][0],
        WEIGHTS["embedding"][8],  # the boundary
        np.zeros(HIDDEN),
    ]
    np.testing.assert_allclose(found.reshape(8, HIDDEN), np.stack(expected), atol=1e-12)


@pytest.mark.parametrize("most", [5, 40])
def test_ranks_are_those_among_all_tokens_of_what_the_members_say_together(most: int) -> None:
    members, states = [WEIGHTS, member(2)], [STATES, STATES[::-1]]
    every = zip(members, states, strict=True)
    logs = np.log(np.mean([np.exp(adaptive.log_probabilities(SPEC, *one, np)) for one in every], axis=0))
    own = logs[np.arange(COUNT), CODES]
    found = adaptive.ranks(SPEC, members, states, CODES, own, most, np)
    np.testing.assert_array_equal(np.minimum(found, most), np.minimum(ranks_of(logs, CODES), most))


def test_first_weights_say_zipfs_law_and_tokens_are_seen_with_unit_variance() -> None:
    rng = np.random.default_rng(0)

    class Drawn:
        def uniform(self, shape: tuple[int, ...], within: float) -> NDArray[np.float64]:
            return rng.uniform(-within, within, shape)

        def normal(self, shape: tuple[int, ...], mean: float, deviation: float) -> NDArray[np.float64]:
            return rng.normal(mean, deviation, shape)

    spec = TokenSpec(tokens=400, steps=3, clusters=(60, 150))
    weights = dict(adaptive.begin(spec, 128, Drawn()))
    said = np.exp(adaptive.log_probabilities(spec, weights, np.zeros((1, 128)), np)[0])
    often = 1 / (np.arange(400) + 2.7)
    np.testing.assert_allclose(said, often / often.sum(), rtol=1e-5)
    seen = adaptive.embedded(spec, weights, np.arange(401)[None], np)[0]
    for cluster in (slice(0, 60), slice(60, 150), slice(150, 400)):
        assert 0.7 < seen[cluster].var() < 1.3


def test_clusters_lie_within_the_vocabulary_and_small_ones_have_none() -> None:
    assert adaptive.clusters_for(50_000) == ()
    assert adaptive.clusters_for(50_001) == (4_000, 20_000)
    assert "clusters" not in TokenSpec(tokens=9, steps=1).to_json()
    assert TokenSpec.from_json(SPEC.to_json()) == SPEC
    for wrong in ((0, 3), (4, 4), (5, 40), (9, 3)):
        with pytest.raises(UsageError):
            TokenSpec(tokens=40, steps=3, clusters=wrong)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model of more than 50,000 kinds of tokens in two documents, of which a few are much the commonest."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        words = [f"w{number}" for number in np.minimum(rng.geometric(0.2, 6_000), 50).tolist()]
        words += [f"{name}{number}" for number in range(25_100)]
        (folder / f"{name}.txt").write_text(" ".join(rng.permutation(words)))
    path, told = folder / "m.safetensors", list[str]()
    made = rnncli.train(
        str(folder / "*.txt"),
        split="space",
        min_count=1,
        vocabulary=60_000,
        output=path,
        hidden=16,
        steps=8,
        batch=8,
        members=1,
        on_event=lambda event: told.append(str(event)),
    )
    assert any("adaptive softmax" in line for line in told)
    return Trained(path, made.model)


def test_a_vocabulary_above_the_line_is_learnt_scored_and_gone_on_with(large: Trained, tmp_path: Path) -> None:
    assert large.model.spec.clusters == (4_000, 20_000)
    assert large.model.record["validation"]["network"]["perplexity"] < 50_000
    path = tmp_path / "text.txt"
    path.write_text("w1 w2 a7 w1 b20000 w3 w1 nothing")
    table = pa.table(rnncli.predict(str(path), str(large.path), score="token")).to_pydict()
    top = pa.table(rnncli.predict(str(path), str(large.path), top=60_000)).to_pydict()
    assert sum(top["p"]) == pytest.approx(1, abs=1e-3)
    path.write_text("w1 w2 a7 w1")
    before = pa.table(rnncli.predict(str(path), str(large.path), top=60_000)).to_pydict()
    place = before["token"].index("b20000")
    assert np.exp(table["log_p"][4]) == pytest.approx(before["p"][place], rel=1e-4)
    assert table["rank"][4] == pytest.approx(place + 1, abs=3)  # of thousands that are nearly as likely
    scores = rnncli.evaluate(str(path), str(large.path)).report.model_scores
    assert scores["cross_entropy"] > 0
    assert str(rnncli.predict(str(path), str(large.path), generate=5, top_k=3))
