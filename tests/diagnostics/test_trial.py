"""What is said of a remedy that was tried."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnncli.diagnostics.checks.unused import memory_unused
from rnncli.diagnostics.finding import NOTE, Finding
from rnncli.diagnostics.profile import LayerFlow
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


def test_a_network_that_cannot_be_judged_is_not_called_healthy() -> None:
    assert not trial(EVEN, "not enough data").healthy
    assert trial(EVEN / 2, "not enough data", trial(EVEN, "vanishing")).conclusion == REMAINS


def unused(before: str, after: str, gain: float) -> list[Finding]:
    """What is said of memory where a remedy changes one verdict into another and the loss by this share."""
    flow = LayerFlow(0, {"state": np.ones((30, 12))}, SERIES)
    first = replace(trial(EVEN, before), flows=(flow,))
    return list(memory_unused(first, [trial(EVEN * (1 - gain), after, first)]))


def test_memory_is_called_unused_where_a_gradient_that_reaches_back_lowers_no_loss() -> None:
    (found,) = unused("vanishing", "healthy", -0.02)
    assert (found.check, found.severity) == ("memory-unused", NOTE)
    assert "lag 29" in found.says
    assert len(unused("vanishing", "healthy", 0.005)) == 1


@pytest.mark.parametrize(
    ("before", "after", "gain"),
    [("vanishing", "healthy", 0.3), ("vanishing", "vanishing", -0.02), ("exploding", "healthy", -0.02)],
)
def test_nothing_is_said_of_memory_where_it_helps_or_was_not_mended(before: str, after: str, gain: float) -> None:
    assert not unused(before, after, gain)


def test_a_remedy_under_which_training_breaks_down_does_not_help() -> None:
    for before in (trial(EVEN, "vanishing"), trial(EVEN, "exploding", broke="step 3")):
        assert trial(EVEN / 2, "healthy", before, broke="step 5").conclusion == BREAKS


def test_without_rows_held_out_no_difference_is_seen() -> None:
    assert trial(np.zeros(0), "healthy", trial(np.zeros(0), "vanishing")).conclusion == SAME
