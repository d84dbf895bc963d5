"""What the next frames are a function of: the frozen choices that training makes once and prediction obeys."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnncli.errors import UsageError
from rnncli.spec import LARGEST_GRID, Spec, added

LOSSES = SQUARED, ABSOLUTE, BERNOULLI, QUANTILES = ("squared", "absolute", "bernoulli", "quantiles")
LONGEST = 1 << 16  # steps
_FLOAT32 = 3.4e38


@dataclass(frozen=True)
class Map(Spec):
    """A map beside frames: its column, the role ("past", "future" or "static") and its `channels`.

    A value enters as asinh((value - `center`) / `scale`), 0 where it is missing, and beside it the share of a map that
    is.
    """

    name: str
    role: str
    channels: int
    center: float
    scale: float

    def __post_init__(self) -> None:
        if self.role not in ("past", "future", "static") or not 1 <= self.channels <= LONGEST:
            raise UsageError(f"map {self.name[:40]!r} has the role {self.role[:40]!r} and {self.channels} channels")
        if not math.isfinite(self.center) or not 0 < self.scale < _FLOAT32:
            raise UsageError(f"map {self.name[:40]!r} has no scale")


@dataclass(frozen=True)
class FrameSpec(Spec):
    """The next `horizon` frames of `shape` (rows, columns, channels) after the last `context` ones.

    The network sees a frame as patches of `patch` pixels (rows, columns), one at each pixel of its own grid; or, where
    it has none and is `flat`, the whole frame as one patch. The grid's rows and columns are a `multiple`, for layers
    that make it coarser.

    Values are z = (value - center) / scale, and a `span` apart at most. Under the loss "bernoulli" z is a share from 0
    to 1, and otherwise a value is said as its difference from the last frame where it is `residual`; "quantiles" are
    those of `levels`. No value is said to be below the `floor`. Where pixels can be missing there are `gaps`; z is
    `mean` on average.

    Where frames have `moved`, the last one is moved on as those before it moved, and the network sees it so.

    Of `amounts` z is also divided by the root mean square of the frames that are seen: light rain is forecast as heavy
    rain is. Where frames are `mirrored`, training turns them as it draws them, for nothing has a direction of its own.
    `maps` stand beside frames.
    """

    horizon: int
    context: int
    shape: tuple[int, ...]
    patch: tuple[int, ...]
    loss: str
    center: float
    scale: float
    span: float
    residual: bool
    flat: bool = False
    gaps: bool = False
    levels: tuple[float, ...] = ()
    multiple: int = 1
    floor: float | None = None
    mean: float = 0.0
    amounts: bool = False
    mirrored: bool = False
    moved: bool = False
    maps: tuple[Map, ...] = added((), since=4)

    def __post_init__(self) -> None:
        for name in ("horizon", "context", "multiple"):
            if not 1 <= getattr(self, name) <= LONGEST:
                raise UsageError(f"{name} must be from 1 to {LONGEST:,}, not {getattr(self, name):,}")
        self._check_shape()
        if self.loss not in LOSSES:
            raise UsageError(f"there is no loss {self.loss!r} of frames", hint=f"choose from: {', '.join(LOSSES)}")
        numbers = (self.center, self.mean, self.floor or 0.0, self.span)
        if not all(map(math.isfinite, numbers)) or not 0 < self.scale < _FLOAT32 or self.span < 0:
            raise UsageError("its values have no scale")
        if (self.loss == QUANTILES) != bool(self.levels) or (self.moved and not self.residual):
            raise UsageError(f"its levels or its base do not fit the loss {self.loss!r}")
        if self.loss == BERNOULLI and self.residual:
            raise UsageError(f"its levels or its residual do not fit the loss {self.loss!r}")
        if self.amounts and (self.loss == BERNOULLI or self.center != 0):
            raise UsageError("amounts are no shares, and have no other center than 0")
        if len({one.name for one in self.maps}) < len(self.maps) or (self.mirrored and self.maps):
            raise UsageError("maps have names of their own, and a direction")
        if self.levels and (0.5 not in self.levels or list(self.levels) != sorted({*self.levels, 0.0, 1.0})[1:-1]):
            raise UsageError("its levels are not in order between 0 and 1, or without the median")

    def _check_shape(self) -> None:
        if len(self.shape) != 3 or len(self.patch) != 2 or not 0 < math.prod(self.shape) <= LARGEST_GRID:
            raise UsageError("frames have rows, columns and channels, and patches rows and columns")
        if not all(1 <= side <= size for side, size in zip(self.patch, self.shape, strict=False)):
            raise UsageError("a patch is no larger than a frame")
        if self.flat and self.grid != (1, 1):
            raise UsageError("a network without a grid sees a frame as one patch")

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches; what they have beyond the frame is empty."""
        return self._patches(self.shape[0], self.patch[0]), self._patches(self.shape[1], self.patch[1])

    def _patches(self, size: int, side: int) -> int:
        return -(-size // (side * self.multiple)) * self.multiple

    @property
    def inputs(self) -> int:
        """Numbers of a patch that the network sees: its pixels, which of them are missing, what they are expected to be
        next where frames move, and if there is a frame; and those of maps.
        """
        pixels = math.prod(self.patch)
        beside = sum(pixels * one.channels + 1 for one in self.maps)
        return pixels * self.shape[2] * (1 + self.gaps + self.moved) + 1 + beside

    @property
    def said(self) -> int:
        """Numbers that are said of each value: its quantiles, or one."""
        return len(self.levels) or 1

    @property
    def outputs(self) -> int:
        """Numbers that are said of a patch."""
        return math.prod(self.patch) * self.shape[2] * self.said

    @property
    def median(self) -> int:
        """The place of the median among the levels."""
        return self.levels.index(0.5)

    @property
    def unbounded(self) -> bool:
        """Whether values can be of any size: the network then sees asinh(z), which is z where it is small."""
        return self.loss != BERNOULLI

    @property
    def steps(self) -> int:
        """Steps of the network from the first frame that it sees to the last one that it says."""
        return self.context + self.horizon - 1
