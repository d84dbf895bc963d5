"""Small panels for the tests of the evaluation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.channel import Channel
from rnncli.data.panel import Panel


def _panel(series: dict[str, list[float]], start: int = 0, unit: str = "step", phase: int = 0) -> Panel:
    return Panel(
        ids=tuple(series),
        offsets=np.cumsum([0, *map(len, series.values())]),
        values=np.array([value for values in series.values() for value in values], dtype=float)[:, None],
        starts=np.full(len(series), start),
        phases=np.full(len(series), phase),
        calendar=Calendar(Frequency(unit), (1,)),
        channels=(Channel("y", "number", "target"),),
    )


@pytest.fixture(scope="session")
def panel() -> Callable[..., Panel]:
    """Builds a panel of series by id, all starting at one ordinal."""
    return _panel
