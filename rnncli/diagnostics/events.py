"""The events about gradients while a network is trained."""

from __future__ import annotations

from dataclasses import dataclass

from rnncli.diagnostics.direction import layer_name
from rnncli.events import Phase


@dataclass(frozen=True)
class Tensors:
    """Norms of one tensor at a step: the gradient's before clipping, the weight's, and the step's length as a share of
    the weight's norm.
    """

    gradient: float
    weight: float
    update: float


@dataclass(frozen=True)
class Gradients:
    """A watched step: `clipped` is the share of all steps so far whose gradient was clipped, `usual` the median norm
    of the last 50.
    """

    phase: Phase
    step: int
    loss: float
    gradient_norm: float
    usual: float
    clipped: float
    tensors: dict[str, Tensors]


@dataclass(frozen=True)
class Strayed:
    """Where a training goes wrong, seen at a step: its `course` is a collapse or a plateau (see `course`)."""

    phase: Phase
    step: int
    course: str
    says: str

    @property
    def text(self) -> str:
        """In one line."""
        return f"{self.phase}: a {self.course} at step {self.step}: {self.says}"


@dataclass(frozen=True)
class Exploded:
    """A step whose gradient was far beyond the usual, and where it came from: the series, its origin (a time), the
    layer, its direction and the lag, in steps before the origin, at which the gradient was largest.
    """

    phase: Phase
    step: int
    gradient_norm: float
    usual: float
    series: str
    origin: str
    layer: int
    lag: int
    direction: str = ""

    @property
    def course(self) -> str:
        """What is said of a training whose gradients do so."""
        return "exploding"

    @property
    def text(self) -> str:
        """In one line."""
        return (
            f"{self.phase}: the gradient of step {self.step} is {self.gradient_norm:.3g}, usually {self.usual:.3g};"
            f" it comes from {self.place}"
        )

    @property
    def place(self) -> str:
        """Where it came from."""
        return f"series {self.series!r}, origin {self.origin}, {layer_name(self.layer, self.direction)}, lag {self.lag}"
