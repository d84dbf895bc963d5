"""The rows that the network and all it is averaged with see of a panel."""

from __future__ import annotations

from rnncli.data.panel import Panel
from rnncli.data.wall import laid
from rnncli.tasks.forecast.spec import ForecastSpec


def rows_seen(panel: Panel, spec: ForecastSpec) -> Panel:
    """The panel, on the wall clock's grid where the forecast is made there: what training learns from."""
    if not spec.wall:
        return panel
    found = laid(panel, panel.lengths)
    whole = (found.ends == found.panel.lengths).all()
    return found.panel if whole else found.panel.cut(found.ends)
