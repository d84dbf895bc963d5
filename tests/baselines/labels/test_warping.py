"""Dynamic time warping: equal to its definition, to laws, and on sequences that are stretched it must win."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnncli.baselines.labels.nearest import MOST, dtw
from rnncli.baselines.labels.sequences import Sequences
from rnncli.baselines.labels.warping import cells, common_scale, nearest, own_scale
from rnncli.baselines.labels.warping import dtw as distance
from rnncli.metrics.labels import accuracy, log_loss


def flat(parts: list[np.ndarray], categories: tuple[int, ...] | None = None) -> Sequences:
    """Sequences of [rows, channels] each."""
    offsets = np.cumsum([0, *map(len, parts)])
    return Sequences(np.concatenate(parts), offsets, categories or (0,) * parts[0].shape[1])


def by_definition(x: np.ndarray, y: np.ndarray, band: float = 0.1) -> float:
    """A table filled cell by cell."""
    width = max(math.ceil(band * max(len(x), len(y))), abs(len(x) - len(y)))
    total = np.full((len(x) + 1, len(y) + 1), np.inf)
    total[0, 0] = 0
    for i in range(len(x)):
        for j in range(len(y)):
            if abs(i - j) <= width:
                step = min(total[i, j], total[i, j + 1], total[i + 1, j])
                total[i + 1, j + 1] = ((x[i] - y[j]) ** 2).sum() + step
    return math.sqrt(total[-1, -1])


def pairs(count: int = 150) -> list[tuple[np.ndarray, np.ndarray, float]]:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 15, (count, 3)) % [15, 15, 4] + 1
    return [
        (rng.normal(size=(n, c)), rng.normal(size=(m, c)), float(rng.choice([0.0, 0.1, 0.3, 1.0]))) for n, m, c in sizes
    ]


def test_the_distance_is_that_of_its_definition() -> None:
    for x, y, band in pairs():
        assert distance(x, y, band) == pytest.approx(by_definition(x, y, band), rel=1e-12)


def test_a_hand_worked_case() -> None:
    x, y = np.array([0.0, 1, 2, 2])[:, None], np.array([0.0, 0, 1, 3])[:, None]
    assert distance(x, y, 1.0) == pytest.approx(math.sqrt(1 + 1))  # both twos meet the three
    assert distance(x, y, 0.0) == pytest.approx(math.sqrt(0 + 1 + 1 + 1))


def test_a_sequence_is_no_distance_from_itself_and_distances_are_the_same_both_ways() -> None:
    for x, y, band in pairs(40):
        assert distance(x, x, band) == 0
        assert distance(x, y, band) == pytest.approx(distance(y, x, band), rel=1e-12)


def test_warping_never_lengthens_the_euclidean_distance_and_a_wider_band_shortens_it() -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        x, y = rng.normal(size=(2, 20, 2))
        found = [distance(x, y, band) for band in (0.0, 0.1, 0.5, 1.0)]
        assert found[0] == pytest.approx(float(np.linalg.norm(x - y)))
        assert found == sorted(found, reverse=True)


def test_two_categories_that_differ_are_one_apart() -> None:
    def coded(*parts: list[float]) -> Sequences:
        return flat([np.array(part)[:, None] for part in parts], (5,))

    assert nearest(coded([0, 3, 1]), coded([2, 2, 2], [0, 4, 1])).tolist() == [1]
    assert nearest(coded([0, 3, 1]), coded([0, 2, 2], [4, 2, 2])).tolist() == [0]


@pytest.mark.parametrize("longest", [12, 90])
def test_the_nearest_is_the_nearest_of_all(longest: int) -> None:
    rng = np.random.default_rng(2)
    parts = [rng.normal(size=(n, 2)).cumsum(axis=0) for n in rng.integers(0, longest, 40)]
    asked, among = parts[:15], parts[15:]
    every = [[by_definition(x, y) if len(x) and len(y) else np.inf for y in among] for x in asked]
    expected = [int(np.argmin(row)) if np.isfinite(row).any() else -1 for row in every]
    assert nearest(flat(asked), flat(among)).tolist() == expected


def test_of_equally_near_ones_the_first_counts_and_itself_does_not() -> None:
    same = flat([np.arange(6.0)[:, None]] * 4)
    assert nearest(same, same).tolist() == [0, 0, 0, 0]
    assert nearest(same, same, itself=np.arange(4)).tolist() == [1, 0, 0, 0]


def test_the_work_is_known_before_it_is_done() -> None:
    rng = np.random.default_rng(3)
    short, long = (flat([rng.normal(size=(n, 1)) for _ in range(5)]) for n in (40, 400))
    assert cells(short, short) == 25 * 80 * 5  # anti-diagonals of a band of four steps to either side
    assert 50 * cells(short, short) < cells(long, long) < 100 * cells(short, short)


def test_more_than_a_bound_of_work_is_left_out_and_said() -> None:
    few, many = (Sequences(np.zeros((n * 1_000, 1)), np.arange(n + 1) * 1_000, (0,)) for n in (3, 200))
    assert dtw.too_much(few, few) == ""
    assert f"{MOST:,}" in dtw.too_much(many, many)


# Scales and missing steps


def test_missing_steps_are_left_out_and_other_missing_numbers_are_the_mean() -> None:
    given = flat([np.array([[1.0, 5], [np.nan, np.nan], [3, np.nan], [5, 9]])])
    found = own_scale(given)
    np.testing.assert_array_equal(found.offsets, [0, 3])
    np.testing.assert_allclose(found.values, np.array([[-2.0, -2], [0, 0], [2, 2]]) / [[math.sqrt(8 / 3), 2]])


def test_a_channel_that_does_not_move_is_no_distance() -> None:
    constant, empty = flat([np.full((4, 2), 0.1)]), flat([np.array([[1.0, np.nan]] * 3)])
    assert not own_scale(constant).values.any()
    assert not common_scale(constant, constant).values.any()
    assert not own_scale(empty).values.any()


def test_on_the_common_scale_levels_count_and_on_its_own_they_do_not() -> None:
    low, high = np.arange(5.0)[:, None], np.arange(5.0)[:, None] + 10
    both = flat([low, high])
    np.testing.assert_allclose(own_scale(both).values[:5], own_scale(both).values[5:])
    assert common_scale(both, both).values[:5].max() < common_scale(both, both).values[5:].min()


# As a baseline


def jittered(seed: int, count: int) -> tuple[Sequences, np.ndarray]:
    """Narrow pulses, each a little early or late; how many there are tells the class, where they are does not."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    at = np.array([12, 25, 38]) + rng.uniform(-2.5, 2.5, (count, 3))
    pulses = np.exp(-0.5 * ((np.arange(50) - at[:, :, None]) / 0.6) ** 2)
    there = np.where(labels[:, None], [1, 0, 1], [1, 1, 1])
    values = (there[:, :, None] * pulses).sum(axis=1) + rng.normal(0, 0.05, (count, 50))
    return flat(list(values[:, :, None])), labels


def test_of_shapes_that_come_early_or_late_warping_is_right_where_the_euclidean_distance_is_not() -> None:
    (trained, truth), (asked, labels) = jittered(4, 8), jittered(5, 60)
    ours, theirs = (own_scale(one).values.reshape(-1, 50) for one in (asked, trained))
    euclidean = truth[((ours[:, None] - theirs) ** 2).sum(axis=-1).argmin(axis=1)]
    assert accuracy(labels, dtw.of(trained, truth, 2, asked)) == 1
    assert (euclidean == labels).mean() < 0.9


def test_levels_decide_where_training_shows_that_they_do() -> None:
    rng = np.random.default_rng(6)
    labels = np.arange(30) % 2
    data = flat([rng.normal(size=(20, 1)) + 8 * label for label in labels])
    assert accuracy(labels, dtw.of(data, labels, 2, flat([part + 0.1 for part in np.split(data.values, 30)]))) == 1


def test_the_nearest_class_is_said_even_where_training_shows_that_it_is_mostly_wrong() -> None:
    data, labels = flat([np.sin(np.arange(20.0) * k)[:, None] for k in (1, 1.01, 3, 3.01)]), np.array([0, 1, 1, 0])
    assert dtw.of(data, labels, 2, data).argmax(axis=1).tolist() == labels.tolist()


def test_probabilities_add_up_and_no_class_of_training_is_impossible() -> None:
    rng = np.random.default_rng(7)
    data, labels = flat([rng.normal(size=(10, 1)) for _ in range(30)]), np.arange(30) % 3
    made = dtw.of(data, labels, 3, data)
    np.testing.assert_allclose(made.sum(axis=1), 1)
    assert made.min() > 0
    assert log_loss(labels[::-1], made) < 3


def test_what_cannot_be_compared_gets_the_shares_of_training() -> None:
    data, labels = flat([np.arange(5.0)[:, None]] * 4), np.array([0, 0, 0, 1])
    asked = flat([np.full((3, 1), np.nan), np.zeros((0, 1)), np.arange(5.0)[:, None]])
    np.testing.assert_allclose(dtw.of(data, labels, 2, asked)[:2], [[0.75, 0.25]] * 2)


def test_sequences_without_a_label_are_nobodys_neighbour() -> None:
    parts = [np.sin(np.arange(20.0) / k)[:, None] for k in (1, 2, 3)]
    made = dtw.of(flat([*parts, parts[0]]), np.array([-1, 0, 1, 1]), 2, flat([parts[0]]))
    assert made.argmax(axis=1).tolist() == [1]
