"""What every registered task keeps to, on data and options of each kind that it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rnncli import registry
from rnncli.events import SEARCH, Phase
from rnncli.layers.rows import dense
from rnncli.registry import TASKS
from rnncli.tasks.seen import HEAD, head_weights
from rnncli.training.objective import forward, on
from rnncli.training.session import initial_weights, objective_for
from rnncli.workflows.probe import Probe
from rnncli.workflows.watching import origin_of
from tests.tasks.contract import (
    CASES,
    KINDS,
    exact,
    made,
    of,
    of_series,
    otherwise,
    said_in_numpy,
    said_of_each,
    same_bits,
    seen_by,
    where,
)

every_case = of(CASES)

KNOWN_LATE = ("target", "past", "input", "label", "time")


def test_every_task_is_held_to_the_contract() -> None:
    assert KINDS.keys() == TASKS.keys() == registry.METRICS.keys() == registry.BASELINES.keys()


def test_the_kinds_are_what_they_are_called() -> None:
    forecasts, labels = (lambda kind, task=task: made(task, kind).plan.spec for task in ("forecast", "labels"))
    assert forecasts("wall clock").wall
    assert {one.role for one in forecasts("covariates").covariates} == {"past", "future", "static"}
    assert made("forecast", "covariates").plan.rivals
    assert labels("words").words
    assert labels("frames").stride > 1
    assert labels("images").raster == 8
    assert any(channel.gaps for channel in labels("gaps").inputs)
    assert [labels(kind).both_ways for kind in ("classes", "causal", "online")] == [True, False, False]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-6), (np.float32, 1e-5)])
@every_case
def test_formulas_say_the_same_in_torch_and_in_numpy(task: str, kind: str, dtype: Any, tolerance: float) -> None:
    one = made(task, kind)
    weights = {key: w.numpy().astype(dtype) for key, w in head_weights(one.weights).items()}
    tensors, spec, rng = (
        {key: torch.from_numpy(w) for key, w in weights.items()},
        one.plan.spec,
        np.random.default_rng(0),
    )
    for seen in (exact(part, dtype) for part in seen_by(one)):
        states = rng.normal(size=(*seen.inputs.shape[:-1], one.plan.network.hidden)).astype(dtype)
        found = []
        for xp, w, s, h in ((np, weights, seen, states), (torch, tensors, on(seen), torch.from_numpy(states))):
            read = one.task.read(spec, w, h, s, xp)
            said = one.task.head(spec, w, read, s.beside, xp)
            entered = dense(one.task.enter(spec, w, s, xp), xp)
            found.append((entered, read, said, one.task.loss(spec, said, s.targets, xp)))
        assert [part.dtype for part in found[0][:3]] == [dtype] * 3
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=tolerance, atol=tolerance)


@every_case
def test_a_network_says_the_same_in_training_and_in_prediction(task: str, kind: str) -> None:
    one = made(task, kind)
    assert len(set(one.panel.lengths.tolist())) > 1 or kind in ("wall clock", "rows", "images", "one document")
    for seen in seen_by(one):
        with torch.no_grad():
            theirs = forward(one.weights, one.plan, on(seen)).numpy()
        np.testing.assert_allclose(said_in_numpy(one, seen), theirs, rtol=1e-5, atol=1e-5)


@every_case
def test_an_answer_does_not_look_behind_the_row_where_it_is_asked(task: str, kind: str) -> None:
    one = made(task, kind)
    series, ends = np.arange(len(one.panel)), np.maximum(one.panel.lengths * 2 // 3, 1)
    other = otherwise(one.panel, ends, KNOWN_LATE, labels=True)
    assert not np.array_equal(other.values, one.panel.values, equal_nan=True)
    lessons = [one.task.lesson(panel, one.plan.spec, panel.lengths) for panel in (one.panel, other)]
    for ours, theirs in zip(*(lesson.at(series, ends) for lesson in lessons), strict=True):
        assert same_bits(ours, theirs, "targets", "units.next")
        assert np.array_equal(said_in_numpy(one, ours), said_in_numpy(one, theirs))


@of(where(label=True))
def test_a_label_is_no_input(task: str, kind: str) -> None:
    one = made(task, kind)
    other = otherwise(one.panel, one.panel.lengths, ("label",), labels=True)
    for ours, theirs in zip(seen_by(one), seen_by(one, other), strict=True):
        assert same_bits(ours, theirs, "targets")
        assert not np.array_equal(ours.targets, theirs.targets)


@of(where(online=True))
def test_an_online_answer_does_not_change_with_later_rows(task: str, kind: str) -> None:
    one = made(task, kind)
    series, ends = np.arange(len(one.panel)), np.maximum(one.panel.lengths // 2, 1)
    other = otherwise(one.panel, ends, ("input",), labels=False)
    before, after = said_of_each(one, series), said_of_each(one, series, panel=other)
    for s in series.tolist():
        ours, theirs = of_series(before, s), of_series(after, s)
        assert np.array_equal(ours[: ends[s]], theirs[: ends[s]])
        assert not np.array_equal(ours[ends[s]], theirs[ends[s]])


@every_case
def test_what_is_held_out_never_reaches_a_batch(task: str, kind: str) -> None:
    one = made(task, kind)
    holdout = one.task.hold_out(one.panel, one.plan.spec)
    assert len(holdout)
    other = otherwise(one.panel, holdout.ends(one.panel.lengths), KNOWN_LATE, labels=False)
    assert not np.array_equal(other.values, one.panel.values, equal_nan=True)
    objectives = [objective_for(panel, one.plan, "cpu", holdout, 0) for panel in (one.panel, other)]
    for step in range(6):
        assert same_bits(*(objective.sample(step) for objective in objectives))


@of(where(label=True))
def test_a_sequence_is_held_out_whole_or_learnt_from_whole(task: str, kind: str) -> None:
    one = made(task, kind)
    holdout = one.task.hold_out(one.panel, one.plan.spec)
    ends = holdout.ends(one.panel.lengths)
    held = np.isin(np.arange(len(one.panel)), holdout.series)
    assert np.array_equal(ends, np.where(held, 0, one.panel.lengths))
    batches = [objective_for(one.panel, one.plan, "cpu", holdout, 0).sample(step).series for step in range(60)]
    assert set(np.concatenate(batches).tolist()) == set(np.flatnonzero(~held).tolist())


@of(where(group=True))
def test_groups_stay_together(task: str, kind: str) -> None:
    one = made(task, kind)
    held = one.task.hold_out(one.panel, one.plan.spec).series
    assert one.panel.groups is not None
    assert not set(one.panel.groups[held]) & set(np.delete(one.panel.groups, held))


@every_case
def test_a_series_is_answered_with_the_same_bits_alone_and_among_others_in_any_order(task: str, kind: str) -> None:
    one = made(task, kind)
    series = np.arange(len(one.panel))
    together, backwards = said_of_each(one, series), said_of_each(one, series[::-1])
    for s in series.tolist():
        alone = of_series(said_of_each(one, np.array([s])), s)
        assert np.array_equal(alone, of_series(together, s))
        assert np.array_equal(alone, of_series(backwards, s))


@every_case
def test_a_series_is_answered_with_the_same_bits_at_any_place_of_a_batch(task: str, kind: str) -> None:
    one = made(task, kind)
    lengths = one.panel.lengths
    s, longest = int(np.argmin(lengths)), int(np.argmax(lengths))
    alone = of_series(said_of_each(one, np.array([s])), s)
    for place in range(10 if s != longest else 0):
        company = np.full(10, longest)
        company[place] = s
        assert np.array_equal(of_series(said_of_each(one, company), s), alone)


@of(where(horizon=3))
def test_a_series_is_answered_with_the_same_bits_from_one_row_and_from_several(task: str, kind: str) -> None:
    one = made(task, kind)
    ends = one.panel.lengths[0] - np.arange(9, -1, -1)
    together = said_of_each(one, np.zeros(10, np.int64), ends)
    for end, (_, said) in zip(ends, together, strict=True):
        assert np.array_equal(said_of_each(one, np.array([0]), np.array([end]))[0][1], said)


@every_case
def test_the_loss_is_differentiable_as_finite_differences_say(task: str, kind: str) -> None:
    one = made(task, kind)
    seen, spec = on(exact(seen_by(one)[0])), one.plan.spec
    head = {name: weight.double().requires_grad_() for name, weight in head_weights(one.weights).items()}
    shape = (*seen.inputs.shape[:-1], one.plan.network.hidden)
    states = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    targets = torch.where(seen.targets.isnan(), torch.zeros_like(seen.targets), seen.targets)

    def losses(h: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        weights = dict(zip(head, values, strict=True))
        x = dense(one.task.enter(spec, weights, seen, torch), torch)
        said = one.task.head(spec, weights, one.task.read(spec, weights, h, seen, torch), seen.beside, torch)
        return (one.task.loss(spec, said, targets, torch), *([x] if x.requires_grad else []))

    assert torch.autograd.gradcheck(losses, (states, *head.values()), fast_mode=True)


@every_case
def test_where_nobody_knows_what_came_there_is_no_loss_and_no_gradient(task: str, kind: str) -> None:
    one = made(task, kind)
    seen = on(seen_by(one)[0])
    weights = {name: weight.clone().requires_grad_() for name, weight in one.weights.items()}
    said = forward(weights, one.plan, seen)
    known = one.task.loss(one.plan.spec, said, seen.targets, torch)
    hidden = seen.targets.clone()
    hidden[::2] = torch.nan
    loss = one.task.loss(one.plan.spec, said, hidden, torch)
    assert torch.equal(loss[1::2], known[1::2])
    assert not loss[::2].any()
    gradients = torch.autograd.grad(loss[::2].sum(), list(weights.values()), allow_unused=True, materialize_grads=True)
    assert not any(gradient.any() or gradient.isnan().any() for gradient in gradients)


@every_case
def test_the_head_begins_in_the_shapes_that_it_has(task: str, kind: str) -> None:
    one = made(task, kind)
    shapes = one.task.head_shapes(one.plan.spec, one.plan.network)
    start = initial_weights(one.plan, 3)
    own = {name.removeprefix(HEAD): weight for name, weight in start.items() if name.startswith(HEAD)}
    assert {name: tuple(weight.shape) for name, weight in own.items()} == shapes
    assert all(weight.isfinite().all() for weight in own.values())
    again, other = initial_weights(one.plan, 3), initial_weights(one.plan, 4)
    assert all(torch.equal(start[name], again[name]) for name in start)
    assert any(not torch.equal(own[name], other[HEAD + name]) for name in own)


@every_case
def test_the_diagnosis_takes_it(task: str, kind: str) -> None:
    one = made(task, kind)
    flow = Probe(one.panel, one.plan, one.weights, trained=False).flow(2, 2)
    assert {tensor.tensor for tensor in flow.tensors} == set(one.weights)
    assert np.isfinite(flow.losses).all()
    for layer in flow.layers:
        assert np.isfinite(layer.norms["state"]).all()
        assert (layer.norms["state"] > 0).any()


@every_case
def test_the_series_is_named_whose_gradient_is_no_number(task: str, kind: str) -> None:
    one = made(task, kind)
    phase = Phase(SEARCH)
    finite = origin_of(one.panel, one.plan, "cpu", phase, one.weights, 1)
    assert finite is not None
    assert finite[0] in one.panel.ids
    assert np.isfinite(finite[2].norm)
    broken = {name: weight * (torch.nan if name.startswith("layer0") else 1) for name, weight in one.weights.items()}
    found = origin_of(one.panel, one.plan, "cpu", phase, broken, 1)
    assert found is not None
    assert (found[0] in one.panel.ids, found[2].layer, found[2].norm) == (True, 0, np.inf)


@of(where(activation="relu"))
def test_a_gradient_that_halves_with_every_step_is_seen_to_do_so(task: str, kind: str) -> None:
    """Of h_t = h_(t-1) / 2 + 1, read at the last step, the gradient is 2^-k at lag k."""
    one = made(task, kind)
    weights = one.weights | {
        "layer0.weight_ih": torch.zeros_like(one.weights["layer0.weight_ih"]),
        "layer0.weight_hh": torch.eye(one.plan.network.hidden) / 2,
        "layer0.bias": torch.ones_like(one.weights["layer0.bias"]),
    }
    (layer,) = Probe(one.panel, one.plan, weights, trained=False).flow(2, 2).layers
    norms = layer.norms["state"]
    assert len(norms) >= 5
    assert (norms[0] > 0).all()
    np.testing.assert_allclose(norms, norms[0] * 0.5 ** np.arange(len(norms))[:, None], rtol=1e-9)
