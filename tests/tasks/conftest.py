from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rnncli.data.calendar import Calendar, Frequency
from rnncli.data.panel import Panel

Build = Callable[..., Panel]


@pytest.fixture(scope="session")
def build() -> Build:
    """A daily panel of the given series; more channels as columns."""

    def made(*series: object, seasons: tuple[int, ...] = (7,), channels: tuple[str, ...] = ("y",)) -> Panel:
        arrays = [np.asarray(values, np.float64).reshape(-1, len(channels)) for values in series]
        offsets = np.concatenate([[0], np.cumsum([len(values) for values in arrays])]).astype(np.int64)
        count = len(arrays)
        return Panel(
            ids=tuple(f"s{i}" for i in range(count)),
            offsets=offsets,
            values=np.concatenate(arrays),
            starts=np.full(count, 19_000, np.int64),
            phases=np.zeros(count, np.int64),
            calendar=Calendar(Frequency("day"), seasons),
            channels=channels,
        )

    return made


@pytest.fixture(scope="session")
def weekly_waves(build: Build) -> Panel:
    """Six positive series of a weekly wave with noise, of different lengths."""
    rng = np.random.default_rng(3)
    lengths = (60, 75, 90, 105, 120, 135)
    waves = [20 + 5 * np.sin(2 * np.pi * np.arange(n) / 7) + rng.normal(0, 1, n) for n in lengths]
    return build(*waves)
