"""Which sequences are held out, and how wrong what is said of them is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnncli.arrays import Floats
from rnncli.data.panel import Panel
from rnncli.tasks.labels.examples import Examples
from rnncli.tasks.labels.spec import LabelSpec
from rnncli.tasks.labels.task import TASK
from rnncli.tasks.labels.validation import Holdout, Validated, hold_out, validated

Make, Specs = Callable[..., Panel], Callable[..., LabelSpec]


def with_labels(labelled: Make, labels: list[float], groups: list[int] | None = None) -> Panel:
    return labelled([[1.0, 2.0]] * len(labels), labels, classes=3, groups=groups)


@pytest.mark.parametrize("counts", [(50, 20, 5), (5, 2, 1), (4, 1, 1), (100, 1, 0), (2, 2, 2)])
def test_of_every_class_about_a_fifth_is_held_out_and_never_the_last_one(
    counts: tuple[int, ...], labelled: Make, spec_of: Specs
) -> None:
    labels = [float(code) for code, count in enumerate(counts) for _ in range(count)]
    held = hold_out(with_labels(labelled, labels), spec_of()).series
    found = np.bincount(np.array(labels, np.int64)[held], minlength=3)
    for count, spared in zip(counts, found.tolist(), strict=True):
        assert spared < count or count == 0
        assert (spared > 0) == (count > 1)
        assert abs(spared - count / 5) <= 1


def test_sequences_without_a_label_are_not_held_out(labelled: Make, spec_of: Specs) -> None:
    labels = [0.0, np.nan] * 10
    held = hold_out(with_labels(labelled, labels), spec_of()).series
    assert len(held)
    assert (held % 2 == 0).all()


def test_of_fewer_than_five_sequences_none_is_spared(labelled: Make, spec_of: Specs) -> None:
    assert not len(hold_out(with_labels(labelled, [0.0, 1, 2, 0, np.nan]), spec_of()))
    assert len(hold_out(with_labels(labelled, [0.0, 1, 2, 0, 0]), spec_of()))


def test_of_numbers_and_of_steps_a_fifth_is_held_out(labelled: Make, spec_of: Specs) -> None:
    panel = labelled([[1.0, 2.0]] * 40, np.arange(40.0), classes=0)
    assert len(hold_out(panel, spec_of(classes=0, levels=(0.5,)))) == 8
    assert len(hold_out(panel, spec_of(classes=0, levels=(0.5,), per_step=True))) == 8


def test_groups_are_held_out_whole_and_one_stays(labelled: Make, spec_of: Specs) -> None:
    groups = [0] * 10 + [1] * 4 + [2] * 4 + [3] * 2
    panel = with_labels(labelled, [0.0, 1.0] * 10, groups)
    held = hold_out(panel, spec_of()).series
    inside, outside = set(np.array(groups)[held]), set(np.delete(groups, held))
    assert inside
    assert outside
    assert not inside & outside
    only = with_labels(labelled, [0.0, 1.0] * 10, [0] * 20)
    assert not len(hold_out(only, spec_of()))


def test_what_is_held_out_is_the_same_each_time(labelled: Make, spec_of: Specs) -> None:
    panel = with_labels(labelled, [0.0, 1.0] * 20)
    assert np.array_equal(hold_out(panel, spec_of()).series, hold_out(panel, spec_of()).series)


def test_some_of_many_are_spread_evenly() -> None:
    holdout = Holdout(np.arange(0, 200, 2))
    some = holdout.some(5).series
    assert (len(some), some[0], some[-1]) == (5, 0, 198)
    assert np.ptp(np.diff(some)) <= 2
    assert len(holdout.some(1_000)) == 100
    assert not len(Holdout(np.zeros(0, np.int64)).some(5))


@pytest.mark.parametrize("per_step", [False, True])
def test_labels_stand_in_the_order_in_which_they_are_asked_for(per_step: bool, labelled: Make, spec_of: Specs) -> None:
    lengths = [3, 7, 1, 4, 6, 2]
    labels = [np.arange(10.0 * s, 10 * s + length) if per_step else 10.0 * s for s, length in enumerate(lengths)]
    panel = labelled([np.zeros(length) for length in lengths], labels, classes=0)
    spec = spec_of(classes=0, levels=(0.5,), per_step=per_step, center=5.0, scale=2.0)
    asking = TASK.held_out(panel, spec, Holdout(np.array([1, 4, 5])))
    came = np.concatenate([seen.targets for seen in asking.seen()])
    np.testing.assert_allclose(5 + 2 * came, asking.answers.labels)
    series = np.concatenate([seen.series[seen.rows] for seen in asking.seen()])
    assert np.array_equal(series, asking.answers.sequence)


def said(spec: LabelSpec, answers: Floats, labels: Floats) -> Validated:
    return Validated(Holdout(np.arange(len(labels))), answers, labels, np.arange(len(labels)))


def test_the_loss_of_an_answer_is_the_logarithm_of_what_was_given_to_the_truth(spec_of: Specs) -> None:
    spec = spec_of(poolings=("last", "mean"))
    answers = np.array([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], [[0.2, 0.2, 0.6], [1.0, 0.0, 0.0]]])
    found = said(spec, answers, np.array([1.0, np.nan])).losses(spec)
    np.testing.assert_allclose(found[0], -np.log([0.25, 0.8]))
    assert np.isnan(found[1]).all()


def test_the_loss_of_a_number_is_in_units_of_its_scale(spec_of: Specs) -> None:
    spec = spec_of(classes=0, levels=(0.1, 0.5, 0.9), scale=4.0)
    found = said(spec, np.array([[[1.0, 4.0, 6.0]]]), np.array([3.0])).losses(spec)
    np.testing.assert_allclose(found, [[2 * (0.1 * 2 + 0.5 * 1 + 0.1 * 3) / 3 / 4]])


def test_weights_are_judged_by_their_better_pooling(spec_of: Specs) -> None:
    spec = spec_of(poolings=("last", "mean"))
    answers = np.array([[[0.5, 0.5, 0.0], [0.1, 0.9, 0.0]]] * 2)
    found = TASK.losses(spec, said(spec, answers, np.array([1.0, np.nan])))
    np.testing.assert_allclose(found, [-np.log(0.9), np.nan])


def test_a_batch_has_every_labelled_sequence_once_before_any_comes_again(labelled: Make, spec_of: Specs) -> None:
    panel = with_labels(labelled, [0.0, 1.0, np.nan, 2.0, 0.0])
    lesson = Examples(panel, spec_of(), np.where(np.arange(5) == 4, 0, panel.lengths))
    drawn = lesson.drawn(np.random.default_rng(0), 7).series
    assert {*drawn[:3].tolist()} == {*drawn[3:6].tolist()} == {0, 1, 3}


def test_a_piece_of_a_long_sequence_begins_anywhere_in_it(labelled: Make, spec_of: Specs) -> None:
    panel = labelled([np.arange(40.0), np.arange(3.0)], [np.arange(40) % 2, [0, 1, 0]])
    lesson = Examples(panel, spec_of(classes=2, per_step=True, steps=8), panel.lengths)
    seen = lesson.drawn(np.random.default_rng(0), 400)
    long = seen.series == 0
    assert set(seen.first_row[long].tolist()) == set(range(33))
    assert set(seen.first_row[~long].tolist()) == {0}
    assert set(seen.lengths[long].tolist()) == {8}
    assert long.mean() > 0.85
    row = seen.first_row[seen.rows] + seen.origins
    assert np.array_equal(seen.targets, row % 2)


def test_nothing_is_said_before_it_is_said(labelled: Make, spec_of: Specs) -> None:
    panel = with_labels(labelled, [0.0, 1.0, 2.0])
    found = validated(panel, spec_of(poolings=("last", "mean")), Holdout(np.array([2, 0])))
    assert found.said.shape == (2, 2, 3)
    assert found.labels.tolist() == [2, 0]
    made = found.made(np.ones((2, 2, 3)))
    assert (made.said.sum(), made.labels.tolist()) == (12, [2, 0])
    assert made.sequence.tolist() == [2, 0]
