"""What the next token is a function of: the frozen choices that training makes once and prediction obeys."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from rnncli.arrays import Floats
from rnncli.errors import UsageError
from rnncli.spec import Spec, added

MOST_TOKENS = 1 << 24  # a code is a float32 among the targets of a batch, and exact below this
LONGEST = 1 << 26  # steps
HIGHEST = 32  # order of n-grams
LARGEST_LOG = 60.0  # of a time in its unit


@dataclass(frozen=True)
class Channelled(Spec):
    """What stands beside events in a column, where a network sees it.

    A number enters as asinh((value - `center`) / `scale`), 0 where it is missing, with a flag beside it where it had
    `gaps` in training. Of a channel of `categories`, those with codes below that are looked up, and all others are one.
    What is `static` is the same in all rows of a document, and is seen before the first of them.
    """

    name: str
    static: bool = False
    categories: int = 0
    center: float = 0.0
    scale: float = 1.0
    gaps: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.categories <= MOST_TOKENS or not 0 < self.scale < math.inf or not math.isfinite(self.center):
            raise UsageError(f"channel {self.name[:40]!r} has {self.categories} categories and the scale {self.scale}")


@dataclass(frozen=True)
class Timing(Spec):
    """How the time to the next event is seen and said: by quantiles of its logarithm at `levels`.

        z = (log(1 + time / unit) - center) / spread

    `unit` is in microseconds, or in steps where times `count` them. The pinball loss of z has a `weight` beside the
    cross entropy of the event. The time of day is seen where times have a `clock`, and the day of the `week`.
    """

    levels: tuple[float, ...]
    unit: float
    center: float
    spread: float
    weight: float
    count: bool = False
    clock: bool = False
    week: bool = False

    def __post_init__(self) -> None:
        if list(self.levels) != sorted(set(self.levels)) or not all(0 < level < 1 for level in self.levels):
            raise UsageError(f"quantile levels must ascend between 0 and 1: {self.levels}")
        if 0.5 not in self.levels:
            raise UsageError("the quantile levels must hold 0.5, the median")
        sizes = self.unit, self.spread
        if not 0 < min(sizes) <= max(sizes) < math.inf or not math.isfinite(self.center) or not self.weight >= 0:
            raise UsageError("times have a unit and a spread above 0, and a weight not below it")
        if self.count and (self.clock or self.week):
            raise UsageError("times that are counted have no clock")

    @property
    def median(self) -> int:
        """Position of the median among the levels."""
        return self.levels.index(0.5)

    @property
    def day(self) -> float:
        """What times are written in: a day, or a step."""
        return 1.0 if self.count else 86_400e6

    def scaled(self, time: Floats) -> Floats:
        """z of times."""
        return np.asarray((np.log1p(np.maximum(time, 0.0) / self.unit) - self.center) / self.spread)

    def times(self, z: Floats) -> Floats:
        """The times of z, in days or steps; 0 where that is no time, and never farther than times can be."""
        logs = np.clip(z.astype(np.float64) * self.spread + self.center, 0.0, LARGEST_LOG)
        return np.asarray(np.expm1(logs) * (self.unit / self.day))


@dataclass(frozen=True)
class TokenSpec(Spec):
    """The next of `tokens` tokens after all that came before it in a document, coded 0 ... tokens - 1.

    The boundary, code `tokens`, is what the network sees before the first token of every document. Codes are `ranked`
    where they follow how often their tokens come. `steps` are learnt from at a time. In training a share `forgotten` of
    the kinds of tokens is not seen, drawn anew for each stretch. Of a large vocabulary the softmax is adaptive:
    `clusters` are the first codes of its tails.

    With `ngrams` above 0 what the network says is pooled with n-grams up to that order, where they are worth it.

    Of events a row is more than its token: what stands `beside` it is seen, a share `blanked` of which is missing in
    training, and with a `timing` it is said when the next one comes.
    """

    tokens: int
    steps: int
    forgotten: float = 0.0
    ranked: bool = True
    clusters: tuple[int, ...] = added((), since=4)
    beside: tuple[Channelled, ...] = added((), since=4)
    timing: Timing | None = added(None, since=4)
    blanked: float = added(0.0, since=4)
    ngrams: int = added(0, since=4)

    def __post_init__(self) -> None:
        if not 1 <= self.tokens <= MOST_TOKENS:
            raise UsageError(f"a vocabulary has from 1 to {MOST_TOKENS:,} tokens, not {self.tokens:,}")
        if not 1 <= self.steps <= LONGEST:
            raise UsageError(f"steps must be from 1 to {LONGEST:,}, not {self.steps:,}")
        if not 0 <= self.ngrams <= HIGHEST:
            raise UsageError(f"n-grams must be of an order up to {HIGHEST}, not {self.ngrams}")
        for name in ("forgotten", "blanked"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} must be in [0, 1), not {getattr(self, name)}")
        if self.clusters and any(end <= first for first, end in pairwise((0, *self.clusters, self.tokens))):
            raise UsageError(f"clusters of {self.tokens:,} tokens cannot begin at {self.clusters}")

    def to_json(self) -> dict[str, Any]:
        """A dictionary of JSON values, in which nothing is said of clusters, n-grams or events where there are none."""
        found, events = super().to_json(), dict.fromkeys(("beside", "timing", "blanked"), not self.plain)
        said = {"clusters": bool(self.clusters), "ngrams": self.ngrams > 0, **events}
        return {name: value for name, value in found.items() if said.get(name, True)}

    def bytes_beside_weights(self, panel: Any) -> int:
        """Those of n-grams, if they are worth their place."""
        from rnncli.baselines.tokens.documents import Documents
        from rnncli.tasks.tokens.examples import codes_of
        from rnncli.tasks.tokens.pool_file import expected_bytes

        return expected_bytes(Documents(codes_of(panel), panel.offsets), self.tokens, self.ngrams) if self.ngrams else 0

    @property
    def boundary(self) -> int:
        """The code of what stands before the first token."""
        return self.tokens

    @property
    def widest(self) -> int:
        """The most tokens that are told apart at once: all, or those of a cluster."""
        return max(end - first for first, end in pairwise((0, *self.clusters, self.tokens)))

    @property
    def words(self) -> tuple[Channelled, ...]:
        """What is beside events and is looked up."""
        return tuple(channel for channel in self.beside if channel.categories)

    @property
    def plain(self) -> bool:
        """Whether a row is a token and nothing else."""
        return not self.beside and self.timing is None
