"""Public holidays as whole days, and what a step of time sees of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnncli.arrays import Floats, Ints
from rnncli.errors import InputRefused
from rnncli.spec import Spec

DAYS_AROUND = ("holiday", "holiday tomorrow", "holiday yesterday")
RAREST = 1 / 366
DAYS_WITHIN = ("holidays of the step that begins", "holidays of the step that ends")


@dataclass(frozen=True)
class Holidays(Spec):
    """The holidays of some `regions`: `days` since 1970, ascending, all there are from day `first` to day `last`.

    Features are centred and scaled as if a day were a holiday by chance: a rare one is then large enough to be learnt
    from soon.
    """

    regions: tuple[str, ...]
    days: tuple[int, ...]
    first: int
    last: int

    def __post_init__(self) -> None:
        if list(self.days) != sorted(set(self.days)) or self.first > self.last:
            raise InputRefused("holidays must ascend, and be known for a day at least")
        if self.days and not self.first <= self.days[0] <= self.days[-1] <= self.last:
            raise InputRefused("holidays must lie in the time for which they are known")
        if max(abs(self.first), abs(self.last)) > 1 << 31:
            raise InputRefused("holidays must lie in a time that calendars know")

    def on(self, day: Ints) -> Floats:
        """For each day whether it is one, the next is, and the one before was: [...] -> [..., 3]."""
        off = np.stack([self._count(day + shift, day + shift + 1) for shift in (0, 1, -1)], axis=-1)
        return np.asarray((off - self.usual) / np.sqrt(self.usual * (1 - self.usual)))

    def within(self, before: Ints, day: Ints, after: Ints) -> Floats:
        """How many lie in a step that is labelled by its first `day`, and in one labelled by its last, where the
        neighbouring labels are `before` and `after`: [...] -> [..., 2].

        Which of the two a label means cannot be known: weeks that end on Fridays look like weeks that begin there.
        """
        spans = ((day, after), (before + 1, day + 1))
        parts = [(self._count(begin, end), self.usual * (end - begin)) for begin, end in spans]
        return np.stack([(count - usual) / np.sqrt(usual) for count, usual in parts], axis=-1)

    @property
    def usual(self) -> float:
        """The share of days that are holidays, kept off 0 and 1."""
        return float(np.clip(len(self.days) / (self.last - self.first + 1), RAREST, 0.5))

    def _count(self, begin: Ints, end: Ints) -> Floats:
        """The number of holidays from day `begin` to the day before `end`."""
        days = np.array(self.days, np.int64)
        return (np.searchsorted(days, end) - np.searchsorted(days, begin)).astype(np.float64)
