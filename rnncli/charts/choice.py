"""Which series a picture shows: those that were named, or those that matter most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.charts.fans import Fans
from rnncli.errors import UsageError
from rnncli.near import near

WORST, LARGEST, FIRST = "worst", "largest", "first"
ORDERS = (WORST, LARGEST, FIRST)
SAYS = {WORST: "those with the largest scaled errors", LARGEST: "the largest", FIRST: "the first"}


def usual_order(fans: Fans) -> str:
    """The order where none is asked for: by error, where that is known."""
    return WORST if np.isfinite(fans.errors).any() else LARGEST


def chosen(fans: Fans, ids: Iterable[str] | None, order: str, most: int) -> Ints:
    """Places of the series that are named, in that order, or else of the first `most` by an order. UsageError if a
    series is not there, or if errors are asked for and nothing came.
    """
    if ids is not None and (named := list(ids)):
        return np.array(list(dict.fromkeys(_places(fans.past.ids, named))), np.int64)
    if order == WORST and not np.isfinite(fans.errors).any():
        raise UsageError(
            "no error is known: nothing that was forecast has come",
            hint="--as-of TIME forecasts as if it were then; or --order largest",
        )
    return np.argsort(_keys(fans, order), kind="stable")[:most]


def _keys(fans: Fans, order: str) -> Floats:
    """Numbers of which the smallest come first: [S]."""
    if order == WORST:
        return np.asarray(-np.where(np.isfinite(fans.errors), fans.errors, -np.inf))
    return -sizes(fans) if order == LARGEST else np.arange(len(fans), dtype=np.float64)


def sizes(fans: Fans) -> Floats:
    """The mean absolute value of each series in the rows that are drawn, 0 where none is observed: [S]."""
    past = fans.past
    seen = ~np.isnan(past.targets)
    owner = np.repeat(np.arange(len(past)), past.lengths)
    total = np.bincount(owner, np.where(seen, np.abs(past.targets), 0.0), len(past))
    return np.asarray(total / np.maximum(np.bincount(owner, seen, len(past)), 1))


def _places(known: Sequence[str], named: Sequence[str]) -> Iterator[int]:
    """The place of each series that is named; of a text that names none, of each of its parts between commas."""
    places = {name: place for place, name in enumerate(known)}
    for text in named:
        for name in [text] if text in places else [part.strip() for part in text.split(",")]:
            if name not in places:
                raise UsageError(f"there is no series {name!r}", hint=_instead(name, known))
            yield places[name]


def _instead(name: str, known: Sequence[str]) -> str:
    close = near(name, known)
    some = ", ".join(known[:5]) + (", ..." if len(known) > 5 else "")
    return f"did you mean {close}?" if close else f"there are {some}"
