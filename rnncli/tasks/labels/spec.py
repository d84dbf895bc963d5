"""What a label is a function of: the frozen choices that training makes once and prediction obeys."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnncli.errors import UsageError
from rnncli.spec import LARGEST_GRID, Spec, added

LAST, MEAN, MAX, ATTENTION, JOINED = "last", "mean", "max", "attention", "joined"
POOLINGS = (JOINED, LAST, MEAN, MAX, ATTENTION)
ONE_HOT = 64  # categories at most that are seen one by one; more are embedded
EMBEDDING = 32  # numbers that a category of many is seen as
LONGEST = 1 << 26  # steps
FARTHEST = 1e4  # scales from the centre that a number can be
_FLOAT32 = 3.4e38


@dataclass(frozen=True)
class Input(Spec):
    """A channel that a label is read from.

    A number enters as (value - `center`) / `scale`, 0 where it is missing, with a flag beside it where it had `gaps` in
    training. Of a channel of `categories`, code i enters as 1 at place i among zeros, or, where there are more than 64,
    as row i of an embedding that is learnt.
    """

    name: str
    categories: int = 0
    center: float = 0.0
    scale: float = 1.0
    gaps: bool = False

    def __post_init__(self) -> None:
        if self.categories < 0 or not self.scale > 0:
            raise UsageError(f"channel {self.name[:40]!r} has {self.categories} categories and the scale {self.scale}")

    @property
    def embedded(self) -> bool:
        """Whether its categories are too many to be seen one by one."""
        return self.categories > ONE_HOT

    @property
    def width(self) -> int:
        """Numbers of a step that are made of it without weights."""
        return (0 if self.embedded else self.categories) or (0 if self.embedded else 1 + self.gaps)


@dataclass(frozen=True)
class Pictures(Spec):
    """Frames of `shape` (rows, columns, channels) that a label is read from, of the column `name`.

    The network sees a frame as patches of `patch` pixels (rows, columns), one at each pixel of its own grid; or, where
    it has none and is `flat`, the whole frame as one. A value enters as asinh((value - `center`) / `scale`), 0 where it
    is missing, with a flag beside it where pixels had `gaps` in training.
    """

    name: str
    shape: tuple[int, ...]
    patch: tuple[int, ...]
    center: float
    scale: float
    gaps: bool = False
    flat: bool = False

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or len(self.patch) != 2 or not 0 < math.prod(self.shape) <= LARGEST_GRID:
            raise UsageError("frames have rows, columns and channels, and patches rows and columns")
        if not all(1 <= side <= size for side, size in zip(self.patch, self.shape, strict=False)):
            raise UsageError("a patch is no larger than a frame")
        if self.flat and self.grid != (1, 1):
            raise UsageError("a network without a grid sees a frame as one patch")
        if not (math.isfinite(self.center) and 0 < self.scale < _FLOAT32):
            raise UsageError("frames have no scale")

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return -(-self.shape[0] // self.patch[0]), -(-self.shape[1] // self.patch[1])

    @property
    def width(self) -> int:
        """Numbers of a patch: its pixels, which of them are missing, and if there is no frame."""
        return math.prod(self.patch) * self.shape[2] * (1 + self.gaps) + 1


@dataclass(frozen=True)
class LabelSpec(Spec):
    """A label of one of `classes`, or (where that is 0) a number of which the quantiles at `levels` are given, in units
    of `scale` from `center`; one for a sequence, or one `per_step`, and then `online` by what came before alone.

    A sequence of one channel is read in rows of `raster` values, which are then its steps, where it was read off an
    image. The network sees a sequence of `inputs` in frames: each `stride` steps one of `window` steps, side by side.
    Its outputs are pooled in each of the ways in `poolings` for an answer of its own; after training there is one.
    `both_ways` says that half of the outputs come from the end. The loss spreads a share `smoothing` of a label over
    all classes and weighs class i with weights[i] (1 if there are none). In training a share `warped` of sequences is
    stretched in time, and a share `shifted` along their channels, which are then places on a line; their numbers get
    `noise` (a standard deviation, of those that are scaled), and up to a share `blanked` of them is taken for missing.
    `steps` is the longest sequence, or the longest piece of one that is learnt from at a time.

    Or a sequence is of frames, and its `pictures` take the place of inputs: outputs are then pooled over the network's
    grid before they are over time, and a share `shifted` of clips is moved up or down and sideways.
    """

    classes: int
    levels: tuple[float, ...]
    inputs: tuple[Input, ...]
    per_step: bool
    online: bool
    poolings: tuple[str, ...]
    both_ways: bool
    stride: int
    window: int
    steps: int
    center: float = 0.0
    scale: float = 1.0
    smoothing: float = 0.0
    weights: tuple[float, ...] = ()
    warped: float = 0.0
    shifted: float = 0.0
    raster: int = 1
    noise: float = 0.0
    blanked: float = 0.0
    pictures: Pictures | None = added(None, since=4)

    def __post_init__(self) -> None:
        if self.classes < 0 or self.classes == 1 or bool(self.classes) == bool(self.levels):
            raise UsageError(f"labels are of two classes or more, or numbers with quantiles, not of {self.classes}")
        if bool(self.inputs) == (self.pictures is not None):
            raise UsageError("a label is read from one channel or more, or from frames")
        if not self.poolings or any(name not in POOLINGS for name in self.poolings):
            raise UsageError(f"there is no pooling among {self.poolings}")
        self._check_steps()
        self._check_values()

    def _check_steps(self) -> None:
        if self.online and (self.both_ways or not self.per_step):
            raise UsageError("what is online has a label per step, and does not look ahead")
        if self.pictures is not None and self.raster != 1:
            raise UsageError("frames are no raster of values")
        if self.per_step and (self.stride, self.window, self.raster, self.poolings) != (1, 1, 1, (LAST,)):
            raise UsageError("labels per step are read step by step")
        sizes = self.steps, self.raster
        if not 1 <= self.stride <= self.window <= LONGEST or not 1 <= min(sizes) <= max(sizes) <= LONGEST:
            raise UsageError(f"a frame of {self.window} steps each {self.stride} of {self.steps} is none")

    def _check_values(self) -> None:
        if self.weights and (len(self.weights) != self.classes or min(self.weights) < 0):
            raise UsageError(f"{len(self.weights)} weights are given for {self.classes} classes")
        if list(self.levels) != sorted(set(self.levels)) or not all(0 < level < 1 for level in self.levels):
            raise UsageError(f"quantile levels must ascend between 0 and 1: {self.levels}")
        if self.levels and 0.5 not in self.levels:
            raise UsageError("the quantile levels must hold 0.5, the median")
        if not math.isfinite(abs(self.center) + FARTHEST * self.scale):
            raise UsageError(f"labels of {self.center} and scales of {self.scale} are larger than numbers can be")
        shares = self.warped, self.shifted, self.blanked
        if (
            not (self.scale > 0 and self.noise >= 0)
            or not 0 <= self.smoothing < 1
            or not 0 <= min(shares) <= max(shares) <= 1
        ):
            raise UsageError("the scale must be above 0, noise not below it, and shares between 0 and 1")

    @property
    def outputs(self) -> int:
        """Numbers that the head says for each pooling: one a class, or one a level."""
        return self.classes or len(self.levels)

    @property
    def pooling(self) -> str | None:
        """The pooling of outputs, None where that is not chosen yet."""
        return self.poolings[0] if len(self.poolings) == 1 and not self.per_step else None

    @property
    def on_grid(self) -> bool:
        """Whether outputs are those of a grid."""
        return self.pictures is not None and not self.pictures.flat

    @property
    def class_weights(self) -> str:
        """The weights of classes in the loss, as an option says them."""
        return "balanced" if self.weights else "none"

    @property
    def median(self) -> int:
        """Position of the median among the levels."""
        return self.levels.index(0.5)

    @property
    def words(self) -> tuple[Input, ...]:
        """The channels whose categories are embedded."""
        return tuple(channel for channel in self.inputs if channel.embedded)

    @property
    def width(self) -> int:
        """Numbers that the encoder sees of a frame, at each pixel of its grid where it has one."""
        if self.pictures is not None:
            return self.pictures.width * self.window
        step = sum(channel.width for channel in self.inputs) + EMBEDDING * len(self.words)
        return step * self.window
