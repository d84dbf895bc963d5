"""Remedies do not lead from one finding into another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rnncli
from rnncli.diagnostics.checks.context import context_long, context_short
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.remedies.context import context


@pytest.fixture(scope="module")
def idle(sample_data: Path) -> Evidence:
    """Monthly series, season 12, and a network of context 48 whose loss is the same with the last step alone."""
    small = {"hidden": 4, "horizon": 6, "threads": 1, "quick": True, "series": 4}
    found = rnncli.inspect_gradients(sample_data / "us_employment.csv", **small).report.evidence
    same = replace(found.memory, losses=np.ones_like(found.memory.losses))
    return replace(found, memory=same, subject=replace(found.subject, trained=True, context=48))


def test_a_context_that_is_not_used_is_cut_to_what_the_season_needs_and_no_further(idle: Evidence) -> None:
    (proposal,) = context(idle, tuple(context_long(idle)))
    assert idle.memory.used == 1
    assert proposal.options == {"context": 24}
    cut = replace(idle, subject=replace(idle.subject, context=24))
    assert not tuple(context_short(cut))


def test_a_context_as_short_as_the_season_allows_is_left_alone(idle: Evidence) -> None:
    fitting = replace(idle, subject=replace(idle.subject, context=24))
    assert tuple(context_long(fitting))
    assert not tuple(context(fitting, tuple(context_long(fitting))))


def test_a_context_shorter_than_the_season_is_made_to_hold_it(idle: Evidence) -> None:
    short = replace(idle, subject=replace(idle.subject, context=6))
    (proposal,) = context(short, tuple(context_short(short)))
    assert proposal.options == {"context": 24}
