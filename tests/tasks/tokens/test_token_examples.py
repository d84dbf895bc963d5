"""Documents as questions, and which positions of them are held out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnncli.data.panel import Panel
from rnncli.tasks.documents import PIECE, WARM, groups, hold_out
from rnncli.tasks.tokens.examples import examples
from rnncli.tasks.tokens.spec import TokenSpec
from rnncli.tasks.tokens.validation import pieces
from rnncli.training.stretches import Stretches

Coded = Callable[..., Panel]
SPEC = TokenSpec(tokens=5, steps=4)


def test_every_position_sees_what_came_before_it_and_asks_for_what_comes(coded: Coded) -> None:
    lesson = examples(coded([[1, 2, 3], [4, 0]]), SPEC, np.array([3, 2]))
    (seen,) = lesson.at(np.array([0, 1]), np.array([3, 2]))
    assert seen.codes is not None
    assert seen.codes[..., 0].tolist() == [[5, 1, 2, 3], [5, 4, 0, 5]]
    asked = [seen.targets[seen.rows == row].tolist() for row in (0, 1)]
    assert asked[0][:3] == [1, 2, 3]
    assert asked[1][:2] == [4, 0]
    assert all(np.isnan(of[-1]) for of in asked)


def test_nothing_behind_the_end_is_asked_or_drawn(coded: Coded) -> None:
    lesson = examples(coded([[1, 2, 3, 4, 0, 1, 2], [4, 4, 4]]), SPEC, np.array([4, 0]))
    for seed in range(20):
        seen = lesson.drawn(np.random.default_rng(seed), 6)
        assert set(seen.series.tolist()) == {0}
        assert (seen.first_row + seen.lengths <= 4).all()
        assert seen.targets.tolist() == [float(code) for code in [1, 2, 3, 4] * 6]


def test_streams_learn_from_every_position_once_a_round(coded: Coded) -> None:
    panel = coded([list(range(5)) * 3, [1, 2], [3], list(range(4))])
    lesson = examples(panel, SPEC, panel.lengths)
    stretches = Stretches(lesson.ends, 4, 1, (0,))
    rounds = int((-(-panel.lengths // 4)).sum())
    met: list[tuple[int, int]] = []
    rng = np.random.default_rng(0)
    for step in range(1, rounds + 1):
        seen = lesson.stretch(rng, *stretches.at(step), 4)
        assert seen.fresh is not None
        assert seen.fresh.tolist() == (seen.first_row == 0).tolist()
        places = zip(seen.series[seen.rows], seen.first_row[seen.rows] + seen.origins, seen.targets, strict=True)
        for s, position, target in places:
            assert target == panel.series(int(s))[int(position), 0]
            met.append((int(s), int(position)))
    assert sorted(met) == [(s, p) for s, length in enumerate(panel.lengths.tolist()) for p in range(length)]


def test_a_kind_of_token_is_forgotten_throughout_a_stretch(coded: Coded) -> None:
    rng = np.random.default_rng(1)
    panel = coded(rng.integers(0, 40, (30, 50)).tolist(), kinds=40)
    spec = TokenSpec(tokens=40, steps=50, forgotten=0.3)
    lesson = examples(panel, spec, panel.lengths)
    seen = lesson.stretch(rng, np.arange(30), np.zeros(30, np.int64), 50)
    plain = lesson.seen(np.arange(30), np.zeros(30, np.int64), np.full(30, 50))
    assert seen.codes is not None
    assert plain.codes is not None
    gone = seen.codes[..., 0] < 0
    assert 0.2 < gone.mean() < 0.4
    for row in range(30):
        forgotten = set(plain.codes[row, gone[row], 0].tolist())
        assert not forgotten & set(plain.codes[row, ~gone[row], 0].tolist())
    assert np.array_equal(seen.targets, plain.targets)


def test_the_last_tenth_of_one_document_is_held_out_in_pieces(coded: Coded) -> None:
    panel = coded([np.random.default_rng(2).integers(0, 5, 4_000).tolist()])
    held = hold_out(panel)
    assert held.ends(panel.lengths).tolist() == [3_600]
    assert np.array_equal(np.concatenate([[3_600], held.stop]), np.concatenate([held.first, [4_000]]))
    assert (held.stop - held.first).max() == PIECE
    lesson = pieces(panel, SPEC, held)
    seen = list(lesson.at(held.series, held.stop))
    assert np.array_equal(np.concatenate([one.targets for one in seen]), panel.targets[3_600:])
    assert min(int(one.first_row.min()) for one in seen) == 3_600 - WARM
    assert (len(held), len(held.some(PIECE)), len(held.some(400))) == (400, PIECE, 400)


def test_of_many_documents_whole_ones_are_held_out(coded: Coded) -> None:
    rng = np.random.default_rng(3)
    panel = coded([rng.integers(0, 5, int(length)).tolist() for length in rng.integers(1, 60, 200)])
    held = hold_out(panel)
    ends = held.ends(panel.lengths)
    assert set(ends[ends != panel.lengths].tolist()) == {0}
    share = panel.lengths[ends == 0].sum() / panel.lengths.sum()
    assert 0.1 <= share < 0.12


@pytest.mark.parametrize("outputs", [2, 1 << 20])
def test_what_is_answered_together_is_small(outputs: int) -> None:
    steps = np.random.default_rng(4).integers(1, 300, 5_000)
    found = list(groups(steps, outputs))
    assert [at.stop for at in found[:-1]] == [at.start for at in found[1:]]
    assert (found[0].start, found[-1].stop) == (0, 5_000)
    for at in found:
        part = steps[at]
        assert len(part) == 1 or len(part) * int(part.max()) * outputs <= 1 << 24
