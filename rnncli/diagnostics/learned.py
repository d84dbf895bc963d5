"""What a trained network says, beside what one says that was not trained, what needs no network, and what came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rnncli.diagnostics.resampling import FEWEST, Floats, Interval, Ints, interval


@dataclass(frozen=True)
class Asked:
    """Questions, of `groups` [n] that are independent of each other (series, or stretches of one): the `losses` [n] of
    the network and of the same one `untrained`. Where answers are numbers, in one unit: the mean `error` [n] of the
    middle answer, that of each `plain` forecast, and how `far` the answer is from the last value.
    """

    groups: Ints
    losses: Floats
    untrained: Floats
    error: Floats | None = None
    plain: Mapping[str, Floats] = field(default_factory=dict)
    far: Floats | None = None

    @property
    def gain(self) -> float:
        """The share by which training has made the loss lower."""
        return _share(self.untrained - self.losses, self.untrained)

    @property
    def gain_interval(self) -> Interval | None:
        """Its interval over series."""
        return _interval(self.untrained - self.losses, self.untrained, self.groups)


@dataclass(frozen=True)
class Learned:
    """Questions about rows that a search `saw`, and about those that are `held` out of it, None where none are."""

    saw: Asked
    held: Asked | None


def excess(error: Floats, other: Floats, groups: Ints) -> tuple[float, Interval | None]:
    """The share by which an error is larger than another one, and its interval."""
    return _share(error - other, other), _interval(error - other, other, groups)


def _share(difference: Floats, of: Floats) -> float:
    whole = float(of.mean()) if len(of) else 0.0
    return float(difference.mean()) / whole if whole > 0 else 0.0


def _interval(difference: Floats, of: Floats, groups: Ints) -> Interval | None:
    if len(np.unique(groups)) < FEWEST or not (np.isfinite(difference).all() and np.isfinite(of).all()):
        return None
    return interval(groups, lambda drawn: (drawn @ difference) / (drawn @ of))
