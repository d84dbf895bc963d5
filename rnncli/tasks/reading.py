"""How every task reads its data: what was noticed is told, and series that cannot be used are left out or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnncli.data.load import Loaded
from rnncli.data.objects import Data, Item
from rnncli.errors import RnncliError, SeriesRefused
from rnncli.events import Listener, Noted

NAMED = 5  # series in a message


def told(loaded: Loaded, tell: Listener) -> Loaded:
    """The data, with a line for each thing that was noticed."""
    for line in loaded.notes:
        tell(Noted(line))
    tell_skipped(loaded.skipped, tell)
    return loaded


def without(loaded: Loaded, refusals: Sequence[SeriesRefused], tell: Listener) -> Loaded:
    """All other series. The first refusal if there are none."""
    bad = {error.series for error in refusals}
    good = [place for place, name in enumerate(loaded.panel.ids) if name not in bad]
    if not good:
        raise refusals[0]
    tell_skipped(refusals, tell)
    return replace(loaded.select(np.array(good, np.int64)), skipped=(*loaded.skipped, *refusals))


def without_bad(
    loaded: Loaded, bad: list[SeriesRefused], kind: type[RnncliError], tell: Listener, *, skip: bool
) -> Loaded:
    """The other series, if that was asked for; else an error of this kind about all of them."""
    if not bad:
        return loaded
    if skip and len(bad) < len(loaded.panel):
        return without(loaded, bad, tell)
    raise refusal_of(bad, kind) from bad[0]


def refusal_of(bad: Sequence[SeriesRefused], kind: type[RnncliError]) -> RnncliError:
    """The error of this kind about all series that are refused."""
    others = f" (and {len(bad) - 1:,} more series)" if len(bad) > 1 else ""
    return kind(bad[0].message + others, where=bad[0].where, hint=bad[0].hint)


def tell_skipped(skipped: Sequence[SeriesRefused], tell: Listener) -> None:
    """A line for each series that is left out, and a count of the rest."""
    for error in skipped[:NAMED]:
        tell(Noted(f"series {error.series!r} is skipped: {error}"))
    if len(skipped) > NAMED:
        tell(Noted(f"{len(skipped) - NAMED:,} more series are skipped"))


def listed(data: Data) -> list[Item]:
    """The data as a list of what was given."""
    return list(data) if isinstance(data, Sequence) and not isinstance(data, (str, bytes)) else [data]
