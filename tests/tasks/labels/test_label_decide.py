"""Which pooling answers, and how sure it may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.spec import NetworkSpec
from rnncli.tasks.labels import plan
from rnncli.tasks.labels.decide import Decided, decided, scores, settled_spec, tempered
from rnncli.tasks.labels.labeler import Labeler
from rnncli.tasks.labels.spec import LabelSpec
from rnncli.tasks.labels.task import TASK
from rnncli.tasks.labels.validation import Holdout, Validated
from rnncli.tasks.plan import Plan, Trained
from rnncli.training.objective import predict
from rnncli.training.session import initial_weights

Make, Specs = Callable[..., Panel], Callable[..., LabelSpec]
TWO = ("last", "mean")


def trained(spec: LabelSpec, said: Any, labels: Any) -> Trained[LabelSpec]:
    """A training of two classes whose poolings say [N, poolings] of the true one that it is so likely."""
    truth, given = np.asarray(labels), np.asarray(said, np.float64)
    of_class = np.where(np.nan_to_num(truth)[:, None, None] == np.arange(2), given[..., None], 1 - given[..., None])
    found = Validated(Holdout(np.arange(len(truth))), of_class, truth, np.arange(len(truth)))
    network = NetworkSpec("gru", "tanh", 1, 4, 0.0, residual=True, init="orthogonal", inputs=1)
    return Trained(Plan(TASK, network, spec, None), {}, found, (1,))  # type: ignore[arg-type]


def test_a_pooling_that_is_better_by_more_than_its_doubt_answers(spec_of: Specs) -> None:
    spec, labels = spec_of(classes=2, poolings=TWO), np.arange(40.0) % 2
    assert decided(trained(spec, [[0.6, 0.9]] * 40, labels)).pooling == 1
    assert decided(trained(spec, [[0.9, 0.6]] * 40, labels)).pooling == 0


def test_a_pooling_that_may_be_better_by_chance_does_not_answer(spec_of: Specs) -> None:
    spec, labels = spec_of(classes=2, poolings=TWO), np.arange(40.0) % 2
    lucky = [[0.6, 0.9], [0.9, 0.61]] * 20
    assert decided(trained(spec, lucky, labels)).pooling == 0


def test_labels_that_nobody_knows_decide_nothing(spec_of: Specs) -> None:
    spec = spec_of(classes=2, poolings=TWO)
    labels = np.where(np.arange(40) < 30, np.nan, np.arange(40.0) % 2)
    said = [[0.1, 0.9]] * 30 + [[0.9, 0.6]] * 10
    assert decided(trained(spec, said, labels)).pooling == 0


def test_without_held_out_sequences_the_first_pooling_answers_as_it_is(spec_of: Specs) -> None:
    spec = spec_of(classes=2, poolings=TWO)
    assert decided(Trained(Plan(TASK, None, spec, None), {}, None, ())) == Decided(0, 1.0)  # type: ignore[arg-type]
    assert settled_spec(spec, Decided(1)).poolings == ("mean",)


def test_one_who_is_too_sure_is_cooled_down(spec_of: Specs) -> None:
    spec, labels = spec_of(classes=2), np.arange(100.0) % 2
    right_in_seven_of_ten = np.where(np.arange(100)[:, None] % 10 < 7, 0.9, 0.1)
    found = decided(trained(spec, right_in_seven_of_ten, labels))
    assert found.temperature == pytest.approx(np.log(0.9 / 0.1) / np.log(0.7 / 0.3), rel=1e-6)
    assert tempered(np.array([0.9, 0.1]), found.temperature) == pytest.approx([0.7, 0.3])


@pytest.mark.parametrize("temperature", [0.25, 1.0, 2.0, 4.0])
def test_a_temperature_changes_how_sure_an_answer_is_and_not_which_it_is(temperature: float) -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(5), 50)
    p[0] = [1, 0, 0, 0, 0]
    found = tempered(p, temperature)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert np.array_equal(found.argmax(axis=1), p.argmax(axis=1))
    np.testing.assert_allclose(found[1:], p[1:] ** (1 / temperature) / (p[1:] ** (1 / temperature)).sum(1)[:, None])


def test_the_record_tells_the_network_beside_what_is_simpler(labelled: Make, spec_of: Specs) -> None:
    labels = np.arange(40.0) % 2
    panel = labelled([np.random.default_rng(s).normal(size=5) for s in range(80)], [*labels, *labels])
    found = trained(spec_of(classes=2), [[0.9]] * 40, labels)
    record = scores(panel, found, decided(found))
    assert record["validated_origins"] == 40
    assert record["validation"]["network"]["accuracy"] == 1
    assert {"network", "majority"} < set(record["validation"])
    assert record["comparisons"]["network"]["better"]


def test_a_labeler_says_what_its_members_say_in_torch(labelled: Make) -> None:
    rng = np.random.default_rng(0)
    panel = labelled([rng.normal(size=(length, 2)) for length in (3, 9, 5, 1, 7)], [0, 1, 2, 0, 1], classes=3)
    spec = settled_spec(plan.label_spec(panel, {}), Decided())
    network = plan.network_spec(panel, spec, plan.Sizes(hidden=6, members=2))
    training = plan.training_spec(panel, spec, network, plan.Sizes())
    planned = Plan(TASK, network, spec, training)
    members = [initial_weights(planned, seed) for seed in range(2)]
    weights = {name: np.stack([member[name].numpy() for member in members]) for name in members[0]}
    model = Labeler(network, spec, training, None, weights, panel.ids, {}, 2.0)  # type: ignore[arg-type]
    seen = list(TASK.lesson(panel, spec, panel.lengths).at(np.arange(5), panel.lengths))
    theirs = np.mean([predict(member, planned, seen)[:, 0] for member in members], axis=0)
    np.testing.assert_allclose(model.said(panel), tempered(theirs, 2.0), rtol=1e-5, atol=1e-6)
