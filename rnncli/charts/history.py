"""How much of the past helps to read a forecast."""

from __future__ import annotations

FEWEST, HORIZONS, SEASONS, MOST_HORIZONS = 20, 3, 2, 12


def rows_that_help(horizon: int, seasons: tuple[int, ...]) -> int:
    """The rows of history beside which a forecast can be read: three horizons, or two of the longest season where that
    is no more than twelve horizons; 20 at least.
    """
    return max(FEWEST, HORIZONS * horizon, min(SEASONS * max(seasons), MOST_HORIZONS * horizon))
