"""What is said of a remedy that was tried."""

from __future__ import annotations

import numpy as np
import pytest

from rnncli.diagnostics.trial import BREAKS, HELPS, HURTS, REMAINS, SAME, Trial
from rnncli.diagnostics.verdict import Verdict

SERIES = np.arange(12)
EVEN = np.linspace(0.9, 1.1, 12)


def trial(losses: np.ndarray, verdict: str, against: Trial | None = None, broke: str = "") -> Trial:
    return Trial(None, 60, losses, SERIES, (), (Verdict(verdict, ""),), (), broke, against)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (trial(EVEN, "vanishing"), (EVEN / 2, "healthy"), HELPS),
        (trial(EVEN, "vanishing"), (EVEN / 2, "vanishing"), REMAINS),
        (trial(EVEN, "vanishing"), (EVEN * 2, "healthy"), HURTS),
        (trial(EVEN, "healthy"), (EVEN[::-1], "healthy"), SAME),
        (trial(EVEN, "exploding", broke="step 3"), (EVEN, "healthy"), HELPS),
        (trial(EVEN, "exploding", broke="step 3"), (EVEN, "vanishing"), REMAINS),
    ],
)
def test_a_remedy_helps_where_the_loss_falls_and_no_verdict_is_bad_after_it(
    before: Trial, after: tuple[np.ndarray, str], said: str
) -> None:
    assert trial(*after, against=before).conclusion == said


def test_a_remedy_under_which_training_breaks_down_does_not_help() -> None:
    for before in (trial(EVEN, "vanishing"), trial(EVEN, "exploding", broke="step 3")):
        assert trial(EVEN / 2, "healthy", before, broke="step 5").conclusion == BREAKS


def test_without_rows_held_out_no_difference_is_seen() -> None:
    assert trial(np.zeros(0), "healthy", trial(np.zeros(0), "vanishing")).conclusion == SAME
