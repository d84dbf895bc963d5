"""Whether the data still look as they did in training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncli.data.panel import Panel
from rnncli.data.statistics import Drift, drift
from rnncli.data.targets import of_each_target
from rnncli.events import Listener, Noted
from rnncli.tasks.forecast.forecaster import Forecaster


def drift_of(panel: Panel, forecaster: Forecaster) -> Drift | None:
    """The drift of every column and group of series; None for a model that has no statistics of its training."""
    if forecaster.statistics is None:
        return None
    panel = panel.cut(forecaster.ends(panel))  # rows that wait for their target say nothing yet
    targets = of_each_target(panel, forecaster.columns)
    groups = _groups(panel, forecaster)
    return drift(forecaster.statistics, panel, forecaster.cutoffs, groups, targets, forecaster.places)


def tell_drift(found: Drift | None, tell: Listener) -> None:
    """A line for each column that has drifted; the others are details."""
    if found is None:
        return
    for column in found.columns:
        if column.has_drifted or found.new_rows:
            tell(Noted(f"drift: {column}", detail=not column.has_drifted))


def _groups(panel: Panel, forecaster: Forecaster) -> dict[str, NDArray[np.bool_]]:
    """The series of each category of each static column."""
    groups = {}
    for name in forecaster.columns.static:
        codes = panel.of(name)[panel.offsets[:-1]]
        for code, category in enumerate(forecaster.spec.categories.get(name, ())):
            groups[f"{name}={category}"] = codes == code
    return groups
