"""Remedies do not lead from one finding into another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import rnncli
from rnncli.diagnostics.checks.context import context_long, context_short
from rnncli.diagnostics.evidence import Evidence
from rnncli.diagnostics.remedies.context import context
from rnncli.events import unheard
from rnncli.spec import ColumnChoices
from rnncli.tasks.forecast.reading import load_new
from rnncli.workflows.train import make_plan


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


@pytest.mark.parametrize("rows", [300, 500, 1_000])
@pytest.mark.parametrize("seasons", [(24,), (24, 168)])
def test_the_context_that_is_planned_by_default_is_not_too_short(
    idle: Evidence, rows: int, seasons: tuple[int, ...]
) -> None:
    hours = np.datetime64("2021-01-01T00:00:00") + np.arange(rows) * np.timedelta64(3600, "s")
    load = 100 + sum(np.sin(2 * np.pi * np.arange(rows) / season) for season in seasons)
    loaded = load_new(pa.table({"time": pa.array(hours), "load": load}), ColumnChoices(), {"season": seasons}, unheard)
    planned = make_plan(loaded, {}).spec
    assert planned.seasons == seasons
    fresh = replace(idle.subject, context=planned.steps, lags_that_matter=planned.seasons, rows=rows)
    assert not tuple(context_short(replace(idle, subject=fresh)))
