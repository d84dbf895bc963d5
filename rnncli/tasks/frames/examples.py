"""Sequences of frames as questions: what comes after the first so many frames of a sequence?

A question at row e of a sequence is about frames e ... e + horizon - 1. The network sees the `context` frames before e,
one a step, and then goes on for horizon - 1 steps without one. In training it is also asked for the next frame at every
step that sees one, which costs nothing and teaches it how things move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from rnncli.arrays import Inputs, Ints
from rnncli.data.panel import Panel
from rnncli.errors import InputRefused, UsageError
from rnncli.tasks.frames import head
from rnncli.tasks.frames.expected import bases
from rnncli.tasks.frames.maps import seen_maps
from rnncli.tasks.frames.patches import patched
from rnncli.tasks.frames.spec import FrameSpec
from rnncli.tasks.seen import Division, Seen, divided

AT_ONCE = 1 << 22  # numbers of the frames that are looked at together
SMALLEST = 0.1  # size of amounts, in units of all of them


@dataclass(frozen=True)
class Examples:
    """Sequences of which the first `ends` [series] frames may be looked at."""

    panel: Panel
    spec: FrameSpec
    ends: Ints

    def seen(
        self,
        series: Ints,
        rows: Ints,
        context: int,
        *,
        every: bool = False,
        turned: Callable[[Inputs], Inputs] | None = None,
    ) -> Seen:
        """The questions at rows[i] of each series[i], after up to `context` frames; with `every`, about the frames
        after each of these too; all frames of a crop `turned` if that is wanted.
        """
        spec = self.spec
        before = self._values(series, rows - context, context)
        after = self._values(series, rows, spec.horizon)
        known = rows[:, None] + np.arange(spec.horizon) < self.ends[series][:, None]
        after[~known] = np.nan
        if turned is not None:
            before, after = turned(before), turned(after)
        units = {"next": after}
        if spec.amounts:
            size = sizes_of(before)
            before, after = before / size, after / size
            units = {"next": after, "size": size}
        targets = np.concatenate([before[:, 1:], after], axis=1) if every else after
        base = bases(before, spec)
        beside = {head.BASE: base[:, -targets.shape[1] :]} if spec.residual else {}
        if spec.moved:
            units[head.BASE] = base[:, -spec.horizon :]
        count, steps = len(series), context + spec.horizon - 1
        return Seen(
            self._inputs(before, base, series, rows - context),
            np.full(count, steps),
            np.arange(count),
            np.full(count, steps - 1),
            beside,
            targets,
            units,
            series,
            rows - context,
        )

    def _values(self, series: Ints, first_row: Ints, steps: int) -> Inputs:
        """Frames as the network has their values: [n, steps, height, width, channels], NaN where there are none."""
        spec = self.spec
        return (self.panel.frames(series, first_row, steps) - np.float32(spec.center)) / np.float32(spec.scale)

    def _inputs(self, before: Inputs, base: Inputs, series: Ints, first_row: Ints) -> Inputs:
        """What the network sees at each step: [n, steps, rows, columns, inputs], or [n, steps, inputs] where flat."""
        spec, (count, context) = self.spec, before.shape[:2]
        missing = np.isnan(before)
        nothing = missing.reshape(count, context, -1).min(axis=2)[:, :, None, None, None]
        parts = [self._patches(np.where(missing, 0, before))]
        parts += [patched(missing.astype(np.float32), spec)] if spec.gaps else []
        parts.append(np.broadcast_to(nothing, (count, context, *spec.grid, 1)).astype(np.float32))
        seen = np.concatenate(parts, axis=-1)
        blank = np.zeros((count, spec.horizon - 1, *seen.shape[2:]), np.float32)
        blank[..., -1] = 1
        steps = np.concatenate([seen, blank], axis=1)
        steps = np.concatenate([self._patches(base), steps], axis=-1) if spec.moved else steps
        beside = seen_maps(self.panel, spec, series, first_row, context)
        steps = np.concatenate([*beside, steps], axis=-1) if beside else steps
        return steps.reshape(count, steps.shape[1], -1) if spec.flat else steps

    def _patches(self, values: Inputs) -> Inputs:
        return patched(np.arcsinh(values) if self.spec.unbounded else values, self.spec)

    def drawn(self, rng: np.random.Generator, size: int, by: Division | None = None) -> Seen:
        """A training batch: questions drawn over all rows whose whole horizon is known, where there are such."""
        first, last = origins(self.ends, self.spec)
        usable = np.flatnonzero(last >= first)
        count = (last - first + 1)[usable]
        series = rng.choice(usable, size=size, p=count / count.sum())
        rows = rng.integers(first[series], last[series] + 1)
        turned = turning(rng, size, self.spec) if self.spec.mirrored else None
        return divided(self.seen(series, rows, self.spec.context, every=True, turned=turned), by)

    def stretch(self, *asked: Any, **more: Any) -> Seen:  # noqa: ARG002
        """UsageError: a question about frames goes on without them, so that no state is left to be carried."""
        raise UsageError("frames are not learnt from in stretches", hint="leave --tbptt out")

    def at(self, series: Ints, ends: Ints) -> Iterator[Seen]:
        """The questions at rows ends[i] of each series[i], some at a time."""
        some = at_once(self.spec)
        for begin in range(0, len(series), some):
            yield self.seen(series[begin : begin + some], ends[begin : begin + some], self.spec.context)

    def ending(self, series: Ints, ends: Ints, steps: int | None = None) -> Seen:
        """Questions at rows ends[i] of each series[i] after so many frames (the context, if None)."""
        return self.seen(series, ends, self.spec.context if steps is None else steps)


def sizes_of(frames: Inputs) -> Inputs:
    """The root mean square of what is known of frames [n, T, ...], but a tenth at least: [n, 1, 1, 1, 1]."""
    known = ~np.isnan(frames)
    flat = np.where(known, frames, 0).reshape(len(frames), -1).astype(np.float64)
    count = known.reshape(len(frames), -1).sum(axis=1)
    size = np.sqrt((flat * flat).sum(axis=1) / np.maximum(count, 1))
    return np.asarray(np.maximum(size, SMALLEST), np.float32).reshape(-1, 1, 1, 1, 1)


def turning(rng: np.random.Generator, size: int, spec: FrameSpec) -> Callable[[Inputs], Inputs]:
    """What mirrors each of so many crops [n, T, height, width, C] up and down, left and right and, if frames are
    square, over their diagonal, or does not, as a generator draws it.
    """
    square = spec.shape[0] == spec.shape[1]
    drawn = rng.random((size, 3)) < (0.5, 0.5, 0.5 * square)

    def turned(frames: Inputs) -> Inputs:
        found = frames.copy()
        for crop, (down, right, over) in enumerate(drawn.tolist()):
            one = frames[crop]
            one = one[:, ::-1] if down else one
            one = one[:, :, ::-1] if right else one
            found[crop] = np.swapaxes(one, 1, 2) if over else one
        return found

    return turned


def at_once(spec: FrameSpec) -> int:
    """Questions whose frames are looked at together."""
    return max(1, AT_ONCE // (prod(spec.shape) * (spec.context + spec.horizon)))


def origins(lengths: Ints, spec: FrameSpec) -> tuple[Ints, Ints]:
    """The first and the last row of each sequence at which there is a question with a known answer: with a whole
    context before it and a whole horizon behind it where there is room, none (the last before the first) in a sequence
    of fewer than two frames.
    """
    last = np.where(lengths > spec.horizon, lengths - spec.horizon, lengths - 1)
    return np.maximum(np.minimum(spec.context, last), 1), last


def refuse_nothing(panel: Panel) -> None:
    """InputRefused if no frame comes after another."""
    if not (panel.lengths > 1).any():
        raise InputRefused("every sequence is a single frame", hint="give sequences of at least two frames")
