"""Sequences are learnt from a little different each time: what changes, by how much, and what stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.tasks.labels.augment import FORGOTTEN, _along_channels, _warped, augmented
from rnncli.tasks.labels.spec import Input, LabelSpec

Specs = Callable[..., LabelSpec]
MANY, STEPS = 200, 30
INPUTS = (Input("x", gaps=True), Input("c", categories=2), Input("word", categories=99))


def sequences() -> tuple[Floats, Ints, Ints]:
    """Numbers [n, T, 4] of which the first is the step, the flag and categories tell even from odd steps; codes that
    are the step too; lengths.
    """
    lengths = np.random.default_rng(0).integers(1, STEPS + 1, MANY)
    t = np.arange(STEPS)
    real = (t < lengths[:, None])[..., None]
    numbers = np.stack([t, t % 2, t % 2 == 0, t % 2 == 1], axis=-1).astype(np.float64) * real
    return numbers, np.where(real, t[None, :, None], -2), lengths


def test_a_pace_that_does_not_change_leaves_every_bit_as_it_was(spec_of: Specs) -> None:
    numbers, codes, lengths = sequences()
    found = _warped(numbers, codes, lengths, spec_of(inputs=INPUTS, warped=1e-12), np.random.default_rng(0))
    real = np.arange(STEPS) < lengths[:, None]
    assert np.array_equal(found[0][real], numbers[real])
    assert np.array_equal(found[1][real], codes[real])


def test_time_runs_forward_within_the_sequence_and_all_channels_keep_together(spec_of: Specs) -> None:
    numbers, codes, lengths = sequences()
    warped, words = _warped(numbers, codes, lengths, spec_of(inputs=INPUTS, warped=1.0), np.random.default_rng(0))
    changed = 0
    for n, length in enumerate(lengths.tolist()):
        g = warped[n, :length, 0]  # the first channel is the time: what is seen of it is where it was read
        assert ((g >= 0) & (g <= length - 1)).all()
        assert (np.diff(g) >= 0).all()
        nearest = np.rint(g).astype(np.int64)
        assert np.array_equal(words[n, :length, 0], nearest)
        assert np.array_equal(warped[n, :length, 1:], numbers[n, nearest, 1:])
        changed += not np.array_equal(g, numbers[n, :length, 0])
    assert changed > 0.8 * MANY


def test_about_the_share_that_was_said_is_warped(spec_of: Specs) -> None:
    numbers, codes, lengths = sequences()
    lengths = np.full_like(lengths, STEPS)
    numbers[..., 0] = np.arange(STEPS)
    warped, _ = _warped(numbers, codes, lengths, spec_of(inputs=INPUTS, warped=0.7), np.random.default_rng(0))
    share = np.mean([not np.array_equal(a, b) for a, b in zip(warped, numbers, strict=True)])
    assert 0.6 < share < 0.8


def test_numbers_get_a_factor_and_noise_and_flags_categories_and_padding_stay(spec_of: Specs) -> None:
    numbers, codes, lengths = sequences()
    found, _ = augmented(
        numbers, codes, lengths, spec_of(inputs=INPUTS, noise=0.3, blanked=0.1), np.random.default_rng(0)
    )
    real = np.arange(STEPS) < lengths[:, None]
    assert np.array_equal(found[..., 1:], numbers[..., 1:])
    assert not found[~real].any()
    there = real & (numbers[..., 0] != 0)
    assert (found[there, 0] != numbers[there, 0]).all()
    assert 0.03 < np.mean(found[there, 0] == 0) < 0.07
    long = lengths > 10
    ours = found[long, :, 0]
    theirs = np.where(ours != 0, numbers[long, :, 0], 0)
    factors = (ours * theirs).sum(axis=1) / (theirs * theirs).sum(axis=1)
    assert 0.05 < np.std(np.log(factors)) < 0.2


def test_some_words_are_forgotten_and_gaps_among_them_stay_gaps(spec_of: Specs) -> None:
    numbers, codes, lengths = sequences()
    _, found = augmented(numbers, codes, lengths, spec_of(inputs=INPUTS), np.random.default_rng(0))
    assert set(found[found != codes].tolist()) == {-1}
    assert (found[codes == -2] == -2).all()
    assert abs(np.mean(found[codes >= 0] == -1) - FORGOTTEN) < 0.03


def test_what_is_given_is_not_changed_in_its_place(spec_of: Specs) -> None:
    numbers, codes, lengths = sequences()
    copies = numbers.copy(), codes.copy()
    for warped in (0.0, 1.0):
        augmented(numbers, codes, lengths, spec_of(inputs=INPUTS, warped=warped), np.random.default_rng(0))
    assert np.array_equal(numbers, copies[0])
    assert np.array_equal(codes, copies[1])


def test_channels_on_a_line_are_moved_along_it_and_keep_their_order(spec_of: Specs) -> None:
    spec = spec_of(inputs=tuple(Input(f"x{place}") for place in range(9)), shifted=1.0)
    line = np.broadcast_to(np.arange(9.0), (50, 4, 9))
    moved = _along_channels(line, spec, np.random.default_rng(0))
    assert ((moved >= 0) & (moved <= 8)).all()
    assert (np.diff(moved, axis=2) >= 0).all()
    assert np.array_equal(moved, np.broadcast_to(moved[:, :1], moved.shape))
    assert (moved != line).any(axis=(1, 2)).all()
    still = spec_of(inputs=spec.inputs, shifted=1e-12)
    assert np.array_equal(_along_channels(line, still, np.random.default_rng(0)), line)
