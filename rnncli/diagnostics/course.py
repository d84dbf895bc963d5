"""Where a training goes, from the losses of its steps: what it had learnt and lost, and what it does not learn."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW = 20  # steps whose mean loss is looked at
LOST = 2.0  # times the lowest mean before
LEARNT = 0.01  # of the first mean
SOON = 5  # windows before which nobody can say that nothing is learnt
COLLAPSE, PLATEAU = "collapse", "plateau"


@dataclass
class Course:
    """A phase of so many planned `steps`, step by step."""

    steps: int
    _losses: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _count: int = 0
    _first: float = 0.0
    _best: float = 0.0
    _told: set[str] = field(default_factory=set)

    def count(self, loss: float) -> tuple[str, str] | None:
        """What a step of this loss shows for the first time, and what says so: a collapse, where the mean loss is twice
        the lowest one before; a plateau, where in half of the steps it has not become a hundredth lower.
        """
        self._losses.append(loss)
        self._count += 1
        if self._count < WINDOW:
            return None
        mean = sum(self._losses) / WINDOW
        if self._count == WINDOW:
            self._first = self._best = mean
        found = self._found(mean)
        self._best = min(self._best, mean)
        if found is None or found[0] in self._told:
            return None
        self._told.add(found[0])
        return found

    def _found(self, mean: float) -> tuple[str, str] | None:
        if self._best > 0 and mean > LOST * self._best:
            return COLLAPSE, f"the loss was {self._best:.3g} and is {mean:.3g} (means of {WINDOW} steps)"
        half = max(self.steps // 2, SOON * WINDOW)
        if self._count == half and self._best > (1 - LEARNT) * self._first:
            return PLATEAU, f"the loss began at {self._first:.3g} and never was below {self._best:.3g}"
        return None
