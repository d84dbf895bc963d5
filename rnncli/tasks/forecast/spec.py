"""What a forecast is a function of: the frozen choices that training makes once and prediction obeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rnncli.errors import UsageError
from rnncli.spec import Spec, added
from rnncli.tasks.forecast import plain

LINKS = ("identity", "log")
ROLES = ("past", "future", "static")
DECODER, WIDEST = 48, 1 << 20  # units of the local decoder, and numbers that it is given at most
LONGEST = 1 << 22  # rows that a forecast may look back over, or ahead


@dataclass(frozen=True)
class Covariate(Spec):
    """A channel beside the target, known up to the origin (`past`), over the horizon (`future`), or always (`static`).

    A number enters as (value - `center`) / `scale`, a category of `categories` as 1 at its place among zeros, less the
    `shares` that the categories had in training. So 0 is the average of what training saw, and that is how a missing
    value enters, and a category that training did not have.
    """

    name: str
    role: str
    categories: tuple[str, ...] = ()
    center: float = 0.0
    scale: float = 1.0
    shares: tuple[float, ...] = added((), since=3)

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise UsageError(f"a covariate is one of {', '.join(ROLES)}, not {self.role!r}")
        if not self.scale > 0:
            raise UsageError(f"the scale of a covariate must be above 0, not {self.scale}")
        if len(self.shares) not in (0, len(self.categories)):
            raise UsageError(f"a covariate of {len(self.categories)} categories has {len(self.shares)} shares")

    @property
    def width(self) -> int:
        """How many numbers the network sees of it."""
        return len(self.categories) or 1

    @property
    def ahead(self) -> bool:
        """Whether it is known over the horizon."""
        return self.role != "past"


@dataclass(frozen=True)
class ForecastSpec(Spec):
    """A forecast reads the last `context` rows of a series: `steps` encoder steps, the first of which looks back
    over `lookback` rows.

    `levels` are the quantile levels, ascending, 0.5 among them. `seasons` are in steps, the first is MASE's. `window`
    values enter at every step. `level_window` rows make the level; `spread_prior` and `prior_rows` are what the
    spread of a short history is drawn towards and how many rows that belief is worth. Forecasts stay within
    [`floor`, `ceiling`] where these are given: `minimum` and `maximum` where the user said so, else what was seen.
    `components` are the plain forecasts that the decoder weighs; with `judged` it also sees how far off each was that
    was made so many rows before the origin. Of `whole` data forecasts are whole numbers too.
    `left_out` are covariates known ahead that were declared, and of which the forecast is no function. With `each`,
    link, floor and whole numbers follow what a series has shown (see `support`), and those here are the training's.
    Off the logarithm, the spread that a short history is drawn towards is `spread_prior` times its mean absolute value,
    or with `spread_fixed` the `spread_unit`, in the data's units, which it also is where nothing else says how large.
    Series of at most the last of `young` rows are forecast by the network alone, whose intervals are calibrated for
    each of these numbers of rows.
    `decoder` is the width of the local decoder, which sees `known` values for each step of the horizon.
    The network of a `universal` forecast has the same weights for every season and horizon (see `universal`).
    The head attends to the encoder's last `attended` outputs, to none where that is 0 (see `attended`).
    With `gaps` the encoder's inputs end in what a cell asks for that follows them (see `features`).
    With `wall` its rows are those of the wall clock's grid (see `rnncli.data.wall`), and so are the counts here.
    """

    horizon: int
    levels: tuple[float, ...]
    seasons: tuple[int, ...]
    link: str
    window: int
    level_window: int
    lookback: int
    steps: int
    spread_prior: float
    prior_rows: float
    floor: float | None
    ceiling: float | None
    covariates: tuple[Covariate, ...] = ()
    components: tuple[str, ...] = added((), since=3)
    judged: int = added(0, since=3)
    whole: bool = added(default=False, since=3)
    minimum: float | None = added(None, since=3)
    maximum: float | None = added(None, since=3)
    left_out: tuple[str, ...] = added((), since=3)
    each: bool = added(default=False, since=4)
    young: tuple[int, ...] = added((), since=4)
    spread_unit: float = added(1.0, since=4)
    spread_fixed: bool = added(default=False, since=4)
    wall: bool = added(default=False, since=4)
    decoder: int = added(DECODER, since=4)
    known: int = added(0, since=4)
    universal: bool = added(default=False, since=4)
    gaps: bool = added(default=False, since=4)
    attended: int = added(0, since=4)

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise UsageError(f"horizon must be at least 1, not {self.horizon}")
        if list(self.levels) != sorted(set(self.levels)) or not all(0 < level < 1 for level in self.levels):
            raise UsageError(f"quantile levels must ascend between 0 and 1: {self.levels}")
        if 0.5 not in self.levels:
            raise UsageError("the quantile levels must hold 0.5, the median")
        if self.link not in LINKS:
            raise UsageError(f"link must be one of {', '.join(LINKS)}, not {self.link!r}")
        if not self.seasons or min(self.seasons) < 1:
            raise UsageError(f"seasons must be at least 1 step: {self.seasons}")
        unknown = [name for name in self.components if not plain.is_known(name, self.seasons)]
        if unknown:
            raise UsageError(f"there is no plain forecast {unknown[0][:40]!r} with seasons {self.seasons}")
        if not 0 <= self.judged <= self.lookback:
            raise UsageError(f"judged must lie between 0 and the lookback, {self.lookback}, not {self.judged}")
        self._check_rows()
        self._check_values()

    def _check_values(self) -> None:
        if list(self.young) != sorted(set(self.young)) or any(not 1 <= rows <= LONGEST for rows in self.young):
            raise UsageError(f"rows of young series must ascend from 1: {self.young}")
        if not (self.spread_prior > 0 and self.prior_rows > 0 and self.spread_unit > 0):
            raise UsageError("spread_prior, prior_rows and spread_unit must be above 0")
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            raise UsageError(f"the floor {self.floor} must not be above the ceiling {self.ceiling}")

    def _check_rows(self) -> None:
        """Counts of rows that fit each other, and a machine."""
        if min(self.window, self.level_window, self.lookback, self.steps) < 1:
            raise UsageError("window, level_window, lookback and steps must be at least 1")
        if max(self.horizon, self.level_window, self.lookback, self.steps) > LONGEST:
            raise UsageError(f"horizon, level_window, lookback and steps must be at most {LONGEST:,}")
        if not (1 <= self.decoder <= WIDEST and 0 <= self.known <= WIDEST):
            raise UsageError(f"the decoder must have from 1 to {WIDEST:,} units, not {self.decoder}")
        if not 0 <= self.attended <= LONGEST:
            raise UsageError(f"attended must lie between 0 and {LONGEST:,}, not {self.attended}")
        if self.lookback < max(self.window, *self.seasons):
            raise UsageError("the lookback must hold the window and every season")

    @property
    def plain(self) -> tuple[str, ...]:
        """The plain forecasts that the decoder weighs; models of the first release do not name theirs."""
        return self.components or plain.first_names(self.seasons)

    @property
    def context(self) -> int:
        """Rows a forecast can depend on."""
        return self.lookback + self.steps - 1

    def bytes_beside_weights(self, panel: Any) -> int:
        """Those of five statistics of each channel of each series, and of where it ends."""
        return 8 * len(panel) * (1 + 5 * int(panel.values.shape[1]))

    @property
    def attends(self) -> bool:
        """Whether the head attends to earlier outputs of the encoder."""
        return self.attended > 0

    @property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """The categories of each categorical covariate."""
        return {covariate.name: covariate.categories for covariate in self.covariates if covariate.categories}

    @property
    def waits_for_covariates(self) -> bool:
        """Whether rows of the horizon are in the data before their target is."""
        return any(covariate.role == "future" for covariate in self.covariates)

    @property
    def follows_target(self) -> bool:
        """Whether a forecast starts after the last observed target, because rows behind it may wait for theirs."""
        return self.waits_for_covariates or bool(self.left_out)

    @property
    def median(self) -> int:
        """Position of the median among the levels."""
        return self.levels.index(0.5)
