"""How every workflow reads its data: new ones as they come, or as those of a model were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnncli.data.load import Known, Loaded, load_panel
from rnncli.errors import InputRefused, RnncliError, SeriesRefused
from rnncli.inference.forecaster import Forecaster
from rnncli.options.types import ColumnOptions
from rnncli.workflows import options as said
from rnncli.workflows.bounds import outside
from rnncli.workflows.events import Listener, Noted

NAMED = 5  # series in a message


def load_new(data: Any, options: ColumnOptions, tell: Listener) -> Loaded:
    """Data of which nothing is known; what is noticed is told."""
    return _told(load_panel(data, said.column_choices(options), seasons=said.seasons(options)), tell)


def load_known(data: Any, forecaster: Forecaster, options: ColumnOptions, tell: Listener, ahead: Any = None) -> Loaded:
    """The data, read as the model's were, and what is known `ahead` from a table of its own."""
    spec = forecaster.forecast
    known = Known(forecaster.columns, forecaster.calendar, spec.categories, waiting=spec.follows_target)
    return _told(load_panel(data, said.column_choices(options), known, ahead=ahead), tell)


def without(loaded: Loaded, refusals: Sequence[SeriesRefused], tell: Listener) -> Loaded:
    """All other series. The first refusal if there are none."""
    bad = {error.series for error in refusals}
    good = [place for place, name in enumerate(loaded.panel.ids) if name not in bad]
    if not good:
        raise refusals[0]
    tell_skipped(refusals, tell)
    panel = loaded.panel.select(np.array(good, np.int64))
    return replace(loaded, panel=panel, skipped=(*loaded.skipped, *refusals))


def without_bad(
    loaded: Loaded, bad: list[SeriesRefused], kind: type[RnncliError], tell: Listener, *, skip: bool
) -> Loaded:
    """The other series, if that was asked for; else an error of this kind about all of them."""
    if not bad:
        return loaded
    if skip and len(bad) < len(loaded.panel):
        return without(loaded, bad, tell)
    others = f" (and {len(bad) - 1:,} more series)" if len(bad) > 1 else ""
    raise kind(bad[0].message + others, where=bad[0].where, hint=bad[0].hint)


def within_bounds(
    loaded: Loaded, bounds: tuple[float | None, float | None], options: ColumnOptions, tell: Listener
) -> Loaded:
    """The series that lie within the bounds; InputRefused if one does not, unless such are to be skipped."""
    skip = options.get("on_bad_series") == "skip"
    return without_bad(loaded, outside(loaded.panel, *bounds), InputRefused, tell, skip=skip)


def tell_skipped(skipped: Sequence[SeriesRefused], tell: Listener) -> None:
    """A line for each series that is left out, and a count of the rest."""
    for error in skipped[:NAMED]:
        tell(Noted(f"series {error.series!r} is skipped: {error}"))
    if len(skipped) > NAMED:
        tell(Noted(f"{len(skipped) - NAMED:,} more series are skipped"))


def listed(data: Any) -> list[Any]:
    """The data as a list of what was given."""
    return list(data) if isinstance(data, Sequence) and not isinstance(data, (str, bytes)) else [data]


def _told(loaded: Loaded, tell: Listener) -> Loaded:
    for line in loaded.notes:
        tell(Noted(line))
    tell_skipped(loaded.skipped, tell)
    return loaded
